#!/usr/bin/env python3
"""The watchdog below the nucleus' scheduler (L0): a supervisor that hangs is made anew, with everything it
had started; one that never says a word is the machine's reset.

The supervisor hangs from the first death on, in its first life, with `nexus.test=silence-supervisor`.
One that hangs from its first instruction on is made here, by a jump to itself.
"""
# linux: no, its supervisor
# timeout: 300
import os
import re
import struct
import sys
import tempfile
import time

import boot_failures
import console
from boot_failures import run
from console import Failure, require, same
from run import mkbundle

SILENT = ["-append", "nexus.test=silence-supervisor"]


def made_anew(m):
    """Whoever types at a shell gets a new one, three seconds after the supervisor went silent."""
    same(re.search(r"^generation (\d+)$", m.out("cat /proc/nexus/cell"), re.M)[1], "1", "generation")
    m.out("echo left > /tmp/left")
    start = time.monotonic()
    m.send("echo c > /proc/sysrq-trigger\r")
    m.expect(r"nexus: soft restart 1: the supervisor is silent", 30)
    require(time.monotonic() - start > 2, "it was given no time to answer")
    m.expect(r"root@\S+# ", 30)
    m.set_prompt()
    log = m.out("cat /proc/nexus/log")
    for line in (r"the supervisor is silent for 500 ms: it goes first in line", r"soft restart 1: the supervisor is silent",
                 r"cell supervisor generation 1 ends: why 2", r"cell uart16550 generation 1 ends: why 2"):
        require(re.search(line, log), f"not in the log: {line}")
    beb = m.out("cat /proc/nexus/beb")
    for entry in (r"silent supervisor\.1 .* 0x1f4 0$", r"restart supervisor\.1 .* 0 0x1$"):
        require(re.search(entry, beb, re.M), f"not in the BEB: {entry}")
    m.check("ls /tmp/left 2>/dev/null", "", 1)


def generations_go_on(m):
    same(re.search(r"^generation (\d+)$", m.out("cat /proc/nexus/cell"), re.M)[1], "2", "generation")
    m.send("echo c > /proc/sysrq-trigger\r")
    m.expect(r"nexus: posix generation 2: fault 15", 20)
    m.expect(r"root@\S+# ", 30)
    m.set_prompt()
    same(re.search(r"^generation (\d+)$", m.out("cat /proc/nexus/cell"), re.M)[1], "3", "generation")
    require("supervisor.2: posix generation 2: fault" in m.out("cat /proc/nexus/log"), "who said so?")


def all_goes_on(m):
    m.check("seq 1000 | sort -rn | tail -1; (exit 3)", "1\n", 3)
    m.check("for i in 1 2 3; do (while :; do :; done) & done; sleep 2; kill %1 %2 %3; echo alive", "alive\n")
    log = m.out("cat /proc/nexus/log")
    same(len(re.findall(r"soft restart \d", log)), 1, "restarts")
    same(len(re.findall(r"silent for", log)), 1, "escalations")


def hung_from_the_start(data):
    """A cell image whose first instruction jumps to itself."""
    entry, headers = struct.unpack_from("<QQ", data, 24)
    number = struct.unpack_from("<H", data, 56)[0]
    for i in range(number):
        kind, _, offset, vaddr, _, size = struct.unpack_from("<IIQQQQ", data, headers + 56 * i)
        if kind == 1 and vaddr <= entry < vaddr + size:
            at = entry - vaddr + offset
            return data[:at] + struct.pack("<I", 0x6f) + data[at + 4:]
    raise Failure("the supervisor has no entry")


def bundle_with(change):
    parts = mkbundle.parse(mkbundle.read(os.path.join(run.BUILD, "boot.bundle")))
    data = mkbundle.build([(n, k, change(d) if n == "supervisor" else d) for n, k, d in parts])
    with tempfile.NamedTemporaryFile(prefix="watchdog.", delete=False) as f:
        f.write(data)
    return f.name


def ends(report, name, change, said_last, more=(), smp=1):
    """The machine ends by itself (it runs with -no-reboot), and says this before."""
    bundle = bundle_with(change)
    try:
        with boot_failures.machine(bundle=bundle, more=more, smp=smp) as child:
            said, found = boot_failures.watch(child, rb"(?!)", 60 * console.SLOW)
            gone = child.poll() is not None or child.wait(5) is not None
    finally:
        os.unlink(bundle)
    text = said.decode(errors="replace")
    for line in said_last:
        if not re.search(line, text):
            report.not_ok(name, f"it did not say {line}\n{text[-600:]}")
            return
    report.ok(name) if gone and found is None else report.not_ok(name, "the machine is still there")


def main():
    report = console.Report()
    tests = [t for t in (made_anew, generations_go_on, all_goes_on) if console.wanted(t)]
    for smp in console.harts():
        prefix = f"{smp} hart{'s' if smp > 1 else ''}: "
        if tests:
            console.session(report, prefix, smp, tests, False, (), {"more": SILENT})
        if console.wanted(ends):
            ends(report, prefix + "a supervisor that never says a word", hung_from_the_start,
                 [r"soft restart 1: the supervisor is silent", r"the supervisor is silent for 10000 ms: reset"], smp=smp)
    if console.wanted(ends):
        ends(report, "a supervisor that cannot live, nexus.panic=reset", lambda d: d[:0x1000] + bytes(0x1000) + d[0x2000:],
             [r"soft restart 3: the supervisor ended", r"cannot go on: the supervisor ended"],
             ["-append", "nexus.panic=reset"])
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
