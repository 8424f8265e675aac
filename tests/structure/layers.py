#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold the #includes of the library and its tools against the layers.

usage: layers.py SOURCE_ROOT

The table is that of doc/architecture.md. A line is printed for each include
that it does not allow, and for each file that does not open with its own
header.
"""

import pathlib
import re
import sys

# folder -> folders of lib/ it may include, besides itself
LAYERS = {
    "base": [],
    "crypto": ["base"],
    "name": ["base"],
    "smtp": ["base"],
    "sasl": ["base", "crypto"],
    "mail": ["base", "crypto", "name"],
    "net": ["base", "crypto", "name"],
    "tls": ["base", "crypto", "name"],
}
PUBLIC = ["base", "crypto", "name", "smtp", "sasl", "mail", "net", "tls"]
TOOLS = ["base", "common", "crypto", "mail", "name", "smtp"]
# A parser in a folder of which they may not have the rest.
TOOL_PARSERS = ["net/url.h"]
# What one file may include all the same: a bad server has to reach below what
# the public interface of TLS lets anybody do.
FILES = {"tools/smtp-sink-tls/mischief-tls.c": ["tls/session.h"]}

# <group/...> or <header> -> who may include it; what is not here is libc's
SYSTEM = {
    "gnutls": ["crypto", "name", "tls", "tools/smtp-sink-tls"],
    "sockets": ["net", "tls", "lib", "tools"],
    "smtptls/context.h": ["tls", "lib", "tools"],
    "smtptls/session-cache.h": ["tls", "lib", "tools"],
    "smtptls/session.h": ["tls", "lib", "tools"],
    "smtptls/message.h": ["lib", "tools"],
    "smtptls/pool.h": ["lib", "tools"],
    "smtptls/client.h": ["lib", "tools"],
    "smtptls/smtptls.h": ["lib", "tools"],
    "smtptls/version.h": ["lib", "tools"],
}
SOCKETS = re.compile(r"sys/(socket|un)\.h|netdb\.h|netinet/.*")
FOREIGN = re.compile(r"(curl|openssl|nettle|idn2?|p11-kit|check)[/.].*")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def place_of(path):
    """Name the row of the table that a file belongs to."""
    parts = path.parts
    if parts[0] == "tools":
        return "/".join(parts[:2]) if len(parts) > 2 else "tools"
    return parts[1] if len(parts) > 2 else "lib"


def group_of(header):
    if SOCKETS.fullmatch(header):
        return "sockets"
    return "gnutls" if header.startswith("gnutls/") else header


def internal_is_allowed(place, header, own_folder):
    folder = header.split("/")[0] if "/" in header else None
    if folder is None:
        return own_folder or place == "lib"
    if place == "lib":
        return folder in PUBLIC
    if place.startswith("tools"):
        return own_folder or folder in TOOLS or header in TOOL_PARSERS
    return folder == place or folder in LAYERS.get(place, [])


def system_is_allowed(place, header):
    if FOREIGN.fullmatch(header):
        return False
    allowed = SYSTEM.get(group_of(header))
    return (allowed is None or place in allowed or
            place.split("/")[0] in allowed)


def own_header(root, path):
    """What the first include of a .c has to be, if it has a header."""
    if path.suffix != ".c" or not (root / path.with_suffix(".h")).exists():
        return None
    below = 2 if path.parts[0] == "tools" else 1
    return str(pathlib.Path(*path.with_suffix(".h").parts[below:]))


def check_file(root, path):
    text = (root / path).read_text()
    place = place_of(path)
    includes = INCLUDE.findall(text)
    for kind, header in includes:
        if kind == "<":
            ok = system_is_allowed(place, header)
        else:
            ok = internal_is_allowed(
                place, header,
                place.startswith("tools") and
                (root / place / header).exists()) or (
                header in FILES.get(str(path), []))
        if not ok:
            yield f"{path}: {place} may not include {header}"
    own = own_header(root, path)
    first = includes[0][1] if includes else None
    if own and first != own:
        yield f"{path}: opens with {first}, not with its own header"
    if "SPDX-License-Identifier: MIT" not in text.split("\n", 1)[0]:
        yield f"{path}: the first line is not its licence"


def main():
    root = pathlib.Path(sys.argv[1])
    files = [p.relative_to(root) for folder in ("lib", "tools")
             for p in sorted((root / folder).rglob("*.[ch]"))]
    folders = {p.name for p in (root / "lib").iterdir() if p.is_dir()}
    found = [f"lib/{name}: is not in the table of the layers"
             for name in sorted(folders - set(LAYERS))]
    for path in files:
        found.extend(check_file(root, path))
    print("\n".join(found) or f"{len(files)} files keep to their layers")
    # A check that looked at nothing has not passed.
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main())
