/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sasl/oauth-status.h"
#include "sasl/sasl.h"

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
static char token_text[] = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";
static const struct stls_secret token = { token_text, sizeof(token_text) - 1 };

#define WITH_TOKEN                                                             \
	.user = "user@example.com", .token = &token,                           \
	.host = "server.example.com", .port = 143

static const struct stls_sasl_credentials with_token = { WITH_TOKEN };
static const struct stls_sasl_credentials with_token_and_certificate = {
	WITH_TOKEN,
	.external = true,
};
static const struct stls_sasl_credentials with_token_and_password = {
	WITH_TOKEN,
	.password = &password,
};
static const struct stls_sasl_credentials only_plain_with_token = {
	WITH_TOKEN,
	.only_mechanism = "PLAIN",
};
static const struct stls_sasl_credentials only_xoauth2 = {
	WITH_TOKEN,
	.only_mechanism = "xoauth2",
};
static const struct stls_sasl_credentials only_xoauth2_with_password = {
	.user = "alice",
	.password = &password,
	.only_mechanism = "XOAUTH2",
};
static const struct stls_sasl_credentials with_token_alone = {
	.token = &token,
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
	{ &with_password, "XOAUTH2 OAUTHBEARER PLAIN", "PLAIN" },
	{ &with_token, "PLAIN XOAUTH2 OAUTHBEARER", "OAUTHBEARER" },
	{ &with_token, "plain xoauth2 LOGIN", "XOAUTH2" },
	{ &with_token, "XOAUTH OAUTHBEARERS XOAUTH2", "XOAUTH2" },
	{ &with_token_and_certificate, "OAUTHBEARER EXTERNAL", "EXTERNAL" },
	{ &with_token_and_certificate, "OAUTHBEARER PLAIN", "OAUTHBEARER" },
	{ &only_xoauth2, "OAUTHBEARER XOAUTH2", "XOAUTH2" },
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
	    "there is neither a user name with a password or token nor a "
	    "certificate to authenticate with" },
	{ &with_user_alone, "PLAIN",
	    "there is neither a user name with a password or token nor a "
	    "certificate to authenticate with" },
	{ &with_empty_user, "PLAIN",
	    "there is neither a user name with a password or token nor a "
	    "certificate to authenticate with" },
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
	    "the mechanism CRAM-MD5 is not known (EXTERNAL, OAUTHBEARER, "
	    "XOAUTH2, PLAIN, LOGIN)" },
	{ &with_token, "PLAIN LOGIN",
	    "the server offers PLAIN LOGIN, none of which can be used with "
	    "a token (OAUTHBEARER, XOAUTH2)" },
	{ &with_token_and_certificate, "PLAIN",
	    "the server offers PLAIN, none of which can be used with "
	    "a token (OAUTHBEARER, XOAUTH2) or a certificate (EXTERNAL)" },
	/* There is no way back to a password. */
	{ &with_token_and_password, "PLAIN LOGIN",
	    "the server offers PLAIN LOGIN, none of which can be used with "
	    "a token (OAUTHBEARER, XOAUTH2)" },
	{ &only_plain_with_token, "PLAIN OAUTHBEARER",
	    "PLAIN needs a user name and a password" },
	{ &only_xoauth2, "OAUTHBEARER PLAIN",
	    "the server offers OAUTHBEARER PLAIN, not XOAUTH2, and nothing "
	    "else may be used" },
	{ &only_xoauth2_with_password, "XOAUTH2",
	    "XOAUTH2 needs a user name and a token" },
	{ &with_token_alone, "OAUTHBEARER",
	    "there is neither a user name with a password or token nor a "
	    "certificate to authenticate with" },
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
	bool has_token = strstr(name, "OAUTH") != NULL;
	struct stls_err err;

	ck_assert_ok(stls_sasl_choose(&err,
	    has_token ? &with_token_and_certificate : &with_both, name,
	    &mechanism));
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
	/* RFC 7628 section 4.1. */
	{ "OAUTHBEARER", NULL, 0, "",
	    "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01"
	    "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01",
	    111 },
	{ "OAUTHBEARER", NULL, 1, "{\"status\":\"invalid_token\"}", "\x01", 1 },
	{ "OAUTHBEARER", NULL, 1, "", "\x01", 1 },
	{ "XOAUTH2", NULL, 0, "",
	    "user=user@example.com\x01"
	    "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01",
	    78 },
	{ "XOAUTH2", NULL, 1, "{\"status\":\"400\"}", "", 0 },
	{ "XOAUTH2", NULL, 1, "", "", 0 },
};

START_TEST(a_challenge_is_answered_by_its_round)
{
	const struct stls_sasl_mechanism *m = mechanism_of(answers[_i].name);
	struct stls_sasl_credentials credentials = m->proof == STLS_SASL_TOKEN
	    ? with_token
	    : with_both;
	struct stls_secret response = { NULL, 0 };
	struct stls_err err;

	credentials.authzid = answers[_i].authzid;
	ck_assert_ok(m->respond(&err, &credentials, answers[_i].round,
	    answers[_i].challenge, strlen(answers[_i].challenge), &response));
	ck_assert_uint_eq(response.len, answers[_i].len);
	ck_assert_mem_eq(response.data, answers[_i].response, response.len);
	ck_assert_int_eq(response.data[response.len], '\0');
	ck_assert_int_eq(m->client_first, strcmp(m->name, "LOGIN") != 0);
	ck_assert_int_eq(m->proof == STLS_SASL_CERTIFICATE,
	    strcmp(m->name, "EXTERNAL") == 0);
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
	{ "OAUTHBEARER", 2 },
	{ "OAUTHBEARER", 4000000000 },
	{ "XOAUTH2", 2 },
	{ "XOAUTH2", 3 },
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
	r = m->respond(&err,
	    m->proof == STLS_SASL_TOKEN ? &with_token : &with_both,
	    answers[_i].round, "", 0, &response);
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
	ck_assert(stls_sasl_is_known("oauthbearer"));
	ck_assert(stls_sasl_is_known("XOAuth2"));
	ck_assert(!stls_sasl_is_known("XOAUTH"));
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

START_TEST(a_name_cannot_add_to_what_a_token_says)
{
	static const char wanted[] = "n,a=a=2Cb=3Dc,\x01host=";
	const struct stls_sasl_mechanism *m = mechanism_of("OAUTHBEARER");
	struct stls_sasl_credentials credentials = with_token;
	struct stls_secret response = { NULL, 0 };
	struct stls_err err;

	credentials.user = "a,b=c";
	ck_assert_ok(m->respond(&err, &credentials, 0, "", 0, &response));
	ck_assert_mem_eq(response.data, wanted, sizeof(wanted) - 1);
	ck_assert_uint_eq(strlen(response.data), response.len);
	stls_secret_done(&response);
}
END_TEST

static const char *const tokens[] = { "a", "a=", "a==", "-._~+/", "AZaz09",
	token_text, "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg" };
static const char *const no_tokens[] = { "", "=", "=a", "a=b", "a b", " a",
	"a\n", "a\r\nQUIT", "\x01", "a\x01\x01", "a\x7f", "\xc3\xa4", "a,b",
	"\"a\"", "Bearer x" };

START_TEST(a_token_is_that_of_rfc_6750)
{
	ck_assert(stls_sasl_is_token(tokens[_i]));
}
END_TEST

START_TEST(what_rfc_6750_does_not_have_is_no_token)
{
	ck_assert(!stls_sasl_is_token(no_tokens[_i]));
}
END_TEST

START_TEST(a_token_of_8192_octets_is_the_longest)
{
	char text[STLS_SASL_TOKEN_MAX + 2];

	memset(text, 'x', sizeof(text));
	text[STLS_SASL_TOKEN_MAX - 1] = '=';
	text[STLS_SASL_TOKEN_MAX] = '\0';
	ck_assert(stls_sasl_is_token(text));
	text[STLS_SASL_TOKEN_MAX] = '=';
	text[STLS_SASL_TOKEN_MAX + 1] = '\0';
	ck_assert(!stls_sasl_is_token(text));
}
END_TEST

static const struct {
	const char *challenge, *status;
} statuses[] = {
	{ "{\"status\":\"invalid_token\",\"scope\":\"mail\"}",
	    "invalid_token" },
	{ " { \"schemes\" : \"Bearer\" ,\r\n\"status\"\t: \"401\" } ", "401" },
	{ "{\"status\":400}", "400" },
	{ "{\"a\":{\"status\":\"x\",\"b\":[1,{}]},\"status\":\"y\"}", "y" },
	{ "{\"a\":[\"}\",\"]\"],\"status\":\"y\"}", "y" },
	{ "{\"a\":\"\\\"status\\\":\",\"status\":\"y\\\"z\"}", "y\\\"z" },
	{ "{\"status\":\"\x1b[0m\"}", "\x1b[0m" },
	{ "", "" },
	/* What is something else is shown as it is. */
	{ "Bearer", "Bearer" },
	{ "{\"status\":\"\"}", "{\"status\":\"\"}" },
	{ "{\"status\":", "{\"status\":" },
	{ "{\"status\":400", "{\"status\":400" },
	{ "{\"status\":\"x", "{\"status\":\"x" },
	{ "{\"status\":\"x\\\"", "{\"status\":\"x\\\"" },
	{ "{\"a\":[{\"status\":\"x\"}", "{\"a\":[{\"status\":\"x\"}" },
	{ "{\"Status\":\"x\"}", "{\"Status\":\"x\"}" },
	{ "[\"status\"]", "[\"status\"]" },
	{ "{", "{" },
	{ "{}", "{}" },
	{ "{\"", "{\"" },
	{ "{\"a\\", "{\"a\\" },
};

/* In memory of exactly its size, for the sanitizers, and at each length. */
START_TEST(the_status_of_a_failure_is_found)
{
	const char *challenge = statuses[_i].challenge;
	char out[STLS_OAUTH_STATUS_CAP], *copy;
	size_t len = strlen(challenge), n;

	for (n = 0; n <= len; n++) {
		copy = malloc(n + (n == 0));
		ck_assert_ptr_nonnull(copy);
		memcpy(copy, challenge, n);
		stls_oauth_status(copy, n, out);
		free(copy);
	}
	ck_assert_str_eq(out, statuses[_i].status);
}
END_TEST

START_TEST(a_long_status_is_cut)
{
	char challenge[4000], out[STLS_OAUTH_STATUS_CAP];

	memset(challenge, 'x', sizeof(challenge));
	stls_oauth_status(challenge, sizeof(challenge), out);
	ck_assert_uint_eq(strlen(out), STLS_OAUTH_STATUS_CAP - 1);
	memset(challenge, '[', sizeof(challenge));
	memcpy(challenge, "{\"a\":", 5);
	stls_oauth_status(challenge, sizeof(challenge), out);
	ck_assert_uint_eq(strlen(out), STLS_OAUTH_STATUS_CAP - 1);
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
	tcase_add_test(tc, a_name_cannot_add_to_what_a_token_says);
	tcase_add_loop_test(tc, a_token_is_that_of_rfc_6750, 0, COUNT(tokens));
	tcase_add_loop_test(
	    tc, what_rfc_6750_does_not_have_is_no_token, 0, COUNT(no_tokens));
	tcase_add_test(tc, a_token_of_8192_octets_is_the_longest);
	tcase_add_loop_test(
	    tc, the_status_of_a_failure_is_found, 0, COUNT(statuses));
	tcase_add_test(tc, a_long_status_is_cut);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
