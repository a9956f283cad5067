#!/usr/bin/env python3
"""BusyBox's own test suite with the BusyBox of our image, under Nexus and under Linux: who differs?

    tests/suite/busybox.py --linux build/linux/Image     both; status 1 when a test that passes on Linux does not on Nexus
    tests/suite/busybox.py                                Nexus alone: prints what fails
    tests/suite/busybox.py ash_test grep sed              these parts only: applets, ash_test, hush_test

What was seen is left in build/suite: nexus.txt, linux.txt (a line each test) and what each machine printed.
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
# The tests of a part that do not end are ended; what they would have said is missing then.
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
    found = [(name, f"./runtest {name}") for name in applets]
    found += [(shell, f"cd ../shell/{shell} && ./run-all") for shell in SHELLS]
    unknown = set(wanted) - {name for name, _ in found}
    if unknown:
        sys.exit(f"{', '.join(sorted(unknown))}: no such part")
    return [part for part in found if not wanted or part[0] in wanted]


def results(name, text):
    if name in SHELLS:
        return {f"{name}: {test}": "PASS" if said == "ok" else "FAIL" for test, said in SCRIPT.findall(text)}
    return {f"{name}: {test}": said for said, test in APPLET.findall(text)}


def run(system, linux, wanted, smp):
    """{test: PASS, FAIL, SKIPPED or UNTESTED} on this system."""
    found = {}
    console.LINUX = linux
    with tempfile.TemporaryDirectory() as top, open(os.path.join(OUT, f"{system}.log"), "w", encoding="utf-8") as log:
        prepare(top)
        machine = None
        for name, command in parts(wanted):
            print(f"  {system}: {name}" + " " * 20, end="\r", file=sys.stderr, flush=True)
            try:
                if machine is None:
                    machine = console.Machine(smp, mem=768, extra=top, linux=linux)
                    machine.out("export PATH=$PATH:/sbin:/usr/sbin; cd /bb/testsuite")
                text, _ = machine.sh(f"(timeout -s KILL {LIMIT} sh -c '{command}' </dev/null 2>&1)", LIMIT + 20)
                log.write(f"==== {name}\n{text}\n")
                found.update(results(name, text))
            except (console.Failure, pexpect.ExceptionPexpect) as error:
                print(f"{system}: {name}: {console.describe(error)}", file=sys.stderr)
                found[f"{name}: the part as a whole"] = "FAIL"
                machine.show_log()
                machine.close()
                machine = None
        if machine is not None:
            machine.close()
    with open(os.path.join(OUT, f"{system}.txt"), "w", encoding="utf-8") as f:
        f.writelines(f"{said} {test}\n" for test, said in found.items())
    return found


def count(found):
    return ", ".join(f"{sum(said == kind for said in found.values())} {kind}" for kind in ("PASS", "FAIL", "SKIPPED", "UNTESTED"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--linux", metavar="IMAGE", help="a Linux kernel for the same machine (make linux): run there, too, and compare")
    parser.add_argument("--smp", type=int, default=1, metavar="HARTS")
    parser.add_argument("part", nargs="*")
    args = parser.parse_args()
    os.makedirs(OUT, exist_ok=True)
    nexus = run("nexus", None, args.part, args.smp)
    print("nexus:", count(nexus))
    if not args.linux:
        print("".join(f"FAIL {test}\n" for test, said in nexus.items() if said == "FAIL"), end="")
        sys.exit(0 if nexus else 1)
    linux = run("linux", args.linux, args.part, args.smp)
    print("linux:", count(linux))
    differs = [(test, said, nexus.get(test, "missing")) for test, said in linux.items() if nexus.get(test) != said]
    for test, there, here in differs:
        print(f"{test}: {there} on Linux, {here} on Nexus")
    sys.exit(1 if not linux or any(there == "PASS" for _, there, _ in differs) else 0)


if __name__ == "__main__":
    main()
