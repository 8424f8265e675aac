/* SPDX-License-Identifier: MIT */
#include "spool/options.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

const char *
spool_account_of(const struct settings *settings)
{
	return settings->account != NULL ? settings->account : "";
}

int
spool_options_add(struct stls_err *err, const struct mail_options *options,
    struct spool_message *message)
{
	char text[MAIL_OPTIONS_TEXT_CAP], *word, *value, *rest = NULL;
	int r = 0;

	mail_options_format(options, text);
	for (word = strtok_r(text, " ", &rest); word != NULL && r == 0;
	     word = strtok_r(NULL, " ", &rest)) {
		value = word + strcspn(word, "=");
		if (*value != '\0')
			*value++ = '\0';
		r = spool_message_add_option(err, message, word, value);
	}
	return r;
}

int
spool_options_get(struct stls_err *err, const struct spool_message *message,
    struct mail_options *out_options)
{
	const struct spool_option *option = message->options;
	char text[MAIL_OPTIONS_TEXT_CAP] = "";
	size_t len = 0, i;

	for (i = 0; i < message->option_count; i++, option++) {
		if (len + strlen(option->name) + strlen(option->value) + 3 >
		    sizeof(text))
			return stls_err_set(
			    err, EX_DATAERR, "its options are too long");
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s=%s ", option->name, option->value);
	}
	return mail_options_parse(err, text, out_options);
}
