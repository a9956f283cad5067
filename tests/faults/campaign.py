#!/usr/bin/env python3
"""The fault campaign: damage a driver while it works, and count what comes of it.

  campaign.py [-n INJECTIONS] [--seed N] [--smp N] [--write] [--table FILE]

Boots Nexus with a disk, keeps the disk busy with a program that checks every answer (diskload), and
flips random bits in the memory of the disk's driver cell: its code, its data, its stack, and the rings
it shares with its client. Whatever the driver then does - nothing, a crash, nonsense, an endless loop -
the nucleus must go on, other cells must stay as they were, and the client must get its answers.

A driver that goes on but serves nobody is to be found by its client and by the supervisor. One that
still serves nobody after STUCK seconds is restarted by hand (`nexus restart`), as an operator would; that is
counted apart, and the end of the log is shown. Ends with status 0 when the nucleus never failed, no other cell
was harmed and no request was lost.
"""
import argparse
import collections
import os
import random
import re
import statistics
import struct
import sys
import tempfile
import time
import zlib

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(TOP, "tests", "system"), os.path.join(TOP, "tests", "faults")]
import console  # noqa: E402
import gdb  # noqa: E402
import guest  # noqa: E402
import pexpect  # noqa: E402

DRIVER = "virtio_blk0"
BLOCKS = 4096
STUCK = 10  # seconds
IMAGE, IMAGE_END = guest.WINDOW + 0x200000, guest.WINDOW + 0x10000000
STACK, STACK_END = guest.WINDOW + 0x80000, guest.WINDOW + 0x100000
LOAD = re.compile(rb"load (\d+) (\d+) (\d+) (\d+) (\d+)\r+\n")


def make_disk(path):
    with open(path, "wb") as f:
        for b in range(BLOCKS):
            f.write(struct.pack("<Q", b) * 512)


def kind_of(page):
    """What a page is to the campaign, or None when it is not the driver's to be damaged."""
    if page.kind == "shared":
        return "ring"
    if STACK <= page.virtual < STACK_END:
        return "stack"
    if IMAGE <= page.virtual < IMAGE_END:
        return page.kind
    return None  # SysTable and info page: the nucleus' own


class Campaign:
    def __init__(self, options, work):
        self.options = options
        self.random = random.Random(options.seed)
        self.disk = os.path.join(work, "disk")
        self.work = work
        self.count = collections.Counter()
        self.restart_us = []
        self.events = []
        self.generation = self.started = 0
        self.wrong = self.errors = self.answers_seen = 0
        self.machine = None
        self.boot()

    def boot(self):
        make_disk(self.disk)
        path = os.path.join(self.work, f"gdb{self.started}")
        self.started += 1
        with open(os.path.join(TOP, "build/tests/posix/diskload"), "rb") as f:
            program = f.read()
        self.extra = console.folder({"/t/diskload": program})
        self.machine = console.Machine(
            self.options.smp, 256, extra=self.extra.__enter__(), more=[
                "-drive", f"file={self.disk},if=none,id=d0,format=raw",
                "-device", "virtio-blk-device,drive=d0",
                "-chardev", f"socket,id=gdb,path={path},server=on,wait=off", "-gdb", "chardev:gdb"])
        self.gdb = gdb.Gdb(path)
        self.guest = guest.Guest(self.gdb)
        with self.gdb.stopped():
            cell = self.guest.cell(DRIVER)
            if cell is None:
                raise console.Failure(f"there is no cell {DRIVER}")
            self.generation = cell.generation
            self.others = self.fingerprint()
        self.start_load()

    def close(self):
        self.gdb.close()
        self.machine.close()
        self.extra.__exit__(None, None, None)

    def fingerprint(self):
        """Code and constants of all the other cells; the machine must be stopped."""
        return {c.name: (c.generation, zlib.crc32(b"".join(
            self.gdb.read(p.at, 4096) for p in self.guest.pages(c) if p.kind in ("text", "constant"))))
            for c in self.guest.cells() if c.running and c.name != DRIVER}

    def start_load(self):
        self.machine.send(f"/t/diskload {'-w ' if self.options.write else ''}-i 20 /dev/vda &\r")

    def line(self):
        """The load's next line: longest operation in us. Raises TIMEOUT when there is none."""
        self.machine.child.expect(LOAD, timeout=STUCK)
        found = [int(x) for x in self.machine.child.match.groups()]
        self.wrong, self.errors = found[2], found[3]
        return found[4]

    def flip(self):
        """Damages one bit; what kind of memory it was in, or None when the driver is not there now."""
        with self.gdb.stopped():
            cell = self.guest.cell(DRIVER)
            if cell is None:
                return None
            if cell.generation != self.generation:
                self.count["restarts"] += (cell.generation - self.generation) & 0xffffffff
                self.generation = cell.generation
            pages = collections.defaultdict(list)
            for page in self.guest.pages(cell):
                if kind_of(page):
                    pages[kind_of(page)].append(page)
            kind = self.random.choice(sorted(pages))
            page = self.random.choice(pages[kind])
            # Of a ring only what the protocol reads: the ends, the constants, the slots.
            at = page.at + self.random.randrange(4096)
            bit = 1 << self.random.randrange(8)
            self.gdb.write(at, bytes([self.gdb.read(at, 1)[0] ^ bit]))
            return kind

    def recover(self):
        """The driver is there and serves nobody: an operator restarts it."""
        self.count["stuck"] += 1
        self.machine.send("\r")
        try:
            for command in ("nexus ps", "nexus log | tail -n 30"):
                print(re.sub("^", "#   ", self.machine.sh(command, 20)[0], flags=re.M), flush=True)
            self.machine.out(f"nexus restart {DRIVER}", 20)
            self.line()
        except (pexpect.TIMEOUT, console.Failure):
            return False
        return True

    def step(self):
        kind = self.flip()
        if kind is None:
            time.sleep(0.02)
            return
        self.count[f"in {kind}"] += 1
        self.count["injections"] += 1
        before, wrong = self.generation, self.wrong
        try:
            longest = [self.line(), self.line()]
        except pexpect.TIMEOUT:
            if not self.recover():
                raise
            return
        if self.wrong > wrong == self.answers_seen:
            self.events.append(f"after {self.count['injections']}, in {kind}: wrong answers, "
                               f"generation {before}")
        self.answers_seen = self.wrong
        with self.gdb.stopped():
            cell = self.guest.cell(DRIVER)
        if cell is not None and cell.generation != before:
            self.restart_us.append(max(longest))

    def run(self):
        last = time.monotonic()
        while self.count["injections"] < self.options.n:
            try:
                self.step()
            except (pexpect.ExceptionPexpect, EOFError, OSError) as error:
                self.count["nucleus failures"] += 1
                self.events.append(f"after {self.count['injections']}: {type(error).__name__}")
                self.machine.show_log()
                self.close()
                if self.count["nucleus failures"] >= 5:
                    break
                self.boot()
            if time.monotonic() - last > 20:
                last = time.monotonic()
                print(f"# {self.count['injections']} of {self.options.n}: {dict(self.count)}", flush=True)
                self.check_others()
        self.check_others()
        self.count["wrong answers"], self.count["errors"] = self.wrong, self.errors

    def check_others(self):
        with self.gdb.stopped():
            now = self.fingerprint()
        harmed = [name for name in self.others if now.get(name) != self.others[name]]
        self.count["other cells harmed"] += len(harmed)
        self.others = now
        for name in harmed:
            self.events.append(f"after {self.count['injections']}: {name} is not what it was")

    def table(self):
        times = sorted(self.restart_us)
        rows = [("injections", self.count["injections"])]
        rows += [(f"  {key}", self.count[key]) for key in sorted(self.count) if key.startswith("in ")]
        rows += [("driver restarts", self.count["restarts"]),
                 ("  of these stuck, restarted by hand", self.count["stuck"]),
                 ("requests lost (errors to the client)", self.count["errors"]),
                 ("wrong answers to the client", self.count["wrong answers"]),
                 ("other cells harmed", self.count["other cells harmed"]),
                 ("nucleus failures", self.count["nucleus failures"])]
        if times:
            rows += [("crash to next answer, median", f"{statistics.median(times) / 1000:.1f} ms"),
                     ("crash to next answer, worst", f"{times[-1] / 1000:.1f} ms")]
        return "\n".join(f"{name:<40} {value:>12}" for name, value in rows)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-n", type=int, default=200, help="injections (default 200)")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--smp", type=int, default=1)
    p.add_argument("--write", action="store_true", help="the load writes too")
    p.add_argument("--table", help="write the table to this file as well")
    options = p.parse_args()
    print(f"# seed {options.seed}, {options.n} injections, {options.smp} harts", flush=True)
    with tempfile.TemporaryDirectory(prefix="nexus-faults-") as work:
        campaign = Campaign(options, work)
        try:
            campaign.run()
        finally:
            campaign.close()
    table = campaign.table()
    print(table)
    for event in campaign.events:
        print("# " + event)
    if options.table:
        with open(options.table, "w") as f:
            f.write(table + "\n")
    bad = sum(campaign.count[key] for key in ("nucleus failures", "other cells harmed", "errors"))
    print(f"{'not ok' if bad else 'ok'} - fault campaign, seed {options.seed}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
