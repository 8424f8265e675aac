#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold the C in the documents against the programs and the compiler.

usage: programs.py SOURCE_ROOT GENERATED_DIR CC...
       programs.py --readme README OUTPUT

 - each ```c block of the tutorial is a part, word for word, of the file in
   doc/examples that was linked last before it;
 - the whole program in smtptls(3) is doc/examples/send.c;
 - the pieces in doc/python-ssl.md and in the EXAMPLES of section 3 compile.

With --readme it writes the program in README to a file, to be compiled.
"""

import pathlib
import re
import subprocess
import sys

C_BLOCK = re.compile(r"^```c\n(.*?)^```$", re.M | re.S)
EXAMPLE = re.compile(r"\(examples/([\w.-]+\.c)\)")
LITERAL = re.compile(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", re.M | re.S)

# What the pieces take for granted, around each.
BEFORE = """
#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <smtptls/smtptls.h>
extern struct smtptls_client *smtp;
extern struct smtptls_context *context;
extern struct smtptls_message *mail, *first, *second, *messages[3];
extern struct smtptls_session *tls;
extern const char *text, *password;
extern int fd, r;
extern size_t i, len;
int ask(const char *what, char *password, size_t cap, void *arg);
void ask_somebody(const char *address);
void bounce(const char *address, const char *why);
void keep_for_later(const char *address);
void report(const struct smtptls_message *message);
"""
FUNCTION = re.compile(r"^static .*?^}\n", re.M | re.S)


def compiled(what, piece, compiler):
    """Problems of a piece: its functions outside, the rest in one."""
    functions = "".join(FUNCTION.findall(piece))
    rest = FUNCTION.sub("", piece)
    source = (f"{BEFORE}\n{functions}\nvoid piece(void);\n"
              f"void piece(void)\n{{\n{rest}\n}}\n")
    done = subprocess.run(
        [*compiler, "-fsyntax-only", "-Wall", "-Werror", "-Wno-unused",
         "-x", "c", "-"],
        input=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        check=False, universal_newlines=True)
    if done.returncode != 0:
        yield f"{what}: does not compile:\n{piece}\n{done.stdout}"


def literals(page):
    """The displays of a page, as they are shown."""
    for text in LITERAL.findall(page.read_text()):
        yield text.replace("\\&", "").replace("\\e", "\\")


def check_tutorial(root):
    text = (root / "doc/tutorial.md").read_text()
    count = 0
    for block in C_BLOCK.finditer(text):
        count += 1
        name = EXAMPLE.findall(text[:block.start()])[-1]
        if block[1] not in (root / "doc/examples" / name).read_text():
            yield f"tutorial.md: not in {name}:\n{block[1]}"
    if count < 5:
        yield f"tutorial.md: only {count} pieces of C found"


def check_python(root, compiler):
    blocks = C_BLOCK.findall((root / "doc/python-ssl.md").read_text())
    for block in blocks:
        yield from compiled("python-ssl.md", block, compiler)
    if len(blocks) < 5:
        yield f"python-ssl.md: only {len(blocks)} pieces of C found"


def check_manual(root, compiler):
    send = (root / "doc/examples/send.c").read_text()
    pieces = 0
    for page in sorted((root / "doc/man").glob("*.3")):
        for piece in literals(page):
            if piece.startswith("$ "):
                continue
            if piece.startswith("#include"):
                if piece != send[send.index("#include"):]:
                    yield f"{page.name}: the program is not send.c"
                continue
            pieces += 1
            yield from compiled(page.name, piece.replace("\t...\n", ""),
                                compiler)
    if pieces < 15:
        yield f"only {pieces} pieces of C found in the manual"


def write_readme_program(readme, output):
    blocks = C_BLOCK.findall(pathlib.Path(readme).read_text())
    programs = [b for b in blocks if "int main(" in b]
    if len(programs) != 1:
        sys.exit(f"{len(programs)} programs in {readme}")
    pathlib.Path(output).write_text(programs[0])


def main():
    if sys.argv[1] == "--readme":
        write_readme_program(*sys.argv[2:4])
        return 0
    root, generated = map(pathlib.Path, sys.argv[1:3])
    compiler = [*sys.argv[3:], "-I", root / "include", "-I", generated]
    problems = [*check_tutorial(root), *check_python(root, compiler),
                *check_manual(root, compiler)]
    print("\n".join(problems) or "the C in the documents is sound")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
