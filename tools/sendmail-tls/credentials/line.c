/* SPDX-License-Identifier: MIT */
#include "credentials/line.h"

#include <string.h>
#include <sysexits.h>

void
first_line_add(struct first_line *line, const char *data, size_t len)
{
	const char *end;

	if (line->is_complete)
		return;
	end = memchr(data, '\n', len);
	if (end != NULL) {
		line->is_complete = true;
		len = (size_t)(end - data);
	}
	if (len > sizeof(line->text) - line->len) {
		line->is_too_long = true;
		return;
	}
	memcpy(line->text + line->len, data, len);
	line->len += len;
}

int
first_line_take(struct stls_err *err, const char *what,
    const struct first_line *line, struct stls_secret *out_secret)
{
	size_t max = line->len_max > 0 ? line->len_max : LINE_LEN_MAX;
	size_t len = line->len;

	if (len > 0 && line->text[len - 1] == '\r')
		len--;
	if (line->is_too_long || len > max)
		return stls_err_set(err, EX_CONFIG,
		    "%s: the first line is longer than %zu bytes", what, max);
	if (len == 0)
		return stls_err_set(
		    err, EX_CONFIG, "%s: the first line is empty", what);
	if (memchr(line->text, '\0', len) != NULL)
		return stls_err_set(err, EX_CONFIG,
		    "%s: there is a NUL in the first line", what);
	if (stls_secret_set(out_secret, line->text, len) < 0)
		return stls_err_set(err, EX_OSERR, "out of memory");
	return 0;
}

void
first_line_done(struct first_line *line)
{
	stls_wipe(line, sizeof(*line));
}
