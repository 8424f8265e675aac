/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_FAKE_NETWORK_H
#define STLS_TEST_FAKE_NETWORK_H

#include "net/connector.h"

/*
 * A network for tests: it takes the place of connect(2) and socket(2) in the
 * program. Whatever the mode, connections to 192.0.2.1 hang.
 */
extern struct fake_network {
	/* What connect(2) does, besides what it does. */
	enum {
		AS_USUAL,
		INTERRUPTED,
		TO_ITSELF,
		REFUSING, /* it is everything, at once */
		HANGING,  /* it does, whatever the address */
		RESETTING /* by who accepts, before anybody looks */
	} mode;

	/* What became of IPv6 on this machine. */
	enum {
		THERE,
		WITHOUT_ROUTE,
		UNKNOWN
	} ipv6;

	int resetting; /* the listener that resets the next connection; or -1 */

	/* Addresses that were tried, "4a 6b ": the last octet. */
	char tried[8 * STLS_ENDPOINTS_MAX];
	int calls; /* of connect(2) */
} fake_network;

/* Have a connection of this descriptor hang. */
void fake_network_hang(int fd);

#endif
