/* SPDX-License-Identifier: MIT */
#include "config/options.h"

#include <stdbool.h>
#include <string.h>
#include <sysexits.h>

/* Long enough for the longest name; more of an unknown one is not shown. */
#define SHOWN_MAX 40

struct cursor {
	const struct option_table *table;
	enum option_place place;
	char **argv;
	int argc;
	int next;
	void *target;
	struct stls_err *err;
};

static const struct option_spec *
find_letter(const struct option_table *table, char letter)
{
	size_t i;

	for (i = 0; i < table->count; i++) {
		if (table->specs[i].letter == letter)
			return &table->specs[i];
	}
	return NULL;
}

static const struct option_spec *
find_name(const struct option_table *table, const char *name, size_t len)
{
	const char *candidate;
	size_t i;

	for (i = 0; i < table->count; i++) {
		candidate = table->specs[i].name;
		if (candidate != NULL && strlen(candidate) == len &&
		    memcmp(candidate, name, len) == 0)
			return &table->specs[i];
	}
	return NULL;
}

static int
apply(struct cursor *cur, struct option_use *use)
{
	if (cur->table->visit != NULL)
		return cur->table->visit(cur->err, cur->target, use);
	if ((use->spec->places & (unsigned int)cur->place) == 0)
		return stls_err_set(cur->err, EX_USAGE,
		    "%s cannot be said here: it belongs to %s", use->shown,
		    (use->spec->places & OPTION_COMMAND_LINE) != 0
			? "the command line"
			: "a configuration file");
	use->place = cur->place;
	/* A line break in a value tries to add a header or a command. */
	if (use->value != NULL && strpbrk(use->value, "\r\n") != NULL)
		return stls_err_set(cur->err, EX_USAGE,
		    "the argument of %s has a line break in it", use->shown);
	return use->spec->apply(cur->err, cur->target, use);
}

/* Apply an option whose argument, if it wants one, is the next word. */
static int
apply_separate(struct cursor *cur, struct option_use *use)
{
	if (cur->next >= cur->argc)
		return stls_err_set(
		    cur->err, EX_USAGE, "%s needs an argument", use->shown);
	use->value = cur->argv[cur->next++];
	return apply(cur, use);
}

static int
parse_long(struct cursor *cur, const char *word)
{
	size_t len = strcspn(word, "=");
	char shown[SHOWN_MAX];
	struct option_use use = { .shown = shown };
	size_t shown_len = len + 2 < sizeof(shown) ? len + 2
						   : sizeof(shown) - 1;

	memcpy(shown, word - 2, shown_len);
	shown[shown_len] = '\0';
	use.spec = find_name(cur->table, word, len);
	if (use.spec == NULL)
		return stls_err_set(
		    cur->err, EX_USAGE, "there is no option %s", shown);

	if (word[len] == '=') {
		if (use.spec->argument == OPTION_ALONE)
			return stls_err_set(
			    cur->err, EX_USAGE, "%s has no argument", shown);
		use.value = word + len + 1;
		return apply(cur, &use);
	}
	if (use.spec->argument == OPTION_VALUE)
		return apply_separate(cur, &use);
	return apply(cur, &use);
}

/* Letters stand together until one of them takes the rest as its argument. */
static int
parse_letters(struct cursor *cur, const char *word)
{
	char shown[] = "-?";
	struct option_use use = { .shown = shown };
	int r;

	while (*word != '\0') {
		shown[1] = *word;
		use.spec = find_letter(cur->table, *word++);
		if (use.spec == NULL)
			return stls_err_set(
			    cur->err, EX_USAGE, "there is no option %s", shown);
		if (use.spec->argument == OPTION_VALUE && *word == '\0')
			return apply_separate(cur, &use);
		if (use.spec->argument != OPTION_ALONE) {
			use.value = word;
			return apply(cur, &use);
		}
		r = apply(cur, &use);
		if (r != 0)
			return r;
	}
	return 0;
}

static int
parse_option(struct cursor *cur, const char *word)
{
	if (word[1] == '\0')
		return stls_err_set(cur->err, EX_USAGE,
		    "- alone is neither an option nor an address");
	if (word[1] == '-')
		return parse_long(cur, word + 2);
	return parse_letters(cur, word + 1);
}

int
options_parse(struct stls_err *err, const struct option_table *table,
    enum option_place place, int argc, char **argv, void *target,
    const char **operands, size_t *out_count)
{
	struct cursor cur = {
		.table = table,
		.place = place,
		.argv = argv,
		.argc = argc,
		.next = 1,
		.target = target,
		.err = err,
	};
	bool only_operands = false;
	size_t count = 0;
	const char *word;
	int r;

	while (cur.next < argc) {
		word = argv[cur.next++];
		if (only_operands || word[0] != '-') {
			operands[count++] = word;
		} else if (strcmp(word, "--") == 0) {
			only_operands = true;
		} else {
			r = parse_option(&cur, word);
			if (r != 0)
				return r;
		}
	}
	*out_count = count;
	return 0;
}

const struct option_spec *
options_find_key(const struct option_table *table, const char *key)
{
	const struct option_spec *spec = find_name(table, key, strlen(key));

	if (spec == NULL || (spec->places & OPTION_CONFIGURATION) == 0)
		return NULL;
	return spec;
}

int
options_apply_key(struct stls_err *err, const struct option_spec *spec,
    const char *value, void *target)
{
	struct option_use use = {
		.spec = spec,
		.place = OPTION_CONFIGURATION,
		.shown = spec->name,
		.value = value,
	};

	return spec->apply(err, target, &use);
}
