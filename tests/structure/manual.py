#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold the pages of section 3 against the headers.

usage: manual.py SOURCE_ROOT

 - every exported function and every callback type has one synopsis, in a page
   that has it in its NAME, and the synopsis is what the header declares;
 - no page speaks of a function or constant that does not exist, and every
   constant stands somewhere;
 - every cross reference leads to a page, and smtptls(3) names all pages;

and all pages against a trap of mdoc(7): a word that is a macro is one in a
heading too, where "In doubt" becomes "<doubt>".
"""

import pathlib
import re
import sys

COMMENT = re.compile(r"/\*.*?\*/", re.S)
DIRECTIVE = re.compile(r"^[ \t]*#.*(\\\n.*)*$", re.M)
FUNCTION = re.compile(r"([\w\s*]+?)\b(smtptls_\w+)\s*\(([^()]*)\)\s*;")
CALLBACK = re.compile(
    r"typedef\s+([\w\s*]+?)\(\*(smtptls_\w+)\)\s*\(([^()]*)\)\s*;")
CONSTANT = re.compile(r"\bSMTPTLS_[A-Z0-9_]+\b")
NAME = re.compile(r"\(?\*?(smtptls_\w+)\)?")
# Lines of prose that are looked through for macros, and those that are words.
HEADING = re.compile(r"\.(?:Ss|Sh|%[A-Z]) (.*)")
WORDS_THAT_ARE_MACROS = set(
    "Ad An Ao Ap Ar At Do Em Er Fl Fr Ic In It Li Lk Ms Mt No Ns On Op Pa Pf "
    "Po So Sq St Sx Sy Ta Tn Va Vt".split())


def squeeze(declaration):
    """One spelling for each type: a blank between words and nowhere else."""
    text = " ".join(declaration.split())
    return re.sub(r" ?([*(),]) ?", r"\1", text)


def declaration(kind, result, name, arguments):
    return squeeze(f"{kind}{result} {name}({arguments})")


def declared(root):
    """name -> declaration, and the constants, of the public headers."""
    found, constants = {}, set()
    headers = sorted((root / "include/smtptls").glob("*.h*"))
    for header in headers:
        text = COMMENT.sub(" ", header.read_text())
        constants.update(c for c in CONSTANT.findall(text)
                         if not c.endswith("_H"))
        text = DIRECTIVE.sub("", text).replace('extern "C" {', "")
        for result, name, arguments in CALLBACK.findall(text):
            found[name] = declaration("typedef ", result, name, arguments)
        text = CALLBACK.sub("", text)
        for result, name, arguments in FUNCTION.findall(text):
            found[name] = declaration("", result, name, arguments)
    return found, constants


def words(line):
    """The arguments of a macro line; the macro itself is the first."""
    return [quoted or plain
            for quoted, plain in re.findall(r'"([^"]*)"|([^"\s]+)', line)]


class Page:
    def __init__(self, path):
        self.name = path.stem
        self.names, self.synopsis, self.mentioned = [], {}, set()
        self.references, self.constants = [], set()
        self.twice = []
        section, result, open_function = "", "", None
        for line in path.read_text().splitlines():
            if line.startswith((".Dt", '.\\"')):
                continue
            self.constants.update(CONSTANT.findall(line))
            if not line.startswith("."):
                continue
            macro, *rest = words(line)
            if macro == ".Sh":
                section = " ".join(rest)
            elif macro == ".Nm" and section == "NAME":
                self.names.append(rest[0])
            elif macro == ".Ft":
                result = " ".join(rest)
            elif macro == ".Fn":
                self.function(section, result, rest[0], rest[1:])
            elif macro == ".Fo":
                open_function = (rest[0], [])
            elif macro == ".Fa" and open_function:
                open_function[1].append(rest[0])
            elif macro == ".Fc":
                self.function(section, result, *open_function)
                open_function = None
            self.inner(macro, rest)

    def inner(self, macro, rest):
        """Macros also stand behind others: `.It Xr smtptls_client 3`."""
        for i, word in enumerate([macro[1:], *rest]):
            if word == "Xr":
                self.references.append((rest[i], rest[i + 1]))
            elif word == "Fn" and i > 0:
                self.function("", "", rest[i], [])

    def function(self, section, result, name, arguments):
        match = NAME.fullmatch(name)
        if match is None:
            return
        name = match[1]
        self.mentioned.add(name)
        if section == "SYNOPSIS":
            if name in self.synopsis:
                self.twice.append(name)
            self.synopsis[name] = declaration(
                "", result, name, ", ".join(arguments))


def check_functions(pages, found):
    where = {}
    for page in pages:
        for name in page.twice:
            yield f"{page.name}: {name} has two synopses"
        for name, text in page.synopsis.items():
            if name in where:
                yield f"{page.name}: {name} is in {where[name]} too"
            where[name] = page.name
            if name in found and text != found[name]:
                yield (f"{page.name}: the synopsis says {text},\n"
                       f"    the header {found[name]}")
        functions = {n for n in page.synopsis
                     if not page.synopsis[n].startswith("typedef ")}
        for name in sorted(functions ^ (set(page.names) - {"smtptls"})):
            yield f"{page.name}: {name} is not both in NAME and SYNOPSIS"
        for name in sorted(page.mentioned - set(found)):
            yield f"{page.name}: there is no {name}"
    for name in sorted(set(found) - set(where)):
        yield f"{name} is in no page"


def check_references(root, pages):
    known = {(name, "3") for page in pages
             for name in [page.name, *page.names]}
    known |= {(p.stem, "1") for p in (root / "doc/man").glob("*.1")}
    for page in pages:
        for name, section in page.references:
            ours = name.startswith("smtptls") or section == "1"
            if ours and name != "openssl-rehash" and (
                    (name, section) not in known):
                yield f"{page.name}: there is no {name}({section})"
    overview = next(p for p in pages if p.name == "smtptls")
    for page in pages:
        if page is not overview and (page.name, "3") not in (
                overview.references):
            yield f"smtptls: does not name {page.name}"


def check_constants(pages, constants):
    used = set()
    for page in pages:
        for name in sorted(page.constants - constants):
            yield f"{page.name}: there is no {name}"
        used |= page.constants
    for name in sorted(constants - used):
        yield f"{name} is in no page"


def check_headings(root):
    for path in sorted((root / "doc/man").glob("*.[0-9]")):
        for line in path.read_text().splitlines():
            match = HEADING.match(line)
            for word in words(match[1]) if match else []:
                if word in WORDS_THAT_ARE_MACROS:
                    yield f"{path.name}: {line!r} needs \\& before {word}"


def main():
    root = pathlib.Path(sys.argv[1])
    found, constants = declared(root)
    exported = set(re.findall(r"^\s+(smtptls_\w+);",
                              (root / "lib/smtptls.map").read_text(), re.M))
    pages = [Page(p) for p in sorted((root / "doc/man").glob("*.3"))]
    problems = [f"{name} is exported and not declared"
                for name in sorted(exported - set(found))]
    problems += check_functions(pages, found)
    problems += check_references(root, pages)
    problems += check_constants(pages, constants)
    problems += check_headings(root)
    print("\n".join(problems) or
          f"{len(found)} functions in {len(pages)} pages")
    # A check that looked at nothing has not passed.
    return 1 if problems or len(exported) < 100 or len(pages) < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
