/* SPDX-License-Identifier: MIT */
#include "mail/date.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 9999-12-24T00:00:00Z: the year has four digits in every time zone. */
#define WHEN_MAX 253401609600

/* Minutes east of Greenwich. */
static int
zone_minutes(time_t when)
{
	struct tm local;

	if (localtime_r(&when, &local) == NULL)
		return 0;
	return (int)(local.tm_gmtoff / 60) % (24 * 60);
}

/* strftime(3) would write the names of the locale. */
void
stls_date_format(char out[STLS_DATE_LEN + 1], time_t when)
{
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	char text[100];
	struct tm tm;
	time_t local;
	int zone;

	if (when < 0)
		when = 0;
	if ((long long)when > WHEN_MAX)
		when = (time_t)WHEN_MAX;
	/* Some zones were no whole minutes away: the sum has to be right. */
	zone = zone_minutes(when);
	local = when + zone * 60;
	gmtime_r(&local, &tm);
	/* The compiler does not know that each number has two digits. */
	snprintf(text, sizeof(text),
	    "%s, %02d %s %04d %02d:%02d:%02d %c%02d%02d", days[tm.tm_wday],
	    tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
	    tm.tm_min, tm.tm_sec, zone < 0 ? '-' : '+', abs(zone) / 60,
	    abs(zone) % 60);
	memcpy(out, text, STLS_DATE_LEN);
	out[STLS_DATE_LEN] = '\0';
}
