/* SPDX-License-Identifier: MIT */
#include "mischief/talk.h"

#include "conversation/misbehaviour.h"
#include "conversation/reply.h"
#include "conversation/transaction.h"

static const char excuse[] = "as --misbehave has it";

/* Whether the code is a yes or a "go on". */
static bool
is_positive(uint64_t code)
{
	return code < 400;
}

bool
sink_mischief_answer(struct sink_smtp *smtp)
{
	uint64_t code = smtp->policy->mischief->number;

	/* RFC 3030 section 2: the rest of the chunks is refused as well. */
	if (smtp->step == SINK_STEP_CHUNK && !is_positive(code))
		smtp->tx.is_failed = true;
	sink_reply(smtp, (int)code, "", excuse);
	return true;
}

bool
sink_mischief_421(struct sink_smtp *smtp)
{
	sink_reply(smtp, 421, "4.3.2", excuse);
	smtp->state = SINK_SMTP_CLOSING;
	return true;
}

/* A client has to come as far as to have something to say. */
static bool
is_beginning(const struct sink_smtp *smtp)
{
	return smtp->step == SINK_STEP_GREETING ||
	    smtp->step == SINK_STEP_EHLO || smtp->step == SINK_STEP_HELO;
}

bool
sink_mischief_always_250(struct sink_smtp *smtp)
{
	if (is_beginning(smtp))
		return false;
	sink_reply(smtp, 250, "2.0.0", excuse);
	return true;
}

bool
sink_mischief_always_354(struct sink_smtp *smtp)
{
	if (is_beginning(smtp))
		return false;
	sink_reply(smtp, 354, "", excuse);
	return true;
}

bool
sink_mischief_every_second(struct sink_smtp *smtp)
{
	if (smtp->mischief.count++ % 2 == 0)
		return false;
	sink_reply(smtp, 550, "5.1.1", excuse);
	return true;
}

bool
sink_mischief_one_recipient(struct sink_smtp *smtp)
{
	if (smtp->step != SINK_STEP_RCPT || smtp->tx.recipients == 0)
		return false;
	sink_reply(smtp, 452, "4.5.3", "too many recipients");
	return true;
}

bool
sink_mischief_repeat(struct sink_smtp *smtp)
{
	const struct sink_mischief_state *state = &smtp->mischief;

	(void)stls_buf_append_str(&smtp->out, "535 5.7.8 refused: ");
	(void)stls_buf_append(&smtp->out, state->args, state->args_len);
	(void)stls_buf_append_str(&smtp->out, "\r\n");
	return true;
}

/* The words are 251, 551, 421: see the table. */
bool
sink_mischief_redirect(struct sink_smtp *smtp)
{
	switch (smtp->policy->mischief->word) {
	case 1:
		sink_reply(smtp, 551, "5.1.6",
		    "User not local; please try <thief@localhost>");
		return true;
	case 2:
		sink_reply(smtp, 421, "4.3.2", "localhost:25 please use that");
		smtp->state = SINK_SMTP_CLOSING;
		return true;
	default:
		return false;
	}
}

bool
sink_mischief_redirect_251(struct sink_smtp *smtp, size_t mark)
{
	if (smtp->policy->mischief->word != 0)
		return false;
	stls_buf_truncate(&smtp->out, mark);
	sink_reply(smtp, 251, "2.1.5",
	    "User not local; will forward to <thief@localhost>");
	return true;
}

bool
sink_mischief_lie(struct sink_smtp *smtp, size_t mark)
{
	stls_buf_truncate(&smtp->out, mark);
	sink_reply(smtp, (int)smtp->policy->mischief->number, "", excuse);
	return true;
}

bool
sink_mischief_refuse_first_chunk(struct sink_smtp *smtp, size_t mark)
{
	if (smtp->mischief.count++ > 0)
		return false;
	stls_buf_truncate(&smtp->out, mark);
	sink_reply(smtp, 452, "4.3.1", excuse);
	return true;
}

bool
sink_mischief_challenge(struct sink_smtp *smtp, size_t mark)
{
	stls_buf_truncate(&smtp->out, mark);
	sink_reply(smtp, 334, "", smtp->policy->mischief->row->text);
	smtp->state = SINK_SMTP_AUTH;
	return true;
}

bool
sink_mischief_challenge_once(struct sink_smtp *smtp, size_t mark)
{
	return smtp->mischief.count++ == 0 &&
	    sink_mischief_challenge(smtp, mark);
}

bool
sink_mischief_long_challenge(struct sink_smtp *smtp, size_t mark)
{
	if (smtp->mischief.count++ > 0)
		return false;
	stls_buf_truncate(&smtp->out, mark);
	(void)stls_buf_append_str(&smtp->out, "334 ");
	smtp->mischief.filler.text = "QUJD";
	smtp->mischief.filler.left = smtp->policy->mischief->number / 4;
	smtp->mischief.filler.tail = "\r\n";
	smtp->state = SINK_SMTP_AUTH;
	return true;
}
