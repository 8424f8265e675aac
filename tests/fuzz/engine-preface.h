/* SPDX-License-Identifier: MIT */
#ifndef STLS_TESTS_ENGINE_PREFACE_H
#define STLS_TESTS_ENGINE_PREFACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine-stream.h"
#include "smtp/engine.h"

/*
 * What is said in front of the first message, where there is no witness yet:
 * EHLO, STARTTLS and AUTH, each where it may be, and nothing else.
 */
#define PREFACE_MAX 32

struct preface {
	const struct stls_engine *engine;
	bool gate_is_closed; /* for AUTH and for MAIL */
	uint64_t seen;	     /* octets that were handed out */
	char line[STLS_AUTH_LINE_MAX + 2];
	size_t line_len;
	uint64_t questions[PREFACE_MAX]; /* where they end */
	size_t question_count, answer_count;
	bool in_auth, is_authenticated;
};

/* A new connection. */
void preface_restart(struct preface *preface);

/* TLS begins: what comes in front of its greeting is no question. */
void preface_start_tls(struct preface *preface);

/*
 * The next octet. True: with it there is a line, preface->line, that is of a
 * message, and could be said.
 */
bool preface_see(struct preface *preface, unsigned char octet);

/* A reply was taken; whether the engine may go on behind it. */
bool preface_reply(struct preface *preface, const struct stream_reply *reply);

#endif
