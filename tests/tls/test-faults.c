/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>

#include "base/alloc.h"
#include "ends.h"

/*
 * Our own allocations, one after another, fail in a session's life; GnuTLS
 * allocates for itself. Each failure is told as what it is, nothing leaks
 * (the sanitizers see to that), and nothing is verified by it.
 */

static void
teardown(void)
{
	stls_alloc_fail_at(0);
	ends_teardown();
}

/* What is done with a session, until something fails. */
static int
live(struct smtptls_session *session, struct peer *peer,
    struct smtptls_resumption **saved)
{
	struct smtptls_cert_info info;
	char byte;
	size_t len;
	int r;

	r = smtptls_session_set_fd(session, peer->other);
	if (r < 0)
		return r;
	r = peer_handshake(peer, session);
	if (r < 0)
		return r;
	r = smtptls_session_read(session, &byte, 1, &len);
	if (r < 0)
		return r;
	r = smtptls_session_get_peer_cert_info(session, 0, &info);
	if (r < 0)
		return r;
	return smtptls_session_save(session, saved);
}

START_TEST(each_allocation_may_fail)
{
	struct smtptls_session *session = NULL;
	struct smtptls_resumption *saved;
	struct peer *peer;
	unsigned long n;
	int r = -1;

	for (n = 1; n < 1000; n++) {
		saved = NULL;
		peer = PEER(.chain = { ends.server },
		    .ticket_key = &ends.ticket_key);
		stls_alloc_fail_at(n);
		r = smtptls_session_new(ends.context, ENDS_HOST, &session);
		if (r == SMTPTLS_OK)
			r = live(session, peer, &saved);
		if (stls_alloc_has_failed()) {
			ck_assert_int_eq(r, SMTPTLS_E_NOMEM);
			ck_assert_ptr_null(saved);
		}
		stls_alloc_fail_at(0);
		smtptls_resumption_free(saved);
		smtptls_session_free(session);
		peer_free(peer);
		if (r == SMTPTLS_OK)
			break;
	}
	/* All of it was tried, and it was not nothing. */
	ck_assert_int_eq(r, SMTPTLS_OK);
	ck_assert_uint_gt(n, 4);
}
END_TEST

START_TEST(without_memory_there_is_no_session)
{
	struct smtptls_session *session =
	    (struct smtptls_session *)&ends.context;

	stls_alloc_fail_at(1);
	ck_assert_int_eq(smtptls_session_new(ends.context, ENDS_HOST, &session),
	    SMTPTLS_E_NOMEM);
	ck_assert_ptr_null(session);
	ck_assert_str_eq(smtptls_session_error(session), "out of memory");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("faults");
	TCase *tc = tcase_create("faults");

	tcase_add_checked_fixture(tc, ends_setup, teardown);
	tcase_add_test(tc, each_allocation_may_fail);
	tcase_add_test(tc, without_memory_there_is_no_session);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
