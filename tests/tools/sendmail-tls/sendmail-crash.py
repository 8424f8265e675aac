#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
What is left of a mail when sendmail-tls is killed, at each of its system
calls in turn, and when the power fails, which forgets what was not synced.

CRASH_AT is the program of crash-at.c. With STLS_TEST_FULL no call is left
out; else those of a run of the spool are tried in steps.
"""

import collections
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import sendmail
from sendmail import MAIL, PROGRAM, Sink, run

CRASH_AT = os.environ["CRASH_AT"]
FULL = bool(os.environ.get("STLS_TEST_FULL"))
KILLED, IMPOSSIBLE = 99, 98
# Who is traced already cannot look for leaks that way.
ENVIRONMENT = {**os.environ, "ASAN_OPTIONS":
               os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}

WHOLE = MAIL.replace(b"\n", b"\r\n")
NOBODY = ("--url", "smtps://localhost", "--connect-to", "127.0.0.1:1")


class TestCase(sendmail.TestCase):
    RECIPIENTS = ("b@example.org",)

    def setUp(self):
        place = tempfile.TemporaryDirectory(dir=self.folder)
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)
        self.spool = self.place / "spool"
        self.trace = self.place / "trace"

    def to_sink(self):
        # By number: a name would be looked up by a thread.
        return ("--url", "smtps://localhost", "--connect-to",
                f"127.0.0.1:{self.sink.smtps_port}")

    def command(self, *args):
        return ["--config", "/dev/null", "--cafile", str(self.ca), "--spool",
                str(self.spool), *map(str, args)]

    def crash(self, at, *args):
        """Run the program, and kill it at its at-th call; the status."""
        trace = self.trace if at == 0 else "-"
        process = subprocess.run(
            [CRASH_AT, str(at), trace, PROGRAM, *self.command(*args)],
            input=MAIL, stderr=subprocess.PIPE, timeout=sendmail.PATIENCE,
            env=ENVIRONMENT, check=False)
        if process.returncode == IMPOSSIBLE:
            self.skipTest("no process may be traced here")
        self.assertIn(process.returncode, (0, KILLED), process.stderr)
        return process.returncode

    def calls(self):
        return [line.split("\t") for line in
                self.trace.read_text("utf-8", "replace").splitlines()]

    def points(self, first_of, step=1):
        """From the first of these calls on; what is before has no mail."""
        calls = self.calls()
        first = next(i for i, call in enumerate(calls, 1)
                     if call[0] in first_of)
        # Each takes longer there, and sanitizers look for something else.
        if os.environ.get("SANITIZED") == "yes":
            step *= 4
        # The last one is never reached: it must end by itself then.
        return [*range(first, len(calls), 1 if FULL else step),
                len(calls) + 3]

    def recover(self):
        """Run the spool; the mails that come out of it, none of them torn."""
        result = run("-q", *self.command(*self.to_sink())[2:])
        self.assertEqual((result.status, result.err), (0, ""))
        queue = self.spool / "queue"
        self.assertEqual(list(queue.glob("[0-9a-f]*")), [])
        return self.taken()

    def taken(self):
        mails = self.sink.take()
        for mail in mails:
            if mail.sender:
                self.assertEqual(self.strip(mail.data), WHOLE)
        return mails

    def settled(self):
        """
        What has arrived, once the sink has seen the end of the connection
        of who was killed: it is one loop, and that came before this.
        """
        run("--probe", *self.command(*self.to_sink())[2:], stdin=b"")
        return self.taken()

    @staticmethod
    def strip(data):
        """Without the number by which the tests tell mails apart."""
        return re.sub(rb"Subject: +\d+\r", b"Subject: hello\r", data)

    def listing(self):
        return run("-bp", *self.command()[2:]).out.decode()

    def fill(self, count):
        """Put numbered messages into a new spool."""
        shutil.rmtree(self.spool, ignore_errors=True)
        if not hasattr(self, "template"):
            self.crash(0, *NOBODY, "-f", "a@example.org", *self.RECIPIENTS)
            path, = (self.spool / "queue").iterdir()
            type(self).template = path.name, path.read_bytes()
            shutil.rmtree(self.spool)
        name, data = self.template
        for place in (self.spool, self.spool / "queue", self.spool / "dead"):
            place.mkdir(0o700)
        for i in range(count):
            path = self.spool / "queue" / f"{name[:11]}-{i:016d}"
            path.write_bytes(
                data.replace(b"Subject: hello", b"Subject: %5d" % i))
            path.chmod(0o600)

    def in_doubt(self):
        """The numbers of the messages that the spool says are in doubt."""
        found, number = set(), None
        for line in self.listing().splitlines():
            head = re.match(r"[0-9a-f]{11}-(\d{16})\b", line)
            if head:
                number = int(head[1])
            elif "in doubt since" in line:
                found.add(number)
        return found


def numbers(mails):
    return collections.Counter(int(mail.field("Subject")[0])
                               for mail in mails if mail.sender)


class Kill(TestCase):
    """kill -9 right before each call."""

    def test_while_it_is_stored(self):
        args = (*NOBODY, "-f", "a@example.org", "b@example.org")
        self.assertEqual(self.crash(0, *args), 0)
        ended = False
        for at in self.points(("connect",)):
            shutil.rmtree(self.spool, ignore_errors=True)
            status = self.crash(at, *args)
            mails = self.recover()
            self.assertLessEqual(len(mails), 1)
            if status == 0:
                self.assertEqual(len(mails), 1)
                ended = True
        self.assertTrue(ended)

    def test_while_it_is_delivered(self):
        args = (*self.to_sink(), "-f", "a@example.org", "b@example.org")
        self.assertEqual(self.crash(0, *args), 0)
        self.assertEqual(len(self.taken()), 1)
        ended = False
        for at in self.points(("connect",)):
            status = self.crash(at, *args)
            mails = self.settled() + self.recover()
            self.assertLessEqual(len(mails), 1)
            if status == 0:
                self.assertEqual(len(mails), 1)
                ended = True
        self.assertTrue(ended)

    def test_while_the_spool_is_run(self):
        args = ("-q", *self.to_sink())
        self.fill(3)
        self.assertEqual(self.crash(0, *args), 0)
        self.assertEqual(len(self.taken()), 3)
        everybody = {0, 1, 2}
        for at in self.points(("flock",), step=3):
            self.fill(3)
            status = self.crash(at, *args)
            doubt = self.in_doubt()
            before = self.settled()
            both = numbers(before) + numbers(self.recover())
            self.assertEqual(set(both), everybody, f"at {at}")
            twice = {i for i, count in both.items() if count > 1}
            self.assertLessEqual(twice, doubt, f"at {at}")
            self.assertLessEqual(max(both.values()), 2)
            if status == 0:
                self.assertEqual(doubt, set())

    def test_while_a_report_takes_the_place_of_a_message(self):
        args = ("-q", *NOBODY, "--spool-lifetime", "0s")
        self.fill(1)
        self.assertEqual(self.crash(0, *args), 0)
        for at in self.points(("flock",), step=2):
            self.fill(1)
            self.crash(at, *args)
            for _ in range(3):
                if "<b@example.org>" in self.listing():
                    self.assertEqual(self.crash(-1, *args), 0)
            mails = self.recover()
            self.assertIn(len(mails), (1, 2), f"at {at}")
            for mail in mails:
                self.assertEqual(mail.sender, "")
                self.assertIn(b"report-type=delivery-status", mail.data)


class Disk:
    """
    The files below a folder as the calls of a trace leave them in the cache,
    and as they are on the disk when only that is there which was synced.
    """

    class File:
        def __init__(self, data=b"", synced=b""):
            self.data, self.synced = data, synced

    def __init__(self, root):
        self.root = str(root)
        self.cached, self.synced, self.folders = {}, {}, set()
        for place, _, names in os.walk(root):
            self.folders.add(place)
            for name in names:
                path = os.path.join(place, name)
                data = pathlib.Path(path).read_bytes()
                self.cached[path] = self.synced[path] = self.File(data, data)
        self.synced_folders = set(self.folders)

    def follow(self, call):
        """Do what a call did, where it is about these files."""
        name, *args = call
        method = getattr(self, "do_" + name, None)
        if method:
            method(*args)

    def do_openat(self, folder, name, flags):
        path = os.path.join(folder, name)
        if path.startswith(self.root) and int(flags) & os.O_CREAT:
            self.cached.setdefault(path, self.File())

    def do_write(self, path, data):
        if path in self.cached:
            self.cached[path].data += bytes.fromhex(data)

    def do_pwrite(self, path, data, _, offset):
        if path in self.cached:
            file, data, at = self.cached[path], bytes.fromhex(data), int(offset)
            file.data = file.data[:at].ljust(at, b"\0") + data + \
                file.data[at + len(data):]

    def do_ftruncate(self, path, size):
        if path in self.cached:
            self.cached[path].data = self.cached[path].data[:int(size)]

    def do_mkdir(self, path, _):
        if path.startswith(self.root):
            self.folders.add(path)

    def do_mkdirat(self, folder, name, _):
        self.do_mkdir(os.path.join(folder, name), _)

    def do_renameat(self, old_folder, old, new_folder, new):
        file = self.cached.pop(os.path.join(old_folder, old), None)
        if file:
            self.cached[os.path.join(new_folder, new)] = file

    do_renameat2 = do_renameat

    def do_unlinkat(self, folder, name):
        self.cached.pop(os.path.join(folder, name), None)

    def do_fsync(self, path):
        if path in self.cached:
            self.cached[path].synced = self.cached[path].data
            return
        for folder in self.folders:
            if os.path.dirname(folder) == path:
                self.synced_folders.add(folder)
        here = {p: f for p, f in self.cached.items()
                if os.path.dirname(p) == path}
        elsewhere = {p: f for p, f in self.synced.items()
                     if os.path.dirname(p) != path}
        self.synced = {**elsewhere, **here}

    do_fdatasync = do_fsync

    def rebuild(self, names_are_synced):
        """
        Make the folder what a crash leaves: of data only what was synced; of
        names that as well, or, since a file system may be faster than it must,
        all.
        """
        shutil.rmtree(self.root, ignore_errors=True)
        names = self.synced if names_are_synced else self.cached
        folders = self.synced_folders if names_are_synced else self.folders
        for folder in sorted(folders):
            if os.path.isdir(os.path.dirname(folder)):
                os.mkdir(folder, 0o700)
        for path, file in names.items():
            if os.path.isdir(os.path.dirname(path)):
                pathlib.Path(path).write_bytes(file.synced)
                os.chmod(path, 0o600)

    def states(self, calls):
        """Each state of the disk from now to the end, and how far it is."""
        previous = None
        for i, call in enumerate(calls, 1):
            self.follow(call)
            for names_are_synced in (True, False):
                names = self.synced if names_are_synced else self.cached
                state = {p: f.synced for p, f in names.items()}
                # What a state leads to need not be tried twice in a row.
                if (names_are_synced, state) != previous or i == len(calls):
                    yield i, names_are_synced
                previous = names_are_synced, state


class Power(TestCase):
    """The cache is lost."""

    def test_stored_is_stored(self):
        args = (*NOBODY, "-f", "a@example.org", "b@example.org")
        self.assertEqual(self.crash(0, *args), 0)
        calls = self.calls()
        shutil.rmtree(self.spool)
        disk = Disk(self.spool)
        self.assertEqual(calls[-1], ["exit_group", "0"])
        seen = 0
        for i, names_are_synced in disk.states(calls):
            disk.rebuild(names_are_synced)
            mails = self.recover() if self.spool.is_dir() else []
            self.assertLessEqual(len(mails), 1)
            if i == len(calls):
                self.assertEqual(len(mails), 1)
                seen += 1
        self.assertEqual(seen, 2)

    def test_nothing_leaves_before_the_disk_knows(self):
        self.fill(2)
        disk = Disk(self.spool)
        self.assertEqual(self.crash(0, "-q", *self.to_sink()), 0)
        self.assertEqual(len(self.taken()), 2)
        calls = self.calls()
        gone = self.when_it_left(calls)
        self.assertEqual(len(gone), 2)
        for i, names_are_synced in disk.states(calls):
            disk.rebuild(names_are_synced)
            doubt = self.in_doubt()
            again = set(numbers(self.recover()))
            for number, at in gone.items():
                if i < at:
                    self.assertIn(number, again, f"after {i}")
                # Sent again only where it is said to be in doubt.
                elif number in again:
                    self.assertIn(number, doubt, f"after {i}")
            if i == len(calls):
                self.assertEqual(again, set())

    @staticmethod
    def when_it_left(calls):
        """
        Where the last octet of each message left: with the first call to the
        network behind what its file was told last.
        """
        left, waiting = {}, None
        for i, (name, *args) in enumerate(calls, 1):
            if name == "pwrite" and bytes.fromhex(args[1]).find(
                    b" doubt ") > 0:
                waiting = int(args[0][-16:])
            elif name in ("sendto", "sendmsg", "write") and \
                    waiting is not None and args[0].startswith("socket:"):
                left[waiting] = i
                waiting = None
        return left


class OneByOne(TestCase):
    """
    kill -9, and a server that takes one recipient at once, so that a message
    goes in as many transactions.
    """

    RECIPIENTS = tuple(f"{i}@example.org" for i in range(3))

    def sink_that(self, *name):
        self.sink.close()
        type(self).sink = Sink(self.folder, "--misbehave", *name)

    def recipients_in_doubt(self):
        return set(re.findall("<(.*)>: in doubt since", self.listing()))

    def kill_each(self):
        """Kill a run at each call: who is in doubt then, who got it twice."""
        args = ("-q", *self.to_sink())
        self.fill(1)
        self.assertEqual(self.crash(0, *args), 0)
        self.assertEqual(len(self.taken()), len(self.RECIPIENTS))
        for at in self.points(("flock",), step=3):
            self.fill(1)
            status = self.crash(at, *args)
            doubt = self.recipients_in_doubt()
            mails = self.settled() + self.recover()
            got = collections.Counter(r for m in mails for r in m.recipients)
            twice = {r for r, count in got.items() if count > 1}
            self.assertEqual(set(got), set(self.RECIPIENTS), f"at {at}")
            self.assertLessEqual(max(got.values()), 2)
            self.assertLessEqual(twice, doubt, f"at {at}")
            # The transaction that was killed, and none before it.
            self.assertLessEqual(len(twice), 1, f"at {at}: {twice}")
            if status == 0:
                self.assertEqual(doubt, set())
            yield doubt

    def test_who_has_it_does_not_get_it_again(self):
        """The server tells how many it takes: 1."""
        self.sink_that("limits:one-recipient")
        self.assertTrue([*self.kill_each()])

    def test_who_was_put_off_is_not_in_doubt(self):
        """The server says 452 to the second."""
        self.sink_that("limits-lie")
        for doubt in self.kill_each():
            self.assertLessEqual(len(doubt), 1)

    @unittest.skipIf(os.environ.get("SANITIZED") == "yes",
                     "the calls are the same, and take longer")
    def test_the_disk_knows_who_has_it_before_the_next_gets_it(self):
        self.sink_that("limits-lie")
        self.fill(1)
        disk = Disk(self.spool)
        self.assertEqual(self.crash(0, "-q", *self.to_sink()), 0)
        order = [r for mail in self.taken() for r in mail.recipients]
        calls = self.calls()
        left = self.when_each_left(calls)
        self.assertEqual(len(left), len(order))
        for i, names_are_synced in disk.states(calls):
            disk.rebuild(names_are_synced)
            again = {r for mail in self.recover() for r in mail.recipients}
            gone = {r for r, at in zip(order, left) if at <= i}
            self.assertLessEqual(set(order) - gone, again, f"after {i}")
            self.assertLessEqual(len(again & gone), 1, f"after {i}")

    @staticmethod
    def when_each_left(calls):
        """The calls with which the last octet left, one for each of them."""
        left, waits = [], False
        for i, (name, *args) in enumerate(calls, 1):
            if name == "pwrite" and re.search(
                    rb" (doubt|in-doubt) ", bytes.fromhex(args[1])):
                waits = True
            elif name in ("sendto", "sendmsg", "write") and waits and \
                    args[0].startswith("socket:"):
                left.append(i)
                waits = False
        return left



if __name__ == "__main__":
    unittest.main(verbosity=2)
