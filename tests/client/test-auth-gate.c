/* SPDX-License-Identifier: MIT */
/* Nothing that is secret leaves over what was not verified. */
#include <string.h>

#include "client.h"
#include "client/talk.h"

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
	TALK_OFFER("AUTH PLAIN LOGIN EXTERNAL"),
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
	TALK_OFFER("AUTH PLAIN LOGIN"),
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

static const struct step offering_tokens[] = {
	TALK_OFFER("AUTH PLAIN OAUTHBEARER XOAUTH2"),
	STEP(SWALLOW),
	END,
};

START_TEST(token_is_never_sent_over_tls_that_is_not_verified)
{
	expect_no_secret_leaves(
	    _i, offering_tokens, talk_set_token, TALK_TOKEN);
}
END_TEST

START_TEST(token_is_never_sent_without_tls)
{
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_MODE(_i), offering_in_clear);
	ck_assert_ok(smtptls_client_insecure_no_tls(talk.client));
	talk_set_token(&talk);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_E_INVALID,
	    "never sent without TLS");
	talk_hang_up_early(&talk);
	talk_end(&talk);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("auth-gate");
	TCase *tc = talk_case(suite, "auth-gate");

	talk_add(tc, credentials_are_never_sent_over_tls_that_is_not_verified,
	    2, MODES);
	talk_add(
	    tc, gate_is_closed_to_secrets_where_tls_is_not_verified, 2, MODES);
	add_in_starttls_modes(tc, credentials_are_never_sent_without_tls);
	talk_add(
	    tc, token_is_never_sent_over_tls_that_is_not_verified, 2, MODES);
	add_in_starttls_modes(tc, token_is_never_sent_without_tls);
	return talk_run(suite);
}
