#!/usr/bin/python3
"""docs/native.md does what it says: its cells, built and run by exactly its commands, print what it shows. And the SDK
needs nothing of the tree: moved elsewhere, it makes the same cells."""
# linux: no, its SDK
# timeout: 400
import os
import shutil
import sys
import tempfile

import page
from console import BUILD, Report

MINE = os.path.join(BUILD, "my")


def elsewhere(report):
    """The same bytes come out of an SDK that stands alone, and pkg-config says the same as nexus-cc does."""
    with tempfile.TemporaryDirectory() as there:
        sdk = os.path.join(there, "sdk")
        shutil.copytree(os.path.join(BUILD, "sdk"), sdk)
        for name in os.listdir(MINE):
            shutil.copy(os.path.join(MINE, name), there)
        done = page.shell("sdk/bin/nexus-cc -o moved.cell greeter.c greeter.kdl greeting.idl && cmp moved.cell greeter.cell",
                          there)
        if done.returncode != 0:
            report.not_ok("the SDK elsewhere", done.stdout + done.stderr)
            return
        report.ok("the SDK elsewhere")
        if shutil.which("pkg-config") is None:
            report.ok("pkg-config # SKIP this machine has none")
            return
        tools = "sdk/lib/nexus"
        done = page.shell(f"mkdir manifest idl && python3 {tools}/kdl2bkdl.py greeter.kdl --asm m.S "
                          f"--header manifest/greeter.h && python3 {tools}/idl.py greeting.idl --header idl/greeting.h && "
                          "riscv64-linux-gnu-gcc -O2 -I. -o pc.cell greeter.c m.S $(pkg-config --cflags --libs nexus) "
                          "-Wl,-s && cmp pc.cell greeter.cell", there,
                          PKG_CONFIG_PATH=os.path.join(sdk, "lib", "pkgconfig"))
        if done.returncode != 0:
            report.not_ok("pkg-config", done.stdout + done.stderr)
        else:
            report.ok("pkg-config")


def main():
    report = Report()
    with page.kept(MINE):
        if page.follow(report, "native.md"):
            elsewhere(report)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
