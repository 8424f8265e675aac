/* SPDX-License-Identifier: MIT */
#include "net/resolver.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <smtptls/status.h>

#include "base/alloc.h"
#include "base/fork.h"
#include "net/socket.h"

/*
 * What getaddrinfo(3) and the modules of the name service need: musl would
 * give a thread 128 KiB, and glibc reserve the 8 MiB of the main thread.
 */
#define STACK_SIZE (256 * 1024)

struct stls_resolver {
	atomic_int holders; /* the caller and the thread */
	atomic_bool is_done;
	stls_fork_id made_in;
	pthread_t thread;
	int pipe[2];
	char name[STLS_HOST_LEN_MAX + 1];
	char port[6];
	/* Written by the thread before is_done, read after it: */
	int status; /* of getaddrinfo(3) */
	int errnum; /* with EAI_SYSTEM */
	struct addrinfo *addresses;
};

static int
look_up(const char *name, const char *port, struct addrinfo **out_addresses)
{
	struct addrinfo hints = {
		.ai_flags = AI_NUMERICSERV,
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
	};

	return getaddrinfo(name, port, &hints, out_addresses);
}

static bool
is_permanent(int status)
{
	switch (status) {
	case EAI_NONAME:
#ifdef EAI_NODATA
	case EAI_NODATA:
#endif
#ifdef EAI_ADDRFAMILY
	case EAI_ADDRFAMILY:
#endif
		return true;
	default:
		return false;
	}
}

/* What keeps this machine from asking says nothing about the name. */
static bool
is_of_this_machine(int errnum)
{
	return errnum == EMFILE || errnum == ENFILE || errnum == ENOMEM ||
	    errnum == ENOBUFS || errnum == EIO || errnum == EACCES;
}

static int
set_no_address(struct stls_err *err, const char *name)
{
	return stls_err_set(
	    err, SMTPTLS_E_RESOLVE, "host %s has no address", name);
}

static int
set_error(struct stls_err *err, const char *name, int status, int errnum)
{
	if (status == EAI_MEMORY)
		return stls_err_nomem(err);
	if (status == EAI_SYSTEM)
		return stls_err_errno(
		    err, SMTPTLS_E_RESOLVE, errnum, "resolving %s", name);
	if (status == EAI_NONAME)
		return stls_err_set(
		    err, SMTPTLS_E_RESOLVE, "host %s does not exist", name);
	if (is_permanent(status))
		return set_no_address(err, name);
	if (status == EAI_AGAIN)
		return stls_err_set(err, SMTPTLS_E_RESOLVE,
		    "the name service does not answer for %s", name);
	return stls_err_set(err, SMTPTLS_E_RESOLVE, "resolving %s: %s", name,
	    gai_strerror(status));
}

static void
destroy(struct stls_resolver *r)
{
	if (r->addresses != NULL)
		freeaddrinfo(r->addresses);
	if (r->pipe[0] >= 0)
		close(r->pipe[0]);
	if (r->pipe[1] >= 0)
		close(r->pipe[1]);
	free(r);
}

static void
release(struct stls_resolver *r)
{
	if (atomic_fetch_sub(&r->holders, 1) == 1)
		destroy(r);
}

/*
 * An empty pipe has place for an octet; where that fails all the same its end
 * is as good.
 */
static void
wake_up(struct stls_resolver *r)
{
	int end = r->pipe[1];

	if (write(end, "", 1) == 1)
		return;
	/* A child that is forked in between must not close it again. */
	r->pipe[1] = -1;
	close(end);
}

static void *
run(void *arg)
{
	struct stls_resolver *r = arg;

	errno = 0;
	r->status = look_up(r->name, r->port, &r->addresses);
	if (r->status != 0)
		r->addresses = NULL;
	r->errnum = errno;
	/*
	 * glibc calls a name unknown that it had no descriptor to ask for, or
	 * no right to read whom to ask.
	 */
	if (is_permanent(r->status) && is_of_this_machine(r->errnum))
		r->status = EAI_SYSTEM;
	atomic_store(&r->is_done, true);
	wake_up(r);
	release(r);
	return NULL;
}

static int
start_thread_with(struct stls_resolver *r, size_t stack_size)
{
	pthread_attr_t attr;
	int e;

	e = pthread_attr_init(&attr);
	if (e != 0)
		return e;
	/* Refused where the system needs more: then its default it is. */
	if (stack_size > 0)
		(void)pthread_attr_setstacksize(&attr, stack_size);
	e = pthread_create(&r->thread, &attr, run, r);
	pthread_attr_destroy(&attr);
	return e;
}

/* The thread gets no signal: handlers run where the program expects them. */
static int
start_thread(struct stls_resolver *r)
{
	sigset_t all, old;
	int e;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	e = start_thread_with(r, STACK_SIZE);
	/* Too little where glibc takes large thread-local data from it. */
	if (e == EINVAL)
		e = start_thread_with(r, 0);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return e;
}

int
stls_resolver_start(struct stls_err *err, const struct stls_host *host,
    uint16_t port, struct stls_resolver **out_resolver)
{
	struct stls_resolver *r;
	int e;

	r = stls_alloc_zero(sizeof(*r));
	if (r == NULL)
		return stls_err_nomem(err);
	r->pipe[0] = r->pipe[1] = -1;
	r->made_in = stls_fork_current();
	snprintf(r->name, sizeof(r->name), "%s", host->name);
	snprintf(r->port, sizeof(r->port), "%u", (unsigned int)port);

	e = stls_socket_pipe(r->pipe) < 0 ? errno : 0;
	if (e == 0) {
		atomic_init(&r->holders, 2);
		e = start_thread(r);
	}
	if (e != 0) {
		destroy(r);
		return stls_err_errno(
		    err, SMTPTLS_E_RESOLVE, e, "resolving %s", host->name);
	}
	*out_resolver = r;
	return SMTPTLS_OK;
}

const char *
stls_resolver_name(const struct stls_resolver *r)
{
	return r->name;
}

int
stls_resolver_fd(const struct stls_resolver *r)
{
	return r->pipe[0];
}

int
stls_resolver_take(struct stls_resolver *r, struct stls_err *err,
    struct stls_endpoint **out_addresses, size_t *out_count,
    bool *out_does_not_exist)
{
	int e;

	if (!atomic_load(&r->is_done))
		return SMTPTLS_AGAIN;
	if (r->status != 0) {
		*out_does_not_exist = is_permanent(r->status);
		return set_error(err, r->name, r->status, r->errnum);
	}
	e = stls_endpoints_of(err, r->addresses, out_addresses, out_count);
	if (e < 0)
		return e;
	if (*out_count == 0) {
		*out_does_not_exist = true;
		return set_no_address(err, r->name);
	}
	return SMTPTLS_OK;
}

void
stls_resolver_free(struct stls_resolver *r)
{
	if (r == NULL)
		return;
	/* The thread stayed in the parent, and will not come for it. */
	if (stls_fork_happened(r->made_in)) {
		if (!atomic_load(&r->is_done))
			r->addresses = NULL;
		destroy(r);
		return;
	}
	/* Done, it has nothing to do any more but end. */
	if (atomic_load(&r->is_done))
		pthread_join(r->thread, NULL);
	else
		pthread_detach(r->thread);
	release(r);
}
