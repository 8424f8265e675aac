/* SPDX-License-Identifier: MIT */
#include "client/server-visit.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Between two sips. */
#define SIP_MS 1
#define CONTENTS_MAX 4096

void
received_append(struct received *to, const void *data, size_t len)
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

void
visit_init(struct visit *v, const struct visit_host *host)
{
	memset(v, 0, sizeof(*v));
	v->host = host;
	v->fd = -1;
	/* What is empty is a text, too. */
	received_append(&v->clear, "", 0);
	received_append(&v->inside, "", 0);
	received_append(&v->wire, "", 0);
}

void
visit_done(struct visit *v)
{
	size_t i;

	free(v->clear.data);
	free(v->inside.data);
	free(v->wire.data);
	free(v->held.data);
	for (i = 0; i < v->contents_count; i++)
		free(v->contents[i].data);
	free(v->contents);
}

static struct received *
add_content(struct visit *v)
{
	v->contents = realloc(
	    v->contents, (v->contents_count + 1) * sizeof(*v->contents));
	if (v->contents == NULL)
		abort();
	return &v->contents[v->contents_count];
}

void
visit_move(struct visit *from, struct visit *to)
{
	size_t i;

	received_append(&to->clear, from->clear.data, from->clear.len);
	received_append(&to->inside, from->inside.data, from->inside.len);
	received_append(&to->wire, from->wire.data, from->wire.len);
	for (i = 0; i < from->contents_count; i++) {
		*add_content(to) = from->contents[i];
		to->contents_count++;
	}
	from->contents_count = 0;
	to->resumed += from->resumed;
	if (from->problem[0] != '\0')
		visit_complain(to, "%s", from->problem);
}

void
visit_complain(struct visit *v, const char *fmt, ...)
{
	va_list ap;

	if (v->problem[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(v->problem, sizeof(v->problem), fmt, ap);
	va_end(ap);
}

bool
visit_wait(struct visit *v, short events, int at_most_ms)
{
	struct pollfd pfd = { .fd = v->fd, .events = events };
	int left = stls_deadline_left_ms(v->host->deadline);

	if (left == 0) {
		visit_complain(v, "the client did not go away");
		return false;
	}
	if (at_most_ms >= 0 && at_most_ms < left)
		left = at_most_ms;
	return poll(&pfd, 1, left) > 0;
}

size_t
visit_read_wire(struct visit *v, char *buf, size_t cap)
{
	ssize_t n;

	if (v->sips)
		poll(NULL, 0, SIP_MS);
	if (v->is_gone || !visit_wait(v, POLLIN, -1))
		return 0;
	n = recv(v->fd, buf, cap, 0);
	if (n <= 0) {
		v->is_gone = true;
		return 0;
	}
	received_append(&v->wire, buf, (size_t)n);
	return (size_t)n;
}

bool
visit_write_wire(struct visit *v, const char *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		if (!visit_wait(v, POLLOUT, -1))
			return false;
		n = send(v->fd, data, v->drips ? 1 : len,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
		/* What the client says meanwhile is read later. */
		if (v->drips)
			poll(NULL, 0, DRIP_MS);
	}
	return true;
}

size_t
visit_read(struct visit *v, char *buf, size_t cap)
{
	ssize_t n;

	if (v->tls == NULL) {
		n = (ssize_t)visit_read_wire(v, buf, cap);
		received_append(&v->clear, buf, (size_t)n);
		return (size_t)n;
	}
	do
		n = gnutls_record_recv(v->tls, buf, cap);
	while (n == GNUTLS_E_INTERRUPTED || n == GNUTLS_E_AGAIN);
	if (n <= 0) {
		v->is_gone = true;
		return 0;
	}
	received_append(&v->inside, buf, (size_t)n);
	return (size_t)n;
}

bool
visit_write(struct visit *v, const char *data, size_t len)
{
	ssize_t n;

	if (v->tls == NULL)
		return visit_write_wire(v, data, len);
	while (len > 0) {
		n = gnutls_record_send(v->tls, data, len);
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

bool
visit_read_octet(struct visit *v, char *out)
{
	if (v->tls == NULL)
		return visit_read(v, out, 1) == 1;
	if (v->unread_len == 0) {
		v->unread_len = visit_read(v, v->unread, sizeof(v->unread));
		v->unread_at = 0;
	}
	if (v->unread_len == 0)
		return false;
	*out = v->unread[v->unread_at++];
	v->unread_len--;
	return true;
}

bool
visit_read_line(struct visit *v, char *line, size_t *out_len)
{
	size_t len = 0;

	for (;;) {
		if (!visit_read_octet(v, line + len)) {
			line[len] = '\0';
			return false;
		}
		len++;
		if (len >= 2 && line[len - 2] == '\r' && line[len - 1] == '\n')
			break;
		if (len == LINE_MAX_LEN - 1) {
			visit_complain(v,
			    "the client sent a line above %d octets",
			    LINE_MAX_LEN);
			return false;
		}
	}
	line[len - 2] = '\0';
	*out_len = len - 2;
	return true;
}

bool
visit_read_content(struct visit *v)
{
	struct received *content;
	size_t len;
	char octet;

	if (v->contents_count == CONTENTS_MAX) {
		visit_complain(v, "more than %d contents", CONTENTS_MAX);
		return false;
	}
	content = add_content(v);
	memset(content, 0, sizeof(*content));
	for (;;) {
		if (!visit_read_octet(v, &octet)) {
			visit_complain(
			    v, "the client went away in mid content");
			free(content->data);
			return false;
		}
		received_append(content, &octet, 1);
		len = content->len;
		if ((len == 3 && memcmp(content->data, ".\r\n", 3) == 0) ||
		    (len >= 5 &&
			memcmp(content->data + len - 5, "\r\n.\r\n", 5) == 0))
			break;
	}
	content->len -= 3;
	content->data[content->len] = '\0';
	v->contents_count++;
	return true;
}

void
visit_swallow(struct visit *v)
{
	char buf[16384];

	v->unread_len = 0;
	while (visit_read(v, buf, sizeof(buf)) > 0)
		;
}

void
visit_close(struct visit *v)
{
	if (v->tls != NULL)
		gnutls_deinit(v->tls);
	v->tls = NULL;
	if (v->fd >= 0)
		close(v->fd);
	v->fd = -1;
	v->unread_len = 0;
}
