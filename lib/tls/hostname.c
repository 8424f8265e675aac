/* SPDX-License-Identifier: MIT */
#include "tls/hostname.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <gnutls/x509-ext.h>

#include "base/cleanup.h"
#include "tls/free.h"

/*
 * The busiest certificates in the wild have some hundred names; thousands are
 * an attempt to keep us busy.
 */
#define NAMES_MAX 2048

/* How many of the names a sentence shows. */
#define NAMES_SHOWN 6

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* What may stand in a host name: letters, digits, hyphen and underscore. */
static bool
is_label_char(char c)
{
	c = lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	    c == '_';
}

/* A-labels in any case, none of them empty: whatever else matches nothing. */
static bool
is_plain_name(const char *name, size_t len)
{
	size_t i;

	if (len == 0 || name[0] == '.' || name[len - 1] == '.')
		return false;
	for (i = 0; i < len; i++) {
		if (name[i] == '.' ? name[i - 1] == '.'
				   : !is_label_char(name[i]))
			return false;
	}
	return true;
}

static bool
equals(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t i;

	if (a_len != b_len)
		return false;
	for (i = 0; i < a_len; i++) {
		if (lower(a[i]) != lower(b[i]))
			return false;
	}
	return true;
}

/*
 * RFC 9525 section 6.3: `*` alone is the left-most label and stands for one.
 * `*.com` would stand for half of the world: two labels must follow.
 */
static bool
wildcard_matches(const char *rest, size_t rest_len, const char *host)
{
	const char *host_rest = strchr(host, '.');

	if (!is_plain_name(rest, rest_len) ||
	    memchr(rest, '.', rest_len) == NULL)
		return false;
	if (host_rest == NULL || host_rest == host)
		return false;
	host_rest++;
	return equals(rest, rest_len, host_rest, strlen(host_rest));
}

static bool
dns_matches(const char *name, size_t len, const char *host)
{
	if (len > 2 && name[0] == '*' && name[1] == '.')
		return wildcard_matches(name + 2, len - 2, host);
	return is_plain_name(name, len) &&
	    equals(name, len, host, strlen(host));
}

/* An address never matches a dNSName, nor a name an iPAddress. */
static bool
name_matches(
    unsigned int type, const gnutls_datum_t *name, const struct stls_host *host)
{
	if (host->is_ip)
		return type == GNUTLS_SAN_IPADDRESS &&
		    name->size == host->ip_len &&
		    memcmp(name->data, host->ip, host->ip_len) == 0;
	return type == GNUTLS_SAN_DNSNAME &&
	    dns_matches((const char *)name->data, name->size, host->name);
}

/*
 * Read the names. None at all leaves *out_names NULL; what cannot be read (a
 * NUL inside a name, say) makes the certificate unusable.
 */
static int
read_names(struct stls_err *err, gnutls_x509_crt_t cert,
    gnutls_subject_alt_names_t *out_names)
{
	CLEANUP(free_names) gnutls_subject_alt_names_t names = NULL;
	CLEANUP(free_datum) gnutls_datum_t der = { NULL, 0 };
	int r;

	r = gnutls_x509_crt_get_extension_by_oid2(
	    cert, GNUTLS_X509EXT_OID_SAN, 0, &der, NULL);
	if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return SMTPTLS_OK;
	if (r >= 0)
		r = gnutls_subject_alt_names_init(&names);
	if (r >= 0)
		r = gnutls_x509_ext_import_subject_alt_names(&der, names, 0);
	if (r == GNUTLS_E_MEMORY_ERROR)
		return stls_err_nomem(err);
	if (r < 0)
		return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
		    "names in the certificate cannot be read: %s",
		    gnutls_strerror(r));
	*out_names = TAKE(names);
	return SMTPTLS_OK;
}

/* A list of names for a sentence: "a, b and 7 more". */
struct list {
	char text[320];
	size_t len;
	size_t count;
};

static void
list_add(struct list *list, unsigned int type, const gnutls_datum_t *name)
{
	char shown[64];

	if (type != GNUTLS_SAN_DNSNAME && type != GNUTLS_SAN_IPADDRESS)
		return;
	list->count++;
	if (list->count > NAMES_SHOWN)
		return;
	if (type == GNUTLS_SAN_DNSNAME)
		stls_escape(
		    shown, sizeof(shown), (const char *)name->data, name->size);
	else
		stls_hostname_format_ip(
		    shown, sizeof(shown), name->data, name->size);
	if (list->len + strlen(shown) + 3 > sizeof(list->text))
		return;
	if (list->len > 0) {
		memcpy(list->text + list->len, ", ", 3);
		list->len += 2;
	}
	memcpy(list->text + list->len, shown, strlen(shown) + 1);
	list->len += strlen(shown);
}

static int
mismatch(struct stls_err *err, const struct list *list, const char *host)
{
	if (list->count == 0)
		return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
		    "the certificate names no host (only subjectAltName "
		    "counts), not %s",
		    host);
	if (list->count > NAMES_SHOWN)
		return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
		    "the certificate names %s and %zu more, not %s", list->text,
		    list->count - NAMES_SHOWN, host);
	return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
	    "the certificate names %s, not %s", list->text, host);
}

int
stls_hostname_match(
    struct stls_err *err, gnutls_x509_crt_t cert, const struct stls_host *host)
{
	CLEANUP(free_names) gnutls_subject_alt_names_t names = NULL;
	struct list list = { .len = 0 };
	gnutls_datum_t name;
	unsigned int i, type;
	int r;

	r = read_names(err, cert, &names);
	if (r < 0)
		return r;
	for (i = 0; names != NULL; i++) {
		r = gnutls_subject_alt_names_get(names, i, &type, &name, NULL);
		if (r < 0)
			break;
		if (i >= NAMES_MAX)
			return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
			    "the certificate has more than %d names",
			    NAMES_MAX);
		if (name_matches(type, &name, host))
			return SMTPTLS_OK;
		list_add(&list, type, &name);
	}
	return mismatch(err, &list, host->name);
}

void
stls_hostname_format_ip(
    char *out, size_t cap, const unsigned char *ip, size_t len)
{
	size_t used = 0, i;

	out[0] = '\0';
	if (len == 4 || len == 16) {
		inet_ntop(
		    len == 4 ? AF_INET : AF_INET6, ip, out, (socklen_t)cap);
		return;
	}
	for (i = 0; i < len && used + 3 <= cap; i++)
		used += (size_t)snprintf(out + used, cap - used, "%02x", ip[i]);
}
