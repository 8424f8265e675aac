/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_ORACLE_H
#define STLS_TEST_ORACLE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether stls_plain_is_cert() says that a certificate is plain. Then GnuTLS
 * must be able to parse it, and find the same subject in it.
 */
bool oracle_is_plain(const unsigned char *der, size_t len);

#endif
