/* SPDX-License-Identifier: MIT */
#include "factory-parts.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/x509-ext.h>

static size_t
unescape(char *text)
{
	char *out = text, *in = text;
	unsigned int byte;

	while (*in != '\0') {
		if (*in == '%' && sscanf(in + 1, "%2x", &byte) == 1) {
			*out++ = (char)byte;
			in += 3;
		} else {
			*out++ = *in++;
		}
	}
	*out = '\0';
	return (size_t)(out - text);
}

/* A name in the form that GnuTLS wants: addresses as bytes. */
struct name {
	gnutls_x509_subject_alt_name_t type;
	unsigned char data[2048];
	unsigned int len;
};

static void
parse_name(char *word, bool is_constraint, struct name *out)
{
	char *value = strchr(word, ':');
	gnutls_datum_t range;

	ck_assert_ptr_nonnull(value);
	*value++ = '\0';
	out->len = (unsigned int)unescape(value);
	ck_assert_uint_lt(out->len, sizeof(out->data));
	memcpy(out->data, value, out->len + 1);
	if (strcmp(word, "DNS") == 0) {
		out->type = GNUTLS_SAN_DNSNAME;
	} else if (strcmp(word, "URI") == 0) {
		out->type = GNUTLS_SAN_URI;
	} else if (strcmp(word, "EMAIL") == 0) {
		out->type = GNUTLS_SAN_RFC822NAME;
	} else if (strcmp(word, "RAWIP") == 0) {
		out->type = GNUTLS_SAN_IPADDRESS;
	} else if (strcmp(word, "IP") == 0 && is_constraint) {
		out->type = GNUTLS_SAN_IPADDRESS;
		must(gnutls_x509_cidr_to_rfc5280(value, &range));
		memcpy(out->data, range.data, range.size);
		out->len = range.size;
		gnutls_free(range.data);
	} else if (strcmp(word, "IP") == 0) {
		out->type = GNUTLS_SAN_IPADDRESS;
		out->len = strchr(value, ':') != NULL ? 16 : 4;
		ck_assert_int_eq(inet_pton(out->len == 16 ? AF_INET6 : AF_INET,
				     value, out->data),
		    1);
	} else {
		ck_abort_msg("no kind of name: %s", word);
	}
}

static int
name_tag(gnutls_x509_subject_alt_name_t type)
{
	switch (type) {
	case GNUTLS_SAN_RFC822NAME:
		return DER_CONTEXT(1);
	case GNUTLS_SAN_URI:
		return DER_CONTEXT(6);
	case GNUTLS_SAN_IPADDRESS:
		return DER_CONTEXT(7);
	default:
		return DER_CONTEXT(2);
	}
}

/* Encoded here, because GnuTLS has an opinion about odd names. */
void
factory_set_names(gnutls_x509_crt_t crt, const char *names)
{
	struct der list = { 0 };
	struct name name;

	if (names == NULL)
		return;
	FOR_EACH_WORD(names, copy, save, word)
	{
		parse_name(word, false, &name);
		list = der_append(
		    list, der_bytes(name_tag(name.type), name.data, name.len));
	}
	list = der_join(DER_SEQUENCE, 1, list);
	must(gnutls_x509_crt_set_extension_by_oid(
	    crt, GNUTLS_X509EXT_OID_SAN, list.data, list.len, 0));
	der_done(&list);
}

void
factory_set_constraints(gnutls_x509_crt_t crt, const struct cert_spec *spec)
{
	gnutls_x509_name_constraints_t nc;
	struct name name;
	gnutls_datum_t datum;

	if (spec->permitted == NULL && spec->excluded == NULL)
		return;
	must(gnutls_x509_name_constraints_init(&nc));
	FOR_EACH_WORD(spec->permitted ? spec->permitted : "", p, psave, pword)
	{
		parse_name(pword, true, &name);
		datum = (gnutls_datum_t){ name.data, name.len };
		must(gnutls_x509_name_constraints_add_permitted(
		    nc, name.type, &datum));
	}
	FOR_EACH_WORD(spec->excluded ? spec->excluded : "", e, esave, eword)
	{
		parse_name(eword, true, &name);
		datum = (gnutls_datum_t){ name.data, name.len };
		must(gnutls_x509_name_constraints_add_excluded(
		    nc, name.type, &datum));
	}
	must(gnutls_x509_crt_set_name_constraints(crt, nc, 1));
	gnutls_x509_name_constraints_deinit(nc);
}
