/* SPDX-License-Identifier: MIT */
/* Rules: whether a certificate is written as RFC 5280 wants it. */
#include <string.h>

#include "tls/rule.h"

/* RFC 5280 section 4.1.2.2. */
#define SERIAL_MAX 20

/* Room for any OID that somebody uses. */
#define OID_TEXT_MAX 96

int
stls_rule_encoding(struct stls_err *err, const struct stls_subject *s)
{
	const char *fault = stls_subject_parts(s)->fault;

	return fault == NULL ? SMTPTLS_OK
			     : stls_rule_refuse(err, s, "%s", fault);
}

/* RFC 5280 section 4.2: none twice, and what is critical is understood. */
int
stls_rule_extensions(struct stls_err *err, const struct stls_subject *s)
{
	const struct stls_parts *parts = stls_subject_parts(s);
	char oid[OID_TEXT_MAX];

	if (parts->twice.at != NULL) {
		stls_parts_format_oid(oid, sizeof(oid), &parts->twice);
		return stls_rule_refuse(
		    err, s, "has the extension %s more than once", oid);
	}
	if (parts->critical.at == NULL)
		return SMTPTLS_OK;
	stls_parts_format_oid(oid, sizeof(oid), &parts->critical);
	return stls_rule_refuse(
	    err, s, "has a critical extension that is not known (%s)", oid);
}

/* Others have no extensions, and so no subjectAltName: RFC 5280 section 4.1. */
int
stls_rule_version(struct stls_err *err, const struct stls_subject *s)
{
	unsigned int version = stls_subject_parts(s)->version;

	if (version == 3)
		return SMTPTLS_OK;
	return stls_rule_refuse(
	    err, s, "is of version %u, and only version 3 will do", version);
}

int
stls_rule_serial(struct stls_err *err, const struct stls_subject *s)
{
	const struct stls_der *serial = &stls_subject_parts(s)->serial;
	size_t len = stls_der_left(serial);

	if (len == 0 || stls_der_is(serial, "", 1))
		return stls_rule_refuse(err, s, "has the serial number 0");
	if ((serial->at[0] & 0x80) != 0)
		return stls_rule_refuse(err, s, "has a serial number below 0");
	/* A zero in front only keeps the number from being negative. */
	if (len > SERIAL_MAX + (serial->at[0] == 0 ? 1U : 0U))
		return stls_rule_refuse(err, s,
		    "has a serial number of %zu octets, more than %d", len,
		    SERIAL_MAX);
	return SMTPTLS_OK;
}

/* RFC 5280 section 4.1.1.2: only what is inside is signed. */
int
stls_rule_algorithms(struct stls_err *err, const struct stls_subject *s)
{
	const struct stls_parts *parts = stls_subject_parts(s);

	if (stls_der_is_equal(&parts->algorithm, &parts->outer))
		return SMTPTLS_OK;
	return stls_rule_refuse(
	    err, s, "names another signature algorithm inside than outside");
}

static bool
is_digits(const unsigned char *at, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (at[i] < '0' || at[i] > '9')
			return false;
	}
	return true;
}

/* RFC 5280 section 4.1.2.5: with seconds, without fractions, in UTC. */
static bool
is_date(const struct stls_date *date)
{
	size_t len = date->tag == STLS_DER_UTC_TIME ? 13 : 15;

	return stls_der_left(&date->text) == len &&
	    is_digits(date->text.at, len - 1) && date->text.at[len - 1] == 'Z';
}

int
stls_rule_dates(struct stls_err *err, const struct stls_subject *s)
{
	const struct stls_parts *parts = stls_subject_parts(s);

	if (is_date(&parts->from) && is_date(&parts->until))
		return SMTPTLS_OK;
	return stls_rule_refuse(
	    err, s, "has a date that is not in the form of RFC 5280");
}

/* Years that two digits can tell have two; behind rule_dates(). */
int
stls_rule_years(struct stls_err *err, const struct stls_subject *s)
{
	const struct stls_parts *parts = stls_subject_parts(s);
	const struct stls_date *date[] = { &parts->from, &parts->until };
	size_t i;

	for (i = 0; i < 2; i++) {
		if (date[i]->tag == STLS_DER_TIME &&
		    memcmp(date[i]->text.at, "2050", 4) < 0)
			return stls_rule_refuse(err, s,
			    "has a date before 2050 with a year of four "
			    "digits");
	}
	return SMTPTLS_OK;
}

int
stls_rule_issuer_name(struct stls_err *err, const struct stls_subject *s)
{
	if (!stls_der_is_at_end(&stls_subject_parts(s)->issuer))
		return SMTPTLS_OK;
	return stls_rule_refuse(err, s, "names no issuer");
}

/* RFC 5280 sections 4.1.2.6 and 4.2.1.6. */
int
stls_rule_subject_name(struct stls_err *err, const struct stls_subject *s)
{
	const struct stls_parts *parts = stls_subject_parts(s);
	const struct stls_ext *names = &parts->ext[STLS_EXT_ALT_NAMES];

	if (names->is_there && parts->names == 0)
		return stls_rule_refuse(
		    err, s, "has a subjectAltName without a name in it");
	if (!stls_der_is_at_end(&parts->subject))
		return SMTPTLS_OK;
	if (parts->is_ca || (parts->key_usage & GNUTLS_KEY_CRL_SIGN) != 0)
		return stls_rule_refuse(
		    err, s, "is of a CA and has an empty subject");
	if (!names->is_there)
		return stls_rule_refuse(
		    err, s, "has neither a subject nor a subjectAltName");
	if (!names->is_critical)
		return stls_rule_refuse(err, s,
		    "has an empty subject and a subjectAltName that is not "
		    "critical");
	return SMTPTLS_OK;
}
