/* SPDX-License-Identifier: MIT */
#include "conversation/envelope.h"

#include <string.h>
#include <strings.h>

#include "base/utf8.h"

#include "conversation/parameters.h"

/* RFC 5321 sections 4.5.3.1.1 to 4.5.3.1.3. */
#define LOCAL_PART_LEN_MAX 64
#define DOMAIN_LEN_MAX 255
#define PATH_LEN_MAX 256

static const struct sink_reply bad_mail = { 501, "5.5.4",
	"syntax: MAIL FROM:<address> [parameters]" };
static const struct sink_reply bad_rcpt = { 501, "5.5.4",
	"syntax: RCPT TO:<address> [parameters]" };
static const struct sink_reply bad_sender = { 501, "5.1.7",
	"the sender is no valid address" };
static const struct sink_reply bad_recipient = { 501, "5.1.3",
	"the recipient is no valid address" };
static const struct sink_reply no_smtputf8 = { 553, "5.6.7",
	"an address that is not ASCII needs SMTPUTF8" };

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z');
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
	if (mailbox + 2 > PATH_LEN_MAX ||
	    stls_utf8_has_control(text + 1, mailbox))
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
	refusal = sink_parameters_parse_mail(
	    args + n, len - n, offered, out_path);
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
	return sink_parameters_parse_rcpt(args + n, len - n, offered, out_path);
}
