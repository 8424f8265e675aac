/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_OVERRULE_H
#define STLS_TLS_OVERRULE_H

#include <stdbool.h>

#include "tls/path.h"

/* Whether GnuTLS found nothing wrong but constraints, of names or of length. */
bool stls_overrule_is_for(unsigned int status);

/*
 * Look at a path that GnuTLS refused for its constraints alone. It is wrong
 * about them now and then: it counts CAs that certified themselves into the
 * length of the path, takes a common name for a host name, and refuses names
 * of kinds that it cannot compare even where they are not constrained. What
 * constraints mean our rules know; what is left is whether GnuTLS takes each
 * step of the path alone, and whether each certificate has the TLS features
 * that those above it demand.
 *
 * A store of the system that GnuTLS loaded has the last word: it may distrust
 * certificates, and lay constraints on an anchor that do not stand in it.
 *
 * Where that is so, *path ends at the anchor then, and *out_is_good is true;
 * else it is as it was. SMTPTLS_E_NOMEM.
 */
int stls_overrule(struct stls_err *err, const struct stls_verify *verify,
    const struct stls_anchors *anchors, struct stls_path *path,
    bool *out_is_good);

#endif
