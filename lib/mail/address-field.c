/* SPDX-License-Identifier: MIT */
#include "mail/address.h"

#include <string.h>

/* Nobody writes more; the parser itself would not mind. */
#define COMMENT_DEPTH_MAX 32
/* How much of a list an error shows. */
#define SHOWN_LEN_MAX 100
#define SHOWN_BEHIND 12

/* Where the parser is; what is read goes to the list. */
struct scan {
	struct stls_err *err;
	const char *text;
	size_t len, pos;
	size_t element; /* where the present element begins */
	bool in_group;
	const char *domain;
	struct stls_address_list *list;
};

/*
 * Words with and without dots between them, unquoted: a display name, a local
 * part or a domain, which shows only behind them. What does not fit was no
 * local part or domain.
 */
struct words {
	char text[STLS_PATH_LEN_MAX];
	size_t len;
	bool is_cut;
	bool any;
	bool after_word;  /* the last thing was a word, not a dot */
	bool are_several; /* two words without a dot between them */
};

/* Show the element, a little beyond where it went wrong, and say why. */
static int
refuse(const struct scan *s, const char *why)
{
	size_t end = s->len - s->pos < SHOWN_BEHIND ? s->len
						    : s->pos + SHOWN_BEHIND;
	size_t len = end - s->element;
	char shown[SHOWN_LEN_MAX + 1];

	stls_escape(shown, sizeof(shown), s->text + s->element, len);
	return stls_err_set(
	    s->err, SMTPTLS_E_INVALID, "address \"%s\" %s", shown, why);
}

static int
refuse_rest(const struct scan *s)
{
	char shown[SHOWN_LEN_MAX + 1];

	stls_escape(shown, sizeof(shown), s->text + s->pos, s->len - s->pos);
	return stls_err_set(s->err, SMTPTLS_E_INVALID,
	    "a comma is missing before \"%s\"", shown);
}

/* The next character, NUL at the end; a NUL inside is no word either. */
static char
peek(const struct scan *s)
{
	return s->pos < s->len ? s->text[s->pos] : '\0';
}

static bool
is_at_end(const struct scan *s)
{
	return s->pos == s->len;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Length of a line end that folds, 0 where there is none. */
static size_t
fold_len(const struct scan *s)
{
	const char *at = s->text + s->pos;
	size_t left = s->len - s->pos;
	size_t n = left > 0 && at[0] == '\r' ? 1 : 0;

	if (left < n + 2 || at[n] != '\n' || !is_blank(at[n + 1]))
		return 0;
	return n + 1;
}

static int
skip_comment(struct scan *s)
{
	unsigned int depth = 0;

	do {
		if (is_at_end(s))
			return refuse(s, "has a comment that does not end");
		if (peek(s) == '(' && ++depth > COMMENT_DEPTH_MAX)
			return refuse(s, "has comments nested too deeply");
		if (peek(s) == ')')
			depth--;
		if (peek(s) == '\\' && s->pos + 1 < s->len)
			s->pos++;
		s->pos++;
	} while (depth > 0);
	return SMTPTLS_OK;
}

/* CFWS of RFC 5322 section 3.2.2, or nothing. */
static int
skip_blanks(struct scan *s)
{
	size_t n;
	int r;

	for (;;) {
		n = is_blank(peek(s)) ? 1 : fold_len(s);
		if (n == 0 && peek(s) != '(')
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
keep(struct words *words, char c)
{
	if (words->len < sizeof(words->text))
		words->text[words->len++] = c;
	else
		words->is_cut = true;
}

static void
begin_word(struct words *words)
{
	words->are_several = words->are_several || words->after_word;
	words->after_word = true;
	words->any = true;
}

static int
read_quoted(struct scan *s, struct words *words)
{
	size_t n;

	begin_word(words);
	s->pos++;
	while (peek(s) != '"') {
		if (peek(s) == '\\')
			s->pos++;
		if (is_at_end(s))
			return refuse(s, "lacks its last quote");
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
read_atom(struct scan *s, struct words *words)
{
	begin_word(words);
	while (stls_address_is_atext(peek(s)))
		keep(words, s->text[s->pos++]);
}

/* Words and dots, up to what is neither. */
static int
read_words(struct scan *s, struct words *words)
{
	int r;

	*words = (struct words){ .len = 0 };
	for (;;) {
		r = skip_blanks(s);
		if (r < 0)
			return r;
		if (peek(s) == '"') {
			r = read_quoted(s, words);
			if (r < 0)
				return r;
		} else if (stls_address_is_atext(peek(s))) {
			read_atom(s, words);
		} else if (peek(s) == '.') {
			keep(words, s->text[s->pos++]);
			words->any = true;
			words->after_word = false;
		} else {
			return SMTPTLS_OK;
		}
	}
}

static int
read_literal(struct scan *s, struct words *words)
{
	while (peek(s) != ']') {
		if (is_at_end(s))
			return refuse(s, "lacks the bracket of its domain");
		keep(words, s->text[s->pos++]);
	}
	keep(words, s->text[s->pos++]);
	return skip_blanks(s);
}

/* Atoms with dots between them. */
static int
read_domain_name(struct scan *s, struct words *words)
{
	int r = SMTPTLS_OK;

	while (r == SMTPTLS_OK) {
		if (peek(s) == '.') {
			keep(words, s->text[s->pos++]);
			words->after_word = false;
		} else if (!words->after_word &&
		    stls_address_is_atext(peek(s))) {
			read_atom(s, words);
		} else {
			break;
		}
		r = skip_blanks(s);
	}
	return r;
}

static int
read_domain(struct scan *s, struct words *words)
{
	int r;

	*words = (struct words){ .len = 0 };
	r = skip_blanks(s);
	if (r == SMTPTLS_OK && peek(s) == '[')
		r = read_literal(s, words);
	else if (r == SMTPTLS_OK)
		r = read_domain_name(s, words);
	if (r < 0)
		return r;
	if (words->len == 0)
		return refuse(s, "has nothing behind its @");
	if (words->is_cut)
		return refuse(s, "has a domain that is too long");
	return SMTPTLS_OK;
}

/* Whether the words in front of an @, or of nothing, are a local part. */
static int
check_local(const struct scan *s, const struct words *local)
{
	if (!local->any)
		return refuse(s, "has no local part");
	if (local->are_several)
		return refuse(s, "has a blank in its local part");
	if (local->is_cut)
		return refuse(s, "has a local part that is too long");
	return SMTPTLS_OK;
}

static int
add_address(struct scan *s, const struct words *local, const char *domain,
    size_t domain_len)
{
	struct stls_address address;
	int r;

	r = stls_address_make(
	    s->err, local->text, local->len, domain, domain_len, &address);
	if (r < 0)
		return r;
	return stls_address_list_add(s->err, s->list, &address);
}

/* What is behind a local part: a domain, or there is one to add. */
static int
finish_address(struct scan *s, const struct words *local)
{
	struct words domain;
	int r;

	r = check_local(s, local);
	if (r < 0)
		return r;
	if (peek(s) == '@') {
		s->pos++;
		r = read_domain(s, &domain);
		if (r < 0)
			return r;
		return add_address(s, local, domain.text, domain.len);
	}
	if (s->domain == NULL || s->domain[0] == '\0')
		return refuse(s, "has no domain, and there is none to add");
	return add_address(s, local, s->domain, strlen(s->domain));
}

/* `@a,@b:` of RFC 5322 section 4.4; RFC 5321 appendix C drops it. */
static int
skip_route(struct scan *s)
{
	struct words ignored;
	int r;

	for (;;) {
		r = skip_blanks(s);
		if (r < 0)
			return r;
		if (peek(s) == '@') {
			s->pos++;
			r = read_domain(s, &ignored);
			if (r < 0)
				return r;
		} else if (peek(s) == ',' || peek(s) == ':') {
			if (s->text[s->pos++] == ':')
				return SMTPTLS_OK;
		} else {
			return refuse(s, "has a broken route");
		}
	}
}

static int
read_angle(struct scan *s)
{
	struct words local;
	int r;

	s->pos++;
	r = skip_blanks(s);
	if (r == SMTPTLS_OK && (peek(s) == '@' || peek(s) == ','))
		r = skip_route(s);
	if (r == SMTPTLS_OK)
		r = read_words(s, &local);
	if (r < 0)
		return r;

	if (!local.any && peek(s) == '>')
		return refuse(s, "has empty brackets");
	r = finish_address(s, &local);
	if (r < 0)
		return r;
	if (peek(s) != '>')
		return refuse(s, "lacks its last bracket");
	s->pos++;
	return skip_blanks(s);
}

static int
begin_group(struct scan *s, const struct words *name)
{
	if (s->in_group || !name->any)
		return refuse(s, "has a colon where no group begins");
	s->pos++;
	s->in_group = true;
	return SMTPTLS_OK;
}

/* The end of an element: a comma, the end of its group or of everything. */
static int
finish_element(struct scan *s)
{
	int r;

	if (peek(s) == ';' && s->in_group) {
		s->in_group = false;
		s->pos++;
		r = skip_blanks(s);
		if (r < 0)
			return r;
	}
	if (is_at_end(s))
		return SMTPTLS_OK;
	if (peek(s) != ',')
		return refuse_rest(s);
	s->pos++;
	return SMTPTLS_OK;
}

static int
read_element(struct scan *s)
{
	struct words words;
	int r;

	r = read_words(s, &words);
	if (r < 0)
		return r;
	if (peek(s) == ':')
		return begin_group(s, &words);

	if (peek(s) == '<')
		r = read_angle(s);
	else if (words.any || peek(s) == '@')
		r = finish_address(s, &words);
	if (r < 0)
		return r;
	return finish_element(s);
}

int
stls_address_list_parse_field(struct stls_err *err, const char *value,
    size_t len, const char *domain, struct stls_address_list *list)
{
	struct scan s = {
		.err = err,
		.text = value,
		.len = len,
		.domain = domain,
		.list = list,
	};
	int r;

	for (;;) {
		r = skip_blanks(&s);
		if (r < 0 || is_at_end(&s))
			return r;
		s.element = s.pos;
		r = read_element(&s);
		if (r < 0)
			return r;
	}
}
