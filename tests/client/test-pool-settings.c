/* SPDX-License-Identifier: MIT */
/* What a pool is told wrongly, and memory that is not there. */
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "client/pool-bench.h"

#define FAULTS_MAX 500

START_TEST(message_that_is_not_complete_opens_nothing)
{
	struct smtptls_message *message = NULL;
	struct bench bench;

	bench_begin(&bench, NULL, NULL);
	ck_assert_ok(smtptls_message_new(&message));
	ck_assert_int_eq(
	    smtptls_pool_send(bench.pool, message), SMTPTLS_E_INVALID);
	ck_assert_str_eq(
	    smtptls_message_error(message), "the sender is missing");
	ck_assert_int_eq(
	    smtptls_pool_send(bench.pool, NULL), SMTPTLS_E_INVALID);
	bench_finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.clients), 0);
	smtptls_message_free(message);
}
END_TEST

START_TEST(message_that_everybody_has_is_not_sent_again)
{
	struct smtptls_message *message = bench_message(TALK_CONTENT);
	struct bench bench;

	bench_begin(&bench, one_message, NULL);
	ck_assert_ok(bench_send(&bench, message));
	ck_assert_int_eq(
	    smtptls_pool_send(bench.pool, message), SMTPTLS_E_STATE);
	ck_assert_ok(smtptls_message_status(message));
	bench_finish(&bench);
	smtptls_message_free(message);
}
END_TEST

static int
set_too_much(struct smtptls_client *client, void *arg)
{
	struct bench *bench = arg;

	smtptls_client_set_connect_to(client, bench->place);
	/* Nobody looks at this. */
	smtptls_client_set_auth_mechanism(client, "ROT13");
	return SMTPTLS_OK;
}

static int
set_up_nothing(struct smtptls_client *client, void *arg)
{
	(void)client;
	(void)arg;
	return SMTPTLS_E_AUTH;
}

static int
set_up_wrongly(struct smtptls_client *client, void *arg)
{
	(void)arg;
	return smtptls_client_set_connect_to(client, "nowhere");
}

static int
set_up_later(struct smtptls_client *client, void *arg)
{
	(void)client;
	(void)arg;
	return SMTPTLS_AGAIN;
}

static const struct {
	smtptls_pool_setup_cb setup;
	int status;
	const char *sentence;
} setups[] = {
	{ set_too_much, SMTPTLS_E_INVALID, "ROT13" },
	{ set_up_nothing, SMTPTLS_E_AUTH,
	    "a client was not set up: the callback answered -13 (" },
	{ set_up_wrongly, SMTPTLS_E_INVALID, "nowhere" },
	{ set_up_later, SMTPTLS_E_INVALID, "a client was not set up" },
};

START_TEST(client_that_is_not_set_up_is_not_used)
{
	struct smtptls_message *message = bench_message(TALK_CONTENT);
	struct bench bench;

	bench_begin(&bench, NULL, NULL);
	ck_assert_ok(
	    smtptls_pool_set_setup(bench.pool, setups[_i].setup, &bench));
	ck_assert_int_eq(bench_send(&bench, message), setups[_i].status);
	ck_assert_ptr_nonnull(
	    strstr(smtptls_message_error(message), setups[_i].sentence));
	ck_assert_int_eq(
	    smtptls_message_outcome(message, 0), SMTPTLS_OUTCOME_NOT_TRIED);
	bench_finish(&bench);
	smtptls_message_free(message);
}
END_TEST

START_TEST(settings_come_before_the_first_message)
{
	struct bench bench;

	bench_begin(&bench, two_messages, NULL);
	bench_send_well(&bench);
	ck_assert_int_eq(
	    smtptls_pool_set_idle_ms(bench.pool, 1), SMTPTLS_E_STATE);
	ck_assert_int_eq(
	    smtptls_pool_set_connections_max(bench.pool, 0), SMTPTLS_E_STATE);
	ck_assert_int_eq(
	    smtptls_pool_set_setup(bench.pool, NULL, NULL), SMTPTLS_E_STATE);
	ck_assert_str_eq(smtptls_pool_error(bench.pool), "");
	bench_send_well(&bench);
	bench_finish(&bench);
}
END_TEST

/* Too little and too much of each, and what is just possible. */
static const struct {
	int (*set_size)(struct smtptls_pool *, size_t);
	int (*set_ms)(struct smtptls_pool *, int);
	long bad[2];
	long good[2];
	const char *sentence;
} ranges[] = {
	{ smtptls_pool_set_connections_max, NULL, { 0, 1025 }, { 1, 1024 },
	    "the connections of a pool must be from 1 to 1024, not " },
	{ smtptls_pool_set_messages_max, NULL, { 0, 1000001 }, { 1, 1000000 },
	    "the messages for each connection of a pool must be from 1 to "
	    "1000000, not " },
	{ NULL, smtptls_pool_set_idle_ms, { 0, 86400001 }, { 1, 86400000 },
	    "the idle time of a pool must be from 1 to 86400000, not " },
	{ NULL, smtptls_pool_set_age_ms, { -1, 86400001 }, { 1, 86400000 },
	    "the age of a pool must be from 1 to 86400000, not " },
	{ NULL, smtptls_pool_set_wait_ms, { 0, 86400001 }, { 1, 86400000 },
	    "the time to wait of a pool must be from 1 to 86400000, not " },
	{ NULL, smtptls_pool_set_deadline_ms, { -1, -2 }, { 0, 2147483647 },
	    " ms is no deadline" },
};

static int
set_range(struct smtptls_pool *pool, int row, long value)
{
	if (ranges[row].set_size != NULL)
		return ranges[row].set_size(pool, (size_t)value);
	return ranges[row].set_ms(pool, (int)value);
}

START_TEST(setting_out_of_range_spoils_the_pool)
{
	struct smtptls_message *message;
	struct smtptls_pool *pool;
	int i;

	for (i = 0; i < 2; i++) {
		pool = NULL;
		message = bench_message(TALK_CONTENT);
		ck_assert_ok(smtptls_pool_new(
		    "smtps://" TALK_HOST, world.context, &pool));
		ck_assert_ok(set_range(pool, _i, ranges[_i].good[i]));
		ck_assert_int_eq(
		    set_range(pool, _i, ranges[_i].bad[i]), SMTPTLS_E_INVALID);
		ck_assert_ptr_nonnull(
		    strstr(smtptls_pool_error(pool), ranges[_i].sentence));
		ck_assert_int_eq(
		    set_range(pool, _i, ranges[_i].good[i]), SMTPTLS_E_INVALID);
		ck_assert_int_eq(
		    smtptls_pool_send(pool, message), SMTPTLS_E_INVALID);
		ck_assert_str_eq(
		    smtptls_message_error(message), smtptls_pool_error(pool));
		ck_assert_int_eq(smtptls_pool_tidy(pool), -1);
		smtptls_pool_free(pool);
		smtptls_message_free(message);
	}
}
END_TEST

START_TEST(pool_of_a_wrong_url_has_an_error)
{
	struct smtptls_message *message = bench_message(TALK_CONTENT);
	struct smtptls_pool *pool = NULL;

	ck_assert_int_eq(smtptls_pool_new("http://x", world.context, &pool),
	    SMTPTLS_E_INVALID);
	ck_assert_str_ne(smtptls_pool_error(pool), "");
	ck_assert_int_eq(smtptls_pool_send(pool, message), SMTPTLS_E_INVALID);
	ck_assert_str_eq(
	    smtptls_message_error(message), smtptls_pool_error(pool));
	ck_assert_int_eq(smtptls_pool_set_idle_ms(pool, 1), SMTPTLS_E_INVALID);
	smtptls_pool_cancel(pool);
	smtptls_pool_free(pool);
	ck_assert_int_eq(
	    smtptls_pool_new(NULL, world.context, &pool), SMTPTLS_E_INVALID);
	smtptls_pool_free(pool);
	smtptls_message_free(message);
}
END_TEST

START_TEST(nothing_is_asked_of_no_pool)
{
	struct smtptls_message *message = bench_message(TALK_CONTENT);

	ck_assert_int_eq(smtptls_pool_new("x", NULL, NULL), SMTPTLS_E_INVALID);
	ck_assert_int_eq(smtptls_pool_send(NULL, message), SMTPTLS_E_INVALID);
	ck_assert_int_eq(smtptls_pool_set_idle_ms(NULL, 1), SMTPTLS_E_INVALID);
	ck_assert_int_eq(smtptls_pool_tidy(NULL), -1);
	ck_assert_str_ne(smtptls_pool_error(NULL), "");
	smtptls_pool_cancel(NULL);
	smtptls_pool_free(NULL);
	smtptls_message_free(message);
}
END_TEST

/* Two messages, with a connection that has to be replaced in between. */
static int
send_two(struct smtptls_pool **pool, struct smtptls_message **messages,
    struct bench *bench)
{
	int r, i;

	r = smtptls_pool_new("smtps://" TALK_HOST, world.context, pool);
	if (r == SMTPTLS_OK)
		r = smtptls_pool_set_connections_max(*pool, 2);
	if (r == SMTPTLS_OK)
		r = smtptls_pool_set_setup(*pool, bench_set_up, bench);
	for (i = 0; i < 2 && r == SMTPTLS_OK; i++)
		r = smtptls_pool_send(*pool, messages[i]);
	return r;
}

START_TEST(memory_that_runs_out_anywhere_is_told_honestly)
{
	struct server_options options = {
		.scripts = { serves }, .repeats = true, .parallel = true
	};
	struct smtptls_message *messages[2];
	struct smtptls_pool *pool;
	bool has_failed = true;
	struct bench bench;
	size_t accepted;
	unsigned long n;
	int r, i;

	for (n = 1; has_failed; n++) {
		ck_assert_uint_lt(n, FAULTS_MAX);
		bench_begin_with(&bench, options);
		pool = NULL;
		for (i = 0; i < 2; i++)
			messages[i] = bench_message(TALK_CONTENT);
		stls_alloc_fail_at(n);
		r = send_two(&pool, messages, &bench);
		has_failed = stls_alloc_has_failed();
		stls_alloc_fail_at(0);
		ck_assert_msg(r == SMTPTLS_OK || r == SMTPTLS_E_NOMEM ||
			r == SMTPTLS_E_IN_DOUBT,
		    "%lu: %d: %s, %s, %s", n, r, smtptls_pool_error(pool),
		    smtptls_message_error(messages[0]),
		    smtptls_message_error(messages[1]));
		if (!has_failed)
			ck_assert_ok(r);
		smtptls_pool_free(pool);
		smtptls_pool_free(bench.pool);
		(void)server_finish(bench.server);
		for (i = 0, accepted = 0; i < 2; i++) {
			accepted += smtptls_message_outcome(messages[i], 0) ==
			    SMTPTLS_OUTCOME_ACCEPTED;
			smtptls_message_free(messages[i]);
		}
		ck_assert_uint_le(accepted, server_contents(bench.server));
		if (r != SMTPTLS_E_IN_DOUBT)
			ck_assert_uint_eq(
			    accepted, server_contents(bench.server));
		server_free(bench.server);
		ck_assert_int_eq(test_count_fds(), bench.fds);
	}
	ck_assert_uint_gt(n, 10);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pool settings");
	TCase *tc = bench_case(suite, "pool settings");

	tcase_add_test(tc, message_that_is_not_complete_opens_nothing);
	tcase_add_test(tc, message_that_everybody_has_is_not_sent_again);
	tcase_add_loop_test(
	    tc, client_that_is_not_set_up_is_not_used, 0, COUNT(setups));
	tcase_add_test(tc, settings_come_before_the_first_message);
	tcase_add_loop_test(
	    tc, setting_out_of_range_spoils_the_pool, 0, COUNT(ranges));
	tcase_add_test(tc, pool_of_a_wrong_url_has_an_error);
	tcase_add_test(tc, nothing_is_asked_of_no_pool);
	tcase_add_test(tc, memory_that_runs_out_anywhere_is_told_honestly);
	return talk_run(suite);
}
