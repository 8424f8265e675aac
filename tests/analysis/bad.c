/* SPDX-License-Identifier: MIT */
/*
 * What each analyser has to find, or it looked at nothing. It is compiled by
 * nobody.
 */
#include <stdlib.h>
#include <string.h>

struct pair {
	int first;
	int second;
};

/* The pointer is used before it is looked at, and lost on the way. */
int
use(int count)
{
	struct pair *pairs = malloc(sizeof(*pairs) * 2);
	char name[4];
	int sum;

	if (count > 1)
		return 0;
	memset(name, 0, sizeof(name));
	name[count == 1 ? 4 : 0] = 'x';
	pairs->first = name[0];
	free(pairs);
	return pairs->second + sum;
}
