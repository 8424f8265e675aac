/* SPDX-License-Identifier: MIT */
/*
 * In place of base/err.c: what a sentence says is nothing to prove, and printf
 * would be most of the work. What is written into it is looked at in escape.c.
 */
#include "proof.h"

int
stls_err_set(struct stls_err *err, int code, const char *fmt, ...)
{
	prove(code < 0, "a failure has a code");
	prove(__CPROVER_r_ok(fmt, 1), "a failure has a sentence");
	err->code = code;
	err->text[0] = '\0';
	return code;
}

int
stls_err_nomem(struct stls_err *err)
{
	return stls_err_set(err, SMTPTLS_E_NOMEM, "out of memory");
}
