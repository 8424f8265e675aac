/* SPDX-License-Identifier: MIT */
#include "mischief.h"

#include "misbehave.h"
#include "smtp.h"

bool
sink_mischief_takes(struct sink_smtp *smtp, enum sink_step step)
{
	const struct sink_mischief *mischief = smtp->policy->mischief;

	smtp->step = step;
	return mischief->row->take != NULL && mischief->row->take(smtp);
}

void
sink_mischief_reply(struct sink_smtp *smtp, size_t mark)
{
	const struct sink_mischief *mischief = smtp->policy->mischief;

	if (mischief->row->reply == NULL || stls_buf_len(&smtp->out) <= mark)
		return;
	if (mischief->step != SINK_STEP_OTHER && mischief->step != smtp->step)
		return;
	mischief->row->reply(smtp, mark);
}
