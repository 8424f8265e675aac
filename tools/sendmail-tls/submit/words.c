/* SPDX-License-Identifier: MIT */
#include "submit/words.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "settings/table.h"

/* What concerns this side alone. */
static bool
stays_here(const struct option_spec *spec)
{
	return spec->letter == 'v' || spec->letter == 'b' ||
	    (spec->name != NULL &&
		(strcmp(spec->name, "config") == 0 ||
		    strcmp(spec->name, "submit-socket") == 0 ||
		    strcmp(spec->name, "timeout") == 0));
}

/* What a conversation heeds itself: its names are complete already. */
static bool
is_about_names(const struct option_spec *spec)
{
	return spec->name != NULL &&
	    (strcmp(spec->name, "domain") == 0 ||
		strcmp(spec->name, "aliases") == 0);
}

static int
add_word(struct stls_err *err, struct submit_words *words, const char *word)
{
	words->items[words->count] = stls_strdup(word);
	if (words->items[words->count] == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	words->count++;
	return 0;
}

static int
collect(struct stls_err *err, void *target, const struct option_use *use)
{
	struct submit_words *words = target;
	int r;

	if (stays_here(use->spec) ||
	    (words->in_conversation && is_about_names(use->spec)))
		return 0;
	if ((use->spec->places & OPTION_HANDED_OVER) == 0)
		return stls_err_set(err, EX_USAGE,
		    "%s cannot be handed to the submit helper, which has its "
		    "own configuration",
		    use->shown);
	r = add_word(err, words, use->shown);
	return r == 0 && use->value != NULL ? add_word(err, words, use->value)
					    : r;
}

void
submit_words_done(struct submit_words *words)
{
	size_t i;

	for (i = 0; i < words->count; i++)
		free((char *)words->items[i]);
	free(words->items);
}

int
submit_words_collect(struct stls_err *err, const struct settings *settings,
    int argc, char **argv, struct submit_words *words)
{
	struct option_table table = settings_options;
	CLEANUP(free_ptr) const char **operands = NULL;
	size_t count = 0, letters = 0, i;
	int r;

	/* Letters in a cluster become a word each. */
	for (i = 1; i < (size_t)argc; i++)
		letters += strlen(argv[i]);
	words->items = stls_alloc_array(
	    (size_t)argc * 2 + letters + 2, sizeof(words->items[0]));
	operands = stls_alloc_array((size_t)argc + 1, sizeof(operands[0]));
	if (words->items == NULL || operands == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	table.visit = collect;
	r = options_parse(err, &table, OPTION_COMMAND_LINE, argc, argv, words,
	    operands, &count);
	if (r == 0 && settings->options.require_tls)
		r = add_word(err, words, "--require-tls");
	if (r == 0)
		r = add_word(err, words, "--");
	for (i = 0; i < count && r == 0; i++)
		r = add_word(err, words, operands[i]);
	return r;
}
