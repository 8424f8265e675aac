/* SPDX-License-Identifier: MIT */
/*
 * What an analyser has to know of other files, since it looks at one alone:
 * what these give back is the code that they are given. It is included in
 * front of every file but err.c, and by nobody else.
 */
#ifndef ANALYSIS_ASSUME_H
#define ANALYSIS_ASSUME_H

#include "smtptls/status.h"

#include "base/err.h"

#define stls_err_set(err, code, ...)                                           \
	(stls_err_set((err), (code), __VA_ARGS__), (code))
#define stls_err_errno(err, code, errnum, ...)                                 \
	(stls_err_errno((err), (code), (errnum), __VA_ARGS__), (code))
#define stls_err_nomem(err) (stls_err_nomem(err), SMTPTLS_E_NOMEM)

#endif
