"""The KDL document language, version 2.0.0: read and write.  No program; kdl2bkdl.py uses it.

    nodes = kdl.parse(text)         a list of Node, or KdlError with line, column and reason
    nodes = kdl.parse_bytes(data)   the same of a file's bytes, which must be UTF-8
    text = kdl.write(nodes)         one node a line, children indented by four spaces

All of the language is here: nodes, arguments, properties, children, type annotations, identifier,
quoted, raw and multi-line strings with their escapes, numbers in four bases, keywords, the three kinds
of comments (`//`, nested `/* */`, slashdash), line continuation, the version marker. A document that
says it is of version 1 is refused. A value is a Python str, int, decimal.Decimal (a number with a
fraction or exponent), float (#inf, #-inf, #nan), bool or None.

Where an identical property stands twice the language lets the last one hold: Node.props has every
one, in order; Node.prop() answers the last.

Limits of this reader, for documents are not always friendly: children DEPTH_MAX deep, numbers of
NUMBER_MAX characters.
"""
import bisect
import decimal
import math
import re

DEPTH_MAX = 64
NUMBER_MAX = 1200

SPACES = "\t \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
BREAKS = "\n\r\u0085\u000b\u000c\u2028\u2029"
NOT_IDENT = re.escape("\\/(){};[]\"#=") + SPACES + BREAKS

SPACE = re.compile(f"[{SPACES}]+")
BREAK = re.compile(f"\r\n|[{BREAKS}]")
LINE_REST = re.compile(f"[^{BREAKS}]*")
IDENT = re.compile(f"[^{NOT_IDENT}]+")
FORBIDDEN = re.compile("[\u0000-\u0008\u000e-\u001f\u007f\ud800-\udfff\u200e\u200f"
                       "\u202a-\u202e\u2066-\u2069\ufeff]")
NUMBER_LIKE = re.compile(r"[+-]?\.?[0-9]")
DECIMAL = re.compile(r"[+-]?[0-9][0-9_]*(\.[0-9][0-9_]*)?([eE][+-]?[0-9][0-9_]*)?")
BASED = re.compile(r"([+-]?)0(?:x([0-9a-fA-F][0-9a-fA-F_]*)|o([0-7][0-7_]*)|b([01][01_]*))")
VERSION = re.compile(f"/-[{SPACES}]*kdl-version[{SPACES}]+([12])[{SPACES}]*(?:\r\n|[{BREAKS}])")
COMMENT_EDGE = re.compile(r"/\*|\*/")
SPACE_ESCAPE = re.compile(rf"\\(?:[{SPACES}{BREAKS}]+|(.))", re.S)
ESCAPE = re.compile(rf"\\(?:u\{{([0-9a-fA-F]{{1,6}})\}}|([{SPACES}{BREAKS}]+)|(.?))", re.S)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "b": "\b", "f": "\f", "s": " "}
KEYWORDS = {"true": True, "false": False, "null": None, "inf": math.inf, "-inf": -math.inf,
            "nan": math.nan}


class KdlError(Exception):
    """The document is not KDL; line and column count from 1."""

    def __init__(self, line, column, reason):
        super().__init__(f"{line}:{column}: {reason}")
        self.line, self.column, self.reason = line, column, reason


class Value:
    """An argument or a property's value: what it is, its type annotation or None, where it stands."""

    def __init__(self, value, type=None, line=0):
        self.value, self.type, self.line = value, type, line

    def __repr__(self):
        return f"Value({self.value!r})"


class Node:
    """A node: name, type annotation, args [Value], props [(name, Value)], children [Node]."""

    def __init__(self, name, type=None, line=0, args=None, props=None, children=None):
        self.name, self.type, self.line = name, type, line
        self.args = args if args is not None else []
        self.props = props if props is not None else []
        self.children = children if children is not None else []

    def prop(self, name):
        """The Value of the last property so named, or None."""
        return next((v for n, v in reversed(self.props) if n == name), None)

    def __repr__(self):
        return f"Node({self.name!r}, args={self.args}, props={self.props}, {len(self.children)} children)"


class Reader:
    """A document and how far it is read. Methods take what they are named for, or raise KdlError."""

    def __init__(self, text):
        self.text, self.at = text, 0
        self.starts = [0] + [m.end() for m in BREAK.finditer(text)]

    def line(self, at=None):
        return bisect.bisect_right(self.starts, self.at if at is None else at)

    def fail(self, reason, at=None):
        at = self.at if at is None else at
        line = self.line(at)
        raise KdlError(line, at - self.starts[line - 1] + 1, reason)

    def peek(self):
        return self.text[self.at:self.at + 1]

    def next_is(self, what):
        return self.text.startswith(what, self.at)

    def take(self, what):
        if self.text.startswith(what, self.at):
            self.at += len(what)
            return True
        return False

    def match(self, pattern):
        m = pattern.match(self.text, self.at)
        if m:
            self.at = m.end()
        return m

    # ---- what stands between things ----

    def block_comment(self):
        start, depth = self.at, 0
        while True:
            m = COMMENT_EDGE.search(self.text, self.at)
            if not m:
                self.fail("a /* comment has no end", start)
            self.at = m.end()
            depth += 1 if m[0] == "/*" else -1
            if depth == 0:
                return

    def space(self):
        """Spaces and block comments: was there any?"""
        start = self.at
        while True:
            if self.next_is("/*"):
                self.block_comment()
            elif not self.match(SPACE):
                return self.at > start

    def line_comment(self):
        if self.take("//"):
            self.match(LINE_REST)
            return True
        return False

    def node_space(self):
        """What may stand between parts of a node, line continuations among it: was there any?"""
        start = self.at
        while True:
            self.space()
            if self.peek() != "\\":
                return self.at > start
            back = self.at
            self.at += 1
            self.space()
            self.line_comment()
            if self.at < len(self.text) and not self.match(BREAK):
                self.fail("after \\ the line must end", back)

    def line_space(self):
        """What may stand between nodes."""
        while self.node_space() or self.match(BREAK) or self.line_comment():
            pass

    # ---- strings ----

    def raw_string(self):
        start = self.at
        hashes = re.compile("#+").match(self.text, self.at)[0]
        self.at += len(hashes)
        quotes = '"""' if self.next_is('"""') else '"'
        self.at += len(quotes)
        end = self.text.find(quotes + hashes, self.at)
        if end < 0:
            self.fail("a raw string has no end", start)
        body = self.text[self.at:end]
        inside, self.at = self.at, end + len(quotes) + len(hashes)
        if quotes == '"':
            if BREAK.search(body):
                self.fail("a string of one quote goes over more than one line", start)
            return body
        return self.dedent(body, inside)

    def quoted_string(self):
        start = self.at
        quotes = '"""' if self.next_is('"""') else '"'
        self.at += len(quotes)
        inside = self.at
        while not self.next_is(quotes):
            if self.at >= len(self.text) or (quotes == '"' and self.match(BREAK)):
                self.fail("a string has no end on its line" if quotes == '"' else
                          "a string has no end", start)
            if self.peek() == "\\":
                m = self.match(ESCAPE)
                if not m[2]:
                    self.escaped(m)  # it complains at the right place
            else:
                self.at += 1
        body = self.text[inside:self.at]
        self.at += len(quotes)
        if quotes == '"""':
            if not BREAK.match(body):
                self.fail('after """ the line must end', start)
            body = self.dedent(SPACE_ESCAPE.sub(lambda m: m[0] if m[1] else "", body), inside)
        return ESCAPE.sub(self.escaped, body)

    def escaped(self, m):
        if m[2]:
            return ""
        if m[1]:
            code = int(m[1], 16)
            if code > 0x10ffff or 0xd800 <= code <= 0xdfff:
                self.fail(f"\\u{{{m[1]}}} is no Unicode scalar value", m.start())
            return chr(code)
        if m[3] not in ESCAPES:
            self.fail(f"unknown escape \\{m[3]}", m.start())
        return ESCAPES[m[3]]

    def dedent(self, body, inside):
        """The lines between the quotes of a multi-line string, without the last line's indentation."""
        lines = BREAK.sub("\n", body).split("\n")
        if len(lines) < 2 or lines[0]:
            self.fail('after """ the line must end', inside)
        prefix = lines.pop()
        if prefix and not SPACE.fullmatch(prefix):
            self.fail('before the closing """ there may only be spaces', self.at - 1)
        out = []
        for n, text in enumerate(lines[1:], 1):
            if not text or SPACE.fullmatch(text):
                out.append("")
            elif text.startswith(prefix):
                out.append(text[len(prefix):])
            else:
                raise KdlError(self.line(inside) + n, 1, "the line is not indented as the string's last")
        return "\n".join(out)

    def string(self):
        """A string of any kind, or None when none begins here."""
        if self.peek() == '"':
            return self.quoted_string()
        if re.compile('#+"').match(self.text, self.at):
            return self.raw_string()
        m = IDENT.match(self.text, self.at)
        if not m or NUMBER_LIKE.match(m[0]):
            return None
        if m[0] in KEYWORDS:
            self.fail(f'{m[0]} is written #{m[0]}, or "{m[0]}" when it is a string')
        self.at = m.end()
        return m[0]

    # ---- values ----

    def number(self, word):
        if len(word) > NUMBER_MAX:
            self.fail("the number is too long")
        m = BASED.fullmatch(word)
        if m:
            base = 16 if m[2] else 8 if m[3] else 2
            n = int((m[2] or m[3] or m[4]).replace("_", ""), base)
            return -n if m[1] == "-" else n
        m = DECIMAL.fullmatch(word)
        if not m:
            self.fail(f"malformed number {word[:40]}")
        if m[1] is None and m[2] is None:
            return int(word.replace("_", ""))
        try:
            return decimal.Decimal(word.replace("_", ""))
        except decimal.InvalidOperation:
            self.fail(f"the number {word[:40]} is out of range")

    def type(self):
        """(type), or None."""
        start = self.at
        if not self.take("("):
            return None
        self.node_space()
        name = self.string()
        if name is None:
            self.fail("a type annotation must be a string")
        self.node_space()
        if not self.take(")"):
            self.fail("a type annotation has no end", start)
        return name

    def bare_value(self):
        """A value without annotation: (value,), for it may be None; or None when there is none."""
        text = self.string()
        if text is not None:
            return (text,)
        start = self.at
        hashed = self.take("#")
        m = IDENT.match(self.text, self.at)
        if hashed:
            if not m or m[0] not in KEYWORDS:
                self.fail(f"unknown keyword #{m[0] if m else ''}", start)
            self.at = m.end()
            return (KEYWORDS[m[0]],)
        if not m:
            return None
        n = self.number(m[0])
        self.at = m.end()
        return (n,)

    def value(self):
        kind = self.type()
        if kind is not None:
            self.node_space()
        line = self.line()
        found = self.bare_value()
        if found is None:
            self.fail(f"unexpected {self.seen()} where a value should be")
        return Value(found[0], kind, line)

    def seen(self):
        c = self.peek()
        return "end of the document" if c == "" else "end of the line" if BREAK.match(c) else repr(c)

    # ---- nodes ----

    def entry(self, node):
        """A property or an argument."""
        start = self.at
        key = self.string() if self.peek() != "(" else None
        if key is not None:
            after = self.at
            self.node_space()
            if self.take("="):
                self.node_space()
                node.props.append((key, self.value()))
                return
            self.at = after
            node.args.append(Value(key, None, self.line(start)))
            return
        node.args.append(self.value())

    def entries(self, node, depth):
        """All of a node that follows its name, up to what ends it."""
        block = shut = False  # there was a block of children, or one that is commented out
        while True:
            spaced = self.node_space()
            c = self.peek()
            if c in ("", ";", "}") or BREAK.match(c) or self.next_is("//"):
                return
            off = self.take("/-")
            if off:
                self.line_space()
            if self.peek() == "{":
                if block and not off:
                    self.fail(f"node {node.name} has two blocks of children")
                children = self.children(depth)
                shut = True
                if not off:
                    block, node.children = True, children
                continue
            if shut:
                self.fail("after the children the node must end")
            if not spaced and not off:
                self.fail(f"unexpected {self.seen()}")
            self.entry(Node("") if off else node)

    def children(self, depth):
        if depth >= DEPTH_MAX:
            self.fail("children are nested too deep")
        start = self.at
        self.at += 1
        nodes = self.nodes(depth + 1)
        if not self.take("}"):
            self.fail("{ is never closed", start)
        return nodes

    def node(self, depth):
        kind = self.type()
        if kind is not None:
            self.node_space()
        start = self.at
        name = self.string()
        if name is None:
            self.fail(f"unexpected {self.seen()} where a node should be")
        node = Node(name, kind, self.line(start))
        self.entries(node, depth)
        return node

    def nodes(self, depth):
        """Nodes up to a } or the end of the document."""
        found = []
        while True:
            self.line_space()
            if self.peek() in ("", "}"):
                return found
            off = self.take("/-")
            if off:
                self.line_space()
            node = self.node(depth)
            if not off:
                found.append(node)
            if self.peek() not in ("", "}") and not (self.take(";") or self.match(BREAK)
                                                     or self.line_comment()):
                self.fail(f"unexpected {self.seen()} after node {node.name}")


def parse(text):
    """The nodes of a document."""
    r = Reader(text)
    r.take("\ufeff")
    bad = FORBIDDEN.search(text, r.at)
    if bad:
        r.fail(f"the character U+{ord(bad[0]):04X} may not stand here", bad.start())
    m = VERSION.match(text, r.at)
    if m and m[1] != "2":
        r.fail("this is KDL of version 1; only version 2 is read")
    nodes = r.nodes(0)
    if r.at < len(text):
        r.fail("unexpected }")
    return nodes


def parse_bytes(data):
    """The nodes of a file's content."""
    try:
        return parse(data.decode("utf-8"))
    except UnicodeDecodeError as e:
        good = data[:e.start].decode("utf-8")
        raise KdlError(1 + len(BREAK.findall(good)), 1, "this is not UTF-8") from None


# ---- writing ----

UNPRINTABLE = re.compile("[\u0000-\u001f\u007f\u0085\u2028\u2029\u200e\u200f\u202a-\u202e"
                         "\u2066-\u2069\ufeff\"\\\\]")
NAMED = {v: k for k, v in ESCAPES.items() if k != "s"}


def write_string(text):
    """Bare when it may be, else quoted."""
    bare = IDENT.fullmatch(text) and not FORBIDDEN.search(text) and not NUMBER_LIKE.match(text) and \
        text not in KEYWORDS
    if bare:
        return text
    body = UNPRINTABLE.sub(
        lambda m: "\\" + NAMED[m[0]] if m[0] in NAMED else f"\\u{{{ord(m[0]):x}}}", text)
    return f'"{body}"'


def write_value(v):
    kind = f"({write_string(v.type)})" if v.type is not None else ""
    x = v.value
    if isinstance(x, str):
        return kind + write_string(x)
    if x is None or isinstance(x, bool):
        return kind + ("#null" if x is None else "#true" if x else "#false")
    if isinstance(x, float):
        return kind + ("#nan" if math.isnan(x) else "#inf" if x > 0 else "#-inf")
    return kind + str(x)


def write(nodes, indent=""):
    out = []
    for n in nodes:
        kind = f"({write_string(n.type)})" if n.type is not None else ""
        parts = [kind + write_string(n.name)]
        parts += [write_value(a) for a in n.args]
        parts += [f"{write_string(k)}={write_value(v)}" for k, v in n.props]
        line = indent + " ".join(parts)
        if n.children:
            line += " {\n" + write(n.children, indent + "    ") + indent + "}"
        out.append(line + "\n")
    return "".join(out)
