/* SPDX-License-Identifier: MIT */
/*
 * Run a program and kill it at the n-th of its system calls that touch a file
 * or the network, right before the call; or write down all of them.
 *
 * usage: crash-at N TRACE PROGRAM [ARGUMENT ...]
 *
 * N is 0 to let it end. TRACE is a file, or "-" for none: a call in a line,
 * with what its descriptors are, and in hexadecimal what it writes. The status
 * is 99 where the program was killed, 98 where this cannot be done here, else
 * its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILLED 99
#define IMPOSSIBLE 98

/* What a line of the trace shows of each argument. */
static const struct call {
	long number;
	const char *name;
	/* d: descriptor, s: string, b: bytes, their length next, n: number */
	const char *arguments;
} calls[] = {
#ifdef SYS_open
	{ SYS_open, "open", "sn" },
#endif
#ifdef SYS_mkdir
	{ SYS_mkdir, "mkdir", "sn" },
#endif
#ifdef SYS_rename
	{ SYS_rename, "rename", "ss" },
#endif
#ifdef SYS_renameat
	{ SYS_renameat, "renameat", "dsds" },
#endif
#ifdef SYS_unlink
	{ SYS_unlink, "unlink", "s" },
#endif
	{ SYS_openat, "openat", "dsn" },
	{ SYS_mkdirat, "mkdirat", "dsn" },
	{ SYS_renameat2, "renameat2", "dsds" },
	{ SYS_unlinkat, "unlinkat", "ds" },
	{ SYS_write, "write", "db" },
	{ SYS_pwrite64, "pwrite", "dbnn" },
	{ SYS_fsync, "fsync", "d" },
	{ SYS_fdatasync, "fdatasync", "d" },
	{ SYS_ftruncate, "ftruncate", "dn" },
	{ SYS_flock, "flock", "dn" },
	{ SYS_close, "close", "d" },
	{ SYS_utimensat, "utimensat", "ds" },
	{ SYS_connect, "connect", "d" },
	{ SYS_sendto, "sendto", "d" },
	{ SYS_sendmsg, "sendmsg", "d" },
	{ SYS_recvfrom, "recvfrom", "d" },
	{ SYS_recvmsg, "recvmsg", "d" },
	{ SYS_shutdown, "shutdown", "d" },
	{ SYS_exit_group, "exit_group", "n" },
};

static const struct call *
find_call(unsigned long long number)
{
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if ((unsigned long long)calls[i].number == number)
			return &calls[i];
	}
	return NULL;
}

static size_t
peek(pid_t pid, unsigned long long address, void *out, size_t len)
{
	struct iovec to = { out, len };
	struct iovec from = { (void *)(uintptr_t)address, len };
	ssize_t n = process_vm_readv(pid, &to, 1, &from, 1, 0);

	return n > 0 ? (size_t)n : 0;
}

static void
show_descriptor(FILE *trace, pid_t pid, int fd)
{
	char link[64], path[4096];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%ld/fd/%d", (long)pid, fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	fprintf(trace, "\t%s", path);
}

static void
show_string(FILE *trace, pid_t pid, unsigned long long address)
{
	char text[4096];
	size_t n = 0;

	/* One by one: the page behind the end may not be there. */
	while (n < sizeof(text) - 1 &&
	    peek(pid, address + n, text + n, 1) == 1 && text[n] != '\0')
		n++;
	text[n] = '\0';
	fprintf(trace, "\t%s", text);
}

static void
show_bytes(
    FILE *trace, pid_t pid, unsigned long long address, unsigned long long len)
{
	static unsigned char bytes[1 << 20];
	size_t n = len < sizeof(bytes) ? (size_t)len : sizeof(bytes), i;

	n = peek(pid, address, bytes, n);
	fputc('\t', trace);
	for (i = 0; i < n; i++)
		fprintf(trace, "%02x", bytes[i]);
}

static void
show(FILE *trace, pid_t pid, const struct call *call, const uint64_t *arguments)
{
	const char *kind;

	fputs(call->name, trace);
	for (kind = call->arguments; *kind != '\0'; kind++, arguments++) {
		if (*kind == 'd')
			show_descriptor(trace, pid, (int)arguments[0]);
		else if (*kind == 's')
			show_string(trace, pid, arguments[0]);
		else if (*kind == 'b')
			show_bytes(trace, pid, arguments[0], arguments[1]);
		else
			fprintf(trace, "\t%lld", (long long)arguments[0]);
	}
	fputc('\n', trace);
}

/* A call is about to be made: whether this is where it ends. */
static bool
enter(pid_t pid, unsigned long at, unsigned long *count, FILE *trace)
{
	struct __ptrace_syscall_info info;
	const struct call *call;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return false;
	call = find_call(info.entry.nr);
	if (call == NULL)
		return false;
	if (++*count == at)
		return true;
	if (trace != NULL)
		show(trace, pid, call, (const uint64_t *)info.entry.args);
	return false;
}

/*
 * The program keeps its memory from whoever is not root: be it, in a namespace
 * in which there is nobody else. Where that is not allowed there is no trace.
 */
static bool
become_root_of_nobody(void)
{
	const long uid = getuid(), gid = getgid();
	const char *const files[] = { "setgroups", "uid_map", "gid_map" };
	char path[64], text[64];
	size_t i;
	int fd;

	if (uid == 0)
		return true;
	if (unshare(CLONE_NEWUSER) < 0)
		return false;
	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "/proc/self/%s", files[i]);
		if (i == 0)
			snprintf(text, sizeof(text), "deny");
		else
			snprintf(
			    text, sizeof(text), "0 %ld 1", i == 1 ? uid : gid);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, text, strlen(text)) < 0)
			return false;
		close(fd);
	}
	return true;
}

static int
watch(pid_t pid, unsigned long at, FILE *trace)
{
	unsigned long count = 0;
	int status, signo;
	pid_t who;

	for (;;) {
		who = waitpid(-1, &status, __WALL);
		if (who < 0)
			return IMPOSSIBLE;
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (who != pid)
				continue;
			return WIFEXITED(status) ? WEXITSTATUS(status)
						 : 128 + WTERMSIG(status);
		}
		signo = WSTOPSIG(status);
		if (signo == (SIGTRAP | 0x80)) {
			if (enter(who, at, &count, trace)) {
				kill(pid, SIGKILL);
				waitpid(pid, &status, __WALL);
				return KILLED;
			}
			signo = 0;
		} else if (signo == SIGTRAP || signo == SIGSTOP) {
			signo = 0;
		}
		ptrace(PTRACE_SYSCALL, who, 0, signo);
	}
}

int
main(int argc, char **argv)
{
	FILE *trace = NULL;
	int status;
	pid_t pid;

	if (argc < 4)
		return 64;
	if (strcmp(argv[2], "-") != 0 && (trace = fopen(argv[2], "we")) == NULL)
		return 73;
	if (!become_root_of_nobody() && trace != NULL)
		return IMPOSSIBLE;
	pid = fork();
	if (pid < 0)
		return 71;
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0)
			_exit(IMPOSSIBLE);
		raise(SIGSTOP);
		execv(argv[3], argv + 3);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, pid, 0,
		PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE |
		    PTRACE_O_EXITKILL) < 0)
		return IMPOSSIBLE;
	ptrace(PTRACE_SYSCALL, pid, 0, 0);
	status = watch(pid, strtoul(argv[1], NULL, 10), trace);
	if (trace != NULL && fclose(trace) != 0)
		return 73;
	return status;
}
