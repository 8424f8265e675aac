/* SPDX-License-Identifier: MIT */
#include "message.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

int
smtptls_message_new(struct smtptls_message **out_message)
{
	struct smtptls_message *message;

	if (out_message == NULL)
		return SMTPTLS_E_INVALID;
	message = stls_alloc_zero(sizeof(*message));
	*out_message = message;
	if (message == NULL)
		return SMTPTLS_E_NOMEM;
	atomic_init(&message->holders, 1);
	message->txn.status = SMTPTLS_AGAIN;
	return SMTPTLS_OK;
}

struct smtptls_message *
smtptls_message_ref(struct smtptls_message *message)
{
	if (message != NULL)
		atomic_fetch_add(&message->holders, 1);
	return message;
}

void
smtptls_message_free(struct smtptls_message *message)
{
	if (message == NULL || atomic_fetch_sub(&message->holders, 1) > 1)
		return;
	stls_transaction_done(&message->txn);
	stls_recipient_index_done(&message->index);
	stls_content_release(&message->content);
	free(message);
}

const char *
smtptls_message_error(const struct smtptls_message *message)
{
	if (message == NULL)
		return smtptls_strerror(SMTPTLS_E_NOMEM);
	if (message->err.code != SMTPTLS_OK)
		return stls_err_text(&message->err);
	return message->txn.err.text;
}

int
stls_message_check_open(struct smtptls_message *message)
{
	if (message == NULL)
		return SMTPTLS_E_INVALID;
	if (message->submitted)
		return SMTPTLS_E_STATE;
	if (message->is_spoiled)
		return message->err.code;
	stls_err_clear(&message->err);
	return SMTPTLS_OK;
}

int
stls_message_spoil(struct smtptls_message *message)
{
	message->is_spoiled = true;
	return message->err.code;
}

static int
missing(struct smtptls_message *message, const char *what)
{
	return stls_err_set(
	    &message->err, SMTPTLS_E_INVALID, "%s is missing", what);
}

static int
spoil_missing(struct smtptls_message *message, const char *what)
{
	missing(message, what);
	return stls_message_spoil(message);
}

static int
spoil_nomem(struct smtptls_message *message)
{
	stls_err_nomem(&message->err);
	return stls_message_spoil(message);
}

static bool
is_null_path(const char *address)
{
	return address[0] == '\0' || strcmp(address, "<>") == 0;
}

int
smtptls_message_set_sender(struct smtptls_message *message, const char *address)
{
	struct stls_mailbox mailbox = { .text = "" };
	int r;

	r = stls_message_check_open(message);
	if (r < 0)
		return r;
	if (address == NULL)
		return spoil_missing(message, "the address");
	if (!is_null_path(address)) {
		r = stls_mailbox_parse(
		    &message->err, address, strlen(address), &mailbox);
		if (r < 0)
			return stls_message_spoil(message);
	}
	r = stls_transaction_set_sender(
	    &message->txn, mailbox.text, mailbox.len, mailbox.needs_smtputf8);
	if (r < 0)
		return spoil_nomem(message);
	message->has_sender = true;
	return SMTPTLS_OK;
}

int
smtptls_message_add_recipient(
    struct smtptls_message *message, const char *address)
{
	struct stls_mailbox mailbox;
	int r;

	r = stls_message_check_open(message);
	if (r < 0)
		return r;
	if (address == NULL)
		return spoil_missing(message, "the address");
	r = stls_mailbox_parse(
	    &message->err, address, strlen(address), &mailbox);
	if (r < 0)
		return stls_message_spoil(message);
	r = stls_recipient_index_add(&message->index, &message->txn, &mailbox);
	return r < 0 ? spoil_nomem(message) : SMTPTLS_OK;
}

int
smtptls_address_check(const char *address)
{
	struct stls_mailbox mailbox;
	struct stls_err err;

	if (address == NULL)
		return SMTPTLS_E_INVALID;
	return stls_mailbox_parse(&err, address, strlen(address), &mailbox);
}

int
smtptls_message_set_body_mem(
    struct smtptls_message *message, const void *data, size_t len)
{
	int r;

	r = stls_message_check_open(message);
	if (r < 0)
		return r;
	if (data == NULL && len > 0)
		return spoil_missing(message, "the content");
	message->content = (struct stls_content){ .kind = STLS_CONTENT_MEM,
		.data = data != NULL ? data : "",
		.len = len };
	message->size_was_set = false;
	return SMTPTLS_OK;
}

int
smtptls_message_set_body_fd(struct smtptls_message *message, int fd)
{
	int r;

	r = stls_message_check_open(message);
	if (r < 0)
		return r;
	r = stls_content_init_fd(&message->content, &message->err, fd);
	if (r < 0)
		return stls_message_spoil(message);
	message->size_was_set = false;
	return SMTPTLS_OK;
}

int
smtptls_message_set_body_range(
    struct smtptls_message *message, int fd, uint64_t offset, uint64_t len)
{
	int r;

	r = stls_message_check_open(message);
	if (r < 0)
		return r;
	r = stls_content_init_range(
	    &message->content, &message->err, fd, offset, len);
	if (r < 0)
		return stls_message_spoil(message);
	message->size_was_set = false;
	return SMTPTLS_OK;
}

int
smtptls_message_set_body_cb(struct smtptls_message *message,
    smtptls_source_read_cb read, smtptls_source_rewind_cb rewind, void *arg)
{
	int r;

	r = stls_message_check_open(message);
	if (r < 0)
		return r;
	if (read == NULL)
		return spoil_missing(message, "the read callback");
	message->content = (struct stls_content){ .kind = STLS_CONTENT_CB,
		.read = read,
		.rewind = rewind,
		.arg = arg };
	message->size_was_set = false;
	return SMTPTLS_OK;
}

int
smtptls_message_set_size(struct smtptls_message *message, uint64_t size)
{
	int r;

	r = stls_message_check_open(message);
	if (r < 0)
		return r;
	message->txn.size = size;
	message->size_was_set = true;
	return SMTPTLS_OK;
}

int
smtptls_message_set_line_endings(
    struct smtptls_message *message, enum smtptls_line_endings policy)
{
	int r;

	r = stls_message_check_open(message);
	if (r < 0)
		return r;
	if (policy != SMTPTLS_LINE_ENDINGS_NORMALISE &&
	    policy != SMTPTLS_LINE_ENDINGS_REJECT) {
		stls_err_set(&message->err, SMTPTLS_E_INVALID,
		    "no line ending policy has the number %d", (int)policy);
		return stls_message_spoil(message);
	}
	message->txn.reject_line_endings = policy ==
	    SMTPTLS_LINE_ENDINGS_REJECT;
	return SMTPTLS_OK;
}

int
smtptls_message_set_smtputf8(struct smtptls_message *message, int on)
{
	int r;

	r = stls_message_check_open(message);
	if (r < 0)
		return r;
	message->txn.smtputf8 = on != 0;
	return SMTPTLS_OK;
}

int
smtptls_message_set_all_or_nothing(struct smtptls_message *message, int on)
{
	int r;

	r = stls_message_check_open(message);
	if (r < 0)
		return r;
	message->txn.all_or_nothing = on != 0;
	return SMTPTLS_OK;
}

int
smtptls_message_set_before_end(
    struct smtptls_message *message, smtptls_before_end_cb hook, void *arg)
{
	int r;

	r = stls_message_check_open(message);
	if (r < 0)
		return r;
	message->before_end = hook;
	message->before_end_arg = arg;
	return SMTPTLS_OK;
}

int
smtptls_message_set_progress(
    struct smtptls_message *message, smtptls_progress_cb progress, void *arg)
{
	int r;

	r = stls_message_check_open(message);
	if (r < 0)
		return r;
	message->progress = progress;
	message->progress_arg = arg;
	return SMTPTLS_OK;
}

int
smtptls_message_status(const struct smtptls_message *message)
{
	return message != NULL ? message->txn.status : SMTPTLS_E_INVALID;
}

size_t
smtptls_message_recipients(const struct smtptls_message *message)
{
	return message != NULL ? message->txn.count : 0;
}

static const struct stls_recipient *
recipient_at(const struct smtptls_message *message, size_t index)
{
	if (message == NULL || index >= message->txn.count)
		return NULL;
	return &message->txn.recipients[index];
}

const char *
smtptls_message_recipient(const struct smtptls_message *message, size_t index)
{
	const struct stls_recipient *recipient = recipient_at(message, index);

	return recipient != NULL ? recipient->mailbox : NULL;
}

enum smtptls_outcome
smtptls_message_outcome(const struct smtptls_message *message, size_t index)
{
	const struct stls_recipient *recipient = recipient_at(message, index);

	return recipient != NULL ? recipient->outcome
				 : SMTPTLS_OUTCOME_NOT_TRIED;
}

int
smtptls_message_reply_code(const struct smtptls_message *message, size_t index)
{
	const struct stls_recipient *recipient = recipient_at(message, index);

	return recipient != NULL ? recipient->code : 0;
}

const char *
smtptls_message_reply_step(const struct smtptls_message *message, size_t index)
{
	const struct stls_recipient *recipient = recipient_at(message, index);

	return stls_step_name(
	    recipient != NULL ? recipient->step : STLS_STEP_NONE);
}

const char *
smtptls_message_reply_enhanced(
    const struct smtptls_message *message, size_t index)
{
	const struct stls_recipient *recipient = recipient_at(message, index);

	return recipient != NULL ? recipient->enhanced : "";
}

const char *
smtptls_message_reply_text(const struct smtptls_message *message, size_t index)
{
	const struct stls_recipient *recipient = recipient_at(message, index);

	return recipient != NULL ? stls_recipient_text(recipient) : "";
}

static int
check_complete(struct smtptls_message *message)
{
	if (!message->has_sender)
		return missing(message, "the sender");
	if (message->txn.count == 0)
		return missing(message, "a recipient");
	if (message->content.kind == STLS_CONTENT_NONE)
		return missing(message, "the content");
	return SMTPTLS_OK;
}

size_t
stls_message_count_open(const struct smtptls_message *message)
{
	size_t i, open = 0;

	for (i = 0; i < message->txn.count; i++)
		open += stls_recipient_is_open(&message->txn.recipients[i]);
	return open;
}

/*
 * A 421 to MAIL is about the connection: servers that count the messages of
 * one, or the time, say so there.
 */
static bool
is_untouched(const struct stls_recipient *recipient)
{
	return recipient->outcome == SMTPTLS_OUTCOME_NOT_TRIED ||
	    (recipient->outcome == SMTPTLS_OUTCOME_REFUSED_LATER &&
		recipient->code == 421 && recipient->step == STLS_STEP_MAIL);
}

bool
stls_message_is_untouched(const struct smtptls_message *message, size_t open)
{
	size_t i, untouched = 0;

	for (i = 0; i < message->txn.count; i++)
		untouched += is_untouched(&message->txn.recipients[i]);
	return untouched == open && !message->hook_was_called &&
	    (message->content.offset == 0 ||
		stls_content_can_rewind(&message->content));
}

int
stls_message_not_sent(
    struct smtptls_message *message, const struct stls_err *reason)
{
	stls_transaction_start(&message->txn);
	stls_transaction_fail(&message->txn, false, reason);
	stls_transaction_finish(&message->txn);
	return message->txn.status;
}

int
stls_message_check(struct smtptls_message *message)
{
	int r;

	r = stls_message_check_open(message);
	if (r == SMTPTLS_OK)
		r = check_complete(message);
	if (r < 0)
		return r;
	if (message->is_in_done)
		return stls_err_set(&message->err, SMTPTLS_E_STATE,
		    "its client has not given the message back yet");
	/* A message that everybody has is not sent again. */
	if (stls_message_count_open(message) == 0)
		return stls_err_set(&message->err, SMTPTLS_E_STATE,
		    "every recipient has its final outcome");
	return SMTPTLS_OK;
}

int
stls_message_prepare(struct smtptls_message *message)
{
	struct stls_data_facts facts = { 0 };
	struct stls_transaction *txn;
	bool known = false;
	int r;

	r = stls_message_check(message);
	if (r < 0)
		return r;
	txn = &message->txn;
	r = stls_content_rewind(&message->content, &message->err);
	if (r == SMTPTLS_OK)
		r = stls_content_look(
		    &message->content, &message->err, &facts, &known);
	if (r == SMTPTLS_OK)
		r = stls_data_check(
		    &message->err, &facts, txn->reject_line_endings);
	if (r < 0)
		return r;

	if (known && !message->size_was_set)
		txn->size = facts.size;
	txn->size_is_known = known || message->size_was_set;
	txn->is_7bit = known && !facts.has_8bit;
	txn->is_8bit = known && facts.has_8bit;
	txn->is_exact = known;
	txn->content_size = facts.size;
	txn->can_rewind = stls_content_can_rewind(&message->content);
	txn->status = SMTPTLS_AGAIN;
	message->hook_was_called = false;
	message->submitted = true;
	return SMTPTLS_OK;
}
