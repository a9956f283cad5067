#!/usr/bin/env python3
"""Compile a cell's manifest from KDL to its binary form BKDL, or show a binary one as KDL.

    kdl2bkdl.py MANIFEST.kdl                           check it
    kdl2bkdl.py MANIFEST.kdl -o OUT.bkdl               the bytes
    kdl2bkdl.py MANIFEST.kdl --asm OUT.S --header OUT.h [--cell NAME]
                                                       what the build makes of it
    kdl2bkdl.py --decode FILE [-o OUT.kdl]             KDL of a BKDL file or of a cell's image

The manifest is written in KDL version 2; docs/manifest.md has its keys and the binary form. Whatever is
wrong with it is said on standard error, one line each: `file:line: reason`.

OUT.S puts the bytes into section .nexus.manifest, under the symbol `manifest`. OUT.h has what the cell's
code has to know of its manifest:
    MANIFEST_NAME, MANIFEST_WINDOW_GB, MANIFEST_HEARTBEAT_MS, MANIFEST_QUOTA_PAGES, _FIBERS, _SPACES, _OBJECTS
    SLOT_<NAME>       of every want whose slot has a name; of a channel also SLOT_<NAME>_RX, _TX, _POOL,
                      which for a server are those of its first client, the others' three slots further on
    RING_SLOTS_<NAME>, POOL_PAGES_<NAME>, CLIENTS_<NAME>    of a served interface
    PAGES_<NAME>      of DMA memory

exit status: 0, or 1 when the manifest is wrong or a file cannot be read or written, 2 for wrong usage
"""
import argparse
import os
import re
import sys

import bkdl
import kdl
import manifest


def read_file(path):
    with open(path, "rb") as f:
        return f.read()


def write_file(path, data):
    """The whole of it, or the file as it was."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path + ".tmp", "wb") as f:
        f.write(data)
    os.rename(path + ".tmp", path)


def asm(source, data):
    rows = [data[i:i + 16] for i in range(0, len(data), 16)]
    body = "\n".join("    .byte " + ", ".join(f"{b:#04x}" for b in row) for row in rows)
    return f"""/* Made by distro/tools/kdl2bkdl.py from {source}. */
    .section .nexus.manifest, "a", @progbits
    .balign 8
    .globl manifest
    .hidden manifest
    .type manifest, @object
manifest:
{body}
    .size manifest, . - manifest
    .section .note.GNU-stack, "", @progbits
"""


def header(source, m):
    guard = "MANIFEST_" + re.sub("[^A-Z0-9]", "_", m.head["name"].upper()) + "_H"
    lines = [f'#define MANIFEST_NAME "{m.head["name"]}"']
    for key in ("window_gb", "quota_pages", "quota_fibers", "quota_spaces", "quota_objects", "heartbeat_ms"):
        lines.append(f"#define MANIFEST_{key.upper()} {m.head[key]}")
    for name, w in zip(m.names, m.wants):
        if name is None:
            continue
        lines.append("")
        for slot, behind in manifest.slot_names(name, w).items():
            lines.append(f"#define {slot} {w['slot'] + behind}")
        if bkdl.kind_of(w) == "serve":
            lines.append(f"#define RING_SLOTS_{name} {w['ring_slots']}")
            lines.append(f"#define POOL_PAGES_{name} {w['pool_pages']}")
            lines.append(f"#define CLIENTS_{name} {w['clients']}")
        if bkdl.kind_of(w) == "dma":
            lines.append(f"#define PAGES_{name} {w['pool_pages']}")
    body = "\n".join(lines)
    return f"""/* Made by distro/tools/kdl2bkdl.py from {source}. */
#ifndef {guard}
#define {guard}

{body}

#ifndef __ASSEMBLER__
#include <nx/manifest.h>
extern const struct nx_manifest manifest;
#endif

#endif
"""


def compile_manifest(args):
    """The exit status."""
    def complain(line, reason):
        print(f"{args.file}:{line}: {reason}", file=sys.stderr)
        return 1

    try:
        nodes = kdl.parse_bytes(read_file(args.file))
        m = manifest.read(nodes)
    except kdl.KdlError as e:
        return complain(e.line, e.reason)
    except manifest.ManifestErrors as e:
        for line, reason in e.errors:
            complain(line, reason)
        return 1
    if args.cell and m.head["name"] != args.cell:
        line = next(n.line for n in nodes if n.name == "cell")
        return complain(line, f"the cell is named {m.head['name']}, and built as {args.cell}")
    data = bkdl.pack(m.head, m.wants)
    try:
        bkdl.unpack(data)
    except ValueError as e:  # the rules above let pass what the nucleus refuses: it is not handed out
        return complain(1, f"the binary form is malformed: {e}")
    if args.out:
        write_file(args.out, data)
    if args.asm:
        write_file(args.asm, asm(args.file, data).encode())
    if args.header:
        write_file(args.header, header(args.file, m).encode())
    return 0


def decode(args):
    data = read_file(args.file)
    try:
        if data[:4] == b"\x7fELF":
            data = bkdl.section(data)
        text = kdl.write(manifest.show(*bkdl.unpack(data)))
    except ValueError as e:
        print(f"{args.file}: malformed: {e}", file=sys.stderr)
        return 1
    if args.out:
        write_file(args.out, text.encode())
    else:
        sys.stdout.write(text)
    return 0


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("file", help="the manifest; with --decode the BKDL file or image")
    p.add_argument("-o", dest="out", metavar="OUT", help="write the bytes, or what is decoded")
    p.add_argument("--asm", metavar="OUT.S", help="write assembler source")
    p.add_argument("--header", metavar="OUT.h", help="write a C header")
    p.add_argument("--cell", metavar="NAME", help="the name the cell must have")
    p.add_argument("--decode", action="store_true", help="from BKDL to KDL")
    args = p.parse_args()
    if args.decode and (args.asm or args.header or args.cell):
        p.error("--decode goes with -o only")
    try:
        return decode(args) if args.decode else compile_manifest(args)
    except OSError as e:
        print(f"{e.filename or args.file}: {e.strerror}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
