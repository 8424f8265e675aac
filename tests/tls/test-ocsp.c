/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "factory.h"
#include "peer.h"

#define HOST "mail.example.org"
#define LEAF "certificate of " HOST
#define STAPLE "OCSP response for " LEAF

static struct factory *factory;
static const struct cert *ca, *leaf, *other;
static struct smtptls_context *context;

static void
setup(void)
{
	factory = factory_new();
	ca = factory_ca(factory);
	leaf = factory_server(factory, ca, "DNS:" HOST);
	other = factory_server(factory, ca, "DNS:" HOST);
	context = peer_client_context(factory, ca);
}

static void
teardown(void)
{
	smtptls_context_free(context);
	factory_free(factory);
}

/* Handshake with a server; the sentence of a failure goes to `sentence`. */
static int
shake_hands(int version, const struct peer_spec *base, char sentence[512])
{
	struct peer_spec spec = *base;
	struct smtptls_session *session;
	struct peer *peer;
	int r;

	spec.priority = version == 0 ? "NORMAL:-VERS-ALL:+VERS-TLS1.3"
				     : "NORMAL:-VERS-ALL:+VERS-TLS1.2";
	peer = peer_new(&spec);
	session = peer_session(peer, context, HOST);
	r = peer_handshake(peer, session);
	snprintf(sentence, 512, "%s", smtptls_session_error(session));
	ck_assert_int_eq(smtptls_session_is_verified(session), r == SMTPTLS_OK);
	ck_assert_int_eq(
	    smtptls_session_has_ocsp_staple(session), base->staple[0] != NULL);
	smtptls_session_free(session);
	peer_free(peer);
	return r;
}

/* Who may sign a response, and who may not. */
enum signer {
	BY_ISSUER,
	BY_RESPONDER,
	BY_RESPONDER_WITHOUT_PURPOSE,
	BY_EXPIRED_RESPONDER,
	BY_RESPONDER_OF_ANOTHER_CA,
	BY_OTHER_CA,
	BY_LEAF,
};

struct row {
	struct ocsp_spec spec;
	enum signer signer;
	bool about_other;
	const char *sentence; /* NULL: it is good */
};

static const struct row rows[] = {
	{ .sentence = NULL },
	{ .spec = { .no_next_update = true }, .sentence = NULL },
	{ .spec = { .this_update = 200 }, .sentence = NULL },
	{ .signer = BY_RESPONDER, .sentence = NULL },
	{ .spec = { .status = 2 },
	    .sentence = STAPLE " says that it is unknown" },
	{ .spec = { .response_status = 6 },
	    .sentence = STAPLE " is none: the responder had an error" },
	{ .spec = { .response_status = 3 },
	    .sentence = STAPLE " is none: the responder had an error" },
	{ .spec = { .this_update = -9 * FACTORY_DAY, .next_update = -60 },
	    .sentence = STAPLE " has expired" },
	{ .spec = { .this_update = -11 * FACTORY_DAY, .no_next_update = true },
	    .sentence = STAPLE " has expired" },
	{ .spec = { .this_update = 3600 },
	    .sentence = STAPLE " is of the future" },
	{ .spec = { .forged = true },
	    .sentence = STAPLE " is not signed by whom its CA appointed" },
	{ .spec = { .digest = GNUTLS_DIG_SHA1 },
	    .sentence = STAPLE " has a weak signature" },
	{ .about_other = true,
	    .sentence = STAPLE " is about another certificate" },
	{ .signer = BY_RESPONDER_WITHOUT_PURPOSE,
	    .sentence = STAPLE " is not signed by whom its CA appointed" },
	{ .signer = BY_EXPIRED_RESPONDER,
	    .sentence = STAPLE " is not signed by whom its CA appointed" },
	{ .signer = BY_RESPONDER_OF_ANOTHER_CA,
	    .sentence = STAPLE " is not signed by whom its CA appointed" },
	{ .signer = BY_OTHER_CA,
	    .sentence = STAPLE " is not signed by whom its CA appointed" },
	{ .signer = BY_LEAF,
	    .sentence = STAPLE " is not signed by whom its CA appointed" },
};

#define ROWS COUNT(rows)

static const struct cert *
signer_of(enum signer signer)
{
	const struct cert *stranger = CERT(
	    factory, NULL, .cn = "Stranger", .ca = true);

	switch (signer) {
	case BY_RESPONDER:
		return CERT(factory, ca, .cn = "responder",
		    .eku = GNUTLS_KP_OCSP_SIGNING);
	case BY_RESPONDER_WITHOUT_PURPOSE:
		return CERT(factory, ca, .cn = "responder",
		    .eku = GNUTLS_KP_TLS_WWW_SERVER);
	case BY_EXPIRED_RESPONDER:
		return CERT(factory, ca, .cn = "responder",
		    .eku = GNUTLS_KP_OCSP_SIGNING, .not_after = -60);
	case BY_RESPONDER_OF_ANOTHER_CA:
		return CERT(factory, stranger, .cn = "responder",
		    .eku = GNUTLS_KP_OCSP_SIGNING);
	case BY_OTHER_CA:
		return stranger;
	case BY_LEAF:
		return leaf;
	default:
		return NULL;
	}
}

START_TEST(a_staple_is_believed_or_refused_with_the_reason)
{
	const struct row *row = &rows[_i / 2];
	struct ocsp_spec spec = row->spec;
	char sentence[512];
	const gnutls_datum_t *staple;
	int r;

	spec.responder = signer_of(row->signer);
	staple = factory_ocsp(
	    factory, ca, row->about_other ? other : leaf, &spec);
	r = shake_hands(_i % 2,
	    &(struct peer_spec){ .chain = { leaf }, .staple = { staple } },
	    sentence);
	ck_assert_str_eq(sentence, row->sentence ? row->sentence : "");
	ck_assert_int_eq(r, row->sentence ? SMTPTLS_E_CERTIFICATE : SMTPTLS_OK);
}
END_TEST

START_TEST(a_staple_that_says_revoked_is_heard)
{
	char sentence[512], wanted[128], date[16];
	time_t when = time(NULL) - FACTORY_DAY;
	struct tm tm;
	int r;

	gmtime_r(&when, &tm);
	strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	snprintf(wanted, sizeof(wanted), LEAF " was revoked on %s", date);
	r = shake_hands(_i,
	    &(struct peer_spec){ .chain = { leaf },
		.staple = { factory_ocsp(
		    factory, ca, leaf, &(struct ocsp_spec){ .status = 1 }) } },
	    sentence);
	ck_assert_int_eq(r, SMTPTLS_E_CERTIFICATE);
	ck_assert_str_eq(sentence, wanted);
}
END_TEST

START_TEST(a_staple_that_is_garbage_is_refused)
{
	gnutls_datum_t garbage = { (unsigned char *)"garbage", 7 };
	char sentence[512];
	int r;

	r = shake_hands(_i,
	    &(struct peer_spec){ .chain = { leaf }, .staple = { &garbage } },
	    sentence);
	ck_assert_int_eq(r, SMTPTLS_E_CERTIFICATE);
	ck_assert_str_eq(sentence, STAPLE " cannot be read");
}
END_TEST

START_TEST(a_certificate_that_demands_a_staple_must_have_one)
{
	const struct cert *strict = CERT(factory, ca, .names = "DNS:" HOST,
	    .eku = GNUTLS_KP_TLS_WWW_SERVER, .must_staple = true);
	const gnutls_datum_t *staple = factory_ocsp(
	    factory, ca, strict, &(struct ocsp_spec){ .status = 0 });
	char sentence[512];

	ck_assert_int_eq(
	    shake_hands(
		_i, &(struct peer_spec){ .chain = { strict } }, sentence),
	    SMTPTLS_E_CERTIFICATE);
	ck_assert_str_eq(
	    sentence, LEAF " demands an OCSP response and came without one");
	ck_assert_int_eq(shake_hands(_i,
			     &(struct peer_spec){
				 .chain = { strict }, .staple = { staple } },
			     sentence),
	    SMTPTLS_OK);
}
END_TEST

/* TLS 1.3 can staple to each certificate: RFC 8446 section 4.4.2.1. */
START_TEST(a_staple_of_a_ca_in_between_is_looked_at)
{
	const struct cert *middle = CERT(
	    factory, ca, .cn = "Middle", .ca = true);
	const struct cert *below = factory_server(factory, middle, "DNS:" HOST);
	const gnutls_datum_t *good = factory_ocsp(
	    factory, middle, below, &(struct ocsp_spec){ .status = 0 });
	struct peer_spec spec = { .chain = { below, middle },
		.staple = { good } };
	char sentence[512];

	spec.staple[1] = factory_ocsp(
	    factory, ca, middle, &(struct ocsp_spec){ .status = 0 });
	ck_assert_int_eq(shake_hands(0, &spec, sentence), SMTPTLS_OK);
	spec.staple[1] = factory_ocsp(
	    factory, ca, middle, &(struct ocsp_spec){ .status = 1 });
	ck_assert_int_eq(
	    shake_hands(0, &spec, sentence), SMTPTLS_E_CERTIFICATE);
	ck_assert_ptr_nonnull(
	    strstr(sentence, "CA certificate \"CN=Middle\" was revoked on "));
}
END_TEST

START_TEST(what_is_an_anchor_needs_no_staple)
{
	gnutls_datum_t garbage = { (unsigned char *)"garbage", 7 };
	char sentence[512];

	smtptls_context_free(context);
	context = peer_client_context(factory, leaf);
	ck_assert_int_eq(shake_hands(_i,
			     &(struct peer_spec){
				 .chain = { leaf }, .staple = { &garbage } },
			     sentence),
	    SMTPTLS_OK);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ocsp");
	TCase *tc = tcase_create("ocsp");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, a_staple_is_believed_or_refused_with_the_reason, 0, 2 * ROWS);
	tcase_add_loop_test(tc, a_staple_that_says_revoked_is_heard, 0, 2);
	tcase_add_loop_test(tc, a_staple_that_is_garbage_is_refused, 0, 2);
	tcase_add_loop_test(
	    tc, a_certificate_that_demands_a_staple_must_have_one, 0, 2);
	tcase_add_test(tc, a_staple_of_a_ca_in_between_is_looked_at);
	tcase_add_loop_test(tc, what_is_an_anchor_needs_no_staple, 0, 2);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
