/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_FAIL_CALLS_H
#define STLS_TEST_FAIL_CALLS_H

#include <stdbool.h>
#include <stddef.h>

#define FAIL_ERRORS_MAX 9

/* A system call that may fail, and how. */
struct fail_call {
	long number;
	const char *name;
	bool has_fd;	 /* as its first argument */
	int name_at;	 /* the argument that is a path, -1: none */
	bool has_length; /* the third argument: how much at most */
	int errors[FAIL_ERRORS_MAX + 1]; /* up to a 0 */
};

/* NULL: not one of those that are made to fail. */
const struct fail_call *fail_call_find(long number);
size_t fail_call_errors(const struct fail_call *call);
/* The n-th of them; 0: there are not so many. */
int fail_call_error(const struct fail_call *call, size_t n);
bool fail_call_has(const struct fail_call *call, int errnum);

#endif
