#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Drive a client, and sendmail-tls, against everything that the sink can do wrong.

Each row of `smtp-sink-tls --misbehave list` has a rule in expected.py, and each
rule has its row. There are four ways, STARTTLS or implicit TLS, blocking or
driven. Every row has all of them, and of its cases, where it has some, each has
two, and every other one is tried with sendmail-tls. With STLS_TEST_QUICK it is a
third of the cases, in one or two ways each; with STLS_TEST_FULL they have all.

usage: misbehave.py [case ...]
"""

import collections
import concurrent.futures
import os
import pathlib
import sys
import tempfile

import attack
import expected
from attack import WAYS, Attacked, Commanded, Sink, World
from expected import DOUBT, NOT, OK, ROWS, YES, Case, IN_DOUBT, PARTIAL

FULL = "STLS_TEST_FULL" in os.environ
QUICK = "STLS_TEST_QUICK" in os.environ
# Most of them wait.
WORKERS = 12
# Whatever is said to last as long as a time limit may last so much longer.
SLACK_MS = 20000
MEMORY_KIB = 64 * 1024
IS_SANITIZED = os.environ.get("SANITIZED") == "yes"
COMMAND_SECONDS = 2


def numbers_of(name, row):
    """The octets of a whole conversation, one by one where there is time."""
    if not FULL or not name.endswith("-after"):
        return row.numbers
    return range(1, expected.CONVERSATION + 1,
                 {"close-after": 1, "silence-after": 41}.get(name, 7))


def cases():
    """All of them, as (row, word, number, scenario)."""
    for name, (words, has_number) in attack.misbehaviours().items():
        row = ROWS.get(name)
        if row is None:
            continue
        for word in words or (None,):
            if row.words is not None and word not in row.words:
                continue
            for scenario in row.scenarios(word):
                for number in numbers_of(name, row) if has_number else (None,):
                    yield row, Case(name, word, number, scenario=scenario)


def rows_without_each_other():
    forms = attack.misbehaviours()
    for name in sorted(set(forms) - set(ROWS)):
        yield f"{name}: what is right then is not in the table"
    for name in sorted(set(ROWS) - set(forms)):
        yield f"{name}: is in the table, but nothing does it"
    for name in sorted(set(forms) & set(ROWS)):
        words, has_number = forms[name]
        if has_number != (ROWS[name].numbers != (None,)):
            yield f"{name}: numbers where there are none, or none"
        for word in ROWS[name].words or ():
            if word not in (words or ()):
                yield f"{name}: there is no {word}"


def ways_of(index, row_cases):
    """A row has all of them, be it in its cases together."""
    if QUICK and row_cases > 1:
        return [WAYS[index % 4]]
    if FULL or (row_cases == 1 and not QUICK):
        return WAYS
    return [WAYS[index % 2], WAYS[3 - index % 2]]


def every_third_of_a_row(chosen):
    seen = collections.Counter()
    for row, case in chosen:
        if seen[case.name] % 3 == 0:
            yield row, case
        seen[case.name] += 1


def look_at_mails(want, attacked, mails, outcomes):
    """What the server has of an attack, and what was said of it."""
    if want.lies:
        return
    if len(mails) not in want.mails:
        yield f"the server has {len(mails)} mails"
    got = []
    for mail in mails:
        recipients, content = attack.unfold(mail)
        got += recipients
        if content != attack.content(attacked.number, attacked.scenario):
            yield "the server has another content"
    for recipient, outcome in zip(attack.TO, outcomes):
        if outcome == YES and got.count(recipient) != 1:
            yield f"a false success: {recipient}, {got}"
        if outcome not in (YES, DOUBT) and recipient in got:
            yield f"a false failure: {recipient}, {outcome}"
        if got.count(recipient) > 1:
            yield f"twice: {recipient}"


def look_at_code(code, outcomes):
    """The code says what the outcomes say."""
    if (code == OK) != (set(outcomes) == {YES}):
        yield f"{code} with {outcomes}"
    if (code == PARTIAL) != (YES in outcomes and set(outcomes) != {YES}):
        yield f"{code} with {outcomes}"
    if (code == IN_DOUBT) != (DOUBT in outcomes and YES not in outcomes):
        yield f"{code} with {outcomes}"


def look_at_client(want, got, limit_ms):
    if got.status != 0:
        yield f"it ended with {got.status}: {got.err!r} {got.out!r}"
        return
    if got.code not in want.codes:
        yield f"code {got.code}, not {want.codes}"
    if got.outcomes not in want.outcomes:
        yield f"outcomes {got.outcomes}, not {want.outcomes}"
    yield from look_at_code(got.code, got.outcomes)
    for secret in attack.SECRETS:
        if secret in got.wire:
            yield f"{secret!r} left in clear"
    if got.code != OK and not got.sentence:
        yield "there is no sentence"
    shown = got.sentence + got.reply
    if not shown.isprintable():
        yield f"control characters: {shown!r}"
    if any(secret in shown for secret in attack.SHOWN_TO_NOBODY):
        yield f"a secret is shown: {shown}"
    if got.trace != "clean":
        yield "the trace has a secret or a control character"
    if got.descriptors != "0":
        yield f"{got.descriptors} descriptors are left"
    if got.ms > limit_ms + SLACK_MS:
        yield f"it took {got.ms} ms"
    if got.memory_kib > MEMORY_KIB and not IS_SANITIZED:
        yield f"it took {got.memory_kib} KiB"


def outcomes_of_command(want, got):
    if got.is_partial:
        return want.outcomes[0]
    return {0: (YES, YES), 74: (DOUBT, DOUBT)}.get(got.status, (NOT, NOT))


def look_at_command(want, got):
    if got.status not in want.status:
        yield f"status {got.status}, not {want.status}"
    lines = got.err.splitlines()
    # Where some have it and some have not each is named, too.
    allowed = (1 + len(attack.TO),) if got.is_partial else (1,)
    if len(lines) not in (allowed if got.status != 0 else (0,)):
        yield f"{len(lines)} lines on stderr"
    if not "".join(lines).isprintable():
        yield f"control characters: {got.err!r}"
    if got.status != 0 and attack.HOST not in got.err:
        yield "the server is not named"
    if (got.status == 74) != ("in doubt:" in got.err):
        yield "it is in doubt, or not"
    if any(secret in got.err for secret in attack.SHOWN_TO_NOBODY):
        yield "a secret is on stderr"


def look_at_order(outcomes):
    """
    The later a connection ends, the more is known: not tried, then in doubt,
    then accepted.
    """
    order = {(NOT, NOT): 0, (DOUBT, DOUBT): 1, (YES, YES): 2}
    for (name, way), got in sorted(outcomes.items()):
        known = [order.get(pair, 3) for _, pair in sorted(got)]
        if known != sorted(known) or known[0] != 0 or known[-1] != 2:
            yield f"{name}, {way}: {sorted(got)}"


def needs_more_time(row, found):
    """Whatever else is wrong is wrong on a busy machine as well."""
    return found and row.limit_ms != 0 and all(
        problem.startswith(("code ", "outcomes ", "status ", "it took "))
        for problem in found)


def attack_client(world, sink, row, case, way):
    """Where it has to wait, a busy machine gets more time."""
    want = row.rule(case)
    for limit_ms in (row.limit_ms, 5 * row.limit_ms, 20 * row.limit_ms):
        got = Attacked(world, sink, way, case.scenario, limit_ms)
        found = list(look_at_client(want, got, 2 * limit_ms))
        if not needs_more_time(row, found):
            break
    return got, [f"{problem} (at {got.step}: {got.sentence})"
                 for problem in found]


COMMAND_ARGS = {"data": [], "bdat": ["--pipelining", "one-flight"],
                "steps": ["--pipelining", "none"]}


def attack_command(world, sink, row, case):
    for seconds in (COMMAND_SECONDS, 10 * COMMAND_SECONDS):
        args = COMMAND_ARGS[case.scenario]
        if row.limit_ms:
            args = [*args, "--timeout", str(seconds)]
        got = Commanded(world, sink, case.transport, case.scenario, *args)
        found = list(look_at_command(row.rule(case), got))
        if not needs_more_time(row, found):
            break
    return got, [f"{problem} ({got.err.strip()})" for problem in found]


def attack_by(world, index, row, case, row_cases):
    """One case: its problems, and the outcomes of each way."""
    problems, outcomes, attacks = [], {}, []

    def note(who, want, got, said, found):
        attacks.append((who, want, got, said))
        problems.extend(f"{who}: {problem}" for problem in found)

    with tempfile.TemporaryDirectory(dir=world.folder) as folder:
        sink = Sink(world, pathlib.Path(folder), ["--misbehave", case.text])
        try:
            for way in ways_of(index, row_cases):
                case.transport, case.nth = way[0], len(attacks)
                got, found = attack_client(world, sink, row, case, way)
                outcomes[way] = got.outcomes
                note(f"{case.text}, {' '.join(way)}, {case.scenario}",
                     row.rule(case), got, got.outcomes, found)
            if case.scenario in COMMAND_ARGS and (
                    FULL or row_cases == 1 or index % 2 == 0):
                case.transport, case.nth = WAYS[index % 4][0], len(attacks)
                got, found = attack_command(world, sink, row, case)
                want = row.rule(case)
                note(f"{case.text}, {case.transport}, sendmail-tls", want,
                     got, outcomes_of_command(want, got), found)
        finally:
            status = sink.close()
        mails = sink.mails()
        for who, want, got, said in attacks:
            problems += [f"{who}: {problem}" for problem in look_at_mails(
                want, got, mails.get(got.number, []), said)]
        if None in mails and not all(want.lies for _, want, _, _ in attacks):
            problems.append(f"{case.text}: the server has what nobody sent")
        if status != 0:
            problems.append(f"{case.text}: the sink ended with {status}")
        elif sink.misbehaviours() == 0 and case.is_ever_done():
            problems.append(f"{case.text}: nothing was done")
    return problems, outcomes, len(attacks)


# A reset may take with it what was not read yet.
IN_ORDER = ("close-after", "notify-after", "half-close-after")


def main():
    wanted = sys.argv[1:]
    problems = [] if wanted else list(rows_without_each_other())
    chosen = [(row, case) for row, case in cases()
              if not wanted or case.text in wanted or case.name in wanted]
    if QUICK:
        chosen = list(every_third_of_a_row(chosen))
    per_row = collections.Counter(case.name for _, case in chosen)
    world = World()
    count, ordered = 0, {}
    try:
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            jobs = [pool.submit(attack_by, world, index, row, case,
                                per_row[case.name])
                    for index, (row, case) in enumerate(chosen)]
            for job, (_, case) in zip(jobs, chosen):
                found, outcomes, attacks = job.result()
                problems += found
                count += attacks
                for way, pair in outcomes.items():
                    if case.name in IN_ORDER:
                        ordered.setdefault((case.name, way), []).append(
                            (case.number, pair))
    finally:
        world.close()
    if FULL:
        problems += look_at_order(ordered)
    print("\n".join(problems))
    print(f"{len({case.name for _, case in chosen})} rows, {len(chosen)} cases, "
          f"{count} attacks, {len(problems)} problems")
    return 1 if problems or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
