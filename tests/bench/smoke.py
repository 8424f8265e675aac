# SPDX-License-Identifier: MIT
"""The drivers work: a few messages, and no time is taken."""

import concurrent.futures
import json
import pathlib
import subprocess
import sys
import tempfile

SINK, DRIVER, HEAP = sys.argv[1:]
# Flights up to the final 250, by STARTTLS and with TLS from the first byte. The
# delay is as long as a client may take between two pieces of one flight.
FLIGHTS = {"none": (9, 7), "standard": (7, 5), "one-flight": (6, 4)}
DELAY_MS = 300
LEVELS = ("none", "standard", "one-flight", "window")
USER = ("--user", "alice", "--password", "geheim")


def run(folder, program, port, *options, delay_ms=0):
    """One driver against a sink of its own: what both counted."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=folder))
    password, stats = folder / "password", folder / "stats.json"
    password.write_text("geheim\n")
    sink = subprocess.Popen(
        [SINK, "--make-ca", folder / "ca", "--stats", stats, "--max-seconds",
         "60", "--delay-ms", str(delay_ms),
         *(("--user", "alice", "--password-file", password)
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
    return report, stats


def check_flights(folder):
    """By the letter of what each level promises; AUTH adds one, QUIT none."""
    def count(level, port, auth):
        _, stats = run(folder, DRIVER, port, "--level", level,
                       *(USER if auth else ()), delay_ms=DELAY_MS)
        # Only with DATA may QUIT be in the flight of the content.
        return (stats["flights_accepted"],
                stats["flights"] - (level != "standard"))

    cases = [(level, port, auth) for level in FLIGHTS
             for port in ("smtp", "smtps") for auth in (False, True)]
    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        found = list(pool.map(lambda case: count(*case), cases))
    for (level, port, auth), flights in zip(cases, found):
        wanted = FLIGHTS[level][port == "smtps"] + auth
        assert flights == (wanted, wanted), (level, port, auth, flights)


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
        # More than the driver hands over at once.
        check(folder, DRIVER, "smtps", (
            *USER, "--level", "window", "--messages", "2000"), 2000, 2000)
        for more in ((), ("--from-file",), ("--no-chunking",)):
            check(folder, DRIVER, "smtp", ("--content", content, *more), 1, 1)
        _, stats = check(folder, DRIVER, "smtp", (
            "--connections", "3", "--messages", "2", "--resume"), 6, 6)
        assert stats["resumed"] == 2, stats["resumed"]
        report, _ = check(folder, HEAP, "smtps", (
            "--connections", "3", "--messages", "2", "--hold"), 6, 6)
        assert report["own_held"] > 0
        check_flights(folder)


main()
