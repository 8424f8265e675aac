/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_VERIFY_H
#define STLS_TLS_VERIFY_H

#include <stdbool.h>
#include <time.h>

#include <gnutls/gnutls.h>

#include <smtptls/context.h>

#include "base/err.h"
#include "name/host.h"
#include "tls/pins.h"
#include "tls/trust.h"
#include "tls/verdicts.h"

/* What a peer is verified against. */
struct stls_verify {
	enum smtptls_purpose purpose; /* SERVER_AUTH: the peer is a server */
	const struct stls_trust *trust;
	const struct stls_host *host;	/* NULL: names are not checked */
	const struct stls_pins *pins;	/* NULL: any key will do */
	struct stls_verdicts *verdicts; /* NULL: nothing is remembered */
	bool takes_any_cert;		/* insecure: only the pins count */
	bool is_lax;			/* insecure: rules of form do not */
};

/*
 * Verify the peer of a session whose handshake is done, resumed or not: the
 * one place where that is decided. It looks at the chain with the present
 * clock, purpose, profile, revocation lists, staples, and the name.
 *
 * What was found good before, in the same context and the same to the last
 * byte, is not looked at again as long as it holds: see tls/verdicts.h. The
 * pins are looked at each time, behind all the others: they never make up for
 * one of those.
 *
 * *out_until is when the first certificate or staple of it ends: there is no
 * use in resuming the session after that. With takes_any_cert it is not
 * written.
 *
 * SMTPTLS_OK; SMTPTLS_E_CERTIFICATE with a sentence that a person can act on;
 * SMTPTLS_E_NOMEM.
 */
int stls_verify_peer(struct stls_err *err, const struct stls_verify *verify,
    gnutls_session_t session, time_t *out_until);

#endif
