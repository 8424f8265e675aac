/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_CREDENTIALS_CREDENTIALS_H
#define SENDMAIL_CREDENTIALS_CREDENTIALS_H

#include "base/err.h"
#include "base/secret.h"
#include "settings/settings.h"
#include "system/identity.h"

/* Who logs in, and by what. */
struct credentials {
	struct stls_secret user;
	struct stls_secret password; /* or token, as the settings say */
};

/*
 * Get the user and the password from where the settings say, or from the
 * terminal, unless this is a dry run.
 *
 * EX_CONFIG: there is none, or the file can be read by others; EX_TEMPFAIL:
 * it took too long. The password stays unset in a dry run that would ask.
 */
int credentials_get(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, struct credentials *out_credentials);

/* Wipe and free; copes with a zeroed struct. */
void credentials_done(struct credentials *credentials);

#endif
