/* SPDX-License-Identifier: MIT */
#include "system/identity.h"

#include <ctype.h>
#include <errno.h>
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

/*
 * A user may have no entry. One that cannot be read is something else: without
 * it his configuration would not be found, and another one count. What errno is
 * where there is none differs, so only what is certain is an error.
 */
static int
look_up(struct stls_err *err, uid_t uid, const struct passwd **out_pw)
{
	errno = 0;
	*out_pw = getpwuid(uid);
	if (*out_pw != NULL ||
	    (errno != EIO && errno != EINTR && errno != EMFILE &&
		errno != ENFILE && errno != ENOMEM))
		return 0;
	return stls_err_errno(err, errno == ENOMEM ? EX_OSERR : EX_TEMPFAIL,
	    errno, "looking up user %ld", (long)uid);
}

static int
out_of_memory(struct stls_err *err)
{
	return stls_err_set(err, EX_OSERR, "out of memory");
}

/* getpwuid(3) answers in one place, so each is copied before the next. */
static int
get_sender(struct stls_err *err, struct identity *identity, uid_t uid)
{
	const struct passwd *pw;
	int r;

	r = look_up(err, uid, &pw);
	if (r != 0)
		return r;
	identity->uid = uid;
	identity->user = text_of(pw != NULL ? pw->pw_name : NULL, "");
	if (identity->user == NULL)
		return out_of_memory(err);
	identity->full_name = full_name_of(
	    pw != NULL && pw->pw_gecos != NULL ? pw->pw_gecos : "",
	    identity->user);
	return identity->full_name != NULL ? 0 : out_of_memory(err);
}

static int
get_process(struct stls_err *err, struct identity *identity)
{
	const struct passwd *pw;
	int r;

	r = look_up(err, getuid(), &pw);
	if (r != 0)
		return r;
	identity->login = text_of(pw != NULL ? pw->pw_name : NULL, "");
	identity->home = text_of(pw != NULL ? pw->pw_dir : NULL, "/");
	return identity->login != NULL && identity->home != NULL
	    ? 0
	    : out_of_memory(err);
}

int
identity_get_of(struct stls_err *err, uid_t sender, struct identity *identity)
{
	int r;

	memset(identity, 0, sizeof(*identity));
	r = get_sender(err, identity, sender);
	if (r == 0)
		r = get_process(err, identity);
	if (r == 0)
		get_host(identity);
	return r;
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
