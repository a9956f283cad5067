/*
 * Files that are not quite files: FIFOs and how they open, nodes of devices, files without a name.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "test.h"

static void fifo_ends_wait(void)
{
    struct gate ready;
    pid_t pid;
    char c;

    gate_init(&ready);
    OK(mkfifo("p", 0600));
    CHILD(pid)
    {
        gate_open(&ready);
        int fd = OK(open("p", O_WRONLY)); /* waits for us */
        EQ(write(fd, "x", 1), 1);
    }
    gate_wait(&ready);
    wait_state(pid, 'S');
    int fd = OK(open("p", O_RDONLY));
    EQ(read(fd, &c, 1), 1);
    EQ(read(fd, &c, 1), 0);
    wait_ok(pid);
    OK(close(fd));
    CHILD(pid)
    {
        gate_open(&ready);
        OK(open("p", O_RDONLY));
    }
    gate_wait(&ready);
    wait_state(pid, 'S');
    OK(close(OK(open("p", O_WRONLY))));
    wait_ok(pid);
}

static void fifo_without_waiting(void)
{
    char c;

    OK(mkfifo("p", 0600));
    ERR(open("p", O_WRONLY | O_NONBLOCK), ENXIO);
    int rd = OK(open("p", O_RDONLY | O_NONBLOCK));
    EQ(read(rd, &c, 1), 0); /* nobody writes */
    int wr = OK(open("p", O_WRONLY | O_NONBLOCK));
    ERR(read(rd, &c, 1), EAGAIN);
    EQ(write(wr, "abc", 3), 3);
    EQ(read(rd, &c, 1), 1);
    OK(close(rd));
    handle(SIGPIPE, SIG_IGN, 0, 0);
    ERR(write(wr, "x", 1), EPIPE);
    OK(close(wr));
    int both = OK(open("p", O_RDWR)); /* never waits */
    EQ(write(both, "x", 1), 1);
    EQ(read(both, &c, 1), 1);
    OK(close(both));
    rd = OK(open("p", O_RDONLY | O_NONBLOCK)); /* what was in it is gone with the last end */
    EQ(read(rd, &c, 1), 0);
    ERR(lseek(rd, 0, SEEK_SET), ESPIPE);
}

static void fifo_open_interrupted(void)
{
    struct gate ready;
    pid_t pid;

    gate_init(&ready);
    OK(mkfifo("p", 0600));
    CHILD(pid)
    {
        handle(SIGUSR1, count_signal, 0, 0);
        gate_open(&ready);
        ERR(open("p", O_RDONLY), EINTR);
        EQ(caught, 1);
    }
    gate_wait(&ready);
    wait_state(pid, 'S');
    OK(kill(pid, SIGUSR1));
    wait_ok(pid);
    ERR(open("p", O_WRONLY | O_NONBLOCK), ENXIO); /* it left no reader behind */
}

static void nodes(void)
{
    struct stat st;

    OK(mknod("r", 0640, 0)); /* no type: a regular file */
    OK(stat("r", &st));
    EQ(st.st_mode & S_IFMT, S_IFREG);
    OK(mknod("s", S_IFSOCK | 0600, 0));
    OK(stat("s", &st));
    EQ(st.st_mode, S_IFSOCK | 0600);
    ERR(open("s", O_RDONLY), ENXIO);
    OK(close(OK(open("s", O_PATH))));
    ERR(mknod("d", S_IFDIR | 0700, 0), EPERM);
    ERR(mknod("l", S_IFLNK | 0700, 0), EINVAL);
    ERR(mknod("r", S_IFIFO | 0600, 0), EEXIST);
    ERR(mknod("none/r", S_IFIFO | 0600, 0), ENOENT);
    if (geteuid() != 0) {
        ERR(mknod("c", S_IFCHR | 0600, makedev(1, 3)), EPERM);
        return;
    }
    OK(mknod("c", S_IFCHR | 0600, makedev(1, 3)));
    OK(stat("c", &st));
    EQ(st.st_rdev, makedev(1, 3));
    OK(mknod("b", S_IFBLK | 0600, makedev(200, 12345)));
    OK(stat("b", &st));
    EQ(major(st.st_rdev), 200);
    EQ(minor(st.st_rdev), 12345);
    CHECK(open("b", O_RDONLY) < 0 && (errno == ENXIO || errno == EACCES)); /* or nodev */
}

static void nameless(void)
{
    struct stat st;
    char path[64];
    int fd = open(".", O_RDWR | O_TMPFILE, 0640);

    if (fd < 0 && errno == EOPNOTSUPP) {
        SKIP("no O_TMPFILE in this file system");
    }
    OK(fd);
    OK(fstat(fd, &st));
    EQ(st.st_nlink, 0);
    EQ(write(fd, "text", 4), 4);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    OK(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    OK(fstat(fd, &st));
    EQ(st.st_nlink, 1);
    expect_file("named", "text");
    OK(unlink("named"));
    ERR(linkat(AT_FDCWD, path, AT_FDCWD, "again", AT_SYMLINK_FOLLOW), ENOENT); /* once only */
    OK(close(fd));
    fd = OK(open(".", O_RDWR | O_TMPFILE | O_EXCL, 0640)); /* and this never */
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ERR(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), ENOENT);
    ERR(open(".", O_RDONLY | O_TMPFILE, 0640), EINVAL);
    ERR(open("none", O_RDWR | O_TMPFILE, 0640), ENOENT);
    write_file("f", "");
    ERR(open("f", O_RDWR | O_TMPFILE, 0640), ENOTDIR);
}

static void link_by_descriptor(void)
{
    int fd;

    write_file("f", "text");
    fd = OK(open("f", O_RDONLY));
    if (geteuid() != 0) {
        ERR(linkat(fd, "", AT_FDCWD, "g", AT_EMPTY_PATH), ENOENT);
        return;
    }
    OK(linkat(fd, "", AT_FDCWD, "g", AT_EMPTY_PATH));
    expect_file("g", "text");
    OK(unlink("f"));
    OK(unlink("g"));
    ERR(linkat(fd, "", AT_FDCWD, "h", AT_EMPTY_PATH), ENOENT); /* what is gone stays gone */
}

static void truncated_at_open(void)
{
    struct timespec old[2] = {{100, 0}, {100, 0}};
    struct stat st;

    write_file("f", "");
    OK(chmod("f", 06755));
    OK(utimensat(AT_FDCWD, "f", old, 0));
    OK(close(OK(open("f", O_WRONLY | O_TRUNC)))); /* there was nothing, and yet */
    OK(stat("f", &st));
    CHECK(st.st_mtim.tv_sec > 100);
    OK(utimensat(AT_FDCWD, "f", old, 0));
    OK(truncate("f", 0)); /* unlike this */
    OK(stat("f", &st));
    EQ(st.st_mtim.tv_sec, 100);
    OK(close(OK(open("new", O_WRONLY | O_CREAT | O_TRUNC, 04700))));
    OK(stat("new", &st));
    EQ(st.st_mode & 07777, 04700);
}

static void handles(void)
{
    struct {
        struct file_handle head;
        char room[128];
    } h = {.head.handle_bytes = 1000};
    int id;

    ERR(name_to_handle_at(AT_FDCWD, "none", &h.head, &id, 0), ENOENT);
    ERR(name_to_handle_at(AT_FDCWD, ".", &h.head, &id, 0x10000), EINVAL);
    ERR(name_to_handle_at(AT_FDCWD, ".", (void *)8, &id, 0), EFAULT);
}

const struct test special_tests[] = {
    {"fifo_ends_wait", fifo_ends_wait},
    {"fifo_without_waiting", fifo_without_waiting},
    {"fifo_open_interrupted", fifo_open_interrupted},
    {"nodes", nodes},
    {"nameless", nameless},
    {"link_by_descriptor", link_by_descriptor},
    {"truncated_at_open", truncated_at_open},
    {"handles", handles},
    {NULL, NULL},
};
