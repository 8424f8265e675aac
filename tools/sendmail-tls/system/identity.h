/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SYSTEM_IDENTITY_H
#define SENDMAIL_SYSTEM_IDENTITY_H

#include <sys/types.h>

#include "base/err.h"
#include "name/host.h"

/*
 * Who sends and on which host: from the user database and gethostname(), never
 * from the environment, which may be empty or lie.
 */
struct identity {
	uid_t uid;
	char *user;	 /* "" where the user has no name */
	char *full_name; /* "" where there is none */
	/*
	 * Whose rights the process has, for the commands that it runs. In the
	 * submit helper that is not who sends, and what he has in his home
	 * must not become ours.
	 */
	char *login;
	char *home; /* "/" where there is none */
	/* The host's name if it is a valid one with a dot, else "". */
	char host[STLS_HOST_LEN_MAX + 1];
};

/* EX_OSERR: memory ran out. identity_done() copes with a zeroed struct. */
int identity_get(struct stls_err *err, struct identity *identity);

/* The same for a message that another user has handed to this process. */
int identity_get_of(
    struct stls_err *err, uid_t sender, struct identity *identity);
void identity_done(struct identity *identity);

#endif
