/* SPDX-License-Identifier: MIT */
#ifndef SMTPTLS_CONTEXT_H
#define SMTPTLS_CONTEXT_H

#include <stddef.h>

#include <smtptls/status.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/**
 * A context: the policy of TLS sessions and what they trust.
 *
 * It is Python's `ssl.SSLContext`. Set it up in one thread, then share it: when
 * its first session or client is made it is frozen, and every setter answers
 * SMTPTLS_E_STATE from then on.
 *
 * A setter that fails changes nothing, and it spoils the context: whoever does
 * not look at what a setter returned gets its error again from the first
 * session, and never a session that is weaker than what was asked for. Make a
 * new context to try something else.
 */
struct smtptls_context;

/** What the peer is going to prove with its certificate. */
enum smtptls_purpose {
	/** The peer is a server: this is a client context (the default). */
	SMTPTLS_SERVER_AUTH = 0,
	/** The peer is a client: this is a server context. */
	SMTPTLS_CLIENT_AUTH = 1
};

/** What happens with the certificate of the peer. */
enum smtptls_verify_mode {
	/** It must be there and be good. */
	SMTPTLS_CERT_REQUIRED = 0,
	/** Server contexts: it need not be there, but if it is, be good. */
	SMTPTLS_CERT_OPTIONAL = 1,
	/** Server contexts: it is not asked for. */
	SMTPTLS_CERT_NONE = 2
};

/** A version of the TLS protocol; the numbers are those of the protocol. */
enum smtptls_tls_version {
	/** No version: no session yet. */
	SMTPTLS_TLS_NONE = 0,
	/** SSL 3.0: never spoken; to name it is an error with a sentence. */
	SMTPTLS_SSL_3_0 = 0x0300,
	/** TLS 1.0: see smtptls_context_insecure_allow_legacy(). */
	SMTPTLS_TLS_1_0 = 0x0301,
	/** TLS 1.1: see smtptls_context_insecure_allow_legacy(). */
	SMTPTLS_TLS_1_1 = 0x0302,
	/** TLS 1.2 (RFC 5246): the default minimum. */
	SMTPTLS_TLS_1_2 = 0x0303,
	/** TLS 1.3 (RFC 8446): the default maximum. */
	SMTPTLS_TLS_1_3 = 0x0304
};

/**
 * Make a context with default settings: the heart of this library.
 *
 * A client context (SMTPTLS_SERVER_AUTH) speaks TLS 1.2 and later, without
 * SSL 2 and 3, RC4, 3DES, anonymous or otherwise unauthenticated suites, MD5
 * and SHA-1 signatures; it requires a certificate with a chain to a trusted
 * CA, of at least the strength of RSA 2048, and checks that it names the host
 * that was asked for. It trusts the CAs of cafile, capath and cadata together
 * or, where all three are NULL, those of the system; that the system has none
 * is an error.
 *
 * A server context (SMTPTLS_CLIENT_AUTH) speaks the same and asks clients for
 * no certificate until smtptls_context_set_verify_mode() says so. It needs
 * smtptls_context_load_cert_chain(), and loads the system's CAs never.
 *
 * The settings start from the system's policy and only take away; they may
 * become stricter in any release.
 *
 * @param purpose  SMTPTLS_SERVER_AUTH for a client
 * @param cafile  a file of certificates in PEM or DER, or NULL
 * @param capath  a directory of such files, also with OpenSSL's hashed names,
 *     or NULL
 * @param cadata  certificates in PEM, or one or more in DER, or NULL
 * @param cadata_len  bytes of cadata
 * @param out_context  the context; on failure one that only has an error to
 *     read
 * @return SMTPTLS_OK; SMTPTLS_E_NOMEM; SMTPTLS_E_INVALID: a source is
 *     unreadable, empty or not parsed, or the system's policy leaves nothing
 *     that is safe
 *
 * Python: ssl.create_default_context(). Since 0.1.
 */
int smtptls_context_new_default(enum smtptls_purpose purpose,
    const char *cafile, const char *capath, const void *cadata,
    size_t cadata_len, struct smtptls_context **out_context);

/**
 * Make a context for manual settings.
 *
 * The same as smtptls_context_new_default() with an empty trust store: until
 * something is loaded every certificate is refused.
 *
 * Python: ssl.SSLContext(), which verifies nothing. Since 0.1.
 */
int smtptls_context_new(
    enum smtptls_purpose purpose, struct smtptls_context **out_context);

/** Add a holder. @return the context. Since 0.1. */
struct smtptls_context *smtptls_context_ref(struct smtptls_context *context);

/** Take a holder away; the last one frees. NULL is fine. Since 0.1. */
void smtptls_context_free(struct smtptls_context *context);

/**
 * Tell what went wrong first.
 *
 * @return a sentence, empty where nothing went wrong; never NULL
 */
const char *smtptls_context_error(const struct smtptls_context *context);

/**
 * Trust the CAs of a file, a directory or a piece of memory, besides those
 * that are trusted already.
 *
 * Whatever adds nothing, cannot be read or cannot be parsed is an error that
 * names file and line, and then nothing of it is added. In a directory that
 * goes for every file whose name ends in .pem, .crt or .cer or is an OpenSSL
 * hash (8 hexadecimal digits, a dot, a digit); other files are passed over. A
 * certificate that is no CA is trusted for itself, as an anchor. One that has
 * expired is no error, as the stores of systems have such, but verifies
 * nothing.
 *
 * The source is read and checked in this call, whole. In a client context
 * GnuTLS parses a certificate when a peer sends a chain that names it, and
 * then once; what is unusual it parses at once. Should it not be able to parse
 * one later, the peer is refused, with the file and line as the reason.
 *
 * Files are regular files of at most 16 MiB, in PEM or DER; the same limit
 * holds for memory.
 *
 * @return SMTPTLS_OK, SMTPTLS_E_NOMEM, SMTPTLS_E_INVALID, SMTPTLS_E_STATE
 *
 * Python: SSLContext.load_verify_locations(). Since 0.1.
 */
int smtptls_context_load_verify_file(
    struct smtptls_context *context, const char *path);
int smtptls_context_load_verify_dir(
    struct smtptls_context *context, const char *path);
int smtptls_context_load_verify_mem(
    struct smtptls_context *context, const void *data, size_t len);

/**
 * Trust the system's CAs besides those that are trusted already.
 *
 * They are what GnuTLS was built to use, distrust entries included. Where that
 * is one file and the library was built to know it, a client context loads that
 * file as smtptls_context_load_verify_file() does, but passes over blocks of
 * PEM that are no certificates. SSL_CERT_FILE and SSL_CERT_DIR are not looked
 * at.
 *
 * @return SMTPTLS_OK, SMTPTLS_E_NOMEM, SMTPTLS_E_STATE; SMTPTLS_E_INVALID:
 *     the system has no CA
 *
 * Python: SSLContext.load_default_certs(). Since 0.1.
 */
int smtptls_context_load_default_certs(struct smtptls_context *context);

/**
 * Load certificate revocation lists, in PEM or DER.
 *
 * The CAs that signed them must have been loaded before. A CA in between,
 * which is not trusted by itself, may stand in the same PEM file as its list.
 * A list that cannot be parsed, is signed by nobody who is trusted, covers
 * only a part of what its CA issued, or has expired is an error. Once there is
 * one list, every certificate of a chain below its anchor must be covered by a
 * valid one, at every handshake.
 *
 * Python: VERIFY_CRL_CHECK_CHAIN and load_verify_locations(). Since 0.1.
 */
int smtptls_context_load_crl_file(
    struct smtptls_context *context, const char *path);
int smtptls_context_load_crl_mem(
    struct smtptls_context *context, const void *data, size_t len);

/** How many of each kind are in the trust store. Since 0.1. */
struct smtptls_cert_store_stats {
	size_t x509;	/**< certificates */
	size_t x509_ca; /**< of which CAs */
	size_t crl;	/**< revocation lists */
};

/**
 * Count what is trusted.
 *
 * Python: SSLContext.cert_store_stats(). Since 0.1.
 */
int smtptls_context_cert_store_stats(struct smtptls_context *context,
    struct smtptls_cert_store_stats *out_stats);

/**
 * Get the trusted CA certificates one after another.
 *
 * @param index  0 is the first
 * @param out_der  the certificate in DER, lent by the context for its life
 * @return SMTPTLS_OK; SMTPTLS_E_INVALID: index is behind the last one
 *
 * Python: SSLContext.get_ca_certs(binary_form=True). Since 0.1.
 */
int smtptls_context_get_ca_cert(struct smtptls_context *context, size_t index,
    const unsigned char **out_der, size_t *out_len);

/**
 * Ask for a password.
 *
 * @param what  the file or token that needs it, for the prompt
 * @param password  where it goes, NUL-terminated; wiped after use
 * @param cap  place there in bytes, the NUL included: 1024 for a file
 * @return SMTPTLS_OK, or below 0 to give up
 */
typedef int (*smtptls_password_cb)(
    const char *what, char *password, size_t cap, void *arg);

/**
 * Set the own certificate.
 *
 * A client sends it only when the server asks. Calling it again replaces it.
 *
 * @param certfile  a file of at most 16 certificates in PEM, the own one
 *     first, then those between it and the root; or a `pkcs11:` URI
 * @param keyfile  its private key in PEM, or a `pkcs11:` URI; NULL: it is in
 *     certfile
 * @param password  for an encrypted key or a token's PIN; may be NULL, then an
 *     encrypted key is an error. It is called once. The password of a file is
 *     not kept; a PIN is, until the context is freed, as the token may want it
 *     again.
 * @return SMTPTLS_OK, SMTPTLS_E_NOMEM, SMTPTLS_E_STATE; SMTPTLS_E_INVALID:
 *     unreadable, not parsed, wrong password, or the key does not fit
 *
 * Python: SSLContext.load_cert_chain(). Since 0.1.
 */
int smtptls_context_load_cert_chain(struct smtptls_context *context,
    const char *certfile, const char *keyfile, smtptls_password_cb password,
    void *arg);

/**
 * Take cipher suites away.
 *
 * @param ciphers  names of suites as smtptls_context_get_cipher() lists them,
 *     or words that stand for some (AES-256-GCM, AES-128-GCM, AES-128-CCM,
 *     AES-256-CCM, CHACHA20-POLY1305, ECDHE-ECDSA, ECDHE-RSA, DHE-RSA),
 *     separated by colons: what is named stays. A word with `-` or `!` in front
 *     takes away what it names; if the list begins with such a word, all others
 *     stay. A key exchange (ECDHE-RSA, ...) says nothing about the suites of
 *     TLS 1.3, which stay. Where no suite of a version is left, the version
 *     goes too. Another call takes away from what the one before left.
 * @return SMTPTLS_OK, SMTPTLS_E_NOMEM, SMTPTLS_E_STATE; SMTPTLS_E_INVALID: an
 *     unknown word, one that names what is never offered (RC4, NULL, ...), a
 *     choice that GnuTLS cannot express (it combines every key exchange with
 *     every cipher that stays), or nothing would be left
 *
 * Python: SSLContext.set_ciphers(). Since 0.1.
 */
int smtptls_context_set_ciphers(
    struct smtptls_context *context, const char *ciphers);

/** A cipher suite that a context offers. Since 0.1. */
struct smtptls_cipher {
	const char *name;		  /**< as GnuTLS names it */
	enum smtptls_tls_version version; /**< the version it belongs to */
	int strength_bits;		  /**< bits of its symmetric key */
};

/**
 * Get the cipher suites that are offered, one after another.
 *
 * @param out_cipher  its name is a constant string
 * @return SMTPTLS_OK; SMTPTLS_E_INVALID: index is behind the last one
 *
 * Python: SSLContext.get_ciphers(). Since 0.1.
 */
int smtptls_context_get_cipher(struct smtptls_context *context, size_t index,
    struct smtptls_cipher *out_cipher);

/**
 * Set the lowest and the highest version of TLS.
 *
 * Versions below TLS 1.2 are SMTPTLS_E_INVALID unless
 * smtptls_context_insecure_allow_legacy() was called; SSL 3.0 always is.
 *
 * Python: SSLContext.minimum_version, maximum_version. Since 0.1.
 */
int smtptls_context_set_minimum_version(
    struct smtptls_context *context, enum smtptls_tls_version version);
int smtptls_context_set_maximum_version(
    struct smtptls_context *context, enum smtptls_tls_version version);

/**
 * Set what happens with the certificate of the peer.
 *
 * A client context can only be set to SMTPTLS_CERT_REQUIRED by this call, what
 * it is already; to weaken it there is smtptls_context_insecure_no_verify().
 *
 * Python: SSLContext.verify_mode. Since 0.1.
 */
int smtptls_context_set_verify_mode(
    struct smtptls_context *context, enum smtptls_verify_mode mode);

/**
 * Demand that the server has a key that is known: its certificate must be
 * good as ever, and have one of the keys that were added. Client contexts.
 *
 * It narrows what is trusted and never adds to it: chain, dates, revocation
 * and name are verified first, and the key of the server's own certificate
 * then, after every handshake, full or resumed. The sentence of a refusal
 * (SMTPTLS_E_CERTIFICATE) has the pin of the key that the server has. What
 * smtptls_context_insecure_no_verify() and its sister accept has to have one
 * of these keys too, and is not verified by it.
 *
 * @param pin  `sha256//` and the base64, with padding, of the SHA-256 of the
 *     SubjectPublicKeyInfo, as curl's --pinnedpubkey takes it
 * @return SMTPTLS_OK, SMTPTLS_E_NOMEM, SMTPTLS_E_STATE; SMTPTLS_E_INVALID: it
 *     is no pin, or the context is a server's
 *
 * Python: not there. Since 0.1.
 */
int smtptls_context_add_pin(struct smtptls_context *context, const char *pin);

/** Tell the verify mode. Since 0.1. */
enum smtptls_verify_mode smtptls_context_verify_mode(
    const struct smtptls_context *context);

/** Tell the purpose. Since 0.1. */
enum smtptls_purpose smtptls_context_purpose(
    const struct smtptls_context *context);

/** Tell whether host names are checked: 0 or 1. Since 0.1. */
int smtptls_context_check_hostname(const struct smtptls_context *context);

/**
 * Accept a certificate for any host. INSECURE: whoever has any certificate
 * from any trusted CA can read the mail and the password. Client contexts.
 *
 * Sessions are not verified then: see smtptls_session_is_verified().
 *
 * Python: check_hostname = False. Since 0.1.
 */
int smtptls_context_insecure_no_check_hostname(struct smtptls_context *context);

/**
 * Accept any certificate or none. INSECURE: whoever is in the network can
 * read the mail. Client contexts.
 *
 * As in Python this is refused (SMTPTLS_E_INVALID) as long as host names are
 * checked: smtptls_context_insecure_no_check_hostname() comes first. Pins are
 * looked at all the same.
 *
 * Python: verify_mode = CERT_NONE. Since 0.1.
 */
int smtptls_context_insecure_no_verify(struct smtptls_context *context);

/**
 * Allow TLS 1.0 and 1.1, as far as GnuTLS still has them. INSECURE: these
 * protocols rest on MD5 and SHA-1 (RFC 8996).
 *
 * It also lowers the minimum version to `version` and allows what such peers
 * need (CBC with SHA-1, RSA key exchange, no RFC 5746), nothing else: no RC4,
 * no anonymous suite, and certificates are judged as strictly as ever.
 *
 * @param version  SMTPTLS_TLS_1_0 or SMTPTLS_TLS_1_1; SMTPTLS_SSL_3_0 is
 *     SMTPTLS_E_INVALID: GnuTLS has it no more
 *
 * Python: options &= ~OP_NO_SSLv3 and minimum_version. Since 0.1.
 */
int smtptls_context_insecure_allow_legacy(
    struct smtptls_context *context, enum smtptls_tls_version version);

/**
 * Take certificates that are not written as RFC 5280 wants them. INSECURE: it
 * is for a private CA of old, until that has made new ones.
 *
 * What is let through then: CA certificates whose basic constraints are not
 * critical or that have no key usage; certificates without key identifiers, or
 * with critical ones; an empty subject or issuer, or a subjectAltName that is
 * empty or, beside an empty subject, not critical; a serial number that is
 * zero, negative or longer than 20 octets; a date before 2050 whose year has
 * four digits; keyCertSign, a path length or name constraints in what is no CA
 * certificate, and a path length beside a key usage without keyCertSign; and a
 * server's own certificate that is of version 1, or of a CA. Nothing else:
 * chain, signatures, dates, host name, purpose, name constraints, lengths of
 * paths, keys and critical extensions are looked at as ever, and sessions are
 * verified. Client and server contexts.
 *
 * @return SMTPTLS_OK, SMTPTLS_E_STATE
 *
 * Python: verify_flags &= ~VERIFY_X509_STRICT. Since 0.1.
 */
int smtptls_context_insecure_allow_lax_profile(struct smtptls_context *context);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
