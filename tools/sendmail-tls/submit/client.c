/* SPDX-License-Identifier: MIT */
#include "submit/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/eintr.h"
#include "submit/stash.h"
#include "submit/wire.h"
#include "submit/words.h"
#include "system/ready.h"

/* The helper waits as RFC 5321 asks for, and ends; its end is seen at once. */
#define ANSWER_MS 7200000
#define CONNECT_S 60
#define IDLE_MS 60000

struct talk {
	int fd;
	const char *path;
	stls_deadline deadline;
	bool was_handed_over; /* the last octet has left */
};

static void
talk_done(struct talk *talk)
{
	close_fd(&talk->fd);
}

static int
no_helper(struct stls_err *err, const char *path, int errnum)
{
	if (errnum == ENOENT || errnum == ENOTDIR || errnum == EACCES)
		return stls_err_errno(err, EX_CONFIG, errnum,
		    "the message has to go through the submit helper, and "
		    "there is none: enable sendmail-tls-submit.socket, or give "
		    "a configuration of your own: %s",
		    path);
	return stls_err_errno(
	    err, EX_TEMPFAIL, errnum, "the submit helper at %s", path);
}

static int
open_talk(struct stls_err *err, struct talk *talk)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = CONNECT_S };

	if (strlen(talk->path) >= sizeof(address.sun_path))
		return stls_err_set(err, EX_CONFIG,
		    "the path of the submit helper is too long: %s",
		    talk->path);
	memcpy(address.sun_path, talk->path, strlen(talk->path) + 1);
	talk->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (talk->fd < 0)
		return stls_err_errno(err, EX_OSERR, errno, "socket");
	/* With a full backlog connect(2) waits, for this long. */
	setsockopt(talk->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	/* Where one that was interrupted goes on by itself, it is there now. */
	if (UNINTERRUPTED(connect(
		talk->fd, (struct sockaddr *)&address, sizeof(address))) < 0 &&
	    errno != EISCONN)
		return no_helper(err, talk->path, errno);
	return 0;
}

/* How it ended depends on whether the helper can have the whole message. */
static int
lost(struct stls_err *err, const struct talk *talk, const char *how)
{
	if (!talk->was_handed_over)
		return stls_err_set(err, EX_TEMPFAIL,
		    "the submit helper at %s %s before it had the message",
		    talk->path, how);
	return stls_err_set(err, EX_IOERR,
	    "the submit helper at %s %s after it had the message: it may have "
	    "been sent or not",
	    talk->path, how);
}

static int
wait_for(struct stls_err *err, const struct talk *talk, short events, int ms)
{
	int n = ready_wait(talk->fd, events,
	    stls_deadline_first(talk->deadline, stls_deadline_in(ms)));
	char how[128];

	if (n > 0)
		return 0;
	if (n == 0)
		return lost(err, talk, "did not answer in time");
	snprintf(
	    how, sizeof(how), "could not be waited for (%s)", strerror(errno));
	return lost(err, talk, how);
}

/* *out_refuses: it hears no more, and may have said why. */
static int
write_all(struct stls_err *err, const struct talk *talk, const void *data,
    size_t len, bool *out_refuses)
{
	const char *p = data;
	ssize_t n;
	int r;

	while (len > 0 && !*out_refuses) {
		n = send(talk->fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			r = wait_for(err, talk, POLLOUT, IDLE_MS);
			if (r != 0)
				return r;
		} else if (errno != EINTR) {
			*out_refuses = true;
		}
	}
	return 0;
}

static int
write_content(
    struct stls_err *err, struct talk *talk, int content_fd, bool *out_refuses)
{
	char block[SUBMIT_NUMBER_LEN + SUBMIT_CHUNK_LEN_MAX];
	ssize_t n;
	int r = 0;

	do {
		n = read(content_fd, block + SUBMIT_NUMBER_LEN,
		    SUBMIT_CHUNK_LEN_MAX);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return stls_err_errno(
			    err, EX_NOINPUT, errno, "standard input");
		submit_format_number((unsigned char *)block, (uint32_t)n);
		r = write_all(err, talk, block, SUBMIT_NUMBER_LEN + (size_t)n,
		    out_refuses);
	} while (n != 0 && r == 0 && !*out_refuses);
	/* The end is a few octets, and not there without the last of them. */
	talk->was_handed_over = r == 0 && !*out_refuses;
	return r;
}

static int
read_all(struct stls_err *err, const struct talk *talk, void *data, size_t len)
{
	char *p = data;
	ssize_t n;
	int r;

	while (len > 0) {
		r = wait_for(err, talk, POLLIN, ANSWER_MS);
		if (r != 0)
			return r;
		n = recv(talk->fd, p, len, MSG_DONTWAIT);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		} else if (n == 0 ||
		    (errno != EAGAIN && errno != EWOULDBLOCK &&
			errno != EINTR)) {
			return lost(err, talk, "was lost");
		}
	}
	return 0;
}

static int
read_answer(
    struct stls_err *err, const struct talk *talk, char *text, size_t text_cap)
{
	unsigned char head[SUBMIT_ANSWER_LEN];
	char all[SUBMIT_TEXT_LEN_MAX];
	size_t len = 0;
	int status = 0, r;

	r = read_all(err, talk, head, sizeof(head));
	if (r == 0)
		r = submit_parse_answer(err, head, &status, &len);
	if (r == EX_PROTOCOL && talk->was_handed_over)
		r = lost(err, talk, "answered nonsense");
	/* Once the status is there, only words can be missing. */
	if (r == 0 && read_all(err, talk, all, len) != 0)
		len = 0;
	if (r != 0)
		return r;
	stls_err_clear(err);
	if (status == 0 && !talk->was_handed_over)
		return lost(err, talk, "answered");
	if (len >= text_cap)
		len = text_cap - 1;
	memcpy(text, all, len);
	text[len] = '\0';
	return status;
}

static bool
is_spool_of_another(const struct settings *settings)
{
	struct stat status;

	return settings->spool != NULL && settings->spool_is_system &&
	    stat(settings->spool, &status) == 0 && status.st_uid != getuid();
}

bool
submit_client_is_needed(const struct settings *settings)
{
	if (settings->dry_run || settings->probe)
		return false;
	return settings_need_helper(settings) ||
	    is_spool_of_another(settings) ||
	    (settings->submit_socket != NULL && settings->url == NULL);
}

int
submit_client_send(struct stls_err *err, const struct settings *settings,
    size_t count, const char *const *arguments, int content_fd, char *text,
    size_t text_cap)
{
	CLEANUP(stls_buf_done) struct stls_buf head = { 0 };
	CLEANUP(talk_done)
	struct talk talk = {
		.fd = -1,
		.path = settings->submit_socket != NULL
		    ? settings->submit_socket
		    : SUBMIT_SOCKET,
		.deadline = settings->deadline,
	};
	bool refuses = false;
	int r;

	text[0] = '\0';
	stls_buf_init(&head, SIZE_MAX / 2);
	r = submit_append_arguments(err, &head, count, arguments);
	if (r == 0)
		r = open_talk(err, &talk);
	if (r == 0)
		r = write_all(err, &talk, stls_buf_data(&head),
		    stls_buf_len(&head), &refuses);
	if (r == 0 && !refuses)
		r = write_content(err, &talk, content_fd, &refuses);
	/* It may be this side that could not send: nobody waits for more. */
	if (refuses)
		shutdown(talk.fd, SHUT_WR);
	return r == 0 ? read_answer(err, &talk, text, text_cap) : r;
}

static void
print_text(const char *text)
{
	char line[2048];
	size_t len;

	while (*text != '\0') {
		len = strcspn(text, "\n");
		stls_escape(line, sizeof(line), text, len);
		fprintf(stderr, "%s\n", line);
		text += len + (text[len] == '\n');
	}
}

void
submit_client_report(const struct stls_err *err, const char *text)
{
	if (err->text[0] == '\0')
		print_text(text);
	else
		fprintf(stderr, "%s: %s\n",
		    err->code == EX_IOERR ? "in doubt" : PROGRAM, err->text);
}

/* A file is read where it stands; what comes by itself is read to its end. */
static int
read_input(struct stls_err *err, const struct settings *settings,
    bool stdin_was_closed, struct stash *stash)
{
	struct stat status;

	if (stdin_was_closed)
		return stls_err_set(
		    err, EX_NOINPUT, "standard input is closed");
	if (fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode))
		return 0;
	return stash_read(err, STDIN_FILENO, !settings->dot_is_data,
	    settings->deadline, stash);
}

int
submit_client_check(struct stls_err *err, const struct settings *settings)
{
	CLEANUP(submit_words_done)
	struct submit_words words = { NULL, 0, true };

	return submit_words_collect(
	    err, settings, settings->argc, settings->argv, &words);
}

int
submit_client_run(struct stls_err *err, const struct settings *settings,
    int argc, char **argv, bool stdin_was_closed)
{
	CLEANUP(submit_words_done)
	struct submit_words words = { NULL, 0, false };
	CLEANUP(stash_done) struct stash stash = { .fd = -1 };
	char text[SUBMIT_TEXT_LEN_MAX + 1] = "";
	int r;

	r = submit_words_collect(err, settings, argc, argv, &words);
	if (r == 0)
		r = read_input(err, settings, stdin_was_closed, &stash);
	if (r == 0)
		r = submit_client_send(err, settings, words.count, words.items,
		    stash.fd >= 0 ? stash.fd : STDIN_FILENO, text,
		    sizeof(text));
	submit_client_report(err, text);
	stls_err_clear(err);
	return r;
}
