/* SPDX-License-Identifier: MIT */
#ifndef STLS_SMTP_CAPABILITIES_H
#define STLS_SMTP_CAPABILITIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "smtp/reply.h"

/*
 * What the server offers in its answer to EHLO (RFC 5321 section 4.1.1.1): the
 * lines behind the first, escaped. Zero-initialised it offers nothing.
 */
struct stls_capabilities {
	char **lines;
	size_t count;

	/* What the engine asks for with each message, looked up once. */
	bool pipelining;    /* RFC 2920 */
	bool chunking;	    /* RFC 3030 */
	bool has_size;	    /* RFC 1870 */
	bool eight_bit;	    /* RFC 6152 */
	bool smtputf8;	    /* RFC 6531 */
	uint64_t size_max;  /* of a message; 0: the server names none */
	uint64_t mails_max; /* MAILMAX and RCPTMAX of RFC 9422; 0: none */
	uint64_t rcpts_max;
};

/* Take over what a reply to EHLO says. SMTPTLS_E_NOMEM: offers nothing. */
int stls_capabilities_parse(
    struct stls_capabilities *capabilities, const struct stls_reply *reply);

/* Forget everything (RFC 3207 section 4.2); copes with a zeroed struct. */
void stls_capabilities_done(struct stls_capabilities *capabilities);

/*
 * The parameters of a keyword, in any case; "" where it has none, NULL where
 * it is not offered. `AUTH=LOGIN`, as servers wrote it before RFC 2554, is
 * found as AUTH where there is no other.
 */
const char *stls_capabilities_find(
    const struct stls_capabilities *capabilities, const char *keyword);

#endif
