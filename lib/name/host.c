/* SPDX-License-Identifier: MIT */
#include "name/host.h"

#include <arpa/inet.h>
#include <string.h>

#include <gnutls/gnutls.h>

#include "base/ascii.h"
#include "base/utf8.h"

/* RFC 1035 section 2.3.4. */
#define LABEL_LEN_MAX 63
/* A name of the longest length, each character in UTF-8, its final dot. */
#define INPUT_LEN_MAX (4 * STLS_HOST_LEN_MAX + 1)

/* Name the host and say what is wrong with it. */
static int
refuse(struct stls_err *err, const char *text, size_t len, const char *why)
{
	char shown[200];

	stls_escape(shown, sizeof(shown), text, len);
	return stls_err_set(
	    err, SMTPTLS_E_INVALID, "host name \"%s\" %s", shown, why);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
	unsigned char lower = (unsigned char)(c | 0x20);

	return is_digit(c) || (unsigned char)(lower - 'a') < 26;
}

static bool
is_all_zero(const unsigned char *data, size_t len)
{
	while (len > 0 && data[len - 1] == 0)
		len--;
	return len == 0;
}

/*
 * An IPv4-mapped address (RFC 4291 section 2.5.5.2) is reached over IPv4, and
 * that is what a certificate has: it becomes the IPv4 address.
 */
static void
unfold_mapped(struct stls_host *host)
{
	static const unsigned char prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0xff, 0xff };

	if (host->ip_len != 16 || memcmp(host->ip, prefix, sizeof(prefix)) != 0)
		return;
	memmove(host->ip, host->ip + 12, 4);
	memset(host->ip + 4, 0, 12);
	host->ip_len = 4;
}

/* False: it is no IP literal, and *host is not changed. */
static bool
read_ip(struct stls_host *host, const char *text, size_t len)
{
	struct stls_host found = { .is_ip = true };
	char copy[INET6_ADDRSTRLEN];

	/* What ends in a letter, as names do, is none with dots. */
	if (len >= sizeof(copy) ||
	    (memchr(text, ':', len) == NULL && !is_digit(text[len - 1])))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';

	if (inet_pton(AF_INET, copy, found.ip) == 1)
		found.ip_len = 4;
	else if (inet_pton(AF_INET6, copy, found.ip) == 1)
		found.ip_len = 16;
	else
		return false;
	unfold_mapped(&found);
	inet_ntop(found.ip_len == 4 ? AF_INET : AF_INET6, found.ip, found.name,
	    sizeof(found.name));
	*host = found;
	return true;
}

static bool
has_only(const char *text, size_t len, const char *set)
{
	while (len > 0 && strchr(set, text[len - 1]) != NULL)
		len--;
	return len == 0;
}

static int
parse_ipv6(
    struct stls_err *err, const char *text, size_t len, struct stls_host *host)
{
	const char *inner = text;
	size_t inner_len = len;

	if (text[0] == '[') {
		if (text[len - 1] != ']')
			return refuse(err, text, len, "lacks its bracket");
		inner++;
		inner_len -= 2;
	}
	if (memchr(inner, '%', inner_len) != NULL)
		return refuse(err, text, len, "has a zone identifier");
	if (!has_only(inner, inner_len, "0123456789abcdefABCDEF:."))
		return refuse(
		    err, text, len, "has a character that no host name has");
	if (memchr(inner, ':', inner_len) == NULL ||
	    !read_ip(host, inner, inner_len))
		return refuse(err, text, len, "is no IPv6 address");
	return SMTPTLS_OK;
}

/* NULL: the label is fine; else what is wrong with the name. */
static const char *
find_label_fault(const char *label, size_t len)
{
	size_t i;

	if (len == 0)
		return "has an empty label";
	if (len > LABEL_LEN_MAX)
		return "has a label above 63 octets";
	for (i = 0; i < len; i++) {
		if (!is_alnum(label[i]) && label[i] != '-' && label[i] != '_')
			return "has a character that no host name has";
	}
	if (label[0] == '-' || label[len - 1] == '-')
		return "has a label that begins or ends with a hyphen";
	return NULL;
}

/*
 * Whether resolvers would take a name that ends so for an IPv4 address in one
 * of the notations of inet_aton(3): digits, or 0x and hexadecimal digits.
 */
static bool
is_number(const char *label, size_t len)
{
	bool hex = len >= 2 && label[0] == '0' &&
	    (label[1] == 'x' || label[1] == 'X');

	if (hex)
		return has_only(label + 2, len - 2, "0123456789abcdefABCDEF");
	return has_only(label, len, "0123456789");
}

static const char *
find_name_fault(const char *name)
{
	const char *fault, *label = name;
	size_t len;

	if (strlen(name) > STLS_HOST_LEN_MAX)
		return "is longer than 253 octets";
	for (;;) {
		len = strcspn(label, ".");
		fault = find_label_fault(label, len);
		if (fault != NULL)
			return fault;
		if (label[len] == '\0')
			break;
		label += len + 1;
	}
	if (is_number(label, len))
		return "ends in a number but is no IPv4 address";
	return NULL;
}

/* What an octet is in a name that is kept; blank or 0: it is in none. */
static const char name_octets[256] = "                "
				     "                "
				     "             -. "
				     "0123456789      "
				     " abcdefghijklmno"
				     "pqrstuvwxyz    _"
				     " abcdefghijklmno"
				     "pqrstuvwxyz     ";

/* Whether a name as it is kept is a label of so many octets at its end. */
static bool
ends_in_label(const char *end, size_t len)
{
	return len > 0 && len <= LABEL_LEN_MAX && end[-1] != '-' &&
	    *(end - len) != '-';
}

size_t
stls_host_copy_plain(char *out, const char *text, size_t len)
{
	size_t i, label = 0;
	char c;

	if (len > STLS_HOST_LEN_MAX)
		return 0;
	for (i = 0; i < len; i++) {
		c = out[i] = name_octets[(unsigned char)text[i]];
		/* The dot is behind the hyphen, and all others behind it. */
		if (c > '.' || c == '-')
			continue;
		if (c != '.' || !ends_in_label(out + i, i - label))
			return 0;
		label = i + 1;
	}
	/* What begins with a digit may be an address, or a broken one. */
	if (!ends_in_label(out + len, len - label) || is_digit(out[label]))
		return 0;
	out[len] = '\0';
	return len;
}

/* Take a name that is ASCII; its final dot is gone in what is kept. */
static int
take_name(struct stls_err *err, char *name, const char *text, size_t len,
    struct stls_host *host)
{
	size_t i, name_len = strlen(name);
	const char *fault;

	if (name_len > 1 && name[name_len - 1] == '.')
		name[--name_len] = '\0';
	fault = find_name_fault(name);
	if (fault != NULL)
		return refuse(err, text, len, fault);

	memset(host, 0, sizeof(*host));
	for (i = 0; i < name_len; i++)
		host->name[i] = stls_ascii_lower(name[i]);
	return SMTPTLS_OK;
}

/*
 * Without the flag GnuTLS tries the transitional mapping of UTS #46 where
 * IDNA 2008 refuses a name, and that is another host for some names.
 */
static int
map(struct stls_err *err, const char *text, size_t len, gnutls_datum_t *out)
{
	int r;

	r = gnutls_idna_map(
	    text, (unsigned int)len, out, GNUTLS_IDNA_FORCE_2008);
	if (r == GNUTLS_E_MEMORY_ERROR)
		return stls_err_nomem(err);
	if (r == GNUTLS_E_UNIMPLEMENTED_FEATURE)
		return refuse(err, text, len,
		    "needs international names, which this GnuTLS lacks");
	if (r < 0)
		return refuse(
		    err, text, len, "is no international name (IDNA 2008)");
	return SMTPTLS_OK;
}

/*
 * libidn2 leaves characters out without an error: those that UTS #46 ignores
 * (soft hyphen), and as GnuTLS calls it those that STD 3 does not allow (a
 * no-break space, account of). That would be another host than what was
 * typed, so each character is tried alone, between two letters.
 */
static bool
is_left_out(const char *character, size_t len)
{
	gnutls_datum_t mapped = { NULL, 0 };
	char probe[8] = "a";
	bool left_out;

	memcpy(probe + 1, character, len);
	probe[1 + len] = 'a';
	if (gnutls_idna_map(probe, (unsigned int)len + 2, &mapped,
		GNUTLS_IDNA_FORCE_2008) < 0)
		return false;
	left_out = mapped.size == 2;
	gnutls_free(mapped.data);
	return left_out;
}

static bool
has_left_out(const char *text, size_t len)
{
	uint32_t c;
	size_t n;

	while (len > 0) {
		n = stls_utf8_decode(text, len, &c);
		if (c < 0x80 && !is_alnum(*text) && c != '-' && c != '.')
			return true;
		if (c >= 0x80 && is_left_out(text, n))
			return true;
		text += n;
		len -= n;
	}
	return false;
}

static int
map_name(
    struct stls_err *err, const char *text, size_t len, struct stls_host *host)
{
	gnutls_datum_t mapped = { NULL, 0 };
	int r;

	if (has_left_out(text, len))
		return refuse(
		    err, text, len, "has a character that no host name has");
	r = map(err, text, len, &mapped);
	if (r < 0)
		return r;

	if (!stls_ascii_only((const char *)mapped.data, mapped.size))
		r = refuse(err, text, len, "has no ASCII form");
	else
		r = take_name(err, (char *)mapped.data, text, len, host);
	gnutls_free(mapped.data);
	return r;
}

int
stls_host_parse(struct stls_err *err, const char *text, size_t len,
    struct stls_host *out_host)
{
	char name[INPUT_LEN_MAX + 1];
	struct stls_host host = { .is_ip = false };
	int r = SMTPTLS_OK;

	if (len == 0)
		return stls_err_set(
		    err, SMTPTLS_E_INVALID, "host name is empty");
	if (stls_host_copy_plain(host.name, text, len) > 0) {
		*out_host = host;
		return SMTPTLS_OK;
	}
	if (len > INPUT_LEN_MAX)
		return refuse(err, text, len, "is longer than 253 octets");
	if (stls_utf8_has_control(text, len))
		return refuse(err, text, len,
		    "has a control character or is not valid UTF-8");

	if (text[0] == '[' || memchr(text, ':', len) != NULL) {
		r = parse_ipv6(err, text, len, &host);
	} else if (!read_ip(&host, text, len)) {
		memcpy(name, text, len);
		name[len] = '\0';
		r = stls_ascii_only(text, len)
		    ? take_name(err, name, text, len, &host)
		    : map_name(err, text, len, &host);
	}
	if (r < 0)
		return r;
	if (host.is_ip && is_all_zero(host.ip, host.ip_len))
		return refuse(err, text, len, "is the unspecified address");

	*out_host = host;
	return SMTPTLS_OK;
}
