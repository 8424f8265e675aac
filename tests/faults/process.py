#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
sendmail-tls as a process in which every allocation may fail, those of GnuTLS
too, and in which the clock on the wall jumps.

GnuTLS does not survive lack of memory, so the program may die. What it may not
is to call a mail sent that is not, to lose one that was stored, or to say a
secret in clear. PRELOAD is what preload.c has become.
"""

import base64
import os
import pathlib
import socket
import subprocess
import sys
import threading
import unittest
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import ways
from ways import FULL, OK, PASSWORD, TEMPFAIL
from sendmail import MAIL, PROGRAM, Result, run

PRELOAD = os.environ["PRELOAD"]
STEP = 1 if FULL else 110
HOUR, YEARS = 3600, 20 * 366 * 86400

injected = 0


class Proxy(threading.Thread):
    """Passes octets on, and keeps what a client says."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.to = port
        self.said = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                client.close()
                return
            back = threading.Thread(target=self.pump,
                                    args=(server, client, False), daemon=True)
            back.start()
            self.pump(client, server, True)
            back.join(ways.PATIENCE)
            client.close()
            server.close()

    def close(self):
        # To close it alone wakes no accept(2), which may then have the next
        # proxy's: the number is the same.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.join(ways.PATIENCE)
        self.listener.close()

    def pump(self, one, other, is_client):
        try:
            while data := one.recv(65536):
                if is_client:
                    self.said += data
                other.sendall(data)
        except OSError:
            # Reset by one is the end for the other.
            pass
        try:
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Process(ways.TestCase):
    sink_arguments = ("--user", "alice", "--password-file", "PASSWORD")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.proxy = Proxy(cls.number)

    @classmethod
    def tearDownClass(cls):
        cls.proxy.close()
        super().tearDownClass()

    def start(self, environment, *args):
        global injected
        self.report.unlink(missing_ok=True)
        try:
            result = Result(subprocess.run(
                [PROGRAM, "--config", "/dev/null", *map(str, args)],
                input=MAIL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                timeout=ways.PATIENCE, check=False, env={
                    **os.environ, "LD_PRELOAD": PRELOAD,
                    "FAIL_REPORT": str(self.report), **environment}))
        except subprocess.TimeoutExpired:
            self.fail(f"{environment}: it hangs")
        injected += self.report.exists()
        return result, self.report.exists()

    def server(self):
        return ("--url", "smtp://localhost", "--connect-to",
                f"127.0.0.1:{self.proxy.port}", "--cafile", self.ca, "--user",
                "alice", "--password-file", self.password)

    def assert_nothing_was_in_clear(self, about):
        plain = base64.b64encode(b"\0alice\0" + PASSWORD.encode())
        for secret in (PASSWORD.encode(), plain, b"AUTH PLAIN", b"MAIL FROM:",
                       b"\r\nbody\r\n"):
            self.assertNotIn(secret, self.proxy.said, about)
        self.proxy.said = b""


class Memory(Process):
    def each(self, attempt):
        for mode in ("once", "on"):
            at = 1 + zlib.crc32((self.id() + mode).encode()) % STEP
            seen = 0
            while attempt(f"{mode} {at}"):
                at += STEP
                seen += 1
            self.assertGreater(seen, 0)

    def test_no_success_is_false_and_no_secret_in_clear(self):
        def attempt(which):
            result, has_failed = self.start(
                {"FAIL_MALLOC": which}, *self.server(), *ways.FROM,
                "b@example.org")
            about = f"{which}: {result}"
            with self.subTest(which=which):
                arrived = len(self.taken())
                self.assertLessEqual(arrived, 1, about)
                if result.status == OK:
                    self.assertEqual(arrived, 1, about)
                elif result.status == TEMPFAIL:
                    self.assertEqual(arrived, 0, about)
                if not has_failed:
                    self.assertEqual(result.status, OK, about)
                self.assert_nothing_was_in_clear(about)
            return has_failed
        self.each(attempt)

    def test_what_is_called_stored_is_stored(self):
        def attempt(which):
            ways.Sending.reset_spool(self)
            result, has_failed = self.start(
                {"FAIL_MALLOC": which}, *self.nobody(), "--spool", self.spool,
                *ways.FROM, "b@example.org")
            about = f"{which}: {result}"
            with self.subTest(which=which):
                self.assertLessEqual(len(self.stored()), 1, about)
                if result.status >= 0:
                    self.assertEqual(len(self.stored()),
                                     result.status == OK, about)
                if not has_failed:
                    self.assertEqual(result.status, OK, about)
            return has_failed
        self.each(attempt)

    def test_a_run_of_the_spool_loses_nothing(self):
        ways.Sending.reset_spool(self)
        self.assertEqual(run(*self.nobody(), "--spool", self.spool,
                             *ways.FROM, "b@example.org").status, OK)
        template, = self.stored()
        data = template.read_bytes()
        log = self.place / "log"

        def attempt(which):
            template.write_bytes(data)
            template.chmod(0o600)
            result, has_failed = self.start(
                {"FAIL_MALLOC": which}, "-q", "--spool", self.spool,
                *self.server())
            about = f"{which}: {result}"
            with self.subTest(which=which):
                arrived = len(self.taken())
                doubt = "in doubt since" in self.listing()
                log.write_text("")
                ran = run("-q", "--spool", self.spool, "--log", log,
                          *self.server())
                about += f", then {ran}, {log.read_text()}"
                again = len(self.taken())
                self.assertIn(arrived + again, (1, 2) if doubt else (1,),
                              about)
                self.assertEqual(self.stored(), [], about)
                self.assert_nothing_was_in_clear(about)
            return has_failed
        self.each(attempt)


class Clock(Process):
    """Each time it is asked, or each third time, another hour or decade."""

    jumps = [(by, every) for by in (HOUR, -HOUR, YEARS, -YEARS)
             for every in (1, 2, 3, 7)]

    def test_a_mail_is_sent_or_its_certificate_is_not_of_that_time(self):
        for by, every in self.jumps:
            result, _ = self.start(
                {"CLOCK_JUMP": str(by), "CLOCK_EVERY": str(every)},
                *self.server(), *ways.FROM, "b@example.org")
            about = f"{by} {every}: {result}"
            with self.subTest(by=by, every=every):
                arrived = len(self.sink_mails())
                # The certificates of the sink begin a moment ago.
                self.assertIn(result.status, (OK, ways.PROTOCOL), about)
                self.assertEqual(arrived, result.status == OK, about)
                if by == HOUR:
                    self.assertEqual(result.status, OK, about)
                if result.status != OK:
                    self.assertIn("certificate", result.err, about)

    def sink_mails(self):
        self.settle()
        return self.sink.take()

    def test_a_spool_keeps_what_it_has(self):
        """No clock makes it give up what was tried for no time."""
        for by, every in self.jumps:
            ways.Sending.reset_spool(self)
            clock = {"CLOCK_JUMP": str(by), "CLOCK_EVERY": str(every)}
            result, _ = self.start(clock, *self.nobody(), "--spool",
                                   self.spool, *ways.FROM, "b@example.org")
            about = f"{by} {every}: {result}"
            with self.subTest(by=by, every=every):
                self.assertEqual((result.status, len(self.stored())),
                                 (OK, 1), about)
                for _ in range(3):
                    result, _ = self.start(clock, "-q", "--spool", self.spool,
                                           *self.nobody())
                    self.assertEqual((result.status, len(self.stored())),
                                     (OK, 1), f"{by} {every}: {result}")
                self.assertIn("<b@example.org>", self.listing(), about)
                # Whatever was written down, a run now is in time.
                ran = run("-qI" + self.stored()[0].name, "--spool",
                          self.spool, *self.server())
                self.assertEqual((ran.status, ran.err), (OK, ""), about)
                self.assertEqual(len(self.sink_mails()), 1, about)


def tearDownModule():
    print(f"{injected} allocations of whole processes have failed",
          file=sys.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
