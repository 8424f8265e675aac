/* SPDX-License-Identifier: MIT */
#include "mail/address.h"

#include <string.h>

#include "base/cleanup.h"
#include "mail/lexer.h"

/* How much of the rest an error shows. */
#define SHOWN_LEN_MAX 100

/* A field in the middle of being read. */
struct field {
	struct stls_lexer lexer;
	bool in_group;
	const char *domain;		/* for bare names, may be NULL */
	struct stls_address_list *list; /* NULL: the value is written anew */
	struct stls_buf *out;		/* ... into this, */
	size_t copied;			/* ... up to here */
};

static char
peek(const struct field *f)
{
	return stls_lexer_peek(&f->lexer);
}

static int
refuse(const struct field *f, const char *why)
{
	return stls_lexer_refuse(&f->lexer, why);
}

static int
refuse_rest(const struct field *f)
{
	char shown[SHOWN_LEN_MAX + 1];

	stls_escape(shown, sizeof(shown), f->lexer.text + f->lexer.pos,
	    f->lexer.len - f->lexer.pos);
	return stls_err_set(f->lexer.err, SMTPTLS_E_INVALID,
	    "a comma is missing before \"%s\"", shown);
}

/* Whether the words in front of an @, or of nothing, are a local part. */
static int
check_local(const struct field *f, const struct stls_words *local)
{
	if (!local->any)
		return refuse(f, "has no local part");
	if (local->are_several)
		return refuse(f, "has a blank in its local part");
	if (local->is_cut)
		return refuse(f, "has a local part that is too long");
	return SMTPTLS_OK;
}

static int
refuse_append(const struct field *f, int code)
{
	if (code == SMTPTLS_E_NOMEM)
		return stls_err_nomem(f->lexer.err);
	return stls_err_set(
	    f->lexer.err, code, "the field is too long with its domains");
}

/* Write the value as it is, from where that was done last. */
static int
copy_up_to(struct field *f, size_t end)
{
	int r;

	r = stls_buf_append(f->out, f->lexer.text + f->copied, end - f->copied);
	f->copied = end;
	return r < 0 ? refuse_append(f, r) : SMTPTLS_OK;
}

static int
insert_domain(struct field *f, size_t place, const char *domain)
{
	int r;

	r = copy_up_to(f, place);
	if (r < 0)
		return r;
	r = stls_buf_append(f->out, "@", 1);
	if (r == SMTPTLS_OK)
		r = stls_buf_append_str(f->out, domain);
	return r < 0 ? refuse_append(f, r) : SMTPTLS_OK;
}

static int
add_address(struct field *f, const struct stls_words *local, const char *domain,
    size_t domain_len)
{
	CLEANUP(stls_address_done) struct stls_address address = { 0 };
	int r;

	r = stls_address_make(f->lexer.err, local->text, local->len, domain,
	    domain_len, &address);
	if (r < 0)
		return r;
	if (f->list != NULL)
		return stls_address_list_add(f->lexer.err, f->list, &address);
	if (domain != f->domain)
		return SMTPTLS_OK;
	return insert_domain(f, local->end, address.domain);
}

/* What is behind a local part: a domain, or there is one to add. */
static int
finish_address(struct field *f, const struct stls_words *local)
{
	struct stls_words domain;
	int r;

	r = check_local(f, local);
	if (r < 0)
		return r;
	if (peek(f) == '@') {
		f->lexer.pos++;
		r = stls_lexer_read_domain(&f->lexer, &domain);
		if (r < 0)
			return r;
		return add_address(f, local, domain.text, domain.len);
	}
	if (f->domain == NULL || f->domain[0] == '\0')
		return refuse(f, "has no domain, and there is none to add");
	return add_address(f, local, f->domain, strlen(f->domain));
}

/* `@a,@b:` of RFC 5322 section 4.4; RFC 5321 appendix C drops it. */
static int
skip_route(struct field *f)
{
	struct stls_words ignored;
	int r;

	for (;;) {
		r = stls_lexer_skip_blanks(&f->lexer);
		if (r < 0)
			return r;
		if (peek(f) == '@') {
			f->lexer.pos++;
			r = stls_lexer_read_domain(&f->lexer, &ignored);
			if (r < 0)
				return r;
		} else if (peek(f) == ',' || peek(f) == ':') {
			if (f->lexer.text[f->lexer.pos++] == ':')
				return SMTPTLS_OK;
		} else {
			return refuse(f, "has a broken route");
		}
	}
}

static int
read_angle(struct field *f)
{
	struct stls_words local = { 0 };
	int r;

	f->lexer.pos++;
	r = stls_lexer_skip_blanks(&f->lexer);
	if (r == SMTPTLS_OK && (peek(f) == '@' || peek(f) == ','))
		r = skip_route(f);
	if (r == SMTPTLS_OK)
		r = stls_lexer_read_words(&f->lexer, &local);
	if (r < 0)
		return r;

	if (!local.any && peek(f) == '>')
		return refuse(f, "has empty brackets");
	r = finish_address(f, &local);
	if (r < 0)
		return r;
	if (peek(f) != '>')
		return refuse(f, "lacks its last bracket");
	f->lexer.pos++;
	return stls_lexer_skip_blanks(&f->lexer);
}

static int
begin_group(struct field *f, const struct stls_words *name)
{
	if (f->in_group || !name->any)
		return refuse(f, "has a colon where no group begins");
	f->lexer.pos++;
	f->in_group = true;
	return SMTPTLS_OK;
}

/* The end of an element: a comma, the end of its group or of everything. */
static int
finish_element(struct field *f)
{
	int r;

	if (peek(f) == ';' && f->in_group) {
		f->in_group = false;
		f->lexer.pos++;
		r = stls_lexer_skip_blanks(&f->lexer);
		if (r < 0)
			return r;
	}
	if (stls_lexer_is_at_end(&f->lexer))
		return SMTPTLS_OK;
	if (peek(f) != ',')
		return refuse_rest(f);
	f->lexer.pos++;
	return SMTPTLS_OK;
}

static int
read_element(struct field *f)
{
	struct stls_words words;
	int r;

	r = stls_lexer_read_words(&f->lexer, &words);
	if (r < 0)
		return r;
	if (peek(f) == ':')
		return begin_group(f, &words);

	if (peek(f) == '<')
		r = read_angle(f);
	else if (words.any || peek(f) == '@')
		r = finish_address(f, &words);
	if (r < 0)
		return r;
	return finish_element(f);
}

static int
read_field(struct field *f)
{
	int r;

	for (;;) {
		r = stls_lexer_skip_blanks(&f->lexer);
		if (r < 0 || stls_lexer_is_at_end(&f->lexer))
			return r;
		f->lexer.element = f->lexer.pos;
		r = read_element(f);
		if (r < 0)
			return r;
	}
}

int
stls_address_list_parse_field(struct stls_err *err, const char *value,
    size_t len, const char *domain, struct stls_address_list *list)
{
	struct field f = {
		.lexer = { .err = err, .text = value, .len = len },
		.domain = domain,
		.list = list,
	};

	return read_field(&f);
}

int
stls_address_field_qualify(struct stls_err *err, const char *value, size_t len,
    const char *domain, struct stls_buf *out)
{
	struct field f = {
		.lexer = { .err = err, .text = value, .len = len },
		.domain = domain,
		.out = out,
	};
	size_t out_len = stls_buf_len(out);
	int r;

	r = read_field(&f);
	if (r == SMTPTLS_OK)
		r = copy_up_to(&f, len);
	if (r < 0)
		stls_buf_truncate(out, out_len);
	return r;
}
