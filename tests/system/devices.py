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


def another_life(m):
    """Devices and memory come again, the memory zeroed; the others live on."""
    for life in (2, 3):
        m.check("nexus restart prober1", f"prober1 generation {life} runs\n")
        require(re.search(rf"prober1\.{life}: has {SECTORS[1]} sectors", log(m)), log(m))
    require("is not as wanted" not in log(m), log(m))
    rows = {line.split()[0]: line.split()[1:3] for line in m.out("nexus ps").splitlines()}
    same([rows[f"prober{n}"] for n in range(3)], [["1", "running"], ["3", "running"], ["1", "running"]], "cells")
    rows = sorted(line.split() for line in m.out("nexus services").splitlines() if line.startswith("probe"))
    same(rows, [[f"probe.{n}", f"prober{n}", "-"] for n in range(3) for _ in range(2)], "services")


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
            chosen = [t for t in (in_order, another_life) if console.wanted(t)]
            if chosen:
                console.session(report, prefix, smp, chosen, False, (), {"cells": PROBER, "more": more})
            if console.wanted(none):
                console.session(report, prefix, smp, [none], False, (), {"cells": PROBER})
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
