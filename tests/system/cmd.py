#!/usr/bin/python3
"""`make run CMD=...`: prints what the command prints, byte for byte, and exits with its status."""
# linux: no, it is about make run
# timeout: 600
import os
import subprocess
import sys
import tempfile

from console import BUILD, TOP, Report, folder, harts

BUSYBOX = os.path.join(BUILD, "userland", "busybox")

# command, output (None: what the same BusyBox prints on Linux), status
CASES = [
    ("true", b"", 0),
    ("exit 7", b"", 7),
    ("false", b"", 1),
    ("echo hello", b"hello\n", 0),
    ("printf 'no newline'", b"no newline", 0),
    (r"printf 'a\nb\r\nc\td\0e\377\033[1m\177'", b"a\nb\r\nc\td\0e\xff\x1b[1m\x7f", 0),
    ("printf '\u00e4\u20ac\U0001f600\\n'", "\u00e4\u20ac\U0001f600\n".encode(), 0),
    ("echo out; echo err >&2", b"out\nerr\n", 0),
    ("kill -TERM $$", b"", 143),
    ("kill -KILL $$", b"", 137),
    ("no-such-command", b"sh: no-such-command: not found\n", 127),
    ("/etc/passwd", b"sh: /etc/passwd: Permission denied\n", 126),
    ("exit 255", b"", 255),
    ("trap 'echo bye' EXIT; exit 3", b"bye\n", 3),
    ("echo \"$HOME $PATH\"; pwd; id -u; tty",
     b"/root /sbin:/usr/sbin:/bin:/usr/bin\n/root\n0\n/dev/console\n", 0),
    ("echo 'quotes \"both\" $HOME' \"it's\" `echo sub` $((1+1)) \\$x # comment",
     b"quotes \"both\" $HOME it's sub 2 $x\n", 0),
    ("cat <<END\nline $((40 + 2))\nEND\necho after", b"line 42\nafter\n", 0),
    ("head -c 300000 /dev/zero | tr '\\0' 'x'", b"x" * 300000, 0),
    ("(sleep 0.2; echo late) & wait", b"late\n", 0),
    ("sleep 100 & echo done", b"done\n", 0),
    ("stty -a 2>/dev/null | grep -c -- -opost", b"1\n", 0),
    ("exec sleep 0", b"", 0),
    ("poweroff; sleep 10", b"", 0),
    ("busybox | head -1; seq 100000 | sort -rn | md5sum; (sleep 1 & wait); stat -c %a /tmp; "
     "yes | head -c 1000000 | gzip | gunzip | wc -c", None, 0),
]


def run(command, smp, extra=None):
    args = [sys.executable, os.path.join(TOP, "distro", "run.py"), "--smp", str(smp), "--timeout",
            "90", "--cmd", command]
    if extra:
        args += ["--extra", extra]
    done = subprocess.run(args, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    return done.stdout, done.returncode, done.stderr


def on_linux(command):
    """What the same BusyBox prints here, under QEMU's user mode: the applets are its own."""
    with tempfile.TemporaryDirectory() as top:
        for name in ("busybox", "head", "seq", "sort", "md5sum", "sleep", "stat", "yes", "gzip",
                     "gunzip", "wc"):
            with open(os.path.join(top, name), "w") as f:
                f.write(f"#!/bin/sh\nexec qemu-riscv64 -0 {name} {BUSYBOX} \"$@\"\n")
            os.chmod(f.name, 0o755)
        env = dict(os.environ, PATH=top + ":/usr/bin:/bin", LC_ALL="C")
        return subprocess.run(["qemu-riscv64", "-0", "sh", BUSYBOX, "-c", command], env=env,
                              stdout=subprocess.PIPE, timeout=120).stdout


def check(report, name, got, want):
    if got == want:
        report.ok(name)
    else:
        report.not_ok(name, f"got  {got!r}"[:600] + "\n" + f"want {want!r}"[:600])


def make(report):
    """The whole way through make, with text that make and shells would like to touch."""
    for command, output, status in [
            ("uname -s; ls -d / | cat", b"Linux\n/\n", 0),
            ("echo '$$x' \"$(echo sub)\" %s #not a comment; exit 9", b"$$x sub %s #not\n", 9)]:
        command = command.replace("#not a comment", "'#not'")
        done = subprocess.run(["make", "run", "CMD=" + command], cwd=TOP, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=600,
                              env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")})
        check(report, f"make run CMD={command}", (done.stdout, done.returncode), (output, status))


def extra_tree(report, smp, prefix):
    with folder({"/opt/own": "#!/bin/sh\necho own $1; cat /opt/data\n", "/opt/data": "data\n",
                 "/etc/motd": "replaced\n"}) as top:
        out, status, _ = run("/opt/own arg; cat /etc/motd; stat -c %a /opt/own /opt/data", smp, top)
        check(report, prefix + "EXTRA", (out, status), (b"own arg\ndata\nreplaced\n755\n644\n", 0))


def main():
    report = Report()
    for smp in harts():
        prefix = f"{smp} hart{'s' if smp > 1 else ''}: "
        for command, output, status in CASES if smp == harts()[0] else CASES[-1:]:
            out, got, err = run(command, smp)
            want = on_linux(command) if output is None else output
            if out != want or got != status:
                sys.stdout.write("".join(f"#   stderr: {s}\n" for s in err.decode(
                    "utf-8", "replace").splitlines()[-10:]))
            check(report, prefix + repr(command)[:60], (out, got), (want, status))
        extra_tree(report, smp, prefix)
    make(report)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
