/* SPDX-License-Identifier: MIT */
#include "engine-preface.h"

#include <string.h>

#include "fuzz.h"

static void
ask(struct preface *preface)
{
	FUZZ_CHECK(preface->question_count < PREFACE_MAX);
	preface->questions[preface->question_count++] = preface->seen;
}

void
preface_restart(struct preface *preface)
{
	preface->seen = preface->line_len = 0;
	preface->question_count = preface->answer_count = 0;
	preface->in_auth = preface->is_authenticated = false;
	/* The greeting answers nothing that was said. */
	if (!preface->engine->config.implicit_tls)
		ask(preface);
}

void
preface_start_tls(struct preface *preface)
{
	if (preface->engine->config.implicit_tls)
		ask(preface);
}

static void
check_message(const struct preface *preface)
{
	const struct stls_engine *engine = preface->engine;
	bool is_mail = strncmp(preface->line, "MAIL", 4) == 0;

	FUZZ_CHECK(engine->tls || engine->config.insecure_no_tls);
	FUZZ_CHECK(preface->is_authenticated || !engine->config.authenticate);
	FUZZ_CHECK(!preface->gate_is_closed || !is_mail);
}

static bool
is_of_message(struct preface *preface)
{
	const struct stls_engine *engine = preface->engine;

	if (strncmp(preface->line, "AUTH ", 5) == 0) {
		FUZZ_CHECK(engine->tls && engine->config.authenticate);
		FUZZ_CHECK(!preface->gate_is_closed && !preface->in_auth);
		preface->in_auth = true;
	} else if (strncmp(preface->line, "STARTTLS\r", 9) == 0) {
		FUZZ_CHECK(!engine->tls && !engine->config.implicit_tls);
		FUZZ_CHECK(!engine->config.insecure_no_tls);
	} else if (!preface->in_auth &&
	    strncmp(preface->line + 1, "HLO ", 4) != 0) {
		check_message(preface);
		return true;
	}
	return false;
}

bool
preface_see(struct preface *preface, unsigned char octet)
{
	FUZZ_CHECK(preface->line_len < sizeof(preface->line));
	preface->line[preface->line_len++] = (char)octet;
	preface->seen++;
	if (octet != '\n')
		return false;
	if (is_of_message(preface))
		return true;
	ask(preface);
	preface->line_len = 0;
	return false;
}

bool
preface_reply(struct preface *preface, const struct stream_reply *reply)
{
	size_t i = preface->answer_count++;

	if (reply->code == 421 || i >= preface->question_count ||
	    preface->questions[i] > reply->at)
		return false;
	if (preface->in_auth && reply->code != 334) {
		preface->is_authenticated = reply->code == 235;
		preface->in_auth = false;
	}
	return reply->code < 400;
}
