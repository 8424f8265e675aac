/* SPDX-License-Identifier: MIT */
/* Many threads, and how long a connection is used. */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/pool-bench.h"

#define THREADS 8

/* Each number once, whatever the order. */
static void
assert_each_arrived_once(const struct server *server, int count)
{
	int *seen = calloc((size_t)count, sizeof(*seen)), number, i;

	ck_assert_ptr_nonnull(seen);
	ck_assert_uint_eq(server_contents(server), (size_t)count);
	for (i = 0; i < count; i++) {
		ck_assert_int_eq(sscanf(server_content(server, (size_t)i)->data,
				     "Subject: number %d", &number),
		    1);
		ck_assert_int_lt(number, count);
		ck_assert_int_eq(seen[number]++, 0);
	}
	free(seen);
}

static void
send_from_threads(struct bench *bench, int count)
{
	struct sender senders[THREADS];
	int i;

	for (i = 0; i < THREADS; i++) {
		senders[i] = (struct sender){
			.bench = bench, .first = i * count, .count = count
		};
		ck_assert_int_eq(pthread_create(&senders[i].thread, NULL,
				     sender_run, &senders[i]),
		    0);
	}
	for (i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(senders[i].thread, NULL), 0);
		ck_assert_int_eq(senders[i].failures, 0);
	}
}

START_TEST(messages_of_many_threads_arrive_once_each)
{
	int count = (int)test_rounds(100);
	struct bench bench;

	bench_begin_with(&bench,
	    (struct server_options){
		.scripts = { serves }, .parallel = true, .repeats = true });
	ck_assert_ok(smtptls_pool_set_connections_max(bench.pool, 3));
	ck_assert_ok(smtptls_pool_set_messages_max(bench.pool, 1000));
	send_from_threads(&bench, count);
	ck_assert_int_le(atomic_load(&bench.clients), 3);
	smtptls_pool_free(bench.pool);
	bench.pool = NULL;
	ck_assert_ptr_null(server_finish(bench.server));
	assert_each_arrived_once(bench.server, THREADS * count);
	bench_finish(&bench);
}
END_TEST

/* The same while connections come and go, and somebody tidies all the time. */
static atomic_bool is_over;

static void *
tidy_all_the_time(void *arg)
{
	struct bench *bench = arg;

	while (!atomic_load(&is_over))
		ck_assert_int_ge(smtptls_pool_tidy(bench->pool), -1);
	return NULL;
}

START_TEST(connections_may_come_and_go_meanwhile)
{
	int count = (int)test_rounds(20), clients;
	struct bench bench;
	pthread_t tidier;

	bench_begin_with(&bench,
	    (struct server_options){
		.scripts = { serves }, .parallel = true, .repeats = true });
	ck_assert_ok(smtptls_pool_set_connections_max(bench.pool, 3));
	ck_assert_ok(smtptls_pool_set_messages_max(bench.pool, 4));
	atomic_store(&is_over, false);
	ck_assert_int_eq(
	    pthread_create(&tidier, NULL, tidy_all_the_time, &bench), 0);
	send_from_threads(&bench, count);
	atomic_store(&is_over, true);
	ck_assert_int_eq(pthread_join(tidier, NULL), 0);
	clients = atomic_load(&bench.clients);
	ck_assert_int_ge(clients, THREADS * count / 4);
	smtptls_pool_free(bench.pool);
	bench.pool = NULL;
	ck_assert_ptr_null(server_finish(bench.server));
	assert_each_arrived_once(bench.server, THREADS * count);
	/* All but those that began before there was anything to resume. */
	ck_assert_int_ge(server_resumed(bench.server), clients - 3);
	bench_finish(&bench);
}
END_TEST

START_TEST(connection_is_used_again)
{
	struct bench bench;

	bench_begin(&bench, two_messages, NULL);
	bench_send_well(&bench);
	bench_send_well(&bench);
	bench_finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.clients), 1);
}
END_TEST

START_TEST(connection_is_used_for_so_many_messages)
{
	struct bench bench;

	bench_begin(&bench, two_messages, two_messages);
	ck_assert_ok(smtptls_pool_set_messages_max(bench.pool, 2));
	bench_send_well(&bench);
	ck_assert_int_gt(smtptls_pool_tidy(bench.pool), 0);
	bench_send_well(&bench);
	/* Closed when the last one had been sent, and not later. */
	ck_assert_int_eq(smtptls_pool_tidy(bench.pool), -1);
	bench_send_well(&bench);
	bench_send_well(&bench);
	ck_assert_int_eq(smtptls_pool_tidy(bench.pool), -1);
	ck_assert_int_eq(server_resumed(bench.server), 1);
	bench_finish(&bench);
}
END_TEST

static int (*const time_limits[])(struct smtptls_pool *, int) = {
	smtptls_pool_set_idle_ms,
	smtptls_pool_set_age_ms,
};

START_TEST(connection_past_its_time_is_replaced)
{
	struct bench bench;

	bench_begin(&bench, one_message, one_message);
	ck_assert_ok(time_limits[_i](bench.pool, talk_ms(200)));
	bench_send_well(&bench);
	bench_let_pass(talk_ms(200));
	bench_send_well(&bench);
	bench_finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.mails), 2);
}
END_TEST

START_TEST(connection_past_its_time_is_tidied_away)
{
	struct bench bench;
	int left;

	bench_begin(&bench, one_message, NULL);
	ck_assert_ok(time_limits[_i](bench.pool, talk_ms(200)));
	ck_assert_int_eq(smtptls_pool_tidy(bench.pool), -1);
	bench_send_well(&bench);
	while ((left = smtptls_pool_tidy(bench.pool)) >= 0) {
		ck_assert_int_le(left, talk_ms(200));
		poll(NULL, 0, left);
	}
	ck_assert_int_eq(left, -1);
	bench_finish(&bench);
}
END_TEST

static const struct step one_message_and_tells[] = { GREETED, MESSAGE, PARTING,
	CALL(bench_happen, NULL), END };

/* Of two that are idle one is used again, and the other is closed by that. */
START_TEST(other_connections_past_their_time_are_closed_by_a_message)
{
	struct bench bench;
	struct slow slow;

	bench_begin_with(&bench,
	    (struct server_options){ .parallel = true,
		.scripts = { serves, one_message_and_tells } });
	ck_assert_ok(time_limits[_i](bench.pool, talk_ms(200)));
	slow_start(&slow, &bench);
	bench_send_well(&bench);
	/* That one becomes idle now, the other goes on. */
	bench_let_pass(talk_ms(200));
	ck_assert_ok(slow_finish(&slow));
	bench_wait_until_it_happened();
	bench_finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.clients), 2);
}
END_TEST

START_TEST(connection_that_was_used_last_is_used_first)
{
	struct bench bench;
	struct slow slow;

	bench_begin_with(&bench,
	    (struct server_options){
		.parallel = true, .scripts = { two_messages, one_message } });
	slow_start(&slow, &bench);
	bench_send_well(&bench);
	bench_let_pass(1);
	ck_assert_ok(slow_finish(&slow));
	bench_send_well(&bench);
	bench_finish(&bench);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pool");
	TCase *tc = bench_case(suite, "pool");

	tcase_add_test(tc, messages_of_many_threads_arrive_once_each);
	tcase_add_test(tc, connections_may_come_and_go_meanwhile);
	tcase_add_test(tc, connection_is_used_again);
	tcase_add_test(tc, connection_is_used_for_so_many_messages);
	tcase_add_loop_test(
	    tc, connection_past_its_time_is_replaced, 0, COUNT(time_limits));
	tcase_add_loop_test(
	    tc, connection_past_its_time_is_tidied_away, 0, COUNT(time_limits));
	tcase_add_loop_test(tc,
	    other_connections_past_their_time_are_closed_by_a_message, 0,
	    COUNT(time_limits));
	tcase_add_test(tc, connection_that_was_used_last_is_used_first);
	return talk_run(suite);
}
