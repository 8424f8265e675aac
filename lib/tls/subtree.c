/* SPDX-License-Identifier: MIT */
#include "tls/subtree.h"

#include <string.h>

#include "tls/directory.h"

/* 1.3.6.1.5.5.7.8.9, encoded: a mail address beyond ASCII (RFC 9598). */
#define OID_SMTP_UTF8_MAILBOX "\x2b\x06\x01\x05\x05\x07\x08\x09"

/* All kinds of GeneralName: the others do not even have a form like these. */
#define KINDS "\xa0\x81\x82\xa3\xa4\xa5\x86\x87\x88"

/* Whether text ends in other text, in any case. */
static bool
ends_in(const struct stls_der *text, const struct stls_der *end)
{
	size_t len = stls_der_left(end), i;

	if (stls_der_left(text) < len)
		return false;
	for (i = 1; i <= len; i++) {
		if (stls_der_lower(text->end[-(ptrdiff_t)i]) !=
		    stls_der_lower(end->end[-(ptrdiff_t)i]))
			return false;
	}
	return true;
}

static bool
is_same_text(const struct stls_der *a, const struct stls_der *b)
{
	return stls_der_left(a) == stls_der_left(b) && ends_in(a, b);
}

static bool
is_visible(const struct stls_der *text)
{
	const unsigned char *at;

	for (at = text->at; at < text->end; at++) {
		if (*at < 0x21 || *at > 0x7e)
			return false;
	}
	return true;
}

bool
stls_is_host_text(const unsigned char *at, const unsigned char *end)
{
	bool was_dot = true;

	for (; at < end; at++) {
		bool is_dot = *at == '.';

		if (is_dot ? was_dot
			   : !((stls_der_lower(*at) >= 'a' &&
				   stls_der_lower(*at) <= 'z') ||
				 (*at >= '0' && *at <= '9') || *at == '-' ||
				 *at == '_'))
			return false;
		was_dot = is_dot;
	}
	return !was_dot;
}

bool
stls_name_take(struct stls_der *der, struct stls_name *out)
{
	struct stls_der inner;

	if (stls_der_is_at_end(der))
		return false;
	out->kind = der->at[0];
	/* Any other would be one that no constraint is about. */
	if (memchr(KINDS, (int)out->kind, sizeof(KINDS) - 1) == NULL ||
	    !stls_der_take(der, out->kind, &out->value))
		return false;
	if (out->kind != STLS_NAME_DIRECTORY)
		return true;
	if (!stls_der_take(&out->value, STLS_DER_SEQUENCE, &inner) ||
	    !stls_der_is_at_end(&out->value))
		return false;
	out->value = inner;
	return true;
}

/* ---- what a base may be ---- */

/* Ones, then zeros. */
static bool
is_mask(const unsigned char *mask, size_t len)
{
	bool is_over = false;
	size_t i;

	for (i = 0; i < len * 8; i++) {
		bool bit = (mask[i / 8] & (0x80U >> i % 8)) != 0;

		if (bit && is_over)
			return false;
		is_over = !bit;
	}
	return true;
}

static bool
is_net(const struct stls_der *net)
{
	size_t len = stls_der_left(net);

	return (len == 8 || len == 32) && is_mask(net->at + len / 2, len / 2);
}

/* Empty, a host, or with a dot in front what is below it. */
static bool
is_domain(const unsigned char *at, const unsigned char *end)
{
	if (at < end && *at == '.')
		at++;
	else if (at == end)
		return true;
	return stls_is_host_text(at, end);
}

static const unsigned char *
find(const struct stls_der *text, unsigned char c)
{
	size_t len = stls_der_left(text);

	return len > 0 ? memchr(text->at, c, len) : NULL;
}

static bool
is_mail_base(const struct stls_der *base)
{
	const unsigned char *at = find(base, '@');

	if (at == NULL)
		return is_domain(base->at, base->end);
	return at > base->at && is_visible(base) &&
	    stls_is_host_text(at + 1, base->end);
}

bool
stls_subtree_is_valid(const struct stls_name *base)
{
	switch (base->kind) {
	case STLS_NAME_DNS:
	case STLS_NAME_URI:
		return is_domain(base->value.at, base->value.end);
	case STLS_NAME_EMAIL:
		return is_mail_base(&base->value);
	case STLS_NAME_IP:
		return is_net(&base->value);
	default:
		return true;
	}
}

static bool
take_other(const struct stls_name *name, struct stls_der *out_oid)
{
	struct stls_der value = name->value;

	return stls_der_take(&value, STLS_DER_OID, out_oid);
}

bool
stls_subtree_is_about(
    const struct stls_name *base, const struct stls_name *name)
{
	struct stls_der a, b;

	if (name->kind != STLS_NAME_OTHER)
		return base->kind == name->kind;
	if (!take_other(name, &a))
		return base->kind == STLS_NAME_OTHER;
	if (base->kind == STLS_NAME_EMAIL)
		return stls_der_is(&a, OID_SMTP_UTF8_MAILBOX, 8);
	return base->kind == STLS_NAME_OTHER &&
	    (!take_other(base, &b) || stls_der_is_equal(&a, &b));
}

/* ---- what is within it ---- */

/* Whether a wildcard stands for the base, too, besides other hosts. */
static bool
covers(const struct stls_der *wildcard, const struct stls_der *base)
{
	const unsigned char *dot = find(base, '.');
	struct stls_der parent, above;

	if (dot == NULL || dot == base->at || stls_der_left(wildcard) < 2 ||
	    memcmp(wildcard->at, "*.", 2) != 0)
		return false;
	parent = (struct stls_der){ dot, base->end };
	above = (struct stls_der){ wildcard->at + 1, wildcard->end };
	return is_same_text(&parent, &above);
}

static enum stls_within
domain_has(const struct stls_der *base, const struct stls_der *host)
{
	size_t more = stls_der_left(host) - stls_der_left(base);

	if (stls_der_is_at_end(base))
		return STLS_WITHIN_YES;
	if (covers(host, base))
		return STLS_WITHIN_UNKNOWN;
	if (!ends_in(host, base))
		return STLS_WITHIN_NO;
	return base->at[0] == '.' || more == 0 || host->at[more - 1] == '.'
	    ? STLS_WITHIN_YES
	    : STLS_WITHIN_NO;
}

/*
 * For mail and URIs a host is itself, and only a dot means what is below. Some
 * take the empty one for all hosts, and OpenSSL for none.
 */
static enum stls_within
host_has(const struct stls_der *base, const struct stls_der *host)
{
	bool is_within;

	if (stls_der_is_at_end(base))
		return STLS_WITHIN_UNKNOWN;
	is_within = base->at[0] == '.' ? ends_in(host, base)
				       : is_same_text(host, base);
	return is_within ? STLS_WITHIN_YES : STLS_WITHIN_NO;
}

static enum stls_within
mail_has(const struct stls_der *base, const struct stls_der *mail)
{
	const unsigned char *at = find(mail, '@'), *base_at = find(base, '@');
	struct stls_der host, local, base_local;

	if (at == NULL || !is_visible(mail))
		return STLS_WITHIN_UNKNOWN;
	host = (struct stls_der){ at + 1, mail->end };
	/* A local part in quotes may have one; which is which is not known. */
	if (find(&host, '@') != NULL)
		return STLS_WITHIN_UNKNOWN;
	if (base_at == NULL)
		return host_has(base, &host);
	local = (struct stls_der){ mail->at, at };
	base_local = (struct stls_der){ base->at, base_at };
	if (!stls_der_is_equal(&local, &base_local))
		return STLS_WITHIN_NO;
	return host_has(&(struct stls_der){ base_at + 1, base->end }, &host);
}

/*
 * The host of an URI; one without a host cannot be judged. Where it ends
 * without a slash some see a query, and others a longer host.
 */
static enum stls_within
uri_has(const struct stls_der *base, const struct stls_der *uri)
{
	const unsigned char *at = find(uri, ':'), *end, *colon;
	size_t len = stls_der_left(uri);
	struct stls_der host;

	if (at == NULL || uri->end - at < 4 || at[1] != '/' || at[2] != '/')
		return STLS_WITHIN_UNKNOWN;
	at += 3;
	for (end = at; end < uri->end && *end != '/'; end++)
		continue;
	host = (struct stls_der){ at, end };
	/* In front of an @ is a user, whatever it looks like. */
	if (find(&host, '@') != NULL || memchr(uri->at, '\0', len) != NULL)
		return STLS_WITHIN_UNKNOWN;
	colon = find(&host, ':');
	if (colon != NULL)
		host.end = colon;
	if (!stls_is_host_text(host.at, host.end))
		return STLS_WITHIN_UNKNOWN;
	return host_has(base, &host);
}

static enum stls_within
net_has(const struct stls_der *net, const struct stls_der *ip)
{
	size_t len = stls_der_left(ip), i;

	if (len != 4 && len != 16)
		return STLS_WITHIN_UNKNOWN;
	if (stls_der_left(net) != 2 * len)
		return STLS_WITHIN_NO;
	for (i = 0; i < len; i++) {
		if (((ip->at[i] ^ net->at[i]) & net->at[len + i]) != 0)
			return STLS_WITHIN_NO;
	}
	return STLS_WITHIN_YES;
}

enum stls_within
stls_subtree_has(const struct stls_name *base, const struct stls_name *name)
{
	struct stls_der rest = name->value;

	/* A mail address in a kind of name of its own. */
	if (base->kind != name->kind)
		return STLS_WITHIN_UNKNOWN;
	switch (base->kind) {
	case STLS_NAME_DNS:
		return domain_has(&base->value, &name->value);
	case STLS_NAME_EMAIL:
		return mail_has(&base->value, &name->value);
	case STLS_NAME_URI:
		return uri_has(&base->value, &name->value);
	case STLS_NAME_IP:
		return net_has(&base->value, &name->value);
	case STLS_NAME_DIRECTORY:
		return stls_directory_has(base->value, &rest);
	default:
		return STLS_WITHIN_UNKNOWN;
	}
}
