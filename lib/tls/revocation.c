/* SPDX-License-Identifier: MIT */
#include "tls/revocation.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "tls/certs.h"
#include "tls/free.h"

/* Longer than any serial number of a list that can be parsed at all. */
#define SERIAL_MAX 1024

int
stls_crl_check_time(struct stls_err *err, int code, gnutls_x509_crl_t crl)
{
	char issuer[STLS_NAME_MAX], date[STLS_DATE_MAX];
	time_t now = time(NULL), end = gnutls_x509_crl_get_next_update(crl);
	time_t start = gnutls_x509_crl_get_this_update(crl);

	stls_crl_issuer(issuer, sizeof(issuer), crl);
	if (end == (time_t)-1)
		return stls_err_set(err, code,
		    "the revocation list of %s does not say when it expires",
		    issuer);
	if (end < now) {
		stls_format_date(date, sizeof(date), end);
		return stls_err_set(err, code,
		    "the revocation list of %s expired on %s", issuer, date);
	}
	if (start == (time_t)-1 || start > now) {
		stls_format_date(date, sizeof(date), start);
		return stls_err_set(err, code,
		    "the revocation list of %s is not valid before %s", issuer,
		    date);
	}
	return SMTPTLS_OK;
}

bool
stls_crl_is_of(gnutls_x509_crl_t crl, gnutls_x509_crt_t issuer)
{
	CLEANUP(free_datum) gnutls_datum_t a = { NULL, 0 };
	CLEANUP(free_datum) gnutls_datum_t b = { NULL, 0 };

	return gnutls_x509_crl_get_raw_issuer_dn(crl, &a) >= 0 &&
	    gnutls_x509_crt_get_raw_dn(issuer, &b) >= 0 && a.size == b.size &&
	    memcmp(a.data, b.data, a.size) == 0;
}

unsigned int
stls_crl_signature_status(gnutls_x509_crl_t crl, gnutls_x509_crt_t issuer)
{
	unsigned int status = 0;

	if (gnutls_x509_crl_verify(crl, &issuer, 1, 0, &status) < 0)
		return GNUTLS_CERT_INVALID;
	/* The time is checked with a better sentence. */
	status &= ~(unsigned int)(GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED |
	    GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE);
	return status == GNUTLS_CERT_INVALID ? 0 : status;
}

/* Look a serial number up: 1 found, 0 not there, below 0 a GnuTLS error. */
static int
find_serial(gnutls_x509_crl_t crl, const unsigned char *serial, size_t len,
    time_t *out_when)
{
	gnutls_x509_crl_iter_t iter = NULL;
	unsigned char entry[SERIAL_MAX];
	size_t entry_len;
	int r;

	for (;;) {
		entry_len = sizeof(entry);
		r = gnutls_x509_crl_iter_crt_serial(
		    crl, &iter, entry, &entry_len, out_when);
		if (r < 0)
			break;
		if (entry_len == len && memcmp(entry, serial, len) == 0)
			break;
	}
	gnutls_x509_crl_iter_deinit(iter);
	if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return 0;
	return r < 0 ? r : 1;
}

static int
check_serial(
    struct stls_err *err, gnutls_x509_crl_t crl, gnutls_x509_crt_t cert)
{
	unsigned char serial[SERIAL_MAX];
	size_t len = sizeof(serial);
	char name[STLS_NAME_MAX], date[STLS_DATE_MAX];
	time_t when = (time_t)-1;
	int r;

	stls_cert_subject(name, sizeof(name), cert);
	r = gnutls_x509_crt_get_serial(cert, serial, &len);
	if (r >= 0)
		r = find_serial(crl, serial, len, &when);
	if (r == 0)
		return SMTPTLS_OK;
	if (r < 0)
		return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
		    "whether %s is revoked cannot be told: %s", name,
		    gnutls_strerror(r));
	stls_format_date(date, sizeof(date), when);
	return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
	    "the certificate %s was revoked on %s", name, date);
}

int
stls_revocation_check(const struct stls_trust *trust, struct stls_err *err,
    gnutls_x509_crt_t cert, gnutls_x509_crt_t issuer)
{
	char name[STLS_NAME_MAX];
	bool covered = false;
	size_t i;
	int r;

	stls_cert_subject(name, sizeof(name), issuer);
	stls_err_set(err, SMTPTLS_E_CERTIFICATE,
	    "no revocation list of %s is loaded", name);
	for (i = 0; i < trust->crls; i++) {
		if (!stls_crl_is_of(trust->crl[i], issuer) ||
		    stls_crl_signature_status(trust->crl[i], issuer) != 0)
			continue;
		/* Whatever its age: nobody is taken off a list again. */
		r = check_serial(err, trust->crl[i], cert);
		if (r < 0)
			return r;
		r = stls_crl_check_time(
		    err, SMTPTLS_E_CERTIFICATE, trust->crl[i]);
		if (r == SMTPTLS_OK)
			covered = true;
	}
	if (!covered)
		return err->code;
	stls_err_clear(err);
	return SMTPTLS_OK;
}
