/* SPDX-License-Identifier: MIT */
#ifndef SMTPTLS_MESSAGE_H
#define SMTPTLS_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include <smtptls/status.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/**
 * A message: an envelope, a source of content and, once it was sent, the
 * outcome of every recipient.
 *
 * Once submitted it is not changed any more (setters answer SMTPTLS_E_STATE)
 * until its outcome is final; then it can be submitted again, once
 * smtptls_client_next_done() has given it back, and if its source can be
 * rewound: to the recipients that were not tried or refused for now. It goes to
 * no other; where there is none of these it is SMTPTLS_E_STATE.
 *
 * A setter that fails spoils the message, as with a context: it is never sent,
 * and sending it gives the same error again.
 */
struct smtptls_message;

/** What happens to line endings of the content that are not CRLF. */
enum smtptls_line_endings {
	/** LF and CR alone become CRLF. */
	SMTPTLS_LINE_ENDINGS_NORMALISE = 0,
	/** They are an error (SMTPTLS_E_SOURCE); nothing is accepted. */
	SMTPTLS_LINE_ENDINGS_REJECT = 1
};

/** Make a message without anything. Since 0.1. */
int smtptls_message_new(struct smtptls_message **out_message);

/** Add a holder. @return the message. Since 0.1. */
struct smtptls_message *smtptls_message_ref(struct smtptls_message *message);

/** Take a holder away; the last one frees. NULL is fine. Since 0.1. */
void smtptls_message_free(struct smtptls_message *message);

/**
 * Tell what went wrong: with the last call or, once it was sent, with the
 * message. @return a sentence, empty where nothing did; never NULL
 */
const char *smtptls_message_error(const struct smtptls_message *message);

/**
 * Set the reverse-path (RFC 5321 section 3.3), where bounces go.
 *
 * @param address  `local@domain`, also in angle brackets; "" and "<>" are the
 *     null reverse-path; NULL is an error. There is no default: a message
 *     without a sender is not sent.
 * @return SMTPTLS_OK, SMTPTLS_E_NOMEM, SMTPTLS_E_STATE; SMTPTLS_E_INVALID: no
 *     address; the sentence says where it goes wrong
 */
int smtptls_message_set_sender(
    struct smtptls_message *message, const char *address);

/**
 * Add a recipient: a forward-path. The same mailbox is added once.
 *
 * @param address  as above, never null; a domain with non-ASCII characters is
 *     sent as A-labels, a local part with such needs SMTPUTF8 (RFC 6531)
 */
int smtptls_message_add_recipient(
    struct smtptls_message *message, const char *address);

/**
 * Tell whether a text would do as a recipient, without spoiling a message.
 *
 * @return SMTPTLS_OK, SMTPTLS_E_NOMEM, SMTPTLS_E_INVALID
 */
int smtptls_address_check(const char *address);

/**
 * Take the content from memory: header, empty line, body (RFC 5322). Nothing is
 * added to it, no field either, and nothing taken away, Bcc neither. It is
 * borrowed until the outcome is final.
 */
int smtptls_message_set_body_mem(
    struct smtptls_message *message, const void *data, size_t len);

/**
 * Take the content from a descriptor, from its present offset to its end. It
 * is borrowed until the outcome is final, and stays the caller's. A regular
 * file can be rewound, others not.
 */
int smtptls_message_set_body_fd(struct smtptls_message *message, int fd);

/**
 * Give content.
 *
 * @param buf  where it goes
 * @param cap  place there, above 0
 * @param out_len  how much was given; 0 with SMTPTLS_OK is the end
 * @return SMTPTLS_OK; SMTPTLS_AGAIN: nothing now, asked again at the next
 *     smtptls_client_drive(); below 0: it failed, and no final dot is sent
 */
typedef int (*smtptls_source_read_cb)(
    void *buf, size_t cap, size_t *out_len, void *arg);

/** Start from the beginning again. @return SMTPTLS_OK, or below 0. */
typedef int (*smtptls_source_rewind_cb)(void *arg);

/**
 * Take the content from callbacks.
 *
 * @param rewind  may be NULL: then there is no second attempt
 */
int smtptls_message_set_body_cb(struct smtptls_message *message,
    smtptls_source_read_cb read, smtptls_source_rewind_cb rewind, void *arg);

/**
 * Say how long the content of callbacks or of a pipe is going to be, with
 * CRLF line endings, at most. It is told to the server (SIZE, RFC 1870), which
 * may refuse before it is sent. For memory and regular files it is found out.
 * It is forgotten when other content is set.
 */
int smtptls_message_set_size(struct smtptls_message *message, uint64_t size);

/** Set what happens with other line endings than CRLF. Since 0.1. */
int smtptls_message_set_line_endings(
    struct smtptls_message *message, enum smtptls_line_endings policy);

/**
 * Ask for SMTPUTF8 (RFC 6531): the header has UTF-8 in it. Addresses that
 * need it do so by themselves. A server that does not offer it gets nothing,
 * SMTPTLS_E_UNSUPPORTED.
 */
int smtptls_message_set_smtputf8(struct smtptls_message *message, int on);

/**
 * Give nothing to anybody unless the server takes every recipient: the content
 * is not sent, and the others end as not tried.
 */
int smtptls_message_set_all_or_nothing(struct smtptls_message *message, int on);

/**
 * Hold the last octet back.
 *
 * Called when everything but the end of data has been written. From the moment
 * it returns SMTPTLS_OK the outcome is in doubt until the server's answer has
 * come, so a spool makes that state durable here.
 *
 * @return SMTPTLS_OK: send it; SMTPTLS_AGAIN: ask again at the next
 *     smtptls_client_drive(); below 0: give up, nothing was accepted
 */
typedef int (*smtptls_before_end_cb)(
    struct smtptls_message *message, void *arg);

/** Set the hook before the end of data. Since 0.1. */
int smtptls_message_set_before_end(
    struct smtptls_message *message, smtptls_before_end_cb hook, void *arg);

/**
 * Tell how it ended, all recipients together.
 *
 * @return SMTPTLS_AGAIN: not yet, or never submitted; SMTPTLS_OK: every
 *     recipient was accepted; SMTPTLS_E_PARTIAL: some were, others not or
 *     perhaps not; SMTPTLS_E_IN_DOUBT: none for certain, and some are in doubt;
 *     SMTPTLS_E_REFUSED_LATER or SMTPTLS_E_REFUSED: none was, later where it is
 *     worth trying for at least one; or what else kept it from being sent
 *     (SMTPTLS_E_TIMEOUT, SMTPTLS_E_UNSUPPORTED, SMTPTLS_E_SOURCE, ...): not
 *     tried
 */
int smtptls_message_status(const struct smtptls_message *message);

/** Count the recipients. Since 0.1. */
size_t smtptls_message_recipients(const struct smtptls_message *message);

/**
 * Get one recipient: its address as it is sent. @return NULL behind the last
 * one.
 */
const char *smtptls_message_recipient(
    const struct smtptls_message *message, size_t index);

/** Tell what became of a recipient; behind the last one: not tried. */
enum smtptls_outcome smtptls_message_outcome(
    const struct smtptls_message *message, size_t index);

/**
 * Tell the reply that decided about a recipient.
 *
 * @return its code, 0 where there was none: then the text says why
 */
int smtptls_message_reply_code(
    const struct smtptls_message *message, size_t index);

/**
 * Name the command it is the reply to: "MAIL", "RCPT", "DATA" or "end of data".
 *
 * @return "" where there was none, never NULL
 */
const char *smtptls_message_reply_step(
    const struct smtptls_message *message, size_t index);

/**
 * Tell its enhanced status code (RFC 3463), "5.1.1". @return "" where there is
 * none, never NULL.
 */
const char *smtptls_message_reply_enhanced(
    const struct smtptls_message *message, size_t index);

/**
 * Tell its text, lines joined by blanks, escaped as in a sentence: for an
 * accepted message often the server's queue id. @return never NULL
 */
const char *smtptls_message_reply_text(
    const struct smtptls_message *message, size_t index);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
