/* SPDX-License-Identifier: MIT */
#include "sasl/oauth-status.h"

#include <stdbool.h>
#include <string.h>

/* A text in which a piece of JSON is looked for; it may be none. */
struct reader {
	const char *next, *end;
};

struct piece {
	const char *text;
	size_t len;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
skip_blanks(struct reader *r)
{
	while (r->next < r->end && is_blank(*r->next))
		r->next++;
}

static bool
take(struct reader *r, char c)
{
	skip_blanks(r);
	if (r->next == r->end || *r->next != c)
		return false;
	r->next++;
	return true;
}

/* A string, without its quotes and with its escapes. */
static bool
take_string(struct reader *r, struct piece *out)
{
	const char *p;

	if (!take(r, '"'))
		return false;
	for (p = r->next; p < r->end && *p != '"'; p++) {
		if (*p == '\\' && p + 1 < r->end)
			p++;
	}
	if (p >= r->end)
		return false;
	out->text = r->next;
	out->len = (size_t)(p - r->next);
	r->next = p + 1;
	return true;
}

/* What is no string goes to the comma or brace behind it, with what is in it.
 */
static bool
take_other(struct reader *r, struct piece *out)
{
	struct piece ignored;
	size_t depth = 0;

	skip_blanks(r);
	out->text = r->next;
	while (r->next < r->end) {
		if (depth == 0 && strchr(",}", *r->next) != NULL)
			break;
		if (*r->next == '"') {
			if (!take_string(r, &ignored))
				return false;
			continue;
		}
		if (*r->next == '{' || *r->next == '[')
			depth++;
		else if ((*r->next == '}' || *r->next == ']') && depth > 0)
			depth--;
		r->next++;
	}
	out->len = (size_t)(r->next - out->text);
	while (out->len > 0 && is_blank(out->text[out->len - 1]))
		out->len--;
	return out->len > 0 && r->next < r->end;
}

/* The value of "status" in the outermost object. */
static bool
find_status(struct reader *r, struct piece *out)
{
	struct piece name, value;

	if (!take(r, '{'))
		return false;
	do {
		if (!take_string(r, &name) || !take(r, ':'))
			return false;
		if (!take_string(r, &value) && !take_other(r, &value))
			return false;
		if (name.len == 6 && memcmp(name.text, "status", 6) == 0) {
			*out = value;
			return value.len > 0;
		}
	} while (take(r, ','));
	return false;
}

void
stls_oauth_status(
    const char *challenge, size_t len, char out[STLS_OAUTH_STATUS_CAP])
{
	struct reader r = { challenge, challenge + len };
	struct piece status;

	if (!find_status(&r, &status))
		status = (struct piece){ challenge, len };
	if (status.len >= STLS_OAUTH_STATUS_CAP)
		status.len = STLS_OAUTH_STATUS_CAP - 1;
	memcpy(out, status.text, status.len);
	out[status.len] = '\0';
}
