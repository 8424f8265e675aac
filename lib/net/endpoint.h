/* SPDX-License-Identifier: MIT */
#ifndef STLS_NET_ENDPOINT_H
#define STLS_NET_ENDPOINT_H

#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "name/host.h"

/*
 * More addresses of one name are not tried: a name service may give thousands.
 */
#define STLS_ENDPOINTS_MAX 128

/* Where to connect to: an IPv4 or IPv6 address and a port. */
struct stls_endpoint {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} sock;
	socklen_t len;
};

/* Of a host that is one (is_ip). */
void stls_endpoint_of(const struct stls_host *host, uint16_t port,
    struct stls_endpoint *out_endpoint);

/*
 * Those of a list of getaddrinfo(3) as an array to be given to free(3); NULL
 * and 0 where there is none. SMTPTLS_E_NOMEM.
 */
int stls_endpoints_of(struct stls_err *err, const struct addrinfo *list,
    struct stls_endpoint **out_endpoints, size_t *out_count);

/*
 * Copy the first out_count of those to be tried (RFC 8305 section 4): the
 * families take turns, that of the first address begins, and each keeps its
 * order. out_count is at most count.
 */
void stls_endpoints_interleave(const struct stls_endpoint *endpoints,
    size_t count, struct stls_endpoint *out_endpoints, size_t out_count);

/* "192.0.2.1:587", "[2001:db8::1]:465", "unix:/x" */
#define STLS_ENDPOINT_TEXT_CAP 128
void stls_endpoint_format(
    const struct sockaddr *address, char out[STLS_ENDPOINT_TEXT_CAP]);

#endif
