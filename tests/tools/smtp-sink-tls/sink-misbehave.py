# SPDX-License-Identifier: MIT
"""Each row of smtp-sink-tls --misbehave does what it says, and nothing else.

usage: sink-misbehave.py SMTP-SINK-TLS MANUAL-PAGE

A client that believes everything (sink_client.py) goes through a whole mail,
over STARTTLS and over implicit TLS. What it was told is compared with what the
row is for. STLS_TEST_FULL tries every step of every row, STLS_TEST_QUICK most
rows over one of the two; ONLY=REGEX some rows alone.
"""

import base64
import collections
import concurrent.futures
import contextlib
import fcntl
import json
import os
import pathlib
import re
import ssl
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import traceback
import unittest

from sink_client import (CLOSED, RESET, SILENCE, TIMEOUT, Client,
                         note_messages)

PROGRAM = str(pathlib.Path(sys.argv.pop(1)).resolve())
MANUAL = pathlib.Path(sys.argv.pop(1))
FULL = "STLS_TEST_FULL" in os.environ
QUICK = "STLS_TEST_QUICK" in os.environ
AT_ONCE = 6

AUTH = b"AUTH PLAIN " + base64.b64encode(b"\0alice\0geheim") + b"\r\n"
LINES = {"ehlo": b"EHLO c.example.org\r\n", "starttls": b"STARTTLS\r\n",
         "auth": AUTH, "mail": b"MAIL FROM:<a@example.org>\r\n",
         "rcpt": b"RCPT TO:<b@example.org>\r\n", "data": b"DATA\r\n",
         "chunk": b"BDAT 3\r\nx\r\n", "content": b"x\r\n.\r\n",
         "last": b"BDAT 3 LAST\r\ny\r\n", "rset": b"RSET\r\n",
         "quit": b"QUIT\r\n"}
GOOD = {"greeting": b"220", "ehlo": b"250", "starttls": b"220",
        "auth": b"235", "mail": b"250", "rcpt": b"250", "data": b"354",
        "chunk": b"250", "content": b"250", "rset": b"250", "quit": b"221"}
CLEAR = ["greeting", "ehlo", "starttls"]
INSIDE = ["ehlo", "auth", "mail", "rcpt", "data", "content", "rset", "quit"]
CHUNKED = ["ehlo", "auth", "mail", "rcpt", "chunk", "content", "rset", "quit"]
# Of the rows that take a step: one in clear, some inside TLS.
SHORT_STEPS = ["greeting", "ehlo", "mail", "data", "content"]


class Run:
    """One connection of the naive client, and what the sink counted."""

    def __init__(self, folder, form, implicit, silent=(), hold=None, **how):
        self.form, self.implicit = form, implicit
        self.silent, self.hold = silent, hold
        self.answers = collections.OrderedDict()  # step -> the answer
        self.before = {}    # step -> what was there before it was asked
        self.last_step = None
        self.messages = []
        self.shaken = None  # whether TLS was completed
        self.started = time.monotonic()
        number = len(list(folder.glob("stats*")))
        stats = folder / f"stats-{number}-{threading.get_ident()}"
        process = subprocess.Popen(
            [PROGRAM, "--make-ca", folder / "ca", "--max-seconds", "30",
             "--user", "alice", "--password-file", folder / "password",
             "--stats", stats, "--misbehave", form],
            stdout=subprocess.PIPE, text=True)
        try:
            ports = dict(word.split("=")
                         for word in process.stdout.readline().split())
            context = ssl.create_default_context(cafile=folder / "ca/ca.pem")
            note_messages(context, self.messages)
            if how.get("legacy"):
                context.minimum_version = ssl.TLSVersion.TLSv1
                context.set_ciphers("ALL:@SECLEVEL=0")
            self.client = Client(int(ports["smtps" if implicit else "smtp"]),
                                 context)
            self.talk("chunk" in form.split(":"))
            if how.get("after"):
                how["after"](self)
            else:
                self.rest = self.client.rest(SILENCE if hold else 0)
                self.client.wait_end(SILENCE if how.get("ends") else 0)
        finally:
            with contextlib.suppress(AttributeError):
                self.client.abort()
            process.terminate()
            status = process.wait(TIMEOUT)
            process.stdout.close()
        assert status == 0, f"the sink ended with {status}"
        self.stats = json.loads(stats.read_text())

    def say(self, step, line):
        client = self.client
        inside = client.tls is not None
        self.before.setdefault(
            step + ("2" if inside and step == "ehlo" else ""), client.pending)
        self.last_step = step
        if line:
            client.send(line)
        self.answers[step] = client.reply(
            SILENCE if step in self.silent else TIMEOUT)
        return not (client.end or client.failure or step == self.hold)

    def talk(self, chunked):
        for step in CLEAR if not self.implicit else []:
            if not self.say(step, LINES.get(step)):
                return
        if not self.implicit and not self.answers["starttls"].startswith(
                b"220"):
            return
        self.clear_answers, self.answers = self.answers, (
            collections.OrderedDict())
        self.shaken = self.client.start_tls(
            SILENCE if "tls" in self.silent else TIMEOUT)
        if not self.shaken or self.hold == "tls":
            return
        if self.implicit and not self.say("greeting", None):
            return
        for step in CHUNKED if chunked else INSIDE:
            line = LINES["last" if chunked and step == "content" else step]
            if not self.say(step, line):
                return

    def answer(self, step):
        """The answer to a step: of EHLO the last one, inside TLS."""
        if step in self.answers:
            return self.answers[step]
        return getattr(self, "clear_answers", {}).get(step, b"")

    def good_up_to(self, step):
        for name, answer in self.answers.items():
            if name == step:
                return
            assert answer.startswith(GOOD[name]), (name, answer)


def check(condition, *what):
    assert condition, what


def expect(value, wanted):
    assert value == wanted, (value, wanted)


def matches(pattern, text):
    assert re.fullmatch(pattern, text, re.S), (pattern, text[:300])


# -- what each row is to do: a function of the run and of the words of its form

ROWS = {}


def row(*forms, **how):
    """Register a check for these forms. STEP stands for steps."""
    def register(function):
        for form in forms:
            ROWS[form] = (function, how)
        return function
    return register


def is_starttls_only(run):
    return run.implicit and run.stats["misbehaviours"] == 0


def go_on_in_clear(run):
    """As a client that does not insist on TLS."""
    run.client.tls = None
    run.lost = [run.client.say(LINES[step], TIMEOUT)[:3]
                for step in INSIDE[1:]]


@row("starttls-not-offered", "starttls-garbled", implicit=False,
     after=go_on_in_clear)
def stripped(run):
    check(b"STARTTLS\r\n" not in run.answers["ehlo"])
    check(b"AUTH PLAIN" in run.answers["ehlo"])
    matches(rb"502 .*", run.answers["starttls"])
    if run.form == "starttls-garbled":
        for word in (b"XXXXXXXA", b"START TLS", b"STARTTLS2"):
            check(word in run.answers["ehlo"])
    # Whoever goes on in clear loses its password and its mail.
    expect(run.lost, [GOOD[step] for step in INSIDE[1:]])
    expect((run.stats["messages"], run.stats["handshakes"]), (1, 0))


@row("inject-same-segment", implicit=False)
def same_segment(run):
    matches(rb"250-localhost\r\n250 AUTH PLAIN LOGIN\r\n", run.answers["ehlo"])
    check(any(s.startswith(b"220 ") and b"AUTH PLAIN" in s
              for _, s in run.client.segments))


@row("inject-next-segment", "inject-before-server-hello")
def injected(run):
    # Where the kernel joins the segments this client takes it for SMTP.
    expect(run.shaken, b"PLAIN" in run.before.get("ehlo2", b""))
    check(b"250-localhost\r\n250 AUTH PLAIN LOGIN\r\n" in run.client.clear,
          run.client.clear)


@row("no-handshake:plaintext")
def plaintext(run):
    expect(run.shaken, False)
    clear = run.client.clear
    if run.implicit:
        check(clear.startswith(b"220 localhost"), clear)
    else:
        # The answer to an EHLO that was never said, as if there were TLS.
        check(b"250-AUTH PLAIN LOGIN\r\n" in clear.split(b"220 2.0.0")[1],
              clear)


@row("no-handshake:silence", silent=("tls",))
def no_hello(run):
    expect((run.shaken, run.client.end), (False, None))


@row("no-handshake:close")
def closed_hello(run):
    expect((run.shaken, run.client.end), (False, CLOSED))


@row("no-handshake:garbage")
def garbage_hello(run):
    expect(run.shaken, False)
    check(any(b"no TLS" in s for _, s in run.client.segments))


@row("cleartext-after-handshake")
def clear_after(run):
    expect(run.shaken, True)
    check(run.client.clear.endswith(
        b"smtp-sink-tls\r\n" if run.implicit else b"DELIVERBY 60\r\n"),
        run.client.clear)


@row("only-before-tls:size", "only-before-tls:8bitmime",
     "only-before-tls:pipelining")
def only_before(run):
    word = run.form.split(":")[1].upper().encode()
    if not run.implicit:
        check(b"250-" + word in run.clear_answers["ehlo"])
    if word == b"SIZE" and not run.implicit:
        check(b"250-SIZE 1\r\n" in run.clear_answers["ehlo"])
    check(word not in run.answers["ehlo"])


@row("only-before-tls:auth")
def auth_before(run):
    if not run.implicit:
        check(b"AUTH PLAIN" in run.clear_answers["ehlo"])
    check(b"AUTH" not in run.answers["ehlo"])
    matches(rb"502 .*", run.answers["auth"])
    matches(rb"530 .*", run.answers["mail"])


@row("certificate:expired", "certificate:not-yet-valid",
     "certificate:other-name", "certificate:self-signed",
     "certificate:other-ca")
def certificate(run):
    why = {"expired": "has expired", "not-yet-valid": "not yet valid",
           "other-name": "Hostname mismatch",
           "self-signed": "self-signed",
           "other-ca": "unable to get local issuer"}
    expect(run.shaken, False)
    check(why[run.form.split(":")[1]] in str(run.client.failure),
          run.client.failure)


def second_connection(run):
    """Another client of the same sink, whose port is still known."""
    port = run.client.socket.getpeername()[1]
    context = ssl.create_default_context()
    context.load_verify_locations(cadata=ssl.DER_cert_to_PEM_cert(
        run.client.context.get_ca_certs(binary_form=True)[0]))
    run.second = Client(port, context)
    try:
        if not run.implicit:
            run.second.reply(TIMEOUT)
            for step in CLEAR[1:]:
                run.second.say(LINES[step], TIMEOUT)
        run.second.start_tls(TIMEOUT)
    finally:
        run.second.abort()


@row("certificate-changes", after=second_connection)
def certificate_changes(run):
    run.good_up_to(None)
    check("unable to get local issuer" in str(run.second.failure),
          run.second.failure)


@row("old-tls:1.0", "old-tls:1.1", legacy=True)
def old_tls(run):
    expect(run.shaken, True)
    expect(run.client.tls.version(),
           {"1.0": "TLSv1", "1.1": "TLSv1.1"}[run.form.split(":")[1]])


HELLO_REQUEST, TICKET, KEY_UPDATE = 0, 4, 24


@row("renegotiate:3")
def renegotiate(run):
    # TLS 1.3 has none.
    expect(run.messages.count(HELLO_REQUEST), 3)


@row("key-updates:5")
def key_updates(run):
    expect(run.messages.count(KEY_UPDATE), 5)
    run.good_up_to(None)


@row("tickets:500")
def tickets(run):
    # Two come from every server.
    expect(run.messages.count(TICKET), 502)
    run.good_up_to(None)


def let_it_storm(run):
    """Read until there was far more than anybody needs."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end and not run.client.end and (
            sum(len(s) for _, s in run.client.segments) < 200000):
        run.client.take(TIMEOUT)
    run.client.abort()
    run.client.end = RESET


@row("key-updates:0", "tickets:0", "renegotiate:0", after=let_it_storm,
     hold="tls")
def storm(run):
    check(run.stats["misbehaviours"] > 500, run.stats["misbehaviours"])
    expect(run.stats["messages"], 0)


SIZES = {"zero": [b"SIZE 0"], "one": [b"SIZE 1"], "negative": [b"SIZE -1"],
         "text": [b"SIZE many"], "huge": [b"SIZE " + b"9" * 26],
         "twice": [b"SIZE 1", b"SIZE 99999999"]}


@row(*(f"size:{word}" for word in SIZES))
def size(run):
    lines = run.answers["ehlo"].split(b"\r\n")
    expect([line[4:] for line in lines if line[4:8] == b"SIZE"],
           SIZES[run.form.split(":")[1]])
    run.good_up_to(None)


@row("limits:one-recipient", "limits:one-mail", "limits:zero", "limits:text")
def limits(run):
    word = {"one-recipient": b"RCPTMAX=1\r", "one-mail": b"MAILMAX=1\r",
            "zero": b"RCPTMAX=0 MAILMAX=0", "text": b"MAILMAX=many"}
    check(b"250-LIMITS " in run.answers["ehlo"])
    check(word[run.form.split(":")[1]] in run.answers["ehlo"])


def another_recipient(run):
    run.more = [run.client.say(LINES[step], TIMEOUT)
                for step in ("rcpt", "rcpt")]


@row("limits-lie", hold="rcpt", after=another_recipient)
def limits_lie(run):
    check(b"LIMITS RCPTMAX=1000\r\n" in run.answers["ehlo"])
    expect([answer[:3] for answer in run.more], [b"452", b"452"])


@row("extensions:malformed", "extensions:long", "extensions:twice")
def extensions(run):
    word = {"malformed": b"\r\n250-=\r\n", "long": b"250-X-LONG " + b"x" * 500,
            "twice": b"250-8BITMIME\r\n250-8BITMIME\r\n250-8bitmime\r\n"}
    check(word[run.form.split(":")[1]] in run.answers["ehlo"],
          run.answers["ehlo"])
    run.good_up_to(None)


@row("auth-offers:unknown", "auth-offers:cram-md5", "auth-offers:nothing")
def auth_offers(run):
    offered = {"unknown": b"AUTH X-UNKNOWN", "cram-md5": b"AUTH CRAM-MD5",
               "nothing": b"AUTH"}[run.form.split(":")[1]]
    lines = run.answers["ehlo"].split(b"\r\n")
    expect([line[4:] for line in lines if b"AUTH" in line], [offered])


def cancel(run):
    run.cancelled = run.client.say(b"*\r\n", TIMEOUT)


@row("auth-endless-challenge", after=cancel)
def endless_challenge(run):
    steps = list(run.answers)[list(run.answers).index("auth"):]
    check(len(steps) > 5)
    for step in steps:
        expect(run.answers[step], b"334 Z28gb24=\r\n")
    check(run.cancelled.startswith(b"334 "))


@row("auth-bad-base64")
def bad_base64(run):
    expect(run.answers["auth"], b"334 ***?=\r\n")
    matches(rb"501 .*", run.answers["mail"])


@row("auth-long-challenge:20000")
def long_challenge(run):
    expect(run.answers["auth"], b"334 " + b"QUJD" * 5000 + b"\r\n")


@row("auth-with-greeting")
def pushed_235(run):
    first = run.before["ehlo2" if run.implicit else "ehlo"]
    expect(first, b"235 2.7.0 authenticated\r\n")


@row("auth-repeated")
def auth_repeated(run):
    check(run.answers["auth"].startswith(b"535 "))
    check(AUTH.split()[2] in run.answers["auth"])
    expect(run.stats["authentications"], 0)


@row("421-at:STEP", ends=True)
def answer_421(run, step):
    run.good_up_to(step)
    matches(rb"421 .*\r\n", run.answers[step])
    expect(run.client.end, CLOSED)
    expect(run.stats["messages"], step in ("rset", "quit"))
    if run.shaken:
        expect(run.client.notified, True)


@row("answer:STEP:451", "answer:STEP:250", "answer:STEP:554")
def answer(run, step):
    code = run.form.split(":")[-1].encode()
    check(run.answer(step).startswith(code + b" as --misbehave"))
    # This client goes on whatever the greeting says, and a yes to a chunk is
    # what it would get anyway.
    expect(run.stats["messages"], step in ("greeting", "rset", "quit") or
           (step, code) == ("chunk", b"250"))


@row("lie:STEP:550")
def lie(run, step):
    check(run.answer(step).startswith(b"550 as"))
    # Greeting and STARTTLS end the conversation of this client.
    later = [s for s in run.answers if s != step]
    expect([run.answers[s][:3] for s in later], [GOOD[s] for s in later])
    expect(run.stats["messages"], 1 if run.shaken else 0)


@row("always-250")
def always_250(run):
    if not run.implicit:
        check(run.answers["starttls"].startswith(b"250 "))
    else:
        expect([answer[:3] for step, answer in run.answers.items()
                if step != "greeting"], [b"250"] * len(INSIDE))
        expect(run.stats["messages"], 0)


@row("always-354")
def always_354(run):
    steps = list(run.answers)
    for step in steps[steps.index("ehlo") + 1:]:
        check(run.answers[step].startswith(b"354 "))
    expect(run.stats["messages"], 0)


@row("every-second-recipient", hold="rcpt", after=another_recipient)
def second_recipient(run):
    expect([answer[:3] for answer in run.more], [b"550", b"250"])


@row("redirect:251", "redirect:551", "redirect:421")
def redirect(run):
    code = run.form.split(":")[1].encode()
    check(run.answers["rcpt"].startswith(code + b" "))
    check(b"localhost" in run.answers["rcpt"])
    expect(run.stats["recipients"], 1 if code == b"251" else 0)
    if code == b"421":
        expect(run.client.notified, True)


def by_chunks(run):
    run.more = [run.client.say(line, TIMEOUT)[:3] for line in
                (LINES["chunk"], LINES["chunk"], LINES["last"])]


@row("first-chunk-refused", hold="rcpt", after=by_chunks)
def first_chunk(run):
    expect(run.more, [b"452", b"250", b"250"])
    expect((run.stats["messages"], run.stats["bytes"]), (1, 9))


@row("twice:STEP")
def twice(run, step):
    if step != "starttls":
        run.good_up_to(step)
    following = next((s for s in run.before if run.before[s]), None)
    rest = run.before[following] if following else run.rest
    check(rest.startswith(run.answer(step)), rest, run.answer(step))


@row("skip:STEP", silent=("STEP",))
def skip(run, step):
    run.good_up_to(step)
    expect(run.answer(step) if step != "ehlo" else run.answers[step], b"")
    later = list(run.answers)
    later = later[later.index(step) + 1:] if step in later else later
    for name in later:
        check(run.answers[name].startswith(GOOD[name]), run.answers)


@row("early:EARLY")
def early(run, step):
    inside = step if not (run.implicit and step == "starttls") else None
    if inside is None:
        return
    check(any(text.startswith(GOOD[step]) for text in run.before.values()),
          run.before)


def group(run):
    """What pipelining sends together, and what comes back."""
    run.client.send(LINES["mail"] + LINES["rcpt"] * 2 + LINES["data"])
    run.more = [run.client.reply(TIMEOUT)[:9] for _ in range(4)]


@row("reversed", hold="auth", after=group)
def reversed_order(run):
    expect(run.more, [b"354 go on", b"250 2.1.5", b"250 2.1.5", b"250 2.1.0"])


REWRITTEN = {
    "no-text": rb"(\d{3}[- ]\r\n)+", "no-blank": rb"(\d{3}\r\n)+",
    "no-code": rb"((?!\d{3}[- ])[^\r\n]*\r\n)+",
    "short-code": rb"(25[- ][^\r\n]*\r\n)+",
    "long-code": rb"(\d\d\d0[- ][^\r\n]*\r\n)+",
    "code-0": rb"(000[- ][^\r\n]*\r\n)+",
    "code-999": rb"(999[- ][^\r\n]*\r\n)+",
    "mixed-codes": rb"(550-5.0.0 no\r\n\d{3}[- ][^\r\n]*\r\n)+",
    "empty-line": rb"(\r\n\d{3}[- ][^\r\n]*\r\n)+",
    "nul": rb"(\d{3}[- ][^\r\n]*\0 250 ok\r\n)+",
    "8bit": rb"(\d{3}[- ][^\r\n]* \xe4\xff\xc0\x80\r\n)+",
    "escape": rb"(\d{3}[- ][^\r\n]*\x1b\]0;owned\x07\x1b\[2J\x08\x9b31m\x7f"
              rb"\r\n)+",
    "bare-lf": rb"(\d{3}[- ][^\r\n]*\n)+",
    "bare-cr": rb"(\d{3}[- ][^\r\n]*\r250 ok\r\n)+",
    "cr-cr-lf": rb"(\d{3}[- ][^\r\n]*\r\r\n)+",
    "no-end": rb"(\d{3}-[^\r\n]*\r\n)+",
    "no-end-close": rb"(\d{3}-[^\r\n]*\r\n)+"}


@row(*(f"reply-{kind}:STEP" for kind in REWRITTEN), silent=("STEP",),
     hold="STEP", ends=True)
def rewritten(run, step):
    kind = run.form.split(":")[0][len("reply-"):]
    # What is there in all: where a reply ends is another matter.
    whole = run.answers[step] + run.rest
    matches(REWRITTEN[kind], whole)
    if kind == "no-end-close" or (step == "quit" and kind != "no-end"):
        expect(run.client.end, CLOSED)
    else:
        expect(run.client.end, None)


@row("reply-line:STEP:20000", hold="STEP")
def long_line(run, step):
    matches(rb"\d{3}[- ]x{20000}\r\n", run.answers[step] + run.rest)


@row("reply-lines:STEP:1000", hold="STEP")
def many_lines(run, step):
    code = GOOD[step]
    expect(run.answers[step], (code + b"-more\r\n") * 1000 +
           code + b" end\r\n")


def read_on(run):
    run.amount = len(run.client.rest(TIMEOUT, 3000000))


@row("reply-line:mail:0", "reply-lines:mail:0", "reply-line:mail:10485760",
     hold="mail", after=read_on)
def for_ever(run):
    check(run.amount >= 3000000, run.amount)
    expect(run.client.end, None)


def octets_and_ms(run):
    segments = run.client.segments
    return (sum(len(s) for _, s in segments[1:]),
            (segments[-1][0] - segments[0][0]) * 1000)


@row("drip:1", hold="tls")
def drip(run):
    expect(run.shaken, True)
    # The kernel may join what the client is slow to read: time tells.
    octets, ms = octets_and_ms(run)
    check(octets > 1000)
    check(ms > octets * 0.9, octets, ms)


@row("drip-replies:2", hold="ehlo")
def drip_replies(run):
    octets = sum(map(len, run.answers.values()))
    check(octets > 200)
    # Segments have all of TLS as well, which is as quick as ever.
    check(octets_and_ms(run)[1] > octets * 2 * 0.9)
    check(any(len(s) > 500 for _, s in run.client.segments) or
          not run.shaken)


def unsent(connected):
    """How many octets the peer has not taken (on Linux)."""
    return struct.unpack("i", fcntl.ioctl(connected, termios.TIOCOUTQ,
                                          bytes(4)))[0]


def write_a_lot(run):
    """Until the window is 0."""
    run.client.socket.settimeout(1)
    run.stuck = False
    try:
        for _ in range(2000):
            run.client.send(b"x" * 65536 + b"\r\n")
    except TimeoutError:
        run.stuck = True
    run.before_silence = unsent(run.client.socket)
    run.client.receive()
    run.after_silence = unsent(run.client.socket)


@row("stop-reading:data", "stop-reading:rcpt", "stop-reading:STEP",
     hold="STEP", after=write_a_lot)
def stop_reading(run, step):
    check(run.answers[step].startswith(GOOD[step]))
    check(run.stuck)
    # Nor does it read little by little.
    check(run.before_silence > 0)
    expect(run.after_silence, run.before_silence)


ENDS = {"close": CLOSED, "notify": CLOSED, "reset": RESET,
        "half-close": CLOSED, "silence": None}


def check_end(run, how):
    expect(run.client.end, ENDS[how])
    if run.shaken and how in ("close", "half-close", "notify"):
        expect(run.client.notified, how == "notify")


@row(*(f"{how}-at:STEP" for how in ENDS), silent=("STEP",), hold="STEP",
     ends=True)
def ended_at(run, step):
    how = run.form.split(":")[0][:-len("-at")]
    expect((run.answers[step], run.rest), (b"", b""))
    check_end(run, how)
    # The step was done all the same.
    expect(run.stats["messages"], step in ("content", "rset", "quit"))


@row(*(f"{how}-behind:STEP" for how in ENDS if how != "silence"),
     hold="STEP", ends=True)
def ended_behind(run, step):
    how = run.form.split(":")[0][:-len("-behind")]
    # RST may take the answer with it.
    check(run.answers[step].startswith(GOOD[step]) or
          (how, run.answers[step]) == ("reset", b""))
    check_end(run, how)


OCTETS = [1, 300] if not FULL else range(1, 450, 7)


@row(*(f"{how}-after:{n}" for how in ENDS for n in OCTETS),
     silent=tuple(GOOD), ends=True)
def ended_after(run):
    how, number = run.form.split(":")
    how = how[:-len("-after")]
    got = b"".join(getattr(run, "clear_answers", {}).values()) + b"".join(
        run.answers.values())
    # RST may take away what was not read.
    if how != "reset":
        expect(len(got), int(number))
    else:
        check(len(got) <= int(number))
    check_end(run, how)


def expand(form):
    """STEP and EARLY in a form of ROWS stand for words."""
    early_steps = ["ehlo", "starttls", "auth", "mail", "rcpt", "data",
                   "content", "quit"]
    if ":EARLY" in form:
        return [(form.replace("EARLY", step), step) for step in early_steps]
    if ":STEP" not in form:
        return [(form, None)]
    return [(form.replace("STEP", step), step) for step in GOOD]


def try_one(folder, form, step, implicit):
    function, how = ROWS[form]
    wanted = form if step is None else re.sub("STEP|EARLY", step, form)
    named = step is not None or form.split(":")[-1] in GOOD
    step = step or (form.split(":")[-1] if named else None)
    how = {key: (step if value == "STEP" else
                 tuple(step if v == "STEP" else v for v in value)
                 if key == "silent" else value)
           for key, value in how.items()}
    how.pop("implicit", None)
    takes_step = function.__code__.co_argcount == 2
    run = Run(folder, wanted, implicit, **how)
    # A row that did nothing has to say so.
    check(run.stats["misbehaviours"] > 0 or run.stats["connections"] == 0)
    function(run, step) if takes_step else function(run)


def jobs_of(form, number):
    """What is tried: everything, or one step over each of the two."""
    for i, (_, step) in enumerate(expand(form)):
        for implicit in (False, True):
            if implicit and (ROWS[form][1].get("implicit") is False or
                             step == "starttls"):
                continue
            if QUICK and not FULL and implicit != bool(number % 2) and (
                    step is None):
                continue
            turn = SHORT_STEPS[(number + 2 * implicit) % len(SHORT_STEPS)]
            if FULL or step is None or ":EARLY" in form or step == turn:
                yield form, step, implicit


class Rows(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        (cls.folder / "password").write_text("geheim\n")
        # The files are there before many look for them at once.
        subprocess.run([PROGRAM, "--make-ca", cls.folder / "ca",
                        "--max-seconds", "1"], check=True,
                       stdout=subprocess.DEVNULL)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def listed(self):
        lines = subprocess.run([PROGRAM, "--misbehave", "list"], check=True,
                               capture_output=True, text=True).stdout
        return [line.split("\t") for line in lines.splitlines()]

    def test_the_list_has_a_form_and_a_sentence_on_each_line(self):
        listed = self.listed()
        self.assertGreater(len(listed), 70)
        for form, sentence in listed:
            self.assertRegex(form, r"^[0-9a-z-]+(:[0-9a-z.|-]+){0,2}$")
            self.assertRegex(sentence, r"^[^\t]+[^.\t ]$")
        names = [form.split(":")[0] for form, _ in listed]
        self.assertEqual(len(set(names)), len(names))

    def test_the_manual_has_every_form_and_what_a_client_does(self):
        page = MANUAL.read_text().split(".Sh MISBEHAVIOUR\n")[1]
        page = page.split("\n.Sh ")[0]
        told = []
        for item in page.split("\n.It Cm ")[1:]:
            form, _, text = re.split(r"\n\.(?:El|Ss)", item)[0].partition(
                "\n")
            says, _, client = text.partition("\n.br\n")
            self.assertRegex(client, r"(?s)^It .*[.]$|^.{8,}[.]$", form)
            told.append((form.replace("STEP", "|".join(GOOD)),
                         says.replace("\n", " ")))
        self.assertEqual(told, [
            (form, sentence[0].upper() + sentence[1:] + ".")
            for form, sentence in self.listed()])

    def test_every_row_is_tried(self):
        names = {form.split(":")[0] for form, _ in self.listed()}
        self.assertEqual(names, {form.split(":")[0] for form in ROWS})

    def test_whoever_suffers_holds_up_nobody_and_it_ends_in_time(self):
        forms = ("reply-line:greeting:0", "reply-lines:greeting:0",
                 "drip:60000", "silence-at:ehlo", "stop-reading:greeting")
        sinks = [subprocess.Popen(
            [PROGRAM, "--make-ca", self.folder / "ca", "--smtp", "0",
             "--max-seconds", "2", "--misbehave", form],
            stdout=subprocess.PIPE, text=True) for form in forms]
        for form, sink in zip(forms, sinks):
            self.addCleanup(sink.kill)
            with self.subTest(form=form):
                port = int(sink.stdout.readline().split("=")[1])
                # None of them reads, so that what is for them piles up.
                deaf = [Client(port, None) for _ in range(20)]
                other = Client(port, None)
                self.assertEqual(other.receive(TIMEOUT)[:1], b"2")
                for client in deaf:
                    self.addCleanup(client.abort)
                other.abort()
        for sink in sinks:
            self.assertEqual(sink.wait(TIMEOUT), 0)
            sink.stdout.close()

    def test_each_row_does_what_it_says(self):
        jobs = [job for i, form in enumerate(ROWS)
                for job in jobs_of(form, i)]
        only = os.environ.get("ONLY")
        jobs = [j for j in jobs if not only or re.match(only, j[0])]

        def attempt(job):
            try:
                try_one(self.folder, *job)
                return None
            except Exception as error:
                at = traceback.extract_tb(error.__traceback__)[-1]
                return (f"{job}: {type(error).__name__} {error} "
                        f"({at.name}, line {at.lineno})")[:1000]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            problems = [p for p in pool.map(attempt, jobs) if p]
        print(f"{len(jobs)} connections")
        self.assertEqual(problems, [], "\n" + "\n".join(problems))


if __name__ == "__main__":
    unittest.main()
