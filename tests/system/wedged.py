#!/usr/bin/env python3
"""Servers that are alive and serve nobody: they are found and restarted, and their clients notice a pause.

The code of a running driver is overwritten from outside, through QEMU's debugger stub (tests/faults), with
an endless loop or with an endless wait. Nothing crashes and nothing answers; only who waits for an
answer, or who looks at what burns, can tell.
"""
# linux: no, its cells
# timeout: 600
import os
import re
import struct
import subprocess
import sys
import tempfile
import time

import console
from console import Failure, require, same

sys.path.append(os.path.join(console.TOP, "tests", "faults"))
import gdb  # noqa: E402
import guest  # noqa: E402

BLOCKS = 1024
LOAD = os.path.join(console.BUILD, "tests", "posix", "diskload")
LOOP = ".option rvc\nc.j .\n"
# recv WAIT: no slot, no deadline; entry 7 of the SysTable at the window's start.
WAIT = """.option norvc
1: li t0, -1
slli t0, t0, 38
ld t1, 72(t0)
li a0, 0
li a1, 0
li a2, -1
jalr t1
j 1b
"""
NOP = struct.pack("<H", 1)


def assemble(text):
    with tempfile.TemporaryDirectory(prefix="nexus-as-") as work:
        out, raw = os.path.join(work, "o"), os.path.join(work, "raw")
        subprocess.run([guest.CROSS + "as", "-march=rv64gc", "-o", out, "-"], input=text, text=True, check=True)
        subprocess.run([guest.CROSS + "objcopy", "-O", "binary", "-j", ".text", out, raw], check=True)
        with open(raw, "rb") as f:
            return f.read()


def overwrite(m, name, code):
    """From now on this is all that the running life of a driver does; its generation."""
    with m.gdb.stopped():
        cell = m.guest.cell(name)
        require(cell is not None, f"no cell {name} runs")
        pages = sorted((p for p in m.guest.pages(cell) if p.kind == "text" and p.virtual > guest.WINDOW + 0x100000),
                       key=lambda p: p.virtual)
        require(pages, f"{name} has no code")
        if len(code) == 2:
            text = code * (4096 * len(pages) // 2)
        else:  # whatever it does next, it slides to the end
            text = NOP * ((4096 * len(pages) - len(code)) // 2) + code
        for i, page in enumerate(pages):
            m.gdb.write(page.at, text[4096 * i:4096 * (i + 1)])
        return cell.generation


def cell(m, name):
    """(generation, state) as `nexus ps` has it."""
    found = re.search(rf"^{name} +(\d+) (\w+)", m.out("nexus ps", 30), re.M)
    require(found, f"nexus ps knows no {name}")
    return int(found[1]), found[2]


def until(what, condition, seconds=30):
    end = time.monotonic() + seconds * console.SLOW
    while not condition():
        require(time.monotonic() < end, f"never: {what}")
        time.sleep(0.2)


def load(m):
    """The load's figures: reads, writes, wrong answers, errors."""
    words = m.out("tail -n 1 /tmp/load", 30).split()
    return [int(w) for w in words[1:5]] if len(words) == 7 else [0, 0, 0, 0]


def wedge_the_disk(m, code, *says):
    m.out("/t/diskload -w -i 100 /dev/vda > /tmp/load & echo $! > /tmp/pid")
    until("the load works", lambda: load(m)[0] > 100)
    for _ in range(2):
        before = overwrite(m, "virtio_blk0", code)
        start = time.monotonic()
        until("another life", lambda: cell(m, "virtio_blk0") == (before + 1, "running"))
        then = load(m)[0]
        until("the load goes on", lambda: load(m)[0] > then + 20)
        print(f"# {m.smp} harts: the load went on after {time.monotonic() - start:.1f} s")
    m.out("kill $(cat /tmp/pid); wait; true")
    same(load(m)[2:], [0, 0], "wrong answers, errors")
    text = m.out("nexus log | grep virtio_blk0", 30)
    require(any(s in text for s in says), text)


def a_loop(m):
    """On one hart, too: a driver is of the best tier there is."""
    wedge_the_disk(m, assemble(LOOP), "does not answer posix", "runs and never waits")


def a_wait(m):
    wedge_the_disk(m, assemble(WAIT), "does not answer posix")


def a_loop_that_nobody_waits_for(m):
    before = overwrite(m, "virtio_rng", assemble(LOOP))
    m.out("head -c 16 /dev/hwrng > /tmp/random & true")  # it may take as long as it likes
    m.check("echo $((6 * 7))", "42\n")  # what is of a worse tier goes on
    until("another life", lambda: cell(m, "virtio_rng") == (before + 1, "running"))
    require("virtio_rng generation %d was killed: runs and never waits" % before in m.out("nexus log", 30),
            "why it ended")
    m.check("wait; wc -c < /tmp/random", "16\n")


def who_works_is_left_alone(m):
    """A minute's worth of work, and of none."""
    before = cell(m, "virtio_blk0")
    m.out("/t/diskload -w -n 20000 /dev/vda > /dev/null", 300)
    m.out("sleep 3; dd if=/dev/vda of=/dev/null bs=64k 2>/dev/null; sleep 3", 60)
    same(cell(m, "virtio_blk0"), before, "generation, state")
    before = cell(m, "uart16550")  # has no time to wait while somebody writes and writes
    m.sh("timeout 8 seq 10000000", 60)
    same(cell(m, "uart16550"), before, "generation, state")


TESTS = [a_loop, a_wait, a_loop_that_nobody_waits_for, who_works_is_left_alone]


def session(report, smp, tests):
    with tempfile.TemporaryDirectory(prefix="nexus-wedged-") as work, open(LOAD, "rb") as f:
        disk, path = os.path.join(work, "disk"), os.path.join(work, "gdb")
        with console.folder({"/t/diskload": f.read()}) as extra:
            for test in tests:  # each on a machine of its own: the load wants a fresh disk
                with open(disk, "wb") as d:
                    for b in range(BLOCKS):
                        d.write(struct.pack("<Q", b) * 512)
                m = console.Machine(smp, extra=extra, more=[
                    "-drive", f"file={disk},if=none,id=d0,format=raw", "-device", "virtio-blk-device,drive=d0",
                    "-chardev", f"socket,id=gdb,path={path},server=on,wait=off", "-gdb", "chardev:gdb"])
                try:
                    m.gdb = gdb.Gdb(path)
                    m.guest = guest.Guest(m.gdb)
                    console.run_one(report, console.prefix(smp) + test.__name__, m, test)
                    m.gdb.close()
                finally:
                    m.close()


def main():
    report = console.Report()
    tests = [t for t in TESTS if console.wanted(t)]
    for smp in console.harts():
        try:
            session(report, smp, tests)
        except Failure as error:
            report.not_ok(f"{console.prefix(smp)}boot", error)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
