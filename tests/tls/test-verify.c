/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "factory.h"
#include "peer.h"

#define HOST "mail.example.org"
#define LEAF "certificate of " HOST

/*
 * Each row is a server with one fault, and the same server without it. The
 * certificates are as in the wild otherwise, so that nothing but the fault
 * can be the reason.
 */
struct world {
	struct factory *factory;
	bool good;
	const struct cert *root;
	const struct cert *middle; /* a CA below the root; may be NULL */
	struct peer_spec peer;
	struct smtptls_context *context;
	const char *host;
	bool lax; /* the fault is not one of form, and neither is the rest */
	char sentence[512]; /* what is expected */
};

static const char *
date_in(long seconds)
{
	static char text[16];
	time_t when = time(NULL) + seconds;
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d", &tm);
	return text;
}

__attribute__((format(printf, 2, 3))) static void
expect(struct world *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->sentence, sizeof(w->sentence), fmt, ap);
	va_end(ap);
}

#define NO_NAMES "none"
#define NO_EKU "none"

/* A leaf as a server has it, but for what the row says. */
static const struct cert *
leaf_of(
    struct world *w, const struct cert *issuer, const struct cert_spec *changes)
{
	struct cert_spec spec = *changes;

	if (spec.cn == NULL)
		spec.cn = "server";
	if (spec.names == NULL)
		spec.names = "DNS:" HOST;
	else if (strcmp(spec.names, NO_NAMES) == 0)
		spec.names = NULL;
	if (spec.eku == NULL)
		spec.eku = GNUTLS_KP_TLS_WWW_SERVER;
	else if (strcmp(spec.eku, NO_EKU) == 0)
		spec.eku = NULL;
	return factory_cert(w->factory, issuer, &spec);
}

#define LEAF_OF(w, issuer, ...)                                                \
	leaf_of(w, issuer, &(struct cert_spec){ __VA_ARGS__ })

#define CA_OF(w, issuer, ...)                                                  \
	CERT((w)->factory, issuer, .ca = true, __VA_ARGS__)

/* root -> leaf, unless a row has made them itself. */
static void
serve(struct world *w, const struct cert *leaf, const struct cert *middle)
{
	w->peer.chain[0] = leaf;
	w->peer.chain[1] = middle;
}

static const struct cert *
root_of(struct world *w)
{
	if (w->root == NULL)
		w->root = CA_OF(w, NULL, .cn = "Test Root");
	return w->root;
}

static struct smtptls_context *
context_of(struct world *w)
{
	if (w->context == NULL)
		w->context = peer_client_context(w->factory, root_of(w));
	if (w->lax)
		ck_assert_ok(
		    smtptls_context_insecure_allow_lax_profile(w->context));
	return w->context;
}

/* ---- time ---- */

static void
leaf_expired(struct world *w)
{
	long until = -2 * FACTORY_DAY;

	serve(w,
	    LEAF_OF(w, root_of(w), .not_before = -9 * FACTORY_DAY,
		.not_after = w->good ? 3600 : until),
	    NULL);
	expect(w, LEAF " expired on %s", date_in(until));
}

static void
leaf_not_yet_valid(struct world *w)
{
	long from = 2 * FACTORY_DAY;

	serve(w, LEAF_OF(w, root_of(w), .not_before = w->good ? -60 : from),
	    NULL);
	expect(w, LEAF " is not valid before %s (is the clock right?)",
	    date_in(from));
}

static void
middle_expired(struct world *w)
{
	long until = -2 * FACTORY_DAY;
	const struct cert *middle = CA_OF(w, root_of(w), .cn = "Middle",
	    .not_before = -9 * FACTORY_DAY,
	    .not_after = w->good ? 3600 : until);

	serve(w, LEAF_OF(w, middle, .ca = false), middle);
	expect(w, "CA certificate \"CN=Middle\" expired on %s", date_in(until));
}

static void
root_expired(struct world *w)
{
	long until = -2 * FACTORY_DAY;

	w->root = CA_OF(w, NULL, .cn = "Test Root",
	    .not_before = -9 * FACTORY_DAY,
	    .not_after = w->good ? 3600 : until);
	serve(w, LEAF_OF(w, w->root, .ca = false), NULL);
	expect(
	    w, "CA certificate \"CN=Test Root\" expired on %s", date_in(until));
}

/* ---- names ---- */

static void
wrong_host(struct world *w)
{
	serve(w,
	    LEAF_OF(w, root_of(w),
		.names = w->good ? "DNS:a.example.org DNS:" HOST
				 : "DNS:a.example.org DNS:b.example.org"),
	    NULL);
	expect(
	    w, "the certificate names a.example.org, b.example.org, not " HOST);
}

static void
common_name_only(struct world *w)
{
	serve(w,
	    LEAF_OF(w, root_of(w), .cn = HOST,
		.names = w->good ? "DNS:" HOST : NO_NAMES),
	    NULL);
	expect(w,
	    "the certificate names no host (only subjectAltName "
	    "counts), not " HOST);
}

static void
wildcard_of_part_of_a_label(struct world *w)
{
	serve(w,
	    LEAF_OF(w, root_of(w),
		.names = w->good ? "DNS:*.example.org" : "DNS:m*.example.org"),
	    NULL);
	expect(w, "the certificate names m*.example.org, not " HOST);
}

static void
wildcard_for_two_labels(struct world *w)
{
	w->host = "a." HOST;
	serve(w,
	    LEAF_OF(w, root_of(w),
		.names = w->good ? "DNS:*." HOST : "DNS:*.example.org"),
	    NULL);
	expect(w, "the certificate names *.example.org, not a." HOST);
}

static void
address_as_a_name(struct world *w)
{
	w->host = "192.0.2.1";
	serve(w,
	    LEAF_OF(w, root_of(w),
		.names = w->good ? "IP:192.0.2.1" : "DNS:192.0.2.1"),
	    NULL);
	expect(w, "the certificate names 192.0.2.1, not 192.0.2.1");
}

/* ---- who signed ---- */

static void
unknown_ca(struct world *w)
{
	const struct cert *other = CA_OF(w, NULL, .cn = "Other Root");

	serve(w, LEAF_OF(w, w->good ? root_of(w) : other, .ca = false), NULL);
	expect(w,
	    LEAF " is issued by \"CN=Other Root\", which is not known: a "
		 "CA that is not trusted, or an intermediate certificate is "
		 "missing");
}

static void
unknown_ca_that_sends_its_root(struct world *w)
{
	const struct cert *other = CA_OF(w, NULL, .cn = "Other Root");

	if (w->good)
		w->context = peer_client_context(w->factory, other);
	serve(w, LEAF_OF(w, other, .ca = false), other);
	expect(w,
	    "CA certificate \"CN=Other Root\", the end of the chain, is "
	    "not trusted");
}

static void
self_signed(struct world *w)
{
	const struct cert *leaf = LEAF_OF(w, NULL, .ca = false);

	if (w->good)
		w->context = peer_client_context(w->factory, leaf);
	serve(w, leaf, NULL);
	expect(w, LEAF " is self-signed and not trusted itself");
}

static void
no_ca_at_all(struct world *w)
{
	if (!w->good)
		w->context = peer_client_context(w->factory, NULL);
	serve(w, LEAF_OF(w, root_of(w), .ca = false), NULL);
	expect(w, "no certificate can be verified: no CA was loaded");
}

static void
missing_intermediate(struct world *w)
{
	const struct cert *middle = CA_OF(w, root_of(w), .cn = "Middle");

	serve(w, LEAF_OF(w, middle, .ca = false), w->good ? middle : NULL);
	expect(w,
	    LEAF " is issued by \"CN=Middle\", which is not known: a CA "
		 "that is not trusted, or an intermediate certificate is "
		 "missing");
}

static void
forged_leaf(struct world *w)
{
	serve(w, LEAF_OF(w, root_of(w), .forged = !w->good), NULL);
	expect(w, LEAF " is not signed by the CA that it names");
}

static void
issuer_of_the_same_name(struct world *w)
{
	const struct cert *other = CERT(w->factory, NULL, .cn = "Test Root",
	    .ca = true, .no_key_ids = true);

	w->lax = true;
	w->root = CERT(w->factory, NULL, .cn = "Test Root", .ca = true,
	    .no_key_ids = true);
	serve(
	    w, LEAF_OF(w, w->good ? w->root : other, .no_key_ids = true), NULL);
	expect(w, LEAF " is not signed by the CA that it names");
}

static void
signed_by_a_leaf(struct world *w)
{
	const struct cert *middle = CERT(w->factory, root_of(w), .cn = "Middle",
	    .ca = w->good, .names = "DNS:evil.example");

	serve(w, LEAF_OF(w, middle, .ca = false), middle);
	expect(w,
	    "CA certificate \"CN=Middle\" signed a certificate and is "
	    "none of a CA");
}

static void
signed_by_a_version_1_certificate(struct world *w)
{
	const struct cert *middle = CERT(w->factory, root_of(w), .cn = "Middle",
	    .ca = true, .version_1 = !w->good);

	w->lax = true;
	serve(w, LEAF_OF(w, middle, .no_key_ids = true), middle);
	expect(w,
	    "CA certificate \"CN=Middle\" signed a certificate and is "
	    "none of a CA");
}

static void
signed_without_key_cert_sign(struct world *w)
{
	const struct cert *middle = CA_OF(w, root_of(w), .cn = "Middle",
	    .key_usage = w->good
		? GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_DIGITAL_SIGNATURE
		: GNUTLS_KEY_DIGITAL_SIGNATURE);

	serve(w, LEAF_OF(w, middle, .ca = false), middle);
	expect(w,
	    "CA certificate \"CN=Middle\" signed a certificate and must not "
	    "(its key usage does not have keyCertSign)");
}

static void
path_too_long(struct world *w)
{
	const struct cert *middle;

	w->root = CA_OF(w, NULL, .cn = "Test Root", .has_path_len = true,
	    .path_len = w->good ? 1 : 0);
	middle = CA_OF(w, w->root, .cn = "Middle");
	serve(w, LEAF_OF(w, middle, .ca = false), middle);
	expect(w,
	    "CA certificate \"CN=Test Root\" allows 0 CAs below it, and there "
	    "are 1");
}

/* ---- strength ---- */

static void
weak_key_of_leaf(struct world *w)
{
	serve(
	    w, LEAF_OF(w, root_of(w), .rsa_bits = w->good ? 2048 : 1024), NULL);
	expect(w, LEAF " has a weak key (RSA with 1024 bits)");
}

static void
weak_key_of_middle(struct world *w)
{
	const struct cert *middle = CA_OF(
	    w, root_of(w), .cn = "Middle", .rsa_bits = w->good ? 2048 : 1024);

	serve(w, LEAF_OF(w, middle, .ca = false), middle);
	expect(w,
	    "CA certificate \"CN=Middle\" has a weak key (RSA with 1024 "
	    "bits)");
}

static void
weak_key_of_root(struct world *w)
{
	w->root = CA_OF(
	    w, NULL, .cn = "Test Root", .rsa_bits = w->good ? 2048 : 1024);
	serve(w, LEAF_OF(w, w->root, .ca = false), NULL);
	expect(w,
	    "CA certificate \"CN=Test Root\" has a weak key (RSA with "
	    "1024 bits)");
}

static void
weak_curve_of_middle(struct world *w)
{
	const struct cert *middle = CA_OF(w, root_of(w), .cn = "Middle",
	    .curve = w->good ? GNUTLS_ECC_CURVE_SECP384R1
			     : GNUTLS_ECC_CURVE_SECP192R1);

	serve(w, LEAF_OF(w, middle, .ca = false), middle);
	expect(w,
	    "CA certificate \"CN=Middle\" has a weak key (EC/ECDSA with "
	    "192 bits)");
}

static void
sha1_leaf(struct world *w)
{
	serve(w,
	    LEAF_OF(w, root_of(w),
		.digest = w->good ? GNUTLS_DIG_SHA384 : GNUTLS_DIG_SHA1),
	    NULL);
	expect(w, LEAF " has a weak signature (ECDSA-SHA1)");
}

static void
sha1_middle(struct world *w)
{
	const struct cert *middle = CA_OF(w, root_of(w), .cn = "Middle",
	    .digest = w->good ? GNUTLS_DIG_SHA512 : GNUTLS_DIG_SHA1);

	serve(w, LEAF_OF(w, middle, .ca = false), middle);
	expect(w,
	    "CA certificate \"CN=Middle\" has a weak signature "
	    "(ECDSA-SHA1)");
}

static void
md5_leaf(struct world *w)
{
	w->root = CA_OF(w, NULL, .cn = "Test Root", .rsa_bits = 2048);
	serve(w,
	    LEAF_OF(w, w->root,
		.digest = w->good ? GNUTLS_DIG_SHA256 : GNUTLS_DIG_MD5),
	    NULL);
	expect(w, LEAF " has a weak signature (RSA-MD5)");
}

/* ---- purpose ---- */

#define WRONG_PURPOSE                                                          \
	" is not for TLS servers (its extended key usage does not have "       \
	"serverAuth)"

static void
purpose_of_clients(struct world *w)
{
	serve(w,
	    LEAF_OF(w, root_of(w),
		.eku = w->good ? GNUTLS_KP_TLS_WWW_CLIENT
		    " " GNUTLS_KP_TLS_WWW_SERVER
			       : GNUTLS_KP_TLS_WWW_CLIENT),
	    NULL);
	expect(w, LEAF WRONG_PURPOSE);
}

/* Private CAs often give no extended key usage at all. */
static void
purpose_empty(struct world *w)
{
	serve(w, LEAF_OF(w, root_of(w), .eku = w->good ? NO_EKU : ""), NULL);
	expect(w, LEAF WRONG_PURPOSE);
}

/* As with Python: any purpose is not this one. */
static void
purpose_any(struct world *w)
{
	serve(w,
	    LEAF_OF(w, root_of(w),
		.eku = w->good ? GNUTLS_KP_ANY " " GNUTLS_KP_TLS_WWW_SERVER
			       : GNUTLS_KP_ANY),
	    NULL);
	expect(w, LEAF WRONG_PURPOSE);
}

static void
purpose_of_middle(struct world *w)
{
	const struct cert *middle = CA_OF(w, root_of(w), .cn = "Middle",
	    .eku = w->good ? GNUTLS_KP_TLS_WWW_SERVER
			   : GNUTLS_KP_EMAIL_PROTECTION);

	serve(w, LEAF_OF(w, middle, .ca = false), middle);
	expect(w, "CA certificate \"CN=Middle\"" WRONG_PURPOSE);
}

/* ---- constraints, extensions ---- */

static void
name_is_excluded(struct world *w)
{
	const struct cert *middle = CA_OF(w, root_of(w), .cn = "Middle",
	    .excluded = w->good ? "DNS:example.com" : "DNS:example.org");

	serve(w, LEAF_OF(w, middle, .ca = false), middle);
	expect(w,
	    LEAF " has the name " HOST
		 ", which CA \"CN=Middle\" must not certify");
}

static void
name_is_not_permitted(struct world *w)
{
	const struct cert *middle = CA_OF(w, root_of(w), .cn = "Middle",
	    .permitted = w->good ? "DNS:example.org" : "DNS:example.com");

	serve(w, LEAF_OF(w, middle, .ca = false), middle);
	expect(w,
	    LEAF " has the name " HOST
		 ", and CA \"CN=Middle\" may certify others only");
}

/* A constraint on addresses says nothing about names. */
static void
address_is_not_permitted(struct world *w)
{
	const struct cert *middle = CA_OF(
	    w, root_of(w), .cn = "Middle", .permitted = "IP:192.0.2.0/24");

	serve(w,
	    LEAF_OF(w, middle,
		.names = w->good ? "DNS:" HOST
				 : "DNS:" HOST " IP:198.51.100.1"),
	    middle);
	expect(w,
	    LEAF " has the name 198.51.100.1, and CA \"CN=Middle\" may "
		 "certify others only");
}

static void
unknown_critical_extension(struct world *w)
{
	static const unsigned char der_null[] = { 0x05, 0x00 };

	serve(w,
	    LEAF_OF(w, root_of(w), .extra_oid = "1.3.6.1.4.1.55555.1",
		.extra_der = der_null, .extra_len = sizeof(der_null),
		.extra_critical = !w->good),
	    NULL);
	expect(w,
	    LEAF " has a critical extension that is not known "
		 "(1.3.6.1.4.1.55555.1)");
}

/* ---- revocation lists ---- */

static void
load_crl(struct world *w, const struct cert *issuer, struct crl_spec spec)
{
	const char *pem = factory_crl(w->factory, issuer, &spec);

	ck_assert_msg(smtptls_context_load_crl_mem(
			  context_of(w), pem, strlen(pem)) == SMTPTLS_OK,
	    "%s", smtptls_context_error(w->context));
}

static void
revoked(struct world *w)
{
	const struct cert *leaf = LEAF_OF(w, root_of(w), .ca = false);
	const struct cert *other = LEAF_OF(w, root_of(w), .ca = false);

	load_crl(w, root_of(w),
	    (struct crl_spec){ .revoked = { w->good ? other : leaf } });
	serve(w, leaf, NULL);
	expect(w, LEAF ": the certificate CN=server was revoked on %s",
	    date_in(-3600));
}

/* With a list for one CA there must be one for each. */
static void
no_revocation_list(struct world *w)
{
	const struct cert *middle = CA_OF(w, root_of(w), .cn = "Middle"), *both;
	const char *pem;

	load_crl(w, root_of(w), (struct crl_spec){ .digest = 0 });
	serve(w, LEAF_OF(w, middle, .ca = false), middle);
	expect(w, LEAF ": no revocation list of CN=Middle is loaded");
	if (!w->good)
		return;
	both = middle;
	pem = factory_pem(w->factory, both, NULL, NULL);
	ck_assert_ok(
	    smtptls_context_load_verify_mem(w->context, pem, strlen(pem)));
	load_crl(w, middle, (struct crl_spec){ .digest = 0 });
}

static void
middle_revoked(struct world *w)
{
	const struct cert *middle = CA_OF(w, root_of(w), .cn = "Middle");
	const struct cert *other = CA_OF(w, root_of(w), .cn = "Other");
	const char *lists[2];
	char *both;

	lists[0] = factory_crl(w->factory, root_of(w),
	    &(struct crl_spec){ .revoked = { w->good ? other : middle } });
	lists[1] = factory_crl(
	    w->factory, middle, &(struct crl_spec){ .digest = 0 });
	ck_assert_int_ge(asprintf(&both, "%s%s%s", lists[0], lists[1],
			     factory_pem(w->factory, middle, NULL, NULL)),
	    0);
	ck_assert_msg(smtptls_context_load_crl_mem(
			  context_of(w), both, strlen(both)) == SMTPTLS_OK,
	    "%s", smtptls_context_error(w->context));
	free(both);
	serve(w, LEAF_OF(w, middle, .ca = false), middle);
	expect(w,
	    "CA certificate \"CN=Middle\": the certificate CN=Middle was "
	    "revoked on %s",
	    date_in(-3600));
}

/* ---- */

#define ROW(f)                                                                 \
	{                                                                      \
#f, f                                                          \
	}

static const struct {
	const char *name;
	void (*build)(struct world *w);
} rows[] = {
	ROW(leaf_expired),
	ROW(leaf_not_yet_valid),
	ROW(middle_expired),
	ROW(root_expired),
	ROW(wrong_host),
	ROW(common_name_only),
	ROW(wildcard_of_part_of_a_label),
	ROW(wildcard_for_two_labels),
	ROW(address_as_a_name),
	ROW(unknown_ca),
	ROW(unknown_ca_that_sends_its_root),
	ROW(self_signed),
	ROW(no_ca_at_all),
	ROW(missing_intermediate),
	ROW(forged_leaf),
	ROW(issuer_of_the_same_name),
	ROW(signed_by_a_leaf),
	ROW(signed_by_a_version_1_certificate),
	ROW(signed_without_key_cert_sign),
	ROW(path_too_long),
	ROW(weak_key_of_leaf),
	ROW(weak_key_of_middle),
	ROW(weak_key_of_root),
	ROW(weak_curve_of_middle),
	ROW(sha1_leaf),
	ROW(sha1_middle),
	ROW(md5_leaf),
	ROW(purpose_of_clients),
	ROW(purpose_empty),
	ROW(purpose_any),
	ROW(purpose_of_middle),
	ROW(name_is_excluded),
	ROW(name_is_not_permitted),
	ROW(address_is_not_permitted),
	ROW(unknown_critical_extension),
	ROW(revoked),
	ROW(no_revocation_list),
	ROW(middle_revoked),
};

#define ROWS COUNT(rows)

static struct world *
world_new(size_t index, bool good)
{
	struct world *w = calloc(1, sizeof(*w));

	ck_assert_ptr_nonnull(w);
	w->factory = factory_new();
	w->good = good;
	w->host = HOST;
	/* Whether anchors are parsed when they are needed, or at once. */
	peer_client_is_eager = index / 2 % 2 != 0;
	rows[index / 4].build(w);
	w->peer.priority = index % 2 == 0 ? "NORMAL:-VERS-ALL:+VERS-TLS1.3"
					  : "NORMAL:-VERS-ALL:+VERS-TLS1.2";
	return w;
}

/* Under Valgrind each row has one of its four ways. */
static bool
is_quick(void)
{
	return getenv("STLS_TEST_QUICK") != NULL;
}

static size_t
index_of(int i)
{
	size_t index = (size_t)i;

	return is_quick() ? 4 * index + index % 4 : index;
}

static void
world_free(struct world *w)
{
	smtptls_context_free(w->context);
	factory_free(w->factory);
	free(w);
}

START_TEST(a_server_without_the_fault_is_verified)
{
	struct world *w = world_new(index_of(_i), true);
	struct peer *peer = peer_new(&w->peer);
	struct smtptls_session *session = peer_session(
	    peer, context_of(w), w->host);
	int r = peer_handshake(peer, session);

	ck_assert_msg(r == SMTPTLS_OK, "%s: %s", rows[index_of(_i) / 4].name,
	    smtptls_session_error(session));
	ck_assert_int_eq(smtptls_session_is_verified(session), 1);
	smtptls_session_free(session);
	peer_free(peer);
	world_free(w);
}
END_TEST

START_TEST(a_server_with_the_fault_is_refused_with_the_reason)
{
	struct world *w = world_new(index_of(_i), false);
	struct peer *peer = peer_new(&w->peer);
	struct smtptls_session *session = peer_session(
	    peer, context_of(w), w->host);
	int r = peer_handshake(peer, session);
	char buf[8];
	size_t len;

	ck_assert_msg(r == SMTPTLS_E_CERTIFICATE, "%s: %d %s",
	    rows[index_of(_i) / 4].name, r, smtptls_session_error(session));
	ck_assert_str_eq(smtptls_session_error(session), w->sentence);
	/* And nothing can be done with it. */
	ck_assert_int_eq(smtptls_session_is_verified(session), 0);
	ck_assert_int_eq(smtptls_session_write(session, "x", 1, &len),
	    SMTPTLS_E_CERTIFICATE);
	ck_assert_int_eq(
	    smtptls_session_read(session, buf, 8, &len), SMTPTLS_E_CERTIFICATE);
	ck_assert_int_eq(
	    smtptls_session_handshake(session), SMTPTLS_E_CERTIFICATE);
	/* The server learns of it by an alert. */
	peer_step(peer);
	if (peer->result == 0)
		peer->result = (int)gnutls_record_recv(
		    peer->tls, buf, sizeof(buf));
	ck_assert_int_eq(peer->result, GNUTLS_E_FATAL_ALERT_RECEIVED);
	smtptls_session_free(session);
	peer_free(peer);
	world_free(w);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("verify");
	TCase *tc = tcase_create("verify");
	int last = is_quick() ? ROWS : 4 * ROWS;

	tcase_add_loop_test(
	    tc, a_server_without_the_fault_is_verified, 0, last);
	tcase_add_loop_test(
	    tc, a_server_with_the_fault_is_refused_with_the_reason, 0, last);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
