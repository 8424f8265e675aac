/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "net/fake-names.h"
#include "net/resolver.h"

#define WAIT_MS 20000

static struct stls_err err;

static struct stls_host
host_of(const char *text)
{
	struct stls_host host;

	ck_assert_ok(stls_host_parse(&err, text, strlen(text), &host));
	return host;
}

static struct stls_resolver *
start(const char *name)
{
	struct stls_host host = host_of(name);
	struct stls_resolver *resolver = NULL;

	ck_assert_ok(stls_resolver_start(&err, &host, 587, &resolver));
	ck_assert_ptr_nonnull(resolver);
	ck_assert_str_eq(stls_resolver_name(resolver), name);
	return resolver;
}

static size_t count;

static int
take(struct stls_resolver *resolver, struct stls_endpoint **out_list,
    bool *out_does_not_exist)
{
	return stls_resolver_take(
	    resolver, &err, out_list, &count, out_does_not_exist);
}

static void
wait_for(const struct stls_resolver *resolver)
{
	struct pollfd pfd = { .fd = stls_resolver_fd(resolver),
		.events = POLLIN };

	ck_assert_int_eq(poll(&pfd, 1, WAIT_MS), 1);
	ck_assert_int_eq(pfd.revents, POLLIN);
}

START_TEST(addresses_are_there_when_the_descriptor_says_so)
{
	struct stls_endpoint *list = NULL;
	struct stls_resolver *resolver;
	bool gone = false;

	fake_names_add("192.0.2.1", 587);
	fake_names_add("2001:db8::1", 587);
	resolver = start("mail.example.org");
	wait_for(resolver);
	ck_assert_ok(take(resolver, &list, &gone));
	ck_assert(!gone);
	ck_assert_uint_eq(count, 2);
	ck_assert_int_eq(list[0].sock.any.sa_family, AF_INET);
	ck_assert_int_eq(list[1].sock.any.sa_family, AF_INET6);
	ck_assert_uint_eq(list[1].len, sizeof(struct sockaddr_in6));
	ck_assert_int_eq(list[1].sock.in6.sin6_port, htons(587));
	stls_resolver_free(resolver);
	ck_assert_int_eq(fake_names_lists(), 0);
	free(list);
}
END_TEST

START_TEST(addresses_nobody_took_are_freed)
{
	struct stls_resolver *resolver;

	fake_names_add("192.0.2.1", 587);
	resolver = start("mail.example.org");
	wait_for(resolver);
	ck_assert_int_eq(fake_names_lists(), 1);
	stls_resolver_free(resolver);
}
END_TEST

START_TEST(take_before_the_answer_is_again)
{
	struct stls_endpoint *list = NULL;
	struct stls_resolver *resolver;
	struct pollfd pfd;
	bool gone;

	fake_names_add("192.0.2.1", 587);
	fake_names_hang();
	resolver = start("mail.example.org");
	ck_assert_int_eq(take(resolver, &list, &gone), SMTPTLS_AGAIN);
	pfd = (struct pollfd){ .fd = stls_resolver_fd(resolver),
		.events = POLLIN };
	ck_assert_int_eq(poll(&pfd, 1, 0), 0);
	ck_assert_ptr_null(list);

	fake_names_let_go();
	wait_for(resolver);
	ck_assert_ok(take(resolver, &list, &gone));
	free(list);
	stls_resolver_free(resolver);
}
END_TEST

static const struct failure {
	int status;
	int errnum;
	int code;
	bool does_not_exist;
	const char *sentence;
} failures[] = {
	{ EAI_NONAME, 0, SMTPTLS_E_RESOLVE, true,
	    "host mail.example.org does not exist" },
#ifdef EAI_NODATA
	{ EAI_NODATA, 0, SMTPTLS_E_RESOLVE, true,
	    "host mail.example.org has no address" },
#endif
#ifdef EAI_ADDRFAMILY
	{ EAI_ADDRFAMILY, 0, SMTPTLS_E_RESOLVE, true,
	    "host mail.example.org has no address" },
#endif
	{ EAI_AGAIN, 0, SMTPTLS_E_RESOLVE, false,
	    "the name service does not answer for mail.example.org" },
	{ EAI_FAIL, 0, SMTPTLS_E_RESOLVE, false,
	    "resolving mail.example.org: " },
	{ EAI_SYSTEM, EMFILE, SMTPTLS_E_RESOLVE, false,
	    "resolving mail.example.org: Too many open files" },
	/* What glibc says where it had no descriptor to ask with. */
	{ EAI_NONAME, EMFILE, SMTPTLS_E_RESOLVE, false,
	    "resolving mail.example.org: Too many open files" },
	/* And where it could not read whom to ask. */
	{ EAI_NONAME, EIO, SMTPTLS_E_RESOLVE, false,
	    "resolving mail.example.org: Input/output error" },
	{ EAI_NONAME, EACCES, SMTPTLS_E_RESOLVE, false,
	    "resolving mail.example.org: Permission denied" },
	{ EAI_MEMORY, 0, SMTPTLS_E_NOMEM, false, "out of memory" },
};

START_TEST(failure_tells_final_from_passing)
{
	const struct failure *t = &failures[_i];
	struct stls_endpoint *list = NULL;
	struct stls_resolver *resolver;
	bool does_not_exist = !t->does_not_exist;

	fake_names_fail(t->status, t->errnum);
	resolver = start("mail.example.org");
	wait_for(resolver);
	ck_assert_int_eq(take(resolver, &list, &does_not_exist), t->code);
	ck_assert_int_eq(does_not_exist, t->does_not_exist);
	ck_assert_msg(strncmp(err.text, t->sentence, strlen(t->sentence)) == 0,
	    "%s", err.text);
	ck_assert_ptr_null(list);
	stls_resolver_free(resolver);
}
END_TEST

START_TEST(answer_without_an_address_is_a_failure)
{
	struct stls_endpoint *list = NULL;
	struct stls_resolver *resolver;
	bool does_not_exist = false;

	resolver = start("mail.example.org");
	wait_for(resolver);
	ck_assert_int_eq(
	    take(resolver, &list, &does_not_exist), SMTPTLS_E_RESOLVE);
	ck_assert(does_not_exist);
	ck_assert_str_eq(err.text, "host mail.example.org has no address");
	stls_resolver_free(resolver);
}
END_TEST

START_TEST(look_up_is_in_another_thread_without_signals)
{
	struct stls_resolver *resolver;
	sigset_t before, after;
	int i;

	sigemptyset(&before);
	sigaddset(&before, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	fake_names_fail(EAI_NONAME, 0);
	resolver = start("mail.example.org");
	wait_for(resolver);
	ck_assert(fake_names_was_other_thread());
	ck_assert(fake_names_had_signals_blocked());
	stls_resolver_free(resolver);

	pthread_sigmask(SIG_SETMASK, NULL, &after);
	for (i = 1; i < SIGSYS; i++)
		ck_assert_int_eq(sigismember(&after, i), i == SIGUSR2);
}
END_TEST

/* As glibc does where thread-local data takes more than the stack has. */
static size_t stack_need;

int fake_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
    void *(*run)(void *), void *arg) __asm__("pthread_create");

int
fake_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
    void *(*run)(void *), void *arg)
{
	int (*real)(
	    pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	size_t size = 0;

	ck_assert_ok(pthread_attr_getstacksize(attr, &size));
	if (size < stack_need)
		return EINVAL;
	*(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
	return real(thread, attr, run, arg);
}

START_TEST(thread_has_the_stack_that_the_system_wants)
{
	struct stls_endpoint *list = NULL;
	struct stls_resolver *resolver;
	bool gone;

	stack_need = 1024 * 1024;
	fake_names_add("192.0.2.1", 587);
	resolver = start("mail.example.org");
	wait_for(resolver);
	ck_assert_ok(take(resolver, &list, &gone));
	free(list);
	stls_resolver_free(resolver);
}
END_TEST

START_TEST(addresses_without_memory_are_nomem)
{
	struct stls_endpoint *list = NULL;
	struct stls_resolver *resolver;
	bool gone = false;

	fake_names_add("192.0.2.1", 587);
	resolver = start("mail.example.org");
	wait_for(resolver);
	stls_alloc_fail_at(1);
	ck_assert_int_eq(take(resolver, &list, &gone), SMTPTLS_E_NOMEM);
	stls_alloc_fail_at(0);
	ck_assert(!gone);
	ck_assert_ptr_null(list);
	stls_resolver_free(resolver);
	ck_assert_int_eq(fake_names_lists(), 0);
}
END_TEST

/* Wait until the thread has let its end of the pipe go. */
static void
wait_for_hangup(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = 0 };

	ck_assert_int_eq(poll(&pfd, 1, WAIT_MS), 1);
	ck_assert_int_eq(pfd.revents & POLLHUP, POLLHUP);
}

START_TEST(look_up_that_was_given_up_ends_by_itself)
{
	struct stls_resolver *resolver;
	int fd;

	fake_names_add("192.0.2.1", 587);
	fake_names_hang();
	resolver = start("mail.example.org");
	fd = dup(stls_resolver_fd(resolver));
	stls_resolver_free(resolver);
	fake_names_let_go();
	wait_for_hangup(fd);
	fake_names_wait_for_threads();
	ck_assert_int_eq(fake_names_lists(), 0);
	close(fd);
}
END_TEST

START_TEST(forked_child_frees_without_the_thread)
{
	struct stls_resolver *resolver;
	struct stls_endpoint *list = NULL;
	bool gone;
	int fd, status = 0;
	pid_t pid;

	fake_names_add("192.0.2.1", 587);
	fake_names_hang();
	resolver = start("mail.example.org");
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		fd = stls_resolver_fd(resolver);
		stls_resolver_free(resolver);
		/* The parent's end of the pipe is still open. */
		_exit(fcntl(fd, F_GETFD) >= 0 || fake_names_lists() != 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);

	fake_names_let_go();
	wait_for(resolver);
	ck_assert_ok(take(resolver, &list, &gone));
	free(list);
	stls_resolver_free(resolver);
}
END_TEST

START_TEST(without_a_descriptor_it_says_so)
{
	struct stls_host host = host_of("mail.example.org");
	struct stls_resolver *resolver = NULL;
	struct rlimit old, none;

	ck_assert_ok(getrlimit(RLIMIT_NOFILE, &old));
	none = old;
	none.rlim_cur = 0;
	ck_assert_ok(setrlimit(RLIMIT_NOFILE, &none));
	ck_assert_int_eq(stls_resolver_start(&err, &host, 587, &resolver),
	    SMTPTLS_E_RESOLVE);
	ck_assert_ok(setrlimit(RLIMIT_NOFILE, &old));
	ck_assert_str_eq(
	    err.text, "resolving mail.example.org: Too many open files");
	ck_assert_ptr_null(resolver);
	ck_assert_int_eq(fake_names_calls(), 0);
}
END_TEST

START_TEST(without_memory_it_is_nomem)
{
	struct stls_host host = host_of("mail.example.org");
	struct stls_resolver *resolver = NULL;

	stls_alloc_fail_at(1);
	ck_assert_int_eq(
	    stls_resolver_start(&err, &host, 587, &resolver), SMTPTLS_E_NOMEM);
	stls_alloc_fail_at(0);
	ck_assert_ptr_null(resolver);
	stls_resolver_free(NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("resolver");
	TCase *tc = tcase_create("resolver");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, addresses_are_there_when_the_descriptor_says_so);
	tcase_add_test(tc, addresses_nobody_took_are_freed);
	tcase_add_test(tc, take_before_the_answer_is_again);
	tcase_add_loop_test(
	    tc, failure_tells_final_from_passing, 0, COUNT(failures));
	tcase_add_test(tc, answer_without_an_address_is_a_failure);
	tcase_add_test(tc, look_up_is_in_another_thread_without_signals);
	tcase_add_test(tc, thread_has_the_stack_that_the_system_wants);
	tcase_add_test(tc, addresses_without_memory_are_nomem);
	tcase_add_test(tc, look_up_that_was_given_up_ends_by_itself);
	tcase_add_test(tc, forked_child_frees_without_the_thread);
	tcase_add_test(tc, without_a_descriptor_it_says_so);
	tcase_add_test(tc, without_memory_it_is_nomem);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
