# SPDX-License-Identifier: MIT
"""usage: differ.py PROGRAM CORPUS

Compares what the library makes of mailboxes, address fields, content, base64
and xtext with what something else makes of it that shares no code with it:
grammar.py, Python's modules, and a few lines here. The inputs are the corpora,
what is like them, and drawn ones, the same each time.
"""

import base64
import binascii
import email.headerregistry
import os
import random
import re
import struct
import subprocess
import sys
from pathlib import Path

import grammar

ROUNDS = 4000
if "STLS_TEST_QUICK" in os.environ:
    ROUNDS = 500
if "STLS_TEST_FULL" in os.environ:
    ROUNDS = 100000


class Asked:
    """Questions for the program, and what is to be said to each answer."""

    def __init__(self):
        self.questions = []

    def ask(self, what, flags, text, check):
        self.questions.append((what, flags, text, check))

    def run(self, program):
        data = b"".join(what.encode() + struct.pack(">BI", flags, len(text)) +
                        text for what, flags, text, _ in self.questions)
        out = subprocess.run([program], input=data, stdout=subprocess.PIPE,
                             timeout=300, check=True).stdout
        at = 0
        for what, flags, text, check in self.questions:
            is_good, length = struct.unpack_from(">BI", out, at)
            answer = out[at + 5:at + 5 + length] if is_good else None
            at += 5 + length
            fault = check(text, flags, answer)
            if fault is not None:
                sys.exit(f"{what} {flags} {text!r}: {answer!r}, not {fault!r}")
        assert at == len(out)
        print(f"{len(self.questions)} questions")


def mutate(rng, text, alphabet):
    text = bytearray(text)
    for _ in range(rng.randint(1, 3)):
        at = rng.randint(0, len(text))
        what = rng.random()
        if what < 0.4:
            text[at:at] = rng.choice(alphabet)
        elif what < 0.7:
            text[at:at + rng.randint(1, 3)] = b""
        else:
            text[at:at + 1] = rng.choice(alphabet)
    return bytes(text)


# --- mailboxes ---

def check_mailbox(text, flags, answer):
    wanted = grammar.read_mailbox(text, bool(flags & 1))
    if wanted == "unknown":
        return None
    if answer is None or wanted is None:
        return None if answer is wanted else wanted
    local, domain, mailbox = (part.decode() for part in answer.split(b"\0"))
    written = grammar.write_local(local)
    seen = domain if not domain.startswith("[") \
        else grammar.read_literal(domain)
    if (local, seen) != wanted:
        return wanted
    if mailbox != (f"{written}@{domain}" if domain else written):
        return written
    return None


PIECES = [b"a", b"B.c", b".", b"..", b"@", b"example.org", b"EXAMPLE", b"-",
          b"_", b"[", b"]", b"192.0.2.1", b"IPv6:", b"2001:db8::1", b":", b"<",
          b">", b'"', b"\\", b" ", b"\t", b"(", b")", b",", b";", b"0x1f",
          b"123", b"\xc3\xa4", b"\xff", b"\x00", b"\r", b"\n", b"\x7f",
          b"\xc2\x85", b"\xe2\x80\xa8", b"x" * 60, b"y" * 64, b"+", b"="]


def ask_mailboxes(asked, rng, seeds):
    for i in range(ROUNDS):
        if i % 3 == 0:
            text = b"".join(rng.choice(PIECES)
                            for _ in range(rng.randint(0, 7)))
        else:
            text = mutate(rng, rng.choice(seeds), PIECES)
        asked.ask("a", rng.randint(0, 1), text, check_mailbox)


# --- address fields ---

def named(pairs):
    """Each mailbox once, as it is sent; None: one is too long for that."""
    found = []
    for local, domain in pairs:
        written = grammar.write_local(local)
        if len(written) > 64 or grammar.read_domain(domain) is None:
            return None
        if f"{written}@{domain}" not in found:
            found.append(f"{written}@{domain}")
    return found


def check_field(pairs):
    wanted = named(pairs)

    def check(text, _, answer):
        if wanted is None:
            return None if answer is None else "refused"
        if answer is None:
            return wanted
        mailboxes = answer.decode().split("\0") if answer else []
        return None if mailboxes == wanted else wanted
    return check


def python_reads(text):
    """What Python's parser finds, where it finds no fault."""
    registry = email.headerregistry.HeaderRegistry()
    unfolded = re.sub(r"\r?\n(?=[ \t])", "", text)
    try:
        field = registry("To", unfolded)
        if field.defects:
            return None
        return [(address.username, address.domain.lower())
                for address in field.addresses]
    except (IndexError, ValueError, AttributeError,
            email.errors.MessageError):
        # Some things it does not survive.
        return None


def ask_fields(asked, rng):
    agreed = 0
    for i in range(ROUNDS):
        writer = grammar.Writer(rng, obsolete=i % 2 == 0)
        text = writer.field()
        asked.ask("f", 0, text.encode(), check_field(writer.named))
        if i % 2 == 1 and i % 20 == 1:
            theirs = python_reads(text)
            ours = [(local, domain.lower()) for local, domain in writer.named]
            agreed += theirs == ours
    # The writer is no oracle if nobody else understands it.
    print(f"Python's parser understood {agreed} of {ROUNDS // 20} fields")
    if agreed < ROUNDS // 40:
        sys.exit("that is too few")


# --- content ---

def normalised(text):
    lines = re.split(b"\r\n|\r|\n", text)
    if lines[-1] == b"":
        lines.pop()
    return lines


def check_content(text, flags, answer):
    strict, seven_bit, is_chunk = flags & 1, flags & 2, flags & 4
    bare = re.search(b"\r(?!\n)|(?<!\r)\n", text)
    if b"\0" in text or (strict and bare) or \
            (seven_bit and not text.isascii()):
        return None if answer is None else "refused"
    if is_chunk:
        wanted = b"".join(line + b"\r\n" for line in normalised(text))
        return None if answer == wanted else wanted
    wanted = b"".join((b"." if line.startswith(b".") else b"") + line +
                      b"\r\n" for line in normalised(text)) + b".\r\n"
    if answer != wanted:
        return wanted
    # And what a server makes of it.
    inside = answer[:-3].split(b"\r\n")[:-1] if answer != b".\r\n" else []
    assert b"." not in inside
    undone = [line[1:] if line.startswith(b".") else line for line in inside]
    return None if undone == normalised(text) else undone


CONTENT = [b"\r\n", b"\r", b"\n", b".", b"..", b"a", b"word " * 9, b"\xc3\xa4",
           b"\0", b"\r\n.\r\n", b"\n.\n", b"\r.\r", b"x" * 40]


def ask_contents(asked, rng, seeds):
    for i in range(ROUNDS):
        choices = CONTENT[:-5] if i % 5 == 0 else CONTENT[:7] + CONTENT[9:]
        if i % 4 == 0:
            text = mutate(rng, rng.choice(seeds), choices)
        else:
            text = b"".join(rng.choice(choices)
                            for _ in range(rng.randint(0, 30)))
        asked.ask("c", rng.choice([0, 0, 1, 2, 4, 5]) + 8 * rng.randint(0, 31),
                  text, check_content)


# --- base64 and xtext ---

def check_encoded(text, _, answer):
    wanted = base64.b64encode(text)
    return None if answer == wanted else wanted


def check_decoded(text, _, answer):
    try:
        wanted = binascii.a2b_base64(text, strict_mode=True)
        # Python passes over bits that are left.
        if base64.b64encode(wanted) != text:
            wanted = None
    except binascii.Error:
        wanted = None
    return None if answer == wanted else wanted


def check_xtext(text, flags, answer):
    text = text.split(b"\0")[0]
    if flags == 0:
        wanted = None
        if re.fullmatch(b"[ -~]*", text):
            wanted = re.sub(b"[ +=]", lambda c: b"+%02X" % c[0][0], text)
        return None if answer == wanted else wanted
    # RFC 3461 section 4.
    wanted = None
    if re.fullmatch(b"(?:[!-*,-<>-~]|\\+[0-9A-F]{2})*", text):
        wanted = re.sub(b"\\+(..)", lambda c: bytes([int(c[1], 16)]), text)
        if not re.fullmatch(b"[ -~]*", wanted):
            wanted = None
    return None if answer == wanted else wanted


TEXT = [b"a", b"Zz+/", b"=", b"==", b"+2B", b"+2b", b"+0A", b" ", b"+", b"AA",
        b"QUJD", b"\n", b"\xff", b"~"]


def ask_texts(asked, rng, seeds):
    for i in range(ROUNDS):
        if i % 2 == 0:
            text = mutate(rng, rng.choice(seeds), TEXT)
        else:
            text = b"".join(rng.choice(TEXT) for _ in range(rng.randint(0, 9)))
        asked.ask("e", 0, text, check_encoded)
        asked.ask("d", 0, text, check_decoded)
        asked.ask("d", 0, mutate(rng, base64.b64encode(text), TEXT),
                  check_decoded)
        asked.ask("x", i % 2, text, check_xtext)


def seeds_of(corpus, name):
    files = sorted((Path(corpus) / name).iterdir())
    return [file.read_bytes() for file in files]


def main():
    program, corpus = sys.argv[1:]
    rng = random.Random(5321)
    asked = Asked()
    for text in seeds_of(corpus, "address"):
        asked.ask("a", 0, text, check_mailbox)
        asked.ask("a", 1, text, check_mailbox)
    ask_mailboxes(asked, rng, seeds_of(corpus, "address"))
    ask_fields(asked, rng)
    contents = [seed[2:] for seed in seeds_of(corpus, "data")]
    for text in contents:
        asked.ask("c", 0, text, check_content)
    ask_contents(asked, rng, contents)
    ask_texts(asked, rng, seeds_of(corpus, "text"))
    asked.run(program)


main()
