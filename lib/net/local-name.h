/* SPDX-License-Identifier: MIT */
#ifndef STLS_NET_LOCAL_NAME_H
#define STLS_NET_LOCAL_NAME_H

#include "name/host.h"

/* A host name, or "[IPv6:" with an address and "]". */
#define STLS_LOCAL_NAME_CAP (STLS_HOST_LEN_MAX + 1)

/*
 * The name to greet a server with (RFC 5321 section 4.1.4): gethostname(2)
 * where that is a valid name with a dot, else the literal of the local address
 * of the socket; for a unix socket that of the loopback. DNS is not asked.
 */
void stls_local_name(int fd, char out[STLS_LOCAL_NAME_CAP]);

#endif
