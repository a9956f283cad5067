#!/usr/bin/env python3
"""BusyBox's own test suite with the BusyBox of our image, under Nexus and under Linux: who differs?

    tests/suite/busybox.py --linux build/linux/Image     both; status 1 when a test that passes on Linux does not on Nexus
    tests/suite/busybox.py                               Nexus alone: prints what fails
    tests/suite/busybox.py ash_test grep hush-z_slow     these parts only: applets, ash_test, hush_test or a folder of these
    tests/suite/busybox.py --only linux --linux IMAGE    one system now; --compare later says who differs
    tests/suite/busybox.py --compare                     runs nothing

What was seen is left in build/suite: nexus.txt, linux.txt (a line each test; a run replaces the lines of its parts) and what
each part printed, with the output of scripts that failed. NEXUS_TEST_SLOW=3 stretches the time a part is given, as elsewhere.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))
import console  # noqa: E402
import pexpect  # noqa: E402

SOURCE = os.path.join(console.BUILD, "src", "busybox")
OUT = os.path.join(console.BUILD, "suite")
SHELLS = ("ash_test", "hush_test")
HELPERS = ("printenv", "recho", "zecho")  # the suite of each shell compiles these
APPLET = re.compile(r"^(PASS|FAIL|SKIPPED|UNTESTED): (.*)$", re.M)
SCRIPT = re.compile(r"^(\S+/\S+):\s*(ok|fail)(?: \(\d+\))?$", re.M)
# What passes or not by chance, on any system: the result there is not compared.
CHANCE = {
    # Whether $? is that of `true` or of `read` at the end of its input when the signal comes.
    "hush_test/hush-signals: signal_read1.tests",
}
# Seconds a part may take; one that takes longer is ended, and what it would have said is missing.
LIMIT = 300


def prepare(top):
    """The tree the suite runs in: as in BusyBox's sources, /bb being the build folder."""
    bb = os.path.join(top, "bb")
    os.makedirs(os.path.join(bb, "shell"))
    shutil.copy(os.path.join(console.BUILD, "userland", "busybox"), bb)
    shutil.copy(os.path.join(console.BUILD, "userland", "busybox-obj", ".config"), bb)
    shutil.copytree(os.path.join(SOURCE, "testsuite"), os.path.join(bb, "testsuite"), symlinks=True)
    for shell in SHELLS:
        folder = os.path.join(bb, "shell", shell)
        shutil.copytree(os.path.join(SOURCE, "shell", shell), folder, symlinks=True)
        for name in HELPERS:
            if not os.path.exists(os.path.join(SOURCE, "shell", shell, name + ".c")):
                continue
            subprocess.run([os.path.join(console.BUILD, "sysroot", "bin", "riscv64-nexus-musl-gcc"), "-static", "-O2", "-w",
                            "-o", os.path.join(folder, name), os.path.join(SOURCE, "shell", shell, name + ".c")], check=True)


def parts(wanted):
    """(name, command) of each part; its working folder is /bb/testsuite."""
    folder = os.path.join(SOURCE, "testsuite")
    applets = sorted({name.removesuffix(".tests") for name in os.listdir(folder)
                      if name.endswith(".tests") or os.path.isdir(os.path.join(folder, name))} - {"all_sourcecode"})
    found = [(name, name, f"./runtest {name}") for name in applets]
    for shell in SHELLS:
        found += [(shell, group, f"cd ../shell/{shell} && rm -f *.fail; ./run-all {group}; cat *.fail 2>/dev/null")
                  for group in sorted(os.listdir(os.path.join(SOURCE, "shell", shell))) if group.startswith(shell.replace("_test", "-"))]
    unknown = set(wanted) - {name for part in found for name in part[:2]}
    if unknown:
        sys.exit(f"{', '.join(sorted(unknown))}: no such part")
    return [(f"{shell}/{name}" if shell != name else name, command) for shell, name, command in found
            if not wanted or {shell, name} & set(wanted)]


def results(name, text):
    """{test: result}; a test is `PART: TITLE`."""
    pairs = SCRIPT.findall(text) if "/" in name else [(test, said) for said, test in APPLET.findall(text)]
    found = {}
    for test, said in pairs:
        title = f"{name}: {test.rsplit('/', 1)[-1] if '/' in name else test}"
        same = sum(1 for other in found if re.sub(r" #\d+$", "", other) == title)
        found[title + (f" #{same + 1}" if same else "")] = {"ok": "PASS", "fail": "FAIL"}.get(said, said)
    return found


def stored(system):
    """What earlier runs found there."""
    try:
        with open(os.path.join(OUT, f"{system}.txt"), encoding="utf-8") as f:
            return {test: said for said, test in (line.rstrip("\n").split(" ", 1) for line in f)}
    except FileNotFoundError:
        return {}


def store(system, part, seen):
    """Puts these results of a part in the place of earlier ones."""
    kept = {test: said for test, said in stored(system).items() if test.split(": ")[0] != part}
    kept.update(seen)
    with open(os.path.join(OUT, f"{system}.txt"), "w", encoding="utf-8") as f:
        f.writelines(f"{said} {test}\n" for test, said in sorted(kept.items(), key=lambda pair: pair[0]))


def run(system, linux, wanted, smp):
    """{test: PASS, FAIL, SKIPPED or UNTESTED} on this system."""
    found = {}
    limit = LIMIT * console.SLOW
    os.makedirs(os.path.join(OUT, system), exist_ok=True)
    with tempfile.TemporaryDirectory() as top:
        prepare(top)
        machine = None
        for name, command in parts(wanted):
            print(f"  {system}: {name}" + " " * 20, end="\r", file=sys.stderr, flush=True)
            try:
                if machine is None:
                    machine = console.Machine(smp, mem=768, extra=top, linux=linux)
                    machine.out("export PATH=$PATH:/sbin:/usr/sbin; cd /bb/testsuite")
                text, status = machine.sh(f"(timeout -s KILL {limit:.0f} sh -c '{command}' </dev/null 2>&1)", LIMIT + 60)
                seen = results(name, text)
                if status == 137:
                    seen[f"{name}: ended in time"] = "FAIL"
                with open(os.path.join(OUT, system, name.replace("/", "-")), "w", encoding="utf-8") as log:
                    log.write(text)
            except (console.Failure, pexpect.ExceptionPexpect) as error:
                print(f"{system}: {name}: {console.describe(error)}", file=sys.stderr)
                seen = {f"{name}: the part as a whole": "FAIL"}
                if machine is not None:
                    machine.show_log()
                    machine.close()
                machine = None
            store(system, name, seen)
            found.update(seen)
        if machine is not None:
            machine.close()
    return found


def count(found):
    return ", ".join(f"{sum(said == kind for said in found.values())} {kind}" for kind in ("PASS", "FAIL", "SKIPPED", "UNTESTED"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--linux", metavar="IMAGE", help="a Linux kernel for the same machine (make linux): run there, too, and compare")
    parser.add_argument("--only", choices=("nexus", "linux"), help="run on this system and leave the other's results as they are")
    parser.add_argument("--compare", action="store_true", help="run nothing, compare what earlier runs found")
    parser.add_argument("--smp", type=int, default=1, metavar="HARTS")
    parser.add_argument("part", nargs="*")
    args = parser.parse_args()
    if args.only == "linux" and not args.linux:
        parser.error("--only linux: which kernel? --linux IMAGE")
    os.makedirs(OUT, exist_ok=True)
    seen = {}
    for system, image in (("nexus", None), ("linux", args.linux)):
        if args.compare:
            seen[system] = stored(system)
        elif args.only in (None, system) and (image or system == "nexus"):
            seen[system] = run(system, image, args.part, args.smp)
        else:
            continue
        print(f"{system}:", count(seen[system]))
    if len(seen) == 1:
        found = next(iter(seen.values()))
        print("".join(f"FAIL {test}\n" for test, said in found.items() if said == "FAIL"), end="")
        sys.exit(0 if found else 1)
    nexus, linux = seen["nexus"], seen["linux"]
    differs = [(test, said, nexus.get(test, "missing")) for test, said in linux.items() if nexus.get(test) != said]
    differs += [(test, "missing", said) for test, said in nexus.items() if test not in linux]
    for test, there, here in differs:
        print(f"{test}: {there} on Linux, {here} on Nexus{', by chance' if test in CHANCE else ''}")
    sys.exit(1 if not linux or any(there == "PASS" and test not in CHANCE for test, there, _ in differs) else 0)


if __name__ == "__main__":
    main()
