#!/usr/bin/env python3
"""A set of periods that divide one another and fill a hart meets every release, and what does not fit is refused with its reason
(tests/cell/periodic), on one hart with -icount.
"""
# linux: no, its cells
# timeout: 120
import os
import re
import subprocess
import sys

import console
from console import require, same

CELL = os.path.join(console.BUILD, "tests", "cells", "periodic.cell")
COMMAND = "until grep -q ' periodic.1: ends' /proc/nexus/log; do sleep 0.1; done; cat /proc/nexus/log"
NX_EBUSY, NX_EINVAL, NX_EHARMONY = 16, 22, 84


def main():
    report = console.Report()
    try:
        out = subprocess.run([sys.executable, os.path.join(console.TOP, "distro", "run.py"), "--icount", "--timeout", "100",
                              "--cell", CELL, "--cmd", COMMAND], stdout=subprocess.PIPE, text=True, errors="replace").stdout
        said = "\n".join(re.findall(r" periodic\.1: (.*?)\r?$", out, re.M))
        rows = re.findall(r"^every (\d+) ms: (\d+) releases, (\d+) missed, (\d+) errors$", said, re.M)
        same([row[0] for row in rows], ["5", "10", "20"], f"the set: {said}{out[-1000:]}")
        for period, releases, missed, errors in rows:
            require(int(releases) >= 300 // int(period) - 1, f"too few releases: {said}")
            same((missed, errors), ("0", "0"), f"missed, errors of {period} ms")
        same(re.search(r"^ends in tier (\d)$", said, re.M)[1], "0", "tier")
        report.ok("a full set meets its releases")
        for what, error in (("full", NX_EBUSY), ("no harmony", NX_EHARMONY), ("zero", NX_EINVAL),
                            ("above its period", NX_EINVAL)):
            same(re.findall(rf"^{what}: error (\d+)$", said, re.M), [str(error)], what)
        report.ok("what does not fit is refused with its reason")
    except console.Failure as error:
        report.not_ok("period", str(error))
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
