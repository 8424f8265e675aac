/* SPDX-License-Identifier: MIT */
#ifndef SINK_MISCHIEF_REPLY_H
#define SINK_MISCHIEF_REPLY_H

#include "conversation/smtp.h"

/* Hooks of struct sink_misbehaviour: what a reply becomes. */

/* Nothing, and then the end of the row. */
bool sink_mischief_drop(struct sink_smtp *smtp, size_t mark);

/* It leaves as it is, and then comes the end of the row. */
bool sink_mischief_end_behind(struct sink_smtp *smtp, size_t mark);

/*
 * Each of its lines becomes the text of the row. In it, % stands for the code,
 * ~ for what follows that, a blank or a hyphen, and * for the rest of the line.
 * Then comes the end of the row, where it has one.
 */
bool sink_mischief_rewrite(struct sink_smtp *smtp, size_t mark);

/* A line of so many octets; the number 0 is for ever. */
bool sink_mischief_long_line(struct sink_smtp *smtp, size_t mark);

/* So many lines in front of it; the number 0 is for ever. */
bool sink_mischief_many_lines(struct sink_smtp *smtp, size_t mark);

#endif
