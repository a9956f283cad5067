#!/usr/bin/env python3
"""No priority inversion: a client of the best tier gets its answer from a server of a bad one although a cell between the two keeps the
hart, whether that server slept or was at work; and without the right to lend, it gets it when that cell has done.

The order in the log counts and no time; with -icount on one hart it is always the same.
"""
# linux: no, its cells
# timeout: 120
import os
import re
import subprocess
import sys

import console
from console import require, same

CELLS = [os.path.join(console.BUILD, "tests", "cells", f"lend{name}.cell") for name in ("client", "server", "hog")]
COMMAND = "until grep -q ' lendclient.1: ends' /proc/nexus/log; do sleep 0.1; done; cat /proc/nexus/log"


def log():
    """What the client and the hog said, in order."""
    run = [sys.executable, os.path.join(console.TOP, "distro", "run.py"), "--icount", "--timeout", "100", "--cmd", COMMAND]
    for cell in CELLS:
        run += ["--cell", cell]
    out = subprocess.run(run, stdout=subprocess.PIPE, text=True, errors="replace").stdout.replace("\r", "")
    said = re.findall(r"^\d+ (lendclient|lendhog)\.1: (.*)$", out, re.M)
    require(("lendclient", "ends") in said, "the client did not get through:\n" + out[-2000:])
    return [text for _, text in said]


def asked_meanwhile(lines):
    """Of the questions asked while the hog was at it: {number: was it at it still when the answer came?}."""
    found, burst, asked = {}, None, {}
    for line in lines:
        what, _, number = line.rpartition(" ")
        if what in ("begins", "has done"):
            burst = number if what == "begins" else None
        elif what == "asks" and burst is not None:
            asked[int(number)] = burst
        elif what == "answered" and int(number) in asked:
            found[int(number)] = burst == asked[int(number)]
    return found


def main():
    report = console.Report()
    try:
        lines = log()
        cut = lines.index("lends no more")
        lent, alone = asked_meanwhile(lines[:cut]), asked_meanwhile(lines[cut:])
        for parity, name in enumerate(("who sleeps", "who works already")):
            some = {n: at_once for n, at_once in lent.items() if n % 2 == parity}
            require(len(some) >= 5, f"too few questions for {name}: {lent}")
            same([n for n, at_once in some.items() if not at_once], [], f"{name}: answers that came late")
            report.ok(f"a server {name} answers before the hog has done")
        require(len(alone) >= 10, f"too few questions: {alone}")
        same([n for n, at_once in alone.items() if at_once], [], "answers in time without lending")
        report.ok("without the right it does not")
    except console.Failure as error:
        report.not_ok("lend", str(error))
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
