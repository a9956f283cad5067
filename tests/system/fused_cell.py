#!/usr/bin/env python3
"""A cell that goes wrong (tests/cell/wild) ends in the same way isolated and fused, and harms nobody.

Faults, stray jumps, a full stack, fibers that never call: what a fused cell does inside its window and
the lower half is the nucleus' to judge as ever. The shell must answer all the while.
"""
# linux: no, its cells
# timeout: 300
import os
import re
import sys
import time

import console
from console import require, same

CELLS = [os.path.join(console.BUILD, "tests", "cells", "wild.cell")]
PATIENCE = 60 * console.SLOW


def every_step(m):
    lines, end = [], time.monotonic() + PATIENCE
    while not any(" wild ends: " in line for line in lines):
        require(time.monotonic() < end, "no end of it: " + "\n".join(lines[-5:]))
        time.sleep(0.1)
        m.check("seq 100 | tail -1", "100\n")
        text = [line for line in m.out("cat /proc/nexus/log").splitlines() if re.match(r"\d+ ", line)]
        if lines:
            require(lines[-1] in text, "the log was read too slowly: lines are lost")
            text = text[text.index(lines[-1]) + 1:]
        lines += text
    text = "\n".join(lines)
    fused = len(re.findall(r" wild\.\d+ is fused$", text, re.M))
    lives = 1 + len(re.findall(r" cell wild generation \d+ ends: ", text))
    same(fused, lives if "wild=fused" in m.place else 0, "fused lives")
    good = len(re.findall(r" wild\.\d+: ok ", text))
    for life, name, why, code in re.findall(r" wild\.(\d+): try (\S+) why (\d+) code (\w+)$", text, re.M):
        found = re.search(rf" cell wild generation {life} ends: why (\d+) code (\w+) pc", text)
        require(found, f"{name}: no end")
        same((found[1], int(found[2], 16)), (why, int(code, 16)), name)
        good += 1
    same(good, int(re.search(r" wild ends: (\d+) steps", text)[1]), "steps")
    require("not ok" not in text, "it complains")


def nobody_else_died(m):
    ends = set(re.findall(r" cell (\S+) generation \d+ ends", m.out("cat /proc/nexus/log")))
    require(ends <= {"wild"}, f"cells that ended: {ends}")
    require(re.search(r"^generation 1$", m.out("cat /proc/nexus/cell"), re.M), "the personality is another one")
    m.check("echo alive | tr a-z A-Z", "ALIVE\n")


if __name__ == "__main__":
    console.main([every_step, nobody_else_died], leak=False, place=("", "wild=fused"), cells=CELLS)
