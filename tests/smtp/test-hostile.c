/* SPDX-License-Identifier: MIT */
/* usage: test-smtp-hostile [ROUNDS [FIRST]] */
/* Servers that say anything at any time, and a witness of the engine. */
#include "smtp/exchange.h"

#include "test.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <smtptls/status.h>

#define ROUNDS 4000
#define STEPS_MAX 100000
#define REPLIES_MAX 8
#define NOTE_MAX 512

/* Every round can be had again by its number. */
static uint64_t number, state;
static size_t rounds = 0, first_round = 1;

/* xorshift64* */
static unsigned int
dice(unsigned int sides)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (unsigned int)((state * 0x2545f4914f6cdd1dULL) >> 33) % sides;
}

static bool
chance(unsigned int percent)
{
	return dice(100) < percent;
}

static struct round {
	struct exchange x;
	char log[8192];
	size_t log_len;

	/* How the server is. */
	unsigned int evil, refuses, loses;
	bool is_stubborn; /* 503, whatever it was */
	/* What it has said, and not been heard yet. */
	char said[65536];
	size_t said_len, said_at;
	struct {
		int code;
		size_t start;
		uint64_t at;
	} replies[REPLIES_MAX];
	size_t reply_count, reply_at;

	bool is_willing; /* to have much in the air */
	unsigned int steps;
} * round_;

__attribute__((format(printf, 1, 2))) static void
note(const char *fmt, ...)
{
	struct round *r = round_;
	va_list ap;

	/* Its end is what tells. */
	if (r->log_len > sizeof(r->log) - NOTE_MAX) {
		r->log_len = sizeof(r->log) / 2;
		memcpy(r->log, r->log + r->log_len, r->log_len);
	}
	va_start(ap, fmt);
	vsnprintf(r->log + r->log_len, NOTE_MAX, fmt, ap);
	va_end(ap);
	r->log_len += strlen(r->log + r->log_len);
}

void
hostile_fail(const char *fmt, ...)
{
	char what[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	ck_abort_msg("round %llu: %s\n%s", (unsigned long long)number, what,
	    round_->log);
}

static bool
may_send(enum stls_step step, void *arg)
{
	(void)step;
	(void)arg;
	return true;
}

static void
trace(char what, const char *text, size_t len, void *arg)
{
	(void)arg;
	note("%c %.*s\n", what, (int)(len > 200 ? 200 : len), text);
}

/* --- messages --- */

static char *
make_content(bool may_be_long, size_t *out_len)
{
	static const char alphabet[] = "a.\r\n.\r\nb";
	size_t i, len = dice(may_be_long && chance(5) ? 70000 : 40);
	char *content = malloc(len + 1);

	for (i = 0; i < len; i++)
		content[i] = alphabet[dice(sizeof(alphabet) - 1)];
	*out_len = len;
	return content;
}

static void
make_letter(bool may_be_long)
{
	size_t len, recipients = 1 + dice(RECIPIENTS_MAX);
	char *content = make_content(may_be_long, &len);
	struct letter *letter = exchange_add(
	    &round_->x, content, len, recipients);
	struct stls_transaction *txn = &letter->txn;

	txn->all_or_nothing = !round_->is_willing && chance(20);
	txn->is_exact = round_->is_willing || chance(80);
	txn->content_size = letter->wire_len;
	txn->can_rewind = round_->is_willing || chance(70);
}

static void
submit(void)
{
	if (exchange_submit(&round_->x))
		note("* submit %zu\n", round_->x.submitted - 1);
}

static void
take_done(void)
{
	struct letter *letter = exchange_take_done(&round_->x);

	note("* done %s %d\n", letter->txn.sender, letter->txn.status);
	witness_check(&round_->x.witness, letter);
}

/* --- the server --- */

static int
pick(const int *codes, size_t count)
{
	return codes[dice((unsigned int)count)];
}

static int
refusal(int kind)
{
	static const int mail[] = { 503, 503, 451, 550, 421 },
			 rcpt[] = { 550, 450, 452, 452, 552, 503, 421 },
			 data[] = { 554, 503, 451, 421 },
			 chunk[] = { 503, 503, 552, 451, 502 };

	switch (kind) {
	case Q_MAIL:
		return pick(mail, 4 + (round_->evil > 0));
	case Q_RCPT:
		return pick(rcpt, 6 + (round_->evil > 0));
	case Q_DATA:
		return pick(data, 3 + (round_->evil > 0));
	case Q_CHUNK:
	case Q_END:
		return pick(chunk, 5);
	default:
		return 500;
	}
}

static int
any_code(void)
{
	static const int codes[] = { 250, 250, 354, 251, 220, 221, 334, 421,
		450, 452, 503, 550, 554, 599, 200, 399 };

	return pick(codes, COUNT(codes));
}

static int
answer(const struct question *q)
{
	if (chance(round_->evil))
		return any_code();
	if (q->kind == Q_RSET || q->kind == Q_NOOP)
		return 250;
	if (q->kind == Q_QUIT)
		return chance(90) ? 221 : 421;
	if (chance(round_->refuses))
		return round_->is_stubborn ? 503 : refusal(q->kind);
	return q->kind == Q_DATA ? 354 : 250;
}

static void
say(int code)
{
	struct round *r = round_;

	if (r->reply_count == REPLIES_MAX)
		return;
	r->replies[r->reply_count].code = code;
	r->replies[r->reply_count].start = r->said_len;
	r->replies[r->reply_count].at = UINT64_MAX;
	r->reply_count++;
	if (chance(10))
		r->said_len += (size_t)sprintf(
		    r->said + r->said_len, "%d-more\r\n", code);
	r->said_len += (size_t)sprintf(
	    r->said + r->said_len, "%d 2.0.0 text\r\n", code);
}

/* Everything up to so far was taken: which replies were whole? */
static void
account(uint64_t replies_before)
{
	struct round *r = round_;
	uint64_t n = r->x.engine.replies - replies_before;
	bool may_go_on;

	for (; n > 0; n--, r->reply_at++) {
		if (r->reply_at == r->reply_count)
			hostile_fail("a reply that nobody gave");
		may_go_on = witness_reply(&r->x.witness,
		    r->replies[r->reply_at].code, r->replies[r->reply_at].at);
		if (!may_go_on && r->x.engine.state != STLS_STATE_CLOSED)
			hostile_fail("it goes on after a false reply");
	}
	if (r->said_at == r->said_len)
		r->said_at = r->said_len = r->reply_count = r->reply_at = 0;
}

/* The engine hears some of what was said. */
static void
hear(void)
{
	struct round *r = round_;
	size_t n = r->said_len - r->said_at, i;
	uint64_t before = r->x.engine.replies;

	if (chance(20))
		n = 1 + dice((unsigned int)n);
	for (i = 0; i < r->reply_count; i++) {
		if (r->replies[i].at == UINT64_MAX &&
		    r->replies[i].start < r->said_at + n)
			r->replies[i].at = r->x.witness.written;
	}
	stls_engine_receive(&r->x.engine, r->said + r->said_at, n);
	r->said_at += n;
	account(before);
}

/* Answer what has been written, or do evil. False: there is nothing to say. */
static bool
talk(void)
{
	struct round *r = round_;
	const struct witness *w = &r->x.witness;
	size_t next = w->reply_count, most = 1 + dice(6);
	bool has_said = r->said_at < r->said_len;

	if (has_said) {
		hear();
		return true;
	}
	for (; next < w->question_count && most > 0; next++, most--) {
		if (w->questions[next].end > w->written)
			break;
		say(answer(&w->questions[next]));
		has_said = true;
	}
	if (chance(r->evil)) {
		say(any_code());
		has_said = true;
	}
	if (has_said)
		hear();
	return has_said;
}

/* Something that was not asked for: during content, a no may come. */
static void
interrupt(void)
{
	struct round *r = round_;

	if (r->said_at < r->said_len || r->evil == 0)
		return;
	say(chance(50) ? 552 : any_code());
	hear();
}

static void
lose(void)
{
	note("* lost\n");
	exchange_lose(&round_->x, chance(80));
}

/* --- the driver --- */

static void
write_some(void)
{
	struct exchange *x = &round_->x;
	const unsigned char *data;
	size_t len, seen;

	data = exchange_output(x, &len, &seen);
	if (len > seen)
		witness_see(&x->witness, data + seen, len - seen);
	if (chance(10))
		return;
	exchange_sent(x, chance(80) ? len : 1 + dice((unsigned int)len));
}

static void
give_content(void)
{
	size_t n = exchange_content_left(&round_->x);

	if (n > STLS_DATA_CHUNK_MAX)
		n = STLS_DATA_CHUNK_MAX;
	if (n > 0 && chance(50))
		n = 1 + dice((unsigned int)n);
	exchange_give(&round_->x, n);
}

/* The program has nothing now: what there is is written and read. */
static void
stall(void)
{
	if (stls_engine_has_output(&round_->x.engine))
		write_some();
	else if (!talk())
		interrupt();
}

static void
need_body(void)
{
	struct stls_err err;

	if (chance(15)) {
		stall();
	} else if (round_->evil > 0 && chance(1)) {
		stls_err_set(&err, SMTPTLS_E_SOURCE, "no more content");
		stls_engine_abandon(&round_->x.engine, &err);
	} else {
		give_content();
	}
}

static void
before_end(void)
{
	if (round_->x.hook && stls_engine_has_output(&round_->x.engine))
		write_some();
	else if (chance(20))
		stall();
	else
		stls_engine_end_of_data(&round_->x.engine);
}

static void
begin_connection(void)
{
	static const char *const words[] = { "PIPELINING", "CHUNKING",
		"LIMITS RCPTMAX=2", "LIMITS MAILMAX=2", "8BITMIME",
		"LIMITS MAILMAX=1 RCPTMAX=1" };
	static const unsigned int odds[] = { 75, 75, 10, 10, 50, 5 };
	struct round *r = round_;
	char reply[512] = "220 x\r\n";
	size_t len, i;

	r->said_at = r->said_len = r->reply_count = r->reply_at = 0;
	if (stls_engine_start(&r->x.engine, "client.example.org") < 0)
		hostile_fail("it does not start");
	stls_engine_receive(&r->x.engine, reply, strlen(reply));
	while (stls_engine_has_output(&r->x.engine)) {
		stls_engine_output(&r->x.engine, &len);
		stls_engine_sent(&r->x.engine, len);
	}
	len = (size_t)sprintf(reply, "250-x\r\n");
	for (i = 0; i < COUNT(words); i++) {
		if (chance(odds[i]) || (r->is_willing && i < 2))
			len += (size_t)sprintf(
			    reply + len, "250-%s\r\n", words[i]);
	}
	len += (size_t)sprintf(reply + len, "250 HELP\r\n");
	note("%s", reply);
	/* The last line alone shows what is offered. */
	stls_engine_receive(&r->x.engine, reply, len - 1);
	witness_start(&r->x.witness, &r->x.engine);
	stls_engine_receive(&r->x.engine, "\n", 1);
	r->x.witness.pipelining = r->x.engine.capabilities.pipelining &&
	    !r->x.engine.config.one_by_one;
}

static void
reconnect(void)
{
	note("* reconnect\n");
	exchange_move_on(&round_->x);
	begin_connection();
}

static void
disturb(void)
{
	struct round *r = round_;

	if (chance(20))
		submit();
	if (chance(1))
		stls_engine_noop(&r->x.engine);
	if (chance(1))
		stls_engine_rset(&r->x.engine);
	if (r->x.submitted == r->x.count && chance(3)) {
		r->x.asked_to_quit = true;
		stls_engine_quit(&r->x.engine);
	}
	if (dice(1000) < r->loses)
		lose();
	if (chance(2))
		interrupt();
}

static void
need_input(void)
{
	struct round *r = round_;

	if (talk())
		return;
	if (witness_next(&r->x.witness) == NULL)
		hostile_fail("it waits for nothing");
	lose();
}

static void
be_ready(void)
{
	struct round *r = round_;

	if (r->x.submitted < r->x.count) {
		submit();
	} else if (!r->x.asked_to_quit && chance(70)) {
		r->x.asked_to_quit = true;
		stls_engine_quit(&r->x.engine);
	} else {
		lose();
	}
}

/* False: it is over. */
static bool
do_next(void)
{
	struct round *r = round_;

	if (++r->steps > STEPS_MAX)
		hostile_fail("it never ends");
	disturb();
	switch (stls_engine_event(&r->x.engine)) {
	case STLS_NEED_INPUT:
		need_input();
		return true;
	case STLS_HAVE_OUTPUT:
		if (chance(5))
			talk();
		else
			write_some();
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
	case STLS_CLOSED:
		return false;
	default:
		hostile_fail("an event that cannot be");
	}
}

static void
begin_round(void)
{
	static const unsigned int evils[] = { 0, 0, 0, 1, 3, 10 };
	static const unsigned int refusals[] = { 0, 5, 20, 50, 90, 100 };
	static const uint64_t chunks[] = { 0, 1, 8, 64, 5000 };
	struct round *r = round_;
	struct stls_engine_config config = {
		.lmtp = chance(15),
		.insecure_no_tls = true,
		.one_by_one = chance(10),
		.no_chunking = chance(10),
		.at_once = chance(60),
		.chunk_max = chunks[dice(5)],
		.may_send = may_send,
		.err = &r->x.err,
		.trace = trace,
	};
	size_t i, count;

	r->is_willing = chance(25);
	config.at_once |= r->is_willing;
	if (config.at_once && chance(70))
		config.window = 1 + dice(5);
	r->evil = evils[dice(6)];
	r->refuses = refusals[dice(6)];
	r->is_stubborn = chance(20);
	r->loses = chance(30) ? 5 : 0;
	r->x.hook = chance(50);
	count = 1 + dice(LETTERS_MAX);
	for (i = 0; i < count; i++)
		make_letter(config.chunk_max == 0 || config.chunk_max > 1000);
	note("* lmtp %d, one by one %d, at once %d, window %zu, chunks %d\n",
	    config.lmtp, config.one_by_one, config.at_once, config.window,
	    (int)config.chunk_max);
	exchange_start(&r->x, &config);
	begin_connection();
	while (r->x.submitted < r->x.count && chance(80))
		submit();
}

static void
play(uint64_t which)
{
	size_t i;

	memset(round_, 0, sizeof(*round_));
	number = which;
	state = which * 0x9e3779b97f4a7c15ULL + 1;
	for (i = 0; i < 8; i++)
		dice(2);
	begin_round();
	while (do_next())
		;
	exchange_done(&round_->x);
}

START_TEST(whatever_a_server_says_each_outcome_is_true)
{
	size_t i;

	round_ = calloc(1, sizeof(*round_));
	ck_assert_ptr_nonnull(round_);
	for (i = 0; i < rounds; i++)
		play(first_round + i);
	free(round_);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("hostile");
	TCase *tc = tcase_create("hostile");

	rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : test_rounds(ROUNDS);
	if (argc > 2)
		first_round = strtoul(argv[2], NULL, 10);
	tcase_set_timeout(tc, 3600);
	tcase_add_test(tc, whatever_a_server_says_each_outcome_is_true);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
