/* SPDX-License-Identifier: MIT */
#include "base/fork.h"

#include <pthread.h>
#include <unistd.h>

/*
 * Only ever written in a child of fork(2), where one thread exists, so that
 * reading it needs no lock. The handler stays registered for the life of the
 * process, which is one reason why the library is linked with -z nodelete.
 */
static stls_fork_id fork_id;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
in_child(void)
{
	fork_id++;
}

static bool is_watched;

static void
watch(void)
{
	is_watched = pthread_atfork(NULL, NULL, in_child) == 0;
}

stls_fork_id
stls_fork_current(void)
{
	pthread_once(&once, watch);
	/* No memory for the handler: a system call each time, but right. */
	return is_watched ? fork_id : (stls_fork_id)getpid();
}
