# SPDX-License-Identifier: MIT
"""The messages that everybody has to deliver as the same bytes.

All are canonical: every line ends with CRLF, but for the one whose last line
has no end. A header stands in front, with all that a mail server might add.
"""

HEADER = b"".join(line + b"\r\n" for line in (
    b"From: a@example.org",
    b"To: box@example.org",
    b"Date: Mon, 23 Nov 2026 12:00:00 +0000",
    b"Message-ID: <interop@example.org>",
    b"Subject: interop",
))
START = HEADER + b"\r\n"


def lines(*texts):
    return START + b"".join(text + b"\r\n" for text in texts)


def big(size):
    """Lines of all lengths, many with dots in front, 8-bit among them."""
    out, used, number = [START], 0, 0
    while used < size:
        text = b"." * (number % 4) + b"%d " % number
        text += bytes((32 + number % 95, 0xc3, 0xa9)) * (number % 97)
        out.append(text + b"\r\n")
        used += len(text) + 2
        number += 1
    return b"".join(out)


MESSAGES = {
    "plain": lines(b"hello", b"", b"world"),
    "dots": lines(b".", b"..", b"...", b".x", b"..x", b"x.", b"", b".",
                  b". .", b".\t", b"a", b"."),
    "a dot first": START + b".\r\nlast\r\n",
    "997 octets": lines(b"x" * 997),
    "998 octets": lines(b"y" * 998, b"." + b"z" * 997),
    # More than RFC 5321 section 4.5.3.1.6 wants, but mail has such lines.
    "2000 octets": lines(b"v" * 999, b"w" * 2000, b".", b"." * 2000),
    "8-bit": lines("gr\u00fc\u00df dich, \u4e16\u754c".encode(),
                   bytes(range(0xa0, 0x100)), b"\x80\x9f"),
    "empty body": START,
    "header only": HEADER,
    "empty lines": START + b"\r\n" * 5,
    "no final newline": START + b"the last line goes on",
    "no final newline, a dot": START + b"text\r\n.",
    "whitespace": lines(b" ", b"\t", b"trailing  ", b" leading"),
    "10 MiB": big(10 * 1024 * 1024),
}


def arrives_as(content):
    """What is to arrive: the last line gets its end."""
    return content if content.endswith(b"\r\n") else content + b"\r\n"
