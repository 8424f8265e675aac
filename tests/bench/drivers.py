# SPDX-License-Identifier: MIT
"""The programs that are measured, and how each is told what to do."""

import pathlib
import shutil

from measure import Command

SENDER = "sender@example.org"
USER, PASSWORD = "alice", "geheim"


class Task:
    """What is to be sent, and how; the names are those of options.c."""

    def __init__(self, sink, ca, is_implicit=False, messages=1, recipients=1,
                 connections=1, content=None, from_file=False, auth=False,
                 resume=False, hold=False):
        self.sink, self.ca, self.is_implicit = sink, ca, is_implicit
        self.messages, self.recipients = messages, recipients
        self.connections, self.content = connections, content
        self.from_file, self.auth = from_file, auth
        self.resume, self.hold = resume, hold

    @property
    def port(self):
        return self.sink.smtps if self.is_implicit else self.sink.smtp


class Driver:
    """One of ours in C, which all take the same options."""

    has_implicit = True
    can_hold = True

    def __init__(self, label, program, *options):
        self.label, self.program, self.options = label, program, options

    def exists(self):
        return pathlib.Path(self.program).exists()

    def words(self, task):
        words = [self.program, "--smtps" if task.is_implicit else "--smtp",
                 task.port, "--ca", task.ca, "--messages", task.messages,
                 "--recipients", task.recipients, "--connections",
                 task.connections, *self.options]
        if task.content:
            words += ["--content", task.content]
        if task.auth:
            words += ["--user", USER, "--password", PASSWORD]
        for name in ("from_file", "resume", "hold"):
            if getattr(task, name):
                words.append("--" + name.replace("_", "-"))
        return words

    def command(self, task):
        return Command(self.words(task))


class Esmtp(Driver):
    """
    libESMTP trusts ~/.config/libesmtp/ca.pem. With TLS 1.3 it never writes again
    once a session ticket came before its EHLO, as GnuTLS's do: so TLS 1.2.
    """

    has_implicit = False
    can_hold = False

    CONFIG = ("openssl_conf = a\n[a]\nssl_conf = b\n[b]\n"
              "system_default = c\n[c]\nMaxProtocol = TLSv1.2\n")

    def command(self, task):
        home = task.sink.folder / "home"
        folder = home / ".config/libesmtp"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copy(task.ca, folder / "ca.pem")
        (folder / "ca.pem").chmod(0o600)
        (home / "openssl.cnf").write_text(self.CONFIG)
        return Command(self.words(task), env={
            "HOME": str(home), "OPENSSL_CONF": str(home / "openssl.cnf")})


class Msmtp(Driver):
    """A process for each message."""

    can_hold = False

    def exists(self):
        return shutil.which(self.program) is not None

    def command(self, task):
        config = task.sink.folder / "msmtprc"
        config.write_text(
            f"account default\nhost localhost\nport {task.port}\n"
            f"from {SENDER}\ntls on\ntls_trust_file {task.ca}\n"
            f"tls_starttls {'off' if task.is_implicit else 'on'}\n"
            + (f"auth plain\nuser {USER}\npassword {PASSWORD}\n"
               if task.auth else ""))
        config.chmod(0o600)
        return Command(
            [self.program, "-C", config, "-f", SENDER, "--",
             *(f"a{n}@example.org" for n in range(task.recipients))],
            stdin=task.content)


class Drivers:
    """All of them, by the folder of the build."""

    def __init__(self, build):
        folder = pathlib.Path(build) / "tests/bench"
        own = folder / "driver-smtptls"

        def level(label, *options):
            return Driver(f"smtptls, {label}", own, *options)

        self.own = Driver("smtptls", own)
        self.heap = Driver("smtptls", folder / "driver-smtptls-heap")
        self.none = level("none", "--level", "none")
        self.standard = level("standard")
        self.one_flight = level("one-flight", "--level", "one-flight")
        self.data = level("DATA", "--no-chunking")
        self.windows = {
            n: level(f"window {n}", "--level", "window", "--window", n)
            for n in (16, 64, 256)}
        self.floors = {
            n: Driver(f"floor, window {n}", folder / "driver-floor",
                      "--window", n) for n in (16, 64, 256)}
        self.floor = Driver("floor", folder / "driver-floor", "--window", 256)
        self.curl = Driver("libcurl", folder / "driver-curl")
        self.esmtp = Esmtp("libESMTP", folder / "driver-esmtp")
        self.msmtp = Msmtp("msmtp", "msmtp")
