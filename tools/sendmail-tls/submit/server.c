/* SPDX-License-Identifier: MIT */
#include "submit/server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "deliver/send.h"
#include "settings/table.h"
#include "submit/peer.h"
#include "submit/stash.h"
#include "submit/wire.h"
#include "system/identity.h"
#include "system/ready.h"

/*
 * The command has read its standard input before it connects, so that whoever
 * is slow is either broken or ill-disposed.
 */
#define ARGUMENTS_MS 30000
#define IDLE_MS 60000
#define CONTENT_MS 900000
#define ANSWER_MS 60000

/* What a unit file lowers with LimitFSIZE=. */
#define CONTENT_LEN_MAX ((uint64_t)2 * 1024 * 1024 * 1024)

struct server {
	int connection;
	int log; /* where our own standard error goes, or -1 */
	const struct words *own;
	uid_t uid;
	struct submit_decoder request;
	struct stash content;
};

static int
wait_for(struct stls_err *err, int fd, short events, stls_deadline deadline)
{
	int n = ready_wait(fd, events, deadline);

	if (n < 0)
		return stls_err_errno(err, EX_OSERR, errno, "poll");
	if (n == 0)
		return stls_err_set(err, EX_TEMPFAIL,
		    "the message was not handed over in time");
	return 0;
}

static int
take(struct stls_err *err, struct server *server, const char *data, size_t len)
{
	struct submit_piece piece = { 0, NULL, 0 };
	int r = 0;

	while (len > 0 && r == 0 && server->request.state != SUBMIT_AT_END) {
		r = submit_decode(err, &server->request, data, len, &piece);
		if (r == 0 && piece.content_len > 0)
			r = stash_add(err, &server->content, piece.content,
			    piece.content_len);
		data += piece.used;
		len -= piece.used;
	}
	return r;
}

static bool
is_in_arguments(const struct server *server)
{
	return server->request.state < SUBMIT_IN_CHUNK_LENGTH;
}

/* Read until there is content, or with `to_end` until it has ended. */
static int
receive(struct stls_err *err, struct server *server, bool to_end,
    stls_deadline deadline)
{
	char block[SUBMIT_CHUNK_LEN_MAX];
	ssize_t n;
	int r = 0;

	while (r == 0 && server->request.state != SUBMIT_AT_END &&
	    (to_end || is_in_arguments(server))) {
		r = wait_for(err, server->connection, POLLIN,
		    stls_deadline_first(deadline, stls_deadline_in(IDLE_MS)));
		if (r != 0)
			return r;
		n = recv(
		    server->connection, block, sizeof(block), MSG_DONTWAIT);
		if (n > 0)
			r = take(err, server, block, (size_t)n);
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			return stls_err_set(err, EX_TEMPFAIL,
			    "the connection ended before the message did");
	}
	return r;
}

/*
 * What the caller may say is what is marked so in the table of the options,
 * and nothing that he sends can be read in another way.
 */
static int
apply_arguments(struct stls_err *err, const struct server *server,
    struct settings *settings)
{
	size_t count = server->request.argument_count;
	CLEANUP(free_ptr) char **argv = NULL;
	struct words theirs;

	argv = stls_alloc_array(count + 2, sizeof(argv[0]));
	if (argv == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	argv[0] = (char *)PROGRAM;
	submit_decoder_get_arguments(&server->request, argv + 1);
	argv[count + 1] = NULL;
	theirs.argc = (int)count + 1;
	theirs.argv = argv;
	return settings_hand_over(err, server->own, &theirs, settings);
}

static int
send_as_peer(struct stls_err *err, const struct server *server,
    const struct settings *settings)
{
	CLEANUP(identity_done) struct identity identity = { 0 };
	int r;

	if (settings->url == NULL)
		return settings_no_server(err, settings);
	r = identity_get_of(err, server->uid, &identity);
	if (r == 0)
		r = send_mail(err, settings, &identity, false);
	return r;
}

/* Let standard input be the content, from its start. */
static int
give_content(struct stls_err *err, const struct server *server)
{
	if (lseek(server->content.fd, 0, SEEK_SET) < 0 ||
	    dup2(server->content.fd, STDIN_FILENO) < 0)
		return stls_err_errno(err, EX_OSERR, errno, "dup2");
	return 0;
}

static int
serve(struct stls_err *err, struct server *server, struct settings *settings)
{
	int r;

	r = receive(err, server, false, stls_deadline_in(ARGUMENTS_MS));
	if (r == 0)
		r = apply_arguments(err, server, settings);
	if (r == 0)
		r = receive(err, server, true, stls_deadline_in(CONTENT_MS));
	if (r == 0)
		r = give_content(err, server);
	if (r != 0)
		return r;
	/* The time that a configuration gives begins with the message. */
	settings->deadline = settings_deadline(settings);
	return send_as_peer(err, server, settings);
}

static int
write_answer(struct stls_err *err, const struct server *server,
    const char *data, size_t len)
{
	stls_deadline deadline = stls_deadline_in(ANSWER_MS);
	ssize_t n;
	int r;

	while (len > 0) {
		r = wait_for(err, server->connection, POLLOUT, deadline);
		if (r != 0)
			return r;
		n = send(
		    server->connection, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return stls_err_errno(err, EX_TEMPFAIL, errno,
			    "nobody is there to be answered");
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* For whoever runs the helper: whose message it was, and what was said. */
static void
log_answer(
    const struct server *server, int status, const char *text, size_t len)
{
	if (server->log >= 0)
		dprintf(server->log,
		    PROGRAM ": from uid %ld: status %d%s%.*s%s",
		    (long)server->uid, status, len > 0 ? ": " : "", (int)len,
		    text, len > 0 && text[len - 1] == '\n' ? "" : "\n");
}

static int
answer(
    struct stls_err *err, const struct server *server, int status, int printed)
{
	unsigned char head[SUBMIT_ANSWER_LEN];
	char text[SUBMIT_TEXT_LEN_MAX];
	ssize_t n;
	int r;

	n = pread(printed, text, sizeof(text), 0);
	if (n < 0)
		n = 0;
	submit_format_answer(head, status, (size_t)n);
	log_answer(server, status, text, (size_t)n);
	r = write_answer(err, server, (const char *)head, sizeof(head));
	return r == 0 ? write_answer(err, server, text, (size_t)n) : r;
}

/*
 * Free the three standard descriptors of what they were: what is printed from
 * now on is the answer. inetd gives the connection as all three.
 */
static int
redirect(struct stls_err *err, struct server *server, int printed)
{
	struct stat connection, log;

	server->connection = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	server->log = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (server->connection < 0 || server->log < 0 ||
	    fstat(server->connection, &connection) < 0 ||
	    fstat(server->log, &log) < 0)
		return stls_err_errno(err, EX_OSERR, errno, "fcntl");
	if (log.st_dev == connection.st_dev &&
	    log.st_ino == connection.st_ino) {
		close(server->log);
		server->log = -1;
	}
	fflush(stdout);
	if (dup2(printed, STDOUT_FILENO) < 0 ||
	    dup2(printed, STDERR_FILENO) < 0)
		return stls_err_errno(err, EX_OSERR, errno, "dup2");
	return 0;
}

static void
server_done(struct server *server)
{
	close_fd(&server->connection);
	close_fd(&server->log);
	submit_decoder_done(&server->request);
	stash_done(&server->content);
}

int
submit_server_run(
    struct stls_err *err, const struct words *own, struct settings *settings)
{
	CLEANUP(server_done)
	struct server server = {
		.connection = -1,
		.log = -1,
		.own = own,
		.content = { .fd = -1 },
	};
	CLEANUP(stash_done) struct stash printed = { .fd = -1 };
	int r, status;

	submit_decoder_init(&server.request);
	/* A message that is too large for LimitFSIZE= gets an answer. */
	signal(SIGXFSZ, SIG_IGN);
	r = peer_get_uid(err, STDIN_FILENO, &server.uid);
	if (r == 0)
		r = stash_open(err, 0, &printed);
	if (r == 0)
		r = stash_open(err, CONTENT_LEN_MAX, &server.content);
	if (r == 0)
		r = redirect(err, &server, printed.fd);
	if (r != 0)
		return r;

	status = serve(err, &server, settings);
	if (status != 0 && err->text[0] != '\0')
		fprintf(stderr, PROGRAM ": %s\n", err->text);
	fflush(stdout);
	stls_err_clear(err);
	r = answer(err, &server, status, printed.fd);
	if (server.log >= 0)
		dup2(server.log, STDERR_FILENO);
	return r;
}
