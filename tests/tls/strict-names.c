/* SPDX-License-Identifier: MIT */
/* Cases of names, and of what a CA may certify (RFC 5280 section 4.2.1.10). */
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "der.h"
#include "strict.h"

#define LEAF "certificate of " STRICT_HOST
#define MIDDLE "CA certificate \"CN=Middle\""

/* What the CA has, and the names of the leaf. */
#define CONSTRAINED(name, middle_has, ...)                                     \
	static void name(struct scene *s)                                      \
	{                                                                      \
		const struct cert *middle = STRICT_CA(                         \
		    s, strict_root(s), .cn = "Middle", middle_has);            \
                                                                               \
		strict_serve(s, STRICT_LEAF(s, middle, __VA_ARGS__), middle);  \
	}

#define HOST "DNS:" STRICT_HOST

/* ---- wildcards ---- */

static void
wildcard_of_everybody(struct scene *s)
{
	s->host = "example.org";
	strict_serve(s,
	    STRICT_LEAF(s, strict_root(s),
		.names = s->good ? "DNS:example.org" : "DNS:*.org"),
	    NULL);
}

static void
wildcard_in_the_middle(struct scene *s)
{
	s->host = "a.mail.example.org";
	strict_serve(s,
	    STRICT_LEAF(s, strict_root(s),
		.names = s->good ? "DNS:*.mail.example.org"
				 : "DNS:a.*.example.org"),
	    NULL);
}

/* ---- DNS ---- */

CONSTRAINED(dns_excluded,
    .excluded = s->good ? "DNS:example.com" : "DNS:example.org", .ca = false)
CONSTRAINED(dns_excluded_exactly,
    .excluded = s->good ? "DNS:ail.example.org" : HOST, .ca = false)
CONSTRAINED(dns_excluded_in_capitals,
    .excluded = s->good ? "DNS:EXAMPLE.COM" : "DNS:Example.ORG", .ca = false)
CONSTRAINED(dns_permitted,
    .permitted = s->good ? "DNS:example.org" : "DNS:example.com", .ca = false)
CONSTRAINED(dns_permitted_in_capitals,
    .permitted = s->good ? "DNS:EXAMPLE.org" : "DNS:EXAMPLE.com", .ca = false)
CONSTRAINED(dns_permitted_with_dot,
    .permitted = s->good ? "DNS:.example.org" : "DNS:." STRICT_HOST,
    .ca = false)
CONSTRAINED(dns_permitted_part_of_label,
    .permitted = s->good ? "DNS:org" : "DNS:ample.org", .ca = false)
CONSTRAINED(dns_permitted_second_name, .permitted = "DNS:example.org",
    .names = s->good ? HOST " DNS:b.example.org" : HOST " DNS:b.example.com")
CONSTRAINED(dns_permitted_wildcard, .permitted = "DNS:example.org",
    .names = s->good ? "DNS:*.example.org"
		     : "DNS:*.example.org DNS:*.example.com")
/* It stands for the host that is excluded, too. */
CONSTRAINED(dns_excluded_by_wildcard,
    .excluded = s->good ? "DNS:a.secret.example.org DNS:.secret.example.org"
			: "DNS:SECRET.example.org",
    .names = HOST " DNS:*.example.org")
CONSTRAINED(dns_permitted_wildcard_below, .permitted = "DNS:.example.org",
    .names = s->good ? "DNS:*.example.org" : HOST " DNS:*.example.com")
CONSTRAINED(dns_permitted_in_wildcard, .permitted = HOST,
    .names = s->good ? HOST : "DNS:*.example.org")
/* One that is there twice, and one of many. */
CONSTRAINED(dns_permitted_one_of_many,
    .permitted = s->good
	? "DNS:example.com DNS:example.net DNS:example.org DNS:example.org"
	: "DNS:example.com DNS:example.net DNS:example.edu DNS:example.com",
    .ca = false)
CONSTRAINED(dns_permitted_and_excluded, .permitted = "DNS:example.org",
    .names = s->good ? "DNS:mail.example.org"
		     : "DNS:mail.example.org DNS:bad.example.com")

static void
dns_excluded_below_permitted(struct scene *s)
{
	const struct cert *middle = STRICT_CA(s, strict_root(s), .cn = "Middle",
	    .permitted = "DNS:example.org",
	    .excluded = s->good ? "DNS:secret.example.org" : HOST);

	strict_serve(s, STRICT_LEAF(s, middle, .ca = false), middle);
}

/* ---- who is constrained, by whom ---- */

static void
root_has_constraints(struct scene *s)
{
	const struct cert *middle;

	s->anchor = STRICT_CA(s, NULL, .cn = "Test Root",
	    .permitted = s->good ? "DNS:example.org" : "DNS:example.com");
	middle = STRICT_CA(s, s->anchor, .cn = "Middle");
	strict_serve(s, STRICT_LEAF(s, middle, .ca = false), middle);
}

/* root (constraints) -> middle (a name of its own) -> leaf */
static void
name_of_middle(struct scene *s)
{
	const struct cert *middle;

	s->anchor = STRICT_CA(
	    s, NULL, .cn = "Test Root", .permitted = "DNS:example.org");
	middle = STRICT_CA(s, s->anchor, .cn = "Middle",
	    .names = s->good ? "DNS:ca.example.org" : "DNS:ca.example.com");
	strict_serve(s, STRICT_LEAF(s, middle, .ca = false), middle);
}

/* A CA may certify itself under its own name, whatever that is. */
static void
name_of_self_issued(struct scene *s)
{
	const struct cert *again;

	s->anchor = STRICT_CA(
	    s, NULL, .cn = "Test Root", .permitted = "DNS:example.org");
	again = STRICT_CA(s, s->anchor, .cn = s->good ? "Test Root" : "Middle",
	    .names = "DNS:ca.example.com");
	strict_serve(s, STRICT_LEAF(s, again, .ca = false), again);
}

/* One CA below another: each keeps what it says, whichever is narrower. */
static void
two_levels(struct scene *s, const char *upper, const char *lower)
{
	const struct cert *middle;

	s->anchor = STRICT_CA(s, NULL, .cn = "Test Root", .permitted = upper);
	middle = STRICT_CA(s, s->anchor, .cn = "Middle", .permitted = lower);
	strict_serve(s, STRICT_LEAF(s, middle, .ca = false), middle);
}

static void
narrower_below(struct scene *s)
{
	two_levels(
	    s, "DNS:example.org", s->good ? HOST : "DNS:other.example.org");
}

static void
broader_below(struct scene *s)
{
	two_levels(
	    s, s->good ? HOST : "DNS:other.example.org", "DNS:example.org");
}

static void
several_below(struct scene *s)
{
	two_levels(s, "DNS:example.org DNS:example.com DNS:example.net",
	    s->good ? "DNS:mail.example.net DNS:example.org DNS:a.example.com"
		    : "DNS:mail.example.net DNS:a.example.com");
}

static void
other_kind_below(struct scene *s)
{
	two_levels(s, "IP:192.0.2.0/24 DNS:example.org",
	    s->good ? "EMAIL:example.org DNS:org" : "DNS:example.com");
}

static void
not_critical(struct scene *s)
{
	/* permitted: dNSName example.org, example.com */
	const struct cert *middle = STRICT_CA(s, strict_root(s), .cn = "Middle",
	    .raw = s->good
		? "2.5.29.30=3011a00f300d820b6578616d706c652e6f7267"
		: "2.5.29.30=3011a00f300d820b6578616d706c652e636f6d");

	strict_serve(s, STRICT_LEAF(s, middle, .ca = false), middle);
}

/* ---- addresses ---- */

static void
address_as_host(struct scene *s)
{
	const struct cert *middle = STRICT_CA(s, strict_root(s), .cn = "Middle",
	    .permitted = s->good ? "IP:192.0.2.0/24" : "IP:198.51.100.0/24");

	s->host = "192.0.2.1";
	strict_serve(
	    s, STRICT_LEAF(s, middle, .names = "IP:192.0.2.1"), middle);
}

/* A constraint on what is not there: the common name is no host name. */
static void
address_below_dns(struct scene *s)
{
	const struct cert *middle = STRICT_CA(
	    s, strict_root(s), .cn = "Middle", .permitted = "DNS:example.org");

	s->host = "192.0.2.1";
	strict_serve(s,
	    STRICT_LEAF(s, middle, .names = "IP:192.0.2.1",
		.cn = s->good ? "A server" : "mail.example.com"),
	    middle);
}

CONSTRAINED(address_excluded, .excluded = "IP:198.51.100.0/24",
    .names = s->good ? HOST " IP:192.0.2.1" : HOST " IP:198.51.100.1")
CONSTRAINED(address_excluded_all, .excluded = "IP:0.0.0.0/0",
    .names = s->good ? HOST " IP:2001:db8::1" : HOST " IP:198.51.100.1")
/* A net of IPv4 permits no address of IPv6. */
CONSTRAINED(address_of_other_length, .permitted = "IP:192.0.2.0/24",
    .names = s->good ? HOST " IP:192.0.2.7" : HOST " IP:2001:db8::1")

/* ---- mail, URIs ---- */

CONSTRAINED(mail_of_host, .permitted = "EMAIL:example.org",
    .names = s->good ? HOST " EMAIL:me@example.org"
		     : HOST " EMAIL:me@mail.example.org")
CONSTRAINED(mail_below_host, .permitted = "EMAIL:.example.org",
    .names = s->good ? HOST " EMAIL:me@mail.EXAMPLE.org"
		     : HOST " EMAIL:me@example.org")
CONSTRAINED(mail_of_one, .permitted = "EMAIL:me@example.org",
    .names = s->good ? HOST " EMAIL:me@EXAMPLE.org"
		     : HOST " EMAIL:you@example.org")
CONSTRAINED(mail_excluded, .excluded = "EMAIL:example.org",
    .names = s->good ? HOST " EMAIL:me@example.com"
		     : HOST " EMAIL:me@example.org")
CONSTRAINED(mail_with_two_ats, .excluded = "EMAIL:example.org",
    .names = s->good ? HOST " EMAIL:me@example.com"
		     : HOST " EMAIL:me@home@example.org")
CONSTRAINED(mail_that_is_none, .permitted = "EMAIL:example.org",
    .names = s->good ? HOST " EMAIL:me@example.org" : HOST " EMAIL:example.org")

/* The empty mail address as a base: all of them, or none. */
CONSTRAINED(mail_permitted_empty,
    .raw = s->good ? "2.5.29.30=3011a00f300d810b6578616d706c652e6f7267"
		   : "2.5.29.30=3006a00430028100",
    .names = HOST " EMAIL:me@example.org")
CONSTRAINED(mail_excluded_empty, .raw = "2.5.29.30=3006a10430028100",
    .names = s->good ? HOST : HOST " EMAIL:me@example.org")

/* A subject of one emailAddress: me@example.org, me@example.com. */
#define MAIL_SUBJECT(tag)                                                      \
	"301f311d301b06092a864886f70d010901" tag "0e6d65406578616d706c652e"

static void
subject_mail_org(struct der *part)
{
	der_done(&part[SURGERY_SUBJECT]);
	part[SURGERY_SUBJECT] = der_hex(MAIL_SUBJECT("16") "6f7267");
}

static void
subject_mail_com(struct der *part)
{
	der_done(&part[SURGERY_SUBJECT]);
	part[SURGERY_SUBJECT] = der_hex(MAIL_SUBJECT("16") "636f6d");
}

CONSTRAINED(mail_in_subject, .permitted = "EMAIL:example.org",
    .surgery = s->good ? subject_mail_org : subject_mail_com)

/* Below any constraint: a text of another kind, and a length that is BER. */
static void
subject_mail_utf8(struct der *part)
{
	der_done(&part[SURGERY_SUBJECT]);
	part[SURGERY_SUBJECT] = der_hex(MAIL_SUBJECT("0c") "6f7267");
}

static void
subject_padded(struct der *part)
{
	der_done(&part[SURGERY_SUBJECT]);
	part[SURGERY_SUBJECT] = der_hex(
	    "301231810f300d06035504030c06736572766572");
}

CONSTRAINED(mail_in_subject_of_other_text, .permitted = HOST,
    .surgery = s->good ? subject_mail_org : subject_mail_utf8)
CONSTRAINED(subject_in_ber, .permitted = HOST,
    .surgery = s->good ? NULL : subject_padded)

CONSTRAINED(uri_of_host, .permitted = "URI:example.org",
    .names = s->good ? HOST " URI:https://example.org:8443/x"
		     : HOST " URI:https://www.example.org/")
CONSTRAINED(uri_below_host, .permitted = "URI:.example.org",
    .names = s->good ? HOST " URI:https://www.example.org"
		     : HOST " URI:https://example.com/.example.org")
CONSTRAINED(uri_excluded, .excluded = "URI:.example.org",
    .names = s->good ? HOST " URI:https://www.example.com"
		     : HOST " URI:https://www.example.org")
CONSTRAINED(uri_without_host, .permitted = "URI:.example.org",
    .names = s->good ? HOST " URI:https://www.example.org" : HOST " URI:urn:x")
CONSTRAINED(uri_with_user, .permitted = "URI:example.org",
    .names = s->good ? HOST " URI:https://example.org:8443/me@home"
		     : HOST " URI:https://example.org:8443@example.com/")
CONSTRAINED(uri_with_fragment, .permitted = "URI:.example.org",
    .names = s->good ? HOST " URI:https://www.example.org/#x"
		     : HOST " URI:https://www.example.org#x.example.com")
CONSTRAINED(uri_with_query, .excluded = "URI:example.com",
    .names = s->good ? HOST " URI:https://www.example.org/?x"
		     : HOST " URI:https://www.example.org?example.com")

/* ---- directory names ---- */

/* [4] { SEQUENCE { SET { SEQUENCE { CN, UTF8String text of six } } } } */
#define DIRECTORY(tag, text6)                                                  \
	"2.5.29.30=3019" tag "173015a413301131"                                \
	"0f300d06035504030c06" text6
#define SERVER "736572766572"
#define SERVER_OF_CAPITALS "536552766572"
#define OTHERS "6f7468657273"

CONSTRAINED(directory_permitted,
    .raw = s->good ? DIRECTORY("a0", SERVER_OF_CAPITALS)
		   : DIRECTORY("a0", OTHERS),
    .ca = false)
CONSTRAINED(directory_excluded,
    .raw = s->good ? DIRECTORY("a1", OTHERS)
		   : DIRECTORY("a1", SERVER_OF_CAPITALS),
    .ca = false)

CONSTRAINED(directory_excluded_with_tab, .raw = DIRECTORY("a1", SERVER),
    .cn = s->good ? "server too" : "Server\t")

/* ---- kinds that nobody compares ---- */

/* otherName 1.2.3.4 with a NULL, as a constraint and as a name */
#define OTHER_CONSTRAINT "2.5.29.30=300fa00d300ba00906032a0304a0020500"
#define HOST_AND(hex) "2.5.29.17=301d82106d61696c2e6578616d706c652e6f7267" hex
#define OTHER_NAME "a00906032a0304a0020500"
#define OTHER_NAME_OF_ANOTHER "a00906032a0305a0020500"

static void
other_name(struct scene *s)
{
	const struct cert *middle = STRICT_CA(
	    s, strict_root(s), .cn = "Middle", .raw = OTHER_CONSTRAINT);

	strict_serve(s,
	    STRICT_LEAF(s, middle, .names = STRICT_NO_NAMES,
		.raw = s->good ? HOST_AND(OTHER_NAME_OF_ANOTHER)
			       : HOST_AND(OTHER_NAME)),
	    middle);
}

CONSTRAINED(other_name_that_is_not_there, .raw = OTHER_CONSTRAINT, .ca = false)

/* ---- constraints without a meaning ---- */

#define ANY_MIDDLE(name, ...)                                                  \
	static void name(struct scene *s)                                      \
	{                                                                      \
		const struct cert *middle = STRICT_CA(                         \
		    s, strict_root(s), .cn = "Middle", __VA_ARGS__);           \
                                                                               \
		strict_serve(s, STRICT_LEAF(s, middle, .ca = false), middle);  \
	}

/* excluded: dNSName com, with more or less of it */
#define COM "8203636f6d"

ANY_MIDDLE(constraints_malformed,
    .raw = s->good ? "2.5.29.30=3009a1073005" COM : "2.5.29.30=0500")
ANY_MIDDLE(constraints_empty,
    .raw = s->good ? "2.5.29.30=3009a1073005" COM : "2.5.29.30=3000")
ANY_MIDDLE(constraints_of_nothing,
    .raw = s->good ? "2.5.29.30=3009a1073005" COM : "2.5.29.30=3002a100")
ANY_MIDDLE(constraints_with_minimum,
    .raw = s->good ? "2.5.29.30=300ca10a3008" COM "800100"
		   : "2.5.29.30=300ca10a3008" COM "800101")
ANY_MIDDLE(constraints_with_maximum,
    .raw = s->good ? "2.5.29.30=3009a1073005" COM
		   : "2.5.29.30=300ca10a3008" COM "810105")
/* A kind that there is none of, and a host name in the form of a list. */
ANY_MIDDLE(constraints_of_no_kind,
    .raw = s->good ? "2.5.29.30=3009a1073005" COM
		   : "2.5.29.30=3009a10730058903636f6d")
ANY_MIDDLE(constraints_in_pieces,
    .raw = s->good ? "2.5.29.30=3009a1073005" COM
		   : "2.5.29.30=300ba1093007a2051603636f6d")
ANY_MIDDLE(constraints_with_wildcard,
    .excluded = s->good ? "DNS:example.com" : "DNS:*.example.com")
ANY_MIDDLE(constraints_with_gap,
    .raw = s->good ? "2.5.29.30=300ea10c300a8708c0000200ffffff00"
		   : "2.5.29.30=300ea10c300a8708c0000200ff00ff00")
ANY_MIDDLE(constraints_of_no_net,
    .raw = s->good ? "2.5.29.30=300ea10c300a8708c0000200ffffff00"
		   : "2.5.29.30=300aa10830068704c0000200")

/* ---- numbers ---- */

static const char *
many(const char *kind, const char *last, size_t count)
{
	static char list[65536];
	size_t used = 0, i;

	for (i = 0; i + 1 < count; i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used,
		    "%sn%zu.example.net ", kind, i);
	snprintf(list + used, sizeof(list) - used, "%s%s", kind, last);
	return list;
}

static void
many_names(struct scene *s)
{
	strict_serve(s,
	    STRICT_LEAF(s, strict_root(s),
		.names = many("DNS:", STRICT_HOST, s->good ? 500 : 2049)),
	    NULL);
}

static void
many_constraints(struct scene *s)
{
	const struct cert *middle = STRICT_CA(s, strict_root(s), .cn = "Middle",
	    .permitted = many("DNS:", "example.org", s->good ? 300 : 1025));

	strict_serve(s, STRICT_LEAF(s, middle, .ca = false), middle);
}

static void
many_comparisons(struct scene *s)
{
	const struct cert *middle = STRICT_CA(s, strict_root(s), .cn = "Middle",
	    .permitted = many("DNS:", "example.org", s->good ? 100 : 600));

	strict_serve(s,
	    STRICT_LEAF(s, middle,
		.names = s->good ? HOST : many("DNS:", STRICT_HOST, 600)),
	    middle);
}

/* As many of one name, on two levels: GnuTLS would make all pairs of them. */
static void
many_pairs(struct scene *s)
{
	static char same[300 * 16];
	size_t count = s->good ? 100 : 300, i, used = 0;
	const struct cert *middle, *second;

	for (i = 0; i < count; i++)
		used += (size_t)snprintf(
		    same + used, sizeof(same) - used, "DNS:example.org ");
	middle = STRICT_CA(
	    s, strict_root(s), .cn = "Middle", .permitted = same);
	second = STRICT_CA(s, middle, .cn = "Second", .permitted = same);
	strict_serve(s, STRICT_LEAF(s, second, .ca = false), second);
	s->chain[2] = middle;
}

#define ROW(f, sentence, flags)                                                \
	{                                                                      \
#f, flags, f, sentence                                         \
	}
#define EXTRA STRICT_EXTRA
#define FINE STRICT_FINE

#define ONLY(name)                                                             \
	LEAF " has the name " name                                             \
	     ", and CA \"CN=Middle\" may certify others only"
#define NEVER(name)                                                            \
	LEAF " has the name " name ", which CA \"CN=Middle\" must not certify"
#define NONSENSE MIDDLE " has name constraints that have no meaning"

const struct strict_case strict_names[] = {
	ROW(wildcard_of_everybody, "the certificate names *.org, not ", 0),
	ROW(wildcard_in_the_middle,
	    "the certificate names a.*.example.org, not ", 0),
	ROW(dns_excluded, NEVER(STRICT_HOST), 0),
	ROW(dns_excluded_exactly, NEVER(STRICT_HOST), 0),
	ROW(dns_excluded_in_capitals, NEVER(STRICT_HOST), 0),
	ROW(dns_permitted, ONLY(STRICT_HOST), 0),
	ROW(dns_permitted_in_capitals, ONLY(STRICT_HOST), 0),
	ROW(dns_permitted_with_dot, ONLY(STRICT_HOST), 0),
	ROW(dns_permitted_part_of_label, ONLY(STRICT_HOST), 0),
	ROW(dns_permitted_second_name, ONLY("b.example.com"), 0),
	ROW(dns_permitted_wildcard, ONLY("*.example.com"), 0),
	ROW(dns_excluded_by_wildcard, NEVER("*.example.org"), EXTRA),
	ROW(dns_permitted_wildcard_below, ONLY("*.example.com"), 0),
	ROW(dns_permitted_in_wildcard, ONLY("*.example.org"), 0),
	ROW(dns_permitted_one_of_many, ONLY(STRICT_HOST), 0),
	ROW(dns_permitted_and_excluded, ONLY("bad.example.com"), 0),
	ROW(dns_excluded_below_permitted, NEVER(STRICT_HOST), 0),
	ROW(root_has_constraints,
	    LEAF " has the name " STRICT_HOST
		 ", and CA \"CN=Test Root\" may certify others only",
	    0),
	ROW(name_of_middle,
	    MIDDLE " has the name ca.example.com, and CA \"CN=Test Root\" may "
		   "certify others only",
	    0),
	ROW(name_of_self_issued,
	    MIDDLE " has the name ca.example.com, and CA \"CN=Test Root\" may "
		   "certify others only",
	    0),
	ROW(narrower_below, ONLY(STRICT_HOST), 0),
	ROW(broader_below,
	    LEAF " has the name " STRICT_HOST
		 ", and CA \"CN=Test Root\" may certify others only",
	    0),
	ROW(several_below, ONLY(STRICT_HOST), 0),
	ROW(other_kind_below, ONLY(STRICT_HOST), 0),
	ROW(not_critical, ONLY(STRICT_HOST), 0),
	ROW(address_as_host,
	    "certificate of 192.0.2.1 has the name 192.0.2.1, and CA "
	    "\"CN=Middle\" may certify others only",
	    0),
	ROW(address_below_dns,
	    "certificate of 192.0.2.1 has the name mail.example.com, and CA "
	    "\"CN=Middle\" may certify others only",
	    0),
	ROW(address_excluded, NEVER("198.51.100.1"), 0),
	ROW(address_excluded_all, NEVER("198.51.100.1"), 0),
	ROW(address_of_other_length, ONLY("2001:db8::1"), 0),
	ROW(mail_of_host, ONLY("me@mail.example.org"), 0),
	ROW(mail_below_host, ONLY("me@example.org"), 0),
	ROW(mail_of_one, ONLY("you@example.org"), 0),
	ROW(mail_excluded, NEVER("me@example.org"), 0),
	ROW(mail_permitted_empty, ONLY("me@example.org"), 0),
	ROW(mail_excluded_empty, NEVER("me@example.org"), EXTRA),
	ROW(mail_in_subject, ONLY("me@example.com"), 0),
	ROW(mail_in_subject_of_other_text,
	    LEAF " has a mail address in its subject that is no IA5String", 0),
	ROW(subject_in_ber, LEAF " has a subject that cannot be read", EXTRA),
	ROW(mail_with_two_ats, NEVER("me@home@example.org"), 0),
	ROW(mail_that_is_none, ONLY("example.org"), 0),
	ROW(uri_of_host, ONLY("https://www.example.org/"), 0),
	ROW(uri_below_host, ONLY("https://example.com/.example.org"), 0),
	ROW(uri_excluded, NEVER("https://www.example.org"), 0),
	ROW(uri_with_user, ONLY("https://example.org:8443@example.com/"),
	    EXTRA),
	ROW(uri_with_fragment, ONLY("https://www.example.org#x.example.com"),
	    0),
	ROW(uri_with_query, NEVER("https://www.example.org?example.com"),
	    EXTRA),
	ROW(uri_without_host, ONLY("urn:x"), 0),
	ROW(directory_permitted, ONLY("of its subject"), 0),
	ROW(directory_excluded, NEVER("of its subject"), 0),
	ROW(directory_excluded_with_tab, NEVER("of its subject"), 0),
	ROW(other_name, ONLY("of another kind"), 0),
	ROW(other_name_that_is_not_there, NULL, FINE),
	ROW(constraints_malformed, NONSENSE, 0),
	ROW(constraints_empty, NONSENSE, EXTRA),
	ROW(constraints_of_nothing, NONSENSE, EXTRA),
	ROW(constraints_with_minimum, NONSENSE, 0),
	ROW(constraints_with_maximum, NONSENSE, 0),
	ROW(constraints_of_no_kind, NONSENSE, 0),
	ROW(constraints_in_pieces, NONSENSE, EXTRA),
	ROW(constraints_with_wildcard, NONSENSE, EXTRA),
	ROW(constraints_with_gap, NONSENSE, EXTRA),
	ROW(constraints_of_no_net, NONSENSE, EXTRA),
	ROW(many_names, LEAF " has 2049 names, more than 2048", EXTRA),
	ROW(many_constraints, MIDDLE " has 1025 name constraints, more than ",
	    EXTRA),
	ROW(many_pairs,
	    MIDDLE " and the CAs below it have more name constraints than can "
		   "be held against each other",
	    EXTRA),
	ROW(many_comparisons, LEAF " has more names than can be held ", EXTRA),
};

const size_t strict_names_count = sizeof(strict_names) /
    sizeof(strict_names[0]);
