/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SPOOL_STATE_H
#define SENDMAIL_SPOOL_STATE_H

#include <stddef.h>

#include "client/transfer.h"
#include "spool/file.h"

/*
 * What became of a recipient, as the spool sees it. Where the message as a
 * whole cannot be sent to this server (status 64 or 65), nobody waits.
 */
enum spool_state spool_state_of(const struct transfer *transfer, size_t i);

#endif
