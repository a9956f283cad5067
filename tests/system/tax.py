#!/usr/bin/python3
"""The Entropy Tax: /proc/<pid>/entropy and the program that shows it."""
# linux: no, /proc/<pid>/entropy is none of Linux'
# timeout: 300
import re

from console import main, require, same


def read(m, path):
    """The records of a /proc/<pid>/entropy: (tax, own, faults, {call: [calls, ns, instructions]})."""
    tax = own = faults = None
    calls, numbers = {}, []
    for line in m.out(f"cat {path}").splitlines():
        kind, *rest = line.split()
        if kind == "tax":
            tax = [int(x) for x in rest]
        elif kind == "own":
            own = [int(x) for x in rest]
        elif kind == "faults":
            faults = int(rest[0])
        elif kind == "call":
            numbers.append(int(rest[0]))
            calls[rest[1]] = [int(x) for x in rest[2:]]
        else:
            same(kind, "enosys", "record")
    require(tax and len(tax) == 3 and own and len(own) == 2 and faults is not None, "first records")
    same(numbers, sorted(numbers), "the numbers of the calls")
    return tax, own, faults, calls


def record(m):
    tax, own, faults, calls = read(m, "/proc/self/entropy")
    require(calls["openat"][0] >= 1 and calls["execve"][0] == 1, f"{calls}")
    same(tax[0], sum(c[0] for c in calls.values()), "calls in all")
    # The tax has the page faults the personality resolved as well.
    require(tax[1] >= sum(c[1] for c in calls.values()) > 0, "time in all")
    require(own[0] > 0, "time of its own")


def counts(m):
    out = m.out("entropy sh -c 'for i in 1 2 3 4 5 6 7; do kill -0 1; done'")
    found = re.search(r"^kill +(\d+) ", out, re.M)
    require(found and int(found[1]) == 7, out)


def children_are_included(m):
    out = m.out("entropy sh -c 'for i in $(seq 10); do mkdir /tmp/x; rmdir /tmp/x; done'")
    for call in ("mkdirat", "unlinkat"):
        found = re.search(rf"^{call} +(\d+) ", out, re.M)
        require(found and int(found[1]) == 10, out)


def table(m):
    out = m.out("entropy seq 3")
    lines = out.splitlines()
    same(lines[:3], ["1", "2", "3"], "what the command prints")
    require(lines[3].split() == ["call", "calls", "us", "instructions", "us/call", "%", "run"], out)
    rows = {line.split()[0]: line.split() for line in lines[4:]}
    require("tax" in rows and "program" in rows and "faults" in rows, out)
    share = float(rows["tax"][-1]) + float(rows["program"][-1])
    require(99.9 < share < 100.1, f"shares add up to {share}")
    costs = [float(line.split()[2]) for line in lines[4:] if line.split()[0] not in
             ("tax", "program", "faults") and "ENOSYS" not in line]
    same(costs, sorted(costs, reverse=True), "order of the rows")


def statuses(m):
    m.check("entropy sh -c 'exit 5' 2>/dev/null", "", 5)
    m.check("entropy sh -c 'kill -9 $$' 2>/dev/null", "", 137)
    m.check("entropy /no/such 2>/dev/null", "", 127)
    m.check("entropy /etc/passwd 2>/dev/null", "", 126)
    m.check("entropy 2>/dev/null", "", 125)
    require("Usage" in m.out("entropy --help"), "help")


def to_a_file(m):
    m.check("entropy -o /tmp/tax seq 2; grep -c '^tax ' /tmp/tax; rm /tmp/tax", "1\n2\n1\n")


def running_process(m):
    out = m.out("sleep 5 & sleep 0.3; entropy -p $! 2>&1; kill $!")
    require("tax" in out and "faults" in out, out)
    m.check("entropy -p 99999 2>/dev/null", "", 1)


def missing_calls(m):
    out, _ = m.sh("entropy nxbench unix 2>&1")  # AF_UNIX is not there yet
    require(re.search(r"^(socketpair|call 199) +1 .* ENOSYS$", out, re.M) or "unix\t-" not in out, out)


def keys_do_not_end_it(m):
    m.send("entropy sleep 100\r")
    m.quiet(0.8)
    m.send("\x03")
    m.expect(r"tax +\d+")
    m.prompt()


TESTS = [record, counts, children_are_included, table, statuses, to_a_file, running_process,
         missing_calls, keys_do_not_end_it]

if __name__ == "__main__":
    main(TESTS)
