/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_TRACER_H
#define STLS_TEST_TRACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/types.h>

/* A program and its threads, stopped at their system calls by ptrace(2). */

#define TRACER_KILLED 99
#define TRACER_IMPOSSIBLE 98

struct tracer {
	/* A call is about to be made, or has been. False: kill the program. */
	bool (*at_call)(pid_t pid, const struct __ptrace_syscall_info *info);
	/*
	 * How a thread goes on: by PTRACE_SYSCALL it stops at its calls, by
	 * PTRACE_CONT it does not, and for 0 it waits for at_clone(), which may
	 * come after its first stop. NULL: all stop at their calls.
	 */
	int (*goes_on_by)(pid_t pid);
	/*
	 * A thread has begun another one, the first one itself, or has ended;
	 * NULL: never mind. The first of them goes with goes_on_by().
	 */
	void (*at_clone)(pid_t pid, pid_t begun);
	void (*at_end)(pid_t pid);
	/*
	 * Both or none: in the process before it is the program, set a filter
	 * of seccomp(2); and that filter has stopped this thread.
	 */
	bool (*prepare)(void);
	void (*at_filter)(pid_t pid);
};

/*
 * Run it to its end. Returns its status, 128 and the signal that ended it, or
 * one of the above: here it cannot be done, or at_call() would not go on.
 */
int tracer_run(char *const *argv, const struct tracer *tracer);

/* From its memory; how much of it there is. */
size_t tracer_read(pid_t pid, uint64_t address, void *out, size_t len);

/* A text, cut where there is no more place; "": there is none. */
void tracer_read_text(pid_t pid, uint64_t address, char *out, size_t cap);

/* What a descriptor is, likewise. */
void tracer_read_link(pid_t pid, int fd, char *out, size_t cap);

#endif
