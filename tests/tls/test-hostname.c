/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "factory.h"
#include "tls/hostname.h"

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

static int
match(struct stls_err *err, const struct cert *cert, const char *name)
{
	struct stls_host host;

	stls_err_clear(err);
	ck_assert_ok(stls_host_parse(err, name, strlen(name), &host));
	return stls_hostname_match(err, cert->crt, &host);
}

/* What the certificate names, what the user asked for. */
struct pair {
	const char *names;
	const char *host;
};

static const struct pair good[] = {
	{ "DNS:mail.example.org", "mail.example.org" },
	{ "DNS:mail.example.org", "MAIL.Example.ORG" },
	{ "DNS:mail.example.org", "mail.example.org." },
	{ "DNS:MAIL.EXAMPLE.ORG", "mail.example.org" },
	{ "DNS:a.example.org DNS:b.example.org", "b.example.org" },
	{ "EMAIL:x@example.org URI:smtp://mail.example.org DNS:b.example.org",
	    "b.example.org" },
	{ "DNS:*.example.org", "mail.example.org" },
	{ "DNS:*.EXAMPLE.org", "mail.example.org" },
	{ "DNS:*.example.org", "xn--mnchen-3ya.example.org" },
	{ "DNS:xn--mnchen-3ya.example.org", "m\xc3\xbcnchen.example.org" },
	{ "DNS:*.xn--mnchen-3ya.example.org", "a.m\xc3\xbcnchen.example.org" },
	{ "DNS:my_host.example.org", "my_host.example.org" },
	{ "DNS:localhost", "localhost" },
	{ "IP:192.0.2.1", "192.0.2.1" },
	{ "IP:2001:db8::1", "2001:db8::1" },
	{ "IP:2001:db8::1", "[2001:DB8:0::1]" },
	{ "DNS:mail.example.org IP:192.0.2.1", "192.0.2.1" },
};

static const struct pair bad[] = {
	{ "DNS:mail.example.org", "mail.example.com" },
	{ "DNS:mail.example.org", "example.org" },
	{ "DNS:example.org", "mail.example.org" },
	{ "DNS:mail.example.org", "a.mail.example.org" },
	{ "DNS:mail.example", "mail.example.org" },
	{ "DNS:mail.example.or", "mail.example.org" },
	{ "DNS:mail.example.orga", "mail.example.org" },
	/* A wildcard is one whole label, the left-most one. */
	{ "DNS:*.example.org", "example.org" },
	{ "DNS:*.example.org", "a.b.example.org" },
	{ "DNS:m*.example.org", "mail.example.org" },
	{ "DNS:*l.example.org", "mail.example.org" },
	{ "DNS:m*l.example.org", "mail.example.org" },
	{ "DNS:mail.*.org", "mail.example.org" },
	{ "DNS:*.*.org", "mail.example.org" },
	{ "DNS:**.example.org", "mail.example.org" },
	{ "DNS:*", "localhost" },
	{ "DNS:*.", "localhost" },
	{ "DNS:*.org", "example.org" },
	{ "DNS:*.example.or", "mail.example.org" },
	{ "DNS:*.localhost", "a.localhost" },
	{ "DNS:xn--*.example.org", "xn--mnchen-3ya.example.org" },
	/* What GnuTLS's own check lets by. */
	{ "DNS:.example.org", "a.example.org" },
	{ "DNS:*..example.org", "a.example.org" },
	{ "DNS:mail.example.org.", "mail.example.org" },
	{ "DNS:mail..example.org", "mail.example.org" },
	{ "DNS:https://mail.example.org", "mail.example.org" },
	{ "DNS:mail.example.org:25", "mail.example.org" },
	{ "DNS:%20mail.example.org", "mail.example.org" },
	{ "DNS:m%C3%BCnchen.example.org", "m\xc3\xbcnchen.example.org" },
	{ "DNS:mail.example.org%0A", "mail.example.org" },
	/* Names of other kinds do not count. */
	{ "URI:smtp://mail.example.org", "mail.example.org" },
	{ "URI:mail.example.org", "mail.example.org" },
	{ "EMAIL:mail.example.org", "mail.example.org" },
	/* Addresses and names never match one another. */
	{ "DNS:192.0.2.1", "192.0.2.1" },
	{ "DNS:*.0.2.1", "192.0.2.1" },
	{ "DNS:2001:db8::1", "2001:db8::1" },
	{ "IP:192.0.2.1", "192.0.2.2" },
	{ "IP:192.0.2.1", "mail.example.org" },
	{ "RAWIP:mail", "mail" },
	{ "RAWIP:%C0%00%02%01%FF%FF%FF%FF", "192.0.2.1" },
	{ "RAWIP:%C0%00%02", "192.0.2.1" },
	{ "IP:2001:db8::1", "192.0.2.1" },
};

START_TEST(a_name_that_is_there_matches)
{
	const struct cert *cert = CERT(factory, NULL, .names = good[_i].names);
	struct stls_err err;

	ck_assert_msg(
	    match(&err, cert, good[_i].host) == SMTPTLS_OK, "%s", err.text);
}
END_TEST

START_TEST(a_name_that_is_not_there_does_not_match)
{
	const struct cert *cert = CERT(
	    factory, NULL, .cn = bad[_i].host, .names = bad[_i].names);
	struct stls_err err;

	ck_assert_int_eq(
	    match(&err, cert, bad[_i].host), SMTPTLS_E_CERTIFICATE);
	ck_assert_ptr_nonnull(strstr(err.text, ", not "));
}
END_TEST

START_TEST(the_common_name_never_counts)
{
	const struct cert *cert = CERT(factory, NULL, .cn = "mail.example.org");
	struct stls_err err;

	ck_assert_int_eq(
	    match(&err, cert, "mail.example.org"), SMTPTLS_E_CERTIFICATE);
	ck_assert_str_eq(err.text,
	    "the certificate names no host (only subjectAltName counts), not "
	    "mail.example.org");
}
END_TEST

START_TEST(a_certificate_with_a_nul_inside_a_name_is_refused)
{
	static const struct pair nuls[] = {
		{ "DNS:mail.example.org%00.evil.example", "mail.example.org" },
		{ "DNS:mail.example.org%00", "mail.example.org" },
		{ "DNS:%00.example.org", "mail.example.org" },
	};
	struct stls_err err;
	size_t i;

	for (i = 0; i < 3; i++)
		ck_assert_int_eq(
		    match(&err, CERT(factory, NULL, .names = nuls[i].names),
			nuls[i].host),
		    SMTPTLS_E_CERTIFICATE);
}
END_TEST

START_TEST(the_sentence_lists_the_names_that_are_there)
{
	const struct cert *cert = CERT(factory, NULL,
	    .names = "DNS:a.example.org DNS:b.example.org IP:192.0.2.1 "
		     "EMAIL:x@example.org IP:2001:db8::1");
	struct stls_err err;

	match(&err, cert, "mail.example.org");
	ck_assert_str_eq(err.text,
	    "the certificate names a.example.org, b.example.org, 192.0.2.1, "
	    "2001:db8::1, not mail.example.org");
}
END_TEST

START_TEST(the_sentence_is_bounded_and_fit_for_a_terminal)
{
	char names[8192] = "DNS:%1B[2J.example.org", name[32];
	struct stls_err err;
	int i;

	for (i = 0; i < 99; i++) {
		snprintf(name, sizeof(name), " DNS:host%d.example.org", i);
		strcat(names, name);
	}
	match(&err, CERT(factory, NULL, .names = names), "mail.example.org");
	ck_assert_str_eq(err.text,
	    "the certificate names \\x1b[2J.example.org, host0.example.org, "
	    "host1.example.org, host2.example.org, host3.example.org, "
	    "host4.example.org and 94 more, not mail.example.org");
}
END_TEST

/* `count` names, the wanted one last. */
static const struct cert *
cert_with_names(size_t count)
{
	const char *pad = " DNS:a.example.org", *last = " DNS:b.example.org";
	char *names = calloc(count + 1, strlen(last)), *end = names;
	const struct cert *cert;
	size_t i;

	ck_assert_ptr_nonnull(names);
	for (i = 0; i + 1 < count; i++)
		end = stpcpy(end, pad);
	stpcpy(end, last);
	cert = CERT(factory, NULL, .names = names);
	free(names);
	return cert;
}

START_TEST(the_number_of_names_is_bounded)
{
	struct stls_err err;

	ck_assert_ok(match(&err, cert_with_names(2048), "b.example.org"));
	ck_assert_int_eq(match(&err, cert_with_names(2049), "b.example.org"),
	    SMTPTLS_E_CERTIFICATE);
	ck_assert_str_eq(err.text, "the certificate has more than 2048 names");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("hostname");
	TCase *tc = tcase_create("hostname");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, a_name_that_is_there_matches, 0, COUNT(good));
	tcase_add_loop_test(
	    tc, a_name_that_is_not_there_does_not_match, 0, COUNT(bad));
	tcase_add_test(tc, the_common_name_never_counts);
	tcase_add_test(tc, a_certificate_with_a_nul_inside_a_name_is_refused);
	tcase_add_test(tc, the_sentence_lists_the_names_that_are_there);
	tcase_add_test(tc, the_sentence_is_bounded_and_fit_for_a_terminal);
	tcase_add_test(tc, the_number_of_names_is_bounded);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
