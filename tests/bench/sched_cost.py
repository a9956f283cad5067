#!/usr/bin/env python3
"""Draw what the scheduler costs by harts and by fibers: docs/sched-cost.svg.

The figures are instructions of the nucleus built for the host, with its checks, counted by tests/unit/nucleus/sched_cost, which also fails when they
grow: tests/bench/sched_cost.py [FILE.svg]
"""
import math
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(TOP, "build", "unit", "nucleus", "sched_cost")
COLOURS = ("#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f", "#b07aa1", "#9c755f")
WIDTH, HEIGHT, LEFT, BOTTOM = 380, 260, 60, 40


def measure():
    """{(what grows, operation): [(how many, instructions)]}"""
    out = subprocess.run([PROGRAM, "table"], check=True, stdout=subprocess.PIPE, text=True,
                         env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}).stdout
    rows = [line.split() for line in out.splitlines()]
    curves = {}
    for half, column, other in (("harts", 1, 2), ("fibers", 2, 1)):
        for row in rows:
            points = curves.setdefault((half, row[0]), [])
            if row[other] == "2" and (not points or int(row[column]) > points[-1][0]):
                points.append((int(row[column]), max(float(row[3]), 1)))
    return curves


def panel(curves, half, x0, top):
    most = max(points[-1][0] for (h, _), points in curves.items() if h == half)

    def place(n, cost):
        return (x0 + LEFT + WIDTH * math.log(n / 2) / math.log(most / 2),
                20 + HEIGHT * (1 - math.log10(cost / 100) / math.log10(top / 100)))

    yield f'<rect x="{x0 + LEFT}" y="20" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#888"/>'
    cost = 100
    while cost <= top:
        y = place(2, cost)[1]
        yield f'<path d="M{x0 + LEFT} {y:.1f}h{WIDTH}" stroke="#ddd"/>'
        yield f'<text x="{x0 + LEFT - 4}" y="{y + 4:.1f}" text-anchor="end">{cost:,}</text>'
        cost *= 10
    for (h, name), points in curves.items():
        if h != half:
            continue
        colour = COLOURS[[n for k, n in curves if k == half].index(name)]
        line = " ".join("{:.1f},{:.1f}".format(*place(*p)) for p in points)
        yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for n, cost in points:
            x, y = place(n, cost)
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>'
    for n in [p[0] for p in curves[half, "switch"]]:
        yield f'<text x="{place(n, 100)[0]:.1f}" y="{20 + HEIGHT + 16}" text-anchor="middle">{n:,}</text>'
    yield f'<text x="{x0 + LEFT + WIDTH / 2}" y="{20 + HEIGHT + 34}" text-anchor="middle">{half}</text>'


def main():
    curves = measure()
    top = 10 ** math.ceil(math.log10(max(cost for points in curves.values() for _, cost in points)))
    width = 2 * (LEFT + WIDTH) + 140
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT + BOTTOM + 30}" '
             'font-family="sans-serif" font-size="11">', '<rect width="100%" height="100%" fill="#fff"/>',
             '<text x="8" y="13">instructions (host build, with its checks)</text>']
    for i, half in enumerate(("harts", "fibers")):
        lines += panel(curves, half, i * (LEFT + WIDTH + 10), top)
    for i, name in enumerate(n for h, n in curves if h == "harts"):
        y = 36 + 18 * i
        lines.append(f'<path d="M{width - 110} {y}h18" stroke="{COLOURS[i]}" stroke-width="2"/>'
                     f'<text x="{width - 86}" y="{y + 4}">{name}</text>')
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(TOP, "docs", "sched-cost.svg")
    with open(path, "w", encoding="ascii") as f:
        f.write("\n".join(lines) + "\n</svg>\n")


if __name__ == "__main__":
    main()
