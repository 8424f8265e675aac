/* SPDX-License-Identifier: MIT */
/*
 * Linked into a program it has an allocation of the library and of the program
 * fail: FAIL_ALLOC is "once" or "on", a blank, and which one. FAIL_REPORT is a
 * file that gets a line when that happened, as fail-at.c writes it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const char *report;

static void
tell(void)
{
	FILE *file;

	if (report == NULL || !stls_alloc_has_failed())
		return;
	file = fopen(report, "we");
	if (file == NULL)
		return;
	fputs("allocation 12 1\n", file);
	fclose(file);
}

__attribute__((constructor)) static void
begin(void)
{
	const char *which = getenv("FAIL_ALLOC"), *blank;
	unsigned long n;

	blank = which != NULL ? strchr(which, ' ') : NULL;
	if (blank == NULL)
		return;
	n = strtoul(blank + 1, NULL, 10);
	report = getenv("FAIL_REPORT");
	atexit(tell);
	if (strncmp(which, "on ", 3) == 0)
		stls_alloc_fail_from(n);
	else
		stls_alloc_fail_at(n);
}
