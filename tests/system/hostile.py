#!/usr/bin/python3
"""Programs that want everything: the shell answers afterwards, and nothing is lost.

A fork bomb, a process that takes all memory, a file that does, 10,000 open files, a command line of a
megabyte, endless loops beside somebody who types.
"""
# linux: yes
# timeout: 900
# alone: yes
import os
import time

from console import LINUX, SLOW, Failure, folder, main, require, same

MEM = 128

SCRIPTS = {
    "/t/tree.sh": """#!/bin/sh
[ $1 -gt 0 ] || exec sleep 1
sh $0 $(($1 - 1)) &
sh $0 $(($1 - 1)) &
wait
""",
    "/t/wild.sh": """#!/bin/sh
# Faults of every kind, one after the other.
for i in $(seq 20); do posixtest crash.wild_jump crash.wild_write >/dev/null || echo failed; done
echo done
""",
}


def fork_bomb(m):
    if LINUX and m.smp > 1:
        print("# a fork bomb: Linux' out-of-memory killer takes the shell")
        return
    said = m.out("posixtest --helper bomb 10000", 120)
    print(f"# {m.smp} harts: fork bomb: {said.strip()}")
    # Linux on a small machine may kill some instead of refusing more; harts that have to share the
    # test machine's processors may not get there in time.
    require(LINUX or m.smp > 1 or "EAGAIN" in said or "ENOMEM" in said, f"fork said {said}")
    m.check("echo $((6 * 7))", "42\n")
    m.check("seq 10 | sort -rn | head -1", "10\n")


def shells_of_shells(m):
    """A thousand shells at once, or as many as there is room for; then none."""
    m.sh("sh /t/tree.sh 9 >/dev/null 2>&1", 180)
    for _ in range(100):
        if m.sh("ps | grep -q '[t]ree.sh'", 30)[1] != 0:
            break
        time.sleep(0.3)
    m.check("ps | grep -c '[t]ree.sh'", "0\n", 1)


def memory_hog(m):
    output, status = m.sh("POSIXTEST_HOG=1 posixtest limits.memory | grep -v '^#'", 180)
    require("ok limits.memory\n" in output, output)
    m.check("echo alive", "alive\n")


def memory_hog_of_busybox(m):
    output, status = m.sh("tail /dev/zero", 180)
    require(status in (1, 137, 139), f"status {status}, {output!r}")
    m.check("echo alive", "alive\n")
    m.check("x=$(head -c 1000000 /dev/zero | tr '\\0' x); echo ${#x}; x=", "1000000\n", timeout=60)


def several_hogs(m):
    m.sh("for i in 1 2 3 4; do tail /dev/zero & done 2>/dev/null; wait", 240)
    m.check("seq 100 | tail -1", "100\n")


def full_file_system(m):
    output, status = m.sh("dd if=/dev/zero of=/tmp/big bs=64k 2>&1 | grep -o 'No space left on device'",
                          180)
    same(output, "No space left on device\n")
    m.check("rm /tmp/big; echo alive >/tmp/f && cat /tmp/f && rm /tmp/f", "alive\n")


def many_open_files(m):
    output = m.out("posixtest limits.ten_thousand_files limits.descriptors", 120)
    require("ok limits.ten_thousand_files" in output and "ok limits.descriptors" in output, output)
    m.check("i=3; while [ $i -lt 10 ]; do eval \"exec $i</dev/null\"; i=$((i + 1)); done; "
            "ls -1 /proc/self/fd | wc -l; i=3; while [ $i -lt 10 ]; do eval \"exec $i<&-\"; "
            "i=$((i + 1)); done", "11\n")


def command_line_of_a_megabyte(m):
    output, status = m.sh("x=$(head -c 1000000 /dev/zero | tr '\\0' x); /bin/echo $x | wc -c", 60)
    require("Argument list too long" in output, output)
    m.check("/bin/echo $x", "-sh: /bin/echo: Argument list too long\n", 126, timeout=60)
    m.check("echo $x | wc -c; x=", "1000001\n", timeout=60)
    # In pieces below 128 KiB it depends on the sum: a quarter of the stack limit.
    m.check("x=$(head -c 100000 /dev/zero | tr '\\0' y); /bin/echo $x $x $x | wc -c; x=", "300003\n",
            timeout=60)


def typed_without_end(m):
    for _ in range(8):
        m.send("z" * 1000)
        time.sleep(0.2)
    m.send("\x03")
    m.prompt()
    m.check("echo alive", "alive\n")


def faults(m):
    m.check("sh /t/wild.sh", "done\n", timeout=180)


def keystroke(m, samples=25):
    """Milliseconds from a key to its echo, sorted."""
    times = []
    for i in range(samples):
        key = "abcdefghij"[i % 10]
        began = time.monotonic()
        m.send(key)
        m.expect(key, 5)
        times.append((time.monotonic() - began) * 1000)
        time.sleep(0.02)
    m.send("\x15\r")
    m.prompt()
    return sorted(times)


def check_keystrokes(m, what, crowd):
    """The typical key must be answered within 50 ms, whatever the others do. The slowest ones are
    the test machine's own business, and where QEMU's harts outnumber the processors they can have
    (`crowd` says how far), nobody is answered faster than they get one."""
    times = keystroke(m)
    limit = 50 * SLOW * crowd
    print(f"# {m.smp} harts, {what}: keystroke to echo: median {times[len(times) // 2]:.1f} ms, "
          f"90 % {times[int(len(times) * 0.9)]:.1f} ms, longest {times[-1]:.1f} ms (limit {limit:.0f} ms)")
    if times[len(times) // 2] > limit:
        raise Failure(f"{what}: the median is {times[len(times) // 2]:.0f} ms")


def endless_loops(m):
    # All harts will be busy, beside whatever else keeps this machine busy already.
    crowd = max(1.0, (m.smp + os.getloadavg()[0]) / os.cpu_count())
    check_keystrokes(m, "idle", crowd)
    loops = [
        ("loop", "sh -c 'while :; do :; done'"),
        ("call loop", "cat /dev/zero >/dev/null"),
        ("fork loop", "sh -c 'while :; do (:); done'"),
    ]
    for what, command in loops:
        count = m.smp + 1
        for _ in range(count):
            m.send(f"{command} &\r")
            m.prompt(20)
        time.sleep(2)  # long enough to be in a lower tier
        check_keystrokes(m, f"{count} x {what}", crowd)
        m.sh("kill $(jobs -p); wait", 30)
        m.sh("jobs >/dev/null")
    m.check("echo alive", "alive\n")


def a_shell_that_was_moved_down(m):
    """A shell that has just computed for long is in a lower tier, and still gets its turns beside programs that
    never overrun because each lives but a moment."""
    m.out("i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done", 120)
    for _ in range(m.smp + 1):
        m.send("sh -c 'while :; do (:); done' &\r")
    for _ in range(m.smp + 1):
        m.prompt(20)
    m.check("echo alive", "alive\n")
    m.sh("kill $(jobs -p); wait", 30)
    m.sh("jobs >/dev/null")


TESTS = [many_open_files, command_line_of_a_megabyte, typed_without_end, faults, endless_loops, a_shell_that_was_moved_down,
         fork_bomb, shells_of_shells, memory_hog, memory_hog_of_busybox, several_hogs,
         full_file_system]

if __name__ == "__main__":
    with folder(SCRIPTS) as extra:
        main(TESTS, warm=[fork_bomb, full_file_system, memory_hog], extra=extra, mem=MEM)
