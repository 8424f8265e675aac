/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_FAIL_REGISTERS_H
#define STLS_TEST_FAIL_REGISTERS_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

/*
 * What a tracer changes about a system call, on the machines where it is
 * known how. False: here it is not.
 */

#if defined(__x86_64__)

static inline bool
fail_poke(pid_t pid, size_t offset, unsigned long value)
{
	return ptrace(PTRACE_POKEUSER, pid, offset, value) == 0;
}

/* Before it is made: no call. */
static inline bool
fail_skip_call(pid_t pid)
{
	return fail_poke(
	    pid, offsetof(struct user, regs.orig_rax), (unsigned long)-1);
}

/* Before it is made: its third argument. */
static inline bool
fail_set_length(pid_t pid, unsigned long len)
{
	return fail_poke(pid, offsetof(struct user, regs.rdx), len);
}

/* When it comes back. */
static inline bool
fail_set_result(pid_t pid, int errnum)
{
	return fail_poke(
	    pid, offsetof(struct user, regs.rax), (unsigned long)-(long)errnum);
}

#elif defined(__aarch64__)

static inline bool
fail_skip_call(pid_t pid)
{
	int none = -1;
	struct iovec iov = { &none, sizeof(none) };

	/* NT_ARM_SYSTEM_CALL, which older headers do not have. */
	return ptrace(PTRACE_SETREGSET, pid, 0x404, &iov) == 0;
}

static inline bool
fail_set_register(pid_t pid, int n, unsigned long long value)
{
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov) != 0)
		return false;
	regs.regs[n] = value;
	return ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &iov) == 0;
}

static inline bool
fail_set_length(pid_t pid, unsigned long len)
{
	return fail_set_register(pid, 2, len);
}

static inline bool
fail_set_result(pid_t pid, int errnum)
{
	return fail_set_register(
	    pid, 0, (unsigned long long)-(long long)errnum);
}

#else

static inline bool
fail_skip_call(pid_t pid)
{
	(void)pid;
	return false;
}

static inline bool
fail_set_length(pid_t pid, unsigned long len)
{
	(void)pid;
	(void)len;
	return false;
}

static inline bool
fail_set_result(pid_t pid, int errnum)
{
	(void)pid;
	(void)errnum;
	return false;
}

#endif

#endif
