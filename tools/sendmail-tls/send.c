/* SPDX-License-Identifier: MIT */
#include "send.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "deliver.h"
#include "mail.h"

/* Content with LF line ends, as text on a terminal or in a pipe. */
static void
print_content(const char *content, size_t len)
{
	const char *cr;
	size_t n;

	while (len > 0) {
		cr = memchr(content, '\r', len);
		n = cr != NULL ? (size_t)(cr - content) : len;
		fwrite(content, 1, n, stdout);
		content += n;
		len -= n;
		if (cr == NULL)
			continue;
		putchar('\n');
		n = len > 1 && content[1] == '\n' ? 2 : 1;
		content += n;
		len -= n;
	}
}

static int
print_mail(struct stls_err *err, const struct mail *mail)
{
	size_t i;

	printf("MAIL FROM:<%s>\n", mail->sender);
	for (i = 0; i < mail->recipients.count; i++)
		printf("RCPT TO:<%s>\n", mail->recipients.items[i].mailbox);
	putchar('\n');
	print_content(mail->content, mail->content_len);
	if (mail->content_len > 0 &&
	    mail->content[mail->content_len - 1] != '\n')
		putchar('\n');
	if (fflush(stdout) != 0)
		return stls_err_set(
		    err, EX_SOFTWARE, "standard output cannot be written");
	return 0;
}

int
send_mail(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, bool stdin_was_closed)
{
	CLEANUP(mail_done) struct mail mail = { 0 };
	CLEANUP(delivery_done) struct delivery delivery = { 0 };
	int r;

	r = mail_prepare(err, settings, identity, stdin_was_closed, &mail);
	if (r == 0 && settings->dry_run)
		r = deliver_check(err, settings, identity, &mail);
	if (r != 0)
		return r;
	if (settings->dry_run)
		return print_mail(err, &mail);
	deliver(err, settings, identity, &mail, &delivery);
	stls_err_clear(err);
	delivery_print(&delivery, stderr);
	return delivery.status;
}
