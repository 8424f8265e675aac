/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "der.h"
#include "oracle.h"
#include "tls/parts.h"

/* Certificates that are put together from parts, in hexadecimal. */
enum part {
	VERSION,
	SERIAL,
	ALGORITHM,
	ISSUER,
	VALIDITY,
	SUBJECT,
	KEY,
	EXTENSIONS,
	BEHIND_TBS,
	OUTER_ALGORITHM,
	SIGNATURE,
	BEHIND,
	PARTS
};

#define ECDSA "300a06082a8648ce3d040302"
#define NAME "300c310a300806035504030c0141"
#define TIMES "170d3235303130323033303430355a"
#define GENERAL_TIME "180f32303530303130323033303430355a"
#define EC_KEY "301306072a8648ce3d020106082a8648ce3d030107"

static const char *const usual[PARTS] = { "a003020102", "020101", ECDSA, NAME,
	"301e" TIMES TIMES, NAME, "3019" EC_KEY "03020004", "", "", ECDSA,
	"03020001", "" };

static struct der
from_hex(const char *hex)
{
	unsigned char data[512];
	unsigned int byte;
	size_t len = 0;

	for (; *hex != '\0'; hex += 2) {
		hex += *hex == ' ';
		ck_assert_int_eq(sscanf(hex, "%2x", &byte), 1);
		data[len++] = (unsigned char)byte;
	}
	return der_raw(data, len);
}

/* Build a certificate, with these two in the place of the parts. */
static struct der
build(const char *const part[PARTS], struct der subject, struct der extensions)
{
	struct der tbs = der_join(DER_SEQUENCE, 8, from_hex(part[VERSION]),
	    from_hex(part[SERIAL]), from_hex(part[ALGORITHM]),
	    from_hex(part[ISSUER]), from_hex(part[VALIDITY]), subject,
	    from_hex(part[KEY]), extensions);

	return der_join(DER_SEQUENCE, 5, tbs, from_hex(part[BEHIND_TBS]),
	    from_hex(part[OUTER_ALGORITHM]), from_hex(part[SIGNATURE]),
	    from_hex(part[BEHIND]));
}

static struct der
build_parts(const char *const part[PARTS])
{
	return build(part, from_hex(part[SUBJECT]), from_hex(part[EXTENSIONS]));
}

#define EXT(len, list, content) "a3" len "30" list content
#define NO_CA                                                                  \
	"3009"                                                                 \
	"0603551d13"                                                           \
	"0402"                                                                 \
	"3000"

static const struct {
	enum part part;
	const char *hex;
	bool plain;
} variants[] = {
	{ VERSION, "a003020102", true },
	{ VERSION, "", false },
	{ VERSION, "a003020101", false },
	{ VERSION, "a003020103", false },
	{ VERSION, "a004020102 00", false },
	{ VERSION, "a003020102 a003020102", false },
	{ SERIAL, "020100", true },
	{ SERIAL, "02017f", true },
	{ SERIAL, "02020080", true },
	{ SERIAL, "0214 7f00000000000000000000000000000000000000", true },
	{ SERIAL, "0215 7f0000000000000000000000000000000000000000", false },
	{ SERIAL, "020180", false },
	{ SERIAL, "02020000", false },
	{ SERIAL, "0202007f", false },
	{ SERIAL, "0200", false },
	{ SERIAL, "0a0101", false },
	{ SERIAL, "", false },
	/* The inner algorithm is not the outer one. */
	{ ALGORITHM, "300a06082a8648ce3d040303", false },
	{ ALGORITHM, "300c06082a8648ce3d0403020500", false },
	{ ALGORITHM, "", false },
	{ OUTER_ALGORITHM, "300c06082a8648ce3d0403020500", false },
	{ OUTER_ALGORITHM, "", false },
	{ ISSUER, "", false },
	{ ISSUER, "3000", false },
	{ SUBJECT, "", false },
	{ SUBJECT, "3000", false },
	{ SUBJECT, "300c310a300806035504030c0142", true },
	{ SUBJECT, "300c310a30080603550403130142", true },
	{ SUBJECT, "300c310a30080603550403140142", true },
	{ SUBJECT, "300c310a30080603550403160142", true },
	{ SUBJECT, "300d310b300906035504031e020042", true },
	{ SUBJECT, "300c310a30080603550403040142", false },
	{ SUBJECT, "3018 310a300806035504030c0142 310a300806035504060c0143",
	    true },
	/* Two attributes on a level. */
	{ SUBJECT, "3016 3114 300806035504030c0142 300806035504060c0143",
	    false },
	/* Something behind, too little, or nothing. */
	{ SUBJECT, "300e 310a300806035504030c0142 0500", false },
	{ SUBJECT, "300e310c 300806035504030c0142 0500", false },
	{ SUBJECT, "300e310c300a 06035504030c0142 0500", false },
	{ SUBJECT, "300b3109300706035504030c00", false },
	{ SUBJECT, "30093107300506035504 03", false },
	{ SUBJECT, "30023100", false },
	{ SUBJECT, "300431023000", false },
	{ SUBJECT, "300c300a300806035504030c0142", false },
	{ SUBJECT, "300c310a310806035504030c0142", false },
	/* OIDs. */
	{ SUBJECT, "300b31093007060280550c0142", false },
	{ SUBJECT, "300a31083006060155 0c0142", true },
	{ SUBJECT, "30093107300506000c0142", false },
	{ SUBJECT, "300c310a30080603558003 0c0142", false },
	{ SUBJECT, "300c310a30080603550483 0c0142", false },
	{ SUBJECT, "300e310c300a 060555ffffff7f 0c0142", true },
	{ SUBJECT, "300f310d300b 060655ffffffff7f 0c0142", false },
	{ SUBJECT,
	    "3021311f301d 0618 "
	    "550101010101010101010101010101010101010101010101 0c0142",
	    true },
	{ SUBJECT,
	    "30223120301e 0619 "
	    "55010101010101010101010101010101010101010101010101 0c0142",
	    false },
	{ VALIDITY, "", false },
	{ VALIDITY, "300f" TIMES, false },
	{ VALIDITY, "302d" TIMES TIMES TIMES, false },
	{ VALIDITY, "301e 170d3939303932393039353935395a" TIMES, true },
	{ VALIDITY, "3020" TIMES GENERAL_TIME, true },
	{ VALIDITY, "3022" GENERAL_TIME GENERAL_TIME, true },
	/* Without seconds; with fractions; of the year 1949. */
	{ VALIDITY, "301c" TIMES "170b323530313032303330345a", false },
	{ VALIDITY, "3022" TIMES "1811323035303031303230333034302e355a",
	    false },
	{ VALIDITY, "3020" TIMES "180f31393439303130323033303430355a", false },
	{ KEY, "", false },
	{ KEY, "3008 30020500 03020004", false },
	/* RSA, and another that has something unknown for parameters. */
	{ KEY, "3013 300d06092a864886f70d0101010500 03020004", true },
	{ KEY, "3014 300e06092a864886f70d010101050100 03020004", false },
	{ KEY, "3013 300d06092a864886f70d0101013000 03020004", false },
	{ KEY, "3015 300f06092a864886f70d01010105000500 03020004", false },
	{ KEY, "301b" EC_KEY "03020004 0500", false },
	{ KEY, "3015" EC_KEY, false },
	{ KEY, "3019" EC_KEY "03020104", false },
	{ KEY, "3018" EC_KEY "030100", false },
	{ KEY, "3019" EC_KEY "04020004", false },
	/* A unique identifier of the issuer. */
	{ EXTENSIONS, "8102 00ff", false },
	{ EXTENSIONS, "a300", false },
	{ EXTENSIONS, "a3023000", false },
	{ EXTENSIONS, EXT("0d", "0b", NO_CA), true },
	{ EXTENSIONS, EXT("0f", "0b", NO_CA "0500"), false },
	{ EXTENSIONS, EXT("0d", "0b", NO_CA) "0500", false },
	{ EXTENSIONS, EXT("18", "16", NO_CA NO_CA), false },
	{ EXTENSIONS, EXT("0d", "0b", "30090603551d13 0502 3000"), false },
	{ EXTENSIONS, EXT("09", "07", "30050603551d13"), false },
	{ EXTENSIONS, EXT("0f", "0d", "300b 0603551d13 0402 3000 0500"),
	    false },
	/* Basic constraints, critical. */
	{ EXTENSIONS, EXT("13", "11", "300f 0603551d13 0101ff 0405 30030101ff"),
	    true },
	{ EXTENSIONS, EXT("13", "11", "300f 0603551d13 010100 0405 30030101ff"),
	    false },
	{ EXTENSIONS, EXT("10", "0e", "300c 0603551d13 0101ff 0402 3000"),
	    false },
	{ EXTENSIONS,
	    EXT("16", "14", "3012 0603551d13 0101ff 0408 30060101ff020102"),
	    true },
	{ EXTENSIONS,
	    EXT("16", "14", "3012 0603551d13 0101ff 0408 30060101ff020180"),
	    false },
	{ EXTENSIONS,
	    EXT("15", "13", "3011 0603551d13 0101ff 0407 30050101ff0200"),
	    false },
	{ EXTENSIONS,
	    EXT("15", "13", "3011 0603551d13 0101ff 0407 30050101ff0500"),
	    false },
	{ EXTENSIONS,
	    EXT("15", "13", "3011 0603551d13 0101ff 0407 30030101ff0500"),
	    false },
	/* Key usage, critical. */
	{ EXTENSIONS, EXT("12", "10", "300e 0603551d0f 0101ff 0404 03020106"),
	    true },
	{ EXTENSIONS, EXT("12", "10", "300e 0603551d0f 0101ff 0404 03020206"),
	    false },
	{ EXTENSIONS, EXT("12", "10", "300e 0603551d0f 0101ff 0404 03020800"),
	    false },
	{ EXTENSIONS, EXT("13", "11", "300f 0603551d0f 0101ff 0405 0303070680"),
	    true },
	{ EXTENSIONS,
	    EXT("14", "12", "3010 0603551d0f 0101ff 0406 030400068000"),
	    false },
	{ EXTENSIONS, EXT("11", "0f", "300d 0603551d0f 0101ff 0403 030100"),
	    false },
	{ EXTENSIONS,
	    EXT("14", "12", "3010 0603551d0f 0101ff 0406 030201060500"),
	    false },
	/* Another one that is critical. */
	{ EXTENSIONS, EXT("10", "0e", "300c 0603551d25 0101ff 0402 3000"),
	    false },
	/* Alternative names, of a host, an address, and of nothing. */
	{ EXTENSIONS, EXT("10", "0e", "300c 0603551d11 0405 3003820141"),
	    true },
	{ EXTENSIONS, EXT("10", "0e", "300c 0603551d12 0405 3003810141"),
	    true },
	{ EXTENSIONS, EXT("13", "11", "300f 0603551d12 0408 3006810141860142"),
	    true },
	{ EXTENSIONS, EXT("13", "11", "300f 0603551d12 0408 3006870141860142"),
	    false },
	{ EXTENSIONS, EXT("10", "0e", "300c 0603551d11 0405 3003820120"),
	    false },
	{ EXTENSIONS, EXT("10", "0e", "300c 0603551d11 0405 300382017f"),
	    false },
	{ EXTENSIONS, EXT("0f", "0d", "300b 0603551d11 0404 30028200"), false },
	{ EXTENSIONS, EXT("0d", "0b", "3009 0603551d11 0402 3000"), false },
	{ EXTENSIONS, EXT("12", "10", "300e 0603551d11 0407 30038201410500"),
	    false },
	{ EXTENSIONS, EXT("13", "11", "300f 0603551d11 0101ff 0405 3003820141"),
	    false },
	{ BEHIND_TBS, "0500", false },
	{ SIGNATURE, "", false },
	{ SIGNATURE, "03020104", false },
	{ SIGNATURE, "030100", false },
	{ SIGNATURE, "04020001", false },
	{ BEHIND, "0500", false },
};

START_TEST(each_part_is_looked_at)
{
	const char *part[PARTS];
	struct der der;

	memcpy(part, usual, sizeof(part));
	der = build_parts(part);
	ck_assert(oracle_is_plain(der.data, der.len));
	der_done(&der);
	part[variants[_i].part] = variants[_i].hex;
	der = build_parts(part);
	ck_assert_int_eq(
	    oracle_is_plain(der.data, der.len), variants[_i].plain);
	der_done(&der);
}
END_TEST

/* How the length of a string is encoded, and whether that is as it must be. */
static const struct {
	size_t len;
	const char *encoded;
	bool plain;
} lengths[] = {
	{ 127, "7f", true },
	{ 127, "817f", false },
	{ 128, "8180", true },
	{ 128, "80", false },
	{ 255, "81ff", true },
	{ 255, "8200ff", false },
	{ 256, "820100", true },
	{ 256, "83000100", false },
	{ 256, "83010041", false },
	{ 300, "82012c", true },
	{ 300, "82012d", false },
	{ 300, "82012b", false },
	{ 300, "82ffff", false },
	{ 300, "84ffffffff", false },
	{ 300, "ff", false },
};

START_TEST(a_length_has_one_encoding)
{
	static const char text[300] = { 0 };
	struct der head = from_hex(lengths[_i].encoded);
	struct der string = der_append(
	    der_append(from_hex("0c"), head), der_raw(text, lengths[_i].len));
	struct der name = der_join(DER_SEQUENCE, 1,
	    der_join(DER_SET, 1,
		der_join(DER_SEQUENCE, 2, from_hex("0603550403"), string)));
	struct der der = build(usual, name, from_hex(""));

	ck_assert_int_eq(oracle_is_plain(der.data, der.len), lengths[_i].plain);
	der_done(&der);
}
END_TEST

static struct der
with_extensions(int count)
{
	unsigned char one[] = { 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x00, 0x04,
		0x02, 0x30, 0x00 };
	struct der list = from_hex("");
	int i;

	for (i = 0; i < count; i++) {
		one[6] = (unsigned char)i;
		list = der_append(list, der_raw(one, sizeof(one)));
	}
	return build(usual, from_hex(NAME),
	    der_join(DER_CONTEXT(3) | DER_CONSTRUCTED, 1,
		der_join(DER_SEQUENCE, 1, list)));
}

/* As many as there is room for, and one more. */
START_TEST(extensions_have_a_number)
{
	struct der der = with_extensions(16 + _i);

	ck_assert_int_eq(oracle_is_plain(der.data, der.len), _i == 0);
	der_done(&der);
}
END_TEST

/* Likewise where the rules look. */
START_TEST(more_extensions_than_there_is_room_for_are_a_fault)
{
	struct der der = with_extensions(64 + _i);
	const gnutls_datum_t data = { der.data, (unsigned int)der.len };
	struct stls_parts parts;
	struct stls_err err;
	gnutls_x509_crt_t cert;

	ck_assert_int_ge(gnutls_x509_crt_init(&cert), 0);
	ck_assert_int_ge(
	    gnutls_x509_crt_import(cert, &data, GNUTLS_X509_FMT_DER), 0);
	ck_assert_ok(stls_parts_init(&parts, &err, cert));
	ck_assert_int_eq(parts.fault == NULL, _i == 0);
	stls_parts_done(&parts);
	gnutls_x509_crt_deinit(cert);
	der_done(&der);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("plain-parts");
	TCase *tc = tcase_create("parts");

	tcase_add_loop_test(tc, each_part_is_looked_at, 0, COUNT(variants));
	tcase_add_loop_test(tc, a_length_has_one_encoding, 0, COUNT(lengths));
	tcase_add_loop_test(tc, extensions_have_a_number, 0, 2);
	tcase_add_loop_test(
	    tc, more_extensions_than_there_is_room_for_are_a_fault, 0, 2);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
