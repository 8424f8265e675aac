/* SPDX-License-Identifier: MIT */
/* Callbacks in the place of a connection. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "client/own-io.h"

/* By another name in C: libc's prototype may have attributes of its own. */
int fake_gethostname(char *name, size_t len) __asm__("gethostname");

/* A name without a dot is none to greet with. */
int
fake_gethostname(char *name, size_t len)
{
	snprintf(name, len, "laptop");
	return 0;
}

static const enum way_to_fail harmless[] = { NO_FAULT, SHORT, INTERRUPTED,
	BLOCKED };

START_TEST(message_is_sent_over_callbacks)
{
	struct talk talk;

	talk_begin(&talk, MODE(_i), own_whole);
	own_give_callbacks(&talk, harmless[ROW(_i)]);
	talk_set_credentials(&talk);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_uint_eq(smtptls_client_pollfds(talk.client, NULL, 0), 0);
	ck_assert_int_eq(smtptls_client_events(talk.client), POLLIN);
	ck_assert_str_eq(smtptls_client_peer(talk.client), "callbacks");
	ck_assert_int_eq(
	    smtptls_session_is_verified(smtptls_client_session(talk.client)),
	    1);
	ck_assert_ok(talk_quit(&talk));
	ck_assert_int_eq(smtptls_client_events(talk.client), 0);
	own_close(&talk);
	talk_hang_up(&talk);
	ck_assert_mem_eq(server_content(talk.server, 0)->data, TALK_CONTENT,
	    sizeof(TALK_CONTENT) - 1);
	talk_end(&talk);
}
END_TEST

START_TEST(callbacks_prove_the_host_of_the_url)
{
	struct server_options options = {
		.cert = factory_server(
		    world.factory, world.ca, "DNS:localhost IP:127.0.0.1"),
		.scripts = { (const struct step[]){ STEP(TLS_FAILS), END } },
	};
	struct talk talk;

	talk_begin_with(&talk, IMPLICIT_BLOCKING, "smtps", NULL, &options);
	own_give_callbacks(&talk, NO_FAULT);
	talk_set_credentials(&talk);
	talk_assert_failed(&talk, talk_connect(&talk), SMTPTLS_E_CERTIFICATE,
	    "not mail.example.org");
	own_close(&talk);
	talk_finish(&talk);
}
END_TEST

static const struct step injecting[] = {
	SEND("220 mail.example.org ESMTP\r\n"),
	PREFIX("EHLO "),
	SEND("250-mail.example.org\r\n250 STARTTLS\r\n"),
	LINE("STARTTLS"),
	SEND("220 go\r\n250-x\r\n250 AUTH PLAIN\r\n"),
	STEP(SWALLOW),
	END,
};

/* Found in the buffer, or by one read more. */
START_TEST(octets_behind_the_220_are_refused_from_callbacks)
{
	enum way_to_fail fault = STARTTLS_ROW(_i) == 0 ? NO_FAULT : SHORT;
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_MODE(_i), injecting);
	own_give_callbacks(&talk, fault);
	talk_set_credentials(&talk);
	talk_assert_failed(&talk, talk_connect(&talk), SMTPTLS_E_PROTOCOL,
	    fault == SHORT ? "in clear" : NULL);
	own_close(&talk);
	talk_finish(&talk);
}
END_TEST

static const struct step ends_behind_220[] = {
	SEND("220 mail.example.org ESMTP\r\n"),
	PREFIX("EHLO "),
	SEND("250-mail.example.org\r\n250 STARTTLS\r\n"),
	LINE("STARTTLS"),
	SEND("220 go\r\n"),
	STEP(FIN),
	STEP(SWALLOW),
	END,
};

START_TEST(end_behind_the_220_is_told_from_callbacks)
{
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_MODE(_i), ends_behind_220);
	own_give_callbacks(&talk, NO_FAULT);
	talk_assert_failed(&talk, talk_connect(&talk), SMTPTLS_E_IO, NULL);
	own_close(&talk);
	talk_finish(&talk);
}
END_TEST

/* Whether there is a socket or not. */
START_TEST(name_to_greet_with_is_an_address)
{
	static const struct step script[] = { SEND("220 x ESMTP\r\n"),
		LINE("EHLO [127.0.0.1]"), SEND("250 x\r\n"), END };
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_BLOCKING, script);
	if (_i == 0)
		own_give_fd(&talk);
	else
		own_give_callbacks(&talk, NO_FAULT);
	talk_assert_failed(
	    &talk, talk_connect(&talk), SMTPTLS_E_NO_STARTTLS, NULL);
	if (_i != 0)
		own_close(&talk);
	talk_finish(&talk);
}
END_TEST

static struct talk *below;

static long
call_from_below(void *buf, size_t cap, void *arg)
{
	struct smtptls_client *client = below->client;

	ck_assert_int_eq(smtptls_client_drive(client), SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_client_connect(client), SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_client_noop(client), SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_client_quit(client), SMTPTLS_E_STATE);
	ck_assert_int_eq(
	    smtptls_client_submit(client, below->message), SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_client_set_fd(client, 0), SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_client_events(client), 0);
	return own_read(buf, cap, arg);
}

START_TEST(callback_of_the_transport_cannot_go_on_with_the_client)
{
	struct talk talk;

	talk_begin(&talk, _i, own_whole);
	own_give_callbacks(&talk, NO_FAULT);
	ck_assert_ok(smtptls_client_set_callbacks(
	    talk.client, call_from_below, own_write, &own_io));
	talk_set_credentials(&talk);
	talk_set_message(&talk);
	below = &talk;
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	ck_assert_int_gt(own_io.reads, 0);
	own_close(&talk);
	talk_finish(&talk);
}
END_TEST

static long
cancel_from_below(void *buf, size_t cap, void *arg)
{
	(void)buf;
	(void)cap;
	(void)arg;
	own_io.reads++;
	smtptls_client_cancel(below->client);
	return -EAGAIN;
}

START_TEST(callback_may_cancel)
{
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_BLOCKING, own_nothing);
	own_give_callbacks(&talk, NO_FAULT);
	ck_assert_ok(smtptls_client_set_callbacks(
	    talk.client, cancel_from_below, own_write, &own_io));
	below = &talk;
	ck_assert_int_eq(talk_connect(&talk), SMTPTLS_E_CANCELLED);
	ck_assert_int_eq(own_io.reads, 1);
	own_close(&talk);
	talk_hang_up_early(&talk);
	talk_end(&talk);
}
END_TEST

START_TEST(child_says_nothing_by_the_callbacks_of_its_parent)
{
	struct talk talk;
	int r, status = 1;
	long calls;
	pid_t pid;

	talk_begin(&talk, _i, own_whole);
	own_give_callbacks(&talk, NO_FAULT);
	talk_set_credentials(&talk);
	ck_assert_ok(talk_connect(&talk));
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		calls = own_io.reads + own_io.writes;
		r = smtptls_client_noop(talk.client);
		smtptls_client_free(talk.client);
		talk_leave_child(r == SMTPTLS_E_FORKED &&
		    own_io.reads + own_io.writes == calls);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	own_close(&talk);
	talk_finish(&talk);
}
END_TEST

static const struct step in_clear[] = {
	SEND("220 mail.example.org ESMTP\r\n"),
	PREFIX("EHLO "),
	SEND("250-mail.example.org\r\n250 STARTTLS\r\n"),
	OWN_MESSAGE,
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

START_TEST(callbacks_carry_clear_text_where_that_was_asked_for)
{
	struct talk talk;

	talk_begin_raw(&talk, MODE(_i), in_clear);
	snprintf(talk.url, sizeof(talk.url), "smtp://" TALK_HOST);
	own_give_callbacks(&talk, harmless[ROW(_i)]);
	talk.is_in_clear = true;
	ck_assert_ok(smtptls_client_insecure_no_tls(talk.client));
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	own_close(&talk);
	talk_finish(&talk);
}
END_TEST

/*
 * Below them there may be more than a descriptor tells of: what is kept in a
 * buffer, or what came while something was written.
 */
START_TEST(nobody_waits_before_the_callbacks_say_to_wait)
{
	bool is_in_clear = _i / 2 == 2;
	struct pollfd fd;
	struct talk talk;
	int r;

	if (is_in_clear) {
		talk_begin_raw(&talk, STARTTLS_LOOP, in_clear);
		snprintf(talk.url, sizeof(talk.url), "smtp://" TALK_HOST);
	} else {
		talk_begin(&talk, LOOP_MODE(_i / 2), own_whole);
	}
	own_give_callbacks(&talk, _i % 2 == 0 ? NO_FAULT : SHORT);
	talk.is_in_clear = is_in_clear;
	if (is_in_clear)
		ck_assert_ok(smtptls_client_insecure_no_tls(talk.client));
	else
		talk_set_credentials(&talk);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_client_start(talk.client));
	ck_assert_ok(smtptls_client_submit(talk.client, talk.message));
	ck_assert_ok(smtptls_client_start_quit(talk.client));
	while ((r = smtptls_client_drive(talk.client)) == SMTPTLS_AGAIN) {
		fd = (struct pollfd){ .fd = own_io.fd,
			.events = smtptls_client_events(talk.client) };
		ck_assert(own_io.said_to_wait || (fd.events & POLLOUT) != 0);
		ck_assert_int_eq(poll(&fd, 1, talk_ms(20000)), 1);
	}
	ck_assert_ok(r);
	ck_assert_ok(smtptls_message_status(talk.message));
	own_close(&talk);
	talk_finish(&talk);
}
END_TEST

static int
noop(struct talk *talk)
{
	return smtptls_client_noop(talk->client);
}

static int
reset(struct talk *talk)
{
	return smtptls_client_reset(talk->client);
}

static const struct first_call {
	int (*call)(struct talk *talk);
	const struct step script[14];
} first_calls[] = {
	{ talk_send, { SEND("250 x\r\n"), OWN_MESSAGE, END } },
	{ noop, { SEND("250 x\r\n"), LINE("NOOP"), SEND("250 ok\r\n"), END } },
	{ reset, { SEND("250 x\r\n"), LINE("RSET"), SEND("250 ok\r\n"), END } },
};

/* The limit of the last command passes, and the first write has to wait. */
START_TEST(time_in_which_nothing_was_asked_is_not_the_servers)
{
	const struct first_call *row = &first_calls[ROW(_i)];
	struct talk talk;

	talk_begin(&talk, MODE(_i), row->script);
	own_give_callbacks(&talk, BLOCKED);
	ck_assert_ok(talk_connect(&talk));
	ck_assert(stls_client_is_idle(talk.client));
	ck_assert_int_eq(talk.client->phase, SMTPTLS_PHASE_COMMAND);
	talk.client->phase_deadline = stls_now_ms() - 1;
	own_io.writes = 0;
	talk_set_message(&talk);
	talk_assert_failed(&talk, row->call(&talk), SMTPTLS_OK, NULL);
	own_close(&talk);
	talk_finish(&talk);
}
END_TEST

START_TEST(transport_needs_both_callbacks)
{
	struct smtptls_client *client = NULL;

	ck_assert_ok(
	    smtptls_client_new("smtp://" TALK_HOST, world.context, &client));
	ck_assert_int_eq(
	    smtptls_client_set_callbacks(client, _i == 0 ? own_read : NULL,
		_i == 0 ? NULL : own_write, NULL),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(smtptls_client_connect(client), SMTPTLS_E_INVALID);
	smtptls_client_free(client);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("callbacks");
	TCase *tc = talk_case(suite, "callbacks");

	add_rows_in_modes(tc, message_is_sent_over_callbacks, harmless);
	tcase_add_test(tc, callbacks_prove_the_host_of_the_url);
	talk_add(tc, octets_behind_the_220_are_refused_from_callbacks, 2,
	    STARTTLS_MODES);
	add_in_starttls_modes(tc, end_behind_the_220_is_told_from_callbacks);
	tcase_add_loop_test(tc, name_to_greet_with_is_an_address, 0, 2);
	add_in_modes(
	    tc, callback_of_the_transport_cannot_go_on_with_the_client);
	tcase_add_test(tc, callback_may_cancel);
	add_in_modes(tc, child_says_nothing_by_the_callbacks_of_its_parent);
	add_rows_in_modes(
	    tc, callbacks_carry_clear_text_where_that_was_asked_for, harmless);
	tcase_add_loop_test(
	    tc, nobody_waits_before_the_callbacks_say_to_wait, 0, 6);
	add_rows_in_modes(tc,
	    time_in_which_nothing_was_asked_is_not_the_servers, first_calls);
	tcase_add_loop_test(tc, transport_needs_both_callbacks, 0, 2);
	return talk_run(suite);
}
