#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""sendmail-tls and its configuration files."""

import base64
import os
import pathlib
import pwd
import re
import subprocess
import unittest

import sendmail
from sendmail import CONFIG, USAGE, run

ROOT = pathlib.Path(__file__).resolve().parents[3]
KEYRING = os.environ.get("SENDMAIL_TLS_KEYRING")
ENVELOPE = ["-f", "a@example.org", "b@example.org"]


def pwd_name():
    return pwd.getpwuid(os.getuid()).pw_name


class ConfigCase(sendmail.TestCase):
    def setUp(self):
        self.path = self.folder / "test.conf"

    def write(self, text, mode=0o600, path=None):
        """Write a configuration, and return its path."""
        path = path or self.path
        data = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(data)
        path.chmod(mode)
        return path

    def with_config(self, text, *args, mode=0o600, **more):
        return run(*args, config=self.write(text, mode), **more)

    def server(self, more=""):
        """The lines that name the sink, and more of them."""
        return f"url = {self.sink.smtps}\ncafile = {self.ca}\n{more}"


class Files(ConfigCase):
    def test_a_file_says_what_the_command_line_leaves_out(self):
        result = self.with_config(self.server("domain = example.net\n"),
                                  "-f", "alice", "bob@example.org")
        self.assertEqual((result.status, result.err), (0, ""))
        mail, = self.sink.take()
        self.assertEqual((mail.sender, mail.recipients),
                         ("alice@example.net", ["bob@example.org"]))

    def test_the_command_line_counts_more(self):
        result = self.with_config(
            self.server("domain = example.net\n"), "--domain", "example.com",
            "-f", "alice", "bob@example.org")
        self.assertEqual((result.status, result.err), (0, ""))
        mail, = self.sink.take()
        self.assertEqual(mail.sender, "alice@example.com")

    def test_a_file_that_was_named_must_be_there(self):
        for option in ("--config", "-C"):
            result = run(option, self.folder / "none.conf", *ENVELOPE,
                         config=None)
            self.assert_status(result, CONFIG, "none.conf",
                               "configuration file")

    def test_without_a_server_the_sentence_says_how_to_set_one(self):
        result = run(*ENVELOPE)
        self.assert_status(result, CONFIG, "--url smtps://",
                           "/.config/sendmail-tls.conf")
        result = self.with_config("domain = example.net\n", *ENVELOPE)
        self.assert_status(result, CONFIG, str(self.path), "has no url")

    def test_what_does_not_go_together_is_of_whoever_said_it(self):
        for text, args, status in (
                ("url = smtps://x\ninsecure-cleartext = yes\n", (), CONFIG),
                ("url = smtps://x\nauth = PLAIN\n", (), CONFIG),
                ("url = smtps://x\n", ("--json",), USAGE),
                ("url = smtps://x\n", ("--auth", "PLAIN"), USAGE)):
            with self.subTest(text=text, args=args):
                result = self.with_config(text, *args, *ENVELOPE)
                self.assertEqual(result.status, status, result)

    def test_every_mistake_has_its_file_and_line(self):
        for text, line, words in (
                (b"\xef\xbb\xbfurl = x\n", 1, "byte order mark"),
                (b"\nurl = x\0y\n", 2, "NUL"),
                (b"# x\r\nurl = smtps://x\r\n", 1, "CR LF"),
                (b"domain = a\x1b\n", 1, "(0x1b)"),
                (b"domain = \xff\n", 1, "not UTF-8"),
                (b"domain = x\ndomain = y\n", 2, "domain is there already, in line 1"),
                (b"\n\nbogus = 1\n", 3, "there is no setting bogus"),
                (b"dry-run = yes\n", 1, "there is no setting dry-run"),
                (b"URL = x\n", 1, "there is no setting URL"),
                (b"url smtps://x\n", 1, "neither key = value"),
                (b"url: smtps://x\n", 1, "neither key = value"),
                (b"= x\n", 1, "no key"),
                (b"url =\n", 1, "url has no value"),
                (b"url = \t \n", 1, "url has no value"),
                (b"[a] ; comment\n", 1, "[NAME]"),
                (b"[]\n", 1, "name of an account"),
                (b"[a b]\n", 1, "name of an account"),
                (b"[" + b"a" * 41 + b"]\n", 1, "name of an account"),
                (b"[a]\nuser = x\n[b]\n[a]\n", 4, "already, in line 1"),
                (b"domain = " + b"x" * 8192 + b"\n", 1, "longer than 8192"),
                (b"tls-min = 1.1\n", 1, "not safe"),
                (b"url = ftp://x\n", 1, "url: the URL has scheme ftp"),
                (b"[a]\nurl = smtps://u:p@x\n", 2, "url: the URL has a user"),
                (b"connect-to = x\n", 1, "connect-to: the place"),
                (b"ehlo = a b\n", 1, "ehlo: host name"),
                (b"ehlo = 192.0.2.1\n", 1, "written in brackets"),
                (b"ehlo = [192.0.2]\n", 1, "no address in brackets"),
                (b"domain = a b\n", 1, "domain: host name"),
                (b"[a]\nciphers = RC4\n", 2, "names no cipher suite"),
                (b"tls-min = x\n", 1, "tls-min is 1.2 or 1.3"),
                (b"timeout = soon\n", 1, "timeout is a number"),
                (b"auth = NTLM\n", 1, "auth is PLAIN"),
                (b"system-ca = maybe\n", 1, "system-ca is yes or no"),
                (b"[a]\ndomain=x\n[b]\ntimeout = x\n", 4, "timeout"),
                (b"cafile = ca.pem\n", 1, "a whole path"),
                (b"spool = spool\n", 1, "a whole path"),
                (b"senders = a@b\n", 1, "belongs to an account"),
                (b"[a]\naccount = b\n", 2, "in front of the first account"),
                (b"account = b\n[a]\nuser=u\n", 1, "no account b"),
                (b"password-file = /x\npassword-command = y\n", 2,
                 "password-file and password-command exclude each other")):
            with self.subTest(text=text[:40]):
                result = self.with_config(text, "-bv", "a@example.org")
                self.assert_status(result, CONFIG, words)
                self.assertIn(f"{self.path}:{line}: ", result.err)

    def test_comments_and_blanks_around_are_nothing(self):
        text = ("\n# comment\n; another = one\n  \t\n   url=smtps://localhost"
                "\n\tdomain \t=   example.net  \n# the end")
        result = self.with_config(text, "-bv", "alice")
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"alice@example.net\n")

    def test_what_looks_like_a_comment_inside_of_a_value_belongs_to_it(self):
        result = self.with_config(
            self.server("user = alice\npassword-command = echo 'x ;y' # z\n"),
            *ENVELOPE)
        self.assertEqual(result.status, 77, result)
        result = self.with_config("domain = a ;b\n", "-bv", "alice")
        self.assert_status(result, CONFIG, "a ;b")

    def test_a_value_may_be_long(self):
        comment = "x" * 3000
        result = self.with_config(
            "domain = example.net\nsenders-are = x\n".replace(
                "senders-are = x", f"[a]\npassword-command = # {comment}"),
            "-bv", "alice")
        self.assert_status(result, 0)

    def test_yes_and_no(self):
        text = self.server("insecure-legacy-tls = yes\n")
        result = self.with_config(text, "--dry-run", *ENVELOPE)
        self.assertIn("--insecure-legacy-tls", result.err)
        result = self.with_config(text.replace("yes", "no"), "--dry-run",
                                  *ENVELOPE)
        self.assertEqual((result.status, result.err), (0, ""))

    def test_help_and_newaliases_need_no_file(self):
        for option in ("--help", "--version", "-bi"):
            result = self.with_config("bogus\n", option)
            self.assert_status(result, 0)


class Rights(ConfigCase):
    def test_a_secret_that_others_can_read_is_refused(self):
        text = self.server("user = alice\npassword = hunter2\n")
        for mode in (0o640, 0o604, 0o644):
            result = self.with_config(text, *ENVELOPE, mode=mode)
            self.assert_status(result, CONFIG, f"chmod 600 {self.path}")
            self.assertNotIn("hunter2", result.err)
        for section in ("[other]\n", ""):
            result = self.with_config(
                self.server(section + "password = hunter2\n"), "-bv",
                "a@example.org", mode=0o644)
            self.assert_status(result, CONFIG, "chmod 600")

    def test_without_a_secret_others_may_read(self):
        result = self.with_config(self.server(), *ENVELOPE, mode=0o644)
        self.assertEqual((result.status, result.err), (0, ""))

    def test_a_file_that_others_can_change_is_refused(self):
        for mode in (0o620, 0o602, 0o666):
            result = self.with_config(self.server(), *ENVELOPE, mode=mode)
            self.assert_status(result, CONFIG, f"chmod go-w {self.path}")

    def test_what_is_no_file_is_refused(self):
        result = run(*ENVELOPE, config=self.folder)
        self.assert_status(result, CONFIG, "not a regular file")
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        result = run(*ENVELOPE, config=fifo)
        self.assert_status(result, CONFIG, "not a regular file")

    @unittest.skipIf(os.getuid() != 0, "only root can give a file away")
    def test_a_file_of_another_user_is_refused(self):
        self.write(self.server())
        os.chown(self.path, 65534, 65534)
        self.addCleanup(self.path.unlink)
        result = run(*ENVELOPE, config=self.path)
        self.assert_status(result, CONFIG, "belongs to user 65534")


class Accounts(ConfigCase):
    TEXT = ("domain = example.org\n"
            "[work]\ndomain = work.example\n"
            "senders = alice@work.example, *@Jobs.example\n"
            "senders = Carol@example.net\n"
            "[home]\ndomain = home.example\nsenders = bob@jobs.example <>\n"
            "[plain]\ntimeout = 60\n")

    def domain(self, *args, text=TEXT):
        result = self.with_config(text, "-bv", *args, "x")
        self.assert_status(result, 0)
        return result.out.decode().rstrip()[2:]

    def test_by_name(self):
        for option in ("-a", "--account"):
            self.assertEqual(self.domain(option, "work"), "work.example")
        self.assertEqual(self.domain("-a", "plain"), "example.org")

    def test_one_that_there_is_not(self):
        result = self.with_config(self.TEXT, "-bv", "-a", "none", "x")
        self.assert_status(result, CONFIG, "no account none", str(self.path))
        result = run("-bv", "-a", "none", "x@example.org")
        self.assert_status(result, CONFIG, "no account none",
                           "no configuration file")

    def test_by_sender(self):
        for sender, domain in (("alice@work.example", "work.example"),
                               ("Alice <alice@WORK.example>", "work.example"),
                               ("<x@jobs.example>", "work.example"),
                               ("bob@jobs.example", "home.example"),
                               ("Carol@EXAMPLE.net", "work.example"),
                               ("carol@example.net", "example.org"),
                               ("alice@work.example.org", "example.org"),
                               ("alice", "example.org"),
                               ("<>", "home.example"),
                               ("", "home.example")):
            with self.subTest(sender=sender):
                self.assertEqual(self.domain("-f", sender), domain)

    def test_the_name_counts_more_than_the_sender(self):
        self.assertEqual(self.domain("-f", "alice@work.example", "-a", "home"),
                         "home.example")

    def test_by_default(self):
        text = "account = home\n" + self.TEXT
        self.assertEqual(self.domain(text=text), "home.example")
        self.assertEqual(self.domain("-f", "x@y.example", text=text),
                         "home.example")
        self.assertEqual(self.domain("-f", "alice@work.example", text=text),
                         "work.example")

    def test_a_sender_that_chooses_two_is_refused(self):
        text = self.TEXT + "[third]\nsenders = *@jobs.example\n"
        result = self.with_config(text, "-bv", "-f", "x@jobs.example", "x")
        self.assert_status(result, CONFIG, "account work", "account third")
        self.assertEqual(self.domain("-f", "bob@jobs.example", text=text),
                         "home.example")

    def talk(self, text, sender, *recipients, args=()):
        """The replies of a conversation behind MAIL, and the mails."""
        said = [f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{r}>"
                                           for r in recipients), "DATA"]
        result = self.with_config(
            text, "-bs", *args, stdin="\r\n".join(
                [*said, "", ".", "QUIT", ""]).encode())
        return result.out.splitlines()[2:-1], self.sink.take()

    def test_bare_recipients_of_a_conversation_are_those_of_its_account(self):
        path = self.write("eve: eve@example.com\n",
                          path=self.folder / "aliases-of-work")
        home, work = "domain = home.example\n", "domain = work.example\n"
        start = self.server() + "aliases = none\n"
        account = "[work]\nsenders = *@work.example\n"
        for text in (start + home + account + work,
                     start + home + account + f"{work}aliases = {path}\n",
                     start + account + work):
            for sender in ("a@work.example", "a@home.example"):
                with self.subTest(text=text, sender=sender):
                    alone = self.with_config(text, "-bv", "-f", sender, "bob",
                                             "eve")
                    replies, mails = self.talk(text, sender, "bob", "eve")
                    self.assertEqual([mail.recipients for mail in mails],
                                     [alone.out.decode().split()]
                                     if alone.status == 0 else [])
                    self.assertEqual(replies[-1][:4], b"250 "
                                     if alone.status == 0 else b"554 ")
        self.assertIn(b"recipient: bob has no domain", replies[-1])

    def test_the_account_of_a_conversation_says_whether_tls_is_required(self):
        work = "[work]\nsenders = *@work.example\n"
        for text, args, asked in (
                (f"{work}require-tls = yes\n", (), [["REQUIRETLS"], []]),
                (f"require-tls = yes\n{work}require-tls = no\n", (),
                 [[], ["REQUIRETLS"]]),
                (f"{work}require-tls = no\n", ("--require-tls", "-N", "never"),
                 [["REQUIRETLS"], ["REQUIRETLS"]])):
            for sender, wanted in zip(("a@work.example", "a@home.example"),
                                      asked):
                with self.subTest(text=text, sender=sender):
                    replies, mails = self.talk(self.server() + text, sender,
                                               "b@x.example", args=args)
                    self.assertEqual(replies[-1][:4], b"250 ")
                    self.assertEqual([mail.asked for mail in mails], [
                        [wanted, ["NOTIFY=NEVER"] if args else []]])

    def test_who_cannot_choose_hears_at_once_that_there_is_no_domain(self):
        replies, mails = self.talk(self.server(), "a@work.example", "bob")
        self.assertEqual([replies[0][:4], mails], [b"553 ", []])

    def test_a_conversation_may_change_the_aliases_by_its_account(self):
        path = self.write("bob: bob@example.com\n",
                          path=self.folder / "aliases")
        text = (self.server(f"aliases = {path}\n") +
                "domain = home.example\n[work]\nsenders = *@work.example\n"
                "aliases = none\ndomain = work.example\n")
        for sender, recipient in (("a@work.example", "bob@work.example"),
                                  ("a@home.example", "bob@example.com")):
            result = self.with_config(
                text, "-bs", stdin=f"HELO x\r\nMAIL FROM:<{sender}>\r\n"
                "RCPT TO:<bob>\r\nDATA\r\n\r\n.\r\nQUIT\r\n".encode())
            self.assertIn(b"\n250 2.0.0", result.out, result)
            mail, = self.sink.take()
            self.assertEqual(mail.recipients, [recipient])

    def test_what_an_account_completes_may_lack_something(self):
        text = "password-command = x\nauth = PLAIN\n[work]\nuser = u\n"
        for mode in (["-bp"], ["-bv", "a@example.org"], ["-q"]):
            self.assert_status(self.with_config(text, *mode), 0)
        result = self.with_config(text.replace("user = u", "domain = x.org"),
                                  "-bv", "-a", "work", "a@example.org")
        self.assert_status(result, CONFIG, "needs --user")

    def test_the_sender_chooses_in_a_conversation_too(self):
        text = ("url = smtps://localhost:1\n"
                f"[work]\n{self.server()}senders = *@work.example\n"
                "envelope-from = boss@work.example\n"
                "force-envelope-from = yes\n")
        talk = b"HELO x\r\nMAIL FROM:<%s>\r\nRCPT TO:<b@example.org>\r\n" \
               b"DATA\r\nSubject: x\r\n\r\n.\r\n"
        for sender, code in ((b"a@work.example", b"250 "),
                             (b"a@home.example", b"451 "),
                             (b"c@work.example", b"250 ")):
            with self.subTest(sender=sender):
                result = self.with_config(
                    text, "-bs", stdin=talk % sender + b"QUIT\r\n")
                self.assertEqual(result.out.splitlines()[-2][:4], code,
                                 result)
        self.assertEqual([mail.sender for mail in self.sink.take()],
                         ["boss@work.example"] * 2)

    def test_an_account_without_settings_is_one(self):
        self.assertEqual(self.domain("-a", "empty", text=self.TEXT +
                                     "[empty]\n"), "example.org")


class Log(ConfigCase):
    def setUp(self):
        super().setUp()
        self.log = self.folder / "mail.log"
        self.log.unlink(missing_ok=True)

    def logged(self, *args, **more):
        """What is in the log after a mail, a line each."""
        result = self.with_config(self.server(f"log = {self.log}\n"),
                                  *args, **more)
        return result, self.log.read_text().splitlines()

    def test_a_mail_is_one_line(self):
        for tag in ((), ("-L", "nightly"), ("-Lx\x1b[31m y",)):
            self.logged(*tag, *ENVELOPE, "c@example.org")
        lines = self.log.read_text().splitlines()
        self.assertEqual(len(lines), 3)
        line = (r'\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ %s\[\d+\]: id="-" '
                r'from="a@example.org" to="b@example.org,c@example.org" '
                r'relay="[^"]+" tls="TLSv1\.[23]" outcome=accepted status=0 '
                r'reply="250 [^"]*"\Z')
        for got, tag in zip(lines, ("sendmail-tls", "nightly", "x__31m_y")):
            self.assertRegex(got, line % tag)

    def test_only_the_owner_can_read_it(self):
        self.logged(*ENVELOPE, umask=0)
        self.assertEqual(self.log.stat().st_mode & 0o7777, 0o600)

    def test_a_failure_is_there_too(self):
        answers = {"RCPT": '550 5.1.1 no "such" \\ user\r\n'}
        with sendmail.Server(self.folder, **answers) as server:
            result = self.with_config(
                f"url = {server.url}\ncafile = {self.ca}\nlog = {self.log}\n",
                *ENVELOPE)
        self.assertEqual(result.status, sendmail.NOUSER)
        line, = self.log.read_text().splitlines()
        self.assertIn(r'reply="550 5.1.1 no \"such\" \\ user"', line)
        self.assertIn("outcome=failed status=67 ", line)

    def test_no_secret_is_in_it(self):
        with sendmail.Server(
                self.folder, EHLO="250-localhost\r\n250 AUTH PLAIN\r\n",
                AUTH="535 5.7.8 no\r\n") as server:
            result = self.with_config(
                f"url = {server.url}\ncafile = {self.ca}\nlog = {self.log}\n"
                "user = alice\npassword = hunter2\n", *ENVELOPE)
        self.assertEqual(result.status, sendmail.NOPERM, result)
        self.assertIn("status=77", self.log.read_text())
        self.assertNotIn("hunter2", self.log.read_text() + result.err)

    def test_a_log_that_cannot_be_written_changes_nothing(self):
        fifo = self.folder / "log.fifo"
        os.mkfifo(fifo)
        self.addCleanup(fifo.unlink)
        link = self.folder / "log.link"
        link.symlink_to("mail.log")
        self.addCleanup(link.unlink)
        for path in (self.folder / "none" / "log", self.folder, fifo, link,
                     "/dev/full"):
            with self.subTest(path=path):
                result = self.with_config(self.server(f"log = {path}\n"),
                                          *ENVELOPE)
                self.assertEqual(result.status, 0)
                self.assertRegex(result.err, r"\Asendmail-tls: warning: "
                                 rf"log file {path}[^\n]*\n\Z")
                self.assertEqual(len(self.sink.take()), 1)
        self.assertFalse(self.log.exists())

    def test_none_turns_it_off(self):
        result = self.with_config(self.server("log = none\n"), *ENVELOPE)
        self.assertEqual((result.status, result.err), (0, ""))


class Aliases(ConfigCase):
    TEXT = """
# aliases of a machine
postmaster: root
root:   admin@example.com,
\tOps <>ops
"ops":  "op@example.com"   , \\ops
self: self, x@example.com
Loop: loop2
loop2: loop
pipe: good@example.com, "|/bin/cat"
file: /var/mail/x
list: :include:/etc/list
nobody:
twice: a@example.com
twice: b@example.com
bad: a b@example.com
quoted: "a b"@example.com
    """.replace("Ops <>ops", "ops")

    def setUp(self):
        super().setUp()
        self.aliases = self.write(self.TEXT, path=self.folder / "aliases")

    def verify(self, *args, **more):
        return self.with_config(
            f"aliases = {self.aliases}\ndomain = example.org\n", "-bv", *args,
            **more)

    def expand(self, *args, **more):
        result = self.verify(*args, **more)
        self.assert_status(result, 0)
        return result.out.decode().splitlines()

    def test_bare_names_are_looked_up(self):
        for name, found in (
                ("ops", ["op@example.com", "ops@example.org"]),
                ("Root", ["admin@example.com", "op@example.com",
                          "ops@example.org"]),
                ("POSTMASTER", ["admin@example.com", "op@example.com",
                                "ops@example.org"]),
                ("self", ["self@example.org", "x@example.com"]),
                ("other", ["other@example.org"]),
                ("quoted", ['"a b"@example.com']),
                ("root@example.net", ["root@example.net"]),
                ("root@example.org", ["root@example.org"])):
            with self.subTest(name=name):
                self.assertEqual(self.expand(name), found)

    def test_each_is_there_once(self):
        self.assertEqual(self.expand("ops", "root", "op@example.com"),
                         ["op@example.com", "ops@example.org",
                          "admin@example.com"])

    def test_those_of_the_header_too(self):
        self.assertEqual(self.expand("-t", stdin=b"To: ops, Me <x@y.org>\n\n"),
                         ["op@example.com", "ops@example.org", "x@y.org"])

    def test_n_turns_them_off(self):
        self.assertEqual(self.expand("-n", "root", "pipe"),
                         ["root@example.org", "pipe@example.org"])

    def test_none_turns_them_off(self):
        result = self.with_config("aliases = none\ndomain = example.org\n",
                                  "-bv", "root")
        self.assertEqual(result.out, b"root@example.org\n")

    def test_a_default_is_for_all_others(self):
        self.write(self.TEXT + "\ndefault: me@example.com\n",
                   path=self.aliases)
        self.assertEqual(self.expand("other", "ops"),
                         ["me@example.com", "op@example.com",
                          "ops@example.org"])

    def test_what_cannot_be_done_is_an_error_when_it_is_reached(self):
        for name, line, words in (
                ("loop", 9, "back to itself"), ("pipe", 10, "|/bin/cat"),
                ("file", 11, "/var/mail/x"), ("list", 12, ":include:"),
                ("nobody", 13, "lost"), ("twice", 15, "already, in line 14"),
                ("bad", 16, "a b@example.com")):
            with self.subTest(name=name):
                result = self.verify(name)
                self.assert_status(result, CONFIG, words)
                self.assertIn(f"{self.aliases}:{line}: ", result.err)

    def test_a_file_that_is_none(self):
        for text, line, words in (
                (b"a: b@example.com\nbogus\n", 2, "name: address"),
                (b": b\n", 1, "no name"), (b"  a: b\n", 1, "blank"),
                (b"a: b\nc: \0\n", 2, "NUL")):
            with self.subTest(text=text):
                self.write(text, path=self.aliases)
                result = self.verify("root")
                self.assert_status(result, CONFIG, words)
                self.assertIn(f"{self.aliases}:{line}: ", result.err)
                self.assert_status(self.verify("root@example.net"), 0)

    def test_a_file_that_is_not_there(self):
        self.aliases.unlink()
        self.assert_status(self.verify("root"), CONFIG, "aliases file",
                           str(self.aliases))
        self.assert_status(self.verify("root@example.net"), 0)

    def test_a_file_that_others_can_change(self):
        self.aliases.chmod(0o666)
        self.assert_status(self.verify("root"), CONFIG, "chmod go-w")

    def test_a_name_without_alias_and_domain(self):
        result = self.with_config(f"aliases = {self.aliases}\n", "-bv", "x")
        self.assert_status(result, sendmail.DATAERR, "x has no domain",
                           str(self.aliases), "domain = ", "--domain")

    def test_the_mail_goes_there(self):
        result = self.with_config(self.server(f"aliases = {self.aliases}\n"),
                                  "-f", "a@example.org", "postmaster@x.org",
                                  "pipe@x.org", "quoted")
        self.assertEqual((result.status, result.err), (0, ""))
        mail, = self.sink.take()
        self.assertEqual(mail.recipients, ["postmaster@x.org", "pipe@x.org",
                                           '"a b"@example.com'])


class Senders(ConfigCase):
    """Envelope sender, From and domain are three settings."""

    def mail(self, text, *args, stdin=sendmail.MAIL):
        """The envelope sender and the header that would be sent."""
        result = self.with_config(
            self.server(text), "--dry-run", *args, "b@example.org",
            stdin=stdin)
        self.assert_status(result, 0)
        envelope, _, content = result.out.decode().partition("\n\n")
        header = content.partition("\n\n")[0].split("\n")
        sender = envelope.split("\n")[0]
        return (sender[len("MAIL FROM:<"):-1],
                [line for line in header if "From:" in line])

    def sender(self, text, *args):
        return self.mail(text, *args)[0]

    def test_the_envelope_sender(self):
        text = "envelope-from = bounce@example.org\n"
        self.assertEqual(self.sender(text), "bounce@example.org")
        self.assertEqual(self.sender(text, "-f", "a@example.org"),
                         "a@example.org")
        self.assertEqual(self.sender(text, "-f", ""), "")
        self.assertEqual(self.sender("envelope-from = bounce\n"
                                     "domain = example.net\n"),
                         "bounce@example.net")
        self.assertEqual(self.sender("envelope-from = <>\n"), "")

    def test_one_that_is_forced(self):
        text = ("envelope-from = bounce@example.org\n"
                "force-envelope-from = yes\n")
        self.assertEqual(self.sender(text, "-f", "a@example.org"),
                         "bounce@example.org")
        # An automatic reply with an address would be replied to.
        for null in ("", "<>"):
            self.assertEqual(self.sender(text, "-f", null), "")

    def test_a_from_that_is_missing(self):
        bare = b"Subject: x\n\nbody\n"
        for text, args, field in (
                ("from = Alice <alice@example.org>\n", (),
                 "From: Alice <alice@example.org>"),
                ("from = Alice <alice@example.org>\n",
                 ("-f", "x@example.org"), "From: Alice <alice@example.org>"),
                ('from = "Doe, Jane" <jane@example.org>\n', (),
                 'From: "Doe, Jane" <jane@example.org>'),
                ("from = Alice <alice>\ndomain = example.net\n", (),
                 "From: Alice <alice@example.net>"),
                ("from = Alice <alice@example.org>\n", ("-F", "Cron"),
                 "From: Cron <alice@example.org>"),
                ("from = alice@example.org\n", ("-f", "x@example.org"),
                 "From: alice@example.org"),
                ("envelope-from = bounce@example.org\n", ("-F", "x"),
                 "From: x <bounce@example.org>")):
            if "domain" not in text and "-f" not in args:
                text += "domain = example.com\n"
            with self.subTest(text=text, args=args):
                self.assertEqual(self.mail(text, *args, stdin=bare)[1],
                                 [field])

    def test_a_from_that_is_there_stays(self):
        self.assertEqual(
            self.mail("from = Alice <alice@example.org>\n", "-f", "x@y.org"),
            ("x@y.org", ["From: a@example.org"]))

    def test_one_that_is_replaced(self):
        text = "from = Alice <alice@example.org>\nforce-from = yes\n"
        args = ("-f", "x@y.org")
        self.assertEqual(self.mail(text, *args),
                         ("x@y.org", ["From: Alice <alice@example.org>"]))
        self.assertEqual(
            self.mail(text + "keep-original-from = yes\n", *args)[1],
            ["X-Original-From: a@example.org",
             "From: Alice <alice@example.org>"])
        self.assertEqual(self.mail(text, "-G", *args)[1],
                         ["From: a@example.org"])

    def test_a_folded_one_is_replaced_whole(self):
        text = ("from = alice@example.org\nforce-from = yes\n"
                "keep-original-from = yes\n")
        result = self.with_config(
            self.server(text), "--dry-run", "-f", "x@y.org", "b@example.org",
            stdin=b"From: A\r\n\t<a@example.org>\nSubject: s\n\n")
        self.assert_status(result, 0)
        self.assertIn(b"\nX-Original-From: A\n\t<a@example.org>\nSubject: s\n",
                      result.out)

    def test_no_addresses(self):
        for text, words in (
                ("envelope-from = a b@c\n", "envelope-from: "),
                ("from = Alice\t alice@example.org\n", "from: "),
                ("from = Alice <>\n", "from: ")):
            with self.subTest(text=text):
                result = self.with_config(text, "-bv", "a@example.org")
                self.assert_status(result, CONFIG, f"{self.path}:1: {words}")
        for option in ("--from=a@b.org", "--envelope-from=a@b.org"):
            self.assert_status(run(option, "a@example.org"), USAGE,
                               "configuration file")


class Credentials(ConfigCase):
    def login(self, text, *args, **more):
        """Who logged in with what; None where nobody did."""
        seen = []

        def auth(command):
            seen.append(base64.b64decode(command.split()[2]).split(b"\0"))
            return "235 2.7.0 welcome\r\n"

        with sendmail.Server(
                self.folder, EHLO="250-localhost\r\n250 AUTH PLAIN\r\n",
                AUTH=auth) as server:
            result = self.with_config(
                f"url = {server.url}\ncafile = {self.ca}\n{text}", *args,
                *ENVELOPE, **more)
            if result.status != 0 and not server.commands:
                # Nobody came, and the server would wait for somebody.
                server.listener.close()
        return result, [part.decode() for part in seen[0][1:]] if seen else None

    def logged_in(self, text, *args, **more):
        result, seen = self.login(text, *args, **more)
        self.assertEqual((result.status, result.err), (0, ""))
        return seen

    def refused(self, text, *words, **more):
        result = self.with_config(self.server(text), *ENVELOPE, **more)
        self.assert_status(result, CONFIG, *words)
        self.assertNotIn("hunter2", result.err)

    def test_a_password_in_the_file(self):
        self.assertEqual(
            self.logged_in("user = alice\npassword = hunter2 ;#x\n"),
            ["alice", "hunter2 ;#x"])

    def test_a_token_takes_the_place_of_a_password(self):
        text = "user = alice\ntoken-command = echo hunter2\n"
        result, seen = self.login(text)
        self.assert_status(result, sendmail.NOPERM, "a token (OAUTHBEARER, XOAUTH2)")
        self.assertIsNone(seen)
        self.refused(text + "password = hunter2\n",
                     "token-command and password exclude each other")
        self.refused(text + "auth = PLAIN\n", "--auth PLAIN wants a password")
        # Who says a password on the command line has said it instead.
        self.assertEqual(
            self.logged_in(text, "--password-command", "echo secret"),
            ["alice", "secret"])

    def test_a_file_in_the_home_directory_is_looked_for_there(self):
        self.refused("user = alice\npassword-file = ~/no-such-file-here\n",
                     os.path.expanduser(f"~{pwd_name()}") +
                     "/no-such-file-here")

    def test_the_command_line_counts_more(self):
        path = self.write("secret\n", path=self.folder / "pw")
        self.assertEqual(
            self.logged_in("user = alice\npassword = hunter2\n",
                           "--password-file", path), ["alice", "secret"])
        self.assertEqual(
            self.logged_in("user = alice\npassword = hunter2\n",
                           "--user", "bob"), ["bob", "hunter2"])

    NETRC = """# comment
machine other.example login alice password wrong
machine localhost
\tlogin alice
\tpassword hunter2
machine localhost login "bob" account x password "a \\"b\\" c"
macdef init
machine localhost login mallory password bad

default login guest password #guest
"""

    def test_netrc(self):
        path = self.write(self.NETRC, path=self.folder / "netrc")
        for user, seen in (("", ["alice", "hunter2"]),
                           ("user = alice\n", ["alice", "hunter2"]),
                           ("user = bob\n", ["bob", 'a "b" c']),
                           ("user = guest\n", ["guest", "#guest"])):
            with self.subTest(user=user):
                self.assertEqual(self.logged_in(f"{user}netrc = {path}\n"),
                                 seen)
        self.refused(f"netrc = {path}\nuser = mallory\n",
                     "no password for mallory at localhost")

    def test_a_netrc_that_cannot_be_used(self):
        path = self.folder / "netrc"
        for text, words in (
                ("machine x login a password b\n", ("no password for",)),
                ("machine localhost login a\n", ("no password for",)),
                ("machine localhost\nlogin a passwort hunter2\n",
                 (f"{path}:2: ", "neither machine")),
                ("machine\n", (f"{path}:", "machine has no name")),
                ('machine localhost password "hunter2\n',
                 (f"{path}:1: ", "quote")),
                ("machine x password h\0\n", (f"{path}:1: ", "NUL")),
                ('machine x password "h\\\0x"\n',
                 (f"{path}:1: ", "NUL")),
                ('machine x password "h\\\nx"\n',
                 (f"{path}:1: ", "quote"))):
            with self.subTest(text=text):
                self.write(text, path=path)
                self.refused(f"netrc = {path}\n", *words)
        self.write(self.NETRC, path=path, mode=0o640)
        self.refused(f"netrc = {path}\n", f"chmod 600 {path}")
        self.refused("netrc = /nowhere/netrc\n", "/nowhere/netrc")

    def test_a_credential_of_systemd(self):
        credentials = self.folder / "credentials"
        credentials.mkdir(exist_ok=True)
        # With access lists the group has what looks like rights.
        self.write("hunter2\nmore\n", path=credentials / "smtp", mode=0o440)
        env = {"CREDENTIALS_DIRECTORY": str(credentials)}
        text = "user = alice\npassword-credential = %s\n"
        self.assertEqual(self.logged_in(text % "smtp", env=env),
                         ["alice", "hunter2"])
        self.refused(text % "none", "none", env=env)
        self.refused(text % "smtp", "$CREDENTIALS_DIRECTORY", env={})
        for name in ("../smtp", "a/b", ".smtp"):
            self.refused(text % name, f"{self.path}:4: ", name, env=env)

    def test_the_keyring_without_a_session(self):
        result = self.with_config(
            self.server("user = alice\npassword-keyring = yes\n"), *ENVELOPE,
            env={"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"})
        self.assertEqual(result.status, CONFIG)
        self.assertIn("keyring", result.err)
        if KEYRING:
            alone = subprocess.run(
                [KEYRING, "unix:path=/nowhere/bus", "localhost", "alice"],
                capture_output=True, env={}, timeout=sendmail.PATIENCE)
            self.assertNotEqual(alone.returncode, 0)
            self.assertEqual(alone.stdout, b"")
            self.assertRegex(alone.stderr,
                             rb"\Asendmail-tls: the keyring: [^\n]+\n\Z")

    def test_two_at_once_are_refused(self):
        for one, other in (("password = hunter2", "netrc = /x"),
                           ("password-keyring = yes", "password-file = /x"),
                           ("password-credential = x", "password-command = x")):
            self.refused(f"{one}\n{other}\n", f"{self.path}:4: ",
                         "exclude each other")

    def test_an_account_may_have_another_kind(self):
        path = self.write("secret\n", path=self.folder / "pw")
        self.assertEqual(
            self.logged_in("user = alice\npassword = hunter2\n[work]\n"
                           f"password-file = {path}\n", "-a", "work"),
            ["alice", "secret"])


class Documents(ConfigCase):
    """What the manual says is there, and what is there it says."""

    EXAMPLE = ROOT / "doc/examples/sendmail-tls.conf"
    MANUAL = ROOT / "doc/man/sendmail-tls.conf.5"

    def documented(self):
        found = set()
        for line in self.MANUAL.read_text().splitlines():
            if line.startswith(".It Ic"):
                found.update(re.findall(r"Ic ([a-z-]+)", line))
        return found

    def in_example(self):
        return set(re.findall(r"(?m)^#?([a-z-]+) = ",
                              self.EXAMPLE.read_text()))

    def test_the_example_parses(self):
        path = self.write(self.EXAMPLE.read_text())
        for account in ((), ("-a", "work"), ("-f", "x@example.com")):
            result = run("-bv", "--aliases", "none", *account,
                         "alice", config=path)
            self.assert_status(result, 0)
            domain = b"example.com" if account else b"example.org"
            self.assertEqual(result.out, b"alice@" + domain + b"\n")

    def test_what_is_commented_out_in_it_is_right_too(self):
        for line in self.EXAMPLE.read_text().splitlines():
            match = re.match(r"#([a-z-]+) = (.*)", line)
            if not match:
                continue
            with self.subTest(line=line):
                text = line[1:] + "\n[work]\nuser = x\n[z]\n"
                result = self.with_config(text, "-bp")
                # Alone it may lack something, and that is said without a line.
                self.assertNotIn(f"{self.path}:1", result.err)

    def test_the_examples_of_the_manual_parse(self):
        text = self.MANUAL.read_text()
        blocks = re.findall(r"(?s)\.Bd [^\n]*\n(.*?)\.Ed", text)
        self.assertGreaterEqual(len(blocks), 3)
        for block in blocks:
            result = self.with_config(block, "-bv", "a@example.net")
            self.assert_status(result, 0)

    def test_every_key_is_documented_and_in_the_example(self):
        documented = self.documented()
        self.assertEqual(documented - self.in_example() -
                         {"account", "senders"}, set())
        for key in documented:
            text = f"{key} = x\n[a]\nuser = u\n"
            result = self.with_config(text, "-bv", "a@example.net")
            self.assertNotIn("there is no setting", result.err, key)

    def test_every_setting_of_msmtp_is_mapped(self):
        page = (ROOT / "doc/from-msmtp.md").read_text()
        rows = [line for line in page.splitlines() if line.startswith("| ")]
        mapped = set(re.findall(r"`([a-z_]+)", "\n".join(
            line.split("|")[1] for line in rows)))
        self.assertEqual(MSMTP - mapped, set())
        for row in rows:
            for key in re.findall(r"`([a-z-]+) = ", row.split("|")[2]):
                self.assertIn(key, self.documented(), row)


# The settings of msmtp 1.8, by its manual.
MSMTP = set("""
defaults account eval host port source_ip proxy_host proxy_port socket timeout
protocol domain auth user password passwordeval ntlmdomain tls tls_starttls
tls_trust_file tls_crl_file tls_fingerprint tls_key_file tls_cert_file
tls_certcheck tls_priorities tls_host_override tls_min_dh_prime_bits from
allow_from_override dsn_notify dsn_return set_from_header set_date_header
set_msgid_header remove_bcc_headers undisclosed_recipients logfile
logfile_time_format syslog aliases auto_from maildomain
add_missing_from_header add_missing_date_header
""".split())


class Servers(ConfigCase):
    """No password goes to a server that it was not meant for."""

    def test_a_server_of_the_command_line_gets_nothing_of_another_one(self):
        # Found only where the user's own files are, so not by --config.
        text = ("user = alice\npassword-file = /nowhere\n"
                "cafile = /nowhere\nurl = smtps://other.example\n")
        result = self.with_config(text, "--url", self.sink.smtps, *ENVELOPE)
        self.assert_status(result, CONFIG, "/nowhere")


if __name__ == "__main__":
    unittest.main()
