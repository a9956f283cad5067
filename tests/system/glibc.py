#!/usr/bin/python3
"""A program of glibc's runs with its own loader and libraries as they are in Debian: dynamic, position independent or not, and static."""
# linux: yes
# timeout: 200
import os
import re
import shutil
import subprocess
import sys

from console import BUILD, LINUX, TOP, main, require, same

CC = "riscv64-linux-gnu-gcc"
ROOT = os.path.join(BUILD, "tests", "glibc")
LIBRARIES = ("ld-linux-riscv64-lp64d.so.1", "libc.so.6", "libm.so.6", "libgcc_s.so.1")
KINDS = {"dynamic": ["-pie", "-fPIE"], "dynamic-fixed": ["-no-pie"], "static": ["-static"]}


def build():
    shutil.rmtree(ROOT, ignore_errors=True)
    for folder in ("lib", "bin"):
        os.makedirs(os.path.join(ROOT, folder))
    for name in LIBRARIES:
        path = subprocess.run([CC, f"-print-file-name={name}"], check=True, capture_output=True, text=True).stdout
        shutil.copy(path.strip(), os.path.join(ROOT, "lib", name))
    for kind, flags in KINDS.items():
        # A static program that calls dlopen or getpwuid is warned of: it needs the libraries all the same, and has them.
        done = subprocess.run([CC, "-O2", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", *flags,
                               "-o", os.path.join(ROOT, "bin", f"glibc-{kind}"),
                               os.path.join(TOP, "tests", "glibc", "program.c")], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{kind}: {done.stderr}")


def everything(m):
    for kind in KINDS:
        out = m.out(f"glibc-{kind}")
        require(re.fullmatch(r"all is well with glibc 2\.\d+\n", out), f"{kind}: {out}")


def the_loader_by_name(m):
    out = m.out("/lib/ld-linux-riscv64-lp64d.so.1 --list /bin/glibc-dynamic")
    require("linux-vdso.so.1" in out and re.search(r"libc\.so\.6 => /lib/libc\.so\.6 \(0x", out), out)


def clocks_need_no_call(m):
    m.out("glibc-dynamic clocks 20000")
    if not LINUX:
        calls = re.search(r"^tax +(\d+) ", m.out("entropy glibc-dynamic clocks 20000"), re.M)
        require(calls and int(calls[1]) < 200, str(calls))


def gone_wrong(m):
    same(m.sh("/lib/ld-linux-riscv64-lp64d.so.1 /bin/nothing; echo $?")[0].splitlines()[-1], "127", "status")


if __name__ == "__main__":
    build()
    main([everything, the_loader_by_name, clocks_need_no_call, gone_wrong], extra=ROOT)
