/* SPDX-License-Identifier: MIT */
#include "spool/file.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/alloc.h"
#include "spool/record.h"

#define MAGIC "smtptls-spool 1 "

static const char *const state_words[SPOOL_STATE_COUNT] = {
	[SPOOL_WAITING] = "waiting",
	[SPOOL_IN_DOUBT] = "in-doubt",
	[SPOOL_ACCEPTED] = "accepted",
	[SPOOL_REFUSED] = "refused",
	[SPOOL_TOLD] = "told",
};

const char *
spool_state_word(enum spool_state state)
{
	return state_words[state];
}

void
spool_file_format_head(uint64_t content_len, char out[SPOOL_FILE_HEAD_LEN + 1])
{
	snprintf(out, SPOOL_FILE_HEAD_LEN + 1, MAGIC "%020" PRIu64 "\n",
	    content_len);
}

int
spool_file_parse_head(
    struct stls_err *err, const char *head, size_t len, uint64_t *out_len)
{
	size_t magic_len = strlen(MAGIC), i;
	uint64_t value = 0;

	if (len < SPOOL_FILE_HEAD_LEN || memcmp(head, MAGIC, magic_len) != 0)
		return stls_err_set(err, EX_DATAERR,
		    "its first line is not that of a file of the spool");
	for (i = magic_len; i < SPOOL_FILE_HEAD_LEN - 1; i++) {
		if (head[i] < '0' || head[i] > '9' || value > INT64_MAX / 100)
			break;
		value = value * 10 + (uint64_t)(head[i] - '0');
	}
	if (i != SPOOL_FILE_HEAD_LEN - 1 || head[i] != '\n')
		return stls_err_set(err, EX_DATAERR,
		    "the length in its first line is no number");
	*out_len = value;
	return 0;
}

static int
out_of_memory(struct stls_err *err)
{
	return stls_err_set(err, EX_OSERR, "out of memory");
}

static int
replace(struct stls_err *err, char **field, const char *value)
{
	char *copy = stls_strdup(value);

	if (copy == NULL)
		return out_of_memory(err);
	free(*field);
	*field = copy;
	return 0;
}

int
spool_message_add_option(struct stls_err *err, struct spool_message *message,
    const char *name, const char *value)
{
	struct spool_option *options, *option;

	options = stls_realloc(
	    message->options, (message->option_count + 1) * sizeof(options[0]));
	if (options == NULL)
		return out_of_memory(err);
	message->options = options;
	option = &options[message->option_count];
	option->name = stls_strdup(name);
	option->value = stls_strdup(value);
	message->option_count++;
	return option->name != NULL && option->value != NULL
	    ? 0
	    : out_of_memory(err);
}

const char *
spool_message_option(const struct spool_message *message, const char *name)
{
	size_t i;

	for (i = 0; i < message->option_count; i++) {
		if (strcmp(message->options[i].name, name) == 0)
			return message->options[i].value;
	}
	return NULL;
}

int
spool_message_add_recipient(
    struct stls_err *err, struct spool_message *message, const char *address)
{
	size_t count = message->recipient_count;
	struct spool_recipient *recipients = message->recipients;

	/* The place doubles where the count is a power of two. */
	if ((count & (count - 1)) == 0) {
		recipients = stls_realloc(recipients,
		    (count == 0 ? 1 : count * 2) * sizeof(recipients[0]));
		if (recipients == NULL)
			return out_of_memory(err);
		message->recipients = recipients;
	}
	memset(&recipients[count], 0, sizeof(recipients[count]));
	recipients[count].state = SPOOL_WAITING;
	recipients[count].since = message->arrived;
	recipients[count].address = stls_strdup(address);
	message->recipient_count++;
	return recipients[count].address != NULL ? 0 : out_of_memory(err);
}

size_t
spool_message_count(const struct spool_message *message, enum spool_state state)
{
	size_t i, count = 0;

	for (i = 0; i < message->recipient_count; i++)
		count += message->recipients[i].state == state;
	return count;
}

/* --- reading ---------------------------------------------------------- */

/* How far the records have come; they have an order up to the recipients. */
struct reading {
	struct spool_message *message;
	size_t announced; /* recipients */
	bool has_arrived;
};

typedef int (*read_record)(
    struct stls_err *err, struct reading *reading, struct spool_record *record);

static int
malformed(struct stls_err *err, const char *what)
{
	return stls_err_set(
	    err, EX_DATAERR, "its %s record is malformed", what);
}

static int
read_arrived(
    struct stls_err *err, struct reading *reading, struct spool_record *record)
{
	int64_t when;

	if (reading->has_arrived || !spool_record_number(record, &when) ||
	    !spool_record_is_at_end(record))
		return malformed(err, "arrived");
	reading->message->arrived = (time_t)when;
	reading->has_arrived = true;
	return 0;
}

static int
read_account(
    struct stls_err *err, struct reading *reading, struct spool_record *record)
{
	if (reading->message->account != NULL)
		return malformed(err, "account");
	return replace(
	    err, &reading->message->account, spool_record_rest(record));
}

static int
read_sender(
    struct stls_err *err, struct reading *reading, struct spool_record *record)
{
	const char *address = spool_record_address(record);

	if (reading->message->sender != NULL || address == NULL)
		return malformed(err, "sender");
	return replace(err, &reading->message->sender, address);
}

static int
read_option(
    struct stls_err *err, struct reading *reading, struct spool_record *record)
{
	const char *name = spool_record_word(record);

	if (name == NULL || reading->announced != 0)
		return malformed(err, "option");
	return spool_message_add_option(
	    err, reading->message, name, spool_record_rest(record));
}

static int
read_count(
    struct stls_err *err, struct reading *reading, struct spool_record *record)
{
	int64_t count;

	if (reading->announced != 0 || !spool_record_number(record, &count) ||
	    count < 1 || !spool_record_is_at_end(record))
		return malformed(err, "recipients");
	reading->announced = (size_t)count;
	return 0;
}

static int
read_recipient(
    struct stls_err *err, struct reading *reading, struct spool_record *record)
{
	const char *address = spool_record_address(record);

	if (address == NULL || address[0] == '\0' ||
	    reading->message->recipient_count >= reading->announced)
		return malformed(err, "recipient");
	return spool_message_add_recipient(err, reading->message, address);
}

/* What may only stand behind the envelope. */
static bool
has_envelope(const struct reading *reading)
{
	const struct spool_message *message = reading->message;

	return reading->has_arrived && message->account != NULL &&
	    message->sender != NULL && reading->announced > 0 &&
	    message->recipient_count == reading->announced;
}

static int
read_state(
    struct stls_err *err, struct reading *reading, struct spool_record *record)
{
	struct spool_recipient *recipient;
	int64_t index, since;
	const char *word;
	int state;

	if (!has_envelope(reading) || !spool_record_number(record, &index) ||
	    index < 0 || (uint64_t)index >= reading->announced ||
	    (word = spool_record_word(record)) == NULL ||
	    !spool_record_number(record, &since))
		return malformed(err, "state");
	for (state = 0; state < SPOOL_STATE_COUNT; state++) {
		if (strcmp(word, state_words[state]) == 0)
			break;
	}
	if (state == SPOOL_STATE_COUNT)
		return malformed(err, "state");
	recipient = &reading->message->recipients[index];
	recipient->state = (enum spool_state)state;
	recipient->since = (time_t)since;
	if (spool_record_is_at_end(record))
		return 0;
	return replace(err, &recipient->reply, spool_record_rest(record));
}

static int
read_doubt(
    struct stls_err *err, struct reading *reading, struct spool_record *record)
{
	struct spool_recipient *recipient;
	int64_t since;
	size_t i;

	if (!has_envelope(reading) || !spool_record_number(record, &since) ||
	    !spool_record_is_at_end(record))
		return malformed(err, "doubt");
	for (i = 0; i < reading->announced; i++) {
		recipient = &reading->message->recipients[i];
		if (recipient->state != SPOOL_WAITING)
			continue;
		recipient->state = SPOOL_IN_DOUBT;
		recipient->since = (time_t)since;
	}
	return 0;
}

static int
read_attempt(
    struct stls_err *err, struct reading *reading, struct spool_record *record)
{
	struct spool_message *message = reading->message;
	int64_t when, next, age, status;

	if (!has_envelope(reading) || !spool_record_number(record, &when) ||
	    !spool_record_number(record, &next) ||
	    !spool_record_number(record, &age) || age < 0 || age > LONG_MAX ||
	    !spool_record_number(record, &status) || status < 0 || status > 255)
		return malformed(err, "tried");
	message->attempts++;
	message->last.when = (time_t)when;
	message->last.next = (time_t)next;
	message->last.age_s = (long)age;
	message->last.status = (int)status;
	return replace(err, &message->last.text, spool_record_rest(record));
}

static int
read_one(
    struct stls_err *err, struct reading *reading, struct spool_record *record)
{
	static const struct {
		const char *word;
		read_record read;
	} kinds[] = {
		{ "arrived", read_arrived },
		{ "account", read_account },
		{ "sender", read_sender },
		{ "option", read_option },
		{ "recipients", read_count },
		{ "recipient", read_recipient },
		{ "state", read_state },
		{ "doubt", read_doubt },
		{ "tried", read_attempt },
	};
	const char *word = spool_record_word(record);
	size_t i;

	for (i = 0; word != NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].word, word) == 0)
			return kinds[i].read(err, reading, record);
	}
	return stls_err_set(
	    err, EX_DATAERR, "it has a record of an unknown kind");
}

static void
note_states(struct spool_message *message)
{
	size_t i;

	for (i = 0; i < message->recipient_count; i++)
		message->recipients[i].noted = message->recipients[i].state;
}

int
spool_file_parse(struct stls_err *err, const char *text, size_t len,
    struct spool_message *message, size_t *out_used)
{
	struct reading reading = { .message = message };
	struct spool_record record;
	size_t used = 1;
	int r = 0;

	if (len == 0 || text[0] != '\n')
		return stls_err_set(err, EX_DATAERR,
		    "its content does not end where it should");
	while (r == 0 && spool_record_next(text, len, &used, &record))
		r = read_one(err, &reading, &record);
	if (r == 0 && spool_record_is_any(text + used, len - used))
		r = stls_err_set(err, EX_DATAERR,
		    "it has a damaged record at octet %zu behind the content",
		    used);
	if (r == 0 && !has_envelope(&reading))
		r = stls_err_set(
		    err, EX_DATAERR, "its envelope is not complete");
	if (r != 0)
		return r;
	note_states(message);
	*out_used = used;
	return 0;
}

void
spool_message_done(struct spool_message *message)
{
	size_t i;

	for (i = 0; i < message->option_count; i++) {
		free(message->options[i].name);
		free(message->options[i].value);
	}
	for (i = 0; i < message->recipient_count; i++) {
		free(message->recipients[i].address);
		free(message->recipients[i].reply);
	}
	free(message->options);
	free(message->recipients);
	free(message->account);
	free(message->sender);
	free(message->last.text);
	memset(message, 0, sizeof(*message));
}
