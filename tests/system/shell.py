#!/usr/bin/python3
"""What scripts do: pipelines, redirections, here-documents, jobs in the background, traps, statuses."""
# linux: yes
# timeout: 600
import time

from console import SLOW, folder, main, require, same

SCRIPTS = {
    "/t/heredoc.sh": """#!/bin/sh
name=world
cat <<END
hello $name $((6 * 7)) `echo sub`
END
cat <<'END'
raw $name
END
cat <<-END
\t\ttabs go
\tEND
tr a-z A-Z <<A; cat <<B
first
A
second
B
while read line; do echo "<$line>"; done <<END
one
two  words
END
""",
    "/t/traps.sh": """#!/bin/sh
trap 'echo usr1' USR1
trap 'echo bye' EXIT
trap '' USR2
kill -USR1 $$
kill -USR2 $$
(trap - EXIT; kill -TERM $(sh -c 'echo $PPID'); echo not reached)
echo "sub $?"
trap 'echo term; exit 9' TERM
kill -TERM $$
echo not reached
""",
    "/t/functions.sh": """#!/bin/sh
fib() {
    if [ $1 -lt 2 ]; then echo $1; else echo $(($(fib $(($1 - 1))) + $(fib $(($1 - 2))))); fi
}
fib 8
for i in a b 'c d'; do for j in 1 2; do printf '%s%s ' "$i" $j; done; done; echo
case hello.c in *.o) echo object;; h*.[ch]) echo source;; esac
set -- x y z; shift; echo $# "$*"
x=abc; echo ${x#a} ${x%c} ${#x} ${y:-default} ${x:+set}
while getopts ab: o -a -b arg; do echo "$o $OPTARG"; done
n=0; until [ $n -ge 5 ]; do n=$((n + 1)); [ $n = 3 ] && continue; [ $n = 5 ] && break; echo $n; done
IFS=:; set -- $(echo p:q:r); echo $3
""",
    "/t/background.sh": """#!/bin/sh
sleep 0.3 & a=$!
(exit 5) & b=$!
wait $b; echo "b $?"
wait $a; echo "a $?"
(sleep 0.1; echo late) &
echo early
wait
sh -c 'kill -KILL $$' & wait $!; echo "killed $?"
for i in 1 2 3 4 5 6 7 8 9 10; do (sleep 0.0$((10 - i)); exit $i) & done
wait; echo "all $?"
wait 99999; echo "none $?"
""",
    "/t/noshebang.sh": "echo run by $0\n",
    "/t/args": "#!/bin/sh -e\necho $0 $*\nfalse\necho not reached\n",
}


def pipelines(m):
    m.check("echo hello | tr a-z A-Z", "HELLO\n")
    m.check("seq 1000 | sort -rn | head -3 | tr '\\n' ' '", "1000 999 998 ")
    m.check("true | false", "", 1)
    m.check("false | true", "")
    m.check("yes | head -3 | wc -l", "3\n")
    m.check("echo x" + " | cat" * 20, "x\n")
    m.check("(echo a; echo b) | while read x; do echo \"<$x>\"; done", "<a>\n<b>\n")
    m.check("{ echo out; echo err >&2; } 2>&1 | sort", "err\nout\n")
    m.check("seq 100000 | md5sum", "dea9193b768319cbb4ff1a137ac03113  -\n")
    m.check("! true", "", 1)
    m.check("echo $(echo $(echo deep))", "deep\n")
    m.check("head -c 300000 /dev/zero | gzip | gunzip | wc -c", "300000\n", timeout=60)


def pipeline_statuses(m):
    m.check("set -o pipefail; false | true; x=$?; set +o pipefail; (exit $x)", "", 1)
    m.check("sh -c 'yes | true'", "")
    m.check("sh -c 'exit 3' | cat; echo ${PIPESTATUS:-none}", "none\n")


def redirections(m):
    m.check("cd /tmp; echo one >f; echo two >>f; cat <f", "one\ntwo\n")
    m.check("ls /nowhere 2>err; cat err", "ls: /nowhere: No such file or directory\n")
    m.check("ls /nowhere >both 2>&1; wc -l <both", "1\n")
    m.check("echo x >/nowhere/f", "-sh: can't create /nowhere/f: nonexistent directory\n", 1)
    m.check("cat </nowhere", "-sh: can't open /nowhere: no such file\n", 1)
    m.check("exec 5>g; echo five >&5; exec 5>&-; cat g", "five\n")
    m.check("echo no >&5", "-sh: 5: Bad file descriptor\n", 1)
    m.check("exec 4<f; read a <&4; read b <&4; exec 4<&-; echo $a $b", "one two\n")
    m.check("echo rw 1<>g; cat g", "rw\ne\n")
    m.check("set -C; echo x >f; set +C", "-sh: can't create f: File exists\n", 0)
    m.check("(echo a; echo b >&2) 2>/dev/null | cat", "a\n")
    m.check("echo x >&-", "sh: write error: Bad file descriptor\n", 1)
    m.out("rm -f f g err both; cd")


def here_documents(m):
    m.check("sh /t/heredoc.sh", "hello world 42 sub\nraw $name\ntabs go\nFIRST\nsecond\n<one>\n"
            "<two  words>\n")


def here_document_typed(m):
    m.send("cat <<END | tr a-z A-Z\r")
    m.expect("> ")
    m.send("typed $((1 + 1))\r")
    m.expect("> ")
    m.send("END\r")
    m.expect(r"TYPED 2\r*\n")
    m.prompt()


def exit_statuses(m):
    m.check("sh -c 'exit 7'", "", 7)
    m.check("no-such-command", "-sh: no-such-command: not found\n", 127)
    m.check("/etc/passwd", "-sh: /etc/passwd: Permission denied\n", 126)
    m.check("/tmp", "-sh: /tmp: Permission denied\n", 126)
    m.check("sh -c 'kill -TERM $$'", "Terminated\n", 143)
    m.check("sh -c 'kill -KILL $$'", "Killed\n", 137)
    m.check("sh -c 'exit 256'", "", 0)
    m.check("(exit 9) || echo $?", "9\n")
    m.check("sh -ec 'false; echo no'", "", 1)
    m.check("test -d /tmp && [ ! -f /tmp ]", "")
    m.check("/t/args a 'b  c'", "/t/args a b c\n", 1)
    m.check("sh /t/noshebang.sh", "run by /t/noshebang.sh\n")


def traps(m):
    m.check("sh /t/traps.sh", "usr1\nTerminated\nsub 143\nterm\nbye\n", 9)


def functions_and_loops(m):
    m.check("sh /t/functions.sh", "21\na1 a2 b1 b2 c d1 c d2 \nsource\n2 y z\nbc ab 3 default set\n"
            "a \nb arg\n1\n2\n4\nr\n", timeout=60)


def background(m):
    output, status = m.sh("sh /t/background.sh", 60)
    same((output, status), ("b 5\na 0\nearly\nlate\nKilled\nkilled 137\nall 0\nnone 127\n", 0))


def background_typed(m):
    m.send("sleep 0.7 &\r")
    m.prompt()
    pid = m.out("echo $!").strip()
    listed = m.out("jobs -l")
    require(f"{pid} Running" in listed, f"the job is not listed: {listed!r}")
    m.send("wait\r")
    m.prompt()
    output, _ = m.sh("jobs")
    require("Running" not in output, f"still running: {output!r}")
    m.check("(sleep 1 & wait); echo done", "done\n")


def files(m):
    m.check("mkdir -p /tmp/d/e/f && cd /tmp/d && echo x >e/f/g && find . | sort",
            ".\n./e\n./e/f\n./e/f/g\n")
    m.check("cp -a e c && diff -r e c && mv c m && ls -1", "e\nm\n")
    m.check("ln -s e/f/g s && ln e/f/g h && cat s h && stat -c '%h %F' h", "x\nx\n2 regular file\n")
    m.check("chmod 4751 h && stat -c %a h && touch -d '2020-01-02 03:04:05' h && stat -c %Y h",
            "4751\n1577934245\n")
    m.check("tar cf ../t.tar . && mkdir ../u && tar xf ../t.tar -C ../u && diff -r . ../u", "")
    m.check("dd if=/dev/zero of=z bs=1k count=100 2>/dev/null && stat -c %s z", "102400\n")
    m.check("dd if=/dev/urandom of=r bs=4k count=50 2>/dev/null && cp r r2 && cmp r r2", "")
    m.check("gzip -k r && gunzip -c r.gz | cmp - r", "")
    m.check("cd .. && rm -r d u t.tar && ls -1 d", "ls: d: No such file or directory\n", 1)
    m.check("stat -c %a /tmp", "1777\n")
    m.out("cd")


def text_tools(m):
    m.check("seq 20 | awk '{ s += $1 } END { print s }'", "210\n")
    m.check("printf 'b\\na\\nc\\n' | sort | paste -s -d,", "a,b,c\n")
    m.check("echo 'a-b-c' | sed 's/-/+/g; s/b/<&>/'", "a+<b>+c\n")
    m.check("seq 100 | grep -c 7", "19\n")
    m.check("echo 'one two' | cut -d' ' -f2 | rev", "owt\n")
    m.check("echo '2^100' | bc", "1267650600228229401496703205376\n")
    m.check("printf 'x%.0s' 1 2 3; echo", "xxx\n")
    m.check("seq 5 | xargs -n2 echo", "1 2\n3 4\n5\n")
    m.check("find /bin -name 'b*sh' -o -name busybox | sort | tail -1", "/bin/busybox\n")


def system_tools(m):
    m.check("id -u; hostname", "0\nnexus\n")
    require("riscv64" in m.out("uname -a"), "uname")
    require("/sbin/init" in m.out("ps"), "ps shows no init")
    require("Mem:" in m.out("free"), "free")
    require("load average" in m.out("uptime"), "uptime")
    require(" on /proc type proc" in m.out("mount"), "mount")
    m.out("df /tmp")
    m.out("top -bn1")
    m.check("sh -c 'echo $PPID' >/dev/null; test -d /proc/$$/fd; ls -1 /proc/self/fd | head -3",
            "0\n1\n2\n")
    m.check("env -i /bin/sh -c 'echo ${HOME:-none}'", "none\n")
    m.check("sleep 0.01; date +%Y | grep -c '^2[0-9][0-9][0-9]$'", "1\n")


def pseudo_terminal(m):
    m.check("script -q -c tty /tmp/t | tr -d '\\r'", "/dev/pts/0\n")
    m.send("script -q /tmp/t\r")
    m.prompt()
    m.check("test -t 0 && tty", "/dev/pts/0\n")
    m.send("sleep 100\r")
    time.sleep(SLOW)
    m.send("\x1a")  # Ctrl-Z reaches what runs inside, and nobody outside
    m.prompt()
    require("Stopped" in m.out("jobs"), "Ctrl-Z through a pseudo terminal")
    m.send("fg\r")
    m.child.expect_exact("sleep 100")
    time.sleep(SLOW)
    m.send("\x03")
    m.prompt()
    m.send("exit\r")  # nothing is typed behind it: the end itself has to be seen
    m.prompt()
    m.check("grep -c ^/dev/pts/0 /tmp/t", "1\n")
    m.check("ls /dev/pts; rm /tmp/t", "ptmx\n")


def sysv_tools(m):
    require("Shared Memory" in m.out("ipcs"), "ipcs")


def scripts_in_scripts(m):
    m.check("for i in $(seq 50); do sh -c 'exit 0' || echo bad; done", "", timeout=60)
    m.check("i=0; while [ $i -lt 1000 ]; do i=$((i + 1)); done; echo $i", "1000\n")
    m.check("x=$(seq 2000); echo $x | wc -w", "2000\n")


TESTS = [pipelines, pipeline_statuses, redirections, here_documents, here_document_typed,
         exit_statuses, traps, functions_and_loops, background, background_typed, files, text_tools,
         system_tools, pseudo_terminal, sysv_tools, scripts_in_scripts]

if __name__ == "__main__":
    with folder(SCRIPTS) as extra:
        main(TESTS, place=("", "all"), extra=extra)
