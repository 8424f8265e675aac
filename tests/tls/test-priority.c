/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include <smtptls/context.h>

#include "base/cleanup.h"
#include "tls/context.h"

/*
 * GnuTLS reads the system's policy when it is loaded. So this program runs
 * itself once more for each policy, as `test-priority --print SETTING...`,
 * and looks at the lists that come out, one per line, sorted.
 */
#define OUTPUT_MAX 16384
#define WORDS_MAX 64

static const char *self;

static int
compare_words(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
print_list(const char *title, const unsigned int *list, int count,
    const char *(*name)(unsigned int))
{
	const char *words[WORDS_MAX];
	int i;

	for (i = 0; i < count; i++)
		words[i] = name(list[i]);
	qsort(words, (size_t)count, sizeof(words[0]), compare_words);
	printf("%s:", title);
	for (i = 0; i < count; i++)
		printf(" %s", words[i]);
	printf("\n");
}

#define NAME(fn, of)                                                           \
	static const char *fn(unsigned int id)                                 \
	{                                                                      \
		return of(id);                                                 \
	}
NAME(version_name, gnutls_protocol_get_name)
NAME(cipher_name, gnutls_cipher_get_name)
NAME(kx_name, gnutls_kx_get_name)
NAME(mac_name, gnutls_mac_get_name)
NAME(sign_name, gnutls_sign_get_name)
NAME(group_name, gnutls_group_get_name)
NAME(type_name, gnutls_certificate_type_get_name)

static void
print_priority(gnutls_priority_t priority)
{
	const unsigned int *list = NULL;
	int n;

	n = gnutls_priority_protocol_list(priority, &list);
	print_list("versions", list, n, version_name);
	n = gnutls_priority_cipher_list(priority, &list);
	print_list("ciphers", list, n, cipher_name);
	n = gnutls_priority_kx_list(priority, &list);
	print_list("kx", list, n, kx_name);
	n = gnutls_priority_mac_list(priority, &list);
	print_list("macs", list, n, mac_name);
	n = gnutls_priority_sign_list(priority, &list);
	print_list("signatures", list, n, sign_name);
	n = gnutls_priority_group_list(priority, &list);
	print_list("groups", list, n, group_name);
	n = gnutls_priority_certificate_type_list2(
	    priority, &list, GNUTLS_CTYPE_SERVER);
	print_list("server certificates", list, n, type_name);
	n = gnutls_priority_certificate_type_list2(
	    priority, &list, GNUTLS_CTYPE_CLIENT);
	print_list("client certificates", list, n, type_name);
}

static void
print_suites(struct smtptls_context *context)
{
	struct smtptls_cipher cipher;
	const char *words[WORDS_MAX];
	size_t i, count = 0;

	while (count < WORDS_MAX &&
	    smtptls_context_get_cipher(context, count, &cipher) == SMTPTLS_OK)
		words[count++] = cipher.name;
	qsort(words, count, sizeof(words[0]), compare_words);
	printf("suites:");
	for (i = 0; i < count; i++)
		printf(" %s", words[i]);
	printf("\n");
}

static enum smtptls_tls_version
parse_version(const char *text)
{
	static const char *const names[] = { "3.0", "1.0", "1.1", "1.2",
		"1.3" };
	size_t i;

	for (i = 0; i < COUNT(names); i++) {
		if (strcmp(text, names[i]) == 0)
			return (enum smtptls_tls_version)(0x300 + i);
	}
	return SMTPTLS_TLS_NONE;
}

static int
apply(struct smtptls_context *context, const char *setting)
{
	if (strncmp(setting, "ciphers=", 8) == 0)
		return smtptls_context_set_ciphers(context, setting + 8);
	if (strncmp(setting, "min=", 4) == 0)
		return smtptls_context_set_minimum_version(
		    context, parse_version(setting + 4));
	if (strncmp(setting, "max=", 4) == 0)
		return smtptls_context_set_maximum_version(
		    context, parse_version(setting + 4));
	return smtptls_context_insecure_allow_legacy(
	    context, parse_version(setting + 7));
}

static int
print_main(char **settings)
{
	struct smtptls_context *context = NULL;
	gnutls_priority_t system;
	int r;

	if (*settings != NULL && strcmp(*settings, "system") == 0) {
		if (gnutls_priority_init2(&system, NULL, NULL, 0) < 0)
			return EXIT_FAILURE;
		print_priority(system);
		gnutls_priority_deinit(system);
		return EXIT_SUCCESS;
	}
	r = smtptls_context_new(SMTPTLS_SERVER_AUTH, &context);
	for (; r == SMTPTLS_OK && *settings != NULL; settings++)
		r = apply(context, *settings);
	if (r == SMTPTLS_OK) {
		print_priority(context->priority);
		print_suites(context);
	} else {
		printf("error %d: %s\n", r, smtptls_context_error(context));
	}
	smtptls_context_free(context);
	return EXIT_SUCCESS;
}

static char policy_file[] = "/tmp/smtptls-policy-XXXXXX";
static char output[OUTPUT_MAX];

static void
write_policy(const char *text)
{
	int fd;

	strcpy(policy_file + sizeof(policy_file) - 7, "XXXXXX");
	fd = mkstemp(policy_file);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void
run_child(int fd, const char *const *settings)
{
	const char *argv[8] = { self, "--print" };
	size_t i;

	for (i = 0; settings != NULL && settings[i] != NULL; i++)
		argv[i + 2] = settings[i];
	setenv("GNUTLS_SYSTEM_PRIORITY_FILE", policy_file, 1);
	setenv("GNUTLS_SYSTEM_PRIORITY_FAIL_ON_INVALID", "0", 1);
	dup2(fd, STDOUT_FILENO);
	execv(self, (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* Fill `output` with what is printed under a policy. */
static void
print_under(const char *policy, const char *const *settings)
{
	int pipe_fds[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	write_policy(policy);
	ck_assert_int_eq(pipe(pipe_fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		run_child(pipe_fds[1], settings);
	close(pipe_fds[1]);
	while (
	    (n = read(pipe_fds[0], output + len, sizeof(output) - 1 - len)) > 0)
		len += (size_t)n;
	output[len] = '\0';
	close(pipe_fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	unlink(policy_file);
}

/* The words of a line of the output; "" if it has none. */
static const char *
line(const char *title)
{
	static char words[OUTPUT_MAX];
	const char *p = output;
	size_t len;

	for (;;) {
		len = strcspn(p, "\n");
		if (strncmp(p, title, strlen(title)) == 0 &&
		    p[strlen(title)] == ':')
			break;
		ck_assert_msg(p[len] != '\0', "no %s in %s", title, output);
		p += len + 1;
	}
	p += strlen(title) + 1;
	if (*p == ' ')
		p++;
	len = strcspn(p, "\n");
	memcpy(words, p, len);
	words[len] = '\0';
	return words;
}

static bool
has_word(const char *words, const char *word, size_t len)
{
	while (*words != '\0') {
		size_t n = strcspn(words, " ");

		if (n == len && memcmp(words, word, len) == 0)
			return true;
		words += n + (words[n] == ' ');
	}
	return false;
}

static void
assert_subset(const char *words, const char *of, const char *title)
{
	while (*words != '\0') {
		size_t len = strcspn(words, " ");

		ck_assert_msg(has_word(of, words, len), "%s: %.*s", title,
		    (int)len, words);
		words += len + (words[len] == ' ');
	}
}

/* `@SYSTEM` is what some distributions build into GnuTLS as its default. */
#define PLAIN "[priorities]\nSYSTEM = NORMAL\n"
#define POLICY(string)                                                         \
	"[overrides]\ndefault-priority-string = " string                       \
	"\n[priorities]\nSYSTEM = " string "\n"

/* What is offered under an empty policy. A change here is for NEWS. */
static const struct {
	const char *title;
	const char *always;
	const char *maybe; /* in newer versions of GnuTLS */
} defaults[] = {
	{ "versions", "TLS1.2 TLS1.3", "" },
	{ "ciphers",
	    "AES-128-CCM AES-128-GCM AES-256-CCM AES-256-GCM "
	    "CHACHA20-POLY1305",
	    "" },
	{ "kx", "DHE-RSA ECDHE-ECDSA ECDHE-RSA", "" },
	{ "macs", "AEAD", "" },
	{ "signatures",
	    "ECDSA-SECP256R1-SHA256 ECDSA-SECP384R1-SHA384 "
	    "ECDSA-SECP521R1-SHA512 ECDSA-SHA256 ECDSA-SHA384 ECDSA-SHA512 "
	    "EdDSA-Ed25519 EdDSA-Ed448 RSA-PSS-RSAE-SHA256 "
	    "RSA-PSS-RSAE-SHA384 RSA-PSS-RSAE-SHA512 RSA-PSS-SHA256 "
	    "RSA-PSS-SHA384 RSA-PSS-SHA512 RSA-SHA256 RSA-SHA384 RSA-SHA512",
	    "" },
	{ "groups",
	    "FFDHE2048 FFDHE3072 FFDHE4096 FFDHE6144 FFDHE8192 SECP256R1 "
	    "SECP384R1 SECP521R1 X25519 X448",
	    "X25519-MLKEM768 SECP256R1-MLKEM768 SECP384R1-MLKEM1024" },
	{ "server certificates", "X.509", "" },
	{ "client certificates", "X.509", "" },
	{ "suites",
	    "TLS_AES_128_CCM_SHA256 TLS_AES_128_GCM_SHA256 "
	    "TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256 "
	    "TLS_DHE_RSA_AES_128_CCM TLS_DHE_RSA_AES_128_GCM_SHA256 "
	    "TLS_DHE_RSA_AES_256_CCM TLS_DHE_RSA_AES_256_GCM_SHA384 "
	    "TLS_DHE_RSA_CHACHA20_POLY1305 TLS_ECDHE_ECDSA_AES_128_CCM "
	    "TLS_ECDHE_ECDSA_AES_128_GCM_SHA256 TLS_ECDHE_ECDSA_AES_256_CCM "
	    "TLS_ECDHE_ECDSA_AES_256_GCM_SHA384 "
	    "TLS_ECDHE_ECDSA_CHACHA20_POLY1305 "
	    "TLS_ECDHE_RSA_AES_128_GCM_SHA256 "
	    "TLS_ECDHE_RSA_AES_256_GCM_SHA384 "
	    "TLS_ECDHE_RSA_CHACHA20_POLY1305",
	    "" },
};

static void
assert_within_defaults(void)
{
	char allowed[OUTPUT_MAX];
	size_t i;

	for (i = 0; i < COUNT(defaults); i++) {
		snprintf(allowed, sizeof(allowed), "%s %s", defaults[i].always,
		    defaults[i].maybe);
		assert_subset(
		    line(defaults[i].title), allowed, defaults[i].title);
	}
}

START_TEST(the_defaults_are_what_is_recorded)
{
	print_under(PLAIN, NULL);
	assert_within_defaults();
	assert_subset(defaults[_i].always, line(defaults[_i].title), "missing");
}
END_TEST

/* Policies that ask for more than is safe, and something safe besides. */
static const char *const lax[] = {
	POLICY("NORMAL:+ARCFOUR-128:+3DES-CBC:+MD5:+ANON-ECDH:+ANON-DH"),
	POLICY("NORMAL:+VERS-SSL3.0:+VERS-TLS1.0:+VERS-TLS1.1"),
	POLICY("NORMAL:+SIGN-RSA-MD5:+SIGN-DSA-SHA1:+SIGN-RSA-SHA1"),
	POLICY("NORMAL:+GROUP-SECP192R1:+GROUP-SECP224R1"),
	POLICY("NORMAL:+PSK:+ECDHE-PSK:+DHE-PSK"),
	POLICY("NORMAL:+NULL:+SRP:+SRP-RSA"),
	POLICY("NORMAL:+CTYPE-RAWPK"),
	POLICY("NORMAL:+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK"),
	POLICY("NORMAL:+AES-128-CCM-8:+AES-256-CCM-8:+CAMELLIA-128-GCM"),
	POLICY("NORMAL:+SHA256:+SHA384:+CAMELLIA-256-CBC"),
	POLICY("LEGACY"),
	POLICY("PERFORMANCE:%COMPAT"),
	POLICY("SECURE128:%UNSAFE_RENEGOTIATION"),
};

START_TEST(nothing_unsafe_of_a_lax_policy_is_offered)
{
	print_under(lax[_i], NULL);
	assert_within_defaults();
	ck_assert(has_word(line("versions"), "TLS1.2", 6));
}
END_TEST

/* GnuTLS passes over what is behind 128 words: our removals. */
START_TEST(removals_that_had_no_effect_are_noticed)
{
	char policy[1024] = "[overrides]\ndefault-priority-string = NORMAL";
	char *end = strchr(policy, '\0');
	size_t i;

	for (i = 0; i < 128; i++)
		end = stpcpy(end, ":+RSA");
	stpcpy(end, "\n");
	print_under(policy, NULL);
	ck_assert_str_eq(output,
	    "error -2: the system's TLS policy insists on version TLS1.1, "
	    "which is not allowed\n");
}
END_TEST

static const struct {
	const char *policy;
	const char *sentence;
} unusable[] = {
	{ POLICY("NONE:+VERS-TLS1.0:+AES-128-CBC:+RSA:+SHA1"),
	    "no TLS version is left from TLSv1.2 to TLSv1.3" },
	{ POLICY("NONE:+VERS-TLS1.2:+AES-128-CBC:+RSA:+SHA1:+SIGN-ALL"),
	    "the system's TLS policy leaves no cipher suite that is safe" },
	{ POLICY("NONE:+VERS-TLS1.2:+ARCFOUR-128:+ANON-ECDH:+SHA1:+SIGN-ALL:"
		 "+CURVE-ALL"),
	    "the system's TLS policy leaves no cipher suite that is safe" },
	/* GnuTLS gives up TLS 1.3 where 1.1 is left, but not 1.2. */
	{ POLICY("NORMAL:-VERS-TLS1.2"),
	    "no TLS version is left from TLSv1.2 to TLSv1.3" },
	{ POLICY("@NOSUCHKEYWORD"),
	    "the system's TLS policy: The request is invalid." },
	{ POLICY("NORMAL:+NOSUCHWORD"),
	    "the system's TLS policy: The request is invalid." },
};

START_TEST(a_policy_that_leaves_nothing_safe_is_refused)
{
	char expected[256];

	print_under(unusable[_i].policy, NULL);
	snprintf(expected, sizeof(expected), "error -2: %s\n",
	    unusable[_i].sentence);
	ck_assert_str_eq(output, expected);
}
END_TEST

/* Policies that are stricter than ours. */
static const char *const strict[] = {
	POLICY("SECURE256"),
	POLICY("SUITEB128"),
	POLICY("SUITEB192"),
	POLICY("PFS:-VERS-TLS1.2:-VERS-TLS1.1:-VERS-TLS1.0"),
	POLICY("NORMAL:-AES-128-GCM:-GROUP-X25519:-SIGN-RSA-SHA256"),
	PLAIN "[overrides]\ntls-disabled-cipher = AES-128-GCM\n"
	      "tls-disabled-group = FFDHE2048\ntls-disabled-kx = DHE-RSA\n"
	      "disabled-version = TLS1.2\ndisabled-version = TLS1.1\n"
	      "disabled-version = TLS1.0\ninsecure-sig = RSA-SHA256\n",
	"[global]\noverride-mode = allowlist\n[overrides]\n"
	"secure-hash = SHA256\nsecure-hash = SHA384\n"
	"secure-sig = RSA-PSS-RSAE-SHA256\n"
	"secure-sig-for-cert = RSA-SHA256\nenabled-version = TLS1.3\n"
	"enabled-curve = SECP256R1\ntls-enabled-cipher = AES-256-GCM\n"
	"tls-enabled-group = SECP256R1\ntls-enabled-mac = AEAD\n"
	"tls-enabled-kx = ECDHE-RSA\n",
};

START_TEST(a_stricter_policy_stays_as_strict)
{
	static const char *const system[] = { "system", NULL };
	char limits[COUNT(defaults)][1024];
	size_t i;

	print_under(strict[_i], system);
	for (i = 0; i < COUNT(defaults) - 1; i++)
		snprintf(limits[i], sizeof(limits[i]), "%s",
		    line(defaults[i].title));
	print_under(strict[_i], NULL);
	assert_within_defaults();
	for (i = 0; i < COUNT(defaults) - 1; i++)
		assert_subset(
		    line(defaults[i].title), limits[i], defaults[i].title);
	ck_assert_str_ne(line("suites"), "");
}
END_TEST

/* The settings that narrow, and what is left of versions and suites. */
static const struct {
	const char *settings[4];
	const char *versions; /* NULL: as by default */
	const char *suites;
} narrowed[] = {
	{ { "min=1.3" }, "TLS1.3",
	    "TLS_AES_128_CCM_SHA256 TLS_AES_128_GCM_SHA256 "
	    "TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256" },
	{ { "ciphers=AES-256-GCM" }, "TLS1.2 TLS1.3",
	    "TLS_AES_256_GCM_SHA384 TLS_DHE_RSA_AES_256_GCM_SHA384 "
	    "TLS_ECDHE_ECDSA_AES_256_GCM_SHA384 "
	    "TLS_ECDHE_RSA_AES_256_GCM_SHA384" },
	{ { "ciphers=aes-256-gcm:chacha20-poly1305", "ciphers=!DHE-RSA" },
	    "TLS1.2 TLS1.3",
	    "TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256 "
	    "TLS_ECDHE_ECDSA_AES_256_GCM_SHA384 "
	    "TLS_ECDHE_ECDSA_CHACHA20_POLY1305 "
	    "TLS_ECDHE_RSA_AES_256_GCM_SHA384 "
	    "TLS_ECDHE_RSA_CHACHA20_POLY1305" },
	{ { "ciphers=-AES-128-CCM:-AES-256-CCM:!AES-128-GCM:-DHE-RSA:"
	    "-ECDHE-RSA" },
	    "TLS1.2 TLS1.3",
	    "TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256 "
	    "TLS_ECDHE_ECDSA_AES_256_GCM_SHA384 "
	    "TLS_ECDHE_ECDSA_CHACHA20_POLY1305" },
	{ { "ciphers=AES-128-CCM:TLS_DHE_RSA_AES_128_GCM_SHA256:-AES-128-CCM",
	      "max=1.2" },
	    "TLS1.2", "TLS_DHE_RSA_AES_128_GCM_SHA256" },
	{ { "ciphers=TLS_ECDHE_RSA_AES_256_GCM_SHA384" }, "TLS1.2",
	    "TLS_ECDHE_RSA_AES_256_GCM_SHA384" },
	{ { "ciphers=TLS_CHACHA20_POLY1305_SHA256" }, "TLS1.3",
	    "TLS_CHACHA20_POLY1305_SHA256" },
	{ { "ciphers=TLS_AES_256_GCM_SHA384:TLS_ECDHE_RSA_AES_256_GCM_SHA384" },
	    "TLS1.2 TLS1.3",
	    "TLS_AES_256_GCM_SHA384 TLS_ECDHE_RSA_AES_256_GCM_SHA384" },
	{ { "ciphers=AES-256-GCM", "min=1.3" }, "TLS1.3",
	    "TLS_AES_256_GCM_SHA384" },
	{ { "min=1.3",
	      "ciphers=-DHE-RSA:AES-256-GCM:-AES-128-GCM:"
	      "-AES-128-CCM:-AES-256-CCM:-CHACHA20-POLY1305" },
	    "TLS1.3", "TLS_AES_256_GCM_SHA384" },
	{ { "ciphers=ECDHE-ECDSA:-AES-128-GCM:-AES-128-CCM:-AES-256-CCM",
	      "max=1.2" },
	    "TLS1.2",
	    "TLS_ECDHE_ECDSA_AES_256_GCM_SHA384 "
	    "TLS_ECDHE_ECDSA_CHACHA20_POLY1305" },
	{ { "max=1.2", "min=1.2", "ciphers=ECDHE-RSA:-AES-256-GCM" }, "TLS1.2",
	    "TLS_ECDHE_RSA_AES_128_GCM_SHA256 "
	    "TLS_ECDHE_RSA_CHACHA20_POLY1305" },
};

START_TEST(settings_narrow_what_is_offered)
{
	print_under(PLAIN, narrowed[_i].settings);
	ck_assert_msg(strncmp(output, "error", 5) != 0, "%s", output);
	ck_assert_str_eq(line("versions"), narrowed[_i].versions);
	ck_assert_str_eq(line("suites"), narrowed[_i].suites);
	assert_within_defaults();
}
END_TEST

#define NAMES_NONE "\" names no cipher suite that is offered"

static const struct {
	const char *settings[4];
	const char *sentence;
} refused[] = {
	{ { "ciphers=RC4" }, "\"RC4" NAMES_NONE },
	{ { "ciphers=ARCFOUR-128" }, "\"ARCFOUR-128" NAMES_NONE },
	{ { "ciphers=+ARCFOUR-128" }, "\"+ARCFOUR-128" NAMES_NONE },
	{ { "ciphers=AES-256-GCM:NULL" }, "\"NULL" NAMES_NONE },
	{ { "ciphers=NORMAL" }, "\"NORMAL" NAMES_NONE },
	{ { "ciphers=AES-256-GCM:%COMPAT" }, "\"%COMPAT" NAMES_NONE },
	{ { "ciphers=@SYSTEM" }, "\"@SYSTEM" NAMES_NONE },
	{ { "ciphers=ALL" }, "\"ALL" NAMES_NONE },
	{ { "ciphers=VERS-SSL3.0" }, "\"VERS-SSL3.0" NAMES_NONE },
	{ { "ciphers=SSLv3" }, "\"SSLv3" NAMES_NONE },
	{ { "ciphers=TLS_RSA_AES_128_GCM_SHA256" },
	    "\"TLS_RSA_AES_128_GCM_SHA256" NAMES_NONE },
	{ { "ciphers=TLS_ECDHE_RSA_AES_128_CBC_SHA1" },
	    "\"TLS_ECDHE_RSA_AES_128_CBC_SHA1" NAMES_NONE },
	{ { "ciphers=ANON-ECDH" }, "\"ANON-ECDH" NAMES_NONE },
	{ { "ciphers=" }, "\"" NAMES_NONE },
	{ { "ciphers=-" }, "\"" NAMES_NONE },
	{ { "ciphers=AES-256-GCM:" }, "\"" NAMES_NONE },
	{ { "ciphers=:AES-256-GCM" }, "\"" NAMES_NONE },
	{ { "ciphers=AES-256-GCM:!AES-128-GMC" }, "\"AES-128-GMC" NAMES_NONE },
	{ { "ciphers=AES-256-GCM AES-128-GCM" },
	    "cipher suites are words separated by colons" },
	{ { "ciphers=AES-256-GCM:-AES-256-GCM" },
	    "\"AES-256-GCM:-AES-256-GCM\" leaves no cipher suite" },
	{ { "ciphers=AES-256-GCM", "ciphers=AES-128-GCM" },
	    "\"AES-128-GCM" NAMES_NONE },
	{ { "ciphers=TLS_AES_128_GCM_SHA256:TLS_ECDHE_RSA_AES_256_GCM_SHA384" },
	    "this choice of cipher suites brings TLS_AES_256_GCM_SHA384 with "
	    "it: name that too, or fewer" },
	{ { "ciphers=TLS_ECDHE_RSA_AES_256_GCM_SHA384", "min=1.3" },
	    "no TLS version is left from TLSv1.3 to TLSv1.3" },
	{ { "min=1.3", "max=1.2" },
	    "the minimum version TLSv1.3 is above the maximum version "
	    "TLSv1.2" },
	{ { "max=1.2", "min=1.3" },
	    "the minimum version TLSv1.3 is above the maximum version "
	    "TLSv1.2" },
	{ { "min=1.1" }, "TLSv1.1 is not secure, and not allowed here" },
	{ { "max=1.0" }, "TLSv1.0 is not secure, and not allowed here" },
	{ { "min=3.0" }, "SSL 3.0 is broken (RFC 7568) and never spoken" },
	{ { "max=3.0" }, "SSL 3.0 is broken (RFC 7568) and never spoken" },
	{ { "min=0.9" }, "0x0000 is no version of TLS" },
	{ { "legacy=3.0" },
	    "SSL 3.0 is broken (RFC 7568), and GnuTLS has it no more" },
	{ { "legacy=1.2" },
	    "TLSv1.2 needs no permission, only TLS 1.0 and 1.1 do" },
	{ { "legacy=1.1", "min=1.0" },
	    "TLSv1.0 is not secure, and not allowed here" },
	{ { "legacy=1.0", "ciphers=ARCFOUR-128" }, "\"ARCFOUR-128" NAMES_NONE },
	{ { "legacy=1.0", "min=3.0" },
	    "SSL 3.0 is broken (RFC 7568) and never spoken" },
};

START_TEST(settings_never_bring_anything_back)
{
	char expected[512];

	print_under(PLAIN, refused[_i].settings);
	snprintf(
	    expected, sizeof(expected), "error -2: %s\n", refused[_i].sentence);
	ck_assert_str_eq(output, expected);
}
END_TEST

static const struct {
	const char *settings[4];
	const char *versions;
} legacy[] = {
	{ { "legacy=1.0" }, "TLS1.0 TLS1.1 TLS1.2 TLS1.3" },
	{ { "legacy=1.1" }, "TLS1.1 TLS1.2 TLS1.3" },
	{ { "legacy=1.0", "max=1.0" }, "TLS1.0" },
	{ { "legacy=1.0", "min=1.1", "max=1.2" }, "TLS1.1 TLS1.2" },
	{ { "legacy=1.0", "min=1.2" }, "TLS1.2 TLS1.3" },
};

START_TEST(legacy_versions_bring_cbc_and_rsa_and_nothing_else)
{
	/* A system that offers RC4 and anonymous suites, even. */
	print_under(_i % 2 ? lax[0] : PLAIN, legacy[_i / 2].settings);
	ck_assert_msg(strncmp(output, "error", 5) != 0, "%s", output);
	ck_assert_str_eq(line("versions"), legacy[_i / 2].versions);
	assert_subset(line("ciphers"),
	    "AES-128-CBC AES-128-CCM AES-128-GCM AES-256-CBC AES-256-CCM "
	    "AES-256-GCM CHACHA20-POLY1305",
	    "ciphers");
	assert_subset(line("kx"), "DHE-RSA ECDHE-ECDSA ECDHE-RSA RSA", "kx");
	assert_subset(line("macs"), "AEAD SHA1", "macs");
	assert_subset(line("signatures"), defaults[4].always, "signatures");
	ck_assert(
	    has_word(line("suites"), "TLS_ECDHE_RSA_AES_128_CBC_SHA1", 30));
	ck_assert(has_word(line("suites"), "TLS_RSA_AES_128_CBC_SHA1", 24));
}
END_TEST

START_TEST(legacy_versions_that_the_system_switched_off_stay_off)
{
	static const char *const settings[] = { "legacy=1.0", NULL };

	print_under(PLAIN "[overrides]\ndisabled-version = TLS1.0\n", settings);
	ck_assert_str_eq(output,
	    "error -2: the system's TLS policy has switched TLSv1.0 off\n");
}
END_TEST

START_TEST(a_suite_has_its_name_version_and_strength)
{
	struct smtptls_context *context;
	struct smtptls_cipher cipher;
	bool seen_12 = false, seen_13 = false;
	size_t i;

	ck_assert_ok(smtptls_context_new(SMTPTLS_SERVER_AUTH, &context));
	for (i = 0; smtptls_context_get_cipher(context, i, &cipher) == 0; i++) {
		ck_assert_int_ge(cipher.strength_bits, 128);
		if (strcmp(cipher.name, "TLS_AES_256_GCM_SHA384") == 0) {
			seen_13 = true;
			ck_assert_int_eq(cipher.version, SMTPTLS_TLS_1_3);
			ck_assert_int_eq(cipher.strength_bits, 256);
		}
		if (strcmp(cipher.name, "TLS_ECDHE_RSA_AES_128_GCM_SHA256") ==
		    0) {
			seen_12 = true;
			ck_assert_int_eq(cipher.version, SMTPTLS_TLS_1_2);
			ck_assert_int_eq(cipher.strength_bits, 128);
		}
	}
	/* Some distribution's policy may lack one of them. */
	ck_assert(seen_12 || seen_13);
	ck_assert_int_eq(
	    smtptls_context_get_cipher(context, i, &cipher), SMTPTLS_E_INVALID);
	ck_assert_int_eq(smtptls_context_get_cipher(context, SIZE_MAX, &cipher),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(
	    smtptls_context_get_cipher(NULL, 0, &cipher), SMTPTLS_E_INVALID);
	smtptls_context_free(context);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite;
	TCase *tc;

	if (argc > 1 && strcmp(argv[1], "--print") == 0)
		return print_main(argv + 2);
	self = argv[0];
	suite = suite_create("priority");
	tc = tcase_create("priority");
	tcase_add_loop_test(
	    tc, the_defaults_are_what_is_recorded, 0, COUNT(defaults));
	tcase_add_loop_test(
	    tc, nothing_unsafe_of_a_lax_policy_is_offered, 0, COUNT(lax));
	tcase_add_test(tc, removals_that_had_no_effect_are_noticed);
	tcase_add_loop_test(tc, a_policy_that_leaves_nothing_safe_is_refused, 0,
	    COUNT(unusable));
	tcase_add_loop_test(
	    tc, a_stricter_policy_stays_as_strict, 0, COUNT(strict));
	tcase_add_loop_test(
	    tc, settings_narrow_what_is_offered, 0, COUNT(narrowed));
	tcase_add_loop_test(
	    tc, settings_never_bring_anything_back, 0, COUNT(refused));
	tcase_add_loop_test(tc,
	    legacy_versions_bring_cbc_and_rsa_and_nothing_else, 0,
	    2 * COUNT(legacy));
	tcase_add_test(
	    tc, legacy_versions_that_the_system_switched_off_stay_off);
	tcase_add_test(tc, a_suite_has_its_name_version_and_strength);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
