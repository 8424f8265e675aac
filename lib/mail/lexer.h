/* SPDX-License-Identifier: MIT */
#ifndef STLS_MAIL_LEXER_H
#define STLS_MAIL_LEXER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "mail/address.h"

/*
 * The words of a structured field (RFC 5322 section 3.2, with the obsolete
 * forms of section 4), read in one pass that never goes back.
 */
struct stls_lexer {
	struct stls_err *err;
	const char *text;
	size_t len, pos;
	size_t element; /* where the present element begins, for sentences */
};

/*
 * Words with and without dots between them, unquoted: a display name, a local
 * part or a domain, which shows only behind them. What does not fit was no
 * local part or domain.
 */
struct stls_words {
	char text[STLS_PATH_LEN_MAX];
	size_t len;
	size_t end; /* behind the last of them, in front of CFWS */
	bool is_cut;
	bool any;
	bool after_word;  /* the last thing was a word, not a dot */
	bool are_several; /* two words without a dot between them */
};

/* Show the element, a little beyond where it went wrong, and say why. */
int stls_lexer_refuse(const struct stls_lexer *lexer, const char *why);

/* The next character, NUL at the end; a NUL inside is no word either. */
static inline char
stls_lexer_peek(const struct stls_lexer *lexer)
{
	return lexer->pos < lexer->len ? lexer->text[lexer->pos] : '\0';
}

static inline bool
stls_lexer_is_at_end(const struct stls_lexer *lexer)
{
	return lexer->pos == lexer->len;
}

/* Skip CFWS: blanks, folding, nested comments. */
int stls_lexer_skip_blanks(struct stls_lexer *lexer);

/* Read words and dots, up to what is neither. */
int stls_lexer_read_words(struct stls_lexer *lexer, struct stls_words *words);

/*
 * Read atoms with dots between them, or an address literal, and what is blank
 * behind it. That it is a domain is not checked, but it is not empty.
 */
int stls_lexer_read_domain(struct stls_lexer *lexer, struct stls_words *words);

#endif
