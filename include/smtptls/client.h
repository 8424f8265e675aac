/* SPDX-License-Identifier: MIT */
#ifndef SMTPTLS_CLIENT_H
#define SMTPTLS_CLIENT_H

#include <poll.h>
#include <stddef.h>

#include <smtptls/context.h>
#include <smtptls/message.h>
#include <smtptls/session-cache.h>
#include <smtptls/session.h>
#include <smtptls/status.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/**
 * A client: one SMTP conversation with one server, over verified TLS.
 *
 * It is Python's `smtplib.SMTP` with `starttls(context=)` built in. A failure
 * of the connection stays: from then on every call answers it, and a new
 * client is what goes on. What fails with one message alone is told by that
 * message, and the client goes on.
 *
 * Settings are made before it connects, but for time limits, the deadline and
 * the trace, which may be set at any time; later ones are SMTPTLS_E_STATE. One
 * that is refused spoils the client: it gives that error from then on, and
 * never connects. Only a time limit out of range changes nothing.
 */
struct smtptls_client;

/**
 * Make a client. Nothing is connected yet.
 *
 * @param url  `smtps://host[:port]`: TLS from the first byte (RFC 8314), port
 *     465; `smtp://host[:port]`: STARTTLS (RFC 3207), required, port 587;
 *     `lmtp://host:port`: LMTP (RFC 2033) with STARTTLS, required; a bare host
 *     name means smtps. User names, paths and queries are refused.
 * @param context  a client context, which gets a holder; NULL: a default
 *     context of its own (to load the system's CAs takes some milliseconds
 *     and megabytes: share one context instead where there are many clients)
 * @param out_client  the client; on failure one that only has an error to
 *     read, NULL where memory ran out
 * @return SMTPTLS_OK, SMTPTLS_E_NOMEM; SMTPTLS_E_INVALID: no valid URL, a
 *     server context; or the error that spoiled the context
 *
 * Python: smtplib.SMTP(), SMTP_SSL(), LMTP(). Since 0.1.
 */
int smtptls_client_new(const char *url, struct smtptls_context *context,
    struct smtptls_client **out_client);

/**
 * Free a client. The connection is closed without QUIT; every message that is
 * not finished gets its outcome. NULL is fine.
 */
void smtptls_client_free(struct smtptls_client *client);

/**
 * Tell what went wrong: with the conversation or, where it goes on, with the
 * last call; SMTPTLS_E_STATE may leave none. @return a sentence, empty where
 * nothing did; never NULL
 */
const char *smtptls_client_error(const struct smtptls_client *client);

/**
 * Open the connection somewhere else; what is verified stays the host of the
 * URL.
 *
 * @param place  `address:port`, `[address]:port`, `host:port` or `unix:/path`
 */
int smtptls_client_set_connect_to(
    struct smtptls_client *client, const char *place);

/**
 * Connect to this address, for a program that resolves names itself; with
 * several, one call for each, they race in this order. What is verified stays
 * the host of the URL. Together with smtptls_client_set_connect_to(),
 * smtptls_client_set_fd() or smtptls_client_set_callbacks() it is an error: a
 * client connects in one way.
 *
 * @param address  `192.0.2.1:465` or `[2001:db8::1]:465`
 * @return also SMTPTLS_E_LIMIT: more than 128
 */
int smtptls_client_add_address(
    struct smtptls_client *client, const char *address);

/**
 * Use a connection that is there already; what is verified stays the host of
 * the URL. On success the socket is the client's, who makes it non-blocking
 * and close-on-exec, and closes it; on failure it stays the caller's. The calls
 * that wait make it block, for a time: nobody else is to use it, by dup(2) or
 * in another process.
 *
 * @param fd  a connected stream socket on which nothing was said yet
 */
int smtptls_client_set_fd(struct smtptls_client *client, int fd);

/**
 * Use callbacks for a connection, as smtptls_session_set_callbacks() does:
 * they must not wait, but answer -EAGAIN. What is verified stays the host of
 * the URL; the name to greet with has no local address to come from, and is
 * [127.0.0.1] where the host name is of no use. smtptls_client_pollfds() knows
 * of no connection then: smtptls_client_events() says what to wait for, and
 * the calls that wait ask again every 20 ms.
 */
int smtptls_client_set_callbacks(struct smtptls_client *client,
    smtptls_read_cb read, smtptls_write_cb write, void *arg);

/**
 * Set user name and password. From then on the client authenticates or fails.
 *
 * Both are UTF-8 without control characters, of 1 to 4096 octets each. The copy
 * of the password is wiped with the client.
 */
int smtptls_client_set_credentials(
    struct smtptls_client *client, const char *user, const char *password);

/**
 * Set user name and an OAuth 2.0 access token (OAUTHBEARER, RFC 7628, and the
 * older XOAUTH2), in the place of a password. From then on the client
 * authenticates or fails; a server that offers neither of the two is an error.
 *
 * The last of this call and smtptls_client_set_credentials() counts: a client
 * has a token or a password, never both. A token that the server does not take
 * is SMTPTLS_E_AUTH, with the status that it gives in the sentence; it is told
 * from a refusal for now (SMTPTLS_E_REFUSED_LATER) as for a password. Where a
 * token comes from, and when it expires, is the program's affair: a pool has
 * its callback set a fresh one for each connection.
 *
 * @param user  UTF-8 without control characters, of 1 to 4096 octets; copied
 * @param token  letters, digits, `-._~+/`, and `=` at its end (RFC 6750), of 1
 *     to 8192 octets; the copy is wiped with the client
 * @return SMTPTLS_OK, SMTPTLS_E_INVALID, SMTPTLS_E_STATE, SMTPTLS_E_NOMEM
 *
 * Since 0.1.
 */
int smtptls_client_set_token(
    struct smtptls_client *client, const char *user, const char *token);

/**
 * Authenticate by the certificate of the context (EXTERNAL, RFC 4422).
 *
 * @param authzid  whom to act as; "" for what the certificate says
 */
int smtptls_client_set_external(
    struct smtptls_client *client, const char *authzid);

/**
 * Use only this SASL mechanism: "EXTERNAL", "OAUTHBEARER", "XOAUTH2", "PLAIN"
 * or "LOGIN", in any case. By default it is the first of these, in this order,
 * that the server offers and that the functions above made possible.
 */
int smtptls_client_set_auth_mechanism(
    struct smtptls_client *client, const char *mechanism);

/**
 * Set the name to greet with (EHLO, LHLO): a host name or an address literal.
 * By default it is gethostname() where that is a valid name with a dot, else
 * the literal of the local address; DNS is not asked.
 */
int smtptls_client_set_ehlo_name(
    struct smtptls_client *client, const char *name);

/** How much leaves before the answer to it has come. */
enum smtptls_pipelining {
	/**
	 * What RFC 2920 allows, where the server offers PIPELINING: MAIL, every
	 * RCPT and DATA together; the content together with the MAIL, RCPT and
	 * DATA of the next message, or with QUIT. The default.
	 */
	SMTPTLS_PIPELINING_STANDARD = 0,
	/** One command at a time. */
	SMTPTLS_PIPELINING_NONE = 1,
	/**
	 * Envelope and content in one flight, by BDAT, where the server offers
	 * CHUNKING too: a flight less. RFC 3030 has BDAT wait for the answers
	 * to RCPT, and there are servers that rely on it. Where all recipients
	 * are refused the content has been sent in vain.
	 */
	SMTPTLS_PIPELINING_ONE_FLIGHT = 2,
	/**
	 * And whole messages follow one another without waiting, as many as
	 * smtptls_client_set_window() allows. Where the connection is lost each
	 * of them that had left to its end is in doubt.
	 */
	SMTPTLS_PIPELINING_WINDOW = 3
};

/**
 * Set how much leaves before the answer to it has come.
 *
 * A level is as much as the server allows: without PIPELINING each command
 * waits for its answer, without CHUNKING the last two levels are the default.
 * So are they for a message of which all recipients or none are to get it, for
 * LMTP, and for content from a stream, whose size is not known before it is
 * read. Outcomes are the same on every level.
 *
 * Source: RFC 2920 section 3.1, RFC 3030 section 2. Since 0.1.
 */
int smtptls_client_set_pipelining(
    struct smtptls_client *client, enum smtptls_pipelining level);

/**
 * Set how many messages may be in the air with SMTPTLS_PIPELINING_WINDOW. No
 * message is begun while a mebibyte is unanswered, however many they are. It is
 * for messages that were submitted: smtptls_client_send() waits for each.
 *
 * @param messages  1 to 4096; 16 by default
 */
int smtptls_client_set_window(struct smtptls_client *client, size_t messages);

/**
 * Use BDAT (RFC 3030) where it saves a flight and the server offers CHUNKING:
 * 1, the default. 0 is for servers that offer it and do it badly.
 */
int smtptls_client_set_chunking(struct smtptls_client *client, int on);

/**
 * Resume TLS sessions: begin with what the cache has from an earlier
 * connection, and keep what the server gives for a later one.
 *
 * @param cache  gets a holder; NULL: none, the default
 *
 * Since 0.1.
 */
int smtptls_client_set_session_cache(
    struct smtptls_client *client, struct smtptls_session_cache *cache);

/** The phases with a time limit of their own. */
enum smtptls_phase {
	/** Resolving, and each attempt to connect: 30 s. */
	SMTPTLS_PHASE_CONNECT = 0,
	/** The TLS handshake: 60 s. */
	SMTPTLS_PHASE_HANDSHAKE = 1,
	/** The greeting: 5 min. */
	SMTPTLS_PHASE_GREETING = 2,
	/** Any command, MAIL and RCPT among them: 5 min. */
	SMTPTLS_PHASE_COMMAND = 3,
	/** The answer to DATA: 2 min. */
	SMTPTLS_PHASE_DATA_START = 4,
	/** The server taking a block of content: 3 min. */
	SMTPTLS_PHASE_DATA_BLOCK = 5,
	/** The answer to the end of data: 10 min. */
	SMTPTLS_PHASE_DATA_END = 6,
	/** QUIT: 1 s; nobody waits longer for a goodbye. */
	SMTPTLS_PHASE_QUIT = 7
};

/**
 * Set the time limit of a phase. It starts again at every reply and at every
 * block that the server takes; the defaults are those above, the minimums of
 * RFC 5321 section 4.5.3.2.
 *
 * @param timeout_ms  1 to 86,400,000
 */
int smtptls_client_set_timeout_ms(
    struct smtptls_client *client, enum smtptls_phase phase, int timeout_ms);

/**
 * Set the deadline: from now on everything must be done within deadline_ms,
 * whatever makes progress. Another call counts anew.
 *
 * @param deadline_ms  1 or more; 0: no deadline, the default
 */
int smtptls_client_set_deadline_ms(
    struct smtptls_client *client, int deadline_ms);

/** How much a trace tells. */
enum smtptls_trace_level {
	/** What was connected to, and TLS: version, suite, who was verified. */
	SMTPTLS_TRACE_INFO = 0,
	/** And the commands and replies. */
	SMTPTLS_TRACE_PROTOCOL = 1,
	/** And the states. */
	SMTPTLS_TRACE_DEBUG = 2
};

/**
 * Get a line of the trace: `* ` information, `C: ` command, `S: ` reply, `= `
 * state. Secrets stand there as `***`, content is not there, addresses are,
 * everything is escaped. It has no line ending, and is valid during the call.
 */
typedef void (*smtptls_trace_cb)(
    enum smtptls_trace_level level, const char *line, void *arg);

/** Set the trace; NULL ends it. Since 0.1. */
int smtptls_client_set_trace(struct smtptls_client *client,
    enum smtptls_trace_level level, smtptls_trace_cb trace, void *arg);

/**
 * Speak without TLS. INSECURE: whoever is in the network reads and changes
 * the mail. For `smtp://` and `lmtp://` URLs; STARTTLS is not even tried, and
 * credentials are still never sent. Refused with a context that has pins.
 * Python: smtplib.SMTP() without starttls().
 */
int smtptls_client_insecure_no_tls(struct smtptls_client *client);

/**
 * Connect, secure the connection, greet, and authenticate if credentials are
 * set.
 *
 * @return SMTPTLS_OK; SMTPTLS_E_RESOLVE, SMTPTLS_E_CONNECT, SMTPTLS_E_TIMEOUT,
 *     SMTPTLS_E_IO, SMTPTLS_E_PROTOCOL, SMTPTLS_E_LIMIT,
 *     SMTPTLS_E_NO_STARTTLS, SMTPTLS_E_TLS, SMTPTLS_E_CERTIFICATE,
 *     SMTPTLS_E_AUTH, SMTPTLS_E_REFUSED_LATER, SMTPTLS_E_REFUSED (the
 *     greeting), SMTPTLS_E_CANCELLED, SMTPTLS_E_STATE, SMTPTLS_E_NOMEM
 */
int smtptls_client_connect(struct smtptls_client *client);

/**
 * Send a message and wait for its outcome; connects first if need be.
 *
 * @return what smtptls_message_status() says then; SMTPTLS_E_INVALID: no
 *     sender, recipient or content
 *
 * Python: SMTP.sendmail(), SMTP.send_message(). Since 0.1.
 */
int smtptls_client_send(
    struct smtptls_client *client, struct smtptls_message *message);

/**
 * Send the last message: the same, and say goodbye in the same flight. The
 * client is over then, and only to be freed.
 *
 * @return what smtptls_client_send() returns; that the goodbye failed says
 *     nothing about the message
 *
 * Source: RFC 2920 section 3.1. Since 0.1.
 */
int smtptls_client_send_last(
    struct smtptls_client *client, struct smtptls_message *message);

/**
 * Ask the server for a sign of life (NOOP). That it refuses is
 * SMTPTLS_E_REFUSED_LATER or SMTPTLS_E_REFUSED, and the connection stays.
 * Python: SMTP.noop().
 */
int smtptls_client_noop(struct smtptls_client *client);

/**
 * Have the server forget the transaction (RSET), of which there is none between
 * two messages. That it refuses ends the connection. Python: SMTP.rset().
 */
int smtptls_client_reset(struct smtptls_client *client);

/**
 * Say goodbye (QUIT) and close; the client is over then, and only to be freed.
 * Its failure says nothing about messages.
 * Python: SMTP.quit(). Since 0.1.
 */
int smtptls_client_quit(struct smtptls_client *client);

/**
 * Stop what another thread is doing with the client, or the next thing that it
 * does: it gets SMTPTLS_E_CANCELLED. Safe in a signal handler. Whoever calls it
 * sees to it that the client is not freed meanwhile. It wakes the calls that
 * wait, not a poll(2) of the program.
 */
void smtptls_client_cancel(struct smtptls_client *client);

/**
 * The same without blocking, for an event loop: start, submit messages, then
 * drive whenever a descriptor of smtptls_client_pollfds() is ready or
 * smtptls_client_timeout_ms() has passed. The calls above are this loop with
 * poll(2) inside. Calling drive without need does no harm.
 *
 * smtptls_client_start() begins to connect, smtptls_client_submit() appends a
 * message, which gets a holder, smtptls_client_start_quit() ends it after
 * what was submitted. A message that is not taken has the sentence about it,
 * and no new holder.
 */
int smtptls_client_start(struct smtptls_client *client);
int smtptls_client_submit(
    struct smtptls_client *client, struct smtptls_message *message);
int smtptls_client_start_quit(struct smtptls_client *client);

/**
 * Go on.
 *
 * @return SMTPTLS_AGAIN: wait; SMTPTLS_OK: nothing is left to do, connected or,
 *     after QUIT, closed; below 0: the connection failed
 */
int smtptls_client_drive(struct smtptls_client *client);

/**
 * Tell what to wait for.
 *
 * @param fds  `max` entries, filled with descriptors and events; 7 are enough
 * @return how many there are; if these are more than max, only so many were
 *     filled: call it again with place for all
 */
size_t smtptls_client_pollfds(
    struct smtptls_client *client, struct pollfd *fds, size_t max);

/**
 * Tell what to wait for on the way to the server: POLLIN, POLLOUT or both. It
 * is for callbacks; smtptls_client_pollfds() has it with the socket.
 * @return 0 where there is no connection yet, or none any more
 */
short smtptls_client_events(struct smtptls_client *client);

/**
 * Get to know what to wait for on a descriptor: it was not among those of
 * smtptls_client_pollfds() before, or with other events. 0: forget it, its
 * number may be another's soon. It must not free the client or go on with it.
 */
typedef void (*smtptls_socket_cb)(
    struct smtptls_client *client, int fd, short events, void *arg);

/**
 * Set what is called when smtptls_client_pollfds() changes, for epoll(7) and
 * its sisters: at the end of a call that goes on with the client, and before a
 * descriptor is closed, also in smtptls_client_free(). NULL: nothing.
 */
int smtptls_client_set_socket_cb(
    struct smtptls_client *client, smtptls_socket_cb socket_cb, void *arg);

/** Tell how many milliseconds to wait at most: -1 is without limit. */
int smtptls_client_timeout_ms(struct smtptls_client *client);

/**
 * Take the next message that is finished; free it with smtptls_message_free().
 * @return NULL where there is none
 */
struct smtptls_message *smtptls_client_next_done(struct smtptls_client *client);

/**
 * Tell how far the conversation is, or where it failed, in a word: "connect",
 * "greeting", "EHLO", "STARTTLS", "TLS", "AUTH", "MAIL", "RCPT", "DATA",
 * "content", "end of data", "RSET", "NOOP" or "QUIT". @return never NULL
 */
const char *smtptls_client_step(const struct smtptls_client *client);

/**
 * Tell where it is connected to, "192.0.2.1:587", "unix:/path" or "callbacks".
 * @return "" before
 */
const char *smtptls_client_peer(const struct smtptls_client *client);

/**
 * Tell whether SMTPTLS_E_RESOLVE means that the host does not exist: 1. With 0
 * the name service did not answer, and later it may.
 */
int smtptls_client_host_is_unknown(const struct smtptls_client *client);

/**
 * Get the TLS session, lent until the next call that goes on with the client,
 * which may connect anew (MAILMAX, RFC 9422). It is for its facts: to read,
 * write or close it behind the client's back ends the conversation.
 * @return NULL where there is none
 */
struct smtptls_session *smtptls_client_session(struct smtptls_client *client);

/**
 * Get the extensions the server offers, one after another, as it wrote them
 * ("SIZE 10485760"), escaped. @return NULL behind the last one
 */
const char *smtptls_client_capability(
    const struct smtptls_client *client, size_t index);

/**
 * Look an extension up by its keyword, in any case.
 *
 * @return its parameters ("" where it has none), NULL where it is not offered
 */
const char *smtptls_client_find_capability(
    const struct smtptls_client *client, const char *keyword);

/** Name the SASL mechanism that was used. @return "" where none was. */
const char *smtptls_client_auth_mechanism(const struct smtptls_client *client);

/** Tell the last reply: its code, 0 where there was none. */
int smtptls_client_reply_code(const struct smtptls_client *client);

/** Its enhanced status code, "" where it has none; never NULL. */
const char *smtptls_client_reply_enhanced(const struct smtptls_client *client);

/** Its text, lines joined by blanks, escaped; never NULL. */
const char *smtptls_client_reply_text(const struct smtptls_client *client);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
