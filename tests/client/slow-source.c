/* SPDX-License-Identifier: MIT */
#include "client/slow-source.h"

#include "client/envelope.h"

const struct step accepting[] = {
	OFFER,
	MAIL,
	BOB_TAKEN,
	DATA,
	STEP(CONTENT),
	SEND("250 queued\r\n"),
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

const struct step cut_off[] = {
	OFFER,
	MAIL,
	BOB_TAKEN,
	DATA,
	STEP(SWALLOW),
	END,
};

int
slow_source_read(void *buf, size_t cap, size_t *out_len, void *arg)
{
	struct slow_source *source = arg;

	ck_assert_uint_gt(cap, 0);
	if (source->at == source->fails_at)
		return SMTPTLS_E_SOURCE;
	if (source->stalls && !source->stalled) {
		source->stalled = true;
		return SMTPTLS_AGAIN;
	}
	source->stalled = false;
	*out_len = 0;
	if (source->at == source->len)
		return SMTPTLS_OK;
	*(char *)buf = source->text[source->at++];
	*out_len = 1;
	return SMTPTLS_OK;
}

static int
rewind(void *arg)
{
	struct slow_source *source = arg;

	source->at = 0;
	source->rewinds++;
	return SMTPTLS_OK;
}

void
slow_source_set(struct talk *talk, struct slow_source *source)
{
	ck_assert_ok(smtptls_message_new(&talk->message));
	ck_assert_ok(smtptls_message_set_sender(talk->message, TALK_SENDER));
	ck_assert_ok(
	    smtptls_message_add_recipient(talk->message, TALK_RECIPIENT));
	ck_assert_ok(smtptls_message_set_body_cb(
	    talk->message, slow_source_read, rewind, source));
}

void
assert_cut_off(struct talk *talk, int code, const char *sentence)
{
	talk_assert_failed(talk, talk_send(talk), code, sentence);
	ck_assert_int_eq(smtptls_message_outcome(talk->message, 0),
	    SMTPTLS_OUTCOME_NOT_TRIED);
	talk_hang_up(talk);
	ck_assert(!received_has(server_inside(talk->server), "\r\n.\r\n"));
	ck_assert(!received_has(server_inside(talk->server), "QUIT"));
	talk_end(talk);
}
