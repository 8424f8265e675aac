/* SPDX-License-Identifier: MIT */
#include "load/scene.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* From so many connections on each fault is expected to have happened. */
#define MANY 600
/* A thread that resolves a name which nobody wants any more ends by itself. */
#define FDS_MS 5000

static const char *const lies[] = {
	[LIE_NONE] = "none",
	[LIE_DOUBLES] = "doubles",
	[LIE_LOSES] = "loses",
	[LIE_KEEPS] = "keeps",
	[LIE_MANGLES] = "mangles",
};

long long
scene_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void
usage(const char *name)
{
	fprintf(stderr,
	    "usage: %s [--seed N] [--connections N] [--rounds N] [--seconds N]"
	    " [--lives N] [--patience MS] [--calm] [--races]"
	    " [--lie doubles|loses|keeps|mangles]\n",
	    name);
	exit(64);
}

static enum lie
parse_lie(const char *name, const char *word)
{
	unsigned int i;

	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		if (strcmp(word, lies[i]) == 0)
			return i;
	}
	usage(name);
	return LIE_NONE;
}

static unsigned int
parse_number(const char *name, const char *word)
{
	char *end;
	unsigned long number = strtoul(word, &end, 10);

	if (*word == '\0' || *end != '\0' || number > 1000000)
		usage(name);
	return (unsigned int)number;
}

/* @return whether the value was used */
static bool
parse_one(struct scene_options *options, const char *name, const char *word,
    const char *value)
{
	if (strcmp(word, "--calm") == 0)
		options->is_calm = true;
	else if (strcmp(word, "--races") == 0)
		options->races = true;
	else if (value == NULL)
		usage(name);
	else if (strcmp(word, "--seed") == 0)
		options->seed = strtoull(value, NULL, 10);
	else if (strcmp(word, "--connections") == 0)
		options->connections = parse_number(name, value);
	else if (strcmp(word, "--rounds") == 0)
		options->rounds = parse_number(name, value);
	else if (strcmp(word, "--seconds") == 0)
		options->seconds = parse_number(name, value);
	else if (strcmp(word, "--lives") == 0)
		options->lives = parse_number(name, value);
	else if (strcmp(word, "--patience") == 0)
		options->patience_ms = (int)parse_number(name, value);
	else if (strcmp(word, "--lie") == 0)
		options->lie = parse_lie(name, value);
	else
		usage(name);
	return strcmp(word, "--calm") != 0 && strcmp(word, "--races") != 0;
}

void
scene_parse(int argc, char **argv, struct scene_options *options)
{
	int i;

	options->seed = (uint64_t)time(NULL) * 1000003u + (uint64_t)getpid();
	for (i = 1; i < argc; i++)
		i += parse_one(options, argv[0], argv[i],
		    i + 1 < argc ? argv[i + 1] : NULL);
	/* What is cut short has said how far it came. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("seed: %llu\n", (unsigned long long)options->seed);
}

/* Descriptors are cheap, and a shell may allow less than a thousand. */
static void
allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max < 8192 ? limit.rlim_max : 8192;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int
count_fds(void)
{
	int count = 0, fd;

	for (fd = 0; fd < 8192; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

struct smtptls_context *
scene_context(const struct scene *scene)
{
	struct smtptls_context *context = NULL;

	if (smtptls_context_new_default(SMTPTLS_SERVER_AUTH, NULL, NULL,
		scene->certs.ca_pem.data, scene->certs.ca_pem.size,
		&context) < 0) {
		fprintf(stderr, "%s\n", smtptls_context_error(context));
		exit(EXIT_FAILURE);
	}
	return context;
}

void
scene_begin(struct scene *scene, const struct scene_options *options,
    size_t letters_max)
{
	struct server_options server = { .lie = options->lie,
		.has_faults = !options->is_calm,
		.certs = &scene->certs };

	memset(scene, 0, sizeof(*scene));
	scene->options = *options;
	allow_descriptors();
	certs_make(&scene->certs, LOAD_HOST);
	scene->books = books_new(options->seed, letters_max);
	server_start(&scene->server, scene->books, &server);
	scene->context = scene_context(scene);
	scene->fds = count_fds();
}

void
scene_check(struct scene *scene, bool good, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("%s: ", good ? "good" : "BAD");
	vprintf(format, args);
	printf("\n");
	va_end(args);
	scene->has_failed |= !good;
}

void
scene_check_fds(struct scene *scene)
{
	long long until = scene_now_ms() + FDS_MS;
	int fds;

	while ((fds = count_fds()) > scene->fds && scene_now_ms() < until)
		(void)poll(NULL, 0, 10);
	scene_check(scene, fds == scene->fds,
	    "%d descriptors are open, as at the beginning (%d)", fds,
	    scene->fds);
}

static void
check_faults(struct scene *scene)
{
	const struct books *books = scene->books;
	unsigned int seen = 0, i;

	for (i = 1; i < FAULTS; i++) {
		printf(
		    "%6u %s\n", atomic_load(&books->faults[i]), fault_names[i]);
		seen += atomic_load(&books->faults[i]) > 0;
	}
	if (atomic_load(&books->connections) >= MANY)
		scene_check(scene, seen == FAULTS - 1,
		    "%u of %d faults have happened", seen, FAULTS - 1);
}

static void
check_outcomes(struct scene *scene, const size_t outcomes[5])
{
	size_t sum = 0, i;
	bool all = true;

	for (i = 0; i < 5; i++) {
		sum += outcomes[i];
		all &= outcomes[i] > 0;
	}
	printf("recipients: %zu accepted, %zu refused, %zu refused for now, "
	       "%zu not tried, %zu in doubt\n",
	    outcomes[SMTPTLS_OUTCOME_ACCEPTED],
	    outcomes[SMTPTLS_OUTCOME_REFUSED],
	    outcomes[SMTPTLS_OUTCOME_REFUSED_LATER],
	    outcomes[SMTPTLS_OUTCOME_NOT_TRIED],
	    outcomes[SMTPTLS_OUTCOME_IN_DOUBT]);
	/* Else nothing was tried here. */
	scene_check(scene, outcomes[SMTPTLS_OUTCOME_ACCEPTED] > sum / 3,
	    "more than a third was accepted");
	if (scene->options.is_calm)
		scene_check(scene,
		    outcomes[SMTPTLS_OUTCOME_IN_DOUBT] == 0 &&
			outcomes[SMTPTLS_OUTCOME_NOT_TRIED] == 0,
		    "without faults nothing is in doubt or not tried");
	else if (atomic_load(&scene->books->connections) >= MANY)
		scene_check(scene, all, "every outcome there is has happened");
}

int
scene_end(struct scene *scene)
{
	const struct books *books = scene->books;
	size_t outcomes[5];
	int wrongs;

	scene_check_fds(scene);
	smtptls_context_free(scene->context);
	scene_check(
	    scene, server_finish(&scene->server), "the server came to its end");
	printf("%u messages, %u connections, %u handshakes, %u resumed\n",
	    atomic_load(&books->letters_count),
	    atomic_load(&books->connections), atomic_load(&books->handshakes),
	    atomic_load(&books->resumed));
	if (!scene->options.is_calm)
		check_faults(scene);
	wrongs = books_compare(books, outcomes);
	scene_check(
	    scene, wrongs == 0, "no message is lost, doubled or changed");
	check_outcomes(scene, outcomes);
	books_free(scene->books);
	certs_free(&scene->certs);
	return scene->has_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
