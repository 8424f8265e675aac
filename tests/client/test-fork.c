/* SPDX-License-Identifier: MIT */
/* Programs that fork in the middle of a conversation. */
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/envelope.h"

static const struct step whole[] = {
	SEND("250 x\r\n"),
	MAIL,
	BOB_TAKEN,
	DATA,
	STEP(CONTENT),
	SEND("250 ok\r\n"),
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

static const struct step parent_goes_on[] = {
	SEND("250 x\r\n"),
	LINE("NOOP"),
	SEND("250 ok\r\n"),
	LINE("NOOP"),
	SEND("250 ok\r\n"),
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

/* The child uses the client in vain, frees it, and has said nothing. */
static int
misuse_in_child(struct talk *talk)
{
	int bad = 0;

	bad |= smtptls_client_noop(talk->client) != SMTPTLS_E_FORKED;
	bad |= smtptls_client_drive(talk->client) != SMTPTLS_E_FORKED;
	bad |= smtptls_client_send(talk->client, talk->message) !=
	    SMTPTLS_E_FORKED;
	bad |= smtptls_client_quit(talk->client) != SMTPTLS_E_FORKED;
	bad |= smtptls_client_error(talk->client)[0] == '\0';
	smtptls_client_free(talk->client);
	return bad;
}

START_TEST(forked_child_leaves_the_conversation_alone)
{
	struct talk talk;
	int status = -1;
	pid_t pid;

	talk_begin(&talk, _i, parent_goes_on);
	talk_set_message(&talk);
	ck_assert_ok(talk_connect(&talk));
	ck_assert_ok(smtptls_client_noop(talk.client));
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		talk_leave_child(misuse_in_child(&talk) == 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_ok(smtptls_client_noop(talk.client));
	ck_assert_ok(talk_quit(&talk));
	talk_finish(&talk);
}
END_TEST

static sem_t gate;

static void
wait_for_gate(void *arg)
{
	(void)arg;
	sem_wait(&gate);
}

/* Between submitting and the outcome: the message is the parent's. */
START_TEST(forked_child_decides_no_outcome)
{
	static const struct step script[] = { SEND("250 x\r\n"), MAIL,
		BOB_TAKEN, LINE("DATA"), CALL(wait_for_gate, NULL),
		SEND("354 go\r\n"), STEP(CONTENT), SEND("250 ok\r\n"), END };
	struct talk talk;
	int status = -1, r;
	pid_t pid;

	sem_init(&gate, 0, 0);
	talk_begin(&talk,
	    STARTTLS_MODE(_i) == 0 ? STARTTLS_LOOP : IMPLICIT_LOOP, script);
	ck_assert_ok(smtptls_client_start(talk.client));
	talk_set_message(&talk);
	ck_assert_ok(smtptls_client_submit(talk.client, talk.message));
	ck_assert_int_eq(smtptls_client_drive(talk.client), SMTPTLS_AGAIN);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		r = smtptls_client_drive(talk.client);
		smtptls_client_free(talk.client);
		smtptls_message_free(talk.message);
		talk_leave_child(r == SMTPTLS_E_FORKED);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	sem_post(&gate);
	ck_assert_ok(talk_drive(&talk));
	ck_assert_ok(smtptls_message_status(talk.message));
	talk_finish(&talk);
}
END_TEST

/* A context works on both sides of a fork. */
START_TEST(forked_child_has_conversations_of_its_own)
{
	struct server_options options = { .prologue = talk_prologue(_i),
		.scripts = { whole, whole } };
	struct talk talk;
	int status = -1, r;
	pid_t pid;

	talk_begin_with(
	    &talk, _i, _i < STARTTLS_MODES ? "smtp" : "smtps", NULL, &options);
	talk_set_message(&talk);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct smtptls_client *client = NULL;
		char place[64];

		snprintf(place, sizeof(place), "127.0.0.1:%u",
		    (unsigned int)server_port(talk.server));
		r = smtptls_client_new(_i < STARTTLS_MODES
			? "smtp://" TALK_HOST
			: "smtps://" TALK_HOST,
		    world.context, &client);
		if (r == SMTPTLS_OK)
			r = smtptls_client_set_connect_to(client, place);
		if (r == SMTPTLS_OK)
			r = smtptls_client_send(client, talk.message);
		if (r == SMTPTLS_OK)
			r = smtptls_client_quit(client);
		smtptls_client_free(client);
		talk_leave_child(r == SMTPTLS_OK);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_ok(talk_send(&talk));
	ck_assert_ok(talk_quit(&talk));
	talk_finish(&talk);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fork");
	TCase *tc = talk_case(suite, "fork");

	add_in_modes(tc, forked_child_leaves_the_conversation_alone);
	tcase_add_loop_test(tc, forked_child_decides_no_outcome, 0, 2);
	add_in_modes(tc, forked_child_has_conversations_of_its_own);
	return talk_run(suite);
}
