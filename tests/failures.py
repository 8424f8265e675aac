#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What failed in a run of `meson test`, and the end of what each test printed.

usage: failures.py TESTLOG.JSON
"""

import json
import sys

GOOD = {"OK", "SKIP", "EXPECTEDFAIL"}
LINES = 40


def main():
    with open(sys.argv[1], encoding="utf-8") as log:
        for test in map(json.loads, log):
            if test["result"] in GOOD:
                continue
            print(f"NOT OK: {test['name']}: {test['result']},"
                  f" status {test['returncode']}, {test['duration']:.0f} s")
            printed = test.get("stdout", "") + test.get("stderr", "")
            for line in printed.splitlines()[-LINES:]:
                print("    " + line)


main()
