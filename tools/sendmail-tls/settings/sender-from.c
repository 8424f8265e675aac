/* SPDX-License-Identifier: MIT */
#include "settings/sender-from.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "mail/address.h"
#include "settings/addresses.h"

/* What is in front of the bracket, without its quotes. */
static char *
copy_name(const char *text, size_t len)
{
	char *name = stls_alloc(len + 1);
	size_t used = 0, i;
	bool is_quoted;

	if (name == NULL)
		return NULL;
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	is_quoted = len >= 2 && text[0] == '"' && text[len - 1] == '"';
	for (i = is_quoted; i < len - is_quoted; i++) {
		if (is_quoted && text[i] == '\\' && i + 2 < len)
			i++;
		name[used++] = text[i];
	}
	name[used] = '\0';
	return name;
}

int
sender_from_parse(struct stls_err *err, const char *text, const char *domain,
    struct sender_from *out_from)
{
	CLEANUP(stls_address_done) struct stls_address address = { 0 };
	size_t len = strlen(text);
	const char *bracket = strrchr(text, '<');
	int r;

	if (bracket != NULL && bracket > text && text[len - 1] == '>') {
		out_from->name = copy_name(text, (size_t)(bracket - text));
		if (out_from->name == NULL)
			return stls_err_set(err, EX_OSERR, "out of memory");
		text = bracket;
		len = strlen(bracket);
	}
	r = stls_address_parse(err, text, len, true, &address);
	if (r == 0 && domain != NULL)
		r = stls_address_qualify(err, &address, domain);
	if (r < 0)
		return addresses_fail(err, false);
	out_from->address = TAKE(address.mailbox);
	return 0;
}

void
sender_from_done(struct sender_from *from)
{
	free(from->address);
	free(from->name);
	memset(from, 0, sizeof(*from));
}
