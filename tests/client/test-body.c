/* SPDX-License-Identifier: MIT */
/* The content on the wire, and what its sources may do. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/talk.h"
#include "message.h"

#define OFFER                                                                  \
	SEND("250-mail.example.org\r\n250-8BITMIME\r\n250 SIZE 100000000\r\n")
#define MAIL PREFIX("MAIL FROM:<alice@example.org>"), SEND("250 ok\r\n")
#define RCPT LINE("RCPT TO:<bob@example.org>"), SEND("250 ok\r\n")
#define DATA LINE("DATA"), SEND("354 go\r\n")

static const struct step accepting[] = {
	OFFER,
	MAIL,
	RCPT,
	DATA,
	STEP(CONTENT),
	SEND("250 queued\r\n"),
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

/* --- line endings and dots --- */

static const struct content {
	const char *text;
	size_t len;
	const char *wire; /* up to the final dot */
	bool is_canonical;
} contents[] = {
#define CONTENT(t, w, c)                                                       \
	{                                                                      \
		t, sizeof(t) - 1, w, c                                         \
	}
	CONTENT("a\r\n", "a\r\n", true),
	CONTENT("a", "a\r\n", true),
	CONTENT("", "", true),
	CONTENT("\r\n", "\r\n", true),
	CONTENT("a\r\nb\r\n", "a\r\nb\r\n", true),
	CONTENT("a\nb\n", "a\r\nb\r\n", false),
	CONTENT("a\nb", "a\r\nb\r\n", false),
	CONTENT("a\rb\r", "a\r\nb\r\n", false),
	CONTENT("a\r\rb", "a\r\n\r\nb\r\n", false),
	CONTENT("a\n\nb", "a\r\n\r\nb\r\n", false),
	CONTENT("a\r\r\nb", "a\r\n\r\nb\r\n", false),
	CONTENT("a\n\rb", "a\r\n\r\nb\r\n", false),
	CONTENT("\n", "\r\n", false),
	CONTENT("\r", "\r\n", false),
	/* Dots */
	CONTENT(".", "..\r\n", true),
	CONTENT(".\r\n", "..\r\n", true),
	CONTENT("..\r\n", "...\r\n", true),
	CONTENT(".a\r\nb.\r\n.c", "..a\r\nb.\r\n..c\r\n", true),
	CONTENT("a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n", true),
	CONTENT("a.b\r\n", "a.b\r\n", true),
	/* What ends a message for one server and not for another. */
	CONTENT("a\n.\nb", "a\r\n..\r\nb\r\n", false),
	CONTENT("a\n.\r\nb", "a\r\n..\r\nb\r\n", false),
	CONTENT("a\r\n.\nb", "a\r\n..\r\nb\r\n", false),
	CONTENT("a\r.\rb", "a\r\n..\r\nb\r\n", false),
	CONTENT("a\r\n.\rb", "a\r\n..\r\nb\r\n", false),
	CONTENT("a\r.\r\nb", "a\r\n..\r\nb\r\n", false),
	CONTENT("a\r\r\n.\r\r\nb", "a\r\n\r\n..\r\n\r\nb\r\n", false),
	CONTENT("a\n.\nMAIL FROM:<eve@example.org>\nRCPT TO:<x>\nDATA\n.\n",
	    "a\r\n..\r\nMAIL FROM:<eve@example.org>\r\nRCPT TO:<x>\r\nDATA\r\n"
	    "..\r\n",
	    false),
};

static void
assert_content(const struct talk *talk, size_t n, const char *wire)
{
	const struct received *content = server_content(talk->server, n);

	ck_assert_uint_eq(content->len, strlen(wire));
	ck_assert_mem_eq(content->data, wire, content->len);
}

/* One message arrives, each of its lines ends in CRLF, its dots are stuffed. */
START_TEST(content_arrives_as_it_must)
{
	const struct content *row = &contents[ROW(_i)];
	struct talk talk;

	talk_begin(&talk, MODE(_i), accepting);
	talk_set_content(&talk, row->text, row->len);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	talk_hang_up(&talk);
	assert_content(&talk, 0, row->wire);
	talk_end(&talk);
}
END_TEST

/* Give one octet at a time: what is split must not matter. */
struct slow_source {
	const char *text;
	size_t len;
	size_t at;
	bool stalls; /* AGAIN before each octet */
	bool stalled;
	size_t fails_at; /* SIZE_MAX: never */
	int rewinds;
};

static int
read_slow(void *buf, size_t cap, size_t *out_len, void *arg)
{
	struct slow_source *source = arg;

	ck_assert_uint_gt(cap, 0);
	if (source->at == source->fails_at)
		return SMTPTLS_E_SOURCE;
	if (source->stalls && !source->stalled) {
		source->stalled = true;
		return SMTPTLS_AGAIN;
	}
	source->stalled = false;
	*out_len = 0;
	if (source->at == source->len)
		return SMTPTLS_OK;
	*(char *)buf = source->text[source->at++];
	*out_len = 1;
	return SMTPTLS_OK;
}

static int
rewind_slow(void *arg)
{
	struct slow_source *source = arg;

	source->at = 0;
	source->rewinds++;
	return SMTPTLS_OK;
}

static void
set_source(struct talk *talk, struct slow_source *source)
{
	ck_assert_ok(smtptls_message_new(&talk->message));
	ck_assert_ok(smtptls_message_set_sender(talk->message, TALK_SENDER));
	ck_assert_ok(
	    smtptls_message_add_recipient(talk->message, TALK_RECIPIENT));
	ck_assert_ok(smtptls_message_set_body_cb(
	    talk->message, read_slow, rewind_slow, source));
}

START_TEST(content_in_pieces_arrives_as_it_must)
{
	const struct content *row = &contents[PAIR_ROW(_i)];
	struct slow_source source = {
		.text = row->text, .len = row->len, .fails_at = SIZE_MAX
	};
	struct talk talk;

	talk_begin(&talk, PAIR_MODE(_i), accepting);
	set_source(&talk, &source);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	talk_hang_up(&talk);
	assert_content(&talk, 0, row->wire);
	talk_end(&talk);
}
END_TEST

static const struct step cut_off[] = {
	OFFER,
	MAIL,
	RCPT,
	DATA,
	STEP(SWALLOW),
	END,
};

/* Refused in mid content: whatever left, the final dot did not. */
static void
assert_cut_off(struct talk *talk, int code, const char *sentence)
{
	talk_assert_failed(talk, talk_send(talk), code, sentence);
	ck_assert_int_eq(smtptls_message_outcome(talk->message, 0),
	    SMTPTLS_OUTCOME_NOT_TRIED);
	talk_hang_up(talk);
	ck_assert(!received_has(server_inside(talk->server), "\r\n.\r\n"));
	ck_assert(!received_has(server_inside(talk->server), "QUIT"));
	talk_end(talk);
}

START_TEST(content_that_is_not_canonical_is_rejected_if_wanted)
{
	const struct content *row = &contents[PAIR_ROW(_i)];
	struct slow_source source = {
		.text = row->text, .len = row->len, .fails_at = SIZE_MAX
	};
	struct talk talk;

	talk_begin(
	    &talk, PAIR_MODE(_i), row->is_canonical ? accepting : cut_off);
	set_source(&talk, &source);
	ck_assert_ok(smtptls_message_set_line_endings(
	    talk.message, SMTPTLS_LINE_ENDINGS_REJECT));
	if (!row->is_canonical) {
		assert_cut_off(&talk, SMTPTLS_E_SOURCE, NULL);
		return;
	}
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	talk_hang_up(&talk);
	assert_content(&talk, 0, row->wire);
	talk_end(&talk);
}
END_TEST

static const char content_with_nul[] = "Subject: test\r\n\r\na\0b\r\n";

START_TEST(nul_is_refused)
{
	struct slow_source source = { .text = content_with_nul,
		.len = sizeof(content_with_nul) - 1,
		.fails_at = SIZE_MAX };
	struct talk talk;

	talk_begin(&talk, _i, cut_off);
	set_source(&talk, &source);
	assert_cut_off(&talk, SMTPTLS_E_SOURCE, "NUL at octet 19");
}
END_TEST

static const struct {
	const char *text;
	size_t len;
	const char *sentence;
} unfit[] = {
	{ content_with_nul, sizeof(content_with_nul) - 1,
	    "the content has a NUL at octet 19" },
	{ "a\r\nb\n", 5,
	    "the content has a line ending that is not CRLF at octet 5" },
};

/* What is known before is refused before, and the connection is as it was. */
START_TEST(content_in_memory_that_cannot_be_sent_is_not_begun)
{
	struct talk talk;

	talk_begin(&talk, MODE(_i), accepting);
	ck_assert_ok(talk_connect(&talk));
	talk_set_content(&talk, unfit[ROW(_i)].text, unfit[ROW(_i)].len);
	ck_assert_ok(smtptls_message_set_line_endings(
	    talk.message, SMTPTLS_LINE_ENDINGS_REJECT));
	ck_assert_int_eq(talk_send(&talk), SMTPTLS_E_SOURCE);
	ck_assert_str_eq(
	    smtptls_message_error(talk.message), unfit[ROW(_i)].sentence);
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0),
	    SMTPTLS_OUTCOME_NOT_TRIED);

	ck_assert_ok(smtptls_message_set_body_mem(
	    talk.message, TALK_CONTENT, sizeof(TALK_CONTENT) - 1));
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	talk_hang_up(&talk);
	assert_content(&talk, 0, TALK_CONTENT);
	talk_end(&talk);
}
END_TEST

/* --- large --- */

START_TEST(large_content_arrives_unchanged)
{
	static char text[3000000], wire[3100000];
	size_t len = 0, wire_len = 0;
	struct talk talk;
	unsigned int i;

	/* Lines of all lengths up to 998, some of them with a dot in front. */
	for (i = 0; len + 1000 < sizeof(text); i++) {
		if (i % 7 == 0) {
			text[len++] = '.';
			wire[wire_len++] = '.';
			wire[wire_len++] = '.';
		}
		memset(text + len, 'a' + (int)(i % 26), i % 997);
		memset(wire + wire_len, 'a' + (int)(i % 26), i % 997);
		len += i % 997;
		wire_len += i % 997;
		text[len++] = '\n';
		wire[wire_len++] = '\r';
		wire[wire_len++] = '\n';
	}
	talk_begin(&talk, _i, accepting);
	talk_set_content(&talk, text, len);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	talk_hang_up(&talk);
	ck_assert_uint_eq(server_content(talk.server, 0)->len, wire_len);
	ck_assert_int_eq(
	    memcmp(server_content(talk.server, 0)->data, wire, wire_len), 0);
	talk_end(&talk);
}
END_TEST

/* --- descriptors --- */

START_TEST(file_is_read_from_its_offset)
{
	static const char text[] = "skip this" TALK_CONTENT;
	struct talk talk;
	const char *path;
	int fd;

	path = factory_file(world.factory, "body", text);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(lseek(fd, 9, SEEK_SET), 9);
	talk_begin(&talk, _i, accepting);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_message_set_body_fd(talk.message, fd));
	ck_assert_ok(talk_send(&talk));
	ck_assert_ok(talk_quit(&talk));
	talk_hang_up(&talk);
	assert_content(&talk, 0, TALK_CONTENT);
	talk_end(&talk);
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

static int pipe_fds[2];

/* In the server's thread: the content comes when DATA was said. */
static void
fill_pipe(void *arg)
{
	const char *text = arg;

	if (write(pipe_fds[1], text, strlen(text)) < 0)
		abort();
	close(pipe_fds[1]);
}

static char pipe_content[] = TALK_CONTENT;

static const struct step waits_for_pipe[] = {
	OFFER,
	/* Neither its length nor whether it is 8-bit is known. */
	LINE("MAIL FROM:<alice@example.org> BODY=8BITMIME"),
	SEND("250 ok\r\n"),
	RCPT,
	LINE("DATA"),
	SEND("354 go\r\n"),
	CALL(fill_pipe, pipe_content),
	STEP(CONTENT),
	SEND("250 queued\r\n"),
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

START_TEST(pipe_that_is_slow_is_waited_for)
{
	struct talk talk;

	talk_begin(&talk, _i, waits_for_pipe);
	ck_assert_ok(pipe(pipe_fds));
	/* Blocking or not, the loop does not block in it. */
	ck_assert_int_ge(fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK), 0);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_message_set_body_fd(talk.message, pipe_fds[0]));
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	talk_hang_up(&talk);
	assert_content(&talk, 0, TALK_CONTENT);
	ck_assert_int_eq(close(pipe_fds[0]), 0);
	talk_end(&talk);
}
END_TEST

START_TEST(descriptor_that_cannot_be_read_is_an_error)
{
	struct talk talk;
	int fd;

	fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	talk_begin(&talk, _i, cut_off);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_message_set_body_fd(talk.message, fd));
	assert_cut_off(&talk, SMTPTLS_E_SOURCE, strerror(EBADF));
	close(fd);
}
END_TEST

/* --- callbacks --- */

START_TEST(source_that_says_again_is_asked_again)
{
	struct slow_source source = {
		.text = "ab\n.c", .len = 5, .stalls = true, .fails_at = SIZE_MAX
	};
	struct talk talk;

	talk_begin(&talk, _i, accepting);
	set_source(&talk, &source);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	talk_hang_up(&talk);
	assert_content(&talk, 0, "ab\r\n..c\r\n");
	talk_end(&talk);
}
END_TEST

static const size_t failing_at[] = { 0, 1, 10, sizeof(TALK_CONTENT) - 1 };

START_TEST(source_that_fails_sends_no_final_dot)
{
	struct slow_source source = { .text = TALK_CONTENT,
		.len = sizeof(TALK_CONTENT) - 1,
		.fails_at = failing_at[ROW(_i)] };
	struct talk talk;

	talk_begin(&talk, MODE(_i), cut_off);
	set_source(&talk, &source);
	assert_cut_off(&talk, SMTPTLS_E_SOURCE, "source");
}
END_TEST

static int
read_too_much(void *buf, size_t cap, size_t *out_len, void *arg)
{
	(void)buf;
	(void)arg;
	*out_len = cap + 1;
	return SMTPTLS_OK;
}

START_TEST(source_that_gives_too_much_is_an_error)
{
	struct talk talk;

	talk_begin(&talk, _i, cut_off);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_message_set_body_cb(
	    talk.message, read_too_much, NULL, NULL));
	assert_cut_off(&talk, SMTPTLS_E_SOURCE, NULL);
}
END_TEST

static const struct step twice[] = {
	OFFER,
	MAIL,
	RCPT,
	DATA,
	STEP(CONTENT),
	SEND("451 later\r\n"),
	MAIL,
	RCPT,
	DATA,
	STEP(CONTENT),
	SEND("250 queued\r\n"),
	END,
};

START_TEST(second_attempt_rewinds)
{
	struct slow_source source = { .text = TALK_CONTENT,
		.len = sizeof(TALK_CONTENT) - 1,
		.fails_at = SIZE_MAX };
	struct talk talk;

	talk_begin(&talk, _i, twice);
	set_source(&talk, &source);
	ck_assert_int_eq(talk_send(&talk), SMTPTLS_E_REFUSED_LATER);
	ck_assert_ok(talk_send(&talk));
	ck_assert_int_eq(source.rewinds, 1);
	talk_hang_up(&talk);
	assert_content(&talk, 0, TALK_CONTENT);
	assert_content(&talk, 1, TALK_CONTENT);
	talk_end(&talk);
}
END_TEST

static const struct step once[] = {
	OFFER,
	MAIL,
	RCPT,
	DATA,
	STEP(CONTENT),
	SEND("451 later\r\n"),
	END,
};

START_TEST(without_rewind_there_is_no_second_attempt)
{
	struct slow_source source = { .text = TALK_CONTENT,
		.len = sizeof(TALK_CONTENT) - 1,
		.fails_at = SIZE_MAX };
	struct talk talk;

	talk_begin(&talk, _i, once);
	set_source(&talk, &source);
	ck_assert_ok(smtptls_message_set_body_cb(
	    talk.message, read_slow, NULL, &source));
	ck_assert_int_eq(talk_send(&talk), SMTPTLS_E_REFUSED_LATER);
	ck_assert_int_eq(talk_send(&talk), SMTPTLS_E_SOURCE);
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0),
	    SMTPTLS_OUTCOME_REFUSED_LATER);
	talk_finish(&talk);
}
END_TEST

/* --- the hook before the end --- */

struct hook {
	int calls;
	int agains;
	int result;
	struct smtptls_message *seen;
};

static int
before_end(struct smtptls_message *message, void *arg)
{
	struct hook *hook = arg;

	hook->calls++;
	hook->seen = message;
	/* Not decided yet: nothing was handed over. */
	ck_assert_int_eq(smtptls_message_status(message), SMTPTLS_AGAIN);
	if (hook->agains > 0) {
		hook->agains--;
		return SMTPTLS_AGAIN;
	}
	return hook->result;
}

START_TEST(hook_lets_the_end_go)
{
	struct hook hook = { .agains = ROW(_i) * 2 };
	struct talk talk;

	talk_begin(&talk, MODE(_i), accepting);
	talk_set_message(&talk);
	ck_assert_ok(
	    smtptls_message_set_before_end(talk.message, before_end, &hook));
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_int_eq(hook.calls, 1 + ROW(_i) * 2);
	ck_assert_ptr_eq(hook.seen, talk.message);
	ck_assert_ok(talk_quit(&talk));
	talk_hang_up(&talk);
	assert_content(&talk, 0, TALK_CONTENT);
	talk_end(&talk);
}
END_TEST

START_TEST(hook_that_gives_up_holds_the_end_back)
{
	struct hook hook = { .agains = ROW(_i), .result = SMTPTLS_E_SOURCE };
	struct talk talk;

	talk_begin(&talk, MODE(_i), cut_off);
	talk_set_message(&talk);
	ck_assert_ok(
	    smtptls_message_set_before_end(talk.message, before_end, &hook));
	assert_cut_off(&talk, SMTPTLS_E_SOURCE, NULL);
	ck_assert_int_eq(hook.calls, 1 + ROW(_i));
}
END_TEST

static struct {
	uint64_t sent[8];
	size_t calls;
} progress;

static void
note_progress(uint64_t sent, void *arg)
{
	ck_assert_ptr_eq(arg, &progress);
	ck_assert_uint_lt(progress.calls, 8);
	progress.sent[progress.calls++] = sent;
}

START_TEST(progress_goes_from_nothing_to_all)
{
	struct talk talk;

	memset(&progress, 0, sizeof(progress));
	talk_begin(&talk, _i, accepting);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_message_set_progress(
	    talk.message, note_progress, &progress));
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_uint_eq(progress.calls, 2);
	ck_assert_uint_eq(progress.sent[0], 0);
	ck_assert_uint_eq(progress.sent[1], strlen(TALK_CONTENT));
	ck_assert_int_eq(
	    smtptls_message_set_progress(NULL, note_progress, &progress),
	    SMTPTLS_E_INVALID);
	ck_assert_ok(talk_quit(&talk));
	talk_finish(&talk);
}
END_TEST

/* Everything but the end has left when the hook is asked. */
static struct {
	struct talk *talk;
	int again;
} watched;

static int
wait_for_content(struct smtptls_message *message, void *arg)
{
	(void)message;
	(void)arg;
	return __atomic_load_n(&watched.again, __ATOMIC_SEQ_CST) ? SMTPTLS_AGAIN
								 : SMTPTLS_OK;
}

static void
content_is_there(void *arg)
{
	(void)arg;
	__atomic_store_n(&watched.again, 0, __ATOMIC_SEQ_CST);
}

static const struct step sees_content_first[] = {
	OFFER,
	MAIL,
	RCPT,
	DATA,
	OCTETS(sizeof(TALK_CONTENT) - 1),
	CALL(content_is_there, NULL),
	LINE("."),
	SEND("250 queued\r\n"),
	END,
};

START_TEST(hook_is_asked_when_the_content_has_left)
{
	struct talk talk;

	watched.again = 1;
	talk_begin(&talk, _i, sees_content_first);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_message_set_before_end(
	    talk.message, wait_for_content, NULL));
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	talk_finish(&talk);
}
END_TEST

/* A success that is there before the end was sent is none. */
static const struct step answers_before_the_end[] = {
	OFFER,
	MAIL,
	RCPT,
	DATA,
	OCTETS(sizeof(TALK_CONTENT) - 1),
	SEND("250 queued\r\n"),
	CALL(content_is_there, NULL),
	STEP(SWALLOW),
	END,
};

START_TEST(success_before_the_end_is_an_error)
{
	struct talk talk;

	watched.again = 1;
	talk_begin(&talk, _i, answers_before_the_end);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_message_set_before_end(
	    talk.message, wait_for_content, NULL));
	assert_cut_off(&talk, SMTPTLS_E_PROTOCOL, NULL);
}
END_TEST

/* --- what the server offers --- */

static const char eight_bit[] = "Subject: test\r\n\r\ncaf\xc3\xa9\r\n";

static const struct offered {
	const struct step script[16];
	const char *text;
	bool smtputf8;
	const char *recipient; /* another one */
	int status;
} offered[] = {
	{ { SEND("250 x\r\n"), LINE("MAIL FROM:<alice@example.org>"),
	      SEND("250 ok\r\n"), RCPT, DATA, STEP(CONTENT),
	      SEND("250 ok\r\n") },
	    "a\r\n", false, NULL, SMTPTLS_OK },
	{ { SEND("250-x\r\n250 SIZE\r\n"),
	      LINE("MAIL FROM:<alice@example.org> SIZE=3"), SEND("250 ok\r\n"),
	      RCPT, DATA, STEP(CONTENT), SEND("250 ok\r\n") },
	    "a\r\n", false, NULL, SMTPTLS_OK },
	/* With CRLF, without the doubled dot. */
	{ { SEND("250-x\r\n250 SIZE 0\r\n"),
	      LINE("MAIL FROM:<alice@example.org> SIZE=7"), SEND("250 ok\r\n"),
	      RCPT, DATA, STEP(CONTENT), SEND("250 ok\r\n") },
	    ".a\nb", false, NULL, SMTPTLS_OK },
	{ { SEND("250-x\r\n250 SIZE 3\r\n"),
	      LINE("MAIL FROM:<alice@example.org> SIZE=3"), SEND("250 ok\r\n"),
	      RCPT, DATA, STEP(CONTENT), SEND("250 ok\r\n") },
	    "a\r\n", false, NULL, SMTPTLS_OK },
	{ { SEND("250-x\r\n250 SIZE 2\r\n") }, "a\r\n", false, NULL,
	    SMTPTLS_E_UNSUPPORTED },
	{ { SEND("250-x\r\n250 8BITMIME\r\n"),
	      LINE("MAIL FROM:<alice@example.org>"), SEND("250 ok\r\n"), RCPT,
	      DATA, STEP(CONTENT), SEND("250 ok\r\n") },
	    "a\r\n", false, NULL, SMTPTLS_OK },
	{ { SEND("250-x\r\n250 8BITMIME\r\n"),
	      LINE("MAIL FROM:<alice@example.org> BODY=8BITMIME"),
	      SEND("250 ok\r\n"), RCPT, DATA, STEP(CONTENT),
	      SEND("250 ok\r\n") },
	    eight_bit, false, NULL, SMTPTLS_OK },
	{ { SEND("250 x\r\n") }, eight_bit, false, NULL,
	    SMTPTLS_E_UNSUPPORTED },
	{ { SEND("250-x\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"),
	      LINE("MAIL FROM:<alice@example.org> BODY=8BITMIME SMTPUTF8"),
	      SEND("250 ok\r\n"), RCPT, DATA, STEP(CONTENT),
	      SEND("250 ok\r\n") },
	    eight_bit, true, NULL, SMTPTLS_OK },
	{ { SEND("250-x\r\n250 8BITMIME\r\n") }, eight_bit, true, NULL,
	    SMTPTLS_E_UNSUPPORTED },
	/* A domain becomes A-labels and needs nothing. */
	{ { SEND("250 x\r\n"), LINE("MAIL FROM:<alice@example.org>"),
	      SEND("250 ok\r\n"), RCPT,
	      LINE("RCPT TO:<carol@xn--bcher-kva.example>"), SEND("250 ok\r\n"),
	      DATA, STEP(CONTENT), SEND("250 ok\r\n") },
	    "a\r\n", false,
	    "carol@b\xc3\xbc"
	    "cher.example",
	    SMTPTLS_OK },
	/* A local part does, and without it fails alone. */
	{ { SEND("250 x\r\n"), LINE("MAIL FROM:<alice@example.org>"),
	      SEND("250 ok\r\n"), RCPT, DATA, STEP(CONTENT),
	      SEND("250 ok\r\n") },
	    "a\r\n", false, "j\xc3\xb6rg@example.org", SMTPTLS_E_PARTIAL },
	{ { SEND("250-x\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"),
	      LINE("MAIL FROM:<alice@example.org> SMTPUTF8"),
	      SEND("250 ok\r\n"), RCPT,
	      LINE("RCPT TO:<j\xc3\xb6rg@example.org>"), SEND("250 ok\r\n"),
	      DATA, STEP(CONTENT), SEND("250 ok\r\n") },
	    "a\r\n", false, "j\xc3\xb6rg@example.org", SMTPTLS_OK },
};

START_TEST(what_is_not_offered_is_not_used)
{
	const struct offered *row = &offered[ROW(_i)];
	struct talk talk;

	talk_begin(&talk, MODE(_i), row->script);
	talk_set_content(&talk, row->text, strlen(row->text));
	ck_assert_ok(smtptls_message_set_smtputf8(talk.message, row->smtputf8));
	if (row->recipient != NULL)
		ck_assert_ok(smtptls_message_add_recipient(
		    talk.message, row->recipient));
	talk_assert_failed(&talk, talk_send(&talk), row->status, NULL);
	if (row->status == SMTPTLS_E_UNSUPPORTED)
		ck_assert_int_eq(smtptls_message_outcome(talk.message, 0),
		    SMTPTLS_OUTCOME_NOT_TRIED);
	talk_finish(&talk);
}
END_TEST

static const struct step told_size[] = {
	SEND("250-x\r\n250-8BITMIME\r\n250 SIZE 1000\r\n"),
	LINE("MAIL FROM:<alice@example.org> SIZE=900 BODY=8BITMIME"),
	SEND("250 ok\r\n"),
	RCPT,
	DATA,
	STEP(CONTENT),
	SEND("250 ok\r\n"),
	END,
};

START_TEST(size_that_was_set_is_told)
{
	struct slow_source source = {
		.text = "a\r\n", .len = 3, .fails_at = SIZE_MAX
	};
	struct talk talk;

	talk_begin(&talk, _i, told_size);
	set_source(&talk, &source);
	ck_assert_ok(smtptls_message_set_size(talk.message, 900));
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	talk_finish(&talk);
}
END_TEST

static const struct step too_small[] = {
	SEND("250-x\r\n250 SIZE 1000\r\n"),
	END,
};

START_TEST(size_that_was_set_is_held_against_the_offer)
{
	struct slow_source source = {
		.text = "a\r\n", .len = 3, .fails_at = SIZE_MAX
	};
	struct talk talk;

	talk_begin(&talk, _i, too_small);
	set_source(&talk, &source);
	ck_assert_ok(smtptls_message_set_size(talk.message, 1001));
	talk_assert_failed(
	    &talk, talk_send(&talk), SMTPTLS_E_UNSUPPORTED, "1001");
	talk_finish(&talk);
}
END_TEST

/* Found out in mid content: no final dot, and what it was. */
static const struct step seven_bit_only[] = {
	SEND("250 x\r\n"),
	MAIL,
	RCPT,
	DATA,
	STEP(SWALLOW),
	END,
};

START_TEST(eight_bit_that_turns_up_late_is_an_error)
{
	struct slow_source source = { .text = eight_bit,
		.len = sizeof(eight_bit) - 1,
		.fails_at = SIZE_MAX };
	struct talk talk;

	talk_begin(&talk, _i, seven_bit_only);
	set_source(&talk, &source);
	assert_cut_off(&talk, SMTPTLS_E_UNSUPPORTED, "8BITMIME");
}
END_TEST

/* --- addresses --- */

static const char *const bad_addresses[] = {
	"",
	"bob",
	"@example.org",
	"bob@",
	"bob@example.org\r\nRCPT TO:<eve@example.org>",
	"bob\n@example.org",
	"bob\r@example.org",
	"\"bob\r\n\"@example.org",
	"bob@example.org\n",
	"bob@example.org>\r\nDATA",
	"bob@exa mple.org",
	"bob@example.org> SIZE=1",
	"<bob@example.org> NOTIFY=NEVER",
	"<bob@example.org",
	"bob@example.org\xe2\x80\xa8",
	"bob@example.org\xc2\x85",
	"b\xffob@example.org",
	"bob@example.org,eve@example.org",
};

START_TEST(address_that_is_none_is_refused)
{
	struct smtptls_message *message = NULL;

	ck_assert_ok(smtptls_message_new(&message));
	ck_assert_int_eq(
	    smtptls_message_add_recipient(message, bad_addresses[_i]),
	    SMTPTLS_E_INVALID);
	ck_assert_uint_eq(smtptls_message_recipients(message), 0);
	ck_assert_str_ne(smtptls_message_error(message), "");
	/* The empty one is the null reverse-path. */
	if (bad_addresses[_i][0] != '\0')
		ck_assert_int_eq(
		    smtptls_message_set_sender(message, bad_addresses[_i]),
		    SMTPTLS_E_INVALID);
	smtptls_message_free(message);
}
END_TEST

/* Who does not look at the answer must not send to or from somebody else. */
START_TEST(address_that_was_refused_spoils_the_message)
{
	struct smtptls_message *message = NULL;
	int r;

	ck_assert_ok(smtptls_message_new(&message));
	ck_assert_ok(smtptls_message_set_sender(message, TALK_SENDER));
	ck_assert_ok(smtptls_message_add_recipient(message, TALK_RECIPIENT));
	ck_assert_ok(smtptls_message_set_body_mem(message, "", 0));
	if (_i == 0)
		r = smtptls_message_set_sender(message, "<alice>");
	else
		r = smtptls_message_add_recipient(message, "<alice>");
	ck_assert_int_eq(r, SMTPTLS_E_INVALID);
	ck_assert_int_eq(smtptls_message_set_sender(message, TALK_SENDER),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(stls_message_prepare(message), SMTPTLS_E_INVALID);
	ck_assert_str_eq(
	    smtptls_message_error(message), "address \"alice\" has no domain");
	smtptls_message_free(message);
}
END_TEST

static const char *const bad_names[] = {
	"",
	"host\r\nMAIL FROM:<eve@example.org>",
	"host\n",
	"ho st.example.org",
	"192.0.2.1",
	"[192.0.2.1",
	"[192.0.2.256]",
	"[IPv6:192.0.2.1]",
	"[2001:db8::1]",
	"-host.example.org",
};

START_TEST(name_to_greet_with_that_is_none_is_refused)
{
	struct smtptls_client *client = NULL;

	ck_assert_ok(
	    smtptls_client_new("smtps://" TALK_HOST, world.context, &client));
	ck_assert_int_eq(smtptls_client_set_ehlo_name(client, bad_names[_i]),
	    SMTPTLS_E_INVALID);
	smtptls_client_free(client);
}
END_TEST

static const struct greeted {
	const char *name;
	const struct step script[5];
} greeted[] = {
	{ "client.example.org",
	    { STEP(TLS), SEND("220 x\r\n"), LINE("EHLO client.example.org"),
		SEND("250 x\r\n") } },
	{ "[192.0.2.1]",
	    { STEP(TLS), SEND("220 x\r\n"), LINE("EHLO [192.0.2.1]"),
		SEND("250 x\r\n") } },
	{ "[IPv6:2001:db8::1]",
	    { STEP(TLS), SEND("220 x\r\n"), LINE("EHLO [IPv6:2001:db8::1]"),
		SEND("250 x\r\n") } },
};

START_TEST(name_to_greet_with_is_used)
{
	struct talk talk;

	talk_begin_raw(&talk, IMPLICIT_BLOCKING, greeted[_i].script);
	ck_assert_ok(
	    smtptls_client_set_ehlo_name(talk.client, greeted[_i].name));
	ck_assert_ok(talk_connect(&talk));
	talk_finish(&talk);
}
END_TEST

static const struct step null_sender[] = {
	OFFER,
	PREFIX("MAIL FROM:<> "),
	SEND("250 ok\r\n"),
	RCPT,
	DATA,
	STEP(CONTENT),
	SEND("250 queued\r\n"),
	END,
};

START_TEST(null_sender_is_two_brackets)
{
	struct talk talk;

	talk_begin(&talk, MODE(_i), null_sender);
	talk_set_message(&talk);
	ck_assert_ok(
	    smtptls_message_set_sender(talk.message, ROW(_i) == 0 ? "" : "<>"));
	/* Twice is once. */
	ck_assert_ok(smtptls_message_add_recipient(
	    talk.message, "<" TALK_RECIPIENT ">"));
	ck_assert_ok(talk_send(&talk));
	talk_finish(&talk);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("body");
	TCase *tc = talk_case(suite, "body");

	add_rows_in_modes(tc, content_arrives_as_it_must, contents);
	add_rows_in_pairs(tc, content_in_pieces_arrives_as_it_must, contents);
	add_rows_in_pairs(
	    tc, content_that_is_not_canonical_is_rejected_if_wanted, contents);
	add_in_modes(tc, nul_is_refused);
	add_rows_in_modes(
	    tc, content_in_memory_that_cannot_be_sent_is_not_begun, unfit);
	add_in_modes(tc, large_content_arrives_unchanged);
	add_in_modes(tc, file_is_read_from_its_offset);
	add_in_modes(tc, pipe_that_is_slow_is_waited_for);
	add_in_modes(tc, descriptor_that_cannot_be_read_is_an_error);
	add_in_modes(tc, source_that_says_again_is_asked_again);
	add_rows_in_modes(tc, source_that_fails_sends_no_final_dot, failing_at);
	add_in_modes(tc, source_that_gives_too_much_is_an_error);
	add_in_modes(tc, second_attempt_rewinds);
	add_in_modes(tc, without_rewind_there_is_no_second_attempt);
	talk_add(tc, hook_lets_the_end_go, 2, MODES);
	talk_add(tc, hook_that_gives_up_holds_the_end_back, 2, MODES);
	add_in_modes(tc, progress_goes_from_nothing_to_all);
	add_in_modes(tc, hook_is_asked_when_the_content_has_left);
	add_in_modes(tc, success_before_the_end_is_an_error);
	add_rows_in_modes(tc, what_is_not_offered_is_not_used, offered);
	add_in_modes(tc, size_that_was_set_is_told);
	add_in_modes(tc, size_that_was_set_is_held_against_the_offer);
	add_in_modes(tc, eight_bit_that_turns_up_late_is_an_error);
	tcase_add_loop_test(
	    tc, address_that_is_none_is_refused, 0, COUNT(bad_addresses));
	tcase_add_loop_test(
	    tc, address_that_was_refused_spoils_the_message, 0, 2);
	tcase_add_loop_test(tc, name_to_greet_with_that_is_none_is_refused, 0,
	    COUNT(bad_names));
	tcase_add_loop_test(tc, name_to_greet_with_is_used, 0, COUNT(greeted));
	talk_add(tc, null_sender_is_two_brackets, 2, MODES);
	return talk_run(suite);
}
