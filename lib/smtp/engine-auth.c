/* SPDX-License-Identifier: MIT */
/* AUTH (RFC 4954): its command, and the lines that answer challenges. */
#include "smtp/engine-parts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/*
 * Some servers repeat the command in a reply that refuses it, and replies are
 * shown. The response is the last word of what was appended behind `before`.
 */
static int
keep_sent(struct stls_engine *engine, size_t before, int r)
{
	const char *line = (const char *)stls_buf_data(&engine->out) + before;
	size_t end = stls_buf_len(&engine->out) - before, start;

	if (r < 0)
		return r;
	end -= 2;
	for (start = end; start > 0 && line[start - 1] != ' '; start--)
		continue;
	if (stls_secret_set(&engine->auth_sent, line + start, end - start) < 0)
		return stls_err_nomem(engine->err);
	return SMTPTLS_OK;
}

void
stls_engine_hide_response(
    struct stls_engine *engine, unsigned char *data, size_t len)
{
	const struct stls_secret *sent = &engine->auth_sent;
	unsigned char *found;

	/* "=" and "*" are no secrets; base64 has four characters at least. */
	if (sent->len < 4)
		return;
	/* A challenge is read before it is shown, and may have them as well. */
	while (len >= 3 && memcmp(data, "334", 3) == 0) {
		found = memchr(data, '\n', len);
		if (found == NULL)
			return;
		len -= (size_t)(found + 1 - data);
		data = found + 1;
	}
	for (;;) {
		found = memmem(data, len, sent->data, sent->len);
		if (found == NULL)
			return;
		memset(found, '*', sent->len);
		len -= (size_t)(found + sent->len - data);
		data = found + sent->len;
	}
}

/* Keep an initial response for when the server asks for it. */
static int
defer_initial(struct stls_engine *engine, const struct stls_secret *initial)
{
	stls_err_clear(engine->err);
	if (stls_secret_set(
		&engine->auth_initial, initial->data, initial->len) < 0)
		return stls_err_nomem(engine->err);
	engine->auth_has_initial = true;
	return SMTPTLS_OK;
}

static void
auth_command(struct stls_engine *engine, const char *mechanism,
    const struct stls_secret *initial)
{
	size_t before = stls_buf_len(&engine->out);
	char shown[64];
	int r;

	r = stls_command_auth(engine->err, &engine->out, mechanism, initial);
	if (r == SMTPTLS_E_LIMIT && initial != NULL) {
		r = defer_initial(engine, initial);
		initial = NULL;
		if (r == SMTPTLS_OK)
			r = stls_command_auth(
			    engine->err, &engine->out, mechanism, NULL);
	}
	snprintf(shown, sizeof(shown), "AUTH %s%s", mechanism,
	    initial != NULL ? " ***" : "");
	r = stls_engine_sent_line(engine, before, r, shown);
	if (initial != NULL)
		r = keep_sent(engine, before, r);
	engine->secret_end = engine->queued;
	if (r == SMTPTLS_OK)
		r = stls_engine_expect(engine, STLS_STEP_AUTH, 0, 0);
	if (r == SMTPTLS_OK)
		r = stls_engine_enter(engine, STLS_STATE_WAITING);
	stls_engine_settle(engine, r);
}

void
stls_engine_auth(struct stls_engine *engine, const char *mechanism,
    const struct stls_secret *initial)
{
	assert(engine->state == STLS_STATE_START_AUTH);
	if (stls_engine_check_gate(engine, STLS_STEP_AUTH) < 0) {
		stls_engine_close(engine);
		return;
	}
	auth_command(engine, mechanism, initial);
}

const struct stls_secret *
stls_engine_challenge(const struct stls_engine *engine)
{
	return &engine->challenge;
}

void
stls_engine_auth_failed(struct stls_engine *engine, const char *status)
{
	assert(engine->state == STLS_STATE_CHALLENGE);
	engine->auth_has_failed = true;
	free(engine->auth_status);
	engine->auth_status = stls_strdup(status);
}

void
stls_engine_auth_respond(
    struct stls_engine *engine, const struct stls_secret *response)
{
	size_t before = stls_buf_len(&engine->out);
	int r;

	assert(engine->state == STLS_STATE_CHALLENGE);
	stls_secret_done(&engine->challenge);
	r = stls_engine_check_gate(engine, STLS_STEP_AUTH);
	if (r == SMTPTLS_OK)
		r = stls_command_auth_response(
		    engine->err, &engine->out, response);
	r = stls_engine_sent_line(engine, before, r, "***");
	/* What gives up is no secret; the token before it still is. */
	if (!engine->auth_has_failed)
		r = keep_sent(engine, before, r);
	engine->secret_end = engine->queued;
	if (r == SMTPTLS_OK)
		r = stls_engine_expect(engine, STLS_STEP_AUTH, 0, 0);
	if (r == SMTPTLS_OK)
		r = stls_engine_enter(engine, STLS_STATE_WAITING);
	stls_engine_settle(engine, r);
}
