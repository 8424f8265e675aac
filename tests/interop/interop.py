#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Send to real servers, and look at what arrived.

usage: interop.py ROOT WORK BUILD...

ROOT is what unpack.sh made, WORK is removed and made anew, BUILD are build
folders with the programs to test. Prints `ok: ` and `NOT OK: ` lines.
"""

import json
import pathlib
import shutil
import signal
import sys
import traceback

import certs
import servers
from clients import Command, Program
from delivery import LOGIN, Way, deliver, write_messages
from refusal import WRONG_LOGIN, refuse_all


class Report:
    failed = 0

    def check(self, ok, text, why=""):
        if ok:
            print(f"ok: {text}", flush=True)
        else:
            self.failed += 1
            print(f"NOT OK: {text}: {why}", flush=True)


class Run:
    """One run: what there is to test, and where."""

    def __init__(self, root, work, builds):
        self.root, self.work, self.builds = root, work, builds
        self.report = Report()
        self.started = []

    def prepare(self):
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        shutil.rmtree(self.root / "etc/tls", ignore_errors=True)
        self.certs = certs.make_all(self.root / "etc/tls")
        self.files = write_messages(self.work / "messages")
        self.oracle = Program(
            "libcurl", self.builds[0] / "tests/interop/interop-oracle")
        self.own = []
        for build in self.builds:
            self.own += [
                Program(f"library of {build.name}",
                        build / "tests/interop/interop-send"),
                Command(f"sendmail-tls of {build.name}",
                        build / "tools/sendmail-tls/sendmail-tls", self.work)]

        self.levels = [
            Program(f"library of {self.builds[-1].name}, {level}",
                    self.builds[-1] / "tests/interop/interop-send",
                    "-l", level)
            for level in ("none", "standard", "one-flight", "window")]

    def start(self, server, *args):
        self.started.append(server)
        server.start(*args)
        return server

    def stop(self):
        for server in self.started:
            server.stop()
            (self.work / f"{server.name}.log").write_text(server.log_text())

    def start_servers(self):
        self.postfix = self.start(servers.Postfix(self.root))
        self.dovecot = self.start(servers.Dovecot(self.root))
        self.exim = self.start(servers.Exim(self.root))
        sink = self.builds[0] / "tools/smtp-sink-tls/smtp-sink-tls"
        self.sink, self.auth_sink = (
            self.start(servers.Sink(self.work / name, sink, self.certs), login)
            for name, login in (("sink", None), ("auth-sink", LOGIN)))

    def ways(self):
        for scheme, port, login in (
                ("smtp", "submission", LOGIN), ("smtps", "smtps", LOGIN),
                ("smtp", "open", None), ("smtps", "open-smtps", None),
                ("smtp", "tls-1.2", None)):
            yield Way(self.postfix, scheme, port, login)
        for scheme in ("smtp", "smtps"):
            yield Way(self.exim, scheme, scheme, LOGIN)
            yield Way(self.exim, scheme, scheme)
            yield Way(self.sink, scheme, scheme)
            yield Way(self.auth_sink, scheme, scheme, LOGIN)

    def deliver_all(self):
        for way in self.ways():
            for program in (self.oracle, *self.own, *self.levels):
                deliver(self.report, way, program, self.certs["ca"],
                        self.files)
        way = Way(self.dovecot, "lmtp", "lmtp")
        for program in (*self.own, *self.levels):
            deliver(self.report, way, program, self.certs["ca"], self.files)

    def probe(self, command):
        ca, ports = self.certs["ca"], self.postfix.ports
        for text, port, login, status in (
                ("a good server", "open", None, 0),
                ("a good login", "submission", LOGIN, 0),
                ("a wrong name", "wrong-name", None, 76),
                ("a wrong password", "submission", WRONG_LOGIN, 77)):
            result = command.probe(f"smtp://{servers.HOST}:{ports[port]}", ca,
                                   login, "--json")
            try:
                is_json = isinstance(json.loads(result.out), dict)
            except ValueError:
                is_json = False
            self.report.check(
                result.status == status and is_json and
                servers.PASSWORD not in result.out + result.err,
                f"{command.name}: --probe of {text}", result)

    def run(self):
        self.prepare()
        self.start_servers()
        self.deliver_all()
        refuse_all(self.report, self.postfix, self.own, self.certs,
                   self.files["plain"])
        for command in self.own[1::2]:
            self.probe(command)


def main():
    # A signal ends this like an error: the servers are stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    root, work, *builds = (pathlib.Path(p).resolve() for p in sys.argv[1:])
    run = Run(root, work, builds)
    try:
        run.run()
    except Exception:
        traceback.print_exc()
        run.report.check(False, "the run came to its end")
    finally:
        run.stop()
    return 1 if run.report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
