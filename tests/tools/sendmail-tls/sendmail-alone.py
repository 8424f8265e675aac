#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""sendmail-tls as far as it needs no server: --dry-run, -bv, mistakes."""

import os
import pty
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

import sendmail
from sendmail import (CONFIG, DATAERR, MAIL, NOINPUT, PROGRAM, SOFTWARE,
                      TEMPFAIL, USAGE, run)

USER = pwd.getpwuid(os.getuid()).pw_name


class Modes(sendmail.TestCase):
    def test_the_queue_is_empty(self):
        for args in (["-bp"], ["-b", "p"]):
            result = run(*args)
            self.assert_status(result, 0)
            self.assertEqual(result.out, b"Mail queue is empty\n")

    def test_to_run_the_queue_is_nothing_to_do(self):
        for args in (["-q"], ["-q15m"], ["-qI", "ABC"], ["-qRa@b"]):
            result = run(*args)
            self.assert_status(result, 0)
            self.assertEqual(result.out, b"")

    def test_the_names_are_modes(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("mailq", "newaliases", "sendmail"):
                os.symlink(PROGRAM, os.path.join(folder, name))
            mailq = run(program=os.path.join(folder, "mailq"))
            self.assertEqual(mailq.out, b"Mail queue is empty\n")
            aliases = run("-whatever", "x",
                          program=os.path.join(folder, "newaliases"))
            self.assertEqual((aliases.status, aliases.out), (0, b""))
            other = run("-bv", "a@example.org",
                        program=os.path.join(folder, "sendmail"))
            self.assertEqual(other.out, b"a@example.org\n")

    def test_a_process_without_any_name_runs(self):
        result = run("-bp", executable=PROGRAM, program="")
        self.assert_status(result, 0)

    def test_aliases_are_nothing_to_do(self):
        for arg in ("-bi", "-I"):
            result = run(arg)
            self.assertEqual((result.status, result.out), (0, b""))

    def test_modes_that_there_are_not(self):
        for mode in ("d", "D", "l", "h", "H", "t", "z"):
            self.assert_status(run("-b" + mode), USAGE, "-b" + mode)

    def test_help_and_version(self):
        result = run("--help")
        self.assert_status(result, 0)
        self.assertIn(b"--insecure-no-verify", result.out)
        result = run("--version")
        self.assert_status(result, 0)
        self.assertRegex(result.out, rb"\Asendmail-tls \d+\.\d+\.\d+\n\Z")


class Recipients(sendmail.TestCase):
    def verify(self, *args, **more):
        result = run("-bv", *args, **more)
        self.assert_status(result, 0)
        return result.out.decode().splitlines()

    def test_each_is_printed_once(self):
        self.assertEqual(
            self.verify("a@example.org", "b@EXAMPLE.org", "a@Example.ORG",
                        "A@example.org", "<b@example.org>"),
            ["a@example.org", "b@example.org", "A@example.org"])

    def test_bare_names_get_the_domain(self):
        self.assertEqual(
            self.verify("--domain", "example.org", "alice", "b@example.net",
                        "<carol>", "Dan <dan>"),
            ["alice@example.org", "b@example.net", "carol@example.org",
             "dan@example.org"])

    def test_a_bare_name_without_a_domain_names_the_setting(self):
        for name in ("alice", "<alice>", "Alice <alice>", "a@b.org, alice"):
            self.assert_status(run("-bv", "--", name), DATAERR, "alice",
                               "--domain")

    def test_forms_of_addresses(self):
        self.assertEqual(
            self.verify("Name <a@example.org>", '"Na, me" <b@example.org>',
                        "c@example.org (comment)", "d@example.org,e@b.org",
                        '"with blank"@example.org'),
            ["a@example.org", "b@example.org", "c@example.org",
             "d@example.org", "e@b.org", '"with blank"@example.org'])

    def test_a_fold_is_no_second_recipient(self):
        for text in ("a@example.org,\n b@example.org",
                     "a@example.org\r\n (b@example.org)"):
            for args in ([text], ["--", text]):
                self.assert_status(self.dry("-f", "a@example.org", *args),
                                   DATAERR, "recipient", "line break")

    def test_what_is_no_address(self):
        for text in ("", "<>", "@example.org", "a@", "a b@example.org",
                     "a@b..org", "a@example.org\nb@example.org",
                     "a\r@example.org", "a\x1b@example.org", ","):
            with self.subTest(text=text):
                result = run("-bv", "--domain", "example.org", text)
                self.assert_status(result, DATAERR, "recipient")
                self.assertNotIn("\x1b", result.err)

    def test_a_dash_in_front_needs_two_dashes_before(self):
        self.assertEqual(self.verify("--", "-t@example.org"),
                         ["-t@example.org"])
        self.assert_status(run("-bv", "-x@example.org"), USAGE)
        self.assert_status(run("-bv", "-"), USAGE, "-")

    def test_those_of_the_header_are_added(self):
        text = (b"To: a@example.org, Bee <b@example.org>\nCc: c@example.org\n"
                b"Bcc : d@example.org,\n a@example.org\n\nTo: x@example.org\n")
        self.assertEqual(
            self.verify("-t", "e@example.org", "b@example.org", stdin=text),
            ["e@example.org", "b@example.org", "a@example.org",
             "c@example.org", "d@example.org"])

    def test_a_forwarded_mail_goes_to_the_resent_ones(self):
        text = (b"Resent-To: r@example.org\nResent-Bcc: s@example.org\n"
                b"To: a@example.org\n\n")
        self.assertEqual(self.verify("-t", stdin=text),
                         ["r@example.org", "s@example.org"])

    def test_bare_names_of_the_header(self):
        text = b"To: root\n\n"
        self.assertEqual(self.verify("-t", "--domain=example.org", stdin=text),
                         ["root@example.org"])
        self.assert_status(run("-bv", "-t", stdin=text), DATAERR, "To",
                           "root", "--domain")

    def test_none_at_all(self):
        self.assert_status(run("-bv"), USAGE, "-t")
        self.assert_status(run("-bv", "-t", stdin=b"Subject: x\n\n"), USAGE,
                           "no recipient")
        self.assert_status(self.dry(), USAGE, "no recipient")
        for text in (b"Subject: x\n\n", b"To: undisclosed-recipients:;\n\n",
                     b"To:\n\n"):
            self.assert_status(self.dry("-t", "-f", "a@b.org", stdin=text),
                               USAGE, "no recipient")
        self.assert_status(
            self.dry("-f", "a@b.org", "-t", stdin=b"To: :;\n\n"), DATAERR)


class Sender(sendmail.TestCase):
    def sender_of(self, *args, **more):
        result = self.dry(*args, "b@example.org", **more)
        self.assert_status(result, 0)
        first = result.out.decode().splitlines()[0]
        self.assertRegex(first, r"\AMAIL FROM:<.*>\Z")
        return first[len("MAIL FROM:<"):-1]

    def test_forms(self):
        for args, sender in (
                (["-f", "a@example.org"], "a@example.org"),
                (["-fa@example.org"], "a@example.org"),
                (["-r", "a@example.org"], "a@example.org"),
                (["-ra@example.org"], "a@example.org"),
                (["-f", "<a@example.org>"], "a@example.org"),
                (["-f", "Name <a@example.org>"], "a@example.org"),
                (["-f", ""], ""),
                (["-f", "<>"], ""),
                (["-f<>"], ""),
                (["-r", ""], ""),
                (["-f", "x@example.org", "-f", "a@example.org"],
                 "a@example.org"),
                (["-f", "alice", "--domain", "example.org"],
                 "alice@example.org"),
                (["--domain", "example.org"], f"{USER}@example.org")):
            with self.subTest(args=args):
                self.assertEqual(self.sender_of(*args), sender)

    def test_a_lying_environment_changes_nothing(self):
        self.assertEqual(
            self.sender_of("--domain", "example.org",
                           env={"USER": "mallory", "LOGNAME": "mallory",
                                "HOME": "/nowhere", "HOSTNAME": "evil.org"}),
            f"{USER}@example.org")

    def test_the_default_without_a_domain(self):
        host = socket.gethostname()
        result = self.dry("b@example.org")
        if "." in host:
            self.assert_status(result, 0)
        else:
            self.assert_status(result, DATAERR, USER, "--domain", "-f")

    def test_refused(self):
        for text in ("alice", "a@", "@b", "a@b.org, c@d.org", "a b"):
            with self.subTest(text=text):
                self.assert_status(self.dry("-f", text, "b@example.org"),
                                   DATAERR, "sender")
        for text in ("a@b.org\n", "a@b.org\r\nDATA", "\n"):
            with self.subTest(text=text):
                self.assert_status(self.dry("-f", text, "b@example.org"),
                                   USAGE, "-f", "line break")


class Content(sendmail.TestCase):
    def content(self, text, *args):
        """The header fields and the body of what would be sent."""
        result = self.dry("-f", "a@example.org", *args, "b@example.org",
                          stdin=text)
        self.assert_status(result, 0)
        self.assertNotIn(b"\r", result.out)
        envelope, _, content = result.out.partition(b"\n\n")
        self.assertEqual(envelope,
                         b"MAIL FROM:<a@example.org>\nRCPT TO:<b@example.org>")
        header, _, body = content.partition(b"\n\n")
        return header.decode().split("\n"), body

    def test_a_whole_header_stays_as_it_is(self):
        header, body = self.content(MAIL)
        self.assertEqual("\n".join(header) + "\n\n" + body.decode(),
                         MAIL.decode())

    def test_what_is_missing_is_added(self):
        header, body = self.content(b"Subject: x\n\nbody\n")
        names = [line.split(":")[0] for line in header]
        self.assertEqual(sorted(names),
                         ["Date", "From", "Message-ID", "Subject"])
        self.assertIn("From: a@example.org", header)
        self.assertEqual(body, b"body\n")

    def test_a_relay_adds_nothing(self):
        header, _ = self.content(b"Subject: x\n\nbody\n", "-G")
        self.assertEqual(header, ["Subject: x"])

    def test_text_without_a_header_gets_its_empty_line(self):
        for text in (b"hello\n", b"hello", b"\nhello\n", b"hello world:\n"):
            with self.subTest(text=text):
                header, body = self.content(text)
                self.assertEqual(len(header), 3)
                self.assertEqual(body.strip(), text.strip())

    def test_text_that_follows_the_header_at_once(self):
        header, body = self.content(b"Subject: x\nhello there\n")
        self.assertIn("Subject: x", header)
        self.assertEqual(body, b"hello there\n")

    def test_what_mailboxes_put_in_front_goes(self):
        header, body = self.content(
            b"From a@example.org Mon Nov 23 12:00:00 2026\n"
            b"Return-Path: <a@example.org>\n" + MAIL)
        self.assertEqual("\n".join(header) + "\n\n" + body.decode(),
                         MAIL.decode())

    def test_blind_copies_never_leave(self):
        header, body = self.content(
            b"To: x@example.org\nBCC: y@example.org,\n z@example.org\n"
            b"Resent-Bcc: v@example.org\nbcc : w@example.org\n"
            b"Subject: s\n\nBcc: body\n")
        names = [line.partition(":")[0].strip().lower() for line in header]
        self.assertFalse([n for n in names if n.endswith("bcc")], header)
        self.assertFalse([h for h in header if "z@" in h], header)
        self.assertEqual(body, b"Bcc: body\n")

    def test_line_ends_of_every_kind(self):
        expected = MAIL.replace(b"body\n", b"a\nb\nc\n")
        for text in (expected, expected.replace(b"\n", b"\r\n"),
                     expected.replace(b"\na\n", b"\r\na\r\n"),
                     expected.replace(b"a\nb\n", b"a\r\nb\n")):
            with self.subTest(text=text):
                header, body = self.content(text)
                self.assertEqual("\n".join(header).encode() + b"\n\n" + body,
                                 expected)

    def test_a_lone_dot(self):
        text = MAIL + b"one\n.\ntwo\n"
        self.assertEqual(self.content(text)[1], b"body\none\n")
        for option in ("-i", "-oi", "-OIgnoreDots=yes"):
            self.assertEqual(self.content(text, option)[1],
                             b"body\none\n.\ntwo\n")
        text = text.replace(b"\n", b"\r\n")
        self.assertEqual(self.content(text)[1], b"body\none\n")

    def test_an_empty_file_is_an_empty_mail(self):
        header, body = self.content(b"")
        self.assertEqual((len(header), body), (3, b""))

    def test_a_nul_cannot_be_sent(self):
        for text in (b"Subject: x\0\n\n", b"Subject: x\n\na\nb\0\n"):
            result = self.dry("-f", "a@example.org", "b@example.org",
                              stdin=text)
            self.assert_status(result, DATAERR, "NUL", "line ")

    def test_a_big_mail(self):
        body = b"0123456789abcde\n" * (1 << 18)
        self.assertEqual(self.content(MAIL + body)[1], b"body\n" + body)


class FullName(sendmail.TestCase):
    def from_of(self, *args):
        result = self.dry("-f", "a@example.org", *args, "b@example.org",
                          stdin=b"Subject: x\n\n")
        self.assert_status(result, 0)
        found = [line for line in result.out.decode().split("\n")
                 if line.startswith("From:")]
        self.assertEqual(len(found), 1)
        return found[0]

    def test_names(self):
        for name, field in (
                ("CronDaemon", "From: CronDaemon <a@example.org>"),
                ("Cron Daemon", "From: Cron Daemon <a@example.org>"),
                ('"Reminder Service"',
                 'From: "Reminder Service" <a@example.org>'),
                ("Doe, Jane", 'From: "Doe, Jane" <a@example.org>'),
                ('a "b" c', 'From: "a \\"b\\" c" <a@example.org>'),
                ("", "From: a@example.org")):
            with self.subTest(name=name):
                self.assertEqual(self.from_of("-F", name), field)

    def test_attached(self):
        self.assertEqual(self.from_of("-FCronDaemon"),
                         "From: CronDaemon <a@example.org>")

    def test_a_name_that_is_not_ascii_is_encoded(self):
        field = self.from_of("-F", "Jörg")
        self.assertTrue(field.isascii())
        self.assertIn("=?utf-8?", field.lower())

    def test_the_name_of_the_user_is_not_that_of_another_sender(self):
        self.assertEqual(self.from_of(), "From: a@example.org")

    def test_the_name_of_the_user_is_that_of_the_default_sender(self):
        gecos = pwd.getpwuid(os.getuid()).pw_gecos.partition(",")[0]
        name = gecos.replace("&", USER.capitalize())
        if not name.replace(" ", "").isalnum() or not name.isascii():
            self.skipTest("the user has no plain full name")
        result = self.dry("--domain", "example.org", "b@example.org",
                          stdin=b"Subject: x\n\n")
        self.assert_status(result, 0)
        self.assertIn(f"\nFrom: {name} <{USER}@example.org>\n",
                      result.out.decode())

    def test_an_injected_header_is_refused(self):
        for name in ("x\nBcc: v@example.org", "x\r\nBcc: v@example.org",
                     "x\r", "x\x1b[2J"):
            result = self.dry("-f", "a@example.org", "-F", name,
                              "b@example.org")
            self.assert_status(result, USAGE)


class Circumstances(sendmail.TestCase):
    """The command relies on nothing that it inherits."""

    ARGS = ("-f", "a@example.org", "b@example.org")

    def start(self, shell, *args, **more):
        """Start the program by a shell command that says "$@"."""
        command = ["/bin/sh", "-c", shell, "sh", PROGRAM, "--dry-run",
                   "--url", "smtps://localhost", "--cafile", str(self.ca),
                   *self.ARGS, *args]
        return sendmail.Result(subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            timeout=sendmail.PATIENCE, **more))

    def test_a_closed_stdin_is_no_empty_mail(self):
        self.assert_status(self.start('exec "$@" <&-'), NOINPUT,
                           "standard input is closed")
        self.assert_status(self.start('exec "$@" <&- >&-'), NOINPUT)

    def test_a_stdin_that_cannot_be_read(self):
        self.assert_status(self.start('exec "$@" </'), NOINPUT,
                           "Is a directory")
        self.assert_status(self.start('exec "$@" 0>/dev/null'), NOINPUT,
                           "standard input")

    def test_closed_output_is_no_obstacle(self):
        for shell in ('exec "$@" >&-', 'exec "$@" 2>&-', 'exec "$@" >&- 2>&-'):
            self.assertEqual(self.start(shell, input=MAIL).status, 0)

    def test_everything_closed(self):
        self.assertEqual(self.start('exec "$@" <&- >&- 2>&-').status, NOINPUT)

    def test_output_that_is_full(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("there is no /dev/full")
        for args in ('"$@"', '"$1" -bp', '"$1" -bv a@b.org', '"$1" --help'):
            self.assert_status(
                self.start(f'exec {args} >/dev/full', input=MAIL), SOFTWARE,
                "standard output")

    def test_an_output_that_nobody_reads(self):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "wb") as stdout:
            result = subprocess.run([PROGRAM, "--help"], stdout=stdout,
                                    stderr=subprocess.PIPE,
                                    restore_signals=True,
                                    timeout=sendmail.PATIENCE)
        self.assertEqual(result.returncode, SOFTWARE)

    def test_an_empty_environment(self):
        self.assert_status(self.dry(*self.ARGS, env={}), 0)

    def test_any_umask_and_folder(self):
        for mask in (0o177, 0o777, 0):
            self.assert_status(self.dry(*self.ARGS, umask=mask, cwd="/"), 0)

    def test_ignored_and_blocked_signals(self):
        def ignore():
            for number in (1, 2, 3, 13, 15, 17, 20, 21, 22, 24, 25):
                signal.signal(number, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        self.assert_status(
            self.dry(*self.ARGS, "--user=u", "--password-command=echo x",
                     preexec_fn=ignore), 0)

    def test_a_file_is_read_from_where_it_stands(self):
        with tempfile.TemporaryFile() as file:
            file.write(b"what was read before\n" + MAIL)
            file.flush()
            os.lseek(file.fileno(), 21, os.SEEK_SET)
            result = self.dry(*self.ARGS, stdin=file)
        self.assertTrue(result.out.endswith(MAIL), result)

    def test_a_socket(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.sendall(MAIL)
            ours.shutdown(socket.SHUT_WR)
            self.assertTrue(
                self.dry(*self.ARGS, stdin=theirs).out.endswith(MAIL))

    def test_a_non_blocking_socket(self):
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        with ours, theirs:
            process = subprocess.Popen(
                [PROGRAM, "--dry-run", "--url", "smtps://localhost",
                 "--cafile", self.ca, *self.ARGS],
                stdin=theirs, stdout=subprocess.PIPE)
            ours.sendall(MAIL[:50])
            ours.sendall(MAIL[50:])
            ours.shutdown(socket.SHUT_WR)
            out, _ = process.communicate(timeout=sendmail.PATIENCE)
        self.assertTrue(out.endswith(MAIL), out)

    def test_a_terminal_ends_by_a_dot(self):
        master, slave = pty.openpty()
        try:
            process = subprocess.Popen(
                [PROGRAM, "--dry-run", "--url", "smtps://localhost",
                 "--cafile", self.ca, *self.ARGS],
                stdin=slave, stdout=subprocess.PIPE)
            os.write(master, b"Subject: x\n\ntyped\n.\n")
            out, _ = process.communicate(timeout=sendmail.PATIENCE)
        finally:
            os.close(master)
            os.close(slave)
        self.assertTrue(out.endswith(b"\n\ntyped\n"), out)

    def test_a_text_that_does_not_come(self):
        reader, writer = os.pipe()
        try:
            self.assert_status(
                self.dry("--timeout", "1", *self.ARGS, stdin=reader),
                TEMPFAIL, "--timeout")
        finally:
            os.close(reader)
            os.close(writer)


class Configuration(sendmail.TestCase):
    ARGS = ("-f", "a@example.org", "b@example.org")

    def test_no_server_is_set(self):
        self.assert_status(run(*self.ARGS), CONFIG, "--url smtps://")
        self.assert_status(run("--probe"), CONFIG, "--url smtps://")

    def test_urls_that_are_none(self):
        for url in ("", "http://example.org", "smtps://", "smtps://a b",
                    "smtps://localhost:0", "smtps://localhost:99999",
                    "smtps://localhost/inbox", "lmtp://localhost"):
            with self.subTest(url=url):
                result = run("--dry-run", "--url", url, "--cafile", self.ca,
                             *self.ARGS)
                self.assert_status(result, USAGE, "--url")

    def test_a_password_in_a_url_is_not_shown(self):
        result = run("--dry-run", "--url", "smtps://u:hunter2@localhost",
                     "--cafile", self.ca, *self.ARGS)
        self.assert_status(result, USAGE, "--url")
        self.assertNotIn("hunter2", result.err)

    def test_values_that_are_not_valid(self):
        for args in (["--connect-to", "nowhere"], ["--connect-to", "unix:x"],
                     ["--ehlo", "a b"], ["--ehlo", ""],
                     ["--ciphers", "RC4"], ["--ciphers", ""]):
            with self.subTest(args=args):
                self.assert_status(self.dry(*args, *self.ARGS), USAGE,
                                   args[0])

    def test_files_that_cannot_be_loaded(self):
        empty = self.folder / "empty"
        empty.write_text("")
        for args in (["--cafile", "/nowhere"], ["--cafile", empty],
                     ["--capath", "/nowhere"], ["--crlfile", empty],
                     ["--cert", empty], ["--cert", "/nowhere"]):
            with self.subTest(args=args):
                self.assert_status(
                    run("--dry-run", "--url", "smtps://localhost", "--cafile",
                        self.ca, *args, *self.ARGS), CONFIG, str(args[1]))

    def test_a_certificate_and_its_key(self):
        cert, key = self.folder / "cert.pem", self.folder / "key.pem"
        self.assert_status(
            self.dry("--cert", cert, "--key", key, *self.ARGS), 0)
        self.assert_status(
            self.dry("--cert", self.ca, "--key", key, *self.ARGS), CONFIG,
            "--cert")

    def test_settings_that_are_good(self):
        capath = self.folder / "capath"
        capath.mkdir()
        shutil.copy(self.ca, capath)
        for args in (["--connect-to", "127.0.0.1:25"],
                     ["--connect-to", "unix:/run/x"], ["--ehlo", "example.org"],
                     ["--tls-min", "1.3"], ["--capath", capath],
                     ["--ciphers", "AES-256-GCM"]):
            with self.subTest(args=args):
                self.assert_status(self.dry(*args, *self.ARGS), 0)

    def test_what_weakens_says_so(self):
        for args in (["--insecure-no-verify"], ["--insecure-legacy-tls"],
                     ["--insecure-cleartext", "--url", "smtp://localhost"]):
            with self.subTest(args=args):
                result = self.dry(*args, *self.ARGS)
                self.assertEqual(result.status, 0, result)
                self.assertEqual(len(result.lines), 1, result)
                self.assertIn(f"warning: {args[0]}", result.err)

    def test_cleartext_is_not_for_implicit_tls(self):
        result = self.dry("--insecure-cleartext", *self.ARGS)
        self.assertEqual(result.status, USAGE, result)
        self.assertIn("--insecure-cleartext", result.lines[-1])


class Passwords(sendmail.TestCase):
    ARGS = ("-f", "a@example.org", "b@example.org", "--user", "alice")

    def file(self, text, mode=0o600):
        path = self.folder / "password"
        path.unlink(missing_ok=True)
        path.write_bytes(text)
        path.chmod(mode)
        return path

    def test_a_file(self):
        for text in (b"secret\n", b"secret", b"secret\r\nmore\n"):
            self.assert_status(
                self.dry(*self.ARGS, "--password-file", self.file(text)), 0)

    def test_a_file_that_others_can_read(self):
        for mode in (0o644, 0o640, 0o604, 0o620, 0o602):
            path = self.file(b"secret\n", mode)
            self.assert_status(
                self.dry(*self.ARGS, "--password-file", path), CONFIG,
                str(path), f"{mode:04o}", "chmod 600")

    def test_a_file_that_gives_no_password(self):
        for text in (b"", b"\n", b"\nsecret\n", b"a\0b\n", b"x" * 5000):
            path = self.file(text)
            result = self.dry(*self.ARGS, "--password-file", path)
            self.assert_status(result, CONFIG, str(path))
        for path in ("/nowhere/password", "/"):
            self.assert_status(
                self.dry(*self.ARGS, "--password-file", path), CONFIG, path)

    def test_a_pipe_is_a_file(self):
        reader, writer = os.pipe()
        os.write(writer, b"secret\n")
        os.close(writer)
        self.assert_status(
            self.dry(*self.ARGS, "--password-file", f"/dev/fd/{reader}",
                     pass_fds=[reader]), 0)
        os.close(reader)

    def test_a_pipe_has_a_time_limit(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo, 0o600)
        # Neither one that nobody writes to, nor one with half a line in it.
        for keep_open in (False, True):
            writer = os.open(fifo, os.O_RDWR) if keep_open else -1
            if keep_open:
                os.write(writer, b"secr")
            self.assert_status(
                self.dry(*self.ARGS, "--timeout", "1", "--password-file",
                         fifo), TEMPFAIL, str(fifo), "in time")
            if keep_open:
                os.close(writer)

    def test_a_command(self):
        self.assert_status(
            self.dry(*self.ARGS, "--password-command", "echo secret"), 0)

    def test_a_command_that_fails(self):
        self.assert_status(
            self.dry(*self.ARGS, "--password-command", "echo x; exit 4"),
            CONFIG, "password command ended with status 4")

    def test_a_command_has_a_time_limit(self):
        self.assert_status(
            self.dry(*self.ARGS, "--timeout", "1", "--password-command",
                     "sleep 300"), TEMPFAIL, "password command")

    def test_a_command_inherits_nothing(self):
        command = ('test -z "$LEAK" && test "$PATH" && test "$HOME" && '
                   'test -z "$(cat)" && echo secret')
        self.assert_status(
            self.dry(*self.ARGS, "--password-command", command,
                     env={"LEAK": "x"}), 0)

    def test_a_password_with_a_control_character(self):
        result = self.dry(*self.ARGS, "--password-file",
                          self.file(b"sec\x1bret\n"))
        self.assert_status(result, USAGE, "credentials")
        self.assertNotIn("sec", result.err.replace("secure", ""))

    def test_no_terminal_to_ask_on(self):
        # start_new_session leaves the terminal behind.
        result = run("--url", self.sink.smtps, "--cafile", self.ca,
                     *self.ARGS, start_new_session=True)
        self.assert_status(result, CONFIG, "--password-file",
                           "--password-command")


if __name__ == "__main__":
    unittest.main(verbosity=2)
