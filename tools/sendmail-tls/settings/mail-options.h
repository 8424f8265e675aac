/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SETTINGS_MAIL_OPTIONS_H
#define SENDMAIL_SETTINGS_MAIL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <smtptls/message.h>

#include "base/err.h"

/* RFC 3461 section 4.4: also as xtext, where a blank is three. */
#define MAIL_ENVID_MAX 100

/* RFC 4865 section 4, RFC 2852 section 4: nine digits. */
#define MAIL_INTERVAL_MAX_S 999999999

/*
 * What is asked for one message beside its envelope: settings say it, the spool
 * keeps it. Zero-initialised nothing is asked; it owns nothing, and is copied
 * by assignment.
 */
struct mail_options {
	unsigned int notify;		/* SMTPTLS_NOTIFY_..., 0: not asked */
	enum smtptls_return ret;	/* 0: not asked */
	char envid[MAIL_ENVID_MAX + 1]; /* as the user wrote it; "": none */

	bool require_tls; /* RFC 8689 */
	bool smtputf8;	  /* RFC 6531 */

	int hold_for_s;	   /* RFC 4865, from asked_at; 0: not asked */
	time_t hold_until; /* or until then; 0: not asked */

	bool has_priority;
	int priority; /* RFC 6710: -9 to 9 */

	int deliver_by_s;	/* RFC 2852, from asked_at; 0: not asked */
	bool deliver_by_return; /* or give it back; else tell of the delay */

	time_t asked_at; /* when the intervals began */
};

/*
 * Tell the message, whose recipients are there already. What has waited has so
 * much less time left; a hold that is over is not asked for any more.
 * EX_DATAERR: what was asked for cannot be, or the time is over after which it
 * was to be given back; EX_OSERR.
 */
int mail_options_apply(struct stls_err *err, const struct mail_options *options,
    time_t now, struct smtptls_message *message);

/* Enough for all of them, and the NUL. */
#define MAIL_OPTIONS_TEXT_CAP 512

/*
 * Write them as `name=value` with blanks between: one line of printable ASCII,
 * empty where nothing is asked for. Read it again: EX_DATAERR where it is
 * none, or a name is not known, as what it asks for would be lost.
 */
void mail_options_format(
    const struct mail_options *options, char text[MAIL_OPTIONS_TEXT_CAP]);
int mail_options_parse(
    struct stls_err *err, const char *text, struct mail_options *options);

/*
 * Say them as arguments of a command line, for a helper to which the message is
 * handed over; the strings are in *words. Returns how many there are, at most
 * MAIL_OPTIONS_ARGUMENTS_MAX.
 */
#define MAIL_OPTIONS_ARGUMENTS_MAX 14
struct mail_options_words {
	char notify[32];
	char envid[MAIL_ENVID_MAX + 1];
	char hold[24];
	char priority[16];
	char deliver_by[24];
};
size_t mail_options_to_arguments(const struct mail_options *options,
    struct mail_options_words *words, const char **arguments);

#endif
