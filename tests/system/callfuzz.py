#!/usr/bin/python3
"""Random system calls with random arguments (userland/callfuzz): every cell lives on, nothing is lost, and a shell
goes on as if nothing had been.

    tests/system/callfuzz.py [HARTS] [--lives N] [--seed S] [--place P] [--out FOLDER] [-- CALLFUZZ'S OPTIONS]

--lives is for each machine. More than a turn's (TURN) are done in turns, each with a seed of its own and looked
at afterwards; a line for each goes to FOLDER/callfuzz.txt. `make soak` does that.
"""
# linux: yes
# timeout: 400
import argparse
import os
import re
import sys

import pexpect

from console import (LINUX, PLACEMENT, Failure, Machine, Report, check_leak, describe, prefix, require, run_one,
                     same, settle, warm_up)

LIVES = 100
SECONDS = 6  # it takes at most, in `make test`
WARM = 6   # lives before it is noted what is in use: what the system keeps is made then
TURN = 250
PACE = 6    # seconds a life may take


def cells(m):
    """{name: generation}, as `nexus ps` has it."""
    return {} if LINUX else {line.split()[0]: line.split()[1] for line in m.out("nexus ps").splitlines()[1:]}


def fuzz(m, seed, lives, more=""):
    """The last line of what callfuzz says; the rest as comments."""
    m.send(f"callfuzz -s {seed} -n {lives} {more}; echo @@E:$?:\r")
    found = m.expect(r"@@E:(\d+):\r*\n|nexus: posix generation \d+: ", 60 + PACE * lives)
    output = [line for line in m.before().splitlines() if line.strip() and "echo @@E" not in line]
    require(found[1] is not None, "the personality died")
    m.prompt()
    print("".join(f"# {line}\n" for line in output), end="", flush=True)
    require(int(found[1]) == 0 and output, f"status {int(found[1])}: {output[-5:]}")
    return output[-1]


def lives_on(m, before):
    m.check("echo $((6 * 7)); seq 1000 | sort -rn | tail -1; ls /tmp", "42\n1\n")
    same(m.sh("sleep 100 | cat & sleep 0.5; kill %1; wait %1")[1], 143, "status of a job that was ended")
    same(cells(m), before, "cells and their generations")


class Session:
    def __init__(self, report, smp, place, args):
        self.report, self.label, self.args = report, prefix(smp, place), args
        self.machine = Machine(smp, mem=args.mem, place=place)
        self.cells = cells(self.machine)
        self.leak = None
        if not LINUX:
            warm_up(self.machine)
            fuzz(self.machine, 1000, args.warm)  # also the shell's account of calls, which are its children's
            self.leak = settle(self.machine)

    def turn(self, seed, lives, more="", name=""):
        def calls(m):
            self.said = fuzz(m, seed, lives, " ".join([more] + self.args.more))

        def shell(m):
            lives_on(m, self.cells)

        steps = [("calls", calls), ("shell", shell)] + ([] if LINUX else [("leak", lambda m: check_leak(m, self.leak))])
        return all(run_one(self.report, self.label + name + step, self.machine, test) for step, test in steps)


def session(report, smp, place, args):
    run = None
    try:
        run = Session(report, smp, place, args)
        if args.lives <= TURN:
            run.turn(args.seed, args.lives, "" if args.long else f"-T {SECONDS}")
            return
        for n, lives in enumerate([TURN] * (args.lives // TURN) + [args.lives % TURN] * (args.lives % TURN > 0)):
            good = run.turn(args.seed + n, lives, name=f"seed {args.seed + n}: ")
            note(args.out, f"{run.label}{'' if good else 'FAILED '}{run.said}")
            if not good:
                break
    except (Failure, pexpect.ExceptionPexpect) as error:
        report.not_ok(prefix(smp, place) + "session", describe(error))
        if run is not None:
            run.machine.show_log()
    finally:
        if run is not None:
            run.machine.close()


def note(folder, line=None):
    """A line for the file of results; None: begin it."""
    if folder:
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "callfuzz.txt"), "a" if line else "w") as f:
            f.write(f"{line}\n" if line else "")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("harts", nargs="*", type=int, default=[1, 4])
    p.add_argument("--lives", type=int, help=f"default: {LIVES}, but no longer than {SECONDS} seconds")
    p.add_argument("--warm", type=int, default=WARM)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--place", help="default: isolated, then fused")
    p.add_argument("--out", metavar="FOLDER")
    p.add_argument("--mem", type=int, default=256, help="MiB of the machine; with 48 it runs out of them")
    argv, more = sys.argv[1:], []
    if "--" in argv:
        argv, more = argv[:argv.index("--")], argv[argv.index("--") + 1:]
    args = p.parse_args(argv)
    args.long, args.lives = args.lives is not None, args.lives or LIVES
    args.more = more
    note(args.out)
    report = Report()
    chosen = [args.place] if args.place is not None else [PLACEMENT] if PLACEMENT is not None else ["", "all"]
    for smp in args.harts:
        for place in [""] if LINUX else chosen:
            session(report, smp, place, args)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
