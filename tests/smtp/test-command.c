/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include <smtptls/status.h>

#include "base/alloc.h"
#include "smtp/command.h"

static struct stls_buf out;
static struct stls_err err;

/* What stands in the buffer before a command is appended. */
static const char before[] = "NOOP\r\n";

static void
setup(void)
{
	stls_buf_init(&out, 1 << 20);
	ck_assert_ok(stls_buf_append_str(&out, before));
}

static void
teardown(void)
{
	stls_buf_done(&out);
}

static void
check_line(const char *wanted)
{
	size_t skip = strlen(before), len = strlen(wanted);

	ck_assert_uint_eq(stls_buf_len(&out), skip + len);
	ck_assert_mem_eq(stls_buf_data(&out), before, skip);
	ck_assert_mem_eq(stls_buf_data(&out) + skip, wanted, len);
	stls_buf_truncate(&out, skip);
}

static void
check_nothing(void)
{
	check_line("");
}

/*
 * Every place of every command that takes a text, as a function of that text.
 */
static const struct stls_mail_params plain_mail,
    utf8_mail = { .smtputf8 = true };
static const struct stls_secret response = { (char[]){ "secret" }, 6 };

static int
put_verb(const char *text)
{
	return stls_command_write(&err, &out, text);
}

static int
put_ehlo_verb(const char *text)
{
	return stls_command_ehlo(&err, &out, text, "a.example.org");
}

static int
put_ehlo_name(const char *text)
{
	return stls_command_ehlo(&err, &out, "EHLO", text);
}

static int
put_sender(const char *text)
{
	return stls_command_mail(&err, &out, text, &plain_mail);
}

static int
put_utf8_sender(const char *text)
{
	return stls_command_mail(&err, &out, text, &utf8_mail);
}

static int
put_recipient(const char *text)
{
	return stls_command_rcpt(&err, &out, text, false);
}

static int
put_utf8_recipient(const char *text)
{
	return stls_command_rcpt(&err, &out, text, true);
}

static const struct stls_demands some = { .notify = STLS_NOTIFY_NEVER,
	.ret = "HDRS" };
static const struct stls_mail_params demanding_mail = { .demands = &some };

static int
put_demanding_sender(const char *text)
{
	return stls_command_mail(&err, &out, text, &demanding_mail);
}

static int
put_demanding_recipient(const char *text)
{
	return stls_command_rcpt_with(&err, &out, text, false, &some, 0);
}

/* They are checked where they are set, and here once more. */
static int
put_original(const char *text)
{
	struct stls_rcpt_demands one = { .orcpt = (char *)text };
	struct stls_demands d = { .rcpts = &one, .rcpt_count = 1 };

	return stls_command_rcpt_with(&err, &out, "a@b", false, &d, 0);
}

static int
put_mechanism(const char *text)
{
	return stls_command_auth(&err, &out, text, NULL);
}

static int
put_mechanism_with_response(const char *text)
{
	return stls_command_auth(&err, &out, text, &response);
}

static const struct {
	int (*put)(const char *text);
	bool takes_utf8;
	size_t max;
	const char *start, *end;
} places[] = {
	{ put_verb, false, STLS_COMMAND_LINE_MAX, "", "\r\n" },
	{ put_ehlo_verb, false, STLS_COMMAND_LINE_MAX, "",
	    " a.example.org\r\n" },
	{ put_ehlo_name, false, STLS_COMMAND_LINE_MAX, "EHLO ", "\r\n" },
	{ put_sender, false, STLS_COMMAND_LINE_MAX, "MAIL FROM:<", ">\r\n" },
	{ put_utf8_sender, true, STLS_COMMAND_LINE_MAX, "MAIL FROM:<",
	    "> SMTPUTF8\r\n" },
	{ put_recipient, false, STLS_COMMAND_LINE_MAX, "RCPT TO:<", ">\r\n" },
	{ put_utf8_recipient, true, STLS_COMMAND_LINE_MAX, "RCPT TO:<",
	    ">\r\n" },
	{ put_demanding_sender, false, STLS_COMMAND_LINE_MAX, "MAIL FROM:<",
	    "> RET=HDRS\r\n" },
	{ put_demanding_recipient, false, STLS_COMMAND_LINE_MAX, "RCPT TO:<",
	    "> NOTIFY=NEVER\r\n" },
	{ put_original, false, 0, "RCPT TO:<a@b> ORCPT=", "\r\n" },
	{ put_mechanism, false, STLS_AUTH_COMMAND_MAX, "AUTH ", "\r\n" },
	{ put_mechanism_with_response, false, STLS_AUTH_COMMAND_MAX, "AUTH ",
	    " c2VjcmV0\r\n" },
};

/* A piece alone, in front, in the middle and at the end of a text. */
static void
check_refused(int place, const char *piece)
{
	static const char *const around[][2] = { { "", "" }, { "", "ab" },
		{ "a", "b" }, { "ab", "" } };
	char text[64];
	int i;

	for (i = 0; i < COUNT(around); i++) {
		snprintf(text, sizeof(text), "%s%s%s", around[i][0], piece,
		    around[i][1]);
		stls_err_clear(&err);
		ck_assert_int_eq(places[place].put(text), SMTPTLS_E_INVALID);
		ck_assert_int_eq(err.code, SMTPTLS_E_INVALID);
		check_nothing();
	}
}

static bool
is_printable_ascii(unsigned int byte)
{
	return byte >= 0x20 && byte < 0x7f;
}

START_TEST(an_octet_that_no_command_may_have_is_refused)
{
	unsigned int byte;

	for (byte = 1; byte < 256; byte++) {
		if (!is_printable_ascii(byte))
			check_refused(_i, (char[]){ (char)byte, '\0' });
	}
}
END_TEST

START_TEST(printable_ascii_is_written_as_it_is)
{
	char line[128], text[2] = "";
	unsigned int byte;

	for (byte = 1; byte < 256; byte++) {
		if (!is_printable_ascii(byte))
			continue;
		text[0] = (char)byte;
		snprintf(line, sizeof(line), "%s%s%s", places[_i].start, text,
		    places[_i].end);
		ck_assert_ok(places[_i].put(text));
		check_line(line);
	}
}
END_TEST

static const char *const never[] = {
	"\r\nQUIT", "\xc2\x80", /* C1, first and last */
	"\xc2\x85", "\xc2\x9f",
	"\xe2\x80\xa8",		    /* line and paragraph separator */
	"\xe2\x80\xa9", "\xc0\x8a", /* overlong line ends */
	"\xe0\x80\x8a", "\xf0\x80\x80\x8d", "\xed\xa0\x80", /* a surrogate */
	"\xf4\x90\x80\x80",	/* beyond U+10FFFF */
	"\xc3",			/* cut off */
	"\xe2\x82", "\xa4\xc3", /* the wrong way round */
};

START_TEST(a_character_that_no_command_may_have_is_refused)
{
	int i;

	for (i = 0; i < COUNT(never); i++)
		check_refused(_i, never[i]);
}
END_TEST

static const char *const characters[] = {
	"\xc2\xa0",
	"\xc3\xa4",
	"\xdf\xbf",
	"\xe2\x80\xa7",
	"\xe2\x80\xaa",
	"\xe2\x82\xac",
	"\xf0\x9f\x93\xa7",
};

START_TEST(other_characters_need_smtputf8)
{
	char line[128];
	int i;

	for (i = 0; i < COUNT(characters); i++) {
		if (!places[_i].takes_utf8) {
			check_refused(_i, characters[i]);
			continue;
		}
		snprintf(line, sizeof(line), "%s%s%s", places[_i].start,
		    characters[i], places[_i].end);
		ck_assert_ok(places[_i].put(characters[i]));
		check_line(line);
	}
}
END_TEST

START_TEST(a_line_may_have_its_limit_and_not_an_octet_more)
{
	size_t fixed = strlen(places[_i].start) + strlen(places[_i].end);
	size_t len = places[_i].max - fixed;
	char text[STLS_COMMAND_LINE_MAX + 2], line[STLS_COMMAND_LINE_MAX + 2];

	/* It is shorter than the line may be. */
	if (places[_i].max == 0)
		return;
	memset(text, 'x', sizeof(text));
	text[len] = '\0';
	snprintf(line, sizeof(line), "%s%s%s", places[_i].start, text,
	    places[_i].end);
	ck_assert_uint_eq(strlen(line), places[_i].max);
	ck_assert_ok(places[_i].put(text));
	check_line(line);

	text[len] = 'x';
	text[len + 1] = '\0';
	ck_assert_int_eq(places[_i].put(text), SMTPTLS_E_LIMIT);
	ck_assert_int_eq(err.code, SMTPTLS_E_LIMIT);
	check_nothing();
}
END_TEST

START_TEST(lack_of_memory_appends_nothing)
{
	unsigned long n;
	int failed, r;

	for (n = 1, failed = 1; failed; n++) {
		stls_err_clear(&err);
		/* An empty buffer has to allocate. */
		stls_buf_done(&out);
		stls_buf_init(&out, 4096);
		stls_alloc_fail_at(n);
		r = places[_i].put("x");
		failed = stls_alloc_has_failed();
		stls_alloc_fail_at(0);
		ck_assert_int_eq(r, failed ? SMTPTLS_E_NOMEM : SMTPTLS_OK);
		ck_assert_int_eq(err.code, r);
		ck_assert_int_eq(stls_buf_len(&out) == 0, failed);
	}
	ck_assert_uint_gt(n, 2);
}
END_TEST

START_TEST(a_full_buffer_gets_no_half_of_a_line)
{
	size_t room;

	for (room = 0; room < strlen("QUIT\r\n"); room++) {
		out.max = stls_buf_len(&out) + room;
		ck_assert_int_eq(
		    stls_command_write(&err, &out, "QUIT"), SMTPTLS_E_LIMIT);
		check_nothing();
	}
	out.max = stls_buf_len(&out) + room;
	ck_assert_ok(stls_command_write(&err, &out, "QUIT"));
	check_line("QUIT\r\n");
}
END_TEST

static const struct {
	const char *sender;
	struct stls_mail_params params;
	const char *line;
} mails[] = {
	{ "", { 0 }, "MAIL FROM:<>\r\n" },
	{ "a@example.org", { 0 }, "MAIL FROM:<a@example.org>\r\n" },
	{ "a@example.org", { .size = 5 }, "MAIL FROM:<a@example.org>\r\n" },
	{ "a@example.org", { .has_size = true },
	    "MAIL FROM:<a@example.org> SIZE=0\r\n" },
	{ "", { .has_size = true, .size = UINT64_MAX },
	    "MAIL FROM:<> SIZE=18446744073709551615\r\n" },
	{ "", { .body_8bit = true }, "MAIL FROM:<> BODY=8BITMIME\r\n" },
	{ "", { .smtputf8 = true }, "MAIL FROM:<> SMTPUTF8\r\n" },
	{ "\xc3\xa4@example.org",
	    { .has_size = true,
		.size = 1,
		.body_8bit = true,
		.smtputf8 = true },
	    "MAIL FROM:<\xc3\xa4@example.org> SIZE=1 BODY=8BITMIME "
	    "SMTPUTF8\r\n" },
};

START_TEST(the_parameters_of_mail_are_those_that_were_asked_for)
{
	ck_assert_ok(
	    stls_command_mail(&err, &out, mails[_i].sender, &mails[_i].params));
	check_line(mails[_i].line);
}
END_TEST

START_TEST(an_empty_initial_response_is_an_equals_sign)
{
	static const struct stls_secret empty;

	ck_assert_ok(stls_command_auth(&err, &out, "EXTERNAL", &empty));
	check_line("AUTH EXTERNAL =\r\n");
	ck_assert_ok(stls_command_auth(&err, &out, "EXTERNAL", NULL));
	check_line("AUTH EXTERNAL\r\n");
	ck_assert_ok(stls_command_auth_response(&err, &out, &empty));
	check_line("\r\n");
}
END_TEST

START_TEST(any_octet_may_be_in_a_response)
{
	static const char plain[] = "\0user\0pa\r\nss\xff";
	struct stls_secret secret = { (char *)plain, sizeof(plain) - 1 };

	ck_assert_ok(stls_command_auth(&err, &out, "PLAIN", &secret));
	check_line("AUTH PLAIN AHVzZXIAcGENCnNz/w==\r\n");
	ck_assert_ok(stls_command_auth_response(&err, &out, &secret));
	check_line("AHVzZXIAcGENCnNz/w==\r\n");
}
END_TEST

START_TEST(an_initial_response_has_to_fit_the_command_line)
{
	char text[400];
	struct stls_secret secret = { text, 375 };

	memset(text, 'p', sizeof(text));
	/* 375 octets are 500 of base64. */
	ck_assert_ok(stls_command_auth(&err, &out, "TEST", &secret));
	ck_assert_uint_eq(stls_buf_len(&out), strlen(before) + 512);
	stls_buf_truncate(&out, strlen(before));

	ck_assert_int_eq(
	    stls_command_auth(&err, &out, "TEST5", &secret), SMTPTLS_E_LIMIT);
	check_nothing();
	secret.len++;
	ck_assert_int_eq(
	    stls_command_auth(&err, &out, "TEST", &secret), SMTPTLS_E_LIMIT);
	check_nothing();
	ck_assert_ptr_null(strstr(err.text, "cHBw"));
}
END_TEST

START_TEST(a_response_has_to_fit_its_line)
{
	static char text[9300];
	struct stls_secret secret = { text, 9213 };

	memset(text, 'p', sizeof(text));
	/* 9213 octets are 12284 of base64. */
	ck_assert_ok(stls_command_auth_response(&err, &out, &secret));
	ck_assert_uint_eq(stls_buf_len(&out), strlen(before) + 12286);
	stls_buf_truncate(&out, strlen(before));

	secret.len++;
	ck_assert_int_eq(
	    stls_command_auth_response(&err, &out, &secret), SMTPTLS_E_LIMIT);
	check_nothing();
	ck_assert_ptr_null(strstr(err.text, "cHBw"));
}
END_TEST

START_TEST(lack_of_memory_sends_no_half_of_a_response)
{
	unsigned long n;
	int failed, r;

	for (n = 1, failed = 1; failed; n++) {
		stls_buf_done(&out);
		stls_buf_init(&out, 4096);
		stls_alloc_fail_at(n);
		r = stls_command_auth_response(&err, &out, &response);
		failed = stls_alloc_has_failed();
		stls_alloc_fail_at(0);
		ck_assert_int_eq(r, failed ? SMTPTLS_E_NOMEM : SMTPTLS_OK);
		ck_assert_int_eq(stls_buf_len(&out) == 0, failed);
	}
	ck_assert_uint_gt(n, 3);
}
END_TEST

static void
add_place_tests(TCase *tc)
{
	int last = COUNT(places);

	tcase_add_loop_test(
	    tc, an_octet_that_no_command_may_have_is_refused, 0, last);
	tcase_add_loop_test(tc, printable_ascii_is_written_as_it_is, 0, last);
	tcase_add_loop_test(
	    tc, a_character_that_no_command_may_have_is_refused, 0, last);
	tcase_add_loop_test(tc, other_characters_need_smtputf8, 0, last);
	tcase_add_loop_test(
	    tc, a_line_may_have_its_limit_and_not_an_octet_more, 0, last);
	tcase_add_loop_test(tc, lack_of_memory_appends_nothing, 0, last);
}

int
main(void)
{
	Suite *suite = suite_create("command");
	TCase *tc = tcase_create("command");

	tcase_add_checked_fixture(tc, setup, teardown);
	add_place_tests(tc);
	tcase_add_test(tc, a_full_buffer_gets_no_half_of_a_line);
	tcase_add_loop_test(tc,
	    the_parameters_of_mail_are_those_that_were_asked_for, 0,
	    COUNT(mails));
	tcase_add_test(tc, an_empty_initial_response_is_an_equals_sign);
	tcase_add_test(tc, any_octet_may_be_in_a_response);
	tcase_add_test(tc, an_initial_response_has_to_fit_the_command_line);
	tcase_add_test(tc, a_response_has_to_fit_its_line);
	tcase_add_test(tc, lack_of_memory_sends_no_half_of_a_response);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
