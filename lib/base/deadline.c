/* SPDX-License-Identifier: MIT */
#include "base/deadline.h"

#include <limits.h>
#include <time.h>

int64_t
stls_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

stls_deadline
stls_deadline_in(int64_t ms)
{
	int64_t now = stls_now_ms();

	if (ms < 0 || ms >= STLS_NEVER - now)
		return STLS_NEVER;
	return now + ms;
}

int
stls_deadline_left_ms(stls_deadline deadline)
{
	int64_t left;

	if (deadline == STLS_NEVER)
		return -1;
	left = deadline - stls_now_ms();
	if (left <= 0)
		return 0;
	return left < INT_MAX ? (int)left : INT_MAX;
}
