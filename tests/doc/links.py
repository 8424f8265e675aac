#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Follow what the documents point to.

usage: links.py SOURCE_ROOT

 - links to files and to headings lead somewhere;
 - files of the tree that stand in backticks exist;
 - in SECURITY.md, names of tests behind such a file are tests in it.
"""

import pathlib
import re
import sys

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.M)
FENCE = re.compile(r"^```.*?^```$", re.M | re.S)
PATH = re.compile(r"(?:tests|lib|doc|include|tools)/[\w./-]*[\w/]")
CODE = re.compile(r"`([^`\n]+)`")
TEST = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+){2,}")


def anchors(text):
    """Headings as the usual viewers name them."""
    for heading in HEADING.findall(FENCE.sub("", text)):
        name = re.sub(r"[^\w\- ]", "", heading.lower().replace("`", ""))
        yield name.replace(" ", "-")


def check_links(root, path, text):
    for target in LINK.findall(FENCE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = path if name == "" else path.parent / name
        if not file.exists():
            yield f"{path.relative_to(root)}: there is no {target}"
        elif anchor and anchor not in anchors(file.read_text()):
            yield f"{path.relative_to(root)}: there is no heading {target}"


def check_paths(root, path, text):
    for code in CODE.findall(FENCE.sub("", text)):
        if PATH.fullmatch(code) and not (root / code).exists():
            yield f"{path.relative_to(root)}: there is no {code}"


def check_tests(root):
    text = (root / "SECURITY.md").read_text()
    source, count = "", 0
    for code in CODE.findall(text):
        if code.startswith("tests/") and (root / code).is_file():
            source = (root / code).read_text()
        elif TEST.fullmatch(code) and not code.startswith("insecure"):
            count += 1
            if not re.search(rf"(START_TEST\(|def |\{{ \"){code}\b", source):
                yield f"SECURITY.md: {code} is not in the file before it"
    if count < 50:
        yield f"SECURITY.md: only {count} tests found"


def main():
    root = pathlib.Path(sys.argv[1])
    documents = [*root.glob("*.md"), *root.glob("doc/*.md"),
                 *root.glob("tests/*.md"), *root.glob("tests/*/*.md")]
    problems = []
    for path in sorted(documents):
        text = path.read_text()
        problems += check_links(root, path, text)
        problems += check_paths(root, path, text)
    problems += check_tests(root)
    print("\n".join(problems) or f"{len(documents)} documents lead somewhere")
    return 1 if problems or len(documents) < 6 else 0


if __name__ == "__main__":
    sys.exit(main())
