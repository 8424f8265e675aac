/* SPDX-License-Identifier: MIT */
#include "config/paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/alloc.h"

#define FILE_NAME "sendmail-tls.conf"

/* SMTPTLS_SYSCONFDIR is what the build was told, /etc for example. */
static const char system_path[] = SMTPTLS_SYSCONFDIR "/" FILE_NAME;
static const char aliases_path[] = SMTPTLS_SYSCONFDIR "/aliases";
static const char user_suffix[] = "/.config/" FILE_NAME;

int
config_paths_get(struct stls_err *err, const struct identity *identity,
    struct config_paths *out_paths)
{
	size_t size = strlen(identity->home) + sizeof(user_suffix);
	char *user = stls_alloc(size);

	if (user == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	snprintf(user, size, "%s%s", identity->home, user_suffix);
	out_paths->system = system_path;
	out_paths->user = user;
	out_paths->only = NULL;
	out_paths->aliases = aliases_path;
	out_paths->home = identity->home;
	return 0;
}

void
config_paths_done(struct config_paths *paths)
{
	free((char *)paths->user);
	paths->user = NULL;
}
