/* SPDX-License-Identifier: MIT */
#include "mischief-take.h"

#include "misbehave.h"
#include "reply.h"

static bool
is_its_step(const struct sink_smtp *smtp)
{
	return smtp->policy->mischief->step == smtp->step;
}

bool
sink_mischief_answer(struct sink_smtp *smtp)
{
	if (!is_its_step(smtp))
		return false;
	sink_reply(smtp, (int)smtp->policy->mischief->number, "",
	    "as --misbehave has it");
	return true;
}

bool
sink_mischief_421(struct sink_smtp *smtp)
{
	if (!is_its_step(smtp))
		return false;
	sink_reply(smtp, 421, "4.3.2", "as --misbehave has it");
	smtp->state = SINK_SMTP_CLOSING;
	return true;
}
