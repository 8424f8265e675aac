/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_PROBE_JSON_H
#define SENDMAIL_PROBE_JSON_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Writes JSON (RFC 8259). A key of NULL is for an element of an array. What is
 * no valid UTF-8 becomes U+FFFD.
 */
struct json {
	FILE *file;
	bool needs_comma;
};

void json_begin_object(struct json *json, const char *key);
void json_end_object(struct json *json);
void json_begin_array(struct json *json, const char *key);
void json_end_array(struct json *json);

/* A value of NULL becomes null. */
void json_string(struct json *json, const char *key, const char *value);
void json_number(struct json *json, const char *key, long value);
void json_bool(struct json *json, const char *key, bool value);

#endif
