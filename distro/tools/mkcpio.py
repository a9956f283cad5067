#!/usr/bin/env python3
"""Make a newc cpio archive that is the same for the same contents, whoever makes it, and when.

    mkcpio.py -o OUT [--tree DIR] [--file PATH=SOURCE] [--links LIST] [--text PATH=ENVVAR]

  --tree   everything below DIR
  --file   SOURCE as PATH, executable; wins over links of that path
  --links  LIST holds one path a line: each becomes a symbolic link to /bin/busybox
  --text   PATH holds the bytes of the environment variable ENVVAR, exactly

Entries are sorted, belong to root, and carry the time $SOURCE_DATE_EPOCH. From a tree come the type,
the executable bit and the link target; files named .keep only keep their folder in git.

The data of files of a page and more begins at a multiple of 4096: their names are padded with NULs, which
every reader of the format takes for the end of the name. Nexus then uses the pages of an archive where
they lie.
"""
import argparse
import os
import stat
import sys

PAGE = 4096
HEAD = 110  # bytes before the name
NAME_MAX = 4096  # bytes of a name with its NULs; Linux skips an entry with more

# What git does not keep of a file: paths that are not 0755 (folders, programs) or 0644.
MODES = {"/root": 0o700, "/tmp": 0o1777, "/var/tmp": 0o1777, "/etc/shadow": 0o600}


class Root:
    """A tree in memory: path -> (mode, data)."""

    def __init__(self):
        self.entries = {}

    def add(self, path, mode, data=b""):
        path = "/" + path.strip("/")
        parent = os.path.dirname(path)
        if parent != "/" and parent not in self.entries:
            self.add(parent, stat.S_IFDIR | 0o755)
        self.entries[path] = (stat.S_IFMT(mode) | MODES.get(path, stat.S_IMODE(mode)), data)

    def add_tree(self, top):
        for folder, dirs, files in os.walk(top):
            dirs.sort()
            for name in dirs + files:
                full = os.path.join(folder, name)
                path = "/" + os.path.relpath(full, top)
                info = os.lstat(full)
                if stat.S_ISLNK(info.st_mode):
                    self.add(path, stat.S_IFLNK | 0o777, os.readlink(full).encode())
                elif stat.S_ISDIR(info.st_mode):
                    self.add(path, stat.S_IFDIR | 0o755)
                elif not stat.S_ISREG(info.st_mode):
                    sys.exit(f"mkcpio: {full}: neither file, folder nor link")
                elif name != ".keep":
                    with open(full, "rb") as f:
                        self.add(path, stat.S_IFREG | (0o755 if info.st_mode & 0o100 else 0o644), f.read())

    def archive(self, mtime):
        out = bytearray()
        inode = 0
        for path, (mode, data) in sorted(self.entries.items()):
            inode += 1
            room = 0
            if stat.S_ISREG(mode) and len(data) >= PAGE:
                room = room_to_page(path, len(out))
                if room > NAME_MAX:  # its folder, named once more, moves it on
                    out += self.folder(os.path.dirname(path), mtime)
                    room = room_to_page(path, len(out))
            out += member(path[1:], inode, mode, mtime, data, 2 if stat.S_ISDIR(mode) else 1, room)
        out += member("TRAILER!!!", 0, 0, 0, b"", 1)
        return bytes(out) + bytes(-len(out) % 512)

    def folder(self, path, mtime):
        """A member that makes the folder, again, with a name so long that another's fits to a page."""
        mode = self.entries[path][0] if path in self.entries else stat.S_IFDIR | 0o755
        return member(path[1:] or ".", 0, mode, mtime, b"", 2, 1024)


def room_to_page(path, at):
    """Bytes for the name of a member at `at` so that its data begins at a multiple of PAGE."""
    used = len(path[1:].encode()) + 1
    return used + -(at + HEAD + used) % PAGE


def member(name, inode, mode, mtime, data, links, room=0):
    """The bytes of an entry; its name has `room` bytes, or as many as it needs."""
    name = name.encode() + b"\0"
    name += bytes(max(0, room - len(name)))
    fields = [inode, mode, 0, 0, links, mtime, len(data), 0, 0, 0, 0, len(name), 0]
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + name
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-o", dest="out", required=True)
    p.add_argument("--tree", action="append", default=[])
    p.add_argument("--file", action="append", default=[])
    p.add_argument("--links", action="append", default=[])
    p.add_argument("--text", action="append", default=[])
    args = p.parse_args()

    root = Root()
    for tree in args.tree:
        if not os.path.isdir(tree):
            sys.exit(f"mkcpio: {tree}: no such folder")
        root.add_tree(tree)
    for links in args.links:
        with open(links) as f:
            for path in f.read().split():
                if path != "/bin/busybox" and path not in root.entries:
                    root.add(path, stat.S_IFLNK | 0o777, b"/bin/busybox")
    for item in args.file:
        path, source = item.split("=", 1)
        with open(source, "rb") as f:
            root.add(path.strip(), stat.S_IFREG | 0o755, f.read())
    for item in args.text:
        path, variable = item.split("=", 1)
        root.add(path, stat.S_IFREG | 0o644, os.fsencode(os.environ[variable]))

    data = root.archive(int(os.environ.get("SOURCE_DATE_EPOCH", "0")))
    with open(args.out + ".tmp", "wb") as f:
        f.write(data)
    os.rename(args.out + ".tmp", args.out)


if __name__ == "__main__":
    main()
