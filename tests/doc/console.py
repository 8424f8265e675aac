#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Type the commands of a tutorial, in order, and compare what they print.

usage: console.py TUTORIAL EXAMPLES BUILD_ROOT SANITIZER

The commands are the lines of ```console blocks that begin with `$ `, and
those behind them that begin with `> `. What follows is their output, where
`...` stands for anything, and alone in a line for any number of lines.

smtp-sink-tls is started in the background, on ports that the kernel picks
and that take the place of 2525 and 2465, and runs until the next one. Where
there is no localhost, its address takes its place. With a sanitizer the
compiler is not called: programs that it has not instrumented could not have
the library, so those of the build are taken.
"""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from localhost import HOST

COMPILE = re.compile(r"cc (\w+)\.c -o \1 .*")
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)
# Where it is the name of a server, and not part of what a server says.
NAME = re.compile(r"(://|=|\./send |\bof |\bnot )localhost\b")
PORTS = {"smtp": "2525", "smtps": "2465"}
TIMEOUT = 60
NEEDED = ["sh", "cc", "pkg-config", "certtool"]


def steps(text):
    """(command, expected output) of all blocks."""
    for block in BLOCK.findall(text):
        found = []
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append([line[2:], []])
            elif line.startswith("> ") and not found[-1][1]:
                found[-1][0] += "\n" + line[2:]
            else:
                found[-1][1].append(line)
        yield from found


def matches(expected, output):
    pattern = "".join(
        r"(.*\n)*" if line == "..." else
        ".*".join(re.escape(part) for part in line.split("...")) + r"\n"
        for line in expected)
    return re.fullmatch(pattern, output) is not None


class Typist:
    def __init__(self, folder, build, sanitizer):
        self.folder = folder
        self.build = build
        self.sanitizer = sanitizer
        self.ports = {}
        self.sink = None
        tools = [build / "tools" / name
                 for name in ("sendmail-tls", "smtp-sink-tls")]
        self.env = dict(
            os.environ, LC_ALL="C.UTF-8", LD_LIBRARY_PATH=str(build / "lib"),
            PKG_CONFIG_PATH=str(build / "meson-uninstalled"),
            PKG_CONFIG_SYSROOT_DIR="",
            PATH=os.pathsep.join([*map(str, tools), os.environ["PATH"]]))

    def start(self, command):
        self.stop()
        for port in PORTS.values():
            command = command.replace(f" {port}", " 0")
        self.sink = subprocess.Popen(
            ["sh", "-c", f"exec {command} --max-seconds 300"], text=True,
            cwd=self.folder, env=self.env, stdout=subprocess.PIPE)
        line = self.sink.stdout.readline()
        self.ports = {PORTS[name]: port for name, port in
                      (word.split("=") for word in line.split())}
        return self.as_written(line)

    def stop(self):
        if self.sink is None:
            return
        self.sink.terminate()
        self.sink.wait(TIMEOUT)
        self.sink.stdout.close()
        self.sink = None

    def as_written(self, text):
        for written, port in self.ports.items():
            text = re.sub(rf"([:=]){port}\b", rf"\g<1>{written}", text)
        return text

    def run(self, command):
        if command.startswith("smtp-sink-tls "):
            return self.start(command)
        program = COMPILE.fullmatch(command)
        if program and self.sanitizer != "none":
            shutil.copy(self.build / f"tests/doc/example-{program[1]}",
                        pathlib.Path(self.folder) / program[1])
            return ""
        for written, port in self.ports.items():
            command = command.replace(f":{written}", f":{port}")
        done = subprocess.run(
            ["sh", "-c", command], cwd=self.folder, env=self.env, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=TIMEOUT, check=False)
        output = self.as_written(done.stdout.replace("\r\n", "\n"))
        return output if output == "" or output[-1] == "\n" else output + "\n"


def main():
    tutorial, examples, build = map(pathlib.Path, sys.argv[1:4])
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        print("there is no", ", ".join(missing))
        return 77
    count = 0
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as end:
        shutil.copytree(examples, folder, dirs_exist_ok=True)
        typist = Typist(folder, build.resolve(), sys.argv[4])
        end.callback(typist.stop)
        text = NAME.sub(rf"\g<1>{HOST}", tutorial.read_text())
        for command, expected in steps(text):
            output = typist.run(command)
            count += 1
            if not matches(expected, output):
                print(f"$ {command}", "--- expected:", *expected,
                      "--- printed:", output, sep="\n")
                return 1
    print(f"{count} commands")
    # A check that typed nothing has not passed.
    return 1 if count < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
