/* SPDX-License-Identifier: MIT */
/* Where the content comes from, and what its source may do. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/envelope.h"
#include "client/slow-source.h"

START_TEST(file_is_read_from_its_offset)
{
	static const char text[] = "skip this" TALK_CONTENT;
	struct talk talk;
	const char *path;
	int fd;

	path = factory_file(world.factory, "body", text);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(lseek(fd, 9, SEEK_SET), 9);
	talk_begin(&talk, _i, accepting);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_message_set_body_fd(talk.message, fd));
	ck_assert_ok(talk_send(&talk));
	ck_assert_ok(talk_quit(&talk));
	talk_hang_up(&talk);
	talk_assert_content(&talk, 0, TALK_CONTENT);
	talk_end(&talk);
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

static int pipe_fds[2];

/* In the server's thread: the content comes when DATA was said. */
static void
fill_pipe(void *arg)
{
	const char *text = arg;

	if (write(pipe_fds[1], text, strlen(text)) < 0)
		abort();
	close(pipe_fds[1]);
}

static char pipe_content[] = TALK_CONTENT;

static const struct step waits_for_pipe[] = {
	OFFER,
	/* Neither its length nor whether it is 8-bit is known. */
	LINE("MAIL FROM:<alice@example.org> BODY=8BITMIME"),
	SEND("250 ok\r\n"),
	BOB_TAKEN,
	LINE("DATA"),
	SEND("354 go\r\n"),
	CALL(fill_pipe, pipe_content),
	STEP(CONTENT),
	SEND("250 queued\r\n"),
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

START_TEST(pipe_that_is_slow_is_waited_for)
{
	struct talk talk;

	talk_begin(&talk, _i, waits_for_pipe);
	ck_assert_ok(pipe(pipe_fds));
	/* Blocking or not, the loop does not block in it. */
	ck_assert_int_ge(fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK), 0);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_message_set_body_fd(talk.message, pipe_fds[0]));
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	talk_hang_up(&talk);
	talk_assert_content(&talk, 0, TALK_CONTENT);
	ck_assert_int_eq(close(pipe_fds[0]), 0);
	talk_end(&talk);
}
END_TEST

START_TEST(descriptor_that_cannot_be_read_is_an_error)
{
	struct talk talk;
	int fd;

	fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	talk_begin(&talk, _i, cut_off);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_message_set_body_fd(talk.message, fd));
	assert_cut_off(&talk, SMTPTLS_E_SOURCE, strerror(EBADF));
	close(fd);
}
END_TEST

START_TEST(source_that_says_again_is_asked_again)
{
	struct slow_source source = {
		.text = "ab\n.c", .len = 5, .stalls = true, .fails_at = SIZE_MAX
	};
	struct talk talk;

	talk_begin(&talk, _i, accepting);
	slow_source_set(&talk, &source);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	talk_hang_up(&talk);
	talk_assert_content(&talk, 0, "ab\r\n..c\r\n");
	talk_end(&talk);
}
END_TEST

static const size_t failing_at[] = { 0, 1, 10, sizeof(TALK_CONTENT) - 1 };

START_TEST(source_that_fails_sends_no_final_dot)
{
	struct slow_source source = { .text = TALK_CONTENT,
		.len = sizeof(TALK_CONTENT) - 1,
		.fails_at = failing_at[ROW(_i)] };
	struct talk talk;

	talk_begin(&talk, MODE(_i), cut_off);
	slow_source_set(&talk, &source);
	assert_cut_off(&talk, SMTPTLS_E_SOURCE, "source");
}
END_TEST

static int
read_too_much(void *buf, size_t cap, size_t *out_len, void *arg)
{
	(void)buf;
	(void)arg;
	*out_len = cap + 1;
	return SMTPTLS_OK;
}

START_TEST(source_that_gives_too_much_is_an_error)
{
	struct talk talk;

	talk_begin(&talk, _i, cut_off);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_message_set_body_cb(
	    talk.message, read_too_much, NULL, NULL));
	assert_cut_off(&talk, SMTPTLS_E_SOURCE, NULL);
}
END_TEST

static const struct step twice[] = {
	OFFER,
	MAIL,
	BOB_TAKEN,
	DATA,
	STEP(CONTENT),
	SEND("451 later\r\n"),
	MAIL,
	BOB_TAKEN,
	DATA,
	STEP(CONTENT),
	SEND("250 queued\r\n"),
	END,
};

START_TEST(second_attempt_rewinds)
{
	struct slow_source source = { .text = TALK_CONTENT,
		.len = sizeof(TALK_CONTENT) - 1,
		.fails_at = SIZE_MAX };
	struct talk talk;

	talk_begin(&talk, _i, twice);
	slow_source_set(&talk, &source);
	ck_assert_int_eq(talk_send(&talk), SMTPTLS_E_REFUSED_LATER);
	ck_assert_ok(talk_send(&talk));
	ck_assert_int_eq(source.rewinds, 1);
	talk_hang_up(&talk);
	talk_assert_content(&talk, 0, TALK_CONTENT);
	talk_assert_content(&talk, 1, TALK_CONTENT);
	talk_end(&talk);
}
END_TEST

static struct talk *asking;

static int
rewind_and_submit(void *arg)
{
	struct slow_source *source = arg;

	source->at = 0;
	source->rewinds++;
	ck_assert_int_eq(smtptls_client_submit(asking->client, asking->message),
	    SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_client_drive(asking->client), SMTPTLS_E_STATE);
	return SMTPTLS_OK;
}

START_TEST(source_that_rewinds_cannot_submit)
{
	struct slow_source source = { .text = TALK_CONTENT,
		.len = sizeof(TALK_CONTENT) - 1,
		.fails_at = SIZE_MAX };
	struct talk talk;

	talk_begin(&talk, _i, twice);
	slow_source_set(&talk, &source);
	ck_assert_ok(smtptls_message_set_body_cb(
	    talk.message, slow_source_read, rewind_and_submit, &source));
	asking = &talk;
	ck_assert_int_eq(talk_send(&talk), SMTPTLS_E_REFUSED_LATER);
	ck_assert_ok(talk_send(&talk));
	ck_assert_int_eq(source.rewinds, 1);
	talk_finish(&talk);
}
END_TEST

static const struct step once[] = {
	OFFER,
	MAIL,
	BOB_TAKEN,
	DATA,
	STEP(CONTENT),
	SEND("451 later\r\n"),
	END,
};

START_TEST(without_rewind_there_is_no_second_attempt)
{
	struct slow_source source = { .text = TALK_CONTENT,
		.len = sizeof(TALK_CONTENT) - 1,
		.fails_at = SIZE_MAX };
	struct talk talk;

	talk_begin(&talk, _i, once);
	slow_source_set(&talk, &source);
	ck_assert_ok(smtptls_message_set_body_cb(
	    talk.message, slow_source_read, NULL, &source));
	ck_assert_int_eq(talk_send(&talk), SMTPTLS_E_REFUSED_LATER);
	ck_assert_int_eq(talk_send(&talk), SMTPTLS_E_SOURCE);
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0),
	    SMTPTLS_OUTCOME_REFUSED_LATER);
	talk_finish(&talk);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("body sources");
	TCase *tc = talk_case(suite, "body sources");

	add_in_modes(tc, file_is_read_from_its_offset);
	add_in_modes(tc, pipe_that_is_slow_is_waited_for);
	add_in_modes(tc, descriptor_that_cannot_be_read_is_an_error);
	add_in_modes(tc, source_that_says_again_is_asked_again);
	add_rows_in_modes(tc, source_that_fails_sends_no_final_dot, failing_at);
	add_in_modes(tc, source_that_gives_too_much_is_an_error);
	add_in_modes(tc, second_attempt_rewinds);
	add_in_modes(tc, source_that_rewinds_cannot_submit);
	add_in_modes(tc, without_rewind_there_is_no_second_attempt);
	return talk_run(suite);
}
