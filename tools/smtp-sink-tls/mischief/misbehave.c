/* SPDX-License-Identifier: MIT */
#include "mischief/misbehave.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <smtptls/status.h>

#include "mischief/table.h"

static const struct {
	const char *name;
	enum sink_step step;
} steps[] = {
	{ "greeting", SINK_STEP_GREETING },
	{ "ehlo", SINK_STEP_EHLO },
	{ "starttls", SINK_STEP_STARTTLS },
	{ "auth", SINK_STEP_AUTH },
	{ "mail", SINK_STEP_MAIL },
	{ "rcpt", SINK_STEP_RCPT },
	{ "data", SINK_STEP_DATA },
	{ "chunk", SINK_STEP_CHUNK },
	{ "content", SINK_STEP_CONTENT },
	{ "rset", SINK_STEP_RSET },
	{ "quit", SINK_STEP_QUIT },
};

static enum sink_step
step_of(const char *word, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (strlen(steps[i].name) == len &&
		    memcmp(steps[i].name, word, len) == 0)
			return steps[i].step;
	}
	return SINK_STEP_OTHER;
}

static void
print_form(FILE *f, const struct sink_misbehaviour *row)
{
	fputs(row->name, f);
	if (row->words != NULL)
		fprintf(f, ":%s", row->words);
	if (row->max > 0)
		fprintf(f, ":%" PRIu64 "..%" PRIu64, row->min, row->max);
}

void
sink_misbehave_list(FILE *f)
{
	size_t i;

	for (i = 0; i < sink_misbehaviour_count; i++) {
		print_form(f, &sink_misbehaviours[i]);
		fprintf(f, "\t%s\n", sink_misbehaviours[i].sentence);
	}
}

static const struct sink_misbehaviour *
find_row(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < sink_misbehaviour_count; i++) {
		if (strlen(sink_misbehaviours[i].name) == len &&
		    memcmp(sink_misbehaviours[i].name, name, len) == 0)
			return &sink_misbehaviours[i];
	}
	return NULL;
}

/* Which of the words "a|b|c" it is; false: none. */
static bool
find_word(
    const char *words, const char *word, size_t len, unsigned int *out_index)
{
	unsigned int index = 0;
	size_t n;

	for (;; index++, words += n + 1) {
		n = strcspn(words, "|");
		if (n == len && memcmp(words, word, len) == 0) {
			*out_index = index;
			return true;
		}
		if (words[n] == '\0')
			return false;
	}
}

/* Take ":WORD". Returns what is behind it, or NULL. */
static const char *
take_word(const char *p, struct sink_mischief *mischief)
{
	size_t len;

	if (mischief->row->words == NULL)
		return p;
	if (*p++ != ':')
		return NULL;
	len = strcspn(p, ":");
	if (!find_word(mischief->row->words, p, len, &mischief->word))
		return NULL;
	mischief->is_about_auth = step_of(p, len) == SINK_STEP_AUTH;
	if (mischief->step == SINK_STEP_OTHER)
		mischief->step = step_of(p, len);
	return p + len;
}

static const char *
take_number(const char *p, struct sink_mischief *mischief)
{
	const struct sink_misbehaviour *row = mischief->row;
	char *end;

	if (row->max == 0)
		return p;
	if (p[0] != ':' || p[1] < '0' || p[1] > '9')
		return NULL;
	errno = 0;
	mischief->number = strtoull(p + 1, &end, 10);
	if (errno != 0 || mischief->number < row->min ||
	    mischief->number > row->max)
		return NULL;
	return end;
}

static int
refuse_form(
    struct stls_err *err, const char *text, const struct sink_misbehaviour *row)
{
	if (row->words != NULL && row->max > 0)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "--misbehave %s: the form is %s:%s:%" PRIu64 "..%" PRIu64,
		    text, row->name, row->words, row->min, row->max);
	if (row->max > 0)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "--misbehave %s: the form is %s:%" PRIu64 "..%" PRIu64,
		    text, row->name, row->min, row->max);
	return stls_err_set(err, SMTPTLS_E_INVALID,
	    "--misbehave %s: the form is %s%s%s", text, row->name,
	    row->words != NULL ? ":" : "",
	    row->words != NULL ? row->words : "");
}

int
sink_misbehave_parse(
    struct stls_err *err, const char *text, struct sink_mischief *out_mischief)
{
	struct sink_mischief mischief = { .row = NULL };
	size_t len = strcspn(text, ":");
	const char *p = text + len;

	mischief.row = find_row(text, len);
	if (mischief.row == NULL)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "--misbehave %s: there is no such name, --misbehave list "
		    "prints all",
		    text);
	mischief.step = mischief.row->at;
	p = take_word(p, &mischief);
	if (p != NULL)
		p = take_number(p, &mischief);
	if (p == NULL || *p != '\0')
		return refuse_form(err, text, mischief.row);
	*out_mischief = mischief;
	return SMTPTLS_OK;
}

unsigned int
sink_misbehave_needs(const struct sink_mischief *mischief)
{
	unsigned int needs = mischief->row->flags &
	    (SINK_NEEDS_AUTH | SINK_NEEDS_CA);

	if (mischief->is_about_auth || mischief->step == SINK_STEP_AUTH)
		needs |= SINK_NEEDS_AUTH;
	return needs;
}
