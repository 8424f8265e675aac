/* SPDX-License-Identifier: MIT */
#ifndef SMTPTLS_STATUS_H
#define SMTPTLS_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/**
 * What a call of this library answers.
 *
 * Every call that can fail returns an int: 0 is done, SMTPTLS_AGAIN (the only
 * value above 0) is not finished yet, and whatever is below 0 has failed. So
 * `r < 0` is always, and only, failure. Blocking calls never return
 * SMTPTLS_AGAIN. The code says what a program can do about it; the sentence
 * for a person is in the object (smtptls_client_error() and its sisters).
 *
 * The numbers are part of the interface and never change.
 */
enum smtptls_status {
	/** Done. */
	SMTPTLS_OK = 0,
	/** Not finished: wait as the object says, then call again. */
	SMTPTLS_AGAIN = 1,
	/** Memory ran out. */
	SMTPTLS_E_NOMEM = -1,
	/** An argument is not valid: a mistake of the caller or of a user. */
	SMTPTLS_E_INVALID = -2,
	/** The call does not fit the state of the object: nothing changed. */
	SMTPTLS_E_STATE = -3,
	/** The host name has no address, or the name service did not answer. */
	SMTPTLS_E_RESOLVE = -4,
	/** No address of the server accepted a connection. */
	SMTPTLS_E_CONNECT = -5,
	/** A time limit passed. */
	SMTPTLS_E_TIMEOUT = -6,
	/**
	 * Reading or writing failed, the peer closed the connection, or the
	 * content of another message ended it.
	 */
	SMTPTLS_E_IO = -7,
	/** The peer broke the protocol. */
	SMTPTLS_E_PROTOCOL = -8,
	/** The peer sent more than a limit of this library allows. */
	SMTPTLS_E_LIMIT = -9,
	/** The server does not offer STARTTLS, or refused it. */
	SMTPTLS_E_NO_STARTTLS = -10,
	/** The TLS handshake or the TLS session failed. */
	SMTPTLS_E_TLS = -11,
	/** The certificate of the peer was refused. */
	SMTPTLS_E_CERTIFICATE = -12,
	/** Authentication was refused or is not possible. */
	SMTPTLS_E_AUTH = -13,
	/** The message needs something that the server does not offer. */
	SMTPTLS_E_UNSUPPORTED = -14,
	/** The source of the message's content failed. */
	SMTPTLS_E_SOURCE = -15,
	/** The server refused for now (4xx): the same may work later. */
	SMTPTLS_E_REFUSED_LATER = -16,
	/** The server refused for good (5xx). */
	SMTPTLS_E_REFUSED = -17,
	/** Some recipients were accepted: never send the whole again. */
	SMTPTLS_E_PARTIAL = -18,
	/** The message was handed over and the answer was lost (RFC 1047). */
	SMTPTLS_E_IN_DOUBT = -19,
	/** smtptls_client_cancel() was called. */
	SMTPTLS_E_CANCELLED = -20,
	/** The object belongs to the parent of this forked process. */
	SMTPTLS_E_FORKED = -21
};

/** What became of a recipient. */
enum smtptls_outcome {
	/** Nothing was handed over. */
	SMTPTLS_OUTCOME_NOT_TRIED = 0,
	/** The server took responsibility. */
	SMTPTLS_OUTCOME_ACCEPTED = 1,
	/** Refused for now (4xx). */
	SMTPTLS_OUTCOME_REFUSED_LATER = 2,
	/** Refused for good (5xx). */
	SMTPTLS_OUTCOME_REFUSED = 3,
	/**
	 * The last octet may have reached the server, but not its answer us:
	 * it may have been accepted or not (RFC 1047).
	 */
	SMTPTLS_OUTCOME_IN_DOUBT = 4
};

/**
 * Describe a status code in a few words.
 *
 * For a code alone; the object that failed has the better sentence.
 *
 * @return a constant string, never NULL, also for a number that is no code
 */
const char *smtptls_strerror(int status);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
