/* SPDX-License-Identifier: MIT */
#include "spool/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/eintr.h"
#include "spool/durable.h"
#include "spool/id.h"

#define LAST_RUN "last-run"

/* What is being written for longer than this is being written by nobody. */
#define STALE_S 3600

#define PART_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static int
failed(struct stls_err *err, const char *path, const char *name)
{
	return stls_err_errno(err, EX_CANTCREAT, errno, "spool %s%s%s", path,
	    name[0] != '\0' ? "/" : "", name);
}

/* Whoever else could write there could have us send anything to anybody. */
static int
check_folder(struct stls_err *err, int fd, const char *path, const char *name)
{
	const char *slash = name[0] != '\0' ? "/" : "";
	struct stat st;

	if (fstat(fd, &st) < 0)
		return failed(err, path, name);
	if (st.st_uid != geteuid())
		return stls_err_set(err, EX_CANTCREAT,
		    "spool %s%s%s belongs to user %ld, not to user %ld: only "
		    "that user can run or list it",
		    path, slash, name, (long)st.st_uid, (long)geteuid());
	if ((st.st_mode & 077) != 0)
		return stls_err_set(err, EX_CANTCREAT,
		    "spool %s%s%s is open to others (mode %04o): chmod 700",
		    path, slash, name, (unsigned int)(st.st_mode & 07777));
	return 0;
}

/* The name of a new folder is durable when the one it is in was synced. */
static int
sync_parent(struct stls_err *err, const char *path)
{
	CLEANUP(free_ptr) char *copy = stls_strdup(path);
	CLEANUP(close_fd) int fd = -1;

	if (copy == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	fd = UNINTERRUPTED(
	    open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	/* One may write to a folder that one may not read. */
	if (fd < 0)
		sync();
	else if (durable_folder(fd) < 0)
		return failed(err, path, "");
	return 0;
}

/* Only the last folder is made: another one may be a disk that is missing. */
static int
without_parent(struct stls_err *err, const char *path)
{
	CLEANUP(free_ptr) char *copy = stls_strdup(path);
	const char *parent;

	if (copy == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	parent = dirname(copy);
	return stls_err_set(err, EX_CANTCREAT,
	    "spool %s: %s does not exist: mkdir -p %s", path, parent, parent);
}

static int
make_folder(struct stls_err *err, const char *path)
{
	if (mkdir(path, 0700) == 0)
		return sync_parent(err, path);
	if (errno == ENOENT)
		return without_parent(err, path);
	return errno == EEXIST ? 0 : failed(err, path, "");
}

static int
open_folder(struct stls_err *err, struct spool *spool)
{
	spool->dir = UNINTERRUPTED(
	    open(spool->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (spool->dir < 0)
		return failed(err, spool->path, "");
	return check_folder(err, spool->dir, spool->path, "");
}

/* Open a folder in it; it is made where it is missing. */
static int
open_part(
    struct stls_err *err, struct spool *spool, const char *name, int *out_fd)
{
	*out_fd = UNINTERRUPTED(openat(spool->dir, name, PART_FLAGS));
	if (*out_fd < 0 && errno == ENOENT) {
		if ((mkdirat(spool->dir, name, 0700) < 0 && errno != EEXIST) ||
		    durable_folder(spool->dir) < 0)
			return failed(err, spool->path, name);
		*out_fd = UNINTERRUPTED(openat(spool->dir, name, PART_FLAGS));
	}
	if (*out_fd < 0)
		return failed(err, spool->path, name);
	return check_folder(err, *out_fd, spool->path, name);
}

/*
 * The dead come last: where their folder is, all that was made before it is on
 * the disk, whoever made it.
 */
static int
open_parts(struct stls_err *err, struct spool *spool)
{
	int r;

	r = open_part(err, spool, "queue", &spool->queue);
	if (r == 0 && faccessat(spool->dir, "dead", F_OK, 0) < 0) {
		r = sync_parent(err, spool->path);
		if (r == 0 && durable_folder(spool->dir) < 0)
			r = failed(err, spool->path, "");
	}
	if (r == 0)
		r = open_part(err, spool, "dead", &spool->dead);
	return r;
}

static int
begin(struct stls_err *err, const char *path, struct spool *spool)
{
	*spool = (struct spool){ .dir = -1, .queue = -1, .dead = -1 };
	spool->path = stls_strdup(path);
	return spool->path != NULL
	    ? 0
	    : stls_err_set(err, EX_OSERR, "out of memory");
}

int
spool_open(struct stls_err *err, const char *path, struct spool *spool)
{
	int r;

	r = begin(err, path, spool);
	if (r == 0)
		r = make_folder(err, path);
	if (r == 0)
		r = open_folder(err, spool);
	if (r == 0)
		r = open_parts(err, spool);
	if (r != 0)
		spool_close(spool);
	return r;
}

/* Nothing is made by looking: half a spool is an empty one. */
static int
open_existing_part(
    struct stls_err *err, struct spool *spool, const char *name, int *out_fd)
{
	*out_fd = UNINTERRUPTED(openat(spool->dir, name, PART_FLAGS));
	return *out_fd >= 0 || errno == ENOENT ? 0
					       : failed(err, spool->path, name);
}

int
spool_open_existing(struct stls_err *err, const char *path, struct spool *spool)
{
	struct stat st;
	int r;

	r = begin(err, path, spool);
	if (r != 0 || (stat(path, &st) < 0 && errno == ENOENT))
		return r;
	r = open_folder(err, spool);
	if (r == 0)
		r = open_existing_part(err, spool, "queue", &spool->queue);
	if (r == 0)
		r = open_existing_part(err, spool, "dead", &spool->dead);
	if (r != 0)
		spool_close(spool);
	return r;
}

void
spool_close(struct spool *spool)
{
	if (spool->path == NULL)
		return;
	close_fd(&spool->dir);
	close_fd(&spool->queue);
	close_fd(&spool->dead);
	free(spool->path);
	*spool = (struct spool){ .dir = -1, .queue = -1, .dead = -1 };
}

bool
spool_was_run(const struct spool *spool)
{
	struct stat st;

	return fstatat(spool->dir, LAST_RUN, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int
spool_note_run(struct stls_err *err, const struct spool *spool)
{
	CLEANUP(close_fd) int fd = -1;

	fd = UNINTERRUPTED(openat(spool->dir, LAST_RUN,
	    O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
	if (fd < 0 || futimens(fd, NULL) < 0)
		return failed(err, spool->path, LAST_RUN);
	return 0;
}

static int
compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int
add_id(struct stls_err *err, struct spool_ids *list, const char *id)
{
	size_t count = list->count;
	void *grown;

	if ((count & (count - 1)) == 0) {
		grown = stls_realloc(list->ids,
		    (count == 0 ? 1 : count * 2) * sizeof(list->ids[0]));
		if (grown == NULL)
			return stls_err_set(err, EX_OSERR, "out of memory");
		list->ids = grown;
	}
	memcpy(list->ids[count], id, SPOOL_ID_LEN + 1);
	list->count++;
	return 0;
}

/* A stream of its own: closing it must not close the folder. */
static DIR *
open_stream(int folder)
{
	int fd = UNINTERRUPTED(
	    openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;

	if (stream == NULL)
		close_fd(&fd);
	return stream;
}

static int
list_folder(struct stls_err *err, const struct spool *spool, int folder,
    struct spool_ids *list)
{
	struct dirent *entry;
	DIR *stream;
	int r = 0;

	if (folder < 0)
		return 0;
	stream = open_stream(folder);
	if (stream == NULL)
		return failed(err, spool->path, "");
	/* A folder that cannot be read to its end must not look shorter. */
	while (r == 0 && (errno = 0, entry = readdir(stream)) != NULL) {
		if (spool_id_is_valid(entry->d_name))
			r = add_id(err, list, entry->d_name);
	}
	if (r == 0 && errno != 0)
		r = failed(err, spool->path, "");
	closedir(stream);
	if (list->count > 0)
		qsort(
		    list->ids, list->count, sizeof(list->ids[0]), compare_ids);
	return r;
}

int
spool_list(
    struct stls_err *err, const struct spool *spool, struct spool_ids *ids)
{
	return list_folder(err, spool, spool->queue, ids);
}

int
spool_list_dead(
    struct stls_err *err, const struct spool *spool, struct spool_ids *ids)
{
	return list_folder(err, spool, spool->dead, ids);
}

void
spool_ids_done(struct spool_ids *ids)
{
	free(ids->ids);
	memset(ids, 0, sizeof(*ids));
}

int
spool_revive(struct stls_err *err, const struct spool *spool, const char *id)
{
	struct stat st;

	/* musl and the BSDs have no faccessat(2) that follows no link. */
	if (!spool_id_is_valid(id) ||
	    fstatat(spool->dead, id, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (renameat(spool->dead, id, spool->queue, id) < 0 ||
	    durable_folder(spool->queue) < 0 || durable_folder(spool->dead) < 0)
		return failed(err, spool->path, id);
	return 0;
}

/* Whoever writes has the lock; who was killed has none. */
static void
sweep_one(const struct spool *spool, const char *name)
{
	CLEANUP(close_fd) int fd = -1;
	struct stat st;

	fd = openat(
	    spool->queue, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	if (st.st_mtime > time(NULL) - STALE_S ||
	    flock(fd, LOCK_EX | LOCK_NB) < 0)
		return;
	unlinkat(spool->queue, name, 0);
}

void
spool_sweep(const struct spool *spool)
{
	struct dirent *entry;
	DIR *stream = open_stream(spool->queue);

	if (stream == NULL)
		return;
	while ((entry = readdir(stream)) != NULL) {
		if (spool_id_is_temporary(entry->d_name))
			sweep_one(spool, entry->d_name);
	}
	closedir(stream);
}
