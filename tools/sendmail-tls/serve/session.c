/* SPDX-License-Identifier: MIT */
#include "serve/session.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/eintr.h"
#include "message/recipients.h"
#include "serve/message.h"
#include "serve/server.h"
#include "system/ready.h"

/* RFC 5321 section 4.5.3.2.7 asks for 5 minutes at least. */
#define IDLE_MS (10 * 60 * 1000)
/* How long we listen to a client that was sent away. */
#define LINGER_MS (60 * 1000)

struct session {
	const struct settings *settings;
	struct smtp_server server;
	struct smtp_message message;
};

/*
 * A conversation may last as long as a worker that sends now and then; the
 * limit of time is that of each message, and of each silence.
 */
static int
wait_for(struct stls_err *err, const struct session *session, int fd,
    short events, int ms)
{
	stls_deadline deadline = stls_deadline_first(
	    settings_deadline(session->settings), stls_deadline_in(ms));
	int n = ready_wait(fd, events, deadline);

	if (n < 0)
		return stls_err_errno(err, EX_OSERR, errno, "poll");
	if (n == 0)
		return stls_err_set(err, EX_TEMPFAIL,
		    "the client did not go on with the conversation in time");
	return 0;
}

/* Send the replies there are; as much as a pipe takes at once, if it can. */
static int
flush(struct stls_err *err, struct session *session)
{
	struct stls_buf *out = &session->server.out;
	size_t len;
	ssize_t n;
	int r;

	while ((len = stls_buf_len(out)) > 0) {
		r = wait_for(err, session, STDOUT_FILENO, POLLOUT, IDLE_MS);
		if (r != 0)
			return r;
		n = write(STDOUT_FILENO, stls_buf_data(out),
		    len < PIPE_BUF ? len : PIPE_BUF);
		if (n > 0)
			stls_buf_consume(out, (size_t)n);
		else if (errno != EINTR && errno != EAGAIN &&
		    errno != EWOULDBLOCK)
			return stls_err_errno(
			    err, EX_SOFTWARE, errno, "standard output");
	}
	return 0;
}

/* It may take some of it: nothing is heard any more where there is any. */
static bool
has_more(void)
{
	char octet;

	return ready_wait(STDIN_FILENO, POLLIN, stls_deadline_in(0)) > 0 &&
	    UNINTERRUPTED(read(STDIN_FILENO, &octet, sizeof(octet))) > 0;
}

/* Read what comes; *out_len is 0 at the end. */
static int
read_some(struct stls_err *err, const struct session *session, int ms,
    char *data, size_t cap, size_t *out_len)
{
	ssize_t n;
	int r;

	do {
		r = wait_for(err, session, STDIN_FILENO, POLLIN, ms);
		if (r != 0)
			return r;
		n = read(STDIN_FILENO, data, cap);
	} while (n < 0 &&
	    (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK));
	if (n < 0)
		return stls_err_errno(err, EX_NOINPUT, errno, "standard input");
	*out_len = (size_t)n;
	return 0;
}

/* What the event asks for. */
static void
handle(struct session *session, enum smtp_server_event event)
{
	struct smtp_server *server = &session->server;

	switch (event) {
	case SMTP_SERVER_BEGINS:
		smtp_message_begin(&session->message, server);
		break;
	case SMTP_SERVER_TEXT:
		smtp_message_add(
		    &session->message, server->text, server->text_len);
		break;
	case SMTP_SERVER_COMPLETE:
		smtp_message_end(&session->message, server);
		break;
	case SMTP_SERVER_WANTS_INPUT:
	case SMTP_SERVER_CLOSED:
		break;
	}
}

static int
take(struct stls_err *err, struct session *session, const char *data,
    size_t len, bool *out_closed)
{
	enum smtp_server_event event;
	size_t used;
	int r = 0;

	for (; len > 0 && r == 0 && !*out_closed; data += used, len -= used) {
		event = smtp_server_next(&session->server, data, len, &used);
		/* The replies before it do not wait for a delivery. */
		if (event == SMTP_SERVER_COMPLETE)
			r = flush(err, session);
		if (r == 0)
			handle(session, event);
		if (r == 0 && event != SMTP_SERVER_TEXT)
			r = flush(err, session);
		*out_closed = event == SMTP_SERVER_CLOSED;
	}
	return r;
}

/*
 * A client that is in the middle of writing would get a signal instead of the
 * reply: it is heard to its end, and hears ours.
 */
static void
linger(struct session *session, char *data, size_t cap)
{
	struct stls_err ignored = { 0 };
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	size_t len = 0;

	shutdown(STDOUT_FILENO, SHUT_WR);
	if (null >= 0) {
		dup2(null, STDOUT_FILENO);
		close(null);
	}
	while (read_some(&ignored, session, LINGER_MS, data, cap, &len) == 0 &&
	    len > 0)
		continue;
}

static int
closed(struct stls_err *err, struct session *session, char *data, size_t cap)
{
	if (!session->server.was_refused && !session->server.lacks_memory)
		return 0;
	linger(session, data, cap);
	if (session->server.lacks_memory)
		return stls_err_set(err, EX_OSERR, "out of memory");
	return stls_err_set(err, EX_DATAERR,
	    "the conversation was ended: the client did what is not allowed");
}

static int
gone(struct stls_err *err, const struct session *session)
{
	if (!smtp_server_is_in_transaction(&session->server))
		return 0;
	return stls_err_set(err, EX_DATAERR,
	    "standard input ended in the middle of a message, which was not "
	    "sent");
}

static int
talk(struct stls_err *err, struct session *session)
{
	struct smtp_server *server = &session->server;
	struct stls_err ignored = { 0 };
	char data[32768];
	bool is_closed = false;
	size_t len;
	int r;

	r = flush(err, session);
	while (r == 0 && !is_closed) {
		r = read_some(err, session, IDLE_MS, data, sizeof(data), &len);
		if (r == 0 && len == 0)
			return gone(err, session);
		if (r == 0)
			r = take(err, session, data, len, &is_closed);
	}
	if (r == EX_TEMPFAIL) {
		smtp_server_abort(server, "4.4.2", "time is over");
		flush(&ignored, session);
	}
	return r == 0 ? closed(err, session, data, sizeof(data)) : r;
}

static void
session_done(struct session *session)
{
	smtp_message_done(&session->message);
	smtp_server_done(&session->server);
}

int
smtp_session_run(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, bool hand_over, bool stdin_was_closed)
{
	CLEANUP(session_done)
	struct session session = {
		.settings = settings,
		.message = { .settings = settings,
		    .identity = identity,
		    .hand_over = hand_over },
	};

	if (stdin_was_closed)
		return stls_err_set(
		    err, EX_NOINPUT, "standard input is closed");
	smtp_server_init(&session.server,
	    identity->host[0] != '\0' ? identity->host : "localhost");
	session.server.sender_domain = settings->domain;
	session.server.recipient_domain = recipients_domain_of_any_sender(
	    settings);
	session.server.has_more = has_more;
	return talk(err, &session);
}
