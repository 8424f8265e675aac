/* SPDX-License-Identifier: MIT */
/* What the client connects to, and how it is driven. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/envelope.h"

/* What is still called in time on a machine that is busy. */
#define LATE_MS talk_ms(10000)

static const struct step quiet[] = {
	STEP(STALL),
	END,
};

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

/* As an event loop does that wakes for other reasons. */
START_TEST(driving_without_need_does_no_harm)
{
	struct smtptls_message *done;
	struct pollfd fds[8];
	struct talk talk;
	int r, i;

	talk_begin(&talk,
	    STARTTLS_MODE(_i) == 0 ? STARTTLS_LOOP : IMPLICIT_LOOP, whole);
	ck_assert_ok(smtptls_client_drive(talk.client));
	ck_assert_uint_eq(smtptls_client_pollfds(talk.client, fds, 8), 0);
	ck_assert_int_eq(
	    smtptls_client_start_quit(talk.client), SMTPTLS_E_STATE);
	ck_assert_ok(smtptls_client_start(talk.client));
	ck_assert_int_eq(smtptls_client_start(talk.client), SMTPTLS_E_STATE);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_client_submit(talk.client, talk.message));
	ck_assert_ok(smtptls_client_start_quit(talk.client));
	do {
		for (i = 0; i < 5; i++) {
			r = smtptls_client_drive(talk.client);
			ck_assert_int_ge(r, 0);
		}
		if (r == SMTPTLS_AGAIN) {
			ck_assert_uint_eq(
			    smtptls_client_pollfds(talk.client, NULL, 0), 1);
			ck_assert_uint_eq(
			    smtptls_client_pollfds(talk.client, fds, 8), 1);
			ck_assert_int_eq(poll(fds, 1, LATE_MS), 1);
		}
	} while (r == SMTPTLS_AGAIN);
	done = smtptls_client_next_done(talk.client);
	ck_assert_ptr_eq(done, talk.message);
	smtptls_message_free(done);
	ck_assert_ok(smtptls_message_status(talk.message));
	ck_assert_ok(smtptls_client_drive(talk.client));
	ck_assert_uint_eq(smtptls_client_pollfds(talk.client, fds, 8), 0);
	ck_assert_int_eq(smtptls_client_timeout_ms(talk.client), -1);
	talk_finish(&talk);
}
END_TEST

START_TEST(refused_connection_is_told)
{
	struct smtptls_client *client = NULL;
	struct talk talk;
	char place[64];

	/* A port that was in use until now. */
	talk_begin_raw(&talk, STARTTLS_BLOCKING, quiet);
	snprintf(place, sizeof(place), "127.0.0.1:%u",
	    (unsigned int)server_port(talk.server));
	talk_hang_up_early(&talk);
	talk_end(&talk);

	ck_assert_ok(
	    smtptls_client_new("smtps://" TALK_HOST, world.context, &client));
	ck_assert_ok(smtptls_client_set_connect_to(client, place));
	ck_assert_int_eq(smtptls_client_connect(client), SMTPTLS_E_CONNECT);
	ck_assert_ptr_nonnull(strstr(smtptls_client_error(client), place));
	ck_assert_str_eq(smtptls_client_step(client), "connect");
	smtptls_client_free(client);
}
END_TEST

START_TEST(unix_socket_is_a_place_to_connect_to)
{
	struct server_options options = {
		.prologue = talk_prologue(_i),
		.scripts = { whole },
	};
	char dir[] = "/tmp/smtptls-test-XXXXXX", path[64], place[80];
	struct talk talk;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	snprintf(place, sizeof(place), "unix:%s", path);
	options.unix_path = path;
	talk_begin_with(
	    &talk, _i, _i < STARTTLS_MODES ? "smtp" : "smtps", NULL, &options);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_str_eq(smtptls_client_peer(talk.client), place);
	/* What is verified is still the host of the URL. */
	ck_assert_int_eq(
	    smtptls_session_is_verified(smtptls_client_session(talk.client)),
	    1);
	ck_assert_ok(talk_quit(&talk));
	talk_finish(&talk);
	ck_assert_ok(unlink(path));
	ck_assert_ok(rmdir(dir));
}
END_TEST

#define RESET_IN_CONTENT                                                       \
	SEND("250 x\r\n"), PREFIX("MAIL"), SEND("250 ok\r\n"), PREFIX("RCPT"), \
	    SEND("250 ok\r\n"), LINE("DATA"), SEND("354 go\r\n"), OCTETS(100), \
	    STEP(RESET), END

/* A unix socket has the signal at the first write to a peer that is gone. */
static const struct gone {
	struct step script[12];
	bool is_unix, is_in_clear;
} gone[] = {
	{ { RESET_IN_CONTENT }, false, false },
	{ { RESET_IN_CONTENT }, true, false },
	{ { SEND("220 x\r\n"), PREFIX("EHLO "), RESET_IN_CONTENT }, true,
	    true },
};

static void
begin_with_who_is_gone(
    struct talk *talk, int mode, const struct gone *row, const char *path)
{
	struct server_options options = {
		.prologue = row->is_in_clear ? NULL : talk_prologue(mode),
		.scripts = { row->script },
		.unix_path = row->is_unix ? path : NULL,
	};

	talk_begin_with(talk, mode, mode < STARTTLS_MODES ? "smtp" : "smtps",
	    NULL, &options);
	talk->is_in_clear = row->is_in_clear;
	if (row->is_in_clear)
		ck_assert_ok(smtptls_client_insecure_no_tls(talk->client));
}

/* Writing to a peer that is gone raises no signal. */
START_TEST(sigpipe_is_never_raised)
{
	const struct gone *row = &gone[ROW(_i)];
	static char big[8 * 1024 * 1024];
	char dir[] = "/tmp/smtptls-test-XXXXXX", path[64];
	struct talk talk;

	if (row->is_in_clear && MODE(_i) >= STARTTLS_MODES)
		return;
	signal(SIGPIPE, SIG_DFL);
	memset(big, 'x', sizeof(big));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	begin_with_who_is_gone(&talk, MODE(_i), row, path);
	talk_set_content(&talk, big, sizeof(big));
	ck_assert_int_lt(talk_send(&talk), 0);
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0),
	    SMTPTLS_OUTCOME_NOT_TRIED);
	talk_finish(&talk);
	(void)unlink(path);
	ck_assert_ok(rmdir(dir));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("connect");
	TCase *tc = talk_case(suite, "connect");

	tcase_add_loop_test(tc, driving_without_need_does_no_harm, 0, 2);
	tcase_add_test(tc, refused_connection_is_told);
	add_in_modes(tc, unix_socket_is_a_place_to_connect_to);
	add_rows_in_modes(tc, sigpipe_is_never_raised, gone);
	return talk_run(suite);
}
