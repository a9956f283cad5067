#!/usr/bin/env python3
"""Generate the headers and manual pages of the nucleus' calls from calls.tbl.

usage: mkcalls.py calls.tbl OUTDIR
writes OUTDIR/nx/callnr.h  numbers, for C and assembler
       OUTDIR/nx/sys.h     typed wrappers that call through the SysTable
       OUTDIR/man/nx_CALL.2
"""
import os
import re
import sys


def parse(path):
    calls = []
    with open(path, encoding="ascii") as f:
        for n, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            m = re.match(r"call (\d+) (\w+)\s+(.+)$", line)
            if m:
                calls.append(dict(nr=int(m[1]), name=m[2], doc=m[3], ops=[], errs=[]))
                if calls[-1]["nr"] != len(calls) - 1:
                    sys.exit(f"{path}:{n}: call numbers must be consecutive")
                continue
            m = re.match(r"op (\d+) (\w+)\(([^)]*)\) -> (\w+) : (.+)$", line)
            if m and calls:
                args = [a.strip() for a in m[3].split(",") if a.strip()]
                if len(args) > 5:
                    sys.exit(f"{path}:{n}: at most five arguments")
                calls[-1]["ops"].append(dict(nr=int(m[1]), name=m[2], args=args, res=m[4], doc=m[5]))
                if calls[-1]["ops"][-1]["nr"] != len(calls[-1]["ops"]) - 1:
                    sys.exit(f"{path}:{n}: op numbers must be consecutive")
                continue
            m = re.match(r"err (\w+): (.+)$", line)
            if m and calls:
                calls[-1]["errs"].append((m[1], m[2]))
                continue
            sys.exit(f"{path}:{n}: not understood: {line}")
    return calls


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        with open(path, encoding="ascii") as f:
            if f.read() == text:
                return
    except FileNotFoundError:
        pass
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


def callnr(calls):
    out = ["/* Call and op numbers; generated from nucleus/abi/calls.tbl. */",
           "#ifndef NX_CALLNR_H", "#define NX_CALLNR_H", ""]
    for c in calls:
        out.append(f"#define NX_CALL_{c['name'].upper()} {c['nr']}")
    out += [f"#define NX_CALL_COUNT {len(calls)}", "",
            "/* X(name, number) for every call, in order. */",
            "#define NX_CALLS(X) " + " ".join(f"X({c['name']}, {c['nr']})" for c in calls), ""]
    for c in calls:
        for o in c["ops"]:
            out.append(f"#define NX_{c['name'].upper()}_{o['name']} {o['nr']}")
        out.append(f"#define NX_{c['name'].upper()}_OPS {len(c['ops'])}")
        out.append("")
    out += ["#endif", ""]
    return "\n".join(out)


def wrappers(calls):
    out = ["/* Typed wrappers of the nucleus' calls; generated from nucleus/abi/calls.tbl.",
           " * Each is documented there and in its manual page. */",
           "#ifndef NX_SYS_H", "#define NX_SYS_H", "", "#include <nx/callnr.h>",
           "#include <nx/layout.h>", "#include <nx/types.h>", "",
           "/* An argument that the op does not have: whatever is in its register. */",
           "#ifdef NX_HOST", "#define NX_NOTHING 0", "#else",
           "#define NX_NOTHING                                            \\",
           "    ({                                                        \\",
           "        uint64_t nothing_;                                    \\",
           '        __asm__ volatile("" : "=r"(nothing_));                \\',
           "        nothing_;                                             \\",
           "    })", "#endif", ""]
    for c in calls:
        for o in c["ops"]:
            args = o["args"]
            params = ", ".join(f"uint64_t {a}" for a in args) or "void"
            vals = ", ".join(args + ["NX_NOTHING"] * (5 - len(args)))
            out.append(f"/* {o['doc']} */")
            out.append(f"static inline long nx_{c['name']}_{o['name'].lower()}({params})")
            out.append("{")
            out.append(f"    return NX_TABLE->call[NX_CALL_{c['name'].upper()}]"
                       f"(NX_{c['name'].upper()}_{o['name']}, {vals});")
            out.append("}")
            out.append("")
    out += ["#endif", ""]
    return "\n".join(out)


def man(c):
    out = [f'.TH NX_{c["name"].upper()} 2 "" Nexus "Nexus calls"', ".SH NAME",
           f"nx_{c['name']} \\- {c['doc']}", ".SH SYNOPSIS", ".nf", "#include <nx/sys.h>", ""]
    for o in c["ops"]:
        params = ", ".join(f"uint64_t {a}" for a in o["args"]) or "void"
        out.append(f"long nx_{c['name']}_{o['name'].lower()}({params});")
    out += [".fi", ".SH DESCRIPTION"]
    for o in c["ops"]:
        out += [".TP", f".B {o['name']}({', '.join(o['args'])}) \\-> {o['res']}", o["doc"] + "."]
    out += [".SH ERRORS", "Every call answers a negated NX_E* code.",
            ".TP", ".B BADF", "a slot or handle names nothing, or its object was revoked.",
            ".TP", ".B PERM", "the capability or the pledge does not allow it.",
            ".TP", ".B INVAL", "an argument is malformed."]
    for name, doc in c["errs"]:
        out += [".TP", f".B {name}", doc + "."]
    out += [".SH SOURCE", "nucleus/abi/calls.tbl, nucleus/core/call.c", ""]
    return "\n".join(out)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    calls = parse(sys.argv[1])
    out = sys.argv[2]
    write(f"{out}/nx/callnr.h", callnr(calls))
    write(f"{out}/nx/sys.h", wrappers(calls))
    for c in calls:
        write(f"{out}/man/nx_{c['name']}.2", man(c))


main()
