#!/usr/bin/env python3
"""Every call of posix/calls.def is made by callfuzz, and its pointers, if it has any, are tried by posixtest."""
import glob
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# No argument is a pointer to something the call reads or writes.
NO_POINTER = """
    eventfd2 epoll_create1 timerfd_create inotify_init1 inotify_rm_watch pidfd_open pidfd_getfd tee fadvise64 readahead
    sync_file_range syncfs ioprio_set ioprio_get dup dup3 flock ftruncate fallocate fchdir fchmod fchown close lseek sync
    fsync fdatasync personality exit exit_group set_tid_address set_robust_list timer_getoverrun timer_delete
    sched_getscheduler sched_yield sched_get_priority_max sched_get_priority_min restart_syscall kill tkill tgkill
    setpriority getpriority setregid setgid setreuid setuid setresuid setresgid setfsuid setfsgid setpgid getpgid getsid
    setsid umask getpid getppid getuid geteuid getgid getegid gettid brk munmap mremap mmap mprotect msync mlock munlock
    mlockall munlockall madvise riscv_flush_icache membarrier mlock2 close_range vhangup shmget shmat shmdt semget msgget
    unshare setns socket listen shutdown io_destroy
""".split()
# Tested by hand: io_setup, whose result wants to be 0 before, in aio.c; rt_sigreturn in badptr.c, rseq in rseq.c; the others where their pointers mean something (sys.c, special.c;
# reboot nowhere).
OTHERWISE = "io_setup rt_sigreturn rseq syslog setdomainname open_by_handle_at reboot".split()


def read(pattern):
    text = ""
    for path in glob.glob(os.path.join(TOP, pattern)):
        with open(path, encoding="utf-8") as f:
            text += f.read()
    return text


def main():
    calls = re.findall(r"^CALL\((\w+),", read("posix/calls.def"), re.M)
    fuzzed = set(re.findall(r"\bS\((\w+),", read("userland/callfuzz/calls.c")))
    tried = set(re.findall(r"\bSYS_(\w+)", read("userland/posixtest/ptr*.c") + read("userland/posixtest/badptr.c")))
    failed = False
    for name, missing in (("callfuzz makes every call", [c for c in calls if c not in fuzzed]),
                          ("every pointer is tried", [c for c in calls if c not in tried
                                                      and c not in NO_POINTER and c not in OTHERWISE])):
        print(f"{'not ok' if missing else 'ok'} - {name}")
        failed |= bool(missing)
        for call in missing:
            print(f"#   {call}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
