/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SETTINGS_SETTINGS_H
#define SENDMAIL_SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include <smtptls/client.h>
#include <smtptls/context.h>

#include "base/deadline.h"
#include "base/err.h"
#include "config/config.h"
#include "crypto/pin.h"
#include "settings/mail-options.h"

#define PROGRAM "sendmail-tls"

/* What the program is asked to do. */
enum mode {
	MODE_SEND,	    /* -bm */
	MODE_VERIFY,	    /* -bv */
	MODE_SMTP,	    /* -bs */
	MODE_QUEUE_PRINT,   /* -bp, mailq */
	MODE_QUEUE_RUN,	    /* -q */
	MODE_ALIASES,	    /* -bi, -I, newaliases */
	MODE_SUBMIT,	    /* --submit */
	MODE_CONFIGURE,	    /* --configure */
	MODE_PRINT_HELP,    /* --help */
	MODE_PRINT_VERSION, /* --version */
};

/* Where the password of settings->user comes from. */
enum password_source {
	PASSWORD_PROMPT,
	PASSWORD_FILE,
	PASSWORD_COMMAND,
	PASSWORD_GIVEN,	     /* in the configuration itself */
	PASSWORD_CREDENTIAL, /* of systemd */
	PASSWORD_KEYRING,
	PASSWORD_NETRC,		/* which also knows the user */
	PASSWORD_TOKEN_COMMAND, /* an OAuth 2.0 token in the place of one */
};

/* What settings->log is where it is no file. */
#define LOG_TO_SYSLOG "syslog"

/* The system's file, and an account in it. */
#define LAYER_SYSTEM_LAST 2
/* Above every layer of the configuration. */
#define LAYER_COMMAND_LINE 100

/* Pins of the keys of one server, at most: those of now and of later. */
#define SETTINGS_PINS_MAX 16

/* Which messages a run of the spool is about. */
enum queue_kind {
	QUEUE_ALL,	 /* -q */
	QUEUE_DUE,	 /* -q15m: what it is time for */
	QUEUE_ID,	 /* -qI ID */
	QUEUE_RECIPIENT, /* -qR ADDR */
};

/*
 * The command line and the configuration, understood. Strings are those of
 * argv and of the configuration; one that was not given is NULL. Of an option
 * that is given twice the last one counts.
 */
struct settings {
	const struct config_paths *paths;
	struct config *config; /* NULL: no files were looked for */
	int layer;	       /* who is speaking, while settings are applied */

	enum mode mode;
	const char *config_file;
	const char *configure; /* the address */
	const char *account;   /* the one that was chosen, "" for none */
	bool url_is_given;     /* on the command line */
	bool account_is_given;
	int argc;
	char **argv;
	bool probe;
	bool json;
	bool dry_run;
	bool verbose;

	bool extract_recipients;
	bool dot_is_data;
	bool relay;
	const char *sender;
	const char *full_name;
	const char *domain;
	const char **recipients;
	size_t recipient_count;
	struct mail_options options; /* of the message */

	const char *url;
	const char *connect_to;
	const char *ehlo_name;
	enum smtptls_pipelining pipelining;
	bool no_chunking;
	int timeout_s;		/* 0: none */
	stls_deadline deadline; /* STLS_NEVER: none */

	const char *cafile;
	const char *capath;
	bool system_ca;
	const char *crlfile;
	const char *cert;
	const char *key;
	struct {
		char text[SETTINGS_PINS_MAX][STLS_PIN_TEXT_LEN + 1];
		size_t count;
		int layer; /* who said them: nobody adds to those of another */
	} pins;
	const char *ciphers;
	enum smtptls_tls_version tls_min; /* 0: the library's */

	const char *user;
	struct {
		enum password_source source;
		const char *value; /* file, command, name; may be the secret */
		int layer;
	} password;
	const char *auth; /* a mechanism, in capitals */

	/* Senders: what is used where nobody says, or in any case. */
	const char *envelope_from;
	bool force_envelope_from;
	const char *from; /* `Name <addr>` or an address */
	bool force_from;
	bool keep_original_from;

	const char *aliases;	     /* file; NULL: none */
	bool aliases_are_configured; /* not only the default */
	bool no_aliases;	     /* -n */
	const char *log;	     /* LOG_TO_SYSLOG or a file; NULL: none */
	const char *log_tag;	     /* -L */

	const char *spool;
	bool spool_is_configured; /* by a file, not on the command line */
	bool spool_is_system;	  /* by the system's file */
	const char *submit_socket;
	long spool_lifetime_s;
	bool spool_holds_doubt; /* what is in doubt waits for a person */
	enum queue_kind queue_kind;
	const char *queue_key; /* of -qI and -qR */

	bool insecure_no_verify;
	bool insecure_cleartext;
	bool insecure_legacy_tls;
};

/*
 * Understand the command line and the files of the configuration, where the
 * mode needs them: the first says which files and which account, and what it
 * says counts more than they do. Without `paths` there are no files.
 *
 * Zero; EX_USAGE: a mistake on the command line; EX_CONFIG: one in a file;
 * EX_OSERR. settings_done() frees, after a failure too.
 */
int settings_parse(struct stls_err *err, int argc, char **argv,
    const struct config_paths *paths, struct settings *settings);

/* A command line; argv[0] is the name of the program. */
struct words {
	int argc;
	char **argv;
};

/*
 * Parse anew the command line of the submit helper, then what another user says
 * about a message, whose sender may choose the account. The strings of `theirs`
 * are kept, the array is not. EX_USAGE: an option that is not about the
 * message; EX_CONFIG; EX_OSERR.
 */
int settings_hand_over(struct stls_err *err, const struct words *own,
    const struct words *theirs, struct settings *settings);

void settings_done(struct settings *settings);

/* Whether a sender that is not known yet may choose another account. */
bool settings_sender_may_choose(const struct settings *settings);

/*
 * The account for a sender that was not known before, as -f would choose it;
 * the one that there is where the command line says more. EX_CONFIG, EX_OSERR.
 */
int settings_account_of_sender(struct stls_err *err,
    const struct settings *settings, const char *sender,
    const char **out_account);

/*
 * The same command line with another account: what a message of the spool is
 * sent with, which came through that. Where the command line names a server by
 * itself there is no need, see settings->url_is_given. EX_CONFIG: there is no
 * such account any more.
 */
int settings_for_account(struct stls_err *err, const struct settings *settings,
    const char *account, struct settings *out_settings);

/* What the limit of time is if it begins now. */
stls_deadline settings_deadline(const struct settings *settings);

/* EX_CONFIG and a sentence that says how to set a server. */
int settings_no_server(struct stls_err *err, const struct settings *settings);

/*
 * No file names a server, and there is a system configuration that this user
 * cannot use: the submit helper can.
 */
bool settings_need_helper(const struct settings *settings);

/* Whether the server will have to authenticate us. */
bool settings_want_auth(const struct settings *settings);

/* What --help prints. */
extern const char settings_help[];

#endif
