/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/random.h"
#include "ends.h"

/*
 * pthread_atfork(3) without memory, by the names that it has in glibc and in
 * musl; by other names in C, since the prototypes have attributes of their own.
 */
static bool has_no_memory;
int fake_atfork(void (*prepare)(void), void (*parent)(void),
    void (*child)(void), void *object) __asm__("__register_atfork");
int fake_musl_atfork(void (*prepare)(void), void (*parent)(void),
    void (*child)(void)) __asm__("pthread_atfork");

int
fake_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void),
    void *object)
{
	int (*real)(void (*)(void), void (*)(void), void (*)(void), void *);

	if (has_no_memory)
		return ENOMEM;
	*(void **)&real = dlsym(RTLD_NEXT, "__register_atfork");
	return real(prepare, parent, child, object);
}

int
fake_musl_atfork(
    void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	int (*real)(void (*)(void), void (*)(void), void (*)(void));

	if (has_no_memory)
		return ENOMEM;
	*(void **)&real = dlsym(RTLD_NEXT, "pthread_atfork");
	return real != NULL ? real(prepare, parent, child)
			    : fake_atfork(prepare, parent, child, NULL);
}

/* Run in a child; its exit status is the number of what went wrong. */
static int
in_child(int (*run)(struct smtptls_session *), struct smtptls_session *session)
{
	int status = 0;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(run(session));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
use_everything(struct smtptls_session *session)
{
	struct smtptls_resumption *saved = NULL;
	struct smtptls_cert_info info;
	struct smtptls_cipher cipher;
	const unsigned char *der;
	unsigned char binding[64];
	char buf[8];
	size_t len = 0;
	const int results[] = {
		smtptls_session_handshake(session),
		smtptls_session_read(session, buf, sizeof(buf), &len),
		smtptls_session_write(session, "x", 1, &len),
		smtptls_session_close(session),
		smtptls_session_set_fd(session, 0),
		smtptls_session_save(session, &saved),
		smtptls_session_cipher(session, &cipher),
		smtptls_session_get_peer_cert(session, 0, &der, &len),
		smtptls_session_get_peer_cert_info(session, 0, &info),
		smtptls_session_get_channel_binding(
		    session, "tls-exporter", binding, sizeof(binding), &len),
		smtptls_session_insecure_log_keys(session),
	};
	size_t i;

	for (i = 0; i < COUNT(results); i++) {
		if (results[i] != SMTPTLS_E_FORKED)
			return (int)i + 1;
	}
	if (smtptls_session_is_verified(session) ||
	    smtptls_session_is_resumed(session) ||
	    smtptls_session_sent_certificate(session) ||
	    smtptls_session_pending(session) != 0 ||
	    smtptls_session_events(session) != 0 ||
	    smtptls_session_version(session) != SMTPTLS_TLS_NONE ||
	    strcmp(smtptls_session_group(session), "") != 0 ||
	    strcmp(smtptls_session_signature(session), "") != 0 ||
	    smtptls_session_has_ocsp_staple(session) != 0)
		return 50;
	if (strstr(smtptls_session_error(session), "parent") == NULL)
		return 51;
	smtptls_session_free(session);
	return 0;
}

static int
only_free(struct smtptls_session *session)
{
	smtptls_session_free(session);
	return 0;
}

/* Say something in each direction. */
static void
talk(struct peer *peer, struct smtptls_session *session)
{
	char buf[8];
	size_t len;

	ck_assert_ok(smtptls_session_write(session, "ping", 4, &len));
	peer_read(peer, buf, 4);
	peer_write(peer, "pong", 4);
	ck_assert_ok(smtptls_session_read(session, buf, sizeof(buf), &len));
	ck_assert_uint_eq(len, 4);
}

START_TEST(a_child_cannot_use_the_session_and_the_parent_can)
{
	static int (*const runs[])(struct smtptls_session *) = {
		use_everything,
		only_free,
	};
	struct peer *peer = PEER(.chain = { ends.server },
	    .staple = { factory_ocsp(ends.factory, ends.ca, ends.server,
		&(struct ocsp_spec){ 0 }) });
	struct smtptls_session *session = peer_session(
	    peer, ends.context, ENDS_HOST);

	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	ck_assert_int_eq(smtptls_session_has_ocsp_staple(session), 1);
	talk(peer, session);
	ck_assert_int_eq(in_child(runs[_i], session), 0);
	talk(peer, session);
	ck_assert_int_eq(smtptls_session_is_verified(session), 1);
	ck_assert_ok(smtptls_session_close(session));
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

START_TEST(a_child_is_noticed_without_memory_for_that)
{
	struct peer *peer = PEER(.chain = { ends.server });
	struct smtptls_session *session;

	has_no_memory = true;
	session = peer_session(peer, ends.context, ENDS_HOST);
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	ck_assert_int_eq(in_child(use_everything, session), 0);
	talk(peer, session);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

START_TEST(a_child_cannot_go_on_with_a_handshake)
{
	struct peer *peer = PEER(.chain = { ends.server });
	struct smtptls_session *session = peer_session(
	    peer, ends.context, ENDS_HOST);

	ck_assert_int_eq(smtptls_session_handshake(session), SMTPTLS_AGAIN);
	ck_assert_int_eq(in_child(use_everything, session), 0);
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	talk(peer, session);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

/* A new session in the child; the context is the parent's. */
static int
connect_in_child(struct smtptls_session *unused)
{
	struct peer *peer = PEER(.chain = { ends.server });
	struct smtptls_session *session = NULL;
	int r;

	(void)unused;
	if (smtptls_session_new(ends.context, ENDS_HOST, &session) < 0 ||
	    smtptls_session_set_fd(session, peer->other) < 0)
		return 1;
	r = peer_handshake(peer, session);
	if (r < 0 || !smtptls_session_is_verified(session))
		return 2;
	smtptls_session_free(session);
	peer_free(peer);
	return 0;
}

START_TEST(a_context_works_on_both_sides)
{
	struct peer *peer = PEER(.chain = { ends.server });
	struct smtptls_session *session = peer_session(
	    peer, ends.context, ENDS_HOST);

	ck_assert_int_eq(in_child(connect_in_child, NULL), 0);
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	talk(peer, session);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

static struct smtptls_resumption *kept;

static int
resume_in_child(struct smtptls_session *unused)
{
	struct smtptls_session *session = NULL;
	int r;

	(void)unused;
	if (smtptls_session_new(ends.context, ENDS_HOST, &session) < 0)
		return 1;
	r = smtptls_session_resume(session, kept);
	smtptls_session_free(session);
	smtptls_resumption_free(kept);
	return r == SMTPTLS_E_FORKED ? 0 : 2;
}

/* One ticket, used twice, would tell an observer that it is the same user. */
START_TEST(what_was_saved_dies_with_its_process)
{
	gnutls_datum_t key;
	struct peer *peer;
	struct smtptls_session *session;
	char byte;
	size_t len;

	ck_assert_int_ge(gnutls_session_ticket_key_generate(&key), 0);
	peer = PEER(.chain = { ends.server }, .ticket_key = &key);
	session = peer_session(peer, ends.context, ENDS_HOST);
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	ck_assert_int_eq(
	    smtptls_session_read(session, &byte, 1, &len), SMTPTLS_AGAIN);
	ck_assert_ok(smtptls_session_save(session, &kept));
	ck_assert_int_eq(in_child(resume_in_child, NULL), 0);
	smtptls_resumption_free(kept);
	smtptls_session_free(session);
	peer_free(peer);
	gnutls_free(key.data);
}
END_TEST

/* What two children of one process draw must not be the same. */
START_TEST(children_draw_different_random_bytes)
{
	unsigned char drawn[2][16];
	struct stls_err err;
	int fds[2], i, status;
	pid_t pid;

	ck_assert_ok(stls_random(&err, drawn[0], sizeof(drawn[0])));
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(pipe(fds), 0);
		pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			stls_random(&err, drawn[0], sizeof(drawn[0]));
			_exit(write(fds[1], drawn[0], 16) == 16 ? 0 : 1);
		}
		ck_assert_int_eq(read(fds[0], drawn[i], 16), 16);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		close(fds[0]);
		close(fds[1]);
	}
	ck_assert_mem_ne(drawn[0], drawn[1], 16);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fork");
	TCase *tc = tcase_create("fork");

	tcase_add_checked_fixture(tc, ends_setup, ends_teardown);
	tcase_add_loop_test(
	    tc, a_child_cannot_use_the_session_and_the_parent_can, 0, 2);
	tcase_add_test(tc, a_child_is_noticed_without_memory_for_that);
	tcase_add_test(tc, a_child_cannot_go_on_with_a_handshake);
	tcase_add_test(tc, a_context_works_on_both_sides);
	tcase_add_test(tc, what_was_saved_dies_with_its_process);
	tcase_add_test(tc, children_draw_different_random_bytes);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
