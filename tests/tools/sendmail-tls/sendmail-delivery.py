#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""sendmail-tls and servers: what arrives, and what it says when it does not."""

import base64
import json
import os
import pty
import select
import signal
import socket
import subprocess
import unittest

import sendmail
from sendmail import (CONFIG, DATAERR, HOST, IOERR, MAIL, NOHOST, NOPERM,
                      NOUSER, PROGRAM, PROTOCOL, TEMPFAIL, UNAVAILABLE, USAGE,
                      Server, run)

ENVELOPE = ("-f", "a@example.org", "b@example.org")


class Delivery(sendmail.TestCase):
    def test_both_kinds_of_tls(self):
        for url in (self.sink.smtps, self.sink.smtp):
            with self.subTest(url=url):
                mail = self.sent(*ENVELOPE, url=url)
                self.assertEqual(mail.sender, "a@example.org")
                self.assertEqual(mail.recipients, ["b@example.org"])
                self.assertEqual(mail.data, MAIL.replace(b"\n", b"\r\n"))

    def test_the_bytes_that_arrive(self):
        head = MAIL.replace(b"body\n", b"").replace(b"\n", b"\r\n")
        for text, body in (
                (b"", b""),
                (b".\n..\n...x\n", b".\r\n..\r\n...x\r\n"),
                (b"no end", b"no end\r\n"),
                (b"\n\n\n", b"\r\n\r\n\r\n"),
                (b"a\r\nb\nc\rd\r\n", b"a\r\nb\r\nc\r\nd\r\n"),
                (b"\n.\r\n.\r.\r", b"\r\n.\r\n.\r\n.\r\n"),
                ("größe €\n".encode(), "größe €\r\n".encode()),
                (b"\xff\xfe\n", b"\xff\xfe\r\n"),
                (b"x" * 990 + b"\n", b"x" * 990 + b"\r\n"),
                (b".x\n" * 50000, b".x\r\n" * 50000)):
            with self.subTest(text=text[:40]):
                mail = self.sent("-i", *ENVELOPE, stdin=head + text)
                self.assertEqual(mail.data, head + body)

    def test_the_null_sender(self):
        for sender in ("", "<>"):
            self.assertEqual(self.sent("-f", sender, "b@example.org").sender,
                             "")

    def test_recipients_arrive_once_and_bcc_never(self):
        mail = self.sent(
            "-t", "-f", "a@example.org", "b@example.org", "e@example.org",
            stdin=b"To: b@example.org, c@example.org\nCc: B@EXAMPLE.org\n"
                  b"Bcc: hidden@example.org,\n c@example.org\nSubject: x\n\nx\n")
        self.assertEqual(mail.recipients,
                         ["b@example.org", "e@example.org", "c@example.org",
                          "B@example.org", "hidden@example.org"])
        self.assertEqual(mail.field("Bcc"), [])
        self.assertNotIn(b"hidden@example.org", mail.data)

    def test_the_trace_is_on_stderr(self):
        result = self.send("-v", *ENVELOPE)
        self.assertEqual(result.status, 0)
        self.assertIn("C: MAIL FROM:<a@example.org>", result.err)
        self.assertIn("S: 354", result.err)
        self.assertEqual(result.out, b"")

    def test_the_greeting_name(self):
        result = self.send("-v", "--ehlo", "client.example.org", *ENVELOPE)
        self.assertIn("C: EHLO client.example.org\n", result.err)

    def test_another_place_to_connect_to(self):
        mail = self.sent(*ENVELOPE, "--connect-to",
                         f"127.0.0.1:{self.sink.smtps_port}",
                         url="smtps://localhost:1")
        self.assertEqual(mail.recipients, ["b@example.org"])


    def test_8_bit_content_is_declared(self):
        for body, declared in (("größe\n".encode(), True), (b"a\n", False)):
            with Server(self.folder) as server:
                self.assert_status(
                    self.send(*ENVELOPE, url=server.url, stdin=MAIL + body),
                    0)
            mail = [c for c in server.commands if c.startswith("MAIL")]
            self.assertEqual("BODY=8BITMIME" in mail[0], declared, mail)

    def test_a_unix_socket(self):
        path = self.folder / "socket"
        with Server(self.folder, path=path) as server:
            self.assert_status(
                self.send(*ENVELOPE, "--connect-to", f"unix:{path}",
                          url=server.url), 0)
        self.assertEqual(server.content, MAIL.replace(b"\n", b"\r\n"))

    def test_lmtp(self):
        for end, status in (("250 ok\r\n250 ok\r\n", 0),
                            ("250 ok\r\n552 5.2.2 full\r\n", UNAVAILABLE)):
            with Server(self.folder, clear=True, STARTTLS="220 go\r\n",
                        LHLO="250-localhost\r\n250 STARTTLS\r\n",
                        **{".": end}) as server:
                result = self.send(*ENVELOPE, "c@example.org",
                                   url=server.lmtp_url)
            self.assertEqual(result.status, status, result)
            self.assertIn("RCPT TO:<c@example.org>", server.commands)
        self.assertIn("<b@example.org>: accepted", result.err)
        self.assertIn("<c@example.org>: refused: 552 5.2.2 full", result.err)

    def test_a_big_mail(self):
        body = b"0123456789abcdef0123456789abcdef0123456789abcdef\n" * 400000
        mail = self.sent("-i", *ENVELOPE, stdin=MAIL + body)
        self.assertEqual(mail.body, b"body\r\n" + body.replace(b"\n", b"\r\n"))


class Login(sendmail.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.password = cls.folder / "password"
        cls.password.write_text("correct horse\n")
        cls.password.chmod(0o600)
        cls.folder2 = cls.folder / "login"
        cls.folder2.mkdir()
        cls.sink.close()
        cls.sink = sendmail.Sink(cls.folder2, "--user", "alice",
                                 "--password-file", cls.password)
        cls.ca = cls.sink.ca

    def test_every_way_to_give_a_password(self):
        for args in (["--password-file", self.password],
                     ["--password-command", "echo correct horse"],
                     ["--password-command", f"cat {self.password}"],
                     ["--password-file", self.password, "--auth", "plain"],
                     ["--password-file", self.password, "--auth", "LOGIN"]):
            with self.subTest(args=args):
                mail = self.sent("--user", "alice", *args, *ENVELOPE)
                self.assertEqual(mail.recipients, ["b@example.org"])

    def test_a_password_never_shows(self):
        for mechanism in ("PLAIN", "LOGIN"):
            result = self.send("-v", "--user", "alice", "--auth", mechanism,
                               "--password-file", self.password, *ENVELOPE)
            self.assertEqual(result.status, 0, result)
            self.assertIn("***", result.err)
            for secret in ("correct", "horse", "Y29ycmVjdCBob3JzZQ",
                           "AGFsaWNlAGNvcnJlY3QgaG9yc2U"):
                self.assertNotIn(secret, result.err)

    def test_a_wrong_password(self):
        result = self.send("--user", "alice", "--password-command",
                           "echo wrong", *ENVELOPE)
        self.assert_status(result, NOPERM, HOST, "AUTH", "535")
        self.assertEqual(self.sink.take(), [])

    def test_no_password_at_all(self):
        result = self.send(*ENVELOPE)
        self.assertNotEqual(result.status, 0)
        self.assertEqual(self.sink.take(), [])

    def ask(self, *keys):
        """Run it on a terminal of its own, and type when it asks."""
        args = [PROGRAM, "--url", self.sink.smtps, "--cafile", str(self.ca),
                "--user", "alice", *ENVELOPE]
        pid, master = pty.fork()
        if pid == 0:
            os.dup2(os.open(self.folder / "mail.txt", os.O_RDONLY), 0)
            os.execv(PROGRAM, args)
        shown = b""
        try:
            while b": " not in shown:
                shown += os.read(master, 1000)
            for key in keys:
                os.write(master, key)
            shown += self.read_all(master)
        finally:
            os.close(master)
        return os.waitpid(pid, 0)[1], shown

    @staticmethod
    def read_all(master):
        shown = b""
        while select.select([master], [], [], sendmail.PATIENCE)[0]:
            try:
                piece = os.read(master, 1000)
            except OSError:
                # What Linux says when the other side is closed.
                return shown
            if not piece:
                return shown
            shown += piece
        return shown

    def test_the_prompt(self):
        (self.folder / "mail.txt").write_bytes(MAIL)
        status, shown = self.ask(b"correct horse\n")
        self.assertEqual(os.waitstatus_to_exitcode(status), 0, shown)
        self.assertTrue(shown.startswith(b"password of alice at smtps://"))
        self.assertNotIn(b"horse", shown)
        self.assertEqual(len(self.sink.take()), 1)

    def test_the_prompt_is_interrupted(self):
        (self.folder / "mail.txt").write_bytes(MAIL)
        status, _ = self.ask(b"corr", b"\x03")
        self.assertTrue(os.WIFSIGNALED(status))
        self.assertEqual(os.WTERMSIG(status), signal.SIGINT)
        self.assertEqual(self.sink.take(), [])

    def test_an_empty_answer(self):
        (self.folder / "mail.txt").write_bytes(MAIL)
        status, shown = self.ask(b"\n")
        self.assertEqual(os.waitstatus_to_exitcode(status), CONFIG, shown)
        self.assertIn(b"no password was typed in", shown)

    def test_credentials_and_what_is_insecure(self):
        for option in ("--insecure-no-verify", "--insecure-cleartext"):
            result = self.send("--user", "alice", "--password-file",
                               self.password, option, *ENVELOPE,
                               url=self.sink.smtp)
            self.assertEqual(result.status, USAGE, result)
            self.assertIn("credentials are never sent", result.err)

    def test_the_server_offers_no_authentication(self):
        with Server(self.folder2) as server:
            result = self.send("--user", "alice", "--password-file",
                               self.password, *ENVELOPE, url=server.url)
        self.assert_status(result, NOPERM, HOST)
        self.assertFalse([c for c in server.commands
                          if c.startswith(("AUTH", "MAIL"))])

    def test_authentication_is_refused_for_now(self):
        ehlo = Server.EHLO.replace("250-8", "250-AUTH PLAIN\r\n250-8")
        with Server(self.folder2, EHLO=ehlo,
                    AUTH="454 4.7.0 come back\r\n") as server:
            result = self.send("--user", "alice", "--password-file",
                               self.password, *ENVELOPE, url=server.url)
        self.assert_status(result, TEMPFAIL, "AUTH", "454 4.7.0 come back")
        self.assertFalse([c for c in server.commands if "MAIL" in c])


class Token(sendmail.TestCase):
    """An OAuth 2.0 token; too long for an AUTH line, as they mostly are."""

    TOKEN = "ya29." + "a-t0ken_" * 200 + "=="

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.folder / "token"
        cls.token.write_text(cls.TOKEN + "\n")
        cls.password = cls.folder / "password"
        cls.password.write_text("correct horse\n")
        cls.password.chmod(0o600)
        cls.folder2 = cls.folder / "token-sink"
        cls.folder2.mkdir()
        cls.sink.close()
        cls.sink = sendmail.Sink(
            cls.folder2, "--user", "alice", "--token-file", cls.token,
            "--password-file", cls.password)
        cls.ca = cls.sink.ca

    def by_token(self, command, *args):
        return self.send("-v", "--user", "alice", "--token-command", command,
                         *args, *ENVELOPE)

    def assert_hidden(self, result, token=TOKEN):
        for secret in (token, "a-t0ken", "YS10MGtlb", "bixhPWFsaWNl",
                       "dXNlcj1hbGljZQ"):
            self.assertNotIn(secret, result.err)

    def test_a_token_goes_by_its_mechanisms_and_never_shows(self):
        for args, used in ((), "OAUTHBEARER"), (
                ("--auth", "xoauth2"), "XOAUTH2"), (
                ("--auth", "OAuthBearer"), "OAUTHBEARER"):
            with self.subTest(args=args):
                result = self.by_token(f"cat {self.token}", *args)
                self.assertEqual(result.status, 0, result)
                self.assertIn(f"C: AUTH {used}\n", result.err)
                self.assert_hidden(result)
                self.assertEqual(len(self.sink.take()), 1)

    def test_a_token_that_is_refused(self):
        for args, reason in ((), "invalid_token"), (
                ("--auth", "XOAUTH2"), "401"):
            with self.subTest(args=args):
                result = self.send("--user", "alice", "--token-command",
                                   "echo a-t0ken", *args, *ENVELOPE)
                self.assert_status(
                    result, NOPERM, HOST, "AUTH",
                    f"({reason}): 535 5.7.8 the token is not accepted")
                result = self.by_token("echo a-t0ken", *args)
                self.assertEqual(result.status, NOPERM, result)
                self.assertNotIn("AUTH PLAIN", result.err)
                self.assert_hidden(result, "a-t0ken")
        self.assertEqual(self.sink.take(), [])

    def test_what_is_no_token(self):
        for command, words in (("echo a b", "the token has a character"),
                               ("printf 'a\\001\\n'", "the token has a"),
                               ("true", "the first line is empty"),
                               ("exit 3", "the token command"),
                               ("printf %09000d 0", "longer than 8192")):
            with self.subTest(command=command):
                result = self.by_token(command)
                self.assertNotEqual(result.status, 0)
                self.assertIn(words, result.err)
                self.assertNotIn("C: ", result.err)

    def test_a_server_without_a_mechanism_for_it(self):
        ehlo = Server.EHLO.replace("250-8", "250-AUTH PLAIN LOGIN\r\n250-8")
        with Server(self.folder2, EHLO=ehlo) as server:
            result = self.send("--user", "alice", "--token-command",
                               "echo a-t0ken", *ENVELOPE, url=server.url)
        self.assert_status(result, NOPERM, "a token (OAUTHBEARER, XOAUTH2)")
        self.assertNotIn("AUTH", " ".join(server.commands))

    def test_the_server_of_the_url_is_named(self):
        ehlo = Server.EHLO.replace("250-8", "250-AUTH OAUTHBEARER\r\n250-8")
        with Server(self.folder2, EHLO=ehlo) as server:
            result = self.send("--user", "a,b", "--token-command",
                               "echo a-t0ken", *ENVELOPE, url=server.url)
        self.assertEqual(result.status, 0, result)
        auth, = [c for c in server.commands if c.startswith("AUTH")]
        port = server.url.rpartition(":")[2]
        self.assertEqual(
            base64.b64decode(auth.split()[2]).decode().split("\1"),
            ["n,a=a=2Cb,", f"host={HOST}", f"port={port}",
             "auth=Bearer a-t0ken", "", ""])


class Refusals(sendmail.TestCase):
    def refused(self, *args, **answers):
        with Server(self.folder, **answers) as server:
            result = self.send("-f", "a@example.org", *args, url=server.url)
        self.server = server
        return result

    @staticmethod
    def rcpt(command):
        if "later" in command:
            return "451 4.2.1 not now\r\n"
        return "550 5.1.1 who?\r\n" if "no" in command else "250 ok\r\n"

    def test_every_recipient(self):
        for recipients in (["no@example.org"],
                           ["no@example.org", "no2@example.org"]):
            result = self.refused(*recipients, RCPT=self.rcpt)
            self.assert_status(result, NOUSER, self.server.url, "RCPT",
                               "no@example.org", "550 5.1.1 who?")
            self.assertEqual(self.server.content, b"")

    def test_every_recipient_for_now(self):
        result = self.refused("later@example.org", RCPT=self.rcpt)
        self.assert_status(result, TEMPFAIL, "RCPT", "451 4.2.1 not now")

    def test_some_for_good_and_some_for_now(self):
        result = self.refused("no@example.org", "later@example.org",
                              RCPT=self.rcpt)
        self.assert_status(result, TEMPFAIL)

    def test_some_recipients(self):
        for bad, words in (("no@example.org", "refused: 550 5.1.1 who?"),
                           ("later@example.org",
                            "refused for now: 451 4.2.1 not now")):
            result = self.refused("yes@example.org", bad, RCPT=self.rcpt)
            self.assertEqual(result.status, UNAVAILABLE, result)
            self.assertEqual(len(result.lines), 3, result)
            self.assertIn(self.server.url, result.lines[0])
            self.assertIn("<yes@example.org>: accepted", result.lines[1])
            self.assertIn(f"<{bad}>: {words}", result.lines[2])

    def test_the_sender(self):
        result = self.refused("b@example.org", MAIL="550 5.7.1 not you\r\n")
        self.assert_status(result, UNAVAILABLE, "MAIL", "550 5.7.1 not you")
        result = self.refused("b@example.org", MAIL="450 wait\r\n")
        self.assert_status(result, TEMPFAIL, "MAIL", "450 wait")

    def test_data(self):
        result = self.refused("b@example.org", DATA="554 no\r\n")
        self.assert_status(result, UNAVAILABLE, "DATA", "554 no")
        self.assertEqual(self.server.content, b"")

    def test_the_content(self):
        result = self.refused("b@example.org", **{".": "554 5.6.0 spam\r\n"})
        self.assert_status(result, UNAVAILABLE, "end of data",
                           "554 5.6.0 spam")
        result = self.refused("b@example.org", **{".": "452 4.3.1 full\r\n"})
        self.assert_status(result, TEMPFAIL, "452 4.3.1 full")

    def test_the_greeting(self):
        result = self.refused("b@example.org", GREETING="554 go away\r\n")
        self.assert_status(result, UNAVAILABLE, "greeting", "554 go away")
        result = self.refused("b@example.org", GREETING="421 busy\r\n")
        self.assert_status(result, TEMPFAIL, "421 busy")

    def test_an_answer_that_is_lost(self):
        result = self.refused("b@example.org", **{".": None})
        self.assertEqual(result.status, IOERR, result)
        self.assertEqual(len(result.lines), 1, result)
        self.assertTrue(result.err.startswith("in doubt: "), result)
        self.assertIn(self.server.url, result.err)

    def test_an_answer_that_is_lost_where_one_was_refused(self):
        result = self.refused("yes@example.org", "no@example.org",
                              RCPT=self.rcpt, **{".": None})
        self.assertEqual(result.status, IOERR, result)
        self.assertEqual(len(result.lines), 3, result)
        self.assertTrue(result.lines[0].startswith("in doubt: "), result)
        self.assertIn("<yes@example.org>: in doubt", result.lines[1])
        self.assertIn("<no@example.org>: refused", result.lines[2])

    def test_a_connection_that_is_lost_before(self):
        for step in ("GREETING", "EHLO", "MAIL", "RCPT", "DATA"):
            with self.subTest(step=step):
                result = self.refused("b@example.org", **{step: None})
                self.assert_status(result, TEMPFAIL, self.server.url)

    def test_nothing_behind_the_acceptance_is_a_failure(self):
        result = self.refused("b@example.org", QUIT=None)
        self.assert_status(result, 0)

    def test_what_the_server_says_is_fit_for_a_terminal(self):
        result = self.refused("b@example.org",
                              MAIL="550 \x1b[2Jboo\x07\r\n")
        self.assert_status(result, UNAVAILABLE, "\\x1b[2Jboo\\x07")
        self.assertNotIn("\x1b", result.err)

    def test_what_the_server_does_not_offer(self):
        ehlo = "250 localhost\r\n"
        result = self.refused("--smtputf8", "b@example.org", EHLO=ehlo)
        self.assert_status(result, DATAERR, "SMTPUTF8")
        self.assertFalse([c for c in self.server.commands if "MAIL" in c])
        result = self.refused("gr\xfc\xdfe@example.org", EHLO=ehlo)
        self.assert_status(result, DATAERR, "SMTPUTF8")
        self.assertFalse([c for c in self.server.commands if "RCPT" in c])

    def test_smtputf8(self):
        result = self.refused("gr\xfc\xdfe@example.org")
        self.assert_status(result, 0)
        self.assertTrue([c for c in self.server.commands
                         if c.startswith("MAIL") and "SMTPUTF8" in c])


class Reachability(sendmail.TestCase):
    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        result = self.send(*ENVELOPE, url=f"smtps://{HOST}:{port}")
        self.assert_status(result, TEMPFAIL, str(port), "connect",
                           "refused")

    def test_a_name_that_does_not_exist(self):
        # RFC 6761 section 6.4: no name service may know it. Where there is
        # none to ask, nobody can say that it does not exist.
        result = self.send(*ENVELOPE, url="smtps://host.invalid")
        self.assertIn(result.status, (NOHOST, TEMPFAIL), result)
        self.assertEqual(len(result.lines), 1, result)
        self.assertIn("host.invalid", result.err)

    def test_a_server_that_says_nothing(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            result = self.send("--timeout", "1", *ENVELOPE,
                               url=f"smtps://{HOST}:{port}")
        self.assert_status(result, TEMPFAIL, str(port))

    def test_an_interrupt_while_waiting(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"smtps://{HOST}:{silent.getsockname()[1]}"
            process = subprocess.Popen(
                [PROGRAM, "--url", url, "--cafile", self.ca, *ENVELOPE],
                stdin=subprocess.PIPE, stderr=subprocess.PIPE)
            process.stdin.write(MAIL)
            process.stdin.close()
            connection, _ = silent.accept()
            process.send_signal(signal.SIGTERM)
            process.wait(sendmail.PATIENCE)
            err = process.stderr.read().decode()
            process.stderr.close()
            connection.close()
        self.assertEqual(process.returncode, TEMPFAIL, err)
        self.assertIn(url, err)


class Probe(sendmail.TestCase):
    def probe(self, *args, url=None):
        result = run("--probe", "--json", "--url", url or self.sink.smtps,
                     *args, stdin=subprocess.DEVNULL)
        return result, json.loads(result.out)

    def test_a_good_server(self):
        for url in (self.sink.smtps, self.sink.smtp):
            result, found = self.probe("--cafile", self.ca, url=url)
            self.assert_status(result, 0)
            self.assertEqual(found["schema"], 1)
            self.assertEqual(found["server"], url)
            self.assertEqual(found["status"], 0)
            self.assertIs(found["verified"], True)
            self.assertIsNone(found["error"])
            self.assertIsNone(found["authenticated"])
            self.assertRegex(found["tls"]["version"], r"\ATLSv1\.[23]\Z")
            self.assertGreaterEqual(found["tls"]["bits"], 128)
            self.assertIn("localhost", found["certificates"][0]["names"])
            self.assertRegex(found["certificates"][0]["not_after"],
                             r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
            self.assertIn("8BITMIME", found["capabilities"])
        self.assertEqual(self.sink.take(), [])

    def test_as_text(self):
        result = run("--probe", "--url", self.sink.smtps, "--cafile", self.ca)
        self.assert_status(result, 0)
        fields = dict(line.split(":", 1) for line in
                      reversed(result.out.decode().splitlines()))
        self.assertEqual(fields["verified"].strip(), "yes")
        self.assertEqual(fields["server"].strip(), self.sink.smtps)
        self.assertTrue(fields["tls"].strip().startswith("TLSv1."))
        self.assertIn("localhost", fields["  names"])

    def test_a_wrong_name(self):
        result, found = self.probe(
            "--cafile", self.ca, "--connect-to",
            f"127.0.0.1:{self.sink.smtps_port}",
            url="smtps://mail.example.org")
        self.assert_status(result, PROTOCOL, "mail.example.org")
        self.assertIs(found["verified"], False)
        self.assertEqual(found["status"], PROTOCOL)
        self.assertIn("mail.example.org", found["error"])
        self.assertIn("localhost", found["certificates"][0]["names"])

    def test_a_wrong_name_as_text(self):
        result = run("--probe", "--url", "smtps://mail.example.org",
                     "--cafile", self.ca, "--connect-to",
                     f"127.0.0.1:{self.sink.smtps_port}")
        self.assert_status(result, PROTOCOL)
        self.assertIn(b"\ntls:          not established\n", result.out)
        self.assertIn(b"\nverified:     no: the certificate names", result.out)
        self.assertIn(b"\n  names:      DNS:localhost", result.out)

    def test_not_verified_is_never_good(self):
        result, found = self.probe("--insecure-no-verify")
        self.assertEqual(result.status, PROTOCOL, result)
        self.assertIs(found["verified"], False)
        with Server(self.folder, clear=True) as server:
            result, found = self.probe("--insecure-cleartext",
                                       url=server.clear_url)
        self.assertEqual(result.status, PROTOCOL, result)
        self.assertIsNone(found["tls"])

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        result, found = self.probe("--cafile", self.ca,
                                   url=f"smtps://{HOST}:{port}")
        self.assert_status(result, TEMPFAIL)
        self.assertEqual(found["status"], TEMPFAIL)
        self.assertIsNone(found["tls"])
        self.assertEqual(found["certificates"], [])

    def test_authentication(self):
        ehlo = Server.EHLO.replace("250-8", "250-AUTH PLAIN LOGIN\r\n250-8")
        args = ("--cafile", self.ca, "--user", "alice", "--password-command",
                "echo secret")
        with Server(self.folder, EHLO=ehlo) as server:
            result, found = self.probe(*args, url=server.url)
        self.assert_status(result, 0)
        self.assertEqual(found["mechanisms"], ["PLAIN", "LOGIN"])
        self.assertEqual(found["authenticated"], "PLAIN")
        with Server(self.folder, EHLO=ehlo,
                    AUTH="535 5.7.8 no\r\n") as server:
            result, found = self.probe(*args, url=server.url)
        self.assert_status(result, NOPERM, "535 5.7.8 no")
        self.assertEqual(found["reply"], {"code": 535, "enhanced": "5.7.8",
                                          "text": "no"})
        self.assertIs(found["verified"], True)
        self.assertIsNone(found["authenticated"])

    def test_what_a_server_says_is_valid_json(self):
        with Server(self.folder, EHLO="250-x\r\n250-A\"\\ \x1b\r\n"
                    "250 AUTH \x7f\r\n") as server:
            result, found = self.probe("--cafile", self.ca, url=server.url)
        self.assertEqual(found["schema"], 1, result)


if __name__ == "__main__":
    unittest.main(verbosity=2)
