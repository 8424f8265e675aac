/* SPDX-License-Identifier: MIT */
/* Command lines: ours, and what another user hands over. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "serve/path.h"
#include "settings/mail-options.h"
#include "settings/moment.h"
#include "settings/settings.h"

#define WORDS_MAX 24

static bool
is_same(const struct mail_options *a, const struct mail_options *b)
{
	return a->notify == b->notify && a->ret == b->ret &&
	    strcmp(a->envid, b->envid) == 0 &&
	    a->require_tls == b->require_tls && a->smtputf8 == b->smtputf8 &&
	    a->hold_for_s == b->hold_for_s && a->hold_until == b->hold_until &&
	    a->has_priority == b->has_priority && a->priority == b->priority &&
	    a->deliver_by_s == b->deliver_by_s &&
	    a->deliver_by_return == b->deliver_by_return &&
	    a->asked_at == b->asked_at;
}

/* What the spool keeps of it is what it was. */
static void
check_kept(const struct mail_options *options)
{
	struct mail_options again = { 0 };
	char text[MAIL_OPTIONS_TEXT_CAP];
	struct stls_err err = { 0 };

	memset(text, 'x', sizeof(text));
	mail_options_format(options, text);
	FUZZ_CHECK(memchr(text, '\0', sizeof(text)) != NULL);
	FUZZ_CHECK(fuzz_is_printable(text, strlen(text)));
	FUZZ_CHECK(mail_options_parse(&err, text, &again) == 0);
	FUZZ_CHECK(is_same(options, &again));
}

/* And said to a helper it is the same again, but for the clock. */
static void
check_said(const struct mail_options *options)
{
	char *argv[MAIL_OPTIONS_ARGUMENTS_MAX + 2] = { (char *)"sendmail" };
	const char *arguments[MAIL_OPTIONS_ARGUMENTS_MAX];
	struct mail_options_words words;
	struct settings settings;
	struct stls_err err = { 0 };
	size_t count, i;

	count = mail_options_to_arguments(options, &words, arguments);
	FUZZ_CHECK(count <= MAIL_OPTIONS_ARGUMENTS_MAX);
	for (i = 0; i < count; i++)
		argv[i + 1] = strdup(arguments[i]);
	FUZZ_CHECK(
	    settings_parse(&err, (int)count + 1, argv, NULL, &settings) == 0);
	settings.options.asked_at = options->asked_at;
	FUZZ_CHECK(is_same(options, &settings.options));
	settings_done(&settings);
	for (i = 0; i < count; i++)
		free(argv[i + 1]);
}

/* Where it goes, what is trusted, whose rights: the helper's alone. */
static void
check_is_ours(const struct settings *s)
{
	FUZZ_CHECK(strcmp(s->url, "smtps://mx.example.org") == 0);
	FUZZ_CHECK(s->mode == MODE_SEND && s->connect_to == NULL);
	FUZZ_CHECK(s->cafile == NULL && s->capath == NULL && !s->system_ca);
	FUZZ_CHECK(s->crlfile == NULL && s->cert == NULL && s->key == NULL);
	FUZZ_CHECK(s->pins.count == 0 && s->ciphers == NULL);
	FUZZ_CHECK(s->user == NULL && s->auth == NULL);
	FUZZ_CHECK(s->password.source == PASSWORD_PROMPT);
	FUZZ_CHECK(s->password.value == NULL && s->config_file == NULL);
	FUZZ_CHECK(s->spool == NULL && s->submit_socket == NULL);
	FUZZ_CHECK(s->aliases == NULL && s->configure == NULL && !s->probe);
	FUZZ_CHECK(!s->insecure_no_verify && !s->insecure_cleartext);
	FUZZ_CHECK(!s->insecure_legacy_tls && !s->json && s->timeout_s == 0);
}

static void
hand_over(int argc, char **argv)
{
	char *own_argv[] = { (char *)"sendmail", (char *)"--url",
		(char *)"smtps://mx.example.org", NULL };
	const struct words own = { 3, own_argv }, theirs = { argc, argv };
	struct settings settings;
	struct stls_err err = { 0 };

	FUZZ_CHECK(settings_parse(&err, 3, own_argv, NULL, &settings) == 0);
	if (settings_hand_over(&err, &own, &theirs, &settings) == 0)
		check_is_ours(&settings);
	else
		FUZZ_CHECK(fuzz_is_sentence(err.text));
	settings_done(&settings);
}

static void
check_moment(const char *text)
{
	char out[40];
	time_t when, again;
	struct tm tm;
	int seconds;

	if (moment_parse(text, &when)) {
		FUZZ_CHECK(when >= 0 && gmtime_r(&when, &tm) != NULL);
		strftime(out, sizeof(out), "%Y-%m-%dT%H:%M:%SZ", &tm);
		if (tm.tm_year < 9999 - 1900)
			FUZZ_CHECK(moment_parse(out, &again) && again == when);
	}
	if (moment_parse_interval(text, true, 999999, &seconds))
		FUZZ_CHECK(seconds >= 0 && seconds <= 999999);
}

static void
check_path(const char *text)
{
	struct stls_address address = { 0 };
	struct smtp_param param;
	struct stls_err err = { 0 };
	const char *rest = NULL;
	bool is_null;

	if (smtp_path_parse(
		&err, text, "example.org", &address, &is_null, &rest) < 0) {
		FUZZ_CHECK(fuzz_is_sentence(err.text));
		return;
	}
	FUZZ_CHECK(is_null == (address.mailbox == NULL));
	FUZZ_CHECK(is_null || fuzz_is_sentence(address.mailbox));
	while (smtp_param_next(&rest, &param)) {
		FUZZ_CHECK(param.name + param.name_len <= text + strlen(text));
		FUZZ_CHECK(
		    param.value + param.value_len <= text + strlen(text));
	}
	FUZZ_CHECK(*rest == '\0');
	stls_address_done(&address);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	char *argv[WORDS_MAX + 2] = { (char *)"sendmail" };
	struct mail_options options = { 0 };
	struct settings settings;
	struct stls_err err = { 0 };
	int argc = 1, i;

	while (input.len > 0 && argc <= WORDS_MAX) {
		argv[argc] = fuzz_take_line(&input, NULL);
		check_moment(argv[argc]);
		check_path(argv[argc]);
		if (mail_options_parse(&err, argv[argc], &options) == 0)
			check_kept(&options);
		argc++;
	}
	hand_over(argc, argv);
	if (settings_parse(&err, argc, argv, NULL, &settings) == 0) {
		check_kept(&settings.options);
		check_said(&settings.options);
	} else {
		FUZZ_CHECK(fuzz_is_sentence(err.text));
	}
	settings_done(&settings);
	for (i = 1; i < argc; i++)
		free(argv[i]);
	return 0;
}
