#!/usr/bin/env python3
"""The web-log analyser in its three forms (docs/migrating.md): all say the same of one file, and each step is cheaper than the
one before, by the instructions of a machine whose time counts them."""
# timeout: 300
import os
import random
import re
import sys
import tempfile

import console
from console import require, same
from sdk import cell, said

LINES = 20000
CELLS = ("weblog_source", "weblog_tally", "weblog_parser")
TICK = 100  # instructions: the counter has 10 MHz, and an instruction is a nanosecond


def make_log(path):
    """A web server's log; always the same."""
    dice = random.Random(1)
    paths = [f"/{'/'.join(dice.choice('index about shop item cart help news'.split()) for _ in range(dice.randint(1, 3)))}/{n}"
             for n in range(300)]
    os.makedirs(os.path.dirname(path))
    with open(path, "w") as f:
        for n in range(LINES):
            where = paths[min(int(dice.expovariate(0.03)), len(paths) - 1)]
            status = dice.choice([200] * 12 + [301, 304, 304, 404, 500])
            f.write(f'10.{n % 7}.{n % 251}.{n % 13} - - [01/Nov/2026:{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02} +0000] '
                    f'"GET {where} HTTP/1.1" {status} {dice.randint(100, 90000)} "-" "browser/1.{n % 9}"\n')


def tax(m, command):
    """What a Linux program prints, and the instructions it and what the personality did for it took."""
    out = m.out(f"entropy -o /tmp/tax {command}; cat /tmp/tax >&2", 250)
    rows = {line.split()[0]: line.split() for line in out.splitlines() if line.strip()}
    own, calls = int(rows["program"][2 if rows["program"][1] != "-" else 3].replace(",", "")), 0
    return out, own, calls


def ticks(m, name, text):
    """The run time of a cell so far, as it last said."""
    found = re.findall(rf"\b{name}\.\d+: (\d+) ticks of run time{text}$", m.out("cat /proc/nexus/log", 60), re.M)
    return int(found[-1]) if found else 0


def three_forms(m):
    said(m, r"weblog_parser\.1: \d+ ticks of run time$", 100)
    log = m.out("cat /proc/nexus/log", 60)
    print(m.out("nexus ps"), log)
    print(m.out("entropy weblog_plain </var/log/access.log", 200))
    print(m.out("entropy weblog_rings", 200))
    print(m.out("cat /proc/nexus/log", 60))


def main():
    report = console.Report()
    with tempfile.TemporaryDirectory() as extra:
        make_log(os.path.join(extra, "var", "log", "access.log"))
        options = {"extra": [extra, os.path.join(console.BUILD, "examples", "root")], "cells": [cell(n) for n in CELLS],
                   "more": ["-icount", "shift=0,sleep=off"], "boot_time": 200}
        console.session(report, "", 1, [three_forms], False, (), options)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
