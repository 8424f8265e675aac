/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>

#include "base/alloc.h"
#include "sasl/sasl.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char password_text[] = "s3cret";
static const struct stls_secret password = { password_text, 6 };
static const struct stls_secret no_password = { NULL, 0 };

static const struct stls_sasl_credentials with_password = {
	.user = "alice",
	.password = &password,
};
static const struct stls_sasl_credentials with_certificate = {
	.external = true,
};
static const struct stls_sasl_credentials with_both = {
	.user = "alice",
	.password = &password,
	.external = true,
};
static const struct stls_sasl_credentials with_nothing = { .user = NULL };
static const struct stls_sasl_credentials with_user_alone = {
	.user = "alice",
	.password = &no_password,
};
static const struct stls_sasl_credentials with_empty_user = {
	.user = "",
	.password = &password,
};
static const struct stls_sasl_credentials only_login = {
	.user = "alice",
	.password = &password,
	.only_mechanism = "login",
};
static const struct stls_sasl_credentials only_external = {
	.user = "alice",
	.password = &password,
	.only_mechanism = "EXTERNAL",
};
static const struct stls_sasl_credentials only_plain_without_password = {
	.external = true,
	.only_mechanism = "PLAIN",
};
static const struct stls_sasl_credentials only_unknown = {
	.user = "alice",
	.password = &password,
	.only_mechanism = "CRAM-MD5",
};

static const struct {
	const struct stls_sasl_credentials *credentials;
	const char *offered, *name;
} chosen[] = {
	{ &with_password, "PLAIN LOGIN", "PLAIN" },
	{ &with_password, "LOGIN PLAIN", "PLAIN" },
	{ &with_password, "login plain", "PLAIN" },
	{ &with_password, "LOGIN", "LOGIN" },
	{ &with_password, "  CRAM-MD5  LOGIN ", "LOGIN" },
	{ &with_password, "EXTERNAL PLAIN", "PLAIN" },
	{ &with_password, "PLAINER XPLAIN LOGIN-X LOGIN", "LOGIN" },
	{ &with_certificate, "PLAIN LOGIN EXTERNAL", "EXTERNAL" },
	{ &with_both, "PLAIN EXTERNAL", "EXTERNAL" },
	{ &with_both, "PLAIN", "PLAIN" },
	{ &only_login, "PLAIN LOGIN EXTERNAL", "LOGIN" },
};

START_TEST(the_first_mechanism_that_is_offered_and_allowed_is_chosen)
{
	const struct stls_sasl_mechanism *mechanism;
	struct stls_err err;

	ck_assert_ok(stls_sasl_choose(
	    &err, chosen[_i].credentials, chosen[_i].offered, &mechanism));
	ck_assert_str_eq(mechanism->name, chosen[_i].name);
}
END_TEST

static const struct {
	const struct stls_sasl_credentials *credentials;
	const char *offered, *text;
} refused[] = {
	{ &with_password, "CRAM-MD5 GSSAPI",
	    "the server offers CRAM-MD5 GSSAPI, none of which can be used with "
	    "a password (PLAIN, LOGIN)" },
	{ &with_password, " EXTERNAL ",
	    "the server offers EXTERNAL, none of which can be used with "
	    "a password (PLAIN, LOGIN)" },
	{ &with_password, "XPLAIN PLAINER",
	    "the server offers XPLAIN PLAINER, none of which can be used with "
	    "a password (PLAIN, LOGIN)" },
	{ &with_password, "",
	    "the server offers no authentication that can be used with "
	    "a password (PLAIN, LOGIN)" },
	{ &with_certificate, "PLAIN LOGIN",
	    "the server offers PLAIN LOGIN, none of which can be used with "
	    "a certificate (EXTERNAL)" },
	{ &with_both, "NTLM",
	    "the server offers NTLM, none of which can be used with "
	    "a password (PLAIN, LOGIN) or a certificate (EXTERNAL)" },
	{ &with_nothing, "PLAIN LOGIN EXTERNAL",
	    "there is neither a user name with a password nor a certificate "
	    "to authenticate with" },
	{ &with_user_alone, "PLAIN",
	    "there is neither a user name with a password nor a certificate "
	    "to authenticate with" },
	{ &with_empty_user, "PLAIN",
	    "there is neither a user name with a password nor a certificate "
	    "to authenticate with" },
	{ &only_login, "PLAIN",
	    "the server offers PLAIN, not LOGIN, and nothing else may be "
	    "used" },
	{ &only_login, "",
	    "the server offers no authentication, not LOGIN, and nothing else "
	    "may be used" },
	{ &only_external, "EXTERNAL PLAIN", "EXTERNAL needs a certificate" },
	{ &only_plain_without_password, "PLAIN EXTERNAL",
	    "PLAIN needs a user name and a password" },
	{ &only_unknown, "CRAM-MD5",
	    "the mechanism CRAM-MD5 is not known (EXTERNAL, PLAIN, LOGIN)" },
};

START_TEST(where_none_can_be_used_the_sentence_names_both_lists)
{
	const struct stls_sasl_mechanism *mechanism = NULL;
	struct stls_err err;

	ck_assert_int_eq(stls_sasl_choose(&err, refused[_i].credentials,
			     refused[_i].offered, &mechanism),
	    SMTPTLS_E_AUTH);
	ck_assert_str_eq(err.text, refused[_i].text);
	ck_assert_ptr_null(mechanism);
}
END_TEST

START_TEST(a_long_list_of_the_server_leaves_place_for_ours)
{
	const struct stls_sasl_mechanism *mechanism;
	struct stls_err err;
	char offered[4001];

	memset(offered, 'X', 4000);
	offered[4000] = '\0';
	offered[9] = '\033';
	ck_assert_int_eq(
	    stls_sasl_choose(&err, &with_password, offered, &mechanism),
	    SMTPTLS_E_AUTH);
	ck_assert_ptr_nonnull(strstr(err.text, "XX..., none of which"));
	ck_assert_ptr_nonnull(strstr(err.text, "(PLAIN, LOGIN)"));
	ck_assert_ptr_null(strchr(err.text, '\033'));
}
END_TEST

/* Choose by name; what the certificate gives is there too. */
static const struct stls_sasl_mechanism *
mechanism_of(const char *name)
{
	const struct stls_sasl_mechanism *mechanism = NULL;
	struct stls_err err;

	ck_assert_ok(stls_sasl_choose(&err, &with_both, name, &mechanism));
	return mechanism;
}

static const struct {
	const char *name, *authzid;
	unsigned int round;
	const char *challenge, *response;
	size_t len;
} answers[] = {
	{ "PLAIN", NULL, 0, "", "\0alice\0s3cret", 13 },
	{ "PLAIN", "", 0, "", "\0alice\0s3cret", 13 },
	{ "PLAIN", "bob", 0, "", "bob\0alice\0s3cret", 16 },
	{ "LOGIN", NULL, 0, "Username:", "alice", 5 },
	{ "LOGIN", NULL, 0, "User Name\0", "alice", 5 },
	{ "LOGIN", NULL, 0, "Password:", "alice", 5 },
	{ "LOGIN", NULL, 0, "", "alice", 5 },
	{ "LOGIN", NULL, 1, "Password:", "s3cret", 6 },
	{ "LOGIN", NULL, 1, "Username:", "s3cret", 6 },
	{ "EXTERNAL", NULL, 0, "", "", 0 },
	{ "EXTERNAL", "", 0, "", "", 0 },
	{ "EXTERNAL", "bob", 0, "", "bob", 3 },
};

START_TEST(a_challenge_is_answered_by_its_round)
{
	const struct stls_sasl_mechanism *m = mechanism_of(answers[_i].name);
	struct stls_sasl_credentials credentials = with_both;
	struct stls_secret response = { NULL, 0 };
	struct stls_err err;

	credentials.authzid = answers[_i].authzid;
	ck_assert_ok(m->respond(&err, &credentials, answers[_i].round,
	    answers[_i].challenge, strlen(answers[_i].challenge), &response));
	ck_assert_uint_eq(response.len, answers[_i].len);
	ck_assert_mem_eq(response.data, answers[_i].response, response.len);
	ck_assert_int_eq(response.data[response.len], '\0');
	ck_assert_int_eq(m->client_first, strcmp(m->name, "LOGIN") != 0);
	ck_assert_int_eq(
	    m->needs_certificate, strcmp(m->name, "EXTERNAL") == 0);
	stls_secret_done(&response);
}
END_TEST

static const struct {
	const char *name;
	unsigned int round;
} surplus[] = {
	{ "PLAIN", 1 },
	{ "PLAIN", 2 },
	{ "EXTERNAL", 1 },
	{ "LOGIN", 2 },
	{ "LOGIN", 3 },
	{ "LOGIN", 4000000000 },
};

START_TEST(one_challenge_too_many_gets_nothing)
{
	const struct stls_sasl_mechanism *m = mechanism_of(surplus[_i].name);
	struct stls_secret response = { NULL, 0 };
	struct stls_err err;

	ck_assert_int_eq(m->respond(&err, &with_both, surplus[_i].round,
			     "Password:", 9, &response),
	    SMTPTLS_E_AUTH);
	ck_assert_ptr_null(response.data);
	ck_assert_ptr_null(strstr(err.text, "s3cret"));
}
END_TEST

START_TEST(lack_of_memory_is_told)
{
	const struct stls_sasl_mechanism *m = mechanism_of(answers[_i].name);
	struct stls_secret response = { NULL, 0 };
	struct stls_err err;
	int r;

	stls_alloc_fail_at(1);
	r = m->respond(&err, &with_both, answers[_i].round, "", 0, &response);
	stls_alloc_fail_at(0);
	ck_assert_int_eq(r, SMTPTLS_E_NOMEM);
	ck_assert_ptr_null(response.data);
}
END_TEST

START_TEST(names_of_mechanisms_are_known_in_any_case)
{
	ck_assert(stls_sasl_is_known("PLAIN"));
	ck_assert(stls_sasl_is_known("login"));
	ck_assert(stls_sasl_is_known("External"));
	ck_assert(!stls_sasl_is_known(""));
	ck_assert(!stls_sasl_is_known("PLAI"));
	ck_assert(!stls_sasl_is_known("PLAIN "));
	ck_assert(!stls_sasl_is_known("CRAM-MD5"));
}
END_TEST

static const char *const texts[] = { "", "alice", "alice@example.org", " a b ",
	"p\xc3\xa4ss", "\xf0\x9f\x94\x91" };
static const char *const no_texts[] = { "a\rb", "a\n", "\t", "\x01", "a\x7f",
	"\xc2\x80", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xff", "a\xc3",
	"\xc0\x80" };

START_TEST(a_user_name_or_password_is_utf8)
{
	ck_assert(stls_sasl_is_text(texts[_i]));
}
END_TEST

START_TEST(controls_and_broken_utf8_are_no_user_name_or_password)
{
	ck_assert(!stls_sasl_is_text(no_texts[_i]));
}
END_TEST

START_TEST(a_user_name_or_password_of_4096_octets_is_the_longest)
{
	char text[STLS_SASL_TEXT_MAX + 2];

	memset(text, 'x', sizeof(text));
	text[STLS_SASL_TEXT_MAX] = '\0';
	ck_assert(stls_sasl_is_text(text));
	text[STLS_SASL_TEXT_MAX] = 'x';
	text[STLS_SASL_TEXT_MAX + 1] = '\0';
	ck_assert(!stls_sasl_is_text(text));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sasl");
	TCase *tc = tcase_create("sasl");

	tcase_add_loop_test(tc,
	    the_first_mechanism_that_is_offered_and_allowed_is_chosen, 0,
	    COUNT(chosen));
	tcase_add_loop_test(tc,
	    where_none_can_be_used_the_sentence_names_both_lists, 0,
	    COUNT(refused));
	tcase_add_test(tc, a_long_list_of_the_server_leaves_place_for_ours);
	tcase_add_loop_test(
	    tc, a_challenge_is_answered_by_its_round, 0, COUNT(answers));
	tcase_add_loop_test(
	    tc, one_challenge_too_many_gets_nothing, 0, COUNT(surplus));
	tcase_add_loop_test(tc, lack_of_memory_is_told, 0, COUNT(answers));
	tcase_add_test(tc, names_of_mechanisms_are_known_in_any_case);
	tcase_add_loop_test(
	    tc, a_user_name_or_password_is_utf8, 0, COUNT(texts));
	tcase_add_loop_test(tc,
	    controls_and_broken_utf8_are_no_user_name_or_password, 0,
	    COUNT(no_texts));
	tcase_add_test(
	    tc, a_user_name_or_password_of_4096_octets_is_the_longest);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
