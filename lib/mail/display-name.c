/* SPDX-License-Identifier: MIT */
#include "mail/display-name.h"

#include <stdbool.h>
#include <string.h>

#include "base/base64.h"
#include "base/utf8.h"
#include "mail/address.h"

/*
 * RFC 2047 section 2 allows 75 characters for an encoded word and 76 for a
 * line with one. What 36 octets become fits beside `Resent-From: `, too.
 */
#define WORD_START "=?UTF-8?B?"
#define WORD_END "?="
#define WORD_OCTETS_MAX 36
/* RFC 5322 section 2.1.1 prefers lines of 78; so many are beside the name. */
#define LINE_LEN_MAX (78 - 13)

static int
check(struct stls_err *err, const char *name, size_t len)
{
	const char *rest = name;
	size_t n, left = len;
	uint32_t c;

	if (len > STLS_DISPLAY_NAME_LEN_MAX)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "full name is longer than %d octets",
		    STLS_DISPLAY_NAME_LEN_MAX);
	for (; left > 0; rest += n, left -= n) {
		n = stls_utf8_decode(rest, left, &c);
		if (n == 0)
			return stls_err_set(err, SMTPTLS_E_INVALID,
			    "full name \"%s\" is not valid UTF-8", name);
		if (stls_utf8_is_control(c))
			return stls_err_set(err, SMTPTLS_E_INVALID,
			    "full name \"%s\" has a control character", name);
	}
	return SMTPTLS_OK;
}

static bool
is_atoms(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (name[i] != ' ' && !stls_address_is_atext(name[i]))
			return false;
	}
	return true;
}

/* Whether somebody has quoted it already. */
static bool
is_quoted_string(const char *name, size_t len)
{
	size_t i;

	if (len < 2 || name[0] != '"')
		return false;
	for (i = 1; i < len && name[i] != '"'; i++) {
		if (name[i] == '\\')
			i++;
	}
	return i == len - 1;
}

/* Take the quotes away; returns the length. */
static size_t
unquote(char *out, const char *name, size_t len)
{
	size_t i, n = 0;

	for (i = 1; i < len - 1; i++) {
		if (name[i] == '\\')
			i++;
		out[n++] = name[i];
	}
	return n;
}

static int
append_quoted(struct stls_buf *buf, const char *name, size_t len)
{
	char out[2 * STLS_DISPLAY_NAME_LEN_MAX + 2];
	size_t i, n = 0;

	out[n++] = '"';
	for (i = 0; i < len; i++) {
		if (name[i] == '"' || name[i] == '\\')
			out[n++] = '\\';
		out[n++] = name[i];
	}
	out[n++] = '"';
	return stls_buf_append(buf, out, n);
}

/* As many whole characters as an encoded word takes (section 5). */
static size_t
word_octets(const char *name, size_t len)
{
	size_t used = 0, n;
	uint32_t c;

	while (used < len) {
		n = stls_utf8_decode(name + used, len - used, &c);
		if (used + n > WORD_OCTETS_MAX)
			break;
		used += n;
	}
	return used;
}

static int
append_encoded(struct stls_buf *buf, const char *name, size_t len)
{
	char word[STLS_BASE64_LEN(WORD_OCTETS_MAX) + 1];
	int r = SMTPTLS_OK;
	size_t n;

	while (r == SMTPTLS_OK && len > 0) {
		n = word_octets(name, len);
		stls_base64_encode(word, name, n);
		r = stls_buf_append_str(buf, WORD_START);
		if (r == SMTPTLS_OK)
			r = stls_buf_append_str(buf, word);
		if (r == SMTPTLS_OK)
			r = stls_buf_append_str(buf, WORD_END);
		name += n;
		len -= n;
		/* Blanks between encoded words do not count (section 6.2). */
		if (r == SMTPTLS_OK && len > 0)
			r = stls_buf_append_str(buf, "\r\n ");
	}
	return r;
}

static int
append_name(struct stls_buf *buf, const char *name, size_t len)
{
	char unquoted[STLS_DISPLAY_NAME_LEN_MAX];
	bool quoted = is_quoted_string(name, len);

	if (!stls_ascii_only(name, len)) {
		if (!quoted)
			return append_encoded(buf, name, len);
		len = unquote(unquoted, name, len);
		return append_encoded(buf, unquoted, len);
	}
	if (quoted || is_atoms(name, len))
		return stls_buf_append(buf, name, len);
	return append_quoted(buf, name, len);
}

static int
append_both(struct stls_buf *buf, const char *name, size_t name_len,
    const char *mailbox)
{
	bool fold = !stls_ascii_only(name, name_len) ||
	    name_len + strlen(mailbox) > LINE_LEN_MAX;
	int r;

	r = append_name(buf, name, name_len);
	if (r == SMTPTLS_OK)
		r = stls_buf_append_str(buf, fold ? "\r\n <" : " <");
	if (r == SMTPTLS_OK)
		r = stls_buf_append_str(buf, mailbox);
	if (r == SMTPTLS_OK)
		r = stls_buf_append_str(buf, ">");
	return r;
}

int
stls_display_name_append(struct stls_err *err, struct stls_buf *buf,
    const char *name, const char *mailbox)
{
	size_t len = 0;
	int r;

	if (name != NULL) {
		name += strspn(name, " ");
		len = strlen(name);
		while (len > 0 && name[len - 1] == ' ')
			len--;
		r = check(err, name, len);
		if (r < 0)
			return r;
	}
	r = len > 0 ? append_both(buf, name, len, mailbox)
		    : stls_buf_append_str(buf, mailbox);
	if (r == SMTPTLS_E_NOMEM)
		return stls_err_nomem(err);
	if (r < 0)
		return stls_err_set(err, r, "the header is too long");
	return SMTPTLS_OK;
}
