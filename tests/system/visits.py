#!/usr/bin/env python3
"""A client that calls a server by visits, fused, and by bells where one of the two is isolated (tests/cell/visitor, visited).

Every answer is checked by the client, while another fiber of the server wakes the one that serves and changes the cell's
mappings, the handler faults, calls where it may not, and the server is killed again and again. The client goes on.
"""
# linux: no, its cells
# timeout: 600
import os
import re
import time

import console
from console import require, same

CELLS = [os.path.join(console.BUILD, "tests", "cells", name + ".cell") for name in ("visitor", "visited")]
PATIENCE = 120 * console.SLOW
BOTH = "visitor=fused visited=fused"


def log(m):
    return m.out("cat /proc/nexus/log")


def count(m):
    """What the client has said last: answers, visits, broken, lost; after so many rounds."""
    said = re.findall(r" visitor\.1: round (\d+): answers (\d+) visits (\d+) broken (\d+) lost (\d+)$", log(m), re.M)
    return [int(n) for n in said[-1]] if said else [0] * 5


def until(m, good, what):
    end = time.monotonic() + PATIENCE
    while True:
        now = count(m)
        if good(now):
            return now
        require(time.monotonic() < end, f"{what}: {now}\n{log(m)[-1500:]}")
        require(" visitor.1: wrong" not in log(m) and " cell visitor generation 1 ends" not in log(m), log(m)[-1500:])
        time.sleep(0.3)


def answers_are_right(m):
    now = until(m, lambda n: n[0] >= 3, "no answers")
    if m.place == BOTH:
        require(now[2] > 0, f"nobody was visited: {now}")
    else:
        same(now[2], 0, "visits although somebody is isolated")


def a_handler_that_may_not_ends_its_cell(m):
    now = until(m, lambda n: n[0] >= 10, "it does not go on")
    ends = re.findall(r" cell visited generation \d+ ends: why (\d+) code (0x[0-9a-f]+|0) ", log(m))
    require(("3", "0xf") in ends, f"no fault: {ends}")
    if m.place == BOTH and now[3] > 1:
        require(("3", "0x9") in ends, f"no call: {ends}")


def the_server_dies_and_the_client_goes_on(m):
    for _ in range(4):
        before = count(m)
        m.check("nexus kill visited >/dev/null; echo $?", "0\n")
        until(m, lambda n: n[0] >= before[0] + 3, "it does not go on")
    require(" visitor.1: wrong" not in log(m), "a wrong answer")
    ends = set(re.findall(r" cell (\S+) generation \d+ ends", log(m)))
    require(ends <= {"visited"}, f"cells that ended: {ends}")


if __name__ == "__main__":
    console.main([answers_are_right, a_handler_that_may_not_ends_its_cell, the_server_dies_and_the_client_goes_on],
                 leak=False, place=("", BOTH, "visitor=fused"), cells=CELLS)
