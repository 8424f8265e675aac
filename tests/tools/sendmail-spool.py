#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The spool of sendmail-tls: what it keeps, what it sends, what it says."""

import email
import email.policy
import os
import pathlib
import re
import stat
import tempfile
import unittest

import sendmail
from sendmail import (CONFIG, DATAERR, IOERR, MAIL, NOINPUT, NOPERM, NOUSER,
                      PROTOCOL, TEMPFAIL, UNAVAILABLE, USAGE, Server, run)

CANTCREAT = 73
FROM = ("-f", "a@example.org")
# Nobody listens there: it is a port that only the system could use.
NOBODY = "smtps://localhost:1"
NEVER_RUN = "nothing has ever run the spool"
ID = r"[0-9a-f]{11}-[0-9a-z_]{16}"


class TestCase(sendmail.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(dir=self.folder)
        self.addCleanup(place.cleanup)
        self.spool = pathlib.Path(place.name) / "spool"

    def spooled(self):
        """The files that wait."""
        return sorted((self.spool / "queue").glob("[0-9a-f]*"))

    def dead(self):
        return sorted((self.spool / "dead").iterdir())

    def add(self, *args, url=NOBODY, **more):
        """Send with a spool."""
        return self.send("--spool", self.spool, *FROM, *args, url=url, **more)

    def stored(self, *args, **more):
        """Have one more message in the spool; its file."""
        before = set(self.spooled())
        result = self.add(*(args or ("b@example.org",)), **more)
        self.assertEqual(result.status, 0, result)
        added = set(self.spooled()) - before
        self.assertEqual(len(added), 1)
        return added.pop()

    def queue(self, *args, url=None, flag="-q", **more):
        return self.send(flag, "--spool", self.spool, *args, url=url, **more)

    def emptied(self, *args, **more):
        """Run the spool, after which nothing is in it; the mails."""
        result = self.queue(*args, **more)
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertEqual(self.spooled(), [])
        return self.sink.take()

    def listing(self, *args):
        result = run("-bp", "--spool", self.spool, *args)
        self.assertEqual((result.status, result.err), (0, ""), result)
        return result.out.decode()

    def refuser(self, **answers):
        return Server(self.folder, **answers)


class Storing(TestCase):
    def test_a_server_that_is_down_and_comes_back(self):
        result = self.add("b@example.org", "c@example.org")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(len(result.lines), 1, result)
        self.assertIn(NEVER_RUN, result.err)
        self.assertEqual(self.sink.take(), [])
        mail, = self.emptied()
        self.assertEqual(mail.sender, "a@example.org")
        self.assertEqual(mail.recipients, ["b@example.org", "c@example.org"])
        self.assertEqual(mail.data, MAIL.replace(b"\n", b"\r\n"))
        # From now on something has run it.
        result = self.add("b@example.org")
        self.assertEqual((result.status, result.err), (0, ""), result)

    def test_a_mail_that_is_accepted_never_sees_the_spool(self):
        self.sent("--spool", self.spool, *FROM, "b@example.org")
        self.assertFalse(self.spool.exists())

    def test_the_spool_is_of_its_user_alone(self):
        path = self.stored()
        for place in (self.spool, self.spool / "queue", self.spool / "dead"):
            self.assertEqual(stat.S_IMODE(place.stat().st_mode), 0o700)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(path.stat().st_uid, os.getuid())

    def test_names_cannot_be_guessed(self):
        names = {self.stored().name for _ in range(8)}
        for name in names:
            self.assertRegex(name, rf"\A{ID}\Z")
        self.assertEqual(len({name[12:] for name in names}), 8)
        self.assertEqual(len(self.emptied()), 8)

    def test_a_large_mail(self):
        data = MAIL + b"0123456789abcdef" * 4 + b"\n"
        data += (b"x" * 70 + b"\n") * 40000
        self.stored(stdin=data)
        mail, = self.emptied()
        self.assertEqual(mail.data, data.replace(b"\n", b"\r\n"))

    def test_what_looks_like_a_record_or_an_end(self):
        data = MAIL + b"\n00000000 state 0 accepted 1\n.\n..\nFrom x\n\x80\n"
        self.stored("-i", "b@example.org", stdin=data)
        mail, = self.emptied()
        self.assertEqual(mail.data, data.replace(b"\n", b"\r\n"))

    def test_the_null_sender(self):
        self.assertEqual(self.send("--spool", self.spool, "-f", "",
                                   "b@example.org", url=NOBODY).status, 0)
        mail, = self.emptied()
        self.assertEqual(mail.sender, "")


class WhatIsStored(TestCase):
    """What the server said decides."""

    def answered(self, *recipients, **answers):
        with self.refuser(**answers) as server:
            return self.add(*(recipients or ("b@example.org",)),
                            url=server.url)

    def test_refused_for_now(self):
        for step in ("GREETING", "MAIL", "RCPT", "DATA", "."):
            with self.subTest(step=step):
                result = self.answered(**{step: "451 4.3.0 later\r\n"})
                self.assertEqual(result.status, 0, result)
        self.assertEqual(len(self.spooled()), 5)
        self.assertEqual(len(self.emptied()), 5)

    def test_a_connection_that_is_lost(self):
        for step in ("GREETING", "EHLO", "MAIL", "RCPT", "DATA"):
            with self.subTest(step=step):
                self.assertEqual(self.answered(**{step: None}).status, 0)
        self.assertEqual(len(self.emptied()), 5)

    def test_refused_for_good(self):
        for step, status in (("MAIL", UNAVAILABLE), ("RCPT", NOUSER),
                             ("DATA", UNAVAILABLE), (".", UNAVAILABLE)):
            with self.subTest(step=step):
                result = self.answered(**{step: "550 5.1.1 no\r\n"})
                self.assert_status(result, status, "550 5.1.1 no")
        self.assertFalse(self.spool.exists())

    def test_a_greeting_is_not_about_the_message(self):
        self.assertEqual(self.answered(GREETING="554 no\r\n").status, 0)
        self.assertEqual(len(self.spooled()), 1)

    def test_what_cannot_be_sent_as_it_is(self):
        result = self.answered("--smtputf8", "b@example.org",
                               EHLO="250 localhost\r\n")
        self.assert_status(result, DATAERR, "SMTPUTF8")
        self.assertEqual(self.add("b").status, DATAERR)
        self.assertEqual(self.add(url="nonsense://x").status, USAGE)
        self.assertFalse(self.spool.exists())

    def test_in_doubt(self):
        result = self.answered(**{".": None})
        self.assertEqual(result.status, 0, result)
        self.assertNotIn("in doubt", result.err)
        self.assertRegex(self.listing(), "<b@example.org>: in doubt since "
                         r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
        self.assertEqual(len(self.emptied()), 1)

    def test_in_doubt_and_held(self):
        self.assertEqual(self.answered(**{".": None}).status, 0)
        hold = ("--spool-in-doubt", "hold")
        self.assertEqual(self.queue(*hold).status, 0)
        path, = self.spooled()
        self.assertEqual(self.sink.take(), [])
        # Whoever names it has decided.
        self.assertEqual(len(self.emptied(*hold, path.name, flag="-qI")), 1)

    @staticmethod
    def rcpt(command):
        if "no@" in command:
            return "550 5.1.1 who?\r\n"
        if "later@" in command:
            return "451 4.2.1 not now\r\n"
        return "250 ok\r\n"

    def test_some_accepted_and_some_for_now(self):
        result = self.answered("yes@example.org", "later@example.org",
                               RCPT=self.rcpt)
        self.assertEqual(result.status, 0, result)
        listing = self.listing()
        self.assertIn("<later@example.org>: waiting: 451 4.2.1 not now",
                      listing)
        self.assertNotIn("yes@", listing)
        mail, = self.emptied()
        self.assertEqual(mail.recipients, ["later@example.org"])

    def test_some_refused_and_some_for_now(self):
        result = self.answered("no@example.org", "later@example.org",
                               "yes@example.org", RCPT=self.rcpt)
        self.assertEqual(result.status, UNAVAILABLE, result)
        path, = self.spooled()
        self.assertIn(f"in the spool as {path.name}", result.err)
        self.assertIn("<no@example.org>: refused: 550 5.1.1 who?", result.err)
        self.assertIn("<later@example.org>: refused for now", result.err)
        # Who asked was told: there is no bounce.
        mail, = self.emptied()
        self.assertEqual(mail.recipients, ["later@example.org"])

    def test_some_in_doubt_and_some_refused(self):
        result = self.answered("no@example.org", "yes@example.org",
                               RCPT=self.rcpt, **{".": None})
        self.assertEqual(result.status, UNAVAILABLE, result)
        mail, = self.emptied()
        self.assertEqual(mail.recipients, ["yes@example.org"])


class Attention(TestCase):
    """What only a person can mend is kept, and comes first."""

    def test_a_certificate_that_is_refused(self):
        self.stored("first@example.org")
        result = run("--url", self.sink.smtps, "--spool", self.spool, *FROM,
                     "b@example.org")
        self.assertEqual(result.status, 0, result)
        self.assertIn("warning: ", result.err)
        self.assertIn("certificate", result.err)
        listing = self.listing()
        self.assertIn("NEEDS ATTENTION", listing)
        self.assertLess(listing.index("<b@example.org>"),
                        listing.index("<first@example.org>"))
        result = run("-q", "--url", self.sink.smtps, "--spool", self.spool)
        self.assert_status(result, PROTOCOL, "certificate")
        self.assertEqual(len(self.emptied()), 2)

    def test_a_login_that_is_refused(self):
        ehlo = Server.EHLO.replace("250-8", "250-AUTH PLAIN\r\n250-8")
        with self.refuser(EHLO=ehlo, AUTH="535 5.7.8 no\r\n") as server:
            result = self.add("--user", "alice", "--password-command",
                              "echo secret", "b@example.org", url=server.url)
        self.assertEqual(result.status, 0, result)
        self.assertIn("warning: ", result.err)
        self.assertIn("535 5.7.8 no", result.err)
        self.assertIn("the login", self.listing())
        for path in self.spooled():
            self.assertNotIn(b"secret", path.read_bytes())
        self.assertEqual(len(self.emptied()), 1)

    def test_a_password_that_cannot_be_had(self):
        result = self.add("--user", "alice", "--password-command", "exit 3",
                          "b@example.org", url=self.sink.smtps)
        self.assertEqual(result.status, 0, result)
        self.assertIn("warning: ", result.err)
        result = self.queue("--user", "alice", "--password-command", "exit 3")
        self.assertEqual(result.status, CONFIG, result)
        self.assertEqual(len(self.emptied()), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
