#!/usr/bin/env python3
"""Devices reach the cells that want them: virtio windows are looked into, one cell for each device, in the
order of QEMU's command line; exactly what the manifest says, in every life; none without a device.
"""
# linux: no, its cells
import os
import re
import sys
import tempfile

import console
from console import require, same

PROBER = [os.path.join(console.BUILD, "tests", "cells", "prober.cell")]
QUEUES = (2, 3, 4)
# With the source of randomness that every machine has, QEMU's eight windows.
CROWD = ["-device", "virtio-gpu-device", "-device", "virtio-keyboard-device",
         "-device", "virtio-tablet-device", "-device", "virtio-net-device", "-device", "virtio-serial-device",
         "-device", "virtio-blk-device,drive=d"]
CROWD_CELLS = ["virtio_rng", "virtio_gpu", "virtio_input0", "virtio_input1", "virtio_net0", "virtio_console",
               "virtio_blk0", "uart16550", "rngd", "logd"]


def log(m):
    return m.out("cat /proc/nexus/log")


def in_order(m):
    """Three SCSI hosts, told apart by their queues."""
    text = log(m)
    found = re.findall(r"prober(\d+)\.1: has (\d+) queues", text)
    same(sorted((int(n), int(size)) for n, size in found), list(enumerate(QUEUES)), "hosts")
    require("is not as wanted" not in text, text)


def another_life(m):
    """Devices and memory come again, the memory zeroed; the others live on."""
    for life in (2, 3):
        m.check("nexus restart prober1", f"prober1 generation {life} runs\n")
        require(re.search(rf"prober1\.{life}: has {QUEUES[1]} queues", log(m)), log(m))
    require("is not as wanted" not in log(m), log(m))
    rows = {line.split()[0]: line.split()[1:3] for line in m.out("nexus ps").splitlines()}
    same([rows[f"prober{n}"] for n in range(3)], [["1", "running"], ["3", "running"], ["1", "running"]], "cells")
    rows = sorted(line.split() for line in m.out("nexus services").splitlines() if line.startswith("probe"))
    same(rows, [[f"probe.{n}", f"prober{n}", "-"] for n in range(3) for _ in range(2)], "services")


def crowd(m):
    """All windows taken: every driver runs, and each comes again when it is killed."""
    rows = {line.split()[0]: line.split()[1:3] for line in m.out("nexus ps").splitlines()[1:]}
    for name in CROWD_CELLS:
        same(rows.get(name), ["1", "running"], name)
    for name in CROWD_CELLS:
        m.check(f"nexus kill {name}", f"{name} generation 1 killed\n")
    m.check("echo still here", "still here\n")
    rows = {line.split()[0]: line.split()[1:3] for line in m.out("nexus ps").splitlines()[1:]}
    for name in CROWD_CELLS:
        same(rows.get(name), ["2", "running"], name)


def none(m):
    """No device, no cell, and nothing wrong with that."""
    text = log(m)
    require("prober" not in text, text)


def main():
    report = console.Report()
    with tempfile.NamedTemporaryFile() as disk:
        disk.truncate(1 << 20)
        drive = ["-drive", f"if=none,id=d,format=raw,file={disk.name}"]
        hosts = [a for n in QUEUES for a in ("-device", f"virtio-scsi-device,num_queues={n}")]
        for smp in console.harts():
            prefix = f"{smp} hart{'s' if smp > 1 else ''}: "
            chosen = [t for t in (in_order, another_life) if console.wanted(t)]
            if chosen:
                console.session(report, prefix, smp, chosen, False, (), {"cells": PROBER, "more": hosts})
            if console.wanted(crowd):
                console.session(report, prefix, smp, [crowd], False, (), {"more": CROWD + drive})
            if console.wanted(none):
                console.session(report, prefix, smp, [none], False, (), {"cells": PROBER})
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
