/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SUBMIT_WORDS_H
#define SENDMAIL_SUBMIT_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "settings/settings.h"

/* What of a command line is handed to the submit helper, word by word. */
struct submit_words {
	const char **items; /* each of them is the owner's to free */
	size_t count;
	bool in_conversation; /* which heeds itself what is about names */
};

/*
 * The command line, and what a file of the caller's has to add to it. EX_USAGE:
 * it has an option that is not about the message; EX_OSERR.
 */
int submit_words_collect(struct stls_err *err, const struct settings *settings,
    int argc, char **argv, struct submit_words *words);

void submit_words_done(struct submit_words *words);

#endif
