#!/usr/bin/python3
"""Programs that use the whole screen: vi, top, less, watch."""
# linux: yes
# timeout: 400
import re
import time

import pexpect

from console import main, require, same

ESC, CTRL_C, CTRL_D, CTRL_F, CTRL_B = "\x1b", "\x03", "\x04", "\x06", "\x02"


def keys(m, *parts):
    """Types with small pauses, as a person would; an escape alone must not join what follows."""
    for part in parts:
        m.send(part)
        time.sleep(0.35 if part == ESC else 0.1)


def vi(m, path, *parts):
    m.send(f"vi {path}\r")
    m.expect(re.escape(path.rsplit("/", 1)[-1]) + r"'? ?(\[New file\]|\d+ lines?|.*\d+/\d+)", 10)
    time.sleep(0.4)
    keys(m, *parts)
    m.prompt(15)


def vi_new_file(m):
    m.out("stty rows 24 cols 80; cd /tmp; rm -f note")
    vi(m, "note", "i", "first line\r", "second line\r", "third", ESC, ":wq\r")
    m.check("cat note", "first line\nsecond line\nthird\n")


def vi_edit(m):
    m.out("seq 100 >n")
    # To line 50, change a word, delete two lines, copy one, undo something.
    vi(m, "n", ":50\r", "cw", "fifty", ESC, "jdd", "dd", "yyp", "x", "u", ":wq\r")
    got = m.out("sed -n '49,54p' n").split()
    same(got, ["49", "fifty", "53", "53", "54", "55"], "the lines around")


def vi_search_and_replace(m):
    m.out("printf 'alpha beta\\ngamma beta\\ndelta\\n' >s")
    vi(m, "s", "/delta\r", "A", " end", ESC, ":%s/beta/BETA/\r", "gg", "O", "top", ESC, ":x\r")
    m.check("cat s", "top\nalpha BETA\ngamma BETA\ndelta end\n")


def vi_does_not_save(m):
    m.out("echo keep >k")
    vi(m, "k", "dd", "ilost", ESC, ":q!\r")
    m.check("cat k", "keep\n")
    m.out("rm -f k s n note; cd")
    require("icanon" in m.out("stty -a"), "vi left the terminal raw")


def vi_moves(m):
    m.out("seq 1000 >/tmp/long")
    m.send("vi /tmp/long\r")
    m.expect("/tmp/long")
    time.sleep(0.4)
    keys(m, CTRL_F, CTRL_F)
    m.expect(r"\b45\b")
    keys(m, "G")
    m.expect(r"\b1000\b")
    keys(m, ":q!\r")
    m.prompt()
    m.out("rm /tmp/long")


def top(m):
    m.send("top -d 1\r")
    for _ in range(4):
        m.expect(r"Mem: *\d+K used", 10)
        m.expect(r"PID +PPID", 5)
        m.expect("top", 5)
    m.send("q")
    m.prompt()
    m.send("top -d 1\r")
    m.expect("Mem:")
    m.send(CTRL_C)
    m.prompt()


def less(m):
    m.send("seq 200 | less\r")
    m.expect(r"K23\r")
    keys(m, " ")
    m.expect(r"K46\r")
    keys(m, "G")
    m.expect(r"K200\r")
    keys(m, "/")
    keys(m, "77\r")
    keys(m, "q")
    m.prompt()


def watch(m):
    m.send("watch -n 1 'cat /proc/uptime'\r")
    ups = []
    for _ in range(3):
        ups.append(float(m.expect(r"\n(\d+\.\d+) \d+\.\d+", 10)[1]))
    require(ups == sorted(ups) and ups[2] > ups[0] + 1, f"the times are {ups}")
    for _ in range(10):  # while its command runs it ignores the key, as system(3) has it
        time.sleep(0.3)
        m.send(CTRL_C)
        try:
            m.prompt(2)
            break
        except pexpect.TIMEOUT:
            pass
    m.check("echo alive", "alive\n")


TESTS = [vi_new_file, vi_edit, vi_search_and_replace, vi_does_not_save, vi_moves, top, less, watch]

if __name__ == "__main__":
    main(TESTS)
