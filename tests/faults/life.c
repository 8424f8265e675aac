/* SPDX-License-Identifier: MIT */
#include "life.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "client/talk.h"

#define FDS_MAX 8
#define DEADLINE_MS 5000

static gnutls_datum_t ticket_key;
static const char *cafile, *crlfile, *chain_file, *key_file;

#define EXTENSIONS                                                             \
	"250-mail.example.org\r\n250-AUTH PLAIN LOGIN\r\n250-PIPELINING\r\n"   \
	"250-8BITMIME\r\n250-DSN\r\n250 SIZE 1000000\r\n"

static const struct step serve[] = {
	SEND(EXTENSIONS),
	STEP(SERVE),
	END,
};

void
life_world_setup(void)
{
	const struct cert *own = CERT(world.factory, world.ca, .cn = "alice",
	    .eku = GNUTLS_KP_TLS_WWW_CLIENT);

	ck_assert_int_ge(gnutls_session_ticket_key_generate(&ticket_key), 0);
	cafile = factory_file(world.factory, "life-ca.pem",
	    factory_pem(world.factory, world.ca, own, NULL));
	crlfile = factory_file(world.factory, "life-crl.pem",
	    factory_crl(world.factory, world.ca, &(struct crl_spec){ 0 }));
	chain_file = factory_file(world.factory, "life-own.pem",
	    factory_pem(world.factory, own, NULL, NULL));
	key_file = factory_file(
	    world.factory, "life-key.pem", factory_key_pem(world.factory, own));
}

void
life_world_teardown(void)
{
	gnutls_free(ticket_key.data);
	memset(&ticket_key, 0, sizeof(ticket_key));
}

void
life_begin(struct life *life, int mode)
{
	struct server_options options = { .prologue = talk_prologue(mode),
		.scripts = { serve },
		.repeats = true,
		.cert = world.server,
		.issuer = world.ca,
		.ticket_key = &ticket_key };

	memset(life, 0, sizeof(*life));
	life->mode = mode;
	life->server = server_start(&options);
	snprintf(life->place, sizeof(life->place), "127.0.0.1:%u",
	    (unsigned int)server_port(life->server));
}

/* The first failure is kept. */
static int
note(struct life *life, int r, const char *text)
{
	if (r < 0 && life->result == SMTPTLS_OK) {
		life->result = r;
		snprintf(life->text, sizeof(life->text), "%s", text);
	}
	return r;
}

static int
make_context(struct life *life)
{
	int r;

	r = smtptls_context_new_default(
	    SMTPTLS_SERVER_AUTH, cafile, NULL, NULL, 0, &life->context);
	if (r == SMTPTLS_OK)
		r = smtptls_context_load_crl_file(life->context, crlfile);
	if (r == SMTPTLS_OK)
		r = smtptls_context_load_cert_chain(
		    life->context, chain_file, key_file, NULL, NULL);
	if (r < 0)
		return note(life, r, smtptls_context_error(life->context));
	r = smtptls_session_cache_new(16, &life->cache);
	return note(life, r, smtptls_strerror(r));
}

/* Each can be told from the others by its content. */
static const char *
content_of(size_t i)
{
	static const char *const contents[LIFE_MESSAGES] = {
		"Subject: zero\r\n\r\n" TALK_SECRET "\r\n.\r\n",
		"Subject: one\r\n\r\n" TALK_SECRET "\r\n",
		"Subject: two\r\n\r\n" TALK_SECRET "\r\n",
		"Subject: three\r\n\r\n" TALK_SECRET "\r\n",
		"Subject: four\r\n\r\n" TALK_SECRET "\r\n",
	};

	return contents[i];
}

static int
read_content(void *buf, size_t cap, size_t *out_len, void *arg)
{
	const char **rest = arg;
	size_t len = strlen(*rest);

	*out_len = len < cap ? len : cap;
	memcpy(buf, *rest, *out_len);
	*rest += *out_len;
	return SMTPTLS_OK;
}

static int
set_body(struct smtptls_message *message, size_t i)
{
	static const char *rest;
	const char *content = content_of(i);

	if (i != 1)
		return smtptls_message_set_body_mem(
		    message, content, strlen(content));
	rest = content;
	return smtptls_message_set_body_cb(message, read_content, NULL, &rest);
}

static int
make_message(struct life *life, size_t i)
{
	struct smtptls_message **message = &life->messages[i];
	int r;

	r = smtptls_message_new(message);
	if (r == SMTPTLS_OK)
		r = smtptls_message_set_sender(*message, TALK_SENDER);
	if (r == SMTPTLS_OK)
		r = smtptls_message_add_recipient(*message, TALK_RECIPIENT);
	if (r == SMTPTLS_OK)
		r = smtptls_message_add_recipient(
		    *message, "carol@example.org");
	if (r == SMTPTLS_OK && i == 0)
		r = smtptls_message_set_notify(
		    *message, SMTPTLS_NOTIFY_FAILURE);
	if (r == SMTPTLS_OK && i == 0)
		r = smtptls_message_set_envelope_id(*message, "life");
	if (r == SMTPTLS_OK)
		r = set_body(*message, i);
	return note(life, r, smtptls_message_error(*message));
}

static const char *
url_of(const struct life *life)
{
	return life->mode < STARTTLS_MODES ? "smtp://" TALK_HOST
					   : "smtps://" TALK_HOST;
}

static bool
is_loop(const struct life *life)
{
	return life->mode == STARTTLS_LOOP || life->mode == IMPLICIT_LOOP;
}

static int
set_up(struct smtptls_client *client, void *arg)
{
	struct life *life = arg;
	int r;

	r = smtptls_client_set_connect_to(client, life->place);
	if (r == SMTPTLS_OK)
		r = smtptls_client_set_credentials(
		    client, TALK_USER, TALK_PASSWORD);
	if (r == SMTPTLS_OK)
		r = smtptls_client_set_ehlo_name(client, "client.example.org");
	if (r == SMTPTLS_OK)
		r = smtptls_client_set_deadline_ms(
		    client, talk_ms(DEADLINE_MS));
	return r;
}

static int
make_client(struct life *life)
{
	int r;

	r = smtptls_client_new(url_of(life), life->context, &life->client);
	if (r == SMTPTLS_OK)
		r = set_up(life->client, life);
	if (r == SMTPTLS_OK)
		r = smtptls_client_set_session_cache(life->client, life->cache);
	return note(life, r, smtptls_client_error(life->client));
}

static int
drive(struct smtptls_client *client)
{
	struct pollfd fds[FDS_MAX];
	nfds_t count;
	int r;

	while ((r = smtptls_client_drive(client)) == SMTPTLS_AGAIN) {
		count = (nfds_t)smtptls_client_pollfds(client, fds, FDS_MAX);
		/* That it fails is no reason to wait no more. */
		(void)poll(fds, count, smtptls_client_timeout_ms(client));
	}
	return r;
}

/* What became of it is in the message, whatever the client says. */
static int
note_message(struct life *life, size_t i, int r)
{
	const char *text = smtptls_message_error(life->messages[i]);

	return note(life, r,
	    text[0] != '\0' ? text : smtptls_client_error(life->client));
}

static int
send_in_loop(struct life *life, size_t i)
{
	struct smtptls_message *message = life->messages[i];
	int r;

	r = smtptls_client_submit(life->client, message);
	if (r < 0)
		return r;
	(void)drive(life->client);
	smtptls_message_free(smtptls_client_next_done(life->client));
	return smtptls_message_status(message);
}

/* Messages from first to last by a client of its own. */
static int
use_client(struct life *life, size_t first, size_t last)
{
	size_t i;
	int r;

	r = make_client(life);
	if (r == SMTPTLS_OK && is_loop(life)) {
		r = smtptls_client_start(life->client);
		(void)note(life, r, smtptls_client_error(life->client));
	}
	for (i = first; i <= last && r == SMTPTLS_OK; i++)
		r = note_message(life, i,
		    is_loop(life)
			? send_in_loop(life, i)
			: smtptls_client_send(life->client, life->messages[i]));
	if (r != SMTPTLS_OK)
		return r;
	life->was_resumed = smtptls_session_is_resumed(
	    smtptls_client_session(life->client));
	/* A goodbye that fails says nothing about what was sent. */
	if (is_loop(life) &&
	    smtptls_client_start_quit(life->client) == SMTPTLS_OK)
		(void)drive(life->client);
	else
		(void)smtptls_client_quit(life->client);
	smtptls_client_free(life->client);
	life->client = NULL;
	return r;
}

static int
use_pool(struct life *life)
{
	size_t i;
	int r;

	r = smtptls_pool_new(url_of(life), life->context, &life->pool);
	if (r == SMTPTLS_OK)
		r = smtptls_pool_set_setup(life->pool, set_up, life);
	if (r == SMTPTLS_OK)
		r = smtptls_pool_set_deadline_ms(
		    life->pool, talk_ms(DEADLINE_MS));
	(void)note(life, r, smtptls_pool_error(life->pool));
	for (i = 3; i <= 4 && r == SMTPTLS_OK; i++) {
		r = smtptls_pool_send(life->pool, life->messages[i]);
		(void)note_message(life, i, r);
	}
	return r;
}

void
life_run(struct life *life)
{
	size_t i;
	int r;

	if (life->by_name)
		snprintf(life->place, sizeof(life->place), "localhost:%u",
		    (unsigned int)server_port(life->server));
	r = make_context(life);
	for (i = 0; i < LIFE_MESSAGES && r == SMTPTLS_OK; i++)
		r = make_message(life, i);
	if (r == SMTPTLS_OK)
		r = use_client(life, 0, 1);
	if (r == SMTPTLS_OK)
		r = use_client(life, 2, 2);
	if (r == SMTPTLS_OK)
		r = use_pool(life);
	if (life->client == NULL) {
		smtptls_pool_free(life->pool);
		life->pool = NULL;
	}
}

/* A client that has failed has failed, and can be asked about it. */
static const char *
look_at_client(struct smtptls_client *client)
{
	if (smtptls_client_error(client)[0] == '\0')
		return NULL;
	if (smtptls_client_step(client) == NULL ||
	    smtptls_client_peer(client) == NULL)
		return "a client that has failed says nothing";
	if (smtptls_client_connect(client) == SMTPTLS_OK)
		return "a client that had failed connects";
	return NULL;
}

const char *
life_give_up(struct life *life)
{
	const char *problem = NULL;

	if (life->client != NULL && life->result != SMTPTLS_OK)
		problem = look_at_client(life->client);
	if (problem == NULL && life->result != SMTPTLS_OK &&
	    (life->text[0] == '\0' || strchr(life->text, '\n') != NULL))
		problem = "there is no sentence for what has failed";
	smtptls_client_free(life->client);
	smtptls_pool_free(life->pool);
	smtptls_session_cache_free(life->cache);
	smtptls_context_free(life->context);
	life->client = NULL;
	life->pool = NULL;
	life->cache = NULL;
	life->context = NULL;
	return problem;
}

static size_t
count_arrived(const struct life *life, size_t i)
{
	const struct received *content;
	size_t n = 0, k, head = strcspn(content_of(i), "\r");

	for (k = 0; k < server_contents(life->server); k++) {
		content = server_content(life->server, k);
		n += content->len > head &&
		    memcmp(content->data, content_of(i), head + 1) == 0;
	}
	return n;
}

static const char *
judge_recipient(const struct life *life, size_t i, size_t recipient)
{
	size_t arrived = count_arrived(life, i);

	switch (smtptls_message_outcome(life->messages[i], recipient)) {
	case SMTPTLS_OUTCOME_ACCEPTED:
		return arrived == 1 ? NULL : "accepted, and is not there";
	case SMTPTLS_OUTCOME_NOT_TRIED:
		return arrived == 0 ? NULL : "not tried, and is there";
	case SMTPTLS_OUTCOME_IN_DOUBT:
		return arrived <= 1 ? NULL : "in doubt, and there twice";
	default:
		return "refused by a server that takes everything";
	}
}

const char *
life_judge(struct life *life)
{
	const char *problem;
	size_t i, k;

	(void)server_finish(life->server);
	for (i = 0; i < LIFE_MESSAGES && life->messages[i] != NULL; i++) {
		for (k = 0; k < smtptls_message_recipients(life->messages[i]);
		     k++) {
			problem = judge_recipient(life, i, k);
			if (problem != NULL)
				return problem;
		}
	}
	if (received_has(server_wire(life->server), TALK_PASSWORD) ||
	    received_has(server_wire(life->server), TALK_PLAIN_BASE64) ||
	    received_has(server_wire(life->server), TALK_SECRET))
		return "a secret was in clear";
	if (life->result == SMTPTLS_OK &&
	    server_contents(life->server) != LIFE_MESSAGES)
		return "all is well, and not all is there";
	return NULL;
}

void
life_end(struct life *life)
{
	size_t i;

	(void)life_give_up(life);
	for (i = 0; i < LIFE_MESSAGES; i++)
		smtptls_message_free(life->messages[i]);
	server_free(life->server);
	memset(life, 0, sizeof(*life));
}
