"""What is in a running Nexus, seen from outside: its cells, and the pages each of them has.

Only for tests that damage memory on purpose. The nucleus' own structures are found by its symbols
(build/nucleus.elf) and the offsets in build/tests/faults/offsets.o.
"""
import os
import struct
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, "build")
CROSS = "riscv64-linux-gnu-"
FIELDS = ("link", "name", "generation", "state", "root", "running")

IMAGE_VIRTUAL = 0xffffffff80000000  # nucleus.ld: the image's addresses are physical ones plus this
DIRECT = 0xffffffd000000000         # nx/layout.h: all physical memory
IMAGE_PHYSICAL = 0x80000000         # where QEMU's virt has its memory
WINDOW = 0xffffffc000000000
PTE_V, PTE_R, PTE_W, PTE_X, PTE_SHARED = 1, 2, 4, 8, 0x200


def physical(address):
    if address >= IMAGE_VIRTUAL:
        return address - IMAGE_VIRTUAL + IMAGE_PHYSICAL
    return address - DIRECT


class Page:
    """One resident page of a cell's window. kind: text, constant, data, shared."""

    def __init__(self, virtual, at, bits):
        self.virtual, self.at = virtual, at
        self.kind = ("text" if bits & PTE_X else "shared" if bits & PTE_SHARED else
                     "data" if bits & PTE_W else "constant")


class Cell:
    def __init__(self, name, generation, running, root):
        self.name, self.generation, self.running, self.root = name, generation, running, root


class Guest:
    def __init__(self, gdb):
        self.gdb = gdb
        out = subprocess.run([CROSS + "nm", os.path.join(BUILD, "nucleus.elf")], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
        symbols = {name: int(value, 16) for value, _, name in (line.split() for line in out.splitlines())}
        self.cells_list = symbols["cells"]
        raw = subprocess.run([CROSS + "objcopy", "-O", "binary", "-j", ".rodata.nx_offsets",
                              os.path.join(BUILD, "tests/faults/offsets.o"), "/dev/stdout"], check=True,
                             stdout=subprocess.PIPE).stdout
        self.off = dict(zip(FIELDS, struct.unpack(f"<{len(raw) // 8}Q", raw)))

    def word(self, address):
        return struct.unpack("<Q", self.gdb.read(address, 8))[0]

    def cells(self):
        """All cells; the machine must be stopped."""
        found = []
        at = self.word(physical(self.cells_list))
        while at != self.cells_list and len(found) < 256:
            cell = physical(at) - self.off["link"]
            name = self.gdb.read(cell + self.off["name"], 32).split(b"\0")[0].decode()
            generation, state = struct.unpack("<II", self.gdb.read(cell + self.off["generation"], 4) +
                                              self.gdb.read(cell + self.off["state"], 4))
            found.append(Cell(name, generation, state == self.off["running"],
                              self.word(cell + self.off["root"])))
            at = self.word(physical(at))
        return found

    def cell(self, name):
        """The running life of this cell, or None."""
        return next((c for c in self.cells() if c.name == name and c.running), None)

    def pages(self, cell):
        """Resident pages of its window that are memory, not device registers."""
        found = []

        def walk(table, level, virtual):
            entries = struct.unpack("<512Q", self.gdb.read(table, 4096))
            for i, entry in enumerate(entries):
                at = (entry >> 10 << 12) & 0xfffffffffff000
                here = virtual | i << (12 + 9 * level)
                if not entry & PTE_V:
                    continue
                if entry & (PTE_R | PTE_W | PTE_X):
                    if level == 0 and at >= IMAGE_PHYSICAL:
                        found.append(Page(here, at, entry))
                elif level > 0:
                    walk(at, level - 1, here)

        top = struct.unpack("<512Q", self.gdb.read(cell.root, 4096))
        for i, entry in enumerate(top):  # of the root only what belongs to the window
            virtual = (i << 30) | 0xffffff8000000000
            if entry & PTE_V and WINDOW <= virtual < DIRECT and i >= 256:
                walk((entry >> 10 << 12) & 0xfffffffffff000, 1, virtual)
        return found
