/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"

#define FILE_SIZE_MAX ((size_t)1 << 20)

/* What became of an attempt to open a file. */
enum opened {
	OPENED,
	ABSENT,
	OUT_OF_REACH,
	BROKEN
};

static enum opened
open_file(
    struct stls_err *err, const char *path, struct stat *out_st, int *out_fd)
{
	/* O_NONBLOCK: what is no file shall not make anybody wait. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0) {
		if (errno == ENOENT || errno == ENOTDIR) {
			stls_err_errno(err, EX_CONFIG, errno, "%s", path);
			return ABSENT;
		}
		stls_err_errno(err, EX_CONFIG, errno,
		    "the configuration file %s cannot be read", path);
		return errno == EACCES ? OUT_OF_REACH : BROKEN;
	}
	*out_fd = fd;
	if (fstat(fd, out_st) < 0) {
		stls_err_errno(err, EX_CONFIG, errno, "%s", path);
		return BROKEN;
	}
	return OPENED;
}

/* Whoever can write the file can have any command run as this user. */
static bool
is_owned_by_another(const struct stat *st)
{
	return st->st_uid != 0 && st->st_uid != getuid();
}

static int
check_rights(struct stls_err *err, const char *path, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return stls_err_set(
		    err, EX_CONFIG, "%s is not a regular file", path);
	if (is_owned_by_another(st))
		return stls_err_set(err, EX_CONFIG,
		    "%s belongs to user %ld, who is neither root nor you: "
		    "chown it",
		    path, (long)st->st_uid);
	if ((st->st_mode & 022) != 0)
		return stls_err_set(err, EX_CONFIG,
		    "%s can be changed by others (mode %04o): chmod go-w %s",
		    path, (unsigned int)(st->st_mode & 07777), path);
	return 0;
}

static int
read_all(struct stls_err *err, int fd, const char *path, struct stls_buf *text)
{
	unsigned char *place;
	ssize_t n;

	for (;;) {
		if (stls_buf_room(text) == 0)
			return stls_err_set(err, EX_CONFIG,
			    "%s is longer than %zu bytes", path, FILE_SIZE_MAX);
		place = stls_buf_reserve(text, 1);
		if (place == NULL)
			return stls_err_set(err, EX_OSERR, "out of memory");
		n = read(fd, place, text->cap - text->tail);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return stls_err_errno(
			    err, EX_CONFIG, errno, "%s", path);
		if (n == 0)
			return 0;
		stls_buf_commit(text, (size_t)n);
	}
}

static int
read_file(struct stls_err *err, int fd, const struct stat *st,
    enum config_source source, const char *path, struct config *config)
{
	CLEANUP(stls_buf_done) struct stls_buf text = { 0 };
	bool has_secret = false;
	char *name;
	int r;

	stls_buf_init(&text, FILE_SIZE_MAX + 1);
	r = read_all(err, fd, path, &text);
	if (r != 0)
		return r;
	name = stls_strdup(path);
	if (name == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	config->files[config->file_count++] = name;
	r = config_parse(err, config, source, name,
	    (const char *)stls_buf_data(&text), stls_buf_len(&text),
	    &has_secret);
	if (r == 0 && has_secret && (st->st_mode & 077) != 0)
		return stls_err_set(err, EX_CONFIG,
		    "%s has a password in it and is open to others (mode "
		    "%04o): chmod 600 %s",
		    path, (unsigned int)(st->st_mode & 07777), path);
	return r;
}

/* /dev/null is what says that there is no configuration. */
static bool
is_device_without_content(const struct stat *st)
{
	struct stat null_st;

	return S_ISCHR(st->st_mode) && stat("/dev/null", &null_st) == 0 &&
	    st->st_rdev == null_st.st_rdev;
}

static int
load_file(struct stls_err *err, enum config_source source, const char *path,
    struct config *config)
{
	CLEANUP(close_fd) int fd = -1;
	struct stat st;
	int r;

	switch (open_file(err, path, &st, &fd)) {
	case OPENED:
		break;
	case ABSENT:
		if (source == CONFIG_ONLY)
			return stls_err_prefix(err, "configuration file");
		stls_err_clear(err);
		return 0;
	case OUT_OF_REACH:
		if (source != CONFIG_SYSTEM)
			return EX_CONFIG;
		config->system_is_out_of_reach = true;
		stls_err_clear(err);
		return 0;
	case BROKEN:
		return EX_CONFIG;
	}
	if (source == CONFIG_SYSTEM && is_owned_by_another(&st)) {
		config->system_is_out_of_reach = true;
		return 0;
	}
	if (is_device_without_content(&st))
		return 0;
	r = check_rights(err, path, &st);
	return r != 0 ? r : read_file(err, fd, &st, source, path, config);
}

int
config_load(struct stls_err *err, const struct config_paths *paths,
    struct config *config)
{
	int r = 0;

	config->home = paths->home;
	if (paths->only != NULL)
		r = load_file(err, CONFIG_ONLY, paths->only, config);
	if (paths->only == NULL && paths->system != NULL)
		r = load_file(err, CONFIG_SYSTEM, paths->system, config);
	if (r == 0 && paths->only == NULL && paths->user != NULL)
		r = load_file(err, CONFIG_USER, paths->user, config);
	return r;
}

int
config_expand_path(struct stls_err *err, struct config *config, const char *key,
    const char *value, const char **out_path)
{
	char **strings, *path;
	size_t size;

	*out_path = value;
	if (value[0] == '/')
		return 0;
	if (strncmp(value, "~/", 2) != 0 || config->home == NULL)
		return stls_err_set(err, EX_CONFIG,
		    "%s is a whole path or begins with ~/, not %s", key, value);
	strings = stls_realloc(
	    config->strings, (config->string_count + 1) * sizeof(strings[0]));
	if (strings == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	config->strings = strings;
	size = strlen(config->home) + strlen(value);
	path = stls_alloc(size);
	if (path == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	snprintf(path, size, "%s%s", config->home, value + 1);
	strings[config->string_count++] = path;
	*out_path = path;
	return 0;
}

void
config_done(struct config *config)
{
	size_t i;

	for (i = 0; i < config->count; i++) {
		free(config->entries[i].account);
		free(config->entries[i].key);
		stls_secret_done(&config->entries[i].value);
	}
	free(config->entries);
	for (i = 0; i < config->account_count; i++)
		free(config->accounts[i].name);
	free(config->accounts);
	for (i = 0; i < config->string_count; i++)
		free(config->strings[i]);
	free(config->strings);
	for (i = 0; i < config->file_count; i++)
		free(config->files[i]);
	memset(config, 0, sizeof(*config));
}
