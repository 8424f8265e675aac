/* SPDX-License-Identifier: MIT */
#ifndef SINK_CONVERSATION_COMMAND_H
#define SINK_CONVERSATION_COMMAND_H

#include <stddef.h>

#include "conversation/smtp.h"

/*
 * Run one command line: up to and with its LF, not above SINK_AUTH_LINE_MAX.
 * `rest` is how much is there behind it already: with some commands nothing
 * may be (RFC 2920 section 3.1).
 */
void sink_command_run(
    struct sink_smtp *smtp, const char *line, size_t line_len, size_t rest);

/* The same for a line of a SASL exchange. */
void sink_command_continue_auth(
    struct sink_smtp *smtp, const char *line, size_t line_len, size_t rest);

#endif
