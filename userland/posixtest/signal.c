/*
 * Sending, blocking and handling signals.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

static volatile siginfo_t info;

static void note_info(int signo, siginfo_t *si, void *context)
{
    (void)context;
    count_signal(signo);
    info = *si;
}

static void handled_at_once(void)
{
    handle(SIGUSR1, count_signal, 0, 0);
    OK(kill(getpid(), SIGUSR1)); /* has been delivered when kill returns */
    EQ(caught, 1);
    EQ(caught_signo, SIGUSR1);
    OK(raise(SIGUSR1));
    EQ(caught, 2);
    OK(syscall(SYS_tkill, (int)syscall(SYS_gettid), SIGUSR1));
    EQ(caught, 3);
}

static void info_of_kill(void)
{
    handle(SIGUSR1, note_info, SA_SIGINFO, 0);
    OK(kill(getpid(), SIGUSR1));
    EQ(info.si_signo, SIGUSR1);
    EQ(info.si_code, SI_USER);
    EQ(info.si_pid, getpid());
    EQ(info.si_uid, getuid());
    OK(syscall(SYS_tgkill, getpid(), (int)syscall(SYS_gettid), SIGUSR1));
    EQ(info.si_code, SI_TKILL);
    EQ(info.si_pid, getpid());
}

static void default_actions(void)
{
    static const int deadly[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGILL,  SIGTRAP, SIGABRT,
                                 SIGBUS,  SIGFPE,  SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2,
                                 SIGPIPE, SIGALRM, SIGTERM, SIGXCPU, SIGXFSZ, SIGVTALRM,
                                 SIGPROF, SIGIO,   SIGPWR,  SIGSYS,  40};
    static const int harmless[] = {SIGCHLD, SIGCONT, SIGURG, SIGWINCH};
    pid_t pid;

    for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++) {
        CHILD(pid)
        {
            kill(getpid(), deadly[i]);
        }
        wait_killed(pid, deadly[i]);
    }
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++) {
        OK(kill(getpid(), harmless[i]));
    }
}

static void ignored(void)
{
    handle(SIGTERM, SIG_IGN, 0, 0);
    OK(kill(getpid(), SIGTERM));
    /* Ignoring forgets what is pending. */
    sig_block(SIGUSR1);
    OK(kill(getpid(), SIGUSR1));
    handle(SIGUSR1, SIG_IGN, 0, 0);
    handle(SIGUSR1, count_signal, 0, 0);
    sig_unblock(SIGUSR1);
    EQ(caught, 0);
}

static void blocked(void)
{
    handle(SIGUSR1, count_signal, 0, 0);
    sig_block(SIGUSR1);
    for (int i = 0; i < 5; i++) {
        OK(kill(getpid(), SIGUSR1));
    }
    EQ(caught, 0);
    sig_unblock(SIGUSR1);
    EQ(caught, 1); /* not queued: one is as good as five */
}

static void pending_set(void)
{
    uint64_t set = 0;

    sig_block(SIGUSR1);
    OK(kill(getpid(), SIGUSR1));
    if (syscall(SYS_rt_sigpending, &set, 8) < 0 && errno == ENOSYS) {
        SKIP("no rt_sigpending");
    }
    EQ(set, SIGBIT(SIGUSR1));
}

static volatile int order[8], ordered;

static void note_order(int signo)
{
    if (ordered < 8) {
        order[ordered++] = signo;
    }
}

static void realtime_is_queued(void)
{
    handle(40, count_signal, 0, 0);
    sig_block(40);
    for (int i = 0; i < 5; i++) {
        OK(kill(getpid(), 40));
    }
    sig_unblock(40);
    EQ(caught, 5);
}

static void lowest_first(void)
{
    uint64_t all = SIGBIT(SIGUSR1) | SIGBIT(SIGTERM) | SIGBIT(40) | SIGBIT(41);

    handle(SIGUSR1, note_order, 0, all);
    handle(SIGTERM, note_order, 0, all);
    handle(40, note_order, 0, all);
    handle(41, note_order, 0, all);
    OK(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, NULL, 8));
    OK(kill(getpid(), 41));
    OK(kill(getpid(), SIGTERM));
    OK(kill(getpid(), 40));
    OK(kill(getpid(), SIGUSR1));
    OK(syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &all, NULL, 8));
    EQ(ordered, 4);
    /* With all blocked in the handler they run one after the other, by number. */
    EQ(order[0], SIGUSR1);
    EQ(order[1], SIGTERM);
    EQ(order[2], 40);
    EQ(order[3], 41);
}

static volatile uint64_t mask_inside;
static volatile int depth, deepest;

static void look_at_mask(int signo)
{
    count_signal(signo);
    mask_inside = sig_mask();
}

static void mask_in_handler(void)
{
    uint64_t before = sig_mask();

    handle(SIGUSR1, look_at_mask, 0, SIGBIT(SIGTERM) | SIGBIT(SIGKILL));
    OK(kill(getpid(), SIGUSR1));
    EQ(mask_inside, before | SIGBIT(SIGUSR1) | SIGBIT(SIGTERM));
    EQ(sig_mask(), before);
    handle(SIGUSR1, look_at_mask, SA_NODEFER, 0);
    OK(kill(getpid(), SIGUSR1));
    EQ(mask_inside, before);
}

static void nest(int signo)
{
    deepest = ++depth > deepest ? depth : deepest;
    if (++caught < 3) {
        kill(getpid(), signo);
    }
    depth--;
}

static void nested(void)
{
    handle(SIGUSR1, nest, 0, 0);
    OK(kill(getpid(), SIGUSR1));
    EQ(caught, 3);
    EQ(deepest, 1); /* held back until the handler returns */
    caught = deepest = 0;
    handle(SIGUSR1, nest, SA_NODEFER, 0);
    OK(kill(getpid(), SIGUSR1));
    EQ(caught, 3);
    EQ(deepest, 3);
}

static void raise_other(int signo)
{
    count_signal(signo);
    kill(getpid(), SIGUSR2);
    EQ(caught_signo, SIGUSR2); /* handled inside this handler */
}

static void nested_other(void)
{
    handle(SIGUSR2, count_signal, 0, 0);
    handle(SIGUSR1, raise_other, 0, 0);
    OK(kill(getpid(), SIGUSR1));
    EQ(caught, 2);
}

static void reset_hand(void)
{
    pid_t pid;

    CHILD(pid)
    {
        handle(SIGUSR1, count_signal, (int)SA_RESETHAND, 0);
        OK(kill(getpid(), SIGUSR1));
        EQ(caught, 1);
        OK(kill(getpid(), SIGUSR1));
    }
    wait_killed(pid, SIGUSR1);
}

static void bad_arguments(void)
{
    struct {
        void *handler;
        unsigned long flags;
        void *x;
        uint64_t mask;
    } k = {SIG_IGN, 0, 0, 0};
    uint64_t mask = 0;
    pid_t gone;

    ERR(syscall(SYS_rt_sigaction, SIGKILL, &k, NULL, 8), EINVAL);
    ERR(syscall(SYS_rt_sigaction, SIGSTOP, &k, NULL, 8), EINVAL);
    OK(syscall(SYS_rt_sigaction, SIGKILL, NULL, &k, 8));
    ERR(syscall(SYS_rt_sigaction, 0, NULL, &k, 8), EINVAL);
    ERR(syscall(SYS_rt_sigaction, 65, NULL, &k, 8), EINVAL);
    OK(syscall(SYS_rt_sigaction, 64, NULL, &k, 8));
    ERR(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &k, 4), EINVAL);
    ERR(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &mask, NULL, 4), EINVAL);
    ERR(syscall(SYS_rt_sigprocmask, 99, &mask, NULL, 8), EINVAL);
    OK(syscall(SYS_rt_sigprocmask, 99, NULL, &mask, 8)); /* not looked at without a set */
    ERR(syscall(SYS_rt_sigsuspend, &mask, 4), EINVAL);
    ERR(kill(getpid(), 65), EINVAL);
    ERR(kill(getpid(), -1), EINVAL);
    OK(kill(getpid(), 0));
    CHILD(gone)
    {
    }
    OK(kill(gone, 0)); /* a zombie is there */
    wait_ok(gone);
    ERR(kill(gone, 0), ESRCH);
    ERR(kill(0x3fffffff, SIGTERM), ESRCH);
    ERR(syscall(SYS_tgkill, getpid(), 0x3fffffff, 0), ESRCH);
    ERR(syscall(SYS_tgkill, -1, getpid(), 0), EINVAL);
    ERR(syscall(SYS_tgkill, 1, getpid(), 0), ESRCH); /* not a thread of that process */
    ERR(syscall(SYS_tkill, 0, 0), EINVAL);
}

static void kill_and_stop_stay(void)
{
    uint64_t all = ~0ull;

    OK(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8));
    EQ(sig_mask(), ~(SIGBIT(SIGKILL) | SIGBIT(SIGSTOP)));
}

static void suspend(void)
{
    uint64_t none = 0;
    pid_t pid;

    handle(SIGUSR1, look_at_mask, 0, 0);
    sig_block(SIGUSR1);
    OK(kill(getpid(), SIGUSR1));
    EQ(caught, 0);
    ERR(syscall(SYS_rt_sigsuspend, &none, 8), EINTR);
    EQ(caught, 1);
    EQ(mask_inside & SIGBIT(SIGUSR1), SIGBIT(SIGUSR1));
    CHECK(sig_mask() & SIGBIT(SIGUSR1)); /* the old mask is back */
    CHILD(pid)
    {
        ERR(syscall(SYS_rt_sigsuspend, &none, 8), EINTR);
        EQ(caught, 2);
    }
    wait_state(pid, 'S');
    OK(kill(pid, SIGUSR1));
    wait_ok(pid);
}

static void suspend_not_by_ignored(void)
{
    uint64_t none = 0;
    pid_t pid;

    CHILD(pid)
    {
        handle(SIGUSR1, count_signal, 0, 0);
        handle(SIGUSR2, SIG_IGN, 0, 0);
        ERR(syscall(SYS_rt_sigsuspend, &none, 8), EINTR);
        EQ(caught, 1);
    }
    wait_state(pid, 'S');
    OK(kill(pid, SIGUSR2));
    OK(kill(pid, SIGWINCH));
    OK(kill(pid, SIGCHLD));
    sleep_ms(30);
    wait_state(pid, 'S');
    OK(kill(pid, SIGUSR1));
    wait_ok(pid);
}

static void inherited_by_fork(void)
{
    pid_t pid;

    handle(SIGUSR1, count_signal, 0, 0);
    handle(SIGUSR2, SIG_IGN, 0, 0);
    sig_block(SIGTERM);
    sig_block(SIGHUP);
    OK(kill(getpid(), SIGHUP));
    CHILD(pid)
    {
        CHECK(sig_mask() & SIGBIT(SIGTERM));
        OK(kill(getpid(), SIGUSR1));
        OK(kill(getpid(), SIGUSR2));
        EQ(caught, 1);
        sig_unblock(SIGHUP); /* what was pending stayed with the parent */
    }
    wait_ok(pid);
}

static void child_info(void)
{
    pid_t pid;

    handle(SIGCHLD, note_info, SA_SIGINFO, 0);
    CHILD(pid)
    {
        _exit(7);
    }
    wait_exit(pid, 7);
    EQ(caught, 1);
    EQ(info.si_signo, SIGCHLD);
    EQ(info.si_code, CLD_EXITED);
    EQ(info.si_pid, pid);
    EQ(info.si_status, 7);
    CHILD(pid)
    {
        kill(getpid(), SIGKILL);
    }
    wait_killed(pid, SIGKILL);
    EQ(info.si_code, CLD_KILLED);
    EQ(info.si_status, SIGKILL);
}

static void child_not_waited_for(void)
{
    pid_t pid;

    handle(SIGCHLD, SIG_IGN, 0, 0);
    CHILD(pid)
    {
        sleep_ms(20);
    }
    ERR(waitpid(pid, NULL, 0), ECHILD); /* after it has ended */
    while (kill(pid, 0) == 0) {         /* its number may live a moment longer */
        sleep_ms(1);
    }
    EQ(errno, ESRCH);
    handle(SIGCHLD, count_signal, SA_NOCLDWAIT, 0);
    CHILD(pid)
    {
        sleep_ms(20);
    }
    ERR(syscall(SYS_wait4, -1, NULL, 0, NULL), ECHILD);
    EQ(caught, 1);
}

static void interrupts_wait(void)
{
    pid_t pid, waiter;
    struct gate end;

    gate_init(&end);
    CHILD(waiter)
    {
        handle(SIGUSR1, count_signal, 0, 0);
        CHILD(pid)
        {
            gate_wait(&end);
        }
        ERR(waitpid(pid, NULL, 0), EINTR);
        handle(SIGUSR1, count_signal, SA_RESTART, 0);
        wait_ok(pid);
        EQ(caught, 2);
    }
    wait_state(waiter, 'S');
    OK(kill(waiter, SIGUSR1));
    sleep_ms(50);
    wait_state(waiter, 'S');
    OK(kill(waiter, SIGUSR1));
    sleep_ms(50);
    gate_open(&end);
    wait_ok(waiter);
}

static sigjmp_buf jump;

static void jump_out(int signo)
{
    count_signal(signo);
    siglongjmp(jump, 1);
}

static void long_jump(void)
{
    volatile int rounds = 0;

    handle(SIGUSR1, jump_out, 0, 0);
    for (int i = 0; i < 3; i++) {
        if (sigsetjmp(jump, 1) == 0) {
            kill(getpid(), SIGUSR1);
            FAIL("the handler came back");
        }
        rounds++;
        CHECK(!(sig_mask() & SIGBIT(SIGUSR1)));
    }
    EQ(rounds, 3);
    EQ(caught, 3);
}

/* The old action comes back as it was given. */
static void action_is_kept(void)
{
#ifdef __riscv
    struct {
        void (*handler)(int);
        unsigned long flags;
        uint64_t mask;
    } k;
#else
    struct {
        void (*handler)(int);
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } k;
#endif

    OK(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &k, 8));
    CHECK(k.handler == SIG_DFL);
    handle(SIGUSR1, count_signal, SA_RESTART | SA_NODEFER,
           SIGBIT(SIGTERM) | SIGBIT(SIGKILL) | SIGBIT(50));
    OK(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &k, 8));
    CHECK(k.handler == count_signal);
    EQ(k.flags & (SA_RESTART | SA_NODEFER), SA_RESTART | SA_NODEFER);
    EQ(k.mask, SIGBIT(SIGTERM) | SIGBIT(50)); /* SIGKILL cannot be masked */
}

static void to_many(void)
{
    enum { N = 4 };
    pid_t pid[N], leader;
    struct gate ready;

    gate_init(&ready);
    CHILD(leader)
    {
        OK(setpgid(0, 0));
        for (int i = 0; i < N; i++) {
            CHILD(pid[i])
            {
                handle(SIGUSR1, count_signal, 0, 0);
                gate_open(&ready);
                while (!caught) {
                    sleep_ms(5);
                }
            }
        }
        for (int i = 0; i < N; i++) {
            gate_wait(&ready);
        }
        handle(SIGUSR1, count_signal, 0, 0);
        OK(kill(0, SIGUSR1)); /* the whole group, the sender too */
        EQ(caught, 1);
        for (int i = 0; i < N; i++) {
            wait_ok(pid[i]);
        }
        ERR(kill(-0x3fffffff, SIGUSR1), ESRCH);
    }
    wait_ok(leader);
}

static void storm(void)
{
    enum { ROUNDS = 500 }; /* fewer than every system queues */
    pid_t parent = getpid(), pid;

    handle(40, count_signal, 0, 0);
    CHILD(pid)
    {
        for (int i = 0; i < ROUNDS; i++) {
            OK(kill(parent, 40));
        }
    }
    while (waitpid(pid, NULL, 0) < 0) {
        EQ(errno, EINTR);
    }
    EQ(caught, ROUNDS);
}

const struct test signal_tests[] = {
    {"handled_at_once", handled_at_once},
    {"info_of_kill", info_of_kill},
    {"default_actions", default_actions},
    {"ignored", ignored},
    {"blocked", blocked},
    {"pending_set", pending_set},
    {"realtime_is_queued", realtime_is_queued},
    {"lowest_first", lowest_first},
    {"mask_in_handler", mask_in_handler},
    {"nested", nested},
    {"nested_other", nested_other},
    {"reset_hand", reset_hand},
    {"bad_arguments", bad_arguments},
    {"kill_and_stop_stay", kill_and_stop_stay},
    {"suspend", suspend},
    {"suspend_not_by_ignored", suspend_not_by_ignored},
    {"inherited_by_fork", inherited_by_fork},
    {"child_info", child_info},
    {"child_not_waited_for", child_not_waited_for},
    {"interrupts_wait", interrupts_wait},
    {"long_jump", long_jump},
    {"action_is_kept", action_is_kept},
    {"to_many", to_many},
    {"storm", storm},
    {0},
};
