/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include <smtptls/version.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "client/confine.h"
#include "config/paths.h"
#include "deliver/send.h"
#include "message/mail.h"
#include "probe/configure.h"
#include "probe/probe.h"
#include "serve/session.h"
#include "settings/settings.h"
#include "spool/print.h"
#include "spool/run.h"
#include "submit/client.h"
#include "submit/server.h"
#include "system/identity.h"
#include "system/process.h"

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
    const struct identity *identity, bool stdin_was_closed)
{
	if (settings->url == NULL)
		return settings_no_server(err, settings);
	if (settings->probe)
		return probe_run(err, settings, identity);
	if (settings->mode == MODE_SMTP)
		return smtp_session_run(
		    err, settings, identity, false, stdin_was_closed);
	return send_mail(err, settings, identity, stdin_was_closed);
}

static int
hand_conversation_over(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, bool stdin_was_closed)
{
	int r = submit_client_check(err, settings);

	return r == 0
	    ? smtp_session_run(err, settings, identity, true, stdin_was_closed)
	    : r;
}

/* What a user may not know of shall not look empty to a monitor. */
static int
print_queue(struct stls_err *err, const struct settings *settings)
{
	if (settings->spool == NULL && settings_need_helper(settings))
		return stls_err_set(err, EX_CONFIG,
		    "the queue is that of %s, which user %ld may not use: look "
		    "as its owner",
		    settings->paths->system, (long)getuid());
	return spool_print(err, settings, stdout);
}

static int
run(struct stls_err *err, const struct words *words, struct settings *settings,
    const struct identity *identity, bool stdin_was_closed)
{
	switch (settings->mode) {
	case MODE_PRINT_HELP:
		fputs(settings_help, stdout);
		return 0;
	case MODE_PRINT_VERSION:
		printf(PROGRAM " %s\n", smtptls_version());
		return 0;
	case MODE_QUEUE_PRINT:
		return print_queue(err, settings);
	case MODE_QUEUE_RUN:
		return spool_run(err, settings, identity);
	case MODE_ALIASES:
		return 0;
	case MODE_VERIFY:
		return print_recipients(err, settings, stdin_was_closed);
	case MODE_CONFIGURE:
		return configure_run(err, settings, identity);
	case MODE_SUBMIT:
		return submit_server_run(err, words, settings);
	case MODE_SMTP:
		if (submit_client_is_needed(settings))
			return hand_conversation_over(
			    err, settings, identity, stdin_was_closed);
		return talk_to_server(
		    err, settings, identity, stdin_was_closed);
	case MODE_SEND:
		return talk_to_server(
		    err, settings, identity, stdin_was_closed);
	}
	return EX_SOFTWARE;
}

static int
run_for_user(struct stls_err *err, int argc, char **argv, bool stdin_was_closed)
{
	CLEANUP(identity_done) struct identity identity = { 0 };
	CLEANUP(config_paths_done) struct config_paths paths = { 0 };
	CLEANUP(settings_done) struct settings settings = { 0 };
	const struct words words = { argc, argv };
	int r;

	r = identity_get(err, &identity);
	if (r == 0)
		r = config_paths_get(err, &identity, &paths);
	if (r == 0)
		r = settings_parse(err, argc, argv, &paths, &settings);
	if (r == 0)
		r = confine_unless_programs(err, &settings);
	if (r == 0 && settings.mode == MODE_SEND &&
	    submit_client_is_needed(&settings))
		return submit_client_run(
		    err, &settings, argc, argv, stdin_was_closed);
	if (r == 0)
		r = run(err, &words, &settings, &identity, stdin_was_closed);
	return r;
}

int
main(int argc, char **argv)
{
	struct stls_err err = { 0 };
	bool stdin_was_closed = false;
	int status;

	status = process_normalise(&err, &stdin_was_closed);
	if (status == 0)
		status = confine_memory(&err);
	if (status == 0)
		status = run_for_user(&err, argc, argv, stdin_was_closed);
	if (status == 0 && (fflush(stdout) != 0 || ferror(stdout) != 0))
		status = stls_err_set(
		    &err, EX_SOFTWARE, "standard output cannot be written");
	/* Without a sentence the failure was told where it happened. */
	if (status != 0 && err.text[0] != '\0')
		fprintf(stderr, PROGRAM ": %s\n", err.text);
	return status;
}
