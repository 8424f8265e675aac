/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>
#include <sysexits.h>

#include "config/options.h"
#include "settings/settings.h"

#define ARGV_MAX 12

/* The words behind the name of the program, NULL-terminated. */
typedef const char *const words[ARGV_MAX];

static int
parse_as(const char *name, const char *const *args, struct stls_err *err,
    struct settings *settings)
{
	static char copies[ARGV_MAX + 1][128];
	static char *argv[ARGV_MAX + 2];
	int argc = 0;

	strcpy(copies[0], name);
	argv[argc++] = copies[0];
	for (; *args != NULL; args++) {
		strcpy(copies[argc], *args);
		argv[argc] = copies[argc];
		argc++;
	}
	argv[argc] = NULL;
	memset(err, 0, sizeof(*err));
	return settings_parse(err, argc, argv, NULL, settings);
}

static int
parse(const char *const *args, struct stls_err *err, struct settings *settings)
{
	return parse_as("sendmail", args, err, settings);
}

/* Each of them names the sender a@b, dots that are data, and -t. */
static words same_meaning[] = {
	{ "-f", "a@b", "-i", "-t" },
	{ "-fa@b", "-i", "-t" },
	{ "-t", "-i", "-oi", "-fa@b", "-t" },
	{ "-ti", "-f", "a@b" },
	{ "-itfa@b" },
	{ "-itf", "a@b" },
	{ "-t", "-oi", "-r", "a@b" },
	{ "-t", "-o", "i", "-ra@b" },
	{ "-t", "-OIgnoreDots=true", "-f", "c@d", "-f", "a@b" },
	{ "-vit", "-oem", "-odb", "-B8BITMIME", "-Fx", "-fa@b" },
};

START_TEST(attached_separate_and_clustered_mean_the_same)
{
	struct settings settings;
	struct stls_err err;

	ck_assert_ok(parse(same_meaning[_i], &err, &settings));
	ck_assert_str_eq(settings.sender, "a@b");
	ck_assert(settings.dot_is_data);
	ck_assert(settings.extract_recipients);
	ck_assert_uint_eq(settings.recipient_count, 0);
	settings_done(&settings);
}
END_TEST

START_TEST(an_empty_sender_is_an_argument)
{
	words args = { "-f", "", "a@b", "c@d" };
	struct settings settings;
	struct stls_err err;

	ck_assert_ok(parse(args, &err, &settings));
	ck_assert_str_eq(settings.sender, "");
	ck_assert_uint_eq(settings.recipient_count, 2);
	ck_assert_str_eq(settings.recipients[0], "a@b");
	ck_assert_str_eq(settings.recipients[1], "c@d");
	settings_done(&settings);
}
END_TEST

START_TEST(options_behind_recipients_are_options)
{
	words args = { "a@b", "-i", "c@d", "--url=smtps://x", "-v" };
	struct settings settings;
	struct stls_err err;

	ck_assert_ok(parse(args, &err, &settings));
	ck_assert(settings.dot_is_data && settings.verbose);
	ck_assert_str_eq(settings.url, "smtps://x");
	ck_assert_uint_eq(settings.recipient_count, 2);
	settings_done(&settings);
}
END_TEST

START_TEST(nothing_behind_two_dashes_is_an_option)
{
	words args = { "-i", "--", "-t", "--url", "--", "a@b" };
	struct settings settings;
	struct stls_err err;

	ck_assert_ok(parse(args, &err, &settings));
	ck_assert(!settings.extract_recipients);
	ck_assert_ptr_null(settings.url);
	ck_assert_uint_eq(settings.recipient_count, 4);
	ck_assert_str_eq(settings.recipients[0], "-t");
	ck_assert_str_eq(settings.recipients[2], "--");
	settings_done(&settings);
}
END_TEST

START_TEST(an_argument_may_begin_with_a_dash)
{
	words args = { "-F", "-x", "--user", "--", "a@b" };
	struct settings settings;
	struct stls_err err;

	ck_assert_ok(parse(args, &err, &settings));
	ck_assert_str_eq(settings.full_name, "-x");
	ck_assert_str_eq(settings.user, "--");
	settings_done(&settings);
}
END_TEST

START_TEST(quotes_of_a_full_name_belong_to_it)
{
	words args = { "-i", "-t", "-F", "\"Reminder Service\"" };
	struct settings settings;
	struct stls_err err;

	ck_assert_ok(parse(args, &err, &settings));
	ck_assert_str_eq(settings.full_name, "\"Reminder Service\"");
	settings_done(&settings);
}
END_TEST

START_TEST(the_queue_option_takes_nothing_but_what_is_attached)
{
	words intervals[] = { { "-q", "a@b" }, { "-q15m", "a@b" },
		{ "-q1d12h", "a@b" }, { "-q30", "a@b" }, { "-vqIabc", "a@b" } };
	struct settings settings;
	struct stls_err err;

	ck_assert_ok(parse(intervals[_i], &err, &settings));
	ck_assert_int_eq(settings.mode, MODE_QUEUE_RUN);
	ck_assert_uint_eq(settings.recipient_count, 1);
	settings_done(&settings);
}
END_TEST

static const struct {
	words args;
	enum mode mode;
} modes[] = {
	{ { NULL }, MODE_SEND },
	{ { "-bm" }, MODE_SEND },
	{ { "-b", "m" }, MODE_SEND },
	{ { "-bv" }, MODE_VERIFY },
	{ { "-bp" }, MODE_QUEUE_PRINT },
	{ { "-bi" }, MODE_ALIASES },
	{ { "-I" }, MODE_ALIASES },
	{ { "-q" }, MODE_QUEUE_RUN },
	{ { "-bp", "-bm" }, MODE_SEND },
	{ { "--help" }, MODE_PRINT_HELP },
	{ { "--json", "--help" }, MODE_PRINT_HELP },
	{ { "--version" }, MODE_PRINT_VERSION },
};

START_TEST(modes_have_their_letters)
{
	struct settings settings;
	struct stls_err err;

	ck_assert_ok(parse(modes[_i].args, &err, &settings));
	ck_assert_int_eq(settings.mode, modes[_i].mode);
	settings_done(&settings);
}
END_TEST

static const struct {
	const char *name;
	enum mode mode;
} names[] = {
	{ "sendmail", MODE_SEND },
	{ "/usr/sbin/sendmail", MODE_SEND },
	{ "sendmail-tls", MODE_SEND },
	{ "mailq", MODE_QUEUE_PRINT },
	{ "/usr/bin/mailq", MODE_QUEUE_PRINT },
	{ "/usr/bin/newaliases", MODE_ALIASES },
	{ "/mailq/sendmail", MODE_SEND },
	{ "", MODE_SEND },
};

START_TEST(the_name_it_is_called_by_is_a_mode)
{
	words none = { NULL };
	struct settings settings;
	struct stls_err err;

	ck_assert_ok(parse_as(names[_i].name, none, &err, &settings));
	ck_assert_int_eq(settings.mode, names[_i].mode);
	settings_done(&settings);
}
END_TEST

START_TEST(no_name_at_all_is_sendmail)
{
	char *argv[] = { NULL };
	struct settings settings;
	struct stls_err err = { 0 };

	ck_assert_ok(settings_parse(&err, 0, argv, NULL, &settings));
	ck_assert_int_eq(settings.mode, MODE_SEND);
	settings_done(&settings);
}
END_TEST

static words harmless[] = {
	{ "-oem" },
	{ "-oep" },
	{ "-oeq" },
	{ "-odi" },
	{ "-odb" },
	{ "-om" },
	{ "-o7" },
	{ "-oA/etc/aliases" },
	{ "-em" },
	{ "-e", "q" },
	{ "-eq" },
	{ "-B8BITMIME" },
	{ "-B", "7BIT" },
	{ "-h5" },
	{ "-h", "5" },
	{ "-m" },
	{ "-U" },
	{ "-n" },
	{ "-c" },
	{ "-x" },
	{ "-G" },
	{ "-pESMTP:host" },
	{ "-d0-99.1" },
	{ "-MX" },
	{ "-Ac" },
	{ "-Am" },
	{ "-A", "c" },
	{ "-X", "/tmp/log" },
	{ "-L", "tag" },
	{ "-Ltag" },
	{ "-O", "DeliveryMode=b" },
	{ "-ODeliveryMode=b" },
	{ "-O", "requiretls=no" },
	{ "-oi" },
};

START_TEST(harmless_options_of_sendmail_are_accepted)
{
	struct settings settings;
	struct stls_err err;

	ck_assert_ok(parse(harmless[_i], &err, &settings));
	ck_assert_int_eq(settings.mode, MODE_SEND);
	ck_assert_uint_eq(settings.recipient_count, 0);
	settings_done(&settings);
}
END_TEST

START_TEST(an_ignored_option_takes_its_argument_with_it)
{
	words args = { "-X", "/tmp/log", "-e", "m", "-L", "tag", "a@b" };
	struct settings settings;
	struct stls_err err;

	ck_assert_ok(parse(args, &err, &settings));
	ck_assert_uint_eq(settings.recipient_count, 1);
	ck_assert_str_eq(settings.recipients[0], "a@b");
	settings_done(&settings);
}
END_TEST

static const struct {
	words args;
	const char *sentence;
} later[] = {
	{ { "--pipelining", "window" },
	    "--pipelining window: it is none, standard or one-flight" },
	{ { "--auth", "SCRAM-SHA-256" }, "in this version, not SCRAM" },
};

START_TEST(what_comes_later_is_refused_and_says_so)
{
	struct settings settings;
	struct stls_err err;

	ck_assert_int_eq(parse(later[_i].args, &err, &settings), EX_USAGE);
	ck_assert_ptr_nonnull(strstr(err.text, later[_i].sentence));
	settings_done(&settings);
}
END_TEST

/* A hundred characters, the most there may be. */
#define LONG_ENVID                                                             \
	"12345678901234567890123456789012345678901234567890"                   \
	"12345678901234567890123456789012345678901234567890"

/* What a message asks for, as the spool would keep it; intervals alone. */
static const struct {
	words args;
	const char *text;
} asked[] = {
	{ { "-N", "never" }, "notify=1" },
	{ { "-Nsuccess,failure,delay" }, "notify=14" },
	{ { "-N", "Failure Delay" }, "notify=12" },
	{ { "-N", " DELAY,, success ," }, "notify=10" },
	{ { "-N", "never", "-N", "delay" }, "notify=8" },
	{ { "-R", "full" }, "return=1" },
	{ { "-RHDRS" }, "return=2" },
	{ { "-V", "a b+c" }, "envid=a+20b+2Bc" },
	{ { "-Vx" }, "envid=x" },
	{ { "-V", LONG_ENVID }, "envid=" LONG_ENVID },
	{ { "--require-tls" }, "require-tls=1" },
	{ { "-O", "requiretls=yes" }, "require-tls=1" },
	{ { "-ORequireTLS" }, "require-tls=1" },
	{ { "-ORequireTLS=True", "-O", "SMTPUTF8=yes" },
	    "require-tls=1 smtputf8=1" },
	{ { "--require-tls", "-O", "requiretls=no" }, "" },
	{ { "--priority", "9" }, "priority=9" },
	{ { "--priority", "-9" }, "priority=-9" },
	{ { "--priority=+3" }, "priority=3" },
	{ { "--hold-until", "2037-01-01T00:00:00+01:00" },
	    "hold-until=2114377200" },
	{ { "--hold-until", "4h" }, "hold-for=14400 asked-at=" },
	{ { "--hold-until", "4h", "--hold-until", "2037-01-01T00:00:00Z" },
	    "hold-until=2114380800 asked-at=" },
	{ { "--deliver-by", "3600" }, "deliver-by=3600 asked-at=" },
	{ { "--deliver-by=1h,Return" },
	    "deliver-by=3600 deliver-by-return=1 asked-at=" },
	{ { "--deliver-by=60,notify" }, "deliver-by=60 asked-at=" },
};

START_TEST(a_message_asks_for_what_the_options_say)
{
	char text[MAIL_OPTIONS_TEXT_CAP], *end;
	struct settings settings;
	struct stls_err err;

	ck_assert_ok(parse(asked[_i].args, &err, &settings));
	mail_options_format(&settings.options, text);
	end = strstr(text, "asked-at=");
	if (end != NULL)
		end[strlen("asked-at=")] = '\0';
	ck_assert_str_eq(text, asked[_i].text);
	settings_done(&settings);
}
END_TEST

/* What the settings ask for, but for when. */
static void
format_timeless(const struct settings *settings, char *text)
{
	struct mail_options options = settings->options;

	options.asked_at = 0;
	mail_options_format(&options, text);
}

START_TEST(what_is_asked_for_can_be_said_again)
{
	char text[MAIL_OPTIONS_TEXT_CAP], second[MAIL_OPTIONS_TEXT_CAP];
	const char *again[ARGV_MAX] = { NULL };
	struct mail_options_words strings;
	struct settings settings;
	struct stls_err err;

	ck_assert_ok(parse(asked[_i].args, &err, &settings));
	format_timeless(&settings, text);
	ck_assert_uint_le(
	    mail_options_to_arguments(&settings.options, &strings, again),
	    MAIL_OPTIONS_ARGUMENTS_MAX);
	settings_done(&settings);
	ck_assert_ok(parse(again, &err, &settings));
	format_timeless(&settings, second);
	ck_assert_str_eq(second, text);
	settings_done(&settings);
}
END_TEST

static const struct {
	words args;
	const char *sentence;
} refused[] = {
	{ { "-N", "" }, "-N : it is never, or some of success" },
	{ { "-N", "sometimes" }, "-N sometimes: it is never" },
	{ { "-N", "never,delay" }, "-N never,delay: it is never" },
	{ { "-N", "delay;failure" }, "it is never" },
	{ { "-R", "all" }, "-R all: it is full or hdrs" },
	{ { "-R", "" }, "it is full or hdrs" },
	{ { "-V", "" }, "printable ASCII" },
	{ { "-V", "gr\xc3\xbc\xc3\x9f" }, "printable ASCII" },
	{ { "-V", "a\tb" }, "printable ASCII" },
	{ { "-V", "a\r\nb" }, "-V has a line break" },
	{ { "-V", LONG_ENVID "x" }, "printable ASCII" },
	{ { "--hold-until", "3600" }, "--hold-until 3600: it is a date" },
	{ { "--hold-until", "0h" }, "it is a date" },
	{ { "--hold-until", "tomorrow" }, "it is a date" },
	{ { "--hold-until", "11575d" }, "it is a date" },
	{ { "--hold-until", "2001-01-01T00:00:00Z" },
	    "--hold-until 2001-01-01T00:00:00Z is over" },
	{ { "--priority", "10" }, "--priority 10: it is a number from -9" },
	{ { "--priority", "-" }, "it is a number from -9" },
	{ { "--priority", "" }, "it is a number from -9" },
	{ { "--priority", "high" }, "it is a number from -9" },
	{ { "--deliver-by", "0" }, "it is a number of seconds" },
	{ { "--deliver-by", "-60" }, "it is a number of seconds" },
	{ { "--deliver-by", "60," }, "it is a number of seconds" },
	{ { "--deliver-by", "60,never" }, "it is a number of seconds" },
	{ { "--deliver-by", ",return" }, "it is a number of seconds" },
	{ { "--deliver-by", "1000000000" }, "it is a number of seconds" },
	{ { "--deliver-by", "00000000000000000000000001" },
	    "it is a number of seconds" },
	{ { "-qX" }, "-qX: it is -q, -qINTERVAL as -q15m" },
	{ { "-q15mX" }, "-q15mX: it is -q, -qINTERVAL as -q15m" },
	{ { "-qI" }, "-qI needs the id of a message" },
	{ { "-qR", "" }, "-qR needs a part of a recipient" },
	{ { "--spool-lifetime", "5" }, "--spool-lifetime is an interval" },
	{ { "--spool-lifetime", "1h5d" }, "--spool-lifetime is an interval" },
	{ { "--spool-lifetime", "3651d" }, "--spool-lifetime is an interval" },
	{ { "--spool-in-doubt", "drop" }, "--spool-in-doubt is retry or hold" },
	{ { "--require-tls", "--insecure-no-verify" },
	    "leave out what begins with --insecure" },
	{ { "-Orequiretls=yes", "--insecure-cleartext" },
	    "leave out what begins with --insecure" },
	{ { "--require-tls", "--insecure-legacy-tls" },
	    "leave out what begins with --insecure" },
	{ { "-z" }, "there is no option -z" },
	{ { "-iz" }, "there is no option -z" },
	{ { "-\x1b" }, "there is no option -\\x1b" },
	{ { "--bogus" }, "there is no option --bogus" },
	{ { "--bogus=1" }, "there is no option --bogus" },
	{ { "--ur", "smtps://x" }, "there is no option --ur" },
	{ { "--=x" }, "there is no option --" },
	{ { "-" }, "- alone is neither" },
	{ { "-f" }, "-f needs an argument" },
	{ { "-tf" }, "-f needs an argument" },
	{ { "--url" }, "--url needs an argument" },
	{ { "--dry-run=yes" }, "--dry-run has no argument" },
	{ { "-bd" }, "-bd is for a daemon" },
	{ { "-bD" }, "-bD is for a daemon" },
	{ { "-bl" }, "-bl is for a daemon" },
	{ { "-bh" }, "-bh asks about parts" },
	{ { "-bH" }, "-bH asks about parts" },
	{ { "-bt" }, "-bt asks about parts" },
	{ { "-bx" }, "there is no mode -bx" },
	{ { "-bmm" }, "there is no mode -bmm" },
	{ { "-b", "" }, "there is no mode -b" },
	{ { "-Ax" }, "-Ax is neither" },
	{ { "-f", "a\n@b" }, "-f has a line break" },
	{ { "-fa\r@b" }, "-f has a line break" },
	{ { "-F", "x\r\nBcc: a@b" }, "-F has a line break" },
	{ { "-F", "x\x1b[0m" }, "control character in it: x\\x1b[0m" },
	{ { "--ehlo=a\nb" }, "--ehlo has a line break" },
	{ { "-L", "a\nb" }, "-L has a line break" },
	{ { "--tls-min", "1.1" }, "--insecure-legacy-tls allows it" },
	{ { "--tls-min", "1.4" }, "is 1.2 or 1.3, not 1.4" },
	{ { "--timeout", "0" }, "from 1 to" },
	{ { "--timeout", "-1" }, "from 1 to" },
	{ { "--timeout", "" }, "from 1 to" },
	{ { "--timeout", "5s" }, "not \"5s\"" },
	{ { "--timeout", "99999999999999999999" }, "from 1 to" },
	{ { "--json" }, "--json goes with --probe" },
	{ { "--key", "x" }, "--key needs --cert" },
	{ { "--password-file", "x" }, "needs --user" },
	{ { "--password-command", "x" }, "needs --user" },
	{ { "--token-command", "x" }, "a token needs --user" },
	{ { "--user", "u", "--auth", "xoauth2" },
	    "--auth XOAUTH2 needs --token-command" },
	{ { "--user", "u", "--auth", "OAuthBearer", "--password-file", "x" },
	    "--auth OAUTHBEARER needs --token-command" },
	{ { "--user", "u", "--auth", "plain", "--token-command", "x" },
	    "--auth PLAIN wants a password" },
	{ { "--auth", "external", "--cert", "x", "--token-command", "x" },
	    "not by a token" },
	{ { "--user", "u", "--token-command", "x", "--password-command", "y" },
	    "--token-command and --password-command exclude each other" },
	{ { "--user", "u", "--password-file", "x", "--token-command", "y" },
	    "--password-file and --token-command exclude each other" },
	{ { "--user", "u", "--token-command", "x", "--insecure-cleartext" },
	    "never sent in clear" },
	{ { "--user", "u", "--token-command", "x", "--insecure-no-verify" },
	    "was not verified" },
	{ { "--auth", "plain" }, "--auth PLAIN needs --user" },
	{ { "--auth", "EXTERNAL" }, "EXTERNAL needs --cert" },
	{ { "--auth=external", "--cert", "x", "--user", "u", "--password-file",
	      "p" },
	    "not by a password" },
	{ { "--user", "u", "--password-file", "x", "--password-command", "y" },
	    "exclude each other" },
	{ { "--user", "u", "--insecure-cleartext" }, "never sent in clear" },
	{ { "--user", "u", "--insecure-no-verify" }, "was not verified" },
	{ { "--auth=external", "--cert=x", "--insecure-no-verify" },
	    "was not verified" },
	{ { "--tls-min=1.3", "--insecure-legacy-tls" }, "exclude each other" },
};

START_TEST(mistakes_are_refused_with_a_sentence)
{
	struct settings settings;
	struct stls_err err;

	ck_assert_int_eq(parse(refused[_i].args, &err, &settings), EX_USAGE);
	ck_assert_msg(strstr(err.text, refused[_i].sentence) != NULL,
	    "\"%s\" is not in \"%s\"", refused[_i].sentence, err.text);
	settings_done(&settings);
}
END_TEST

START_TEST(settings_get_their_values)
{
	words args = { "--url", "smtp://x", "--connect-to=unix:/s",
		"--tls-min=1.3", "--timeout", "30", "--user=u", "--auth=login",
		"-Osmtputf8=yes", "--system-ca", "-G" };
	struct settings settings;
	struct stls_err err;

	ck_assert_ok(parse(args, &err, &settings));
	ck_assert_str_eq(settings.url, "smtp://x");
	ck_assert_str_eq(settings.connect_to, "unix:/s");
	ck_assert_int_eq(settings.tls_min, SMTPTLS_TLS_1_3);
	ck_assert_int_eq(settings.timeout_s, 30);
	ck_assert(settings.deadline != STLS_NEVER);
	ck_assert_str_eq(settings.user, "u");
	ck_assert_str_eq(settings.auth, "LOGIN");
	ck_assert(settings.options.smtputf8 && settings.system_ca);
	ck_assert(settings.relay);
	settings_done(&settings);
}
END_TEST

static const struct {
	const char *word;
	enum smtptls_pipelining level;
} levels[] = {
	{ "none", SMTPTLS_PIPELINING_NONE },
	{ "standard", SMTPTLS_PIPELINING_STANDARD },
	{ "one-flight", SMTPTLS_PIPELINING_ONE_FLIGHT },
};

START_TEST(pipelining_is_as_much_as_was_asked_for)
{
	words args = { "--no-chunking", "--pipelining", levels[_i].word, NULL };
	words none = { NULL };
	struct settings settings;
	struct stls_err err;

	ck_assert_ok(parse(args, &err, &settings));
	ck_assert_int_eq(settings.pipelining, levels[_i].level);
	ck_assert(settings.no_chunking);
	settings_done(&settings);
	ck_assert_ok(parse(none, &err, &settings));
	ck_assert_int_eq(settings.pipelining, SMTPTLS_PIPELINING_STANDARD);
	ck_assert(!settings.no_chunking);
	settings_done(&settings);
}
END_TEST

START_TEST(without_options_everything_is_strict)
{
	words none = { NULL };
	struct settings settings;
	struct stls_err err;

	ck_assert_ok(parse(none, &err, &settings));
	ck_assert(!settings.insecure_no_verify);
	ck_assert(!settings.insecure_cleartext);
	ck_assert(!settings.insecure_legacy_tls);
	ck_assert(!settings.dot_is_data);
	ck_assert(settings.deadline == STLS_NEVER);
	settings_done(&settings);
}
END_TEST

START_TEST(the_help_fits_a_screen)
{
	const char *line = settings_help, *end;
	size_t lines = 0;

	while ((end = strchr(line, '\n')) != NULL) {
		ck_assert_msg(end - line < 80, "%.*s", (int)(end - line), line);
		line = end + 1;
		lines++;
	}
	ck_assert_uint_eq(*line, '\0');
	ck_assert_uint_le(lines, 24);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config-options");
	TCase *tc = tcase_create("config-options");

	tcase_add_loop_test(tc, attached_separate_and_clustered_mean_the_same,
	    0, COUNT(same_meaning));
	tcase_add_test(tc, an_empty_sender_is_an_argument);
	tcase_add_test(tc, options_behind_recipients_are_options);
	tcase_add_test(tc, nothing_behind_two_dashes_is_an_option);
	tcase_add_test(tc, an_argument_may_begin_with_a_dash);
	tcase_add_test(tc, quotes_of_a_full_name_belong_to_it);
	tcase_add_loop_test(
	    tc, the_queue_option_takes_nothing_but_what_is_attached, 0, 5);
	tcase_add_loop_test(tc, modes_have_their_letters, 0, COUNT(modes));
	tcase_add_loop_test(
	    tc, the_name_it_is_called_by_is_a_mode, 0, COUNT(names));
	tcase_add_test(tc, no_name_at_all_is_sendmail);
	tcase_add_loop_test(
	    tc, harmless_options_of_sendmail_are_accepted, 0, COUNT(harmless));
	tcase_add_test(tc, an_ignored_option_takes_its_argument_with_it);
	tcase_add_loop_test(
	    tc, a_message_asks_for_what_the_options_say, 0, COUNT(asked));
	tcase_add_loop_test(
	    tc, what_is_asked_for_can_be_said_again, 0, COUNT(asked));
	tcase_add_loop_test(
	    tc, what_comes_later_is_refused_and_says_so, 0, COUNT(later));
	tcase_add_loop_test(
	    tc, mistakes_are_refused_with_a_sentence, 0, COUNT(refused));
	tcase_add_test(tc, settings_get_their_values);
	tcase_add_loop_test(
	    tc, pipelining_is_as_much_as_was_asked_for, 0, COUNT(levels));
	tcase_add_test(tc, without_options_everything_is_strict);
	tcase_add_test(tc, the_help_fits_a_screen);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
