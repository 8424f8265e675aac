/* SPDX-License-Identifier: MIT */
#include "credentials/keyring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "credentials/command.h"
#include "credentials/line.h"

static const char helper[] = SMTPTLS_KEYRING_HELPER;

#define COMMAND_LEN_MAX 16384

/* A word for the shell, whatever is in it. */
static int
append_quoted(struct stls_buf *buf, const char *text)
{
	int r;

	r = stls_buf_append_str(buf, " '");
	for (; *text != '\0' && r == 0; text++)
		r = *text == '\'' ? stls_buf_append_str(buf, "'\\''")
				  : stls_buf_append(buf, text, 1);
	return r == 0 ? stls_buf_append_str(buf, "'") : r;
}

/*
 * The two ways to a session bus; everything else of the environment is left
 * out, as it is for all commands.
 */
static int
append_bus(struct stls_buf *buf, uid_t uid)
{
	const char *address = getenv("DBUS_SESSION_BUS_ADDRESS");
	char fallback[64];

	if (address == NULL) {
		snprintf(fallback, sizeof(fallback),
		    "unix:path=/run/user/%ld/bus", (long)uid);
		address = fallback;
	}
	return append_quoted(buf, address);
}

int
keyring_lookup(struct stls_err *err, const struct identity *identity,
    const char *host, const char *user, stls_deadline deadline,
    struct stls_secret *out_password)
{
	CLEANUP(stls_buf_done) struct stls_buf command = { 0 };
	int r;

	if (access(helper, X_OK) < 0)
		return stls_err_set(err, EX_CONFIG,
		    "password-keyring: there is no %s: this program was built "
		    "without libsecret",
		    helper);
	stls_buf_init(&command, COMMAND_LEN_MAX);
	r = stls_buf_append_str(&command, "exec");
	if (r == 0)
		r = append_quoted(&command, helper);
	if (r == 0)
		r = append_bus(&command, identity->uid);
	if (r == 0)
		r = append_quoted(&command, host);
	if (r == 0)
		r = append_quoted(&command, user);
	if (r == 0)
		r = stls_buf_append(&command, "", 1);
	if (r < 0)
		return stls_err_set(err, EX_OSERR, "out of memory");
	return command_first_line(err, "the keyring",
	    (const char *)stls_buf_data(&command), identity, LINE_LEN_MAX,
	    deadline, out_password);
}
