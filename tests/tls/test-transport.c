/* SPDX-License-Identifier: MIT */
/* What is gathered and waited for, with a socket that does little. */
#include "test.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ends.h"
#include "net/socket.h"
#include "tls/session.h"

#define RECORD 16384
/* A pattern in which no piece looks like another one nearby. */
#define PATTERN_LEN (4 * 1024 * 1024)

static unsigned char pattern[PATTERN_LEN];
static struct peer *peer;
static struct smtptls_session *session;
static size_t sent, arrived; /* of the pattern */

/* --- libc, as far as the session's end of the socket goes --- */

static struct {
	int fd;
	int sends, receives, options;
	size_t send_max;   /* octets a call; 0: as many as go */
	int again_at;	   /* the n-th call to send says EAGAIN */
	int receive_errno; /* the next call to receive fails so */
	int send_errno;	   /* the next call to send fails so */
} calls = { .fd = -1 };

ssize_t fake_recv(int fd, void *buf, size_t len, int flags) __asm__("recv");
ssize_t fake_sendmsg(int fd, const struct msghdr *msg, int flags) __asm__(
    "sendmsg");
int fake_setsockopt(int fd, int level, int name, const void *value,
    socklen_t len) __asm__("setsockopt");

ssize_t
fake_recv(int fd, void *buf, size_t len, int flags)
{
	ssize_t (*real)(int, void *, size_t, int);

	*(void **)&real = dlsym(RTLD_NEXT, "recv");
	if (fd == calls.fd) {
		calls.receives++;
		if (calls.receive_errno != 0) {
			errno = calls.receive_errno;
			calls.receive_errno = 0;
			return -1;
		}
	}
	return real(fd, buf, len, flags);
}

ssize_t
fake_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	ssize_t (*real)(int, const struct msghdr *, int);
	ssize_t (*send_some)(int, const void *, size_t, int);
	size_t i;

	*(void **)&real = dlsym(RTLD_NEXT, "sendmsg");
	if (fd != calls.fd)
		return real(fd, msg, flags);
	if (++calls.sends == calls.again_at || calls.send_errno != 0) {
		errno = calls.send_errno != 0 ? calls.send_errno : EAGAIN;
		calls.send_errno = 0;
		return -1;
	}
	*(void **)&send_some = dlsym(RTLD_NEXT, "send");
	for (i = 0; calls.send_max > 0 && i < msg->msg_iovlen; i++) {
		size_t len = msg->msg_iov[i].iov_len;

		if (len > 0)
			return send_some(fd, msg->msg_iov[i].iov_base,
			    len < calls.send_max ? len : calls.send_max, flags);
	}
	return real(fd, msg, flags);
}

int
fake_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	int (*real)(int, int, int, const void *, socklen_t);

	*(void **)&real = dlsym(RTLD_NEXT, "setsockopt");
	calls.options += fd == calls.fd;
	return real(fd, level, name, value, len);
}

/* --- a session, and a peer that takes what it is told --- */

static uint32_t random_state = 20260201;

static uint32_t
next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

static void
begin(const char *priority)
{
	peer = PEER(.priority = priority, .chain = { ends.server });
	session = peer_session(peer, ends.context, ENDS_HOST);
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	memset(&calls, 0, sizeof(calls));
	calls.fd = peer->other;
	sent = arrived = 0;
}

static void
end(void)
{
	calls.fd = -1;
	smtptls_session_free(session);
	peer_free(peer);
	session = NULL;
	peer = NULL;
}

static void
teardown(void)
{
	stls_alloc_fail_at(0);
	end();
	ends_teardown();
}

/* GnuTLS says AGAIN also after what is no data. */
static bool
has_more(void)
{
	struct pollfd pfd = { .fd = peer->fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

/* Let the peer read records until there is none; false: and no more comes. */
static bool
take_in(int records)
{
	static unsigned char got[RECORD];
	ssize_t n = 1;

	for (; records != 0; records--) {
		n = gnutls_record_recv(peer->tls, got, sizeof(got));
		if (n == GNUTLS_E_AGAIN && !has_more())
			break;
		if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
			continue;
		ck_assert_msg(n >= 0, "peer: %s", gnutls_strerror((int)n));
		if (n == 0)
			return false;
		ck_assert_uint_le(arrived + (size_t)n, sent);
		ck_assert_int_eq(memcmp(got, pattern + arrived, (size_t)n), 0);
		arrived += (size_t)n;
	}
	return true;
}

typedef int (*write_function)(
    struct smtptls_session *s, const void *data, size_t len, size_t *out_len);

/* Write the next piece of the pattern; what was taken counts as sent. */
static int
write_next(write_function write, size_t len)
{
	size_t n = 0;
	int r;

	ck_assert_uint_le(sent + len, PATTERN_LEN);
	r = write(session, pattern + sent, len, &n);
	ck_assert_uint_le(n, len);
	ck_assert((r == SMTPTLS_OK) == (n > 0));
	sent += n;
	return r;
}

static void
limit_buffer(void)
{
	ck_assert_ok(setsockopt(
	    peer->other, SOL_SOCKET, SO_SNDBUF, &(int){ 1 }, sizeof(int)));
}

/* --- gathering --- */

START_TEST(what_is_gathered_leaves_in_one_call)
{
	char buf[16];
	size_t len;
	int i;

	begin(ends_versions[_i]);
	for (i = 0; i < 10; i++)
		ck_assert_ok(write_next(stls_session_write_more, 1000));
	ck_assert_int_eq(calls.sends, 0);
	ck_assert_uint_gt(stls_session_unflushed(session), 10000);
	take_in(-1);
	ck_assert_uint_eq(arrived, 0);
	ck_assert_int_eq(smtptls_session_read(session, buf, sizeof(buf), &len),
	    SMTPTLS_AGAIN);
	ck_assert_int_eq(smtptls_session_events(session), POLLIN | POLLOUT);
	ck_assert_ok(stls_session_flush(session));
	ck_assert_int_eq(calls.sends, 1);
	ck_assert_uint_eq(stls_session_unflushed(session), 0);
	take_in(-1);
	ck_assert_uint_eq(arrived, 10000);
	ck_assert_int_eq(smtptls_session_read(session, buf, sizeof(buf), &len),
	    SMTPTLS_AGAIN);
	ck_assert_int_eq(smtptls_session_events(session), POLLIN);
	/* And nothing is nothing. */
	ck_assert_ok(stls_session_flush(session));
	ck_assert_int_eq(calls.sends, 1);
}
END_TEST

START_TEST(a_write_takes_what_was_gathered_along)
{
	begin(ends_versions[_i]);
	ck_assert_ok(write_next(stls_session_write_more, 1000));
	ck_assert_ok(write_next(stls_session_write_more, RECORD));
	ck_assert_ok(write_next(smtptls_session_write, 10));
	ck_assert_int_eq(calls.sends, 1);
	ck_assert_uint_eq(stls_session_unflushed(session), 0);
	take_in(-1);
	ck_assert_uint_eq(arrived, 1000 + RECORD + 10);

	/* Also where the one has left before the other: it does not wait. */
	calls.send_max = 3 * RECORD;
	ck_assert_ok(write_next(stls_session_write_more, RECORD));
	ck_assert_ok(write_next(smtptls_session_write, 10));
	ck_assert_int_eq(calls.sends, 3);
	take_in(-1);
	ck_assert_uint_eq(arrived, sent);
}
END_TEST

START_TEST(sixteen_records_are_gathered_and_more_are_written)
{
	int i;

	begin(ends_versions[0]);
	for (i = 0; i < 16; i++)
		ck_assert_ok(write_next(stls_session_write_more, 2 * RECORD));
	ck_assert_uint_eq(sent, 16 * RECORD);
	ck_assert_int_eq(calls.sends, 0);
	/* There is no room for so much in the socket. */
	ck_assert_int_eq(
	    write_next(stls_session_write_more, RECORD), SMTPTLS_AGAIN);
	ck_assert_uint_eq(sent, 16 * RECORD);
	ck_assert_int_eq(stls_session_flush(session), SMTPTLS_AGAIN);
	while (stls_session_flush(session) == SMTPTLS_AGAIN)
		take_in(1);
	take_in(-1);
	ck_assert_uint_eq(arrived, 16 * RECORD);
	ck_assert_ok(write_next(stls_session_write_more, RECORD));
	ck_assert_uint_gt(stls_session_unflushed(session), RECORD);
}
END_TEST

/* The largest overhead that a record can have fits as well. */
START_TEST(records_of_any_size_fit)
{
	size_t len;

	begin(ends_versions[_i]);
	for (len = 1; len <= RECORD; len += len < 100 ? 1 : 1237) {
		while (
		    write_next(stls_session_write_more, len) == SMTPTLS_AGAIN)
			take_in(-1);
	}
	while (stls_session_flush(session) == SMTPTLS_AGAIN)
		take_in(-1);
	take_in(-1);
	ck_assert_uint_eq(arrived, sent);
}
END_TEST

/* The writer: what must be written again, and how; 0 for nothing. */
static size_t repeated;
static write_function again;
static int updates; /* of the keys, that the peer may still ask for */

/* One step of a writer who does anything. */
static void
step_by_chance(void)
{
	size_t len = repeated;
	int r;

	switch (next_random() % 8) {
	case 0:
		if (repeated == 0 && stls_session_flush(session) == SMTPTLS_OK)
			ck_assert_uint_eq(stls_session_unflushed(session), 0);
		return;
	case 1:
	case 2:
		take_in((int)(next_random() % 4));
		return;
	case 3:
		/* GnuTLS takes no more than 8 in a second. */
		if (updates > 0 && next_random() % 4 == 0 && updates-- > 0)
			gnutls_session_key_update(peer->tls, GNUTLS_KU_PEER);
		else
			gnutls_record_send(peer->tls, "250 ok\r\n", 8);
		return;
	case 4: {
		char buf[64];
		size_t n;

		ck_assert_int_ge(
		    smtptls_session_read(session, buf, sizeof(buf), &n), 0);
		return;
	}
	default:
		break;
	}
	if (len == 0) {
		len = next_random() % 3 == 0 ? RECORD : next_random() % 600 + 1;
		again = next_random() % 4 == 0 ? smtptls_session_write
					       : stls_session_write_more;
	} else if (next_random() % 4 == 0) {
		/* Either finishes what the other one began. */
		again = again == smtptls_session_write ? stls_session_write_more
						       : smtptls_session_write;
	}
	r = write_next(again, len);
	ck_assert_int_ge(r, 0);
	repeated = r == SMTPTLS_AGAIN ? len : 0;
	if (repeated == 0 && again == smtptls_session_write)
		ck_assert_uint_eq(stls_session_unflushed(session), 0);
}

/* Nothing is lost, nothing twice, whatever the socket takes and when. */
START_TEST(whatever_is_done_in_any_order_arrives)
{
	size_t rounds = test_rounds(64), round;
	int i;

	for (round = 0; round < rounds; round++) {
		begin(ends_versions[_i]);
		repeated = 0;
		updates = _i == 0 ? 8 : 0;
		if (round % 4 != 3)
			limit_buffer();
		if (round % 4 > 0)
			calls.send_max = next_random() % 3000 + 1;
		if (round % 2 == 0)
			stls_session_set_dont_wait(session);
		for (i = 0; i < 400; i++) {
			calls.again_at = next_random() % 3 == 0
			    ? calls.sends + 1
			    : 0;
			step_by_chance();
		}
		calls.again_at = 0;
		end();
	}
}
END_TEST

START_TEST(a_flush_goes_on_wherever_it_came_to_a_stop)
{
	size_t step = test_step(), max;
	int at;

	begin(ends_versions[_i]);
	/* For all splits of what is gathered. */
	for (max = 1; max < 400; max += step) {
		calls.send_max = max;
		ck_assert_ok(write_next(stls_session_write_more, 100));
		ck_assert_ok(write_next(stls_session_write_more, 200));
		for (at = 1; stls_session_unflushed(session) > 0; at++) {
			ck_assert_int_lt(at, 1000);
			calls.again_at = calls.sends + 2;
			(void)stls_session_flush(session);
			take_in(-1);
		}
		ck_assert_ok(stls_session_flush(session));
		take_in(-1);
		ck_assert_uint_eq(arrived, sent);
	}
}
END_TEST

/* What could not be written keeps its place. */
START_TEST(an_unfinished_write_can_be_gathered)
{
	begin(ends_versions[_i]);
	ck_assert_ok(write_next(stls_session_write_more, 500));
	calls.again_at = 1;
	ck_assert_int_eq(write_next(smtptls_session_write, 600), SMTPTLS_AGAIN);
	ck_assert_int_eq(stls_session_flush(session), SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_session_close(session), SMTPTLS_E_STATE);
	ck_assert_ok(write_next(stls_session_write_more, 600));
	ck_assert_int_eq(calls.sends, 1);
	ck_assert_ok(write_next(stls_session_write_more, 700));
	ck_assert_ok(stls_session_flush(session));
	take_in(-1);
	ck_assert_uint_eq(arrived, 500 + 600 + 700);
}
END_TEST

START_TEST(a_close_comes_behind_what_was_gathered)
{
	begin(ends_versions[_i]);
	ck_assert_ok(write_next(stls_session_write_more, 5000));
	calls.again_at = 1;
	ck_assert_int_eq(smtptls_session_close(session), SMTPTLS_AGAIN);
	calls.send_max = 700;
	while (smtptls_session_close(session) == SMTPTLS_AGAIN)
		continue;
	ck_assert_uint_eq(stls_session_unflushed(session), 0);
	ck_assert(!take_in(-1));
	ck_assert_uint_eq(arrived, 5000);
}
END_TEST

/* GnuTLS answers by itself, with keys that what was gathered does not have. */
START_TEST(a_key_update_comes_behind_what_was_gathered)
{
	char buf[16];
	size_t len;

	begin(ends_versions[0]);
	ck_assert_ok(write_next(stls_session_write_more, 5000));
	ck_assert_int_ge(
	    gnutls_session_key_update(peer->tls, GNUTLS_KU_PEER), 0);
	peer_write(peer, "x", 1);
	ck_assert_ok(smtptls_session_read(session, buf, sizeof(buf), &len));
	ck_assert_ok(write_next(stls_session_write_more, 5000));
	ck_assert_ok(stls_session_flush(session));
	take_in(-1);
	ck_assert_uint_eq(arrived, 10000);
}
END_TEST

/* What GnuTLS keeps of a record it would send, and encrypt once more. */
START_TEST(a_key_update_doubles_no_unfinished_write)
{
	static const write_function writes[] = { smtptls_session_write,
		stls_session_write_more };
	char buf[16];
	size_t len;
	int i;

	begin(ends_versions[0]);
	for (i = 0; i < 4; i++) {
		/* Nothing of it has left, or a part. */
		calls.sends = 0;
		calls.send_max = i < 2 ? 0 : 100;
		calls.again_at = i < 2 ? 1 : 0;
		ck_assert_int_eq(
		    write_next(smtptls_session_write, 600), SMTPTLS_AGAIN);
		ck_assert_int_eq(smtptls_session_events(session), POLLOUT);
		ck_assert_int_ge(
		    gnutls_session_key_update(peer->tls, GNUTLS_KU_PEER), 0);
		ck_assert_int_eq(
		    smtptls_session_read(session, buf, sizeof(buf), &len),
		    SMTPTLS_AGAIN);
		calls.send_max = 0;
		ck_assert_ok(write_next(writes[i % 2], 600));
		ck_assert_ok(write_next(smtptls_session_write, RECORD));
		take_in(-1);
		ck_assert_uint_eq(arrived, sent);
	}
}
END_TEST

START_TEST(an_alert_comes_behind_what_was_gathered)
{
	static const char junk[] = { 23, 3, 3, 0, 32, 1, 2, 3, 4, 5, 6, 7, 8, 9,
		10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
		26, 27, 28, 29, 30, 31, 32 };
	char buf[16];
	size_t len;

	begin(ends_versions[_i]);
	ck_assert_ok(write_next(stls_session_write_more, 5000));
	ck_assert_int_eq(
	    write(peer->fd, junk, sizeof(junk)), (int)sizeof(junk));
	ck_assert_int_lt(
	    smtptls_session_read(session, buf, sizeof(buf), &len), 0);
	take_in(1);
	ck_assert_uint_eq(arrived, 5000);
	ck_assert_int_eq(gnutls_record_recv(peer->tls, buf, sizeof(buf)),
	    GNUTLS_E_FATAL_ALERT_RECEIVED);
}
END_TEST

START_TEST(lack_of_memory_takes_nothing)
{
	unsigned long n;
	bool has_failed = true;
	int r, i;

	begin(ends_versions[0]);
	for (n = 1; has_failed; n++) {
		ck_assert_uint_lt(n, 100);
		stls_session_trim(session);
		stls_alloc_fail_at(n);
		r = SMTPTLS_OK;
		for (i = 0; i < 15 && r == SMTPTLS_OK; i++)
			r = write_next(stls_session_write_more, RECORD);
		has_failed = stls_alloc_has_failed();
		stls_alloc_fail_at(0);
		ck_assert_int_eq(r, has_failed ? SMTPTLS_E_NOMEM : SMTPTLS_OK);
		if (has_failed)
			ck_assert_str_eq(
			    smtptls_session_error(session), "out of memory");
		ck_assert_ok(write_next(stls_session_write_more, 10));
		while (stls_session_flush(session) == SMTPTLS_AGAIN)
			take_in(-1);
		take_in(-1);
		ck_assert_uint_eq(arrived, sent);
	}
	ck_assert_uint_gt(n, 4);
}
END_TEST

/* A part of it may have left: nothing goes on from there. */
START_TEST(an_unfinished_write_that_cannot_be_kept_is_the_end)
{
	size_t len;

	begin(ends_versions[_i]);
	calls.send_max = 100;
	stls_alloc_fail_at(1);
	ck_assert_int_eq(
	    write_next(smtptls_session_write, 600), SMTPTLS_E_NOMEM);
	ck_assert(stls_alloc_has_failed());
	stls_alloc_fail_at(0);
	ck_assert_int_eq(
	    write_next(smtptls_session_write, 600), SMTPTLS_E_NOMEM);
	ck_assert_str_eq(smtptls_session_error(session), "out of memory");
	ck_assert_int_eq(smtptls_session_read(session, &(char){ 0 }, 1, &len),
	    SMTPTLS_E_NOMEM);
	take_in(-1);
	ck_assert_uint_eq(arrived, 0);
}
END_TEST

START_TEST(what_cannot_be_flushed_is_told_and_what_came_is_read)
{
	char buf[16];
	size_t len = 0;

	begin(ends_versions[0]);
	ck_assert_ok(write_next(stls_session_write_more, 5000));
	peer_write(peer, "421 a\r\n", 7);
	close(peer->fd);
	peer->fd = -1;
	ck_assert_int_eq(stls_session_flush(session), SMTPTLS_E_IO);
	ck_assert_str_eq(smtptls_session_error(session),
	    "writing to the server: Broken pipe");
	ck_assert_int_eq(
	    write_next(stls_session_write_more, 1), SMTPTLS_E_STATE);
	ck_assert_ok(smtptls_session_read(session, buf, sizeof(buf), &len));
	ck_assert_uint_eq(len, 7);
	ck_assert_mem_eq(buf, "421 a\r\n", 7);
}
END_TEST

/* Not even close_notify: the peer must not think that it has everything. */
START_TEST(nothing_is_written_behind_what_was_lost)
{
	begin(ends_versions[_i]);
	ck_assert_ok(write_next(stls_session_write_more, 5000));
	calls.send_errno = ENETDOWN;
	ck_assert_int_eq(stls_session_flush(session), SMTPTLS_E_IO);
	ck_assert_int_eq(stls_session_flush(session), SMTPTLS_E_IO);
	ck_assert_int_eq(smtptls_session_close(session), SMTPTLS_E_IO);
	ck_assert_int_eq(calls.sends, 1);
	take_in(-1);
	ck_assert_uint_eq(arrived, 0);
}
END_TEST

/* Where there is no room, it has to write, and learns the same. */
START_TEST(a_full_buffer_that_cannot_be_written_is_an_error)
{
	int i;

	begin(ends_versions[0]);
	for (i = 0; i < 16; i++)
		ck_assert_ok(write_next(stls_session_write_more, RECORD));
	close(peer->fd);
	peer->fd = -1;
	ck_assert_int_eq(
	    write_next(stls_session_write_more, RECORD), SMTPTLS_E_IO);
	ck_assert_int_eq(
	    write_next(smtptls_session_write, RECORD), SMTPTLS_E_STATE);
}
END_TEST

START_TEST(a_child_says_nothing_of_it)
{
	int status = 0;
	pid_t pid;

	begin(ends_versions[0]);
	ck_assert_ok(write_next(stls_session_write_more, 5000));
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		size_t n;
		bool fine = stls_session_flush(session) == SMTPTLS_E_FORKED &&
		    stls_session_wait_input(session, 0) == SMTPTLS_E_FORKED &&
		    stls_session_write_more(session, "x", 1, &n) ==
			SMTPTLS_E_FORKED;

		smtptls_session_free(session);
		_exit(fine && calls.sends == 0 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	take_in(-1);
	ck_assert_uint_eq(arrived, 0);
	ck_assert_ok(stls_session_flush(session));
	take_in(-1);
	ck_assert_uint_eq(arrived, 5000);
}
END_TEST

/* --- waiting --- */

static void
begin_blocking(void)
{
	begin(ends_versions[0]);
	ck_assert_ok(stls_socket_set_blocking(peer->other));
	stls_session_set_dont_wait(session);
}

START_TEST(nothing_waits_on_a_descriptor_that_would)
{
	char buf[16];
	size_t len;
	int r;

	begin_blocking();
	ck_assert_int_eq(smtptls_session_read(session, buf, sizeof(buf), &len),
	    SMTPTLS_AGAIN);
	do
		r = write_next(smtptls_session_write, RECORD);
	while (r == SMTPTLS_OK);
	ck_assert_int_eq(r, SMTPTLS_AGAIN);
	peer_write(peer, "250 ok\r\n", 8);
	ck_assert_ok(smtptls_session_read(session, buf, sizeof(buf), &len));
	ck_assert_uint_eq(len, 8);
}
END_TEST

START_TEST(a_reply_is_waited_for_and_taken_in_one_call)
{
	char buf[16];
	size_t len;
	int i;

	begin_blocking();
	for (i = 0; i < 5; i++) {
		peer_write(peer, "250-a\r\n", 7);
		peer_write(peer, "250 b\r\n", 7);
		calls.receives = 0;
		/* Less and less time is left; that is no reason to set it. */
		ck_assert_ok(stls_session_wait_input(session, 300000 - i));
		ck_assert_ok(
		    smtptls_session_read(session, buf, sizeof(buf), &len));
		ck_assert_uint_eq(len, 7);
		ck_assert(!stls_session_input_drained(session));
		/* Something is there: nothing to wait for. */
		ck_assert_ok(stls_session_wait_input(session, -1));
		ck_assert_ok(smtptls_session_read(session, buf, 3, &len));
		ck_assert_uint_eq(len, 3);
		ck_assert(!stls_session_input_drained(session));
		ck_assert_ok(stls_session_wait_input(session, -1));
		ck_assert_ok(
		    smtptls_session_read(session, buf, sizeof(buf), &len));
		ck_assert_uint_eq(len, 4);
		ck_assert_mem_eq(buf, " b\r\n", 4);
		ck_assert_int_eq(calls.receives, 1);
		ck_assert(stls_session_input_drained(session));
	}
	ck_assert_int_eq(calls.options, 1);
}
END_TEST

START_TEST(a_wait_ends_with_its_time)
{
	static const int times[] = { 1, 30, 0, 29, 1 };
	struct timespec begun, ended;
	char buf[16];
	size_t i, len;
	long ms;

	begin_blocking();
	/* What another wait was allowed is not for this one. */
	peer_write(peer, "250 a\r\n", 7);
	ck_assert_ok(stls_session_wait_input(session, 300000));
	ck_assert_ok(smtptls_session_read(session, buf, sizeof(buf), &len));
	for (i = 0; i < COUNT(times); i++) {
		clock_gettime(CLOCK_MONOTONIC, &begun);
		ck_assert_int_eq(
		    stls_session_wait_input(session, times[i]), SMTPTLS_AGAIN);
		clock_gettime(CLOCK_MONOTONIC, &ended);
		ms = (ended.tv_sec - begun.tv_sec) * 1000 +
		    (ended.tv_nsec - begun.tv_nsec) / 1000000;
		ck_assert_int_lt(ms, 20000);
		ck_assert_int_ge(ms, times[i] / 2 - 1);
	}
	ck_assert_int_eq(smtptls_session_is_verified(session), 1);
}
END_TEST

START_TEST(a_wait_ends_with_a_signal)
{
	begin_blocking();
	calls.receive_errno = EINTR;
	ck_assert_int_eq(
	    stls_session_wait_input(session, 300000), SMTPTLS_AGAIN);
	ck_assert_int_eq(smtptls_session_is_verified(session), 1);
}
END_TEST

/* The kernel tells of it once, and who waits is not who reads. */
START_TEST(what_a_wait_came_to_is_read)
{
	char buf[16];
	size_t len;

	begin_blocking();
	if (_i == 0)
		calls.receive_errno = ECONNRESET;
	else
		shutdown(peer->fd, SHUT_WR);
	ck_assert_ok(stls_session_wait_input(session, 300000));
	ck_assert(!stls_session_input_drained(session));
	ck_assert_ok(stls_session_wait_input(session, 300000));
	ck_assert_int_eq(smtptls_session_read(session, buf, sizeof(buf), &len),
	    SMTPTLS_E_IO);
	ck_assert_str_eq(smtptls_session_error(session),
	    _i == 0 ? "reading from the server: Connection reset by peer"
		    : "the server closed the connection without saying so (no "
		      "close_notify): something may be missing");
}
END_TEST

static long
read_nothing(void *buf, size_t cap, void *arg)
{
	(void)buf;
	(void)cap;
	(void)arg;
	return -EAGAIN;
}

static long
write_nothing(const void *data, size_t len, void *arg)
{
	(void)data;
	(void)len;
	(void)arg;
	return -EAGAIN;
}

START_TEST(a_wait_is_refused_where_it_makes_no_sense)
{
	begin_blocking();
	ck_assert_ok(write_next(stls_session_write_more, 1));
	ck_assert_int_eq(stls_session_wait_input(session, -1), SMTPTLS_E_STATE);
	ck_assert_int_eq(calls.receives, 0);
	end();
	ck_assert_ok(smtptls_session_new(ends.context, ENDS_HOST, &session));
	ck_assert_int_eq(stls_session_wait_input(session, -1), SMTPTLS_E_STATE);
	ck_assert_ok(smtptls_session_set_callbacks(
	    session, read_nothing, write_nothing, NULL));
	ck_assert_int_eq(
	    stls_session_wait_input(session, -1), SMTPTLS_E_UNSUPPORTED);
}
END_TEST

START_TEST(more_than_was_taken_is_not_drained)
{
	static char text[10000];
	char buf[RECORD];
	size_t len;

	begin_blocking();
	peer_write(peer, text, sizeof(text));
	ck_assert_ok(stls_session_wait_input(session, -1));
	ck_assert(!stls_session_input_drained(session));
	ck_assert_ok(smtptls_session_read(session, buf, sizeof(buf), &len));
	ck_assert_uint_eq(len, sizeof(text));
	ck_assert(stls_session_input_drained(session));
	ck_assert_int_eq(smtptls_session_read(session, buf, sizeof(buf), &len),
	    SMTPTLS_AGAIN);
	ck_assert(stls_session_input_drained(session));

	/* The buffer was filled to its last octet: who knows. */
	peer_write(peer, text, STLS_TRANSPORT_BUFFER - 22);
	ck_assert_ok(smtptls_session_read(session, buf, sizeof(buf), &len));
	ck_assert_uint_eq(len, STLS_TRANSPORT_BUFFER - 22);
	ck_assert(!stls_session_input_drained(session));
}
END_TEST

/* --- memory --- */

START_TEST(an_idle_session_holds_little)
{
	char buf[16];
	size_t len;
	int i;

	begin(ends_versions[0]);
	for (i = 0; i < 3; i++) {
		ck_assert_ok(write_next(stls_session_write_more, 5000));
		peer_write(peer, "250-a\r\n", 7);
		peer_write(peer, "250 b\r\n", 7);
		ck_assert_ok(
		    smtptls_session_read(session, buf, sizeof(buf), &len));
		/* What is not done with is kept. */
		stls_session_trim(session);
		ck_assert_ok(
		    smtptls_session_read(session, buf, sizeof(buf), &len));
		ck_assert_mem_eq(buf, "250 b\r\n", 7);
		ck_assert_ok(stls_session_flush(session));
		stls_session_trim(session);
		ck_assert_ptr_null(session->transport.buffer);
		ck_assert_ptr_null(session->transport.gathered);
	}
	take_in(-1);
	ck_assert_uint_eq(arrived, 15000);
	ck_assert_uint_lt(sizeof(*session), 2048);
}
END_TEST

START_TEST(without_memory_to_read_nothing_is_read)
{
	char buf[16];
	size_t len;

	begin_blocking();
	stls_session_trim(session);
	peer_write(peer, "250 a\r\n", 7);
	stls_alloc_fail_at(1);
	ck_assert_int_eq(smtptls_session_read(session, buf, sizeof(buf), &len),
	    SMTPTLS_E_NOMEM);
	stls_alloc_fail_at(1);
	ck_assert_int_eq(stls_session_wait_input(session, -1), SMTPTLS_E_NOMEM);
	stls_alloc_fail_at(0);
	ck_assert_ok(smtptls_session_read(session, buf, sizeof(buf), &len));
	ck_assert_uint_eq(len, 7);
}
END_TEST

#define VERSIONS (int)COUNT(ends_versions)

static void
add_gathering(TCase *tc)
{
	tcase_add_loop_test(
	    tc, what_is_gathered_leaves_in_one_call, 0, VERSIONS);
	tcase_add_loop_test(
	    tc, a_write_takes_what_was_gathered_along, 0, VERSIONS);
	tcase_add_test(tc, sixteen_records_are_gathered_and_more_are_written);
	tcase_add_loop_test(tc, records_of_any_size_fit, 0, VERSIONS);
	tcase_add_loop_test(
	    tc, whatever_is_done_in_any_order_arrives, 0, VERSIONS);
	tcase_add_loop_test(
	    tc, a_flush_goes_on_wherever_it_came_to_a_stop, 0, VERSIONS);
	tcase_add_loop_test(
	    tc, an_unfinished_write_can_be_gathered, 0, VERSIONS);
	tcase_add_loop_test(
	    tc, a_close_comes_behind_what_was_gathered, 0, VERSIONS);
	tcase_add_test(tc, a_key_update_comes_behind_what_was_gathered);
	tcase_add_test(tc, a_key_update_doubles_no_unfinished_write);
	tcase_add_loop_test(
	    tc, an_alert_comes_behind_what_was_gathered, 0, VERSIONS);
	tcase_add_test(tc, lack_of_memory_takes_nothing);
	tcase_add_loop_test(tc,
	    an_unfinished_write_that_cannot_be_kept_is_the_end, 0, VERSIONS);
	tcase_add_test(
	    tc, what_cannot_be_flushed_is_told_and_what_came_is_read);
	tcase_add_loop_test(
	    tc, nothing_is_written_behind_what_was_lost, 0, VERSIONS);
	tcase_add_test(tc, a_full_buffer_that_cannot_be_written_is_an_error);
	tcase_add_test(tc, a_child_says_nothing_of_it);
}

static void
make_pattern(void)
{
	size_t i;
	uint32_t word;

	for (i = 0; i < sizeof(pattern); i += sizeof(word)) {
		word = next_random();
		memcpy(pattern + i, &word, sizeof(word));
	}
}

int
main(void)
{
	Suite *suite = suite_create("transport");
	TCase *tc = tcase_create("transport");

	make_pattern();
	tcase_add_checked_fixture(tc, ends_setup, teardown);
	add_gathering(tc);
	tcase_add_test(tc, nothing_waits_on_a_descriptor_that_would);
	tcase_add_test(tc, a_reply_is_waited_for_and_taken_in_one_call);
	tcase_add_test(tc, a_wait_ends_with_its_time);
	tcase_add_test(tc, a_wait_ends_with_a_signal);
	tcase_add_loop_test(tc, what_a_wait_came_to_is_read, 0, 2);
	tcase_add_test(tc, a_wait_is_refused_where_it_makes_no_sense);
	tcase_add_test(tc, more_than_was_taken_is_not_drained);
	tcase_add_test(tc, an_idle_session_holds_little);
	tcase_add_test(tc, without_memory_to_read_nothing_is_read);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
