/* SPDX-License-Identifier: MIT */
#include "conversation/transaction.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <smtptls/status.h>

#include "conversation/envelope.h"
#include "conversation/extensions.h"
#include "conversation/reply.h"

/* A line for each path, with what was asked for: see sink_envelope_*. */
#define ENVELOPE_LINE_MAX 1024
#define ENVELOPE_MAX ((SINK_RECIPIENTS_MAX + 1) * ENVELOPE_LINE_MAX)

/* Enough for SINK_MESSAGE_LEN_MAX, and no overflow in what follows. */
#define CHUNK_DIGITS_MAX 18

static const struct sink_reply no_memory = { 451, "4.3.0", "out of memory" };
static const struct sink_reply no_storage = { 452, "4.3.1",
	"the message cannot be stored" };
static const struct sink_reply no_sender = { 503, "5.5.1", "MAIL comes first" };
static const struct sink_reply no_recipient = { 503, "5.5.1",
	"RCPT comes first" };
static const struct sink_reply in_chunks = { 503, "5.5.1",
	"after BDAT comes only BDAT or RSET" };
static const struct sink_reply chunk_failed = { 503, "5.5.1",
	"an earlier BDAT was refused" };
static const struct sink_reply too_big = { 552, "5.3.4",
	"the message is larger than SIZE says" };
static const struct sink_reply bare_line_end = { 554, "5.6.0",
	"CR or LF alone in the message (RFC 5321 section 2.3.8)" };
static const struct sink_reply has_nul = { 554, "5.6.0", "NUL in the message" };
static const struct sink_reply not_offered = { 502, "5.5.1",
	"CHUNKING is not offered" };

unsigned int
sink_smtp_usable(const struct sink_smtp *smtp)
{
	unsigned int set = smtp->policy->extensions;

	if (!smtp->is_extended)
		return 0;
	if (!smtp->is_tls || smtp->policy->credentials.user == NULL)
		set &= ~(unsigned int)SINK_AUTH;
	if (smtp->is_tls)
		set &= ~(unsigned int)SINK_STARTTLS;
	else
		/* RFC 8689 section 2: never said in clear. */
		set &= ~(unsigned int)SINK_REQUIRETLS;
	if (smtp->policy->mischief != NULL)
		set = (set | smtp->mischief.shown) & ~smtp->mischief.hidden;
	return set;
}

bool
sink_smtp_may_pipeline(const struct sink_smtp *smtp)
{
	return (sink_smtp_usable(smtp) & SINK_PIPELINING) != 0;
}

void
sink_tx_init(struct sink_smtp *smtp)
{
	stls_buf_init(&smtp->tx.envelope, ENVELOPE_MAX);
	sink_mail_init(&smtp->tx.mail, smtp->policy->maildir);
}

void
sink_tx_done(struct sink_smtp *smtp)
{
	sink_mail_abort(&smtp->tx.mail);
	stls_buf_done(&smtp->tx.envelope);
}

void
sink_tx_reset(struct sink_smtp *smtp)
{
	struct sink_transaction *tx = &smtp->tx;

	sink_mail_abort(&tx->mail);
	stls_buf_clear(&tx->envelope);
	tx->is_open = false;
	tx->is_chunking = false;
	tx->is_failed = false;
	tx->recipients = 0;
}

static int
append_parameter(
    struct stls_buf *buf, const char *name, const struct sink_view *value)
{
	int r;

	if (value->data == NULL)
		return SMTPTLS_OK;
	r = stls_buf_append_str(buf, name);
	if (r < 0)
		return r;
	return stls_buf_append(buf, value->data, value->len);
}

/* `X-Envelope-To: <path>` and what was asked for with it. */
static int
record(struct stls_buf *buf, const char *field, const struct sink_path *path)
{
	size_t before = stls_buf_len(buf);

	if (stls_buf_append_str(buf, field) == SMTPTLS_OK &&
	    stls_buf_append(buf, path->path.data, path->path.len) ==
		SMTPTLS_OK &&
	    append_parameter(buf, " RET=", &path->ret) == SMTPTLS_OK &&
	    append_parameter(buf, " ENVID=", &path->envid) == SMTPTLS_OK &&
	    append_parameter(buf, " NOTIFY=", &path->notify) == SMTPTLS_OK &&
	    append_parameter(buf, " ORCPT=", &path->orcpt) == SMTPTLS_OK &&
	    stls_buf_append_str(buf, path->requires_tls ? " REQUIRETLS" : "") ==
		SMTPTLS_OK &&
	    append_parameter(buf, " HOLDFOR=", &path->hold_for) == SMTPTLS_OK &&
	    append_parameter(buf, " HOLDUNTIL=", &path->hold_until) ==
		SMTPTLS_OK &&
	    append_parameter(buf, " MT-PRIORITY=", &path->priority) ==
		SMTPTLS_OK &&
	    append_parameter(buf, " BY=", &path->deliver_by) == SMTPTLS_OK &&
	    stls_buf_append(buf, "\r\n", 2) == SMTPTLS_OK)
		return SMTPTLS_OK;
	stls_buf_truncate(buf, before);
	return SMTPTLS_E_NOMEM;
}

void
sink_tx_mail(struct sink_smtp *smtp, const char *args, size_t len)
{
	struct sink_transaction *tx = &smtp->tx;
	const struct sink_reply *refusal;
	struct sink_path path;

	if (smtp->policy->is_finishing) {
		sink_smtp_abort(smtp, "4.3.2", "this server is about to end");
		return;
	}
	if (tx->is_open) {
		sink_reply(smtp, 503, "5.5.1", "there is a sender already");
		return;
	}
	refusal = sink_envelope_parse_mail(
	    args, len, sink_smtp_usable(smtp), &path);
	if (refusal == NULL && path.size_value > SINK_MESSAGE_LEN_MAX)
		refusal = &too_big;
	if (refusal == NULL &&
	    record(&tx->envelope, "X-Envelope-From: ", &path) < 0)
		refusal = &no_memory;
	if (refusal != NULL) {
		sink_reply_with(smtp, refusal);
		return;
	}
	tx->is_open = true;
	tx->is_eightbit = path.is_eightbit;
	tx->has_smtputf8 = path.has_smtputf8;
	sink_reply(smtp, 250, "2.1.0", "sender ok");
}

static const struct sink_reply *
check_rcpt(const struct sink_transaction *tx)
{
	static const struct sink_reply too_many = { 452, "4.5.3",
		"too many recipients" };

	if (!tx->is_open)
		return &no_sender;
	if (tx->is_chunking)
		return &in_chunks;
	if (tx->recipients >= SINK_RECIPIENTS_MAX)
		return &too_many;
	return NULL;
}

void
sink_tx_rcpt(struct sink_smtp *smtp, const char *args, size_t len)
{
	static const struct sink_reply not_utf8 = { 553, "5.6.7",
		"an address that is not ASCII needs SMTPUTF8" };
	struct sink_transaction *tx = &smtp->tx;
	const struct sink_reply *refusal;
	struct sink_path path;

	refusal = check_rcpt(tx);
	if (refusal == NULL)
		refusal = sink_envelope_parse_rcpt(
		    args, len, sink_smtp_usable(smtp), &path);
	if (refusal == NULL && path.needs_smtputf8 && !tx->has_smtputf8)
		refusal = &not_utf8;
	if (refusal == NULL &&
	    record(&tx->envelope, "X-Envelope-To: ", &path) < 0)
		refusal = &no_memory;
	if (refusal != NULL) {
		sink_reply_with(smtp, refusal);
		return;
	}
	tx->recipients++;
	sink_reply(smtp, 250, "2.1.5", "recipient ok");
}

/* Begin the file of the message, with the envelope on top. */
static const struct sink_reply *
begin_content(struct sink_smtp *smtp)
{
	struct sink_transaction *tx = &smtp->tx;
	int r;

	r = sink_mail_begin(&tx->mail);
	if (r < 0)
		return r == SMTPTLS_E_NOMEM ? &no_memory : &no_storage;
	sink_mail_write(&tx->mail, stls_buf_data(&tx->envelope),
	    stls_buf_len(&tx->envelope));
	sink_content_init(&tx->content, &tx->mail, SINK_MESSAGE_LEN_MAX);
	return NULL;
}

/* What is wrong with the content so far, or NULL. */
static const struct sink_reply *
check_content(const struct sink_content *content)
{
	if (content->is_too_long)
		return &too_big;
	if (content->has_bare_line_end)
		return &bare_line_end;
	if (content->has_nul)
		return &has_nul;
	return NULL;
}

static void
count_message(struct sink_smtp *smtp)
{
	const struct sink_transaction *tx = &smtp->tx;
	struct sink_stats *stats = smtp->stats;

	stats->messages++;
	stats->recipients += tx->recipients;
	stats->bytes += tx->content.len;
	if (tx->content.has_eightbit && !tx->is_eightbit && !tx->has_smtputf8)
		stats->eightbit_violations++;
	if (tx->content.has_long_line)
		stats->long_lines++;
}

/* What the client may ask for later: the name of the file, else a number. */
static void
accept_message(struct sink_smtp *smtp)
{
	static const char before[] = "accepted as ";
	char text[sizeof(before) + SINK_NAME_MAX], *p = text + sizeof(text);
	uint64_t number = smtp->stats->messages;

	*--p = '\0';
	if (smtp->policy->maildir >= 0) {
		snprintf(
		    text, sizeof(text), "%s%s", before, smtp->tx.mail.name);
		sink_reply(smtp, 250, "2.0.0", text);
		return;
	}
	/* printf(3) takes longer than all the rest of a small message. */
	for (; number > 0; number /= 10)
		*--p = (char)('0' + number % 10);
	p -= sizeof(before) - 1;
	memcpy(p, before, sizeof(before) - 1);
	sink_reply(smtp, 250, "2.0.0", p);
}

/* The message is complete: answer for it. */
static void
end_message(struct sink_smtp *smtp)
{
	struct sink_transaction *tx = &smtp->tx;
	const struct sink_reply *refusal;

	smtp->step = SINK_STEP_CONTENT;
	if (tx->content.last == '\r')
		tx->content.has_bare_line_end = true;
	if (tx->content.has_bare_line_end)
		smtp->stats->bare_line_ends++;
	if (smtp->policy->mischief != NULL &&
	    sink_mischief_takes(smtp, SINK_STEP_CONTENT)) {
		sink_tx_reset(smtp);
		return;
	}
	refusal = check_content(&tx->content);
	if (refusal == NULL && sink_mail_commit(&tx->mail) < 0)
		refusal = &no_storage;
	if (refusal != NULL) {
		smtp->stats->messages_refused++;
		sink_reply_with(smtp, refusal);
	} else {
		count_message(smtp);
		accept_message(smtp);
	}
	sink_tx_reset(smtp);
}

void
sink_tx_data(struct sink_smtp *smtp, const char *args, size_t len)
{
	const struct sink_transaction *tx = &smtp->tx;
	const struct sink_reply *refusal = NULL;

	(void)args;
	if (len > 0) {
		sink_reply(smtp, 501, "5.5.4", "DATA has no argument");
		return;
	}
	if (!tx->is_open)
		refusal = &no_sender;
	else if (tx->is_chunking)
		refusal = &in_chunks;
	else if (tx->recipients == 0)
		refusal = &no_recipient;
	else
		refusal = begin_content(smtp);
	if (refusal != NULL) {
		sink_reply_with(smtp, refusal);
		return;
	}
	smtp->state = SINK_SMTP_DATA;
	sink_reply(smtp, 354, "", "go on, and end with a single dot");
}

size_t
sink_tx_feed_data(struct sink_smtp *smtp, const char *data, size_t len)
{
	bool ended;
	size_t used;

	used = sink_content_data(&smtp->tx.content, data, len, &ended);
	if (!ended)
		return used;
	if (used < len && !sink_smtp_may_pipeline(smtp))
		smtp->stats->pipelining_violations++;
	smtp->state = SINK_SMTP_COMMAND;
	end_message(smtp);
	return used;
}

/* RFC 3030 section 2: chunk-size [SP LAST]. */
static bool
parse_chunk(const char *args, size_t len, uint64_t *out_size, bool *out_is_last)
{
	uint64_t size = 0;
	size_t i;

	for (i = 0; i < len && args[i] >= '0' && args[i] <= '9'; i++) {
		if (i == CHUNK_DIGITS_MAX)
			return false;
		size = size * 10 + (uint64_t)(args[i] - '0');
	}
	if (i == 0)
		return false;
	*out_size = size;
	*out_is_last = len - i == 5 && strncasecmp(args + i, " LAST", 5) == 0;
	return *out_is_last || i == len;
}

static const struct sink_reply *
begin_chunk(struct sink_smtp *smtp)
{
	struct sink_transaction *tx = &smtp->tx;

	if ((sink_smtp_usable(smtp) & SINK_CHUNKING) == 0)
		return &not_offered;
	if (!tx->is_open)
		return &no_sender;
	if (tx->recipients == 0)
		return &no_recipient;
	if (tx->is_failed)
		return &chunk_failed;
	if (tx->is_chunking)
		return NULL;
	tx->is_chunking = true;
	return begin_content(smtp);
}

/* A chunk is complete: answer for it, and for the message after the last. */
static void
end_chunk(struct sink_smtp *smtp)
{
	struct sink_transaction *tx = &smtp->tx;
	const struct sink_reply *refusal = tx->chunk_refusal;

	smtp->state = SINK_SMTP_COMMAND;
	smtp->step = tx->chunk_is_last ? SINK_STEP_CONTENT : SINK_STEP_CHUNK;
	if (refusal == NULL && tx->chunk_is_last) {
		end_message(smtp);
		return;
	}
	if (refusal == NULL)
		refusal = check_content(&tx->content);
	if (refusal == NULL && smtp->policy->mischief != NULL &&
	    sink_mischief_takes(smtp, SINK_STEP_CHUNK))
		return;
	if (refusal == NULL) {
		sink_reply(smtp, 250, "2.0.0", "chunk taken");
		return;
	}
	if (!tx->is_failed && tx->is_chunking)
		smtp->stats->messages_refused++;
	tx->is_failed = tx->is_open;
	if (tx->chunk_is_last)
		sink_tx_reset(smtp);
	sink_reply_with(smtp, refusal);
}

void
sink_tx_bdat(struct sink_smtp *smtp, const char *args, size_t len)
{
	struct sink_transaction *tx = &smtp->tx;

	if (!parse_chunk(args, len, &tx->chunk_left, &tx->chunk_is_last)) {
		/* Where the chunk ends is unknown: what follows may be mail. */
		sink_reply(smtp, 501, "5.5.4", "syntax: BDAT size [LAST]");
		smtp->state = SINK_SMTP_CLOSING;
		return;
	}
	/* Refused or not, the chunk is read (RFC 3030 section 2). */
	if (tx->chunk_refusal == NULL)
		tx->chunk_refusal = begin_chunk(smtp);
	smtp->state = SINK_SMTP_CHUNK;
	if (tx->chunk_left == 0)
		end_chunk(smtp);
}

size_t
sink_tx_feed_chunk(struct sink_smtp *smtp, const char *data, size_t len)
{
	struct sink_transaction *tx = &smtp->tx;
	size_t n = len < tx->chunk_left ? len : (size_t)tx->chunk_left;

	if (tx->chunk_refusal == NULL)
		sink_content_chunk(&tx->content, data, n);
	tx->chunk_left -= n;
	if (tx->chunk_left > 0)
		return n;
	if (n < len && !sink_smtp_may_pipeline(smtp))
		smtp->stats->pipelining_violations++;
	end_chunk(smtp);
	return n;
}
