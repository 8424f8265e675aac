/* SPDX-License-Identifier: MIT */
/* Certificates as a peer sends them: two octets of length, and DER. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <smtptls/status.h>

#include "tls/anchors.h"
#include "tls/chain.h"
#include "tls/hostname.h"
#include "tls/path.h"
#include "tls/peer-cert.h"
#include "tls/plain.h"
#include "tls/rules.h"

static const char *const hosts[] = { "mx.example.org", "192.0.2.1",
	"2001:db8::1", "xn--bcher-kva.example", "org" };
#define HOSTS (sizeof(hosts) / sizeof(hosts[0]))

/* What is plain GnuTLS parses, and has the same subject. */
static void
check_plain(const gnutls_datum_t *der, gnutls_x509_crt_t cert)
{
	gnutls_datum_t subject, theirs = { NULL, 0 };

	if (!stls_plain_is_cert(der->data, der->size, &subject))
		return;
	FUZZ_CHECK(cert != NULL);
	FUZZ_CHECK(subject.data > der->data);
	FUZZ_CHECK(subject.data + subject.size < der->data + der->size);
	FUZZ_CHECK(gnutls_x509_crt_get_raw_dn(cert, &theirs) == 0);
	FUZZ_CHECK(theirs.size == subject.size);
	FUZZ_CHECK(memcmp(theirs.data, subject.data, subject.size) == 0);
	gnutls_free(theirs.data);
}

static void
check_description(const gnutls_datum_t *der)
{
	struct stls_peer_cert *cert = NULL;
	struct stls_err err = { 0 };
	size_t i;

	if (stls_peer_cert_new(&err, der, &cert) < 0) {
		FUZZ_CHECK(fuzz_is_sentence(err.text));
		return;
	}
	const char *const texts[] = { cert->info.subject, cert->info.issuer,
		cert->info.serial, cert->info.not_before, cert->info.not_after,
		cert->info.names, cert->info.spki_sha256, cert->info.key };

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		FUZZ_CHECK(fuzz_is_printable(texts[i], strlen(texts[i])));
	stls_peer_cert_free(cert);
}

/* Who is named, GnuTLS finds in the subjectAltName, too. */
static void
check_names(gnutls_x509_crt_t cert)
{
	struct stls_err err = { 0 };
	struct stls_host host;
	unsigned char name[4096];
	size_t i, len;

	for (i = 0; i < HOSTS; i++) {
		FUZZ_CHECK(stls_host_parse(&err, hosts[i], strlen(hosts[i]),
			       &host) == SMTPTLS_OK);
		if (stls_hostname_match(&err, cert, &host) < 0) {
			FUZZ_CHECK(fuzz_is_sentence(err.text));
			continue;
		}
		len = sizeof(name);
		FUZZ_CHECK(
		    gnutls_x509_crt_get_subject_alt_name(cert, 0, name, &len,
			NULL) != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE);
		FUZZ_CHECK(
		    gnutls_x509_crt_check_hostname2(cert, hosts[i], 0) != 0);
	}
}

/* As if all of it were a path already, and the last one were trusted. */
static void
check_rules(const struct stls_chain *chain, const struct stls_verify *verify)
{
	struct stls_path path = { .count = chain->count };
	struct stls_err err = { 0 };
	size_t i;

	for (i = 0; i < chain->count; i++) {
		path.cert[i] = chain->cert[i];
		path.sent_as[i] = i;
	}
	if (stls_rules_check(&err, verify, &path) < 0)
		FUZZ_CHECK(fuzz_is_sentence(err.text));
}

/* And as it is done: what is not signed by whom it says leads nowhere. */
static void
find_path(const struct stls_chain *chain, const struct stls_verify *verify)
{
	struct stls_anchors anchors = { 0 };
	struct stls_path path = { .count = 0 };
	struct stls_err err = { 0 };
	size_t i;
	int r;

	r = stls_anchors_init_chain(&anchors, &err, verify->trust, chain);
	if (r == SMTPTLS_OK)
		r = stls_path_find(&err, verify, &anchors, chain, &path);
	if (r == SMTPTLS_OK) {
		FUZZ_CHECK(path.count > 0 && path.count <= STLS_PATH_MAX + 1);
		for (i = 0; i + 1 < path.count; i++)
			FUZZ_CHECK(gnutls_x509_crt_check_issuer(
				       path.cert[i], path.cert[i + 1]) == 1);
		FUZZ_CHECK(stls_rules_check(&err, verify, &path) == SMTPTLS_OK);
	} else {
		FUZZ_CHECK(fuzz_is_sentence(err.text));
	}
	stls_path_done(&path);
	stls_anchors_done(&anchors);
}

static void
check_chain(const struct stls_chain *chain, const gnutls_datum_t *last,
    unsigned int flags)
{
	struct stls_trust trust = { .is_eager = fuzz_flag(flags, 0) };
	struct stls_verify verify = {
		.purpose = fuzz_flag(flags, 1) ? SMTPTLS_CLIENT_AUTH
					       : SMTPTLS_SERVER_AUTH,
		.trust = &trust,
		.is_lax = fuzz_flag(flags, 2),
	};
	struct stls_err err = { 0 };

	check_rules(chain, &verify);
	if (stls_trust_load_mem(&trust, &err, last->data, last->size) ==
	    SMTPTLS_OK)
		find_path(chain, &verify);
	stls_trust_done(&trust);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	unsigned int flags = fuzz_take(&input);
	struct stls_chain chain = { .count = 0 };
	gnutls_datum_t der = { NULL, 0 };
	gnutls_x509_crt_t cert;
	size_t len;

	while (input.len > 2 && chain.count < STLS_PATH_MAX) {
		len = fuzz_take(&input) << 8;
		len |= fuzz_take(&input);
		if (len > input.len)
			len = input.len;
		free(der.data);
		der.data = fuzz_copy(input.data, len);
		der.size = (unsigned int)len;
		input.data += len;
		input.len -= len;
		FUZZ_CHECK(gnutls_x509_crt_init(&cert) == 0);
		check_description(&der);
		if (gnutls_x509_crt_import(cert, &der, GNUTLS_X509_FMT_DER) <
		    0) {
			check_plain(&der, NULL);
			gnutls_x509_crt_deinit(cert);
			continue;
		}
		check_plain(&der, cert);
		check_names(cert);
		chain.cert[chain.count++] = cert;
	}
	if (chain.count > 0)
		check_chain(&chain, &der, flags);
	stls_chain_done(&chain);
	free(der.data);
	return 0;
}
