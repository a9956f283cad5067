"""Sessions with Nexus over its serial console, for the tests of this folder.

A test file defines functions that take a booted Machine and end normally or by an exception, and
hands them to main(). That boots a machine for 1 and for 4 harts (or $SMP, or the numbers on the
command line), runs the tests in it, prints a TAP line for each, and compares what the system has in
use before and after (/proc/nexus/leak). A test that fails gets the end of the console's output
printed with it, and the tests after it a new machine.

Everything has a time limit, and only our own QEMU is ever ended.

A test must be right: with NEXUS_TEST_LINUX=<riscv64 kernel Image> in the environment the same
sessions run on Linux, with the same root file system.
"""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import pexpect

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, "build")
TEST_ROOT = os.path.join(BUILD, "tests", "root")  # programs only tests need; every machine has them
sys.path[:0] = [os.path.join(TOP, "distro"), os.path.join(TOP, "distro", "tools")]
import mkcpio  # noqa: E402
import run as distro_run  # noqa: E402

LINUX = os.environ.get("NEXUS_TEST_LINUX")
# What `make run PLACEMENT=...` takes; a test file that runs in several takes it as its only one.
PLACEMENT = os.environ.get("PLACEMENT")
# Time limits are for this much slower a machine than the one they were written on.
SLOW = float(os.environ.get("NEXUS_TEST_SLOW", "1"))
PROMPT = "@@> "

# What Linux needs done before init; Nexus starts with it done. Linux does no job control on its own
# /dev/console, so it gets the serial line by that name.
LINUX_INIT = b"""#!/bin/sh
mount -t proc proc /proc 2>/dev/null || { mkdir -p /proc; mount -t proc proc /proc; }
ifconfig lo 127.0.0.1 up
mkdir -p /dev && mount -t devtmpfs dev /dev
rm /dev/console && mknod /dev/console c 4 64
ln -s /proc/self/fd /dev/fd
mkdir -p /dev/pts && mount -t devpts -o mode=620,gid=5,ptmxmode=666 devpts /dev/pts
mkdir -p /tmp && mount -t tmpfs -o mode=1777 tmp /tmp
exec /sbin/init
"""


class Failure(Exception):
    """The system did something else than it should."""


class Machine:
    """A booted system with a shell at its console.

    extra is a folder laid over the root, or several; more are further arguments for QEMU; place is where cells
    run, as `make run PLACEMENT=...` takes it; without rng it has no source of random
    numbers."""

    def __init__(self, smp=1, mem=256, extra=None, cells=(), more=(), boot_time=60, place=None,
                 linux=LINUX, rng=True):
        self.smp = smp
        self.linux = linux
        self.rng = rng
        self.place = (PLACEMENT or "") if place is None else place
        self.work = tempfile.mkdtemp(prefix="nexus-test-")
        self.log = open(os.path.join(self.work, "console"), "wb")
        args = self._linux(linux, smp, mem, extra, more) if linux else self._nexus(smp, mem, extra, cells, more)
        self.child = pexpect.spawn(args[0], args[1:], timeout=10, dimensions=(24, 80))
        self.child.logfile_read = self.log
        self.child.delaybeforesend = None
        try:
            self._login(boot_time * SLOW)
        except BaseException:
            self.show_log()
            self.close()
            raise

    def _nexus(self, smp, mem, extra, cells, more):
        initrd = os.path.join(self.work, "bundle")
        distro_run.bundle(initrd, None, [TEST_ROOT] + trees(extra), cells)
        return distro_run.machine(initrd, smp, mem, rng=self.rng, more=more, place=self.place)

    def _linux(self, kernel, smp, mem, extra, more):
        initrd = os.path.join(self.work, "initrd")
        root = mkcpio.Root()
        root.add("/linux-init", 0o100755, LINUX_INIT)
        root.add("/proc", 0o040755)
        root.add_tree(TEST_ROOT)
        for tree in trees(extra):
            root.add_tree(tree)
        with open(os.path.join(BUILD, "rootfs.cpio"), "rb") as f:
            archive = f.read()
        with open(initrd, "wb") as f:
            f.write(archive + root.archive(1))
        return ["qemu-system-riscv64", "-machine", "virt", "-cpu", "rv64", "-m", str(mem), "-smp",
                str(smp), "-nographic", "-no-reboot", "-kernel", kernel, "-initrd", initrd,
                "-append", "console=ttyS0 quiet rdinit=/linux-init", *more]

    def _login(self, boot_time):
        self.expect(r"[#$] ", boot_time)
        self.set_prompt()
        if not self.linux:
            said = re.findall(r"\b(?:all|posix):(\w+)", distro_run.placement(self.place))
            same(self.out("grep fused /proc/nexus/cell"), f"fused {int(said[-1:] == ['fused'])}\n", "placement")

    def set_prompt(self):
        """A prompt that nothing else looks like; quoted so that its echo does not either."""
        self.send("PS1='@@''> '\r")
        self.prompt()
        # The history of commands is a file that grows; a leak check would see that.
        self.out("rm -f ~/.ash_history; ln -s /dev/null ~/.ash_history")

    def close(self):
        """Ends our QEMU."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.child.pid, signal.SIGKILL)
        with contextlib.suppress(pexpect.ExceptionPexpect):
            self.child.wait()  # close() gives a busy host a tenth of a second, and fails
        self.child.close(force=True)
        self.log.close()
        shutil.rmtree(self.work, ignore_errors=True)

    def show_log(self, lines=60):
        """The end of what the console said, as TAP comments."""
        self.log.flush()
        with open(self.log.name, "rb") as f:
            text = re.sub(r"\r+\n", "\n", f.read()[-20000:].decode("utf-8", "replace"))
        for line in text.splitlines()[-lines:]:
            print("#   | " + "".join(c if c.isprintable() else repr(c)[1:-1] for c in line))

    def show_harts(self):
        """What a key does, and where each hart is, as TAP comments: for a machine that does not answer. QEMU's
        monitor is asked, so the console cannot be used on."""
        self.send("\r")
        print(f"#   a key is answered with {self.quiet(2)!r}")
        self.send("\x01c")
        for _ in range(3):  # a hart that runs is not where it was
            self.send("info registers -a\r")
            self.expect(r"CPU#0(?s:.*)\(qemu\) ", 5)
            text = clean(self.child.match[0])
            for hart, registers in enumerate(re.split(r"CPU#\d+", text)[1:]):
                value = {name: int(hexa, 16) for name, hexa in re.findall(r"(\S+)\s+([0-9a-f]{16})", registers)}
                said = [f"{name} {value.get(name, 0):x} {symbol(value.get(name, 0))}".rstrip()
                        for name in ("pc", "x1/ra", "x2/sp", "satp", "sepc", "scause", "stval", "mie", "mip")]
                print(f"#   hart {hart}: " + ", ".join(said))

    # ---- talking ----

    def send(self, text):
        """Types it."""
        self.child.send(text)

    def expect(self, pattern, timeout=10):
        """Waits until the console has shown this (a regular expression); the match."""
        self.child.expect(pattern.encode() if isinstance(pattern, str) else pattern,
                          timeout * SLOW)
        return self.child.match

    def before(self):
        """What came before the match, as text with plain newlines."""
        return clean(self.child.before)

    def prompt(self, timeout=10):
        """Waits for the shell's prompt; what came before it."""
        self.expect(re.escape(PROMPT), timeout)
        # The line editor asks the terminal where the cursor is; nobody here answers.
        return self.before()

    def quiet(self, seconds):
        """Waits; what the console said meanwhile."""
        try:
            self.child.expect(pexpect.EOF, timeout=seconds)
        except pexpect.TIMEOUT:
            text = self.child.before
            self.child.expect(rb"(?s).*", timeout=1)  # it counts as read
            return clean(text)
        raise Failure("the machine is gone")

    def sh(self, command, timeout=20):
        """Runs a line of shell and returns (what it printed, its exit status)."""
        end = "" if command.rstrip().endswith("&") else ";"
        self.send(f'echo "@@"B; {command}{end} echo "@@"E:$?:\r')
        self.expect(r"@@B\r*\n", 5)
        status = int(self.expect(r"@@E:(\d+):\r*\n", timeout)[1])
        output = self.before()
        self.prompt(5)
        return output, status

    def out(self, command, timeout=20):
        """What a command prints; it must succeed."""
        output, status = self.sh(command, timeout)
        if status:
            raise Failure(f"{command}: status {status}, printed {output!r}")
        return output

    def check(self, command, output, status=0, timeout=20):
        """A command must print exactly this and exit with this status."""
        got = self.sh(command, timeout)
        if got != (output, status):
            raise Failure(f"{command}: printed {got[0]!r}, status {got[1]}; "
                          f"expected {output!r}, status {status}")

    # ---- leaks ----

    def randomize(self, on):
        """Whether programs begun from now on lie anywhere: how many page tables they need goes by where."""
        self.sh(f"echo {2 if on else 0} > /proc/sys/kernel/randomize_va_space")

    def leak(self):
        """/proc/nexus/leak as a dictionary, or None on a system without it."""
        self.randomize(False)
        text, status = self.sh("cat /proc/nexus/leak")
        self.randomize(True)
        if status:
            return None
        return {name: int(value) for name, value in
                (line.split()[:2] for line in text.splitlines() if line.strip())}


def trees(extra):
    return [extra] if isinstance(extra, str) else list(extra or [])


symbols = []  # of the nucleus: (address, name), read when first needed


def symbol(address):
    """The nucleus' function there; empty elsewhere."""
    if not symbols:
        names = subprocess.run(["riscv64-linux-gnu-nm", os.path.join(BUILD, "nucleus.elf")], check=True,
                               stdout=subprocess.PIPE, encoding="ascii").stdout
        symbols.extend(sorted((int(at, 16), name) for at, kind, name in map(str.split, names.splitlines())
                              if kind in "tT" and name[0] != "$"))
    below = [name for at, name in symbols if at <= address < symbols[-1][0] + 4096]
    return below[-1] if below else ""


def clean(data):
    """Text without the escape sequences a line editor writes."""
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    # QEMU leaves output processing on at its own terminal, so what was CR LF has another CR here.
    return re.sub(r"\r+\n", "\n", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text))


def require(condition, message):
    if not condition:
        raise Failure(message)


def same(got, want, what="got"):
    if got != want:
        raise Failure(f"{what}: {got!r} instead of {want!r}")


# ---- running tests ----

# What may change for a reason: the interactive shell itself grows a little with what it was told, and pools
# and page tables keep what a larger peak than the warm-up's has made. What thousands of processes lose is more.
SLACK = {"pages_free": 64, "tables": 2}


def compare_leak(before, after):
    """A description of what is in use that was not before; empty when all is well."""
    wrong = []
    for name in sorted(set(before) | set(after)):
        a, b = before.get(name), after.get(name)
        if a is None or b is None or abs(a - b) > SLACK.get(name, 0):
            wrong.append(f"{name} {a} -> {b}")
    return ", ".join(wrong)


# Caches and pools grow to a size they keep; these make them grow.
WARM_UP = [
    "for i in 1 2 3; do ls -l / | sort | cat >/dev/null; (true); done; ps >/dev/null",
    "for i in $(seq 20); do sleep 0.3 & done; wait",
]


def log_in_anew(machine):
    """A fresh shell: the old one grew with what it was told, and counts the calls of all it has started
    for /proc/<pid>/entropy, of which each new kind costs memory. This one lies where the last one measured lay. Caches and pools have
    their size then."""
    machine.randomize(False)
    machine.send("exit\r")
    machine.expect(r"root@[\w.-]+:.*# ", 20)
    machine.set_prompt()
    machine.randomize(True)
    for command in WARM_UP:
        machine.out(command)
    machine.sh("cat /proc/nexus/leak")


def warm_up(machine, more=()):
    """Runs something of everything, and logs in anew; what is in use then. Tests in `more` are run
    as well: they need more of something (page tables, buffers) than the system has made so far, and
    it keeps that for next time."""
    for test in more:
        test(machine)
    log_in_anew(machine)
    return machine.leak()


def settle(machine):
    """What is in use when fibers that have nothing to do any more are gone."""
    last = None
    for _ in range(20):
        now = machine.leak()
        if now is None or now == last:
            break
        last = now
        time.sleep(1.5)
    return now


def check_leak(machine, before):
    if before is None:
        raise Failure("there is no /proc/nexus/leak")
    wrong = ""
    for _ in range(20):  # what dies in the background takes a moment
        wrong = compare_leak(before, machine.leak())
        if not wrong:
            return
        time.sleep(0.25)
    raise Failure(wrong)


class Report:
    def __init__(self):
        self.failed = 0

    def ok(self, name):
        print(f"ok - {name}", flush=True)

    def not_ok(self, name, why):
        self.failed += 1
        print(f"not ok - {name}")
        for line in str(why).splitlines()[:20]:
            print(f"#   {line[:400]}")
        sys.stdout.flush()


def describe(error):
    if isinstance(error, pexpect.TIMEOUT):
        lines = [s for s in traceback.format_exc().splitlines() if "tests/system/" in s]
        return "timeout; " + "; ".join(s.strip() for s in lines[-4:])
    if isinstance(error, pexpect.EOF):
        return "the machine ended"
    if isinstance(error, Failure):
        return str(error)
    return traceback.format_exc()


def harts():
    chosen = [a for a in sys.argv[1:] if a.isdigit()] or os.environ.get("SMP", "").split()
    return [int(a) for a in chosen] or [1, 4]


def placements(chosen):
    """Where cells run in the sessions of a file: chosen, or $PLACEMENT alone. Linux has no choice."""
    return [""] if LINUX else [PLACEMENT] if PLACEMENT is not None else list(chosen)


def prefix(smp, place=""):
    """What the names of a session's tests begin with."""
    return f"{smp} hart{'s' if smp > 1 else ''}{', ' + place if place else ''}: "


def wanted(test):
    names = [a for a in sys.argv[1:] if not a.isdigit()]
    return not names or test.__name__ in names


def run_one(report, label, machine, test):
    """True when the machine can be used on."""
    try:
        test(machine)
        report.ok(label)
        return True
    except Exception as error:  # a mistake in the test fails it, too
        report.not_ok(label, describe(error))
        machine.show_log()
        if isinstance(error, pexpect.TIMEOUT):
            with contextlib.suppress(pexpect.ExceptionPexpect):
                machine.show_harts()
        return False


def session(report, label, smp, tests, leak, warm, options):
    machine, before = None, None
    try:
        for test in tests:
            name = f"{label}{test.__name__}"
            if machine is None:
                try:
                    machine = Machine(smp, **options)
                    before = warm_up(machine, warm) if leak and not LINUX else None
                except (Failure, pexpect.ExceptionPexpect) as error:
                    report.not_ok(f"{name}: boot", describe(error))
                    return
            if not run_one(report, name, machine, test):
                machine.close()
                machine = None
        if machine is not None and leak and not LINUX:
            if warm:
                log_in_anew(machine)
            run_one(report, f"{label}leak", machine, lambda m: check_leak(m, before))
    finally:
        if machine is not None:
            machine.close()


def main(tests, leak=True, warm=(), place=("",), **options):
    """Runs the tests for each number of harts and each of the placements; exits with 1 when one failed.
    `warm` are tests to be run once before it is noted what is in use."""
    report = Report()
    tests = [t for t in tests if wanted(t)]
    for smp in harts():
        for where in placements(place):
            session(report, prefix(smp, where), smp, tests, leak, warm, dict(options, place=where))
    sys.exit(1 if report.failed else 0)


@contextlib.contextmanager
def folder(files):
    """A temporary folder with these files, {path: text}; texts that begin with #! are executable."""
    top = tempfile.mkdtemp(prefix="nexus-extra-")
    try:
        for path, text in files.items():
            full = os.path.join(top, path.lstrip("/"))
            os.makedirs(os.path.dirname(full), exist_ok=True)
            data = text if isinstance(text, bytes) else text.encode()
            with open(full, "wb") as f:
                f.write(data)
            os.chmod(full, 0o755 if data.startswith((b"#!", b"\x7fELF")) else 0o644)
        yield top
    finally:
        shutil.rmtree(top, ignore_errors=True)
