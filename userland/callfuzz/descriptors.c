/*
 * Descriptors of every kind there is, and the files of a life's folder.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/netlink.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "fuzz.h"

static int first_socket, last_socket, last;
static int first_of[FD_KINDS]; /* one of each kind */

/* Ours: inside the life's folder. What is made, renamed and removed is among these, since no other names are known. */
const char *path_name(struct rng *r, bool own)
{
    static const char *const ours[] = {
        "a",      "b",       "c",        "d",      "d/a",   "d/b",    "d/e",
        "d/e/a",  "link",    "loop",     "fifo",   "sock0", "sock1",  "pages",
        "script", "program", ".",        "",       "./a",   "d/../a", "d//b/",
        "none/a", "a/b",     "dangling", "d/e/..", "null",  "zero",   "full",
    };
    static const char *const others[] = {
        "/proc/self/maps",
        "/proc/self/stat",
        "/proc/self/status",
        "/proc/self/fd",
        "/proc/self/fd/3",
        "/proc/self/fd/5",
        "/proc/self/fd/22",
        "/proc/self/mem",
        "/proc/self/fdinfo/7",
        "/proc/self/fdinfo/30",
        "/proc/self/task",
        "/proc/self/environ",
        "/proc/self/smaps",
        "/proc/self/cmdline",
        "/proc/self/comm",
        "/proc/self/mountinfo",
        "/proc/self/pagemap",
        "/proc/self/entropy",
        "/proc/thread-self/comm",
        "/proc/self/limits",
        "/proc/self/io",
        "/dev/ptmx",
        "/dev/tty",
        "/proc/sysvipc/shm",
        "/proc/sysvipc/sem",
        "/proc/sysvipc/msg",
        "/proc/net/tcp",
        "/proc/net/unix",
        "/proc/meminfo",
        "/proc/nexus/leak",
        "/proc/stat",
        "/proc/mounts",
        "/proc/1/status",
        "/proc/1/maps",

    };
    static const char *const of[] = {"maps",     "mem",  "status",   "stat",    "fd",      "fd/9",
                                     "cwd",      "exe",  "root/tmp", "environ", "cmdline", "task",
                                     "fdinfo/9", "comm", "smaps",    "wchan"};
    static char longest[4100];

    if (one_in(r, 30)) {
        if (!longest[0]) {
            memset(longest, 'n', sizeof longest - 1);
            for (size_t i = 200; i < 4090; i += 200) {
                longest[i] = '/';
            }
        }
        return longest + 1 + below(r, 190) + 200 * below(r, 20); /* begins with a name */
    }
    if (!own && one_in(r, 10)) { /* of a thread or child of ours, or of another life */
        static _Thread_local char of_process[40];

        snprintf(of_process, sizeof of_process, "/proc/%d/%s", getpid() + (int)below(r, 8),
                 PICK(r, of));
        return of_process;
    }
    return own || one_in(r, 2) ? PICK(r, ours) : PICK(r, others);
}

static void put_file(const char *name, const void *data, size_t n, int mode)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, mode);

    if (fd >= 0 && write(fd, data, n) < 0) {
        unlink(name);
    }
    close(fd);
}

/* This very program with up to three bits of its headers wrong, and only its beginning. */
static void make_program(struct rng *r)
{
    static uint8_t image[32768];
    int fd = open("/proc/self/exe", O_RDONLY);
    ssize_t n = read(fd, image, sizeof image);

    close(fd);
    for (uint64_t flips = below(r, 4); flips && n > 0; flips--) {
        image[below(r, one_in(r, 2) ? 64 : 400)] ^= (uint8_t)(1 << below(r, 8));
    }
    put_file("program", image, n > 0 ? (size_t)n : 0, 0777);
}

void files_make(void)
{
    static const char text[3000] = "text";

    mkdir("d", 0777);
    mkdir("d/e", 0777);
    put_file("a", text, sizeof text, 0666);
    put_file("d/a", text, sizeof text, 0666);
    put_file("b", text, 10, 0640);
    put_file("script", "#! /bin/true x\n", 15, 0777);
    if (mknod("null", S_IFCHR | 0666, makedev(1, 3)) ||
        mknod("zero", S_IFCHR | 0666, makedev(1, 5)) ||
        mknod("full", S_IFCHR | 0666, makedev(1, 7)) ||
        mknod("random", S_IFCHR | 0666, makedev(1, 9)) || symlink("a", "link") ||
        symlink("loop", "loop") || symlink("none/none", "dangling") || link("a", "d/b") ||
        mkfifo("fifo", 0666)) {
        return; /* what the last life of this folder has left will do */
    }
}

static void note(int fd)
{
    if (fd > last) {
        last = fd;
    }
}

static int note_kind(int fd, enum fd_kind kind)
{
    note(fd);
    first_of[kind] = fd;
    return fd;
}

static void make_sockets(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    int pair[2], listener;

    first_socket = last + 1;
    for (int type = SOCK_STREAM; type <= SOCK_SEQPACKET; type++) {
        if (type != SOCK_RAW && type != SOCK_RDM &&
            socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, pair) == 0) {
            note(pair[1]);
        }
    }
    note(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    note(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    note_kind(listener, FD_LISTENER);
    if (bind(listener, (void *)&in, sizeof in) == 0 && listen(listener, 4) == 0 &&
        getsockname(listener, (void *)&in, &len) == 0) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

        note(fd);
        if (connect(fd, (void *)&in, sizeof in) <= 0) {
            note(accept4(listener, NULL, NULL, SOCK_NONBLOCK));
        }
        fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0); /* somebody to be accepted */
        note(fd);
        if (connect(fd, (void *)&in, sizeof in) < 0) {
            note(fd);
        }
    }
    note(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    note(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    note(socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0));
    note(socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    note(socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE));
    last_socket = last;
}

static void make_events(void)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT};
    sigset_t set;
    int epoll = epoll_create1(0), fd;

    note_kind(epoll, FD_EPOLL);
    sigfillset(&set);
    for (int i = first_socket; i <= last_socket; i += 2) {
        e.data.fd = i;
        epoll_ctl(epoll, EPOLL_CTL_ADD, i, &e);
    }
    note(eventfd(1, EFD_NONBLOCK));
    note_kind(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), FD_TIMERFD);
    note_kind(signalfd(-1, &set, SFD_NONBLOCK), FD_SIGNALFD);
    fd = inotify_init1(IN_NONBLOCK);
    note_kind(fd, FD_INOTIFY);
    inotify_add_watch(fd, ".", IN_ALL_EVENTS);
    inotify_add_watch(fd, "d", IN_ALL_EVENTS);
    note_kind((int)syscall(SYS_pidfd_open, getpid(), 0), FD_PIDFD);
}

static void make_terminal(void)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK), unlocked = 0;
    char name[32];
    unsigned number;

    note(fd);
    if (ioctl(fd, TIOCSPTLCK, &unlocked) == 0 && ioctl(fd, TIOCGPTN, &number) == 0) {
        snprintf(name, sizeof name, "/dev/pts/%u", number);
        note_kind(open(name, O_RDWR | O_NOCTTY | O_NONBLOCK), FD_TERMINAL);
    }
}

void descriptors_make(struct life *l)
{
    static const struct {
        const char *name;
        int flags;
    } files[] = {
        {"a", O_RDWR},
        {"a", O_RDONLY},
        {"b", O_WRONLY | O_APPEND},
        {"a", O_PATH},
        {".", O_RDONLY | O_DIRECTORY},
        {"d", O_RDONLY | O_DIRECTORY},
        {"d/e", O_PATH},
        {"fifo", O_RDWR | O_NONBLOCK},
        {"null", O_RDWR},
        {"zero", O_RDWR},
        {"full", O_RDWR},
        {"random", O_RDWR},
        {"/proc/self/maps", O_RDONLY},
        {"/proc/self/mem", O_RDWR},
        {"/proc/self", O_RDONLY | O_DIRECTORY},
        {"/proc/self/fd", O_RDONLY | O_DIRECTORY},
        {"/proc/self/comm", O_RDWR},
        {"/proc/meminfo", O_RDONLY},
        {"/sys", O_RDONLY | O_DIRECTORY},
    };
    struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 64};
    int pair[2], fd;

    make_program(&l->rng);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        fd = open(files[i].name, files[i].flags);
        note(fd);
        if (i == 0) {
            first_of[FD_FILE] = fd;
        }
        if (strcmp(files[i].name, "d") == 0) {
            first_of[FD_FOLDER] = fd;
        }
    }
    if (pipe2(pair, O_NONBLOCK) == 0) {
        note_kind(pair[0], FD_PIPE);
        note(pair[1]);
    }
    note(memfd_create("m", MFD_ALLOW_SEALING));
    note_kind(mq_open("/cf1", O_RDWR | O_CREAT | O_NONBLOCK, 0666, &attr), FD_MQUEUE);
    make_sockets();
    make_events();
    make_terminal();
}

int any_fd(struct rng *r)
{
    static const int odd[] = {-1, -100, 0x7fffffff, 1024, 65536, -2, 0, 1, 2};

    if (one_in(r, 12)) {
        return PICK(r, odd);
    }
    return (int)below(r, (uint64_t)last + 12); /* the last ones are made by calls */
}

bool patient;

void descriptors_wait(void)
{
    patient = true;
    for (int fd = 3; fd <= last; fd++) {
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    }
}

int kind_fd(struct rng *r, enum fd_kind kind)
{
    return one_in(r, 6) ? any_fd(r) : first_of[kind];
}

int socket_fd(struct rng *r)
{
    return first_socket + (int)below(r, (uint64_t)(last_socket - first_socket) + 1);
}
