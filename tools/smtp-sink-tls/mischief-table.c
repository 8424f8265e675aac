/* SPDX-License-Identifier: MIT */
#include "mischief-table.h"

#include "mischief-reply.h"
#include "mischief-take.h"

/* Where a connection is ended: the most octets that are counted. */
#define OCTETS_MAX 100000

/* clang-format off */
const struct sink_misbehaviour sink_misbehaviours[] = {
	/* STARTTLS. */
	{ "inject-same-segment", NULL, 0, 0,
	    "an EHLO reply comes in the segment of the 220 to STARTTLS",
	    .reply = sink_mischief_inject },

	/* Another answer. */
	{ "421-at", SINK_STEPS, 0, 0,
	    "the step is not done but answered with 421, then close",
	    .take = sink_mischief_421 },
	{ "answer", SINK_STEPS, 200, 599,
	    "the step is not done but answered with this code",
	    .take = sink_mischief_answer },

	/* The end of the connection. */
	{ "close-at", SINK_STEPS, 0, 0,
	    "the step is done, but the answer is a close without close_notify",
	    .reply = sink_mischief_drop, .end = SINK_END_CLOSE },
	{ "notify-at", SINK_STEPS, 0, 0,
	    "the step is done, but the answer is a close with close_notify",
	    .reply = sink_mischief_drop, .end = SINK_END_NOTIFY },
	{ "reset-at", SINK_STEPS, 0, 0,
	    "the step is done, but the answer is a TCP reset",
	    .reply = sink_mischief_drop, .end = SINK_END_RESET },
	{ "half-close-at", SINK_STEPS, 0, 0,
	    "the step is done, but the answer is a FIN, and reading goes on",
	    .reply = sink_mischief_drop, .end = SINK_END_HALF },
	{ "silence-at", SINK_STEPS, 0, 0,
	    "the step is done, but nothing is answered from then on",
	    .reply = sink_mischief_drop, .end = SINK_END_SILENCE },
	{ "close-after", NULL, 1, OCTETS_MAX,
	    "close after so many octets of SMTP, without close_notify",
	    .end = SINK_END_CLOSE },
	{ "notify-after", NULL, 1, OCTETS_MAX,
	    "close after so many octets of SMTP, with close_notify",
	    .end = SINK_END_NOTIFY },
	{ "reset-after", NULL, 1, OCTETS_MAX,
	    "a TCP reset after so many octets of SMTP",
	    .end = SINK_END_RESET },
	{ "half-close-after", NULL, 1, OCTETS_MAX,
	    "a FIN after so many octets of SMTP, and reading goes on",
	    .end = SINK_END_HALF },
	{ "silence-after", NULL, 1, OCTETS_MAX,
	    "nothing more after so many octets of SMTP",
	    .end = SINK_END_SILENCE },
};
/* clang-format on */

const size_t sink_misbehaviour_count = sizeof(sink_misbehaviours) /
    sizeof(sink_misbehaviours[0]);
