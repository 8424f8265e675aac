/* SPDX-License-Identifier: MIT */
/* Who the server proves to be, and by which TLS, decides what may be said. */
#include <string.h>

#include "client/talk.h"

static const struct cert *
other_ca_cert(void)
{
	return factory_server(world.factory,
	    CERT(world.factory, NULL, .cn = "Other Root", .ca = true),
	    "DNS:" TALK_HOST);
}

static const struct cert *
wrong_name_cert(void)
{
	return factory_server(world.factory, world.ca, "DNS:mail.example.com");
}

static const struct cert *
name_of_the_address_cert(void)
{
	/* What is connected to is not what is verified. */
	return factory_server(
	    world.factory, world.ca, "DNS:localhost IP:127.0.0.1");
}

static const struct cert *
expired_cert(void)
{
	return CERT(world.factory, world.ca, .names = "DNS:" TALK_HOST,
	    .not_before = -3 * FACTORY_DAY, .not_after = -FACTORY_DAY);
}

static const struct cert *
future_cert(void)
{
	return CERT(world.factory, world.ca, .names = "DNS:" TALK_HOST,
	    .not_before = FACTORY_DAY, .not_after = 3 * FACTORY_DAY);
}

static const struct cert *
self_signed_cert(void)
{
	return CERT(world.factory, NULL, .names = "DNS:" TALK_HOST);
}

static const struct cert *
cn_only_cert(void)
{
	return CERT(world.factory, world.ca, .cn = TALK_HOST);
}

static const struct bad_cert {
	const struct cert *(*make)(void);
	const char *sentence;
} bad_certs[] = {
	{ other_ca_cert, NULL },
	{ wrong_name_cert, "mail.example.com" },
	{ name_of_the_address_cert, "localhost" },
	{ expired_cert, "expired" },
	{ future_cert, NULL },
	{ self_signed_cert, NULL },
	{ cn_only_cert, NULL },
};

static const char *const priorities[] = {
	"NORMAL:-VERS-ALL:+VERS-TLS1.2",
	"NORMAL:-VERS-ALL:+VERS-TLS1.3",
};

static const struct step refusing_script[] = {
	SEND("220 mail.example.org ESMTP\r\n"),
	PREFIX("EHLO "),
	TALK_OFFER("STARTTLS"),
	LINE("STARTTLS"),
	SEND("220 go\r\n"),
	STEP(TLS_FAILS),
	END,
};

static void
expect_handshake_failure(
    int mode, const struct server_options *base, int code, const char *sentence)
{
	bool implicit = mode >= STARTTLS_MODES;
	struct server_options options = *base;
	struct talk talk;

	/* Implicit TLS is the last two steps. */
	options.scripts[0] = refusing_script + (implicit ? 5 : 0);
	talk_begin_with(
	    &talk, mode, implicit ? "smtps" : "smtp", NULL, &options);
	talk_set_credentials(&talk);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), code, sentence);
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0),
	    SMTPTLS_OUTCOME_NOT_TRIED);
	talk_hang_up(&talk);
	ck_assert_uint_eq(server_inside(talk.server)->len, 0);
	talk_end(&talk);
}

START_TEST(certificate_is_refused_before_anything_is_said)
{
	const struct bad_cert *bad = &bad_certs[ROW(_i)];
	struct server_options options = { .cert = bad->make() };
	int i;

	for (i = 0; i < COUNT(priorities); i++) {
		options.priority = priorities[i];
		expect_handshake_failure(
		    MODE(_i), &options, SMTPTLS_E_CERTIFICATE, bad->sentence);
	}
}
END_TEST

START_TEST(old_tls_is_refused)
{
	struct server_options options = {
		.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0",
	};

	expect_handshake_failure(_i, &options, SMTPTLS_E_TLS, NULL);
}
END_TEST

static const struct step accepting[] = {
	SEND("250 mail.example.org\r\n"),
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

static void
begin_accepting(struct talk *talk, int mode, struct smtptls_context *context,
    const struct server_options *base)
{
	struct server_options options = *base;

	options.prologue = talk_prologue(mode);
	options.scripts[0] = accepting;
	talk_begin_with(talk, mode, mode < STARTTLS_MODES ? "smtp" : "smtps",
	    context, &options);
	talk_set_message(talk);
}

START_TEST(message_is_sent_over_each_version)
{
	struct server_options options = { .priority = priorities[ROW(_i)] };
	struct smtptls_session *session;
	struct talk talk;

	begin_accepting(&talk, MODE(_i), NULL, &options);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	session = smtptls_client_session(talk.client);
	ck_assert_int_eq(smtptls_session_version(session),
	    ROW(_i) == 0 ? SMTPTLS_TLS_1_2 : SMTPTLS_TLS_1_3);
	ck_assert_int_eq(smtptls_session_is_verified(session), 1);
	ck_assert_ok(talk_quit(&talk));
	talk_finish(&talk);
}
END_TEST

START_TEST(certificate_that_was_not_to_be_checked_is_not_called_verified)
{
	struct server_options options = { .cert = wrong_name_cert() };
	struct smtptls_context *context = NULL;
	struct talk talk;
	const char *pem;

	pem = factory_pem(world.factory, world.ca, NULL, NULL);
	ck_assert_ok(smtptls_context_new_default(
	    SMTPTLS_SERVER_AUTH, NULL, NULL, pem, strlen(pem), &context));
	ck_assert_ok(smtptls_context_insecure_no_check_hostname(context));
	begin_accepting(&talk, _i, context, &options);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_int_eq(
	    smtptls_session_is_verified(smtptls_client_session(talk.client)),
	    0);
	ck_assert_ptr_nonnull(strstr(talk.trace, "NOT VERIFIED"));
	ck_assert_ok(talk_quit(&talk));
	talk_finish(&talk);
	smtptls_context_free(context);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("handshake");
	TCase *tc = talk_case(suite, "handshake");

	add_rows_in_modes(
	    tc, certificate_is_refused_before_anything_is_said, bad_certs);
	add_in_modes(tc, old_tls_is_refused);
	add_rows_in_modes(tc, message_is_sent_over_each_version, priorities);
	add_in_modes(
	    tc, certificate_that_was_not_to_be_checked_is_not_called_verified);
	return talk_run(suite);
}
