"""The physical memory of a running QEMU machine, through its gdb stub.

Writes go the way a device's would, so that QEMU forgets code it has translated from there. While a
`with gdb.stopped():` block runs, the machine stands still.
"""
import contextlib
import socket
import time

CHUNK = 1024  # bytes in one packet, well below what the stub takes


class Gdb:
    def __init__(self, path, timeout=10):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(timeout)
        deadline = time.monotonic() + timeout
        while True:
            try:
                self.sock.connect(path)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        self.buffer = b""
        # Connecting stops the machine, which may say so before it answers.
        self._send(b"Qqemu.PhyMemMode:1")
        while (answer := self._packet()).startswith(b"T"):
            pass
        if answer != b"OK":
            raise RuntimeError("this QEMU's gdb stub knows no physical memory")
        self._send(b"c")

    def close(self):
        self.sock.close()

    def _send(self, data):
        self.sock.sendall(b"$" + data + b"#%02x" % (sum(data) & 0xff))

    def _byte(self):
        if not self.buffer:
            self.buffer = self.sock.recv(65536)
            if not self.buffer:
                raise EOFError("the machine is gone")
        byte, self.buffer = self.buffer[:1], self.buffer[1:]
        return byte

    def _packet(self):
        while self._byte() != b"$":
            pass
        data = b""
        while (byte := self._byte()) != b"#":
            data += byte
        self._byte(), self._byte()
        self.sock.sendall(b"+")
        return data

    def _ask(self, data):
        self._send(data)
        return self._packet()

    @contextlib.contextmanager
    def stopped(self):
        self.sock.sendall(b"\x03")
        self._packet()
        try:
            yield self
        finally:
            self._send(b"c")

    def read(self, address, size):
        data = b""
        while len(data) < size:
            want = min(CHUNK, size - len(data))
            answer = self._ask(b"m%x,%x" % (address + len(data), want))
            if answer.startswith(b"E") or not answer:
                raise ValueError(f"no memory at {address + len(data):#x}")
            data += bytes.fromhex(answer.decode())
        return data

    def write(self, address, data):
        for at in range(0, len(data), CHUNK):
            part = data[at:at + CHUNK]
            if self._ask(b"M%x,%x:%s" % (address + at, len(part), part.hex().encode())) != b"OK":
                raise ValueError(f"memory at {address + at:#x} cannot be written")
