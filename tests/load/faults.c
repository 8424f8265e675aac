/* SPDX-License-Identifier: MIT */
#include "load/faults.h"

const char *const fault_names[FAULTS] = {
	[FAULT_NONE] = "none",
	[FAULT_RESET_SENDING] = "reset while sending",
	[FAULT_RESET_READING] = "reset while reading",
	[FAULT_CLOSE_SENDING] = "closed while sending",
	[FAULT_CLOSE_READING] = "closed while reading",
	[FAULT_HALF_CLOSE] = "half closed",
	[FAULT_STALL_SENDING] = "stalled while sending",
	[FAULT_STALL_READING] = "stalled while reading",
	[FAULT_FLIP] = "a bit flipped",
	[FAULT_DRIP] = "dripped",
	[FAULT_LATER] = "4xx",
	[FAULT_NEVER] = "5xx",
	[FAULT_CLOSING] = "421",
	[FAULT_BYE] = "close_notify for an answer",
	[FAULT_CUT_OFF] = "end without close_notify",
	[FAULT_RESET] = "reset for an answer",
	[FAULT_SILENCE] = "no answer",
	[FAULT_TWICE] = "two answers",
	[FAULT_UNASKED] = "421 unasked",
};

/* Half of them where it matters most. */
static enum step
choose_step(struct chance *chance)
{
	return chance_one_in(chance, 2) ? STEP_END
					: chance_below(chance, STEPS);
}

struct plan
plan_make(struct chance *chance, bool has_faults)
{
	struct plan plan = {
		.octet = chance_scale(chance, 17),
		.step = choose_step(chance),
		.message = chance_below(chance, 3),
		.keeps = chance_one_in(chance, 2),
		.drip = 1 + chance_scale(chance, 6),
		.has_pipelining = !chance_one_in(chance, 4),
		.has_chunking = !chance_one_in(chance, 4),
		.has_tls12 = chance_one_in(chance, 4),
	};

	/* A third is left in peace, lest the wheel never turns. */
	if (has_faults && !chance_one_in(chance, 3))
		plan.fault = 1 + chance_below(chance, FAULTS - 1);
	if (plan.step < STEP_MAIL)
		plan.message = 0;
	if (plan.fault == FAULT_TWICE || plan.fault == FAULT_UNASKED)
		plan.step = STEP_END;
	/* Where much is in the air a second yes may pass for the next one. */
	if (plan.fault == FAULT_TWICE)
		plan.has_pipelining = plan.has_chunking = false;
	return plan;
}
