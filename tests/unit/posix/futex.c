/*
 * futex and robust lists.
 * test-sources: posix/signal/?*.c posix/thread/?*.c posix/time/?*.c posix/trace/?*.c posix/tty/?*.c posix/poll/waitq.c
 * test-sources: posix/proc/clone.c posix/proc/exec.c posix/proc/exit.c posix/proc/ids.c posix/proc/init.c posix/proc/job.c
 * test-sources: posix/proc/life.c posix/proc/pgrp.c posix/proc/pid.c posix/proc/rlimit.c posix/proc/rusage.c posix/proc/tree.c
 * test-sources: posix/proc/user.c posix/proc/vfork.c posix/proc/wait.c posix/proc/pidfd.c posix/proc/caps.c
 * test-sources: posix/proc/groups.c
 */
#include <linux/futex.h>
#include <linux/sched.h>
#include "proc_fake.h"
#include "thread/thread.h"

#define WORD MEM_BASE
#define WORD2 (MEM_BASE + 8)
#define TIME (MEM_BASE + 64)
#define LIST (MEM_BASE + 0x100)
#define PRIVATE FUTEX_PRIVATE_FLAG
#define THREAD (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_FILES | CLONE_FS)

static struct process *proc;

static void a_process(void)
{
    proc = fake_fork();
    fake_run(proc->threads);
}

static void errors(void **state)
{
    a_process();
    put32(WORD, 1);
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAIT, 0), -EAGAIN);
    assert_int_equal(CALL_(futex, WORD + 1, FUTEX_WAIT, 0), -EINVAL);
    assert_int_equal(CALL_(futex, 0, FUTEX_WAIT, 0), -EFAULT);
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAIT_BITSET, 1, 0, 0, 0), -EINVAL);
    assert_int_equal(CALL_(futex, WORD, FUTEX_UNLOCK_PI), -EPERM);
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1), -ENOSYS);
    put64(TIME, 0);
    put64(TIME + 8, 1000000000);
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAIT, 1, TIME), -EINVAL);
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAKE, 1), 0);
}

static void wake_one(void)
{
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAKE | PRIVATE, 1), 1);
}

static void woken(void **state)
{
    a_process();
    on_park(wake_one);
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAIT | PRIVATE, 0), 0);
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAKE | PRIVATE, 1), 0);
}

static void wake_from_elsewhere(void)
{
    /* the same word, but private to another space */
    fake_run(process_init()->threads);
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAKE | PRIVATE, 1), 0);
}

static void wake_shared_from_elsewhere(void)
{
    fake_run(process_init()->threads);
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAKE, 1), 1);
}

static void private_and_shared(void **state)
{
    a_process();
    on_park(wake_from_elsewhere);
    on_park(wake_one);
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAIT | PRIVATE, 0), 0);
    on_park(wake_shared_from_elsewhere);
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAIT, 0), 0);
}

static void timeouts(void **state)
{
    a_process();
    put64(TIME, 0);
    put64(TIME + 8, 5000);
    uint64_t before = mb_host_time;
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAIT, 0, TIME), -ETIMEDOUT);
    assert_int_equal(mb_host_time, before + 5000);
    put64(TIME + 8, mb_host_time + 300); /* absolute */
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAIT_BITSET, 0, TIME, 0, 1), -ETIMEDOUT);
    assert_int_equal(mb_host_time, before + 5300);
    put64(TIME + 8, 0); /* long past */
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAIT_BITSET, 0, TIME, 0, 1), -ETIMEDOUT);
}

static void send_handled(void)
{
    proc->threads->sighand->action[SIGUSR1 - 1].handler = 0x4000;
    sig_send(proc, NULL, SIGUSR1, NULL);
}

static void signals(void **state)
{
    a_process();
    on_park(send_handled);
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAIT, 0), -ERESTARTSYS);
    put64(TIME, 1);
    put64(TIME + 8, 0);
    proc->threads->work = 0;
    sig_flush_process(proc);
    on_park(send_handled);
    uint64_t end = mb_host_time + 1000000000;
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAIT, 0, TIME), -ERESTART_BLOCK);
    proc->threads->work = 0;
    sig_flush_process(proc);
    mb_host_time += 1000;
    assert_int_equal(sys_restart_syscall((const uint64_t[6]){0}), -ETIMEDOUT);
    assert_int_equal(mb_host_time, end); /* not longer than first asked for */
}

static void wake_bits(void)
{
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAKE_BITSET, 9, 0, 0, 2), 0);
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAKE_BITSET, 9, 0, 0, 4), 1);
}

static void bitsets(void **state)
{
    a_process();
    on_park(wake_bits);
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAIT_BITSET, 0, 0, 0, 5), 0);
}

static void requeue(void)
{
    put32(WORD, 1);
    assert_int_equal(CALL_(futex, WORD, FUTEX_CMP_REQUEUE, 0, 5, WORD2, 0), -EAGAIN);
    assert_int_equal(CALL_(futex, WORD, FUTEX_CMP_REQUEUE, 0, 5, WORD2, 1), 1);
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAKE, 1), 0);
    assert_int_equal(CALL_(futex, WORD2, FUTEX_WAKE, 1), 1);
}

static void requeues(void **state)
{
    a_process();
    on_park(requeue);
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAIT, 0), 0);
}

static uint64_t encode(uint32_t op, uint32_t arg, uint32_t cmp, uint32_t cmp_arg)
{
    return op << 28 | cmp << 24 | arg << 12 | cmp_arg;
}

static void wake_op(void)
{
    put32(WORD2, 5);
    /* WORD2 += -3; wake there too if it was > 4 */
    uint64_t op = encode(FUTEX_OP_ADD, 0xffd, FUTEX_OP_CMP_GT, 4);
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAKE_OP, 1, 1, WORD2, op), 1);
    assert_int_equal(get32(WORD2), 2);
}

static void wake_ops(void **state)
{
    a_process();
    on_park(wake_op);
    assert_int_equal(CALL_(futex, WORD2, FUTEX_WAIT, 0), 0);
    put32(WORD2, 0);
    uint64_t op = encode(FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT, 4, FUTEX_OP_CMP_EQ, 1);
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAKE_OP, 1, 1, WORD2, op), 0);
    assert_int_equal(get32(WORD2), 16);
    assert_int_equal(CALL_(futex, WORD, FUTEX_WAKE_OP, 1, 1, WORD2, 7u << 28), -ENOSYS);
}

/* ---- robust lists ---- */

static uint64_t node(int i)
{
    return LIST + 0x20 + (uint64_t)i * 0x10; /* the word lies 8 behind it */
}

static void robust(void **state)
{
    a_process();
    struct task *t = fake_clone(THREAD);
    put64(LIST, node(0));
    put64(LIST + 8, 8);
    put64(LIST + 16, node(2)); /* pending */
    put64(node(0), node(1));
    put32(node(0) + 8, (uint32_t)t->tid);
    put64(node(1), LIST);
    put32(node(1) + 8, 12345); /* somebody else's */
    put32(node(2) + 8, (uint32_t)t->tid | FUTEX_WAITERS);
    t->robust_list = LIST;
    fake_exit(t, 0);
    assert_int_equal(get32(node(0) + 8), FUTEX_OWNER_DIED);
    assert_int_equal(get32(node(1) + 8), 12345);
    assert_int_equal(get32(node(2) + 8), FUTEX_OWNER_DIED | FUTEX_WAITERS);
}

static void hostile_lists_end(void **state)
{
    a_process();
    struct task *t = fake_clone(THREAD);
    put64(LIST, node(0)); /* a ring that never comes back to its head */
    put64(LIST + 8, 8);
    put64(LIST + 16, 0);
    put64(node(0), node(0));
    t->robust_list = LIST;
    fake_exit(t, 0);
    t = fake_clone(THREAD);
    put64(LIST, 0xffffffc000000000ul);
    t->robust_list = LIST;
    fake_exit(t, 0);
    t = fake_clone(THREAD);
    t->robust_list = 3;
    fake_exit(t, 0);
    assert_int_equal(CALL_(set_robust_list, LIST, 23), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(errors),
        TEST(woken),
        TEST(private_and_shared),
        TEST(timeouts),
        TEST(signals),
        TEST(bitsets),
        TEST(requeues),
        TEST(wake_ops),
        TEST(robust),
        TEST(hostile_lists_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
