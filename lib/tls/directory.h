/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_DIRECTORY_H
#define STLS_TLS_DIRECTORY_H

#include <stdbool.h>

#include "tls/der-walk.h"
#include "tls/subtree.h"

/* Directory names, the items of their sequences (RFC 5280 section 7.1). */

/*
 * Whether a name begins with all levels of a base; *rest is the name, and then
 * what is left of it.
 */
enum stls_within stls_directory_has(
    struct stls_der base, struct stls_der *rest);

/* Whether two of them are one. */
bool stls_directory_is_same(const struct stls_der *a, const struct stls_der *b);

#endif
