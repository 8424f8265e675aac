/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_IDENTITY_H
#define SENDMAIL_IDENTITY_H

#include "base/err.h"
#include "name/host.h"

/*
 * Who runs the program and on which host: from getuid() and gethostname(),
 * never from the environment, which may be empty or lie.
 */
struct identity {
	char *user;	 /* "" where the user has no name */
	char *full_name; /* "" where there is none */
	char *home;	 /* "/" where there is none */
	/* The host's name if it is a valid one with a dot, else "". */
	char host[STLS_HOST_LEN_MAX + 1];
};

/* EX_OSERR: memory ran out. identity_done() copes with a zeroed struct. */
int identity_get(struct stls_err *err, struct identity *identity);
void identity_done(struct identity *identity);

#endif
