/* SPDX-License-Identifier: MIT */
/* One message after another, and what is freed with the client. */
#include <poll.h>
#include <string.h>

#include "client/envelope.h"
#include "client/slow-source.h"

#define ACCEPT_ONE MAIL, BOB_TAKEN, DATA, STEP(CONTENT), SEND("250 queued\r\n")

static const struct step two_messages[] = {
	OFFER,
	ACCEPT_ONE,
	ACCEPT_ONE,
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

START_TEST(messages_follow_each_other_on_one_connection)
{
	struct talk talk;

	talk_begin(&talk, _i, two_messages);
	talk_set_message(&talk);
	ck_assert_ok(talk_send(&talk));
	smtptls_message_free(talk.message);
	talk.message = NULL;
	talk_set_message(&talk);
	ck_assert_ok(talk_send(&talk));
	ck_assert_ok(talk_quit(&talk));
	talk_hang_up(&talk);
	ck_assert_int_eq(server_connections(talk.server), 1);
	ck_assert_uint_eq(
	    server_content(talk.server, 0)->len, sizeof(TALK_CONTENT) - 1);
	ck_assert_uint_eq(
	    server_content(talk.server, 1)->len, sizeof(TALK_CONTENT) - 1);
	talk_end(&talk);
}
END_TEST

static const struct step refused_then_accepted[] = {
	OFFER,
	MAIL,
	RCPT("bob", "450 later\r\n"),
	RCPT("carol", "250 ok\r\n"),
	DATA,
	STEP(CONTENT),
	SEND("250 queued\r\n"),
	/* Only who was not accepted. */
	MAIL,
	BOB_TAKEN,
	DATA,
	STEP(CONTENT),
	SEND("250 queued\r\n"),
	END,
};

START_TEST(message_sent_again_goes_to_who_has_not_got_it)
{
	struct talk talk;

	talk_begin(&talk, _i, refused_then_accepted);
	talk_set_message(&talk);
	ck_assert_ok(
	    smtptls_message_add_recipient(talk.message, "carol@example.org"));
	ck_assert_int_eq(talk_send(&talk), SMTPTLS_E_PARTIAL);
	ck_assert_ok(talk_send(&talk));
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0), ACCEPTED);
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 1), ACCEPTED);
	/* Now everybody has it. */
	ck_assert_int_eq(talk_send(&talk), SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0), ACCEPTED);
	talk_finish(&talk);
}
END_TEST

static const struct step refused_then_next[] = {
	OFFER,
	MAIL,
	RCPT("bob", "550 who\r\n"),
	RSET,
	ACCEPT_ONE,
	END,
};

START_TEST(refused_message_leaves_the_connection_to_the_next)
{
	struct talk talk;

	talk_begin(&talk, _i, refused_then_next);
	talk_set_message(&talk);
	ck_assert_int_eq(talk_send(&talk), SMTPTLS_E_REFUSED);
	smtptls_message_free(talk.message);
	talk.message = NULL;
	talk_set_message(&talk);
	ck_assert_ok(talk_send(&talk));
	talk_finish(&talk);
}
END_TEST

/* A server that does not forget cannot be given another message. */
static const struct step reset_refused[] = {
	OFFER,
	MAIL,
	RCPT("bob", "550 who\r\n"),
	LINE("RSET"),
	SEND("500 what\r\n"),
	END,
};

START_TEST(refused_reset_ends_the_connection)
{
	struct talk talk;

	talk_begin(&talk, _i, reset_refused);
	talk_set_message(&talk);
	ck_assert_int_eq(talk_send(&talk), SMTPTLS_E_REFUSED);
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0), REFUSED);
	ck_assert_int_lt(smtptls_client_noop(talk.client), 0);
	talk_finish(&talk);
}
END_TEST

static const struct step submitted_together[] = {
	OFFER,
	ACCEPT_ONE,
	MAIL,
	RCPT("bob", "550 who\r\n"),
	RSET,
	ACCEPT_ONE,
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

START_TEST(submitted_messages_are_done_in_their_order)
{
	static const int expected[] = { SMTPTLS_OK, SMTPTLS_E_REFUSED,
		SMTPTLS_OK };
	struct smtptls_message *messages[3], *done;
	struct talk talk;
	int i;

	talk_begin(&talk,
	    STARTTLS_MODE(_i) == 0 ? STARTTLS_LOOP : IMPLICIT_LOOP,
	    submitted_together);
	ck_assert_ok(smtptls_client_start(talk.client));
	for (i = 0; i < 3; i++) {
		talk_set_message(&talk);
		messages[i] = talk.message;
		talk.message = NULL;
		ck_assert_ok(smtptls_client_submit(talk.client, messages[i]));
	}
	ck_assert_ok(smtptls_client_start_quit(talk.client));
	ck_assert_ok(talk_drive(&talk));
	for (i = 0; i < 3; i++) {
		done = smtptls_client_next_done(talk.client);
		ck_assert_ptr_eq(done, messages[i]);
		ck_assert_int_eq(smtptls_message_status(done), expected[i]);
		smtptls_message_free(done);
		smtptls_message_free(messages[i]);
	}
	ck_assert_ptr_null(smtptls_client_next_done(talk.client));
	talk_finish(&talk);
}
END_TEST

/* A good message behind it is not given up, as a 5xx would have it. */
START_TEST(fault_of_one_content_is_not_that_of_another_message)
{
	static const char bad[] = "Subject: a\0b\r\n";
	struct slow_source source = {
		.text = bad, .len = sizeof(bad) - 1, .fails_at = SIZE_MAX
	};
	struct smtptls_message *faulty;
	struct talk talk;

	talk_begin(&talk, _i, cut_off);
	slow_source_set(&talk, &source);
	faulty = talk.message;
	talk.message = NULL;
	ck_assert_ok(smtptls_client_start(talk.client));
	ck_assert_ok(smtptls_client_submit(talk.client, faulty));
	talk_set_message(&talk);
	ck_assert_ok(smtptls_client_submit(talk.client, talk.message));
	ck_assert_int_eq(talk_drive(&talk), SMTPTLS_E_SOURCE);
	ck_assert_int_eq(smtptls_message_status(faulty), SMTPTLS_E_SOURCE);
	ck_assert_int_eq(smtptls_message_status(talk.message), SMTPTLS_E_IO);
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0), NOT_TRIED);
	ck_assert_ptr_nonnull(strstr(smtptls_message_error(talk.message),
	    "because of another message: the content has a NUL"));
	smtptls_message_free(faulty);
	talk_finish(&talk);
}
END_TEST

static const struct step refused_for_now[] = {
	OFFER,
	PREFIX("MAIL FROM:<alice@example.org>"),
	SEND("451 later\r\n"),
	MAIL,
	BOB_TAKEN,
	DATA,
	STEP(CONTENT),
	SEND("250 queued\r\n"),
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

/* It is in one list at a time, of one client. */
START_TEST(message_is_not_submitted_again_before_it_was_given_back)
{
	struct smtptls_message *done;
	struct talk talk;

	talk_begin(&talk,
	    STARTTLS_MODE(_i) == 0 ? STARTTLS_LOOP : IMPLICIT_LOOP,
	    refused_for_now);
	ck_assert_ok(smtptls_client_start(talk.client));
	talk_set_message(&talk);
	ck_assert_ok(smtptls_client_submit(talk.client, talk.message));
	ck_assert_ok(talk_drive(&talk));
	ck_assert_int_eq(
	    smtptls_message_status(talk.message), SMTPTLS_E_REFUSED_LATER);
	ck_assert_int_eq(
	    smtptls_client_submit(talk.client, talk.message), SMTPTLS_E_STATE);
	ck_assert_int_eq(
	    smtptls_message_status(talk.message), SMTPTLS_E_REFUSED_LATER);

	done = smtptls_client_next_done(talk.client);
	ck_assert_ptr_eq(done, talk.message);
	smtptls_message_free(done);
	ck_assert_ok(smtptls_client_submit(talk.client, talk.message));
	ck_assert_ok(smtptls_client_start_quit(talk.client));
	ck_assert_ok(talk_drive(&talk));
	ck_assert_ok(smtptls_message_status(talk.message));
	talk_finish(&talk);
}
END_TEST

static const struct step refused_and_quit[] = {
	OFFER,
	PREFIX("MAIL FROM:<alice@example.org>"),
	SEND("451 later\r\n"),
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

START_TEST(message_that_comes_behind_quit_is_as_it_was)
{
	struct talk talk;

	talk_begin(&talk,
	    STARTTLS_MODE(_i) == 0 ? STARTTLS_LOOP : IMPLICIT_LOOP,
	    refused_and_quit);
	ck_assert_ok(smtptls_client_start(talk.client));
	talk_set_message(&talk);
	ck_assert_ok(smtptls_client_submit(talk.client, talk.message));
	ck_assert_ok(talk_drive(&talk));
	smtptls_message_free(smtptls_client_next_done(talk.client));
	ck_assert_ok(smtptls_client_start_quit(talk.client));
	ck_assert_int_eq(
	    smtptls_client_submit(talk.client, talk.message), SMTPTLS_E_STATE);
	ck_assert_int_eq(
	    smtptls_message_status(talk.message), SMTPTLS_E_REFUSED_LATER);
	ck_assert_ok(talk_drive(&talk));
	talk_finish(&talk);
}
END_TEST

static const struct step never_answers[] = {
	OFFER,
	MAIL,
	BOB_TAKEN,
	DATA,
	STEP(CONTENT),
	STEP(STALL),
	END,
};

static int lines_at_the_end;

/* What is said of the end is said while the client is being freed. */
static void
go_on(enum smtptls_trace_level level, const char *line, void *arg)
{
	(void)level;
	(void)line;
	lines_at_the_end++;
	ck_assert_int_eq(smtptls_client_drive(arg), SMTPTLS_E_STATE);
}

/* One that was handed over, one that was not begun. */
START_TEST(freeing_gives_every_message_its_outcome)
{
	struct smtptls_message *second;
	struct pollfd fds[8];
	struct talk talk;
	size_t n;

	talk_begin(&talk,
	    STARTTLS_MODE(_i) == 0 ? STARTTLS_LOOP : IMPLICIT_LOOP,
	    never_answers);
	ck_assert_ok(smtptls_client_start(talk.client));
	talk_set_message(&talk);
	second = talk.message;
	talk.message = NULL;
	talk_set_message(&talk);
	ck_assert_ok(smtptls_client_submit(talk.client, talk.message));
	ck_assert_ok(smtptls_client_submit(talk.client, second));
	while (strcmp(smtptls_client_step(talk.client), "end of data") != 0) {
		ck_assert_int_eq(
		    smtptls_client_drive(talk.client), SMTPTLS_AGAIN);
		if (strcmp(smtptls_client_step(talk.client), "end of data") ==
		    0)
			break;
		n = smtptls_client_pollfds(talk.client, fds, 8);
		ck_assert_int_ge(poll(fds, (nfds_t)n, 20000), 1);
	}
	/* Until the last octets have left. */
	do {
		ck_assert_int_eq(
		    smtptls_client_drive(talk.client), SMTPTLS_AGAIN);
		n = smtptls_client_pollfds(talk.client, fds, 8);
		ck_assert_uint_eq(n, 1);
	} while ((fds[0].events & POLLOUT) != 0);

	ck_assert_ok(smtptls_client_set_trace(
	    talk.client, SMTPTLS_TRACE_DEBUG, go_on, talk.client));
	lines_at_the_end = 0;
	smtptls_client_free(talk.client);
	ck_assert_int_gt(lines_at_the_end, 0);
	talk.client = NULL;
	ck_assert_int_eq(
	    smtptls_message_status(talk.message), SMTPTLS_E_IN_DOUBT);
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0), IN_DOUBT);
	ck_assert_int_eq(smtptls_message_status(second), SMTPTLS_E_CANCELLED);
	ck_assert_int_eq(smtptls_message_outcome(second, 0), NOT_TRIED);
	smtptls_message_free(second);
	talk_finish(&talk);
}
END_TEST

START_TEST(message_outlives_its_client)
{
	struct talk talk;

	talk_begin(&talk, STARTTLS_LOOP, never_answers);
	ck_assert_ok(smtptls_client_start(talk.client));
	talk_set_message(&talk);
	ck_assert_ok(smtptls_client_submit(talk.client, talk.message));
	/* A setter has to wait for the outcome. */
	ck_assert_int_eq(
	    smtptls_message_add_recipient(talk.message, "carol@example.org"),
	    SMTPTLS_E_STATE);
	ck_assert_int_eq(
	    smtptls_client_submit(talk.client, talk.message), SMTPTLS_E_STATE);
	smtptls_client_free(talk.client);
	talk.client = NULL;
	ck_assert_int_eq(
	    smtptls_message_status(talk.message), SMTPTLS_E_CANCELLED);
	ck_assert_str_ne(smtptls_message_error(talk.message), "");
	ck_assert_ok(
	    smtptls_message_add_recipient(talk.message, "carol@example.org"));
	talk_hang_up_early(&talk);
	talk_end(&talk);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("outcomes several");
	TCase *tc = talk_case(suite, "outcomes several");

	add_in_modes(tc, messages_follow_each_other_on_one_connection);
	add_in_modes(tc, message_sent_again_goes_to_who_has_not_got_it);
	add_in_modes(tc, refused_message_leaves_the_connection_to_the_next);
	add_in_modes(tc, refused_reset_ends_the_connection);
	tcase_add_loop_test(
	    tc, submitted_messages_are_done_in_their_order, 0, 2);
	add_in_modes(tc, fault_of_one_content_is_not_that_of_another_message);
	tcase_add_loop_test(
	    tc, message_is_not_submitted_again_before_it_was_given_back, 0, 2);
	tcase_add_loop_test(
	    tc, message_that_comes_behind_quit_is_as_it_was, 0, 2);
	tcase_add_loop_test(tc, freeing_gives_every_message_its_outcome, 0, 2);
	tcase_add_test(tc, message_outlives_its_client);
	return talk_run(suite);
}
