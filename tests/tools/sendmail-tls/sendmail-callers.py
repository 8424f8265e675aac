#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The ways in which programs of Debian 12 call sendmail, one after another: each
row was seen when the program was run, with the kind of standard input, the
signals, the umask and the environment that it gave. Those that speak SMTP are in
sendmail-smtp.py.
"""

import os
import pwd
import signal
import socket
import subprocess
import tempfile
import unittest

import sendmail
from sendmail import DATAERR, PROGRAM

USER = pwd.getpwuid(os.getuid()).pw_name

HEADER = b"To: a@example.test\nCc: c@example.test\nSubject: s\n"
FROM = b"From: s@example.test\n"
TEXT = HEADER + b"\nbody\n"
BCC = HEADER + b"Bcc: b@example.test\n\nbody\n"
CRLF = TEXT.replace(b"\n", b"\r\n")
MIXED = HEADER.replace(b"\n", b"\r\n") + b"\r\nbody\n"
MBOX = b"From x@example.test Mon Nov 23 12:00:00 2026\n" \
       b"Return-Path: <x@example.test>\n" + TEXT
ROOT = b"To: root\nSubject: s\n\nbody\n"
PATCH = HEADER + b"\n-- \n+.\n.git\n body\n"

MAILX = (1, 2, 3, 20, 21, 22)
A, B, C = "a@example.test", "b@example.test", "c@example.test"
ABC = [A, B, C]
DEFAULT = f"{USER}@example.test"


class Call:
    def __init__(self, name, argv, recipients, sender=DEFAULT, text=TEXT,
                 stdin="pipe", ignored=(), umask=-1, env=None, closed="",
                 status=0):
        self.name, self.argv, self.recipients = name, argv, recipients
        self.sender, self.text, self.stdin = sender, text, stdin
        self.ignored, self.umask, self.env = ignored, umask, env
        self.closed, self.status = closed, status


S, BOUNCE, R = "s@example.test", "bounce@example.test", "root@example.test"

CALLS = [
    Call("s-nail", ["-i", "--", A, B, C], ABC, stdin="file", ignored=MAILX,
         umask=0o77),
    Call("s-nail -r", ["-i", "-f", S, "--", A], [A], S, stdin="file",
         ignored=MAILX, umask=0o77),
    Call("bsd-mailx", ["-i", "-t"], [A, C, B], text=BCC, stdin="file",
         ignored=MAILX + (13,)),
    Call("bsd-mailx -r", ["-i", "-t", "-f", S], [A, C], S, stdin="file",
         ignored=MAILX + (13,)),
    Call("bsd-mailx to a local name", ["-i", "-t"], [R], text=ROOT,
         stdin="file", ignored=MAILX + (13,)),
    Call("Nagios", ["-i", "-t"], [A, C], stdin="file", ignored=MAILX + (13,),
         env={"PATH": "/bin", "PWD": "/"}),
    Call("mailutils mail", ["-oi", "-f", R, "-t"], [A, C], R, ignored=(13,),
         closed=">&- 2>&-"),
    Call("mutt", ["-oem", "-oi", "--", A, B, C], ABC, stdin="file",
         ignored=(2, 3), umask=0o77),
    Call("mutt with DSN", ["-oem", "-oi", "-B8BITMIME", "-f", BOUNCE, "-N",
                           "failure,delay", "-R", "hdrs", "--", A], [A],
         BOUNCE, stdin="file", ignored=(2, 3), umask=0o77),
    Call("mutt with an envelope sender",
         ["-oem", "-oi", "-B8BITMIME", "-f", BOUNCE, "--", A], [A], BOUNCE,
         stdin="file", ignored=(2, 3, 13), umask=0o77),
    Call("nmh, pipe", ["-t", "-i"], [A, C], stdin="file"),
    Call("alpine, sendmail-path", ["-oem", "-oi", "-t"], [A, C],
         ignored=(1, 2, 3, 13, 20, 25)),
    Call("git send-email", ["-i", A, B, C], ABC, text=PATCH),
    Call("git send-email, sendmailCmd", ["-oi", "-f", BOUNCE, "-i", A], [A],
         BOUNCE, text=PATCH),
    Call("hg email", ["-f", R, A, C, B], [A, C, B], R, text=PATCH),
    Call("quilt mail", ["-f", R, A, C], [A, C], R, text=PATCH),
    Call("bts", ["-t", "-oi"], [A, C]),
    Call("cron, to a name", ["-FCronDaemon", "-i", "-B8BITMIME", "-oem",
                             "alice"], ["alice@example.test"], text=ROOT,
         env={"PATH": "/usr/bin:/bin"}),
    Call("cron", ["-FCronDaemon", "-i", "-B8BITMIME", "-oem", A], [A],
         env={"PATH": "/usr/bin:/bin"}),
    Call("anacron", ["-FAnacron", "-odi", A], [A], stdin="file"),
    Call("atd", ["-i", "root"], [R], stdin="file",
         env={"PATH": "/usr/bin:/bin"}),
    Call("mdadm", ["-t"], [A, C]),
    Call("logwatch", ["-t"], [A, C], umask=0o177),
    Call("unattended-upgrades", ["-i", "-t", "-f", R], [A, C], R),
    Call("sudo", ["-t"], [A, C], ignored=(13,)),
    Call("calendar", ["-i", "-t", "-F", '"Reminder Service"'], [A, C]),
    Call("logcheck", ["-oi", A], [A], umask=0o77),
    Call("fail2ban", ["-f", "fail2ban@example.test", A], [A],
         "fail2ban@example.test", ignored=(1,), umask=0o77),
    Call("PHP mail()", ["-t", "-i"], [A, C, B],
         text=BCC.replace(b"\n", b"\r\n", 4), ignored=(13,)),
    Call("PHP mail() with -f", ["-t", "-i", f"-f{BOUNCE}"], [A, C], BOUNCE,
         text=MIXED, ignored=(13,), env={"PWD": "/"}),
    Call("PEAR Mail", ["-i", f"-f{R}", "--", A, B], [A, B], R, ignored=(13,)),
    Call("PHPMailer", ["-t", "-i", "-oi", f"-f{R}", "-t"], [A, C], R,
         ignored=(13,)),
    Call("Symfony Mailer", ["-i", f"-f{R}", "--", A, B, C], ABC, R,
         ignored=(13,)),
    Call("Python", ["-t", "-oi"], [A, C]),
    Call("Python, policy SMTP", ["-t", "-i", "-f", BOUNCE], [A, C], BOUNCE,
         text=CRLF),
    Call("Email::Sender", ["-i", "-f", BOUNCE, "--", A, B], [A, B], BOUNCE),
    Call("MIME::Lite", ["-t", "-oi", "-oem", f"-f{R}"], [A, C, B], R,
         text=BCC),
    Call("Mail::Box", ["-i", A, C], [A, C]),
    Call("mpack", ["-oi", A], [A], stdin="file"),
    Call("Rails", ["-i", "-f", R, "--", A, C], [A, C], R),
    Call("nodemailer, unix", ["-i", "-f", R, A, B, C], ABC, R,
         stdin="socket"),
    Call("nodemailer, windows", ["-i", "-f", R, A, B, C], ABC, R, text=CRLF,
         stdin="socket"),
    Call("Emacs message-mode", ["-oi", "-f", R, "-t"], [A, C, B], R, text=BCC,
         stdin="file"),
    Call("Emacs mail-mode", ["-oi", "-oep", "-odi", "-t"], [A, C],
         stdin="file"),
    Call("procmail", ["-oi", A, B], [A, B], text=MBOX, umask=0o77),
    Call("formail", ["-oi", "-t"], [A, C]),
    Call("maildrop", ["-f", "", A, B], [A, B], "", text=MBOX, umask=0o7),
    Call("vacation", ["-f", "alice", "--", A], [A], "alice@example.test"),
    Call("dovecot-lda, vacation", ["-i", "-f", "<>", "--", A], [A], "",
         ignored=(13, 24, 25), umask=0o77, env={}),
    Call("dovecot-lda, redirect", ["-i", "-f", A, "--", B], [B], A,
         ignored=(13, 24, 25), umask=0o77, env={}),
]


class Callers(sendmail.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # What a configuration would say comes in front of what they pass.
        wrapper = cls.folder / "sendmail"
        wrapper.write_text(
            "#!/bin/sh\n"
            f"exec '{PROGRAM}' --url '{cls.sink.smtps}' --cafile '{cls.ca}' "
            '--domain example.test "$@"\n')
        wrapper.chmod(0o755)
        cls.wrapper = str(wrapper)

    def start(self, call, stdin):
        def prepare():
            for number in call.ignored:
                signal.signal(number, signal.SIG_IGN)

        command = [self.wrapper, *call.argv]
        if call.closed:
            command = ["/bin/sh", "-c", f'exec "$@" {call.closed}', "sh",
                       *command]
        return subprocess.Popen(
            command, stdin=stdin, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, preexec_fn=prepare, umask=call.umask,
            env=call.env, cwd="/", restore_signals=False)

    def give(self, call):
        """Start it and give it the text, in the way the program does."""
        if call.stdin == "pipe":
            process = self.start(call, subprocess.PIPE)
            out, err = process.communicate(call.text, sendmail.PATIENCE)
        elif call.stdin == "file":
            with tempfile.TemporaryFile() as file:
                file.write(b"skipped\n" + call.text)
                file.flush()
                os.lseek(file.fileno(), 8, os.SEEK_SET)
                process = self.start(call, file)
                out, err = process.communicate(None, sendmail.PATIENCE)
        else:
            ours, theirs = socket.socketpair()
            with ours, theirs:
                process = self.start(call, theirs)
                ours.sendall(call.text)
                ours.shutdown(socket.SHUT_WR)
                out, err = process.communicate(None, sendmail.PATIENCE)
        self.assertEqual(out, b"")
        return process.returncode, err.decode()

    def check_mail(self, call, mail):
        self.assertEqual(mail.sender, call.sender)
        self.assertEqual(mail.recipients, call.recipients)
        self.assertEqual(mail.field("Bcc"), [])
        self.assertEqual(mail.field("Return-Path"), [])
        self.assertEqual(mail.field("Subject"), ["s"])
        for name in ("From", "Date", "Message-ID"):
            self.assertEqual(len(mail.field(name)), 1, name)
        self.assertFalse(mail.data.startswith(b"From x"))
        # Whatever the line ends were: never a CR alone, nor CR CR LF.
        lines = mail.data.split(b"\r\n")
        self.assertFalse([line for line in lines
                          if b"\r" in line or b"\n" in line])
        text = call.text.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
        self.assertEqual(mail.body, text.replace(b"\n", b"\r\n"))

    def test_every_call(self):
        for call in CALLS:
            with self.subTest(program=call.name):
                status, err = self.give(call)
                self.assertEqual(status, call.status, err)
                mails = self.sink.take()
                self.assertEqual(len(mails), 0 if call.status else 1)
                if call.status:
                    self.assertIn("comes in a later version", err)
                    continue
                self.assertEqual(err, "")
                self.check_mail(call, mails[0])

    def test_full_names(self):
        for argv, field in (
                (["-FCronDaemon"], f"CronDaemon <{DEFAULT}>"),
                (["-F", '"Reminder Service"'],
                 f'"Reminder Service" <{DEFAULT}>')):
            self.give(Call("", argv + [A], [A]))
            self.assertEqual(self.sink.take()[0].field("From"), [field])

    def test_without_i_a_dot_ends_a_patch(self):
        text = HEADER + b"\none\n.\ntwo\n"
        self.give(Call("hg", ["-f", R, A], [A], text=text))
        self.assertEqual(self.sink.take()[0].body, b"one\r\n")
        self.give(Call("git", ["-i", "-f", R, A], [A], text=text))
        self.assertEqual(self.sink.take()[0].body, b"one\r\n.\r\ntwo\r\n")

    def test_text_alone(self):
        self.give(Call("echo", [A], [A], text=b"hello\n"))
        mail = self.sink.take()[0]
        self.assertEqual(mail.body, b"hello\r\n")
        self.give(Call("echo", [A], [A], text=b"Subject: s\nhello\n"))
        mail = self.sink.take()[0]
        self.assertEqual((mail.field("Subject"), mail.body),
                         (["s"], b"hello\r\n"))

    def test_a_sender_that_cannot_be_qualified(self):
        result = self.send("-f", "alice", "--", A)
        self.assert_status(result, DATAERR, "alice", "--domain")


if __name__ == "__main__":
    unittest.main(verbosity=2)
