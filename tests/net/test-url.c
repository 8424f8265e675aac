/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>

#include "base/alloc.h"
#include "net/url.h"

static const struct good_url {
	const char *text;
	bool implicit_tls;
	bool lmtp;
	const char *host;
	bool is_ip;
	uint16_t port;
} good_urls[] = {
	{ "smtps://mail.example.org", true, false, "mail.example.org", false,
	    465 },
	{ "smtps://mail.example.org:4650", true, false, "mail.example.org",
	    false, 4650 },
	{ "smtp://mail.example.org", false, false, "mail.example.org", false,
	    587 },
	{ "smtp://mail.example.org:25/", false, false, "mail.example.org",
	    false, 25 },
	{ "lmtp://mail.example.org:24", false, true, "mail.example.org", false,
	    24 },
	{ "SMTPS://Mail.Example.ORG.", true, false, "mail.example.org", false,
	    465 },
	{ "sMtP://mail.example.org", false, false, "mail.example.org", false,
	    587 },
	{ "mail.example.org", true, false, "mail.example.org", false, 465 },
	{ "mail.example.org:587", true, false, "mail.example.org", false, 587 },
	{ "localhost", true, false, "localhost", false, 465 },
	{ "smtp://192.0.2.1", false, false, "192.0.2.1", true, 587 },
	{ "192.0.2.1:1", true, false, "192.0.2.1", true, 1 },
	{ "smtp://[2001:db8::1]:65535", false, false, "2001:db8::1", true,
	    65535 },
	{ "smtps://[2001:DB8:0::1]", true, false, "2001:db8::1", true, 465 },
	{ "[2001:db8::1]", true, false, "2001:db8::1", true, 465 },
	{ "[2001:db8::1]:10/", true, false, "2001:db8::1", true, 10 },
	{ "smtps://b\xc3\xbc"
	  "cher.example",
	    true, false, "xn--bcher-kva.example", false, 465 },
	{ "smtps.example.org:25", true, false, "smtps.example.org", false, 25 },
};

START_TEST(url_is_taken)
{
	const struct good_url *t = &good_urls[_i];
	struct stls_err err = { 0 };
	struct stls_url url;

	ck_assert_msg(stls_url_parse(&err, t->text, &url) == SMTPTLS_OK,
	    "%s: %s", t->text, err.text);
	ck_assert_int_eq(url.implicit_tls, t->implicit_tls);
	ck_assert_int_eq(url.lmtp, t->lmtp);
	ck_assert_str_eq(url.host.name, t->host);
	ck_assert_int_eq(url.host.is_ip, t->is_ip);
	ck_assert_uint_eq(url.port, t->port);
}
END_TEST

/* The sentence, or a part of it. */
static const struct bad_text {
	const char *text;
	const char *sentence;
} bad_urls[] = {
	{ "", "the URL is empty" },
	{ "smtps://", "the URL has no host" },
	{ "smtps:///", "the URL has no host" },
	{ "smtp://:587", "the URL has no host" },
	{ ":587", "the URL has no host" },
	{ "smtps://user@mail.example.org",
	    "the URL has a user name or password in it" },
	{ "smtps://user:secret@mail.example.org:465",
	    "the URL has a user name or password in it" },
	{ "smtps://user:sec/ret#secret@mail.example.org",
	    "the URL has a user name or password in it" },
	{ "user:secret://@mail.example.org",
	    "the URL has a user name or password in it" },
	{ "user:secret", "the port of the URL is no number" },
	{ "user:secret://mail.example.org",
	    "the URL has no scheme in front of ://" },
	{ "smtps://user:secret", "the port of the URL is no number" },
	{ "smtps://user:12secret", "the port of the URL is no number" },
	{ "smtps://mail.example.org/inbox", "the URL has a path in it" },
	{ "smtps://mail.example.org//", "the URL has a path in it" },
	{ "mail.example.org/inbox", "the URL has a path in it" },
	{ "smtps://mail.example.org?x=1", "the URL has a query in it" },
	{ "smtps://mail.example.org/?", "the URL has a query in it" },
	{ "smtps://mail.example.org#x", "the URL has a fragment in it" },
	{ "smtps://mail%2eexample.org", "the URL has a percent escape in it" },
	{ "smtps://[fe80::1%25eth0]", "the URL has a percent escape in it" },
	{ "smtps:\\\\mail.example.org", "the URL has a backslash in it" },
	{ " smtps://mail.example.org",
	    "the URL has a blank or control character in it" },
	{ "smtps://mail.example.org\n",
	    "the URL has a blank or control character in it" },
	{ "smtps://mail.exa\tmple.org",
	    "the URL has a blank or control character in it" },
	{ "smtps://mail.example.org\x7f",
	    "the URL has a blank or control character in it" },
	{ "smtp:mail.example.org", "the URL has no // behind smtp:" },
	{ "SMTPS:mail.example.org", "the URL has no // behind SMTPS:" },
	{ "smtp:587", "the URL has no // behind smtp:" },
	{ "smtp:/mail.example.org", "the URL has no // behind smtp:" },
	{ "http://mail.example.org",
	    "the URL has scheme http, not smtps, smtp or lmtp" },
	{ "smtpss://mail.example.org",
	    "the URL has scheme smtpss, not smtps, smtp or lmtp" },
	{ "smt://mail.example.org",
	    "the URL has scheme smt, not smtps, smtp or lmtp" },
	{ "://mail.example.org", "the URL has no scheme in front of ://" },
	{ "//mail.example.org", "the URL has a path in it" },
	{ "lmtp://mail.example.org",
	    "the URL needs a port: lmtp://mail.example.org:port" },
	{ "lmtp://[2001:db8::1]/",
	    "the URL needs a port: lmtp://[2001:db8::1]:port" },
	{ "smtps://mail.example.org:", "the port of the URL is no number" },
	{ "smtps://mail.example.org:/", "the port of the URL is no number" },
	{ "smtps://mail.example.org:0",
	    "port 0 of the URL is not in 1 to 65535" },
	{ "smtps://mail.example.org:0465",
	    "port 0465 of the URL is not in 1 to 65535" },
	{ "smtps://mail.example.org:65536",
	    "port 65536 of the URL is not in 1 to 65535" },
	{ "smtps://mail.example.org:4294967761",
	    "port 4294967761 of the URL is not in 1 to 65535" },
	{ "smtps://mail.example.org:18446744073709552081",
	    "port 18446744073709552081 of the URL is not in 1 to 65535" },
	{ "smtps://mail.example.org:+465", "the port of the URL is no number" },
	{ "smtps://mail.example.org:-1", "the port of the URL is no number" },
	{ "smtps://mail.example.org:0x1d1",
	    "the port of the URL is no number" },
	{ "smtps://mail.example.org:465x", "the port of the URL is no number" },
	{ "smtps://mail.example.org:465:465",
	    "the URL has too many colons: an IPv6 address needs brackets" },
	{ "2001:db8::1",
	    "the URL has too many colons: an IPv6 address needs brackets" },
	{ "smtps://2001:db8::1",
	    "the URL has too many colons: an IPv6 address needs brackets" },
	{ "smtps://[2001:db8::1", "the URL has no IPv6 address in brackets" },
	{ "smtps://[mail.example.org]:465",
	    "the URL has no IPv6 address in brackets" },
	{ "smtps://[192.0.2.1]", "the URL has no IPv6 address in brackets" },
	{ "smtps://[]", "the URL has no IPv6 address in brackets" },
	{ "smtps://[2001:db8::1]465",
	    "the URL has something behind ] that is no port" },
	{ "smtps://[2001:db8::1].example.org",
	    "the URL has something behind ] that is no port" },
	{ "smtps://[[2001:db8::1]]", "the URL has something behind ]" },
	{ "smtps://[[2001:db8::1]", "host name" },
	{ "smtps://[2001:db8::g]", "host name" },
	{ "smtps://mail..example.org", "host name" },
	{ "smtps://.example.org", "host name" },
	{ "smtps://mail.example.org..", "host name" },
	{ "smtps://mail_\xff.example.org", "host name" },
	{ "smtps://192.0.2.256", "host name" },
	{ "smtps://*.example.org", "host name" },
	{ "smtps://mail,example.org", "host name" },
};

START_TEST(url_is_refused)
{
	const struct bad_text *t = &bad_urls[_i];
	struct stls_url url, before;
	struct stls_err err = { 0 };

	memset(&url, 0x5a, sizeof(url));
	before = url;
	ck_assert_msg(stls_url_parse(&err, t->text, &url) == SMTPTLS_E_INVALID,
	    "%s", t->text);
	ck_assert_int_eq(err.code, SMTPTLS_E_INVALID);
	ck_assert_msg(strncmp(err.text, t->sentence, strlen(t->sentence)) == 0,
	    "%s: %s", t->text, err.text);
	ck_assert_ptr_null(strstr(err.text, "secret"));
	ck_assert_mem_eq(&url, &before, sizeof(url));
}
END_TEST

static const struct good_place {
	const char *text;
	const char *unix_path;
	const char *host;
	uint16_t port;
	bool is_address;
} good_places[] = {
	{ "mail.example.org:587", NULL, "mail.example.org", 587, false },
	{ "192.0.2.1:25", NULL, NULL, 0, true },
	{ "[2001:db8::1]:465", NULL, NULL, 0, true },
	{ "smtp:25", NULL, "smtp", 25, false },
	{ "unix:/run/mail.sock", "/run/mail.sock", NULL, 0, false },
	{ "unix:/with:colon@and blank", "/with:colon@and blank", NULL, 0,
	    false },
};

START_TEST(place_is_taken)
{
	const struct good_place *t = &good_places[_i];
	struct stls_err err = { 0 };
	char address[STLS_ENDPOINT_TEXT_CAP];
	struct stls_place place;

	ck_assert_msg(stls_place_parse(&err, t->text, &place) == SMTPTLS_OK,
	    "%s: %s", t->text, err.text);
	ck_assert_pstr_eq(place.unix_path, t->unix_path);
	ck_assert_pstr_eq(
	    place.host != NULL ? place.host->name : NULL, t->host);
	ck_assert_uint_eq(place.port, t->port);
	ck_assert_uint_eq(place.address_count, t->is_address);
	if (t->is_address) {
		stls_endpoint_format(&place.addresses[0].sock.any, address);
		ck_assert_str_eq(address, t->text);
	}
	stls_place_done(&place);
	ck_assert_ptr_null(place.unix_path);
	stls_place_done(&place);
}
END_TEST

static const struct bad_text bad_places[] = {
	{ "", "the place to connect to has no host" },
	{ "mail.example.org",
	    "the place to connect to has no port: mail.example.org" },
	{ "[2001:db8::1]",
	    "the place to connect to has no port: [2001:db8::1]" },
	{ "mail.example.org:0",
	    "port 0 of the place to connect to is not in 1 to 65535" },
	{ "mail.example.org:65536",
	    "port 65536 of the place to connect to is not in 1 to 65535" },
	{ "mail.example.org: 25",
	    "the port of the place to connect to is no number" },
	{ "2001:db8::1:25",
	    "the place to connect to has too many colons: an IPv6 address "
	    "needs brackets" },
	{ "smtp://mail.example.org:25",
	    "the place to connect to has too many colons" },
	{ "user:secret@mail.example.org",
	    "the place to connect to has a user name or password in it" },
	{ "mail.example.org:25/",
	    "the port of the place to connect to is no number" },
	{ "0.0.0.0:25", "host name" },
	{ "unix:", "path \"\" of a unix socket is not absolute" },
	{ "unix:mail.sock",
	    "path \"mail.sock\" of a unix socket is not absolute" },
	{ "unix:@mail", "path \"@mail\" of a unix socket is not absolute" },
	{ "UNIX:/run/mail.sock",
	    "the port of the place to connect to is no number" },
};

START_TEST(place_is_refused)
{
	const struct bad_text *t = &bad_places[_i];
	struct stls_place place, before;
	struct stls_err err = { 0 };

	memset(&place, 0x5a, sizeof(place));
	before = place;
	ck_assert_msg(
	    stls_place_parse(&err, t->text, &place) == SMTPTLS_E_INVALID, "%s",
	    t->text);
	ck_assert_msg(strncmp(err.text, t->sentence, strlen(t->sentence)) == 0,
	    "%s: %s", t->text, err.text);
	ck_assert_ptr_null(strstr(err.text, "secret"));
	ck_assert_mem_eq(&place, &before, sizeof(place));
}
END_TEST

START_TEST(path_of_a_unix_socket_fits_or_is_refused)
{
	struct stls_err err = { 0 };
	struct stls_place place;
	char text[5 + 108 + 1] = "unix:/";

	memset(text + 6, 'x', 106);
	ck_assert_ok(stls_place_parse(&err, text, &place));
	ck_assert_uint_eq(strlen(place.unix_path), 107);
	stls_place_done(&place);

	text[6 + 106] = 'x';
	ck_assert_int_eq(
	    stls_place_parse(&err, text, &place), SMTPTLS_E_INVALID);
	ck_assert_str_eq(err.text,
	    "path of a unix socket has 108 bytes, at "
	    "most 107 are possible");
}
END_TEST

START_TEST(addresses_of_a_place_are_kept_in_order)
{
	struct stls_err err = { 0 };
	struct stls_place place = { 0 };
	char text[STLS_ENDPOINT_TEXT_CAP];

	ck_assert_ok(stls_place_add_address(&err, &place, "192.0.2.1:25"));
	ck_assert_ok(
	    stls_place_add_address(&err, &place, "[2001:DB8:0::1]:465"));
	ck_assert_uint_eq(place.address_count, 2);
	stls_endpoint_format(&place.addresses[0].sock.any, text);
	ck_assert_str_eq(text, "192.0.2.1:25");
	ck_assert_uint_eq(place.addresses[0].len, sizeof(struct sockaddr_in));
	stls_endpoint_format(&place.addresses[1].sock.any, text);
	ck_assert_str_eq(text, "[2001:db8::1]:465");
	ck_assert_uint_eq(place.addresses[1].len, sizeof(struct sockaddr_in6));
	stls_place_done(&place);
	ck_assert_ptr_null(place.addresses);
	ck_assert_uint_eq(place.address_count, 0);
}
END_TEST

static const struct bad_text bad_addresses[] = {
	{ "mail.example.org:25",
	    "\"mail.example.org:25\" is no IP address with a port" },
	{ "unix:/run/x", "\"unix:/run/x\" is no IP address with a port" },
	{ "192.0.2.1", "the place to connect to has no port: 192.0.2.1" },
	{ "192.0.2.1:0",
	    "port 0 of the place to connect to is not in 1 to 65535" },
	{ "2001:db8::1:25", "the place to connect to has too many colons" },
	{ "user:secret@192.0.2.1:25",
	    "the place to connect to has a user name or password in it" },
	{ "", "the place to connect to has no host" },
};

START_TEST(what_is_no_address_is_refused)
{
	const struct bad_text *t = &bad_addresses[_i];
	struct stls_err err = { 0 };
	struct stls_place place = { 0 };

	ck_assert_int_eq(
	    stls_place_add_address(&err, &place, t->text), SMTPTLS_E_INVALID);
	ck_assert_msg(strncmp(err.text, t->sentence, strlen(t->sentence)) == 0,
	    "%s", err.text);
	ck_assert_uint_eq(place.address_count, 0);
	ck_assert_ptr_null(place.addresses);
}
END_TEST

START_TEST(addresses_of_a_place_have_a_limit)
{
	struct stls_err err = { 0 };
	struct stls_place place = { 0 };
	int i;

	for (i = 0; i < STLS_ENDPOINTS_MAX; i++)
		ck_assert_ok(
		    stls_place_add_address(&err, &place, "192.0.2.1:25"));
	ck_assert_int_eq(stls_place_add_address(&err, &place, "192.0.2.1:25"),
	    SMTPTLS_E_LIMIT);
	ck_assert_str_eq(
	    err.text, "there are more than 128 addresses to connect to");
	ck_assert_uint_eq(place.address_count, STLS_ENDPOINTS_MAX);
	stls_place_done(&place);
}
END_TEST

START_TEST(place_without_memory_is_nomem)
{
	struct stls_err err = { 0 };
	struct stls_place place;
	unsigned long i;

	stls_alloc_fail_at(1);
	ck_assert_int_eq(stls_place_parse(&err, good_places[_i].text, &place),
	    SMTPTLS_E_NOMEM);
	stls_alloc_fail_at(0);
	ck_assert_str_eq(err.text, "out of memory");

	memset(&place, 0, sizeof(place));
	ck_assert_ok(stls_place_add_address(&err, &place, "192.0.2.1:25"));
	for (i = 1; i <= 2; i++) {
		stls_alloc_fail_at(i);
		ck_assert_int_eq(
		    stls_place_add_address(&err, &place, "192.0.2.2:25"),
		    SMTPTLS_E_NOMEM);
		stls_alloc_fail_at(0);
	}
	ck_assert_uint_eq(place.address_count, 1);
	stls_place_done(&place);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("url");
	TCase *tc = tcase_create("url");

	tcase_add_loop_test(tc, url_is_taken, 0, COUNT(good_urls));
	tcase_add_loop_test(tc, url_is_refused, 0, COUNT(bad_urls));
	tcase_add_loop_test(tc, place_is_taken, 0, COUNT(good_places));
	tcase_add_loop_test(tc, place_is_refused, 0, COUNT(bad_places));
	tcase_add_test(tc, path_of_a_unix_socket_fits_or_is_refused);
	tcase_add_test(tc, addresses_of_a_place_are_kept_in_order);
	tcase_add_loop_test(
	    tc, what_is_no_address_is_refused, 0, COUNT(bad_addresses));
	tcase_add_test(tc, addresses_of_a_place_have_a_limit);
	tcase_add_loop_test(
	    tc, place_without_memory_is_nomem, 0, COUNT(good_places));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
