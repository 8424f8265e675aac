/* SPDX-License-Identifier: MIT */
#include "factory.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "factory-parts.h"

void *
factory_keep(struct factory *factory, void (*free_fn)(void *), void *thing)
{
	ck_assert_ptr_nonnull(thing);
	ck_assert_uint_lt(factory->count, FACTORY_ITEMS_MAX);
	factory->items[factory->count++] =
	    (struct factory_item){ .free_fn = free_fn, .thing = thing };
	return thing;
}

static void
free_cert(void *thing)
{
	struct cert *cert = thing;

	if (cert->crt != NULL)
		gnutls_x509_crt_deinit(cert->crt);
	gnutls_x509_privkey_deinit(cert->key);
	gnutls_free(cert->der.data);
	free(cert);
}

struct cert *
factory_new_cert(struct factory *factory)
{
	return factory_keep(factory, free_cert, calloc(1, sizeof(struct cert)));
}

static void
free_datum(void *thing)
{
	gnutls_datum_t *datum = thing;

	gnutls_free(datum->data);
	free(datum);
}

gnutls_datum_t *
factory_new_datum(struct factory *factory)
{
	return factory_keep(
	    factory, free_datum, calloc(1, sizeof(gnutls_datum_t)));
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

/*
 * A factory of a whole test case is freed in the parent, which never learns of
 * a directory that one of its tests, a child, has made.
 */
static char child_dir[64];

static void
remove_child_dir(void)
{
	nftw(child_dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

struct factory *
factory_new(void)
{
	struct factory *factory = calloc(1, sizeof(*factory));

	ck_assert_ptr_nonnull(factory);
	factory->serial = 0x1000;
	factory->made_in = getpid();
	return factory;
}

void
factory_free(struct factory *factory)
{
	if (factory == NULL)
		return;
	while (factory->count > 0) {
		factory->count--;
		factory->items[factory->count].free_fn(
		    factory->items[factory->count].thing);
	}
	if (factory->dir[0] != '\0')
		nftw(factory->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(factory);
}

static void
add_pem(char **text, const struct cert *cert)
{
	gnutls_datum_t pem;
	char *joined;

	if (cert == NULL)
		return;
	if (cert->der.data != NULL)
		must(
		    gnutls_pem_base64_encode2("CERTIFICATE", &cert->der, &pem));
	else
		must(gnutls_x509_crt_export2(
		    cert->crt, GNUTLS_X509_FMT_PEM, &pem));
	ck_assert_int_ge(
	    asprintf(&joined, "%s%.*s", *text, (int)pem.size, pem.data), 0);
	gnutls_free(pem.data);
	free(*text);
	*text = joined;
}

const char *
factory_pem(struct factory *factory, const struct cert *a, const struct cert *b,
    const struct cert *c)
{
	char *text = strdup("");

	add_pem(&text, a);
	add_pem(&text, b);
	add_pem(&text, c);
	return factory_keep(factory, free, text);
}

const char *
factory_key_pem(struct factory *factory, const struct cert *cert)
{
	gnutls_datum_t pem;
	char *text;

	must(gnutls_x509_privkey_export2(cert->key, GNUTLS_X509_FMT_PEM, &pem));
	text = strndup((const char *)pem.data, pem.size);
	gnutls_free(pem.data);
	return factory_keep(factory, free, text);
}

const gnutls_datum_t *
factory_der(struct factory *factory, const struct cert *cert)
{
	gnutls_datum_t *der = factory_new_datum(factory);

	must(gnutls_x509_crt_export2(cert->crt, GNUTLS_X509_FMT_DER, der));
	return der;
}

const char *
factory_dir(struct factory *factory)
{
	const char *base = getenv("TMPDIR");

	if (factory->dir[0] != '\0')
		return factory->dir;
	if (base == NULL || strlen(base) > 32)
		base = "/tmp";
	snprintf(
	    factory->dir, sizeof(factory->dir), "%s/smtptls-test-XXXXXX", base);
	ck_assert_ptr_nonnull(mkdtemp(factory->dir));
	if (factory->made_in != getpid()) {
		snprintf(child_dir, sizeof(child_dir), "%s", factory->dir);
		ck_assert_int_eq(atexit(remove_child_dir), 0);
	}
	return factory->dir;
}

const char *
factory_file_data(
    struct factory *factory, const char *name, const void *data, size_t len)
{
	char *path;
	FILE *file;

	ck_assert_int_ge(
	    asprintf(&path, "%s/%s", factory_dir(factory), name), 0);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(data, 1, len, file), len);
	ck_assert_int_eq(fclose(file), 0);
	return factory_keep(factory, free, path);
}

const char *
factory_file(struct factory *factory, const char *name, const char *content)
{
	return factory_file_data(factory, name, content, strlen(content));
}
