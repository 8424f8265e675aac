/* SPDX-License-Identifier: MIT */
/*
 * What a life with the library leaves of the process that it is in: nothing was
 * printed, no signal is handled otherwise, and no file was opened that was not
 * given. tests/abi/imports.py says what it cannot even call.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "client/talk.h"
#include "faults/life.h"

#define SIGNALS 65

static int opened, opened_uninvited;

static void
note_open(const char *path)
{
	const char *given;

	/* What counts lines writes that down behind the test. */
	if (world.factory == NULL)
		return;
	given = factory_dir(world.factory);
	opened++;
	if (strncmp(path, given, strlen(given)) != 0)
		opened_uninvited++;
}

/* The linker has the library call the second, and us the first. */
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

int
__wrap_open(const char *path, int flags, ...)
{
	note_open(path);
	return __real_open(path, flags);
}

#ifdef HAS_OPEN64
int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);

int
__wrap_open64(const char *path, int flags, ...)
{
	note_open(path);
	return __real_open64(path, flags);
}
#endif

/* What is done about a signal, and whether it is blocked. */
struct manners {
	void (*handler[SIGNALS])(int);
	int flags[SIGNALS];
	int is_blocked[SIGNALS];
};

static void
look(struct manners *out)
{
	struct sigaction action;
	sigset_t mask;
	int i;

	memset(out, 0, sizeof(*out));
	ck_assert_ok(pthread_sigmask(SIG_SETMASK, NULL, &mask));
	for (i = 1; i < SIGNALS; i++) {
		if (sigaction(i, NULL, &action) < 0)
			continue;
		out->handler[i] = action.sa_handler;
		out->flags[i] = action.sa_flags;
		out->is_blocked[i] = sigismember(&mask, i);
	}
}

/* Standard output and error become a file; returns what they were. */
static int
divert(const char *path)
{
	int fd = creat(path, 0600), before = dup(STDERR_FILENO);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(before, 0);
	fflush(NULL);
	ck_assert_int_ge(dup2(fd, STDOUT_FILENO), 0);
	ck_assert_int_ge(dup2(fd, STDERR_FILENO), 0);
	close(fd);
	return before;
}

static void
take_back(int before)
{
	fflush(NULL);
	ck_assert_int_ge(dup2(before, STDOUT_FILENO), 0);
	ck_assert_int_ge(dup2(before, STDERR_FILENO), 0);
	close(before);
}

/* How the allocations fail; there are more than a thousand. */
static const unsigned long faults[] = { 0, 100, 700 };

START_TEST(library_is_a_quiet_guest)
{
	const char *path = factory_file(world.factory, "said", "");
	struct life life = { .server = NULL };
	struct manners before, after;
	struct stat st;
	int terminal;

	look(&before);
	life_begin(&life, MODE(_i));
	life.by_name = faults[ROW(_i)] == 0;
	terminal = divert(path);
	if (faults[ROW(_i)] > 0)
		stls_alloc_fail_at(faults[ROW(_i)]);
	life_run(&life);
	(void)life_give_up(&life);
	stls_alloc_fail_at(0);
	take_back(terminal);
	look(&after);
	if (faults[ROW(_i)] == 0)
		ck_assert_msg(life.result == SMTPTLS_OK, "%d: %s", life.result,
		    life.text);
	life_end(&life);

	ck_assert_ok(stat(path, &st));
	ck_assert_int_eq(st.st_size, 0);
	ck_assert_int_gt(opened, 0);
	ck_assert_int_eq(opened_uninvited, 0);
	ck_assert_mem_eq(&before, &after, sizeof(before));
}
END_TEST

static void
setup(void)
{
	talk_world_setup();
	life_world_setup();
}

static void
teardown(void)
{
	life_world_teardown();
	talk_world_teardown();
}

int
main(void)
{
	Suite *suite = suite_create("manners");
	TCase *tc = tcase_create("manners");

	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, setup, teardown);
	add_rows_in_modes(tc, library_is_a_quiet_guest, faults);
	suite_add_tcase(suite, tc);
	return talk_run(suite);
}
