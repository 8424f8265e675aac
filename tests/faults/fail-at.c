/* SPDX-License-Identifier: MIT */
/*
 * Run a program and have its n-th system call fail.
 *
 * usage: fail-at MODE AT VARIANT REPORT PROGRAM [ARGUMENT ...]
 *
 * Calls are counted from an umask(2) up to the next one, which is how a thread
 * says that it, and whatever threads it begins, may fail. Only then is each
 * call looked at: up to there the kernel stops for umask(2) alone. A process
 * that the program begins is not traced, and has no umask(2).
 *
 * AT is the number of a call; which of the errors that this call may have is
 * VARIANT, counted in a circle. MODE is
 *
 *   once   that call alone fails
 *   on     and all of that name which come after it
 *   short  every read and write does a single octet; AT and VARIANT are 0
 *   eintr  every second call that may be interrupted is, the same
 *
 * REPORT is a file that gets a line where something was done: the name of the
 * call, the error, how many errors that call may have, and what the call was
 * about, if that is a file. The status is that of the program, 128 and the
 * signal where one ended it, 98 where this cannot be done here, and 97 where it
 * went wrong on the way.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fail-calls.h"
#include "fail-registers.h"
#include "tracer.h"

#define BROKEN 97
#define THREADS_MAX 64
#define CALLS_MAX 1024

enum mode {
	ONCE,
	ON,
	SHORT,
	INTERRUPTED
};

/* What has to be done when the call of a thread comes back. */
struct thread {
	pid_t pid;
	bool is_known; /* at_clone() has told of it */
	bool may_fail;
	int errnum; /* 0: nothing */
	bool has_short;
	uint64_t msg; /* of a sendmsg that was made short: where it is, */
	struct msghdr whole; /* and what it was */
	struct iovec first;
};

static struct {
	enum mode mode;
	unsigned long at, variant;
	const char *report;

	bool is_reported;
	unsigned long count;
	unsigned int counts[CALLS_MAX];	 /* of each number */
	const struct fail_call *failing; /* with ON: since it has failed */
	int errnum;			 /* and how */
	struct thread threads[THREADS_MAX];
} state;

static struct thread *
thread_of(pid_t pid)
{
	struct thread *free_one = NULL;
	int i;

	for (i = 0; i < THREADS_MAX; i++) {
		if (state.threads[i].pid == pid)
			return &state.threads[i];
		if (state.threads[i].pid == 0 && free_one == NULL)
			free_one = &state.threads[i];
	}
	if (free_one == NULL)
		exit(BROKEN);
	free_one->pid = pid;
	return free_one;
}

static bool
copy_from(pid_t pid, uint64_t address, void *out, size_t len)
{
	return tracer_read(pid, address, out, len) == len;
}

static void
copy_to(pid_t pid, uint64_t address, const void *data, size_t len)
{
	struct iovec from = { (void *)(uintptr_t)data, len };
	struct iovec to = { (void *)(uintptr_t)address, len };

	(void)process_vm_writev(pid, &from, 1, &to, 1, 0);
}

/* What its descriptor, or its name, is. */
static void
name_object(pid_t pid, const struct fail_call *call, const uint64_t *args,
    char *out, size_t cap)
{
	out[0] = '\0';
	if (call->name_at >= 0)
		tracer_read_text(pid, args[call->name_at], out, cap);
	if (out[0] == '\0' && call->has_fd)
		tracer_read_link(pid, (int)args[0], out, cap);
}

static void
report(
    pid_t pid, const struct fail_call *call, const uint64_t *args, int errnum)
{
	char object[1024];
	FILE *file;

	name_object(pid, call, args, object, sizeof(object));
	state.is_reported = true;
	file = fopen(state.report, "we");
	if (file == NULL)
		exit(BROKEN);
	fprintf(file, "%s %d %zu %s\n", call->name, errnum,
	    fail_call_errors(call), object);
	if (fclose(file) != 0)
		exit(BROKEN);
}

/*
 * A descriptor is gone whatever close(2) says, and connect(2) goes on in the
 * background.
 */
static bool
is_done_anyway(const struct fail_call *call, int errnum)
{
	return call->number == SYS_close ||
	    (call->number == SYS_connect && errnum == EINTR);
}

/* The call will not be made, or be made and be said to have failed. */
static void
fail(struct thread *thread, const struct fail_call *call, const uint64_t *args,
    int errnum)
{
	if (!state.is_reported)
		report(thread->pid, call, args, errnum);
	thread->errnum = errnum;
	if (!is_done_anyway(call, errnum) && !fail_skip_call(thread->pid))
		exit(BROKEN);
}

static void
shorten_msg(struct thread *thread, uint64_t address)
{
	struct msghdr msg;
	struct iovec first;
	size_t one = 1;

	if (!copy_from(thread->pid, address, &msg, sizeof(msg)) ||
	    msg.msg_iovlen == 0 ||
	    !copy_from(
		thread->pid, (uintptr_t)msg.msg_iov, &first, sizeof(first)) ||
	    first.iov_len == 0)
		return;
	thread->msg = address;
	thread->whole = msg;
	thread->first = first;
	msg.msg_iovlen = one;
	first.iov_len = one;
	copy_to(thread->pid, address, &msg, sizeof(msg));
	copy_to(thread->pid, (uintptr_t)msg.msg_iov, &first, sizeof(first));
	thread->has_short = true;
}

static void
restore_msg(struct thread *thread)
{
	copy_to(thread->pid, (uintptr_t)thread->whole.msg_iov, &thread->first,
	    sizeof(thread->first));
	copy_to(
	    thread->pid, thread->msg, &thread->whole, sizeof(thread->whole));
	thread->has_short = false;
}

static void
make_short(
    struct thread *thread, const struct fail_call *call, const uint64_t *args)
{
	if (call->number == SYS_sendmsg)
		shorten_msg(thread, args[1]);
	else if (call->has_length && args[2] > 1 &&
	    !fail_set_length(thread->pid, 1))
		exit(BROKEN);
	else if (!call->has_length || args[2] <= 1)
		return;
	if (!state.is_reported)
		report(thread->pid, call, args, 0);
}

/* What does not wait is not interrupted. */
static bool
never_waits(const struct fail_call *call, const uint64_t *args)
{
#ifdef SYS_poll
	if (call->number == SYS_poll)
		return args[2] == 0;
#endif
	return call->number == SYS_wait4 && args[2] != 0;
}

/*
 * Every second call of a name, so that whoever tries again gets on; but not
 * libc when it reads its own files, which gives up.
 */
static void
interrupt(
    struct thread *thread, const struct fail_call *call, const uint64_t *args)
{
	char object[1024];

	if (!fail_call_has(call, EINTR) || never_waits(call, args))
		return;
	name_object(thread->pid, call, args, object, sizeof(object));
	if (strncmp(object, "/etc/", 5) == 0 ||
	    strncmp(object, "/usr/share/", 11) == 0)
		return;
	if (state.counts[call->number % CALLS_MAX]++ % 2 == 0)
		fail(thread, call, args, EINTR);
}

/* Who is interrupted for ever tries for ever. */
static void
fail_first(
    struct thread *thread, const struct fail_call *call, const uint64_t *args)
{
	int errnum = fail_call_error(
	    call, state.variant % fail_call_errors(call));

	if (state.mode == ON && errnum == EINTR)
		errnum = fail_call_error(call, 0);
	fail(thread, call, args, errnum);
	if (state.mode == ON && errnum != EINTR) {
		state.failing = call;
		state.errnum = errnum;
	}
}

static void
enter(struct thread *thread, const struct fail_call *call, const uint64_t *args)
{
	state.count++;
	if (state.mode == SHORT) {
		make_short(thread, call, args);
	} else if (state.mode == INTERRUPTED) {
		interrupt(thread, call, args);
	} else if (state.failing != NULL) {
		if (call == state.failing)
			fail(thread, call, args, state.errnum);
	} else if (state.count == state.at) {
		fail_first(thread, call, args);
	}
}

static void
leave(struct thread *thread)
{
	if (thread->errnum != 0 &&
	    !fail_set_result(thread->pid, thread->errnum))
		exit(BROKEN);
	thread->errnum = 0;
	if (thread->has_short)
		restore_msg(thread);
}

static bool
at_call(pid_t pid, const struct __ptrace_syscall_info *info)
{
	struct thread *thread = thread_of(pid);
	const struct fail_call *call;

	if (info->op == PTRACE_SYSCALL_INFO_EXIT)
		leave(thread);
	if (info->op != PTRACE_SYSCALL_INFO_ENTRY)
		return true;
	call = fail_call_find((long)info->entry.nr);
	if (thread->may_fail && call != NULL)
		enter(thread, call, (const uint64_t *)info->entry.args);
	return true;
}

static int
goes_on_by(pid_t pid)
{
	const struct thread *thread = thread_of(pid);

	if (!thread->is_known)
		return 0;
	return thread->may_fail ? PTRACE_SYSCALL : PTRACE_CONT;
}

/* A thread is as the one that began it. */
static void
at_clone(pid_t pid, pid_t begun)
{
	struct thread *thread = thread_of(begun);

	thread->may_fail = thread_of(pid)->may_fail;
	thread->is_known = true;
}

static void
at_end(pid_t pid)
{
	memset(thread_of(pid), 0, sizeof(struct thread));
}

static void
at_umask(pid_t pid)
{
	struct thread *thread = thread_of(pid);

	thread->may_fail = !thread->may_fail;
}

/* Have the kernel stop this process for umask(2), and for nothing else. */
static bool
stop_for_umask(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_umask, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

static bool
parse_mode(const char *name)
{
	static const char *const names[] = { "once", "on", "short", "eintr" };
	int i;

	for (i = 0; i < 4; i++) {
		if (strcmp(name, names[i]) == 0) {
			state.mode = (enum mode)i;
			return true;
		}
	}
	return false;
}

int
main(int argc, char **argv)
{
	const struct tracer tracer = {
		.at_call = at_call,
		.goes_on_by = goes_on_by,
		.at_clone = at_clone,
		.at_end = at_end,
		.prepare = stop_for_umask,
		.at_filter = at_umask,
	};

	if (argc < 6 || !parse_mode(argv[1]))
		return 64;
	state.at = strtoul(argv[2], NULL, 10);
	state.variant = strtoul(argv[3], NULL, 10);
	state.report = argv[4];
	return tracer_run(argv + 5, &tracer);
}
