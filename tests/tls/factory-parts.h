/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_FACTORY_PARTS_H
#define STLS_TEST_FACTORY_PARTS_H

#include <sys/types.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <check.h>

#include "der.h"
#include "factory.h"

/* What the files of the factory share among themselves. */

#define FACTORY_ITEMS_MAX 512

#define must(call) ck_assert_int_ge((call), 0)

/* One thing that is to be freed. */
struct factory_item {
	void (*free_fn)(void *thing);
	void *thing;
};

struct factory {
	struct factory_item items[FACTORY_ITEMS_MAX];
	size_t count;
	unsigned int serial;
	pid_t made_in;
	char dir[64];
};

/* From now on it is the factory's; NULL fails the test. */
void *factory_keep(
    struct factory *factory, void (*free_fn)(void *), void *thing);

/* Empty ones, to be filled. */
struct cert *factory_new_cert(struct factory *factory);
gnutls_datum_t *factory_new_datum(struct factory *factory);

/* Do something for every word of a list. */
#define FOR_EACH_WORD(list, copy, save, word)                                  \
	for (char *save = NULL, *copy = strdup(list),                          \
		  *word = strtok_r(copy, " ", &save);                          \
	     word != NULL || (free(copy), false);                              \
	     word = strtok_r(NULL, " ", &save))

/* The extensions that have names; NULL: none. */
void factory_set_names(gnutls_x509_crt_t crt, const char *names);
void factory_set_constraints(
    gnutls_x509_crt_t crt, const struct cert_spec *spec);

/* The bits of a signature: none of them is unused. */
struct der factory_sign(const struct cert *signer, const struct der *tbs,
    gnutls_digest_algorithm_t digest);

/* Cut a certificate open, have the surgery of its spec, and sew it up. */
void factory_operate(
    struct cert *cert, const struct cert *issuer, const struct cert_spec *spec);

#endif
