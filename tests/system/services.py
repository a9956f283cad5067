#!/usr/bin/env python3
"""logd and rngd: what was said is there, once and in order, whoever dies; random numbers come from the
hardware, and those that must be good wait for it.

The stream is checked by its own numbers: every writer counts its lines, the Boot Error Buffer its
entries, and a gap says how many records it has swallowed; the sums must agree.
"""
# linux: no, its log and random numbers come from cells
# timeout: 500
import os
import re
import shutil
import sys
import tempfile
import time

import console
from console import Failure, require, same

PROGRAM = os.path.join(console.BUILD, "tests", "posix", "getrandom")
RECORD = re.compile(r"\[ *(\d+\.\d{9})\] ([\w-]+)\.(\d+) ([#!])(\d+): (.*)")
GAP = re.compile(r"\[ *\d+\.\d{9}\] -- (\d+) lost --")
AHEAD = "BusyBox sed reads a line ahead"  # so after each line one waits for comes another
FLOOD = 1200  # lines: the history has room for all of them, unless others have much to say


def stream(m, end, path="/Bus/log"):
    """The log up to the first line with this text: records (time, cell, generation, kind, seq, text) and
    how many are lost."""
    records, lost = [], 0
    for line in m.out(f"sed '/{end}/q' {path}", 60).splitlines():
        gap, record = GAP.fullmatch(line), RECORD.fullmatch(line)
        require(gap or record, f"not a line of the log: {line!r}")
        if gap:
            lost += int(gap[1])
        else:
            records.append((float(record[1]), record[2], int(record[3]), record[4], int(record[5]), record[6]))
    return records, lost


def check_stream(records, lost):
    """Nothing twice, nothing out of order, and what is missing is what the gaps say."""
    last, missing, before = {}, 0, 0.0
    for when, cell, _, kind, seq, text in records:
        require(when >= before, f"{cell} {text!r} at {when}, after {before}")
        before = when
        # The BEB counts from 0 for all cells together, lines from 1 for each.
        writer, first = ("beb", -1) if kind == "!" else (cell, 0)
        require(seq > last.get(writer, first), f"{writer} {kind}{seq} after {last.get(writer)}: {text!r}")
        missing += seq - last.get(writer, first) - 1
        last[writer] = seq
    same(missing, lost, "records missing, records said to be lost")


def mark(m, text):
    m.out(f"echo '{text}' > /dev/kmsg; echo {AHEAD} > /dev/kmsg")


def generation(m, cell):
    found = re.search(rf"^{cell} +(\d+) ", m.out("nexus ps"), re.M)
    require(found, f"nexus ps knows no {cell}")
    return int(found[1])


def kill(m, cell):
    """And wait for its next life."""
    before = generation(m, cell)
    m.out(f"nexus kill {cell}")
    for _ in range(100):
        if generation(m, cell) > before and re.search(rf"^{cell} +\d+ running", m.out("nexus ps"), re.M):
            return
        time.sleep(0.1)
    raise Failure(f"{cell} does not come again")


# ---- the log ----

def lines(m):
    m.out("echo '<3>an error of mine' > /dev/kmsg; echo plain > /dev/kmsg; "
          f"echo {AHEAD} > /dev/kmsg")
    records, lost = stream(m, ": plain")
    check_stream(records, lost)
    same(lost, 0, "lost")
    same([r[5] for r in records if r[1] == "posix" and r[3] == "#"][-2:], ["an error of mine", "plain"], "the last two")
    require(records[0][5] == "the nucleus is entered", records[0])
    require(re.fullmatch(r"<3>\[ *\d+\.\d{6}\] posix\.1: an error of mine",
                         m.out("dmesg -r | grep 'an error'").strip()), "dmesg -r")
    same(m.out("dmesg | grep -c 'posix.1: plain'"), "1\n", "dmesg")
    same(m.out("dmesg -c | grep -c 'an error'"), "1\n", "dmesg -c shows it")
    same(m.sh("dmesg | grep 'an error'")[1], 1, "and then it does not any more")


def only_root(m):
    m.check("stat -c '%a %U' /Bus/log", "400 root\n")
    for command in ("cat /Bus/log", "dmesg"):
        require(m.sh(f"su nobody -s /bin/sh -c '{command}' 2>/dev/null")[1] != 0, command)


def seek(m):
    """A reader at the end waits, and gets what comes."""
    m.out("(exec 3</Bus/log; sed '/seek 2/q' <&3 > /tmp/seek) & sleep 0.2")
    mark(m, "seek 1")
    mark(m, "seek 2")
    m.out("for i in $(seq 100); do grep -q 'seek 2' /tmp/seek && break; sleep 0.1; done")
    same(m.out("grep -c 'seek [12]' /tmp/seek"), "2\n", "lines at the end")


def logd_dies_in_a_flood(m):
    """A reader that follows sees what one sees that comes later, and what had to make room meanwhile."""
    m.out("cat /Bus/log > /tmp/follow & echo $! > /tmp/reader")
    m.out(f"(for i in $(seq {FLOOD}); do echo \"flood $i\"; done > /dev/null; "
          f"for i in $(seq {FLOOD}); do echo \"flood $i\" > /dev/kmsg; done) & echo $! > /tmp/flood")
    for _ in range(4):
        kill(m, "logd")
    m.out("wait $(cat /tmp/flood); echo 'flood over' > /dev/kmsg", 100)
    m.out("for i in $(seq 300); do grep -q 'flood over' /tmp/follow && break; sleep 0.2; done", 100)
    m.out("kill $(cat /tmp/reader)")
    records, lost = stream(m, "flood over")
    check_stream(records, lost)
    followed, lost = stream(m, "flood over", "/tmp/follow")
    check_stream(followed, lost)
    missed = set(records) - set(followed)
    require(not missed, f"the follower missed {sorted(missed)[:3]}")
    floods = [r[5] for r in followed if r[5].startswith("flood ")]
    same(floods, [f"flood {i}" for i in range(1, FLOOD + 1)] + ["flood over"], "the flood")
    require([r for r in records if r[1] == "logd" and "of the last life" in r[5]], "logd says nothing of it")
    # Nobody else's records are lost in it.
    deaths = [r for r in records if r[1] == "supervisor" and "logd generation" in r[5]]
    require(len(deaths) >= 4, f"{len(deaths)} deaths in the log")
    same([r[2] for r in records if r[1] == "logd" and r[3] == "!" and "ended" in r[5]],
         list(range(1, len(deaths) + 1)), "deaths in the BEB")


def the_writer_dies(m):
    """What the personality said last is there in its next life."""
    mark(m, "famous last words")
    before = generation(m, "posix")
    m.send("echo c > /proc/sysrq-trigger\r")
    m.expect(rf"nexus: posix generation {before}: fault", 20)
    m.expect(r"root@\S+# ", 30)
    m.set_prompt()
    mark(m, "first words")
    records, lost = stream(m, "first words")
    check_stream(records, lost)
    texts = [(r[2], r[5]) for r in records if r[1] == "posix"]
    require((before, "famous last words") in texts and (before, "sysrq: crash") in texts, texts[-8:])
    same(texts[-1], (before + 1, "first words"), "the last line")


# ---- random numbers ----

def seeded(m):
    records, _ = stream(m, "seeded by rngd")
    require([r for r in records if r[1] == "rngd" and "of the hardware source" in r[5]], "rngd says nothing")
    m.check("cat /proc/sys/kernel/random/entropy_avail", "256\n")
    m.check("head -c 5000 /dev/random | wc -c", "5000\n")
    for flags in "-", "n", "r", "i", "nr":
        m.check(f"getrandom {flags} 100", "100\n")
    m.check("getrandom ri", "EINVAL\n", 1)
    m.check("head -c 64 /dev/random > /tmp/a; head -c 64 /dev/random > /tmp/b; cmp -s /tmp/a /tmp/b", "", 1)


def rngd_dies(m):
    m.out("head -c 3000000 /dev/random | wc -c > /tmp/count &")
    kill(m, "rngd")
    kill(m, "rngd")
    m.check("wait; cat /tmp/count", "3000000\n", 0, 60)
    m.check("getrandom - 100", "100\n")


def the_driver_dies(m):
    """The next life of rngd is seeded by the next life of the driver."""
    kill(m, "virtio_rng")
    m.check("getrandom - 100", "100\n")
    kill(m, "rngd")
    gen = generation(m, "rngd")
    for _ in range(50):
        if re.search(rf"rngd\.{gen}: seeded", m.out("cat /proc/nexus/log")):
            return
        time.sleep(0.1)
    raise Failure("rngd is not seeded again")


def unseeded(m):
    """What every machine without a seed does."""
    m.check("cat /proc/sys/kernel/random/entropy_avail", "0\n")
    m.check("getrandom n", "EAGAIN\n", 1)
    m.check("getrandom nr", "EAGAIN\n", 1)
    m.check("getrandom i 50", "50\n")
    m.check("head -c 50 /dev/urandom | wc -c", "50\n")
    same(m.sh("timeout 1 getrandom -")[0].strip().replace("Terminated", ""), "", "getrandom")
    same(m.sh("timeout 1 head -c 1 /dev/random")[0].strip().replace("Terminated", ""), "", "/dev/random")
    log = m.out("cat /proc/nexus/log")
    require("waits for random numbers" in log, log)
    return log


def no_source(m):
    log = unseeded(m)
    require("there is no hardware source" in log, log)


def a_broken_source(m):
    log = unseeded(m)
    require("hardware source is stuck" in log, log)
    same(log.count("errors are doubted by rngd"), 1, "lives of the driver that are doubted")


def a_slow_source(m):
    """The machine starts; who must wait waits until the seed is there, and no longer."""
    m.check("getrandom n", "EAGAIN\n", 1)
    m.out("(getrandom - 10; head -c 10 /dev/random | wc -c) > /tmp/late &")
    m.check("cat /tmp/late", "")
    m.check("wait; cat /tmp/late", "10\n10\n", 0, 100)
    m.check("getrandom n 10", "10\n")
    m.check("cat /proc/sys/kernel/random/entropy_avail", "256\n")


def a_boot_argument(m):
    m.check("getrandom - 10", "10\n")
    m.check("cat /proc/sys/kernel/random/entropy_avail", "256\n")


def rng(backend, properties=""):
    return ["-object", backend + ",id=other", "-device", "virtio-rng-device,rng=other" + properties]


def main():
    report = console.Report()
    with tempfile.TemporaryDirectory() as extra:
        os.makedirs(os.path.join(extra, "bin"))
        shutil.copy(PROGRAM, os.path.join(extra, "bin", "getrandom"))
        for smp in console.harts():
            tests = [lines, only_root, seek, seeded, rngd_dies, the_driver_dies, logd_dies_in_a_flood,
                     the_writer_dies, lines_after_all]
            tests = [t for t in tests if console.wanted(t)]
            prefix = f"{smp} hart{'s' if smp > 1 else ''}: "
            console.session(report, prefix, smp, tests, False, (), {"extra": extra})
        others = [
            (no_source, []),
            (a_broken_source, rng("rng-random,filename=/dev/zero")),
            (a_slow_source, rng("rng-builtin", ",max-bytes=48,period=1000")),
            (a_boot_argument, ["-append", "nexus.seed=0123456789"]),
        ]
        for test, more in others:
            if console.wanted(test):
                console.session(report, "", 1, [test], False, (), {"extra": extra, "rng": False, "more": more})
    sys.exit(1 if report.failed else 0)


def lines_after_all(m):
    mark(m, "after all")
    check_stream(*stream(m, "after all"))


if __name__ == "__main__":
    main()
