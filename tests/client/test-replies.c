/* SPDX-License-Identifier: MIT */
/* Replies as no RFC allows them, at every place of a conversation. */
#include <poll.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include "client/talk.h"

/* A conversation that goes well, up to the reply that does not. */
static const struct step conversation[] = {
	SEND("250-mail.example.org\r\n250 SIZE 1000000\r\n"),
	PREFIX("MAIL FROM:<alice@example.org>"),
	SEND("250 2.1.0 ok\r\n"),
	LINE("RCPT TO:<bob@example.org>"),
	SEND("250 2.1.5 ok\r\n"),
	LINE("DATA"),
	SEND("354 go\r\n"),
	STEP(CONTENT),
	SEND("250 2.0.0 queued as 4711\r\n"),
	END,
};

enum place {
	AT_EHLO,
	AT_MAIL,
	AT_RCPT,
	AT_DATA,
	AT_END_OF_DATA,
	PLACES
};

#define STEPS_MAX 12

/* The conversation with another reply at a place, and what follows it. */
static void
make_script(struct step *script, int place, const struct step *reply,
    const struct step *rest, size_t rest_count)
{
	size_t at = (size_t)place * 2, i;

	memcpy(script, conversation, at * sizeof(*script));
	script[at++] = *reply;
	for (i = 0; i < rest_count; i++)
		script[at++] = rest[i];
	script[at] = (struct step)END;
}

static void
make_ending(struct step *script, int place, const struct step *reply)
{
	make_script(script, place, reply, NULL, 0);
}

START_TEST(conversation_without_a_fault_is_accepted)
{
	struct talk talk;

	talk_begin(&talk, _i, conversation);
	talk_set_message(&talk);
	ck_assert_ok(talk_send(&talk));
	ck_assert_int_eq(
	    smtptls_message_outcome(talk.message, 0), SMTPTLS_OUTCOME_ACCEPTED);
	ck_assert_int_eq(smtptls_message_reply_code(talk.message, 0), 250);
	ck_assert_str_eq(
	    smtptls_message_reply_enhanced(talk.message, 0), "2.0.0");
	ck_assert_str_eq(
	    smtptls_message_reply_text(talk.message, 0), "queued as 4711");
	ck_assert_str_eq(smtptls_message_error(talk.message), "");
	talk_finish(&talk);
}
END_TEST

/* --- malformed --- */

static char long_line[8300];
static char long_reply[70000];
static char many_lines[257 * 6 + 1];

static void
make_long_replies(void)
{
	size_t len = 0;
	int i;

	memset(long_line, 'x', sizeof(long_line));
	memcpy(long_line, "250 ", 4);
	memcpy(long_line + sizeof(long_line) - 2, "\r\n", 2);

	while (len + 1100 < sizeof(long_reply)) {
		memcpy(long_reply + len, "250-", 4);
		memset(long_reply + len + 4, 'x', 1000);
		memcpy(long_reply + len + 1004, "\r\n", 2);
		len += 1006;
	}
	memcpy(long_reply + len, "250 x\r\n", 7);

	for (i = 0; i < 256; i++)
		memcpy(many_lines + 6 * i, "250-\r\n", 6);
	memcpy(many_lines + 6 * i, "250 \r\n", 7);
}

static const struct malformed {
	const struct step reply;
	int code;
} malformed[] = {
	{ SEND("550-no\r\n250 yes\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("250-yes\r\n550 no\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("250-yes\r\nyes\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("250-yes\r\n\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("ok\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("25\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("2500 ok\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("250ok\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("250\tok\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND(" 250 ok\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("2 50 ok\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("+250 ok\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("-250 ok\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("150 ok\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("050 ok\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("650 ok\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("999 ok\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("250 ok\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("250-ok\n250 ok\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("250 o\nk\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("250 o\rk\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("250 ok\r\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("250 o\0k\r\n"), SMTPTLS_E_PROTOCOL },
	{ SEND("\0"
	       "250 ok\r\n"),
	    SMTPTLS_E_PROTOCOL },
	{ SEND("354 go\r\n250 ok\r\n"), SMTPTLS_E_PROTOCOL },
	{ { .kind = STEP_SEND, .text = long_line, .len = sizeof(long_line) },
	    SMTPTLS_E_LIMIT },
	/* The same without an end. */
	{ { .kind = STEP_SEND,
	      .text = long_line,
	      .len = sizeof(long_line) - 2 },
	    SMTPTLS_E_LIMIT },
	{ { .kind = STEP_SEND,
	      .text = long_reply,
	      .len = sizeof(long_reply) - 100 },
	    SMTPTLS_E_LIMIT },
	{ { .kind = STEP_SEND,
	      .text = many_lines,
	      .len = sizeof(many_lines) - 1 },
	    SMTPTLS_E_LIMIT },
};

/*
 * At the end of data the content has been handed over, and what was meant
 * cannot be known: in doubt. Before it nothing was.
 */
START_TEST(malformed_reply_is_an_error)
{
	const struct malformed *row = &malformed[PAIR_ROW(_i) / PLACES];
	int place = PAIR_ROW(_i) % PLACES;
	bool at_end = place == AT_END_OF_DATA;
	struct step script[STEPS_MAX];
	struct talk talk;

	/* What DATA is answered with is 354: another yes is none. */
	make_long_replies();
	make_ending(script, place, &row->reply);
	talk_begin(&talk, PAIR_MODE(_i), script);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk),
	    at_end ? SMTPTLS_E_IN_DOUBT : row->code, NULL);
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0),
	    at_end ? SMTPTLS_OUTCOME_IN_DOUBT : SMTPTLS_OUTCOME_NOT_TRIED);
	/* The connection is never used again. */
	ck_assert_int_eq(smtptls_client_noop(talk.client), row->code);
	talk_finish(&talk);
}
END_TEST

static const struct step odd_but_good[] = {
	SEND("250\r\n"),
	SEND("250 \r\n"),
	SEND("250-\r\n250-\r\n250\r\n"),
	SEND("250-2.0.0 a\r\n250 2.0.0 b\r\n"),
	SEND("250 gr\xc3\xbc\xc3\x9f Gott\r\n"),
	SEND("250 \xff\xfe\r\n"),
	SEND("250 9.9.9 what\r\n"),
	SEND("250 2.0\r\n"),
	SEND("250 \x1b[2J\x07\x08\r\n"),
};

START_TEST(odd_reply_is_understood)
{
	const struct step *reply = &odd_but_good[PAIR_ROW(_i) / PLACES];
	int place = PAIR_ROW(_i) % PLACES;
	struct step script[STEPS_MAX];
	struct talk talk;
	size_t i;

	if (place == AT_DATA)
		return; /* that one is 354 */
	make_script(script, place, reply, conversation + 2 * place + 1,
	    (size_t)(PLACES - 1 - place) * 2);
	talk_begin(&talk, PAIR_MODE(_i), script);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	for (i = 0; talk.trace[i] != '\0'; i++)
		ck_assert(talk.trace[i] == '\n' ||
		    (unsigned char)talk.trace[i] >= ' ');
	talk_finish(&talk);
}
END_TEST

START_TEST(reply_as_long_as_it_may_be_is_understood)
{
	static char line[8192];
	struct step reply = {
		.kind = STEP_SEND, .text = line, .len = sizeof(line)
	};
	struct step script[STEPS_MAX];
	struct talk talk;

	memset(line, 'x', sizeof(line));
	memcpy(line, "250 ", 4);
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	make_ending(script, AT_END_OF_DATA, &reply);
	talk_begin(&talk, _i, script);
	talk_set_message(&talk);
	ck_assert_ok(talk_send(&talk));
	talk_finish(&talk);
}
END_TEST

/* --- what a terminal must not get --- */

static const struct step hostile_text = SEND(
    "550-5.7.1 \x1b]0;owned\x07\r\n550 \xc2\x9b"
    "2J \xe2\x80\xa8 \x7f\r\n");

START_TEST(control_characters_of_a_reply_reach_nobody)
{
	struct step script[STEPS_MAX];
	const char *text, *places[4];
	struct talk talk;
	int place = ROW(_i), i;

	make_ending(script, place, &hostile_text);
	/* After RCPT the transaction is undone. */
	if (place == AT_RCPT || place == AT_DATA)
		make_script(script, place, &hostile_text,
		    (const struct step[]){
			LINE("RSET"), SEND("250 \x1b[2J\r\n") },
		    2);
	talk_begin(&talk, MODE(_i), script);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_E_REFUSED, NULL);
	places[0] = smtptls_message_error(talk.message);
	places[1] = smtptls_client_error(talk.client);
	places[2] = smtptls_message_reply_text(talk.message, 0);
	places[3] = smtptls_client_reply_text(talk.client);
	for (i = 0; i < 4; i++) {
		for (text = places[i]; *text != '\0'; text++)
			ck_assert((unsigned char)*text >= ' ' && *text != 0x7f);
		ck_assert_ptr_null(strstr(places[i], "\xc2\x9b"));
		ck_assert_ptr_null(strstr(places[i], "\xe2\x80\xa8"));
	}
	ck_assert_ptr_null(strchr(talk.trace, 0x1b));
	ck_assert_ptr_null(strchr(talk.trace, 0x07));
	ck_assert_ptr_nonnull(strstr(talk.trace, "\\x1b"));
	talk_finish(&talk);
}
END_TEST

static const struct step hostile_offer[] = {
	SEND("250-x\r\n250-X\x1b[2J\r\n250 SIZE 10\x07\r\n"),
	END,
};

START_TEST(control_characters_of_an_offer_reach_nobody)
{
	struct talk talk;
	const char *line;
	size_t i;

	talk_begin(&talk, _i, hostile_offer);
	ck_assert_ok(talk_connect(&talk));
	for (i = 0; (line = smtptls_client_capability(talk.client, i)) != NULL;
	     i++) {
		ck_assert_ptr_null(strchr(line, 0x1b));
		ck_assert_ptr_null(strchr(line, 0x07));
	}
	ck_assert_uint_ge(i, 1);
	talk_finish(&talk);
}
END_TEST

/* --- replies before their time, and too many of them --- */

static const struct early {
	enum place place;
	const struct step reply;
} early[] = {
	{ AT_EHLO, SEND("250 x\r\n250 ok\r\n") },
	{ AT_EHLO, SEND("250 x\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n") },
	{ AT_MAIL, SEND("250 ok\r\n250 ok\r\n") },
	{ AT_MAIL, SEND("250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n") },
	{ AT_RCPT, SEND("250 ok\r\n354 go\r\n") },
	{ AT_RCPT, SEND("250 ok\r\n250 ok\r\n") },
	{ AT_DATA, SEND("354 go\r\n354 go\r\n") },
	{ AT_MAIL, SEND("220 ok\r\n") },
	{ AT_MAIL, SEND("221 ok\r\n") },
	{ AT_MAIL, SEND("354 go\r\n") },
	{ AT_MAIL, SEND("235 ok\r\n") },
	{ AT_RCPT, SEND("354 go\r\n") },
	/* Cannot verify (RFC 5321 section 3.5.3): no answer to RCPT. */
	{ AT_RCPT, SEND("252 maybe\r\n") },
	{ AT_DATA, SEND("250 ok\r\n") },
	{ AT_DATA, SEND("334 ok\r\n") },
};

START_TEST(reply_out_of_turn_is_an_error)
{
	const struct early *row = &early[ROW(_i)];
	struct step script[STEPS_MAX];
	struct talk talk;

	make_ending(script, (int)row->place, &row->reply);
	talk_begin(&talk, MODE(_i), script);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_E_PROTOCOL, NULL);
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0),
	    SMTPTLS_OUTCOME_NOT_TRIED);
	talk_finish(&talk);
}
END_TEST

/* What one read takes is no more than a record, and there are more. */
START_TEST(reply_in_a_record_behind_another_is_early)
{
	const struct early *row = &early[ROW(_i)];
	struct step script[STEPS_MAX], reply = row->reply;
	struct talk talk;

	reply.kind = STEP_RECORDS;
	make_ending(script, (int)row->place, &reply);
	talk_begin(&talk, MODE(_i), script);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_E_PROTOCOL, NULL);
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0),
	    SMTPTLS_OUTCOME_NOT_TRIED);
	talk_finish(&talk);
}
END_TEST

static const struct step pushed_welcome[] = {
	{ .kind = STEP_RECORDS,
	    .text = "250-x\r\n250 AUTH PLAIN\r\n235 welcome\r\n",
	    .len = sizeof("250-x\r\n250 AUTH PLAIN\r\n235 welcome\r\n") - 1 },
	END,
};

START_TEST(password_is_not_sent_to_who_has_answered_already)
{
	struct talk talk;

	talk_begin(&talk, _i, pushed_welcome);
	talk_set_credentials(&talk);
	talk_assert_failed(
	    &talk, talk_connect(&talk), SMTPTLS_E_PROTOCOL, "235 welcome");
	talk_finish(&talk);
}
END_TEST

static const struct step three_for_the_end = SEND("354 go\r\n");

START_TEST(intermediate_reply_to_the_end_of_data_is_in_doubt)
{
	struct step script[STEPS_MAX];
	struct talk talk;

	make_ending(script, AT_END_OF_DATA, &three_for_the_end);
	talk_begin(&talk, _i, script);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_E_IN_DOUBT, NULL);
	talk_finish(&talk);
}
END_TEST

static const struct step two_for_the_end = SEND("250 ok\r\n250 ok\r\n");

START_TEST(second_reply_to_the_end_of_data_spoils_the_connection_alone)
{
	struct step script[STEPS_MAX];
	struct talk talk;

	make_ending(script, AT_END_OF_DATA, &two_for_the_end);
	talk_begin(&talk, _i, script);
	talk_set_message(&talk);
	/* Nothing after the final 250 turns success into failure. */
	ck_assert_ok(talk_send(&talk));
	ck_assert_int_eq(smtptls_client_noop(talk.client), SMTPTLS_E_PROTOCOL);
	ck_assert_ok(smtptls_message_status(talk.message));
	talk_finish(&talk);
}
END_TEST

/* --- 421 --- */

static const struct step closing = SEND(
    "421 4.3.2 mx2.example.org takes over\r\n");

START_TEST(closing_is_understood_everywhere)
{
	int place = ROW(_i);
	struct step script[STEPS_MAX];
	struct talk talk;

	make_ending(script, place, &closing);
	talk_begin(&talk, MODE(_i), script);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_E_REFUSED_LATER,
	    "421 4.3.2 mx2.example.org takes over");
	ck_assert_int_eq(
	    smtptls_client_noop(talk.client), SMTPTLS_E_REFUSED_LATER);
	ck_assert_ptr_nonnull(strstr(smtptls_client_error(talk.client), "421"));
	talk_hang_up(&talk);
	ck_assert_int_eq(server_connections(talk.server), 1);
	talk_end(&talk);
}
END_TEST

static const struct step *const closing_greetings[] = {
	(const struct step[]){ SEND("421 busy\r\n"), END },
	(const struct step[]){ STEP(TLS), SEND("421 busy\r\n"), END },
};

START_TEST(closing_is_understood_as_a_greeting)
{
	struct talk talk;

	talk_begin_raw(
	    &talk, _i, closing_greetings[_i < STARTTLS_MODES ? 0 : 1]);
	talk_set_message(&talk);
	talk_assert_failed(
	    &talk, talk_send(&talk), SMTPTLS_E_REFUSED_LATER, "421 busy");
	talk_finish(&talk);
}
END_TEST

static void
wait_for_gate(void *arg)
{
	sem_wait(arg);
}

static sem_t gate;

static const struct step closing_idle[] = {
	SEND("250 mail.example.org\r\n"),
	CALL(wait_for_gate, &gate),
	SEND("421 idle too long\r\n"),
	STEP(BYE),
	END,
};

START_TEST(closing_is_understood_when_nothing_is_going_on)
{
	struct talk talk;
	struct pollfd pfd;

	sem_init(&gate, 0, 0);
	talk_begin(&talk, _i, closing_idle);
	ck_assert_ok(talk_connect(&talk));
	sem_post(&gate);
	ck_assert_uint_eq(smtptls_client_pollfds(talk.client, &pfd, 1), 1);
	ck_assert_int_eq(poll(&pfd, 1, 20000), 1);
	/* Both the reply and the end may be there, or only the reply. */
	ck_assert_int_eq(
	    smtptls_client_drive(talk.client), SMTPTLS_E_REFUSED_LATER);
	ck_assert_ptr_nonnull(
	    strstr(smtptls_client_error(talk.client), "421 idle too long"));
	talk_finish(&talk);
	sem_destroy(&gate);
}
END_TEST

static const struct step ends_idle[] = {
	SEND("250 mail.example.org\r\n"),
	CALL(wait_for_gate, &gate),
	STEP(BYE),
	END,
};

START_TEST(end_of_an_idle_connection_is_noticed)
{
	struct talk talk;
	struct pollfd pfd;

	sem_init(&gate, 0, 0);
	talk_begin(&talk, _i, ends_idle);
	talk_set_message(&talk);
	ck_assert_ok(talk_connect(&talk));
	sem_post(&gate);
	ck_assert_uint_eq(smtptls_client_pollfds(talk.client, &pfd, 1), 1);
	ck_assert_int_eq(poll(&pfd, 1, 20000), 1);
	ck_assert_int_eq(smtptls_client_drive(talk.client), SMTPTLS_E_IO);
	/* It stays, and nothing is sent by it. */
	ck_assert_int_eq(
	    smtptls_client_submit(talk.client, talk.message), SMTPTLS_E_IO);
	ck_assert_int_eq(smtptls_message_status(talk.message), SMTPTLS_AGAIN);
	talk_finish(&talk);
	sem_destroy(&gate);
}
END_TEST

/* --- redirects --- */

static const struct redirect {
	const struct step reply;
	int code;
} redirects[] = {
	{ SEND("251 will forward to <carol@mx2.example.org>\r\n"), SMTPTLS_OK },
	{ SEND("551 try <carol@mx2.example.org>\r\n"), SMTPTLS_E_REFUSED },
};

START_TEST(redirect_is_never_followed)
{
	const struct redirect *row = &redirects[ROW(_i)];
	static const struct step undone[] = {
		LINE("RSET"),
		SEND("250 ok\r\n"),
	};
	struct step script[STEPS_MAX];
	struct talk talk;

	if (row->code == SMTPTLS_OK)
		make_script(script, AT_RCPT, &row->reply, conversation + 5, 4);
	else
		make_script(script, AT_RCPT, &row->reply, undone, 2);
	talk_begin(&talk, MODE(_i), script);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), row->code, NULL);
	ck_assert_uint_eq(smtptls_message_recipients(talk.message), 1);
	talk_hang_up(&talk);
	ck_assert_int_eq(server_connections(talk.server), 1);
	ck_assert(!received_has(server_inside(talk.server), "carol"));
	talk_end(&talk);
}
END_TEST

/* --- QUIT --- */

static const struct step quits[][4] = {
	{ SEND("250 x\r\n"), LINE("QUIT"), SEND("221 bye\r\n") },
	{ SEND("250 x\r\n"), LINE("QUIT"), SEND("500 why\r\n") },
	{ SEND("250 x\r\n"), LINE("QUIT"), STEP(BYE) },
	{ SEND("250 x\r\n"), LINE("QUIT"), STEP(CLOSE) },
	{ SEND("250 x\r\n"), LINE("QUIT"), STEP(RESET) },
	{ SEND("250 x\r\n"), LINE("QUIT"), SEND("what?\r\n") },
};

START_TEST(quit_ends_whatever_is_answered)
{
	struct talk talk;
	int r;

	talk_begin(&talk, MODE(_i), quits[ROW(_i)]);
	ck_assert_ok(talk_connect(&talk));
	r = talk_quit(&talk);
	if (ROW(_i) < 2)
		ck_assert_int_eq(r, SMTPTLS_OK);
	ck_assert_int_lt(smtptls_client_noop(talk.client), 0);
	talk_finish(&talk);
}
END_TEST

/* --- NOOP, RSET --- */

#define NOOP SEND("250 x\r\n"), LINE("NOOP")
#define RSET SEND("250 x\r\n"), LINE("RSET")

static const struct {
	int (*ask)(struct smtptls_client *client);
	const struct step script[5];
	int code;
} asked[] = {
	{ smtptls_client_noop, { NOOP, SEND("250 ok\r\n") }, SMTPTLS_OK },
	{ smtptls_client_noop, { NOOP, SEND("500 what\r\n") },
	    SMTPTLS_E_REFUSED },
	{ smtptls_client_noop, { NOOP, SEND("450 what\r\n") },
	    SMTPTLS_E_REFUSED_LATER },
	{ smtptls_client_noop, { NOOP, SEND("421 bye\r\n") },
	    SMTPTLS_E_REFUSED_LATER },
	{ smtptls_client_noop, { NOOP, SEND("354 go\r\n") },
	    SMTPTLS_E_PROTOCOL },
	{ smtptls_client_noop, { NOOP, STEP(CLOSE) }, SMTPTLS_E_IO },
	{ smtptls_client_reset, { RSET, SEND("250 ok\r\n") }, SMTPTLS_OK },
	{ smtptls_client_reset, { RSET, SEND("354 go\r\n") },
	    SMTPTLS_E_PROTOCOL },
	{ smtptls_client_reset, { RSET, SEND("421 bye\r\n") },
	    SMTPTLS_E_REFUSED_LATER },
	{ smtptls_client_reset, { RSET, STEP(CLOSE) }, SMTPTLS_E_IO },
};

START_TEST(noop_and_reset_are_answered)
{
	struct talk talk;

	talk_begin(&talk, STARTTLS_MODE(_i) * STARTTLS_MODES,
	    asked[STARTTLS_ROW(_i)].script);
	ck_assert_ok(talk_connect(&talk));
	ck_assert_int_eq(asked[STARTTLS_ROW(_i)].ask(talk.client),
	    asked[STARTTLS_ROW(_i)].code);
	talk_finish(&talk);
}
END_TEST

/* --- NOOP between messages --- */

#define CONTENT                                                                \
	PREFIX("MAIL FROM:"), SEND("250 ok\r\n"), PREFIX("RCPT TO:"),          \
	    SEND("250 ok\r\n"), LINE("DATA"), SEND("354 go\r\n"),              \
	    STEP(CONTENT)
#define ASK(reply) LINE("NOOP"), SEND(reply)
#define BYE LINE("QUIT"), SEND("221 bye\r\n")

static const struct step second_message[] = {
	SEND("250 x\r\n"),
	CONTENT,
	SEND("250 queued\r\n"),
	END,
};

static const struct {
	int messages;
	bool says_goodbye;
	const struct step script[24];
	const struct step *next;
	int code;
	const char *sentence;
} asked_between[] = {
	{ 2, false,
	    { SEND("250 x\r\n"), CONTENT, SEND("250 queued\r\n"),
		ASK("250 ok\r\n"), CONTENT, SEND("550 spam\r\n") },
	    NULL, SMTPTLS_OK, "" },
	{ 2, false,
	    { SEND("250 x\r\n"), CONTENT, SEND("250 queued\r\n"),
		ASK("502 what\r\n"), CONTENT, SEND("250 queued\r\n") },
	    NULL, SMTPTLS_E_REFUSED, "NOOP refused: 502 what" },
	{ 1, true,
	    { SEND("250 x\r\n"), CONTENT, SEND("250 queued\r\n"),
		ASK("450 not now\r\n"), BYE },
	    NULL, SMTPTLS_E_REFUSED_LATER, "NOOP refused: 450 not now" },
	{ 1, true,
	    { SEND("250 x\r\n"), CONTENT, SEND("250 queued\r\n"),
		ASK("250 ok\r\n"), BYE },
	    NULL, SMTPTLS_OK, "" },
	/* It is known when another connection has taken its place. */
	{ 2, false,
	    { SEND("250-x\r\n250 LIMITS MAILMAX=1\r\n"), CONTENT,
		SEND("250 queued\r\n"), ASK("502 what\r\n"), BYE },
	    second_message, SMTPTLS_E_REFUSED, "NOOP refused: 502 what" },
	/* The goodbye has left: nobody is asked. */
	{ 0, true, { SEND("250 x\r\n"), BYE }, NULL, SMTPTLS_E_STATE,
	    "the conversation is over" },
};

static void
submit_message(struct talk *talk)
{
	talk_set_message(talk);
	ck_assert_ok(smtptls_client_submit(talk->client, talk->message));
	smtptls_message_free(talk->message);
	talk->message = NULL;
}

START_TEST(noop_has_its_own_answer_and_no_other)
{
	int mode = STARTTLS_MODE(_i) * STARTTLS_MODES, i, r;
	int row = STARTTLS_ROW(_i);
	struct server_options options = { .prologue = talk_prologue(mode),
		.scripts = {
		    asked_between[row].script, asked_between[row].next } };
	struct talk talk;

	talk_begin_with(&talk, mode, mode < STARTTLS_MODES ? "smtp" : "smtps",
	    NULL, &options);
	ck_assert_ok(talk_connect(&talk));
	for (i = 0; i < asked_between[row].messages; i++)
		submit_message(&talk);
	if (asked_between[row].says_goodbye)
		ck_assert_ok(smtptls_client_start_quit(talk.client));
	r = smtptls_client_noop(talk.client);
	ck_assert_int_eq(r, asked_between[row].code);
	ck_assert_str_eq(
	    smtptls_client_error(talk.client), asked_between[row].sentence);
	talk_finish(&talk);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("replies");
	TCase *tc = talk_case(suite, "replies");

	add_in_modes(tc, conversation_without_a_fault_is_accepted);
	talk_add(tc, malformed_reply_is_an_error, COUNT(malformed), PLACES * 2);
	talk_add(tc, odd_reply_is_understood, COUNT(odd_but_good), PLACES * 2);
	add_in_modes(tc, reply_as_long_as_it_may_be_is_understood);
	talk_add(tc, control_characters_of_a_reply_reach_nobody, PLACES, MODES);
	add_in_modes(tc, control_characters_of_an_offer_reach_nobody);
	add_rows_in_modes(tc, reply_out_of_turn_is_an_error, early);
	add_rows_in_modes(tc, reply_in_a_record_behind_another_is_early, early);
	add_in_modes(tc, password_is_not_sent_to_who_has_answered_already);
	add_in_modes(tc, intermediate_reply_to_the_end_of_data_is_in_doubt);
	add_in_modes(
	    tc, second_reply_to_the_end_of_data_spoils_the_connection_alone);
	talk_add(tc, closing_is_understood_everywhere, PLACES, MODES);
	add_in_modes(tc, closing_is_understood_as_a_greeting);
	add_in_modes(tc, closing_is_understood_when_nothing_is_going_on);
	add_in_modes(tc, end_of_an_idle_connection_is_noticed);
	add_rows_in_modes(tc, redirect_is_never_followed, redirects);
	add_rows_in_modes(tc, quit_ends_whatever_is_answered, quits);
	add_rows_in_starttls_modes(tc, noop_and_reset_are_answered, asked);
	add_rows_in_starttls_modes(
	    tc, noop_has_its_own_answer_and_no_other, asked_between);
	return talk_run(suite);
}
