/* SPDX-License-Identifier: MIT */
#ifndef COMMON_NARROW_LINUX_H
#define COMMON_NARROW_LINUX_H

#include "narrow.h"

/*
 * Sanitizers and gcov start programs, trace and write files: a build with them
 * has holes for them, and is not for use.
 */
#ifndef NARROW_INSTRUMENTED
#define NARROW_INSTRUMENTED 0
#endif

/* 0 where errno says that this is not to be had here, else -errno. */
int narrow_lacks(int errnum);

/* Give up that a program which is started has more rights: 0 or -errno. */
int narrow_no_new_privileges(void);

#endif
