/* SPDX-License-Identifier: MIT */
#include "smtp/wire-form.h"

size_t
wire_form(char *out, const char *text, size_t len)
{
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		if (text[i] != '\r' && text[i] != '\n') {
			out[n++] = text[i];
			continue;
		}
		if (text[i] == '\r' && i + 1 < len && text[i + 1] == '\n')
			i++;
		out[n++] = '\r';
		out[n++] = '\n';
	}
	if (n > 0 && out[n - 1] != '\n') {
		out[n++] = '\r';
		out[n++] = '\n';
	}
	return n;
}
