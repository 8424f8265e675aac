/* SPDX-License-Identifier: MIT */
#ifndef SINK_CONVERSATION_PARAMETERS_H
#define SINK_CONVERSATION_PARAMETERS_H

#include "conversation/envelope.h"

/*
 * Parse what stands behind the path of MAIL and of RCPT: words with a blank in
 * front of each. Returns NULL, or the reply that refuses.
 */
const struct sink_reply *sink_parameters_parse_mail(
    const char *args, size_t len, unsigned int offered, struct sink_path *path);
const struct sink_reply *sink_parameters_parse_rcpt(
    const char *args, size_t len, unsigned int offered, struct sink_path *path);

#endif
