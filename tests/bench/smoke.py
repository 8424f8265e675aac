# SPDX-License-Identifier: MIT
"""The drivers work: a few messages, and no time is taken."""

import json
import pathlib
import subprocess
import sys
import tempfile

SINK, DRIVER, HEAP = sys.argv[1:]
LEVELS = ("none", "standard", "one-flight", "window")
USER = ("--user", "alice", "--password", "geheim")


def run(folder, program, port, *options):
    """One driver against a sink of its own: what both counted."""
    password = folder / "password"
    password.write_text("geheim\n")
    stats = folder / "stats.json"
    sink = subprocess.Popen(
        [SINK, "--make-ca", folder / "ca", "--stats", stats, "--max-seconds",
         "60", *(("--user", "alice", "--password-file", password)
                 if "--user" in options else ())],
        stdout=subprocess.PIPE, text=True)
    try:
        ports = dict(word.split("=") for word in sink.stdout.readline().split())
        done = subprocess.run(
            [program, f"--{port}", ports[port], "--ca", folder / "ca/ca.pem",
             *options], capture_output=True, text=True, timeout=60)
    finally:
        sink.terminate()
        sink.wait(60)
    assert done.returncode == 0, (options, done.stderr)
    return json.loads(done.stdout), json.loads(stats.read_text())


def check(folder, program, port, options, messages, recipients):
    report, stats = run(folder, program, port, *options)
    found = (report["accepted"], stats["messages"], stats["recipients"])
    assert found == (messages, messages, recipients), (options, found)
    for name in ("errors", "unclean_closes", "pipelining_violations"):
        assert stats[name] == 0, (options, name, stats[name])
    return report


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        content = folder / "content"
        content.write_bytes(b"Subject: x\r\n\r\n" + b".x\r\n" * 50000)
        for port in ("smtp", "smtps"):
            for level in LEVELS:
                check(folder, DRIVER, port, (
                    "--level", level, "--messages", "20", "--recipients", "3"),
                    20, 60)
        check(folder, DRIVER, "smtps", USER, 1, 1)
        for more in ((), ("--from-file",), ("--no-chunking",)):
            check(folder, DRIVER, "smtp", ("--content", content, *more), 1, 1)
        check(folder, DRIVER, "smtp", (
            "--connections", "3", "--messages", "2", "--resume"), 6, 6)
        report = check(folder, HEAP, "smtps", (
            "--connections", "3", "--messages", "2", "--hold"), 6, 6)
        assert report["own_held"] > 0


main()
