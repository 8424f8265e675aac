# SPDX-License-Identifier: MIT
"""usage: seeds.py TRANSCRIPTS FOLDER

Makes inputs for the engine's target of what the servers say in
tests/transcripts; what their clients do, the target draws for itself.
"""

import re
import sys
from pathlib import Path

GLUE, CUT = b"\xfd", b"\xff"
WORDS = {"lmtp": 1, "implicit": 2, "cleartext": 4, "auth": 8, "one-by-one": 16,
         "no-chunking": 32, "at-once": 64, "window": 128}


def unescape(text):
    text = re.sub(r"\\\{(\d+) ([^}]*)\}",
                  lambda found: found[2] * min(int(found[1]), 2000), text)
    plain = {"r": "\r", "n": "\n", "t": "\t", "0": "\0"}
    text = re.sub(r"\\x([0-9a-fA-F]{2})|\\(.)", lambda found:
                  chr(int(found[1], 16)) if found[1]
                  else plain.get(found[2], found[2]), text)
    return text.encode("latin-1", "replace")


def session(keywords, flags):
    """Everything up to the last EHLO reply."""
    said = b"220 x\r\n"
    if not flags & 6:
        said += b"250-x\r\n250 STARTTLS\r\n220 go\r\n"
    said += b"250-x\r\n"
    words = [] if keywords == "-" else keywords.split(",")
    for word in words:
        said += f"250-{word}\r\n".encode()
    return said + b"250 HELP\r\n"


def conversations(path):
    flags, messages, said, last = 0, 0, b"", ""
    for line in path.read_text().splitlines() + ["= again"]:
        if line.startswith("! "):
            for word in line[2:].split():
                flags |= WORDS.get(word, 0)
        elif line.startswith("= session "):
            said += session(line[10:].strip().strip('"'), flags)
        elif line.startswith("= submit "):
            messages += 1
        elif line == "= again":
            if said:
                yield flags, messages, said
            messages, said = 0, b""
        elif line.startswith("S: "):
            said += (GLUE if last.startswith("S: ") else b"") + \
                unescape(line[3:]) + b"\r\n"
        elif line.startswith("s: "):
            said += unescape(line[3:]) + CUT
        last = line


def main():
    transcripts, folder = map(Path, sys.argv[1:])
    count = 0
    for path in sorted(transcripts.glob("*.txt")):
        for i, (flags, messages, said) in enumerate(conversations(path)):
            for seed in 0, 1, 9:
                more = min(max(messages - 1, 0), 5) << 5 | 16
                name = f"{path.stem}-{i}-{seed}"
                (folder / name).write_bytes(
                    bytes([flags, more, seed]) + said[:4000])
                count += 1
    if count == 0:
        sys.exit(f"no transcript in {transcripts}")


main()
