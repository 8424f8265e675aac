/* SPDX-License-Identifier: MIT */
#ifndef BENCH_HEAP_H
#define BENCH_HEAP_H

#include <stddef.h>

/*
 * How much the library itself, without GnuTLS, has allocated; 0 where it is
 * not counted.
 */
size_t bench_heap_own(void);

#endif
