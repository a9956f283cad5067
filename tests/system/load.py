#!/usr/bin/python3
"""Much at once: 200 processes, a large sort, big files, long pipelines; and what a user tries first."""
# linux: yes
# timeout: 900
import hashlib

from console import folder, main, same

SCRIPTS = {
    "/t/processes.sh": """#!/bin/sh
# They are there until they are told to go: how long all of it takes does not matter.
for i in $(seq 200); do sleep 5000 & pids="$pids $!"; done
n=0
while [ $(ps | grep -c '[s]leep 5000') -lt 200 ] && [ $n -lt 200 ]; do sleep 0.1; n=$((n + 1)); done
ps | grep -c '[s]leep 5000'
kill $pids
wait
ps | grep -c '[s]leep 5000' || true
""",
    "/t/parallel.sh": """#!/bin/sh
# Eight pipelines side by side must give what one gives.
for i in 1 2 3 4 5 6 7 8; do
    seq 5000 | sort -r | gzip -c | gunzip -c | md5sum >/tmp/sum.$i &
done
wait
cat /tmp/sum.* | sort -u | wc -l
rm /tmp/sum.*
""",
    "/t/churn.sh": """#!/bin/sh
i=0
while [ $i -lt 300 ]; do
    (exit $((i % 256))) || [ $? = $((i % 256)) ] || echo wrong $i
    i=$((i + 1))
done
echo $i
""",
    "/t/files.sh": """#!/bin/sh
cd /tmp && mkdir many && cd many
seq 2000 | while read i; do echo $i >f$i; done
ls | wc -l
cat f* | sort -n | tail -1
for i in $(seq 1 2 1999); do mv f$i g$i; done
ls g* | wc -l
cd .. && tar cf many.tar many && rm -r many && tar xf many.tar && cat many/* | awk '{ s += $1 } END { print s }'
rm -r many many.tar
""",
}


def md5(text):
    return hashlib.md5(text.encode()).hexdigest() + "  -\n"


def processes(m):
    m.check("sh /t/processes.sh", "200\n0\n", timeout=90)


def large_sort(m):
    numbers = [str(n) for n in range(100000, 0, -1)]
    m.check("seq 100000 | sort -rn | md5sum", md5("\n".join(numbers) + "\n"), timeout=120)
    lines = sorted(str(n * 7919 % 65537) for n in range(1, 20001))
    m.check("seq 20000 | awk '{ print $1 * 7919 % 65537 }' | sort | md5sum",
            md5("\n".join(lines) + "\n"), timeout=120)


def promise(m):
    """What a user tries first."""
    text, status = m.sh("busybox | head -1; seq 100000 | sort -rn | md5sum; (sleep 1 & wait); "
                        "stat -c %a /tmp; yes | head -c 1000000 | gzip | gunzip | wc -c", 120)
    lines = text.split("\n")
    same(lines[0].split(" (")[0], "BusyBox v1.35.0")
    numbers = "".join(f"{n}\n" for n in range(100000, 0, -1))
    same(lines[1:], [md5(numbers).strip(), "1777", "1000000", ""])
    same(status, 0)


def parallel_pipelines(m):
    m.check("sh /t/parallel.sh", "1\n", timeout=180)


def churn(m):
    m.check("sh /t/churn.sh", "300\n", timeout=120)


def many_files(m):
    m.check("sh /t/files.sh", "2000\n2000\n1000\n2001000\n", timeout=180)


def big_file(m):
    m.check("dd if=/dev/zero bs=64k count=320 2>/dev/null | tr '\\0' x >/tmp/big; stat -c %s /tmp/big",
            "20971520\n", timeout=120)
    m.check("cp /tmp/big /tmp/big2 && cmp /tmp/big /tmp/big2 && rm /tmp/big /tmp/big2", "",
            timeout=120)


def long_pipeline(m):
    m.check("seq 3000" + " | cat" * 60 + " | md5sum",
            md5("".join(f"{n}\n" for n in range(1, 3001))), timeout=60)


def deep_recursion(m):
    m.check("sh -c 'f() { [ $1 = 0 ] && echo bottom || f $(($1 - 1)); }; f 500'", "bottom\n", timeout=60)
    m.check("echo 'echo deep' | sh -c 'sh -c \"sh -c sh\"'", "deep\n")


def tree_walk(m):
    m.check("mkdir -p /tmp/w/$(seq -s/ 1 60) && find /tmp/w | wc -l && rm -r /tmp/w", "61\n")
    m.check("find / -xdev >/dev/null 2>&1; du -s /bin >/dev/null", "", timeout=60)


TESTS = [processes, large_sort, promise, parallel_pipelines, churn, many_files, big_file,
         long_pipeline, deep_recursion, tree_walk]

if __name__ == "__main__":
    with folder(SCRIPTS) as extra:
        main(TESTS, warm=[processes, big_file], extra=extra)
