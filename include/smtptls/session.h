/* SPDX-License-Identifier: MIT */
#ifndef SMTPTLS_SESSION_H
#define SMTPTLS_SESSION_H

#include <stddef.h>

#include <smtptls/context.h>
#include <smtptls/status.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/**
 * A session: TLS over a connected descriptor or over callbacks.
 *
 * It is Python's `ssl.SSLSocket`. It is blocking where the descriptor is;
 * over a non-blocking one its calls answer SMTPTLS_AGAIN, and
 * smtptls_session_events() says what to wait for.
 */
struct smtptls_session;

/**
 * What a session needs to be resumed: Python's `ssl.SSLSession`. It holds
 * secrets, belongs to the context it comes from, and dies with the process.
 */
struct smtptls_resumption;

/**
 * Make a session of a context: a client for SMTPTLS_SERVER_AUTH, a server for
 * SMTPTLS_CLIENT_AUTH. The context is frozen and gets a holder.
 *
 * @param hostname  clients: the host the user asked for, a DNS name (in UTF-8
 *     or as A-labels, a trailing dot is dropped) or an IP literal; it is the
 *     name that is verified and, if it is a DNS name, sent as SNI. It may be
 *     NULL only where host names are not checked. Servers: NULL.
 * @param out_session  the session; on failure one that only has an error to
 *     read, NULL where memory ran out
 * @return SMTPTLS_OK, SMTPTLS_E_NOMEM; SMTPTLS_E_INVALID: no valid host name;
 *     SMTPTLS_E_STATE: a server context without a certificate; or the error
 *     that spoiled the context
 *
 * Python: SSLContext.wrap_socket(server_side=, server_hostname=). Since 0.1.
 */
int smtptls_session_new(struct smtptls_context *context, const char *hostname,
    struct smtptls_session **out_session);

/**
 * Free a session. It says nothing to the peer (that is
 * smtptls_session_close()) and leaves the descriptor open. NULL is fine.
 */
void smtptls_session_free(struct smtptls_session *session);

/** Tell what went wrong. @return a sentence, never NULL. Since 0.1. */
const char *smtptls_session_error(const struct smtptls_session *session);

/**
 * Use a connected stream socket. It stays the caller's, who closes it after
 * smtptls_session_free(). SIGPIPE is never raised.
 *
 * @return SMTPTLS_OK; SMTPTLS_E_STATE: there is a transport already
 */
int smtptls_session_set_fd(struct smtptls_session *session, int fd);

/**
 * Read or write like recv(2) and send(2), but for how errors come back.
 *
 * @return the number of bytes, 0 from a read at the end of the stream, or
 *     -EAGAIN, -EINTR or another negative errno number
 */
typedef long (*smtptls_read_cb)(void *buf, size_t cap, void *arg);
typedef long (*smtptls_write_cb)(const void *data, size_t len, void *arg);

/** Use callbacks instead of a descriptor. Since 0.1. */
int smtptls_session_set_callbacks(struct smtptls_session *session,
    smtptls_read_cb read, smtptls_write_cb write, void *arg);

/**
 * Do the handshake and verify the peer.
 *
 * @return SMTPTLS_OK; SMTPTLS_AGAIN; SMTPTLS_E_TLS; SMTPTLS_E_CERTIFICATE: the
 *     certificate was refused, the sentence says why; SMTPTLS_E_IO. Nothing
 *     but smtptls_session_free() can be done after a failure.
 *
 * Python: SSLSocket.do_handshake(). Since 0.1.
 */
int smtptls_session_handshake(struct smtptls_session *session);

/**
 * Tell whether the peer proved who it is: the handshake is done, its
 * certificate chain was verified in this very session, resumed or not, and
 * with SMTPTLS_SERVER_AUTH it names the host. Always 0 after an `insecure_`
 * call that touches any of this.
 */
int smtptls_session_is_verified(const struct smtptls_session *session);

/**
 * Read what the peer sent.
 *
 * @param out_len  how much was read; 0 is the end: the peer closed the TLS
 *     session as it should
 * @return SMTPTLS_OK; SMTPTLS_AGAIN; SMTPTLS_E_IO: also where the connection
 *     ended without close_notify, so that something may be missing;
 *     SMTPTLS_E_TLS, SMTPTLS_E_LIMIT, SMTPTLS_E_STATE, SMTPTLS_E_FORKED
 */
int smtptls_session_read(
    struct smtptls_session *session, void *buf, size_t cap, size_t *out_len);

/**
 * Write, wholly or in part.
 *
 * After SMTPTLS_AGAIN call it again with the same data. After SMTPTLS_E_IO
 * nothing can be written any more, but what the peer sent can still be read.
 *
 * @param out_len  how much was taken, above 0
 */
int smtptls_session_write(struct smtptls_session *session, const void *data,
    size_t len, size_t *out_len);

/**
 * Tell how many bytes have been received and wait to be read: poll(2) does not
 * know of them. Whoever reads until SMTPTLS_AGAIN need not ask.
 *
 * @return 0: wait for the descriptor; above 0: read first, which may answer
 *     SMTPTLS_AGAIN all the same, where the bytes are no whole record
 */
size_t smtptls_session_pending(const struct smtptls_session *session);

/** Say close_notify to the peer; its answer is not waited for. */
int smtptls_session_close(struct smtptls_session *session);

/** Tell what to wait for after SMTPTLS_AGAIN: POLLIN or POLLOUT of poll(2). */
short smtptls_session_events(const struct smtptls_session *session);

/** Tell the version. Python: SSLSocket.version(). Since 0.1. */
enum smtptls_tls_version smtptls_session_version(
    const struct smtptls_session *session);

/** Name a version: "TLSv1.3". @return a constant string, never NULL. */
const char *smtptls_tls_version_name(enum smtptls_tls_version version);

/**
 * Tell the cipher suite. @return as struct smtptls_cipher says;
 * SMTPTLS_E_STATE before the handshake. Python: SSLSocket.cipher().
 */
int smtptls_session_cipher(
    const struct smtptls_session *session, struct smtptls_cipher *out_cipher);

/**
 * Tell the key exchange group ("X25519"). @return a constant string, empty
 * where there is none.
 */
const char *smtptls_session_group(const struct smtptls_session *session);

/**
 * Tell the algorithm by which the peer signed the handshake ("RSA-PSS-
 * RSAE-SHA256"). @return a constant string, empty where there is none to tell,
 * as in a session that was resumed.
 */
const char *smtptls_session_signature(const struct smtptls_session *session);

/**
 * Tell whether an OCSP response came with the peer's own certificate: 0 or 1.
 * It was good where smtptls_session_is_verified() says so; also after a
 * handshake in which it was refused.
 */
int smtptls_session_has_ocsp_staple(const struct smtptls_session *session);

/** Tell whether the session was resumed: 0 or 1. Since 0.1. */
int smtptls_session_is_resumed(const struct smtptls_session *session);

/**
 * Tell whether the server asked for a certificate and the own one was sent:
 * 0 or 1. AUTH EXTERNAL stands on it.
 */
int smtptls_session_sent_certificate(const struct smtptls_session *session);

/**
 * Get the certificates the peer sent, in DER; 0 is its own.
 *
 * @return SMTPTLS_OK; SMTPTLS_E_INVALID: index is behind the last one
 *
 * Python: SSLSocket.getpeercert(binary_form=True). Since 0.1.
 */
int smtptls_session_get_peer_cert(const struct smtptls_session *session,
    size_t index, const unsigned char **out_der, size_t *out_len);

/** What a certificate says, as text; lent by the session for its life. */
struct smtptls_cert_info {
	const char *subject;	 /**< RFC 4514 */
	const char *issuer;	 /**< RFC 4514 */
	const char *serial;	 /**< hexadecimal */
	const char *not_before;	 /**< UTC, 2026-11-23T12:00:00Z */
	const char *not_after;	 /**< likewise */
	const char *names;	 /**< subjectAltName: "DNS:a, IP:192.0.2.1" */
	const char *spki_sha256; /**< base64 of SHA-256 of the public key */
	const char *key;	 /**< kind of the public key: "RSA" */
	const char *signature;	 /**< by the issuer: "RSA-SHA256" */
	unsigned int key_bits;	 /**< size of the public key */
};

/**
 * Describe the certificates the peer sent, 0 is its own. Everything in it is
 * escaped as in a sentence.
 *
 * Python: SSLSocket.getpeercert(). Since 0.1.
 */
int smtptls_session_get_peer_cert_info(struct smtptls_session *session,
    size_t index, struct smtptls_cert_info *out_info);

/**
 * Get a channel binding.
 *
 * @param type  "tls-exporter" (RFC 9266), or "tls-unique" (RFC 5929), which is
 *     only given for TLS 1.2 with extended master secret, or
 *     "tls-server-end-point" (RFC 5929)
 * @param out_data  `cap` bytes; 64 are enough for all types
 * @return SMTPTLS_OK; SMTPTLS_E_UNSUPPORTED: not with this session;
 *     SMTPTLS_E_INVALID, SMTPTLS_E_STATE
 *
 * Python: SSLSocket.get_channel_binding(). Since 0.1.
 */
int smtptls_session_get_channel_binding(struct smtptls_session *session,
    const char *type, unsigned char *out_data, size_t cap, size_t *out_len);

/**
 * Save what is needed to resume this session in another one. Call it late:
 * TLS 1.3 servers send their tickets after the handshake.
 *
 * @param out_resumption  free it with smtptls_resumption_free()
 * @return SMTPTLS_OK; SMTPTLS_E_UNSUPPORTED: the server gave nothing;
 *     SMTPTLS_E_STATE: the session is not verified
 *
 * Python: SSLSocket.session. Since 0.1.
 */
int smtptls_session_save(struct smtptls_session *session,
    struct smtptls_resumption **out_resumption);

/**
 * Try to resume: before the handshake. The server decides; the peer is
 * verified again in any case, as if the session were new.
 *
 * @return SMTPTLS_OK; SMTPTLS_E_INVALID: it is of another context or another
 *     host name, and is not used; SMTPTLS_E_STATE
 */
int smtptls_session_resume(struct smtptls_session *session,
    const struct smtptls_resumption *resumption);

/** Wipe and free; NULL is fine. */
void smtptls_resumption_free(struct smtptls_resumption *resumption);

/**
 * Write the session's keys to $SSLKEYLOGFILE as other libraries do. INSECURE:
 * whoever reads that file reads the session. Without this call that variable
 * has no effect. Before the handshake.
 */
int smtptls_session_insecure_log_keys(struct smtptls_session *session);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
