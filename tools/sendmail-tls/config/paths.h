/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_CONFIG_PATHS_H
#define SENDMAIL_CONFIG_PATHS_H

#include "config/config.h"
#include "system/identity.h"

/*
 * Where the files are: that of the system in the directory that the build was
 * told, that of the user in the home directory of the password database.
 * Nothing in the environment has a say. EX_OSERR.
 */
int config_paths_get(struct stls_err *err, const struct identity *identity,
    struct config_paths *out_paths);

/* Copes with a zeroed struct. */
void config_paths_done(struct config_paths *paths);

#endif
