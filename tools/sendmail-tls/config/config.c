/* SPDX-License-Identifier: MIT */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "config/file.h"

#define FILE_SIZE_MAX ((size_t)1 << 20)

static int
read_file(struct stls_err *err, int fd, const struct stat *st,
    enum config_source source, const char *path, struct config *config)
{
	CLEANUP(stls_buf_done) struct stls_buf text = { 0 };
	bool has_secret = false;
	char *name;
	int r;

	stls_buf_init(&text, FILE_SIZE_MAX + 1);
	r = config_file_read(err, fd, path, &text);
	if (r != 0)
		return r;
	name = stls_strdup(path);
	if (name == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	config->files[config->file_count++] = name;
	r = config_parse(err, config, source, name,
	    (const char *)stls_buf_data(&text), stls_buf_len(&text),
	    &has_secret);
	if (r == 0 && has_secret)
		r = config_file_check_secret(err, path, st);
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

	switch (config_file_open(err, "configuration file", path, &st, &fd)) {
	case CONFIG_OPENED:
		break;
	case CONFIG_ABSENT:
		if (source == CONFIG_ONLY)
			return EX_CONFIG;
		stls_err_clear(err);
		return 0;
	case CONFIG_OUT_OF_REACH:
		if (source != CONFIG_SYSTEM)
			return EX_CONFIG;
		config->system_is_out_of_reach = true;
		stls_err_clear(err);
		return 0;
	case CONFIG_BROKEN:
		return EX_CONFIG;
	}
	if (source == CONFIG_SYSTEM && config_file_is_foreign(&st)) {
		config->system_is_out_of_reach = true;
		return 0;
	}
	if (is_device_without_content(&st))
		return 0;
	r = config_file_check(err, path, &st);
	return r != 0 ? r : read_file(err, fd, &st, source, path, config);
}

int
config_load(struct stls_err *err, const struct config_paths *paths,
    const struct option_table *vocabulary, struct config *config)
{
	int r = 0;

	config->home = paths->home;
	config->vocabulary = vocabulary;
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
