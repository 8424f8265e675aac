#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compare what the headers declare with what the library exports.

usage: exports.py HEADER_DIR GENERATED_DIR MAP VALUES LIBRARY ARCHIVE NM CC...

 - every function of the public headers is in the version script, and nothing
   else is, and the script is sorted;
 - the shared library exports just that;
 - no name in the archive could collide with a program's own;
 - every enumerator has its number fixed in test-values.c.
"""

import pathlib
import re
import subprocess
import sys

NAME = re.compile(r"\b(smtptls_\w+)\s*\(")
ENUM = re.compile(r"enum\s+smtptls_\w+\s*\{([^}]*)\}")


def run(*command, text=None):
    return subprocess.run(command, input=text, stdout=subprocess.PIPE,
                          check=True, universal_newlines=True).stdout


def preprocess(compiler, headers, generated):
    includes = "#include <smtptls/smtptls.h>\n"
    flags = ["-E", "-P", "-x", "c", "-I", f"{headers}/..",
             "-I", f"{generated}/..", "-"]
    return run(*compiler, *flags, text=includes)


def enumerators(source):
    for body in ENUM.findall(source):
        for item in body.split(","):
            if item.strip():
                yield item.split("=")[0].strip()


def exported(nm, library):
    """The names a program can bind to, without the version nodes."""
    for line in run(nm, "-D", "--defined-only", library).splitlines():
        kind, name = line.split()[-2:]
        if kind != "A":
            yield name.split("@")[0]


def globals_of(nm, archive):
    for line in run(nm, "-g", "--defined-only", archive).splitlines():
        fields = line.split()
        if len(fields) == 3:
            yield fields[2]


def compare(what, expected, found):
    for name in sorted(expected - found):
        yield f"{name} is missing in {what}"
    for name in sorted(found - expected):
        yield f"{name} is in {what}, but not declared"


def check(headers, generated, map_file, values, library, archive, nm, cc):
    source = preprocess(cc, headers, generated)
    declared = set(NAME.findall(source))
    if len(declared) < 100:
        yield f"only {len(declared)} declarations found"

    listed = re.findall(r"^\s+(smtptls_\w+);",
                        pathlib.Path(map_file).read_text(), re.M)
    if listed != sorted(listed):
        yield "the version script is not sorted"
    yield from compare("the version script", declared, set(listed))
    yield from compare("the library", declared, set(exported(nm, library)))

    for name in sorted(set(globals_of(nm, archive))):
        if not re.match(r"smtptls_|stls_|__", name):
            yield f"{name} in the archive has no prefix of the library"

    fixed = set(re.findall(r"^\s*VALUE\((\w+),",
                           pathlib.Path(values).read_text(), re.M))
    yield from compare("test-values.c", set(enumerators(source)), fixed)


def main():
    found = list(check(*sys.argv[1:8], sys.argv[8:]))
    print("\n".join(found) or "headers and library agree")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
