/* SPDX-License-Identifier: MIT */
#include "smtp/capabilities.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ascii.h"

/* An escaped byte is four characters. */
#define ESCAPED_LEN_MAX (4 * STLS_REPLY_LINE_MAX)

static char *
copy_line(const char *text, size_t len)
{
	size_t cap = 4 * len + 5;
	char *line;

	if (cap > ESCAPED_LEN_MAX)
		cap = ESCAPED_LEN_MAX;
	line = stls_alloc(cap);
	if (line != NULL)
		stls_escape(line, cap, text, len);
	return line;
}

int
stls_capabilities_parse(
    struct stls_capabilities *capabilities, const struct stls_reply *reply)
{
	const char *text;
	size_t offset = 0, len;
	char *line;

	stls_capabilities_done(capabilities);
	capabilities->lines = stls_alloc_array(
	    STLS_REPLY_LINES_MAX, sizeof(char *));
	if (capabilities->lines == NULL)
		return SMTPTLS_E_NOMEM;

	/* The first line is the server's name and greeting. */
	stls_reply_next_line(reply, &offset, &text, &len);
	while (stls_reply_next_line(reply, &offset, &text, &len)) {
		line = copy_line(text, len);
		if (line == NULL) {
			stls_capabilities_done(capabilities);
			return SMTPTLS_E_NOMEM;
		}
		capabilities->lines[capabilities->count++] = line;
	}
	return SMTPTLS_OK;
}

void
stls_capabilities_done(struct stls_capabilities *capabilities)
{
	size_t i;

	for (i = 0; i < capabilities->count; i++)
		free(capabilities->lines[i]);
	free(capabilities->lines);
	capabilities->lines = NULL;
	capabilities->count = 0;
}

static const char *
find(const struct stls_capabilities *capabilities, const char *keyword,
    char separator)
{
	size_t len = strlen(keyword), i;
	const char *line;

	for (i = 0; i < capabilities->count; i++) {
		line = capabilities->lines[i];
		if (!stls_ascii_is(line, len, keyword))
			continue;
		if (line[len] == separator)
			return line + len + 1;
		if (line[len] == '\0' && separator == ' ')
			return line + len;
	}
	return NULL;
}

const char *
stls_capabilities_find(
    const struct stls_capabilities *capabilities, const char *keyword)
{
	const char *found;

	found = find(capabilities, keyword, ' ');
	if (found == NULL && stls_ascii_is(keyword, strlen(keyword), "AUTH"))
		found = find(capabilities, keyword, '=');
	return found;
}

uint64_t
stls_capabilities_size_max(const struct stls_capabilities *capabilities)
{
	const char *text;
	uint64_t size = 0;

	text = stls_capabilities_find(capabilities, "SIZE");
	if (text == NULL)
		return 0;
	for (; *text >= '0' && *text <= '9'; text++) {
		/* A number this large is no limit. */
		if (size > (UINT64_MAX - 9) / 10)
			return 0;
		size = size * 10 + (uint64_t)(*text - '0');
	}
	return *text == '\0' ? size : 0;
}
