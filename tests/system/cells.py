#!/usr/bin/env python3
"""The supervisor as its users see it: the program nexus and the file /Bus/supervisor.

Cells are shown, killed, restarted, swapped; they hang, overspend and crash, and come again or not, as their
manifests and the user say.
"""
# linux: no, its cells and their supervisor
# timeout: 600
import os
import re
import sys
import time
import xml.etree.ElementTree

import console
from console import require, same

CELLS = os.path.join(console.BUILD, "tests", "cells")
NAMES = ("crasher", "hanger", "spender", "swapper", "swapped", "mute", "mutecaller", "badinput")


SLOWED = "nexus.slow=1,8,8,45"  # hart, times the work, from second, to second


def cells(m):
    """What `nexus ps` shows: {name: {column: word}}."""
    lines = m.out("nexus ps").splitlines()
    head = lines[0].split()
    same(head, ["CELL", "GEN", "STATE", "TIER", "PLACE", "RESTARTS", "PAGES", "ENERGY", "FIBERS", "TIME", "NOTE"], "columns")
    return {line.split()[0]: dict(zip(head, line.split(None, 10))) for line in lines[1:]}


def generation(m, name):
    return int(cells(m)[name]["GEN"])


def wait_for(m, what, condition, seconds=20):
    end = time.monotonic() + seconds * console.SLOW
    while not condition():
        require(time.monotonic() < end, f"never: {what}")
        time.sleep(0.2)


def logged(m, pattern):
    return m.sh(f"nexus log | grep -qE '{pattern}'", 60)[1] == 0


def ps(m):
    found = cells(m)
    for name in ("supervisor", "uart16550", "posix"):
        same(found[name]["STATE"], "running", name)
        require(int(found[name]["FIBERS"]) >= 1 and int(found[name]["PAGES"]) > 0, str(found[name]))
    same(found["supervisor"]["TIER"], "photon", "tier")
    same(found["posix"]["TIER"], "matter", "tier")
    same(found["posix"]["PLACE"], "fused" if console.PLACEMENT == "fused" else "isolated", "placement")
    same(found["supervisor"]["PLACE"], "isolated", "placement")
    require(int(found["posix"]["ENERGY"]) > 0, str(found["posix"]))
    restarts = int(found["uart16550"]["RESTARTS"])
    m.out("nexus restart uart16550")
    same(int(cells(m)["uart16550"]["RESTARTS"]), restarts + 1, "restarts")


def sched(m):
    """Who computes shows up with its share, on the hart it had; the picture is XML."""
    m.out("(while :; do :; done) & echo $! > /tmp/loop")
    text = m.out("nexus sched -t 500 -w 40", 60)
    rows = re.findall(r"^(\d+) +([A-Za-z.?]{40})$", text, re.M)
    same([row[0] for row in rows], [str(i) for i in range(m.smp)], "harts")
    found = re.search(r"^([A-Z]) posix +(.*)$", text, re.M)
    require(found, text)
    shares = [float(share.rstrip("%")) for share in found[2].split()]
    same(len(shares), m.smp, "shares")
    require(sum(shares) > 60, text)
    busiest = shares.index(max(shares))
    require(rows[busiest][1].count(found[1]) * 2.5 > max(shares) - 30, text)
    picture = m.out("nexus sched --svg -t 100", 60)
    m.out("kill $(cat /tmp/loop); rm /tmp/loop")
    root = xml.etree.ElementTree.fromstring(picture)
    same(root.tag, "{http://www.w3.org/2000/svg}svg", "root of the picture")
    words = [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]
    require(f"hart {m.smp - 1}" in words and any(word.startswith("posix ") for word in words), str(words))


def services(m):
    rows = [tuple(line.split()) for line in m.out("nexus services").splitlines()[1:]]
    require(("console", "uart16550", "posix") in rows, str(rows))
    require(("control", "supervisor", "posix") in rows, str(rows))


def cores(m):
    lines = m.out("nexus cores").splitlines()
    same(lines[0].split(), ["HART", "CLASS", "SPEED", "SHARE", "IDLE", "MEASURED"], "columns")
    rows = [line.split() for line in lines[1:]]
    same([row[0] for row in rows], [str(i) for i in range(m.smp)], "harts")
    for row in rows:
        require(row[1] in ("apex", "forge", "mill", "ember") and int(row[2]) > 0, str(row))
        require(int(row[5][:-2]) > 0, str(row))
    require(any(row[1] == "apex" and row[3] == "100%" for row in rows), str(rows))


def core_classes(m):
    return [line.split()[1] for line in m.out("nexus cores").splitlines()[1:]]


def a_slow_hart_is_found_out(m):
    """Hart 1 does eight times the work for a while (SLOWED): it sinks, class by class, the other does not, and when it is over it is as
    good as ever. Harts are measured when they become idle: so they get something to do, again and again."""
    m.out("for i in 1 2 3 4; do (while [ ! -e /tmp/enough ]; do sleep 0.1; done) & done")
    seen = []

    def sinks():
        classes = core_classes(m)
        seen.extend([classes[1]] if classes[1:] != seen[-1:] else [])
        return classes[0] == "apex" and classes[1] == "mill"
    wait_for(m, "a slow hart", sinks, 60)
    # Before its time has come a busy host may slow it as well; and the way down may be over before such a host lets anybody look.
    require(len(seen) == 1 or seen[-2:] == ["forge", "mill"], f"its classes: {seen}")
    wait_for(m, "all of one class again", lambda: core_classes(m) == ["apex", "apex"], 60)
    m.out("touch /tmp/enough; wait")


def top(m):
    text = m.out("nexus top -n 2 -d 1 | cat")
    same(text.count("CELL"), 2, "screens")
    same(len(re.findall(r"^up \d+\.\d s, \d+ harts, idle [\d.]+ %", text, re.M)), 2, "heads")
    same(len(re.findall(r"^posix ", text, re.M)), 2, "lines of posix")


def pledge(m):
    m.check("nexus pledge supervisor",
            "supervisor: spawn make map grant ipc time foreign meta debug\n")
    m.check("nexus pledge uart16550", "uart16550: map ipc meta\n")


def log(m):
    m.out("echo a line of ours > /dev/kmsg")
    lines = m.out("nexus log").splitlines()  # logd's stream, from the first line on
    require(re.fullmatch(r"\[ *\d+\.\d{9}\] nucleus\.0 [#!]\d+: .*", lines[0]), lines[0])
    require(any(re.fullmatch(r"\[ *\d+\.\d{9}\] posix\.\d+ #\d+: a line of ours", s) for s in lines), lines[-1])
    lines = m.out("nexus log 0").splitlines()
    numbers = [int(line.split()[0]) for line in lines]
    same(numbers, sorted(set(numbers)), "numbers")
    require(re.fullmatch(r"\d+ \d+\.\d{6} posix\.\d+: a line of ours", lines[-1]), lines[-1])
    m.check(f"nexus log {numbers[-1]} | wc -l", "1\n")
    m.check(f"nexus log {numbers[-1] + 1}", "")


def log_follows(m):
    m.out("nexus log -f > /tmp/followed & echo $! > /tmp/follower")
    for n in range(3):
        m.out(f"echo follow {n} > /dev/kmsg")
    wait_for(m, "the lines", lambda: m.sh("grep -c ': follow [012]' /tmp/followed")[0] == "3\n")
    m.out("kill $(cat /tmp/follower); wait; rm /tmp/followed /tmp/follower")


def beb(m):
    text = m.out("nexus beb 5")
    require(0 < len(text.splitlines()) <= 5, text)
    require(re.match(r"\d+ \d+\.\d{6} hart\d \S+ \S+\.\d+ fiber 0x", text), text)
    m.check("nexus beb 0", "")


def driver_is_killed(m):
    """Who types notices nothing."""
    for _ in range(5):
        before = generation(m, "uart16550")
        m.out("nexus kill uart16550")
        m.check("echo still here", "still here\n")
        same(generation(m, "uart16550"), before + 1, "generation")
    m.check("seq 3000 | (nexus kill uart16550 >/dev/null; md5sum)",
            m.out("seq 3000 | md5sum"))


def driver_is_killed_while_it_writes(m):
    """Every line comes, in order, but for one byte at most that was on its way."""
    text, status = m.sh("seq 10001 13000 & sleep 0.05; nexus kill uart16550 >/dev/null; wait", 60)
    same(status, 0, "status")
    want = "".join(f"{n}\n" for n in range(10001, 13001))
    require(len(want) - len(text) <= 1, f"{len(text)} bytes of {len(want)}")


def restart(m):
    before = generation(m, "uart16550")
    m.check("nexus restart uart16550", f"uart16550 generation {before + 1} runs\n")
    same(generation(m, "uart16550"), before + 1, "generation")


def wrong_use(m):
    for args, status in (("", 2), ("nothing", 2), ("ps x", 2), ("kill", 2), ("kill a b", 2), ("kill ''", 2),
                         ("kill 'a b'", 2), ("swap posix", 2), ("swap swapper -", 2), ("log x", 2),
                         ("log -x", 2), ("sched x", 2), ("sched -t 0", 2), ("sched -t 10001", 2), ("sched -w x", 2), ("sched -q", 2), ("beb -1", 2), ("top -n", 2), ("top -d x", 2), ("top x", 2),
                         ("kill nobody", 1), ("restart nobody", 1), ("pledge nobody", 1),
                         ("swap nobody swapper", 1), ("kill supervisor", 1), ("restart supervisor", 1),
                         ("swap supervisor supervisor", 1), ("swap swapper /no/file", 1),
                         ("kill aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1)):
        output, got = m.sh(f"nexus {args} 2>&1 >/dev/null")
        same(got, status, f"status of nexus {args}")
        require(output.strip() != "", f"nexus {args} says nothing")
    for command in ("", "ps", "top", "cores", "sched", "services", "log", "beb", "pledge", "kill", "restart", "swap"):
        text = m.out(f"nexus {command} --help")
        require(text.startswith("Usage: nexus"), text)


def only_root(m):
    m.check("stat -c '%a %U %F' /Bus/supervisor", "600 root character special file\n")
    output, status = m.sh("su nobody -s /bin/sh -c 'nexus ps' 2>&1")
    same(status, 1, "status")
    require("Permission denied" in output, output)


def the_file(m):
    """Without the program: a write is a command, reads are its answer."""
    same(m.out("exec 3<>/Bus/supervisor; cat <&3; echo 'beb 0' >&3; cat <&3; echo 'pledge posix' >&3; "
               "head -c 6 <&3; exec 3>&-"), "posix:", "answers")
    same(m.out("exec 3<>/Bus/supervisor; echo no such thing >&3; cat <&3; exec 3>&-"),
         "error: no such command; try: help\n", "answer")
    m.check("head -c 2000000 /dev/zero | dd of=/Bus/supervisor bs=2000000 iflag=fullblock 2>&1 | "
            "grep -c 'File too large'", "1\n")
    same(m.out("exec 3<>/Bus/supervisor; head -c 300 /dev/zero | tr '\\0' x >&3; cat <&3; exec 3>&-"),
         "error: too long a line; try: help\n", "answer")


def several_at_once(m):
    """Each gets the answer to what it asked."""
    m.out("for i in 1 2; do "
          "(for n in $(seq 12); do nexus ps | head -n 1; done | sort -u > /tmp/ps$i) & "
          "(for n in $(seq 12); do nexus services | head -n 1; done | sort -u > /tmp/sv$i) & "
          "(for n in $(seq 12); do nexus pledge posix; done | sort -u > /tmp/pl$i) & done; wait", 90)
    m.check("cat /tmp/ps? | wc -l; cat /tmp/sv? | wc -l; cat /tmp/pl? | wc -l; cat /tmp/ps? | sort -u | "
            "cut -c 1-9; cat /tmp/sv? | sort -u | cut -c 1-9; cat /tmp/pl? | sort -u | cut -c 1-6",
            "2\n2\n2\nCELL     \nINTERFACE\nposix:\n")
    m.out("rm /tmp/ps? /tmp/sv? /tmp/pl?")


def crasher_is_quarantined_and_let_out(m):
    wait_for(m, "quarantine", lambda: cells(m)["crasher"]["STATE"] == "quarantine")
    before = generation(m, "crasher")
    output, status = m.sh("nexus kill crasher 2>&1")
    same((output, status), ("nexus: crasher does not run\n", 1), "kill of a dead cell")
    m.out("nexus restart crasher")
    wait_for(m, "another life", lambda: generation(m, "crasher") > before)
    wait_for(m, "quarantine again", lambda: cells(m)["crasher"]["STATE"] == "quarantine")


def hanger_is_restarted(m):
    wait_for(m, "the life that beats", lambda: logged(m, r"hanger\.3( #[0-9]+)?: beats"))
    for n in (1, 2):
        require(logged(m, rf"hanger generation {n} was killed: no heartbeat"), f"life {n}")
    time.sleep(1)
    same(generation(m, "hanger"), 3, "generation")


def mute_is_complained_of(m):
    """Its native client has it looked after: two lives that do not answer, one that answers errors, and the fourth serves."""
    wait_for(m, "an answer", lambda: logged(m, r"mutecaller\.1( #[0-9]+)?: served by life 4 after "))
    for n, why in ((1, "does not answer"), (2, "does not answer"), (3, "its errors are doubted by")):
        require(logged(m, rf"mute generation {n} was killed: {why} mutecaller"), f"life {n}")
    same(generation(m, "mute"), 4, "generation")


def bad_input(m):
    """65 capabilities, and a ring that is torn down while both its sides use it (tests/cell/badinput)."""
    wait_for(m, "its end", lambda: logged(m, r"badinput\.1( #[0-9]+)?: "))
    require(logged(m, r"badinput\.1( #[0-9]+)?: ok"), "\n".join(line for line in m.out("cat /proc/nexus/log").splitlines() if "badinput" in line))


def spender_is_held_back(m):
    wait_for(m, "its energy back", lambda: logged(m, r"spender\.1( #[0-9]+)?: is in its own tier again"))
    require(logged(m, r"spender\.1( #[0-9]+)?: is held back in tier 3, having used more than allowed"), "held back")
    same(cells(m)["spender"]["TIER"], "matter", "tier now")


def swap(m):
    require(logged(m, "the image swapped waits for a swap"), "two images of one name")
    for image, says in (("/cells/swapped.cell", "second"), ("swapper", "first"), ("swapped", "second")):
        n = generation(m, "swapper") + 1
        m.check(f"nexus swap swapper {image}", f"swapper generation {n} runs from the new image\n")
        wait_for(m, "its word", lambda: logged(m, rf"swapper\.{n}( #[0-9]+)?: the {says} image runs"))
    n += 1
    m.out("nexus kill swapper")  # the new image is what it comes again from
    wait_for(m, "its word", lambda: logged(m, rf"swapper\.{n}( #[0-9]+)?: the second image runs"))


def images_fit_through_the_channel(m):
    """An image from a file comes in the pool of the supervisor's service: every cell's must fit."""
    with open(os.path.join(console.TOP, "native", "supervisor", "manifest.kdl"), encoding="utf-8") as f:
        room = int(re.search(r"serve control .*pool-pages=(\d+)", f.read())[1]) * 4096 - 128  # the command before it
    folder = os.path.join(console.BUILD, "cells")
    for name in sorted(os.listdir(folder)):
        size = os.path.getsize(os.path.join(folder, name))
        require(size <= room, f"{name} has {size} bytes, a swap takes {room}")


def bad_images_change_nothing(m):
    before = cells(m)["swapper"]
    size = int(m.out("stat -c %s /cells/swapped.cell"))
    for how, why in (("cat /cells/hanger.cell", "another name"), (":", "no image"),
                     ("echo text", "malformed"), ("head -c 4096 /cells/swapped.cell", "malformed"),
                     (f"head -c {size - 1} /cells/swapped.cell", "malformed"),
                     (f"head -c {size // 2} /cells/swapped.cell", "malformed"),
                     ("(head -c 64 /cells/swapped.cell; head -c 8000 /dev/urandom)", "malformed")):
        output, status = m.sh(f"{how} > /tmp/image; nexus swap swapper /tmp/image 2>&1")
        same(status, 1, f"status with {how}")
        require(why in output, f"{how}: {output}")
    output, status = m.sh("nexus swap swapper nothing 2>&1; nexus swap swapper rootfs 2>&1")
    require(status == 1 and output.count("no such image") == 2, output)
    output, status = m.sh("head -c 500000 /dev/zero > /tmp/image; nexus swap swapper /tmp/image 2>&1")
    require(status == 1 and "more than the supervisor takes" in output, output)
    now = cells(m)["swapper"]
    same((now["GEN"], now["STATE"]), (before["GEN"], before["STATE"]), "the cell")
    m.out("rm /tmp/image")


def personality_is_killed(m):
    before = generation(m, "posix")
    m.send("nexus kill posix\r")
    m.expect(rf"nexus: posix generation {before} was killed", 20)
    m.expect(r"root@\S+# ", 30)
    m.set_prompt()
    same(generation(m, "posix"), before + 1, "generation")
    ps(m)
    m.send("nexus restart posix\r")
    m.expect(r"root@\S+# ", 30)
    m.set_prompt()
    same(generation(m, "posix"), before + 2, "generation")
    several_at_once(m)


def how_fast(m):
    """Told, not judged: from the end of a life to the first word of the next."""
    for _ in range(20):
        m.out("nexus kill swapper")
    lines = re.findall(r"^\d+ ([\d.]+) (?:nucleus\.0: cell swapper generation (\d+) ends|"
                       r"swapper\.(\d+): the \w+ image runs)", m.out("nexus log 0"), re.M)
    ends = {int(n): float(t) for t, n, _ in lines if n}
    took = sorted(float(t) - ends[int(n) - 1] for t, _, n in lines if n and int(n) - 1 in ends)
    require(len(took) > 5, f"{lines}")
    print(f"# {len(took)} restarts took {1e3 * took[0]:.2f} to {1e3 * took[-1]:.2f} ms, "
          f"median {1e3 * took[len(took) // 2]:.2f} ms")


PLAIN = [ps, services, top, cores, sched, pledge, log, log_follows, beb, wrong_use, only_root, the_file,
         several_at_once, restart, driver_is_killed, driver_is_killed_while_it_writes]
TEST_CELLS = [crasher_is_quarantined_and_let_out, hanger_is_restarted, mute_is_complained_of, bad_input, spender_is_held_back, swap,
              images_fit_through_the_channel, bad_images_change_nothing, how_fast, personality_is_killed]


def main():
    report = console.Report()
    paths = [os.path.join(CELLS, name + ".cell") for name in NAMES]
    files = {}
    for name in ("swapped", "hanger"):
        with open(os.path.join(CELLS, name + ".cell"), "rb") as f:
            files[f"cells/{name}.cell"] = f.read()
    if console.wanted(a_slow_hart_is_found_out):
        console.session(report, "", 2, [a_slow_hart_is_found_out], False, (), {"more": ["-append", SLOWED]})
    with console.folder(files) as extra:
        for smp in console.harts():
            prefix = f"{smp} hart{'s' if smp > 1 else ''}: "
            chosen = [t for t in PLAIN if console.wanted(t)]
            if chosen:
                console.session(report, prefix, smp, chosen, True, (top, several_at_once), {})
            chosen = [t for t in TEST_CELLS if console.wanted(t)]
            if chosen:
                console.session(report, prefix, smp, chosen, False, (), {"cells": paths, "extra": extra})
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
