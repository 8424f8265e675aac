/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <smtptls/status.h>

#include "mischief/misbehave.h"

#define PORT_MAX 65535
/* Longer than any test should wait, and far from any overflow. */
#define DELAY_MS_MAX 60000
#define SECONDS_MAX 86400
#define MESSAGES_MAX 1000000000

#define MAX_SECONDS_DEFAULT 600
/* RFC 5321 section 4.5.3.2.7. */
#define IDLE_SECONDS_DEFAULT 300

const char sink_options_help[] =
    "Usage: smtp-sink-tls [options]\n"
    "\n"
    "An SMTP server on 127.0.0.1 that accepts everything over TLS, keeps it\n"
    "if asked to, and passes nothing on: a target for programs that send "
    "mail.\n"
    "\n"
    "  --smtp PORT           listen for STARTTLS; 0 picks a port\n"
    "  --smtps PORT          listen for TLS from the first byte; 0 picks a "
    "port\n"
    "                        (with neither, both listen on picked ports)\n"
    "  --make-ca DIR         make a throwaway CA and a certificate for "
    "localhost\n"
    "                        in DIR (ca.pem, cert.pem, key.pem) and use them\n"
    "  --cert FILE           use this certificate chain ...\n"
    "  --key FILE            ... and this key\n"
    "  --client-ca FILE      require client certificates of these CAs\n"
    "  --user NAME           require authentication as NAME ...\n"
    "  --password-file FILE  ... with the password in FILE ...\n"
    "  --token-file FILE     ... or the OAuth 2.0 token in FILE, or either\n"
    "  --maildir DIR         keep each message as one file in DIR/new\n"
    "  --stats FILE          write what was counted as JSON on exit\n"
    "  --no EXT              do not offer an extension; repeatable\n"
    "  --delay-ms N          answer each flight N milliseconds later\n"
    "  --idle-seconds N      drop a connection that stands still (300)\n"
    "  --max-seconds N       end after this time (600)\n"
    "  --max-messages N      end after this many messages\n"
    "  --misbehave NAME      attack the client; `list' prints the names\n"
    "  --help, --version\n"
    "\n"
    "The first line of the output names the ports: smtp=PORT smtps=PORT\n";

static const struct {
	const char *name;
	enum sink_extension bit;
} extensions[] = {
	{ "PIPELINING", SINK_PIPELINING },
	{ "SIZE", SINK_SIZE },
	{ "8BITMIME", SINK_8BITMIME },
	{ "SMTPUTF8", SINK_SMTPUTF8 },
	{ "ENHANCEDSTATUSCODES", SINK_ENHANCEDSTATUSCODES },
	{ "CHUNKING", SINK_CHUNKING },
	{ "DSN", SINK_DSN },
	{ "STARTTLS", SINK_STARTTLS },
	{ "AUTH", SINK_AUTH },
	{ "REQUIRETLS", SINK_REQUIRETLS },
	{ "MT-PRIORITY", SINK_MT_PRIORITY },
	{ "FUTURERELEASE", SINK_FUTURERELEASE },
	{ "DELIVERBY", SINK_DELIVERBY },
};

#define EXTENSION_COUNT (sizeof(extensions) / sizeof(extensions[0]))

/* What getopt_long(3) answers for each option. */
enum option_id {
	ID_SMTP = 256,
	ID_SMTPS,
	ID_MAKE_CA,
	ID_CERT,
	ID_KEY,
	ID_CLIENT_CA,
	ID_USER,
	ID_PASSWORD_FILE,
	ID_TOKEN_FILE,
	ID_MAILDIR,
	ID_STATS,
	ID_NO,
	ID_DELAY_MS,
	ID_IDLE_SECONDS,
	ID_MAX_SECONDS,
	ID_MAX_MESSAGES,
	ID_MISBEHAVE,
	ID_HELP,
	ID_VERSION
};

static const struct option long_options[] = {
	{ "smtp", required_argument, NULL, ID_SMTP },
	{ "smtps", required_argument, NULL, ID_SMTPS },
	{ "make-ca", required_argument, NULL, ID_MAKE_CA },
	{ "cert", required_argument, NULL, ID_CERT },
	{ "key", required_argument, NULL, ID_KEY },
	{ "client-ca", required_argument, NULL, ID_CLIENT_CA },
	{ "user", required_argument, NULL, ID_USER },
	{ "password-file", required_argument, NULL, ID_PASSWORD_FILE },
	{ "token-file", required_argument, NULL, ID_TOKEN_FILE },
	{ "maildir", required_argument, NULL, ID_MAILDIR },
	{ "stats", required_argument, NULL, ID_STATS },
	{ "no", required_argument, NULL, ID_NO },
	{ "delay-ms", required_argument, NULL, ID_DELAY_MS },
	{ "idle-seconds", required_argument, NULL, ID_IDLE_SECONDS },
	{ "max-seconds", required_argument, NULL, ID_MAX_SECONDS },
	{ "max-messages", required_argument, NULL, ID_MAX_MESSAGES },
	{ "misbehave", required_argument, NULL, ID_MISBEHAVE },
	{ "help", no_argument, NULL, ID_HELP },
	{ "version", no_argument, NULL, ID_VERSION },
	{ NULL, 0, NULL, 0 },
};

static int
parse_number(struct stls_err *err, const char *what, const char *text, long min,
    long max, long *out_number)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
	    number < min || number > max)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "--%s %s is no number from %ld to %ld", what, text, min,
		    max);
	*out_number = number;
	return SMTPTLS_OK;
}

static int
parse_int(struct stls_err *err, const char *what, const char *text, long min,
    long max, int *out_number)
{
	long number = 0;
	int r;

	r = parse_number(err, what, text, min, max, &number);
	if (r < 0)
		return r;
	*out_number = (int)number;
	return SMTPTLS_OK;
}

static int
remove_one(struct stls_err *err, const char *name, size_t len,
    unsigned int *extensions_left)
{
	size_t i;

	for (i = 0; i < EXTENSION_COUNT; i++) {
		if (strlen(extensions[i].name) == len &&
		    strncasecmp(extensions[i].name, name, len) == 0) {
			*extensions_left &= ~(unsigned int)extensions[i].bit;
			return SMTPTLS_OK;
		}
	}
	return stls_err_set(err, SMTPTLS_E_INVALID,
	    "--no %.*s: the extensions are PIPELINING, SIZE, 8BITMIME, "
	    "SMTPUTF8, ENHANCEDSTATUSCODES, CHUNKING, DSN, STARTTLS, AUTH, "
	    "REQUIRETLS, MT-PRIORITY, FUTURERELEASE, DELIVERBY",
	    (int)len, name);
}

static int
remove_extensions(
    struct stls_err *err, const char *list, unsigned int *extensions_left)
{
	size_t len;
	int r;

	for (;;) {
		len = strcspn(list, ",");
		r = remove_one(err, list, len, extensions_left);
		if (r < 0 || list[len] == '\0')
			return r;
		list += len + 1;
	}
}

static int
set_messages(struct stls_err *err, const char *text, uint64_t *out_messages)
{
	long number = 0;
	int r;

	r = parse_number(err, "max-messages", text, 1, MESSAGES_MAX, &number);
	if (r < 0)
		return r;
	*out_messages = (uint64_t)number;
	return SMTPTLS_OK;
}

static int
set_misbehave(
    struct stls_err *err, struct sink_options *options, const char *name)
{
	if (strcmp(name, "list") == 0) {
		options->action = SINK_LIST_MISBEHAVIOUR;
		return SMTPTLS_OK;
	}
	/* The one that is not done would look like a good server. */
	if (options->misbehave != NULL)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "--misbehave %s and --misbehave %s: one at a time",
		    options->misbehave, name);
	options->misbehave = name;
	return sink_misbehave_parse(err, name, &options->mischief);
}

/* The options whose value is kept as it is: where it goes, else NULL. */
static const char **
place_of(struct sink_options *options, int id)
{
	switch (id) {
	case ID_MAKE_CA:
		return &options->ca_dir;
	case ID_CERT:
		return &options->cert;
	case ID_KEY:
		return &options->key;
	case ID_CLIENT_CA:
		return &options->client_ca;
	case ID_USER:
		return &options->user;
	case ID_PASSWORD_FILE:
		return &options->password_file;
	case ID_TOKEN_FILE:
		return &options->token_file;
	case ID_MAILDIR:
		return &options->maildir;
	case ID_STATS:
		return &options->stats;
	default:
		return NULL;
	}
}

static int
set_option(
    struct stls_err *err, struct sink_options *options, int id, const char *arg)
{
	const char **place;

	switch (id) {
	case ID_SMTP:
		return parse_int(
		    err, "smtp", arg, 0, PORT_MAX, &options->smtp_port);
	case ID_SMTPS:
		return parse_int(
		    err, "smtps", arg, 0, PORT_MAX, &options->smtps_port);
	case ID_NO:
		return remove_extensions(err, arg, &options->extensions);
	case ID_DELAY_MS:
		return parse_int(
		    err, "delay-ms", arg, 0, DELAY_MS_MAX, &options->delay_ms);
	case ID_IDLE_SECONDS:
		return parse_int(err, "idle-seconds", arg, 1, SECONDS_MAX,
		    &options->idle_seconds);
	case ID_MAX_SECONDS:
		return parse_int(err, "max-seconds", arg, 1, SECONDS_MAX,
		    &options->max_seconds);
	case ID_MAX_MESSAGES:
		return set_messages(err, arg, &options->max_messages);
	case ID_MISBEHAVE:
		return set_misbehave(err, options, arg);
	case ID_HELP:
		options->action = SINK_HELP;
		return SMTPTLS_OK;
	case ID_VERSION:
		options->action = SINK_VERSION;
		return SMTPTLS_OK;
	default:
		place = place_of(options, id);
		if (place != NULL)
			*place = arg;
		return SMTPTLS_OK;
	}
}

/* What getopt_long(3) would have printed. */
static int
refuse(struct stls_err *err, int id, char **argv)
{
	const char *word = argv[optind - 1];

	if (id == ':')
		return stls_err_set(
		    err, SMTPTLS_E_INVALID, "%s needs a value", word);
	return stls_err_set(err, SMTPTLS_E_INVALID, "no such option: %s", word);
}

/* A way to misbehave that can do nothing would look like a good server. */
static int
check_misbehave(struct stls_err *err, const struct sink_options *options)
{
	unsigned int needs = sink_misbehave_needs(&options->mischief);

	if ((needs & SINK_NEEDS_AUTH) != 0 && options->user == NULL)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "--misbehave %s is about authentication: give --user",
		    options->misbehave);
	if ((needs & SINK_NEEDS_CA) != 0 && options->ca_dir == NULL)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "--misbehave %s needs certificates of its own: give "
		    "--make-ca",
		    options->misbehave);
	return SMTPTLS_OK;
}

static int
check(struct stls_err *err, struct sink_options *options)
{
	if (options->cert != NULL && options->ca_dir != NULL)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "--make-ca and --cert are two ways to get a certificate: "
		    "give one");
	if (options->cert == NULL && options->ca_dir == NULL)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "no certificate: give --make-ca DIR, or --cert FILE and "
		    "--key FILE");
	if ((options->cert == NULL) != (options->key == NULL))
		return stls_err_set(
		    err, SMTPTLS_E_INVALID, "--cert and --key belong together");
	if ((options->user == NULL) !=
	    (options->password_file == NULL && options->token_file == NULL))
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "--user belongs together with --password-file or "
		    "--token-file");
	if (options->user != NULL && options->user[0] == '\0')
		return stls_err_set(
		    err, SMTPTLS_E_INVALID, "the name of --user is empty");
	if (options->smtp_port < 0 && options->smtps_port < 0)
		options->smtp_port = options->smtps_port = 0;
	if (options->misbehave != NULL)
		return check_misbehave(err, options);
	return SMTPTLS_OK;
}

int
sink_options_parse(struct stls_err *err, int argc, char **argv,
    struct sink_options *out_options)
{
	struct sink_options options = {
		.smtp_port = -1,
		.smtps_port = -1,
		.extensions = SINK_EXTENSIONS_ALL,
		.idle_seconds = IDLE_SECONDS_DEFAULT,
		.max_seconds = MAX_SECONDS_DEFAULT,
	};
	int id, r;

	opterr = 0;
	while ((id = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		if (id == '?' || id == ':')
			return refuse(err, id, argv);
		r = set_option(err, &options, id, optarg);
		if (r < 0)
			return r;
		if (options.action != SINK_RUN) {
			*out_options = options;
			return SMTPTLS_OK;
		}
	}
	if (optind < argc)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "%s is no option, and there are no arguments",
		    argv[optind]);
	r = check(err, &options);
	if (r < 0)
		return r;
	*out_options = options;
	return SMTPTLS_OK;
}
