/* SPDX-License-Identifier: MIT */
#include "spool/print.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "client/transfer.h"
#include "spool/dir.h"

#define EMPTY "Mail queue is empty"

struct totals {
	size_t messages;
	size_t broken;
	uint64_t octets;
};

/* The two largest units: "3d4h", "12m5s". */
static void
format_age(char *out, size_t cap, time_t seconds)
{
	static const struct {
		long seconds;
		char unit;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	long left = seconds > 0 ? (long)seconds : 0;
	size_t i = 0;

	while (i < 3 && left < units[i].seconds)
		i++;
	if (i == 3)
		snprintf(out, cap, "%lds", left);
	else
		snprintf(out, cap, "%ld%c%ld%c", left / units[i].seconds,
		    units[i].unit,
		    left % units[i].seconds / units[i + 1].seconds,
		    units[i + 1].unit);
}

/* An address may have characters in it that steer a terminal. */
static void
print_address(FILE *out, const char *what, const char *address)
{
	char text[1024];

	stls_escape(text, sizeof(text), address, strlen(address));
	fprintf(out, "%s<%s>", what, text);
}

static void
print_when(FILE *out, const char *what, time_t when)
{
	char text[64] = "?";
	struct tm tm;

	if (localtime_r(&when, &tm) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	fprintf(out, "%s%s", what, text);
}

static const char *
attention_of(int status)
{
	if (status == EX_NOPERM)
		return "the server refused the login";
	if (status == EX_CONFIG)
		return "the configuration";
	return "TLS, the certificate perhaps";
}

static void
print_recipient(FILE *out, const struct spool_recipient *recipient)
{
	if (recipient->state == SPOOL_ACCEPTED)
		return;
	print_address(out, "    to ", recipient->address);
	fputs(": ", out);
	if (recipient->state == SPOOL_IN_DOUBT)
		print_when(out, "in doubt since ", recipient->since);
	else if (recipient->state == SPOOL_TOLD)
		fputs("refused, the sender knows", out);
	else
		fputs(spool_state_word(recipient->state), out);
	if (recipient->reply != NULL && recipient->reply[0] != '\0')
		fprintf(out, ": %s", recipient->reply);
	fputc('\n', out);
}

static void
print_message(FILE *out, const struct spool_file *file,
    const struct spool_message *message)
{
	char age[64];
	size_t i;

	format_age(age, sizeof(age), time(NULL) - message->arrived);
	fprintf(out, "%s  %s  %" PRIu64 " octets", file->id, age,
	    file->content_len);
	print_address(out, "  from ", message->sender);
	if (message->account[0] != '\0')
		fprintf(out, "  account %s", message->account);
	fprintf(out, "  %u attempt%s\n", message->attempts,
	    message->attempts == 1 ? "" : "s");
	if (transfer_needs_attention(message->last.status))
		fprintf(out, "    NEEDS ATTENTION: %s\n",
		    attention_of(message->last.status));
	if (message->attempts > 0 && message->last.text != NULL &&
	    message->last.text[0] != '\0')
		fprintf(out, "    last: %s\n", message->last.text);
	if (message->attempts > 0) {
		print_when(out, "    next: ", message->last.next);
		fputc('\n', out);
	}
	for (i = 0; i < message->recipient_count; i++)
		print_recipient(out, &message->recipients[i]);
}

/* What is read of a message, which may be gone by now. */
static int
load(struct stls_err *err, const struct spool *spool, const char *id,
    struct spool_file *file, struct spool_message *message)
{
	int r = spool_file_open(err, spool, id, file);

	if (r == 0 && file->fd >= 0)
		r = spool_file_load(err, file, message);
	return r;
}

/*
 * Print those that need attention, or the others. Each is read anew, and may
 * have become another meanwhile: what the first round has not shown is shown
 * by the second.
 */
static void
print_some(FILE *out, const struct spool *spool, const struct spool_ids *ids,
    bool attention, bool *is_shown, struct totals *totals)
{
	size_t i;

	for (i = 0; i < ids->count; i++) {
		CLEANUP(spool_file_close) struct spool_file file = { .fd = -1 };
		CLEANUP(spool_message_done)
		struct spool_message message = { 0 };
		struct stls_err err = { 0 };

		if (is_shown[i])
			continue;
		if (load(&err, spool, ids->ids[i], &file, &message) != 0) {
			fprintf(out, "%s  BROKEN: %s\n", ids->ids[i],
			    stls_err_text(&err));
			totals->broken++;
			is_shown[i] = true;
			continue;
		}
		if (file.fd < 0 ||
		    (attention &&
			!transfer_needs_attention(message.last.status)))
			continue;
		print_message(out, &file, &message);
		is_shown[i] = true;
		totals->messages++;
		totals->octets += file.content_len;
	}
}

int
spool_print(struct stls_err *err, const struct settings *settings, FILE *out)
{
	CLEANUP(spool_close) struct spool spool = { 0 };
	CLEANUP(spool_ids_done) struct spool_ids ids = { 0 };
	CLEANUP(spool_ids_done) struct spool_ids dead = { 0 };
	CLEANUP(free_ptr) bool *is_shown = NULL;
	struct totals totals = { 0 };
	int r = 0;

	if (settings->spool != NULL)
		r = spool_open_existing(err, settings->spool, &spool);
	if (r == 0 && spool.path != NULL)
		r = spool_list(err, &spool, &ids);
	if (r == 0 && spool.path != NULL)
		r = spool_list_dead(err, &spool, &dead);
	if (r != 0)
		return r;
	is_shown = stls_alloc_array(ids.count, sizeof(*is_shown));
	if (is_shown == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	print_some(out, &spool, &ids, true, is_shown, &totals);
	print_some(out, &spool, &ids, false, is_shown, &totals);
	if (totals.messages + totals.broken == 0)
		fputs(EMPTY "\n", out);
	else
		fprintf(out, "%zu message%s, %" PRIu64 " octets in %s\n",
		    totals.messages + totals.broken,
		    totals.messages + totals.broken == 1 ? "" : "s",
		    totals.octets, settings->spool);
	if (dead.count > 0)
		fprintf(out, "%zu given up, in %s/dead\n", dead.count,
		    settings->spool);
	return 0;
}
