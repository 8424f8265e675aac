/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SETTINGS_MOMENT_H
#define SENDMAIL_SETTINGS_MOMENT_H

#include <stdbool.h>
#include <time.h>

/*
 * Parse an interval: a number with the letter of its unit, `30s`, `15m`, `4h`,
 * `5d`, `1w`, or some of these together, `1d12h`. Only where alone_is_seconds a
 * number alone is one, too. False where it is none, or longer than max_s.
 */
bool moment_parse_interval(
    const char *text, bool alone_is_seconds, int max_s, int *out_s);

/*
 * Parse a date-time of RFC 3339, `2026-11-27T08:00:00+01:00`. A fraction of a
 * second is rounded up. False where it is none, or before 1970.
 */
bool moment_parse(const char *text, time_t *out_time);

#endif
