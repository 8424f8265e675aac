/* SPDX-License-Identifier: MIT */
#include "conversation/smtp.h"

#include <string.h>

#include "conversation/command.h"
#include "conversation/reply.h"
#include "conversation/transaction.h"

void
sink_smtp_init(struct sink_smtp *smtp, const struct sink_policy *policy)
{
	memset(smtp, 0, sizeof(*smtp));
	smtp->policy = policy;
	smtp->stats = policy->stats;
	stls_buf_init(&smtp->out, SINK_OUT_MAX);
	sink_tx_init(smtp);
}

void
sink_smtp_done(struct sink_smtp *smtp)
{
	sink_tx_done(smtp);
	sink_auth_done(&smtp->auth);
	stls_buf_done(&smtp->out);
}

static void
begin(struct sink_smtp *smtp)
{
	if (smtp->policy->mischief != NULL)
		sink_mischief_begin(smtp);
}

/* Whether a bad server answers instead of doing it. */
static bool
is_taken(struct sink_smtp *smtp, enum sink_step step)
{
	return smtp->policy->mischief != NULL &&
	    sink_mischief_takes(smtp, step);
}

/* What is in the output from the mark on may become something else. */
static void
replied(struct sink_smtp *smtp, size_t mark)
{
	if (smtp->policy->mischief != NULL)
		sink_mischief_reply(smtp, mark);
}

void
sink_smtp_greet(struct sink_smtp *smtp)
{
	size_t mark = stls_buf_len(&smtp->out);

	smtp->step = SINK_STEP_GREETING;
	begin(smtp);
	if (!is_taken(smtp, SINK_STEP_GREETING))
		sink_reply(smtp, 220, "", "localhost ESMTP smtp-sink-tls");
	replied(smtp, mark);
}

void
sink_smtp_abort(struct sink_smtp *smtp, const char *enhanced, const char *text)
{
	bool in_content = smtp->state == SINK_SMTP_DATA ||
	    smtp->state == SINK_SMTP_CHUNK;

	if (smtp->state == SINK_SMTP_CLOSING)
		return;
	smtp->state = SINK_SMTP_CLOSING;
	/* In the middle of content it would pass for the answer to it. */
	if (!in_content)
		sink_reply(smtp, 421, enhanced, text);
}

void
sink_smtp_tls_started(struct sink_smtp *smtp)
{
	/* RFC 3207 section 4.2. */
	sink_tx_reset(smtp);
	smtp->is_tls = true;
	smtp->wants_tls = false;
	smtp->is_greeted = false;
	smtp->is_extended = false;
	smtp->state = SINK_SMTP_COMMAND;
	begin(smtp);
}

/*
 * Length of the line at the start with its LF. 0: it is not complete, or it
 * is too long and is refused.
 */
static size_t
find_line(struct sink_smtp *smtp, const char *data, size_t len)
{
	size_t max = len < SINK_AUTH_LINE_MAX ? len : SINK_AUTH_LINE_MAX;
	const char *lf = memchr(data, '\n', max);

	if (lf != NULL)
		return (size_t)(lf - data) + 1;
	if (len >= SINK_AUTH_LINE_MAX)
		smtp->state = SINK_SMTP_SKIP_LINE;
	return 0;
}

static size_t
on_command(struct sink_smtp *smtp, const char *data, size_t len)
{
	size_t line_len = find_line(smtp, data, len);

	if (line_len > 0)
		sink_command_run(smtp, data, line_len, len - line_len);
	return line_len;
}

static size_t
on_skip_line(struct sink_smtp *smtp, const char *data, size_t len)
{
	const char *lf = memchr(data, '\n', len);

	if (lf == NULL)
		return len;
	smtp->state = SINK_SMTP_COMMAND;
	sink_auth_done(&smtp->auth);
	sink_reply(smtp, 500, "5.5.2", "the line is too long");
	return (size_t)(lf - data) + 1;
}

static size_t
on_auth(struct sink_smtp *smtp, const char *data, size_t len)
{
	size_t line_len = find_line(smtp, data, len);

	if (line_len > 0)
		sink_command_continue_auth(
		    smtp, data, line_len, len - line_len);
	return line_len;
}

/*
 * Something follows STARTTLS before its 220: it was put there by somebody
 * else, or by a client that would take the answer for one that came by TLS.
 */
static size_t
on_starttls(struct sink_smtp *smtp, const char *data, size_t len)
{
	(void)data;
	smtp->stats->starttls_injected++;
	sink_reply(smtp, 554, "5.5.1", "nothing may follow STARTTLS");
	smtp->state = SINK_SMTP_CLOSING;
	return len;
}

static size_t
on_closing(struct sink_smtp *smtp, const char *data, size_t len)
{
	(void)smtp;
	(void)data;
	return len;
}

size_t
sink_smtp_feed(struct sink_smtp *smtp, const char *data, size_t len)
{
	static size_t (*const states[])(
	    struct sink_smtp * smtp, const char *data, size_t len) = {
		[SINK_SMTP_COMMAND] = on_command,
		[SINK_SMTP_SKIP_LINE] = on_skip_line,
		[SINK_SMTP_AUTH] = on_auth,
		[SINK_SMTP_DATA] = sink_tx_feed_data,
		[SINK_SMTP_CHUNK] = sink_tx_feed_chunk,
		[SINK_SMTP_STARTTLS] = on_starttls,
		[SINK_SMTP_CLOSING] = on_closing,
	};
	enum sink_smtp_state before;
	size_t used = 0, mark, n;

	/* What follows a reply that is longer than the output waits for it. */
	while (used < len && stls_buf_len(&smtp->out) < SINK_OUT_HIGH &&
	    smtp->mischief.filler.text == NULL) {
		before = smtp->state;
		mark = stls_buf_len(&smtp->out);
		n = states[before](smtp, data + used, len - used);
		replied(smtp, mark);
		if (n == 0 && smtp->state == before)
			break;
		used += n;
	}
	return used;
}

void
sink_smtp_pause(struct sink_smtp *smtp)
{
	size_t mark = stls_buf_len(&smtp->out);

	if (smtp->state != SINK_SMTP_STARTTLS || smtp->wants_tls)
		return;
	smtp->wants_tls = true;
	sink_reply(smtp, 220, "2.0.0", "ready for TLS");
	replied(smtp, mark);
}
