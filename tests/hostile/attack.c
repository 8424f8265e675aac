/* SPDX-License-Identifier: MIT */
#include "hostile/attack.h"

#include <stdio.h>
#include <string.h>

#define ROWS_MAX 64

void
attack_add(TCase *tc, const TTest *test, const char *name, int row, int modes)
{
	/* Check keeps what it is given. */
	static TTest tests[ROWS_MAX];
	static size_t count;

	if (count == ROWS_MAX)
		abort();
	tests[count] = *test;
	tests[count].name = name;
	talk_add_row(tc, &tests[count++], row, modes);
}

static void
attack(struct talk *talk, int code, const char *sentence)
{
	talk_set_credentials(talk);
	talk_set_message(talk);
	talk_assert_failed(talk, talk_send(talk), code, sentence);
	ck_assert_int_ne(smtptls_message_outcome(talk->message, 0),
	    SMTPTLS_OUTCOME_ACCEPTED);
	talk_hang_up(talk);
}

void
attack_in_clear(
    int mode, const struct step *script, int code, const char *sentence)
{
	struct talk talk;

	talk_begin_raw(&talk, mode, script);
	attack(&talk, code, sentence);
	ck_assert_uint_eq(server_inside(talk.server)->len, 0);
	talk_end(&talk);
}

void
attack_inside(
    int mode, const struct step *script, int code, const char *sentence)
{
	struct talk talk;

	talk_begin(&talk, mode, script);
	attack(&talk, code, sentence);
	talk_end(&talk);
}

static const struct step unwanted[] = {
	UP_TO_STARTTLS,
	SEND("220 go\r\n"),
	STEP(TLS_FAILS),
	END,
};

void
attack_with_cert(int mode, const struct cert *cert, const char *sentence)
{
	bool implicit = mode >= STARTTLS_MODES;
	struct server_options options = {
		.cert = cert,
		/* With implicit TLS there is nothing but the handshake. */
		.scripts = { implicit ? unwanted + COUNT(unwanted) - 2
				      : unwanted },
	};
	struct talk talk;

	talk_begin_with(
	    &talk, mode, implicit ? "smtps" : "smtp", NULL, &options);
	attack(&talk, SMTPTLS_E_CERTIFICATE, sentence);
	ck_assert_uint_eq(server_inside(talk.server)->len, 0);
	talk_end(&talk);
}

static const struct step anything[] = {
	SEND("250-mail.example.org\r\n250-DSN\r\n250 SMTPUTF8\r\n"),
	STEP(SERVE),
	END,
};

/* Who does not look at what a setter answers sends nothing all the same. */
static void
attack_as(const char *address, bool as_sender)
{
	struct talk talk;
	int r;

	talk_begin(&talk, IMPLICIT_BLOCKING, anything);
	talk_set_message(&talk);
	r = as_sender ? smtptls_message_set_sender(talk.message, address)
		      : smtptls_message_add_recipient(talk.message, address);
	ck_assert_msg(r == SMTPTLS_E_INVALID, "\"%s\" was taken", address);
	ck_assert_int_eq(talk_send(&talk), SMTPTLS_E_INVALID);
	talk_hang_up_early(&talk);
	ck_assert(!received_has(server_inside(talk.server), "MAIL"));
	ck_assert(!received_has(server_inside(talk.server), "RCPT"));
	talk_end(&talk);
}

void
attack_by_address(const char *address)
{
	attack_as(address, true);
	attack_as(address, false);
	ck_assert_int_eq(smtptls_address_check(address), SMTPTLS_E_INVALID);
}

void
attack_by_good_address(int mode, const char *address, const char *command)
{
	const struct step script[] = {
		anything[0],
		PREFIX("MAIL FROM:<alice@example.org>"),
		SEND("250 ok\r\n"),
		{ .kind = STEP_LINE, .text = command, .len = strlen(command) },
		SEND("250 ok\r\n"),
		LINE("DATA"),
		SEND("354 go\r\n"),
		STEP(CONTENT),
		SEND("250 ok\r\n"),
		END,
	};
	struct talk talk;

	talk_begin(&talk, mode, script);
	ck_assert_ok(smtptls_message_new(&talk.message));
	ck_assert_ok(smtptls_message_set_sender(talk.message, TALK_SENDER));
	ck_assert_ok(smtptls_message_add_recipient(talk.message, address));
	ck_assert_ok(smtptls_message_set_body_mem(
	    talk.message, TALK_CONTENT, sizeof(TALK_CONTENT) - 1));
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_uint_eq(smtptls_message_recipients(talk.message), 1);
	talk_finish(&talk);
}

void
attack_by_offer(int mode, const char *offer, const char *mechanism)
{
	char text[512];
	struct step script[3] = { { .kind = STEP_SEND, .text = text } };
	struct smtptls_client *client = NULL;

	snprintf(text, sizeof(text), "250-mail.example.org\r\n250 AUTH %s\r\n",
	    offer);
	script[0].len = strlen(text);
	attack_inside(mode, script, SMTPTLS_E_AUTH, mechanism);

	/* Nor is it to be had by asking for it. */
	ck_assert_ok(
	    smtptls_client_new("smtps://" TALK_HOST, world.context, &client));
	ck_assert_int_eq(smtptls_client_set_auth_mechanism(client, mechanism),
	    SMTPTLS_E_INVALID);
	smtptls_client_free(client);
}
