/* SPDX-License-Identifier: MIT */
#ifndef STLS_TESTS_WIRE_FORM_H
#define STLS_TESTS_WIRE_FORM_H

#include <stddef.h>

/*
 * A content as it has to arrive, by BDAT or when the dots are undone, said once
 * more in the simplest way; `out` has place for twice as much and two octets.
 * Returns its length.
 */
size_t wire_form(char *out, const char *text, size_t len);

#endif
