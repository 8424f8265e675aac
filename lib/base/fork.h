/* SPDX-License-Identifier: MIT */
#ifndef STLS_BASE_FORK_H
#define STLS_BASE_FORK_H

#include <stdbool.h>

/*
 * A TLS session must not be used on both sides of fork(2): both would write
 * with the same keys and counters. A counter that pthread_atfork(3) raises in
 * the child tells whose an object is, without a system call per use. A child
 * made by a bare clone(2) is not noticed.
 */
typedef unsigned int stls_fork_id;

/* What to remember in an object when it is made. */
stls_fork_id stls_fork_current(void);

/* Whether the process that made the object was another one. */
static inline bool
stls_fork_happened(stls_fork_id made_in)
{
	return made_in != stls_fork_current();
}

#endif
