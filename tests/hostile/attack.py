# SPDX-License-Identifier: MIT
"""Run a misbehaving sink, a client against it, and tell what became of it."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from localhost import HOST

ATTACKED = os.environ.get("ATTACKED", "")
SENDMAIL = os.environ.get("SENDMAIL_TLS", "")
SINK = os.environ["SMTP_SINK_TLS"]

# What hangs is ended by this, never slowed down by it.
PATIENCE = 120

PASSWORD = "open sesame"
TEXT = "nobody else may read this"
FROM, TO = "alice@example.org", ["bob@example.org", "carol@example.org"]
SUBJECT = b"Subject: test "
# Longer than what one BDAT announces.
LINES = 20000


def content(number, scenario="data"):
    """What the attack of this number has sent."""
    more = (TEXT * 3 + "\r\n") * LINES if scenario == "chunks" else ""
    head = f"{SUBJECT.decode()}{number:04}\r\n\r\n{TEXT}\r\n.\r\n"
    return (head + more).encode()


def number_of(mail):
    """The attack that a mail as the sink keeps it is of."""
    text = mail.partition(b"\r\n" + SUBJECT)[2]
    return int(text[:4]) if text[:4].isdigit() else None


def unfold(mail):
    """The recipients of a mail as the sink keeps it, and its content."""
    recipients = []
    while mail.startswith(b"X-Envelope-"):
        line, _, mail = mail.partition(b"\r\n")
        if line.startswith(b"X-Envelope-To: <"):
            recipients.append(line[16:].split(b">")[0].decode())
    return recipients, mail


# PLAIN, the answers of LOGIN, and what only the server may see.
SHOWN_TO_NOBODY = (PASSWORD, "AGFsaWNlAG9wZW4gc2VzYW1l", "b3BlbiBzZXNhbWU=",
                   TEXT)
# Long enough not to be met by chance in megabytes of TLS.
SECRETS = [text.encode() for text in (
    *SHOWN_TO_NOBODY, "AUTH PLAIN", "AUTH LOGIN", "MAIL FROM:", "RCPT TO:",
    FROM, *TO)]

WAYS = [(transport, how) for transport in ("starttls", "implicit")
        for how in ("blocking", "loop")]


def misbehaviours():
    """The forms of the list: name -> (words or None, has a number)."""
    listed = subprocess.run([SINK, "--misbehave", "list"], check=True,
                            stdout=subprocess.PIPE, timeout=PATIENCE)
    forms = {}
    for line in listed.stdout.decode().splitlines():
        form, _, sentence = line.partition("\t")
        name, *rest = form.split(":")
        assert sentence and name not in forms, line
        has_number = bool(rest) and ".." in rest[-1]
        words = rest[:-1] if has_number else rest
        forms[name] = (words[0].split("|") if words else None, has_number)
    return forms


class World:
    """What all attacks share: a CA, and files with secrets."""

    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)
        self.ca = self.folder / "ca"
        self.password = self.folder / "password"
        self.password.touch(0o600)
        self.password.write_text(PASSWORD + "\n")
        self.folder.joinpath("first").mkdir()
        # The others find the certificates that this one makes.
        Sink(self, self.folder / "first", []).close()

    def close(self):
        self.temporary.cleanup()


class Sink:
    def __init__(self, world, folder, args):
        self.folder = folder
        self.new = folder / "mail/new"
        self.process = subprocess.Popen(
            [SINK, "--make-ca", world.ca, "--maildir", folder / "mail",
             "--user", "alice", "--password-file", world.password,
             "--max-seconds", str(2 * PATIENCE), "--stats", folder / "stats",
             *args],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        line = self.process.stdout.readline().decode()
        ports = dict(word.split("=") for word in line.split())
        self.ports = {"starttls": ports["smtp"], "implicit": ports["smtps"]}
        self.attacks = 0

    def close(self):
        self.process.terminate()
        status = self.process.wait(PATIENCE)
        self.process.stdout.close()
        return status

    def misbehaviours(self):
        """How often it did; once it is closed."""
        stats = json.loads((self.folder / "stats").read_text())
        return stats["misbehaviours"]

    def take(self):
        """The mails that have arrived since."""
        mails = []
        for path in list(self.new.iterdir()):
            mails.append(path.read_bytes())
            path.unlink()
        return mails

    def next_number(self):
        self.attacks += 1
        return self.attacks

    def mails(self):
        """
        All that have arrived, by the number of their attack. Who gives up goes
        before the server has read what is on its way: look when it is closed.
        """
        mails = {}
        for path in self.new.iterdir():
            mail = path.read_bytes()
            mails.setdefault(number_of(mail), []).append(mail)
        return mails


def url_of(sink, transport):
    scheme = {"starttls": "smtp", "implicit": "smtps"}[transport]
    return f"{scheme}://{HOST}:{sink.ports[transport]}"


class Attacked:
    """What the program that was attacked says of it."""

    def __init__(self, world, sink, way, scenario="data", limit_ms=0):
        transport, how = way
        wire = sink.folder / "wire"
        self.number, self.scenario = sink.next_number(), scenario
        done = subprocess.run(
            [ATTACKED, url_of(sink, transport),
             f"127.0.0.1:{sink.ports[transport]}", world.ca / "ca.pem", how,
             scenario, str(limit_ms), wire, f"{self.number:04}"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE)
        self.status, self.err = done.returncode, done.stderr
        self.out = done.stdout.decode("utf-8")
        said = dict(line.split(" ", 1) for line in self.out.splitlines()
                    if " " in line)
        self.code = int(said.get("code", "-999"))
        self.step = said.get("step", "")
        self.outcomes = tuple(map(int, said.get("outcomes", "9 9").split()))
        self.sentence = said.get("sentence", "")
        self.reply = said.get("reply", "")
        self.ms = int(said.get("ms", "0"))
        self.descriptors = said.get("descriptors")
        self.memory_kib = int(said.get("memory", "0"))
        self.trace = said.get("trace")
        self.wire = wire.read_bytes()


class Commanded:
    """The same with sendmail-tls."""

    def __init__(self, world, sink, transport, scenario, *args):
        self.number, self.scenario = sink.next_number(), scenario
        done = subprocess.run(
            [SENDMAIL, "--config", "/dev/null", "--url",
             url_of(sink, transport), "--cafile", world.ca / "ca.pem",
             "--user", "alice", "--password-file", world.password, "-i", "-G",
             "-f", FROM, *args, *TO],
            input=content(self.number), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=PATIENCE)
        self.status, self.out = done.returncode, done.stdout
        self.err = done.stderr.decode("utf-8")
        self.is_partial = ">: accepted: " in self.err
