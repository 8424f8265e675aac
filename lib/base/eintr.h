/* SPDX-License-Identifier: MIT */
#ifndef STLS_BASE_EINTR_H
#define STLS_BASE_EINTR_H

#include <errno.h>

/*
 * Make a call again as long as a signal interrupts it. open(2) may be, on a
 * file system behind a network or in a process; whoever has a handler without
 * SA_RESTART sees it.
 */
#define UNINTERRUPTED(call)                                                    \
	__extension__({                                                        \
		__typeof__(call) result_;                                      \
		do                                                             \
			result_ = (call);                                      \
		while (result_ < 0 && errno == EINTR);                         \
		result_;                                                       \
	})

#endif
