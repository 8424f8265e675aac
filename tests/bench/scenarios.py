# SPDX-License-Identifier: MIT
"""
What is measured. Each scenario is a function that returns rows: a label, and
numbers by the names that tables.py has columns for.
"""

import concurrent.futures
import contextlib
import functools
import os
import pathlib

import measure
from drivers import PASSWORD, USER, Task
from measure import Sink

BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/cert.pem",
           "/etc/ssl/cert.pem")
MIB = 1 << 20


class Bench:
    """Where everything is, and how thorough to be."""

    def __init__(self, build, folder, drivers, runs):
        self.folder, self.drivers, self.runs = folder, drivers, runs
        self.program = build / "tools/smtp-sink-tls/smtp-sink-tls"
        self.launch = build / "tests/bench/launch"
        self.ca = folder / "ca/ca.pem"
        self.message = self.content(2048)

    def sink(self, *options):
        # What no message here asks for: its offer costs each EHLO a little.
        return Sink(self.program, self.folder, "--no",
                    "REQUIRETLS,MT-PRIORITY,FUTURERELEASE,DELIVERBY",
                    *options)

    def run(self, command):
        return measure.run(command, self.launch, self.folder)

    def content(self, size):
        """A file of so many octets, as options.c makes them up."""
        path = self.folder / f"content-{size}"
        if path.exists():
            return path
        header = b"From: <sender@example.org>\r\nSubject: benchmark\r\n\r\n"
        lines = [bytes([97 + n % 26]) * 76 for n in range(416)]
        for n in range(15, 416, 16):
            lines[n] = b"." + lines[n][1:]
        block = b"\r\n".join(lines) + b"\r\n"
        with open(path, "wb") as f:
            left = size - f.write(header)
            while left > len(block):
                left -= f.write(block)
            f.write(block[:left - 2] + b"\r\n")
        return path

    def bundle(self):
        """The system's CAs and ours in one file; None: there are none."""
        for name in BUNDLES:
            if os.path.exists(name):
                path = self.folder / "bundle.pem"
                path.write_bytes(pathlib.Path(name).read_bytes() +
                                 self.ca.read_bytes())
                return path
        return None

    def existing(self, *drivers):
        return [driver for driver in drivers if driver.exists()]


def in_turns(bench, drivers, task):
    """
    Medians of several runs, the drivers in turn, each with a sink of its own;
    and what that one counted in all runs together.
    """
    samples = {driver: [] for driver in drivers}
    with contextlib.ExitStack() as stack:
        sinks = {driver: stack.enter_context(bench.sink())
                 for driver in drivers}
        for _ in range(bench.runs):
            for driver in drivers:
                samples[driver].append(bench.run(
                    driver.command(task(sinks[driver], driver))))
    return {driver: {**measure.medians(samples[driver]),
                     "stats": sinks[driver].stats} for driver in drivers}


def together(jobs, workers):
    """Run functions side by side, where only what they count matters."""
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return [future.result() for future in
                [pool.submit(job) for job in jobs]]


def counted(bench, drivers, few, many, units):
    """
    Instructions and system calls for one unit: the difference between runs
    with a few and with many of them.
    """
    def job(driver, count):
        def of(options):
            with bench.sink() as sink:
                return count(driver.command(
                    Task(sink, bench.ca, **options)), bench.folder)
        return measure.per_unit(of, few, many, units)

    jobs = [functools.partial(job, driver, count) for driver in drivers
            for count in (measure.instructions, measure.syscalls)]
    found = iter(together(jobs, 2))
    return {driver: {"instr": next(found), "syscalls": next(found)}
            for driver in drivers}


def one_shot_with(bench, ca):
    d = bench.drivers
    drivers = bench.existing(d.own, d.floor, d.curl, d.esmtp, d.msmtp)

    def task(is_implicit):
        return lambda sink, driver: Task(
            sink, ca, is_implicit=is_implicit,
            content=bench.message if driver is d.msmtp else None)

    starttls = in_turns(bench, drivers, task(False))
    implicit = in_turns(bench, [driver for driver in drivers
                                if driver.has_implicit], task(True))

    def count(driver):
        with bench.sink() as sink:
            command = driver.command(task(False)(sink, driver))
            return (measure.instructions(command, bench.folder),
                    measure.syscalls(command, bench.folder))

    counts = together([functools.partial(count, driver)
                       for driver in drivers], 2)
    rows = []
    for driver, (instr, syscalls) in zip(drivers, counts):
        found = starttls[driver]
        rows.append({
            "label": driver.label, "instr": instr, "syscalls": syscalls,
            "cpu": found["cpu"], "rss": found["rss"], "wall": found["wall"],
            "wall_implicit": implicit.get(driver, {}).get("wall")})
    return rows


def one_shot(bench):
    return one_shot_with(bench, bench.ca)


def one_shot_bundle(bench):
    bundle = bench.bundle()
    return one_shot_with(bench, bundle) if bundle else []


def many_messages(bench, total=5000):
    d = bench.drivers
    drivers = bench.existing(
        d.standard, d.none, d.one_flight, *d.windows.values(),
        d.floors[16], d.floors[64], d.floors[256], d.curl, d.esmtp)
    counts = counted(bench, drivers, {"messages": 100}, {"messages": 600}, 500)
    found = in_turns(bench, drivers, lambda sink, _: Task(
        sink, bench.ca, messages=total))
    alone = in_turns(bench, drivers, lambda sink, _: Task(sink, bench.ca))
    rows = []
    for driver in drivers:
        flights = found[driver]["stats"]["flights_accepted"]
        rows.append({
            "label": driver.label, **counts[driver],
            "rate": total / found[driver]["seconds"],
            "cpu": (found[driver]["cpu"] - alone[driver]["cpu"]) / total,
            "flights": flights / total / bench.runs,
            "rss": found[driver]["rss"]})
    if d.msmtp.exists():
        one = in_turns(bench, [d.msmtp], lambda sink, _: Task(
            sink, bench.ca, content=bench.message))[d.msmtp]
        rows.append({"label": "msmtp, a process each", "rate": 1 / one["wall"],
                     "cpu": one["cpu"], "rss": one["rss"]})
    return rows


def far_away(bench, total=200, delay_ms=20):
    """Nearly all of it is waiting, so they run side by side."""
    d = bench.drivers
    drivers = bench.existing(
        d.standard, d.none, d.one_flight, *d.windows.values(), d.floors[256],
        d.curl, d.esmtp)

    def job(driver):
        with bench.sink("--delay-ms", delay_ms) as sink:
            wall = bench.run(driver.command(
                Task(sink, bench.ca, messages=total)))["wall"]
        return {"label": driver.label, "wall": wall,
                "flights": sink.stats["flights_accepted"] / total}

    return together([functools.partial(job, driver) for driver in drivers],
                    len(drivers))


def large(bench, size=100 * MIB):
    d = bench.drivers
    few, many = bench.content(MIB), bench.content(5 * MIB)
    big, small = bench.content(size), bench.content(size // 10)
    drivers = bench.existing(d.data, d.one_flight, d.curl, d.esmtp, d.msmtp)
    counts = counted(bench, drivers, {"content": few, "from_file": True},
                     {"content": many, "from_file": True}, 4 * MIB)
    from_memory = [driver for driver in drivers
                   if driver not in (d.esmtp, d.msmtp)]

    def sent(content, from_file, drivers):
        return in_turns(bench, drivers, lambda sink, _: Task(
            sink, bench.ca, content=content, from_file=from_file))

    file = sent(big, True, drivers)
    memory = sent(big, False, from_memory)
    tenth = sent(small, True, drivers)
    rows = []
    for driver in drivers:
        syscalls = counts[driver]["syscalls"]
        rows.append({
            "label": driver.label, "speed": size / file[driver]["wall"],
            "cpu": file[driver]["cpu"], "rss": file[driver]["rss"],
            "cpu_memory": memory.get(driver, {}).get("cpu"),
            "growth": file[driver]["rss"] - tenth[driver]["rss"],
            "instr": counts[driver]["instr"],
            "syscalls": syscalls * MIB if syscalls is not None else None})
    return rows


def held(bench, count=1000):
    d = bench.drivers
    rows = []
    with bench.sink() as sink:
        task = Task(sink, bench.ca, connections=count, messages=5, hold=True)
        for driver in bench.existing(d.own, d.curl):
            found = bench.run(driver.command(task))
            row = {"label": driver.label, "wall": found["wall"],
                   "cpu": found["cpu"],
                   "kib": (found["rss_held"] - found["rss_before"]) / count}
            if driver is d.own:
                own = bench.run(d.heap.command(task))["own_held"]
                row["own"] = own / count / 1024
            rows.append(row)
    return rows


def fresh(bench, count=500):
    d = bench.drivers
    rows = []
    for resume in (False, True):
        drivers = bench.existing(d.own, d.floor, d.curl)
        how = {"is_implicit": True, "resume": resume}
        counts = counted(bench, drivers, {"connections": 10, **how},
                         {"connections": 30, **how}, 20)
        for driver in drivers:
            with bench.sink() as sink:
                found = bench.run(driver.command(
                    Task(sink, bench.ca, connections=count, **how)))
            rows.append({
                "label": driver.label + (", resuming" if resume else ""),
                **counts[driver], "rate": count / found["seconds"],
                "cpu": found["cpu"] / count,
                "resumed": sink.stats["resumed"] / count})
    return rows


def many_recipients(bench, count=1000, delay_ms=4):
    d = bench.drivers
    drivers = bench.existing(d.standard, d.one_flight, d.floor, d.curl,
                             d.esmtp, d.msmtp)
    content = {"content": bench.message}
    counts = counted(bench, drivers, {"recipients": 1, **content},
                     {"recipients": count, **content}, count - 1)
    found = in_turns(bench, drivers, lambda sink, _: Task(
        sink, bench.ca, recipients=count, **content))

    def flights(driver):
        with bench.sink("--delay-ms", delay_ms) as sink:
            bench.run(driver.command(
                Task(sink, bench.ca, recipients=count, **content)))
        return sink.stats["flights_accepted"]

    flights = together([functools.partial(flights, driver)
                        for driver in drivers], len(drivers))
    return [{"label": driver.label, "flights": n,
             "wall": found[driver]["wall"], **counts[driver]}
            for driver, n in zip(drivers, flights)]


def flights(bench, delay_ms=50):
    """Counted by the sink, exactly, because of the delay."""
    d = bench.drivers
    drivers = bench.existing(d.standard, d.one_flight, d.none, d.floor,
                             d.curl, d.esmtp, d.msmtp)
    password = bench.folder / "password"
    password.write_text(PASSWORD + "\n")
    options = ("--user", USER, "--password-file", password)

    def job(driver, is_implicit, auth):
        if is_implicit and not driver.has_implicit or \
                auth and driver is d.floor:
            return None
        with bench.sink("--delay-ms", delay_ms,
                        *(options if auth else ())) as sink:
            bench.run(driver.command(Task(
                sink, bench.ca, is_implicit=is_implicit, auth=auth,
                content=bench.message)))
        return sink.stats["flights_accepted"], sink.stats["flights"]

    cases = [(driver, is_implicit, auth) for driver in drivers
             for is_implicit in (False, True) for auth in (False, True)]
    found = dict(zip(cases, together(
        [functools.partial(job, *case) for case in cases], 8)))
    rows = []
    for driver in drivers:
        row = {"label": driver.label}
        for name, is_implicit in (("starttls", False), ("implicit", True)):
            for suffix, auth in (("", False), ("_auth", True)):
                both = found[driver, is_implicit, auth]
                row[name + suffix] = both and both[0]
                row[name + suffix + "_all"] = both and both[1]
        rows.append(row)
    return rows


SCENARIOS = {
    "flights": flights,
    "a": one_shot,
    "a2": one_shot_bundle,
    "b": many_messages,
    "c": far_away,
    "d": large,
    "e": held,
    "f": fresh,
    "g": many_recipients,
}
