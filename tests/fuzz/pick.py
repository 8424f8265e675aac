# SPDX-License-Identifier: MIT
"""usage: pick.py CONTROL CORPUS MOST

Of the files that libFuzzer's -merge_control_file tells of, copies those into the
corpus that add most to what its own files reach, up to so many in all: edges
first, then how often they are passed. Files that have a name of their own
stay, those named by a hash are chosen anew.
"""

import re
import shutil
import sys
from pathlib import Path


def read(control):
    """What each file reaches, by its path."""
    lines = Path(control).read_text().splitlines()
    count = int(lines[0])
    files = lines[2:2 + count]
    reached = {name: set() for name in files}
    for line in lines[2 + count:]:
        words = line.split()
        if words[0] in ("FT", "COV"):
            # An edge is worth more than a count of it.
            reached[files[int(words[1])]].update(
                (words[0], word) for word in words[2:])
    return reached


def worth(features):
    return sum(20 if kind == "COV" else 1 for kind, _ in features)


def main():
    control, corpus, most = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    reached = read(control)
    is_hash = re.compile("[0-9a-f]{40}$").match
    kept = [name for name in reached
            if Path(name).parent == corpus and not is_hash(Path(name).name)]
    seen = set().union(*(reached[name] for name in kept)) if kept else set()
    left = {name for name in reached if name not in kept}
    chosen = []
    while left and len(kept) + len(chosen) < most:
        best = max(sorted(left), key=lambda name: (
            worth(reached[name] - seen), -Path(name).stat().st_size))
        if worth(reached[best] - seen) < 20:
            break
        chosen.append(best)
        seen |= reached[best]
        left.remove(best)
    for name in reached:
        if Path(name).parent == corpus and name not in kept + chosen:
            Path(name).unlink()
    for name in chosen:
        if Path(name).parent != corpus:
            shutil.copy(name, corpus / Path(name).name)


main()
