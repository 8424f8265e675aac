/* SPDX-License-Identifier: MIT */
#include "spool/bounce.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <smtptls/message.h>

#include "crypto/random.h"
#include "mail/date.h"
#include "mail/message-id.h"
#include "settings/settings.h"
#include "smtp/xtext.h"

/* RFC 5322 section 2.1.1, with place for what is around it. */
#define LINE_TEXT_MAX 900

#define BOUNDARY_LEN 32

/* An octet is six characters at most: `\x{3D}` for an equals sign. */
#define XTEXT_CAP (6 * STLS_PATH_LEN_MAX + 1)

bool
bounce_is_wanted(
    const struct spool_message *message, const struct mail_options *options)
{
	return message->sender[0] != '\0' &&
	    (options->notify == 0 ||
		(options->notify & SMTPTLS_NOTIFY_FAILURE) != 0);
}

/* Whether a text is a reply of a server. */
static bool
is_reply(const char *text)
{
	return strspn(text, "0123456789") == 3 && text[3] == ' ';
}

static bool
is_over(const char *text)
{
	return strncmp(
		   text, BOUNCE_TIME_IS_OVER, strlen(BOUNCE_TIME_IS_OVER)) == 0;
}

bool
bounce_is_modest(const struct spool_message *message)
{
	const struct spool_recipient *recipient = message->recipients;
	size_t i;

	for (i = 0; i < message->recipient_count; i++, recipient++) {
		if (recipient->state == SPOOL_REFUSED &&
		    recipient->reply != NULL && !is_reply(recipient->reply) &&
		    !is_over(recipient->reply))
			return true;
	}
	return false;
}

/* Append a line; what went wrong is seen in the end. */
__attribute__((format(printf, 2, 3))) static void
put(struct stls_buf *buf, const char *fmt, ...)
{
	char line[2048];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line) - 2, fmt, args);
	va_end(args);
	if (len < 0)
		len = 0;
	if (len > (int)sizeof(line) - 3)
		len = sizeof(line) - 3;
	memcpy(line + len, "\r\n", 2);
	if (stls_buf_append(buf, line, (size_t)len + 2) != 0)
		buf->max = 0;
}

static bool
is_ascii(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text >= 0x80)
			return false;
	}
	return true;
}

/* For a field that is ASCII whatever was said: other octets become `?`. */
static const char *
ascii_of(const char *text, char out[LINE_TEXT_MAX + 1])
{
	size_t i;

	for (i = 0; i < LINE_TEXT_MAX && text[i] != '\0'; i++)
		out[i] = (char)((unsigned char)text[i] < 0x80 ? text[i] : '?');
	out[i] = '\0';
	return out;
}

/*
 * RFC 3464 section 2.3.2; an address that is not ASCII as RFC 6533 section 3
 * has it, where no character is but its number.
 */
static void
put_final_recipient(struct stls_buf *buf, const char *address)
{
	char text[XTEXT_CAP];

	if (is_ascii(address))
		put(buf, "Final-Recipient: rfc822; %s", address);
	else if (stls_xtext_encode_utf8(text, sizeof(text), address) >= 0)
		put(buf, "Final-Recipient: utf-8; %s", text);
	else
		put(buf, "Final-Recipient: utf-8; unknown");
}

static void
put_status(struct stls_buf *buf, const char *reply)
{
	const char *enhanced = is_reply(reply) ? reply + 4 : "";
	size_t len = strspn(enhanced, "0123456789.");

	/* RFC 3463 section 2: class, subject, detail. */
	if (len >= 5 && len <= 9 && enhanced[1] == '.' &&
	    (enhanced[0] == '4' || enhanced[0] == '5') &&
	    (enhanced[len] == ' ' || enhanced[len] == '\0'))
		put(buf, "Status: %.*s", (int)len, enhanced);
	else
		put(buf, "Status: %s", is_over(reply) ? "4.4.7" : "5.0.0");
}

static void
put_recipients(struct stls_buf *buf, const struct bounce *bounce)
{
	const struct spool_recipient *recipient = bounce->message->recipients;
	char text[LINE_TEXT_MAX + 1], date[STLS_DATE_LEN + 1];
	const char *reply;
	size_t i;

	for (i = 0; i < bounce->message->recipient_count; i++, recipient++) {
		if (recipient->state != SPOOL_REFUSED)
			continue;
		reply = recipient->reply != NULL ? recipient->reply : "";
		put(buf, "%s", "");
		put_final_recipient(buf, recipient->address);
		put(buf, "Action: failed");
		put_status(buf, reply);
		if (is_reply(reply))
			put(buf, "Diagnostic-Code: smtp; %s",
			    ascii_of(reply, text));
		stls_date_format(date, recipient->since);
		put(buf, "Last-Attempt-Date: %s", date);
	}
}

static void
put_envid(struct stls_buf *buf, const char *envid)
{
	char text[3 * MAIL_ENVID_MAX + 1];

	if (stls_xtext_encode(text, sizeof(text), envid) > 0)
		put(buf, "Original-Envelope-Id: %s", text);
}

/* In words that are ASCII, unless what is returned is not either. */
static void
put_word_of(struct stls_buf *buf, const struct bounce *bounce,
    const struct spool_recipient *recipient)
{
	const char *reply = recipient->reply != NULL ? recipient->reply
						     : "refused by the server";
	const char *address = recipient->address;
	char text[LINE_TEXT_MAX + 1], numbers[XTEXT_CAP];

	if (!bounce->is_8bit && !is_ascii(address) &&
	    stls_xtext_encode_utf8(numbers, sizeof(numbers), address) >= 0)
		address = numbers;
	put(buf, "%s", "");
	put(buf, "<%s>:", address);
	put(buf, "    %.*s", LINE_TEXT_MAX,
	    bounce->is_8bit ? reply : ascii_of(reply, text));
}

static void
put_words(struct stls_buf *buf, const struct bounce *bounce)
{
	const struct spool_message *message = bounce->message;
	char date[STLS_DATE_LEN + 1];
	size_t i;

	put(buf, "Content-Type: text/plain; charset=%s",
	    bounce->is_8bit ? "utf-8" : "us-ascii");
	put(buf, "Content-Transfer-Encoding: %s\r\n",
	    bounce->is_8bit ? "8bit" : "7bit");
	stls_date_format(date, message->arrived);
	put(buf, "This is " PROGRAM " on %s.", bounce->host);
	put(buf, "%s", "");
	put(buf, "Your message of %s", date);
	put(buf, "could not be delivered to the recipients below.");
	for (i = 0; i < message->recipient_count; i++) {
		if (message->recipients[i].state == SPOOL_REFUSED)
			put_word_of(buf, bounce, &message->recipients[i]);
	}
}

static void
put_header(
    struct stls_buf *buf, const struct bounce *bounce, const char *message_id)
{
	char date[STLS_DATE_LEN + 1];

	stls_date_format(date, bounce->now);
	put(buf, "From: Mail Delivery System <MAILER-DAEMON@%s>", bounce->host);
	put(buf, "To: <%s>", bounce->message->sender);
	put(buf, "Subject: Undelivered mail returned to sender");
	put(buf, "Date: %s", date);
	put(buf, "Message-ID: %s", message_id);
	/* RFC 3834 section 5.1: nobody is to answer this by a program. */
	put(buf, "Auto-Submitted: auto-replied");
	put(buf, "MIME-Version: 1.0");
}

static void
put_returned_type(
    struct stls_buf *buf, const struct bounce *bounce, const char *boundary)
{
	bool utf8 = bounce->options->smtputf8;

	/* RFC 6522 section 3: it need not be there. */
	if (bounce->returns == BOUNCE_RETURNS_NOTHING)
		return;
	put(buf, "%s\r\n--%s", "", boundary);
	if (bounce->returns == BOUNCE_RETURNS_ALL)
		put(buf, "Content-Type: %s",
		    utf8 ? "message/global" : "message/rfc822");
	else
		put(buf, "Content-Type: %s",
		    utf8 ? "message/global-headers" : "text/rfc822-headers");
	if (bounce->is_8bit)
		put(buf, "Content-Transfer-Encoding: 8bit");
	put(buf, "%s", "");
}

static int
make_boundary(struct stls_err *err, char out[BOUNDARY_LEN + 1])
{
	unsigned char bytes[BOUNDARY_LEN / 2];
	size_t i;

	if (stls_random(err, bytes, sizeof(bytes)) < 0)
		return stls_err_set(err, EX_OSERR, "no random bytes");
	for (i = 0; i < sizeof(bytes); i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

int
bounce_format(struct stls_err *err, const struct bounce *bounce,
    struct stls_buf *head, struct stls_buf *tail)
{
	char boundary[BOUNDARY_LEN + 1], date[STLS_DATE_LEN + 1];
	char id[STLS_MESSAGE_ID_LEN_MAX + 1];

	if (stls_message_id_make(err, bounce->now, bounce->host, id) < 0)
		return stls_err_set(
		    err, EX_OSERR, "no Message-ID for %s", bounce->host);
	if (make_boundary(err, boundary) != 0)
		return EX_OSERR;
	put_header(head, bounce, id);
	put(head,
	    "Content-Type: multipart/report; report-type=delivery-status;");
	put(head, "\tboundary=\"%s\"", boundary);
	put(head, "%s\r\n--%s", "", boundary);
	put_words(head, bounce);
	put(head, "%s\r\n--%s", "", boundary);
	put(head, "Content-Type: message/delivery-status\r\n");
	put(head, "Reporting-MTA: dns; %s", bounce->host);
	if (bounce->options->envid[0] != '\0')
		put_envid(head, bounce->options->envid);
	stls_date_format(date, bounce->message->arrived);
	put(head, "Arrival-Date: %s", date);
	put_recipients(head, bounce);
	put_returned_type(head, bounce, boundary);
	put(tail, "%s\r\n--%s--", "", boundary);
	if (head->max == 0 || tail->max == 0)
		return stls_err_set(err, EX_OSERR, "out of memory");
	return 0;
}
