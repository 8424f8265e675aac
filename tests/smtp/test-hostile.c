/* SPDX-License-Identifier: MIT */
/* usage: test-smtp-hostile [ROUNDS [FIRST]] */
/* Servers that say anything at any time, and a witness of the engine. */
#include "smtp/witness.h"

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
	struct stls_engine engine;
	struct stls_err err; /* of the engine */
	struct witness witness;
	struct letter letters[LETTERS_MAX];
	size_t count, submitted;
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
	bool hook; /* is called, so all in front of the end leaves first */
	bool asked_to_quit;
	unsigned int steps;
	size_t out_seen; /* of the present output */
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

/* What has to arrive, by BDAT or when the dots are undone. */
static void
make_wire(struct letter *letter)
{
	char *to = letter->wire = malloc(2 * letter->len + 2);
	size_t i;

	for (i = 0; i < letter->len; i++) {
		if (letter->content[i] != '\r' && letter->content[i] != '\n') {
			*to++ = letter->content[i];
			continue;
		}
		*to++ = '\r';
		*to++ = '\n';
		if (letter->content[i] == '\r' && i + 1 < letter->len &&
		    letter->content[i + 1] == '\n')
			i++;
	}
	if (to > letter->wire && to[-1] != '\n') {
		*to++ = '\r';
		*to++ = '\n';
	}
	letter->wire_len = (size_t)(to - letter->wire);
}

static void
make_content(struct letter *letter, bool may_be_long)
{
	static const char alphabet[] = "a.\r\n.\r\nb";
	size_t i;

	letter->len = dice(may_be_long && chance(5) ? 70000 : 40);
	letter->content = malloc(letter->len + 1);
	for (i = 0; i < letter->len; i++)
		letter->content[i] = alphabet[dice(sizeof(alphabet) - 1)];
	make_wire(letter);
}

static void
make_letter(struct letter *letter, size_t index, bool may_be_long)
{
	struct stls_transaction *txn = &letter->txn;
	char name[64];
	size_t i, count = 1 + dice(RECIPIENTS_MAX);

	make_content(letter, may_be_long);
	snprintf(name, sizeof(name), "s%zu@example.org", index);
	ck_assert_ok(
	    stls_transaction_set_sender(txn, name, strlen(name), false));
	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "r%zu.%zu@example.org", index, i);
		ck_assert_ok(stls_transaction_add_recipient(
		    txn, name, strlen(name), false));
	}
	txn->all_or_nothing = !round_->is_willing && chance(20);
	txn->is_exact = round_->is_willing || chance(80);
	txn->content_size = letter->wire_len;
	txn->can_rewind = round_->is_willing || chance(70);
}

static void
free_letter(struct letter *letter)
{
	stls_transaction_done(&letter->txn);
	free(letter->content);
	free(letter->wire);
}

static struct letter *
letter_of(const struct stls_transaction *txn)
{
	size_t i;

	for (i = 0; i < round_->count; i++) {
		if (&round_->letters[i].txn == txn)
			return &round_->letters[i];
	}
	hostile_fail("a transaction that nobody knows");
}

static void
submit(void)
{
	struct letter *letter;

	if (round_->submitted == round_->count)
		return;
	letter = &round_->letters[round_->submitted];
	if (stls_engine_submit(&round_->engine, &letter->txn) < 0)
		return;
	note("* submit %zu\n", round_->submitted);
	round_->submitted++;
	letter->is_in_engine = true;
}

static void
take_done(void)
{
	struct stls_transaction *txn = stls_engine_take_done(&round_->engine);
	struct letter *letter = letter_of(txn);

	note("* done %s %d\n", txn->sender, txn->status);
	if (!letter->is_in_engine)
		hostile_fail("it came back twice");
	letter->is_in_engine = false;
	witness_check(&round_->witness, letter);
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

	return pick(codes, sizeof(codes) / sizeof(codes[0]));
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
	uint64_t n = r->engine.replies - replies_before;
	bool may_go_on;

	for (; n > 0; n--, r->reply_at++) {
		if (r->reply_at == r->reply_count)
			hostile_fail("a reply that nobody gave");
		may_go_on = witness_reply(&r->witness,
		    r->replies[r->reply_at].code, r->replies[r->reply_at].at);
		if (!may_go_on && r->engine.state != STLS_STATE_CLOSED)
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
	uint64_t before = r->engine.replies;

	if (chance(20))
		n = 1 + dice((unsigned int)n);
	for (i = 0; i < r->reply_count; i++) {
		if (r->replies[i].at == UINT64_MAX &&
		    r->replies[i].start < r->said_at + n)
			r->replies[i].at = r->witness.written;
	}
	stls_engine_receive(&r->engine, r->said + r->said_at, n);
	r->said_at += n;
	account(before);
}

/* Answer what has been written, or do evil. False: there is nothing to say. */
static bool
talk(void)
{
	struct round *r = round_;
	const struct witness *w = &r->witness;
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
	struct stls_err err;

	note("* lost\n");
	stls_err_set(&err, SMTPTLS_E_IO, "lost");
	if (chance(80))
		stls_engine_lose(&round_->engine, &err);
	else
		stls_engine_fail(&round_->engine, &err);
}

/* --- the driver --- */

static void
write_some(void)
{
	struct round *r = round_;
	const unsigned char *data;
	size_t len, n;

	data = stls_engine_output(&r->engine, &len);
	if (len > r->out_seen)
		witness_see(&r->witness, data + r->out_seen, len - r->out_seen);
	if (len < r->out_seen)
		hostile_fail("less is offered than before");
	r->out_seen = len;
	if (chance(10))
		return;
	n = chance(80) ? len : 1 + dice((unsigned int)len);
	r->witness.written += n;
	r->out_seen -= n;
	stls_engine_sent(&r->engine, n);
}

static void
give_content(void)
{
	struct round *r = round_;
	struct letter *letter = letter_of(r->engine.sending);
	size_t n;

	if (letter->txn.is_repeated)
		letter->given = 0;
	letter->txn.is_repeated = false;
	n = letter->len - letter->given;
	if (n > STLS_DATA_CHUNK_MAX)
		n = STLS_DATA_CHUNK_MAX;
	if (n > 0 && chance(50))
		n = 1 + dice((unsigned int)n);
	if (n == 0) {
		stls_engine_body_end(&r->engine);
		return;
	}
	letter->given += n;
	stls_engine_body(&r->engine, letter->content + letter->given - n, n);
}

/* The program has nothing now: what there is is written and read. */
static void
stall(void)
{
	if (stls_engine_has_output(&round_->engine))
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
		stls_engine_abandon(&round_->engine, &err);
	} else {
		give_content();
	}
}

static void
before_end(void)
{
	if (round_->hook && stls_engine_has_output(&round_->engine))
		write_some();
	else if (chance(20))
		stall();
	else
		stls_engine_end_of_data(&round_->engine);
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
	r->out_seen = 0;
	if (stls_engine_start(&r->engine, "client.example.org") < 0)
		hostile_fail("it does not start");
	stls_engine_receive(&r->engine, reply, strlen(reply));
	while (stls_engine_has_output(&r->engine)) {
		stls_engine_output(&r->engine, &len);
		stls_engine_sent(&r->engine, len);
	}
	len = (size_t)sprintf(reply, "250-x\r\n");
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (chance(odds[i]) || (r->is_willing && i < 2))
			len += (size_t)sprintf(
			    reply + len, "250-%s\r\n", words[i]);
	}
	len += (size_t)sprintf(reply + len, "250 HELP\r\n");
	note("%s", reply);
	/* The last line alone shows what is offered. */
	stls_engine_receive(&r->engine, reply, len - 1);
	r->witness.letters = r->letters;
	r->witness.letter_count = r->count;
	witness_start(&r->witness, &r->engine);
	stls_engine_receive(&r->engine, "\n", 1);
	r->witness.pipelining = r->engine.capabilities.pipelining &&
	    !r->engine.config.one_by_one;
}

static void
reconnect(void)
{
	struct stls_engine next;

	note("* reconnect\n");
	stls_engine_init(&next, &round_->engine.config);
	stls_engine_move_on(&round_->engine, &next);
	stls_engine_done(&round_->engine);
	round_->engine = next;
	begin_connection();
}

static void
disturb(void)
{
	struct round *r = round_;

	if (chance(20))
		submit();
	if (chance(1))
		stls_engine_noop(&r->engine);
	if (chance(1))
		stls_engine_rset(&r->engine);
	if (r->submitted == r->count && chance(3)) {
		r->asked_to_quit = true;
		stls_engine_quit(&r->engine);
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
	if (witness_next(&r->witness) == NULL)
		hostile_fail("it waits for nothing");
	lose();
}

static void
be_ready(void)
{
	struct round *r = round_;

	if (r->submitted < r->count) {
		submit();
	} else if (!r->asked_to_quit && chance(70)) {
		r->asked_to_quit = true;
		stls_engine_quit(&r->engine);
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
	switch (stls_engine_event(&r->engine)) {
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
		.err = &r->err,
		.trace = trace,
	};
	size_t i;

	r->is_willing = chance(25);
	config.at_once |= r->is_willing;
	if (config.at_once && chance(70))
		config.window = 1 + dice(5);
	r->evil = evils[dice(6)];
	r->refuses = refusals[dice(6)];
	r->is_stubborn = chance(20);
	r->loses = chance(30) ? 5 : 0;
	r->hook = chance(50);
	r->count = 1 + dice(LETTERS_MAX);
	for (i = 0; i < r->count; i++)
		make_letter(&r->letters[i], i,
		    config.chunk_max == 0 || config.chunk_max > 1000);
	note("* lmtp %d, one by one %d, at once %d, window %zu, chunks %d\n",
	    config.lmtp, config.one_by_one, config.at_once, config.window,
	    (int)config.chunk_max);
	stls_engine_init(&r->engine, &config);
	begin_connection();
	while (r->submitted < r->count && chance(80))
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
	for (i = 0; i < round_->count; i++) {
		if (round_->letters[i].is_in_engine)
			hostile_fail("one did not come back");
		free_letter(&round_->letters[i]);
	}
	stls_engine_done(&round_->engine);
	witness_done(&round_->witness);
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
