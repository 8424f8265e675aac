#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The spool of sendmail-tls: what it keeps, what it sends, what it says."""

import email
import email.policy
import os
import pathlib
import queue
import re
import resource
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import unittest

import sendmail
from sendmail import (CONFIG, DATAERR, HOST, IOERR, MAIL, NOINPUT, NOUSER,
                      PROGRAM, PROTOCOL, TEMPFAIL, UNAVAILABLE, USAGE, Server,
                      run)

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


class Patient(Server):
    """A server for one connection after another, until it is left."""

    connections = 0

    def run(self):
        try:
            while True:
                raw, _ = self.listener.accept()
                self.connections += 1
                raw.settimeout(sendmail.PATIENCE)
                with raw, self.context.wrap_socket(
                        raw, server_side=True) as tls:
                    self.talk(tls)
        except OSError:
            return

    def __exit__(self, *_):
        # accept(2) does not end because somebody else closes.
        self.listener.shutdown(socket.SHUT_RDWR)
        super().__exit__()


class Storing(TestCase):
    def test_a_server_that_is_down_and_comes_back(self):
        result = self.add("b@example.org", "c@example.org")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(len(result.lines), 1, result)
        self.assertIn(NEVER_RUN, result.err)
        # The spool does not know what the command line said.
        self.assertIn(f"-q --spool {self.spool} and the same options about "
                      f"the server, as --url {NOBODY}\n", result.err)
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


    def test_who_is_interrupted_has_stored_it(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"smtps://{HOST}:{silent.getsockname()[1]}"
            process = subprocess.Popen(
                [PROGRAM, "--config", "/dev/null", "--url", url, "--cafile",
                 self.ca, "--spool", self.spool, *FROM, "b@example.org"],
                stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
            process.stdin.write(MAIL)
            process.stdin.close()
            connection, _ = silent.accept()
            process.send_signal(signal.SIGTERM)
            process.wait(sendmail.PATIENCE)
            connection.close()
        self.assertEqual(process.returncode, 0)
        self.assertEqual(len(self.emptied()), 1)


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


class Runs(TestCase):
    def test_without_a_spool_there_is_nothing_to_do(self):
        for args in (["-q"], ["-q15m"], ["-qIx"], ["-qRx"]):
            self.assert_status(run(*args), 0)
        self.assertEqual(run("-bp").out, b"Mail queue is empty\n")

    def test_a_spool_that_is_not_there_yet(self):
        self.assertIn("empty", self.listing())
        self.assertFalse(self.spool.exists())
        self.assertEqual(self.emptied(), [])
        self.assertEqual(self.listing(), "Mail queue is empty\n")
        result = self.add("b@example.org")
        self.assertEqual((result.status, result.err), (0, ""), result)

    def test_a_run_needs_a_server(self):
        self.stored()
        result = run("-q", "--spool", self.spool)
        self.assert_status(result, CONFIG, "no server is set")
        self.assertEqual(len(self.spooled()), 1)

    def test_all_go_by_one_connection(self):
        for _ in range(5):
            self.stored()
        result = self.queue("-v")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(len(self.sink.take()), 5)
        self.assertEqual(result.err.count("EHLO"), 1, result)

    def test_a_server_that_is_still_down(self):
        self.stored()
        self.stored()
        self.assert_status(self.queue(url=NOBODY), 0)
        self.assertEqual(len(self.spooled()), 2)
        self.assertEqual(self.listing().count("2 attempts"), 2)

    def test_what_is_due_and_what_is_not(self):
        self.stored()
        # The first run after it was stored tries.
        self.assert_status(self.queue(url=NOBODY, flag="-q5m"), 0)
        self.assertIn("2 attempts", self.listing())
        self.assert_status(self.queue(flag="-q5m"), 0)
        self.assertIn("2 attempts", self.listing())
        self.assertEqual(self.sink.take(), [])
        self.assertEqual(len(self.emptied()), 1)

    def test_one_message(self):
        first, second = self.stored(), self.stored("c@example.org")
        self.assert_status(self.queue(second.name, flag="-qI"), 0)
        self.assertEqual(self.spooled(), [first])
        mail, = self.sink.take()
        self.assertEqual(mail.recipients, ["c@example.org"])
        self.assert_status(self.queue(flag="-qI" + first.name), 0)
        self.assertEqual(self.spooled(), [])
        self.assert_status(self.queue(flag="-qI" + first.name), NOINPUT,
                           first.name)
        self.assert_status(self.queue(flag="-qI"), USAGE, "-qI")

    def test_one_recipient(self):
        first = self.stored()
        self.stored("c@Example.net", "d@example.org")
        for flag, more in (("-qREXAMPLE.net", []), ("-qR", ["b@ex"])):
            self.assert_status(self.queue(*more, flag=flag), 0)
            self.assertEqual(len(self.sink.take()), 1)
            self.assertLessEqual(set(self.spooled()), {first})
        self.assertEqual(self.spooled(), [])

    def test_who_names_a_message_is_told_of_its_failure(self):
        path = self.stored()
        with self.refuser(MAIL="451 4.3.0 later\r\n") as server:
            result = self.queue(flag="-qI" + path.name, url=server.url)
        self.assert_status(result, TEMPFAIL, "451 4.3.0 later")

    def test_some_recipients_and_the_rest_later(self):
        self.stored("yes@example.org", "later@example.org")
        with self.refuser(RCPT=WhatIsStored.rcpt) as server:
            self.assert_status(self.queue(url=server.url), 0)
        mail, = self.emptied()
        self.assertEqual(mail.recipients, ["later@example.org"])

    def test_an_answer_that_is_lost(self):
        self.stored()
        with self.refuser(**{".": None}) as server:
            self.assert_status(self.queue(url=server.url), 0)
        self.assertIn("in doubt since", self.listing())
        # A duplicate rather than a loss.
        self.assertEqual(len(self.emptied()), 1)

    def test_doubt_stays_until_somebody_decides(self):
        self.stored()
        with self.refuser(**{".": None}) as server:
            self.queue(url=server.url)
        since = re.search("in doubt since [-0-9: ]+", self.listing())[0]
        self.queue(url=NOBODY)
        with self.refuser(RCPT="451 later\r\n") as server:
            self.queue(url=server.url)
        self.assertIn(since, self.listing())
        self.assertIn("4 attempts", self.listing())

    def test_a_server_that_counts_messages(self):
        """421 to the second mail of a connection: a new one gets it."""
        for _ in range(3):
            self.stored()
        served = []

        def mail(command):
            served.append(command)
            return "250 ok\r\n" if len(served) % 2 else "421 enough\r\n"

        with Patient(self.folder, MAIL=mail) as server:
            self.assert_status(self.queue(url=server.url), 0)
            self.assertEqual(server.connections, 3)
        self.assertEqual(self.spooled(), [])

    def test_an_account_that_is_gone_waits_for_a_person(self):
        config = self.folder / "accounts.conf"
        text = "".join(f"[{name}]\nurl = {url}\ncafile = {self.ca}\n"
                       for name, url in (("one", NOBODY), ("two", NOBODY)))
        config.write_text(text)
        config.chmod(0o600)
        for name in ("one", "two"):
            result = run("--config", config, "--account", name, "--spool",
                         self.spool, *FROM, f"{name}@example.org")
            self.assertEqual(result.status, 0, result)
        config.write_text(f"[two]\nurl = {self.sink.smtps}\n"
                          f"cafile = {self.ca}\n")
        result = run("-q", "--config", config, "--spool", self.spool)
        self.assertEqual(result.status, CONFIG, result)
        self.assertIn("one", result.err)
        mail, = self.sink.take()
        self.assertEqual(mail.recipients, ["two@example.org"])
        self.assertIn("account one", self.listing())
        self.assertEqual(len(self.emptied()), 1)

    def test_each_message_has_the_settings_of_its_account(self):
        """A run is of no account, or of another one."""
        logs = {name: self.spool.parent / name for name in ("one", "two")}
        config = self.folder / "own.conf"
        config.write_text("account = one\n" + "".join(
            f"[{name}]\nspool = {self.spool}\ncafile = {self.ca}\n"
            f"url = {NOBODY}\nlog = {logs[name]}\n{more}"
            for name, more in (("one", ""), (
                "two", "spool-in-doubt = hold\nspool-lifetime = 0s\n"))))
        config.chmod(0o600)
        self.assert_status(run("-q", "--config", config), 0)
        for name in ("one", "two"):
            with self.refuser(**{".": None}) as server:
                result = run("--config", config, "--account", name, *FROM,
                             "--connect-to", f"127.0.0.1:{server.port}",
                             f"{name}@example.org")
            self.assertEqual(result.status, 0, result)
            logs[name].unlink()
        # In doubt, one is sent again, two is held until its time is over.
        config.write_text(config.read_text().replace("lifetime = 0s",
                                                     "lifetime = 30d"))
        to_sink = ("--connect-to", f"127.0.0.1:{self.sink.smtps_port}")
        result = run("-q", "--config", config, *to_sink)
        self.assertEqual((result.status, result.err), (0, ""), result)
        mail, = self.sink.take()
        self.assertEqual(mail.recipients, ["one@example.org"])
        self.assertIn("one@example.org", logs["one"].read_text())
        self.assertFalse(logs["two"].exists())
        config.write_text(config.read_text().replace("lifetime = 30d",
                                                     "lifetime = 0s"))
        result = run("-q", "--config", config, *to_sink)
        self.assertEqual((result.status, result.err), (0, ""), result)
        mail, = self.sink.take()
        self.assertEqual((mail.sender, mail.recipients),
                         ("", ["a@example.org"]))
        self.assertIn(b"two@example.org", mail.data)
        self.assertIn("a@example.org", logs["two"].read_text())
        self.assertEqual(self.spooled(), [])

    def test_what_came_without_an_account_goes_with_what_is_set(self):
        self.stored()
        config = self.folder / "later.conf"
        config.write_text(f"account = one\nspool = {self.spool}\n[one]\n"
                          f"url = {self.sink.smtps}\ncafile = {self.ca}\n")
        config.chmod(0o600)
        self.assert_status(run("-q", "--config", config), 0)
        self.assertEqual(len(self.sink.take()), 1)
        self.assertEqual(self.spooled(), [])

    def test_a_spool_of_a_file_that_nothing_runs(self):
        config = self.folder / "spool.conf"
        config.write_text(f"url = {NOBODY}\ncafile = {self.ca}\n"
                          f"spool = {self.spool}\n")
        config.chmod(0o600)
        result = run("--config", config, *FROM, "b@example.org")
        self.assert_status(result, TEMPFAIL, NEVER_RUN, "-q5m")
        self.assertEqual(self.spooled(), [])
        self.assert_status(run("-q", "--config", config), 0)
        result = run("--config", config, *FROM, "b@example.org")
        self.assert_status(result, 0)
        self.assertEqual(len(self.spooled()), 1)


class OneRecipientAtOnce(TestCase):
    """A message is as many transactions, one after another."""

    RECIPIENTS = tuple(f"{i}@example.org" for i in range(3))

    class Server(Server):
        """It looks at a file while the content comes."""

        def __init__(self, folder, path, **answers):
            self.path, self.taken, self.seen = path, 0, []
            super().__init__(folder, **answers)

        def answer(self, verb, command):
            if verb == "MAIL":
                self.taken = 0
            if verb == "RCPT":
                self.taken += 1
                if self.taken > 1:
                    return "452 4.5.3 one at once\r\n"
            return super().answer(verb, command)

        def read_content(self, stream):
            # What has not been read yet is more than sockets hold.
            stream.readline()
            self.seen.append(self.path.read_bytes().rsplit(b" tried ")[-1])
            while stream.readline() not in (b".\r\n", b""):
                continue

    def test_who_has_it_is_noted_before_the_content_of_the_next(self):
        path = self.stored(*self.RECIPIENTS,
                           stdin=MAIL + (b"x" * 900 + b"\n") * 20000)
        with self.Server(self.folder, path) as server:
            self.assert_status(self.queue(url=server.url), 0)
        self.assertEqual(self.spooled(), [])
        first, second, third = server.seen
        self.assertNotIn(b" state ", first)
        self.assertNotIn(b"doubt", first)
        self.assertIn(b" state 0 accepted ", second)
        self.assertNotIn(b" state 1 accepted ", second)
        self.assertIn(b" state 1 accepted ", third)
        self.assertNotIn(b" state 2 ", third)

    def test_who_is_not_asked_yet_is_not_held(self):
        path = self.stored(*self.RECIPIENTS)
        ends = iter(("250 ok\r\n", None))
        with self.Server(self.folder, path,
                         **{".": lambda _: next(ends)}) as server:
            self.queue(url=server.url)
        listing = self.listing()
        self.assertIn("<1@example.org>: in doubt since", listing)
        self.assertIn("<2@example.org>: waiting", listing)
        self.assertNotIn("<0@example.org>", listing)
        self.queue("--spool-in-doubt", "hold")
        mail, = self.sink.take()
        self.assertEqual(mail.recipients, ["2@example.org"])


class Options(TestCase):
    """What was asked for is asked for, however late it is sent."""

    EHLO = ("250-localhost\r\n250-DSN\r\n250-REQUIRETLS\r\n"
            "250-MT-PRIORITY MIXER\r\n250-FUTURERELEASE 864000 "
            "2030-01-01T00:00:00Z\r\n250-SMTPUTF8\r\n250 8BITMIME\r\n")

    def commands(self, *args):
        self.stored(*args, "b@example.org")
        with self.refuser(EHLO=self.EHLO) as server:
            self.assert_status(self.queue(url=server.url), 0)
        self.assertEqual(self.spooled(), [])
        return (next(c for c in server.commands if c.startswith("MAIL")),
                next(c for c in server.commands if c.startswith("RCPT")))

    def test_notifications(self):
        mail, rcpt = self.commands("-N", "success,failure", "-R", "hdrs",
                                   "-V", "a b")
        self.assertIn(" RET=HDRS", mail)
        self.assertIn(" ENVID=a+20b", mail)
        self.assertIn(" NOTIFY=SUCCESS,FAILURE", rcpt)

    def test_tls_all_the_way_and_a_priority(self):
        mail, _ = self.commands("--require-tls", "--smtputf8", "--priority",
                                "-3")
        self.assertIn(" REQUIRETLS", mail)
        self.assertIn(" SMTPUTF8", mail)
        self.assertIn(" MT-PRIORITY=-3", mail)

    def test_nothing_that_was_not_asked_for(self):
        mail, rcpt = self.commands()
        self.assertEqual(rcpt, "RCPT TO:<b@example.org>")
        for word in ("RET", "ENVID", "REQUIRETLS", "SMTPUTF8", "HOLD", "MT-"):
            self.assertNotIn(word, mail)

    def test_no_report_where_none_was_asked_for(self):
        for asked in ("never", "success"):
            self.stored("-N", asked, "b@example.org")
            with self.refuser(EHLO=self.EHLO,
                              RCPT="550 5.1.1 no\r\n") as server:
                self.assert_status(self.queue(url=server.url), 0)
            self.assertEqual(self.spooled(), [])
        self.assertEqual(len(self.dead()), 2)

    def test_only_the_header_comes_back_where_that_was_asked_for(self):
        for option in (["-R", "hdrs"], ["--require-tls"]):
            self.stored(*option, "b@example.org")
            with self.refuser(EHLO=self.EHLO, RCPT=lambda c: "250 ok\r\n"
                              if "<a@" in c else
                              "550 5.1.1 no\r\n") as server:
                self.assert_status(self.queue(url=server.url), 0)
            self.assertIn(b"text/rfc822-headers", server.content)
            self.assertNotIn(b"\r\nbody\r\n", server.content)
            if option == ["--require-tls"]:
                self.assertEqual(sum("REQUIRETLS" in c
                                     for c in server.commands), 2)


class Bounces(TestCase):
    NOW = ("--spool-lifetime", "0s")

    def run_refused(self, *args, **answers):
        with self.refuser(**answers) as server:
            self.assert_status(self.queue(*args, url=server.url), 0)

    @staticmethod
    def all_but_reports(command):
        return "451 x\r\n" if "<a@" in command else WhatIsStored.rcpt(command)

    def bounce(self):
        """The one mail that comes out of the spool, as a report."""
        mail, = self.emptied()
        self.assertEqual(mail.sender, "")
        self.assertEqual(mail.recipients, ["a@example.org"])
        report = email.message_from_bytes(mail.data,
                                          policy=email.policy.default)
        self.assertEqual(report.get_content_type(), "multipart/report")
        self.assertEqual(report.get_param("report-type"), "delivery-status")
        self.assertEqual(report.defects, [])
        self.assertEqual(report["Auto-Submitted"], "auto-replied")
        for field in ("From", "To", "Subject", "Date", "Message-ID"):
            self.assertEqual(len(report.get_all(field)), 1)
        return report

    def statuses(self, report):
        _, status, _ = report.iter_parts()
        self.assertEqual(status.get_content_type(), "message/delivery-status")
        return [dict(block.items()) for block in status.get_payload()]

    def test_refused_for_good(self):
        self.stored("b@example.org", "no@example.org")
        self.run_refused(RCPT=self.all_but_reports)
        report = self.bounce()
        message, recipient = self.statuses(report)
        self.assertIn("dns; ", message["Reporting-MTA"])
        self.assertIn("Arrival-Date", message)
        self.assertEqual(recipient["Final-Recipient"],
                         "rfc822; no@example.org")
        self.assertEqual(recipient["Action"], "failed")
        self.assertEqual(recipient["Status"], "5.1.1")
        self.assertEqual(recipient["Diagnostic-Code"], "smtp; 550 5.1.1 who?")
        words, _, returned = report.iter_parts()
        self.assertIn("<no@example.org>:", words.get_content())
        self.assertNotIn("b@example.org", words.get_content())
        self.assertEqual(returned.get_content_type(), "message/rfc822")
        self.assertEqual(returned.get_content()["Message-ID"],
                         "<1@example.org>")

    def test_the_report_leaves_in_the_same_run(self):
        self.stored()
        with self.refuser(RCPT=lambda command: "550 no\r\n"
                          if "b@" in command else "250 ok\r\n") as server:
            self.assert_status(self.queue(url=server.url), 0)
            self.assertIn(b"550 no", server.content)
        self.assertEqual(self.spooled(), [])

    def test_some_refused_while_others_wait(self):
        self.stored("no@example.org", "later@example.org", "yes@example.org")
        self.run_refused(RCPT=self.all_but_reports)
        self.assertEqual(len(self.spooled()), 2)
        mails = self.emptied()
        self.assertEqual(sorted((m.sender, *m.recipients) for m in mails),
                         [("", "a@example.org"),
                          ("a@example.org", "later@example.org")])

    def test_a_lifetime_that_is_over(self):
        self.stored()
        # It is tried once more before it is given up.
        self.assert_status(self.queue(*self.NOW, url=NOBODY), 0)
        self.assertNotIn("<b@example.org>", self.listing())
        _, recipient = self.statuses(self.bounce())
        self.assertEqual(recipient["Status"], "4.4.7")
        self.assertNotIn("Diagnostic-Code", recipient)

    def test_what_the_server_does_not_offer(self):
        self.stored("--smtputf8", "b@example.org")
        with self.refuser(EHLO="250 localhost\r\n") as server:
            self.assert_status(self.queue(url=server.url), 0)
        # The report does not need it.
        self.assertEqual(self.spooled(), [])
        self.assertIn(b"\r\nStatus: 5.0.0\r\n", server.content)
        self.assertIn(b"needs SMTPUTF8", server.content)

    def modest_report(self, ehlo, *args, **more):
        """
        What a server that lacks something is given instead, which is all that
        has its sender know; its header and what it gives back.
        """
        self.stored(*args, **more)
        with Patient(self.folder, EHLO=ehlo) as server:
            self.assert_status(self.queue(url=server.url), 0)
        self.assertEqual((self.spooled(), self.dead()), ([], []))
        mail = next(c for c in server.commands if c.startswith("MAIL FROM:<>"))
        self.assertNotIn("BODY=", mail)
        self.assertNotIn("SMTPUTF8", mail)
        self.assertTrue(server.content.isascii())
        report = email.message_from_bytes(server.content)
        self.assertEqual(report.get_content_type(), "multipart/report")
        words, status, *returned = report.get_payload()
        self.assertEqual(status.get_content_type(), "message/delivery-status")
        return (words.get_payload(), status.get_payload()[1],
                [(p.get_content_type(), p.get_payload()) for p in returned])

    def test_a_report_about_8bit_does_not_need_8bit(self):
        _, status, returned = self.modest_report(
            "250 localhost\r\n", "b@example.org",
            stdin=MAIL + b"gr\xfc\xdf\xc3\xbc\n")
        self.assertEqual(status["Status"], "5.0.0")
        (kind, header), = returned
        self.assertEqual(kind, "text/rfc822-headers")
        self.assertIn("Message-ID: <1@example.org>", header)

    def test_a_report_about_a_header_of_8bit_gives_nothing_back(self):
        for args in ((), ("--smtputf8",)):
            _, _, returned = self.modest_report(
                "250-localhost\r\n250 8BITMIME\r\n" if args else
                "250 localhost\r\n", *args, "b@example.org",
                stdin=b"Subject: gr\xc3\xbc\xc3\x9fe\n" + MAIL)
            self.assertEqual(returned, [])

    def test_a_report_about_an_address_is_ascii(self):
        words, status, returned = self.modest_report(
            "250 localhost\r\n", "gr\xfc\xdfe@example.org")
        self.assertIn("<gr\\x{FC}\\x{DF}e@example.org>:", words)
        self.assertEqual(status["Final-Recipient"],
                         "utf-8; gr\\x{FC}\\x{DF}e@example.org")
        self.assertEqual([kind for kind, _ in returned], ["message/rfc822"])

    def test_a_report_about_a_size_is_smaller(self):
        _, _, returned = self.modest_report(
            "250-localhost\r\n250 SIZE 65536\r\n", "b@example.org",
            stdin=MAIL + b"0123456789\n" * 6000)
        self.assertEqual([kind for kind, _ in returned],
                         ["text/rfc822-headers"])

    def test_a_reply_does_not_make_a_report_8bit(self):
        self.stored()
        with self.refuser(
                EHLO="250 localhost\r\n", RCPT=lambda c: "250 ok\r\n"
                if "<a@" in c else "550 5.1.1 \xfc\r\n") as server:
            self.assert_status(self.queue(url=server.url), 0)
        self.assertEqual((self.spooled(), self.dead()), ([], []))
        self.assertTrue(server.content.isascii())

    def test_after_its_lifetime_a_mail_may_still_arrive(self):
        self.stored()
        mail, = self.emptied(*self.NOW)
        self.assertEqual(mail.recipients, ["b@example.org"])

    def test_what_is_held_is_given_up_in_the_end(self):
        self.stored()
        with self.refuser(**{".": None}) as server:
            self.queue(url=server.url)
        hold = ("--spool-in-doubt", "hold")
        self.assertEqual(self.queue(*hold, *self.NOW).status, 0)
        mail, = self.sink.take()
        self.assertEqual(mail.sender, "")
        self.assertIn(b"may have been delivered", mail.data)

    def test_never_for_the_null_sender(self):
        result = self.send("--spool", self.spool, "-f", "<>", "b@example.org",
                           url=NOBODY)
        self.assertEqual(result.status, 0, result)
        self.run_refused(RCPT="550 5.1.1 no\r\n")
        self.assertEqual(self.spooled(), [])
        self.assertEqual(len(self.dead()), 1)
        self.assertIn(b"body\n", self.dead()[0].read_bytes())
        self.assertIn("1 given up", self.listing())
        # Whoever names it has it tried again.
        mail, = self.emptied(flag="-qI" + self.dead()[0].name)
        self.assertEqual(mail.recipients, ["b@example.org"])
        self.assertEqual(self.dead(), [])

    def test_a_report_that_nobody_takes_ends_among_the_dead(self):
        self.stored()
        self.run_refused(RCPT="550 5.1.1 no\r\n")
        self.assertEqual(self.spooled(), [])
        self.assertEqual(len(self.dead()), 1)
        self.assertIn(b"multipart/report", self.dead()[0].read_bytes())

    def test_what_cannot_be_ascii(self):
        self.stored("gr\xfc\xdfe@example.org")
        self.run_refused(RCPT=lambda c: "250 ok\r\n" if "a@" in c else
                         "550 5.1.1 \xfc\r\n")
        # The report has gone by the same connection.
        self.assertEqual(self.spooled(), [])

    def test_a_report_about_non_ascii(self):
        self.stored("gr\xfc\xdf+e@example.org")
        self.run_refused(RCPT=lambda c: "451 x\r\n" if "a@" in c else
                         "550 5.1.1 who\r\n")
        _, recipient = self.statuses(self.bounce())
        self.assertEqual(recipient["Final-Recipient"],
                         "utf-8; gr\\x{FC}\\x{DF}\\x{2B}e@example.org")

    def test_a_large_mail_comes_back_as_its_header(self):
        self.stored(stdin=MAIL + b"0123456789\n" * 200000)
        self.run_refused(RCPT=lambda c: "451 x\r\n" if "a@" in c else
                         "550 5.1.1 who\r\n")
        *_, returned = self.bounce().iter_parts()
        self.assertEqual(returned.get_content_type(), "text/rfc822-headers")
        self.assertIn("<1@example.org>", returned.get_content())
        self.assertNotIn("0123456789", returned.get_content())

    def test_a_loop_is_cut(self):
        hops = b"".join(b"Received: from x by y; %d\n" % i for i in range(50))
        self.stored(stdin=hops + MAIL)
        result = self.queue()
        self.assertIn("in a loop", result.err)
        self.assertEqual((self.spooled(), self.sink.take()), ([], []))
        self.assertEqual(len(self.dead()), 1)
        self.assertEqual(len(self.emptied(flag="-qI" + self.dead()[0].name)),
                         1)
        self.stored(stdin=hops[hops.index(b"\n") + 1:] + MAIL)
        self.assertEqual(len(self.emptied()), 1)


class Folder(TestCase):
    """What may be wrong with the folder and its files."""

    def test_a_folder_that_is_open_to_others(self):
        self.spool.mkdir(mode=0o755)
        for result in (self.add("b@example.org"), self.queue()):
            self.assert_status(result, CANTCREAT, "open to others", "0755")
        self.assertEqual(list(self.spool.iterdir()), [])

    def test_a_folder_that_cannot_be_made(self):
        self.spool.write_text("x")
        result = self.add("b@example.org")
        self.assert_status(result, CANTCREAT, str(self.spool), "refused")

    def test_a_folder_of_which_the_parent_is_not_there(self):
        parent = self.spool / "state"
        result = self.send("--spool", parent / "mail", *FROM,
                           "b@example.org", url=NOBODY)
        self.assert_status(result, CANTCREAT, f"mkdir -p {parent}", "refused")
        self.assertFalse(parent.exists())

    def test_a_folder_of_somebody_else(self):
        if os.getuid() != 0:
            self.skipTest("only root can give something away")
        self.spool.mkdir(mode=0o700)
        os.chown(self.spool, 65534, 65534)
        self.assert_status(self.add("b@example.org"), CANTCREAT,
                           "belongs to user 65534", "only that user")

    def as_user(self):
        """What has a process run as one who is not above permissions."""
        if os.getuid() != 0:
            return {}
        self.folder.chmod(0o711)
        self.spool.parent.chmod(0o711)
        for path in (self.spool, *self.spool.rglob("*")):
            os.chown(path, 65534, 65534)
        more = {"user": 65534, "group": 65534, "extra_groups": []}
        try:
            run("--version", **more)
        except PermissionError:
            self.skipTest("another user cannot run the program here")
        return more

    def test_where_one_may_not_write(self):
        path = self.stored()
        self.queue(url=NOBODY)
        place = self.spool / "queue"
        user = self.as_user()
        place.chmod(0o500)
        self.addCleanup(place.chmod, 0o700)
        self.assert_status(self.add("b@example.org", **user), CANTCREAT,
                           "Permission denied")
        # It is sent, and cannot be removed; that it was sent is noted.
        result = self.queue(**user)
        self.assertEqual(result.status, CANTCREAT, result)
        self.assertEqual(len(self.sink.take()), 1)
        self.queue(**user)
        self.assertEqual(self.sink.take(), [])
        path.chmod(0o400)
        self.assertEqual(self.queue(**user).status, CANTCREAT)
        self.assertIn("1 message", run("-bp", "--spool", self.spool,
                                       **user).out.decode())

    def test_a_file_that_cannot_be_written_is_not_sent(self):
        path = self.stored()
        user = self.as_user()
        path.chmod(0o400)
        result = self.queue(**user)
        self.assert_status(result, CANTCREAT, path.name, "Permission denied")
        self.assertEqual(self.sink.take(), [])
        path.chmod(0o600)
        self.assertEqual(len(self.emptied(**user)), 1)

    def test_symbolic_links_are_not_followed(self):
        path = self.stored()
        outside = self.spool.parent / "outside"
        path.rename(outside)
        before = outside.read_bytes()
        path.symlink_to(outside)
        result = self.queue()
        self.assert_status(result, CANTCREAT, "symbolic link", path.name)
        self.assertIn("BROKEN", self.listing())
        self.assertEqual(outside.read_bytes(), before)
        self.assertEqual(self.sink.take(), [])
        path.unlink()
        (self.spool / "queue").rmdir()
        (self.spool / "queue").symlink_to(self.spool.parent)
        for result in (self.add("b@example.org"), self.queue(),
                       run("-bp", "--spool", self.spool)):
            self.assert_status(result, CANTCREAT, "queue")

    def test_last_run_is_no_way_out(self):
        self.stored()
        outside = self.spool.parent / "outside"
        (self.spool / "last-run").symlink_to(outside)
        self.assert_status(self.queue(), CANTCREAT, "last-run")
        self.assertFalse(outside.exists())

    def test_what_is_no_message_is_named_and_left(self):
        good = self.stored()
        data = good.read_bytes()
        broken = {
            "empty": b"",
            "nothing like it": b"hello\n" * 20,
            "cut in the content": data[:100],
            "cut in the envelope": data[:-150],
            "a bit turned": data.replace(b" b@ex", b" c@ex")
            .replace(b"recipient <b", b"recipient <c"),
            "a length that is wrong": data.replace(b"000001", b"009991", 1),
        }
        paths = []
        for i, text in enumerate(broken.values()):
            path = good.with_name(good.name[:11] + f"-{i:016d}")
            path.write_bytes(text)
            paths.append(path)
        result = self.queue()
        self.assertEqual(result.status, CANTCREAT, result)
        self.assertEqual(len(result.lines), len(paths), result)
        for path in paths:
            self.assertIn(path.name, result.err)
        self.assertEqual(self.listing().count("BROKEN"), len(paths))
        self.assertEqual(self.spooled(), sorted(paths))
        self.assertEqual([p.read_bytes() for p in paths],
                         list(broken.values()))
        self.assertEqual(len(self.sink.take()), 1)

    def test_a_torn_tail_is_cut_by_the_next_who_writes(self):
        path = self.stored()
        whole = path.read_bytes()
        path.write_bytes(whole + b"1234abcd state 0 acc" + b"\0" * 5000)
        self.assertIn("<b@example.org>: waiting", self.listing())
        self.assert_status(self.queue(url=NOBODY), 0)
        self.assertTrue(path.read_bytes().startswith(whole))
        self.assertNotIn(b"\0", path.read_bytes())
        self.assertEqual(len(self.emptied()), 1)

    def test_a_reply_cannot_write_into_the_file(self):
        path = self.stored()
        with self.refuser(MAIL="451 a\x0bb\x1b[2J\xff \\n\r\n") as server:
            self.queue(url=server.url)
        self.assertNotIn(b"\x1b", path.read_bytes())
        self.assertIn("2 attempts", self.listing())

    def test_what_was_left_behind_is_removed_in_time(self):
        self.stored()
        place = self.spool / "queue"
        name = self.spooled()[0].name[:-1]
        old, new = place / f".new-{name}0", place / f".new-{name}1"
        other = place / ".something"
        for path in (old, new, other):
            path.write_text("x")
        for path in (old, other):
            os.utime(path, (1, 1))
        self.assert_status(self.queue(), 0)
        self.assertEqual(sorted(place.iterdir()), sorted([new, other]))


def no_file_above(size):
    """What makes a disk full, for one process: a limit for its files."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


class FullDisk(TestCase):
    def test_nothing_is_stored_in_part(self):
        self.stored()
        whole = self.spooled()[0].stat().st_size
        # The last one is cut by a single octet.
        for size in [*range(0, whole, 31), whole - 1]:
            result = self.add("b@example.org",
                              preexec_fn=no_file_above(size))
            self.assertEqual(result.status, CANTCREAT, result)
            self.assertIn("File too large", result.err)
        self.assertEqual(len(list((self.spool / "queue").iterdir())), 1)
        self.assertEqual(len(self.emptied()), 1)

    def test_in_doubt_and_no_place_is_in_doubt(self):
        with self.refuser(**{".": None}) as server:
            result = self.add("b@example.org", url=server.url,
                              preexec_fn=no_file_above(10))
        self.assertEqual(result.status, IOERR, result)
        self.assertTrue(result.err.startswith("in doubt: "), result)

    def test_what_cannot_be_noted_is_not_sent(self):
        path = self.stored()
        size = path.stat().st_size
        result = self.queue(preexec_fn=no_file_above(size))
        self.assertEqual(result.status, CANTCREAT, result)
        self.assertEqual(self.sink.take(), [])
        self.assertIn("waiting", self.listing())
        self.assertEqual(len(self.emptied()), 1)

    def test_what_is_accepted_has_its_place(self):
        """The words are dropped, the outcomes are not."""
        path = self.stored("yes@example.org", "later@example.org")
        size = path.stat().st_size
        later = "451 4.2.1 " + "x" * 400 + "\r\n"
        with self.refuser(RCPT=lambda c: later if "later" in c
                          else "250 ok\r\n") as server:
            result = self.queue(
                url=server.url,
                preexec_fn=no_file_above(size + 40 + 3 * 64))
            self.assertEqual(server.content.count(b"body"), 1)
        self.assertEqual(result.status, 0, result)
        listing = self.listing()
        self.assertIn("<later@example.org>: waiting", listing)
        self.assertNotIn("xxxx", listing)
        mail, = self.emptied()
        self.assertEqual(mail.recipients, ["later@example.org"])


class SmallDisk(TestCase):
    """A disk of its own, where this may have one."""

    SCRIPT = """
        mount -t tmpfs -o size=64k,mode=700 none "$SPOOL" || exit 77
        store() { "$@" <"$MAIL"; echo "store $?"; }
        run() { "$@" -q <"$MAIL"; echo "run $?"; }
        list() { "$@" -bp | tail -n 1; }
        store "$@"
        cat /dev/zero >"$SPOOL/fill" 2>/dev/null
        store "$@"
        ls -A "$SPOOL/queue" | wc -l
        rm "$SPOOL/fill"
        mount -o remount,ro "$SPOOL"
        store "$@"
        run "$@"
        list "$@"
        mount -o remount,rw "$SPOOL"
        run "$@" --connect-to "$SINK"
        list "$@"
    """

    def test_full_and_read_only(self):
        self.spool.mkdir(mode=0o700)
        mail = self.spool.parent / "mail"
        # More than what a page that is there already has room for.
        mail.write_bytes(MAIL + b"x" * 70 + b"\n" * 5000)
        result = subprocess.run(
            ["unshare", "-rm", "sh", "-c", self.SCRIPT, "sh", PROGRAM,
             "--config", "/dev/null", "--cafile", self.ca, "--spool",
             self.spool, *FROM, "b@example.org", "--url", "smtps://localhost",
             "--connect-to", "127.0.0.1:1"],
            env={**os.environ, "SPOOL": str(self.spool), "MAIL": str(mail),
                 "SINK": f"127.0.0.1:{self.sink.smtps_port}"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=sendmail.PATIENCE, check=False)
        if result.returncode == 77 or b"unshare" in result.stderr:
            self.skipTest("nothing may be mounted here")
        lines = result.stdout.decode().split("\n")
        self.assertEqual(
            [line.strip() for line in lines],
            ["store 0", f"store {CANTCREAT}", "1", f"store {CANTCREAT}",
             f"run {CANTCREAT}", lines[5], "run 0", "Mail queue is empty",
             ""], result)
        self.assertTrue(lines[5].startswith("1 message, "), result)
        self.assertIn(b"No space left on device", result.stderr)
        self.assertIn(b"Read-only file system", result.stderr)
        self.assertEqual(len(self.sink.take()), 1)


class Interrupted(TestCase):
    def test_what_a_run_did_not_come_to_is_not_put_off(self):
        for i in range(3):
            self.stored(f"{i}@example.org")
        command = [PROGRAM, "--config", "/dev/null", "-q", "--cafile", self.ca,
                   "--spool", self.spool]
        started = queue.Queue()

        def interrupt(_):
            process = started.get()
            process.terminate()
            process.wait(sendmail.PATIENCE)

        with self.refuser(MAIL=interrupt) as server:
            process = subprocess.Popen([*command, "--url", server.url],
                                       stdin=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE)
            started.put(process)
            _, err = process.communicate(timeout=sendmail.PATIENCE)
        self.assertEqual((process.returncode, err), (0, b""))
        listing = self.listing()
        self.assertEqual((listing.count("  2 attempts"),
                          listing.count("  1 attempt\n")), (1, 2), listing)
        self.assertEqual(len(self.emptied()), 3)


class FullFile(TestCase):
    """A server that puts off for ever does not fill a file with its words."""

    COUNT = 10000

    def put_off(self, words):
        with self.refuser(RCPT=f"451 4.7.1 {words}\r\n") as server:
            result = self.queue(url=server.url)
        self.assertEqual((result.status, result.err), (0, ""), result)

    def test_the_same_words_are_kept_once(self):
        path = self.stored(*(f"{i}@example.org" for i in range(100)))
        self.put_off("x" * 480)
        size = path.stat().st_size
        for _ in range(3):
            self.put_off("x" * 480)
        # What is added is the attempts.
        self.assertLess(path.stat().st_size, size + 3 * 2000)
        self.assertEqual(self.listing().count("x" * 480), 101)
        mail, = self.emptied()
        self.assertEqual(len(mail.recipients), 100)

    def test_other_words_each_time_come_to_an_end(self):
        path = self.stored(*(f"{i}@example.org" for i in range(self.COUNT)))
        # One time is 5 MiB.
        sizes = []
        for i in range(5):
            self.put_off(f"{i}" * 480)
            sizes.append(path.stat().st_size)
        self.assertLess(sizes[-1], 16 * 1024 * 1024)
        self.assertLess(sizes[-1], sizes[-2] + 2000)
        with self.refuser() as server:
            self.assert_status(self.queue(url=server.url), 0)
        self.assertEqual(self.spooled(), [])
        self.assertEqual(len([c for c in server.commands
                              if c.startswith("RCPT")]), self.COUNT)


class Clocks(TestCase):
    """Faketime moves the clock on the wall."""

    def setUp(self):
        super().setUp()
        if shutil.which("faketime") is None or \
                os.environ.get("SANITIZED") == "yes":
            self.skipTest("faketime is not there, or does not go with this")

    def at(self, when, flag):
        result = subprocess.run(
            ["faketime", "-f", when, PROGRAM, "--config", "/dev/null",
             "--url", NOBODY, "--cafile", self.ca, "--spool", self.spool,
             flag], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
            timeout=sendmail.PATIENCE, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, b""))

    def test_a_clock_that_goes_back_delays_nothing(self):
        self.stored()
        self.queue(url=NOBODY)
        self.at("-3y", "-q5m")
        self.assertIn("3 attempts", self.listing())

    def test_a_clock_that_was_wrong_ends_nothing(self):
        self.stored()
        self.at("+10y", "-q")
        # What was planned in that future does not hold.
        self.assert_status(self.queue(url=NOBODY, flag="-q5m"), 0)
        self.assertIn("3 attempts", self.listing())
        self.assertEqual(len(self.emptied()), 1)

    def test_a_message_that_is_late_comes_back_if_that_was_asked_for(self):
        self.stored("--deliver-by", "7200,return", "late@example.org")
        self.stored("--deliver-by", "7200", "b@example.org")
        # Nobody has to answer for it to be late.
        self.at("+3h", "-q")
        mails = {mail.sender: mail for mail in self.emptied()}
        self.assertEqual(mails[""].recipients, ["a@example.org"])
        self.assertIn(b"late@example.org", mails[""].data)
        self.assertIn(b"given back", mails[""].data)
        self.assertEqual(mails["a@example.org"].recipients, ["b@example.org"])

    def test_a_week_is_too_long(self):
        self.stored()
        self.at("+3d", "-q")
        self.assertIn("b@example.org", self.listing())
        self.at("+6d", "-q")
        mail, = self.emptied()
        self.assertEqual(mail.sender, "")


class Runners(TestCase):
    """Any number of runs at a time send each message once."""

    COUNT, RUNNERS = 50, 8

    def test_in_parallel(self):
        count = self.COUNT
        if os.environ.get("STLS_TEST_FULL"):
            count = 10000
        first = self.stored("0@example.org")
        data = first.read_bytes()
        # Each has an envelope of its own, written as the program does.
        for i in range(1, count):
            name = f"{first.name[:11]}-{i:016d}"
            first.with_name(name).write_bytes(
                data.replace(b"Subject: hello", b"Subject: %5d" % i))
        processes = [subprocess.Popen(
            [PROGRAM, "--config", "/dev/null", "-q", "--url", self.sink.smtps, "--cafile", self.ca,
             "--spool", self.spool], stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE) for _ in range(self.RUNNERS)]
        for process in processes:
            _, err = process.communicate(timeout=sendmail.PATIENCE * 20)
            self.assertEqual((process.returncode, err), (0, b""))
        self.assertEqual(self.spooled(), [])
        subjects = [m.field("Subject")[0] for m in self.sink.take()]
        self.assertEqual(len(subjects), count)
        self.assertEqual(len(set(subjects)), count)


if __name__ == "__main__":
    unittest.main(verbosity=2)
