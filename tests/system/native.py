#!/usr/bin/python3
"""docs/native.md does what it says: its cells, built and run by exactly its commands, print what it shows. And the SDK
needs nothing of the tree: moved elsewhere, it makes the same cells."""
# timeout: 400
import os
import re
import shutil
import subprocess
import sys
import tempfile

import console
from console import BUILD, TOP, Report

MINE = os.path.join(BUILD, "my")
PAGE = os.path.join(TOP, "docs", "native.md")
ENV = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}


def blocks():
    """[(language, file name or "", text)] of the page."""
    with open(PAGE) as f:
        return re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", f.read(), re.M | re.S)


def shell(command, cwd, **more):
    return subprocess.run(["sh", "-c", command], cwd=cwd, env=dict(ENV, **more), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=350)


def page(report):
    """What the page shows, in the order it stands there: files, commands, and what the last command printed."""
    output = None
    for language, name, text in blocks():
        if name:
            with open(os.path.join(TOP, name), "w") as f:
                f.write(text)
        elif language == "sh":
            for command in text.splitlines():
                done = shell(command, TOP)
                output = done.stdout
                if done.returncode != 0:
                    report.not_ok(command, f"status {done.returncode}\n{done.stderr[-2000:]}")
                    return
                report.ok(command)
        elif language == "text":
            if output == text:
                report.ok("output")
            else:
                report.not_ok("output", repr(output))


def elsewhere(report):
    """The same bytes come out of an SDK that stands alone, and pkg-config says the same as nexus-cc does."""
    with tempfile.TemporaryDirectory() as there:
        sdk = os.path.join(there, "sdk")
        shutil.copytree(os.path.join(BUILD, "sdk"), sdk)
        for name in ("greeter.c", "greeter.kdl", "greeter.cell"):
            shutil.copy(os.path.join(MINE, name), there)
        done = shell("sdk/bin/nexus-cc -o moved.cell greeter.c greeter.kdl && cmp moved.cell greeter.cell", there)
        if done.returncode != 0:
            report.not_ok("the SDK elsewhere", done.stdout + done.stderr)
            return
        report.ok("the SDK elsewhere")
        done = shell("mkdir manifest && python3 sdk/lib/nexus/kdl2bkdl.py greeter.kdl --asm m.S --header manifest/greeter.h && "
                     "riscv64-linux-gnu-gcc -O2 -I. -o pc.cell greeter.c m.S $(pkg-config --cflags --libs nexus) -Wl,-s && "
                     "cmp pc.cell greeter.cell", there, PKG_CONFIG_PATH=os.path.join(sdk, "lib", "pkgconfig"))
        if done.returncode != 0:
            report.not_ok("pkg-config", done.stdout + done.stderr)
        else:
            report.ok("pkg-config")


def main():
    report = Report()
    kept = MINE + ".kept"  # what the user of this tree has there himself
    if os.path.exists(MINE):
        os.rename(MINE, kept)
    try:
        os.makedirs(MINE)
        page(report)
        if not report.failed:
            elsewhere(report)
    finally:
        shutil.rmtree(MINE)
        if os.path.exists(kept):
            os.rename(kept, MINE)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
