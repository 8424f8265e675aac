/* SPDX-License-Identifier: MIT */
/* Credentials set means authenticated or an error. */
#include <string.h>

#include "client/talk.h"

static const struct accepted {
	const struct step script[12];
	const char *only_mechanism;
	const char *used;
} accepted[] = {
	{ { TALK_OFFER("AUTH PLAIN LOGIN"),
	      LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("235 2.7.0 welcome\r\n") },
	    NULL, "PLAIN" },
	{ { TALK_OFFER("AUTH CRAM-MD5 LOGIN PLAIN XOAUTH2"),
	      LINE("AUTH PLAIN " TALK_PLAIN_BASE64), SEND("235 ok\r\n") },
	    NULL, "PLAIN" },
	{ { TALK_OFFER("auth plain"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("235 ok\r\n") },
	    NULL, "PLAIN" },
	/* As servers wrote it before RFC 2554. */
	{ { TALK_OFFER("AUTH=PLAIN LOGIN"),
	      LINE("AUTH PLAIN " TALK_PLAIN_BASE64), SEND("235 ok\r\n") },
	    NULL, "PLAIN" },
	{ { TALK_OFFER("AUTH LOGIN"), LINE("AUTH LOGIN"),
	      SEND("334 VXNlcm5hbWU6\r\n"), LINE(TALK_USER_BASE64),
	      SEND("334 UGFzc3dvcmQ6\r\n"), LINE(TALK_PASSWORD_BASE64),
	      SEND("235 ok\r\n") },
	    NULL, "LOGIN" },
	/* Prompts are what they like. */
	{ { TALK_OFFER("AUTH LOGIN"), LINE("AUTH LOGIN"), SEND("334\r\n"),
	      LINE(TALK_USER_BASE64), SEND("334 Password, please:\r\n"),
	      LINE(TALK_PASSWORD_BASE64), SEND("235 ok\r\n") },
	    NULL, "LOGIN" },
	{ { TALK_OFFER("AUTH PLAIN LOGIN"), LINE("AUTH LOGIN"),
	      SEND("334 VXNlcm5hbWU6\r\n"), LINE(TALK_USER_BASE64),
	      SEND("334 UGFzc3dvcmQ6\r\n"), LINE(TALK_PASSWORD_BASE64),
	      SEND("235 ok\r\n") },
	    "LOGIN", "LOGIN" },
	{ { TALK_OFFER("AUTH PLAIN LOGIN"),
	      LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("235-2.7.0 welcome\r\n235 2.7.0 alice\r\n") },
	    "plain", "PLAIN" },
};

START_TEST(server_that_takes_the_password_gets_it)
{
	const struct accepted *row = &accepted[ROW(_i)];
	struct talk talk;

	talk_begin(&talk, MODE(_i), row->script);
	talk_set_credentials(&talk);
	if (row->only_mechanism != NULL)
		ck_assert_ok(smtptls_client_set_auth_mechanism(
		    talk.client, row->only_mechanism));
	talk_assert_failed(&talk, talk_connect(&talk), SMTPTLS_OK, NULL);
	ck_assert_str_eq(smtptls_client_auth_mechanism(talk.client), row->used);
	ck_assert_ptr_nonnull(strstr(talk.trace, "C: AUTH "));
	ck_assert_ptr_nonnull(strstr(talk.trace, "***"));
	talk_finish(&talk);
}
END_TEST

static const struct rejected {
	const struct step script[12];
	const char *only_mechanism;
	int code;
	const char *sentence;
} rejected[] = {
	{ { TALK_OFFER("AUTH PLAIN"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("535 5.7.8 wrong\r\n") },
	    NULL, SMTPTLS_E_AUTH, "535 5.7.8 wrong" },
	{ { TALK_OFFER("AUTH PLAIN"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("534 5.7.9 too weak\r\n") },
	    NULL, SMTPTLS_E_AUTH, "534 5.7.9 too weak" },
	{ { TALK_OFFER("AUTH PLAIN"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("500 what\r\n") },
	    NULL, SMTPTLS_E_AUTH, "500 what" },
	{ { TALK_OFFER("AUTH PLAIN"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("454 4.7.0 not now\r\n") },
	    NULL, SMTPTLS_E_REFUSED_LATER, "454 4.7.0 not now" },
	{ { TALK_OFFER("AUTH PLAIN"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("421 bye\r\n") },
	    NULL, SMTPTLS_E_REFUSED_LATER, "421 bye" },
	/* No refusal of one mechanism leads to another. */
	{ { TALK_OFFER("AUTH PLAIN LOGIN"),
	      LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("504 5.5.4 what\r\n") },
	    NULL, SMTPTLS_E_AUTH, "504 5.5.4 what" },
	{ { TALK_OFFER("AUTH PLAIN"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("250 ok\r\n") },
	    NULL, SMTPTLS_E_PROTOCOL, "250 ok" },
	{ { TALK_OFFER("AUTH PLAIN"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("220 ok\r\n") },
	    NULL, SMTPTLS_E_PROTOCOL, "220 ok" },
	{ { TALK_OFFER("AUTH PLAIN"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("354 go\r\n") },
	    NULL, SMTPTLS_E_PROTOCOL, "354 go" },
	{ { TALK_OFFER("AUTH PLAIN"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      STEP(CLOSE) },
	    NULL, SMTPTLS_E_IO, NULL },
	{ { TALK_OFFER("AUTH LOGIN"), LINE("AUTH LOGIN"),
	      SEND("334 VXNlcm5hbWU6\r\n"), LINE(TALK_USER_BASE64),
	      SEND("535 who\r\n") },
	    NULL, SMTPTLS_E_AUTH, "535 who" },
	{ { TALK_OFFER("AUTH LOGIN"), LINE("AUTH LOGIN"),
	      SEND("334-VXNlcm5hbWU6\r\n334 \r\n") },
	    NULL, SMTPTLS_E_PROTOCOL, "challenge" },
	/* A second answer before the second question. */
	{ { TALK_OFFER("AUTH LOGIN"), LINE("AUTH LOGIN"),
	      SEND("334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n") },
	    NULL, SMTPTLS_E_PROTOCOL, "334" },
	{ { TALK_OFFER("AUTH CRAM-MD5") }, NULL, SMTPTLS_E_AUTH, "CRAM-MD5" },
	{ { TALK_OFFER("AUTH CRAM-MD5 DIGEST-MD5 NTLM XOAUTH2") }, NULL,
	    SMTPTLS_E_AUTH, "NTLM" },
	{ { TALK_OFFER("AUTH PLAINER XLOGIN") }, NULL, SMTPTLS_E_AUTH,
	    "XLOGIN" },
	{ { TALK_OFFER("AUTH EXTERNAL") }, NULL, SMTPTLS_E_AUTH, "EXTERNAL" },
	{ { TALK_OFFER("AUTH") }, NULL, SMTPTLS_E_AUTH, NULL },
	{ { TALK_OFFER("XAUTH PLAIN") }, NULL, SMTPTLS_E_AUTH,
	    "does not offer authentication" },
	{ { TALK_OFFER("SIZE 1000") }, NULL, SMTPTLS_E_AUTH,
	    "does not offer authentication" },
	{ { TALK_OFFER("AUTH PLAIN") }, "LOGIN", SMTPTLS_E_AUTH, "LOGIN" },
	{ { TALK_OFFER("AUTH LOGIN") }, "PLAIN", SMTPTLS_E_AUTH, "PLAIN" },
};

START_TEST(server_that_does_not_take_the_password_gets_no_mail)
{
	const struct rejected *row = &rejected[ROW(_i)];
	struct talk talk;

	talk_begin(&talk, MODE(_i), row->script);
	talk_set_credentials(&talk);
	talk_set_message(&talk);
	if (row->only_mechanism != NULL)
		ck_assert_ok(smtptls_client_set_auth_mechanism(
		    talk.client, row->only_mechanism));
	talk_assert_failed(&talk, talk_send(&talk), row->code, row->sentence);
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0),
	    SMTPTLS_OUTCOME_NOT_TRIED);
	ck_assert_str_eq(smtptls_client_auth_mechanism(talk.client), "");
	ck_assert_str_eq(smtptls_client_step(talk.client), "AUTH");
	talk_finish(&talk);
}
END_TEST

#define ASK SEND("334 VXNlcm5hbWU6\r\n"), PREFIX("")
#define ASK_8 ASK, ASK, ASK, ASK, ASK, ASK, ASK, ASK

static const struct step asking_plain[] = {
	TALK_OFFER("AUTH PLAIN"),
	PREFIX("AUTH PLAIN "),
	ASK_8,
	ASK_8,
	ASK_8,
	END,
};
static const struct step asking_login[] = {
	TALK_OFFER("AUTH LOGIN"),
	LINE("AUTH LOGIN"),
	ASK_8,
	ASK_8,
	ASK_8,
	END,
};
static const struct step *const asking[] = { asking_plain, asking_login };

START_TEST(questions_without_end_are_bounded)
{
	struct talk talk;
	int r;

	talk_begin(&talk, MODE(_i), asking[ROW(_i)]);
	talk_set_credentials(&talk);
	r = talk_connect(&talk);
	ck_assert_msg(r == SMTPTLS_E_AUTH || r == SMTPTLS_E_LIMIT ||
		r == SMTPTLS_E_PROTOCOL,
	    "%d: %s", r, smtptls_client_error(talk.client));
	talk_hang_up_early(&talk);
	ck_assert_ptr_nonnull(server_finish(talk.server));
	talk_end(&talk);
}
END_TEST

static const struct step no_auth[] = {
	TALK_OFFER("AUTH PLAIN"),
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

START_TEST(without_credentials_nobody_authenticates)
{
	struct talk talk;

	talk_begin(&talk, _i, no_auth);
	ck_assert_ok(talk_connect(&talk));
	ck_assert_str_eq(smtptls_client_auth_mechanism(talk.client), "");
	ck_assert_ok(talk_quit(&talk));
	talk_finish(&talk);
}
END_TEST

/* RFC 4954 section 4: too long for a command line, it waits for a 334. */
static const struct step long_password[] = {
	TALK_OFFER("AUTH PLAIN"),
	LINE("AUTH PLAIN"),
	SEND("334 \r\n"),
	PREFIX("AGFsaWNlAHh4eHh4eHh4eHh4eHh4eHh4"),
	SEND("235 ok\r\n"),
	END,
};

START_TEST(long_response_waits_for_the_question)
{
	char password[600];
	struct talk talk;

	memset(password, 'x', sizeof(password) - 1);
	password[sizeof(password) - 1] = '\0';
	talk_begin(&talk, _i, long_password);
	ck_assert_ok(
	    smtptls_client_set_credentials(talk.client, TALK_USER, password));
	ck_assert_ok(talk_connect(&talk));
	ck_assert_ptr_null(strstr(talk.trace, "xxxx"));
	ck_assert_ptr_null(strstr(talk.trace, "eHh4"));
	talk_finish(&talk);
}
END_TEST

/* The server goes on asking; it has got the password, but no second one. */
static const struct step long_password_twice[] = {
	TALK_OFFER("AUTH PLAIN"),
	LINE("AUTH PLAIN"),
	SEND("334 \r\n"),
	PREFIX("AGFsaWNlAHh4eHh4"),
	SEND("334 \r\n"),
	STEP(SWALLOW),
	END,
};

START_TEST(long_response_is_given_once)
{
	char password[600];
	const char *first;
	struct talk talk;
	int r;

	memset(password, 'x', sizeof(password) - 1);
	password[sizeof(password) - 1] = '\0';
	talk_begin(&talk, _i, long_password_twice);
	ck_assert_ok(
	    smtptls_client_set_credentials(talk.client, TALK_USER, password));
	r = talk_connect(&talk);
	ck_assert_msg(r == SMTPTLS_E_AUTH || r == SMTPTLS_E_PROTOCOL, "%d", r);
	talk_hang_up(&talk);
	first = strstr(server_inside(talk.server)->data, "AGFsaWNl");
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_null(strstr(first + 1, "AGFsaWNl"));
	talk_end(&talk);
}
END_TEST

static const struct bad_credentials {
	const char *user;
	const char *password;
	const char *sentence;
} bad_credentials[] = {
	{ "alice\r\nMAIL FROM:<x@example.org>", "secret",
	    "the user name has a control character" },
	{ "alice", "sec\nret", "the password has a control character" },
	{ "alice\x01", "secret", "the user name has a control character" },
	{ "al\x7f"
	  "ice",
	    "secret", "the user name has a control character" },
	{ "\xff", "secret", "is not UTF-8" },
	{ "", "secret", "the user name is empty" },
	{ "alice", "", "the password is empty" },
	{ NULL, "secret", "missing" },
	{ "alice", NULL, "missing" },
};

START_TEST(credentials_with_control_characters_are_refused)
{
	const struct bad_credentials *bad = &bad_credentials[_i];
	struct smtptls_client *client = NULL;

	ck_assert_ok(
	    smtptls_client_new("smtps://" TALK_HOST, world.context, &client));
	ck_assert_int_eq(
	    smtptls_client_set_credentials(client, bad->user, bad->password),
	    SMTPTLS_E_INVALID);
	ck_assert_ptr_nonnull(
	    strstr(smtptls_client_error(client), bad->sentence));
	ck_assert_ptr_null(strstr(smtptls_client_error(client), "secret"));
	/* Who does not look gets no conversation without them. */
	ck_assert_int_eq(smtptls_client_connect(client), SMTPTLS_E_INVALID);
	smtptls_client_free(client);
}
END_TEST

#define LOG_IN                                                                 \
	LINE("AUTH PLAIN " TALK_PLAIN_BASE64), SEND("235 2.7.0 welcome\r\n")
#define TAKE_MAIL                                                              \
	PREFIX("MAIL "), SEND("250 ok\r\n"), PREFIX("RCPT "),                  \
	    SEND("250 ok\r\n"), LINE("DATA"), SEND("354 go\r\n"),              \
	    STEP(CONTENT), SEND("250 ok\r\n")

static const struct step takes_one[] = {
	SEND("250-mail.example.org\r\n250-LIMITS MAILMAX=1\r\n"
	     "250 AUTH PLAIN\r\n"),
	LOG_IN,
	TAKE_MAIL,
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};
static const struct step takes_another[] = {
	TALK_OFFER("AUTH PLAIN"),
	LOG_IN,
	TAKE_MAIL,
	END,
};

START_TEST(each_further_connection_is_authenticated_too)
{
	struct server_options options = { .prologue = talk_prologue(_i),
		.scripts = { takes_one, takes_another } };
	struct talk talk;

	talk_begin_with(
	    &talk, _i, _i < STARTTLS_MODES ? "smtp" : "smtps", NULL, &options);
	talk_set_credentials(&talk);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	smtptls_message_free(talk.message);
	talk.message = NULL;
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_str_eq(smtptls_client_auth_mechanism(talk.client), "PLAIN");
	talk_hang_up(&talk);
	ck_assert_int_eq(server_connections(talk.server), 2);
	talk_end(&talk);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("auth");
	TCase *tc = talk_case(suite, "auth");

	add_rows_in_modes(tc, server_that_takes_the_password_gets_it, accepted);
	add_rows_in_modes(
	    tc, server_that_does_not_take_the_password_gets_no_mail, rejected);
	add_rows_in_modes(tc, questions_without_end_are_bounded, asking);
	add_in_modes(tc, without_credentials_nobody_authenticates);
	add_in_modes(tc, long_response_waits_for_the_question);
	add_in_modes(tc, long_response_is_given_once);
	add_in_modes(tc, each_further_connection_is_authenticated_too);
	tcase_add_loop_test(tc, credentials_with_control_characters_are_refused,
	    0, COUNT(bad_credentials));
	return talk_run(suite);
}
