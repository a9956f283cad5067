#!/usr/bin/env python3
"""Manual pages of the library of cells, from its headers: one page of section 3 for each function.

    mkman.py OUT_DIR EXAMPLES_DIR HEADER...

A function is a prototype or a static inline function with a comment before it, or with others between it and that comment.
The example of a page is EXAMPLES_DIR/<header's name>.c, a whole cell (of nx/NAME.h: nx_NAME.c), or the file a line
`Example: PATH` of the header names; it must use each function of the header. A name that ends in `_` is private.

exit status: 0, or 1 when a function has no comment, or its example does not use it: `file:line: reason`.
"""
import os
import re
import sys

COMMENT = re.compile(r"/\*(.*?)\*/", re.S)
PROTOTYPE = re.compile(r"^(?!typedef|struct \w+ \{|enum|#|\s|_Static)((?:static inline )?[\w ]+?[\s*]+?)(\w+)\(([^{};]*?)\)"
                       r"(?:\s*__attribute__\(\(.*?\)\)\)?)*\s*([;{])", re.M | re.S)


def text_of(comment):
    """A comment as paragraphs; lines that are further in stay lines."""
    lines = [re.sub(r"^\s*\*? ?", "", line).rstrip() for line in comment.strip().splitlines()]
    out, paragraph = [], []
    for line in lines + [""]:
        if line and not line.startswith("  "):
            paragraph.append(line)
            continue
        if paragraph:
            out.append(" ".join(paragraph))
            paragraph = []
        if line:
            out.append(".br\n" + line if out and out[-1].startswith(".br") else ".PP\n.nf\n" + line + "\n.fi")
    return out


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + s if s.startswith(("'",)) else s for s in text.splitlines())


def functions(text):
    """[(name, declaration, comment or None, line)] of a header."""
    found, last_end, last_comment = [], 0, None
    comments = [(m.start(), m.end(), m[1]) for m in COMMENT.finditer(text)]
    plain = COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
    for m in PROTOTYPE.finditer(plain):
        between = [c for c in comments if last_end <= c[0] < m.start()]
        if between and not plain[between[-1][1]:m.start()].strip():
            last_comment = between[-1][2]
        elif plain[last_end:m.start()].strip():
            last_comment = None  # something else stands between
        declaration = " ".join((m[1] + m[2] + "(" + m[3] + ")").replace("static inline ", "").split())
        found.append((m[2], declaration, last_comment, text.count("\n", 0, m.start()) + 1))
        last_end = m.end()
        if m[4] == "{":
            end = plain.find("\n}", m.end())
            last_end = end + 2 if end >= 0 else m.end()
    return found


def page(name, declaration, comment, header, example):
    first = re.split(r"(?<=[.:;])\s", " ".join(text_of(comment)[0].split()))[0].rstrip(".:;")
    first = first if len(first) < 100 else first[:97] + "..."
    out = [f'.TH {name.upper()} 3 "" Nexus "Library of native cells"', ".SH NAME", f"{name} \\- {roff(first)}",
           ".SH SYNOPSIS", ".nf", f"#include <{header}>", "", roff(declaration) + ";", ".fi", ".SH DESCRIPTION"]
    for i, paragraph in enumerate(text_of(comment)):
        if paragraph.startswith((".PP", ".br")):
            out.append("\n".join(s if s.startswith(".") else roff(s) for s in paragraph.splitlines()))
        else:
            out += ([".PP"] if i else []) + [roff(paragraph)]
    out += [".SH EXAMPLE", ".nf"] + [roff("\\&" + s if s.startswith(".") else s) for s in example.splitlines()]
    return "\n".join(out + [".fi", ".SH SOURCE", roff(f"native/include/{header}, native/lib"), ""])


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    out, examples = sys.argv[1:3]
    os.makedirs(out, exist_ok=True)
    failed = False
    for path in sys.argv[3:]:
        with open(path, encoding="utf-8") as f:
            text = f.read()
        found = [f_ for f_ in functions(text) if not f_[0].endswith("_")]
        base = os.path.splitext(os.path.basename(path))[0]
        header = "/".join(path.split("/")[-2:])
        said = re.search(r"^ \* Example: (\S+)$", text, re.M)
        name = said[1] if said else os.path.join(examples, ("nx_" if header.startswith("nx/") else "") + base + ".c")
        example = ""
        if found and os.path.exists(name):
            with open(name, encoding="utf-8") as f:
                example = f.read()
        for function, declaration, comment, line in found:
            if comment is None or len(comment.split()) < 3:
                print(f"{path}:{line}: {function} has no comment", file=sys.stderr)
                failed = True
            elif not re.search(rf"\b{function}\(", example) and function != "cell_main":
                print(f"{path}:{line}: {name} does not use {function}", file=sys.stderr)
                failed = True
            else:
                with open(os.path.join(out, function + ".3"), "w", encoding="utf-8") as f:
                    f.write(page(function, declaration, comment, header, example))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
