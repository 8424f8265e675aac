/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SPOOL_LINK_H
#define SENDMAIL_SPOOL_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include <smtptls/client.h>

#include "base/err.h"
#include "settings/settings.h"
#include "system/identity.h"

/*
 * The connection of a run to the server of one account: one for all messages,
 * opened when the first needs it, and again where it is lost.
 */
struct spool_link {
	char *account;
	const struct settings *settings; /* of the account */
	struct settings own;		 /* where these are not the run's */
	struct smtptls_client *client;	 /* NULL: not connected */
	unsigned int sent;		 /* messages, by this client */
	unsigned int losses;		 /* connections, in the middle */
	bool was_cancelled;
	int status; /* why it is of no use to this run; 0: it is */
	char text[1024];
};

struct spool_links {
	const struct settings *settings; /* of the command line */
	const struct identity *identity;
	struct spool_link **links;
	size_t count;
};

/* Get that of an account. EX_OSERR. */
int spool_links_get(struct stls_err *err, struct spool_links *links,
    const char *account, struct spool_link **out_link);

/* Have a client there; where there can be none the link is of no use. */
int spool_link_prepare(struct stls_err *err, const struct spool_links *links,
    struct spool_link *link);

/*
 * After a message: forget a connection that is over. True where the message
 * was the first to see that an old one is, so that it is worth a new one.
 */
bool spool_link_settle(
    struct spool_link *link, int status, const char *text, bool untouched);

/* Whether a signal has ended the sending by one of them. */
bool spool_links_were_cancelled(const struct spool_links *links);

/* Say goodbye and free; copes with a zeroed struct. */
void spool_links_done(struct spool_links *links);

#endif
