# SPDX-License-Identifier: MIT
"""What must not be sent is not sent, and the sentence says why.

Each attempt goes through a proxy that records what can be read on the way,
and the server's own count of commands says what came inside of TLS.
"""

import base64
import re

import servers
from delivery import LOGIN
from proxy import Proxy

LOG_SECONDS = 10
NO_STARTTLS, TLS, CERTIFICATE, AUTH, PROTOCOL = 10, 11, 12, 13, 8
WRONG_LOGIN = (servers.USER, servers.PASSWORD + "?")
INJECTED = b"250-mail.example.org\r\n250 AUTH PLAIN LOGIN\r\n"

HOST = re.escape(servers.HOST)
NAMES = (r"the certificate names other\.example\.org, \*\.example\.net, "
         rf"not {HOST}")
EXPIRED = rf"certificate of {HOST} expired on 2026-02-01"
ISSUER = rf'certificate of {HOST} is issued by "CN=ca", which is not known'
NO_TLS = r"does not offer STARTTLS"
NO_AUTH = r"does not offer authentication"
OTHER_CA = {"ca": "other-ca"}

# What is tried: scheme, port of Postfix, what is different; then the status of
# the library, that of the command, and what the sentence has in it.
CASES = [
    ("a wrong name, STARTTLS", "smtp", "wrong-name", {},
     CERTIFICATE, 76, NAMES),
    ("a wrong name, implicit TLS", "smtps", "wrong-name-smtps", {},
     CERTIFICATE, 76, NAMES),
    ("an expired certificate, STARTTLS", "smtp", "expired", {},
     CERTIFICATE, 76, EXPIRED),
    ("an expired certificate, implicit TLS", "smtps", "expired-smtps", {},
     CERTIFICATE, 76, EXPIRED),
    ("an unknown CA, STARTTLS", "smtp", "submission", OTHER_CA,
     CERTIFICATE, 76, ISSUER),
    ("an unknown CA, implicit TLS", "smtps", "smtps", OTHER_CA,
     CERTIFICATE, 76, ISSUER),
    ("a server without STARTTLS", "smtp", "cleartext", {},
     NO_STARTTLS, 76, NO_TLS),
    ("STARTTLS stripped on the way", "smtp", "submission",
     {"strip_starttls": True}, NO_STARTTLS, 76, NO_TLS),
    ("bytes injected after the 220", "smtp", "submission",
     {"inject": INJECTED}, PROTOCOL, 76, r"in clear .* STARTTLS"),
    ("a port without TLS for implicit TLS", "smtps", "submission", {},
     TLS, 76, r"does not speak TLS on this port"),
    ("AUTH not offered, STARTTLS", "smtp", "open", {}, AUTH, 77, NO_AUTH),
    ("AUTH not offered, implicit TLS", "smtps", "open-smtps", {},
     AUTH, 77, NO_AUTH),
    ("a wrong password", "smtp", "submission", {"login": WRONG_LOGIN},
     AUTH, 77, r"authentication refused: 535"),
]
# What the command says: one line that names the server and the step.
COMMAND_LINE = re.compile(
    rf"sendmail-tls: smtps?://{HOST}:\d+ \(127\.0\.0\.1:\d+\): \w+: .+\n")


def secrets_of(login, message):
    """Whatever of it can be read on the way is a leak."""
    user, password = (text.encode() for text in login)
    plain = b"\0" + user + b"\0" + password
    return {
        "the password": password,
        "the password in base64": base64.b64encode(password),
        "the user in base64": base64.b64encode(user),
        "the PLAIN response": base64.b64encode(plain),
        "AUTH": b"AUTH ",
        "the envelope": b"MAIL FROM",
        "the message": message.read_bytes().split(b"\r\n")[4],
    }


def leaks(sent, login, message):
    return [name for name, text in secrets_of(login, message).items()
            if text in sent]


class Log:
    """What the server's log says of one connection."""

    def __init__(self, server):
        self.server = server
        self.start = len(server.log_text())

    def commands(self):
        """Postfix's count: {"ehlo": "1", "starttls": "0/1", ...}."""
        line = servers.poll("the log of " + self.server.name, LOG_SECONDS,
                            self.last_line)
        return dict(re.findall(r"(\w+)=([\d/]+)", line.group(1)))

    def last_line(self):
        return re.search(r"disconnect from [^ ]+(.*)\n",
                         self.server.log_text()[self.start:])


def attempt(server, program, cas, certs, message):
    """Returns the result, what the proxy read, and the server's count."""
    _, scheme, port, how, *_ = cas
    how = dict(how)
    cafile = certs[how.pop("ca", "ca")]
    login = how.pop("login", LOGIN)
    log = Log(server)
    with Proxy(server.ports[port], **how) as proxy:
        result = program.send(f"{scheme}://{servers.HOST}:{proxy.port}", cafile,
                              login, [message])
    return result, proxy.sent, log.commands()


def faults(program, cas, result, sent, counts, message):
    """Everything that is wrong with an attempt."""
    *_, how, status, exit_status, sentence = cas
    text = result.out + result.err
    if not sent:
        yield "no connection was made"
    for what in leaks(sent, how.get("login", LOGIN), message):
        yield f"{what} was sent in clear"
    forbidden = {"mail", "rcpt", "data", "auth"}
    if "login" in how:
        forbidden.remove("auth")
    for command in sorted(forbidden & set(counts)):
        yield f"{command} came to the server"
    if result.status != (exit_status if program.is_command else status):
        yield "that is the wrong status"
    if not re.search(sentence, text):
        yield f"nothing like {sentence!r} is said"
    if program.is_command and not COMMAND_LINE.fullmatch(result.err):
        yield "that is not one line with server and step"
    if servers.PASSWORD in text:
        yield "the password is shown"


def refuse(report, server, program, cas, certs, message):
    result, sent, counts = attempt(server, program, cas, certs, message)
    found = list(faults(program, cas, result, sent, counts, message))
    report.check(not found, f"refused: {cas[0]}: {program.name}",
                 f"{'; '.join(found)}: {result}")


def accept(report, server, program, certs, message):
    """The same way, with nothing wrong: the mail arrives, nothing leaks."""
    with Proxy(server.ports["submission"]) as proxy:
        result = program.send(f"smtp://{servers.HOST}:{proxy.port}", certs["ca"],
                              LOGIN, [message])
    found = leaks(proxy.sent, LOGIN, message)
    if result.status == 0:
        server.mailbox.take()
    report.check(result.status == 0 and not found and proxy.sent,
                 f"nothing can be read on the way: {program.name}",
                 f"{found}, {result}")


def see_cleartext(report, server, command, certs, message):
    """The recorder sees what there is to see, if TLS is turned off."""
    with Proxy(server.ports["cleartext"]) as proxy:
        result = command.send(f"smtp://{servers.HOST}:{proxy.port}", certs["ca"],
                              None, [message], "--insecure-cleartext")
    found = leaks(proxy.sent, LOGIN, message)
    if result.status == 0:
        server.mailbox.take()
    report.check(found == ["the envelope", "the message"],
                 "cleartext can be read on the way, and only if asked for",
                 f"{found}, {result}")


def refuse_all(report, server, programs, certs, message):
    for program in programs:
        accept(report, server, program, certs, message)
        for cas in CASES:
            refuse(report, server, program, cas, certs, message)
        if program.is_command:
            see_cleartext(report, server, program, certs, message)
    report.check(server.mailbox.is_empty(), "nothing refused was delivered",
                 f"{server.mailbox.files()}")
