/* SPDX-License-Identifier: MIT */
#include "load/conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How likely a recipient is refused whatever else happens: one in so many. */
#define REFUSES_ONE_IN 12

static bool
is_hit(const struct conn *conn, enum step step)
{
	return !fault_is_of_wire(conn->plan.fault) &&
	    conn->plan.fault != FAULT_NONE && conn->plan.step == step &&
	    conn->plan.message == conn->message;
}

static void
note(struct conn *conn)
{
	atomic_fetch_add(&conn->shop->books->faults[conn->plan.fault], 1);
}

static void
say_code(struct conn *conn, int code, const char *enhanced)
{
	char text[64];

	snprintf(text, sizeof(text), "%d %s said number %u\r\n", code, enhanced,
	    conn->message);
	conn_say(conn, text);
}

/*
 * Do what the plan has in the place of an answer, or besides it.
 * @return whether the answer was yes
 */
static bool
do_fault(struct conn *conn, const char *text)
{
	note(conn);
	switch (conn->plan.fault) {
	case FAULT_LATER:
		say_code(conn, 450, "4.3.0");
		return false;
	case FAULT_NEVER:
		say_code(conn, 550, "5.3.0");
		return false;
	case FAULT_CLOSING:
		say_code(conn, 421, "4.3.2");
		conn_bye(conn);
		return false;
	case FAULT_BYE:
		conn_bye(conn);
		return false;
	case FAULT_CUT_OFF:
		conn_cut_off(conn);
		return false;
	case FAULT_RESET:
		wire_reset(conn);
		return false;
	case FAULT_SILENCE:
		conn->is_mute = conn->is_leaving = true;
		return false;
	case FAULT_TWICE:
		conn_say(conn, text);
		conn_say(conn, text);
		return true;
	case FAULT_UNASKED:
		conn_say(conn, text);
		conn_say(conn, "421 4.3.2 that was the last\r\n");
		conn_bye(conn);
		return true;
	default:
		abort();
	}
}

static bool
answer(struct conn *conn, enum step step, const char *text)
{
	if (is_hit(conn, step))
		return do_fault(conn, text);
	conn_say(conn, text);
	return true;
}

static void
forget(struct conn *conn)
{
	conn->has_mail = false;
	conn->accepted_count = 0;
	conn->hash = HASH_BEGIN;
	conn->dots = 2; /* as behind CR LF */
}

/* --- the end of the content --- */

static void
keep(struct conn *conn, uint8_t recipient, unsigned int times)
{
	struct books *books = conn->shop->books;

	if (times > 0 && conn->hash != books->letters[conn->id].hash)
		atomic_fetch_add(&books->mangled, 1);
	atomic_fetch_add(
	    &books->letters[conn->id].kept[recipient], (uint8_t)times);
}

/* It was received whole: was that meant? */
static void
note_end(struct conn *conn)
{
	struct letter *letter = &conn->shop->books->letters[conn->id];
	unsigned int ends = atomic_fetch_add(&letter->ends, 1) + 1u;

	if (ends > atomic_load(&letter->released))
		atomic_fetch_add(&conn->shop->books->premature, 1);
	if (conn->shop->lie == LIE_MANGLES && chance_one_in(&conn->chance, 8))
		conn->hash++;
}

/* Whether the answer is going to be a no. */
static bool
is_refusal(enum fault fault)
{
	return fault == FAULT_LATER || fault == FAULT_NEVER ||
	    fault == FAULT_CLOSING;
}

static bool
decide(struct conn *conn, bool hit)
{
	if (!hit)
		return true;
	if (is_refusal(conn->plan.fault))
		return false;
	if (conn->plan.fault == FAULT_TWICE ||
	    conn->plan.fault == FAULT_UNASKED)
		return true;
	return conn->plan.keeps;
}

/* How often it is kept, where the answer is yes or no. */
static unsigned int
times(struct conn *conn, bool yes)
{
	bool lies = chance_one_in(&conn->chance, 8);

	switch (conn->shop->lie) {
	case LIE_DOUBLES:
		return yes ? 1u + lies : 0;
	case LIE_LOSES:
		return yes && !lies;
	case LIE_NONE:
	case LIE_KEEPS:
	case LIE_MANGLES:
		break;
	}
	return yes;
}

static void
end_one(struct conn *conn, unsigned int i)
{
	bool no = chance_one_in(&conn->chance, REFUSES_ONE_IN);

	keep(conn, conn->accepted[i], times(conn, !no));
	conn_say(conn, no ? "452 4.2.2 full\r\n" : "250 2.0.0 kept\r\n");
}

/*
 * One answer for all; with LMTP one for each, and what goes wrong does so with
 * the last one.
 */
static void
end_content(struct conn *conn)
{
	bool yes = decide(conn, is_hit(conn, STEP_END));
	unsigned int i = 0;

	note_end(conn);
	conn->takes = TAKES_LINES;
	for (; conn->is_lmtp && i + 1 < conn->accepted_count; i++)
		end_one(conn, i);
	for (; i < conn->accepted_count; i++)
		keep(conn, conn->accepted[i], times(conn, yes));
	answer(conn, STEP_END, "250 2.0.0 kept\r\n");
	conn->message++;
	forget(conn);
}

/* --- commands --- */

static void
answer_ehlo(struct conn *conn)
{
	char text[256];

	snprintf(text, sizeof(text),
	    "250-mail.example.org\r\n%s%s%s250-SIZE 10000000\r\n"
	    "250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n",
	    conn->tls == NULL ? "250-STARTTLS\r\n" : "",
	    conn->plan.has_pipelining ? "250-PIPELINING\r\n" : "",
	    conn->plan.has_chunking ? "250-CHUNKING\r\n" : "");
	answer(conn, STEP_EHLO, text);
}

static void
answer_mail(struct conn *conn, const char *line)
{
	struct books *books = conn->shop->books;
	unsigned int id = 0;

	forget(conn);
	if (sscanf(line, "MAIL FROM:<s%u@example.org>", &id) != 1 ||
	    id >= atomic_load(&books->letters_count)) {
		atomic_fetch_add(&books->strange, 1);
		conn_say(conn, "550 5.1.8 who is that\r\n");
		return;
	}
	conn->id = id;
	conn->has_mail = answer(conn, STEP_MAIL, "250 2.1.0 ok\r\n");
}

static void
answer_rcpt(struct conn *conn, const char *line)
{
	struct books *books = conn->shop->books;
	unsigned int i = 0, id = 0;

	if (!conn->has_mail) {
		conn_say(conn, "503 5.5.1 MAIL first\r\n");
		return;
	}
	if (sscanf(line, "RCPT TO:<r%u.%u@example.org>", &i, &id) != 2 ||
	    id != conn->id || i >= books->letters[id].recipients ||
	    conn->accepted_count == RECIPIENTS_MAX) {
		atomic_fetch_add(&books->strange, 1);
		conn_say(conn, "550 5.1.1 who is that\r\n");
		return;
	}
	if (chance_one_in(&conn->chance, REFUSES_ONE_IN)) {
		say_code(conn, chance_one_in(&conn->chance, 2) ? 550 : 450, "");
		if (conn->shop->lie == LIE_KEEPS && !conn->is_lmtp)
			conn->accepted[conn->accepted_count++] = (uint8_t)i;
		return;
	}
	if (answer(conn, STEP_RCPT, "250 2.1.5 ok\r\n"))
		conn->accepted[conn->accepted_count++] = (uint8_t)i;
}

static void
answer_data(struct conn *conn)
{
	if (conn->accepted_count == 0)
		conn_say(conn, "503 5.5.1 RCPT first\r\n");
	else if (answer(conn, STEP_DATA, "354 go on\r\n"))
		conn->takes = TAKES_DATA;
}

static void
end_chunk(struct conn *conn)
{
	conn->takes = TAKES_LINES;
	if (conn->chunk_is_void)
		conn_say(conn, "503 5.5.1 RCPT first\r\n");
	else if (conn->chunk_is_last)
		end_content(conn);
	else
		conn_say(conn, "250 2.0.0 more\r\n");
}

static void
begin_chunk(struct conn *conn, const char *line)
{
	char last[8] = "";

	conn->chunk_left = 0;
	if (sscanf(line, "BDAT %zu %7s", &conn->chunk_left, last) < 1)
		atomic_fetch_add(&conn->shop->books->strange, 1);
	conn->chunk_is_last = strcasecmp(last, "LAST") == 0;
	conn->chunk_is_void = conn->accepted_count == 0;
	conn->takes = TAKES_CHUNK;
	if (conn->chunk_left == 0)
		end_chunk(conn);
}

static void
answer_starttls(struct conn *conn)
{
	if (answer(conn, STEP_STARTTLS, "220 2.0.0 go on\r\n"))
		conn_start_tls(conn);
}

static void
answer_line(struct conn *conn, const char *line)
{
	if (strncmp(line, "EHLO ", 5) == 0 || strncmp(line, "LHLO ", 5) == 0) {
		conn->is_lmtp = line[0] == 'L';
		answer_ehlo(conn);
	} else if (strcmp(line, "STARTTLS") == 0) {
		answer_starttls(conn);
	} else if (strncmp(line, "MAIL ", 5) == 0) {
		answer_mail(conn, line);
	} else if (strncmp(line, "RCPT ", 5) == 0) {
		answer_rcpt(conn, line);
	} else if (strcmp(line, "DATA") == 0) {
		answer_data(conn);
	} else if (strncmp(line, "BDAT ", 5) == 0) {
		begin_chunk(conn, line);
	} else if (strcmp(line, "RSET") == 0) {
		forget(conn);
		conn_say(conn, "250 2.0.0 ok\r\n");
	} else if (strcmp(line, "QUIT") == 0) {
		conn_say(conn, "221 2.0.0 bye\r\n");
		conn_bye(conn);
	} else {
		atomic_fetch_add(&conn->shop->books->strange, 1);
		conn_say(conn, "500 5.5.2 what\r\n");
	}
}

void
dialogue_greet(struct conn *conn)
{
	conn->has_greeted = true;
	forget(conn);
	if (!answer(conn, STEP_GREETING, "220 mail.example.org hello\r\n") &&
	    !conn->is_leaving)
		conn_bye(conn);
}

/* --- octets --- */

static void
take_line_octet(struct conn *conn, char c)
{
	if (conn->line_len == sizeof(conn->line) - 1) {
		atomic_fetch_add(&conn->shop->books->strange, 1);
		conn->line_len = 0;
	}
	conn->line[conn->line_len++] = c;
	if (c != '\n')
		return;
	while (conn->line_len > 0 &&
	    strchr("\r\n", conn->line[conn->line_len - 1]) != NULL)
		conn->line_len--;
	conn->line[conn->line_len] = '\0';
	conn->line_len = 0;
	answer_line(conn, conn->line);
}

/*
 * dots: 0 in a line, 1 behind CR, 2 at the beginning of a line, 3 behind a dot
 * there, 4 behind CR then. All but that last line is hashed.
 */
static void
take_data_octet(struct conn *conn, char c)
{
	if (conn->dots == 2 && c == '.') {
		conn->dots = 3;
		return;
	}
	if (conn->dots == 3 && c == '\r') {
		conn->dots = 4;
		return;
	}
	if (conn->dots == 4) {
		if (c == '\n')
			end_content(conn);
		else
			atomic_fetch_add(&conn->shop->books->strange, 1);
		return;
	}
	conn->hash = books_hash(conn->hash, &c, 1);
	conn->dots = c == '\r' ? 1 : conn->dots == 1 && c == '\n' ? 2 : 0;
}

void
dialogue_take(struct conn *conn, const char *data, size_t len)
{
	size_t n;

	while (len > 0 && !conn->is_leaving && !conn->is_broken) {
		n = 1;
		if (conn->takes == TAKES_LINES) {
			take_line_octet(conn, *data);
		} else if (conn->takes == TAKES_DATA) {
			take_data_octet(conn, *data);
		} else {
			n = len < conn->chunk_left ? len : conn->chunk_left;
			conn->hash = books_hash(conn->hash, data, n);
			conn->chunk_left -= n;
			if (conn->chunk_left == 0)
				end_chunk(conn);
		}
		data += n;
		len -= n;
	}
}
