/* SPDX-License-Identifier: MIT */
/* Whoever is between client and server takes STARTTLS away, or adds to it. */
#include <string.h>

#include "client/talk.h"

#define GREETING SEND("220 mail.example.org ESMTP\r\n")
#define OFFER TALK_OFFER("STARTTLS")
#define UP_TO_EHLO GREETING, PREFIX("EHLO ")
#define UP_TO_STARTTLS UP_TO_EHLO, OFFER, LINE("STARTTLS")

struct row {
	const struct step script[10];
	int code;
	const char *sentence; /* with SMTPTLS_E_IO: the step */
};

/* Connect, and whatever comes, nothing but what the script has may leave. */
static void
expect_failure(int mode, const struct row *row)
{
	struct talk talk;

	talk_begin_raw(&talk, mode, row->script);
	talk_set_credentials(&talk);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), row->code,
	    row->code != SMTPTLS_E_IO ? row->sentence : NULL);
	if (row->code == SMTPTLS_E_IO)
		ck_assert_str_eq(
		    smtptls_client_step(talk.client), row->sentence);
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0),
	    SMTPTLS_OUTCOME_NOT_TRIED);
	talk_hang_up(&talk);
	ck_assert_uint_eq(server_inside(talk.server)->len, 0);
	talk_end(&talk);
}

static const struct row stripped[] = {
	{ { UP_TO_EHLO,
	      SEND("250-mail.example.org\r\n250-AUTH PLAIN\r\n250 SIZE\r\n") },
	    SMTPTLS_E_NO_STARTTLS, "does not offer STARTTLS" },
	{ { UP_TO_EHLO, SEND("250 mail.example.org\r\n") },
	    SMTPTLS_E_NO_STARTTLS, "does not offer STARTTLS" },
	/* The first line is a greeting, not a keyword. */
	{ { UP_TO_EHLO, SEND("250 STARTTLS\r\n") }, SMTPTLS_E_NO_STARTTLS,
	    "does not offer STARTTLS" },
	{ { UP_TO_EHLO, SEND("250-x\r\n250 XXXXXXXX\r\n") },
	    SMTPTLS_E_NO_STARTTLS, "does not offer STARTTLS" },
	{ { UP_TO_EHLO, SEND("250-x\r\n250 XTARTTLS\r\n") },
	    SMTPTLS_E_NO_STARTTLS, "does not offer STARTTLS" },
	{ { UP_TO_EHLO, SEND("250-x\r\n250 STARTTLSX\r\n") },
	    SMTPTLS_E_NO_STARTTLS, "does not offer STARTTLS" },
	{ { UP_TO_EHLO, SEND("250-x\r\n250 START TLS\r\n") },
	    SMTPTLS_E_NO_STARTTLS, "does not offer STARTTLS" },
	{ { UP_TO_EHLO, SEND("250-x\r\n250 X STARTTLS\r\n") },
	    SMTPTLS_E_NO_STARTTLS, "does not offer STARTTLS" },
	/* HELO would be the end of STARTTLS. */
	{ { UP_TO_EHLO, SEND("502 5.5.1 what\r\n") }, SMTPTLS_E_NO_STARTTLS,
	    "502 5.5.1 what" },
	{ { UP_TO_EHLO, SEND("500 what\r\n") }, SMTPTLS_E_NO_STARTTLS,
	    "500 what" },
	{ { UP_TO_EHLO, SEND("554 go away\r\n") }, SMTPTLS_E_NO_STARTTLS,
	    "554 go away" },
	{ { UP_TO_EHLO, SEND("421 busy\r\n") }, SMTPTLS_E_REFUSED_LATER,
	    "421 busy" },
	{ { UP_TO_EHLO, SEND("450 busy\r\n") }, SMTPTLS_E_REFUSED_LATER,
	    "450 busy" },
	{ { UP_TO_EHLO, SEND("220-x\r\n220 STARTTLS\r\n") }, SMTPTLS_E_PROTOCOL,
	    "220" },
	{ { UP_TO_EHLO, SEND("354-x\r\n354 STARTTLS\r\n") }, SMTPTLS_E_PROTOCOL,
	    "354" },
	{ { UP_TO_EHLO, STEP(CLOSE) }, SMTPTLS_E_IO, "EHLO" },
	{ { UP_TO_EHLO, STEP(RESET) }, SMTPTLS_E_IO, "EHLO" },
	{ { UP_TO_EHLO, SEND("250-x\r\n250-STAR"), STEP(CLOSE) }, SMTPTLS_E_IO,
	    "EHLO" },
	{ { STEP(CLOSE) }, SMTPTLS_E_IO, "greeting" },
	{ { SEND("220-mail.exa"), STEP(CLOSE) }, SMTPTLS_E_IO, "greeting" },
};

START_TEST(stripped_starttls_is_an_error)
{
	expect_failure(STARTTLS_MODE(_i), &stripped[STARTTLS_ROW(_i)]);
}
END_TEST

static const struct row greetings[] = {
	{ { SEND("554 no service\r\n") }, SMTPTLS_E_REFUSED, "554 no service" },
	{ { SEND("521 no mail here\r\n") }, SMTPTLS_E_REFUSED,
	    "521 no mail here" },
	{ { SEND("421 busy\r\n") }, SMTPTLS_E_REFUSED_LATER, "421 busy" },
	{ { SEND("250 hello\r\n") }, SMTPTLS_E_PROTOCOL, "250 hello" },
	{ { SEND("354 hello\r\n") }, SMTPTLS_E_PROTOCOL, "354 hello" },
	{ { SEND("SSH-2.0-x\r\n") }, SMTPTLS_E_PROTOCOL, "SSH-2.0-x" },
	{ { SEND("* OK IMAP4rev1\r\n") }, SMTPTLS_E_PROTOCOL,
	    "* OK IMAP4rev1" },
	{ { SEND("+OK POP3\r\n") }, SMTPTLS_E_PROTOCOL, "+OK POP3" },
	/* An alert of TLS. */
	{ { SEND("\x15\x03\x01\x00\x02\x02\x46\r\n") }, SMTPTLS_E_PROTOCOL,
	    NULL },
};

START_TEST(greeting_that_is_none_is_an_error)
{
	expect_failure(STARTTLS_MODE(_i), &greetings[STARTTLS_ROW(_i)]);
}
END_TEST

static const struct row refused[] = {
	{ { UP_TO_STARTTLS, SEND("250 ok\r\n") }, SMTPTLS_E_PROTOCOL, "250" },
	{ { UP_TO_STARTTLS, SEND("354 go\r\n") }, SMTPTLS_E_PROTOCOL, "354" },
	{ { UP_TO_STARTTLS, SEND("221 bye\r\n") }, SMTPTLS_E_PROTOCOL, "221" },
	{ { UP_TO_STARTTLS, SEND("421 busy\r\n") }, SMTPTLS_E_REFUSED_LATER,
	    "421 busy" },
	{ { UP_TO_STARTTLS, SEND("450 no\r\n") }, SMTPTLS_E_NO_STARTTLS,
	    "450 no" },
	{ { UP_TO_STARTTLS, SEND("454 4.7.0 no TLS now\r\n") },
	    SMTPTLS_E_NO_STARTTLS, "454 4.7.0 no TLS now" },
	{ { UP_TO_STARTTLS, SEND("500 no\r\n") }, SMTPTLS_E_NO_STARTTLS,
	    "500 no" },
	{ { UP_TO_STARTTLS, SEND("501 no\r\n") }, SMTPTLS_E_NO_STARTTLS,
	    "501 no" },
	{ { UP_TO_STARTTLS, SEND("502 no\r\n") }, SMTPTLS_E_NO_STARTTLS,
	    "502 no" },
	{ { UP_TO_STARTTLS, SEND("503 no\r\n") }, SMTPTLS_E_NO_STARTTLS,
	    "503 no" },
	{ { UP_TO_STARTTLS, SEND("530 no\r\n") }, SMTPTLS_E_NO_STARTTLS,
	    "530 no" },
	{ { UP_TO_STARTTLS, SEND("535 no\r\n") }, SMTPTLS_E_NO_STARTTLS,
	    "535 no" },
	{ { UP_TO_STARTTLS, SEND("554 no\r\n") }, SMTPTLS_E_NO_STARTTLS,
	    "554 no" },
	{ { UP_TO_STARTTLS, STEP(CLOSE) }, SMTPTLS_E_IO, "STARTTLS" },
};

START_TEST(refused_starttls_is_an_error)
{
	expect_failure(STARTTLS_MODE(_i), &refused[STARTTLS_ROW(_i)]);
}
END_TEST

/* Sent together with the 220, in one segment. */
static const struct row injected[] = {
	{ { UP_TO_STARTTLS, SEND("220 go\r\n250 mail.example.org\r\n") },
	    SMTPTLS_E_PROTOCOL, "in clear" },
	{ { UP_TO_STARTTLS,
	      SEND("220 go\r\n250-x\r\n250 AUTH PLAIN\r\n235 ok\r\n"
		   "250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n") },
	    SMTPTLS_E_PROTOCOL, "in clear" },
	{ { UP_TO_STARTTLS, SEND("220 go\r\n220 go\r\n") }, SMTPTLS_E_PROTOCOL,
	    "in clear" },
	{ { UP_TO_STARTTLS, SEND("220 go\r\n2") }, SMTPTLS_E_PROTOCOL,
	    "in clear" },
	{ { UP_TO_STARTTLS, SEND("220 go\r\n\n") }, SMTPTLS_E_PROTOCOL,
	    "in clear" },
	{ { UP_TO_STARTTLS, SEND("220 go\r\n\0") }, SMTPTLS_E_PROTOCOL,
	    "in clear" },
};

START_TEST(octets_behind_the_220_are_an_error)
{
	expect_failure(STARTTLS_MODE(_i), &injected[STARTTLS_ROW(_i)]);
}
END_TEST

/* They are in the way of the handshake, whenever they are noticed. */
static const struct step injected_later[] = {
	UP_TO_STARTTLS,
	SEND("220 go\r\n"),
	SEND("250-x\r\n250 AUTH PLAIN\r\n"),
	STEP(SWALLOW),
	END,
};

/* The answer to the ClientHello is not TLS. */
static const struct step clear_goes_on[] = {
	UP_TO_STARTTLS,
	SEND("220 go\r\n"),
	OCTETS(5),
	SEND("250 mail.example.org\r\n250 ok\r\n"),
	STEP(SWALLOW),
	END,
};

static const struct step *const clear_after_220[] = {
	injected_later,
	clear_goes_on,
};

START_TEST(clear_text_instead_of_a_handshake_is_an_error)
{
	struct talk talk;
	int r;

	talk_begin_raw(
	    &talk, STARTTLS_MODE(_i), clear_after_220[STARTTLS_ROW(_i)]);
	talk_set_credentials(&talk);
	talk_set_message(&talk);
	r = talk_send(&talk);
	ck_assert_msg(r == SMTPTLS_E_PROTOCOL || r == SMTPTLS_E_TLS, "%d: %s",
	    r, smtptls_client_error(talk.client));
	talk_finish(&talk);
}
END_TEST

static const struct row ends_after_220[] = {
	{ { UP_TO_STARTTLS, SEND("220 go\r\n"), STEP(CLOSE) }, SMTPTLS_E_IO,
	    NULL },
	{ { UP_TO_STARTTLS, SEND("220 go\r\n"), OCTETS(5), STEP(FIN),
	      STEP(SWALLOW) },
	    SMTPTLS_E_IO, NULL },
	{ { UP_TO_STARTTLS, SEND("220 go\r\n"), OCTETS(5), STEP(STALL) },
	    SMTPTLS_E_TIMEOUT, "TLS" },
};

START_TEST(handshake_that_does_not_come_is_an_error)
{
	const struct row *row = &ends_after_220[STARTTLS_ROW(_i)];
	struct talk talk;
	int r;

	talk_begin_raw(&talk, STARTTLS_MODE(_i), row->script);
	ck_assert_ok(smtptls_client_set_timeout_ms(
	    talk.client, SMTPTLS_PHASE_HANDSHAKE, 100));
	r = talk_connect(&talk);
	/* Whether it is the transport or TLS that ended early is a detail. */
	if (row->code == SMTPTLS_E_IO && r == SMTPTLS_E_TLS)
		r = SMTPTLS_E_IO;
	talk_assert_failed(&talk, r, row->code, row->sentence);
	talk_hang_up_early(&talk);
	ck_assert_uint_eq(server_inside(talk.server)->len, 0);
	talk_end(&talk);
}
END_TEST

/* What is offered in clear is gone with TLS (RFC 3207 section 4.2). */
#define OFFERED_IN_CLEAR_ONLY                                                  \
	UP_TO_EHLO,                                                            \
	    SEND("250-mail.example.org\r\n250-AUTH PLAIN LOGIN\r\n"            \
		 "250-SIZE 10\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"             \
		 "250 STARTTLS\r\n"),                                          \
	    LINE("STARTTLS"), SEND("220 go\r\n"), STEP(TLS), PREFIX("EHLO "),  \
	    SEND("250 mail.example.org\r\n")

static const struct step nothing_inside[] = {
	OFFERED_IN_CLEAR_ONLY,
	END,
};

START_TEST(auth_offered_in_clear_is_not_used)
{
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_MODE(_i), nothing_inside);
	talk_set_credentials(&talk);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_E_AUTH,
	    "does not offer authentication");
	ck_assert_ptr_null(smtptls_client_find_capability(talk.client, "AUTH"));
	ck_assert_ptr_null(
	    smtptls_client_find_capability(talk.client, "STARTTLS"));
	ck_assert_ptr_null(smtptls_client_capability(talk.client, 0));
	talk_finish(&talk);
}
END_TEST

START_TEST(eight_bit_offered_in_clear_is_not_used)
{
	static const char content[] = "Subject: test\r\n\r\n" TALK_SECRET
				      " \xc3\xa9\r\n";
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_MODE(_i), nothing_inside);
	talk_set_content(&talk, content, sizeof(content) - 1);
	talk_assert_failed(
	    &talk, talk_send(&talk), SMTPTLS_E_UNSUPPORTED, "8BITMIME");
	talk_finish(&talk);
}
END_TEST

START_TEST(smtputf8_offered_in_clear_is_not_used)
{
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_MODE(_i), nothing_inside);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_message_set_smtputf8(talk.message, 1));
	talk_assert_failed(
	    &talk, talk_send(&talk), SMTPTLS_E_UNSUPPORTED, "SMTPUTF8");
	talk_finish(&talk);
}
END_TEST

static const struct step ehlo_refused_inside[] = {
	UP_TO_EHLO,
	SEND("250-mail.example.org\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n"),
	LINE("STARTTLS"),
	SEND("220 go\r\n"),
	STEP(TLS),
	PREFIX("EHLO "),
	SEND("554 no\r\n"),
	END,
};

START_TEST(what_was_offered_in_clear_is_forgotten_at_once)
{
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_MODE(_i), ehlo_refused_inside);
	talk_set_credentials(&talk);
	talk_assert_failed(
	    &talk, talk_connect(&talk), SMTPTLS_E_REFUSED, "554 no");
	ck_assert_ptr_null(smtptls_client_find_capability(talk.client, "AUTH"));
	ck_assert_ptr_null(smtptls_client_capability(talk.client, 0));
	talk_finish(&talk);
}
END_TEST

static const struct step size_in_clear[] = {
	OFFERED_IN_CLEAR_ONLY,
	LINE("MAIL FROM:<alice@example.org>"),
	SEND("250 ok\r\n"),
	LINE("RCPT TO:<bob@example.org>"),
	SEND("250 ok\r\n"),
	LINE("DATA"),
	SEND("354 go\r\n"),
	STEP(CONTENT),
	SEND("250 ok\r\n"),
	END,
};

START_TEST(size_offered_in_clear_refuses_nothing)
{
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_MODE(_i), size_in_clear);
	talk_set_message(&talk);
	ck_assert_ok(talk_send(&talk));
	talk_finish(&talk);
}
END_TEST

/* A keyword in any case (RFC 5321 section 2.4). */
static const struct step lower_case[] = {
	UP_TO_EHLO,
	SEND("250-mail.example.org\r\n250 starttls\r\n"),
	LINE("STARTTLS"),
	SEND("220\r\n"),
	STEP(TLS),
	PREFIX("EHLO "),
	SEND("250 mail.example.org\r\n"),
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

START_TEST(starttls_is_offered_in_any_case)
{
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_MODE(_i), lower_case);
	ck_assert_ok(talk_connect(&talk));
	ck_assert_int_eq(
	    smtptls_session_is_verified(smtptls_client_session(talk.client)),
	    1);
	ck_assert_ok(talk_quit(&talk));
	talk_finish(&talk);
}
END_TEST

/* Replies to what has not been said yet. */
static const struct row pushed[] = {
	{ { SEND("220 x\r\n250-x\r\n250 STARTTLS\r\n") }, SMTPTLS_E_PROTOCOL,
	    "250" },
	{ { SEND("220 x\r\n235 ok\r\n") }, SMTPTLS_E_PROTOCOL, "235 ok" },
	{ { SEND("220 x\r\n220 x\r\n") }, SMTPTLS_E_PROTOCOL, "220 x" },
	{ { UP_TO_EHLO, SEND("250-x\r\n250 STARTTLS\r\n220 go\r\n") },
	    SMTPTLS_E_PROTOCOL, "220 go" },
	{ { UP_TO_EHLO, SEND("250-x\r\n250 STARTTLS\r\n421 busy\r\n") },
	    SMTPTLS_E_REFUSED_LATER, "421 busy" },
};

START_TEST(reply_pushed_in_clear_is_an_error)
{
	expect_failure(STARTTLS_MODE(_i), &pushed[STARTTLS_ROW(_i)]);
}
END_TEST

static const struct row pushed_inside[] = {
	{ { STEP(TLS), SEND("220 x\r\n250 x\r\n") }, SMTPTLS_E_PROTOCOL,
	    "250 x" },
	{ { STEP(TLS), SEND("220 x\r\n235 ok\r\n") }, SMTPTLS_E_PROTOCOL,
	    "235 ok" },
	{ { STEP(TLS), SEND("220 x\r\n"), PREFIX("EHLO "),
	      SEND("250-x\r\n250 AUTH PLAIN\r\n235 ok\r\n") },
	    SMTPTLS_E_PROTOCOL, "235 ok" },
	{ { STEP(TLS), SEND("220 x\r\n"), PREFIX("EHLO "),
	      SEND("250-x\r\n250 AUTH PLAIN\r\n334 \r\n") },
	    SMTPTLS_E_PROTOCOL, "334" },
};

START_TEST(reply_pushed_inside_tls_is_an_error)
{
	const struct row *row = &pushed_inside[ROW(_i)];
	int mode = MODE(_i);
	struct talk talk;

	if (mode < STARTTLS_MODES)
		return;
	talk_begin_raw(&talk, mode, row->script);
	talk_set_credentials(&talk);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), row->code, row->sentence);
	talk_finish(&talk);
}
END_TEST

/* smtps:// to a port that greets in clear. */
static const struct step clear_server[] = {
	SEND("220 mail.example.org ESMTP\r\n"),
	STEP(SWALLOW),
	END,
};

START_TEST(clear_greeting_where_tls_was_expected_names_the_fix)
{
	struct talk talk;

	if (_i < STARTTLS_MODES)
		return;
	talk_begin_raw(&talk, _i, clear_server);
	talk_set_credentials(&talk);
	talk_assert_failed(
	    &talk, talk_connect(&talk), SMTPTLS_E_TLS, "STARTTLS port");
	talk_finish(&talk);
}
END_TEST

/* smtp:// to a port that waits for a ClientHello. */
static const struct step waiting_server[] = {
	STEP(STALL),
	END,
};

START_TEST(silence_where_a_greeting_was_expected_names_the_fix)
{
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_MODE(_i), waiting_server);
	ck_assert_ok(smtptls_client_set_timeout_ms(
	    talk.client, SMTPTLS_PHASE_GREETING, 100));
	talk_assert_failed(
	    &talk, talk_connect(&talk), SMTPTLS_E_TIMEOUT, "smtps://");
	talk_finish(&talk);
}
END_TEST

/* STARTTLS is not even tried. */
static const struct step in_clear[] = {
	UP_TO_EHLO,
	OFFER,
	PREFIX("MAIL FROM:<alice@"),
	SEND("250 ok\r\n"),
	PREFIX("RCPT TO:<bob@"),
	SEND("250 ok\r\n"),
	LINE("DATA"),
	SEND("354 go\r\n"),
	STEP(CONTENT),
	SEND("250 ok\r\n"),
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

START_TEST(without_tls_there_is_no_session)
{
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_MODE(_i), in_clear);
	talk.is_in_clear = true;
	ck_assert_ok(smtptls_client_insecure_no_tls(talk.client));
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ptr_null(smtptls_client_session(talk.client));
	ck_assert_ok(talk_quit(&talk));
	talk_finish(&talk);
}
END_TEST

START_TEST(implicit_tls_cannot_be_left_out)
{
	struct smtptls_client *client = NULL;

	ck_assert_ok(
	    smtptls_client_new("smtps://" TALK_HOST, world.context, &client));
	ck_assert_int_eq(
	    smtptls_client_insecure_no_tls(client), SMTPTLS_E_INVALID);
	ck_assert_int_eq(smtptls_client_connect(client), SMTPTLS_E_INVALID);
	smtptls_client_free(client);
}
END_TEST

/* Who pins a key wants to see it. */
START_TEST(tls_with_a_pinned_key_cannot_be_left_out)
{
	struct smtptls_context *pinned = NULL;
	struct smtptls_client *client = NULL;

	ck_assert_ok(smtptls_context_new(SMTPTLS_SERVER_AUTH, &pinned));
	ck_assert_ok(smtptls_context_add_pin(
	    pinned, "sha256//d6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZWmM="));
	ck_assert_ok(smtptls_client_new("smtp://" TALK_HOST, pinned, &client));
	ck_assert_int_eq(
	    smtptls_client_insecure_no_tls(client), SMTPTLS_E_INVALID);
	ck_assert_str_eq(smtptls_client_error(client),
	    "the key of the server is pinned, and without TLS it shows none");
	ck_assert_int_eq(smtptls_client_connect(client), SMTPTLS_E_INVALID);
	smtptls_client_free(client);
	smtptls_context_free(pinned);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("starttls");
	TCase *tc = talk_case(suite, "starttls");

	add_rows_in_starttls_modes(tc, stripped_starttls_is_an_error, stripped);
	add_rows_in_starttls_modes(
	    tc, greeting_that_is_none_is_an_error, greetings);
	add_rows_in_starttls_modes(tc, refused_starttls_is_an_error, refused);
	add_rows_in_starttls_modes(
	    tc, octets_behind_the_220_are_an_error, injected);
	add_rows_in_starttls_modes(
	    tc, clear_text_instead_of_a_handshake_is_an_error, clear_after_220);
	add_rows_in_starttls_modes(
	    tc, handshake_that_does_not_come_is_an_error, ends_after_220);
	add_in_starttls_modes(tc, auth_offered_in_clear_is_not_used);
	add_in_starttls_modes(tc, eight_bit_offered_in_clear_is_not_used);
	add_in_starttls_modes(tc, smtputf8_offered_in_clear_is_not_used);
	add_in_starttls_modes(
	    tc, what_was_offered_in_clear_is_forgotten_at_once);
	add_in_starttls_modes(tc, size_offered_in_clear_refuses_nothing);
	add_in_starttls_modes(tc, starttls_is_offered_in_any_case);
	add_rows_in_starttls_modes(
	    tc, reply_pushed_in_clear_is_an_error, pushed);
	add_rows_in_modes(
	    tc, reply_pushed_inside_tls_is_an_error, pushed_inside);
	add_in_modes(tc, clear_greeting_where_tls_was_expected_names_the_fix);
	add_in_starttls_modes(
	    tc, silence_where_a_greeting_was_expected_names_the_fix);
	add_in_starttls_modes(tc, without_tls_there_is_no_session);
	tcase_add_test(tc, implicit_tls_cannot_be_left_out);
	tcase_add_test(tc, tls_with_a_pinned_key_cannot_be_left_out);
	return talk_run(suite);
}
