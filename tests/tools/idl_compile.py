#!/usr/bin/env python3
"""The compiler of interfaces, distro/tools/idl.py: what an interface becomes, what is refused and on which line, and that
the C it makes compiles without a warning."""
import os
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOL = os.path.join(TOP, "distro", "tools", "idl.py")
sys.path.insert(0, os.path.join(TOP, "distro", "tools"))
import idl_read  # noqa: E402
import kdl  # noqa: E402

failures = 0
work = None

WHOLE = '''
interface store prefix=my_store {
    doc "Values by key."
    hello {
        u32 room "what fits" unit="bytes"
        char name count=32 "who serves"
    }
    message get number=1 repeatable=#true {
        doc "The value of a key."
        ask {
            u8 kind "which" unit="none"
            u64 key "which one" unit="none"
            char text count=20 "a name"
        }
        buffer out "the value"
        answer {
            u16 flags "what it is" unit="none"
            u64 length "how long it is" unit="bytes"
            u32 list count=4 "numbers" unit="none"
        }
        error ENOENT "there is no such key"
    }
    message drop number=7 repeatable=#false {
        doc "Forget all."
    }
    message put number=3 repeatable=#false {
        doc "A value."
        buffer in "it"
        answer {
            i32 left "room" unit="bytes"
        }
    }
    event changed number=9 {
        doc "A key has another value."
        data {
            u64 key "which one" unit="none"
        }
    }
    event full number=10 {
        doc "There is no room."
    }
    message name number=4 repeatable=#true {
        doc "Call it something."
        bytes text "what it is to be called"
        error EBUSY "not now"
    }
    event said number=11 {
        doc "Somebody said something."
        bytes words "what was said"
    }
}
'''

RAW = '''
interface pipe session=#false {
    doc "Bytes both ways."
    message there number=1 repeatable=#false {
        doc "To the server."
        bytes text "any"
    }
    event back number=2 {
        doc "From it."
        bytes text "any"
    }
}
'''


def check(name, problems):
    global failures
    for p in problems[:10]:
        print("#   " + p.replace("\n", "\\n"))
    print(("not ok" if problems else "ok") + f" - {name}", flush=True)
    failures += bool(problems)


def same(got, want, what):
    return [] if got == want else [f"{what}: {got!r} instead of {want!r}"]


def tool(*args):
    done = subprocess.run([sys.executable, "-B", TOOL, *args], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def write(name, text):
    path = os.path.join(work, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def errors(text):
    try:
        idl_read.read(kdl.parse(text))
    except kdl.KdlError as e:
        return [(e.line, e.reason)]
    except idl_read.IdlErrors as e:
        return e.errors
    return []


def layout():
    face = idl_read.read(kdl.parse(WHOLE))
    get = face.messages[0]
    check("layout", same((face.name, face.prefix), ("store", "my_store"), "names")
          + same([f.offset for f in get.ask], [0, 8, 16], "what is asked")
          + same([f.offset for f in get.answer], [4, 8, 16], "what is answered")
          + same([(m.number, m.repeatable) for m in face.messages], [(1, True), (7, False), (3, False), (4, True)], "numbers")
          + same(get.errors, [("ENOENT", "there is no such key")], "errors"))


def inside(old, new, line, reason):
    """What is said of WHOLE with one text in another's place."""
    assert WHOLE.count(old) >= 1, old
    got = errors(WHOLE.replace(old, new, 1))
    if len(got) == 1 and got[0][0] == line and reason in got[0][1]:
        return []
    return [f"{new!r}: {got} instead of line {line}: {reason}"]


def refused():
    line = {text.strip(): n for n, text in enumerate(WHOLE.splitlines(), 1)}
    get, drop = line["message get number=1 repeatable=#true {"], line["message drop number=7 repeatable=#false {"]
    kind = line['u8 kind "which" unit="none"']
    problems = []
    for old, new, where, reason in (
            ("interface store", "interface Store", 2, "small letters"),
            ("interface store prefix=my_store", "interface store other=1", 2, "no key other"),
            ('doc "Values by key."', "", 2, "no doc"),
            ("message get number=1", "message get", get, "no number="),
            ("number=7", "number=1", drop, "have one number"),
            ("number=7", "number=0", drop, "whole number of 1 to 32765"),
            ("number=7", "number=32766", drop, "whole number of 1 to 32765"),
            ("message drop", "message get", drop, "there is get already"),
            ("message drop", "message hello", drop, "every session's own"),
            (" repeatable=#true", "", get, "repeatable="),
            (" repeatable=#true", " repeatable=1", get, "repeatable="),
            ('doc "The value of a key."', "", get, "get has no doc"),
            ("u8 kind", "u7 kind", kind, "ask has no u7"),
            ("u8 kind", "u8 default", kind, "must not be default"),
            ("u8 kind", "u8 key", kind + 1, "a field key already"),
            ('"which" unit="none"', '"which"', kind, "kind says no unit="),
            ('u8 kind "which"', "u8 kind", kind, "takes a name and what it is"),
            ("char text count=20", "char text", kind + 2, "a text is char with count="),
            ("char text count=20", "char text count=33", kind + 2, "ends at byte 49; a message has 48"),
            ("u32 list count=4", "u32 list count=9", line['u32 list count=4 "numbers" unit="none"'], "ends at byte 52"),
            ("u32 list count=4", "u32 list count=0", line['u32 list count=4 "numbers" unit="none"'], "whole number of 1"),
            ("buffer out", "buffer up", line['buffer out "the value"'], "in (the server reads it)"),
            ("error ENOENT", "error ENOTHING", line['error ENOENT "there is no such key"'], "there is no error ENOTHING"),
            ("event changed number=9", "event changed number=7", line["event changed number=9 {"], "have one number"),
            ("event changed number=9", "event changed number=9 repeatable=#true", line["event changed number=9 {"],
             "no key repeatable")):
        problems += inside(old, new, where, reason)
    problems += same([n for n, _ in errors(WHOLE.replace("u8 kind", "u7 kind").replace("buffer out", "buffer up"))],
                     [kind, line['buffer out "the value"']], "two mistakes")
    name = line["message name number=4 repeatable=#true {"]
    for old, new, where, reason in (
            ('bytes text', 'bytes size', name + 2, "must not be size"),
            ('bytes text', 'bytes text "a"; bytes text', name + 2, "stands twice"),
            ('bytes text', 'buffer in "it"; bytes text', name, "all that a message has room for"),
            ('bytes words', 'data { u8 x "x" unit="none" }; bytes words', line["event said number=11 {"], "has room for"),
            ("prefix=my_store", "session=#true", 2, "session= is #false")):
        problems += inside(old, new, where, reason)
    for old, new, where, reason in (
            ("interface pipe", "interface pipe", 0, ""),
            ('bytes text "any"', 'ask { u8 x "x" unit="none" }', 4, "without a session"),
            ('bytes text "any"', 'bytes text "any"; error EIO "no"', 4, "without a session"),
            ('message there', 'hello { u8 x "x" unit="none" }; message there', 2, "there is no hello")):
        got = errors(RAW.replace(old, new, 1))
        problems += [] if (not where and not got) or (len(got) == 1 and got[0][0] == where and reason in got[0][1]) \
            else [f"{new!r}: {got}"]
    problems += same(errors(""), [(1, "there is no interface")], "an empty file")
    problems += same([n for n, _ in errors(WHOLE + WHOLE)], [2 + WHOLE.count("\n")], "two interfaces")
    problems += same([n for n, _ in errors("cell x {\n}\n")], [1], "a manifest")
    problems += same(errors("interface a {")[0][0], 1, "not KDL")
    check("refused", problems)


def program():
    path, wrong = write("store.idl", WHOLE), write("wrong.idl", WHOLE.replace("u8 kind", "u7 kind"))
    header = os.path.join(work, "out", "store.h")
    problems = same(tool(write("pipe.idl", RAW), "--header", os.path.join(work, "out", "pipe.h")), (0, "", ""), "raw")
    status, out, err = tool(wrong, "--header", header)
    problems += same((status, out), (1, ""), "status") + same(err.startswith(f"{wrong}:11: ask has no u7"), True, err)
    problems += same(os.path.exists(header), False, "a header of a wrong interface")
    problems += same(tool(path, "--header", header, "--man", os.path.join(work, "store.7")), (0, "", ""), "a right one")
    problems += same(tool(os.path.join(work, "none"))[0], 1, "no file") + same(tool()[0], 2, "usage")
    with open(os.path.join(work, "store.7"), encoding="utf-8") as f:
        page = f.read()
    for text in ("It must not be repeated.", "It may be repeated.", "Unit: bytes.", ".B ENOENT", "An event."):
        problems += [] if text in page else [f"the manual page has no {text!r}"]
    check("program", problems)


USE = r'''
#include "out/store.h"
#include "out/pipe.h"
static int get(void *ctx, const struct nx_slot *request, const struct my_store_get *ask, uint8_t *buf, uint32_t len,
               struct my_store_get_answer *answer)
{
    answer->length = ask->key;
    return NEXUS_LATER;
}
static int drop(void *ctx, const struct nx_slot *request) { return 0; }
static int name(void *ctx, const struct nx_slot *request, const uint8_t *text, uint32_t size) { return size > text[0]; }
static int put(void *ctx, const struct nx_slot *request, uint64_t phys, uint32_t len, struct my_store_put_answer *answer)
{
    return phys + len > 0 ? NEXUS_LATER : -NX_EINVAL;
}
uint32_t bytes(struct nx_slot *m, struct nexus_server *s, const struct nx_slot *r)
{
    const struct my_store_device_ops device = {.drop = drop, .put = put};
    pipe_there_put(m, "x", 1);
    pipe_back_put(m, "y", 1);
    return pipe_there_told(m) + pipe_back_told(m) + my_store_said_told(m) + my_store_device_serve(s, r, &device, NULL);
}
int use(struct nexus_client *c, struct nexus_server *s, const struct nx_slot *r)
{
    const struct my_store_ops ops = {.get = get, .drop = drop, .name = name};
    const struct my_store_get ask = {.key = 1};
    struct my_store_get_answer a;
    struct my_store_put_answer p;
    struct my_store_hello h;
    struct my_store_changed k = {.key = 2};
    my_store_hello_told(r, &h);
    return my_store_serve(s, r, &ops, NULL) + my_store_get(c, &ask, 0, 10, &a, 0) + my_store_drop(c, 0) +
           my_store_put(c, 0, 1, &p, 0) + my_store_changed_tell(s, &k) + my_store_full_tell(s) +
           my_store_get_reply(s, r, 0, &a) + my_store_name(c, "x", 1, 0) + my_store_said_tell(s, "y", 1);
}
'''


def compiles():
    write("use.c", USE)
    flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wstrict-prototypes", "-Wno-unused-parameter", "-fsyntax-only",
             "-DNX_HOST"]
    where = [f"-I{os.path.join(TOP, d)}" for d in ("native/include", "nucleus/abi", "build/gen")]
    done = subprocess.run(["gcc", *flags, *where, os.path.join(work, "use.c")], capture_output=True, text=True, check=False)
    check("compiles", same(done.returncode, 0, done.stderr[:2000]))


def main():
    global work
    with tempfile.TemporaryDirectory() as work:
        layout()
        refused()
        program()
        compiles()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
