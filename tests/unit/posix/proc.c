/*
 * Processes: clone, exit, wait, groups and sessions, ids, exec of a threaded process.
 * test-sources: posix/signal/?*.c posix/thread/?*.c posix/time/?*.c posix/trace/?*.c posix/tty/?*.c posix/poll/waitq.c
 * test-sources: posix/proc/clone.c posix/proc/exec.c posix/proc/exit.c posix/proc/ids.c posix/proc/init.c posix/proc/job.c
 * test-sources: posix/proc/life.c posix/proc/pgrp.c posix/proc/pid.c posix/proc/rlimit.c posix/proc/rusage.c posix/proc/tree.c
 * test-sources: posix/proc/user.c posix/proc/vfork.c posix/proc/wait.c posix/proc/pidfd.c posix/proc/caps.c
 * test-sources: posix/proc/groups.c
 */
#include <linux/sched.h>
#include "proc_fake.h"
#include "signal/signal_int.h"

#define U MEM_BASE
#define WUNTRACED_ 2
#define WNOWAIT_ 0x01000000
#define WEXITED_ 4
#define THREAD (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_FILES | CLONE_FS)

static struct task *init_thread(void)
{
    return process_init()->threads;
}

/* ---- clone ---- */

static void flags_that_do_not_go_together(void **state)
{
    assert_int_equal(CALL_(clone, CLONE_THREAD), -EINVAL);
    assert_int_equal(CALL_(clone, CLONE_THREAD | CLONE_SIGHAND), -EINVAL);
    assert_int_equal(CALL_(clone, CLONE_SIGHAND), -EINVAL);
    assert_int_equal(CALL_(clone, CLONE_NEWNS), -EINVAL);
    assert_int_equal(CALL_(clone, CLONE_PARENT | SIGCHLD), -EINVAL); /* of pid 1 */
    assert_int_equal(CALL_(clone, 65), -EINVAL);
}

static void thread_shares_process_copies(void **state)
{
    struct process *p = fake_fork();
    fake_run(p->threads);
    put32(U, 0);
    regs()->reg[2] = 111;
    regs()->reg[4] = 222;
    long tid = CALL_(clone, THREAD | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
                     0x9000, U, 0x8000, U + 4);
    struct task *t = task_find((int)tid), *me = p->threads;
    assert_ptr_equal(t->proc, p);
    assert_ptr_equal(t->mm, me->mm);
    assert_ptr_equal(t->files, me->files);
    assert_ptr_equal(t->sighand, me->sighand);
    assert_int_equal(get32(U), tid);
    assert_int_equal(t->clear_tid, U + 4);
    assert_int_equal(t->fiber->state->reg[2], 0x9000);
    assert_int_equal(t->fiber->state->reg[4], 0x8000);
    assert_int_equal(t->fiber->state->reg[10], 0);
    assert_int_equal(p->nthreads, 2);

    struct process *c = fake_fork();
    assert_ptr_not_equal(c, p);
    assert_ptr_not_equal(c->threads->mm, me->mm);
    assert_ptr_not_equal(c->threads->sighand, me->sighand);
    assert_int_equal(c->threads->fiber->state->reg[2], 111);
    assert_int_equal(c->threads->fiber->state->reg[4], 222);
    assert_ptr_equal(c->parent, p);
    assert_int_equal(c->pgid, p->pgid);
}

static void limits_stop_a_fork_bomb(void **state)
{
    struct process *p = fake_fork();
    fake_run(p->threads);
    assert_int_equal(CALL_(setuid, 1000), 0);
    p->rlimit[6][0] = 3; /* RLIMIT_NPROC */
    fake_fork();
    fake_fork();
    assert_int_equal(CALL_(clone, SIGCHLD), -EAGAIN);
    p->rlimit[6][0] = 1000;
    while (CALL_(clone, SIGCHLD) > 0) /* until the fake has no more fibers */
        ;
    int64_t heap = fake_heap;
    unsigned tasks = proc_task_count();
    assert_int_equal(CALL_(clone, SIGCHLD), -EAGAIN);
    assert_int_equal(fake_heap, heap);
    assert_int_equal(proc_task_count(), tasks);
}

static void a_pending_signal_comes_first(void **state)
{
    struct process *p = fake_fork();
    fake_run(p->threads);
    struct ksigaction a = {0x4000, 0, 0};
    mb_copy_out(U, &a, sizeof a);
    CALL_(rt_sigaction, SIGUSR1, U, 0, 8);
    sig_send(p, NULL, SIGUSR1, NULL);
    assert_int_equal(CALL_(clone, SIGCHLD), -ERESTARTNOINTR);
}

static struct task *vfork_child;
static void vfork_child_execs(void)
{
    vfork_child = process_init()->children->last_child->threads;
    assert_ptr_equal(vfork_child->vfork->proc, process_init()->children);
    fake_run(vfork_child);
    vfork_child->mm->refs--; /* exec gives the borrowed space back ... */
    vfork_child->mm = mm_make(true);
    proc_exec_commit("child", false);
}

static void vfork_waits_for_exec(void **state)
{
    struct process *p = fake_fork();
    fake_run(p->threads);
    on_park(vfork_child_execs);
    long pid = CALL_(clone, CLONE_VM | CLONE_VFORK | SIGCHLD);
    assert_true(pid > 0);
    assert_null(vfork_child->vfork);
    assert_string_equal(vfork_child->comm, "child");
}

static void kill_parent(void)
{
    sig_send(process_init()->children, NULL, SIGKILL, NULL);
}

static void vfork_parent_may_be_killed(void **state)
{
    struct process *p = fake_fork();
    fake_run(p->threads);
    on_park(kill_parent);
    long pid = CALL_(clone, CLONE_VM | CLONE_VFORK | SIGCHLD);
    assert_null(task_find((int)pid)->vfork);
}

/* ---- exit and wait ---- */

static void wait_tells_the_status_once(void **state)
{
    struct process *p = fake_fork();
    int pid = p->pid;
    assert_int_equal(CALL_(wait4, (uint64_t)-1, U, WNOHANG_), 0);
    fake_exit(p->threads, 0x103);
    assert_true(p->zombie);
    assert_int_equal(CALL_(waitid, 1, (uint64_t)pid, U, WEXITED_ | WNOWAIT_), 0);
    assert_int_equal(get32(U), SIGCHLD);
    assert_int_equal(get32(U + 8), CLD_EXITED);
    assert_int_equal(get32(U + 16), (uint32_t)pid);
    assert_int_equal(get32(U + 24), 3);
    assert_int_equal(CALL_(wait4, (uint64_t)pid, U, 0), pid);
    assert_int_equal(get32(U), 3 << 8);
    assert_int_equal(CALL_(wait4, (uint64_t)pid, U, 0), -ECHILD);
    assert_null(process_find(pid));
}

static void wait_errors(void **state)
{
    assert_int_equal(CALL_(wait4, (uint64_t)-1, 0, 0), -ECHILD);
    assert_int_equal(CALL_(wait4, (uint64_t)-1, 0, 0x100), -EINVAL);
    assert_int_equal(CALL_(wait4, 0x80000000u, 0, 0), -ESRCH);
    assert_int_equal(CALL_(waitid, 0, 0, 0, WNOHANG_), -EINVAL);
    assert_int_equal(CALL_(waitid, 7, 0, 0, WEXITED_), -EINVAL);
    assert_int_equal(CALL_(waitid, 1, 0, 0, WEXITED_), -EINVAL);
    struct process *p = fake_fork();
    assert_int_equal(CALL_(waitid, 0, 0, U, WEXITED_ | WNOHANG_), 0);
    assert_int_equal(get32(U), 0);
    fake_exit(p->threads, 0);
    assert_int_equal(CALL_(wait4, (uint64_t)p->pid, 1, 0), -EFAULT); /* reaped all the same */
    assert_int_equal(CALL_(wait4, (uint64_t)-1, 0, 0), -ECHILD);
}

static void first_child_exits(void)
{
    fake_exit(process_init()->children->threads, 7);
}

static void wait_sleeps_until_an_exit(void **state)
{
    struct process *p = fake_fork(), *q = fake_fork();
    on_park(first_child_exits);
    assert_int_equal(CALL_(wait4, (uint64_t)-1, U, 0), p->pid);
    assert_int_equal(get32(U), 7 << 8);
    assert_false(q->zombie);
}

static void selects_by_group_and_kind(void **state)
{
    struct process *p = fake_fork(), *q = fake_fork();
    pgrp_leave(q);
    pgrp_join(q, q->pid_ref);
    int qid = q->pid;
    fake_exit(p->threads, 0);
    assert_int_equal(CALL_(wait4, (uint64_t)-qid, U, WNOHANG_), 0);
    fake_exit(q->threads, 0);
    assert_int_equal(CALL_(wait4, (uint64_t)-qid, U, WNOHANG_), qid);
    struct process *r = fake_clone(SIGUSR1)->proc; /* a "clone child": needs __WALL or __WCLONE */
    fake_exit(r->threads, 0);
    assert_int_equal(CALL_(wait4, (uint64_t)r->pid, U, 0), -ECHILD);
    assert_int_equal(CALL_(wait4, (uint64_t)r->pid, U, 0x80000000u), r->pid);
}

static void ignored_children_go_at_once(void **state)
{
    struct process *p = fake_fork();
    fake_run(p->threads);
    struct ksigaction ign = {KSIG_IGN, 0, 0};
    mb_copy_out(U, &ign, sizeof ign);
    CALL_(rt_sigaction, SIGCHLD, U, 0, 8);
    struct process *c = fake_fork();
    int pid = c->pid;
    fake_exit(c->threads, 0);
    assert_null(process_find(pid));
    assert_int_equal(CALL_(wait4, (uint64_t)-1, U, 0), -ECHILD);
}

static void orphans_come_to_init(void **state)
{
    struct process *p = fake_fork();
    fake_run(p->threads);
    struct process *c = fake_fork(), *z = fake_fork();
    int zid = z->pid;
    c->threads->pdeath_signal = SIGKILL;
    fake_exit(z->threads, 1);
    fake_run(init_thread());
    fake_exit(p->threads, 0);
    assert_ptr_equal(c->parent, process_init());
    assert_true(c->dying); /* pdeath signal */
    assert_int_equal(CALL_(wait4, (uint64_t)zid, U, WNOHANG_), zid);
}

static void the_last_thread_ends_the_process(void **state)
{
    struct process *p = fake_fork();
    fake_run(p->threads);
    struct task *t2 = fake_clone(THREAD), *t1 = p->threads;
    t2->clear_tid = U;
    put32(U, 77);
    fake_run(init_thread());
    fake_exit(t1, 5); /* the leader: the process goes on */
    assert_false(p->zombie);
    assert_ptr_equal(process_find(p->pid), p);
    assert_null(task_find(p->pid));
    fake_exit(t2, 6);
    assert_true(p->zombie);
    assert_int_equal(p->exit_status, 6 << 8);
    assert_int_equal(get32(U), 77); /* nobody left who could look */
}

static void clear_tid_tells_the_others(void **state)
{
    struct process *p = fake_fork();
    fake_run(p->threads);
    struct task *t2 = fake_clone(THREAD);
    t2->clear_tid = U;
    put32(U, 77);
    fake_exit(t2, 0);
    assert_int_equal(get32(U), 0);
}

static void usage_is_handed_up(void **state)
{
    struct process *p = fake_fork();
    fake_run(p->threads);
    struct process *c = fake_fork();
    c->tax->sum.own_ticks = 3000000;
    c->tax->sum.ticks = 2000000;
    fake_exit(c->threads, 0);
    CALL_(wait4, (uint64_t)-1, U, 0, U + 64);
    assert_int_equal(get64(U + 64 + 8), 3000); /* ru_utime.tv_usec */
    uint64_t cu, cs;
    process_times(p, NULL, NULL, &cu, &cs);
    assert_int_equal(cu, 3000000);
    assert_int_equal(cs, 2000000);
}

/* ---- exec of a threaded process ---- */

static void others_end(void)
{
    struct process *p = process_init()->children;
    for (struct task *t = p->threads, *next; t; t = next) {
        next = t->next_thread;
        if (t != p->exec_task) {
            assert_true(t->work & WORK_EXIT);
            fake_exit(t, 0);
        }
    }
}

static void exec_ends_the_other_threads(void **state)
{
    struct process *p = fake_fork();
    fake_run(p->threads);
    struct task *t2 = fake_clone(THREAD);
    fake_clone(THREAD);
    int old = t2->tid;
    fake_run(t2);
    on_park(others_end);
    assert_int_equal(proc_exec_begin(), 0);
    assert_int_equal(p->nthreads, 1);
    assert_int_equal(t2->tid, p->pid);
    assert_ptr_equal(task_find(p->pid), t2);
    assert_null(pid_find(old));
    assert_false(p->zombie);
    struct ksigaction *act = t2->sighand->action;
    act[SIGUSR1 - 1].handler = 0x4000;
    act[SIGUSR2 - 1].handler = KSIG_IGN;
    proc_exec_commit("a-name-longer-than-fits", false);
    assert_int_equal(t2->sighand->action[SIGUSR1 - 1].handler, KSIG_DFL);
    assert_int_equal(t2->sighand->action[SIGUSR2 - 1].handler, KSIG_IGN);
    assert_string_equal(t2->comm, "a-name-longer-t");
}

/* ---- groups and sessions ---- */

static void setpgid_rules(void **state)
{
    struct process *p = fake_fork();
    fake_run(p->threads);
    assert_int_equal(CALL_(setsid), p->pid);
    assert_int_equal(CALL_(setsid), -EPERM);
    assert_int_equal(CALL_(setpgid, 0, 0), -EPERM); /* a session leader */
    struct process *c = fake_fork(), *d = fake_fork();
    assert_int_equal(CALL_(setpgid, (uint64_t)c->pid, (uint64_t)-1), -EINVAL);
    assert_int_equal(CALL_(setpgid, (uint64_t)c->pid, 9999), -EPERM);
    assert_int_equal(CALL_(setpgid, (uint64_t)c->pid, 0), 0);
    assert_int_equal(CALL_(getpgid, (uint64_t)c->pid), c->pid);
    assert_int_equal(CALL_(setpgid, (uint64_t)d->pid, (uint64_t)c->pid), 0);
    d->execed = true;
    assert_int_equal(CALL_(setpgid, (uint64_t)d->pid, 0), -EACCES);
    assert_int_equal(CALL_(setpgid, 1, 0), -ESRCH);
    assert_int_equal(CALL_(getsid, (uint64_t)d->pid), p->pid);
    fake_run(d->threads);
    assert_int_equal(CALL_(setsid), d->pid);
    fake_run(p->threads);
    assert_int_equal(CALL_(setpgid, (uint64_t)d->pid, 0), -EPERM); /* another session */
    /* the group's number stays taken while it has members, even when its founder is gone */
    int pgid = c->pid;
    struct process *e = fake_fork();
    CALL_(setpgid, (uint64_t)e->pid, (uint64_t)pgid);
    fake_exit(c->threads, 0);
    CALL_(wait4, (uint64_t)pgid, U, 0);
    assert_null(process_find(pgid));
    assert_non_null(pid_find(pgid));
    assert_int_equal(signal_pgrp(pgid, SIGKILL), 0);
    assert_true(e->dying);
}

static void stopped_orphans_are_continued(void **state)
{
    struct process *shell = fake_fork();
    fake_run(shell->threads);
    CALL_(setsid);
    struct process *job = fake_fork();
    CALL_(setpgid, (uint64_t)job->pid, 0);
    proc_stop(job, SIGTSTP);
    proc_stop_counted(job);
    assert_true(job->stopped);
    fake_run(init_thread());
    fake_exit(shell->threads, 0);
    assert_false(job->stopped);
    fake_run(job->threads);
    assert_true(job->threads->work & WORK_SIGNAL);
    signal_work(job->threads, 0);
    assert_true(job->dying); /* SIGHUP's default */
    assert_int_equal(job->exit_status, SIGHUP);
}

/* ---- ids ---- */

static void ids_follow_linux(void **state)
{
    struct process *p = fake_fork();
    fake_run(p->threads);
    struct cred *c = &p->threads->cred;
    assert_int_equal(CALL_(setresuid, 1, 2, 3), 0);
    assert_true(c->ruid == 1 && c->euid == 2 && c->suid == 3 && c->fsuid == 2);
    assert_int_equal(CALL_(setuid, 0), -EPERM);
    assert_int_equal(CALL_(setuid, 3), 0);
    assert_true(c->ruid == 1 && c->euid == 3 && c->suid == 3);
    assert_int_equal(CALL_(setreuid, (uint64_t)-1, 1), 0);
    assert_true(c->ruid == 1 && c->euid == 1 && c->suid == 3); /* e == r: saved stays */
    assert_int_equal(CALL_(setreuid, 3, (uint64_t)-1), -EPERM);
    assert_int_equal(CALL_(setfsuid, 3), 1);
    assert_int_equal(CALL_(setfsuid, 9), 3);
    assert_int_equal(CALL_(setfsuid, (uint64_t)-1), 3);
    assert_int_equal(CALL_(setgroups, 0, 0), -EPERM);
    assert_int_equal(CALL_(getresuid, U, U + 4, U + 8), 0);
    assert_true(get32(U) == 1 && get32(U + 4) == 1 && get32(U + 8) == 3);
    assert_int_equal(p->threads->user->uid, 1);
}

static void limits(void **state)
{
    struct process *p = fake_fork();
    fake_run(p->threads);
    put64(U, 100);
    put64(U + 8, 50);
    assert_int_equal(CALL_(prlimit64, 0, 7, U, 0), -EINVAL);
    put64(U + 8, 200);
    assert_int_equal(CALL_(prlimit64, 0, 7, U, U + 32), 0);
    assert_int_equal(get64(U + 32), 1024);
    assert_int_equal(CALL_(setuid, 1), 0);
    put64(U + 8, 300);
    assert_int_equal(CALL_(setrlimit, 7, U), -EPERM);
    assert_int_equal(CALL_(prlimit64, 0, 16, 0, U), -EINVAL);
    assert_int_equal(CALL_(prlimit64, 1, 7, 0, U), -EPERM);
}

/* Last: there is no way back. */
static void the_end_of_init_is_the_machines(void **state)
{
    struct process *init = process_init();
    if (!setjmp(fake_off))
        fake_exit(init->threads, 42);
    assert_int_equal(fake_power, 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(flags_that_do_not_go_together),
        TEST(thread_shares_process_copies),
        TEST(limits_stop_a_fork_bomb),
        TEST(a_pending_signal_comes_first),
        TEST(vfork_waits_for_exec),
        TEST(vfork_parent_may_be_killed),
        TEST(wait_tells_the_status_once),
        TEST(wait_errors),
        TEST(wait_sleeps_until_an_exit),
        TEST(selects_by_group_and_kind),
        TEST(ignored_children_go_at_once),
        TEST(orphans_come_to_init),
        TEST(the_last_thread_ends_the_process),
        TEST(clear_tid_tells_the_others),
        TEST(usage_is_handed_up),
        TEST(exec_ends_the_other_threads),
        TEST(setpgid_rules),
        TEST(stopped_orphans_are_continued),
        TEST(ids_follow_linux),
        TEST(limits),
        cmocka_unit_test_setup(the_end_of_init_is_the_machines, fake_setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
