/* SPDX-License-Identifier: MIT */
/* Files of aliases. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "message/aliases.h"

static void
check_values(const struct alias *alias)
{
	const char *rest = alias->values, *before;
	size_t room;
	char *out;
	int r;

	for (;;) {
		before = rest;
		room = strlen(rest) + 1;
		out = malloc(room);
		r = aliases_next_value(&rest, out, room);
		if (r > 0) {
			FUZZ_CHECK(rest > before && strlen(out) < room);
			FUZZ_CHECK(strchr(out, '\n') == NULL);
		}
		free(out);
		if (r <= 0)
			break;
	}
}

static void
check_found(const struct aliases *aliases)
{
	const struct alias *found;
	struct stls_err err = { 0 };
	size_t i;

	for (i = 0; i < aliases->count; i++) {
		FUZZ_CHECK(aliases->items[i].name[0] != '\0');
		FUZZ_CHECK(strchr(aliases->items[i].name, '\n') == NULL);
		if (aliases_find(
			&err, aliases, aliases->items[i].name, &found) == 0)
			FUZZ_CHECK(found == &aliases->items[i]);
		else
			FUZZ_CHECK(fuzz_is_sentence(err.text));
		check_values(&aliases->items[i]);
	}
	if (aliases_find(&err, aliases, "nobody", &found) == 0 && found != NULL)
		FUZZ_CHECK(strcasecmp(found->name, "nobody") == 0 ||
		    strcasecmp(found->name, "default") == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aliases aliases = { 0 };
	struct stls_err err = { 0 };

	if (aliases_parse(
		&err, "/etc/aliases", (const char *)data, size, &aliases) == 0)
		check_found(&aliases);
	else
		FUZZ_CHECK(fuzz_is_sentence(err.text));
	aliases_done(&aliases);
	return 0;
}
