/* SPDX-License-Identifier: MIT */
#include "strict.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

const struct strict_case *
strict_case_at(size_t index)
{
	if (index < strict_forms_count)
		return &strict_forms[index];
	index -= strict_forms_count;
	return index < strict_names_count ? &strict_names[index] : NULL;
}

size_t
strict_case_count(void)
{
	return strict_forms_count + strict_names_count;
}

struct scene *
strict_scene_empty(void)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	ck_assert_ptr_nonnull(scene);
	scene->factory = factory_new();
	scene->host = STRICT_HOST;
	return scene;
}

struct scene *
strict_scene_new(const struct strict_case *one, bool good)
{
	struct scene *scene = strict_scene_empty();

	scene->good = good;
	one->build(scene);
	return scene;
}

void
strict_scene_free(struct scene *scene)
{
	factory_free(scene->factory);
	free(scene);
}

const struct cert *
strict_root(struct scene *scene)
{
	if (scene->anchor == NULL)
		scene->anchor = factory_ca(scene->factory);
	return scene->anchor;
}

const struct cert *
strict_leaf(struct scene *scene, const struct cert *issuer,
    const struct cert_spec *changes)
{
	struct cert_spec spec = *changes;

	if (spec.cn == NULL)
		spec.cn = "server";
	if (spec.names == NULL)
		spec.names = "DNS:" STRICT_HOST;
	else if (strcmp(spec.names, STRICT_NO_NAMES) == 0)
		spec.names = NULL;
	if (spec.eku == NULL)
		spec.eku = GNUTLS_KP_TLS_WWW_SERVER;
	return factory_cert(scene->factory, issuer, &spec);
}

void
strict_serve(
    struct scene *scene, const struct cert *leaf, const struct cert *middle)
{
	strict_root(scene);
	scene->chain[0] = leaf;
	scene->chain[1] = middle;
}
