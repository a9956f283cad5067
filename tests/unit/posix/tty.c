/*
 * Terminals: reading and writing through the line discipline, job control, ioctls.
 * test-sources: posix/signal/?*.c posix/thread/?*.c posix/time/?*.c posix/trace/?*.c posix/tty/?*.c posix/poll/waitq.c
 * test-sources: posix/proc/clone.c posix/proc/exec.c posix/proc/exit.c posix/proc/ids.c posix/proc/init.c posix/proc/job.c
 * test-sources: posix/proc/life.c posix/proc/pgrp.c posix/proc/pid.c posix/proc/rlimit.c posix/proc/rusage.c posix/proc/tree.c
 * test-sources: posix/proc/user.c posix/proc/vfork.c posix/proc/wait.c posix/proc/pidfd.c posix/proc/caps.c
 * test-sources: posix/proc/groups.c
 */
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include "proc_fake.h"
#include "signal/signal_int.h"

#define U MEM_BASE

static struct file file;
static struct process *shell;

static void type(const char *s)
{
    mb_console_input_hook(s, strlen(s));
}

static const char *screen(void)
{
    static char out[4096];
    size_t n = fake_console_len < sizeof out - 1 ? fake_console_len : sizeof out - 1;
    memcpy(out, fake_console, n);
    out[n] = 0;
    fake_console_len = 0;
    fake_console_room = sizeof fake_console;
    return out;
}

/* A shell that leads a session on the console, current. */
static void start(void)
{
    static bool made;
    if (!made)
        console_init();
    made = true;
    shell = fake_fork();
    fake_run(shell->threads);
    assert_int_equal(CALL_(setsid), shell->pid);
    memset(&file, 0, sizeof file);
    file.flags = O_RDWR;
    assert_int_equal(fake_open_console(&file), 0);
    assert_ptr_equal(tty_current(), file.priv);
    screen();
}

static struct process *job(void)
{
    struct process *p = fake_fork();
    assert_int_equal(CALL_(setpgid, (uint64_t)p->pid, 0), 0);
    return p;
}

static long tread(char *buf, size_t n)
{
    struct iobuf b = iobuf_kernel(buf, n);
    int64_t pos = 0;
    return file.ops->read(&file, &b, &pos);
}

static long twrite(const char *s)
{
    struct iobuf b = iobuf_kernel((void *)(uintptr_t)s, strlen(s));
    int64_t pos = 0;
    return file.ops->write(&file, &b, &pos);
}

static long ioctl_(uint64_t cmd, uint64_t arg)
{
    return file.ops->ioctl(&file, cmd, arg);
}

static void raw(uint8_t min, uint8_t time)
{
    struct termios t;
    assert_int_equal(ioctl_(TCGETS, U), 0);
    mb_copy_in(&t, U, sizeof t);
    t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    t.c_cc[VMIN] = min;
    t.c_cc[VTIME] = time;
    mb_copy_out(U, &t, sizeof t);
    assert_int_equal(ioctl_(TCSETS, U), 0);
}

static void cooked(void)
{
    struct termios t;
    ioctl_(TCGETS, U);
    mb_copy_in(&t, U, sizeof t);
    t.c_lflag |= ICANON | ECHO;
    t.c_lflag &= ~(tcflag_t)TOSTOP;
    mb_copy_out(U, &t, sizeof t);
    ioctl_(TCSETS, U);
}

static void type_rest(void)
{
    type("lo\nmore\n");
}

static void reads_a_line(void **state)
{
    char buf[64];
    start();
    type("hel");
    assert_string_equal(screen(), "hel");
    on_park(type_rest);
    assert_int_equal(tread(buf, sizeof buf), 6);
    assert_memory_equal(buf, "hello\n", 6);
    assert_int_equal(tread(buf, 2), 2);
    assert_int_equal(tread(buf, sizeof buf), 3);
    assert_memory_equal(buf, "re\n", 3);
    file.flags |= O_NONBLOCK;
    assert_int_equal(tread(buf, sizeof buf), -EAGAIN);
    type("\4"); /* end of file */
    assert_int_equal(tread(buf, sizeof buf), 0);
}

static void interrupt_key(void)
{
    type("\3");
}

static void keys_signal_the_foreground(void **state)
{
    char buf[8];
    start();
    struct process *p = job();
    put32(U, (uint32_t)p->pid);
    assert_int_equal(ioctl_(TIOCSPGRP, U), 0);
    type("\3");
    assert_true(p->dying);
    assert_int_equal(p->exit_status, SIGINT);
    assert_false(shell->dying);
    /* and end a read */
    put32(U, (uint32_t)shell->pid);
    assert_int_equal(ioctl_(TIOCSPGRP, U), -ENOTTY); /* from the background, and orphaned */
    sig_set_mask(shell->threads, SIG_BIT(SIGTTOU));
    assert_int_equal(ioctl_(TIOCSPGRP, U), 0);
    shell->threads->sighand->action[SIGINT - 1].handler = 0x4000;
    on_park(interrupt_key);
    assert_int_equal(tread(buf, sizeof buf), -ERESTARTSYS);
}

static void background_reads_and_writes(void **state)
{
    char buf[8];
    start();
    struct process *p = job();
    fake_run(p->threads);
    type("x\n");
    assert_int_equal(tread(buf, sizeof buf), -ERESTARTSYS);
    assert_true(p->sigpending & SIG_BIT(SIGTTIN));
    sig_flush_process(p);
    p->threads->sighand->action[SIGTTIN - 1].handler = KSIG_IGN;
    assert_int_equal(tread(buf, sizeof buf), -EIO);
    assert_int_equal(twrite("out"), 3); /* allowed without TOSTOP */
    struct termios t;
    fake_run(shell->threads);
    ioctl_(TCGETS, U);
    mb_copy_in(&t, U, sizeof t);
    t.c_lflag |= TOSTOP;
    mb_copy_out(U, &t, sizeof t);
    assert_int_equal(ioctl_(TCSETS, U), 0);
    fake_run(p->threads);
    p->threads->work = 0;
    assert_int_equal(twrite("out"), -ERESTARTSYS);
    assert_true(p->sigpending & SIG_BIT(SIGTTOU));
    sig_flush_process(p);
    p->threads->work = 0;
    assert_int_equal(ioctl_(TCSETS, U), -ERESTARTSYS); /* settings too */
    fake_run(shell->threads);
    fake_group_exit(p, SIGKILL);
    assert_int_equal(tread(buf, sizeof buf), 2); /* it is still there */
    cooked();
}

static void min_and_time(void **state)
{
    char buf[8];
    start();
    raw(0, 0);
    assert_int_equal(tread(buf, sizeof buf), 0);
    raw(0, 3);
    uint64_t before = mb_host_time;
    assert_int_equal(tread(buf, sizeof buf), 0);
    assert_int_equal(mb_host_time - before, 300000000);
    raw(1, 0);
    type("ab");
    assert_int_equal(tread(buf, sizeof buf), 2);
    raw(3, 0);
    type("a");
    on_park(type_rest);
    assert_true(tread(buf, 4) >= 3);
    ioctl_(TCFLSH, TCIFLUSH);
    cooked();
}

static void output_waits_for_room(void **state)
{
    static char big[6000];
    start();
    memset(big, 'x', sizeof big - 1);
    fake_console_room = 100;
    file.flags |= O_NONBLOCK;
    long n = twrite(big);
    assert_int_equal(n, 100 + TTY_OUT);
    assert_int_equal(twrite("y"), -EAGAIN);
    assert_int_equal(file.ops->poll(&file, NULL) & POLLOUT, 0);
    assert_int_equal(ioctl_(TIOCOUTQ, U), 0);
    assert_int_equal(get32(U), TTY_OUT);
    screen();
    mb_console_writable_hook();
    assert_int_equal(fake_console_len, TTY_OUT);
    assert_true(file.ops->poll(&file, NULL) & POLLOUT);
}

/* The driver has room again and has not said so yet: who comes next uses it, and does not sleep beside it. */
static void room_is_used_before_it_is_told(void **state)
{
    static char big[6000];
    start();
    memset(big, 'x', sizeof big - 1);
    fake_console_room = 0;
    file.flags |= O_NONBLOCK;
    assert_int_equal(twrite(big), TTY_OUT);
    screen();
    assert_int_equal(twrite("y"), 1);
    assert_int_equal(fake_console_len, TTY_OUT + 1);
}

static void a_large_paste_is_kept(void **state)
{
    static char line[101];
    char buf[128];
    start();
    raw(1, 0);
    memset(line, 'p', 100);
    for (int i = 0; i < 100; i++)
        type(line);
    long got = 0;
    while (got < 10000) {
        long n = tread(buf, 100);
        assert_true(n > 0);
        got += n;
    }
    file.flags |= O_NONBLOCK;
    assert_int_equal(tread(buf, 100), -EAGAIN);
    cooked();
}

static void window_size(void **state)
{
    start();
    struct process *p = job();
    put32(U, (uint32_t)p->pid);
    assert_int_equal(ioctl_(TIOCSPGRP, U), 0);
    p->threads->sighand->action[SIGWINCH - 1].handler = 0x4000;
    put64(U, 80u << 16 | 24);
    assert_int_equal(ioctl_(TIOCSWINSZ, U), 0);
    assert_true(p->sigpending & SIG_BIT(SIGWINCH));
    put64(U, 0);
    assert_int_equal(ioctl_(TIOCGWINSZ, U), 0);
    assert_int_equal(get64(U), 80u << 16 | 24);
}

static void controlling_terminal(void **state)
{
    start();
    struct file f2 = {.flags = O_RDWR};
    struct tty *console = file.priv;
    assert_int_equal(fake_open_tty(&f2), 0);
    assert_ptr_equal(f2.priv, console);
    tty_release(&f2);
    /* another session has none, and cannot take ours */
    struct process *other = fake_fork();
    fake_run(other->threads);
    CALL_(setsid);
    assert_int_equal(fake_open_tty(&f2), -ENXIO);
    assert_int_equal(fake_open_console(&f2), 0);
    assert_null(tty_current());
    tty_release(&f2);
    assert_int_equal(ioctl_(TIOCGPGRP, U), -ENOTTY);
    assert_int_equal(ioctl_(TIOCSPGRP, U), -ENOTTY);
    assert_int_equal(ioctl_(TIOCSCTTY, 0), -EPERM);
    assert_int_equal(ioctl_(TIOCSCTTY, 1), 0); /* root may steal it */
    assert_ptr_equal(console->session, other->session);
    assert_null(shell->session->tty);
    assert_int_equal(ioctl_(TIOCGSID, U), 0);
    assert_int_equal(get32(U), (uint32_t)other->pid);
    assert_int_equal(ioctl_(TIOCNOTTY, 0), 0);
    assert_null(console->session);
    assert_int_equal(ioctl_(0x1234, 0), -ENOTTY);
}

static void the_leaders_end_hangs_up(void **state)
{
    start();
    struct process *p = job();
    put32(U, (uint32_t)p->pid);
    ioctl_(TIOCSPGRP, U);
    struct process *background = job();
    struct tty *console = file.priv;
    fake_run(process_init()->threads);
    fake_exit(shell->threads, 0);
    assert_true(p->dying);
    assert_int_equal(p->exit_status, SIGHUP);
    assert_false(background->dying);
    assert_null(console->session);
    assert_int_equal(console->pgrp, 0);
}

/* ---- pseudo terminals ---- */

static struct file master;

static void open_pair(void)
{
    if (!fake_open_master)
        pty_init();
    memset(&master, 0, sizeof master);
    memset(&file, 0, sizeof file);
    master.flags = file.flags = O_RDWR | O_NOCTTY | O_NONBLOCK;
    assert_int_equal(fake_open_master(&master), 0);
    assert_int_equal(master.ops->ioctl(&master, TIOCGPTN, U), 0);
    unsigned index = get32(U);
    assert_int_equal(fake_open_slave(index, &file), -EIO); /* locked */
    put32(U, 0);
    assert_int_equal(master.ops->ioctl(&master, TIOCSPTLCK, U), 0);
    assert_int_equal(fake_open_slave(index, &file), 0);
}

static void close_(struct file *f)
{
    f->ops->release(f);
    memset(f, 0, sizeof *f);
}

static long mread(char *buf, size_t n)
{
    struct iobuf b = iobuf_kernel(buf, n);
    int64_t pos = 0;
    return master.ops->read(&master, &b, &pos);
}

static long mwrite(const char *s)
{
    struct iobuf b = iobuf_kernel((void *)(uintptr_t)s, strlen(s));
    int64_t pos = 0;
    return master.ops->write(&master, &b, &pos);
}

static void a_pair_carries_both_ways(void **state)
{
    char buf[64];
    open_pair();
    assert_int_equal(mwrite("in\n"), 3);
    assert_int_equal(mread(buf, sizeof buf), 4);
    assert_memory_equal(buf, "in\r\n", 4);
    assert_int_equal(tread(buf, sizeof buf), 3);
    assert_int_equal(mread(buf, sizeof buf), -EAGAIN);
    assert_int_equal(twrite("out"), 3);
    assert_int_equal(mread(buf, 2), 2);
    assert_int_equal(mread(buf, 2), 1);
    close_(&file);
    assert_int_equal(mread(buf, 2), -EIO);
    close_(&master);
    assert_int_equal(fake_pts, 0);
}

/* Either end may go first; the pair is freed with the last file. */
static void the_master_hangs_up(void **state)
{
    char buf[8];
    open_pair();
    struct file other = {.flags = O_RDWR | O_NOCTTY};
    assert_int_equal(fake_open_slave(0, &other), 0);
    close_(&master);
    assert_int_equal(fake_open_slave(0, &master), -EIO);
    assert_int_equal(tread(buf, sizeof buf), 0);
    assert_int_equal(twrite("x"), -EIO);
    assert_int_equal(ioctl_(TCGETS, U), -EIO);
    assert_true(file.ops->poll(&file, NULL) & POLLHUP);
    close_(&other);
    close_(&file);
}

static void a_full_master_holds_writers(void **state)
{
    static char big[20000];
    char buf[64];
    open_pair();
    raw(1, 0);
    memset(big, 'b', sizeof big - 1);
    long n = mwrite(big);
    assert_true(n > 0 && n < (long)sizeof big - 1);
    assert_int_equal(mwrite("y"), -EAGAIN);
    assert_int_equal(master.ops->poll(&master, NULL) & POLLOUT, 0);
    long got = 0;
    for (long r; (r = tread(buf, sizeof buf)) > 0; got += r)
        ;
    assert_int_equal(got, n); /* nothing was lost */
    assert_true(master.ops->poll(&master, NULL) & POLLOUT);
    n = twrite(big);
    assert_int_equal(n, TTY_OUT);
    close_(&file);
    close_(&master);
}

static void numbers_are_the_lowest_and_limited(void **state)
{
    static struct file m[17];
    if (!fake_open_master)
        pty_init();
    for (int i = 0; i < 16; i++)
        assert_int_equal(fake_open_master(&m[i]), 0);
    assert_int_equal(fake_open_master(&m[16]), -ENOSPC);
    close_(&m[5]);
    assert_int_equal(fake_open_master(&m[5]), 0);
    assert_int_equal(m[5].ops->ioctl(&m[5], TIOCGPTN, U), 0);
    assert_int_equal(get32(U), 5);
    for (int i = 0; i < 16; i++)
        close_(&m[i]);
}

/* The line hangs up: the leader is told now, its foreground group when it ends. */
static void a_hangup_reaches_the_leader_first(void **state)
{
    if (!fake_open_master)
        pty_init();
    open_pair();
    shell = fake_fork();
    fake_run(shell->threads);
    CALL_(setsid);
    assert_int_equal(ioctl_(TIOCSCTTY, 0), 0);
    struct process *p = job();
    put32(U, (uint32_t)p->pid);
    assert_int_equal(ioctl_(TIOCSPGRP, U), 0);
    shell->threads->sighand->action[SIGHUP - 1].handler = 0x4000;
    close_(&master);
    assert_true(shell->sigpending & SIG_BIT(SIGHUP));
    assert_false(p->dying);
    assert_null(tty_current());
    fake_run(process_init()->threads);
    fake_exit(shell->threads, 0);
    assert_true(p->dying);
    close_(&file);
}

static int close_console(void **state)
{
    if (file.ops)
        close_(&file);
    return fake_teardown(state);
}
#undef TEST
#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, close_console)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_a_line),
        TEST(keys_signal_the_foreground),
        TEST(background_reads_and_writes),
        TEST(min_and_time),
        TEST(output_waits_for_room),
        TEST(a_large_paste_is_kept),
        TEST(room_is_used_before_it_is_told),
        TEST(window_size),
        TEST(controlling_terminal),
        TEST(the_leaders_end_hangs_up),
        TEST(a_pair_carries_both_ways),
        TEST(the_master_hangs_up),
        TEST(a_full_master_holds_writers),
        TEST(numbers_are_the_lowest_and_limited),
        TEST(a_hangup_reaches_the_leader_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
