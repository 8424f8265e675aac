/* SPDX-License-Identifier: MIT */
#include "serve/command.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "serve/path.h"

static void
refuse_path(struct smtp_server *server, const struct stls_err *err)
{
	if (err->code == SMTPTLS_E_NOMEM)
		smtp_server_reply(server, 452, "4.3.1", "out of memory");
	else
		smtp_server_refuse(server, 553, "5.1.3", err->text);
}

/* Each command gets what stands behind its verb. */

static void
on_helo(struct smtp_server *server, const char *args)
{
	if (*args == '\0') {
		smtp_server_refuse(server, 501, "", "a name is missing");
		return;
	}
	smtp_server_reset(server);
	smtp_server_reply(server, 250, "", server->name);
}

static void
on_ehlo(struct smtp_server *server, const char *args)
{
	char text[400];

	if (*args == '\0') {
		smtp_server_refuse(server, 501, "", "a name is missing");
		return;
	}
	smtp_server_reset(server);
	snprintf(text, sizeof(text),
	    "%.255s\nPIPELINING\n8BITMIME\nSMTPUTF8\nSIZE\n"
	    "ENHANCEDSTATUSCODES",
	    server->name);
	smtp_server_reply(server, 250, "", text);
}

/* SIZE and BODY change nothing: the content is looked at when it is there. */
static bool
take_mail_param(struct smtp_server *server, const struct smtp_param *param)
{
	const char *value = param->value;
	size_t len = param->value_len;

	if (stls_ascii_is(param->name, param->name_len, "SMTPUTF8") &&
	    len == 0) {
		server->smtputf8 = true;
		return true;
	}
	if (stls_ascii_is(param->name, param->name_len, "BODY"))
		return stls_ascii_is(value, len, "7BIT") ||
		    stls_ascii_is(value, len, "8BITMIME");
	return stls_ascii_is(param->name, param->name_len, "SIZE") && len > 0 &&
	    len <= 20 && strspn(value, "0123456789") == len;
}

/* `FROM:` or `TO:`, in any case. */
static const char *
behind_word(const char *args, const char *word)
{
	size_t len = strlen(word);

	return strncasecmp(args, word, len) == 0 ? args + len : NULL;
}

static void
on_mail(struct smtp_server *server, const char *args)
{
	struct stls_address address = { 0 };
	struct smtp_param param;
	struct stls_err err = { 0 };
	const char *rest = behind_word(args, "FROM:");
	bool is_null;

	if (rest == NULL) {
		smtp_server_refuse(
		    server, 501, "5.5.4", "MAIL FROM:<address> is meant");
		return;
	}
	if (server->sender != NULL) {
		smtp_server_refuse(
		    server, 503, "5.5.1", "there is a sender already");
		return;
	}
	if (smtp_path_parse(&err, rest, server->sender_domain, &address,
		&is_null, &rest) < 0) {
		refuse_path(server, &err);
		return;
	}
	server->sender = is_null ? stls_strdup("") : TAKE(address.mailbox);
	stls_address_done(&address);
	if (server->sender == NULL) {
		smtp_server_reply(server, 452, "4.3.1", "out of memory");
		return;
	}
	while (smtp_param_next(&rest, &param)) {
		if (take_mail_param(server, &param))
			continue;
		smtp_server_reset(server);
		smtp_server_refuse(
		    server, 555, "5.5.4", "a parameter is not known");
		return;
	}
	smtp_server_reply(server, 250, "2.1.0", "the sender is good");
}

static void
on_rcpt(struct smtp_server *server, const char *args)
{
	struct stls_address address = { 0 };
	struct stls_err err = { 0 };
	const char *rest = behind_word(args, "TO:");
	bool is_null;

	if (rest == NULL) {
		smtp_server_refuse(
		    server, 501, "5.5.4", "RCPT TO:<address> is meant");
		return;
	}
	if (server->sender == NULL) {
		smtp_server_refuse(server, 503, "5.5.1", "MAIL comes first");
		return;
	}
	if (smtp_path_parse(&err, rest, server->recipient_domain, &address,
		&is_null, &rest) < 0) {
		refuse_path(server, &err);
		return;
	}
	if (is_null || *rest != '\0') {
		stls_address_done(&address);
		smtp_server_refuse(server, is_null ? 501 : 555, "5.5.4",
		    is_null ? "there is no recipient"
			    : "a parameter is not known");
		return;
	}
	if (stls_address_list_add(&err, &server->recipients, &address) < 0)
		smtp_server_reply(server, 452,
		    err.code == SMTPTLS_E_LIMIT ? "4.5.3" : "4.3.1", err.text);
	else
		smtp_server_reply(
		    server, 250, "2.1.5", "the recipient is good");
}

static void
on_data(struct smtp_server *server, const char *args)
{
	if (*args != '\0') {
		smtp_server_refuse(server, 501, "5.5.4", "DATA stands alone");
		return;
	}
	if (server->sender == NULL || server->recipients.count == 0) {
		smtp_server_refuse(server, server->sender == NULL ? 503 : 554,
		    "5.5.1",
		    server->sender == NULL ? "MAIL comes first"
					   : "there is no recipient");
		return;
	}
	smtp_server_reply(
	    server, 354, "", "end the message with <CRLF>.<CRLF>");
	server->state = SMTP_SERVER_CONTENT;
}

static void
on_rset(struct smtp_server *server, const char *args)
{
	(void)args;
	smtp_server_reset(server);
	smtp_server_reply(server, 250, "2.0.0", "ok");
}

static void
on_noop(struct smtp_server *server, const char *args)
{
	(void)args;
	smtp_server_reply(server, 250, "2.0.0", "ok");
}

static void
on_vrfy(struct smtp_server *server, const char *args)
{
	if (*args == '\0')
		smtp_server_refuse(
		    server, 501, "5.5.4", "an address is missing");
	else
		smtp_server_reply(server, 252, "2.5.2",
		    "send a message, and the server will tell");
}

static void
on_help(struct smtp_server *server, const char *args)
{
	(void)args;
	smtp_server_reply(server, 214, "2.0.0",
	    "EHLO HELO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT");
}

static void
on_quit(struct smtp_server *server, const char *args)
{
	(void)args;
	smtp_server_reset(server);
	smtp_server_reply(server, 221, "2.0.0", "bye");
	server->state = SMTP_SERVER_CLOSING;
}

static const struct command {
	const char *verb;
	void (*run)(struct smtp_server *server, const char *args);
} commands[] = {
	{ "EHLO", on_ehlo },
	{ "HELO", on_helo },
	{ "MAIL", on_mail },
	{ "RCPT", on_rcpt },
	{ "DATA", on_data },
	{ "RSET", on_rset },
	{ "NOOP", on_noop },
	{ "VRFY", on_vrfy },
	{ "HELP", on_help },
	{ "QUIT", on_quit },
};

static const struct command *
find_command(const char *line, size_t verb_len)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (stls_ascii_is(line, verb_len, commands[i].verb))
			return &commands[i];
	}
	return NULL;
}

/*
 * Content that follows a DATA that was refused would be read as commands. Who
 * did not wait for the answer has written it already; and who does not wait for
 * the next one did not wait for that one: what asked for it was content.
 */
static void
check_data(struct smtp_server *server, bool is_followed)
{
	if (server->state == SMTP_SERVER_COMMAND)
		server->data_was_refused = true;
	if (!server->data_was_refused)
		return;
	if (is_followed || (server->has_more != NULL && server->has_more()))
		smtp_server_abort(server, "4.5.0",
		    "a message followed DATA, which was refused");
}

/* Cut the line end and blanks at the end off. False: it is no line at all. */
static bool
trim(struct smtp_server *server, char *line, size_t len)
{
	if (len < 2 || line[len - 2] != '\r') {
		smtp_server_refuse_line(
		    server, "5.5.2", "a line ends with CR LF");
		return false;
	}
	len -= 2;
	if (memchr(line, '\0', len) != NULL ||
	    memchr(line, '\r', len) != NULL) {
		smtp_server_refuse_line(
		    server, "5.5.2", "there is a NUL or CR in a line");
		return false;
	}
	while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		len--;
	line[len] = '\0';
	return true;
}

void
smtp_command_run(struct smtp_server *server, size_t len, bool is_followed)
{
	const struct command *command;
	char *line = server->line;
	const char *args;
	size_t verb_len;

	line[len] = '\0';
	verb_len = strcspn(line, " \t\r\n");
	command = find_command(line, verb_len);
	if (trim(server, line, len)) {
		args = line + verb_len + strspn(line + verb_len, " \t");
		if (command != NULL)
			command->run(server, args);
		else
			smtp_server_refuse_line(
			    server, "5.5.1", "there is no such command");
	}
	/* Where DATA has a wrong line end, its message follows all the same. */
	if (command != NULL && command->run == on_data)
		check_data(server, is_followed);
}
