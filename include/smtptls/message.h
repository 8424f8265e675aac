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
 *
 * @return also SMTPTLS_E_SOURCE: it cannot be looked at
 */
int smtptls_message_set_body_fd(struct smtptls_message *message, int fd);

/**
 * Take the content from a part of a regular file, as where a spool has notes of
 * its own around it. It has to be there, all of it. The offset of the
 * descriptor is neither used nor moved; borrowed as above. Since 0.1.
 * @return also SMTPTLS_E_SOURCE: it cannot be looked at
 */
int smtptls_message_set_body_range(
    struct smtptls_message *message, int fd, uint64_t offset, uint64_t len);

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
 * What becomes of a recipient may be told by a delivery status notification
 * (RFC 3461 section 4.1), a message to the sender. The numbers are bits.
 */
enum smtptls_notify {
	/** Tell nothing, not even that it failed; alone only. */
	SMTPTLS_NOTIFY_NEVER = 1,
	/** Tell that it was delivered. */
	SMTPTLS_NOTIFY_SUCCESS = 2,
	/** Tell that it could not be delivered. */
	SMTPTLS_NOTIFY_FAILURE = 4,
	/** Tell that it takes unusually long. */
	SMTPTLS_NOTIFY_DELAY = 8
};

/**
 * Ask for notifications about every recipient, but for those that have a
 * setting of their own. A server that does not offer DSN (RFC 3461) gets
 * nothing, SMTPTLS_E_UNSUPPORTED: a notification that was asked for must not be
 * waited for in vain. Since 0.1.
 *
 * @param notify  of enum smtptls_notify, by `|`; 0 does not ask, and the server
 *     does what it does for all
 * @return SMTPTLS_OK, SMTPTLS_E_NOMEM, SMTPTLS_E_STATE; SMTPTLS_E_INVALID:
 *     never and something else
 */
int smtptls_message_set_notify(
    struct smtptls_message *message, unsigned int notify);

/**
 * The same for one recipient. Since 0.1.
 *
 * @param index  of smtptls_message_recipient(); it must be there
 * @param notify  0: as for all
 */
int smtptls_message_set_recipient_notify(
    struct smtptls_message *message, size_t index, unsigned int notify);

/**
 * Tell which recipient the sender named, where an alias or a list made another
 * one of it (ORCPT, RFC 3461 section 4.2); notifications name it. Needs DSN.
 * Since 0.1.
 *
 * @param type  of the address, a word; NULL: "rfc822", or for one that is not
 *     ASCII "utf-8" (RFC 6533)
 * @param address  printable; copied; with its type at most 500 characters, as
 *     it is sent. NULL takes it away.
 * @return as above; SMTPTLS_E_INVALID: there is no such recipient, or one of
 *     the texts cannot be sent
 */
int smtptls_message_set_recipient_original(struct smtptls_message *message,
    size_t index, const char *type, const char *address);

/** How much of a message that failed comes back (RFC 3461 section 4.3). */
enum smtptls_return {
	/** As the server likes it. */
	SMTPTLS_RETURN_DEFAULT = 0,
	/** All of it. */
	SMTPTLS_RETURN_FULL = 1,
	/** Its header alone. */
	SMTPTLS_RETURN_HEADERS = 2
};

/** Say how much comes back with a notification. Needs DSN. Since 0.1. */
int smtptls_message_set_return(
    struct smtptls_message *message, enum smtptls_return what);

/**
 * Name the message to whoever reads its notifications (ENVID, RFC 3461 section
 * 4.4). Needs DSN. Since 0.1.
 *
 * @param id  printable ASCII; at most 100 characters as it is sent, where a
 *     blank, "+" and "=" are three each; copied; "" and NULL take it away
 */
int smtptls_message_set_envelope_id(
    struct smtptls_message *message, const char *id);

/**
 * Require TLS all the way to the recipient (REQUIRETLS, RFC 8689): each server
 * hands it on over verified TLS, and only to one that does so too, or gives it
 * back. A server that does not offer it gets nothing, SMTPTLS_E_UNSUPPORTED. A
 * client, or its context, that an insecure_ call has weakened does not take
 * such a message, SMTPTLS_E_INVALID. Since 0.1.
 */
int smtptls_message_set_require_tls(struct smtptls_message *message, int on);

/** Tell whether TLS is required all the way. Since 0.1. */
int smtptls_message_require_tls(const struct smtptls_message *message);

/**
 * Have the server hold the message before it goes on (FUTURERELEASE, RFC 4865).
 * One that does not offer it, or not for that long, gets nothing,
 * SMTPTLS_E_UNSUPPORTED. Since 0.1.
 *
 * @param seconds  from when the server gets it, 1 to 999999999; 0: not
 */
int smtptls_message_set_hold_for_s(
    struct smtptls_message *message, int seconds);

/**
 * The same until a point in time; of the two the last call counts. Since 0.1.
 *
 * @param when  seconds since the beginning of 1970 (UTC); 0: not
 */
int smtptls_message_set_hold_until(
    struct smtptls_message *message, int64_t when);

/**
 * Give it a priority among others (MT-PRIORITY, RFC 6710). A server that does
 * not offer that gets nothing, SMTPTLS_E_UNSUPPORTED. Since 0.1.
 *
 * @param priority  from -9 to 9, the higher the sooner; 0 is that of others
 */
int smtptls_message_set_priority(struct smtptls_message *message, int priority);

/** What happens to a message that is late (RFC 2852 section 4). */
enum smtptls_deliver_by {
	/** Nothing: no time is set. */
	SMTPTLS_DELIVER_BY_NONE = 0,
	/** The sender is told, and it goes on. */
	SMTPTLS_DELIVER_BY_NOTIFY = 1,
	/** It is given back. */
	SMTPTLS_DELIVER_BY_RETURN = 2
};

/**
 * Set a time within which it has to be delivered (DELIVERBY, RFC 2852). A
 * server that does not offer that, or needs longer to give messages back, gets
 * nothing, SMTPTLS_E_UNSUPPORTED. Since 0.1.
 *
 * @param seconds  from when the server gets it, at most 999999999; for
 *     SMTPTLS_DELIVER_BY_RETURN above 0, else it may be over
 * @param trace  not 0: have each server on the way tell that it has it
 */
int smtptls_message_set_deliver_by_s(struct smtptls_message *message,
    int seconds, enum smtptls_deliver_by mode, int trace);

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
 * See how far it is: `sent` octets of the content are on their way. Called in
 * front of each block of it, with 0 for the first, and at its end. Another
 * attempt counts anew.
 */
typedef void (*smtptls_progress_cb)(uint64_t sent, void *arg);

/** Set what is called as the content leaves; NULL: nothing. Since 0.1. */
int smtptls_message_set_progress(
    struct smtptls_message *message, smtptls_progress_cb progress, void *arg);

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
