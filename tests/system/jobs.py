#!/usr/bin/python3
"""What somebody at the keyboard does: keys that raise signals, job control, terminal modes, editing."""
# linux: yes
# timeout: 600
import re
import time

from console import folder, main, require, same

SCRIPTS = {
    "/t/trap-int.sh": """#!/bin/sh
trap 'echo got INT' INT
trap 'echo got QUIT' QUIT
echo ready
i=0
while [ $i -lt 3 ]; do sleep 30; echo "slept $?"; i=$((i + 1)); done
""",
    "/t/both.sh": "#!/bin/sh\necho ready\nsleep 30\necho not reached\n",
}

CTRL_C, CTRL_Z, CTRL_D, CTRL_S, CTRL_Q, CTRL_BACKSLASH = "\x03", "\x1a", "\x04", "\x13", "\x11", "\x1c"
CTRL_U, CTRL_W, CTRL_V, BACKSPACE = "\x15", "\x17", "\x16", "\x7f"


def start(m, command, ready=None):
    """Starts something in the foreground and waits until it runs."""
    m.send(command + "\r")
    m.expect(re.escape(command[-20:]) + r"\r*\n")
    if ready:
        m.expect(ready)
    time.sleep(0.4)


def last_status(m):
    m.send("echo st=$?=\r")
    value = int(m.expect(r"st=(\d+)=\r*\n")[1])
    m.prompt()
    return value


def interrupt(m):
    start(m, "sleep 100")
    m.send(CTRL_C)
    m.prompt()
    same(last_status(m), 130, "status")
    start(m, "cat | cat | sort")
    m.send(CTRL_C)
    m.prompt()
    same(last_status(m), 130, "status of a pipeline")
    start(m, "cat")
    m.send("half a li" + CTRL_C)
    m.expect(r"\^C")
    m.prompt()


def interrupt_busy(m):
    start(m, "sh -c 'while :; do :; done'")
    began = time.monotonic()
    m.send(CTRL_C)
    m.prompt()
    require(time.monotonic() - began < 5, "it took too long")
    same(last_status(m), 130, "status")
    start(m, "yes")
    m.send(CTRL_C)
    m.prompt(30)
    start(m, "cat /dev/zero >/dev/null")
    m.send(CTRL_C)
    m.prompt()


def interrupt_script(m):
    start(m, "sh /t/both.sh", "ready")
    m.send(CTRL_C)
    m.prompt()
    require("not reached" not in m.before(), "the script went on")
    same(last_status(m), 130, "status")


def interrupt_trapped(m):
    start(m, "sh /t/trap-int.sh", "ready")
    m.send(CTRL_C)
    m.expect(r"got INT")
    m.expect(r"slept 130")
    time.sleep(0.3)
    m.send(CTRL_BACKSLASH)
    m.expect(r"got QUIT")
    m.expect(r"slept 131")
    time.sleep(0.3)
    m.send(CTRL_C)
    m.prompt()


def quit_key(m):
    start(m, "sleep 100")
    m.send(CTRL_BACKSLASH)
    m.prompt()
    same(last_status(m), 131, "status")


def stop_and_foreground(m):
    start(m, "sleep 100")
    m.send(CTRL_Z)
    m.expect(r"\[1\]\+  Stopped +sleep 100")
    m.prompt()
    same(last_status(m), 128 + 20, "status")
    require("Stopped" in m.out("jobs"), "jobs does not show it")
    m.send("fg\r")
    m.expect(r"sleep 100\r*\n")
    time.sleep(0.4)
    m.send(CTRL_C)
    m.prompt()
    same(last_status(m), 130, "status")
    same(m.out("jobs"), "", "jobs")


def stop_and_background(m):
    start(m, "sleep 1.5")
    m.send(CTRL_Z)
    m.expect(r"Stopped")
    m.prompt()
    m.send("bg\r")
    m.expect(r"\[1\] sleep 1.5")
    m.prompt()
    require("Running" in m.out("jobs"), "it does not run in the background")
    time.sleep(2)
    require("Running" not in m.out("jobs"), "it did not end")


def stop_pipeline(m):
    # No cat: with a pipe as its output Linux lets it have one line of a terminal and no more.
    start(m, "while read x; do echo $x; done | while read x; do echo \"> $x\"; done")
    m.send("one\r")
    m.expect(r"\n> one\r*\n")
    m.send(CTRL_Z)
    m.expect(r"Stopped")
    m.prompt()
    m.send("fg\r")
    m.expect(r"while read")
    time.sleep(0.4)
    m.send("two\r")
    m.expect(r"\n> two\r*\n")
    m.send(CTRL_D)
    m.prompt()


def several_jobs(m):
    for _ in range(3):
        m.send("sleep 100 &\r")
        m.prompt()
    listed = m.out("jobs")
    same(len(re.findall("Running", listed)), 3, "running jobs")
    m.out("kill %1; kill -STOP %2")
    time.sleep(0.4)
    listed = m.out("jobs")
    require("Stopped" in listed and "Running" in listed, listed)
    m.sh("kill -CONT %2; kill %2 %3; wait")
    time.sleep(0.3)
    m.out("jobs >/dev/null")
    same(m.out("jobs"), "", "jobs")


def background_reader_stops(m):
    m.send("cat &\r")
    m.prompt()
    time.sleep(0.4)
    listed = m.out("jobs")
    require("Stopped (tty input)" in listed, listed)
    m.send("fg\r")
    m.expect("cat")
    time.sleep(0.4)
    m.send("for cat\r")
    m.expect(r"for cat\r*\nfor cat\r*\n")
    m.send(CTRL_D)
    m.prompt()


def background_writer(m):
    m.send("(sleep 0.3; echo from behind) &\r")
    m.prompt()
    m.expect("from behind", 5)
    m.send("stty tostop\r")
    m.prompt()
    m.send("(sleep 0.3; echo held back) &\r")
    m.prompt()
    time.sleep(0.8)
    listed = m.out("jobs")
    require("Stopped (tty output)" in listed, listed)
    m.out("stty -tostop")
    m.send("fg\r")
    m.expect(r"held back\r*\n")
    m.prompt()


def end_of_input(m):
    start(m, "cat")
    m.send("line\r")
    m.expect(r"line\r*\nline\r*\n")
    m.send(CTRL_D)
    m.prompt()
    start(m, "cat | tr a-z A-Z")
    m.send("no newline" + CTRL_D)
    time.sleep(0.2)
    m.send(CTRL_D)
    m.expect("NO NEWLINE")
    m.prompt()


def line_editing_by_terminal(m):
    start(m, "cat")
    m.send("abc" + BACKSPACE + "d\r")
    m.expect(r"\nabd\r*\n")
    m.send("one two" + CTRL_W + "three\r")
    m.expect(r"\none three\r*\n")
    m.send("gone" + CTRL_U + "kept\r")
    m.expect(r"\nkept\r*\n")
    m.send("a" + CTRL_V + CTRL_C + "b\r")
    m.expect(r"\na\x03b\r*\n")
    m.send("x" * 3000 + "\r")
    m.expect(r"\n" + "x" * 3000 + r"\r*\n")
    m.send(CTRL_D)
    m.prompt()


def overlong_line(m):
    m.send("cat | wc -c\r")
    m.expect(r"wc -c\r*\n")
    time.sleep(0.4)
    m.send("stays" + "y" * 4995)
    time.sleep(0.5)
    m.send("\r")
    time.sleep(0.2)
    m.send(CTRL_D)
    m.expect(r"\n4096\r*\n")  # 4095 bytes of it and the newline
    m.prompt()


def stop_and_start_output(m):
    m.send("i=0; while [ $i -lt 400 ]; do echo line $i; i=$((i+1)); usleep 5000; done; echo all\r")
    m.expect(r"line 20\r*\n")
    m.send(CTRL_S)
    m.quiet(0.5)
    same(m.quiet(0.7), "", "output while stopped")
    m.send(CTRL_Q)
    m.expect(r"line 399\r*\n", 60)
    m.expect(r"all\r*\n")
    m.prompt()


def shell_editing(m):
    m.send("echo one\r")
    m.prompt()
    m.send("\x1b[A\r")  # up: the command before
    m.expect(r"\none\r*\n")
    m.prompt()
    m.send("echo abd\x1b[D\x1b[Dx\x1b[C\x1b[Cy\r")  # left, left, right, right
    m.expect(r"\naxbdy\r*\n")
    m.prompt()
    m.send("echo forgotten" + CTRL_C)
    m.prompt()
    m.send("echo wrong" + CTRL_U + "echo right\r")
    m.expect(r"\nright\r*\n")
    m.prompt()
    m.send("cat /etc/pass\t | head -1\r")  # completion
    m.expect(r"root:x:0:0")
    m.prompt()


def settings(m):
    m.out("stty rows 30 cols 100; stty -a | grep -q 'isig icanon'")
    shown = m.out("stty -a")
    require("speed" in shown and "intr = ^C" in shown and "opost" in shown, shown)
    m.check("stty -echo; stty -a | grep -o -- '-echo ' ; stty echo", "-echo \n")
    m.check("stty size", "30 100\n")
    m.out("stty rows 24 cols 80")
    m.out("stty intr ^X")
    start(m, "sleep 100")
    m.send("\x18")
    m.prompt()
    m.out("stty intr ^C")
    m.out("stty sane")


def shell_reads(m):
    m.send("read -s x; echo \"<$x>\"\r")
    time.sleep(0.4)
    m.send("secret\r")
    m.expect("<secret>")
    require("secret" not in m.before().split("echo")[-1].split("\n", 1)[1], "it was echoed")
    m.prompt()
    began = time.monotonic()
    m.check("read -t 1 x", "", 1)
    require(time.monotonic() - began >= 0.9, "too early")
    m.send("read -n 2 x; echo \"<$x>\"\r")
    time.sleep(0.4)
    m.send("ab")
    m.expect("<ab>")
    m.prompt()


def no_child_left(m):
    """A session that ends takes its foreground processes along, and a new shell comes."""
    m.send("sleep 1234 & sleep 4321\r")
    time.sleep(0.5)
    m.send(CTRL_Z)
    m.expect("Stopped")
    m.prompt()
    m.send("exit\r")
    m.expect("stopped jobs")
    m.prompt()
    m.send("exit\r")
    m.expect(r"root@\w+:.*# ", 20)
    m.set_prompt()
    m.sh("killall sleep")
    time.sleep(0.3)
    same(m.out("ps | grep -c '[s]leep [14]' || true"), "0\n", "processes left")


def logout(m):
    m.send(CTRL_D)
    m.expect(r"root@\w+:.*# ", 20)
    m.set_prompt()
    m.send("kill -9 $$\r")
    m.expect(r"root@\w+:.*# ", 20)
    m.set_prompt()
    m.check("echo $((1 + 1))", "2\n")


TESTS = [interrupt, interrupt_busy, interrupt_script, interrupt_trapped, quit_key,
         stop_and_foreground, stop_and_background, stop_pipeline, several_jobs,
         background_reader_stops, background_writer, end_of_input, line_editing_by_terminal,
         overlong_line, stop_and_start_output, shell_editing, settings, shell_reads, no_child_left,
         logout]

if __name__ == "__main__":
    with folder(SCRIPTS) as extra:
        main(TESTS, extra=extra)
