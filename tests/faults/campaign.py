#!/usr/bin/env python3
"""The fault campaign: damage drivers and services while they work, and count what comes of it.

  campaign.py [-n INJECTIONS] [--seed N] [--smp N] [--target NAME]... [--queues] [--out FOLDER]

Boots Nexus with all devices and lets programs work with each that check every answer. In turns it flips
random bits in the memory of the cells behind them - code, constants, data, stack, the rings they share with
their clients and what else they share - and kills them at random moments. Whatever such a cell then does
- nothing, a crash, nonsense, an endless loop - the nucleus must go on, other cells must stay as they
were, and the clients must get their answers. docs/faults.md says what the figures mean.

Status 0: the nucleus never failed, no other cell was harmed and no request was lost; 1 otherwise; 2 for
a wrong command line. Everything random comes from the seed, but not what the machine was just doing.
"""
import argparse
import collections
import os
import random
import re
import shutil
import statistics
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(TOP, "tests", "system"), os.path.join(TOP, "tests", "faults")]
import console  # noqa: E402
import guest  # noqa: E402
import loads  # noqa: E402
import pexpect  # noqa: E402
import rig as rigs  # noqa: E402

STUCK = 6        # seconds a running cell may serve nobody until it is restarted by hand
HUNG = 1         # seconds after which it counts as hung
TURN = 2         # injections before the next target's turn
CHECK_EVERY = 20  # injections between looks at everybody
FAILURES_MAX = 8
BROKEN = 20      # errors for one injection: the service is lost for good
LOST = (loads.Gone, EOFError, OSError, pexpect.ExceptionPexpect, console.Failure)


class Target:
    def __init__(self, name):
        self.name = name
        self.count = collections.Counter()
        self.before = collections.Counter()  # of the load, in boots that have ended
        self.times = []
        self.life, self.hand = 1, 0  # generation, and restarts of ours since it was last seen
        self.damaged = False         # in this life

    def totals(self, load):
        return {key: self.before[key] + (getattr(load, key) if load else 0)
                for key in ("answers", "wrong", "errors", "lost")}

    def booted(self):
        self.life, self.hand, self.damaged = 1, 0, False

    def ended(self, load):
        self.before = collections.Counter(self.totals(load))


class Watch:
    """What all cells were at first, page by page, to be compared with what they are."""

    def __init__(self, g):
        self.guest = g
        self.pages, self.lives = {}, {}
        self.flipped = collections.defaultdict(set)
        self.look()

    def look(self):
        """(cells whose code or constants have changed, cells that live another life); the machine
        must stand still."""
        harmed, ended = [], []
        for cell in self.guest.cells():
            if not cell.running:
                continue
            if cell.generation != self.lives.setdefault(cell.name, cell.generation):
                ended.append(cell.name)
                self.lives[cell.name] = cell.generation
            known = self.pages.setdefault(cell.name, {})
            for page in self.guest.pages(cell):
                if page.kind not in ("text", "constant") or not guest.IMAGE <= page.virtual < guest.IMAGE_END:
                    continue
                now = bytes(self.guest.memory.read(page.at, 4096))
                if (cell.generation, page.virtual) in self.flipped[cell.name]:
                    continue
                if now != known.setdefault(page.virtual, now):
                    harmed.append(f"{cell.name}.{cell.generation} at {page.virtual:#x}, "
                                  f"{differ(known[page.virtual], now)}")
                    known[page.virtual] = now
        return harmed, ended


def differ(a, b):
    """Where two pages differ, in words."""
    at = [i for i in range(4096) if a[i] != b[i]]
    first, last = at[0] & ~7, at[-1] | 7
    return (f"{len(at)} bytes from {first:#x} to {last:#x}: {a[first:first + 16].hex()} is "
            f"{b[first:first + 16].hex()}")


class Campaign:
    def __init__(self, options, work):
        self.options, self.work = options, work
        self.random = random.Random(options.seed)
        self.targets = [Target(name) for name in options.target or rigs.TARGETS]
        self.count = collections.Counter()
        self.events = []
        self.rig = None

    # ---- machines ----

    def boot(self):
        self.rig = rigs.Rig(self.work, self.options.smp)
        self.count["boots"] += 1
        with self.rig.gdb.stopped():
            self.watch = Watch(self.rig.guest)
        for t in self.targets:
            t.booted()

    def shut(self):
        if self.rig is None:
            return
        for t in self.targets:
            t.ended(self.rig.loads[t.name])
        self.count["console restarts by faultload"] += self.rig.line.hands
        self.rig.close()
        self.rig = None

    def event(self, text):
        self.events.append(f"seed {self.options.seed}, injection {self.count['injections']}: {text}; "
                           f"the last: {self.last}")
        print("# " + self.events[-1], flush=True)

    def save_console(self):
        """Keeps what the machine said, for whoever looks into it."""
        if not self.options.out:
            return
        os.makedirs(self.options.out, exist_ok=True)
        self.rig.machine.log.flush()
        path = os.path.join(self.options.out, f"console-{self.options.seed}-{self.count['injections']}.txt")
        shutil.copy(self.rig.machine.log.name, path)
        with open(path, "ab") as f:
            f.write(b"\n---- the nucleus' log\n" + self.nucleus_log())
        print(f"# the console's output is in {os.path.relpath(path, TOP)}", flush=True)

    def nucleus_log(self):
        """Whatever looks like lines of the log in the machine's memory."""
        found = re.findall(rb"[\x20-\x7e]{12,250}", self.rig.memory.map[0x200000:0x600000])
        words = re.compile(rb"generation|fault|protocol|broke|panic|dies|killed|device")
        return b"\n".join(line for line in found if words.search(line)) + b"\n"

    # ---- damage ----

    def choose(self, regions):
        """(kind, page, address, bit) of what to flip."""
        kind = self.random.choice(sorted(regions))
        run = self.random.choice(regions[kind])
        page = self.random.choice(run)
        offset = self.random.randrange(4096)
        if kind == "ring" and self.random.random() < 0.5:  # the ends and the constants
            page, offset = run[0], self.random.randrange(192)
        return kind, page, page.at + offset, 1 << self.random.randrange(8)

    def damage(self, t):
        """Damages one bit, or kills; the kind of it, or None when the cell is not there now."""
        if self.random.random() < 0.1:
            time.sleep(self.random.random() * 0.01)
            self.last = f"kill {t.name}"
            t.hand += 1
            self.rig.line.supervise(f"kill {t.name}")
            return "kill"
        with self.rig.gdb.stopped():
            cell = self.rig.guest.cell(t.name)
            if cell is None:
                return None
            self.lives(t, cell.generation)
            regions = self.rig.guest.regions(cell)
            if not self.options.queues:
                regions.pop("queue", None)
            kind, page, at, bit = self.choose(regions)
            self.rig.gdb.write(at, bytes([self.rig.memory.read(at, 1)[0] ^ bit]))
            self.last = f"{t.name}.{cell.generation} {kind} {page.virtual + at % 4096:#x} bit {bit:#04x}"
            if os.environ.get("NEXUS_FAULTS_VERBOSE"):
                print("# " + self.last, flush=True)
            t.damaged = True
            self.watch.flipped[t.name].add((cell.generation, page.virtual))
        return kind

    # ---- lives ----

    def lives(self, t, generation):
        """It is in this life now. True: it died since we last looked, and not by our hand."""
        if not generation or generation == t.life:
            return False
        died = max(0, ((generation - t.life) & 0xffffffff) - t.hand)
        if died > 0 and not t.damaged:
            self.event(f"{t.name} died though it was not damaged")
            self.count["undamaged cells that died"] += died
        t.count["deaths"] += died
        t.life, t.hand, t.damaged = generation, 0, False
        return died > 0

    def restart(self, name):
        """As an operator would."""
        for t in self.targets:
            if t.name == name:
                generation = self.rig.guest.alive(name)
                self.lives(t, generation)
                # One that is held back has died already; its next life is by our hand, its end not.
                t.hand += 1 if generation else 0
        self.rig.line.supervise(f"restart {name}")

    def help(self, t, waited, tries):
        """It serves nobody; the restarts by hand so far."""
        generation = self.rig.guest.alive(t.name)
        if generation == 0 and waited > 0.5:
            t.count["held back"] += 1
            self.restart(t.name)
        elif waited > STUCK:
            t.count["by hand"] += 1
            suspects = [t.name, rigs.BEHIND.get(t.name, "uart16550"), "uart16550"]
            self.restart(suspects[min(tries, 2)])
        else:
            return tries
        return tries + 1

    def await_answers(self, t, load):
        """Until it serves its clients; True when that was without a hand of ours."""
        begin = since = time.monotonic()
        tries, before = 0, load.errors
        hung = False
        while not load.wait(0.25):
            self.personality()
            now = time.monotonic()
            hung = hung or (now - begin > HUNG and self.rig.guest.alive(t.name) != 0)
            done = self.help(t, now - since, tries)
            if done != tries:
                tries, since = done, time.monotonic()
            if tries > 4:
                raise loads.Gone(f"no answers from {t.name} though it was restarted")
            if load.errors - before > BROKEN:
                break
        t.count["hung"] += hung
        if load.errors - before > BROKEN:
            raise loads.Gone(f"{t.name}: its client gets errors for good")
        return tries == 0

    def personality(self):
        if self.rig.guest.alive("posix") not in (1, None):
            raise loads.Gone("the personality has ended")

    # ---- the campaign ----

    def inject(self, t):
        """True when the target's turn may go on."""
        load = self.rig.loads[t.name]
        load.mark()
        errors = load.errors
        kind = self.damage(t)
        if kind is None:
            self.await_answers(t, load)
            return False
        self.count["injections"] += 1
        t.count["injections"] += 1
        self.count[f"in {kind}"] += 1
        alone = self.await_answers(t, load)
        died = self.lives(t, self.rig.guest.alive(t.name))
        if load.errors > errors and not died and t.damaged:
            # It lives, and says no: as good an answer as a wrong one. An operator would see the errors.
            t.count["refused"] += load.errors - errors
            t.count["by hand"] += 1
            self.event(f"{t.name} answers with errors")
            self.restart(t.name)
        if (died or kind == "kill") and alone:
            t.times.append(load.longest())
        return not died

    def turn(self, t):
        load = self.rig.loads[t.name]
        load.start()
        for _ in range(TURN):
            if self.count["injections"] >= self.options.n or not self.inject(t):
                break
        load.stop()

    def look(self):
        """At all cells."""
        with self.rig.gdb.stopped():
            harmed, ended = self.watch.look()
            for t in self.targets:
                cell = self.rig.guest.cell(t.name)
                self.lives(t, cell.generation if cell else 0)
        for name in harmed:
            self.count["other cells harmed"] += 1
            self.event(f"{name}: code or constants are not what they were")
        for name in ended:
            if name not in rigs.TARGETS:
                kind = "test clients ended" if name in rigs.CELLS else "other cells ended"
                self.count[kind] += 1
                self.event(f"{name} has ended and lives again")

    def failure(self, error):
        self.count["machines lost"] += 1
        text = str(error) or type(error).__name__
        if text == "panic" or not isinstance(error, loads.Gone):
            self.count["nucleus failures"] += 1
        elif "machine has ended" in text or "nobody answers" in text:
            self.count["nucleus failures"] += 1
        elif "personality" in text:
            self.count["other cells ended"] += 1
        else:
            self.count["services lost"] += 1
        self.event(text.splitlines()[0])
        self.save_console()

    def run(self):
        last, checked = time.monotonic(), 0
        turns = 0
        while self.count["injections"] < self.options.n and self.count["machines lost"] < FAILURES_MAX:
            try:
                if self.rig is None:
                    self.boot()
                self.turn(self.targets[turns % len(self.targets)])
                turns += 1
                if self.count["injections"] - checked >= CHECK_EVERY:
                    checked = self.count["injections"]
                    self.look()
            except LOST as error:
                self.failure(error)
                self.shut()
            if time.monotonic() - last > 20:
                last = time.monotonic()
                print(f"# {self.count['injections']} of {self.options.n}, "
                      f"{sum(t.count['deaths'] for t in self.targets)} deaths", flush=True)
        if self.rig is not None:
            self.look()

    # ---- the outcome ----

    def table(self):
        head = ("target", "injections", "deaths", "hung", "by hand", "held back", "answers", "wrong", "lost",
                "errors", "refused", "median ms", "worst ms")
        rows = [head]
        total = collections.Counter()
        times = []
        for t in self.targets:
            sums = t.totals(None)
            row = collections.Counter(sums)
            row.update(t.count)
            total.update(row)
            times += t.times
            rows.append((t.name, *(row[key] for key in head[1:11]), *spread(t.times)))
        rows.append(("all", *(total[key] for key in head[1:11]), *spread(times)))
        lines = ["  ".join(f"{cell:<14}" if i == 0 else f"{cell:>{len(head[i])}}" for i, cell in enumerate(row))
                 for row in rows]
        lines.append("")
        names = ["boots"] + sorted(k for k in self.count if k.startswith("in ")) + [
            "undamaged cells that died", "console restarts by faultload", "test clients ended", "other cells ended",
            "services lost", "other cells harmed", "nucleus failures"]
        lines += [f"{name:<32} {self.count[name]:>8}" for name in names]
        return "\n".join(lines)

    def bad(self):
        """What must not be: reasons, or nothing."""
        lost = sum(t.totals(None)["errors"] - t.count["refused"] for t in self.targets)
        wrong = {name: self.count[name] for name in ("nucleus failures", "other cells harmed",
                                                     "other cells ended", "services lost")}
        wrong["requests lost"] = lost
        return [f"{name}: {n}" for name, n in wrong.items() if n]


def spread(times):
    if not times:
        return "-", "-"
    return f"{statistics.median(times) / 1000:.1f}", f"{max(times) / 1000:.1f}"


def run(options):
    """The whole of it: (campaign, its table)."""
    with tempfile.TemporaryDirectory(prefix="nexus-faults-") as work:
        campaign = Campaign(options, work)
        try:
            campaign.run()
        except KeyboardInterrupt:
            print("# interrupted", flush=True)
        finally:
            campaign.shut()
    table = campaign.table()
    if options.out:
        os.makedirs(options.out, exist_ok=True)
        with open(os.path.join(options.out, "table.txt"), "w") as f:
            f.write(f"seed {options.seed}, {options.smp} hart(s), {campaign.count['injections']} injections\n"
                    f"{table}\n" + "".join(event + "\n" for event in campaign.events))
    return campaign, table


def parser():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-n", type=int, default=200, help="injections (default 200)")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--smp", type=int, default=1, help="harts (default 1)")
    p.add_argument("--target", action="append", choices=rigs.TARGETS, help="only this cell; may be repeated")
    p.add_argument("--queues", action="store_true",
                   help="also damage what drivers tell devices: without an IOMMU a device may then write anywhere")
    p.add_argument("--out", help="write table.txt, and the console of what failed, to this folder")
    return p


def main():
    options = parser().parse_args()
    print(f"# seed {options.seed}, {options.n} injections, {options.smp} hart(s)", flush=True)
    start = time.monotonic()
    campaign, table = run(options)
    print(table)
    print(f"# {time.monotonic() - start:.0f} s")
    bad = campaign.bad()
    for reason in bad:
        print("# " + reason)
    print(f"{'not ok' if bad else 'ok'} - fault campaign, seed {options.seed}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
