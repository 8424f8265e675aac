/* SPDX-License-Identifier: MIT */
/* The hook before the end of the content, and what is told on the way. */
#include <errno.h>
#include <semaphore.h>
#include <string.h>
#include <time.h>

#include "client/envelope.h"
#include "client/slow-source.h"

struct hook {
	int calls;
	int agains;
	int result;
	struct smtptls_message *seen;
};

static int
before_end(struct smtptls_message *message, void *arg)
{
	struct hook *hook = arg;

	hook->calls++;
	hook->seen = message;
	/* Not decided yet: nothing was handed over. */
	ck_assert_int_eq(smtptls_message_status(message), SMTPTLS_AGAIN);
	if (hook->agains > 0) {
		hook->agains--;
		return SMTPTLS_AGAIN;
	}
	return hook->result;
}

START_TEST(hook_lets_the_end_go)
{
	struct hook hook = { .agains = ROW(_i) * 2 };
	struct talk talk;

	talk_begin(&talk, MODE(_i), accepting);
	talk_set_message(&talk);
	ck_assert_ok(
	    smtptls_message_set_before_end(talk.message, before_end, &hook));
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_int_eq(hook.calls, 1 + ROW(_i) * 2);
	ck_assert_ptr_eq(hook.seen, talk.message);
	ck_assert_ok(talk_quit(&talk));
	talk_hang_up(&talk);
	talk_assert_content(&talk, 0, TALK_CONTENT);
	talk_end(&talk);
}
END_TEST

START_TEST(hook_that_gives_up_holds_the_end_back)
{
	struct hook hook = { .agains = ROW(_i), .result = SMTPTLS_E_SOURCE };
	struct talk talk;

	talk_begin(&talk, MODE(_i), cut_off);
	talk_set_message(&talk);
	ck_assert_ok(
	    smtptls_message_set_before_end(talk.message, before_end, &hook));
	assert_cut_off(&talk, SMTPTLS_E_SOURCE, NULL);
	ck_assert_int_eq(hook.calls, 1 + ROW(_i));
}
END_TEST

static struct {
	uint64_t sent[8];
	size_t calls;
} progress;

static void
note_progress(uint64_t sent, void *arg)
{
	ck_assert_ptr_eq(arg, &progress);
	ck_assert_uint_lt(progress.calls, 8);
	progress.sent[progress.calls++] = sent;
}

START_TEST(progress_goes_from_nothing_to_all)
{
	struct talk talk;

	memset(&progress, 0, sizeof(progress));
	talk_begin(&talk, _i, accepting);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_message_set_progress(
	    talk.message, note_progress, &progress));
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_uint_eq(progress.calls, 2);
	ck_assert_uint_eq(progress.sent[0], 0);
	ck_assert_uint_eq(progress.sent[1], strlen(TALK_CONTENT));
	ck_assert_int_eq(
	    smtptls_message_set_progress(NULL, note_progress, &progress),
	    SMTPTLS_E_INVALID);
	ck_assert_ok(talk_quit(&talk));
	talk_finish(&talk);
}
END_TEST

/* Everything but the end has left when the hook is asked. */
static struct {
	struct talk *talk;
	int again;
} watched;

static int
wait_for_content(struct smtptls_message *message, void *arg)
{
	(void)message;
	(void)arg;
	return __atomic_load_n(&watched.again, __ATOMIC_SEQ_CST) ? SMTPTLS_AGAIN
								 : SMTPTLS_OK;
}

static void
content_is_there(void *arg)
{
	(void)arg;
	__atomic_store_n(&watched.again, 0, __ATOMIC_SEQ_CST);
}

static const struct step sees_content_first[] = {
	OFFER,
	MAIL,
	BOB_TAKEN,
	DATA,
	OCTETS(sizeof(TALK_CONTENT) - 1),
	CALL(content_is_there, NULL),
	LINE("."),
	SEND("250 queued\r\n"),
	END,
};

START_TEST(hook_is_asked_when_the_content_has_left)
{
	struct talk talk;

	watched.again = 1;
	talk_begin(&talk, _i, sees_content_first);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_message_set_before_end(
	    talk.message, wait_for_content, NULL));
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	talk_finish(&talk);
}
END_TEST

static sem_t content_came;

static void
tell_that_content_came(void *arg)
{
	(void)arg;
	sem_post(&content_came);
}

/* Nothing else is done meanwhile, so it has left, or never does. */
static int
wait_at_once(struct smtptls_message *message, void *arg)
{
	struct timespec until;
	int r;

	(void)message;
	(void)arg;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += talk_ms(5000) / 1000;
	do {
		r = sem_timedwait(&content_came, &until);
	} while (r < 0 && errno == EINTR);
	return r == 0 ? SMTPTLS_OK : SMTPTLS_E_SOURCE;
}

/* Little, and so much that its last octet is gathered with what follows. */
#define RECORD_LEN 16384
#define RECORDS_LEN (2 * RECORD_LEN)
#define SEES(len)                                                              \
	{                                                                      \
		OFFER, MAIL, BOB_TAKEN, DATA, OCTETS(len),                     \
		    CALL(tell_that_content_came, NULL), LINE("."),             \
		    SEND("250 queued\r\n"), END                                \
	}
static const struct step sees[2][12] = { SEES(44), SEES(RECORDS_LEN) };

/* Lines that fill so many octets. */
static void
set_lines(struct talk *talk, size_t len)
{
	static char lines[16 * RECORD_LEN];
	size_t i;

	for (i = 0; i < len; i += 64) {
		memset(lines + i, 'x', 62);
		memcpy(lines + i + 62, "\r\n", 2);
	}
	talk_set_content(talk, lines, len);
}

START_TEST(content_has_left_when_the_hook_is_asked_first)
{
	struct talk talk;

	sem_init(&content_came, 0, 0);
	talk_begin(&talk, MODE(_i), sees[ROW(_i)]);
	if (ROW(_i) == 0)
		talk_set_message(&talk);
	else
		set_lines(&talk, RECORDS_LEN);
	ck_assert_ok(
	    smtptls_message_set_before_end(talk.message, wait_at_once, NULL));
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	talk_finish(&talk);
}
END_TEST

/* A success that is there before the end was sent is none. */
static const struct step answers_before_the_end[] = {
	OFFER,
	MAIL,
	BOB_TAKEN,
	DATA,
	OCTETS(sizeof(TALK_CONTENT) - 1),
	SEND("250 queued\r\n"),
	CALL(content_is_there, NULL),
	STEP(SWALLOW),
	END,
};

START_TEST(success_before_the_end_is_an_error)
{
	struct talk talk;

	watched.again = 1;
	talk_begin(&talk, _i, answers_before_the_end);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_message_set_before_end(
	    talk.message, wait_for_content, NULL));
	assert_cut_off(&talk, SMTPTLS_E_PROTOCOL, NULL);
}
END_TEST

/*
 * It comes while the program is asked, and the last look was right before: of
 * so many records the last one is followed by one.
 */
START_TEST(success_while_the_hook_is_asked_is_an_error)
{
	static const struct step script[] = { OFFER, MAIL, BOB_TAKEN, DATA,
		OCTETS(16 * RECORD_LEN), SEND("250 queued\r\n"),
		CALL(tell_that_content_came, NULL), STEP(SWALLOW), END };
	struct talk talk;

	sem_init(&content_came, 0, 0);
	talk_begin(&talk, _i, script);
	set_lines(&talk, 16 * RECORD_LEN);
	ck_assert_ok(
	    smtptls_message_set_before_end(talk.message, wait_at_once, NULL));
	assert_cut_off(&talk, SMTPTLS_E_PROTOCOL, NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("body end");
	TCase *tc = talk_case(suite, "body end");

	talk_add(tc, hook_lets_the_end_go, 2, MODES);
	talk_add(tc, hook_that_gives_up_holds_the_end_back, 2, MODES);
	add_in_modes(tc, progress_goes_from_nothing_to_all);
	add_in_modes(tc, hook_is_asked_when_the_content_has_left);
	talk_add(tc, content_has_left_when_the_hook_is_asked_first, 2, MODES);
	add_in_modes(tc, success_before_the_end_is_an_error);
	add_in_modes(tc, success_while_the_hook_is_asked_is_an_error);
	return talk_run(suite);
}
