#!/usr/bin/env python3
"""Wall time beside Linux's, in one run (`make bench`).

Nexus with every cell isolated, Nexus with every cell but the supervisor fused, and Linux 6.1 boot by turns on the same
QEMU machine with the same root, and run the same program, nxbench, which tells the shortest of its own repetitions; the
shortest of all turns counts. Wall time under QEMU depends on the host and what else it does: only ratios of one run
mean anything. Then four threads that only compute, on four harts, against one (two on a host of two cores).

Linux's column needs `make linux`, half an hour, once; without it there are no ratios.
"""
import glob
import os
import sys
import time

import table

sys.path[:0] = [os.path.join(table.TOP, "tests", "system")]
import console  # noqa: E402

KERNEL = os.path.join(table.TOP, "build", "linux", "Image")
SYSTEMS = ("isolated", "fused", "linux")
TURNS = 5
MEM = 512
MEAN_AIMS = (0.7, 0.5)
SPEEDUP = 0.9  # of what so many harts could do: 1.8 of two


def there(system):
    return system != "linux" or os.path.exists(KERNEL)


def boot(system, smp=1, extra=None, more=()):
    return console.Machine(smp, MEM, extra=extra, more=more, linux=KERNEL if system == "linux" else None,
                           place={"isolated": "isolated", "fused": "all"}.get(system, ""))


def nxbench(system, names=(), smp=1):
    """{row: ns an operation} on a freshly booted system."""
    machine = boot(system, smp)
    try:
        lines = machine.out(" ".join(["nxbench", *names]), 600).splitlines()
        return {name: int(ns) for name, ns in (text.split("\t") for text in lines if "\t" in text) if ns != "-"}
    finally:
        machine.close()


def by_turns(names=(), smp=1, turns=TURNS):
    """{system: {row: the shortest}}"""
    best = {system: {} for system in SYSTEMS}
    for _ in range(turns):
        for system in filter(there, SYSTEMS):
            for name, ns in nxbench(system, names, smp).items():
                best[system][name] = min(ns, best[system].get(name, ns))
    return best


def calls():
    best = by_turns()
    pairs = []
    table.line("wall ns an operation", "isolated", "fused", "Linux 6.1", "ratios")
    for name, what, _, _ in table.rows():
        ours, linux = [best[system].get(name) for system in SYSTEMS[:2]], best["linux"].get(name)
        table.show(what, ours, linux)
        pairs.append(table.ratios(ours, linux))
    if there("linux"):
        table.show_means(pairs, MEAN_AIMS)
    else:
        print("no ratios: Linux's kernel is not built (make linux)")


def host_speed(processes):
    """What so many processes of the host itself do at once in the time one needs for its work."""
    def seconds(n):
        start = time.monotonic()
        children = []
        for _ in range(n):
            child = os.fork()
            if child == 0:
                sum(range(20_000_000))
                os._exit(0)
            children.append(child)
        for child in children:
            os.waitpid(child, 0)
        return time.monotonic() - start
    return processes * min(seconds(1) for _ in range(3)) / min(seconds(processes) for _ in range(3))


def hart_seconds(machine):
    """What the host's cores have done for each hart so far."""
    found = {}
    for task in glob.glob(f"/proc/{machine.child.pid}/task/*/stat"):
        with open(task) as f:
            name, rest = f.read().rsplit(")", 1)
        if "(CPU " in name:
            found[name] = sum(map(int, rest.split()[11:13])) / os.sysconf("SC_CLK_TCK")
    return found


def scale(system, harts):
    """How many times the work of one thread so many do, by the clock, and by what the host gave the busiest hart."""
    machine = boot(system, harts, more=["-name", "bench,debug-threads=on"])
    try:
        took, busy = [], []
        for threads in (1, harts):
            before = hart_seconds(machine)
            took.append(int(machine.out(f"nxbench compute-{threads}", 600).split("\t")[1]))
            spent = [seconds - before[hart] for hart, seconds in hart_seconds(machine).items()]
            busy.append(sum(spent) if threads == 1 else max(spent))  # one thread may move from hart to hart
        return harts * took[0] / took[1], harts * busy[0] / busy[1]
    finally:
        machine.close()


def scaling():
    """Work of N threads on N harts in the time of one thread."""
    harts = max(2, min(4, os.cpu_count()))
    best = {system: max(scale(system, harts) for _ in range(3)) for system in filter(there, SYSTEMS)}
    number = lambda system, which: f"{best[system][which]:.2f}" if system in best else "-"
    aim = SPEEDUP * harts
    good = all(best[system][0] >= aim for system in SYSTEMS[:2])
    print()
    table.line("times one hart's work", "isolated", "fused", "Linux 6.1")
    table.line(f"{harts} threads computing on {harts} harts", *(number(system, 0) for system in SYSTEMS), "",
               f"{'at least' if good else 'MISSED:'} {aim:.1f} (the host's own processes: {host_speed(harts):.2f})")
    table.line("the same, by the busiest hart's CPU time", *(number(system, 1) for system in SYSTEMS))


def main():
    if "--help" in sys.argv:
        print(__doc__)
        return
    load = os.getloadavg()[0]
    print()
    calls()
    scaling()
    print(f"the host: {os.cpu_count()} cores, load {load:.1f} at the beginning, {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
