#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold the library to what it does not do in the process of somebody else.

usage: imports.py LIBRARY NM

What it does not import it cannot call: nothing that prints, ends the process,
changes signal handlers, environment, locale, working directory, file mode mask
or folders, starts another process, or reads the environment. What it does by
write(2) and open(2), tests/faults/test-manners.c sees.
"""

import re
import subprocess
import sys

FORBIDDEN = re.compile(
    r"(__)?("
    r"v?[fd]?printf(_chk)?|f?puts|f?putc|putchar|perror|fwrite|fopen(64)?|"
    r"stdout|stderr|stdin|v?syslog(_chk)?|v?warnx?|v?errx?|psignal|"
    r"_?exit|_Exit|quick_exit|at_?exit|on_exit|abort|raise|kill|"
    r"signal|sigaction|sysv_signal|bsd_signal|alarm|setitimer|"
    r"(secure_)?getenv|setenv|putenv|unsetenv|clearenv|"
    r"setlocale|chdir|fchdir|umask|"
    r"creat(64)?|openat(64)?|freopen(64)?|mkd?stemps?(64)?|tmpfile(64)?|"
    r"mkdir|rename|unlink|remove|"
    r"v?fork|exec\w+|posix_spawnp?|system|popen|"
    r"rand|srand|random|srandom|strtok|gethostbyname)")
# Asserts are for mistakes of our own.
EXPECTED = {"getaddrinfo", "poll", "malloc"}


def main():
    library, nm = sys.argv[1:3]
    output = subprocess.run(
        [nm, "-D", "--undefined-only", library], stdout=subprocess.PIPE,
        check=True, universal_newlines=True).stdout
    names = {line.split()[-1].split("@")[0] for line in output.splitlines()}
    found = sorted(name for name in names if FORBIDDEN.fullmatch(name))
    for name in found:
        print(f"the library calls {name}")
    # The fortified names are others: __poll_chk.
    missing = [name for name in EXPECTED
               if not any(name in seen for seen in names)]
    for name in missing:
        print(f"{name} is not among the imports: is this the library?")
    return 1 if found or missing else 0


if __name__ == "__main__":
    sys.exit(main())
