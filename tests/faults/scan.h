/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_SCAN_H
#define STLS_TEST_SCAN_H

#include <stddef.h>

/*
 * Look for secrets in the memory of this process, all of it: the heap with what
 * was freed, the stacks, what libraries have. What is looked for is kept so
 * that it is not found here.
 */

/* As it is, and in base64 wherever it begins in what is encoded. */
#define SCAN_FORMS 4
#define SCAN_LEN_MAX 200

struct scan_needle {
	unsigned char masked[SCAN_FORMS][SCAN_LEN_MAX];
	size_t len[SCAN_FORMS];
};

/* Make a secret. It is in memory only while it is lent. */
void scan_needle_init(struct scan_needle *needle);

/*
 * The secret in memory that nobody else uses, to hand it over; and back, after
 * which nothing is left of it. In front of it stands more, so that it is found
 * in memory that was freed, whose beginning the allocator writes over.
 */
char *scan_needle_lend(const struct scan_needle *needle);
void scan_needle_take_back(char *lent);

/* How often it is in one block. */
int scan_block(
    const struct scan_needle *needle, const void *block, size_t size);

/* How often it is there. @return below 0: memory cannot be looked at here */
int scan_memory(const struct scan_needle *needle);

#endif
