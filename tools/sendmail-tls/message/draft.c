/* SPDX-License-Identifier: MIT */
#include "message/draft.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "settings/addresses.h"

void
draft_init(struct draft *draft, struct mail *mail,
    const struct stls_submission *submission, const char *folder)
{
	memset(draft, 0, sizeof(*draft));
	draft->mail = mail;
	draft->submission = *submission;
	draft->folder = folder;
	stls_buf_init(&draft->header, SIZE_MAX / 2);
}

static uint64_t
count_line_ends(const char *text, size_t len)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < len; i++)
		count += text[i] == '\n';
	return count;
}

static int
check_nul(
    struct stls_err *err, struct draft *draft, const char *text, size_t len)
{
	const char *nul = memchr(text, '\0', len);

	draft->line_ends += count_line_ends(
	    text, nul != NULL ? (size_t)(nul - text) : len);
	if (nul == NULL)
		return 0;
	return stls_err_set(err, EX_DATAERR,
	    "line %llu of the message has a NUL in it, which mail cannot carry",
	    (unsigned long long)draft->line_ends + 1);
}

/* Whether the header could be prepared if only a domain were set. */
static bool
needs_only_a_domain(const struct draft *draft)
{
	CLEANUP(stls_address_list_done) struct stls_address_list list = { 0 };
	CLEANUP(stls_buf_done) struct stls_buf header = { 0 };
	struct stls_submission with_domain = draft->submission;
	struct stls_err ignored = { 0 };
	size_t body_offset;

	if (draft->submission.domain != NULL)
		return false;
	stls_buf_init(&header, DRAFT_PREPARED_MAX);
	with_domain.domain = ADDRESSES_ANY_DOMAIN;
	return stls_submission_prepare(&ignored, &with_domain,
		   (const char *)stls_buf_data(&draft->header),
		   stls_buf_len(&draft->header), &header, &body_offset,
		   &list) == 0;
}

static int
append(struct stls_err *err, struct draft *draft, const void *data, size_t len)
{
	if (draft->drop_content)
		return 0;
	return content_append(
	    err, &draft->mail->content, draft->folder, data, len);
}

/* The header is there, and perhaps the beginning of the body behind it. */
static int
finish_header(struct stls_err *err, struct draft *draft)
{
	CLEANUP(stls_buf_done) struct stls_buf header = { 0 };
	const char *text = (const char *)stls_buf_data(&draft->header);
	size_t len = stls_buf_len(&draft->header), body_offset;
	int r;

	stls_buf_init(&header, DRAFT_PREPARED_MAX);
	r = stls_submission_prepare(err, &draft->submission, text, len, &header,
	    &body_offset, &draft->mail->recipients);
	if (r < 0)
		return addresses_fail(err, needs_only_a_domain(draft));
	r = append(err, draft, stls_buf_data(&header), stls_buf_len(&header));
	if (r == 0)
		r = append(err, draft, text + body_offset, len - body_offset);
	draft->in_body = true;
	stls_buf_done(&draft->header);
	return r;
}

static int
add_to_header(
    struct stls_err *err, struct draft *draft, const char *text, size_t len)
{
	if (stls_buf_append(&draft->header, text, len) < 0)
		return stls_err_set(err, EX_OSERR, "out of memory");
	if (stls_header_end_is_there(&draft->end,
		(const char *)stls_buf_data(&draft->header),
		stls_buf_len(&draft->header)))
		return finish_header(err, draft);
	if (stls_buf_len(&draft->header) > DRAFT_HEADER_MAX)
		return stls_err_set(err, EX_DATAERR,
		    "the header of the message is longer than %zu bytes",
		    DRAFT_HEADER_MAX);
	return 0;
}

int
draft_add(
    struct stls_err *err, struct draft *draft, const char *text, size_t len)
{
	int r;

	r = check_nul(err, draft, text, len);
	if (r != 0 || len == 0)
		return r;
	return draft->in_body ? append(err, draft, text, len)
			      : add_to_header(err, draft, text, len);
}

int
draft_end(struct stls_err *err, struct draft *draft)
{
	return draft->in_body ? 0 : finish_header(err, draft);
}

void
draft_done(struct draft *draft)
{
	stls_buf_done(&draft->header);
	sender_from_done(&draft->from);
	memset(draft, 0, sizeof(*draft));
}
