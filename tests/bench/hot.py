#!/usr/bin/env python3
"""Which code and data of the personality system calls touch: membrane/hot.txt is made with it.

    hot.py functions [ROW...]   the functions the rows of nxbench go through, in the order hot.txt has them
    hot.py pages ROW...         what of an operation QEMU's translation cache did not know, with names

An isolated system call changes the page table root twice, and a machine without address space numbers, as QEMU 7.2
behaves, then knows no translation any more: what counts is how many pages a call touches. `functions` reads QEMU's log
of executed blocks, a minute a row; `pages` that of filled translations, of the time it watches.
"""
import argparse
import bisect
import collections
import os
import re
import subprocess
import sys
import tempfile
import threading
import time

import table
import wall

IMAGE = 0xFFFFFFC000200000  # where a cell's image lies, nucleus/abi/nx/layout.h
ELF = os.path.join(table.TOP, "build", "cell", "posix.elf")
BASE_ROW = "muladd"  # makes no system calls while it is measured
TRUNK = 12  # functions of so many rows come first
COMMON = 5  # then the short calls, and then those of so many
SHORT = ("getppid", "clock-gettime", "read-zero", "write-null", "sched-yield")
SHARE = 0.1  # so often a system call, or it is not of the row's operation
WATCH = 8  # seconds
BLOCK = re.compile(rb"/(ffffffc000[23][0-9a-f]{5})/")
FILL = re.compile(rb"fill ad ([0-9a-f]+) rw (\d) mmu_idx")


class Symbols:
    def __init__(self):
        lines = subprocess.run(["nm", "-n", ELF], capture_output=True, text=True, check=True).stdout.splitlines()
        found = [line.split() for line in lines]
        self.found = [(int(f[0], 16), f[2]) for f in found if len(f) == 3 and not f[2].startswith("$")]
        self.addresses = [address for address, _ in self.found]

    def name(self, address):
        """Of an address in the personality's image; "" for any other."""
        at = address - IMAGE
        return self.found[bisect.bisect(self.addresses, at) - 1][1] if 0 <= at < 0x100000 else ""


class Log:
    """QEMU's log, counted as it is written."""

    def __init__(self, folder, pattern):
        self.path = os.path.join(folder, "log")
        self.pattern, self.count, self.lock = pattern, collections.Counter(), threading.Lock()
        os.mkfifo(self.path)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        with open(self.path, "rb") as log:
            rest = b""
            while piece := log.read(1 << 20):
                lines, _, rest = (rest + piece).rpartition(b"\n")
                with self.lock:
                    self.count.update(self.pattern.findall(lines))

    def take(self):
        with self.lock:
            count, self.count = self.count, collections.Counter()
        return count


def executed(machine, log, symbols, row):
    """{function: blocks of it that were executed}"""
    log.take()
    machine.out(f"nxbench {row}", 1800)
    count = collections.Counter()
    for address, n in log.take().items():
        count[symbols.name(int(address, 16)).split(".")[0]] += n
    return count


def order(rows, counts):
    base = counts.pop(BASE_ROW)
    of = collections.defaultdict(list)  # the rows a function is of
    for row, count in counts.items():
        own = {name: n - base.get(name, 0) for name, n in count.items()}
        for name, n in own.items():
            if n > own["mb_enter"] * SHARE:
                of[name].append(row)

    def place(name):
        if len(of[name]) >= TRUNK:
            return 0, -len(of[name]), name
        if of[name][0] in SHORT:
            return 1, rows.index(of[name][0]), name
        if len(of[name]) >= COMMON:
            return 2, -len(of[name]), name
        return 3, rows.index(of[name][0]), name

    return sorted(of, key=place)


def functions(rows):
    rows = rows or [row[0] for row in table.rows() if row[0] not in (BASE_ROW, "mmap-touch")]
    with tempfile.TemporaryDirectory() as folder:
        log = Log(folder, BLOCK)
        machine = wall.boot("isolated", more=["-d", "exec,nochain", "-D", log.path])
        counts = {}
        try:
            for row in [BASE_ROW, *rows]:
                print(f"# {row}", file=sys.stderr, flush=True)
                counts[row] = executed(machine, log, Symbols(), row)
        finally:
            machine.close()
    print("\n".join(order(rows, counts)))


def pages(row):
    symbols = Symbols()
    with tempfile.TemporaryDirectory() as folder:
        log = Log(folder, FILL)
        machine = wall.boot("isolated", more=["-d", "mmu", "-D", log.path])
        try:
            machine.send(f"while :; do nxbench {row}; done > /dev/null\r")
            time.sleep(WATCH / 2)
            log.take()
            time.sleep(WATCH / 2)
            count = log.take()
        finally:
            machine.close()
    found = collections.Counter()
    for (address, access), n in count.items():
        found[(int(address, 16) >> 12, symbols.name(int(address, 16)), "rwx"[int(access)])] += n
    most = max(found.values())
    print(f"# {row}: of 100 times the most frequent one")
    for (page, name, access), n in found.most_common():
        if n * 20 > most:
            print(f"{100 * n // most:4} {page << 12:16x} {access} {name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("functions", "pages"))
    parser.add_argument("rows", nargs="*", metavar="ROW", help="rows of nxbench")
    args = parser.parse_args()
    if args.what == "functions":
        functions(args.rows)
        return
    if not args.rows:
        parser.error("pages: which rows?")
    for row in args.rows:
        pages(row)


if __name__ == "__main__":
    main()
