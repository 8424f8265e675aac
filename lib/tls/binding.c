/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "tls/session.h"

static const struct {
	const char *name;
	gnutls_channel_binding_t type;
} bindings[] = {
	{ "tls-exporter", GNUTLS_CB_TLS_EXPORTER },
	{ "tls-unique", GNUTLS_CB_TLS_UNIQUE },
	{ "tls-server-end-point", GNUTLS_CB_TLS_SERVER_END_POINT },
};

/*
 * Without extended master secret two sessions can have the same "unique"
 * value (RFC 7627 section 1, RFC 9266 section 3), and GnuTLS gives it all the
 * same.
 */
static bool
is_unique(gnutls_session_t tls)
{
	if (gnutls_protocol_get_version(tls) == GNUTLS_TLS1_3)
		return true;
	return (gnutls_session_get_flags(tls) &
		   GNUTLS_SFLAGS_EXT_MASTER_SECRET) != 0;
}

static int
get_binding(struct smtptls_session *session, gnutls_channel_binding_t type,
    const char *name, gnutls_datum_t *value)
{
	int r = GNUTLS_E_CHANNEL_BINDING_NOT_AVAILABLE;

	if (type == GNUTLS_CB_TLS_SERVER_END_POINT || is_unique(session->tls))
		r = gnutls_session_channel_binding(session->tls, type, value);
	if (r >= 0)
		return SMTPTLS_OK;
	if (r == GNUTLS_E_MEMORY_ERROR)
		return stls_err_nomem(&session->err);
	return stls_err_set(&session->err, SMTPTLS_E_UNSUPPORTED,
	    "this session has no channel binding %s", name);
}

static int
find_binding(
    struct smtptls_session *session, const char *type, size_t *out_index)
{
	size_t i, count = sizeof(bindings) / sizeof(bindings[0]);

	for (i = 0; i < count && strcmp(bindings[i].name, type) != 0; i++)
		;
	if (i == count)
		return stls_err_set(&session->err, SMTPTLS_E_INVALID,
		    "there is no channel binding \"%s\"", type);
	*out_index = i;
	return SMTPTLS_OK;
}

int
smtptls_session_get_channel_binding(struct smtptls_session *session,
    const char *type, unsigned char *out_data, size_t cap, size_t *out_len)
{
	gnutls_datum_t value = { NULL, 0 };
	size_t i = 0;
	int r;

	r = stls_session_enter(session);
	if (r < 0)
		return r;
	if (type == NULL || out_data == NULL || out_len == NULL)
		return stls_err_set(&session->err, SMTPTLS_E_INVALID,
		    "a channel binding needs a type and a place");
	r = find_binding(session, type, &i);
	if (r < 0)
		return r;
	if (!stls_session_is_done(session))
		return stls_err_set(&session->err, SMTPTLS_E_STATE,
		    "the handshake is not done");
	r = get_binding(session, bindings[i].type, type, &value);
	if (r < 0)
		return r;
	if (value.size > cap) {
		gnutls_free(value.data);
		return stls_err_set(&session->err, SMTPTLS_E_INVALID,
		    "the channel binding has %u bytes, and there is place for "
		    "%zu",
		    value.size, cap);
	}
	memcpy(out_data, value.data, value.size);
	*out_len = value.size;
	gnutls_free(value.data);
	return SMTPTLS_OK;
}
