/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_FREED_H
#define STLS_TEST_FREED_H

#include <stddef.h>

/*
 * Have each block looked at that the library frees, right before it does; what
 * is found behind that says nothing, since the next owner has written over it.
 * For test programs with freed_dep. NULL ends it.
 */
typedef void (*freed_cb)(const void *block, size_t size);
void freed_tell(freed_cb look);

/* Likewise, and besides what goes by gnutls_free(), GnuTLS's own as well. */
void freed_tell_all(freed_cb look);

#endif
