/* SPDX-License-Identifier: MIT */
/* Memory that runs out, and system calls that fail or do little. */
#include <dlfcn.h>
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/alloc.h"
#include "client/talk.h"

/* More faults than this has no conversation here. */
#define FAULTS_MAX 2000
#define CALLS_MAX 200000

static const struct step whole[] = {
	SEND("250-mail.example.org\r\n250-AUTH PLAIN\r\n250 SIZE 100000\r\n"),
	LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	SEND("235 ok\r\n"),
	PREFIX("MAIL FROM:<alice@example.org>"),
	SEND("250 ok\r\n"),
	LINE("RCPT TO:<bob@example.org>"),
	SEND("250 ok\r\n"),
	LINE("DATA"),
	SEND("354 go\r\n"),
	STEP(CONTENT),
	SEND("250 queued\r\n"),
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

/* --- system calls --- */

enum fault {
	NO_FAULT,
	SHORT,	     /* one octet at a time */
	INTERRUPTED, /* every other call: EINTR */
	BLOCKED,     /* every other call: EAGAIN */
	BROKEN	     /* the n-th call, and all behind it */
};

enum call {
	RECEIVING,
	SENDING,
	CALLS
};

static struct {
	enum fault fault;
	enum call which; /* for BROKEN */
	long n;
	long calls[CALLS];
	bool has_failed;
} faults;

/* The server lives in the same program and has no faults. */
static __thread bool is_client;

/* True: the call fails now, with errno. */
static bool
must_fail(enum call which)
{
	long n;

	if (!is_client || faults.fault == NO_FAULT)
		return false;
	n = ++faults.calls[which];
	ck_assert_int_lt(n, CALLS_MAX);
	switch (faults.fault) {
	case INTERRUPTED:
		errno = EINTR;
		return n % 2 != 0;
	case BLOCKED:
		errno = EAGAIN;
		return n % 2 != 0;
	case BROKEN:
		errno = which == RECEIVING ? ECONNRESET : EPIPE;
		if (which != faults.which || n < faults.n)
			return false;
		faults.has_failed = true;
		return true;
	default:
		return false;
	}
}

static bool
is_short(void)
{
	return is_client && faults.fault == SHORT;
}

/* By other names in C: libc's prototypes may have attributes of their own. */
ssize_t fake_recv(int fd, void *buf, size_t len, int flags) __asm__("recv");
ssize_t fake_send(int fd, const void *buf, size_t len, int flags) __asm__(
    "send");
ssize_t fake_sendmsg(int fd, const struct msghdr *msg, int flags) __asm__(
    "sendmsg");

ssize_t
fake_recv(int fd, void *buf, size_t len, int flags)
{
	ssize_t (*real)(int, void *, size_t, int);

	if (must_fail(RECEIVING))
		return -1;
	*(void **)&real = dlsym(RTLD_NEXT, "recv");
	return real(fd, buf, is_short() && len > 1 ? 1 : len, flags);
}

ssize_t
fake_send(int fd, const void *buf, size_t len, int flags)
{
	ssize_t (*real)(int, const void *, size_t, int);

	if (must_fail(SENDING))
		return -1;
	*(void **)&real = dlsym(RTLD_NEXT, "send");
	return real(fd, buf, is_short() && len > 1 ? 1 : len, flags);
}

ssize_t
fake_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	ssize_t (*real)(int, const struct msghdr *, int);
	size_t i;

	if (must_fail(SENDING))
		return -1;
	for (i = 0; is_short() && i < msg->msg_iovlen; i++) {
		if (msg->msg_iov[i].iov_len > 0)
			return fake_send(
			    fd, msg->msg_iov[i].iov_base, 1, flags);
	}
	*(void **)&real = dlsym(RTLD_NEXT, "sendmsg");
	return real(fd, msg, flags);
}

static void
inject(enum fault fault, enum call which, long n)
{
	memset(&faults, 0, sizeof(faults));
	faults.which = which;
	faults.n = n;
	is_client = true;
	faults.fault = fault;
}

static const enum fault harmless[] = { SHORT, INTERRUPTED, BLOCKED };

START_TEST(calls_that_do_little_do_in_the_end)
{
	struct talk talk;

	talk_begin(&talk, MODE(_i), whole);
	talk_set_credentials(&talk);
	talk_set_message(&talk);
	inject(harmless[ROW(_i)], RECEIVING, 0);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	inject(NO_FAULT, RECEIVING, 0);
	talk_hang_up(&talk);
	ck_assert_uint_eq(
	    server_content(talk.server, 0)->len, sizeof(TALK_CONTENT) - 1);
	ck_assert_mem_eq(server_content(talk.server, 0)->data, TALK_CONTENT,
	    sizeof(TALK_CONTENT) - 1);
	talk_end(&talk);
}
END_TEST

/*
 * What the client says became of the message against what the server got. It
 * may be in doubt about less, but never sure of what is not so.
 */
static void
assert_honest(const struct talk *talk)
{
	enum smtptls_outcome outcome = smtptls_message_outcome(
	    talk->message, 0);
	bool arrived = server_contents(talk->server) > 0;

	if (outcome == SMTPTLS_OUTCOME_ACCEPTED)
		ck_assert(arrived);
	else if (outcome == SMTPTLS_OUTCOME_NOT_TRIED)
		ck_assert(!arrived);
	else
		ck_assert_int_eq(outcome, SMTPTLS_OUTCOME_IN_DOUBT);
}

START_TEST(connection_that_breaks_at_any_call_is_told_honestly)
{
	bool has_failed = true, was_accepted = false, was_in_doubt = false;
	enum smtptls_outcome outcome;
	struct talk talk;
	int r, n;

	for (n = 1; has_failed; n++) {
		ck_assert_int_lt(n, FAULTS_MAX);
		talk_begin(&talk, MODE(_i), whole);
		talk_set_credentials(&talk);
		talk_set_message(&talk);
		inject(BROKEN, (enum call)ROW(_i), n);
		r = talk_send(&talk);
		if (r == SMTPTLS_OK)
			(void)talk_quit(&talk);
		has_failed = faults.has_failed;
		inject(NO_FAULT, RECEIVING, 0);
		ck_assert(has_failed || r == SMTPTLS_OK);
		talk_hang_up_early(&talk);
		assert_honest(&talk);
		outcome = smtptls_message_outcome(talk.message, 0);
		was_accepted |= outcome == SMTPTLS_OUTCOME_ACCEPTED;
		was_in_doubt |= outcome == SMTPTLS_OUTCOME_IN_DOUBT;
		talk_end(&talk);
	}
	ck_assert(was_accepted);
	/* How often is read in vain is up to the machine. */
	if (ROW(_i) == SENDING)
		ck_assert(was_in_doubt);
}
END_TEST

/*
 * A client that reads octet by octet has found nothing behind the 220: what
 * waits in the socket must not become part of the handshake.
 */
static const struct step injecting[] = {
	SEND("220 mail.example.org ESMTP\r\n"),
	PREFIX("EHLO "),
	SEND("250-mail.example.org\r\n250 STARTTLS\r\n"),
	LINE("STARTTLS"),
	SEND("220 go\r\n250-x\r\n250 AUTH PLAIN\r\n"),
	END,
};

START_TEST(octets_behind_the_220_are_seen_before_the_handshake)
{
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_MODE(_i), injecting);
	talk_set_credentials(&talk);
	inject(SHORT, RECEIVING, 0);
	talk_assert_failed(
	    &talk, talk_connect(&talk), SMTPTLS_E_PROTOCOL, "in clear");
	inject(NO_FAULT, RECEIVING, 0);
	talk_finish(&talk);
}
END_TEST

/* The server refuses; then the client tries to write, in vain. */
static sem_t has_refused;

static void
tell_of_refusal(void *arg)
{
	(void)arg;
	sem_post(&has_refused);
}

static const struct step refusing[] = {
	SEND("250 mail.example.org\r\n"),
	PREFIX("MAIL"),
	SEND("250 ok\r\n"),
	PREFIX("RCPT"),
	SEND("250 ok\r\n"),
	LINE("DATA"),
	SEND("354 go\r\n"),
	OCTETS(1),
	SEND("552 5.3.4 too big\r\n"),
	CALL(tell_of_refusal, NULL),
	STEP(SWALLOW),
	END,
};

/* Every read fills more than a record, so that it is written at once. */
static int
read_and_break(void *buf, size_t cap, size_t *out_len, void *arg)
{
	int *reads = arg;

	if (++*reads == 2) {
		/* One record has left, and its answer is there. */
		ck_assert_int_eq(sem_wait(&has_refused), 0);
		inject(BROKEN, SENDING, 1);
	}
	memset(buf, 'x', cap);
	*out_len = cap;
	return SMTPTLS_OK;
}

START_TEST(refusal_that_is_there_is_read_when_writing_fails)
{
	struct talk talk;
	int reads = 0;

	sem_init(&has_refused, 0, 0);
	talk_begin(&talk, _i, refusing);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_message_set_body_cb(
	    talk.message, read_and_break, NULL, &reads));
	talk_assert_failed(
	    &talk, talk_send(&talk), SMTPTLS_E_REFUSED, "552 5.3.4 too big");
	ck_assert(faults.has_failed);
	inject(NO_FAULT, RECEIVING, 0);
	talk_finish(&talk);
	sem_destroy(&has_refused);
}
END_TEST

/* --- memory --- */

/* All of it; the first failure is told, and nothing is used after it. */
static int
run_with_little_memory(struct talk *talk, struct smtptls_client **client,
    const char *place, bool implicit)
{
	int r;

	r = smtptls_message_new(&talk->message);
	if (r == SMTPTLS_OK)
		r = smtptls_message_set_sender(talk->message, TALK_SENDER);
	if (r == SMTPTLS_OK)
		r = smtptls_message_add_recipient(
		    talk->message, TALK_RECIPIENT);
	if (r == SMTPTLS_OK)
		r = smtptls_message_set_body_mem(
		    talk->message, TALK_CONTENT, sizeof(TALK_CONTENT) - 1);
	if (r == SMTPTLS_OK)
		r = smtptls_client_new(
		    implicit ? "smtps://" TALK_HOST : "smtp://" TALK_HOST,
		    world.context, client);
	if (r == SMTPTLS_OK)
		r = smtptls_client_set_connect_to(*client, place);
	if (r == SMTPTLS_OK)
		r = smtptls_client_set_credentials(
		    *client, TALK_USER, TALK_PASSWORD);
	if (r == SMTPTLS_OK)
		r = smtptls_client_set_deadline_ms(*client, talk_ms(20000));
	if (r < 0)
		return r;
	talk->client = *client;
	r = talk_send(talk);
	if (r == SMTPTLS_OK)
		r = talk_quit(talk);
	return r;
}

START_TEST(memory_that_runs_out_anywhere_is_told_honestly)
{
	static const char *const name = "out of memory";
	struct server_options options = { .prologue = talk_prologue(_i),
		.scripts = { whole },
		.cert = world.server,
		.issuer = world.ca };
	struct smtptls_client *client;
	bool has_failed = true;
	struct talk talk;
	char place[64];
	unsigned long n;
	int r;

	for (n = 1; has_failed; n++) {
		ck_assert_uint_lt(n, FAULTS_MAX);
		memset(&talk, 0, sizeof(talk));
		client = NULL;
		talk.mode = _i;
		talk.fds = test_count_fds();
		talk.server = server_start(&options);
		snprintf(place, sizeof(place), "127.0.0.1:%u",
		    (unsigned int)server_port(talk.server));
		stls_alloc_fail_at(n);
		r = run_with_little_memory(
		    &talk, &client, place, _i >= STARTTLS_MODES);
		has_failed = stls_alloc_has_failed();
		stls_alloc_fail_at(0);

		/* Where it is only a text that is lost, it goes on. */
		if (!has_failed)
			ck_assert_int_eq(r, SMTPTLS_OK);
		if (r == SMTPTLS_E_NOMEM && talk.client != NULL)
			ck_assert(strstr(smtptls_client_error(client), name) ||
			    strstr(smtptls_message_error(talk.message), name));
		ck_assert_msg(r == SMTPTLS_OK || r == SMTPTLS_E_NOMEM ||
			r == SMTPTLS_E_IN_DOUBT,
		    "%lu: %d: %s", n, r, smtptls_client_error(client));
		talk.client = client;
		talk_hang_up_early(&talk);
		if (talk.message != NULL)
			assert_honest(&talk);
		talk_end(&talk);
	}
	ck_assert_uint_gt(n, 10);
}
END_TEST

/* --- callbacks that go on with their client --- */

static struct smtptls_client *below;
static int calls_below;

static int
call_from_below(void *buf, size_t cap, size_t *out_len, void *arg)
{
	(void)buf;
	(void)cap;
	(void)arg;
	calls_below++;
	ck_assert_int_eq(smtptls_client_drive(below), SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_client_noop(below), SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_client_quit(below), SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_client_connect(below), SMTPTLS_E_STATE);
	/* To ask is fine. */
	ck_assert_str_ne(smtptls_client_step(below), "");
	ck_assert_str_ne(smtptls_client_peer(below), "");
	*out_len = 0;
	return SMTPTLS_OK;
}

START_TEST(callback_cannot_go_on_with_its_client)
{
	struct talk talk;

	talk_begin(&talk, _i, whole);
	talk_set_credentials(&talk);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_message_set_body_cb(
	    talk.message, call_from_below, NULL, NULL));
	below = talk.client;
	calls_below = 0;
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_int_eq(calls_below, 1);
	ck_assert_ok(talk_quit(&talk));
	talk_finish(&talk);
}
END_TEST

START_TEST(nothing_is_asked_of_nobody)
{
	ck_assert_str_ne(smtptls_client_error(NULL), "");
	ck_assert_int_lt(smtptls_client_connect(NULL), 0);
	ck_assert_int_lt(smtptls_client_send(NULL, NULL), 0);
	ck_assert_int_lt(smtptls_client_noop(NULL), 0);
	ck_assert_int_lt(smtptls_client_reset(NULL), 0);
	ck_assert_int_lt(smtptls_client_quit(NULL), 0);
	ck_assert_int_lt(smtptls_client_start(NULL), 0);
	ck_assert_int_lt(smtptls_client_submit(NULL, NULL), 0);
	ck_assert_int_lt(smtptls_client_start_quit(NULL), 0);
	ck_assert_int_lt(smtptls_client_drive(NULL), 0);
	ck_assert_uint_eq(smtptls_client_pollfds(NULL, NULL, 0), 0);
	ck_assert_int_eq(smtptls_client_timeout_ms(NULL), -1);
	ck_assert_ptr_null(smtptls_client_next_done(NULL));
	ck_assert_ptr_null(smtptls_client_session(NULL));
	ck_assert_ptr_null(smtptls_client_capability(NULL, 0));
	ck_assert_ptr_null(smtptls_client_find_capability(NULL, "SIZE"));
	ck_assert_str_eq(smtptls_client_step(NULL), "");
	ck_assert_str_eq(smtptls_client_peer(NULL), "");
	ck_assert_str_eq(smtptls_client_auth_mechanism(NULL), "");
	ck_assert_int_eq(smtptls_client_reply_code(NULL), 0);
	ck_assert_str_eq(smtptls_client_reply_enhanced(NULL), "");
	ck_assert_str_eq(smtptls_client_reply_text(NULL), "");
	smtptls_client_cancel(NULL);
	smtptls_client_free(NULL);
	smtptls_message_free(NULL);
	ck_assert_ptr_null(smtptls_message_ref(NULL));
	ck_assert_str_ne(smtptls_message_error(NULL), "");
	ck_assert_int_lt(smtptls_message_status(NULL), 0);
	ck_assert_uint_eq(smtptls_message_recipients(NULL), 0);
	ck_assert_ptr_null(smtptls_message_recipient(NULL, 0));
	ck_assert_int_eq(smtptls_message_reply_code(NULL, 0), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("faults");
	TCase *tc = talk_case(suite, "faults");

	add_rows_in_modes(tc, calls_that_do_little_do_in_the_end, harmless);
	talk_add(tc, connection_that_breaks_at_any_call_is_told_honestly, CALLS,
	    MODES);
	add_in_starttls_modes(
	    tc, octets_behind_the_220_are_seen_before_the_handshake);
	add_in_modes(tc, refusal_that_is_there_is_read_when_writing_fails);
	add_in_modes(tc, memory_that_runs_out_anywhere_is_told_honestly);
	add_in_modes(tc, callback_cannot_go_on_with_its_client);
	tcase_add_test(tc, nothing_is_asked_of_nobody);
	return talk_run(suite);
}
