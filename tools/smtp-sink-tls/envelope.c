/* SPDX-License-Identifier: MIT */
#include "envelope.h"

#include <string.h>
#include <strings.h>

#include "base/utf8.h"

#include "options.h"

/* RFC 5321 sections 4.5.3.1.1 to 4.5.3.1.3. */
#define LOCAL_PART_LEN_MAX 64
#define DOMAIN_LEN_MAX 255
#define PATH_LEN_MAX 256

/* RFC 1870 section 3: size-value is 1*20DIGIT. */
#define SIZE_DIGITS_MAX 20

static const struct sink_reply bad_mail = { 501, "5.5.4",
	"syntax: MAIL FROM:<address> [parameters]" };
static const struct sink_reply bad_rcpt = { 501, "5.5.4",
	"syntax: RCPT TO:<address> [parameters]" };
static const struct sink_reply bad_sender = { 501, "5.1.7",
	"the sender is no valid address" };
static const struct sink_reply bad_recipient = { 501, "5.1.3",
	"the recipient is no valid address" };
static const struct sink_reply bad_parameter = { 501, "5.5.4",
	"a parameter has no valid value" };
static const struct sink_reply twice = { 501, "5.5.4",
	"a parameter is there twice" };
static const struct sink_reply unknown_parameter = { 555, "5.5.4",
	"a parameter is unknown, or its extension is not offered" };
static const struct sink_reply no_smtputf8 = { 553, "5.6.7",
	"an address that is not ASCII needs SMTPUTF8" };

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
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z');
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

/* Control characters in what is not ASCII (those in ASCII: see the line). */
static bool
has_control(const char *text, size_t len)
{
	uint32_t c;
	size_t n;

	if (stls_ascii_only(text, len))
		return false;
	for (; len > 0; text += n, len -= n) {
		n = stls_utf8_decode(text, len, &c);
		if (n == 0 || stls_utf8_is_control(c))
			return true;
	}
	return false;
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
	    !has_control(value.data, value.len);
}

#define VIEW(name) offsetof(struct sink_path, name)

static const struct parameter mail_parameters[] = {
	{ "SIZE", SINK_SIZE, VIEW(size), size_is_valid },
	{ "BODY", SINK_8BITMIME, VIEW(body), body_is_valid },
	{ "AUTH", SINK_AUTH, VIEW(auth), auth_is_valid },
	{ "RET", SINK_DSN, VIEW(ret), ret_is_valid },
	{ "ENVID", SINK_DSN, VIEW(envid), envid_is_valid },
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

/* The one parameter without a value (RFC 6531 section 3.4). */
static const struct sink_reply *
set_smtputf8(
    unsigned int offered, struct sink_view value, struct sink_path *path)
{
	if ((offered & SINK_SMTPUTF8) == 0)
		return &unknown_parameter;
	if (value.data != NULL)
		return &bad_parameter;
	if (path->has_smtputf8)
		return &twice;
	path->has_smtputf8 = true;
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
		return set_smtputf8(offered, value, path);
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

/* RFC 5322 section 3.2.3, and RFC 6531 section 3.3: what is not ASCII. */
static bool
is_atext(char c)
{
	return is_alnum(c) || (unsigned char)c >= 0x80 ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Length of the dot-string at the start; 0: there is none. */
static size_t
dot_string_len(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (is_atext(text[i]))
			continue;
		if (text[i] != '.' || i == 0 || text[i - 1] == '.')
			break;
	}
	return i > 0 && text[i - 1] != '.' ? i : 0;
}

/* Length of the quoted string at the start, its quotes included; or 0. */
static size_t
quoted_string_len(const char *text, size_t len)
{
	size_t i;

	for (i = 1; i < len; i++) {
		if (text[i] == '"')
			return i + 1;
		if (text[i] == '\\')
			i++;
	}
	return 0;
}

/*
 * A domain: labels of letters, digits and hyphens, or a literal in brackets.
 * What is not ASCII is a U-label, which RFC 6531 allows.
 */
static size_t
domain_len(const char *text, size_t len)
{
	const char *end;
	size_t i;

	if (len > 0 && text[0] == '[') {
		end = memchr(text, ']', len);
		return end != NULL ? (size_t)(end - text) + 1 : 0;
	}
	for (i = 0; i < len; i++) {
		if (is_alnum(text[i]) || text[i] == '-' || text[i] == '_' ||
		    (unsigned char)text[i] >= 0x80)
			continue;
		if (text[i] != '.' || i == 0 || text[i - 1] == '.')
			break;
	}
	return i > 0 && text[i - 1] != '.' ? i : 0;
}

/* Length of the mailbox at the start (RFC 5321 section 4.1.2), or 0. */
static size_t
mailbox_len(const char *text, size_t len)
{
	size_t local, domain;

	if (len == 0)
		return 0;
	local = text[0] == '"' ? quoted_string_len(text, len)
			       : dot_string_len(text, len);
	if (local == 0 || local > LOCAL_PART_LEN_MAX)
		return 0;
	/* RFC 5321 section 4.1.1.3: the one recipient without a domain. */
	if (local == strlen("postmaster") && local < len &&
	    text[local] == '>' && strncasecmp(text, "postmaster", local) == 0)
		return local;
	if (local >= len || text[local] != '@')
		return 0;
	domain = domain_len(text + local + 1, len - local - 1);
	if (domain == 0 || domain > DOMAIN_LEN_MAX)
		return 0;
	return local + 1 + domain;
}

/* Length of `<mailbox>` or `<>` at the start, or 0. */
static size_t
path_len(const char *text, size_t len)
{
	size_t mailbox;

	if (len < 2 || text[0] != '<')
		return 0;
	if (text[1] == '>')
		return 2;
	mailbox = mailbox_len(text + 1, len - 1);
	if (mailbox == 0 || mailbox + 1 >= len || text[mailbox + 1] != '>')
		return 0;
	if (mailbox + 2 > PATH_LEN_MAX || has_control(text + 1, mailbox))
		return 0;
	return mailbox + 2;
}

static void
set_path(struct sink_path *path, const char *text, size_t len)
{
	memset(path, 0, sizeof(*path));
	path->path.data = text;
	path->path.len = len;
	path->is_null = len == 2;
	path->needs_smtputf8 = !stls_ascii_only(text, len);
}

/* Skip `FROM:` or `TO:`; no blank may follow (RFC 5321 section 3.3). */
static bool
skip_word(const char **args, size_t *len, const char *word)
{
	size_t n = strlen(word);

	if (*len < n || strncasecmp(*args, word, n) != 0)
		return false;
	*args += n;
	*len -= n;
	return true;
}

const struct sink_reply *
sink_envelope_parse_mail(const char *args, size_t len, unsigned int offered,
    struct sink_path *out_path)
{
	const struct sink_reply *refusal;
	size_t n;

	if (!skip_word(&args, &len, "FROM:") || len == 0 || args[0] != '<')
		return &bad_mail;
	n = path_len(args, len);
	if (n == 0)
		return &bad_sender;
	set_path(out_path, args, n);
	refusal = parse_parameters(
	    mail_parameters, offered, args + n, len - n, out_path);
	if (refusal != NULL)
		return refusal;
	if (out_path->needs_smtputf8 && !out_path->has_smtputf8)
		return &no_smtputf8;
	return NULL;
}

const struct sink_reply *
sink_envelope_parse_rcpt(const char *args, size_t len, unsigned int offered,
    struct sink_path *out_path)
{
	size_t n;

	if (!skip_word(&args, &len, "TO:") || len == 0 || args[0] != '<')
		return &bad_rcpt;
	n = path_len(args, len);
	if (n <= 2)
		return &bad_recipient;
	set_path(out_path, args, n);
	return parse_parameters(
	    rcpt_parameters, offered, args + n, len - n, out_path);
}
