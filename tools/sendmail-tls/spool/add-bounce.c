/* SPDX-License-Identifier: MIT */
#include "spool/add-bounce.h"

#include <stdint.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include <smtptls/message.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "mail/header.h"
#include "spool/options.h"

#define COPY_LEN 65536

/* Read the beginning of the content; *out_len is where the header ends. */
static int
read_header(struct stls_err *err, const struct spool_file *file,
    char **out_text, size_t *out_len)
{
	struct stls_header_field field;
	size_t len = 0, offset = 0;
	int r;

	*out_text = stls_alloc(SPOOL_HEADER_MAX);
	if (*out_text == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	r = spool_file_read(err, file, 0, *out_text, SPOOL_HEADER_MAX, &len);
	if (r != 0)
		return r;
	while (stls_header_next(*out_text, len, &offset, &field))
		continue;
	*out_len = offset;
	return 0;
}

int
spool_is_in_loop(
    struct stls_err *err, const struct spool_file *file, bool *out_is)
{
	CLEANUP(free_ptr) char *text = NULL;
	struct stls_header_field field;
	size_t len, offset = 0, hops = 0;
	int r;

	r = read_header(err, file, &text, &len);
	if (r != 0)
		return r;
	while (stls_header_next(text, len, &offset, &field))
		hops += stls_header_field_is(&field, "Received");
	*out_is = hops >= SPOOL_HOPS_MAX;
	return 0;
}

/* RFC 8689 section 5: what was to be kept from others is not sent around. */
static enum bounce_return
what_to_return(const struct spool_item *item)
{
	if (item->options.require_tls ||
	    item->options.ret == SMTPTLS_RETURN_HEADERS)
		return BOUNCE_RETURNS_HEADER;
	if (item->options.ret == SMTPTLS_RETURN_FULL ||
	    item->file.content_len <= SPOOL_BOUNCE_RETURN_MAX)
		return BOUNCE_RETURNS_ALL;
	return BOUNCE_RETURNS_HEADER;
}

static bool
has_8bit(const char *text, size_t len)
{
	for (; len > 0; text++, len--) {
		if ((unsigned char)*text >= 0x80)
			return true;
	}
	return false;
}

/* Go over what is returned: to look at it, or to write it. */
static int
walk(struct stls_err *err, const struct spool_file *file, uint64_t len,
    struct spool_new *new_file, bool *out_8bit)
{
	CLEANUP(free_ptr) char *buf = stls_alloc(COPY_LEN);
	uint64_t offset;
	size_t n;
	int r = 0;

	if (buf == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	for (offset = 0; offset < len && r == 0; offset += n) {
		n = len - offset < COPY_LEN ? (size_t)(len - offset) : COPY_LEN;
		r = spool_file_read(err, file, offset, buf, n, &n);
		if (r == 0 && new_file != NULL)
			r = spool_new_write(err, new_file, buf, n);
		if (r == 0 && out_8bit != NULL)
			*out_8bit = *out_8bit || has_8bit(buf, n);
	}
	return r;
}

static uint64_t
length_of(const struct spool_item *item, enum bounce_return returns,
    size_t header_len)
{
	switch (returns) {
	case BOUNCE_RETURNS_ALL:
		return item->file.content_len;
	case BOUNCE_RETURNS_HEADER:
		return header_len;
	default:
		return 0;
	}
}

/*
 * How much comes back: less and less until the report needs nothing of a server
 * that one may lack, where it is to be like that.
 */
static int
choose_returned(struct stls_err *err, const struct spool_item *item,
    struct bounce *bounce, uint64_t *out_returned)
{
	bool is_modest = bounce_is_modest(&item->message);
	CLEANUP(free_ptr) char *text = NULL;
	size_t header_len = 0;
	int r;

	bounce->returns = what_to_return(item);
	r = read_header(err, &item->file, &text, &header_len);
	while (r == 0) {
		*out_returned = length_of(item, bounce->returns, header_len);
		bounce->is_8bit = false;
		r = walk(
		    err, &item->file, *out_returned, NULL, &bounce->is_8bit);
		if (!is_modest ||
		    (!bounce->is_8bit &&
			*out_returned <= SPOOL_BOUNCE_MODEST_MAX))
			break;
		bounce->returns++;
	}
	return r;
}

/* A name that can stand behind an at sign, whoever the sender is. */
static const char *
choose_host(const struct settings *settings, const struct identity *identity,
    const char *sender)
{
	const char *at = strrchr(sender, '@');

	if (settings->domain != NULL)
		return settings->domain;
	if (identity->host[0] != '\0')
		return identity->host;
	return at != NULL ? at + 1 : "localhost";
}

static int
make_records(struct stls_err *err, const struct spool_item *item,
    bool needs_smtputf8, struct stls_buf *records)
{
	CLEANUP(spool_message_done) struct spool_message report = { 0 };
	struct mail_options options = {
		.require_tls = item->options.require_tls,
		.smtputf8 = needs_smtputf8
	};
	int r;

	report.arrived = time(NULL);
	report.account = stls_strdup(item->message.account);
	report.sender = stls_strdup("");
	if (report.account == NULL || report.sender == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	r = spool_options_add(err, &options, &report);
	if (r == 0)
		r = spool_message_add_recipient(
		    err, &report, item->message.sender);
	if (r == 0)
		r = spool_file_append_envelope(err, records, &report);
	return r;
}

static int
write_report(struct stls_err *err, const struct spool_item *item,
    const struct stls_buf *head, uint64_t returned, const struct stls_buf *tail,
    const struct stls_buf *records, char out_id[SPOOL_ID_LEN + 1])
{
	CLEANUP(spool_new_done) struct spool_new new_file = { .fd = -1 };
	uint64_t len = stls_buf_len(head) + returned + stls_buf_len(tail);
	int r;

	r = spool_new_begin(err, item->file.spool, len, &new_file);
	if (r == 0)
		r = spool_new_write(
		    err, &new_file, stls_buf_data(head), stls_buf_len(head));
	if (r == 0)
		r = walk(err, &item->file, returned, &new_file, NULL);
	if (r == 0)
		r = spool_new_write(
		    err, &new_file, stls_buf_data(tail), stls_buf_len(tail));
	if (r == 0)
		r = spool_new_commit(err, &new_file, records, out_id);
	return r;
}

int
spool_bounce(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, const struct spool_item *item,
    char out_id[SPOOL_ID_LEN + 1])
{
	CLEANUP(stls_buf_done) struct stls_buf head = { 0 };
	CLEANUP(stls_buf_done) struct stls_buf tail = { 0 };
	CLEANUP(stls_buf_done) struct stls_buf records = { 0 };
	struct mail_options options = item->options;
	struct bounce bounce = {
		.message = &item->message,
		.options = &options,
		.host = choose_host(settings, identity, item->message.sender),
		.now = time(NULL),
	};
	uint64_t returned = 0;
	int r;

	stls_buf_init(&head, SPOOL_FILE_RECORDS_MAX);
	stls_buf_init(&tail, SPOOL_FILE_RECORDS_MAX);
	stls_buf_init(&records, SPOOL_FILE_RECORDS_MAX);
	r = choose_returned(err, item, &bounce, &returned);
	/* Where nothing in it is UTF-8, one server less can refuse it. */
	options.smtputf8 = options.smtputf8 && bounce.is_8bit;
	if (r == 0)
		r = bounce_format(err, &bounce, &head, &tail);
	if (r == 0)
		r = make_records(err, item, options.smtputf8, &records);
	if (r == 0)
		r = write_report(
		    err, item, &head, returned, &tail, &records, out_id);
	return r;
}
