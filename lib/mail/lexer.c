/* SPDX-License-Identifier: MIT */
#include "mail/lexer.h"

/* Nobody writes more; the parser itself would not mind. */
#define COMMENT_DEPTH_MAX 32
/* How much an error shows. */
#define SHOWN_LEN_MAX 100
#define SHOWN_BEHIND 12

int
stls_lexer_refuse(const struct stls_lexer *lexer, const char *why)
{
	size_t end = lexer->len - lexer->pos < SHOWN_BEHIND
	    ? lexer->len
	    : lexer->pos + SHOWN_BEHIND;
	size_t len = end - lexer->element;
	char shown[SHOWN_LEN_MAX + 1];

	stls_escape(shown, sizeof(shown), lexer->text + lexer->element, len);
	return stls_err_set(
	    lexer->err, SMTPTLS_E_INVALID, "address \"%s\" %s", shown, why);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Length of a line end that folds, 0 where there is none. */
static size_t
fold_len(const struct stls_lexer *lexer)
{
	const char *at = lexer->text + lexer->pos;
	size_t left = lexer->len - lexer->pos;
	size_t n = left > 0 && at[0] == '\r' ? 1 : 0;

	if (left < n + 2 || at[n] != '\n' || !is_blank(at[n + 1]))
		return 0;
	return n + 1;
}

static int
skip_comment(struct stls_lexer *lexer)
{
	unsigned int depth = 0;

	do {
		if (stls_lexer_is_at_end(lexer))
			return stls_lexer_refuse(
			    lexer, "has a comment that does not end");
		if (stls_lexer_peek(lexer) == '(' &&
		    ++depth > COMMENT_DEPTH_MAX)
			return stls_lexer_refuse(
			    lexer, "has comments nested too deeply");
		if (stls_lexer_peek(lexer) == ')')
			depth--;
		if (stls_lexer_peek(lexer) == '\\' &&
		    lexer->pos + 1 < lexer->len)
			lexer->pos++;
		lexer->pos++;
	} while (depth > 0);
	return SMTPTLS_OK;
}

int
stls_lexer_skip_blanks(struct stls_lexer *lexer)
{
	size_t n;
	int r;

	for (;;) {
		n = is_blank(stls_lexer_peek(lexer)) ? 1 : fold_len(lexer);
		if (n == 0 && stls_lexer_peek(lexer) != '(')
			return SMTPTLS_OK;
		if (n == 0) {
			r = skip_comment(lexer);
			if (r < 0)
				return r;
		}
		lexer->pos += n;
	}
}

static void
keep(struct stls_words *words, char c)
{
	if (words->len < sizeof(words->text))
		words->text[words->len++] = c;
	else
		words->is_cut = true;
}

static void
begin_word(struct stls_words *words)
{
	words->are_several = words->are_several || words->after_word;
	words->after_word = true;
	words->any = true;
}

static int
read_quoted(struct stls_lexer *lexer, struct stls_words *words)
{
	size_t n;

	begin_word(words);
	lexer->pos++;
	while (stls_lexer_peek(lexer) != '"') {
		if (stls_lexer_peek(lexer) == '\\')
			lexer->pos++;
		if (stls_lexer_is_at_end(lexer))
			return stls_lexer_refuse(lexer, "lacks its last quote");
		n = fold_len(lexer);
		if (n == 0)
			keep(words, lexer->text[lexer->pos++]);
		/* Unfolding takes the line end away, not the blank. */
		lexer->pos += n;
	}
	lexer->pos++;
	return SMTPTLS_OK;
}

static void
read_atom(struct stls_lexer *lexer, struct stls_words *words)
{
	begin_word(words);
	while (stls_address_is_atext(stls_lexer_peek(lexer)))
		keep(words, lexer->text[lexer->pos++]);
}

int
stls_lexer_read_words(struct stls_lexer *lexer, struct stls_words *words)
{
	int r;

	*words = (struct stls_words){ .len = 0 };
	for (;;) {
		r = stls_lexer_skip_blanks(lexer);
		if (r < 0)
			return r;
		if (stls_lexer_peek(lexer) == '"') {
			r = read_quoted(lexer, words);
			if (r < 0)
				return r;
		} else if (stls_address_is_atext(stls_lexer_peek(lexer))) {
			read_atom(lexer, words);
		} else if (stls_lexer_peek(lexer) == '.') {
			keep(words, lexer->text[lexer->pos++]);
			words->any = true;
			words->after_word = false;
		} else {
			return SMTPTLS_OK;
		}
		words->end = lexer->pos;
	}
}

static int
read_literal(struct stls_lexer *lexer, struct stls_words *words)
{
	while (stls_lexer_peek(lexer) != ']') {
		if (stls_lexer_is_at_end(lexer))
			return stls_lexer_refuse(
			    lexer, "lacks the bracket of its domain");
		keep(words, lexer->text[lexer->pos++]);
	}
	keep(words, lexer->text[lexer->pos++]);
	return stls_lexer_skip_blanks(lexer);
}

/* Atoms with dots between them. */
static int
read_domain_name(struct stls_lexer *lexer, struct stls_words *words)
{
	int r = SMTPTLS_OK;

	while (r == SMTPTLS_OK) {
		if (stls_lexer_peek(lexer) == '.') {
			keep(words, lexer->text[lexer->pos++]);
			words->after_word = false;
		} else if (!words->after_word &&
		    stls_address_is_atext(stls_lexer_peek(lexer))) {
			read_atom(lexer, words);
		} else {
			break;
		}
		r = stls_lexer_skip_blanks(lexer);
	}
	return r;
}

int
stls_lexer_read_domain(struct stls_lexer *lexer, struct stls_words *words)
{
	int r;

	*words = (struct stls_words){ .len = 0 };
	r = stls_lexer_skip_blanks(lexer);
	if (r == SMTPTLS_OK && stls_lexer_peek(lexer) == '[')
		r = read_literal(lexer, words);
	else if (r == SMTPTLS_OK)
		r = read_domain_name(lexer, words);
	if (r < 0)
		return r;
	if (words->len == 0)
		return stls_lexer_refuse(lexer, "has nothing behind its @");
	if (words->is_cut)
		return stls_lexer_refuse(
		    lexer, "has a domain that is too long");
	return SMTPTLS_OK;
}
