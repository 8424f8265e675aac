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
#include "base/cleanup.h"
#include "draft.h"
#include "input.h"
#include "recipients.h"

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

int
mail_begin(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, bool extract_recipients, struct mail *mail,
    struct draft *draft)
{
	struct stls_submission submission = {
		.extract_recipients = extract_recipients,
		.add_missing = !settings->relay,
		.full_name = choose_full_name(settings, identity),
		.domain = recipients_domain(settings),
		.host = choose_host(settings, identity, mail),
		.now = time(NULL),
	};
	char *from;
	int r;

	r = choose_from(err, settings, identity, mail, &from);
	if (r != 0)
		return r;
	submission.from = from;
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
	if (settings->sender != NULL)
		r = given_sender(err, settings, &mail->sender);
	else
		r = default_sender(err, settings, identity, &mail->sender);
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
