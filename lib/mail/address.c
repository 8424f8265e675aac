/* SPDX-License-Identifier: MIT */
#include "mail/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "name/host.h"

/* The angle brackets count as part of a path. */
#define MAILBOX_LEN_MAX (STLS_PATH_LEN_MAX - 2)
#define IPV6_TAG "IPv6:"

/* Show the address and say what is wrong with it. */
static int
refuse(struct stls_err *err, const char *text, size_t len, const char *why)
{
	char shown[200];

	stls_escape(shown, sizeof(shown), text, len);
	return stls_err_set(
	    err, SMTPTLS_E_INVALID, "address \"%s\" %s", shown, why);
}

/* Put what is wrong with the domain behind the address it belongs to. */
static int
refuse_domain(struct stls_err *err, const char *local, const char *domain,
    size_t domain_len)
{
	char shown_local[100], shown_domain[100];

	stls_escape(shown_local, sizeof(shown_local), local, strlen(local));
	stls_escape(shown_domain, sizeof(shown_domain), domain, domain_len);
	return stls_err_prefix(
	    err, "address \"%s@%s\"", shown_local, shown_domain);
}

/* What each octet may be in a local part without quotes. */
#define ATEXT 'a'
#define DOT '.'
static const char local_octets[256] = "                "
				      "                "
				      " a aaaaa  aa a.a"  /* !#$%&'*+-./ */
				      "aaaaaaaaaa   a a"  /* 0 to 9, =? */
				      " aaaaaaaaaaaaaaa"  /* A to O */
				      "aaaaaaaaaaa   aa"  /* P to Z, ^_ */
				      "aaaaaaaaaaaaaaaa"  /* `, a to o */
				      "aaaaaaaaaaaaaaa "; /* p to z, {|}~ */

bool
stls_address_is_atext(char c)
{
	return local_octets[(unsigned char)c] == ATEXT ||
	    (unsigned char)c >= 0x80;
}

/* How long a Dot-string (RFC 5321: atoms, single dots) of ASCII begins. */
static size_t
plain_local_len(const char *text, size_t len)
{
	size_t i;
	char c;

	for (i = 0; i < len; i++) {
		c = local_octets[(unsigned char)text[i]];
		if (c == ATEXT)
			continue;
		if (c != DOT || i == 0 || text[i - 1] == '.')
			break;
	}
	return i > 0 && text[i - 1] != '.' ? i : 0;
}

/* Dot-string of RFC 5321: atoms with single dots between them. */
static bool
is_dot_string(const char *local, size_t len)
{
	size_t i;
	bool in_atom = false;

	for (i = 0; i < len; i++) {
		if (local[i] == '.' && !in_atom)
			return false;
		if (local[i] != '.' && !stls_address_is_atext(local[i]))
			return false;
		in_atom = local[i] != '.';
	}
	return in_atom;
}

/* Returns the length; `out` has place for two octets per octet and quotes. */
static size_t
format_local(char *out, const char *local, size_t len)
{
	size_t i, n = 0;

	if (is_dot_string(local, len)) {
		memcpy(out, local, len);
		return len;
	}
	out[n++] = '"';
	for (i = 0; i < len; i++) {
		if (local[i] == '"' || local[i] == '\\')
			out[n++] = '\\';
		out[n++] = local[i];
	}
	out[n++] = '"';
	return n;
}

/* NULL: it can be (part of) an address; else what is wrong with it. */
static const char *
find_text_fault(const char *local, size_t len)
{
	uint32_t c;
	size_t n;

	n = stls_ascii_printable(local, len);
	for (local += n, len -= n; len > 0; local += n, len -= n) {
		n = stls_utf8_decode(local, len, &c);
		if (n == 0)
			return "is not valid UTF-8";
		if (stls_utf8_is_control(c))
			return "has a control character";
	}
	return NULL;
}

/* RFC 5321 section 4.1.3; `text` begins with the bracket. */
static int
format_literal(char *out, size_t cap, const char *text, size_t len)
{
	char inner[INET6_ADDRSTRLEN + sizeof(IPV6_TAG)];
	char shown[INET6_ADDRSTRLEN];
	unsigned char ip[16];
	size_t tag_len = strlen(IPV6_TAG);

	if (text[len - 1] != ']' || len - 2 >= sizeof(inner) ||
	    memchr(text, '\0', len) != NULL)
		return -1;
	memcpy(inner, text + 1, len - 2);
	inner[len - 2] = '\0';

	if (inet_pton(AF_INET, inner, ip) == 1)
		return snprintf(out, cap, "[%s]",
		    inet_ntop(AF_INET, ip, shown, sizeof(shown)));
	if (len - 2 > tag_len && stls_ascii_is(inner, tag_len, IPV6_TAG) &&
	    inet_pton(AF_INET6, inner + tag_len, ip) == 1)
		return snprintf(out, cap, "[" IPV6_TAG "%s]",
		    inet_ntop(AF_INET6, ip, shown, sizeof(shown)));
	return -1;
}

static int
format_domain(
    struct stls_err *err, char *out, size_t cap, const char *text, size_t len)
{
	struct stls_host host;
	int r;

	if (len > 1 && text[0] == '[') {
		if (format_literal(out, cap, text, len) >= 0)
			return SMTPTLS_OK;
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "what is in brackets is no address literal, as "
		    "[192.0.2.1] or [IPv6:2001:db8::1]");
	}
	r = stls_host_parse(err, text, len, &host);
	if (r < 0)
		return r;
	if (host.is_ip)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "an IP address is a domain only in brackets");
	memcpy(out, host.name, sizeof(host.name));
	return SMTPTLS_OK;
}

/*
 * Keep the mailbox and behind it its parts, in one allocation, which is the
 * mailbox's.
 */
static int
fill(struct stls_err *err, struct stls_address *address, const char *local,
    size_t local_len, const char *wire, size_t wire_len, const char *domain)
{
	size_t domain_len = strlen(domain);
	size_t len = wire_len + (domain_len > 0 ? 1 + domain_len : 0);

	address->mailbox = stls_alloc(len + 1 + local_len + 1 + domain_len + 1);
	if (address->mailbox == NULL)
		return stls_err_nomem(err);
	memcpy(address->mailbox, wire, wire_len);
	if (domain_len > 0)
		address->mailbox[wire_len] = '@';
	memcpy(address->mailbox + len - domain_len, domain, domain_len + 1);
	address->local = address->mailbox + len + 1;
	memcpy(address->local, local, local_len);
	address->local[local_len] = '\0';
	address->domain = address->local + local_len + 1;
	memcpy(address->domain, domain, domain_len + 1);
	address->needs_smtputf8 = !stls_ascii_only(local, local_len);
	return SMTPTLS_OK;
}

int
stls_address_make(struct stls_err *err, const char *local, size_t local_len,
    const char *domain, size_t domain_len, struct stls_address *out_address)
{
	CLEANUP(stls_address_done) struct stls_address made = { 0 };
	char wire[2 * STLS_LOCAL_PART_LEN_MAX + 3];
	char name[STLS_DOMAIN_LEN_MAX + 1] = "";
	const char *fault;
	size_t wire_len;
	int r;

	fault = find_text_fault(local, local_len);
	if (fault != NULL)
		return refuse(err, local, local_len, fault);
	if (local_len > STLS_LOCAL_PART_LEN_MAX)
		return refuse(
		    err, local, local_len, "has a local part above 64 octets");
	wire_len = format_local(wire, local, local_len);
	wire[wire_len] = '\0';
	if (wire_len > STLS_LOCAL_PART_LEN_MAX)
		return refuse(
		    err, wire, wire_len, "has a local part above 64 octets");

	if (domain_len > 0 &&
	    format_domain(err, name, sizeof(name), domain, domain_len) < 0) {
		if (err->code != SMTPTLS_E_INVALID)
			return err->code;
		return refuse_domain(err, wire, domain, domain_len);
	}
	r = fill(err, &made, local, local_len, wire, wire_len, name);
	if (r < 0)
		return r;
	if (strlen(made.mailbox) > MAILBOX_LEN_MAX)
		return refuse(err, made.mailbox, strlen(made.mailbox),
		    "is longer than 254 octets");
	*out_address = made;
	made = (struct stls_address){ 0 };
	return SMTPTLS_OK;
}

/* Where a local part that is not quoted ends. */
static size_t
skip_plain_local(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && (stls_address_is_atext(text[i]) || text[i] == '.'))
		i++;
	return i;
}

/*
 * Read a quoted local part, unquoted into `out`, which has place for all of
 * `len`. Returns where it ends, 0 where it does not.
 */
static size_t
read_quoted_local(char *out, size_t *out_len, const char *text, size_t len)
{
	size_t i, n = 0;

	for (i = 1; i < len && text[i] != '"'; i++) {
		if (text[i] == '\\' && ++i == len)
			return 0;
		out[n++] = text[i];
	}
	*out_len = n;
	return i < len ? i + 1 : 0;
}

/* What is left of an address without outer blanks and brackets. */
static int
parse_bare(struct stls_err *err, const char *text, size_t len,
    bool bare_allowed, struct stls_address *out_address)
{
	char unquoted[STLS_PATH_LEN_MAX];
	const char *local = text;
	size_t end, local_len;

	if (text[0] == '"') {
		end = read_quoted_local(unquoted, &local_len, text, len);
		if (end == 0)
			return refuse(err, text, len, "lacks its last quote");
		local = unquoted;
	} else {
		end = local_len = skip_plain_local(text, len);
		if (end == 0)
			return refuse(err, text, len, "has no local part");
	}

	if (end == len && bare_allowed)
		return stls_address_make(
		    err, local, local_len, NULL, 0, out_address);
	if (end == len)
		return refuse(err, text, len, "has no domain");
	/* What stands in a header is more: the commonest mistake. */
	if (text[end] != '@' && text[len - 1] == '>' &&
	    memchr(text, '<', len) != NULL)
		return refuse(err, text, len,
		    "has a name in front of it, which is no part of it");
	if (text[end] != '@')
		return refuse(err, text, len,
		    "has something in its local part that must be quoted");
	if (end + 1 == len)
		return refuse(err, text, len, "has nothing behind its @");
	return stls_address_make(
	    err, local, local_len, text + end + 1, len - end - 1, out_address);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

int
stls_address_parse(struct stls_err *err, const char *text, size_t len,
    bool bare_allowed, struct stls_address *out_address)
{
	const char *fault;

	while (len > 0 && is_blank(text[len - 1]))
		len--;
	while (len > 0 && is_blank(text[0])) {
		text++;
		len--;
	}
	if (len > 0 && text[0] == '<') {
		if (text[len - 1] != '>')
			return refuse(err, text, len, "lacks its last bracket");
		text++;
		len -= 2;
	}
	if (len == 0)
		return stls_err_set(err, SMTPTLS_E_INVALID, "address is empty");
	fault = find_text_fault(text, len);
	if (fault != NULL)
		return refuse(err, text, len, fault);
	if (len >= STLS_PATH_LEN_MAX)
		return refuse(err, text, len, "is longer than 254 octets");
	return parse_bare(err, text, len, bare_allowed, out_address);
}

/*
 * What nearly all mailboxes are, read once and written at once: a Dot-string
 * and a plain host name. False: it needs the careful way.
 */
static bool
read_plain(const char *text, size_t len, struct stls_mailbox *mailbox)
{
	size_t domain = plain_local_len(text, len) + 1, domain_len;

	if (domain == 1 || domain > STLS_LOCAL_PART_LEN_MAX + 1 ||
	    len > MAILBOX_LEN_MAX || domain >= len || text[domain - 1] != '@')
		return false;
	domain_len = stls_host_copy_plain(
	    mailbox->text + domain, text + domain, len - domain);
	if (domain_len == 0)
		return false;
	memcpy(mailbox->text, text, domain);
	mailbox->len = domain + domain_len;
	mailbox->needs_smtputf8 = false;
	return true;
}

static int
read_mailbox(struct stls_err *err, const char *text, size_t len,
    struct stls_mailbox *mailbox)
{
	CLEANUP(stls_address_done) struct stls_address address = { 0 };
	int r;

	r = stls_address_parse(err, text, len, false, &address);
	if (r < 0)
		return r;
	assert(address.mailbox != NULL);
	mailbox->len = strlen(address.mailbox);
	memcpy(mailbox->text, address.mailbox, mailbox->len + 1);
	mailbox->needs_smtputf8 = address.needs_smtputf8;
	return SMTPTLS_OK;
}

int
stls_mailbox_parse(struct stls_err *err, const char *text, size_t len,
    struct stls_mailbox *out_mailbox)
{
	return read_plain(text, len, out_mailbox)
	    ? SMTPTLS_OK
	    : read_mailbox(err, text, len, out_mailbox);
}

int
stls_address_qualify(
    struct stls_err *err, struct stls_address *address, const char *domain)
{
	struct stls_address made;
	int r;

	if (address->domain[0] != '\0')
		return SMTPTLS_OK;
	if (domain[0] == '\0')
		return stls_err_set(
		    err, SMTPTLS_E_INVALID, "the domain to add is empty");
	r = stls_address_make(err, address->local, strlen(address->local),
	    domain, strlen(domain), &made);
	if (r < 0)
		return r;
	stls_address_done(address);
	*address = made;
	return SMTPTLS_OK;
}

bool
stls_address_is_same(const struct stls_address *a, const struct stls_address *b)
{
	/* Both domains are in lower case. */
	return strcmp(a->local, b->local) == 0 &&
	    strcmp(a->domain, b->domain) == 0;
}

void
stls_address_done(struct stls_address *address)
{
	/* Its parts are behind it. */
	free(address->mailbox);
	memset(address, 0, sizeof(*address));
}
