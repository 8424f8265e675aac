/* SPDX-License-Identifier: MIT */
#ifndef SINK_MISCHIEF_MISBEHAVE_H
#define SINK_MISCHIEF_MISBEHAVE_H

#include <stdio.h>

#include "base/err.h"

#include "conversation/misbehaviour.h"

/*
 * Parse NAME, NAME:WORD, NAME:NUMBER or NAME:WORD:NUMBER. SMTPTLS_E_INVALID
 * with a sentence.
 */
int sink_misbehave_parse(
    struct stls_err *err, const char *text, struct sink_mischief *out_mischief);

/* Which flags count for it: SINK_NEEDS_*. */
unsigned int sink_misbehave_needs(const struct sink_mischief *mischief);

/* Print all: the form, a tab, the sentence. */
void sink_misbehave_list(FILE *f);

#endif
