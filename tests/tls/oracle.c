/* SPDX-License-Identifier: MIT */
#include "oracle.h"

#include <stdlib.h>
#include <string.h>

#include <gnutls/x509.h>

#include "test.h"
#include "tls/plain.h"

/* Ask about exactly these bytes, so that a look behind them is found. */
static bool
is_plain_in_bounds(const void *der, size_t len)
{
	unsigned char *copy = malloc(len + 1);
	gnutls_datum_t subject;
	bool yes;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, der, len);
	copy = realloc(copy, len > 0 ? len : 1);
	yes = stls_plain_is_cert(copy, len, &subject);
	ck_assert(!yes ||
	    (subject.data > copy && subject.data + subject.size < copy + len));
	free(copy);
	return yes;
}

/* What is plain, GnuTLS parses, and has the same subject. */
bool
oracle_is_plain(const unsigned char *der, size_t len)
{
	gnutls_datum_t whole = { (unsigned char *)der, (unsigned int)len };
	gnutls_datum_t subject = { NULL, 0 }, theirs = { NULL, 0 };
	gnutls_x509_crt_t crt;
	int r;

	if (!is_plain_in_bounds(der, len))
		return false;
	ck_assert(stls_plain_is_cert(der, len, &subject));
	ck_assert_ok(gnutls_x509_crt_init(&crt));
	r = gnutls_x509_crt_import(crt, &whole, GNUTLS_X509_FMT_DER);
	ck_assert_msg(r == 0, "%s", gnutls_strerror(r));
	ck_assert_ok(gnutls_x509_crt_get_raw_dn(crt, &theirs));
	ck_assert_uint_eq(subject.size, theirs.size);
	ck_assert_mem_eq(subject.data, theirs.data, theirs.size);
	gnutls_free(theirs.data);
	gnutls_x509_crt_deinit(crt);
	return true;
}
