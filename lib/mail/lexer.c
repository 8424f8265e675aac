/* SPDX-License-Identifier: MIT */
#include "mail/lexer.h"

/* Nobody writes more; the parser itself would not mind. */
#define COMMENT_DEPTH_MAX 32
/* How much an error shows. */
#define SHOWN_LEN_MAX 100
#define SHOWN_BEHIND 12

int
stls_lexer_refuse(const struct stls_lexer *s, const char *why)
{
	size_t end = s->len - s->pos < SHOWN_BEHIND ? s->len
						    : s->pos + SHOWN_BEHIND;
	size_t len = end - s->element;
	char shown[SHOWN_LEN_MAX + 1];

	stls_escape(shown, sizeof(shown), s->text + s->element, len);
	return stls_err_set(
	    s->err, SMTPTLS_E_INVALID, "address \"%s\" %s", shown, why);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Length of a line end that folds, 0 where there is none. */
static size_t
fold_len(const struct stls_lexer *s)
{
	const char *at = s->text + s->pos;
	size_t left = s->len - s->pos;
	size_t n = left > 0 && at[0] == '\r' ? 1 : 0;

	if (left < n + 2 || at[n] != '\n' || !is_blank(at[n + 1]))
		return 0;
	return n + 1;
}

static int
skip_comment(struct stls_lexer *s)
{
	unsigned int depth = 0;

	do {
		if (stls_lexer_is_at_end(s))
			return stls_lexer_refuse(
			    s, "has a comment that does not end");
		if (stls_lexer_peek(s) == '(' && ++depth > COMMENT_DEPTH_MAX)
			return stls_lexer_refuse(
			    s, "has comments nested too deeply");
		if (stls_lexer_peek(s) == ')')
			depth--;
		if (stls_lexer_peek(s) == '\\' && s->pos + 1 < s->len)
			s->pos++;
		s->pos++;
	} while (depth > 0);
	return SMTPTLS_OK;
}

int
stls_lexer_skip_blanks(struct stls_lexer *s)
{
	size_t n;
	int r;

	for (;;) {
		n = is_blank(stls_lexer_peek(s)) ? 1 : fold_len(s);
		if (n == 0 && stls_lexer_peek(s) != '(')
			return SMTPTLS_OK;
		if (n == 0) {
			r = skip_comment(s);
			if (r < 0)
				return r;
		}
		s->pos += n;
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
read_quoted(struct stls_lexer *s, struct stls_words *words)
{
	size_t n;

	begin_word(words);
	s->pos++;
	while (stls_lexer_peek(s) != '"') {
		if (stls_lexer_peek(s) == '\\')
			s->pos++;
		if (stls_lexer_is_at_end(s))
			return stls_lexer_refuse(s, "lacks its last quote");
		n = fold_len(s);
		if (n == 0)
			keep(words, s->text[s->pos++]);
		/* Unfolding takes the line end away, not the blank. */
		s->pos += n;
	}
	s->pos++;
	return SMTPTLS_OK;
}

static void
read_atom(struct stls_lexer *s, struct stls_words *words)
{
	begin_word(words);
	while (stls_address_is_atext(stls_lexer_peek(s)))
		keep(words, s->text[s->pos++]);
}

int
stls_lexer_read_words(struct stls_lexer *s, struct stls_words *words)
{
	int r;

	*words = (struct stls_words){ .len = 0 };
	for (;;) {
		r = stls_lexer_skip_blanks(s);
		if (r < 0)
			return r;
		if (stls_lexer_peek(s) == '"') {
			r = read_quoted(s, words);
			if (r < 0)
				return r;
		} else if (stls_address_is_atext(stls_lexer_peek(s))) {
			read_atom(s, words);
		} else if (stls_lexer_peek(s) == '.') {
			keep(words, s->text[s->pos++]);
			words->any = true;
			words->after_word = false;
		} else {
			return SMTPTLS_OK;
		}
		words->end = s->pos;
	}
}

static int
read_literal(struct stls_lexer *s, struct stls_words *words)
{
	while (stls_lexer_peek(s) != ']') {
		if (stls_lexer_is_at_end(s))
			return stls_lexer_refuse(
			    s, "lacks the bracket of its domain");
		keep(words, s->text[s->pos++]);
	}
	keep(words, s->text[s->pos++]);
	return stls_lexer_skip_blanks(s);
}

/* Atoms with dots between them. */
static int
read_domain_name(struct stls_lexer *s, struct stls_words *words)
{
	int r = SMTPTLS_OK;

	while (r == SMTPTLS_OK) {
		if (stls_lexer_peek(s) == '.') {
			keep(words, s->text[s->pos++]);
			words->after_word = false;
		} else if (!words->after_word &&
		    stls_address_is_atext(stls_lexer_peek(s))) {
			read_atom(s, words);
		} else {
			break;
		}
		r = stls_lexer_skip_blanks(s);
	}
	return r;
}

int
stls_lexer_read_domain(struct stls_lexer *s, struct stls_words *words)
{
	int r;

	*words = (struct stls_words){ .len = 0 };
	r = stls_lexer_skip_blanks(s);
	if (r == SMTPTLS_OK && stls_lexer_peek(s) == '[')
		r = read_literal(s, words);
	else if (r == SMTPTLS_OK)
		r = read_domain_name(s, words);
	if (r < 0)
		return r;
	if (words->len == 0)
		return stls_lexer_refuse(s, "has nothing behind its @");
	if (words->is_cut)
		return stls_lexer_refuse(s, "has a domain that is too long");
	return SMTPTLS_OK;
}
