/* SPDX-License-Identifier: MIT */
#include "factory-parts.h"

#include <string.h>

#include <gnutls/abstract.h>

struct der
factory_sign(const struct cert *signer, const struct der *tbs,
    gnutls_digest_algorithm_t digest)
{
	gnutls_datum_t data = { tbs->data, (unsigned int)tbs->len }, sig;
	unsigned char bits[1024] = { 0 };
	gnutls_privkey_t key;
	struct der der;

	must(gnutls_privkey_init(&key));
	must(gnutls_privkey_import_x509(key, signer->key, 0));
	must(gnutls_privkey_sign_data(
	    key, digest != 0 ? digest : GNUTLS_DIG_SHA256, 0, &data, &sig));
	gnutls_privkey_deinit(key);
	memcpy(bits + 1, sig.data, sig.size);
	der = der_bytes(DER_BIT_STRING, bits, sig.size + 1);
	gnutls_free(sig.data);
	return der;
}

/* Take what is signed apart. */
static void
dissect(gnutls_x509_crt_t crt, struct der *part)
{
	struct der whole, tbs;
	const unsigned char *at, *end;
	gnutls_datum_t der;
	int i;

	must(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der));
	whole = der_content(der.data, der.size);
	at = whole.data;
	tbs = der_first(&at, whole.data + whole.len);
	der_done(&whole);
	gnutls_free(der.data);
	whole = der_content(tbs.data, tbs.len);
	der_done(&tbs);
	at = whole.data;
	end = at + whole.len;
	for (i = 0; i < SURGERY_OUTER; i++) {
		part[i] = (struct der){ 0 };
		if (at < end &&
		    (i != SURGERY_VERSION || *at == (DER_CONTEXT(0) | 0x20)))
			part[i] = der_first(&at, end);
	}
	ck_assert_ptr_eq(at, end);
	part[SURGERY_OUTER] = der_raw(
	    part[SURGERY_ALGORITHM].data, part[SURGERY_ALGORITHM].len);
	der_done(&whole);
}

/* Sew up what was cut open. GnuTLS may not be able to read it. */
static void
sew(struct cert *cert, const struct cert *issuer, struct der *part,
    gnutls_digest_algorithm_t digest)
{
	struct der tbs, whole, signature;
	int r;

	tbs = der_join(DER_SEQUENCE, 8, part[0], part[1], part[2], part[3],
	    part[4], part[5], part[6], part[7]);
	signature = factory_sign(issuer, &tbs, digest);
	whole = der_join(DER_SEQUENCE, 3, tbs, part[SURGERY_OUTER], signature);
	cert->der.data = gnutls_malloc(whole.len);
	ck_assert_ptr_nonnull(cert->der.data);
	memcpy(cert->der.data, whole.data, whole.len);
	cert->der.size = (unsigned int)whole.len;
	der_done(&whole);
	if (cert->crt != NULL)
		gnutls_x509_crt_deinit(cert->crt);
	must(gnutls_x509_crt_init(&cert->crt));
	r = gnutls_x509_crt_import(cert->crt, &cert->der, GNUTLS_X509_FMT_DER);
	if (r >= 0)
		return;
	gnutls_x509_crt_deinit(cert->crt);
	cert->crt = NULL;
}

void
factory_operate(
    struct cert *cert, const struct cert *issuer, const struct cert_spec *spec)
{
	struct der part[SURGERY_PARTS];

	dissect(cert->crt, part);
	spec->surgery(part);
	sew(cert, issuer, part, spec->digest);
}

const struct cert *
factory_clone(struct factory *factory, const gnutls_datum_t *der)
{
	static const int ours[] = { SURGERY_ALGORITHM, SURGERY_KEY,
		SURGERY_OUTER };
	const struct cert *donor = CERT(factory, NULL, .cn = "donor");
	struct cert *clone = factory_new_cert(factory);
	struct der part[SURGERY_PARTS], theirs[SURGERY_PARTS];
	size_t i;

	must(gnutls_x509_privkey_init(&clone->key));
	must(gnutls_x509_privkey_cpy(clone->key, donor->key));
	must(gnutls_x509_crt_init(&clone->crt));
	must(gnutls_x509_crt_import(clone->crt, der, GNUTLS_X509_FMT_DER));
	dissect(clone->crt, part);
	dissect(donor->crt, theirs);
	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		der_done(&part[ours[i]]);
		part[ours[i]] = theirs[ours[i]];
		theirs[ours[i]] = (struct der){ 0 };
	}
	for (i = 0; i < SURGERY_PARTS; i++)
		der_done(&theirs[i]);
	sew(clone, clone, part, GNUTLS_DIG_SHA256);
	return clone;
}
