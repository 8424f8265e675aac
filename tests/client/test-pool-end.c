/* SPDX-License-Identifier: MIT */
/* When a pool gives up waiting, and how it ends. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "client/pool-bench.h"

/* How long free and tidy may take at most. */
#define MOMENT_MS 500

START_TEST(message_waits_for_a_connection_so_long)
{
	struct smtptls_message *message = bench_message(TALK_CONTENT);
	struct bench bench;
	struct slow slow;

	bench_begin(&bench, two_messages, NULL);
	ck_assert_ok(smtptls_pool_set_connections_max(bench.pool, 1));
	ck_assert_ok(smtptls_pool_set_wait_ms(bench.pool, 50));
	slow_start(&slow, &bench);
	ck_assert_int_eq(bench_send(&bench, message), SMTPTLS_E_TIMEOUT);
	ck_assert_str_eq(smtptls_message_error(message),
	    "no connection of the pool became free in time (all 1 are in use)");
	ck_assert_int_eq(
	    smtptls_message_outcome(message, 0), SMTPTLS_OUTCOME_NOT_TRIED);
	ck_assert_ok(slow_finish(&slow));
	ck_assert_ok(bench_send(&bench, message));
	bench_finish(&bench);
	smtptls_message_free(message);
}
END_TEST

START_TEST(message_that_waits_is_sent_when_a_connection_is_free)
{
	struct bench bench;
	struct slow slow;
	struct sender sender;

	bench_begin(&bench, two_messages, NULL);
	ck_assert_ok(smtptls_pool_set_connections_max(bench.pool, 1));
	slow_start(&slow, &bench);
	sender = (struct sender){ .bench = &bench, .count = 1 };
	ck_assert_int_eq(
	    pthread_create(&sender.thread, NULL, sender_run, &sender), 0);
	ck_assert_ok(slow_finish(&slow));
	ck_assert_int_eq(pthread_join(sender.thread, NULL), 0);
	ck_assert_int_eq(sender.failures, 0);
	bench_finish(&bench);
}
END_TEST

static const struct step stalls[] = { GREETED, STEP(STALL), END };

START_TEST(message_has_a_deadline)
{
	struct smtptls_message *message = bench_message(TALK_CONTENT);
	struct bench bench;

	bench_begin(&bench, stalls, NULL);
	ck_assert_ok(smtptls_pool_set_deadline_ms(bench.pool, talk_ms(300)));
	ck_assert_int_eq(bench_send(&bench, message), SMTPTLS_E_TIMEOUT);
	ck_assert_ptr_nonnull(
	    strstr(smtptls_message_error(message), "deadline"));
	smtptls_pool_free(bench.pool);
	bench.pool = NULL;
	(void)server_finish(bench.server);
	server_free(bench.server);
	smtptls_message_free(message);
}
END_TEST

static const struct step stalls_later[] = { GREETED, MESSAGE, STEP(STALL),
	END };

START_TEST(second_connection_has_no_deadline_of_its_own)
{
	struct smtptls_message *message = bench_message(TALK_CONTENT);
	struct bench bench;

	bench_begin(&bench, stalls_later, NULL);
	ck_assert_ok(smtptls_pool_set_deadline_ms(bench.pool, talk_ms(500)));
	bench_send_well(&bench);
	ck_assert_int_eq(bench_send(&bench, message), SMTPTLS_E_TIMEOUT);
	ck_assert_int_eq(atomic_load(&bench.clients), 1);
	smtptls_pool_free(bench.pool);
	(void)server_finish(bench.server);
	server_free(bench.server);
	smtptls_message_free(message);
}
END_TEST

static int
set_up_for_long(struct smtptls_client *client, void *arg)
{
	bench_let_pass(60);
	return bench_set_up(client, arg);
}

START_TEST(deadline_that_has_passed_is_not_forgotten)
{
	struct smtptls_message *message = bench_message(TALK_CONTENT);
	struct bench bench;

	bench_begin_with(&bench,
	    (struct server_options){ .scripts = { serves }, .repeats = true });
	ck_assert_ok(
	    smtptls_pool_set_setup(bench.pool, set_up_for_long, &bench));
	ck_assert_ok(smtptls_pool_set_deadline_ms(bench.pool, 50));
	ck_assert_int_eq(bench_send(&bench, message), SMTPTLS_E_TIMEOUT);
	smtptls_pool_free(bench.pool);
	(void)server_finish(bench.server);
	server_free(bench.server);
	smtptls_message_free(message);
}
END_TEST

/* One script ends in QUIT, so the server tells where there is none. */
START_TEST(goodbye_is_said_after_the_deadline_of_the_message)
{
	struct bench bench;

	bench_begin(&bench, one_message, NULL);
	ck_assert_ok(smtptls_pool_set_deadline_ms(bench.pool, talk_ms(1000)));
	bench_send_well(&bench);
	bench_let_pass(talk_ms(1000));
	bench_finish(&bench);
}
END_TEST

START_TEST(server_that_is_down_is_told_by_the_message)
{
	struct smtptls_message *message = bench_message(TALK_CONTENT);
	struct bench bench;

	bench_begin(&bench, NULL, NULL);
	server_free(bench.server);
	bench.server = NULL;
	ck_assert_int_eq(bench_send(&bench, message), SMTPTLS_E_CONNECT);
	ck_assert_ptr_nonnull(
	    strstr(smtptls_message_error(message), "refused"));
	ck_assert_int_eq(
	    smtptls_message_outcome(message, 0), SMTPTLS_OUTCOME_NOT_TRIED);
	ck_assert_str_ne(smtptls_message_reply_text(message, 0), "");
	/* The pool goes on. */
	ck_assert_str_eq(smtptls_pool_error(bench.pool), "");
	ck_assert_int_eq(bench_send(&bench, message), SMTPTLS_E_CONNECT);
	ck_assert_int_eq(atomic_load(&bench.clients), 2);
	smtptls_pool_free(bench.pool);
	smtptls_message_free(message);
	ck_assert_int_eq(test_count_fds(), bench.fds);
}
END_TEST

static const struct step does_not_part[] = { GREETED, MESSAGE, STEP(SWALLOW),
	END };

START_TEST(farewell_is_short)
{
	struct bench bench;
	stls_deadline before;

	bench_begin(&bench, does_not_part, NULL);
	bench_send_well(&bench);
	before = stls_now_ms();
	bench_finish(&bench);
	ck_assert_int_lt(stls_now_ms() - before, talk_ms(MOMENT_MS + 4000));
	ck_assert_int_eq(atomic_load(&bench.clients), 1);
}
END_TEST

/* A message whose time is short has most of it for the next connection. */
START_TEST(farewell_of_a_connection_past_its_time_is_a_part_of_the_deadline)
{
	struct bench bench;

	bench_begin(&bench, does_not_part, one_message);
	ck_assert_ok(smtptls_pool_set_idle_ms(bench.pool, talk_ms(200)));
	/* Less than a farewell may take. */
	ck_assert_ok(smtptls_pool_set_deadline_ms(bench.pool, talk_ms(480)));
	bench_send_well(&bench);
	bench_let_pass(talk_ms(200));
	bench_send_well(&bench);
	bench_finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.clients), 2);
}
END_TEST

static const struct step swallows_content[] = { GREETED, MESSAGE, ENVELOPE,
	STEP(SWALLOW), END };

/* A message in mid content, one that waits, and one that comes later. */
START_TEST(cancelling_ends_everything)
{
	struct smtptls_message *message = bench_message(TALK_CONTENT);
	struct sender waiting;
	struct bench bench;
	stls_deadline before;
	struct slow slow;

	bench_begin(&bench, swallows_content, NULL);
	ck_assert_ok(smtptls_pool_set_connections_max(bench.pool, 1));
	bench_send_well(&bench);
	slow_start(&slow, &bench);
	waiting = (struct sender){ .bench = &bench, .count = 1 };
	before = stls_now_ms();
	ck_assert_int_eq(
	    pthread_create(&waiting.thread, NULL, sender_run, &waiting), 0);
	smtptls_pool_cancel(bench.pool);
	ck_assert_int_eq(pthread_join(waiting.thread, NULL), 0);
	ck_assert_int_eq(waiting.last, SMTPTLS_E_CANCELLED);
	ck_assert_int_lt(stls_now_ms() - before, talk_ms(LONG_MS) / 2);
	ck_assert_int_eq(slow_finish(&slow), SMTPTLS_E_CANCELLED);
	ck_assert_int_eq(bench_send(&bench, message), SMTPTLS_E_CANCELLED);
	bench_finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.mails), 2);
	smtptls_message_free(message);
}
END_TEST

START_TEST(cancelled_pool_uses_no_idle_connection)
{
	struct smtptls_message *message = bench_message(TALK_CONTENT);
	struct bench bench;

	bench_begin(&bench, does_not_part, NULL);
	bench_send_well(&bench);
	smtptls_pool_cancel(bench.pool);
	ck_assert_int_eq(bench_send(&bench, message), SMTPTLS_E_CANCELLED);
	bench_finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.mails), 1);
	smtptls_message_free(message);
}
END_TEST

static int
try_in_child(struct bench *bench)
{
	struct smtptls_message *message = bench_message(TALK_CONTENT);
	int r = 0;

	if (smtptls_pool_send(bench->pool, message) != SMTPTLS_E_FORKED ||
	    smtptls_message_status(message) != SMTPTLS_E_FORKED ||
	    strstr(smtptls_message_error(message), "parent") == NULL)
		r = 1;
	else if (smtptls_pool_tidy(bench->pool) != SMTPTLS_E_FORKED ||
	    smtptls_pool_set_idle_ms(bench->pool, 1) != SMTPTLS_E_FORKED ||
	    strstr(smtptls_pool_error(bench->pool), "parent") == NULL)
		r = 2;
	smtptls_pool_cancel(bench->pool);
	smtptls_pool_free(bench->pool);
	smtptls_message_free(message);
	return r;
}

/*
 * The end of a child in which all is well. It has what the threads of its
 * parent held, without the threads: whoever looks for leaks at exit finds them.
 */
static _Noreturn void
end_well(void)
{
	(void)raise(SIGKILL);
	abort();
}

static void
expect_a_good_end(pid_t pid)
{
	int status = -1;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
	    "the child ended with %#x", (unsigned)status);
}

START_TEST(child_leaves_the_pool_alone)
{
	struct bench bench;
	pid_t pid;
	int r;

	bench_begin(&bench, two_messages, NULL);
	bench_send_well(&bench);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		r = try_in_child(&bench);
		if (r != 0)
			_exit(r);
		end_well();
	}
	expect_a_good_end(pid);
	bench_send_well(&bench);
	bench_finish(&bench);
}
END_TEST

/*
 * In the middle of a message, from its own callback; and then the child goes
 * back to where the parent was.
 */
static bool is_child;

static int
give_and_fork(void *buf, size_t cap, size_t *out_len, void *arg)
{
	struct bench *bench = arg;
	pid_t pid = fork();

	(void)buf;
	(void)cap;
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		is_child = true;
		return try_in_child(bench) == 0 ? SMTPTLS_E_IO : SMTPTLS_OK;
	}
	expect_a_good_end(pid);
	*out_len = 0;
	return SMTPTLS_OK;
}

START_TEST(child_of_a_callback_leaves_the_pool_alone)
{
	struct smtptls_message *message = bench_message("");
	struct bench bench;
	int r;

	bench_begin(&bench, two_messages, NULL);
	bench_send_well(&bench);
	ck_assert_ok(
	    smtptls_message_set_body_cb(message, give_and_fork, NULL, &bench));
	r = bench_send(&bench, message);
	if (is_child) {
		if (r >= 0)
			_exit(3);
		end_well();
	}
	ck_assert_ok(r);
	bench_finish(&bench);
	smtptls_message_free(message);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pool end");
	TCase *tc = bench_case(suite, "pool end");

	tcase_add_test(tc, message_waits_for_a_connection_so_long);
	tcase_add_test(
	    tc, message_that_waits_is_sent_when_a_connection_is_free);
	tcase_add_test(tc, message_has_a_deadline);
	tcase_add_test(tc, second_connection_has_no_deadline_of_its_own);
	tcase_add_test(tc, deadline_that_has_passed_is_not_forgotten);
	tcase_add_test(tc, goodbye_is_said_after_the_deadline_of_the_message);
	tcase_add_test(tc, server_that_is_down_is_told_by_the_message);
	tcase_add_test(tc, farewell_is_short);
	tcase_add_test(tc,
	    farewell_of_a_connection_past_its_time_is_a_part_of_the_deadline);
	tcase_add_test(tc, cancelling_ends_everything);
	tcase_add_test(tc, cancelled_pool_uses_no_idle_connection);
	tcase_add_test(tc, child_leaves_the_pool_alone);
	tcase_add_test(tc, child_of_a_callback_leaves_the_pool_alone);
	return talk_run(suite);
}
