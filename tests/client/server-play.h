/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_SERVER_PLAY_H
#define STLS_TEST_SERVER_PLAY_H

#include "client/server-visit.h"

/* Play the prologue and the script on this connection, and close it. */
void visit_play(struct visit *v, int fd, const struct step *script);

#endif
