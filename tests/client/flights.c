/* SPDX-License-Identifier: MIT */
#include "client/flights.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const recipients[SENT_RECIPIENTS_MAX] = {
	"bob@example.org",
	"carol@example.org",
	"dave@example.org",
};

static int
read_content(void *buf, size_t cap, size_t *out_len, void *arg)
{
	size_t *given = arg, left = sizeof(TALK_CONTENT) - 1 - *given;

	ck_assert_uint_le(left, cap);
	memcpy(buf, &TALK_CONTENT[*given], left);
	*given += left;
	*out_len = left;
	return SMTPTLS_OK;
}

static int
rewind_content(void *arg)
{
	*(size_t *)arg = 0;
	return SMTPTLS_OK;
}

static int
open_file(void)
{
	FILE *file = tmpfile();
	int fd;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fputs(TALK_CONTENT, file) >= 0, 1);
	ck_assert_int_eq(fflush(file), 0);
	fd = dup(fileno(file));
	ck_assert_int_ge(fd, 0);
	fclose(file);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int
open_pipe(void)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(write(fds[1], TALK_CONTENT, sizeof(TALK_CONTENT) - 1),
	    sizeof(TALK_CONTENT) - 1);
	close(fds[1]);
	return fds[0];
}

static void
set_content(struct flown *flown, size_t i)
{
	struct smtptls_message *message = flown->messages[i];

	switch (flown->flight->sent[i].source) {
	case OF_MEMORY:
		ck_assert_ok(smtptls_message_set_body_mem(
		    message, TALK_CONTENT, sizeof(TALK_CONTENT) - 1));
		break;
	case OF_FILE:
	case OF_PIPE:
		flown->fds[i] = flown->flight->sent[i].source == OF_FILE
		    ? open_file()
		    : open_pipe();
		ck_assert_ok(
		    smtptls_message_set_body_fd(message, flown->fds[i]));
		break;
	case OF_REWOUND:
		ck_assert_ok(smtptls_message_set_body_cb(
		    message, read_content, rewind_content, &flown->given[i]));
		break;
	case OF_CALLBACK:
		ck_assert_ok(smtptls_message_set_body_cb(
		    message, read_content, NULL, &flown->given[i]));
		break;
	}
}

static void
make_message(struct flown *flown, size_t i)
{
	const struct sent *sent = &flown->flight->sent[i];
	struct smtptls_message *message;
	size_t j;

	ck_assert_ok(smtptls_message_new(&flown->messages[i]));
	message = flown->messages[i];
	ck_assert_ok(smtptls_message_set_sender(message, TALK_SENDER));
	for (j = 0; j < sent->recipients; j++)
		ck_assert_ok(
		    smtptls_message_add_recipient(message, recipients[j]));
	ck_assert_ok(
	    smtptls_message_set_all_or_nothing(message, sent->all_or_nothing));
	flown->fds[i] = -1;
	set_content(flown, i);
}

static void
set_up_client(const struct flown *flown)
{
	static const enum smtptls_phase phases[] = { SMTPTLS_PHASE_COMMAND,
		SMTPTLS_PHASE_DATA_START, SMTPTLS_PHASE_DATA_BLOCK,
		SMTPTLS_PHASE_DATA_END, SMTPTLS_PHASE_QUIT };
	const struct flight *flight = flown->flight;
	struct smtptls_client *client = flown->talk.client;
	int i;

	ck_assert_ok(smtptls_client_set_pipelining(client, flight->level));
	if (flight->window > 0)
		ck_assert_ok(smtptls_client_set_window(client, flight->window));
	if (flight->no_chunking)
		ck_assert_ok(smtptls_client_set_chunking(client, 0));
	for (i = 0; flight->timeout_ms > 0 && i < COUNT(phases); i++)
		ck_assert_ok(smtptls_client_set_timeout_ms(
		    client, phases[i], talk_ms(flight->timeout_ms)));
}

void
flight_begin_with(struct flown *flown, const struct flight *flight, int mode,
    const struct server_options *options)
{
	memset(flown, 0, sizeof(*flown));
	flown->flight = flight;
	if (flight->is_lmtp)
		talk_begin_lmtp(&flown->talk, mode, flight->script);
	else
		talk_begin_with(&flown->talk, mode,
		    mode < STARTTLS_MODES ? "smtp" : "smtps", NULL, options);
	set_up_client(flown);
	while (flown->count < SENT_MAX &&
	    flight->sent[flown->count].recipients > 0)
		make_message(flown, flown->count++);
}

void
flight_begin(struct flown *flown, const struct flight *flight, int mode)
{
	struct server_options options = { .prologue = talk_prologue(mode),
		.scripts = { flight->script, flight->next } };

	flight_begin_with(flown, flight, mode, &options);
}

/* A call that waits sends the last one; the others wait for it. */
static void
send_blocking(struct flown *flown)
{
	struct smtptls_client *client = flown->talk.client;
	struct smtptls_message *last = flown->messages[flown->count - 1];
	size_t i;
	int r;

	ck_assert_ok(smtptls_client_connect(client));
	for (i = 0; i + 1 < flown->count; i++)
		ck_assert_ok(smtptls_client_submit(client, flown->messages[i]));
	r = flown->flight->says_goodbye ? smtptls_client_send_last(client, last)
					: smtptls_client_send(client, last);
	ck_assert_int_eq(r, smtptls_message_status(last));
}

static void
send_in_loop(struct flown *flown)
{
	struct smtptls_client *client = flown->talk.client;
	size_t i;

	ck_assert_ok(smtptls_client_start(client));
	for (i = 0; i < flown->count; i++)
		ck_assert_ok(smtptls_client_submit(client, flown->messages[i]));
	if (flown->flight->says_goodbye)
		ck_assert_ok(smtptls_client_start_quit(client));
	(void)talk_drive(&flown->talk);
}

/* Each of them once; one may be done before another. */
static void
take_back(struct flown *flown, size_t count)
{
	struct smtptls_message *done;
	bool is_back[SENT_MAX] = { false };
	size_t i, n;

	for (n = 0; n < count; n++) {
		done = smtptls_client_next_done(flown->talk.client);
		ck_assert_ptr_nonnull(done);
		for (i = 0; i < flown->count; i++) {
			if (flown->messages[i] == done)
				break;
		}
		ck_assert_uint_lt(i, flown->count);
		ck_assert(!is_back[i]);
		is_back[i] = true;
		smtptls_message_free(done);
	}
	ck_assert_ptr_null(smtptls_client_next_done(flown->talk.client));
}

void
flight_send(struct flown *flown)
{
	int mode = flown->talk.mode;

	if (mode == STARTTLS_LOOP || mode == IMPLICIT_LOOP) {
		send_in_loop(flown);
		take_back(flown, flown->count);
	} else {
		send_blocking(flown);
		take_back(flown, flown->count - 1);
	}
}

/* TLS calls an end without close_notify an error of its own. */
static bool
is_status(int r, int wanted)
{
	return r == wanted || (wanted == SMTPTLS_E_IO && r == SMTPTLS_E_TLS);
}

static void
check_message(const struct flown *flown, size_t i)
{
	const struct smtptls_message *message = flown->messages[i];
	const struct sent *sent = &flown->flight->sent[i];
	int status = smtptls_message_status(message);
	size_t j;

	ck_assert_msg(is_status(status, sent->status),
	    "message %zu: %d, not %d: %s\n%s", i, status, sent->status,
	    smtptls_message_error(message), flown->talk.trace);
	/* What went wrong has a reason. */
	if (status != SMTPTLS_OK)
		ck_assert_ptr_null(
		    strstr(smtptls_message_error(message), "success"));
	for (j = 0; j < sent->recipients; j++) {
		ck_assert_msg(smtptls_message_outcome(message, j) ==
			sent->outcomes[j].outcome,
		    "message %zu, recipient %zu: %d, not %d\n%s", i, j,
		    (int)smtptls_message_outcome(message, j),
		    (int)sent->outcomes[j].outcome, flown->talk.trace);
		ck_assert_int_eq(smtptls_message_reply_code(message, j),
		    sent->outcomes[j].code);
		if (sent->outcomes[j].outcome != ACCEPTED)
			ck_assert_str_ne(
			    smtptls_message_reply_text(message, j), "");
	}
}

/* Command and reply lines behind the last EHLO and its reply. */
static void
check_turns(const struct flown *flown)
{
	const char *line = flown->talk.trace, *at;
	char turns[256] = "";
	size_t n = 0;

	while ((at = strstr(line, "HLO ")) != NULL)
		line = at + 1;
	while ((at = strchr(line, '\n')) != NULL) {
		line = at + 1;
		if ((line[0] == 'C' || line[0] == 'S') && line[1] == ':' &&
		    n < sizeof(turns) - 1)
			turns[n++] = line[0];
	}
	turns[n] = '\0';
	/* The reply to EHLO itself. */
	ck_assert_msg(
	    strcmp(turns + strspn(turns, "S"), flown->flight->turns) == 0,
	    "%s, not %s\n%s", turns, flown->flight->turns, flown->talk.trace);
}

void
flight_check(struct flown *flown)
{
	int r = smtptls_client_drive(flown->talk.client);
	size_t i;

	for (i = 0; i < flown->count; i++)
		check_message(flown, i);
	ck_assert_msg(is_status(r, flown->flight->end), "%d, not %d: %s", r,
	    flown->flight->end, smtptls_client_error(flown->talk.client));
	if (flown->flight->turns != NULL)
		check_turns(flown);
}

void
flight_end(struct flown *flown)
{
	size_t i;

	talk_hang_up(&flown->talk);
	for (i = 0; i < flown->count; i++) {
		smtptls_message_free(flown->messages[i]);
		if (flown->fds[i] >= 0)
			close(flown->fds[i]);
	}
	talk_end(&flown->talk);
}

void
flight_play(const struct flight *flight, int mode)
{
	struct flown flown;

	flight_begin(&flown, flight, mode);
	flight_send(&flown);
	flight_check(&flown);
	flight_end(&flown);
}
