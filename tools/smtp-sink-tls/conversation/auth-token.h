/* SPDX-License-Identifier: MIT */
#ifndef SINK_CONVERSATION_AUTH_TOKEN_H
#define SINK_CONVERSATION_AUTH_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

/* What a client says with a token; views. */
struct sink_token {
	const char *user, *token;
	size_t user_len, token_len;
};

/*
 * Take apart the response of OAUTHBEARER (RFC 7628 section 3.1, with a user),
 * of which the name of the user is unescaped where it stands, or of XOAUTH2.
 * False: it is malformed.
 */
bool sink_token_parse_oauthbearer(
    char *text, size_t len, struct sink_token *out_token);
bool sink_token_parse_xoauth2(
    char *text, size_t len, struct sink_token *out_token);

#endif
