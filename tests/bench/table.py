"""The tables of `make bench`: Nexus isolated, Nexus fused, Linux 6.1, the ratios of both to Linux, the aim."""
import math
import os

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def rows():
    """(name, what it does, Linux's instructions, the aim) of each row that Linux has, too."""
    with open(os.path.join(TOP, "tests", "bench", "linux.tsv")) as f:
        for text in f:
            if text.strip() and not text.startswith("#"):
                name, what, linux, aim = text.rstrip("\n").split("\t")
                yield name, what, int(linux), linux if aim == "linux" else aim


def line(what, isolated, fused, linux="", ratio="", verdict=""):
    print(f"{what:<44} {isolated:>12} {fused:>12} {linux:>12} {ratio:>11}  {verdict}".rstrip(), flush=True)


def ratios(ours, linux):
    """Those of both figures to Linux's; None for what is not known."""
    return [n / linux if n is not None and linux else None for n in ours]


def show(what, ours, linux, aim=None):
    """One line of the table, `ours` isolated and fused; True unless the row has an aim, for both or (isolated, fused), and misses it."""
    number = lambda n: "-" if n is None else f"{n:,}"
    verdict, good = "", True
    if aim not in ("-", None):
        aims = [int(a) for a in (aim if isinstance(aim, tuple) else (aim,))]
        good = all(n is not None and n <= a for n, a in zip(ours, aims * 2 if len(aims) == 1 else aims))
        verdict = f"{'at most' if good else 'MISSED:'} " + ", ".join(f"{a:,}" for a in aims)
    line(what, number(ours[0]), number(ours[1]), number(linux),
         " ".join(f"{r:.2f}" for r in ratios(ours, linux) if r is not None), verdict)
    return good


def mean(pairs, column):
    """The geometric mean of a column (0 isolated, 1 fused) of ratios; None without any."""
    known = [pair[column] for pair in pairs if pair[column]]
    return math.exp(sum(map(math.log, known)) / len(known)) if known else None


def show_means(pairs, aims):
    """The line of the means below the rows `pairs` are of; a result for each column, True when its aim is met."""
    means = [mean(pairs, column) for column in (0, 1)]
    good = [m is not None and m <= aim for m, aim in zip(means, aims)]
    verdict = [f"{'at most' if met else 'MISSED:'} {aim:.2f}" for met, aim in zip(good, aims)]
    line("geometric mean of the ratios to Linux", "", "", "", " ".join("-" if m is None else f"{m:.2f}" for m in means),
         verdict[0] if verdict[0] == verdict[1] else f"isolated {verdict[0]}, fused {verdict[1]}")
    return good
