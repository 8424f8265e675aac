/* SPDX-License-Identifier: MIT */
#include "mail/submission.h"

#include <string.h>

#include "base/cleanup.h"
#include "mail/date.h"
#include "mail/display-name.h"
#include "mail/header-copy.h"
#include "mail/header.h"
#include "mail/mbox.h"
#include "mail/message-id.h"

/* The fields that mean something here. */
enum kind {
	KIND_OTHER,
	KIND_FROM,
	KIND_SENDER,
	KIND_REPLY_TO,
	KIND_DATE,
	KIND_MESSAGE_ID,
	KIND_TO,
	KIND_CC,
	KIND_BCC,
	KIND_RESENT_FROM,
	KIND_RESENT_DATE,
	KIND_RESENT_MESSAGE_ID,
	KIND_RESENT_TO,
	KIND_RESENT_CC,
	KIND_RESENT_BCC,
	KIND_RESENT_SENDER,
	KIND_RESENT_REPLY_TO,
	KIND_COUNT
};

static const char *const names[KIND_COUNT] = {
	[KIND_FROM] = "From",
	[KIND_SENDER] = "Sender",
	[KIND_REPLY_TO] = "Reply-To",
	[KIND_DATE] = "Date",
	[KIND_MESSAGE_ID] = "Message-ID",
	[KIND_TO] = "To",
	[KIND_CC] = "Cc",
	[KIND_BCC] = "Bcc",
	[KIND_RESENT_FROM] = "Resent-From",
	[KIND_RESENT_DATE] = "Resent-Date",
	[KIND_RESENT_MESSAGE_ID] = "Resent-Message-ID",
	[KIND_RESENT_TO] = "Resent-To",
	[KIND_RESENT_CC] = "Resent-Cc",
	[KIND_RESENT_BCC] = "Resent-Bcc",
	[KIND_RESENT_SENDER] = "Resent-Sender",
	[KIND_RESENT_REPLY_TO] = "Resent-Reply-To",
};

#define BIT(kind) (1u << (kind))
#define RECIPIENTS (BIT(KIND_TO) | BIT(KIND_CC) | BIT(KIND_BCC))
#define RESENT_RECIPIENTS                                                      \
	(BIT(KIND_RESENT_TO) | BIT(KIND_RESENT_CC) | BIT(KIND_RESENT_BCC))
#define BLIND (BIT(KIND_BCC) | BIT(KIND_RESENT_BCC))
#define RESENT                                                                 \
	(RESENT_RECIPIENTS | BIT(KIND_RESENT_FROM) | BIT(KIND_RESENT_DATE) |   \
	    BIT(KIND_RESENT_MESSAGE_ID) | BIT(KIND_RESENT_SENDER) |            \
	    BIT(KIND_RESENT_REPLY_TO))
/* Those with addresses that stay. */
#define QUALIFIED                                                              \
	(BIT(KIND_FROM) | BIT(KIND_SENDER) | BIT(KIND_REPLY_TO) |              \
	    BIT(KIND_TO) | BIT(KIND_CC) | BIT(KIND_RESENT_FROM) |              \
	    BIT(KIND_RESENT_SENDER) | BIT(KIND_RESENT_REPLY_TO) |              \
	    BIT(KIND_RESENT_TO) | BIT(KIND_RESENT_CC))

/* A text on its way to a message. */
struct job {
	struct stls_err *err;
	const struct stls_submission *submission;
	const char *text;
	size_t len;
	size_t header_start, header_end;
	size_t block_end;    /* of the newest Resent- block */
	unsigned int fields; /* bits of the kinds that are there */
	unsigned int block;  /* of those in that block; 0: there is none */
	struct stls_buf *header;
};

static enum kind
kind_of(const struct stls_header_field *field)
{
	unsigned int kind;

	for (kind = KIND_FROM; kind < KIND_COUNT; kind++) {
		if (stls_header_field_is(field, names[kind]))
			return (enum kind)kind;
	}
	return KIND_OTHER;
}

static int
refuse_append(struct stls_err *err, int code)
{
	if (code == SMTPTLS_E_NOMEM)
		return stls_err_nomem(err);
	return stls_err_set(err, code, "the header is too long");
}

static size_t
line_len(const char *text, size_t len)
{
	const char *end = memchr(text, '\n', len);

	return end != NULL ? (size_t)(end - text) + 1 : len;
}

static bool
is_mbox_line(const char *text, size_t len)
{
	size_t line = line_len(text, len), next = line;
	struct stls_header_field field;

	if (!stls_mbox_starts_line(text, len))
		return false;
	return stls_mbox_has_time(text, line) ||
	    stls_mbox_starts_line(text + line, len - line) ||
	    stls_header_next(text, len, &next, &field);
}

/* What stores and forwarders put in front and no message has. */
static size_t
skip_front(const char *text, size_t len)
{
	struct stls_header_field field;
	size_t start = 0, next;

	for (;;) {
		next = start;
		if (is_mbox_line(text + start, len - start))
			next += line_len(text + start, len - start);
		else if (!stls_header_next(text, len, &next, &field) ||
		    !stls_header_field_is(&field, "Return-Path"))
			return start;
		start = next;
	}
}

/* Find out what is there, and where the header ends. */
static int
survey(struct job *job)
{
	size_t offset = job->header_start;
	struct stls_header_field field;
	bool in_block = false, behind_block = false;
	unsigned int bit;

	while (stls_header_next(job->text, job->len, &offset, &field)) {
		if (memchr(field.whole, '\0', field.whole_len) != NULL)
			return stls_err_set(job->err, SMTPTLS_E_INVALID,
			    "the field %.*s of the header has a NUL",
			    (int)field.name_len, field.name);
		bit = BIT(kind_of(&field));
		job->fields |= bit;
		if (in_block && (!(bit & RESENT) || (bit & job->block)))
			behind_block = true;
		if ((bit & RESENT) && !behind_block) {
			in_block = true;
			job->block |= bit;
			job->block_end = offset;
		}
	}
	job->header_end = offset;
	return SMTPTLS_OK;
}

static int
extract(struct job *job, struct stls_address_list *recipients)
{
	unsigned int wanted = job->block ? RESENT_RECIPIENTS : RECIPIENTS;
	size_t end = job->block ? job->block_end : job->header_end;
	size_t offset = job->header_start;
	struct stls_header_field field;
	int r;

	while (offset < end &&
	    stls_header_next(job->text, job->len, &offset, &field)) {
		if (!(BIT(kind_of(&field)) & wanted))
			continue;
		r = stls_address_list_parse_field(job->err, field.value,
		    field.value_len, job->submission->domain, recipients);
		if (r < 0)
			return stls_err_prefix(
			    job->err, "%.*s", (int)field.name_len, field.name);
	}
	return SMTPTLS_OK;
}

static int
append_name(struct job *job, enum kind kind)
{
	int r;

	r = stls_buf_append_str(job->header, names[kind]);
	if (r == SMTPTLS_OK)
		r = stls_buf_append_str(job->header, ": ");
	return r < 0 ? refuse_append(job->err, r) : SMTPTLS_OK;
}

static int
append_value(struct job *job, const char *value)
{
	int r;

	r = stls_header_append_line(job->header, value, strlen(value));
	return r < 0 ? refuse_append(job->err, r) : SMTPTLS_OK;
}

static int
add_from(struct job *job, enum kind kind)
{
	CLEANUP(stls_address_done)
	struct stls_address address = { .local = NULL };
	const struct stls_submission *submission = job->submission;
	int r;

	if (submission->from == NULL)
		return stls_err_set(job->err, SMTPTLS_E_INVALID,
		    "the message has no %s, and there is no address for one",
		    names[kind]);
	r = stls_address_parse(job->err, submission->from,
	    strlen(submission->from), false, &address);
	if (r == SMTPTLS_OK)
		r = append_name(job, kind);
	if (r == SMTPTLS_OK)
		r = stls_display_name_append(job->err, job->header,
		    submission->full_name, address.mailbox);
	return r < 0 ? r : append_value(job, "");
}

static int
add_date(struct job *job, enum kind kind)
{
	char date[STLS_DATE_LEN + 1];
	int r;

	stls_date_format(date, job->submission->now);
	r = append_name(job, kind);
	return r < 0 ? r : append_value(job, date);
}

static int
add_message_id(struct job *job, enum kind kind)
{
	char id[STLS_MESSAGE_ID_LEN_MAX + 1];
	int r;

	r = stls_message_id_make(
	    job->err, job->submission->now, job->submission->host, id);
	if (r == SMTPTLS_OK)
		r = append_name(job, kind);
	return r < 0 ? r : append_value(job, id);
}

/* Add those of the three kinds that are not in `present`. */
static int
add_missing(struct job *job, unsigned int present, enum kind from,
    enum kind date, enum kind message_id)
{
	int r = SMTPTLS_OK;

	if (!job->submission->add_missing)
		return SMTPTLS_OK;
	if (!(present & BIT(from)))
		r = add_from(job, from);
	if (r == SMTPTLS_OK && !(present & BIT(date)))
		r = add_date(job, date);
	if (r == SMTPTLS_OK && !(present & BIT(message_id)))
		r = add_message_id(job, message_id);
	return r;
}

static bool
is_replaced(const struct job *job, enum kind kind)
{
	return kind == KIND_FROM && job->submission->replace_from &&
	    job->submission->add_missing;
}

static bool
is_qualified(const struct job *job, enum kind kind)
{
	return (BIT(kind) & QUALIFIED) && job->submission->add_missing &&
	    !is_replaced(job, kind);
}

static int
write_field(struct job *job, const struct stls_header_field *field)
{
	enum kind kind = kind_of(field);
	int r;

	if (BIT(kind) & BLIND)
		return SMTPTLS_OK;
	if (is_replaced(job, kind)) {
		if (!job->submission->keep_original_from)
			return SMTPTLS_OK;
		r = stls_buf_append_str(job->header, "X-Original-");
		if (r < 0)
			return refuse_append(job->err, r);
	}
	r = stls_header_copy_field(job->header, field,
	    is_qualified(job, kind) ? job->submission->header_domain : NULL);
	return r < 0 ? refuse_append(job->err, r) : SMTPTLS_OK;
}

static int
write_header(struct job *job)
{
	size_t offset = job->header_start;
	struct stls_header_field field;
	int r;

	while (stls_header_next(job->text, job->len, &offset, &field)) {
		r = write_field(job, &field);
		if (r == SMTPTLS_OK && offset == job->block_end)
			r = add_missing(job, job->block, KIND_RESENT_FROM,
			    KIND_RESENT_DATE, KIND_RESENT_MESSAGE_ID);
		if (r < 0)
			return r;
	}
	if (is_replaced(job, KIND_FROM))
		job->fields &= ~BIT(KIND_FROM);
	r = add_missing(
	    job, job->fields, KIND_FROM, KIND_DATE, KIND_MESSAGE_ID);
	return r < 0 ? r : append_value(job, "");
}

/* The body begins behind the empty line, or is what made the header end. */
static size_t
body_offset(const struct job *job)
{
	const char *rest = job->text + job->header_end;
	size_t len = job->len - job->header_end;

	if (len >= 1 && rest[0] == '\n')
		return job->header_end + 1;
	if (len >= 2 && rest[0] == '\r' && rest[1] == '\n')
		return job->header_end + 2;
	return job->header_end;
}

int
stls_submission_prepare(struct stls_err *err,
    const struct stls_submission *submission, const char *text, size_t len,
    struct stls_buf *header, size_t *out_body_offset,
    struct stls_address_list *recipients)
{
	struct job job = {
		.err = err,
		.submission = submission,
		.text = len > 0 ? text : "",
		.len = len,
		.header = header,
	};
	size_t header_len = stls_buf_len(header);
	int r;

	job.header_start = skip_front(job.text, len);
	r = survey(&job);
	if (r == SMTPTLS_OK && submission->extract_recipients)
		r = extract(&job, recipients);
	if (r == SMTPTLS_OK)
		r = write_header(&job);
	if (r < 0) {
		stls_buf_truncate(header, header_len);
		return r;
	}
	*out_body_offset = body_offset(&job);
	return SMTPTLS_OK;
}
