/* SPDX-License-Identifier: MIT */
/* Files of CAs and of revocation lists, in PEM and DER. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <smtptls/status.h>

#include "tls/source.h"
#include "tls/trust.h"

/* What is plainly base64 for us has to be the same for GnuTLS. */
static void
check_decoded(const struct stls_block *block)
{
	unsigned char *out = malloc(block->data.size);
	gnutls_datum_t theirs = { NULL, 0 };
	size_t len = stls_block_decode(out, block);

	FUZZ_CHECK(len <= block->data.size);
	if (block->label == NULL) {
		FUZZ_CHECK(len == block->data.size);
	} else if (len > 0) {
		FUZZ_CHECK(gnutls_pem_base64_decode2(
			       NULL, &block->data, &theirs) == 0);
		FUZZ_CHECK(theirs.size == len);
		FUZZ_CHECK(memcmp(theirs.data, out, len) == 0);
	}
	gnutls_free(theirs.data);
	free(out);
}

/* Blocks lie behind one another in the source. */
static void
check_blocks(const void *data, size_t len)
{
	const char *last = data;
	struct stls_source source;
	struct stls_block block;
	struct stls_err err = { 0 };
	int r;

	if (stls_source_init_mem(&source, &err, data, len) < 0)
		return;
	while ((r = stls_source_next(&source, &err, &block)) == SMTPTLS_OK) {
		const char *at = (const char *)block.data.data;

		FUZZ_CHECK(at >= last && block.data.size > 0);
		last = at + block.data.size;
		FUZZ_CHECK(last <= (const char *)data + len);
		check_decoded(&block);
	}
	FUZZ_CHECK(r == SMTPTLS_AGAIN || fuzz_is_sentence(err.text));
	stls_source_done(&source);
}

/*
 * What was put off because it is plain can be parsed when it is needed, and has
 * the subject under which it is found.
 */
static void
check_store(const struct stls_store *store)
{
	gnutls_datum_t name;
	struct stls_err err;
	gnutls_x509_crt_t crt;
	size_t i;

	FUZZ_CHECK(store->count > 0);
	for (i = 0; i < store->count; i++) {
		FUZZ_CHECK(stls_store_parse(store, &err, SMTPTLS_E_CERTIFICATE,
			       i, &crt) == SMTPTLS_OK);
		FUZZ_CHECK(gnutls_x509_crt_get_raw_dn(crt, &name) == 0);
		FUZZ_CHECK(stls_store_is_named(
		    store, i, &name, stls_store_hash(&name)));
		gnutls_free(name.data);
	}
}

/* Fails as a whole, or all of it is there; and the second time nothing is. */
static void
check_trust(const void *data, size_t len, bool is_eager)
{
	struct stls_trust trust = { .is_eager = is_eager };
	struct smtptls_cert_store_stats stats, again;
	struct stls_err err = { 0 };

	if (stls_trust_load_mem(&trust, &err, data, len) < 0) {
		FUZZ_CHECK(fuzz_is_sentence(err.text));
		FUZZ_CHECK(stls_trust_is_empty(&trust));
	} else {
		FUZZ_CHECK(!stls_trust_is_empty(&trust));
		if (!is_eager)
			check_store(&trust.store);
		FUZZ_CHECK(
		    stls_trust_stats(&trust, &err, &stats) == SMTPTLS_OK);
		FUZZ_CHECK(
		    stls_trust_load_mem(&trust, &err, data, len) == SMTPTLS_OK);
		FUZZ_CHECK(
		    stls_trust_stats(&trust, &err, &again) == SMTPTLS_OK);
		FUZZ_CHECK(is_eager || stats.x509 == again.x509);
		FUZZ_CHECK(stls_trust_list_cas(&trust, &err) == SMTPTLS_OK);
	}
	if (stls_trust_load_crl_mem(&trust, &err, data, len) < 0)
		FUZZ_CHECK(fuzz_is_sentence(err.text));
	stls_trust_done(&trust);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	bool is_eager = fuzz_flag(fuzz_take(&input), 0);
	void *copy = fuzz_copy(input.data, input.len);

	check_blocks(copy, input.len);
	check_trust(copy, input.len, is_eager);
	free(copy);
	return 0;
}
