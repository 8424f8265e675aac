/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "factory.h"
#include "tls/store.h"

static struct factory *factory;
static struct stls_store store;
static struct stls_err err;
static const struct cert *a, *b, *old;

static void
make_certificates(void)
{
	factory = factory_new();
	a = CERT(factory, NULL, .cn = "A", .ca = true);
	b = CERT(factory, NULL, .cn = "B", .ca = true);
	old = CERT(factory, NULL, .cn = "Old", .version_1 = true);
}

static void
free_certificates(void)
{
	factory_free(factory);
}

static void
setup(void)
{
	memset(&store, 0, sizeof(store));
}

static void
teardown(void)
{
	stls_store_done(&store);
}

static int
load_data(const void *data, size_t len, bool lenient)
{
	struct stls_source source;

	ck_assert_ok(stls_source_init_mem(&source, &err, data, len));
	source.name = "ca.pem";
	return stls_store_load(&store, &err, &source, lenient);
}

static int
load(const char *text)
{
	return load_data(text, strlen(text), false);
}

static const char *
pem(const struct cert *one, const struct cert *two, const struct cert *three)
{
	return factory_pem(factory, one, two, three);
}

/* Whether an anchor is this certificate, by name and as it is parsed. */
static void
assert_anchor(size_t index, const struct cert *cert)
{
	gnutls_datum_t name = { NULL, 0 };
	gnutls_x509_crt_t crt = NULL;

	ck_assert_uint_lt(index, store.count);
	ck_assert_ok(gnutls_x509_crt_get_raw_dn(cert->crt, &name));
	ck_assert(
	    stls_store_is_named(&store, index, &name, stls_store_hash(&name)));
	gnutls_free(name.data);
	ck_assert_ok(
	    stls_store_parse(&store, &err, SMTPTLS_E_INVALID, index, &crt));
	ck_assert_uint_ne(gnutls_x509_crt_equals(crt, cert->crt), 0);
}

START_TEST(anchors_stay_in_their_order_and_duplicates_count_once)
{
	ck_assert_ok(load(pem(b, a, b)));
	ck_assert_uint_eq(store.count, 2);
	ck_assert_ok(load(pem(a, old, b)));
	ck_assert_uint_eq(store.count, 3);
	ck_assert_uint_eq(store.origin[1].len, factory_der(factory, old)->size);
	assert_anchor(0, b);
	assert_anchor(1, a);
	assert_anchor(2, old);
}
END_TEST

START_TEST(der_is_kept_as_pem_is)
{
	const gnutls_datum_t *one = factory_der(factory, a);
	const gnutls_datum_t *two = factory_der(factory, old);
	unsigned char data[8192];

	memcpy(data, one->data, one->size);
	memcpy(data + one->size, two->data, two->size);
	ck_assert_ok(load_data(data, one->size + two->size, false));
	ck_assert_ok(load(pem(a, old, b)));
	ck_assert_uint_eq(store.count, 3);
	assert_anchor(0, a);
	assert_anchor(1, old);
	assert_anchor(2, b);
}
END_TEST

START_TEST(what_is_plain_is_parsed_when_it_is_needed_and_once)
{
	gnutls_x509_crt_t first, again;

	ck_assert_ok(load(pem(a, old, NULL)));
	ck_assert_ptr_null(atomic_load(&store.anchor[0].crt));
	/* And the rest when it is loaded. */
	ck_assert_ptr_nonnull(atomic_load(&store.anchor[1].crt));
	ck_assert_ok(
	    stls_store_parse(&store, &err, SMTPTLS_E_INVALID, 0, &first));
	ck_assert_ok(
	    stls_store_parse(&store, &err, SMTPTLS_E_INVALID, 0, &again));
	ck_assert_ptr_eq(first, again);
}
END_TEST

/* A whole line in front, so that the second certificate is not in line 1. */
START_TEST(what_cannot_be_parsed_after_all_is_an_error_with_its_place)
{
	struct stls_certs certs = { 0 };
	gnutls_x509_crt_t crt = NULL;
	const char *expected = "ca.pem line 2: no valid certificate: ";
	char text[8192];

	snprintf(text, sizeof(text), "A:\n%s", pem(a, NULL, NULL));
	ck_assert_ok(load(text));
	ck_assert_ok(load(pem(b, NULL, NULL)));
	/* What GnuTLS may know of a certificate and we do not. */
	store.origin[0].der[4] ^= 1;
	ck_assert_int_eq(
	    stls_store_parse(&store, &err, SMTPTLS_E_CERTIFICATE, 0, &crt),
	    SMTPTLS_E_CERTIFICATE);
	ck_assert_int_eq(err.code, SMTPTLS_E_CERTIFICATE);
	ck_assert_int_eq(strncmp(err.text, expected, strlen(expected)), 0);
	ck_assert_ptr_null(crt);
	ck_assert_int_eq(
	    stls_store_copy(&store, &err, 0, &certs), SMTPTLS_E_INVALID);
	ck_assert_int_eq(strncmp(err.text, expected, strlen(expected)), 0);
	stls_certs_done(&certs);
	/* It does no harm to the others. */
	assert_anchor(1, b);
}
END_TEST

START_TEST(der_that_cannot_be_parsed_after_all_has_an_offset)
{
	const gnutls_datum_t *der = factory_der(factory, a);
	const char *expected = "ca.pem byte 0: no valid certificate: ";
	gnutls_x509_crt_t crt = NULL;

	ck_assert_ok(load_data(der->data, der->size, false));
	store.origin[0].der[4] ^= 1;
	ck_assert_int_lt(
	    stls_store_parse(&store, &err, SMTPTLS_E_INVALID, 0, &crt), 0);
	ck_assert_int_eq(strncmp(err.text, expected, strlen(expected)), 0);
}
END_TEST

START_TEST(a_source_that_fails_leaves_nothing_behind)
{
	char text[16384];

	ck_assert_ok(load(pem(a, NULL, NULL)));
	snprintf(text, sizeof(text),
	    "%s-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	    pem(b, old, a));
	ck_assert_int_eq(load(text), SMTPTLS_E_INVALID);
	ck_assert_uint_eq(store.count, 1);
	ck_assert_uint_eq(store.origins, 1);
	/* Nor does it hide what comes later. */
	ck_assert_ok(load(pem(a, b, old)));
	ck_assert_uint_eq(store.count, 3);
	assert_anchor(0, a);
	assert_anchor(1, b);
	assert_anchor(2, old);
}
END_TEST

START_TEST(origins_are_cut_off_behind_a_point)
{
	ck_assert_ok(load(pem(a, NULL, NULL)));
	ck_assert_ok(load(pem(b, NULL, NULL)));
	ck_assert_ok(load(pem(old, NULL, NULL)));
	stls_store_cut(&store, 1);
	ck_assert_uint_eq(store.count, 1);
	assert_anchor(0, a);
	stls_store_cut(&store, 0);
	ck_assert_uint_eq(store.count, 0);
	ck_assert_ok(load(pem(a, NULL, NULL)));
	assert_anchor(0, a);
}
END_TEST

START_TEST(copies_are_made_of_what_came_last)
{
	struct stls_certs certs = { 0 };

	ck_assert_ok(load(pem(a, NULL, NULL)));
	ck_assert_ok(load(pem(b, old, NULL)));
	ck_assert_ok(stls_store_copy(&store, &err, 1, &certs));
	ck_assert_uint_eq(certs.count, 2);
	ck_assert_uint_ne(gnutls_x509_crt_equals(certs.crt[0], b->crt), 0);
	ck_assert_uint_ne(gnutls_x509_crt_equals(certs.crt[1], old->crt), 0);
	stls_certs_done(&certs);
}
END_TEST

START_TEST(certificates_are_the_same_to_their_last_octet_or_not)
{
	const struct cert *other = CERT(factory, NULL, .cn = "A", .ca = true);
	gnutls_x509_crt_t copy = stls_cert_copy(a->crt);

	ck_assert_ptr_nonnull(copy);
	ck_assert(stls_cert_is_same(a->crt, a->crt));
	ck_assert(stls_cert_is_same(a->crt, copy));
	ck_assert(!stls_cert_is_same(a->crt, b->crt));
	ck_assert(!stls_cert_is_same(other->crt, copy));
	gnutls_x509_crt_deinit(copy);
}
END_TEST

START_TEST(other_blocks_are_passed_over_where_that_is_asked_for)
{
	static const char other[] = "-----BEGIN TRUSTED CERTIFICATE-----\n"
				    "AAAA\n"
				    "-----END TRUSTED CERTIFICATE-----\n";
	char text[8192];

	snprintf(text, sizeof(text), "%s%s", other, pem(a, NULL, NULL));
	ck_assert_int_eq(
	    load_data(text, strlen(text), false), SMTPTLS_E_INVALID);
	ck_assert_str_eq(err.text,
	    "ca.pem line 1: TRUSTED CERTIFICATE is not a certificate");
	ck_assert_ok(load_data(text, strlen(text), true));
	ck_assert_uint_eq(store.count, 1);
	ck_assert_int_eq(
	    load_data(other, strlen(other), true), SMTPTLS_E_INVALID);
	ck_assert_str_eq(err.text, "ca.pem: no certificate in it");
}
END_TEST

/* What is not public is wiped: a key may stand between certificates. */
START_TEST(only_certificates_alone_are_public)
{
	char text[8192];
	struct stls_source source;

	snprintf(text, sizeof(text), "%s-----BEGIN X-----\n-----END X-----\n",
	    pem(a, NULL, NULL));
	ck_assert_ok(stls_source_init_mem(&source, &err, text, strlen(text)));
	ck_assert_int_lt(stls_store_load(&store, &err, &source, false), 0);
	ck_assert(!source.is_public);
	stls_source_rewind(&source);
	ck_assert_ok(stls_store_load(&store, &err, &source, true));
	ck_assert(!source.is_public);
	text[strlen(pem(a, NULL, NULL))] = '\0';
	ck_assert_ok(stls_source_init_mem(&source, &err, text, strlen(text)));
	ck_assert_ok(stls_store_load(&store, &err, &source, true));
	ck_assert(source.is_public);
}
END_TEST

START_TEST(a_ca_without_a_name_is_one_of_an_empty_name)
{
	const struct cert *nameless = CERT(factory, NULL, .cn = "", .ca = true);

	ck_assert_ok(load(pem(a, nameless, NULL)));
	ck_assert_ptr_nonnull(atomic_load(&store.anchor[1].crt));
	assert_anchor(0, a);
	assert_anchor(1, nameless);
}
END_TEST

/*
 * Thousands of one name, told apart by the end of the signature and more. They
 * are all found, and none costs a look at all the others.
 */
START_TEST(many_of_one_name_load_in_a_moment)
{
	const gnutls_datum_t *der = factory_der(factory, a);
	size_t many = test_rounds(20000), i, named = 0;
	unsigned char *data = malloc(der->size * many), *p = data;
	gnutls_datum_t name = { NULL, 0 };
	uint32_t hash;

	ck_assert_ptr_nonnull(data);
	for (i = 0; i < many; i++) {
		memcpy(p, der->data, der->size);
		p += der->size;
		p[-1] ^= (unsigned char)i;
		p[-2] ^= (unsigned char)(i >> 8);
	}
	ck_assert_ok(load_data(data, der->size * many, false));
	ck_assert_ok(load_data(data, der->size * many, false));
	ck_assert_uint_eq(store.count, many);
	free(data);
	ck_assert_ok(gnutls_x509_crt_get_raw_dn(a->crt, &name));
	hash = stls_store_hash(&name);
	for (i = 0; i < store.count; i++)
		named += stls_store_is_named(&store, i, &name, hash);
	ck_assert_uint_eq(named, many);
	gnutls_free(name.data);
}
END_TEST

START_TEST(a_name_is_compared_to_its_last_octet)
{
	gnutls_datum_t name = { NULL, 0 };
	uint32_t hash;

	ck_assert_ok(load(pem(a, NULL, NULL)));
	ck_assert_ok(gnutls_x509_crt_get_raw_dn(a->crt, &name));
	hash = stls_store_hash(&name);
	ck_assert(stls_store_is_named(&store, 0, &name, hash));
	ck_assert(!stls_store_is_named(&store, 0, &name, hash + 1));
	name.size--;
	ck_assert(!stls_store_is_named(&store, 0, &name, hash));
	name.size++;
	name.data[name.size - 1] ^= 1;
	ck_assert(!stls_store_is_named(&store, 0, &name, hash));
	ck_assert(
	    !stls_store_is_named(&store, 0, &name, stls_store_hash(&name)));
	gnutls_free(name.data);
}
END_TEST

#define THREADS 4
#define ANCHORS 24

static pthread_barrier_t barrier;

/* Parse everything while others do; returns what it got. */
static void *
parse_all(void *arg)
{
	gnutls_x509_crt_t *got = arg;
	struct stls_err own_err;
	size_t i;

	pthread_barrier_wait(&barrier);
	for (i = 0; i < ANCHORS; i++) {
		if (stls_store_parse(
			&store, &own_err, SMTPTLS_E_INVALID, i, &got[i]) < 0)
			return NULL;
	}
	return got;
}

START_TEST(threads_that_need_an_anchor_at_once_get_the_same)
{
	static gnutls_x509_crt_t got[THREADS][ANCHORS];
	pthread_t thread[THREADS];
	void *result;
	size_t i, j;

	for (i = 0; i < ANCHORS; i++)
		ck_assert_ok(load(pem(
		    CERT(factory, NULL, .cn = "x", .ca = true), NULL, NULL)));
	ck_assert_ok(pthread_barrier_init(&barrier, NULL, THREADS));
	for (i = 0; i < THREADS; i++)
		ck_assert_ok(
		    pthread_create(&thread[i], NULL, parse_all, got[i]));
	for (i = 0; i < THREADS; i++) {
		ck_assert_ok(pthread_join(thread[i], &result));
		ck_assert_ptr_eq(result, got[i]);
		for (j = 0; j < ANCHORS; j++)
			ck_assert_ptr_eq(got[i][j], got[0][j]);
	}
	pthread_barrier_destroy(&barrier);
}
END_TEST

START_TEST(each_allocation_may_fail)
{
	const char *text = strdup(pem(a, old, b));
	unsigned long n;
	int r = -1;

	for (n = 1; n < 100; n++) {
		stls_alloc_fail_at(n);
		r = load(text);
		stls_alloc_fail_at(0);
		if (r == SMTPTLS_OK)
			break;
		ck_assert_int_eq(r, SMTPTLS_E_NOMEM);
		ck_assert_uint_eq(store.count, 0);
		ck_assert_uint_eq(store.origins, 0);
	}
	ck_assert_ok(r);
	ck_assert_uint_gt(n, 4);
	assert_anchor(2, b);
	free((char *)text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store");
	TCase *tc = tcase_create("store");

	tcase_add_unchecked_fixture(tc, make_certificates, free_certificates);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(
	    tc, anchors_stay_in_their_order_and_duplicates_count_once);
	tcase_add_test(tc, der_is_kept_as_pem_is);
	tcase_add_test(tc, what_is_plain_is_parsed_when_it_is_needed_and_once);
	tcase_add_test(
	    tc, what_cannot_be_parsed_after_all_is_an_error_with_its_place);
	tcase_add_test(tc, der_that_cannot_be_parsed_after_all_has_an_offset);
	tcase_add_test(tc, a_source_that_fails_leaves_nothing_behind);
	tcase_add_test(tc, origins_are_cut_off_behind_a_point);
	tcase_add_test(tc, copies_are_made_of_what_came_last);
	tcase_add_test(
	    tc, certificates_are_the_same_to_their_last_octet_or_not);
	tcase_add_test(
	    tc, other_blocks_are_passed_over_where_that_is_asked_for);
	tcase_add_test(tc, only_certificates_alone_are_public);
	tcase_add_test(tc, a_ca_without_a_name_is_one_of_an_empty_name);
	tcase_add_test(tc, many_of_one_name_load_in_a_moment);
	tcase_add_test(tc, a_name_is_compared_to_its_last_octet);
	tcase_add_test(tc, threads_that_need_an_anchor_at_once_get_the_same);
	tcase_add_test(tc, each_allocation_may_fail);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
