/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_SERVER_TLS_H
#define STLS_TEST_SERVER_TLS_H

#include "client/server-visit.h"

/* The TLS side: what the options want of it; fails the test where it cannot. */
void visit_host_tls_init(struct visit_host *host);
void visit_host_tls_done(struct visit_host *host);

/* From now on it speaks inside of TLS. */
bool visit_shake_hands(struct visit *v, bool drips);

/* False with a complaint where the client takes it. */
bool visit_handshake_fails(struct visit *v);

/* Each line in a record of its own, all in one piece. */
void visit_write_records(struct visit *v, const char *text, size_t len);

#endif
