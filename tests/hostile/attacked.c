/* SPDX-License-Identifier: MIT */
/*
 * A client for whoever wants to attack one: it sends a message to two
 * recipients, and says what became of it.
 *
 * usage: attacked URL PLACE CAFILE HOW SCENARIO LIMIT_MS WIRE NUMBER
 *
 * HOW is `blocking` or `loop`. SCENARIO is `data`, `bdat` (in one flight),
 * `chunks` (the same with content that is long), `steps` (one command at a
 * time) or `rset` (RSET comes first, and a sign of life). LIMIT_MS is the limit
 * of each phase, 0 the default one. What leaves for the network goes into the
 * file WIRE, too. NUMBER is in the content.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <smtptls/smtptls.h>

#define USER "alice"
#define PASSWORD "open sesame"
#define DEADLINE_MS 60000
#define FDS_MAX 8

#define SECRET "nobody else may read this"
#define HEAD "Subject: test %.10s\r\n\r\n" SECRET "\r\n.\r\n"
#define HEAD_CAP (sizeof(HEAD) + 10)
#define LINE SECRET SECRET SECRET "\r\n"
#define LINES 20000

static FILE *wire;
static bool trace_is_clean = true;
static char content[HEAD_CAP + LINES * (sizeof(LINE) - 1)];

/* By other names in C: libc's prototypes may have attributes of their own. */
ssize_t record_send(int fd, const void *data, size_t len, int flags) __asm__(
    "send");
ssize_t record_sendmsg(int fd, const struct msghdr *msg, int flags) __asm__(
    "sendmsg");

ssize_t
record_send(int fd, const void *data, size_t len, int flags)
{
	static ssize_t (*next)(int, const void *, size_t, int);
	ssize_t n;

	if (next == NULL)
		*(void **)&next = dlsym(RTLD_NEXT, "send");
	n = next(fd, data, len, flags);
	if (n > 0)
		fwrite(data, 1, (size_t)n, wire);
	return n;
}

ssize_t
record_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	static ssize_t (*next)(int, const struct msghdr *, int);
	size_t i, len;
	ssize_t n, left;

	if (next == NULL)
		*(void **)&next = dlsym(RTLD_NEXT, "sendmsg");
	n = left = next(fd, msg, flags);
	for (i = 0; left > 0; i++) {
		len = msg->msg_iov[i].iov_len;
		if (len > (size_t)left)
			len = (size_t)left;
		fwrite(msg->msg_iov[i].iov_base, 1, len, wire);
		left -= (ssize_t)len;
	}
	return n;
}

static int
count_fds(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static long
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
look_at_trace(enum smtptls_trace_level level, const char *line, void *arg)
{
	const unsigned char *p;

	(void)level;
	(void)arg;
	for (p = (const unsigned char *)line; *p != '\0'; p++)
		trace_is_clean = trace_is_clean && *p >= ' ' && *p != 0x7f;
	if (strstr(line, PASSWORD) != NULL || strstr(line, "nobody") != NULL)
		trace_is_clean = false;
	/* PLAIN, and the second answer of LOGIN. */
	if (strstr(line, "AGFsaWNl") != NULL ||
	    strstr(line, "b3BlbiBz") != NULL)
		trace_is_clean = false;
}

static int
drive(struct smtptls_client *client)
{
	struct pollfd fds[FDS_MAX];
	size_t n;
	int r;

	while ((r = smtptls_client_drive(client)) == SMTPTLS_AGAIN) {
		n = smtptls_client_pollfds(client, fds, FDS_MAX);
		poll(fds, (nfds_t)n, smtptls_client_timeout_ms(client));
	}
	return r;
}

static int
send_blocking(
    struct smtptls_client *client, struct smtptls_message *message, int *quit)
{
	int r = smtptls_client_send(client, message);

	*quit = smtptls_client_quit(client);
	return r;
}

static int
send_driven(
    struct smtptls_client *client, struct smtptls_message *message, int *quit)
{
	struct smtptls_message *done;
	int r = smtptls_client_start(client);

	if (r == SMTPTLS_E_STATE)
		r = SMTPTLS_OK; /* connected already */
	if (r == SMTPTLS_OK)
		r = smtptls_client_submit(client, message);
	if (r < 0) {
		*quit = r;
		return r;
	}
	(void)drive(client);
	done = smtptls_client_next_done(client);
	if (done != message || smtptls_client_next_done(client) != NULL)
		abort();
	smtptls_message_free(done);
	*quit = smtptls_client_start_quit(client);
	if (*quit == SMTPTLS_OK)
		*quit = drive(client);
	return smtptls_message_status(message);
}

static int
set_up(struct smtptls_client *client, char **argv)
{
	int phase, limit_ms = atoi(argv[6]), r;

	r = smtptls_client_set_connect_to(client, argv[2]);
	if (r == SMTPTLS_OK)
		r = smtptls_client_set_credentials(client, USER, PASSWORD);
	if (r == SMTPTLS_OK &&
	    (strcmp(argv[5], "bdat") == 0 || strcmp(argv[5], "chunks") == 0))
		r = smtptls_client_set_pipelining(
		    client, SMTPTLS_PIPELINING_ONE_FLIGHT);
	if (r == SMTPTLS_OK && strcmp(argv[5], "steps") == 0)
		r = smtptls_client_set_pipelining(
		    client, SMTPTLS_PIPELINING_NONE);
	for (phase = 0; phase <= SMTPTLS_PHASE_QUIT && limit_ms > 0; phase++) {
		if (r == SMTPTLS_OK)
			r = smtptls_client_set_timeout_ms(
			    client, (enum smtptls_phase)phase, limit_ms);
	}
	if (r == SMTPTLS_OK)
		r = smtptls_client_set_deadline_ms(client, DEADLINE_MS);
	smtptls_client_set_trace(
	    client, SMTPTLS_TRACE_DEBUG, look_at_trace, NULL);
	return r;
}

static void
report(struct smtptls_client *client, struct smtptls_message *message, int r)
{
	printf("code %d\nstep %s\nmechanism %s\n", r,
	    smtptls_client_step(client), smtptls_client_auth_mechanism(client));
	printf("outcomes %d %d\n", (int)smtptls_message_outcome(message, 0),
	    (int)smtptls_message_outcome(message, 1));
	printf("sentence %s\n",
	    smtptls_message_status(message) == r
		? smtptls_message_error(message)
		: smtptls_client_error(client));
	printf("reply %s\n", smtptls_client_reply_text(client));
}

static int
run(struct smtptls_client *client, struct smtptls_message *message, char **argv)
{
	char *end = content;
	size_t len = sizeof(LINE) - 1;
	long start = now_ms(), ms;
	int i, r, quit;

	end += snprintf(content, HEAD_CAP, HEAD, argv[8]);
	r = set_up(client, argv);
	smtptls_message_set_sender(message, "alice@example.org");
	smtptls_message_add_recipient(message, "bob@example.org");
	smtptls_message_add_recipient(message, "carol@example.org");
	for (i = 0; i < LINES && strcmp(argv[5], "chunks") == 0;
	     i++, end += len)
		memcpy(end, LINE, len + 1);
	smtptls_message_set_body_mem(message, content, (size_t)(end - content));
	if (r == SMTPTLS_OK && strcmp(argv[5], "rset") == 0) {
		r = smtptls_client_connect(client);
		if (r == SMTPTLS_OK)
			r = smtptls_client_reset(client);
		if (r == SMTPTLS_OK)
			r = smtptls_client_noop(client);
	}
	if (r == SMTPTLS_OK || strcmp(argv[5], "rset") == 0)
		r = strcmp(argv[4], "loop") == 0
		    ? send_driven(client, message, &quit)
		    : send_blocking(client, message, &quit);
	else
		return r;
	ms = now_ms() - start;
	report(client, message, r);
	printf("quit %d\nms %ld\n", quit, ms);
	return SMTPTLS_OK;
}

/* It begins with what was the peak of who started this. */
static long
peak_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

int
main(int argc, char **argv)
{
	struct smtptls_context *context = NULL;
	struct smtptls_client *client = NULL;
	struct smtptls_message *message = NULL;
	long start_kib = peak_kib();
	int r, fds;

	if (argc != 9 || (wire = fopen(argv[7], "wb")) == NULL)
		return 2;
	fds = count_fds();
	r = smtptls_context_new_default(
	    SMTPTLS_SERVER_AUTH, argv[3], NULL, NULL, 0, &context);
	if (r == SMTPTLS_OK)
		r = smtptls_client_new(argv[1], context, &client);
	if (r == SMTPTLS_OK)
		r = smtptls_message_new(&message);
	if (r == SMTPTLS_OK)
		r = run(client, message, argv);
	smtptls_client_free(client);
	smtptls_message_free(message);
	smtptls_context_free(context);
	printf("descriptors %d\nmemory %ld\ntrace %s\n", count_fds() - fds,
	    peak_kib() > start_kib ? peak_kib() : 0,
	    trace_is_clean ? "clean" : "DIRTY");
	return fclose(wire) != 0 || r != SMTPTLS_OK;
}
