/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SETTINGS_APPLY_H
#define SENDMAIL_SETTINGS_APPLY_H

#include "config/config.h"
#include "settings/settings.h"

/* What the command line says about the choice of an account. */
struct settings_choice {
	const char *account; /* --account; NULL: not given */
	const char *sender;  /* -f; NULL: not given */
	/*
	 * The command line names a server by itself: what the files say about
	 * another one, its password above all, is not for it.
	 */
	bool url_is_given;
};

/*
 * Try every entry on settings that nobody uses: 0, EX_CONFIG with the file and
 * line of a bad value, EX_OSERR.
 */
int settings_check(struct stls_err *err, const struct config *config,
    const struct settings *empty);

/*
 * Apply to the settings what holds for all accounts, then what holds for the
 * one that is chosen: by name, by the sender, or by the key `account`.
 * *out_account is its name, "" where there is none.
 */
int settings_apply(struct stls_err *err, const struct config *config,
    const struct settings_choice *choice, struct settings *settings,
    const char **out_account);

#endif
