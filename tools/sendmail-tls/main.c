/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <sysexits.h>

#include <smtptls/version.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "identity.h"
#include "mail.h"
#include "probe.h"
#include "process.h"
#include "send.h"
#include "settings.h"
#include "submit-client.h"
#include "submit-server.h"

/* -bv: print the recipients, one on a line. */
static int
print_recipients(struct stls_err *err, const struct settings *settings,
    bool stdin_was_closed)
{
	CLEANUP(mail_done) struct mail mail = { 0 };
	size_t i;
	int r;

	r = mail_get_recipients(err, settings, stdin_was_closed, &mail);
	for (i = 0; i < mail.recipients.count && r == 0; i++)
		printf("%s\n", mail.recipients.items[i].mailbox);
	return r;
}

static int
talk_to_server(struct stls_err *err, const struct settings *settings,
    bool stdin_was_closed)
{
	CLEANUP(identity_done) struct identity identity = { 0 };
	int r;

	if (settings->url == NULL)
		return stls_err_set(err, EX_CONFIG,
		    "no server is set: use --url, for example --url "
		    "smtps://mail.example.org");
	r = identity_get(err, &identity);
	if (r != 0)
		return r;
	if (settings->probe)
		return probe_run(err, settings, &identity);
	return send_mail(err, settings, &identity, stdin_was_closed);
}

/* Whether somebody else has to send it. */
static bool
is_handed_over(const struct settings *settings)
{
	return settings->mode == MODE_SEND && settings->url == NULL &&
	    settings->submit_socket != NULL && !settings->dry_run &&
	    !settings->probe;
}

static int
run(struct stls_err *err, struct settings *settings, bool stdin_was_closed)
{
	switch (settings->mode) {
	case MODE_PRINT_HELP:
		fputs(settings_help, stdout);
		return 0;
	case MODE_PRINT_VERSION:
		printf(PROGRAM " %s\n", smtptls_version());
		return 0;
	case MODE_QUEUE_PRINT:
		puts("Mail queue is empty");
		return 0;
	case MODE_QUEUE_RUN:
	case MODE_ALIASES:
		return 0;
	case MODE_VERIFY:
		return print_recipients(err, settings, stdin_was_closed);
	case MODE_SUBMIT:
		return submit_server_run(err, settings);
	case MODE_SEND:
		return talk_to_server(err, settings, stdin_was_closed);
	}
	return EX_SOFTWARE;
}

int
main(int argc, char **argv)
{
	CLEANUP(settings_done) struct settings settings = { 0 };
	struct stls_err err = { 0 };
	bool stdin_was_closed = false;
	int status;

	status = process_normalise(&err, &stdin_was_closed);
	if (status == 0)
		status = settings_parse(&err, argc, argv, &settings);
	if (status == 0 && is_handed_over(&settings))
		status = submit_client_run(
		    &err, &settings, argc, argv, stdin_was_closed);
	else if (status == 0)
		status = run(&err, &settings, stdin_was_closed);
	if (status == 0 && fflush(stdout) != 0)
		status = stls_err_set(
		    &err, EX_SOFTWARE, "standard output cannot be written");
	/* Without a sentence the failure was told where it happened. */
	if (status != 0 && err.text[0] != '\0')
		fprintf(stderr, PROGRAM ": %s\n", err.text);
	return status;
}
