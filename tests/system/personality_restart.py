#!/usr/bin/env python3
"""The personality is killed and comes up again; the nucleus and the console's driver never stop.

Five lives in a row, each with programs running, and what the nucleus has in use is the same in each.
"""
# linux: no, the personality is restarted
# timeout: 700
import hashlib
import re
import sys
import time

import console
from console import Failure, require, same

LIVES = 5
SORTED = hashlib.md5("".join(f"{n}\n" for n in range(1000, 0, -1)).encode()).hexdigest()
# Free pages come and go with what was just printed; objects of the nucleus do not.
SLACK = {"pages_free": 8, "tables": 2}
NUCLEUS = ("pages_free", "fibers", "spaces", "cells", "mems", "rings", "events", "caps", "tables")


def generation(m):
    return int(re.search(r"^generation (\d+)$", m.out("cat /proc/nexus/cell"), re.M)[1])


def crash(m, how="echo c > /proc/sysrq-trigger"):
    """Ends the personality in a wild access and waits for the shell of the next."""
    before = generation(m)
    m.send(how + "\r")
    m.expect(rf"nexus: posix generation {before}: fault 15 at 0xffffffc0[0-9a-f]+, address", 20)
    # Held back for a second or two when this was the fifth quick death.
    m.expect(r"root@\S+# ", 30)
    m.set_prompt()
    same(generation(m), before + 1, "generation")
    log = m.out("cat /proc/nexus/log")
    require(f"posix generation {before}: fault" in log, "the supervisor logged nothing")
    require(re.search(rf"cell posix generation {before} ends: why 3 code 0xf ", log), "nor did the nucleus")
    require(re.search(rf"cell-dead posix\.{before} ", m.out("cat /proc/nexus/beb")), "no entry in the BEB")


def usage(m):
    """What the nucleus has in use, once it stays the same: fibers of ended threads go a little later."""
    now = console.warm_up(m)
    for _ in range(20):
        time.sleep(0.2)
        before, now = now, m.leak()
        if all(before[name] == now[name] for name in NUCLEUS):
            break
    return {name: now[name] for name in NUCLEUS}


def compare(first, now, what):
    wrong = [f"{n} {first[n]} -> {now[n]}" for n in NUCLEUS if abs(first[n] - now[n]) > SLACK.get(n, 0)]
    if wrong:
        raise Failure(f"{what}: " + ", ".join(wrong))


def five_lives(m):
    """With jobs in the background: asleep, running, stuck in a pipe, stopped."""
    m.out("echo kept > /dev/null; touch /tmp/left-behind")
    uses = []
    for life in range(LIVES):
        m.out("sleep 1000 &")
        m.out("yes > /dev/null &")
        m.out("yes | (sleep 1000; cat) > /dev/null &")
        m.out("sleep 1000 & kill -STOP $!")
        m.out("(while :; do :; done) &")
        same(m.out("jobs | wc -l").strip(), "5", "jobs")
        crash(m)
        same(m.out("jobs; ls /tmp"), "", "what the last life left")
        same(m.out("seq 1000 | sort -rn | md5sum"), SORTED + "  -\n", "a pipeline")
        uses.append(usage(m))
    for life, use in enumerate(uses[1:], 2):
        compare(uses[0], use, f"from life 2 to {life + 1}")


def in_the_middle_of_output(m):
    m.send("seq 100000000 & sleep 0.3; echo c > /proc/sysrq-trigger\r")
    m.expect(r"nexus: posix generation \d+: fault 15", 20)
    m.expect(r"root@\S+# ", 30)
    m.set_prompt()
    same(m.out("echo still there"), "still there\n", "the next life")


def with_many_processes(m):
    before = generation(m)
    m.out("i=0; while [ $i -lt 150 ]; do sleep 1000 & i=$((i+1)); done 2>/dev/null", 60)
    crash(m)
    require(generation(m) == before + 1, "generation")
    same(m.out("ps | grep -c '[s]leep 1000' || :").strip(), "0", "processes of the last life")


def with_no_memory_left(m):
    """All of it comes back."""
    before = usage(m)
    output, status = m.sh("cat /dev/zero > /tmp/fill", 120)
    require(status != 0, f"the memory is endless: {output}")
    crash(m)
    compare(before, usage(m), "use")


def from_a_child(m):
    """Any process may pull the trigger: nobody returns from it."""
    crash(m, "(sleep 0.1; sh -c 'echo c > /proc/sysrq-trigger'; echo back) & wait")


def driver_never_stopped(m):
    log, beb = m.out("cat /proc/nexus/log"), m.out("cat /proc/nexus/beb")
    require(not re.search(r"uart16550 generation \d+(?! is fused)\b", log), "the log tells of the driver's end")
    require(not re.search(r"cell-dead (uart16550|supervisor)", beb), "the BEB tells of the driver's end")
    generations = set(re.findall(r"\b(?:uart16550|supervisor)\.(\d+)", log + beb))
    require(generations <= {"1"}, f"generations {generations}")


def only_root(m):
    m.check("stat -c '%a %U' /proc/sysrq-trigger", "200 root\n")
    before = generation(m)
    output, status = m.sh("su nobody -s /bin/sh -c 'echo c > /proc/sysrq-trigger'")
    require(status != 0 and "ermission denied" in output, f"status {status}, {output!r}")
    same(generation(m), before, "generation")


def unknown_keys(m):
    before = generation(m)
    m.check("echo x > /proc/sysrq-trigger", "")
    m.check("printf '' > /proc/sysrq-trigger", "")
    m.check("cat /proc/sysrq-trigger 2>/dev/null", "", 1)
    same(generation(m), before, "generation")


def ends(key, status):
    def test(m):
        m.send(f"echo {key} > /proc/sysrq-trigger\r")
        m.expect(console.pexpect.EOF, 20)
        m.child.wait()
        same(m.child.exitstatus, status, "QEMU's exit status")
    test.__name__ = {"o": "power_off", "b": "reset"}[key]
    return test


def main():
    report = console.Report()
    lives = [only_root, unknown_keys, five_lives, in_the_middle_of_output, with_many_processes,
             with_no_memory_left, from_a_child, driver_never_stopped]
    for smp in console.harts():
        for place in console.placements(("", "all")):
            console.session(report, console.prefix(smp, place), smp,
                            [t for t in lives if console.wanted(t)], False, (), {"place": place})
    for test in (ends("o", 0), ends("b", 0)):
        if console.wanted(test):
            console.session(report, "", 1, [test], False, (), {})
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
