/* SPDX-License-Identifier: MIT */
#include "tls/verify.h"

#include "base/cleanup.h"
#include "tls/chain.h"
#include "tls/hostname.h"
#include "tls/ocsp.h"
#include "tls/path.h"

int
stls_verify_peer(struct stls_err *err, const struct stls_verify *verify,
    gnutls_session_t session)
{
	CLEANUP(stls_chain_done) struct stls_chain chain = { .count = 0 };
	CLEANUP(stls_path_done) struct stls_path path = { .count = 0 };
	bool is_server = verify->purpose == SMTPTLS_SERVER_AUTH;
	int r;

	r = stls_chain_init(
	    err, &chain, session, is_server ? "the server" : "the client");
	if (r < 0)
		return r;
	r = stls_path_find(err, verify, &chain, &path);
	if (r < 0)
		return r;
	r = stls_ocsp_check(err, verify, session, &path);
	if (r < 0)
		return r;
	if (verify->host == NULL)
		return SMTPTLS_OK;
	return stls_hostname_match(err, chain.cert[0], verify->host);
}
