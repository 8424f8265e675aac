/* SPDX-License-Identifier: MIT */
/*
 * What differ.py compares with its own: each question is an octet that says
 * what, one of flags, four of length, and the input; each answer an octet, 0
 * where it was refused, and likewise the output.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtptls/status.h>

#include "base/base64.h"
#include "base/buf.h"
#include "fuzz.h"
#include "mail/address.h"
#include "smtp/data.h"
#include "smtp/xtext.h"

#define MAX (1 << 22)
#define DOMAIN "home.example"

/* The local part as it is meant, the domain, and both as they are sent. */
static bool
address(unsigned int flags, const char *text, size_t len, struct stls_buf *out)
{
	struct stls_address parsed = { 0 };
	struct stls_err err;
	bool is_good;

	is_good = stls_address_parse(&err, text, len, fuzz_flag(flags, 0),
		      &parsed) == SMTPTLS_OK;
	if (is_good) {
		stls_buf_append(out, parsed.local, strlen(parsed.local) + 1);
		stls_buf_append(out, parsed.domain, strlen(parsed.domain) + 1);
		stls_buf_append_str(out, parsed.mailbox);
	}
	stls_address_done(&parsed);
	return is_good;
}

static bool
field(unsigned int flags, const char *text, size_t len, struct stls_buf *out)
{
	struct stls_address_list list = { 0 };
	struct stls_err err;
	bool is_good;
	size_t i;

	(void)flags;
	is_good = stls_address_list_parse_field(
		      &err, text, len, DOMAIN, &list) == SMTPTLS_OK;
	for (i = 0; is_good && i < list.count; i++) {
		if (i > 0)
			stls_buf_append(out, "", 1);
		stls_buf_append_str(out, list.items[i].mailbox);
	}
	stls_address_list_done(&list);
	return is_good;
}

static bool
content(unsigned int flags, const char *text, size_t len, struct stls_buf *out)
{
	struct stls_data data = {
		.reject_line_endings = fuzz_flag(flags, 0),
		.refuse_8bit = fuzz_flag(flags, 1),
		.is_chunk = fuzz_flag(flags, 2),
	};
	size_t most = flags >> 3 == 0 ? STLS_DATA_CHUNK_MAX : flags >> 3, n;
	struct stls_err err;
	int r = SMTPTLS_OK;

	for (; r == SMTPTLS_OK && len > 0; text += n, len -= n) {
		n = len < most ? len : most;
		r = stls_data_write(&err, &data, text, n, out);
	}
	return r == SMTPTLS_OK && stls_data_end(&err, &data, out) == SMTPTLS_OK;
}

static bool
encode(unsigned int flags, const char *text, size_t len, struct stls_buf *out)
{
	char *base64 = malloc(STLS_BASE64_LEN(len) + 1);

	(void)flags;
	stls_buf_append(out, base64, stls_base64_encode(base64, text, len));
	free(base64);
	return true;
}

static bool
decode(unsigned int flags, const char *text, size_t len, struct stls_buf *out)
{
	char *plain = malloc(len + 1);
	bool is_good;

	(void)flags;
	is_good = stls_base64_decode(plain, text, len, &len) == SMTPTLS_OK;
	if (is_good)
		stls_buf_append(out, plain, len);
	free(plain);
	return is_good;
}

static bool
xtext(unsigned int flags, const char *text, size_t len, struct stls_buf *out)
{
	char *result = malloc(3 * len + 1);
	int n;

	n = flags == 0 ? stls_xtext_encode(result, 3 * len + 1, text)
		       : stls_xtext_decode(result, 3 * len + 1, text);
	if (n >= 0)
		stls_buf_append(out, result, (size_t)n);
	free(result);
	return n >= 0;
}

static const struct {
	char what;
	bool (*answer)(unsigned int flags, const char *text, size_t len,
	    struct stls_buf *out);
} answers[] = {
	{ 'a', address },
	{ 'f', field },
	{ 'c', content },
	{ 'e', encode },
	{ 'd', decode },
	{ 'x', xtext },
};

static void
put(bool is_good, const struct stls_buf *out)
{
	size_t len = is_good ? stls_buf_len(out) : 0;
	unsigned char head[5] = { is_good, (unsigned char)(len >> 24),
		(unsigned char)(len >> 16), (unsigned char)(len >> 8),
		(unsigned char)len };

	fwrite(head, 1, sizeof(head), stdout);
	fwrite(stls_buf_data(out), 1, len, stdout);
}

static void
answer(char what, unsigned int flags, const char *text, size_t len)
{
	struct stls_buf out;
	size_t i;

	stls_buf_init(&out, MAX);
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (answers[i].what == what)
			put(answers[i].answer(flags, text, len, &out), &out);
	}
	stls_buf_done(&out);
}

int
main(void)
{
	unsigned char head[6];
	size_t len;
	char *text;

	while (fread(head, 1, sizeof(head), stdin) == sizeof(head)) {
		len = (size_t)head[2] << 24 | (size_t)head[3] << 16 |
		    (size_t)head[4] << 8 | head[5];
		FUZZ_CHECK(len < MAX / 4);
		text = malloc(len + 1);
		FUZZ_CHECK(fread(text, 1, len, stdin) == len);
		text[len] = '\0';
		answer((char)head[0], head[1], text, len);
		free(text);
	}
	return fclose(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
