/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_HOSTNAME_H
#define STLS_TLS_HOSTNAME_H

#include <stdbool.h>

#include <gnutls/x509.h>

#include "base/err.h"
#include "name/host.h"

/*
 * Whether a certificate names the host (RFC 9525): subjectAltName only, never
 * the CN; a wildcard is the whole left-most label and stands for one label;
 * an IP literal matches iPAddress only. SMTPTLS_E_CERTIFICATE with a sentence
 * that tells which names are there.
 */
int stls_hostname_match(
    struct stls_err *err, gnutls_x509_crt_t cert, const struct stls_host *host);

/*
 * Write an iPAddress of a certificate as inet_ntop(3) does, or as hexadecimal
 * where it has neither 4 nor 16 bytes.
 */
void stls_hostname_format_ip(
    char *out, size_t cap, const unsigned char *ip, size_t len);

#endif
