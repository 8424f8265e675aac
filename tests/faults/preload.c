/* SPDX-License-Identifier: MIT */
/*
 * To be loaded in front of libc: memory runs out for a whole process, and its
 * clocks jump.
 *
 * FAIL_MALLOC is "once" or "on", a blank, and which allocation fails, counted
 * from when the first umask(2) was made, whoever wants it: program, library,
 * GnuTLS, libc. FAIL_REPORT gets a line when that happened. CLOCK_JUMP is by
 * how many seconds the wall clock jumps, and the next time back, at every
 * CLOCK_EVERY-th time that it is asked.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static atomic_long at; /* 0: nothing fails */
static bool goes_on;
static atomic_bool is_up;

static void
report(void)
{
	static const char line[] = "malloc 12 1\n";
	const char *path = getenv("FAIL_REPORT");
	int fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)
			      : -1;

	if (fd < 0)
		return;
	(void)!write(fd, line, sizeof(line) - 1);
	close(fd);
}

static bool
must_fail(void)
{
	long n;

	if (!atomic_load(&is_up) || atomic_load(&at) == 0)
		return false;
	n = atomic_fetch_sub(&at, 1);
	if (n > 1)
		return false;
	if (n == 1)
		report();
	if (!goes_on && n < 1)
		return false;
	/* 0 would turn it off. */
	if (goes_on)
		atomic_store(&at, -1);
	errno = ENOMEM;
	return true;
}

/* glibc's own, so that nothing has to be looked up to allocate. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *ptr, size_t size);

void *
malloc(size_t size)
{
	return must_fail() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	return must_fail() ? NULL : __libc_calloc(count, size);
}

void *
realloc(void *ptr, size_t size)
{
	return must_fail() ? NULL : __libc_realloc(ptr, size);
}

static void
begin(void)
{
	const char *which = getenv("FAIL_MALLOC");
	const char *blank = which != NULL ? strchr(which, ' ') : NULL;

	if (blank == NULL)
		return;
	goes_on = strncmp(which, "on ", 3) == 0;
	atomic_store(&at, strtol(blank + 1, NULL, 10));
}

mode_t
umask(mode_t mask)
{
	mode_t (*real)(mode_t);

	*(void **)&real = dlsym(RTLD_NEXT, "umask");
	if (!atomic_load(&is_up)) {
		begin();
		atomic_store(&is_up, true);
	}
	return real(mask);
}

/* By how much the wall clock is wrong now. */
static long
jump(void)
{
	static atomic_long asked;
	const char *by = getenv("CLOCK_JUMP"), *every = getenv("CLOCK_EVERY");
	long n;

	if (by == NULL || every == NULL || strtol(every, NULL, 10) <= 0)
		return 0;
	n = atomic_fetch_add(&asked, 1) / strtol(every, NULL, 10);
	return n % 2 != 0 ? strtol(by, NULL, 10) : 0;
}

int
clock_gettime(clockid_t id, struct timespec *now)
{
	int (*real)(clockid_t, struct timespec *);
	int r;

	*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	r = real(id, now);
	if (r == 0 && id == CLOCK_REALTIME)
		now->tv_sec += jump();
	return r;
}

time_t
time(time_t *out)
{
	struct timespec now = { 0, 0 };

	clock_gettime(CLOCK_REALTIME, &now);
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}

int
gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec exact = { 0, 0 };

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &exact);
	now->tv_sec = exact.tv_sec;
	now->tv_usec = exact.tv_nsec / 1000;
	return 0;
}
