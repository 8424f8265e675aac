/* SPDX-License-Identifier: MIT */
#include "client/server-play.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <gnutls/gnutls.h>

#include "client/server-tls.h"

static bool
expect_line(struct visit *v, const struct step *step)
{
	char line[LINE_MAX_LEN];
	size_t len = 0;
	bool is_it;

	if (!visit_read_line(v, line, &len)) {
		visit_complain(v,
		    "the client went away after \"%s\" instead of "
		    "\"%s\"",
		    line, step->text);
		return false;
	}
	is_it = step->kind == STEP_LINE
	    ? len == step->len && memcmp(line, step->text, len) == 0
	    : len >= step->len && memcmp(line, step->text, step->len) == 0;
	if (!is_it)
		visit_complain(v, "the client said \"%s\" instead of \"%s\"",
		    line, step->text);
	return is_it;
}

static bool
sip_content(struct visit *v)
{
	bool ok;

	v->sips = true;
	ok = visit_read_content(v);
	v->sips = false;
	return ok;
}

static bool
read_octets(struct visit *v, size_t len)
{
	char octet;

	while (len > 0) {
		if (!visit_read_octet(v, &octet)) {
			visit_complain(v,
			    "the client went away %zu octets too early", len);
			return false;
		}
		len--;
	}
	return true;
}

/* Inside TLS each octet is a record. */
static void
drip(struct visit *v, const char *text, size_t len)
{
	while (len > 0 && visit_write(v, text, 1)) {
		poll(NULL, 0, DRIP_MS);
		text++;
		len--;
	}
}

/*
 * Until the client has closed; what it has sent stays where it is. If that is
 * so much that its end is stuck behind it, server_finish() tells.
 */
static void
stall(struct visit *v)
{
	struct pollfd pfds[2] = { { .fd = v->fd, .events = POLLRDHUP },
		{ .fd = v->host->stop, .events = POLLIN } };

	if (poll(pfds, 2, stls_deadline_left_ms(v->host->deadline)) == 0)
		visit_complain(v, "the client did not go away");
}

static bool
begins_with(const char *line, const char *verb)
{
	return strncmp(line, verb, strlen(verb)) == 0;
}

static bool
answer(struct visit *v, const char *text)
{
	return visit_write(v, text, strlen(text));
}

/* Everybody is who they say. */
static bool
serve_auth(struct visit *v, const char *line)
{
	char answered[LINE_MAX_LEN];
	bool has_response = strchr(line + strlen("AUTH "), ' ') != NULL;
	int i, challenges = begins_with(line, "AUTH LOGIN") ? 2 : !has_response;
	size_t len;

	for (i = 0; i < challenges; i++) {
		if (!answer(v, "334 \r\n") ||
		    !visit_read_line(v, answered, &len))
			return false;
	}
	return answer(v, "235 ok\r\n");
}

/* One command. False: it was the last. */
static bool
serve_line(struct visit *v, const char *line)
{
	if (begins_with(line, "QUIT")) {
		answer(v, "221 bye\r\n");
		return false;
	}
	if (begins_with(line, "EHLO "))
		return answer(v, "250 mail.example.org\r\n");
	if (begins_with(line, "AUTH "))
		return serve_auth(v, line);
	if (!begins_with(line, "DATA"))
		return answer(v, "250 ok\r\n");
	return answer(v, "354 go\r\n") && visit_read_content(v) &&
	    answer(v, "250 queued\r\n");
}

/* Until QUIT, or until the client is gone, which is no problem here. */
static void
serve_all(struct visit *v)
{
	char line[LINE_MAX_LEN];
	size_t len;

	while (visit_read_line(v, line, &len)) {
		if (!serve_line(v, line))
			break;
	}
}

static void
reset(struct visit *v)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(v->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	visit_close(v);
}

static void
say_bye(struct visit *v)
{
	if (v->tls != NULL)
		gnutls_bye(v->tls, GNUTLS_SHUT_WR);
}

/* False: the connection is over, as the script wants or not. */
static bool
play_step(struct visit *v, const struct step *step)
{
	switch (step->kind) {
	case STEP_SEND:
		/* That the client has gone shows when it should speak. */
		visit_write(v, step->text, step->len);
		return true;
	case STEP_RECORDS:
		visit_write_records(v, step->text, step->len);
		return true;
	case STEP_DRIP:
		drip(v, step->text, step->len);
		return true;
	case STEP_LINE:
	case STEP_PREFIX:
		return expect_line(v, step);
	case STEP_CONTENT:
		return visit_read_content(v);
	case STEP_SIPS:
		return sip_content(v);
	case STEP_OCTETS:
		return read_octets(v, step->len);
	case STEP_TLS:
	case STEP_TLS_DRIP:
		return visit_shake_hands(v, step->kind == STEP_TLS_DRIP);
	case STEP_TLS_FAILS:
		return visit_handshake_fails(v);
	case STEP_REHANDSHAKE:
		gnutls_rehandshake(v->tls);
		return true;
	case STEP_SERVE:
		serve_all(v);
		return true;
	case STEP_CALL:
		step->fn(step->arg);
		return true;
	case STEP_SWALLOW:
		visit_swallow(v);
		return true;
	case STEP_STALL:
		stall(v);
		return true;
	case STEP_BYE:
		say_bye(v);
		shutdown(v->fd, SHUT_WR);
		return true;
	case STEP_FIN:
		shutdown(v->fd, SHUT_WR);
		return true;
	case STEP_CLOSE:
		visit_close(v);
		return true;
	case STEP_RESET:
		reset(v);
		return true;
	case STEP_END:
		break;
	}
	return false;
}

/* False: it came to no good end. */
static bool
play(struct visit *v, const struct step *step)
{
	for (; step != NULL && step->kind != STEP_END; step++) {
		if (!play_step(v, step))
			return false;
	}
	return true;
}

/* Behind the last step nothing may come but the end. */
static void
see_off(struct visit *v)
{
	size_t before = v->inside.len + v->clear.len - v->unread_len;
	const struct received *last = v->tls != NULL ? &v->inside : &v->clear;

	if (v->fd < 0)
		return;
	visit_swallow(v);
	if (v->inside.len + v->clear.len > before)
		visit_complain(v, "the client went on: \"%.100s\"",
		    last->data + last->len -
			(v->inside.len + v->clear.len - before));
}

void
visit_play(struct visit *v, int fd, const struct step *script)
{
	v->fd = fd;
	v->is_gone = false;
	if (play(v, v->host->options.prologue) && play(v, script))
		see_off(v);
	else if (v->fd >= 0)
		visit_swallow(v);
	visit_close(v);
}
