/* SPDX-License-Identifier: MIT */
#ifndef STLS_BASE_ASCII_H
#define STLS_BASE_ASCII_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Case as protocols mean it: A to Z alone, whatever the locale, which is what
 * tolower(3) and strcasecmp(3) do not promise.
 */
static inline char
stls_ascii_lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Whether `len` bytes and a string are the same in any case. */
static inline bool
stls_ascii_is(const char *text, size_t len, const char *word)
{
	size_t i;

	for (i = 0; i < len && word[i] != '\0'; i++) {
		if (stls_ascii_lower(text[i]) != stls_ascii_lower(word[i]))
			return false;
	}
	return i == len && word[i] == '\0';
}

#endif
