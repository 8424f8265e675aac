/* SPDX-License-Identifier: MIT */
/* Header fields that we write: names, dates, identifiers; and JSON. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <smtptls/status.h>

#include "base/base64.h"
#include "mail/address.h"
#include "mail/date.h"
#include "mail/display-name.h"
#include "mail/header.h"
#include "mail/message-id.h"

#define MAILBOX "alice@example.org"
#define WORD_START "=?UTF-8?B?"

/* Lines end with CRLF and a blank, none is long, all else is ASCII. */
static void
check_folds(const char *field, size_t len)
{
	size_t i, line = 0;

	for (i = 0; i < len; i++) {
		if (field[i] == '\r') {
			FUZZ_CHECK(i + 2 < len && field[i + 1] == '\n');
			FUZZ_CHECK(field[i + 2] == ' ');
			line = 0;
			i++;
			continue;
		}
		FUZZ_CHECK(field[i] >= ' ' && field[i] < 0x7f);
		FUZZ_CHECK(++line <= 998);
	}
}

/* What the encoded words say, and how much that is. */
static size_t
decode_words(char *out, const char *field)
{
	size_t n = 0, len;

	while (strncmp(field, WORD_START, strlen(WORD_START)) == 0) {
		field += strlen(WORD_START);
		len = strcspn(field, "?");
		FUZZ_CHECK(len + strlen(WORD_START) + 2 <= 75);
		FUZZ_CHECK(stls_base64_decode(out + n, field, len, &len) ==
		    SMTPTLS_OK);
		FUZZ_CHECK(fuzz_is_printable(out + n, len));
		n += len;
		field += strcspn(field, "?") + 2;
		field += strspn(field, "\r\n ");
	}
	return n;
}

static bool
is_ascii(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text >= 0x80)
			return false;
	}
	return true;
}

/* The field has one address, whatever the name says. */
static void
check_field(const char *name, const struct stls_buf *buf)
{
	struct stls_address_list list = { 0 };
	struct stls_header_field field;
	struct stls_err err;
	const char *text = (const char *)stls_buf_data(buf);
	size_t len = stls_buf_len(buf), offset = 0, n;
	char out[512];

	check_folds(text, len - 2);
	FUZZ_CHECK(stls_header_next(text, len, &offset, &field));
	FUZZ_CHECK(offset == len && stls_header_field_is(&field, "From"));
	FUZZ_CHECK(stls_address_list_parse_field(&err, field.value,
		       field.value_len, NULL, &list) == SMTPTLS_OK);
	FUZZ_CHECK(list.count == 1);
	FUZZ_CHECK(strcmp(list.items[0].mailbox, MAILBOX) == 0);
	stls_address_list_done(&list);
	name += strspn(name, " ");
	if (is_ascii(name) || name[0] == '"')
		return;
	FUZZ_CHECK(len < sizeof(out) * 4);
	n = decode_words(out, text + strlen("From: "));
	FUZZ_CHECK(n > 0 && strncmp(out, name, n) == 0);
	FUZZ_CHECK(strspn(name + n, " ") == strlen(name + n));
}

static void
check_name(const char *name)
{
	struct stls_err err = { 0 };
	struct stls_buf buf;
	int r;

	stls_buf_init(&buf, 8192);
	FUZZ_CHECK(stls_buf_append_str(&buf, "From: ") == SMTPTLS_OK);
	r = stls_display_name_append(&err, &buf, name, MAILBOX);
	if (r < 0) {
		FUZZ_CHECK(fuzz_is_sentence(err.text));
		FUZZ_CHECK(strlen(name) > STLS_DISPLAY_NAME_LEN_MAX ||
		    !fuzz_is_printable(name, strlen(name)));
	} else {
		FUZZ_CHECK(stls_buf_append_str(&buf, "\r\n") == SMTPTLS_OK);
		check_field(name, &buf);
	}
	stls_buf_done(&buf);
}

static void
check_date(int64_t when)
{
	char out[STLS_DATE_LEN + 1];
	struct tm tm = { 0 };
	char *end;

	memset(out, 'x', sizeof(out));
	stls_date_format(out, (time_t)when);
	FUZZ_CHECK(strlen(out) == STLS_DATE_LEN);
	end = strptime(out, "%a, %d %b %Y %H:%M:%S %z", &tm);
	FUZZ_CHECK(end != NULL && *end == '\0');
	/* In 9999 in UTC it may be 10000 already elsewhere. */
	if (when > 86400 && when < INT64_C(253402214400))
		FUZZ_CHECK(timegm(&tm) - tm.tm_gmtoff == when);
}

static void
check_id(const char *host, int64_t now)
{
	char id[STLS_MESSAGE_ID_LEN_MAX + 1];
	struct stls_address address = { 0 };
	struct stls_err err = { 0 };
	size_t len;

	if (stls_message_id_make(&err, (time_t)now, host, id) < 0) {
		FUZZ_CHECK(fuzz_is_sentence(err.text));
		return;
	}
	len = strlen(id);
	FUZZ_CHECK(id[0] == '<' && id[len - 1] == '>');
	FUZZ_CHECK(fuzz_is_printable(id, len) && is_ascii(id));
	FUZZ_CHECK(strpbrk(id, " \"\\(),;") == NULL);
	FUZZ_CHECK(
	    stls_address_parse(&err, id, len, false, &address) == SMTPTLS_OK);
	stls_address_done(&address);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	uint64_t when = 0;
	char *text;
	int i;

	for (i = 0; i < 8; i++)
		when = when << 8 | fuzz_take(&input);
	check_date((int64_t)when);
	check_date((int64_t)(when >> 32));
	text = fuzz_take_rest(&input, NULL);
	check_name(text);
	check_id(text, (int64_t)when);
	free(text);
	return 0;
}
