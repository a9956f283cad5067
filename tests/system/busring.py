#!/usr/bin/env python3
"""Rings under /Bus: a Linux program (tests/posix/busring.c) and a native server that answers well, twice, late, to nobody, dies,
and breaks its rings; and a program that vanishes or breaks them. Neither the personality nor the server pays for what
a program does."""
# linux: no, rings under /Bus are none of Linux'
# timeout: 300
import os
import shutil
import sys
import tempfile

import console
from console import same
from cells import generation

CASES = ["ok", "twice", "late", "cookie", "dies", "breaks", "we_break", "torn", "vanishes", "file"]


def case(name):
    def test(m):
        before = generation(m, "posix")
        same(m.sh(f"busring {name}", 60), ("", 0), "busring")
        same(generation(m, "posix"), before, "the personality's generation")
    test.__name__ = name
    return test


def only_root(m):
    m.check("stat -c '%a %U' /Bus/ring.0", "600 root\n")
    same(m.sh("su nobody -s /bin/sh -c 'busring ok' 2>/dev/null")[1], 1, "status")


def main():
    report = console.Report()
    tests = [t for t in [only_root] + [case(name) for name in CASES] if console.wanted(t)]
    with tempfile.TemporaryDirectory() as extra:
        os.makedirs(os.path.join(extra, "bin"))
        shutil.copy(os.path.join(console.BUILD, "tests", "posix", "busring"), os.path.join(extra, "bin"))
        for smp in console.harts():
            console.session(report, console.prefix(smp), smp, tests, True, [case("ok")],
                            {"extra": extra, "cells": [os.path.join(console.BUILD, "tests", "cells", "ringbad.cell")]})
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
