/* SPDX-License-Identifier: MIT */
#include "tls/credentials.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <gnutls/abstract.h>
#include <gnutls/pkcs11.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/secret.h"
#include "tls/certs.h"
#include "tls/source.h"

#define PASSWORD_MAX 1024

/* A chain is an own certificate and those between it and an anchor. */
#define CHAIN_MAX 16

struct stls_pin {
	/* Only while loading. */
	smtptls_password_cb password;
	void *arg;
	/* What it answered, for later. */
	struct stls_secret saved;
};

static void
free_pin(struct stls_pin **pin)
{
	if (*pin != NULL)
		stls_secret_done(&(*pin)->saved);
	free(*pin);
}

static bool
is_url(const char *name)
{
	return strncasecmp(name, "pkcs11:", 7) == 0;
}

/* Ask the callback; what it leaves without a NUL is no answer. */
static bool
ask(const struct stls_pin *pin, const char *what, char *out, size_t cap)
{
	memset(out, 0, cap);
	if (pin->password(what, out, cap, pin->arg) == SMTPTLS_OK &&
	    memchr(out, '\0', cap) != NULL)
		return true;
	stls_wipe(out, cap);
	return false;
}

/*
 * Answer GnuTLS's question for a PIN. It is asked once and never again after
 * a wrong answer: a program that gives the same one three times would lock
 * the token.
 */
static int
answer_pin(void *arg, int attempt, const char *url, const char *label,
    unsigned int flags, char *out, size_t cap)
{
	struct stls_pin *pin = arg;
	const char *what = label != NULL && *label != '\0' ? label : url;

	if (attempt > 0 || (flags & GNUTLS_PIN_WRONG))
		return GNUTLS_E_PKCS11_PIN_ERROR;
	if (pin->password != NULL && pin->saved.data == NULL) {
		if (!ask(pin, what, out, cap))
			return GNUTLS_E_PKCS11_PIN_ERROR;
		if (stls_secret_set(&pin->saved, out, strlen(out)) ==
		    SMTPTLS_OK)
			return 0;
		stls_wipe(out, cap);
		return GNUTLS_E_PKCS11_PIN_ERROR;
	}
	if (pin->saved.data == NULL || pin->saved.len >= cap)
		return GNUTLS_E_PKCS11_PIN_ERROR;
	memcpy(out, pin->saved.data, pin->saved.len + 1);
	return 0;
}

static int
give_no_pin(void *arg, int attempt, const char *url, const char *label,
    unsigned int flags, char *out, size_t cap)
{
	(void)arg;
	(void)attempt;
	(void)url;
	(void)label;
	(void)flags;
	(void)out;
	(void)cap;
	return GNUTLS_E_PKCS11_PIN_ERROR;
}

static int
import_cert_file(
    struct stls_certs *chain, struct stls_err *err, const char *path)
{
	CLEANUP(stls_source_done) struct stls_source source = { 0 };
	struct stls_block block;
	int r;

	r = stls_source_open(&source, err, path);
	if (r < 0)
		return r;
	for (;;) {
		r = stls_source_next(&source, err, &block);
		if (r < 0)
			return r;
		if (r == SMTPTLS_AGAIN)
			break;
		/* The key may be in the same file, with its parameters. */
		if (!stls_block_is_cert(&block))
			continue;
		if (chain->count == CHAIN_MAX)
			return stls_source_fail(&source, err, &block,
			    "more than %d certificates", CHAIN_MAX);
		r = stls_certs_add_block(chain, err, &source, &block);
		if (r < 0)
			return r;
	}
	if (chain->count == 0)
		return stls_source_fail(
		    &source, err, NULL, "no certificate in it");
	return SMTPTLS_OK;
}

static int
import_cert_url(struct stls_certs *chain, struct stls_err *err, const char *url,
    struct stls_pin *pin)
{
	gnutls_x509_crt_t *crt = NULL;
	unsigned int count = 0, i;
	int r;

	r = gnutls_x509_crt_list_import_url(
	    &crt, &count, url, answer_pin, pin, 0);
	if (r < 0)
		return stls_gnutls_error(err, r, url);
	r = SMTPTLS_OK;
	for (i = 0; i < count; i++) {
		if (r < 0)
			gnutls_x509_crt_deinit(crt[i]);
		else
			r = stls_certs_add(chain, crt[i]);
	}
	gnutls_free(crt);
	if (r < 0)
		return stls_err_nomem(err);
	if (count == 0)
		return stls_err_set(
		    err, SMTPTLS_E_INVALID, "%s: no certificate in it", url);
	return SMTPTLS_OK;
}

static int
import_encrypted(struct stls_err *err, const struct stls_source *source,
    const struct stls_block *block, const struct stls_pin *pin,
    gnutls_privkey_t key)
{
	char password[PASSWORD_MAX];
	int r;

	if (pin->password == NULL)
		return stls_source_fail(source, err, block,
		    "the key is encrypted, and there is no password for it");
	if (!ask(pin, source->name, password, sizeof(password)))
		return stls_source_fail(source, err, block,
		    "the key is encrypted, and no password was given");
	r = gnutls_privkey_import_x509_raw(
	    key, &block->data, block->format, password, 0);
	stls_wipe(password, sizeof(password));
	if (r == GNUTLS_E_DECRYPTION_FAILED)
		return stls_source_fail(
		    source, err, block, "the password is wrong");
	if (r < 0)
		return stls_source_fail(
		    source, err, block, "no valid key: %s", gnutls_strerror(r));
	return SMTPTLS_OK;
}

static int
import_key_block(struct stls_err *err, const struct stls_source *source,
    const struct stls_block *block, const struct stls_pin *pin,
    gnutls_privkey_t key)
{
	int r;

	/* Without it GnuTLS asks whom the program has set for all tokens. */
	gnutls_privkey_set_pin_function(key, give_no_pin, NULL);
	r = gnutls_privkey_import_x509_raw(
	    key, &block->data, block->format, NULL, 0);
	if (r == GNUTLS_E_MEMORY_ERROR)
		return stls_err_nomem(err);
	/* The second is what it makes of nobody's answer. */
	if (r == GNUTLS_E_DECRYPTION_FAILED || r == GNUTLS_E_PKCS11_PIN_ERROR)
		return import_encrypted(err, source, block, pin, key);
	if (r < 0)
		return stls_source_fail(
		    source, err, block, "no valid key: %s", gnutls_strerror(r));
	return SMTPTLS_OK;
}

static bool
is_key(const struct stls_block *block)
{
	static const char word[] = "PRIVATE KEY";
	size_t len = strlen(word);

	return block->label_len >= len &&
	    memcmp(block->label + block->label_len - len, word, len) == 0;
}

static int
import_key_file(struct stls_err *err, const char *path,
    const struct stls_pin *pin, gnutls_privkey_t key)
{
	CLEANUP(stls_source_done) struct stls_source source = { 0 };
	struct stls_block block;
	int r;

	r = stls_source_open(&source, err, path);
	if (r < 0)
		return r;
	for (;;) {
		r = stls_source_next(&source, err, &block);
		if (r < 0)
			return r;
		if (r == SMTPTLS_AGAIN)
			return stls_source_fail(
			    &source, err, NULL, "no private key in it");
		if (is_key(&block))
			return import_key_block(err, &source, &block, pin, key);
	}
}

static int
import_key(struct stls_err *err, const char *name, struct stls_pin *pin,
    gnutls_privkey_t key)
{
	int r;

	if (!is_url(name))
		return import_key_file(err, name, pin, key);
	gnutls_privkey_set_pin_function(key, answer_pin, pin);
	r = gnutls_privkey_import_url(key, name, 0);
	if (r < 0)
		return stls_gnutls_error(err, r, name);
	return SMTPTLS_OK;
}

static void
deinit_pcerts(gnutls_pcert_st *pcert, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		gnutls_pcert_deinit(&pcert[i]);
}

/* Put chain and key together; the key goes over to the credentials. */
static int
combine(struct stls_err *err, gnutls_certificate_credentials_t cert,
    const struct stls_certs *chain, gnutls_privkey_t *key, const char *certfile,
    const char *keyfile)
{
	gnutls_pcert_st pcert[CHAIN_MAX];
	unsigned int count;
	int r = 0;

	for (count = 0; count < chain->count; count++) {
		r = gnutls_pcert_import_x509(
		    &pcert[count], chain->crt[count], 0);
		if (r < 0)
			break;
	}
	if (r >= 0)
		r = gnutls_certificate_set_key(
		    cert, NULL, 0, pcert, (int)count, *key);
	if (r >= 0) {
		*key = NULL;
		return SMTPTLS_OK;
	}
	deinit_pcerts(pcert, count);
	if (r == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "the key in %s is not that of the certificate in %s",
		    keyfile, certfile);
	return stls_gnutls_error(err, r, certfile);
}

static void
deinit_key(gnutls_privkey_t *key)
{
	if (*key != NULL)
		gnutls_privkey_deinit(*key);
}

static int
load(struct stls_credentials *out, struct stls_err *err, const char *certfile,
    const char *keyfile)
{
	CLEANUP(stls_certs_done) struct stls_certs chain = { 0 };
	CLEANUP(deinit_key) gnutls_privkey_t key = NULL;
	int r;

	if (is_url(certfile))
		r = import_cert_url(&chain, err, certfile, out->pin);
	else
		r = import_cert_file(&chain, err, certfile);
	if (r < 0)
		return r;
	if (chain.count > CHAIN_MAX)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "%s: more than %d certificates", certfile, CHAIN_MAX);
	r = gnutls_privkey_init(&key);
	if (r < 0)
		return stls_gnutls_error(err, r, "a private key");
	r = import_key(err, keyfile, out->pin, key);
	if (r < 0)
		return r;
	return combine(err, out->cert, &chain, &key, certfile, keyfile);
}

int
stls_credentials_init(
    struct stls_credentials *credentials, struct stls_err *err)
{
	CLEANUP(free_pin) struct stls_pin *pin = NULL;
	int r;

	pin = stls_alloc_zero(sizeof(*pin));
	if (pin == NULL)
		return stls_err_nomem(err);
	r = gnutls_certificate_allocate_credentials(&credentials->cert);
	if (r < 0)
		return stls_gnutls_error(err, r, "credentials");
	gnutls_certificate_set_pin_function(credentials->cert, answer_pin, pin);
	credentials->pin = TAKE(pin);
	return SMTPTLS_OK;
}

void
stls_credentials_done(struct stls_credentials *credentials)
{
	if (credentials->cert != NULL)
		gnutls_certificate_free_credentials(credentials->cert);
	free_pin(&credentials->pin);
	memset(credentials, 0, sizeof(*credentials));
}

int
stls_credentials_load(struct stls_credentials *credentials,
    struct stls_err *err, const char *certfile, const char *keyfile,
    smtptls_password_cb password, void *arg)
{
	CLEANUP(stls_credentials_done) struct stls_credentials loaded = { 0 };
	int r;

	r = stls_credentials_init(&loaded, err);
	if (r < 0)
		return r;
	loaded.pin->password = password;
	loaded.pin->arg = arg;
	r = load(&loaded, err, certfile, keyfile != NULL ? keyfile : certfile);
	if (r < 0)
		return r;
	loaded.pin->password = NULL;
	loaded.pin->arg = NULL;
	stls_credentials_done(credentials);
	*credentials = loaded;
	memset(&loaded, 0, sizeof(loaded));
	return SMTPTLS_OK;
}
