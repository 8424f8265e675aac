/* SPDX-License-Identifier: MIT */
#ifndef TEST_TRUST_WORLD_H
#define TEST_TRUST_WORLD_H

#include "test.h"

#include <smtptls/context.h>

#include "factory.h"

/* What tests of trust stores share: a CA, what it has signed, and a store. */
extern struct factory *factory;
extern const struct cert *root, *between, *leaf;
/* Empty at first, and freed behind each test. */
extern struct smtptls_context *context;

/* Add a case with that world, and what else is to be done before each test. */
TCase *trust_case(Suite *suite, const char *name, SFun setup);

/* How many certificates, CAs among them, and revocation lists the store has. */
void assert_stats(size_t x509, size_t ca, size_t crl);
/* It is refused with the sentence, and nothing is in the store. */
void assert_error(int r, const char *sentence);

const char *pem(const struct cert *cert);

/* `<path><rest>`, for comparing sentences. */
const char *with_path(const char *path, const char *rest);

#endif
