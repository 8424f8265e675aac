/* SPDX-License-Identifier: MIT */
#ifndef STLS_MAIL_DATE_H
#define STLS_MAIL_DATE_H

#include <time.h>

/* "Mon, 23 Nov 2026 12:00:00 +0100": 31 characters and the NUL. */
#define STLS_DATE_LEN 31

/*
 * Format a point in time as a date-time (RFC 5322 section 3.3) in the local
 * time zone, whatever the locale. What is before 1970 or behind 9999 becomes
 * the nearest that is not.
 */
void stls_date_format(char out[STLS_DATE_LEN + 1], time_t when);

#endif
