#!/usr/bin/env python3
"""The reader and writer of KDL, distro/tools/kdl.py: what every construct means, what is refused and
where, and that no document whatever makes it do anything but read or refuse.

    kdl_language.py [SEED]     speaks TAP; the seed of the random parts is printed
"""
import decimal
import math
import os
import random
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "distro", "tools"))
import kdl  # noqa: E402

D = decimal.Decimal
failures = 0


def check(name, problems):
    """problems: a list of what is wrong."""
    global failures
    for p in problems[:10]:
        print("#   " + p.replace("\n", "\\n"))
    print(("not ok" if problems else "ok") + f" - {name}")
    failures += bool(problems)


def plain(nodes):
    """Nodes as nested tuples: (type, name, [(type, arg)], [(key, type, value)], children)."""
    return [(n.type, n.name, [(a.type, a.value) for a in n.args],
             [(k, v.type, v.value) for k, v in n.props], plain(n.children)) for n in nodes]


def node(name, *args, kind=None, props=(), children=()):
    return (kind, name, [a if isinstance(a, tuple) else (None, a) for a in args],
            [(k, None, v) for k, v in props], list(children))


# ---- what documents mean ----

MEANS = [
    ("", []),
    (" \n\t\r\n// nothing\n/* at /* all */ */\n", []),
    ("\ufeffa", [node("a")]),
    ("/- kdl-version 2\na", [node("a")]),
    ("a;b ; c\nd\r\ne\rf\u2028g\u0085h\u000bi\u000cj", [node(x) for x in "abcdefghij"]),
    ("a 1 b x=2 3 y=#true", [node("a", 1, "b", 3, props=[("x", 2), ("y", True)])]),
    ("a x=1 x=2", [node("a", props=[("x", 1), ("x", 2)])]),
    ("a x = 1", [node("a", props=[("x", 1)])]),
    ("a { b; c { d } }", [node("a", children=[node("b"), node("c", children=[node("d")])])]),
    ("a {}", [node("a")]),
    ("a{\nb 1\n}; c", [node("a", children=[node("b", 1)]), node("c")]),
    ("(t)a (u)1 (v)\"x\" k=(w)2", [("t", "a", [("u", 1), ("v", "x")], [("k", "w", 2)], [])]),
    ("( t ) a ( u ) 1", [("t", "a", [("u", 1)], [], [])]),
    ("a #true #false #null", [node("a", True, False, None)]),
    ("a \"1\" \"a b\" \"\"", [node("a", "1", "a b", "")]),
    ('"a b" "c d"=1 e="f"', [node("a b", props=[("c d", 1), ("e", "f")])]),
    ("- --x +y .z -.q < a,b 😀 r", [node("-", "--x", "+y", ".z", "-.q", "<", "a,b", "😀", "r")]),
    # numbers
    ("a 0 -1 +2 1_000_ 007", [node("a", 0, -1, 2, 1000, 7)]),
    ("a 0x1F -0xff_ 0o17 0b1_01 +0b0", [node("a", 31, -255, 15, 5, 0)]),
    ("a 1.5 -0.25 1e3 1.0E-2 1_0.0_1", [node("a", D("1.5"), D("-0.25"), D("1e3"), D("1.0e-2"), D("10.01"))]),
    ("a #inf #-inf", [node("a", math.inf, -math.inf)]),
    ("a 340282366920938463463374607431768211456", [node("a", 1 << 128)]),
    # strings
    (r'a "\n\r\t\\\"\b\f\s\u{41}\u{1F600}"', [node("a", "\n\r\t\\\"\b\f A😀")]),
    ('a "x\\   \n   y" "\\ z"', [node("a", "xy", "z")]),
    ('a #"\\n"# ##"a"#b"## #"""\n  "x"\n  """#', [node("a", "\\n", 'a"#b', '"x"')]),
    ('a """\n    b\n      c\n\n    d\\n\\\n    e\n    """', [node("a", "b\n  c\n\nd\ne")]),
    ('a """\n"""', [node("a", "")]),
    ('a """\r\n  x\r\n  y\r\n  """', [node("a", "x\ny")]),
    ('a """\n  \\"""\n  """', [node("a", '"""')]),
    ('a """\n  \\ts\n  """', [node("a", "\ts")]),
    # comments and continued lines
    ("a /* 1 */ 2 // 3\nb", [node("a", 2), node("b")]),
    ("a \\\n 1 \\ // more\n 2\nb", [node("a", 1, 2), node("b")]),
    ("a 1 \\", [node("a", 1)]),
    ("/-a 1 { b }\nc", [node("c")]),
    ("/- \n a\nb", [node("b")]),
    ("a /-1 2 /-x=3 /- {\n b } {\n c }", [node("a", 2, children=[node("c")])]),
    ("a /-{ b } { c } /-{ d }", [node("a", children=[node("c")])]),
    ("a { /-b\n c\n}", [node("a", children=[node("c")])]),
    ("a/-1", [node("a")]),
]

# (document, line, column): where it says that it is wrong
WRONG = [
    ("a\n}", 2, 1), ("a {\n b\n", 1, 3), ("a { b", 1, 3), ("a {} {}", 1, 6), ("a {} 1", 1, 6),
    ("a {} b=1", 1, 6), ("a /-{} 1", 1, 8), ("a\n1 2", 2, 1), ("a\n=", 2, 1), ("a =1", 1, 3),
    ("a x=", 1, 5), ("a x=\n1", 1, 5), ("a (t)", 1, 6), ("a (t)x=1", 1, 7), ("(t)", 1, 4), ("() a", 1, 2),
    ("(t a", 1, 1), ("a (1)b", 1, 4), ("a 1\"b\"", 1, 4), ("a \"b\"c", 1, 6), ("a\"b\"", 1, 2), ("a(b)c", 1, 2),
    ("a \"b\n\"", 1, 3), ("a \"b", 1, 3), ("a #\"b\"", 1, 3), ("a #\"b\nc\"#", 1, 3), ("a \"\"\"b\"\"\"", 1, 3),
    ("a \"\"\"\nb", 1, 3), ("a \"\"\"\n  b\n c\n  \"\"\"", 3, 1), ("a\n \"\"\"\n b\n c\"\"\"", 4, 5),
    ("a \"\\q\"", 1, 4), ("a \"\n", 1, 3), ("a \"x\\", 1, 5), ("a \"\\u{}\"", 1, 4), ("a \"\\u{d800}\"", 1, 4),
    ("a \"\\u{110000}\"", 1, 4), ("a \"\\u{1234567}\"", 1, 4), ("a \"\\/\"", 1, 4),
    ("a true", 1, 3), ("a nan=1", 1, 3), ("null", 1, 1), ("a -inf", 1, 3), ("a #tru", 1, 3), ("a #", 1, 3),
    ("a #true1", 1, 3), ("a 1x", 1, 3), ("a 0x", 1, 3), ("a 0x_1", 1, 3), ("a 0b2", 1, 3), ("a 0o8", 1, 3),
    ("a 1.", 1, 3), ("a .1", 1, 3), ("a -.1", 1, 3), ("a 1._1", 1, 3), ("a 1.2.3", 1, 3), ("a 1e", 1, 3),
    ("a 1e9999999999999999999999", 1, 3), ("a " + "9" * 5000, 1, 3), ("a [1]", 1, 3), ("a b/c", 1, 4),
    ("a /* b", 1, 3), ("a /* /* */", 1, 3), ("a \\ b\n", 1, 3), ("a\\b", 1, 2), ("/-", 1, 3), ("a /-", 1, 5),
    ("a { /- }", 1, 8), ("a /- x=", 1, 8), ("a x=/-1 2", 1, 5), ("a \u0001", 1, 3), ("a\nb \u202e", 2, 3),
    ("a\n\ufeffb", 2, 1), ("a \"\u007f\"", 1, 4), ("/- kdl-version 1\na true", 1, 1), ("a {" * 100, 1, 195),
]


def meanings():
    bad = []
    for text, want in MEANS:
        try:
            got = plain(kdl.parse(text))
        except kdl.KdlError as e:
            got = str(e)
        if got != want or repr(got) != repr(want):  # 1, 1.0 and True are equal
            bad.append(f"{text!r} is {got}, not {want}")
    check("every construct means what the language says", bad)
    nan = kdl.parse("a #nan")[0].args[0].value
    check("#nan is not a number", [] if math.isnan(nan) else [repr(nan)])
    last = kdl.parse("a x=1 y=2 x=3")[0]
    check("of equal properties the last one holds",
          [] if last.prop("x").value == 3 and last.prop("z") is None else [repr(last.props)])


def places():
    lines = kdl.parse('a\n\n"b" 1 \\\n 2 {\n\n c x=\\\n5\n}\n/- d\ne')
    got = [(n.name, n.line) for n in lines] + [(a.value, a.line) for a in lines[1].args]
    got += [(n.name, n.line, n.prop("x").line) for n in lines[1].children]
    want = [("a", 1), ("b", 3), ("e", 10), (1, 3), (2, 4), ("c", 6, 7)]
    check("nodes and values know their lines", [] if got == want else [f"{got}, not {want}"])


def refusals():
    bad = []
    for text, line, column in WRONG:
        try:
            bad.append(f"{text[:60]!r} is taken: {plain(kdl.parse(text))}")
        except kdl.KdlError as e:
            if (e.line, e.column) != (line, column):
                bad.append(f"{text[:60]!r} is refused at {e}, not at {line}:{column}")
    check("what is wrong is refused at its place", bad)
    bad = []
    for data, line in ((b"a\n\xff", 2), (b"a \xed\xa0\x80", 1), (b"\xc3", 1), (b"a\r\n\xe2\x82", 2)):
        try:
            kdl.parse_bytes(data)
            bad.append(f"{data!r} is taken")
        except kdl.KdlError as e:
            if e.line != line or "UTF-8" not in e.reason:
                bad.append(f"{data!r}: {e}")
    check("bytes that are not UTF-8 are refused at their line", bad)


# ---- random documents ----

ALPHABET = "abcxyz019-+._,#\"\\/(){}[];= \n\t\r\u0085\u00a0\u2028😀é\u200e\u0001\ufeff"


def some_text(rng):
    return "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(12)))


def some_value(rng):
    kind = some_text(rng) if rng.random() < 0.1 else None
    return kdl.Value(rng.choice([
        lambda: some_text(rng), lambda: rng.randrange(-1 << 70, 1 << 70), lambda: rng.randrange(100),
        lambda: D(rng.randrange(-10**6, 10**6)).scaleb(rng.randrange(-9, -1)), lambda: True, lambda: False,
        lambda: None, lambda: math.inf, lambda: -math.inf])(), kind)


def some_nodes(rng, depth):
    return [kdl.Node(some_text(rng), some_text(rng) if rng.random() < 0.1 else None,
                     args=[some_value(rng) for _ in range(rng.randrange(3))],
                     props=[(some_text(rng), some_value(rng)) for _ in range(rng.randrange(3))],
                     children=some_nodes(rng, depth - 1) if depth and rng.random() < 0.5 else [])
            for _ in range(rng.randrange(4))]


def round_trips(rng):
    bad = []
    for _ in range(3000):
        nodes = some_nodes(rng, 3)
        text = kdl.write(nodes)
        try:
            if plain(kdl.parse(text)) != plain(nodes) or kdl.write(kdl.parse(text)) != text:
                bad.append(f"{text!r} is read as something else")
        except kdl.KdlError as e:
            bad.append(f"{text!r} is refused: {e}")
    check("what is written is read again the same", bad)


PIECES = ["{", "}", "(", ")", '"', '"""', "#", '#"', '"#', "/-", "/*", "*/", "//", "\\", "\n", "\r\n", ";", "=",
          " ", "0x", "#true", "\\u{", "1e9", "\t", "a", "-", ".", "\u2028", "\x00", "😀", "kdl-version 1"]


def mutated(rng, text):
    for _ in range(rng.randrange(1, 6)):
        at, n = rng.randrange(len(text) + 1), rng.randrange(4)
        text = rng.choice([
            lambda: text[:at] + rng.choice(PIECES) + text[at:],
            lambda: text[:at] + text[at + n:],
            lambda: text[:at] + rng.choice(ALPHABET) + text[at + 1:],
            lambda: text[:at] + text[at - n:at] * rng.randrange(3) + text[at:]])()
    return text


def fuzz(rng):
    texts = [t for t, _ in MEANS] + [t for t, _, _ in WRONG if len(t) < 1000]
    bad, taken = [], 0
    for _ in range(30000):
        text = mutated(rng, rng.choice(texts) + rng.choice(["", "\n", " "]) + rng.choice(texts))
        try:
            nodes = kdl.parse(text)
            taken += 1
            again = kdl.write(nodes)
            if plain(kdl.parse(again)) != plain(nodes) and "nan" not in again:
                bad.append(f"{text!r} is written as {again!r}")
        except kdl.KdlError as e:
            if not 1 <= e.line <= text.count("\n") + sum(text.count(c) for c in kdl.BREAKS) + 1 or e.column < 1:
                bad.append(f"{text!r}: no such place: {e}")
        except Exception as e:  # anything else is a defect of the reader, and what is looked for
            bad.append(f"{text!r}: {type(e).__name__}: {e}")
    if not 1000 < taken < 29000:
        bad.append(f"{taken} documents were taken: these mutations try nothing")
    check("no mutated document makes it fail but by refusing", bad)
    bad = []
    for _ in range(3000):
        data = bytearray(rng.choice(texts).encode("utf-8", "surrogatepass"))
        for _ in range(rng.randrange(1, 5)):
            data.insert(rng.randrange(len(data) + 1), rng.randrange(256))
        try:
            kdl.parse_bytes(bytes(data))
        except kdl.KdlError:
            pass
        except Exception as e:
            bad.append(f"{bytes(data)!r}: {type(e).__name__}: {e}")
    check("nor do mutated bytes", bad)


def large():
    """Time grows with the document's size, not faster. (No clock decides: it would just not end.)"""
    start = time.monotonic()
    bad = []
    for text in ("a\n" * 100000, "a" + " 1" * 200000, "/*" * 200000, "a " + "#" * 100000, "a " + '"' * 100001,
                 "(" * 50000, "/-" * 50000, "a \\\n" * 50000, "\\" * 100000, "a " + '"x\\n' * 50000,
                 "a {" * 50000, 'a """\n' + "  b\n" * 100000 + '  """'):
        try:
            kdl.parse(text)
        except kdl.KdlError:
            pass
        except Exception as e:
            bad.append(f"{text[:20]!r}...: {type(e).__name__}: {e}")
    print(f"# large documents took {time.monotonic() - start:.1f} s")
    check("large documents are read or refused", bad)


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(1 << 32)
    print(f"# seed {seed}")
    meanings()
    places()
    refusals()
    round_trips(random.Random(seed))
    fuzz(random.Random(seed + 1))
    large()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
