/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "name/host.h"

#define LABEL_63                                                               \
	"abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij123"

static const struct {
	const char *text, *name;
} names[] = {
	{ "mx.example.org", "mx.example.org" },
	{ "MX.Example.ORG", "mx.example.org" },
	{ "mx.example.org.", "mx.example.org" },
	{ "localhost", "localhost" },
	{ "relay", "relay" },
	{ "a", "a" },
	{ "_submission.example.org", "_submission.example.org" },
	{ "a_b.example.org", "a_b.example.org" },
	{ "1.example.org", "1.example.org" },
	{ "1.2.3.4.in-addr.arpa", "1.2.3.4.in-addr.arpa" },
	{ "example.0xg", "example.0xg" },
	{ "example.1a", "example.1a" },
	{ "xn--bcher-kva.example", "xn--bcher-kva.example" },
	{ "b\xc3\xbc"
	  "cher.example",
	    "xn--bcher-kva.example" },
	{ "B\xc3\x9c"
	  "CHER.Example.",
	    "xn--bcher-kva.example" },
	/* u and a combining diaeresis */
	{ "bu\xcc\x88"
	  "cher.example",
	    "xn--bcher-kva.example" },
	/* ideographic and full-width full stop */
	{ "b\xc3\xbc"
	  "cher\xe3\x80\x82"
	  "example",
	    "xn--bcher-kva.example" },
	{ "mx\xef\xbc\x8e"
	  "example.org\xe3\x80\x82",
	    "mx.example.org" },
	/* IDNA 2008 keeps the sharp s, the transitional mapping makes it ss */
	{ "fa\xc3\x9f.example", "xn--fa-hia.example" },
	{ LABEL_63 ".example.org", LABEL_63 ".example.org" },
};

START_TEST(a_host_name_is_written_as_lower_case_a_labels)
{
	struct stls_host host;
	struct stls_err err;

	ck_assert_ok(stls_host_parse(
	    &err, names[_i].text, strlen(names[_i].text), &host));
	ck_assert_str_eq(host.name, names[_i].name);
	ck_assert(!host.is_ip);
	ck_assert_uint_eq(host.ip_len, 0);
}
END_TEST

static const struct {
	const char *text, *name;
	size_t ip_len;
	unsigned char ip[16];
} addresses[] = {
	{ "192.0.2.1", "192.0.2.1", 4, { 192, 0, 2, 1 } },
	{ "127.0.0.1", "127.0.0.1", 4, { 127, 0, 0, 1 } },
	{ "255.255.255.255", "255.255.255.255", 4, { 255, 255, 255, 255 } },
	{ "::1", "::1", 16, { [15] = 1 } },
	{ "[::1]", "::1", 16, { [15] = 1 } },
	{ "[2001:DB8:0:0::1]", "2001:db8::1", 16,
	    { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } },
	{ "::ffff:192.0.2.1", "192.0.2.1", 4, { 192, 0, 2, 1 } },
	{ "[::ffff:c000:201]", "192.0.2.1", 4, { 192, 0, 2, 1 } },
};

START_TEST(an_ip_literal_is_written_as_inet_ntop_does)
{
	struct stls_host host;
	struct stls_err err;

	ck_assert_ok(stls_host_parse(
	    &err, addresses[_i].text, strlen(addresses[_i].text), &host));
	ck_assert(host.is_ip);
	ck_assert_str_eq(host.name, addresses[_i].name);
	ck_assert_uint_eq(host.ip_len, addresses[_i].ip_len);
	ck_assert_mem_eq(host.ip, addresses[_i].ip, host.ip_len);
}
END_TEST

static const struct {
	const char *text, *why;
} refused[] = {
	{ "", "is empty" },
	{ ".", "has an empty label" },
	{ "..", "has an empty label" },
	{ "a..", "has an empty label" },
	{ ".a.com", "has an empty label" },
	{ "www.example..com", "has an empty label" },
	{ "\xe3\x80\x82", "has an empty label" },
	{ "b\xc3\xbc\xe3\x80\x82\xe3\x80\x82"
	  "com",
	    "has an empty label" },
	{ "https://example.org", "has a character" },
	{ "example.org/x", "has a character" },
	{ "example.org:25", "has a character" },
	{ "user@example.org", "has a character" },
	{ "*", "has a character" },
	{ "*.example.org", "has a character" },
	{ "a%2eb.example", "has a character" },
	{ "a b.example", "has a character" },
	{ " example.org", "has a character" },
	{ "example.org ", "has a character" },
	{ "example.org\t", "has a control" },
	{ "example.org\n", "has a control" },
	{ "exa\rmple.org", "has a control" },
	{ "exa\x7fmple.org", "has a control" },
	{ "exa\xc2\x85mple.org", "has a control" },
	{ "exa\xe2\x80\xa8mple.org", "has a control" },
	{ "exa\xc3mple.org", "has a control" },
	{ "exa\xed\xa0\x80mple.org", "has a control" },
	{ "-a.example", "begins or ends with a hyphen" },
	{ "a-.example", "begins or ends with a hyphen" },
	{ "example.-", "begins or ends with a hyphen" },
	{ "a." LABEL_63 "4.example", "has a label above 63" },
	{ "1", "ends in a number" },
	{ "1.2.3", "ends in a number" },
	{ "1.2.3.4.5", "ends in a number" },
	{ "1.2.3.4.", "ends in a number" },
	{ "256.1.1.1", "ends in a number" },
	{ "01.2.3.4", "ends in a number" },
	{ "0x7f.1", "ends in a number" },
	{ "0x7f", "ends in a number" },
	{ "127.0.0.0X1", "ends in a number" },
	{ "example.12", "ends in a number" },
	{ "example.0x", "ends in a number" },
	/* full-width digits would become 127.0.0.1 behind the parser's back */
	{ "\xef\xbc\x91"
	  "27.0.0.1",
	    "ends in a number" },
	/* libidn2 would leave these out: account of, no-break space, soft
	 * hyphen, zero width space, underscore */
	{ "evil.example\xe2\x84\x80.example.org", "has a character" },
	{ "exa\xc2\xa0mple.org", "has a character" },
	{ "exa\xc2\xadmple.org", "has a character" },
	{ "exa\xe2\x80\x8bmple.org", "has a character" },
	{ "a\xc3\xbc_b.example", "has a character" },
	{ "a\xc3\xbc/b.example", "has a character" },
	{ "a\xc3\xbc b.example", "has a character" },
	/* snowman: no letter in IDNA 2008 */
	{ "\xe2\x98\x83.example", "is no international name" },
	{ "[192.0.2.1]", "is no IPv6 address" },
	{ "[]", "is no IPv6 address" },
	{ "[", "lacks its bracket" },
	{ "[::1", "lacks its bracket" },
	{ "[::1]x", "lacks its bracket" },
	{ "::1]", "has a character" },
	{ "[[::1]]", "has a character" },
	{ "[example.org]", "has a character" },
	{ "fe80::1%eth0", "has a zone identifier" },
	{ "[fe80::1%25eth0]", "has a zone identifier" },
	{ ":::", "is no IPv6 address" },
	{ "1:2:3:4:5:6:7:8:9", "is no IPv6 address" },
	{ "::", "is the unspecified address" },
	{ "[::]", "is the unspecified address" },
	{ "0.0.0.0", "is the unspecified address" },
	{ "::ffff:0.0.0.0", "is the unspecified address" },
};

START_TEST(what_is_no_host_is_refused_with_its_reason)
{
	struct stls_host host = { .name = "unchanged" };
	struct stls_err err;

	ck_assert_int_eq(stls_host_parse(&err, refused[_i].text,
			     strlen(refused[_i].text), &host),
	    SMTPTLS_E_INVALID);
	ck_assert_msg(strstr(err.text, refused[_i].why) != NULL, "%s: %s",
	    refused[_i].text, err.text);
	ck_assert_str_eq(host.name, "unchanged");
}
END_TEST

START_TEST(a_nul_in_the_middle_is_refused)
{
	struct stls_host host;
	struct stls_err err;

	ck_assert_int_eq(
	    stls_host_parse(&err, "example.org\0.evil.example", 25, &host),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(
	    stls_host_parse(&err, "192.0.2.1\0", 10, &host), SMTPTLS_E_INVALID);
	ck_assert_int_eq(
	    stls_host_parse(&err, "b\xc3\xbc\0.example", 12, &host),
	    SMTPTLS_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.text, "\\x00"));
}
END_TEST

/* Names of `len` octets, in labels of 49. */
static void
make_name(char *name, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		name[i] = i % 50 == 49 ? '.' : 'a';
	name[len] = '\0';
}

START_TEST(a_name_of_253_octets_is_the_longest)
{
	struct stls_host host;
	struct stls_err err;
	char name[2000];

	make_name(name, 253);
	ck_assert_ok(stls_host_parse(&err, name, 253, &host));
	ck_assert_str_eq(host.name, name);
	name[253] = '.';
	ck_assert_ok(stls_host_parse(&err, name, 254, &host));

	make_name(name, 254);
	ck_assert_int_eq(
	    stls_host_parse(&err, name, 254, &host), SMTPTLS_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.text, "longer than 253"));
	make_name(name, 1999);
	ck_assert_int_eq(
	    stls_host_parse(&err, name, 1999, &host), SMTPTLS_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.text, "longer than 253"));
}
END_TEST

START_TEST(every_octet_but_those_of_host_names_is_refused)
{
	const char *allowed = "abcdefghijklmnopqrstuvwxyz"
			      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	char text[] = "exa?mple.org";
	struct stls_host host;
	struct stls_err err;
	int c, r;

	for (c = 0; c < 256; c++) {
		text[3] = (char)c;
		r = stls_host_parse(&err, text, sizeof(text) - 1, &host);
		if (c != 0 && c < 128 && strchr(allowed, c) != NULL)
			ck_assert_int_eq(r, SMTPTLS_OK);
		else
			ck_assert_int_eq(r, SMTPTLS_E_INVALID);
	}
}
END_TEST

START_TEST(a_parsed_host_parses_to_itself)
{
	struct stls_host first, second;
	struct stls_err err;
	const char *text = _i < (int)COUNT(names)
	    ? names[_i].text
	    : addresses[_i - (int)COUNT(names)].text;

	ck_assert_ok(stls_host_parse(&err, text, strlen(text), &first));
	ck_assert_ok(
	    stls_host_parse(&err, first.name, strlen(first.name), &second));
	ck_assert_str_eq(first.name, second.name);
	ck_assert_uint_eq(first.ip_len, second.ip_len);
	ck_assert_mem_eq(first.ip, second.ip, sizeof(first.ip));
}
END_TEST

/* Behind a final dot, which is dropped, a name is looked at with care. */
START_TEST(the_quick_way_differs_in_nothing)
{
	static const char octets[] = "aZ09-_..xx\xc3\xbc:[ ";
	char text[12], name[STLS_HOST_LEN_MAX + 1];
	struct stls_host host;
	struct stls_err err;
	int round, i, len, plain = 0;
	size_t name_len;

	srand(3);
	for (round = 0; round < 200000; round++) {
		len = 1 + rand() % ((int)sizeof(text) - 1);
		for (i = 0; i < len; i++)
			text[i] = octets[rand() % ((int)sizeof(octets) - 1)];
		name_len = stls_host_copy_plain(name, text, (size_t)len);
		if (name_len == 0)
			continue;
		plain++;
		ck_assert_uint_eq(name_len, strlen(name));
		text[len] = '.';
		ck_assert_ok(
		    stls_host_parse(&err, text, (size_t)len + 1, &host));
		ck_assert(!host.is_ip);
		ck_assert_str_eq(host.name, name);
	}
	ck_assert_int_gt(plain, 1000);
}
END_TEST

START_TEST(what_is_not_plain_needs_the_careful_way)
{
	static const char *const texts[] = { "", ".", "a.", ".a", "a..b", "-a",
		"a-", "a.-b", "a-.b", "1", "a.1", "a.1b", "127.0.0.1", "::1",
		"a b", "a@b", "\xc3\xbc", "a/b", "a\x7f" };
	char name[STLS_HOST_LEN_MAX + 1];
	size_t i;

	for (i = 0; i < COUNT(texts); i++)
		ck_assert_uint_eq(
		    stls_host_copy_plain(name, texts[i], strlen(texts[i])), 0);
	ck_assert_uint_eq(stls_host_copy_plain(name, LABEL_63, 63), 63);
	ck_assert_uint_eq(stls_host_copy_plain(name, LABEL_63 "a", 64), 0);
	ck_assert_uint_eq(stls_host_copy_plain(name, "a\0b", 3), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("host");
	TCase *tc = tcase_create("host");

	tcase_add_loop_test(
	    tc, a_host_name_is_written_as_lower_case_a_labels, 0, COUNT(names));
	tcase_add_loop_test(tc, an_ip_literal_is_written_as_inet_ntop_does, 0,
	    COUNT(addresses));
	tcase_add_loop_test(
	    tc, what_is_no_host_is_refused_with_its_reason, 0, COUNT(refused));
	tcase_add_test(tc, a_nul_in_the_middle_is_refused);
	tcase_add_test(tc, a_name_of_253_octets_is_the_longest);
	tcase_add_test(tc, every_octet_but_those_of_host_names_is_refused);
	tcase_add_loop_test(tc, a_parsed_host_parses_to_itself, 0,
	    COUNT(names) + COUNT(addresses));
	tcase_add_test(tc, the_quick_way_differs_in_nothing);
	tcase_add_test(tc, what_is_not_plain_needs_the_careful_way);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
