#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Hold built programs and libraries against what protects them.

usage: checksec.py [--release] FILE ...    a line for each fault
       checksec.py --self-test CC          a small program, built without each
                                           protection in turn, has its fault

--release: without a symbol table or optimisation of ours, so that what needs
them (arrays, _FORTIFY_SOURCE) is up to whoever chose the flags. What the
library does not import besides is held by tests/abi/imports.py, what it exports
by tests/abi/exports.py.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Whoever calls these does not know how much room there is, or who answers.
DANGEROUS = re.compile(
    r"(__)?(strcpy|strcat|v?sprintf|gets|v?f?scanf|mktemp|tmpnam|tempnam|"
    r"tmpfile(64)?|system|popen|wordexp|exec[lv]p?e?p|alloca|rand|srand|random|"
    r"drand48|strtok|ctime|asctime|getpass|cuserid|getwd)(_chk)?")
# What is always another function with _FORTIFY_SOURCE; snprintf(3) and copies
# are where their room is not known to be enough.
FORTIFIED = re.compile(r"v?(f|d|as)?printf|v?syslog")

ARRAY = re.compile(r"^\t+(?:unsigned )?char (?:\*?\w+(?:\[\w+\])?, )*\w+\[",
                   re.M)
FUNCTION = re.compile(r"^(\w+)\([^;{]*\)\n\{\n(.*?)^\}", re.M | re.S)


def output_of(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True,
                          universal_newlines=True).stdout


class Elf:
    def __init__(self, path):
        self.path = path
        self.header = output_of("readelf", "-hW", path)
        self.segments = output_of("readelf", "-lW", path)
        self.dynamic = output_of("readelf", "-dW", path)
        self.symbols = [line.split() for line in
                        output_of("readelf", "--dyn-syms", "-W",
                                  path).splitlines()]
        self.is_x86 = "X86-64" in self.header
        self.is_program = " INTERP " in self.segments
        self._code = None

    def flags_of(self, segment):
        """Of each segment of a type: "R E" is {"R", "E"}."""
        found = re.findall(rf"^ +{segment} +(?:0x\w+ +){{5}}([RWE ]{{3}}) ",
                           self.segments, re.M)
        return [set(flags) - {" "} for flags in found]

    def imports(self):
        return {words[7].split("@")[0] for words in self.symbols
                if len(words) > 7 and words[6] == "UND"}

    def exports(self):
        return {words[7].split("@")[0] for words in self.symbols
                if len(words) > 7 and words[6] not in ("UND", "ABS", "Ndx") and
                words[3] == "FUNC" and words[4] == "GLOBAL"}

    def code(self):
        """Name of a function -> its instructions."""
        if self._code is None:
            text = output_of("objdump", "-d", "--no-show-raw-insn", self.path)
            self._code = dict(re.findall(
                r"^[0-9a-f]+ <([^>]+)>:\n(.*?)(?=^$|\Z)", text, re.M | re.S))
        return self._code


def check_place(elf):
    if "DYN (" not in elf.header:
        yield "is not position independent"
    if elf.is_program and not re.search(r"FLAGS_1.*\bPIE\b", elf.dynamic):
        yield "is not marked as a PIE"


def check_segments(elf):
    stack = elf.flags_of("GNU_STACK")
    if not stack or "E" in stack[0]:
        yield "has an executable stack"
    loads = elf.flags_of("LOAD")
    if not loads:
        yield "has no segments: is this a program?"
    if any({"W", "E"} <= flags for flags in loads):
        yield "has a segment that is writable and executable"


def check_linking(elf):
    if not elf.flags_of("GNU_RELRO"):
        yield "has no RELRO"
    if not re.search(r"\(FLAGS\).*\bBIND_NOW\b|\(FLAGS_1\).*\bNOW\b",
                     elf.dynamic):
        yield "does not bind all symbols at its start"
    if re.search(r"\(RPATH\)|\(RUNPATH\)", elf.dynamic):
        yield "looks for libraries in a place of its own (RUNPATH)"
    if re.search(r"\(TEXTREL\)|\(FLAGS\).*\bTEXTREL\b", elf.dynamic):
        yield "relocates its code"


def check_names(elf):
    for name in sorted(elf.imports()):
        if DANGEROUS.fullmatch(name):
            yield f"calls {name}"
    if elf.is_program:
        for name in sorted(elf.exports()):
            if name.startswith(("stls_", "smtptls_")):
                yield f"exports {name}"


def check_control_flow(elf):
    if not elf.is_x86:
        return
    names = elf.exports() if not elf.is_program else {"main"}
    for name in sorted(names & set(elf.code())):
        if "endbr64" not in elf.code()[name].split("\n", 1)[0]:
            yield f"{name} can be jumped into (no endbr64)"


def check_stack_clash(elf):
    """A page is touched before the next one is taken."""
    if not elf.is_x86:
        return
    for name, code in elf.code().items():
        for size in re.findall(r"\tsub +\$0x([0-9a-f]+),%rsp", code):
            if 0x1000 < int(size, 16) < 1 << 31:
                yield f"{name} takes {int(size, 16)} octets of stack at once"


def check_fortify(elf):
    imports = elf.imports()
    if not any(name.endswith("_chk") for name in imports):
        yield "has no function of _FORTIFY_SOURCE"
    for name in sorted(imports):
        if FORTIFIED.fullmatch(name):
            yield f"calls {name}, not its checked form"


def functions_with_arrays():
    """Those of whose name there is one."""
    bodies = {}
    for folder in ("lib", "tools"):
        for path in sorted((ROOT / folder).rglob("*.c")):
            for name, body in FUNCTION.findall(path.read_text()):
                bodies.setdefault(name, []).append(body)
    return {name for name, found in bodies.items()
            if len(found) == 1 and ARRAY.search(found[0])}


def check_stack_protector(elf, names):
    if "__stack_chk_fail" not in elf.imports():
        yield "has no stack protector"
        return
    found = 0
    for name in names:
        code = elf.code().get(name)
        if code is None:
            continue
        found += 1
        parts = [text for part, text in elf.code().items()
                 if part == name or part.startswith(name + ".")]
        if not any("__stack_chk_fail" in text for text in parts):
            yield f"{name} has an array and no stack protector"
    if found == 0:
        yield "no function with an array is found in it"


LOOKS = (check_place, check_segments, check_linking, check_names,
         check_control_flow, check_stack_clash)


def faults(path, names, is_release=False):
    elf = Elf(str(path))
    for look in LOOKS:
        yield from look(elf)
    if not is_release:
        yield from check_fortify(elf)
        yield from check_stack_protector(elf, names)
    elif "__stack_chk_fail" not in elf.imports():
        yield "has no stack protector"


# --- the test of the test ----------------------------------------------------

PROGRAM = r"""
#include <stdio.h>
#include <string.h>
int with_array(const char *text)
{
	char page[9000];
	snprintf(page, sizeof(page), "%s", text);
	EXTRA
	return (int)strlen(page);
}
int main(int argc, char **argv)
{
	char name[80];
	snprintf(name, sizeof(name), "%s", argv[0]);
	return printf("%s", name) + with_array(argv[argc - 1]);
}
"""
FLAGS = ["-O2", "-fPIE", "-pie", "-Wl,-z,relro", "-Wl,-z,now",
         "-Wl,-z,noexecstack", "-fstack-protector-strong",
         "-fstack-clash-protection", "-fcf-protection", "-U_FORTIFY_SOURCE",
         "-D_FORTIFY_SOURCE=2"]
WITHOUT = {
    "is not position independent": ["-no-pie", "-fno-pie"],
    "has an executable stack": ["-Wl,-z,execstack"],
    "writable and executable": ["-DWRITABLE"],
    "has no RELRO": ["-Wl,-z,norelro"],
    "bind all symbols": ["-Wl,-z,lazy"],
    "RUNPATH": ["-Wl,-rpath,/somewhere"],
    "with_array has an array and no stack protector":
        ["-DNOT=__attribute__((no_stack_protector))"],
    "has no stack protector": ["-fno-stack-protector"],
    "of stack at once": ["-fno-stack-clash-protection"],
    "no endbr64": ["-fcf-protection=none"],
    "not its checked form": ["-U_FORTIFY_SOURCE"],
    "calls __strcpy_chk": ["-DEXTRA=strcpy(page,text+1);puts(page);"],
    "relocates its code": ["-DTEXTREL", "-Wl,-z,notext"],
    "exports smtptls_x": ["-DEXPORTED", "-rdynamic"],
}
EXTRA_TEXT = r"""
#ifdef EXPORTED
int smtptls_x(void) { return 1; }
#endif
#ifdef WRITABLE
__asm__(".section .code,\"awx\"\n.quad 0\n.text\n");
#endif
#ifdef TEXTREL
__asm__(".text\n.quad main\n");
#endif
"""


def build(compiler, folder, flags):
    source, program = folder / "program.c", folder / "program"
    text = PROGRAM.replace("int with_array", "NOT int with_array", 1)
    source.write_text("#ifndef EXTRA\n#define EXTRA\n#endif\n"
                      "#ifndef NOT\n#define NOT\n#endif\n" + text + EXTRA_TEXT)
    subprocess.run([*compiler, *FLAGS, *flags, "-o", program, source],
                   check=True, stderr=subprocess.DEVNULL)
    return program


def self_test(compiler):
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for fault, flags in ((None, []), *WITHOUT.items()):
            try:
                program = build(compiler, folder, flags)
            except subprocess.CalledProcessError:
                print(f"cannot be built here: {' '.join(flags)}")
                continue
            found = list(faults(program, ["with_array"]))
            ok = (not found if fault is None
                  else any(fault in text for text in found))
            if not ok:
                failed += 1
                print(f"built with {flags}: wanted {fault!r}, found {found}")
    return failed


def main():
    if sys.argv[1] == "--self-test":
        return 1 if self_test(sys.argv[2:]) else 0
    is_release = sys.argv[1] == "--release"
    names = functions_with_arrays()
    failed = len(names) < 50
    for path in sys.argv[1 + is_release:]:
        for text in faults(path, names, is_release):
            print(f"{path}: {text}")
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
