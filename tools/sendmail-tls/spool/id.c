/* SPDX-License-Identifier: MIT */
#include "spool/id.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "crypto/random.h"

/* 32 of them, so five bits each; without vowels they make no words. */
#define ALPHABET "0123456789bcdfghjklmnpqrstvwxyz_"
#define TIME_LEN 11
#define RANDOM_LEN 16

int
spool_id_make(struct stls_err *err, char out_id[SPOOL_ID_LEN + 1])
{
	unsigned char bytes[RANDOM_LEN];
	struct timespec now;
	uint64_t ms;
	size_t i;

	if (stls_random(err, bytes, sizeof(bytes)) < 0)
		return stls_err_set(err, EX_OSERR, "no random bytes");
	clock_gettime(CLOCK_REALTIME, &now);
	ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	snprintf(out_id, SPOOL_ID_LEN + 1, "%011llx-",
	    (unsigned long long)(ms & 0xfffffffffff));
	for (i = 0; i < RANDOM_LEN; i++)
		out_id[TIME_LEN + 1 + i] = ALPHABET[bytes[i] % 32];
	out_id[SPOOL_ID_LEN] = '\0';
	return 0;
}

bool
spool_id_is_valid(const char *id)
{
	return strlen(id) == SPOOL_ID_LEN && id[TIME_LEN] == '-' &&
	    strspn(id, "0123456789abcdef") >= TIME_LEN &&
	    strspn(id + TIME_LEN + 1, ALPHABET) == RANDOM_LEN;
}

bool
spool_id_is_temporary(const char *name)
{
	size_t len = strlen(SPOOL_TEMPORARY);

	return strncmp(name, SPOOL_TEMPORARY, len) == 0 &&
	    spool_id_is_valid(name + len);
}
