/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SUBMIT_PEER_H
#define SENDMAIL_SUBMIT_PEER_H

#include <sys/types.h>

#include "base/err.h"

/*
 * Ask the kernel whose process connected to this end of a unix socket. The
 * answer is of the moment of connect(2), and nothing the peer says matters.
 *
 * EX_USAGE: the descriptor is no connected unix socket; EX_OSERR.
 */
int peer_get_uid(struct stls_err *err, int fd, uid_t *out_uid);

#endif
