/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SPOOL_SCHEDULE_H
#define SENDMAIL_SPOOL_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/*
 * When a message is tried again, and when no more. The clock is the one on the
 * wall, since it has to outlive the machine's sleep, and so it may jump: no
 * jump makes a message wait longer than the longest interval, and none makes
 * it much older than it is.
 */
#define SCHEDULE_FIRST_S 300
#define SCHEDULE_LONGEST_S 14400

/*
 * The time of the next attempt after the `attempts`-th: 5 minutes, then twice
 * as long each time up to 4 hours, and a fifth more or less by chance, so that
 * what failed together does not come back together.
 */
time_t schedule_next(unsigned int attempts, time_t now, uint32_t random);

/* Whether it is time, for a message that was last tried at `last`. */
bool schedule_is_due(time_t last, time_t next, time_t now);

/*
 * How long a message has been tried, in seconds: that until its last attempt
 * and the time since. Where that is a month and more than four lifetimes, it is
 * the clock that was wrong, as that of a machine is which has no battery for
 * it, and a quarter of the lifetime counts.
 */
#define SCHEDULE_PLAUSIBLE_S (30L * 86400)

long schedule_age(long age_s, time_t last, time_t now, long lifetime_s);

#endif
