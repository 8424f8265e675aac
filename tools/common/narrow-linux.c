/* SPDX-License-Identifier: MIT */
#include "narrow-linux.h"

#include <errno.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/seccomp.h>

/* Linux 6.3, and 6.6 for the second: headers may be older than the kernel. */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN (1UL << 0)
#endif
#ifndef PR_MDWE_NO_INHERIT
#define PR_MDWE_NO_INHERIT (1UL << 1)
#endif

int
narrow_lacks(int errnum)
{
	switch (errnum) {
	case ENOSYS:
	case EINVAL:
	case EPERM:
	case EOPNOTSUPP:
		return 0;
	default:
		return -errnum;
	}
}

int
narrow_no_new_privileges(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/*
 * A limit of 0 is not looked at where core dumps go to a program; the flag is,
 * and it is what keeps others of the same user out.
 */
static int
forbid_core_dumps(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return -errno;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0;
}

/* Valgrind writes what it executes, and has no such call, as of 3.19. */
static bool
is_translated(void)
{
	const uint32_t action = SECCOMP_RET_ALLOW;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0u, &action) < 0;
}

/* Only for this process: a password manager may compile while it runs. */
static int
forbid_gaining_exec(void)
{
	if (is_translated())
		return 0;
	return prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN | PR_MDWE_NO_INHERIT,
		   0, 0, 0) < 0
	    ? narrow_lacks(errno)
	    : 0;
}

int
narrow_memory(void)
{
	int r;

	r = forbid_core_dumps();
	return r == 0 ? forbid_gaining_exec() : narrow_lacks(-r);
}
