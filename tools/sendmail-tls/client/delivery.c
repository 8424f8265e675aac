/* SPDX-License-Identifier: MIT */
#include "client/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "settings/settings.h"

void
delivery_print(const struct delivery *delivery, FILE *file)
{
	const char *line = delivery->outcomes;
	size_t len;

	/* What is stored is no failure; why it was is for the log. */
	if (delivery->text[0] != '\0' && delivery->status != 0)
		fprintf(file, "%s: %s\n",
		    delivery->is_in_doubt ? "in doubt" : PROGRAM,
		    delivery->text);
	if (delivery->warning[0] != '\0')
		fprintf(file, PROGRAM ": %s\n", delivery->warning);
	while (line != NULL && *line != '\0') {
		len = strcspn(line, "\n");
		fprintf(file, PROGRAM ": %.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

void
delivery_done(struct delivery *delivery)
{
	free(delivery->outcomes);
	memset(delivery, 0, sizeof(*delivery));
}
