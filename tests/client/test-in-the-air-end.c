/* SPDX-License-Identifier: MIT */
/* What is in the air when the program has enough of it. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/flights.h"

/* --- the program has enough of it --- */

#define FLOOD 10

static struct smtptls_client *to_cancel;

static void
cancel(void *arg)
{
	(void)arg;
	smtptls_client_cancel(to_cancel);
}

static const struct enough {
	int status;
	struct step script[6];
} enough[] = {
	{ SMTPTLS_E_CANCELLED,
	    { OFFER(PIPELINING CHUNKING), OCTETS(20000), CALL(cancel, NULL),
		STEP(STALL), STEP(SWALLOW) } },
	{ SMTPTLS_E_TIMEOUT,
	    { OFFER(PIPELINING CHUNKING), OCTETS(20000), STEP(STALL),
		STEP(SWALLOW) } },
};

/* What left to its end comes first, then what did not, and what never began. */
static void
assert_cut(struct smtptls_message **messages, int status)
{
	bool is_cut = false;
	int i, r;

	for (i = 0; i < FLOOD; i++) {
		r = smtptls_message_status(messages[i]);
		ck_assert_msg(r == status || r == SMTPTLS_E_IN_DOUBT, "%d", r);
		ck_assert(!is_cut || r == status);
		is_cut = r == status;
		ck_assert_int_eq(smtptls_message_outcome(messages[i], 0),
		    is_cut ? NOT_TRIED : IN_DOUBT);
	}
	ck_assert(is_cut);
}

START_TEST(window_that_flows_can_be_cut_anywhere)
{
	const struct enough *row = &enough[ROW(_i)];
	struct smtptls_message *messages[FLOOD], *done;
	static char content[200 * 1024];
	struct talk talk;
	int i;

	/* An event loop looks at the flag when it drives. */
	if (row->status == SMTPTLS_E_CANCELLED && MODE(_i) % 2 != 0)
		return;
	memset(content, '\n', sizeof(content));
	talk_begin(&talk, MODE(_i), row->script);
	to_cancel = talk.client;
	ck_assert_ok(smtptls_client_set_pipelining(talk.client, WINDOW));
	ck_assert_ok(talk_connect(&talk));
	if (row->status == SMTPTLS_E_TIMEOUT)
		ck_assert_ok(
		    smtptls_client_set_deadline_ms(talk.client, talk_ms(200)));
	for (i = 0; i < FLOOD; i++) {
		talk_set_content(&talk, content, sizeof(content));
		messages[i] = talk.message;
		talk.message = NULL;
		if (i + 1 < FLOOD || MODE(_i) % 2 != 0)
			ck_assert_ok(
			    smtptls_client_submit(talk.client, messages[i]));
	}
	if (MODE(_i) % 2 != 0)
		ck_assert_int_eq(talk_drive(&talk), row->status);
	else
		ck_assert_int_eq(
		    smtptls_client_send(talk.client, messages[FLOOD - 1]),
		    row->status);
	assert_cut(messages, row->status);
	while ((done = smtptls_client_next_done(talk.client)) != NULL)
		smtptls_message_free(done);
	for (i = 0; i < FLOOD; i++)
		smtptls_message_free(messages[i]);
	talk_finish(&talk);
}
END_TEST

/* --- between two connections --- */

#define ONE_MAIL                                                               \
	OFFER(PIPELINING "250-LIMITS MAILMAX=1\r\n"), ENVELOPE,                \
	    SEND(OK OK GO), CONTENT, QUIT, SEND(OK "221 bye\r\n")

static const struct flight two_connections = {
	.script = { ONE_MAIL },
	.sent = { SENT_OK, SENT_ONE(SMTPTLS_E_CANCELLED, NOT_TRIED, 0) },
	.end = SMTPTLS_E_CANCELLED,
};
static const struct step never_greets[] = { CALL(cancel, NULL), STEP(STALL),
	STEP(SWALLOW), END };
static const struct step stalls[] = { STEP(STALL), STEP(SWALLOW), END };

/* The second connection has no prologue, so that nothing ever comes. */
static struct flown *
begin_two(int mode, const struct step *next)
{
	static struct step script[SCRIPT_MAX];
	static struct flown flown;
	const struct step *prologue = talk_prologue(mode);
	struct server_options options = { .scripts = { script, next } };
	size_t n = 0;

	while (prologue[n].kind != STEP_END) {
		script[n] = prologue[n];
		n++;
	}
	memcpy(script + n, two_connections.script,
	    sizeof(script) - n * sizeof(*script));
	flight_begin_with(&flown, &two_connections, mode, &options);
	to_cancel = flown.talk.client;
	return &flown;
}

START_TEST(it_can_be_cancelled_on_the_way_to_the_next_connection)
{
	struct flown *flown = begin_two(
	    _i == 0 ? STARTTLS_BLOCKING : IMPLICIT_BLOCKING, never_greets);

	flight_send(flown);
	flight_check(flown);
	flight_end(flown);
}
END_TEST

/* Until the first message is done and the second one has to wait. */
static void
drive_to_second(struct flown *flown)
{
	struct smtptls_client *client = flown->talk.client;
	struct pollfd fds[8];
	size_t n;

	ck_assert_ok(smtptls_client_start(client));
	ck_assert_ok(smtptls_client_submit(client, flown->messages[0]));
	ck_assert_ok(smtptls_client_submit(client, flown->messages[1]));
	do {
		ck_assert_int_eq(smtptls_client_drive(client), SMTPTLS_AGAIN);
		n = smtptls_client_pollfds(client, fds, 8);
		if (smtptls_message_status(flown->messages[0]) == SMTPTLS_OK &&
		    (strcmp(smtptls_client_step(client), "greeting") == 0 ||
			strcmp(smtptls_client_step(client), "TLS") == 0))
			return;
		ck_assert_int_ge(
		    poll(fds, (nfds_t)n, smtptls_client_timeout_ms(client)), 0);
	} while (true);
}

static void
assert_second(struct flown *flown, int status)
{
	ck_assert_ok(smtptls_message_status(flown->messages[0]));
	ck_assert_int_eq(smtptls_message_status(flown->messages[1]), status);
	ck_assert_int_eq(
	    smtptls_message_outcome(flown->messages[1], 0), NOT_TRIED);
	ck_assert_str_ne(smtptls_message_error(flown->messages[1]), "");
}

START_TEST(deadline_holds_on_the_way_to_the_next_connection)
{
	struct flown *flown = begin_two(
	    _i == 0 ? STARTTLS_LOOP : IMPLICIT_LOOP, stalls);
	struct smtptls_client *client = flown->talk.client;
	struct smtptls_message *done;

	drive_to_second(flown);
	ck_assert_ok(smtptls_client_set_deadline_ms(client, 50));
	ck_assert_int_eq(talk_drive(&flown->talk), SMTPTLS_E_TIMEOUT);
	assert_second(flown, SMTPTLS_E_TIMEOUT);
	while ((done = smtptls_client_next_done(client)) != NULL)
		smtptls_message_free(done);
	flight_end(flown);
}
END_TEST

START_TEST(client_can_be_freed_on_the_way_to_the_next_connection)
{
	struct flown *flown = begin_two(
	    _i == 0 ? STARTTLS_LOOP : IMPLICIT_LOOP, stalls);

	drive_to_second(flown);
	smtptls_client_free(flown->talk.client);
	flown->talk.client = NULL;
	assert_second(flown, SMTPTLS_E_CANCELLED);
	flight_end(flown);
}
END_TEST

static void
remove_socket(void *arg)
{
	ck_assert_int_eq(unlink(arg), 0);
}

START_TEST(next_connection_that_is_refused_fails_who_waits)
{
	char dir[] = "/tmp/smtptls-test-XXXXXX", path[64];
	struct server_options options = { .prologue = talk_prologue(_i),
		.unix_path = path };
	struct flight flight = two_connections;
	struct flown flown;
	size_t n = 0;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	flight.end = flight.sent[1].status = SMTPTLS_E_CONNECT;
	while (flight.script[n].kind != STEP_LINE)
		n++;
	memmove(flight.script + n + 1, flight.script + n,
	    (SCRIPT_MAX - n - 1) * sizeof(struct step));
	flight.script[n] = (struct step)CALL(remove_socket, path);
	options.scripts[0] = flight.script;
	flight_begin_with(&flown, &flight, _i, &options);
	flight_send(&flown);
	flight_check(&flown);
	flight_end(&flown);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

/* --- freeing, after each step --- */

static const struct step goes_on[] = {
	OFFER(PIPELINING "250-LIMITS MAILMAX=2\r\n"),
	ENVELOPE,
	SEND(OK OK GO),
	CONTENT,
	SEND(OK),
	END,
};

static const struct flight freed[] = {
	{ .script = { OFFER(PIPELINING "250-LIMITS MAILMAX=2\r\n"), ENVELOPE,
	      SEND(OK OK GO), CONTENT, ENVELOPE, SEND(OK OK OK GO), CONTENT,
	      QUIT, SEND(OK "221 bye\r\n") },
	    .next = goes_on,
	    .sent = { SENT_OK, SENT_OK, SENT_OK } },
	{ .script = { OFFER(PIPELINING CHUNKING), WHOLE, WHOLE, WHOLE,
	      SEND(OK OK OK OK), SEND("550 who\r\n503 no\r\n" OK OK OK), RSET,
	      SEND(OK) },
	    .level = WINDOW,
	    .sent = { SENT_OK, SENT_ONE(SMTPTLS_E_REFUSED, REFUSED, 550),
		SENT_OK } },
};

/* Drive so many times; false: it was over before. */
static bool
drive_times(struct flown *flown, int times)
{
	struct smtptls_client *client = flown->talk.client;
	struct pollfd fds[8];
	size_t n, i;

	ck_assert_ok(smtptls_client_start(client));
	for (i = 0; i < flown->count; i++)
		ck_assert_ok(smtptls_client_submit(client, flown->messages[i]));
	for (; times > 0; times--) {
		if (smtptls_client_drive(client) != SMTPTLS_AGAIN)
			return false;
		n = smtptls_client_pollfds(client, fds, 8);
		ck_assert_int_ge(
		    poll(fds, (nfds_t)n, smtptls_client_timeout_ms(client)), 0);
	}
	return true;
}

/* True: it was over before. */
static bool
free_after(const struct flight *flight, int mode, int times)
{
	struct flown flown;
	bool is_over;
	size_t i;
	int r;

	flight_begin(&flown, flight, mode);
	is_over = !drive_times(&flown, times);
	talk_hang_up_early(&flown.talk);
	for (i = 0; i < flown.count; i++) {
		r = smtptls_message_status(flown.messages[i]);
		ck_assert(r == SMTPTLS_E_CANCELLED || r == SMTPTLS_E_IN_DOUBT ||
		    r == flight->sent[i].status);
		ck_assert(!is_over || r == flight->sent[i].status);
		smtptls_message_free(flown.messages[i]);
	}
	talk_end(&flown.talk);
	return is_over;
}

START_TEST(freeing_after_each_step_leaves_an_outcome)
{
	const struct flight *flight = &freed[_i / 2];
	int mode = _i % 2 == 0 ? STARTTLS_LOOP : IMPLICIT_LOOP, times = 0;

	while (!free_after(flight, mode, times))
		times += (int)test_step();
	ck_assert_int_gt(times, 3);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("in-the-air-end");
	TCase *tc = talk_case(suite, "in-the-air-end");

	add_rows_in_modes(tc, window_that_flows_can_be_cut_anywhere, enough);
	tcase_add_loop_test(
	    tc, it_can_be_cancelled_on_the_way_to_the_next_connection, 0, 2);
	tcase_add_loop_test(
	    tc, deadline_holds_on_the_way_to_the_next_connection, 0, 2);
	tcase_add_loop_test(
	    tc, client_can_be_freed_on_the_way_to_the_next_connection, 0, 2);
	add_in_modes(tc, next_connection_that_is_refused_fails_who_waits);
	tcase_add_loop_test(
	    tc, freeing_after_each_step_leaves_an_outcome, 0, 2 * COUNT(freed));
	return talk_run(suite);
}
