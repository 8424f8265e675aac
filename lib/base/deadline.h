/* SPDX-License-Identifier: MIT */
#ifndef STLS_BASE_DEADLINE_H
#define STLS_BASE_DEADLINE_H

#include <stdint.h>

/*
 * A point in time in milliseconds of CLOCK_MONOTONIC: setting the wall clock
 * does not move it. Time spent in suspend does not count.
 */
typedef int64_t stls_deadline;

#define STLS_NEVER INT64_MAX

int64_t stls_now_ms(void);

/* `ms` from now; below 0 means never. */
stls_deadline stls_deadline_in(int64_t ms);

static inline stls_deadline
stls_deadline_first(stls_deadline a, stls_deadline b)
{
	return a < b ? a : b;
}

/* What is left, as poll(2) wants it: 0 is past, -1 is never. */
int stls_deadline_left_ms(stls_deadline deadline);

#endif
