/*
 * ptrace: stops, memory and registers, system calls, events, attaching, and who may.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* What musl's header may not have, by Linux' numbers. */
#define EVENT_STOP 128
#define SYSGOOD (SIGTRAP | 0x80)

struct call_info {
    uint8_t op, pad[3];
    uint32_t arch;
    uint64_t pc, sp;
    union {
        struct {
            uint64_t nr, args[6];
        } entry;
        struct {
            int64_t rval;
            uint8_t is_error;
        } exit;
    } u;
};

static long trace(int what, pid_t pid, unsigned long addr, unsigned long data)
{
    return syscall(SYS_ptrace, what, pid, addr, data);
}

/* The next stop of pid: its status >> 8. */
static int stop_of(pid_t pid)
{
    int status = 0;

    EQ(OK(waitpid(pid, &status, __WALL)), pid);
    if (!WIFSTOPPED(status)) {
        FAIL("status 0x%x is no stop", status);
    }
    return status >> 8;
}

static void go(pid_t pid)
{
    OK(trace(PTRACE_CONT, pid, 0, 0));
}

static void end_of(pid_t pid, int code)
{
    int status = 0;

    EQ(OK(waitpid(pid, &status, __WALL)), pid);
    EQ(status, code << 8);
}

/* A child that asked to be traced and stopped. */
#define TRACED(pid)                                                                       \
    for (bool in_child_ = ((pid) = OK(fork())) == 0 &&                                    \
                          (OK(trace(PTRACE_TRACEME, 0, 0, 0)), OK(raise(SIGSTOP)), true); \
         in_child_; _exit(0))

static void traceme(void)
{
    siginfo_t info;
    pid_t pid;

    TRACED(pid)
    {
        ERR(trace(PTRACE_TRACEME, 0, 0, 0), EPERM);
        kill(getpid(), SIGUSR1); /* the tracer keeps it */
        kill(getpid(), SIGUSR1); /* and makes it another */
        FAIL("it lives");
    }
    EQ(stop_of(pid), SIGSTOP);
    wait_state(pid, 't');
    go(pid);
    EQ(stop_of(pid), SIGUSR1);
    OK(trace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&info));
    EQ(info.si_signo, SIGUSR1);
    EQ(info.si_pid, pid);
    EQ(waitpid(pid, NULL, WNOHANG | __WALL), 0); /* a stop is told once */
    go(pid);
    EQ(stop_of(pid), SIGUSR1);
    OK(trace(PTRACE_CONT, pid, 0, SIGTERM));
    wait_killed(pid, SIGTERM);
}

static void kill_ends_a_stop(void)
{
    pid_t pid;

    TRACED(pid)
    {
    }
    EQ(stop_of(pid), SIGSTOP);
    OK(kill(pid, SIGKILL));
    wait_killed(pid, SIGKILL);
    ERR(trace(PTRACE_CONT, pid, 0, 0), ESRCH);
}

static volatile long word = 0x1122334455667788;

static void memory(void)
{
    unsigned long value = 0;
    char path[64];
    int fd;
    pid_t pid;
    unsigned long *rom = mmap(NULL, page_size(), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(rom != MAP_FAILED);
    TRACED(pid)
    {
        EQ(word, 4711);
        EQ(rom[3], 1234);
        EQ(rom[4], 5678);
    }
    EQ(stop_of(pid), SIGSTOP);
    OK(trace(PTRACE_PEEKDATA, pid, (unsigned long)&word, (unsigned long)&value));
    EQ(value, word);
    OK(trace(PTRACE_POKEDATA, pid, (unsigned long)&word, 4711));
    OK(trace(PTRACE_POKETEXT, pid, (unsigned long)&rom[3], 1234)); /* although it is read-only */
    ERR(trace(PTRACE_PEEKDATA, pid, 8, (unsigned long)&value), EIO);
    ERR(trace(PTRACE_POKEDATA, pid, 8, 1), EIO);
    ERR(trace(PTRACE_PEEKDATA, pid, (unsigned long)&word, 8), EFAULT);
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    fd = OK(open(path, O_RDWR));
    EQ(pread(fd, &value, sizeof value, (off_t)(uintptr_t)&word), sizeof value);
    EQ(value, 4711);
    value = 5678;
    EQ(pwrite(fd, &value, sizeof value, (off_t)(uintptr_t)&rom[4]), sizeof value);
    ERR(pread(fd, &value, sizeof value, 8), EIO);
    CHECK(word != 4711); /* ours is our own */
    go(pid);
    wait_ok(pid);
    EQ(pread(fd, &value, sizeof value, (off_t)(uintptr_t)&word), 0);
    close(fd);
}

static void vm_calls(void)
{
    char text[64] = "before", here[64] = "";
    char *far =
        mmap(NULL, 2 * page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec local[2] = {{here, 3}, {here + 10, 20}}, remote = {text, sizeof text};
    struct gate ready, done;
    pid_t pid;

    CHECK(far != MAP_FAILED);
    gate_init(&ready);
    gate_init(&done);
    CHILD(pid)
    {
        strcpy(text, "what the child wrote");
        memset(far, 'f', 2 * page_size());
        OK(munmap(far + page_size(), page_size()));
        gate_open(&ready);
        gate_wait(&done);
        EQ(strcmp(text, "from afar"), 0);
    }
    gate_wait(&ready);
    EQ(process_vm_readv(pid, local, 2, &remote, 1, 0), 23);
    EQ(strncmp(here, "wha", 3), 0);
    EQ(strncmp(here + 10, "t the child wrote", 17), 0);
    local[0] = (struct iovec){far, page_size()};
    remote = (struct iovec){far + page_size() - 100, 200};
    EQ(process_vm_readv(pid, local, 1, &remote, 1, 0), 100);
    remote.iov_base = far + page_size();
    ERR(process_vm_readv(pid, local, 1, &remote, 1, 0), EFAULT);
    ERR(process_vm_readv(pid, local, 1, &remote, 1, 1), EINVAL);
    ERR(process_vm_readv(0x3fffffff, local, 1, &remote, 1, 0), ESRCH);
    strcpy(here, "from afar");
    local[0] = (struct iovec){here, 10};
    remote = (struct iovec){text, 10};
    EQ(process_vm_writev(pid, local, 1, &remote, 1, 0), 10);
    gate_open(&done);
    wait_ok(pid);
}

static void registers(void)
{
#ifdef __riscv
    unsigned long regs[32];
    struct iovec v = {regs, sizeof regs};
    double fp[33];
    pid_t pid;

    TRACED(pid)
    {
        volatile double x = 1.5;
        register long a0 __asm__("a0") = 17;
        register long a7 __asm__("a7") = SYS_getpid;
        double y = x * 3;

        __asm__ volatile("ebreak\n" : "+r"(a0), "+r"(a7) : : "memory");
        EQ(a0, 4711);
        CHECK(y > 4.4 && y < 4.6);
    }
    EQ(stop_of(pid), SIGSTOP);
    go(pid);
    EQ(stop_of(pid), SIGTRAP);
    OK(trace(PTRACE_GETREGSET, pid, NT_PRSTATUS, (unsigned long)&v));
    EQ(v.iov_len, sizeof regs);
    EQ(regs[10], 17);
    EQ(regs[17], SYS_getpid);
    regs[0] += 4;
    if ((*(uint16_t *)(regs[0] - 4) & 3) != 3) {
        regs[0] -= 2; /* c.ebreak */
    }
    regs[10] = 4711;
    OK(trace(PTRACE_SETREGSET, pid, NT_PRSTATUS, (unsigned long)&v));
    v.iov_base = fp;
    v.iov_len = sizeof fp;
    OK(trace(PTRACE_GETREGSET, pid, NT_PRFPREG, (unsigned long)&v));
    EQ(v.iov_len, sizeof fp);
    OK(trace(PTRACE_SETREGSET, pid, NT_PRFPREG, (unsigned long)&v));
    v.iov_len = 8; /* only the program counter */
    v.iov_base = regs;
    OK(trace(PTRACE_GETREGSET, pid, NT_PRSTATUS, (unsigned long)&v));
    EQ(v.iov_len, 8);
    v.iov_len = 7;
    ERR(trace(PTRACE_GETREGSET, pid, NT_PRSTATUS, (unsigned long)&v), EINVAL);
    ERR(trace(PTRACE_GETREGSET, pid, 0x1234, (unsigned long)&v), EINVAL);
    ERR(trace(PTRACE_GETREGSET, pid, NT_PRSTATUS, 8), EFAULT);
    ERR(trace(PTRACE_SINGLESTEP, pid, 0, 0), EIO);
    go(pid);
    wait_ok(pid);
#else
    SKIP("riscv64 only");
#endif
}

/* What a debugger does: an instruction replaced in a program's text. */
static __attribute__((noinline, aligned(4))) int broken(int x)
{
    __asm__ volatile("" ::: "memory");
    return x + 1;
}

static void breakpoint(void)
{
#ifdef __riscv
    unsigned long regs[32], text;
    struct iovec v = {regs, sizeof regs};
    unsigned long at = (unsigned long)broken;
    pid_t pid;

    TRACED(pid)
    {
        EQ(broken(1), 2);
    }
    EQ(stop_of(pid), SIGSTOP);
    OK(trace(PTRACE_PEEKTEXT, pid, at, (unsigned long)&text));
    OK(trace(PTRACE_POKETEXT, pid, at, (text & ~0xfffffffful) | 0x00100073)); /* ebreak */
    go(pid);
    EQ(stop_of(pid), SIGTRAP);
    OK(trace(PTRACE_GETREGSET, pid, NT_PRSTATUS, (unsigned long)&v));
    EQ(regs[0], at);
    OK(trace(PTRACE_POKETEXT, pid, at, text));
    go(pid);
    wait_ok(pid);
    EQ(broken(2), 3); /* the program file's page is as it was */
#else
    SKIP("riscv64 only");
#endif
}

static void system_calls(void)
{
    struct call_info info;
    siginfo_t si;
    pid_t pid;

    TRACED(pid)
    {
        EQ(syscall(SYS_getppid), 4711);
        ERR(syscall(SYS_close, -1), EBADF);
    }
    EQ(stop_of(pid), SIGSTOP);
    OK(trace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
    ERR(trace(PTRACE_SETOPTIONS, pid, 0, 1ul << 30), EINVAL);
    OK(trace(PTRACE_SYSCALL, pid, 0, 0));
    EQ(stop_of(pid), SYSGOOD);
    OK(trace(0x420e, pid, sizeof info, (unsigned long)&info));
    while (!(info.op == 1 && info.u.entry.nr == SYS_getppid)) { /* the rest of raise() */
        OK(trace(PTRACE_SYSCALL, pid, 0, 0));
        EQ(stop_of(pid), SYSGOOD);
        EQ(trace(0x420e, pid, sizeof info, (unsigned long)&info), info.op == 1 ? 80 : 33);
    }
    OK(trace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&si));
    EQ(si.si_code, SYSGOOD);
    OK(trace(PTRACE_SYSCALL, pid, 0, 0));
    EQ(stop_of(pid), SYSGOOD);
    EQ(trace(0x420e, pid, sizeof info, (unsigned long)&info), 33);
    EQ(info.op, 2);
    EQ(info.u.exit.rval, getpid());
    EQ(info.u.exit.is_error, 0);
#ifdef __riscv
    unsigned long regs[32];
    struct iovec v = {regs, sizeof regs};

    OK(trace(PTRACE_GETREGSET, pid, NT_PRSTATUS, (unsigned long)&v));
    regs[10] = 4711;
    OK(trace(PTRACE_SETREGSET, pid, NT_PRSTATUS, (unsigned long)&v));
#endif
    OK(trace(PTRACE_SYSCALL, pid, 0, 0));
    EQ(stop_of(pid), SYSGOOD);
    OK(trace(0x420e, pid, sizeof info, (unsigned long)&info));
    EQ(info.u.entry.nr, SYS_close);
    EQ((int)info.u.entry.args[0], -1);
    OK(trace(PTRACE_SYSCALL, pid, 0, 0));
    EQ(stop_of(pid), SYSGOOD);
    OK(trace(0x420e, pid, sizeof info, (unsigned long)&info));
    EQ(info.u.exit.rval, -EBADF);
    EQ(info.u.exit.is_error, 1);
    go(pid);
    wait_ok(pid);
}

static void attach_and_detach(void)
{
    pid_t pid;
    struct gate end;

    gate_init(&end);
    CHILD(pid)
    {
        gate_wait(&end);
    }
    wait_state(pid, 'S');
    ERR(trace(PTRACE_CONT, pid, 0, 0), ESRCH);
    ERR(trace(PTRACE_ATTACH, getpid(), 0, 0), EPERM);
    ERR(trace(PTRACE_ATTACH, 0x3fffffff, 0, 0), ESRCH);
    OK(trace(PTRACE_ATTACH, pid, 0, 0));
    ERR(trace(PTRACE_ATTACH, pid, 0, 0), EPERM);
    EQ(stop_of(pid), SIGSTOP);
    ERR(trace(PTRACE_DETACH, pid, 0, 1000), EIO);
    OK(trace(PTRACE_DETACH, pid, 0, 0));
    gate_open(&end); /* its read went on, and nobody noticed */
    wait_ok(pid);
}

static void attach_to_stopped(void)
{
    pid_t pid;

    CHILD(pid)
    {
        raise(SIGSTOP);
    }
    EQ(OK(waitpid(pid, NULL, WUNTRACED)), pid);
    OK(trace(PTRACE_ATTACH, pid, 0, 0));
    EQ(stop_of(pid), SIGSTOP);
    OK(trace(PTRACE_DETACH, pid, 0, SIGCONT));
    kill(pid, SIGCONT);
    wait_ok(pid);
}

static void seize(void)
{
    pid_t pid;
    unsigned long message;

    CHILD(pid)
    {
        for (;;) {
            pause();
        }
    }
    wait_state(pid, 'S');
    ERR(trace(PTRACE_SEIZE, pid, 1, 0), EIO);
    ERR(trace(PTRACE_SEIZE, pid, 0, 1ul << 30), EIO);
    ERR(trace(PTRACE_SEIZE, pid + 0x10000, 1, 1ul << 30), ESRCH); /* first of all: who */
    ERR(trace(PTRACE_SEIZE, getpid(), 1, 0), EIO);
    ERR(trace(PTRACE_SEIZE, getpid(), 0, 0), EPERM);
    OK(trace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEEXIT));
    EQ(waitpid(pid, NULL, WNOHANG | __WALL), 0); /* it runs on */
    ERR(trace(PTRACE_PEEKDATA, pid, (unsigned long)&word, (unsigned long)&message), ESRCH);
    OK(trace(PTRACE_INTERRUPT, pid, 0, 0));
    EQ(stop_of(pid), SIGTRAP | EVENT_STOP << 8);
    ERR(trace(PTRACE_LISTEN, pid + 0x10000, 0, 0), ESRCH);
    go(pid);
    OK(kill(pid, SIGSTOP)); /* a group stop: first the signal, then the stop itself */
    EQ(stop_of(pid), SIGSTOP);
    OK(trace(PTRACE_CONT, pid, 0, SIGSTOP));
    EQ(stop_of(pid), SIGSTOP | EVENT_STOP << 8);
    OK(trace(PTRACE_LISTEN, pid, 0, 0));
    EQ(waitpid(pid, NULL, WNOHANG | __WALL), 0);
    OK(kill(pid, SIGCONT));
    EQ(stop_of(pid), SIGTRAP | EVENT_STOP << 8);
    go(pid);
    EQ(stop_of(pid), SIGCONT);
    go(pid);
    OK(kill(pid, SIGTERM));
    EQ(stop_of(pid), SIGTERM);
    OK(trace(PTRACE_CONT, pid, 0, SIGTERM));
    EQ(stop_of(pid), SIGTRAP | PTRACE_EVENT_EXIT << 8);
    OK(trace(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&message));
    EQ(message, SIGTERM);
    go(pid);
    wait_killed(pid, SIGTERM);
}

/* The stop of one that was stopped already ends before the tracer listens: it hears of it all the same. */
static void continued_before_listening(void)
{
    pid_t pid;

    CHILD(pid)
    {
        OK(raise(SIGSTOP));
    }
    EQ(OK(waitpid(pid, NULL, WUNTRACED)), pid);
    OK(trace(PTRACE_SEIZE, pid, 0, 0));
    EQ(stop_of(pid), SIGSTOP | EVENT_STOP << 8);
    OK(kill(pid, SIGCONT));
    OK(trace(PTRACE_LISTEN, pid, 0, 0));
    EQ(stop_of(pid), SIGTRAP | EVENT_STOP << 8);
    go(pid);
    EQ(stop_of(pid), SIGCONT);
    go(pid);
    wait_ok(pid);
}

static int exit_8(void *arg)
{
    (void)arg;
    return 8;
}

static void fork_events(void)
{
    static char stack[16384] __attribute__((aligned(16)));
    unsigned long child, done;
    pid_t pid;

    TRACED(pid)
    {
        pid_t grand = fork();

        if (grand == 0) {
            _exit(7);
        }
        wait_exit(grand, 7);
        grand = OK(clone(exit_8, stack + sizeof stack, CLONE_VFORK | CLONE_VM | SIGCHLD, NULL));
        wait_exit(grand, 8);
    }
    EQ(stop_of(pid), SIGSTOP);
    OK(trace(PTRACE_SETOPTIONS, pid, 0,
             PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE));
    go(pid);
    EQ(stop_of(pid), SIGTRAP | PTRACE_EVENT_FORK << 8);
    OK(trace(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&child));
    EQ(stop_of((pid_t)child), SIGSTOP); /* traced from its beginning */
    go((pid_t)child);
    go(pid);
    end_of((pid_t)child, 7); /* we hear of it first, its parent then */
    EQ(stop_of(pid), SIGCHLD);
    go(pid);
    EQ(stop_of(pid), SIGTRAP | PTRACE_EVENT_VFORK << 8);
    OK(trace(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&child));
    EQ(stop_of((pid_t)child), SIGSTOP);
    go((pid_t)child);
    go(pid);
    end_of((pid_t)child, 8);
    EQ(stop_of(pid), SIGTRAP | PTRACE_EVENT_VFORK_DONE << 8);
    OK(trace(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&done));
    EQ(done, child);
    go(pid);
    EQ(stop_of(pid), SIGCHLD);
    go(pid);
    wait_ok(pid);
}

static void exec_event(void)
{
    static char *const args[] = {(char *)"true", NULL};
    unsigned long old;
    pid_t pid;

    TRACED(pid)
    {
        execv("/bin/true", args);
        FAIL("exec");
    }
    EQ(stop_of(pid), SIGSTOP);
    OK(trace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXEC));
    go(pid);
    EQ(stop_of(pid), SIGTRAP | PTRACE_EVENT_EXEC << 8);
    OK(trace(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&old));
    EQ(old, pid);
    go(pid);
    wait_ok(pid);
    TRACED(pid) /* without the option: a plain SIGTRAP */
    {
        execv("/bin/true", args);
    }
    EQ(stop_of(pid), SIGSTOP);
    go(pid);
    EQ(stop_of(pid), SIGTRAP);
    go(pid);
    wait_ok(pid);
}

static void *thread_main(void *arg)
{
    (void)arg;
    return NULL;
}

static void threads(void)
{
    unsigned long tid;
    int status = 0;
    pid_t pid;

    TRACED(pid)
    {
        pthread_t t;

        EQ(pthread_create(&t, NULL, thread_main, NULL), 0);
        pthread_join(t, NULL);
    }
    EQ(stop_of(pid), SIGSTOP);
    OK(trace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE));
    go(pid);
    EQ(stop_of(pid), SIGTRAP | PTRACE_EVENT_CLONE << 8);
    OK(trace(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&tid));
    EQ(stop_of((pid_t)tid), SIGSTOP);
    go((pid_t)tid);
    go(pid);
    EQ(OK(waitpid((pid_t)tid, &status, __WALL)), (pid_t)tid); /* a thread's end is told, too */
    EQ(status, 0);
    wait_ok(pid);
}

static void tracer_exits(void)
{
    struct gate ready, end;
    pid_t pid, tracer;

    gate_init(&ready);
    gate_init(&end);
    CHILD(pid)
    {
        gate_open(&ready);
        gate_wait(&end);
    }
    gate_wait(&ready);
    CHILD(tracer)
    {
        OK(trace(PTRACE_ATTACH, pid, 0, 0));
        EQ(stop_of(pid), SIGSTOP);
    }
    wait_ok(tracer);
    gate_open(&end); /* it goes on */
    wait_ok(pid);
    CHILD(pid)
    {
        for (;;) {
            pause();
        }
    }
    CHILD(tracer)
    {
        OK(trace(PTRACE_SEIZE, pid, 0, 1ul << 20)); /* PTRACE_O_EXITKILL */
    }
    wait_ok(tracer);
    wait_killed(pid, SIGKILL);
}

static void other_parents_child(void)
{
    struct gate ready, end;
    pid_t pid, tracer;
    int status = 0;

    gate_init(&ready);
    gate_init(&end);
    CHILD(pid)
    {
        gate_wait(&end);
        _exit(3);
    }
    CHILD(tracer)
    {
        char path[64], text[2048];
        snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
        OK(trace(PTRACE_SEIZE, pid, 0, 0));
        int fd = OK(open(path, O_RDONLY));
        ssize_t n = OK(read(fd, text, sizeof text - 1));
        text[n] = 0;
        const char *line = strstr(text, "TracerPid:");
        CHECK(line && atoi(line + 10) == getpid());
        gate_open(&ready);
        EQ(OK(waitpid(pid, &status, __WALL)), pid);
        EQ(status, 3 << 8);
    }
    gate_wait(&ready);
    gate_open(&end);
    wait_ok(tracer);
    wait_exit(pid, 3);
}

static void permission(void)
{
    pid_t pid, other;
    unsigned long value;
    struct iovec v = {&value, sizeof value};
    struct gate end;

    if (geteuid() != 0) {
        SKIP("only root can become somebody else");
    }
    gate_init(&end);
    CHILD(pid)
    {
        gate_wait(&end);
    }
    CHILD(other)
    {
        OK(setgid(1234));
        OK(setuid(1234));
        ERR(trace(PTRACE_ATTACH, pid, 0, 0), EPERM);
        ERR(trace(PTRACE_SEIZE, pid, 0, 0), EPERM);
        ERR(process_vm_readv(pid, &v, 1, &v, 1, 0), EPERM);
    }
    wait_ok(other);
    gate_open(&end);
    wait_ok(pid);
}

static void waitid_tells(void)
{
    siginfo_t info;
    pid_t pid;

    TRACED(pid)
    {
    }
    OK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | __WALL));
    EQ(info.si_code, CLD_TRAPPED);
    EQ(info.si_status, SIGSTOP);
    OK(waitid(P_PID, (id_t)pid, &info, WSTOPPED | __WALL));
    EQ(info.si_pid, pid);
    go(pid);
    wait_ok(pid);
}

const struct test ptrace_tests[] = {
    {"traceme", traceme},
    {"kill_ends_a_stop", kill_ends_a_stop},
    {"memory", memory},
    {"vm_calls", vm_calls},
    {"registers", registers},
    {"breakpoint", breakpoint},
    {"system_calls", system_calls},
    {"attach_and_detach", attach_and_detach},
    {"attach_to_stopped", attach_to_stopped},
    {"seize", seize},
    {"continued_before_listening", continued_before_listening},
    {"fork_events", fork_events},
    {"exec_event", exec_event},
    {"threads", threads},
    {"tracer_exits", tracer_exits},
    {"other_parents_child", other_parents_child},
    {"permission", permission},
    {"waitid_tells", waitid_tells},
    {NULL, NULL},
};
