/* SPDX-License-Identifier: MIT */
/* Write the cases of the strict profile into files, for another judge. */
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "factory.h"
#include "strict.h"

static const char *folder;

static void
write_text(const char *name, const char *suffix, const char *text)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.%s", folder, name, suffix);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* name.ca, name.pem (the chain), name.key; a line for each on standard output. */
static void
write_case(const struct strict_case *one, bool good)
{
	struct scene *scene = strict_scene_new(one, good);
	struct factory *factory = scene->factory;
	char name[128];

	snprintf(name, sizeof(name), "%s-%s", one->name, good ? "good" : "bad");
	write_text(name, "ca", factory_pem(factory, scene->anchor, NULL, NULL));
	write_text(name, "pem",
	    factory_pem(
		factory, scene->chain[0], scene->chain[1], scene->chain[2]));
	write_text(name, "key", factory_key_pem(factory, scene->chain[0]));
	printf("%s %s %d %d\n", name, scene->host,
	    good || (one->flags & STRICT_FINE) != 0,
	    (one->flags & STRICT_EXTRA) != 0);
	strict_scene_free(scene);
}

/* Check takes its assertions from a test only. */
START_TEST(write_all)
{
	size_t i;

	for (i = 0; i < strict_case_count(); i++) {
		write_case(strict_case_at(i), true);
		write_case(strict_case_at(i), false);
	}
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("strict-write");
	TCase *tc = tcase_create("strict-write");
	SRunner *runner;
	int failed;

	if (argc != 2)
		return 2;
	folder = argv[1];
	tcase_add_test(tc, write_all);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
