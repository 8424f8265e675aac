/* SPDX-License-Identifier: MIT */
#include "tls/verdicts.h"

#include <string.h>

#include <smtptls/status.h>

#include "tls/chain.h"

int
stls_verdicts_init(struct stls_verdicts *verdicts)
{
	memset(verdicts, 0, sizeof(*verdicts));
	return pthread_mutex_init(&verdicts->lock, NULL) == 0 ? SMTPTLS_OK
							      : SMTPTLS_E_NOMEM;
}

void
stls_verdicts_done(struct stls_verdicts *verdicts)
{
	pthread_mutex_destroy(&verdicts->lock);
}

bool
stls_verdict_about(gnutls_session_t session, const struct stls_host *host,
    unsigned char about[STLS_DIGEST_LEN])
{
	const gnutls_datum_t *der;
	struct stls_digest digest;
	gnutls_datum_t staple;
	unsigned int count = 0, i;

	if (gnutls_certificate_type_get2(session, GNUTLS_CTYPE_PEERS) !=
	    GNUTLS_CRT_X509)
		return false;
	der = gnutls_certificate_get_peers(session, &count);
	if (der == NULL || count == 0 || count > STLS_CHAIN_MAX)
		return false;
	stls_digest_begin(&digest);
	stls_digest_add_str(&digest, host != NULL ? host->name : NULL);
	for (i = 0; i < count; i++) {
		if (gnutls_ocsp_status_request_get2(session, i, &staple) < 0)
			staple = (gnutls_datum_t){ NULL, 0 };
		stls_digest_add(&digest, der[i].data, der[i].size);
		stls_digest_add(&digest, staple.data, staple.size);
	}
	return stls_digest_end(&digest, about);
}

/*
 * Nobody waits for the lock: who does not get it does the work. In a forked
 * child it may never be given back.
 */
bool
stls_verdicts_find(struct stls_verdicts *verdicts,
    const unsigned char about[STLS_DIGEST_LEN], time_t now, time_t *out_until)
{
	const struct stls_verdict *verdict;
	bool found = false;
	size_t i;

	if (pthread_mutex_trylock(&verdicts->lock) != 0)
		return false;
	for (i = 0; i < STLS_VERDICTS_MAX && !found; i++) {
		verdict = &verdicts->verdicts[i];
		found = verdict->from <= now && now < verdict->until &&
		    memcmp(verdict->about, about, STLS_DIGEST_LEN) == 0;
		if (found)
			*out_until = verdict->until;
	}
	verdicts->used += found;
	pthread_mutex_unlock(&verdicts->lock);
	return found;
}

void
stls_verdicts_add(struct stls_verdicts *verdicts,
    const unsigned char about[STLS_DIGEST_LEN], time_t now, time_t until)
{
	struct stls_verdict *verdict;

	if (pthread_mutex_trylock(&verdicts->lock) != 0)
		return;
	verdict = &verdicts->verdicts[verdicts->next++ % STLS_VERDICTS_MAX];
	memcpy(verdict->about, about, STLS_DIGEST_LEN);
	verdict->from = now;
	verdict->until = until;
	pthread_mutex_unlock(&verdicts->lock);
}
