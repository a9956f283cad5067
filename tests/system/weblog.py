#!/usr/bin/env python3
"""The web-log analyser in its three forms: docs/migrating.md does what it says; all three say the same of one file, and each
step is cheaper than the one before, in the instructions of a machine whose time counts them."""
# linux: no, its cells
# timeout: 400
import os
import re
import subprocess
import sys
import tempfile

import console
import page
from console import require, same
from sdk import cell

CELLS = ("weblog_source", "weblog_tally", "weblog_parser")
TICK = 100  # instructions: the counter has 10 MHz, and an instruction takes a nanosecond


# All in one command: QEMU with such a clock loses keys.
COMMAND = """
until grep -q 'weblog_parser.1: .*ticks of run time$' /proc/nexus/log; do sleep 1; done
cat /proc/nexus/log; echo @@
entropy -o /tmp/tax weblog_plain </var/log/access.log; echo @@; cat /tmp/tax; echo @@
entropy -o /tmp/tax weblog_rings; echo @@; cat /tmp/tax; echo @@
cat /proc/nexus/log
"""


def session(extra):
    """What the command prints, in parts."""
    trees = [extra, os.path.join(console.BUILD, "examples", "root")]
    args = [a for tree in trees for a in ("--extra", tree)] + [a for n in CELLS for a in ("--cell", cell(n))]
    done = subprocess.run([sys.executable, os.path.join(console.TOP, "distro", "run.py"), "--icount", *args, "--cmd", COMMAND],
                          capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
    require(done.returncode == 0, f"status {done.returncode}: {done.stdout[-1000:]} {done.stderr[-1000:]}")
    return done.stdout.split("@@\n")


def tax(text):
    """Of a Linux program: the instructions of its own, and those of its calls (the tax)."""
    rows = {line.split()[0]: line.split() for line in text.splitlines() if line.strip()}
    return int(rows["program"][2]), int(rows["tax"][3])


def instructions(log, *names):
    """Of these cells so far, as they last said."""
    return TICK * sum(int(re.findall(rf"\b{name}\.\d+: (\d+) ticks of run time", log)[-1]) for name in names)


def three_forms(extra):
    log, plain_out, plain_table, rings_out, rings_table, later = session(extra)
    lines = re.findall(r"weblog_parser\.1: (.*)", log)
    native = instructions(log, *CELLS)
    plain_own, plain_tax = tax(plain_table)
    rings_own, rings_tax = tax(rings_table)
    plain = plain_own + plain_tax
    rings = rings_own + rings_tax + instructions(later, *CELLS) - native
    print(f"# instructions: plain {plain}, of them tax {plain_tax}; rings {rings}, of them tax {rings_tax}; native {native}")
    same(rings_out, plain_out, "what the one on rings says")
    same("".join(line + "\n" for line in lines[:-1]), plain_out, "what the native one says")
    require(plain_out.startswith("20000 requests, "), plain_out)
    require(plain > rings > native, f"{plain}, {rings}, {native}")
    require(plain >= 3 * native, f"{plain} is not three times {native}")
    require(plain_tax > 10 * rings_tax > 0, f"tax {plain_tax}, {rings_tax}")


def main():
    report = console.Report()
    with tempfile.TemporaryDirectory() as extra:
        subprocess.run([os.path.join(console.TOP, "native", "examples", "mklog.py"),
                        os.path.join(extra, "var", "log", "access.log")], check=True)
        try:
            three_forms(extra)
            report.ok("three forms")
        except console.Failure as error:
            report.not_ok("three forms", error)
    page.follow(report, "migrating.md")
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
