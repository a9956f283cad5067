#!/usr/bin/python3
"""A short session with every port that is built (docs/ports.md); what is not built is skipped, and said."""
# linux: yes
# timeout: 1500
# apart: yes
import os
import re

from console import BUILD, Failure, folder, main, require, same, wanted

PORTS = os.path.join(BUILD, "ports")

FILES = {
    "/t/dash.sh": """#!/bin/dash
trap 'echo bye' EXIT
count() { local n=0; while read -r line; do n=$((n + 1)); done; echo $n; }
cat <<END | count
one $((6 * 7))
two
END
echo $(echo inner $(echo innermost)); (exit 3); echo $?
set -- a 'b c'; for x; do echo "[$x]"; done
sleep 5 & kill $!; wait $! 2>/dev/null; echo $?
""",
    "/t/bash.sh": """#!/bin/bash
numbers=(3 1 2) ; numbers+=(9)
echo ${#numbers[@]} ${numbers[-1]} "${numbers[@]:1:2}"
declare -A size=([one]=1 [two]=22)
for k in $(printf '%s\\n' "${!size[@]}" | sort); do echo $k=${size[$k]}; done
mapfile -t lines < <(printf 'x\\ny y\\nz\\n'); echo "${#lines[@]} ${lines[1]}"
[[ key=value =~ ^([a-z]+)=(.*)$ ]] && echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]^^}"
coproc CAT { cat; }; echo through >&${CAT[1]}; read -r -u ${CAT[0]} back; echo $back; kill $CAT_PID
diff <(seq 3) <(seq 1 3) && echo same
printf -v hex %04x 48879; echo $hex $((16#ff)) {a..e}
trap 'echo usr1' USR1; kill -USR1 $$; exec {fd}</etc/hostname; read -r -u $fd name; echo ${#name}
{ time -p true; } 2>/dev/null; wait; echo end $SECONDS | tr 0-9 n
""",
    "/t/t.lua": """local words = {}
for w in ("the quick brown fox jumps over the lazy dog"):gmatch("%a+") do words[#words + 1] = w end
table.sort(words); print(#words, table.concat(words, " "))
local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i * i) end end)
print(co(), co(), co())
local name = os.tmpname()
local f = assert(io.open(name, "w")); f:write(("x"):rep(100000)); f:close()
print(#assert(io.open(name)):read("a"), os.remove(name), io.open(name))
print(io.popen("echo from a pipe"):read("l"), os.getenv("HOME"), os.execute("exit 3"))
print(pcall(error, { code = 7 }), string.format("%q %.3f", "a\\nb", 2 / 3), 1 << 62, 7 // 2, utf8.char(8364))
local big = {}
for i = 1, 200000 do big[i] = { i } end
collectgarbage(); print(collectgarbage("count") > 1000)
""",
    "/t/t.sql": """create table city(name text primary key, country text, people integer);
begin; insert into city values('Bern','CH',134),('Kyoto','JP',1464),('Quito','EC',2011),('Osaka','JP',2753); commit;
create index by_country on city(country);
select country, count(*), sum(people) from city group by country order by 3 desc;
update city set people = people + 1 where country = 'JP';
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) insert into city select 'c' || i, 'XX', i from n;
select count(*), max(people) from city;
pragma integrity_check;
begin; delete from city; rollback;
select name from city where name like 'Ky%';
""",
    "/t/t.mksh": """set -A list one two three
print ${#list[*]} ${list[1]}
cat |& print -p through; read -p back; print $back
typeset -i16 hex=255; print $hex
x=abcdef; print ${x:2:3} ${x%def} $((1 << 10))
""",
    "/t/t.awk": """{ for (i = 1; i <= NF; i++) n[$i]++ }
END {
    PROCINFO["sorted_in"] = "@val_num_desc"
    for (w in n) { print w, n[w]; if (++k == 2) break }
    "echo from a pipe" | getline line; print line
    print gensub(/(a+)(b+)/, "\\\\2\\\\1", "g", "aabbb"), strftime("%Y", 0, 1), length(sprintf("%100s", "")), toupper("x")
    print substr("hello", 2, 3), 2 ^ 40, match("foobar", /o+/), RLENGTH
    print "sorted" | "sort"; close("sort")
}
""",
    "/t/c/main.c": """#include <stdio.h>
#include "twice.h"
int main(int argc, char **argv) { printf("%d %s\\n", twice(21), argc > 1 ? argv[1] : "none"); return 0; }
""",
    "/t/c/twice.c": "#include \"twice.h\"\nint twice(int x) { return 2 * x; }\n",
    "/t/c/twice.h": "int twice(int x);\n",
    "/t/c/Makefile": """twice: main.o twice.o
	tcc -o $@ $^
%.o: %.c twice.h
	@echo compiling $<
	@tcc -c -o $@ $<
all := $(shell echo from a shell)
.PHONY: parallel a b c
parallel: a b c ; @echo $(words $^) done, $(all)
a b c: ; @sleep 0.1
""",
    "/t/threads.c": """#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long sum;
static void *add(void *p) {
    for (int i = 0; i < 1000; i++) { pthread_mutex_lock(&lock); sum += (long)p; pthread_mutex_unlock(&lock); }
    return NULL;
}
int main(void) {
    pthread_t t[4];
    char *text = malloc(100000);
    memset(text, 'x', 99999), text[99999] = 0;
    for (long i = 0; i < 4; i++) pthread_create(&t[i], NULL, add, (void *)(i + 1));
    for (int i = 0; i < 4; i++) pthread_join(t[i], NULL);
    printf("%ld %zu %.3f\\n", sum, strlen(text), strtod("2.5", NULL) * 2);
    return 0;
}
""",
    "/t/nginx.conf": """user root root;
worker_processes 2;
error_log /tmp/nginx-error.log;
pid /tmp/nginx.pid;
events { worker_connections 64; }
http {
    access_log off;
    server { listen unix:/tmp/nginx.sock; listen 127.0.0.1:8081; root /t/www; }
}
""",
    "/t/www/index.html": "hello from nginx\n" + "0123456789abcdef" * 4096 + "\n",
    "/t/verify.fio": """[verify]
filename=/tmp/fio.data
size=4m
bs=4k
rw=randwrite
ioengine=psync
verify=crc32c
thread
""",
}


def dash(m):
    m.check("dash /t/dash.sh", "2\ninner innermost\n3\n[a]\n[b c]\n143\nbye\n")


def lua(m):
    lines = m.out("lua /t/t.lua", 60).splitlines()
    same(lines[:2], ["9\tbrown dog fox jumps lazy over quick the the", "1\t4\t9"])
    require(lines[2].startswith("100000\ttrue\tnil\t/tmp/lua_") and lines[2].endswith("No such file or directory\t2"), lines[2])
    same(lines[3], "from a pipe\t/root\tnil\texit\t3")
    same(lines[4:], ['false\t"a\\', 'b" 0.667\t4611686018427387904\t3\t\u20ac', "true"])
    m.send("lua\r")
    m.expect(r"> ", 20)
    m.send("x = 6 * 7\rprint('=' .. x)\r")
    m.expect(r"=42\r*\n")
    m.send("\x04")
    m.prompt()


def bash(m):
    m.check("bash /t/bash.sh", "4 9 1 2\none=1\ntwo=22\n3 y y\nkey VALUE\nthrough\nsame\nbeef 255 a b c d e\nusr1\n5\n"
            "end n\n", timeout=60)
    m.send("env -u PS1 bash --norc --noprofile -i\r")
    m.expect(r"bash-5\.2# ", 20)
    m.send("echo $((40+\x1b[D\x1b[D\x1b[C\x1b[C2))\r")  # its line editor
    m.expect(r"\r42\r*\n")
    m.send("sh -c 'echo be''gins; exec sleep 100'\r")
    m.expect("begins", 20)
    m.send("\x1a")
    m.expect(r"\[1\]\+ +Stopped", 20)
    m.send("bg; jobs; kill %1\r")
    m.expect("Running")
    m.send("\x1b[A\x1b[A\x1b[A\r")  # history, three lines back
    m.expect(r"\r42\r*\n")
    m.send("exit\r")
    m.prompt()


def sqlite(m):
    m.check("rm -f /tmp/t.db; sqlite3 /tmp/t.db </t/t.sql", "JP|2|4217\nEC|1|2011\nCH|1|134\n20004|20000\nok\nKyoto\n",
            timeout=120)
    m.check("sqlite3 /tmp/t.db 'pragma journal_mode=wal; insert into city values(1,2,3); select count(*) from city;'",
            "wal\n20005\n", timeout=60)
    m.check("sqlite3 -csv /tmp/t.db 'select name, people from city order by people desc limit 1'; rm /tmp/t.db*",
            "c20000,20000\n", timeout=60)
    m.send("sqlite3\r")
    m.expect("sqlite> ", 20)
    m.send("select 6*7;\r")
    m.expect(r"\n42\r*\n")
    m.send(".quit\r")
    m.prompt()


def mksh(m):
    m.check("mksh /t/t.mksh", "3 two\nthrough\n16#ff\ncde abc 1024\n")


def tcc(m):
    m.check("cd /tmp; tcc -run /t/threads.c", "10000 99999 5.000\n", timeout=60)
    m.check("tcc -o dynamic /t/threads.c && ./dynamic", "10000 99999 5.000\n", timeout=60)
    m.check("tcc -static -o static /t/threads.c && ./static", "10000 99999 5.000\n", timeout=60)
    m.check("echo 'int undefined(void); int main(void) { return undefined(); }' | tcc -run - 2>&1; rm dynamic static; cd",
            "tcc: error: undefined symbol 'undefined'\n")


def make(m):
    m.check("cp -r /t/c /tmp/c; cd /tmp/c; make -j3 -s parallel", "3 done, from a shell\n", timeout=60)
    if not built("tcc"):
        return
    m.check("make -s && ./twice yes", "compiling main.c\ncompiling twice.c\n42 yes\n", timeout=60)
    m.check("make", "make: 'twice' is up to date.\n")
    m.check("sleep 0.1; touch twice.c; make; cd; rm -r /tmp/c", "compiling twice.c\ntcc -o twice main.o twice.o\n", timeout=60)


def gawk(m):
    m.check("echo 'a b a c b a' | gawk -f /t/t.awk", "a 3\nb 2\nfrom a pipe\nbbbaa 1970 100 X\nell 1099511627776 2 2\nsorted\n")


def ncurses(m):
    same(m.out("for t in linux xterm-256color; do tput -T $t colors; done"), "8\n256\n")
    m.check("infocmp -1 linux | sed 's/^linux/mine/' >/tmp/mine.ti; TERMINFO=/tmp/ti tic /tmp/mine.ti; "
            "TERMINFO=/tmp/ti tput -T mine colors; rm -r /tmp/ti /tmp/mine.ti", "8\n")


def less(m):
    m.out("seq 1000 >/tmp/numbers")
    m.send("/usr/bin/less /tmp/numbers\r")
    m.expect(r"\n23\r", 20)
    m.send(" ")
    m.expect(r"\n46\r")
    m.send("/777\r")
    m.expect("777")
    m.send("G")
    m.expect(r"\n1000\r")
    m.send("q")
    m.prompt()
    m.check("/usr/bin/less --version | head -1; rm /tmp/numbers", "less 590 (POSIX regular expressions)\n")


def nano(m):
    m.send("nano /tmp/note\r")
    m.expect("Exit", 20)
    m.send("one line\rand an\x1b[Dother\x0f")
    m.expect("to Write")
    m.send("\r")
    m.expect("Wrote 2 lines")
    m.send("\x18")
    m.prompt()
    m.check("cat /tmp/note; rm /tmp/note", "one line\nand aothern\n")


def vim(m):
    m.out("seq 100 >/tmp/text")
    m.send("vim -N /tmp/text\r")
    m.expect("100L", 30)
    m.send("Goa line\x1b:1,98d\r")
    m.expect("98 fewer lines", 20)
    m.send("ggx:%s/line/word/g\r:w\r")
    m.expect("written", 20)
    m.send(":!echo from a $(echo shell)\r")
    m.expect("from a shell", 20)
    m.expect("Press ENTER", 20)
    m.send("\r:q\r")
    m.prompt()
    m.check("cat /tmp/text; echo hi | xxd; rm /tmp/text",
            "9\n100\na word\n00000000: 6869 0a                                  hi.\n")
    m.check("vim -es -u NONE +'call writefile([string(range(3)), system(\"uname\")[:-2]], \"/tmp/out\")' +q; cat /tmp/out; rm /tmp/out",
            "[0, 1, 2]\nLinux\n", timeout=30)


def zlib(m):
    m.check("seq 30000 >/tmp/n; minigzip </tmp/n >/tmp/n.gz; gunzip -c /tmp/n.gz | cmp - /tmp/n && "
            "gzip -c /tmp/n | minigzip -d | cmp - /tmp/n && echo same; rm /tmp/n*", "same\n", timeout=60)


def strace(m):
    text = m.out("strace ls /etc 2>&1", 60)
    require(text.startswith('execve("/bin/ls", ["ls", "/etc"], ') and 'newfstatat(AT_FDCWD, "/etc/hostname"' in text
            and text.endswith("+++ exited with 0 +++\n"), text[-600:])
    text = m.out("strace -f -o /tmp/trace sh -c 'true; cat /etc/hostname >/dev/null; false | true'; cat /tmp/trace; rm /tmp/trace", 60)
    require("execve(" in text and "/etc/hostname" in text and "SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED" in text
            and "+++ exited with 0 +++" in text and "+++ exited with 1 +++" in text, text[-600:])
    text = m.out("sh -c 'sleep 0.5; kill -USR1 $$' & strace -p $! 2>&1; true", 60)
    require("wait4(-1, " in text and "+++ killed by SIGUSR1 +++" in text, text)
    text = m.out("strace -c -f -o /tmp/trace sh -c '(exit 3); cat /etc/hostname'; cat /tmp/trace; rm /tmp/trace", 60)
    require(re.search(r" execve$", text, re.M) and re.search(r" total$", text, re.M), text)


def redis(m):
    m.out("cd /tmp; redis-server --port 0 --unixsocket /tmp/redis.sock --daemonize yes --save '' --logfile /tmp/redis.log", 60)
    m.out("for i in $(seq 50); do [ -S /tmp/redis.sock ] && break; sleep 0.1; done")
    m.check("r='redis-cli --raw -s /tmp/redis.sock'; $r set k v; $r get k; $r incrby n 42; $r lpush l a b c; $r lrange l 0 -1",
            "OK\nv\n42\n3\nc\nb\na\n", timeout=60)
    m.check("$r eval 'return redis.call(\"get\", KEYS[1]) .. \"!\"' 1 k; $r save; $r dbsize", "v!\nOK\n3\n", timeout=60)
    m.check("$r shutdown nosave; rm -f /tmp/dump.rdb /tmp/redis.*; cd", "", timeout=60)


def nginx(m):
    """A master and two workers, which another configuration replaces while they serve."""
    workers = "pgrep -P $(cat /tmp/nginx.pid)"
    m.out(f"nginx -c /t/nginx.conf; while [ $({workers} | wc -l) != 2 ]; do sleep 0.1; done", 60)
    old = m.out(workers)
    m.check("ps | grep -c '[n]ginx: worker process'", "2\n")  # the titles they give themselves
    if built("curl"):
        for url in ("--unix-socket /tmp/nginx.sock http://x", "http://127.0.0.1:8081"):
            m.check(f"curl -s {url}/ | cmp - /t/www/index.html && echo same", "same\n", timeout=60)
            m.check(f"curl -s -o /dev/null -w '%{{http_code}}\\n' {url}/none", "404\n", timeout=60)
    m.out("nginx -c /t/nginx.conf -s reload; while " + " || ".join(f"kill -0 {pid} 2>/dev/null" for pid in old.split())
          + "; do sleep 0.1; done", 60)
    same(m.out(f"{workers} | wc -l"), "2\n")
    if built("curl"):
        m.check("for i in $(seq 10); do curl -s http://127.0.0.1:8081/ | head -1; done | uniq -c | sed 's/^ *//'",
                "10 hello from nginx\n", timeout=60)
    m.check("grep -c 'io_setup' /tmp/nginx-error.log", "0\n", 1)  # it has asked for asynchronous I/O, and got it
    m.out("nginx -c /t/nginx.conf -s quit; while [ -e /tmp/nginx.pid ]; do sleep 0.1; done", 60)
    m.out("rm -rf /tmp/nginx* /var/tmp/nginx* /var/log/nginx/*")


def curl(m):
    m.check("curl -s file:///etc/hostname | cmp - /etc/hostname && curl --version | cut -d' ' -f1-2 | head -1", "curl 7.88.1\n")
    m.out("httpd -p 127.0.0.1:8080 -h /t/www")  # BusyBox's
    m.check("curl -s http://127.0.0.1:8080/ | cmp - /t/www/index.html && echo same", "same\n", timeout=60)
    m.check("curl -s -o /dev/null -w '%{http_code}\\n' http://localhost:8080/none; killall httpd", "404\n", timeout=60)


def dropbear(m):
    text = m.out("dropbearkey -t ed25519 -f /tmp/key 2>&1", 120)
    require("Public key portion" in text, text)
    m.out("mkdir -p ~/.ssh && chmod 700 ~ ~/.ssh && dropbearkey -y -f /tmp/key | grep ^ssh-ed25519 >~/.ssh/authorized_keys")
    m.out("dropbear -r /tmp/key -p 127.0.0.1:2222 -P /tmp/dropbear.pid 2>/tmp/dropbear.log")
    m.check("ssh -y -i /tmp/key -p 2222 root@127.0.0.1 'cat; echo $((6 * 7)) $USER' </etc/hostname 2>/dev/null | tail -1",
            "42 root\n", timeout=120)
    m.out("kill $(cat /tmp/dropbear.pid); rm -rf /tmp/key /tmp/dropbear.* ~/.ssh")


def gdbserver(m):
    m.check("gdbserver --version | head -1", "GNU gdbserver (GDB) 13.1\n")
    m.out("gdbserver 127.0.0.1:2345 /t/gdbclient --debuggee 2>/tmp/gdb.log & sleep 0.1")
    text = m.out("/t/gdbclient 2345; wait", 120)
    require("two threads\ninterrupted\n" in text and text.endswith("its end\n"), text)
    require("Child exited with status 25\n" in m.out("cat /tmp/gdb.log; rm /tmp/gdb.log"), "gdbserver saw another end")


def workday(m):
    """A program is written, compiled and run, and what it says is put into a database, as a user types it."""
    m.send("mkdir work; cd work; vim squares.c\r")
    m.expect(r"\[New\]", 30)
    for line in ("i#include <stdio.h>", "", "int main(void)", "{", "    for (int i = 1; i <= 12; i++)",
                 '        printf("%d,%d\\n", i, i * i);', "    return 0;", "}\x1b:wq"):
        m.send(line + "\r")
    m.expect("8L, .* written", 20)
    m.prompt()
    m.check("tcc -Wall -o squares squares.c && ./squares >squares.csv && wc -l <squares.csv", "12\n", timeout=60)
    m.send("cat >load.sh <<'END'\r")
    for line in ("#!/bin/sh", "set -e", "sqlite3 squares.db 'create table square(n integer primary key, s integer)'",
                 "sqlite3 -csv squares.db '.import squares.csv square'", "sqlite3 squares.db <<QUERY",
                 "select count(*), sum(s) from square where n % 2 = $1;", "QUERY", "END"):
        m.send(line + "\r")
    m.prompt()
    m.check("chmod +x load.sh; ./load.sh 1", "6|286\n", timeout=60)
    m.check("sqlite3 squares.db 'select s from square where n = 12'; cd; rm -r work", "144\n", timeout=60)


def fio(m):
    text = m.out("fio --output-format=terse --minimal /t/verify.fio; rm -f /tmp/fio.data *.state", 120)
    require(";verify;0;0;" in text, text[-400:])


def telling(test):
    """The test, which leaves nothing at home; when it fails it says which system calls programs asked for in vain."""
    def run(m):
        try:
            test(m)
            m.out("rm -rf ~/.*info ~/.lesshst ~/.*_history ~/.local ~/.cache ~/.config; ln -s /dev/null ~/.ash_history")
        except Failure as error:
            missing, _ = m.sh("dmesg | grep -o '[^ ]* ([0-9]*): system call .* does not exist here'")
            raise Failure(f"{error}\n{missing}") from error
    run.__name__ = test.__name__
    return run


def built(name):
    return os.path.exists(os.path.join(PORTS, name, ".built"))


def missing(test):
    """The ports this test needs that are not built."""
    return [name for name in NEEDS.get(test, [test.__name__]) if not built(name)]


TESTS = [dash, lua, bash, sqlite, mksh, make, gawk, ncurses, less, nano, tcc, vim, zlib, strace, redis, gdbserver,
         nginx, curl, dropbear, fio, workday]
NEEDS = {workday: ["vim", "tcc", "sqlite"]}

if __name__ == "__main__":
    for test in TESTS:
        if missing(test):
            print(f"ok - {test.__name__} # SKIP not built: make ports PORT='{' '.join(missing(test))}'")
    have = [test for test in TESTS if not missing(test)]
    ports = sorted({name for test in have for name in NEEDS.get(test, [test.__name__])})
    have = [test for test in map(telling, have) if wanted(test)]
    with open(os.path.join(BUILD, "tests", "posix", "gdbclient"), "rb") as f:
        FILES["/t/gdbclient"] = f.read()
    with folder(FILES) as files:
        main(have, warm=have, extra=[os.path.join(PORTS, name, "root") for name in ports] + [files])
