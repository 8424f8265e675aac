/* SPDX-License-Identifier: MIT */
/* Mischief as a value: a conversation is fed, and what it says is looked at. */
#include <string.h>

#include <smtptls/status.h>

#include "base/buf.h"
#include "base/err.h"
#include "mischief/misbehave.h"
#include "mischief/order.h"
#include "sink-talk.h"

#define MAIL FROM TO "DATA\r\nx\r\n.\r\n"
#define LOG_IN "AUTH PLAIN " PLAIN "\r\n"

static struct sink_mischief mischief;

/* The greeting has been said. */
static void
begin_misbehaving(const char *form, unsigned int how)
{
	struct stls_err err;

	prepare(how, SINK_EXTENSIONS_ALL);
	if (form != NULL) {
		ck_assert_ok(sink_misbehave_parse(&err, form, &mischief));
		policy.mischief = &mischief;
	}
	start(how);
	sink_smtp_greet(&smtp);
	collect();
}

static const struct {
	const char *form;
	const char *input;
	const char *codes;
	unsigned int messages;
	unsigned int misbehaviours;
} conversations[] = {
	/* Done or not done. */
	{ "answer:rcpt:451", HI MAIL, "220 250 250 451 503 500 500", 0, 1 },
	{ "answer:content:554", HI MAIL FROM, "220 250 250 250 354 554 250", 0,
	    1 },
	{ "lie:content:554", HI MAIL FROM, "220 250 250 250 354 554 250", 1,
	    1 },
	{ "answer:greeting:554", "", "554", 0, 1 },
	{ "answer:auth:235", HI "AUTH X\r\n", "220 250 235", 0, 1 },
	/* HELO is not EHLO. */
	{ "answer:ehlo:502", HI "HELO c\r\n" FROM, "220 502 250 250", 0, 1 },
	{ "421-at:mail", HI FROM TO, "220 250 421", 0, 1 },
	{ "421-at:content", HI MAIL, "220 250 250 250 354 421", 0, 1 },
	{ "lie:rset:451", HI FROM "RSET\r\n" FROM, "220 250 250 451 250", 0,
	    1 },
	{ "answer:rset:250", HI FROM "RSET\r\n" FROM, "220 250 250 250 503", 0,
	    1 },
	/* A refused chunk stays refused, one that was lied about not. */
	{ "answer:chunk:452", HI FROM TO "BDAT 1\r\nxBDAT 1 LAST\r\ny",
	    "220 250 250 250 452 503", 0, 1 },
	{ "first-chunk-refused",
	    HI FROM TO "BDAT 1\r\nxBDAT 1\r\ny"
		       "BDAT 1 LAST\r\nz",
	    "220 250 250 250 452 250 250", 1, 1 },
	/* The last BDAT is content, and no DATA is where there is BDAT. */
	{ "answer:content:451", HI FROM TO "BDAT 1 LAST\r\nx",
	    "220 250 250 250 451", 0, 1 },
	{ "answer:data:451", HI FROM TO "BDAT 1 LAST\r\nx",
	    "220 250 250 250 502", 0, 0 },
	/* Everything, whatever it is and in whatever order. */
	{ "always-250", "DATA\r\n" HI "DATA\r\nwhat\r\n.\r\nQUIT\r\n",
	    "220 250 250 250 250 250 250", 0, 5 },
	{ "always-354", HI FROM "x\r\n", "220 250 354 354", 0, 2 },
	/* How often. */
	{ "twice:mail", HI FROM TO, "220 250 250 250 250", 0, 1 },
	{ "twice:content", HI MAIL, "220 250 250 250 354 250 250", 1, 1 },
	{ "skip:rcpt", HI MAIL, "220 250 250 354 250", 1, 1 },
	{ "early:content", HI MAIL FROM, "220 250 250 250 354 250 250", 1, 2 },
	{ "early:rcpt", HI FROM, "220 250 250 250", 0, 1 },
	{ "early:mail", HI, "220 250 250", 0, 1 },
	{ "every-second-recipient", HI FROM TO TO TO TO,
	    "220 250 250 250 550 250 550", 0, 2 },
	{ "limits-lie", HI FROM TO TO TO, "220 250 250 250 452 452", 0, 3 },
	{ "redirect:251", HI MAIL, "220 250 250 251 354 250", 1, 1 },
	{ "redirect:551", HI FROM TO "DATA\r\n", "220 250 250 551 503", 0, 1 },
	{ "redirect:421", HI FROM TO TO, "220 250 250 421", 0, 1 },
	/* What has to do with the connection ends the conversation. */
	{ "close-at:mail", HI FROM TO, "220 250", 0, 1 },
	{ "close-at:content", HI MAIL FROM, "220 250 250 250 354", 1, 1 },
	{ "stop-reading:rcpt", HI FROM TO TO, "220 250 250 250", 0, 1 },
	/* And what is done elsewhere leaves it alone. */
	{ "drip:1", HI MAIL "QUIT\r\n", "220 250 250 250 354 250 221", 1, 0 },
	{ "starttls-not-offered", HI MAIL "QUIT\r\n",
	    "220 250 250 250 354 250 221", 1, 0 },
};

START_TEST(a_conversation_goes_wrong_where_it_is_to)
{
	begin_misbehaving(conversations[_i].form, 0);
	feed(conversations[_i].input);
	ck_assert_str_eq(codes(), conversations[_i].codes);
	ck_assert_uint_eq(stats.messages, conversations[_i].messages);
	ck_assert_uint_eq(stats.misbehaviours, conversations[_i].misbehaviours);
	sink_smtp_done(&smtp);
}
END_TEST

static const struct {
	const char *form;
	const char *answer; /* to HI FROM, at the end of it */
} texts[] = {
	{ "reply-no-text:mail", "\r\n250 \r\n" },
	{ "reply-no-blank:mail", "\r\n250\r\n" },
	{ "reply-no-code:mail", "\r\n2.1.0 sender ok\r\n" },
	{ "reply-short-code:mail", "\r\n25 2.1.0 sender ok\r\n" },
	{ "reply-mixed-codes:mail",
	    "\r\n550-5.0.0 no\r\n250 2.1.0 sender ok\r\n" },
	{ "reply-bare-lf:mail", "\r\n250 2.1.0 sender ok\n" },
	{ "reply-bare-cr:mail", "\r\n250 2.1.0 sender ok\r250 ok\r\n" },
	{ "reply-no-end:mail", "\r\n250-2.1.0 sender ok\r\n" },
	/* Every line of a longer one, the rest of each as it was. */
	{ "reply-code-999:ehlo",
	    "\r\n999 DELIVERBY 60\r\n250 2.1.0 sender "
	    "ok\r\n" },
	{ "size:twice",
	    "\r\n250-SIZE 1\r\n250-SIZE 99999999\r\n250 HELP\r\n"
	    "250 2.1.0 sender ok\r\n" },
};

START_TEST(a_reply_gets_another_form)
{
	size_t len = strlen(texts[_i].answer);

	begin_misbehaving(texts[_i].form, 0);
	feed(HI FROM);
	ck_assert_uint_gt(out_len, len);
	ck_assert_str_eq(out + out_len - len, texts[_i].answer);
	ck_assert_uint_eq(stats.misbehaviours, 1);
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(a_nul_is_in_the_middle_of_the_reply)
{
	static const char answer[] = "250 2.1.0 sender ok\0 250 ok\r\n";

	begin_misbehaving("reply-nul:mail", 0);
	feed(HI FROM);
	ck_assert_uint_gt(out_len, sizeof(answer) - 1);
	ck_assert_mem_eq(
	    out + out_len - (sizeof(answer) - 1), answer, sizeof(answer) - 1);
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(what_goes_on_is_left_to_the_connection)
{
	begin_misbehaving("reply-lines:mail:7", 0);
	feed(HI);
	out_len = 0;
	feed(FROM);
	ck_assert_uint_eq(out_len, 0);
	ck_assert_str_eq(smtp.mischief.filler.text, "250-more\r\n");
	ck_assert_str_eq(smtp.mischief.filler.tail, "250 end\r\n");
	ck_assert_uint_eq(smtp.mischief.filler.left, 7);
	sink_smtp_done(&smtp);

	begin_misbehaving("reply-line:greeting:0", 0);
	ck_assert_str_eq(out, "220 ");
	ck_assert_uint_eq(smtp.mischief.filler.left, UINT64_MAX);
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(authentication_goes_wrong_where_it_is_to)
{
	begin_misbehaving("auth-endless-challenge", LOGIN);
	feed(HI LOG_IN "eA==\r\n*\r\n");
	ck_assert_str_eq(codes(), "220 250 334 334 334");
	sink_smtp_done(&smtp);

	begin_misbehaving("auth-bad-base64", LOGIN);
	feed(HI LOG_IN "*\r\n" LOG_IN);
	ck_assert_str_eq(codes(), "220 250 334 501 503");
	ck_assert_ptr_nonnull(strstr(out, "334 ***?=\r\n"));
	sink_smtp_done(&smtp);

	begin_misbehaving("auth-repeated", LOGIN);
	feed(HI LOG_IN FROM);
	ck_assert_str_eq(codes(), "220 250 535 530");
	ck_assert_ptr_nonnull(strstr(out, "PLAIN AGFsaWNlAHNlY3JldA==\r\n"));
	sink_smtp_done(&smtp);

	begin_misbehaving("early:auth", LOGIN);
	feed(HI);
	ck_assert_str_eq(codes(), "220 250 235");
	feed(LOG_IN FROM);
	ck_assert_str_eq(codes(), "220 250 235 250");
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(who_does_without_starttls_is_fooled)
{
	begin_misbehaving("starttls-not-offered", CLEAR | LOGIN);
	feed(HI "STARTTLS\r\n" LOG_IN MAIL);
	ck_assert_str_eq(codes(), "220 250 502 235 250 250 354 250");
	ck_assert_ptr_null(strstr(out, "250-STARTTLS"));
	ck_assert_ptr_nonnull(strstr(out, "250-AUTH PLAIN LOGIN\r\n"));
	ck_assert_uint_eq(stats.messages, 1);
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(what_is_only_before_tls_is_gone_inside_it)
{
	begin_misbehaving("only-before-tls:size", CLEAR);
	feed(HI);
	ck_assert_ptr_nonnull(strstr(out, "250-SIZE 1\r\n"));
	sink_smtp_tls_started(&smtp);
	out_len = 0;
	feed(HI "MAIL FROM:<a@b> SIZE=1\r\n");
	ck_assert_ptr_null(strstr(out, "SIZE"));
	ck_assert_str_eq(codes(), "250 555");
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(a_good_server_has_none_of_it)
{
	begin_misbehaving(NULL, 0);
	feed(HI MAIL "QUIT\r\n");
	ck_assert_str_eq(codes(), "220 250 250 250 354 250 221");
	ck_assert_uint_eq(stats.misbehaviours, 0);
	ck_assert_int_eq(smtp.mischief.end, SINK_END_NONE);
	sink_smtp_done(&smtp);
}
END_TEST

static const struct {
	const char *flight;
	const char *reversed; /* NULL: there is one reply, which stays */
} flights[] = {
	{ "250 a\r\n250-b\r\n250 c\r\n354 d\r\n",
	    "354 d\r\n250-b\r\n250 c\r\n250 a\r\n" },
	{ "250-a\r\n250 b\r\n250 c\r\n", "250 c\r\n250-a\r\n250 b\r\n" },
	{ "250-a\r\n250 b\r\n", NULL },
	{ "250 a\r\n", NULL },
	{ "", NULL },
};

START_TEST(a_flight_is_turned_around)
{
	const char *flight = flights[_i].flight;
	const char *wanted = flights[_i].reversed;
	struct stls_buf buf;

	stls_buf_init(&buf, 1000);
	ck_assert_ok(stls_buf_append_str(&buf, flight));
	ck_assert_int_eq(sink_mischief_reverse(&buf), wanted != NULL);
	if (wanted == NULL)
		wanted = flight;
	ck_assert_uint_eq(stls_buf_len(&buf), strlen(wanted));
	ck_assert_mem_eq(stls_buf_data(&buf), wanted, strlen(wanted));
	stls_buf_done(&buf);
}
END_TEST

static const struct {
	const char *text;
	bool is_valid;
	const char *sentence; /* a part of it */
} forms[] = {
	{ "421-at:rcpt", true, NULL },
	{ "answer:data:250", true, NULL },
	{ "close-after:1", true, NULL },
	{ "close-after:100000", true, NULL },
	{ "reply-line:mail:0", true, NULL },
	{ "always-250", true, NULL },
	{ "", false, "--misbehave list" },
	{ "421", false, "--misbehave list" },
	{ "421-AT:rcpt", false, "--misbehave list" },
	{ "421-at", false, "421-at:greeting|ehlo" },
	{ "421-at:", false, "421-at:greeting" },
	{ "421-at:rcp", false, "421-at:greeting" },
	{ "421-at:rcpt|data", false, "421-at:greeting" },
	{ "421-at:rcpt:1", false, "421-at:greeting" },
	{ "answer:data", false, "quit:200..599" },
	{ "answer:data:199", false, "quit:200..599" },
	{ "answer:data:600", false, "quit:200..599" },
	{ "answer:data:250x", false, "quit:200..599" },
	{ "answer:data:-250", false, "quit:200..599" },
	{ "answer:250", false, "quit:200..599" },
	{ "close-after", false, "close-after:1..100000" },
	{ "close-after:0", false, "close-after:1..100000" },
	{ "close-after:99999999999999999999", false, "close-after:1..100000" },
	{ "always-250:1", false, "always-250" },
};

START_TEST(only_a_form_of_the_list_is_taken)
{
	struct stls_err err;
	int r;

	r = sink_misbehave_parse(&err, forms[_i].text, &mischief);
	ck_assert_int_eq(r == SMTPTLS_OK, forms[_i].is_valid);
	if (forms[_i].sentence != NULL)
		ck_assert_ptr_nonnull(
		    strstr(stls_err_text(&err), forms[_i].sentence));
}
END_TEST

START_TEST(what_needs_an_option_says_so)
{
	static const struct {
		const char *form;
		unsigned int needs;
	} cases[] = {
		{ "421-at:auth", SINK_NEEDS_AUTH },
		{ "421-at:mail", 0 },
		{ "early:auth", SINK_NEEDS_AUTH },
		{ "only-before-tls:auth", SINK_NEEDS_AUTH },
		{ "only-before-tls:size", 0 },
		{ "auth-offers:unknown", SINK_NEEDS_AUTH },
		{ "certificate:expired", SINK_NEEDS_CA },
	};
	struct stls_err err;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		ck_assert_ok(
		    sink_misbehave_parse(&err, cases[i].form, &mischief));
		ck_assert_uint_eq(
		    sink_misbehave_needs(&mischief), cases[i].needs);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sink-misbehave");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, a_conversation_goes_wrong_where_it_is_to, 0,
	    COUNT(conversations));
	tcase_add_loop_test(tc, a_reply_gets_another_form, 0, COUNT(texts));
	tcase_add_test(tc, a_nul_is_in_the_middle_of_the_reply);
	tcase_add_test(tc, what_goes_on_is_left_to_the_connection);
	tcase_add_test(tc, authentication_goes_wrong_where_it_is_to);
	tcase_add_test(tc, who_does_without_starttls_is_fooled);
	tcase_add_test(tc, what_is_only_before_tls_is_gone_inside_it);
	tcase_add_test(tc, a_good_server_has_none_of_it);
	tcase_add_loop_test(tc, a_flight_is_turned_around, 0, COUNT(flights));
	tcase_add_loop_test(
	    tc, only_a_form_of_the_list_is_taken, 0, COUNT(forms));
	tcase_add_test(tc, what_needs_an_option_says_so);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
