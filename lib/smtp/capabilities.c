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
	size_t cap = 4 * len + 5, used;
	char *line, *shrunk;

	if (cap > ESCAPED_LEN_MAX)
		cap = ESCAPED_LEN_MAX;
	line = stls_alloc(cap);
	if (line == NULL)
		return NULL;
	used = stls_escape(line, cap, text, len);
	shrunk = stls_realloc(line, used + 1);
	return shrunk != NULL ? shrunk : line;
}

void
stls_capabilities_done(struct stls_capabilities *capabilities)
{
	size_t i;

	for (i = 0; i < capabilities->count; i++)
		free(capabilities->lines[i]);
	free(capabilities->lines);
	memset(capabilities, 0, sizeof(*capabilities));
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

/* A number that ends at a blank or the end; 0 where it is none. */
static uint64_t
parse_number(const char *text)
{
	uint64_t number = 0;

	for (; *text >= '0' && *text <= '9'; text++) {
		/* A number this large is no limit. */
		if (number > (UINT64_MAX - 9) / 10)
			return 0;
		number = number * 10 + (uint64_t)(*text - '0');
	}
	return *text == '\0' || *text == ' ' ? number : 0;
}

/* A limit of RFC 9422: `LIMITS RCPTMAX=20 MAILMAX=5`, in any case. */
static uint64_t
find_limit(const char *limits, const char *name)
{
	size_t len = strlen(name);

	while (limits != NULL) {
		limits += strspn(limits, " ");
		if (stls_ascii_is(limits, len, name) && limits[len] == '=')
			return parse_number(limits + len + 1);
		limits = strchr(limits, ' ');
	}
	return 0;
}

static void
look_up(struct stls_capabilities *c)
{
	const char *size = stls_capabilities_find(c, "SIZE");
	const char *limits = stls_capabilities_find(c, "LIMITS");

	c->pipelining = stls_capabilities_find(c, "PIPELINING") != NULL;
	c->chunking = stls_capabilities_find(c, "CHUNKING") != NULL;
	c->eight_bit = stls_capabilities_find(c, "8BITMIME") != NULL;
	c->smtputf8 = stls_capabilities_find(c, "SMTPUTF8") != NULL;
	c->has_size = size != NULL;
	c->size_max = size != NULL ? parse_number(size) : 0;
	c->mails_max = find_limit(limits, "MAILMAX");
	c->rcpts_max = find_limit(limits, "RCPTMAX");
}

/* They stay as long as the connection, of which there may be many. */
static void
shrink(struct stls_capabilities *capabilities)
{
	size_t count = capabilities->count > 0 ? capabilities->count : 1;
	char **lines = stls_realloc(
	    capabilities->lines, count * sizeof(*lines));

	if (lines != NULL)
		capabilities->lines = lines;
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
	shrink(capabilities);
	look_up(capabilities);
	return SMTPTLS_OK;
}
