/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SERVE_PATH_H
#define SENDMAIL_SERVE_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "mail/address.h"

/*
 * Read `<path>` (RFC 5321 section 4.1.2): a mailbox, bare where `domain` is
 * what such ones get, a source route in front of it, which is dropped, or
 * nothing: then is_null. *out_rest is what follows, without blanks in front.
 *
 * SMTPTLS_E_INVALID with a sentence; SMTPTLS_E_NOMEM.
 */
int smtp_path_parse(struct stls_err *err, const char *text, const char *domain,
    struct stls_address *out_address, bool *out_is_null, const char **out_rest);

/*
 * Take the next parameter of a text of them: `KEYWORD` or `KEYWORD=value`, as
 * views into it. False where there is none, with *text at the end, or behind
 * what is no parameter.
 */
struct smtp_param {
	const char *name;
	size_t name_len;
	const char *value; /* "" where there is none */
	size_t value_len;
};
bool smtp_param_next(const char **text, struct smtp_param *out_param);

#endif
