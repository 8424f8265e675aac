#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
What a program is told by the library when a system call fails: each call in
turn, with each error that it may have. LIVE is the program of live.c, FAIL_AT
that of fail-at.c. With STLS_TEST_FULL no call and no error is left out. Each
test here is a test of meson: meson.build reads their names.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import zlib

LIVE, FAIL_AT = os.environ["LIVE"], os.environ["FAIL_AT"]
FULL = bool(os.environ.get("STLS_TEST_FULL"))
SANITIZED = os.environ.get("SANITIZED") == "yes"
STEP = 1 if FULL else 240 if SANITIZED else 60
# The sanitizers look at each call that fails, with one of its errors.
ALL_ERRORS = FULL and not SANITIZED
IMPOSSIBLE = 98
PATIENCE = 60
# What is freed is then free, and not kept for the next one of its size. Some
# faults last until the deadline, and more time would not help.
ENVIRONMENT = {
    **os.environ,
    "CK_TIMEOUT_MULTIPLIER": "1",
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}

injected = 0


class Lives(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.report = pathlib.Path(folder.name) / "report"

    def live(self, mode, at, variant, *args):
        """One life; how many errors the call has that failed, or None."""
        global injected
        self.report.unlink(missing_ok=True)
        process = subprocess.run(
            [FAIL_AT, mode, str(at), str(variant), self.report, LIVE,
             *map(str, args)], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=PATIENCE, env=ENVIRONMENT,
            check=False)
        if process.returncode == IMPOSSIBLE:
            self.skipTest("no process may be traced here")
        fault = ""
        if self.report.exists():
            fault = self.report.read_text("utf-8", "replace").strip()
            injected += 1
        about = f"{mode} {at} {variant} {args} {fault}: {process}"
        with self.subTest(mode=mode, at=at, fault=fault):
            self.assertEqual(process.returncode, 0, about)
            lines = process.stdout.decode().splitlines()
            self.assertEqual(lines[1], "-", about)
            if mode in ("short", "eintr") or not fault:
                self.assertEqual(lines[0], "0", about)
        if os.environ.get("FAULTS_VERBOSE"):
            print(mode, at, fault, process.stdout, flush=True)
        return int(fault.split(" ")[2]) if fault else None

    def all_faults(self, *args):
        for mode in ("once", "on"):
            turn = zlib.crc32((self.id() + mode).encode())
            at, seen = 1 + turn % min(STEP, 50), 0
            while errors := self.live(mode, at, turn + seen, *args):
                for more in range(1, errors if ALL_ERRORS else 1):
                    self.live(mode, at, turn + seen + more, *args)
                at += STEP
                seen += 1
            self.assertGreater(seen, 0)
        for mode in ("short", "eintr"):
            self.assertIsNotNone(self.live(mode, 0, 0, *args))

    def test_starttls(self):
        self.all_faults(0, 0)

    def test_starttls_in_a_loop_at_a_name(self):
        self.all_faults(1, 1)

    def test_implicit_tls_at_a_name(self):
        self.all_faults(2, 1)

    def test_implicit_tls_in_a_loop(self):
        self.all_faults(3, 0)


def tearDownModule():
    print(f"{injected} system calls have failed", file=sys.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
