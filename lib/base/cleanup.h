/* SPDX-License-Identifier: MIT */
#ifndef STLS_BASE_CLEANUP_H
#define STLS_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * CLEANUP(fn) in front of a local variable calls fn(&variable) when it goes
 * out of scope; TAKE(p) hands the pointer over and leaves NULL behind. With
 * both there is no goto and no exit that forgets.
 */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define TAKE(p)                                                                \
	__extension__({                                                        \
		__typeof__(p) taken_ = (p);                                    \
		(p) = NULL;                                                    \
		taken_;                                                        \
	})

static inline void
free_ptr(void *p)
{
	free(*(void **)p);
}

static inline void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void
close_file(FILE **f)
{
	if (*f != NULL)
		fclose(*f);
}

#endif
