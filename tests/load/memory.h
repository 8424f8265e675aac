/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_LOAD_MEMORY_H
#define STLS_TEST_LOAD_MEMORY_H

#include "load/scene.h"

/*
 * How much memory there is when all connections of a round are gone. The first
 * two rounds fill what is kept on purpose, and is bounded; behind them nothing
 * is to grow.
 */
struct memory_log {
	unsigned int rounds;
	long used_kb, resident_kb;	       /* now; 0: not known */
	long first_used_kb, first_resident_kb; /* behind the second round */
};

void memory_note(struct memory_log *log);
void memory_check(const struct memory_log *log, struct scene *scene);

#endif
