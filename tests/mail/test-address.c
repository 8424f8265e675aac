/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "mail/address.h"

#define A10 "aaaaaaaaaa"
#define A60 A10 A10 A10 A10 A10 A10
#define D50 A10 A10 A10 A10 "aaaaaaaaa."

static const struct {
	const char *text, *local, *domain, *mailbox;
} accepted[] = {
	{ "a@example.org", "a", "example.org", "a@example.org" },
	{ "<a@example.org>", "a", "example.org", "a@example.org" },
	{ " a@example.org \t", "a", "example.org", "a@example.org" },
	{ " <a@example.org> ", "a", "example.org", "a@example.org" },
	{ "A.b+c@Example.ORG.", "A.b+c", "example.org", "A.b+c@example.org" },
	{ "!#$%&'*+-/=?^_`{|}~@x", "!#$%&'*+-/=?^_`{|}~", "x",
	    "!#$%&'*+-/=?^_`{|}~@x" },
	{ "-oX@example.org", "-oX", "example.org", "-oX@example.org" },
	{ "\"-oX\"@example.org", "-oX", "example.org", "-oX@example.org" },
	{ "root@localhost", "root", "localhost", "root@localhost" },
	/* Quotes stay only where they are needed. */
	{ "\"ab\"@x", "ab", "x", "ab@x" },
	{ "\"a b\"@x", "a b", "x", "\"a b\"@x" },
	{ "\"a.b\"@x", "a.b", "x", "a.b@x" },
	{ "\"a\\b\"@x", "ab", "x", "ab@x" },
	{ "\"a\\\"b\"@x", "a\"b", "x", "\"a\\\"b\"@x" },
	{ "\"a\\\\b\"@x", "a\\b", "x", "\"a\\\\b\"@x" },
	{ "\"\"@x", "", "x", "\"\"@x" },
	{ "\" \"@x", " ", "x", "\" \"@x" },
	/* Seen in the wild, and RFC 5321 allows them in quotes. */
	{ "a..b@x", "a..b", "x", "\"a..b\"@x" },
	{ ".a@x", ".a", "x", "\".a\"@x" },
	{ "a.@x", "a.", "x", "\"a.\"@x" },
	{ ".@x", ".", "x", "\".\"@x" },
	/* What has cut addresses in two elsewhere: the last @ counts. */
	{ "\"a@evil.example\"@x", "a@evil.example", "x",
	    "\"a@evil.example\"@x" },
	{ "\"a@evil.example> SIZE=1\"@x", "a@evil.example> SIZE=1", "x",
	    "\"a@evil.example> SIZE=1\"@x" },
	{ "\"a\\> AUTH=<>\"@x", "a> AUTH=<>", "x", "\"a> AUTH=<>\"@x" },
	{ "<\"a>b\"@x>", "a>b", "x", "\"a>b\"@x" },
	{ "\"a,b\"@x", "a,b", "x", "\"a,b\"@x" },
	{ "\"(c)\"@x", "(c)", "x", "\"(c)\"@x" },
	/* Address literals are written anew. */
	{ "a@[127.0.0.1]", "a", "[127.0.0.1]", "a@[127.0.0.1]" },
	{ "a@[IPv6:::1]", "a", "[IPv6:::1]", "a@[IPv6:::1]" },
	{ "a@[ipv6:2001:DB8:0:0:0:0:0:1]", "a", "[IPv6:2001:db8::1]",
	    "a@[IPv6:2001:db8::1]" },
	/* RFC 6531; u diaeresis, and a domain in Cyrillic. */
	{ "j\xc3\xbcrgen@x", "j\xc3\xbcrgen", "x", "j\xc3\xbcrgen@x" },
	{ "\"j\xc3\xbcrgen m\"@x", "j\xc3\xbcrgen m", "x",
	    "\"j\xc3\xbcrgen m\"@x" },
	{ "a@b\xc3\xbc"
	  "cher.example",
	    "a", "xn--bcher-kva.example", "a@xn--bcher-kva.example" },
	/* U+760A and U+760D, whose low octets are LF and CR. */
	{ "a\xe7\x98\x8a\xe7\x98\x8d@x", "a\xe7\x98\x8a\xe7\x98\x8d", "x",
	    "a\xe7\x98\x8a\xe7\x98\x8d@x" },
	{ A60 "abcd@x", A60 "abcd", "x", A60 "abcd@x" },
};

START_TEST(an_address_is_taken_apart_and_written_anew)
{
	const char *text = accepted[_i].text;
	struct stls_address a;
	struct stls_err err;

	ck_assert_ok(stls_address_parse(&err, text, strlen(text), false, &a));
	ck_assert_str_eq(a.local, accepted[_i].local);
	ck_assert_str_eq(a.domain, accepted[_i].domain);
	ck_assert_str_eq(a.mailbox, accepted[_i].mailbox);
	ck_assert_int_eq(
	    a.needs_smtputf8, !stls_ascii_only(a.local, strlen(a.local)));
	ck_assert_ptr_null(strpbrk(a.mailbox, "\r\n"));
	stls_address_done(&a);
}
END_TEST

static const struct {
	const char *text, *why;
} refused[] = {
	{ "", "is empty" },
	{ "  ", "is empty" },
	{ "<>", "is empty" },
	{ "a", "has no domain" },
	{ "\"a b\"", "has no domain" },
	{ "@x", "has no local part" },
	{ "@", "has no local part" },
	{ "a@", "nothing behind" },
	{ "<a@>", "nothing behind" },
	{ "a@b@c",
	    "address \"a@b@c\": host name \"b@c\" has a character that no "
	    "host name has" },
	{ "a@evil.example@x", "has a character that no host name has" },
	{ "<a@b", "lacks its last bracket" },
	{ "<", "lacks its last bracket" },
	{ "a@b>", "has a character that no host name has" },
	{ "<<a@b>>", "has no local part" },
	{ "< a@b >", "has no local part" },
	{ "<a@b>x", "lacks its last bracket" },
	{ "<a@b> SIZE=1>", "has a character that no host name has" },
	{ "a@b> SIZE=1", "has a character that no host name has" },
	{ "a@b SIZE=1", "has a character that no host name has" },
	{ "a b@x", "must be quoted" },
	{ "a @x", "must be quoted" },
	{ "a(c)@x", "must be quoted" },
	{ "a,b@x", "must be quoted" },
	{ "a>b@x", "must be quoted" },
	{ "a\"b\"@x", "must be quoted" },
	{ "\"a\"b@x", "must be quoted" },
	{ "Name <a@b>", "has a name in front of it" },
	{ "\"N. Ame\" <a@b>", "has a name in front of it" },
	{ "@r.example:a@x", "has no local part" },
	{ "<@r.example,@s.example:a@x>", "has no local part" },
	{ "\"a@x", "lacks its last quote" },
	{ "\"a\\\"@x", "lacks its last quote" },
	{ "\"", "lacks its last quote" },
	{ "\"\\", "lacks its last quote" },
	{ "a@127.0.0.1", "only in brackets" },
	{ "a@::1", "only in brackets" },
	{ "a@[::1]", "no address literal" },
	{ "a@[]", "no address literal" },
	{ "a@[127.0.0.1", "no address literal" },
	{ "a@[127.0.0.1]x", "no address literal" },
	{ "a@[127.0.0.256]", "no address literal" },
	{ "a@[127.1]", "no address literal" },
	{ "a@[IPv6:]", "no address literal" },
	{ "a@[IPv6:127.0.0.1]", "no address literal" },
	{ "a@[IPv6:fe80::1%eth0]", "no address literal" },
	{ "a@[x-tag:1]", "no address literal" },
	{ "a@[127.0.0.1> SIZE=1]", "no address literal" },
	{ "a@-x", "begins or ends with a hyphen" },
	{ "a@x..y", "has an empty label" },
	{ "a\r\nRCPT TO:<b@x>@x", "has a control character" },
	{ "a@x\r\n", "has a control character" },
	{ "a@x\r\n.example", "has a control character" },
	{ "\"a\r\nb\"@x", "has a control character" },
	{ "\"a\\\r\\\nb\"@x", "has a control character" },
	{ "\"a\tb\"@x", "has a control character" },
	{ "a\x7f@x", "has a control character" },
	{ "a\xc2\x85@x", "has a control character" },
	{ "a\xe2\x80\xa8@x", "has a control character" },
	{ "\"a\xe2\x80\xa9\"@x", "has a control character" },
	{ "a\xff@x", "not valid UTF-8" },
	{ "a\xc0\x8a@x", "not valid UTF-8" },
	{ "a\xed\xa0\x8a@x", "not valid UTF-8" },
	{ A60 "abcde@x", "above 64 octets" },
	{ "\"" A60 "a bc\"@x", "above 64 octets" },
	{ A60 "@" D50 D50 D50 D50 "x", "longer than 254" },
	{ A60 "@" D50 D50 D50 D50 D50 D50 "x", "longer than 254" },
};

START_TEST(what_is_no_address_is_refused_with_its_reason)
{
	const char *text = refused[_i].text;
	struct stls_address a = { .local = NULL };
	struct stls_err err;

	ck_assert_int_eq(
	    stls_address_parse(&err, text, strlen(text), false, &a),
	    SMTPTLS_E_INVALID);
	ck_assert_msg(strstr(err.text, refused[_i].why) != NULL, "%s: %s", text,
	    err.text);
	ck_assert_ptr_null(a.mailbox);
}
END_TEST

START_TEST(a_nul_is_refused_wherever_it_stands)
{
	char text[] = "\"ab\"@[192.0.2.1]";
	struct stls_address a;
	struct stls_err err;
	size_t i;
	char c;

	for (i = 0; i < sizeof(text) - 1; i++) {
		c = text[i];
		text[i] = '\0';
		ck_assert_int_eq(
		    stls_address_parse(&err, text, sizeof(text) - 1, false, &a),
		    SMTPTLS_E_INVALID);
		text[i] = c;
	}
}
END_TEST

START_TEST(a_bare_name_is_accepted_only_where_it_is_allowed)
{
	struct stls_address a;
	struct stls_err err;

	ck_assert_ok(stls_address_parse(&err, "<alice>", 7, true, &a));
	ck_assert_str_eq(a.domain, "");
	ck_assert_str_eq(a.mailbox, "alice");
	stls_address_done(&a);
	ck_assert_int_eq(stls_address_parse(&err, "<alice>", 7, false, &a),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(
	    stls_address_parse(&err, "a@", 2, true, &a), SMTPTLS_E_INVALID);
}
END_TEST

START_TEST(a_bare_name_gets_its_domain)
{
	struct stls_address a;
	struct stls_err err;

	ck_assert_ok(stls_address_parse(&err, "\"a b\"", 5, true, &a));
	ck_assert_str_eq(a.mailbox, "\"a b\"");
	ck_assert_int_eq(
	    stls_address_qualify(&err, &a, "x y"), SMTPTLS_E_INVALID);
	ck_assert_int_eq(stls_address_qualify(&err, &a, ""), SMTPTLS_E_INVALID);
	ck_assert_str_eq(a.mailbox, "\"a b\"");

	ck_assert_ok(stls_address_qualify(&err, &a, "Example.ORG"));
	ck_assert_str_eq(a.mailbox, "\"a b\"@example.org");
	ck_assert_ok(stls_address_qualify(&err, &a, "example.net"));
	ck_assert_str_eq(a.mailbox, "\"a b\"@example.org");
	stls_address_done(&a);
}
END_TEST

static const struct {
	const char *a, *b;
	bool same;
} pairs[] = {
	{ "a@x", "a@x", true },
	{ "a@x", "<a@X.>", true },
	{ "a@x", "\"a\"@x", true },
	{ "a@[IPv6:::1]", "a@[ipv6:0::1]", true },
	{ "a@b\xc3\xbc"
	  "cher.example",
	    "a@xn--bcher-kva.example", true },
	{ "a@x", "A@x", false },
	{ "a@x", "a@y", false },
	{ "\"a b\"@x", "\"a  b\"@x", false },
};

START_TEST(a_mailbox_is_its_local_part_and_its_domain_in_any_case)
{
	struct stls_address a, b;
	struct stls_err err;

	ck_assert_ok(stls_address_parse(
	    &err, pairs[_i].a, strlen(pairs[_i].a), false, &a));
	ck_assert_ok(stls_address_parse(
	    &err, pairs[_i].b, strlen(pairs[_i].b), false, &b));
	ck_assert_int_eq(stls_address_is_same(&a, &b), pairs[_i].same);
	stls_address_done(&a);
	stls_address_done(&b);
}
END_TEST

/* Also where it only grows too long on the way out. */
START_TEST(a_mailbox_of_254_octets_is_the_longest)
{
	static const char domain[] = D50 D50 D50 A10 A10 A10 "abcdefghi";
	static const char name[] = A60 "abcd";
	struct stls_address a = { .local = NULL };
	struct stls_err err;

	ck_assert_uint_eq(sizeof(name) - 1 + 1 + sizeof(domain) - 1, 254);
	ck_assert_ok(
	    stls_address_make(&err, name, 64, domain, sizeof(domain) - 1, &a));
	ck_assert_uint_eq(strlen(a.mailbox), 254);
	stls_address_done(&a);
	ck_assert_int_eq(stls_address_make(&err, "a b" A60, 62, domain,
			     sizeof(domain) - 1, &a),
	    SMTPTLS_OK);
	stls_address_done(&a);
	ck_assert_int_eq(stls_address_make(&err, name, 64,
			     "a" D50 D50 D50 A10 A10 A10 "abcdefghi", 190, &a),
	    SMTPTLS_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.text, "longer than 254"));
	ck_assert_ptr_null(a.local);
}
END_TEST

/* A character of every kind, some special, some of more octets than one. */
static const char *const alphabet[] = { "a", "Z", "0", ".", "..", "@", "\"",
	"\\", " ", "<", ">", ",", ";", ":", "(", ")", "[", "]", "+", "-",
	"\xc3\xbc", "\xe7\x98\x8a", "\xf0\x9f\x98\x80", "~", "'" };

START_TEST(what_is_written_parses_to_the_same_parts)
{
	struct stls_address a, b;
	struct stls_err err;
	char local[128];
	int round, n;

	srand(1);
	for (round = 0; round < 20000; round++) {
		local[0] = '\0';
		for (n = rand() % 8; n > 0; n--)
			strcat(local, alphabet[rand() % (int)COUNT(alphabet)]);
		ck_assert_ok(stls_address_make(
		    &err, local, strlen(local), "example.org", 11, &a));
		ck_assert_ok(stls_address_parse(
		    &err, a.mailbox, strlen(a.mailbox), false, &b));
		ck_assert_str_eq(b.local, local);
		ck_assert_str_eq(b.mailbox, a.mailbox);
		stls_address_done(&a);
		stls_address_done(&b);
	}
}
END_TEST

/* Whatever comes in: what is accepted is one line that parses to itself. */
START_TEST(random_text_is_refused_or_understood)
{
	static const char octets[] = "ab.@\"\\ <>[]\r\n\t\x7f\xc3\xbc:1,";
	struct stls_address a, b;
	struct stls_err err;
	int i, len, understood = 0;
	size_t round, rounds = test_rounds(100000);
	char text[12];

	srand(2);
	for (round = 0; round < rounds; round++) {
		len = rand() % (int)sizeof(text);
		for (i = 0; i < len; i++)
			text[i] = octets[rand() % (int)sizeof(octets)];
		if (stls_address_parse(&err, text, (size_t)len, true, &a) < 0)
			continue;
		understood++;
		for (i = 0; a.mailbox[i] != '\0'; i++)
			ck_assert_uint_ge((unsigned char)a.mailbox[i], 0x20);
		ck_assert_ok(stls_address_parse(
		    &err, a.mailbox, strlen(a.mailbox), true, &b));
		ck_assert_str_eq(a.local, b.local);
		ck_assert_str_eq(a.domain, b.domain);
		stls_address_done(&a);
		stls_address_done(&b);
	}
	ck_assert_uint_gt((size_t)understood, rounds / 100);
}
END_TEST

static void
check_mailbox(const char *text, size_t len)
{
	struct stls_mailbox mailbox;
	struct stls_address a;
	struct stls_err err, same;
	int r;

	r = stls_address_parse(&err, text, len, false, &a);
	ck_assert_int_eq(stls_mailbox_parse(&same, text, len, &mailbox), r);
	if (r < 0) {
		ck_assert_str_eq(same.text, err.text);
		return;
	}
	ck_assert_str_eq(mailbox.text, a.mailbox);
	ck_assert_uint_eq(mailbox.len, strlen(a.mailbox));
	ck_assert_int_eq(mailbox.needs_smtputf8, a.needs_smtputf8);
	stls_address_done(&a);
}

START_TEST(a_mailbox_alone_is_the_same_mailbox)
{
	static const char octets[] = "aaaZ0..@@-_\"\\ <>\r\xc3\xbc";
	static const char *const longest[] = { "a@" D50 D50 D50 D50 D50 "aa",
		"a@" D50 D50 D50 D50 D50 "aaa", "a@" D50 D50 D50 D50 D50 "aaaa",
		A60 "aaaa@x", A60 "aaaaa@x", A60 "aa.a@x", A60 "aaa.@x" };
	char text[12];
	int i, len;
	size_t n, round, rounds = test_rounds(200000);

	for (n = 0; n < COUNT(accepted); n++)
		check_mailbox(accepted[n].text, strlen(accepted[n].text));
	for (n = 0; n < COUNT(refused); n++)
		check_mailbox(refused[n].text, strlen(refused[n].text));
	for (n = 0; n < COUNT(longest); n++)
		check_mailbox(longest[n], strlen(longest[n]));
	srand(4);
	for (round = 0; round < rounds; round++) {
		len = rand() % (int)sizeof(text);
		for (i = 0; i < len; i++)
			text[i] = octets[rand() % (int)sizeof(octets)];
		check_mailbox(text, (size_t)len);
	}
}
END_TEST

START_TEST(lack_of_memory_is_told_and_leaves_nothing_behind)
{
	struct stls_address a = { .local = NULL };
	struct stls_err err;
	unsigned long n;
	int r;

	for (n = 1; n < 100; n++) {
		stls_alloc_fail_at(n);
		r = stls_address_parse(&err, "a@x", 3, false, &a);
		if (!stls_alloc_has_failed())
			break;
		ck_assert_int_eq(r, SMTPTLS_E_NOMEM);
		ck_assert_ptr_null(a.local);
	}
	stls_alloc_fail_at(0);
	ck_assert_uint_eq(n, 2);
	ck_assert_ok(r);
	stls_address_done(&a);
}
END_TEST

START_TEST(a_name_that_gets_no_domain_for_lack_of_memory_stays_bare)
{
	struct stls_address a;
	struct stls_err err;

	ck_assert_ok(stls_address_parse(&err, "alice", 5, true, &a));
	stls_alloc_fail_at(1);
	ck_assert_int_eq(
	    stls_address_qualify(&err, &a, "example.org"), SMTPTLS_E_NOMEM);
	stls_alloc_fail_at(0);
	ck_assert_str_eq(a.mailbox, "alice");
	stls_address_done(&a);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("address");
	TCase *tc = tcase_create("address");

	tcase_add_loop_test(
	    tc, an_address_is_taken_apart_and_written_anew, 0, COUNT(accepted));
	tcase_add_loop_test(tc, what_is_no_address_is_refused_with_its_reason,
	    0, COUNT(refused));
	tcase_add_test(tc, a_nul_is_refused_wherever_it_stands);
	tcase_add_test(tc, a_bare_name_is_accepted_only_where_it_is_allowed);
	tcase_add_test(tc, a_bare_name_gets_its_domain);
	tcase_add_loop_test(tc,
	    a_mailbox_is_its_local_part_and_its_domain_in_any_case, 0,
	    COUNT(pairs));
	tcase_add_test(tc, a_mailbox_of_254_octets_is_the_longest);
	tcase_add_test(tc, a_mailbox_alone_is_the_same_mailbox);
	tcase_add_test(tc, what_is_written_parses_to_the_same_parts);
	tcase_add_test(tc, random_text_is_refused_or_understood);
	tcase_add_test(tc, lack_of_memory_is_told_and_leaves_nothing_behind);
	tcase_add_test(
	    tc, a_name_that_gets_no_domain_for_lack_of_memory_stays_bare);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
