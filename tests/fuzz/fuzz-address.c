/* SPDX-License-Identifier: MIT */
/* Addresses of an envelope, and the values of address fields. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <smtptls/status.h>

#include "mail/address.h"

#define DOMAIN "home.example.org"

static void
check_address(const struct stls_address *address)
{
	struct stls_address again = { 0 };
	struct stls_err err;

	FUZZ_CHECK(fuzz_is_printable(address->local, strlen(address->local)));
	FUZZ_CHECK(
	    fuzz_is_printable(address->mailbox, strlen(address->mailbox)));
	FUZZ_CHECK(strlen(address->mailbox) < STLS_PATH_LEN_MAX - 1);
	FUZZ_CHECK(strlen(address->local) <= STLS_LOCAL_PART_LEN_MAX);
	/* What is sent is understood as what it was made of. */
	FUZZ_CHECK(
	    stls_address_parse(&err, address->mailbox, strlen(address->mailbox),
		address->domain[0] == '\0', &again) == SMTPTLS_OK);
	FUZZ_CHECK(strcmp(again.local, address->local) == 0);
	FUZZ_CHECK(strcmp(again.domain, address->domain) == 0);
	FUZZ_CHECK(strcmp(again.mailbox, address->mailbox) == 0);
	FUZZ_CHECK(again.needs_smtputf8 == address->needs_smtputf8);
	FUZZ_CHECK(stls_address_is_same(&again, address));
	stls_address_done(&again);
	/* And the parts make it again. */
	FUZZ_CHECK(stls_address_make(&err, address->local,
		       strlen(address->local), address->domain,
		       strlen(address->domain), &again) == SMTPTLS_OK);
	FUZZ_CHECK(strcmp(again.mailbox, address->mailbox) == 0);
	stls_address_done(&again);
}

/* The other ways to the same have to lead there. */
static void
check_envelope(const char *text, size_t len)
{
	struct stls_address strict = { 0 }, bare = { 0 };
	struct stls_err err = { 0 };
	struct stls_mailbox mailbox;
	int r, r_bare, r_mailbox;

	r = stls_address_parse(&err, text, len, false, &strict);
	if (r < 0)
		FUZZ_CHECK(fuzz_is_sentence(err.text));
	r_mailbox = stls_mailbox_parse(&err, text, len, &mailbox);
	r_bare = stls_address_parse(&err, text, len, true, &bare);
	FUZZ_CHECK(r == r_mailbox);
	FUZZ_CHECK(r_bare == SMTPTLS_OK || r != SMTPTLS_OK);
	if (r == SMTPTLS_OK) {
		check_address(&strict);
		FUZZ_CHECK(strcmp(strict.mailbox, bare.mailbox) == 0);
		FUZZ_CHECK(strcmp(strict.mailbox, mailbox.text) == 0);
		FUZZ_CHECK(mailbox.len == strlen(mailbox.text));
		FUZZ_CHECK(mailbox.needs_smtputf8 == strict.needs_smtputf8);
	} else if (r_bare == SMTPTLS_OK) {
		FUZZ_CHECK(bare.domain[0] == '\0');
		check_address(&bare);
		if (stls_address_qualify(&err, &bare, DOMAIN) == SMTPTLS_OK)
			check_address(&bare);
	}
	stls_address_done(&strict);
	stls_address_done(&bare);
}

static void
check_list(const struct stls_address_list *list)
{
	size_t i, j;

	for (i = 0; i < list->count; i++) {
		check_address(&list->items[i]);
		FUZZ_CHECK(list->items[i].domain[0] != '\0');
		for (j = 0; j < i; j++)
			FUZZ_CHECK(!stls_address_is_same(
			    &list->items[i], &list->items[j]));
	}
}

/* Qualified it names the same ones without a domain to add. */
static void
check_qualified(
    const char *value, size_t len, const struct stls_address_list *list)
{
	struct stls_address_list again = { 0 };
	struct stls_err err;
	struct stls_buf out;
	size_t i;

	stls_buf_init(&out, 64 * len + 64);
	FUZZ_CHECK(stls_address_field_qualify(&err, value, len, DOMAIN, &out) ==
	    SMTPTLS_OK);
	FUZZ_CHECK(stls_buf_len(&out) >= len);
	FUZZ_CHECK(stls_address_list_parse_field(&err,
		       (const char *)stls_buf_data(&out), stls_buf_len(&out),
		       NULL, &again) == SMTPTLS_OK);
	FUZZ_CHECK(again.count == list->count);
	for (i = 0; i < again.count; i++)
		FUZZ_CHECK(strcmp(again.items[i].mailbox,
			       list->items[i].mailbox) == 0);
	stls_address_list_done(&again);
	stls_buf_done(&out);
}

static void
check_field(const char *value, size_t len)
{
	struct stls_address_list list = { 0 };
	struct stls_err err = { 0 };
	struct stls_buf out;

	if (stls_address_list_parse_field(&err, value, len, DOMAIN, &list) ==
	    SMTPTLS_OK) {
		check_qualified(value, len, &list);
	} else {
		FUZZ_CHECK(fuzz_is_sentence(err.text));
		stls_buf_init(&out, 64 * len + 64);
		FUZZ_CHECK(stls_address_field_qualify(
			       &err, value, len, DOMAIN, &out) < 0);
		FUZZ_CHECK(stls_buf_len(&out) == 0);
		stls_buf_done(&out);
	}
	check_list(&list);
	stls_address_list_done(&list);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_envelope((const char *)data, size);
	check_field((const char *)data, size);
	return 0;
}
