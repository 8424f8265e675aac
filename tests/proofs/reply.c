/* SPDX-License-Identifier: MIT */
/*
 * The reply parser (RFC 5321 section 4.2): whatever a server sends, no octet
 * outside of it is read, and what is taken for a reply is one and lies in it.
 *
 * bounds: every input of LEN octets, so every reply of up to as many, also of
 * several lines where they fit (the shortest two need 11).
 * files: lib/smtp/reply.c lib/base/utf8.c
 * short: -DLEN=7 --unwind 9 --unwindset stls_reply_parse.0:2
 * full: -DLEN=12 --unwind 14 --unwindset stls_reply_parse.0:3
 * mutant: lib/smtp/reply.c s/len > CODE_LEN ? CODE_LEN + 1 : len/CODE_LEN + 1/
 * mutant: lib/smtp/reply.c s/first_end - 2/first_end - 1/
 */
#include "smtp/reply.h"

#include "proof.h"

/* Of what is no reply, a part is shown: see escape.c. */
size_t
stls_escape(char *out, size_t cap, const char *text, size_t len)
{
	prove(cap > 0 && __CPROVER_w_ok(out, cap), "there is place for it");
	prove(len == 0 || __CPROVER_r_ok(text, len), "there is what is shown");
	out[0] = '\0';
	return 0;
}

static void
look_at_reply(const struct stls_reply *reply, const char *data, size_t len)
{
	const char *end = data + reply->len - 2;

	prove(reply->len >= 5 && reply->len <= len, "it is in the input");
	prove(end[0] == '\r' && end[1] == '\n', "it ends with CRLF");
	prove(reply->code >= 200 && reply->code <= 599, "it has a code");
	prove(reply->lines == data, "it begins where the input does");
	prove(reply->text >= data + 3 && reply->text <= end &&
		reply->text_len <= (size_t)(end - reply->text),
	    "the text is in it, behind the code and in front of CRLF");
	prove(reply->rest >= 5 && reply->rest <= reply->len,
	    "the second line is in it");
	prove(memchr(reply->enhanced, '\0', STLS_ENHANCED_CAP) != NULL,
	    "the enhanced code ends");
}

int
main(void)
{
	struct stls_reply_parser parser = { 0 };
	struct stls_reply reply;
	struct stls_err err;
	char *data = any_octets(LEN);
	int r;

	r = stls_reply_parse(&err, &parser, data, LEN, &reply);
	if (r == SMTPTLS_OK)
		look_at_reply(&reply, data, LEN);
	else
		prove(r == SMTPTLS_AGAIN || r == SMTPTLS_E_PROTOCOL ||
			r == SMTPTLS_E_LIMIT,
		    "else it says why");
	prove(r != SMTPTLS_AGAIN || parser.scanned == LEN, "all was looked at");
	free(data);
	return 0;
}
