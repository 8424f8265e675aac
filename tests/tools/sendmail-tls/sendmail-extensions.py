#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What sendmail-tls asks of a server for a message, and what if it cannot."""

import datetime
import unittest

import sendmail
from sendmail import DATAERR, PROTOCOL, USAGE, Sink, run

ENVELOPE = ("-f", "a@example.org", "b@example.org", "c@example.org")


class Asked(sendmail.TestCase):
    def asked(self, *args):
        """What arrived with the sender and with the recipients."""
        return self.sent(*args, *ENVELOPE).asked

    def test_notifications(self):
        for args, sender, recipient in (
                ((), [], []),
                (("-N", "never"), [], ["NOTIFY=NEVER"]),
                (("-N", "Delay, success"), [], ["NOTIFY=SUCCESS,DELAY"]),
                (("-Nsuccess,failure,delay", "-R", "full", "-V", "Q 1+1=2"),
                 ["RET=FULL", "ENVID=Q+201+2B1+3D2"],
                 ["NOTIFY=SUCCESS,FAILURE,DELAY"]),
                (("-RHDRS", "-V" + "x" * 100),
                 ["RET=HDRS", "ENVID=" + "x" * 100], [])):
            with self.subTest(args=args):
                self.assertEqual(self.asked(*args),
                                 [sender, recipient, recipient])

    def test_tls_all_the_way(self):
        for args in (["--require-tls"], ["-O", "requiretls=yes"],
                     ["-ORequireTLS=true"]):
            with self.subTest(args=args):
                self.assertEqual(self.asked(*args)[0], ["REQUIRETLS"])

    def test_a_priority(self):
        for priority in ("-9", "0", "4"):
            self.assertEqual(self.asked("--priority", priority)[0],
                             ["MT-PRIORITY=" + priority])

    def test_a_time(self):
        soon = datetime.datetime.now(datetime.timezone.utc).replace(
            microsecond=0) + datetime.timedelta(hours=3)
        there = soon.astimezone(
            datetime.timezone(datetime.timedelta(hours=-5)))
        wanted = "HOLDUNTIL=" + soon.strftime("%Y-%m-%dT%H:%M:%SZ")
        for args, asked in (
                (("--hold-until", "4h"), "HOLDFOR=14400"),
                (("--hold-until", soon.isoformat()), wanted),
                (("--hold-until", there.isoformat()), wanted),
                (("--deliver-by", "3600"), "BY=3600;N"),
                (("--deliver-by", "3600,return"), "BY=3600;R")):
            with self.subTest(args=args):
                self.assertEqual(self.asked(*args)[0], [asked])

    def test_all_of_it_together(self):
        asked = self.asked("-N", "failure", "-R", "hdrs", "-V", "1",
                           "--require-tls", "--hold-until", "1d",
                           "--priority", "1", "--deliver-by", "2d")
        self.assertEqual(asked[0], [
            "RET=HDRS", "ENVID=1", "REQUIRETLS", "HOLDFOR=86400",
            "MT-PRIORITY=1", "BY=172800;N"])

    def test_a_file_may_require_tls(self):
        config = self.folder / "config"
        config.write_text("require-tls = yes\n")
        config.chmod(0o600)
        self.assertEqual(
            self.sent(*ENVELOPE, config=config).asked[0], ["REQUIRETLS"])


class Stored(sendmail.TestCase):
    """The spool keeps what was asked for."""

    def stored(self, *args, sink):
        spool = self.folder / f"spool-{len(args)}"
        where = ("--spool", spool, "--cafile", self.ca)
        # Nobody listens on that port.
        result = run("--url", "smtps://localhost:1", *where, *args, *ENVELOPE)
        self.assertEqual(result.status, 0, result)
        return run("-q", "--url", sink.smtps, *where)

    def test_it_is_asked_for_when_it_is_sent(self):
        result = self.stored(
            "-N", "delay,failure", "-R", "hdrs", "-V", "a b+c", "-O",
            "requiretls=yes", "--hold-until", "2099-01-01T00:00:00Z",
            "--priority", "-4", "--deliver-by", "5h,return", sink=self.sink)
        self.assertEqual((result.status, result.err), (0, ""), result)
        mail, = self.sink.take()
        notify = ["NOTIFY=FAILURE,DELAY"]
        self.assertEqual(mail.asked, [
            ["RET=HDRS", "ENVID=a+20b+2Bc", "REQUIRETLS",
             "HOLDUNTIL=2099-01-01T00:00:00Z", "MT-PRIORITY=-4",
             "BY=18000;R"], notify, notify])

    def test_an_interval_is_kept(self):
        result = self.stored("--hold-until", "4h", sink=self.sink)
        self.assertEqual((result.status, result.err), (0, ""), result)
        mail, = self.sink.take()
        # It counts from before, not from now.
        self.assertRegex(mail.asked[0][0], r"\AHOLDFOR=14[34]\d\d\Z")


class DryRun(sendmail.TestCase):
    def test_it_shows_what_is_asked_for(self):
        result = self.dry("-N", "Failure Delay", "-R", "hdrs", "-V", "id 1",
                          "--require-tls", "--smtputf8", "--priority", "-3",
                          "--hold-until", "2099-01-01T01:00:00+01:00",
                          "--deliver-by", "60,return", *ENVELOPE)
        self.assert_status(result, 0)
        self.assertEqual(
            result.out.split(b"\n\n")[0].split(b"\n")[-1],
            b"asks for: --smtputf8 --require-tls -N failure,delay -Rhdrs "
            b"-V id 1 --hold-until 2099-01-01T00:00:00Z --priority -3 "
            b"--deliver-by 60,return")

    def test_it_shows_nothing_where_nothing_is(self):
        result = self.dry(*ENVELOPE)
        self.assert_status(result, 0)
        self.assertNotIn(b"asks for", result.out)


class Missing(sendmail.TestCase):
    """The server does not offer it: nobody gets the message."""

    CASES = (
        ("DSN", DATAERR, "-N", "never"),
        ("DSN", DATAERR, "-R", "hdrs"),
        ("DSN", DATAERR, "-V", "1"),
        ("REQUIRETLS", PROTOCOL, "--require-tls"),
        ("FUTURERELEASE", DATAERR, "--hold-until", "1h"),
        ("MT-PRIORITY", DATAERR, "--priority", "1"),
        ("DELIVERBY", DATAERR, "--deliver-by", "60"),
    )

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plain = Sink(cls.folder / "plain", "--no",
                         ",".join(case[0] for case in cls.CASES))
        cls.addClassCleanup(cls.plain.close)

    def give(self, *args, sink=None):
        sink = sink or self.plain
        result = run("--url", sink.smtps, "--cafile", sink.ca, *args,
                     *ENVELOPE)
        self.assertEqual(sink.take(), [])
        self.assertEqual(len(result.lines), 1, result)
        return result

    def test_the_status_and_the_sentence_say_so(self):
        for extension, status, *args in self.CASES:
            with self.subTest(extension=extension, args=args):
                result = self.give(*args)
                self.assertEqual(result.status, status, result)
                self.assertIn(f"{sendmail.HOST} does not offer {extension} ",
                              result.err)
                self.assertIn(f"{self.plain.smtps} ", result.err)

    def test_tls_counts_more_than_what_else_is_missing(self):
        result = self.give("--require-tls", "-N", "never")
        self.assertEqual(result.status, PROTOCOL, result)

    def test_the_limits_of_the_server_are_known_before(self):
        for args, sentence in (
                (("--hold-until", "31d"), "2592000 seconds at most"),
                (("--hold-until", "2100-01-01T00:00:00Z"),
                 "until 2099-12-31T23:59:59Z at most"),
                (("--deliver-by", "59,return"), "60 seconds at least")):
            with self.subTest(args=args):
                result = self.give(*args, sink=self.sink)
                self.assertEqual(result.status, DATAERR, result)
                self.assertIn(sentence, result.err)

    def test_tls_is_not_required_of_who_does_without(self):
        result = run("--url", self.sink.smtps, "--insecure-no-verify",
                     "--require-tls", *ENVELOPE)
        self.assertEqual(result.status, USAGE, result)
        self.assertIn("--require-tls", result.err)


if __name__ == "__main__":
    unittest.main()
