#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Secrets in the memory of sendmail-tls: there while it sends, and nowhere when
it has done everything, whichever way it got them. SCAN_AT is the program of
scan-at.c.
"""

import base64
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent
                       / "tools/sendmail-tls"))
import sendmail
from sendmail import MAIL, NOPERM, PROGRAM, TEMPFAIL

SCAN_AT = os.environ["SCAN_AT"]
IMPOSSIBLE = 98
# What is freed loses its beginning, so it is the end that is looked for.
HEAD = "In-front-of-what-is-looked-for-0"
TAIL = "q7Vb2LxTz9RkWm4Ydf3Np8HsJc6Ga"
SECRET = HEAD + TAIL


def forms(text):
    """As it is, and in base64 wherever it begins in what is encoded."""
    found = [text]
    for skip in range(3):
        whole = text[skip:len(text) - (len(text) - skip) % 3]
        found.append(base64.b64encode(whole.encode()).decode())
    return found


class Secrets(sendmail.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.file = cls.folder / "secret"
        cls.file.write_text(SECRET + "\n")
        cls.file.chmod(0o600)
        cls.wanted = cls.folder / "wanted"
        cls.wanted.write_text("\n".join(forms(TAIL)) + "\n")
        cls.strict = {}
        for kind in ("password", "token"):
            folder = cls.folder / kind
            folder.mkdir()
            cls.strict[kind] = sendmail.Sink(
                folder, "--user", "alice", f"--{kind}-file", cls.file)

    @classmethod
    def tearDownClass(cls):
        for sink in cls.strict.values():
            sink.close()
        super().tearDownClass()

    def scan(self, sink, *lines, args=(), status=0, sends=True):
        config = self.folder / "conf"
        config.write_text("".join(f"{line}\n" for line in (
            f"url = {sink.smtps}", f"cafile = {sink.ca}", *lines)))
        config.chmod(0o600)
        report = self.folder / "report"
        process = subprocess.run(
            [SCAN_AT, self.wanted, report, PROGRAM, "--config", config,
             *args, "-f", "a@example.org", "b@example.org"], input=MAIL,
            stderr=subprocess.PIPE, timeout=sendmail.PATIENCE, check=False)
        if process.returncode == IMPOSSIBLE:
            self.skipTest("no process may be traced here")
        self.assertEqual(process.returncode, status, process.stderr)
        while_sending, at_end = map(int, report.read_text().split())
        if sends:
            self.assertGreater(while_sending, 0)
        self.assertEqual(at_end, 0)

    def test_a_password_of_a_file(self):
        for mechanism in ("PLAIN", "LOGIN"):
            self.scan(self.strict["password"], "user = alice",
                      f"password-file = {self.file}", f"auth = {mechanism}")

    def test_a_password_of_a_command(self):
        self.scan(self.strict["password"], "user = alice",
                  f"password-command = cat {self.file}")

    def test_a_password_of_the_configuration(self):
        self.scan(self.strict["password"], "user = alice",
                  f"password = {SECRET}")

    def test_a_password_of_a_netrc(self):
        path = self.folder / "netrc"
        path.write_text(f"machine localhost login alice password {SECRET}\n")
        path.chmod(0o600)
        self.scan(self.strict["password"], f"netrc = {path}")

    def test_a_token(self):
        for mechanism in ("XOAUTH2", "OAUTHBEARER"):
            self.scan(self.strict["token"], "user = alice",
                      f"token-command = cat {self.file}",
                      f"auth = {mechanism}")

    def test_a_password_that_is_refused(self):
        self.scan(self.strict["password"], "user = mallory",
                  f"password-file = {self.file}", status=NOPERM)

    def test_a_password_for_nobody(self):
        self.scan(self.strict["password"], "user = alice",
                  f"password = {SECRET}",
                  args=("--connect-to", "127.0.0.1:1"), status=TEMPFAIL,
                  sends=False)

    def test_a_file_that_is_wrong_behind_it(self):
        config = ("user = alice", f"password = {SECRET}", "nonsense = 1")
        self.scan(self.strict["password"], *config, status=sendmail.CONFIG,
                  sends=False)


if __name__ == "__main__":
    unittest.main(verbosity=2)
