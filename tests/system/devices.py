#!/usr/bin/env python3
"""Devices reach the cells that want them: virtio windows are looked into, one cell for each device, in the
order of QEMU's command line; exactly what the manifest says, in every life; none without a device.
"""
import os
import re
import sys
import tempfile

import console
from console import require, same

PROBER = [os.path.join(console.BUILD, "tests", "cells", "prober.cell")]
SECTORS = (100, 200, 300)


def log(m):
    return m.out("cat /proc/nexus/log")


def in_order(m):
    """Three disks, told apart by their size."""
    text = log(m)
    found = re.findall(r"prober(\d+)\.1: has (\d+) sectors", text)
    same(sorted((int(n), int(size)) for n, size in found), list(enumerate(SECTORS)), "disks")
    require("is not as wanted" not in text, text)


def none(m):
    """No disk, no cell, and nothing wrong with that."""
    text = log(m)
    require("prober" not in text, text)


def main():
    report = console.Report()
    with tempfile.TemporaryDirectory() as work:
        more = []
        for n, size in enumerate(SECTORS):
            path = os.path.join(work, f"disk{n}")
            with open(path, "wb") as f:
                f.truncate(size * 512)
            more += ["-drive", f"if=none,id=d{n},format=raw,file={path}",
                     "-device", f"virtio-blk-device,drive=d{n}"]
        for smp in console.harts():
            prefix = f"{smp} hart{'s' if smp > 1 else ''}: "
            if console.wanted(in_order):
                console.session(report, prefix, smp, [in_order], False, (), {"cells": PROBER, "more": more})
            if console.wanted(none):
                console.session(report, prefix, smp, [none], False, (), {"cells": PROBER})
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
