/* SPDX-License-Identifier: MIT */
/*
 * A password and a token, looked for in the whole memory of the process: they
 * are there while the client has them, and nowhere when it is gone.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/secret.h"
#include "client/talk.h"
#include "faults/scan.h"
#include "freed.h"

static const struct step serve_starttls[] = {
	SEND("220 mail.example.org ESMTP\r\n"),
	PREFIX("EHLO "),
	TALK_OFFER("STARTTLS"),
	LINE("STARTTLS"),
	SEND("220 2.0.0 go ahead\r\n"),
	STEP(TLS),
	PREFIX("EHLO "),
	TALK_OFFER("AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER"),
	STEP(SERVE),
	END,
};

static const struct step serve_implicit[] = {
	STEP(TLS),
	SEND("220 mail.example.org ESMTP\r\n"),
	PREFIX("EHLO "),
	TALK_OFFER("AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER"),
	STEP(SERVE),
	END,
};

static const struct step refuse_implicit[] = {
	STEP(TLS),
	SEND("220 mail.example.org ESMTP\r\n"),
	PREFIX("EHLO "),
	TALK_OFFER("AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER"),
	PREFIX("AUTH "),
	SEND("535 5.7.8 no\r\n"),
	STEP(SWALLOW),
	END,
};

static const struct step lose_implicit[] = {
	STEP(TLS),
	SEND("220 mail.example.org ESMTP\r\n"),
	PREFIX("EHLO "),
	TALK_OFFER("AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER"),
	PREFIX("AUTH "),
	STEP(CLOSE),
	END,
};

/* How a client goes, with a secret of each kind. */
static const struct way {
	const char *mechanism;
	bool is_token;
	bool is_refused;
	bool is_lost;	     /* while it authenticates */
	bool is_freed_early; /* with nothing said */
	bool by_pool;
	bool is_replaced; /* a secret of the other kind was there first */
	bool is_long;	  /* so that the server has to ask for it */
} ways[] = {
	{ .mechanism = "PLAIN" },
	{ .mechanism = "LOGIN" },
	{ .mechanism = "XOAUTH2", .is_token = true },
	{ .mechanism = "OAUTHBEARER", .is_token = true },
	{ .mechanism = "PLAIN", .is_refused = true },
	{ .mechanism = "OAUTHBEARER", .is_token = true, .is_refused = true },
	{ .mechanism = "PLAIN", .is_lost = true },
	{ .mechanism = "PLAIN", .is_lost = true, .is_long = true },
	{ .mechanism = "PLAIN", .is_freed_early = true },
	{ .mechanism = "PLAIN", .is_replaced = true },
	{ .mechanism = "XOAUTH2", .is_token = true, .is_replaced = true },
	{ .mechanism = "PLAIN", .is_long = true },
	{ .mechanism = "OAUTHBEARER", .is_token = true, .is_long = true },
	{ .mechanism = "PLAIN", .by_pool = true },
	{ .mechanism = "XOAUTH2", .is_token = true, .by_pool = true },
};

static struct scan_needle needle;
static char long_user[600];
static int freed; /* blocks that still had the secret */

static void
look(const void *block, size_t size)
{
	freed += scan_block(&needle, block, size);
}

static char place[64];

static void
setup(void)
{
	scan_needle_init(&needle);
	memset(long_user, 'u', sizeof(long_user) - 1);
	talk_world_setup();
}

/*
 * A server knows the secret, so it is in another process, which ends when the
 * pipe does.
 */
struct other {
	pid_t pid;
	int until;
};

static void
serve(const struct step *script, int port_fd, int until_fd)
{
	struct server_options options = { .scripts = { script },
		.repeats = true,
		.cert = world.server,
		.issuer = world.ca };
	struct server *server = server_start(&options);
	uint16_t port = server_port(server);
	char c;

	if (write(port_fd, &port, sizeof(port)) == sizeof(port))
		(void)!read(until_fd, &c, 1);
	_exit(0);
}

static struct other
start_other(const struct step *script)
{
	struct other other;
	int port_fds[2], until_fds[2];
	uint16_t port = 0;

	ck_assert_ok(pipe(port_fds));
	ck_assert_ok(pipe(until_fds));
	other.pid = fork();
	ck_assert_int_ge(other.pid, 0);
	if (other.pid == 0) {
		close(until_fds[1]);
		serve(script, port_fds[1], until_fds[0]);
	}
	close(port_fds[1]);
	close(until_fds[0]);
	other.until = until_fds[1];
	ck_assert_int_eq(read(port_fds[0], &port, sizeof(port)), sizeof(port));
	close(port_fds[0]);
	snprintf(place, sizeof(place), "127.0.0.1:%u", (unsigned int)port);
	return other;
}

static void
stop_other(struct other other)
{
	close(other.until);
	ck_assert_int_eq(waitpid(other.pid, NULL, 0), other.pid);
}

static int
set_up(struct smtptls_client *client, void *arg)
{
	const struct way *way = arg;
	const char *user = way->is_long ? long_user : TALK_USER;
	char *secret = scan_needle_lend(&needle);
	int r;

	r = smtptls_client_set_connect_to(client, place);
	if (r == SMTPTLS_OK && way->is_replaced)
		r = way->is_token
		    ? smtptls_client_set_credentials(client, user, secret)
		    : smtptls_client_set_token(client, user, secret);
	if (r == SMTPTLS_OK)
		r = way->is_token
		    ? smtptls_client_set_token(client, user, secret)
		    : smtptls_client_set_credentials(client, user, secret);
	scan_needle_take_back(secret);
	if (r == SMTPTLS_OK)
		r = smtptls_client_set_auth_mechanism(client, way->mechanism);
	return r;
}

static struct smtptls_message *
new_message(void)
{
	struct smtptls_message *message = NULL;

	ck_assert_ok(smtptls_message_new(&message));
	ck_assert_ok(smtptls_message_set_sender(message, TALK_SENDER));
	ck_assert_ok(smtptls_message_add_recipient(message, TALK_RECIPIENT));
	ck_assert_ok(smtptls_message_set_body_mem(
	    message, TALK_CONTENT, sizeof(TALK_CONTENT) - 1));
	return message;
}

static const char *
url_of(int mode)
{
	return mode < STARTTLS_MODES ? "smtp://" TALK_HOST
				     : "smtps://" TALK_HOST;
}

static void
use_client(struct talk *talk, const struct way *way)
{
	int code = way->is_refused ? SMTPTLS_E_AUTH
	    : way->is_lost	   ? SMTPTLS_E_IO
				   : SMTPTLS_OK;

	ck_assert_ok(smtptls_client_new(
	    url_of(talk->mode), world.context, &talk->client));
	ck_assert_ok(set_up(talk->client, (void *)(uintptr_t)way));
	/* So the look below could fail. */
	ck_assert_int_ge(scan_memory(&needle), 1);
	if (!way->is_freed_early)
		ck_assert_int_eq(talk_send(talk), code);
	if (!way->is_freed_early && code == SMTPTLS_OK)
		ck_assert_ok(talk_quit(talk));
	ck_assert_int_ge(scan_memory(&needle), 1);
	smtptls_client_free(talk->client);
	talk->client = NULL;
}

static void
use_pool(struct talk *talk, const struct way *way)
{
	struct smtptls_pool *pool = NULL;

	ck_assert_ok(
	    smtptls_pool_new(url_of(talk->mode), world.context, &pool));
	ck_assert_ok(
	    smtptls_pool_set_setup(pool, set_up, (void *)(uintptr_t)way));
	ck_assert_ok(smtptls_pool_send(pool, talk->message));
	ck_assert_int_ge(scan_memory(&needle), 1);
	smtptls_pool_free(pool);
}

START_TEST(secret_is_nowhere_when_the_client_is_gone)
{
	const struct way *way = &ways[ROW(_i)];
	struct talk talk = { .mode = MODE(_i) };
	struct other other;

	if (scan_memory(&needle) < 0)
		return;
	ck_assert_int_eq(scan_memory(&needle), 0);
	if (way->is_refused || way->is_lost)
		talk.mode |= IMPLICIT_BLOCKING;
	other = start_other(way->is_refused  ? refuse_implicit
		: way->is_lost		     ? lose_implicit
		: talk.mode < STARTTLS_MODES ? serve_starttls
					     : serve_implicit);
	talk.message = new_message();
	freed_tell(look);
	if (way->by_pool)
		use_pool(&talk, way);
	else
		use_client(&talk, way);
	freed_tell(NULL);
	ck_assert_int_eq(freed, 0);
	ck_assert_int_eq(scan_memory(&needle), 0);
	smtptls_message_free(talk.message);
	stop_other(other);
}
END_TEST

/* What was freed counts, and so does what was encoded. */
START_TEST(secret_that_is_left_somewhere_is_found)
{
	char *secret = scan_needle_lend(&needle);
	char *volatile copy = strdup(secret);
	char encoded[200];
	unsigned int i;

	if (scan_memory(&needle) < 0)
		return;
	ck_assert_int_eq(scan_memory(&needle), 2);
	scan_needle_take_back(secret);
	free(copy);
	ck_assert_int_eq(scan_memory(&needle), 1);
	for (i = 0; i < 3; i++) {
		secret = scan_needle_lend(&needle);
		stls_base64_encode(encoded, secret + i, strlen(secret) - i);
		scan_needle_take_back(secret);
		ck_assert_int_eq(scan_memory(&needle), 2);
		stls_wipe(encoded, sizeof(encoded));
		ck_assert_int_eq(scan_memory(&needle), 1);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("secrets");
	TCase *tc = tcase_create("secrets");

	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, setup, talk_world_teardown);
	tcase_add_test(tc, secret_that_is_left_somewhere_is_found);
	add_rows_in_modes(tc, secret_is_nowhere_when_the_client_is_gone, ways);
	suite_add_tcase(suite, tc);
	return talk_run(suite);
}
