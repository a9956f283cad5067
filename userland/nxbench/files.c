/*
 * Rows of calls on files in /tmp, which is memory.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nxbench.h"

static char path[64], other[64];
static char block[65536];
static int fd;

static void setup_file(void)
{
    snprintf(path, sizeof path, "/tmp/nxbench-%d", (int)getpid());
    snprintf(other, sizeof other, "/tmp/nxbench-%d-2", (int)getpid());
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, block, sizeof block) != (ssize_t)sizeof block) {
        fail(path);
    }
}

static void done_file(void)
{
    close(fd);
    unlink(path);
}

static void run_pwrite_4k(unsigned ops)
{
    while (ops-- > 0) {
        if (pwrite(fd, block, 4096, 0) != 4096) {
            fail("pwrite");
        }
    }
}

static void run_pread(unsigned ops, size_t size)
{
    while (ops-- > 0) {
        if (pread(fd, block, size, 0) != (ssize_t)size) {
            fail("pread");
        }
    }
}

static void run_pread_4k(unsigned ops)
{
    run_pread(ops, 4096);
}

static void run_pread_64k(unsigned ops)
{
    run_pread(ops, sizeof block);
}

static void run_open(unsigned ops)
{
    while (ops-- > 0) {
        int f = open(path, O_RDONLY);

        if (f < 0) {
            fail("open");
        }
        close(f);
    }
}

static void run_stat(unsigned ops)
{
    struct stat st;

    while (ops-- > 0) {
        if (stat(path, &st) < 0) {
            fail("stat");
        }
    }
}

static void run_create(unsigned ops)
{
    while (ops-- > 0) {
        int f = open(other, O_WRONLY | O_CREAT | O_EXCL, 0600);

        if (f < 0) {
            fail("creat");
        }
        close(f);
        unlink(other);
    }
}

const struct row file_rows[] = {
    {"pwrite-4k", "pwrite 4 KiB, tmpfs", 300, 30, 3, setup_file, run_pwrite_4k, done_file},
    {"pread-4k", "pread 4 KiB, tmpfs", 300, 30, 3, setup_file, run_pread_4k, done_file},
    {"pread-64k", "pread 64 KiB, tmpfs", 30, 3, 3, setup_file, run_pread_64k, done_file},
    {"open-close", "open + close", 300, 30, 3, setup_file, run_open, done_file},
    {"stat", "stat", 300, 30, 3, setup_file, run_stat, done_file},
    {"create-unlink", "create + unlink", 50, 5, 3, setup_file, run_create, done_file},
    {0},
};
