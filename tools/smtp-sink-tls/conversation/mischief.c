/* SPDX-License-Identifier: MIT */
#include "conversation/mischief.h"

#include "conversation/extensions.h"
#include "conversation/misbehaviour.h"
#include "conversation/smtp.h"

void
sink_mischief_note(struct sink_smtp *smtp)
{
	smtp->stats->misbehaviours++;
}

static bool
is_its_step(const struct sink_smtp *smtp)
{
	const struct sink_mischief *mischief = smtp->policy->mischief;

	return mischief->step == SINK_STEP_OTHER ||
	    mischief->step == smtp->step ||
	    (mischief->row->flags & SINK_AT_ANY_STEP) != 0;
}

/*
 * Whoever does not insist on STARTTLS is to lose something, or nobody would
 * see that.
 */
static bool
is_about_starttls(const struct sink_mischief *mischief)
{
	return (mischief->row->flags & SINK_STRIPS_TLS) != 0 ||
	    mischief->step == SINK_STEP_STARTTLS ||
	    mischief->step == SINK_STEP_EHLO;
}

void
sink_mischief_begin(struct sink_smtp *smtp)
{
	const struct sink_mischief *mischief = smtp->policy->mischief;
	struct sink_mischief_state *state = &smtp->mischief;

	state->hidden = state->shown = 0;
	state->takes_clear = !smtp->is_tls && is_about_starttls(mischief);
	if (state->takes_clear && smtp->policy->credentials.user != NULL)
		state->shown |= SINK_AUTH;
	/* With BDAT there is no DATA. */
	if (mischief->step == SINK_STEP_DATA ||
	    (mischief->row->flags & SINK_WANTS_DATA) != 0)
		state->hidden |= SINK_CHUNKING;
	if (mischief->row->begin != NULL)
		mischief->row->begin(smtp);
}

bool
sink_mischief_takes(struct sink_smtp *smtp, enum sink_step step)
{
	const struct sink_mischief *mischief = smtp->policy->mischief;

	smtp->step = step;
	if (mischief->row->take == NULL || !is_its_step(smtp) ||
	    !mischief->row->take(smtp))
		return false;
	sink_mischief_note(smtp);
	return true;
}

void
sink_mischief_reply(struct sink_smtp *smtp, size_t mark)
{
	const struct sink_mischief *mischief = smtp->policy->mischief;

	if (stls_buf_len(&smtp->out) <= mark || !is_its_step(smtp))
		return;
	if (mischief->row->reply != NULL && mischief->row->reply(smtp, mark))
		sink_mischief_note(smtp);
}
