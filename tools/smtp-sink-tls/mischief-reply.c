/* SPDX-License-Identifier: MIT */
#include "mischief-reply.h"

#include "misbehave.h"
#include "reply.h"

void
sink_mischief_drop(struct sink_smtp *smtp, size_t mark)
{
	stls_buf_truncate(&smtp->out, mark);
	smtp->mischief.end = smtp->policy->mischief->row->end;
	smtp->state = SINK_SMTP_CLOSING;
}

void
sink_mischief_inject(struct sink_smtp *smtp, size_t mark)
{
	(void)mark;
	if (smtp->step != SINK_STEP_STARTTLS || !smtp->wants_tls)
		return;
	sink_reply_line(smtp, 250, false, "localhost");
	sink_reply_line(smtp, 250, true, "AUTH PLAIN LOGIN");
}
