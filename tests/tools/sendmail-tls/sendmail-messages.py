#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What sendmail-tls makes of messages: large ones, and strange ones."""

import os
import pathlib
import subprocess
import unittest

import sendmail
from sendmail import DATAERR, MAIL, PATIENCE, PROGRAM, USAGE, Server

ENVELOPE = ("-f", "a@example.org", "b@example.org")
MIB = 1 << 20

# A body in lines as they are, and what it is on its way.
LINE = b"0123456789abcdef" * 4 + b"\n"
BLOCK = LINE * 1000


class Weighing(Server):
    """Looks at the memory of the client when it has sent everything."""

    def __init__(self, folder):
        super().__init__(folder, **{".": self.weigh})
        self.pid = None
        self.peak_kib = None
        self.size = 0

    def read_content(self, stream):
        tail = b""
        while not tail.endswith(b"\r\n.\r\n"):
            piece = stream.read1(65536)
            if not piece:
                return
            self.size += len(piece)
            tail = (tail + piece)[-5:]

    def weigh(self, _):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        line = next(l for l in status.splitlines() if l.startswith("VmHWM"))
        self.peak_kib = int(line.split()[1])
        return "250 2.0.0 ok\r\n"


@unittest.skipUnless(os.path.exists("/proc/self/status"), "needs Linux's /proc")
class Memory(sendmail.TestCase):
    # What was freed is kept by AddressSanitizer, to see who uses it.
    env = {**os.environ, "ASAN_OPTIONS": ":".join(filter(None, [
        os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=0"]))}

    def peak(self, blocks, args, front=b"", block=BLOCK, behind=b""):
        """Send so many blocks from a pipe, and return the peak in KiB."""
        with Weighing(self.folder) as server:
            with subprocess.Popen(
                    [PROGRAM, "--url", server.url, "--cafile", self.ca, *args],
                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE, env=self.env) as process:
                server.pid = process.pid
                process.stdin.write(front)
                for _ in range(blocks):
                    process.stdin.write(block)
                process.stdin.write(behind)
                process.stdin.close()
                error = process.stderr.read()
                self.assertEqual(process.wait(PATIENCE * 5), 0, error)
        header = MAIL.count(b"\n") + len(MAIL)
        body = blocks * (len(BLOCK) + BLOCK.count(b"\n"))
        self.assertEqual(server.size, header + body + len(".\r\n"))
        return server.peak_kib

    def check(self, size, *more):
        small = self.peak(2 * MIB // len(BLOCK), *more)
        big = self.peak(size // len(BLOCK), *more)
        # Half of it is little, also where a sanitizer takes its share.
        self.assertLess(big, small + small // 2)

    def test_64_mib_take_no_more_memory_than_2(self):
        self.check(64 * MIB, ["-i", *ENVELOPE], MAIL)

    def test_nor_do_they_in_a_conversation(self):
        self.check(16 * MIB, ["-bs"],
                   b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n"
                   b"DATA\r\n" + MAIL.replace(b"\n", b"\r\n"),
                   BLOCK.replace(b"\n", b"\r\n"), b".\r\nQUIT\r\n")

    @unittest.skipUnless(os.environ.get("STLS_TEST_FULL"), "takes long")
    def test_1_gib_takes_no_more_memory_than_2_mib(self):
        self.check(1024 * MIB, ["-i", *ENVELOPE], MAIL)


# What is there already in a message that lacks nothing.
REST = b"Date: Mon, 23 Nov 2026 12:00:00 +0000\nMessage-ID: <1@example.org>\n"
FROM = b"From: a@example.org\n"
TO = b"To: b@example.org\n"

# Name, fields or a whole text, recipients, fields as they arrive: None where
# they arrive as they are.
KEPT = (
    ("a quoted local part", b'To: "a b\\"c"@example.org\n',
     ['"a b\\"c"@example.org'], None),
    ("quotes that need not be", b'To: "bob"@example.org\n',
     ["bob@example.org"], None),
    ("dots that need quotes", b"To: a..b.@example.org\n",
     ['"a..b."@example.org'], None),
    ("a group", b"To: Friends: b@example.org, C <c@example.org>;,\n"
     b" d@example.org\n", ["b@example.org", "c@example.org",
                           "d@example.org"], None),
    ("an empty group and a blind copy",
     b"To: undisclosed-recipients:;\nBcc: b@example.org\n",
     ["b@example.org"], b"To: undisclosed-recipients:;\n"),
    ("comments", b"To: (a (b) \\) c) b (d) @ (e) example.org (f)\n",
     ["b@example.org"], None),
    ("names with everything in them",
     b'To: "B, <c@example.org>" <b@example.org>, J. Doe <d@example.org>\n',
     ["b@example.org", "d@example.org"], None),
    ("a source route", b"To: <@x.example,@y.example:b@example.org>\n",
     ["b@example.org"], None),
    ("an address literal", b"To: b@[192.0.2.1], c@[IPv6:2001:db8:0::1]\n",
     ["b@[192.0.2.1]", "c@[IPv6:2001:db8::1]"], None),
    ("folded fields", b"To:\n b@example.org\n\t,\n c@example.org\n \n"
     b"Subject: a\n b\n", ["b@example.org", "c@example.org"], None),
    ("several fields of a kind", TO + b"To: c@example.org\n",
     ["b@example.org", "c@example.org"], None),
    ("blanks in front of a colon", b"To : b@example.org\n",
     ["b@example.org"], None),
    ("several in From, with Sender", TO + b"From: c@example.org,\n"
     b" d@example.org\nSender: c@example.org\n", ["b@example.org"], None),
    ("a forwarded mail", b"Resent-From: a@example.org\n"
     b"Resent-To: c@example.org\nResent-Date: x\nResent-Message-ID: <2@x>\n"
     + TO + b"Cc: d@example.org\n", ["c@example.org"], None),
    ("one forwarded twice", b"Resent-From: a@example.org\n"
     b"Resent-To: c@example.org\nResent-Date: x\nResent-Message-ID: <2@x>\n"
     b"Resent-To: d@example.org\nResent-From: c@example.org\n",
     ["c@example.org"], None),
    ("an 8-bit header", TO + "Subject: Grüße\n".encode(), ["b@example.org"],
     None),
    ("a header that is no UTF-8", TO + b"Subject: Gr\xfc\xdfe\n",
     ["b@example.org"], None),
    ("an 8-bit name", "To: Jürgen <b@example.org>\n".encode(),
     ["b@example.org"], None),
    ("a local part that is not ASCII", "To: jürgen@example.org\n".encode(),
     ["jürgen@example.org"], None),
    ("a domain that is not ASCII", "To: b@BÜCHER.example\n".encode(),
     ["b@xn--bcher-kva.example"], None),
    ("both", "To: jürgen@bücher.example\n".encode(),
     ["jürgen@xn--bcher-kva.example"], None),
    ("a line longer than a server must take", TO + b"X: " + b"x" * 2000 +
     b"\n", ["b@example.org"], None),
    ("a CR inside of a line", TO + b"Subject: a\rBcc: c@example.org\n",
     ["b@example.org"], TO + b"Subject: a Bcc: c@example.org\n"),
)

# Name, text, body as it arrives; the recipients are those of To.
BODIES = (
    ("LF", FROM + TO + REST + b"\na\nb\n", b"a\r\nb\r\n"),
    ("CRLF", (FROM + TO + REST + b"\na\nb\n").replace(b"\n", b"\r\n"),
     b"a\r\nb\r\n"),
    ("CR alone", FROM + TO + REST + b"\na\rb\r", b"a\r\nb\r\n"),
    ("no line end at the end", FROM + TO + REST + b"\na", b"a\r\n"),
    ("no body", FROM + TO + REST + b"\n", b""),
    ("no empty line either", FROM + TO + REST, b""),
    ("nor a line end", FROM + REST + TO[:-1], b""),
    ("an empty line of CR LF in LF", FROM + TO + REST + b"\r\na\n", b"a\r\n"),
    ("what is no field ends the header, and is text with all that follows",
     FROM + TO + REST + b"no field\nBcc: c@example.org\n\na\n",
     b"no field\r\nBcc: c@example.org\r\n\r\na\r\n"),
    ("a lone dot", FROM + TO + REST + b"\na\n.\nb\n", b"a\r\n"),
    ("dots in front", FROM + TO + REST + b"\n..\n.a\n. \n",
     b"..\r\n.a\r\n. \r\n"),
)

# Name, arguments, text, status, words of the sentence.
REFUSED = (
    ("a NUL in the header", ["-t"], TO + b"Subject: \0\n\n", DATAERR,
     "line 2 of the message has a NUL"),
    ("a NUL in the body", ["-t"], TO + b"\na\n\nb\0", DATAERR,
     "line 5 of the message has a NUL"),
    ("a group in a group", ["-t"], b"To: a: b: c@example.org;;\n\n", DATAERR,
     "To: "),
    ("no comma between two", ["-t"], b"To: <b@example.org> <c@example.org>\n",
     DATAERR, "To: "),
    ("a comment without end", ["-t"], b"To: b@example.org (a\n\n", DATAERR,
     "To: "),
    ("a quote without end", ["-t"], b'To: "b@example.org\n\n', DATAERR, "To: "),
    ("a recipient that is no UTF-8", ["-t"], b"To: \xfc@example.org\n\n",
     DATAERR, "To: "),
    ("a bare name without a domain", ["-t"], b"To: root\n\n", DATAERR,
     "--domain"),
    ("a bare name in Resent-Cc", ["-t"], b"Resent-Cc: root\n\n", DATAERR,
     "Resent-Cc: "),
    ("no recipient in the header", ["-t"], FROM + b"\n" + TO, USAGE,
     "no recipient"),
    ("a header larger than 1 MiB", ["-t"], TO + b"X: y\n" * 220000, DATAERR,
     "longer than 1048576 bytes"),
    ("a dash in front of an address", ["-b@example.org"], MAIL, USAGE, "-b"),
)


class Messages(sendmail.TestCase):
    def arrive(self, text, *args):
        return self.sent("-t", "-f", "a@example.org", *args, stdin=text)

    def test_headers(self):
        for name, fields, recipients, arriving in KEPT:
            with self.subTest(name):
                front = b"" if b"\nFrom:" in fields else FROM
                mail = self.arrive(front + fields + REST + b"\nbody\n")
                self.assertEqual(mail.recipients, recipients)
                expected = front + (arriving or fields) + REST
                self.assertEqual(mail.header + b"\r\n",
                                 expected.replace(b"\n", b"\r\n"))
                self.assertEqual(mail.body, b"body\r\n")

    def test_bodies(self):
        for name, text, body in BODIES:
            with self.subTest(name):
                mail = self.arrive(text)
                self.assertEqual(mail.recipients, ["b@example.org"])
                self.assertEqual(mail.field("Date"), [
                    "Mon, 23 Nov 2026 12:00:00 +0000"])
                self.assertEqual(mail.body, body)

    def test_what_is_refused(self):
        for name, args, text, status, words in REFUSED:
            with self.subTest(name):
                result = self.send("-f", "a@example.org", *args, stdin=text)
                self.assert_status(result, status, words)
        self.assertEqual(self.sink.take(), [])

    def test_a_recipient_with_a_dash_in_front(self):
        mail = self.sent("-f", "-a@example.org", "--", "-b@example.org")
        self.assertEqual((mail.sender, mail.recipients),
                         ("-a@example.org", ["-b@example.org"]))

    def test_a_writer_sees_no_broken_pipe(self):
        """The status says what was wrong, and the rest is read."""
        with subprocess.Popen(
                [PROGRAM, "--url", self.sink.smtps, "-t", "-f", "a@b.example"],
                stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdin.write(b"To: nobody at all\n\n" + BLOCK * 20)
            process.stdin.close()
            self.assertIn(b"To: ", process.stderr.read())
            self.assertEqual(process.wait(PATIENCE), DATAERR)


# Fields, and the same with a domain for their bare names.
BARE = (
    (b"From: root\n", b"From: root@example.test\n"),
    (b"From: root (Cron Daemon)\nSender: root\nReply-To: <x>\n",
     b"From: root@example.test (Cron Daemon)\nSender: root@example.test\n"
     b"Reply-To: <x@example.test>\n"),
    (b"From: a@example.org\nCc: alice, Bob <bob>,\n\tc@EXAMPLE.org (root)\n",
     b"From: a@example.org\nCc: alice@example.test, Bob <bob@example.test>,\n"
     b"\tc@EXAMPLE.org (root)\n"),
    (b"From: Cron Daemon\nSubject: root\n",
     b"From: Cron Daemon\nSubject: root\n"),
)


class BareNames(sendmail.TestCase):
    ARGS = ("-f", "a@example.org", "--domain", "example.test")

    def header(self, fields, *args):
        mail = self.sent(*self.ARGS, *args, "b@example.org",
                         stdin=fields + REST + b"\nbody\n")
        self.assertEqual(mail.recipients, ["b@example.org"])
        return mail.header + b"\r\n"

    def test_they_get_the_domain(self):
        for fields, qualified in BARE:
            with self.subTest(fields):
                self.assertEqual(self.header(fields),
                                 (qualified + REST).replace(b"\n", b"\r\n"))

    def test_but_not_where_the_message_is_to_stay_as_it_is(self):
        for fields, _ in BARE:
            with self.subTest(fields):
                self.assertEqual(self.header(fields, "-G"),
                                 (fields + REST).replace(b"\n", b"\r\n"))

    def test_the_header_gets_the_domain_and_not_the_alias(self):
        aliases = self.folder / "aliases"
        aliases.write_text("root: admin@example.com\n")
        mail = self.sent(*self.ARGS, "-t", "--aliases", aliases,
                         stdin=FROM + b"To: root, alice\n" + REST + b"\n")
        self.assertEqual(mail.recipients,
                         ["admin@example.com", "alice@example.test"])
        self.assertEqual(mail.field("To"),
                         ["root@example.test, alice@example.test"])

    def test_without_a_domain_it_is_that_of_the_default_sender(self):
        """Which is the host's, if its name has one."""
        result = self.send("--dry-run", "b@example.org",
                           stdin=b"From: root\n" + REST + b"\n")
        if result.status != 0:
            self.assert_status(result, DATAERR, "no domain")
            mail = self.sent("-f", "a@example.org", "b@example.org",
                             stdin=b"From: root\n" + REST + b"\n")
            self.assertEqual(mail.field("From"), ["root"])
            return
        sender = result.out.split(b">")[0].split(b"<")[1]
        self.assertIn(b"\nFrom: root@" + sender.split(b"@")[1] + b"\n",
                      result.out)


class Encodings(sendmail.TestCase):
    """What is asked of servers that cannot do everything."""

    def talk(self, text, *args, ehlo="250-localhost\r\n250 X\r\n"):
        with Server(self.folder, EHLO=ehlo) as server:
            result = self.send("-f", "a@example.org", "-t", *args,
                               url=server.url, stdin=text)
        mail = [c for c in server.commands if c.startswith("MAIL")]
        return result, mail[0] if mail else None

    def test_an_8_bit_header_is_8_bit_content(self):
        text = FROM + TO + "Subject: ü\n".encode() + REST + b"\nbody\n"
        result, mail = self.talk(text, ehlo=Server.EHLO)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(mail, "MAIL FROM:<a@example.org> BODY=8BITMIME")
        result, mail = self.talk(text)
        self.assertIsNone(mail)
        self.assert_status(result, DATAERR, "8BITMIME")

    def test_a_header_in_utf_8_may_be_declared(self):
        text = FROM + TO + "Subject: ü\n".encode() + REST + b"\nbody\n"
        result, mail = self.talk(text, "--smtputf8", ehlo=Server.EHLO)
        self.assertEqual(result.status, 0, result)
        self.assertIn("SMTPUTF8", mail)
        result, mail = self.talk(text, "--smtputf8",
                                 ehlo="250-localhost\r\n250 8BITMIME\r\n")
        self.assertIsNone(mail)
        self.assert_status(result, DATAERR, "SMTPUTF8")

    def test_an_address_that_is_not_ascii_needs_smtputf8(self):
        text = FROM + "To: ü@example.org\n".encode() + REST + b"\nbody\n"
        result, mail = self.talk(text, ehlo=Server.EHLO)
        self.assertEqual(result.status, 0, result)
        self.assertIn("SMTPUTF8", mail)
        result, _ = self.talk(text, ehlo="250-localhost\r\n250 8BITMIME\r\n")
        self.assert_status(result, DATAERR, "SMTPUTF8")

    def test_a_domain_that_is_not_ascii_needs_nothing(self):
        text = FROM + TO + REST + b"\nbody\n"
        result, mail = self.talk(text, "c@bücher.example")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(mail, "MAIL FROM:<a@example.org>")


if __name__ == "__main__":
    unittest.main()
