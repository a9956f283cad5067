#!/usr/bin/python3
"""Random system calls with random arguments (userland/callfuzz): the personality lives on, nothing is lost, and
a shell goes on as if nothing had been.

    tests/system/callfuzz.py [HARTS] [--lives N] [--seed S] [--place P] [--seconds T] [-- CALLFUZZ'S OPTIONS]
"""
# timeout: 600
import argparse
import re
import sys

import pexpect

from console import (LINUX, PLACEMENT, Failure, Machine, Report, check_leak, describe, prefix, require, run_one,
                     same, warm_up)

LIVES = 40
WARM = 30  # lives, so that what the system keeps is there


def generation(m):
    return None if LINUX else int(re.search(r"^generation (\d+)$", m.out("cat /proc/nexus/cell"), re.M)[1])


def fuzz(m, seed, lives, more, timeout):
    m.send(f"callfuzz -s {seed} -n {lives} {more}; echo @@E:$?:\r")
    found = m.expect(r"@@E:(\d+):\r*\n|nexus: posix generation \d+: ", timeout)
    output, status = m.before(), found[1] and int(found[1])
    require(status is not None, "the personality died")
    m.prompt()
    print("".join(f"# {line}\n" for line in output.splitlines()[-400:]), end="", flush=True)
    require(status == 0 and f"seed {seed}: " in output, f"status {status}: {output[-2000:]}")


def shell(m):
    m.check("echo $((6 * 7)); seq 1000 | sort -rn | tail -1; ls /tmp", "42\n1\n")
    same(m.sh("sleep 100 | cat & sleep 0.5; kill %1; wait %1")[1], 143, "status of a job that was ended")


def session(report, smp, place, args):
    label = prefix(smp, place)
    machine = None
    try:
        machine = Machine(smp, place=place)
        born = generation(machine)
        if not LINUX:
            warm_up(machine, [lambda m: fuzz(m, 1000, args.warm, "", 120 + args.warm)] if args.warm else ())
        before = None if LINUX else machine.leak()

        def calls(m):
            fuzz(m, args.seed, args.lives, " ".join(args.more), 60 + args.lives)

        def lives_on(m):
            shell(m)
            require(generation(m) == born, "the personality was restarted")

        good = run_one(report, label + "calls", machine, calls)
        good = good and run_one(report, label + "lives_on", machine, lives_on)
        if good and not LINUX:
            run_one(report, label + "leak", machine, lambda m: check_leak(m, before))
    except (Failure, pexpect.ExceptionPexpect) as error:
        report.not_ok(label + "session", describe(error))
        if machine is not None:
            machine.show_log()
    finally:
        if machine is not None:
            machine.close()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("harts", nargs="*", type=int, default=[1, 4])
    p.add_argument("--lives", type=int, default=LIVES)
    p.add_argument("--warm", type=int, default=WARM)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--place", help="default: isolated, then fused")
    argv, more = sys.argv[1:], []
    if "--" in argv:
        argv, more = argv[:argv.index("--")], argv[argv.index("--") + 1:]
    args = p.parse_args(argv)
    args.more = more
    report = Report()
    chosen = [args.place] if args.place is not None else [PLACEMENT] if PLACEMENT is not None else ["", "all"]
    for smp in args.harts:
        for place in [""] if LINUX else chosen:
            session(report, smp, place, args)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
