/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>
#include <time.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

#include "base/base64.h"
#include "factory.h"
#include "peer.h"

#define HOST "mail.example.org"

static struct factory *factory;
static const struct cert *ca;
static struct smtptls_context *context;
static struct peer *peer;
static struct smtptls_session *session;

static void
setup(void)
{
	factory = factory_new();
	ca = factory_ca(factory);
	context = peer_client_context(factory, ca);
}

static void
teardown(void)
{
	smtptls_session_free(session);
	peer_free(peer);
	smtptls_context_free(context);
	factory_free(factory);
}

static int
connect_to(const struct cert *cert, const struct cert *second)
{
	peer = PEER(.chain = { cert, second });
	session = peer_session(peer, context, HOST);
	return peer_handshake(peer, session);
}

static const char *
time_text(time_t when)
{
	static char text[32];
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return text;
}

static const char *
spki_text(const struct cert *cert)
{
	static char text[STLS_BASE64_LEN(32) + 1];
	unsigned char hash[32];
	gnutls_datum_t spki;
	gnutls_pubkey_t key;

	ck_assert_int_ge(gnutls_pubkey_init(&key), 0);
	ck_assert_int_ge(gnutls_pubkey_import_x509(key, cert->crt, 0), 0);
	ck_assert_int_ge(
	    gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &spki), 0);
	ck_assert_int_ge(
	    gnutls_hash_fast(GNUTLS_DIG_SHA256, spki.data, spki.size, hash), 0);
	gnutls_pubkey_deinit(key);
	gnutls_free(spki.data);
	stls_base64_encode(text, hash, sizeof(hash));
	return text;
}

START_TEST(a_certificate_is_described)
{
	const struct cert *leaf = CERT(factory, ca, .cn = "server",
	    .names = "DNS:" HOST
		     " IP:192.0.2.1 IP:2001:db8::1 EMAIL:a@example.org "
		     "URI:smtp://x",
	    .serial = "0a0bff");
	struct smtptls_cert_info info, again;
	unsigned int bits = 0;

	ck_assert_int_eq(connect_to(leaf, ca), SMTPTLS_OK);
	ck_assert_ok(smtptls_session_get_peer_cert_info(session, 0, &info));
	ck_assert_str_eq(info.subject, "CN=server");
	ck_assert_str_eq(info.issuer, "CN=Test Root");
	ck_assert_str_eq(info.serial, "0a0bff");
	ck_assert_str_eq(info.not_before,
	    time_text(gnutls_x509_crt_get_activation_time(leaf->crt)));
	ck_assert_str_eq(info.not_after,
	    time_text(gnutls_x509_crt_get_expiration_time(leaf->crt)));
	ck_assert_str_eq(info.names,
	    "DNS:" HOST ", IP:192.0.2.1, IP:2001:db8::1, "
	    "email:a@example.org, URI:smtp://x");
	ck_assert_str_eq(info.spki_sha256, spki_text(leaf));
	ck_assert_int_eq(gnutls_x509_crt_get_pk_algorithm(leaf->crt, &bits),
	    GNUTLS_PK_ECDSA);
	ck_assert_str_eq(info.key, gnutls_pk_get_name(GNUTLS_PK_ECDSA));
	ck_assert_uint_eq(info.key_bits, bits);
	ck_assert_str_eq(info.signature, "ECDSA-SHA256");

	ck_assert_ok(smtptls_session_get_peer_cert_info(session, 1, &again));
	ck_assert_str_eq(again.subject, "CN=Test Root");
	ck_assert_str_eq(again.names, "");
	/* What was lent stays, and is not made again. */
	ck_assert_str_eq(info.subject, "CN=server");
	ck_assert_ok(smtptls_session_get_peer_cert_info(session, 0, &again));
	ck_assert_ptr_eq(again.subject, info.subject);
	ck_assert_int_eq(smtptls_session_get_peer_cert_info(session, 2, &info),
	    SMTPTLS_E_INVALID);
}
END_TEST

START_TEST(the_der_is_that_of_the_certificate)
{
	const struct cert *leaf = factory_server(factory, ca, "DNS:" HOST);
	const gnutls_datum_t *wanted = factory_der(factory, leaf);
	const unsigned char *der = NULL;
	size_t len = 0;

	peer = PEER(.chain = { leaf, ca });
	session = peer_session(peer, context, HOST);
	ck_assert_int_eq(smtptls_session_get_peer_cert(session, 0, &der, &len),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	ck_assert_ok(smtptls_session_get_peer_cert(session, 0, &der, &len));
	ck_assert_uint_eq(len, wanted->size);
	ck_assert_mem_eq(der, wanted->data, len);
	ck_assert_ok(smtptls_session_get_peer_cert(session, 1, &der, &len));
	ck_assert_int_eq(smtptls_session_get_peer_cert(session, 2, &der, &len),
	    SMTPTLS_E_INVALID);
}
END_TEST

/* Who wants to know why it was refused looks at it. */
START_TEST(a_refused_certificate_can_be_looked_at)
{
	struct smtptls_cert_info info;
	const unsigned char *der;
	size_t len;

	ck_assert_int_eq(
	    connect_to(
		CERT(factory, NULL, .cn = "evil", .names = "DNS:" HOST), NULL),
	    SMTPTLS_E_CERTIFICATE);
	ck_assert_ok(smtptls_session_get_peer_cert_info(session, 0, &info));
	ck_assert_str_eq(info.subject, "CN=evil");
	ck_assert_ok(smtptls_session_get_peer_cert(session, 0, &der, &len));
}
END_TEST

START_TEST(a_description_is_fit_for_a_terminal)
{
	struct smtptls_cert_info info;
	const char *p;

	connect_to(CERT(factory, ca, .cn = "a\x1b[2J\nb",
		       .names = "DNS:" HOST " DNS:%1B[31m%0A"),
	    NULL);
	ck_assert_ok(smtptls_session_get_peer_cert_info(session, 0, &info));
	ck_assert_str_eq(info.names, "DNS:" HOST ", DNS:\\x1b[31m\\x0a");
	for (p = info.subject; *p != '\0'; p++)
		ck_assert_int_ge(*p, ' ');
}
END_TEST

/* Escaped, each byte of these names becomes four. */
START_TEST(a_description_of_too_many_names_is_bounded)
{
	char *names = calloc(700, 200), *end = names;
	struct smtptls_cert_info info;
	int i, j;

	ck_assert_ptr_nonnull(names);
	for (i = 0; i < 700; i++) {
		end = stpcpy(end, i > 0 ? " DNS:" : "DNS:");
		for (j = 0; j < 60; j++)
			end = stpcpy(end, "%01");
	}
	peer = PEER(.chain = { CERT(factory, ca, .names = names) });
	free(names);
	session = peer_session(peer, context, HOST);
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_E_CERTIFICATE);
	ck_assert_ok(smtptls_session_get_peer_cert_info(session, 0, &info));
	ck_assert_uint_gt(strlen(info.names), 100000);
	ck_assert_uint_lt(strlen(info.names), 131072);
	ck_assert_str_eq(info.names + strlen(info.names) - 5, ", ...");
	ck_assert_str_ne(info.spki_sha256, "");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("peer-cert");
	TCase *tc = tcase_create("peer-cert");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_certificate_is_described);
	tcase_add_test(tc, the_der_is_that_of_the_certificate);
	tcase_add_test(tc, a_refused_certificate_can_be_looked_at);
	tcase_add_test(tc, a_description_is_fit_for_a_terminal);
	tcase_add_test(tc, a_description_of_too_many_names_is_bounded);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
