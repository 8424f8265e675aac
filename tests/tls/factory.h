/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_FACTORY_H
#define STLS_TEST_FACTORY_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

/*
 * A factory of certificates, revocation lists and OCSP responses, made when a
 * test needs them. It owns everything it gives, and a private directory for
 * files; factory_free() takes all of it away. What cannot be made fails the
 * test.
 */
struct factory;

struct factory *factory_new(void);
void factory_free(struct factory *factory);

/*
 * A certificate and its key, owned by the factory. What GnuTLS cannot read has
 * no crt, and der alone; else der is empty.
 */
struct cert {
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
	gnutls_datum_t der;
};

/* What a certificate is made of: each is an item of DER, or nothing. */
enum surgery_part {
	SURGERY_VERSION,
	SURGERY_SERIAL,
	SURGERY_ALGORITHM,
	SURGERY_ISSUER,
	SURGERY_VALIDITY,
	SURGERY_SUBJECT,
	SURGERY_KEY,
	SURGERY_EXTENSIONS, /* with [3] around them */
	SURGERY_OUTER,	    /* the algorithm outside of what is signed */
	SURGERY_PARTS
};

struct der;

/* Periods, in seconds from now; may be negative. */
#define FACTORY_DAY 86400L

/*
 * What a certificate says. The zero is an end entity of today with a P-256
 * key, signed with SHA-256, without any extension but basic constraints and
 * key identifiers. Lists are words separated by blanks; %XX stands for a byte.
 */
struct cert_spec {
	const char *cn;		  /* subject; NULL: "test", "": empty subject */
	const char *names;	  /* "DNS:a.example.org IP:192.0.2.1 URI:x" */
	long not_before;	  /* 0: a day ago */
	long not_after;		  /* 0: in 30 days */
	unsigned int rsa_bits;	  /* 0: not an RSA key */
	gnutls_ecc_curve_t curve; /* 0: P-256 */
	const struct cert *key_of;	  /* take the key of this one */
	gnutls_digest_algorithm_t digest; /* 0: SHA-256 */
	bool ca; /* a CA, with keyCertSign and cRLSign */
	bool no_basic_constraints;
	bool version_1;	   /* neither extensions nor their version */
	bool has_path_len; /* with ca: path_len counts */
	unsigned int path_len;
	unsigned int key_usage; /* GNUTLS_KEY_*; 0: by default */
	bool no_key_usage;	/* nor by default */
	const char *eku;	/* OIDs; NULL: not there, "": empty */
	bool must_staple;	/* RFC 7633 */
	const char *permitted;	/* name constraints, "DNS:example.org" */
	const char *excluded;
	const char *serial; /* hexadecimal; NULL: counted */
	bool no_key_ids;    /* neither subject nor authority key id */
	bool forged;	    /* the signature is wrong */
	bool no_subject_key_id;
	bool no_authority_key_id;
	/*
	 * Extensions as they are, in the place of those of the same OID:
	 * "2.5.29.19=30030101ff"; with "!" in front they are critical.
	 */
	const char *raw;
	/* Change what will be signed; the certificate is signed once more. */
	void (*surgery)(struct der *part);
	const char *extra_oid; /* one more extension */
	const void *extra_der;
	size_t extra_len;
	bool extra_critical;
};

/* Make a certificate; issuer NULL: self-signed. */
const struct cert *factory_cert(struct factory *factory,
    const struct cert *issuer, const struct cert_spec *spec);

/*
 * Make a self-signed certificate again, to the last octet, but with a key that
 * the factory has, so that it can issue something.
 */
const struct cert *factory_clone(
    struct factory *factory, const gnutls_datum_t *der);

#define CERT(factory, issuer, ...)                                             \
	factory_cert(factory, issuer, &(struct cert_spec){ __VA_ARGS__ })

/* A root CA called "Test Root", and a server's certificate from it. */
const struct cert *factory_ca(struct factory *factory);
const struct cert *factory_server(
    struct factory *factory, const struct cert *issuer, const char *names);

/* PEM of up to three certificates (NULL is none), or of a key. */
const char *factory_pem(struct factory *factory, const struct cert *a,
    const struct cert *b, const struct cert *c);
const char *factory_key_pem(struct factory *factory, const struct cert *cert);

/* DER of a certificate. */
const gnutls_datum_t *factory_der(
    struct factory *factory, const struct cert *cert);

/* Write a file into the private directory. @return its path */
const char *factory_file(
    struct factory *factory, const char *name, const char *content);
const char *factory_file_data(
    struct factory *factory, const char *name, const void *data, size_t len);
const char *factory_dir(struct factory *factory);

/* What a revocation list says; the zero is an empty list of today. */
struct crl_spec {
	const struct cert *revoked[4];
	long this_update;		  /* seconds from now; 0: an hour ago */
	long next_update;		  /* 0: in 7 days */
	gnutls_digest_algorithm_t digest; /* 0: SHA-256 */
};

/* @return PEM */
const char *factory_crl(struct factory *factory, const struct cert *issuer,
    const struct crl_spec *spec);

/* What an OCSP response says; the zero is "good" of today by the issuer. */
struct ocsp_spec {
	int response_status;	      /* 0 successful, 6 unauthorized, ... */
	int status;		      /* 0 good, 1 revoked, 2 unknown */
	const struct cert *responder; /* NULL: the issuer signs */
	bool without_responder_cert;  /* responder's certificate is not in it */
	const struct cert *about_issuer; /* issuer named in CertID */
	long this_update;		 /* 0: an hour ago */
	long next_update;		 /* 0: in 7 days */
	bool no_next_update;
	gnutls_digest_algorithm_t digest; /* of the signature; 0: SHA-256 */
	bool forged;			  /* the signature is wrong */
};

/* @return DER */
const gnutls_datum_t *factory_ocsp(struct factory *factory,
    const struct cert *issuer, const struct cert *subject,
    const struct ocsp_spec *spec);

#endif
