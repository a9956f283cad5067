#!/usr/bin/python3
"""docs/porting.md does what it says: its program, built and run by exactly its commands, prints what it shows."""
# linux: no, it is about make run and its pages
# timeout: 300
import os
import re
import shutil
import subprocess

from console import BUILD, TOP, Report

PAGE = os.path.join(TOP, "docs", "porting.md")
MINE = os.path.join(BUILD, "my")


def block(page, language):
    found = re.findall(rf"^```{language}\n(.*?)^```$", page, re.M | re.S)
    if len(found) != 1:
        raise SystemExit(f"docs/porting.md: {len(found)} blocks of {language}, not one")
    return found[0]


def main():
    with open(PAGE) as f:
        page = f.read()
    report = Report()
    commands = block(page, "sh").splitlines()
    if len(commands) == 5:
        report.ok("five commands")
    else:
        report.not_ok("five commands", f"{len(commands)}")
    kept = MINE + ".kept"  # what the user of this tree has there himself
    if os.path.exists(MINE):
        os.rename(MINE, kept)
    try:
        os.makedirs(MINE)
        with open(os.path.join(MINE, "hello.c"), "w") as f:
            f.write(block(page, "c"))
        env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
        output = ""
        for command in commands:
            done = subprocess.run(["sh", "-c", command], cwd=TOP, env=env, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=250)
            output = done.stdout
            if done.returncode != 0:
                report.not_ok(command, f"status {done.returncode}\n{done.stderr[-2000:]}")
                return 1
            report.ok(command)
        if output == block(page, "text"):
            report.ok("output")
        else:
            report.not_ok("output", repr(output))
    finally:
        shutil.rmtree(MINE)
        if os.path.exists(kept):
            os.rename(kept, MINE)
    return 1 if report.failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
