/*
 * diskload: keeps a disk busy and checks every answer.
 *
 *      diskload [-w] [-n OPERATIONS] [-i MILLISECONDS] DISK
 *
 * The disk holds blocks of 4 KiB; each word of block b is version << 32 | b, version 0 at first.
 * diskload reads blocks at random and compares; with -w it also writes some, with a version one higher,
 * and from then on wants to read that. Everything is O_DIRECT. Every so many milliseconds (default 100) it
 * prints
 *
 *      load READS WRITES WRONG ERRORS LONGEST_US ENDED_US
 *
 * counted since the start, but LONGEST_US: the longest operation since the last line, and the time of its end
 * (CLOCK_MONOTONIC). It ends after
 * OPERATIONS (default: never), with status 0 when nothing was wrong, 1 else, 2 for a bad command line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/fs.h>

#define BLOCK 4096
#define WORDS (BLOCK / 8)
#define BLOCKS_MAX 65536

static uint64_t buffer[WORDS] __attribute__((aligned(BLOCK)));
static uint32_t version[BLOCKS_MAX];
static unsigned long reads, writes, wrong, errors;
static uint64_t longest, ended;

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t next_random(void)
{
    static uint64_t state = 88172645463325252u;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void read_block(int fd, uint32_t b)
{
    uint64_t want = (uint64_t)version[b] << 32 | b;

    reads++;
    if (pread(fd, buffer, BLOCK, (off_t)b * BLOCK) != BLOCK) {
        errors++;
        return;
    }
    for (unsigned i = 0; i < WORDS; i++) {
        if (buffer[i] != want) {
            wrong++;
            printf("wrong block %u word %u: %#llx, not %#llx\n", b, i,
                   (unsigned long long)buffer[i], (unsigned long long)want);
            return;
        }
    }
}

static void write_block(int fd, uint32_t b)
{
    uint64_t value = (uint64_t)(version[b] + 1) << 32 | b;

    writes++;
    for (unsigned i = 0; i < WORDS; i++) {
        buffer[i] = value;
    }
    if (pwrite(fd, buffer, BLOCK, (off_t)b * BLOCK) != BLOCK) {
        errors++;
        return;
    }
    version[b]++;
}

static void report(void)
{
    printf("load %lu %lu %lu %lu %llu %llu\n", reads, writes, wrong, errors,
           (unsigned long long)longest, (unsigned long long)ended);
    fflush(stdout);
    longest = 0;
}

static int usage(void)
{
    fputs("Usage: diskload [-w] [-n OPERATIONS] [-i MILLISECONDS] DISK\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    unsigned long limit = 0, interval = 100;
    bool writing = false;
    int option;

    while ((option = getopt(argc, argv, "wn:i:")) != -1) {
        switch (option) {
        case 'w':
            writing = true;
            break;
        case 'n':
            limit = strtoul(optarg, NULL, 10);
            break;
        case 'i':
            interval = strtoul(optarg, NULL, 10);
            break;
        default:
            return usage();
        }
    }
    if (optind + 1 != argc) {
        return usage();
    }
    int fd = open(argv[optind], (writing ? O_RDWR : O_RDONLY) | O_DIRECT | O_CLOEXEC);
    uint64_t size = 0;
    if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size) < 0 || size < BLOCK) {
        fprintf(stderr, "diskload: %s: %s\n", argv[optind], fd < 0 ? strerror(errno) : "no disk");
        return 2;
    }
    uint32_t blocks = size / BLOCK < BLOCKS_MAX ? (uint32_t)(size / BLOCK) : BLOCKS_MAX;
    uint64_t next_report = now_us() + interval * 1000;
    for (unsigned long n = 0; limit == 0 || n < limit; n++) {
        uint64_t random = next_random(), start = now_us(), took;
        uint32_t b = (uint32_t)(random % blocks);
        if (writing && (random >> 40) % 4 == 0) {
            write_block(fd, b);
        } else {
            read_block(fd, b);
        }
        took = now_us() - start;
        if (took > longest) {
            longest = took;
            ended = start + took;
        }
        if (start >= next_report) {
            report();
            next_report = start + interval * 1000;
        }
    }
    report();
    return wrong || errors;
}
