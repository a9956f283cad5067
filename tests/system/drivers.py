#!/usr/bin/env python3
"""The virtio drivers with QEMU's devices: what a client was told is on the disk is there, and frames pass,
while drivers and clients are killed in the middle of it.
"""
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
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
