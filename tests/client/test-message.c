/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include <smtptls/message.h>

#include "base/alloc.h"

/* More than are compared one by one, and more than one table holds. */
#define MANY 3000

static const char *
name(int n)
{
	static char text[64];

	snprintf(text, sizeof(text), "<r%d@Example.ORG>", n);
	return text;
}

START_TEST(each_recipient_is_there_once_however_many_there_are)
{
	struct smtptls_message *message = NULL;
	char wanted[64];
	int i, n;

	ck_assert_ok(smtptls_message_new(&message));
	for (i = 0; i < MANY; i++) {
		ck_assert_ok(smtptls_message_add_recipient(message, name(i)));
		/* Again: this one, the first one, and one in between. */
		for (n = 0; n < 3; n++)
			ck_assert_ok(smtptls_message_add_recipient(
			    message, name(i / 2 * n)));
		ck_assert_uint_eq(
		    smtptls_message_recipients(message), (size_t)i + 1);
	}
	for (i = 0; i < MANY; i++) {
		snprintf(wanted, sizeof(wanted), "r%d@example.org", i);
		ck_assert_str_eq(
		    smtptls_message_recipient(message, (size_t)i), wanted);
	}
	smtptls_message_free(message);
}
END_TEST

START_TEST(a_recipient_there_is_no_memory_for_spoils_the_message)
{
	struct smtptls_message *message;
	unsigned long n;
	int i, r, failed;

	for (n = 1, failed = 1; failed; n++) {
		ck_assert_ok(smtptls_message_new(&message));
		stls_alloc_fail_at(n);
		r = smtptls_message_set_sender(message, "a@b");
		for (i = 0; i < MANY && r == SMTPTLS_OK; i++)
			r = smtptls_message_add_recipient(message, name(i));
		failed = stls_alloc_has_failed();
		stls_alloc_fail_at(0);
		ck_assert_int_eq(r, failed ? SMTPTLS_E_NOMEM : SMTPTLS_OK);
		if (failed)
			ck_assert_int_eq(
			    smtptls_message_add_recipient(message, "a@b"),
			    SMTPTLS_E_NOMEM);
		else
			ck_assert_uint_eq(
			    smtptls_message_recipients(message), MANY);
		smtptls_message_free(message);
	}
	ck_assert_uint_gt(n, 20);
}
END_TEST

static int
set_sender(struct smtptls_message *message)
{
	return smtptls_message_set_sender(message, "a@example.org");
}

static int
add_recipient(struct smtptls_message *message)
{
	return smtptls_message_add_recipient(message, "b@example.org");
}

static int
set_body_mem(struct smtptls_message *message)
{
	return smtptls_message_set_body_mem(message, "hello", 5);
}

static int
set_body_fd(struct smtptls_message *message)
{
	return smtptls_message_set_body_fd(message, 0);
}

static int
set_body_range(struct smtptls_message *message)
{
	return smtptls_message_set_body_range(message, 0, 0, 0);
}

static int
read_nothing(void *buf, size_t cap, size_t *out_len, void *arg)
{
	(void)buf, (void)cap, (void)arg;
	*out_len = 0;
	return SMTPTLS_OK;
}

static int
set_body_cb(struct smtptls_message *message)
{
	return smtptls_message_set_body_cb(message, read_nothing, NULL, NULL);
}

static int
set_size(struct smtptls_message *message)
{
	return smtptls_message_set_size(message, 5);
}

static int
set_line_endings(struct smtptls_message *message)
{
	return smtptls_message_set_line_endings(
	    message, SMTPTLS_LINE_ENDINGS_REJECT);
}

static int
set_smtputf8(struct smtptls_message *message)
{
	return smtptls_message_set_smtputf8(message, 1);
}

static int
set_all_or_nothing(struct smtptls_message *message)
{
	return smtptls_message_set_all_or_nothing(message, 1);
}

static int
set_before_end(struct smtptls_message *message)
{
	return smtptls_message_set_before_end(message, NULL, NULL);
}

static int
set_progress(struct smtptls_message *message)
{
	return smtptls_message_set_progress(message, NULL, NULL);
}

static int
set_notify(struct smtptls_message *message)
{
	return smtptls_message_set_notify(message, SMTPTLS_NOTIFY_NEVER);
}

static int
set_require_tls(struct smtptls_message *message)
{
	return smtptls_message_set_require_tls(message, 1);
}

static int
set_hold_for(struct smtptls_message *message)
{
	return smtptls_message_set_hold_for_s(message, 60);
}

static int
set_priority(struct smtptls_message *message)
{
	return smtptls_message_set_priority(message, 1);
}

static int (*const setters[])(struct smtptls_message *message) = {
	set_sender,
	add_recipient,
	set_body_mem,
	set_body_fd,
	set_body_range,
	set_body_cb,
	set_size,
	set_line_endings,
	set_smtputf8,
	set_all_or_nothing,
	set_before_end,
	set_progress,
	set_notify,
	set_require_tls,
	set_hold_for,
	set_priority,
};

/* What was missed once would be missing in what is sent. */
START_TEST(nothing_can_be_set_in_no_message_and_in_one_that_is_spoiled)
{
	struct smtptls_message *message = NULL;

	ck_assert_int_eq(setters[_i](NULL), SMTPTLS_E_INVALID);
	ck_assert_ok(smtptls_message_new(&message));
	ck_assert_int_eq(smtptls_message_add_recipient(message, "no address"),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(setters[_i](message), SMTPTLS_E_INVALID);
	ck_assert_ptr_nonnull(
	    strstr(smtptls_message_error(message), "no address"));
	smtptls_message_free(message);
}
END_TEST

static int
set_no_sender(struct smtptls_message *message)
{
	return smtptls_message_set_sender(message, NULL);
}

static int
set_wrong_sender(struct smtptls_message *message)
{
	return smtptls_message_set_sender(message, "a@b\r\nDATA");
}

static int
add_no_recipient(struct smtptls_message *message)
{
	return smtptls_message_add_recipient(message, NULL);
}

static int
set_no_content(struct smtptls_message *message)
{
	return smtptls_message_set_body_mem(message, NULL, 1);
}

static int
set_no_callback(struct smtptls_message *message)
{
	return smtptls_message_set_body_cb(message, NULL, NULL, NULL);
}

static int
set_no_descriptor(struct smtptls_message *message)
{
	return smtptls_message_set_body_fd(message, -1);
}

static int
set_range_of_no_descriptor(struct smtptls_message *message)
{
	return smtptls_message_set_body_range(message, -1, 0, 1);
}

static int
set_no_policy(struct smtptls_message *message)
{
	return smtptls_message_set_line_endings(
	    message, (enum smtptls_line_endings)7);
}

static const struct {
	int (*set)(struct smtptls_message *message);
	const char *sentence; /* or a part of it */
} wrong[] = {
	{ set_no_sender, "the address is missing" },
	{ set_wrong_sender, "a@b\\x0d\\x0aDATA" },
	{ add_no_recipient, "the address is missing" },
	{ set_no_content, "the content is missing" },
	{ set_no_callback, "the read callback is missing" },
	{ set_no_descriptor, "" },
	{ set_range_of_no_descriptor, "" },
	{ set_no_policy, "no line ending policy has the number 7" },
};

START_TEST(what_cannot_be_set_spoils_the_message_and_says_why)
{
	struct smtptls_message *message = NULL;
	const char *sentence;
	char before[512];
	int r;

	ck_assert_ok(smtptls_message_new(&message));
	r = wrong[_i].set(message);
	ck_assert_int_lt(r, 0);
	sentence = smtptls_message_error(message);
	ck_assert_msg(
	    strstr(sentence, wrong[_i].sentence) != NULL && sentence[0] != '\0',
	    "%s", sentence);
	snprintf(before, sizeof(before), "%s", sentence);
	/* It stays so, whatever is right later. */
	ck_assert_int_eq(set_sender(message), r);
	ck_assert_str_eq(smtptls_message_error(message), before);
	smtptls_message_free(message);
}
END_TEST

START_TEST(nothing_is_asked_of_no_message)
{
	struct smtptls_message *message = NULL;

	ck_assert_int_eq(smtptls_message_new(NULL), SMTPTLS_E_INVALID);
	ck_assert_ptr_null(smtptls_message_ref(NULL));
	smtptls_message_free(NULL);
	ck_assert_int_eq(smtptls_message_status(NULL), SMTPTLS_E_INVALID);
	ck_assert_uint_eq(smtptls_message_recipients(NULL), 0);
	ck_assert_str_ne(smtptls_message_error(NULL), "");
	ck_assert_int_eq(smtptls_address_check(NULL), SMTPTLS_E_INVALID);

	/* There is no recipient yet, so there is none of any number. */
	ck_assert_ok(smtptls_message_new(&message));
	ck_assert_ptr_null(smtptls_message_recipient(message, 0));
	ck_assert_int_eq(
	    smtptls_message_outcome(message, 0), SMTPTLS_OUTCOME_NOT_TRIED);
	ck_assert_int_eq(smtptls_message_reply_code(message, 0), 0);
	ck_assert_str_eq(smtptls_message_reply_enhanced(message, 0), "");
	ck_assert_str_eq(smtptls_message_reply_text(message, 0), "");
	ck_assert_ptr_nonnull(smtptls_message_reply_step(message, 0));
	smtptls_message_free(message);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("message");
	TCase *tc = tcase_create("message");

	tcase_add_test(tc, each_recipient_is_there_once_however_many_there_are);
	tcase_add_test(
	    tc, a_recipient_there_is_no_memory_for_spoils_the_message);
	tcase_add_loop_test(tc,
	    nothing_can_be_set_in_no_message_and_in_one_that_is_spoiled, 0,
	    COUNT(setters));
	tcase_add_loop_test(tc,
	    what_cannot_be_set_spoils_the_message_and_says_why, 0,
	    COUNT(wrong));
	tcase_add_test(tc, nothing_is_asked_of_no_message);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
