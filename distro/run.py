#!/usr/bin/env python3
"""Boot Nexus in QEMU.

Without --cmd: an interactive console on this terminal; Ctrl-A X leaves QEMU.

With --cmd or --cmd-env: boots, lets the system run the command as /etc/nexus/cmd, copies to standard
output what the command prints, byte for byte, and exits with its status. What comes before the line
`nexus: console handed over` is the boot's and is kept back. Exit statuses of this program's own:
124 the time is up, 125 the boot failed (its messages go to standard error).

Tests import this file: machine() gives the QEMU command line, bundle() the boot bundle.
"""
import argparse
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(TOP, "build")
sys.path.insert(0, os.path.join(TOP, "distro", "tools"))
import mkbundle  # noqa: E402
import mkcpio  # noqa: E402

MARK = b"nexus: console handed over"
STOPPED = re.compile(rb"^nexus: (?:cannot start|panic)[^\n]*\n", re.M)  # and the machine stands still
TIMED_OUT, BOOT_FAILED = 124, 125
TREE_SIZE = 64 << 10  # more than QEMU's device tree has


def places(text):
    """What PLACEMENT=... says as a list of CELL=isolated and CELL=fused: that itself, or `fused` (the
    personality), `all` (every cell but the supervisor), `isolated`."""
    short = {"fused": ["posix=fused"], "all": ["all=fused"], "isolated": ["all=isolated"]}
    items = short.get(text.strip(), text.split())
    for item in items:
        if not re.fullmatch(r"[\w-]+=(isolated|fused)", item):
            sys.exit(f"run: PLACEMENT: {item} is not CELL=isolated or CELL=fused")
    return items


def placement(text):
    """The boot argument for it."""
    items = [item.replace("=", ":") for item in places(text)]
    return "nexus.place=" + ",".join(items) if items else ""


def bundle(out, cmd=None, extra=None, cells=(), base=None):
    """Write the boot bundle OUT: the built one plus what this run adds.

    cmd is text or bytes for /etc/nexus/cmd, extra a folder to lay over the root (or several), cells are
    files of cells to add (the tests' own)."""
    parts = mkbundle.parse(mkbundle.read(base or os.path.join(BUILD, "boot.bundle")))
    for path in cells:
        name = os.path.basename(path).removesuffix(".cell")
        parts = [p for p in parts if p[0] != name]
        parts.append((name, mkbundle.CELL, mkbundle.read(path)))
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "1735689600"))
    if extra is not None:
        root = mkcpio.Root()
        for tree in [extra] if isinstance(extra, str) else extra:
            root.add_tree(tree)
        parts.append(("extra", mkbundle.ARCHIVE, root.archive(epoch)))
    if cmd is not None:
        root = mkcpio.Root()
        text = cmd if isinstance(cmd, bytes) else os.fsencode(cmd)
        root.add("/etc/nexus/cmd", 0o100644, text)
        parts.append(("cmd", mkbundle.ARCHIVE, root.archive(epoch)))
    with open(out, "wb") as f:
        f.write(mkbundle.build(parts))


def bundle_room(mem):
    """Bytes of boot bundle for which there is room in a machine of `mem` MiB. QEMU puts it half way into
    memory, at most 128 MiB behind the nucleus, and the device tree to the last 2 MiB border (below 3 GiB):
    a longer bundle lies over the tree, and then not even the firmware can say anything."""
    start = (130 << 20) if mem >= 256 else (2 << 20) + (mem << 19)
    tree = (min(mem << 20, 1 << 30) - TREE_SIZE) >> 21 << 21
    return max(0, tree - start)


def disk(path, n):
    """QEMU arguments for the raw image PATH as disk n (/dev/vda is 0); read-only when we may not write it."""
    readonly = ",readonly=on" if not os.access(path, os.W_OK) else ""
    name = path.replace(",", ",,")  # how QEMU quotes a comma
    return ["-drive", f"file={name},if=none,format=raw,id=disk{n}{readonly}",
            "-device", f"virtio-blk-device,drive=disk{n}"]


def screen(display):
    """QEMU arguments for a screen, a keyboard and a tablet; display is one of QEMU's -display, or "1": a
    window when there is somewhere to put it, else VNC on this machine."""
    if display == "1":
        window = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
        display = "gtk" if window else "vnc=127.0.0.1:0"
        if not window:
            print("run: the screen is at vnc://127.0.0.1:5900", file=sys.stderr)
    return ["-device", "virtio-gpu-device", "-device", "virtio-keyboard-device",
            "-device", "virtio-tablet-device", "-display", display]


def machine(initrd, smp=1, mem=256, icount=False, gdb=False, kernel=None, cpu="rv64", rng=True, more=(),
            place="", waits=False):
    """The QEMU command line of the machine Nexus runs on.

    rng: it has a virtio-rng, as good as the host's random numbers; with icount always the same ones.
    waits: for somebody at its console. With icount idle time then passes as it does for them, not at once: without
    a timer to pass it to, that would be some 292 years."""
    args = ["qemu-system-riscv64", "-machine", "virt", "-cpu", cpu, "-bios", "default",
            "-global", "virtio-mmio.force-legacy=false", "-nic", "none",
            "-m", str(mem), "-smp", str(smp), "-nographic", "-no-reboot",
            "-kernel", kernel or os.path.join(BUILD, "nucleus.bin"), "-initrd", initrd]
    if rng:
        args += ["-object", "rng-builtin,id=entropy", "-device", "virtio-rng-device,rng=entropy"]
    if icount:
        # Idle time passes at once, but not with disks: QEMU then leaves their requests no time at all.
        disks = any("virtio-blk" in arg for arg in more)
        args += ["-icount", f"shift=0,sleep={'on' if disks or waits else 'off'}"]
        args += ["-seed", "1"]  # the same random numbers in every run
    if gdb:
        args += ["-s", "-S"]
    more = list(more)
    if placement(place):
        if "-append" in more:
            more[more.index("-append") + 1] += " " + placement(place)
        else:
            more += ["-append", placement(place)]
    return args + more


def stop(child):
    """End our own QEMU, politely first."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(3)
        except subprocess.TimeoutExpired:
            child.kill()
    return child.wait()


def run_command(args, timeout):
    """Run to the end with the console on our standard output."""
    child = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
    deadline = time.monotonic() + timeout
    out, err = child.stdout.fileno(), child.stderr.fileno()
    boot, errors, running = bytearray(), bytearray(), False
    sources = [out, err]
    try:
        while sources:
            left = deadline - time.monotonic()
            if left <= 0:
                stop(child)
                sys.stderr.buffer.write(bytes(errors) if running else bytes(boot + errors))
                if not running and STOPPED.search(boot):
                    print("run: the boot failed", file=sys.stderr)
                    return BOOT_FAILED
                print(f"run: no end within {timeout:g} s", file=sys.stderr)
                return TIMED_OUT
            for source in select.select(sources, [], [], left)[0]:
                data = os.read(source, 65536)
                if not data:
                    sources.remove(source)
                elif source == err:
                    errors += data
                elif running:
                    write_all(data)
                else:
                    boot += data
                    at = boot.find(MARK)
                    end = boot.find(b"\n", at) if at >= 0 else -1
                    if end >= 0:
                        running = True
                        write_all(bytes(boot[end + 1:]))
                    elif STOPPED.search(boot):
                        deadline = min(deadline, time.monotonic() + 0.5)  # there may be a backtrace
        status = child.wait()
    except BaseException:
        stop(child)
        raise
    if not running:
        sys.stderr.buffer.write(bytes(boot + errors))
        print(f"run: the boot failed (QEMU's status {status})", file=sys.stderr)
        return BOOT_FAILED
    sys.stderr.buffer.write(bytes(errors))
    return status if status >= 0 else 128 - status


def write_all(data):
    while data:
        data = data[os.write(1, data):]


def run_interactive(args, gdb):
    if gdb:
        print("run: waiting for a debugger:\n"
              "    gdb-multiarch build/nucleus.elf -ex 'target remote :1234'", file=sys.stderr)
    # The keys that raise signals belong to the console of the machine, not to this program.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return subprocess.call(args)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--smp", type=int, default=1, help="harts (default 1)")
    p.add_argument("--mem", type=int, default=256, help="MiB of memory (default 256)")
    p.add_argument("--icount", action="store_true", help="one instruction is one nanosecond")
    p.add_argument("--gdb", action="store_true", help="wait for a debugger on port 1234")
    p.add_argument("--placement", default="", metavar="WHERE",
                   help="`fused` (the personality), `all`, or CELL=isolated|fused ...")
    p.add_argument("--timeout", type=float, default=600, help="seconds a command may take (default 600)")
    p.add_argument("--cmd", help="run this command instead of a shell")
    p.add_argument("--cmd-env", metavar="VAR", help="the same, taken from the environment")
    p.add_argument("--extra", metavar="DIR", action="append", help="lay the tree under DIR over the root")
    p.add_argument("--cell", action="append", default=[], metavar="FILE",
                   help="add this cell to the boot bundle, or put it in the place of the one of that name")
    p.add_argument("--disk", action="append", default=[], metavar="FILE",
                   help="a raw image as the next disk: /dev/vda, then vdb ... (at most 4)")
    p.add_argument("--gpu", metavar="DISPLAY",
                   help="a screen (/dev/fb0), a keyboard and a tablet; shown by this -display of QEMU, or 1")
    p.add_argument("--qemu", action="append", default=[], metavar="ARG", help="one more argument for QEMU")
    a = p.parse_args()
    cmd = os.environ[a.cmd_env] if a.cmd_env else a.cmd
    for path in a.disk:
        if not os.path.exists(path):
            sys.exit(f"run: DISK: there is no {path}")
    for path in a.cell:
        if not os.path.isfile(path) or not path.endswith(".cell"):
            sys.exit(f"run: CELL: {path} is no file NAME.cell")
    for path in a.extra or []:
        if not os.path.isdir(path):
            sys.exit(f"run: EXTRA: {path} is not a folder")

    runs = os.path.join(BUILD, "run")
    os.makedirs(runs, exist_ok=True)
    work = tempfile.mkdtemp(dir=runs)
    # Whoever ends this program ends its QEMU too, and the work folder goes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        initrd = os.path.join(work, "bundle")
        bundle(initrd, cmd, a.extra, a.cell)
        size = os.path.getsize(initrd)
        if size > bundle_room(a.mem):
            print(f"run: {a.mem} MiB of memory are too little for a boot bundle of {size >> 10} KiB", file=sys.stderr)
            return BOOT_FAILED
        more = [arg for n, path in enumerate(a.disk) for arg in disk(path, n)]
        more += screen(a.gpu) if a.gpu else []
        args = machine(initrd, a.smp, a.mem, a.icount, a.gdb, more=more + a.qemu,
                       place=a.placement, waits=cmd is None)
        if cmd is None:
            return run_interactive(args, a.gdb)
        return run_command(args, a.timeout)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        return 128 + signal.SIGPIPE
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
