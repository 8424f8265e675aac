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
	SEND("250-mail.example.org\r\n250 STARTTLS\r\n"),
	LINE("STARTTLS"),
	SEND("220 2.0.0 go ahead\r\n"),
	STEP(TLS),
	PREFIX("EHLO "),
	SEND("250-mail.example.org\r\n"
	     "250 AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER\r\n"),
	STEP(SERVE),
	END,
};

static const struct step serve_implicit[] = {
	STEP(TLS),
	SEND("220 mail.example.org ESMTP\r\n"),
	PREFIX("EHLO "),
	SEND("250-mail.example.org\r\n"
	     "250 AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER\r\n"),
	STEP(SERVE),
	END,
};

static const struct step refuse_implicit[] = {
	STEP(TLS),
	SEND("220 mail.example.org ESMTP\r\n"),
	PREFIX("EHLO "),
	SEND("250-mail.example.org\r\n"
	     "250 AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER\r\n"),
	PREFIX("AUTH "),
	SEND("535 5.7.8 no\r\n"),
	STEP(SWALLOW),
	END,
};

static const struct step lose_implicit[] = {
	STEP(TLS),
	SEND("220 mail.example.org ESMTP\r\n"),
	PREFIX("EHLO "),
	SEND("250-mail.example.org\r\n"
	     "250 AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER\r\n"),
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
	/* By pieces: whole it would be in the program for ever. */
	char secret[64];

	snprintf(secret, sizeof(secret), "%s%s%s", "q7Vb2LxTz", "9RkWm4Ydf3Np",
	    "8HsJc6Ga");
	scan_needle_init(&needle, secret);
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

/* In another process, too: a file with a key that the secret opens. */
static void
write_encrypted_key(const struct cert *cert, const char *path)
{
	char *secret = scan_needle_lend(&needle);
	char pem[8192];
	size_t len = sizeof(pem);
	FILE *file = fopen(path, "we");

	if (file == NULL ||
	    gnutls_x509_privkey_export_pkcs8(cert->key, GNUTLS_X509_FMT_PEM,
		secret, GNUTLS_PKCS_PBES2_AES_256, pem, &len) < 0 ||
	    fwrite(pem, 1, len, file) != len || fclose(file) != 0)
		_exit(1);
	_exit(0);
}

static int
give_password(const char *what, char *password, size_t cap, void *arg)
{
	char *secret = scan_needle_lend(&needle);

	(void)what;
	++*(int *)arg;
	snprintf(password, cap, "%s", secret);
	scan_needle_take_back(secret);
	return scan_memory(&needle) >= 1 ? SMTPTLS_OK : SMTPTLS_E_INVALID;
}

/* One that is wrong, one that is taken back, one without an end. */
struct bad_password {
	int row;
	const char *place; /* where it was asked for */
	size_t cap;
};

static int
give_bad_password(const char *what, char *password, size_t cap, void *arg)
{
	struct bad_password *bad = arg;
	char *secret = scan_needle_lend(&needle);
	size_t len;

	(void)what;
	bad->place = password;
	bad->cap = cap;
	snprintf(password, cap, "%s", secret);
	scan_needle_take_back(secret);
	len = strlen(password);
	password[0] = '!';
	if (bad->row == 2)
		memset(password + len, 'x', cap - len);
	return bad->row == 1 ? SMTPTLS_E_CANCELLED : SMTPTLS_OK;
}

/* Deep enough that the look itself does not write over what it looks for. */
__attribute__((noinline)) static int
load_deep_down(struct smtptls_context *context, const char *chain,
    const char *key, struct bad_password *bad)
{
	volatile char deep[65536];

	deep[0] = 0;
	return smtptls_context_load_cert_chain(
		   context, chain, key, give_bad_password, bad) +
	    deep[0];
}

START_TEST(password_that_opens_no_key_is_wiped)
{
	const struct cert *own = factory_server(
	    world.factory, world.ca, "DNS:" TALK_HOST);
	const char *chain = factory_file(world.factory, "own.pem",
	    factory_pem(world.factory, own, NULL, NULL));
	const char *key = factory_file(world.factory, "own-key.pem", "");
	struct bad_password bad = { .row = _i };
	struct smtptls_context *context = NULL;
	int status = -1;
	pid_t pid;

	if (scan_memory(&needle) < 0)
		return;
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		write_encrypted_key(own, key);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_ok(smtptls_context_new(SMTPTLS_SERVER_AUTH, &context));
	ck_assert_int_eq(scan_memory(&needle), 0);
	freed_tell(look);
	ck_assert_int_eq(
	    load_deep_down(context, chain, key, &bad), SMTPTLS_E_INVALID);
	freed_tell(NULL);
	ck_assert_uint_gt(bad.cap, 0);
	ck_assert_int_eq(scan_block(&needle, bad.place, bad.cap), 0);
	ck_assert_int_eq(freed, 0);
	/* GnuTLS keeps the first one, in what it has freed: its own affair. */
	if (_i > 0)
		ck_assert_int_eq(scan_memory(&needle), 0);
	smtptls_context_free(context);
}
END_TEST

START_TEST(password_of_a_key_is_nowhere_when_the_key_is_loaded)
{
	const struct cert *own = factory_server(
	    world.factory, world.ca, "DNS:" TALK_HOST);
	const char *chain = factory_file(world.factory, "own.pem",
	    factory_pem(world.factory, own, NULL, NULL));
	const char *key = factory_file(world.factory, "own-key.pem", "");
	struct smtptls_context *context = NULL;
	int status = -1, asked = 0;
	pid_t pid;

	if (scan_memory(&needle) < 0)
		return;
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		write_encrypted_key(own, key);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_ok(smtptls_context_new(SMTPTLS_SERVER_AUTH, &context));
	ck_assert_ok(smtptls_context_load_cert_chain(
	    context, chain, key, give_password, &asked));
	ck_assert_int_eq(asked, 1);
	ck_assert_int_eq(scan_memory(&needle), 0);
	smtptls_context_free(context);
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
	tcase_add_loop_test(tc, password_that_opens_no_key_is_wiped, 0, 3);
	tcase_add_test(tc, password_of_a_key_is_nowhere_when_the_key_is_loaded);
	tcase_add_test(tc, secret_that_is_left_somewhere_is_found);
	add_rows_in_modes(tc, secret_is_nowhere_when_the_client_is_gone, ways);
	suite_add_tcase(suite, tc);
	return talk_run(suite);
}
