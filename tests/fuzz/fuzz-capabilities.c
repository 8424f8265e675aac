/* SPDX-License-Identifier: MIT */
/* What a server offers: the lines behind the first one of an EHLO reply. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <smtptls/status.h>

#include "smtp/capabilities.h"
#include "smtp/demands.h"

/* The lines again as a reply, each of which was text. */
static char *
write_again(const struct stls_capabilities *offered, size_t *out_len)
{
	size_t i, len = 16;
	char *text, *at;

	for (i = 0; i < offered->count; i++)
		len += strlen(offered->lines[i]) + 6;
	text = malloc(len);
	at = stpcpy(text, offered->count > 0 ? "250-x\r\n" : "250 x\r\n");
	for (i = 0; i < offered->count; i++) {
		at = stpcpy(at, i + 1 < offered->count ? "250-" : "250 ");
		at = stpcpy(stpcpy(at, offered->lines[i]), "\r\n");
	}
	*out_len = (size_t)(at - text);
	return text;
}

static void
check_same(const struct stls_capabilities *a, const struct stls_capabilities *b)
{
	size_t i;

	FUZZ_CHECK(a->count == b->count);
	for (i = 0; i < a->count; i++)
		FUZZ_CHECK(strcmp(a->lines[i], b->lines[i]) == 0);
	FUZZ_CHECK(a->pipelining == b->pipelining);
	FUZZ_CHECK(a->chunking == b->chunking);
	FUZZ_CHECK(a->has_size == b->has_size);
	FUZZ_CHECK(a->eight_bit == b->eight_bit);
	FUZZ_CHECK(a->smtputf8 == b->smtputf8);
	FUZZ_CHECK(a->size_max == b->size_max);
	FUZZ_CHECK(a->mails_max == b->mails_max);
	FUZZ_CHECK(a->rcpts_max == b->rcpts_max);
}

/* A keyword is found by what stands in front of the first blank. */
static void
check_found(const struct stls_capabilities *offered)
{
	static const struct {
		const char *keyword;
		size_t at;
	} flags[] = {
		{ "PIPELINING",
		    offsetof(struct stls_capabilities, pipelining) },
		{ "CHUNKING", offsetof(struct stls_capabilities, chunking) },
		{ "SIZE", offsetof(struct stls_capabilities, has_size) },
		{ "8BITMIME", offsetof(struct stls_capabilities, eight_bit) },
		{ "SMTPUTF8", offsetof(struct stls_capabilities, smtputf8) },
	};
	const char *found;
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		found = stls_capabilities_find(offered, flags[i].keyword);
		FUZZ_CHECK(
		    (found != NULL) == *((const bool *)offered + flags[i].at));
	}
	for (i = 0; i < offered->count; i++) {
		char *word = strdup(offered->lines[i]);

		FUZZ_CHECK(fuzz_is_printable(word, strlen(word)));
		word[strcspn(word, " ")] = '\0';
		if (word[0] != '\0')
			FUZZ_CHECK(
			    stls_capabilities_find(offered, word) != NULL);
		free(word);
	}
}

static void
check_demands(const struct stls_capabilities *offered)
{
	const struct stls_demands demands = {
		.notify = STLS_NOTIFY_FAILURE,
		.require_tls = true,
		.hold_for_s = 60,
		.has_priority = true,
		.priority = -3,
		.has_deliver_by = true,
		.deliver_by_s = 600,
	};
	struct stls_err err = { 0 };

	if (stls_demands_check(&err, &demands, offered, true, "mx") < 0)
		FUZZ_CHECK(fuzz_is_sentence(err.text));
	FUZZ_CHECK(
	    stls_demands_check(&err, &demands, offered, false, "mx") < 0);
}

static void
check_all(const struct stls_reply *reply)
{
	struct stls_capabilities offered = { 0 }, again = { 0 };
	struct stls_reply_parser parser = { 0 };
	struct stls_reply second;
	struct stls_err err = { 0 };
	size_t len;
	char *text;

	FUZZ_CHECK(stls_capabilities_parse(&offered, reply) == SMTPTLS_OK);
	check_found(&offered);
	check_demands(&offered);
	text = write_again(&offered, &len);
	/* Escaped they may be longer than a reply may be. */
	if (stls_reply_parse(&err, &parser, text, len, &second) == SMTPTLS_OK) {
		FUZZ_CHECK(
		    stls_capabilities_parse(&again, &second) == SMTPTLS_OK);
		check_same(&offered, &again);
	} else {
		FUZZ_CHECK(err.code == SMTPTLS_E_LIMIT);
	}
	free(text);
	stls_capabilities_done(&again);
	stls_capabilities_done(&offered);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stls_reply_parser parser = { 0 };
	struct stls_reply reply;
	struct stls_err err;

	if (stls_reply_parse(&err, &parser, (const char *)data, size, &reply) ==
	    SMTPTLS_OK)
		check_all(&reply);
	return 0;
}
