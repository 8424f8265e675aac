/* SPDX-License-Identifier: MIT */
/*
 * A conversation: settings, then all that the server says (engine-stream.h).
 * TLS is nothing but the moment of which the engine is told. What it says is
 * seen by the witness of tests/smtp, and must be the same in any pieces.
 */
#include "fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtptls/status.h>

#include "base/alloc.h"
#include "engine-login.h"
#include "engine-preface.h"
#include "engine-stream.h"
#include "smtp/exchange.h"

#define STEPS_MAX 200000
#define LOG_MAX (1 << 20)

static struct play {
	struct exchange x;
	struct stream stream;
	uint32_t state; /* what the driver does is drawn from it */
	bool by_octet;
	unsigned long fail_at; /* the allocation that fails; 0: none */
	size_t steps;

	struct preface preface;
	bool is_witnessed; /* behind it */
	uint64_t written;
	struct login login;

	char *log; /* of all that can be seen from outside */
	size_t log_len;
} play_, *const p = &play_;

static char logs[2][LOG_MAX];

__attribute__((format(printf, 1, 2))) static void
note(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(p->log + p->log_len, LOG_MAX - p->log_len, fmt, ap);
	va_end(ap);
	p->log_len += (size_t)n;
	if (p->log_len >= LOG_MAX)
		p->log_len = LOG_MAX - 1;
}

void
hostile_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n%s\n", p->log);
	abort();
}

static unsigned int
draw(unsigned int sides)
{
	p->state = p->state * 1664525 + 1013904223;
	return (p->state >> 16) % sides;
}

static void
trace(char what, const char *text, size_t len, void *arg)
{
	(void)arg;
	note("%c %.*s\n", what, (int)len, text);
	if (what == 'C')
		FUZZ_CHECK(memmem(text, len, LOGIN_ENCODED,
			       strlen(LOGIN_ENCODED)) == NULL);
}

static bool
may_send(enum stls_step step, void *arg)
{
	(void)step;
	(void)arg;
	return !p->preface.gate_is_closed;
}

/* --- messages --- */

static void
make_letter(void)
{
	static const char *const contents[] = { "", "a", ".", "\n.\r\n.",
		"Subject: x\n\nbody\n", "..\r\rx\n\n", "\xc3\xa4\n" };
	const char *content = contents[draw(7)];
	struct letter *letter = exchange_add(
	    &p->x, strdup(content), strlen(content), 1 + draw(RECIPIENTS_MAX));
	struct stls_transaction *txn = &letter->txn;

	txn->all_or_nothing = draw(5) == 0;
	txn->is_exact = draw(4) > 0;
	txn->size_is_known = txn->is_exact;
	txn->size = txn->content_size = letter->wire_len;
	txn->can_rewind = draw(3) > 0;
	txn->is_7bit = draw(3) == 0 && letter->content[0] >= 0;
	/* What was looked at is not always what is there later. */
	if (draw(16) == 0)
		txn->content_size++;
}

static void
submit(void)
{
	if (exchange_submit(&p->x))
		note("* submit %zu\n", p->x.submitted - 1);
}

static void
take_done(void)
{
	struct letter *letter = exchange_take_done(&p->x);
	const struct stls_transaction *txn = &letter->txn;
	size_t i;

	note("* done %s %d %s\n", txn->sender, txn->status, txn->err.text);
	for (i = 0; i < txn->count; i++)
		note("* %d %d %s\n", (int)txn->recipients[i].outcome,
		    txn->recipients[i].code,
		    stls_recipient_text(&txn->recipients[i]));
	witness_check(&p->x.witness, letter);
}

/* Behind the preface, from the line on that was not of it. */
static void
begin_witness(void)
{
	const struct preface *preface = &p->preface;

	witness_start(&p->x.witness, &p->x.engine);
	p->x.witness.seen = preface->seen - preface->line_len;
	p->x.witness.written = p->written;
	p->is_witnessed = true;
	witness_see(&p->x.witness, (const unsigned char *)preface->line,
	    preface->line_len);
}

static void
see(const unsigned char *data, size_t len)
{
	for (; len > 0 && !p->is_witnessed; data++, len--) {
		if (preface_see(&p->preface, *data))
			begin_witness();
	}
	if (p->is_witnessed)
		witness_see(&p->x.witness, data, len);
}

/* --- the server --- */

static void
account(uint64_t replies_before)
{
	uint64_t n = p->x.engine.replies - replies_before;
	const struct stream_reply *reply;
	bool may_go_on;

	for (; n > 0; n--) {
		reply = stream_take(&p->stream);
		FUZZ_CHECK(reply != NULL);
		if (p->is_witnessed)
			may_go_on = witness_reply(
			    &p->x.witness, reply->code, reply->at);
		else
			may_go_on = preface_reply(&p->preface, reply);
		if (!may_go_on && p->x.engine.state != STLS_STATE_CLOSED)
			hostile_fail("it goes on after a false reply");
	}
}

static bool
hear(void)
{
	char *piece = malloc(p->stream.len + 1), *octet;
	size_t n = stream_next(&p->stream, piece, p->written), i;
	uint64_t before = p->x.engine.replies;

	piece = realloc(piece, n > 0 ? n : 1);
	if (p->by_octet) {
		for (i = 0; i < n; i++) {
			octet = fuzz_copy(piece + i, 1);
			stls_engine_receive(&p->x.engine, octet, 1);
			free(octet);
		}
	} else if (n > 0) {
		stls_engine_receive(&p->x.engine, piece, n);
	}
	free(piece);
	account(before);
	return n > 0;
}

/* --- the driver --- */

/* No message is begun that is larger than the server takes. */
static void
check_size(const unsigned char *data, size_t len)
{
	uint64_t most = p->x.engine.capabilities.size_max, size;
	const char *said = memmem(data, len, " SIZE=", 6);

	if (said == NULL || most == 0)
		return;
	size = strtoull(said + 6, NULL, 10);
	FUZZ_CHECK(size <= most);
}

static void
write_some(void)
{
	const unsigned char *data;
	size_t len, seen, n;

	data = exchange_output(&p->x, &len, &seen);
	FUZZ_CHECK(len > 0);
	note("> %zu %.*s\n", seen, (int)(len - seen), data + seen);
	see(data + seen, len - seen);
	check_size(data + seen, len - seen);
	n = draw(8) > 0 ? len : 1 + draw((unsigned int)len);
	p->written += n;
	exchange_sent(&p->x, n);
}

/* Nothing that was said before is left behind. */
static void
start_tls(void)
{
	FUZZ_CHECK(stls_buf_len(&p->x.engine.in) == 0);
	stls_engine_tls(&p->x.engine);
	FUZZ_CHECK(p->x.engine.capabilities.count == 0);
	preface_start_tls(&p->preface);
}

static void
need_body(void)
{
	struct stls_err err;
	size_t n;

	if (draw(64) == 0) {
		stls_err_set(&err, SMTPTLS_E_SOURCE, "it cannot be read");
		stls_engine_abandon(&p->x.engine, &err);
		return;
	}
	n = exchange_content_left(&p->x);
	if (n > 1)
		n = 1 + draw((unsigned int)n);
	exchange_give(&p->x, n);
}

static void
before_end(void)
{
	if (p->x.hook && stls_engine_has_output(&p->x.engine))
		write_some();
	else
		stls_engine_end_of_data(&p->x.engine);
}

static void
begin_connection(void)
{
	p->written = 0;
	p->is_witnessed = false;
	preface_restart(&p->preface);
	stream_restart(&p->stream);
	if (stls_engine_start(&p->x.engine, "client.example.org") < 0) {
		FUZZ_CHECK(p->x.err.code == SMTPTLS_E_NOMEM);
		FUZZ_CHECK(stls_alloc_has_failed());
		stls_engine_fail(&p->x.engine, &p->x.err);
	}
	witness_start(&p->x.witness, &p->x.engine);
}

static void
reconnect(void)
{
	note("* reconnect\n");
	exchange_move_on(&p->x);
	begin_connection();
}

static void
be_ready(void)
{
	if (p->x.submitted < p->x.count) {
		submit();
	} else if (!p->x.asked_to_quit && draw(2) > 0) {
		p->x.asked_to_quit = true;
		stls_engine_quit(&p->x.engine);
	} else {
		exchange_lose(&p->x, draw(4) > 0);
	}
}

static void
disturb(void)
{
	unsigned int what = draw(64);

	if (what < 8)
		submit();
	else if (what == 8)
		stls_engine_noop(&p->x.engine);
	else if (what == 9)
		stls_engine_rset(&p->x.engine);
	else if (what == 10)
		stls_engine_trim(&p->x.engine);
}

/* False: it is over. */
static bool
do_next(void)
{
	enum stls_event event = stls_engine_event(&p->x.engine);

	FUZZ_CHECK(++p->steps < STEPS_MAX);
	note("* %d\n", (int)event);
	if (event != STLS_CLOSED && stream_is_early(&p->stream) && hear())
		return true;
	switch (event) {
	case STLS_NEED_INPUT:
		if (!hear())
			exchange_lose(&p->x, draw(4) > 0);
		return true;
	case STLS_HAVE_OUTPUT:
		write_some();
		return true;
	case STLS_START_TLS:
		start_tls();
		return true;
	case STLS_START_AUTH:
		login_start(&p->login, &p->x.engine, p->state % 3 == 0);
		return true;
	case STLS_AUTH_CHALLENGE:
		login_answer(&p->login, &p->x.engine);
		return true;
	case STLS_NEED_BODY:
		need_body();
		return true;
	case STLS_BEFORE_END_OF_DATA:
		before_end();
		return true;
	case STLS_MESSAGE_DONE:
		take_done();
		return true;
	case STLS_READY:
		be_ready();
		return true;
	case STLS_RECONNECT:
		reconnect();
		return true;
	default:
		return false;
	}
}

static void
begin(struct fuzz_input input)
{
	static const uint64_t chunks[] = { 0, 1, 8, 4000 };
	unsigned int flags = fuzz_take(&input), more = fuzz_take(&input);
	struct stls_engine_config config = {
		.lmtp = fuzz_flag(flags, 0),
		.implicit_tls = (flags >> 1 & 3) == 1,
		.insecure_no_tls = (flags >> 1 & 3) == 2,
		.authenticate = fuzz_flag(flags, 3),
		.one_by_one = fuzz_flag(flags, 4),
		.no_chunking = fuzz_flag(flags, 5),
		.at_once = fuzz_flag(flags, 6),
		.window = fuzz_flag(flags, 7) ? 2 + (more & 3) : 0,
		.server = "mx.example.org",
		.chunk_max = chunks[more >> 2 & 3],
		.may_send = may_send,
		.err = &p->x.err,
		.trace = trace,
	};
	size_t i, count = 1 + (more >> 5) % LETTERS_MAX;

	config.authenticate &= !config.insecure_no_tls;
	config.at_once |= config.window > 0;
	p->x.hook = fuzz_flag(more, 4);
	p->preface.gate_is_closed = (more >> 5) == 7;
	p->state = fuzz_take(&input) * 2654435761u;
	if ((more >> 5) == 6)
		p->fail_at = 1 + p->state % 256;
	p->stream.data = input.data;
	p->stream.len = input.len;
	p->preface.engine = &p->x.engine;
	login_init(&p->login);
	for (i = 0; i < count; i++)
		make_letter();
	stls_alloc_fail_at(p->fail_at);
	exchange_start(&p->x, &config);
	begin_connection();
	submit();
}

static const char *
play(struct fuzz_input input, bool by_octet)
{
	memset(p, 0, sizeof(*p));
	p->by_octet = by_octet;
	p->log = logs[by_octet];
	p->log[0] = '\0';
	begin(input);
	while (do_next())
		disturb();
	stls_alloc_fail_at(0);
	note("* end %d %s\n", p->x.err.code, p->x.err.text);
	FUZZ_CHECK(p->x.err.code == 0 || fuzz_is_sentence(p->x.err.text));
	exchange_done(&p->x);
	login_done(&p->login);
	return p->log;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	const char *whole = play(input, false);
	const char *by_octet = play(input, true);

	/* In more pieces there are more allocations: another one fails. */
	bool is_same = p->fail_at > 0 || strcmp(whole, by_octet) == 0;

	if (!is_same)
		fprintf(stderr, "%s\n--- by octet ---\n%s\n", whole, by_octet);
	FUZZ_CHECK(is_same);
	if (getenv("FUZZ_VERBOSE") != NULL)
		puts(whole);
	return 0;
}
