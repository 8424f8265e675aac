#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the commands have given up by the time at which others talk to them."""

import os
import pathlib
import resource
import signal
import subprocess
import unittest

import sendmail
from sendmail import MAIL, PATIENCE, PROGRAM, SINK, Server

SANITIZED = os.environ["SANITIZED"] == "yes"
NOBODY = 65534
PASSWORD = "rosebud-4711"
FILTERED, FREE = "2", "0"


def status_of(pid):
    """The fields of /proc/PID/status."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines())


def has_filters():
    return "Seccomp" in status_of("self")


def has_landlock():
    """Of the second version or later; asked for by number, 444."""
    import ctypes
    libc = ctypes.CDLL(None)
    return not SANITIZED and libc.syscall(444, None, 0, 1) >= 2


def as_somebody():
    """Not root, who may read everything."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def with_core_dumps():
    """As a shell in which somebody looks for a fault."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def look_at(pid, name):
    """Try as the same user; the name of the error, or "read"."""
    script = (f"import os\ntry:\n with open('/proc/{pid}/{name}', 'rb') as f:\n"
              "  f.read(1) if not f.name.endswith('mem') else None\n"
              " print('read')\nexcept OSError as e:\n"
              " print(type(e).__name__)")
    return subprocess.run(
        ["/usr/bin/env", "python3", "-c", script], stdout=subprocess.PIPE,
        preexec_fn=as_somebody, timeout=PATIENCE, check=True,
        env={"PATH": os.defpath}, cwd="/").stdout.decode().strip()


@unittest.skipUnless(os.path.exists("/proc/self/status"), "needs Linux's /proc")
class Narrow(sendmail.TestCase):
    def setUp(self):
        self.seen = {}
        self.process = None

    def start(self, server, *args, **more):
        self.process = subprocess.Popen(
            [PROGRAM, "--config", "/dev/null", "--url", server.url, "--cafile",
             str(self.ca), "-f", "a@example.org", *map(str, args),
             "b@example.org"],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        return self.process

    def send(self, look, *args, verb="MAIL", **more):
        """Send a mail, and call look(PID) when `verb` has been said."""
        def answer(_command):
            look(self.process.pid)
            return Server.ANSWERS[verb]

        with Server(self.folder, **{
                "EHLO": "250-localhost\r\n250 AUTH PLAIN\r\n",
                verb: answer}) as server:
            process = self.start(server, *args, **more)
            _, error = process.communicate(MAIL, timeout=PATIENCE)
        return process.returncode, error.decode()

    def password(self):
        path = self.folder / "password"
        path.write_text(PASSWORD)
        path.chmod(0o600)
        return path

    def note(self, pid):
        self.seen = status_of(pid)

    @unittest.skipUnless(has_filters(), "needs seccomp(2)")
    def test_system_calls_are_given_up_before_anybody_is_spoken_to(self):
        status, error = self.send(
            self.note, "--user", "a", "--password-file", self.password())
        self.assertEqual((status, error), (0, ""))
        self.assertEqual((self.seen["Seccomp"], self.seen["NoNewPrivs"]),
                         (FILTERED, "1"))

    @unittest.skipUnless(has_filters(), "needs seccomp(2)")
    def test_the_command_of_a_password_has_all_its_rights(self):
        there = self.folder / "status"
        status, error = self.send(
            self.note, "--user", "a", "--password-command",
            f"cat /proc/self/status >{there}; echo {PASSWORD}")
        self.assertEqual((status, error), (0, ""))
        fields = dict(line.split(":\t", 1)
                      for line in there.read_text().splitlines())
        self.assertEqual((fields["Seccomp"], fields["NoNewPrivs"]),
                         (FREE, "0"))
        # It has ended, so the rest is as without.
        self.assertEqual((self.seen["Seccomp"], self.seen["NoNewPrivs"]),
                         (FILTERED, "1"))

    @unittest.skipUnless(has_filters(), "needs seccomp(2)")
    def test_a_conversation_may_need_the_command_of_another_account(self):
        config = self.folder / "commands.conf"
        config.write_text(f"cafile = {self.ca}\nfrom = a@example.org\n"
                          f"user = a\npassword-file = {self.password()}\n"
                          "[other]\npassword-command = echo x\n")
        config.chmod(0o600)
        with Server(self.folder, EHLO="250-localhost\r\n250 AUTH PLAIN\r\n",
                    MAIL=self.noting("250 ok\r\n")) as server:
            self.process = subprocess.Popen(
                [PROGRAM, "--config", str(config), "--url", server.url, "-bs"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE)
            out, error = self.process.communicate(
                b"EHLO x\r\nMAIL FROM:<a@example.org>\r\n"
                b"RCPT TO:<b@example.org>\r\nDATA\r\n" +
                MAIL.replace(b"\n", b"\r\n") + b".\r\nQUIT\r\n",
                timeout=PATIENCE)
        self.assertEqual((self.process.returncode, error), (0, b""), out)
        self.assertEqual(self.seen["Seccomp"], FREE)

    def noting(self, answer):
        def note(_command):
            self.note(self.process.pid)
            return answer
        return note

    def test_nobody_of_the_same_user_reads_its_memory(self):
        os.chmod(self.folder, 0o755)
        # As who runs the test, where that is not root.
        if os.geteuid() == 0:
            for path in (self.folder / "ca.pem", self.password()):
                os.chown(path, NOBODY, NOBODY)

        def look(pid):
            self.seen = {name: look_at(pid, name)
                         for name in ("mem", "environ", "maps", "status")}

        # It is one that can be looked at.
        other = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE,
                                 preexec_fn=as_somebody, cwd="/")
        self.addCleanup(other.wait)
        self.addCleanup(other.stdin.close)
        if look_at(other.pid, "mem") != "read":
            self.skipTest("nobody may look at other processes here")
        status, error = self.send(
            look, "--user", "a", "--password-file", self.password(),
            preexec_fn=as_somebody, cwd="/")
        self.assertEqual((status, error), (0, ""))
        self.assertEqual(self.seen, {
            "mem": "PermissionError", "environ": "PermissionError",
            "maps": "PermissionError", "status": "read"})

    def abort(self, server, *args):
        """Abort it when it has the password, and where cores are dumped."""
        process = self.start(server, *args, cwd=self.cores,
                             preexec_fn=with_core_dumps)
        process.stdin.write(MAIL)
        process.stdin.close()
        process.wait(PATIENCE)
        process.stderr.close()
        return process

    def test_a_core_dump_there_is_none(self):
        self.cores = self.folder / "cores"
        self.cores.mkdir()
        # A shell that is aborted has one; where it has none, no one has.
        subprocess.run(["/bin/sh", "-c", "kill -ABRT $$"], cwd=self.cores,
                       preexec_fn=with_core_dumps, check=False)
        dumped = list(self.cores.iterdir())
        if not dumped:
            self.skipTest("no program has a core dump here")
        for path in dumped:
            path.unlink()

        def abort(_command):
            os.kill(self.process.pid, signal.SIGABRT)

        with Server(self.folder, EHLO="250-localhost\r\n250 AUTH PLAIN\r\n",
                    AUTH=abort) as server:
            process = self.abort(server, "--user", "a", "--password-file",
                                 self.password())
        self.assertEqual(process.returncode, -signal.SIGABRT)
        self.assertEqual(list(self.cores.iterdir()), [])


def run_sink(stats, ca, stdout=subprocess.PIPE, **more):
    """Have it write its statistics there; what it prints."""
    with subprocess.Popen(
            [SINK, "--smtp", "0", "--make-ca", str(ca), "--max-seconds",
             "1" if stdout != subprocess.PIPE else str(PATIENCE),
             "--stats", str(stats)], stdout=stdout, **more) as sink:
        if stdout != subprocess.PIPE:
            return sink.wait(PATIENCE)
        sink.stdout.readline()
        sink.terminate()
        return sink.communicate(timeout=PATIENCE)[0].decode()


@unittest.skipUnless(has_filters(), "needs seccomp(2)")
class Sink(sendmail.TestCase):
    def test_the_sink_has_given_up_what_it_does_not_need(self):
        fields = status_of(self.sink.process.pid)
        self.assertEqual((fields["Seccomp"], fields["NoNewPrivs"]),
                         (FILTERED, "1"))
        limits = pathlib.Path(
            f"/proc/{self.sink.process.pid}/limits").read_text()
        self.assertRegex(limits, r"Max core file size +0 +0 ")

    @unittest.skipUnless(has_landlock(), "needs Landlock")
    def test_the_statistics_find_their_way_through(self):
        """To a file that is there, a new one, a link, a pipe."""
        folder = self.folder / "places"
        folder.mkdir()
        there, link = folder / "there", folder / "link"
        there.write_text("old")
        link.symlink_to("target")
        (folder / "target").write_text("old, and longer than what is new" * 99)
        for place in (there, folder / "new", link, "/dev/stdout", "relative"):
            with self.subTest(place=str(place)):
                out = run_sink(place, folder / "ca", cwd=folder)
                if place == "/dev/stdout":
                    self.assertIn('"connections": 0', out)
                else:
                    text = (folder / place).read_text()
                    self.assertTrue(text.startswith("{"), text)
                    self.assertTrue(text.endswith("}\n"), text)
        self.assertTrue(link.is_symlink())


class Links(sendmail.TestCase):
    def test_standard_output_is_not_replaced_where_it_is_a_file(self):
        link = self.folder / "stdout"
        link.symlink_to("/proc/self/fd/1")
        there = self.folder / "out"
        with open(there, "wb") as out:
            run_sink(link, self.folder / "ca", stdout=out)
        self.assertTrue(link.is_symlink())
        self.assertIn("connections", there.read_text())


if __name__ == "__main__":
    unittest.main()
