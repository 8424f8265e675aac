/* SPDX-License-Identifier: MIT */
#ifndef STLS_SMTP_ENGINE_PARTS_H
#define STLS_SMTP_ENGINE_PARTS_H

#include "smtp/engine.h"

/*
 * What the files of the engine know of each other: engine.c has the states
 * and what the driver calls, engine-flight.c knows what may leave together,
 * engine-send.c and engine-auth.c send, engine-content.c has the content, and
 * engine-reply.c and engine-outcome.c understand replies: to what concerns the
 * connection, and a message; engine-queues.c has where each message is. An int
 * is SMTPTLS_OK or a failure that is in engine->err and that
 * stls_engine_settle() turns into the end.
 */

/* The content is handed on in pieces of one TLS record (RFC 8446 5.1). */
#define STLS_OUTPUT_FULL 16384

/* engine.c */

void stls_engine_trace(
    const struct stls_engine *engine, char what, const char *text, size_t len);

/* The only way to change the state. */
int stls_engine_enter(struct stls_engine *engine, enum stls_state state);

/*
 * Expect a reply to everything that has been queued so far, and so many more
 * octets; it belongs to the transaction that is being sent, if any.
 */
int stls_engine_expect(struct stls_engine *engine, enum stls_step step,
    size_t recipient, uint64_t more);

/* A reply to the first one that is expected, of which this is a copy, came. */
void stls_engine_count_reply(
    struct stls_engine *engine, const struct stls_expected *expected);

/* Close unless r is a success. */
void stls_engine_settle(struct stls_engine *engine, int r);

/* engine-queues.c */

/* Whether a transaction waits for its first or another attempt. */
bool stls_engine_has_waiting(const struct stls_engine *engine);

/* A transaction that is in no queue any more has its outcomes. */
void stls_engine_finish_transaction(
    struct stls_engine *engine, struct stls_transaction *txn);

/*
 * A transaction that nothing more is sent of and no reply is due to is done,
 * or gets another attempt.
 */
void stls_engine_settle_transaction(
    struct stls_engine *engine, struct stls_transaction *txn);

/* Close for the reason in engine->err; everything gets its outcome. */
void stls_engine_close(struct stls_engine *engine);

/* engine-flight.c */

/*
 * Whether another command, or the next one of the transaction, may join those
 * that wait for their replies: what a flight may hold is known here alone.
 */
bool stls_engine_may_send(const struct stls_engine *engine);

/* Whether QUIT may, and nothing will have to follow it. */
bool stls_engine_may_quit(const struct stls_engine *engine);

/* How the content of a transaction is going to be sent. */
enum stls_transfer stls_engine_choose_transfer(
    const struct stls_engine *engine, const struct stls_transaction *txn);

/* Commands go together, as far as their kind allows it. */
bool stls_engine_is_pipelining(const struct stls_engine *engine);

/* engine-send.c */

int stls_engine_send(
    struct stls_engine *engine, const char *verb, enum stls_step step);
int stls_engine_send_ehlo(struct stls_engine *engine);

/* Account for a line appended behind `before`; r is what that returned. */
int stls_engine_sent_line(
    struct stls_engine *engine, size_t before, int r, const char *shown);

/*
 * The gate in front of AUTH and MAIL: whatever happened before, and whoever
 * made the transport, it may be trusted now or nothing leaves. Without TLS no
 * AUTH leaves, whatever the driver says.
 */
int stls_engine_check_gate(struct stls_engine *engine, enum stls_step step);

/*
 * Nothing more is sent of the transaction, and the server has to forget it. It
 * is settled when its last reply has been understood.
 */
int stls_engine_give_up(struct stls_engine *engine);

/*
 * The server has not forgotten a transaction that it said no to. If RSET is
 * behind the question already, that is enough.
 */
void stls_engine_need_reset(
    struct stls_engine *engine, const struct stls_expected *refused);

/* Send what can be sent now. */
void stls_engine_advance(struct stls_engine *engine);

/* engine-auth.c */

/* Overwrite what the server says back of the response that it was sent. */
void stls_engine_hide_response(
    struct stls_engine *engine, unsigned char *data, size_t len);

/* engine-content.c */

/* DATA was answered by 354. */
int stls_engine_begin_data(struct stls_engine *engine);

/* The same, but nobody wants it: a lone dot (RFC 2920 section 3.1). */
int stls_engine_send_lone_dot(struct stls_engine *engine);

/* Announce the first or the next chunk of the content by BDAT. */
int stls_engine_begin_chunk(struct stls_engine *engine);

/* engine-reply.c */

/*
 * Keep the text of the last reply, whose lines are about to go. Of those that
 * come together only the last one's can be asked for.
 */
void stls_engine_keep_text(struct stls_engine *engine);

int stls_engine_dispatch(
    struct stls_engine *engine, const struct stls_reply *reply);

/* A reply that is neither yes nor no to what was asked. */
int stls_engine_fail_senseless(struct stls_engine *engine,
    const struct stls_expected *expected, const struct stls_reply *reply);

/* Fail with the server's own words. */
int stls_engine_fail_by_reply(struct stls_engine *engine, int code,
    const char *what, const struct stls_reply *reply);

/*
 * Whether a reply began to come when what it answers had not left, which is
 * no answer then, wherever the rest of it came.
 */
bool stls_engine_is_early(
    const struct stls_engine *engine, const struct stls_expected *expected);

static inline bool
stls_engine_is_refusal(const struct stls_reply *reply)
{
	return reply->code >= 400;
}

/* engine-outcome.c: each understands the replies to one command. */

int stls_engine_on_mail(struct stls_engine *engine,
    const struct stls_expected *expected, const struct stls_reply *reply);
int stls_engine_on_rcpt(struct stls_engine *engine,
    const struct stls_expected *expected, const struct stls_reply *reply);
int stls_engine_on_data(struct stls_engine *engine,
    const struct stls_expected *expected, const struct stls_reply *reply);
int stls_engine_on_bdat(struct stls_engine *engine,
    const struct stls_expected *expected, const struct stls_reply *reply);
int stls_engine_on_end_of_data(struct stls_engine *engine,
    const struct stls_expected *expected, const struct stls_reply *reply);

#endif
