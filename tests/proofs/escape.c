/* SPDX-License-Identifier: MIT */
/*
 * Foreign text in a sentence: whatever it is, what is shown has no control
 * character, ends with a NUL, and fits.
 *
 * bounds: every text of up to LEN octets, every place of up to CAP.
 * files: lib/base/err.c lib/base/utf8.c
 * short: -DLEN=3 -DCAP=6 --unwind 8
 * full: -DLEN=4 -DCAP=10 --unwind 12
 * mutant: lib/base/err.c s/used + 4 >= cap/used + 3 >= cap/
 * mutant: lib/base/err.c s/used + n >= cap/used + n > cap/
 */
#include "base/err.h"

#include <stdarg.h>

#include "proof.h"

/* It is asked for one thing alone: "\x%02x". */
int
snprintf(char *out, size_t cap, const char *fmt, ...)
{
	static const char digits[] = "0123456789abcdef";
	unsigned int value;
	va_list ap;

	va_start(ap, fmt);
	value = va_arg(ap, unsigned int);
	va_end(ap);
	prove(cap == 5 && __CPROVER_w_ok(out, cap), "there is place for it");
	prove(value <= 255, "two digits are enough");
	out[0] = '\\';
	out[1] = 'x';
	out[2] = digits[value >> 4 & 15];
	out[3] = digits[value & 15];
	out[4] = '\0';
	return 4;
}

static void
escape(size_t len, size_t cap)
{
	char *text = any_octets(len), *out = any_octets(cap);
	size_t n, i;

	n = stls_escape(out, cap, text, len);
	prove(cap == 0 || n < cap, "it fits");
	prove(cap == 0 || out[n] == '\0', "it ends");
	for (i = 0; i < cap; i++)
		prove(i >= n || ((unsigned char)out[i] >= ' ' && out[i] != 127),
		    "nothing of it controls");
	free(text);
	free(out);
}

int
main(void)
{
	size_t cap;

	for (cap = 0; cap <= CAP; cap += 3)
		escape(LEN, cap);
	return 0;
}
