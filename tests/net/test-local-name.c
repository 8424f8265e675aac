/* SPDX-License-Identifier: MIT */
/* Its inline gethostname() would be in the way of the one below. */
#undef _FORTIFY_SOURCE
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "net/local-name.h"

/* What this machine is called, for this program; NULL: it does not know. */
static const char *machine;

int
gethostname(char *name, size_t len)
{
	if (machine == NULL) {
		errno = ENAMETOOLONG;
		return -1;
	}
	/* As some systems do, it is cut without a NUL. */
	strncpy(name, machine, len);
	return 0;
}

/* A socket that is bound to an address of a family, on any port. */
static int
open_socket(int family, const char *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	int fd, r;

	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (family == AF_INET) {
		ck_assert_int_eq(inet_pton(AF_INET, address, &in.sin_addr), 1);
		r = bind(fd, (struct sockaddr *)&in, sizeof(in));
	} else {
		ck_assert_int_eq(
		    inet_pton(AF_INET6, address, &in6.sin6_addr), 1);
		r = bind(fd, (struct sockaddr *)&in6, sizeof(in6));
	}
	if (r < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static const struct {
	const char *machine;
	const char *wanted;
} names[] = {
	{ "mail.example.org", "mail.example.org" },
	{ "Mail.Example.ORG", "mail.example.org" },
	{ "localhost", "[127.0.0.2]" },
	{ "", "[127.0.0.2]" },
	{ "192.0.2.1", "[127.0.0.2]" },
	{ "mail.example.org\r\nRSET", "[127.0.0.2]" },
	{ "mail..example.org", "[127.0.0.2]" },
	{ NULL, "[127.0.0.2]" },
};

START_TEST(name_of_the_machine_is_said_where_it_is_a_name_with_a_dot)
{
	char name[STLS_LOCAL_NAME_CAP];
	CLEANUP(close_fd) int fd = open_socket(AF_INET, "127.0.0.2");

	ck_assert_int_ge(fd, 0);
	machine = names[_i].machine;
	stls_local_name(fd, name);
	ck_assert_str_eq(name, names[_i].wanted);
}
END_TEST

START_TEST(name_that_is_too_long_is_not_said)
{
	char name[STLS_LOCAL_NAME_CAP], text[1024];
	CLEANUP(close_fd) int fd = open_socket(AF_INET, "127.0.0.2");

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	text[30] = '.';
	machine = text;
	stls_local_name(fd, name);
	ck_assert_str_eq(name, "[127.0.0.2]");
}
END_TEST

static const struct {
	const char *address;
	const char *wanted;
} addresses[] = {
	{ "::1", "[IPv6:::1]" },
	{ "::", "[IPv6:::]" },
	/* The client of a socket for both is one of IPv4. */
	{ "::ffff:127.0.0.2", "[127.0.0.2]" },
};

START_TEST(address_of_ipv6_is_said_with_its_tag)
{
	char name[STLS_LOCAL_NAME_CAP];
	CLEANUP(close_fd) int fd = -1;

	fd = open_socket(AF_INET6, addresses[_i].address);
	/* There are machines without IPv6. */
	if (fd < 0)
		return;
	machine = "localhost";
	stls_local_name(fd, name);
	ck_assert_str_eq(name, addresses[_i].wanted);
}
END_TEST

START_TEST(what_has_no_address_says_that_of_the_loopback)
{
	char name[STLS_LOCAL_NAME_CAP];
	int fds[2];

	machine = "localhost";
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	stls_local_name(fds[0], name);
	ck_assert_str_eq(name, "[127.0.0.1]");
	close(fds[0]);
	close(fds[1]);
	stls_local_name(-1, name);
	ck_assert_str_eq(name, "[127.0.0.1]");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("local-name");
	TCase *tc = tcase_create("local-name");

	tcase_add_loop_test(tc,
	    name_of_the_machine_is_said_where_it_is_a_name_with_a_dot, 0,
	    COUNT(names));
	tcase_add_test(tc, name_that_is_too_long_is_not_said);
	tcase_add_loop_test(
	    tc, address_of_ipv6_is_said_with_its_tag, 0, COUNT(addresses));
	tcase_add_test(tc, what_has_no_address_says_that_of_the_loopback);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
