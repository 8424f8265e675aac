/* SPDX-License-Identifier: MIT */
#ifndef STLS_SMTP_ENGINE_H
#define STLS_SMTP_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "smtp/capabilities.h"
#include "smtp/command.h"
#include "smtp/data.h"
#include "smtp/expected.h"
#include "smtp/reply.h"
#include "smtp/transaction.h"

/*
 * The client's side of SMTP (RFC 5321) as a value: bytes in, bytes out, events
 * out. It owns no descriptor, reads no clock and knows no TLS library. Who
 * drives it asks stls_engine_event() what to do next, does it, and asks again.
 */

/* What the driver has to do next. */
enum stls_event {
	/* Read and give it to stls_engine_receive(). */
	STLS_NEED_INPUT,
	/* Write what stls_engine_output() gives. */
	STLS_HAVE_OUTPUT,
	/* See that nothing can be read, do the handshake, stls_engine_tls(). */
	STLS_START_TLS,
	/* Choose a mechanism, then stls_engine_auth(). */
	STLS_START_AUTH,
	/* Answer stls_engine_challenge() by stls_engine_auth_respond(). */
	STLS_AUTH_CHALLENGE,
	/*
	 * Give content, from its start where the transaction is_repeated:
	 * stls_engine_body(), at its end stls_engine_body_end().
	 */
	STLS_NEED_BODY,
	/* Call the hook of the message, then stls_engine_end_of_data(). */
	STLS_BEFORE_END_OF_DATA,
	/* Take it: stls_engine_take_done(). */
	STLS_MESSAGE_DONE,
	/* Nothing to do. */
	STLS_READY,
	/* After QUIT, or after a failure: see err. */
	STLS_CLOSED,
	/*
	 * After QUIT, because the server takes no more messages on this
	 * connection: stls_engine_move_on() to a new one.
	 */
	STLS_RECONNECT
};

/*
 * A line for the trace: 'C' is a command, 'S' a reply line, '=' a state. Raw
 * bytes; secrets stand in it as ***.
 */
typedef void (*stls_trace_cb)(
    char what, const char *text, size_t len, void *arg);

struct stls_engine_config {
	bool lmtp;	      /* RFC 2033 */
	bool implicit_tls;    /* TLS before the greeting (RFC 8314) */
	bool insecure_no_tls; /* neither, and no AUTH */
	bool authenticate;    /* or fail */
	bool one_by_one;      /* no PIPELINING: each command for itself */
	bool no_chunking;     /* no BDAT */
	bool at_once;	      /* the envelope and BDAT in one flight */
	size_t window;	      /* messages in the air; 0 and 1: no window */
	const char *server;   /* its name, for sentences; may be NULL */
	uint64_t chunk_max;   /* that a BDAT announces; 0: a mebibyte */
	/*
	 * Whether the transport, as it is now, may be trusted with AUTH or
	 * MAIL; asked right before each.
	 */
	bool (*may_send)(enum stls_step step, void *arg);
	struct stls_err *err; /* of the driver: why the engine is closed */
	stls_trace_cb trace;  /* may be NULL */
	void *arg;	      /* of both */
};

enum stls_state {
	STLS_STATE_START,
	STLS_STATE_WAITING,   /* for what the FIFO says, and nothing may go */
	STLS_STATE_START_TLS, /* the driver does the handshake */
	STLS_STATE_START_AUTH,
	STLS_STATE_CHALLENGE,
	STLS_STATE_READY, /* no transaction is being sent */
	STLS_STATE_MAIL,  /* one is: what is sent next */
	STLS_STATE_RCPT,
	STLS_STATE_DATA, /* or BDAT */
	STLS_STATE_BODY,
	STLS_STATE_BEFORE_END,
	STLS_STATE_RSET,
	STLS_STATE_CLOSED,
	STLS_STATE_COUNT
};

struct stls_engine {
	struct stls_engine_config config;
	enum stls_state state;
	enum stls_step step;  /* the present or last one, for people */
	struct stls_err *err; /* why it is closed; code 0 after QUIT */

	struct stls_buf in;
	struct stls_reply_parser parser;
	struct stls_buf out;
	uint64_t queued;     /* octets ever put into out */
	uint64_t exposed;    /* of which the driver has seen */
	uint64_t asked;	     /* octets up to the last question in out */
	uint64_t secret_end; /* octets up to the last line of AUTH */
	uint64_t answered;   /* octets up to the last one that was answered */
	size_t offered;	     /* of out, to be offered again until it is sent */
	uint64_t begun;	     /* written when the next reply began to come */

	struct stls_fifo expected;

	char *ehlo_name;
	struct stls_capabilities capabilities;
	bool tls;			 /* the handshake is done */
	bool authenticated;		 /* 235 */
	struct stls_secret auth_initial; /* too long for the AUTH command */
	struct stls_secret auth_sent;	 /* the response, as it was written */
	bool auth_has_initial;
	struct stls_secret challenge;
	unsigned int auth_rounds;
	bool auth_has_failed; /* as a challenge said, with this status */
	char *auth_status;    /* NULL: there was no memory for it */

	/*
	 * Each transaction is in one of these: submitted; another attempt is
	 * needed; something of it was sent; done. The one that is being sent is
	 * the last in the air.
	 */
	struct stls_queue waiting, again, in_air, done;
	struct stls_transaction *sending; /* NULL: none */
	uint64_t mails;			  /* MAIL commands so far */
	struct stls_data data;
	uint64_t content_left; /* of what BDAT has to announce */
	uint64_t chunk_left;   /* of what it has announced */
	bool last_chunk;
	bool last_octet_is_held;
	uint64_t reset_at; /* output offset behind the last RSET */
	bool wants_noop, wants_rset, wants_quit;
	bool is_used_up; /* QUIT was sent for MAILMAX */

	uint64_t replies;	/* ever received */
	struct stls_reply last; /* of these, without its lines but ... */
	char *last_text; /* ... their text; see stls_engine_last_text() */
	size_t last_text_cap;
	int noop_code;	 /* of the answer to the last NOOP; 0: none yet */
	char *noop_text; /* of a refusal; NULL: there was no memory for it */
};

void stls_engine_init(
    struct stls_engine *engine, const struct stls_engine_config *config);

/* Wipe and free; unfinished transactions must have been taken before. */
void stls_engine_done(struct stls_engine *engine);

/*
 * Begin, connected, with the name to greet with. SMTPTLS_E_NOMEM, or for a
 * name that no command may have SMTPTLS_E_INVALID or SMTPTLS_E_LIMIT.
 */
int stls_engine_start(struct stls_engine *engine, const char *ehlo_name);

enum stls_event stls_engine_event(const struct stls_engine *engine);

/* Bytes that came. What fails closes the engine and is in its err. */
void stls_engine_receive(
    struct stls_engine *engine, const void *data, size_t len);

/*
 * Bytes to write, at most a TLS record, and the same ones until some of them
 * were sent, as GnuTLS wants it. What this gives counts as handed over, and
 * with the last octet of a message its outcome is in doubt: so call it right
 * before writing.
 */
const unsigned char *stls_engine_output(
    struct stls_engine *engine, size_t *out_len);
bool stls_engine_has_output(const struct stls_engine *engine);

/* The text of the last reply, until the next call; "" if memory ran out. */
const char *stls_engine_last_text(const struct stls_engine *engine);

/* So many of them were written. */
void stls_engine_sent(struct stls_engine *engine, size_t len);

/* The handshake is done; whether it may be trusted is asked by may_send. */
void stls_engine_tls(struct stls_engine *engine);

/*
 * Authenticate by a mechanism; initial is NULL where it has no initial
 * response. Both are copied.
 */
void stls_engine_auth(struct stls_engine *engine, const char *mechanism,
    const struct stls_secret *initial);
const struct stls_secret *stls_engine_challenge(
    const struct stls_engine *engine);
void stls_engine_auth_respond(
    struct stls_engine *engine, const struct stls_secret *response);

/*
 * The challenge says that authentication has failed, and why, which is for the
 * sentence: the reply that comes after the response must be a refusal.
 */
void stls_engine_auth_failed(struct stls_engine *engine, const char *status);

/*
 * Whether an answer could be awaited to something in the next output: a reply
 * that is there before it leaves answers something else.
 */
bool stls_engine_is_asking(const struct stls_engine *engine);

/*
 * Append a transaction, which stays the caller's. SMTPTLS_E_STATE: closed for
 * good, or QUIT was asked for.
 */
int stls_engine_submit(
    struct stls_engine *engine, struct stls_transaction *txn);

/* Content, at most STLS_DATA_CHUNK_MAX octets. */
void stls_engine_body(struct stls_engine *engine, const char *data, size_t len);
void stls_engine_body_end(struct stls_engine *engine);

/* Release the end of data. */
void stls_engine_end_of_data(struct stls_engine *engine);

/*
 * The content cannot be had, or must not be sent to its end: the connection
 * ends without the final dot, the transaction fails with err.
 */
void stls_engine_abandon(
    struct stls_engine *engine, const struct stls_err *err);

/*
 * After STLS_RECONNECT: have the transactions that wait wait for another
 * engine, which is started or not, and QUIT follow them where it was to. What
 * NOOP was answered goes with them.
 */
void stls_engine_move_on(struct stls_engine *engine, struct stls_engine *next);

/* The next transaction that is done, NULL where there is none. */
struct stls_transaction *stls_engine_take_done(struct stls_engine *engine);

/* Queue a command for when no transaction is under way. */
void stls_engine_noop(struct stls_engine *engine);
void stls_engine_rset(struct stls_engine *engine);
void stls_engine_quit(struct stls_engine *engine);

/*
 * The connection is lost: every transaction gets its outcome, but for those
 * that wait for another connection (STLS_RECONNECT). The first reason stays.
 */
void stls_engine_lose(struct stls_engine *engine, const struct stls_err *err);

/* It is given up: the same, and nobody waits any more. */
void stls_engine_fail(struct stls_engine *engine, const struct stls_err *err);

/* Give back the memory that a connection without anything to do needs not. */
void stls_engine_trim(struct stls_engine *engine);

/* What is done or waited for now, or was when it ended. */
enum stls_step stls_engine_step(const struct stls_engine *engine);

#endif
