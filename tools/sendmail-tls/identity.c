/* SPDX-License-Identifier: MIT */
#include "identity.h"

#include <ctype.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/utf8.h"

static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	}
	return false;
}

/*
 * The full name is what stands before the first comma of the GECOS field; an
 * ampersand there is the user's name with a capital.
 */
static char *
full_name_of(const char *gecos, const char *user)
{
	size_t len = strcspn(gecos, ","), user_len = strlen(user), i, used = 0;
	char *name;

	name = stls_alloc(len * (user_len > 0 ? user_len : 1) + 1);
	if (name == NULL)
		return NULL;
	for (i = 0; i < len; i++) {
		if (gecos[i] != '&') {
			name[used++] = gecos[i];
			continue;
		}
		memcpy(name + used, user, user_len);
		if (user_len > 0)
			name[used] = (char)toupper((unsigned char)name[used]);
		used += user_len;
	}
	name[used] = '\0';
	if (has_control(name) || !stls_utf8_is_valid(name, used))
		name[0] = '\0';
	return name;
}

static void
get_host(struct identity *identity)
{
	char name[STLS_HOST_LEN_MAX + 2];
	struct stls_host host;
	struct stls_err ignored = { 0 };

	identity->host[0] = '\0';
	if (gethostname(name, sizeof(name)) < 0)
		return;
	name[sizeof(name) - 1] = '\0';
	if (stls_host_parse(&ignored, name, strlen(name), &host) < 0)
		return;
	if (!host.is_ip && strchr(host.name, '.') != NULL)
		memcpy(identity->host, host.name, sizeof(identity->host));
}

static char *
text_of(const char *text, const char *instead)
{
	return stls_strdup(text != NULL && text[0] != '\0' ? text : instead);
}

/* getpwuid(3) answers in one place, so each is copied before the next. */
static bool
get_sender(struct identity *identity, uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);

	identity->uid = uid;
	identity->user = text_of(pw != NULL ? pw->pw_name : NULL, "");
	if (identity->user == NULL)
		return false;
	identity->full_name = full_name_of(
	    pw != NULL && pw->pw_gecos != NULL ? pw->pw_gecos : "",
	    identity->user);
	return identity->full_name != NULL;
}

static bool
get_process(struct identity *identity)
{
	const struct passwd *pw = getpwuid(getuid());

	identity->login = text_of(pw != NULL ? pw->pw_name : NULL, "");
	identity->home = text_of(pw != NULL ? pw->pw_dir : NULL, "/");
	return identity->login != NULL && identity->home != NULL;
}

int
identity_get_of(struct stls_err *err, uid_t sender, struct identity *identity)
{
	memset(identity, 0, sizeof(*identity));
	if (!get_sender(identity, sender) || !get_process(identity))
		return stls_err_set(err, EX_OSERR, "out of memory");
	get_host(identity);
	return 0;
}

int
identity_get(struct stls_err *err, struct identity *identity)
{
	return identity_get_of(err, getuid(), identity);
}

void
identity_done(struct identity *identity)
{
	free(identity->user);
	free(identity->full_name);
	free(identity->login);
	free(identity->home);
	memset(identity, 0, sizeof(*identity));
}
