/*
 * The pointer matrix of processes, signals, credentials, scheduling and memory.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "matrix.h"

static pid_t kid;

/* One that has ended. */
static void zombie(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    kid = OK(fork());
    if (kid == 0) {
        _exit(0);
    }
    while (waitid(P_PID, (id_t)kid, &(siginfo_t){0}, WEXITED | WNOWAIT) < 0) {
    }
}

static void reap(long pid)
{
    waitpid((pid_t)pid, NULL, __WALL);
}

static void waiting(void (*run)(const struct row *))
{
    static int status;
    static struct rusage ru;
    static siginfo_t info;
    const struct row rows[] = {
        {"wait4",
         SYS_wait4,
         {V(-1), WF(&status, NULL_OK), V(0), WF(&ru, NULL_OK)},
         .before = zombie},
        {"waitid",
         SYS_waitid,
         {V(P_ALL), V(0), {WRITE | NULL_OK | LAZY, (long)&info, 28}, V(WEXITED), WF(&ru, NULL_OK)},
         .before = zombie},
        {0},
    };
    run(rows);
    reap(-1);
}

/* A child ends at once; it runs in memory of its own. */
static long clone_call(long flags, long parent, long child)
{
    long pid = syscall(SYS_clone, flags, 0, parent, 0, child);

    if (pid == 0) {
        syscall(SYS_exit_group, 0);
    }
    return pid;
}

static void clones(void)
{
    static struct clone_args c, good;
    const struct bad *bad = bad_addresses();
    int fd = -1, tid = 0;

    for (int i = 0; i < BAD_ADDRESSES; i++) {
        long b = bad[i].address, pid;

        /* The numbers are written after the child is there: Linux says nothing when it cannot. */
        pid = OK(clone_call(CLONE_PARENT_SETTID | SIGCHLD, b, 0));
        reap(pid);
        pid = OK(clone_call(CLONE_CHILD_SETTID | SIGCHLD, 0, b));
        reap(pid);
        pid = OK(clone_call(CLONE_CHILD_CLEARTID | SIGCHLD, 0, b));
        reap(pid);
        ERR(clone_call(CLONE_PIDFD | SIGCHLD, b, 0), EFAULT);
        if (!bad[i].write_only) {
            ERR(syscall(SYS_clone3, b, sizeof c), EFAULT);
        }
        good =
            (struct clone_args){.flags = CLONE_PIDFD, .pidfd = (uint64_t)b, .exit_signal = SIGCHLD};
        ERR(syscall(SYS_clone3, &good, sizeof good), EFAULT);
    }
    good = (struct clone_args){.flags = CLONE_PIDFD | CLONE_PARENT_SETTID,
                               .pidfd = (uint64_t)&fd,
                               .parent_tid = (uint64_t)&tid,
                               .exit_signal = SIGCHLD};
    long pid = OK(syscall(SYS_clone3, &good, sizeof good));
    if (pid == 0) {
        syscall(SYS_exit_group, 0);
    }
    reap(pid);
    EQ(tid, pid);
    OK(close(fd));
    ERR(waitpid(-1, NULL, __WALL), ECHILD);
}

static void take_signal(void)
{
    struct timespec none = {0, 0};
    uint64_t usr1 = SIGBIT(SIGUSR1);

    while (syscall(SYS_rt_sigtimedwait, &usr1, NULL, &none, 8) > 0) {
    }
}

static void have_signal(void)
{
    take_signal();
    OK(raise(SIGUSR1));
}

static void signals(void (*run)(const struct row *))
{
    static uint64_t action[3], mask, old, usr1 = SIGBIT(SIGUSR1);
    static stack_t st = {.ss_flags = SS_DISABLE}, old_stack;
    static siginfo_t info = {.si_code = SI_QUEUE, .si_signo = SIGUSR1};
    static struct timespec none;
    int self = (int)OK(syscall(SYS_pidfd_open, getpid(), 0));

    sig_block(SIGUSR1);
    const struct row rows[] = {
        {"rt_sigaction",
         SYS_rt_sigaction,
         {V(SIGUSR2), RF(&action, NULL_OK), WF(&action, NULL_OK), V(8)}},
        {"rt_sigprocmask",
         SYS_rt_sigprocmask,
         {V(SIG_BLOCK), RF(&mask, NULL_OK), WF(&old, NULL_OK), V(8)}},
        {"rt_sigpending", SYS_rt_sigpending, {W(&mask), V(8)}},
        {"rt_sigtimedwait",
         SYS_rt_sigtimedwait,
         {R(&usr1), {WRITE | NULL_OK, (long)&info, 128}, RF(&none, NULL_OK), V(8)},
         .before = have_signal},
        {"sigaltstack", SYS_sigaltstack, {RF(&st, NULL_OK), WF(&old_stack, NULL_OK)}},
        {"rt_sigqueueinfo",
         SYS_rt_sigqueueinfo,
         {V(getpid()), V(SIGUSR1), {READ, (long)&info, 48}},
         .before = take_signal},
        {"rt_tgsigqueueinfo",
         SYS_rt_tgsigqueueinfo,
         {V(getpid()), V(getpid()), V(SIGUSR1), {READ, (long)&info, 48}},
         .before = take_signal},
        {"pidfd_send_signal",
         SYS_pidfd_send_signal,
         {V(self), V(SIGUSR1), {READ | NULL_OK, (long)&info, 48}, V(0)},
         .before = take_signal},
        {0},
    };
    mask = 0;
    run(rows);
    take_signal();
    const struct bad *bad = bad_addresses();
    for (int i = 0; i < BAD_ADDRESSES; i++) {
        if (!bad[i].write_only) {
            ERR(syscall(SYS_rt_sigsuspend, bad[i].address, 8), EFAULT);
        }
    }
}

static void credentials(void (*run)(const struct row *))
{
    static uint32_t a, b, c, groups[4];
    static struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    static struct __user_cap_data_struct caps[2];

    if (geteuid() != 0) {
        SKIP("not root");
    }
    OK(syscall(SYS_capget, &head, caps));
    OK(syscall(SYS_setgroups, 4, groups));
    const struct row rows[] = {
        {"getresuid", SYS_getresuid, {W(&a), W(&b), W(&c)}},
        {"getresgid", SYS_getresgid, {W(&a), W(&b), W(&c)}},
        {"getgroups", SYS_getgroups, {V(4), W(&groups)}},
        {"setgroups", SYS_setgroups, {V(4), R(&groups)}},
        {"capget", SYS_capget, {R(&head), WF(&caps, NULL_OK)}},
        {"capset", SYS_capset, {R(&head), R(&caps)}},
        {0},
    };
    run(rows);
}

static void scheduling(void (*run)(const struct row *))
{
    static struct sched_param param;
    static struct {
        uint32_t size, policy;
        uint64_t flags;
        int nice;
        uint32_t priority;
        uint64_t rest[3];
    } attr = {.size = 48};
    static struct timespec t;
    static uint64_t cpus[1];
    static unsigned cpu, node;
    static struct {
        uint64_t cur, max;
    } limit = {1 << 20, 1 << 20};
    static struct rusage ru;

    OK(syscall(SYS_sched_getaffinity, 0, 8, cpus));
    const struct row rows[] = {
        {"sched_getparam", SYS_sched_getparam, {V(0), {WRITE | NULL_EINVAL, (long)&param, 4}}},
        {"sched_setparam", SYS_sched_setparam, {V(0), {READ | NULL_EINVAL, (long)&param, 4}}},
        {"sched_setscheduler",
         SYS_sched_setscheduler,
         {V(0), V(SCHED_OTHER), {READ | NULL_EINVAL, (long)&param, 4}}},
        {"sched_getattr",
         SYS_sched_getattr,
         {V(0), {WRITE | NULL_EINVAL, (long)&attr, 48}, V(48), V(0)}},
        {"sched_setattr", SYS_sched_setattr, {V(0), {READ | NULL_EINVAL, (long)&attr, 48}, V(0)}},
        {"sched_rr_get_interval", SYS_sched_rr_get_interval, {V(0), W(&t)}},
        {"sched_getaffinity", SYS_sched_getaffinity, {V(0), V(8), W(&cpus)}},
        {"sched_setaffinity", SYS_sched_setaffinity, {V(0), V(8), R(&cpus)}},
        {"getcpu", SYS_getcpu, {WF(&cpu, NULL_OK), WF(&node, NULL_OK), V(0)}},
        {"prlimit64",
         SYS_prlimit64,
         {V(0), V(RLIMIT_CORE), RF(&limit, NULL_OK), WF(&limit, NULL_OK)}},
        {"getrlimit", SYS_getrlimit, {V(RLIMIT_CORE), W(&limit)}},
        {"setrlimit", SYS_setrlimit, {V(RLIMIT_CORE), R(&limit)}},
        {"getrusage", SYS_getrusage, {V(RUSAGE_SELF), W(&ru)}},
        {0},
    };
    run(rows);
}

static void memory(void (*run)(const struct row *))
{
    static char bytes[16];
    static struct iovec mine = {bytes, 16}, theirs = {bytes, 16};
    static unsigned char vec[1];
    static uint32_t word, word2, owned;
    static struct timespec t = {0, 1000};
    static long *head, *len;
    void *page =
        mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    owned = (uint32_t)syscall(SYS_gettid);
    const struct row rows[] = {
        {"process_vm_readv",
         SYS_process_vm_readv,
         {V(getpid()), R(&mine), V(1), R(&theirs), V(1), V(0)},
         {FIELD(1, &mine, iov_base, WB(bytes, 16)), FIELD(3, &theirs, iov_base, RB(bytes, 16))}},
        {"process_vm_writev",
         SYS_process_vm_writev,
         {V(getpid()), R(&mine), V(1), R(&theirs), V(1), V(0)},
         {FIELD(1, &mine, iov_base, RB(bytes, 16)), FIELD(3, &theirs, iov_base, WB(bytes, 16))}},
        {"mincore", SYS_mincore, {V(page), V(page_size()), W(&vec)}},
        {"FUTEX_WAIT",
         SYS_futex,
         {RF(&word, ALIGNED), V(FUTEX_WAIT), V(0), RF(&t, NULL_OK | ALIGNED), V(0), V(0)},
         .error = ETIMEDOUT},
        {"FUTEX_WAIT_BITSET",
         SYS_futex,
         {RF(&word, ALIGNED), V(FUTEX_WAIT_BITSET), V(1), V(0), V(0), V(-1)},
         .error = EAGAIN},
        {"FUTEX_LOCK_PI",
         SYS_futex,
         {RF(&owned, ALIGNED), V(FUTEX_TRYLOCK_PI), V(0), V(0), V(0), V(0)},
         .error = EDEADLK},
        {"FUTEX_WAKE_OP",
         SYS_futex,
         {V(&word2), V(FUTEX_WAKE_OP), V(1), V(1), {WRITE | ALIGNED, (long)&word2, 4}, V(0)}},
        {"FUTEX_CMP_REQUEUE",
         SYS_futex,
         {RF(&word, ALIGNED), V(FUTEX_CMP_REQUEUE), V(1), V(1), V(&word2), V(1)},
         .error = EAGAIN},
        {"get_robust_list", SYS_get_robust_list, {V(0), W(&head), W(&len)}},
        {0},
    };
    run(rows);
}

static void questions(void (*run)(const struct row *))
{
    static struct utsname uts;
    static struct sysinfo si;
    static int n;
    static char name[16] = "name", host[65];
    const struct row rows[] = {
        {"uname", SYS_uname, {W(&uts)}},
        {"sysinfo", SYS_sysinfo, {{WRITE, (long)&si, 112}}},
        {"PR_GET_PDEATHSIG", SYS_prctl, {V(PR_GET_PDEATHSIG), W(&n)}},
        {"PR_SET_NAME", SYS_prctl, {V(PR_SET_NAME), S("posixtest")}},
        {"PR_GET_NAME", SYS_prctl, {V(PR_GET_NAME), W(&name)}},
        {"PR_GET_CHILD_SUBREAPER", SYS_prctl, {V(PR_GET_CHILD_SUBREAPER), W(&n)}},
        {0},
    };
    run(rows);
    if (geteuid() != 0) {
        return;
    }
    OK(gethostname(host, sizeof host));
    const struct row root[] = {
        {"sethostname", SYS_sethostname, {{READ, (long)host, 0}, V(strlen(host))}},
        {0},
    };
    struct row sized[2];
    memcpy(sized, root, sizeof root);
    sized[0].arg[0].size = strlen(host);
    run(sized);
}

static void tracing(void (*run)(const struct row *))
{
    static char registers[512];
    static struct iovec io = {registers, 256};
    static unsigned long word, message;
    static siginfo_t info;
    static uint64_t mask;

    kid = OK(fork());
    if (kid == 0) {
        for (;;) {
            pause();
        }
    }
    OK(ptrace(PTRACE_SEIZE, kid, NULL, NULL));
    OK(ptrace(PTRACE_INTERRUPT, kid, NULL, NULL));
    EQ(waitpid(kid, NULL, 0), kid);
    const struct row rows[] = {
        {"PTRACE_PEEKDATA", SYS_ptrace, {V(PTRACE_PEEKDATA), V(kid), V(&word), W(&word)}},
        {"PTRACE_GETREGSET",
         SYS_ptrace,
         {V(PTRACE_GETREGSET), V(kid), V(1), W(&io)},
         {FIELD(3, &io, iov_base, {WRITE, (long)registers, 256})}},
        {"PTRACE_SETREGSET",
         SYS_ptrace,
         {V(PTRACE_SETREGSET), V(kid), V(1), W(&io)},
         {FIELD(3, &io, iov_base, {READ, (long)registers, 256})}},
        {"PTRACE_GETSIGINFO",
         SYS_ptrace,
         {V(PTRACE_GETSIGINFO), V(kid), V(0), {WRITE, (long)&info, 128}}},
        {"PTRACE_SETSIGINFO",
         SYS_ptrace,
         {V(PTRACE_SETSIGINFO), V(kid), V(0), {READ, (long)&info, 48}}},
        {"PTRACE_GETEVENTMSG", SYS_ptrace, {V(PTRACE_GETEVENTMSG), V(kid), V(0), W(&message)}},
        {"PTRACE_GETSIGMASK", SYS_ptrace, {V(PTRACE_GETSIGMASK), V(kid), V(8), W(&mask)}},
        {"PTRACE_SETSIGMASK", SYS_ptrace, {V(PTRACE_SETSIGMASK), V(kid), V(8), R(&mask)}},
        {"PTRACE_GET_SYSCALL_INFO",
         SYS_ptrace,
         {V(0x420e), V(kid), V(24), {WRITE, (long)registers, 24}}},
        {0},
    };
    OK(ptrace(PTRACE_GETREGSET, kid, 1, &io));
    run(rows);
    OK(kill(kid, SIGKILL));
    reap(kid);
}

BOTH(waiting)
BOTH(signals)
BOTH(credentials)
BOTH(scheduling)
BOTH(memory)
BOTH(questions)
BOTH(tracing)

const struct test ptrproc_tests[] = {
    {"waiting", try_waiting},
    {"race_waiting", race_waiting},
    {"clones", clones},
    {"signals", try_signals},
    {"race_signals", race_signals},
    {"credentials", try_credentials},
    {"race_credentials", race_credentials},
    {"scheduling", try_scheduling},
    {"race_scheduling", race_scheduling},
    {"memory", try_memory},
    {"race_memory", race_memory},
    {"questions", try_questions},
    {"race_questions", race_questions},
    {"tracing", try_tracing},
    {"race_tracing", race_tracing},
    {0},
};
