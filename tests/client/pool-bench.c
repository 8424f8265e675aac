/* SPDX-License-Identifier: MIT */
#include "client/pool-bench.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"

const struct step serves[] = { GREETED, STEP(SERVE), END };
const struct step one_message[] = { GREETED, MESSAGE, PARTING, END };
const struct step two_messages[] = { GREETED, MESSAGE, MESSAGE, PARTING, END };

static gnutls_datum_t ticket_key;

static void
setup(void)
{
	talk_world_setup();
	ck_assert_int_ge(gnutls_session_ticket_key_generate(&ticket_key), 0);
}

static void
teardown(void)
{
	gnutls_free(ticket_key.data);
	talk_world_teardown();
}

TCase *
bench_case(Suite *suite, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, setup, teardown);
	suite_add_tcase(suite, tc);
	return tc;
}

static void
count_mails(enum smtptls_trace_level level, const char *line, void *arg)
{
	struct bench *bench = arg;

	(void)level;
	if (strncmp(line, "C: MAIL", 7) == 0)
		atomic_fetch_add(&bench->mails, 1);
}

int
bench_set_up(struct smtptls_client *client, void *arg)
{
	struct bench *bench = arg;

	atomic_fetch_add(&bench->clients, 1);
	smtptls_client_set_connect_to(client, bench->place);
	return smtptls_client_set_trace(
	    client, SMTPTLS_TRACE_PROTOCOL, count_mails, bench);
}

static sem_t has_happened;

void
bench_begin_with(struct bench *bench, struct server_options options)
{
	memset(bench, 0, sizeof(*bench));
	sem_init(&has_happened, 0, 0);
	bench->fds = test_count_fds();
	options.cert = world.server;
	options.issuer = world.ca;
	options.prologue = talk_prologue(IMPLICIT_BLOCKING);
	options.ticket_key = &ticket_key;
	bench->server = server_start(&options);
	snprintf(bench->place, sizeof(bench->place), "127.0.0.1:%u",
	    (unsigned int)server_port(bench->server));
	ck_assert_ok(smtptls_pool_new(
	    "smtps://" TALK_HOST, world.context, &bench->pool));
	ck_assert_ok(smtptls_pool_set_setup(bench->pool, bench_set_up, bench));
	ck_assert_ok(
	    smtptls_pool_set_deadline_ms(bench->pool, talk_ms(LONG_MS)));
}

void
bench_begin(
    struct bench *bench, const struct step *first, const struct step *second)
{
	bench_begin_with(
	    bench, (struct server_options){ .scripts = { first, second } });
}

void
bench_finish(struct bench *bench)
{
	const char *problem;

	smtptls_pool_free(bench->pool);
	problem = server_finish(bench->server);
	ck_assert_msg(problem == NULL, "%s", problem);
	server_free(bench->server);
	ck_assert_int_eq(test_count_fds(), bench->fds);
}

struct smtptls_message *
bench_message(const char *text)
{
	struct smtptls_message *message = NULL;

	ck_assert_ok(smtptls_message_new(&message));
	ck_assert_ok(smtptls_message_set_sender(message, TALK_SENDER));
	ck_assert_ok(smtptls_message_add_recipient(message, TALK_RECIPIENT));
	ck_assert_ok(smtptls_message_set_body_mem(message, text, strlen(text)));
	return message;
}

int
bench_send(struct bench *bench, struct smtptls_message *message)
{
	int r = smtptls_pool_send(bench->pool, message);

	ck_assert_int_eq(r, smtptls_message_status(message));
	if (r == SMTPTLS_OK)
		ck_assert_str_eq(smtptls_message_error(message), "");
	else
		ck_assert_str_ne(smtptls_message_error(message), "");
	return r;
}

void
bench_send_well(struct bench *bench)
{
	struct smtptls_message *message = bench_message(TALK_CONTENT);

	ck_assert_msg(bench_send(bench, message) == SMTPTLS_OK, "%s",
	    smtptls_message_error(message));
	smtptls_message_free(message);
}

void
bench_happen(void *arg)
{
	(void)arg;
	sem_post(&has_happened);
}

void
bench_wait_until_it_happened(void)
{
	while (sem_wait(&has_happened) < 0)
		ck_assert_int_eq(errno, EINTR);
}

void
bench_let_pass(int ms)
{
	stls_deadline deadline = stls_deadline_in(ms + 1);

	while (stls_deadline_left_ms(deadline) > 0)
		poll(NULL, 0, stls_deadline_left_ms(deadline));
}

void *
sender_run(void *arg)
{
	struct sender *sender = arg;
	struct smtptls_message *message;
	char text[64];
	int i;

	for (i = sender->first; i < sender->first + sender->count; i++) {
		snprintf(text, sizeof(text), "Subject: number %d\r\n\r\n", i);
		message = bench_message(text);
		sender->last = smtptls_pool_send(sender->bench->pool, message);
		sender->failures += sender->last != SMTPTLS_OK;
		smtptls_message_free(message);
	}
	return NULL;
}

static sem_t is_sending, may_go_on;

static int
give_slowly(void *buf, size_t cap, size_t *out_len, void *arg)
{
	int *calls = arg;

	(void)cap;
	*out_len = 0;
	if (++*calls > 1)
		return SMTPTLS_OK;
	sem_post(&is_sending);
	while (sem_wait(&may_go_on) < 0)
		ck_assert_int_eq(errno, EINTR);
	memcpy(buf, "a\r\n", 3);
	*out_len = 3;
	return SMTPTLS_OK;
}

static void *
send_slowly(void *arg)
{
	struct slow *slow = arg;

	slow->r = smtptls_pool_send(slow->bench->pool, slow->message);
	return NULL;
}

void
slow_start(struct slow *slow, struct bench *bench)
{
	sem_init(&is_sending, 0, 0);
	sem_init(&may_go_on, 0, 0);
	slow->bench = bench;
	slow->calls = 0;
	slow->message = bench_message("");
	ck_assert_ok(smtptls_message_set_body_cb(
	    slow->message, give_slowly, NULL, &slow->calls));
	ck_assert_int_eq(
	    pthread_create(&slow->thread, NULL, send_slowly, slow), 0);
	while (sem_wait(&is_sending) < 0)
		ck_assert_int_eq(errno, EINTR);
}

int
slow_finish(struct slow *slow)
{
	sem_post(&may_go_on);
	ck_assert_int_eq(pthread_join(slow->thread, NULL), 0);
	smtptls_message_free(slow->message);
	return slow->r;
}
