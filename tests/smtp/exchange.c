/* SPDX-License-Identifier: MIT */
#include "smtp/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtptls/status.h>

#include "smtp/wire-form.h"

static void
set_addresses(struct stls_transaction *txn, size_t index, size_t recipients)
{
	char name[64];
	size_t i;
	int r;

	snprintf(name, sizeof(name), "s%zu@example.org", index);
	r = stls_transaction_set_sender(txn, name, strlen(name), false);
	for (i = 0; i < recipients && r == SMTPTLS_OK; i++) {
		snprintf(name, sizeof(name), "r%zu.%zu@example.org", index, i);
		r = stls_transaction_add_recipient(
		    txn, name, strlen(name), false);
	}
	if (r < 0)
		hostile_fail("%s cannot be an address", name);
}

struct letter *
exchange_add(struct exchange *x, char *content, size_t len, size_t recipients)
{
	struct letter *letter = &x->letters[x->count];

	letter->content = content;
	letter->len = len;
	letter->wire = malloc(2 * len + 2);
	letter->wire_len = wire_form(letter->wire, content, len);
	set_addresses(&letter->txn, x->count, recipients);
	x->count++;
	return letter;
}

void
exchange_start(struct exchange *x, const struct stls_engine_config *config)
{
	stls_engine_init(&x->engine, config);
	x->witness.letters = x->letters;
	x->witness.letter_count = x->count;
}

void
exchange_move_on(struct exchange *x)
{
	struct stls_engine next;

	stls_engine_init(&next, &x->engine.config);
	stls_engine_move_on(&x->engine, &next);
	stls_engine_done(&x->engine);
	x->engine = next;
	x->out_seen = 0;
}

static struct letter *
letter_of(struct exchange *x, const struct stls_transaction *txn)
{
	size_t i;

	for (i = 0; i < x->count; i++) {
		if (&x->letters[i].txn == txn)
			return &x->letters[i];
	}
	hostile_fail("a transaction that nobody knows");
}

bool
exchange_submit(struct exchange *x)
{
	struct letter *letter = &x->letters[x->submitted];

	if (x->submitted == x->count ||
	    stls_engine_submit(&x->engine, &letter->txn) < 0)
		return false;
	x->submitted++;
	letter->is_in_engine = true;
	return true;
}

struct letter *
exchange_take_done(struct exchange *x)
{
	struct letter *letter = letter_of(x, stls_engine_take_done(&x->engine));

	if (!letter->is_in_engine)
		hostile_fail("%s came back twice", letter->txn.sender);
	letter->is_in_engine = false;
	return letter;
}

const unsigned char *
exchange_output(struct exchange *x, size_t *out_len, size_t *out_seen)
{
	const unsigned char *data = stls_engine_output(&x->engine, out_len);

	if (*out_len < x->out_seen)
		hostile_fail("less is offered than before");
	*out_seen = x->out_seen;
	x->out_seen = *out_len;
	return data;
}

void
exchange_sent(struct exchange *x, size_t n)
{
	x->witness.written += n;
	x->out_seen -= n;
	stls_engine_sent(&x->engine, n);
}

size_t
exchange_content_left(struct exchange *x)
{
	struct letter *letter = letter_of(x, x->engine.sending);

	if (letter->txn.is_repeated)
		letter->given = 0;
	letter->txn.is_repeated = false;
	return letter->len - letter->given;
}

void
exchange_give(struct exchange *x, size_t n)
{
	struct letter *letter = letter_of(x, x->engine.sending);
	const char *piece = letter->content + letter->given;

	letter->given += n;
	if (n == 0)
		stls_engine_body_end(&x->engine);
	else
		stls_engine_body(&x->engine, piece, n);
}

void
exchange_lose(struct exchange *x, bool by_itself)
{
	struct stls_err err;

	stls_err_set(&err, SMTPTLS_E_IO, "lost");
	if (by_itself)
		stls_engine_lose(&x->engine, &err);
	else
		stls_engine_fail(&x->engine, &err);
}

void
exchange_done(struct exchange *x)
{
	size_t i;

	for (i = 0; i < x->count; i++) {
		if (x->letters[i].is_in_engine)
			hostile_fail("one did not come back");
		stls_transaction_done(&x->letters[i].txn);
		free(x->letters[i].content);
		free(x->letters[i].wire);
	}
	stls_engine_done(&x->engine);
	witness_done(&x->witness);
}
