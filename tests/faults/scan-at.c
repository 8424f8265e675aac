/* SPDX-License-Identifier: MIT */
/*
 * Run a program and look for secrets in its memory: whenever it sends, and when
 * it has done everything and ends.
 *
 * usage: scan-at SECRETS REPORT PROGRAM [ARGUMENT ...]
 *
 * SECRETS is a file with a text to look for in each line. REPORT gets how
 * often they were there at most while it was sending, and how often at the end.
 * The status is that of the program, and 98 where this cannot be done here.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tracer.h"

#define SECRETS_MAX 16
#define LINE_CAP 256

static struct {
	char secrets[SECRETS_MAX][LINE_CAP];
	size_t count;
	long while_sending, at_end;
} state;

static bool
load_secrets(const char *path)
{
	FILE *file = fopen(path, "re");
	char *line;

	while (file != NULL && state.count < SECRETS_MAX &&
	    fgets(state.secrets[state.count], LINE_CAP, file) != NULL) {
		line = state.secrets[state.count];
		line[strcspn(line, "\n")] = '\0';
		state.count += line[0] != '\0';
	}
	if (file != NULL)
		fclose(file);
	return state.count > 0;
}

static long
count_in(const char *data, size_t len)
{
	const char *found;
	long count = 0;
	size_t i, at;

	for (i = 0; i < state.count; i++) {
		for (at = 0;
		     (found = memmem(data + at, len - at, state.secrets[i],
			  strlen(state.secrets[i]))) != NULL;
		     at = (size_t)(found - data) + 1)
			count++;
	}
	return count;
}

static long
count_in_area(int mem, unsigned long start, unsigned long end)
{
	size_t len = end - start;
	char *data = malloc(len);
	ssize_t n;
	long count = 0;

	if (data == NULL)
		exit(TRACER_IMPOSSIBLE);
	n = pread(mem, data, len, (off_t)start);
	if (n > 0)
		count = count_in(data, (size_t)n);
	free(data);
	return count;
}

/* Only what it can write to can have it. */
static long
count_in_process(pid_t pid)
{
	unsigned long start, end;
	char path[64], line[1024], rights[8];
	FILE *maps;
	long count = 0;
	int mem;

	snprintf(path, sizeof(path), "/proc/%ld/mem", (long)pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%ld/maps", (long)pid);
	maps = fopen(path, "re");
	if (mem < 0 || maps == NULL)
		exit(TRACER_IMPOSSIBLE);
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx %7s", &start, &end, rights) == 3 &&
		    rights[0] == 'r' && rights[1] == 'w')
			count += count_in_area(mem, start, end);
	}
	fclose(maps);
	close(mem);
	return count;
}

static bool
at_call(pid_t pid, const struct __ptrace_syscall_info *info)
{
	long count;

	if (info->op != PTRACE_SYSCALL_INFO_ENTRY)
		return true;
	if (info->entry.nr == SYS_sendmsg || info->entry.nr == SYS_sendto) {
		count = count_in_process(pid);
		if (count > state.while_sending)
			state.while_sending = count;
	} else if (info->entry.nr == SYS_exit_group) {
		state.at_end = count_in_process(pid);
	}
	return true;
}

int
main(int argc, char **argv)
{
	const struct tracer tracer = { .at_call = at_call };
	FILE *report;
	int status;

	if (argc < 4 || !load_secrets(argv[1]))
		return 64;
	status = tracer_run(argv + 3, &tracer);
	report = fopen(argv[2], "we");
	if (report == NULL ||
	    fprintf(report, "%ld %ld\n", state.while_sending, state.at_end) <
		0 ||
	    fclose(report) != 0)
		return TRACER_IMPOSSIBLE;
	return status;
}
