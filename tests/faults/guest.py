"""What is in a running Nexus, seen from outside: its cells, and the pages each of them has.

Only for tests that damage memory on purpose. They read through gdb.Gdb, with the machine standing still,
or through a file that QEMU shares with us (Memory.arguments()), which takes no time; the nucleus' own structures are found by its symbols
(build/nucleus.elf) and the offsets in build/tests/faults/offsets.o. What runs meanwhile may be half
changed: Torn is raised for what makes no sense, and the machine has to stand still (gdb.py) for an
answer that must be right.
"""
import mmap
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
IMAGE, IMAGE_END = WINDOW + 0x200000, WINDOW + 0x10000000
STACK, STACK_END = WINDOW + 0x80000, WINDOW + 0x100000
PTE_V, PTE_R, PTE_W, PTE_X, PTE_SHARED = 1, 2, 4, 8, 0x200
RING_MAGIC_AT, RING_MAGIC = 128, b"NXRG"  # nx/ring.h


class Torn(Exception):
    """The nucleus is just changing this."""


def physical(address):
    if address >= IMAGE_VIRTUAL:
        return address - IMAGE_VIRTUAL + IMAGE_PHYSICAL
    return address - DIRECT


def symbols(elf):
    out = subprocess.run([CROSS + "nm", os.path.join(BUILD, elf)], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    return {name: int(value, 16) for value, _, name in (line.split() for line in out.splitlines())}


class Memory:
    """The machine's memory, addressed as the machine does."""

    def __init__(self, path, mib):
        self.path, self.size = path, mib << 20
        with open(path, "wb") as f:
            f.truncate(self.size)
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), self.size)

    def arguments(self):
        return ["-object", f"memory-backend-file,id=ram,size={self.size},mem-path={self.path},share=on",
                "-machine", "memory-backend=ram"]

    def _at(self, address, size):
        at = address - IMAGE_PHYSICAL
        if at < 0 or at + size > self.size:
            raise Torn(f"no memory at {address:#x}")
        return at

    def read(self, address, size):
        at = self._at(address, size)
        return self.map[at:at + size]

    def write(self, address, data):
        """Not for code: QEMU has translated it and would not notice."""
        at = self._at(address, len(data))
        self.map[at:at + len(data)] = data

    def close(self):
        self.map.close()
        os.unlink(self.path)


class Page:
    """One resident page of a cell's window. kind: text, constant, data, shared."""

    def __init__(self, virtual, at, bits):
        self.virtual, self.at = virtual, at
        # Of the image some pages are kept for the next life, and the nucleus' own are below it: both are
        # SHARED and seen by nobody else.
        self.kind = ("text" if bits & PTE_X else "shared" if bits & PTE_SHARED and virtual >= IMAGE_END else
                     "data" if bits & PTE_W else "constant")


class Cell:
    def __init__(self, name, generation, running, root):
        self.name, self.generation, self.running, self.root = name, generation, running, root


class Guest:
    def __init__(self, memory):
        """memory: whatever can read(address, size)."""
        self.memory = memory
        self.cells_list = symbols("nucleus.elf")["cells"]
        raw = subprocess.run([CROSS + "objcopy", "-O", "binary", "-j", ".rodata.nx_offsets",
                              os.path.join(BUILD, "tests/faults/offsets.o"), "/dev/stdout"], check=True,
                             stdout=subprocess.PIPE).stdout
        self.off = dict(zip(FIELDS, struct.unpack(f"<{len(raw) // 8}Q", raw)))

    def word(self, address):
        return struct.unpack("<Q", self.memory.read(address, 8))[0]

    def cells(self):
        """All cells."""
        found = []
        at = self.word(physical(self.cells_list))
        while at != self.cells_list and len(found) < 256:
            cell = physical(at) - self.off["link"]
            name = self.memory.read(cell + self.off["name"], 32).split(b"\0")[0]
            generation, = struct.unpack("<I", self.memory.read(cell + self.off["generation"], 4))
            state, = struct.unpack("<I", self.memory.read(cell + self.off["state"], 4))
            found.append(Cell(name.decode("ascii", "replace"), generation, state == self.off["running"],
                              self.word(cell + self.off["root"])))
            at = self.word(physical(at))
        return found

    def cell(self, name):
        """The running life of this cell, or None."""
        return next((c for c in self.cells() if c.name == name and c.running), None)

    def alive(self, name):
        """The generation of its running life, 0: none, None: cannot be told now. The machine may run."""
        try:
            cell = self.cell(name)
        except Torn:
            return None
        return cell.generation if cell is not None else 0

    def pages(self, cell):
        """Resident pages of its window that are memory, not device registers."""
        found = []

        def walk(table, level, virtual):
            for i, entry in enumerate(struct.unpack("<512Q", self.memory.read(table, 4096))):
                if not entry & PTE_V:
                    continue
                at = (entry >> 10 << 12) & 0xfffffffffff000
                here = virtual | i << (12 + 9 * level)
                if entry & (PTE_R | PTE_W | PTE_X):
                    if level == 0 and at >= IMAGE_PHYSICAL:
                        found.append(Page(here, at, entry))
                elif level > 0:
                    walk(at, level - 1, here)

        top = struct.unpack("<512Q", self.memory.read(cell.root, 4096))
        for i, entry in enumerate(top):  # of the root only what belongs to the window
            virtual = (i << 30) | 0xffffff8000000000
            if entry & PTE_V and WINDOW <= virtual < DIRECT and i >= 256:
                walk((entry >> 10 << 12) & 0xfffffffffff000, 1, virtual)
        return found

    def regions(self, cell):
        """What of a cell may be damaged: {kind: [[page, ...], ...]}, a list for each mapping.

        text, constant, data: of its image; stack; ring; queue: a virtio driver's memory for its device;
        shared: all else that others see. Not the SysTable and the info page, which are the nucleus' own."""
        found, last = {}, None
        for page in sorted(self.pages(cell), key=lambda p: p.virtual):
            if page.kind == "shared":
                kind = "shared"
            elif STACK <= page.virtual < STACK_END:
                kind = "stack"
            elif IMAGE <= page.virtual < IMAGE_END:
                kind = page.kind
            else:
                continue
            if kind == "shared" and last and last[0] == kind and page.virtual == last[1][-1].virtual + 4096:
                last[1].append(page)
            elif kind == "shared":
                last = (kind, [page])
                found.setdefault(kind, []).append(last[1])
            else:
                found.setdefault(kind, [[]])[0].append(page)
        shared = found.pop("shared", [])
        if cell.name.startswith("virtio_") and shared:
            found["queue"] = [shared.pop(0)]  # drivers/lib/driver.c maps it first
        for run in shared:
            magic = self.memory.read(run[0].at + RING_MAGIC_AT, 4)
            found.setdefault("ring" if magic == RING_MAGIC else "shared", []).append(run)
        return found
