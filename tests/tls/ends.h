/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_ENDS_H
#define STLS_TEST_ENDS_H

#include "factory.h"
#include "peer.h"

/*
 * What most tests of a session have: a server that a CA has certified, and a
 * context that trusts that CA.
 */
#define HOST "mail.example.org"

extern struct factory *factory;
extern const struct cert *ca, *server;
extern struct smtptls_context *context;
extern gnutls_datum_t ticket_key;

/* Of the other end, as priorities. */
extern const char *const versions[2];

/* Fixtures. */
void ends_setup(void);
void ends_teardown(void);

#endif
