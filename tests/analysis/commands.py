#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Write the compile_commands.json of the analysers: each file of lib/ and tools/
once, as the build compiles it, but for warnings, with assume.h in front.

usage: commands.py BUILD_DIR OUT_DIR
"""

import json
import pathlib
import re
import shlex
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ASSUME = ROOT / "tests/analysis/assume.h"
# Run by meson, once, in the place of libc.
PROBES = ("lib/tls/probe-bundle.c",)
# The one that defines them; not of the library.
WITHOUT = ("lib/base/err.c", "tools/keyring/", "tools/common/")


def arguments_of(entry, place):
    words = shlex.split(entry["command"])
    if words[0].endswith("ccache"):
        del words[0]
    kept = [word for word in words
            if not word.startswith(("-W", "-D_FORTIFY_SOURCE", "-M"))]
    # What -MQ and -MF name, and what is made.
    for option in ("-o",):
        index = kept.index(option)
        del kept[index:index + 2]
    kept = [word for word in kept if not word.endswith((".o", ".o.d"))]
    # The headers of other packages are not ours to judge.
    kept = [re.sub("^-I/", "-isystem/", word) for word in kept]
    if not place.startswith(WITHOUT):
        kept[1:1] = ["-include", str(ASSUME)]
    return kept


def main():
    build, out = map(pathlib.Path, sys.argv[1:3])
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = (pathlib.Path(entry["directory"]) / entry["file"]).resolve()
        place = str(path.relative_to(ROOT)) if ROOT in path.parents else ""
        if (not place.startswith(("lib/", "tools/")) or place in found or
                place in PROBES):
            continue
        found[place] = {"directory": entry["directory"], "file": str(path),
                        "arguments": arguments_of(entry, place)}
    sources = {str(path.relative_to(ROOT)) for folder in ("lib", "tools")
               for path in (ROOT / folder).rglob("*.c")}
    out.mkdir(parents=True, exist_ok=True)
    (out / "compile_commands.json").write_text(
        json.dumps([found[place] for place in sorted(found)], indent=1))
    for place in sorted(found):
        print(place)
    # What is not compiled here is not looked at, and says so.
    for place in sorted(sources - set(found)):
        print(f"not compiled here: {place}", file=sys.stderr)
    return 0 if len(found) > 100 else 1


if __name__ == "__main__":
    sys.exit(main())
