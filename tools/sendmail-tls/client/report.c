/* SPDX-License-Identifier: MIT */
#include "client/report.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"

/* What a code of the library is in sysexits.h, as far as it is that alone. */
static const struct {
	int code;
	int status;
} statuses[] = {
	{ SMTPTLS_OK, EX_OK },
	{ SMTPTLS_E_NOMEM, EX_OSERR },
	{ SMTPTLS_E_INVALID, EX_DATAERR },
	{ SMTPTLS_E_RESOLVE, EX_TEMPFAIL },
	{ SMTPTLS_E_CONNECT, EX_TEMPFAIL },
	{ SMTPTLS_E_TIMEOUT, EX_TEMPFAIL },
	{ SMTPTLS_E_IO, EX_TEMPFAIL },
	{ SMTPTLS_E_PROTOCOL, EX_PROTOCOL },
	{ SMTPTLS_E_LIMIT, EX_PROTOCOL },
	{ SMTPTLS_E_NO_STARTTLS, EX_PROTOCOL },
	{ SMTPTLS_E_TLS, EX_PROTOCOL },
	{ SMTPTLS_E_CERTIFICATE, EX_PROTOCOL },
	{ SMTPTLS_E_AUTH, EX_NOPERM },
	{ SMTPTLS_E_UNSUPPORTED, EX_DATAERR },
	/* What mail cannot carry was refused before: it is the disk. */
	{ SMTPTLS_E_SOURCE, EX_TEMPFAIL },
	{ SMTPTLS_E_REFUSED_LATER, EX_TEMPFAIL },
	{ SMTPTLS_E_REFUSED, EX_UNAVAILABLE },
	{ SMTPTLS_E_PARTIAL, EX_UNAVAILABLE },
	{ SMTPTLS_E_IN_DOUBT, EX_IOERR },
	{ SMTPTLS_E_CANCELLED, EX_TEMPFAIL },
};

static const char *const outcome_words[] = {
	[SMTPTLS_OUTCOME_NOT_TRIED] = "not tried",
	[SMTPTLS_OUTCOME_ACCEPTED] = "accepted",
	[SMTPTLS_OUTCOME_REFUSED_LATER] = "refused for now",
	[SMTPTLS_OUTCOME_REFUSED] = "refused",
	[SMTPTLS_OUTCOME_IN_DOUBT] = "in doubt",
};

/*
 * The command that was refused. The client has gone on since then, to QUIT
 * perhaps; where no reply decided it stands where it failed.
 */
static const char *
step_of(
    const struct smtptls_client *client, const struct smtptls_message *message)
{
	const char *step;
	size_t i;

	for (i = 0; i < smtptls_message_recipients(message); i++) {
		step = smtptls_message_reply_step(message, i);
		if (step[0] != '\0' &&
		    smtptls_message_outcome(message, i) !=
			SMTPTLS_OUTCOME_ACCEPTED)
			return step;
	}
	/* It was not sent at all, and the client went on to QUIT. */
	if (smtptls_message_status(message) == SMTPTLS_E_UNSUPPORTED)
		return "MAIL";
	return smtptls_client_step(client);
}

/* Whether each recipient was refused for itself, by a reply to its RCPT. */
static bool
has_no_recipient_left(const struct smtptls_message *message)
{
	size_t i;

	for (i = 0; i < smtptls_message_recipients(message); i++) {
		if (smtptls_message_outcome(message, i) !=
			SMTPTLS_OUTCOME_REFUSED ||
		    strcmp(smtptls_message_reply_step(message, i), "RCPT") != 0)
			return false;
	}
	return i > 0;
}

int
report_status(int r, const struct smtptls_client *client,
    const struct smtptls_message *message)
{
	size_t i;

	if (r == SMTPTLS_E_RESOLVE && smtptls_client_host_is_unknown(client))
		return EX_NOHOST;
	if (r == SMTPTLS_E_REFUSED && has_no_recipient_left(message))
		return EX_NOUSER;
	/* Whoever requires TLS has not got it: it is no matter of the mail. */
	if (r == SMTPTLS_E_UNSUPPORTED &&
	    smtptls_message_require_tls(message) &&
	    smtptls_client_find_capability(client, "REQUIRETLS") == NULL)
		return EX_PROTOCOL;
	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (statuses[i].code == r)
			return statuses[i].status;
	}
	return EX_SOFTWARE;
}

static const char *
reason_of(
    const struct smtptls_client *client, const struct smtptls_message *message)
{
	const char *reason = "";

	if (message != NULL)
		reason = smtptls_message_error(message);
	return reason[0] != '\0' ? reason : smtptls_client_error(client);
}

static int
append_outcome(
    struct stls_buf *buf, const struct smtptls_message *message, size_t i)
{
	char reply[REPORT_REPLY_LEN_MAX + 1];
	int r;

	report_recipient_reply(message, i, reply, sizeof(reply));
	r = stls_buf_append_str(buf, "<");
	if (r == 0)
		r = stls_buf_append_str(
		    buf, smtptls_message_recipient(message, i));
	if (r == 0)
		r = stls_buf_append_str(buf, ">: ");
	if (r == 0)
		r = stls_buf_append_str(
		    buf, outcome_words[smtptls_message_outcome(message, i)]);
	if (r == 0 && reply[0] != '\0')
		r = stls_buf_append_str(buf, ": ");
	if (r == 0)
		r = stls_buf_append_str(buf, reply);
	return r == 0 ? stls_buf_append_str(buf, "\n") : r;
}

/* Whether somebody may have the message and somebody else has it not. */
static bool
outcomes_differ(const struct smtptls_message *message)
{
	size_t i;

	for (i = 1; i < smtptls_message_recipients(message); i++) {
		if (smtptls_message_outcome(message, i) !=
		    smtptls_message_outcome(message, 0))
			return true;
	}
	return false;
}

void
report_recipient_reply(
    const struct smtptls_message *message, size_t i, char *out, size_t cap)
{
	const char *enhanced = smtptls_message_reply_enhanced(message, i);
	int code = smtptls_message_reply_code(message, i);

	out[0] = '\0';
	if (code > 0)
		snprintf(out, cap, "%d %s%s%s", code, enhanced,
		    enhanced[0] != '\0' ? " " : "",
		    smtptls_message_reply_text(message, i));
}

void
report_reply(const struct smtptls_message *message, char *out, size_t cap)
{
	size_t i;

	out[0] = '\0';
	for (i = 0; i < smtptls_message_recipients(message); i++) {
		if (out[0] == '\0' ||
		    smtptls_message_outcome(message, i) !=
			SMTPTLS_OUTCOME_ACCEPTED)
			report_recipient_reply(message, i, out, cap);
	}
}

void
report_text(const struct settings *settings,
    const struct smtptls_client *client, const struct smtptls_message *message,
    char *out, size_t cap)
{
	const char *peer = smtptls_client_peer(client);

	snprintf(out, cap, "%s%s%s%s: %s: %s", settings->url,
	    peer[0] != '\0' ? " (" : "", peer, peer[0] != '\0' ? ")" : "",
	    step_of(client, message), reason_of(client, message));
}

char *
report_all_outcomes(const struct smtptls_message *message)
{
	CLEANUP(stls_buf_done) struct stls_buf buf = { 0 };
	size_t i;

	stls_buf_init(&buf, SIZE_MAX / 2);
	for (i = 0; i < smtptls_message_recipients(message); i++) {
		if (append_outcome(&buf, message, i) != 0)
			break;
	}
	return stls_strndup(
	    (const char *)stls_buf_data(&buf), stls_buf_len(&buf));
}

char *
report_outcomes(int r, const struct smtptls_message *message)
{
	if ((r != SMTPTLS_E_PARTIAL && r != SMTPTLS_E_IN_DOUBT) ||
	    !outcomes_differ(message))
		return NULL;
	return report_all_outcomes(message);
}

void
report_failure(
    const struct settings *settings, const struct smtptls_client *client)
{
	char text[1024];

	report_text(settings, client, NULL, text, sizeof(text));
	fprintf(stderr, PROGRAM ": %s\n", text);
}
