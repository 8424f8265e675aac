/* SPDX-License-Identifier: MIT */
/* Which connections resume the TLS session of an earlier one, and which not. */
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "client.h"
#include "client/talk.h"
#include "tls/clock.h"
#include "tls/context.h"
#include "tls/session-cache.h"

#define OTHER_HOST "other.example.org"
#define FRESH_CONNECTIONS 500

static const char *const versions[] = {
	"NORMAL:-VERS-ALL:+VERS-TLS1.3",
	"NORMAL:-VERS-ALL:+VERS-TLS1.2",
};
#define VERSIONS COUNT(versions)

static gnutls_datum_t ticket_key;
static const struct cert *both; /* a certificate with both names */
static struct smtptls_context *twin, *with_certificate, *lax, *pinned;

static struct smtptls_context *
new_context(void)
{
	const char *pem = factory_pem(world.factory, world.ca, NULL, NULL);
	struct smtptls_context *context = NULL;

	ck_assert_ok(smtptls_context_new_default(
	    SMTPTLS_SERVER_AUTH, NULL, NULL, pem, strlen(pem), &context));
	return context;
}

static const char *
pin_of(const struct cert *cert, char text[STLS_PIN_TEXT_LEN + 1])
{
	unsigned char pin[STLS_PIN_LEN];

	ck_assert(stls_pin_of_cert(cert->crt, pin));
	stls_pin_format(text, pin);
	return text;
}

static void
setup(void)
{
	const struct cert *own;
	const char *chain, *key;
	char pin[STLS_PIN_TEXT_LEN + 1];

	talk_world_setup();
	ck_assert_int_ge(gnutls_session_ticket_key_generate(&ticket_key), 0);
	both = factory_server(
	    world.factory, world.ca, "DNS:" TALK_HOST " DNS:" OTHER_HOST);
	twin = new_context();
	lax = new_context();
	ck_assert_ok(smtptls_context_insecure_no_check_hostname(lax));
	pinned = new_context();
	ck_assert_ok(smtptls_context_add_pin(pinned, pin_of(both, pin)));
	with_certificate = new_context();
	own = CERT(world.factory, world.ca, .cn = "alice",
	    .eku = GNUTLS_KP_TLS_WWW_CLIENT);
	chain = factory_file(world.factory, "own.pem",
	    factory_pem(world.factory, own, NULL, NULL));
	key = factory_file(
	    world.factory, "own-key.pem", factory_key_pem(world.factory, own));
	ck_assert_ok(smtptls_context_load_cert_chain(
	    with_certificate, chain, key, NULL, NULL));
}

static void
teardown(void)
{
	clock_move(0);
	smtptls_context_free(twin);
	smtptls_context_free(lax);
	smtptls_context_free(pinned);
	smtptls_context_free(with_certificate);
	gnutls_free(ticket_key.data);
	talk_world_teardown();
}

static const struct step serve_starttls[] = {
	SEND("220 mail.example.org ESMTP\r\n"),
	PREFIX("EHLO "),
	SEND("250-mail.example.org\r\n250 STARTTLS\r\n"),
	LINE("STARTTLS"),
	SEND("220 2.0.0 go ahead\r\n"),
	STEP(TLS),
	PREFIX("EHLO "),
	SEND("250-mail.example.org\r\n250 AUTH PLAIN LOGIN EXTERNAL "
	     "XOAUTH2\r\n"),
	STEP(SERVE),
	END,
};

static const struct step serve_implicit[] = {
	STEP(TLS),
	SEND("220 mail.example.org ESMTP\r\n"),
	PREFIX("EHLO "),
	SEND("250-mail.example.org\r\n250 AUTH PLAIN LOGIN EXTERNAL "
	     "XOAUTH2\r\n"),
	STEP(SERVE),
	END,
};

/* What a client is like; what is not said is as with everybody. */
struct how {
	const char *url;   /* NULL: smtps://TALK_HOST */
	const char *place; /* NULL: the port of the server */
	struct smtptls_context **context;
	bool by_address; /* smtptls_client_add_address() */
	bool by_name;	 /* localhost, where others say 127.0.0.1 */
	const char *user;
	const char *password;
	const char *token;   /* in the place of it */
	const char *authzid; /* EXTERNAL */
	const char *mechanism;
	bool no_cache;
};

/* A bare container may have no /etc/hosts, and with it no localhost. */
static bool
there_is_localhost(void)
{
	struct addrinfo *found;

	if (getaddrinfo("localhost", NULL, NULL, &found) != 0)
		return false;
	freeaddrinfo(found);
	return true;
}

static struct smtptls_client *
new_client(const struct how *how, const struct server *server,
    struct smtptls_session_cache *cache)
{
	struct smtptls_client *client = NULL;
	char place[64];

	ck_assert_ok(smtptls_client_new(
	    how->url != NULL ? how->url : "smtps://" TALK_HOST,
	    how->context != NULL ? *how->context : world.context, &client));
	snprintf(place, sizeof(place), "%s:%u",
	    how->by_name ? "localhost" : "127.0.0.1",
	    (unsigned int)server_port(server));
	if (how->by_address)
		ck_assert_ok(smtptls_client_add_address(client, place));
	else
		ck_assert_ok(smtptls_client_set_connect_to(
		    client, how->place != NULL ? how->place : place));
	if (how->token != NULL)
		ck_assert_ok(
		    smtptls_client_set_token(client, how->user, how->token));
	else if (how->user != NULL)
		ck_assert_ok(smtptls_client_set_credentials(client, how->user,
		    how->password != NULL ? how->password : TALK_PASSWORD));
	if (how->authzid != NULL)
		ck_assert_ok(smtptls_client_set_external(client, how->authzid));
	if (how->mechanism != NULL)
		ck_assert_ok(
		    smtptls_client_set_auth_mechanism(client, how->mechanism));
	if (!how->no_cache)
		ck_assert_ok(smtptls_client_set_session_cache(client, cache));
	ck_assert_ok(smtptls_client_set_deadline_ms(client, talk_ms(20000)));
	return client;
}

static int
connect_client(struct smtptls_client *client)
{
	struct smtptls_session *session;
	int resumed;

	ck_assert_msg(smtptls_client_connect(client) == SMTPTLS_OK, "%s",
	    smtptls_client_error(client));
	session = smtptls_client_session(client);
	resumed = smtptls_session_is_resumed(session);
	if (resumed)
		ck_assert_int_eq(smtptls_session_is_verified(session), 1);
	return resumed;
}

/* One conversation. @return whether its TLS session was resumed */
static int
visit(const struct how *how, const struct server *server,
    struct smtptls_session_cache *cache)
{
	struct smtptls_client *client = new_client(how, server, cache);
	int resumed = connect_client(client);

	ck_assert_ok(smtptls_client_quit(client));
	smtptls_client_free(client);
	return resumed;
}

static struct smtptls_session_cache *
new_cache(size_t sessions_max)
{
	struct smtptls_session_cache *cache = NULL;

	/* The test before may have run in this process. */
	clock_move(0);
	ck_assert_ok(smtptls_session_cache_new(sessions_max, &cache));
	return cache;
}

static struct server_options
options_of(int version, const struct step *script)
{
	return (struct server_options){
		.cert = both,
		.issuer = world.ca,
		.priority = versions[version],
		.ticket_key = &ticket_key,
		.asks_certificate = true,
		.parallel = true,
		.repeats = true,
		.scripts = { script },
	};
}

static struct server *
start(int version, const struct step *script)
{
	struct server_options options = options_of(version, script);

	return server_start(&options);
}

static void
finish(struct server *server)
{
	const char *problem = server_finish(server);

	ck_assert_msg(problem == NULL, "%s", problem);
	server_free(server);
}

/* --- who resumes what --- */

#define STARTTLS "smtp://" TALK_HOST ":465"

static const struct {
	struct how first, second;
	bool resumes;
} pairs[] = {
	/* The same in all, said in the same way or not. */
	{ { 0 }, { 0 }, true },
	{ { .url = STARTTLS }, { .url = STARTTLS }, true },
	{ { .url = "smtps://" TALK_HOST }, { .url = "MAIL.example.org.:465" },
	    true },
	{ { .user = "alice" }, { .user = "alice" }, true },
	{ { .user = "alice" }, { .user = "alice", .password = "new" }, true },
	{ { .user = "alice", .mechanism = "LOGIN" },
	    { .user = "alice", .mechanism = "LOGIN" }, true },
	{ { .user = "alice", .token = "t" },
	    { .user = "alice", .token = "new" }, true },
	{ { .context = &with_certificate, .authzid = "bob" },
	    { .context = &with_certificate, .authzid = "bob" }, true },
	{ { .by_name = true }, { .by_name = true }, true },

	/* Another server, or another way to it. */
	{ { 0 }, { .url = "smtps://" OTHER_HOST }, false },
	{ { .url = "smtps://" OTHER_HOST }, { 0 }, false },
	{ { 0 }, { .url = "smtps://" TALK_HOST ":466" }, false },
	{ { 0 }, { .by_name = true }, false },
	{ { .by_name = true }, { 0 }, false },

	/* Another policy, or another certificate of one's own. */
	{ { 0 }, { .context = &twin }, false },
	{ { 0 }, { .context = &with_certificate }, false },
	{ { .context = &with_certificate }, { 0 }, false },
	{ { .context = &pinned }, { .context = &pinned }, true },
	{ { .context = &pinned }, { 0 }, false },
	{ { 0 }, { .context = &pinned }, false },
	{ { .context = &lax }, { .context = &lax }, false },
	{ { .context = &lax }, { 0 }, false },
	{ { 0 }, { .context = &lax }, false },

	/* Somebody else. */
	{ { 0 }, { .user = "alice" }, false },
	{ { .user = "alice" }, { 0 }, false },
	{ { .user = "alice" }, { .user = "bob" }, false },
	{ { .user = "alice" }, { .user = "alice", .token = "t" }, false },
	{ { .user = "alice", .token = "t" }, { .user = "alice" }, false },
	{ { .user = "alice", .token = "t" }, { .user = "bob", .token = "t" },
	    false },
	{ { .user = "alice" }, { .user = "alice", .mechanism = "PLAIN" },
	    false },
	{ { .user = "alice", .mechanism = "PLAIN" },
	    { .user = "alice", .mechanism = "LOGIN" }, false },
	{ { .context = &with_certificate },
	    { .context = &with_certificate, .authzid = "" }, false },
	{ { .context = &with_certificate, .authzid = "" },
	    { .context = &with_certificate, .authzid = "bob" }, false },

	/* Without the cache nothing is kept and nothing used. */
	{ { .no_cache = true }, { 0 }, false },
	{ { 0 }, { .no_cache = true }, false },
};

static const struct step *
script_of(const struct how *how)
{
	bool starttls = how->url != NULL && strcmp(how->url, STARTTLS) == 0;

	return starttls ? serve_starttls : serve_implicit;
}

START_TEST(session_is_resumed_for_the_same_purpose_alone)
{
	struct smtptls_session_cache *cache;
	const struct how *first = &pairs[_i / VERSIONS].first;
	const struct how *second = &pairs[_i / VERSIONS].second;
	struct server *server;

	if ((first->by_name || second->by_name) && !there_is_localhost())
		return;
	cache = new_cache(0);
	server = start(_i % VERSIONS, script_of(first));
	ck_assert_int_eq(visit(first, server, cache), 0);
	ck_assert_int_eq(
	    visit(second, server, cache), pairs[_i / VERSIONS].resumes);
	/* Nor does it take away what is not for it. */
	ck_assert_int_eq(visit(first, server, cache),
	    first->context != &lax && !first->no_cache);
	finish(server);
	smtptls_session_cache_free(cache);
}
END_TEST

START_TEST(session_is_not_resumed_at_another_place)
{
	struct smtptls_session_cache *cache = new_cache(0);
	struct server *here = start(_i, serve_implicit);
	struct server *there = start(_i, serve_implicit);
	struct how how = { 0 };

	/* Both have the same name, certificate and key of tickets. */
	ck_assert_int_eq(visit(&how, here, cache), 0);
	ck_assert_int_eq(visit(&how, there, cache), 0);
	ck_assert_int_eq(visit(&how, here, cache), 1);
	ck_assert_int_eq(visit(&how, there, cache), 1);
	how.by_address = true;
	ck_assert_int_eq(visit(&how, here, cache), 0);
	ck_assert_int_eq(visit(&how, there, cache), 0);
	ck_assert_int_eq(visit(&how, here, cache), 1);
	finish(here);
	finish(there);
	smtptls_session_cache_free(cache);
}
END_TEST

/* The same by sockets of the file system. */
START_TEST(session_is_not_resumed_at_another_path)
{
	struct smtptls_session_cache *cache = new_cache(0);
	struct server_options options = options_of(_i, serve_implicit);
	struct server *servers[2];
	char paths[2][128], places[2][264];
	struct how how = { 0 };
	int i;

	for (i = 0; i < 2; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s/%d",
		    factory_dir(world.factory), i);
		snprintf(places[i], sizeof(places[i]), "unix:%s", paths[i]);
		options.unix_path = paths[i];
		servers[i] = server_start(&options);
	}
	for (i = 0; i < 4; i++) {
		how.place = places[i % 2];
		ck_assert_int_eq(visit(&how, servers[i % 2], cache), i >= 2);
	}
	for (i = 0; i < 2; i++) {
		finish(servers[i]);
		ck_assert_int_eq(unlink(paths[i]), 0);
	}
	smtptls_session_cache_free(cache);
}
END_TEST

START_TEST(session_of_tls_from_the_start_is_not_resumed_by_starttls)
{
	struct server_options options = options_of(_i, serve_implicit);
	struct smtptls_session_cache *cache = new_cache(0);
	struct server *server;
	struct how how = { 0 };

	options.repeats = false;
	options.scripts[1] = serve_starttls;
	options.scripts[2] = serve_implicit;
	server = server_start(&options);
	ck_assert_int_eq(visit(&how, server, cache), 0);
	how.url = STARTTLS;
	ck_assert_int_eq(visit(&how, server, cache), 0);
	how.url = NULL;
	ck_assert_int_eq(visit(&how, server, cache), 1);
	finish(server);
	smtptls_session_cache_free(cache);
}
END_TEST

/* --- how often --- */

START_TEST(fresh_connections_are_resumed)
{
	struct smtptls_session_cache *cache = new_cache(0);
	int all = (int)test_rounds(FRESH_CONNECTIONS), resumed = 0, i;
	struct server_options options = options_of(_i, serve_implicit);
	struct server *server;
	struct how how = { 0 };

	/* One after another. */
	options.parallel = false;
	server = server_start(&options);
	for (i = 0; i < all; i++)
		resumed += visit(&how, server, cache);
	/* All but the first, which is 99 % of 500. */
	ck_assert_int_eq(resumed, all - 1);
	ck_assert_int_eq(server_resumed(server), resumed);
	ck_assert_uint_eq(stls_session_cache_count(cache), 1);
	finish(server);
	smtptls_session_cache_free(cache);
}
END_TEST

START_TEST(what_is_kept_is_used_once)
{
	struct smtptls_session_cache *cache = new_cache(0);
	struct server *server = start(_i, serve_implicit);
	struct how how = { 0 };
	struct smtptls_client *clients[3];
	int i;

	ck_assert_int_eq(visit(&how, server, cache), 0);
	ck_assert_uint_eq(stls_session_cache_count(cache), 1);
	/* Two that both begin before either has got anything. */
	for (i = 0; i < 2; i++)
		clients[i] = new_client(&how, server, cache);
	ck_assert_int_eq(connect_client(clients[0]), 1);
	/* A connection that stays gives what the next one begins with. */
	ck_assert_uint_eq(stls_session_cache_count(cache), 1);
	ck_assert_int_eq(connect_client(clients[1]), 1);
	clients[2] = new_client(&how, server, NULL);
	ck_assert_int_eq(connect_client(clients[2]), 0);
	for (i = 0; i < 3; i++) {
		ck_assert_ok(smtptls_client_quit(clients[i]));
		smtptls_client_free(clients[i]);
	}
	ck_assert_uint_eq(stls_session_cache_count(cache), 1);
	finish(server);
	smtptls_session_cache_free(cache);
}
END_TEST

START_TEST(many_tickets_of_one_connection_are_one_session)
{
	struct server_options options = options_of(0, serve_implicit);
	struct smtptls_session_cache *cache = new_cache(0);
	struct server *server;
	struct how how = { 0 };
	int i;

	options.tickets = 16;
	server = server_start(&options);
	for (i = 0; i < 4; i++)
		ck_assert_int_eq(visit(&how, server, cache), i > 0);
	ck_assert_uint_eq(stls_session_cache_count(cache), 1);
	finish(server);
	smtptls_session_cache_free(cache);
}
END_TEST

START_TEST(server_that_refuses_gets_a_full_handshake)
{
	struct server_options options = options_of(_i, serve_implicit);
	struct smtptls_session_cache *cache = new_cache(0);
	struct server *server;
	struct how how = { 0 };
	int i;

	options.forgets = true;
	server = server_start(&options);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(visit(&how, server, cache), 0);
	/* What was refused is gone. */
	ck_assert_uint_eq(stls_session_cache_count(cache), 1);
	finish(server);
	smtptls_session_cache_free(cache);
}
END_TEST

START_TEST(server_without_tickets_is_as_good)
{
	struct server_options options = options_of(_i, serve_implicit);
	struct smtptls_session_cache *cache = new_cache(0);
	struct server *server;
	struct how how = { 0 };

	options.ticket_key = NULL;
	server = server_start(&options);
	ck_assert_int_eq(visit(&how, server, cache), 0);
	ck_assert_int_eq(visit(&how, server, cache), 0);
	/* In TLS 1.2 there is the number of the session, which it forgets. */
	ck_assert_uint_eq(stls_session_cache_count(cache), _i == 0 ? 0 : 1);
	finish(server);
	smtptls_session_cache_free(cache);
}
END_TEST

START_TEST(what_is_too_old_is_dropped)
{
	struct smtptls_session_cache *cache = new_cache(0);
	struct server *server = start(_i, serve_implicit);
	struct how how = { 0 }, other = { .url = "smtps://" OTHER_HOST };

	ck_assert_int_eq(visit(&how, server, cache), 0);
	ck_assert_int_eq(visit(&other, server, cache), 0);
	ck_assert_uint_eq(stls_session_cache_count(cache), 2);
	clock_move(7 * FACTORY_DAY + 1);
	ck_assert_int_eq(visit(&how, server, cache), 0);
	/* That of the other host as well, though nobody asked for it. */
	ck_assert_uint_eq(stls_session_cache_count(cache), 1);
	finish(server);
	smtptls_session_cache_free(cache);
}
END_TEST

/* Six hours are the life of a session: one is over, the other not. */
START_TEST(newest_is_used_first)
{
	struct smtptls_session_cache *cache = new_cache(0);
	struct server *server = start(_i, serve_implicit);
	struct how how = { 0 }, without = { .no_cache = true };
	struct smtptls_client *clients[2];
	int i;

	clients[0] = new_client(&how, server, cache);
	ck_assert_int_eq(connect_client(clients[0]), 0);
	clock_move(5 * 3600);
	/* As if both had begun before either had something to keep. */
	clients[1] = new_client(&without, server, NULL);
	ck_assert_int_eq(connect_client(clients[1]), 0);
	ck_assert(stls_session_cache_save(cache, clients[0]->session_key,
	    smtptls_client_session(clients[1])));
	ck_assert_uint_eq(stls_session_cache_count(cache), 2);
	for (i = 0; i < 2; i++) {
		ck_assert_ok(smtptls_client_quit(clients[i]));
		smtptls_client_free(clients[i]);
	}
	clock_move(7 * 3600);
	ck_assert_int_eq(visit(&how, server, cache), 1);
	finish(server);
	smtptls_session_cache_free(cache);
}
END_TEST

START_TEST(oldest_makes_room)
{
	struct smtptls_session_cache *cache = new_cache(1);
	struct server *server = start(_i, serve_implicit);
	struct how how = { 0 }, other = { .url = "smtps://" OTHER_HOST };

	ck_assert_int_eq(visit(&how, server, cache), 0);
	ck_assert_int_eq(visit(&other, server, cache), 0);
	ck_assert_uint_eq(stls_session_cache_count(cache), 1);
	ck_assert_int_eq(visit(&how, server, cache), 0);
	ck_assert_int_eq(visit(&how, server, cache), 1);
	finish(server);
	smtptls_session_cache_free(cache);
}
END_TEST

/* --- what goes wrong --- */

START_TEST(lack_of_memory_costs_the_session_alone)
{
	static const unsigned char key[STLS_SESSION_KEY_LEN];
	struct smtptls_session_cache *cache = new_cache(0);
	struct server *server = start(_i, serve_implicit);
	struct how how = { .no_cache = true };
	struct smtptls_client *client = new_client(&how, server, NULL);
	struct smtptls_session *session;

	ck_assert_int_eq(connect_client(client), 0);
	session = smtptls_client_session(client);
	stls_alloc_fail_at(1);
	ck_assert(stls_session_cache_save(cache, key, session));
	ck_assert(stls_alloc_has_failed());
	stls_alloc_fail_at(0);
	ck_assert_uint_eq(stls_session_cache_count(cache), 0);
	ck_assert_str_eq(smtptls_session_error(session), "");
	ck_assert_ok(smtptls_client_noop(client));
	ck_assert(stls_session_cache_save(cache, key, session));
	ck_assert_uint_eq(stls_session_cache_count(cache), 1);
	ck_assert_ok(smtptls_client_quit(client));
	smtptls_client_free(client);
	finish(server);
	smtptls_session_cache_free(cache);

	cache = (void *)server;
	stls_alloc_fail_at(1);
	ck_assert_int_eq(smtptls_session_cache_new(0, &cache), SMTPTLS_E_NOMEM);
	stls_alloc_fail_at(0);
	ck_assert_ptr_null(cache);
}
END_TEST

/* Whether the cache gives a session to one of this process. */
static bool
gives(struct smtptls_session_cache *cache, const unsigned char *key)
{
	size_t before = stls_session_cache_count(cache);
	struct smtptls_session *session = NULL;

	ck_assert_ok(smtptls_session_new(world.context, TALK_HOST, &session));
	stls_session_cache_resume(cache, key, session);
	smtptls_session_free(session);
	return stls_session_cache_count(cache) < before;
}

START_TEST(cache_does_nothing_in_a_child)
{
	static const unsigned char key[STLS_SESSION_KEY_LEN];
	struct smtptls_session_cache *cache = new_cache(0);
	struct server *server = start(_i, serve_implicit);
	struct how how = { .no_cache = true };
	struct smtptls_client *client = new_client(&how, server, NULL);
	int status = -1, r;
	pid_t pid;

	ck_assert_int_eq(connect_client(client), 0);
	ck_assert(stls_session_cache_save(
	    cache, key, smtptls_client_session(client)));
	ck_assert_ok(smtptls_client_quit(client));
	smtptls_client_free(client);
	/* A thread that has a lock when it is forked keeps it in the child. */
	finish(server);

	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		r = gives(cache, key) || stls_session_cache_count(cache) != 1 ||
		    !stls_session_cache_save(cache, key, NULL);
		smtptls_session_cache_free(cache);
		talk_leave_child(r == 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert(gives(cache, key));
	smtptls_session_cache_free(cache);
}
END_TEST

START_TEST(cache_is_held_by_its_clients)
{
	struct smtptls_session_cache *cache = new_cache(0);
	struct server *server = start(0, serve_implicit);
	struct how how = { 0 };
	struct smtptls_client *client = new_client(&how, server, cache);

	ck_assert_ptr_eq(smtptls_session_cache_ref(cache), cache);
	smtptls_session_cache_free(cache);
	smtptls_session_cache_free(cache);
	ck_assert_int_eq(connect_client(client), 0);
	ck_assert_int_eq(
	    smtptls_client_set_session_cache(client, NULL), SMTPTLS_E_STATE);
	ck_assert_ok(smtptls_client_quit(client));
	smtptls_client_free(client);
	finish(server);
}
END_TEST

START_TEST(senseless_caches_are_refused)
{
	struct smtptls_session_cache *cache = NULL;
	struct smtptls_client *client = NULL;

	ck_assert_int_eq(smtptls_session_cache_new(0, NULL), SMTPTLS_E_INVALID);
	ck_assert_int_eq(
	    smtptls_session_cache_new(4097, &cache), SMTPTLS_E_INVALID);
	ck_assert_ptr_null(cache);
	ck_assert_ok(smtptls_session_cache_new(4096, &cache));
	ck_assert_int_eq(
	    smtptls_client_set_session_cache(NULL, cache), SMTPTLS_E_INVALID);
	/* It can be taken back. */
	ck_assert_ok(
	    smtptls_client_new("smtps://" TALK_HOST, world.context, &client));
	ck_assert_ok(smtptls_client_set_session_cache(client, cache));
	ck_assert_ok(smtptls_client_set_session_cache(client, cache));
	ck_assert_ok(smtptls_client_set_session_cache(client, NULL));
	smtptls_client_free(client);
	smtptls_session_cache_free(cache);
	smtptls_session_cache_free(NULL);
	ck_assert_ptr_null(smtptls_session_cache_ref(NULL));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("session-cache");
	TCase *tc = tcase_create("session-cache");

	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, setup, teardown);
	suite_add_tcase(suite, tc);
	talk_add(tc, session_is_resumed_for_the_same_purpose_alone,
	    COUNT(pairs), VERSIONS);
	tcase_add_loop_test(
	    tc, session_is_not_resumed_at_another_place, 0, VERSIONS);
	tcase_add_loop_test(
	    tc, session_is_not_resumed_at_another_path, 0, VERSIONS);
	tcase_add_loop_test(tc,
	    session_of_tls_from_the_start_is_not_resumed_by_starttls, 0,
	    VERSIONS);
	tcase_add_loop_test(tc, fresh_connections_are_resumed, 0, VERSIONS);
	tcase_add_loop_test(tc, what_is_kept_is_used_once, 0, VERSIONS);
	tcase_add_test(tc, many_tickets_of_one_connection_are_one_session);
	tcase_add_loop_test(
	    tc, server_that_refuses_gets_a_full_handshake, 0, VERSIONS);
	tcase_add_loop_test(tc, server_without_tickets_is_as_good, 0, VERSIONS);
	tcase_add_loop_test(tc, what_is_too_old_is_dropped, 0, VERSIONS);
	tcase_add_loop_test(tc, newest_is_used_first, 0, VERSIONS);
	tcase_add_loop_test(tc, oldest_makes_room, 0, VERSIONS);
	tcase_add_loop_test(
	    tc, lack_of_memory_costs_the_session_alone, 0, VERSIONS);
	tcase_add_loop_test(tc, cache_does_nothing_in_a_child, 0, VERSIONS);
	tcase_add_test(tc, cache_is_held_by_its_clients);
	tcase_add_test(tc, senseless_caches_are_refused);
	return talk_run(suite);
}
