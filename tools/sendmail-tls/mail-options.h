/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_MAIL_OPTIONS_H
#define SENDMAIL_MAIL_OPTIONS_H

#include <stdbool.h>
#include <time.h>

/* RFC 3461 section 4.4: also as xtext, where a blank is three. */
#define MAIL_ENVID_MAX 100

/*
 * What is asked for one message beside its envelope: settings say it, the spool
 * keeps it. Zero-initialised nothing is asked; it owns nothing, and is copied
 * by assignment. Points in time are absolute, so that a message that waits in
 * the spool keeps them.
 */
struct mail_options {
	unsigned int notify;		/* SMTPTLS_NOTIFY_..., 0: not asked */
	unsigned int ret;		/* enum smtptls_return, 0: not asked */
	char envid[MAIL_ENVID_MAX + 1]; /* as the user wrote it; "": none */

	bool require_tls; /* RFC 8689 */
	bool smtputf8;	  /* RFC 6531 */

	time_t hold_until;     /* RFC 4865; 0: not held */
	bool hold_is_interval; /* it was given as one: say HOLDFOR */

	bool has_priority;
	int priority; /* RFC 6710: -9 to 9 */

	time_t deliver_by;	/* RFC 2852; 0: not asked */
	bool deliver_by_return; /* or give it back; else tell of the delay */
};

#endif
