/* SPDX-License-Identifier: MIT */
/* The content of messages that leave together, and the hook before its end. */
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/flights.h"

/* --- where the content comes from --- */

static const enum smtptls_pipelining levels[] = { SMTPTLS_PIPELINING_STANDARD,
	NONE, ONE_FLIGHT, WINDOW };
static const enum source sources[] = { OF_MEMORY, OF_FILE, OF_REWOUND,
	OF_CALLBACK, OF_PIPE };

static const struct step by_data[] = { OFFER(PIPELINING CHUNKING), ENVELOPE,
	SEND(OK OK GO), CONTENT, SEND(OK), END };
static const struct step by_bdat[] = { OFFER(PIPELINING CHUNKING), WHOLE,
	SEND(OK OK OK), END };
static const struct step by_one[] = { OFFER(PIPELINING CHUNKING), MAIL,
	SEND(OK), BOB, SEND(OK), DATA, SEND(GO), CONTENT, SEND(OK), END };

START_TEST(content_of_any_source_arrives_at_every_level)
{
	int row = ROW(_i), level = row / COUNT(sources);
	bool is_exact = row % COUNT(sources) <= OF_FILE;
	struct flight flight = { .level = levels[level], .sent = { SENT_OK } };
	struct flown flown;

	flight.sent[0].source = sources[row % COUNT(sources)];
	if (levels[level] == NONE)
		memcpy(flight.script, by_one, sizeof(by_one));
	else if (levels[level] != SMTPTLS_PIPELINING_STANDARD && is_exact)
		memcpy(flight.script, by_bdat, sizeof(by_bdat));
	else
		memcpy(flight.script, by_data, sizeof(by_data));
	flight_begin(&flown, &flight, MODE(_i));
	flight_send(&flown);
	flight_check(&flown);
	talk_hang_up(&flown.talk);
	ck_assert(received_has(server_inside(flown.talk.server), TALK_CONTENT));
	flight_end(&flown);
}
END_TEST

/* --- what BDAT has on the wire --- */

#define TEXT(t, w)                                                             \
	{                                                                      \
		t, sizeof(t) - 1, w, sizeof(w) - 1                             \
	}
static const struct text {
	const char *text;
	size_t len;
	const char *wire;
	size_t wire_len;
} texts[] = {
	TEXT("a\r\n", "a\r\n"),
	TEXT("a", "a\r\n"),
	TEXT("", ""),
	TEXT("\n", "\r\n"),
	TEXT(".\n", ".\r\n"),
	TEXT("..\r\n.\r\n.a\r\n", "..\r\n.\r\n.a\r\n"),
	TEXT("a\nb\n", "a\r\nb\r\n"),
	TEXT("a\rb\r", "a\r\nb\r\n"),
	TEXT("a\n\rb\r\r\nc", "a\r\n\r\nb\r\n\r\nc\r\n"),
	TEXT("a\r\n.\r\nMAIL FROM:<eve@example.org>",
	    "a\r\n.\r\nMAIL FROM:<eve@example.org>\r\n"),
};

static void
assert_wire(struct talk *talk, const struct text *text)
{
	const struct received *inside = server_inside(talk->server);
	char command[64];
	int n;

	n = snprintf(command, sizeof(command),
	    "RCPT TO:<bob@example.org>\r\nBDAT %zu LAST\r\n", text->wire_len);
	ck_assert_uint_ge(inside->len, (size_t)n + text->wire_len);
	ck_assert_mem_eq(inside->data + inside->len - text->wire_len,
	    text->wire, text->wire_len);
	ck_assert_mem_eq(
	    inside->data + inside->len - text->wire_len - n, command, n);
}

START_TEST(bdat_has_the_content_with_crlf_and_nothing_doubled)
{
	const struct text *text = &texts[ROW(_i)];
	char command[32];
	struct step script[] = { OFFER(PIPELINING CHUNKING), MAIL, BOB,
		{ .kind = STEP_LINE, .text = command }, OCTETS(text->wire_len),
		SEND(OK OK OK), END };
	struct talk talk;

	script[3].len = (size_t)snprintf(
	    command, sizeof(command), "BDAT %zu LAST", text->wire_len);
	talk_begin(&talk, MODE(_i), script);
	ck_assert_ok(smtptls_client_set_pipelining(talk.client, ONE_FLIGHT));
	talk_set_content(&talk, text->text, text->len);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	talk_hang_up(&talk);
	assert_wire(&talk, text);
	talk_end(&talk);
}
END_TEST

#define MEBI (1024 * 1024)
#define LONG_LEN (2 * MEBI + 2 * 4711)

/* Lines of one octet, which is a dot: twice as long on the wire by DATA. */
START_TEST(long_content_goes_in_chunks_of_a_mebibyte)
{
	static const struct step script[] = { OFFER(PIPELINING CHUNKING), MAIL,
		BOB, LINE("BDAT 1048576"), OCTETS(MEBI), LINE("BDAT 1048576"),
		OCTETS(MEBI), LINE("BDAT 9422 LAST"), OCTETS(9422),
		SEND(OK OK OK OK OK), END };
	static char content[LONG_LEN / 2];
	const struct received *inside;
	struct talk talk;
	size_t i;

	memset(content, '\n', sizeof(content));
	talk_begin(&talk, _i, script);
	ck_assert_ok(smtptls_client_set_pipelining(talk.client, WINDOW));
	talk_set_content(&talk, content, sizeof(content));
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	talk_hang_up(&talk);
	inside = server_inside(talk.server);
	ck_assert_uint_gt(inside->len, LONG_LEN);
	for (i = inside->len - 9422; i < inside->len; i += 2)
		ck_assert_mem_eq(inside->data + i, "\r\n", 2);
	talk_end(&talk);
}
END_TEST

/* --- the hook --- */

static struct hooked {
	sem_t seen; /* by the server: all in front of the last octet */
	int calls, gives_up_at;
} hooked;

static void
all_but_the_end_is_here(void *arg)
{
	(void)arg;
	sem_post(&hooked.seen);
}

/* Waits until the server has it all but for the end, then a little more. */
static int
wait_for_server(struct smtptls_message *message, void *arg)
{
	(void)message;
	(void)arg;
	if (hooked.calls == 0 && sem_trywait(&hooked.seen) < 0)
		return SMTPTLS_AGAIN;
	if (++hooked.calls == hooked.gives_up_at)
		return SMTPTLS_E_SOURCE;
	return hooked.calls < 3 ? SMTPTLS_AGAIN : SMTPTLS_OK;
}

static const struct hook_row {
	enum smtptls_pipelining level;
	struct step script[16];
	size_t up_to_end; /* steps, up to the call */
	const char *before, *end;
} hook_rows[] = {
	{ SMTPTLS_PIPELINING_STANDARD,
	    { OFFER(PIPELINING), ENVELOPE, SEND(OK OK GO), OCTETS(44),
		CALL(all_but_the_end_is_here, NULL), LINE("."), SEND(OK) },
	    7, "\r\n" TALK_CONTENT, "\r\n.\r\n" },
	{ NONE,
	    { OFFER(PIPELINING), MAIL, SEND(OK), BOB, SEND(OK), DATA, SEND(GO),
		OCTETS(44), CALL(all_but_the_end_is_here, NULL), LINE("."),
		SEND(OK) },
	    9, "\r\n" TALK_CONTENT, "\r\n.\r\n" },
	{ ONE_FLIGHT,
	    { OFFER(PIPELINING CHUNKING), MAIL, BOB, LINE("BDAT 44 LAST"),
		OCTETS(43), CALL(all_but_the_end_is_here, NULL), OCTETS(1),
		SEND(OK OK OK) },
	    6, TALK_SECRET "\r", TALK_SECRET "\r\n" },
	{ WINDOW,
	    { OFFER(PIPELINING CHUNKING), MAIL, BOB, LINE("BDAT 44 LAST"),
		OCTETS(43), CALL(all_but_the_end_is_here, NULL), OCTETS(1),
		SEND(OK OK OK) },
	    6, TALK_SECRET "\r", TALK_SECRET "\r\n" },
	{ SMTPTLS_PIPELINING_STANDARD,
	    { OFFER(CHUNKING), MAIL, SEND(OK), BOB, SEND(OK),
		LINE("BDAT 44 LAST"), OCTETS(43),
		CALL(all_but_the_end_is_here, NULL), OCTETS(1), SEND(OK) },
	    8, TALK_SECRET "\r", TALK_SECRET "\r\n" },
};

static void
begin_hooked(struct talk *talk, int i, const struct step *script, int gives_up)
{
	sem_init(&hooked.seen, 0, 0);
	hooked.calls = 0;
	hooked.gives_up_at = gives_up;
	talk_begin(talk, MODE(i), script);
	ck_assert_ok(smtptls_client_set_pipelining(
	    talk->client, hook_rows[ROW(i)].level));
	talk_set_message(talk);
	ck_assert_ok(smtptls_message_set_before_end(
	    talk->message, wait_for_server, NULL));
}

START_TEST(hook_has_all_the_time_it_wants)
{
	struct talk talk;

	begin_hooked(&talk, _i, hook_rows[ROW(_i)].script, 0);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_int_eq(hooked.calls, 3);
	talk_finish(&talk);
	sem_destroy(&hooked.seen);
}
END_TEST

START_TEST(hook_gives_up_before_the_last_octet_has_left)
{
	const struct hook_row *row = &hook_rows[ROW(_i)];
	struct step script[16] = { 0 };
	struct talk talk;

	memcpy(script, row->script, row->up_to_end * sizeof(*script));
	begin_hooked(&talk, _i, script, 2);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_E_SOURCE,
	    "given up before the end of data");
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0), NOT_TRIED);
	talk_hang_up(&talk);
	ck_assert(received_has(server_inside(talk.server), row->before));
	ck_assert(!received_has(server_inside(talk.server), row->end));
	talk_end(&talk);
	sem_destroy(&hooked.seen);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pipelining content");
	TCase *tc = talk_case(suite, "pipelining content");

	talk_add(tc, content_of_any_source_arrives_at_every_level,
	    COUNT(levels) * COUNT(sources), MODES);
	add_rows_in_modes(
	    tc, bdat_has_the_content_with_crlf_and_nothing_doubled, texts);
	add_in_modes(tc, long_content_goes_in_chunks_of_a_mebibyte);
	add_rows_in_modes(tc, hook_has_all_the_time_it_wants, hook_rows);
	add_rows_in_modes(
	    tc, hook_gives_up_before_the_last_octet_has_left, hook_rows);
	return talk_run(suite);
}
