# SPDX-License-Identifier: MIT
"""The numbers as tables, and whether they are what the project wants."""


def plain(digits):
    return lambda value: f"{value:,.{digits}f}"


def scaled(factor, digits):
    return lambda value: f"{value * factor:,.{digits}f}"


def small(value):
    """Rates far below one count as much as those above."""
    return f"{value:,.2f}" if value >= 0.1 or value == 0 else f"{value:.3f}"


# For each scenario a title, and its columns: name, heading, format.
TABLES = {
    "flights": ("Flights from connecting to the final 250", (
        ("starttls", "STARTTLS", plain(0)),
        ("starttls_auth", "with AUTH", plain(0)),
        ("starttls_all", "with QUIT", plain(0)),
        ("implicit", "implicit TLS", plain(0)),
        ("implicit_auth", "with AUTH", plain(0)),
        ("implicit_all", "with QUIT", plain(0)))),
    "a": ("One message of 2 KiB from a fresh process, one CA", (
        ("instr", "Minstr", scaled(1e-6, 1)),
        ("cpu", "CPU ms", scaled(1e3, 1)),
        ("wall", "wall ms, STARTTLS", scaled(1e3, 1)),
        ("wall_implicit", "implicit TLS", scaled(1e3, 1)),
        ("rss", "RSS MiB", scaled(1 / 1024, 1)),
        ("syscalls", "system calls", plain(0)))),
    "b": ("5,000 messages of 2 KiB on one connection, STARTTLS", (
        ("rate", "messages/s", plain(0)),
        ("ratio", "times libcurl", plain(1)),
        ("instr", "Kinstr each", scaled(1e-3, 1)),
        ("cpu", "CPU us each", scaled(1e6, 1)),
        ("syscalls", "system calls each", small),
        ("flights", "flights each", small),
        ("rss", "RSS MiB", scaled(1 / 1024, 1)))),
    "c": ("200 messages of 2 KiB, 20 ms for each round trip", (
        ("wall", "s", plain(2)),
        ("flights", "flights each", small))),
    "d": ("One message of 100 MiB, STARTTLS", (
        ("speed", "MB/s", scaled(1e-6, 0)),
        ("cpu", "CPU s from a file", plain(3)),
        ("cpu_memory", "from memory", plain(3)),
        ("instr", "instr/octet", plain(2)),
        ("syscalls", "system calls/MiB", plain(0)),
        ("rss", "RSS MiB", scaled(1 / 1024, 1)),
        ("growth", "more KiB than with 10 MiB", plain(0)))),
    "e": ("1,000 connections held in one thread, STARTTLS, 5 messages each", (
        ("kib", "KiB each", plain(1)),
        ("own", "of them the library's", plain(1)),
        ("cpu", "CPU s", plain(2)),
        ("wall", "s", plain(2)))),
    "f": ("500 fresh connections one after another, implicit TLS", (
        ("rate", "connections/s", plain(0)),
        ("instr", "Minstr each", scaled(1e-6, 2)),
        ("cpu", "CPU us each", scaled(1e6, 0)),
        ("syscalls", "system calls each", plain(0)),
        ("resumed", "resumed", lambda value: f"{value:.1%}"))),
    "g": ("One message of 2 KiB to 1,000 recipients, STARTTLS", (
        ("flights", "flights", plain(0)),
        ("wall", "wall ms", scaled(1e3, 1)),
        ("instr", "Kinstr each", scaled(1e-3, 2)),
        ("syscalls", "system calls each", small))),
}
TABLES["a2"] = ("The same with the system's CAs besides", TABLES["a"][1])


def cells(name, rows):
    """A heading and lines of text; a column nobody has is left out."""
    columns = [column for column in TABLES[name][1]
               if any(row.get(column[0]) is not None for row in rows)]
    if name == "b":
        rows = with_ratio(rows)
        columns = [column for column in TABLES[name][1]
                   if any(row.get(column[0]) is not None for row in rows)]
    lines = [["", *(heading for _, heading, _ in columns)]]
    for row in rows:
        lines.append([row["label"], *(
            "" if row.get(key) is None else show(row[key])
            for key, _, show in columns)])
    return lines


def with_ratio(rows):
    curl = value(rows, "libcurl", "rate")
    return [{**row, "ratio": row["rate"] / curl if curl else None}
            for row in rows]


def as_text(name, rows):
    lines = cells(name, rows)
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join([f"{name}: {TABLES[name][0]}", *(
        "  ".join([line[0].ljust(widths[0]), *(
            cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))])
        for line in lines)])


def as_markdown(lines):
    rule = ["---"] + ["---:"] * (len(lines[0]) - 1)
    return "\n".join("| " + " | ".join(line) + " |"
                     for line in [lines[0], rule, *lines[1:]]) + "\n"


def value(rows, label, key):
    for row in rows or ():
        if row["label"] == label:
            return row.get(key)
    return None


class Targets:
    """What the project wants, against what was measured."""

    def __init__(self, data):
        self.data, self.lines = data["scenarios"], []
        self.flights()
        self.one_shot()
        self.many()
        self.rest()

    def get(self, name, label, key):
        return value(self.data.get(name), label, key)

    def ratio(self, name, label, other, key):
        a, b = self.get(name, label, key), self.get(name, other, key)
        return a / b if a is not None and b else None

    def add(self, what, found, wanted, show, at_least=False, exact=False):
        """One line; what was not measured is left out."""
        if found is None:
            return
        met = found == wanted if exact else \
            found >= wanted if at_least else found <= wanted
        sign = "" if exact else "at least " if at_least else "at most "
        by = "" if met or not wanted else \
            f" by {max(abs(found - wanted) / wanted, 0.01):.0%}"
        self.lines.append([what, sign + show(wanted), show(found),
                           "met" if met else "**missed**" + by])

    def flights(self):
        for label, starttls, implicit in (
                ("standard", 7, 5), ("one-flight", 6, 4), ("none", 9, 7)):
            for key, name, wanted in (
                    ("starttls", "STARTTLS", starttls),
                    ("implicit", "implicit TLS", implicit)):
                for suffix, more in (("", 0), ("_auth", 1)):
                    self.add(
                        f"flights, {label}, {name}"
                        + (", AUTH" if more else ""),
                        self.get("flights", f"smtptls, {label}", key + suffix),
                        wanted + more, plain(0), exact=True)
        for key, name in (("starttls", "STARTTLS"), ("implicit", "implicit")):
            both = [self.get("flights", "smtptls, standard", key + suffix)
                    for suffix in ("", "_all")]
            self.add(f"flights of QUIT, standard, {name}",
                     both[1] - both[0] if None not in both else None, 0,
                     plain(0), exact=True)

    def one_shot(self):
        minstr = scaled(1e-6, 1)
        self.add("one-shot, one CA: Minstr", self.get("a", "smtptls", "instr"),
                 13.5e6, minstr)
        self.add("one-shot, one CA: CPU, times libcurl's",
                 self.ratio("a", "smtptls", "libcurl", "cpu"), 0.6, plain(2))
        self.add("one-shot, system's CAs: Minstr",
                 self.get("a2", "smtptls", "instr"), 17e6, minstr)
        self.add("one-shot, system's CAs: wall, times libcurl's",
                 self.ratio("a2", "smtptls", "libcurl", "wall"), 0.3, plain(2))

    def many(self):
        kinstr = scaled(1e-3, 1)
        for label, instr, syscalls, rate in (
                ("standard", 16e3, 3, 4), ("window 16", 10e3, 0.5, 40),
                ("window 64", 10e3, 0.5, 100)):
            full = f"smtptls, {label}"
            self.add(f"5,000 messages, {label}: Kinstr each",
                     self.get("b", full, "instr"), instr, kinstr)
            self.add(f"5,000 messages, {label}: system calls each",
                     self.get("b", full, "syscalls"), syscalls, small)
            self.add(f"5,000 messages, {label}: rate, times libcurl's",
                     self.ratio("b", full, "libcurl", "rate"), rate, plain(1),
                     at_least=True)
        self.add("5,000 messages, standard: flights each",
                 self.get("b", "smtptls, standard", "flights"), 1.01, small)
        for label, wanted in (("standard", 4.4), ("window 256", 0.2)):
            self.add(f"200 messages at 20 ms, {label}: s",
                     self.get("c", f"smtptls, {label}", "wall"), wanted,
                     plain(2))

    def rest(self):
        data = "smtptls, DATA"
        self.add("100 MiB: instructions an octet", self.get("d", data, "instr"),
                 3.5, plain(2))
        self.add("100 MiB: system calls a MiB",
                 self.get("d", data, "syscalls"), 20, plain(1))
        self.add("100 MiB: CPU, times libcurl's",
                 self.ratio("d", data, "libcurl", "cpu"), 0.4, plain(2))
        self.add("100 MiB: more KiB of memory than for 10 MiB",
                 self.get("d", data, "growth"), 256, plain(0))
        self.add("1,000 connections: KiB each", self.get("e", "smtptls", "kib"),
                 25, plain(1))
        self.add("1,000 connections: the library's own KiB each",
                 self.get("e", "smtptls", "own"), 4, plain(1))
        resuming = "smtptls, resuming"
        self.add("500 connections: resumed", self.get("f", resuming, "resumed"),
                 0.99, lambda value: f"{value:.1%}", at_least=True)
        self.add("500 connections, resuming: Minstr each",
                 self.get("f", resuming, "instr"), 3.8e6, scaled(1e-6, 2))
        self.add("1,000 recipients: flights, as with one recipient",
                 self.get("g", "smtptls, standard", "flights"), 7, plain(0))
        self.add("1,000 recipients: Kinstr each",
                 self.get("g", "smtptls, standard", "instr"), 2e3,
                 scaled(1e-3, 2))


def targets(data):
    return [["", "wanted", "found", ""], *Targets(data).lines]


def targets_as_text(data):
    lines = targets(data)
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in
                               zip(line, widths)).rstrip() for line in lines)
