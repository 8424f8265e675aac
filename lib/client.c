/* SPDX-License-Identifier: MIT */
#include "client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>

#include "base/alloc.h"
#include "message.h"
#include "tls/context.h"

#define TIMEOUT_MS_MAX 86400000

/* RFC 5321 section 4.5.3.2, and what it does not name. */
static const int default_timeout_ms[STLS_PHASES] = {
	[SMTPTLS_PHASE_CONNECT] = 30000,
	[SMTPTLS_PHASE_HANDSHAKE] = 60000,
	[SMTPTLS_PHASE_GREETING] = 300000,
	[SMTPTLS_PHASE_COMMAND] = 300000,
	[SMTPTLS_PHASE_DATA_START] = 120000,
	[SMTPTLS_PHASE_DATA_BLOCK] = 180000,
	[SMTPTLS_PHASE_DATA_END] = 600000,
	[SMTPTLS_PHASE_QUIT] = 1000,
};

/* Some is said where nothing else calls back, as when it is freed. */
static void
say(struct smtptls_client *client, enum smtptls_trace_level level,
    const char *line)
{
	bool was_busy = client->is_busy;

	client->is_busy = true;
	client->trace(level, line, client->trace_arg);
	client->is_busy = was_busy;
}

void
stls_client_info(struct smtptls_client *client, const char *fmt, ...)
{
	char raw[512], line[sizeof(raw) + 2] = "* ";
	va_list ap;

	if (client->trace == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	stls_escape(line + 2, sizeof(line) - 2, raw, strlen(raw));
	say(client, SMTPTLS_TRACE_INFO, line);
}

void
stls_client_trace(char what, const char *text, size_t len, void *arg)
{
	struct smtptls_client *client = arg;
	enum smtptls_trace_level level = what == '=' ? SMTPTLS_TRACE_DEBUG
						     : SMTPTLS_TRACE_PROTOCOL;
	char line[1024];

	if (client->trace == NULL || client->trace_level < level)
		return;
	snprintf(line, sizeof(line), "%c%s ", what, what == '=' ? "" : ":");
	stls_escape(
	    line + strlen(line), sizeof(line) - strlen(line), text, len);
	say(client, level, line);
}

/* To ask for each line costs more than it looks. */
void
stls_client_hand_on_trace(struct smtptls_client *client)
{
	bool wanted = client->trace != NULL &&
	    client->trace_level >= SMTPTLS_TRACE_PROTOCOL;

	client->engine.config.trace = wanted ? stls_client_trace : NULL;
}

/* Take the context, or make one, and freeze it: this is its first use. */
static int
use_context(struct smtptls_client *client, struct smtptls_context *context)
{
	int r = SMTPTLS_OK;

	if (context != NULL)
		client->context = smtptls_context_ref(context);
	else
		r = smtptls_context_new_default(
		    SMTPTLS_SERVER_AUTH, NULL, NULL, NULL, 0, &client->context);
	if (r < 0)
		return stls_err_set(&client->err, r, "%s",
		    smtptls_context_error(client->context));
	if (smtptls_context_purpose(client->context) != SMTPTLS_SERVER_AUTH)
		return stls_err_set(&client->err, SMTPTLS_E_INVALID,
		    "the context is for servers (SMTPTLS_CLIENT_AUTH)");
	return stls_context_freeze(client->context, &client->err);
}

int
smtptls_client_new(const char *url, struct smtptls_context *context,
    struct smtptls_client **out_client)
{
	struct smtptls_client *client;
	int r;

	if (out_client == NULL)
		return SMTPTLS_E_INVALID;
	client = stls_alloc_zero(sizeof(*client));
	*out_client = client;
	if (client == NULL)
		return SMTPTLS_E_NOMEM;
	client->made_in = stls_fork_current();
	client->fd = client->source_fd = client->wake_read_fd = -1;
	client->deadline = client->phase_deadline = STLS_NEVER;
	client->window = STLS_WINDOW_DEFAULT;
	memcpy(
	    client->timeout_ms, default_timeout_ms, sizeof(client->timeout_ms));
	atomic_init(&client->cancelled, false);
	atomic_init(&client->wake_fd, -1);

	if (url == NULL)
		r = stls_err_set(
		    &client->err, SMTPTLS_E_INVALID, "there is no URL");
	else
		r = stls_url_parse(&client->err, url, &client->url);
	if (r == SMTPTLS_OK)
		r = use_context(client, context);
	if (r < 0) {
		client->life = STLS_LIFE_OVER;
		return r;
	}
	return SMTPTLS_OK;
}

void
smtptls_client_free(struct smtptls_client *client)
{
	struct stls_err reason = { 0 };
	struct smtptls_message *message;

	if (client == NULL)
		return;
	stls_err_set(&reason, SMTPTLS_E_CANCELLED, "the client was freed");
	stls_client_fail(client, &reason);
	while ((message = smtptls_client_next_done(client)) != NULL)
		smtptls_message_free(message);
	stls_client_hang_up(client);

	smtptls_session_cache_free(client->session_cache);
	smtptls_context_free(client->context);
	stls_place_done(&client->place);
	stls_free_secret_string(client->user);
	stls_secret_done(&client->password);
	stls_secret_done(&client->token);
	free(client->authzid);
	free(client->only_mechanism);
	free(client->ehlo_name);
	free(client->last);
	free(client);
}

const char *
smtptls_client_error(const struct smtptls_client *client)
{
	if (client == NULL)
		return smtptls_strerror(SMTPTLS_E_NOMEM);
	if (stls_fork_happened(client->made_in))
		return smtptls_strerror(SMTPTLS_E_FORKED);
	if (client->life == STLS_LIFE_OVER && client->err.code != SMTPTLS_OK)
		return stls_err_text(&client->err);
	if (client->last_code == SMTPTLS_OK)
		return "";
	return client->last != NULL ? stls_err_text(client->last)
				    : smtptls_strerror(client->last_code);
}

int
stls_client_check(struct smtptls_client *client)
{
	if (client == NULL)
		return SMTPTLS_E_INVALID;
	if (stls_fork_happened(client->made_in))
		return SMTPTLS_E_FORKED;
	if (client->is_busy)
		return SMTPTLS_E_STATE;
	if (client->life != STLS_LIFE_OVER)
		return SMTPTLS_OK;
	if (client->err.code != SMTPTLS_OK)
		return client->err.code;
	return SMTPTLS_E_STATE;
}

int
stls_client_check_new(struct smtptls_client *client)
{
	int r;

	r = stls_client_check(client);
	if (r < 0)
		return r;
	return client->life == STLS_LIFE_NEW ? SMTPTLS_OK : SMTPTLS_E_STATE;
}

int
stls_client_refuse(struct smtptls_client *client)
{
	client->life = STLS_LIFE_OVER;
	return client->err.code;
}

int
stls_client_refuse_invalid(struct smtptls_client *client, const char *what)
{
	stls_err_set(&client->err, SMTPTLS_E_INVALID, "%s", what);
	return stls_client_refuse(client);
}

int
stls_client_choose_way(struct smtptls_client *client, enum stls_way way)
{
	int r;

	r = stls_client_check_new(client);
	if (r < 0)
		return r;
	/* A second descriptor would leave nobody to close the first one. */
	if (client->way != STLS_WAY_URL &&
	    (client->way != way || way == STLS_WAY_FD))
		return stls_client_refuse_invalid(
		    client, "there is another way to connect already");
	client->way = way;
	return SMTPTLS_OK;
}

/* Replace a string setting. */
int
stls_client_set_string(
    struct smtptls_client *client, char **setting, const char *value)
{
	char *copy = stls_strdup(value);

	if (copy == NULL) {
		stls_err_nomem(&client->err);
		return stls_client_refuse(client);
	}
	/* It may be a user name, which is wiped like the password. */
	stls_free_secret_string(*setting);
	*setting = copy;
	return SMTPTLS_OK;
}

int
smtptls_client_set_connect_to(struct smtptls_client *client, const char *place)
{
	struct stls_place parsed = { 0 };
	int r;

	r = stls_client_choose_way(client, STLS_WAY_PLACE);
	if (r < 0)
		return r;
	if (place == NULL)
		return stls_client_refuse_invalid(
		    client, "there is no place to connect to");
	if (stls_place_parse(&client->err, place, &parsed) < 0)
		return stls_client_refuse(client);
	stls_place_done(&client->place);
	client->place = parsed;
	return SMTPTLS_OK;
}

int
smtptls_client_add_address(struct smtptls_client *client, const char *address)
{
	int r;

	r = stls_client_choose_way(client, STLS_WAY_ADDRESSES);
	if (r < 0)
		return r;
	if (address == NULL)
		return stls_client_refuse_invalid(
		    client, "there is no address to connect to");
	if (stls_place_add_address(&client->err, &client->place, address) < 0)
		return stls_client_refuse(client);
	return SMTPTLS_OK;
}

/* An address literal (RFC 5321 section 4.1.3). */
static bool
is_address_literal(const char *name)
{
	unsigned char address[16];
	char inner[INET6_ADDRSTRLEN];
	size_t len = strlen(name);
	bool is_ipv6 = strncmp(name, "[IPv6:", 6) == 0;
	size_t prefix = is_ipv6 ? 6 : 1;

	if (len < prefix + 2 || name[0] != '[' || name[len - 1] != ']' ||
	    len - prefix - 1 >= sizeof(inner))
		return false;
	memcpy(inner, name + prefix, len - prefix - 1);
	inner[len - prefix - 1] = '\0';
	return inet_pton(is_ipv6 ? AF_INET6 : AF_INET, inner, address) == 1;
}

int
smtptls_client_set_ehlo_name(struct smtptls_client *client, const char *name)
{
	struct stls_host host;
	int r;

	r = stls_client_check_new(client);
	if (r < 0)
		return r;
	if (name == NULL)
		return stls_client_refuse_invalid(
		    client, "there is no name to greet with");
	if (is_address_literal(name))
		return stls_client_set_string(client, &client->ehlo_name, name);
	if (stls_host_parse(&client->err, name, strlen(name), &host) < 0)
		return stls_client_refuse(client);
	if (host.is_ip)
		return stls_client_refuse_invalid(client,
		    "an address to greet with is written as a literal, "
		    "[192.0.2.1] or [IPv6:2001:db8::1]");
	return stls_client_set_string(client, &client->ehlo_name, host.name);
}

int
smtptls_client_set_session_cache(
    struct smtptls_client *client, struct smtptls_session_cache *cache)
{
	int r;

	r = stls_client_check_new(client);
	if (r < 0)
		return r;
	smtptls_session_cache_ref(cache);
	smtptls_session_cache_free(client->session_cache);
	client->session_cache = cache;
	return SMTPTLS_OK;
}

int
smtptls_client_set_timeout_ms(
    struct smtptls_client *client, enum smtptls_phase phase, int timeout_ms)
{
	int r;

	r = stls_client_check(client);
	if (r < 0)
		return r;
	if ((int)phase < 0 || phase >= STLS_PHASES || timeout_ms < 1 ||
	    timeout_ms > TIMEOUT_MS_MAX)
		return SMTPTLS_E_INVALID;
	client->timeout_ms[phase] = timeout_ms;
	return SMTPTLS_OK;
}

int
smtptls_client_set_deadline_ms(struct smtptls_client *client, int deadline_ms)
{
	int r;

	r = stls_client_check(client);
	if (r < 0)
		return r;
	if (deadline_ms < 0)
		return SMTPTLS_E_INVALID;
	client->deadline = stls_deadline_in(deadline_ms > 0 ? deadline_ms : -1);
	return SMTPTLS_OK;
}

int
smtptls_client_set_trace(struct smtptls_client *client,
    enum smtptls_trace_level level, smtptls_trace_cb trace, void *arg)
{
	int r;

	r = stls_client_check(client);
	if (r < 0)
		return r;
	client->trace = trace;
	client->trace_level = level;
	client->trace_arg = arg;
	stls_client_hand_on_trace(client);
	return SMTPTLS_OK;
}

int
smtptls_client_insecure_no_tls(struct smtptls_client *client)
{
	int r;

	r = stls_client_check_new(client);
	if (r < 0)
		return r;
	if (client->url.implicit_tls)
		return stls_client_refuse_invalid(client,
		    "smtps:// is TLS from the first byte; without TLS it is "
		    "smtp://");
	if (client->context->pins.count > 0)
		return stls_client_refuse_invalid(client,
		    "the key of the server is pinned, and without TLS it "
		    "shows none");
	client->insecure_no_tls = true;
	return SMTPTLS_OK;
}

struct smtptls_message *
smtptls_client_next_done(struct smtptls_client *client)
{
	struct smtptls_message *message;

	if (client == NULL || client->done == NULL)
		return NULL;
	message = client->done;
	client->done = message->next;
	message->next = NULL;
	message->is_in_done = false;
	return message;
}
