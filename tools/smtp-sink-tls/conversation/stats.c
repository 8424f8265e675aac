/* SPDX-License-Identifier: MIT */
#include "conversation/stats.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <smtptls/status.h>

#include "base/alloc.h"
#include "base/cleanup.h"

#define FIELD(name)                                                            \
	{                                                                      \
#name, offsetof(struct sink_stats, name)                       \
	}

static const struct {
	const char *name;
	size_t offset;
} fields[] = {
	FIELD(connections),
	FIELD(handshakes),
	FIELD(handshake_failures),
	FIELD(resumed),
	FIELD(authentications),
	FIELD(authentication_failures),
	FIELD(messages),
	FIELD(messages_refused),
	FIELD(recipients),
	FIELD(bytes),
	FIELD(bytes_in),
	FIELD(bytes_out),
	FIELD(flights),
	FIELD(flights_accepted),
	FIELD(commands),
	FIELD(errors),
	FIELD(timeouts),
	FIELD(misbehaviours),
	FIELD(pipelining_violations),
	FIELD(starttls_injected),
	FIELD(bare_line_ends),
	FIELD(eightbit_violations),
	FIELD(long_lines),
	FIELD(unclean_closes),
};

#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

static int
print(FILE *f, const struct sink_stats *stats)
{
	const char *base = (const char *)stats;
	size_t i;

	fputs("{\n", f);
	for (i = 0; i < FIELD_COUNT; i++)
		fprintf(f, "  \"%s\": %" PRIu64 "%s\n", fields[i].name,
		    *(const uint64_t *)(const void *)(base + fields[i].offset),
		    i + 1 < FIELD_COUNT ? "," : "");
	fputs("}\n", f);
	return fflush(f) != 0 || ferror(f) ? -1 : 0;
}

/*
 * A device or pipe is written to and not replaced; nor is a symbolic link:
 * /dev/stdout is one, which may lead to a file.
 */
static bool
is_replaceable(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 || S_ISREG(st.st_mode);
}

int
sink_stats_place(struct stls_err *err, const char *path, char **out_folder)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash != NULL ? (size_t)(slash - path) : 0;

	*out_folder = NULL;
	if (!is_replaceable(path))
		return SMTPTLS_OK;
	if (slash == NULL)
		*out_folder = stls_strdup(".");
	else
		*out_folder = stls_strndup(path, len > 0 ? len : 1);
	return *out_folder != NULL ? SMTPTLS_OK : stls_err_nomem(err);
}

static int
write_to(struct stls_err *err, const struct sink_stats *stats, const char *path)
{
	CLEANUP(close_file) FILE *f = fopen(path, "we");

	if (f == NULL || print(f, stats) < 0)
		return stls_err_errno(err, SMTPTLS_E_IO, errno, "%s", path);
	return SMTPTLS_OK;
}

int
sink_stats_write(
    struct stls_err *err, const struct sink_stats *stats, const char *path)
{
	CLEANUP(free_ptr) char *tmp = NULL;
	int r;

	if (!is_replaceable(path))
		return write_to(err, stats, path);
	if (asprintf(&tmp, "%s.tmp", path) < 0) {
		tmp = NULL;
		return stls_err_nomem(err);
	}
	r = write_to(err, stats, tmp);
	if (r == SMTPTLS_OK && rename(tmp, path) < 0)
		r = stls_err_errno(err, SMTPTLS_E_IO, errno, "%s", path);
	if (r < 0)
		unlink(tmp);
	return r;
}
