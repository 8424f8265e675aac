/* SPDX-License-Identifier: MIT */
#include "client/talk.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FDS_MAX 8
/* A client that hangs fails its test long before Check ends it. */
#define DEADLINE_MS 20000

struct talk_world world;

static const struct step starttls_prologue[] = {
	SEND("220 mail.example.org ESMTP\r\n"),
	PREFIX("EHLO "),
	SEND("250-mail.example.org\r\n250 STARTTLS\r\n"),
	LINE("STARTTLS"),
	SEND("220 2.0.0 go ahead\r\n"),
	STEP(TLS),
	PREFIX("EHLO "),
	END,
};

static const struct step implicit_prologue[] = {
	STEP(TLS),
	SEND("220 mail.example.org ESMTP\r\n"),
	PREFIX("EHLO "),
	END,
};

static const struct step lmtp_prologue[] = {
	SEND("220 mail.example.org LMTP\r\n"),
	PREFIX("LHLO "),
	SEND("250-mail.example.org\r\n250 STARTTLS\r\n"),
	LINE("STARTTLS"),
	SEND("220 2.0.0 go ahead\r\n"),
	STEP(TLS),
	PREFIX("LHLO "),
	END,
};

static bool
is_implicit(int mode)
{
	return mode == IMPLICIT_BLOCKING || mode == IMPLICIT_LOOP;
}

static bool
is_loop(int mode)
{
	return mode == STARTTLS_LOOP || mode == IMPLICIT_LOOP;
}

const struct step *
talk_prologue(int mode)
{
	return is_implicit(mode) ? implicit_prologue : starttls_prologue;
}

void
talk_world_setup(void)
{
	const char *pem;

	world.factory = factory_new();
	world.ca = factory_ca(world.factory);
	world.server = factory_server(
	    world.factory, world.ca, "DNS:" TALK_HOST);
	pem = factory_pem(world.factory, world.ca, NULL, NULL);
	ck_assert_ok(smtptls_context_new_default(
	    SMTPTLS_SERVER_AUTH, NULL, NULL, pem, strlen(pem), &world.context));
}

void
talk_world_teardown(void)
{
	smtptls_context_free(world.context);
	factory_free(world.factory);
	memset(&world, 0, sizeof(world));
}

TCase *
talk_case(Suite *suite, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, talk_world_setup, talk_world_teardown);
	suite_add_tcase(suite, tc);
	return tc;
}

static bool
is_quick(void)
{
	return getenv("STLS_TEST_QUICK") != NULL;
}

void
talk_add_row(TCase *tc, const TTest *test, int row, int modes)
{
	int first = row * modes, one = first + row % modes;

	if (is_quick())
		tcase_add_loop_test(tc, test, one, one + 1);
	else
		tcase_add_loop_test(tc, test, first, first + modes);
}

void
talk_add(TCase *tc, const TTest *test, int rows, int modes)
{
	int row;

	for (row = 0; row < rows; row++)
		talk_add_row(tc, test, row, modes);
}

int
talk_ms(int ms)
{
	return is_quick() ? 5 * ms : ms;
}

int
talk_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	if (is_quick())
		srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void
keep_trace(enum smtptls_trace_level level, const char *line, void *arg)
{
	struct talk *talk = arg;
	size_t len = strlen(line);

	ck_assert_int_ge((int)level, SMTPTLS_TRACE_INFO);
	talk->trace = realloc(talk->trace, talk->trace_len + len + 2);
	ck_assert_ptr_nonnull(talk->trace);
	memcpy(talk->trace + talk->trace_len, line, len);
	memcpy(talk->trace + talk->trace_len + len, "\n", 2);
	talk->trace_len += len + 1;
}

void
talk_leave_child(bool good)
{
	execl("/bin/sh", "sh", "-c", good ? "exit 0" : "exit 1", (char *)NULL);
	_exit(1);
}

static void
new_client(struct talk *talk, struct smtptls_context *context)
{
	ck_assert_ok(smtptls_client_new(talk->url,
	    context != NULL ? context : world.context, &talk->client));
	ck_assert_ok(
	    smtptls_client_set_deadline_ms(talk->client, talk_ms(DEADLINE_MS)));
	ck_assert_ok(smtptls_client_set_trace(
	    talk->client, SMTPTLS_TRACE_DEBUG, keep_trace, talk));
}

void
talk_renew_client(struct talk *talk)
{
	smtptls_client_free(talk->client);
	new_client(talk, NULL);
}

void
talk_begin_with(struct talk *talk, int mode, const char *scheme,
    struct smtptls_context *context, const struct server_options *options)
{
	struct server_options filled = *options;
	char place[128];

	memset(talk, 0, sizeof(*talk));
	talk->mode = mode;
	talk->fds = test_count_fds();
	if (filled.cert == NULL) {
		filled.cert = world.server;
		filled.issuer = world.ca;
	}
	talk->server = server_start(&filled);
	snprintf(
	    talk->url, sizeof(talk->url), "%s://" TALK_HOST ":2525", scheme);
	if (filled.unix_path != NULL)
		snprintf(place, sizeof(place), "unix:%s", filled.unix_path);
	else
		snprintf(place, sizeof(place), "127.0.0.1:%u",
		    (unsigned int)server_port(talk->server));
	new_client(talk, context);
	ck_assert_ok(smtptls_client_set_connect_to(talk->client, place));
}

void
talk_begin(struct talk *talk, int mode, const struct step *script)
{
	struct server_options options = { .prologue = talk_prologue(mode),
		.scripts = { script } };

	talk_begin_with(
	    talk, mode, is_implicit(mode) ? "smtps" : "smtp", NULL, &options);
}

void
talk_begin_raw(struct talk *talk, int mode, const struct step *script)
{
	struct server_options options = { .scripts = { script } };

	talk_begin_with(
	    talk, mode, is_implicit(mode) ? "smtps" : "smtp", NULL, &options);
}

void
talk_begin_lmtp(struct talk *talk, int mode, const struct step *script)
{
	struct server_options options = { .prologue = lmtp_prologue,
		.scripts = { script } };

	talk_begin_with(talk, mode, "lmtp", NULL, &options);
}

void
talk_set_credentials(struct talk *talk)
{
	ck_assert_ok(smtptls_client_set_credentials(
	    talk->client, TALK_USER, TALK_PASSWORD));
}

void
talk_set_token(struct talk *talk)
{
	ck_assert_ok(
	    smtptls_client_set_token(talk->client, TALK_USER, TALK_TOKEN));
}

void
talk_set_content(struct talk *talk, const char *data, size_t len)
{
	ck_assert_ptr_null(talk->message);
	ck_assert_ok(smtptls_message_new(&talk->message));
	ck_assert_ok(smtptls_message_set_sender(talk->message, TALK_SENDER));
	ck_assert_ok(
	    smtptls_message_add_recipient(talk->message, TALK_RECIPIENT));
	ck_assert_ok(smtptls_message_set_body_mem(talk->message, data, len));
}

void
talk_set_message(struct talk *talk)
{
	talk_set_content(talk, TALK_CONTENT, sizeof(TALK_CONTENT) - 1);
}

int
talk_drive(struct talk *talk)
{
	struct pollfd fds[FDS_MAX];
	size_t count;
	int r;

	while ((r = smtptls_client_drive(talk->client)) == SMTPTLS_AGAIN) {
		count = smtptls_client_pollfds(talk->client, fds, FDS_MAX);
		ck_assert_uint_lt(count, FDS_MAX);
		if (talk->callback_fd > 0)
			fds[count++] = (struct pollfd){
				.fd = talk->callback_fd,
				.events = smtptls_client_events(talk->client),
			};
		ck_assert_int_ge(poll(fds, (nfds_t)count,
				     smtptls_client_timeout_ms(talk->client)),
		    0);
	}
	return r;
}

int
talk_connect(struct talk *talk)
{
	int r;

	if (!is_loop(talk->mode))
		return smtptls_client_connect(talk->client);
	r = smtptls_client_start(talk->client);
	talk->has_started = true;
	return r < 0 ? r : talk_drive(talk);
}

int
talk_send(struct talk *talk)
{
	struct smtptls_message *done;
	int r = SMTPTLS_OK;

	if (!is_loop(talk->mode))
		return smtptls_client_send(talk->client, talk->message);
	if (!talk->has_started)
		r = smtptls_client_start(talk->client);
	talk->has_started = true;
	if (r == SMTPTLS_OK)
		r = smtptls_client_submit(talk->client, talk->message);
	if (r < 0)
		return r;
	ck_assert_int_eq(smtptls_message_status(talk->message), SMTPTLS_AGAIN);
	(void)talk_drive(talk);
	done = smtptls_client_next_done(talk->client);
	ck_assert_ptr_eq(done, talk->message);
	ck_assert_ptr_null(smtptls_client_next_done(talk->client));
	smtptls_message_free(done);
	return smtptls_message_status(talk->message);
}

int
talk_quit(struct talk *talk)
{
	int r;

	if (!is_loop(talk->mode))
		return smtptls_client_quit(talk->client);
	r = smtptls_client_start_quit(talk->client);
	return r < 0 ? r : talk_drive(talk);
}

void
talk_assert_content(const struct talk *talk, size_t n, const char *wire)
{
	const struct received *content = server_content(talk->server, n);

	ck_assert_uint_eq(content->len, strlen(wire));
	ck_assert_mem_eq(content->data, wire, content->len);
}

void
talk_assert_failed(struct talk *talk, int r, int code, const char *sentence)
{
	const char *text = smtptls_client_error(talk->client);

	if (talk->message != NULL && smtptls_message_status(talk->message) == r)
		text = smtptls_message_error(talk->message);
	ck_assert_msg(r == code, "%d, not %d: %s", r, code, text);
	if (sentence != NULL)
		ck_assert_msg(strstr(text, sentence) != NULL,
		    "\"%s\" is not in \"%s\"", sentence, text);
}

/* What may never be seen by who listens. */
static const char *const secrets[] = {
	TALK_SECRET,
	TALK_PASSWORD,
	TALK_TOKEN,
	TALK_PLAIN_BASE64,
	TALK_PASSWORD_BASE64,
	TALK_SENDER,
	TALK_RECIPIENT,
	"AUTH ",
	"MAIL FROM",
	"RCPT TO",
};
/* What may not be in a trace either. */
static const char *const secrets_of_trace[] = {
	TALK_SECRET,
	TALK_PASSWORD,
	TALK_TOKEN,
	TALK_PLAIN_BASE64,
	TALK_PASSWORD_BASE64,
};

static void
assert_secrets_kept(struct talk *talk)
{
	const struct received *wire = server_wire(talk->server);
	int i;

	for (i = 0; i < COUNT(secrets) && !talk->is_in_clear; i++)
		ck_assert_msg(!received_has(wire, secrets[i]),
		    "\"%s\" was in clear", secrets[i]);
	for (i = 0; i < COUNT(secrets_of_trace) && talk->trace != NULL; i++)
		ck_assert_msg(strstr(talk->trace, secrets_of_trace[i]) == NULL,
		    "\"%s\" is in the trace", secrets_of_trace[i]);
	if (talk->is_in_clear)
		ck_assert(!received_has(wire, "AUTH "));
}

void
talk_hang_up_early(struct talk *talk)
{
	smtptls_client_free(talk->client);
	talk->client = NULL;
	(void)server_finish(talk->server);
	assert_secrets_kept(talk);
}

void
talk_hang_up(struct talk *talk)
{
	const char *problem;

	talk_hang_up_early(talk);
	problem = server_finish(talk->server);
	ck_assert_msg(problem == NULL, "%s", problem);
}

void
talk_end(struct talk *talk)
{
	smtptls_client_free(talk->client);
	smtptls_message_free(talk->message);
	server_free(talk->server);
	if (talk->fds > 0)
		ck_assert_int_eq(test_count_fds(), talk->fds);
	free(talk->trace);
	memset(talk, 0, sizeof(*talk));
}

void
talk_finish(struct talk *talk)
{
	talk_hang_up(talk);
	talk_end(talk);
}
