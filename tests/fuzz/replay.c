/* SPDX-License-Identifier: MIT */
/*
 * usage: replay-TARGET [--mutants N] [--only N] FILE|FOLDER ...
 *
 * Gives a target each file, and then some that are like it: the same ones each
 * time, so that what fails can be had again by the number that is told.
 */
#include "fuzz.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MUTANTS 150
#define INPUT_MAX 65536

static char where[4200];
static size_t runs;

static void
tell_where(void)
{
	ssize_t n = write(STDERR_FILENO, where, strlen(where));

	(void)n;
}

static void
on_signal(int number)
{
	tell_where();
	signal(number, SIG_DFL);
	raise(number);
}

/* Where a sanitizer is linked in it ends the process itself. */
extern void __sanitizer_set_death_callback(void (*callback)(void))
    __attribute__((weak));

static void
tell_what_fails(void)
{
	if (__sanitizer_set_death_callback != NULL)
		__sanitizer_set_death_callback(tell_where);
	else
		signal(SIGSEGV, on_signal);
	signal(SIGABRT, on_signal);
	signal(SIGALRM, on_signal);
}

static uint32_t
draw(uint32_t *state, size_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return (uint32_t)(*state % (below > 0 ? below : 1));
}

/* One change: an octet, a piece that goes, or one that comes twice. */
static void
mutate(uint32_t *state, uint8_t *data, size_t *len)
{
	static const uint8_t odd[] = "\r\n\0. <>\"\\:,;@=\x80\xff-+()";
	size_t at = draw(state, *len), n = 1 + draw(state, 16);

	if (*len == 0)
		return;
	if (n > *len - at)
		n = *len - at;
	switch (draw(state, 4)) {
	case 0:
		data[at] = (uint8_t)draw(state, 256);
		break;
	case 1:
		data[at] = odd[draw(state, sizeof(odd) - 1)];
		break;
	case 2:
		memmove(data + at, data + at + n, *len - at - n);
		*len -= n;
		break;
	default:
		if (*len + n > INPUT_MAX)
			break;
		memmove(data + at + n, data + at, *len - at);
		*len += n;
		break;
	}
}

/* Number 0 is the file itself. */
static void
run(const char *path, const uint8_t *file, size_t len, unsigned int number)
{
	uint32_t state = 2654435769u * (number + 1) + (uint32_t)len;
	static uint8_t data[INPUT_MAX];
	uint8_t *copy;
	unsigned int i;

	memcpy(data, file, len);
	for (i = 0; number > 0 && i < 1 + number % 4; i++)
		mutate(&state, data, &len);
	snprintf(where, sizeof(where), "--only %u %s\n", number, path);
	copy = fuzz_copy(data, len);
	alarm(60);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
	runs++;
}

static void
replay_file(const char *path, unsigned int first, unsigned int count)
{
	static uint8_t file[INPUT_MAX];
	FILE *stream = fopen(path, "rb");
	unsigned int i;
	size_t len;

	if (stream == NULL) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	len = fread(file, 1, sizeof(file), stream);
	if (ferror(stream) || fclose(stream) != 0) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	for (i = 0; i < count; i++)
		run(path, file, len, first + i);
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
replay(const char *path, unsigned int first, unsigned int count)
{
	struct dirent **names;
	char inner[4096];
	struct stat st;
	int i, n;

	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
		replay_file(path, first, count);
		return;
	}
	n = scandir(path, &names, is_visible, alphasort);
	if (n < 0) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	for (i = 0; i < n; i++) {
		snprintf(inner, sizeof(inner), "%s/%s", path, names[i]->d_name);
		free(names[i]);
		replay_file(inner, first, count);
	}
	free(names);
}

int
main(int argc, char **argv)
{
	unsigned int first = 0, count = 1 + MUTANTS;
	int i;

	if (getenv("STLS_TEST_FULL") != NULL)
		count = 1 + MUTANTS * 20;
	if (getenv("STLS_TEST_QUICK") != NULL)
		count = 1 + MUTANTS / 10;
	tell_what_fails();
	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--mutants") == 0 && i + 1 < argc) {
			count = 1 + (unsigned int)atoi(argv[++i]);
		} else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
			first = (unsigned int)atoi(argv[++i]);
			count = 1;
		} else {
			replay(argv[i], first, count);
		}
	}
	printf("%zu inputs\n", runs);
	return runs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
