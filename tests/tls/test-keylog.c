/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "factory.h"
#include "peer.h"

#define HOST "mail.example.org"

/*
 * GnuTLS looks at SSLKEYLOGFILE once in a process, and writes the keys of
 * every session there without being asked. Hence this program of its own,
 * which sets it before anything else.
 */
static char path[64];

/* @return whether there are keys in the file after a handshake */
static bool
writes_keys(bool asked)
{
	struct factory *factory = factory_new();
	const struct cert *ca = factory_ca(factory);
	const struct cert *server = factory_server(factory, ca, "DNS:" HOST);
	struct smtptls_context *context = peer_client_context(factory, ca);
	struct peer *peer = PEER(.chain = { server });
	struct smtptls_session *session = peer_session(peer, context, HOST);
	struct stat st;

	/* The peer is GnuTLS as it is, and shall write nothing here. */
	gnutls_session_set_keylog_function(peer->tls, peer_log_no_key);
	if (asked)
		ck_assert_ok(smtptls_session_insecure_log_keys(session));
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	smtptls_session_free(session);
	peer_free(peer);
	smtptls_context_free(context);
	factory_free(factory);
	return stat(path, &st) == 0 && st.st_size > 0;
}

START_TEST(keys_are_not_written_whatever_the_environment_says)
{
	ck_assert(!writes_keys(false));
}
END_TEST

START_TEST(keys_are_written_when_that_is_asked_for)
{
	ck_assert(writes_keys(true));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("keylog");
	TCase *tc = tcase_create("keylog");
	int r;

	snprintf(path, sizeof(path), "/tmp/smtptls-keys-%ld", (long)getpid());
	unlink(path);
	setenv("SSLKEYLOGFILE", path, 1);
	tcase_add_test(tc, keys_are_not_written_whatever_the_environment_says);
	tcase_add_test(tc, keys_are_written_when_that_is_asked_for);
	suite_add_tcase(suite, tc);
	r = run_suite(suite);
	unlink(path);
	return r;
}
