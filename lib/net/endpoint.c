/* SPDX-License-Identifier: MIT */
#include "net/endpoint.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/alloc.h"

void
stls_endpoint_of(const struct stls_host *host, uint16_t port,
    struct stls_endpoint *out_endpoint)
{
	struct stls_endpoint *a = out_endpoint;

	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, host->name, &a->sock.in.sin_addr) == 1) {
		a->sock.in.sin_family = AF_INET;
		a->sock.in.sin_port = htons(port);
		a->len = sizeof(a->sock.in);
		return;
	}
	(void)inet_pton(AF_INET6, host->name, &a->sock.in6.sin6_addr);
	a->sock.in6.sin6_family = AF_INET6;
	a->sock.in6.sin6_port = htons(port);
	a->len = sizeof(a->sock.in6);
}

static bool
is_one(const struct addrinfo *info)
{
	return (info->ai_family == AF_INET || info->ai_family == AF_INET6) &&
	    info->ai_addrlen <= sizeof(((struct stls_endpoint *)0)->sock);
}

int
stls_endpoints_of(struct stls_err *err, const struct addrinfo *list,
    struct stls_endpoint **out_endpoints, size_t *out_count)
{
	const struct addrinfo *info;
	struct stls_endpoint *endpoints;
	size_t count = 0, i = 0;

	for (info = list; info != NULL; info = info->ai_next)
		count += is_one(info) ? 1 : 0;
	*out_endpoints = NULL;
	*out_count = 0;
	if (count == 0)
		return SMTPTLS_OK;
	endpoints = stls_alloc_array(count, sizeof(*endpoints));
	if (endpoints == NULL)
		return stls_err_nomem(err);
	for (info = list; i < count; info = info->ai_next) {
		if (!is_one(info))
			continue;
		memcpy(&endpoints[i].sock, info->ai_addr, info->ai_addrlen);
		endpoints[i++].len = info->ai_addrlen;
	}
	*out_endpoints = endpoints;
	*out_count = count;
	return SMTPTLS_OK;
}

/* The first one from `i` on that is of this family, or is not; or count. */
static size_t
find(const struct stls_endpoint *endpoints, size_t count, size_t i,
    sa_family_t family, bool is_of_it)
{
	while (i < count &&
	    (endpoints[i].sock.any.sa_family == family) != is_of_it)
		i++;
	return i;
}

void
stls_endpoints_interleave(const struct stls_endpoint *endpoints, size_t count,
    struct stls_endpoint *out_endpoints, size_t out_count)
{
	sa_family_t family = count > 0 ? endpoints[0].sock.any.sa_family
				       : AF_UNSPEC;
	size_t next[2] = { find(endpoints, count, 0, family, false), 0 };
	bool turn = true; /* of the first family */
	size_t i;

	for (i = 0; i < out_count; i++) {
		if (next[turn] == count)
			turn = !turn;
		out_endpoints[i] = endpoints[next[turn]];
		next[turn] = find(
		    endpoints, count, next[turn] + 1, family, turn);
		turn = !turn;
	}
}

void
stls_endpoint_format(
    const struct sockaddr *address, char out[STLS_ENDPOINT_TEXT_CAP])
{
	const struct sockaddr_in *in = (const void *)address;
	const struct sockaddr_in6 *in6 = (const void *)address;
	const struct sockaddr_un *un = (const void *)address;
	char text[INET6_ADDRSTRLEN];

	switch (address->sa_family) {
	case AF_INET:
		inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
		snprintf(out, STLS_ENDPOINT_TEXT_CAP, "%s:%u", text,
		    (unsigned int)ntohs(in->sin_port));
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
		snprintf(out, STLS_ENDPOINT_TEXT_CAP, "[%s]:%u", text,
		    (unsigned int)ntohs(in6->sin6_port));
		break;
	case AF_UNIX:
		snprintf(out, STLS_ENDPOINT_TEXT_CAP, "unix:");
		stls_escape(out + 5, STLS_ENDPOINT_TEXT_CAP - 5, un->sun_path,
		    strnlen(un->sun_path, sizeof(un->sun_path)));
		break;
	default:
		snprintf(out, STLS_ENDPOINT_TEXT_CAP, "address family %d",
		    (int)address->sa_family);
		break;
	}
}
