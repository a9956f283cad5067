#!/usr/bin/env python3
"""A cell that takes all it can get (tests/cell/greedy) takes nothing from anybody else.

It plays an act in each of its even lives: hoards pages, objects, fibers and cells, floods a server with
requests and bells, and keeps the hart, at the best tier there is. The shell must answer all the while, all other
cells go on in the life they are in, what the cell asks for too much is refused, and after each act's end the
nucleus has in use what it had before.
"""
# linux: no, its cells
# timeout: 900
import os
import re
import sys
import time

import console
from console import Failure, distro_run, require, same
from personality_restart import compare, usage

CELL = os.path.join(console.BUILD, "tests", "cells", "greedy.cell")
PATIENCE = 60 * console.SLOW
PATIENT_ANSWER = 10 * console.SLOW  # seconds the shell may take
ANSWERS = 6

NX_ENOMEM, NX_EINVAL = 12, 22
ACTS = ("pages", "objects", "fibers", "cells", "bells", "requests", "polling", "loop", "period")
resting = None


def cells(m):
    """{name: (generation, state, tier)} as `nexus ps` has it."""
    rows = [line.split() for line in m.out("nexus ps", PATIENCE).splitlines()[1:]]
    return {row[0]: (int(row[1]), row[2], row[3]) for row in rows}


def life(m):
    return cells(m)["greedy"][0]


def until(what, condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        require(time.monotonic() < end, f"never: {what}")
        time.sleep(0.2)


def said(m, generation):
    """What the cell said in this life."""
    text = m.out(f"nexus log | grep -F 'greedy.{generation} '", PATIENCE)
    return re.findall(rf"greedy\.{generation} #\d+: (.*)", text)


def others(m):
    return {name: row[0] for name, row in cells(m).items() if name not in ("greedy", "child")}


def answers(m):
    """The shell answers, with programs that need memory and each other; the slowest time."""
    slowest = 0
    for _ in range(ANSWERS):
        start = time.monotonic()
        m.check("seq 100 | tail -1", "100\n", timeout=PATIENCE)
        slowest = max(slowest, time.monotonic() - start)
    m.check("head -c 3000000 /dev/zero > /tmp/mine; wc -c < /tmp/mine; rm /tmp/mine", "3000000\n", timeout=PATIENCE)
    return slowest


def act(m, name, *says, burns=False):
    """One act, from rest to rest. What burns is ended by the supervisor, the rest by us."""
    global resting
    if resting is None:  # the nucleus keeps pages for what there has been once
        for _ in ACTS:
            m.out("nexus restart greedy; sleep 0.5; nexus restart greedy", PATIENCE)
        while life(m) % 2 == 0:
            m.out("nexus restart greedy", PATIENCE)
        resting = usage(m)
    lives = life(m)
    while lives % 2 == 0 or (lives - 1) // 2 % len(ACTS) != ACTS.index(name):
        m.out("nexus restart greedy", PATIENCE)
        lives = life(m)
    before = others(m)
    m.out("nexus restart greedy", PATIENCE)
    until(f"{name} begins", lambda: f"does {name}" in said(m, lives + 1))
    slowest = answers(m)
    print(f"# {m.smp} harts, {name}: the slowest answer took {slowest:.2f} s", flush=True)
    for words in says:
        until(words, lambda: any(re.fullmatch(words, line) for line in said(m, lives + 1)))
    if burns:
        until("it is found out", lambda: cells(m)["greedy"][0] == lives + 2)
        require(f"greedy generation {lives + 1} was killed: runs and never waits" in m.out("nexus log", PATIENCE), "why")
    else:
        same(cells(m)["greedy"][0], lives + 1, "its life")
        m.out("nexus restart greedy", PATIENCE)
    same(others(m), before, "lives of other cells")
    compare(resting, usage(m), f"use after {name}")
    require(slowest < PATIENT_ANSWER, f"an answer took {slowest:.1f} s")


def refused(what, error=NX_ENOMEM):
    return rf"{what} refused after \d+: error {error}"


def pages(m):
    act(m, "pages", refused("a page"), refused("memory"), refused("contiguous memory"))


def objects(m):
    act(m, "objects", refused("an object"))


def fibers(m):
    act(m, "fibers", refused("a fiber"), burns=True)


def its_own_cells(m):
    act(m, "cells", refused("a cell"))


def bells(m):
    act(m, "bells", burns=True)


def requests(m):
    act(m, "requests", "had 200000 answers, 0 of them errors")


def polling(m):
    act(m, "polling", "had 200000 answers, 0 of them errors")


def loop(m):
    act(m, "loop", burns=True)


def period(m):
    act(m, "period", refused("a longer period", NX_EINVAL), burns=True)


TESTS = [pages, objects, fibers, its_own_cells, bells, requests, polling, loop, period]


def main():
    report = console.Report()
    for smp in console.harts():
        for place in console.placements(("", "all")):
            global resting
            resting = None
            tests = [t for t in TESTS if console.wanted(t)]
            where = f"{' '.join(distro_run.places(place))} greedy=isolated" if place else ""
            console.session(report, console.prefix(smp, place), smp, tests, False, (),
                            {"cells": [CELL], "place": where, "more": ["-device", "virtio-rng-device"]})
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
