/* SPDX-License-Identifier: MIT */
#include "tls/allow.h"

#include <string.h>

/*
 * The allow table. It goes by name, not by number, so that a library that is
 * newer than the one this was built with is judged as well.
 *
 * AEAD with ephemeral key exchange only. CBC is left out, as no server that
 * speaks TLS 1.2 needs it: GCM (RFC 5288) came into OpenSSL 1.0.1 together
 * with TLS 1.2, and the system's default has no CBC but with SHA-1. CCM-8 has
 * a tag of 64 bits only.
 */
static const char *const versions[] = { "TLS1.3", "TLS1.2", NULL };
static const char *const legacy_versions[] = { "TLS1.1", "TLS1.0", NULL };

static const char *const ciphers[] = { "AES-256-GCM", "AES-128-GCM",
	"AES-256-CCM", "AES-128-CCM", "CHACHA20-POLY1305", NULL };
static const char *const legacy_ciphers[] = { "AES-256-CBC", "AES-128-CBC",
	NULL };

static const char *const key_exchanges[] = { "ECDHE-ECDSA", "ECDHE-RSA",
	"DHE-RSA", NULL };
static const char *const legacy_key_exchanges[] = { "RSA", NULL };

static const char *const macs[] = { "AEAD", NULL };
static const char *const legacy_macs[] = { "SHA1", NULL };

static const char *const signatures[] = { "RSA-SHA256", "RSA-SHA384",
	"RSA-SHA512", "RSA-PSS-SHA256", "RSA-PSS-SHA384", "RSA-PSS-SHA512",
	"RSA-PSS-RSAE-SHA256", "RSA-PSS-RSAE-SHA384", "RSA-PSS-RSAE-SHA512",
	"ECDSA-SHA256", "ECDSA-SHA384", "ECDSA-SHA512",
	"ECDSA-SECP256R1-SHA256", "ECDSA-SECP384R1-SHA384",
	"ECDSA-SECP521R1-SHA512", "EdDSA-Ed25519", "EdDSA-Ed448", NULL };

static const char *const groups[] = { "X25519", "X448", "SECP256R1",
	"SECP384R1", "SECP521R1", "FFDHE2048", "FFDHE3072", "FFDHE4096",
	"FFDHE6144", "FFDHE8192",
	/* Of GnuTLS 3.8.9 and later. */
	"X25519-MLKEM768", "SECP256R1-MLKEM768", "SECP384R1-MLKEM1024", NULL };

/* A raw public key has no chain that could be verified. */
static const char *const cert_types[] = { "X.509", NULL };

static const char *
version_name(unsigned int id)
{
	return gnutls_protocol_get_name(id);
}

static const char *
cipher_name(unsigned int id)
{
	return gnutls_cipher_get_name(id);
}

static const char *
kx_name(unsigned int id)
{
	return gnutls_kx_get_name(id);
}

static const char *
mac_name(unsigned int id)
{
	return gnutls_mac_get_name(id);
}

static const char *
sign_name(unsigned int id)
{
	return gnutls_sign_get_name(id);
}

static const char *
group_name(unsigned int id)
{
	return gnutls_group_get_name(id);
}

/* GnuTLS's own name for raw keys is not the word that its strings take. */
static const char *
cert_type_name(unsigned int id)
{
	if (id == GNUTLS_CRT_RAWPK)
		return "RAWPK";
	return gnutls_certificate_type_get_name(id);
}

static int
list_client_cert_types(gnutls_priority_t priority, const unsigned int **list)
{
	return gnutls_priority_certificate_type_list2(
	    priority, list, GNUTLS_CTYPE_CLIENT);
}

static int
list_server_cert_types(gnutls_priority_t priority, const unsigned int **list)
{
	return gnutls_priority_certificate_type_list2(
	    priority, list, GNUTLS_CTYPE_SERVER);
}

const struct stls_allow stls_allow[STLS_ALLOW_KINDS] = {
	[STLS_ALLOW_VERSION] = { "version", "VERS-", versions, legacy_versions,
	    gnutls_priority_protocol_list, version_name },
	[STLS_ALLOW_CIPHER] = { "cipher", "", ciphers, legacy_ciphers,
	    gnutls_priority_cipher_list, cipher_name },
	[STLS_ALLOW_KX] = { "key exchange", "", key_exchanges,
	    legacy_key_exchanges, gnutls_priority_kx_list, kx_name },
	[STLS_ALLOW_MAC] = { "MAC", "", macs, legacy_macs,
	    gnutls_priority_mac_list, mac_name },
	[STLS_ALLOW_SIGN] = { "signature", "SIGN-", signatures, NULL,
	    gnutls_priority_sign_list, sign_name },
	[STLS_ALLOW_GROUP] = { "group", "GROUP-", groups, NULL,
	    gnutls_priority_group_list, group_name },
	[STLS_ALLOW_CLIENT_CERT] = { "certificate type", "CTYPE-CLI-",
	    cert_types, NULL, list_client_cert_types, cert_type_name },
	[STLS_ALLOW_SERVER_CERT] = { "certificate type", "CTYPE-SRV-",
	    cert_types, NULL, list_server_cert_types, cert_type_name },
};

static bool
has_name(const char *const *names, const char *name)
{
	if (names == NULL)
		return false;
	for (; *names != NULL; names++) {
		if (strcmp(*names, name) == 0)
			return true;
	}
	return false;
}

bool
stls_allow_has(const struct stls_allow *allow, unsigned int id, bool legacy)
{
	const char *name = allow->name(id);

	if (name == NULL)
		return false;
	return has_name(allow->always, name) ||
	    (legacy && has_name(allow->legacy, name));
}
