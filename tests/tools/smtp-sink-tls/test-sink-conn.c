/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <smtptls/context.h>
#include <smtptls/session.h>

#include "base/buf.h"
#include "base/err.h"

#include "certificates/make-ca.h"
#include "connection/conn.h"
#include "conversation/extensions.h"

/*
 * A connection of the sink and a client on a pair of sockets, in one thread
 * and in invented time. The client is as quick as can be: it reacts before
 * send(2) of the sink has returned.
 */

#define DELAY_MS 1000
#define RECIPIENTS 1000

/* What the client says next, and how many replies it waits for then. */
struct exchange {
	const char *text;
	unsigned int replies;
};

#define HI                                                                     \
	{                                                                      \
		"EHLO c.example.org\r\n", 1                                    \
	}
#define ENVELOPE "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n"
#define TLS                                                                    \
	{                                                                      \
		"STARTTLS\r\n", 1                                              \
	}
#define END                                                                    \
	{                                                                      \
		NULL, 0                                                        \
	}

static const struct exchange starttls_standard[] = { HI, TLS, HI,
	{ ENVELOPE "DATA\r\n", 3 }, { "x\r\n.\r\nQUIT\r\n", 2 }, END };
static const struct exchange starttls_none[] = { HI, TLS, HI,
	{ "MAIL FROM:<>\r\n", 1 }, { "RCPT TO:<b@c>\r\n", 1 },
	{ "DATA\r\n", 1 }, { "x\r\n.\r\n", 1 }, { "QUIT\r\n", 1 }, END };
static const struct exchange starttls_one_flight[] = { HI, TLS, HI,
	{ ENVELOPE "BDAT 3 LAST\r\nx\r\nQUIT\r\n", 4 }, END };
static const struct exchange implicit_standard[] = { HI,
	{ ENVELOPE "DATA\r\n", 3 }, { "x\r\n.\r\n", 1 }, { "QUIT\r\n", 1 },
	END };
static const struct exchange implicit_twice[] = { HI,
	{ ENVELOPE "DATA\r\n", 3 }, { "x\r\n.\r\n" ENVELOPE "DATA\r\n", 4 },
	{ "x\r\n.\r\nQUIT\r\n", 2 }, END };
static const struct exchange implicit_silent[] = { END };
/* Its second text is filled in below. */
static struct exchange implicit_many[] = { HI, { NULL, RECIPIENTS + 2 },
	{ "x\r\n.\r\nQUIT\r\n", 2 }, END };

static const struct {
	const struct exchange *script;
	bool is_implicit;
	enum smtptls_tls_version version;
	unsigned int flights;
	unsigned int accepted; /* of them, up to the last message */
	bool asks_certificate; /* then tickets come after the handshake */
} conversations[] = {
	{ starttls_standard, false, SMTPTLS_TLS_1_3, 7, 7, false },
	{ starttls_standard, false, SMTPTLS_TLS_1_3, 7, 7, true },
	{ starttls_none, false, SMTPTLS_TLS_1_3, 10, 9, false },
	{ starttls_one_flight, false, SMTPTLS_TLS_1_3, 6, 6, false },
	{ implicit_standard, true, SMTPTLS_TLS_1_3, 6, 5, false },
	{ implicit_twice, true, SMTPTLS_TLS_1_3, 6, 6, false },
	{ implicit_many, true, SMTPTLS_TLS_1_3, 5, 5, false },
	/* The client hangs up where it would have greeted. */
	{ implicit_silent, true, SMTPTLS_TLS_1_3, 2, 0, false },
	/* One more, but for the greeting, which comes with the last of TLS. */
	{ starttls_standard, false, SMTPTLS_TLS_1_2, 8, 8, false },
	{ implicit_standard, true, SMTPTLS_TLS_1_2, 6, 5, false },
};

static char folder[] = "/tmp/smtptls-test-XXXXXX";
static struct sink_ca_files files;
static struct smtptls_context *server_context, *client_context;
static struct sink_stats stats;
static struct sink_policy policy;
static struct sink_conn_config config;

static struct {
	int fd;
	int server_fd;
	const struct exchange *next;
	unsigned int replies; /* that it waits for */
	unsigned int column;
	bool wants_tls;
	struct smtptls_session *tls;
	bool is_secure;
	bool is_quick;
	bool is_over;
} client;

static void
say_next(void)
{
	const struct exchange *exchange = client.next++;
	size_t len, n = 0;

	client.is_over = exchange->text == NULL;
	if (client.is_over) {
		if (client.is_secure)
			ck_assert_ok(smtptls_session_close(client.tls));
		shutdown(client.fd, SHUT_WR);
		return;
	}
	client.replies = exchange->replies;
	client.wants_tls = strcmp(exchange->text, "STARTTLS\r\n") == 0;
	for (len = strlen(exchange->text); len > 0; len -= n) {
		const char *text = exchange->text + strlen(exchange->text) -
		    len;

		if (client.is_secure)
			ck_assert_ok(
			    smtptls_session_write(client.tls, text, len, &n));
		else
			n = (size_t)write(client.fd, text, len);
	}
}

static int
read_some(char *buf, size_t cap, size_t *out_len)
{
	ssize_t n;

	if (client.is_secure)
		return smtptls_session_read(client.tls, buf, cap, out_len);
	n = recv(client.fd, buf, cap, MSG_DONTWAIT);
	if (n < 0)
		return SMTPTLS_AGAIN;
	*out_len = (size_t)n;
	return SMTPTLS_OK;
}

/* Count the last lines of replies. */
static void
take(const char *data, size_t len)
{
	for (; len > 0; data++, len--) {
		if (client.column == 0)
			ck_assert_msg(*data == '2' || *data == '3', "%.*s",
			    (int)len, data);
		if (client.column == 3 && *data == ' ')
			client.replies--;
		client.column = *data == '\n' ? 0 : client.column + 1;
	}
}

static void
begin_tls(void)
{
	ck_assert_ok(
	    smtptls_session_new(client_context, "localhost", &client.tls));
	ck_assert_ok(smtptls_session_set_fd(client.tls, client.fd));
}

/* Go on as far as possible. */
static void
react(void)
{
	char buf[16384];
	size_t n;

	while (!client.is_over) {
		if (client.tls != NULL && !client.is_secure) {
			if (smtptls_session_handshake(client.tls) != 0)
				return;
			client.is_secure = true;
			if (!client.is_quick && client.wants_tls)
				return;
		}
		/* Nobody greets behind STARTTLS. */
		if (client.is_secure && client.wants_tls) {
			say_next();
			continue;
		}
		if (read_some(buf, sizeof(buf), &n) != 0)
			return;
		ck_assert_uint_gt(n, 0);
		take(buf, n);
		if (client.replies > 0)
			continue;
		if (client.wants_tls && client.tls == NULL)
			begin_tls();
		else
			say_next();
	}
}

ssize_t __real_send(int fd, const void *data, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *data, size_t len, int flags);

ssize_t
__wrap_send(int fd, const void *data, size_t len, int flags)
{
	ssize_t n = __real_send(fd, data, len, flags);

	if (n > 0 && fd == client.server_fd && client.is_quick)
		react();
	return n;
}

static bool
is_ready(const struct sink_conn *conn)
{
	struct pollfd fd = { conn->wire.fd, conn->events, 0 };

	return conn->events != 0 && poll(&fd, 1, 0) > 0;
}

/* Serve until nothing happens any more. Returns how often that took a delay. */
static unsigned int
serve(struct sink_conn *conn)
{
	int64_t now = stls_now_ms();
	unsigned int delays = 0, tries;

	for (;;) {
		bool ready = is_ready(conn);

		if (!ready && !conn->is_eager && conn->gate == STLS_NEVER) {
			/* The client may do nothing but end a handshake. */
			for (tries = 0; !ready && tries < 2; tries++) {
				react();
				ready = is_ready(conn);
			}
			if (!ready)
				break;
		}
		if (!ready && !conn->is_eager) {
			now = conn->gate > now ? conn->gate : now;
			delays++;
		}
		if (!sink_conn_drive(conn, ready, now))
			break;
	}
	return delays;
}

static unsigned int
converse(size_t i, int delay_ms, bool is_quick)
{
	struct sink_conn *conn;
	unsigned int delays;
	int pair[2];

	memset(&stats, 0, sizeof(stats));
	memset(&client, 0, sizeof(client));
	ck_assert_ok(smtptls_context_set_maximum_version(
	    client_context, conversations[i].version));
	ck_assert_ok(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
	config.delay_ms = delay_ms;
	if (conversations[i].asks_certificate)
		ck_assert_ok(smtptls_context_set_verify_mode(
		    server_context, SMTPTLS_CERT_OPTIONAL));
	client.fd = pair[0];
	client.server_fd = pair[1];
	client.is_quick = is_quick;
	client.next = conversations[i].script;
	client.replies = 1;
	if (conversations[i].is_implicit) {
		begin_tls();
		ck_assert_int_eq(
		    smtptls_session_handshake(client.tls), SMTPTLS_AGAIN);
	}
	conn = sink_conn_new(&config, pair[1], conversations[i].is_implicit);
	ck_assert_ptr_nonnull(conn);
	delays = serve(conn);
	sink_conn_free(conn);
	ck_assert(client.is_over);
	smtptls_session_free(client.tls);
	close(client.fd);
	return delays;
}

static void
check_counts(size_t i)
{
	ck_assert_uint_eq(stats.flights, conversations[i].flights);
	ck_assert_uint_eq(stats.flights_accepted, conversations[i].accepted);
}

START_TEST(every_flight_waits_once_however_slow_the_server_is)
{
	unsigned int delays = converse((size_t)_i, DELAY_MS, true);

	check_counts((size_t)_i);
	/* The client's leave is looked at later as well. */
	ck_assert_uint_ge(delays, conversations[_i].flights);
	ck_assert_uint_le(delays, conversations[_i].flights + 1);
}
END_TEST

START_TEST(flights_are_counted_without_a_delay)
{
	ck_assert_uint_eq(converse((size_t)_i, 0, true), 0);
	check_counts((size_t)_i);
}
END_TEST

START_TEST(flights_are_counted_where_the_client_is_slow)
{
	ck_assert_uint_eq(converse((size_t)_i, 0, false), 0);
	check_counts((size_t)_i);
}
END_TEST

static void
write_recipients(void)
{
	static const char rcpt[] = "RCPT TO:<a.long.name@example.org>\r\n";
	size_t size = RECIPIENTS * sizeof(rcpt) + 64, i;
	char *text = malloc(size), *p = text;

	ck_assert_ptr_nonnull(text);
	p += sprintf(p, "MAIL FROM:<a@example.org>\r\n");
	for (i = 0; i < RECIPIENTS; i++)
		p += sprintf(p, "%s", rcpt);
	sprintf(p, "DATA\r\n");
	implicit_many[1].text = text;
}

static void
set_up(void)
{
	struct stls_err err;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_ok(sink_make_ca(&err, folder, &files));
	ck_assert_ok(smtptls_context_new_default(
	    SMTPTLS_CLIENT_AUTH, files.ca, NULL, NULL, 0, &server_context));
	ck_assert_ok(smtptls_context_load_cert_chain(
	    server_context, files.cert, files.key, NULL, NULL));
	ck_assert_ok(smtptls_context_new_default(
	    SMTPTLS_SERVER_AUTH, files.ca, NULL, NULL, 0, &client_context));
	policy.stats = &stats;
	policy.extensions = SINK_EXTENSIONS_ALL;
	policy.maildir = -1;
	config.policy = &policy;
	config.context = server_context;
	config.idle_ms = 300000;
	write_recipients();
}

static void
tear_down(void)
{
	smtptls_context_free(client_context);
	smtptls_context_free(server_context);
	unlink(files.ca);
	unlink(files.cert);
	unlink(files.key);
	rmdir(folder);
	sink_ca_files_done(&files);
	free((char *)implicit_many[1].text);
}

int
main(void)
{
	Suite *suite = suite_create("sink-conn");
	TCase *tc = tcase_create("flights");

	tcase_add_unchecked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc,
	    every_flight_waits_once_however_slow_the_server_is, 0,
	    COUNT(conversations));
	tcase_add_loop_test(
	    tc, flights_are_counted_without_a_delay, 0, COUNT(conversations));
	tcase_add_loop_test(tc, flights_are_counted_where_the_client_is_slow, 0,
	    COUNT(conversations));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
