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
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "faults/tracer.h"

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

static void
show_descriptor(FILE *trace, pid_t pid, int fd)
{
	char path[4096];

	tracer_read_link(pid, fd, path, sizeof(path));
	fprintf(trace, "\t%s", path);
}

static void
show_string(FILE *trace, pid_t pid, unsigned long long address)
{
	char text[4096];

	tracer_read_text(pid, address, text, sizeof(text));
	fprintf(trace, "\t%s", text);
}

static void
show_bytes(
    FILE *trace, pid_t pid, unsigned long long address, unsigned long long len)
{
	static unsigned char bytes[1 << 20];
	size_t n = len < sizeof(bytes) ? (size_t)len : sizeof(bytes), i;

	n = tracer_read(pid, address, bytes, n);
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

static struct {
	unsigned long at, count;
	FILE *trace;
} state;

/* It ends where the call that was asked for is about to be made. */
static bool
at_call(pid_t pid, const struct __ptrace_syscall_info *info)
{
	const struct call *call;

	if (info->op != PTRACE_SYSCALL_INFO_ENTRY)
		return true;
	call = find_call(info->entry.nr);
	if (call == NULL)
		return true;
	if (++state.count == state.at)
		return false;
	if (state.trace != NULL)
		show(
		    state.trace, pid, call, (const uint64_t *)info->entry.args);
	return true;
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

int
main(int argc, char **argv)
{
	const struct tracer tracer = { .at_call = at_call };
	int status;

	if (argc < 4)
		return 64;
	state.at = strtoul(argv[1], NULL, 10);
	if (strcmp(argv[2], "-") != 0) {
		state.trace = fopen(argv[2], "we");
		if (state.trace == NULL)
			return 73;
	}
	if (!become_root_of_nobody() && state.trace != NULL)
		return TRACER_IMPOSSIBLE;
	status = tracer_run(argv + 3, &tracer);
	if (state.trace != NULL && fclose(state.trace) != 0)
		return 73;
	return status;
}
