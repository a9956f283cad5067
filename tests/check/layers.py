#!/usr/bin/env python3
"""Check that the layers of the tree know of each other only what they may.

The rules (docs say why; the table below says what):
  - Of the nucleus, others see nucleus/abi/ and the generated build/gen/nx/, nothing else.
  - The nucleus sees its own headers and lib/.
  - Drivers see nothing of the personality; the personality and the membrane nothing of drivers.
  - lib/ sees nobody but itself and the ABI's plain types.
  - No header includes itself, directly or by way of others.
  - Core code has no ISA #if: what differs between machines lies in arch/<isa> folders.

Prints one TAP line a rule, after one line for each breach; exit status 1 when there was any.
"""
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# folder -> the other folders its files may include from. A file belongs to the longest folder here.
CELL = ["native/include", "nucleus/abi", "lib"]
MAY_SEE = {
    "lib": ["nucleus/abi"],
    "nucleus/abi": [],
    "nucleus": ["nucleus/abi", "lib"],
    "native/include": ["nucleus/abi", "lib"],
    "native/lib": CELL,
    "native": CELL,
    "drivers/lib": CELL,
    "drivers": CELL + ["drivers/lib"],
    "membrane/arch": CELL + ["membrane/include"],
    "membrane/include": CELL + ["membrane/arch"],
    "membrane": CELL + ["membrane/arch", "membrane/include"],
    "posix": CELL + ["membrane/include"],
    "userland": ["nucleus/abi", "native/include"],
}
# Folders whose sub-folders are programs of their own: strangers to each other.
PROGRAMS = ("native", "drivers", "userland")

# Where the build looks for a header, by the includer's folder: the Makefile's -I, in order.
SEARCH = ["lib/include", "lib/include/libc", "nucleus/abi", "nucleus/include", "nucleus/core",
          "nucleus/arch/riscv64", "native/include", "drivers/lib", "membrane/include",
          "membrane/arch/riscv64", "posix/include", "posix"]
# Linux programs have a C library of their own, whose headers ours are not.
SEARCH_USERLAND = ["nucleus/abi", "native/include"]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
ISA_IF = re.compile(r"^\s*#\s*(?:if|ifdef|ifndef|elif)\b.*\b(__riscv\w*|__x86_64__|__i386__|"
                    r"__aarch64__|__arm__)\b")
ISA_FREE = ["nucleus/core", "nucleus/include", "membrane", "posix", "native", "drivers", "lib"]


def sources():
    for top in sorted({prefix.split("/")[0] for prefix in MAY_SEE}):
        for folder, dirs, files in os.walk(os.path.join(TOP, top)):
            dirs[:] = sorted(d for d in dirs if not d.startswith("."))
            for name in sorted(files):
                if name.endswith((".c", ".h", ".S", ".def")):
                    yield os.path.relpath(os.path.join(folder, name), TOP)


def layer(path):
    """The longest folder of MAY_SEE that path lies in."""
    found = [p for p in MAY_SEE if path.startswith(p + "/")]
    return max(found, key=len) if found else None


def resolve(path, quote, name, files):
    """The file of ours an include names, or None for the compiler's, third-party and generated ones."""
    if quote == '"':
        near = os.path.normpath(os.path.join(os.path.dirname(path), name))
        if near in files:
            return near
    own = layer(path)
    # a name that several folders have is taken from the includer's own layer first, as -I would
    search = SEARCH_USERLAND if own == "userland" else SEARCH
    places = sorted(search, key=lambda d: not (d + "/").startswith(own.split("/")[0] + "/"))
    for place in places:
        candidate = os.path.normpath(os.path.join(place, name))
        if candidate in files:
            return candidate
    return None


def may_include(path, target):
    here, there = layer(path), layer(target)
    if here == there and here in PROGRAMS:
        return path.split("/")[1] == target.split("/")[1]
    return here == there or there in MAY_SEE[here]


def cycles(graph):
    """Include cycles, each as a list of files, found depth-first."""
    state, stack, found = {}, [], []

    def visit(node):
        state[node] = "open"
        stack.append(node)
        for target in graph.get(node, []):
            if state.get(target) == "open":
                found.append(stack[stack.index(target):] + [target])
            elif target not in state:
                visit(target)
        stack.pop()
        state[node] = "done"

    for node in sorted(graph):
        if node not in state:
            visit(node)
    return found


def main():
    files = set(sources())
    graph, layer_breaches, isa_breaches = {}, [], []
    for path in sorted(files):
        with open(os.path.join(TOP, path), encoding="utf-8", errors="replace") as f:
            text = f.read()
        graph[path] = []
        for match in INCLUDE.finditer(text):
            target = resolve(path, match[1], match[2], files)
            if target is None:
                if match[2].startswith("../"):
                    layer_breaches.append(f"{path}: includes {match[2]}, which is not there")
                continue
            graph[path].append(target)
            if not may_include(path, target):
                layer_breaches.append(f"{path}: a file of {layer(path)}/ may not include {target}")
        if any(path.startswith(p + "/") for p in ISA_FREE) and "/arch/" not in path:
            for number, line in enumerate(text.splitlines(), 1):
                if ISA_IF.match(line):
                    isa_breaches.append(f"{path}:{number}: ISA condition outside arch/: {line.strip()}")

    cycle_breaches = ["include cycle: " + " -> ".join(c) for c in cycles(graph)]
    failed = False
    for name, breaches in (("layers include only what they may", layer_breaches),
                           ("no include cycles", cycle_breaches),
                           ("no ISA conditions in core code", isa_breaches)):
        for breach in breaches:
            print(f"# {breach}")
        print(("not ok" if breaches else "ok") + f" - {name}")
        failed |= bool(breaches)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
