#!/usr/bin/env python3
"""A machine Nexus cannot run on says why, within seconds, and stops: `nexus: cannot start: ...`.

No Sstc, too little memory, a boot bundle that is missing, damaged or incomplete, a device tree that is
damaged. The tree is damaged in memory when the nucleus is entered, through QEMU's debugger interface:
firmware and QEMU read it before and would not take every such tree.
"""
# linux: no, it damages boot bundles and device trees
# timeout: 600
import contextlib
import os
import random
import re
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "distro"))
import run  # noqa: E402
from run import mkbundle  # noqa: E402

PATIENCE = 30  # seconds; it takes one or two
ENTRY = 0x80200000
PROMPT = rb"root@[\w.-]+:.*# "
WORDS = rb"nexus: (?:cannot start|cannot go on|panic on hart \d+): [^\n]*\n"
FLIPS = 16

work = None
failures = 0


def check(name, good, said=b""):
    global failures
    print(("ok" if good else "not ok") + f" - {name}", flush=True)
    if not good:
        failures += 1
        tail = said.decode(errors="replace").replace("\r", "")[-800:]
        print("\n".join("# " + line for line in tail.splitlines()), flush=True)


def watch(child, pattern, seconds=PATIENCE):
    """What a machine says until `pattern` appears, it ends, or time is up: (bytes, match or None)."""
    said, end = b"", time.monotonic() + seconds
    while True:
        found = re.search(pattern, said)
        left = end - time.monotonic()
        if found or left <= 0:
            return said, found
        if select.select([child.stdout], [], [], left)[0]:
            data = os.read(child.stdout.fileno(), 65536)
            if not data:
                return said, re.search(pattern, said)
            said += data


@contextlib.contextmanager
def machine(bundle=None, **more):
    """A running QEMU; bundle: a file, "" for none."""
    args = run.machine(bundle or os.path.join(run.BUILD, "boot.bundle"), **more)
    if bundle == "":
        at = args.index("-initrd")
        del args[at:at + 2]
    child = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
    try:
        yield child
    finally:
        run.stop(child)
        child.stdout.close()


def refuses(name, reason, **more):
    """It says `reason`, and then is silent: neither goes on nor starts again."""
    with machine(**more) as child:
        said, found = watch(child, WORDS)
        after, _ = watch(child, rb"(?!)", 0.5) if found else (b"", None)
    good = found is not None and re.search(reason.encode(), said) and not after.strip()
    check(name, good, said + after)


def write(name, data):
    path = os.path.join(work, name)
    with open(path, "wb") as f:
        f.write(data)
    return path


# ---- machines ----

def machines():
    refuses("no Sstc", r"cannot start: hart \d+ has no Sstc", cpu="rv64,sstc=off")
    refuses("no Sstc on four harts", r"cannot start: hart \d+ has no Sstc", cpu="rv64,sstc=off", smp=4)
    # Memory is looked at before the bundle. One of more than 2 MiB QEMU would put over the device tree here.
    refuses("12 MiB of memory", r"cannot start: 12288 KiB of memory are too little", mem=12,
            bundle=write("bundle", bytes(1 << 20)))
    # In less QEMU finds no room for the bundle.
    refuses("6 MiB of memory", r"cannot start: ", mem=6, bundle="")
    for mem in (16, 24):
        with machine(mem=mem) as child:
            said, found = watch(child, PROMPT + rb"|" + WORDS)
        check(f"{mem} MiB of memory: a prompt, or a reason", found, said)


def runner():
    """`make run CMD=...` does not wait for what cannot come."""
    def fails(name, reason, *args):
        start = time.monotonic()
        done = subprocess.run([sys.executable, os.path.join(TOP, "distro", "run.py"), "--timeout", "60",
                               "--cmd", "true", *args], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        check(f"run.py: {name}: it ends at once, with 125", done.returncode == run.BOOT_FAILED and
              done.stdout == b"" and reason in done.stderr and time.monotonic() - start < 50,
              done.stderr + done.stdout)

    fails("a failed boot", b"has no Sstc", "--qemu=-cpu", "--qemu=rv64,sstc=off")
    fails("little memory", b"too little", "--mem", "12")
    extra = os.path.join(work, "extra")
    os.mkdir(extra)
    with open(os.path.join(extra, "big"), "wb") as f:
        f.truncate(8 << 20)
    fails("no room for the bundle", b"are too little for a boot bundle of", "--mem", "24", "--extra", extra)
    for mem in (24, 32):  # what just fits starts, or says why not
        room = run.bundle_room(mem)
        with open(os.path.join(extra, "big"), "wb") as f:
            f.truncate(room - os.path.getsize(os.path.join(run.BUILD, "boot.bundle")) - 16384)
        path = os.path.join(work, "full")
        run.bundle(path, extra=extra)
        check(f"{mem} MiB: the bundle fits", room - 16384 <= os.path.getsize(path) <= room)
        with machine(path, mem=mem) as child:
            said, found = watch(child, PROMPT + rb"|" + WORDS)
        check(f"{mem} MiB and as much bundle as fits: a prompt, or a reason", found, said)


# ---- bundles ----

def bundles():
    whole = mkbundle.read(os.path.join(run.BUILD, "boot.bundle"))
    parts = mkbundle.parse(whole)

    def bundle(name, data, reason):
        refuses("bundle: " + name, reason, bundle=write("bundle", data))

    def without(cell):
        return mkbundle.build([p for p in parts if p[0] != cell])

    def changed(cell, change):
        return mkbundle.build([(n, k, change(d) if n == cell else d) for n, k, d in parts])

    def flipped(at):
        data = bytearray(whole)
        data[at] ^= 0x10
        return bytes(data)

    def blank(start, end):
        return lambda d: d[:start] + bytes(end - start) + d[end:]

    damaged = r"cannot start: the boot bundle is damaged"
    refuses("bundle: none", r"cannot start: no boot bundle", bundle="")
    bundle("empty", b"", r"cannot start: no boot bundle")
    bundle("cut inside its head", whole[:40], damaged)
    bundle("cut behind its head", whole[:64], damaged)
    bundle("cut in the middle", whole[:len(whole) // 2], damaged)
    bundle("cut by one byte of data", whole[:-4097], damaged)
    bundle("something else", b"#!/bin/sh\necho hello\n" * 500, damaged)
    for name, at in (("magic", 0), ("version", 8), ("number of entries", 12), ("size", 20),
                     ("checksum", 24), ("first entry", 100), ("data", len(whole) // 2),
                     ("last page", len(whole) - 100)):
        bundle(f"one bit of its {name}", flipped(at), damaged)
    bundle("no supervisor", without("supervisor"), r"cannot start: the boot bundle has no cell")
    bundle("an archive only", without("supervisor")[:0] + mkbundle.build(
        [p for p in parts if p[1] == mkbundle.ARCHIVE]), r"cannot start: the boot bundle has no cell")
    bundle("no personality", without("posix"), r"the boot bundle has no good cell posix")
    bundle("no driver for the console", without("uart16550"), r"there is no console for posix")
    bundle("no root", without("rootfs"), r"cannot start: no /sbin/init")
    bundle("supervisor: not an ELF file", changed("supervisor", lambda d: b"\x7fELG" + d[4:]),
           r"cannot start: the supervisor's manifest is malformed")
    bundle("supervisor: program headers", changed("supervisor", blank(64, 400)),
           r"cannot start: the supervisor")
    bundle("supervisor: cut", changed("supervisor", lambda d: d[:len(d) // 2]), r"cannot start: the supervisor")
    bundle("supervisor: code", changed("supervisor", blank(0x1000, 0x2000)),
           r"cannot go on: the supervisor ended")
    bundle("personality: not an ELF file", changed("posix", blank(0, 64)),
           r"the boot bundle has no good cell posix")
    # The personality starts and dies: told on the console by the supervisor, who tries on.
    with machine(bundle=write("bundle", changed("posix", blank(0x1000, 0x2000)))) as child:
        said, found = watch(child, rb"nexus: posix generation \d+[^\n]*\n(?s:.*)dies too often[^\n]*\n")
    check("bundle: personality: code", found, said)


# ---- device trees ----

class Debugger:
    """Just enough of the remote protocol: stop at an address, read and write memory and registers."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        end = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError):
                self.socket.connect(path)
                break
            if time.monotonic() > end:
                raise TimeoutError("no debugger interface")
            time.sleep(0.02)
        self.data = b""
        self.ask("qSupported:xmlRegisters=riscv")
        self.ask("qXfer:features:read:target.xml:0,ffb")  # only then are there single registers

    def ask(self, text):
        packet = text.encode()
        self.socket.sendall(b"$%s#%02x" % (packet, sum(packet) % 256))
        while True:
            found = re.search(rb"\$([^#]*)#..", self.data)
            if found:
                self.data = self.data[found.end():]
                self.socket.sendall(b"+")
                return found[1].decode()
            more = self.socket.recv(65536)
            if not more:
                raise EOFError("QEMU is gone")
            self.data += more

    def run_to(self, address):
        assert self.ask(f"Z1,{address:x},4") == "OK"
        assert self.ask("c").startswith("T05")
        assert self.ask(f"z1,{address:x},4") == "OK"

    def register(self, n, value=None):
        if value is not None:
            assert self.ask(f"P{n:x}={struct.pack('<Q', value).hex()}") == "OK"
        return struct.unpack("<Q", bytes.fromhex(self.ask(f"p{n:x}")))[0]

    def read(self, address, size):
        got = b""
        while len(got) < size:
            got += bytes.fromhex(self.ask(f"m{address + len(got):x},{min(1024, size - len(got)):x}"))
        return got

    def write(self, address, data):
        for at in range(0, len(data), 1024):
            part = data[at:at + 1024]
            assert self.ask(f"M{address + at:x},{len(part):x}:{part.hex()}") == "OK"

    def go(self):
        self.ask("D")
        self.socket.close()


A1 = 11


@contextlib.contextmanager
def with_tree(change, smp=1):
    """A machine whose tree went through change(bytes) -> bytes, or a new address, at the nucleus' entry."""
    path = os.path.join(work, "gdb")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    more = ["-chardev", f"socket,id=gdb,path={path},server=on,wait=off", "-gdb", "chardev:gdb", "-S"]
    with machine(smp=smp, more=more) as child:
        debugger = Debugger(path)
        debugger.run_to(ENTRY)
        at = debugger.register(A1)
        size = struct.unpack(">I", debugger.read(at + 4, 4))[0]
        tree = debugger.read(at, size)
        new = change(tree)
        if isinstance(new, int):
            debugger.register(A1, new)
        else:
            lines = [i for i in range(0, len(tree), 256) if new[i:i + 256] != tree[i:i + 256]]
            for i in lines:
                debugger.write(at + i, new[i:i + 256])
        debugger.go()
        yield child


def trees():
    def tree(name, change, reason):
        with with_tree(change) as child:
            said, found = watch(child, WORDS)
        check("tree: " + name, found and re.search(reason.encode(), said), said)

    def word(at, value):
        return lambda t: t[:at] + struct.pack(">I", value) + t[at + 4:]

    def swap(old, new, times=-1):
        def change(t):
            assert len(old) == len(new) and old in t, old
            return t.replace(old, new, times)
        return change

    def struct_at(t):
        return struct.unpack(">I", t[8:12])[0]

    def fill(byte, start, size):
        return lambda t: t[:start(t)] + bytes([byte]) * size + t[start(t) + size:]

    damaged = r"cannot start: the device tree is damaged"
    with with_tree(lambda t: t) as child:
        said, found = watch(child, PROMPT)
    check("tree: untouched", found, said)
    tree("no address", lambda t: 0, damaged)
    tree("an odd address", lambda t: 0x81000003, damaged)
    tree("no memory at its address", lambda t: 0x20_0000_0000, r"cannot start|panic")
    tree("magic", word(0, 0xd00dfeee), damaged)
    tree("size too large", word(4, 0xffffffff), damaged)
    tree("size too small", word(4, 64), damaged)
    tree("size zero", word(4, 0), damaged)
    tree("structure outside", word(8, 0x7fffffff), damaged)
    tree("strings outside", word(12, 0x7fffffff), damaged)
    tree("version", word(24, 99), damaged)
    tree("structure blank", fill(0, struct_at, 4096), damaged)
    tree("structure of ones", fill(0xff, struct_at, 4096), damaged)
    tree("structure damaged further in", fill(0x5a, lambda t: struct_at(t) + 1500, 64), damaged)
    tree("all blank", lambda t: bytes(len(t)), damaged)
    tree("no memory", swap(b"memory\0", b"nemory\0"), r"cannot start: the device tree names no memory")
    tree("no clock rate", swap(b"timebase-frequency\0", b"timebase-fraquency\0"),
         r"cannot start: the device tree names no timebase")
    tree("another hart", swap(b"device_type\0", b"davice_type\0"), r"cannot start: the device tree")
    tree("no interrupt controller", swap(b"riscv,plic0\0", b"riscv,plic9\0"),
         r"cannot start: the device tree names no PLIC")
    tree("no bundle", swap(b"linux,initrd-start\0", b"linux,initrd-stort\0"), r"cannot start: no boot bundle")
    tree("no serial port", swap(b"ns16550a\0", b"ns16450a\0"), r"there is no console for posix")

    chance = random.Random(4711)
    for n in range(FLIPS):
        def flip(t):
            new = bytearray(t)
            used = max(sum(struct.unpack(">II", t[8:12] + t[36:40])), sum(struct.unpack(">II", t[12:16] + t[32:36])))
            for _ in range(chance.choice((1, 3, 20))):
                new[chance.randrange(used)] ^= 1 << chance.randrange(8)
            return bytes(new)
        with with_tree(flip) as child:
            said, found = watch(child, PROMPT + rb"|" + WORDS)
        check(f"tree: random damage {n}: a prompt, or a reason", found, said)


def main():
    global work
    work = tempfile.mkdtemp(prefix="boot_failures.")
    try:
        machines()
        runner()
        bundles()
        trees()
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
