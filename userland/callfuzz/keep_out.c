/*
 * What a life must not do, since it would end the run without meaning anything. A life of nobody's may
 * do nearly all: the system itself has to see to it that it harms nobody else. A life of root's could
 * rightly end the machine; kept from it are
 *
 *      reboot with the right numbers           it ends the machine
 *      others' numbers where a process is      init, the shell and the run itself would be ended, traced,
 *      named: signals, ptrace, limits ...      written into, given limits; so it names itself, its children,
 *                                              nobody (0) or numbers no process has
 *      all processes (kill -1, PRIO_USER)      the same
 *      owners of descriptors (F_SETOWN)        they would get signals
 *      device files of its own making          4:64 would be the console, 7:0 a disk
 *      changes of files outside its folder     by descriptor: of /dev/ptmx for one; by name it knows none
 *      mounts outside its folder               where the working folder has been changed to another
 *
 * and from both: a clone beyond the second generation (a fork bomb is tests/system/load.py's business).
 * What a life changes of the system and may (the clock, host names, System V objects, mounts in its
 * folder) is put back at the end of the run: main.c.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuzz.h"

#define NO_PROCESS 4194305 /* above every limit */

/* A process' number, of which the calls see the lower half. */
static long tame_pid(long pid)
{
    int p = (int)pid;

    if (p == 0 || p > 4194304 || p < -4194304) {
        return pid;
    }
    return p == getpid() || p == gettid() || p == -getpid() || is_tracee(p) ? p : NO_PROCESS;
}

static bool is_foreign(long fd)
{
    struct stat st, here;

    return fstat((int)fd, &st) < 0 || stat(".", &here) < 0 || st.st_dev != here.st_dev;
}

static bool is_at_home(void)
{
    char cwd[64] = "";
    long a[6] = {(long)cwd, sizeof cwd};

    return raw_call(SYS_getcwd, a) > 0 && strncmp(cwd, FOLDER "/", sizeof FOLDER) == 0;
}

static bool allowed_root(long nr, long a[6])
{
    switch (nr) {
    case SYS_kill:
    case SYS_tkill:
    case SYS_rt_sigqueueinfo:
    case SYS_pidfd_open:
    case SYS_prlimit64:
    case SYS_sched_setparam:
    case SYS_sched_setscheduler:
    case SYS_sched_setattr:
    case SYS_sched_setaffinity:
    case SYS_process_vm_readv:
    case SYS_process_vm_writev:
        a[0] = tame_pid(a[0]);
        return (int)a[0] != -1;
    case SYS_tgkill:
    case SYS_rt_tgsigqueueinfo:
    case SYS_setpgid:
        a[0] = tame_pid(a[0]);
        a[1] = tame_pid(a[1]);
        return true;
    case SYS_ptrace:
        a[1] = tame_pid(a[1]);
        return true;
    case SYS_setpriority:
    case SYS_ioprio_set:
        a[1] = tame_pid(a[1]);
        return nr == SYS_setpriority ? a[0] != PRIO_USER : a[0] != 3;
    case SYS_fcntl:
        return (int)a[1] != F_SETOWN && (int)a[1] != F_SETOWN_EX;
    case SYS_ioctl:
        return (a[1] & 0xffffffff) != 0x8901 && (a[1] & 0xffffffff) != 0x8902;
    case SYS_mknodat:
        return (a[2] & S_IFMT) != S_IFCHR && (a[2] & S_IFMT) != S_IFBLK;
    case SYS_mount:
    case SYS_umount2:
        return is_at_home();
    case SYS_fchdir:
    case SYS_fchmod:
    case SYS_fchown:
    case SYS_fsetxattr:
    case SYS_fremovexattr:
        return !is_foreign(a[0]);
    default:
        return true;
    }
}

bool allowed(const struct life *l, long nr, long a[6])
{
    if (nr == SYS_reboot) {
        a[0] &= 0xffff;
    }
    return !l->root || allowed_root(nr, a);
}
