/* SPDX-License-Identifier: MIT */
#ifndef SINK_MISCHIEF_TAKE_H
#define SINK_MISCHIEF_TAKE_H

#include "smtp.h"

/* Hooks of struct sink_misbehaviour: what is said instead of doing it. */

bool sink_mischief_answer(struct sink_smtp *smtp);
bool sink_mischief_421(struct sink_smtp *smtp);

#endif
