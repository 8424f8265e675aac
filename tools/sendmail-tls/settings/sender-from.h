/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SETTINGS_SENDER_FROM_H
#define SENDMAIL_SETTINGS_SENDER_FROM_H

#include "base/err.h"

/* The From that a message gets. */
struct sender_from {
	char *address; /* NULL: there is none, which matters if it is needed */
	char *name;    /* NULL: none */
};

/*
 * Take `Name <address>` apart, or an address alone: EX_DATAERR: it is none;
 * EX_OSERR. A bare name stays one where `domain` is NULL.
 */
int sender_from_parse(struct stls_err *err, const char *text,
    const char *domain, struct sender_from *out_from);

/* Copes with a zeroed struct. */
void sender_from_done(struct sender_from *from);

#endif
