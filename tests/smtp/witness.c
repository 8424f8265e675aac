/* SPDX-License-Identifier: MIT */
#include "smtp/witness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtptls/status.h>

void
witness_start(struct witness *witness, const struct stls_engine *engine)
{
	struct letter *letters = witness->letters;
	size_t letter_count = witness->letter_count;
	char *content = witness->content;
	size_t cap = witness->content_cap;

	memset(witness, 0, sizeof(*witness));
	witness->letters = letters;
	witness->letter_count = letter_count;
	witness->content = content;
	witness->content_cap = cap;
	witness->engine = engine;
	witness->pipelining = engine->capabilities.pipelining &&
	    !engine->config.one_by_one;
	witness->seen = witness->written = engine->queued;
}

void
witness_done(struct witness *witness)
{
	free(witness->content);
}

static struct attempt *
last_attempt(struct witness *w)
{
	if (w->attempt_count == 0)
		hostile_fail("no MAIL before \"%s\"", w->line);
	return &w->attempts[w->attempt_count - 1];
}

static int
code_of(const struct witness *w, size_t question)
{
	return question < w->reply_count ? w->codes[question] : 0;
}

/* What a reply says about its question, whichever of them came first. */
static void
understand(struct witness *w, size_t index)
{
	const struct question *q = &w->questions[index];
	struct attempt *attempt = &w->attempts[q->attempt];
	int code = code_of(w, index);
	bool is_early = q->end > w->at;
	size_t i;

	/* What is no answer leaves everything open. */
	if (q->begins > w->at ||
	    (is_early && q->kind != Q_CHUNK && q->kind != Q_END))
		return;
	switch (q->kind) {
	case Q_MAIL:
		attempt->mail_refused = code >= 400;
		break;
	case Q_RCPT:
		attempt->refused[q->recipient] = code >= 400;
		attempt->taken[q->recipient] = code == 250 || code == 251;
		break;
	case Q_DATA:
		attempt->is_over |= code >= 400;
		break;
	case Q_CHUNK:
		attempt->chunk_refused |= code >= 400;
		break;
	case Q_END:
		if (code < 400 && (code >= 300 || code == 221 || is_early))
			break;
		for (i = 0; i < RECIPIENTS_MAX; i++) {
			if (w->engine->config.lmtp && i != q->recipient)
				continue;
			attempt->answered[i] = true;
			if (!attempt->taken[i] || attempt->mail_refused ||
			    code >= 300)
				continue;
			/* A yes to the rest of what was refused. */
			if (attempt->chunk_refused) {
				attempt->letter->in_doubt[i] = true;
				continue;
			}
			if (attempt->letter->accepted[i])
				hostile_fail("accepted twice");
			attempt->letter->accepted[i] = true;
		}
		attempt->is_astray |= attempt->mail_refused && !q->by_data &&
		    code < 300;
		break;
	default:
		break;
	}
}

static void
ask(struct witness *w, int kind, uint64_t end, size_t recipient)
{
	struct question *q = &w->questions[w->question_count];

	if (w->question_count == QUESTIONS_MAX)
		hostile_fail("more than %d questions", QUESTIONS_MAX);
	*q = (struct question){ .kind = kind,
		.by_data = kind == Q_END && !w->has_chunks,
		.end = end,
		.begins = w->place == IN_CONTENT ? 0 : w->seen,
		.attempt = w->attempt_count > 0 ? w->attempt_count - 1 : 0,
		.recipient = recipient };
	w->question_count++;
	w->at = 0;
	if (w->question_count <= w->reply_count)
		understand(w, w->question_count - 1);
}

/* LMTP has one for each that was taken (RFC 2033 section 4.2). */
static void
ask_end(struct witness *w, uint64_t end)
{
	struct attempt *attempt = last_attempt(w);
	size_t i;

	if (!w->engine->config.lmtp) {
		ask(w, Q_END, end, 0);
		return;
	}
	for (i = 0; i < RECIPIENTS_MAX; i++) {
		if (attempt->taken[i] && !attempt->mail_refused)
			ask(w, Q_END, end, i);
	}
}

/* RFC 2920 section 3.1, RFC 3030 section 2, and the levels. */
static void
check_group(const struct witness *w)
{
	const struct stls_engine_config *config = &w->engine->config;
	bool is_bdat = strncmp(w->line, "BDAT", 4) == 0;
	const struct question *last;

	if (w->reply_count >= w->question_count)
		return;
	if (!w->pipelining)
		hostile_fail("\"%s\" without waiting", w->line);
	last = &w->questions[w->question_count - 1];
	switch (last->kind) {
	case Q_MAIL:
	case Q_RCPT:
	case Q_RSET:
		return;
	case Q_CHUNK:
		if (is_bdat)
			return;
		break;
	case Q_END:
		if (last->by_data || config->window > 1)
			return;
		break;
	default:
		break;
	}
	hostile_fail("\"%s\" must not follow yet", w->line);
}

static struct letter *
find_letter(const struct witness *w, const char *mailbox, size_t *recipient)
{
	struct letter *letter;
	size_t i, j;

	for (i = 0; i < w->letter_count; i++) {
		letter = &w->letters[i];
		if (recipient == NULL &&
		    strcmp(letter->txn.sender, mailbox) == 0)
			return letter;
		for (j = 0; recipient != NULL && j < letter->txn.count; j++) {
			*recipient = j;
			if (strcmp(letter->txn.recipients[j].mailbox,
				mailbox) == 0)
				return letter;
		}
	}
	hostile_fail("nobody is called %s", mailbox);
}

/* What is in angle brackets in the line. */
static const char *
mailbox_in(char *line)
{
	char *start = strchr(line, '<'), *end = strrchr(line, '>');

	if (start == NULL || end == NULL)
		hostile_fail("no mailbox in \"%s\"", line);
	*end = '\0';
	return start + 1;
}

static size_t
in_the_air(const struct witness *w)
{
	size_t n = 0, i, last = (size_t)-1;

	for (i = w->reply_count; i < w->question_count; i++) {
		if (w->questions[i].kind == Q_RSET ||
		    w->questions[i].attempt == last)
			continue;
		last = w->questions[i].attempt;
		n++;
	}
	return n;
}

/* What the server took into another message is not sent a second time. */
static void
check_not_astray(
    const struct witness *w, const struct letter *letter, size_t recipient)
{
	const struct attempt *attempt;
	size_t i;

	for (i = 0; i < w->reply_count && i < w->question_count; i++) {
		attempt = &w->attempts[w->questions[i].attempt];
		if (w->questions[i].kind == Q_MAIL && w->codes[i] == 503 &&
		    attempt->letter == letter && attempt->is_astray &&
		    attempt->asked[recipient])
			hostile_fail("sent again, and it was taken");
	}
}

static void
on_mail(struct witness *w)
{
	const struct stls_engine *engine = w->engine;
	uint64_t max = engine->capabilities.mails_max;
	struct attempt *attempt;

	if (w->attempt_count > 0) {
		attempt = last_attempt(w);
		if (!attempt->is_over &&
		    !(attempt->mail_refused && !attempt->chunk_refused))
			hostile_fail("MAIL in a transaction");
	}
	if (++w->mails > max && max > 0)
		hostile_fail("more than MAILMAX");
	if (engine->config.window > 1 && in_the_air(w) >= engine->config.window)
		hostile_fail("more than the window");
	if (w->attempt_count == ATTEMPTS_MAX)
		hostile_fail("more than %d attempts", ATTEMPTS_MAX);
	attempt = &w->attempts[w->attempt_count++];
	memset(attempt, 0, sizeof(*attempt));
	attempt->letter = find_letter(w, mailbox_in(w->line), NULL);
	if (!attempt->letter->is_in_engine)
		hostile_fail("a message that was given back");
	ask(w, Q_MAIL, w->seen, 0);
	w->content_len = 0;
	w->has_chunks = false;
}

static void
on_rcpt(struct witness *w)
{
	uint64_t max = w->engine->capabilities.rcpts_max;
	struct attempt *attempt = last_attempt(w);
	size_t recipient;

	if (find_letter(w, mailbox_in(w->line), &recipient) != attempt->letter)
		hostile_fail("the recipient of another message");
	if (attempt->is_over || attempt->asked[recipient])
		hostile_fail("RCPT that does not belong here");
	if (attempt->letter->accepted[recipient])
		hostile_fail("asked for again, having it");
	check_not_astray(w, attempt->letter, recipient);
	if (++attempt->asked_count > max && max > 0)
		hostile_fail("more than RCPTMAX");
	attempt->asked[recipient] = true;
	ask(w, Q_RCPT, w->seen, recipient);
}

/* Who waits for its answers has them, and they allow it. */
static void
check_answers(struct witness *w)
{
	struct attempt *attempt = last_attempt(w);
	bool is_any = false;
	size_t i;

	for (i = 0; i < RECIPIENTS_MAX; i++) {
		if (attempt->asked[i] && !attempt->taken[i] &&
		    !attempt->refused[i])
			hostile_fail("%s before an answer to RCPT", w->line);
		is_any |= attempt->taken[i];
		if (attempt->letter->txn.all_or_nothing && attempt->refused[i])
			hostile_fail("%s though one was refused", w->line);
	}
	if (!is_any)
		hostile_fail("%s for nobody", w->line);
}

static void
on_data(struct witness *w)
{
	if (!w->pipelining || last_attempt(w)->letter->txn.all_or_nothing)
		check_answers(w);
	ask(w, Q_DATA, w->seen, 0);
	w->place = BEHIND_DATA;
	w->content_len = 0;
}

static void
check_content(struct witness *w)
{
	struct attempt *attempt = last_attempt(w);
	const struct letter *letter = attempt->letter;

	attempt->is_over = attempt->is_whole = true;
	if (letter->wire_len != w->content_len ||
	    (w->content_len > 0 &&
		memcmp(letter->wire, w->content, w->content_len) != 0))
		hostile_fail("another content");
}

static void
on_bdat(struct witness *w)
{
	struct attempt *attempt = last_attempt(w);
	unsigned long long size;
	char last[8] = "";

	if (sscanf(w->line, "BDAT %llu %7s", &size, last) < 1)
		hostile_fail("BDAT without a size");
	if (attempt->is_over)
		hostile_fail("BDAT that does not belong here");
	if (!w->engine->config.at_once || attempt->letter->txn.all_or_nothing)
		check_answers(w);
	w->has_chunks = true;
	w->chunk_left = size;
	w->is_last_chunk = strcmp(last, "LAST") == 0;
	if (w->is_last_chunk)
		ask_end(w, w->seen + size);
	else
		ask(w, Q_CHUNK, w->seen + size, 0);
	if (size > 0)
		w->place = IN_CHUNK;
	else if (w->is_last_chunk)
		check_content(w);
}

static void
on_line(struct witness *w)
{
	check_group(w);
	if (strncmp(w->line, "MAIL FROM:<", 11) == 0) {
		on_mail(w);
	} else if (strncmp(w->line, "RCPT TO:<", 9) == 0) {
		on_rcpt(w);
	} else if (strcmp(w->line, "DATA") == 0) {
		on_data(w);
	} else if (strncmp(w->line, "BDAT ", 5) == 0) {
		on_bdat(w);
	} else if (strcmp(w->line, "RSET") == 0) {
		if (w->attempt_count > 0)
			last_attempt(w)->is_over = true;
		ask(w, Q_RSET, w->seen, 0);
	} else if (strcmp(w->line, "NOOP") == 0) {
		ask(w, Q_NOOP, w->seen, 0);
	} else if (strcmp(w->line, "QUIT") == 0) {
		ask(w, Q_QUIT, w->seen, 0);
	} else {
		hostile_fail("\"%s\"", w->line);
	}
}

static void
keep(struct witness *w, char c)
{
	if (w->content_len == w->content_cap) {
		w->content_cap = 2 * w->content_cap + 256;
		w->content = realloc(w->content, w->content_cap);
		if (w->content == NULL)
			abort();
	}
	w->content[w->content_len++] = c;
}

/* The final dot: undo the doubling, and compare. */
static void
end_content(struct witness *w)
{
	struct attempt *attempt = last_attempt(w);
	size_t from, to = 0;
	bool is_any = false;

	w->content_len -= 3;
	for (from = 0; from < w->content_len; from++) {
		if (w->content[from] == '.' &&
		    (from == 0 || w->content[from - 1] == '\n'))
			from++;
		w->content[to++] = w->content[from];
	}
	w->content_len = to;
	for (from = 0; from < RECIPIENTS_MAX; from++)
		is_any |= attempt->taken[from] && !attempt->mail_refused;
	if (is_any)
		check_content(w);
	else if (w->content_len > 0)
		hostile_fail("a content for nobody");
	attempt->is_over = true;
	/* Its content began when DATA was answered. */
	ask_end(w, w->seen);
	w->place = IN_LINE;
}

static void
see_content(struct witness *w, char c)
{
	size_t len;

	keep(w, c);
	len = w->content_len;
	if ((len == 3 && memcmp(w->content, ".\r\n", 3) == 0) ||
	    (len >= 5 && memcmp(w->content + len - 5, "\r\n.\r\n", 5) == 0))
		end_content(w);
}

static void
see_chunk(struct witness *w, char c)
{
	keep(w, c);
	if (--w->chunk_left > 0)
		return;
	w->place = IN_LINE;
	if (w->is_last_chunk)
		check_content(w);
}

static void
see_line(struct witness *w, char c)
{
	if (w->line_len == sizeof(w->line) - 1)
		hostile_fail("a line without an end");
	w->line[w->line_len++] = c;
	if (w->line_len < 2 || c != '\n')
		return;
	w->line[w->line_len - 2] = '\0';
	w->line_len = 0;
	on_line(w);
}

static void
see_octet(struct witness *w, char c)
{
	int code;

	w->seen++;
	if (w->place == BEHIND_DATA) {
		code = code_of(w, w->question_count - 1);
		if (code == 0)
			hostile_fail("something behind DATA");
		w->place = code == 354 ? IN_CONTENT : IN_LINE;
	}
	if (w->place == IN_CONTENT)
		see_content(w, c);
	else if (w->place == IN_CHUNK)
		see_chunk(w, c);
	else
		see_line(w, c);
}

void
witness_see(struct witness *witness, const unsigned char *data, size_t len)
{
	for (; len > 0; data++, len--)
		see_octet(witness, (char)*data);
}

const struct question *
witness_next(const struct witness *witness)
{
	if (witness->reply_count >= witness->question_count)
		return NULL;
	return &witness->questions[witness->reply_count];
}

bool
witness_reply(struct witness *witness, int code, uint64_t at)
{
	const struct question *q = witness_next(witness);

	if (witness->reply_count == QUESTIONS_MAX)
		hostile_fail("too many replies");
	witness->codes[witness->reply_count++] = code;
	witness->at = at;
	if (q == NULL)
		return false;
	understand(witness, witness->reply_count - 1);
	if (code == 421 && q->kind != Q_QUIT)
		return false;
	/* A no may come while the content it is about is on its way. */
	return q->end <= at ||
	    (q->begins <= at && code >= 400 &&
		(q->kind == Q_CHUNK || q->kind == Q_END));
}

/* The last attempt in which a recipient was asked for; NULL: none. */
static const struct attempt *
last_asking(const struct witness *w, const struct letter *letter, size_t i)
{
	const struct attempt *attempt = &w->attempts[w->attempt_count];

	while (attempt > w->attempts) {
		attempt--;
		if (attempt->letter == letter && attempt->asked[i])
			return attempt;
	}
	return NULL;
}

/* Handed out to its end, and neither refused nor answered. */
static bool
is_in_doubt(const struct attempt *attempt, size_t i)
{
	return attempt != NULL && attempt->is_whole && !attempt->answered[i] &&
	    !attempt->refused[i] && !attempt->mail_refused &&
	    !attempt->chunk_refused;
}

/*
 * Its MAIL was refused, and its chunks were handed out and not: a server that
 * was still in another message may have taken them for that one.
 */
static bool
may_be_astray(const struct attempt *attempt, size_t i)
{
	return attempt != NULL && attempt->mail_refused && attempt->is_whole &&
	    !attempt->answered[i] && !attempt->chunk_refused;
}

void
witness_check(const struct witness *witness, const struct letter *letter)
{
	const struct attempt *attempt;
	enum smtptls_outcome outcome;
	bool is_all = true;
	size_t i;

	for (i = 0; i < letter->txn.count; i++) {
		outcome = letter->txn.recipients[i].outcome;
		is_all &= outcome == SMTPTLS_OUTCOME_ACCEPTED;
		if ((outcome == SMTPTLS_OUTCOME_ACCEPTED) !=
		    letter->accepted[i])
			hostile_fail("<%s> is %d, and accepted is %d",
			    letter->txn.recipients[i].mailbox, (int)outcome,
			    letter->accepted[i]);
		attempt = last_asking(witness, letter, i);
		/* Refused or in doubt: the server has said both. */
		if (attempt != NULL && attempt->is_astray)
			continue;
		if (may_be_astray(attempt, i)) {
			if (outcome == SMTPTLS_OUTCOME_NOT_TRIED)
				hostile_fail("<%s> is not tried, and may "
					     "have been taken",
				    letter->txn.recipients[i].mailbox);
			continue;
		}
		if (!letter->accepted[i] &&
		    (outcome == SMTPTLS_OUTCOME_IN_DOUBT) !=
			(letter->in_doubt[i] || is_in_doubt(attempt, i)))
			hostile_fail("<%s> is %d: %s",
			    letter->txn.recipients[i].mailbox, (int)outcome,
			    letter->txn.err.text);
	}
	if ((letter->txn.status == SMTPTLS_OK) != is_all ||
	    letter->txn.status == SMTPTLS_AGAIN ||
	    letter->txn.err.code != letter->txn.status)
		hostile_fail("the status is %d, its error %d",
		    letter->txn.status, letter->txn.err.code);
	if (!is_all && letter->txn.err.text[0] == '\0')
		hostile_fail("no word about it");
}
