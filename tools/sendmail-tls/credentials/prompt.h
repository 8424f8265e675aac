/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_CREDENTIALS_PROMPT_H
#define SENDMAIL_CREDENTIALS_PROMPT_H

#include "base/deadline.h"
#include "base/err.h"
#include "base/secret.h"

/*
 * Ask on the terminal, with echo off. Whatever ends it, the terminal is as it
 * was before.
 *
 * EX_CONFIG: there is no terminal, or nothing was typed; EX_TEMPFAIL: the
 * deadline passed.
 */
int prompt_secret(struct stls_err *err, const char *question,
    stls_deadline deadline, struct stls_secret *out_secret);

#endif
