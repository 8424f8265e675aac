/* SPDX-License-Identifier: MIT */
#include "conversation/parameters.h"

#include <string.h>
#include <strings.h>

#include "base/utf8.h"

#include "conversation/extensions.h"

/* RFC 1870 section 3: size-value is 1*20DIGIT. */
#define SIZE_DIGITS_MAX 20

static const struct sink_reply bad_parameter = { 501, "5.5.4",
	"a parameter has no valid value" };
static const struct sink_reply twice = { 501, "5.5.4",
	"a parameter is there twice" };
static const struct sink_reply unknown_parameter = { 555, "5.5.4",
	"a parameter is unknown, or its extension is not offered" };
/* RFC 4865 section 4: 1*9DIGIT; RFC 2852 section 4: the same, signed. */
#define INTERVAL_DIGITS_MAX 9

struct parameter {
	const char *name;
	unsigned int extension;
	size_t offset; /* of its view in struct sink_path */
	bool (*is_valid)(struct sink_path *path, struct sink_view value);
};

static bool
view_is(struct sink_view view, const char *word)
{
	return view.len == strlen(word) &&
	    strncasecmp(view.data, word, view.len) == 0;
}

static bool
is_hex_upper(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

/* RFC 3461 section 4: printable but for "+" and "="; +XX is an octet. */
static bool
is_xtext(struct sink_view value)
{
	size_t i;

	for (i = 0; i < value.len; i++) {
		if (value.data[i] <= ' ' || value.data[i] > '~' ||
		    value.data[i] == '=')
			return false;
		if (value.data[i] != '+')
			continue;
		if (value.len - i < 3 || !is_hex_upper(value.data[i + 1]) ||
		    !is_hex_upper(value.data[i + 2]))
			return false;
		i += 2;
	}
	return true;
}

static bool
size_is_valid(struct sink_path *path, struct sink_view value)
{
	uint64_t size = 0;
	size_t i;

	if (value.len == 0 || value.len > SIZE_DIGITS_MAX)
		return false;
	for (i = 0; i < value.len; i++) {
		if (value.data[i] < '0' || value.data[i] > '9')
			return false;
		/* 20 digits may not fit; what is that big is refused anyway. */
		if (size > UINT64_MAX / 10 - 1)
			size = UINT64_MAX / 10 - 1;
		size = size * 10 + (uint64_t)(value.data[i] - '0');
	}
	path->size_value = size;
	return true;
}

static bool
body_is_valid(struct sink_path *path, struct sink_view value)
{
	path->is_eightbit = view_is(value, "8BITMIME");
	return path->is_eightbit || view_is(value, "7BIT");
}

static bool
auth_is_valid(struct sink_path *path, struct sink_view value)
{
	(void)path;
	return value.len > 0 && is_xtext(value);
}

static bool
ret_is_valid(struct sink_path *path, struct sink_view value)
{
	(void)path;
	return view_is(value, "FULL") || view_is(value, "HDRS");
}

static bool
envid_is_valid(struct sink_path *path, struct sink_view value)
{
	(void)path;
	return value.len > 0 && value.len <= SINK_ENVID_LEN_MAX &&
	    is_xtext(value);
}

static bool
notify_is_valid(struct sink_path *path, struct sink_view value)
{
	struct sink_view word;

	(void)path;
	if (view_is(value, "NEVER"))
		return true;
	for (;;) {
		word.data = value.data;
		word.len = 0;
		while (word.len < value.len && word.data[word.len] != ',')
			word.len++;
		if (!view_is(word, "SUCCESS") && !view_is(word, "FAILURE") &&
		    !view_is(word, "DELAY"))
			return false;
		if (word.len == value.len)
			return true;
		value.data += word.len + 1;
		value.len -= word.len + 1;
	}
}

/* addr-type ";" xtext; with SMTPUTF8 it may be UTF-8 (RFC 6533). */
static bool
orcpt_is_valid(struct sink_path *path, struct sink_view value)
{
	const char *semicolon = memchr(value.data, ';', value.len);

	(void)path;
	return semicolon != NULL && semicolon > value.data &&
	    value.len <= SINK_ORCPT_LEN_MAX &&
	    !stls_utf8_has_control(value.data, value.len);
}

/* Up to so many digits; below 0: not a number. */
static long
parse_digits(struct sink_view value, size_t digits_max)
{
	long number = 0;
	size_t i;

	for (i = 0; i < value.len; i++) {
		if (value.data[i] < '0' || value.data[i] > '9')
			return -1;
		number = number * 10 + (value.data[i] - '0');
	}
	return value.len > 0 && value.len <= digits_max ? number : -1;
}

/* The two exclude each other (RFC 4865 section 4). */
static bool
hold_for_is_valid(struct sink_path *path, struct sink_view value)
{
	long seconds = value.len <= INTERVAL_DIGITS_MAX
	    ? parse_digits(value, INTERVAL_DIGITS_MAX)
	    : -1;

	return path->hold_until.data == NULL && seconds > 0 &&
	    seconds <= SINK_HOLD_MAX_S;
}

static bool
hold_until_is_valid(struct sink_path *path, struct sink_view value)
{
	static const char form[] = "0000-00-00T00:00:00Z";
	size_t i;

	if (path->hold_for.data != NULL || value.len != sizeof(form) - 1)
		return false;
	for (i = 0; i < value.len; i++) {
		if (form[i] == '0' ? value.data[i] < '0' || value.data[i] > '9'
				   : value.data[i] != form[i])
			return false;
	}
	return strncmp(value.data, SINK_HOLD_MAX_DATE, value.len) <= 0;
}

/* RFC 6710 section 4.1: -9 to 9. */
static bool
priority_is_valid(struct sink_path *path, struct sink_view value)
{
	(void)path;
	if (value.len == 2 && value.data[0] == '-' && value.data[1] != '0') {
		value.data++;
		value.len--;
	}
	return value.len == 1 && parse_digits(value, 1) >= 0;
}

/* RFC 2852 section 4: by-time ";" ( "N" / "R" ) [ "T" ]. */
static bool
deliver_by_is_valid(struct sink_path *path, struct sink_view value)
{
	const char *semicolon = memchr(value.data, ';', value.len);
	struct sink_view time = value, mode;
	bool is_negative, is_return;
	long seconds;

	(void)path;
	if (semicolon == NULL)
		return false;
	time.len = (size_t)(semicolon - value.data);
	mode.data = semicolon + 1;
	mode.len = value.len - time.len - 1;
	is_negative = time.len > 0 && time.data[0] == '-';
	if (is_negative || (time.len > 0 && time.data[0] == '+')) {
		time.data++;
		time.len--;
	}
	seconds = time.len <= INTERVAL_DIGITS_MAX
	    ? parse_digits(time, INTERVAL_DIGITS_MAX)
	    : -1;
	is_return = view_is(mode, "R") || view_is(mode, "RT");
	if (!is_return && !view_is(mode, "N") && !view_is(mode, "NT"))
		return false;
	return seconds >= 0 &&
	    (!is_return || (!is_negative && seconds >= SINK_DELIVER_BY_MIN_S));
}

#define VIEW(name) offsetof(struct sink_path, name)

static const struct parameter mail_parameters[] = {
	{ "SIZE", SINK_SIZE, VIEW(size), size_is_valid },
	{ "BODY", SINK_8BITMIME, VIEW(body), body_is_valid },
	{ "AUTH", SINK_AUTH, VIEW(auth), auth_is_valid },
	{ "RET", SINK_DSN, VIEW(ret), ret_is_valid },
	{ "ENVID", SINK_DSN, VIEW(envid), envid_is_valid },
	{ "HOLDFOR", SINK_FUTURERELEASE, VIEW(hold_for), hold_for_is_valid },
	{ "HOLDUNTIL", SINK_FUTURERELEASE, VIEW(hold_until),
	    hold_until_is_valid },
	{ "MT-PRIORITY", SINK_MT_PRIORITY, VIEW(priority), priority_is_valid },
	{ "BY", SINK_DELIVERBY, VIEW(deliver_by), deliver_by_is_valid },
	{ NULL, 0, 0, NULL },
};

static const struct parameter rcpt_parameters[] = {
	{ "NOTIFY", SINK_DSN, VIEW(notify), notify_is_valid },
	{ "ORCPT", SINK_DSN, VIEW(orcpt), orcpt_is_valid },
	{ NULL, 0, 0, NULL },
};

static const struct sink_reply *
set_parameter(const struct parameter *table, unsigned int offered,
    struct sink_view name, struct sink_view value, struct sink_path *path)
{
	struct sink_view *place;

	for (; table->name != NULL; table++) {
		if (!view_is(name, table->name))
			continue;
		if ((offered & table->extension) == 0)
			return &unknown_parameter;
		place = (struct sink_view *)(void *)((char *)path +
		    table->offset);
		if (place->data != NULL)
			return &twice;
		if (value.data == NULL || !table->is_valid(path, value))
			return &bad_parameter;
		*place = value;
		return NULL;
	}
	return &unknown_parameter;
}

/* Those without a value (RFC 6531 section 3.4, RFC 8689 section 2). */
static const struct sink_reply *
set_flag(bool is_offered, struct sink_view value, bool *flag)
{
	if (!is_offered)
		return &unknown_parameter;
	if (value.data != NULL)
		return &bad_parameter;
	if (*flag)
		return &twice;
	*flag = true;
	return NULL;
}

/* One word of the line: NAME or NAME=VALUE. */
static const struct sink_reply *
parse_parameter(const struct parameter *table, unsigned int offered,
    struct sink_view word, struct sink_path *path)
{
	struct sink_view name = word, value = { NULL, 0 };
	const char *equals = memchr(word.data, '=', word.len);

	if (equals != NULL) {
		name.len = (size_t)(equals - word.data);
		value.data = equals + 1;
		value.len = word.len - name.len - 1;
	}
	if (table == mail_parameters && view_is(name, "SMTPUTF8"))
		return set_flag(
		    (offered & SINK_SMTPUTF8) != 0, value, &path->has_smtputf8);
	if (table == mail_parameters && view_is(name, "REQUIRETLS"))
		return set_flag((offered & SINK_REQUIRETLS) != 0, value,
		    &path->requires_tls);
	return set_parameter(table, offered, name, value, path);
}

static const struct sink_reply *
parse_parameters(const struct parameter *table, unsigned int offered,
    const char *args, size_t len, struct sink_path *path)
{
	const struct sink_reply *refusal;
	struct sink_view word;

	while (len > 0) {
		if (args[0] != ' ')
			return &bad_parameter;
		args++, len--;
		word.data = args;
		word.len = 0;
		while (word.len < len && word.data[word.len] != ' ')
			word.len++;
		if (word.len == 0)
			return &bad_parameter;
		refusal = parse_parameter(table, offered, word, path);
		if (refusal != NULL)
			return refusal;
		args += word.len;
		len -= word.len;
	}
	return NULL;
}

const struct sink_reply *
sink_parameters_parse_mail(
    const char *args, size_t len, unsigned int offered, struct sink_path *path)
{
	return parse_parameters(mail_parameters, offered, args, len, path);
}

const struct sink_reply *
sink_parameters_parse_rcpt(
    const char *args, size_t len, unsigned int offered, struct sink_path *path)
{
	return parse_parameters(rcpt_parameters, offered, args, len, path);
}
