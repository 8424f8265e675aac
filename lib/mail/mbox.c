/* SPDX-License-Identifier: MIT */
#include "mail/mbox.h"

#include <string.h>

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
stls_mbox_starts_line(const char *text, size_t len)
{
	if (len > 0 && text[0] == '>') {
		text++;
		len--;
	}
	if (len < 5 || memcmp(text, "From ", 5) != 0)
		return false;
	while (len > 4 && (text[4] == ' ' || text[4] == '\t')) {
		text++;
		len--;
	}
	return len == 4 || text[4] != ':';
}

bool
stls_mbox_has_time(const char *line, size_t len)
{
	size_t i;

	for (i = 2; i + 2 < len; i++) {
		if (line[i] == ':' && is_digit(line[i - 2]) &&
		    is_digit(line[i - 1]) && is_digit(line[i + 1]) &&
		    is_digit(line[i + 2]))
			return true;
	}
	return false;
}
