/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
fuzz_fail(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: this is not so: %s\n", file, line, condition);
	abort();
}

unsigned int
fuzz_take(struct fuzz_input *input)
{
	if (input->len == 0)
		return 0;
	input->len--;
	return *input->data++;
}

bool
fuzz_flag(unsigned int flags, unsigned int bit)
{
	return (flags >> bit & 1) != 0;
}

static char *
take(struct fuzz_input *input, size_t len, size_t *out_len)
{
	char *text = malloc(len + 1);

	FUZZ_CHECK(text != NULL);
	if (len > 0)
		memcpy(text, input->data, len);
	text[len] = '\0';
	input->data += len;
	input->len -= len;
	if (out_len != NULL)
		*out_len = len;
	return text;
}

char *
fuzz_take_line(struct fuzz_input *input, size_t *out_len)
{
	const uint8_t *end = NULL;
	char *line;

	if (input->len > 0)
		end = memchr(input->data, '\n', input->len);
	if (end == NULL)
		return take(input, input->len, out_len);
	line = take(input, (size_t)(end - input->data), out_len);
	input->data++;
	input->len--;
	return line;
}

char *
fuzz_take_rest(struct fuzz_input *input, size_t *out_len)
{
	return take(input, input->len, out_len);
}

void *
fuzz_copy(const void *data, size_t len)
{
	/* Of malloc(0) nothing may be read. */
	void *copy = malloc(len);

	FUZZ_CHECK(copy != NULL || len == 0);
	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

size_t
fuzz_piece(uint32_t *state, size_t len)
{
	static const uint32_t mosts[] = { 1, 2, 7, 64, 4096 };
	uint32_t most;

	if (len == 0)
		return 0;
	*state = *state * 1664525 + 1013904223;
	most = mosts[(*state >> 28) % 5];
	if (most > len)
		most = (uint32_t)len;
	return 1 + (*state >> 12) % most;
}

/* Of no more than one octet that is not as it has to be; 0: it is none. */
static size_t
character(const unsigned char *s, size_t len)
{
	static const unsigned char leads[] = { 0xc2, 0xe0, 0xf0, 0xf5 };
	size_t n, i;

	if (s[0] >= ' ' && s[0] < 0x7f)
		return 1;
	for (n = 2; n <= 4; n++) {
		if (s[0] >= leads[n - 2] && s[0] < leads[n - 1])
			break;
	}
	if (n > 4 || n > len)
		return 0;
	for (i = 1; i < n; i++) {
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	}
	/* C1, overlong forms, surrogates, too large, what ends a line. */
	if ((s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xe0 && s[1] < 0xa0) ||
	    (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f) ||
	    (n == 3 && memcmp(s, "\xe2\x80", 2) == 0 &&
		(s[2] == 0xa8 || s[2] == 0xa9)))
		return 0;
	return n;
}

bool
fuzz_is_printable(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n;

	for (; len > 0; s += n, len -= n) {
		n = character(s, len);
		if (n == 0)
			return false;
	}
	return true;
}

bool
fuzz_is_sentence(const char *text)
{
	return text[0] != '\0' && fuzz_is_printable(text, strlen(text));
}
