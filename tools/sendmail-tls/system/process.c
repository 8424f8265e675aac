/* SPDX-License-Identifier: MIT */
#include "system/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static const int deadly[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static struct sigaction old_deadly[ARRAY_LEN(deadly)];
static volatile sig_atomic_t hit;

static void (*interrupt_fn)(void *arg);
static void *interrupt_arg;

static bool
is_closed(int fd)
{
	return fcntl(fd, F_GETFD) < 0 && errno == EBADF;
}

static int
open_standard_descriptors(struct stls_err *err, bool *out_stdin_was_closed)
{
	int fd, got;

	*out_stdin_was_closed = is_closed(STDIN_FILENO);
	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (!is_closed(fd))
			continue;
		got = open("/dev/null", O_RDWR);
		if (got != fd)
			return stls_err_errno(err, EX_OSERR, errno,
			    "/dev/null for descriptor %d", fd);
	}
	return 0;
}

static int
drop_borrowed_rights(struct stls_err *err)
{
	uid_t uid = getuid();
	gid_t gid = getgid();

	if (getegid() != gid && setregid(gid, gid) < 0)
		return stls_err_errno(err, EX_OSERR, errno, "setregid");
	if (geteuid() != uid && setreuid(uid, uid) < 0)
		return stls_err_errno(err, EX_OSERR, errno, "setreuid");
	return 0;
}

int
process_normalise(struct stls_err *err, bool *out_stdin_was_closed)
{
	int r;

	r = open_standard_descriptors(err, out_stdin_was_closed);
	if (r != 0)
		return r;
	signal(SIGPIPE, SIG_IGN);
	/* A file that becomes too long is an error, not a death. */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	umask(077);
	return drop_borrowed_rights(err);
}

static void
note_hit(int signo)
{
	if (signo != SIGCHLD)
		hit = signo;
}

/* Install a handler unless the parent wants the signal ignored. */
static void
catch_deadly(void (*handler)(int), int flags)
{
	struct sigaction action;
	size_t i;

	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	action.sa_flags = flags;
	sigemptyset(&action.sa_mask);
	for (i = 0; i < ARRAY_LEN(deadly); i++) {
		sigaction(deadly[i], NULL, &old_deadly[i]);
		if (old_deadly[i].sa_handler != SIG_IGN)
			sigaction(deadly[i], &action, NULL);
	}
}

static void
release_deadly(void)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(deadly); i++)
		sigaction(deadly[i], &old_deadly[i], NULL);
}

void
process_watch_begin(struct process_watch *watch)
{
	struct sigaction action;
	sigset_t blocked;
	size_t i;

	hit = 0;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	for (i = 0; i < ARRAY_LEN(deadly); i++)
		sigaddset(&blocked, deadly[i]);
	sigprocmask(SIG_BLOCK, &blocked, &watch->old_mask);

	/* The parent may have left SIGCHLD blocked. */
	watch->poll_mask = watch->old_mask;
	sigdelset(&watch->poll_mask, SIGCHLD);

	memset(&action, 0, sizeof(action));
	action.sa_handler = note_hit;
	sigemptyset(&action.sa_mask);
	sigaction(SIGCHLD, &action, &watch->old_child);
	catch_deadly(note_hit, 0);
}

void
process_watch_end(struct process_watch *watch)
{
	release_deadly();
	sigaction(SIGCHLD, &watch->old_child, NULL);
	sigprocmask(SIG_SETMASK, &watch->old_mask, NULL);
	if (hit != 0)
		raise(hit);
}

bool
process_watch_was_hit(void)
{
	return hit != 0;
}

static void
call_interrupt_fn(int signo)
{
	(void)signo;
	interrupt_fn(interrupt_arg);
}

void
process_on_interrupt(void (*fn)(void *arg), void *arg)
{
	if (fn == NULL) {
		release_deadly();
		return;
	}
	interrupt_fn = fn;
	interrupt_arg = arg;
	/* The second one ends a program that does not end by the first. */
	catch_deadly(call_interrupt_fn, SA_RESETHAND);
}
