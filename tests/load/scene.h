/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_LOAD_SCENE_H
#define STLS_TEST_LOAD_SCENE_H

#include <smtptls/smtptls.h>

#include "load/books.h"
#include "load/certs.h"
#include "load/server.h"

#define LOAD_HOST "mail.example.org"

/* What the command line says; every number has its default in main(). */
struct scene_options {
	uint64_t seed;
	unsigned int connections; /* or threads */
	unsigned int rounds;
	unsigned int seconds; /* of a round; 0: `lives` counts */
	unsigned int lives;   /* connections, or messages, of each */
	int patience_ms;      /* every time limit */
	bool is_calm;	      /* the server has no faults */
	enum lie lie;
	bool races; /* the program has a race, which is to be found */
};

/* Read it; the seed is printed. Ends the program where it makes no sense. */
void scene_parse(int argc, char **argv, struct scene_options *options);

/* Books, a server and a context that trusts it. */
struct scene {
	struct scene_options options;
	struct certs certs;
	struct books *books;
	struct server server;
	struct smtptls_context *context;
	int fds;	 /* that were open when the server ran */
	bool has_failed; /* something was said about it */
};

void scene_begin(struct scene *scene, const struct scene_options *options,
    size_t letters_max);

/* A context of one's own that trusts the server. */
struct smtptls_context *scene_context(const struct scene *scene);

/* Print a check and how it went. */
void scene_check(struct scene *scene, bool good, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* No descriptor more than at the beginning. */
void scene_check_fds(struct scene *scene);

/*
 * End the server, compare the books, and print figures. @return what main()
 * returns
 */
int scene_end(struct scene *scene);

long long scene_now_ms(void);

#endif
