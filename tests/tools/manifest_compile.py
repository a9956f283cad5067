#!/usr/bin/env python3
"""The compiler of manifests, distro/tools/kdl2bkdl.py: what a manifest becomes, what is refused and on
which line, and that it agrees with the C check of the binary form, lib/manifest.c, on everything.

    manifest_compile.py [SEED]     speaks TAP; the seed of the random parts is printed
"""
import ctypes
import glob
import os
import random
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOL = os.path.join(TOP, "distro", "tools", "kdl2bkdl.py")
sys.path.insert(0, os.path.join(TOP, "distro", "tools"))
import bkdl  # noqa: E402
import kdl  # noqa: E402
import manifest  # noqa: E402

failures = 0
work = None
c_check = None  # bytes -> None or the reason


def check(name, problems):
    """problems: a list of what is wrong."""
    global failures
    for p in problems[:10]:
        print("#   " + p.replace("\n", "\\n"))
    print(("not ok" if problems else "ok") + f" - {name}", flush=True)
    failures += bool(problems)


def compiled(text):
    """The bytes of a manifest, or its list of (line, reason)."""
    try:
        m = manifest.read(kdl.parse(text))
    except kdl.KdlError as e:
        return [(e.line, e.reason)]
    except manifest.ManifestErrors as e:
        return e.errors
    return bkdl.pack(m.head, m.wants)


def tool(*args):
    done = subprocess.run([sys.executable, TOOL, *args], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def write(name, text):
    path = os.path.join(work, name)
    with open(path, "w" if isinstance(text, str) else "wb") as f:
        f.write(text)
    return path


def read(path):
    with open(path, "rb") as f:
        return f.read()


# ---- the C side ----

def load_c():
    """lib/manifest.c as a library of this host."""
    global c_check
    library = os.path.join(work, "manifest.so")
    subprocess.run(["gcc", "-std=gnu11", "-O1", "-shared", "-fPIC", "-DNX_HOST", "-D_GNU_SOURCE",
                    "-I" + TOP + "/lib/include", "-I" + TOP + "/nucleus/abi", "-o", library,
                    TOP + "/lib/manifest.c"], check=True)
    function = ctypes.CDLL(library).nx_manifest_check
    function.restype = ctypes.c_char_p
    function.argtypes = [ctypes.c_char_p]

    def call(data):
        said = function(ctypes.create_string_buffer(data, bkdl.SIZE).raw)
        return said.decode() if said is not None else None
    c_check = call


def numbers():
    """Every number that stands in bkdl.py too, asked of the headers."""
    pairs = {"sizeof(struct nx_manifest)": bkdl.SIZE, "sizeof(struct nx_want)": bkdl.WANT.size,
             "NX_MANIFEST_MAGIC": int.from_bytes(bkdl.MAGIC, "little"), "NX_MANIFEST_WANTS": bkdl.WANTS,
             "NX_SLOTS": bkdl.SLOTS, "NX_SERVE_CLIENTS_MAX": bkdl.CLIENTS_MAX, "NX_TIERS": len(bkdl.TIERS),
             "NX_PLACEMENTS": len(bkdl.PLACEMENTS), "NX_RESTARTS": len(bkdl.RESTARTS),
             "NX_WANT_KINDS": len(bkdl.KINDS), "NX_PLEDGE_ALL": (1 << len(bkdl.PLEDGES)) - 1,
             "NX_R_ALL": (1 << len(bkdl.RIGHTS)) - 1, "NX_WANT_OPTIONAL": bkdl.OPTIONAL,
             "NX_MANIFEST_PER_DEVICE": bkdl.PER_DEVICE, "NX_WINDOW_GB_MAX": bkdl.WINDOW_GB_MAX}
    for name in ("QUOTA_PAGES_MAX", "FIBERS_MAX", "SPACES_MAX", "OBJECTS_MAX", "BACKOFF_MS_MAX",
                 "HEARTBEAT_MS_MAX", "POOL_PAGES_MAX", "RING_SLOTS_MIN", "RING_SLOTS_MAX", "DEVICE_ID_MAX",
                 "PER_DEVICE_TEXT_MAX"):
        pairs["NX_MANIFEST_" + name] = getattr(bkdl, name)
    for prefix, names in (("NX_TIER_", bkdl.TIERS), ("NX_RESTART_", bkdl.RESTARTS), ("NX_WANT_", bkdl.KINDS),
                          ("NX_PLACE_", bkdl.PLACEMENTS)):
        pairs.update({prefix + n.upper(): i for i, n in enumerate(names)})
    for prefix, names in (("NX_PLEDGE_", bkdl.PLEDGES), ("NX_R_", bkdl.RIGHTS)):
        pairs.update({prefix + n.upper(): 1 << i for i, n in enumerate(names)})
    for struct, layout, fields in (("nx_manifest", bkdl.HEAD, ["magic"] + bkdl.HEAD_FIELDS + ["want_count", "zero"]),
                                   ("nx_want", bkdl.WANT, bkdl.WANT_FIELDS)):
        at = 0
        for code, field in zip(re.findall(r"\d*[sIQ]", layout.format), fields):
            pairs[f"offsetof(struct {struct}, {field})"] = at
            at += 4 if code == "I" else 8 if code == "Q" else int(code[:-1])
    lines = "".join(f'    printf("%lu\\n", (unsigned long)({c}));\n' for c in pairs)
    source = write("numbers.c", "#include <nx_manifest.h>\n#include <nx/layout.h>\n#include <nx/types.h>\n"
                   f"#include <stddef.h>\n#include <stdio.h>\nint main(void)\n{{\n{lines}}}\n")
    program = os.path.join(work, "numbers")
    subprocess.run(["gcc", "-DNX_HOST", "-I" + TOP + "/lib/include", "-I" + TOP + "/nucleus/abi", "-o", program,
                    source], check=True)
    said = subprocess.run([program], check=True, capture_output=True, text=True).stdout.split()
    check("names, numbers and layout are those of the C headers",
          [f"{c} is {n}, not {want}" for (c, want), n in zip(pairs.items(), said) if int(n) != want])


# ---- what is taken ----

FULL = """\
// All keys.
cell "disk" {
    tier gravity
    placement fused trusted=#true
    restart always backoff=0x64
    pledge map ipc foreign
    window 3
    quota pages=1_000 fibers=2 spaces=4
    energy 5000
    heartbeat 250
    per-device
    devmem "virtio,mmio" virtio=block slot=regs
    irq "virtio,mmio" virtio=2 slot=irq rights="recv"
    dma slot=dma-area pages=16 rights="read dma"
    serve block slot=client ring-slots=64 pool-pages=512 clients=2 rights="read write send recv dma" at=10
    use log slot=20 optional=#true
    archive slot=5
}
"""


def everything():
    data = compiled(FULL)
    want_head = {"name": "disk", "tier": 2, "placement": 1, "restart": 1, "backoff_ms": 100,
                 "pledge": 4 | 16 | 64, "window_gb": 3, "quota_pages": 1000, "quota_fibers": 2,
                 "quota_spaces": 4, "quota_objects": 0, "heartbeat_ms": 250, "energy": 5000, "flags": 1}
    def w(kind, slot, rights, what="", flags=0, ring=0, pool=0, clients=0, device=0):
        return dict(zip(bkdl.WANT_FIELDS, (bkdl.KINDS.index(kind), slot, rights, flags, ring, pool, clients,
                                           device, what)))
    want_wants = [w("devmem", 0, 3, "virtio,mmio", device=2), w("irq", 1, 16, "virtio,mmio", device=2),
                  w("dma", 2, 257, pool=16), w("serve", 10, 1 | 2 | 8 | 16 | 256, "block", ring=64, pool=512,
                                               clients=2),
                  w("use", 20, 27, "log", flags=1), w("archive", 5, 1)]
    if isinstance(data, list):
        check("a manifest with every key", [repr(data)])
        return
    head, wants = bkdl.unpack(data)
    bad = [f"{k} is {head[k]}, not {v}" for k, v in want_head.items() if head[k] != v]
    bad += [f"{a}, not {b}" for a, b in zip(wants, want_wants) if a != b]
    bad += [f"{len(wants)} wants"] if len(wants) != len(want_wants) else []
    bad += [f"C says {c_check(data)}"] if c_check(data) else []
    check("a manifest with every key", bad)


TAKEN = [
    "cell x { quota pages=1 }",
    "cell x { quota pages=all; tier void; restart never; }",
    "cell x { quota pages=68719476736 fibers=65535; window 16; heartbeat 3600000; energy 18446744073709551615 }",
    "cell x { pledge all; placement fused; quota pages=1 spaces=65535 objects=1048576 }",
    "cell x { pledge spawn make foreign; quota pages=1 } // to hand on",
    "cell x { pledge map ipc; quota pages=1; use a slot=61; serve b slot=0 ring-slots=256 clients=8 }",
    "cell x { pledge map ipc; quota pages=1; use a slot=0; use a slot=3 }",
    "cell x { pledge map ipc; quota pages=1; serve a slot=b ring-slots=2; use c slot=d; archive slot=e at=0 }",
    "/- cell no { } \n cell x { quota pages=1; /- nonsense }",
]


def taken():
    bad = []
    for text in TAKEN:
        data = compiled(text)
        if isinstance(data, list):
            bad.append(f"{text!r}: {data}")
        elif c_check(data):
            bad.append(f"{text!r}: C says {c_check(data)}")
    check("what is right is taken", bad)


# ---- what is refused ----

HEAD = "cell x {\n    pledge map ipc\n    quota pages=1\n"  # what follows is on line 4

# (line 4 and on, the line of the mistake, words of the reason)
REFUSED = [
    ("colour red", 4, "unknown key colour"), ("\n\nWINDOW 1", 6, "unknown key"),
    ("tier", 4, "one argument"), ("tier photon void", 4, "one argument"), ("tier red", 4, "one of photon"),
    ("tier 1", 4, "a string"), ("tier photon\ntier void", 5, "twice, first on line 4"),
    ("tier photon fast=#true", 4, "no key fast"), ("tier photon { }\ntier { photon }", 5, "twice"),
    ("tier void { a }", 4, "no children"), ("tier (big)void", 4, "annotations"), ("(big)tier void", 4, "annotations"),
    ("placement near", 4, "one of isolated"), ("placement fused", 4, "enforced"),
    ("placement fused trusted=1", 4, "#true or #false"), ("placement fused trusted=#false", 4, "enforced"),
    ("restart sometimes", 4, "one of never"), ("restart never backoff=1", 4, "no backoff"),
    ("restart always backoff=0", 4, "1 to 60000"), ("restart always backoff=60001", 4, "1 to 60000"),
    ("restart always backoff=1.0", 4, "whole number"), ("restart always backoff=soon", 4, "whole number"),
    ("restart always backoff=#true", 4, "whole number"), ("restart always backoff=1 backoff=2", 4, "twice"),
    ("window 0", 4, "1 to 16"), ("window 17", 4, "1 to 16"), ("window -1", 4, "1 to 16"), ("window #null", 4, "whole"),
    ("window " + "9" * 100, 4, "1 to 16"), ("energy 0", 4, "energy must be"), ("energy 1e3", 4, "whole number"),
    ("energy 18446744073709551616", 4, "energy must be"), ("heartbeat 0", 4, "heartbeat must be"),
    ("heartbeat 3600001", 4, "heartbeat must be"), ("per-device", 4, "per-device without a devmem"),
    ("per-device 1", 4, "no arguments"), ("per-device\nper-device", 5, "twice"),
    # devices
    ("devmem", 4, "without a device"), ("irq slot=1", 4, "without a device"), ("devmem ns slot=1\nirq", 5, "without"),
    ("devmem 1 slot=1", 4, "a string"), ('devmem "" slot=1', 4, "1 to 31"), ("devmem " + "a" * 32 + " slot=1", 4, "1 to 31"),
    ('devmem "a b" slot=1', 4, "letters, digits"), ('devmem "ü" slot=1', 4, "letters, digits"),
    ('devmem "virtio,mmio" slot=1', 4, "needs virtio"), ('devmem "virtio,mmio" virtio=brick slot=1', 4, "brick"),
    ('devmem "virtio,mmio" virtio=0 slot=1', 4, "1 to 255"), ("devmem ns virtio=block slot=1", 4, "only"),
    ("devmem ns slot=1 rights=exec", 4, "cannot have the right exec"), ("irq ns slot=1 rights=write", 4, "cannot have"),
    ("devmem ns slot=1 rights=fly", 4, "unknown right"), ('devmem ns slot=1 rights=""', 4, "name some"),
    ('devmem ns slot=1 rights="read read"', 4, "each once"), ("devmem ns slot=1 rights=1", 4, "a string"),
    ("devmem ns slot=1 ring-slots=2", 4, "no key ring-slots"), ("devmem ns slot=1 optional=yes", 4, "#true"),
    ("dma slot=1 pages=4", 4, "DMA memory without a device"), ("devmem ns slot=0\ndma slot=1", 5, "dma without pages"),
    ("devmem ns slot=0\ndma slot=1 pages=0", 5, "1 to 65536"), ("dma slot=1 pages=65537", 4, "1 to 65536"),
    # channels
    ("serve slot=1 ring-slots=2", 4, "without an interface"), ("use slot=1", 4, "without an interface"),
    ("serve a b slot=1 ring-slots=2", 4, "one argument"), ("serve a slot=1", 4, "without ring-slots"),
    ("serve a slot=1 ring-slots=1", 4, "2 to 256"), ("serve a slot=1 ring-slots=512", 4, "2 to 256"),
    ("serve a slot=1 ring-slots=48", 4, "power of two"), ("serve a slot=1 ring-slots=2 clients=0", 4, "1 to 8"),
    ("serve a slot=1 ring-slots=2 clients=9", 4, "1 to 8"), ("serve a slot=1 ring-slots=2 pool-pages=65537", 4, "0 to"),
    ("use a slot=1 clients=1", 4, "no key clients"), ("serve a slot=1 ring-slots=2\n\nuse a slot=8", 6, "see line 4"),
    ("use a slot=8\nserve a slot=1 ring-slots=2", 5, "see line 4"),
    ("serve a slot=1 ring-slots=2\nserve a slot=8 ring-slots=2", 5, "twice"),
    ("use a slot=1 rights=\"read dma\"", 4, "right dma without a device"),
    ("devmem ns slot=0\nserve a slot=1 ring-slots=2 rights=\"read dma\"", 5, "right dma without a pool"),
    ("archive a slot=1", 4, "no arguments"), ("archive", 4, "slot is missing"), ("archive slot=1 rights=write", 4, "cannot"),
    # slots
    ("archive slot=64", 4, "0 to 63"), ("archive slot=-1", 4, "0 to 63"), ("archive slot=1.5", 4, "whole number"),
    ("archive slot=#true", 4, "whole number"), ('archive slot="1a"', 4, "a letter"), ('archive slot="a b"', 4, "a letter"),
    ("archive slot=a at=64", 4, "0 to 63"), ("archive slot=1 at=2", 4, "with a name"), ("use a slot=62", 4, "there are 64"),
    ("serve a slot=59 ring-slots=2 clients=2", 4, "there are 64"), ("archive slot=1\narchive slot=1", 5, "line 4"),
    ("use a slot=1\narchive slot=3", 5, "slot 3 is taken on line 4"), ("use a slot=1\nuse b slot=3", 5, "slot 3"),
    ("serve a slot=1 ring-slots=2 clients=3\narchive slot=9", 5, "slot 9"),
    ("archive slot=a\narchive slot=A", 5, "SLOT_A is taken on line 4"),
    ("use a slot=a\narchive slot=a-pool", 5, "SLOT_A_POOL"), ("use a slot=a\nuse b slot=a", 5, "SLOT_A"),
    ("archive slot=x at=3\nuse a slot=2", 5, "slot 3"),
    ("\n".join(f"serve a{i} slot=s{i} ring-slots=2 clients=8" for i in range(3)), 6, "24 slots in a row"),
    ("\n".join(f"archive slot={i}" for i in range(25)), 28, "more than 24 wants"),
    # KDL
    ("tier \"photon", 4, "no end"), ("tier photon }\n}", 5, "unexpected }"), ("tier true", 4, "#true"), ("a ]", 4, "unexpected"),
]

# whole documents
REFUSED_WHOLE = [
    ("", 1, "no node cell"), ("\n\ncel x", 3, "unknown node"), ("cell x { quota pages=1 }\ncell y { quota pages=1 }", 2, "second"),
    ("cell { quota pages=1 }", 1, "one argument"), ("cell 1 { quota pages=1 }", 1, "string"), ("cell x", 1, "no quota"),
    ('cell "a/b" { quota pages=1 }', 1, "letters"), ("cell .a { quota pages=1 }", 1, "begin"),
    ("cell " + "a" * 32 + " { quota pages=1 }", 1, "1 to 31"), ("cell x a=1 { quota pages=1 }", 1, "no key"),
    ("cell x {\nquota\n}", 2, "no pages"), ("cell x {\nquota pages=0\n}", 2, "pages must be"),
    ("cell x {\nquota pages=some\n}", 2, "number or all"), ("cell x {\nquota pages=68719476737\n}", 2, "pages must be"),
    ("cell x {\nquota 5 pages=1\n}", 2, "no arguments"), ("cell x {\nquota pages=1 fibers=0\n}", 2, "fibers must be"),
    ("cell x {\nquota pages=1 fibers=65536\n}", 2, "fibers"), ("cell x {\nquota pages=1 spaces=65536\n}", 2, "spaces"),
    ("cell x {\nquota pages=1 objects=1048577\n}", 2, "objects"), ("cell x {\nquota pages=1 harts=2\n}", 2, "no key harts"),
    ("cell x {\nquota pages=1\npledge fly\n}", 3, "unknown pledge"), ("cell x {\nquota pages=1\npledge\n}", 3, "names no"),
    ("cell x {\nquota pages=1\npledge map map\n}", 3, "twice"), ("cell x {\nquota pages=1\npledge all map\n}", 3, "alone"),
    ("cell x {\nquota pages=1\npledge 4\n}", 3, "a string"), ("cell x {\nquota pages=1\npledge foreign\n}", 3, "spaces"),
    ("cell x {\nquota pages=1\npledge make\n}", 3, "objects"), ("cell x {\nquota pages=1 spaces=1\n}", 2, "foreign"),
    ("cell x {\nquota pages=1 objects=1\n}", 2, "make"), ("cell x {\nquota pages=1\ndevmem a slot=0\n}", 3, "pledge map"),
    ("cell x {\nquota pages=1\npledge map\nuse a slot=0\n}", 4, "pledge ipc"),
    ("cell x {\nquota pages=1\nirq a slot=0\n}", 3, "pledge ipc"), ("cell x {\nquota pages=1\narchive slot=0\n}", 3, "map"),
    ("cell " + "a" * 28 + " {\nquota pages=1\npledge map\nper-device\ndevmem a slot=0\n}", 4, "too long"),
    ("cell a {\nquota pages=1\npledge map ipc\nper-device\ndevmem a slot=0\nserve " + "a" * 28 + " slot=1 ring-slots=2\n}", 6,
     "too long"),
    ("/- kdl-version 1\ncell x { quota pages=1 }", 1, "version 1"),
]


def refused():
    bad = []
    cases = [(HEAD + text + "\n}", line, words) for text, line, words in REFUSED] + REFUSED_WHOLE
    for text, line, words in cases:
        said = compiled(text)
        if not isinstance(said, list):
            bad.append(f"{text!r} is taken")
        elif not any(at == line and words in reason for at, reason in said):
            bad.append(f"{text!r}: {said}, not {line}: ...{words}...")
    print(f"# {len(cases)} manifests")
    check("what is wrong is refused on its line", bad)
    said = compiled(HEAD + "tier red\nwindow 0\nuse\n\ncolour blue\n}")
    check("all mistakes are told, by line",
          [] if isinstance(said, list) and [at for at, _ in said] == [4, 5, 6, 8] else [repr(said)])


# ---- the program ----

def program():
    bad = []

    def expect(what, got, status, words, out=""):
        if got[0] != status or words not in got[2] or out not in got[1] or "Traceback" in got[2]:
            bad.append(f"{what}: {got}")

    good, wrong = write("good.kdl", FULL), write("wrong.kdl", HEAD + "tier red\nwindow 0\n}")
    expect("--help", tool("--help"), 0, "", "exit status")
    expect("no arguments", tool(), 2, "usage")
    expect("unknown option", tool("--frob", good), 2, "usage")
    expect("--decode --asm", tool("--decode", good, "--asm", "x"), 2, "usage")
    expect("check", tool(good), 0, "")
    expect("wrong", tool(wrong), 1, f"{wrong}:4: tier must be")
    expect("wrong", tool(wrong, "-o", os.path.join(work, "never")), 1, f"{wrong}:5: window must be")
    expect("name", tool(good, "--cell", "disk"), 0, "")
    expect("name", tool(good, "--cell", "tape"), 1, f"{good}:2: the cell is named disk")
    expect("no file", tool(os.path.join(work, "none.kdl")), 1, "none.kdl: No such file")
    expect("cannot write", tool(good, "-o", os.path.join(good, "x")), 1, "good.kdl")
    expect("no UTF-8", tool(write("latin.kdl", b"cell x {\n \xe4\n}")), 1, "latin.kdl:2: this is not UTF-8")
    expect("decode of KDL", tool("--decode", good), 1, "malformed")
    expect("decode of half", tool("--decode", write("half.bkdl", compiled(FULL)[:-1])), 1, "malformed")
    expect("decode of ELF", tool("--decode", write("x.elf", b"\x7fELF\x02\x01" + bytes(80))), 1, "malformed")
    if os.path.exists(os.path.join(work, "never")):
        bad.append("a wrong manifest left output")
    check("exit status, messages and usage of the program", bad)


def outputs():
    bad = []
    out = {k: os.path.join(work, "disk" + k) for k in (".bkdl", ".S", ".h", ".o", ".kdl")}
    status = tool(write("disk.kdl", FULL), "-o", out[".bkdl"], "--asm", out[".S"], "--header", out[".h"])
    data = read(out[".bkdl"])
    if status[0] != 0 or data != compiled(FULL):
        bad.append(f"{status}, or other bytes")
    subprocess.run(["gcc", "-c", out[".S"], "-o", out[".o"]], check=True)
    if bkdl.section(read(out[".o"])) != data:
        bad.append("the assembled section has other bytes")
    text = read(out[".h"]).decode()
    for line in ('MANIFEST_NAME "disk"', "MANIFEST_WINDOW_GB 3", "MANIFEST_QUOTA_PAGES 1000", "SLOT_REGS 0",
                 "SLOT_DMA_AREA 2", "PAGES_DMA_AREA 16", "SLOT_CLIENT 10", "SLOT_CLIENT_RX 10", "SLOT_CLIENT_TX 11",
                 "SLOT_CLIENT_POOL 12", "RING_SLOTS_CLIENT 64", "POOL_PAGES_CLIENT 512", "CLIENTS_CLIENT 2",
                 "MANIFEST_HEARTBEAT_MS 250"):
        if f"#define {line}\n" not in text:
            bad.append(f"the header has no {line}")
    source = write("use.c", '#include "disk.h"\nint main(void)\n{\n    return manifest.name[0] + SLOT_REGS;\n}\n')
    subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", "-I" + TOP + "/nucleus/abi", "-c", source, "-o",
                    os.path.join(work, "use.o")], check=True)
    for file in (out[".bkdl"], out[".o"]):
        if tool("--decode", file, "-o", out[".kdl"])[0] != 0 or compiled(read(out[".kdl"]).decode()) != data:
            bad.append(f"{file} is decoded to something else")
    check("bytes, assembler, header, and back", bad)


def of_the_tree():
    """The manifests of the cells; and of their images what was made of them, when they are built."""
    bad, built = [], 0
    paths = [p for pattern in ("native/*", "drivers/*", "membrane", "tests/cell/*")
             for p in glob.glob(os.path.join(TOP, pattern, "manifest.kdl"))]
    for path in paths:
        text = read(path).decode()
        data = compiled(text)
        if isinstance(data, list) or c_check(data):
            bad.append(f"{path}: {data if isinstance(data, list) else c_check(data)}")
            continue
        if compiled(kdl.write(manifest.show(*bkdl.unpack(data)))) != data:
            bad.append(f"{path} is decoded to something else")
        for folder in ("build/cells", "build/tests/cells"):
            image = os.path.join(TOP, folder, bkdl.unpack(data)[0]["name"] + ".cell")
            if os.path.exists(image):
                built += 1
                if bkdl.section(read(image)) != data:
                    bad.append(f"{image} has another manifest")
    print(f"# {len(paths)} manifests, {built} images")
    check("the manifests of all cells", bad if paths else ["there are none"])


# ---- random ones ----

def some_want(rng):
    kind = rng.choice(bkdl.KINDS[1:])
    what = {"devmem": "dev", "irq": "dev", "serve": "srv", "use": "use"}.get(kind)
    text = kind + (f" {what}{rng.randrange(4)}" if what else "")
    if what == "dev" and rng.random() < 0.3:
        text = f'{kind} "virtio,mmio" virtio={rng.choice([*manifest.VIRTIO_IDS, rng.randrange(300)])}'
    text += rng.choice([f" slot=n{rng.randrange(40)}", f" slot={rng.randrange(66)}",
                        f" slot=m{rng.randrange(40)} at={rng.randrange(66)}"])
    if kind == "serve":
        text += f" ring-slots={rng.choice([2, 4, 256, 48, 1])} clients={rng.randrange(1, 10)}"
        text += rng.choice(["", " pool-pages=9"])
    if kind == "dma":
        text += f" pages={rng.choice([1, 65536, 65537])}"
    if rng.random() < 0.3:
        most = manifest.RIGHTS_MOST[kind]
        text += f' rights="{" ".join(rng.sample(most, rng.randrange(1, len(most) + 1)))}"'
    return text + rng.choice(["", " optional=#true"])


def some_manifest(rng):
    lines = [f"cell c{rng.randrange(10)} {{", "pledge map ipc " + " ".join(rng.sample(["time", "meta", "debug"], 2)),
             f"quota pages={rng.choice(['all', 1, 1 << 36])} fibers={rng.choice([1, 65535])}"]
    lines += [f"tier {rng.choice(bkdl.TIERS)}", rng.choice(["restart never", "restart always backoff=5"]),
              rng.choice(["", "placement fused trusted=#true"]), rng.choice(["", "energy 77"]),
              rng.choice(["", "heartbeat 9"]), rng.choice(["", "", "", "per-device"])]
    lines += [some_want(rng) for _ in range(rng.choice([0, 1, 2, 3, 5, 9, 25]))]
    return "\n".join(lines) + "\n}"


def random_manifests(rng):
    """What the compiler takes passes the C check, and comes back from its binary form."""
    bad, good = [], []
    for _ in range(6000):
        text = some_manifest(rng)
        data = compiled(text)
        if isinstance(data, list):
            continue
        good.append(data)
        if c_check(data):
            bad.append(f"{text!r}: C says {c_check(data)}")
        elif compiled(kdl.write(manifest.show(*bkdl.unpack(data)))) != data:
            bad.append(f"{text!r} is decoded to something else")
    print(f"# {len(good)} taken")
    check("what the compiler takes passes the C check and can be decoded", bad if len(good) > 500 else bad + ["too few"])
    return good


EDGES = [0, 1, 2, 3, 7, 8, 9, 16, 17, 61, 62, 63, 64, 128, 255, 256, 257, 511, 512, 60000, 60001, 65535, 65536, 65537,
         0x55555556, 1 << 31, (1 << 32) - 1]


def damage(rng, data):
    """One change to the bytes of a manifest."""
    count = max(1, int.from_bytes(data[100:104], "little"))
    want = bkdl.HEAD.size + bkdl.WANT.size * rng.randrange(min(count, bkdl.WANTS))
    way = rng.randrange(4)
    if way == 0:  # any word
        at, value = 4 * rng.randrange(bkdl.SIZE // 4), rng.choice([rng.randrange(1 << 32), rng.randrange(600)])
        data[at:at + 4] = value.to_bytes(4, "little")
    elif way == 1:  # a number of a want or of the head
        at = rng.choice([want + 4 * rng.randrange(8), 40 + 4 * rng.randrange(16)])
        data[at:at + 4] = rng.choice(EDGES + list(range(64))).to_bytes(4, "little")
    elif way == 2:  # a want as another one
        source = bkdl.HEAD.size + bkdl.WANT.size * rng.randrange(min(count, bkdl.WANTS))
        part = rng.choice([slice(0, 64), slice(32, 64), slice(0, 32)])
        data[want + part.start:want + part.stop] = data[source + part.start:source + part.stop]
    else:  # a byte of a text
        at = rng.choice([8, want + 32]) + rng.randrange(32)
        data[at] = rng.choice([0, rng.randrange(256), ord("a")])


def random_bytes(rng, good):
    """Both checks say the same of damaged bytes; of what both take, the decoded form says all."""
    bad, passed, same = [], 0, 0
    good = [data for data in good if any(data[bkdl.HEAD.size:])]
    for _ in range(60000):
        data = bytearray(rng.choice(good))
        for _ in range(rng.randrange(1, 4)):
            damage(rng, data)
        data = bytes(data)
        try:
            fields, mine = bkdl.unpack(data), None
        except ValueError as e:
            mine = str(e)
        theirs = c_check(data)
        same += mine == theirs
        if (mine is None) != (theirs is None):
            bad.append(f"{data.hex()}: the tool says {mine}, C says {theirs}")
        if mine is None:
            passed += 1
            back = compiled(kdl.write(manifest.show(*fields)))
            if not isinstance(back, list) and back != data:
                bad.append(f"{data.hex()} is decoded to something else")
    print(f"# {passed} of 60000 pass, {same} for the same reason")
    check("the compiler's check and the one in C agree on damaged bytes", bad if passed > 1000 else bad + ["too few"])


def mutations(rng):
    """Damaged manifests are compiled, or refused in the proper form."""
    texts = [FULL] + TAKEN + [HEAD + t + "\n}" for t, _, _ in REFUSED]
    words = re.findall(r"[^\s=]+|=", " ".join(texts)) + ["\n", "{", "}", ";", "-1", "#null", '"', "/-", "1.5", "(u8)"]
    bad, good = [], 0
    for _ in range(15000):
        text = rng.choice(rng.choice([texts, [FULL] + TAKEN]))
        for _ in range(rng.randrange(1, 3)):
            parts = re.split(r"(\s+|=)", text)
            at = rng.randrange(len(parts))
            parts[at:at + rng.randrange(2)] = [rng.choice(words)] if rng.random() < 0.7 else []
            text = "".join(parts)
        try:
            said = compiled(text)
        except Exception as e:  # whatever else comes is a defect of the compiler
            bad.append(f"{text!r}: {type(e).__name__}: {e}")
            continue
        if isinstance(said, bytes):
            good += 1
            if c_check(said):
                bad.append(f"{text!r}: C says {c_check(said)}")
        elif not said or any(not 1 <= at <= text.count("\n") + 1 or "\n" in why for at, why in said):
            bad.append(f"{text!r}: {said}")
    print(f"# {good} of 15000 taken")
    check("no mutated manifest makes it fail but by refusing", bad)


def main():
    global work
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(1 << 32)
    print(f"# seed {seed}")
    with tempfile.TemporaryDirectory() as work:
        load_c()
        numbers()
        everything()
        taken()
        refused()
        program()
        outputs()
        of_the_tree()
        good = random_manifests(random.Random(seed))
        random_bytes(random.Random(seed + 1), good)
        mutations(random.Random(seed + 2))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
