#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Have gcc's -fanalyzer look at files; whatever it says is printed.

usage: analyzer.py DATABASE_DIR JOBS [FOLDER ...]     all, without a folder
"""

import concurrent.futures
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def look_at(entry):
    process = subprocess.run(
        [*entry["arguments"], "-O2", "-g0", "-fanalyzer", "-o", "/dev/null"],
        cwd=entry["directory"], stderr=subprocess.PIPE, check=False,
        universal_newlines=True)
    return process.returncode, process.stderr


def main():
    database, jobs, folders = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    entries = [
        entry for entry in json.loads(
            (pathlib.Path(database) / "compile_commands.json").read_text())
        if not folders or entry["file"].startswith(
            tuple(f"{ROOT}/{folder}/" for folder in folders))]
    found = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for status, text in pool.map(look_at, entries):
            found += status != 0 or text != ""
            sys.stdout.write(text)
    print(f"{len(entries)} files, {found} with findings")
    return 1 if found or not entries else 0


if __name__ == "__main__":
    sys.exit(main())
