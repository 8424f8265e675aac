/* SPDX-License-Identifier: MIT */
#include "probe/json.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

static void
put_ascii(FILE *file, uint32_t c)
{
	if (c == '"' || c == '\\')
		fprintf(file, "\\%c", (int)c);
	else if (c < 0x20 || c == 0x7f)
		fprintf(file, "\\u%04x", (unsigned int)c);
	else
		putc((int)c, file);
}

static void
put_text(FILE *file, const char *text)
{
	size_t len = strlen(text), n;
	uint32_t c;

	putc('"', file);
	while (len > 0) {
		n = stls_utf8_decode(text, len, &c);
		if (n == 0) {
			fputs("\xef\xbf\xbd", file);
			n = 1;
		} else if (c < 0x80) {
			put_ascii(file, c);
		} else if (stls_utf8_is_control(c)) {
			fprintf(file, "\\u%04x", (unsigned int)c);
		} else {
			fwrite(text, 1, n, file);
		}
		text += n;
		len -= n;
	}
	putc('"', file);
}

static void
begin_value(struct json *json, const char *key)
{
	if (json->needs_comma)
		putc(',', json->file);
	json->needs_comma = true;
	if (key == NULL)
		return;
	put_text(json->file, key);
	putc(':', json->file);
}

static void
open_nested(struct json *json, const char *key, char bracket)
{
	begin_value(json, key);
	putc(bracket, json->file);
	json->needs_comma = false;
}

static void
close_nested(struct json *json, char bracket)
{
	putc(bracket, json->file);
	json->needs_comma = true;
}

void
json_begin_object(struct json *json, const char *key)
{
	open_nested(json, key, '{');
}

void
json_end_object(struct json *json)
{
	close_nested(json, '}');
}

void
json_begin_array(struct json *json, const char *key)
{
	open_nested(json, key, '[');
}

void
json_end_array(struct json *json)
{
	close_nested(json, ']');
}

void
json_string(struct json *json, const char *key, const char *value)
{
	begin_value(json, key);
	if (value != NULL)
		put_text(json->file, value);
	else
		fputs("null", json->file);
}

void
json_number(struct json *json, const char *key, long value)
{
	begin_value(json, key);
	fprintf(json->file, "%ld", value);
}

void
json_bool(struct json *json, const char *key, bool value)
{
	begin_value(json, key);
	fputs(value ? "true" : "false", json->file);
}
