/*
 * Small rules of many calls: which error comes first, what is told and where. Conformance suites ask for them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/random.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "test.h"

/* The number a file of /proc holds. */
static long number_in(const char *path)
{
    char text[64];
    int fd = OK(open(path, O_RDONLY));
    ssize_t n = OK(read(fd, text, sizeof text - 1));

    OK(close(fd));
    text[n] = 0;
    return strtol(text, NULL, 0);
}

/* Is there a line in the file that begins so? */
static bool line_in(const char *path, const char *begin)
{
    char text[4096];
    int fd = OK(open(path, O_RDONLY));
    ssize_t n = OK(read(fd, text, sizeof text - 1));

    OK(close(fd));
    text[n] = 0;
    for (const char *at = text; at; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, begin, strlen(begin)) == 0)
            return true;
        if (!*at)
            break;
    }
    return false;
}

/* ---- files ---- */

/* F_GETLK tells the lock that comes first in the file, in whatever order they were made. */
static void first_lock_in_the_way(void)
{
    static const struct {
        short type;
        off_t start;
    } made[] = {{F_RDLCK, 20}, {F_WRLCK, 10}, {F_WRLCK, 30}};
    int fd = OK(open("f", O_RDWR | O_CREAT, 0644));
    pid_t pid;

    for (int i = 0; i < 3; i++) {
        struct flock l = {
            .l_type = made[i].type, .l_whence = SEEK_SET, .l_start = made[i].start, .l_len = 5};
        OK(fcntl(fd, F_SETLK, &l));
    }
    CHILD(pid)
    {
        struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        OK(fcntl(fd, F_GETLK, &l));
        EQ(l.l_start, 10);
        EQ(l.l_type, F_WRLCK);
        l = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 15};
        OK(fcntl(fd, F_GETLK, &l));
        EQ(l.l_start, 20);
        EQ(l.l_type, F_RDLCK);
    }
    wait_ok(pid);
}

static void positions_of_pipes(void)
{
    struct iovec v = {"x", 1};
    int fd[2];

    OK(pipe(fd));
    ERR(pwrite(fd[0], "x", 1, 0), ESPIPE);
    ERR(pread(fd[1], &v, 1, 0), ESPIPE);
    ERR(pwritev(fd[0], &v, 1, 0), ESPIPE);
}

/* Where sendfile got to is told, even when that is where it was. */
static void sendfile_tells(void)
{
    int in = OK(open("in", O_RDWR | O_CREAT, 0644)), out = OK(open("out", O_RDWR | O_CREAT, 0644));
    off_t *at = mmap(NULL, page_size(), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    ERR(sendfile(out, in, at, 1), EFAULT);
}

static void splice_wants_pages(void)
{
    int fd[2], event = OK(eventfd(0, 0)), dir = OK(open(".", O_RDONLY));

    OK(pipe(fd));
    ERR(splice(fd[0], NULL, event, NULL, 8, 0), EINVAL);
    ERR(splice(dir, NULL, fd[1], NULL, 8, 0), EINVAL);
}

static void no_clones(void)
{
    int from = OK(open("a", O_RDWR | O_CREAT, 0644)), to = OK(open("b", O_RDWR | O_CREAT, 0644));
    int rd = OK(open("b", O_RDONLY)), dir = OK(open(".", O_RDONLY));

    OK(write(from, "text", 4));
    ERR(ioctl(to, FICLONE, from), EOPNOTSUPP);
    ERR(ioctl(to, FICLONE, dir), EISDIR);
    ERR(ioctl(rd, FICLONE, from), EBADF);
    ERR(ioctl(to, FICLONE, 99), EBADF);
}

/* Reading where nothing is is reading: the time of it is noted. */
static void read_at_the_end(void)
{
    struct stat before, after;
    struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
    char c;
    int fd = OK(open("f", O_RDWR | O_CREAT, 0644));

    OK(futimens(fd, old));
    OK(fstat(fd, &before));
    EQ(read(fd, &c, 1), 0);
    OK(fstat(fd, &after));
    EQ(before.st_atime, 1000);
    CHECK(after.st_atime > 2000);
}

/* The umask does not make a program of the group's out of one that must not be. */
static void setgid_before_umask(void)
{
    pid_t pid;

    if (geteuid() != 0)
        SKIP("needs root");
    OK(mkdir("d", 0777));
    OK(chown("d", 1000, 2000));
    OK(chmod("d", 02777));
    CHILD(pid)
    {
        struct stat st;
        OK(chdir("d"));
        OK(setgid(1000));
        OK(setuid(1000));
        umask(S_IXGRP);
        int fd = OK(open("f", O_RDWR | O_CREAT, 02777));
        OK(fstat(fd, &st));
        EQ(st.st_gid, 2000);
        EQ(st.st_mode & 07777, 0767);
        umask(0);
        fd = open(".", O_RDWR | O_TMPFILE, 02777);
        if (fd >= 0) {
            OK(fstat(fd, &st));
            EQ(st.st_mode & 07777, 0777);
        }
    }
    wait_ok(pid);
}

/* ---- handles ---- */

static void handles(void)
{
    struct {
        unsigned bytes;
        int type;
        char body[128];
    } h = {.bytes = 0}, gone = {.bytes = 128};
    int id = -1, dir = OK(open(".", O_RDONLY));
    char text[5] = "";

    write_file("f", "text");
    OK(symlink("f", "link"));
    ERR(syscall(SYS_name_to_handle_at, AT_FDCWD, "f", &h, &id, 0), EOVERFLOW);
    CHECK(h.bytes > 0 && h.bytes <= 128);
    OK(syscall(SYS_name_to_handle_at, AT_FDCWD, "f", &h, &id, 0));
    CHECK(id > 0);
    ERR(syscall(SYS_name_to_handle_at, AT_FDCWD, "f", &h, NULL, 0), EFAULT);
    h.bytes = 129;
    ERR(syscall(SYS_name_to_handle_at, AT_FDCWD, "f", &h, &id, 0), EINVAL);
    h.bytes = 128;
    OK(syscall(SYS_name_to_handle_at, AT_FDCWD, "f", &h, &id, 0));
    if (geteuid() != 0)
        SKIP("needs root");
    OK(rename("f", "g")); /* names do not matter */
    int fd = OK(syscall(SYS_open_by_handle_at, dir, &h, O_RDONLY));
    EQ(read(fd, text, 4), 4);
    CHECK(strcmp(text, "text") == 0);
    ERR(syscall(SYS_open_by_handle_at, 99, &h, O_RDONLY), EBADF);
    ERR(syscall(SYS_open_by_handle_at, dir, NULL, O_RDONLY), EFAULT);
    OK(syscall(SYS_name_to_handle_at, AT_FDCWD, "link", &gone, &id, 0));
    ERR(syscall(SYS_open_by_handle_at, dir, &gone, O_RDONLY), ELOOP);
    gone.bytes = 128;
    write_file("h", "");
    OK(syscall(SYS_name_to_handle_at, AT_FDCWD, "h", &gone, &id, 0));
    OK(unlink("h"));
    ERR(syscall(SYS_open_by_handle_at, dir, &gone, O_RDONLY), ESTALE);
    h.bytes = 0;
    ERR(syscall(SYS_open_by_handle_at, dir, &h, O_RDONLY), EINVAL);
}

/* ---- leases ---- */

static void leases_that_fit(void)
{
    int rw = OK(open("f", O_RDWR | O_CREAT, 0644));

    ERR(fcntl(rw, F_SETLEASE, F_RDLCK), EAGAIN); /* it is open for writing */
    OK(fcntl(rw, F_SETLEASE, F_WRLCK));
    EQ(fcntl(rw, F_GETLEASE), F_WRLCK);
    OK(fcntl(rw, F_SETLEASE, F_UNLCK));
    EQ(fcntl(rw, F_GETLEASE), F_UNLCK);
    ERR(fcntl(rw, F_SETLEASE, F_UNLCK), EAGAIN);
    ERR(fcntl(rw, F_SETLEASE, 77), EINVAL);
    OK(close(rw));
    int a = OK(open("f", O_RDONLY)), b = OK(open("f", O_RDONLY));
    ERR(fcntl(a, F_SETLEASE, F_WRLCK), EAGAIN); /* somebody else has it open */
    OK(fcntl(a, F_SETLEASE, F_RDLCK));
    OK(fcntl(b, F_SETLEASE, F_RDLCK));
    OK(close(b));
    OK(close(OK(open("f", O_RDONLY)))); /* that goes with it */
    ERR(fcntl(OK(open(".", O_RDONLY)), F_SETLEASE, F_RDLCK), EINVAL);
}

static void leases_are_broken(void)
{
    siginfo_t info;
    sigset_t set;
    pid_t pid;
    int fd = OK(open("f", O_RDWR | O_CREAT, 0644));

    sig_block(SIGUSR1);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    OK(fcntl(fd, F_SETSIG, SIGUSR1));
    OK(fcntl(fd, F_SETLEASE, F_WRLCK));
    CHILD(pid)
    {
        OK(close(fd));
        ERR(open("f", O_RDONLY | O_NONBLOCK), EWOULDBLOCK);
        OK(open("f", O_RDONLY)); /* waits */
    }
    EQ(sigwaitinfo(&set, &info), SIGUSR1);
    EQ(info.si_fd, fd);
    EQ(fcntl(fd, F_GETLEASE), F_RDLCK); /* what it is to become */
    wait_state(pid, 'S');
    OK(close(fd)); /* who was to be told is gone, and the lease */
    wait_ok(pid);

    fd = OK(open("f", O_RDONLY));
    OK(fcntl(fd, F_SETSIG, SIGUSR1));
    OK(fcntl(fd, F_SETLEASE, F_RDLCK));
    CHILD(pid)
    {
        OK(truncate("f", 0));
    }
    EQ(sigwaitinfo(&set, &info), SIGUSR1);
    EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
    OK(fcntl(fd, F_SETLEASE, F_UNLCK));
    wait_ok(pid);
}

/* ---- mounts ---- */

static void mounts_are_told(void)
{
    int fd = OK(open("/proc/self/mounts", O_RDONLY));
    struct pollfd p = {.fd = fd, .events = POLLPRI};
    struct epoll_event e = {.events = EPOLLPRI};
    int ep = OK(epoll_create1(0));
    char c;

    if (geteuid() != 0)
        SKIP("needs root");
    OK(epoll_ctl(ep, EPOLL_CTL_ADD, p.fd, &e));
    EQ(poll(&p, 1, 0), 0);
    OK(mkdir("m", 0755));
    OK(mount("none", "m", "tmpfs", 0, NULL));
    EQ(epoll_wait(ep, &e, 1, 0), 1);
    CHECK(e.events & EPOLLPRI);
    EQ(epoll_wait(ep, &e, 1, 0), 0); /* once */
    OK(umount("m"));
    EQ(poll(&p, 1, 0), 1);
    EQ(p.revents, POLLPRI | POLLERR);
    EQ(read(p.fd, &c, 1), 1);
}

static void a_look_is_a_use(void)
{
    if (geteuid() != 0)
        SKIP("needs root");
    OK(mkdir("m", 0755));
    OK(mount("none", "m", "tmpfs", 0, NULL));
    ERR(umount2("m", MNT_EXPIRE), EAGAIN);
    OK(access("m", F_OK));
    ERR(umount2("m", MNT_EXPIRE), EAGAIN);
    OK(umount2("m", MNT_EXPIRE));
}

/* ---- memory ---- */

static void mmap_which_error(void)
{
    size_t page = page_size();
    int fd = OK(open("f", O_RDWR | O_CREAT, 0644));

    OK(ftruncate(fd, (off_t)page));
    ERR((long)mmap(NULL, 0, PROT_READ, MAP_SHARED, 99, 0), EBADF);
    ERR((long)mmap(NULL, 0, PROT_READ, MAP_SHARED, fd, 0), EINVAL);
    ERR((long)mmap(NULL, page, PROT_READ, MAP_SHARED_VALIDATE | 1 << 7, fd, 0), EOPNOTSUPP);
    CHECK(mmap(NULL, page, PROT_READ, MAP_SHARED | 1 << 7, fd, 0) != MAP_FAILED);
    CHECK(mmap(NULL, page, PROT_READ, MAP_SHARED_VALIDATE, fd, 0) != MAP_FAILED);
}

static void zeroes_mapped(void)
{
    size_t page = page_size();
    int rd = OK(open("/dev/zero", O_RDONLY)), rw = OK(open("/dev/zero", O_RDWR));
    pid_t pid;
    char *shared = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, rw, 0);
    char *mine = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE, rd, 0);
    char *only = mmap(NULL, page, PROT_READ, MAP_SHARED, rd, 0);

    CHECK(shared != MAP_FAILED && mine != MAP_FAILED && only != MAP_FAILED);
    ERR((long)mmap(NULL, page, PROT_WRITE, MAP_SHARED, rd, 0), EACCES);
    ERR(mprotect(only, page, PROT_READ | PROT_WRITE), EACCES);
    CHILD(pid)
    {
        shared[0] = mine[0] = 'x';
    }
    wait_ok(pid);
    EQ(shared[0], 'x');
    EQ(mine[0], 0);
    EQ(only[0], 0);
}

static void which_pages_are_there(void)
{
    size_t page = page_size();
    unsigned char there[4];
    char *p = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED);
    p[2 * page] = 1;
    OK(mincore(p, 4 * page, there));
    EQ(there[0] & 1, 0);
    EQ(there[2] & 1, 1);
    OK(mlock(p, page));
    OK(mincore(p, 4 * page, there));
    EQ(there[0] & 1, 1);
}

static void unlimited_stack(void)
{
    struct rlimit no = {RLIM_INFINITY, RLIM_INFINITY};
    pid_t pid;

    CHILD(pid)
    {
        if (setrlimit(RLIMIT_STACK, &no) < 0)
            _exit(0); /* who is not root may not */
        execl("/bin/true", "true", NULL);
        _exit(1);
    }
    wait_ok(pid);
}

static void shared_word_must_be_there(void)
{
    size_t page = page_size();
    void *p = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint32_t word = 0;

    ERR(syscall(SYS_futex, p, FUTEX_WAKE, 1, NULL, NULL, 0), EFAULT);
    EQ(syscall(SYS_futex, p, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0), 0);
    ERR(syscall(SYS_futex, &word, FUTEX_CMP_REQUEUE, 1, 1, p, 0), EFAULT);
}

/* ---- what /proc says and takes ---- */

static void limits_of_pipes(void)
{
    const char *file = "/proc/sys/fs/pipe-max-size";
    long before = number_in(file);
    int fd[2];
    pid_t pid;

    if (geteuid() != 0)
        SKIP("needs root");
    write_file(file, "5000");
    EQ(number_in(file), 8192); /* pages, a power of two of them */
    OK(pipe(fd));
    EQ(fcntl(fd[0], F_GETPIPE_SZ), 65536);
    CHILD(pid)
    {
        OK(setuid(1000));
        OK(pipe(fd));
        EQ(fcntl(fd[0], F_GETPIPE_SZ), 8192);
        ERR(fcntl(fd[0], F_SETPIPE_SZ, 16384), EPERM);
    }
    int status = wait_status(pid);
    char text[32];
    snprintf(text, sizeof text, "%ld", before);
    write_file(file, text);
    EQ(status, 0);
    OK(pipe(fd));
    EQ(fcntl(fd[0], F_SETPIPE_SZ, 2 << 20), 2 << 20);
}

static void limits_of_inotify(void)
{
    const char *file = "/proc/sys/fs/inotify/max_user_instances";

    CHECK(number_in("/proc/sys/fs/inotify/max_user_watches") >= 8192);
    CHECK(number_in("/proc/sys/fs/inotify/max_queued_events") > 0);
    long before = number_in(file);
    if (geteuid() != 0)
        SKIP("needs root");
    write_file(file, "0");
    int fd = inotify_init1(0), error = errno;
    char text[32];
    snprintf(text, sizeof text, "%ld", before);
    write_file(file, text);
    EQ(fd, -1);
    EQ(error, EMFILE);
    OK(inotify_init1(0));
}

static void limits_told(void)
{
    CHECK(number_in("/proc/sys/kernel/msgmax") >= 8192);
    CHECK(number_in("/proc/sys/kernel/msgmnb") >= 16384);
    CHECK(number_in("/proc/sys/kernel/msgmni") > 0);
    CHECK(number_in("/proc/sys/kernel/shmmni") > 0);
    CHECK(number_in("/proc/sys/kernel/shmmax") != 0);
    CHECK(number_in("/proc/sys/kernel/sem") > 0);
    CHECK(number_in("/proc/sys/fs/mqueue/msg_max") > 0);
    CHECK(number_in("/proc/sys/fs/mqueue/msgsize_max") >= 128);
    CHECK(number_in("/proc/sys/fs/mqueue/queues_max") > 0);
    CHECK(number_in("/proc/sys/vm/max_map_count") > 1000);
}

static void descriptors_told(void)
{
    char path[64];
    int event = OK(eventfd(5, 0)), ep = OK(epoll_create1(0)), in = OK(inotify_init1(0));
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = 7};

    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", event);
    CHECK(line_in(path, "eventfd-count:                5"));
    OK(epoll_ctl(ep, EPOLL_CTL_ADD, event, &e));
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", ep);
    CHECK(line_in(path, "tfd: "));
    OK(inotify_add_watch(in, ".", IN_CREATE));
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", in);
    CHECK(line_in(path, "inotify wd:1 ino:"));
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d",
             (int)OK(syscall(SYS_pidfd_open, getpid(), 0)));
    CHECK(line_in(path, "Pid:\t"));
}

static void timer_slack(void)
{
    pid_t pid;

    OK(prctl(PR_SET_TIMERSLACK, 70000));
    EQ(number_in("/proc/self/timerslack_ns"), 70000);
    CHILD(pid)
    {
        OK(prctl(PR_SET_TIMERSLACK, 1));
        EQ(prctl(PR_GET_TIMERSLACK), 1);
        OK(prctl(PR_SET_TIMERSLACK, 0)); /* as it began: with its parent's */
        EQ(prctl(PR_GET_TIMERSLACK), 70000);
    }
    wait_ok(pid);
}

/* ---- processes ---- */

static void signal_by_directory(void)
{
    char path[32];
    pid_t pid;

    CHILD(pid)
    {
        pause();
    }
    snprintf(path, sizeof path, "/proc/%d", pid);
    int dir = OK(open(path, O_RDONLY | O_DIRECTORY)), other = OK(open("/proc", O_RDONLY));
    ERR(syscall(SYS_pidfd_send_signal, other, SIGKILL, NULL, 0), EBADF);
    OK(syscall(SYS_pidfd_send_signal, dir, SIGKILL, NULL, 0));
    wait_killed(pid, SIGKILL);
    ERR(syscall(SYS_pidfd_send_signal, dir, SIGKILL, NULL, 0), ESRCH);
}

static void select_leaves_the_time(void)
{
    struct {
        long sec, nsec;
    } t = {0, 1000000};

    EQ(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &t, NULL), 0);
    EQ(t.nsec, 0);
    OK(personality(STICKY_TIMEOUTS));
    t.nsec = 1000000;
    EQ(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &t, NULL), 0);
    EQ(t.nsec, 1000000);
    OK(personality(0));
}

static void ioprio_as_set(void)
{
    OK(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 5));
    EQ(syscall(SYS_ioprio_get, 1, 0), 2 << 13 | 5);
    OK(syscall(SYS_ioprio_set, 1, 0, 0));
    EQ(syscall(SYS_ioprio_get, 1, 0), 0);
}

static void namespaces_need_a_right(void)
{
    pid_t pid;

    if (geteuid() != 0)
        SKIP("needs root");
    CHILD(pid)
    {
        OK(setuid(1000));
        ERR(syscall(SYS_clone, 0x20000000 /* CLONE_NEWPID */ | SIGCHLD, 0, 0, 0, 0), EPERM);
    }
    wait_ok(pid);
}

/* ---- the rest ---- */

static void no_errors_of_a_network(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int s = OK(socket(AF_INET, SOCK_DGRAM, 0));
    char c;
    int value;

    OK(bind(s, (struct sockaddr *)&a, sizeof a));
    OK(getsockname(s, (struct sockaddr *)&a, &n));
    EQ(sendto(s, "x", 1, 0, (struct sockaddr *)&a, sizeof a), 1);
    ERR(recv(s, &c, 1, MSG_ERRQUEUE), EAGAIN);
    EQ(recv(s, &c, 1, 0), 1);
    n = sizeof value;
    ERR(getsockopt(s, 500, 1, &value, &n), EOPNOTSUPP);
}

static void entropy_asked_for(void)
{
    int fd = OK(open("/dev/urandom", O_RDWR)), n = -1;

    OK(ioctl(fd, RNDGETENTCNT, &n));
    CHECK(n >= 0 && n <= 4096);
    EQ(n, number_in("/proc/sys/kernel/random/entropy_avail"));
    ERR(ioctl(fd, 0x1234, &n), EINVAL);
}

const struct test rules_tests[] = {
    {"first_lock_in_the_way", first_lock_in_the_way},
    {"positions_of_pipes", positions_of_pipes},
    {"sendfile_tells", sendfile_tells},
    {"splice_wants_pages", splice_wants_pages},
    {"no_clones", no_clones},
    {"read_at_the_end", read_at_the_end},
    {"setgid_before_umask", setgid_before_umask},
    {"handles", handles},
    {"leases_that_fit", leases_that_fit},
    {"leases_are_broken", leases_are_broken},
    {"mounts_are_told", mounts_are_told},
    {"a_look_is_a_use", a_look_is_a_use},
    {"mmap_which_error", mmap_which_error},
    {"zeroes_mapped", zeroes_mapped},
    {"which_pages_are_there", which_pages_are_there},
    {"unlimited_stack", unlimited_stack},
    {"shared_word_must_be_there", shared_word_must_be_there},
    {"limits_of_pipes", limits_of_pipes},
    {"limits_of_inotify", limits_of_inotify},
    {"limits_told", limits_told},
    {"descriptors_told", descriptors_told},
    {"timer_slack", timer_slack},
    {"signal_by_directory", signal_by_directory},
    {"select_leaves_the_time", select_leaves_the_time},
    {"ioprio_as_set", ioprio_as_set},
    {"namespaces_need_a_right", namespaces_need_a_right},
    {"no_errors_of_a_network", no_errors_of_a_network},
    {"entropy_asked_for", entropy_asked_for},
    {NULL, NULL},
};
