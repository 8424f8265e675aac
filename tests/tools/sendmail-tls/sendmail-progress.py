# SPDX-License-Identifier: MIT
"""How far a large message is, on a terminal and nowhere else."""

import fcntl
import os
import subprocess
import termios
import unittest

import sendmail
from sendmail import TEMPFAIL, run

LARGE = sendmail.MAIL + (b"x" * 900 + b"\n") * 2400


def on_screen(text):
    """What stands on a terminal at the end, line by line."""
    lines, column = [[]], 0
    for char in text:
        if char == "\r":
            column = 0
        elif char == "\n":
            lines.append([])
            column = 0
        else:
            lines[-1][column:column + 1] = [char]
            column += 1
    return ["".join(line).rstrip() for line in lines]


class Progress(sendmail.TestCase):
    def on_terminal(self, *args, stdin=LARGE, in_front=True, url=None):
        """Status, and what is written to a terminal that is stderr."""
        ours, theirs = os.openpty()

        def take_terminal():
            os.setsid()
            if in_front:
                fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

        with subprocess.Popen(
                [sendmail.PROGRAM, "--config", "/dev/null", "--url",
                 url or self.sink.smtps, "--cafile", str(self.ca), "-f",
                 "a@example.org", *args, "b@example.org"],
                stdin=subprocess.PIPE, stderr=theirs,
                preexec_fn=take_terminal) as process:
            os.close(theirs)
            process.stdin.write(stdin)
            process.stdin.close()
            text = b""
            try:
                while data := os.read(ours, 65536):
                    text += data
            except OSError:
                pass  # the terminal of nobody
        os.close(ours)
        return process.returncode, text.decode()

    def test_a_line_that_is_gone_at_the_end(self):
        status, text = self.on_terminal()
        self.assertEqual(status, 0, text)
        self.assertIn("\rsendmail-tls: 0 %, 0.0 of ", text)
        self.assertIn("100 %, waiting for the answer", text)
        self.assertEqual(on_screen(text), [""])
        self.assertEqual(len(self.sink.take()), 1)

    def test_what_failed_has_a_line_of_its_own(self):
        with sendmail.Server(self.folder,
                             **{".": "452 4.3.1 full\r\n"}) as server:
            status, text = self.on_terminal(url=server.url)
        self.assertEqual(status, TEMPFAIL, text)
        self.assertIn("100 %", text)
        lines = on_screen(text)
        self.assertEqual(len(lines), 2)
        self.assertTrue(lines[0].startswith("sendmail-tls: smtps://"), lines)
        self.assertIn("452 4.3.1 full", lines[0])

    def test_a_small_message_shows_nothing(self):
        self.assertEqual(self.on_terminal(stdin=sendmail.MAIL), (0, ""))

    def test_a_terminal_that_is_not_ours_shows_nothing(self):
        self.assertEqual(self.on_terminal(in_front=False), (0, ""))

    def test_a_conversation_is_not_drawn_over(self):
        status, text = self.on_terminal("-v")
        self.assertEqual(status, 0)
        self.assertIn("C: QUIT", text)
        self.assertNotIn(" %", text)

    def test_a_file_has_nothing_of_it(self):
        result = run("--url", self.sink.smtps, "--cafile", self.ca, "-f",
                     "a@example.org", "b@example.org", stdin=LARGE)
        self.assertEqual((result.status, result.err), (0, ""))


if __name__ == "__main__":
    unittest.main(verbosity=2)
