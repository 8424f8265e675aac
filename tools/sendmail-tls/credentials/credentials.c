/* SPDX-License-Identifier: MIT */
#include "credentials/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/eintr.h"
#include "config/file.h"
#include "credentials/command.h"
#include "credentials/keyring.h"
#include "credentials/line.h"
#include "credentials/netrc.h"
#include "credentials/prompt.h"
#include "system/ready.h"

/* What a password manager gets where --timeout sets no limit, or a FIFO. */
#define PASSWORD_TIMEOUT_MS 60000

#define NETRC_SIZE_MAX ((size_t)1 << 20)

static int
check_file(struct stls_err *err, int fd, const char *path, bool is_private)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return stls_err_errno(err, EX_CONFIG, errno, "%s", path);
	if (S_ISDIR(st.st_mode))
		return stls_err_set(
		    err, EX_CONFIG, "%s is a directory, not a file", path);
	/* As ssh(1) does with keys: a shared secret is none. */
	if (is_private && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
		return stls_err_set(err, EX_CONFIG,
		    "password file %s is open to others (mode %04o): chmod 600",
		    path, (unsigned int)(st.st_mode & 07777));
	return 0;
}

/* Only a FIFO or a terminal lets one wait. */
static int
wait_readable(
    struct stls_err *err, int fd, const char *path, stls_deadline deadline)
{
	int n = ready_wait(fd, POLLIN, deadline);

	if (n < 0)
		return stls_err_errno(
		    err, EX_CONFIG, errno, "password file %s", path);
	if (n == 0)
		return stls_err_set(err, EX_TEMPFAIL,
		    "password file %s: nothing was written to it in time",
		    path);
	return 0;
}

static int
read_file(struct stls_err *err, const char *path, bool is_private,
    stls_deadline deadline, struct stls_secret *out)
{
	CLEANUP(first_line_done) struct first_line line = { 0 };
	CLEANUP(close_fd) int fd = -1;
	char chunk[512];
	ssize_t n;
	int r;

	/* O_NONBLOCK: opening a FIFO that nobody writes to must not wait. */
	fd = UNINTERRUPTED(
	    open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
	if (fd < 0)
		return stls_err_errno(
		    err, EX_CONFIG, errno, "password file %s", path);
	r = check_file(err, fd, path, is_private);
	if (r != 0)
		return r;
	while (!line.is_complete && !line.is_too_long) {
		r = wait_readable(err, fd, path, deadline);
		if (r != 0)
			return r;
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return stls_err_errno(
			    err, EX_CONFIG, errno, "password file %s", path);
		if (n == 0)
			break;
		first_line_add(&line, chunk, (size_t)n);
		stls_wipe(chunk, (size_t)n);
	}
	return first_line_take(err, path, &line, out);
}

static int
ask(struct stls_err *err, const struct settings *settings,
    struct stls_secret *out)
{
	char question[512], user[200], server[200];

	stls_escape(user, sizeof(user), settings->user, strlen(settings->user));
	stls_escape(
	    server, sizeof(server), settings->url, strlen(settings->url));
	snprintf(
	    question, sizeof(question), "password of %s at %s: ", user, server);
	return prompt_secret(err, question, settings->deadline, out);
}

/* The host of the URL, of which the client has made sure that it is one. */
static void
host_of_url(const char *url, char *out, size_t cap)
{
	const char *host = strstr(url, "://");
	size_t len;

	host = host != NULL ? host + 3 : url;
	if (host[0] == '[') {
		host++;
		len = strcspn(host, "]");
	} else {
		len = strcspn(host, ":/");
	}
	snprintf(out, cap, "%.*s", (int)len, host);
}

/* What systemd gives to a service: nobody else can read the directory. */
static int
read_credential(struct stls_err *err, const char *name, stls_deadline deadline,
    struct stls_secret *out)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	char path[4096];
	int n;

	if (folder == NULL)
		return stls_err_set(err, EX_CONFIG,
		    "password-credential %s: there is no "
		    "$CREDENTIALS_DIRECTORY: this is not a service with "
		    "LoadCredential=%s:... in its unit",
		    name, name);
	n = snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (n >= (int)sizeof(path))
		return stls_err_set(
		    err, EX_CONFIG, "$CREDENTIALS_DIRECTORY is too long");
	return read_file(err, path, false, deadline, out);
}

static int
read_netrc(struct stls_err *err, const char *path, const char *host,
    const char *user, struct credentials *out)
{
	CLEANUP(stls_buf_done) struct stls_buf text = { 0 };
	int r;

	stls_buf_init(&text, NETRC_SIZE_MAX + 1);
	r = config_file_load(err, "netrc", path, true, &text);
	if (r != 0)
		return r;
	return netrc_find(err, path, (const char *)stls_buf_data(&text),
	    stls_buf_len(&text), host, user, &out->user, &out->password);
}

static int
get_password(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, const char *host,
    struct stls_secret *out_password)
{
	stls_deadline deadline = stls_deadline_first(
	    settings->deadline, stls_deadline_in(PASSWORD_TIMEOUT_MS));
	const char *value = settings->password.value;

	switch (settings->password.source) {
	case PASSWORD_FILE:
		return read_file(err, value, true, deadline, out_password);
	case PASSWORD_COMMAND:
		return command_first_line(err, "the password command", value,
		    identity, LINE_LEN_MAX, deadline, out_password);
	case PASSWORD_TOKEN_COMMAND:
		return command_first_line(err, "the token command", value,
		    identity, TOKEN_LINE_LEN_MAX, deadline, out_password);
	case PASSWORD_GIVEN:
		if (stls_secret_set(out_password, value, strlen(value)) < 0)
			return stls_err_set(err, EX_OSERR, "out of memory");
		return 0;
	case PASSWORD_CREDENTIAL:
		return read_credential(err, value, deadline, out_password);
	case PASSWORD_KEYRING:
		return keyring_lookup(err, identity, host, settings->user,
		    deadline, out_password);
	case PASSWORD_NETRC:
	case PASSWORD_PROMPT:
		break;
	}
	if (settings->dry_run)
		return 0;
	return ask(err, settings, out_password);
}

int
credentials_get(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, struct credentials *out_credentials)
{
	const char *user = settings->user;
	char host[STLS_HOST_LEN_MAX + 1];

	host_of_url(settings->url, host, sizeof(host));
	if (settings->password.source == PASSWORD_NETRC)
		return read_netrc(
		    err, settings->password.value, host, user, out_credentials);
	if (stls_secret_set(&out_credentials->user, user, strlen(user)) < 0)
		return stls_err_set(err, EX_OSERR, "out of memory");
	return get_password(
	    err, settings, identity, host, &out_credentials->password);
}

void
credentials_done(struct credentials *credentials)
{
	stls_secret_done(&credentials->user);
	stls_secret_done(&credentials->password);
}
