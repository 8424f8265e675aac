/* SPDX-License-Identifier: MIT */
/* How the bytes of a conversation get to the server and back. */
#include "client.h"

#include <unistd.h>

#include "message.h"
#include "net/socket.h"
#include "tls/session.h"

/* One read takes a whole TLS record. */
#define PIECE_LEN 16384
/* How often to see, while content leaves, whether the server objects. */
#define WRITES_PER_READ 16

void
stls_client_close_socket(struct smtptls_client *client)
{
	if (client->fd < 0)
		return;
	stls_client_forget(client, client->fd);
	close(client->fd);
	client->fd = -1;
}

static int
receive(struct smtptls_client *client, struct stls_err *err, void *buf,
    size_t cap, size_t *out_len)
{
	int r;

	if (client->session != NULL) {
		r = smtptls_session_read(client->session, buf, cap, out_len);
		if (r < 0)
			stls_err_set(err, r, "%s",
			    smtptls_session_error(client->session));
		return r;
	}
	return stls_client_receive(client, err, buf, cap, out_len);
}

/* With `more` it is gathered until it is worth a system call. */
static int
transmit(struct smtptls_client *client, struct stls_err *err, const void *data,
    size_t len, bool more, size_t *out_len)
{
	int r;

	if (client->session == NULL)
		return stls_client_transmit(client, err, data, len, out_len);
	if (more)
		r = stls_session_write_more(
		    client->session, data, len, out_len);
	else
		r = smtptls_session_write(client->session, data, len, out_len);
	if (r < 0)
		stls_err_set(
		    err, r, "%s", smtptls_session_error(client->session));
	return r;
}

/* Read once. SMTPTLS_AGAIN: there is nothing; else the engine has it. */
int
stls_client_read(struct smtptls_client *client)
{
	unsigned char buf[PIECE_LEN];
	struct stls_err reason;
	size_t len;
	int r;

	r = receive(client, &reason, buf, sizeof(buf), &len);
	stls_client_save_session(client);
	client->has_written = false;
	client->writes_since_read = 0;
	/* A callback may give less than it has. */
	client->is_drained = r == SMTPTLS_AGAIN ||
	    (client->session != NULL
		    ? stls_session_input_drained(client->session)
		    : r == SMTPTLS_OK && len < sizeof(buf) && client->fd >= 0);
	if (r == SMTPTLS_AGAIN) {
		client->events |= POLLIN;
		return SMTPTLS_AGAIN;
	}
	if (r == SMTPTLS_OK && len == 0)
		r = stls_err_set(
		    &reason, SMTPTLS_E_IO, "the server closed the connection");
	if (r < 0)
		stls_engine_lose(&client->engine, &reason);
	else
		stls_engine_receive(&client->engine, buf, len);
	return SMTPTLS_OK;
}

/*
 * What cannot be written may have its reason in what can be read: a refusal,
 * or a 421, that came before the connection was closed.
 */
static int
write_failed(struct smtptls_client *client, const struct stls_err *reason)
{
	while (client->engine.state != STLS_STATE_CLOSED) {
		if (stls_client_read(client) == SMTPTLS_AGAIN)
			break;
	}
	stls_engine_lose(&client->engine, reason);
	return SMTPTLS_OK;
}

bool
stls_client_has_looked(const struct smtptls_client *client)
{
	if (client->session != NULL &&
	    smtptls_session_pending(client->session) > 0)
		return false;
	if (client->is_drained)
		return true;
	/* Behind callbacks writing may bring something that nobody tells. */
	return client->has_written && client->fd >= 0;
}

/* Reading meanwhile: both sides may have full buffers. */
static int
wait_to_write(struct smtptls_client *client)
{
	client->events |= POLLOUT;
	return stls_client_read(client);
}

/*
 * Whether more content comes right behind this piece, so that it may gather. A
 * source that takes its time must not keep from the server what it gave.
 */
static bool
may_gather(const struct smtptls_client *client)
{
	return !client->is_asking && client->engine.state == STLS_STATE_BODY &&
	    stls_content_never_waits(
		&stls_message_of(client->engine.sending)->content);
}

/*
 * A reply that is already there answers nothing that is still here: in a record
 * of its own it would pass for the answer, and cost a password or a message.
 * Nothing is asked by a piece of content.
 */
int
stls_client_write(struct smtptls_client *client)
{
	struct stls_err reason;
	const unsigned char *data;
	size_t len, sent = 0;
	int r;

	if (client->engine.offered == 0) {
		client->is_asking = stls_engine_is_asking(&client->engine);
		if (client->is_asking && !client->is_drained) {
			r = stls_client_read(client);
			if (r != SMTPTLS_AGAIN)
				return r;
		}
	}
	data = stls_engine_output(&client->engine, &len);
	r = transmit(client, &reason, data, len, may_gather(client), &sent);
	if (r < 0)
		return write_failed(client, &reason);
	if (r == SMTPTLS_AGAIN)
		return wait_to_write(client);
	client->is_drained = false;
	client->has_written = true;
	stls_engine_sent(&client->engine, sent);
	stls_client_restart_limit(client);
	if (++client->writes_since_read >= WRITES_PER_READ)
		(void)stls_client_read(client);
	return SMTPTLS_OK;
}

bool
stls_client_has_gathered(const struct smtptls_client *client)
{
	return client->session != NULL &&
	    stls_session_unflushed(client->session) > 0;
}

int
stls_client_flush(struct smtptls_client *client)
{
	struct stls_err reason;
	int r;

	r = stls_session_flush(client->session);
	if (r == SMTPTLS_AGAIN)
		return wait_to_write(client);
	if (r < 0) {
		stls_err_set(
		    &reason, r, "%s", smtptls_session_error(client->session));
		return write_failed(client, &reason);
	}
	return SMTPTLS_OK;
}

/* From now on it never waits but where it is told to. */
static int
let_reads_wait(struct smtptls_client *client)
{
	stls_session_set_dont_wait(client->session);
	if (stls_socket_set_blocking(client->fd) < 0)
		return SMTPTLS_E_UNSUPPORTED;
	client->waits_in_read = true;
	return SMTPTLS_OK;
}

int
stls_client_wait_input(struct smtptls_client *client, int timeout_ms)
{
	bool alone = client->life == STLS_LIFE_TALKING &&
	    client->events == POLLIN && client->source_fd < 0 &&
	    !client->source_stalls;

	if (!alone || client->session == NULL || client->fd < 0)
		return SMTPTLS_E_UNSUPPORTED;
	if (!client->waits_in_read && let_reads_wait(client) < 0)
		return SMTPTLS_E_UNSUPPORTED;
	return stls_session_wait_input(client->session, timeout_ms);
}

/*
 * RFC 3207 section 5: no byte that came in clear may be read as part of TLS. A
 * server says nothing before the ClientHello, so one byte is one too many.
 */
static int
check_silence(struct smtptls_client *client, struct stls_err *err)
{
	size_t len = 0;
	int r;

	if (client->url.implicit_tls)
		return SMTPTLS_OK;
	r = stls_client_peek(client, err, &len);
	if (r == SMTPTLS_AGAIN)
		return SMTPTLS_OK;
	if (r < 0)
		return r;
	if (len == 0)
		return stls_err_set(err, SMTPTLS_E_IO,
		    "the server closed the connection instead of TLS");
	return stls_err_set(err, SMTPTLS_E_PROTOCOL,
	    "the server sent something in clear behind its answer to "
	    "STARTTLS");
}

static int
make_session(struct smtptls_client *client, struct stls_err *err)
{
	struct smtptls_session *session = NULL;
	int r;

	r = check_silence(client, err);
	if (r < 0)
		return r;
	r = smtptls_session_new(
	    client->context, client->url.host.name, &session);
	if (r == SMTPTLS_OK)
		r = stls_client_attach(client, session);
	client->session = session;
	if (r < 0)
		return stls_err_set(
		    err, r, "%s", smtptls_session_error(session));
	stls_client_resume_session(client);
	return SMTPTLS_OK;
}

static void
tell_tls(struct smtptls_client *client)
{
	struct smtptls_cipher cipher = { .name = "" };

	if (client->trace == NULL)
		return;
	(void)smtptls_session_cipher(client->session, &cipher);
	stls_client_info(client, "%s %s %s, certificate %s for %s",
	    smtptls_tls_version_name(smtptls_session_version(client->session)),
	    cipher.name, smtptls_session_group(client->session),
	    smtptls_session_is_verified(client->session) ? "verified"
							 : "NOT VERIFIED",
	    client->url.host.name);
}

int
stls_client_start_tls(struct smtptls_client *client)
{
	struct stls_err reason;
	int r = SMTPTLS_OK;

	if (client->session == NULL)
		r = make_session(client, &reason);
	if (r == SMTPTLS_OK) {
		r = smtptls_session_handshake(client->session);
		if (r == SMTPTLS_AGAIN) {
			client->events |= smtptls_session_events(
			    client->session);
			return SMTPTLS_AGAIN;
		}
		if (r < 0)
			stls_err_set(&reason, r, "%s",
			    smtptls_session_error(client->session));
	}
	if (r < 0) {
		stls_engine_fail(&client->engine, &reason);
		return SMTPTLS_OK;
	}
	/* It took its time: whatever was seen before is old. */
	client->is_drained = false;
	tell_tls(client);
	stls_engine_tls(&client->engine);
	return SMTPTLS_OK;
}
