/* SPDX-License-Identifier: MIT */
#ifndef STLS_SASL_MECHANISMS_H
#define STLS_SASL_MECHANISMS_H

#include "sasl/sasl.h"

/* The entries of the table in sasl.c, one file each. */
extern const struct stls_sasl_mechanism stls_sasl_external;
extern const struct stls_sasl_mechanism stls_sasl_oauthbearer;
extern const struct stls_sasl_mechanism stls_sasl_xoauth2;
extern const struct stls_sasl_mechanism stls_sasl_plain;
extern const struct stls_sasl_mechanism stls_sasl_login;

/* For a challenge to which a mechanism has no answer. */
int stls_sasl_refuse_round(
    struct stls_err *err, const struct stls_sasl_mechanism *mechanism);

#endif
