/* SPDX-License-Identifier: MIT */
#include "tls/explain.h"

#include <stdio.h>
#include <string.h>

/* Record types of TLS (RFC 8446 section 5.1). */
#define RECORD_FIRST 20
#define RECORD_LAST 24
#define RECORD_HANDSHAKE 22
#define HANDSHAKE_SERVER_HELLO 2

bool
stls_explain_is_tls(const struct smtptls_session *s)
{
	const unsigned char *head = s->transport.head;

	return s->transport.head_len == 0 ||
	    (head[0] >= RECORD_FIRST && head[0] <= RECORD_LAST);
}

static const char *
peer_of(const struct smtptls_session *s)
{
	return s->context->purpose == SMTPTLS_SERVER_AUTH ? "the server"
							  : "the client";
}

/* The first line, where the peer began with something that is no record. */
static bool
speaks_no_tls(const struct smtptls_session *s, char *line, size_t cap)
{
	const unsigned char *head = s->transport.head;
	size_t len = s->transport.head_len, i;

	if (stls_explain_is_tls(s))
		return false;
	for (i = 0; i < len; i++) {
		if (head[i] == '\r' || head[i] == '\n' || head[i] == '\0')
			break;
	}
	stls_escape(line, cap, (const char *)head, i);
	return true;
}

static int
explain_no_tls(struct smtptls_session *s, const char *line)
{
	if (s->context->purpose == SMTPTLS_CLIENT_AUTH)
		return stls_err_set(&s->err, SMTPTLS_E_TLS,
		    "the client does not speak TLS here (it sent \"%s\")",
		    line);
	if (strncmp(line, "220", 3) == 0)
		return stls_err_set(&s->err, SMTPTLS_E_TLS,
		    "the server does not speak TLS on this port (it answered "
		    "\"%s\"; is it a STARTTLS port?)",
		    line);
	return stls_err_set(&s->err, SMTPTLS_E_TLS,
	    "the server does not speak TLS on this port (it answered \"%s\")",
	    line);
}

/*
 * The version of a ServerHello that is the first thing from the peer, in the
 * clear; 0 where there is none.
 */
static unsigned int
hello_version(const struct smtptls_session *s)
{
	const unsigned char *head = s->transport.head;

	if (s->transport.head_len < 11 || head[0] != RECORD_HANDSHAKE ||
	    head[5] != HANDSHAKE_SERVER_HELLO)
		return 0;
	return (unsigned int)head[9] << 8 | head[10];
}

static const char *
lowest_version(const struct smtptls_session *s)
{
	enum smtptls_tls_version lowest = s->context->policy.minimum;

	return smtptls_tls_version_name(
	    lowest != SMTPTLS_TLS_NONE ? lowest : SMTPTLS_TLS_1_2);
}

static int
explain_version(struct smtptls_session *s)
{
	unsigned int version = hello_version(s);

	if (version == 0)
		return stls_err_set(&s->err, SMTPTLS_E_TLS,
		    "%s speaks no version of TLS that is allowed here (%s "
		    "and later)",
		    peer_of(s), lowest_version(s));
	return stls_err_set(&s->err, SMTPTLS_E_TLS,
	    "%s offers no TLS version above %s (allowed are %s and later)",
	    peer_of(s),
	    smtptls_tls_version_name((enum smtptls_tls_version)version),
	    lowest_version(s));
}

static int
explain_suites(struct smtptls_session *s)
{
	return stls_err_set(&s->err, SMTPTLS_E_TLS,
	    "%s has no cipher suite in common with what is allowed here (no "
	    "RC4, no 3DES, nothing anonymous)",
	    peer_of(s));
}

/* As the RFC writes it: GNUTLS_A_UNKNOWN_CA is unknown_ca. */
static void
format_alert(char *out, size_t cap, gnutls_alert_description_t alert)
{
	static const char prefix[] = "GNUTLS_A_";
	const char *name = gnutls_alert_get_strname(alert);
	size_t i;

	if (name == NULL) {
		snprintf(out, cap, "%d", (int)alert);
		return;
	}
	if (strncmp(name, prefix, sizeof(prefix) - 1) == 0)
		name += sizeof(prefix) - 1;
	for (i = 0; i + 1 < cap && name[i] != '\0'; i++)
		out[i] = name[i] >= 'A' && name[i] <= 'Z'
		    ? (char)(name[i] - 'A' + 'a')
		    : name[i];
	out[i] = '\0';
}

static int
explain_alert(struct smtptls_session *s)
{
	gnutls_alert_description_t alert = gnutls_alert_get(s->tls);
	char name[64];

	format_alert(name, sizeof(name), alert);
	switch (alert) {
	case GNUTLS_A_PROTOCOL_VERSION:
		return explain_version(s);
	case GNUTLS_A_HANDSHAKE_FAILURE:
	case GNUTLS_A_INSUFFICIENT_SECURITY:
		return stls_err_set(&s->err, SMTPTLS_E_TLS,
		    "%s accepts none of the TLS versions, cipher suites, "
		    "groups or signatures that are allowed here (alert %s)",
		    peer_of(s), name);
	case GNUTLS_A_BAD_CERTIFICATE:
	case GNUTLS_A_UNSUPPORTED_CERTIFICATE:
	case GNUTLS_A_CERTIFICATE_REVOKED:
	case GNUTLS_A_CERTIFICATE_EXPIRED:
	case GNUTLS_A_CERTIFICATE_UNKNOWN:
	case GNUTLS_A_UNKNOWN_CA:
		return stls_err_set(&s->err, SMTPTLS_E_TLS,
		    "%s refused our certificate (alert %s)", peer_of(s), name);
	case GNUTLS_A_CERTIFICATE_REQUIRED:
		return stls_err_set(&s->err, SMTPTLS_E_TLS,
		    "%s wants a client certificate (alert %s)", peer_of(s),
		    name);
	default:
		return stls_err_set(&s->err, SMTPTLS_E_TLS,
		    "%s ended the TLS session with the alert %s", peer_of(s),
		    name);
	}
}

static int
explain_end(struct smtptls_session *s)
{
	if (s->state != STLS_SESSION_OPEN && s->state != STLS_SESSION_CLOSED)
		return stls_err_set(&s->err, SMTPTLS_E_IO,
		    "%s closed the connection during the TLS handshake",
		    peer_of(s));
	return stls_err_set(&s->err, SMTPTLS_E_IO,
	    "%s closed the connection without saying so (no close_notify): "
	    "something may be missing",
	    peer_of(s));
}

/* Errors that need no more than a sentence. */
static const struct {
	int code;
	int status;
	const char *sentence;
} sentences[] = {
	{ GNUTLS_E_REHANDSHAKE, SMTPTLS_E_TLS,
	    "asked to renegotiate, which is never done" },
	{ GNUTLS_E_SAFE_RENEGOTIATION_FAILED, SMTPTLS_E_TLS,
	    "does not know secure renegotiation (RFC 5746)" },
	{ GNUTLS_E_REAUTH_REQUEST, SMTPTLS_E_TLS,
	    "asked for a certificate after the handshake, which is never "
	    "done" },
	{ GNUTLS_E_DH_PRIME_UNACCEPTABLE, SMTPTLS_E_TLS,
	    "offers a Diffie-Hellman group that is too small" },
	{ GNUTLS_E_TOO_MANY_HANDSHAKE_PACKETS, SMTPTLS_E_LIMIT,
	    "sent too many messages that are not data" },
	{ GNUTLS_E_TOO_MANY_EMPTY_PACKETS, SMTPTLS_E_LIMIT,
	    "sent too many empty records" },
	{ GNUTLS_E_HANDSHAKE_TOO_LARGE, SMTPTLS_E_LIMIT,
	    "sent a handshake message that is too large" },
	{ GNUTLS_E_RECORD_OVERFLOW, SMTPTLS_E_LIMIT,
	    "sent a record that is too large" },
	{ GNUTLS_E_NO_CERTIFICATE_FOUND, SMTPTLS_E_CERTIFICATE,
	    "sent no certificate" },
	{ GNUTLS_E_CERTIFICATE_REQUIRED, SMTPTLS_E_CERTIFICATE,
	    "sent no certificate" },
	{ GNUTLS_E_CERTIFICATE_ERROR, SMTPTLS_E_CERTIFICATE,
	    "sent a certificate that cannot be used" },
	{ GNUTLS_E_ASN1_TIME_ERROR, SMTPTLS_E_CERTIFICATE,
	    "sent a certificate with a date that cannot be read" },
	{ GNUTLS_E_CERTIFICATE_TIME_ERROR, SMTPTLS_E_CERTIFICATE,
	    "sent a certificate with a date that cannot be read" },
	{ GNUTLS_E_X509_DUPLICATE_EXTENSION, SMTPTLS_E_CERTIFICATE,
	    "sent a certificate that has an extension more than once" },
	{ GNUTLS_E_ASN1_DER_ERROR, SMTPTLS_E_CERTIFICATE,
	    "sent a certificate that cannot be read" },
	{ GNUTLS_E_ASN1_TAG_ERROR, SMTPTLS_E_CERTIFICATE,
	    "sent a certificate that cannot be read" },
	{ GNUTLS_E_KEY_USAGE_VIOLATION, SMTPTLS_E_CERTIFICATE,
	    "uses its certificate for what its key usage does not allow" },
	{ GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM, SMTPTLS_E_TLS,
	    "signs with an algorithm that is not allowed here" },
};

static int
explain_rest(struct smtptls_session *s, int code)
{
	size_t i;

	for (i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		if (sentences[i].code == code)
			return stls_err_set(&s->err, sentences[i].status,
			    "%s %s", peer_of(s), sentences[i].sentence);
	}
	return stls_err_set(&s->err, SMTPTLS_E_TLS, "TLS with %s failed: %s",
	    peer_of(s), gnutls_strerror(code));
}

int
stls_explain(struct smtptls_session *s, int code)
{
	char line[4 * STLS_TRANSPORT_HEAD + 1];

	switch (code) {
	case GNUTLS_E_MEMORY_ERROR:
		return stls_err_nomem(&s->err);
	case GNUTLS_E_PULL_ERROR:
		return stls_err_errno(&s->err, SMTPTLS_E_IO,
		    s->transport.read_errno, "reading from %s", peer_of(s));
	case GNUTLS_E_PUSH_ERROR:
		return stls_err_errno(&s->err, SMTPTLS_E_IO,
		    s->transport.write_errno, "writing to %s", peer_of(s));
	case GNUTLS_E_FATAL_ALERT_RECEIVED:
		return explain_alert(s);
	default:
		break;
	}
	if (speaks_no_tls(s, line, sizeof(line)))
		return explain_no_tls(s, line);
	switch (code) {
	case GNUTLS_E_PREMATURE_TERMINATION:
	case GNUTLS_E_SESSION_EOF:
		return explain_end(s);
	case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
		return explain_version(s);
	case GNUTLS_E_UNKNOWN_CIPHER_SUITE:
	case GNUTLS_E_NO_CIPHER_SUITES:
		return explain_suites(s);
	default:
		return explain_rest(s, code);
	}
}
