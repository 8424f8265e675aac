#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
sendmail-tls -bs: the conversations of the programs that speak SMTP with their
sendmail, and those of programs that do it badly.
"""

import signal
import subprocess
import unittest

import sendmail
from sendmail import (CONFIG, DATAERR, MAIL, NOINPUT, PATIENCE, PROGRAM,
                      SOFTWARE, TEMPFAIL, USAGE, Server, run)

A, B, S = "a@example.test", "b@example.test", "s@example.test"
CRLF = MAIL.replace(b"\n", b"\r\n")
START = b"EHLO localhost\r\n"
ENVELOPE = b"MAIL FROM:<s@example.test>\r\nRCPT TO:<a@example.test>\r\n"
DATA = START + ENVELOPE + b"DATA\r\n"


class Conversation:
    """A client that waits for each reply, as it should."""

    def __init__(self, *args, ignored=(), **more):
        def prepare():
            for number in ignored:
                signal.signal(number, signal.SIG_IGN)

        self.process = subprocess.Popen(
            [PROGRAM, *map(str, args)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=prepare, restore_signals=False, **more)
        self.greeting = self.reply()

    def reply(self):
        """All lines of a reply."""
        lines = []
        while not lines or lines[-1][3:4] == b"-":
            line = self.process.stdout.readline()
            if not line:
                return b""
            assert line.endswith(b"\r\n"), line
            lines.append(line)
        return b"".join(lines)

    def say(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()
        return self.reply()

    def send(self, content, sender=S, recipients=(A,)):
        """A transaction, and the replies to it."""
        return [self.say(f"MAIL FROM:<{sender}>\r\n".encode()),
                *(self.say(f"RCPT TO:<{r}>\r\n".encode()) for r in recipients),
                self.say(b"DATA\r\n"), self.say(content + b".\r\n")]

    def end(self, status=0):
        out, err = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == status, (self.process.returncode,
                                                   status, err)
        return out, err.decode()


class Smtp(sendmail.TestCase):
    def args(self, *args, url=None):
        return ["-bs", "--url", url or self.sink.smtps, "--cafile", self.ca,
                "--domain", "example.test", *args]

    def converse(self, *args, url=None, **more):
        return Conversation(*self.args(*args, url=url), **more)

    def pipe(self, said, *args, url=None, **more):
        """All at once, without waiting."""
        return run(*self.args(*args, url=url), stdin=said, **more)

    def assert_codes(self, out, *codes):
        last = [line for line in out.decode().split("\r\n")[:-1]
                if line[3] == " "]
        self.assertEqual([int(line[:3]) for line in last], list(codes), out)


class Programs(Smtp):
    def finish(self, client):
        self.assertTrue(client.say(b"QUIT\r\n").startswith(b"221 "))
        self.assertEqual(client.end(), (b"", ""))
        return self.sink.take()

    def test_nmh(self):
        client = self.converse("-odb", "-oem", "-om")
        self.assertTrue(client.greeting.startswith(b"220 "))
        self.assertTrue(client.say(b"EHLO host.example.test\r\n")
                        .startswith(b"250"))
        replies = client.send(CRLF, recipients=(A, B))
        self.assertEqual([r[:3] for r in replies],
                         [b"250", b"250", b"250", b"354", b"250"])
        mail, = self.finish(client)
        self.assertEqual((mail.sender, mail.recipients), (S, [A, B]))
        self.assertEqual(mail.data, CRLF)

    def test_alpine(self):
        client = self.converse("-odb", "-oem",
                               ignored=(1, 2, 3, 13, 20, 25))
        client.say(b"EHLO host.example.test\r\n")
        self.assertTrue(client.say(b"VERB ON\r\n").startswith(b"500 "))
        for text in (CRLF, CRLF.replace(b"body", b"..two")):
            self.assertTrue(client.say(b"RSET\r\n").startswith(b"250 "))
            replies = client.send(text)
            self.assertTrue(replies[-1].startswith(b"250 2.0.0 accepted: 250"))
        mails = self.finish(client)
        self.assertEqual([m.body for m in mails], [b"body\r\n", b".two\r\n"])

    def test_symfony_mailer(self):
        client = self.converse(ignored=(13,))
        reply = client.say(b"EHLO [127.0.0.1]\r\n")
        for extension in (b"PIPELINING", b"8BITMIME", b"SMTPUTF8", b"SIZE",
                          b"ENHANCEDSTATUSCODES"):
            self.assertIn(extension + b"\r\n", reply)
        for extension in (b"STARTTLS", b"AUTH", b"DSN", b"CHUNKING"):
            self.assertNotIn(extension, reply)
        client.send(CRLF)
        client.say(b"NOOP\r\n")
        client.send(CRLF, recipients=(B,))
        mails = self.finish(client)
        self.assertEqual([m.recipients for m in mails], [[A], [B]])

    def test_a_script_that_does_not_wait(self):
        result = self.pipe(DATA + CRLF + b".\r\n" + ENVELOPE + b"DATA\r\n" +
                           CRLF + b".\r\nQUIT\r\n")
        self.assertEqual(result.status, 0, result)
        self.assert_codes(result.out, 220, 250, 250, 250, 354, 250, 250, 250,
                          354, 250, 221)
        self.assertEqual(len(self.sink.take()), 2)


class Messages(Smtp):
    def test_what_is_missing_is_added_and_bcc_goes(self):
        result = self.pipe(DATA + b"Bcc: b@example.test\r\nSubject: x\r\n"
                           b"\r\n-\r\n.\r\nQUIT\r\n")
        self.assertEqual(result.status, 0, result)
        mail, = self.sink.take()
        self.assertEqual(mail.recipients, [A])
        self.assertEqual(mail.field("From"), [S])
        self.assertEqual(mail.field("Bcc"), [])
        for name in ("Date", "Message-ID"):
            self.assertEqual(len(mail.field(name)), 1)
        self.assertEqual(mail.body, b"-\r\n")

    def test_addresses(self):
        result = self.pipe(
            START + b"MAIL FROM:<> BODY=8BITMIME SIZE=100\r\n"
            b"RCPT TO:<root>\r\nRCPT TO:<\"a b\"@example.test>\r\n"
            b"RCPT TO:<b@B\xc3\xbccher.example>\r\nDATA\r\n" + CRLF +
            b".\r\nQUIT\r\n")
        self.assertEqual(result.status, 0, result)
        mail, = self.sink.take()
        self.assertEqual(mail.sender, "")
        self.assertEqual(mail.recipients, [
            "root@example.test", '"a b"@example.test',
            "b@xn--bcher-kva.example"])

    def test_bare_names_in_the_header(self):
        result = self.pipe(DATA + b"From: root (Cron)\r\nTo: x,\r\n <y>\r\n"
                           b"\r\n.\r\nQUIT\r\n")
        self.assertEqual(result.status, 0, result)
        mail, = self.sink.take()
        self.assertEqual(mail.field("From"), ["root@example.test (Cron)"])
        self.assertEqual(mail.field("To"),
                         ["x@example.test, <y@example.test>"])

    def test_a_message_without_anything(self):
        result = self.pipe(DATA + b".\r\nQUIT\r\n")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(self.sink.take()[0].body, b"")

    def test_a_big_one(self):
        body = b"0123456789abcdef0123456789abcdef\r\n.0\r\n" * 100000
        result = self.pipe(DATA + CRLF + body.replace(b"\n.", b"\n..") +
                           b".\r\nQUIT\r\n")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(self.sink.take()[0].body, b"body\r\n" + body)

    def test_a_nul_is_named_and_the_next_message_goes(self):
        result = self.pipe(DATA + CRLF + b"a\0\r\n.\r\n" + ENVELOPE +
                           b"DATA\r\n" + CRLF + b".\r\nQUIT\r\n")
        self.assertEqual(result.status, 0, result)
        self.assert_codes(result.out, 220, 250, 250, 250, 354, 554, 250, 250,
                          354, 250, 221)
        self.assertIn(b"554 5.6.0 line 8 of the message has a NUL", result.out)
        self.assertIn("line 8 of the message has a NUL", result.err)
        self.assertEqual(len(self.sink.take()), 1)


class Answers(Smtp):
    def ask(self, **answers):
        with Server(self.folder, **answers) as server:
            result = self.pipe(DATA + CRLF + b".\r\nNOOP\r\nQUIT\r\n",
                               url=server.url)
        self.assertEqual(result.status, 0, result)
        self.assert_codes(result.out, 220, 250, 250, 250, 354,
                          int(result.out.split(b"\r\n")[-4][:3]), 250, 221)
        return result.out.decode().split("\r\n")[-4], result.err

    def test_what_the_server_says_is_passed_on(self):
        for answers, code, words in (
                ({"RCPT": "550 5.1.1 nobody\r\n"}, "554 5.1.1",
                 "550 5.1.1 nobody"),
                ({"MAIL": "451 4.7.1 later\r\n"}, "451 4.3.0", "4.7.1 later"),
                ({".": "552 5.3.4 large\r\n"}, "554 5.0.0", "5.3.4 large"),
                ({"GREETING": "554 no\r\n"}, "554 5.0.0", "554 no"),
                ({".": None}, "554 5.0.0", "in doubt: ")):
            with self.subTest(answers=answers):
                reply, err = self.ask(**answers)
                self.assertTrue(reply.startswith(code), reply)
                self.assertIn(words, reply)
                self.assertIn(words, err)

    def test_some_recipients_accepted_and_some_not(self):
        def answer(command):
            return "550 no\r\n" if "b@" in command else "250 ok\r\n"

        with Server(self.folder, RCPT=answer) as server:
            result = self.pipe(
                START + ENVELOPE + b"RCPT TO:<b@example.test>\r\nDATA\r\n" +
                CRLF + b".\r\nQUIT\r\n", url=server.url)
        self.assertEqual(result.status, 0, result)
        self.assertIn(b"<a@example.test>: accepted", result.out)
        self.assertIn(b"554 5.0.0 <b@example.test>: refused: 550 no",
                      result.out)
        self.assertIn("<b@example.test>: refused: 550 no", result.err)

    def test_a_server_that_is_not_there_is_for_later(self):
        result = self.pipe(DATA + CRLF + b".\r\nQUIT\r\n",
                           url="smtps://127.0.0.1:1")
        self.assertEqual(result.status, 0, result)
        self.assertIn(b"\r\n451 4.3.0 smtps://127.0.0.1:1: ", result.out)

    def test_what_is_spooled_is_accepted(self):
        spool = self.folder / "spool-smtp"
        result = self.pipe(DATA + CRLF + b".\r\nQUIT\r\n", "--spool", spool,
                           url="smtps://127.0.0.1:1")
        self.assertEqual(result.status, 0, result)
        self.assertIn(b"\r\n250 2.0.0 queued as ", result.out)
        self.assertEqual(len(list((spool / "queue").iterdir())), 1)

    def test_aliases(self):
        aliases = self.folder / "aliases"
        aliases.write_text("root: a@example.test, b@example.test\n")
        result = self.pipe(
            START + b"MAIL FROM:<bob>\r\nRCPT TO:<root>\r\nDATA\r\n" + CRLF +
            b".\r\nQUIT\r\n", "--aliases", aliases)
        self.assertEqual(result.status, 0, result)
        mail, = self.sink.take()
        self.assertEqual((mail.sender, mail.recipients),
                         ("bob@example.test", [A, B]))

    def test_the_trace_is_on_stderr(self):
        result = self.pipe(DATA + CRLF + b".\r\nQUIT\r\n", "-v")
        self.assertEqual(result.status, 0, result)
        self.assertIn("C: MAIL FROM:<s@example.test>", result.err)
        self.assertNotIn(b"C: ", result.out)


class Mistakes(Smtp):
    def test_an_end_in_the_middle_sends_nothing(self):
        whole = DATA + CRLF + b".\r\n"
        for end in (len(START) + 3, len(START + ENVELOPE), len(DATA),
                    len(whole) - 10, len(whole) - 3, len(whole) - 2,
                    len(whole) - 1):
            with self.subTest(end=end):
                result = self.pipe(whole[:end])
                self.assert_status(result, DATAERR,
                                   "ended in the middle of a message")
        self.assertEqual(self.sink.take(), [])

    def test_an_end_between_two_messages_is_one(self):
        for said in (b"", START, DATA + CRLF + b".\r\n"):
            result = self.pipe(said)
            self.assertEqual((result.status, result.err), (0, ""))

    def test_a_line_end_that_is_none_hides_nothing(self):
        evil = ENVELOPE + b"DATA\r\nevil\r\n.\r\nQUIT\r\n"
        for text in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r",
                     b"\r.\r\n", b"\r\r\n", b"\n"):
            with self.subTest(text=text):
                result = self.pipe(DATA + CRLF + text + evil)
                self.assert_status(result, DATAERR, "not allowed")
                self.assertTrue(result.out.split(b"\r\n")[-2]
                                .startswith(b"554 5.6.0 there is a "))
        self.assertEqual(self.sink.take(), [])

    def test_who_writes_on_sees_the_reply_and_no_broken_pipe(self):
        client = self.converse()
        client.say(START)
        client.say(ENVELOPE)
        client.reply()
        client.say(b"DATA\r\n")
        for _ in range(200):
            client.process.stdin.write(b"text\n" * 1000)
        client.process.stdin.flush()
        self.assertTrue(client.reply().startswith(b"554 5.6.0 "))
        self.assertEqual(client.reply(), b"")
        client.end(DATAERR)

    def test_lines_end_with_cr_lf(self):
        result = self.pipe(b"EHLO x\nMAIL FROM:<a@example.test>\nQUIT\r\n")
        self.assertEqual(result.status, 0, result)
        self.assert_codes(result.out, 220, 500, 500, 221)

    def test_content_behind_a_data_that_was_refused_is_not_obeyed(self):
        result = self.pipe(
            START + b"MAIL FROM:<a@example.test>\r\nRCPT TO:<@>\r\nDATA\r\n" +
            ENVELOPE + b"DATA\r\nevil\r\n.\r\nQUIT\r\n")
        self.assert_status(result, DATAERR)
        self.assertEqual(self.sink.take(), [])

    def test_content_that_is_late_is_not_obeyed_either(self):
        evil = b"RSET\r\n" + ENVELOPE + b"DATA\r\nevil\r\n.\r\nQUIT\r\n"
        for first in (b"Subject: x\r\n\r\n", b"\r\n", b".\r\n", b"x\n",
                      b"x" * 3000 + b"\r\n"):
            with self.subTest(first=first[:20]):
                client = self.converse()
                client.say(START)
                client.say(b"MAIL FROM:<s@example.test>\r\n")
                client.say(b"RCPT TO:<@>\r\n")
                self.assertTrue(client.say(b"DATA\r\n").startswith(b"554 "))
                reply = client.say(first + evil)
                self.assertTrue(reply.startswith(b"421 4.5.0 "), reply)
                self.assertEqual(client.reply(), b"")
                client.end(DATAERR)
        self.assertEqual(self.sink.take(), [])

    def test_content_that_was_there_is_not_obeyed_at_any_cut(self):
        evil = b"RSET\r\n" + ENVELOPE + b"DATA\r\nevil\r\n.\r\nQUIT\r\n"
        refused = b"MAIL FROM:<s@example.test>\r\nRCPT TO:<@>\r\nDATA\r\n"
        path = self.folder / "said"
        # What one read takes ends with DATA, or next to it.
        for end in range(32766, 32771):
            filler = end - len(START + refused)
            lines = [b"NOOP " + b"x" * 1017 + b"\r\n"] * (filler // 1024)
            lines.append(b"NOOP " + b"x" * (filler % 1024 - 7) + b"\r\n")
            said = START + b"".join(lines) + refused
            self.assertEqual(len(said), end)
            path.write_bytes(said + evil)
            with self.subTest(end=end), path.open("rb") as stdin:
                result = self.pipe(stdin)
                self.assert_status(result, DATAERR, "not allowed")
                self.assertTrue(result.out.split(b"\r\n")[-2]
                                .startswith(b"421 4.5.0 "))
        self.assertEqual(self.sink.take(), [])

    def test_who_waits_may_go_on_after_a_refused_data(self):
        client = self.converse()
        client.say(START)
        client.say(b"MAIL FROM:<s@example.test>\r\n")
        self.assertTrue(client.say(b"DATA\r\n").startswith(b"554 "))
        for said in (b"NOOP\r\n", b"RSET\r\n"):
            self.assertTrue(client.say(said).startswith(b"250 "))
        self.assertTrue(client.send(CRLF)[-1].startswith(b"250 "))
        self.assertTrue(client.say(b"DATA\r\n").startswith(b"503 "))
        self.assertTrue(client.say(b"QUIT\r\n").startswith(b"221 "))
        client.end()
        self.assertEqual(len(self.sink.take()), 1)

    def test_an_end_after_a_refused_data_is_one(self):
        result = self.pipe(START + b"DATA\r\n")
        self.assertEqual((result.status, result.err), (0, ""))

    def test_something_else_altogether(self):
        result = self.pipe(b"GET / HTTP/1.1\r\n" + b"Host: x\r\n" * 100)
        self.assert_status(result, DATAERR)
        self.assertIn(b"421 4.7.0 too many errors", result.out)
        result = self.pipe(bytes(range(256)) * 1000)
        self.assertNotEqual(result.status, 70, result)

    def test_silence_has_a_time_limit(self):
        client = self.converse("--timeout", "1")
        self.assertTrue(client.reply().startswith(b"421 4.4.2 "))
        self.assertEqual(client.reply(), b"")
        self.assertIn("in time", client.end(TEMPFAIL)[1])

    def test_a_dry_run_would_be_a_lie(self):
        self.assert_status(self.pipe(START, "--dry-run"), USAGE, "--dry-run")

    def test_standard_input_and_output(self):
        for shell, status in (('exec "$@" <&-', NOINPUT),
                              ('exec "$@" >/dev/full', SOFTWARE)):
            result = run("-c", shell, "sh", PROGRAM, *self.args(),
                         program="/bin/sh", config=None,
                         stdin=b"QUIT\r\n")
            self.assert_status(result, status, "standard ")

    def test_without_a_server(self):
        result = run("-bs", stdin=b"QUIT\r\n")
        self.assert_status(result, CONFIG, "no server is set")


if __name__ == "__main__":
    unittest.main(verbosity=2)
