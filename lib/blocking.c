/* SPDX-License-Identifier: MIT */
/* The calls that wait: the loop of drive.c with poll(2) in it. */
#include "client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "message.h"
#include "net/socket.h"

/* What smtptls_client_pollfds() names, and the pipe. */
#define FDS_MAX (STLS_FDS_MAX + 1)

/* Callbacks have nothing to wait for: how soon to ask them again. */
#define ASK_AGAIN_MS 20

/*
 * The pipe through which smtptls_client_cancel() wakes a call that waits. It
 * is made when first needed: who drives from an event loop never needs it.
 */
static int
make_wake_pipe(struct smtptls_client *client, struct stls_err *err)
{
	int fds[2];

	if (client->wake_read_fd >= 0)
		return SMTPTLS_OK;
	if (stls_socket_pipe(fds) < 0)
		return stls_err_errno(err, SMTPTLS_E_IO, errno, "pipe");
	client->wake_read_fd = fds[0];
	atomic_store(&client->wake_fd, fds[1]);
	return SMTPTLS_OK;
}

static int
longest_wait_ms(struct smtptls_client *client)
{
	int left = smtptls_client_timeout_ms(client);

	if (client->way == STLS_WAY_CALLBACKS &&
	    (left < 0 || left > ASK_AGAIN_MS))
		return ASK_AGAIN_MS;
	return left;
}

/*
 * The first moment of each wait is in the read itself: a server that is quick
 * costs no poll(2) then. Nothing can wake it, so it is short.
 */
#define WAIT_IN_READ_MS 50

static int
wait_for(struct smtptls_client *client)
{
	int timeout_ms = smtptls_client_timeout_ms(client);
	struct pollfd fds[FDS_MAX];
	struct stls_err reason;
	size_t count;

	if (timeout_ms < 0 || timeout_ms > WAIT_IN_READ_MS)
		timeout_ms = WAIT_IN_READ_MS;
	if (stls_client_wait_input(client, timeout_ms) == SMTPTLS_OK)
		return SMTPTLS_OK;
	if (make_wake_pipe(client, &reason) < 0)
		return stls_client_fail(client, &reason);
	/* Set before the pipe was there, the flag woke nobody. */
	if (atomic_load(&client->cancelled))
		return SMTPTLS_OK;
	count = smtptls_client_pollfds(client, fds, FDS_MAX - 1);
	fds[count++] = (struct pollfd){ .fd = client->wake_read_fd,
		.events = POLLIN };
	if (poll(fds, (nfds_t)count, longest_wait_ms(client)) < 0 &&
	    errno != EINTR) {
		stls_err_errno(&reason, SMTPTLS_E_IO, errno, "poll");
		return stls_client_fail(client, &reason);
	}
	return SMTPTLS_OK;
}

/* Drive until nothing is left to do. */
static int
run(struct smtptls_client *client)
{
	int r;

	while ((r = smtptls_client_drive(client)) == SMTPTLS_AGAIN) {
		r = wait_for(client);
		if (r < 0)
			return r;
	}
	return r;
}

static void
forget_last(struct smtptls_client *client)
{
	client->last_code = SMTPTLS_OK;
}

/* Tell what one call came to. Not every connection that is held needs it. */
__attribute__((format(printf, 3, 4))) static int
tell(struct smtptls_client *client, int code, const char *fmt, ...)
{
	char text[STLS_ERR_TEXT_MAX];
	va_list ap;

	client->last_code = code;
	if (client->last == NULL)
		client->last = stls_alloc(sizeof(*client->last));
	if (client->last == NULL)
		return code;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return stls_err_set(client->last, code, "%s", text);
}

#define OVER "the conversation is over"

/* Connected, or on the way to it. */
static int
ensure_started(struct smtptls_client *client)
{
	int r;

	r = stls_client_check(client);
	if (r == SMTPTLS_E_STATE)
		tell(client, r, OVER);
	if (r < 0)
		return r;
	forget_last(client);
	if (client->life != STLS_LIFE_NEW)
		return SMTPTLS_OK;
	return smtptls_client_start(client);
}

int
smtptls_client_connect(struct smtptls_client *client)
{
	int r;

	r = smtptls_client_start(client);
	return r < 0 ? r : run(client);
}

bool
stls_client_is_alive(struct smtptls_client *client)
{
	if (smtptls_client_drive(client) != SMTPTLS_OK ||
	    client->life != STLS_LIFE_TALKING)
		return false;
	/* A part of a reply is something said as well. */
	return stls_buf_len(&client->engine.in) == 0;
}

/* Take one message out of those that are done. */
static void
forget_done(struct smtptls_client *client, struct smtptls_message *message)
{
	struct smtptls_message **place = &client->done, *before = NULL;

	while (*place != NULL && *place != message) {
		before = *place;
		place = &before->next;
	}
	if (*place == NULL)
		return;
	*place = message->next;
	if (client->last_done == message)
		client->last_done = before;
	message->next = NULL;
	message->is_in_done = false;
	smtptls_message_free(message);
}

/* The sentence of a message also is the client's, for who asks there. */
static int
tell_message(
    struct smtptls_client *client, const struct smtptls_message *message, int r)
{
	if (r < 0)
		tell(client, r, "%s", smtptls_message_error(message));
	return r;
}

static int
send_message(struct smtptls_client *client, struct smtptls_message *message,
    bool is_last)
{
	int r;

	r = ensure_started(client);
	if (r < 0)
		return r;
	r = smtptls_client_submit(client, message);
	if (r < 0)
		return tell_message(client, message, r);
	if (is_last)
		(void)smtptls_client_start_quit(client);
	/* What ended the conversation is in the outcome of the message. */
	(void)run(client);
	forget_done(client, message);
	return tell_message(client, message, smtptls_message_status(message));
}

int
smtptls_client_send(
    struct smtptls_client *client, struct smtptls_message *message)
{
	return send_message(client, message, false);
}

int
smtptls_client_send_last(
    struct smtptls_client *client, struct smtptls_message *message)
{
	return send_message(client, message, true);
}

/* Have the engine send a command that concerns no message. */
static int
run_command(struct smtptls_client *client, void (*send)(struct stls_engine *))
{
	int r;

	r = ensure_started(client);
	if (r < 0)
		return r;
	stls_client_end_idleness(client);
	client->is_busy = true;
	send(&client->engine);
	client->is_busy = false;
	return run(client);
}

int
smtptls_client_noop(struct smtptls_client *client)
{
	const struct stls_engine *engine;
	int r;

	r = run_command(client, stls_engine_noop);
	if (r < 0)
		return r;
	engine = &client->engine;
	/* QUIT had left already. */
	if (engine->noop_code == 0)
		return tell(client, SMTPTLS_E_STATE, OVER);
	if (engine->noop_code < 400)
		return SMTPTLS_OK;
	return tell(client,
	    engine->noop_code < 500 ? SMTPTLS_E_REFUSED_LATER
				    : SMTPTLS_E_REFUSED,
	    "NOOP refused: %d %s", engine->noop_code,
	    engine->noop_text != NULL ? engine->noop_text : "");
}

int
smtptls_client_reset(struct smtptls_client *client)
{
	return run_command(client, stls_engine_rset);
}

int
smtptls_client_quit(struct smtptls_client *client)
{
	int r;

	r = smtptls_client_start_quit(client);
	if (r < 0)
		return r;
	forget_last(client);
	return run(client);
}

void
smtptls_client_cancel(struct smtptls_client *client)
{
	int saved = errno, wake_fd;

	if (client == NULL)
		return;
	atomic_store(&client->cancelled, true);
	wake_fd = atomic_load(&client->wake_fd);
	if (wake_fd >= 0) {
		/* Where the pipe is full it wakes as well. */
		ssize_t ignored = write(wake_fd, "", 1);

		(void)ignored;
	}
	errno = saved;
}
