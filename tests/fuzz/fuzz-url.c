/* SPDX-License-Identifier: MIT */
/* URLs, places to connect to, and the host that is verified. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtptls/status.h>

#include "net/url.h"

#define PASSWORD "Tr0ub4dor&3"

static void
check_same_host(const struct stls_host *a, const struct stls_host *b)
{
	FUZZ_CHECK(strcmp(a->name, b->name) == 0);
	FUZZ_CHECK(a->is_ip == b->is_ip);
	if (a->is_ip) {
		FUZZ_CHECK(a->ip_len == b->ip_len);
		FUZZ_CHECK(memcmp(a->ip, b->ip, a->ip_len) == 0);
	}
}

/* The rules for a name once more (RFC 1035 section 2.3.1, and underscores). */
static void
check_name(const struct stls_host *host)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
	const char *label = host->name;
	size_t len;

	FUZZ_CHECK(strlen(host->name) <= STLS_HOST_LEN_MAX);
	if (host->is_ip) {
		FUZZ_CHECK(host->ip_len == 4 || host->ip_len == 16);
		return;
	}
	for (;; label += len + 1) {
		len = strspn(label, allowed);
		FUZZ_CHECK(len > 0 && len <= 63);
		FUZZ_CHECK(label[0] != '-' && label[len - 1] != '-');
		FUZZ_CHECK(label[len] == '.' || label[len] == '\0');
		if (label[len] == '\0')
			break;
	}
	FUZZ_CHECK(strspn(label, "0123456789") != len);
}

static void
check_host(const char *text, size_t len)
{
	struct stls_host host, again;
	struct stls_err err = { 0 };
	char plain[STLS_HOST_LEN_MAX + 1];
	size_t n = stls_host_copy_plain(plain, text, len);

	if (stls_host_parse(&err, text, len, &host) < 0) {
		FUZZ_CHECK(fuzz_is_sentence(err.text));
		FUZZ_CHECK(n == 0);
		return;
	}
	check_name(&host);
	if (n > 0)
		FUZZ_CHECK(!host.is_ip && strcmp(plain, host.name) == 0);
	FUZZ_CHECK(stls_host_parse(&err, host.name, strlen(host.name),
		       &again) == SMTPTLS_OK);
	check_same_host(&host, &again);
}

static void
check_url(const char *text)
{
	struct stls_url url, again;
	struct stls_err err = { 0 };
	char out[STLS_HOST_LEN_MAX + 32];
	bool is_ipv6;

	if (stls_url_parse(&err, text, &url) < 0) {
		FUZZ_CHECK(fuzz_is_sentence(err.text));
		return;
	}
	check_name(&url.host);
	FUZZ_CHECK(url.port != 0 && strchr(text, '@') == NULL);
	is_ipv6 = url.host.is_ip && url.host.ip_len == 16;
	snprintf(out, sizeof(out), "%s://%s%s%s:%u",
	    url.lmtp		   ? "lmtp"
		: url.implicit_tls ? "smtps"
				   : "smtp",
	    is_ipv6 ? "[" : "", url.host.name, is_ipv6 ? "]" : "",
	    (unsigned int)url.port);
	FUZZ_CHECK(stls_url_parse(&err, out, &again) == SMTPTLS_OK);
	check_same_host(&url.host, &again.host);
	FUZZ_CHECK(url.port == again.port && url.lmtp == again.lmtp);
	FUZZ_CHECK(url.implicit_tls == again.implicit_tls);
}

/* Whoever writes his password into it does not find it in a log. */
static void
check_password(const char *text)
{
	struct stls_err err = { 0 };
	struct stls_place place = { 0 };
	struct stls_url url;
	char *out = malloc(strlen(text) + 64);

	sprintf(out, "smtps://user:" PASSWORD "@%s", text);
	FUZZ_CHECK(stls_url_parse(&err, out, &url) < 0);
	FUZZ_CHECK(strstr(err.text, PASSWORD) == NULL);
	sprintf(out, "user:" PASSWORD "@%s", text);
	FUZZ_CHECK(stls_url_parse(&err, out, &url) < 0);
	FUZZ_CHECK(strstr(err.text, PASSWORD) == NULL);
	FUZZ_CHECK(stls_place_parse(&err, out, &place) < 0);
	FUZZ_CHECK(strstr(err.text, PASSWORD) == NULL);
	free(out);
}

static void
check_place(const char *text)
{
	struct stls_place place = { 0 }, again = { 0 };
	struct stls_err err = { 0 };
	char out[STLS_ENDPOINT_TEXT_CAP];

	if (stls_place_parse(&err, text, &place) < 0) {
		FUZZ_CHECK(fuzz_is_sentence(err.text));
		FUZZ_CHECK(place.unix_path == NULL && place.host == NULL);
		return;
	}
	if (place.address_count > 0) {
		FUZZ_CHECK(place.address_count == 1);
		stls_endpoint_format(&place.addresses->sock.any, out);
		FUZZ_CHECK(stls_place_parse(&err, out, &again) == SMTPTLS_OK);
		FUZZ_CHECK(again.address_count == 1);
		FUZZ_CHECK(again.addresses->len == place.addresses->len);
		FUZZ_CHECK(
		    memcmp(&again.addresses->sock, &place.addresses->sock,
			place.addresses->len) == 0);
		FUZZ_CHECK(
		    stls_place_add_address(&err, &again, text) == SMTPTLS_OK);
	} else if (place.host != NULL) {
		check_name(place.host);
		FUZZ_CHECK(place.port != 0);
	} else {
		FUZZ_CHECK(place.unix_path[0] == '/');
	}
	stls_place_done(&again);
	stls_place_done(&place);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	char *text = fuzz_take_rest(&input, NULL);

	check_host((const char *)data, size);
	check_url(text);
	check_place(text);
	check_password(text);
	free(text);
	return 0;
}
