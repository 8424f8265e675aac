/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_CLOCK_H
#define STLS_TEST_CLOCK_H

/*
 * A clock that can be set: time(2) of the test program and of the libraries it
 * uses. Certificates come from the factory before it is moved.
 */
void clock_move(long seconds);

#endif
