/* SPDX-License-Identifier: MIT */
#include "serve/path.h"

#include <string.h>

#include "base/cleanup.h"

static const char *
skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* Where the path ends: at the bracket that is in no quoted string. */
static const char *
find_end(const char *text)
{
	bool quoted = false;

	for (; *text != '\0'; text++) {
		if (*text == '>' && !quoted)
			return text;
		if (*text == '"')
			quoted = !quoted;
		else if (*text == '\\' && quoted && text[1] != '\0')
			text++;
	}
	return NULL;
}

/* `@a,@b:` in front of a mailbox: nobody wants it (appendix C). */
static const char *
skip_route(const char *text, const char *end)
{
	const char *colon;

	if (*text != '@')
		return text;
	colon = memchr(text, ':', (size_t)(end - text));
	return colon != NULL ? colon + 1 : text;
}

static int
qualify(struct stls_err *err, const char *domain, struct stls_address *address)
{
	if (address->domain[0] != '\0')
		return SMTPTLS_OK;
	if (domain == NULL)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "%s has no domain, and none is set with domain = in the "
		    "configuration or with --domain",
		    address->mailbox);
	return stls_address_qualify(err, address, domain);
}

int
smtp_path_parse(struct stls_err *err, const char *text, const char *domain,
    struct stls_address *out_address, bool *out_is_null, const char **out_rest)
{
	CLEANUP(stls_address_done) struct stls_address address = { 0 };
	const char *end, *start;
	int r;

	text = skip_blanks(text);
	end = *text == '<' ? find_end(text) : NULL;
	if (end == NULL)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "there is no address in angle brackets");
	if (end[1] != '\0' && end[1] != ' ' && end[1] != '\t')
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "what follows the address is no parameter");
	*out_is_null = end == text + 1;
	*out_rest = skip_blanks(end + 1);
	if (*out_is_null)
		return SMTPTLS_OK;
	start = skip_route(text + 1, end);
	r = stls_address_parse(
	    err, start, (size_t)(end - start), true, &address);
	if (r == SMTPTLS_OK)
		r = qualify(err, domain, &address);
	if (r < 0)
		return r;
	*out_address = address;
	memset(&address, 0, sizeof(address));
	return SMTPTLS_OK;
}

bool
smtp_param_next(const char **text, struct smtp_param *out_param)
{
	const char *p = skip_blanks(*text);
	size_t len = strcspn(p, " \t");
	const char *equals = memchr(p, '=', len);

	*text = p + len;
	if (len == 0)
		return false;
	out_param->name = p;
	out_param->name_len = equals != NULL ? (size_t)(equals - p) : len;
	out_param->value = equals != NULL ? equals + 1 : p + len;
	out_param->value_len = (size_t)(p + len - out_param->value);
	return true;
}
