/* SPDX-License-Identifier: MIT */
/* Callbacks that do what they must not, and memory that runs out above them. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/deadline.h"
#include "client/own-io.h"

#define SHORT_MS talk_ms(200)

static const struct madness {
	long read_result, write_result;
	const char *sentence;
} madnesses[] = {
	{ LONG_MAX, 0, "reading from the server: Input/output error" },
	{ 16385, 0, "reading from the server: Input/output error" },
	{ LONG_MIN, 0, "reading from the server: Input/output error" },
	{ -ECONNRESET, 0, "reading from the server: Connection reset" },
	{ 0, LONG_MAX, "writing to the server: Input/output error" },
	{ 0, LONG_MIN, "writing to the server: Input/output error" },
	{ 0, -EPIPE, "writing to the server: Broken pipe" },
};

/* In clear, and in a handshake, which has words of its own. */
START_TEST(callback_that_claims_too_much_is_an_error)
{
	static const struct step script[] = { SEND("220 x ESMTP\r\n"),
		STEP(SWALLOW), END };
	const struct madness *row = &madnesses[ROW(_i)];
	int mode = MODE(_i);
	struct talk talk;

	talk_begin_raw(
	    &talk, mode, mode < STARTTLS_MODES ? script : own_nothing);
	own_give_callbacks(&talk, NO_FAULT);
	own_io.read_result = row->read_result;
	own_io.write_result = row->write_result;
	talk_assert_failed(&talk, talk_connect(&talk), SMTPTLS_E_IO,
	    mode < STARTTLS_MODES ? row->sentence : NULL);
	own_close(&talk);
	talk_finish(&talk);
}
END_TEST

/* Nothing comes, or nothing goes: ten times in the time there is, or so. */
START_TEST(call_that_waits_for_callbacks_does_not_spin)
{
	static const struct step script[] = { SEND("220 x ESMTP\r\n"),
		STEP(SWALLOW), END };
	struct talk talk;
	int64_t before;

	talk_begin_raw(&talk, STARTTLS_BLOCKING, script);
	own_give_callbacks(&talk, NO_FAULT);
	own_io.read_result = _i == 0 ? -EAGAIN : 0;
	own_io.write_result = _i == 0 ? 0 : -1;
	ck_assert_ok(smtptls_client_set_timeout_ms(
	    talk.client, SMTPTLS_PHASE_GREETING, SHORT_MS));
	ck_assert_ok(smtptls_client_set_timeout_ms(
	    talk.client, SMTPTLS_PHASE_COMMAND, SHORT_MS));
	before = stls_now_ms();
	talk_assert_failed(&talk, talk_connect(&talk), SMTPTLS_E_TIMEOUT, NULL);
	ck_assert_int_ge(stls_now_ms() - before, SHORT_MS);
	ck_assert_int_le(own_io.reads + own_io.writes, 4 * SHORT_MS / 20);
	ck_assert_int_ge(own_io.reads, 3);
	own_close(&talk);
	talk_finish(&talk);
}
END_TEST

START_TEST(connection_that_breaks_at_any_callback_is_told_honestly)
{
	enum way_to_fail fault = _i / 2 == 0 ? BROKEN_READ : BROKEN_WRITE;
	enum smtptls_outcome outcome;
	bool has_failed = true;
	struct talk talk;
	int r, n;

	for (n = 1; has_failed; n++) {
		ck_assert_int_lt(n, FAULTS_MAX);
		talk_begin(&talk, LOOP_MODE(_i), own_whole);
		own_give_callbacks(&talk, fault);
		own_io.n = n;
		talk_set_credentials(&talk);
		talk_set_message(&talk);
		r = talk_send(&talk);
		if (r == SMTPTLS_OK)
			(void)talk_quit(&talk);
		has_failed = own_io.has_failed;
		ck_assert(has_failed || r == SMTPTLS_OK);
		own_close(&talk);
		talk_hang_up_early(&talk);
		outcome = smtptls_message_outcome(talk.message, 0);
		if (outcome == SMTPTLS_OUTCOME_ACCEPTED)
			ck_assert_uint_gt(server_contents(talk.server), 0);
		else if (outcome == SMTPTLS_OUTCOME_NOT_TRIED)
			ck_assert_uint_eq(server_contents(talk.server), 0);
		else
			ck_assert_int_eq(outcome, SMTPTLS_OUTCOME_IN_DOUBT);
		talk_end(&talk);
	}
}
END_TEST

/* No line of it begins with a dot, so it fills two pieces to the octet. */
static char two_pieces[2 * 16384];

static int
see_nothing_failed(struct smtptls_message *message, void *arg)
{
	bool *was_called = arg;

	(void)message;
	ck_assert(!own_io.has_failed);
	*was_called = true;
	return SMTPTLS_OK;
}

/* What was gathered leaves before the hook; that may be what breaks. */
START_TEST(hook_is_not_called_where_the_content_did_not_leave)
{
	bool has_failed = true, was_called = false;
	struct talk talk;
	size_t i;
	int n;

	for (i = 0; i < sizeof(two_pieces); i++)
		two_pieces[i] = "0123456789abcdef012345678901\r\n"[i % 30];
	memcpy(two_pieces + sizeof(two_pieces) - 2, "\r\n", 2);
	for (n = 1; has_failed; n++) {
		ck_assert_int_lt(n, FAULTS_MAX);
		talk_begin(&talk, LOOP_MODE(_i), own_whole);
		own_give_callbacks(&talk, BROKEN_WRITE);
		own_io.n = n;
		talk_set_credentials(&talk);
		talk_set_message(&talk);
		ck_assert_ok(smtptls_message_set_body_mem(
		    talk.message, two_pieces, sizeof(two_pieces)));
		was_called = false;
		ck_assert_ok(smtptls_message_set_before_end(
		    talk.message, see_nothing_failed, &was_called));
		if (talk_send(&talk) == SMTPTLS_OK)
			(void)talk_quit(&talk);
		has_failed = own_io.has_failed;
		own_close(&talk);
		talk_hang_up_early(&talk);
		talk_end(&talk);
	}
	ck_assert(was_called);
}
END_TEST

/* All of it, over a descriptor or callbacks; the first failure is told. */
static int
run_with_little_memory(struct talk *talk, bool by_callbacks, int *fd)
{
	int r;

	r = smtptls_client_new(talk->url, world.context, &talk->client);
	if (r < 0)
		return r;
	if (by_callbacks)
		r = smtptls_client_set_callbacks(
		    talk->client, own_read, own_write, &own_io);
	else
		r = smtptls_client_set_fd(talk->client, *fd);
	if (r < 0)
		return r;
	if (!by_callbacks)
		*fd = -1;
	r = smtptls_client_set_credentials(
	    talk->client, TALK_USER, TALK_PASSWORD);
	if (r == SMTPTLS_OK)
		r = talk_send(talk);
	if (r == SMTPTLS_OK)
		r = talk_quit(talk);
	return r;
}

START_TEST(memory_that_runs_out_leaves_no_descriptor)
{
	bool by_callbacks = _i / 2 != 0, has_failed = true;
	struct talk talk;
	unsigned long n;
	int r, fd;

	for (n = 1; has_failed; n++) {
		ck_assert_uint_lt(n, FAULTS_MAX);
		talk_begin(&talk, LOOP_MODE(_i), own_whole);
		talk_set_message(&talk);
		smtptls_client_free(talk.client);
		talk.client = NULL;
		memset(&own_io, 0, sizeof(own_io));
		fd = own_io.fd = own_open(&talk);
		talk.callback_fd = by_callbacks ? own_io.fd : 0;
		stls_alloc_fail_at(n);
		r = run_with_little_memory(&talk, by_callbacks, &fd);
		has_failed = stls_alloc_has_failed();
		stls_alloc_fail_at(0);
		ck_assert(has_failed || r == SMTPTLS_OK);
		ck_assert_msg(r == SMTPTLS_OK || r == SMTPTLS_E_NOMEM ||
			r == SMTPTLS_E_IN_DOUBT,
		    "%lu: %d", n, r);
		if (fd >= 0)
			ck_assert_ok(close(fd));
		talk_hang_up_early(&talk);
		talk_end(&talk);
	}
	ck_assert_uint_gt(n, 10);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("callbacks faults");
	TCase *tc = talk_case(suite, "callbacks faults");

	add_rows_in_modes(
	    tc, callback_that_claims_too_much_is_an_error, madnesses);
	tcase_add_loop_test(
	    tc, call_that_waits_for_callbacks_does_not_spin, 0, 2);
	tcase_add_loop_test(
	    tc, connection_that_breaks_at_any_callback_is_told_honestly, 0, 4);
	tcase_add_loop_test(
	    tc, hook_is_not_called_where_the_content_did_not_leave, 0, 2);
	tcase_add_loop_test(
	    tc, memory_that_runs_out_leaves_no_descriptor, 0, 4);
	return talk_run(suite);
}
