/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_ENDS_H
#define STLS_TEST_ENDS_H

#include "factory.h"
#include "peer.h"

#define ENDS_HOST "mail.example.org"

/*
 * What most tests of a session have: a server that a CA has certified, and a
 * context that trusts that CA.
 */
struct ends {
	struct factory *factory;
	const struct cert *ca;
	const struct cert *server; /* names ENDS_HOST */
	struct smtptls_context *context;
	gnutls_datum_t ticket_key;
};
extern struct ends ends;

/* Of the other end, as priorities. */
extern const char *const ends_versions[2];

/* Fixtures. */
void ends_setup(void);
void ends_teardown(void);

#endif
