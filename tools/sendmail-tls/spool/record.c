/* SPDX-License-Identifier: MIT */
#include "spool/record.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "spool/file.h"

#define SUM_LEN 8

uint32_t
spool_record_sum(const char *text, size_t len)
{
	uint32_t sum = 2166136261U;

	for (; len > 0; text++, len--)
		sum = (sum ^ (unsigned char)*text) * 16777619U;
	return sum;
}

static bool
has_control(const char *text, size_t len)
{
	for (; len > 0; text++, len--) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	}
	return false;
}

bool
spool_record_next(const char *text, size_t len, size_t *offset,
    struct spool_record *out_record)
{
	const char *line = text + *offset;
	const char *end = memchr(line, '\n', len - *offset);
	char sum[SUM_LEN + 1];
	size_t body_len;

	if (end == NULL || end - line < SUM_LEN + 2 || line[SUM_LEN] != ' ')
		return false;
	body_len = (size_t)(end - line) - SUM_LEN - 1;
	if (body_len > SPOOL_RECORD_LEN_MAX)
		return false;
	snprintf(sum, sizeof(sum), "%08" PRIx32,
	    spool_record_sum(line + SUM_LEN + 1, body_len));
	if (memcmp(sum, line, SUM_LEN) != 0 ||
	    has_control(line + SUM_LEN + 1, body_len))
		return false;
	memcpy(out_record->text, line + SUM_LEN + 1, body_len);
	out_record->text[body_len] = '\0';
	out_record->rest = out_record->text;
	*offset = (size_t)(end - text) + 1;
	return true;
}

bool
spool_record_is_any(const char *text, size_t len)
{
	struct spool_record record;
	const char *end;
	size_t offset = 0;

	while (offset < len) {
		if (spool_record_next(text, len, &offset, &record))
			return true;
		end = memchr(text + offset, '\n', len - offset);
		if (end == NULL)
			return false;
		offset = (size_t)(end - text) + 1;
	}
	return false;
}

const char *
spool_record_word(struct spool_record *record)
{
	char *word = record->rest;
	size_t len = strcspn(word, " ");

	if (len == 0)
		return NULL;
	record->rest += len;
	if (*record->rest == ' ')
		*record->rest++ = '\0';
	return word;
}

bool
spool_record_number(struct spool_record *record, int64_t *out_number)
{
	const char *word = spool_record_word(record), *p = word;
	int64_t number = 0;

	if (word == NULL)
		return false;
	if (*p == '-')
		p++;
	if (*p == '\0')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (number > INT64_MAX / 100)
			return false;
		number = number * 10 + (*p - '0');
	}
	if (*p != '\0')
		return false;
	*out_number = word[0] == '-' ? -number : number;
	return true;
}

const char *
spool_record_address(struct spool_record *record)
{
	char *text = record->rest;
	size_t len = strlen(text);

	if (len < 2 || text[0] != '<' || text[len - 1] != '>')
		return NULL;
	text[len - 1] = '\0';
	record->rest = text + len;
	return text + 1;
}

const char *
spool_record_rest(struct spool_record *record)
{
	const char *rest = record->rest;

	record->rest += strlen(rest);
	return rest;
}

bool
spool_record_is_at_end(const struct spool_record *record)
{
	return record->rest[0] == '\0';
}

/* --- writing ---------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static int
append_record(struct stls_err *err, struct stls_buf *buf, const char *fmt, ...)
{
	char body[SPOOL_RECORD_LEN_MAX + 1], sum[SUM_LEN + 2];
	va_list args;
	int len, r;

	va_start(args, fmt);
	len = vsnprintf(body, sizeof(body), fmt, args);
	va_end(args);
	if (len < 0 || len >= (int)sizeof(body) ||
	    has_control(body, (size_t)len))
		return stls_err_set(err, EX_DATAERR,
		    "something in the envelope is not fit for the spool");
	snprintf(sum, sizeof(sum), "%08" PRIx32 " ",
	    spool_record_sum(body, (size_t)len));
	r = stls_buf_append(buf, sum, SUM_LEN + 1);
	if (r == 0)
		r = stls_buf_append(buf, body, (size_t)len);
	if (r == 0)
		r = stls_buf_append(buf, "\n", 1);
	return r == 0 ? 0 : stls_err_set(err, EX_OSERR, "out of memory");
}

static const char *
escaped(char out[SPOOL_FILE_TEXT_MAX + 1], const char *text)
{
	stls_escape(out, SPOOL_FILE_TEXT_MAX + 1, text, strlen(text));
	return out;
}

int
spool_file_append_envelope(struct stls_err *err, struct stls_buf *buf,
    const struct spool_message *message)
{
	size_t i;
	int r;

	r = append_record(
	    err, buf, "arrived %" PRId64, (int64_t)message->arrived);
	if (r == 0)
		r = append_record(err, buf, "account %s",
		    message->account != NULL ? message->account : "");
	if (r == 0)
		r = append_record(err, buf, "sender <%s>", message->sender);
	for (i = 0; i < message->option_count && r == 0; i++)
		r = append_record(err, buf, "option %s %s",
		    message->options[i].name, message->options[i].value);
	if (r == 0)
		r = append_record(
		    err, buf, "recipients %zu", message->recipient_count);
	for (i = 0; i < message->recipient_count && r == 0; i++)
		r = append_record(
		    err, buf, "recipient <%s>", message->recipients[i].address);
	return r;
}

int
spool_file_append_state(struct stls_err *err, struct stls_buf *buf,
    size_t recipient, enum spool_state state, time_t since, const char *reply)
{
	char text[SPOOL_FILE_TEXT_MAX + 1];

	return append_record(err, buf, "state %zu %s %" PRId64 "%s%s",
	    recipient, spool_state_word(state), (int64_t)since,
	    reply != NULL && reply[0] != '\0' ? " " : "",
	    escaped(text, reply != NULL ? reply : ""));
}

int
spool_file_append_doubt(
    struct stls_err *err, struct stls_buf *buf, time_t since)
{
	return append_record(err, buf, "doubt %" PRId64, (int64_t)since);
}

int
spool_file_append_attempt(struct stls_err *err, struct stls_buf *buf,
    const struct spool_attempt *attempt)
{
	char text[SPOOL_FILE_TEXT_MAX + 1];

	return append_record(err, buf,
	    "tried %" PRId64 " %" PRId64 " %ld %d %s", (int64_t)attempt->when,
	    (int64_t)attempt->next, attempt->age_s, attempt->status,
	    escaped(text, attempt->text != NULL ? attempt->text : ""));
}
