#!/usr/bin/env python3
"""The archives of distro/tools/mkcpio.py: what every reader of the format needs, and where data lies.

    cpio_archive.py [SEED]     speaks TAP; the seed of the random parts is printed

Contents come back as they went in, names have NULs only behind them and no more than Linux takes, the data
of files of a page and more begins at a page. Where the machine has cpio(1), it lists the same names.
"""
import os
import random
import shutil
import stat
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "distro", "tools"))
import mkcpio  # noqa: E402

failures = 0


def check(name, good, said=""):
    global failures
    failures += not good
    print(("ok" if good else "not ok") + f" - {name}")
    if not good:
        print(f"# {said}")


def members(data):
    """[(name, mode, data, where the data begins, bytes of the name)] of a newc archive, up to its trailer."""
    at, found = 0, []
    while True:
        assert data[at:at + 6] == b"070701", f"no member at {at}"
        field = [int(data[at + 6 + 8 * k:at + 14 + 8 * k], 16) for k in range(13)]
        raw = data[at + 110:at + 110 + field[11]]
        name = raw.split(b"\0")[0]
        assert 0 < len(name) < field[11] and not raw[len(name):].strip(b"\0"), f"name {raw!r}"
        begin = at + 110 + field[11] + -(at + 110 + field[11]) % 4
        if name == b"TRAILER!!!":
            assert not data[begin:].strip(b"\0")
            return found
        found.append((name.decode(), field[1], data[begin:begin + field[6]], begin, field[11]))
        at = begin + field[6] + -field[6] % 4


def tree(chance):
    """A root of some files, links and folders, of sizes around those that matter."""
    root, want = mkcpio.Root(), {}
    for _ in range(chance.randrange(1, 60)):
        path = "/".join("x" * chance.choice((1, 3, 30, 200)) + str(chance.randrange(50)) for _ in range(chance.randrange(1, 4)))
        if any(path.startswith(other + "/") or other.startswith(path + "/") for other in want):
            continue
        size = chance.choice((0, 1, 4095, 4096, 4097, chance.randrange(30000)))
        want[path] = chance.randbytes(size)
        root.add(path, stat.S_IFREG | 0o644, want[path])
    return root, want


def one(chance):
    """Problems with one random archive, as a text, and whether a folder was named twice."""
    root, want = tree(chance)
    data = root.archive(7)
    found, wrong = members(data), []
    names = [name for name, *_ in found if name != "."]
    files = {name: content for name, mode, content, *_ in found if stat.S_ISREG(mode)}
    if files != want:
        wrong.append("contents")
    if len(data) % 512 or root.archive(7) != data:
        wrong.append("size, or another each time")
    for name, mode, content, begin, room in found:
        if room > 4096:
            wrong.append(f"{name}: a name of {room} bytes")
        if stat.S_ISREG(mode) and len(content) >= 4096 and begin % 4096:
            wrong.append(f"{name}: data at {begin}")
        if "/" in name and name.rpartition("/")[0] not in names[:names.index(name)]:
            wrong.append(f"{name}: before its folder")
    return wrong, len(found) > len(root.entries)


def listed(data):
    done = subprocess.run(["cpio", "-t", "--quiet"], input=data, stdout=subprocess.PIPE, check=False)
    return done.stdout.decode().split()


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(1 << 32)
    print(f"# seed {seed}")
    chance, twice, wrong = random.Random(seed), 0, []
    for _ in range(300):
        more, again = one(chance)
        wrong += more
        twice += again
    check("300 random archives hold what they should, where they should", not wrong, wrong[:5])
    check("some needed a folder twice", twice, "none of them: the case is not tested")
    if shutil.which("cpio"):
        root, _ = tree(chance)
        data = root.archive(7)
        check("cpio(1) lists the names", listed(data) == [name for name, *_ in members(data)])
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
