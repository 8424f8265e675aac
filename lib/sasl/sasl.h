/* SPDX-License-Identifier: MIT */
#ifndef STLS_SASL_SASL_H
#define STLS_SASL_SASL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

/* What a client may authenticate with; strings are borrowed. */
struct stls_sasl_credentials {
	const char *authzid; /* whom to act as; NULL or "": as who it is */
	const char *user;    /* NULL: none */
	const struct stls_secret *password;
	const struct stls_secret *token; /* OAuth 2.0, in the place of it */
	const char *host;		 /* the server that a token is for */
	uint16_t port;
	bool external;		    /* the certificate is the credential */
	const char *only_mechanism; /* NULL: any */
};

/* What a mechanism stands on. */
enum stls_sasl_proof {
	STLS_SASL_PASSWORD,
	STLS_SASL_TOKEN,
	STLS_SASL_CERTIFICATE
};

/* A mechanism (RFC 4422). The table of them goes from strong to weak. */
struct stls_sasl_mechanism {
	const char *name;
	bool client_first; /* has an initial response */
	enum stls_sasl_proof proof;
	/*
	 * Give answer number `round`, counted from 0, into *response, which is
	 * empty when it is called. Where client_first, answer 0 may go as the
	 * initial response: its challenge is empty. SMTPTLS_E_AUTH: the server
	 * asked for more than there is.
	 */
	int (*respond)(struct stls_err *err,
	    const struct stls_sasl_credentials *credentials, unsigned int round,
	    const char *challenge, size_t challenge_len,
	    struct stls_secret *response);
};

/*
 * Choose the first mechanism of the table that the server offers (a list of
 * names separated by blanks, any case) and the credentials allow.
 * SMTPTLS_E_AUTH with a sentence that names both lists where there is none.
 * An empty user name, password or token is none (RFC 4616 section 2). Where
 * there is a token no password is used.
 */
int stls_sasl_choose(struct stls_err *err,
    const struct stls_sasl_credentials *credentials, const char *offered,
    const struct stls_sasl_mechanism **out_mechanism);

/* Whether a name is one of the table, in any case. */
bool stls_sasl_is_known(const char *name);

/*
 * Whether text may be a user name or password: UTF-8, no control character,
 * at most STLS_SASL_TEXT_MAX octets.
 */
#define STLS_SASL_TEXT_MAX 4096
bool stls_sasl_is_text(const char *text);

/*
 * Whether text may be a token: the b64token of RFC 6750 section 2.1, of at most
 * STLS_SASL_TOKEN_MAX octets. With the name of a user and of a server it fits a
 * line of STLS_AUTH_LINE_MAX in base64.
 */
#define STLS_SASL_TOKEN_MAX 8192
bool stls_sasl_is_token(const char *text);

#endif
