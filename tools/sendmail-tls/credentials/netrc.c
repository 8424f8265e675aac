/* SPDX-License-Identifier: MIT */
#include "credentials/netrc.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "base/cleanup.h"

#define TOKEN_LEN_MAX 4096
#define BLANKS " \t\r\n"

struct reader {
	struct stls_err *err;
	const char *file;
	const char *start;
	const char *next;
	const char *end;
	unsigned int line;
	/* Wiped by whoever made the reader: it has held passwords. */
	char token[TOKEN_LEN_MAX + 1];
	size_t token_len;
	bool is_quoted;
};

struct entry {
	bool is_wanted; /* of the host, or the default */
	struct stls_secret login;
	struct stls_secret password;
};

static int
fail(struct reader *r, const char *reason)
{
	return stls_err_set(
	    r->err, EX_CONFIG, "%s:%u: %s", r->file, r->line, reason);
}

/* A comment is a line of its own: a password may begin with a #. */
static void
skip_blanks(struct reader *r)
{
	bool is_start = r->next == r->start;

	for (; r->next < r->end; r->next++) {
		if (*r->next == '#' && is_start) {
			while (r->next < r->end && *r->next != '\n')
				r->next++;
			if (r->next == r->end)
				return;
		}
		if (*r->next == '\0' || strchr(BLANKS, *r->next) == NULL)
			return;
		if (*r->next == '\n') {
			r->line++;
			is_start = true;
		}
	}
}

/* The next word or quoted string. EX_CONFIG: it has no end. */
static int
next_token(struct reader *r, bool *out_is_there)
{
	char c;

	skip_blanks(r);
	*out_is_there = r->next < r->end;
	r->token_len = 0;
	r->is_quoted = r->next < r->end && *r->next == '"';
	if (r->is_quoted)
		r->next++;
	for (; r->next < r->end; r->next++) {
		c = *r->next;
		if (c != '\0' &&
		    (r->is_quoted ? c == '"' : strchr(BLANKS, c) != NULL))
			break;
		if (r->is_quoted && c == '\\' && r->next + 1 < r->end)
			c = *++r->next;
		if (c == '\0')
			return fail(r, "there is a NUL in the line");
		if (c == '\n')
			return fail(r, "a quote has no end");
		if (r->token_len == TOKEN_LEN_MAX)
			return fail(r, "a word is too long");
		r->token[r->token_len++] = c;
	}
	r->token[r->token_len] = '\0';
	if (r->is_quoted) {
		if (r->next == r->end)
			return fail(r, "a quote has no end");
		r->next++;
	}
	return 0;
}

static bool
is_word(const struct reader *r, const char *word)
{
	return !r->is_quoted && strcmp(r->token, word) == 0;
}

static int
next_value(struct reader *r, const char *missing)
{
	bool is_there;
	int status;

	status = next_token(r, &is_there);
	if (status == 0 && !is_there)
		return fail(r, missing);
	return status;
}

static int
keep_value(struct reader *r, const char *missing, struct stls_secret *out)
{
	int status;

	status = next_value(r, missing);
	if (status == 0 && stls_secret_set(out, r->token, r->token_len) < 0)
		return stls_err_set(r->err, EX_OSERR, "out of memory");
	return status;
}

/* A macro ends at an empty line. */
static void
skip_macro(struct reader *r)
{
	for (; r->next < r->end; r->next++) {
		if (*r->next != '\n')
			continue;
		if (r->next + 1 < r->end && r->next[1] == '\n')
			return;
		r->line++;
	}
}

static void
entry_done(struct entry *entry)
{
	stls_secret_done(&entry->login);
	stls_secret_done(&entry->password);
}

static bool
fits(const struct entry *entry, const char *user)
{
	if (!entry->is_wanted || entry->password.data == NULL)
		return false;
	if (user == NULL)
		return entry->login.data != NULL;
	return entry->login.data == NULL ||
	    strcmp(entry->login.data, user) == 0;
}

/* Take one word, and what belongs to it, into the entry that goes on. */
static int
take_word(struct reader *r, struct entry *entry)
{
	int status;

	if (is_word(r, "login"))
		return keep_value(r, "login has no name", &entry->login);
	if (is_word(r, "password"))
		return keep_value(r, "password has no value", &entry->password);
	if (is_word(r, "account"))
		return next_value(r, "account has no name");
	if (is_word(r, "macdef")) {
		status = next_value(r, "macdef has no name");
		if (status == 0)
			skip_macro(r);
		return status;
	}
	/* It could be a password with a blank in it: it is not shown. */
	return fail(r,
	    "a word is neither machine, default, login, password, "
	    "account nor macdef");
}

static bool
begins_entry(const struct reader *r)
{
	return is_word(r, "machine") || is_word(r, "default");
}

static int
begin_entry(struct reader *r, const char *host, struct entry *entry)
{
	int status;

	entry_done(entry);
	if (is_word(r, "default")) {
		entry->is_wanted = true;
		return 0;
	}
	status = next_value(r, "machine has no name");
	entry->is_wanted = strcasecmp(r->token, host) == 0;
	return status;
}

static int
search(struct reader *r, const char *host, const char *user,
    struct entry *entry, bool *out_is_found)
{
	bool is_there;
	int status;

	*out_is_found = false;
	for (;;) {
		status = next_token(r, &is_there);
		if (status != 0)
			return status;
		if (!is_there || begins_entry(r)) {
			*out_is_found = fits(entry, user);
			if (*out_is_found || !is_there)
				return 0;
			status = begin_entry(r, host, entry);
		} else {
			status = take_word(r, entry);
		}
		if (status != 0)
			return status;
	}
}

static void
take_secret(struct stls_secret *from, struct stls_secret *to)
{
	stls_secret_done(to);
	*to = *from;
	memset(from, 0, sizeof(*from));
}

static void
reader_done(struct reader *r)
{
	stls_wipe(r->token, sizeof(r->token));
}

int
netrc_find(struct stls_err *err, const char *file, const char *text, size_t len,
    const char *host, const char *user, struct stls_secret *out_user,
    struct stls_secret *out_password)
{
	CLEANUP(reader_done)
	struct reader r = {
		.err = err,
		.file = file,
		.start = text,
		.next = text,
		.end = text + len,
		.line = 1,
	};
	CLEANUP(entry_done) struct entry entry = { 0 };
	bool is_found;
	int status;

	status = search(&r, host, user, &entry, &is_found);
	if (status != 0)
		return status;
	if (!is_found)
		return stls_err_set(err, EX_CONFIG,
		    "%s has no password for %s%s%s", file,
		    user != NULL ? user : "", user != NULL ? " at " : "", host);
	if (user != NULL && stls_secret_set(out_user, user, strlen(user)) < 0)
		return stls_err_set(err, EX_OSERR, "out of memory");
	if (user == NULL)
		take_secret(&entry.login, out_user);
	take_secret(&entry.password, out_password);
	return 0;
}
