/* SPDX-License-Identifier: MIT */
#ifndef SMTPTLS_SMTPTLS_H
#define SMTPTLS_SMTPTLS_H

/**
 * smtptls: send mail over verified TLS.
 *
 * This header includes all the others. What holds for every call, said once:
 *
 * **Objects.** There are six: a context (TLS policy and trust), a session
 * (one TLS session), a client (one SMTP conversation), a message, a session
 * cache (what TLS sessions are resumed from) and a pool (connections that
 * threads share). They are opaque. `_new` makes one, `_free` ends it;
 * `_free(NULL)` does nothing. Contexts, messages and caches are counted: `_ref`
 * adds a holder, `_free` takes one away. A constructor that fails still gives
 * the object, so that its error can be read: free it all the same. Where memory
 * ran out it gives NULL, but for a context: NULL there means the default one.
 *
 * **Security.** NULL and zero mean the strictest setting. What weakens
 * security is a call with `insecure_` in its name, one for each risk:
 * `grep -r insecure_` audits a program.
 *
 * **Ownership.** Setters copy what they are given, but for the content of a
 * message, which is borrowed until its outcome is final. Getters lend: what a
 * client or session returns is valid until the next call with that object,
 * what a message returns as long as the message.
 *
 * **Strings** are NUL-terminated UTF-8. NULL is allowed only where a call says
 * so; elsewhere it is SMTPTLS_E_INVALID.
 *
 * **Errors.** See smtptls/status.h. After a failure the object is as it was
 * before the call, unless the call says otherwise, and outputs (named `out_`)
 * are not written. But a setter of a context, client, message or pool that
 * fails spoils its object: what comes after it gives the same error, instead of
 * working without what was asked for. So a program that looks only at the last
 * result is safe, as long as its settings come first: one that comes too late
 * is SMTPTLS_E_STATE, which spoils nothing.
 *
 * The sentence of the last failure is in the object: smtptls_context_error()
 * and its sisters never return NULL, and for a NULL object they say that memory
 * ran out. Sentences are for people; they are fit for a terminal whatever the
 * server sent.
 *
 * **Threads.** A context, a session cache and a pool may be used by many
 * threads at once. A session, a client and a message belong to one thread at a
 * time; only smtptls_client_cancel() may be called from another one or from a
 * signal handler. A callback may look at the object that calls it, not go on
 * with it (SMTPTLS_E_STATE) and not free it.
 *
 * **Processes.** After fork(2) the child may use contexts; a session, client or
 * pool made by the parent answers SMTPTLS_E_FORKED there, and freeing it closes
 * and wipes without a word to the server: the parent's conversation goes on.
 *
 * **What the library does not do.** It prints nothing, never exits, changes no
 * signal handler, raises no SIGPIPE, and opens no file the program did not
 * name, but the system's trust store, the configuration of GnuTLS and, through
 * getaddrinfo(3), the files of the name service.
 *
 * **Since.** What does not say otherwise is there since 0.1.
 */

#include <smtptls/client.h>
#include <smtptls/context.h>
#include <smtptls/message.h>
#include <smtptls/pool.h>
#include <smtptls/session-cache.h>
#include <smtptls/session.h>
#include <smtptls/status.h>
#include <smtptls/version.h>

#endif
