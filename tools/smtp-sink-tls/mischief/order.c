/* SPDX-License-Identifier: MIT */
#include "mischief/order.h"

#include <string.h>

#include <smtptls/status.h>

#include "base/cleanup.h"

#include "conversation/extensions.h"
#include "conversation/misbehaviour.h"

/* "250 \r\n" */
#define REPLY_LEN_MIN 6

bool
sink_mischief_twice(struct sink_smtp *smtp, size_t mark)
{
	size_t len = stls_buf_len(&smtp->out) - mark;
	unsigned char *place = stls_buf_reserve(&smtp->out, len);

	if (place == NULL)
		return false;
	memcpy(place, stls_buf_data(&smtp->out) + mark, len);
	stls_buf_commit(&smtp->out, len);
	return true;
}

bool
sink_mischief_skip(struct sink_smtp *smtp, size_t mark)
{
	stls_buf_truncate(&smtp->out, mark);
	return true;
}

bool
sink_mischief_push(struct sink_smtp *smtp, size_t mark)
{
	const char *text = smtp->policy->mischief->row->text;

	(void)mark;
	return stls_buf_append_str(&smtp->out, text) == SMTPTLS_OK;
}

void
sink_mischief_want_data(struct sink_smtp *smtp)
{
	if (smtp->policy->mischief->step == SINK_STEP_CONTENT)
		smtp->mischief.hidden |= SINK_CHUNKING;
}

/* The step that is answered before each, and what is said too early then. */
static const struct {
	enum sink_step step;
	enum sink_step before;
	const char *answer;
} orders[] = {
	{ SINK_STEP_EHLO, SINK_STEP_GREETING,
	    "250-localhost\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n" },
	{ SINK_STEP_STARTTLS, SINK_STEP_EHLO, "220 ready\r\n" },
	{ SINK_STEP_AUTH, SINK_STEP_EHLO, "235 authenticated\r\n" },
	{ SINK_STEP_MAIL, SINK_STEP_EHLO, "250 sender ok\r\n" },
	{ SINK_STEP_MAIL, SINK_STEP_AUTH, "250 sender ok\r\n" },
	{ SINK_STEP_RCPT, SINK_STEP_MAIL, "250 recipient ok\r\n" },
	{ SINK_STEP_DATA, SINK_STEP_RCPT, "354 go on\r\n" },
	{ SINK_STEP_CONTENT, SINK_STEP_DATA, "250 accepted\r\n" },
	{ SINK_STEP_QUIT, SINK_STEP_CONTENT, "221 goodbye\r\n" },
};

/* What is said too early behind the answer that was just given, or NULL. */
static const char *
early_answer(const struct sink_smtp *smtp)
{
	enum sink_step step = smtp->policy->mischief->step;
	bool has_user = smtp->policy->credentials.user != NULL;
	size_t i;

	/* EHLO is said twice, and what is next depends. */
	if (smtp->step == SINK_STEP_EHLO &&
	    smtp->is_tls != (step != SINK_STEP_STARTTLS))
		return NULL;
	if (step == SINK_STEP_MAIL &&
	    has_user != (smtp->step == SINK_STEP_AUTH))
		return NULL;
	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		if (orders[i].step == step && orders[i].before == smtp->step)
			return orders[i].answer;
	}
	return NULL;
}

bool
sink_mischief_early(struct sink_smtp *smtp, size_t mark)
{
	const char *answer;

	if (smtp->mischief.is_early &&
	    smtp->step == smtp->policy->mischief->step) {
		stls_buf_truncate(&smtp->out, mark);
		smtp->mischief.is_early = false;
		return true;
	}
	answer = early_answer(smtp);
	if (answer == NULL)
		return false;
	smtp->mischief.is_early = stls_buf_append_str(&smtp->out, answer) ==
	    SMTPTLS_OK;
	return smtp->mischief.is_early;
}

/* Where the last reply begins; the ends of lines are all CRLF. */
static size_t
find_last_reply(const unsigned char *data, size_t len)
{
	size_t at = len - 2;

	for (;;) {
		while (at > 0 && data[at - 1] != '\n')
			at--;
		/* A line before it that goes on belongs to it. */
		if (at < REPLY_LEN_MIN)
			return at;
		len = at;
		at -= 2;
		while (at > 0 && data[at - 1] != '\n')
			at--;
		if (data[at + 3] != '-')
			return len;
	}
}

bool
sink_mischief_reverse(struct stls_buf *out)
{
	CLEANUP(stls_buf_done) struct stls_buf replies;
	size_t len = stls_buf_len(out), at;
	const unsigned char *data;

	stls_buf_init(&replies, len);
	if (len < REPLY_LEN_MIN ||
	    stls_buf_append(&replies, stls_buf_data(out), len) < 0)
		return false;
	data = stls_buf_data(&replies);
	if (find_last_reply(data, len) == 0)
		return false;
	stls_buf_clear(out);
	for (; len > 0; len = at) {
		at = find_last_reply(data, len);
		(void)stls_buf_append(out, data + at, len - at);
	}
	return true;
}
