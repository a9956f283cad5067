#!/usr/bin/env python3
"""What shows the SDK works: the examples of its manual pages, and the cells of native/examples, all built with it alone
(native/sdk/sdk.mk)."""
# timeout: 300
import glob
import os
import re
import sys
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


def main():
    report = console.Report()
    for smp in console.harts():
        prefix = console.prefix(smp)
        for tests, cells in SESSIONS:
            tests = [t for t in tests if console.wanted(t)]
            if tests:
                console.session(report, prefix, smp, tests, False, (), {"cells": cells})
    sys.exit(1 if report.failed else 0)


SESSIONS = [([man_pages], MAN)]

if __name__ == "__main__":
    main()
