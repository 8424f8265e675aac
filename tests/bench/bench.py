# SPDX-License-Identifier: MIT
"""Measure, and print what was found; run.sh builds what this runs."""

import argparse
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import time

import measure
import plot
import tables
from drivers import Drivers
from scenarios import SCENARIOS, Bench


def output_of(*words):
    try:
        return subprocess.run(words, capture_output=True, text=True,
                              timeout=60).stdout
    except OSError:
        return ""


def version_of(*words):
    found = re.search(r"\d+(?:\.\d+)+", output_of(*words))
    return found.group(0) if found else None


def processor():
    for line in open("/proc/cpuinfo") if os.path.exists("/proc/cpuinfo") else ():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def surroundings(build):
    """Everything that a number depends on."""
    system = re.search(r'^PRETTY_NAME="?([^"\n]*)', pathlib.Path(
        "/etc/os-release").read_text(), re.M) \
        if os.path.exists("/etc/os-release") else None
    found = {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "system": system.group(1) if system else platform.system(),
        # Without what a distribution or a machine has added to it.
        "kernel": re.match(r"[\d.]*", platform.release())[0],
        "processor": f"{processor()}, {os.cpu_count()} of them",
        "smtptls": version_of(build / "tools/smtp-sink-tls/smtp-sink-tls",
                              "--version"),
        "GnuTLS": version_of("pkg-config", "--modversion", "gnutls"),
        "libcurl": version_of("pkg-config", "--modversion", "libcurl"),
        "libcurl's TLS": "GnuTLS" if "gnutls" in output_of(
            "ldd", build / "tests/bench/driver-curl").lower() else "OpenSSL",
        "libESMTP": version_of("pkg-config", "--modversion", "libesmtp-1.0"),
        "msmtp": version_of("msmtp", "--version"),
        "compiler": output_of("cc", "--version").split("\n")[0],
        "valgrind": version_of("valgrind", "--version"),
    }
    return {name: value for name, value in found.items() if value}


def parse_arguments():
    parser = argparse.ArgumentParser(prog="run.sh")
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--only", default=",".join(SCENARIOS), metavar="LIST",
                        help="some of " + " ".join(SCENARIOS))
    parser.add_argument("--runs", type=int, default=5,
                        help="of which the median is taken")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE",
                        help="write the numbers; what others are there stays")
    parser.add_argument("--svg", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--doc", type=pathlib.Path, metavar="FILE",
                        help="put tables between the markers of a document")
    arguments = parser.parse_args()
    arguments.only = arguments.only.split(",")
    for name in arguments.only:
        if name not in SCENARIOS:
            parser.error(f"{name} is none of {' '.join(SCENARIOS)}")
    return arguments


def main():
    arguments = parse_arguments()
    measure.raise_descriptor_limit()
    data = {"scenarios": {}}
    if arguments.json and arguments.json.exists():
        data = json.loads(arguments.json.read_text())
    data["surroundings"] = surroundings(arguments.build)
    drivers = Drivers(arguments.build)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments.build, pathlib.Path(folder), drivers,
                      arguments.runs)
        with bench.sink():
            pass  # The throwaway CA is there now.
        for name in arguments.only:
            begin = time.monotonic()
            rows = SCENARIOS[name](bench)
            data["scenarios"][name] = rows
            print(tables.as_text(name, rows), flush=True)
            print(f"({time.monotonic() - begin:.0f} s)\n", file=sys.stderr)
    print(tables.targets_as_text(data))
    if arguments.json:
        arguments.json.write_text(json.dumps(data, indent=1) + "\n")
    if arguments.svg:
        plot.write_plots(data, arguments.svg)
    if arguments.doc:
        plot.fill_document(data, arguments.doc)


if __name__ == "__main__":
    main()
