/* SPDX-License-Identifier: MIT */
#include "credentials/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/eintr.h"
#include "credentials/line.h"
#include "system/process.h"

#define SEARCH_PATH                                                            \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* More than the registers of any processor take, twice. */
#define SIGNAL_FRAMES_LEN 32768

/* PATH, SHELL, HOME, USER, LOGNAME */
#define ENVIRONMENT_COUNT 5

struct environment {
	char *vars[ENVIRONMENT_COUNT + 1];
};

struct child {
	pid_t pid;
	int out;    /* what it prints; -1 after the end */
	int errnum; /* why it could not be read to its end */
	int status;
	struct first_line line;
};

static char *
assignment(const char *name, const char *value)
{
	size_t size = strlen(name) + strlen(value) + 2;
	char *text = stls_alloc(size);

	if (text != NULL)
		snprintf(text, size, "%s=%s", name, value);
	return text;
}

static void
environment_done(struct environment *environment)
{
	size_t i;

	for (i = 0; i < ENVIRONMENT_COUNT; i++)
		free(environment->vars[i]);
}

static bool
environment_init(
    struct environment *environment, const struct identity *identity)
{
	const char *const pairs[ENVIRONMENT_COUNT][2] = {
		{ "PATH", SEARCH_PATH },
		{ "SHELL", "/bin/sh" },
		{ "HOME", identity->home },
		{ "USER", identity->login },
		{ "LOGNAME", identity->login },
	};
	size_t i;

	memset(environment, 0, sizeof(*environment));
	for (i = 0; i < ENVIRONMENT_COUNT; i++) {
		environment->vars[i] = assignment(pairs[i][0], pairs[i][1]);
		if (environment->vars[i] == NULL)
			return false;
	}
	return true;
}

static void
reset_signals(void)
{
	sigset_t none;
	int signo;

	for (signo = 1; signo < NSIG; signo++)
		signal(signo, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The child: only calls that are safe between fork(2) and exec. */
static _Noreturn void
run_shell(const char *command, char **environment, int null_fd, int out_fd)
{
	const char *const argv[] = { "sh", "-c", command, NULL };

	/* A group of its own, so that what the shell starts dies with it. */
	setpgid(0, 0);
	reset_signals();
	if (dup2(null_fd, STDIN_FILENO) < 0 || dup2(out_fd, STDOUT_FILENO) < 0)
		_exit(127);
	execve("/bin/sh", (char *const *)argv, environment);
	_exit(127);
}

static int
start(struct stls_err *err, const char *what, const char *command,
    char **environment, struct child *child)
{
	CLEANUP(close_fd) int null_fd = -1;
	CLEANUP(close_fd) int write_end = -1;
	int fds[2];

	null_fd = UNINTERRUPTED(open("/dev/null", O_RDONLY | O_CLOEXEC));
	if (null_fd < 0)
		return stls_err_errno(err, EX_OSERR, errno, "/dev/null");
	if (pipe2(fds, O_CLOEXEC) < 0)
		return stls_err_errno(err, EX_OSERR, errno, "%s: pipe", what);
	child->out = fds[0];
	write_end = fds[1];
	/* Only our end: a shell may not know what to do with EAGAIN. */
	fcntl(child->out, F_SETFL, O_NONBLOCK);

	child->pid = fork();
	if (child->pid < 0)
		return stls_err_errno(err, EX_OSERR, errno, "%s: fork", what);
	if (child->pid == 0)
		run_shell(command, environment, null_fd, write_end);
	/* On both sides, whoever comes first: kill(2) below relies on it. */
	setpgid(child->pid, child->pid);
	return 0;
}

/* Take in what has been printed so far. */
static void
drain(struct child *child)
{
	char chunk[512];
	ssize_t n;

	while (child->out >= 0) {
		n = read(child->out, chunk, sizeof(chunk));
		if (n > 0) {
			first_line_add(&child->line, chunk, (size_t)n);
			stls_wipe(chunk, (size_t)n);
			continue;
		}
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0 && errno == EINTR)
			continue;
		child->errnum = n < 0 ? errno : 0;
		close(child->out);
		child->out = -1;
	}
}

static bool
has_ended(struct child *child)
{
	pid_t pid;

	/* POSIX lets it be interrupted; nobody would wake the poll again. */
	do {
		pid = waitpid(child->pid, &child->status, WNOHANG);
	} while (pid < 0 && errno == EINTR);
	return pid == child->pid;
}

static void
wait_for_news(const struct child *child, int left_ms, const sigset_t *mask)
{
	struct pollfd pfd = { .fd = child->out, .events = POLLIN };
	struct timespec timeout = {
		.tv_sec = left_ms / 1000,
		.tv_nsec = (long)(left_ms % 1000) * 1000000,
	};

	/* A descriptor of -1 is passed over, and SIGCHLD ends the wait. */
	ppoll(&pfd, 1, left_ms >= 0 ? &timeout : NULL, mask);
}

static void
put_to_death(struct child *child)
{
	kill(-child->pid, SIGKILL);
	while (waitpid(child->pid, &child->status, 0) < 0 && errno == EINTR)
		continue;
}

/*
 * Wait for the end of the command, not of its output: an agent that it left
 * behind may hold the pipe open for ever.
 */
static int
wait_for_end(struct stls_err *err, const char *what, stls_deadline deadline,
    const sigset_t *mask, struct child *child)
{
	int left_ms;

	for (;;) {
		drain(child);
		if (has_ended(child)) {
			drain(child);
			return 0;
		}
		left_ms = stls_deadline_left_ms(deadline);
		if (left_ms == 0 || process_watch_was_hit()) {
			put_to_death(child);
			return stls_err_set(err, EX_TEMPFAIL,
			    "%s did not end in time and was killed", what);
		}
		wait_for_news(child, left_ms, mask);
	}
}

static int
check_status(struct stls_err *err, const char *what, int status)
{
	if (WIFSIGNALED(status))
		return stls_err_set(err, EX_CONFIG,
		    "%s was killed by signal %d", what, WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return stls_err_set(err, EX_CONFIG, "%s ended with status %d",
		    what, WEXITSTATUS(status));
	return 0;
}

static int
run(struct stls_err *err, const char *what, const char *command,
    char **environment, stls_deadline deadline, struct child *child)
{
	struct process_watch watch;
	int r;

	process_watch_begin(&watch);
	r = start(err, what, command, environment, child);
	if (r == 0)
		r = wait_for_end(err, what, deadline, &watch.poll_mask, child);
	if (child->out >= 0)
		close(child->out);
	process_watch_end(&watch);
	if (r == 0 && child->errnum != 0)
		r = stls_err_errno(err, EX_OSERR, child->errnum,
		    "reading what %s prints", what);
	if (r == 0)
		r = check_status(err, what, child->status);
	return r;
}

/*
 * When a signal comes the kernel leaves the registers on the stack, and what
 * was copied last is in them. That is below the frame of whoever calls this.
 */
__attribute__((noinline)) static void
wipe_signal_frames(void)
{
	char frames[SIGNAL_FRAMES_LEN];

	stls_wipe(frames, sizeof(frames));
}

int
command_first_line(struct stls_err *err, const char *what, const char *command,
    const struct identity *identity, size_t len_max, stls_deadline deadline,
    struct stls_secret *out_line)
{
	CLEANUP(environment_done) struct environment environment;
	struct child child = { .out = -1, .line.len_max = len_max };
	int r;

	if (!environment_init(&environment, identity))
		return stls_err_set(err, EX_OSERR, "out of memory");
	r = run(err, what, command, environment.vars, deadline, &child);
	wipe_signal_frames();
	if (r == 0)
		r = first_line_take(err, what, &child.line, out_line);
	first_line_done(&child.line);
	return r;
}
