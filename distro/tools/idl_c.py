"""C of an interface (idl_read.Interface): numbers, structures, stubs of client and server. No program; idl.py uses it."""
import textwrap

C_TYPES = {"u8": "uint8_t", "u16": "uint16_t", "u32": "uint32_t", "u64": "uint64_t", "i8": "int8_t",
           "i16": "int16_t", "i32": "int32_t", "i64": "int64_t", "char": "char"}


def comment(text, indent=""):
    lines = textwrap.wrap(text, 96 - len(indent))
    return "\n".join(indent + ("/* " if i == 0 else " * ") + s for i, s in enumerate(lines)) + " */"


def declare(name, fields, what, first=""):
    """The structure of a list of fields."""
    body = [first] if first else []
    for f in fields:
        count = f"[{f.count}]" if f.count else ""
        unit = f" ({f.unit})" if f.unit and f.unit != "none" else ""
        body.append(comment(f.doc + unit, "    "))
        body.append(f"    {C_TYPES[f.type]} {f.name}{count};")
    checks = [f'_Static_assert(offsetof(struct {name}, {f.name}) == {f.offset}, "layout");' for f in fields]
    return "\n".join([comment(what), f"struct {name} {{"] + body + ["};"] + checks) + "\n"


def copies(fields, to, from_):
    """Statements that copy a structure field by field: what lies between fields is not told."""
    out = []
    for f in fields:
        if f.count:
            out.append(f"    __builtin_memcpy({to}->{f.name}, {from_}->{f.name}, sizeof({to}->{f.name}));")
        else:
            out.append(f"    {to}->{f.name} = {from_}->{f.name};")
    return out


def ends(fields, of):
    """Statements that end the texts of a structure that came from the other side."""
    return [f"    {of}->{f.name}[{f.count - 1}] = 0;" for f in fields if f.type == "char"]


def inline(returns, name, params, body):
    return "\n".join([f"static inline {returns}{name}({', '.join(params)})", "{"] + body + ["}", ""])


def pack(name, struct, fields, of):
    """A structure into a slot's payload."""
    body = [f"    struct {struct} *to_ = (struct {struct} *)slot->payload;"] + copies(fields, "to_", of)
    return inline("void ", name, ["struct nx_slot *slot", f"const struct {struct} *{of}"], body)


def unpack(name, struct, fields, to, result=False):
    body = [f"    const struct {struct} *from_ = (const struct {struct} *)slot->payload;"]
    body += [f"    {to}->result = (int32_t)slot->word32[0];"] if result else []
    body += copies(fields, to, "from_") + ends(fields, to)
    return inline("void ", name, ["const struct nx_slot *slot", f"struct {struct} *{to}"], body)


def counted(bytes_):
    """Parameters for bytes that are counted."""
    return [f"const void *{bytes_.name}", "uint32_t size"]


class Writer:
    def __init__(self, face):
        self.face, self.p, self.up = face, face.prefix, face.prefix.upper()

    def numbers(self):
        out = []
        for m in self.face.messages:
            value = f"({m.number} | NX_TYPE_REPEATABLE)" if m.repeatable else f"{m.number}"
            out.append(f"#define {self.up}_{m.name.upper()} {value}")
        for e in self.face.events:
            out.append(f"#define {self.up}_{e.name.upper()} {e.number}")
        return "\n".join(out) + "\n"

    def describe(self, m):
        if not self.face.session:
            return f"{m.name}, to the server: {m.doc}"
        again = "asked again by itself when the server dies" if m.repeatable else \
            "not repeated: -NX_EPEER when the server dies before it answers"
        said = [f"{m.name}: {m.doc} ({again}.)"]
        if m.buffer:
            said.append(f"Buffer, {m.buffer.direction}: {m.buffer.doc}.")
        said += [f"-NX_{name}: {when}." for name, when in m.errors]
        return " ".join(said)

    def structures(self, m):
        name = f"{self.p}_{m.name}"
        out = []
        if m.ask:
            out.append(declare(name, m.ask, f"What {m.name} asks."))
            out.append(f'_Static_assert(sizeof(struct {name}) <= NX_RING_PAYLOAD, "fits a slot");\n')
        if m.answer:
            out.append(declare(name + "_answer", m.answer, f"What {m.name} answers.",
                               "    int32_t result; /* 0, or -NX_E* */"))
            out.append(f'_Static_assert(sizeof(struct {name}_answer) <= NX_RING_PAYLOAD, "fits a slot");\n')
        return out

    def inline_bytes(self, m):
        """name_put() and name_told() of a message or event that is bytes."""
        name, type_ = f"{self.p}_{m.name}", f"{self.up}_{m.name.upper()}"
        return [comment(f"Make slot a message {m.name}: 1 to 48 bytes; {m.bytes.doc}. More than fit make it one without any, which "
                        "is refused."),
                inline("void ", f"{name}_put", ["struct nx_slot *slot"] + counted(m.bytes),
                       [f"    *slot = (struct nx_slot){{.type = {type_}, .flags = NX_SLOT_INLINE}};",
                        "    if (size <= NX_RING_PAYLOAD) {", "        slot->buf_len = size;",
                        f"        __builtin_memcpy(slot->payload, {m.bytes.name}, size);", "    }"]),
                comment(f"How many bytes of the payload of slot, a copy of the caller's own, are a {m.name}; 0: it is none."),
                inline("uint32_t ", f"{name}_told", ["const struct nx_slot *slot"],
                       [f"    return slot->type == {type_} && (slot->flags & NX_SLOT_INLINE) != 0 &&",
                        "                   slot->buf_len <= NX_RING_PAYLOAD",
                        "               ? slot->buf_len", "               : 0;"])]

    def client(self, m):
        """name_request() for client_submit(), name_answered() for its done function, name() that waits."""
        name = f"{self.p}_{m.name}"
        ask = [f"const struct {name} *ask"] if m.ask else counted(m.bytes) if m.bytes else []
        piece = ["uint32_t off", "uint32_t len"] if m.buffer else []
        answer = [f"struct {name}_answer *answer"] if m.answer else []
        out = self.inline_bytes(m) if m.bytes else []
        given = ", ask" if m.ask else f", {m.bytes.name}, size" if m.bytes else ""
        if m.ask:
            out.append(pack(f"{name}_ask_", name, m.ask, "ask"))
        body = [f"    r->slot = (struct nx_slot){{.type = {self.up}_{m.name.upper()}"
                + (", .buf_off = off, .buf_len = len" if m.buffer else "") + "};"]
        body += [f"    {name}_ask_(&r->slot, ask);"] if m.ask else []
        body = [f"    {name}_put(&r->slot{given});"] if m.bytes else body
        out.append(comment(f"Make r the request {m.name}, for client_submit()."))
        out.append(inline("void ", f"{name}_request", ["struct nexus_request *r"] + ask + piece, body))
        if m.answer:
            out.append(comment(f"What a reply to {m.name} says. A reply of NULL says -NX_EPEER."))
            inner = f"{name}_answer_"
            out.append(unpack(inner, f"{name}_answer", m.answer, "answer", True))
            out.append(inline("void ", f"{name}_answered",
                              ["const struct nx_slot *reply"] + answer,
                              [f"    *answer = (struct {name}_answer){{.result = -NX_EPEER}};",
                               "    if (reply != NULL) {", f"        {inner}(reply, answer);", "    }"]))
        body = ["    struct nexus_call call;",
                f"    {name}_request(&call.request{given}{', off, len' if m.buffer else ''});",
                "    int e = client_call(c, &call, deadline);"]
        if m.answer:
            body += [f"    {name}_answered(e == 0 || call.answered ? &call.reply : NULL, answer);",
                     "    answer->result = e;"]
        body += ["    return e;"]
        out.append(comment(f"Ask {m.name} and wait for the answer: its result, or -NX_ETIME, -NX_EPEER, -NX_EFULL as "
                           "client_call()."))
        out.append(inline("int ", name, ["struct nexus_client *c"] + ask + piece + answer + ["uint64_t deadline"],
                          body))
        return out

    def case(self, m, device):
        """The function of a message, and the case that calls it. device: its buffer is for a device."""
        name = f"{self.p}_{m.name}"
        params, args = ["void *ctx", "const struct nx_slot *request"], ["ctx", "request"]
        body, good = [], None
        if m.ask:
            params, args = params + [f"const struct {name} *ask"], args + ["&ask"]
            body += [f"        struct {name} ask;", f"        {name}_asked_(request, &ask);"]
        if m.bytes:
            params, args = params + [f"const uint8_t *{m.bytes.name}", "uint32_t size"], args + ["request->payload", "size"]
            body += [f"        const uint32_t size = {name}_told(request);"]
            good = "size == 0"
        if m.buffer and device:
            params, args = params + ["uint64_t phys", "uint32_t len"], args + ["server_phys(s, request->buf_off)", "request->buf_len"]
            good = "!server_in_pool(s, request->buf_off, request->buf_len)"
        elif m.buffer:
            params, args = params + ["uint8_t *buf", "uint32_t len"], args + ["buf", "request->buf_len"]
            body += ["        uint8_t *buf = server_at(s, request->buf_off, request->buf_len);"]
            good = "buf == NULL"
        if m.answer:
            params, args = params + [f"struct {name}_answer *answer"], args + ["&answer"]
            body += [f"        struct {name}_answer answer = {{0}};"]
        call = f"ops->{m.name}({', '.join(args)})"
        body += [f"        result = {good} ? -NX_EINVAL : {call};" if good else f"        result = {call};"]
        body += [f"        {name}_reply_(&reply, &answer);"] if m.answer else []
        return (f"    int (*{m.name})({', '.join(params)});",
                [f"    case {self.up}_{m.name.upper()}: {{", f"        if (ops->{m.name} == NULL) {{",
                 "            break;", "        }"] + body + ["        break;", "    }"])

    def serve(self, device):
        p = self.p + ("_device" if device else "")
        cases = [self.case(m, device) for m in self.face.messages]
        if device:
            said = (f"The same for a server whose device reads and writes the pool, and which has the right dma to it: {p}_serve "
                    "gives a buffer as its physical address, and maps nothing.")
        else:
            said = ("What a server does: a function a message; what is not there is answered -NX_ENOSYS. The result is "
                    "the answer's: 0 or -NX_E*; or NEXUS_LATER, and the answer is given later. buf is inside of the "
                    "pool: the client may change it at any time. answer is zeroed.")
        return [comment(said), "\n".join([f"struct {p}_ops {{"] + [function for function, _ in cases] + ["};", ""]),
                comment("Carry out a request from server_take() and answer it: 0; NEXUS_LATER: it was not answered yet; "
                        "-NX_EPEER: the client broke the ring."),
                inline("int ", f"{p}_serve",
                       ["struct nexus_server *s", "const struct nx_slot *request", f"const struct {p}_ops *ops", "void *ctx"],
                       ["    struct nx_slot reply = {0};", "    int result = -NX_ENOSYS;", "    switch (request->type) {"]
                       + [line for _, body in cases for line in body]
                       + ["    default:", "        break;", "    }", "    if (result == NEXUS_LATER) {",
                          "        return NEXUS_LATER;", "    }", "    return server_reply(s, request, result, &reply);"])]

    def server(self):
        out = []
        for m in self.face.messages:
            name = f"{self.p}_{m.name}"
            if m.ask:
                out.append(unpack(f"{name}_asked_", name, m.ask, "ask"))
            if m.answer:
                out.append(pack(f"{name}_reply_", f"{name}_answer", m.answer, "answer"))
                out.append(comment(f"The answer to a {m.name} that was kept (NEXUS_LATER)."))
                out.append(inline("int ", f"{name}_reply",
                                  ["struct nexus_server *s", "const struct nx_slot *request", "int result",
                                   f"const struct {name}_answer *answer"],
                                  ["    struct nx_slot reply = {0};", f"    {name}_reply_(&reply, answer);",
                                   "    return server_reply(s, request, result, &reply);"]))
        out += self.serve(False)
        if any(m.buffer for m in self.face.messages):
            out += self.serve(True)
        return out

    def events(self):
        out = []
        for e in self.face.events:
            name = f"{self.p}_{e.name}"
            out.append(comment(f"{e.name}, {'an event' if self.face.session else 'from the server'}: {e.doc}"))
            if e.bytes:
                out += self.inline_bytes(e)
            if not self.face.session:
                continue
            if e.ask:
                out.append(declare(name, e.ask, f"What {e.name} tells."))
                out.append(f'_Static_assert(sizeof(struct {name}) <= NX_RING_PAYLOAD, "fits a slot");\n')
                out.append(pack(f"{name}_data_", name, e.ask, "data"))
                out.append(unpack(f"{name}_told", name, e.ask, "data"))
            out.append(inline("int ", f"{name}_tell",
                              ["struct nexus_server *s"] + ([f"const struct {name} *data"] if e.ask else [])
                              + (counted(e.bytes) if e.bytes else []),
                              [f"    struct nx_slot slot = {{.type = {self.up}_{e.name.upper()}}};"]
                              + ([f"    {name}_put(&slot, {e.bytes.name}, size);"] if e.bytes else [])
                              + ([f"    {name}_data_(&slot, data);"] if e.ask else [])
                              + ["    return server_event(s, &slot);"]))
        return out

    def hello(self):
        if not self.face.hello:
            return []
        name = f"{self.p}_hello"
        return [declare(name, self.face.hello, "What the server's HELLO tells."),
                f'_Static_assert(sizeof(struct {name}) <= NX_RING_PAYLOAD, "fits a slot");\n',
                pack(f"{name}_tell", name, self.face.hello, "data"),
                unpack(f"{name}_told", name, self.face.hello, "data")]

    def header(self, source):
        guard = f"IDL_{self.up}_H"
        out = [f"/* Made by distro/tools/idl.py from {source}: interface \"{self.face.name}\". */",
               f"#ifndef {guard}", f"#define {guard}", ""]
        out += ["#include <nexus/call.h>"] if self.face.session else ["#include <nx/ring.h>"]
        out += ["",
               comment(self.face.doc), "", self.numbers()] + self.hello()
        for m in self.face.messages:
            out += ["/* ---- " + m.name + " ---- */", "", comment(self.describe(m)), ""]
            out += self.structures(m) + self.client(m) if self.face.session else self.inline_bytes(m)
        if self.face.events:
            out += ["/* ---- events ---- */", ""] + self.events()
        if self.face.messages and self.face.session:
            out += ["/* ---- server ---- */", ""] + self.server()
        return "\n".join(out) + "\n#endif\n"


def header(face, source):
    return Writer(face).header(source)
