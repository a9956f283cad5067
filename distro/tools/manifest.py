"""The manifest of a cell in its source form: KDL nodes to the fields of bkdl.py, and back.
No program; kdl2bkdl.py uses it. docs/manifest.md has every key: meaning, unit, range, default.

    m = manifest.read(nodes)           a Manifest, or ManifestErrors with all that is wrong
    nodes = manifest.show(head, wants) the nodes that read() makes the same fields of
"""
import kdl
import re

import bkdl

# Device types of the virtio specification 1.2, section 5.
VIRTIO_IDS = {"network": 1, "block": 2, "console": 3, "entropy": 4, "balloon": 5, "rpmsg": 7, "scsi": 8,
              "9p": 9, "gpu": 16, "clock": 17, "input": 18, "socket": 19, "crypto": 20, "signal": 21,
              "pstore": 22, "iommu": 23, "memory": 24, "sound": 25, "fs": 26, "pmem": 27, "rpmb": 28,
              "scmi": 32, "i2c": 34, "watchdog": 35, "can": 36, "bluetooth": 40, "gpio": 41}

CHANNEL = ["read", "write", "send", "recv"]
# What a capability of this kind can be good for, and what is given when nothing is said.
RIGHTS_MOST = {"devmem": ["read", "write"], "irq": ["read", "recv"], "serve": CHANNEL + ["dma"],
               "use": CHANNEL + ["dma"], "archive": ["read"], "dma": ["read", "write", "dma"]}
RIGHTS_DEFAULT = dict(RIGHTS_MOST, serve=CHANNEL, use=CHANNEL)

WANT_KEYS = {"devmem": {"virtio"}, "irq": {"virtio"}, "serve": {"ring-slots", "pool-pages", "clients"},
             "use": set(), "archive": set(), "dma": {"pages", "kept"}}
COMMON_KEYS = {"slot", "at", "rights", "optional"}
SLOT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


class ManifestErrors(Exception):
    """All that is wrong: [(line, reason)], by line."""

    def __init__(self, errors):
        super().__init__(errors)
        self.errors = sorted(errors)


class Manifest:
    """What was read: head and wants as bkdl.pack takes them; names: the slot name of each want or None."""

    def __init__(self, head, wants, names):
        self.head, self.wants, self.names = head, wants, names


class Bad(Exception):
    """One mistake; the reader notes it and goes on with the next node."""


class Reader:
    def __init__(self):
        self.errors = []
        self.head = {"name": "", "tier": bkdl.TIERS.index("matter"), "placement": 0, "restart": 1,
                     "backoff_ms": 0, "pledge": 0, "window_gb": 1, "quota_pages": 0, "quota_fibers": 1,
                     "quota_spaces": 0, "quota_objects": 0, "heartbeat_ms": 0, "energy": 0, "flags": 0}
        self.wants, self.names, self.want_lines = [], [], []
        self.lines = {}  # key -> line where it stands
        self.trusted = False

    def error(self, line, reason):
        self.errors.append((line, reason))

    # ---- values ----

    def text(self, value, what):
        if not isinstance(value.value, str):
            raise Bad(f"{what} must be a string, not {kdl.write_value(value)[:40]}")
        return value.value

    def number(self, value, what, low, high):
        n = value.value
        if not isinstance(n, int) or isinstance(n, bool):
            raise Bad(f"{what} must be a whole number, not {kdl.write_value(value)[:40]}")
        if not low <= n <= high:
            raise Bad(f"{what} must be {low} to {high}, not {kdl.write_value(value)[:40]}")
        return n

    def flag(self, value, what):
        if not isinstance(value.value, bool):
            raise Bad(f"{what} must be #true or #false, not {kdl.write_value(value)[:40]}")
        return value.value

    def choice(self, value, what, names):
        name = self.text(value, what)
        if name not in names:
            raise Bad(f"{what} must be one of {', '.join(names)}, not {kdl.write_string(name)[:40]}")
        return names.index(name)

    def word(self, value, what):
        """A name that stands in the binary form."""
        name = self.text(value, what)
        if not name or len(name) > bkdl.TEXT_MAX:
            raise Bad(f"{what} must be 1 to {bkdl.TEXT_MAX} characters, not {len(name)}")
        if not bkdl.text_ok(name):
            raise Bad(f"{what} may have letters, digits and .,-_+ only")
        return name

    # ---- shape of nodes ----

    def props(self, node, known):
        """{key: Value} of a node whose keys are all known and stand once."""
        found = {}
        for key, value in node.props:
            if key not in known:
                raise Bad(f"{node.name} has no key {kdl.write_string(key)[:40]}" +
                          (f"; it has {', '.join(sorted(known))}" if known else ""))
            if key in found:
                raise Bad(f"{node.name}: key {key} stands twice")
            found[key] = value
        return found

    def shape(self, node, args, known=(), children=False):
        """The one argument of a node (args == 1) or None, and its properties."""
        if node.type is not None or any(v.type is not None for v in
                                        node.args + [v for _, v in node.props]):
            raise Bad(f"{node.name}: type annotations mean nothing here")
        if node.children and not children:
            raise Bad(f"{node.name} has no children")
        if args is not None and len(node.args) != args:
            raise Bad(f"{node.name} takes {'one argument' if args else 'no arguments'}, "
                      f"not {len(node.args)}")
        return (node.args[0] if args == 1 else None), self.props(node, known)

    # ---- keys of the head ----

    def tier(self, node):
        value, _ = self.shape(node, 1)
        self.head["tier"] = self.choice(value, "tier", bkdl.TIERS)

    def placement(self, node):
        value, props = self.shape(node, 1, {"trusted"})
        self.head["placement"] = self.choice(value, "placement", bkdl.PLACEMENTS)
        if "trusted" in props:
            self.trusted = self.flag(props["trusted"], "trusted")

    def restart(self, node):
        value, props = self.shape(node, 1, {"backoff"})
        self.head["restart"] = self.choice(value, "restart", bkdl.RESTARTS)
        if "backoff" in props:
            if self.head["restart"] == 0:
                raise Bad("a cell that is never restarted has no backoff")
            self.head["backoff_ms"] = self.number(props["backoff"], "backoff", 1, bkdl.BACKOFF_MS_MAX)

    def pledge(self, node):
        self.shape(node, None)
        names = [self.text(v, "a pledge") for v in node.args]
        if not names:
            raise Bad("pledge names no class of calls; without the key there are none")
        if names == ["all"]:
            names = bkdl.PLEDGES
        for n in names:
            if n not in bkdl.PLEDGES:
                raise Bad(f"unknown pledge {kdl.write_string(n)[:40]}; there are {', '.join(bkdl.PLEDGES)}, "
                          "or all alone")
        if len(set(names)) != len(names):
            raise Bad("a pledge stands twice")
        self.head["pledge"] = bkdl.mask_of(names, bkdl.PLEDGES)

    def window(self, node):
        value, _ = self.shape(node, 1)
        self.head["window_gb"] = self.number(value, "window", 1, bkdl.WINDOW_GB_MAX)

    def quota(self, node):
        _, props = self.shape(node, 0, {"pages", "fibers", "spaces", "objects"})
        if "pages" not in props:
            raise Bad("quota has no pages")
        if props["pages"].value != "all":
            if isinstance(props["pages"].value, str):
                raise Bad("quota pages must be a whole number or all")
            self.head["quota_pages"] = self.number(props["pages"], "quota pages", 1, bkdl.QUOTA_PAGES_MAX)
        for key, low, most in (("fibers", 1, bkdl.FIBERS_MAX), ("spaces", 0, bkdl.SPACES_MAX),
                               ("objects", 0, bkdl.OBJECTS_MAX)):
            if key in props:
                self.head["quota_" + key] = self.number(props[key], "quota " + key, low, most)

    def energy(self, node):
        value, _ = self.shape(node, 1)
        self.head["energy"] = self.number(value, "energy", 1, bkdl.ENERGY_MAX)

    def heartbeat(self, node):
        value, _ = self.shape(node, 1)
        self.head["heartbeat_ms"] = self.number(value, "heartbeat", 1, bkdl.HEARTBEAT_MS_MAX)

    def per_device(self, node):
        self.shape(node, 0)
        self.head["flags"] |= bkdl.PER_DEVICE

    # ---- wants ----

    def rights(self, kind, value):
        names = self.text(value, "rights").split()
        most = RIGHTS_MOST[kind]
        for n in names:
            if n not in bkdl.RIGHTS:
                raise Bad(f"unknown right {kdl.write_string(n)[:40]}")
            if n not in most:
                raise Bad(f"{kind} cannot have the right {n}; it can have {', '.join(most)}")
        if not names or len(set(names)) != len(names):
            raise Bad("rights must name some, each once")
        return names

    def slot(self, props):
        """(name or None, number or None) of a want's first slot."""
        if "slot" not in props:
            raise Bad("slot is missing: a name, or a number")
        if isinstance(props["slot"].value, str):
            name = props["slot"].value
            if not SLOT_NAME.fullmatch(name) or len(name) > 40:
                raise Bad("a slot's name is a letter, then letters, digits, - and _, 40 at most")
            number = self.number(props["at"], "at", 0, bkdl.SLOTS - 1) if "at" in props else None
            return name.upper().replace("-", "_"), number
        if "at" in props:
            raise Bad("at gives the number of a slot with a name")
        return None, self.number(props["slot"], "slot", 0, bkdl.SLOTS - 1)

    def device_id(self, what, props):
        if what != bkdl.VIRTIO:
            if "virtio" in props:
                raise Bad(f'virtio is a key of "{bkdl.VIRTIO}" only')
            return 0
        if "virtio" not in props:
            raise Bad(f'"{bkdl.VIRTIO}" needs virtio: the type of the device')
        v = props["virtio"]
        if isinstance(v.value, str):
            if v.value not in VIRTIO_IDS:
                raise Bad(f"unknown virtio device {kdl.write_string(v.value)[:40]}; "
                          f"there are {', '.join(VIRTIO_IDS)}, or a number")
            return VIRTIO_IDS[v.value]
        return self.number(v, "virtio", 1, bkdl.DEVICE_ID_MAX)

    def want(self, node):
        kind = node.name
        named = kind in ("devmem", "irq", "serve", "use")
        if named and not node.args:
            raise Bad(f"{kind} without " + ("a device" if kind in ("devmem", "irq") else "an interface"))
        value, props = self.shape(node, 1 if named else 0, WANT_KEYS[kind] | COMMON_KEYS)
        w = dict.fromkeys(bkdl.WANT_FIELDS, 0)
        w["kind"] = bkdl.KINDS.index(kind)
        w["what"] = self.word(value, "device" if kind in ("devmem", "irq") else "interface") if named else ""
        name, w["slot"] = self.slot(props)
        if kind in ("devmem", "irq"):
            w["device_id"] = self.device_id(w["what"], props)
        if kind == "serve":
            self.serve(w, props)
        if kind == "dma":
            if "pages" not in props:
                raise Bad("dma without pages")
            w["pool_pages"] = self.number(props["pages"], "pages", 1, bkdl.POOL_PAGES_MAX)
            if "kept" in props and self.flag(props["kept"], "kept"):
                w["flags"] |= bkdl.KEPT
        names = self.rights(kind, props["rights"]) if "rights" in props else RIGHTS_DEFAULT[kind]
        w["rights"] = bkdl.mask_of(names, bkdl.RIGHTS)
        if "optional" in props and self.flag(props["optional"], "optional"):
            w["flags"] |= bkdl.OPTIONAL
        if len(self.wants) == bkdl.WANTS:
            raise Bad(f"more than {bkdl.WANTS} wants")
        self.wants.append(w)
        self.names.append(name)
        self.want_lines.append(node.line)

    def serve(self, w, props):
        if "ring-slots" not in props:
            raise Bad("serve without ring-slots")
        n = self.number(props["ring-slots"], "ring-slots", bkdl.RING_SLOTS_MIN, bkdl.RING_SLOTS_MAX)
        if n & (n - 1):
            raise Bad(f"ring-slots must be a power of two, not {n}")
        w["ring_slots"], w["clients"] = n, 1
        if "pool-pages" in props:
            w["pool_pages"] = self.number(props["pool-pages"], "pool-pages", 0, bkdl.POOL_PAGES_MAX)
        if "clients" in props:
            w["clients"] = self.number(props["clients"], "clients", 1, bkdl.CLIENTS_MAX)

    # ---- slots ----

    def place(self):
        """Numbers for the slots: those that are given, then the lowest that are free, in order."""
        owner = {}
        names = {}
        for n, w in enumerate(self.wants):
            name, line = self.names[n], self.want_lines[n]
            for made in slot_names(name, w) if name else ():
                if made in names and names[made] != n:
                    self.error(line, f"slot name {made} is taken on line {self.want_lines[names[made]]}")
                names.setdefault(made, n)
            if w["slot"] is not None:
                self.claim(owner, n, w)
        for n, w in enumerate(self.wants):
            if w["slot"] is None:
                size = bkdl.slots_of(w)
                w["slot"] = next((s for s in range(bkdl.SLOTS - size + 1)
                                  if not any(k in owner for k in range(s, s + size))), None)
                if w["slot"] is None:
                    self.error(self.want_lines[n], f"no {size} slots in a row are free")
                    w["slot"] = 0
                else:
                    owner.update((k, n) for k in range(w["slot"], w["slot"] + size))

    def claim(self, owner, n, w):
        line, end = self.want_lines[n], w["slot"] + bkdl.slots_of(w)
        if end > bkdl.SLOTS:
            self.error(line, f"slots {w['slot']} to {end - 1}: there are {bkdl.SLOTS}")
            return
        for k in range(w["slot"], end):
            if k in owner:
                self.error(line, f"slot {k} is taken on line {self.want_lines[owner[k]]}")
                return
        owner.update((k, n) for k in range(w["slot"], end))

    # ---- what does not go together ----

    def conflicts(self, cell_line):
        h, pledge = self.head, set(bkdl.bits(self.head["pledge"], bkdl.PLEDGES))
        kinds = {bkdl.kind_of(w) for w in self.wants}
        quota, at_pledge = self.lines.get("quota", cell_line), self.lines.get("pledge", cell_line)
        spawns = "spawn" in pledge  # it may have a class of calls only to give it to others
        if "foreign" in pledge and not h["quota_spaces"] and not spawns:
            self.error(at_pledge, "pledge foreign is of no use without quota spaces")
        if "foreign" not in pledge and h["quota_spaces"]:
            self.error(quota, "quota spaces is of no use without pledge foreign")
        if "make" in pledge and not h["quota_objects"] and not spawns:
            self.error(at_pledge, "pledge make is of no use without quota objects")
        if "make" not in pledge and h["quota_objects"]:
            self.error(quota, "quota objects is of no use without pledge make")
        if h["placement"] == 1 and len(pledge) < len(bkdl.PLEDGES) and not self.trusted:
            self.error(self.lines["placement"], "no pledge can be enforced on a fused cell: pledge all, or say "
                       "trusted=#true")
        if h["flags"] and "devmem" not in kinds:
            self.error(self.lines["per-device"], "per-device without a devmem")
        if h["flags"] and len(h["name"]) > bkdl.PER_DEVICE_TEXT_MAX:
            self.error(self.lines["per-device"], "the cell's name is too long: a number is put behind it, "
                       f"so {bkdl.PER_DEVICE_TEXT_MAX} characters at most")
        for w, line in zip(self.wants, self.want_lines):
            self.want_conflicts(w, line, pledge, kinds)

    def want_conflicts(self, w, line, pledge, kinds):
        kind, names = bkdl.kind_of(w), bkdl.bits(w["rights"], bkdl.RIGHTS)
        if kind == "dma" and "dma" in names and "devmem" not in kinds:
            self.error(line, "DMA memory without a device")
        elif kind in ("serve", "use") and "dma" in names and "devmem" not in kinds:
            self.error(line, "right dma without a device")
        elif kind == "serve" and "dma" in names and not w["pool_pages"]:
            self.error(line, "right dma without a pool")
        if kind != "irq" and "map" not in pledge:
            self.error(line, f"{kind} is of no use without pledge map")
        if kind in ("irq", "serve", "use") and "ipc" not in pledge:
            self.error(line, f"{kind} is of no use without pledge ipc")
        if kind == "serve" and self.head["flags"] and len(w["what"]) > bkdl.PER_DEVICE_TEXT_MAX:
            self.error(line, "the interface's name is too long: a number is put behind it, "
                       f"so {bkdl.PER_DEVICE_TEXT_MAX} characters at most")
        for other, first in zip(self.wants, self.want_lines):
            if other is w:
                break
            served = "serve" in (kind, bkdl.kind_of(other))
            if served and other["what"] == w["what"] and bkdl.kind_of(other) in ("serve", "use") and \
                    kind in ("serve", "use"):
                self.error(line, f"{w['what']} is served by this cell " +
                           ("twice" if kind == bkdl.kind_of(other) else "and used by it") +
                           f", see line {first}")

    # ---- the whole ----

    KEYS = {"tier": tier, "placement": placement, "restart": restart, "pledge": pledge, "window": window,
            "quota": quota, "energy": energy, "heartbeat": heartbeat, "per-device": per_device}

    def key(self, node):
        if node.name in WANT_KEYS:
            self.want(node)
        elif node.name in self.KEYS:
            if node.name in self.lines:
                raise Bad(f"{node.name} stands twice, first on line {self.lines[node.name]}")
            self.lines[node.name] = node.line
            self.KEYS[node.name](self, node)
        else:
            raise Bad(f"unknown key {kdl.write_string(node.name)[:40]}")

    def cell(self, node):
        try:
            value, _ = self.shape(node, 1, children=True)
            name = self.word(value, "name")
            if name[0] in ".-":
                raise Bad("a cell's name does not begin with . or -")
            self.head["name"] = name
        except Bad as e:
            self.error(node.line, str(e))
        for child in node.children:
            try:
                self.key(child)
            except Bad as e:
                self.error(child.line, str(e))
        if "quota" not in self.lines:
            self.error(node.line, "the cell has no quota")
        if not self.errors:
            self.place()
            self.conflicts(node.line)


def slot_names(name, want):
    """The macros of a want's slots: {name: number behind the first slot}."""
    found = {f"SLOT_{name}": 0}
    if bkdl.kind_of(want) in ("serve", "use"):
        first, second = ("RX", "TX") if bkdl.kind_of(want) == "serve" else ("TX", "RX")
        found.update({f"SLOT_{name}_{first}": 0, f"SLOT_{name}_{second}": 1, f"SLOT_{name}_POOL": 2})
    return found


def read(nodes):
    r = Reader()
    cells = [n for n in nodes if n.name == "cell"]
    for n in nodes:
        if n.name != "cell":
            r.error(n.line, f"unknown node {kdl.write_string(n.name)[:40]}: a manifest is one node cell")
    for n in cells[1:]:
        r.error(n.line, f"a second cell, after line {cells[0].line}")
    if not cells:
        r.error(1, "there is no node cell")
    if not r.errors:
        r.cell(cells[0])
    if r.errors:
        raise ManifestErrors(r.errors)
    return Manifest(r.head, r.wants, r.names)


# ---- back ----

def node(name, *args, **props):
    return kdl.Node(name, args=[kdl.Value(a) for a in args],
                    props=[(k.replace("_", "-"), kdl.Value(v)) for k, v in props.items()])


def show_want(w):
    kind = bkdl.kind_of(w)
    n = node(kind, *([w["what"]] if w["what"] else []))

    def put(key, value):
        n.props.append((key, kdl.Value(value)))

    if w["device_id"]:
        put("virtio", next((k for k, v in VIRTIO_IDS.items() if v == w["device_id"]), w["device_id"]))
    put("slot", w["slot"])
    if kind == "serve":
        put("ring-slots", w["ring_slots"])
        if w["pool_pages"]:
            put("pool-pages", w["pool_pages"])
        if w["clients"] != 1:
            put("clients", w["clients"])
    if kind == "dma":
        put("pages", w["pool_pages"])
        if w["flags"] & bkdl.KEPT:
            put("kept", True)
    if w["rights"] != bkdl.mask_of(RIGHTS_DEFAULT[kind], bkdl.RIGHTS):
        put("rights", " ".join(bkdl.bits(w["rights"], bkdl.RIGHTS)))
    if w["flags"] & bkdl.OPTIONAL:
        put("optional", True)
    return n


def show(head, wants):
    h = head
    everything = h["pledge"] == (1 << len(bkdl.PLEDGES)) - 1
    cell = node("cell", h["name"])
    out = cell.children
    out.append(node("tier", bkdl.TIERS[h["tier"]]))
    out.append(node("placement", bkdl.PLACEMENTS[h["placement"]]))
    if h["placement"] == 1 and not everything:
        out[-1].props.append(("trusted", kdl.Value(True)))
    out.append(node("restart", bkdl.RESTARTS[h["restart"]],
                    **({"backoff": h["backoff_ms"]} if h["backoff_ms"] else {})))
    if h["pledge"]:
        out.append(node("pledge", *(["all"] if everything else bkdl.bits(h["pledge"], bkdl.PLEDGES))))
    out.append(node("window", h["window_gb"]))
    quota = {"pages": h["quota_pages"] or "all", "fibers": h["quota_fibers"]}
    quota.update({k: h["quota_" + k] for k in ("spaces", "objects") if h["quota_" + k]})
    out.append(node("quota", **quota))
    if h["energy"]:
        out.append(node("energy", h["energy"]))
    if h["heartbeat_ms"]:
        out.append(node("heartbeat", h["heartbeat_ms"]))
    if h["flags"] & bkdl.PER_DEVICE:
        out.append(node("per-device"))
    out += [show_want(w) for w in wants]
    return [cell]
