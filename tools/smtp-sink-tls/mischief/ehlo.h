/* SPDX-License-Identifier: MIT */
#ifndef SINK_MISCHIEF_EHLO_H
#define SINK_MISCHIEF_EHLO_H

#include "conversation/smtp.h"

/* Hooks of struct sink_misbehaviour: what is offered. */

void sink_mischief_hide_starttls(struct sink_smtp *smtp);
void sink_mischief_only_before_tls(struct sink_smtp *smtp);

/* Behind it: where that is SIZE, it is one that nobody can live with. */
bool sink_mischief_tiny_size(struct sink_smtp *smtp, size_t mark);

/* Before TLS: the text of the row as well, where it has one. */
bool sink_mischief_offer_in_clear(struct sink_smtp *smtp, size_t mark);

/*
 * What EHLO says inside TLS: the text of the row has a line for each of its
 * words, with a bar between. It takes the place of the line that begins with
 * the same keyword.
 */
bool sink_mischief_offer(struct sink_smtp *smtp, size_t mark);

#endif
