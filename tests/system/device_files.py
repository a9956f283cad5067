#!/usr/bin/env python3
"""What programs see of the machine's devices: /dev/vda and its partitions, /dev/hwrng, /dev/fb0, /dev/input/event*,
/dev/hvc0. The host has the other end: the image file, the screen, the keys, the wire.
"""
# linux: no, the devices of the machine are not in that kernel
import hashlib
import os
import random
import re
import socket
import struct
import sys
import tempfile
import time

import console
from console import Failure, require, same

WIDTH, HEIGHT = 1280, 800
PARTITION = (2048, 3000)  # start and length of vda1, sectors
SIZE = 6 << 20

work = None  # folder with image and sockets
image = b""  # what the disk should have


def image_path():
    return os.path.join(work, "disk.img")


def image_make():
    """Noise with a partition table; the second half is what a picture may be made of."""
    global image
    noise = bytearray(random.Random(1).randbytes(SIZE))
    noise[:512] = bytes(512)
    struct.pack_into("<4xB3xII", noise, 446, 0x83, *PARTITION)
    noise[510:512] = b"\x55\xaa"
    image = bytes(noise)
    with open(image_path(), "wb") as f:
        f.write(image)


def image_read():
    with open(image_path(), "rb") as f:
        return f.read()


class Line:
    """A unix socket of QEMU's."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20 * console.SLOW)
        self.socket.connect(os.path.join(work, name))
        self.data = b""

    def until(self, text):
        """Reads until this has come; all before it."""
        while text not in self.data:
            try:
                more = self.socket.recv(65536)
            except TimeoutError:
                more = b""
            if not more:
                raise Failure(f"no {text!r} in {self.data[-300:]!r}")
            self.data += more
        before, _, self.data = self.data.partition(text)
        return before

    def send(self, text):
        self.socket.sendall(text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def monitor(command):
    with Line("monitor") as line:
        line.until(b"(qemu) ")
        line.send(command.encode() + b"\n")
        line.until(b"(qemu) ")


# ---- disks ----

def disk_there(m):
    """Size, partitions, nodes."""
    same(m.out("cat /proc/partitions").split("\n")[2:4],
         [f" 254        0       {SIZE // 1024} vda", f" 254        1       {PARTITION[1] // 2} vda1"])
    same(m.out("stat -c '%F %t %T' /dev/vda1"), "block special file fe 1\n")
    same(m.out("blockdev --getsize64 /dev/vda"), f"{SIZE}\n")
    same(m.out("blockdev --getsz /dev/vda1"), f"{PARTITION[1]}\n")
    m.check("ls /dev/vdb", "ls: /dev/vdb: No such file or directory\n", 1)


def disk_read(m):
    """What programs read is what the image has, in whatever pieces."""
    want = hashlib.md5(image_read()).hexdigest()
    start, n = PARTITION[0] * 512, PARTITION[1] * 512
    for command in ("md5sum </dev/vda", "dd if=/dev/vda bs=1000 2>/dev/null | md5sum",
                    "dd if=/dev/vda bs=1M iflag=direct 2>/dev/null | md5sum", "md5sum </dev/vda"):
        same(m.out(command).split()[0], want, command)
    same(m.out("md5sum /dev/vda1").split()[0], hashlib.md5(image_read()[start:start + n]).hexdigest(), "vda1")
    same(m.out("dd if=/dev/vda bs=1 skip=3000001 count=20000 2>/dev/null | md5sum").split()[0],
         hashlib.md5(image_read()[3000001:3020001]).hexdigest(), "a piece")


def disk_write(m):
    """What was written and synced is in the image file, and nothing else has changed."""
    want = bytearray(image_read())
    m.out("seq 100000 | head -c 300001 >/tmp/new; dd if=/tmp/new of=/dev/vda bs=777 seek=4321 2>/dev/null; sync")
    new = b"".join(b"%d\n" % i for i in range(1, 60000))[:300001]
    want[777 * 4321:777 * 4321 + len(new)] = new
    require(image_read() == want, "the image is not what it should be")
    m.out("printf hello | dd of=/dev/vda1 bs=1 seek=100 conv=fsync 2>/dev/null; rm /tmp/new")
    at = PARTITION[0] * 512 + 100
    want[at:at + 5] = b"hello"
    require(image_read() == want, "the image is not what it should be after fsync")
    same(m.out("md5sum </dev/vda").split()[0], hashlib.md5(want).hexdigest(), "read back")
    m.check("dd if=/dev/zero of=/dev/vda1 bs=512 seek=2999 count=5 2>&1 | grep -c 'No space'", "1\n")


def driver_dies(m):
    """The driver is killed again and again while the disk is read and written: nobody sees anything of it."""
    want = hashlib.md5(image_read()).hexdigest()
    m.out("(for i in 1 2 3 4 5 6; do nexus kill virtio_blk0 >/dev/null; usleep 30000; done; echo >/tmp/done) &", 60)
    sums = m.out("until test -e /tmp/done; do echo 3 >/dev/null; dd if=/dev/vda bs=64k iflag=direct 2>/dev/null | md5sum; "
                 "done; rm /tmp/done", 120)
    same(set(sums.split()) - {"-"}, {want}, "sums")
    m.out("seq 30000 >/tmp/new; (nexus kill virtio_blk0 >/dev/null) & dd if=/tmp/new of=/dev/vda bs=4k conv=fsync 2>/dev/null")
    same(m.out("cmp -n $(stat -c %s /tmp/new) /tmp/new /dev/vda; rm /tmp/new"), "")
    got = image_read()
    require(got.startswith(b"1\n2\n3\n") and b"\n29999\n30000\n" in got, "it is not in the image")
    m.out("nexus ps | grep -q 'virtio_blk0 *[1-9]'")
    with open(image_path(), "r+b") as f:  # as before, for the next test
        f.write(image)
    m.out("blockdev --flushbufs /dev/vda")


# ---- random numbers ----

def hwrng(m):
    """Bytes, and other ones every time."""
    a, b = (m.out("head -c 4096 /dev/hwrng | md5sum") for _ in range(2))
    require(a != b, "twice the same")
    same(m.out("head -c 100000 /dev/hwrng | wc -c"), "100000\n")
    require(int(m.out("head -c 100000 /dev/hwrng | gzip | wc -c")) > 100000, "they can be compressed")


# ---- the screen ----

def picture():
    """The host's view of the screen: width, height, RGB bytes."""
    path = os.path.join(work, "screen.ppm")
    if os.path.exists(path):
        os.unlink(path)
    monitor(f"screendump {path}")
    with open(path, "rb") as f:
        data = f.read()
    head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
    require(head, f"no picture: {data[:20]!r}")
    return int(head[1]), int(head[2]), data[head.end():]


def rgb(pixels):
    """What a picture of these bytes (blue, green, red, unused) looks like."""
    out = bytearray(len(pixels) // 4 * 3)
    out[0::3], out[1::3], out[2::3] = pixels[2::4], pixels[1::4], pixels[0::4]
    return bytes(out)


def wait_picture(width, height, pixels, what):
    want = rgb(pixels)
    for _ in range(50):  # what changed is shown soon, not at once
        got = picture()
        if got == (width, height, want):
            return
        time.sleep(0.1 * console.SLOW)
    wrong = next((i for i in range(min(len(got[2]), len(want))) if got[2][i] != want[i]), -1)
    raise Failure(f"{what}: {got[0]}x{got[1]}, byte {wrong} is the first that is wrong")


def screen(m):
    """A picture that was written is on the screen; so is a change of a part of it, after the driver died, too."""
    n = WIDTH * HEIGHT * 4
    require("geometry 1280 800 1280 800 32" in m.out("fbset"), "fbset")
    m.out(f"dd if=/dev/vda of=/dev/fb0 bs={n // 100} count=100 2>/dev/null")
    pixels = bytearray(image[:n])
    wait_picture(WIDTH, HEIGHT, pixels, "the picture")
    m.out("head -c 400 /dev/zero | dd of=/dev/fb0 bs=4 seek=123456 2>/dev/null")
    pixels[123456 * 4:123456 * 4 + 400] = bytes(400)
    wait_picture(WIDTH, HEIGHT, pixels, "a part of it")
    m.out("nexus kill virtio_gpu >/dev/null")
    wait_picture(WIDTH, HEIGHT, pixels, "after the driver died")
    m.out("fbset -g 640 480 640 480 32")
    m.out(f"dd if=/dev/vda of=/dev/fb0 bs=64k count={640 * 480 * 4 // 65536} 2>/dev/null; fbset | grep -q 'geometry 640 480'")
    whole = 640 * 480 * 4 // 65536 * 65536
    got = picture()
    same(got[:2], (640, 480), "the size")
    for _ in range(50):
        if got[2][:whole // 4 * 3] == rgb(image[:whole]):
            break
        time.sleep(0.1 * console.SLOW)
        got = picture()
    require(got[2][:whole // 4 * 3] == rgb(image[:whole]), "not the picture in another size")
    m.out("fbset -g 1280 800 1280 800 32")


def screen_mapped(m):
    """What a program draws through a mapping is shown, again after the driver died, and for the last time when it ends."""
    pixels = bytearray(image[:WIDTH * HEIGHT * 4])
    m.out("mkfifo /tmp/in /tmp/said")
    m.out("/t/fbmap /dev/vda </tmp/in >/tmp/said & exec 8>/tmp/in 9</tmp/said; read a <&9; [ $a = drawn ]")
    wait_picture(WIDTH, HEIGHT, pixels, "the picture")

    def change(y):
        m.out("echo >&8; read a <&9; [ $a = changed ]")
        pixels[y * WIDTH * 4:(y + 1) * WIDTH * 4] = bytes(WIDTH * 4)

    change(0)
    wait_picture(WIDTH, HEIGHT, pixels, "a line")
    m.out("nexus kill virtio_gpu >/dev/null")
    change(1)
    wait_picture(WIDTH, HEIGHT, pixels, "a line after the driver died")
    change(2)
    m.out("exec 8>&- 9<&-; wait; rm /tmp/in /tmp/said")
    wait_picture(WIDTH, HEIGHT, pixels, "the last line")


# ---- keys ----

def keys(m):
    """Keys and the tablet's button of the host are events."""
    require("Keyboard" in m.out("grep -a input /proc/nexus/log"), "no keyboard")
    m.out("dd if=/dev/input/event0 bs=24 count=4 of=/tmp/events 2>/dev/null & sleep 0.3")
    monitor("sendkey a")
    m.out("wait")
    text = m.out("hexdump -v -s 16 -n 8 -e '4/2 \"%x \"' /tmp/events; echo; hexdump -v -s 64 -n 8 -e '4/2 \"%x \"' /tmp/events")
    same([line.split() for line in text.split("\n") if line.strip()],
         [["1", "1e", "1", "0"], ["1", "1e", "0", "0"]], "KEY_A down and up")
    m.out("dd if=/dev/input/event1 bs=24 count=2 of=/tmp/events 2>/dev/null & sleep 0.3")
    monitor("mouse_button 1")
    m.out("wait")
    monitor("mouse_button 0")
    text = m.out("hexdump -v -s 16 -n 8 -e '4/2 \"%x \"' /tmp/events; rm /tmp/events")
    same(text.split(), ["1", "110", "1", "0"], "BTN_LEFT of the tablet")


# ---- the second terminal ----

def terminal(m):
    """A shell with job control on /dev/hvc0."""
    with Line("hvc") as line:
        m.out("setsid sh -c 'exec sh -i </dev/hvc0 >/dev/hvc0 2>&1' & sleep 0.5")
        line.send(b"PS1='%''% '; tty\r")
        line.until(b"/dev/hvc0")
        line.until(b"%% ")
        line.send(b"sleep 100\r")
        line.until(b"sleep 100\r\n")
        time.sleep(0.5 * console.SLOW)
        line.send(b"\x03")
        line.until(b"%% ")
        line.send(b"sleep 100 &\r")
        line.until(b"%% ")
        line.send(b"jobs\r")
        line.until(b"Running")
        line.until(b"%% ")
        line.send(b"kill %1; wait; echo out=$?; seq 2000 | tail -1\r")
        line.until(b"2000\r\n")
        line.until(b"%% ")
        m.out("nexus kill virtio_console >/dev/null; sleep 0.3")
        line.send(b"echo still $((1 + 1))\r")
        line.until(b"still 2\r\n")
        line.until(b"%% ")
        line.send(b"exit\r")
    m.out("sleep 0.3")


TESTS = [disk_there, disk_read, disk_write, driver_dies, hwrng, screen, screen_mapped, keys, terminal]


def main():
    global work
    with open(os.path.join(console.BUILD, "tests", "posix", "fbmap"), "rb") as f:
        program = f.read()
    with tempfile.TemporaryDirectory() as folder, console.folder({"/t/fbmap": program}) as extra:
        work = folder
        image_make()
        sockets = ["-monitor", f"unix:{work}/monitor,server=on,wait=off",
                   "-chardev", f"socket,id=hvc,path={work}/hvc,server=on,wait=off",
                   "-device", "virtio-serial-device", "-device", "virtconsole,chardev=hvc"]
        console.main(TESTS, warm=(disk_read, keys, terminal), extra=extra,
                     more=console.distro_run.disk(image_path(), 0) + console.distro_run.screen("none") + sockets)


if __name__ == "__main__":
    main()
