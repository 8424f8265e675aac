/* SPDX-License-Identifier: MIT */
#include "config/config.h"

#include <ctype.h>
#include <ini.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/alloc.h"
#include "base/utf8.h"

/*
 * libinih reads into an array of its own: of 200 octets where it is built as
 * its authors do, and wiped by nobody. What it makes of a longer line, of
 * " ;" inside of a value, of a line that begins with a blank, and of what is
 * behind a section depends on how it was built, and some of that is silence.
 *
 * So it sees the structure only: each line comes from read_line(), which has
 * judged it, as "\n", "[account]\n" or "key=.\n", and the value stays in our
 * text, which is wiped. One call is one line, so lines are counted here.
 */
#define VALUE_MARK "."

/* Names of accounts and keys, so that no array of libinih cuts one. */
#define NAME_LEN_MAX 40
#define LINE_LEN_LIMIT 8192

static const char byte_order_mark[] = "\xef\xbb\xbf";

struct parser {
	struct stls_err *err;
	struct config *config;
	enum config_source source;
	const char *file;
	const char *next; /* what has not been read */
	const char *end;
	unsigned int line;
	/* Of the line that was given to libinih. */
	const char *value;
	size_t value_len;
	size_t first_entry; /* of this file */
	bool has_secret;
	bool has_failed;
};

static int
fail(struct parser *p, int code)
{
	p->has_failed = true;
	p->err->code = code;
	if (code == EX_OSERR)
		return stls_err_set(p->err, EX_OSERR, "out of memory");
	return stls_err_prefix(p->err, "%s:%u", p->file, p->line);
}

#define FAIL(p, ...)                                                           \
	(stls_err_set((p)->err, EX_CONFIG, __VA_ARGS__), fail((p), EX_CONFIG))

static const char *
trim(const char *text, const char *end, size_t *out_len)
{
	while (text < end && (*text == ' ' || *text == '\t'))
		text++;
	while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*out_len = (size_t)(end - text);
	return text;
}

static int
check_octets(struct parser *p, const char *line, size_t len)
{
	size_t i;

	if (len > LINE_LEN_LIMIT)
		return FAIL(
		    p, "the line is longer than %d bytes", LINE_LEN_LIMIT);
	if (memchr(line, '\0', len) != NULL)
		return FAIL(p, "there is a NUL in the line");
	if (len > 0 && line[len - 1] == '\r')
		return FAIL(p,
		    "the line ends with CR LF, as on Windows: save the file "
		    "with LF alone");
	for (i = 0; i < len; i++) {
		if (line[i] != '\t' &&
		    ((unsigned char)line[i] < ' ' || line[i] == 0x7f))
			return FAIL(p,
			    "there is a control character in the line (0x%02x)",
			    (unsigned int)(unsigned char)line[i]);
	}
	if (!stls_utf8_is_valid(line, len))
		return FAIL(p, "the line is not UTF-8");
	return 0;
}

static bool
is_name(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (!isalnum((unsigned char)name[i]) &&
		    strchr("-._@+", name[i]) == NULL)
			return false;
	}
	return len > 0 && len <= NAME_LEN_MAX;
}

static int
add_account(struct parser *p, const char *name, size_t len)
{
	struct config *config = p->config;
	struct config_account *accounts, *account;
	size_t i;

	for (i = 0; i < config->account_count; i++) {
		account = &config->accounts[i];
		if (account->file == p->file && strlen(account->name) == len &&
		    memcmp(account->name, name, len) == 0)
			return FAIL(p,
			    "the account [%s] is there already, in line %u",
			    account->name, account->line);
	}
	accounts = stls_realloc(config->accounts,
	    (config->account_count + 1) * sizeof(accounts[0]));
	if (accounts == NULL)
		return fail(p, EX_OSERR);
	config->accounts = accounts;
	account = &accounts[config->account_count];
	account->file = p->file;
	account->line = p->line;
	account->name = stls_strndup(name, len);
	if (account->name == NULL)
		return fail(p, EX_OSERR);
	config->account_count++;
	return 0;
}

static int
shape_section(
    struct parser *p, const char *line, size_t len, char *out, size_t cap)
{
	size_t name_len;
	const char *name;
	int r;

	if (line[len - 1] != ']' || memchr(line, ']', len) != line + len - 1)
		return FAIL(p, "an account is [NAME] and nothing behind it");
	name = trim(line + 1, line + len - 1, &name_len);
	if (!is_name(name, name_len))
		return FAIL(p,
		    "the name of an account is made of letters, digits and "
		    "-._@+, %d at most",
		    NAME_LEN_MAX);
	r = add_account(p, name, name_len);
	if (r == 0)
		snprintf(out, cap, "[%.*s]\n", (int)name_len, name);
	return r;
}

static int
shape_key(struct parser *p, const char *line, size_t len, char *out, size_t cap)
{
	const char *end = line + len, *separator = memchr(line, '=', len);
	size_t key_len;

	if (separator == NULL)
		return FAIL(p,
		    "the line is neither key = value nor [account] nor a "
		    "comment");
	line = trim(line, separator, &key_len);
	if (!is_name(line, key_len))
		return FAIL(p, "what is in front of the equals sign is no key");
	p->value = trim(separator + 1, end, &p->value_len);
	if (p->value_len == 0)
		return FAIL(p, "%.*s has no value", (int)key_len, line);
	snprintf(out, cap, "%.*s=" VALUE_MARK "\n", (int)key_len, line);
	return 0;
}

static int
shape_line(
    struct parser *p, const char *line, size_t len, char *out, size_t cap)
{
	int r;

	r = check_octets(p, line, len);
	if (r != 0)
		return r;
	line = trim(line, line + len, &len);
	if (len == 0 || line[0] == '#' || line[0] == ';') {
		snprintf(out, cap, "\n");
		return 0;
	}
	if (cap < NAME_LEN_MAX + sizeof("=" VALUE_MARK "\r\n"))
		return FAIL(p, "libinih has %zu bytes for a line", cap);
	if (line[0] == '[')
		return shape_section(p, line, len, out, cap);
	return shape_key(p, line, len, out, cap);
}

/* As fgets(3), for libinih: after a mistake there is nothing more. */
static char *
read_line(char *out, int cap, void *arg)
{
	struct parser *p = arg;
	const char *line = p->next, *end;

	if (p->has_failed || line == p->end)
		return NULL;
	end = memchr(line, '\n', (size_t)(p->end - line));
	p->next = end != NULL ? end + 1 : p->end;
	if (end == NULL)
		end = p->end;
	p->line++;
	if (shape_line(p, line, (size_t)(end - line), out, (size_t)cap) != 0)
		return NULL;
	return out;
}

/* What is wrong with a key, whatever its value is. */
static int
check_key(struct parser *p, const char *account, const char *key)
{
	const struct option_spec *spec = options_find_key(
	    p->config->vocabulary, key);
	size_t i;

	if (spec == NULL)
		return FAIL(p, "there is no setting %s", key);
	if ((spec->kinds & OPTION_SECRET) != 0)
		p->has_secret = true;
	if ((spec->kinds & OPTION_OF_ACCOUNT) != 0 && account[0] == '\0')
		return FAIL(
		    p, "%s belongs to an account, behind its [NAME]", key);
	if ((spec->kinds & OPTION_OF_ALL) != 0 && account[0] != '\0')
		return FAIL(
		    p, "%s holds for all, in front of the first account", key);
	for (i = p->first_entry; i < p->config->count; i++) {
		if ((spec->kinds & OPTION_REPEATS) == 0 &&
		    strcmp(p->config->entries[i].key, key) == 0 &&
		    strcmp(p->config->entries[i].account, account) == 0)
			return FAIL(p, "%s is there already, in line %u", key,
			    p->config->entries[i].line);
	}
	return 0;
}

static int
add_entry(struct parser *p, const char *account, const char *key)
{
	struct config *config = p->config;
	struct config_entry *entries, *entry;

	entries = stls_realloc(
	    config->entries, (config->count + 1) * sizeof(entries[0]));
	if (entries == NULL)
		return fail(p, EX_OSERR);
	config->entries = entries;
	entry = &entries[config->count++];
	memset(entry, 0, sizeof(*entry));
	entry->source = p->source;
	entry->file = p->file;
	entry->line = p->line;
	entry->account = stls_strdup(account);
	entry->key = stls_strdup(key);
	if (entry->account == NULL || entry->key == NULL ||
	    stls_secret_set(&entry->value, p->value, p->value_len) < 0)
		return fail(p, EX_OSERR);
	return 0;
}

#if INI_HANDLER_LINENO
static int
take_entry(void *arg, const char *account, const char *key, const char *value,
    int line)
#else
static int
take_entry(void *arg, const char *account, const char *key, const char *value)
#endif
{
	struct parser *p = arg;

#if INI_HANDLER_LINENO
	(void)line;
#endif
	/* A libinih may also tell of a section that begins. */
	if (key == NULL)
		return 1;
	(void)value;
	if (p->has_failed || check_key(p, account, key) != 0)
		return 0;
	return add_entry(p, account, key) == 0;
}

int
config_parse(struct stls_err *err, struct config *config,
    enum config_source source, const char *file, const char *text, size_t len,
    bool *out_has_secret)
{
	struct parser p = {
		.err = err,
		.config = config,
		.source = source,
		.file = file,
		.next = text,
		.end = text + len,
		.first_entry = config->count,
	};
	int r;

	if (len >= sizeof(byte_order_mark) - 1 &&
	    memcmp(text, byte_order_mark, sizeof(byte_order_mark) - 1) == 0)
		return stls_err_set(err, EX_CONFIG,
		    "%s:1: the file begins with a byte order mark: save it as "
		    "UTF-8 without one",
		    file);
	r = ini_parse_stream(read_line, &p, take_entry, &p);
	if (p.has_failed)
		return err->code;
	if (r == -2)
		return stls_err_set(err, EX_OSERR, "out of memory");
	if (r != 0)
		return stls_err_set(
		    err, EX_CONFIG, "%s:%d: libinih refuses the line", file, r);
	*out_has_secret = p.has_secret;
	return 0;
}
