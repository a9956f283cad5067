#!/usr/bin/env python3
"""Disk speed beside Linux's, in one run (`make bench-disk`).

Boots Nexus and Linux 6.1 by turns on the same QEMU machine with the same disk, runs the same program
(nxbench) in both, and prints the wall time an operation takes and the ratio. Wall time under QEMU is
noisy, so the shortest of several boots counts; only the ratio means anything. The aim: Linux's time is
at least 0.8 of ours - that is, Nexus reaches 0.8 of Linux's speed.
"""
import os
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(TOP, "tests", "system")]
import console  # noqa: E402

KERNEL = os.path.join(TOP, "build", "linux", "Image")
ROWS = (("disk-read-64k", "sequential read, 64 KiB"), ("disk-random-4k", "random read, 4 KiB"))
SIZE = 64 << 20
ROUNDS = 3
AIM = 0.8


def measure(linux, disk):
    more = ["-global", "virtio-mmio.force-legacy=false", "-drive",
            f"file={disk},if=none,id=bench,format=raw", "-device", "virtio-blk-device,drive=bench"]
    machine = console.Machine(1, 512, more=more, linux=linux)
    try:
        lines = machine.out("nxbench " + " ".join(name for name, _ in ROWS), 300).splitlines()
        return {name: int(ns) for name, ns in (line.split() for line in lines) if ns != "-"}
    finally:
        machine.close()


def main():
    if "--help" in sys.argv:
        print(__doc__)
        return 0
    if not os.path.exists(KERNEL):
        sys.exit("bench: build Linux first: tests/bench/linux/build.sh")
    best = {"nexus": {}, "linux": {}}
    with tempfile.NamedTemporaryFile(prefix="nexus-disk-") as disk:
        disk.write(os.urandom(1 << 20) * (SIZE >> 20))
        disk.flush()
        for turn in range(ROUNDS):
            for system, kernel in (("nexus", None), ("linux", KERNEL)):
                for name, ns in measure(kernel, disk.name).items():
                    best[system][name] = min(ns, best[system].get(name, ns))
    print(f"{'wall ns an operation':<32} {'Nexus':>10} {'Linux 6.1':>10} {'speed':>7}")
    missed = 0
    for name, what in ROWS:
        ours, theirs = best["nexus"].get(name), best["linux"].get(name)
        speed = theirs / ours if ours and theirs else 0
        missed += speed < AIM
        print(f"{what:<32} {ours or '-':>10} {theirs or '-':>10} {speed:>7.2f}"
              f"  {'as wanted' if speed >= AIM else f'MISSED: at least {AIM}'}")
    return 1 if missed and "--strict" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
