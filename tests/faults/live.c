/* SPDX-License-Identifier: MIT */
/*
 * A life for fail-at: what the library does may fail, what the server and this
 * program do may not. It is lived three times, and only the last time something
 * fails, so that what is made once is no loss.
 *
 * usage: live MODE BY_NAME
 *
 * It prints the code, what is wrong ("-": nothing) and the sentence, each in a
 * line.
 */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "client/talk.h"
#include "faults/life.h"

static int mode;
static bool by_name;

/* How much is in use; 0 where nobody can tell. */
static size_t
heap_in_use(void)
{
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
	return mallinfo2().uordblks;
#else
	return 0;
#endif
}

static const char *
live(bool may_fail, struct life *life)
{
	const char *problem;

	life_begin(life, mode);
	life->by_name = by_name;
	if (may_fail)
		umask(077);
	life_run(life);
	problem = life_give_up(life);
	if (may_fail)
		umask(077);
	if (problem == NULL)
		problem = life_judge(life);
	return problem;
}

/*
 * A name is looked up by a thread that nobody waits for: it may go on for a
 * moment when its client is gone, with descriptors and memory in use.
 */
static void
wait_for_threads(void)
{
	static const struct timespec moment = { .tv_nsec = 1000000 };
	struct stat tasks;
	int i;

	/* One link for each, and two for the folder itself. */
	for (i = 0; i < 5000 && stat("/proc/self/task", &tasks) == 0 &&
	     tasks.st_nlink > 3;
	     i++)
		nanosleep(&moment, NULL);
}

START_TEST(life_that_fails)
{
	char text[LIFE_TEXT_CAP];
	const char *problem;
	struct life life;
	size_t heap, grows;
	int result, fds;

	/* Check and the server keep a little each time, which is no matter. */
	ck_assert_ptr_null(live(false, &life));
	life_end(&life);
	wait_for_threads();
	heap = heap_in_use();
	ck_assert_ptr_null(live(false, &life));
	life_end(&life);
	wait_for_threads();
	grows = heap_in_use() - heap;
	heap += 2 * grows;
	fds = test_count_fds();

	problem = live(true, &life);
	result = life.result;
	memcpy(text, life.text, sizeof(text));
	life_end(&life);
	wait_for_threads();
	if (problem == NULL && test_count_fds() != fds)
		problem = "a descriptor is left";
	if (problem == NULL && heap_in_use() > heap)
		problem = "memory is left";
	printf("%d\n%s\n%s\n", result, problem != NULL ? problem : "-", text);
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
main(int argc, char **argv)
{
	Suite *suite = suite_create("live");
	TCase *tc = tcase_create("live");
	SRunner *runner;
	int failed;

	if (argc != 3)
		return 64;
	mode = atoi(argv[1]);
	by_name = atoi(argv[2]) != 0;
	/* Whoever ignores it would not notice. */
	signal(SIGPIPE, SIG_DFL);
	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_test(tc, life_that_fails);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
