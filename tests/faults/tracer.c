/* SPDX-License-Identifier: MIT */
#include "tracer.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* It waits for its tracer in front of the exec; -1: it cannot be traced. */
static pid_t
start(char *const *argv, const struct tracer *tracer)
{
	long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE |
	    PTRACE_O_EXITKILL;
	pid_t pid = fork();
	int status;

	if (tracer->at_filter != NULL)
		options |= PTRACE_O_TRACESECCOMP;

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0)
			_exit(TRACER_IMPOSSIBLE);
		raise(SIGSTOP);
		if (tracer->prepare != NULL && !tracer->prepare())
			_exit(TRACER_IMPOSSIBLE);
		execv(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, pid, 0, options) < 0)
		return -1;
	return pid;
}

static bool
look_at_call(pid_t pid, const struct tracer *tracer)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0)
		return true;
	return tracer->at_call(pid, &info);
}

static void
resume(pid_t pid, int signo, const struct tracer *tracer)
{
	int how = tracer->goes_on_by != NULL ? tracer->goes_on_by(pid)
					     : PTRACE_SYSCALL;

	if (how != 0)
		ptrace(how, pid, 0, signo);
}

/* The new one may be waiting for this; if not, that it goes on is an error. */
static void
look_at_clone(pid_t pid, const struct tracer *tracer)
{
	unsigned long begun;

	if (tracer->at_clone == NULL ||
	    ptrace(PTRACE_GETEVENTMSG, pid, 0, &begun) != 0)
		return;
	tracer->at_clone(pid, (pid_t)begun);
	resume((pid_t)begun, 0, tracer);
}

/* What has to be done about a stop; *out_signo is what it goes on with. */
static bool
look_at_stop(pid_t pid, int status, const struct tracer *tracer, int *out_signo)
{
	int signo = WSTOPSIG(status);

	*out_signo = 0;
	if (signo == (SIGTRAP | 0x80))
		return look_at_call(pid, tracer);
	if (status >> 8 == (SIGTRAP | PTRACE_EVENT_CLONE << 8))
		look_at_clone(pid, tracer);
	else if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
		tracer->at_filter(pid);
	else if (signo != SIGTRAP && signo != SIGSTOP)
		*out_signo = signo;
	return true;
}

int
tracer_run(char *const *argv, const struct tracer *tracer)
{
	int status, signo = 0;
	pid_t pid = start(argv, tracer), who = pid;

	if (pid < 0)
		return TRACER_IMPOSSIBLE;
	if (tracer->at_clone != NULL)
		tracer->at_clone(pid, pid);
	for (;;) {
		resume(who, signo, tracer);
		while ((who = waitpid(-1, &status, __WALL)) >= 0 &&
		    !WIFSTOPPED(status)) {
			if (tracer->at_end != NULL)
				tracer->at_end(who);
			if (who == pid)
				return WIFEXITED(status)
				    ? WEXITSTATUS(status)
				    : 128 + WTERMSIG(status);
		}
		if (who < 0)
			return TRACER_IMPOSSIBLE;
		if (!look_at_stop(who, status, tracer, &signo)) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, __WALL);
			return TRACER_KILLED;
		}
	}
}

size_t
tracer_read(pid_t pid, uint64_t address, void *out, size_t len)
{
	struct iovec to = { out, len };
	struct iovec from = { (void *)(uintptr_t)address, len };
	ssize_t n = process_vm_readv(pid, &to, 1, &from, 1, 0);

	return n > 0 ? (size_t)n : 0;
}

void
tracer_read_text(pid_t pid, uint64_t address, char *out, size_t cap)
{
	size_t n = 0;

	/* One by one: the page behind the end may not be there. */
	while (n < cap - 1 && tracer_read(pid, address + n, out + n, 1) == 1 &&
	    out[n] != '\0')
		n++;
	out[n] = '\0';
}

void
tracer_read_link(pid_t pid, int fd, char *out, size_t cap)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%ld/fd/%d", (long)pid, fd);
	n = readlink(link, out, cap - 1);
	out[n > 0 ? n : 0] = '\0';
}
