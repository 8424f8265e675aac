/* SPDX-License-Identifier: MIT */
/*
 * Run a program and tell what it took. Not by the script itself: what the
 * kernel calls the peak of a process begins with that of its parent.
 *
 * usage: launch RESULT PROGRAM [ARGUMENT ...]
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "options.h"

static double
seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int
main(int argc, char **argv)
{
	struct rusage usage;
	double begin = bench_now(), wall;
	int status;
	pid_t pid;
	FILE *f;

	if (argc < 3)
		bench_fail("launch", "usage: launch RESULT PROGRAM ...");
	pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		bench_fail(argv[2], "cannot be run");
	wall = bench_now() - begin;
	f = fopen(argv[1], "we");
	if (f == NULL)
		bench_fail(argv[1], "cannot be written");
	fprintf(f, "{\"wall\": %.6f, \"cpu\": %.6f, \"rss\": %ld}\n", wall,
	    seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss);
	fclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}
