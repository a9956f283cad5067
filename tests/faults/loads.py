"""What keeps each driver busy, and tells how it answers.

A load has
    start(), stop()     it works only in between
    mark()              sends something (where the host is the one who asks); the answers from now on count
    wait(seconds)       True as soon as enough answers have come since mark()
    longest()           microseconds the slowest of them took, the machine's clock or the host's
    answers, wrong, errors, lost    since the machine started; see tests/posix/faultload.c

Most are in the machine (faultload) and report over the console; Line reads that.
"""
import json
import os
import re
import select
import socket
import struct
import threading
import time

import guest

ENOUGH = 3        # answers
SLICE = 0.005     # seconds between looks
TICKS_OF_US = 10  # QEMU's virt: 10 MHz
REPORT = re.compile(rb"l (\w+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)")
LAST_WORDS = (b"nexus: panic", b"nexus: cannot go on")
SILENCE = 45      # seconds without any sensible line from the console


class Gone(Exception):
    """The machine has ended, or says nothing any more."""


def summed(text):
    return text + b"*%02x" % (sum(text) & 255)


class Line:
    """The console, once faultload has it: lines with sums, in both directions."""

    def __init__(self, machine):
        self.fd, self.log = machine.child.fileno(), machine.log
        self.buffer, self.seq = b"", 0
        self.reports, self.last, self.longest = 0, {}, 0
        self.acks, self.damaged, self.hands = {}, 0, 0

    def _line(self, text):
        if not text:
            return
        body, star, _ = text.rpartition(b"*")
        if not star or summed(body) != text:
            self.damaged += 1
            return
        found = REPORT.fullmatch(body)
        if found:
            self.reports += 1
            numbers = [int(x) for x in found.groups()[1:]]
            self.last[found[1].decode()] = numbers[:4]
            self.longest = max(self.longest, numbers[4])
            self.hands = numbers[5]
            return
        part = body.split(b" ", 2)
        if len(part) >= 2 and part[1].isdigit():
            self.acks[int(part[1])] = part[2] if len(part) > 2 else b""

    def pump(self, seconds):
        """Takes what comes; returns after the first piece, or when nothing comes for so long."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        if not data:
            raise Gone("the machine has ended")
        self.log.write(data)
        if len(self.acks) > 1000:
            self.acks.clear()
        self.buffer += data
        if any(words in self.buffer for words in LAST_WORDS):
            raise Gone("panic")
        *lines, self.buffer = re.split(rb"[\r\n]+", self.buffer[-65536:])
        for line in lines:
            self._line(line)

    def send(self, verb, text):
        self.seq += 1
        self._send(verb, text)
        return self.seq

    def _send(self, verb, text):
        os.write(self.fd, summed(b"%s %d %s" % (verb.encode(), self.seq, text.encode())) + b"\n")

    def answered(self, seq, seconds):
        end = time.monotonic() + seconds
        while seq not in self.acks and (left := end - time.monotonic()) > 0:
            self.pump(left)
        return self.acks.pop(seq, None)

    def command(self, verb, text):
        """Until it is answered: the console may be damaged, and faultload restarts it when it is deaf. It is done once,
        however often it is sent."""
        end = time.monotonic() + SILENCE
        seq = self.send(verb, text)
        while time.monotonic() < end:
            answer = self.answered(seq, 1)
            if answer is not None:
                return answer
            os.write(self.fd, b"\n")
            self._send(verb, text)
        raise Gone(f"nobody answers {verb} {text}")

    def supervise(self, command):
        return self.command("s", command)


class Load:
    answers = wrong = errors = lost = 0

    def start(self):
        pass

    def stop(self):
        pass


class InMachine(Load):
    """One of faultload's."""

    def __init__(self, line, name, poke=None):
        self.line, self.name, self.poke = line, name, poke

    def start(self):
        self.line.command("t", self.name)
        self.mark()
        self.wait(1)

    def mark(self):
        self.from_reports, self.line.longest = self.line.reports, 0
        self.from_answers = self.line.last.get(self.name, [0])[0]
        if self.poke:
            self.poke()

    def wait(self, seconds):
        end = time.monotonic() + seconds
        while True:
            if self.name in self.line.last:
                self.answers, self.wrong, self.errors, self.lost = self.line.last[self.name]
            if self.line.reports >= self.from_reports + 2 and self.answers >= self.from_answers + ENOUGH:
                return True
            if time.monotonic() > end:
                return False
            if self.poke:
                self.poke()
            self.line.pump(SLICE if self.poke else min(seconds, 0.05))

    def longest(self):
        return self.line.longest


class Echo(Load):
    """The console itself: lines that faultload sends back."""

    AHEAD = 6

    def __init__(self, line):
        self.line, self.out, self.damaged = line, [], 0

    def start(self):
        self.line.command("t", "none")

    def mark(self):
        self.line.acks.clear()
        self.damaged, self.slowest, self.good = self.line.damaged, 0, 0
        self.last = self.asked = time.monotonic()
        self.out = [self._ask() for _ in range(self.AHEAD)]

    def _ask(self):
        text = "a line for the console and back again"
        self.asked = time.monotonic()
        return self.line.send("e", text), text.encode()

    def _take(self):
        """What has been answered. Answers come in order: who is passed over gets none."""
        for i, (seq, text) in enumerate(self.out):
            answer = self.line.acks.pop(seq, None)
            if answer is not None:
                now = time.monotonic()
                self.slowest, self.last = max(self.slowest, int((now - self.last) * 1e6)), now
                self.answers += 1
                self.good += 1
                self.wrong += answer != text
                self.lost += i
                self.out = self.out[i + 1:]
                return True
        return False

    def wait(self, seconds):
        end = time.monotonic() + seconds
        while self.good < ENOUGH or self.out:
            left = end - time.monotonic()
            if left <= 0:
                return False
            self.line.pump(min(left, 0.05))
            while self._take():
                pass
            if time.monotonic() - max(self.last, self.asked) > 0.1:
                os.write(self.line.fd, b"\n")  # whatever came of the line before
                self.out.append(self._ask())
        self.wrong += self.line.damaged - self.damaged
        self.damaged = self.line.damaged
        return True

    def longest(self):
        return self.slowest


class Frames(Load):
    """Frames over the network, which tests/cell/frameclient sends back."""

    AHEAD = 8

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            self.qemu = s.getsockname()
        self.number = 0

    def arguments(self):
        return ["-netdev", f"socket,id=n0,udp=127.0.0.1:{self.sock.getsockname()[1]},"
                           f"localaddr=127.0.0.1:{self.qemu[1]}",
                "-device", "virtio-net-device,netdev=n0,mac=52:54:00:12:34:56"]

    def close(self):
        self.sock.close()

    def _send(self):
        self.number += 1
        size = 60 + self.number * 37 % 1400
        self.sock.sendto(bytes.fromhex("525400123456" "020000000001" "88b6") +
                         struct.pack("<I", self.number) +
                         bytes((self.number + i) & 255 for i in range(size - 18)), self.qemu)

    def mark(self):
        self.sock.setblocking(False)
        try:
            while True:
                self.sock.recv(4096)
        except BlockingIOError:
            pass
        self.good, self.slowest, self.last = 0, 0, time.monotonic()
        self.first = self.number + 1
        for _ in range(self.AHEAD):
            self._send()

    def _take(self, got):
        if len(got) < 18 or got[12:14] != b"\x88\xb6":
            return
        number, = struct.unpack("<I", got[14:18])
        size = 60 + number * 37 % 1400
        want = bytes.fromhex("020000000001" "525400123456" "88b6") + got[14:18] + \
            bytes((number + i) & 255 for i in range(size - 18))
        if got[:size] != want:
            self.wrong += 1
        elif number < self.first:
            return
        now = time.monotonic()
        self.slowest, self.last = max(self.slowest, int((now - self.last) * 1e6)), now
        self.good += 1
        self.answers += 1

    def wait(self, seconds):
        end = time.monotonic() + seconds
        while self.good < self.AHEAD:
            if time.monotonic() > end:
                return False
            if select.select([self.sock], [], [], SLICE)[0]:
                self._take(self.sock.recv(4096))
            elif time.monotonic() - self.last > 0.002 and self.number - self.first < 100000:
                self._send()
        return True

    def longest(self):
        return self.slowest


class Random(Load):
    """tests/cell/randload's counters, in the machine's memory."""

    def __init__(self, g):
        self.guest = g
        self.at = guest.IMAGE + guest.symbols("cell/randload.elf")["randload"]
        self.base, self.now, self.place = [0] * 3, [0] * 3, (0, 0)
        self.look = 0

    def _place(self):
        """Where the counters are; another life has them elsewhere, and begins at 0."""
        life = self.guest.alive("randload")
        if not life:
            return None
        if life != self.place[0]:
            try:
                pages = self.guest.pages(self.guest.cell("randload"))
            except (guest.Torn, AttributeError):
                return None
            page = next((p for p in pages if p.virtual == self.at & ~4095), None)
            if page is None:
                return None
            self.base = [a + b for a, b in zip(self.base, self.now)]
            self.place = (life, page.at + (self.at & 4095))
        return self.place[1]

    def _counters(self):
        at = self._place()
        if at is None:
            return None
        words = struct.unpack("<6Q", self.guest.memory.read(at + 16, 48))
        self.now = list(words[:3])
        self.answers, self.wrong, self.errors = (a + b for a, b in zip(self.base, self.now))
        return words

    def _active(self, on):
        at = self._place()
        if at is not None:
            self.look += 1
            self.guest.memory.write(at, struct.pack("<2Q", on, self.look))

    def start(self):
        self._active(1)

    def stop(self):
        self._active(0)

    def mark(self):
        self._active(1)
        self._counters()
        self.first, self.slowest = self.answers, 0

    def wait(self, seconds):
        end = time.monotonic() + seconds
        while True:
            self._active_again()
            words = self._counters()
            if words and self.answers >= self.first + 3 * ENOUGH:
                self.slowest = words[3] // TICKS_OF_US
                return True
            if time.monotonic() > end:
                return False
            time.sleep(SLICE)

    def _active_again(self):
        """A new life rests until it is told."""
        at = self._place()
        if at is not None and not self.guest.word(at):
            self._active(1)

    def longest(self):
        return self.slowest


class Keys:
    """Presses keys through QEMU's control socket."""

    NAMES = [c for c in "abcdefghijklmnop"]

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(path)
        self.file = self.sock.makefile("rb")
        self.file.readline()
        self._do({"execute": "qmp_capabilities"})
        self.n = 0

    def _do(self, command):
        self.sock.sendall(json.dumps(command).encode() + b"\n")
        while True:
            line = self.file.readline()
            if not line:
                raise Gone("the machine has ended")
            if b'"return"' in line or b'"error"' in line:
                return

    def press(self):
        events = [{"type": "key", "data": {"down": down, "key": {
            "type": "qcode", "data": self.NAMES[self.n % len(self.NAMES)]}}} for down in (True, False)]
        self.n += 1
        for event in events:
            self._do({"execute": "input-send-event", "arguments": {"events": [event]}})

    def close(self):
        self.file.close()
        self.sock.close()


class Mirror(threading.Thread):
    """The other end of the second terminal: sends back what comes."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.start()

    def run(self):
        try:
            while data := self.sock.recv(4096):
                self.sock.sendall(data)
        except OSError:
            pass

    def close(self):
        self.sock.close()
