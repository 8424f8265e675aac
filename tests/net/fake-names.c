/* SPDX-License-Identifier: MIT */
#include "net/fake-names.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ADDRESSES_MAX 200
/* What a module of the name service may want of the stack. */
#define STACK_NEED (128 * 1024)

static struct {
	int status;
	int errnum;
	struct sockaddr_storage addresses[ADDRESSES_MAX];
	size_t count;
	bool hangs;
} answer;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static sem_t gate;
static pthread_t first_thread;
static atomic_int calls, lists;
static atomic_bool other_thread, signals_blocked;

/* Constructor: the thread of main() is the first to run. */
__attribute__((constructor)) static void
remember_first_thread(void)
{
	first_thread = pthread_self();
}

static void
make_gate(void)
{
	sem_init(&gate, 0, 0);
}

void
fake_names_fail(int status, int errnum)
{
	answer.status = status;
	answer.errnum = errnum;
}

void
fake_names_clear(void)
{
	memset(&answer, 0, sizeof(answer));
}

static bool
fill(struct sockaddr_storage *out, const char *ip, uint16_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, ip, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		return true;
	}
	if (inet_pton(AF_INET6, ip, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		return true;
	}
	return false;
}

void
fake_names_add(const char *ip, uint16_t port)
{
	if (answer.count == ADDRESSES_MAX ||
	    !fill(&answer.addresses[answer.count], ip, port))
		abort();
	answer.count++;
}

void
fake_names_hang(void)
{
	pthread_once(&once, make_gate);
	answer.hangs = true;
}

void
fake_names_let_go(void)
{
	sem_post(&gate);
}

int
fake_names_calls(void)
{
	return atomic_load(&calls);
}

bool
fake_names_was_other_thread(void)
{
	return atomic_load(&other_thread);
}

bool
fake_names_had_signals_blocked(void)
{
	return atomic_load(&signals_blocked);
}

static int
count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	int n = 0;

	if (dir == NULL)
		return 1;
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2; /* . and .. */
}

void
fake_names_wait_for_threads(void)
{
	int i;

	/* Bounded: a sanitizer may have a thread of its own. */
	for (i = 0; i < 10000 && count_threads() > 1; i++)
		sched_yield();
}

int
fake_names_lists(void)
{
	return atomic_load(&lists);
}

struct node {
	struct addrinfo info;
	struct sockaddr_storage address;
};

/* Put one in front of a list. */
static struct addrinfo *
new_node(const struct sockaddr_storage *address, struct addrinfo *next)
{
	struct node *node = calloc(1, sizeof(*node));

	if (node == NULL)
		abort();
	node->address = *address;
	node->info.ai_family = address->ss_family;
	node->info.ai_socktype = SOCK_STREAM;
	node->info.ai_addrlen = address->ss_family == AF_INET
	    ? sizeof(struct sockaddr_in)
	    : sizeof(struct sockaddr_in6);
	node->info.ai_addr = (struct sockaddr *)&node->address;
	node->info.ai_next = next;
	return &node->info;
}

static bool
are_signals_blocked(void)
{
	static const int some[] = { SIGINT, SIGTERM, SIGPIPE, SIGCHLD, SIGUSR1,
		SIGALRM };
	sigset_t mask;
	size_t i;

	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	for (i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		if (sigismember(&mask, some[i]) != 1)
			return false;
	}
	return true;
}

static void
use_stack(void)
{
	volatile char room[STACK_NEED];
	size_t i;

	for (i = 0; i < sizeof(room); i += 1024)
		room[i] = 1;
}

static void
observe(void)
{
	use_stack();
	atomic_store(
	    &other_thread, !pthread_equal(pthread_self(), first_thread));
	atomic_store(&signals_blocked, are_signals_blocked());
	atomic_fetch_add(&calls, 1);
	while (answer.hangs && sem_wait(&gate) < 0)
		;
}

int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
    struct addrinfo **res)
{
	struct addrinfo *list = NULL;
	size_t i;

	(void)node;
	(void)service;
	(void)hints;
	observe();
	errno = answer.errnum;
	if (answer.status != 0)
		return answer.status;
	for (i = answer.count; i > 0; i--)
		list = new_node(&answer.addresses[i - 1], list);
	*res = list;
	atomic_fetch_add(&lists, 1);
	return 0;
}

void
freeaddrinfo(struct addrinfo *res)
{
	struct addrinfo *next;

	atomic_fetch_sub(&lists, 1);
	for (; res != NULL; res = next) {
		next = res->ai_next;
		free(res);
	}
}
