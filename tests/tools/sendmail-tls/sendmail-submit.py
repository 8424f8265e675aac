#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The submit helper and the command that hands over to it: what arrives and as
whose, what is refused, and what each side says when the other one is lost.
"""

import os
import pwd
import resource
import shutil
import socket
import struct
import subprocess
import threading
import unittest

import sendmail
from sendmail import (CONFIG, IOERR, MAIL, NOINPUT, PATIENCE, PROGRAM,
                      TEMPFAIL, UNAVAILABLE, USAGE)

MAGIC = b"smtptls\x01"
A, B = "a@example.test", "b@example.test"
NOBODY = 65534
HEADERLESS = b"To: a@example.test\nSubject: s\n\nbody\n"


def number(value):
    return struct.pack(">I", value)


def request(arguments, *chunks):
    """What the command writes; without an end."""
    text = MAGIC + struct.pack(">H", len(arguments))
    for argument in arguments:
        text += number(len(argument)) + argument.encode()
    return text + b"".join(number(len(chunk)) + chunk for chunk in chunks)


END = number(0)


class Helper(threading.Thread):
    """
    What systemd and inetd do: a process for each connection. `answer` in
    place of the program is called with the connection.
    """

    def __init__(self, path, *args, answer=None, inetd=False, limit=None):
        super().__init__(daemon=True)
        self.limit = limit
        self.path, self.args = str(path), args
        self.answer, self.inetd = answer, inetd
        self.statuses, self.logs = [], []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o666)
        self.listener.listen()
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # To shut it down wakes accept(2), which to close it does not.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.join(PATIENCE)
        self.listener.close()
        os.unlink(self.path)

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(PATIENCE)
                if self.answer:
                    self.answer(connection)
                else:
                    connection.setblocking(True)
                    self.serve(connection)

    def serve(self, connection):
        others = connection if self.inetd else subprocess.PIPE
        process = subprocess.run(
            [PROGRAM, "--submit", *map(str, self.args)], stdin=connection,
            stdout=others, stderr=others, timeout=PATIENCE, env={},
            preexec_fn=self.limit)
        self.statuses.append(process.returncode)
        self.logs.append((process.stderr or b"").decode())


class Submit(sendmail.TestCase):
    def setUp(self):
        self.path = self.folder / "submit"

    def helper(self, *args, **more):
        return Helper(self.path, "--url", self.sink.smtps, "--cafile", self.ca,
                      "--domain", "example.test", *args, **more)

    def hand_over(self, *args, **more):
        return sendmail.run("--submit-socket", self.path, *args, **more)

    def ask(self, *pieces, close=False):
        """Speak to the helper by hand; the status and text it answers."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(str(self.path))
            for piece in pieces:
                connection.sendall(piece)
            if close:
                return None
            return self.answer_of(connection)

    @staticmethod
    def answer_of(connection):
        stream = connection.makefile("rb")
        head = stream.read(13)
        if not head:
            return None
        assert head[:8] == MAGIC, head
        text = stream.read(struct.unpack(">I", head[9:])[0])
        return head[8], text.decode()


class Arriving(Submit):
    def test_a_conversation_is_handed_over(self):
        said = (b"EHLO x\r\nMAIL FROM:<b@example.test>\r\n"
                b"RCPT TO:<a@example.test>\r\nDATA\r\nSubject: s\r\n"
                b"Bcc: c@example.test\r\n\r\n..\r\n.\r\nQUIT\r\n")
        with self.helper() as helper:
            result = self.hand_over("-bs", stdin=said)
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertIn(b"\r\n250 2.0.0 accepted\r\n221 ", result.out)
        mail, = self.sink.take()
        self.assertEqual((mail.sender, mail.recipients), (B, [A]))
        self.assertEqual(mail.field("From"), [B])
        self.assertEqual(mail.field("Bcc"), [])
        self.assertEqual(mail.body, b".\r\n")
        self.assertEqual(helper.statuses, [0])

    def test_a_conversation_gets_the_words_of_the_helper(self):
        said = (b"MAIL FROM:<b@example.test>\r\nRCPT TO:<a@example.test>\r\n"
                b"DATA\r\n.\r\nQUIT\r\n")
        with self.helper("--connect-to", "127.0.0.1:1"):
            result = self.hand_over("-bs", stdin=said)
        self.assertEqual(result.status, 0, result)
        self.assertIn(b"\r\n451 4.3.0 smtps://localhost:", result.out)
        self.assertEqual(len(result.lines), 1, result)
        self.assertTrue(result.err.startswith("sendmail-tls: smtps://"),
                        result)

    def test_the_helper_has_the_domain_for_the_header(self):
        said = (b"MAIL FROM:<b@example.test>\r\n"
                b"RCPT TO:<a@example.test>\r\nDATA\r\n"
                b"From: root\r\nTo: a (c)\r\n\r\n.\r\nQUIT\r\n")
        with self.helper():
            results = [self.hand_over("-bs", stdin=said),
                       self.hand_over("-f", B, A, stdin=b"From: root\n"
                                      b"To: a (c)\n\n")]
        self.assertEqual([(r.status, r.err) for r in results], [(0, "")] * 2)
        for mail in self.sink.take():
            self.assertEqual(mail.field("From"), ["root@example.test"])
            self.assertEqual(mail.field("To"), ["a@example.test (c)"])

    def test_an_account_decides_whether_a_conversation_is_handed_over(self):
        file = self.folder / "own"
        file.write_text(f"submit-socket = {self.path}\naliases = none\n"
                        f"[own]\nurl = {self.sink.smtps}\n"
                        f"cafile = {self.ca}\nsenders = *@own.test\n"
                        "[names]\nsenders = *@names.test\n"
                        "domain = names.test\n")
        file.chmod(0o600)
        said = ("MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n\r\n.\r\n"
                "QUIT\r\n")
        for sender, recipient, by_helper in (
                ("a@own.test", A, []), ("a@names.test", "bob", [0]),
                ("a@example.test", A, [0])):
            with self.subTest(sender=sender):
                with self.helper() as helper:
                    result = sendmail.run(
                        "-bs", config=file,
                        stdin=(said % (sender, recipient)).encode())
                self.assertEqual((result.status, result.err), (0, ""), result)
                self.assertEqual(helper.statuses, by_helper)
                mail, = self.sink.take()
                self.assertEqual((mail.sender, mail.recipients), (
                    sender, [A if recipient == A else "bob@names.test"]))

    def test_a_conversation_hands_over_its_options(self):
        said = (b"MAIL FROM:<b@example.test>\r\nRCPT TO:<a@example.test>\r\n"
                b"DATA\r\nFrom: root\r\n\r\n.\r\nQUIT\r\n")
        log = self.folder / "log"
        with self.helper("--log", log):
            results = [self.hand_over("-bs", *args, stdin=said)
                       for args in ((), ("-G", "-L", "nightly"))]
        self.assertEqual([(r.status, r.err) for r in results], [(0, "")] * 2)
        added, relayed = sorted(self.sink.take(),
                                key=lambda mail: not mail.field("Date"))
        self.assertEqual(added.field("From"), ["root@example.test"])
        self.assertEqual([relayed.field(name) for name in
                          ("From", "Date", "Message-ID")], [["root"], [], []])
        lines = log.read_text().splitlines()
        self.assertEqual([" nightly[" in line for line in lines],
                         [False, True], lines)

    def test_a_conversation_completes_names_by_its_own_options(self):
        aliases = self.folder / "aliases"
        aliases.write_text("root: a@example.test\n")
        said = (b"MAIL FROM:<b>\r\nRCPT TO:<root>\r\nRCPT TO:<c>\r\n"
                b"DATA\r\n\r\n.\r\nQUIT\r\n")
        with self.helper():
            result = self.hand_over("-bs", "--domain", "caller.test",
                                    "--aliases", aliases, stdin=said)
        self.assertEqual((result.status, result.err), (0, ""), result)
        mail, = self.sink.take()
        self.assertEqual((mail.sender, mail.recipients),
                         ("b@caller.test", [A, "c@caller.test"]))

    def test_a_conversation_without_a_helper_is_told(self):
        said = (b"MAIL FROM:<b@example.test>\r\nRCPT TO:<a@example.test>\r\n"
                b"DATA\r\n.\r\nQUIT\r\n")
        result = self.hand_over("-bs", stdin=said)
        self.assertEqual(result.status, 0, result)
        self.assertIn(b"\r\n554 5.3.5 the message has to go through the "
                      b"submit helper", result.out)
        self.assertIn("submit helper", result.err)

    def test_a_message_goes_through(self):
        with self.helper() as helper:
            result = self.hand_over("-i", "-f", "", "--", A, B)
        self.assertEqual((result.status, result.err, result.out), (0, "", b""))
        mail, = self.sink.take()
        self.assertEqual((mail.sender, mail.recipients), ("", [A, B]))
        self.assertEqual(mail.body, b"body\r\n")
        self.assertEqual((helper.statuses, helper.logs), ([0], [
            f"sendmail-tls: from uid {os.getuid()}: status 0\n"]))

    def test_options_about_the_message_are_heeded(self):
        with self.helper():
            result = self.hand_over(
                "-tiFJo Do", "-oem", "-B8BITMIME", "-r", "alice", "-v", "-bm",
                "-odb", B, stdin=b"To: a@example.test\nBcc: c\n\na\n.\nb\n")
        self.assertEqual((result.status, result.err), (0, ""))
        mail, = self.sink.take()
        self.assertEqual(mail.sender, "alice@example.test")
        self.assertEqual(mail.recipients, [B, A, "c@example.test"])
        self.assertEqual(mail.field("From"), ['Jo Do <alice@example.test>'])
        self.assertEqual(mail.body, b"a\r\n.\r\nb\r\n")

    def test_a_file_of_the_caller_may_require_tls(self):
        config = self.folder / "config"
        config.write_text("require-tls = yes\n")
        config.chmod(0o600)
        for words in ([], ["--require-tls"]):
            with self.helper():
                result = self.hand_over(A, *words, stdin=MAIL, config=config)
            self.assertEqual((result.status, result.err), (0, ""))
            mail, = self.sink.take()
            self.assertEqual(mail.asked[0], ["REQUIRETLS"])

    def test_the_sender_is_who_connects(self):
        with self.helper():
            self.assertEqual(self.hand_over(A, stdin=HEADERLESS).status, 0)
        user = pwd.getpwuid(os.getuid()).pw_name
        mail, = self.sink.take()
        self.assertEqual(mail.sender, f"{user}@example.test")

    @unittest.skipUnless(os.getuid() == 0, "only root can be another user")
    def test_the_sender_is_another_user(self):
        # Where the tree is need not be a place where another user can go.
        os.chmod(self.folder, 0o755)
        program = shutil.copy(PROGRAM, self.folder / "sendmail")
        with self.helper():
            process = subprocess.Popen(
                [program, "--submit-socket", self.path, A], env={}, cwd="/",
                stdin=subprocess.PIPE, stderr=subprocess.PIPE, user=NOBODY,
                group=NOBODY, extra_groups=[])
            _, err = process.communicate(HEADERLESS, PATIENCE)
        self.assertEqual((process.returncode, err), (0, b""))
        mail, = self.sink.take()
        name = pwd.getpwuid(NOBODY).pw_name
        self.assertEqual(mail.sender, f"{name}@example.test")

    def test_a_dot_ends_a_message_that_goes_on(self):
        read, write = os.pipe()
        os.write(write, MAIL + b".\r\n")
        with self.helper():
            result = self.hand_over(A, stdin=read)
        os.close(write)
        os.close(read)
        self.assertEqual((result.status, result.err), (0, ""))
        mail, = self.sink.take()
        self.assertEqual(mail.body, b"body\r\n")

    def test_a_file_is_read_from_where_it_stands(self):
        path = self.folder / "file"
        path.write_bytes(b"skipped\n" + MAIL + b".\nnot this\n")
        with self.helper(), open(path, "rb", buffering=0) as file:
            file.seek(8)
            self.assertEqual(self.hand_over(A, stdin=file).status, 0)
        mail, = self.sink.take()
        self.assertEqual(mail.body, b"body\r\n")

    def test_a_large_message(self):
        body = (b"x" * 70 + b"\n") * 50000
        with self.helper():
            result = self.hand_over("-i", A, stdin=MAIL + body)
        self.assertEqual((result.status, result.err), (0, ""))
        mail, = self.sink.take()
        self.assertEqual(mail.body, b"body\r\n" + body.replace(b"\n", b"\r\n"))

    def test_inetd_gives_the_connection_three_times(self):
        with self.helper(inetd=True):
            result = self.hand_over(A)
            refused = self.hand_over("--", "a b")
        self.assertEqual((result.status, result.err), (0, ""))
        self.assert_status(refused, 65, "a b")

    def test_what_went_wrong_is_said_by_the_command(self):
        with self.helper("--domain", "example.test", "--auth", "PLAIN",
                         "--user", "u", "--password-command", "echo p"
                         ) as helper:
            result = self.hand_over(A)
        self.assert_status(result, 77, self.sink.smtps)
        self.assertEqual(helper.statuses, [0])
        self.assertIn(f"from uid {os.getuid()}: status 77: ", helper.logs[0])

    def test_the_sender_chooses_the_account(self):
        file = self.folder / "accounts"
        file.write_text(f"cafile = {self.ca}\ndomain = example.test\n"
                        "url = smtps://localhost:1\n"
                        f"[good]\nurl = {self.sink.smtps}\n"
                        "senders = *@good.test\n")
        file.chmod(0o600)
        with Helper(self.path, "--config", file):
            result = self.hand_over("-f", "x@good.test", A)
            other = self.hand_over("-f", "x@other.test", A)
        self.assertEqual((result.status, result.err), (0, ""))
        self.assert_status(other, TEMPFAIL, "localhost:1")
        mail, = self.sink.take()
        self.assertEqual(mail.sender, "x@good.test")

    def test_commands_are_run_as_who_the_helper_is(self):
        seen = self.folder / "seen"
        with self.helper("--user", "u", "--password-command",
                         f'echo "$HOME $USER" >{seen}; echo p'):
            self.hand_over(A)
        pw = pwd.getpwuid(os.getuid())
        self.assertEqual(seen.read_text(), f"{pw.pw_dir} {pw.pw_name}\n")


# What belongs to whoever runs the helper.
NOT_THEIRS = [
    ["--url", "smtp://example.org"], ["--url=smtp://example.org"],
    ["--connect-to", "192.0.2.1:25"], ["--cafile", "x"], ["--capath", "x"],
    ["--system-ca"], ["--crlfile", "x"], ["--cert", "x"], ["--key", "x"],
    ["--ciphers", "x"], ["--tls-min", "1.2"], ["--insecure-no-verify"],
    ["--insecure-cleartext"], ["--insecure-legacy-tls"], ["--user", "x"],
    ["--password-file", "x"], ["--password-command", "touch x"],
    ["--token-command", "x"], ["--auth", "PLAIN"], ["--pin", "x"],
    ["--config", "x"], ["-C", "x"], ["-Cx"], ["--account", "x"], ["-a", "x"],
    ["--spool", "x"], ["-q"], ["-q15m"], ["-bp"], ["-bs"], ["-bv"], ["-bi"],
    ["-bm"], ["-I"], ["-v"], ["-tvi"], ["--probe"], ["--json"], ["--dry-run"],
    ["--submit"], ["--submit-socket", "x"], ["--timeout", "5"], ["--help"],
    ["--version"], ["--ehlo", "x"], ["--domain", "x"], ["--pipelining",
                                                        "none"],
    ["--no-chunking"],
]


class Refusing(Submit):
    def test_nothing_but_the_message_is_taken_from_a_caller(self):
        with self.helper():
            for words in NOT_THEIRS:
                with self.subTest(words=words):
                    status, text = self.ask(
                        request([*words, A], MAIL), END)
                    self.assertEqual(status, USAGE, text)
                    self.assertIn(words[0].partition("=")[0][:2], text)
        self.assertEqual(self.sink.take(), [])

    def test_the_command_does_not_even_try(self):
        for words in (["--cafile", "x"], ["--no-chunking"]):
            self.assert_status(self.hand_over(*words, A), USAGE, words[0])

    def test_a_conversation_has_no_option_that_would_not_be_heeded(self):
        pin = "sha256//" + "A" * 43 + "="
        with self.helper() as helper:
            for words in (["--pin", pin], ["--cafile", self.ca],
                          ["--system-ca"], ["--tls-min", "1.3"],
                          ["-a", ""], ["--no-chunking"],
                          ["--log", self.folder / "no-log"],
                          ["--ehlo", "x.example"]):
                with self.subTest(words=words):
                    result = self.hand_over("-bs", *words, stdin=b"QUIT\r\n")
                    self.assert_status(result, USAGE, words[0],
                                       "cannot be handed to the submit helper")
                    self.assertEqual(result.out, b"")
        self.assertEqual(helper.statuses, [])

    def test_line_breaks_are_refused(self):
        with self.helper():
            for words in (["-F", "x\r\nBcc: c"], ["-f", "a\n@b"]):
                status, text = self.ask(request([*words, A], MAIL), END)
                self.assertEqual(status, USAGE, text)

    def test_a_caller_that_dies_makes_no_mail(self):
        whole = request(["-i", A], MAIL)
        with self.helper() as helper:
            for cut in (0, 3, 9, 15, 20, len(whole) - 2, len(whole)):
                self.ask(whole[:cut], close=True)
            self.ask(whole, END[:3], close=True)
        self.assertEqual(self.sink.take(), [])
        self.assertEqual(set(helper.statuses), {TEMPFAIL})

    def test_a_caller_that_does_not_wait_for_the_answer_has_sent(self):
        with self.helper():
            self.ask(request(["-i", A], MAIL), END, close=True)
        self.assertEqual(len(self.sink.take()), 1)

    def test_nonsense_is_refused(self):
        with self.helper():
            for text in (b"GET / HTTP/1.0\r\n\r\n", MAGIC + b"\xff\xff",
                         MAGIC + b"\x00\x01\xff\xff\xff\xff",
                         MAGIC + b"\x00\x00\xff\xff\xff\xff",
                         MAGIC + b"\x00\x01\x00\x00\x00\x01\x00"):
                status, said = self.ask(text)
                self.assertEqual(status, 76, said)

    def test_the_refusal_is_read_although_the_message_is_not(self):
        text = MAIL + (b"x" * 70 + b"\n") * 100000
        with self.helper():
            result = self.hand_over("-f", "a@b", "-N", "bogus", A, stdin=text)
        self.assert_status(result, USAGE, "-N")

    def test_a_message_that_is_too_large_for_the_unit(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, 2 << 20))
        text = MAIL + (b"x" * 70 + b"\n") * 50000
        with self.helper(limit=limit):
            result = self.hand_over("-i", A, stdin=text)
        self.assert_status(result, 73, "File too large")

    def test_standard_input_that_is_no_connection(self):
        result = sendmail.run("--submit", stdin=b"")
        self.assert_status(result, USAGE, "no unix socket")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        with ours, theirs:
            result = sendmail.run("--submit", stdin=theirs)
        self.assert_status(result, USAGE, "no unix socket")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            result = sendmail.run("--submit", stdin=listener)
        self.assert_status(result, USAGE, "no unix socket")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.folder / "listening"))
            listener.listen()
            result = sendmail.run("--submit", stdin=listener)
        self.assert_status(result, USAGE, "listening", "Accept=yes")


class Losing(Submit):
    """What the command says when the helper fails it."""

    def lose(self, answer, stdin=MAIL, args=()):
        with Helper(self.path, answer=answer):
            return self.hand_over(*args, "-i", A, stdin=stdin)

    @staticmethod
    def read_to_end(connection):
        data = b""
        while not data.endswith(END) or len(data) < 100:
            piece = connection.recv(65536)
            if not piece:
                break
            data += piece
        return data

    def test_no_helper(self):
        result = self.hand_over(A)
        self.assert_status(result, CONFIG, "sendmail-tls-submit.socket",
                           str(self.path))

    def test_a_helper_that_nobody_listens_for(self):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.folder / "deaf"))
        result = sendmail.run("--submit-socket", self.folder / "deaf", A)
        self.assert_status(result, TEMPFAIL, "submit helper")

    def test_it_is_lost_before_the_end(self):
        text = MAIL + (b"x" * 70 + b"\n") * 100000
        result = self.lose(lambda c: c.recv(100), stdin=text)
        self.assert_status(result, TEMPFAIL, "before")

    def test_it_is_lost_after_the_end(self):
        result = self.lose(self.read_to_end)
        self.assert_status(result, IOERR, "after", "may have been sent")
        self.assertTrue(result.err.startswith("in doubt: "), result)

    def test_a_conversation_in_doubt_is_told_as_all_are(self):
        said = (b"MAIL FROM:<b@example.test>\r\nRCPT TO:<a@example.test>\r\n"
                b"DATA\r\n.\r\nQUIT\r\n")
        text = b"in doubt: it is\nsendmail-tls: <a@b>: accepted\n"

        def answer(connection):
            self.read_to_end(connection)
            connection.sendall(MAGIC + b"\x4a" + number(len(text)) + text)
        with Helper(self.path, answer=answer):
            result = self.hand_over("-bs", stdin=said)
        self.assertEqual(result.status, 0, result)
        self.assertIn(b"\r\n554-5.0.0 in doubt: it is\r\n554 5.0.0 <a@b>: "
                      b"accepted\r\n", result.out)
        self.assertEqual(result.err.encode(), text)

    def test_its_answer_is_cut(self):
        def answer(connection):
            self.read_to_end(connection)
            connection.sendall(MAGIC + b"\x00\x00")
        self.assert_status(self.lose(answer), IOERR)

    def test_it_answers_nonsense(self):
        def answer(connection):
            self.read_to_end(connection)
            connection.sendall(b"250 ok, what else\r\n")
        self.assert_status(self.lose(answer), IOERR)

    def test_it_says_yes_too_early(self):
        text = MAIL + (b"x" * 70 + b"\n") * 100000

        def answer(connection):
            connection.recv(100)
            connection.sendall(MAGIC + b"\x00" + number(0))
        self.assert_status(self.lose(answer, stdin=text), TEMPFAIL)

    def test_it_says_no_early(self):
        text = MAIL + (b"x" * 70 + b"\n") * 100000

        def answer(connection):
            connection.recv(100)
            connection.sendall(MAGIC + b"\x45" + number(3) + b"no\x07")
        result = self.lose(answer, stdin=text)
        self.assertEqual((result.status, result.err), (UNAVAILABLE,
                                                       "no\\x07\n"))

    def test_it_does_not_answer_in_time(self):
        waiting = threading.Event()

        def answer(connection):
            self.read_to_end(connection)
            waiting.wait(PATIENCE)
        with Helper(self.path, answer=answer):
            result = self.hand_over("--timeout", "1", "-i", A)
            waiting.set()
        self.assert_status(result, IOERR, "in time")

    def queued(self, content):
        """Hand over to a helper that hears nothing; and what it had."""
        pieces, is_over = [], threading.Event()

        def answer(connection):
            is_over.wait(PATIENCE)
            while piece := connection.recv(65536):
                pieces.append(piece)

        with Helper(self.path, answer=answer):
            result = self.hand_over("-i", "--timeout", "1", A, stdin=content)
            is_over.set()
        return result, b"".join(pieces)

    def test_the_end_alone_does_not_fit_any_more(self):
        """Without its last octets no message is in doubt."""
        content = MAIL + b"x" * 4000000
        result, data = self.queued(content)
        self.assert_status(result, TEMPFAIL, "before it had the message")
        rest = data[data.index(MAIL) - 4:]
        count, = struct.unpack(">I", rest[:4])
        whole, last = divmod(len(rest), 4 + count)
        fits = whole * count + max(last - 4, 0)
        result, data = self.queued(content[:fits])
        if data.endswith(END):
            self.skipTest("the end fits everywhere here")
        self.assert_status(result, TEMPFAIL, "before it had the message")

    def test_input_that_is_closed(self):
        result = sendmail.Result(subprocess.run(
            ["/bin/sh", "-c", 'exec "$@" <&-', "sh", PROGRAM,
             "--submit-socket", self.path, A],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            timeout=PATIENCE))
        self.assert_status(result, NOINPUT, "closed")


if __name__ == "__main__":
    unittest.main(verbosity=2)
