/* SPDX-License-Identifier: MIT */
#ifndef STLS_SMTP_ENGINE_PARTS_H
#define STLS_SMTP_ENGINE_PARTS_H

#include "smtp/engine.h"

/*
 * What the three files of the engine know of each other: engine.c has the
 * states and what the driver calls, engine-send.c sends, engine-reply.c
 * understands replies. An int is SMTPTLS_OK or a failure that is in
 * engine->err and that stls_engine_settle() turns into the end.
 */

/* engine.c */

void stls_engine_trace(
    const struct stls_engine *engine, char what, const char *text, size_t len);

/* The only way to change the state. */
int stls_engine_enter(struct stls_engine *engine, enum stls_state state);

/* Expect a reply to everything that has been queued so far. */
int stls_engine_expect(
    struct stls_engine *engine, enum stls_step step, size_t recipient);

/* The current transaction has its outcomes. */
void stls_engine_finish_current(struct stls_engine *engine);

/* Close for the reason in engine->err; everything gets its outcome. */
void stls_engine_close(struct stls_engine *engine);

/* Close unless r is a success. */
void stls_engine_settle(struct stls_engine *engine, int r);

/* engine-send.c */

int stls_engine_send(
    struct stls_engine *engine, const char *verb, enum stls_step step);
int stls_engine_send_ehlo(struct stls_engine *engine);

/* The transaction goes no further; the server has to forget it. */
int stls_engine_give_up(struct stls_engine *engine);

/* Send what can be sent now. */
void stls_engine_advance(struct stls_engine *engine);

/* engine-reply.c */

int stls_engine_dispatch(
    struct stls_engine *engine, const struct stls_reply *reply);

#endif
