#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Have real programs send mail, and look at what arrives.

usage: callers.py ROOT BUILD

ROOT is what unpack.sh made, BUILD the build folder with the programs to test.
Prints `ok: `, `NOT OK: ` and `skipped: ` lines.
"""

import email
import email.policy
import email.utils
import os
import pathlib
import re
import select
import shutil
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(sys.argv[2]).resolve()
os.environ["SENDMAIL_TLS"] = str(BUILD / "tools/sendmail-tls/sendmail-tls")
os.environ["SMTP_SINK_TLS"] = str(BUILD / "tools/smtp-sink-tls/smtp-sink-tls")
sys.path.insert(0, str(HERE.parent / "tools/sendmail-tls"))

import sendmail
from machine import (ALICE, HELPER, PATIENCE, PROGRAM, ROOT, Helper, Machine)
from programs import (A, ALPINE, ALPINE_PATH, ALPINE_TEXT, C, CALLS, GIT_PATCH,
                      GIT_PREPARE, GIT_SEND, LOGWATCH, PINERC, TAME, Call)


class Report:
    failed = 0

    def check(self, name, problems):
        if not problems:
            print(f"ok: {name}", flush=True)
        else:
            self.failed += 1
            print(f"NOT OK: {name}: {'; '.join(problems)}", flush=True)


def body_of(mail):
    """The text as a reader sees it, whatever the program made of it."""
    message = email.message_from_bytes(mail.data,
                                       policy=email.policy.compat32)
    payload = message.get_payload(decode=True)
    return payload.decode("utf-8", "replace").replace("\r\n", "\n")


def problems_of(call, mail):
    """What is wrong with a mail that has arrived."""
    subject = mail.field("Subject")
    found = []
    for what, wanted, got in (
            ("sender", call.sender, mail.sender),
            ("recipients", sorted(call.recipients), sorted(mail.recipients)),
            ("Subject", ["from a program"], subject),
            ("Bcc", [], mail.field("Bcc")),
            ("text", call.text.rstrip("\n"), body_of(mail).rstrip("\n"))):
        if wanted != got:
            found.append(f"{what} is {got!r} and not {wanted!r}")
    for name in ("From", "Date", "Message-ID"):
        if len(mail.field(name)) != 1:
            found.append(f"{name} is there {len(mail.field(name))} times")
    return found + bare_names_of(mail) + line_ends_of(mail)


def bare_names_of(mail):
    """A provider takes no address that has no domain."""
    found = []
    for name in ("From", "Sender", "Reply-To", "To", "Cc"):
        for _, address in email.utils.getaddresses(mail.field(name)):
            if address and "@" not in address:
                found.append(f"{name} is {mail.field(name)}")
    return found


def line_ends_of(mail):
    lines = mail.data.split(b"\r\n")
    return (["a line end that is no CRLF"] if any(
        b"\r" in line or b"\n" in line for line in lines) else [])


class Run:
    def __init__(self, root, folder):
        self.report = Report()
        self.machine = Machine(root, BUILD)
        self.machine.install()
        self.sink = sendmail.Sink(folder)
        ca = self.machine.root / "etc/sink-ca.pem"
        ca.write_bytes(self.sink.ca.read_bytes())
        self.settings = (f"url = {self.sink.smtps}\n"
                         "cafile = /etc/sink-ca.pem\n"
                         "domain = example.test\n")

    def call(self, call, suffix=""):
        status, out = self.machine.run(
            *call.argv, uid=call.uid, stdin=call.stdin, env=call.env)
        problems = [f"status {status}: {out}"] if status != 0 else []
        mails = self.sink.take()
        if len(mails) != 1:
            problems.append(f"{len(mails)} mails instead of one: {out}")
        for mail in mails:
            problems += problems_of(call, mail)
        self.report.check(call.name + suffix, problems)

    def git(self):
        status, out = self.machine.run("/bin/sh", "-c", GIT_PREPARE, uid=ALICE)
        if status != 0:
            self.report.check("git makes a patch", [out])
            return
        patch = (self.machine.root / GIT_PATCH.lstrip("/")).read_bytes()
        text = patch.partition(b"\n\n")[2].decode()
        call = Call("git send-email", GIT_SEND, [A, C], text=text, uid=ALICE)
        # It prefixes the subject, and asks nobody.
        status, out = self.machine.run(*GIT_SEND, uid=ALICE)
        problems = [f"status {status}: {out}"] if status != 0 else []
        mails = self.sink.take()
        if len(mails) != 1:
            problems.append(f"{len(mails)} mails instead of one: {out}")
        for mail in mails:
            if mail.field("Subject") != ["[PATCH] from a program"]:
                problems.append(f"Subject is {mail.field('Subject')}")
            mail.data = mail.data.replace(b"[PATCH] ", b"")
            mail.header = mail.header.replace(b"[PATCH] ", b"")
            problems += problems_of(call, mail)
        self.report.check(call.name, problems)

    def alpine(self, suffix=""):
        """By -bs, as it does by itself, and as it can be told to."""
        for path, name in (("", "alpine by -bs"), (ALPINE_PATH, "alpine")):
            rc = self.machine.root / "home/alice/pinerc"
            rc.write_text(PINERC.format(path=path))
            os.chown(rc, ALICE, ALICE)
            call = Call(name, ALPINE, [A, C], text=ALPINE_TEXT, uid=ALICE)
            status, seen = self.machine.type_into(
                ALPINE, ALICE, b"last", b"\x18")
            problems = [f"status {status}: {seen}"] if status != 0 else []
            mails = self.sink.take()
            if len(mails) != 1:
                problems.append(f"{len(mails)} mails instead of one: {seen}")
            for mail in mails:
                problems += problems_of(call, mail)
            self.report.check(name + suffix, problems)

    def logwatch(self):
        """What it means nobody else knows, but for the lines of its log."""
        status, out = self.machine.run("/bin/sh", "-c", LOGWATCH)
        problems = [f"status {status}: {out}"] if status != 0 else []
        mails = self.sink.take()
        if len(mails) != 1:
            problems.append(f"{len(mails)} mails instead of one: {out}")
        for mail in mails:
            if mail.field("Subject") != ["Logwatch for here (Linux)"]:
                problems.append(f"Subject is {mail.field('Subject')}")
            if mail.recipients != [A]:
                problems.append(f"recipients are {mail.recipients}")
            problems += bare_names_of(mail)
            body = body_of(mail)
            if not ("Logwatch 7" in body and "a command: 1" in body and
                    "Logwatch End" in body):
                problems.append(f"text is {body!r}")
        self.report.check("logwatch", problems)

    def wait_for_mails(self, count, process):
        """cron tells nobody when it has sent; a mail is there or not yet."""
        mails, end = [], time.monotonic() + PATIENCE
        while len(mails) < count and time.monotonic() < end and (
                process.poll() is None):
            select.select([], [], [], 0.05)
            mails += self.sink.take()
        return mails

    def cron(self, suffix=""):
        """A job of root's in /etc/cron.d, and one of alice's."""
        root = self.machine.root
        command = "cat /home/alice/text"
        (root / "home/alice/text").write_text(TAME)
        (root / "home/alice/text").chmod(0o644)
        (root / "etc/crontab").write_text("")
        table = root / "etc/cron.d/callers"
        table.parent.mkdir(exist_ok=True)
        table.write_text(f"MAILTO={A}\n@reboot root {command}\n")
        own = root / "var/spool/cron/crontabs/alice"
        own.write_text(f"@reboot {command}\n")
        own.chmod(0o600)
        os.chown(own, ALICE, 64923)
        for path in ("run/crond.reboot", "run/crond.pid", "var/run/crond.pid",
                     "var/run/crond.reboot"):
            (root / path).unlink(missing_ok=True)
        (root / "var/run").mkdir(exist_ok=True)
        process = self.machine.start("/usr/sbin/cron", "-f")
        mails = self.wait_for_mails(2, process)
        process.terminate()
        process.wait(PATIENCE)
        table.unlink()
        own.unlink()
        wanted = {"root@example.test": [A],
                  "alice@example.test": ["alice@example.test"]}
        problems = []
        for mail in mails:
            if wanted.pop(mail.sender, None) != mail.recipients:
                problems.append(f"from {mail.sender} to {mail.recipients}")
            problems += bare_names_of(mail)
            if body_of(mail) != TAME:
                problems.append(f"text is {body_of(mail)!r}")
            if mail.field("From") != ["root@example.test (Cron Daemon)"]:
                problems.append(f"From is {mail.field('From')}")
        problems += [f"nothing from {sender}" for sender in wanted]
        self.report.check("cron" + suffix, problems)

    def all(self):
        self.machine.configure(self.settings)
        for call in CALLS:
            self.call(call)
        self.git()
        self.alpine()
        self.logwatch()
        self.cron()

    def by_helper(self):
        """The same, where the users may not read the configuration."""
        self.machine.configure(self.settings, group=HELPER, mode=0o640)
        with Helper(self.machine) as helper:
            for call in CALLS:
                if call.uid != ROOT:
                    self.call(call, ", by the submit helper")
            self.alpine(", by the submit helper")
            if helper.count == 0:
                self.report.check("the submit helper is asked", ["never"])

    def queue_of_others(self):
        self.machine.configure(self.settings, group=HELPER, mode=0o640)
        status, out = self.machine.run(PROGRAM, "-bp", uid=ALICE)
        self.report.check(
            "a queue that may not be seen does not look empty",
            [] if status == 78 and "owner" in out else [f"{status}: {out}"])

    def through_spool(self):
        """The server is away, then it is there: what units and timer do."""
        spool = self.machine.root / "var/spool/sendmail-tls"
        shutil.rmtree(spool, ignore_errors=True)
        spool.mkdir(mode=0o700, parents=True)
        os.chown(spool, HELPER, HELPER)
        keys = "spool = /var/spool/sendmail-tls\n"
        away = re.sub(r":\d+\n", ":1\n", self.settings, count=1) + keys
        call = next(call for call in CALLS if call.name == "mutt")
        problems = []

        def expect(wanted, *argv, uid=HELPER, stdin=b""):
            status, out = self.machine.run(*argv, uid=uid, stdin=stdin)
            if status not in wanted:
                problems.append(f"{argv[:2]}: status {status}: {out}")

        # Everybody may read it, and only one may store there.
        self.machine.configure(away)
        with Helper(self.machine):
            expect([1], *call.argv, uid=ALICE, stdin=call.stdin)
            problems += [f"stored in a spool that nobody runs: {path}"
                         for path in spool.glob("queue/*")]
            expect([0], PROGRAM, "-q")
            expect([0], *call.argv, uid=ALICE, stdin=call.stdin)
        if len(list(spool.glob("queue/*"))) != 1:
            problems.append("it is not in the spool")
        self.machine.configure(self.settings + keys)
        expect([0], PROGRAM, "-qI", *(
            path.name for path in spool.glob("queue/*")))
        mails = self.sink.take()
        if len(mails) != 1:
            problems.append(f"{len(mails)} mails instead of one")
        for mail in mails:
            problems += problems_of(call, mail)
        self.report.check("a mail waits in the spool of the machine",
                          problems)

    def without_server(self):
        """Who looks at the status learns that nothing was sent."""
        self.machine.configure("url = smtps://localhost:1\n"
                               "domain = example.test\n")
        for call in CALLS:
            if call.name not in ("s-nail", "mutt", "PHP mail()",
                                 "Python, plain",
                                 "Email::Sender"):
                continue
            status, _ = self.machine.run(
                *call.argv, uid=call.uid, stdin=call.stdin, env=call.env)
            self.report.check(f"{call.name} sees that nothing was sent",
                              ["status 0"] if status == 0 else [])

    def close(self):
        self.sink.close()


def main():
    with tempfile.TemporaryDirectory() as folder:
        run = Run(sys.argv[1], folder)
        try:
            run.all()
            run.by_helper()
            run.queue_of_others()
            run.through_spool()
            run.without_server()
        except Exception:
            traceback.print_exc()
            run.report.failed += 1
            print("NOT OK: the test itself is broken")
        finally:
            run.close()
    return 1 if run.report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
