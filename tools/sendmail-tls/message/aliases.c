/* SPDX-License-Identifier: MIT */
#include "message/aliases.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "config/file.h"

#define FILE_SIZE_MAX ((size_t)4 << 20)
#define BLANKS " \t\r"
#define DEFAULT_NAME "default"

static int
add(struct stls_err *err, struct aliases *aliases, const char *name,
    char *values, unsigned int line)
{
	struct alias *items;

	items = stls_realloc(
	    aliases->items, (aliases->count + 1) * sizeof(items[0]));
	if (items == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	aliases->items = items;
	items[aliases->count].name = name;
	items[aliases->count].values = values;
	items[aliases->count].line = line;
	aliases->count++;
	return 0;
}

/* Where the colon is that ends the name; NULL: there is none. */
static char *
end_of_name(char *text)
{
	bool is_quoted = false;

	for (; *text != '\0'; text++) {
		if (*text == '"')
			is_quoted = !is_quoted;
		else if (*text == ':' && !is_quoted)
			return text;
	}
	return NULL;
}

/* Cut blanks off both ends, and quotes around the whole. */
static char *
strip(char *text)
{
	size_t len;

	text += strspn(text, BLANKS);
	len = strlen(text);
	while (len > 0 && strchr(BLANKS, text[len - 1]) != NULL)
		len--;
	if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
		text++;
		len -= 2;
	}
	text[len] = '\0';
	return text;
}

static int
parse_entry(struct stls_err *err, struct aliases *aliases, char *text,
    unsigned int line)
{
	char *colon = end_of_name(text), *name;

	if (colon == NULL)
		return stls_err_set(err, EX_CONFIG,
		    "%s:%u: the line is not name: address, ...", aliases->file,
		    line);
	*colon = '\0';
	name = strip(text);
	if (name[0] == '\0')
		return stls_err_set(err, EX_CONFIG,
		    "%s:%u: there is no name in front of the colon",
		    aliases->file, line);
	return add(err, aliases, name, colon + 1, line);
}

/* Whether a line goes on with what was begun before. */
static bool
is_continuation(const char *line)
{
	return (line[0] == ' ' || line[0] == '\t') &&
	    line[strspn(line, BLANKS)] != '\0';
}

static bool
is_comment(const char *line)
{
	size_t blanks = strspn(line, BLANKS);

	return line[blanks] == '\0' || line[blanks] == '#';
}

/*
 * Lines are joined in place: the line end in front of a continuation becomes a
 * blank, and so does a comment in between.
 */
static int
parse_lines(struct stls_err *err, struct aliases *aliases)
{
	char *line = aliases->text, *entry = NULL, *end;
	unsigned int number = 0, entry_line = 0;
	int r = 0;

	for (; line != NULL && r == 0; line = end != NULL ? end + 1 : NULL) {
		end = strchr(line, '\n');
		if (end != NULL)
			*end = '\0';
		number++;
		if (is_comment(line)) {
			memset(line, ' ', strlen(line));
			if (entry != NULL && line > entry)
				line[-1] = ' ';
			continue;
		}
		if (entry != NULL && is_continuation(line)) {
			line[-1] = ' ';
			continue;
		}
		if (is_continuation(line))
			return stls_err_set(err, EX_CONFIG,
			    "%s:%u: the line begins with a blank and goes on "
			    "with nothing",
			    aliases->file, number);
		if (entry != NULL)
			r = parse_entry(err, aliases, entry, entry_line);
		entry = line;
		entry_line = number;
	}
	/* What stood behind the last entry was joined to it. */
	if (r == 0 && entry != NULL)
		r = parse_entry(err, aliases, entry, entry_line);
	return r;
}

int
aliases_parse(struct stls_err *err, const char *file, const char *text,
    size_t len, struct aliases *aliases)
{
	unsigned int line = 1;
	const char *nul = memchr(text, '\0', len), *p;

	if (nul != NULL) {
		for (p = text; p < nul; p++)
			line += *p == '\n';
		return stls_err_set(err, EX_CONFIG,
		    "%s:%u: there is a NUL in the line", file, line);
	}
	aliases->file = stls_strdup(file);
	aliases->text = stls_strndup(text, len);
	if (aliases->file == NULL || aliases->text == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	return parse_lines(err, aliases);
}

int
aliases_load(struct stls_err *err, const char *path, struct aliases *aliases)
{
	CLEANUP(stls_buf_done) struct stls_buf text = { 0 };
	int r;

	stls_buf_init(&text, FILE_SIZE_MAX);
	r = config_file_load(err, "aliases file", path, false, &text);
	if (r != 0)
		return r;
	return aliases_parse(err, path, (const char *)stls_buf_data(&text),
	    stls_buf_len(&text), aliases);
}

static int
find_one(struct stls_err *err, const struct aliases *aliases, const char *name,
    const struct alias **out_alias)
{
	size_t i;

	for (i = 0; i < aliases->count; i++) {
		if (strcasecmp(aliases->items[i].name, name) != 0)
			continue;
		if (*out_alias != NULL)
			return stls_err_set(err, EX_CONFIG,
			    "%s:%u: alias %s is there already, in line %u",
			    aliases->file, aliases->items[i].line, name,
			    (*out_alias)->line);
		*out_alias = &aliases->items[i];
	}
	return 0;
}

int
aliases_find(struct stls_err *err, const struct aliases *aliases,
    const char *name, const struct alias **out_alias)
{
	int r;

	*out_alias = NULL;
	r = find_one(err, aliases, name, out_alias);
	if (r == 0 && *out_alias == NULL)
		r = find_one(err, aliases, DEFAULT_NAME, out_alias);
	return r;
}

int
aliases_next_value(const char **rest, char *out, size_t cap)
{
	const char *p = *rest + strspn(*rest, BLANKS ",");
	bool is_quoted = false;
	size_t len = 0, end = 0;

	if (*p == '\0')
		return 0;
	for (; *p != '\0' && (is_quoted || *p != ','); p++) {
		if (len + 1 >= cap)
			return -1;
		if (*p == '"')
			is_quoted = !is_quoted;
		out[len++] = *p;
		if (strchr(BLANKS, *p) == NULL)
			end = len;
	}
	out[end] = '\0';
	*rest = p;
	/* Around the whole; those of a local part belong to it. */
	if (end >= 2 && out[0] == '"' &&
	    strchr(out + 1, '"') == out + end - 1) {
		memmove(out, out + 1, end - 2);
		out[end - 2] = '\0';
	}
	return is_quoted ? -1 : 1;
}

void
aliases_done(struct aliases *aliases)
{
	free(aliases->file);
	free(aliases->text);
	free(aliases->items);
	memset(aliases, 0, sizeof(*aliases));
}
