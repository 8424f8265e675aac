/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SETTINGS_VALUES_H
#define SENDMAIL_SETTINGS_VALUES_H

#include "config/options.h"

/*
 * What the options of a configuration do with their values, as option_apply
 * has it: files and where passwords come from, senders, the account.
 */
int settings_set_path(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_path_or_uri(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_path_or_none(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_sender_address(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_envelope_from(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_aliases_file(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_spool(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_log(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_account(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_password(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_keyring(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_credential(
    struct stls_err *err, void *target, const struct option_use *use);

#endif
