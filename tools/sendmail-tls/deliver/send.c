/* SPDX-License-Identifier: MIT */
#include "deliver/send.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "deliver/deliver.h"
#include "message/mail.h"
#include "message/print.h"

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
		return mail_print(err, &mail, stdout);
	deliver(err, settings, identity, &mail, &delivery);
	stls_err_clear(err);
	delivery_print(&delivery, stderr);
	return delivery.status;
}
