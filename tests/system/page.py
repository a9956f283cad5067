"""Pages of docs/ that show something: a test does exactly what they say. No test itself.

Blocks of a page: with a file's name behind the language, what to write there; `sh`, commands, one a line, run at the top of the
tree; `text`, what the last command has printed."""
import os
import re
import shutil
import subprocess

from console import TOP

ENV = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}


def shell(command, cwd=TOP, **more):
    return subprocess.run(["sh", "-c", command], cwd=cwd, env=dict(ENV, **more), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=350)


def blocks(name):
    """[(language, file name or "", text)] of a page."""
    with open(os.path.join(TOP, "docs", name)) as f:
        return re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", f.read(), re.M | re.S)


def follow(report, name):
    """Do what the page says, in the order it stands there; False when something went wrong."""
    output = None
    for language, path, text in blocks(name):
        if path:
            os.makedirs(os.path.dirname(os.path.join(TOP, path)), exist_ok=True)
            with open(os.path.join(TOP, path), "w") as f:
                f.write(text)
        elif language == "sh":
            for command in text.splitlines():
                done = shell(command)
                output = done.stdout
                if done.returncode != 0:
                    report.not_ok(command, f"status {done.returncode}\n{done.stderr[-2000:]}")
                    return False
                report.ok(command)
        elif language == "text":
            if output == text:
                report.ok(f"{name}: output")
            else:
                report.not_ok(f"{name}: output", repr(output))
                return False
    return True


class kept:
    """A folder that is the page's to use meanwhile: what was in it is put aside."""

    def __init__(self, path):
        self.path, self.aside = path, path + ".kept"

    def __enter__(self):
        if os.path.exists(self.path):
            os.rename(self.path, self.aside)

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)
        if os.path.exists(self.aside):
            os.rename(self.aside, self.path)
