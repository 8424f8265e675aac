/* SPDX-License-Identifier: MIT */
#ifndef SINK_MISCHIEF_REPLY_H
#define SINK_MISCHIEF_REPLY_H

#include "smtp.h"

/* Hooks of struct sink_misbehaviour: what a reply becomes. */

void sink_mischief_drop(struct sink_smtp *smtp, size_t mark);
void sink_mischief_inject(struct sink_smtp *smtp, size_t mark);

#endif
