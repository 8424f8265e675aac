/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/*
 * Whether a character makes a terminal show something else than is written:
 * besides those that break lines, embeddings, overrides and isolates of the
 * bidirectional algorithm (UAX #9), which turn around what follows them. A
 * command may have these, a name in Hebrew could.
 */
static bool
is_misleading(uint32_t c)
{
	return stls_utf8_is_control(c) || (c >= 0x202a && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069);
}

/* Copy what needs no escaping; returns how much that is. */
static size_t
copy_printable(char *out, size_t cap, const char *text, size_t len)
{
	size_t n = stls_ascii_printable(text, len < cap ? len : cap - 1);

	memcpy(out, text, n);
	return n;
}

size_t
stls_escape(char *out, size_t cap, const char *text, size_t len)
{
	size_t used, n;
	uint32_t c;

	if (cap == 0)
		return 0;
	used = copy_printable(out, cap, text, len);
	text += used;
	len -= used;
	while (len > 0) {
		n = stls_utf8_decode(text, len, &c);
		if (n == 0 || is_misleading(c)) {
			if (used + 4 >= cap)
				break;
			snprintf(out + used, 5, "\\x%02x",
			    (unsigned int)(unsigned char)*text);
			used += 4;
			n = 1;
		} else {
			if (used + n >= cap)
				break;
			memcpy(out + used, text, n);
			used += n;
		}
		text += n;
		len -= n;
	}
	out[used] = '\0';
	return used;
}

/*
 * Escape raw into the sentence and show by "..." that something is missing.
 * raw may have been cut by vsnprintf, in the middle of a character even.
 */
static void
set_text(struct stls_err *err, const char *raw, bool cut)
{
	size_t used;

	used = stls_escape(err->text, sizeof(err->text) - 3, raw, strlen(raw));
	if (cut || used + 8 > sizeof(err->text))
		memcpy(err->text + used, "...", 4);
}

__attribute__((format(printf, 2, 0))) static void
set_va(struct stls_err *err, const char *fmt, va_list ap)
{
	char raw[STLS_ERR_TEXT_MAX];
	int n;

	n = vsnprintf(raw, sizeof(raw), fmt, ap);
	if (n < 0)
		raw[0] = '\0';
	set_text(err, raw, n >= (int)sizeof(raw));
}

int
stls_err_set(struct stls_err *err, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_va(err, fmt, ap);
	va_end(ap);
	err->code = code;
	return code;
}

int
stls_err_nomem(struct stls_err *err)
{
	return stls_err_set(err, SMTPTLS_E_NOMEM, "out of memory");
}

int
stls_err_errno(struct stls_err *err, int code, int errnum, const char *fmt, ...)
{
	char what[STLS_ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	/* strerror() is only unsafe for numbers nobody knows. */
	return stls_err_set(err, code, "%s: %s", what, strerror(errnum));
}

int
stls_err_prefix(struct stls_err *err, const char *fmt, ...)
{
	char text[STLS_ERR_TEXT_MAX], prefix[STLS_ERR_TEXT_MAX];
	char raw[2 * STLS_ERR_TEXT_MAX + 3];
	va_list ap;

	memcpy(text, err->text, sizeof(text));
	va_start(ap, fmt);
	vsnprintf(prefix, sizeof(prefix), fmt, ap);
	va_end(ap);
	snprintf(raw, sizeof(raw), "%s: %s", prefix, text);
	set_text(err, raw, false);
	return err->code;
}

void
stls_err_copy(struct stls_err *dst, const struct stls_err *src)
{
	if (dst != src)
		*dst = *src;
}

void
stls_err_clear(struct stls_err *err)
{
	err->code = SMTPTLS_OK;
	err->text[0] = '\0';
}

const char *
stls_err_text(const struct stls_err *err)
{
	return err->text[0] != '\0' ? err->text : smtptls_strerror(err->code);
}
