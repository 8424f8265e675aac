/* SPDX-License-Identifier: MIT */
#include "client/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/eintr.h"
#include "base/err.h"

/* What is left for the recipients: the rest of a line has its limits. */
#define TO_LEN_MAX 1800
#define VALUE_LEN_MAX 600
#define TAG_CAP 100

struct line {
	char *text;
	size_t cap;
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void
add(struct line *line, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(line->text + line->len, line->cap - line->len, fmt, args);
	va_end(args);
	if (n < 0)
		return;
	line->len += (size_t)n;
	if (line->len >= line->cap)
		line->len = line->cap - 1;
}

/* Inside of quotes, so that a quote or a backslash of its own is no end. */
static void
add_escaped(struct line *line, const char *value)
{
	char quoted[VALUE_LEN_MAX], escaped[VALUE_LEN_MAX];
	size_t len = 0;

	for (; *value != '\0' && len + 2 < sizeof(quoted); value++) {
		if (*value == '"' || *value == '\\')
			quoted[len++] = '\\';
		quoted[len++] = *value;
	}
	stls_escape(escaped, sizeof(escaped), quoted, len);
	add(line, "%s", escaped);
}

static void
add_value(struct line *line, const char *name, const char *value)
{
	add(line, "%s%s=\"", line->len > 0 ? " " : "", name);
	add_escaped(line, value[0] != '\0' ? value : "-");
	add(line, "\"");
}

static void
add_recipients(struct line *line, const struct stls_address_list *list)
{
	size_t start = line->len, i;

	add(line, " to=\"");
	for (i = 0; i < list->count && line->len - start < TO_LEN_MAX; i++) {
		add(line, "%s", i > 0 ? "," : "");
		add_escaped(line, list->items[i].mailbox);
	}
	add(line, "\"");
	if (i < list->count)
		add(line, " more=%zu", list->count - i);
}

static const char *
outcome_of(const struct delivery *delivery)
{
	if (delivery->outcome != NULL)
		return delivery->outcome;
	if (delivery->spool_id[0] != '\0')
		return "stored";
	if (delivery->status == 0)
		return "accepted";
	return delivery->is_in_doubt ? "in-doubt" : "failed";
}

void
log_format(char *out, size_t cap, const struct mail *mail,
    const struct delivery *delivery)
{
	struct line line = { .text = out, .cap = cap };

	out[0] = '\0';
	add_value(&line, "id", delivery->spool_id);
	add(&line, " from=\"");
	add_escaped(&line, mail->sender != NULL ? mail->sender : "");
	add(&line, "\"");
	add_recipients(&line, &mail->recipients);
	add_value(&line, "relay", delivery->relay);
	add_value(&line, "tls", delivery->tls);
	add(&line, " outcome=%s status=%d", outcome_of(delivery),
	    delivery->status);
	add_value(&line, "reply", delivery->reply);
	if (delivery->text[0] != '\0')
		add_value(&line, "error", delivery->text);
}

static void
to_syslog(const char *tag, const char *text, int status)
{
	openlog(tag, LOG_PID, LOG_MAIL);
	syslog(status == 0 ? LOG_INFO : LOG_ERR, "%s", text);
	closelog();
}

static int
open_file(struct stls_err *err, const char *path, int *out_fd)
{
	struct stat st;

	/* O_NONBLOCK: a FIFO without a reader shall not hold up the mail. */
	*out_fd = UNINTERRUPTED(open(path,
	    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY |
		O_NONBLOCK,
	    0600));
	if (*out_fd < 0 || fstat(*out_fd, &st) < 0)
		return stls_err_errno(
		    err, EX_CANTCREAT, errno, "log file %s", path);
	if (!S_ISREG(st.st_mode))
		return stls_err_set(err, EX_CANTCREAT,
		    "log file %s is not a regular file", path);
	if (st.st_uid != 0 && st.st_uid != getuid())
		return stls_err_set(err, EX_CANTCREAT,
		    "log file %s belongs to user %ld", path, (long)st.st_uid);
	return 0;
}

/* One write(2) with O_APPEND: lines of several processes do not mix. */
static int
to_file(
    struct stls_err *err, const char *path, const char *tag, const char *text)
{
	CLEANUP(close_fd) int fd = -1;
	char line[LOG_LINE_LEN_MAX + 200], when[40];
	time_t now = time(NULL);
	struct tm tm;
	ssize_t n;
	int r, len;

	r = open_file(err, path, &fd);
	if (r != 0)
		return r;
	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	len = snprintf(line, sizeof(line), "%s %s[%ld]: %s\n", when, tag,
	    (long)getpid(), text);
	do {
		n = write(fd, line, (size_t)len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return stls_err_errno(
		    err, EX_CANTCREAT, errno, "log file %s", path);
	if (n < len)
		return stls_err_set(err, EX_CANTCREAT,
		    "log file %s: only a part of the line could be written",
		    path);
	return 0;
}

/*
 * Whoever hands a message over may choose the name, and shall not write the
 * rest of a line by it: what ends a name in a log becomes an underscore.
 */
static void
make_tag(const char *wanted, char out[TAG_CAP])
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._/@+-";
	size_t i;

	for (i = 0; i < TAG_CAP - 1 && wanted[i] != '\0'; i++)
		out[i] = (char)(strchr(plain, wanted[i]) != NULL ? wanted[i]
								 : '_');
	out[i] = '\0';
}

void
log_delivery(const struct settings *settings, const struct mail *mail,
    const struct delivery *delivery)
{
	const char *wanted = settings->log_tag != NULL ? settings->log_tag
						       : PROGRAM;
	char text[LOG_LINE_LEN_MAX], tag[TAG_CAP];
	struct stls_err err = { 0 };

	if (settings->log == NULL)
		return;
	make_tag(wanted, tag);
	log_format(text, sizeof(text), mail, delivery);
	if (strcmp(settings->log, LOG_TO_SYSLOG) == 0)
		to_syslog(tag, text, delivery->status);
	else if (to_file(&err, settings->log, tag, text) != 0)
		fprintf(stderr, PROGRAM ": warning: %s\n", err.text);
}
