/*
 * The pointer matrix of files by descriptor, of waiting for them, and of descriptors of events.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

#include "matrix.h"

static int fd, other, p[2], q[2], dir;
static char buf[256];

static void rewind_all(void)
{
    OK(lseek(fd, 0, SEEK_SET));
    OK(lseek(other, 0, SEEK_SET));
    OK(lseek(dir, 0, SEEK_SET));
}

static void empty_pipes(void)
{
    static char sink[65536];

    while (read(p[0], sink, sizeof sink) > 0 || read(q[0], sink, sizeof sink) > 0) {
    }
}

static void fill_pipe(void)
{
    empty_pipes();
    rewind_all();
    EQ(write(p[1], "0123456789abcdef", 16), 16);
}

static void close_pair(long result)
{
    (void)result;
    close_from(dir + 1);
}

static void open_all(void)
{
    fd = OK(open("f", O_RDWR | O_CREAT, 0600));
    EQ(write(fd, "0123456789abcdefghijklmnopqrstuv", 32), 32);
    other = OK(open("g", O_RDWR | O_CREAT, 0600));
    EQ(write(other, "0123456789abcdefghijklmnopqrstuv", 32), 32);
    OK(pipe2(p, O_NONBLOCK));
    OK(pipe2(q, O_NONBLOCK));
    dir = OK(open(".", O_RDONLY | O_DIRECTORY));
}

static void data(void (*run)(const struct row *))
{
    static struct iovec in[2] = {{buf, 8}, {buf, 8}};
    static loff_t off, off2;
    static off_t pos;

    open_all();
    const struct row rows[] = {
        {"read", SYS_read, {V(p[0]), WB(buf, 16), V(16)}, .before = fill_pipe},
        {"read file", SYS_read, {V(fd), WB(buf, 16), V(16)}, .before = rewind_all},
        {"write", SYS_write, {V(fd), RB(buf, 16), V(16)}, .before = rewind_all},
        {"write pipe", SYS_write, {V(p[1]), RB(buf, 16), V(16)}, .before = empty_pipes},
        {"pread64", SYS_pread64, {V(fd), WB(buf, 16), V(16), V(0)}},
        {"pwrite64", SYS_pwrite64, {V(fd), RB(buf, 16), V(16), V(0)}},
        {"readv",
         SYS_readv,
         {V(p[0]), R(&in), V(2)},
         {FIELD(1, &in[0], iov_base, WB(buf, 8))},
         fill_pipe},
        {"writev",
         SYS_writev,
         {V(fd), R(&in), V(2)},
         {FIELD(1, &in[0], iov_base, RB(buf, 8))},
         rewind_all},
        {"preadv",
         SYS_preadv,
         {V(fd), R(&in), V(2), V(0), V(0)},
         {FIELD(1, &in[0], iov_base, WB(buf, 8))}},
        {"pwritev",
         SYS_pwritev,
         {V(fd), R(&in), V(2), V(0), V(0)},
         {FIELD(1, &in[0], iov_base, RB(buf, 8))}},
        {"preadv2",
         SYS_preadv2,
         {V(fd), R(&in), V(2), V(0), V(0), V(0)},
         {FIELD(1, &in[0], iov_base, WB(buf, 8))}},
        {"pwritev2",
         SYS_pwritev2,
         {V(fd), R(&in), V(2), V(0), V(0), V(0)},
         {FIELD(1, &in[0], iov_base, RB(buf, 8))}},
        {"sendfile", SYS_sendfile, {V(p[1]), V(fd), WF(&pos, NULL_OK), V(4)}, .before = fill_pipe},
        {"splice in",
         SYS_splice,
         {V(fd), WF(&off, NULL_OK), V(p[1]), V(0), V(4), V(0)},
         .before = fill_pipe},
        {"splice out",
         SYS_splice,
         {V(p[0]), V(0), V(fd), WF(&off, NULL_OK), V(4), V(0)},
         .before = fill_pipe},
        {"vmsplice",
         SYS_vmsplice,
         {V(p[1]), R(&in), V(2), V(0)},
         {FIELD(1, &in[0], iov_base, RB(buf, 8))},
         empty_pipes},
        {"copy_file_range",
         SYS_copy_file_range,
         {V(fd), WF(&off, NULL_OK), V(other), WF(&off2, NULL_OK), V(4), V(0)},
         .before = rewind_all},
        {"getdents64", SYS_getdents64, {V(dir), WB(buf, 256), V(256)}, .before = rewind_all},
        {"pipe2", SYS_pipe2, {W(&p), V(0)}, .after = close_pair},
        {"memfd_create", SYS_memfd_create, {S("name"), V(0)}, .after = close_result},
        {"getrandom", SYS_getrandom, {WB(buf, 16), V(16), V(0)}},
        {0},
    };
    /* What pipe2 writes must not be our own pipe. */
    struct row own[sizeof rows / sizeof rows[0]];
    static int pair[2];
    memcpy(own, rows, sizeof rows);
    for (struct row *r = own; r->name; r++) {
        if (r->nr == SYS_pipe2) {
            r->arg[0].value = (long)pair;
        }
    }
    run(own);
}

static void about(void (*run)(const struct row *))
{
    static struct stat st;
    static struct statfs sf;
    static struct flock lock = {.l_type = F_RDLCK};
    static int n;

    open_all();
    const struct row rows[] = {
        {"fstat", SYS_fstat, {V(fd), W(&st)}},
        {"fstatfs", SYS_fstatfs, {V(fd), W(&sf)}},
        {"F_GETLK", SYS_fcntl, {V(fd), V(F_GETLK), W(&lock)}},
        {"F_SETLK", SYS_fcntl, {V(fd), V(F_SETLK), R(&lock)}},
        {"F_SETLKW", SYS_fcntl, {V(fd), V(F_SETLKW), R(&lock)}},
        {"F_OFD_GETLK", SYS_fcntl, {V(fd), V(F_OFD_GETLK), W(&lock)}},
        {"F_OFD_SETLK", SYS_fcntl, {V(fd), V(F_OFD_SETLK), R(&lock)}},
        {"FIONREAD", SYS_ioctl, {V(p[0]), V(FIONREAD), W(&n)}},
        {"FIONREAD file", SYS_ioctl, {V(fd), V(FIONREAD), W(&n)}},
        {"FIONBIO", SYS_ioctl, {V(q[0]), V(FIONBIO), R(&n)}},
        {0},
    };
    run(rows);
    n = 1;
    OK(ioctl(q[0], FIONBIO, &n));
}

static void with_terminal(void (*run)(const struct row *))
{
    static char t[64];
    static struct winsize w;
    static int n, unlocked, pgrp;
    static unsigned number;
    int master = OK(posix_openpt(O_RDWR | O_NOCTTY)), slave;
    char name[32];

    OK(ioctl(master, TIOCSPTLCK, &unlocked));
    OK(ioctl(master, TIOCGPTN, &number));
    snprintf(name, sizeof name, "/dev/pts/%u", number);
    OK(setsid());
    slave = OK(open(name, O_RDWR));
    OK(ioctl(slave, 0x5401, t));
    pgrp = getpgrp();
    const struct row rows[] = {
        {"TCGETS", SYS_ioctl, {V(slave), V(0x5401), {WRITE, (long)t, 36}}},
        {"TCSETS", SYS_ioctl, {V(slave), V(0x5402), {READ, (long)t, 36}}},
        {"TCSETSW", SYS_ioctl, {V(slave), V(0x5403), {READ, (long)t, 36}}},
        {"TCSETSF", SYS_ioctl, {V(slave), V(0x5404), {READ, (long)t, 36}}},
        {"TCGETA", SYS_ioctl, {V(slave), V(0x5405), {WRITE, (long)t, 18}}},
        {"TCGETS2", SYS_ioctl, {V(slave), V(0x802c542a), {WRITE, (long)t, 44}}},
        {"TIOCGWINSZ", SYS_ioctl, {V(slave), V(TIOCGWINSZ), W(&w)}},
        {"TIOCSWINSZ", SYS_ioctl, {V(slave), V(TIOCSWINSZ), R(&w)}},
        {"TIOCGPGRP", SYS_ioctl, {V(slave), V(TIOCGPGRP), W(&n)}},
        {"TIOCSPGRP", SYS_ioctl, {V(slave), V(TIOCSPGRP), R(&pgrp)}},
        {"TIOCGSID", SYS_ioctl, {V(slave), V(TIOCGSID), W(&n)}},
        {"TIOCOUTQ", SYS_ioctl, {V(slave), V(TIOCOUTQ), W(&n)}},
        {"TIOCINQ", SYS_ioctl, {V(slave), V(TIOCINQ), W(&n)}},
        {"TIOCGETD", SYS_ioctl, {V(slave), V(TIOCGETD), W(&n)}},
        {"TIOCGEXCL", SYS_ioctl, {V(slave), V(0x80045440), W(&n)}},
        {"TIOCSTI", SYS_ioctl, {V(slave), V(TIOCSTI), {READ, (long)t, 1}}},
        {"TIOCGPTN", SYS_ioctl, {V(master), V(TIOCGPTN), W(&number)}},
        {"TIOCSPTLCK", SYS_ioctl, {V(master), V(TIOCSPTLCK), R(&unlocked)}},
        {"TIOCGPTLCK", SYS_ioctl, {V(master), V(0x80045439), W(&n)}},
        {"TIOCPKT", SYS_ioctl, {V(master), V(TIOCPKT), R(&unlocked)}},
        {"TIOCGPKT", SYS_ioctl, {V(master), V(0x80045438), W(&n)}},
        {0},
    };
    run(rows);
}

/* In a session of its own. */
static void terminal(void (*run)(const struct row *))
{
    pid_t pid;

    CHILD(pid)
    {
        with_terminal(run);
    }
    wait_ok(pid);
}

static int watched;
static struct epoll_event event = {.events = EPOLLOUT};

static void forget(void)
{
    epoll_ctl(fd, EPOLL_CTL_DEL, watched, &event);
}

static void remember(void)
{
    epoll_ctl(fd, EPOLL_CTL_ADD, watched, &event);
}

static void waiting(void (*run)(const struct row *))
{
    static struct pollfd pfd;
    static struct timespec none;
    static uint64_t mask, sets[3];
    static struct {
        uint64_t *mask;
        size_t size;
    } both = {&mask, 8};
    static struct epoll_event events[4];
    static struct itimerspec its, old;
    int in;

    open_all();
    watched = p[1];
    fd = OK(epoll_create1(0));
    other = OK(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
    in = OK(inotify_init1(IN_NONBLOCK));
    pfd = (struct pollfd){p[1], POLLOUT, 0};
    const struct row rows[] = {
        {"ppoll", SYS_ppoll, {W(&pfd), V(1), RF(&none, NULL_OK), RF(&mask, NULL_OK), V(8)}},
        {"pselect6",
         SYS_pselect6,
         {V(3), WF(&sets[0], NULL_OK), WF(&sets[1], NULL_OK), WF(&sets[2], NULL_OK),
          RF(&none, NULL_OK), RF(&both, NULL_OK)},
         {FIELD(5, &both, mask, RF(&mask, NULL_OK))}},
        {"epoll_ctl ADD",
         SYS_epoll_ctl,
         {V(fd), V(EPOLL_CTL_ADD), V(watched), R(&event)},
         .before = forget},
        {"epoll_ctl MOD",
         SYS_epoll_ctl,
         {V(fd), V(EPOLL_CTL_MOD), V(watched), R(&event)},
         .before = remember},
        {"epoll_pwait",
         SYS_epoll_pwait,
         {V(fd), {WRITE | BYTES, (long)events, 16}, V(1), V(0), RF(&mask, NULL_OK), V(8)},
         .before = remember},
        {"epoll_pwait2",
         SYS_epoll_pwait2,
         {V(fd),
          {WRITE | BYTES, (long)events, 16},
          V(1),
          RF(&none, NULL_OK),
          RF(&mask, NULL_OK),
          V(8)},
         .before = remember},
        {"signalfd4", SYS_signalfd4, {V(-1), R(&mask), V(8), V(0)}, .after = close_result},
        {"timerfd_settime", SYS_timerfd_settime, {V(other), V(0), R(&its), WF(&old, NULL_OK)}},
        {"timerfd_gettime", SYS_timerfd_gettime, {V(other), W(&its)}},
        {"inotify_add_watch", SYS_inotify_add_watch, {V(in), S("."), V(IN_CREATE)}},
        {0},
    };
    run(rows);
}

BOTH(data)
BOTH(about)
BOTH(terminal)
BOTH(waiting)

const struct test ptrfile_tests[] = {
    {"data", try_data},         {"race_data", race_data},       {"about", try_about},
    {"race_about", race_about}, {"terminal", try_terminal},     {"race_terminal", race_terminal},
    {"waiting", try_waiting},   {"race_waiting", race_waiting}, {0},
};
