/* SPDX-License-Identifier: MIT */
/* A text handed to sendmail, on its way to being a message. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <smtptls/status.h>

#include "mail/header.h"
#include "message/draft.h"

struct outcome {
	int status;
	struct stls_err err;
	struct mail mail;
	char *text;
	size_t len;
};

/* In pieces, or in one where state is NULL. */
static void
make(struct outcome *out, const struct stls_submission *submission,
    const char *text, size_t len, uint32_t *state)
{
	struct draft draft;
	size_t n;
	char *piece;

	memset(out, 0, sizeof(*out));
	draft_init(&draft, &out->mail, submission, NULL);
	for (; len > 0 && out->status == 0; text += n, len -= n) {
		n = state != NULL ? fuzz_piece(state, len) : len;
		piece = fuzz_copy(text, n);
		out->status = draft_add(&out->err, &draft, piece, n);
		free(piece);
	}
	if (out->status == 0)
		out->status = draft_end(&out->err, &draft);
	draft_done(&draft);
	out->len = content_size(&out->mail.content);
	out->text = malloc(out->len + 1);
	FUZZ_CHECK(
	    content_read(&out->mail.content, out->text, out->len + 1, &n) == 0);
	FUZZ_CHECK(out->len == n);
}

static void
done(struct outcome *out)
{
	free(out->text);
	mail_done(&out->mail);
}

static bool
has_line(const char *text, size_t len, const char *line)
{
	const char *at = text, *end = text + len;

	while (
	    (at = memmem(at, (size_t)(end - at), line, strlen(line))) != NULL) {
		if (at == text || at[-1] == '\n')
			return true;
		at++;
	}
	return false;
}

/* The header as others will read it; returns where the body begins. */
static size_t
check_header(const struct outcome *out, const struct stls_submission *how)
{
	static const char *const added[] = { "From", "Date", "Message-ID" };
	struct stls_header_field field;
	size_t offset = 0, i, counts[3] = { 0 };

	while (stls_header_next(out->text, out->len, &offset, &field)) {
		FUZZ_CHECK(!stls_header_field_is(&field, "Bcc"));
		FUZZ_CHECK(!stls_header_field_is(&field, "Resent-Bcc"));
		for (i = 0; i < 3; i++)
			counts[i] += stls_header_field_is(&field, added[i]);
	}
	FUZZ_CHECK(out->len - offset >= 2);
	FUZZ_CHECK(memcmp(out->text + offset, "\r\n", 2) == 0);
	for (i = 0; i < offset; i++) {
		FUZZ_CHECK(out->text[i] != '\0');
		if (out->text[i] == '\r')
			FUZZ_CHECK(out->text[i + 1] == '\n');
		if (out->text[i] == '\n')
			FUZZ_CHECK(i > 0 && out->text[i - 1] == '\r');
	}
	for (i = 0; how->add_missing && i < 3; i++)
		FUZZ_CHECK(counts[i] >= 1);
	if (how->add_missing && how->replace_from)
		FUZZ_CHECK(counts[0] == 1 &&
		    has_line(out->text, offset,
			how->full_name != NULL
			    ? "From: Alice <alice@example.org>\r\n"
			    : "From: alice@example.org\r\n"));
	return offset + 2;
}

/* A CR that ends no line becomes a blank: more may be understood behind it. */
static bool
has_bare_cr(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[i] == '\r' && (i + 1 == len || text[i + 1] != '\n'))
			return true;
	}
	return false;
}

/* Who prepares what is prepared changes nothing, and adds nobody. */
static void
check_again(const struct outcome *out, const struct stls_submission *how)
{
	struct stls_submission again = *how;
	struct outcome second;

	again.replace_from = again.extract_recipients = false;
	make(&second, &again, out->text, out->len, NULL);
	FUZZ_CHECK(second.status == 0 && second.len == out->len);
	FUZZ_CHECK(memcmp(second.text, out->text, out->len) == 0);
	done(&second);
}

/* As many octets of the text stand behind the header as it has of a body. */
static void
check_body(const struct outcome *out, size_t body, const char *text, size_t len)
{
	size_t n = out->len - body;

	FUZZ_CHECK(n <= len);
	FUZZ_CHECK(memcmp(out->text + body, text + len - n, n) == 0);
}

static void
compare(const struct outcome *a, const struct outcome *b)
{
	size_t i;

	FUZZ_CHECK(a->status == b->status);
	if (a->status != 0) {
		FUZZ_CHECK(fuzz_is_sentence(a->err.text));
		return;
	}
	FUZZ_CHECK(a->mail.recipients.count == b->mail.recipients.count);
	for (i = 0; i < a->mail.recipients.count; i++)
		FUZZ_CHECK(strcmp(a->mail.recipients.items[i].mailbox,
			       b->mail.recipients.items[i].mailbox) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	unsigned int flags = fuzz_take(&input);
	uint32_t state = fuzz_take(&input);
	struct stls_submission how = {
		.extract_recipients = fuzz_flag(flags, 0),
		.add_missing = fuzz_flag(flags, 1),
		.replace_from = fuzz_flag(flags, 2),
		.keep_original_from = fuzz_flag(flags, 3),
		.full_name = fuzz_flag(flags, 4) ? "Alice" : NULL,
		.domain = fuzz_flag(flags, 5) ? "home.example" : NULL,
		.header_domain = fuzz_flag(flags, 6) ? "example.org" : NULL,
		.from = "alice@example.org",
		.host = "mx.example.org",
		.now = 1795435200,
	};
	const char *text = (const char *)input.data;
	struct outcome whole, pieces;

	make(&whole, &how, text, input.len, NULL);
	make(&pieces, &how, text, input.len, &state);
	compare(&whole, &pieces);
	if (whole.status == 0) {
		check_body(&whole, check_header(&whole, &how), text, input.len);
		check_body(
		    &pieces, check_header(&pieces, &how), text, input.len);
		FUZZ_CHECK(whole.len == pieces.len);
		if (!has_bare_cr(text, input.len))
			check_again(&whole, &how);
	}
	done(&pieces);
	done(&whole);
	return 0;
}
