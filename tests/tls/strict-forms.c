/* SPDX-License-Identifier: MIT */
/* Cases of how a certificate is written, and what it may be used for. */
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "der.h"
#include "strict.h"

#define LEAF "certificate of " STRICT_HOST
#define MIDDLE "CA certificate \"CN=Middle\""
#define ROOT "CA certificate \"CN=Test Root\""

/* Extensions as hexadecimal (RFC 5280 section 4.2). */
#define BASIC_CA "2.5.29.19=30030101ff"
#define MALFORMED "=0500"
#define ALT_NAMES_OF_HOST "2.5.29.17=301282106d61696c2e6578616d706c652e6f7267"

/* root -> leaf with changes, or root -> middle with changes -> leaf. */
#define LEAF_CASE(name, ...)                                                   \
	static void name(struct scene *s)                                      \
	{                                                                      \
		strict_serve(                                                  \
		    s, STRICT_LEAF(s, strict_root(s), __VA_ARGS__), NULL);     \
	}

#define MIDDLE_CASE(name, ...)                                                 \
	static void name(struct scene *s)                                      \
	{                                                                      \
		const struct cert *middle = STRICT_CA(                         \
		    s, strict_root(s), .cn = "Middle", __VA_ARGS__);           \
                                                                               \
		strict_serve(s, STRICT_LEAF(s, middle, .ca = false), middle);  \
	}

#define ROOT_CASE(name, ...)                                                   \
	static void name(struct scene *s)                                      \
	{                                                                      \
		s->anchor = STRICT_CA(                                         \
		    s, NULL, .cn = "Test Root", __VA_ARGS__);                  \
		strict_serve(s, STRICT_LEAF(s, s->anchor, .ca = false), NULL); \
	}

static void
replace(struct der *part, struct der with)
{
	der_done(part);
	*part = with;
}

/* ---- version ---- */

static void
make_version_1(struct der *part)
{
	replace(&part[SURGERY_VERSION], (struct der){ 0 });
	replace(&part[SURGERY_EXTENSIONS], (struct der){ 0 });
}

static void
make_version_2(struct der *part)
{
	replace(&part[SURGERY_VERSION], der_hex("a003020101"));
	replace(&part[SURGERY_EXTENSIONS], (struct der){ 0 });
}

LEAF_CASE(leaf_of_version_1, .cn = STRICT_HOST,
    .surgery = s->good ? NULL : make_version_1)
LEAF_CASE(leaf_of_version_2, .cn = STRICT_HOST,
    .surgery = s->good ? NULL : make_version_2)

/* ---- serial number ---- */

#define NINETEEN "00112233445566778899aabbccddeeff001122"
#define TWENTY "7f" NINETEEN

static void
serial_twenty(struct der *part)
{
	replace(&part[SURGERY_SERIAL], der_hex("0214" TWENTY));
}

/* Its first bit needs one more octet. */
static void
serial_twenty_padded(struct der *part)
{
	replace(&part[SURGERY_SERIAL], der_hex("021500ff" NINETEEN));
}

static void
serial_twenty_one(struct der *part)
{
	replace(&part[SURGERY_SERIAL], der_hex("02157f" TWENTY));
}

static void
serial_zero(struct der *part)
{
	replace(&part[SURGERY_SERIAL], der_hex("020100"));
}

static void
serial_negative(struct der *part)
{
	replace(&part[SURGERY_SERIAL], der_hex("0201fe"));
}

LEAF_CASE(leaf_serial_zero, .surgery = s->good ? serial_twenty : serial_zero)
LEAF_CASE(leaf_serial_negative,
    .surgery = s->good ? serial_twenty_padded : serial_negative)
LEAF_CASE(
    leaf_serial_long, .surgery = s->good ? serial_twenty : serial_twenty_one)
MIDDLE_CASE(middle_serial_zero, .surgery = s->good ? NULL : serial_zero)
ROOT_CASE(root_serial_zero, .surgery = serial_zero)

/* ---- dates ---- */

#define FROM_2020 "170d3230303130313030303030305a"
#define UNTIL_2049 "170d3439313233313233353935395a"

static void
dates_plain(struct der *part)
{
	replace(&part[SURGERY_VALIDITY], der_hex("301e" FROM_2020 UNTIL_2049));
}

static void
dates_of_2051(struct der *part)
{
	replace(&part[SURGERY_VALIDITY],
	    der_hex("3020" FROM_2020 "180f32303531303130313030303030305a"));
}

static void
dates_long_too_early(struct der *part)
{
	replace(&part[SURGERY_VALIDITY],
	    der_hex("3020" FROM_2020 "180f32303439303130313030303030305a"));
}

static void
dates_without_seconds(struct der *part)
{
	replace(&part[SURGERY_VALIDITY],
	    der_hex("301c170b323030313031303030305a" UNTIL_2049));
}

static void
dates_with_offset(struct der *part)
{
	replace(&part[SURGERY_VALIDITY],
	    der_hex("3022" FROM_2020 "17113439313233313233353935392b30303030"));
}

static void
dates_with_fraction(struct der *part)
{
	replace(&part[SURGERY_VALIDITY],
	    der_hex("3022" FROM_2020 "181132303531303130313030303030302e315a"));
}

LEAF_CASE(leaf_date_long_too_early,
    .surgery = s->good ? dates_of_2051 : dates_long_too_early)
LEAF_CASE(leaf_date_without_seconds,
    .surgery = s->good ? dates_plain : dates_without_seconds)
LEAF_CASE(
    leaf_date_with_offset, .surgery = s->good ? dates_plain : dates_with_offset)
LEAF_CASE(leaf_date_with_fraction,
    .surgery = s->good ? dates_plain : dates_with_fraction)
ROOT_CASE(root_date_long_too_early, .surgery = dates_long_too_early)

/* ---- algorithms ---- */

#define ECDSA_SHA256 "300a06082a8648ce3d040302"
#define ECDSA_SHA384 "300a06082a8648ce3d040303"

static void
outer_same(struct der *part)
{
	replace(&part[SURGERY_OUTER], der_hex(ECDSA_SHA256));
}

static void
outer_other(struct der *part)
{
	replace(&part[SURGERY_OUTER], der_hex(ECDSA_SHA384));
}

static void
outer_with_null(struct der *part)
{
	replace(&part[SURGERY_OUTER], der_hex("300c06082a8648ce3d0403020500"));
}

LEAF_CASE(leaf_other_algorithm, .surgery = s->good ? outer_same : outer_other)
LEAF_CASE(
    leaf_other_parameters, .surgery = s->good ? outer_same : outer_with_null)

/* ---- names ---- */

static void
empty_issuer(struct scene *s)
{
	s->anchor = STRICT_CA(s, NULL, .cn = s->good ? "Test Root" : "");
	strict_serve(s, STRICT_LEAF(s, s->anchor, .ca = false), NULL);
}

static void
empty_subject_of_ca(struct scene *s)
{
	const struct cert *middle = STRICT_CA(
	    s, strict_root(s), .cn = s->good ? "Middle" : "");

	/* What it issues names an issuer, for once. */
	strict_serve(s, STRICT_LEAF(s, middle, .ca = false), middle);
}

LEAF_CASE(empty_subject, .cn = "", .names = STRICT_NO_NAMES,
    .raw = s->good ? "!" ALT_NAMES_OF_HOST : ALT_NAMES_OF_HOST)
LEAF_CASE(empty_subject_of_list_signer, .cn = "", .names = STRICT_NO_NAMES,
    .key_usage = s->good ? GNUTLS_KEY_DIGITAL_SIGNATURE
			 : GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_CRL_SIGN,
    .raw = "!" ALT_NAMES_OF_HOST)
MIDDLE_CASE(empty_alt_names_of_ca, .raw = s->good ? NULL : "2.5.29.17=3000")

/* ---- extensions in general ---- */

MIDDLE_CASE(middle_critical_unknown,
    .raw = s->good ? "1.3.6.1.4.1.55555.1=0500" : "!1.3.6.1.4.1.55555.1=0500")
ROOT_CASE(root_critical_unknown,
    .raw = s->good ? "1.3.6.1.4.1.55555.1=0500" : "!1.3.6.1.4.1.55555.1=0500")
/* GnuTLS knows it, but nothing in it can be held against a policy. */
LEAF_CASE(leaf_critical_policies, .raw = "!2.5.29.32=300a3008060667810c010201")
LEAF_CASE(leaf_critical_access,
    .raw = s->good ? "1.3.6.1.5.5.7.1.1=3000" : "!1.3.6.1.5.5.7.1.1=3000")

static void
extension_twice(struct der *part)
{
	const struct der *all = &part[SURGERY_EXTENSIONS];
	struct der list = der_content(all->data, all->len), one;
	const unsigned char *at;

	one = der_content(list.data, list.len);
	der_done(&list);
	at = one.data;
	list = der_first(&at, one.data + one.len);
	one = der_append(one, list);
	replace(&part[SURGERY_EXTENSIONS],
	    der_join(DER_CONTEXT(3) | DER_CONSTRUCTED, 1,
		der_join(DER_SEQUENCE, 1, one)));
}

LEAF_CASE(leaf_extension_twice, .surgery = s->good ? NULL : extension_twice)

#define PROXY "1.3.6.1.5.5.7.1.14=300c300a06082b06010505071501"

LEAF_CASE(leaf_is_proxy, .raw = s->good ? NULL : PROXY)
LEAF_CASE(leaf_is_critical_proxy, .raw = s->good ? NULL : "!" PROXY)

MIDDLE_CASE(
    malformed_basic_constraints, .raw = s->good ? NULL : "2.5.29.19" MALFORMED)
MIDDLE_CASE(negative_path_length,
    .raw = s->good ? "!2.5.29.19=30060101ff020101"
		   : "!2.5.29.19=30060101ff0201ff")
LEAF_CASE(malformed_key_usage, .raw = s->good ? NULL : "2.5.29.15" MALFORMED)
LEAF_CASE(empty_key_usage,
    .raw = s->good ? "2.5.29.15=03020780" : "2.5.29.15=03020700")
LEAF_CASE(padded_key_usage,
    .raw = s->good ? "2.5.29.15=03020780" : "2.5.29.15=03020784")
MIDDLE_CASE(padded_path_length,
    .raw = s->good ? "!2.5.29.19=30060101ff020100"
		   : "!2.5.29.19=30070101ff02020000")
LEAF_CASE(
    malformed_subject_key_id, .raw = s->good ? NULL : "2.5.29.14" MALFORMED)
LEAF_CASE(
    malformed_authority_key_id, .raw = s->good ? NULL : "2.5.29.35" MALFORMED)
LEAF_CASE(malformed_purposes, .raw = s->good ? NULL : "2.5.29.37" MALFORMED)

/* SEQUENCE { subjectAltName, NULL }, which GnuTLS reads at once. */
static void
bad_alt_names(struct der *part)
{
	const struct der *all = &part[SURGERY_EXTENSIONS];
	struct der list = der_content(all->data, all->len), one;

	one = der_content(list.data, list.len);
	der_done(&list);
	one = der_append(one, der_hex("30090603551d1104020500"));
	replace(&part[SURGERY_EXTENSIONS],
	    der_join(DER_CONTEXT(3) | DER_CONSTRUCTED, 1,
		der_join(DER_SEQUENCE, 1, one)));
}

static void
malformed_alt_names(struct scene *s)
{
	const struct cert *middle = STRICT_CA(
	    s, strict_root(s), .cn = "Middle");
	const struct cert *bad = STRICT_CA(s, strict_root(s), .cn = "Middle",
	    .key_of = middle, .surgery = bad_alt_names);

	strict_serve(
	    s, STRICT_LEAF(s, middle, .ca = false), s->good ? middle : bad);
}

LEAF_CASE(malformed_crl_points, .raw = s->good ? NULL : "2.5.29.31" MALFORMED)

/* ---- key identifiers ---- */

LEAF_CASE(leaf_without_subject_key_id, .no_subject_key_id = true)
MIDDLE_CASE(middle_without_subject_key_id, .no_subject_key_id = !s->good)
ROOT_CASE(root_without_subject_key_id, .no_subject_key_id = !s->good)
LEAF_CASE(leaf_critical_subject_key_id,
    .raw = s->good ? "2.5.29.14=04020102" : "!2.5.29.14=04020102")
LEAF_CASE(leaf_without_authority_key_id, .no_authority_key_id = !s->good)
MIDDLE_CASE(middle_without_authority_key_id, .no_authority_key_id = !s->good)
ROOT_CASE(root_without_authority_key_id, .no_authority_key_id = true)
LEAF_CASE(leaf_authority_without_key, .raw = s->good ? NULL : "2.5.29.35=3000")
ROOT_CASE(root_authority_without_key, .raw = "2.5.29.35=3000")
ROOT_CASE(root_authority_of_another, .raw = "2.5.29.35=300480020102")

/* The identifier names the issuer by its key, its issuer and its number. */
static void
authority_extension(struct scene *s, const char *extra, bool critical)
{
	static char raw[512];
	unsigned char id[64];
	size_t len = sizeof(id), i, used;

	ck_assert_int_ge(
	    gnutls_x509_crt_get_key_id(strict_root(s)->crt, 0, id, &len), 0);
	used = (size_t)snprintf(raw, sizeof(raw), "%s2.5.29.35=30%02zx80%02zx",
	    critical ? "!" : "", len + 2 + strlen(extra) / 2, len);
	for (i = 0; i < len; i++)
		used += (size_t)snprintf(
		    raw + used, sizeof(raw) - used, "%02x", id[i]);
	snprintf(raw + used, sizeof(raw) - used, "%s", extra);
	strict_serve(s, STRICT_LEAF(s, strict_root(s), .raw = raw), NULL);
}

static void
leaf_critical_authority_key_id(struct scene *s)
{
	authority_extension(s, "", !s->good);
}

/* CN=Test Root, and another one. */
#define NAMES_ROOT "a118a41630143112301006035504030c095465737420526f6f74"
#define NAMES_OTHER "a118a41630143112301006035504030c094f7468657220526f6f"

static void
leaf_authority_serial(struct scene *s)
{
	authority_extension(
	    s, s->good ? NAMES_ROOT "82021001" : NAMES_ROOT "82021002", false);
}

static void
leaf_authority_issuer(struct scene *s)
{
	authority_extension(
	    s, s->good ? NAMES_ROOT "82021001" : NAMES_OTHER "82021001", false);
}

/* ---- CAs ---- */

MIDDLE_CASE(middle_basic_not_critical, .raw = s->good ? "!" BASIC_CA : BASIC_CA)
ROOT_CASE(root_basic_not_critical, .raw = s->good ? "!" BASIC_CA : BASIC_CA)
MIDDLE_CASE(middle_without_key_usage, .no_key_usage = !s->good)
ROOT_CASE(root_without_key_usage, .no_key_usage = !s->good)
LEAF_CASE(leaf_of_ca, .ca = !s->good,
    .key_usage = s->good
	? GNUTLS_KEY_DIGITAL_SIGNATURE
	: GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_CERT_SIGN)
LEAF_CASE(leaf_that_may_sign,
    .key_usage = s->good
	? GNUTLS_KEY_DIGITAL_SIGNATURE
	: GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_CERT_SIGN)
LEAF_CASE(leaf_with_path_length,
    .raw = s->good ? "!2.5.29.19=3000" : "!2.5.29.19=3003020100")
LEAF_CASE(
    leaf_with_constraints, .permitted = s->good ? NULL : "DNS:example.org")
MIDDLE_CASE(middle_that_may_not_sign,
    .key_usage = s->good ? GNUTLS_KEY_KEY_CERT_SIGN
			 : GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_CRL_SIGN)
ROOT_CASE(root_that_may_not_sign,
    .key_usage = s->good ? GNUTLS_KEY_KEY_CERT_SIGN
			 : GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_CRL_SIGN)

/* root (path length) -> self-issued root of another key -> middle -> leaf */
static void
path_with_self_issued(struct scene *s)
{
	const struct cert *again, *middle;

	s->anchor = STRICT_CA(s, NULL, .cn = "Test Root", .has_path_len = true,
	    .path_len = s->good ? 1 : 0);
	again = STRICT_CA(s, s->anchor, .cn = "Test Root");
	middle = STRICT_CA(s, again, .cn = "Middle");
	strict_serve(s, STRICT_LEAF(s, middle, .ca = false), middle);
	s->chain[2] = again;
}

static void
path_of_middle(struct scene *s)
{
	const struct cert *middle = STRICT_CA(s, strict_root(s), .cn = "Middle",
	    .has_path_len = true, .path_len = s->good ? 1 : 0);
	const struct cert *second = STRICT_CA(s, middle, .cn = "Second");

	strict_serve(s, STRICT_LEAF(s, second, .ca = false), second);
	s->chain[2] = middle;
}

/* ---- what the leaf's key is for ---- */

LEAF_CASE(leaf_usage_signs_lists,
    .key_usage = s->good
	? GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_NON_REPUDIATION
	: GNUTLS_KEY_NON_REPUDIATION)
LEAF_CASE(leaf_usage_agrees,
    .key_usage = s->good
	? GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_AGREEMENT
	: GNUTLS_KEY_KEY_AGREEMENT)
LEAF_CASE(leaf_netscape_type,
    .raw = s->good ? "2.16.840.1.113730.1.1=03020640"
		   : "2.16.840.1.113730.1.1=03020780")
LEAF_CASE(purpose_any,
    .eku = s->good ? GNUTLS_KP_ANY " " GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_ANY)
LEAF_CASE(purpose_empty, .eku = s->good ? GNUTLS_KP_TLS_WWW_SERVER : "")
MIDDLE_CASE(purpose_of_middle,
    .eku = s->good ? GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT)
ROOT_CASE(purpose_of_root,
    .eku = s->good ? GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT)

/* ---- strength ---- */

ROOT_CASE(root_weak_key, .rsa_bits = s->good ? 2048 : 1024)
ROOT_CASE(root_weak_curve,
    .curve = s->good ? GNUTLS_ECC_CURVE_SECP384R1 : GNUTLS_ECC_CURVE_SECP192R1)
MIDDLE_CASE(middle_weak_key, .rsa_bits = s->good ? 2048 : 1024)
/* Nobody verifies what a root says of itself. */
ROOT_CASE(root_old_digest, .digest = GNUTLS_DIG_SHA1)

/* ---- trusted for itself ---- */

static void
trust_leaf(struct scene *s, const struct cert *leaf)
{
	s->anchor = leaf;
	strict_serve(s, leaf, NULL);
}

static void
own_anchor(struct scene *s)
{
	trust_leaf(s, STRICT_LEAF(s, NULL, .ca = false));
}

static void
own_anchor_without_form(struct scene *s)
{
	trust_leaf(s,
	    STRICT_LEAF(s, NULL, .no_key_ids = true, .raw = BASIC_CA,
		.surgery = serial_zero));
}

static void
own_anchor_of_ca(struct scene *s)
{
	trust_leaf(s,
	    STRICT_LEAF(s, NULL, .ca = true,
		.key_usage = GNUTLS_KEY_DIGITAL_SIGNATURE |
		    GNUTLS_KEY_KEY_CERT_SIGN));
}

/* It is no anchor where its issuer is: then it is a leaf as any other. */
static void
own_anchor_of_version_1(struct scene *s)
{
	trust_leaf(s,
	    STRICT_LEAF(s, NULL, .cn = STRICT_HOST,
		.surgery = s->good ? NULL : make_version_1));
}

#define ROW(f, sentence, flags)                                                \
	{                                                                      \
#f, flags, f, sentence                                         \
	}
/* What GnuTLS refuses itself. */
#define SENT_USAGE                                                             \
	"the server uses its certificate for what its key usage does not "     \
	"allow"
#define SENT "the server sent "
#define DATE " has a date that is not in the form of RFC 5280"
#define FORM STRICT_FORM
#define EXTRA STRICT_EXTRA
#define FINE STRICT_FINE

const struct strict_case strict_forms[] = {
	ROW(leaf_of_version_1, LEAF " is of version 1, and only version 3 ",
	    EXTRA),
	ROW(leaf_of_version_2, LEAF " is of version 2, and only version 3 ",
	    EXTRA),
	ROW(leaf_serial_zero, LEAF " has the serial number 0", FORM | EXTRA),
	ROW(leaf_serial_negative, LEAF " has a serial number below 0",
	    FORM | EXTRA),
	ROW(leaf_serial_long,
	    LEAF " has a serial number of 21 octets, more than 20",
	    FORM | EXTRA),
	ROW(middle_serial_zero, MIDDLE " has the serial number 0",
	    FORM | EXTRA),
	ROW(root_serial_zero, NULL, FINE),
	ROW(leaf_date_long_too_early,
	    LEAF " has a date before 2050 with a year of four digits",
	    FORM | EXTRA),
	ROW(leaf_date_without_seconds, LEAF DATE, 0),
	ROW(leaf_date_with_offset, SENT "a certificate with a date ", 0),
	ROW(leaf_date_with_fraction, SENT "a certificate with a date ", 0),
	ROW(root_date_long_too_early, NULL, FINE),
	ROW(leaf_other_algorithm, SENT "a certificate that cannot be used", 0),
	ROW(leaf_other_parameters,
	    LEAF " names another signature algorithm inside than outside", 0),
	ROW(empty_issuer, LEAF " names no issuer", FORM),
	ROW(empty_subject_of_ca, LEAF " names no issuer", FORM),
	ROW(empty_subject,
	    LEAF " has an empty subject and a subjectAltName that is not "
		 "critical",
	    FORM),
	ROW(empty_subject_of_list_signer,
	    LEAF " is of a CA and has an empty subject", FORM),
	ROW(empty_alt_names_of_ca,
	    MIDDLE " has a subjectAltName without a name in it", FORM),
	ROW(middle_critical_unknown,
	    MIDDLE " has a critical extension that is not known "
		   "(1.3.6.1.4.1.55555.1)",
	    0),
	ROW(root_critical_unknown,
	    ROOT " has a critical extension that is not known "
		 "(1.3.6.1.4.1.55555.1)",
	    0),
	ROW(leaf_critical_policies, NULL, FINE),
	ROW(leaf_critical_access,
	    LEAF " has a critical extension that is not known "
		 "(1.3.6.1.5.5.7.1.1)",
	    0),
	ROW(leaf_extension_twice,
	    SENT "a certificate that has an extension more than once", 0),
	ROW(leaf_is_proxy, LEAF " is a proxy certificate", 0),
	ROW(leaf_is_critical_proxy, LEAF " is a proxy certificate", 0),
	ROW(malformed_basic_constraints,
	    MIDDLE " has basic constraints that cannot be read", 0),
	ROW(negative_path_length,
	    MIDDLE " has basic constraints that cannot be read", 0),
	ROW(malformed_key_usage, LEAF " has a key usage that cannot be read",
	    0),
	ROW(empty_key_usage, LEAF " has a key usage that cannot be read", 0),
	ROW(padded_key_usage, LEAF " has a key usage that cannot be read",
	    EXTRA),
	ROW(padded_path_length,
	    MIDDLE " has basic constraints that cannot be read", 0),
	ROW(malformed_subject_key_id,
	    LEAF " has a subject key identifier that cannot be read", 0),
	ROW(malformed_authority_key_id,
	    LEAF " has an authority key identifier that cannot be read", 0),
	ROW(malformed_purposes,
	    LEAF " has an extended key usage that cannot be read", 0),
	ROW(malformed_alt_names, "certificate 2 that the server sent ", 0),
	ROW(malformed_crl_points,
	    LEAF " has CRL distribution points that cannot be read", 0),
	ROW(leaf_without_subject_key_id, NULL, FINE),
	ROW(middle_without_subject_key_id,
	    MIDDLE " has no subject key identifier", FORM),
	ROW(root_without_subject_key_id, ROOT " has no subject key identifier",
	    FORM),
	ROW(leaf_critical_subject_key_id,
	    LEAF " has a critical subject key identifier", FORM),
	ROW(leaf_without_authority_key_id,
	    LEAF " has no authority key identifier", FORM),
	ROW(middle_without_authority_key_id,
	    MIDDLE " has no authority key identifier", FORM),
	ROW(root_without_authority_key_id, NULL, FINE),
	ROW(leaf_authority_without_key,
	    LEAF " has an authority key identifier without a key in it", FORM),
	ROW(root_authority_without_key, NULL, FINE),
	ROW(root_authority_of_another, NULL, FINE),
	ROW(leaf_critical_authority_key_id,
	    LEAF " has a critical authority key identifier", FORM),
	ROW(leaf_authority_serial,
	    LEAF " names another serial number of its issuer", 0),
	ROW(leaf_authority_issuer, LEAF " names another issuer of its issuer",
	    0),
	ROW(middle_basic_not_critical,
	    MIDDLE " has basic constraints that are not critical", FORM),
	ROW(root_basic_not_critical,
	    ROOT " has basic constraints that are not critical", FORM),
	ROW(middle_without_key_usage, MIDDLE " is of a CA and has no key usage",
	    FORM),
	ROW(root_without_key_usage, ROOT " is of a CA and has no key usage",
	    FORM),
	ROW(leaf_of_ca, LEAF " is a certificate of a CA", FORM | EXTRA),
	ROW(leaf_that_may_sign,
	    LEAF " has a key usage with keyCertSign and is none of a CA", FORM),
	ROW(leaf_with_path_length,
	    LEAF " has a path length and is none of a CA", FORM),
	ROW(leaf_with_constraints,
	    LEAF " has name constraints and is none of a CA", FORM | EXTRA),
	ROW(middle_that_may_not_sign,
	    MIDDLE " signed a certificate and must not ", 0),
	ROW(root_that_may_not_sign, ROOT " signed a certificate and must not ",
	    0),
	ROW(path_with_self_issued,
	    ROOT " allows 0 CAs below it, and there are 1", 0),
	ROW(path_of_middle, MIDDLE " allows 0 CAs below it, and there are 1",
	    0),
	ROW(leaf_usage_signs_lists, SENT_USAGE, 0),
	ROW(leaf_usage_agrees, SENT_USAGE, EXTRA),
	ROW(leaf_netscape_type, LEAF " is not for TLS servers", 0),
	ROW(purpose_any, LEAF " is not for TLS servers ", 0),
	ROW(purpose_empty, LEAF " is not for TLS servers ", 0),
	ROW(purpose_of_middle, MIDDLE " is not for TLS servers ", 0),
	ROW(purpose_of_root, ROOT " is not for TLS servers ", 0),
	ROW(root_weak_key, ROOT " has a weak key (RSA with 1024 bits)", 0),
	ROW(root_weak_curve, ROOT " has a weak key (EC/ECDSA with 192 bits)",
	    0),
	ROW(middle_weak_key, MIDDLE " has a weak key (RSA with 1024 bits)", 0),
	ROW(root_old_digest, NULL, FINE),
	ROW(own_anchor, NULL, FINE),
	ROW(own_anchor_without_form, NULL, FINE),
	ROW(own_anchor_of_ca, NULL, FINE),
	ROW(own_anchor_of_version_1, LEAF " is of version 1, ", 0),
};

const size_t strict_forms_count = sizeof(strict_forms) /
    sizeof(strict_forms[0]);
