/* SPDX-License-Identifier: MIT */
#include "client/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include <check.h>

#include "base/deadline.h"

/* A server whose client does not go away gives up by itself. */
#define LIFE_MS 30000
/* Between two octets that drip, and between two sips. */
#define DRIP_MS 5
#define SIP_MS 1
#define LINE_MAX_LEN 12288
#define CONTENTS_MAX 4096
#define PARALLEL_MAX 64

struct server {
	struct server_options options;
	int listener;
	uint16_t port;
	pthread_t thread;
	bool has_thread;
	int stop[2];
	stls_deadline deadline;
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priority;

	/* The connection */
	int fd;
	gnutls_session_t tls;
	bool drips;
	bool sips;
	bool holds;	      /* what is said leaves later, in one piece */
	struct received held; /* of which this waits */
	bool is_gone;	      /* the client has closed */
	char unread[16384];   /* decrypted, and not looked at */
	size_t unread_at;
	size_t unread_len; /* behind unread_at */

	/* What became of it */
	int connections;
	int resumed;
	struct received clear, inside, wire;
	struct received *contents;
	size_t contents_count;
	char problem[512];

	/* In parallel: one more of these for each connection. */
	const struct step *script;
	struct server *parts[PARALLEL_MAX];
	size_t parts_count;
};

static void
append(struct received *to, const void *data, size_t len)
{
	if (to->len + len + 1 > to->cap) {
		to->cap = 2 * (to->len + len + 1);
		to->data = realloc(to->data, to->cap);
		if (to->data == NULL)
			abort();
	}
	memcpy(to->data + to->len, data, len);
	to->len += len;
	to->data[to->len] = '\0';
}

/* The first problem is the one that tells. */
__attribute__((format(printf, 2, 3))) static void
complain(struct server *s, const char *fmt, ...)
{
	va_list ap;

	if (s->problem[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(s->problem, sizeof(s->problem), fmt, ap);
	va_end(ap);
}

static bool
wait_for(struct server *s, short events, int at_most_ms)
{
	struct pollfd pfd = { .fd = s->fd, .events = events };
	int left = stls_deadline_left_ms(s->deadline);

	if (left == 0) {
		complain(s, "the client did not go away");
		return false;
	}
	if (at_most_ms >= 0 && at_most_ms < left)
		left = at_most_ms;
	return poll(&pfd, 1, left) > 0;
}

/* Read from the socket; 0: the client is gone. */
static size_t
read_wire(struct server *s, char *buf, size_t cap)
{
	ssize_t n;

	if (s->sips)
		poll(NULL, 0, SIP_MS);
	if (s->is_gone || !wait_for(s, POLLIN, -1))
		return 0;
	n = recv(s->fd, buf, cap, 0);
	if (n <= 0) {
		s->is_gone = true;
		return 0;
	}
	append(&s->wire, buf, (size_t)n);
	return (size_t)n;
}

static bool
write_wire(struct server *s, const char *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		if (!wait_for(s, POLLOUT, -1))
			return false;
		n = send(s->fd, data, s->drips ? 1 : len,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
		/* What the client says meanwhile is read later. */
		if (s->drips)
			poll(NULL, 0, DRIP_MS);
	}
	return true;
}

static ssize_t
pull(gnutls_transport_ptr_t arg, void *buf, size_t cap)
{
	return (ssize_t)read_wire(arg, buf, cap);
}

static int
pull_timeout(gnutls_transport_ptr_t arg, unsigned int ms)
{
	return wait_for(arg, POLLIN, (int)ms);
}

static ssize_t
push(gnutls_transport_ptr_t arg, const void *data, size_t len)
{
	struct server *s = arg;

	if (s->holds) {
		append(&s->held, data, len);
		return (ssize_t)len;
	}
	if (write_wire(s, data, len))
		return (ssize_t)len;
	gnutls_transport_set_errno(s->tls, EPIPE);
	return -1;
}

/* Read what was said, in clear or inside TLS; 0: nothing more comes. */
static size_t
read_some(struct server *s, char *buf, size_t cap)
{
	ssize_t n;

	if (s->tls == NULL) {
		n = (ssize_t)read_wire(s, buf, cap);
		append(&s->clear, buf, (size_t)n);
		return (size_t)n;
	}
	do
		n = gnutls_record_recv(s->tls, buf, cap);
	while (n == GNUTLS_E_INTERRUPTED || n == GNUTLS_E_AGAIN);
	if (n <= 0) {
		s->is_gone = true;
		return 0;
	}
	append(&s->inside, buf, (size_t)n);
	return (size_t)n;
}

static bool
write_some(struct server *s, const char *data, size_t len)
{
	ssize_t n;

	if (s->tls == NULL)
		return write_wire(s, data, len);
	while (len > 0) {
		n = gnutls_record_send(s->tls, data, len);
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/*
 * In clear nothing is read beyond the end of a line, because what follows may
 * belong to TLS.
 */
static bool
read_octet(struct server *s, char *out)
{
	if (s->tls == NULL)
		return read_some(s, out, 1) == 1;
	if (s->unread_len == 0) {
		s->unread_len = read_some(s, s->unread, sizeof(s->unread));
		s->unread_at = 0;
	}
	if (s->unread_len == 0)
		return false;
	*out = s->unread[s->unread_at++];
	s->unread_len--;
	return true;
}

/* Without its CRLF; false with a complaint where there is none. */
static bool
read_line(struct server *s, char *line, size_t *out_len)
{
	size_t len = 0;

	for (;;) {
		if (!read_octet(s, line + len)) {
			line[len] = '\0';
			return false;
		}
		len++;
		if (len >= 2 && line[len - 2] == '\r' && line[len - 1] == '\n')
			break;
		if (len == LINE_MAX_LEN - 1) {
			complain(s, "the client sent a line above %d octets",
			    LINE_MAX_LEN);
			return false;
		}
	}
	line[len - 2] = '\0';
	*out_len = len - 2;
	return true;
}

static bool
expect_line(struct server *s, const struct step *step)
{
	char line[LINE_MAX_LEN];
	size_t len = 0;
	bool is_it;

	if (!read_line(s, line, &len)) {
		complain(s,
		    "the client went away after \"%s\" instead of "
		    "\"%s\"",
		    line, step->text);
		return false;
	}
	is_it = step->kind == STEP_LINE
	    ? len == step->len && memcmp(line, step->text, len) == 0
	    : len >= step->len && memcmp(line, step->text, step->len) == 0;
	if (!is_it)
		complain(s, "the client said \"%s\" instead of \"%s\"", line,
		    step->text);
	return is_it;
}

static bool
read_content(struct server *s)
{
	struct received *content;
	size_t len;
	char c;

	if (s->contents_count == CONTENTS_MAX) {
		complain(s, "more than %d contents", CONTENTS_MAX);
		return false;
	}
	s->contents = realloc(
	    s->contents, (s->contents_count + 1) * sizeof(*content));
	if (s->contents == NULL)
		abort();
	content = &s->contents[s->contents_count];
	memset(content, 0, sizeof(*content));
	for (;;) {
		if (!read_octet(s, &c)) {
			complain(s, "the client went away in mid content");
			free(content->data);
			return false;
		}
		append(content, &c, 1);
		len = content->len;
		if ((len == 3 && memcmp(content->data, ".\r\n", 3) == 0) ||
		    (len >= 5 &&
			memcmp(content->data + len - 5, "\r\n.\r\n", 5) == 0))
			break;
	}
	content->len -= 3;
	content->data[content->len] = '\0';
	s->contents_count++;
	return true;
}

static bool
sip_content(struct server *s)
{
	bool ok;

	s->sips = true;
	ok = read_content(s);
	s->sips = false;
	return ok;
}

static bool
read_octets(struct server *s, size_t len)
{
	char c;

	while (len > 0) {
		if (!read_octet(s, &c)) {
			complain(s, "the client went away %zu octets too early",
			    len);
			return false;
		}
		len--;
	}
	return true;
}

/* Inside TLS only: in clear there are no records. */
static void
write_records(struct server *s, const char *text, size_t len)
{
	const char *end;
	size_t n;

	s->holds = true;
	for (; len > 0; text += n, len -= n) {
		end = memchr(text, '\n', len);
		n = end != NULL ? (size_t)(end - text) + 1 : len;
		write_some(s, text, n);
	}
	s->holds = false;
	write_wire(s, s->held.data, s->held.len);
	s->held.len = 0;
}

/* Inside TLS each octet is a record. */
static void
drip(struct server *s, const char *text, size_t len)
{
	while (len > 0 && write_some(s, text, 1)) {
		poll(NULL, 0, DRIP_MS);
		text++;
		len--;
	}
}

static void
enable_tickets(struct server *s)
{
	gnutls_datum_t key = *s->options.ticket_key;

	if (s->options.forgets && gnutls_session_ticket_key_generate(&key) < 0)
		abort();
	/* It is copied. */
	if (gnutls_session_ticket_enable_server(s->tls, &key) < 0)
		abort();
	if (s->options.forgets)
		gnutls_free(key.data);
}

/* Behind the handshake; those before TLS 1.3 have theirs in it. */
static void
send_tickets(struct server *s)
{
	if (s->options.tickets > 0 &&
	    gnutls_protocol_get_version(s->tls) == GNUTLS_TLS1_3)
		gnutls_session_ticket_send(
		    s->tls, (unsigned int)s->options.tickets, 0);
}

static int
handshake(struct server *s)
{
	unsigned int flags = s->options.tickets > 0 ? GNUTLS_NO_AUTO_SEND_TICKET
						    : 0;
	int r;

	if (gnutls_init(&s->tls, GNUTLS_SERVER | flags) < 0 ||
	    gnutls_priority_set(s->tls, s->priority) < 0 ||
	    gnutls_credentials_set(
		s->tls, GNUTLS_CRD_CERTIFICATE, s->credentials) < 0)
		abort();
	if (s->options.asks_certificate)
		gnutls_certificate_server_set_request(
		    s->tls, GNUTLS_CERT_REQUEST);
	if (s->options.ticket_key != NULL)
		enable_tickets(s);
	gnutls_transport_set_ptr(s->tls, s);
	gnutls_transport_set_pull_function(s->tls, pull);
	gnutls_transport_set_pull_timeout_function(s->tls, pull_timeout);
	gnutls_transport_set_push_function(s->tls, push);
	do
		r = gnutls_handshake(s->tls);
	while (r < 0 && !gnutls_error_is_fatal(r));
	if (r < 0) {
		gnutls_alert_send_appropriate(s->tls, r);
		return r;
	}
	s->resumed += gnutls_session_is_resumed(s->tls) != 0;
	send_tickets(s);
	return 0;
}

/*
 * With TLS 1.3 a client may refuse the certificate when the server has long
 * taken the handshake for done: then it is the first read that fails.
 */
static bool
handshake_fails(struct server *s)
{
	char c;

	if (handshake(s) == 0 && read_octet(s, &c)) {
		complain(s, "the client accepted the handshake");
		return false;
	}
	s->is_gone = true;
	return true;
}

static bool
shake_hands(struct server *s, bool drips)
{
	int r;

	s->drips = drips;
	r = handshake(s);
	s->drips = false;
	if (r < 0)
		complain(s, "handshake: %s", gnutls_strerror(r));
	return r == 0;
}

/*
 * Until the client has closed; what it has sent stays where it is. If that is
 * so much that its end is stuck behind it, server_finish() tells.
 */
static void
stall(struct server *s)
{
	struct pollfd pfds[2] = { { .fd = s->fd, .events = POLLRDHUP },
		{ .fd = s->stop[0], .events = POLLIN } };

	if (poll(pfds, 2, stls_deadline_left_ms(s->deadline)) == 0)
		complain(s, "the client did not go away");
}

static void
swallow(struct server *s)
{
	char buf[16384];

	s->unread_len = 0;
	while (read_some(s, buf, sizeof(buf)) > 0)
		;
}

static bool
begins_with(const char *line, const char *verb)
{
	return strncmp(line, verb, strlen(verb)) == 0;
}

static bool
answer(struct server *s, const char *text)
{
	return write_some(s, text, strlen(text));
}

/* Everybody is who they say. */
static bool
serve_auth(struct server *s, const char *line)
{
	char answered[LINE_MAX_LEN];
	int i, challenges = begins_with(line, "AUTH LOGIN") ? 2 : 0;
	size_t len;

	for (i = 0; i < challenges; i++) {
		if (!answer(s, "334 \r\n") || !read_line(s, answered, &len))
			return false;
	}
	return answer(s, "235 ok\r\n");
}

/* One command. False: it was the last. */
static bool
serve_line(struct server *s, const char *line)
{
	if (begins_with(line, "QUIT")) {
		answer(s, "221 bye\r\n");
		return false;
	}
	if (begins_with(line, "EHLO "))
		return answer(s, "250 mail.example.org\r\n");
	if (begins_with(line, "AUTH "))
		return serve_auth(s, line);
	if (!begins_with(line, "DATA"))
		return answer(s, "250 ok\r\n");
	return answer(s, "354 go\r\n") && read_content(s) &&
	    answer(s, "250 queued\r\n");
}

/* Until QUIT, or until the client is gone, which is no problem here. */
static void
serve_all(struct server *s)
{
	char line[LINE_MAX_LEN];
	size_t len;

	while (read_line(s, line, &len)) {
		if (!serve_line(s, line))
			break;
	}
}

static void
close_connection(struct server *s)
{
	if (s->tls != NULL)
		gnutls_deinit(s->tls);
	s->tls = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->unread_len = 0;
}

static void
reset(struct server *s)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close_connection(s);
}

static void
say_bye(struct server *s)
{
	if (s->tls != NULL)
		gnutls_bye(s->tls, GNUTLS_SHUT_WR);
}

/* False: the connection is over, as the script wants or not. */
static bool
play_step(struct server *s, const struct step *step)
{
	switch (step->kind) {
	case STEP_SEND:
		/* That the client has gone shows when it should speak. */
		write_some(s, step->text, step->len);
		return true;
	case STEP_RECORDS:
		write_records(s, step->text, step->len);
		return true;
	case STEP_DRIP:
		drip(s, step->text, step->len);
		return true;
	case STEP_LINE:
	case STEP_PREFIX:
		return expect_line(s, step);
	case STEP_CONTENT:
		return read_content(s);
	case STEP_SIPS:
		return sip_content(s);
	case STEP_OCTETS:
		return read_octets(s, step->len);
	case STEP_TLS:
	case STEP_TLS_DRIP:
		return shake_hands(s, step->kind == STEP_TLS_DRIP);
	case STEP_TLS_FAILS:
		return handshake_fails(s);
	case STEP_REHANDSHAKE:
		gnutls_rehandshake(s->tls);
		return true;
	case STEP_SERVE:
		serve_all(s);
		return true;
	case STEP_CALL:
		step->fn(step->arg);
		return true;
	case STEP_SWALLOW:
		swallow(s);
		return true;
	case STEP_STALL:
		stall(s);
		return true;
	case STEP_BYE:
		say_bye(s);
		shutdown(s->fd, SHUT_WR);
		return true;
	case STEP_FIN:
		shutdown(s->fd, SHUT_WR);
		return true;
	case STEP_CLOSE:
		close_connection(s);
		return true;
	case STEP_RESET:
		reset(s);
		return true;
	case STEP_END:
		break;
	}
	return false;
}

/* False: it came to no good end. */
static bool
play(struct server *s, const struct step *step)
{
	for (; step != NULL && step->kind != STEP_END; step++) {
		if (!play_step(s, step))
			return false;
	}
	return true;
}

/* Behind the last step nothing may come but the end. */
static void
see_off(struct server *s)
{
	size_t before = s->inside.len + s->clear.len - s->unread_len;
	const struct received *last = s->tls != NULL ? &s->inside : &s->clear;

	if (s->fd < 0)
		return;
	swallow(s);
	if (s->inside.len + s->clear.len > before)
		complain(s, "the client went on: \"%.100s\"",
		    last->data + last->len -
			(s->inside.len + s->clear.len - before));
}

static void
serve(struct server *s, int fd, const struct step *script)
{
	s->fd = fd;
	s->is_gone = false;
	if (play(s, s->options.prologue) && play(s, script))
		see_off(s);
	else if (s->fd >= 0)
		swallow(s);
	close_connection(s);
}

/* The next connection; -1: there is none and will be none. */
static int
accept_next(struct server *s)
{
	struct pollfd pfds[2] = { { .fd = s->listener, .events = POLLIN },
		{ .fd = s->stop[0], .events = POLLIN } };
	int on = 1, fd;

	if (poll(pfds, 2, stls_deadline_left_ms(s->deadline)) <= 0 ||
	    (pfds[0].revents & POLLIN) == 0)
		return -1;
	fd = accept(s->listener, NULL, NULL);
	/* A unix socket has no such option, and no need of it. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void *
run_part(void *arg)
{
	struct server *part = arg;

	serve(part, part->fd, part->script);
	return NULL;
}

static void
serve_in_parallel(struct server *s, int fd, const struct step *script)
{
	struct server *part = calloc(1, sizeof(*part));

	if (part == NULL || s->parts_count == PARALLEL_MAX)
		abort();
	part->options = s->options;
	part->credentials = s->credentials;
	part->priority = s->priority;
	part->deadline = s->deadline;
	part->script = script;
	part->fd = fd;
	append(&part->clear, "", 0);
	append(&part->inside, "", 0);
	append(&part->wire, "", 0);
	s->parts[s->parts_count++] = part;
	if (pthread_create(&part->thread, NULL, run_part, part) != 0)
		abort();
}

/* Wait for a part, and take what it has. */
static void
join_part(struct server *s, struct server *part)
{
	size_t i;

	pthread_join(part->thread, NULL);
	append(&s->clear, part->clear.data, part->clear.len);
	append(&s->inside, part->inside.data, part->inside.len);
	append(&s->wire, part->wire.data, part->wire.len);
	s->contents = realloc(s->contents,
	    (s->contents_count + part->contents_count + 1) *
		sizeof(*s->contents));
	if (s->contents == NULL)
		abort();
	for (i = 0; i < part->contents_count; i++)
		s->contents[s->contents_count++] = part->contents[i];
	s->resumed += part->resumed;
	if (part->problem[0] != '\0')
		complain(s, "%s", part->problem);
	free(part->clear.data);
	free(part->inside.data);
	free(part->wire.data);
	free(part->held.data);
	free(part->contents);
	free(part);
}

/* The script of the next connection, NULL where there is none. */
static const struct step *
next_script(const struct server *s, size_t *index)
{
	const struct step *const *scripts = s->options.scripts;

	if (*index < SCRIPTS_MAX && scripts[*index] != NULL)
		return scripts[(*index)++];
	return s->options.repeats ? scripts[*index - 1] : NULL;
}

static void *
run(void *arg)
{
	struct server *s = arg;
	const struct step *script;
	size_t index = 0;
	sigset_t all;
	int fd;

	/* They are for the client. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	while ((fd = accept_next(s)) >= 0) {
		s->connections++;
		script = next_script(s, &index);
		if (script != NULL && s->options.parallel) {
			serve_in_parallel(s, fd, script);
			continue;
		}
		if (script != NULL) {
			serve(s, fd, script);
			continue;
		}
		complain(s, "there was a connection too many");
		close(fd);
	}
	while (s->parts_count > 0)
		join_part(s, s->parts[--s->parts_count]);
	if (!s->options.repeats && next_script(s, &index) != NULL)
		complain(s, "there was a connection too few");
	return NULL;
}

static void
open_listener(struct server *s)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	bool is_unix = s->options.unix_path != NULL;
	struct sockaddr *address = is_unix ? (void *)&un : (void *)&in;
	socklen_t len = is_unix ? sizeof(un) : sizeof(in);

	if (is_unix)
		snprintf(un.sun_path, sizeof(un.sun_path), "%s",
		    s->options.unix_path);
	s->listener = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(s->listener, 0);
	if (s->options.receive_buffer > 0)
		ck_assert_int_eq(setsockopt(s->listener, SOL_SOCKET, SO_RCVBUF,
				     &s->options.receive_buffer, sizeof(int)),
		    0);
	if (s->options.send_buffer > 0)
		ck_assert_int_eq(setsockopt(s->listener, SOL_SOCKET, SO_SNDBUF,
				     &s->options.send_buffer, sizeof(int)),
		    0);
	ck_assert_int_eq(bind(s->listener, address, len), 0);
	ck_assert_int_eq(listen(s->listener, PARALLEL_MAX), 0);
	if (is_unix)
		return;
	ck_assert_int_eq(getsockname(s->listener, address, &len), 0);
	s->port = ntohs(in.sin_port);
}

static void
set_up_tls(struct server *s)
{
	const struct cert *cert = s->options.cert, *issuer = s->options.issuer;
	gnutls_x509_crt_t chain[2];
	const char *priority = s->options.priority;

	if (cert == NULL)
		return;
	chain[0] = cert->crt;
	chain[1] = issuer != NULL ? issuer->crt : NULL;
	ck_assert_int_ge(
	    gnutls_certificate_allocate_credentials(&s->credentials), 0);
	ck_assert_int_ge(gnutls_certificate_set_x509_key(s->credentials, chain,
			     issuer != NULL ? 2 : 1, cert->key),
	    0);
	ck_assert_int_ge(gnutls_priority_init(&s->priority,
			     priority != NULL ? priority : "NORMAL", NULL),
	    0);
}

struct server *
server_start(const struct server_options *options)
{
	struct server *s = calloc(1, sizeof(*s));

	ck_assert_ptr_nonnull(s);
	s->options = *options;
	s->fd = -1;
	s->deadline = stls_deadline_in(LIFE_MS);
	append(&s->clear, "", 0);
	append(&s->inside, "", 0);
	append(&s->wire, "", 0);
	open_listener(s);
	set_up_tls(s);
	ck_assert_int_eq(pipe(s->stop), 0);
	ck_assert_int_eq(pthread_create(&s->thread, NULL, run, s), 0);
	s->has_thread = true;
	return s;
}

uint16_t
server_port(const struct server *s)
{
	return s->port;
}

const char *
server_finish(struct server *s)
{
	if (s->has_thread) {
		ck_assert_int_eq(write(s->stop[1], "", 1), 1);
		ck_assert_int_eq(pthread_join(s->thread, NULL), 0);
		s->has_thread = false;
	}
	return s->problem[0] != '\0' ? s->problem : NULL;
}

void
server_free(struct server *s)
{
	size_t i;

	if (s == NULL)
		return;
	(void)server_finish(s);
	close(s->listener);
	close(s->stop[0]);
	close(s->stop[1]);
	if (s->credentials != NULL)
		gnutls_certificate_free_credentials(s->credentials);
	if (s->priority != NULL)
		gnutls_priority_deinit(s->priority);
	free(s->clear.data);
	free(s->inside.data);
	free(s->wire.data);
	free(s->held.data);
	for (i = 0; i < s->contents_count; i++)
		free(s->contents[i].data);
	free(s->contents);
	free(s);
}

int
server_connections(const struct server *s)
{
	return s->connections;
}

int
server_resumed(const struct server *s)
{
	return s->resumed;
}

const struct received *
server_clear(const struct server *s)
{
	return &s->clear;
}

const struct received *
server_inside(const struct server *s)
{
	return &s->inside;
}

const struct received *
server_wire(const struct server *s)
{
	return &s->wire;
}

const struct received *
server_content(const struct server *s, size_t n)
{
	ck_assert_uint_lt(n, s->contents_count);
	return &s->contents[n];
}

size_t
server_contents(const struct server *s)
{
	return s->contents_count;
}

bool
received_has(const struct received *received, const char *text)
{
	return memmem(received->data, received->len, text, strlen(text)) !=
	    NULL;
}
