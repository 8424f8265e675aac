/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_FAKE_CLOCK_H
#define STLS_TEST_FAKE_CLOCK_H

#include <stdint.h>

/*
 * A clock for tests: it takes the place of clock_gettime(2) in the program.
 * Time goes on by itself until it is stopped.
 */
void fake_clock_stop(void);
void fake_clock_skip(int64_t ms);

#endif
