#!/usr/bin/env python3
"""Run the tests: everything, or the parts named by options; last line `N passed, N failed`.

  build    the images and test programs compile
  lint     style, static analysis, layers                    (make lint)
  unit     build/unit/**, cmocka programs under sanitizers
  tools    every executable tests/tools/*.py: the programs the build is made with
  spin     every *.pml of the tree                           (tests/check/spin.sh)
  system   every executable tests/system/*.py: boots in QEMU
  reproducible   two builds give the same bytes              (tests/check/reproducible.sh)

A part speaks TAP: each line `ok - name` or `not ok - name` of its output counts, everything else is
shown only when something failed. A program that ends badly without a `not ok` counts as one failure.

A file of tests/system may say, in a comment among its first 30 lines,
    timeout: 600     seconds it may take (default 300)
    alone: yes       nothing else may run beside it (it measures time)
    apart: yes       not a part of everything: runs only when --only names it
    linux: yes       what it asks for is POSIX: --linux runs it on that kernel, too; or no, and why

NEXUS_TEST_SLOW=3 in the environment gives all of tests/system three times the time.
"""
import argparse
import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PARTS = ["build", "lint", "unit", "tools", "spin", "system", "reproducible"]
LINE = re.compile(r"^(ok|not ok)\b(?: \d+)?(?: -)? ?(.*)$")

passed = failed = 0
talk = threading.Lock()


def report(name, output, status, took, quiet_name=False):
    """Count and show what one program said."""
    global passed, failed
    results = []
    for line in output.splitlines():
        found = LINE.match(line)
        if found and "# SKIP" not in line:
            results.append((found[1] == "ok", found[2]))
    if status != 0 and all(good for good, _ in results):
        why = "no end in time" if status == "timeout" else f"ended with status {status}"
        results.append((False, why))
    if not results:
        results.append((True, "") if status == 0 else (False, "said nothing"))
    with talk:
        if not all(good for good, _ in results):
            print(f"# what {name} said:")
            print("\n".join("    " + line for line in output.splitlines()[-400:]))
        for good, what in results:
            label = what if quiet_name else f"{name}: {what}" if what else name
            print(("ok" if good else "not ok") + f" - {label}")
        if took > 1:
            print(f"# {name} took {took:.1f} s")
        sys.stdout.flush()
        passed += sum(good for good, _ in results)
        failed += sum(not good for good, _ in results)
    return all(good for good, _ in results)


def run(name, command, timeout, env=None, quiet_name=False):
    """Run one program in a process group of its own, which ends with it."""
    start = time.monotonic()
    child = subprocess.Popen(command, cwd=TOP, env=dict(os.environ, **(env or {})), text=True,
                             errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output, _ = child.communicate(timeout=timeout)
        status = child.returncode
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGTERM)
        try:
            output, _ = child.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            output, _ = child.communicate()
        status = "timeout"
    return report(name, output or "", status, time.monotonic() - start, quiet_name)


def find(top, test):
    found = []
    for folder, dirs, files in os.walk(os.path.join(TOP, top)):
        dirs[:] = sorted(d for d in dirs if not d.startswith(".") and d != "build")
        for name in sorted(files):
            path = os.path.relpath(os.path.join(folder, name), TOP)
            if test(path):
                found.append(path)
    return found


def header(path, key, default):
    with open(os.path.join(TOP, path), errors="replace") as f:
        for _, line in zip(range(30), f):
            found = re.match(rf"^[#\s*/]*{key}:\s*(\S.*)", line)
            if found:
                return found[1].strip()
    return default


def limit(path):
    """Seconds a file of tests/system may take."""
    return float(header(path, "timeout", "300")) * float(os.environ.get("NEXUS_TEST_SLOW", "1"))


def unit(wanted, jobs):
    sources = find("tests/unit", lambda p: p.endswith(".c"))
    programs = [p[:-2].replace("tests/unit/", "build/unit/", 1) for p in sources
                if not any(p.startswith(other[:-2] + "/") for other in sources)]  # parts of another
    env = {"CMOCKA_MESSAGE_OUTPUT": "TAP",
           "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0",
           "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for program in programs:
            if wanted in program:
                pool.submit(run, program.replace("build/", "", 1), ["./" + program], 120, env)


def tools(wanted, jobs):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for path in find("tests/tools", lambda p: p.endswith(".py")):
            if os.access(os.path.join(TOP, path), os.X_OK) and wanted in path:
                pool.submit(run, path[6:-3], ["./" + path], float(header(path, "timeout", "300")))


def spin(wanted, jobs):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for model in find(".", lambda p: p.endswith(".pml")):
            if wanted in model:
                pool.submit(run, model, ["tests/check/spin.sh", model], 900, None, True)


def system(wanted, jobs):
    files = [p for p in find("tests/system", lambda p: p.endswith(".py"))
             if os.access(os.path.join(TOP, p), os.X_OK) and wanted in p
             and (wanted or header(p, "apart", "no") != "yes")]
    alone = [p for p in files if header(p, "alone", "no") == "yes"]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for path in files:
            if path not in alone:
                pool.submit(run, path[6:-3], ["./" + path], limit(path))
    for path in alone:
        run(path[6:-3], ["./" + path], limit(path))


def linux(image, wanted):
    """Are the tests right?  Those about what POSIX says pass on Linux."""
    for path in find("tests/system", lambda p: p.endswith(".py")):
        if not os.access(os.path.join(TOP, path), os.X_OK) or wanted not in path:
            continue
        why = header(path, "linux", "no, it does not say")
        if why == "yes":
            run(path[6:-3], ["./" + path], limit(path), {"NEXUS_TEST_LINUX": os.path.abspath(image)})
        else:
            print(f"ok - {path[6:-3]} # SKIP {why.removeprefix('no, ')}", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for part in PARTS:
        p.add_argument("--" + part, action="store_true")
    p.add_argument("--linux", metavar="IMAGE", help="run what there is to run on this kernel, and nothing else")
    p.add_argument("--make", default="make", help="the make to build with")
    p.add_argument("--only", default="", metavar="TEXT", help="of unit, tools, spin, system: those so named")
    p.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    a = p.parse_args()
    chosen = [part for part in PARTS if getattr(a, part)] or PARTS
    start = time.monotonic()
    if a.linux:
        linux(a.linux, a.only)
        chosen = []

    # The tests run what is built now, so a build that fails ends the matter.
    make = a.make.split() + [f"-j{os.cpu_count() or 1}"]
    good = "build" not in chosen or run("build", make + ["test-parts"], 1800)
    if good:
        if "lint" in chosen:
            run("lint", make + ["-k", "lint"], 1800, quiet_name=True)
        if "unit" in chosen:
            unit(a.only, a.jobs)
        if "tools" in chosen:
            tools(a.only, a.jobs)
        if "spin" in chosen:
            spin(a.only, a.jobs)
        if "system" in chosen:
            system(a.only, a.jobs)
        if "reproducible" in chosen:
            run("reproducible", ["tests/check/reproducible.sh"], 1800, quiet_name=True)
    print(f"# {time.monotonic() - start:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
