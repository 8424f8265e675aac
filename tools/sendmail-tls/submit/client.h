/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SUBMIT_CLIENT_H
#define SENDMAIL_SUBMIT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "settings/settings.h"

/* Where the socket unit has it. */
#define SUBMIT_SOCKET "/run/sendmail-tls/submit"

/*
 * Whether the message has to be handed over: this user cannot use what the
 * system's configuration says, or cannot write to the spool it names.
 */
bool submit_client_is_needed(const struct settings *settings);

/*
 * Whether the command line can be heeded where a conversation is handed over,
 * message by message. EX_USAGE: it has an option that is neither about the
 * messages nor about the names in them; EX_OSERR.
 */
int submit_client_check(struct stls_err *err, const struct settings *settings);

/*
 * Hand the message on standard input to the submit helper, with the options of
 * the command line that are about the message, and print what it says. The
 * status is the helper's. Where *err has no sentence, it was told already.
 *
 * EX_USAGE: an option that is not about the message; EX_NOINPUT; EX_CONFIG:
 * there is no helper; EX_TEMPFAIL: it does not answer, and has not got the
 * whole message; EX_IOERR: it has, so the outcome is in doubt.
 */
int submit_client_run(struct stls_err *err, const struct settings *settings,
    int argc, char **argv, bool stdin_was_closed);

/*
 * The same for a message that is behind a descriptor, from its start; what the
 * helper says is written to `text`, NUL-terminated.
 */
int submit_client_send(struct stls_err *err, const struct settings *settings,
    size_t count, const char *const *arguments, int content_fd, char *text,
    size_t text_cap);

/* Print what it said, or why it could not be asked, and whether in doubt. */
void submit_client_report(const struct stls_err *err, const char *text);

#endif
