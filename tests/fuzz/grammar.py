# SPDX-License-Identifier: MIT
"""Mailboxes and address fields, from the grammars of the RFCs alone: a reader
of what RFC 5321 and RFC 6531 let stand in an envelope, and a writer of what RFC
5322 lets stand in a field, which knows whom it has named."""

import ipaddress
import re

ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\x80-\U0010ffff-]"
# What no text of a line has: C0, DEL, C1, and what else ends a line.
CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029]")
# RFC 5321 section 4.1.2 has quoted-pairSMTP; more is read behind a backslash.
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\Z")


def read_local(text):
    """The local part as it is meant and what follows it, or None."""
    if text.startswith('"'):
        found = QUOTED.match(text)
        if found is None:
            return None
        return re.sub(r"\\(.)", r"\1", found[1]), text[found.end():]
    # Dots need not stand between atoms: people have such mailboxes.
    found = re.match(f"(?:{ATEXT}|\\.)+", text)
    return (found[0], text[found.end():]) if found else None


def write_local(local):
    if re.fullmatch(f"{ATEXT}+(?:\\.{ATEXT}+)*", local):
        return local
    return '"' + re.sub(r'(["\\])', r"\\\1", local) + '"'


def read_literal(text):
    """RFC 5321 section 4.1.3, without General-address-literal."""
    inner = text[1:-1]
    try:
        if inner[:5].lower() == "ipv6:":
            if "%" in inner:
                return None
            return ipaddress.IPv6Address(inner[5:])
        return ipaddress.IPv4Address(inner)
    except ValueError:
        return None


def read_domain(text):
    """A name in lower case, an address, or None."""
    if text.startswith("[") and len(text) > 1:
        return read_literal(text) if text.endswith("]") else None
    if len(text) > 1 and text.endswith("."):
        text = text[:-1]
    labels = text.split(".")
    if len(text) > 253 or not all(LABEL.match(label) for label in labels):
        return None
    # What resolvers take for a number is no name.
    if re.fullmatch("[0-9]+|0[xX][0-9a-fA-F]*", labels[-1]):
        return None
    return text.lower()


def read_mailbox(octets, bare_allowed=False):
    """(local, domain) or None; "unknown" where it needs IDNA."""
    octets = octets.strip(b" \t")
    if octets.startswith(b"<"):
        if not octets.endswith(b">") or len(octets) < 2:
            return None
        octets = octets[1:-1]
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return None
    if not text or CONTROL.search(text) or len(octets) > 255:
        return None
    found = read_local(text)
    if found is None:
        return None
    local, rest = found
    if len(write_local(local).encode()) > 64:
        return None
    if not rest:
        return (local, "") if bare_allowed else None
    if not rest.startswith("@"):
        return None
    if not rest.isascii():
        return "unknown"
    domain = read_domain(rest[1:])
    if domain is None:
        return None
    if len(write_local(local).encode()) + 1 + len(show(domain)) > 254:
        return None
    return local, domain


def show(domain):
    if isinstance(domain, ipaddress.IPv6Address):
        return f"[IPv6:{domain}]"
    if isinstance(domain, ipaddress.IPv4Address):
        return f"[{domain}]"
    return domain


class Writer:
    """Writes fields of RFC 5322 section 3.4, with CFWS wherever it may be."""

    def __init__(self, random, obsolete):
        self.random = random
        self.obsolete = obsolete
        self.named = []

    def pick(self, *choices):
        return self.random.choice(choices)

    def comment(self, depth=0):
        inner = self.pick("", "x", "a, b", "\\)", "<c@d>", '"', "\u00e4",
                          "@;:")
        if depth < 3 and self.random.random() < 0.3:
            inner += self.comment(depth + 1)
        return f"({inner})"

    def cfws(self):
        return self.pick("", "", "", " ", "\t", "\r\n ", "\n\t",
                         " " + self.comment(), self.comment() + " ")

    def atom(self):
        return "".join(self.pick(*"abcXYZ019!#$%&'*+-/=?^_`{|}~")
                       for _ in range(self.random.randint(1, 6)))

    def quoted(self):
        """As it is written, and as it is meant."""
        meant = "".join(self.pick("a", "b", " ", ".", "@", ",", "<", ";", "(",
                                  '"', "\\", "]")
                        for _ in range(self.random.randint(0, 6)))
        written = re.sub(r'(["\\])', r"\\\1", meant)
        return f'"{written}"', meant

    def local(self):
        if self.random.random() < 0.25:
            return self.quoted()
        dot = "."
        if self.obsolete:
            dot = self.cfws() + "." + self.cfws()
        atoms = [self.atom() for _ in range(self.random.randint(1, 3))]
        return dot.join(atoms), ".".join(atoms)

    def domain(self):
        if self.random.random() < 0.1:
            return self.pick("[192.0.2.1]", "[IPv6:2001:db8::1]")
        return ".".join(self.pick("a", "Example", "x-1", "org", "n3t")
                        for _ in range(self.random.randint(1, 3)))

    def addr_spec(self):
        written, meant = self.local()
        domain = self.domain()
        self.named.append((meant, domain.lower() if domain[0] != "["
                           else domain))
        return (self.cfws() + written + self.cfws() + "@" + self.cfws() +
                domain + self.cfws())

    def bare(self):
        written, meant = self.local()
        self.named.append((meant, "home.example"))
        return self.cfws() + written + self.cfws()

    def phrase(self):
        words = [self.atom() if self.random.random() < 0.7
                 else self.quoted()[0]
                 for _ in range(self.random.randint(1, 3))]
        text = " ".join(words)
        return text + ". x" if self.obsolete and self.random.random() < 0.2 \
            else text

    def angle(self):
        route = ""
        if self.obsolete and self.random.random() < 0.3:
            route = self.pick("@a:", "@a,@b.c:", ",@x:")
        inner = self.bare() if self.obsolete and self.random.random() < 0.1 \
            else self.addr_spec()
        name = self.cfws() + self.phrase() + " " if self.random.random() < 0.8 \
            else ""
        return name + self.cfws() + "<" + route + inner + ">" + self.cfws()

    def mailbox(self):
        what = self.random.random()
        if what < 0.45:
            return self.angle()
        if what < 0.55 and self.obsolete:
            return self.bare()
        return self.addr_spec()

    def group(self):
        members = ",".join(self.mailbox()
                           for _ in range(self.random.randint(0, 3)))
        return f"{self.cfws()}{self.phrase()} :{members};{self.cfws()}"

    def field(self):
        elements = [self.group() if self.random.random() < 0.15
                    else self.mailbox()
                    for _ in range(self.random.randint(1, 4))]
        if self.obsolete and self.random.random() < 0.3:
            elements.insert(self.random.randint(0, len(elements)), " ")
        return ",".join(elements)
