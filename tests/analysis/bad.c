/* SPDX-License-Identifier: MIT */
/*
 * What each analyser has to find, or it looked at nothing. It is compiled by
 * nobody.
 */
#include <stdlib.h>
#include <string.h>

int take(char *text);

/* What is freed is used, what is not set is asked, and one is lost. */
int
use(const char *text, int count)
{
	char *first = malloc(strlen(text) + 1);
	char *second = malloc(8);
	char name[4];
	int sum;

	if (first == NULL || second == NULL)
		return 0;
	memcpy(first, text, strlen(text) + 1);
	name[4] = first[0];
	if (count > 1)
		sum = take(first) + take(name);
	free(first);
	if (sum > 0)
		return take(first);
	return take(second);
}
