/* SPDX-License-Identifier: MIT */
#ifndef SINK_MISBEHAVE_H
#define SINK_MISBEHAVE_H

#include <stdio.h>

#include "base/err.h"

#include "mischief.h"

enum sink_misbehaviour_flag {
	SINK_NEEDS_AUTH = 1 << 0 /* it is about AUTH: needs --user */
};

/*
 * One way to misbehave. The hooks are called where `step` is right; without
 * one the row is done elsewhere.
 */
struct sink_misbehaviour {
	const char *name;
	const char *words; /* one of them follows the name: "a|b"; or NULL */
	uint64_t min;	   /* then a number from ... */
	uint64_t max;	   /* ... to; 0: none */
	const char *sentence;
	enum sink_end end;
	bool (*take)(struct sink_smtp *smtp);
	void (*reply)(struct sink_smtp *smtp, size_t mark);
	unsigned int flags;
};

/* The words that are steps, all of them. */
#define SINK_STEPS                                                             \
	"greeting|ehlo|starttls|auth|mail|rcpt|data|chunk|content|rset|quit"

/*
 * Parse NAME, NAME:WORD, NAME:NUMBER or NAME:WORD:NUMBER. SMTPTLS_E_INVALID
 * with a sentence.
 */
int sink_misbehave_parse(
    struct stls_err *err, const char *text, struct sink_mischief *out_mischief);

/* Whether it cannot do anything where nobody has to authenticate. */
bool sink_misbehave_needs_auth(const struct sink_mischief *mischief);

/* Print all: the form, a tab, the sentence. */
void sink_misbehave_list(FILE *f);

#endif
