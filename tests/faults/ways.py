#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
What sendmail-tls does when something fails, in each of the ways in which it
is used: each of its system calls in turn, with each error that it may have, or
each of its allocations; that one alone or all of its kind from then on, until
a run passes in which nothing failed.

FAIL_AT is the program of fail-at.c, for system calls; without it SENDMAIL_TLS
is one with fail-alloc.c in it. With STLS_TEST_FULL no call and no error is left
out; else they are tried in steps, each call with one of its errors.
"""

import collections
import errno
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent
                       / "tools/sendmail-tls"))
import sendmail
from sendmail import MAIL, PROGRAM, Result, run

FAIL_AT = os.environ.get("FAIL_AT")
FULL = bool(os.environ.get("STLS_TEST_FULL"))
SANITIZED = os.environ.get("SANITIZED") == "yes"
# The sanitizers look at each call that fails, with one of its errors.
ALL_ERRORS = FULL and not SANITIZED
IMPOSSIBLE = 98
# What changes nothing of what becomes of a mail.
HARMLESS = ("short", "eintr") if FAIL_AT else ()
# Who is traced already cannot look for leaks that way.
ENVIRONMENT = {**os.environ, "ASAN_OPTIONS":
               os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}

OK, USAGE, DATAERR, NOINPUT, NOUSER, NOHOST, UNAVAILABLE = 0, 64, 65, 66, 67, 68, 69
SOFTWARE, OSERR, CANTCREAT, IOERR, TEMPFAIL = 70, 71, 73, 74, 75
PROTOCOL, NOPERM, CONFIG = 76, 77, 78

# Who hangs is ended by this.
PATIENCE = 20

FROM = ("-f", "a@example.org")
WHOLE = MAIL.replace(b"\n", b"\r\n")
PASSWORD = "open sesame"

# How many faults there were, which is told at the end.
injected = collections.Counter()


class Fault:
    """What was done to a run: which call failed, how, and about what."""

    def __init__(self, line):
        self.call, number, variants, self.what = (line + " ").split(" ", 3)
        self.errnum = int(number)
        self.variants = int(variants)
        self.what = self.what.strip()

    def __str__(self):
        return f"{self.call} of {self.what or '-'}: " \
               f"{errno.errorcode.get(self.errnum, self.errnum)}"


class TestCase(sendmail.TestCase):
    """One way of using the program; setup() and check() are the way's own."""

    sink_arguments = ()
    stdin = MAIL
    step = 1

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.password = cls.folder / "password"
        cls.password.write_text(PASSWORD + "\n")
        cls.password.chmod(0o600)
        # All of it takes longer than any other test of the sink.
        cls.sink = sendmail.Sink(cls.folder, "--max-seconds", 3600, *(
            str(cls.password) if a == "PASSWORD" else a
            for a in cls.sink_arguments))
        cls.idle = cls.files_of_the_sink()
        cls.ca = cls.sink.ca
        cls.number = int(cls.sink.smtp.rsplit(":", 1)[1])

    def setUp(self):
        place = tempfile.TemporaryDirectory(dir=self.folder)
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)
        self.spool = self.place / "spool"
        self.report = self.place / "report"

    def implicit(self):
        # By number: a name would be looked up by a thread.
        return ("--url", "smtps://localhost", "--connect-to",
                f"127.0.0.1:{self.sink.smtps_port}", "--cafile", self.ca)

    def starttls(self):
        return ("--url", "smtp://localhost", "--connect-to",
                f"127.0.0.1:{self.number}", "--cafile", self.ca)

    def nobody(self):
        return ("--url", "smtps://localhost", "--connect-to", "127.0.0.1:1",
                "--cafile", self.ca)

    def inject(self, mode, at, variant, *args, config="/dev/null"):
        """Run the program with a fault; what became of it, and the fault."""
        self.report.unlink(missing_ok=True)
        command = [PROGRAM, "--config", str(config), *map(str, args)]
        environment = {**os.environ, "FAIL_ALLOC": f"{mode} {at}",
                       "FAIL_REPORT": str(self.report)}
        if FAIL_AT:
            command = [FAIL_AT, mode, str(at), str(variant), self.report,
                       *command]
            environment = ENVIRONMENT
        try:
            process = subprocess.run(
                command, input=self.stdin, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, timeout=PATIENCE, env=environment,
                check=False)
        except subprocess.TimeoutExpired:
            self.fail(f"{mode} {at} {variant}: it hangs after "
                      f"{self.report.read_text('utf-8', 'replace')}")
        if process.returncode == IMPOSSIBLE:
            self.skipTest("no process may be traced here")
        # glibc, whose streams exit(3) closes while a thread still reads them.
        process.stderr = re.sub(rb"(?m)^/etc/host\.conf: .*\n", b"",
                                process.stderr)
        fault = None
        if self.report.exists():
            fault = Fault(self.report.read_text("utf-8", "replace").strip())
            injected[type(self).__name__] += 1
        return Result(process), fault

    def faults(self, mode, attempt):
        """
        Each fault: attempt(mode, at, variant) runs the program and looks at
        what it did; it returns the fault, None where nothing failed.
        """
        step = 1 if FULL else \
            self.step * (4 if SANITIZED else 1) * (1 if FAIL_AT else 2)
        # Where to begin, and with which error, differs from way to way.
        turn = zlib.crc32((self.id() + mode).encode())
        at, seen = 1 + turn % min(step, 20), 0
        while fault := attempt(mode, at, turn + seen):
            for variant in range(1, fault.variants if ALL_ERRORS else 1):
                attempt(mode, at, turn + seen + variant)
            seen += 1
            at += step
        self.assertGreater(seen, 0)

    # --- what became of the mail ---

    @classmethod
    def files_of_the_sink(cls):
        """How many it has open; 0 where nobody can tell."""
        folder = f"/proc/{cls.sink.process.pid}/fd"
        return len(os.listdir(folder)) if os.path.isdir(folder) else 0

    def settle(self):
        """
        Wait until the sink has seen the end of the connections that were: it
        is one loop, and those came before this. What is large takes it some
        rounds more, until it has no more open than in the beginning.
        """
        with socket.create_connection(("127.0.0.1", self.number)) as s:
            s.settimeout(sendmail.PATIENCE)
            s.recv(100)
        end = time.monotonic() + sendmail.PATIENCE
        while self.files_of_the_sink() > self.idle:
            self.assertLess(time.monotonic(), end, "the sink is still busy")
            time.sleep(0.001)

    def taken(self):
        self.settle()
        mails = self.sink.take()
        for mail in mails:
            if mail.sender:
                self.assertEqual(self.strip(mail.data), WHOLE)
        return mails

    @staticmethod
    def strip(data):
        """Without the number by which the tests tell mails apart."""
        return re.sub(rb"Subject: +\d+\r", b"Subject: hello\r", data)

    def stored(self):
        """The files of the spool that a run would send."""
        return list((self.spool / "queue").glob("[0-9a-f]*"))

    def listing(self):
        return run("-bp", "--spool", self.spool).out.decode()

    def assert_clean(self, result, about):
        """One sentence for a failure, none or a warning for success."""
        self.assertLess(result.status, 128, about)
        for line in result.lines:
            if line.startswith("in doubt: "):
                self.assertEqual(result.status, IOERR, about)
            else:
                self.assertRegex(line, r"\Asendmail-tls: ", about)
        sentences = [line for line in result.lines
                     if not line.startswith("sendmail-tls: warning: ")]
        self.assertEqual(len(sentences), result.status != OK, about)
        self.assertNotIn(PASSWORD, result.err, about)

    def assert_honest(self, result, arrived, stored, about):
        """What the status says of one mail against where it is."""
        if result.status == OK and arrived + stored == 2:
            self.assertIn("in doubt since", self.listing(), about)
        elif result.status == OK:
            self.assertEqual(arrived + stored, 1, about)
        elif result.status == IOERR:
            self.assertRegex(result.err, "in doubt", about)
            self.assertLessEqual(arrived, 1, about)
            self.assertEqual(stored, 0, about)
        else:
            self.assertEqual((arrived, stored), (0, 0), about)

    # Where a pipe cannot be written nobody can be told by it.
    @staticmethod
    def is_mute(fault, mode):
        return fault and fault.call == "write" and \
            (mode == "on" or fault.what.startswith("pipe:"))

    @staticmethod
    def show(about, arrived, stored):
        if os.environ.get("FAULTS_VERBOSE"):
            print(f"{about} arrived {arrived} stored {stored}", flush=True)


class Sending(TestCase):
    """Ways of sending one mail."""

    config = "/dev/null"
    recipient = "b@example.org"

    def reset(self):
        shutil.rmtree(self.spool, ignore_errors=True)

    def reset_spool(self):
        shutil.rmtree(self.spool, ignore_errors=True)
        for place in (self.spool, self.spool / "queue", self.spool / "dead"):
            place.mkdir(0o700)
        # Something has run it: without that there is a warning.
        (self.spool / "last-run").touch(0o600)

    def attempt(self, *args):
        def try_it(mode, at, variant):
            self.reset()
            result, fault = self.inject(
                mode, at, variant, *args, self.recipient, config=self.config)
            about = f"{mode} {at} {variant} {fault}: {result}"
            arrived, stored = len(self.taken()), len(self.stored())
            self.show(about, arrived, stored)
            with self.subTest(fault=str(fault), mode=mode, at=at):
                if not self.is_mute(fault, mode):
                    self.assert_clean(result, about)
                self.assert_honest(result, arrived, stored, about)
                if fault is None or mode in HARMLESS:
                    self.assertEqual(result.status, OK, about)
            return fault
        return try_it

    def all_faults(self, *args):
        for mode in ("once", "on"):
            self.faults(mode, self.attempt(*args))
        for mode in HARMLESS:
            self.assertIsNotNone(self.attempt(*args)(mode, 0, 0))


class Direct(Sending):
    """To a server that is there."""

    step = 9

    def test_implicit_tls(self):
        self.all_faults(*self.implicit(), *FROM)

    def test_starttls_at_a_name(self):
        self.all_faults("--url", f"smtp://localhost:{self.number}",
                        "--cafile", self.ca, *FROM)


class Configured(Sending):
    """All that is said in files, and a password."""

    sink_arguments = ("--user", "alice", "--password-file", "PASSWORD")
    step = 12
    recipient = "root"

    def setUp(self):
        super().setUp()
        (self.place / "aliases").write_text("root: bob\nbob: b@example.org\n")
        self.config = self.place / "conf"

    def configure(self, *lines):
        self.config.write_text("".join(f"{line}\n" for line in (
            f"url = {self.sink.smtps}", f"cafile = {self.ca}", "user = alice",
            "domain = example.org", f"aliases = {self.place}/aliases",
            f"log = {self.place}/log", *lines)))
        self.config.chmod(0o600)

    def taken(self):
        mails = super().taken()
        for mail in mails:
            self.assertEqual(mail.recipients, ["b@example.org"])
        return mails

    def test_a_password_in_a_file(self):
        self.configure(f"password-file = {self.password}")
        self.all_faults(*FROM)

    def test_a_password_of_a_command(self):
        self.configure(f"password-command = cat {self.password}")
        self.all_faults(*FROM)


class Storing(Sending):
    """With a spool."""

    step = 9

    def reset(self):
        self.reset_spool()

    def test_while_nobody_is_there(self):
        self.all_faults(*self.nobody(), "--spool", self.spool, *FROM)

    def test_while_somebody_is_there(self):
        self.all_faults(*self.implicit(), "--spool", self.spool, *FROM)


class Large(Sending):
    """A mail that does not fit into memory, and so into a file."""

    step = 24
    stdin = MAIL + b"a line of text that is longer than it has to be\n" * 30000

    def taken(self):
        self.settle()
        mails = self.sink.take()
        for mail in mails:
            self.assertEqual(mail.data, self.stdin.replace(b"\n", b"\r\n"))
        return mails

    def all_faults(self, *args):
        for mode in ("once", "on"):
            self.faults(mode, self.attempt(*args))

    def test_it_is_sent(self):
        self.all_faults(*self.implicit(), *FROM)


class Queue(TestCase):
    """The spool is run."""

    step = 12
    count = 2
    arguments = ()

    def fill(self):
        """Put numbered messages into a new spool."""
        shutil.rmtree(self.spool, ignore_errors=True)
        if not hasattr(type(self), "template"):
            result = run(*self.nobody(), "--spool", self.spool, *FROM,
                         "b@example.org")
            self.assertEqual(result.status, OK, result)
            path, = self.stored()
            type(self).template = path.name, path.read_bytes()
            shutil.rmtree(self.spool)
        name, data = self.template
        for place in (self.spool, self.spool / "queue", self.spool / "dead"):
            place.mkdir(0o700)
        for i in range(self.count):
            path = self.spool / "queue" / f"{name[:11]}-{i:016d}"
            path.write_bytes(
                data.replace(b"Subject: hello", b"Subject: %5d" % i))
            path.chmod(0o600)

    def waiting(self):
        """
        The numbers of the messages that the spool says it will send, and of
        those among them that are in doubt.
        """
        waiting, doubt, number = set(), set(), None
        for line in self.listing().splitlines():
            head = re.match(r"[0-9a-f]{11}-(\d{16})\b", line)
            if head:
                number = int(head[1])
            elif "in doubt since" in line:
                doubt.add(number)
            elif re.search(r"    to <.*>: waiting", line):
                waiting.add(number)
        return waiting | doubt, doubt

    @staticmethod
    def numbers(mails):
        return collections.Counter(int(mail.field("Subject")[0])
                                   for mail in mails if mail.sender)

    def attempt(self, *args):
        def try_it(mode, at, variant):
            self.fill()
            result, fault = self.inject(mode, at, variant, "-q", "--spool",
                                        self.spool, *args)
            about = f"{mode} {at} {variant} {fault}: {result}"
            with self.subTest(fault=str(fault), mode=mode, at=at):
                self.check(result, fault, mode, about)
                if fault is None or mode in HARMLESS:
                    self.assertEqual(result.status, OK, about)
            return fault
        return try_it

    def check(self, result, fault, mode, about):
        self.assertLess(result.status, 128, about)
        arrived = self.taken()
        left, doubt = self.waiting()
        self.show(about, arrived, left)
        # What failed is named; what only has to wait is not.
        if not self.is_mute(fault, mode):
            self.assertEqual(result.status != OK, bool(result.lines), about)
        both = self.numbers(arrived)
        self.assertLessEqual(set(both) & left, doubt, about)
        self.assertEqual(set(both) | left, set(range(self.count)), about)
        self.assertLessEqual(max(both.values(), default=0), 1, about)
        # Whatever it was, it is over now.
        again = run("-q", "--spool", self.spool, *self.implicit())
        self.assertEqual((again.status, again.err), (OK, ""), about)
        self.assertEqual(self.stored(), [], about)
        self.assertEqual(set(self.numbers(self.taken())), left, about)

    def test_it_is_run(self):
        for mode in ("once", "on"):
            self.faults(mode, self.attempt(*self.implicit()))
        for mode in HARMLESS:
            self.assertIsNotNone(
                self.attempt(*self.implicit())(mode, 0, 0))


class Bounce(Queue):
    """A message that is too old becomes a report."""

    count = 1

    def check(self, result, fault, mode, about):
        self.assertLess(result.status, 128, about)
        left = self.stored()
        self.show(about, 0, left)
        self.assertIn(len(left), (1, 2), about)
        for _ in range(2):
            if "<b@example.org>" in self.listing():
                run("-q", "--spool", self.spool, "--spool-lifetime", "0s",
                    *self.nobody())
        again = run("-q", "--spool", self.spool, *self.implicit())
        self.assertEqual((again.status, again.err), (OK, ""), about)
        reports = self.taken()
        self.assertIn(len(reports), (1, 2), about)
        for mail in reports:
            self.assertEqual(mail.sender, "", about)
            self.assertIn(b"report-type=delivery-status", mail.data, about)
            self.assertIn(b"Subject:     0", mail.data, about)
        if result.status == OK and fault is None:
            self.assertEqual(len(reports), 1, about)

    def test_it_is_run(self):
        for mode in ("once", "on"):
            self.faults(mode, self.attempt(
                *self.nobody(), "--spool-lifetime", "0s"))


class Printing(Queue):
    """The queue is printed: what cannot be read must not look empty."""

    def attempt(self, *_):
        def try_it(mode, at, variant):
            self.fill()
            result, fault = self.inject(mode, at, variant, "-bp", "--spool",
                                        self.spool)
            about = f"{mode} {at} {variant} {fault}: {result}"
            self.show(about, 0, 0)
            with self.subTest(fault=str(fault), mode=mode, at=at):
                if not self.is_mute(fault, mode):
                    self.assertEqual(result.status != OK, bool(result.lines),
                                     about)
                # What is not there any more has been sent.
                is_gone = fault and fault.errnum == errno.ENOENT
                if result.status == OK and not is_gone and \
                        not self.is_mute(fault, mode):
                    self.assertEqual(
                        result.out.count(b"<b@example.org>")
                        + result.out.count(b"BROKEN"), self.count, about)
            return fault
        return try_it


class Speaking(Sending):
    """SMTP on standard input: each 250 is a promise."""

    step = 9

    stdin = (b"EHLO x\r\nMAIL FROM:<a@example.org>\r\n"
             b"RCPT TO:<b@example.org>\r\nDATA\r\n" + WHOLE +
             b".\r\nQUIT\r\n")
    recipient = "-bs"

    def assert_clean(self, result, about):
        self.assertLess(result.status, 128, about)

    def assert_honest(self, result, arrived, stored, about):
        replies = [line for line in result.out.decode().splitlines()
                   if line[3:4] == " "]
        # The greeting, EHLO, MAIL, RCPT, DATA, and what is asked about.
        said = replies[5] if len(replies) > 5 else ""
        if said.startswith("2"):
            self.assertEqual(arrived + stored, 1, about)
        elif said and "doubt" not in said:
            self.assertEqual((arrived, stored), (0, 0), about)
        self.assertLessEqual(arrived + stored, 1, about)

    def test_it_is_sent(self):
        self.all_faults(*self.implicit())

    def test_it_is_stored(self):
        self.reset = self.reset_spool
        self.all_faults(*self.nobody(), "--spool", self.spool)


def tearDownModule():
    what = "system calls" if FAIL_AT else "allocations"
    print(f"{sum(injected.values())} {what} have failed:",
          ", ".join(f"{name} {n}" for name, n in sorted(injected.items())),
          file=sys.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
