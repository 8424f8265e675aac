/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SERVE_COMMAND_H
#define SENDMAIL_SERVE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "serve/server.h"

/*
 * Run the command in server->line, which has `len` octets with its line end.
 * is_followed tells that more has come behind it.
 */
void smtp_command_run(struct smtp_server *server, size_t len, bool is_followed);

/* Append a reply, a line for each line of the text, made fit for it. */
void smtp_server_reply(struct smtp_server *server, int code,
    const char *enhanced, const char *text);

/* The same, for a mistake of the client: too many end the conversation. */
void smtp_server_refuse(struct smtp_server *server, int code,
    const char *enhanced, const char *text);

/* The same, for a line that is no command. */
void smtp_server_refuse_line(
    struct smtp_server *server, const char *enhanced, const char *text);

/* There is no transaction any more. */
void smtp_server_reset(struct smtp_server *server);

#endif
