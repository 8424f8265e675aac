/* SPDX-License-Identifier: MIT */
/* What the envelope may have in it: by the server, and by anybody. */
#include <string.h>

#include "client/envelope.h"
#include "client/slow-source.h"
#include "message.h"

static const char eight_bit[] = "Subject: test\r\n\r\ncaf\xc3\xa9\r\n";

static const struct offered {
	const struct step script[16];
	const char *text;
	bool smtputf8;
	const char *recipient; /* another one */
	int status;
} offered[] = {
	{ { SEND("250 x\r\n"), LINE("MAIL FROM:<alice@example.org>"),
	      SEND("250 ok\r\n"), BOB_TAKEN, DATA, STEP(CONTENT),
	      SEND("250 ok\r\n") },
	    "a\r\n", false, NULL, SMTPTLS_OK },
	{ { SEND("250-x\r\n250 SIZE\r\n"),
	      LINE("MAIL FROM:<alice@example.org> SIZE=3"), SEND("250 ok\r\n"),
	      BOB_TAKEN, DATA, STEP(CONTENT), SEND("250 ok\r\n") },
	    "a\r\n", false, NULL, SMTPTLS_OK },
	/* With CRLF, without the doubled dot. */
	{ { SEND("250-x\r\n250 SIZE 0\r\n"),
	      LINE("MAIL FROM:<alice@example.org> SIZE=7"), SEND("250 ok\r\n"),
	      BOB_TAKEN, DATA, STEP(CONTENT), SEND("250 ok\r\n") },
	    ".a\nb", false, NULL, SMTPTLS_OK },
	{ { SEND("250-x\r\n250 SIZE 3\r\n"),
	      LINE("MAIL FROM:<alice@example.org> SIZE=3"), SEND("250 ok\r\n"),
	      BOB_TAKEN, DATA, STEP(CONTENT), SEND("250 ok\r\n") },
	    "a\r\n", false, NULL, SMTPTLS_OK },
	{ { SEND("250-x\r\n250 SIZE 2\r\n") }, "a\r\n", false, NULL,
	    SMTPTLS_E_UNSUPPORTED },
	{ { SEND("250-x\r\n250 8BITMIME\r\n"),
	      LINE("MAIL FROM:<alice@example.org>"), SEND("250 ok\r\n"),
	      BOB_TAKEN, DATA, STEP(CONTENT), SEND("250 ok\r\n") },
	    "a\r\n", false, NULL, SMTPTLS_OK },
	{ { SEND("250-x\r\n250 8BITMIME\r\n"),
	      LINE("MAIL FROM:<alice@example.org> BODY=8BITMIME"),
	      SEND("250 ok\r\n"), BOB_TAKEN, DATA, STEP(CONTENT),
	      SEND("250 ok\r\n") },
	    eight_bit, false, NULL, SMTPTLS_OK },
	{ { SEND("250 x\r\n") }, eight_bit, false, NULL,
	    SMTPTLS_E_UNSUPPORTED },
	{ { SEND("250-x\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"),
	      LINE("MAIL FROM:<alice@example.org> BODY=8BITMIME SMTPUTF8"),
	      SEND("250 ok\r\n"), BOB_TAKEN, DATA, STEP(CONTENT),
	      SEND("250 ok\r\n") },
	    eight_bit, true, NULL, SMTPTLS_OK },
	{ { SEND("250-x\r\n250 8BITMIME\r\n") }, eight_bit, true, NULL,
	    SMTPTLS_E_UNSUPPORTED },
	/* A domain becomes A-labels and needs nothing. */
	{ { SEND("250 x\r\n"), LINE("MAIL FROM:<alice@example.org>"),
	      SEND("250 ok\r\n"), BOB_TAKEN,
	      LINE("RCPT TO:<carol@xn--bcher-kva.example>"), SEND("250 ok\r\n"),
	      DATA, STEP(CONTENT), SEND("250 ok\r\n") },
	    "a\r\n", false,
	    "carol@b\xc3\xbc"
	    "cher.example",
	    SMTPTLS_OK },
	/* A local part does, and without it fails alone. */
	{ { SEND("250 x\r\n"), LINE("MAIL FROM:<alice@example.org>"),
	      SEND("250 ok\r\n"), BOB_TAKEN, DATA, STEP(CONTENT),
	      SEND("250 ok\r\n") },
	    "a\r\n", false, "j\xc3\xb6rg@example.org", SMTPTLS_E_PARTIAL },
	{ { SEND("250-x\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"),
	      LINE("MAIL FROM:<alice@example.org> SMTPUTF8"),
	      SEND("250 ok\r\n"), BOB_TAKEN,
	      LINE("RCPT TO:<j\xc3\xb6rg@example.org>"), SEND("250 ok\r\n"),
	      DATA, STEP(CONTENT), SEND("250 ok\r\n") },
	    "a\r\n", false, "j\xc3\xb6rg@example.org", SMTPTLS_OK },
};

START_TEST(what_is_not_offered_is_not_used)
{
	const struct offered *row = &offered[ROW(_i)];
	struct talk talk;

	talk_begin(&talk, MODE(_i), row->script);
	talk_set_content(&talk, row->text, strlen(row->text));
	ck_assert_ok(smtptls_message_set_smtputf8(talk.message, row->smtputf8));
	if (row->recipient != NULL)
		ck_assert_ok(smtptls_message_add_recipient(
		    talk.message, row->recipient));
	talk_assert_failed(&talk, talk_send(&talk), row->status, NULL);
	if (row->status == SMTPTLS_E_UNSUPPORTED)
		ck_assert_int_eq(smtptls_message_outcome(talk.message, 0),
		    SMTPTLS_OUTCOME_NOT_TRIED);
	talk_finish(&talk);
}
END_TEST

static const struct step told_size[] = {
	SEND("250-x\r\n250-8BITMIME\r\n250 SIZE 1000\r\n"),
	LINE("MAIL FROM:<alice@example.org> SIZE=900 BODY=8BITMIME"),
	SEND("250 ok\r\n"),
	BOB_TAKEN,
	DATA,
	STEP(CONTENT),
	SEND("250 ok\r\n"),
	END,
};

START_TEST(size_that_was_set_is_told)
{
	struct slow_source source = {
		.text = "a\r\n", .len = 3, .fails_at = SIZE_MAX
	};
	struct talk talk;

	talk_begin(&talk, _i, told_size);
	slow_source_set(&talk, &source);
	ck_assert_ok(smtptls_message_set_size(talk.message, 900));
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	talk_finish(&talk);
}
END_TEST

static const struct step too_small[] = {
	SEND("250-x\r\n250 SIZE 1000\r\n"),
	END,
};

START_TEST(size_that_was_set_is_held_against_the_offer)
{
	struct slow_source source = {
		.text = "a\r\n", .len = 3, .fails_at = SIZE_MAX
	};
	struct talk talk;

	talk_begin(&talk, _i, too_small);
	slow_source_set(&talk, &source);
	ck_assert_ok(smtptls_message_set_size(talk.message, 1001));
	talk_assert_failed(
	    &talk, talk_send(&talk), SMTPTLS_E_UNSUPPORTED, "1001");
	talk_finish(&talk);
}
END_TEST

/* Found out in mid content: no final dot, and what it was. */
static const struct step seven_bit_only[] = {
	SEND("250 x\r\n"),
	MAIL,
	BOB_TAKEN,
	DATA,
	STEP(SWALLOW),
	END,
};

START_TEST(eight_bit_that_turns_up_late_is_an_error)
{
	struct slow_source source = { .text = eight_bit,
		.len = sizeof(eight_bit) - 1,
		.fails_at = SIZE_MAX };
	struct talk talk;

	talk_begin(&talk, _i, seven_bit_only);
	slow_source_set(&talk, &source);
	assert_cut_off(&talk, SMTPTLS_E_UNSUPPORTED, "8BITMIME");
}
END_TEST

static const char *const bad_addresses[] = {
	"",
	"bob",
	"@example.org",
	"bob@",
	"bob@example.org\r\nRCPT TO:<eve@example.org>",
	"bob\n@example.org",
	"bob\r@example.org",
	"\"bob\r\n\"@example.org",
	"bob@example.org\n",
	"bob@example.org>\r\nDATA",
	"bob@exa mple.org",
	"bob@example.org> SIZE=1",
	"<bob@example.org> NOTIFY=NEVER",
	"<bob@example.org",
	"bob@example.org\xe2\x80\xa8",
	"bob@example.org\xc2\x85",
	"b\xffob@example.org",
	"bob@example.org,eve@example.org",
};

START_TEST(address_that_is_none_is_refused)
{
	struct smtptls_message *message = NULL;

	ck_assert_ok(smtptls_message_new(&message));
	ck_assert_int_eq(
	    smtptls_message_add_recipient(message, bad_addresses[_i]),
	    SMTPTLS_E_INVALID);
	ck_assert_uint_eq(smtptls_message_recipients(message), 0);
	ck_assert_str_ne(smtptls_message_error(message), "");
	/* The empty one is the null reverse-path. */
	if (bad_addresses[_i][0] != '\0')
		ck_assert_int_eq(
		    smtptls_message_set_sender(message, bad_addresses[_i]),
		    SMTPTLS_E_INVALID);
	smtptls_message_free(message);
}
END_TEST

/* Who does not look at the answer must not send to or from somebody else. */
START_TEST(address_that_was_refused_spoils_the_message)
{
	struct smtptls_message *message = NULL;
	int r;

	ck_assert_ok(smtptls_message_new(&message));
	ck_assert_ok(smtptls_message_set_sender(message, TALK_SENDER));
	ck_assert_ok(smtptls_message_add_recipient(message, TALK_RECIPIENT));
	ck_assert_ok(smtptls_message_set_body_mem(message, "", 0));
	if (_i == 0)
		r = smtptls_message_set_sender(message, "<alice>");
	else
		r = smtptls_message_add_recipient(message, "<alice>");
	ck_assert_int_eq(r, SMTPTLS_E_INVALID);
	ck_assert_int_eq(smtptls_message_set_sender(message, TALK_SENDER),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(stls_message_prepare(message), SMTPTLS_E_INVALID);
	ck_assert_str_eq(
	    smtptls_message_error(message), "address \"alice\" has no domain");
	smtptls_message_free(message);
}
END_TEST

static const char *const bad_names[] = {
	"",
	"host\r\nMAIL FROM:<eve@example.org>",
	"host\n",
	"ho st.example.org",
	"192.0.2.1",
	"[192.0.2.1",
	"[192.0.2.256]",
	"[IPv6:192.0.2.1]",
	"[2001:db8::1]",
	"-host.example.org",
};

START_TEST(name_to_greet_with_that_is_none_is_refused)
{
	struct smtptls_client *client = NULL;

	ck_assert_ok(
	    smtptls_client_new("smtps://" TALK_HOST, world.context, &client));
	ck_assert_int_eq(smtptls_client_set_ehlo_name(client, bad_names[_i]),
	    SMTPTLS_E_INVALID);
	smtptls_client_free(client);
}
END_TEST

static const struct greeted {
	const char *name;
	const struct step script[5];
} greeted[] = {
	{ "client.example.org",
	    { STEP(TLS), SEND("220 x\r\n"), LINE("EHLO client.example.org"),
		SEND("250 x\r\n") } },
	{ "[192.0.2.1]",
	    { STEP(TLS), SEND("220 x\r\n"), LINE("EHLO [192.0.2.1]"),
		SEND("250 x\r\n") } },
	{ "[IPv6:2001:db8::1]",
	    { STEP(TLS), SEND("220 x\r\n"), LINE("EHLO [IPv6:2001:db8::1]"),
		SEND("250 x\r\n") } },
};

START_TEST(name_to_greet_with_is_used)
{
	struct talk talk;

	talk_begin_raw(&talk, IMPLICIT_BLOCKING, greeted[_i].script);
	ck_assert_ok(
	    smtptls_client_set_ehlo_name(talk.client, greeted[_i].name));
	ck_assert_ok(talk_connect(&talk));
	talk_finish(&talk);
}
END_TEST

static const struct step null_sender[] = {
	OFFER,
	PREFIX("MAIL FROM:<> "),
	SEND("250 ok\r\n"),
	BOB_TAKEN,
	DATA,
	STEP(CONTENT),
	SEND("250 queued\r\n"),
	END,
};

START_TEST(null_sender_is_two_brackets)
{
	struct talk talk;

	talk_begin(&talk, MODE(_i), null_sender);
	talk_set_message(&talk);
	ck_assert_ok(
	    smtptls_message_set_sender(talk.message, ROW(_i) == 0 ? "" : "<>"));
	/* Twice is once. */
	ck_assert_ok(smtptls_message_add_recipient(
	    talk.message, "<" TALK_RECIPIENT ">"));
	ck_assert_ok(talk_send(&talk));
	talk_finish(&talk);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("envelope");
	TCase *tc = talk_case(suite, "envelope");

	add_rows_in_modes(tc, what_is_not_offered_is_not_used, offered);
	add_in_modes(tc, size_that_was_set_is_told);
	add_in_modes(tc, size_that_was_set_is_held_against_the_offer);
	add_in_modes(tc, eight_bit_that_turns_up_late_is_an_error);
	tcase_add_loop_test(
	    tc, address_that_is_none_is_refused, 0, COUNT(bad_addresses));
	tcase_add_loop_test(
	    tc, address_that_was_refused_spoils_the_message, 0, 2);
	tcase_add_loop_test(tc, name_to_greet_with_that_is_none_is_refused, 0,
	    COUNT(bad_names));
	tcase_add_loop_test(tc, name_to_greet_with_is_used, 0, COUNT(greeted));
	talk_add(tc, null_sender_is_two_brackets, 2, MODES);
	return talk_run(suite);
}
