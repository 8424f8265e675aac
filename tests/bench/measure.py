# SPDX-License-Identifier: MIT
"""How the benchmarks measure: a sink, and programs that are counted."""

import json
import os
import pathlib
import re
import resource
import shutil
import signal
import statistics
import subprocess
import tempfile

TIMEOUT = 300


class Sink:
    """smtp-sink-tls while a `with` lasts; `stats` is there behind it."""

    def __init__(self, program, folder, *options):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=folder))
        self.file = self.folder / "stats.json"
        self.stats = None
        self.command = [program, "--make-ca", pathlib.Path(folder) / "ca",
                        "--stats", self.file, "--max-seconds", "600", *options]

    def __enter__(self):
        self.process = subprocess.Popen(
            [str(word) for word in self.command], stdout=subprocess.PIPE,
            text=True)
        line = self.process.stdout.readline()
        ports = dict(word.split("=") for word in line.split())
        self.smtp, self.smtps = int(ports["smtp"]), int(ports["smtps"])
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(TIMEOUT)
        self.process.stdout.close()
        if self.file.exists():
            self.stats = json.loads(self.file.read_text())


class Command:
    """What is run: arguments, environment, a file for standard input."""

    def __init__(self, words, env=None, stdin=None):
        self.words = [str(word) for word in words]
        self.env = {**os.environ, **(env or {})}
        self.stdin = stdin

    def start(self, *before):
        stdin = open(self.stdin, "rb") if self.stdin else subprocess.DEVNULL
        try:
            return subprocess.Popen(
                [*map(str, before), *self.words], env=self.env, stdin=stdin,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                start_new_session=True)
        finally:
            if self.stdin:
                stdin.close()

    def finish(self, process):
        try:
            out, err = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise RuntimeError(f"{' '.join(self.words)}: no end") from None
        if process.returncode != 0:
            raise RuntimeError(f"{' '.join(self.words)}: {err.decode()}")
        return out


def run(command, launch, folder):
    """Wall clock, processor and memory, and what the driver itself told."""
    with tempfile.NamedTemporaryFile(dir=folder) as result:
        out = command.finish(command.start(launch, result.name))
        found = json.loads(pathlib.Path(result.name).read_text())
    return {**found, **(json.loads(out) if out.startswith(b"{") else {})}


def instructions(command, folder):
    """All instructions of the process, by callgrind; None without it."""
    if shutil.which("valgrind") is None:
        return None
    with tempfile.NamedTemporaryFile(dir=folder) as out:
        process = command.start(
            "valgrind", "--tool=callgrind",
            f"--callgrind-out-file={out.name}")
        command.finish(process)
        text = pathlib.Path(out.name).read_text()
    return int(re.search(r"^(?:totals|summary): (\d+)", text, re.M).group(1))


def syscalls(command, folder):
    """All system calls of the process and its threads; None without strace."""
    if shutil.which("strace") is None:
        return None
    with tempfile.NamedTemporaryFile(dir=folder) as out:
        command.finish(command.start("strace", "-f", "-c", "-o", out.name))
        text = pathlib.Path(out.name).read_text()
    return int(re.search(r"^\S+ +\S+ +(?:\S+ +)?(\d+) .*total$", text,
                         re.M).group(1))


def per_unit(count, few, many, units):
    """What one unit costs, when some is done with a few and with many."""
    low, high = count(few), count(many)
    return None if low is None else (high - low) / units


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def medians(samples):
    """The median of each number of several measurements."""
    return {key: median([sample[key] for sample in samples if key in sample])
            for key in samples[0]}


def raise_descriptor_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
