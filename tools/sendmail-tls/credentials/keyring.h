/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_CREDENTIALS_KEYRING_H
#define SENDMAIL_CREDENTIALS_KEYRING_H

#include "base/deadline.h"
#include "base/err.h"
#include "base/secret.h"
#include "system/identity.h"

/*
 * Ask the keyring of the user's session for the password of a user at a host.
 * A program of its own does that, since it loads half a desktop, and may wait
 * for a person who unlocks the keyring: it is killed at the deadline.
 *
 * EX_CONFIG: there is none, there is no session, or it was built without;
 * EX_TEMPFAIL: it took too long.
 */
int keyring_lookup(struct stls_err *err, const struct identity *identity,
    const char *host, const char *user, stls_deadline deadline,
    struct stls_secret *out_password);

#endif
