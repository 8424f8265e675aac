/* SPDX-License-Identifier: MIT */
/*
 * Each test is a process of its own, by Check, and gives up what it is about.
 * Where the system lacks seccomp(2), as Valgrind does, nothing is to be seen.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/seccomp.h>

#include "common/narrow-linux.h"
#include "test.h"

#define LANDLOCK_CREATE_RULESET 444
#define PAGE 4096

static const bool is_instrumented = NARROW_INSTRUMENTED;

/* --- memory --------------------------------------------------------------- */

static void *
map(int protection)
{
	return mmap(NULL, PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

START_TEST(no_core_is_dumped_and_nobody_may_look)
{
	struct rlimit limit = { 1, 1 };

	ck_assert_ok(narrow_memory());
	ck_assert_ok(getrlimit(RLIMIT_CORE, &limit));
	ck_assert_uint_eq(limit.rlim_cur, 0);
	ck_assert_uint_eq(limit.rlim_max, 0);
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
}
END_TEST

/* PR_GET_MDWE: an error where the kernel has none. */
static bool
has_mdwe(void)
{
	return prctl(66, 0, 0, 0, 0) >= 0;
}

START_TEST(memory_is_writable_or_executable_and_never_becomes_both)
{
	void *page;

	/* All this is allowed before; else the test would show nothing. */
	ck_assert_ptr_ne(map(PROT_READ | PROT_WRITE | PROT_EXEC), MAP_FAILED);
	page = map(PROT_READ | PROT_WRITE);
	ck_assert_ok(mprotect(page, PAGE, PROT_READ | PROT_EXEC));

	if (_i == 0) {
		if (!has_mdwe())
			return;
		ck_assert_ok(narrow_memory());
	} else {
		ck_assert_ok(narrow_calls(NARROW_CLIENT));
	}
	ck_assert_ptr_eq(map(PROT_READ | PROT_WRITE | PROT_EXEC), MAP_FAILED);
	page = map(PROT_READ | PROT_WRITE);
	ck_assert_ptr_ne(page, MAP_FAILED);
	ck_assert_int_lt(mprotect(page, PAGE, PROT_READ | PROT_EXEC), 0);
	ck_assert_ok(mprotect(page, PAGE, PROT_READ));
	/* A library is loaded in this way. */
	ck_assert_ptr_ne(map(PROT_READ | PROT_EXEC), MAP_FAILED);
}
END_TEST

START_TEST(program_that_is_started_may_do_what_it_likes_with_its_memory)
{
	int status;
	pid_t pid;

	ck_assert_ok(narrow_memory());
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(map(PROT_READ | PROT_WRITE | PROT_EXEC) == MAP_FAILED);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* --- calls ---------------------------------------------------------------- */

/* With these arguments each of them fails in another way if it is let in. */
static const struct {
	const char *name;
	long number;
	long arguments[4];
	int errnum;
	bool is_kept_if_instrumented;
} refused[] = {
	{ "execve", SYS_execve, { 0 }, EPERM, true },
	{ "execveat", SYS_execveat, { -1 }, EPERM, true },
#ifdef SYS_clone3
	{ "clone3", SYS_clone3, { 0 }, ENOSYS, true },
#endif
	{ "ptrace", SYS_ptrace, { -1, -1 }, EPERM, true },
	{ "process_vm_readv", SYS_process_vm_readv, { -1 }, EPERM, false },
	{ "process_vm_writev", SYS_process_vm_writev, { -1 }, EPERM, false },
	{ "bpf", SYS_bpf, { -1 }, EPERM, false },
	{ "perf_event_open", SYS_perf_event_open, { 0 }, EPERM, false },
	{ "userfaultfd", SYS_userfaultfd, { -1 }, EPERM, false },
	{ "io_uring_setup", SYS_io_uring_setup, { 0 }, EPERM, false },
	{ "keyctl", SYS_keyctl, { -1 }, EPERM, false },
	{ "unshare", SYS_unshare, { 0x10000000 }, EPERM, false },
	{ "setns", SYS_setns, { -1 }, EPERM, false },
	{ "mount", SYS_mount, { 0 }, EPERM, false },
	{ "chroot", SYS_chroot, { 0 }, EPERM, false },
	{ "open_by_handle_at", SYS_open_by_handle_at, { -1 }, EPERM, false },
	{ "reboot", SYS_reboot, { 0 }, EPERM, false },
	{ "init_module", SYS_init_module, { 0 }, EPERM, false },
	{ "clock_settime", SYS_clock_settime, { -1 }, EPERM, false },
	{ "personality", SYS_personality, { 0xffffffff }, EPERM, false },
	{ "ioctl TIOCSTI", SYS_ioctl, { -1, TIOCSTI }, EPERM, false },
	{ "ioctl TIOCLINUX", SYS_ioctl, { -1, TIOCLINUX }, EPERM, false },
	/* The kernel looks at 32 bits of it. */
	{ "ioctl TIOCSTI with more bits", SYS_ioctl,
	    { -1, TIOCSTI | (long)0x700000000 }, EPERM, false },
	{ "socket AF_PACKET", SYS_socket, { AF_PACKET, SOCK_RAW }, EAFNOSUPPORT,
	    false },
	{ "socket AF_ALG", SYS_socket, { AF_ALG, SOCK_SEQPACKET }, EAFNOSUPPORT,
	    false },
	{ "socket AF_VSOCK", SYS_socket, { AF_VSOCK, SOCK_STREAM },
	    EAFNOSUPPORT, false },
};

static int
error_of(int row)
{
	const long *a = refused[row].arguments;

	errno = 0;
	syscall(refused[row].number, a[0], a[1], a[2], a[3], 0L, 0L);
	return errno;
}

/* Some of them nobody may do who is not root; then nothing is to be seen. */
START_TEST(call_is_refused)
{
	bool is_server = _i % 2 != 0;
	int row = _i / 2, before = error_of(row), after;

	ck_assert_ok(narrow_calls(is_server ? NARROW_SERVER : NARROW_CLIENT));
	after = error_of(row);
	if (is_instrumented && refused[row].is_kept_if_instrumented)
		return;
	/* A server opens none of any kind. */
	if (is_server && refused[row].number == SYS_socket)
		ck_assert_int_eq(after, EPERM);
	else
		ck_assert_msg(after == refused[row].errnum, "%s: %s",
		    refused[row].name, strerror(after));
	/* A kernel may have been built without it. */
	if (geteuid() == 0)
		ck_assert_msg(before != after || before == ENOSYS ||
			before == EAFNOSUPPORT,
		    "%s fails like this anyway", refused[row].name);
}
END_TEST

START_TEST(rights_are_not_gained)
{
	ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	ck_assert_ok(narrow_calls(NARROW_CLIENT));
	ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	ck_assert_int_eq(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 2);
}
END_TEST

START_TEST(no_process_is_made)
{
	pid_t pid;

	ck_assert_ok(narrow_calls(NARROW_CLIENT));
	pid = fork();
	if (pid == 0)
		_exit(0);
	ck_assert_int_eq(pid, -1);
	ck_assert_int_eq(errno, EPERM);
#ifdef SYS_fork
	ck_assert_int_eq(syscall(SYS_fork), -1);
#endif
}
END_TEST

static int pipe_fds[2];

static void *
refused_in_thread(void *arg)
{
	char c;

	(void)arg;
	if (read(pipe_fds[0], &c, 1) != 1)
		return NULL;
	return (void *)(intptr_t)(syscall(SYS_bpf, -1) < 0 ? errno : -1);
}

START_TEST(thread_that_was_there_before_is_narrowed_too)
{
	void *result = NULL;
	pthread_t thread;

	ck_assert_ok(pipe(pipe_fds));
	ck_assert_ok(pthread_create(&thread, NULL, refused_in_thread, NULL));
	ck_assert_ok(narrow_calls(NARROW_CLIENT));
	ck_assert_int_eq(write(pipe_fds[1], "x", 1), 1);
	ck_assert_ok(pthread_join(thread, &result));
	ck_assert_int_eq((intptr_t)result, EPERM);
}
END_TEST

static void *
return_argument(void *arg)
{
	return arg;
}

START_TEST(client_does_what_clients_do)
{
	struct addrinfo *found = NULL;
	void *result = NULL;
	pthread_t thread;
	int fd;

	ck_assert_ok(narrow_memory());
	ck_assert_ok(narrow_calls(NARROW_CLIENT));
	/* Narrowed twice is narrowed. */
	ck_assert_ok(narrow_calls(NARROW_CLIENT));
	ck_assert_ok(pthread_create(&thread, NULL, return_argument, &fd));
	ck_assert_ok(pthread_join(thread, &result));
	ck_assert_ptr_eq(result, &fd);
	ck_assert_ok(getaddrinfo("localhost", "25", NULL, &found));
	freeaddrinfo(found);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_ge(fd, 0);
	close(fd);
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(raise(0), 0);
}
END_TEST

START_TEST(server_accepts_and_connects_nowhere)
{
	struct sockaddr_storage address = { .ss_family = AF_INET };
	socklen_t len = sizeof(address);
	int listener, client, fd;

	listener = socket(AF_INET, SOCK_STREAM, 0);
	client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_ok(listen(listener, 1));
	ck_assert_ok(
	    getsockname(listener, (struct sockaddr *)(void *)&address, &len));
	connect(client, (struct sockaddr *)(void *)&address, len);
	ck_assert_ok(narrow_calls(NARROW_SERVER));
	fd = accept(listener, NULL, NULL);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(send(fd, "x", 1, 0), 1);
	ck_assert_int_eq(socket(AF_INET, SOCK_STREAM, 0), -1);
	ck_assert_int_eq(
	    connect(client, (struct sockaddr *)(void *)&address, len), -1);
	ck_assert_int_eq(errno, EPERM);
}
END_TEST

#ifdef __x86_64__
static long
call_as_i386(long number)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number)
			 : "memory", "r8", "r9", "r10", "r11");
	return result;
}

/* The same numbers mean other calls there, so none of them is let through. */
START_TEST(calls_of_other_architectures_are_refused)
{
	const long getpid_of_i386 = 20, getpid_of_x32 = 0x40000000 + 39;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (call_as_i386(getpid_of_i386) != getpid())
			_exit(0);
		if (narrow_calls(NARROW_CLIENT) != 0)
			_exit(1);
		_exit(call_as_i386(getpid_of_i386) == -ENOSYS ? 0 : 2);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	/* A kernel without them has a signal for it. */
	ck_assert_msg(status == 0 || WIFSIGNALED(status), "status %d", status);
	ck_assert_ok(narrow_calls(NARROW_CLIENT));
	ck_assert_int_eq(syscall(getpid_of_x32), -1);
	ck_assert_int_eq(errno, ENOSYS);
}
END_TEST
#endif

/* --- files ---------------------------------------------------------------- */

static char folder[64];

static void
make_folder(void)
{
	strcpy(folder, "/tmp/test-narrow-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_ok(chdir(folder));
	ck_assert_ok(mkdir("tmp", 0700));
	ck_assert_ok(mkdir("new", 0700));
}

/* By the parent, which may. */
static void
remove_folder(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static int
try(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static void
check_what_is_left(void)
{
	ck_assert_ok(try("tmp/1", O_WRONLY | O_CREAT | O_EXCL));
	ck_assert_ok(rename("tmp/1", "new/1"));
	ck_assert_ok(unlink("new/1"));
}

static void
check_what_is_refused(void)
{
	const struct sockaddr_storage any = { .ss_family = AF_INET };
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(try("/etc/passwd", O_RDONLY), EACCES);
	ck_assert_int_eq(try("..", O_RDONLY | O_DIRECTORY), EACCES);
	ck_assert_int_eq(try("../x", O_WRONLY | O_CREAT), EACCES);
	ck_assert_int_eq(rename("new", "../y"), -1);
	ck_assert_int_eq(symlink("a", "new/l"), -1);
	ck_assert_int_eq(errno, EACCES);
	if (syscall(LANDLOCK_CREATE_RULESET, NULL, 0, 1) < 4)
		return;
	ck_assert_int_eq(
	    bind(fd, (const struct sockaddr *)(const void *)&any, 16), -1);
	ck_assert_int_eq(errno, EACCES);
}

static int
in_child(void (*check)(void), const struct narrow_place *places, size_t count)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		ck_assert_ok(narrow_files(places, count));
		check();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static bool
has_landlock(void)
{
	return !is_instrumented &&
	    syscall(LANDLOCK_CREATE_RULESET, NULL, 0, 1) >= 2;
}

START_TEST(files_are_made_in_their_folder_and_nowhere_else)
{
	const struct narrow_place places[] = { { folder, true }, { NULL, true },
		{ "/nonexistent/x", false } };
	int left, rest;

	if (!has_landlock())
		return;
	make_folder();
	left = in_child(check_what_is_left, places, 3);
	rest = in_child(check_what_is_refused, places, 3);
	remove_folder();
	ck_assert_int_eq(left, 0);
	ck_assert_int_eq(rest, 0);
}
END_TEST

static void
check_device(void)
{
	ck_assert_ok(try("/dev/null", O_WRONLY | O_TRUNC));
	ck_assert_int_eq(try("/dev/zero", O_WRONLY), EACCES);
	ck_assert_int_eq(try("/dev/null", O_RDONLY), EACCES);
}

static void
check_pipe(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", pipe_fds[1]);
	ck_assert_ok(try(path, O_WRONLY));
}

START_TEST(device_or_pipe_is_written_to)
{
	const struct narrow_place device = { "/dev/null", false };
	struct narrow_place end = { NULL, false };
	char path[64];

	if (!has_landlock())
		return;
	ck_assert_int_eq(in_child(check_device, &device, 1), 0);
	ck_assert_ok(pipe(pipe_fds));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", pipe_fds[1]);
	end.path = path;
	ck_assert_int_eq(in_child(check_pipe, &end, 1), 0);
}
END_TEST

/* --- what is lacking ------------------------------------------------------ */

START_TEST(what_a_system_lacks_is_no_error)
{
	ck_assert_int_eq(narrow_lacks(ENOSYS), 0);
	ck_assert_int_eq(narrow_lacks(EINVAL), 0);
	ck_assert_int_eq(narrow_lacks(EPERM), 0);
	ck_assert_int_eq(narrow_lacks(EOPNOTSUPP), 0);
	ck_assert_int_eq(narrow_lacks(EACCES), -EACCES);
	ck_assert_int_eq(narrow_lacks(ENOMEM), -ENOMEM);
}
END_TEST

int
main(void)
{
	const uint32_t action = SECCOMP_RET_ALLOW;
	Suite *suite;
	TCase *tcase;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0)
		return 77;
	suite = suite_create("narrow");
	tcase = tcase_create("narrow");
	tcase_add_test(tcase, no_core_is_dumped_and_nobody_may_look);
	tcase_add_loop_test(tcase,
	    memory_is_writable_or_executable_and_never_becomes_both, 0, 2);
	tcase_add_test(tcase,
	    program_that_is_started_may_do_what_it_likes_with_its_memory);
	tcase_add_loop_test(tcase, call_is_refused, 0, 2 * (int)COUNT(refused));
	tcase_add_test(tcase, rights_are_not_gained);
	if (!is_instrumented)
		tcase_add_test(tcase, no_process_is_made);
	tcase_add_test(tcase, thread_that_was_there_before_is_narrowed_too);
	tcase_add_test(tcase, client_does_what_clients_do);
	tcase_add_test(tcase, server_accepts_and_connects_nowhere);
#ifdef __x86_64__
	tcase_add_test(tcase, calls_of_other_architectures_are_refused);
#endif
	tcase_add_test(tcase, files_are_made_in_their_folder_and_nowhere_else);
	tcase_add_test(tcase, device_or_pipe_is_written_to);
	tcase_add_test(tcase, what_a_system_lacks_is_no_error);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
