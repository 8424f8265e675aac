/* SPDX-License-Identifier: MIT */
/* Name constraints: a subtree and a name, and DER taken apart. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tls/directory.h"
#include "tls/subtree.h"

static bool
ends_in(const char *text, size_t len, const char *end, size_t end_len)
{
	return end_len <= len &&
	    strncasecmp(text + len - end_len, end, end_len) == 0;
}

/* RFC 5280 section 4.2.1.10, said once more. */
static bool
is_host_within(
    const char *base, size_t base_len, const char *host, size_t len, bool below)
{
	if (base_len == 0)
		return true;
	if (base[0] == '.')
		return ends_in(host, len, base, base_len);
	if (len == base_len)
		return ends_in(host, len, base, base_len);
	return below && len > base_len && host[len - base_len - 1] == '.' &&
	    ends_in(host, len, base, base_len);
}

/* *.b stands for a.b, too. */
static bool
stands_for(const char *host, size_t len, const char *base, size_t base_len)
{
	const char *dot = memchr(base, '.', base_len);

	return len > 1 && host[0] == '*' && host[1] == '.' && dot != NULL &&
	    dot > base && (size_t)(base + base_len - dot) == len - 1 &&
	    ends_in(host, len, dot, len - 1);
}

static bool
is_in_net(const uint8_t *net, size_t net_len, const uint8_t *ip, size_t len)
{
	size_t bit;

	for (bit = 0; bit < len * 8; bit++) {
		unsigned int mask = 0x80u >> bit % 8;

		if ((net[len + bit / 8] & mask) != 0 &&
		    (net[bit / 8] & mask) != (ip[bit / 8] & mask))
			return false;
	}
	return net_len == 2 * len;
}

static void
check(unsigned int kind, const char *base, size_t base_len, const char *text,
    size_t len)
{
	const unsigned char *a = fuzz_copy(base, base_len);
	const unsigned char *b = fuzz_copy(text, len);
	const struct stls_name tree = { kind, { a, a + base_len } };
	const struct stls_name name = { kind, { b, b + len } };
	enum stls_within within;

	FUZZ_CHECK(
	    stls_subtree_is_about(&tree, &name) || kind == STLS_NAME_OTHER);
	within = stls_subtree_has(&tree, &name);
	if (stls_subtree_is_valid(&tree) && kind == STLS_NAME_DNS) {
		/* A NUL is an octet like others. */
		if (memchr(text, '\0', len) == NULL)
			FUZZ_CHECK((within == STLS_WITHIN_YES) ==
			    is_host_within(base, base_len, text, len, true));
		FUZZ_CHECK((within == STLS_WITHIN_UNKNOWN) ==
		    (base_len > 0 && stands_for(text, len, base, base_len)));
	}
	if (stls_subtree_is_valid(&tree) && kind == STLS_NAME_IP &&
	    (len == 4 || len == 16) && base_len == 2 * len)
		FUZZ_CHECK((within == STLS_WITHIN_YES) ==
		    is_in_net(a, base_len, b, len));
	if (kind == STLS_NAME_EMAIL && within == STLS_WITHIN_YES) {
		const char *at = memchr(text, '@', len);

		FUZZ_CHECK(at != NULL && fuzz_is_printable(text, len));
		if (memchr(base, '@', base_len) == NULL)
			FUZZ_CHECK(is_host_within(base, base_len, at + 1,
			    (size_t)(text + len - at - 1), false));
	}
	if (kind == STLS_NAME_DIRECTORY && within == STLS_WITHIN_YES)
		FUZZ_CHECK(stls_directory_is_same(&tree.value, &name.value) ||
		    len != base_len || memcmp(base, text, len) != 0);
	free((void *)(uintptr_t)a);
	free((void *)(uintptr_t)b);
}

/* Values lie inside of what they are taken from, one behind another. */
static void
walk(const unsigned char *data, size_t len, unsigned int depth)
{
	struct stls_der all = { data, data + len }, one;
	struct stls_name name;
	const unsigned char *before;

	while (!stls_der_is_at_end(&all)) {
		before = all.at;
		if (!stls_der_take(&all, all.at[0], &one)) {
			FUZZ_CHECK(all.at == before);
			return;
		}
		FUZZ_CHECK(all.at > before && all.at <= all.end);
		FUZZ_CHECK(one.at > before && one.end == all.at);
		FUZZ_CHECK(one.at <= one.end);
		if (depth < 8)
			walk(one.at, stls_der_left(&one), depth + 1);
		one = (struct stls_der){ before, all.end };
		if (stls_name_take(&one, &name) && stls_subtree_is_valid(&name))
			(void)stls_subtree_has(&name, &name);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned int kinds[] = { STLS_NAME_DNS, STLS_NAME_EMAIL,
		STLS_NAME_URI, STLS_NAME_IP, STLS_NAME_DIRECTORY,
		STLS_NAME_OTHER };
	struct fuzz_input input = { data, size };
	unsigned int kind = kinds[fuzz_take(&input) % 6];
	size_t base_len = fuzz_take(&input), len;
	char *base, *text;

	if (base_len > input.len)
		base_len = input.len;
	base = fuzz_copy(input.data, base_len);
	input.data += base_len;
	input.len -= base_len;
	text = fuzz_take_rest(&input, &len);
	check(kind, base, base_len, text, len);
	walk((const unsigned char *)text, len, 0);
	free(base);
	free(text);
	return 0;
}
