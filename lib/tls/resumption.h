/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_RESUMPTION_H
#define STLS_TLS_RESUMPTION_H

#include <stdbool.h>
#include <time.h>

#include <smtptls/session.h>

/* Whether the server gave something to come back with. */
bool stls_session_can_be_saved(const struct smtptls_session *session);

/* Whether it is of no use any more, nor will ever be. */
bool stls_resumption_is_over(
    const struct smtptls_resumption *resumption, time_t now);

#endif
