/* SPDX-License-Identifier: MIT */
#ifndef SINK_CONVERSATION_AUTH_H
#define SINK_CONVERSATION_AUTH_H

#include <stddef.h>

#include "base/secret.h"

/* RFC 4954 section 4: a line of an exchange, with its CRLF. */
#define SINK_AUTH_LINE_MAX 12288

/* Who may authenticate; a NULL user: nobody is asked to. */
struct sink_credentials {
	const char *user;
	struct stls_secret
	    password;		  /* not set: PLAIN and LOGIN are not there */
	struct stls_secret token; /* the same for OAUTHBEARER and XOAUTH2 */
};

enum sink_auth_result {
	SINK_AUTH_DONE = 0,
	SINK_AUTH_CHALLENGE, /* send it, and go on with the answer */
	SINK_AUTH_REFUSED,
	SINK_AUTH_CANCELLED,
	SINK_AUTH_MALFORMED,
	SINK_AUTH_UNKNOWN, /* no such mechanism */
	SINK_AUTH_NOMEM
};

enum sink_auth_step {
	SINK_AUTH_PLAIN = 0,
	SINK_AUTH_LOGIN_USER,
	SINK_AUTH_LOGIN_PASSWORD,
	SINK_AUTH_OAUTHBEARER,
	SINK_AUTH_XOAUTH2,
	/* The failure was told in a challenge, which is to be answered. */
	SINK_AUTH_OAUTHBEARER_FAILED,
	SINK_AUTH_XOAUTH2_FAILED
};

/* One exchange; zero-initialised it has not begun. */
struct sink_auth {
	enum sink_auth_step step;
	struct stls_secret user; /* what LOGIN was told first */
};

/* What EHLO says of the mechanisms that these allow. */
const char *sink_auth_offer(const struct sink_credentials *credentials);

/* Begin with what follows "AUTH ": the mechanism and an initial response. */
enum sink_auth_result sink_auth_begin(struct sink_auth *auth,
    const struct sink_credentials *credentials, const char *args, size_t len);

/* Go on with a line of the client, without its CRLF. */
enum sink_auth_result sink_auth_continue(struct sink_auth *auth,
    const struct sink_credentials *credentials, const char *line, size_t len);

/* The challenge to send, in base64. */
const char *sink_auth_challenge(const struct sink_auth *auth);

/* Wipe. */
void sink_auth_done(struct sink_auth *auth);

#endif
