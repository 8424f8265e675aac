/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SETTINGS_H
#define SENDMAIL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include <smtptls/client.h>
#include <smtptls/context.h>

#include "base/deadline.h"
#include "base/err.h"

#define PROGRAM "sendmail-tls"

/* What the program is asked to do. */
enum mode {
	MODE_SEND,	    /* -bm */
	MODE_VERIFY,	    /* -bv */
	MODE_QUEUE_PRINT,   /* -bp, mailq */
	MODE_QUEUE_RUN,	    /* -q */
	MODE_ALIASES,	    /* -bi, -I, newaliases */
	MODE_SUBMIT,	    /* --submit */
	MODE_PRINT_HELP,    /* --help */
	MODE_PRINT_VERSION, /* --version */
};

/*
 * The command line, understood. Strings are those of argv; one that was not
 * given is NULL. Of an option that is given twice the last one counts.
 */
struct settings {
	enum mode mode;
	bool probe;
	bool json;
	bool dry_run;
	bool verbose;

	bool extract_recipients;
	bool dot_is_data;
	bool relay;
	bool smtputf8;
	const char *sender;
	const char *full_name;
	const char *domain;
	const char **recipients;
	size_t recipient_count;

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
	const char *ciphers;
	enum smtptls_tls_version tls_min; /* 0: the library's */

	const char *user;
	const char *password_file;
	const char *password_command;
	const char *auth; /* PLAIN, LOGIN or EXTERNAL in capitals */

	const char *submit_socket;

	bool insecure_no_verify;
	bool insecure_cleartext;
	bool insecure_legacy_tls;
};

/*
 * Understand the command line: zero or EX_USAGE, EX_OSERR. Frees nothing of
 * what it was; settings_done() frees what settings_parse() allocated.
 */
int settings_parse(
    struct stls_err *err, int argc, char **argv, struct settings *settings);

/*
 * Add what another user says about a message to the settings of the submit
 * helper, and make them those of sending it. The strings of argv are kept, the
 * array is not. EX_USAGE: an option that is not about the message.
 */
int settings_hand_over(
    struct stls_err *err, int argc, char **argv, struct settings *settings);

void settings_done(struct settings *settings);

/* Whether the server will have to authenticate us. */
bool settings_want_auth(const struct settings *settings);

/* What --help prints. */
extern const char settings_help[];

#endif
