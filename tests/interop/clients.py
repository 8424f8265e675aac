# SPDX-License-Identifier: MIT
"""The programs that send: the oracle, the library and the command."""

import os
import subprocess

import servers

SENDER = "a@example.org"
SECONDS = 120


class Result:
    def __init__(self, process):
        self.status = process.returncode
        self.out = process.stdout.decode(errors="replace")
        self.err = process.stderr.decode(errors="replace")

    def __str__(self):
        return f"status {self.status}, {(self.out + self.err).strip()!r}"


def run(command, stdin=subprocess.DEVNULL):
    return Result(subprocess.run(
        [str(word) for word in command], stdin=stdin, timeout=SECONDS,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE))


class Program:
    """Sends several files by one connection: the oracle and the library."""

    is_command = False
    appends = {}

    def __init__(self, name, path, *options):
        self.name = name
        self.path = path
        self.options = options

    def send(self, url, cafile, login, files):
        user, password = login or ("", "")
        return run((self.path, *self.options, url, cafile, user, password, SENDER,
                    servers.USER, *files))


class Command:
    """sendmail-tls: one message at a time."""

    is_command = True
    # A header that nothing follows gets its empty line.
    appends = {"header only": b"\r\n"}

    def __init__(self, name, path, work):
        self.name = name
        self.path = path
        self.password_file = work / "password"

    def options(self, url, cafile, login):
        words = [self.path, "--url", url, "--cafile", cafile]
        if login:
            user, password = login
            with open(self.password_file, "w", opener=private) as file:
                file.write(password + "\n")
            words += ["--user", user, "--password-file", self.password_file]
        return words

    def send(self, url, cafile, login, files, *more):
        words = [*self.options(url, cafile, login), *more,
                 "-i", "-f", SENDER, servers.USER]
        for file in files:
            with open(file, "rb") as stdin:
                result = run(words, stdin)
            if result.status:
                break
        return result

    def probe(self, url, cafile, login, *more):
        return run([*self.options(url, cafile, login), "--probe", *more])


def private(path, flags):
    return os.open(path, flags, 0o600)
