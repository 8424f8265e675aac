/* SPDX-License-Identifier: MIT */
/* What a message asks for: what setters take, and what is sent of it. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "client/talk.h"

#define LONG_99                                                                \
	"123456789012345678901234567890123456789012345678901234567890123456"   \
	"789012345678901234567890123456789"

static struct smtptls_message *message;

static void
setup(void)
{
	ck_assert_ok(smtptls_message_new(&message));
	ck_assert_ok(smtptls_message_add_recipient(message, "a@example.org"));
}

static void
teardown(void)
{
	smtptls_message_free(message);
}

static const struct {
	const char *id;
	bool is_good;
} ids[] = {
	{ "QQ314159", true },
	{ "a b", true },
	{ LONG_99 "x", true },
	{ "", true },
	{ NULL, true },
	{ LONG_99 "xy", false },
	{ LONG_99 "+", false }, /* +2B */
	{ "a\r\nRCPT TO:<eve@example.org>", false },
	{ "a\tb", false },
	{ "\xc3\xa4", false },
};

START_TEST(an_envelope_identifier_is_printable_and_short)
{
	int r = smtptls_message_set_envelope_id(message, ids[_i].id);

	ck_assert_int_eq(r, ids[_i].is_good ? SMTPTLS_OK : SMTPTLS_E_INVALID);
	if (ids[_i].is_good)
		ck_assert_str_eq(smtptls_message_error(message), "");
	else
		/* It is spoiled, and stays so. */
		ck_assert_int_eq(smtptls_message_set_envelope_id(message, "x"),
		    SMTPTLS_E_INVALID);
}
END_TEST

static const struct {
	unsigned int notify;
	bool is_good;
} notifies[] = {
	{ 0, true },
	{ SMTPTLS_NOTIFY_NEVER, true },
	{ SMTPTLS_NOTIFY_SUCCESS | SMTPTLS_NOTIFY_FAILURE |
		SMTPTLS_NOTIFY_DELAY,
	    true },
	{ SMTPTLS_NOTIFY_NEVER | SMTPTLS_NOTIFY_DELAY, false },
	{ 16, false },
	{ UINT_MAX, false },
};

START_TEST(never_is_alone_among_the_notifications)
{
	int wanted = notifies[_i].is_good ? SMTPTLS_OK : SMTPTLS_E_INVALID;

	ck_assert_int_eq(
	    smtptls_message_set_notify(message, notifies[_i].notify), wanted);
	teardown();
	setup();
	ck_assert_int_eq(smtptls_message_set_recipient_notify(
			     message, 0, notifies[_i].notify),
	    wanted);
}
END_TEST

START_TEST(a_recipient_has_to_be_there_for_its_own)
{
	ck_assert_ok(smtptls_message_set_recipient_notify(
	    message, 0, SMTPTLS_NOTIFY_DELAY));
	ck_assert_int_eq(smtptls_message_set_recipient_notify(
			     message, 1, SMTPTLS_NOTIFY_DELAY),
	    SMTPTLS_E_INVALID);
	teardown();
	setup();
	ck_assert_int_eq(smtptls_message_set_recipient_original(
			     message, SIZE_MAX, NULL, "a@example.org"),
	    SMTPTLS_E_INVALID);
}
END_TEST

static const struct {
	const char *type, *address;
	bool is_good;
} originals[] = {
	{ NULL, "a@example.org", true },
	{ NULL, "\xc3\xa4@example.org", true },
	{ "x400", "/C=de/S=a b/", true },
	{ NULL, NULL, true },
	{ NULL, "", false },
	{ "", "a@example.org", false },
	{ "rfc 822", "a@example.org", false },
	{ "rfc822;", "a@example.org", false },
	{ "rfc822\r\n", "a@example.org", false },
	{ "rfc822", "\xc3\xa4@example.org", false },
	{ NULL, "a\r\nDATA", false },
	{ NULL, "\xc3", false },
	{ NULL, LONG_99 LONG_99 LONG_99 LONG_99 LONG_99, false },
};

START_TEST(an_original_recipient_is_a_type_and_an_address)
{
	ck_assert_int_eq(smtptls_message_set_recipient_original(message, 0,
			     originals[_i].type, originals[_i].address),
	    originals[_i].is_good ? SMTPTLS_OK : SMTPTLS_E_INVALID);
}
END_TEST

static int
set_return(int64_t value)
{
	return smtptls_message_set_return(message, (enum smtptls_return)value);
}

static int
set_hold_for(int64_t value)
{
	return smtptls_message_set_hold_for_s(message, (int)value);
}

static int
set_hold_until(int64_t value)
{
	return smtptls_message_set_hold_until(message, value);
}

static int
set_priority(int64_t value)
{
	return smtptls_message_set_priority(message, (int)value);
}

static int
set_deliver_by_notify(int64_t value)
{
	return smtptls_message_set_deliver_by_s(
	    message, (int)value, SMTPTLS_DELIVER_BY_NOTIFY, 1);
}

static int
set_deliver_by_return(int64_t value)
{
	return smtptls_message_set_deliver_by_s(
	    message, (int)value, SMTPTLS_DELIVER_BY_RETURN, 0);
}

static int
set_deliver_by_mode(int64_t value)
{
	return smtptls_message_set_deliver_by_s(
	    message, 60, (enum smtptls_deliver_by)value, 0);
}

/* What each takes, from the first to the last, and not one beyond. */
static const struct {
	int (*set)(int64_t value);
	int64_t first, last;
} ranges[] = {
	{ set_return, 0, 2 },
	{ set_hold_for, 0, 999999999 },
	{ set_hold_until, 0, INT64_C(253402300799) },
	{ set_priority, -9, 9 },
	{ set_deliver_by_notify, -999999999, 999999999 },
	{ set_deliver_by_return, 1, 999999999 },
	{ set_deliver_by_mode, 0, 2 },
};

START_TEST(a_number_has_its_limits)
{
	const int64_t first = ranges[_i].first, last = ranges[_i].last;

	ck_assert_int_eq(ranges[_i].set(first), SMTPTLS_OK);
	ck_assert_int_eq(ranges[_i].set(last), SMTPTLS_OK);
	ck_assert_int_eq(ranges[_i].set(first - 1), SMTPTLS_E_INVALID);
	ck_assert_int_ne(smtptls_message_error(message)[0], '\0');
	teardown();
	setup();
	ck_assert_int_eq(ranges[_i].set(last + 1), SMTPTLS_E_INVALID);
}
END_TEST

static int
set_everything(void)
{
	int r = smtptls_message_set_notify(message, SMTPTLS_NOTIFY_DELAY);

	if (r == SMTPTLS_OK)
		r = smtptls_message_set_recipient_notify(
		    message, 0, SMTPTLS_NOTIFY_NEVER);
	if (r == SMTPTLS_OK)
		r = smtptls_message_set_recipient_original(
		    message, 0, NULL, "b@example.org");
	return r;
}

START_TEST(what_there_is_no_memory_for_spoils_the_message)
{
	unsigned long n;
	int r, failed;

	for (n = 1, failed = 1; failed; n++) {
		teardown();
		setup();
		stls_alloc_fail_at(n);
		r = set_everything();
		failed = stls_alloc_has_failed();
		stls_alloc_fail_at(0);
		ck_assert_int_eq(r, failed ? SMTPTLS_E_NOMEM : SMTPTLS_OK);
		ck_assert_int_eq(set_everything(), r);
	}
	ck_assert_uint_gt(n, 3);
}
END_TEST

START_TEST(no_message_asks_for_nothing)
{
	ck_assert_int_eq(
	    smtptls_message_set_notify(NULL, 0), SMTPTLS_E_INVALID);
	ck_assert_int_eq(
	    smtptls_message_set_require_tls(NULL, 1), SMTPTLS_E_INVALID);
}
END_TEST

/* --- on the wire --- */

static const struct step demanding[] = {
	SEND("250-mail.example.org\r\n250-DSN\r\n250-REQUIRETLS\r\n"
	     "250-MT-PRIORITY\r\n250-DELIVERBY\r\n250-SMTPUTF8\r\n"
	     "250 FUTURERELEASE 600 2026-12-31T00:00:00Z\r\n"),
	LINE("MAIL FROM:<alice@example.org> SMTPUTF8 RET=FULL ENVID=a+20b+3D "
	     "REQUIRETLS "
	     "HOLDUNTIL=2026-11-27T08:00:00Z MT-PRIORITY=4 BY=60;RT"),
	SEND("250 ok\r\n"),
	LINE("RCPT TO:<bob@example.org> NOTIFY=NEVER"),
	SEND("250 ok\r\n"),
	LINE("RCPT TO:<\xc3\xa4@example.org> NOTIFY=SUCCESS,FAILURE,DELAY "
	     "ORCPT=utf-8;\\x{E4}@example.org"),
	SEND("250 ok\r\n"),
	LINE("DATA"),
	SEND("354 go\r\n"),
	STEP(CONTENT),
	SEND("250 queued\r\n"),
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

START_TEST(what_is_asked_for_is_sent)
{
	struct smtptls_message *mail;
	struct talk talk;

	talk_begin(&talk, MODE(_i), demanding);
	talk_set_message(&talk);
	mail = talk.message;
	ck_assert_ok(smtptls_message_set_notify(mail, SMTPTLS_NOTIFY_NEVER));
	ck_assert_ok(smtptls_message_set_return(mail, SMTPTLS_RETURN_FULL));
	ck_assert_ok(smtptls_message_set_envelope_id(mail, "a b="));
	ck_assert_ok(smtptls_message_set_require_tls(mail, 1));
	ck_assert_ok(smtptls_message_set_hold_for_s(mail, 5));
	/* 2026-11-27T08:00:00Z; the last of the two counts */
	ck_assert_ok(smtptls_message_set_hold_until(mail, 1795766400));
	ck_assert_ok(smtptls_message_set_priority(mail, 4));
	ck_assert_ok(smtptls_message_set_deliver_by_s(
	    mail, 60, SMTPTLS_DELIVER_BY_RETURN, 1));
	ck_assert_ok(
	    smtptls_message_add_recipient(mail, "\xc3\xa4@example.org"));
	ck_assert_ok(smtptls_message_set_recipient_notify(mail, 1,
	    SMTPTLS_NOTIFY_SUCCESS | SMTPTLS_NOTIFY_FAILURE |
		SMTPTLS_NOTIFY_DELAY));
	ck_assert_ok(smtptls_message_set_recipient_original(
	    mail, 1, NULL, "\xc3\xa4@example.org"));
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	talk_finish(&talk);
}
END_TEST

static const struct step offering_nothing[] = {
	SEND("250-mail.example.org\r\n250 SIZE\r\n"),
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

START_TEST(what_is_not_offered_is_not_sent)
{
	struct talk talk;

	talk_begin(&talk, MODE(_i), offering_nothing);
	talk_set_message(&talk);
	ck_assert_ok(
	    smtptls_message_set_notify(talk.message, SMTPTLS_NOTIFY_FAILURE));
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_E_UNSUPPORTED,
	    TALK_HOST " does not offer DSN");
	ck_assert_ok(talk_quit(&talk));
	talk_finish(&talk);
}
END_TEST

/* Nobody listens on that port: it is refused before that matters. */
static void
check_insecure(struct smtptls_context *context, bool in_clear, bool is_taken)
{
	struct smtptls_client *client = NULL;

	ck_assert_ok(
	    smtptls_client_new("smtp://127.0.0.1:1", context, &client));
	if (in_clear)
		ck_assert_ok(smtptls_client_insecure_no_tls(client));
	ck_assert_ok(smtptls_message_set_sender(message, "s@example.org"));
	ck_assert_ok(smtptls_message_set_body_mem(message, "a\r\n", 3));
	ck_assert_ok(smtptls_message_set_require_tls(message, 1));
	ck_assert_ok(smtptls_client_start(client));
	ck_assert_int_eq(smtptls_client_submit(client, message),
	    is_taken ? SMTPTLS_OK : SMTPTLS_E_INVALID);
	if (!is_taken)
		ck_assert_ptr_nonnull(
		    strstr(smtptls_message_error(message), "(REQUIRETLS)"));
	/* Nor is the message spoiled: without it, it is taken. */
	if (!is_taken) {
		ck_assert_ok(smtptls_message_set_require_tls(message, 0));
		ck_assert_ok(smtptls_client_submit(client, message));
	}
	smtptls_client_free(client);
	smtptls_context_free(context);
}

static struct smtptls_context *
new_context(void)
{
	struct smtptls_context *context = NULL;

	ck_assert_ok(smtptls_context_new_default(
	    SMTPTLS_SERVER_AUTH, NULL, NULL, NULL, 0, &context));
	return context;
}

START_TEST(tls_is_not_required_of_who_is_insecure)
{
	struct smtptls_context *context = new_context();

	switch (_i) {
	case 0:
		check_insecure(context, false, true);
		break;
	case 1:
		check_insecure(context, true, false);
		break;
	case 2:
		ck_assert_ok(
		    smtptls_context_insecure_no_check_hostname(context));
		check_insecure(context, false, false);
		break;
	default:
		ck_assert_ok(smtptls_context_insecure_allow_legacy(
		    context, SMTPTLS_TLS_1_1));
		check_insecure(context, false, false);
		break;
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("demands");
	TCase *setters = tcase_create("setters");
	TCase *wire = talk_case(suite, "wire");

	tcase_add_checked_fixture(setters, setup, teardown);
	tcase_add_loop_test(setters,
	    an_envelope_identifier_is_printable_and_short, 0, COUNT(ids));
	tcase_add_loop_test(setters, never_is_alone_among_the_notifications, 0,
	    COUNT(notifies));
	tcase_add_test(setters, a_recipient_has_to_be_there_for_its_own);
	tcase_add_loop_test(setters,
	    an_original_recipient_is_a_type_and_an_address, 0,
	    COUNT(originals));
	tcase_add_loop_test(setters, a_number_has_its_limits, 0, COUNT(ranges));
	tcase_add_test(setters, what_there_is_no_memory_for_spoils_the_message);
	tcase_add_test(setters, no_message_asks_for_nothing);
	tcase_add_loop_test(
	    setters, tls_is_not_required_of_who_is_insecure, 0, 4);
	suite_add_tcase(suite, setters);

	add_in_modes(wire, what_is_asked_for_is_sent);
	add_in_modes(wire, what_is_not_offered_is_not_sent);
	return run_suite(suite);
}
