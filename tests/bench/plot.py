# SPDX-License-Identifier: MIT
"""The numbers as plots, and both in a document. Needs nothing but Python."""

import argparse
import json
import math
import pathlib
import re
import sys
from xml.sax.saxutils import escape

import tables

WIDTH, LABELS, BAR, GAP, TOP = 720, 190, 18, 8, 56
OWN, FLOOR, PEER = "#2166ac", "#b0b0b0", "#e08214"

# Scenario, key, title, factor, digits, whether the scale is logarithmic.
PLOTS = (
    ("flights", "starttls", "Flights to the final 250, STARTTLS", 1, 0, False),
    ("a", "instr", "One message, one CA: million instructions", 1e-6, 1, False),
    ("a2", "instr", "One message, system's CAs: million instructions", 1e-6, 1,
     False),
    ("b", "rate", "5,000 messages of 2 KiB: messages/s, logarithmic", 1, 0,
     True),
    ("c", "wall", "200 messages, 20 ms a round trip: seconds", 1, 2, False),
    ("d", "cpu", "100 MiB: seconds of CPU", 1, 2, False),
    ("e", "kib", "1,000 connections held: KiB each", 1, 1, False),
    ("f", "instr", "500 fresh connections: million instructions each", 1e-6, 1,
     False),
    ("g", "flights", "1,000 recipients: flights, logarithmic", 1, 0, True),
)


def colour(label):
    if label.startswith("smtptls"):
        return OWN
    return FLOOR if label.startswith("floor") else PEER


def bar_length(value, largest, is_logarithmic):
    room = WIDTH - LABELS - 90
    if is_logarithmic:
        return room * math.log10(max(value, 1) + 1) / math.log10(largest + 1)
    return room * value / largest if largest else 0


def bars(title, rows, digits, is_logarithmic):
    """An SVG picture of horizontal bars; rows are label and value."""
    largest = max(value for _, value in rows)
    height = TOP + len(rows) * (BAR + GAP) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
        f'height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="26" font-size="16" fill="#202020">{escape(title)}'
        '</text>']
    for n, (label, value) in enumerate(rows):
        y = TOP + n * (BAR + GAP)
        length = bar_length(value, largest, is_logarithmic)
        parts += [
            f'<text x="{LABELS - 8}" y="{y + 14}" text-anchor="end" '
            f'fill="#202020">{escape(label)}</text>',
            f'<rect x="{LABELS}" y="{y}" width="{length:.1f}" height="{BAR}" '
            f'fill="{colour(label)}"/>',
            f'<text x="{LABELS + length + 6:.1f}" y="{y + 14}" '
            f'fill="#202020">{value:,.{digits}f}</text>']
    return "\n".join([*parts, "</svg>", ""])


def write_plots(data, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, key, title, factor, digits, is_logarithmic in PLOTS:
        rows = [(row["label"], row[key] * factor)
                for row in data["scenarios"].get(name, ())
                if row.get(key) is not None]
        if rows:
            (folder / f"{name}.svg").write_text(
                bars(title, rows, digits, is_logarithmic))


def sections(data):
    """What stands between the markers of a document, by their names."""
    found = {name: tables.as_markdown(tables.cells(name, rows))
             for name, rows in data["scenarios"].items() if rows}
    found["targets"] = tables.as_markdown(tables.targets(data))
    found["surroundings"] = tables.as_markdown(
        [["", ""], *([name, str(value)] for name, value in
                     data["surroundings"].items())]).replace("---:", "---")
    return found


def filled(data, text):
    """The text with each table between `<!-- name -->` and `<!-- end -->`."""
    for name, table in sections(data).items():
        text = re.sub(rf"(<!-- {name} -->\n).*?(<!-- end -->)",
                      lambda match, table=table:
                      match.group(1) + table + match.group(2),
                      text, flags=re.S)
    return text


def fill_document(data, path):
    path.write_text(filled(data, path.read_text()))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=pathlib.Path, required=True)
    parser.add_argument("--svg", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--doc", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--check", action="store_true",
                        help="only tell whether the document has the tables")
    arguments = parser.parse_args()
    data = json.loads(arguments.json.read_text())
    if arguments.check:
        text = arguments.doc.read_text()
        sys.exit(filled(data, text) != text and
                 f"{arguments.doc} has other tables than {arguments.json}")
    if arguments.svg:
        write_plots(data, arguments.svg)
    if arguments.doc:
        fill_document(data, arguments.doc)


if __name__ == "__main__":
    main()
