/* SPDX-License-Identifier: MIT */
/* The loop of a conversation: where engine, session and net meet. */
#include "client.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "message.h"
#include "net/local-name.h"
#include "tls/context.h"
#include "tls/session.h"

static const enum smtptls_phase phases[STLS_STEP_COUNT] = {
	[STLS_STEP_GREETING] = SMTPTLS_PHASE_GREETING,
	[STLS_STEP_EHLO] = SMTPTLS_PHASE_COMMAND,
	[STLS_STEP_STARTTLS] = SMTPTLS_PHASE_COMMAND,
	[STLS_STEP_TLS] = SMTPTLS_PHASE_HANDSHAKE,
	[STLS_STEP_AUTH] = SMTPTLS_PHASE_COMMAND,
	[STLS_STEP_MAIL] = SMTPTLS_PHASE_COMMAND,
	[STLS_STEP_RCPT] = SMTPTLS_PHASE_COMMAND,
	[STLS_STEP_DATA] = SMTPTLS_PHASE_DATA_START,
	[STLS_STEP_BDAT] = SMTPTLS_PHASE_DATA_BLOCK,
	[STLS_STEP_CONTENT] = SMTPTLS_PHASE_DATA_BLOCK,
	[STLS_STEP_END_OF_DATA] = SMTPTLS_PHASE_DATA_END,
	[STLS_STEP_RSET] = SMTPTLS_PHASE_COMMAND,
	[STLS_STEP_NOOP] = SMTPTLS_PHASE_COMMAND,
	[STLS_STEP_QUIT] = SMTPTLS_PHASE_QUIT,
};

static void
collect_done(struct smtptls_client *client)
{
	struct smtptls_message *message;
	struct stls_transaction *txn;

	while ((txn = stls_engine_take_done(&client->engine)) != NULL) {
		message = stls_message_of(txn);
		stls_content_release(&message->content);
		message->submitted = false;
		message->is_in_done = true;
		if (client->done == NULL)
			client->done = message;
		else
			client->last_done->next = message;
		client->last_done = message;
	}
}

int
stls_client_fail(struct smtptls_client *client, const struct stls_err *reason)
{
	if (client->life == STLS_LIFE_OVER)
		return client->err.code;
	stls_err_copy(&client->err, reason);
	if (client->life != STLS_LIFE_NEW) {
		stls_engine_fail(&client->engine, reason);
		collect_done(client);
	}
	client->life = STLS_LIFE_OVER;
	stls_client_free_connector(client);
	stls_client_close_socket(client);
	stls_client_watch(client);
	return client->err.code;
}

void
stls_client_hang_up(struct smtptls_client *client)
{
	int wake_fd = atomic_exchange(&client->wake_fd, -1);

	stls_client_close_socket(client);
	smtptls_session_free(client->session);
	client->session = NULL;
	stls_engine_done(&client->engine);
	if (wake_fd >= 0)
		close(wake_fd);
	if (client->wake_read_fd >= 0)
		close(client->wake_read_fd);
	client->wake_read_fd = -1;
}

/* The engine has closed: after QUIT, or for a reason of its own. */
static int
finish(struct smtptls_client *client)
{
	struct stls_err reason = client->err;

	collect_done(client);
	if (reason.code != SMTPTLS_OK)
		return stls_client_fail(client, &reason);
	if (client->session != NULL)
		(void)smtptls_session_close(client->session);
	stls_client_close_socket(client);
	client->life = STLS_LIFE_OVER;
	return SMTPTLS_OK;
}

void
stls_client_restart_limit(struct smtptls_client *client)
{
	client->phase_deadline = stls_deadline_in(
	    client->timeout_ms[client->phase]);
}

void
stls_client_begin_phase(struct smtptls_client *client)
{
	client->phase = phases[stls_engine_step(&client->engine)];
	stls_client_restart_limit(client);
}

/*
 * A phase begins anew with each reply. A reply that drips is none, and in a
 * handshake nothing counts but its end.
 */
static void
watch_progress(struct smtptls_client *client)
{
	enum smtptls_phase phase = phases[stls_engine_step(&client->engine)];

	if (phase == client->phase &&
	    client->engine.replies == client->replies_seen)
		return;
	client->replies_seen = client->engine.replies;
	stls_client_begin_phase(client);
}

bool
stls_client_is_idle(const struct smtptls_client *client)
{
	return client->life == STLS_LIFE_TALKING &&
	    stls_engine_event(&client->engine) == STLS_READY;
}

void
stls_client_end_idleness(struct smtptls_client *client)
{
	if (stls_client_is_idle(client))
		stls_client_restart_limit(client);
}

/* Each side waits for the other to begin: the commonest wrong port. */
static const char *
hint(const struct smtptls_client *client)
{
	return client->life == STLS_LIFE_TALKING &&
		client->phase == SMTPTLS_PHASE_GREETING &&
		!client->url.implicit_tls
	    ? "; a port for implicit TLS is reached by smtps://"
	    : "";
}

static int
check_cancelled(struct smtptls_client *client)
{
	struct stls_err reason;

	if (!atomic_load(&client->cancelled))
		return SMTPTLS_OK;
	stls_err_set(&reason, SMTPTLS_E_CANCELLED, "cancelled");
	return stls_client_fail(client, &reason);
}

/* What ends it however well it goes on. */
static int
check_stop(struct smtptls_client *client)
{
	struct stls_err reason;
	int r;

	r = check_cancelled(client);
	if (r < 0)
		return r;
	if (stls_deadline_left_ms(client->deadline) != 0 ||
	    stls_client_is_idle(client))
		return SMTPTLS_OK;
	stls_err_set(&reason, SMTPTLS_E_TIMEOUT,
	    "the deadline passed (at: %s)%s", smtptls_client_step(client),
	    hint(client));
	return stls_client_fail(client, &reason);
}

static int
check_limits(struct smtptls_client *client)
{
	struct stls_err reason;
	int r;

	r = check_stop(client);
	if (r < 0)
		return r;
	if (client->life == STLS_LIFE_CONNECTING ||
	    stls_deadline_left_ms(client->phase_deadline) != 0 ||
	    stls_client_is_idle(client))
		return SMTPTLS_OK;
	stls_err_set(&reason, SMTPTLS_E_TIMEOUT,
	    "the server did not answer within %d ms (at: %s)%s",
	    client->timeout_ms[client->phase], smtptls_client_step(client),
	    hint(client));
	if (!client->engine.is_used_up)
		return stls_client_fail(client, &reason);
	/* A goodbye that is not answered keeps nobody waiting. */
	stls_engine_lose(&client->engine, &reason);
	return SMTPTLS_OK;
}

/* Do the one thing the engine asks for. SMTPTLS_AGAIN: it has to wait. */
static int
do_next(struct smtptls_client *client, enum stls_event event)
{
	switch (event) {
	case STLS_START_TLS:
		return stls_client_start_tls(client);
	case STLS_START_AUTH:
		return stls_client_start_auth(client);
	case STLS_AUTH_CHALLENGE:
		return stls_client_answer_challenge(client);
	case STLS_NEED_BODY:
		return stls_client_feed(client);
	case STLS_BEFORE_END_OF_DATA:
		return stls_client_end_content(client);
	case STLS_HAVE_OUTPUT:
		return stls_client_write(client);
	case STLS_MESSAGE_DONE:
		collect_done(client);
		return SMTPTLS_OK;
	default:
		return stls_client_read(client);
	}
}

static bool
may_send(enum stls_step step, void *arg)
{
	const struct smtptls_client *client = arg;
	const struct smtptls_context *context = client->context;

	if (client->session != NULL &&
	    smtptls_session_is_verified(client->session))
		return true;
	/* Whoever weakened it said so; but a password never goes there. */
	if (step == STLS_STEP_AUTH)
		return false;
	if (client->session == NULL)
		return client->insecure_no_tls;
	return smtptls_context_verify_mode(context) != SMTPTLS_CERT_REQUIRED ||
	    !smtptls_context_check_hostname(context);
}

/* Nothing is under way: it may be one of many that are held. */
static void
trim(struct smtptls_client *client)
{
	stls_engine_trim(&client->engine);
	if (client->session != NULL)
		stls_session_trim(client->session);
}

/* Talk until there is something to wait for, or nothing left to do. */
static int
talk(struct smtptls_client *client)
{
	enum stls_event event;
	bool first = true;
	int r;

	for (;;) {
		event = stls_engine_event(&client->engine);
		switch (event) {
		case STLS_CLOSED:
			return finish(client);
		case STLS_RECONNECT:
			return stls_client_reconnect(client);
		case STLS_READY:
			/* Called without need: see whether a 421 has come. */
			if (!first ||
			    stls_client_read(client) == SMTPTLS_AGAIN) {
				trim(client);
				return SMTPTLS_OK;
			}
			r = SMTPTLS_OK;
			break;
		case STLS_NEED_INPUT:
			/* Whoever waits will be told. */
			if (stls_client_has_looked(client)) {
				client->events |= POLLIN;
				r = SMTPTLS_AGAIN;
				break;
			}
			r = do_next(client, event);
			break;
		default:
			/* Source and server may both never have to wait. */
			r = check_stop(client);
			if (r < 0)
				return r;
			r = do_next(client, event);
		}
		watch_progress(client);
		if (r == SMTPTLS_AGAIN)
			return SMTPTLS_AGAIN;
		first = false;
	}
}

int
smtptls_client_start(struct smtptls_client *client)
{
	struct stls_engine_config config;
	struct stls_err reason;
	int r;

	r = stls_client_check(client);
	if (r < 0)
		return r;
	if (client->life != STLS_LIFE_NEW)
		return SMTPTLS_E_STATE;
	config = (struct stls_engine_config){
		.lmtp = client->url.lmtp,
		.implicit_tls = client->url.implicit_tls,
		.insecure_no_tls = client->insecure_no_tls,
		.authenticate = stls_client_has_credentials(client),
		.one_by_one = client->pipelining == SMTPTLS_PIPELINING_NONE,
		.no_chunking = client->no_chunking,
		.at_once = client->pipelining ==
			SMTPTLS_PIPELINING_ONE_FLIGHT ||
		    client->pipelining == SMTPTLS_PIPELINING_WINDOW,
		.window = client->pipelining == SMTPTLS_PIPELINING_WINDOW
		    ? client->window
		    : 0,
		.server = client->url.host.name,
		.may_send = may_send,
		.err = &client->err,
		.arg = client,
	};
	stls_engine_init(&client->engine, &config);
	stls_client_hand_on_trace(client);
	client->life = STLS_LIFE_CONNECTING;
	if (stls_client_check_credentials(client, &reason) < 0)
		return stls_client_fail(client, &reason);
	return stls_client_begin_connecting(client);
}

/*
 * RFC 8689 section 4.2.1: the TLS that is required begins here, verified. Who
 * weakened it has to decide which of the two is meant.
 */
static int
check_require_tls(
    const struct smtptls_client *client, struct smtptls_message *message)
{
	const struct smtptls_context *context = client->context;
	int r;

	r = stls_message_check(message);
	if (r < 0 || !message->txn.demands->require_tls)
		return r;
	if (!client->insecure_no_tls && !context->insecure &&
	    context->policy.legacy == SMTPTLS_TLS_NONE)
		return SMTPTLS_OK;
	return stls_err_set(&message->err, SMTPTLS_E_INVALID,
	    "the message requires TLS (REQUIRETLS), which an insecure_ call "
	    "has weakened here");
}

int
smtptls_client_submit(
    struct smtptls_client *client, struct smtptls_message *message)
{
	int status, r;

	r = stls_client_check(client);
	if (r < 0)
		return r;
	if (client->life == STLS_LIFE_NEW)
		return SMTPTLS_E_STATE;
	if (message == NULL)
		return SMTPTLS_E_INVALID;
	if (message->txn.demands != NULL)
		r = check_require_tls(client, message);
	status = message->txn.status;
	stls_client_end_idleness(client);
	/* A source may be rewound by a callback. */
	client->is_busy = true;
	if (r == SMTPTLS_OK)
		r = stls_message_prepare(message);
	if (r == SMTPTLS_OK) {
		r = stls_engine_submit(&client->engine, &message->txn);
		if (r < 0) {
			message->submitted = false;
			message->txn.status = status;
		}
	}
	client->is_busy = false;
	if (r == SMTPTLS_OK)
		smtptls_message_ref(message);
	return r;
}

int
smtptls_client_start_quit(struct smtptls_client *client)
{
	int r;

	r = stls_client_check(client);
	if (r < 0)
		return r;
	if (client->life == STLS_LIFE_NEW)
		return SMTPTLS_E_STATE;
	client->is_busy = true;
	stls_engine_quit(&client->engine);
	client->is_busy = false;
	return SMTPTLS_OK;
}

static int
drive(struct smtptls_client *client)
{
	int r = SMTPTLS_OK;

	client->events = 0;
	client->source_fd = -1;
	client->source_stalls = false;
	client->is_drained = client->has_written = false;
	if (client->life == STLS_LIFE_CONNECTING)
		r = stls_client_connect_on(client);
	if (r == SMTPTLS_OK)
		r = talk(client);
	if (r == SMTPTLS_AGAIN && check_limits(client) < 0)
		return client->err.code;
	return r;
}

int
smtptls_client_drive(struct smtptls_client *client)
{
	int r;

	if (client == NULL)
		return SMTPTLS_E_INVALID;
	if (client->life == STLS_LIFE_OVER && client->err.code == SMTPTLS_OK)
		return SMTPTLS_OK;
	r = stls_client_check(client);
	if (r < 0)
		return r;
	if (client->life == STLS_LIFE_NEW)
		return SMTPTLS_OK;
	client->is_busy = true;
	r = check_cancelled(client);
	if (r == SMTPTLS_OK)
		r = drive(client);
	stls_client_watch(client);
	client->is_busy = false;
	return r;
}
