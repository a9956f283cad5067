"""The machine of the fault campaign: all devices, what keeps each of them busy, and the ways in from
outside. One Rig is one boot; Target says which load tells how a cell works."""
import os
import struct

import console
import gdb
import guest
import loads

MEM = 192  # MiB
BLOCKS = 4096
CELLS = ("frameclient", "randload")
TARGETS = ("virtio_blk0", "virtio_rng", "virtio_console", "virtio_gpu", "virtio_input0", "virtio_net0",
           "uart16550", "logd", "rngd")
# Whose hang looks like the target's.
BEHIND = {"rngd": "virtio_rng"}


def make_disk(path):
    with open(path, "wb") as f:
        for b in range(BLOCKS):
            f.write(struct.pack("<Q", b) * 512)


class Rig:
    def __init__(self, work, smp):
        self.parts = []
        try:
            self._boot(work, smp)
        except BaseException:
            self.close()
            raise

    def _keep(self, part):
        self.parts.append(part)
        return part

    def _boot(self, work, smp):
        path = {name: os.path.join(work, name) for name in ("gdb", "hvc", "qmp", "disk", "memory")}
        for name in ("gdb", "hvc", "qmp"):
            if os.path.exists(path[name]):
                os.unlink(path[name])
        make_disk(path["disk"])
        with open(os.path.join(guest.BUILD, "tests/posix/faultload"), "rb") as f:
            program = f.read()
        self.memory = self._keep(guest.Memory(path["memory"], MEM))
        frames = self._keep(loads.Frames())
        with console.folder({"/t/faultload": program}) as extra:
            self.machine = self._keep(console.Machine(
                smp, MEM, extra=extra,
                cells=[os.path.join(guest.BUILD, "tests/cells", name + ".cell") for name in CELLS],
                more=self.memory.arguments() + frames.arguments() + self._devices(path)))
        self.guest = guest.Guest(self.memory)
        self.gdb = self._keep(gdb.Gdb(path["gdb"]))
        keys = self._keep(loads.Keys(path["qmp"]))
        self._keep(loads.Mirror(path["hvc"]))
        self.machine.send("/t/faultload\r")
        self.machine.expect(r"ready\*[0-9a-f]{2}", 20)
        self.line = loads.Line(self.machine)
        self.loads = {
            "virtio_blk0": loads.InMachine(self.line, "disk"), "virtio_rng": loads.InMachine(self.line, "rng"),
            "virtio_console": loads.InMachine(self.line, "hvc"), "virtio_gpu": loads.InMachine(self.line, "fb"),
            "virtio_input0": loads.InMachine(self.line, "input", keys.press), "virtio_net0": frames,
            "uart16550": loads.Echo(self.line), "logd": loads.InMachine(self.line, "log"),
            "rngd": loads.Random(self.guest)}

    @staticmethod
    def _devices(path):
        return ["-drive", f"file={path['disk']},if=none,id=d0,format=raw",
                "-device", "virtio-blk-device,drive=d0",
                "-device", "virtio-gpu-device", "-device", "virtio-keyboard-device",
                "-device", "virtio-serial-device",
                "-chardev", f"socket,id=hvc,path={path['hvc']},server=on,wait=off",
                "-device", "virtconsole,chardev=hvc",
                "-qmp", f"unix:{path['qmp']},server=on,wait=off",
                "-chardev", f"socket,id=gdb,path={path['gdb']},server=on,wait=off", "-gdb", "chardev:gdb"]

    def close(self):
        for part in reversed(self.parts):
            part.close()
        self.parts = []
