"""An interface in its source form: KDL nodes to an Interface, or all that is wrong with it.
No program; idl.py uses it. docs/idl.md has the language.

    face = idl_read.read(nodes)        an Interface, or IdlErrors
"""
import re

import kdl

SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "i8": 1, "i16": 2, "i32": 4, "i64": 8, "char": 1}
PAYLOAD = 48
NUMBER_MAX = 0x7ffd  # NEXUS_HELLO is the next one; the top bit says that it may be repeated
NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
ERRORS = ["EPERM", "ENOENT", "EIO", "EBADF", "ENOMEM", "EFAULT", "EBUSY", "EINVAL", "ENOSYS", "ETIME", "EPEER", "EFULL",
          "EEMPTY"]
# Words that C keeps for itself or that the generated code uses.
TAKEN = set("""auto break case char const continue default do double else enum extern float for goto if inline int long
    register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while result
    ask answer request reply deadline off len buf""".split())
TAKEN_BYTES = {"size", "slot", "r", "c", "s", "ctx"}  # of the functions that bytes are handed to


class IdlErrors(Exception):
    """All that is wrong: [(line, reason)], by line."""

    def __init__(self, errors):
        super().__init__(errors)
        self.errors = sorted(errors)


class Bad(Exception):
    """One mistake; the reader notes it and goes on with the next node."""


class Field:
    def __init__(self, type_, name, count, unit, doc, offset):
        self.type, self.name, self.count, self.unit, self.doc, self.offset = type_, name, count, unit, doc, offset


class Buffer:
    """A piece of the pool that goes with a message: direction `in`, `out` or `inout`, as the server sees it."""

    def __init__(self, direction, doc):
        self.direction, self.doc = direction, doc


class Bytes:
    """What is told is 1 to 48 bytes that are counted, and not fields."""

    def __init__(self, name, doc):
        self.name, self.doc = name, doc


class Message:
    def __init__(self, name):
        self.name = name
        self.number, self.repeatable, self.doc = None, False, ""
        self.ask, self.answer, self.buffer, self.bytes = [], [], None, None
        self.errors = []  # (name, doc)


class Interface:
    def __init__(self):
        self.name = self.prefix = self.doc = ""
        self.session = True  # False: messages without answers, over two rings alone
        self.hello, self.messages, self.events = [], [], []


class Reader:
    def __init__(self):
        self.errors = []

    def error(self, line, reason):
        self.errors.append((line, reason))

    # ---- shape of nodes ----

    def text(self, value, what):
        if not isinstance(value.value, str) or not value.value.strip():
            raise Bad(f"{what} must be a text")
        return " ".join(value.value.split())

    def name(self, value, what):
        if not isinstance(value.value, str) or not NAME.fullmatch(value.value):
            raise Bad(f"{what} must be a name of up to 31 small letters, digits and _, "
                      f"not {kdl.write_value(value)[:40]}")
        if value.value in TAKEN:
            raise Bad(f"{what} must not be {value.value}: the generated code has other use for that word")
        return value.value

    def props(self, node, known):
        found = {}
        for key, value in node.props:
            if key not in known:
                raise Bad(f"{node.name} has no key {kdl.write_string(key)[:40]}"
                          + (f"; it has {', '.join(sorted(known))}" if known else ""))
            if key in found:
                raise Bad(f"{node.name}: key {key} stands twice")
            found[key] = value
        return found

    def args(self, node, count, what):
        if node.type is not None or any(v.type is not None for v in node.args + [v for _, v in node.props]):
            raise Bad(f"{node.name}: type annotations mean nothing here")
        if len(node.args) != count:
            raise Bad(f"{node.name} takes {what}")
        return node.args

    def number(self, value, what, low, high):
        n = value.value
        if not isinstance(n, int) or isinstance(n, bool) or not low <= n <= high:
            raise Bad(f"{what} must be a whole number of {low} to {high}, not {kdl.write_value(value)[:40]}")
        return n

    def each(self, nodes, handlers, where):
        """Hands each node to the handler of its name; notes what goes wrong."""
        for node in nodes or []:
            try:
                if node.name not in handlers:
                    raise Bad(f"{where} has no {kdl.write_string(node.name)[:40]}; it has {', '.join(handlers)}")
                handlers[node.name](node)
            except Bad as bad:
                self.error(node.line, str(bad))

    # ---- what messages are made of ----

    def doc(self, holder):
        def read(node):
            if holder.doc:
                raise Bad("doc stands twice")
            holder.doc = self.text(self.args(node, 1, "one text")[0], "doc")
            self.props(node, ())
        return read

    def fields(self, node, start, room=PAYLOAD):
        """The fields of a list, laid out from byte `start` on as C does."""
        self.args(node, 0, "no arguments, but a block of fields")
        self.props(node, ())
        found, at = [], start

        def one(field):
            nonlocal at
            name, doc = self.args(field, 2, "a name and what it is")
            props = self.props(field, ("count", "unit"))
            name, doc = self.name(name, "a field's name"), self.text(doc, "what a field is")
            if any(f.name == name for f in found):
                raise Bad(f"there is a field {name} already")
            count = self.number(props["count"], "count", 1, PAYLOAD) if "count" in props else None
            if field.name == "char":
                if count is None or "unit" in props:
                    raise Bad("a text is char with count=, the bytes it has room for, and without unit=")
                unit = None
            elif "unit" not in props:
                raise Bad(f"{name} says no unit=; what only counts or names has unit=\"none\"")
            else:
                unit = self.text(props["unit"], "unit")
            size = SIZES[field.name]
            at = -(-at // size) * size
            found.append(Field(field.name, name, count, unit, doc, at))
            at += size * (count or 1)
            if at > room:
                raise Bad(f"{name} ends at byte {at}; a message has {room}")
        self.each(node.children, {t: one for t in SIZES}, node.name)
        return found

    def buffer(self, message):
        def read(node):
            direction, doc = self.args(node, 2, "a direction and what is in it")
            self.props(node, ())
            if direction.value not in ("in", "out", "inout"):
                raise Bad("a buffer is in (the server reads it), out (it writes it) or inout")
            if message.buffer:
                raise Bad("a message has one buffer")
            message.buffer = Buffer(direction.value, self.text(doc, "what is in a buffer"))
        return read

    def error_of(self, message):
        def read(node):
            name, doc = self.args(node, 2, "an error and when it is answered")
            self.props(node, ())
            if name.value not in ERRORS:
                raise Bad(f"there is no error {kdl.write_value(name)[:40]}; there are {', '.join(ERRORS)}")
            if any(n == name.value for n, _ in message.errors):
                raise Bad(f"error {name.value} stands twice")
            message.errors.append((name.value, self.text(doc, "when an error is answered")))
        return read

    def bytes_of(self, message):
        def read(node):
            name, doc = self.args(node, 2, "a name and what they are")
            self.props(node, ())
            if message.bytes:
                raise Bad("bytes stands twice")
            message.bytes = Bytes(self.name(name, "the name of bytes"), self.text(doc, "what bytes are"))
            if message.bytes.name in TAKEN_BYTES:
                raise Bad(f"the name of bytes must not be {message.bytes.name}")
        return read

    def whole(self, line, m, face):
        """What only shows when all of a message or event is known."""
        if not m.doc:
            self.error(line, f"{m.name} has no doc")
        if m.bytes and (m.ask or m.buffer):
            self.error(line, f"{m.name}: bytes are all that a message has room for")
        if not face.session and (m.answer or m.buffer or m.errors or not m.bytes):
            self.error(line, f"{m.name}: without a session there are bytes, and no answers")

    # ---- messages ----

    def number_of(self, m, props, face):
        if "number" not in props:
            raise Bad(f"{m.name} has no number=; it is what stands in the ring, and must never change")
        m.number = self.number(props["number"], "number", 1, NUMBER_MAX)
        for other in face.messages + face.events:
            if other.number == m.number:
                raise Bad(f"{m.name} and {other.name} have one number")
            if other.name == m.name:
                raise Bad(f"there is {m.name} already")

    def message(self, face):
        def read(node):
            m = Message(self.name(self.args(node, 1, "a name")[0], "a message's name"))
            if m.name == "hello":
                raise Bad("the message hello is every session's own")
            props = self.props(node, ("number", "repeatable"))
            self.number_of(m, props, face)
            if "repeatable" not in props or not isinstance(props["repeatable"].value, bool):
                raise Bad(f"{m.name} must say repeatable=#true or #false: may it be carried out twice, when a "
                          "server dies before it has answered?")
            m.repeatable = props["repeatable"].value

            def lists(name, start):
                def one(child):
                    if getattr(m, name):
                        raise Bad(f"{name} stands twice")
                    setattr(m, name, self.fields(child, start))
                return one
            self.each(node.children, {"doc": self.doc(m), "ask": lists("ask", 0), "answer": lists("answer", 4),
                                      "bytes": self.bytes_of(m), "buffer": self.buffer(m),
                                      "error": self.error_of(m)}, m.name)
            self.whole(node.line, m, face)
            face.messages.append(m)
        return read

    def event(self, face):
        def read(node):
            m = Message(self.name(self.args(node, 1, "a name")[0], "an event's name"))
            self.number_of(m, self.props(node, ("number",)), face)

            def data(child):
                m.ask = self.fields(child, 0)
            self.each(node.children, {"doc": self.doc(m), "data": data, "bytes": self.bytes_of(m)}, m.name)
            self.whole(node.line, m, face)
            face.events.append(m)
        return read

    def hello(self, face):
        def read(node):
            if face.hello:
                raise Bad("hello stands twice")
            face.hello = self.fields(node, 0)
        return read

    def interface(self, node):
        face = Interface()
        try:
            name = self.args(node, 1, "a name")[0]
            face.name = self.name(name, "an interface's name")
            props = self.props(node, ("prefix", "session"))
            face.prefix = self.name(props["prefix"], "prefix") if "prefix" in props else face.name
            if "session" in props and props["session"].value is not False:
                raise Bad("session= is #false, or is not said")
            face.session = "session" not in props
        except Bad as bad:
            self.error(node.line, str(bad))
        self.each(node.children, {"doc": self.doc(face), "hello": self.hello(face), "message": self.message(face),
                                  "event": self.event(face)}, "interface")
        if not face.doc:
            self.error(node.line, "the interface has no doc")
        if face.hello and not face.session:
            self.error(node.line, "without a session there is no hello")
        if not face.messages and not face.events:
            self.error(node.line, "the interface has no message")
        return face


def read(nodes):
    reader = Reader()
    face = None
    for node in nodes:
        if node.name != "interface":
            reader.error(node.line, f"a file has one interface, not {kdl.write_string(node.name)[:40]}")
        elif face is not None:
            reader.error(node.line, "a file has one interface")
        else:
            face = reader.interface(node)
    if face is None and not reader.errors:
        reader.error(1, "there is no interface")
    if reader.errors:
        raise IdlErrors(reader.errors)
    return face
