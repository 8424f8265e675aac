/* SPDX-License-Identifier: MIT */
/*
 * The one function that writes a line to a server, by all that use it: whatever
 * they are given, a line that is sent has one CRLF, at its end, and no control
 * character in front of it; else nothing is sent, also where memory runs out.
 *
 * bounds: names, addresses and parameters of up to LEN octets each, of any
 * value; secrets of up to LEN octets; every number.
 * files: lib/smtp/command.c lib/base/utf8.c lib/base/base64.c lib/base/alloc.c
 * files: lib/base/secret.c tests/proofs/buffer.c
 * short: -DWHICH=0 -DLEN=4 -DPLACE=6 --unwind 8
 * short: -DWHICH=6 -DLEN=2 -DPLACE=6 --unwind 8
 * full: -DWHICH=0 -DLEN=6 -DPLACE=8 --unwind 10
 * full: -DWHICH=1 -DLEN=4 -DPLACE=11 --unwind 13
 * full: -DWHICH=2 -DLEN=3 -DPLACE=15 --unwind 17
 * full: -DWHICH=6 -DLEN=3 -DPLACE=6 --unwind 8
 * options: --malloc-may-fail --malloc-fail-null
 * mutant: lib/smtp/command.c s/if (!is_clean/if (total > 3 \&\& !is_clean/
 * mutant: lib/smtp/command.c s/total = line->len + 2/total = line->len + 1/
 */
#include "smtp/command.h"

#include "buffer.h"

static size_t sent;
static bool after_cr, has_ended;

void
on_wire(unsigned char c)
{
	prove(!has_ended, "nothing is behind the CRLF");
	prove(after_cr == (c == '\n'), "there is no CR or LF but the last");
	prove(c >= ' ' || c == '\r' || c == '\n', "nothing controls");
	prove(c != 127, "no DEL is sent");
	after_cr = c == '\r';
	has_ended = c == '\n';
	sent++;
}

/* Whatever they write, it is looked at with the rest of the line. */
const char *
stls_demands_format_mail(
    const struct stls_demands *demands, char buf[STLS_MAIL_DEMANDS_CAP])
{
	(void)demands;
	memcpy(buf, any_string(LEN), LEN + 1);
	return buf;
}

const char *
stls_demands_format_rcpt(const struct stls_demands *demands, size_t index,
    char buf[STLS_RCPT_DEMANDS_CAP])
{
	(void)demands, (void)index;
	memcpy(buf, any_string(LEN), LEN + 1);
	return buf;
}

static int
write_mail(struct stls_err *err, struct stls_buf *out, const char *mailbox)
{
	struct stls_demands demands;
	struct stls_mail_params params = { .has_size = nondet_bool(),
		.size = nondet_uint64(),
		.body_8bit = nondet_bool(),
		.smtputf8 = nondet_bool(),
		.demands = nondet_bool() ? &demands : NULL };

	return stls_command_mail(err, out, mailbox, &params);
}

static int
write_any(struct stls_err *err, struct stls_buf *out, const char *text,
    const struct stls_secret *secret)
{
	switch (WHICH) {
	case 0:
		return stls_command_write(err, out, text);
	case 1:
		return stls_command_ehlo(err, out, "EHLO", text);
	case 2:
		return stls_command_rcpt(err, out, text, nondet_bool());
	case 3:
		return stls_command_rcpt_with(
		    err, out, text, nondet_bool(), NULL, nondet_size());
	case 4:
		return stls_command_bdat(
		    err, out, nondet_uint64(), nondet_bool());
	case 5:
		return stls_command_auth(
		    err, out, text, nondet_bool() ? secret : NULL);
	case 6:
		return stls_command_auth_response(err, out, secret);
	default:
		return write_mail(err, out, text);
	}
}

int
main(void)
{
	struct stls_secret secret = { .len = any_up_to(LEN) };
	struct stls_buf out = { .max = any_up_to(PLACE) };
	char *text = any_string(LEN);
	struct stls_err err;
	int r;

	secret.data = any_string(LEN);
	r = write_any(&err, &out, text, &secret);
	prove(has_ended == (r == SMTPTLS_OK), "what is a success is a line");
	prove(sent == 0 || r == SMTPTLS_OK, "what fails sends nothing");
	free(text);
	free(secret.data);
	return 0;
}
