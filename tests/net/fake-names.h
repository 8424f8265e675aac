/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_FAKE_NAMES_H
#define STLS_TEST_FAKE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A name service for tests: it takes the place of getaddrinfo(3) in the
 * program. Every name has the answer that was set last.
 */
void fake_names_fail(int status, int errnum);
/* Forget the addresses, or add one to the answer. */
void fake_names_clear(void);
void fake_names_add(const char *ip, uint16_t port);

/* From now on look-ups of names hang, until as many are let go. */
void fake_names_hang(void);
void fake_names_let_go(void);

/* Look-ups of names so far, and what was seen in the last one. */
int fake_names_calls(void);
bool fake_names_was_other_thread(void);
bool fake_names_had_signals_blocked(void);

/*
 * Wait until this thread is the only one, for checkers of memory: a thread
 * that was left behind is still on its way out when it has let go of all that
 * a program can see.
 */
void fake_names_wait_for_threads(void);

/* How many lists were given and not freed. */
int fake_names_lists(void);

#endif
