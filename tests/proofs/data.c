/* SPDX-License-Identifier: MIT */
/*
 * The way of a content to DATA and to BDAT: whatever it is and however it is
 * cut, on the wire each line ends with CRLF, no NUL and no bare CR or LF is
 * there, the dot that ends it is the last line and no other, and a server that
 * takes the dots away has the content with CRLF for its line endings.
 *
 * bounds: every content of LEN octets in two pieces, cut anywhere; every flag.
 * The loops for what is longer are in octets.c.
 * files: lib/smtp/data.c tests/proofs/buffer.c
 * short: -DLEN=3 -DCUT=1 -DPLACE=9 --unwind 10
 * full: -DLEN=4 -DCUT=0 -DPLACE=11 --unwind 12
 * full: -DLEN=4 -DCUT=1 -DPLACE=11 --unwind 12
 * full: -DLEN=4 -DCUT=2 -DPLACE=11 --unwind 12
 * full: -DLEN=4 -DCUT=3 -DPLACE=11 --unwind 12
 * mutant: lib/smtp/data.c s/(c == '[.]'/& \&\& data->octets_in > 0/
 * mutant: lib/smtp/data.c s/2 \* len + 3/2 * len - 1/
 * mutant: lib/smtp/data.c s/text\[n\] > '.r'/text[n] > '\\n'/
 */
#include "smtp/data.h"

#include "buffer.h"
#include "smtp/octets.h"

/* Not called for so little. */
size_t
stls_octets_lines(unsigned char **out, const unsigned char *in, size_t len,
    bool seven, bool lf, bool dots)
{
	(void)out, (void)in, (void)len, (void)seven, (void)lf, (void)dots;
	prove(false, "for a short piece the vectors are not asked");
	return 0;
}

void
stls_octets_sum(struct stls_octets_sum *out_sum, const unsigned char *in,
    size_t len, unsigned char before)
{
	(void)in, (void)len, (void)before;
	*out_sum = (struct stls_octets_sum){ 0 };
}

/* A server that reads DATA, or BDAT where there are no dots. */
static struct {
	bool is_chunk;
	bool after_cr;
	bool line_start;
	bool dot; /* the line begins with one, which is taken away */
	bool has_ended;
	size_t len;
} server;

/* What it should have. */
static char expected[2 * LEN + 4];
static size_t expected_len;

static void
server_has(unsigned char c)
{
	prove(server.len < expected_len, "a server has no more than there was");
	if (server.len < expected_len)
		prove(expected[server.len] == (char)c,
		    "a server has the content");
	server.len++;
}

void
on_wire(unsigned char c)
{
	bool was_start = server.line_start;

	prove(!server.has_ended, "nothing is behind the end");
	prove(c != '\0', "no NUL is sent");
	prove(server.after_cr == (c == '\n'), "no CR or LF is alone");
	server.line_start = c == '\n';
	server.after_cr = c == '\r';
	if (!server.is_chunk && was_start && c == '.') {
		server.dot = true;
		return;
	}
	if (server.dot && c == '\r')
		return;
	if (server.dot && c == '\n') {
		server.has_ended = true;
		return;
	}
	server.dot = false;
	server_has(c);
}

static void
expect(char c)
{
	expected[expected_len++] = c;
}

/* The content with CRLF for CR, LF and CRLF, and at its end. */
static void
set_expected(const char *text)
{
	size_t i;

	for (i = 0; i < LEN; i++) {
		if (text[i] == '\n' && i > 0 && text[i - 1] == '\r')
			continue;
		if (text[i] == '\n' || text[i] == '\r') {
			expect('\r');
			expect('\n');
		} else {
			expect(text[i]);
		}
	}
	if (text[LEN - 1] != '\n' && text[LEN - 1] != '\r') {
		expect('\r');
		expect('\n');
	}
}

/* Whether a content may be refused, for what is in it. */
static bool
has_fault(const struct stls_data *data, const char *text)
{
	bool fault = false;
	char before = 'x';
	size_t i;

	for (i = 0; i < LEN; i++) {
		fault |= text[i] == '\0';
		fault |= data->refuse_8bit && text[i] < 0;
		fault |= data->reject_line_endings &&
		    (text[i] == '\n') != (before == '\r');
		before = text[i];
	}
	return fault || (data->reject_line_endings && before == '\r');
}

static int
write_all(struct stls_err *err, struct stls_data *data, const char *text,
    size_t cut, struct stls_buf *out)
{
	int r;

	r = stls_data_write(err, data, text, cut, out);
	if (r == SMTPTLS_OK)
		r = stls_data_write(err, data, text + cut, LEN - cut, out);
	if (r == SMTPTLS_OK)
		r = stls_data_end(err, data, out);
	return r;
}

int
main(void)
{
	struct stls_data data = { .reject_line_endings = nondet_bool(),
		.refuse_8bit = nondet_bool(),
		.is_chunk = nondet_bool() };
	struct stls_buf out = { .max = 3 * LEN + 9 };
	char *text = any_octets(LEN);
	struct stls_err err;
	int r;

	server.is_chunk = data.is_chunk;
	server.line_start = true;
	set_expected(text);
	r = write_all(&err, &data, text, CUT, &out);
	if (r == SMTPTLS_OK) {
		prove(!has_fault(&data, text), "what is refused is not sent");
		prove(server.has_ended == !data.is_chunk, "the dot ends it");
		prove(server.len == expected_len, "a server has all of it");
	} else {
		prove(!server.has_ended, "what was refused has no end");
		prove(r == SMTPTLS_E_NOMEM || has_fault(&data, text),
		    "what has no fault is sent");
	}
	free(text);
	return 0;
}
