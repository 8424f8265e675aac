/* SPDX-License-Identifier: MIT */
/* Servers that are slow, and programs that will not wait or that fork. */
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "client/envelope.h"

#define SHORT_MS talk_ms(100)
/* What is still called in time on a machine that is busy. */
#define LATE_MS talk_ms(10000)

#define GREETING SEND("220 mail.example.org ESMTP\r\n")
#define UP_TO_TLS                                                              \
	GREETING, PREFIX("EHLO "), SEND("250-x\r\n250 STARTTLS\r\n"),          \
	    LINE("STARTTLS"), SEND("220 go\r\n")

/* --- a limit for each phase --- */

static const struct silence {
	enum smtptls_phase phase;
	bool is_raw; /* for the modes that begin in clear */
	const struct step script[14];
	int status;
	const char *sentence;
} silences[] = {
	{ SMTPTLS_PHASE_GREETING, true, { STEP(STALL) }, SMTPTLS_E_TIMEOUT,
	    "(at: greeting); a port for implicit TLS is reached by smtps://" },
	{ SMTPTLS_PHASE_COMMAND, true,
	    { GREETING, PREFIX("EHLO "), STEP(STALL) }, SMTPTLS_E_TIMEOUT,
	    "EHLO" },
	{ SMTPTLS_PHASE_COMMAND, true,
	    { GREETING, PREFIX("EHLO "), SEND("250-x\r\n250 STARTTLS\r\n"),
		LINE("STARTTLS"), STEP(STALL) },
	    SMTPTLS_E_TIMEOUT, "STARTTLS" },
	{ SMTPTLS_PHASE_HANDSHAKE, true,
	    { UP_TO_TLS, OCTETS(5), STEP(STALL), STEP(SWALLOW) },
	    SMTPTLS_E_TIMEOUT, "TLS" },
	{ SMTPTLS_PHASE_COMMAND, false, { STEP(STALL) }, SMTPTLS_E_TIMEOUT,
	    "EHLO" },
	{ SMTPTLS_PHASE_COMMAND, false,
	    { SEND("250 x\r\n"), PREFIX("MAIL"), STEP(STALL) },
	    SMTPTLS_E_TIMEOUT, "MAIL" },
	{ SMTPTLS_PHASE_COMMAND, false,
	    { SEND("250 x\r\n"), MAIL, PREFIX("RCPT"), STEP(STALL) },
	    SMTPTLS_E_TIMEOUT, "RCPT" },
	{ SMTPTLS_PHASE_DATA_START, false,
	    { SEND("250 x\r\n"), MAIL, BOB_TAKEN, LINE("DATA"), STEP(STALL) },
	    SMTPTLS_E_TIMEOUT, "DATA" },
	{ SMTPTLS_PHASE_DATA_END, false,
	    { SEND("250 x\r\n"), MAIL, BOB_TAKEN, DATA, STEP(CONTENT),
		STEP(STALL) },
	    SMTPTLS_E_IN_DOUBT, "end of data" },
};

START_TEST(silence_is_bounded_in_each_phase)
{
	const struct silence *row = &silences[ROW(_i)];
	int mode = MODE(_i);
	int64_t before;
	struct talk talk;

	if (row->is_raw && mode >= STARTTLS_MODES)
		return;
	if (row->is_raw)
		talk_begin_raw(&talk, mode, row->script);
	else
		talk_begin(&talk, mode, row->script);
	talk_set_message(&talk);
	ck_assert_ok(
	    smtptls_client_set_timeout_ms(talk.client, row->phase, SHORT_MS));
	before = stls_now_ms();
	talk_assert_failed(&talk, talk_send(&talk), row->status, NULL);
	ck_assert_int_ge(stls_now_ms() - before, SHORT_MS);
	ck_assert_int_lt(stls_now_ms() - before, LATE_MS);
	ck_assert_msg(
	    strstr(smtptls_client_error(talk.client), row->sentence) != NULL,
	    "%s", smtptls_client_error(talk.client));
	ck_assert_int_eq(smtptls_client_noop(talk.client), SMTPTLS_E_TIMEOUT);
	talk_finish(&talk);
}
END_TEST

START_TEST(quit_does_not_wait_long)
{
	static const struct step script[] = { SEND("250 x\r\n"), LINE("QUIT"),
		STEP(STALL), END };
	struct talk talk;

	talk_begin(&talk, _i, script);
	ck_assert_ok(talk_connect(&talk));
	ck_assert_ok(smtptls_client_set_timeout_ms(
	    talk.client, SMTPTLS_PHASE_QUIT, SHORT_MS));
	ck_assert_int_eq(talk_quit(&talk), SMTPTLS_E_TIMEOUT);
	talk_finish(&talk);
}
END_TEST

/* Each reply starts the limit again: all together may take longer. */
static const struct step slow_but_steady[] = {
	DRIP("250 x\r\n"),
	PREFIX("MAIL"),
	DRIP("250 ok, if it must be\r\n"),
	PREFIX("RCPT"),
	DRIP("250 ok, if it must be\r\n"),
	LINE("DATA"),
	DRIP("354 go, if it must be\r\n"),
	STEP(CONTENT),
	DRIP("250 ok, if it must be\r\n"),
	END,
};

START_TEST(each_reply_in_time_is_enough)
{
	struct talk talk;

	talk_begin(&talk, _i, slow_but_steady);
	ck_assert_ok(smtptls_client_set_timeout_ms(
	    talk.client, SMTPTLS_PHASE_COMMAND, LATE_MS));
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	talk_finish(&talk);
}
END_TEST

/* Each piece that the server takes starts it again as well. */
START_TEST(server_that_reads_slowly_gets_it_all)
{
	static const struct step script[] = { SEND("250 x\r\n"), MAIL,
		BOB_TAKEN, DATA, STEP(SIPS), SEND("250 ok\r\n"), END };
	struct server_options options = { .prologue = talk_prologue(_i),
		.scripts = { script },
		.receive_buffer = 32768 };
	static char big[4 * 1024 * 1024];
	struct talk talk;
	int64_t before;

	memset(big, 'x', sizeof(big));
	talk_begin_with(
	    &talk, _i, _i < STARTTLS_MODES ? "smtp" : "smtps", NULL, &options);
	ck_assert_ok(talk_connect(&talk));
	ck_assert_ok(smtptls_client_set_timeout_ms(
	    talk.client, SMTPTLS_PHASE_DATA_BLOCK, talk_ms(200)));
	talk_set_content(&talk, big, sizeof(big));
	before = stls_now_ms();
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_int_gt(stls_now_ms() - before, 200);
	talk_hang_up(&talk);
	ck_assert_uint_eq(server_content(talk.server, 0)->len, sizeof(big) + 2);
	talk_end(&talk);
}
END_TEST

/* --- dripping --- */

#define TEN(s) s s s s s s s s s s
#define THOUSAND(s) TEN(TEN(TEN(s)))

static const struct drip_row {
	bool is_raw;
	const struct step script[16];
	bool in_doubt;
} drips[] = {
	{ true, { DRIP("220-" THOUSAND("x")), STEP(STALL) }, false },
	{ true,
	    { GREETING, PREFIX("EHLO "), DRIP(TEN(TEN("250-x\r\n"))),
		STEP(STALL) },
	    false },
	{ true, { UP_TO_TLS, STEP(TLS_DRIP), STEP(SWALLOW) }, false },
	{ false, { DRIP("250-" THOUSAND("x")), STEP(STALL) }, false },
	{ false,
	    { SEND("250 x\r\n"), PREFIX("MAIL"), DRIP("250 " THOUSAND("x")),
		STEP(STALL) },
	    false },
	{ false,
	    { SEND("250 x\r\n"), MAIL, BOB_TAKEN, DATA, STEP(CONTENT),
		DRIP("250-" THOUSAND("x")), STEP(STALL) },
	    true },
};

/* One octet after another is progress for nobody but the server. */
START_TEST(dripping_does_not_pass_the_deadline)
{
	const struct drip_row *row = &drips[ROW(_i)];
	int mode = MODE(_i);
	struct talk talk;
	int64_t before;

	if (row->is_raw && mode >= STARTTLS_MODES)
		return;
	if (row->is_raw)
		talk_begin_raw(&talk, mode, row->script);
	else
		talk_begin(&talk, mode, row->script);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_client_set_deadline_ms(talk.client, 3 * SHORT_MS));
	before = stls_now_ms();
	talk_assert_failed(&talk, talk_send(&talk),
	    row->in_doubt ? SMTPTLS_E_IN_DOUBT : SMTPTLS_E_TIMEOUT, NULL);
	ck_assert_int_lt(stls_now_ms() - before, LATE_MS);
	ck_assert_ptr_nonnull(
	    strstr(smtptls_client_error(talk.client), "deadline"));
	talk_hang_up_early(&talk);
	talk_end(&talk);
}
END_TEST

START_TEST(deadline_without_a_greeting_names_the_usual_reason)
{
	static const struct step script[] = { STEP(STALL), END };
	struct talk talk;

	talk_begin_raw(&talk, _i, script);
	ck_assert_ok(smtptls_client_set_deadline_ms(talk.client, SHORT_MS));
	ck_assert_int_eq(talk_connect(&talk), SMTPTLS_E_TIMEOUT);
	ck_assert_ptr_nonnull(
	    strstr(smtptls_client_error(talk.client), "reached by smtps://"));
	talk_hang_up_early(&talk);
	talk_end(&talk);
}
END_TEST

/* And no reply that is never complete holds the limit of its phase up. */
START_TEST(dripping_does_not_pass_the_limit_of_its_phase)
{
	static const struct step script[] = { SEND("250 x\r\n"), PREFIX("MAIL"),
		DRIP("250-" THOUSAND("x")), DRIP(THOUSAND("x")),
		DRIP(THOUSAND("x")), DRIP(THOUSAND("x")), STEP(STALL), END };
	struct talk talk;

	talk_begin(&talk, _i, script);
	talk_set_message(&talk);
	ck_assert_ok(talk_connect(&talk));
	ck_assert_ok(smtptls_client_set_timeout_ms(
	    talk.client, SMTPTLS_PHASE_COMMAND, SHORT_MS));
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_E_TIMEOUT,
	    "did not answer within");
	talk_hang_up_early(&talk);
	talk_end(&talk);
}
END_TEST

/* A deadline that passed while nothing was under way harms the next thing. */
START_TEST(deadline_can_be_taken_back)
{
	static const struct step script[] = { SEND("250 x\r\n"), LINE("NOOP"),
		SEND("250 ok\r\n"), LINE("NOOP"), STEP(STALL), END };
	struct talk talk;

	talk_begin(&talk, _i, script);
	ck_assert_ok(smtptls_client_set_deadline_ms(talk.client, 0));
	ck_assert_ok(talk_connect(&talk));
	ck_assert_ok(smtptls_client_noop(talk.client));
	ck_assert_int_eq(
	    smtptls_client_set_deadline_ms(talk.client, -1), SMTPTLS_E_INVALID);
	ck_assert_ok(smtptls_client_set_deadline_ms(talk.client, SHORT_MS));
	ck_assert_int_eq(smtptls_client_noop(talk.client), SMTPTLS_E_TIMEOUT);
	talk_finish(&talk);
}
END_TEST

/* --- cancelling --- */

static struct smtptls_client *to_cancel;

static void
cancel(void *arg)
{
	(void)arg;
	smtptls_client_cancel(to_cancel);
}

static const struct cancel_row {
	const struct step script[16];
	int status;
} cancels[] = {
	{ { CALL(cancel, NULL), STEP(STALL) }, SMTPTLS_E_CANCELLED },
	{ { SEND("250 x\r\n"), PREFIX("MAIL"), CALL(cancel, NULL),
	      STEP(STALL) },
	    SMTPTLS_E_CANCELLED },
	{ { SEND("250 x\r\n"), MAIL, BOB_TAKEN, LINE("DATA"),
	      CALL(cancel, NULL), STEP(STALL) },
	    SMTPTLS_E_CANCELLED },
	{ { SEND("250 x\r\n"), MAIL, BOB_TAKEN, DATA, STEP(CONTENT),
	      CALL(cancel, NULL), STEP(STALL) },
	    SMTPTLS_E_IN_DOUBT },
};

START_TEST(other_thread_cancels_a_call_that_waits)
{
	const struct cancel_row *row = &cancels[ROW(_i)];
	int mode = _i % 2 == 0 ? STARTTLS_BLOCKING : IMPLICIT_BLOCKING;
	struct talk talk;

	talk_begin(&talk, mode, row->script);
	to_cancel = talk.client;
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), row->status, NULL);
	ck_assert_str_eq(smtptls_client_error(talk.client), "cancelled");
	ck_assert_int_eq(smtptls_client_noop(talk.client), SMTPTLS_E_CANCELLED);
	talk_finish(&talk);
}
END_TEST

/* A source without an end, and what it does the first time. */
static struct endless {
	void (*first)(void);
	int asked;
} endless;

static int
read_endless(void *buf, size_t cap, size_t *out_len, void *arg)
{
	(void)arg;
	if (endless.asked++ == 0)
		endless.first();
	memset(buf, '\n', cap);
	*out_len = cap;
	return SMTPTLS_OK;
}

static void
cancel_it(void)
{
	smtptls_client_cancel(to_cancel);
}

static stls_deadline its_deadline;

static void
pass_deadline(void)
{
	while (stls_deadline_left_ms(its_deadline) > 0)
		continue;
}

static const struct step swallowing[] = {
	SEND("250 x\r\n"),
	MAIL,
	BOB_TAKEN,
	DATA,
	STEP(SWALLOW),
	END,
};

/* Where neither side ever has to wait, nobody would look at the clock. */
START_TEST(content_without_an_end_is_stopped)
{
	bool is_cancelled = ROW(_i) == 0;
	struct talk talk;

	talk_begin(&talk, MODE(_i), swallowing);
	to_cancel = talk.client;
	endless = (struct endless){ is_cancelled ? cancel_it : pass_deadline,
		0 };
	ck_assert_ok(smtptls_message_new(&talk.message));
	ck_assert_ok(smtptls_message_set_sender(talk.message, TALK_SENDER));
	ck_assert_ok(
	    smtptls_message_add_recipient(talk.message, TALK_RECIPIENT));
	ck_assert_ok(smtptls_message_set_body_cb(
	    talk.message, read_endless, NULL, NULL));
	ck_assert_ok(talk_connect(&talk));
	if (!is_cancelled) {
		ck_assert_ok(
		    smtptls_client_set_deadline_ms(talk.client, 3 * SHORT_MS));
		its_deadline = stls_deadline_in(3 * SHORT_MS);
	}
	talk_assert_failed(&talk, talk_send(&talk),
	    is_cancelled ? SMTPTLS_E_CANCELLED : SMTPTLS_E_TIMEOUT, NULL);
	ck_assert_int_eq(endless.asked, 1);
	talk_finish(&talk);
}
END_TEST

static void
cancel_from_handler(int signal_number)
{
	(void)signal_number;
	smtptls_client_cancel(to_cancel);
}

static const struct step quiet[] = {
	STEP(STALL),
	END,
};

START_TEST(signal_handler_cancels_a_call_that_waits)
{
	struct sigaction action = { .sa_handler = cancel_from_handler,
		.sa_flags = SA_RESTART };
	struct itimerval soon = { .it_value = { .tv_usec = 100000 } };
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_BLOCKING, quiet);
	to_cancel = talk.client;
	ck_assert_ok(sigaction(SIGALRM, &action, NULL));
	ck_assert_ok(setitimer(ITIMER_REAL, &soon, NULL));
	ck_assert_int_eq(talk_connect(&talk), SMTPTLS_E_CANCELLED);
	talk_finish(&talk);
}
END_TEST

static void
do_nothing(int signal_number)
{
	(void)signal_number;
}

static const struct step long_enough[] = {
	DRIP("250-mail.example.org\r\n250-x\r\n250-x\r\n250 x\r\n"),
	END,
};

START_TEST(signals_interrupt_nothing)
{
	struct sigaction action = { .sa_handler = do_nothing };
	struct itimerval often = { .it_interval = { .tv_usec = 5000 },
		.it_value = { .tv_usec = 5000 } };
	struct itimerval off = { { 0, 0 }, { 0, 0 } };
	struct talk talk;

	talk_begin(&talk, _i == 0 ? STARTTLS_BLOCKING : IMPLICIT_BLOCKING,
	    long_enough);
	ck_assert_ok(sigaction(SIGALRM, &action, NULL));
	ck_assert_ok(setitimer(ITIMER_REAL, &often, NULL));
	talk_assert_failed(&talk, talk_connect(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(setitimer(ITIMER_REAL, &off, NULL));
	talk_finish(&talk);
}
END_TEST

START_TEST(cancelled_client_does_not_begin)
{
	struct smtptls_client *client = NULL;

	ck_assert_ok(
	    smtptls_client_new("smtps://" TALK_HOST, world.context, &client));
	ck_assert_ok(smtptls_client_set_connect_to(client, "192.0.2.1:465"));
	smtptls_client_cancel(client);
	ck_assert_int_eq(smtptls_client_connect(client), SMTPTLS_E_CANCELLED);
	smtptls_client_free(client);
	smtptls_client_cancel(NULL);
}
END_TEST

/* --- driving --- */

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

/* --- the transport --- */

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

/* --- fork --- */

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
	Suite *suite = suite_create("time");
	TCase *tc = talk_case(suite, "time");

	add_rows_in_modes(tc, silence_is_bounded_in_each_phase, silences);
	add_in_modes(tc, quit_does_not_wait_long);
	add_in_modes(tc, each_reply_in_time_is_enough);
	add_in_modes(tc, server_that_reads_slowly_gets_it_all);
	add_rows_in_modes(tc, dripping_does_not_pass_the_deadline, drips);
	tcase_add_loop_test(tc,
	    deadline_without_a_greeting_names_the_usual_reason, 0,
	    STARTTLS_MODES);
	add_in_modes(tc, dripping_does_not_pass_the_limit_of_its_phase);
	add_in_modes(tc, deadline_can_be_taken_back);
	tcase_add_loop_test(
	    tc, other_thread_cancels_a_call_that_waits, 0, 2 * COUNT(cancels));
	tcase_add_loop_test(
	    tc, content_without_an_end_is_stopped, 0, 2 * MODES);
	tcase_add_test(tc, signal_handler_cancels_a_call_that_waits);
	tcase_add_loop_test(tc, signals_interrupt_nothing, 0, 2);
	tcase_add_test(tc, cancelled_client_does_not_begin);
	tcase_add_loop_test(tc, driving_without_need_does_no_harm, 0, 2);
	tcase_add_test(tc, refused_connection_is_told);
	add_in_modes(tc, unix_socket_is_a_place_to_connect_to);
	add_rows_in_modes(tc, sigpipe_is_never_raised, gone);
	add_in_modes(tc, forked_child_leaves_the_conversation_alone);
	tcase_add_loop_test(tc, forked_child_decides_no_outcome, 0, 2);
	add_in_modes(tc, forked_child_has_conversations_of_its_own);
	return talk_run(suite);
}
