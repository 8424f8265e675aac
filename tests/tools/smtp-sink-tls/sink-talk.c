/* SPDX-License-Identifier: MIT */
#include "sink-talk.h"

#include <stdio.h>
#include <string.h>

struct sink_stats stats;
struct sink_policy policy;
struct sink_smtp smtp;
char out[65536];
size_t out_len;

void
prepare(unsigned int how, unsigned int extensions)
{
	memset(&stats, 0, sizeof(stats));
	memset(&policy, 0, sizeof(policy));
	policy.stats = &stats;
	policy.extensions = extensions;
	policy.maildir = -1;
	if ((how & LOGIN) != 0) {
		policy.credentials.user = "alice";
		policy.credentials.password.data = (char *)"secret";
		policy.credentials.password.len = 6;
	}
	if ((how & TOKEN) != 0) {
		policy.credentials.user = "alice";
		policy.credentials.token.data = (char *)"to-ken==";
		policy.credentials.token.len = 8;
	}
}

void
start(unsigned int how)
{
	sink_smtp_init(&smtp, &policy);
	if ((how & CLEAR) == 0)
		sink_smtp_tls_started(&smtp);
	out_len = 0;
	out[0] = '\0';
}

void
begin(unsigned int how, unsigned int extensions)
{
	prepare(how, extensions);
	start(how);
}

void
collect(void)
{
	size_t n = stls_buf_len(&smtp.out);

	ck_assert_uint_lt(out_len + n, sizeof(out));
	memcpy(out + out_len, stls_buf_data(&smtp.out), n);
	out_len += n;
	out[out_len] = '\0';
	stls_buf_consume(&smtp.out, n);
}

void
feed_cut(const char *data, size_t len, size_t cut)
{
	size_t used;

	used = sink_smtp_feed(&smtp, data, cut);
	collect();
	sink_smtp_feed(&smtp, data + used, len - used);
	collect();
}

void
feed(const char *text)
{
	size_t len = strlen(text), used;

	for (; len > 0; text += used, len -= used) {
		used = sink_smtp_feed(&smtp, text, len);
		collect();
		if (used == 0)
			break;
	}
}

const char *
codes(void)
{
	static char text[sizeof(out)];
	const char *line = out, *end;
	size_t n = 0;

	for (; (end = strstr(line, "\r\n")) != NULL; line = end + 2) {
		if (end - line < 4 || line[3] != ' ') {
			/* A good server says nothing else. */
			ck_assert(policy.mischief != NULL ||
			    (end - line >= 4 && line[3] == '-'));
			continue;
		}
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.3s",
		    n > 0 ? " " : "", line);
	}
	ck_assert(policy.mischief != NULL || *line == '\0');
	text[n] = '\0';
	return text;
}
