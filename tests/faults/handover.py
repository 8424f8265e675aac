#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
What becomes of a mail that is handed over to the submit helper when something
fails in the command, or in the helper: as ways.py, with two programs.
"""

import os
import socket
import subprocess
import threading
import unittest

import ways
from ways import ENVIRONMENT, FAIL_AT, PATIENCE, PROGRAM, Fault


class Helper(threading.Thread):
    """What systemd does: a process for each connection, until it is left."""

    def __init__(self, path, command, environment):
        super().__init__(daemon=True)
        self.path, self.command = path, command
        self.environment = environment
        self.statuses, self.hangs = [], False
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        # To shut it down wakes accept(2), which to close it does not.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.join()
        self.listener.close()
        self.path.unlink()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                self.serve(connection)

    def serve(self, connection):
        try:
            process = subprocess.run(
                self.command, stdin=connection, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, env=self.environment,
                timeout=PATIENCE, check=False)
            self.statuses.append(process.returncode)
        except subprocess.TimeoutExpired:
            self.hangs = True


class HandingOver(ways.Sending):
    """Something fails in the command."""

    step = 9

    def serving(self, *args, front=(), environment=None):
        command = [*front, PROGRAM, "--submit", "--config", "/dev/null",
                   "--domain", "example.org", *args]
        return Helper(self.place / "submit", list(map(str, command)),
                      environment or dict(os.environ))

    def inject(self, mode, at, variant, *args, config="/dev/null"):
        with self.serving(*self.helped) as helper:
            result, fault = super().inject(
                mode, at, variant, "--submit-socket", self.place / "submit",
                *args, config=config)
        self.assert_ended(helper)
        return result, fault

    def assert_ended(self, helper):
        self.assertFalse(helper.hangs, "the helper hangs")
        for status in helper.statuses:
            self.assertIn(status, range(128), "the helper")

    def assert_honest(self, result, arrived, stored, about):
        """What the helper has stored may be in doubt, too, for the command."""
        if result.status == ways.IOERR:
            arrived, stored = arrived + stored, 0
        super().assert_honest(result, arrived, stored, about)

    def reset(self):
        self.reset_spool()

    def test_it_is_sent(self):
        self.helped = self.implicit()
        self.all_faults(*ways.FROM)

    def test_it_is_stored(self):
        self.helped = *self.nobody(), "--spool", self.spool
        self.all_faults(*ways.FROM)


class TakingOver(HandingOver):
    """Something fails in the helper."""

    def inject(self, mode, at, variant, *args, config="/dev/null"):
        self.report.unlink(missing_ok=True)
        front, environment = (), {
            **os.environ, "FAIL_ALLOC": f"{mode} {at}",
            "FAIL_REPORT": str(self.report)}
        if FAIL_AT:
            front = FAIL_AT, mode, str(at), str(variant), self.report
            environment = ENVIRONMENT
        with self.serving(*self.helped, front=front,
                          environment=environment) as helper:
            result = ways.run("--submit-socket", self.place / "submit", *args,
                              stdin=self.stdin, config=config)
        if ways.IMPOSSIBLE in helper.statuses:
            self.skipTest("no process may be traced here")
        self.assert_ended(helper)
        fault = None
        if self.report.exists():
            fault = Fault(self.report.read_text("utf-8", "replace").strip())
            ways.injected[type(self).__name__] += 1
        return result, fault


# For each test and for each module once.
tearDownModule = ways.tearDownModule

if __name__ == "__main__":
    unittest.main(verbosity=2)
