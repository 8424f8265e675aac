/* SPDX-License-Identifier: MIT */
/* Files of the spool, and the reports that are made of them. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <smtptls/status.h>

#include "mail/header.h"
#include "spool/bounce.h"
#include "spool/file.h"
#include "spool/options.h"
#include "spool/record.h"

#define MAX (1 << 22)

/* Each line with its checksum, so that more than that can be looked at. */
static void
add_sums(struct stls_buf *buf, struct fuzz_input *input)
{
	char *line, sum[16];
	size_t len;

	FUZZ_CHECK(stls_buf_append(buf, "\n", 1) == 0);
	while (input->len > 0) {
		line = fuzz_take_line(input, &len);
		sprintf(
		    sum, "%08lx ", (unsigned long)spool_record_sum(line, len));
		FUZZ_CHECK(stls_buf_append_str(buf, sum) == 0);
		FUZZ_CHECK(stls_buf_append(buf, line, len) == 0);
		FUZZ_CHECK(stls_buf_append(buf, "\n", 1) == 0);
		free(line);
	}
}

static int
parse(const struct stls_buf *buf, struct spool_message *message, size_t *used)
{
	struct stls_err err = { 0 };
	char *copy = fuzz_copy(stls_buf_data(buf), stls_buf_len(buf));
	int r = spool_file_parse(&err, copy, stls_buf_len(buf), message, used);

	if (r != 0)
		FUZZ_CHECK(fuzz_is_sentence(err.text));
	free(copy);
	return r;
}

/* All of it once more, from the beginning. */
static void
write_again(struct stls_buf *buf, const struct spool_message *message)
{
	const struct spool_recipient *recipient;
	struct stls_err err;
	size_t i;

	FUZZ_CHECK(stls_buf_append(buf, "\n", 1) == 0);
	FUZZ_CHECK(spool_file_append_envelope(&err, buf, message) == 0);
	for (i = 0; i < message->recipient_count; i++) {
		recipient = &message->recipients[i];
		FUZZ_CHECK(
		    spool_file_append_state(&err, buf, i, recipient->state,
			recipient->since, recipient->reply) == 0);
	}
	if (message->attempts > 0)
		FUZZ_CHECK(
		    spool_file_append_attempt(&err, buf, &message->last) == 0);
}

static bool
is_same(const char *a, const char *b)
{
	char escaped[SPOOL_FILE_TEXT_MAX + 1];

	/* Octets that are no text are written as such. */
	stls_escape(escaped, sizeof(escaped), a, strlen(a));
	return strcmp(escaped, b) == 0;
}

static void
check_same(const struct spool_message *a, const struct spool_message *b)
{
	const struct spool_recipient *x, *y;
	size_t i;

	FUZZ_CHECK(a->arrived == b->arrived);
	FUZZ_CHECK(strcmp(a->sender, b->sender) == 0);
	FUZZ_CHECK(strcmp(a->account, b->account) == 0);
	FUZZ_CHECK(a->option_count == b->option_count);
	for (i = 0; i < a->option_count; i++)
		FUZZ_CHECK(
		    strcmp(a->options[i].value, b->options[i].value) == 0);
	FUZZ_CHECK(a->recipient_count == b->recipient_count);
	for (i = 0; i < a->recipient_count; i++) {
		x = &a->recipients[i];
		y = &b->recipients[i];
		FUZZ_CHECK(strcmp(x->address, y->address) == 0);
		FUZZ_CHECK(x->state == y->state && x->since == y->since);
		if (x->reply != NULL && x->reply[0] != '\0')
			FUZZ_CHECK(is_same(x->reply, y->reply));
	}
	FUZZ_CHECK((a->attempts > 0) == (b->attempts > 0));
	if (a->attempts > 0)
		FUZZ_CHECK(is_same(a->last.text, b->last.text) &&
		    a->last.when == b->last.when &&
		    a->last.next == b->last.next &&
		    a->last.age_s == b->last.age_s &&
		    a->last.status == b->last.status);
}

/* Lines end as they must, and nobody added a field or a part. */
static void
check_report(const struct stls_buf *head, const struct stls_buf *tail)
{
	static const char *const fields[] = { "From", "To", "Subject", "Date",
		"Message-ID", "Auto-Submitted", "MIME-Version",
		"Content-Type" };
	const char *text = (const char *)stls_buf_data(head), *at = text;
	const char *boundary = (const char *)stls_buf_data(tail) + 2;
	size_t len = stls_buf_len(head), i, offset = 0, parts = 0;
	struct stls_header_field field;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		FUZZ_CHECK(stls_header_next(text, len, &offset, &field));
		FUZZ_CHECK(stls_header_field_is(&field, fields[i]));
	}
	FUZZ_CHECK(!stls_header_next(text, len, &offset, &field));
	for (i = 0; i < len; i++) {
		FUZZ_CHECK(text[i] != '\0');
		if (text[i] == '\r')
			FUZZ_CHECK(i + 1 < len && text[i + 1] == '\n');
		if (text[i] == '\n')
			FUZZ_CHECK(i > 0 && text[i - 1] == '\r');
	}
	FUZZ_CHECK(stls_buf_len(tail) == 40 && memcmp(boundary, "--", 2) == 0);
	while ((at = memmem(at, len - (size_t)(at - text), boundary, 34)) !=
	    NULL) {
		parts++;
		at += 34;
	}
	FUZZ_CHECK(parts == 3);
}

static void
report(struct spool_message *message, unsigned int flags)
{
	struct mail_options options = { 0 };
	const struct bounce bounce = {
		.message = message,
		.options = &options,
		.host = "mx.example.org",
		.returns = fuzz_flag(flags, 1) ? BOUNCE_RETURNS_ALL
					       : BOUNCE_RETURNS_HEADER,
		.is_8bit = fuzz_flag(flags, 2),
		.now = 1795435200,
	};
	struct stls_buf head, tail;
	struct stls_err err = { 0 };
	size_t i;

	if (spool_options_get(&err, message, &options) != 0)
		FUZZ_CHECK(fuzz_is_sentence(err.text));
	for (i = 0; i < message->recipient_count; i++)
		message->recipients[i].state = SPOOL_REFUSED;
	if (!bounce_is_wanted(message, &options))
		FUZZ_CHECK(message->sender[0] == '\0' || options.notify != 0);
	stls_buf_init(&head, MAX);
	stls_buf_init(&tail, MAX);
	FUZZ_CHECK(bounce_format(&err, &bounce, &head, &tail) == 0);
	check_report(&head, &tail);
	stls_buf_done(&head);
	stls_buf_done(&tail);
}

static void
check_head(const uint8_t *data, size_t size)
{
	char out[SPOOL_FILE_HEAD_LEN + 1];
	struct stls_err err = { 0 };
	uint64_t len;

	if (spool_file_parse_head(&err, (const char *)data, size, &len) != 0)
		return;
	spool_file_format_head(len, out);
	FUZZ_CHECK(memcmp(out, data, SPOOL_FILE_HEAD_LEN) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	unsigned int flags = fuzz_take(&input);
	struct spool_message message = { 0 }, again = { 0 };
	struct stls_buf buf, second;
	size_t used = 0;

	check_head(input.data, input.len);
	stls_buf_init(&buf, MAX);
	stls_buf_init(&second, MAX);
	if (fuzz_flag(flags, 0))
		FUZZ_CHECK(stls_buf_append(&buf, input.data, input.len) == 0);
	else
		add_sums(&buf, &input);
	if (parse(&buf, &message, &used) == 0) {
		FUZZ_CHECK(used <= stls_buf_len(&buf));
		write_again(&second, &message);
		FUZZ_CHECK(parse(&second, &again, &used) == 0);
		FUZZ_CHECK(used == stls_buf_len(&second));
		check_same(&message, &again);
		report(&message, flags);
	}
	spool_message_done(&message);
	spool_message_done(&again);
	stls_buf_done(&second);
	stls_buf_done(&buf);
	return 0;
}
