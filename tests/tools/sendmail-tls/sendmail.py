# SPDX-License-Identifier: MIT
"""Drive sendmail-tls as other programs do, and look at what it does."""

import os
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from localhost import HOST

PROGRAM = os.environ["SENDMAIL_TLS"]
SINK = os.environ["SMTP_SINK_TLS"]

# A test that hangs is ended by this, never slowed down by it.
PATIENCE = 60

USAGE, DATAERR, NOINPUT, NOUSER, NOHOST, UNAVAILABLE = 64, 65, 66, 67, 68, 69
SOFTWARE, IOERR, TEMPFAIL, PROTOCOL, NOPERM, CONFIG = 70, 74, 75, 76, 77, 78

MAIL = (b"From: a@example.org\nTo: b@example.org\nSubject: hello\n"
        b"Date: Mon, 23 Nov 2026 12:00:00 +0000\nMessage-ID: <1@example.org>\n"
        b"\nbody\n")


class Result:
    def __init__(self, process):
        self.status = process.returncode
        self.out = process.stdout
        self.err = process.stderr.decode("utf-8", "strict")
        self.lines = self.err.splitlines()

    def __repr__(self):
        return f"status {self.status}, stdout {self.out!r}, {self.err!r}"


def run(*args, stdin=MAIL, program=PROGRAM, config="/dev/null", **more):
    """
    Run the program; stdin is bytes, or what Popen takes. The configuration of
    whoever runs the tests is not looked at.
    """
    given = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
    files = ["--config", str(config)] if config else []
    return Result(subprocess.run(
        [program, *files, *map(str, args)], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, timeout=PATIENCE, **given, **more))


class Sink:
    """smtp-sink-tls, until it is left."""

    def __init__(self, folder, *args):
        self.folder = pathlib.Path(folder)
        self.maildir = self.folder / "mail"
        self.ca = self.folder / "ca.pem"
        self.process = subprocess.Popen(
            [SINK, "--smtp", "0", "--smtps", "0", "--make-ca", self.folder,
             "--maildir", self.maildir, "--max-seconds", str(PATIENCE * 5),
             *map(str, args)],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        line = self.process.stdout.readline().decode()
        ports = dict(word.split("=") for word in line.split())
        self.smtp = f"smtp://{HOST}:{ports['smtp']}"
        self.smtps = f"smtps://{HOST}:{ports['smtps']}"
        self.smtps_port = int(ports["smtps"])

    def close(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.process.stdout.close()

    def take(self):
        """Take the mails that have arrived, as Mail, oldest first."""
        # What is in tmp has no end yet, and perhaps never gets one.
        files = [p for p in self.maildir.rglob("*")
                 if p.is_file() and p.parent.name != "tmp"]
        mails = [Mail(p.read_bytes()) for p in
                 sorted(files, key=lambda p: (p.stat().st_mtime_ns, p.name))]
        for path in files:
            path.unlink()
        return mails


class Mail:
    """A mail as the sink keeps it: its envelope, and its bytes."""

    def __init__(self, data):
        self.sender, self.recipients = None, []
        # What was asked for with each, the sender first.
        self.asked = []
        while data.startswith(b"X-Envelope-"):
            line, _, data = data.partition(b"\r\n")
            name, _, value = line.partition(b":")
            address, _, asked = value.strip().decode().partition(">")
            address = address.strip("<")
            self.asked.append(asked.split())
            if name == b"X-Envelope-From":
                self.sender = address
            else:
                self.recipients.append(address)
        self.data = data
        self.header, _, self.body = data.partition(b"\r\n\r\n")

    def field(self, name):
        """The values of a field, unfolded."""
        text = self.header.replace(b"\r\n ", b" ").replace(b"\r\n\t", b"\t")
        found = []
        for line in text.split(b"\r\n"):
            key, colon, value = line.partition(b":")
            if colon and key.strip().lower() == name.lower().encode():
                found.append(value.strip().decode("utf-8"))
        return found


class Server(threading.Thread):
    """
    A server with a script: what it answers to each command, by its verb. It
    serves one connection. `None` as an answer closes it.
    """

    EHLO = "250-localhost\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
    ANSWERS = {
        "GREETING": "220 localhost\r\n",
        "EHLO": EHLO,
        "MAIL": "250 ok\r\n",
        "RCPT": "250 ok\r\n",
        "DATA": "354 go\r\n",
        ".": "250 2.0.0 queued as 1234\r\n",
        "RSET": "250 ok\r\n",
        "NOOP": "250 ok\r\n",
        "AUTH": "235 2.7.0 welcome\r\n",
        "QUIT": "221 bye\r\n",
    }

    def __init__(self, folder, clear=False, path=None, **answers):
        super().__init__(daemon=True)
        self.answers = {**self.ANSWERS, **answers}
        self.commands = []
        self.content = b""
        self.clear = clear
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self.listener = self.listen(path)
        self.listener.settimeout(PATIENCE)
        self.port = self.listener.getsockname()[1] if not path else 1
        self.url = f"smtps://{HOST}:{self.port}"
        self.clear_url = f"smtp://{HOST}:{self.port}"
        self.lmtp_url = f"lmtp://{HOST}:{self.port}"
        self.start()

    @staticmethod
    def listen(path):
        if not path:
            return socket.create_server(("127.0.0.1", 0))
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        return listener

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.join(PATIENCE)

    def run(self):
        try:
            raw, _ = self.listener.accept()
            raw.settimeout(PATIENCE)
            with raw:
                if self.clear:
                    self.talk(raw)
                    return
                with self.context.wrap_socket(raw, server_side=True) as tls:
                    self.talk(tls)
        except OSError:
            # The client went, which is what some of the tests are about.
            return

    def talk(self, connection):
        stream = connection.makefile("rwb")
        if not self.say(stream, "GREETING"):
            return
        while line := stream.readline():
            self.commands.append(line.decode("utf-8", "replace").rstrip())
            verb = self.commands[-1].split(" ")[0].upper()
            if not self.say(stream, verb, self.commands[-1]):
                return
            if verb == "STARTTLS":
                with self.context.wrap_socket(
                        connection, server_side=True) as tls:
                    self.talk_inside(tls)
                return
            if verb == "DATA" and self.answer("DATA", "").startswith("354"):
                self.read_content(stream)
                if not self.say(stream, "."):
                    return
            if verb == "QUIT":
                return

    def talk_inside(self, tls):
        self.answers = {**self.answers, "GREETING": ""}
        self.talk(tls)

    def answer(self, verb, command):
        answer = self.answers.get(verb, "502 what\r\n")
        return answer(command) if callable(answer) else answer

    def say(self, stream, verb, command=""):
        answer = self.answer(verb, command)
        if answer is None:
            return False
        stream.write(answer.encode())
        stream.flush()
        return True

    def read_content(self, stream):
        while (line := stream.readline()) not in (b".\r\n", b""):
            self.content += line


class TestCase(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.sink = Sink(cls.folder)
        cls.ca = cls.sink.ca

    @classmethod
    def tearDownClass(cls):
        cls.sink.close()
        cls.temporary.cleanup()

    def tearDown(self):
        self.sink.take()

    def assert_status(self, result, status, *words):
        """The status, one line on stderr if it failed, and words in it."""
        self.assertEqual(result.status, status, result)
        if status != 0:
            self.assertEqual(len(result.lines), 1, result)
        for word in words:
            self.assertIn(word, result.err)

    def dry(self, *args, **more):
        return run("--dry-run", "--url", "smtps://localhost", "--cafile",
                   self.ca, *args, **more)

    def send(self, *args, url=None, **more):
        return run("--url", url or self.sink.smtps, "--cafile", self.ca, *args,
                   **more)

    def sent(self, *args, **more):
        """Send to the sink, and take the one mail that arrives there."""
        result = self.send(*args, **more)
        self.assertEqual((result.status, result.err), (0, ""), result)
        mails = self.sink.take()
        self.assertEqual(len(mails), 1)
        return mails[0]
