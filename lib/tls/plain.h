/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_PLAIN_H
#define STLS_TLS_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/gnutls.h>

/*
 * Look at a certificate in DER, from its first octet to its last: whether it is
 * so plain that GnuTLS need not see it before it is used. Where the answer is
 * yes, GnuTLS can parse it, and finds this subject in it, which is lent,
 * encoded as it is. Where it is no, it may be a good certificate all the same,
 * and GnuTLS is to be asked at once: so nothing is refused that GnuTLS would
 * take, and nothing is put off that it would refuse.
 *
 * It knows no more of X.509 than what the CAs of a system use, and costs a
 * fiftieth of what GnuTLS needs.
 */
bool stls_plain_is_cert(
    const unsigned char *der, size_t len, gnutls_datum_t *out_subject);

#endif
