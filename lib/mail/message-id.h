/* SPDX-License-Identifier: MIT */
#ifndef STLS_MAIL_MESSAGE_ID_H
#define STLS_MAIL_MESSAGE_ID_H

#include <time.h>

#include "base/err.h"
#include "mail/address.h"

#define STLS_MESSAGE_ID_LEN_MAX STLS_PATH_LEN_MAX

/*
 * Make a message identifier (RFC 5322 section 3.6.4), with its brackets, that
 * is nobody else's: the time and 96 random bits. SMTPTLS_E_INVALID: `host` is
 * no domain or address literal.
 */
int stls_message_id_make(struct stls_err *err, time_t now, const char *host,
    char out_id[STLS_MESSAGE_ID_LEN_MAX + 1]);

#endif
