/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "factory.h"
#include "oracle.h"
#include "tls/source.h"

/* Where many systems have CAs; what is there is tried, too. */
#define SYSTEM_FILE "/etc/ssl/certs/ca-certificates.crt"

static struct factory *factory;

static void
setup(void)
{
	factory = factory_new();
}

static void
teardown(void)
{
	factory_free(factory);
}

static const unsigned char der_null[] = { 0x05, 0x00 };

/* What the CAs of a system are like. */
static const struct cert_spec plain_specs[] = {
	{ .cn = "Root", .ca = true },
	{ .cn = "Root", .ca = true, .rsa_bits = 2048 },
	{ .cn = "Root", .ca = true, .curve = GNUTLS_ECC_CURVE_SECP384R1 },
	{ .cn = "Root",
	    .ca = true,
	    .digest = GNUTLS_DIG_SHA1,
	    .rsa_bits = 2048 },
	{ .cn = "Root", .ca = true, .has_path_len = true, .path_len = 3 },
	{ .cn = "Root", .ca = true, .no_key_ids = true },
	{ .cn = "Root", .ca = true, .serial = "0081" },
	{ .cn = "Root",
	    .ca = true,
	    .serial = "7fffffffffffffffffffffffffffffffffffffff" },
	{ .cn = "Root", .ca = true, .names = "EMAIL:ca@example.org" },
	{ .cn = "Root", .ca = true, .names = "DNS:example.org URI:http:/x" },
	{ .cn = "Root", .ca = true, .eku = GNUTLS_KP_TLS_WWW_SERVER },
	{ .cn = "Root",
	    .ca = true,
	    .not_before = -20 * 365 * FACTORY_DAY,
	    .not_after = -FACTORY_DAY },
	{ .cn = "Root", .ca = true, .not_after = 60 * 365 * FACTORY_DAY },
	{ .cn = "\xc3\x9crsprung", .ca = true },
	{ .cn = "Root",
	    .ca = true,
	    .extra_oid = "1.3.6.1.4.1.55555.1",
	    .extra_der = der_null,
	    .extra_len = 2 },
};

START_TEST(cas_as_systems_have_them_are_plain)
{
	const gnutls_datum_t *der = factory_der(
	    factory, factory_cert(factory, NULL, &plain_specs[_i]));

	ck_assert(oracle_is_plain(der->data, der->size));
}
END_TEST

/* Good or bad, GnuTLS is to say so. */
static const struct cert_spec odd_specs[] = {
	{ .cn = "Old", .version_1 = true },
	{ .cn = "", .ca = true },
	{ .cn = "Root", .ca = true, .names = "IP:192.0.2.1" },
	{ .cn = "Root", .ca = true, .permitted = "DNS:example.org" },
	{ .cn = "Root",
	    .ca = true,
	    .extra_oid = "1.3.6.1.4.1.55555.1",
	    .extra_der = der_null,
	    .extra_len = 2,
	    .extra_critical = true },
	{ .cn = "Root",
	    .ca = true,
	    .serial = "008fffffffffffffffffffffffffffffffffffffff" },
};

START_TEST(other_certificates_are_not_plain)
{
	const gnutls_datum_t *der = factory_der(
	    factory, factory_cert(factory, NULL, &odd_specs[_i]));

	ck_assert(!oracle_is_plain(der->data, der->size));
}
END_TEST

/* Replace the one place where some bytes are. */
static void
patch(unsigned char *der, size_t len, const char *from, size_t from_len,
    const char *to)
{
	unsigned char *at = memmem(der, len, from, from_len);

	ck_assert_ptr_nonnull(at);
	memcpy(at, to, from_len);
}

static const struct {
	const char *from, *to;
	size_t len;
} patches[] = {
	/* version 2, 4; negative or overlong serial */
	{ "\xa0\x03\x02\x01\x02", "\xa0\x03\x02\x01\x01", 5 },
	{ "\xa0\x03\x02\x01\x02", "\xa0\x03\x02\x01\x03", 5 },
	{ "\x02\x02\x12\x34", "\x02\x02\x92\x34", 4 },
	{ "\x02\x02\x12\x34", "\x02\x02\x00\x34", 4 },
	{ "\x02\x02\x12\x34", "\x0a\x02\x12\x34", 4 },
	/* OIDs that are overlong, without an end, or none (2.5.4.3) */
	{ "\x06\x03\x55\x04\x03", "\x06\x03\x80\x04\x03", 5 },
	{ "\x06\x03\x55\x04\x03", "\x06\x03\x55\x04\x83", 5 },
	{ "\x06\x03\x55\x04\x03", "\x06\x00\x55\x04\x03", 5 },
	/* strings of other kinds, of no length, of one that is indefinite */
	{ "\x13\x04Root", "\x0d\x04Root", 6 },
	{ "\x13\x04Root", "\x33\x04Root", 6 },
	{ "\x13\x04Root", "\x13\x00Root", 6 },
	{ "\x13\x04Root", "\x13\x80Root", 6 },
	{ "\x13\x04Root", "\x13\x03Root", 6 },
	{ "\x13\x04Root", "\x13\x05Root", 6 },
	/* times: digits, ranges, zones */
	{ "250102030405Z", "25010203040Z0", 13 },
	{ "250102030405Z", "251302030405Z", 13 },
	{ "250102030405Z", "250100030405Z", 13 },
	{ "250102030405Z", "250132030405Z", 13 },
	{ "250102030405Z", "250102240405Z", 13 },
	{ "250102030405Z", "250102036005Z", 13 },
	{ "250102030405Z", "250102030460Z", 13 },
	{ "250102030405Z", "25010203040/Z", 13 },
	{ "250102030405Z", "2501020304:5Z", 13 },
	{ "250102030405Z", "2501020304050", 13 },
	/* basic constraints: a false that is said, a true that is not 0xff */
	{ "\x30\x03\x01\x01\xff", "\x30\x03\x01\x01\x00", 5 },
	{ "\x30\x03\x01\x01\xff", "\x30\x03\x01\x01\x01", 5 },
	{ "\x30\x03\x01\x01\xff", "\x30\x03\x02\x01\x7f", 5 },
	/* a critical mark that is not 0xff (key usage) */
	{ "\x55\x1d\x0f\x01\x01\xff", "\x55\x1d\x0f\x01\x01\x01", 6 },
	/* key usage: bits that are not there, and set; too many of them */
	{ "\x03\x02\x01\x06", "\x03\x02\x01\x07", 4 },
	{ "\x03\x02\x01\x06", "\x03\x02\x08\x06", 4 },
	/* an alternative name that is none, of whichever (2.5.29.17, .18) */
	{ "\x55\x1d\x0e", "\x55\x1d\x11", 3 },
	{ "\x55\x1d\x0e", "\x55\x1d\x12", 3 },
	/* an extension that is there twice */
	{ "\x55\x1d\x0e", "\x55\x1d\x0f", 3 },
};

START_TEST(what_is_not_as_it_must_be_is_not_plain)
{
	const struct cert *cert = CERT(
	    factory, NULL, .cn = "Root", .ca = true, .serial = "1234");
	const gnutls_datum_t *der = factory_der(factory, cert);
	unsigned char copy[4096], *at;

	memcpy(copy, der->data, der->size);
	/* The factory's times are those of today. */
	at = memmem(copy, der->size, "\x17\x0d", 2);
	ck_assert_ptr_nonnull(at);
	memcpy(at + 2, "250102030405Z", 13);
	ck_assert(oracle_is_plain(copy, der->size));
	patch(
	    copy, der->size, patches[_i].from, patches[_i].len, patches[_i].to);
	ck_assert(!oracle_is_plain(copy, der->size));
}
END_TEST

/* Some roots have it. */
START_TEST(a_serial_of_zero_is_plain)
{
	const gnutls_datum_t *der = factory_der(factory,
	    CERT(factory, NULL, .cn = "Root", .ca = true, .serial = "12"));
	unsigned char copy[4096];

	memcpy(copy, der->data, der->size);
	patch(copy, der->size, "\xa0\x03\x02\x01\x02\x02\x01\x12", 8,
	    "\xa0\x03\x02\x01\x02\x02\x01\x00");
	ck_assert(oracle_is_plain(copy, der->size));
}
END_TEST

START_TEST(a_part_of_a_certificate_is_not_plain_nor_is_more)
{
	const gnutls_datum_t *der = factory_der(
	    factory, CERT(factory, NULL, .cn = "Root", .ca = true));
	unsigned char more[4096] = { 0 };
	size_t len;

	for (len = 0; len < der->size; len++)
		ck_assert(!oracle_is_plain(der->data, len));
	memcpy(more, der->data, der->size);
	ck_assert(!oracle_is_plain(more, der->size + 1));
	ck_assert(!oracle_is_plain(more, der->size + 2));
}
END_TEST

/* A subject of 64 KiB: it is no use to look at it octet by octet. */
START_TEST(what_is_large_is_not_plain)
{
	static unsigned char large[70000];
	const gnutls_datum_t *der = factory_der(
	    factory, CERT(factory, NULL, .cn = "Root", .ca = true));

	memcpy(large, der->data, der->size);
	memcpy(large, "\x30\x83\x01\x11\x6b", 5);
	ck_assert(!oracle_is_plain(large, sizeof(large)));
}
END_TEST

/* The same numbers on every machine. */
static unsigned long
next_random(unsigned long *state)
{
	*state = (*state * 6364136223846793005UL + 1442695040888963407UL) &
	    0xffffffffffffffffUL;
	return *state >> 33;
}

/* Change a few bytes, take some out, or double some; returns the length. */
static size_t
mutate(unsigned char *data, size_t len, size_t cap, unsigned long *state)
{
	size_t times = 1 + next_random(state) % 3, at, n;

	while (times-- > 0 && len > 8) {
		at = next_random(state) % len;
		n = 1 + next_random(state) % 4;
		if (n > len - at)
			n = len - at;
		switch (next_random(state) % 6) {
		case 0:
			data[at] ^= (unsigned char)(1U
			    << (next_random(state) % 8));
			break;
		case 1:
			data[at] = (unsigned char)next_random(state);
			break;
		case 2:
			data[at]++;
			break;
		case 3:
			data[at]--;
			break;
		case 4:
			memmove(data + at, data + at + n, len - at - n);
			len -= n;
			break;
		default:
			if (len + n > cap)
				break;
			memmove(data + at + n, data + at, len - at);
			len += n;
			break;
		}
	}
	return len;
}

/* Have some rounds of mutations; returns how many were still plain. */
static size_t
play(const unsigned char *der, size_t len, size_t rounds, unsigned long *state)
{
	unsigned char copy[8192];
	size_t plain = 0, i, n;

	ck_assert_uint_lt(len + 64, sizeof(copy));
	for (i = 0; i < rounds; i++) {
		memcpy(copy, der, len);
		n = mutate(copy, len, sizeof(copy), state);
		plain += oracle_is_plain(copy, n);
	}
	return plain;
}

START_TEST(whatever_is_called_plain_gnutls_can_parse)
{
	const struct cert_spec *spec = &plain_specs[_i];
	const gnutls_datum_t *der = factory_der(
	    factory, factory_cert(factory, NULL, spec));
	unsigned long state = 20250101UL + (unsigned long)_i;
	size_t rounds = test_rounds(6000), plain;

	plain = play(der->data, der->size, rounds, &state);
	/* Both were seen, or nothing was tried. */
	ck_assert_uint_gt(plain, rounds / 50);
	ck_assert_uint_lt(plain, rounds);
}
END_TEST

/* Nothing but the structure: names, times and OIDs, hit all the time. */
START_TEST(whatever_is_called_plain_gnutls_can_parse_also_in_front)
{
	const gnutls_datum_t *der = factory_der(
	    factory, CERT(factory, NULL, .cn = "Root", .ca = true));
	unsigned long state = 20250201UL;
	unsigned char copy[8192];
	size_t rounds = test_rounds(20000), plain = 0, i, at;

	for (i = 0; i < rounds; i++) {
		memcpy(copy, der->data, der->size);
		at = next_random(&state) % 200;
		copy[at] = (unsigned char)next_random(&state);
		if (i % 3 == 0)
			copy[next_random(&state) % der->size] ^= 1;
		plain += oracle_is_plain(copy, der->size);
	}
	ck_assert_uint_gt(plain, 0);
	ck_assert_uint_lt(plain, rounds / 2);
}
END_TEST

START_TEST(nearly_all_cas_of_the_system_are_plain)
{
	struct stls_source source = { 0 };
	struct stls_block block;
	struct stls_err err;
	unsigned char der[8192];
	unsigned long state = 20250301UL;
	size_t count = 0, plain = 0, len;

	if (stls_source_open(&source, &err, SYSTEM_FILE) < 0)
		return;
	while (stls_source_next(&source, &err, &block) == SMTPTLS_OK) {
		count++;
		if (block.data.size > sizeof(der))
			continue;
		len = stls_block_decode(der, &block);
		ck_assert_uint_gt(len, 0);
		if (!oracle_is_plain(der, len))
			continue;
		plain++;
		play(der, len, test_rounds(100), &state);
	}
	stls_source_done(&source);
	ck_assert_uint_ge(plain * 10, count * 9);
}
END_TEST

/* Blocks of PEM. */

static size_t
decode(unsigned char *out, const char *text, size_t len)
{
	struct stls_source source;
	struct stls_block block;
	struct stls_err err;

	ck_assert_ok(stls_source_init_mem(&source, &err, text, len));
	if (stls_source_next(&source, &err, &block) != SMTPTLS_OK ||
	    !stls_block_is(&block, "CERTIFICATE"))
		return 0;
	return stls_block_decode(out, &block);
}

static const struct {
	const char *lines;
	const char *der; /* NULL: not plain */
} bodies[] = {
	{ "Zm9v\n", "foo" },
	{ "Zm9v\r\nYmFy\r\n", "foobar" },
	{ "Zm9vYmFy\nZm8=\n", "foobarfo" },
	{ "Zm9v\nYg==\n", "foob" },
	{ "", NULL },
	{ "\n", NULL },
	{ "\nZm9v\n", NULL },
	{ "Zm9v\n\n", NULL },
	{ "Zm9\nv\n", NULL },
	{ " Zm9v\n", NULL },
	{ "Zm9v \n", NULL },
	{ "Zm8=\nYmFy\n", NULL },
	{ "Zm8=\nYg==\n", NULL },
	{ "Zm9v\n-\n", NULL },
	{ "Zm9v\n--x\nYmFy\n", NULL },
	{ "Proc-Type: 4\n\nZm9v\n", NULL },
	{ "Zm9v\r\r\n", NULL },
	{ "Zm9_\n", NULL },
};

START_TEST(a_block_is_whole_lines_of_base64_or_not_plain)
{
	char text[256];
	unsigned char out[256];
	size_t len;
	int n = snprintf(text, sizeof(text),
	    "-----BEGIN CERTIFICATE-----\n%s-----END CERTIFICATE-----",
	    bodies[_i].lines);

	len = decode(out, text, (size_t)n);
	if (bodies[_i].der == NULL) {
		ck_assert_uint_eq(len, 0);
	} else {
		ck_assert_uint_eq(len, strlen(bodies[_i].der));
		ck_assert_mem_eq(out, bodies[_i].der, len);
	}
}
END_TEST

/* Where both read a block, both read the same. */
START_TEST(gnutls_decodes_the_same)
{
	const char *pem = factory_pem(
	    factory, CERT(factory, NULL, .cn = "Root", .ca = true), NULL, NULL);
	gnutls_datum_t in, theirs;
	unsigned long state = 20250401UL;
	size_t rounds = test_rounds(20000), plain = 0, i, n, len;
	char text[8192];
	unsigned char out[8192];

	for (i = 0; i < rounds; i++) {
		len = strlen(pem);
		memcpy(text, pem, len);
		n = mutate((unsigned char *)text, len, sizeof(text), &state);
		len = decode(out, text, n);
		if (len == 0)
			continue;
		plain++;
		in.data = (unsigned char *)text;
		in.size = (unsigned int)n;
		ck_assert_ok(
		    gnutls_pem_base64_decode2("CERTIFICATE", &in, &theirs));
		ck_assert_uint_eq(theirs.size, len);
		ck_assert_mem_eq(theirs.data, out, len);
		gnutls_free(theirs.data);
	}
	ck_assert_uint_gt(plain, rounds / 50);
	ck_assert_uint_lt(plain, rounds);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("plain");
	TCase *tc = tcase_create("plain");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, cas_as_systems_have_them_are_plain, 0, COUNT(plain_specs));
	tcase_add_loop_test(
	    tc, other_certificates_are_not_plain, 0, COUNT(odd_specs));
	tcase_add_loop_test(
	    tc, what_is_not_as_it_must_be_is_not_plain, 0, COUNT(patches));
	tcase_add_test(tc, a_serial_of_zero_is_plain);
	tcase_add_test(tc, a_part_of_a_certificate_is_not_plain_nor_is_more);
	tcase_add_test(tc, what_is_large_is_not_plain);
	tcase_add_loop_test(tc, whatever_is_called_plain_gnutls_can_parse, 0,
	    COUNT(plain_specs));
	tcase_add_test(
	    tc, whatever_is_called_plain_gnutls_can_parse_also_in_front);
	tcase_add_test(tc, nearly_all_cas_of_the_system_are_plain);
	tcase_add_loop_test(tc, a_block_is_whole_lines_of_base64_or_not_plain,
	    0, COUNT(bodies));
	tcase_add_test(tc, gnutls_decodes_the_same);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
