/* SPDX-License-Identifier: MIT */
#ifndef SINK_CONVERSATION_TRANSACTION_H
#define SINK_CONVERSATION_TRANSACTION_H

#include "conversation/smtp.h"

void sink_tx_init(struct sink_smtp *smtp);
void sink_tx_done(struct sink_smtp *smtp);

/*
 * The commands that make up a mail transaction (RFC 5321 section 3.3), with
 * their arguments, and the content behind them.
 */
void sink_tx_mail(struct sink_smtp *smtp, const char *args, size_t len);
void sink_tx_rcpt(struct sink_smtp *smtp, const char *args, size_t len);
void sink_tx_data(struct sink_smtp *smtp, const char *args, size_t len);
void sink_tx_bdat(struct sink_smtp *smtp, const char *args, size_t len);

/* Content in the states SINK_SMTP_DATA and SINK_SMTP_CHUNK. */
size_t sink_tx_feed_data(struct sink_smtp *smtp, const char *data, size_t len);
size_t sink_tx_feed_chunk(struct sink_smtp *smtp, const char *data, size_t len);

/* Forget the transaction, and what was received of its message. */
void sink_tx_reset(struct sink_smtp *smtp);

/* Whether commands may come in groups (RFC 2920): offered and EHLO was said. */
bool sink_smtp_may_pipeline(const struct sink_smtp *smtp);

/* The extensions that may be used now: none after HELO. */
unsigned int sink_smtp_usable(const struct sink_smtp *smtp);

#endif
