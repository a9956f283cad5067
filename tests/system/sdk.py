#!/usr/bin/env python3
"""What shows the SDK works: the examples of its manual pages, and the cells of native/examples, all built with it alone
(native/sdk/sdk.mk)."""
# linux: no, its SDK
# timeout: 300
import glob
import os
import re
import shutil
import sys
import tempfile
import time

import console
from console import require

MAN = sorted(glob.glob(os.path.join(console.BUILD, "sdk-man", "*.cell")))
EXAMPLES = os.path.join(console.BUILD, "examples")


def said(m, pattern, seconds=30):
    """Waits for a line of the log; the match."""
    end = time.monotonic() + seconds * console.SLOW
    while True:
        log = m.out("cat /proc/nexus/log", 60)
        found = re.search(pattern, log, re.M)
        if found:
            return found
        require(time.monotonic() < end, f"never said: {pattern}\n" + "\n".join(log.splitlines()[-15:]))
        time.sleep(0.2)


def man_pages(m):
    """The example of every page runs to its end."""
    require(len(MAN) > 10, "there are no examples")
    for path in MAN:
        name = os.path.basename(path).removesuffix(".cell")
        found = said(m, rf"\b{name}\.\d+: (ok|.*error.*|.*no .*)$")
        require(found[1] == "ok", found[0])


def echo(m):
    found = said(m, r"echo_client\.1: (\d+) messages there and back, (\d+) instructions each")
    require(int(found[1]) == 200000, found[0])
    print(f"# {found[0]}")


def echo_dies(m):
    """Nothing is lost when the server is killed under its client."""
    for _ in range(3):
        m.out("nexus restart echo_client")
        m.out("nexus kill echo")
    generation = re.search(r"^echo_client +(\d+)", m.out("nexus ps"), re.M)[1]
    print("# " + said(m, rf"echo_client\.{generation}: \d+ messages .*")[0])


def kv(m):
    """Who waits for an answer notices no death, and what was answered is kept."""
    said(m, r"kv_client\.1: at work")
    kept = 1  # at least; how far the client has come by now is chance, but no life has fewer keys than the one before
    for generation in 2, 3, 4:
        m.out("nexus kill kv")
        line = said(m, rf"kv\.{generation}: generation {generation}, \d+ keys")[0]
        before, kept = kept, int(re.search(r"(\d+) keys", line)[1])
        require(before <= kept <= 21, f"{line}; the life before had {before}")
    said(m, r"kv_client\.1: \d+ values over 4 lives of the server, 0 strays")
    require(re.search(r"^kv_client +1 +down", m.out("nexus ps"), re.M), "the client did not end")


def swap(m):
    """A running cell is replaced by a build of it in a file, and goes on with its rings."""
    require(re.search(r"^echo +\d+ running", m.out("nexus ps"), re.M), "echo does not run")
    before = int(re.search(r"^echo +(\d+)", m.out("nexus ps"), re.M)[1])
    m.out("nexus swap echo /echo.cell")
    said(m, rf"\becho\.{before + 1}: generation {before + 1} serves")
    m.out("nexus restart echo_client")
    generation = re.search(r"^echo_client +(\d+)", m.out("nexus ps"), re.M)[1]
    said(m, rf"echo_client\.{generation}: 200000 messages", 60)


def agent(m):
    """The result is right although a worker died and another was refused; and nothing of them is left."""
    said(m, r"agent\.1: 6057 primes below 60000, the largest 59999; 1 workers died")
    said(m, r"agent\.1: worker 2 ended \(3, ")
    said(m, r"worker\.\d+: refused: an object -1, sleep -1")
    require(re.search(r"^worker +0 absent", m.out("nexus ps"), re.M), m.out("nexus ps"))


def libraries(m):
    """Libraries of others, unmodified, in cells (`make sdk-libs`)."""
    require(LIBS, "none is built")
    for path in LIBS:
        name = os.path.basename(path).removesuffix(".cell")
        found = said(m, rf"\b{name}\.1: (ok|.*error.*|cell .* ends.*)$", 60)
        require(found[1] == "ok", found[0])


def cell(name):
    return os.path.join(EXAMPLES, name + ".cell")


def main():
    report = console.Report()
    with tempfile.TemporaryDirectory() as extra:
        shutil.copy(cell("echo"), extra)
        sessions(report, extra)
    sys.exit(1 if report.failed else 0)


def sessions(report, extra):
    for smp in console.harts():
        prefix = console.prefix(smp)
        for tests, cells in SESSIONS:
            tests = [t for t in tests if console.wanted(t)]
            if tests == [libraries] and not LIBS:
                report.ok("libraries # SKIP none is built: make sdk-libs")
            elif tests:
                console.session(report, prefix, smp, tests, False, (), {"cells": cells, "extra": extra})


LIBS = sorted(glob.glob(os.path.join(console.BUILD, "libs", "*.cell")))
SESSIONS = [
    ([man_pages], MAN),
    ([echo, echo_dies, swap, kv, agent],
     [cell(n) for n in ("echo", "echo_client", "kv", "kv_client", "agent", "worker")]),
    ([libraries], LIBS),
]

if __name__ == "__main__":
    main()
