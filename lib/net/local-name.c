/* SPDX-License-Identifier: MIT */
#include "net/local-name.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool
use_host_name(char *out)
{
	char name[STLS_HOST_LEN_MAX + 2];
	struct stls_host host;
	struct stls_err err;

	if (gethostname(name, sizeof(name)) < 0)
		return false;
	name[sizeof(name) - 1] = '\0';
	if (strchr(name, '.') == NULL)
		return false;
	if (stls_host_parse(&err, name, strlen(name), &host) < 0 || host.is_ip)
		return false;
	memcpy(out, host.name, strlen(host.name) + 1);
	return true;
}

/* An IPv4 client of a dual-stack socket is an IPv4 client. */
static bool
unfold(const struct sockaddr_in6 *in6, struct in_addr *out)
{
	if (!IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		return false;
	memcpy(out, &in6->sin6_addr.s6_addr[12], sizeof(*out));
	return true;
}

void
stls_local_name(int fd, char out[STLS_LOCAL_NAME_CAP])
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage storage;
	} local = { 0 };
	socklen_t len = sizeof(local);
	char text[INET6_ADDRSTRLEN];
	struct in_addr in = { .s_addr = htonl(INADDR_LOOPBACK) };

	if (use_host_name(out))
		return;
	if (getsockname(fd, &local.any, &len) == 0) {
		if (local.any.sa_family == AF_INET)
			in = local.in.sin_addr;
		if (local.any.sa_family == AF_INET6 &&
		    !unfold(&local.in6, &in)) {
			inet_ntop(
			    AF_INET6, &local.in6.sin6_addr, text, sizeof(text));
			snprintf(out, STLS_LOCAL_NAME_CAP, "[IPv6:%s]", text);
			return;
		}
	}
	inet_ntop(AF_INET, &in, text, sizeof(text));
	snprintf(out, STLS_LOCAL_NAME_CAP, "[%s]", text);
}
