/* SPDX-License-Identifier: MIT */
/* Who has no password: tokens, and EXTERNAL with a certificate. */
#include <string.h>

#include "client/talk.h"

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
	{ { TALK_OFFER("AUTH PLAIN XOAUTH2 OAUTHBEARER"),
	      PREFIX("AUTH OAUTHBEARER bixhPWFsaWNlLAFob3N0PW1haWwu"),
	      SEND("235 2.7.0 welcome\r\n") },
	    NULL, "OAUTHBEARER", SMTPTLS_OK, NULL },
	{ { TALK_OFFER("AUTH PLAIN XOAUTH2"),
	      LINE("AUTH XOAUTH2 " XOAUTH2_BASE64), SEND("235 ok\r\n") },
	    NULL, "XOAUTH2", SMTPTLS_OK, NULL },
	{ { TALK_OFFER("AUTH OAUTHBEARER XOAUTH2"),
	      LINE("AUTH XOAUTH2 " XOAUTH2_BASE64), SEND("235 ok\r\n") },
	    "xoauth2", "XOAUTH2", SMTPTLS_OK, NULL },
	{ { TALK_OFFER("AUTH OAUTHBEARER"), PREFIX("AUTH OAUTHBEARER "),
	      SEND("334 " FAILURE_BASE64 "\r\n"), LINE("AQ=="),
	      SEND("535 5.7.8 no\r\n") },
	    NULL, "", SMTPTLS_E_AUTH,
	    "authentication refused (invalid_token): 535 5.7.8 no" },
	{ { TALK_OFFER("AUTH XOAUTH2"), PREFIX("AUTH XOAUTH2 "),
	      SEND("334 " FAILURE_BASE64 "\r\n"), LINE(""),
	      SEND("535 5.7.8 no\r\n") },
	    NULL, "", SMTPTLS_E_AUTH,
	    "authentication refused (invalid_token): 535 5.7.8 no" },
	{ { TALK_OFFER("AUTH XOAUTH2"), PREFIX("AUTH XOAUTH2 "),
	      SEND("334 " NASTY_BASE64 "\r\n"), LINE(""),
	      SEND("454 4.7.0 later\r\n") },
	    NULL, "", SMTPTLS_E_REFUSED_LATER,
	    "refused for now (4\\x1b[0m): 454 4.7.0 later" },
	/* Words, and nothing. */
	{ { TALK_OFFER("AUTH XOAUTH2"), PREFIX("AUTH XOAUTH2 "),
	      SEND("334 no, not this one\r\n"), LINE(""), SEND("535 no\r\n") },
	    NULL, "", SMTPTLS_E_AUTH, "authentication refused: 535 no" },
	{ { TALK_OFFER("AUTH OAUTHBEARER"), PREFIX("AUTH OAUTHBEARER "),
	      SEND("334\r\n"), LINE("AQ=="), SEND("535 no\r\n") },
	    NULL, "", SMTPTLS_E_AUTH, "authentication refused: 535 no" },
	{ { TALK_OFFER("AUTH OAUTHBEARER"), PREFIX("AUTH OAUTHBEARER "),
	      SEND("535 5.7.8 no\r\n") },
	    NULL, "", SMTPTLS_E_AUTH, "authentication refused: 535 5.7.8 no" },
	/* A refused mechanism leads to no other one. */
	{ { TALK_OFFER("AUTH OAUTHBEARER XOAUTH2 PLAIN"),
	      PREFIX("AUTH OAUTHBEARER "), SEND("504 5.5.4 what\r\n") },
	    NULL, "", SMTPTLS_E_AUTH, "504 5.5.4 what" },
	{ { TALK_OFFER("AUTH OAUTHBEARER"), PREFIX("AUTH OAUTHBEARER "),
	      SEND("334 " FAILURE_BASE64 "\r\n"), LINE("AQ=="),
	      SEND("235 welcome\r\n") },
	    NULL, "", SMTPTLS_E_PROTOCOL, "235 welcome" },
	{ { TALK_OFFER("AUTH OAUTHBEARER"), PREFIX("AUTH OAUTHBEARER "),
	      SEND("334 " FAILURE_BASE64 "\r\n"), LINE("AQ=="),
	      SEND("334 " FAILURE_BASE64 "\r\n") },
	    NULL, "", SMTPTLS_E_AUTH, "more than OAUTHBEARER has" },
	{ { TALK_OFFER("AUTH XOAUTH2"), PREFIX("AUTH XOAUTH2 "),
	      SEND("334\r\n"), LINE(""), SEND("334\r\n") },
	    NULL, "", SMTPTLS_E_AUTH, "more than XOAUTH2 has" },
	{ { TALK_OFFER("AUTH PLAIN LOGIN") }, NULL, "", SMTPTLS_E_AUTH,
	    "a token (OAUTHBEARER, XOAUTH2)" },
	{ { TALK_OFFER("AUTH OAUTHBEARER PLAIN") }, "PLAIN", "", SMTPTLS_E_AUTH,
	    "PLAIN needs" },
};

START_TEST(token_goes_by_its_own_mechanisms_alone)
{
	const struct token_row *row = &token_rows[ROW(_i)];
	struct talk talk;

	talk_begin(&talk, MODE(_i), row->script);
	talk_set_token(&talk);
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
	TALK_OFFER("AUTH OAUTHBEARER"),
	LINE("AUTH OAUTHBEARER " OAUTHBEARER_BASE64),
	SEND("235 ok\r\n"),
	END,
};

START_TEST(token_is_said_to_be_for_the_server_of_the_url)
{
	struct talk talk;

	talk_begin(&talk, _i, to_whom);
	talk_set_token(&talk);
	talk_assert_failed(&talk, talk_connect(&talk), SMTPTLS_OK, NULL);
	talk_finish(&talk);
}
END_TEST

/* RFC 4954 section 4, as with a long password. */
static const struct step long_token[] = {
	TALK_OFFER("AUTH XOAUTH2"),
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
	    TALK_TOKEN, "the user name has a control character" },
	{ "", TALK_TOKEN, "the user name is empty" },
	{ NULL, TALK_TOKEN, "the user name or the token is missing" },
	{ "alice", NULL, "the user name or the token is missing" },
	{ "alice", "", "the token is empty" },
	{ "alice", TALK_TOKEN "\x01", "the token has a character" },
	{ "alice", TALK_TOKEN "\n", "the token has a character" },
	{ "alice", "Bearer " TALK_TOKEN, "the token has a character" },
	{ "alice", TALK_TOKEN TALK_TOKEN, "the token has a character" },
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
	TALK_OFFER("AUTH PLAIN XOAUTH2"),
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
		talk_set_token(&talk);
	} else {
		talk_set_token(&talk);
		talk_set_credentials(&talk);
	}
	talk_assert_failed(&talk, talk_connect(&talk), SMTPTLS_OK, NULL);
	ck_assert_str_eq(smtptls_client_auth_mechanism(talk.client),
	    token_is_last ? "XOAUTH2" : "PLAIN");
	talk_finish(&talk);
}
END_TEST

static const struct step external[] = {
	TALK_OFFER("AUTH PLAIN EXTERNAL"),
	LINE("AUTH EXTERNAL ="),
	SEND("235 ok\r\n"),
	END,
};

static const struct step external_authzid[] = {
	TALK_OFFER("AUTH EXTERNAL PLAIN"),
	LINE("AUTH EXTERNAL " TALK_USER_BASE64),
	SEND("235 ok\r\n"),
	END,
};

static const struct step external_unused[] = {
	TALK_OFFER("AUTH EXTERNAL"),
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
	Suite *suite = suite_create("auth-no-password");
	TCase *tc = talk_case(suite, "auth-no-password");

	add_rows_in_modes(
	    tc, token_goes_by_its_own_mechanisms_alone, token_rows);
	add_in_modes(tc, token_is_said_to_be_for_the_server_of_the_url);
	add_in_modes(tc, long_token_waits_for_the_question);
	tcase_add_loop_test(
	    tc, token_with_other_characters_is_refused, 0, COUNT(bad_tokens));
	talk_add(tc, token_and_password_replace_each_other, 2, MODES);
	add_rows_in_modes(
	    tc, external_needs_a_certificate_that_was_sent, external_rows);
	return talk_run(suite);
}
