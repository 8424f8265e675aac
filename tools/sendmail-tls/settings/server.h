/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SETTINGS_SERVER_H
#define SENDMAIL_SETTINGS_SERVER_H

#include "config/options.h"

/* Options about how to speak to the server; each is an option_apply. */
int settings_set_url(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_connect_to(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_domain(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_ciphers(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_pipelining(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_pin(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_tls_min(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_timeout(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_auth(
    struct stls_err *err, void *target, const struct option_use *use);

#endif
