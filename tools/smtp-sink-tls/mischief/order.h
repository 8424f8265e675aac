/* SPDX-License-Identifier: MIT */
#ifndef SINK_MISCHIEF_ORDER_H
#define SINK_MISCHIEF_ORDER_H

#include "conversation/smtp.h"

/* Hooks of struct sink_misbehaviour: how many replies, and when. */

bool sink_mischief_twice(struct sink_smtp *smtp, size_t mark);
bool sink_mischief_skip(struct sink_smtp *smtp, size_t mark);

/* The answer to the step comes together with the one before it. */
void sink_mischief_want_data(struct sink_smtp *smtp);
bool sink_mischief_early(struct sink_smtp *smtp, size_t mark);

/* The text of the row comes behind it. */
bool sink_mischief_push(struct sink_smtp *smtp, size_t mark);

/*
 * Put the replies of a flight into the opposite order. Returns whether there
 * were several.
 */
bool sink_mischief_reverse(struct stls_buf *out);

#endif
