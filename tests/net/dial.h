/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_DIAL_H
#define STLS_TEST_DIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/connector.h"

/* A connector, driven as its callers do it. */
#define WAIT_MS 20000
#define SHORT_MS 50

/* Of whatever failed last. */
extern struct stls_err dial_err;

/*
 * A socket on loopback with a port of its own, listening or not; -1 where the
 * machine has no such family.
 */
int dial_socket(int family, bool listens, uint16_t *out_port);

int dial_start(struct stls_connector *c, const char *text, int timeout_ms);

/* To the end; and how often only time has passed. */
int dial_drive(struct stls_connector *c, int *out_fd);
int dial_drive_and_count(
    struct stls_connector *c, int *out_fd, int *out_timeouts);

/* Until the names are there and the first address is tried, which hangs. */
void dial_drive_to_first_attempt(struct stls_connector *c);

/* To the end, and have the time pass without waiting for it. */
int dial_drive_and_skip(struct stls_connector *c, int *out_fd);

/* All in one: the socket, or the error. `out_peer` may be NULL. */
int dial(const char *text, int timeout_ms, char *out_peer, size_t cap);

#endif
