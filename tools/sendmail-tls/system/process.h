/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SYSTEM_PROCESS_H
#define SENDMAIL_SYSTEM_PROCESS_H

#include <signal.h>
#include <stdbool.h>

#include "base/err.h"

/*
 * Make the process one that does not depend on what it was started with:
 * descriptors 0 to 2 are open (mailutils closes 1 and 2, and the next socket
 * would get their numbers), SIGPIPE does not kill, children can be waited for
 * although the parent ignored SIGCHLD, the umask is safe, and rights that come
 * from the file's mode bits are given up.
 *
 * *out_stdin_was_closed tells that what is now standard input is /dev/null.
 */
int process_normalise(struct stls_err *err, bool *out_stdin_was_closed);

/*
 * A time in which SIGINT, SIGTERM, SIGHUP and SIGQUIT, unless the parent
 * ignored them, and SIGCHLD do not kill but end a ppoll(2) that is given
 * `poll_mask`; everywhere else they wait. process_watch_end() restores what
 * was, and then a signal that came does what it would have done.
 */
struct process_watch {
	sigset_t poll_mask;
	sigset_t old_mask;
	struct sigaction old_child;
};

void process_watch_begin(struct process_watch *watch);
void process_watch_end(struct process_watch *watch);

/* Whether one of the deadly ones came since process_watch_begin(). */
bool process_watch_was_hit(void);

/* Call fn(arg) on the first SIGINT, SIGTERM or SIGHUP; NULL: as before. */
void process_on_interrupt(void (*fn)(void *arg), void *arg);

#endif
