#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Send to real servers, and look at what arrived.

usage: interop.py ROOT WORK BUILD...

ROOT is what unpack.sh made, WORK is removed and made anew, BUILD are build
folders with the programs to test. Prints `ok: ` and `NOT OK: ` lines.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import certs
import servers
from messages import MESSAGES, TOO_LONG, arrives_as

SENDER = "a@example.org"
SECONDS = 120
# What servers write on top of a message, continuation lines included.
TRACE = re.compile(
    rb"(?:Return-Path|X-Original-To|Delivered-To|Received|Envelope-to|"
    rb"Delivery-date):[^\n]*\n(?:[ \t][^\n]*\n)*")


class Report:
    failed = 0

    def check(self, ok, text, why=""):
        if ok:
            print(f"ok: {text}", flush=True)
        else:
            self.failed += 1
            print(f"NOT OK: {text}: {why}", flush=True)


def without_trace(data):
    while found := TRACE.match(data):
        data = data[found.end():]
    return data


def to_wire(data):
    """Maildirs have LF; on the wire it was CRLF."""
    return data.replace(b"\n", b"\r\n")


class Way:
    """A port of a server, and how to speak to it."""

    def __init__(self, server, scheme, port, auth):
        self.server = server
        self.url = f"{scheme}://localhost:{server.ports[port]}"
        self.auth = auth
        self.name = (f"{server.name}, {scheme}"
                     f"{' with AUTH' if auth else ''}")
        self.user = servers.USER if auth else ""
        self.password = servers.PASSWORD if auth else ""


class Program:
    """A client that gets several messages at once: oracle and library."""

    def __init__(self, name, path):
        self.name = name
        self.path = path

    def send(self, way, cafile, files):
        """Returns what went wrong, or nothing."""
        result = subprocess.run(
            (self.path, way.url, cafile, way.user, way.password, SENDER,
             servers.USER, *files),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=SECONDS)
        if result.returncode:
            return f"status {result.returncode}: {result.stdout.decode()}"
        return ""


def write_messages(folder):
    """One file for each message; its subject is its name."""
    folder.mkdir()
    files = {}
    for number, (name, content) in enumerate(MESSAGES.items()):
        content = content.replace(b"Subject: interop", b"Subject: " +
                                  name.encode(), 1)
        files[name] = folder / f"{number:02d}.eml"
        files[name].write_bytes(content)
    return files


def receive(mailbox, count):
    """Wait for the messages, and sort them by their subjects."""
    arrived = {}
    for _ in range(count):
        data = mailbox.take()
        subject = re.search(rb"^Subject: (.*)$", data, re.M)
        arrived[subject.group(1).decode() if subject else "?"] = data
    return arrived


def differences(way, files, arrived):
    for name, path in files.items():
        expected = (arrives_as(path.read_bytes()) +
                    way.server.appends.get(name, b""))
        data = arrived.get(name)
        if data is None:
            yield f"{name}: did not arrive"
        elif to_wire(without_trace(data)) != expected:
            yield f"{name}: arrived as {without_trace(data)[:2000]!r}"
        elif way.auth and not re.search(rb"with e?smtpsa", data, re.I):
            yield f"{name}: arrived without authentication"
    for name in sorted(set(arrived) - set(files)):
        yield f"{name}: was never sent"


def deliver(report, way, program, cafile, files):
    text = f"{way.name}: {program.name}: {len(files)} messages byte for byte"
    wrong = program.send(way, cafile, files.values())
    if wrong:
        report.check(False, text, wrong)
        return
    arrived = receive(way.server.mailbox, len(files))
    found = list(differences(way, files, arrived))
    report.check(not found, text, "; ".join(found))


def ways(postfix, exim):
    return [
        Way(postfix, "smtp", "submission", True),
        Way(postfix, "smtps", "smtps", True),
        Way(postfix, "smtp", "open", False),
        Way(postfix, "smtps", "open-smtps", False),
        Way(exim, "smtp", "smtp", True),
        Way(exim, "smtps", "smtps", True),
        Way(exim, "smtp", "smtp", False),
        Way(exim, "smtps", "smtps", False),
    ]


def programs(builds):
    return [Program("libcurl", builds[0] / "tests/interop/interop-oracle")]


def run_all(report, root, work, builds):
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    shutil.rmtree(root / "etc/tls", ignore_errors=True)
    files_of_tls = certs.make_all(root / "etc/tls")
    files = write_messages(work / "messages")
    postfix, dovecot, exim = all_servers = [
        kind(root, files_of_tls)
        for kind in (servers.Postfix, servers.Dovecot, servers.Exim)]
    try:
        for server in all_servers:
            server.start()
        for way in ways(postfix, exim):
            for program in programs(builds):
                deliver(report, way, program, files_of_tls["ca"], files)
    finally:
        for server in all_servers:
            server.stop()
            (work / f"{server.name}.log").write_text(server.log_text())


def main():
    # A signal ends this like an error: the servers are stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    root, work, *builds = map(pathlib.Path, sys.argv[1:])
    report = Report()
    run_all(report, root.resolve(), work.resolve(),
            [build.resolve() for build in builds])
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
