/* SPDX-License-Identifier: MIT */
/* A connection that is stale or lost, and the one that takes its place. */
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/pool-bench.h"

static const struct step says_421[] = { GREETED, MESSAGE,
	SEND("421 4.4.2 idle for too long\r\n"), CALL(bench_happen, NULL),
	STEP(SWALLOW), END };
static const struct step says_421_and_closes[] = { GREETED, MESSAGE,
	SEND("421 4.4.2 idle for too long\r\n"), STEP(BYE),
	CALL(bench_happen, NULL), STEP(SWALLOW), END };
static const struct step says_something[] = { GREETED, MESSAGE,
	SEND("250 ok\r\n"), CALL(bench_happen, NULL), STEP(SWALLOW), END };
static const struct step says_half[] = { GREETED, MESSAGE, SEND("250 o"),
	CALL(bench_happen, NULL), STEP(SWALLOW), END };
static const struct step says_bye[] = { GREETED, MESSAGE, STEP(BYE),
	CALL(bench_happen, NULL), STEP(SWALLOW), END };
static const struct step closes[] = { GREETED, MESSAGE, STEP(CLOSE),
	CALL(bench_happen, NULL), END };
static const struct step resets[] = { GREETED, MESSAGE, STEP(RESET),
	CALL(bench_happen, NULL), END };

static const struct step *const stale[] = { says_421, says_421_and_closes,
	says_something, says_half, says_bye, closes, resets };

START_TEST(stale_connection_is_noticed_and_replaced)
{
	struct bench bench;

	bench_begin(&bench, stale[_i], one_message);
	bench_send_well(&bench);
	bench_wait_until_it_happened();
	bench_send_well(&bench);
	ck_assert_int_eq(atomic_load(&bench.clients), 2);
	/* The second message was not tried with the first connection. */
	ck_assert_int_eq(atomic_load(&bench.mails), 2);
	bench_finish(&bench);
}
END_TEST

START_TEST(stale_connection_is_tidied_away)
{
	struct bench bench;

	bench_begin(&bench, stale[_i], NULL);
	bench_send_well(&bench);
	bench_wait_until_it_happened();
	ck_assert_int_eq(smtptls_pool_tidy(bench.pool), -1);
	bench_finish(&bench);
}
END_TEST

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

	bench_begin(&bench, lost_early[_i], one_message);
	bench_send_well(&bench);
	bench_send_well(&bench);
	bench_finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.clients), 2);
	ck_assert_int_eq(atomic_load(&bench.mails), 3);
}
END_TEST

static const struct step first_lost_at_mail[] = { GREETED, PREFIX("MAIL"),
	STEP(CLOSE), END };

START_TEST(connection_that_is_new_is_not_replaced)
{
	struct smtptls_message *message = bench_message(TALK_CONTENT);
	struct bench bench;

	bench_begin(&bench, first_lost_at_mail, NULL);
	ck_assert_int_eq(bench_send(&bench, message), SMTPTLS_E_IO);
	ck_assert_int_eq(
	    smtptls_message_outcome(message, 0), SMTPTLS_OUTCOME_NOT_TRIED);
	bench_finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.clients), 1);
	smtptls_message_free(message);
}
END_TEST

START_TEST(message_goes_by_a_second_connection_once)
{
	struct smtptls_message *message = bench_message(TALK_CONTENT);
	struct bench bench;

	bench_begin(&bench, lost_at_mail, first_lost_at_mail);
	bench_send_well(&bench);
	ck_assert_int_eq(bench_send(&bench, message), SMTPTLS_E_IO);
	ck_assert_int_eq(
	    smtptls_message_outcome(message, 0), SMTPTLS_OUTCOME_NOT_TRIED);
	bench_finish(&bench);
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
	struct smtptls_message *message = bench_message(TALK_CONTENT);
	struct bench bench;

	bench_begin(&bench, lost_at_mail, refuses_greeting);
	bench_send_well(&bench);
	ck_assert_int_lt(bench_send(&bench, message), 0);
	ck_assert_ptr_nonnull(
	    strstr(smtptls_message_error(message), "not today"));
	ck_assert_int_eq(
	    smtptls_message_outcome(message, 0), SMTPTLS_OUTCOME_NOT_TRIED);
	bench_finish(&bench);
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
	struct smtptls_message *message = bench_message(TALK_CONTENT);
	bool has_two = touched[_i].script == refused_at_rcpt_and_lost;
	struct bench bench;

	if (has_two)
		ck_assert_ok(smtptls_message_add_recipient(
		    message, "carol@example.org"));
	bench_begin(&bench, touched[_i].script, NULL);
	bench_send_well(&bench);
	ck_assert_int_lt(bench_send(&bench, message), 0);
	ck_assert_int_eq(
	    smtptls_message_outcome(message, 0), touched[_i].outcomes[0]);
	if (has_two)
		ck_assert_int_eq(smtptls_message_outcome(message, 1),
		    touched[_i].outcomes[1]);
	bench_finish(&bench);
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
		bench_wait_until_it_happened();
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
	STEP(CLOSE), CALL(bench_happen, NULL), END };

START_TEST(content_that_was_read_and_cannot_be_rewound_is_not_sent_again)
{
	struct smtptls_message *message = bench_message("");
	struct source source = { .waits = true };
	struct bench bench;

	bench_begin(&bench, lost_in_content, NULL);
	bench_send_well(&bench);
	ck_assert_ok(
	    smtptls_message_set_body_cb(message, give_line, NULL, &source));
	ck_assert_int_eq(bench_send(&bench, message), SMTPTLS_E_IO);
	ck_assert_int_eq(
	    smtptls_message_outcome(message, 0), SMTPTLS_OUTCOME_NOT_TRIED);
	ck_assert_int_gt(source.reads, 0);
	bench_finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.clients), 1);
	smtptls_message_free(message);
}
END_TEST

START_TEST(content_that_can_be_rewound_is_sent_again_from_its_start)
{
	struct smtptls_message *message = bench_message("");
	struct source source = { .waits = true };
	struct bench bench;

	bench_begin(&bench, lost_in_content, one_message);
	bench_send_well(&bench);
	ck_assert_ok(smtptls_message_set_body_cb(
	    message, give_line, rewind_line, &source));
	ck_assert_ok(bench_send(&bench, message));
	ck_assert_int_eq(source.rewinds, 1);
	bench_finish(&bench);
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
	struct smtptls_message *message = bench_message("");
	char *content = malloc(LARGE_LEN);
	FILE *file = _i == 0 ? NULL : tmpfile();
	struct bench bench;

	ck_assert_ptr_nonnull(content);
	bench_begin_with(&bench,
	    (struct server_options){ .receive_buffer = 65536,
		.scripts = { resets_in_content, one_message } });
	bench_send_well(&bench);
	set_large_content(message, content, file != NULL ? fileno(file) : -1);
	ck_assert_msg(bench_send(&bench, message) == SMTPTLS_OK, "%s",
	    smtptls_message_error(message));
	bench_finish(&bench);
	ck_assert_int_eq(atomic_load(&bench.clients), 2);
	if (file != NULL)
		fclose(file);
	free(content);
	smtptls_message_free(message);
}
END_TEST

START_TEST(content_that_was_not_read_is_sent_again)
{
	struct smtptls_message *message = bench_message("");
	struct source source = { 0 };
	struct bench bench;

	bench_begin(&bench, lost_at_data, one_message);
	bench_send_well(&bench);
	ck_assert_ok(
	    smtptls_message_set_body_cb(message, give_line, NULL, &source));
	ck_assert_ok(bench_send(&bench, message));
	bench_finish(&bench);
	smtptls_message_free(message);
}
END_TEST

/* The hook comes when the content has left, and the server is gone by then. */
static sem_t has_left;

static int
wait_for_loss(struct smtptls_message *message, void *arg)
{
	int *calls = arg;

	(void)message;
	++*calls;
	sem_post(&has_left);
	bench_wait_until_it_happened();
	return SMTPTLS_OK;
}

static void
wait_for_hook(void *arg)
{
	(void)arg;
	sem_wait(&has_left);
}

static const struct step lost_before_end[] = { GREETED, MESSAGE, ENVELOPE,
	OCTETS(3), CALL(wait_for_hook, NULL), STEP(CLOSE),
	CALL(bench_happen, NULL), END };

START_TEST(hook_is_called_for_one_connection)
{
	struct smtptls_message *message = bench_message("a\r\n");
	struct bench bench;
	int hooks = 0;

	sem_init(&has_left, 0, 0);
	bench_begin(&bench, lost_before_end, NULL);
	bench_send_well(&bench);
	ck_assert_ok(
	    smtptls_message_set_before_end(message, wait_for_loss, &hooks));
	ck_assert_int_eq(bench_send(&bench, message), SMTPTLS_E_IO);
	ck_assert_int_eq(
	    smtptls_message_outcome(message, 0), SMTPTLS_OUTCOME_NOT_TRIED);
	ck_assert_int_eq(hooks, 1);
	bench_finish(&bench);
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
	struct smtptls_message *message = bench_message("");
	struct bench bench;

	bench_begin(&bench, swallows_content, NULL);
	bench_send_well(&bench);
	ck_assert_ok(smtptls_message_set_body_cb(
	    message, give_nothing, rewind_it, NULL));
	ck_assert_int_eq(bench_send(&bench, message), SMTPTLS_E_SOURCE);
	bench_finish(&bench);
	smtptls_message_free(message);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pool replaced");
	TCase *tc = bench_case(suite, "pool replaced");

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
	return talk_run(suite);
}
