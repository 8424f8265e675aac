/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SPOOL_OPTIONS_H
#define SENDMAIL_SPOOL_OPTIONS_H

#include "base/err.h"
#include "settings/mail-options.h"
#include "settings/settings.h"
#include "spool/file.h"

/* The name of the account that the settings are of, "" for none. */
const char *spool_account_of(const struct settings *settings);

/* Note what is asked for a message. EX_OSERR. */
int spool_options_add(struct stls_err *err, const struct mail_options *options,
    struct spool_message *message);

/* What was noted. EX_DATAERR: a name or value that is none of ours. */
int spool_options_get(struct stls_err *err, const struct spool_message *message,
    struct mail_options *out_options);

#endif
