#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold the pages of sendmail-tls against the table of its options.

usage: options.py SOURCE_ROOT

 - every option of the command line has its place in sendmail-tls(1), and is
   in one of its examples;
 - every key of the configuration has its place in sendmail-tls.conf(5), is in
   one of its examples, and in doc/examples/sendmail-tls.conf.
"""

import pathlib
import re
import sys

ENTRY = re.compile(
    r"(?:FLAG|STRING|VALUE|MODE|CALL|PASSWORD)\(([^()]*(?:\([^()]*\))?)\)|"
    r"^\t\{ (0, \"[^}]*)\}", re.M)
# What programs pass: named, but no example.
WITHOUT_EXAMPLE = {"-m", "-U", "-c", "-x", "-A", "-e", "-B", "-h", "-p", "-d",
                   "-M", "-X", "-o", "-O", "-I",
                   "--help", "--version", "--submit"}


class Option:
    def __init__(self, text):
        words = [word.strip() for word in text.split(",")]
        letter = re.fullmatch(r"'(.)'", words[0])
        name = next((w for w in words[:2] if w.startswith('"')), None)
        self.letter = letter and letter[1]
        self.name = name and name.strip('"')
        places = words[-1].split("(")[0]
        if "FILES_ONLY" in text:
            places = "FILES_ONLY"
        self.on_command_line = places != "FILES_ONLY"
        self.in_files = places in (
            "FILES_ONLY", "SETTING", "SERVER", "SERVER_LIST", "ACCOUNT",
            "EVERYWHERE")

    def said(self):
        if self.letter:
            yield "-" + self.letter
        if self.name:
            yield "--" + self.name


def options_of(root):
    text = (root / "tools/sendmail-tls/settings/table.c").read_text()
    table = text[text.index("static const struct option_spec specs[]"):]
    return [Option(" ".join((m[1] or m[2]).split()))
            for m in ENTRY.finditer(table)]


def examples_of(page):
    start = page.index(".Sh EXAMPLES")
    return re.sub(r"\\e\n *", "", page[start:page.index(".Sh SEE ALSO")])


def is_macro(page, word):
    """`.It Fl f Ar addr , Fl r Ar addr`, `.Fl m ,`"""
    word = re.escape(word.replace("-", "", 1))
    return re.search(rf"^\..*\bFl (?:\\&)?{word}(?![-\w])", page, re.M)


def check_command(page, options):
    examples = examples_of(page)
    for option in options:
        if not option.on_command_line:
            continue
        for word in option.said():
            word = {"-A": "-Ac", "-b": "-bm"}.get(word, word)
            if not is_macro(page, word):
                yield f"{word} is not in sendmail-tls(1)"
        words = set(option.said())
        if words & WITHOUT_EXAMPLE:
            continue
        if not any(re.search(rf"(?<=\s){w}(?![-a-z])" if len(w) > 2
                             else rf"(?<=\s){w}", examples) for w in words):
            yield f"{' '.join(words)} has no example in sendmail-tls(1)"


def check_files(page, example, options):
    for option in options:
        key = option.name
        if not option.in_files:
            continue
        if not re.search(rf"^\.It Ic (.* )?{key}\b(?!-)", page, re.M):
            yield f"{key} is not in sendmail-tls.conf(5)"
        if not re.search(rf"^{key} = ", examples_of(page), re.M):
            yield f"{key} has no example in sendmail-tls.conf(5)"
        if not re.search(rf"^#?{key} = ", example, re.M):
            yield f"{key} is not in doc/examples/sendmail-tls.conf"


def main():
    root = pathlib.Path(sys.argv[1])
    man = root / "doc/man"
    options = options_of(root)
    keys = [option for option in options if option.in_files]
    problems = list(check_command((man / "sendmail-tls.1").read_text(),
                                  options))
    problems += check_files(
        (man / "sendmail-tls.conf.5").read_text(),
        (root / "doc/examples/sendmail-tls.conf").read_text(), options)
    print("\n".join(problems) or
          f"{len(options)} options, {len(keys)} keys")
    # A check that looked at nothing has not passed.
    return 1 if problems or len(options) < 70 or len(keys) < 35 else 0


if __name__ == "__main__":
    sys.exit(main())
