/* SPDX-License-Identifier: MIT */
#ifndef SINK_MISCHIEF_TALK_H
#define SINK_MISCHIEF_TALK_H

#include "conversation/smtp.h"

/* Hooks of struct sink_misbehaviour: what is said instead of doing it ... */

bool sink_mischief_answer(struct sink_smtp *smtp);
bool sink_mischief_421(struct sink_smtp *smtp);
bool sink_mischief_always_250(struct sink_smtp *smtp);
bool sink_mischief_always_354(struct sink_smtp *smtp);
bool sink_mischief_every_second(struct sink_smtp *smtp); /* 550 */
bool sink_mischief_one_recipient(struct sink_smtp *smtp);
bool sink_mischief_repeat(struct sink_smtp *smtp); /* what was said */
bool sink_mischief_redirect(struct sink_smtp *smtp);

/* ... and although it was done. */

bool sink_mischief_lie(struct sink_smtp *smtp, size_t mark);
bool sink_mischief_refuse_first_chunk(struct sink_smtp *smtp, size_t mark);
bool sink_mischief_redirect_251(struct sink_smtp *smtp, size_t mark);
bool sink_mischief_challenge(struct sink_smtp *smtp, size_t mark);
bool sink_mischief_challenge_once(struct sink_smtp *smtp, size_t mark);
bool sink_mischief_long_challenge(struct sink_smtp *smtp, size_t mark);

#endif
