/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/deadline.h"
#include "client/talk.h"

#define THREADS 8
#define FAULTS_MAX 500
/* How long free and tidy may take at most, and what is long beside it. */
#define MOMENT_MS 500
#define LONG_MS 20000

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

/* A server, a pool that connects to it, and what its clients said. */
struct bench {
	struct server *server;
	struct smtptls_pool *pool;
	char place[64];
	int fds;
	atomic_int clients; /* that were set up */
	atomic_int mails;   /* commands MAIL */
};

static void
count_mails(enum smtptls_trace_level level, const char *line, void *arg)
{
	struct bench *bench = arg;

	(void)level;
	if (strncmp(line, "C: MAIL", 7) == 0)
		atomic_fetch_add(&bench->mails, 1);
}

static int
set_up_client(struct smtptls_client *client, void *arg)
{
	struct bench *bench = arg;

	atomic_fetch_add(&bench->clients, 1);
	smtptls_client_set_connect_to(client, bench->place);
	return smtptls_client_set_trace(
	    client, SMTPTLS_TRACE_PROTOCOL, count_mails, bench);
}

/* Scripts begin where the server answers EHLO inside TLS. */
static void
begin_with(struct bench *bench, struct server_options options)
{
	memset(bench, 0, sizeof(*bench));
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
	ck_assert_ok(smtptls_pool_set_setup(bench->pool, set_up_client, bench));
	ck_assert_ok(
	    smtptls_pool_set_deadline_ms(bench->pool, talk_ms(LONG_MS)));
}

static void
begin(struct bench *bench, const struct step *first, const struct step *second)
{
	begin_with(
	    bench, (struct server_options){ .scripts = { first, second } });
}

static void
finish(struct bench *bench)
{
	const char *problem;

	smtptls_pool_free(bench->pool);
	problem = server_finish(bench->server);
	ck_assert_msg(problem == NULL, "%s", problem);
	server_free(bench->server);
	ck_assert_int_eq(test_count_fds(), bench->fds);
}

static struct smtptls_message *
new_message(const char *text)
{
	struct smtptls_message *message = NULL;

	ck_assert_ok(smtptls_message_new(&message));
	ck_assert_ok(smtptls_message_set_sender(message, TALK_SENDER));
	ck_assert_ok(smtptls_message_add_recipient(message, TALK_RECIPIENT));
	ck_assert_ok(smtptls_message_set_body_mem(message, text, strlen(text)));
	return message;
}

/* The result is that of the message, and its sentence is there. */
static int
send_message(struct bench *bench, struct smtptls_message *message)
{
	int r = smtptls_pool_send(bench->pool, message);

	ck_assert_int_eq(r, smtptls_message_status(message));
	if (r == SMTPTLS_OK)
		ck_assert_str_eq(smtptls_message_error(message), "");
	else
		ck_assert_str_ne(smtptls_message_error(message), "");
	return r;
}

static void
send_well(struct bench *bench)
{
	struct smtptls_message *message = new_message(TALK_CONTENT);

	ck_assert_msg(send_message(bench, message) == SMTPTLS_OK, "%s",
	    smtptls_message_error(message));
	smtptls_message_free(message);
}

#define GREETED SEND("250 mail.example.org\r\n")
#define MESSAGE                                                                \
	PREFIX("MAIL"), SEND("250 ok\r\n"), PREFIX("RCPT"),                    \
	    SEND("250 ok\r\n"), LINE("DATA"), SEND("354 go\r\n"),              \
	    STEP(CONTENT), SEND("250 queued\r\n")
#define PARTING LINE("QUIT"), SEND("221 bye\r\n")

static const struct step serves[] = { GREETED, STEP(SERVE), END };
static const struct step one_message[] = { GREETED, MESSAGE, PARTING, END };
static const struct step two_messages[] = { GREETED, MESSAGE, MESSAGE, PARTING,
	END };

/* --- many threads --- */

struct sender {
	pthread_t thread;
	struct bench *bench;
	int first, count;
	int failures;
	int last; /* what became of the last message */
};

static void *
send_numbers(void *arg)
{
	struct sender *sender = arg;
	struct smtptls_message *message;
	char text[64];
	int i;

	for (i = sender->first; i < sender->first + sender->count; i++) {
		snprintf(text, sizeof(text), "Subject: number %d\r\n\r\n", i);
		message = new_message(text);
		sender->last = smtptls_pool_send(sender->bench->pool, message);
		sender->failures += sender->last != SMTPTLS_OK;
		smtptls_message_free(message);
	}
	return NULL;
}

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
				     send_numbers, &senders[i]),
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

	begin_with(&bench,
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
	finish(&bench);
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

	begin_with(&bench,
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
	finish(&bench);
}
END_TEST

/* --- how long a connection is used --- */

START_TEST(connection_is_used_again)
{
	struct bench bench;

	begin(&bench, two_messages, NULL);
	send_well(&bench);
	send_well(&bench);
	finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.clients), 1);
}
END_TEST

START_TEST(connection_is_used_for_so_many_messages)
{
	struct bench bench;

	begin(&bench, two_messages, two_messages);
	ck_assert_ok(smtptls_pool_set_messages_max(bench.pool, 2));
	send_well(&bench);
	ck_assert_int_gt(smtptls_pool_tidy(bench.pool), 0);
	send_well(&bench);
	/* Closed when the last one had been sent, and not later. */
	ck_assert_int_eq(smtptls_pool_tidy(bench.pool), -1);
	send_well(&bench);
	send_well(&bench);
	ck_assert_int_eq(smtptls_pool_tidy(bench.pool), -1);
	ck_assert_int_eq(server_resumed(bench.server), 1);
	finish(&bench);
}
END_TEST

/* Until a time of so many milliseconds, counted from now, has passed. */
static void
let_pass(int ms)
{
	stls_deadline deadline = stls_deadline_in(ms + 1);

	while (stls_deadline_left_ms(deadline) > 0)
		poll(NULL, 0, stls_deadline_left_ms(deadline));
}

static int (*const time_limits[])(struct smtptls_pool *, int) = {
	smtptls_pool_set_idle_ms,
	smtptls_pool_set_age_ms,
};

START_TEST(connection_past_its_time_is_replaced)
{
	struct bench bench;

	begin(&bench, one_message, one_message);
	ck_assert_ok(time_limits[_i](bench.pool, talk_ms(200)));
	send_well(&bench);
	let_pass(talk_ms(200));
	send_well(&bench);
	finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.mails), 2);
}
END_TEST

START_TEST(connection_past_its_time_is_tidied_away)
{
	struct bench bench;
	int left;

	begin(&bench, one_message, NULL);
	ck_assert_ok(time_limits[_i](bench.pool, talk_ms(200)));
	ck_assert_int_eq(smtptls_pool_tidy(bench.pool), -1);
	send_well(&bench);
	while ((left = smtptls_pool_tidy(bench.pool)) >= 0) {
		ck_assert_int_le(left, talk_ms(200));
		poll(NULL, 0, left);
	}
	ck_assert_int_eq(left, -1);
	finish(&bench);
}
END_TEST

/* Of two that are idle one is used again, and the other is closed by that. */
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

struct slow {
	pthread_t thread;
	struct bench *bench;
	struct smtptls_message *message;
	int calls;
	int r;
};

static void *
send_slowly(void *arg)
{
	struct slow *slow = arg;

	slow->r = smtptls_pool_send(slow->bench->pool, slow->message);
	return NULL;
}

/* A message that is in the middle of its content when this returns. */
static void
start_slow(struct slow *slow, struct bench *bench)
{
	sem_init(&is_sending, 0, 0);
	sem_init(&may_go_on, 0, 0);
	slow->bench = bench;
	slow->calls = 0;
	slow->message = new_message("");
	ck_assert_ok(smtptls_message_set_body_cb(
	    slow->message, give_slowly, NULL, &slow->calls));
	ck_assert_int_eq(
	    pthread_create(&slow->thread, NULL, send_slowly, slow), 0);
	while (sem_wait(&is_sending) < 0)
		ck_assert_int_eq(errno, EINTR);
}

static int
finish_slow(struct slow *slow)
{
	sem_post(&may_go_on);
	ck_assert_int_eq(pthread_join(slow->thread, NULL), 0);
	smtptls_message_free(slow->message);
	return slow->r;
}

static sem_t has_happened;

static void
happen(void *arg)
{
	(void)arg;
	sem_post(&has_happened);
}

static void
wait_until_it_happened(void)
{
	while (sem_wait(&has_happened) < 0)
		ck_assert_int_eq(errno, EINTR);
}

static const struct step one_message_and_tells[] = { GREETED, MESSAGE, PARTING,
	CALL(happen, NULL), END };

START_TEST(other_connections_past_their_time_are_closed_by_a_message)
{
	struct bench bench;
	struct slow slow;

	sem_init(&has_happened, 0, 0);
	begin_with(&bench,
	    (struct server_options){ .parallel = true,
		.scripts = { serves, one_message_and_tells } });
	ck_assert_ok(time_limits[_i](bench.pool, talk_ms(200)));
	start_slow(&slow, &bench);
	send_well(&bench);
	/* That one becomes idle now, the other goes on. */
	let_pass(talk_ms(200));
	ck_assert_ok(finish_slow(&slow));
	wait_until_it_happened();
	finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.clients), 2);
}
END_TEST

START_TEST(connection_that_was_used_last_is_used_first)
{
	struct bench bench;
	struct slow slow;

	begin_with(&bench,
	    (struct server_options){
		.parallel = true, .scripts = { two_messages, one_message } });
	start_slow(&slow, &bench);
	send_well(&bench);
	let_pass(1);
	ck_assert_ok(finish_slow(&slow));
	send_well(&bench);
	finish(&bench);
}
END_TEST

/* --- a connection that is stale --- */

static const struct step says_421[] = { GREETED, MESSAGE,
	SEND("421 4.4.2 idle for too long\r\n"), CALL(happen, NULL),
	STEP(SWALLOW), END };
static const struct step says_421_and_closes[] = { GREETED, MESSAGE,
	SEND("421 4.4.2 idle for too long\r\n"), STEP(BYE), CALL(happen, NULL),
	STEP(SWALLOW), END };
static const struct step says_something[] = { GREETED, MESSAGE,
	SEND("250 ok\r\n"), CALL(happen, NULL), STEP(SWALLOW), END };
static const struct step says_half[] = { GREETED, MESSAGE, SEND("250 o"),
	CALL(happen, NULL), STEP(SWALLOW), END };
static const struct step says_bye[] = { GREETED, MESSAGE, STEP(BYE),
	CALL(happen, NULL), STEP(SWALLOW), END };
static const struct step closes[] = { GREETED, MESSAGE, STEP(CLOSE),
	CALL(happen, NULL), END };
static const struct step resets[] = { GREETED, MESSAGE, STEP(RESET),
	CALL(happen, NULL), END };

static const struct step *const stale[] = { says_421, says_421_and_closes,
	says_something, says_half, says_bye, closes, resets };

START_TEST(stale_connection_is_noticed_and_replaced)
{
	struct bench bench;

	sem_init(&has_happened, 0, 0);
	begin(&bench, stale[_i], one_message);
	send_well(&bench);
	wait_until_it_happened();
	send_well(&bench);
	ck_assert_int_eq(atomic_load(&bench.clients), 2);
	/* The second message was not tried with the first connection. */
	ck_assert_int_eq(atomic_load(&bench.mails), 2);
	finish(&bench);
}
END_TEST

START_TEST(stale_connection_is_tidied_away)
{
	struct bench bench;

	sem_init(&has_happened, 0, 0);
	begin(&bench, stale[_i], NULL);
	send_well(&bench);
	wait_until_it_happened();
	ck_assert_int_eq(smtptls_pool_tidy(bench.pool), -1);
	finish(&bench);
}
END_TEST

/* --- a second connection --- */

#define ENVELOPE                                                               \
	PREFIX("MAIL"), SEND("250 ok\r\n"), PREFIX("RCPT"),                    \
	    SEND("250 ok\r\n"), LINE("DATA"), SEND("354 go\r\n")

static const struct step lost_at_mail[] = { GREETED, MESSAGE, PREFIX("MAIL"),
	STEP(CLOSE), END };
static const struct step reset_at_mail[] = { GREETED, MESSAGE, PREFIX("MAIL"),
	STEP(RESET), END };
static const struct step closing_at_mail[] = { GREETED, MESSAGE, PREFIX("MAIL"),
	SEND("421 4.7.0 enough\r\n"), STEP(SWALLOW), END };
static const struct step senseless_at_mail[] = { GREETED, MESSAGE,
	PREFIX("MAIL"), SEND("what?\r\n"), STEP(SWALLOW), END };
static const struct step lost_at_rcpt[] = { GREETED, MESSAGE, PREFIX("MAIL"),
	SEND("250 ok\r\n"), PREFIX("RCPT"), STEP(CLOSE), END };
static const struct step lost_at_data[] = { GREETED, MESSAGE, PREFIX("MAIL"),
	SEND("250 ok\r\n"), PREFIX("RCPT"), SEND("250 ok\r\n"), LINE("DATA"),
	STEP(CLOSE), END };

static const struct step *const lost_early[] = { lost_at_mail, reset_at_mail,
	closing_at_mail, senseless_at_mail, lost_at_rcpt, lost_at_data };

START_TEST(message_that_was_not_taken_goes_by_a_second_connection)
{
	struct bench bench;

	begin(&bench, lost_early[_i], one_message);
	send_well(&bench);
	send_well(&bench);
	finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.clients), 2);
	ck_assert_int_eq(atomic_load(&bench.mails), 3);
}
END_TEST

static const struct step first_lost_at_mail[] = { GREETED, PREFIX("MAIL"),
	STEP(CLOSE), END };

START_TEST(connection_that_is_new_is_not_replaced)
{
	struct smtptls_message *message = new_message(TALK_CONTENT);
	struct bench bench;

	begin(&bench, first_lost_at_mail, NULL);
	ck_assert_int_eq(send_message(&bench, message), SMTPTLS_E_IO);
	ck_assert_int_eq(
	    smtptls_message_outcome(message, 0), SMTPTLS_OUTCOME_NOT_TRIED);
	finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.clients), 1);
	smtptls_message_free(message);
}
END_TEST

START_TEST(message_goes_by_a_second_connection_once)
{
	struct smtptls_message *message = new_message(TALK_CONTENT);
	struct bench bench;

	begin(&bench, lost_at_mail, first_lost_at_mail);
	send_well(&bench);
	ck_assert_int_eq(send_message(&bench, message), SMTPTLS_E_IO);
	ck_assert_int_eq(
	    smtptls_message_outcome(message, 0), SMTPTLS_OUTCOME_NOT_TRIED);
	finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.clients), 2);
	smtptls_message_free(message);
}
END_TEST

static const struct step refuses_greeting[] = {
	SEND("554 5.3.2 not today\r\n"),
	STEP(SWALLOW),
	END,
};

START_TEST(second_connection_that_cannot_be_made_is_told)
{
	struct smtptls_message *message = new_message(TALK_CONTENT);
	struct bench bench;

	begin(&bench, lost_at_mail, refuses_greeting);
	send_well(&bench);
	ck_assert_int_lt(send_message(&bench, message), 0);
	ck_assert_ptr_nonnull(
	    strstr(smtptls_message_error(message), "not today"));
	ck_assert_int_eq(
	    smtptls_message_outcome(message, 0), SMTPTLS_OUTCOME_NOT_TRIED);
	finish(&bench);
	smtptls_message_free(message);
}
END_TEST

static const struct step lost_behind_end[] = { GREETED, MESSAGE, ENVELOPE,
	STEP(CONTENT), STEP(CLOSE), END };
static const struct step refused_at_rcpt_and_lost[] = { GREETED, MESSAGE,
	PREFIX("MAIL"), SEND("250 ok\r\n"), PREFIX("RCPT"),
	SEND("550 5.1.1 nobody\r\n"), PREFIX("RCPT"), STEP(CLOSE), END };
static const struct step refused_at_mail[] = { GREETED, MESSAGE, PREFIX("MAIL"),
	SEND("450 4.7.1 later\r\n"), PARTING, END };
static const struct step closing_at_end[] = { GREETED, MESSAGE, ENVELOPE,
	STEP(CONTENT), SEND("421 4.3.2 closing\r\n"), STEP(SWALLOW), END };

static const struct {
	const struct step *script;
	enum smtptls_outcome outcomes[2];
} touched[] = {
	{ lost_behind_end,
	    { SMTPTLS_OUTCOME_IN_DOUBT, SMTPTLS_OUTCOME_IN_DOUBT } },
	{ refused_at_rcpt_and_lost,
	    { SMTPTLS_OUTCOME_REFUSED, SMTPTLS_OUTCOME_NOT_TRIED } },
	{ refused_at_mail,
	    { SMTPTLS_OUTCOME_REFUSED_LATER, SMTPTLS_OUTCOME_REFUSED_LATER } },
	{ closing_at_end,
	    { SMTPTLS_OUTCOME_REFUSED_LATER, SMTPTLS_OUTCOME_REFUSED_LATER } },
};

/* The script of the message has one RCPT; what is not accepted has another. */
START_TEST(message_with_an_outcome_is_not_sent_again)
{
	struct smtptls_message *message = new_message(TALK_CONTENT);
	bool has_two = touched[_i].script == refused_at_rcpt_and_lost;
	struct bench bench;

	if (has_two)
		ck_assert_ok(smtptls_message_add_recipient(
		    message, "carol@example.org"));
	begin(&bench, touched[_i].script, NULL);
	send_well(&bench);
	ck_assert_int_lt(send_message(&bench, message), 0);
	ck_assert_int_eq(
	    smtptls_message_outcome(message, 0), touched[_i].outcomes[0]);
	if (has_two)
		ck_assert_int_eq(smtptls_message_outcome(message, 1),
		    touched[_i].outcomes[1]);
	finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.clients), 1);
	smtptls_message_free(message);
}
END_TEST

/* A source of one line, which comes when the server has closed. */
struct source {
	bool waits;
	bool is_at_end;
	int reads, rewinds;
};

static int
give_line(void *buf, size_t cap, size_t *out_len, void *arg)
{
	struct source *source = arg;

	(void)cap;
	source->reads++;
	*out_len = 0;
	if (source->is_at_end)
		return SMTPTLS_OK;
	if (source->waits)
		wait_until_it_happened();
	source->waits = false;
	source->is_at_end = true;
	memcpy(buf, "a\r\n", 3);
	*out_len = 3;
	return SMTPTLS_OK;
}

static int
rewind_line(void *arg)
{
	struct source *source = arg;

	source->rewinds++;
	source->is_at_end = false;
	return SMTPTLS_OK;
}

static const struct step lost_in_content[] = { GREETED, MESSAGE, ENVELOPE,
	STEP(CLOSE), CALL(happen, NULL), END };

START_TEST(content_that_was_read_and_cannot_be_rewound_is_not_sent_again)
{
	struct smtptls_message *message = new_message("");
	struct source source = { .waits = true };
	struct bench bench;

	sem_init(&has_happened, 0, 0);
	begin(&bench, lost_in_content, NULL);
	send_well(&bench);
	ck_assert_ok(
	    smtptls_message_set_body_cb(message, give_line, NULL, &source));
	ck_assert_int_eq(send_message(&bench, message), SMTPTLS_E_IO);
	ck_assert_int_eq(
	    smtptls_message_outcome(message, 0), SMTPTLS_OUTCOME_NOT_TRIED);
	ck_assert_int_gt(source.reads, 0);
	finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.clients), 1);
	smtptls_message_free(message);
}
END_TEST

START_TEST(content_that_can_be_rewound_is_sent_again_from_its_start)
{
	struct smtptls_message *message = new_message("");
	struct source source = { .waits = true };
	struct bench bench;

	sem_init(&has_happened, 0, 0);
	begin(&bench, lost_in_content, one_message);
	send_well(&bench);
	ck_assert_ok(smtptls_message_set_body_cb(
	    message, give_line, rewind_line, &source));
	ck_assert_ok(send_message(&bench, message));
	ck_assert_int_eq(source.rewinds, 1);
	finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.clients), 2);
	smtptls_message_free(message);
}
END_TEST

/* More than fits anywhere on the way, so that its end never leaves. */
#define LARGE_LEN ((size_t)16 << 20)

static const struct step resets_in_content[] = { GREETED, MESSAGE, ENVELOPE,
	OCTETS(10000), STEP(RESET), END };

static void
set_large_content(struct smtptls_message *message, char *content, int fd)
{
	memset(content, 'x', LARGE_LEN);
	for (size_t i = 70; i < LARGE_LEN; i += 70)
		memcpy(content + i - 2, "\r\n", 2);
	if (fd < 0) {
		ck_assert_ok(
		    smtptls_message_set_body_mem(message, content, LARGE_LEN));
		return;
	}
	ck_assert_int_eq(write(fd, content, LARGE_LEN), (ssize_t)LARGE_LEN);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	ck_assert_ok(smtptls_message_set_body_fd(message, fd));
}

START_TEST(content_in_memory_and_in_files_is_sent_again)
{
	struct smtptls_message *message = new_message("");
	char *content = malloc(LARGE_LEN);
	FILE *file = _i == 0 ? NULL : tmpfile();
	struct bench bench;

	ck_assert_ptr_nonnull(content);
	begin_with(&bench,
	    (struct server_options){ .receive_buffer = 65536,
		.scripts = { resets_in_content, one_message } });
	send_well(&bench);
	set_large_content(message, content, file != NULL ? fileno(file) : -1);
	ck_assert_msg(send_message(&bench, message) == SMTPTLS_OK, "%s",
	    smtptls_message_error(message));
	finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.clients), 2);
	if (file != NULL)
		fclose(file);
	free(content);
	smtptls_message_free(message);
}
END_TEST

START_TEST(content_that_was_not_read_is_sent_again)
{
	struct smtptls_message *message = new_message("");
	struct source source = { 0 };
	struct bench bench;

	begin(&bench, lost_at_data, one_message);
	send_well(&bench);
	ck_assert_ok(
	    smtptls_message_set_body_cb(message, give_line, NULL, &source));
	ck_assert_ok(send_message(&bench, message));
	finish(&bench);
	smtptls_message_free(message);
}
END_TEST

/* The hook comes when the content has left, and the server is gone by then. */
static int
wait_for_loss(struct smtptls_message *message, void *arg)
{
	int *calls = arg;

	(void)message;
	++*calls;
	sem_post(&may_go_on);
	wait_until_it_happened();
	return SMTPTLS_OK;
}

static void
wait_for_hook(void *arg)
{
	(void)arg;
	sem_wait(&may_go_on);
}

static const struct step lost_before_end[] = { GREETED, MESSAGE, ENVELOPE,
	OCTETS(3), CALL(wait_for_hook, NULL), STEP(CLOSE), CALL(happen, NULL),
	END };

START_TEST(hook_is_called_for_one_connection)
{
	struct smtptls_message *message = new_message("a\r\n");
	struct bench bench;
	int hooks = 0;

	sem_init(&has_happened, 0, 0);
	sem_init(&may_go_on, 0, 0);
	begin(&bench, lost_before_end, NULL);
	send_well(&bench);
	ck_assert_ok(
	    smtptls_message_set_before_end(message, wait_for_loss, &hooks));
	ck_assert_int_eq(send_message(&bench, message), SMTPTLS_E_IO);
	ck_assert_int_eq(
	    smtptls_message_outcome(message, 0), SMTPTLS_OUTCOME_NOT_TRIED);
	ck_assert_int_eq(hooks, 1);
	finish(&bench);
	smtptls_message_free(message);
}
END_TEST

static int
give_nothing(void *buf, size_t cap, size_t *out_len, void *arg)
{
	(void)buf;
	(void)cap;
	(void)out_len;
	(void)arg;
	return SMTPTLS_E_IO;
}

static int
rewind_it(void *arg)
{
	(void)arg;
	return SMTPTLS_OK;
}

static const struct step swallows_content[] = { GREETED, MESSAGE, ENVELOPE,
	STEP(SWALLOW), END };

START_TEST(failure_of_the_message_is_no_reason_for_a_second_connection)
{
	struct smtptls_message *message = new_message("");
	struct bench bench;

	begin(&bench, swallows_content, NULL);
	send_well(&bench);
	ck_assert_ok(smtptls_message_set_body_cb(
	    message, give_nothing, rewind_it, NULL));
	ck_assert_int_eq(send_message(&bench, message), SMTPTLS_E_SOURCE);
	finish(&bench);
	smtptls_message_free(message);
}
END_TEST

/* --- limits --- */

START_TEST(message_waits_for_a_connection_so_long)
{
	struct smtptls_message *message = new_message(TALK_CONTENT);
	struct bench bench;
	struct slow slow;

	begin(&bench, two_messages, NULL);
	ck_assert_ok(smtptls_pool_set_connections_max(bench.pool, 1));
	ck_assert_ok(smtptls_pool_set_wait_ms(bench.pool, 50));
	start_slow(&slow, &bench);
	ck_assert_int_eq(send_message(&bench, message), SMTPTLS_E_TIMEOUT);
	ck_assert_str_eq(smtptls_message_error(message),
	    "no connection of the pool became free in time (all 1 are in use)");
	ck_assert_int_eq(
	    smtptls_message_outcome(message, 0), SMTPTLS_OUTCOME_NOT_TRIED);
	ck_assert_ok(finish_slow(&slow));
	ck_assert_ok(send_message(&bench, message));
	finish(&bench);
	smtptls_message_free(message);
}
END_TEST

START_TEST(message_that_waits_is_sent_when_a_connection_is_free)
{
	struct bench bench;
	struct slow slow;
	struct sender sender;

	begin(&bench, two_messages, NULL);
	ck_assert_ok(smtptls_pool_set_connections_max(bench.pool, 1));
	start_slow(&slow, &bench);
	sender = (struct sender){ .bench = &bench, .count = 1 };
	ck_assert_int_eq(
	    pthread_create(&sender.thread, NULL, send_numbers, &sender), 0);
	ck_assert_ok(finish_slow(&slow));
	ck_assert_int_eq(pthread_join(sender.thread, NULL), 0);
	ck_assert_int_eq(sender.failures, 0);
	finish(&bench);
}
END_TEST

static const struct step stalls[] = { GREETED, STEP(STALL), END };

START_TEST(message_has_a_deadline)
{
	struct smtptls_message *message = new_message(TALK_CONTENT);
	struct bench bench;

	begin(&bench, stalls, NULL);
	ck_assert_ok(smtptls_pool_set_deadline_ms(bench.pool, talk_ms(300)));
	ck_assert_int_eq(send_message(&bench, message), SMTPTLS_E_TIMEOUT);
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
	struct smtptls_message *message = new_message(TALK_CONTENT);
	struct bench bench;

	begin(&bench, stalls_later, NULL);
	ck_assert_ok(smtptls_pool_set_deadline_ms(bench.pool, talk_ms(500)));
	send_well(&bench);
	ck_assert_int_eq(send_message(&bench, message), SMTPTLS_E_TIMEOUT);
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
	let_pass(60);
	return set_up_client(client, arg);
}

START_TEST(deadline_that_has_passed_is_not_forgotten)
{
	struct smtptls_message *message = new_message(TALK_CONTENT);
	struct bench bench;

	begin_with(&bench,
	    (struct server_options){ .scripts = { serves }, .repeats = true });
	ck_assert_ok(
	    smtptls_pool_set_setup(bench.pool, set_up_for_long, &bench));
	ck_assert_ok(smtptls_pool_set_deadline_ms(bench.pool, 50));
	ck_assert_int_eq(send_message(&bench, message), SMTPTLS_E_TIMEOUT);
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

	begin(&bench, one_message, NULL);
	ck_assert_ok(smtptls_pool_set_deadline_ms(bench.pool, talk_ms(1000)));
	send_well(&bench);
	let_pass(talk_ms(1000));
	finish(&bench);
}
END_TEST

START_TEST(server_that_is_down_is_told_by_the_message)
{
	struct smtptls_message *message = new_message(TALK_CONTENT);
	struct bench bench;

	begin(&bench, NULL, NULL);
	server_free(bench.server);
	bench.server = NULL;
	ck_assert_int_eq(send_message(&bench, message), SMTPTLS_E_CONNECT);
	ck_assert_ptr_nonnull(
	    strstr(smtptls_message_error(message), "refused"));
	ck_assert_int_eq(
	    smtptls_message_outcome(message, 0), SMTPTLS_OUTCOME_NOT_TRIED);
	ck_assert_str_ne(smtptls_message_reply_text(message, 0), "");
	/* The pool goes on. */
	ck_assert_str_eq(smtptls_pool_error(bench.pool), "");
	ck_assert_int_eq(send_message(&bench, message), SMTPTLS_E_CONNECT);
	ck_assert_int_eq(atomic_load(&bench.clients), 2);
	smtptls_pool_free(bench.pool);
	smtptls_message_free(message);
	ck_assert_int_eq(test_count_fds(), bench.fds);
}
END_TEST

/* --- its end --- */

static const struct step does_not_part[] = { GREETED, MESSAGE, STEP(SWALLOW),
	END };

START_TEST(farewell_is_short)
{
	struct bench bench;
	stls_deadline before;

	begin(&bench, does_not_part, NULL);
	send_well(&bench);
	before = stls_now_ms();
	finish(&bench);
	ck_assert_int_lt(stls_now_ms() - before, talk_ms(MOMENT_MS + 4000));
	ck_assert_int_eq(atomic_load(&bench.clients), 1);
}
END_TEST

/* A message in mid content, one that waits, and one that comes later. */
START_TEST(cancelling_ends_everything)
{
	struct smtptls_message *message = new_message(TALK_CONTENT);
	struct sender waiting;
	struct bench bench;
	stls_deadline before;
	struct slow slow;

	begin(&bench, swallows_content, NULL);
	ck_assert_ok(smtptls_pool_set_connections_max(bench.pool, 1));
	send_well(&bench);
	start_slow(&slow, &bench);
	waiting = (struct sender){ .bench = &bench, .count = 1 };
	before = stls_now_ms();
	ck_assert_int_eq(
	    pthread_create(&waiting.thread, NULL, send_numbers, &waiting), 0);
	smtptls_pool_cancel(bench.pool);
	ck_assert_int_eq(pthread_join(waiting.thread, NULL), 0);
	ck_assert_int_eq(waiting.last, SMTPTLS_E_CANCELLED);
	ck_assert_int_lt(stls_now_ms() - before, talk_ms(LONG_MS) / 2);
	ck_assert_int_eq(finish_slow(&slow), SMTPTLS_E_CANCELLED);
	ck_assert_int_eq(send_message(&bench, message), SMTPTLS_E_CANCELLED);
	finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.mails), 2);
	smtptls_message_free(message);
}
END_TEST

START_TEST(cancelled_pool_uses_no_idle_connection)
{
	struct smtptls_message *message = new_message(TALK_CONTENT);
	struct bench bench;

	begin(&bench, does_not_part, NULL);
	send_well(&bench);
	smtptls_pool_cancel(bench.pool);
	ck_assert_int_eq(send_message(&bench, message), SMTPTLS_E_CANCELLED);
	finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.mails), 1);
	smtptls_message_free(message);
}
END_TEST

static int
try_in_child(struct bench *bench)
{
	struct smtptls_message *message = new_message(TALK_CONTENT);
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

	begin(&bench, two_messages, NULL);
	send_well(&bench);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		r = try_in_child(&bench);
		if (r != 0)
			_exit(r);
		end_well();
	}
	expect_a_good_end(pid);
	send_well(&bench);
	finish(&bench);
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
	struct smtptls_message *message = new_message("");
	struct bench bench;
	int r;

	begin(&bench, two_messages, NULL);
	send_well(&bench);
	ck_assert_ok(
	    smtptls_message_set_body_cb(message, give_and_fork, NULL, &bench));
	r = send_message(&bench, message);
	if (is_child) {
		if (r >= 0)
			_exit(3);
		end_well();
	}
	ck_assert_ok(r);
	finish(&bench);
	smtptls_message_free(message);
}
END_TEST

/* --- what is senseless --- */

START_TEST(message_that_is_not_complete_opens_nothing)
{
	struct smtptls_message *message = NULL;
	struct bench bench;

	begin(&bench, NULL, NULL);
	ck_assert_ok(smtptls_message_new(&message));
	ck_assert_int_eq(
	    smtptls_pool_send(bench.pool, message), SMTPTLS_E_INVALID);
	ck_assert_str_eq(
	    smtptls_message_error(message), "the sender is missing");
	ck_assert_int_eq(
	    smtptls_pool_send(bench.pool, NULL), SMTPTLS_E_INVALID);
	finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.clients), 0);
	smtptls_message_free(message);
}
END_TEST

START_TEST(message_that_everybody_has_is_not_sent_again)
{
	struct smtptls_message *message = new_message(TALK_CONTENT);
	struct bench bench;

	begin(&bench, one_message, NULL);
	ck_assert_ok(send_message(&bench, message));
	ck_assert_int_eq(
	    smtptls_pool_send(bench.pool, message), SMTPTLS_E_STATE);
	ck_assert_ok(smtptls_message_status(message));
	finish(&bench);
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
	struct smtptls_message *message = new_message(TALK_CONTENT);
	struct bench bench;

	begin(&bench, NULL, NULL);
	ck_assert_ok(
	    smtptls_pool_set_setup(bench.pool, setups[_i].setup, &bench));
	ck_assert_int_eq(send_message(&bench, message), setups[_i].status);
	ck_assert_ptr_nonnull(
	    strstr(smtptls_message_error(message), setups[_i].sentence));
	ck_assert_int_eq(
	    smtptls_message_outcome(message, 0), SMTPTLS_OUTCOME_NOT_TRIED);
	finish(&bench);
	smtptls_message_free(message);
}
END_TEST

START_TEST(settings_come_before_the_first_message)
{
	struct bench bench;

	begin(&bench, two_messages, NULL);
	send_well(&bench);
	ck_assert_int_eq(
	    smtptls_pool_set_idle_ms(bench.pool, 1), SMTPTLS_E_STATE);
	ck_assert_int_eq(
	    smtptls_pool_set_connections_max(bench.pool, 0), SMTPTLS_E_STATE);
	ck_assert_int_eq(
	    smtptls_pool_set_setup(bench.pool, NULL, NULL), SMTPTLS_E_STATE);
	ck_assert_str_eq(smtptls_pool_error(bench.pool), "");
	send_well(&bench);
	finish(&bench);
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
		message = new_message(TALK_CONTENT);
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
	struct smtptls_message *message = new_message(TALK_CONTENT);
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
	struct smtptls_message *message = new_message(TALK_CONTENT);

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

/* --- memory --- */

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
		r = smtptls_pool_set_setup(*pool, set_up_client, bench);
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
		begin_with(&bench, options);
		pool = NULL;
		for (i = 0; i < 2; i++)
			messages[i] = new_message(TALK_CONTENT);
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
	Suite *suite = suite_create("pool");
	TCase *tc = tcase_create("pool");

	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, setup, teardown);
	suite_add_tcase(suite, tc);
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
	tcase_add_loop_test(
	    tc, stale_connection_is_noticed_and_replaced, 0, COUNT(stale));
	tcase_add_loop_test(
	    tc, stale_connection_is_tidied_away, 0, COUNT(stale));
	tcase_add_loop_test(tc,
	    message_that_was_not_taken_goes_by_a_second_connection, 0,
	    COUNT(lost_early));
	tcase_add_test(tc, connection_that_is_new_is_not_replaced);
	tcase_add_test(tc, message_goes_by_a_second_connection_once);
	tcase_add_test(tc, second_connection_that_cannot_be_made_is_told);
	tcase_add_loop_test(
	    tc, message_with_an_outcome_is_not_sent_again, 0, COUNT(touched));
	tcase_add_test(
	    tc, content_that_was_read_and_cannot_be_rewound_is_not_sent_again);
	tcase_add_test(
	    tc, content_that_can_be_rewound_is_sent_again_from_its_start);
	tcase_add_loop_test(
	    tc, content_in_memory_and_in_files_is_sent_again, 0, 2);
	tcase_add_test(tc, content_that_was_not_read_is_sent_again);
	tcase_add_test(tc, hook_is_called_for_one_connection);
	tcase_add_test(
	    tc, failure_of_the_message_is_no_reason_for_a_second_connection);
	tcase_add_test(tc, message_waits_for_a_connection_so_long);
	tcase_add_test(
	    tc, message_that_waits_is_sent_when_a_connection_is_free);
	tcase_add_test(tc, message_has_a_deadline);
	tcase_add_test(tc, second_connection_has_no_deadline_of_its_own);
	tcase_add_test(tc, deadline_that_has_passed_is_not_forgotten);
	tcase_add_test(tc, goodbye_is_said_after_the_deadline_of_the_message);
	tcase_add_test(tc, server_that_is_down_is_told_by_the_message);
	tcase_add_test(tc, farewell_is_short);
	tcase_add_test(tc, cancelling_ends_everything);
	tcase_add_test(tc, cancelled_pool_uses_no_idle_connection);
	tcase_add_test(tc, child_leaves_the_pool_alone);
	tcase_add_test(tc, child_of_a_callback_leaves_the_pool_alone);
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
