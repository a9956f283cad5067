#!/usr/bin/env python3
"""A cell that forges, guesses, floods and crashes (tests/cell/hostile) harms nobody but itself.

It runs beside the shell, which must answer all the while. What it does, and what the nucleus, the
supervisor and its victim (tests/cell/victim) say to it, is read from /proc/nexus/log as it happens,
for the log keeps only its newest part.
"""
# linux: no, its cells
# timeout: 500
import os
import re
import sys
import time

import console
from console import Failure, distro_run, require, same
from personality_restart import compare, usage

CELLS = [os.path.join(console.BUILD, "tests", "cells", name + ".cell") for name in ("hostile", "victim")]
CRASHER = [os.path.join(console.BUILD, "tests", "cells", "crasher.cell")]
PATIENCE = 120 * console.SLOW
PATIENT_ANSWER = 3 * console.SLOW  # seconds the shell may take while it is attacked


class Watcher:
    """Reads the log and the Boot Error Buffer again and again and puts the pieces together."""

    def __init__(self, m):
        self.m = m
        self.lines = []
        self.beb = set()
        self.leaks = []
        self.slowest = 0

    def look(self):
        start = time.monotonic()
        self.m.check("seq 100 | tail -1", "100\n")
        self.slowest = max(self.slowest, time.monotonic() - start)
        text = [line for line in self.m.out("cat /proc/nexus/log").splitlines() if re.match(r"\d+ ", line)]
        if self.lines:
            require(self.lines[-1] in text, "the log was read too slowly: lines are lost")
            text = text[text.index(self.lines[-1]) + 1:]
        self.lines += text
        self.beb |= {" ".join(line.split()[3:5]) for line in self.m.out("cat /proc/nexus/beb").splitlines()}
        return any(re.search(r"hostile\.\d+: hostile ends: ", line) for line in text)

    def watch(self):
        end = time.monotonic() + PATIENCE
        rested = False
        while not self.look():
            require(time.monotonic() < end, "no end of it")
            if not rested and re.search(r"try sfence(?s:.*)hostile generation \d+ ends",
                                        "\n".join(self.lines)):
                rested = True  # it lives long now, and does nothing
                time.sleep(1)
                self.leaks.append(usage(self.m))
            time.sleep(0.1)
        time.sleep(1)
        self.leaks.append(usage(self.m))


watcher = None


def attacked(m):
    """The shell answers all the while."""
    global watcher
    watcher = Watcher(m)
    watcher.watch()
    require(watcher.slowest < PATIENT_ANSWER, f"an answer took {watcher.slowest:.1f} s")


def every_step(m):
    """What it could survive it survived with the right answers; what it could not was its end."""
    wrong, good, trying, steps = [], 0, {}, None
    for line in watcher.lines:
        said = re.search(r" hostile\.(\d+): (.*)", line)
        end = re.search(r" cell hostile generation (\d+) ends: why (\d+) code (\w+) ", line)
        if said and said[2].startswith("ok "):
            good += 1
        elif said and said[2].startswith("try "):
            tried = re.match(r"try (\S+) why (\d+) code (\w+)$", said[2])
            trying[said[1]] = (tried[1], int(tried[2]), int(tried[3], 16))
        elif said and said[2].startswith("hostile ends: "):
            steps = int(said[2].split()[2])
        elif said and said[2] != "hostile begins":
            wrong.append(line)
        elif end:
            name, why, code = trying.pop(end[1], ("nothing", 0, 0))
            if (int(end[2]), int(end[3], 16)) == (why, code):
                good += 1
            else:
                wrong.append(f"{line} (tried {name}: why {why} code {code:#x})")
    for name, _, _ in trying.values():
        wrong.append(f"{name}: no end")
    if wrong:
        raise Failure("\n".join(wrong))
    require(steps, "it did not get through")
    same(good, steps, "steps")


def victim_noticed(m):
    """Each forgery that matters, once; nothing of the rest."""
    said = [found[1] for found in (re.search(r" victim\.\d+: (.*)", line) for line in watcher.lines) if found]
    wrong = [line for line in said if not line.startswith("ok ")]
    if wrong:
        raise Failure("\n".join(wrong))
    # A server's first two complaints end only itself: its third life complains again, and the client ends.
    broken = ["ok a broken channel is not opened (error 22)", "ok a broken channel is not opened (error 81)"]
    want = []
    for forged in ("head one too far", "head backwards", "head far off", "tail ahead of head", "tail too far back"):
        want += [f"ok forged: {forged}", broken[1], broken[1]]
    want += [broken[0]] * 3 + [broken[1]] * 3
    same(said, want, "the victim said")
    # Who reports foul play, or is killed on another's word, is not the one to answer for it.
    held_back = [line for line in watcher.lines if re.search(r" (victim|hostile) dies too often", line)]
    require(held_back and not any("victim" in line for line in held_back), f"held back: {held_back}")


def recorded(m):
    """The Boot Error Buffer has the denials, the faults and the deaths."""
    for kind in ("denied", "fault", "cell-dead"):
        require(any(re.match(rf"{kind} hostile\.\d+$", entry) for entry in watcher.beb), f"no {kind} in the BEB")
    others = {entry for entry in watcher.beb if re.match(r"(denied|fault|cell-dead) (posix|uart16550|supervisor)\.", entry)}
    same(others, set(), "entries of others")


def nothing_lost(m):
    """What the nucleus has in use after twenty more deaths is what it had before."""
    same(len(watcher.leaks), 2, "samples")
    compare(*watcher.leaks, "use")


def nobody_else_died(m):
    ends = {found[1] for found in (re.search(r" cell (\S+) generation \d+ ends", line) for line in watcher.lines) if found}
    same(ends, {"hostile", "victim"}, "cells that ended")
    require(re.search(r"^generation 1$", m.out("cat /proc/nexus/cell"), re.M), "the personality is another one")
    m.check("echo alive | tr a-z A-Z; for i in 1 2 3; do sh -c 'exit 3'; done", "ALIVE\n", 3)


def quarantined(m):
    """A cell that only crashes is left dead in the end."""
    end = time.monotonic() + PATIENCE
    while True:
        log = m.out("cat /proc/nexus/log")
        if "crasher dies again and again: left dead" in log:
            break
        require(time.monotonic() < end, "it is started for ever")
        time.sleep(0.2)
    waits = [int(ms) for ms in re.findall(r"crasher dies too often: waiting (\d+) ms", log)]
    same(waits, [10 << n for n in range(6)][-len(waits):], "waits")
    deaths = len(re.findall(r"cell-dead crasher\.\d+", m.out("cat /proc/nexus/beb")))
    require(deaths >= 20, f"{deaths} deaths in the BEB")
    time.sleep(0.5)
    require(m.out("cat /proc/nexus/log") == log, "it goes on")
    m.check("echo alive", "alive\n")


def main():
    report = console.Report()
    tests = [attacked, every_step, victim_noticed, recorded, nothing_lost, nobody_else_died]
    # The rest of the system may be fused, but not those who try to get at it.
    place = f"{' '.join(distro_run.places(console.PLACEMENT or ''))} hostile=isolated victim=isolated"
    for smp in console.harts():
        prefix = console.prefix(smp, console.PLACEMENT or "")
        chosen = tests if any(console.wanted(t) for t in tests) else []
        console.session(report, prefix, smp, chosen, False, (), {"cells": CELLS, "place": place})
        if console.wanted(quarantined):
            console.session(report, prefix, smp, [quarantined], False, (), {"cells": CRASHER})
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
