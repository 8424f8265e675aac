/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_PROBE_PROBE_H
#define SENDMAIL_PROBE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <smtptls/client.h>

#include "base/err.h"
#include "probe/srv.h"
#include "settings/settings.h"
#include "system/identity.h"

/* What is compared of the EHLO before TLS, at most. */
#define PROBE_LINES_MAX 64

/* Addresses of a host that are tried one by one; the rest is only shown. */
#define PROBE_TRIED_MAX 8
#define PROBE_ADDRESSES_MAX 32

#define PROBE_URL_CAP (STLS_HOST_LEN_MAX + 32)

/*
 * What was found behind one URL, as far as it came.
 * Zero-initialised it is nothing, and endpoint_done() copes with it.
 */
struct endpoint {
	char url[PROBE_URL_CAP];
	char host[STLS_HOST_LEN_MAX + 1]; /* without brackets */
	char port[8];
	bool names_port; /* the URL has one of its own */
	bool is_smtps, is_lmtp;

	struct smtptls_client *client;
	struct smtptls_session *session; /* NULL: no TLS */
	bool verbose;
	bool is_verified;
	int result; /* of the connection, a code of the library */
	int status; /* of sysexits.h */

	/* From the trace: what is said before TLS, escaped. */
	char *greeting;
	char *clear[PROBE_LINES_MAX];
	size_t clear_count;
	bool has_clear; /* there was an EHLO before TLS, or without it */
	enum {
		CLEAR_BEFORE,
		CLEAR_FIRST,
		CLEAR_LINES,
		CLEAR_OVER
	} clear_state;
};

/* Understand a URL that the library has accepted, or will. */
void endpoint_set_url(struct endpoint *endpoint, const char *url);

/*
 * Connect, secure the connection, greet, and authenticate where settings have
 * credentials; say goodbye with endpoint_quit(). What a failure of the
 * connection is stands in the endpoint; another answer than zero says that it
 * could not even be tried.
 *
 * @param address  where to connect to ("[::1]:465"), or NULL
 * @param is_aside  not what was asked for: it must not take long, and gets no
 *     credentials
 */
int endpoint_look(struct stls_err *err, struct endpoint *endpoint,
    const struct settings *settings, const struct identity *identity,
    struct smtptls_context *context, const char *address, bool is_aside);
void endpoint_quit(struct endpoint *endpoint);
void endpoint_done(struct endpoint *endpoint);

/* Limits that the server names; 0: it names none. */
struct probe_limits {
	uint64_t size;	     /* octets of a message (RFC 1870) */
	uint64_t recipients; /* RCPTMAX of RFC 9422 */
	uint64_t messages;   /* MAILMAX, on one connection */
	uint64_t hold_s;     /* FUTURERELEASE (RFC 4865) */
};

void probe_get_limits(
    const struct smtptls_client *client, struct probe_limits *out_limits);

/*
 * The words of AUTH (RFC 4954), one after another: *next is NULL first. False
 * behind the last one.
 */
bool probe_next_mechanism(const struct smtptls_client *client,
    const char **next, char *name, size_t cap);

/* From now to "2026-11-23T12:00:00Z"; below 0 where that is over. */
double probe_seconds_left(const char *when);
long probe_days_left(const char *when);

struct probe_address {
	char text[64];
	enum {
		ADDRESS_USED,
		ADDRESS_GOOD,
		ADDRESS_BAD,
		ADDRESS_NOT_TRIED
	} is;
	char error[256];
};

enum rating {
	RATING_GOOD,
	RATING_WEAK,
	RATING_BAD
};

/* What is to be thought of one point, and done about it. */
struct verdict {
	const char *point;
	enum rating rating;
	char text[400];
};

#define VERDICTS_MAX 32

/* What the client makes of it all. */
struct probe_choice {
	const char *url;	/* to use; NULL: none that was verified */
	const char *pipelining; /* as --pipelining has it */
	bool chunking;		/* BDAT instead of DATA, where it saves time */
	char mechanism[64];	/* "": none */
};

struct probe {
	const struct settings *settings;
	struct endpoint main;  /* what was asked for */
	struct endpoint other; /* the host's other port; url "": none */

	bool has_srv; /* SRV records were looked for */
	char domain[STLS_HOST_LEN_MAX + 1];
	struct stls_err srv_err; /* code 0: the name service answered */
	struct srv_list srv;

	struct probe_address addresses[PROBE_ADDRESSES_MAX];
	size_t address_count;

	struct probe_choice choice;
	struct verdict verdicts[VERDICTS_MAX];
	size_t verdict_count;
};

/*
 * Look at a server and print what was found. Zero only if it was verified and,
 * where asked, has authenticated us; where *err has no sentence, the failure
 * was told already.
 */
int probe_run(struct stls_err *err, const struct settings *settings,
    const struct identity *identity);

/* The addresses of the host of probe->main, each tried. */
void probe_look_at_addresses(struct probe *probe,
    const struct identity *identity, struct smtptls_context *context);

/* The SRV records that should lead to probe->main. */
void probe_look_at_srv(struct probe *probe);

/* What the client would do, and what is to be thought of it all. */
void probe_choose(struct probe *probe);
void probe_judge(struct probe *probe);
void probe_judge_tls(struct probe *probe);
__attribute__((format(printf, 4, 5))) void probe_add_verdict(
    struct probe *probe, const char *point, enum rating rating, const char *fmt,
    ...);

const char *rating_name(enum rating rating);

/* The two ways to print it. */
void probe_print_text(const struct probe *probe);
void probe_print_json(const struct probe *probe);

#endif
