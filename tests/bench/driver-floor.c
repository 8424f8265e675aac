/* SPDX-License-Identifier: MIT */
/*
 * The floor: GnuTLS and prepared octets, replies are only counted. It verifies
 * chain and name like everybody, and has nothing else of a client: no time
 * limits, no look at what a reply says.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "options.h"

struct floor {
	const struct bench_options *options;
	struct bench_content content;
	struct bench_report report;
	gnutls_certificate_credentials_t credentials;
	gnutls_datum_t ticket;
	int fd;
	gnutls_session_t tls; /* NULL: not yet */
	int column;
};

static void
check(long r)
{
	if (r < 0)
		bench_fail("floor", gnutls_strerror((int)r));
}

static void
say(struct floor *floor, const char *data, size_t len)
{
	ssize_t n;

	for (; len > 0; data += n, len -= (size_t)n) {
		n = floor->tls != NULL
		    ? gnutls_record_send(floor->tls, data, len)
		    : write(floor->fd, data, len);
		check(n);
	}
}

/* Wait until so many replies have come. */
static void
hear(struct floor *floor, long replies)
{
	char buf[16384];
	ssize_t n, i;

	while (replies > 0) {
		do
			n = floor->tls != NULL
			    ? gnutls_record_recv(floor->tls, buf, sizeof(buf))
			    : read(floor->fd, buf, sizeof(buf));
		while (n == GNUTLS_E_AGAIN && floor->tls != NULL);
		check(n);
		if (n == 0)
			bench_fail("floor", "the server closed");
		for (i = 0; i < n; i++) {
			if (floor->column == 0 && buf[i] >= '4')
				bench_fail("floor", "refused");
			replies -= floor->column == 3 && buf[i] == ' ';
			floor->column = buf[i] == '\n' ? 0 : floor->column + 1;
		}
	}
}

static void
secure(struct floor *floor)
{
	gnutls_session_t tls;
	int r;

	check(gnutls_init(&tls, GNUTLS_CLIENT));
	check(gnutls_set_default_priority(tls));
	check(gnutls_credentials_set(
	    tls, GNUTLS_CRD_CERTIFICATE, floor->credentials));
	check(gnutls_server_name_set(tls, GNUTLS_NAME_DNS, "localhost", 9));
	gnutls_session_set_verify_cert(tls, "localhost", 0);
	if (floor->ticket.data != NULL)
		check(gnutls_session_set_data(
		    tls, floor->ticket.data, floor->ticket.size));
	gnutls_transport_set_int(tls, floor->fd);
	do
		r = gnutls_handshake(tls);
	while (r < 0 && gnutls_error_is_fatal(r) == 0);
	check(r);
	floor->tls = tls;
	floor->report.resumed += gnutls_session_is_resumed(tls);
}

static void
greet(struct floor *floor)
{
	static const char ehlo[] = "EHLO localhost\r\n";
	static const char starttls[] = "STARTTLS\r\n";

	if (!floor->options->is_implicit) {
		hear(floor, 1);
		say(floor, ehlo, sizeof(ehlo) - 1);
		hear(floor, 1);
		say(floor, starttls, sizeof(starttls) - 1);
		hear(floor, 1);
	}
	secure(floor);
	if (floor->options->is_implicit)
		hear(floor, 1);
	say(floor, ehlo, sizeof(ehlo) - 1);
	hear(floor, 1);
}

static void
connect_to(struct floor *floor)
{
	struct sockaddr_in address;
	int on = 1;

	memset(&address, 0, sizeof(address));
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons((uint16_t)floor->options->port);
	floor->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (floor->fd < 0 ||
	    connect(floor->fd, (struct sockaddr *)&address, sizeof(address)) <
		0)
		bench_fail("connect", strerror(errno));
	setsockopt(floor->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	floor->tls = NULL;
	greet(floor);
}

/* MAIL, RCPT and BDAT with the content, so many times. */
static char *
make_messages(const struct floor *floor, long count, size_t *out_len)
{
	size_t cap = floor->content.len + 128 +
	    (size_t)floor->options->recipients * 40;
	char *text = malloc(cap), *p = text, *all;
	long i;

	if (text == NULL)
		bench_fail("floor", "out of memory");
	p += sprintf(p, "MAIL FROM:<" BENCH_SENDER ">\r\n");
	for (i = 0; i < floor->options->recipients; i++)
		p = stpcpy(stpcpy(stpcpy(p, "RCPT TO:<"), bench_recipient(i)),
		    ">\r\n");
	p += sprintf(p, "BDAT %zu LAST\r\n", floor->content.len);
	memcpy(p, floor->content.data, floor->content.len);
	cap = (size_t)(p - text) + floor->content.len;
	all = malloc(cap * (size_t)count);
	if (all == NULL)
		bench_fail("floor", "out of memory");
	for (i = 0; i < count; i++)
		memcpy(all + (size_t)i * cap, text, cap);
	free(text);
	*out_len = cap;
	return all;
}

static void
pump(struct floor *floor)
{
	long window = floor->options->window, left = floor->options->messages;
	char *text;
	size_t len;

	if (window > left)
		window = left;
	if (window < 1)
		return;
	text = make_messages(floor, window, &len);
	for (; left > 0; left -= window) {
		if (window > left)
			window = left;
		say(floor, text, len * (size_t)window);
		hear(floor, (floor->options->recipients + 2) * window);
		floor->report.accepted += window;
	}
	free(text);
}

static void
keep_ticket(struct floor *floor)
{
	if ((gnutls_session_get_flags(floor->tls) &
		GNUTLS_SFLAGS_SESSION_TICKET) == 0)
		return;
	gnutls_free(floor->ticket.data);
	check(gnutls_session_get_data2(floor->tls, &floor->ticket));
}

static void
run(struct floor *floor)
{
	connect_to(floor);
	pump(floor);
	say(floor, "QUIT\r\n", 6);
	hear(floor, 1);
	if (floor->options->resume)
		keep_ticket(floor);
	gnutls_bye(floor->tls, GNUTLS_SHUT_WR);
	gnutls_deinit(floor->tls);
	close(floor->fd);
}

int
main(int argc, char **argv)
{
	struct bench_options options;
	struct floor floor = { .options = &options };
	long i;

	bench_options_parse(argc, argv, &options);
	bench_content_open(&options, &floor.content);
	check(gnutls_certificate_allocate_credentials(&floor.credentials));
	check(gnutls_certificate_set_x509_trust_file(
	    floor.credentials, options.ca, GNUTLS_X509_FMT_PEM));
	floor.report.rss_before = bench_memory("VmRSS");
	floor.report.started = bench_now();
	for (i = 0; i < options.connections; i++)
		run(&floor);
	bench_report(&floor.report);
	gnutls_free(floor.ticket.data);
	gnutls_certificate_free_credentials(floor.credentials);
	bench_content_close(&floor.content);
	return 0;
}
