"""BKDL, the binary form of a cell's manifest: struct nx_manifest of nucleus/abi/nx/manifest.h.
No program; kdl2bkdl.py uses it.

    data = bkdl.pack(head, wants)     head and wants: dicts of the fields below
    head, wants = bkdl.unpack(data)   or ValueError with the reason, for bytes that break a rule
    data = bkdl.section(elf)          the .nexus.manifest of a cell's image, or ValueError

unpack checks what lib/manifest.c checks; tests/tools/manifest_compile.py holds one against the other, and the
numbers here against the headers. docs/manifest.md says what everything means.
"""
import struct

MAGIC = b"NXBKDL01"
HEAD = struct.Struct("<8s32sIIIIIIQIIIIQII24s")
WANT = struct.Struct("<IIIIIIII32s")
WANTS = 24
SIZE = HEAD.size + WANTS * WANT.size

HEAD_FIELDS = ["name", "tier", "placement", "restart", "backoff_ms", "pledge", "window_gb", "quota_pages",
               "quota_fibers", "quota_spaces", "quota_objects", "heartbeat_ms", "energy", "flags"]
WANT_FIELDS = ["kind", "slot", "rights", "flags", "ring_slots", "pool_pages", "clients", "device_id", "what"]

TIERS = ["photon", "matter", "gravity", "void"]
PLACEMENTS = ["isolated", "fused"]
RESTARTS = ["never", "always"]
KINDS = ["none", "devmem", "irq", "serve", "use", "archive", "dma"]
PLEDGES = ["spawn", "make", "map", "grant", "ipc", "time", "foreign", "meta", "debug"]
RIGHTS = ["read", "write", "exec", "send", "recv", "grant", "revoke", "kill", "dma", "lend"]
PER_DEVICE = 1  # of the head's flags
OPTIONAL = 1    # of a want's flags
KEPT = 2        # of a dma's flags

SLOTS = 64
CLIENTS_MAX = 8
WINDOW_GB_MAX = 16
QUOTA_PAGES_MAX = 1 << 36
FIBERS_MAX = SPACES_MAX = 65535
OBJECTS_MAX = 1 << 20
BACKOFF_MS_MAX = 60000
HEARTBEAT_MS_MAX = 3600000
POOL_PAGES_MAX = 65536
RING_SLOTS_MIN, RING_SLOTS_MAX = 2, 256
DEVICE_ID_MAX = 255
TEXT_MAX = 31
PER_DEVICE_TEXT_MAX = 27
ENERGY_MAX = (1 << 64) - 1

TEXT = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,-_+")
VIRTIO = "virtio,mmio"


def kind_of(want):
    return KINDS[want["kind"]]


def slots_of(want):
    """How many slots a want takes."""
    return {"serve": 3 * want["clients"], "use": 3}.get(kind_of(want), 1)


def bits(mask, names):
    """The names of a mask's bits."""
    return [name for n, name in enumerate(names) if mask >> n & 1]


def mask_of(names, all_names):
    return sum(1 << all_names.index(n) for n in set(names))


def text_ok(text):
    return 0 < len(text) <= TEXT_MAX and all(c in TEXT for c in text)


def pack(head, wants):
    def encoded(field, value):
        return value.encode() if field in ("name", "what") else value

    data = HEAD.pack(MAGIC, *(encoded(f, head[f]) for f in HEAD_FIELDS), len(wants), bytes(24))
    for w in wants:
        data += WANT.pack(*(encoded(f, w[f]) for f in WANT_FIELDS))
    return data + bytes(SIZE - len(data))


def take_text(raw, what):
    """A NUL-padded text field."""
    text, _, rest = raw.partition(b"\0")
    if len(text) == len(raw) or any(rest) or any(chr(c) not in TEXT for c in text):
        raise ValueError(what)
    return text.decode()


def must(good, reason):
    if not good:
        raise ValueError(reason)


def check_head(h):
    must(h["name"] and h["name"][0] not in ".-", "name")
    must(h["tier"] < len(TIERS), "tier")
    must(h["placement"] < len(PLACEMENTS), "placement")
    must(h["restart"] < len(RESTARTS), "restart")
    must(h["backoff_ms"] <= BACKOFF_MS_MAX and (h["restart"] != 0 or h["backoff_ms"] == 0), "backoff")
    must(h["pledge"] < 1 << len(PLEDGES), "pledge")
    must(1 <= h["window_gb"] <= WINDOW_GB_MAX, "window")
    must(h["flags"] <= PER_DEVICE, "flags")
    must(not h["flags"] or len(h["name"]) <= PER_DEVICE_TEXT_MAX, "name is too long for several cells")
    must(h["quota_pages"] <= QUOTA_PAGES_MAX, "quota of pages")
    must(1 <= h["quota_fibers"] <= FIBERS_MAX, "quota of fibers")
    must(h["quota_spaces"] <= SPACES_MAX, "quota of spaces")
    must(h["quota_objects"] <= OBJECTS_MAX, "quota of objects")
    must(h["heartbeat_ms"] <= HEARTBEAT_MS_MAX, "heartbeat")


def check_want(h, w):
    must(0 < w["kind"] < len(KINDS), "kind of a want")
    must(w["rights"] < 1 << len(RIGHTS), "rights")
    must(w["flags"] & ~(OPTIONAL | KEPT if kind_of(w) == "dma" else OPTIONAL) == 0, "flags of a want")
    kind = kind_of(w)
    device = kind in ("devmem", "irq")
    must(bool(w["what"]) == (device or kind in ("serve", "use")), "what a want names")
    must(kind != "serve" or not h["flags"] or len(w["what"]) <= PER_DEVICE_TEXT_MAX,
         "interface is too long for several cells")
    must(w["device_id"] <= DEVICE_ID_MAX and bool(w["device_id"]) == (device and w["what"] == VIRTIO),
         "virtio device id")
    if kind == "serve":
        n = w["ring_slots"]
        must(RING_SLOTS_MIN <= n <= RING_SLOTS_MAX and n & (n - 1) == 0, "ring slots")
        must(1 <= w["clients"] <= CLIENTS_MAX, "clients")
    else:
        must(w["ring_slots"] == 0, "ring slots")
        must(w["clients"] == 0, "clients")
    must(w["pool_pages"] <= POOL_PAGES_MAX, "pool pages")
    must(w["pool_pages"] > 0 if kind == "dma" else w["pool_pages"] == 0 or kind == "serve", "pool pages")
    must(w["slot"] + slots_of(w) <= SLOTS, "slot")


def check(h, wants):
    """Every rule of the binary form that is not about bytes that must be zero."""
    check_head(h)
    taken, serves, uses = set(), [], []
    for w in wants:
        check_want(h, w)
        mine = set(range(w["slot"], w["slot"] + slots_of(w)))
        must(not taken & mine, "two wants for one slot")
        taken |= mine
        if kind_of(w) == "serve":
            serves.append(w["what"])
        elif kind_of(w) == "use":
            uses.append(w["what"])
    must(len(serves) == len(set(serves)), "it serves one interface twice")
    must(not set(serves) & set(uses), "it uses what it serves itself")
    device = any(kind_of(w) == "devmem" for w in wants)
    must(device or not h["flags"], "one cell for each device, and no device")
    must(device or not any("dma" in bits(w["rights"], RIGHTS) for w in wants),
         "right to DMA, and no device")


def unpack(data):
    must(len(data) == SIZE, f"{len(data)} bytes, not {SIZE}")
    magic, *values, count, zero = HEAD.unpack_from(data)
    must(magic == MAGIC, "magic")
    must(not any(zero), "reserved bytes")
    must(count <= WANTS, "number of wants")
    head = dict(zip(HEAD_FIELDS, values))
    head["name"] = take_text(head["name"], "name")
    wants = []
    for n in range(count):
        w = dict(zip(WANT_FIELDS, WANT.unpack_from(data, HEAD.size + n * WANT.size)))
        w["what"] = take_text(w["what"], "what a want names")
        wants.append(w)
    must(not any(data[HEAD.size + count * WANT.size:]), "a want that is not counted")
    check(head, wants)
    return head, wants


def section(elf):
    """The bytes of section .nexus.manifest of an ELF64 file, little endian."""
    try:
        must(elf[:6] == b"\x7fELF\x02\x01", "no ELF64 file")
        at, = struct.unpack_from("<Q", elf, 40)
        size, count, names = struct.unpack_from("<HHH", elf, 58)
        must(size == 64 and names < count, "no section headers")
        heads = [struct.unpack_from("<IIQQQQ", elf, at + n * size) for n in range(count)]
        for name, _, _, _, offset, length in heads:
            start = heads[names][4] + name
            if elf[start:start + 16] == b".nexus.manifest\0":
                must(offset + length <= len(elf), "section .nexus.manifest is cut off")
                return elf[offset:offset + length]
    except struct.error:
        pass
    raise ValueError("no section .nexus.manifest")
