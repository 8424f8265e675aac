/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_VERDICTS_H
#define STLS_TLS_VERDICTS_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include <gnutls/gnutls.h>

#include "crypto/digest.h"
#include "name/host.h"

/*
 * What stls_verify_peer() has found good, so that it need not check the same
 * signatures at every handshake: they are most of what a resumed one costs.
 *
 * It is a memory of one context, whose trust and policy do not change, of what
 * is the same to the last byte: the name, the certificates as they were sent,
 * the staples. Then only the clock can make a difference, and a verdict holds
 * from when it was found until the first of them ends. Nothing bad is
 * remembered.
 */
#define STLS_VERDICTS_MAX 16

struct stls_verdicts {
	pthread_mutex_t lock;
	size_t next; /* the place for the next one */
	struct stls_verdict {
		unsigned char about[STLS_DIGEST_LEN];
		time_t from;
		time_t until; /* 0: none */
	} verdicts[STLS_VERDICTS_MAX];
	unsigned long used; /* how often it has helped */
};

int stls_verdicts_init(struct stls_verdicts *verdicts);
void stls_verdicts_done(struct stls_verdicts *verdicts);

/* What a verdict is about. False: that cannot be told, so ask nobody. */
bool stls_verdict_about(gnutls_session_t session, const struct stls_host *host,
    unsigned char about[STLS_DIGEST_LEN]);

/* Whether it was found good, and until when it is. */
bool stls_verdicts_find(struct stls_verdicts *verdicts,
    const unsigned char about[STLS_DIGEST_LEN], time_t now, time_t *out_until);

/* It is good, from now on until then. */
void stls_verdicts_add(struct stls_verdicts *verdicts,
    const unsigned char about[STLS_DIGEST_LEN], time_t now, time_t until);

#endif
