/* SPDX-License-Identifier: MIT */
/* Commands, and what a message asks for: whatever a program gives us. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <smtptls/message.h>
#include <smtptls/status.h>

#include "message.h"
#include "smtp/command.h"

/* One line and no more, or nothing and a sentence. */
static void
check_line(int r, const struct stls_err *err, const struct stls_buf *out,
    const char *verb, bool utf8, size_t max)
{
	const char *line = (const char *)stls_buf_data(out);
	size_t len = stls_buf_len(out), i;

	if (r < 0) {
		FUZZ_CHECK(fuzz_is_sentence(err->text) && len == 0);
		return;
	}
	FUZZ_CHECK(len >= 2 && len <= max);
	FUZZ_CHECK(memcmp(line + len - 2, "\r\n", 2) == 0);
	FUZZ_CHECK(strncmp(line, verb, strlen(verb)) == 0);
	FUZZ_CHECK(fuzz_is_printable(line, len - 2));
	for (i = 0; i < len; i++)
		FUZZ_CHECK(utf8 || (unsigned char)line[i] < 0x80);
}

static void
ask(struct smtptls_message *message, struct fuzz_input *input)
{
	unsigned int flags = fuzz_take(input);
	char *type = fuzz_take_line(input, NULL);
	char *original = fuzz_take_line(input, NULL);
	char *id = fuzz_take_line(input, NULL);

	if (fuzz_flag(flags, 0))
		smtptls_message_set_notify(message, flags >> 4);
	if (fuzz_flag(flags, 1))
		smtptls_message_set_recipient_original(
		    message, 0, type, original);
	if (fuzz_flag(flags, 2))
		smtptls_message_set_envelope_id(message, id);
	if (fuzz_flag(flags, 3))
		smtptls_message_set_hold_until(
		    message, (int64_t)fuzz_take(input) << (flags >> 3));
	if (fuzz_flag(flags, 4))
		smtptls_message_set_deliver_by_s(message,
		    (int)fuzz_take(input) - 9, SMTPTLS_DELIVER_BY_RETURN, 1);
	if (fuzz_flag(flags, 5))
		smtptls_message_set_priority(
		    message, (int)fuzz_take(input) % 24 - 12);
	free(type);
	free(original);
	free(id);
}

/* What the setters have taken, the writer takes, too. */
static void
check_message(struct fuzz_input *input)
{
	char *sender = fuzz_take_line(input, NULL);
	char *recipient = fuzz_take_line(input, NULL);
	struct smtptls_message *message;
	struct stls_mail_params params = { .smtputf8 = true, .has_size = true };
	struct stls_buf out;
	struct stls_err err = { 0 };
	bool is_good;
	int r;

	FUZZ_CHECK(smtptls_message_new(&message) == SMTPTLS_OK);
	smtptls_message_set_sender(message, sender);
	smtptls_message_add_recipient(message, recipient);
	ask(message, input);
	is_good = !message->is_spoiled && message->txn.count == 1;
	if (message->is_spoiled)
		FUZZ_CHECK(fuzz_is_sentence(smtptls_message_error(message)));
	if (is_good) {
		stls_buf_init(&out, 1 << 16);
		params.demands = message->txn.demands;
		r = stls_command_mail(&err, &out, message->txn.sender, &params);
		FUZZ_CHECK(r == SMTPTLS_OK);
		check_line(r, &err, &out, "MAIL FROM:<", true, 1024);
		stls_buf_clear(&out);
		if (params.demands != NULL)
			r = stls_command_rcpt_with(&err, &out,
			    message->txn.recipients[0].mailbox, true,
			    params.demands, 0);
		else
			r = stls_command_rcpt(&err, &out,
			    message->txn.recipients[0].mailbox, true);
		FUZZ_CHECK(r == SMTPTLS_OK);
		check_line(r, &err, &out, "RCPT TO:<", true, 1024);
		stls_buf_done(&out);
	}
	smtptls_message_free(message);
	free(sender);
	free(recipient);
}

/* And whatever nobody has looked at before. */
static void
check_writer(const char *text, size_t len, unsigned int flags)
{
	struct stls_mail_params params = {
		.has_size = fuzz_flag(flags, 0),
		.size = (uint64_t)len << (flags & 63),
		.body_8bit = fuzz_flag(flags, 1),
		.smtputf8 = fuzz_flag(flags, 2),
	};
	struct stls_secret secret = { 0 };
	struct stls_err err = { 0 };
	struct stls_buf out;
	int r;

	stls_buf_init(&out, 1 << 16);
	r = stls_command_mail(&err, &out, text, &params);
	check_line(r, &err, &out, "MAIL FROM:<", params.smtputf8, 1024);
	stls_buf_clear(&out);
	r = stls_command_rcpt(&err, &out, text, params.smtputf8);
	check_line(r, &err, &out, "RCPT TO:<", params.smtputf8, 1024);
	stls_buf_clear(&out);
	r = stls_command_ehlo(&err, &out, "EHLO", text);
	check_line(r, &err, &out, "EHLO ", false, 1024);
	stls_buf_clear(&out);
	FUZZ_CHECK(stls_secret_set(&secret, text, len) == SMTPTLS_OK);
	r = stls_command_auth(&err, &out, text, &secret);
	check_line(r, &err, &out, "AUTH ", false, STLS_AUTH_COMMAND_MAX);
	stls_buf_clear(&out);
	r = stls_command_auth_response(&err, &out, &secret);
	check_line(r, &err, &out, "", false, STLS_AUTH_LINE_MAX);
	stls_buf_clear(&out);
	r = stls_command_bdat(&err, &out, params.size, params.body_8bit);
	check_line(r, &err, &out, "BDAT ", false, 64);
	stls_secret_done(&secret);
	stls_buf_done(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	unsigned int flags = fuzz_take(&input);
	char *text;
	size_t len;

	if (fuzz_flag(flags, 7)) {
		text = fuzz_take_rest(&input, &len);
		check_writer(text, len, flags);
		free(text);
	} else {
		check_message(&input);
	}
	return 0;
}
