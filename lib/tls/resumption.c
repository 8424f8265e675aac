/* SPDX-License-Identifier: MIT */
#include "tls/resumption.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/secret.h"
#include "tls/session.h"

struct smtptls_resumption {
	stls_fork_id made_in;
	unsigned char context_id[STLS_CONTEXT_ID_LEN];
	struct stls_host host;
	bool has_host;
	bool sent_certificate;
	time_t until;	     /* it is of no use after that */
	gnutls_datum_t data; /* secret; GnuTLS's */
};

static int
refuse(struct smtptls_session *session, int code, const char *why)
{
	return stls_err_set(&session->err, code, "%s", why);
}

/*
 * To ask GnuTLS for the data without a ticket would, in TLS 1.3, wait for one;
 * and a session of TLS 1.2 without extended master secret is not to be resumed
 * (RFC 7627 section 5.4).
 */
bool
stls_session_can_be_saved(const struct smtptls_session *session)
{
	gnutls_session_t tls = session->tls;
	unsigned int flags = gnutls_session_get_flags(tls);
	unsigned char id[64];
	size_t len = sizeof(id);

	if (gnutls_protocol_get_version(tls) == GNUTLS_TLS1_3)
		return (flags & GNUTLS_SFLAGS_SESSION_TICKET) != 0;
	if (!(flags & GNUTLS_SFLAGS_EXT_MASTER_SECRET))
		return false;
	return (flags & GNUTLS_SFLAGS_SESSION_TICKET) != 0 ||
	    (gnutls_session_get_id(tls, id, &len) >= 0 && len > 0);
}

/* No verification succeeds after the certificate; and GnuTLS has a limit. */
static time_t
end_of(const struct smtptls_session *session)
{
	time_t end = time(NULL) + gnutls_db_get_default_cache_expiration();

	return session->verified_until < end ? session->verified_until : end;
}

int
smtptls_session_save(
    struct smtptls_session *session, struct smtptls_resumption **out_resumption)
{
	CLEANUP(free_ptr) struct smtptls_resumption *saved = NULL;
	int r;

	r = stls_session_enter(session);
	if (r < 0)
		return r;
	if (out_resumption == NULL)
		return refuse(
		    session, SMTPTLS_E_INVALID, "no place to save to");
	if (!smtptls_session_is_verified(session))
		return refuse(session, SMTPTLS_E_STATE,
		    "only a verified session is saved");
	if (session->context->purpose != SMTPTLS_SERVER_AUTH ||
	    !stls_session_can_be_saved(session))
		return refuse(session, SMTPTLS_E_UNSUPPORTED,
		    "the server gave nothing to resume this session with");
	saved = stls_alloc_zero(sizeof(*saved));
	if (saved == NULL)
		return stls_err_nomem(&session->err);
	if (gnutls_session_get_data2(session->tls, &saved->data) < 0)
		return refuse(session, SMTPTLS_E_UNSUPPORTED,
		    "this session cannot be resumed");
	saved->made_in = session->made_in;
	memcpy(
	    saved->context_id, session->context->id, sizeof(saved->context_id));
	saved->host = session->host;
	saved->has_host = session->has_host;
	saved->sent_certificate = session->sent_certificate;
	saved->until = end_of(session);
	*out_resumption = TAKE(saved);
	return SMTPTLS_OK;
}

/* Whether it comes from the same policy, trust and host. */
static bool
fits(const struct smtptls_session *session,
    const struct smtptls_resumption *saved)
{
	return memcmp(saved->context_id, session->context->id,
		   sizeof(saved->context_id)) == 0 &&
	    saved->has_host == session->has_host &&
	    strcmp(saved->host.name, session->host.name) == 0 &&
	    saved->host.is_ip == session->host.is_ip;
}

bool
stls_resumption_is_over(const struct smtptls_resumption *resumption, time_t now)
{
	return now >= resumption->until;
}

int
smtptls_session_resume(struct smtptls_session *session,
    const struct smtptls_resumption *resumption)
{
	int r;

	r = stls_session_enter(session);
	if (r < 0)
		return r;
	if (resumption == NULL)
		return refuse(session, SMTPTLS_E_INVALID, "nothing to resume");
	if (stls_fork_happened(resumption->made_in))
		return SMTPTLS_E_FORKED;
	if (session->state != STLS_SESSION_NEW)
		return refuse(
		    session, SMTPTLS_E_STATE, "the handshake has begun");
	if (!fits(session, resumption))
		return refuse(session, SMTPTLS_E_INVALID,
		    "what was saved is of another context or another host");
	/* A full handshake brings a new certificate or a new staple. */
	if (stls_resumption_is_over(resumption, time(NULL)))
		return SMTPTLS_OK;
	r = gnutls_session_set_data(
	    session->tls, resumption->data.data, resumption->data.size);
	if (r == GNUTLS_E_MEMORY_ERROR)
		return stls_err_nomem(&session->err);
	if (r >= 0)
		session->resumed_certificate = resumption->sent_certificate;
	/* GnuTLS thinks it is too old: that is no failure either. */
	return SMTPTLS_OK;
}

void
smtptls_resumption_free(struct smtptls_resumption *resumption)
{
	if (resumption == NULL)
		return;
	if (resumption->data.data != NULL)
		stls_wipe(resumption->data.data, resumption->data.size);
	gnutls_free(resumption->data.data);
	free(resumption);
}
