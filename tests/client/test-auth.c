/* SPDX-License-Identifier: MIT */
/* Credentials set means authenticated or an error, and never in clear. */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "client/talk.h"

#define OFFER(auth) SEND("250-mail.example.org\r\n250 " auth "\r\n")

static const struct accepted {
	const struct step script[12];
	const char *only_mechanism;
	const char *used;
} accepted[] = {
	{ { OFFER("AUTH PLAIN LOGIN"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("235 2.7.0 welcome\r\n") },
	    NULL, "PLAIN" },
	{ { OFFER("AUTH CRAM-MD5 LOGIN PLAIN XOAUTH2"),
	      LINE("AUTH PLAIN " TALK_PLAIN_BASE64), SEND("235 ok\r\n") },
	    NULL, "PLAIN" },
	{ { OFFER("auth plain"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("235 ok\r\n") },
	    NULL, "PLAIN" },
	/* As servers wrote it before RFC 2554. */
	{ { OFFER("AUTH=PLAIN LOGIN"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("235 ok\r\n") },
	    NULL, "PLAIN" },
	{ { OFFER("AUTH LOGIN"), LINE("AUTH LOGIN"),
	      SEND("334 VXNlcm5hbWU6\r\n"), LINE(TALK_USER_BASE64),
	      SEND("334 UGFzc3dvcmQ6\r\n"), LINE(TALK_PASSWORD_BASE64),
	      SEND("235 ok\r\n") },
	    NULL, "LOGIN" },
	/* Prompts are what they like. */
	{ { OFFER("AUTH LOGIN"), LINE("AUTH LOGIN"), SEND("334\r\n"),
	      LINE(TALK_USER_BASE64), SEND("334 Password, please:\r\n"),
	      LINE(TALK_PASSWORD_BASE64), SEND("235 ok\r\n") },
	    NULL, "LOGIN" },
	{ { OFFER("AUTH PLAIN LOGIN"), LINE("AUTH LOGIN"),
	      SEND("334 VXNlcm5hbWU6\r\n"), LINE(TALK_USER_BASE64),
	      SEND("334 UGFzc3dvcmQ6\r\n"), LINE(TALK_PASSWORD_BASE64),
	      SEND("235 ok\r\n") },
	    "LOGIN", "LOGIN" },
	{ { OFFER("AUTH PLAIN LOGIN"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
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
	{ { OFFER("AUTH PLAIN"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("535 5.7.8 wrong\r\n") },
	    NULL, SMTPTLS_E_AUTH, "535 5.7.8 wrong" },
	{ { OFFER("AUTH PLAIN"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("534 5.7.9 too weak\r\n") },
	    NULL, SMTPTLS_E_AUTH, "534 5.7.9 too weak" },
	{ { OFFER("AUTH PLAIN"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("500 what\r\n") },
	    NULL, SMTPTLS_E_AUTH, "500 what" },
	{ { OFFER("AUTH PLAIN"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("454 4.7.0 not now\r\n") },
	    NULL, SMTPTLS_E_REFUSED_LATER, "454 4.7.0 not now" },
	{ { OFFER("AUTH PLAIN"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("421 bye\r\n") },
	    NULL, SMTPTLS_E_REFUSED_LATER, "421 bye" },
	/* No refusal of one mechanism leads to another. */
	{ { OFFER("AUTH PLAIN LOGIN"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("504 5.5.4 what\r\n") },
	    NULL, SMTPTLS_E_AUTH, "504 5.5.4 what" },
	{ { OFFER("AUTH PLAIN"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("250 ok\r\n") },
	    NULL, SMTPTLS_E_PROTOCOL, "250 ok" },
	{ { OFFER("AUTH PLAIN"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("220 ok\r\n") },
	    NULL, SMTPTLS_E_PROTOCOL, "220 ok" },
	{ { OFFER("AUTH PLAIN"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      SEND("354 go\r\n") },
	    NULL, SMTPTLS_E_PROTOCOL, "354 go" },
	{ { OFFER("AUTH PLAIN"), LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	      STEP(CLOSE) },
	    NULL, SMTPTLS_E_IO, NULL },
	{ { OFFER("AUTH LOGIN"), LINE("AUTH LOGIN"),
	      SEND("334 VXNlcm5hbWU6\r\n"), LINE(TALK_USER_BASE64),
	      SEND("535 who\r\n") },
	    NULL, SMTPTLS_E_AUTH, "535 who" },
	{ { OFFER("AUTH LOGIN"), LINE("AUTH LOGIN"),
	      SEND("334-VXNlcm5hbWU6\r\n334 \r\n") },
	    NULL, SMTPTLS_E_PROTOCOL, "challenge" },
	/* A second answer before the second question. */
	{ { OFFER("AUTH LOGIN"), LINE("AUTH LOGIN"),
	      SEND("334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n") },
	    NULL, SMTPTLS_E_PROTOCOL, "334" },
	{ { OFFER("AUTH CRAM-MD5") }, NULL, SMTPTLS_E_AUTH, "CRAM-MD5" },
	{ { OFFER("AUTH CRAM-MD5 DIGEST-MD5 NTLM XOAUTH2") }, NULL,
	    SMTPTLS_E_AUTH, "NTLM" },
	{ { OFFER("AUTH PLAINER XLOGIN") }, NULL, SMTPTLS_E_AUTH, "XLOGIN" },
	{ { OFFER("AUTH EXTERNAL") }, NULL, SMTPTLS_E_AUTH, "EXTERNAL" },
	{ { OFFER("AUTH") }, NULL, SMTPTLS_E_AUTH, NULL },
	{ { OFFER("XAUTH PLAIN") }, NULL, SMTPTLS_E_AUTH,
	    "does not offer authentication" },
	{ { OFFER("SIZE 1000") }, NULL, SMTPTLS_E_AUTH,
	    "does not offer authentication" },
	{ { OFFER("AUTH PLAIN") }, "LOGIN", SMTPTLS_E_AUTH, "LOGIN" },
	{ { OFFER("AUTH LOGIN") }, "PLAIN", SMTPTLS_E_AUTH, "PLAIN" },
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
	OFFER("AUTH PLAIN"),
	PREFIX("AUTH PLAIN "),
	ASK_8,
	ASK_8,
	ASK_8,
	END,
};
static const struct step asking_login[] = {
	OFFER("AUTH LOGIN"),
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
	OFFER("AUTH PLAIN"),
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
	OFFER("AUTH PLAIN"),
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
	OFFER("AUTH PLAIN"),
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
	OFFER("AUTH PLAIN"),
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

/* --- over what is not verified --- */

static struct smtptls_context *
weak_context(bool no_verify)
{
	struct smtptls_context *context = NULL;
	const char *pem;

	pem = factory_pem(world.factory, world.ca, NULL, NULL);
	ck_assert_ok(smtptls_context_new_default(
	    SMTPTLS_SERVER_AUTH, NULL, NULL, pem, strlen(pem), &context));
	ck_assert_ok(smtptls_context_insecure_no_check_hostname(context));
	if (no_verify)
		ck_assert_ok(smtptls_context_insecure_no_verify(context));
	return context;
}

/* Whoever logs in, nothing of it leaves: not even the word. */
static void
expect_no_secret_leaves(int i, const struct step *script,
    void (*set_login)(struct talk *talk), const char *secret)
{
	int mode = MODE(i);
	struct server_options options = { .prologue = talk_prologue(mode),
		.scripts = { script } };
	struct smtptls_context *context = weak_context(ROW(i) == 1);
	struct talk talk;

	talk_begin_with(&talk, mode, mode < STARTTLS_MODES ? "smtp" : "smtps",
	    context, &options);
	set_login(&talk);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_E_INVALID,
	    "credentials are never sent over TLS that is not verified");
	talk_hang_up_early(&talk);
	ck_assert(!received_has(server_inside(talk.server), "AUTH"));
	ck_assert(!received_has(server_inside(talk.server), secret));
	talk_end(&talk);
	smtptls_context_free(context);
}

static const struct step offering[] = {
	OFFER("AUTH PLAIN LOGIN EXTERNAL"),
	STEP(SWALLOW),
	END,
};

START_TEST(credentials_are_never_sent_over_tls_that_is_not_verified)
{
	expect_no_secret_leaves(
	    _i, offering, talk_set_credentials, TALK_PASSWORD);
}
END_TEST

/* Whatever let it come so far: the engine asks again before each secret. */
START_TEST(gate_is_closed_to_secrets_where_tls_is_not_verified)
{
	int mode = MODE(_i);
	struct server_options options = { .prologue = talk_prologue(mode),
		.scripts = { offering } };
	struct smtptls_context *context = weak_context(ROW(_i) == 1);
	const struct stls_engine_config *config;
	struct talk talk;

	talk_begin_with(&talk, mode, mode < STARTTLS_MODES ? "smtp" : "smtps",
	    context, &options);
	ck_assert_ok(talk_connect(&talk));
	config = &talk.client->engine.config;
	ck_assert(!config->may_send(STLS_STEP_AUTH, config->arg));
	ck_assert(config->may_send(STLS_STEP_MAIL, config->arg));
	talk_hang_up_early(&talk);
	talk_end(&talk);
	smtptls_context_free(context);
}
END_TEST

static const struct step offering_in_clear[] = {
	SEND("220 mail.example.org ESMTP\r\n"),
	PREFIX("EHLO "),
	SEND("250-mail.example.org\r\n250 AUTH PLAIN LOGIN\r\n"),
	STEP(SWALLOW),
	END,
};

START_TEST(credentials_are_never_sent_without_tls)
{
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_MODE(_i), offering_in_clear);
	ck_assert_ok(smtptls_client_insecure_no_tls(talk.client));
	talk_set_credentials(&talk);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_E_INVALID,
	    "credentials are never sent without TLS");
	talk_hang_up_early(&talk);
	talk_end(&talk);
}
END_TEST

/* --- tokens --- */

#define TOKEN "ya29.secret-token=="
#define OAUTHBEARER_BASE64                                                     \
	"bixhPWFsaWNlLAFob3N0PW1haWwuZXhhbXBsZS5vcmcBcG9ydD0yNTI1AWF1"         \
	"dGg9QmVhcmVyIHlhMjkuc2VjcmV0LXRva2VuPT0BAQ=="
#define XOAUTH2_BASE64                                                         \
	"dXNlcj1hbGljZQFhdXRoPUJlYXJlciB5YTI5LnNlY3JldC10b2tlbj09AQE="
/* {"status":"invalid_token","scope":"mail"} */
#define FAILURE_BASE64                                                         \
	"eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJtYWlsIn0="
/* {"status":"4\x1b[0m"}, with the octet itself */
#define NASTY_BASE64 "eyJzdGF0dXMiOiI0G1swbSJ9"

static const struct token_row {
	const struct step script[12];
	const char *only_mechanism, *used;
	int code;
	const char *sentence;
} token_rows[] = {
	{ { OFFER("AUTH PLAIN XOAUTH2 OAUTHBEARER"),
	      PREFIX("AUTH OAUTHBEARER bixhPWFsaWNlLAFob3N0PW1haWwu"),
	      SEND("235 2.7.0 welcome\r\n") },
	    NULL, "OAUTHBEARER", SMTPTLS_OK, NULL },
	{ { OFFER("AUTH PLAIN XOAUTH2"), LINE("AUTH XOAUTH2 " XOAUTH2_BASE64),
	      SEND("235 ok\r\n") },
	    NULL, "XOAUTH2", SMTPTLS_OK, NULL },
	{ { OFFER("AUTH OAUTHBEARER XOAUTH2"),
	      LINE("AUTH XOAUTH2 " XOAUTH2_BASE64), SEND("235 ok\r\n") },
	    "xoauth2", "XOAUTH2", SMTPTLS_OK, NULL },
	{ { OFFER("AUTH OAUTHBEARER"), PREFIX("AUTH OAUTHBEARER "),
	      SEND("334 " FAILURE_BASE64 "\r\n"), LINE("AQ=="),
	      SEND("535 5.7.8 no\r\n") },
	    NULL, "", SMTPTLS_E_AUTH,
	    "authentication refused (invalid_token): 535 5.7.8 no" },
	{ { OFFER("AUTH XOAUTH2"), PREFIX("AUTH XOAUTH2 "),
	      SEND("334 " FAILURE_BASE64 "\r\n"), LINE(""),
	      SEND("535 5.7.8 no\r\n") },
	    NULL, "", SMTPTLS_E_AUTH,
	    "authentication refused (invalid_token): 535 5.7.8 no" },
	{ { OFFER("AUTH XOAUTH2"), PREFIX("AUTH XOAUTH2 "),
	      SEND("334 " NASTY_BASE64 "\r\n"), LINE(""),
	      SEND("454 4.7.0 later\r\n") },
	    NULL, "", SMTPTLS_E_REFUSED_LATER,
	    "refused for now (4\\x1b[0m): 454 4.7.0 later" },
	/* Words, and nothing. */
	{ { OFFER("AUTH XOAUTH2"), PREFIX("AUTH XOAUTH2 "),
	      SEND("334 no, not this one\r\n"), LINE(""), SEND("535 no\r\n") },
	    NULL, "", SMTPTLS_E_AUTH, "authentication refused: 535 no" },
	{ { OFFER("AUTH OAUTHBEARER"), PREFIX("AUTH OAUTHBEARER "),
	      SEND("334\r\n"), LINE("AQ=="), SEND("535 no\r\n") },
	    NULL, "", SMTPTLS_E_AUTH, "authentication refused: 535 no" },
	{ { OFFER("AUTH OAUTHBEARER"), PREFIX("AUTH OAUTHBEARER "),
	      SEND("535 5.7.8 no\r\n") },
	    NULL, "", SMTPTLS_E_AUTH, "authentication refused: 535 5.7.8 no" },
	/* A refused mechanism leads to no other one. */
	{ { OFFER("AUTH OAUTHBEARER XOAUTH2 PLAIN"),
	      PREFIX("AUTH OAUTHBEARER "), SEND("504 5.5.4 what\r\n") },
	    NULL, "", SMTPTLS_E_AUTH, "504 5.5.4 what" },
	{ { OFFER("AUTH OAUTHBEARER"), PREFIX("AUTH OAUTHBEARER "),
	      SEND("334 " FAILURE_BASE64 "\r\n"), LINE("AQ=="),
	      SEND("235 welcome\r\n") },
	    NULL, "", SMTPTLS_E_PROTOCOL, "235 welcome" },
	{ { OFFER("AUTH OAUTHBEARER"), PREFIX("AUTH OAUTHBEARER "),
	      SEND("334 " FAILURE_BASE64 "\r\n"), LINE("AQ=="),
	      SEND("334 " FAILURE_BASE64 "\r\n") },
	    NULL, "", SMTPTLS_E_AUTH, "more than OAUTHBEARER has" },
	{ { OFFER("AUTH XOAUTH2"), PREFIX("AUTH XOAUTH2 "), SEND("334\r\n"),
	      LINE(""), SEND("334\r\n") },
	    NULL, "", SMTPTLS_E_AUTH, "more than XOAUTH2 has" },
	{ { OFFER("AUTH PLAIN LOGIN") }, NULL, "", SMTPTLS_E_AUTH,
	    "a token (OAUTHBEARER, XOAUTH2)" },
	{ { OFFER("AUTH OAUTHBEARER PLAIN") }, "PLAIN", "", SMTPTLS_E_AUTH,
	    "PLAIN needs" },
};

static void
set_token(struct talk *talk)
{
	ck_assert_ok(smtptls_client_set_token(talk->client, TALK_USER, TOKEN));
}

START_TEST(token_goes_by_its_own_mechanisms_alone)
{
	const struct token_row *row = &token_rows[ROW(_i)];
	struct talk talk;

	talk_begin(&talk, MODE(_i), row->script);
	set_token(&talk);
	if (row->only_mechanism != NULL)
		ck_assert_ok(smtptls_client_set_auth_mechanism(
		    talk.client, row->only_mechanism));
	talk_assert_failed(
	    &talk, talk_connect(&talk), row->code, row->sentence);
	ck_assert_str_eq(smtptls_client_auth_mechanism(talk.client), row->used);
	ck_assert_ptr_null(strstr(talk.trace, "secret-token"));
	ck_assert_ptr_null(strstr(talk.trace, "bixh"));
	ck_assert_ptr_null(strstr(talk.trace, "dXNlcj"));
	ck_assert(!received_has(server_inside(talk.server), "AUTH PLAIN"));
	talk_finish(&talk);
}
END_TEST

/* RFC 7628 section 3.1: whom the token is for is the URL, not the address. */
static const struct step to_whom[] = {
	OFFER("AUTH OAUTHBEARER"),
	LINE("AUTH OAUTHBEARER " OAUTHBEARER_BASE64),
	SEND("235 ok\r\n"),
	END,
};

START_TEST(token_is_said_to_be_for_the_server_of_the_url)
{
	struct talk talk;

	talk_begin(&talk, _i, to_whom);
	set_token(&talk);
	talk_assert_failed(&talk, talk_connect(&talk), SMTPTLS_OK, NULL);
	talk_finish(&talk);
}
END_TEST

/* RFC 4954 section 4, as with a long password. */
static const struct step long_token[] = {
	OFFER("AUTH XOAUTH2"),
	LINE("AUTH XOAUTH2"),
	SEND("334 \r\n"),
	PREFIX("dXNlcj1hbGljZQFhdXRoPUJlYXJlciB4eHh4eHh4"),
	SEND("334 " FAILURE_BASE64 "\r\n"),
	LINE(""),
	SEND("535 5.7.8 no\r\n"),
	END,
};

START_TEST(long_token_waits_for_the_question)
{
	char token[8193];
	struct talk talk;

	memset(token, 'x', sizeof(token) - 1);
	token[sizeof(token) - 1] = '\0';
	talk_begin(&talk, _i, long_token);
	ck_assert_ok(smtptls_client_set_token(talk.client, TALK_USER, token));
	talk_assert_failed(&talk, talk_connect(&talk), SMTPTLS_E_AUTH,
	    "authentication refused (invalid_token): 535 5.7.8 no");
	ck_assert_ptr_null(strstr(talk.trace, "eHh4"));
	talk_finish(&talk);
}
END_TEST

static const struct bad_token {
	const char *user, *token, *sentence;
} bad_tokens[] = {
	{ "alice\x01"
	  "auth=Bearer x",
	    TOKEN, "the user name has a control character" },
	{ "", TOKEN, "the user name is empty" },
	{ NULL, TOKEN, "the user name or the token is missing" },
	{ "alice", NULL, "the user name or the token is missing" },
	{ "alice", "", "the token is empty" },
	{ "alice", TOKEN "\x01", "the token has a character" },
	{ "alice", TOKEN "\n", "the token has a character" },
	{ "alice", "Bearer " TOKEN, "the token has a character" },
	{ "alice", TOKEN TOKEN, "the token has a character" },
};

START_TEST(token_with_other_characters_is_refused)
{
	const struct bad_token *bad = &bad_tokens[_i];
	struct smtptls_client *client = NULL;

	ck_assert_ok(
	    smtptls_client_new("smtps://" TALK_HOST, world.context, &client));
	ck_assert_int_eq(
	    smtptls_client_set_token(client, bad->user, bad->token),
	    SMTPTLS_E_INVALID);
	ck_assert_ptr_nonnull(
	    strstr(smtptls_client_error(client), bad->sentence));
	ck_assert_ptr_null(strstr(smtptls_client_error(client), "secret"));
	ck_assert_int_eq(smtptls_client_connect(client), SMTPTLS_E_INVALID);
	smtptls_client_free(client);
}
END_TEST

static const struct step both_offered[] = {
	OFFER("AUTH PLAIN XOAUTH2"),
	PREFIX("AUTH "),
	SEND("235 ok\r\n"),
	END,
};

START_TEST(token_and_password_replace_each_other)
{
	bool token_is_last = ROW(_i) == 1;
	struct talk talk;

	talk_begin(&talk, MODE(_i), both_offered);
	if (token_is_last) {
		talk_set_credentials(&talk);
		set_token(&talk);
	} else {
		set_token(&talk);
		talk_set_credentials(&talk);
	}
	talk_assert_failed(&talk, talk_connect(&talk), SMTPTLS_OK, NULL);
	ck_assert_str_eq(smtptls_client_auth_mechanism(talk.client),
	    token_is_last ? "XOAUTH2" : "PLAIN");
	talk_finish(&talk);
}
END_TEST

static const struct step offering_tokens[] = {
	OFFER("AUTH PLAIN OAUTHBEARER XOAUTH2"),
	STEP(SWALLOW),
	END,
};

START_TEST(token_is_never_sent_over_tls_that_is_not_verified)
{
	expect_no_secret_leaves(_i, offering_tokens, set_token, TOKEN);
}
END_TEST

START_TEST(token_is_never_sent_without_tls)
{
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_MODE(_i), offering_in_clear);
	ck_assert_ok(smtptls_client_insecure_no_tls(talk.client));
	set_token(&talk);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_E_INVALID,
	    "never sent without TLS");
	talk_hang_up_early(&talk);
	talk_end(&talk);
}
END_TEST

/* --- EXTERNAL --- */

static const struct step external[] = {
	OFFER("AUTH PLAIN EXTERNAL"),
	LINE("AUTH EXTERNAL ="),
	SEND("235 ok\r\n"),
	END,
};

static const struct step external_authzid[] = {
	OFFER("AUTH EXTERNAL PLAIN"),
	LINE("AUTH EXTERNAL " TALK_USER_BASE64),
	SEND("235 ok\r\n"),
	END,
};

static const struct step external_unused[] = {
	OFFER("AUTH EXTERNAL"),
	END,
};

static const struct external_row {
	const struct step *script;
	const char *authzid;
	bool asks;
	int code;
} external_rows[] = {
	{ external, "", true, SMTPTLS_OK },
	{ external_authzid, "alice", true, SMTPTLS_OK },
	/* The server did not ask, so no certificate was sent. */
	{ external_unused, "", false, SMTPTLS_E_AUTH },
};

START_TEST(external_needs_a_certificate_that_was_sent)
{
	const struct external_row *row = &external_rows[ROW(_i)];
	int mode = MODE(_i);
	struct server_options options = { .prologue = talk_prologue(mode),
		.scripts = { row->script },
		.asks_certificate = row->asks };
	struct smtptls_context *context = NULL;
	const struct cert *own;
	const char *pem;
	struct talk talk;

	pem = factory_pem(world.factory, world.ca, NULL, NULL);
	own = CERT(world.factory, world.ca, .cn = "alice");
	ck_assert_ok(smtptls_context_new_default(
	    SMTPTLS_SERVER_AUTH, NULL, NULL, pem, strlen(pem), &context));
	ck_assert_ok(smtptls_context_load_cert_chain(context,
	    factory_file(world.factory, "own.pem",
		factory_pem(world.factory, own, NULL, NULL)),
	    factory_file(world.factory, "own-key.pem",
		factory_key_pem(world.factory, own)),
	    NULL, NULL));
	talk_begin_with(&talk, mode, mode < STARTTLS_MODES ? "smtp" : "smtps",
	    context, &options);
	ck_assert_ok(smtptls_client_set_external(talk.client, row->authzid));
	talk_assert_failed(&talk, talk_connect(&talk), row->code, NULL);
	talk_finish(&talk);
	smtptls_context_free(context);
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
	talk_add(tc, credentials_are_never_sent_over_tls_that_is_not_verified,
	    2, MODES);
	talk_add(
	    tc, gate_is_closed_to_secrets_where_tls_is_not_verified, 2, MODES);
	add_in_starttls_modes(tc, credentials_are_never_sent_without_tls);
	add_rows_in_modes(
	    tc, token_goes_by_its_own_mechanisms_alone, token_rows);
	add_in_modes(tc, token_is_said_to_be_for_the_server_of_the_url);
	add_in_modes(tc, long_token_waits_for_the_question);
	tcase_add_loop_test(
	    tc, token_with_other_characters_is_refused, 0, COUNT(bad_tokens));
	talk_add(tc, token_and_password_replace_each_other, 2, MODES);
	talk_add(
	    tc, token_is_never_sent_over_tls_that_is_not_verified, 2, MODES);
	add_in_starttls_modes(tc, token_is_never_sent_without_tls);
	add_rows_in_modes(
	    tc, external_needs_a_certificate_that_was_sent, external_rows);
	return talk_run(suite);
}
