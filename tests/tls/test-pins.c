/* SPDX-License-Identifier: MIT */
/* What a key that is pinned adds to the verification, and nothing more. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

#include "factory.h"
#include "peer.h"
#include "tls/session.h"

#define HOST "mail.example.org"

static struct factory *factory;
static const struct cert *ca, *server, *other;
static struct smtptls_context *context;
static gnutls_datum_t ticket_key;
static char right[STLS_PIN_TEXT_LEN + 1], wrong[STLS_PIN_TEXT_LEN + 1];

static const char *const versions[] = {
	"NORMAL:-VERS-ALL:+VERS-TLS1.3",
	"NORMAL:-VERS-ALL:+VERS-TLS1.2",
};
#define VERSIONS ((int)COUNT(versions))

/* Not as the library does it: from the key itself. */
static void
pin_of(const struct cert *cert, char out[STLS_PIN_TEXT_LEN + 1])
{
	gnutls_datum_t spki = { NULL, 0 };
	unsigned char hash[32];
	gnutls_pubkey_t key;

	ck_assert_int_ge(gnutls_pubkey_init(&key), 0);
	ck_assert_int_ge(gnutls_pubkey_import_x509(key, cert->crt, 0), 0);
	ck_assert_int_ge(
	    gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &spki), 0);
	ck_assert_int_ge(
	    gnutls_hash_fast(GNUTLS_DIG_SHA256, spki.data, spki.size, hash), 0);
	strcpy(out, "sha256//");
	stls_base64_encode(out + 8, hash, sizeof(hash));
	gnutls_free(spki.data);
	gnutls_pubkey_deinit(key);
}

static void
setup(void)
{
	factory = factory_new();
	ca = factory_ca(factory);
	server = factory_server(factory, ca, "DNS:" HOST);
	other = factory_server(factory, ca, "DNS:" HOST);
	pin_of(server, right);
	pin_of(other, wrong);
	ck_assert_str_ne(right, wrong);
	context = peer_client_context(factory, ca);
	ck_assert_int_ge(gnutls_session_ticket_key_generate(&ticket_key), 0);
}

static void
teardown(void)
{
	gnutls_free(ticket_key.data);
	ticket_key.data = NULL;
	smtptls_context_free(context);
	factory_free(factory);
}

static void
pin(const char *text)
{
	ck_assert_ok(smtptls_context_add_pin(context, text));
}

/* What became of a handshake. */
static struct {
	int r;
	int is_verified;
	bool is_resumed;
	char sentence[512];
} last;

static int
note(struct peer *peer, struct smtptls_session *session)
{
	last.r = peer_handshake(peer, session);
	last.is_verified = smtptls_session_is_verified(session);
	last.is_resumed = gnutls_session_is_resumed(session->tls) != 0;
	snprintf(last.sentence, sizeof(last.sentence), "%s",
	    smtptls_session_error(session));
	return last.r;
}

static struct peer *
server_with(int version, const struct cert *cert)
{
	return PEER(.priority = versions[version], .chain = { cert },
	    .ticket_key = &ticket_key);
}

static int
visit(int version, const char *host, const struct cert *cert)
{
	struct peer *peer = server_with(version, cert);
	struct smtptls_session *session = peer_session(peer, context, host);
	int r = note(peer, session);

	smtptls_session_free(session);
	peer_free(peer);
	return r;
}

static void
assert_verified(void)
{
	ck_assert_msg(last.r == SMTPTLS_OK, "%s", last.sentence);
	ck_assert_int_eq(last.is_verified, 1);
}

static void
assert_not_pinned(const char *pin_of_server)
{
	char sentence[512];

	ck_assert_int_eq(last.r, SMTPTLS_E_CERTIFICATE);
	ck_assert_int_eq(last.is_verified, 0);
	snprintf(sentence, sizeof(sentence),
	    "certificate of " HOST
	    " has a key that is not pinned (its pin is %s)",
	    pin_of_server);
	ck_assert_str_eq(last.sentence, sentence);
}

static const char *const enough[][3] = {
	{ right },
	{ right, wrong },
	{ wrong, right },
	{ right, right },
};

START_TEST(key_that_is_one_of_the_pinned_ones_is_verified)
{
	size_t i;

	for (i = 0; enough[_i / VERSIONS][i] != NULL; i++)
		pin(enough[_i / VERSIONS][i]);
	visit(_i % VERSIONS, HOST, server);
	assert_verified();
}
END_TEST

START_TEST(key_that_is_not_pinned_is_refused_and_shown)
{
	pin(wrong);
	visit(_i, HOST, server);
	assert_not_pinned(right);
	/* It can be taken from there. */
	smtptls_context_free(context);
	context = peer_client_context(factory, ca);
	*strrchr(last.sentence, ')') = '\0';
	pin(strstr(last.sentence, "sha256//"));
	visit(_i, HOST, server);
	assert_verified();
}
END_TEST

START_TEST(renewed_certificate_with_the_same_key_is_verified)
{
	const struct cert *renewed = CERT(factory, ca, .names = "DNS:" HOST,
	    .eku = GNUTLS_KP_TLS_WWW_SERVER, .key_of = server);

	pin(right);
	visit(_i, HOST, server);
	assert_verified();
	visit(_i, HOST, renewed);
	assert_verified();
}
END_TEST

static const struct cert_spec kinds[] = {
	{ .rsa_bits = 2048 },
	{ .curve = GNUTLS_ECC_CURVE_SECP384R1 },
};

START_TEST(any_kind_of_key_can_be_pinned)
{
	struct cert_spec spec = kinds[_i];
	const struct cert *cert;

	spec.names = "DNS:" HOST;
	cert = factory_cert(factory, ca, &spec);
	pin_of(cert, right);
	pin(right);
	visit(0, HOST, cert);
	assert_verified();
}
END_TEST

/* Whoever has another certificate of the CA has that in the chain too. */
START_TEST(pinned_key_of_a_ca_is_none_of_the_server)
{
	struct peer *peer = PEER(.priority = versions[_i],
	    .chain = { server, ca });
	struct smtptls_session *session;
	char of_ca[STLS_PIN_TEXT_LEN + 1];

	pin_of(ca, of_ca);
	pin(of_ca);
	session = peer_session(peer, context, HOST);
	note(peer, session);
	assert_not_pinned(right);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

/* ---- what a pin does not make up for ---- */

enum fault {
	OTHER_NAME,
	OTHER_CA,
	SELF_SIGNED,
	EXPIRED,
	OTHER_PURPOSE
};

static const struct {
	enum fault fault;
	const char *words;
} faults[] = {
	{ OTHER_NAME, "the certificate names " HOST ", not other.example.org" },
	{ OTHER_CA, "\"CN=Other Root\"" },
	{ SELF_SIGNED, "is self-signed and not trusted itself" },
	{ EXPIRED, " expired on " },
	{ OTHER_PURPOSE, "is not for TLS servers" },
};

static const struct cert *
faulty(enum fault fault)
{
	struct cert_spec spec = { .names = "DNS:" HOST,
		.eku = GNUTLS_KP_TLS_WWW_SERVER };

	switch (fault) {
	case OTHER_CA:
		return factory_cert(factory,
		    CERT(factory, NULL, .cn = "Other Root", .ca = true), &spec);
	case SELF_SIGNED:
		return factory_cert(factory, NULL, &spec);
	case EXPIRED:
		spec.not_after = -600;
		return factory_cert(factory, ca, &spec);
	case OTHER_PURPOSE:
		spec.eku = GNUTLS_KP_TLS_WWW_CLIENT;
		return factory_cert(factory, ca, &spec);
	default:
		return factory_cert(factory, ca, &spec);
	}
}

START_TEST(right_pin_makes_up_for_no_other_fault)
{
	enum fault fault = faults[_i / VERSIONS].fault;
	const struct cert *cert = faulty(fault);

	pin_of(cert, right);
	pin(right);
	visit(_i % VERSIONS, fault == OTHER_NAME ? "other.example.org" : HOST,
	    cert);
	ck_assert_int_eq(last.r, SMTPTLS_E_CERTIFICATE);
	ck_assert_int_eq(last.is_verified, 0);
	ck_assert_msg(
	    strstr(last.sentence, faults[_i / VERSIONS].words) != NULL, "%s",
	    last.sentence);
	ck_assert_ptr_null(strstr(last.sentence, "pin"));
}
END_TEST

START_TEST(right_pin_makes_up_for_no_revocation)
{
	const char *pem = factory_crl(
	    factory, ca, &(struct crl_spec){ .revoked = { server } });

	ck_assert_ok(smtptls_context_load_crl_mem(context, pem, strlen(pem)));
	pin(right);
	visit(_i, HOST, server);
	ck_assert_int_eq(last.r, SMTPTLS_E_CERTIFICATE);
	ck_assert_ptr_nonnull(strstr(last.sentence, " was revoked on "));
}
END_TEST

/* ---- resumption ---- */

static void
take_tickets(struct smtptls_session *session)
{
	char byte;
	size_t len;

	ck_assert_int_eq(
	    smtptls_session_read(session, &byte, 1, &len), SMTPTLS_AGAIN);
}

/* Connect once with a context, and take what there is to resume. */
static struct smtptls_resumption *
visit_and_save(
    int version, struct smtptls_context *with, gnutls_datum_t *stolen)
{
	struct peer *peer = server_with(version, server);
	struct smtptls_session *session = peer_session(peer, with, HOST);
	struct smtptls_resumption *saved = NULL;

	ck_assert_ok(peer_handshake(peer, session));
	take_tickets(session);
	if (stolen != NULL)
		ck_assert_int_ge(
		    gnutls_session_get_data2(session->tls, stolen), 0);
	else
		ck_assert_ok(smtptls_session_save(session, &saved));
	smtptls_session_free(session);
	peer_free(peer);
	return saved;
}

START_TEST(session_with_a_pinned_key_is_resumed_and_verified_again)
{
	struct smtptls_resumption *saved;
	struct peer *peer;
	struct smtptls_session *session;

	pin(wrong);
	pin(right);
	saved = visit_and_save(_i, context, NULL);
	/* Only who resumes gets on with a stranger. */
	peer = server_with(_i, CERT(factory, NULL, .cn = "stranger"));
	session = peer_session(peer, context, HOST);
	ck_assert_ok(smtptls_session_resume(session, saved));
	note(peer, session);
	assert_verified();
	ck_assert(last.is_resumed);
	smtptls_resumption_free(saved);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

/* What is wrong is known only at the end, as GnuTLS has not asked before. */
START_TEST(session_of_a_key_that_is_not_pinned_does_not_become_verified)
{
	struct smtptls_context *without = peer_client_context(factory, ca);
	gnutls_datum_t data = { NULL, 0 };
	struct peer *peer;
	struct smtptls_session *session;
	bool is_right = _i / VERSIONS == 1;

	pin(is_right ? right : wrong);
	visit_and_save(_i % VERSIONS, without, &data);
	peer = server_with(
	    _i % VERSIONS, CERT(factory, NULL, .cn = "stranger"));
	session = peer_session(peer, context, HOST);
	ck_assert_int_ge(
	    gnutls_session_set_data(session->tls, data.data, data.size), 0);
	note(peer, session);
	ck_assert(last.is_resumed);
	if (is_right)
		assert_verified();
	else
		assert_not_pinned(right);
	gnutls_free(data.data);
	smtptls_session_free(session);
	peer_free(peer);
	smtptls_context_free(without);
}
END_TEST

START_TEST(contexts_with_other_pins_share_no_session)
{
	struct smtptls_context *more = peer_client_context(factory, ca);
	struct smtptls_resumption *saved;
	struct peer *peer = server_with(_i, server);
	struct smtptls_session *session;

	pin(right);
	ck_assert_ok(smtptls_context_add_pin(more, right));
	ck_assert_ok(smtptls_context_add_pin(more, wrong));
	saved = visit_and_save(_i, more, NULL);
	session = peer_session(peer, context, HOST);
	ck_assert_int_eq(
	    smtptls_session_resume(session, saved), SMTPTLS_E_INVALID);
	note(peer, session);
	assert_verified();
	ck_assert(!last.is_resumed);
	smtptls_resumption_free(saved);
	smtptls_session_free(session);
	peer_free(peer);
	smtptls_context_free(more);
}
END_TEST

/* The memory of verdicts knows nothing of pins, and is asked before them. */
START_TEST(pins_are_looked_at_behind_a_verdict_that_is_remembered)
{
	struct stls_err err;

	visit(0, HOST, server);
	assert_verified();
	visit(0, HOST, server);
	assert_verified();
	ck_assert_uint_eq(context->verdicts.used, 1);
	/* No call does this: the context is in use. */
	ck_assert_ok(stls_pins_add(&context->pins, &err, wrong));
	visit(0, HOST, server);
	assert_not_pinned(right);
	ck_assert_uint_eq(context->verdicts.used, 2);
}
END_TEST

/* ---- beside other settings ---- */

START_TEST(who_has_another_key_is_shown_no_certificate_of_ours)
{
	const struct cert *own = CERT(
	    factory, ca, .cn = "user", .eku = GNUTLS_KP_TLS_WWW_CLIENT);
	bool is_right = _i / VERSIONS == 1;
	struct peer *peer;
	struct smtptls_session *session;
	unsigned int count = 0;

	ck_assert_ok(smtptls_context_load_cert_chain(context,
	    factory_file(
		factory, "own.pem", factory_pem(factory, own, NULL, NULL)),
	    factory_file(factory, "own.key", factory_key_pem(factory, own)),
	    NULL, NULL));
	pin(is_right ? right : wrong);
	peer = PEER(.priority = versions[_i % VERSIONS], .chain = { server },
	    .asks_for_cert = true);
	session = peer_session(peer, context, HOST);
	note(peer, session);
	if (is_right)
		assert_verified();
	else
		assert_not_pinned(right);
	ck_assert_int_eq(
	    gnutls_certificate_get_peers(peer->tls, &count) != NULL, is_right);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

/* Whatever is accepted then: the key is one that was asked for, or an error. */
START_TEST(insecure_context_looks_at_its_pins_too)
{
	const struct cert *stranger = CERT(
	    factory, NULL, .names = "DNS:other.example.org");
	const struct cert *cert = _i % 2 == 0 ? server : stranger;
	bool any_cert = _i / 2 % 2 == 1 || cert == stranger;
	bool is_right = _i / 4 == 1;

	pin_of(cert, right);
	pin(is_right ? right : wrong);
	ck_assert_ok(smtptls_context_insecure_no_check_hostname(context));
	if (any_cert)
		ck_assert_ok(smtptls_context_insecure_no_verify(context));
	visit(0, HOST, cert);
	ck_assert_int_eq(last.is_verified, 0);
	if (is_right) {
		ck_assert_msg(last.r == SMTPTLS_OK, "%s", last.sentence);
		return;
	}
	ck_assert_int_eq(last.r, SMTPTLS_E_CERTIFICATE);
	ck_assert_ptr_nonnull(strstr(last.sentence, "not pinned (its pin is "));
	ck_assert_ptr_nonnull(strstr(last.sentence, right));
}
END_TEST

/* ---- what is no pin ---- */

#define BASE64 "d6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZWmM="

static const struct {
	const char *what;
	const char *pin;
} malformed[] = {
	{ "nothing", "" },
	{ "no prefix", BASE64 },
	{ "one of another hash", "sha1//qvTGHdzF6KLavt4PO0gs2a6pQ00=" },
	{ "another hash said", "sha1//" BASE64 },
	{ "nothing behind it", "sha256//" },
	{ "short", "sha256//d6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZWg==" },
	{ "long", "sha256//d6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZWmMA" },
	{ "bad base64",
	    "sha256//d6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZWm!=" },
	{ "no padding", "sha256//d6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZWmM" },
	{ "bits left over",
	    "sha256//d6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZWmN=" },
	{ "a blank inside",
	    "sha256//d6qzRu9zOECb90Uez27 WltNsj0e1Md7GkYYkVoZWmM=" },
	{ "a blank in front", " sha256//" BASE64 },
	{ "a blank behind", "sha256//" BASE64 " " },
	{ "two at once", "sha256//" BASE64 ";sha256//" BASE64 },
};

START_TEST(malformed_pin_is_refused_and_spoils_the_context)
{
	struct smtptls_session *session = NULL;
	char sentence[512];

	ck_assert_msg(smtptls_context_add_pin(context, malformed[_i].pin) ==
		SMTPTLS_E_INVALID,
	    "%s", malformed[_i].what);
	snprintf(sentence, sizeof(sentence),
	    "a pin is sha256// and the 44 characters of base64 of a SHA-256, "
	    "not \"%s\"",
	    malformed[_i].pin);
	ck_assert_str_eq(smtptls_context_error(context), sentence);
	/* A good one comes too late. */
	ck_assert_int_eq(
	    smtptls_context_add_pin(context, right), SMTPTLS_E_INVALID);
	ck_assert_int_eq(
	    smtptls_session_new(context, HOST, &session), SMTPTLS_E_INVALID);
	ck_assert_str_eq(smtptls_session_error(session), sentence);
	smtptls_session_free(session);
}
END_TEST

START_TEST(no_pin_at_all_is_refused)
{
	ck_assert_int_eq(
	    smtptls_context_add_pin(context, NULL), SMTPTLS_E_INVALID);
	ck_assert_str_ne(smtptls_context_error(context), "");
	ck_assert_int_eq(
	    smtptls_context_add_pin(NULL, right), SMTPTLS_E_INVALID);
}
END_TEST

START_TEST(context_of_a_server_takes_no_pin)
{
	smtptls_context_free(context);
	ck_assert_ok(smtptls_context_new(SMTPTLS_CLIENT_AUTH, &context));
	ck_assert_int_eq(
	    smtptls_context_add_pin(context, right), SMTPTLS_E_INVALID);
	ck_assert_str_eq(smtptls_context_error(context),
	    "this is for client contexts, and the context is a server's");
}
END_TEST

START_TEST(context_in_use_takes_no_pin)
{
	visit(0, HOST, server);
	assert_verified();
	ck_assert_int_eq(
	    smtptls_context_add_pin(context, wrong), SMTPTLS_E_STATE);
	visit(0, HOST, server);
	assert_verified();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pins");
	TCase *tc = tcase_create("pins");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, key_that_is_one_of_the_pinned_ones_is_verified,
	    0, VERSIONS * (int)COUNT(enough));
	tcase_add_loop_test(
	    tc, key_that_is_not_pinned_is_refused_and_shown, 0, VERSIONS);
	tcase_add_loop_test(
	    tc, renewed_certificate_with_the_same_key_is_verified, 0, VERSIONS);
	tcase_add_loop_test(
	    tc, any_kind_of_key_can_be_pinned, 0, (int)COUNT(kinds));
	tcase_add_loop_test(
	    tc, pinned_key_of_a_ca_is_none_of_the_server, 0, VERSIONS);
	tcase_add_loop_test(tc, right_pin_makes_up_for_no_other_fault, 0,
	    VERSIONS * (int)COUNT(faults));
	tcase_add_loop_test(
	    tc, right_pin_makes_up_for_no_revocation, 0, VERSIONS);
	tcase_add_loop_test(tc,
	    session_with_a_pinned_key_is_resumed_and_verified_again, 0,
	    VERSIONS);
	tcase_add_loop_test(tc,
	    session_of_a_key_that_is_not_pinned_does_not_become_verified, 0,
	    2 * VERSIONS);
	tcase_add_loop_test(
	    tc, contexts_with_other_pins_share_no_session, 0, VERSIONS);
	tcase_add_test(
	    tc, pins_are_looked_at_behind_a_verdict_that_is_remembered);
	tcase_add_loop_test(tc,
	    who_has_another_key_is_shown_no_certificate_of_ours, 0,
	    2 * VERSIONS);
	tcase_add_loop_test(tc, insecure_context_looks_at_its_pins_too, 0, 8);
	tcase_add_loop_test(tc, malformed_pin_is_refused_and_spoils_the_context,
	    0, (int)COUNT(malformed));
	tcase_add_test(tc, no_pin_at_all_is_refused);
	tcase_add_test(tc, context_of_a_server_takes_no_pin);
	tcase_add_test(tc, context_in_use_takes_no_pin);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
