/* SPDX-License-Identifier: MIT */
#ifndef SINK_CONVERSATION_REPLY_H
#define SINK_CONVERSATION_REPLY_H

#include "conversation/envelope.h"
#include "conversation/smtp.h"

/* Put a reply of one line into the output. */
void sink_reply(
    struct sink_smtp *smtp, int code, const char *enhanced, const char *text);

/* The same for one that stands ready. */
void sink_reply_with(struct sink_smtp *smtp, const struct sink_reply *reply);

/* Put one line of a longer reply into the output. */
void sink_reply_line(
    struct sink_smtp *smtp, int code, bool is_last, const char *text);

#endif
