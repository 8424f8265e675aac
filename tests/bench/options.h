/* SPDX-License-Identifier: MIT */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* The command line that all drivers share; see bench_options_help. */
struct bench_options {
	int port;
	bool is_implicit;
	const char *ca;
	long connections;
	long messages; /* on each connection */
	long recipients;
	const char *content; /* a file, NULL: 2 KiB are made up */
	bool from_file;	     /* read it while sending, else from memory */
	const char *user;
	const char *password;
	const char *level; /* none, standard, one-flight, window */
	long window;
	bool no_chunking;
	bool resume;
	bool hold; /* open all connections, and only then send */
};

/* The content in memory, whatever it comes from. */
struct bench_content {
	const char *data;
	size_t len;
	int fd; /* of the file, else -1 */
};

/* What a driver tells at its end, one JSON object in one line. */
struct bench_report {
	double started;	 /* bench_now() before the first connection */
	long accepted;	 /* messages */
	long rss_before; /* KiB, without a connection */
	long rss_held;	 /* KiB, while all connections are held */
	size_t own_held; /* octets of them the library's own */
	long resumed;	 /* connections, as the client saw them */
};

/* Ends the program if the command line is wrong. */
void bench_options_parse(int argc, char **argv, struct bench_options *options);

void bench_content_open(
    const struct bench_options *options, struct bench_content *content);
void bench_content_close(struct bench_content *content);

/* "a17@example.org": the n-th recipient. */
const char *bench_recipient(long n);

/* Seconds of a clock that is not set. */
double bench_now(void);

/* A line of /proc/self/status in KiB: "VmRSS", "VmHWM"; 0: unknown. */
long bench_memory(const char *name);

void bench_report(const struct bench_report *report);

/* Ends the program with a sentence. */
void bench_fail(const char *what, const char *why)
    __attribute__((__noreturn__));

#define BENCH_SENDER "sender@example.org"

#endif
