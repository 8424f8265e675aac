/* SPDX-License-Identifier: MIT */
#include "tls/verify.h"

#include "base/cleanup.h"
#include "tls/anchors.h"
#include "tls/chain.h"
#include "tls/hostname.h"
#include "tls/ocsp.h"
#include "tls/path.h"
#include "tls/rules.h"

/* The anchor counts: GnuTLS accepts none that has expired. */
static time_t
end_of(const struct stls_path *path)
{
	time_t until = gnutls_x509_crt_get_expiration_time(path->cert[0]), end;
	size_t i;

	for (i = 1; i < path->count; i++) {
		end = gnutls_x509_crt_get_expiration_time(path->cert[i]);
		if (end < until)
			until = end;
	}
	return until;
}

/*
 * What the digest does not tell must not change: a revocation list ends when it
 * says, and a store of the system may be asked anew each time.
 */
static bool
may_remember(const struct stls_verify *verify)
{
	return verify->verdicts != NULL && verify->trust->crls == 0 &&
	    !verify->trust->is_live;
}

static int
look_closely(struct stls_err *err, const struct stls_verify *verify,
    gnutls_session_t session, time_t *out_until)
{
	CLEANUP(stls_chain_done) struct stls_chain chain = { .count = 0 };
	CLEANUP(stls_anchors_done) struct stls_anchors anchors = { 0 };
	CLEANUP(stls_path_done) struct stls_path path = { .count = 0 };
	bool is_server = verify->purpose == SMTPTLS_SERVER_AUTH;
	time_t until;
	int r;

	r = stls_chain_init(
	    err, &chain, session, is_server ? "the server" : "the client");
	if (r < 0)
		return r;
	r = stls_anchors_init_chain(&anchors, err, verify->trust, &chain);
	if (r < 0)
		return r;
	r = stls_path_find(err, verify, &anchors, &chain, &path);
	if (r < 0)
		return r;
	until = end_of(&path);
	r = stls_ocsp_check(err, verify, session, &path, &until);
	if (r < 0)
		return r;
	if (verify->host != NULL)
		r = stls_hostname_match(err, chain.cert[0], verify->host);
	if (r < 0)
		return r;
	*out_until = until;
	return SMTPTLS_OK;
}

static int
look(struct stls_err *err, const struct stls_verify *verify,
    gnutls_session_t session, time_t *out_until)
{
	unsigned char about[STLS_DIGEST_LEN];
	time_t now = time(NULL);
	int r;

	if (!may_remember(verify) ||
	    !stls_verdict_about(session, verify->host, about))
		return look_closely(err, verify, session, out_until);
	if (stls_verdicts_find(verify->verdicts, about, now, out_until))
		return SMTPTLS_OK;
	r = look_closely(err, verify, session, out_until);
	if (r == SMTPTLS_OK)
		stls_verdicts_add(verify->verdicts, about, now, *out_until);
	return r;
}

/*
 * Whoever has sent the certificate has the key, says the handshake; so this is
 * about the first certificate, whatever else is in the chain. The sentence has
 * the pin that would have been right, for who knows that the key is new.
 */
static int
check_pins(struct stls_err *err, const struct stls_verify *verify,
    gnutls_session_t session)
{
	CLEANUP(stls_chain_done) struct stls_chain chain = { .count = 0 };
	unsigned char pin[STLS_PIN_LEN];
	char text[STLS_PIN_TEXT_LEN + 1], label[STLS_LABEL_MAX];
	int r;

	r = stls_chain_init(err, &chain, session, "the server");
	if (r < 0)
		return r;
	stls_rules_label(label, sizeof(label), verify, chain.cert[0], 0);
	if (!stls_pin_of_cert(chain.cert[0], pin))
		return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
		    "%s has a key of which no pin can be made", label);
	if (stls_pins_has(verify->pins, pin))
		return SMTPTLS_OK;
	stls_pin_format(text, pin);
	return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
	    "%s has a key that is not pinned (its pin is %s)", label, text);
}

int
stls_verify_peer(struct stls_err *err, const struct stls_verify *verify,
    gnutls_session_t session, time_t *out_until)
{
	int r = SMTPTLS_OK;

	if (!verify->takes_any_cert)
		r = look(err, verify, session, out_until);
	if (r < 0 || verify->pins == NULL || verify->pins->count == 0)
		return r;
	return check_pins(err, verify, session);
}
