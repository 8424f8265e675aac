/* SPDX-License-Identifier: MIT */
#include "mail.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "addresses.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "input.h"
#include "mail/submission.h"

static int
add_arguments(
    struct stls_err *err, const struct settings *settings, struct mail *mail)
{
	size_t i;
	int r = 0;

	for (i = 0; i < settings->recipient_count && r == 0; i++)
		r = addresses_parse(err, "recipient", settings->recipients[i],
		    settings->domain, &mail->recipients);
	return r;
}

static int
no_recipient(struct stls_err *err, const struct settings *settings)
{
	return stls_err_set(err, EX_USAGE,
	    settings->extract_recipients
		? "there is no recipient: neither in To, Cc or Bcc nor on "
		  "the command line"
		: "there is no recipient: name one, or use -t to take those "
		  "of the header");
}

static int
read_input(struct stls_err *err, const struct settings *settings,
    bool stdin_was_closed, struct input *input)
{
	if (stdin_was_closed)
		return stls_err_set(
		    err, EX_NOINPUT, "standard input is closed");
	return input_read(err, STDIN_FILENO, !settings->dot_is_data,
	    settings->deadline, input);
}

/* Whether the text could be prepared if only a domain were set. */
static bool
needs_only_a_domain(
    const struct stls_submission *submission, const struct input *input)
{
	CLEANUP(stls_address_list_done) struct stls_address_list list = { 0 };
	CLEANUP(stls_buf_done) struct stls_buf header = { 0 };
	struct stls_submission with_domain = *submission;
	struct stls_err ignored = { 0 };
	size_t body_offset;

	stls_buf_init(&header, SIZE_MAX / 2);
	with_domain.domain = ADDRESSES_ANY_DOMAIN;
	return stls_submission_prepare(&ignored, &with_domain, input->data,
		   input->len, &header, &body_offset, &list) == 0;
}

/* The new header, and the body behind it. */
static int
join(struct stls_err *err, struct mail *mail, const struct input *input,
    const struct stls_buf *header, size_t body_offset)
{
	int r;

	r = content_append(err, &mail->content, NULL, stls_buf_data(header),
	    stls_buf_len(header));
	if (r == 0)
		r = content_append(err, &mail->content, NULL,
		    input->data + body_offset, input->len - body_offset);
	return r;
}

static int
prepare(struct stls_err *err, const struct stls_submission *submission,
    const struct input *input, struct mail *mail)
{
	CLEANUP(stls_buf_done) struct stls_buf header = { 0 };
	size_t body_offset;
	int r;

	stls_buf_init(&header, SIZE_MAX / 2);
	r = stls_submission_prepare(err, submission, input->data, input->len,
	    &header, &body_offset, &mail->recipients);
	if (r < 0)
		return addresses_fail(err,
		    submission->domain == NULL &&
			needs_only_a_domain(submission, input));
	return join(err, mail, input, &header, body_offset);
}

int
mail_get_recipients(struct stls_err *err, const struct settings *settings,
    bool stdin_was_closed, struct mail *mail)
{
	CLEANUP(input_done) struct input input = { 0 };
	struct stls_submission submission = {
		.extract_recipients = true,
		.domain = settings->domain,
	};
	int r;

	r = add_arguments(err, settings, mail);
	if (r == 0 && settings->extract_recipients) {
		r = read_input(err, settings, stdin_was_closed, &input);
		if (r == 0)
			r = prepare(err, &submission, &input, mail);
	}
	if (r == 0 && mail->recipients.count == 0)
		r = no_recipient(err, settings);
	return r;
}

/* user@domain: what is used where nobody said who is sending. */
static int
default_sender(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, char **out_sender)
{
	const char *domain = settings->domain != NULL ? settings->domain
						      : identity->host;
	struct stls_address address = { 0 };
	int r;

	if (identity->user[0] == '\0')
		return stls_err_set(err, EX_DATAERR,
		    "user %ld has no name: set the sender with -f",
		    (long)identity->uid);
	if (domain[0] == '\0')
		return stls_err_set(err, EX_DATAERR,
		    "sender %s has no domain, and the host name has none: set "
		    "one with --domain, or the sender with -f",
		    identity->user);
	r = stls_address_parse(
	    err, identity->user, strlen(identity->user), true, &address);
	if (r == 0)
		r = stls_address_qualify(err, &address, domain);
	if (r < 0) {
		stls_address_done(&address);
		stls_err_prefix(err, "sender");
		return addresses_fail(err, false);
	}
	*out_sender = TAKE(address.mailbox);
	stls_address_done(&address);
	return 0;
}

static int
given_sender(
    struct stls_err *err, const struct settings *settings, char **out_sender)
{
	CLEANUP(stls_address_list_done) struct stls_address_list list = { 0 };
	const char *text = settings->sender;
	int r;

	if (text[0] == '\0' || strcmp(text, "<>") == 0) {
		*out_sender = stls_strdup("");
		return *out_sender != NULL ? 0 : addresses_fail(err, false);
	}
	r = addresses_parse(err, "sender", text, settings->domain, &list);
	if (r != 0)
		return r;
	if (list.count != 1)
		return stls_err_set(err, EX_DATAERR,
		    "sender: %s is more than one address", text);
	*out_sender = TAKE(list.items[0].mailbox);
	return 0;
}

/*
 * The address for a From that is missing: the sender or, where that is null,
 * the user. NULL in *out_from: there is none, which only matters if it is
 * needed.
 */
static int
choose_from(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, const struct mail *mail, char **out_from)
{
	struct stls_err ignored = { 0 };

	*out_from = NULL;
	if (mail->sender[0] != '\0') {
		*out_from = stls_strdup(mail->sender);
		if (*out_from == NULL)
			return stls_err_set(err, EX_OSERR, "out of memory");
		return 0;
	}
	if (default_sender(&ignored, settings, identity, out_from) == EX_OSERR)
		return stls_err_set(err, EX_OSERR, "out of memory");
	return 0;
}

/* A full name is that of the user, not of whoever -f names. */
static const char *
choose_full_name(
    const struct settings *settings, const struct identity *identity)
{
	if (settings->full_name != NULL)
		return settings->full_name;
	return settings->sender == NULL ? identity->full_name : NULL;
}

/* The right side of a Message-ID: something that is ours, if anything is. */
static const char *
choose_host(const struct settings *settings, const struct identity *identity,
    const struct mail *mail)
{
	const char *at = strrchr(mail->sender, '@');

	if (identity->host[0] != '\0')
		return identity->host;
	if (settings->domain != NULL)
		return settings->domain;
	return at != NULL && at[1] != '[' ? at + 1 : "localhost";
}

/* The first line that has a NUL, 0 where there is none. */
static size_t
line_of_nul(const char *text, size_t len)
{
	const char *nul = memchr(text, '\0', len);
	size_t line = 1;

	if (nul == NULL)
		return 0;
	while ((text = memchr(text, '\n', (size_t)(nul - text))) != NULL) {
		line++;
		text++;
	}
	return line;
}

static int
prepare_content(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, const struct input *input,
    struct mail *mail)
{
	CLEANUP(free_ptr) char *from = NULL;
	struct stls_submission submission = {
		.extract_recipients = settings->extract_recipients,
		.add_missing = !settings->relay,
		.full_name = choose_full_name(settings, identity),
		.domain = settings->domain,
		.host = choose_host(settings, identity, mail),
		.now = time(NULL),
	};
	size_t line;
	int r;

	line = line_of_nul(input->data, input->len);
	if (line > 0)
		return stls_err_set(err, EX_DATAERR,
		    "line %zu of the message has a NUL in it, which mail "
		    "cannot carry",
		    line);
	r = choose_from(err, settings, identity, mail, &from);
	if (r != 0)
		return r;
	submission.from = from;
	return prepare(err, &submission, input, mail);
}

int
mail_prepare(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, bool stdin_was_closed, struct mail *mail)
{
	CLEANUP(input_done) struct input input = { 0 };
	int r;

	if (settings->recipient_count == 0 && !settings->extract_recipients)
		return no_recipient(err, settings);
	if (settings->sender != NULL)
		r = given_sender(err, settings, &mail->sender);
	else
		r = default_sender(err, settings, identity, &mail->sender);
	if (r == 0)
		r = add_arguments(err, settings, mail);
	if (r == 0)
		r = read_input(err, settings, stdin_was_closed, &input);
	if (r == 0)
		r = prepare_content(err, settings, identity, &input, mail);
	if (r == 0 && mail->recipients.count == 0)
		r = no_recipient(err, settings);
	return r;
}

void
mail_done(struct mail *mail)
{
	free(mail->sender);
	stls_address_list_done(&mail->recipients);
	content_done(&mail->content);
	memset(mail, 0, sizeof(*mail));
}
