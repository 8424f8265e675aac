/* SPDX-License-Identifier: MIT */
#include "settings/mode.h"

#include <stddef.h>
#include <sysexits.h>

#include "settings/settings.h"

static const struct {
	char letter;
	enum mode mode;
} modes[] = {
	{ 'm', MODE_SEND },
	{ 'v', MODE_VERIFY },
	{ 'p', MODE_QUEUE_PRINT },
	{ 'i', MODE_ALIASES },
	{ 's', MODE_SMTP },
};

/* What sendmail(8) knows beside them, and why it is not here. */
static const struct {
	char letter;
	const char *reason;
} missing[] = {
	{ 'd', "is for a daemon, and " PROGRAM " is none" },
	{ 'D', "is for a daemon, and " PROGRAM " is none" },
	{ 'l', "is for a daemon, and " PROGRAM " is none" },
	{ 'h', "asks about parts of sendmail that " PROGRAM " does not have" },
	{ 'H', "asks about parts of sendmail that " PROGRAM " does not have" },
	{ 't', "asks about parts of sendmail that " PROGRAM " does not have" },
};

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

int
settings_set_mode(
    struct stls_err *err, void *target, const struct option_use *use)
{
	struct settings *settings = target;
	const char *value = use->value;
	bool is_letter = value[0] != '\0' && value[1] == '\0';
	size_t i;

	for (i = 0; is_letter && i < ARRAY_LEN(modes); i++) {
		if (modes[i].letter == value[0]) {
			settings->mode = modes[i].mode;
			return 0;
		}
	}
	for (i = 0; is_letter && i < ARRAY_LEN(missing); i++) {
		if (missing[i].letter == value[0])
			return stls_err_set(
			    err, EX_USAGE, "-b%s %s", value, missing[i].reason);
	}
	return stls_err_set(err, EX_USAGE, "there is no mode -b%s", value);
}

/* An option that is a mode, which stands where others have a field. */
int
settings_set_this_mode(
    struct stls_err *err, void *target, const struct option_use *use)
{
	(void)err;
	((struct settings *)target)->mode = (enum mode)use->spec->field;
	return 0;
}

int
settings_set_configure(
    struct stls_err *err, void *target, const struct option_use *use)
{
	struct settings *settings = target;

	(void)err;
	settings->mode = MODE_CONFIGURE;
	settings->configure = use->value;
	return 0;
}
