#!/usr/bin/python3
"""The ways to end the machine, and what init does around them."""
# linux: yes
# timeout: 300
import sys
import time

import pexpect

from console import LINUX, Failure, Machine, Report, describe, harts, same


def ends(machine, command, timeout=30):
    """The machine must end after this, without a word of complaint."""
    machine.send(command + "\r")
    machine.child.expect(pexpect.EOF, timeout=timeout)
    text = machine.before()
    machine.child.wait()
    for bad in ("panic", "not syncing", "Oops"):
        if bad in text:
            raise Failure(text)
    if not LINUX:
        same(machine.child.exitstatus, 0, "QEMU's exit status")


def poweroff(m):
    ends(m, "poweroff")


def halt(m):
    ends(m, "halt")


def reboot(m):
    ends(m, "reboot")  # QEMU runs with -no-reboot


def forced(m):
    ends(m, "poweroff -f")


def signal_to_init(m):
    ends(m, "kill -USR2 1")


def with_stubborn_processes(m):
    """They are asked first and killed then."""
    m.send("sh -c 'trap \"\" TERM HUP; while :; do sleep 1; done' &\r")
    m.prompt()
    m.send("sh -c 'trap \"echo asked; exit\" TERM; while :; do sleep 0.1; done' &\r")
    m.prompt()
    m.send("sleep 1000 & kill -STOP $!\r")
    m.prompt()
    time.sleep(0.5)
    m.send("poweroff\r")
    m.expect("asked", 10)
    m.child.expect(pexpect.EOF, timeout=30)


def while_busy(m):
    for _ in range(m.smp + 1):
        m.send("sh -c 'while :; do :; done' &\r")
        m.prompt()
    ends(m, "poweroff", 60)


TESTS = [poweroff, halt, reboot, forced, signal_to_init, with_stubborn_processes, while_busy]


def main():
    report = Report()
    for smp in harts():
        for test in TESTS:
            name = f"{smp} hart{'s' if smp > 1 else ''}: {test.__name__}"
            machine = None
            try:
                machine = Machine(smp)
                test(machine)
                report.ok(name)
            except (Failure, pexpect.ExceptionPexpect) as error:
                report.not_ok(name, describe(error))
                if machine is not None:
                    machine.show_log()
            finally:
                if machine is not None:
                    machine.close()
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
