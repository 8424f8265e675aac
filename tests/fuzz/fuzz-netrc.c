/* SPDX-License-Identifier: MIT */
/* Files of netrc(5), and the first line of what a command gives. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "credentials/line.h"
#include "credentials/netrc.h"

/* No secret is in a sentence: what is long and no word of the format. */
static void
find(const char *text, size_t len, const char *user)
{
	struct stls_secret found_user = { 0 }, password = { 0 };
	struct stls_err err = { 0 };

	if (netrc_find(&err, "/home/netrc", text, len, "mx.example.org", user,
		&found_user, &password) == 0) {
		FUZZ_CHECK(password.data != NULL);
		FUZZ_CHECK(password.data[password.len] == '\0');
		FUZZ_CHECK(strchr(password.data, '\n') == NULL);
		FUZZ_CHECK(strlen(password.data) == password.len);
		if (user == NULL)
			FUZZ_CHECK(found_user.data != NULL);
	} else {
		FUZZ_CHECK(fuzz_is_sentence(err.text));
	}
	stls_secret_done(&found_user);
	stls_secret_done(&password);
}

static void
take_line(const char *text, size_t len, uint32_t *state)
{
	struct first_line whole = { 0 }, pieces = { 0 };
	struct stls_secret a = { 0 }, b = { 0 };
	struct stls_err err = { 0 };
	size_t at, n, line_len;
	const char *end = len > 0 ? memchr(text, '\n', len) : NULL;
	int r;

	first_line_add(&whole, text, len);
	for (at = 0; at < len; at += n) {
		n = fuzz_piece(state, len - at);
		first_line_add(&pieces, text + at, n);
	}
	r = first_line_take(&err, "it", &whole, &a);
	FUZZ_CHECK(first_line_take(&err, "it", &pieces, &b) == r);
	if (r == 0) {
		line_len = end != NULL ? (size_t)(end - text) : len;
		FUZZ_CHECK(
		    a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
		FUZZ_CHECK(a.len > 0 && a.len <= line_len);
		FUZZ_CHECK(memcmp(a.data, text, a.len) == 0);
		FUZZ_CHECK(strlen(a.data) == a.len);
	} else {
		FUZZ_CHECK(fuzz_is_sentence(err.text));
	}
	stls_secret_done(&a);
	stls_secret_done(&b);
	first_line_done(&whole);
	first_line_done(&pieces);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	uint32_t state = fuzz_take(&input);

	find((const char *)input.data, input.len, NULL);
	find((const char *)input.data, input.len, "alice");
	take_line((const char *)input.data, input.len, &state);
	return 0;
}
