#!/usr/bin/python3
"""posixtest under Nexus: each of its tests is one here. NAME... on the command line: only those."""
# linux: yes
# timeout: 900
import re
import sys

from console import (LINUX, Failure, Machine, Report, check_leak, describe, harts, placements, prefix,
                     settle, warm_up)
import pexpect

LINE = re.compile(r"^(ok|not ok) (\S+?):?( .*)?$", re.M)


def run(report, smp, place, names):
    label = prefix(smp, place)
    machine = None
    try:
        machine = Machine(smp, mem=256, place=place)
        if not LINUX:
            warm_up(machine)
        output, status = machine.sh("posixtest " + " ".join(names), 300)
        results = LINE.findall(output)
        for good, name, rest in results:
            if good == "ok":
                report.ok(label + name + rest)
            else:
                report.not_ok(label + name, rest)
        if not results or (status != 0) != any(good == "not ok" for good, _, _ in results):
            report.not_ok(label + "posixtest", f"status {status}: {output[-1000:]}")
        if not LINUX:
            # The first time made what the system keeps; a second one must not take more.
            before = settle(machine)
            machine.sh("posixtest " + " ".join(names) + " >/dev/null", 300)
            check_leak(machine, before)
            report.ok(label + "leak")
    except (Failure, pexpect.ExceptionPexpect) as error:
        report.not_ok(label + "session", describe(error))
        if machine is not None:
            machine.show_log()
    finally:
        if machine is not None:
            machine.close()


def main():
    report = Report()
    names = [a for a in sys.argv[1:] if not a.isdigit()]
    for smp in harts():
        for place in placements(("", "all")):
            run(report, smp, place, names)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
