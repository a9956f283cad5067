#!/usr/bin/env python3
"""The virtio drivers with QEMU's devices: what a client was told is on the disk is there, and frames pass,
while drivers and clients are killed in the middle of it. The screen, the keyboard, the second terminal and the
source of random numbers work on in the next lives of their drivers.

Two machines: QEMU's has room for eight such devices.
"""
# linux: no, its cells
# timeout: 600
import os
import re
import socket
import struct
import sys
import tempfile
import time

import console
from console import require, same

DISKS, SECTORS = 5, 1024  # the personality has the first four
LIVES = 6                 # of the driver, until tests/cell/blkclient is content
CELLS = [os.path.join(console.BUILD, "tests", "cells", name + ".cell") for name in ("blkclient", "frameclient")]
FRAMES = 200


def log(m):
    return m.out("cat /proc/nexus/log")


def until(m, pattern, seconds=60):
    """Waits for a line of the log."""
    end = time.monotonic() + seconds * console.SLOW
    while True:
        found = re.search(pattern, log(m))
        if found:
            return found
        require(time.monotonic() < end, f"no {pattern!r} in the log:\n{log(m)[-2000:]}")
        time.sleep(0.2)


def word(sector, rounds, i):
    return (sector * 2654435761 & 0xffffffff) ^ (rounds * 40503 + i & 0xffffffff)


def check_disk(path, rounds):
    with open(path, "rb") as f:
        data = f.read(SECTORS * 512)
    for sector in range(SECTORS):
        want = struct.pack("<128I", *(word(sector, rounds, i) for i in range(128)))
        require(data[sector * 512:sector * 512 + 512] == want, f"sector {sector} is not of round {rounds}")


class Rig:
    """The devices of one machine: disks in a folder, a network that ends in a socket of ours."""

    def __init__(self, work):
        self.disks = [os.path.join(work, f"disk{n}") for n in range(DISKS)]
        self.more = []
        for n, path in enumerate(self.disks):
            with open(path, "wb") as f:
                f.truncate(4 << 20)
            self.more += ["-drive", f"if=none,id=d{n},format=raw,file={path}",
                          "-device", f"virtio-blk-device,drive=d{n},serial=disk{n}"]
        self.net = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.net.bind(("127.0.0.1", 0))
        self.net.settimeout(1 * console.SLOW)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            self.qemu = s.getsockname()
        self.more += ["-netdev", f"socket,id=n0,udp=127.0.0.1:{self.net.getsockname()[1]},"
                                 f"localaddr=127.0.0.1:{self.qemu[1]}",
                      "-device", "virtio-net-device,netdev=n0,mac=52:54:00:12:34:56"]

    # ---- tests ----

    def disk(self, m):
        """Killed driver, killed client: every write that was answered is on the disk."""
        until(m, r"blkclient\.1: at work")
        for life in range(1, LIVES):
            m.out("nexus kill virtio_blk4")
            until(m, rf"virtio_blk4 generation {life} was killed")
            if life == 2:
                m.out("nexus kill blkclient")
                until(m, r"blkclient\.2: at work")
        for _ in range(LIVES):  # the second client has not seen the first lives
            if re.search(r"blkclient\.\d+: done", log(m)):
                break
            m.out("nexus kill virtio_blk4")
            time.sleep(0.2)
        found = until(m, r"blkclient\.2: done: (\d+) rounds, (\d+) lives, (\d+) strays")
        require(int(found[2]) >= LIVES, found[0])
        same(found[3], "0", "strays")
        check_disk(self.disks[4], int(found[1]))
        text = log(m)
        require("device fault" not in text and "panic" not in text, text)

    def frame(self, number, size):
        head = bytes.fromhex("525400123456" "020000000001" "88b6")
        body = struct.pack("<I", number) + bytes((number + i) & 255 for i in range(size - 18))
        return head + body

    def echo(self, number, size):
        """Send a frame; True when it comes back whole."""
        frame = self.frame(number, size)
        self.net.sendto(frame, self.qemu)
        end = time.monotonic() + 1 * console.SLOW
        while time.monotonic() < end:
            try:
                got = self.net.recv(4096)
            except socket.timeout:
                return False
            if got[12:14] == b"\x88\xb6" and struct.unpack("<I", got[14:18])[0] == number:
                same(got[:12], frame[6:12] + frame[:6], "addresses of the echo")
                same(got[14:size], frame[14:], "the echo")
                return True
        return False

    def frames(self, m):
        """Frames of all sizes come back; also after the driver was killed."""
        end = time.monotonic() + 20 * console.SLOW
        while not self.echo(1, 60):
            require(time.monotonic() < end, "no frame comes back")
        for n in range(FRAMES):
            require(self.echo(1000 + n, 60 + n * (1514 - 60) // (FRAMES - 1)), f"frame {n} is lost")
        for life in range(1, 4):
            for n in range(20):  # on the way when the driver dies
                self.net.sendto(self.frame(5000 + n, 200), self.qemu)
            m.out("nexus kill virtio_net0")
            until(m, rf"virtio_net0 generation {life} was killed")
            end = time.monotonic() + 10 * console.SLOW
            number = 10000 * life
            while not self.echo(number, 100):
                number += 1
                require(time.monotonic() < end, "no frame comes back after the driver died")
        m.out("nexus kill frameclient")
        end = time.monotonic() + 10 * console.SLOW
        number = 90000
        while not self.echo(number, 100):
            number += 1
            require(time.monotonic() < end, "no frame comes back after the client died")
        text = log(m)
        require("device fault" not in text, text)


class Desk:
    """A machine with screen, keyboard, second terminal and random numbers; the host's ends of them."""

    def __init__(self, work):
        self.work = work
        self.monitor_path, self.terminal_path = os.path.join(work, "monitor"), os.path.join(work, "hvc")
        self.more = ["-device", "virtio-gpu-device", "-device", "virtio-keyboard-device",
                     "-device", "virtio-rng-device", "-device", "virtio-serial-device",
                     "-chardev", f"socket,id=hvc,path={self.terminal_path},server=on,wait=off",
                     "-device", "virtconsole,chardev=hvc",
                     "-monitor", f"unix:{self.monitor_path},server,nowait"]

    def monitor(self, command):
        """Give QEMU a command; returns when it was carried out."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10 * console.SLOW)
            s.connect(self.monitor_path)
            s.sendall(command.encode() + b"\ninfo name\ninfo kvm\n")
            text = b""
            while b"kvm support:" not in text:
                text += s.recv(4096)

    def picture(self):
        """(width, height, bytes of red, green, blue) of the screen."""
        path = os.path.join(self.work, "screen.ppm")
        self.monitor(f"screendump {path}")
        with open(path, "rb") as f:
            data = f.read()
        size = data.split(b"\n", 3)
        width, height = map(int, size[1].split())
        return width, height, size[3]

    def shows(self, byte):
        """Is the upper part of the screen of this byte?"""
        end = time.monotonic() + 10 * console.SLOW
        while True:
            width, _, pixels = self.picture()
            if pixels[:width * 3 * 50] == bytes([byte]) * (width * 3 * 50):
                return
            require(time.monotonic() < end, f"the screen does not show {byte}: {pixels[:12].hex()}")
            time.sleep(0.2)

    # ---- tests ----

    def screen(self, m):
        paint = "head -c 300000 /dev/zero | tr '\\0' '\\{}' >/dev/fb0"
        m.out(paint.format(101))
        self.shows(0o101)
        for life in range(1, 4):
            m.out("nexus kill virtio_gpu")
            until(m, rf"virtio_gpu generation {life} was killed")
            self.shows(0o100 + life)  # the picture is in the pool, not in the driver
            m.out(paint.format(101 + life))
            self.shows(0o101 + life)

    def keyboard(self, m):
        for life in range(3):
            m.send("head -c 48 /dev/input/event0 | od -An -v -tx1 | tr -d ' \\n'; echo; echo @@D\r")
            m.expect(r"echo @@D\r*\n")
            time.sleep(0.5)
            self.monitor("sendkey q")
            m.expect(r"@@D\r*\n", 20)
            events = bytes.fromhex(re.sub(r"\s", "", m.before()))
            m.prompt(5)
            same([struct.unpack("<HHI", events[i + 16:i + 24]) for i in (0, 24)], [(1, 16, 1), (0, 0, 0)], "events")
            if life < 2:
                m.out("nexus kill virtio_input0")
                until(m, rf"virtio_input0 generation {life + 1} was killed")
            m.out("timeout 1 cat /dev/input/event0 >/dev/null; true")  # the key's way up

    def terminal(self, m):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10 * console.SLOW)
            s.connect(self.terminal_path)
            got, want = b"", b""
            for life in range(3):
                for i in range(20):
                    m.out(f"echo line {life} {i} >/dev/hvc0")
                    want += b"line %d %d\r\n" % (life, i)
                while len(got) < len(want):
                    got += s.recv(4096)
                same(got, want, "output")
                m.out("nexus kill virtio_console")
                until(m, rf"virtio_console generation {life + 1} was killed")
                m.send("head -n 1 </dev/hvc0\r")
                m.expect(r"hvc0\r*\n")
                s.sendall(b"typed %d\n" % life)
                m.expect(rf"typed {life}\r*\n")
                m.prompt(5)
                want += b"typed %d\r\n" % life  # the terminal's echo

    def random(self, m):
        seen = set()
        for life in range(4):
            seen.add(m.out("head -c 64 /dev/hwrng | od -An -v -tx1 | tr -d ' \\n'"))
            if life < 3:
                m.out("nexus kill virtio_rng")
                until(m, rf"virtio_rng generation {life + 1} was killed")
        same(len(seen), 4, "different numbers")
        same({len(s) for s in seen}, {128}, "length")
        require("device fault" not in log(m), log(m))


def main():
    report = console.Report()
    for smp in console.harts():
        prefix = f"{smp} hart{'s' if smp > 1 else ''}: "
        with tempfile.TemporaryDirectory() as work:
            rig = Rig(work)
            tests = [t for t in (rig.disk, rig.frames) if console.wanted(t)]
            if tests:
                console.session(report, prefix, smp, tests, False, (), {"cells": CELLS, "more": rig.more})
            rig.net.close()
        with tempfile.TemporaryDirectory() as work:
            desk = Desk(work)
            tests = [t for t in (desk.screen, desk.keyboard, desk.terminal, desk.random) if console.wanted(t)]
            if tests:
                console.session(report, prefix, smp, tests, False, (), {"more": desk.more})
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
