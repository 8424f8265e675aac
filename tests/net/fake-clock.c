/* SPDX-License-Identifier: MIT */
#include "net/fake-clock.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <time.h>

/* How much later it is than it is; or the time stands still but for that. */
static int64_t skipped_ms;
static bool stands;
static struct timespec stands_at;

int fake_clock_gettime(clockid_t clock, struct timespec *out) __asm__(
    "clock_gettime");

int
fake_clock_gettime(clockid_t clock, struct timespec *out)
{
	int (*real)(clockid_t, struct timespec *);
	int r;

	*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	r = stands ? 0 : real(clock, out);
	if (stands)
		*out = stands_at;
	out->tv_sec += (time_t)(skipped_ms / 1000);
	out->tv_nsec += (long)(skipped_ms % 1000) * 1000000;
	if (out->tv_nsec >= 1000000000) {
		out->tv_nsec -= 1000000000;
		out->tv_sec++;
	}
	return r;
}

void
fake_clock_stop(void)
{
	clock_gettime(CLOCK_MONOTONIC, &stands_at);
	stands = true;
	skipped_ms = 0;
}

void
fake_clock_skip(int64_t ms)
{
	skipped_ms += ms;
}
