/*
 * Signals: queues, masks, delivery, frames, restart, stop and continue.
 * test-sources: posix/signal/?*.c posix/thread/?*.c posix/time/?*.c posix/trace/?*.c posix/tty/?*.c posix/poll/waitq.c
 * test-sources: posix/proc/clone.c posix/proc/exec.c posix/proc/exit.c posix/proc/ids.c posix/proc/init.c posix/proc/job.c
 * test-sources: posix/proc/life.c posix/proc/pgrp.c posix/proc/pid.c posix/proc/rlimit.c posix/proc/rusage.c posix/proc/tree.c
 * test-sources: posix/proc/user.c posix/proc/vfork.c posix/proc/wait.c posix/proc/pidfd.c posix/proc/caps.c
 * test-sources: posix/proc/groups.c
 */
#include <linux/sched.h>
#include "proc_fake.h"
#include "signal/signal_int.h"

#define U MEM_BASE /* where tests put arguments */
#define STACK (MEM_BASE + 0x8000)
#define HANDLER 0x4000u

static void set_action(int sig, uint64_t handler, uint64_t flags, uint64_t mask)
{
    struct ksigaction a = {handler, flags, mask};
    mb_copy_out(U, &a, sizeof a);
    assert_int_equal(CALL_(rt_sigaction, (uint64_t)sig, U, 0, 8), 0);
}

static void set_mask(uint64_t mask)
{
    put64(U, mask);
    assert_int_equal(CALL_(rt_sigprocmask, SIG_SETMASK, U, 0, 8), 0);
}

static void standard_coalesce_realtime_queue(void **state)
{
    struct process *p = fake_fork();
    struct task *t = p->threads;
    fake_run(t);
    set_mask(~0ull);
    for (int i = 0; i < 3; i++) {
        struct ksiginfo info = {.code = SI_QUEUE, .u.rt = {.value = (uint64_t)i}};
        info.signo = SIGUSR1;
        assert_int_equal(sig_send(p, NULL, SIGUSR1, &info), 0);
        info.signo = 40;
        assert_int_equal(sig_send(p, NULL, 40, &info), 0);
    }
    struct ksiginfo got;
    /* the standard one first, once, with the first's value */
    put64(U, ~0ull);
    assert_int_equal(CALL_(rt_sigtimedwait, U, U + 64, 0, 8), SIGUSR1);
    mb_copy_in(&got, U + 64, sizeof got);
    assert_int_equal(got.u.rt.value, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(CALL_(rt_sigtimedwait, U, U + 64, 0, 8), 40);
        mb_copy_in(&got, U + 64, sizeof got);
        assert_int_equal(got.u.rt.value, i);
        assert_int_equal(got.code, SI_QUEUE);
    }
    assert_int_equal(p->sigpending, 0);
}

static void queue_is_limited(void **state)
{
    struct process *p = fake_fork();
    fake_run(p->threads);
    set_mask(~0ull);
    p->rlimit[11][0] = 2; /* RLIMIT_SIGPENDING */
    struct ksiginfo info = {.signo = 40, .code = SI_QUEUE};
    assert_int_equal(sig_send(p, NULL, 40, &info), 0);
    assert_int_equal(sig_send(p, NULL, 40, &info), 0);
    assert_int_equal(sig_send(p, NULL, 40, &info), -EAGAIN);
    /* a standard signal gets through, without details */
    info.signo = SIGUSR1;
    assert_int_equal(sig_send(p, NULL, SIGUSR1, &info), 0);
    assert_true(p->sigpending & SIG_BIT(SIGUSR1));
}

static void ignored_ones_vanish_unless_blocked(void **state)
{
    struct process *p = fake_fork();
    struct task *t = p->threads;
    fake_run(t);
    sig_send(p, NULL, SIGCHLD, NULL);
    assert_int_equal(p->sigpending, 0);
    set_action(SIGUSR1, KSIG_IGN, 0, 0);
    sig_send(p, NULL, SIGUSR1, NULL);
    assert_int_equal(p->sigpending, 0);
    set_mask(SIG_BIT(SIGUSR1));
    sig_send(p, NULL, SIGUSR1, NULL);
    assert_true(p->sigpending & SIG_BIT(SIGUSR1));
    assert_false(t->work & WORK_SIGNAL);
    set_action(SIGUSR1, KSIG_IGN, 0, 0); /* drops what is pending */
    assert_int_equal(p->sigpending, 0);
}

static void default_ends_the_group(void **state)
{
    struct process *p = fake_fork();
    fake_run(p->threads);
    struct task *t2 = fake_clone(CLONE_VM | CLONE_SIGHAND | CLONE_THREAD);
    fake_run(process_init()->threads);
    fake_wakes = 0;
    sig_send(p, NULL, SIGTERM, NULL);
    assert_true(p->dying);
    assert_int_equal(p->exit_status, SIGTERM);
    assert_true(p->threads->work & WORK_EXIT);
    assert_true(t2->work & WORK_EXIT);
    assert_true(was_woken(t2) && was_woken(p->threads));
}

static void init_is_protected(void **state)
{
    struct process *init = process_init();
    sig_send(init, NULL, SIGKILL, NULL);
    sig_send(init, NULL, SIGTERM, NULL);
    sig_send(init, NULL, SIGSTOP, NULL);
    assert_false(init->dying);
    assert_int_equal(init->sigpending, 0);
    assert_int_equal(init->threads->work, 0);
    set_action(SIGTERM, HANDLER, 0, 0);
    sig_send(init, NULL, SIGTERM, NULL);
    assert_true(init->threads->work & WORK_SIGNAL);
}

static void frame_is_linux_and_returns(void **state)
{
    struct process *p = fake_fork();
    struct task *t = p->threads;
    fake_run(t);
    struct nx_state *s = regs();
    set_action(SIGUSR1, HANDLER, SA_SIGINFO, SIG_BIT(SIGUSR2));
    set_mask(SIG_BIT(SIGHUP));
    for (int i = 0; i < 32; i++)
        s->reg[i] = 0x1000u + (unsigned)i;
    s->reg[2] = STACK + 8;
    s->flags = NX_FS_FP_USED;
    s->fp[3] = 0x3ff0;
    s->fcsr = 5;
    uint64_t before[32];
    memcpy(before, s->reg, sizeof before);

    struct ksiginfo info = sig_info_user(SIGUSR1, SI_USER);
    sig_send(p, NULL, SIGUSR1, &info);
    signal_work(t, 0);
    uint64_t sp = s->reg[2];
    assert_int_equal(sp, (STACK + 8 - 1088) & ~15ull);
    assert_int_equal(s->reg[0], HANDLER);
    assert_int_equal(s->reg[1], 0x7000);
    assert_int_equal(s->reg[10], SIGUSR1);
    assert_int_equal(s->reg[11], sp);
    assert_int_equal(s->reg[12], sp + 128);
    assert_int_equal(get32(sp), SIGUSR1);                    /* si_signo */
    assert_int_equal(get32(sp + 16), (uint32_t)p->pid);      /* si_pid */
    assert_int_equal(get64(sp + 128 + 40), SIG_BIT(SIGHUP)); /* uc_sigmask */
    assert_int_equal(get64(sp + 128 + 176), before[0]);      /* pc */
    assert_int_equal(get64(sp + 128 + 176 + 31 * 8), before[31]);
    assert_int_equal(get64(sp + 128 + 176 + 256 + 3 * 8), 0x3ff0);
    assert_int_equal(get32(sp + 128 + 176 + 256 + 256), 5); /* fcsr */
    assert_int_equal(t->sigmask, SIG_BIT(SIGHUP) | SIG_BIT(SIGUSR1) | SIG_BIT(SIGUSR2));

    s->reg[20] = 99;
    s->fp[3] = 0;
    put64(sp + 128 + 176 + 8 * 8, 0xabc); /* the handler changed s0 in its context */
    assert_true(sys_rt_sigreturn((const uint64_t[6]){0}) >= 0);
    before[8] = 0xabc;
    assert_memory_equal(s->reg, before, sizeof before);
    assert_int_equal(s->fp[3], 0x3ff0);
    assert_true(s->flags & NX_FS_FP_LOAD);
    assert_int_equal(t->sigmask, SIG_BIT(SIGHUP));
}

static void bad_frames_are_segv(void **state)
{
    struct process *p = fake_fork();
    fake_run(p->threads);
    regs()->reg[2] = 0x1; /* rt_sigreturn without a frame */
    sys_rt_sigreturn((const uint64_t[6]){0});
    assert_true(p->dying);
    assert_int_equal(p->exit_status, SIGSEGV);

    fake_run(process_init()->threads);
    p = fake_fork();
    fake_run(p->threads);
    set_action(SIGUSR1, HANDLER, 0, 0);
    regs()->reg[2] = 0x100; /* no stack to put one on */
    sig_send(p, NULL, SIGUSR1, NULL);
    signal_work(p->threads, 0);
    assert_int_equal(p->exit_status, SIGSEGV);
}

static void alternate_stack(void **state)
{
    struct process *p = fake_fork();
    struct task *t = p->threads;
    fake_run(t);
    struct kstack ss = {.sp = U + 0x2000, .size = 1024};
    mb_copy_out(U, &ss, sizeof ss);
    assert_int_equal(CALL_(sigaltstack, U), -ENOMEM);
    ss.size = 4096;
    mb_copy_out(U, &ss, sizeof ss);
    assert_int_equal(CALL_(sigaltstack, U), 0);
    set_action(SIGSEGV, HANDLER, SA_ONSTACK | SA_NODEFER, 0);
    regs()->reg[2] = STACK;
    sig_force_fault(SIGSEGV, SEGV_MAPERR, 0x123);
    signal_work(t, 0);
    assert_int_equal(regs()->reg[2], U + 0x2000 + 4096 - 1088);
    mb_copy_out(U, &ss, sizeof ss);
    assert_int_equal(CALL_(sigaltstack, U), -EPERM);
    /* twice more fit, the next would run out of it at the bottom */
    for (int i = 0; i < 2; i++) {
        sig_force_fault(SIGSEGV, SEGV_MAPERR, 0x123);
        signal_work(t, 0);
        assert_false(p->dying);
    }
    sig_force_fault(SIGSEGV, SEGV_MAPERR, 0x123);
    signal_work(t, 0);
    assert_int_equal(p->exit_status, SIGSEGV);
}

static void restart_rules(void **state)
{
    static const struct {
        long result;
        uint64_t flags;
        bool handler, again;
    } cases[] = {
        {-ERESTARTSYS, 0, true, false},
        {-ERESTARTSYS, SA_RESTART, true, true},
        {-ERESTARTNOHAND, SA_RESTART, true, false},
        {-ERESTART_BLOCK, SA_RESTART, true, false},
        {-ERESTARTNOINTR, 0, true, true},
        {-ERESTARTSYS, 0, false, true},
        {-ERESTARTNOHAND, 0, false, true},
        {-ERESTART_BLOCK, 0, false, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fake_run(process_init()->threads);
        struct process *p = fake_fork();
        struct task *t = p->threads;
        fake_run(t);
        struct nx_state *s = regs();
        s->reg[0] = 0x2004;
        s->reg[2] = STACK;
        s->reg[17] = 63;
        t->orig_a0 = 7;
        s->reg[10] = (uint64_t)cases[i].result;
        if (cases[i].handler) {
            set_action(SIGUSR1, HANDLER, cases[i].flags, 0);
            sig_send(p, NULL, SIGUSR1, NULL);
        }
        signal_work(t, cases[i].result);
        uint64_t pc = s->reg[0], a0 = s->reg[10];
        if (cases[i].handler) {
            pc = get64(s->reg[2] + 128 + 176);
            a0 = get64(s->reg[2] + 128 + 176 + 10 * 8);
        }
        assert_int_equal(pc, cases[i].again ? 0x2000 : 0x2004);
        assert_int_equal(a0, cases[i].again ? 7 : (uint64_t)-EINTR);
        if (!cases[i].handler)
            assert_int_equal(s->reg[17], cases[i].result == -ERESTART_BLOCK ? 128 : 63);
    }
}

static void wake_by_usr1(void)
{
    sig_send(process_init()->children, NULL, SIGUSR1, NULL);
}

static void sigsuspend_returns_to_the_old_mask(void **state)
{
    struct process *p = fake_fork();
    struct task *t = p->threads;
    fake_run(t);
    set_action(SIGUSR1, HANDLER, 0, 0);
    set_mask(SIG_BIT(SIGUSR1) | SIG_BIT(SIGUSR2));
    regs()->reg[2] = STACK;
    on_park(wake_by_usr1);
    put64(U, SIG_BIT(SIGUSR2));
    assert_int_equal(CALL_(rt_sigsuspend, U, 8), -ERESTARTNOHAND);
    assert_int_equal(t->sigmask, SIG_BIT(SIGUSR2));
    signal_work(t, -ERESTARTNOHAND);
    assert_int_equal(regs()->reg[0], HANDLER);
    assert_int_equal(get64(regs()->reg[2] + 128 + 40), SIG_BIT(SIGUSR1) | SIG_BIT(SIGUSR2));
    sys_rt_sigreturn((const uint64_t[6]){0});
    assert_int_equal(t->sigmask, SIG_BIT(SIGUSR1) | SIG_BIT(SIGUSR2));
}

static void timedwait_takes_even_what_would_be_ignored(void **state)
{
    struct process *p = fake_fork();
    struct task *t = p->threads;
    fake_run(t);
    set_action(SIGUSR1, KSIG_IGN, 0, 0);
    set_mask(SIG_BIT(SIGUSR1));
    on_park(wake_by_usr1);
    put64(U, SIG_BIT(SIGUSR1));
    assert_int_equal(CALL_(rt_sigtimedwait, U, 0, 0, 8), SIGUSR1);
    assert_int_equal(t->sigmask, SIG_BIT(SIGUSR1));
    assert_int_equal(t->work, 0);
    put64(U + 64, 0); /* a timeout */
    put64(U + 72, 1000);
    assert_int_equal(CALL_(rt_sigtimedwait, U, 0, U + 64, 8), -EAGAIN);
}

static void blocked_signals_move_to_another_thread(void **state)
{
    struct process *p = fake_fork();
    fake_run(p->threads);
    struct task *t2 = fake_clone(CLONE_VM | CLONE_SIGHAND | CLONE_THREAD);
    set_action(SIGUSR1, HANDLER, 0, 0);
    sig_send(p, NULL, SIGUSR1, NULL);
    assert_true(p->threads->work & WORK_SIGNAL);
    assert_false(t2->work & WORK_SIGNAL);
    set_mask(SIG_BIT(SIGUSR1));
    assert_false(p->threads->work & WORK_SIGNAL);
    assert_true(t2->work & WORK_SIGNAL);
}

static void stop_and_continue(void **state)
{
    struct process *p = fake_fork(), *init = process_init();
    struct task *t = p->threads;
    pgrp_leave(p); /* a job of its own, so that it is not orphaned */
    pgrp_join(p, p->pid_ref);
    sig_send(p, NULL, SIGTSTP, NULL);
    assert_true(t->work & WORK_SIGNAL);
    sig_send(p, NULL, SIGCONT, NULL); /* takes it away again */
    assert_int_equal(p->sigpending & SIGSET_STOP, 0);

    sig_send(p, NULL, SIGSTOP, NULL);
    fake_run(t);
    struct ksiginfo info;
    assert_int_equal(sig_dequeue(t, SIG_BIT(SIGSTOP), &info), SIGSTOP);
    proc_stop(p, SIGSTOP);
    assert_false(p->stopped);
    fake_run(init->threads);
    /* it comes by and sleeps; meanwhile we see it and continue it */
    proc_stop_counted(p);
    assert_true(p->stopped);
    assert_int_equal(CALL_(wait4, (uint64_t)-1, U, 2 | 1), p->pid); /* WUNTRACED | WNOHANG */
    assert_int_equal(get32(U), SIGSTOP << 8 | 0x7f);
    assert_int_equal(CALL_(wait4, (uint64_t)-1, U, 2 | 1), 0); /* told once */
    sig_send(p, NULL, SIGCONT, NULL);
    assert_false(p->stopped);
    assert_int_equal(CALL_(wait4, (uint64_t)-1, U, 8 | 1), p->pid); /* WCONTINUED */
    assert_int_equal(get32(U), 0xffff);
    /* a stopped process dies of SIGKILL at once */
    proc_stop(p, SIGSTOP);
    proc_stop_counted(p);
    sig_send(p, NULL, SIGKILL, NULL);
    assert_true(p->dying && !p->stopped);
}

static void kill_permissions_and_errors(void **state)
{
    struct process *p = fake_fork(), *q = fake_fork();
    assert_int_equal(CALL_(kill, 9999, SIGTERM), -ESRCH);
    assert_int_equal(CALL_(kill, (uint64_t)p->pid, 65), -EINVAL);
    assert_int_equal(CALL_(kill, (uint64_t)p->pid, 0), 0);
    fake_run(q->threads);
    assert_int_equal(CALL_(setuid, 1000), 0);
    assert_int_equal(CALL_(kill, (uint64_t)p->pid, SIGTERM), -EPERM);
    assert_int_equal(CALL_(kill, (uint64_t)p->pid, SIGCONT), 0); /* same session */
    assert_int_equal(CALL_(tgkill, (uint64_t)p->pid, (uint64_t)q->pid, 0), -ESRCH);
    assert_int_equal(CALL_(tkill, 0, 0), -EINVAL);
    struct ksiginfo info = {.code = SI_USER};
    mb_copy_out(U, &info, sizeof info);
    assert_int_equal(CALL_(rt_sigqueueinfo, (uint64_t)p->pid, SIGUSR1, U), -EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(standard_coalesce_realtime_queue),
        TEST(queue_is_limited),
        TEST(ignored_ones_vanish_unless_blocked),
        TEST(default_ends_the_group),
        TEST(init_is_protected),
        TEST(frame_is_linux_and_returns),
        TEST(bad_frames_are_segv),
        TEST(alternate_stack),
        TEST(restart_rules),
        TEST(sigsuspend_returns_to_the_old_mask),
        TEST(timedwait_takes_even_what_would_be_ignored),
        TEST(blocked_signals_move_to_another_thread),
        TEST(stop_and_continue),
        TEST(kill_permissions_and_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
