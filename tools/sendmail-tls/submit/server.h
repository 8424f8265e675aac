/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SUBMIT_SERVER_H
#define SENDMAIL_SUBMIT_SERVER_H

#include "base/err.h"
#include "settings/settings.h"

/*
 * --submit: standard input is a connection of a user of this machine who may
 * not read what is in *settings. Take one message, with the options that are
 * about the message and no others, send it or store it as that user's, and
 * answer with the exit status and what there is to say.
 *
 * 0: it was answered, whatever the answer was. EX_USAGE: standard input is no
 * such connection; EX_TEMPFAIL: nobody is there to be answered. `own` is the
 * command line.
 */
int submit_server_run(
    struct stls_err *err, const struct words *own, struct settings *settings);

#endif
