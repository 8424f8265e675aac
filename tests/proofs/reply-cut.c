/* SPDX-License-Identifier: MIT */
/*
 * The reply parser again: the rest of what a server sends, wherever the first
 * piece ends, makes of it what the whole makes, and neither look goes behind
 * the piece it is given.
 *
 * bounds: every input of LEN octets, cut at CUT.
 * files: lib/smtp/reply.c lib/base/utf8.c
 * short: -DLEN=6 -DCUT=3 --unwind 8 --unwindset stls_reply_parse.0:2
 * full: -DLEN=7 -DCUT=0 --unwind 9 --unwindset stls_reply_parse.0:2
 * full: -DLEN=7 -DCUT=1 --unwind 9 --unwindset stls_reply_parse.0:2
 * full: -DLEN=7 -DCUT=2 --unwind 9 --unwindset stls_reply_parse.0:2
 * full: -DLEN=7 -DCUT=3 --unwind 9 --unwindset stls_reply_parse.0:2
 * full: -DLEN=7 -DCUT=4 --unwind 9 --unwindset stls_reply_parse.0:2
 * full: -DLEN=7 -DCUT=5 --unwind 9 --unwindset stls_reply_parse.0:2
 * full: -DLEN=7 -DCUT=6 --unwind 9 --unwindset stls_reply_parse.0:2
 * mutant: lib/smtp/reply.c s/parser->scanned = len;/parser->scanned = len + 1;/
 */
#include "smtp/reply.h"

#include "proof.h"

size_t
stls_escape(char *out, size_t cap, const char *text, size_t len)
{
	(void)text;
	(void)len;
	(void)cap;
	out[0] = '\0';
	return 0;
}

/* Cut where it is said, which is known when the loops are unwound. */
static void
parse_cut(const char *data, size_t cut, int whole, const struct stls_reply *as)
{
	struct stls_reply_parser parser = { 0 };
	struct stls_reply reply;
	struct stls_err err;
	char *piece = any_octets(cut);
	int r;

	memcpy(piece, data, cut);
	r = stls_reply_parse(&err, &parser, piece, cut, &reply);
	if (r == SMTPTLS_AGAIN)
		r = stls_reply_parse(&err, &parser, data, LEN, &reply);
	else if (r == SMTPTLS_OK)
		prove(whole == SMTPTLS_OK && as->len == reply.len,
		    "what is complete stays so");
	prove(r == whole, "a cut changes nothing");
	if (r == SMTPTLS_OK) {
		prove(reply.len == as->len && reply.code == as->code &&
			reply.text_len == as->text_len &&
			reply.rest == as->rest,
		    "a cut changes nothing of the reply");
		prove(reply.is_plain || !as->is_plain || cut < as->len,
		    "no less is known of it");
	}
	free(piece);
}

int
main(void)
{
	struct stls_reply_parser parser = { 0 };
	struct stls_reply reply = { 0 };
	struct stls_err err;
	char *data = any_octets(LEN);
	int r;

	r = stls_reply_parse(&err, &parser, data, LEN, &reply);
	parse_cut(data, CUT, r, &reply);
	free(data);
	return 0;
}
