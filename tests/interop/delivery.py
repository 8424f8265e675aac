# SPDX-License-Identifier: MIT
"""What is sent arrives, byte for byte, from every program at every server."""

import re

import servers
from messages import MESSAGES, arrives_as

LOGIN = (servers.USER, servers.PASSWORD)
# What servers write on top of a message, continuation lines included.
TRACE = re.compile(
    rb"(?:Return-Path|X-Original-To|Delivered-To|Received|Envelope-to|"
    rb"X-Envelope-From|X-Envelope-To):[^\n]*\n(?:[ \t][^\n]*\n)*")


class Way:
    """A port of a server, and how to speak to it."""

    def __init__(self, server, scheme, port, login=None):
        self.server = server
        self.url = f"{scheme}://{servers.HOST}:{server.ports[port]}"
        self.login = login
        self.name = f"{server.name}, {scheme} to port {port}"


def write_messages(folder):
    """One file for each message; its subject is its name."""
    folder.mkdir()
    files = {}
    for number, (name, content) in enumerate(MESSAGES.items()):
        files[name] = folder / f"{number:02d}.eml"
        files[name].write_bytes(content.replace(
            b"Subject: interop", b"Subject: " + name.encode(), 1))
    return files


def receive(mailbox, count):
    """Wait for the messages, and sort them by their subjects."""
    arrived = {}
    for _ in range(count):
        data = mailbox.take()
        subject = re.search(rb"^Subject: ([^\r\n]*)", data, re.M)
        arrived[subject.group(1).decode() if subject else "?"] = data
    return arrived


def content_of(server, data):
    """What was sent: without the lines on top, and with CRLF again."""
    while found := TRACE.match(data):
        data = data[found.end():]
    return data if server.keeps_crlf else data.replace(b"\n", b"\r\n")


def differences(way, program, files, arrived):
    appends = {**way.server.appends, **program.appends}
    for name, path in files.items():
        expected = arrives_as(path.read_bytes()) + appends.get(name, b"")
        data = arrived.get(name)
        if data is None:
            yield f"{name}: did not arrive"
            continue
        content = content_of(way.server, data)
        if content != expected:
            yield f"{name}: arrived as {content[:2000]!r}"
        if way.login and way.server.tells_auth and not re.search(
                rb"with e?smtpsa", data, re.I):
            yield f"{name}: arrived without authentication"
    for name in sorted(set(arrived) - set(files)):
        yield f"{name}: was never sent"


def deliver(report, way, program, cafile, files):
    text = f"{way.name}: {program.name}: {len(files)} messages byte for byte"
    result = program.send(way.url, cafile, way.login, files.values())
    if result.status:
        report.check(False, text, result)
        return
    arrived = receive(way.server.mailbox, len(files))
    found = list(differences(way, program, files, arrived))
    if not way.server.mailbox.is_empty():
        found.append("more arrived than was sent")
    report.check(not found, text, "; ".join(found))
