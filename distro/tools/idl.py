#!/usr/bin/env python3
"""Compile an interface (docs/idl.md) to the C stubs of its client and its server, or to a manual page.

    idl.py NAME.idl                        check it
    idl.py NAME.idl --header OUT.h         structures, client and server stubs, all of it inline
    idl.py NAME.idl --man OUT.7            a manual page: messages, units, errors, what may be repeated

Whatever is wrong with the interface is said on standard error, one line each: `file:line: reason`.

exit status: 0, or 1 when the interface is wrong or a file cannot be read or written, 2 for wrong usage
"""
import argparse
import os
import sys

import idl_c
import idl_read
import kdl


def write_file(path, text):
    """The whole of it, or the file as it was."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path + ".tmp", "w", encoding="utf-8") as f:
        f.write(text)
    os.rename(path + ".tmp", path)


def roff(text):
    return text.replace("\\", "\\e").replace("-", "\\-")


def rows(fields):
    out = []
    for f in fields:
        count = f"[{f.count}]" if f.count else ""
        unit = f" Unit: {f.unit}." if f.unit and f.unit != "none" else ""
        out += [".TP", f".B {f.type} {f.name}{count}", f"{roff(f.doc)}.{roff(unit)}"]
    return out


def inline_bytes(b):
    return [".TP", f".B {b.name}", f"{roff(b.doc)}. Unit: bytes."]


def man(face, source):
    out = [f'.TH {face.prefix.upper()} 7 "" Nexus "Nexus interfaces"', ".SH NAME",
           f"{face.prefix} \\- interface \"{face.name}\"", ".SH SYNOPSIS", ".nf", f"#include <idl/{face.name}.h>", ".fi",
           ".SH DESCRIPTION", roff(face.doc)]
    if face.hello:
        out += [".SH HELLO"] + rows(face.hello)
    for m in face.messages:
        out += [f".SH {m.name.upper()} ({m.number})", roff(m.doc),
                "It is not answered." if not face.session else
                "It may be repeated." if m.repeatable else "It must not be repeated."]
        if m.ask:
            out += [".SS asks"] + rows(m.ask)
        if m.bytes:
            out += [".SS bytes, 1 to 48"] + inline_bytes(m.bytes)
        if m.buffer:
            out += [f".SS buffer, {m.buffer.direction}", roff(m.buffer.doc) + "."]
        if m.answer:
            out += [".SS answers"] + rows(m.answer)
        if m.errors:
            out += [".SS errors"]
            for name, when in m.errors:
                out += [".TP", f".B {name}", roff(when) + "."]
    for e in face.events:
        out += [f".SH {e.name.upper()} ({e.number})", ("An event. " if face.session else "From the server. ") + roff(e.doc)]
        out += rows(e.ask) + (inline_bytes(e.bytes) if e.bytes else [])
    return "\n".join(out + [".SH SOURCE", roff(source), ""])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("file", help="the interface")
    p.add_argument("--header", metavar="OUT.h", help="write a C header")
    p.add_argument("--man", metavar="OUT.7", help="write a manual page")
    args = p.parse_args()
    try:
        with open(args.file, "rb") as f:
            face = idl_read.read(kdl.parse_bytes(f.read()))
        if args.header:
            write_file(args.header, idl_c.header(face, args.file))
        if args.man:
            write_file(args.man, man(face, args.file))
    except kdl.KdlError as e:
        print(f"{args.file}:{e.line}: {e.reason}", file=sys.stderr)
        return 1
    except idl_read.IdlErrors as e:
        for line, reason in e.errors:
            print(f"{args.file}:{line}: {reason}", file=sys.stderr)
        return 1
    except OSError as e:
        print(f"{e.filename or args.file}: {e.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
