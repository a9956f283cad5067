#!/usr/bin/env python3
"""Whole programs beside Linux, in one run (`make bench`).

The same binaries in the same root, under Nexus with every cell isolated, Nexus with every cell but the supervisor fused,
and Linux 6.1, on the same QEMU machine with one hart: first each once with -icount, where a nanosecond is an
instruction while nobody sleeps, then by turns in wall time, of which the shortest counts. A program that is a port is left out when it is
not built, and Linux's column when its kernel is not.
"""
import os
import sys

import table
import wall

PORTS = os.path.join(table.TOP, "build", "ports")
REQUESTS = 2000  # redis-benchmark's, of each kind
FORKS = "i=0; while [ $i -lt 1000 ]; do (:); i=$((i + 1)); done"
# What it is, the port it needs, what is done before, the command.
PROGRAMS = (
    (f"redis, {2 * REQUESTS:,} requests over loopback", "redis",
     "redis-server --port 6379 --daemonize yes --save '' --logfile /tmp/redis.log; "
     "until redis-cli ping >/dev/null 2>&1; do sleep 0.1; done",
     f"redis-benchmark -n {REQUESTS} -c 10 -q -t set,get"),
    ("sqlite, speedtest1 --size 2 on tmpfs", "sqlite", "rm -f /tmp/speed.db", "speedtest1 --size 2 /tmp/speed.db"),
    ("BusyBox sh, a script of 1,000 forks", None, ":", f"sh -c '{FORKS}'"),
)
TURNS = 3


def built(port):
    return port is None or os.path.exists(os.path.join(PORTS, port, ".built"))


def measure(system, more=()):
    """{program: nanoseconds} on a freshly booted system."""
    chosen = [program for program in PROGRAMS if built(program[1])]
    machine = wall.boot(system, 1, [os.path.join(PORTS, port, "root") for _, port, _, _ in chosen if port], more)
    try:
        found = {}
        for what, _, prepare, command in chosen:
            machine.out(prepare, 120)
            found[what] = int(machine.out(f"nxbench --time {command}", 600).split("\t")[1])
        return found
    finally:
        machine.close()


def show(heading, best, unit):
    """Prints a table of {system: {program: nanoseconds}}, `unit` ns to a figure."""
    table.line(heading, "isolated", "fused", "Linux 6.1", "ratios")
    for what, port, _, _ in PROGRAMS:
        if built(port):
            *ours, linux = [found.get(what) and found[what] // unit for found in map(best.get, wall.SYSTEMS)]
            table.show(what, ours, linux)
        else:
            print(f"{what}: not built: make ports PORT={port}")


def main():
    if "--help" in sys.argv:
        print(__doc__)
        return
    systems = list(filter(wall.there, wall.SYSTEMS))
    counted = {system: {} for system in wall.SYSTEMS}
    best = {system: {} for system in wall.SYSTEMS}
    for system in systems:
        counted[system] = measure(system, ["-icount", "shift=0", "-seed", "1"])
    print()
    show("whole programs, thousands of instructions", counted, 1000)
    for _ in range(TURNS):
        for system in systems:
            for what, ns in measure(system).items():
                best[system][what] = min(ns, best[system].get(what, ns))
    show("whole programs, wall us", best, 1000)


if __name__ == "__main__":
    main()
