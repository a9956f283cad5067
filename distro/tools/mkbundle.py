#!/usr/bin/env python3
"""Make the boot bundle: the cell images and root archives the nucleus finds in memory at boot.

    mkbundle.py -o OUT CELL... [NAME=ARCHIVE...]       make one
    mkbundle.py --base BUNDLE -o OUT [NAME=ARCHIVE...] copy one and append to it

Little-endian. The declarations for C are in nucleus/abi/nx/bundle.h.

    header, 64 bytes
       0  char magic[8]   "NXBUNDLE"
       8  u32  version    1
      12  u32  count      number of entries
      16  u64  size       of the whole bundle in bytes
      24  u32  crc        CRC-32 (IEEE) of the whole bundle with this field 0
      28  36 bytes        0
    entries, count times 64 bytes
       0  char name[40]   NUL-padded, at least one NUL
      40  u32  kind       1 cell image, 2 root archive (cpio newc, plain or gzip)
      44  u32  crc        CRC-32 of the data
      48  u64  offset     of the data from the start of the bundle, a multiple of 4096
      56  u64  size       of the data in bytes
    data, each at its offset, zeros between

A cell is named by its file without `.cell`. The archives are unpacked in the order they stand in:
"rootfs" (the distribution), "extra" (the user's tree), "cmd" (the command to run).
"""
import argparse
import os
import struct
import sys
import zlib

MAGIC, VERSION = b"NXBUNDLE", 1
HEAD, ENTRY, ALIGN = "<8sIIQI36x", "<40sIIQQ", 4096
CELL, ARCHIVE = 1, 2


def build(parts):
    """The bytes of a bundle of [(name, kind, data)]."""
    offset = align(64 + 64 * len(parts))
    entries, body = b"", bytearray()
    for name, kind, data in parts:
        name = name.encode()
        if len(name) > 39:
            sys.exit(f"mkbundle: {name.decode()}: name longer than 39 bytes")
        entries += struct.pack(ENTRY, name, kind, zlib.crc32(data), offset, len(data))
        body += data + bytes(align(len(data)) - len(data))
        offset += align(len(data))
    rest = entries + bytes(align(64 + len(entries)) - 64 - len(entries)) + bytes(body)
    head = struct.pack(HEAD, MAGIC, VERSION, len(parts), 64 + len(rest), 0)
    return head[:24] + struct.pack("<I", zlib.crc32(head + rest)) + head[28:] + rest


def parse(data):
    """[(name, kind, data)] of a bundle; checks what a reader has to check."""
    magic, version, count, size, crc = struct.unpack_from(HEAD, data)
    if magic != MAGIC or version != VERSION or size != len(data) or crc != zlib.crc32(
            data[:24] + bytes(4) + data[28:]):
        raise ValueError("not a bundle, or a damaged one")
    parts = []
    for n in range(count):
        name, kind, crc, offset, length = struct.unpack_from(ENTRY, data, 64 + 64 * n)
        part = data[offset:offset + length]
        if offset % ALIGN or len(part) != length or crc != zlib.crc32(part):
            raise ValueError(f"entry {n} is damaged")
        parts.append((name.rstrip(b"\0").decode(), kind, part))
    return parts


def align(n):
    return -(-n // ALIGN) * ALIGN


def read(path):
    with open(path, "rb") as f:
        return f.read()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-o", dest="out", required=True)
    p.add_argument("--base")
    p.add_argument("part", nargs="*")
    args = p.parse_args()

    parts = parse(read(args.base)) if args.base else []
    for part in args.part:
        name, _, path = part.rpartition("=")
        if name:
            parts.append((name, ARCHIVE, read(path)))
        else:
            parts.append((os.path.basename(path).removesuffix(".cell"), CELL, read(path)))
    with open(args.out + ".tmp", "wb") as f:
        f.write(build(parts))
    os.rename(args.out + ".tmp", args.out)


if __name__ == "__main__":
    main()
