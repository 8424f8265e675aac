# SPDX-License-Identifier: MIT
"""A root directory in which sendmail-tls is the machine's sendmail."""

import fcntl
import json
import os
import pathlib
import pty
import re
import select
import shutil
import socket
import struct
import subprocess
import termios
import threading
import time

PATIENCE = 60
ROOT, ALICE, HELPER, NOBODY = 0, 64921, 64922, 65534
HOMES = {ROOT: "/root", ALICE: "/home/alice", HELPER: "/", NOBODY: "/"}
PROGRAM = "/usr/bin/sendmail-tls"
SOCKET = "run/sendmail-tls/submit"
ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


class Machine:
    def __init__(self, root, build):
        self.root, self.build = pathlib.Path(root), pathlib.Path(build)
        self.config = self.root / self.place_of_config()

    def place_of_config(self):
        """Where the build was told to look, below the root."""
        options = json.loads(
            (self.build / "meson-info/intro-buildoptions.json").read_text())
        value = {option["name"]: option["value"] for option in options}
        folder = pathlib.Path(value["prefix"]) / value["sysconfdir"]
        return str(folder / "sendmail-tls.conf").lstrip("/")

    def install(self):
        program = self.root / PROGRAM.lstrip("/")
        built = self.build / "tools/sendmail-tls/sendmail-tls"
        program.unlink(missing_ok=True)
        shutil.copy(built, program)
        program.chmod(0o755)
        self.copy_libraries(built)
        for name in ("usr/sbin/sendmail", "usr/lib/sendmail"):
            link = self.root / name
            link.unlink(missing_ok=True)
            link.symlink_to(PROGRAM)

    def copy_libraries(self, program):
        """Those that no package of the callers has brought."""
        listing = subprocess.run(["ldd", program], stdout=subprocess.PIPE,
                                 check=True, text=True).stdout
        for line in listing.splitlines():
            _, _, path = line.strip().partition(" => ")
            path = path.split(" ")[0]
            name = pathlib.Path(path).name
            if path and not list(self.root.glob(f"*/*/{name}")) and (
                    not list(self.root.glob(f"*/*/*/{name}"))):
                shutil.copy(path, self.root / "lib" / name)

    def configure(self, text, owner=0, group=0, mode=0o644):
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(text)
        os.chown(self.config, owner, group)
        self.config.chmod(mode)

    def enter(self, uid):
        """What a child does to be this user in that root."""
        def prepare():
            os.chroot(self.root)
            os.chdir(HOMES[uid])
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
        return prepare

    def start(self, *argv, uid=ROOT, env=None, **more):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                       "HOME": HOMES[uid], "LANG": "C.UTF-8", "TZ": "UTC"}
        return subprocess.Popen(
            argv, preexec_fn=self.enter(uid),
            env=environment if env is None else env, **more)

    def run(self, *argv, uid=ROOT, stdin=b"", env=None):
        """The status of a program, and all it says."""
        process = self.start(
            *argv, uid=uid, env=env, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            out, _ = process.communicate(stdin, PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            out = process.communicate()[0] + b" (killed after a minute)"
        return process.returncode, out.decode("utf-8", "replace")

    def type_into(self, argv, uid, awaited, keys):
        """
        Run a program on a terminal, and type the keys once it shows what is
        awaited. The status, and all that was seen.
        """
        terminal, other = pty.openpty()
        # 24 lines of 80 columns: an unknown size makes some end at once.
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
        process = self.start(
            *argv, uid=uid, stdin=other, stdout=other, stderr=other,
            start_new_session=True,
            env={"TERM": "vt100", "HOME": HOMES[uid], "PATH": "/usr/bin:/bin",
                 "LANG": "C.UTF-8"})
        os.close(other)
        seen, typed, end = b"", False, time.monotonic() + PATIENCE
        while time.monotonic() < end:
            ready, _, _ = select.select([terminal], [], [], 1)
            try:
                piece = os.read(terminal, 65536) if ready else b""
            except OSError:
                break  # how Linux says that the other end is gone
            seen += ESCAPES.sub(b"", piece)
            if not typed and awaited in seen:
                os.write(terminal, keys)
                typed = True
            if not ready and process.poll() is not None:
                break
        if process.poll() is None:
            process.terminate()
        status = process.wait(PATIENCE)
        os.close(terminal)
        return status, seen.decode("utf-8", "replace")


class Helper(threading.Thread):
    """What systemd does for sendmail-tls-submit.socket."""

    def __init__(self, machine):
        super().__init__(daemon=True)
        self.machine = machine
        self.count = 0
        self.path = machine.root / SOCKET
        self.path.parent.mkdir(exist_ok=True)
        self.path.unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        # A whole path may be longer than the name of a socket can be.
        self.listener.bind(os.path.relpath(self.path))
        self.path.chmod(0o666)
        self.listener.listen()
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.join(PATIENCE)
        self.listener.close()
        self.path.unlink()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                self.machine.start(
                    PROGRAM, "--submit", uid=HELPER, stdin=connection,
                    stdout=subprocess.DEVNULL, env={}).wait(PATIENCE)
            self.count += 1
