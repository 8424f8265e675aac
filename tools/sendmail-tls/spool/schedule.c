/* SPDX-License-Identifier: MIT */
#include "spool/schedule.h"

#include <limits.h>

/* What of an interval is left to chance: from a fifth less to a fifth more. */
#define JITTER(interval) ((interval) / 5)

static time_t
interval_of(unsigned int attempts)
{
	time_t interval = SCHEDULE_FIRST_S;

	for (; attempts > 1 && interval < SCHEDULE_LONGEST_S; attempts--)
		interval *= 2;
	return interval < SCHEDULE_LONGEST_S ? interval : SCHEDULE_LONGEST_S;
}

time_t
schedule_next(unsigned int attempts, time_t now, uint32_t random)
{
	time_t interval = interval_of(attempts);
	time_t span = 2 * JITTER(interval) + 1;

	return now + interval - JITTER(interval) + (time_t)(random % span);
}

bool
schedule_is_due(time_t last, time_t next, time_t now)
{
	time_t longest = SCHEDULE_LONGEST_S + JITTER(SCHEDULE_LONGEST_S);

	if (now >= next)
		return true;
	/* The clock was set back, or was wrong when this was written. */
	return now < last || next - now > longest;
}

long
schedule_age(long age_s, time_t last, time_t now, long lifetime_s)
{
	time_t since = now > last ? now - last : 0;

	if (since > SCHEDULE_PLAUSIBLE_S && since / 4 > lifetime_s)
		since = lifetime_s / 4;
	return since > LONG_MAX - age_s ? LONG_MAX : age_s + (long)since;
}
