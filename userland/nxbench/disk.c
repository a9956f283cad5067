/*
 * Rows of a disk, /dev/vda or $NXBENCH_DISK. They are measured only when asked for by name: most
 * machines have none. Each repetition begins with an empty cache (BLKFLSBUF), so that what is
 * measured is the way to the device and back.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "nxbench.h"

#define SEQUENTIAL 65536
#define RANDOM 4096

static char buffer[SEQUENTIAL] __attribute__((aligned(4096)));
static uint64_t size;
static int fd = -1;

static void setup_disk(void)
{
    const char *disk = getenv("NXBENCH_DISK");

    fd = open(disk ? disk : "/dev/vda", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fail("disk");
    }
    if (ioctl(fd, BLKGETSIZE64, &size) < 0 || size < SEQUENTIAL) {
        fail("size of the disk");
    }
}

static void done_disk(void)
{
    close(fd);
}

static void empty_cache(void)
{
    if (ioctl(fd, BLKFLSBUF, 0) < 0) {
        fail("BLKFLSBUF");
    }
}

static void run_sequential(unsigned ops)
{
    uint64_t at = 0;

    empty_cache();
    while (ops-- > 0) {
        if (at + SEQUENTIAL > size) {
            at = 0;
        }
        if (pread(fd, buffer, SEQUENTIAL, (off_t)at) != SEQUENTIAL) {
            fail("read of the disk");
        }
        at += SEQUENTIAL;
    }
}

static void run_random(unsigned ops)
{
    uint64_t state = 88172645463325252u; /* the same places in every run */

    empty_cache();
    while (ops-- > 0) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        if (pread(fd, buffer, RANDOM, (off_t)(state % (size / RANDOM) * RANDOM)) != RANDOM) {
            fail("read of the disk");
        }
    }
}

const struct row disk_rows[] = {
    {.name = "disk-read-64k",
     .what = "sequential read of a disk, per 64 KiB",
     .ops = 1024,
     .reps = 3,
     .setup = setup_disk,
     .run = run_sequential,
     .done = done_disk},
    {.name = "disk-random-4k",
     .what = "random read of a disk, 4 KiB",
     .ops = 2048,
     .reps = 3,
     .setup = setup_disk,
     .run = run_random,
     .done = done_disk},
    {0},
};
