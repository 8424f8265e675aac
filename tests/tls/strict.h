/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_STRICT_H
#define STLS_TEST_STRICT_H

#include <stdbool.h>
#include <stddef.h>

#include "factory.h"

#define STRICT_HOST "mail.example.org"
#define STRICT_CHAIN_MAX 4

/* A server, and what a client trusts. */
struct scene {
	struct factory *factory;
	bool good; /* without the fault of the case */
	const struct cert *anchor;
	const struct cert *chain[STRICT_CHAIN_MAX];
	const char *host; /* STRICT_HOST where the case does not say so */
};

/* What others say of the fault. */
#define STRICT_FORM 1  /* the lax profile lets it pass */
#define STRICT_EXTRA 2 /* Python lets it pass, with VERIFY_X509_STRICT */
#define STRICT_FINE 4  /* there is no fault: it is to be accepted */

/*
 * A fault in the certificates of a server, and the same server without it. The
 * sentence is how the refusal begins, or NULL where another one follows it.
 */
struct strict_case {
	const char *name;
	unsigned int flags;
	void (*build)(struct scene *scene);
	const char *sentence;
};

extern const struct strict_case strict_forms[];
extern const size_t strict_forms_count;
extern const struct strict_case strict_names[];
extern const size_t strict_names_count;

/* All of them, one after another; NULL behind the last. */
const struct strict_case *strict_case_at(size_t index);
size_t strict_case_count(void);

/* Make the certificates of a case. */
struct scene *strict_scene_new(const struct strict_case *one, bool good);
struct scene *strict_scene_empty(void);
void strict_scene_free(struct scene *scene);

/*
 * Draw a chain by lot, the same one for each number: nobody knows beforehand
 * what is to be said of it, but all who judge by the same rules say the same.
 */
struct scene *strict_lot_new(unsigned int number);

/* For those who build: root -> [middle ->] leaf, with what a row changes. */
const struct cert *strict_root(struct scene *scene);
const struct cert *strict_leaf(struct scene *scene, const struct cert *issuer,
    const struct cert_spec *changes);
void strict_serve(
    struct scene *scene, const struct cert *leaf, const struct cert *middle);

#define STRICT_LEAF(scene, issuer, ...)                                        \
	strict_leaf(scene, issuer, &(struct cert_spec){ __VA_ARGS__ })
#define STRICT_CA(scene, issuer, ...)                                          \
	CERT((scene)->factory, issuer, .ca = true, __VA_ARGS__)

/* Instead of names: there are none. */
#define STRICT_NO_NAMES "none"

#endif
