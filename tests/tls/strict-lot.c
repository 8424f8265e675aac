/* SPDX-License-Identifier: MIT */
/* Chains that are drawn by lot: root -> again -> narrow -> leaf. */
#include <string.h>

#include <check.h>

#include "strict.h"

/* Words of a list that was drawn. */
#define LIST_MAX 128

static unsigned int seed;

static unsigned int
draw(unsigned int below)
{
	seed = seed * 1103515245U + 12345U;
	return (seed >> 16) % below;
}

#define ONE_OF(list) ((list)[draw(sizeof(list) / sizeof((list)[0]))])

static const char *
add_some(char list[LIST_MAX], const char *const *words, unsigned int count,
    unsigned int most)
{
	unsigned int left;

	for (left = draw(most + 1); left > 0; left--) {
		if (list[0] != '\0')
			strcat(list, " ");
		strcat(list, words[draw(count)]);
	}
	return list[0] != '\0' ? list : NULL;
}

/* In four of five cases what a leaf may well be within. */
static const char *
some_permitted(char list[LIST_MAX])
{
	static const char *const words[] = { "DNS:example.org", "DNS:org",
		"DNS:.EXAMPLE.org", "IP:192.0.2.0/24", "IP:0.0.0.0/0",
		"EMAIL:example.org", "URI:.example.org", "DNS:example.com" };

	list[0] = '\0';
	return add_some(list, words, 8, 2);
}

static const char *
some_excluded(char list[LIST_MAX])
{
	static const char *const words[] = { "DNS:example.com",
		"DNS:a.b.example.org", "IP:198.51.100.0/24",
		"EMAIL:example.com", "EMAIL:.example.org", "URI:example.org",
		"IP:2001:db8::/32", "DNS:mail.example.org" };

	list[0] = '\0';
	return add_some(list, words, 8, 1);
}

static const char *
some_names(char list[LIST_MAX])
{
	static const char *const words[] = { "DNS:b.example.org",
		"DNS:*.example.org", "IP:192.0.2.1", "IP:2001:db8::1",
		"EMAIL:me@example.org", "URI:https://www.example.org/" };

	strcpy(list, "DNS:" STRICT_HOST);
	return add_some(list, words, 6, 2);
}

static void
spoil(struct cert_spec *spec)
{
	switch (draw(5)) {
	case 0:
		spec->forged = true;
		break;
	case 1:
		spec->not_before = -7200;
		spec->not_after = -3600;
		break;
	case 2:
		spec->digest = GNUTLS_DIG_SHA1;
		break;
	case 3:
		spec->no_key_ids = true;
		break;
	default:
		spec->eku = GNUTLS_KP_TLS_WWW_CLIENT;
	}
}

/* Of a CA for itself, more often than not: that is where GnuTLS is wrong. */
static const struct cert *
some_ca(struct scene *s, const struct cert *issuer, const char *cn)
{
	char permitted[LIST_MAX], excluded[LIST_MAX];
	struct cert_spec spec = { .cn = cn, .ca = true };

	spec.has_path_len = draw(3) == 0;
	spec.path_len = draw(3);
	if (draw(3) == 0) {
		spec.permitted = some_permitted(permitted);
		spec.excluded = some_excluded(excluded);
	}
	if (draw(16) == 0)
		spoil(&spec);
	return factory_cert(s->factory, issuer, &spec);
}

struct scene *
strict_lot_new(unsigned int number)
{
	static const char *const subjects[] = { "server", "mail.example.org",
		"mail.example.com", "Middle" };
	static const char *const issuers[] = { "Test Root", "Test Root",
		"Middle" };
	char names[LIST_MAX];
	struct scene *scene = strict_scene_empty();
	struct cert_spec spec = { .cn = NULL };

	seed = number;
	scene->anchor = some_ca(scene, NULL, "Test Root");
	scene->chain[2] = some_ca(scene, scene->anchor, ONE_OF(issuers));
	scene->chain[1] = some_ca(scene, scene->chain[2], ONE_OF(issuers));
	spec.cn = ONE_OF(subjects);
	spec.names = some_names(names);
	if (draw(16) == 0)
		spoil(&spec);
	scene->chain[0] = strict_leaf(scene, scene->chain[1], &spec);
	return scene;
}
