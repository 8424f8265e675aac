/* SPDX-License-Identifier: MIT */
#include "settings/moment.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Digits at *text, exactly so many; false where there are fewer. */
static bool
take_digits(const char **text, int count, int *out)
{
	int number = 0;

	for (; count > 0; count--) {
		if (**text < '0' || **text > '9')
			return false;
		number = number * 10 + (*(*text)++ - '0');
	}
	*out = number;
	return true;
}

static bool
take(const char **text, const char *any_of)
{
	if (**text == '\0' || strchr(any_of, **text) == NULL)
		return false;
	(*text)++;
	return true;
}

static int64_t
unit_of(char letter)
{
	switch (letter) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	case 'w':
		return 7 * 86400;
	default:
		return 0;
	}
}

bool
moment_parse_interval(
    const char *text, bool alone_is_seconds, int max_s, int *out_s)
{
	int64_t total = 0, number, unit, last_unit = INT64_MAX;
	const char *p = text;

	while (*p >= '0' && *p <= '9') {
		for (number = 0; *p >= '0' && *p <= '9'; p++) {
			number = number * 10 + (*p - '0');
			if (number > max_s)
				return false;
		}
		unit = unit_of(*p);
		if (*p == '\0' && alone_is_seconds && total == 0)
			unit = 1;
		/* `1h1d` and `1m1m` are more likely mistakes. */
		if (unit == 0 || unit >= last_unit)
			return false;
		last_unit = unit;
		total += number * unit;
		if (total > max_s)
			return false;
		if (*p != '\0')
			p++;
	}
	if (p == text || *p != '\0')
		return false;
	*out_s = (int)total;
	return true;
}

static int
days_of_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && is_leap);
}

/* timegm(3), which POSIX has only since 2024. */
static int64_t
days_since_1970(int year, int month, int day)
{
	int64_t before = year - 1, days;
	int m;

	/* Up to the end of the year before; 719162 days go to that of 1969. */
	days = before * 365 + before / 4 - before / 100 + before / 400 - 719162;
	for (m = 1; m < month; m++)
		days += days_of_month(year, m);
	return days + day - 1;
}

/* `Z` or `+01:00`, in seconds. */
static bool
take_offset(const char **text, int *out_s)
{
	int hours, minutes;
	bool is_west = **text == '-';

	*out_s = 0;
	if (take(text, "Zz"))
		return true;
	if (!take(text, "+-") || !take_digits(text, 2, &hours) ||
	    !take(text, ":") || !take_digits(text, 2, &minutes) || hours > 23 ||
	    minutes > 59)
		return false;
	*out_s = (hours * 60 + minutes) * (is_west ? -60 : 60);
	return true;
}

/* `.123`: whether there is anything behind the full second. */
static bool
take_fraction(const char **text, bool *out_is_above)
{
	*out_is_above = false;
	if (!take(text, "."))
		return true;
	if (**text < '0' || **text > '9')
		return false;
	for (; **text >= '0' && **text <= '9'; (*text)++)
		*out_is_above |= **text != '0';
	return true;
}

bool
moment_parse(const char *text, time_t *out_time)
{
	int year, month, day, hour, minute, second, offset;
	bool is_above;
	int64_t when;

	if (!take_digits(&text, 4, &year) || !take(&text, "-") ||
	    !take_digits(&text, 2, &month) || !take(&text, "-") ||
	    !take_digits(&text, 2, &day) || !take(&text, "Tt ") ||
	    !take_digits(&text, 2, &hour) || !take(&text, ":") ||
	    !take_digits(&text, 2, &minute) || !take(&text, ":") ||
	    !take_digits(&text, 2, &second) ||
	    !take_fraction(&text, &is_above) || !take_offset(&text, &offset) ||
	    *text != '\0')
		return false;
	/* 60 is a leap second. */
	if (month < 1 || month > 12 || day < 1 || year < 1970 ||
	    day > days_of_month(year, month) || hour > 23 || minute > 59 ||
	    second > 60)
		return false;
	when = days_since_1970(year, month, day) * 86400 + hour * 3600 +
	    minute * 60 + second - offset + is_above;
	if (when < 0 || (int64_t)(time_t)when != when)
		return false;
	*out_time = (time_t)when;
	return true;
}
