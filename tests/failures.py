#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What failed in a run of `meson test`, and what those tests printed.

usage: failures.py TESTLOG.JSON
"""

import json
import sys

GOOD = {"OK", "SKIP", "EXPECTEDFAIL"}
# The first lines have the reason, where a sanitizer gives one.
FIRST, LAST = 30, 60


def shorten(text):
    lines = text.splitlines()
    left_out = len(lines) - FIRST - LAST
    if left_out <= 0:
        return lines
    return [*lines[:FIRST], f"... {left_out} lines", *lines[-LAST:]]


def end_of(test):
    status = test["returncode"]
    return f"signal {-status}" if status < 0 else f"status {status}"


def main():
    with open(sys.argv[1], encoding="utf-8") as log:
        for test in map(json.loads, log):
            if test["result"] in GOOD:
                continue
            print(f"NOT OK: {test['name']}: {test['result']}, {end_of(test)},"
                  f" {test['duration']:.0f} s")
            for stream in ("stdout", "stderr"):
                for line in shorten(test.get(stream, "")):
                    print("    " + line)


if __name__ == "__main__":
    main()
