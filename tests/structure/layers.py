#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold the #includes of the library and its tools against the layers.

usage: layers.py SOURCE_ROOT

The tables are those of doc/architecture.md. A line is printed for each include
that they do not allow, and for each file that does not open with its own
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
# A program in folders: each may include, besides itself, those that it names,
# all of which stand above it. The files beside the folders may include all.
PROGRAMS = {
    "sendmail-tls": {
        "system": [],
        "config": ["system"],
        "settings": ["config"],
        "credentials": ["system", "config", "settings"],
        "message": ["system", "config", "settings"],
        "client": ["system", "settings", "credentials", "message"],
        "probe": ["system", "settings", "client"],
        "spool": ["system", "settings", "message", "client"],
        "deliver": ["system", "settings", "message", "client", "spool"],
        "submit": ["system", "settings", "message", "deliver"],
        "serve": ["system", "settings", "message", "deliver", "submit"],
    },
    "smtp-sink-tls": {
        "certificates": [],
        "conversation": [],
        "mischief": ["conversation"],
        "connection": ["conversation", "mischief"],
    },
}
# What one file may include all the same: a bad server has to reach below what
# the public interface of TLS lets anybody do.
FILES = {
    "tools/smtp-sink-tls/connection/mischief-tls.c": ["tls/session.h"],
}

# <group/...> or <header> -> who may include it: a folder, or with a slash at
# the end all that is below it; what is not here is libc's
SYSTEM = {
    "gnutls": ["crypto", "name", "tls", "tools/smtp-sink-tls/certificates",
               "tools/smtp-sink-tls/connection"],
    "sockets": ["net", "tls", "lib", "tools/common",
                "tools/sendmail-tls/probe", "tools/sendmail-tls/serve",
                "tools/sendmail-tls/submit", "tools/smtp-sink-tls",
                "tools/smtp-sink-tls/connection"],
    "smtptls/context.h": ["tls", "lib", "tools/sendmail-tls/",
                          "tools/smtp-sink-tls",
                          "tools/smtp-sink-tls/connection"],
    "smtptls/session-cache.h": ["tls", "lib"],
    "smtptls/session.h": ["tls", "lib", "tools/sendmail-tls/",
                          "tools/smtp-sink-tls",
                          "tools/smtp-sink-tls/connection"],
    "smtptls/message.h": ["lib", "tools/sendmail-tls/"],
    "smtptls/pool.h": ["lib"],
    "smtptls/client.h": ["lib", "tools/sendmail-tls/"],
    "smtptls/smtptls.h": ["lib", "tools/sendmail-tls/"],
    "smtptls/version.h": ["lib", "tools/"],
}
SOCKETS = re.compile(r"sys/(socket|un)\.h|netdb\.h|netinet/.*")
FOREIGN = re.compile(r"(curl|openssl|nettle|idn2?|p11-kit|check)[/.].*")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def place_of(path):
    """Name the row of a table that a file belongs to."""
    parts = path.parts
    if parts[0] == "tools":
        return "/".join(parts[:-1])
    return parts[1] if len(parts) > 2 else "lib"


def group_of(header):
    if SOCKETS.fullmatch(header):
        return "sockets"
    return "gnutls" if header.startswith("gnutls/") else header


def is_of_layer(path, header, folders):
    """Whether a file of a program may include one of the same program."""
    below, of = path.parts[2:-1], pathlib.PurePath(header).parts[:-1]
    if not below or of == below:
        return True
    return len(of) == 1 and of[0] in folders.get(below[0], [])


def tool_is_allowed(root, path, header):
    program = path.parts[1]
    if (root / "tools" / program / header).exists():
        return is_of_layer(path, header, PROGRAMS.get(program, {}))
    return header.split("/")[0] in TOOLS or header in TOOL_PARSERS


def internal_is_allowed(root, path, header):
    place = place_of(path)
    folder = header.split("/")[0] if "/" in header else None
    if path.parts[0] == "tools":
        return tool_is_allowed(root, path, header)
    if folder is None:
        return place == "lib"
    if place == "lib":
        return folder in PUBLIC
    return folder == place or folder in LAYERS.get(place, [])


def system_is_allowed(place, header):
    if FOREIGN.fullmatch(header):
        return False
    allowed = SYSTEM.get(group_of(header))
    return allowed is None or any(
        f"{place}/".startswith(name) if name.endswith("/") else place == name
        for name in allowed)


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
            ok = (internal_is_allowed(root, path, header) or
                  header in FILES.get(str(path), []))
        if not ok:
            yield f"{path}: {path.parent} may not include {header}"
    own = own_header(root, path)
    first = includes[0][1] if includes else None
    if own and first != own:
        yield f"{path}: opens with {first}, not with its own header"
    if "SPDX-License-Identifier: MIT" not in text.split("\n", 1)[0]:
        yield f"{path}: the first line is not its licence"


def check_tables(root):
    """Every folder is in a table, and no table leads back up."""
    tables = {"lib": LAYERS}
    for tool in sorted((root / "tools").iterdir()):
        if any(tool.rglob("*.c")):
            tables[f"tools/{tool.name}"] = PROGRAMS.get(tool.name, {})
    for place, table in tables.items():
        rows = list(table)
        folders = {p.name for p in (root / place).iterdir() if p.is_dir()}
        for name in sorted(folders - set(rows)):
            yield f"{place}/{name}: is not in the table of the layers"
        for name in sorted(set(rows) - folders):
            yield f"{place}/{name}: is in the table, and is no folder"
        for i, name in enumerate(rows):
            for other in sorted(set(table[name]) - set(rows[:i])):
                yield f"{place}/{name}: {other} does not stand above it"


def check_document(root):
    """What a table of a program says here is what the document says."""
    text = (root / "doc/architecture.md").read_text()
    for program, table in PROGRAMS.items():
        section = text.partition(f"\n## {program}\n")[2].partition("\n## ")[0]
        for name, others in table.items():
            row = re.search(rf"^\| `{name}/` \|.*\| ?(.*?) ?\|$", section,
                            re.M)
            if row is None or row[1] != ", ".join(others):
                yield (f"doc/architecture.md: {program}: {name} may include "
                       f"{others}")


def main():
    root = pathlib.Path(sys.argv[1])
    files = [p.relative_to(root) for folder in ("lib", "tools")
             for p in sorted((root / folder).rglob("*.[ch]"))]
    found = [*check_tables(root), *check_document(root)]
    for path in files:
        found.extend(check_file(root, path))
    print("\n".join(found) or f"{len(files)} files keep to their layers")
    # A check that looked at nothing has not passed.
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main())
