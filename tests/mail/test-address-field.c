/* SPDX-License-Identifier: MIT */
/* Header fields with addresses: who is in them, and domains for bare names. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "mail/address.h"

static const struct {
	const char *value, *mailboxes;
} fields[] = {
	{ "", "" },
	{ " \t ", "" },
	{ ",", "" },
	{ ",, ,\r\n ,", "" },
	{ " a@x", "a@x" },
	{ "a@x,b@y", "a@x b@y" },
	{ "a@x, b@y\r\n", NULL },
	{ ",a@x,,\r\n\tb@y,", "a@x b@y" },
	{ "a@x,\n b@y", "a@x b@y" },
	{ "a@x, a@X, \"a\"@x, A <a@x>", "a@x" },
	{ "<a@x>", "a@x" },
	{ "Alice <a@x>", "a@x" },
	{ "Alice B. Clark <a@x>, \"B, C\" <b@y>", "a@x b@y" },
	{ "\"a@evil.example\" <a@x>", "a@x" },
	{ "\"<b@evil.example>,\" <a@x>", "a@x" },
	{ "\"q\\\"<b@evil.example>\\\"\" <a@x>", "a@x" },
	{ "\"a@evil.example, \"@x", "\"a@evil.example, \"@x" },
	{ "=?utf-8?q?J=C3=BC=2C_=3Cb=40evil=3E?= <a@x>", "a@x" },
	{ "=?utf-8?b?SsO8?=\r\n =?utf-8?b?SsO8?=\r\n <a@x>", "a@x" },
	{ "J\xc3\xbcrgen <a@x>, J\xfcrgen <b@y>", "a@x b@y" },
	{ "j\xc3\xbcrgen@x", "j\xc3\xbcrgen@x" },
	{ "(Alice) a@x (work), b@y(home)", "a@x b@y" },
	{ "a(c)@(c)x(c).(c)y(c)", "a@x.y" },
	{ "(one (two (three) two) one) a@x", "a@x" },
	{ "(b@evil.example, \\) \\( c@evil.example) a@x", "a@x" },
	{ "Alice (<b@evil.example>) <a@x>", "a@x" },
	{ "a . b @ x . example", "a.b@x.example" },
	{ "\"a b\".c@x", "\"a b.c\"@x" },
	{ "< a @ x >", "a@x" },
	{ "<@r.example:a@x>", "a@x" },
	{ "Alice <@r.example,@s.example : a@x>", "a@x" },
	{ "<,@r.example,,@[192.0.2.1]:a@x>", "a@x" },
	{ "a@[192.0.2.1], b@[IPv6:0::1]", "a@[192.0.2.1] b@[IPv6:::1]" },
	{ "undisclosed-recipients:;", "" },
	{ "undisclosed recipients: ;", "" },
	{ "\"A group\": a@x, B <b@y>;, c@z", "a@x b@y c@z" },
	{ "A:a@x;(c),B:b@y;", "a@x b@y" },
	{ "A:,a@x,,;,", "a@x" },
	/* Without its end, but it cannot be mistaken. */
	{ "undisclosed-recipients:", "" },
	{ "A: a@x", "a@x" },
	{ "root", "root@added.example" },
	{ "root, Alice <alice>", "root@added.example alice@added.example" },
	{ "\"a b\"", "\"a b\"@added.example" },
	{ "a@b\xc3\xbc"
	  "cher.example",
	    "a@xn--bcher-kva.example" },
	{ "a..b@x, c.@x", "\"a..b\"@x \"c.\"@x" },
	{ "-oX@x, -oQ", "-oX@x -oQ@added.example" },
	{ "\"a\r\n b\"@x", "\"a b\"@x" },
};

/* The mailboxes of a list with blanks between them. */
static void
join(const struct stls_address_list *list, char *out, size_t cap)
{
	size_t i;

	out[0] = '\0';
	for (i = 0; i < list->count; i++) {
		ck_assert_uint_lt(strlen(out) + 300, cap);
		strcat(out, i > 0 ? " " : "");
		strcat(out, list->items[i].mailbox);
	}
}

START_TEST(an_address_field_yields_its_mailboxes)
{
	const char *value = fields[_i].value;
	struct stls_address_list list = { .count = 0 };
	struct stls_err err = { .code = 0 };
	char mailboxes[1000];

	/* A line end that folds nothing belongs to the next field. */
	if (fields[_i].mailboxes == NULL) {
		ck_assert_int_eq(stls_address_list_parse_field(&err, value,
				     strlen(value), "added.example", &list),
		    SMTPTLS_E_INVALID);
		stls_address_list_done(&list);
		return;
	}
	ck_assert_msg(stls_address_list_parse_field(&err, value, strlen(value),
			  "added.example", &list) == SMTPTLS_OK,
	    "%s: %s", value, err.text);
	join(&list, mailboxes, sizeof(mailboxes));
	ck_assert_str_eq(mailboxes, fields[_i].mailboxes);
	stls_address_list_done(&list);
}
END_TEST

static const struct {
	const char *value, *text;
} refused[] = {
	{ "a@x b@y", "a comma is missing before \"b@y\"" },
	{ "a@x b", "a comma is missing before \"b\"" },
	{ "<a@x> <b@y>", "a comma is missing before \"<b@y>\"" },
	{ "<a@x> b@y", "a comma is missing before \"b@y\"" },
	{ "a@x <b@y>", "a comma is missing before \"<b@y>\"" },
	{ "a@x; b@y", "a comma is missing before \"; b@y\"" },
	{ "A:a@x; b@y", "a comma is missing before \"b@y\"" },
	{ "A:a@x;;", "a comma is missing before \";\"" },
	{ ";", "a comma is missing before \";\"" },
	{ "a@b@c", "a comma is missing before \"@c\"" },
	{ "<a@b@c>", "address \"<a@b@c>\" lacks its last bracket" },
	{ "a@x>", "a comma is missing before \">\"" },
	{ "a@[192.0.2.1]x", "a comma is missing before \"x\"" },
	{ "Alice B <a@x", "address \"Alice B <a@x\" lacks its last bracket" },
	{ "Alice <>", "address \"Alice <>\" has empty brackets" },
	{ "<>", "address \"<>\" has empty brackets" },
	{ "@x", "address \"@x\" has no local part" },
	{ "<@x>", "address \"<@x>\" has a broken route" },
	{ "<@x:>", "address \"<@x:>\" has empty brackets" },
	{ "a@", "address \"a@\" has nothing behind its @" },
	{ "a@, b@x", "address \"a@, b@x\" has nothing behind its @" },
	{ "<a@>", "address \"<a@>\" has nothing behind its @" },
	{ "a b@x", "address \"a b@x\" has a blank in its local part" },
	{ "Alice Clark",
	    "address \"Alice Clark\" has a blank in its local "
	    "part" },
	{ "\"a\"b@x", "address \"\"a\"b@x\" has a blank in its local part" },
	{ ":a@x", "address \":a@x\" has a colon where no group begins" },
	{ "A:B:a@x;;",
	    "address \"B:a@x;;\" has a colon where no group "
	    "begins" },
	{ "a@x:b@y", "a comma is missing before \":b@y\"" },
	{ "\"a@x", "address \"\"a@x\" lacks its last quote" },
	{ "\"a\\", "address \"\"a\\\" lacks its last quote" },
	{ "(a@x", "address \"(a@x\" has a comment that does not end" },
	{ "(a\\", "address \"(a\\\" has a comment that does not end" },
	{ "a@x (b))", "a comma is missing before \")\"" },
	{ "a@[192.0.2.1",
	    "address \"a@[192.0.2.1\" lacks the bracket of its "
	    "domain" },
	{ "[ext] A <a@x>", "a comma is missing before \"[ext] A <a@x>\"" },
	{ "a@x\r\nBcc: b@y",
	    "a comma is missing before \"\\x0d\\x0aBcc: "
	    "b@y\"" },
	{ "a@x\rb@y", "a comma is missing before \"\\x0db@y\"" },
	{ "\"a\rb\"@x", "address \"a\\x0db\" has a control character" },
	{ "\"a\r\nb\"@x", "address \"a\\x0d\\x0ab\" has a control character" },
	{ "a\x1b@x",
	    "address \"a\\x1b@x\" has no domain, and there is none "
	    "to add" },
	{ "a\xff@x", "address \"a\xff\" is not valid UTF-8" },
	{ "a@-x",
	    "address \"a@-x\": host name \"-x\" has a label that begins or "
	    "ends with a hyphen" },
	{ "a@127.0.0.1",
	    "address \"a@127.0.0.1\": an IP address is a domain only in "
	    "brackets" },
	{ "root", "address \"root\" has no domain, and there is none to add" },
	{ "A <root>",
	    "address \"A <root>\" has no domain, and there is none to add" },
};

START_TEST(what_is_no_address_field_is_refused_with_its_reason)
{
	const char *value = refused[_i].value;
	struct stls_address_list list = { .count = 0 };
	struct stls_err err = { .code = 0 };
	struct stls_err expected;

	ck_assert_int_eq(stls_address_list_parse_field(
			     &err, value, strlen(value), NULL, &list),
	    SMTPTLS_E_INVALID);
	stls_err_set(&expected, SMTPTLS_E_INVALID, "%s", refused[_i].text);
	ck_assert_str_eq(err.text, expected.text);
	stls_address_list_done(&list);
}
END_TEST

START_TEST(a_nul_in_a_field_is_refused_wherever_it_stands)
{
	char text[] = "A: \"B\" <@r:\"a\"@x>, c@[192.0.2.1];";
	struct stls_address_list list = { .count = 0 };
	struct stls_err err;
	size_t i;
	char c;
	int r;

	for (i = 0; i < sizeof(text) - 1; i++) {
		c = text[i];
		text[i] = '\0';
		r = stls_address_list_parse_field(
		    &err, text, sizeof(text) - 1, "added.example", &list);
		/* In the quotes of a display name nobody reads it. */
		ck_assert_int_eq(r, i == 4 ? SMTPTLS_OK : SMTPTLS_E_INVALID);
		text[i] = c;
	}
	stls_address_list_done(&list);
}
END_TEST

START_TEST(comments_nest_32_times_and_not_more)
{
	struct stls_address_list list = { .count = 0 };
	struct stls_err err;
	char text[100];

	memset(text, '(', 33);
	memset(text + 33, ')', 33);
	memcpy(text + 66, "a@x", 4);
	ck_assert_int_eq(stls_address_list_parse_field(
			     &err, text, strlen(text), NULL, &list),
	    SMTPTLS_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.text, "nested too deeply"));
	ck_assert_ok(stls_address_list_parse_field(
	    &err, text + 1, strlen(text) - 2 - 3, NULL, &list));
	ck_assert_uint_eq(list.count, 0);
	stls_address_list_done(&list);
}
END_TEST

START_TEST(a_name_may_be_long_but_not_an_address)
{
	struct stls_address_list list = { .count = 0 };
	struct stls_err err;
	char text[3000];

	memset(text, 'a', sizeof(text));
	memcpy(text + 2000, " <a@x>", 7);
	ck_assert_ok(stls_address_list_parse_field(
	    &err, text, strlen(text), NULL, &list));
	ck_assert_uint_eq(list.count, 1);

	memcpy(text + 2000, "@x", 3);
	ck_assert_int_eq(stls_address_list_parse_field(
			     &err, text, strlen(text), NULL, &list),
	    SMTPTLS_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.text, "local part that is too long"));

	text[1] = '@';
	text[2000] = '\0';
	ck_assert_int_eq(stls_address_list_parse_field(
			     &err, text, strlen(text), NULL, &list),
	    SMTPTLS_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.text, "domain that is too long"));
	stls_address_list_done(&list);
}
END_TEST

/* NULL: it is no address field. */
static const struct {
	const char *value, *qualified;
} qualified[] = {
	{ "root", "root@x.example" },
	{ " root ", " root@x.example " },
	{ "\troot\r\n ", "\troot@x.example\r\n " },
	{ "\n root\n\t", "\n root@x.example\n\t" },
	{ "root (Cron Daemon)", "root@x.example (Cron Daemon)" },
	{ "root(Cron Daemon)", "root@x.example(Cron Daemon)" },
	{ "(Cron, root)root", "(Cron, root)root@x.example" },
	{ "root (bob (a \\) b), c)\n (d), alice",
	    "root@x.example (bob (a \\) b), c)\n (d), alice@x.example" },
	{ "\"root\"", "\"root\"@x.example" },
	{ "\"a \\\" b\"", "\"a \\\" b\"@x.example" },
	{ "\"a\r\n b\"\r\n (c)", "\"a\r\n b\"@x.example\r\n (c)" },
	{ "<root>", "<root@x.example>" },
	{ "< (a) root (b) > (c)", "< (a) root@x.example (b) > (c)" },
	{ "<\n root\n >", "<\n root@x.example\n >" },
	{ "a.b", "a.b@x.example" },
	{ "a . b , c", "a . b@x.example , c@x.example" },
	{ "a\n .(x)\n b\n (c)", "a\n .(x)\n b@x.example\n (c)" },
	{ "alice, Bob <bob>", "alice@x.example, Bob <bob@x.example>" },
	{ "alice,Bob<bob>,carol,",
	    "alice@x.example,Bob<bob@x.example>,"
	    "carol@x.example," },
	{ ",, root ,\n ,alice", ",, root@x.example ,\n ,alice@x.example" },
	{ "root, root", "root@x.example, root@x.example" },
	/* A name that is displayed is none. */
	{ "\"root, alice\" <bob>", "\"root, alice\" <bob@x.example>" },
	{ "root <a@b.example>, alice", "root <a@b.example>, alice@x.example" },
	{ "Cron Daemon <root>", "Cron Daemon <root@x.example>" },
	{ "(Cron Daemon) <root>", "(Cron Daemon) <root@x.example>" },
	{ "J. Doe <doe>", "J. Doe <doe@x.example>" },
	/* Those with a domain stay as they are written. */
	{ "root, alice@Example.ORG", "root@x.example, alice@Example.ORG" },
	{ "a @ (b) c.example , root", "a @ (b) c.example , root@x.example" },
	{ "a@[192.0.2.1], root", "a@[192.0.2.1], root@x.example" },
	{ "\"root\"@b.example", "\"root\"@b.example" },
	{ "\"a@b\", a@b\xc3\xbc.example",
	    "\"a@b\"@x.example, a@b\xc3\xbc.example" },
	/* Groups and routes. */
	{ "undisclosed-recipients:;", "undisclosed-recipients:;" },
	{ "root: ;", "root: ;" },
	{ "Group: alice, B <bob>; (c), carol",
	    "Group: alice@x.example, B <bob@x.example>; (c), carol@x.example" },
	{ "\"a: b\":root;", "\"a: b\":root@x.example;" },
	{ "<@a.example,@b.example:root>",
	    "<@a.example,@b.example:root@x.example>" },
	{ "<@a.example:c@b.example>", "<@a.example:c@b.example>" },
	/* What is not ASCII. */
	{ "J\xc3\xbcrgen", "J\xc3\xbcrgen@x.example" },
	{ "J\xfcrgen <j>", "J\xfcrgen <j@x.example>" },
	{ "j (J\xfcrgen)", "j@x.example (J\xfcrgen)" },
	/* No address is there. */
	{ "", "" },
	{ " ", " " },
	{ "(root)", "(root)" },
	{ " , (a),\r\n ", " , (a),\r\n " },
	/* What is no address. */
	{ "root@", NULL },
	{ "alice, root@", NULL },
	{ "alice, <>", NULL },
	{ "alice bob", NULL },
	{ "alice, Cron Daemon", NULL },
	{ "alice, <bob", NULL },
	{ "alice, \"bob", NULL },
	{ "alice (bob", NULL },
	{ "<alice> bob", NULL },
	{ "alice, a: b: c;;", NULL },
	{ "alice;", NULL },
	{ "alice\r, bob", NULL },
	{ "alice\nbob", NULL },
	{ "j\xfcrgen", NULL },
	{ "alice, bob@-", NULL },
	{ "alice, \"\x01\"", NULL },
};

START_TEST(a_bare_name_gets_its_domain_and_no_other_octet_changes)
{
	const char *value = qualified[_i].value, *wanted;
	size_t len = strlen(value);
	char *exact = malloc(len + 1);
	struct stls_err err;
	struct stls_buf out;
	int r;

	/* Not one octet behind it, so that a sanitizer sees who reads it. */
	ck_assert_ptr_nonnull(exact);
	exact = realloc(memcpy(exact, value, len), len > 0 ? len : 1);
	wanted = qualified[_i].qualified != NULL ? qualified[_i].qualified : "";
	stls_buf_init(&out, 1000);
	ck_assert_ok(stls_buf_append(&out, "To:", 3));
	r = stls_address_field_qualify(&err, exact, len, "X.example.", &out);
	if (qualified[_i].qualified == NULL)
		ck_assert_int_eq(r, SMTPTLS_E_INVALID);
	else
		ck_assert_msg(r == SMTPTLS_OK, "%s", err.text);
	ck_assert_uint_eq(stls_buf_len(&out), 3 + strlen(wanted));
	ck_assert_mem_eq(stls_buf_data(&out), "To:", 3);
	ck_assert_mem_eq(stls_buf_data(&out) + 3, wanted, strlen(wanted));
	stls_buf_done(&out);
	free(exact);
}
END_TEST

static const struct {
	const char *domain, *qualified;
} domains[] = {
	{ "x.example", "root@x.example" },
	{ "B\xc3\xbc"
	  "cher.example",
	    "root@xn--bcher-kva.example" },
	{ "[192.0.2.1]", "root@[192.0.2.1]" },
	{ "", NULL },
	{ "192.0.2.1", NULL },
	{ "x.example\r\nBcc: b@x", NULL },
	{ "x.example, a@b", NULL },
	{ NULL, NULL },
};

START_TEST(a_domain_is_written_as_it_is_sent_or_not_at_all)
{
	const char *wanted = domains[_i].qualified;
	struct stls_err err;
	struct stls_buf out;

	stls_buf_init(&out, 1000);
	ck_assert_int_eq(stls_address_field_qualify(
			     &err, "root", 4, domains[_i].domain, &out),
	    wanted != NULL ? SMTPTLS_OK : SMTPTLS_E_INVALID);
	ck_assert_uint_eq(
	    stls_buf_len(&out), wanted != NULL ? strlen(wanted) : 0);
	if (wanted != NULL)
		ck_assert_mem_eq(stls_buf_data(&out), wanted, strlen(wanted));
	stls_buf_done(&out);
}
END_TEST

START_TEST(a_field_that_does_not_fit_with_its_domains_is_refused)
{
	static const char value[] = "a, b (c)";
	size_t needed = sizeof(value) - 1 + 2 * sizeof("x.example"), max;
	struct stls_err err;
	struct stls_buf out;

	for (max = 0; max <= needed; max++) {
		stls_buf_init(&out, max);
		ck_assert_int_eq(stls_address_field_qualify(&err, value,
				     sizeof(value) - 1, "x.example", &out),
		    max < needed ? SMTPTLS_E_LIMIT : SMTPTLS_OK);
		ck_assert_uint_eq(
		    stls_buf_len(&out), max < needed ? 0 : needed);
		stls_buf_done(&out);
	}
}
END_TEST

START_TEST(lack_of_memory_for_domains_is_told)
{
	const char *value = "A: a@x, bob; , root";
	struct stls_err err;
	struct stls_buf out;
	unsigned long n;
	int r;

	for (n = 1; n < 100; n++) {
		stls_buf_init(&out, 1000);
		stls_alloc_fail_at(n);
		r = stls_address_field_qualify(
		    &err, value, strlen(value), "added.example", &out);
		if (!stls_alloc_has_failed())
			break;
		ck_assert_int_eq(r, SMTPTLS_E_NOMEM);
		ck_assert_uint_eq(stls_buf_len(&out), 0);
		stls_buf_done(&out);
	}
	stls_alloc_fail_at(0);
	ck_assert_ok(r);
	ck_assert_uint_gt(n, 4);
	stls_buf_done(&out);
}
END_TEST

START_TEST(lack_of_memory_in_a_field_is_told)
{
	const char *value = "A: a@x, B <b@y>; , root";
	struct stls_address_list list = { .count = 0 };
	struct stls_err err;
	unsigned long n;
	int r;

	for (n = 1; n < 100; n++) {
		stls_alloc_fail_at(n);
		r = stls_address_list_parse_field(
		    &err, value, strlen(value), "added.example", &list);
		if (!stls_alloc_has_failed())
			break;
		ck_assert_int_eq(r, SMTPTLS_E_NOMEM);
		stls_address_list_done(&list);
	}
	stls_alloc_fail_at(0);
	ck_assert_ok(r);
	ck_assert_uint_gt(n, 5);
	ck_assert_uint_eq(list.count, 3);
	stls_address_list_done(&list);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("address-field");
	TCase *mailboxes = tcase_create("mailboxes");
	TCase *added = tcase_create("domains");

	tcase_add_loop_test(
	    mailboxes, an_address_field_yields_its_mailboxes, 0, COUNT(fields));
	tcase_add_loop_test(mailboxes,
	    what_is_no_address_field_is_refused_with_its_reason, 0,
	    COUNT(refused));
	tcase_add_test(
	    mailboxes, a_nul_in_a_field_is_refused_wherever_it_stands);
	tcase_add_test(mailboxes, comments_nest_32_times_and_not_more);
	tcase_add_test(mailboxes, a_name_may_be_long_but_not_an_address);
	tcase_add_test(mailboxes, lack_of_memory_in_a_field_is_told);
	suite_add_tcase(suite, mailboxes);

	tcase_add_loop_test(added,
	    a_bare_name_gets_its_domain_and_no_other_octet_changes, 0,
	    COUNT(qualified));
	tcase_add_loop_test(added,
	    a_domain_is_written_as_it_is_sent_or_not_at_all, 0, COUNT(domains));
	tcase_add_test(
	    added, a_field_that_does_not_fit_with_its_domains_is_refused);
	tcase_add_test(added, lack_of_memory_for_domains_is_told);
	suite_add_tcase(suite, added);
	return run_suite(suite);
}
