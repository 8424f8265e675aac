/* SPDX-License-Identifier: MIT */
#ifndef SINK_MISCHIEF_TABLE_H
#define SINK_MISCHIEF_TABLE_H

#include <stddef.h>

#include "conversation/misbehaviour.h"

/* All ways to misbehave, those of a kind together. */
extern const struct sink_misbehaviour sink_misbehaviours[];
extern const size_t sink_misbehaviour_count;

#endif
