/* SPDX-License-Identifier: MIT */
#include "message/mail.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "message/draft.h"
#include "message/input.h"
#include "message/recipients.h"
#include "message/sender.h"
#include "settings/addresses.h"

static int
add_arguments(
    struct stls_err *err, const struct settings *settings, struct mail *mail)
{
	size_t i;
	int r = 0;

	for (i = 0; i < settings->recipient_count && r == 0; i++)
		r = addresses_parse(err, "recipient", settings->recipients[i],
		    recipients_domain(settings), &mail->recipients);
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

/* Feed the draft from standard input. */
static int
read_input(struct stls_err *err, const struct settings *settings,
    bool stdin_was_closed, struct draft *draft)
{
	CLEANUP(input_done) struct input input;
	const char *text;
	size_t len;
	int r;

	input_init(
	    &input, STDIN_FILENO, !settings->dot_is_data, settings->deadline);
	if (stdin_was_closed)
		return stls_err_set(
		    err, EX_NOINPUT, "standard input is closed");
	do {
		r = input_next(err, &input, &text, &len);
		if (r == 0 && len > 0)
			r = draft_add(err, draft, text, len);
		/* A writer is told by the status, not by a broken pipe. */
		if (r == EX_DATAERR)
			input_drain(&input);
	} while (r == 0 && len > 0);
	return r == 0 ? draft_end(err, draft) : r;
}

int
mail_get_recipients(struct stls_err *err, const struct settings *settings,
    bool stdin_was_closed, struct mail *mail)
{
	const struct stls_submission submission = {
		.extract_recipients = true,
		.domain = recipients_domain(settings),
	};
	CLEANUP(draft_done) struct draft draft;
	int r;

	draft_init(&draft, mail, &submission, NULL);
	draft.drop_content = true;
	r = add_arguments(err, settings, mail);
	if (r == 0 && settings->extract_recipients)
		r = read_input(err, settings, stdin_was_closed, &draft);
	if (r == 0)
		r = recipients_resolve(err, settings, &mail->recipients);
	if (r == 0 && mail->recipients.count == 0)
		r = no_recipient(err, settings);
	return r;
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

/*
 * What bare names get that stay in the header: what the default sender has, so
 * that From is the same.
 */
static const char *
choose_header_domain(
    const struct settings *settings, const struct identity *identity)
{
	const char *domain = sender_default_domain(settings, identity);

	return domain[0] != '\0' ? domain : NULL;
}

int
mail_begin(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, bool extract_recipients, struct mail *mail,
    struct draft *draft)
{
	struct stls_submission submission = {
		.extract_recipients = extract_recipients,
		.add_missing = !settings->relay,
		.replace_from = settings->force_from,
		.keep_original_from = settings->keep_original_from,
		.domain = recipients_domain(settings),
		.header_domain = choose_header_domain(settings, identity),
		.host = choose_host(settings, identity, mail),
		.now = time(NULL),
	};
	struct sender_from from = { 0 };
	int r;

	r = sender_choose_from(err, settings, identity, mail->sender, &from);
	if (r != 0) {
		sender_from_done(&from);
		return r;
	}
	submission.from = from.address;
	submission.full_name = from.name;
	draft_init(draft, mail, &submission, settings->spool);
	draft->from = from;
	return 0;
}

static int
prepare_content(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, bool stdin_was_closed, struct mail *mail)
{
	CLEANUP(draft_done) struct draft draft = { 0 };
	int r;

	r = mail_begin(err, settings, identity, settings->extract_recipients,
	    mail, &draft);
	if (r == 0)
		r = read_input(err, settings, stdin_was_closed, &draft);
	return r;
}

int
mail_prepare(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, bool stdin_was_closed, struct mail *mail)
{
	int r;

	if (settings->recipient_count == 0 && !settings->extract_recipients)
		return no_recipient(err, settings);
	mail->options = settings->options;
	r = sender_choose(err, settings, identity, &mail->sender);
	if (r == 0)
		r = add_arguments(err, settings, mail);
	if (r == 0)
		r = prepare_content(
		    err, settings, identity, stdin_was_closed, mail);
	if (r == 0)
		r = recipients_resolve(err, settings, &mail->recipients);
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
