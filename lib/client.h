/* SPDX-License-Identifier: MIT */
#ifndef STLS_CLIENT_H
#define STLS_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>

#include <smtptls/client.h>

#include "base/deadline.h"
#include "base/err.h"
#include "base/fork.h"
#include "base/secret.h"
#include "net/connector.h"
#include "net/url.h"
#include "sasl/sasl.h"
#include "smtp/engine.h"
#include "tls/session-cache.h"

#define STLS_PHASES (SMTPTLS_PHASE_QUIT + 1)

/* What a lost connection leaves in doubt; more only matters far away. */
#define STLS_WINDOW_DEFAULT 16

/* Where the connection comes from. */
enum stls_way {
	STLS_WAY_URL,
	STLS_WAY_PLACE,	    /* smtptls_client_set_connect_to() */
	STLS_WAY_ADDRESSES, /* smtptls_client_add_address() */
	STLS_WAY_FD,	    /* smtptls_client_set_fd() */
	STLS_WAY_CALLBACKS  /* smtptls_client_set_callbacks() */
};

/* The most descriptors that smtptls_client_pollfds() names. */
#define STLS_FDS_MAX 7

/* Where a client is in its life. */
enum stls_life {
	STLS_LIFE_NEW,	      /* settings may change */
	STLS_LIFE_CONNECTING, /* the connector works */
	STLS_LIFE_TALKING,    /* the engine works */
	STLS_LIFE_OVER	      /* after QUIT, or failed: see err */
};

/*
 * A conversation: the one place where engine, session and net meet.
 * client.c has its settings, login.c those about who logs in, pipelining.c
 * those about what leaves together; client-info.c has what it tells, drive.c
 * its loop, connecting.c how that begins, feed.c the content, transport.c its
 * bytes, plain.c those below TLS, resume.c its TLS tickets, authenticate.c
 * AUTH, wait.c and watch.c what event loops are told, and blocking.c the calls
 * that wait.
 */
struct smtptls_client {
	enum stls_life life;
	/*
	 * Why it is over; code 0: it did not fail. The engine's as well, which
	 * may be closed a moment before.
	 */
	struct stls_err err;
	int last_code;	       /* of a call that failed by itself */
	struct stls_err *last; /* and its sentence, where there was memory */
	stls_fork_id made_in;
	bool is_busy; /* below a call: callbacks may not go on with it */

	/* settings */
	struct stls_url url;
	enum stls_way way;
	struct stls_place place; /* empty with STLS_WAY_URL */
	smtptls_read_cb read;	 /* with STLS_WAY_CALLBACKS, instead of fd */
	smtptls_write_cb write;
	void *io_arg;
	struct smtptls_context *context;
	bool insecure_no_tls;
	char *user;
	struct stls_secret password; /* or a token, never both */
	struct stls_secret token;
	char *authzid;
	bool external;
	char *only_mechanism;
	char *ehlo_name;
	struct smtptls_session_cache *session_cache; /* or NULL */
	int timeout_ms[STLS_PHASES];
	enum smtptls_pipelining pipelining;
	size_t window;
	bool no_chunking;
	smtptls_trace_cb trace;
	enum smtptls_trace_level trace_level;
	void *trace_arg;
	smtptls_socket_cb socket_cb;
	void *socket_arg;

	/* the conversation */
	struct stls_connector *connector; /* only while it works */
	bool host_is_unknown;
	char peer[STLS_ENDPOINT_TEXT_CAP];
	int fd;				 /* -1 where there is none */
	struct smtptls_session *session; /* NULL in clear */
	bool is_saved;			 /* the session, or it is not to be */
	unsigned char session_key[STLS_SESSION_KEY_LEN];
	struct stls_engine engine;
	const struct stls_sasl_mechanism *mechanism;
	unsigned int auth_round;
	unsigned int writes_since_read;
	bool is_asking;	  /* what is being written has a question in it */
	bool has_written; /* in this call of drive, since the last read */
	bool is_drained;  /* the last read left nothing, and just now */
	bool
	    waits_in_read; /* the socket blocks, for stls_client_wait_input() */
	short events;	   /* of fd, to wait for */
	int source_fd;	   /* to wait for as well, -1 for none */
	bool source_stalls; /* a callback said AGAIN: ask again soon */
	struct pollfd watched[STLS_FDS_MAX]; /* as the socket_cb knows it */
	size_t watched_count;

	/* time limits */
	stls_deadline deadline; /* of all */
	stls_deadline phase_deadline;
	enum smtptls_phase phase;
	uint64_t replies_seen;

	struct smtptls_message *done, *last_done; /* finished, not taken yet */

	/* Cancelling: a flag, and a pipe only while a call waits. */
	atomic_bool cancelled;
	atomic_int wake_fd;
	int wake_read_fd; /* -1 until there is a pipe */
};

/* Write an information line of the trace. */
__attribute__((format(printf, 2, 3))) void stls_client_info(
    struct smtptls_client *client, const char *fmt, ...);

/* The engine's trace callback; arg is the client. */
void stls_client_trace(char what, const char *text, size_t len, void *arg);

/* Have the engine trace, if anybody wants to see it. */
void stls_client_hand_on_trace(struct smtptls_client *client);

/*
 * In front of every call that goes on with the conversation: SMTPTLS_OK, or
 * the failure that stays, or SMTPTLS_E_FORKED, or SMTPTLS_E_STATE inside of a
 * callback.
 */
int stls_client_check(struct smtptls_client *client);

/*
 * In front of every setting that must be made before connecting. One that is
 * refused stays refused, by the error in client->err: who does not look must
 * not get a conversation that lacks it.
 */
int stls_client_check_new(struct smtptls_client *client);
int stls_client_refuse(struct smtptls_client *client);
int stls_client_refuse_invalid(struct smtptls_client *client, const char *what);

/* Replace a string setting by a copy. SMTPTLS_OK, or refused. */
int stls_client_set_string(
    struct smtptls_client *client, char **setting, const char *value);

/* The same in front of a setting that says where the connection comes from. */
int stls_client_choose_way(struct smtptls_client *client, enum stls_way way);

/* drive.c */

/* The conversation ends for this reason; everything gets its outcome. */
int stls_client_fail(
    struct smtptls_client *client, const struct stls_err *reason);

/* Close and free what only the conversation needs. */
void stls_client_hang_up(struct smtptls_client *client);

/* Whether it is connected, and there is nothing to do. */
bool stls_client_is_idle(const struct smtptls_client *client);

/* The time limit of the present phase begins anew, or that of another phase. */
void stls_client_restart_limit(struct smtptls_client *client);
void stls_client_begin_phase(struct smtptls_client *client);

/*
 * In front of what gives an idle client something to do: the limit went on, and
 * the first write may have to wait before any is restarted.
 */
void stls_client_end_idleness(struct smtptls_client *client);

/* wait.c: smtptls_client_pollfds(), also below a call. */
size_t stls_client_list_fds(
    const struct smtptls_client *client, struct pollfd *fds, size_t max);

/* What to wait for on the way to the server, 0 where there is none yet. */
short stls_client_events(const struct smtptls_client *client);

/*
 * connecting.c: SMTPTLS_AGAIN: the connector says what to wait for. To connect
 * again is for a server that takes no more messages on this connection.
 */
int stls_client_begin_connecting(struct smtptls_client *client);
int stls_client_connect_on(struct smtptls_client *client);
int stls_client_reconnect(struct smtptls_client *client);
void stls_client_free_connector(struct smtptls_client *client);

/* feed.c: as those of transport.c below. */
int stls_client_feed(struct smtptls_client *client);
int stls_client_end_content(struct smtptls_client *client);

/*
 * transport.c and authenticate.c: each does one thing that the engine asked
 * for and tells the engine what became of it. SMTPTLS_OK: ask the engine
 * again; SMTPTLS_AGAIN: client->events says what to wait for.
 */
int stls_client_read(struct smtptls_client *client);
int stls_client_write(struct smtptls_client *client);

/* Whether content was gathered, and only then have it leave. */
bool stls_client_has_gathered(const struct smtptls_client *client);
int stls_client_flush(struct smtptls_client *client);

/*
 * Whether to read now can bring nothing but what has come since the last look
 * a moment ago.
 */
bool stls_client_has_looked(const struct smtptls_client *client);

/*
 * Wait in the read itself where there is nothing else to wait for, which is a
 * system call less than poll(2) and read. SMTPTLS_OK: drive; SMTPTLS_AGAIN:
 * nothing came within so many milliseconds; SMTPTLS_E_UNSUPPORTED: it cannot.
 */
int stls_client_wait_input(struct smtptls_client *client, int timeout_ms);

int stls_client_start_tls(struct smtptls_client *client);
int stls_client_start_auth(struct smtptls_client *client);
int stls_client_answer_challenge(struct smtptls_client *client);

/*
 * blocking.c: whether a connection that is idle can be used, by one look that
 * does not wait: the server has not closed it, and has said nothing.
 */
bool stls_client_is_alive(struct smtptls_client *client);

/*
 * resume.c: in front of the handshake, and when something was read; neither
 * ever fails.
 */
void stls_client_resume_session(struct smtptls_client *client);
void stls_client_save_session(struct smtptls_client *client);

void stls_client_close_socket(struct smtptls_client *client);

/*
 * plain.c: a transport that the program has given, and the bytes of any that
 * has no TLS: SMTPTLS_OK, SMTPTLS_AGAIN, or SMTPTLS_E_IO. 0 octets is the end.
 */
bool stls_client_has_transport(const struct smtptls_client *client);
void stls_client_name_peer(struct smtptls_client *client);
int stls_client_receive(struct smtptls_client *client, struct stls_err *err,
    void *buf, size_t cap, size_t *out_len);
int stls_client_transmit(struct smtptls_client *client, struct stls_err *err,
    const void *data, size_t len, size_t *out_len);

/* Look for what may be read: SMTPTLS_OK, and how much; else as above. */
int stls_client_peek(
    struct smtptls_client *client, struct stls_err *err, size_t *out_len);

/* Give the transport to the session. */
int stls_client_attach(
    struct smtptls_client *client, struct smtptls_session *session);

/*
 * watch.c: have the socket_cb know what stls_client_list_fds() says, and have
 * it forget a descriptor that is about to be closed.
 */
void stls_client_watch(struct smtptls_client *client);
void stls_client_forget(struct smtptls_client *client, int fd);

bool stls_client_has_credentials(const struct smtptls_client *client);

/* Refuse credentials that could not be sent, before anything is opened. */
int stls_client_check_credentials(
    const struct smtptls_client *client, struct stls_err *err);

#endif
