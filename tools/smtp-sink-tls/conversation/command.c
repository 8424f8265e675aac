/* SPDX-License-Identifier: MIT */
#include "conversation/command.h"

#include <string.h>
#include <strings.h>

#include "conversation/extensions.h"
#include "conversation/reply.h"
#include "conversation/transaction.h"

/* RFC 5321 section 4.5.3.1.4, with its CRLF. */
#define LINE_MAX_PLAIN 512
/*
 * Longer by SIZE (RFC 1870: 26), BODY (RFC 6152: 17), SMTPUTF8 (RFC 6531: 10),
 * AUTH (RFC 4954: 500), RET and ENVID (RFC 3461), REQUIRETLS (RFC 8689: 11),
 * HOLDFOR or HOLDUNTIL (RFC 4865: 34), MT-PRIORITY (RFC 6710: 15) and BY (RFC
 * 2852: 17).
 */
#define LINE_MAX_MAIL                                                          \
	(LINE_MAX_PLAIN + 26 + 17 + 10 + 500 + 9 + 7 + SINK_ENVID_LEN_MAX +    \
	    11 + 34 + 15 + 17)
/* Longer by NOTIFY with all words, and ORCPT (RFC 3461). */
#define LINE_MAX_RCPT (LINE_MAX_PLAIN + 30 + 7 + SINK_ORCPT_LEN_MAX)

/* RFC 4954 section 4: guessing is cut short. */
#define AUTH_FAILURES_MAX 5

enum command_flag {
	BEFORE_EHLO = 1 << 0, /* RFC 5321 section 4.1.4 */
	BEFORE_TLS = 1 << 1,  /* RFC 3207 section 4 */
	BEFORE_AUTH = 1 << 2, /* RFC 4954 section 6 */
	ENDS_GROUP = 1 << 3,  /* RFC 2920 section 3.1 */
	NO_ARGUMENT = 1 << 4
};

#define ALWAYS (BEFORE_EHLO | BEFORE_TLS | BEFORE_AUTH)

struct command {
	const char *verb;
	void (*run)(struct sink_smtp *smtp, const char *args, size_t len);
	unsigned int flags;
	size_t line_max;
	enum sink_step step;
};

/* A domain or an address literal; no more than that is looked at. */
static bool
is_greeting_name(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (name[i] <= ' ' || name[i] > '~' ||
		    strchr("<>()\"\\,;@", name[i]) != NULL)
			return false;
	}
	return len > 0 && len <= 255;
}

static bool
greet(struct sink_smtp *smtp, const char *args, size_t len, bool is_extended)
{
	if (!is_greeting_name(args, len)) {
		sink_reply(smtp, 501, "5.5.4", "a host name belongs here");
		return false;
	}
	sink_tx_reset(smtp);
	smtp->is_greeted = true;
	smtp->is_extended = is_extended;
	return true;
}

static void
do_helo(struct sink_smtp *smtp, const char *args, size_t len)
{
	if (greet(smtp, args, len, false))
		sink_reply(smtp, 250, "", "localhost");
}

static void
do_ehlo(struct sink_smtp *smtp, const char *args, size_t len)
{
	static const struct {
		enum sink_extension bit;
		const char *line;
	} lines[] = {
		{ SINK_PIPELINING, "PIPELINING" },
		{ SINK_SIZE, "SIZE 1073741824" },
		{ SINK_STARTTLS, "STARTTLS" },
		{ SINK_AUTH, NULL },
		{ SINK_ENHANCEDSTATUSCODES, "ENHANCEDSTATUSCODES" },
		{ SINK_8BITMIME, "8BITMIME" },
		{ SINK_DSN, "DSN" },
		{ SINK_SMTPUTF8, "SMTPUTF8" },
		{ SINK_CHUNKING, "CHUNKING" },
		{ SINK_REQUIRETLS, "REQUIRETLS" },
		{ SINK_MT_PRIORITY, "MT-PRIORITY" },
		{ SINK_FUTURERELEASE, SINK_FUTURERELEASE_LINE },
		{ SINK_DELIVERBY, SINK_DELIVERBY_LINE },
	};
	unsigned int left;
	size_t i;

	if (!greet(smtp, args, len, true))
		return;
	left = sink_smtp_usable(smtp);
	sink_reply_line(smtp, 250, left == 0, "localhost");
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if ((left & lines[i].bit) == 0)
			continue;
		left &= ~(unsigned int)lines[i].bit;
		sink_reply_line(smtp, 250, left == 0,
		    lines[i].bit == SINK_AUTH
			? sink_auth_offer(&smtp->policy->credentials)
			: lines[i].line);
	}
}

static void
do_starttls(struct sink_smtp *smtp, const char *args, size_t len)
{
	(void)args;
	(void)len;
	if (smtp->is_tls)
		sink_reply(smtp, 503, "5.5.1", "TLS is there already");
	else if ((sink_smtp_usable(smtp) & SINK_STARTTLS) == 0)
		sink_reply(smtp, 502, "5.5.1", "STARTTLS is not offered");
	else
		smtp->state = SINK_SMTP_STARTTLS;
}

static void
auth_failed(struct sink_smtp *smtp)
{
	smtp->stats->authentication_failures++;
	if (++smtp->auth_failures >= AUTH_FAILURES_MAX) {
		sink_smtp_abort(smtp, "4.7.0", "too many failures");
		return;
	}
	if (smtp->auth.step >= SINK_AUTH_OAUTHBEARER)
		sink_reply(smtp, 535, "5.7.8", "the token is not accepted");
	else
		sink_reply(
		    smtp, 535, "5.7.8", "user name or password is wrong");
}

static void
auth_result(struct sink_smtp *smtp, enum sink_auth_result result)
{
	smtp->state = SINK_SMTP_COMMAND;
	switch (result) {
	case SINK_AUTH_CHALLENGE:
		smtp->state = SINK_SMTP_AUTH;
		sink_reply(smtp, 334, "", sink_auth_challenge(&smtp->auth));
		return;
	case SINK_AUTH_DONE:
		smtp->is_authenticated = true;
		smtp->stats->authentications++;
		sink_reply(smtp, 235, "2.7.0", "authenticated");
		break;
	case SINK_AUTH_REFUSED:
		auth_failed(smtp);
		break;
	case SINK_AUTH_CANCELLED:
		sink_reply(smtp, 501, "5.7.0", "cancelled");
		break;
	case SINK_AUTH_UNKNOWN:
		sink_reply(smtp, 504, "5.5.4", "no such mechanism");
		break;
	case SINK_AUTH_NOMEM:
		sink_reply(smtp, 454, "4.7.0", "out of memory");
		break;
	case SINK_AUTH_MALFORMED:
		sink_reply(smtp, 501, "5.5.2", "no valid response");
		break;
	}
	sink_auth_done(&smtp->auth);
}

static void
do_auth(struct sink_smtp *smtp, const char *args, size_t len)
{
	if ((sink_smtp_usable(smtp) & SINK_AUTH) == 0)
		sink_reply(smtp, 502, "5.5.1", "AUTH is not offered");
	else if (smtp->is_authenticated || smtp->tx.is_open)
		sink_reply(smtp, 503, "5.5.1", "not now");
	else
		auth_result(smtp,
		    sink_auth_begin(
			&smtp->auth, &smtp->policy->credentials, args, len));
}

static void
do_rset(struct sink_smtp *smtp, const char *args, size_t len)
{
	(void)args;
	(void)len;
	sink_tx_reset(smtp);
	sink_reply(smtp, 250, "2.0.0", "ok");
}

static void
do_noop(struct sink_smtp *smtp, const char *args, size_t len)
{
	(void)args;
	(void)len;
	sink_reply(smtp, 250, "2.0.0", "ok");
}

static void
do_quit(struct sink_smtp *smtp, const char *args, size_t len)
{
	(void)args;
	(void)len;
	sink_reply(smtp, 221, "2.0.0", "goodbye");
	smtp->state = SINK_SMTP_CLOSING;
}

static void
do_vrfy(struct sink_smtp *smtp, const char *args, size_t len)
{
	(void)args;
	if (len == 0)
		sink_reply(smtp, 501, "5.5.4", "a name belongs here");
	else
		sink_reply(smtp, 252, "2.5.0", "every recipient is accepted");
}

static void
do_help(struct sink_smtp *smtp, const char *args, size_t len)
{
	(void)args;
	(void)len;
	sink_reply(smtp, 214, "2.0.0", "see smtp-sink-tls(1)");
}

static const struct command commands[] = {
	{ "MAIL", sink_tx_mail, 0, LINE_MAX_MAIL, SINK_STEP_MAIL },
	{ "RCPT", sink_tx_rcpt, 0, LINE_MAX_RCPT, SINK_STEP_RCPT },
	{ "BDAT", sink_tx_bdat, 0, LINE_MAX_PLAIN, SINK_STEP_CHUNK },
	{ "DATA", sink_tx_data, ENDS_GROUP, LINE_MAX_PLAIN, SINK_STEP_DATA },
	{ "EHLO", do_ehlo, ALWAYS | ENDS_GROUP, LINE_MAX_PLAIN,
	    SINK_STEP_EHLO },
	{ "HELO", do_helo, ALWAYS | ENDS_GROUP, LINE_MAX_PLAIN,
	    SINK_STEP_HELO },
	{ "STARTTLS", do_starttls, BEFORE_TLS | BEFORE_AUTH | NO_ARGUMENT,
	    LINE_MAX_PLAIN, SINK_STEP_STARTTLS },
	{ "AUTH", do_auth, BEFORE_AUTH | ENDS_GROUP, SINK_AUTH_LINE_MAX,
	    SINK_STEP_AUTH },
	{ "RSET", do_rset, ALWAYS | NO_ARGUMENT, LINE_MAX_PLAIN,
	    SINK_STEP_RSET },
	{ "NOOP", do_noop, ALWAYS | ENDS_GROUP, LINE_MAX_PLAIN,
	    SINK_STEP_NOOP },
	{ "QUIT", do_quit, ALWAYS | ENDS_GROUP | NO_ARGUMENT, LINE_MAX_PLAIN,
	    SINK_STEP_QUIT },
	{ "VRFY", do_vrfy, BEFORE_EHLO | ENDS_GROUP, LINE_MAX_PLAIN,
	    SINK_STEP_OTHER },
	{ "HELP", do_help, ALWAYS, LINE_MAX_PLAIN, SINK_STEP_OTHER },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static const struct command *
find_command(const char *verb, size_t len)
{
	size_t i;

	for (i = 0; i < COMMAND_COUNT; i++) {
		if (strlen(commands[i].verb) == len &&
		    strncasecmp(commands[i].verb, verb, len) == 0)
			return &commands[i];
	}
	return NULL;
}

/* Whether a command may be given now; else the reply that says why not. */
static const struct sink_reply *
check_sequence(const struct sink_smtp *smtp, const struct command *command)
{
	static const struct sink_reply no_ehlo = { 503, "5.5.1",
		"EHLO comes first" };
	static const struct sink_reply no_tls = { 530, "5.7.0",
		"Must issue a STARTTLS command first" };
	static const struct sink_reply no_auth = { 530, "5.7.0",
		"Authentication required" };

	if (!smtp->is_greeted && (command->flags & BEFORE_EHLO) == 0)
		return &no_ehlo;
	if (!smtp->is_tls && (command->flags & BEFORE_TLS) == 0 &&
	    !smtp->mischief.takes_clear)
		return &no_tls;
	if (smtp->policy->credentials.user != NULL && !smtp->is_authenticated &&
	    (command->flags & BEFORE_AUTH) == 0)
		return &no_auth;
	return NULL;
}

/* Whether a bad server answers instead of doing it. A chunk is read first. */
static bool
is_taken(
    struct sink_smtp *smtp, enum sink_step step, const char *args, size_t len)
{
	if (smtp->policy->mischief == NULL || step == SINK_STEP_CHUNK)
		return false;
	smtp->mischief.args = args;
	smtp->mischief.args_len = len;
	return sink_mischief_takes(smtp, step);
}

static void
run(struct sink_smtp *smtp, const struct command *command, const char *args,
    size_t len, size_t line_len)
{
	const struct sink_reply *refusal;

	if (line_len > command->line_max) {
		sink_reply(smtp, 500, "5.5.2", "the line is too long");
		return;
	}
	if (is_taken(smtp, command->step, args, len))
		return;
	refusal = check_sequence(smtp, command);
	/* The chunk behind BDAT has to be read even then. */
	smtp->tx.chunk_refusal = refusal;
	if (refusal != NULL && command->run != sink_tx_bdat) {
		sink_reply_with(smtp, refusal);
		return;
	}
	if (len > 0 && (command->flags & NO_ARGUMENT) != 0) {
		sink_reply(smtp, 501, "5.5.4", "no argument belongs here");
		return;
	}
	command->run(smtp, args, len);
}

static bool
has_control(const char *line, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			return true;
	}
	return false;
}

/*
 * Look at a line up to its LF. Returns its length without CRLF, or refuses it
 * and returns false.
 */
static bool
check_line(
    struct sink_smtp *smtp, const char *line, size_t line_len, size_t *out_len)
{
	if (line_len < 2 || line[line_len - 2] != '\r') {
		smtp->stats->bare_line_ends++;
		sink_reply(smtp, 500, "5.5.2",
		    "LF alone ends no line (RFC 5321 section 2.3.8)");
		return false;
	}
	if (has_control(line, line_len - 2)) {
		sink_reply(
		    smtp, 500, "5.5.2", "control character in a command");
		return false;
	}
	*out_len = line_len - 2;
	return true;
}

void
sink_command_run(
    struct sink_smtp *smtp, const char *line, size_t line_len, size_t rest)
{
	const struct command *command;
	size_t len, verb_len = 0, args_at;

	smtp->stats->commands++;
	if (!check_line(smtp, line, line_len, &len))
		return;
	/* RFC 5321 section 4.1.1: blanks at the end are to be tolerated. */
	while (len > 0 && line[len - 1] == ' ')
		len--;
	while (verb_len < len && line[verb_len] != ' ')
		verb_len++;
	command = find_command(line, verb_len);
	smtp->step = command != NULL ? command->step : SINK_STEP_OTHER;
	if (command == NULL && is_taken(smtp, SINK_STEP_OTHER, line + len, 0))
		return;
	if (command == NULL) {
		sink_reply(smtp, 500, "5.5.1", "no such command");
		return;
	}
	if (rest > 0 &&
	    ((command->flags & ENDS_GROUP) != 0 ||
		(command->run != sink_tx_bdat && command->run != do_starttls &&
		    !sink_smtp_may_pipeline(smtp))))
		smtp->stats->pipelining_violations++;
	args_at = verb_len < len ? verb_len + 1 : len;
	run(smtp, command, line + args_at, len - args_at, line_len);
}

void
sink_command_continue_auth(
    struct sink_smtp *smtp, const char *line, size_t line_len, size_t rest)
{
	size_t len;

	if (rest > 0)
		smtp->stats->pipelining_violations++;
	if (!check_line(smtp, line, line_len, &len)) {
		smtp->state = SINK_SMTP_COMMAND;
		sink_auth_done(&smtp->auth);
		return;
	}
	auth_result(smtp,
	    sink_auth_continue(
		&smtp->auth, &smtp->policy->credentials, line, len));
}
