/*
 * Partition tables: MBR, logical partitions, GPT and its copy, and what damaged ones give.
 * test-sources: posix/block/partition.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "block/partition.h"

#define SECTORS 4096u
static uint8_t disk[SECTORS * PARTITION_SECTOR];
static unsigned reads;
static uint64_t bad = ~0ul; /* a sector that cannot be read */

static int reader(void *ctx, uint64_t sector, void *buf)
{
    assert_true(sector < SECTORS);
    reads++;
    if (sector == bad) {
        return -EIO;
    }
    memcpy(buf, disk + sector * PARTITION_SECTOR, PARTITION_SECTOR);
    return 0;
}

static struct partition out[PARTITIONS_MAX];

/* Scan, and check what always holds. */
static unsigned scan(void)
{
    reads = 0;
    unsigned n = partition_scan(SECTORS, reader, NULL, out);
    assert_true(n <= PARTITIONS_MAX);
    assert_true(reads < 2000);
    for (unsigned i = 0; i < n; i++) {
        assert_in_range(out[i].number, i == 0 ? 1 : out[i - 1].number + 1, PARTITIONS_MAX);
        assert_true(out[i].start > 0 && out[i].sectors > 0);
        assert_true(out[i].start < SECTORS && out[i].sectors <= SECTORS - out[i].start);
    }
    return n;
}

static void put(uint8_t *p, uint64_t v, unsigned bytes)
{
    for (; bytes > 0; bytes--, v >>= 8) {
        *p++ = (uint8_t)v;
    }
}

static void entry(unsigned sector, unsigned i, uint8_t type, uint32_t start, uint32_t sectors)
{
    uint8_t *s = disk + sector * PARTITION_SECTOR, *e = s + 446 + 16 * i;
    e[4] = type;
    put(e + 8, start, 4);
    put(e + 12, sectors, 4);
    put(s + 510, 0xaa55, 2);
}

static int clear(void **state)
{
    memset(disk, 0, sizeof(disk));
    bad = ~0ul;
    return 0;
}

static void same(unsigned i, unsigned number, uint64_t start, uint64_t sectors)
{
    assert_int_equal(out[i].number, number);
    assert_int_equal(out[i].start, start);
    assert_int_equal(out[i].sectors, sectors);
}

static void nothing(void **state)
{
    assert_int_equal(scan(), 0);
    memset(disk, 0xff, sizeof(disk));
    assert_int_equal(scan(), 0);
    put(disk + 510, 0xaa55, 2); /* a boot sector: status bytes say it is no table */
    assert_int_equal(scan(), 0);
    assert_int_equal(partition_scan(1, reader, NULL, out), 0);
    assert_int_equal(partition_scan(0, reader, NULL, out), 0);
}

static void primary(void **state)
{
    entry(0, 0, 0x83, 64, 100);
    entry(0, 2, 0x0c, 200, 50);
    assert_int_equal(scan(), 2);
    same(0, 1, 64, 100);
    same(1, 3, 200, 50);
    entry(0, 1, 0x83, 4000, 1000); /* behind the end: cut */
    entry(0, 3, 0x83, 5000, 10);   /* outside */
    assert_int_equal(scan(), 3);
    same(1, 2, 4000, 96);
    bad = 0;
    assert_int_equal(scan(), 0);
}

static void logical(void **state)
{
    entry(0, 0, 0x83, 64, 36);
    entry(0, 1, 0x05, 100, 1000);
    entry(100, 0, 0x83, 2, 50);    /* relative to this sector */
    entry(100, 1, 0x05, 200, 100); /* relative to 100 */
    entry(300, 0, 0x83, 2, 60);
    entry(300, 1, 0x05, 400, 100);
    entry(500, 0, 0x00, 0, 0); /* a link without a partition */
    entry(500, 1, 0x05, 600, 100);
    entry(700, 0, 0x82, 5, 5);
    assert_int_equal(scan(), 4);
    same(0, 1, 64, 36);
    same(1, 5, 102, 50);
    same(2, 6, 302, 60);
    same(3, 7, 705, 5);
    entry(700, 1, 0x05, 200, 100); /* back to the second */
    assert_int_equal(scan(), 4);
    entry(700, 1, 0x05, 600, 100); /* to itself */
    assert_int_equal(scan(), 4);
    entry(100, 1, 0x05, 5000, 100); /* out of the whole */
    assert_int_equal(scan(), 2);
}

static void many_logical(void **state)
{
    entry(0, 0, 0x0f, 100, 3000);
    for (unsigned i = 0; i < 80; i++) {
        entry(100 + 10 * i, 0, 0x83, 1, 5);
        entry(100 + 10 * i, 1, 0x05, 10 * (i + 1), 10);
    }
    assert_int_equal(scan(), 11); /* 5 .. 15 */
    same(10, 15, 100 + 10 * 10 + 1, 5);
}

/* ---- GPT ---- */

static uint32_t crc32_slow(const uint8_t *p, size_t n)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int k = 0; k < 8; k++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
        }
    }
    return ~crc;
}

static void gpt_header_at(uint64_t at, uint64_t entries_at, uint32_t n, uint32_t size)
{
    uint8_t *h = disk + at * PARTITION_SECTOR;
    memcpy(h, "EFI PART", 8);
    put(h + 8, 0x10000, 4);
    put(h + 12, 92, 4);
    put(h + 24, at, 8);
    put(h + 40, 34, 8);
    put(h + 48, SECTORS - 34, 8);
    put(h + 72, entries_at, 8);
    put(h + 80, n, 4);
    put(h + 84, size, 4);
    put(h + 88, crc32_slow(disk + entries_at * PARTITION_SECTOR, (size_t)n * size), 4);
    put(h + 16, 0, 4);
    put(h + 16, crc32_slow(h, 92), 4);
}

static void gpt_entry_at(uint64_t entries_at, unsigned i, uint32_t size, uint64_t start,
                         uint64_t end)
{
    uint8_t *e = disk + entries_at * PARTITION_SECTOR + (size_t)i * size;
    memset(e, 0x5a, 16);
    put(e + 32, start, 8);
    put(e + 40, end, 8);
}

static void gpt_make(uint32_t size)
{
    clear(NULL);
    entry(0, 0, 0xee, 1, 0xffffffff);
    for (unsigned copy = 0; copy < 2; copy++) {
        uint64_t at = copy ? SECTORS - 1 : 1, entries = copy ? SECTORS - 1 - size / 4 : 2;
        gpt_entry_at(entries, 0, size, 64, 127);
        gpt_entry_at(entries, 1, size, 128, 128);
        gpt_entry_at(entries, 14, size, 1000, 1999);
        gpt_entry_at(entries, 15, size, 2000, 2001); /* one too many for us */
        gpt_entry_at(entries, 4, size, 10, 20);      /* before the first usable */
        gpt_entry_at(entries, 5, size, 300, 200);    /* ends before it begins */
        gpt_header_at(at, entries, 128, size);
    }
}

static void gpt_good(void)
{
    assert_int_equal(scan(), 3);
    same(0, 1, 64, 64);
    same(1, 2, 128, 1);
    same(2, 15, 1000, 1000);
}

static void gpt(void **state)
{
    for (uint32_t size = 128; size <= 512; size *= 2) {
        gpt_make(size);
        gpt_good();
        disk[PARTITION_SECTOR + 50] ^= 1; /* the header is damaged: the copy is good */
        gpt_good();
        bad = SECTORS - 1;
        assert_int_equal(scan(), 0);
        bad = ~0ul;
        disk[(SECTORS - 1 - size / 4) * PARTITION_SECTOR + 32] ^= 1; /* an entry of the copy */
        assert_int_equal(scan(), 0);
        gpt_make(size);
        bad = 3; /* among the entries */
        gpt_good();
        bad = ~0ul;
    }
}

static void gpt_odd(void **state)
{
    gpt_make(128);
    gpt_header_at(1, 2, 2000, 128); /* too many entries: the copy */
    gpt_good();
    gpt_header_at(1, 2, 128, 100);
    gpt_good();
    gpt_header_at(1, 2, 0, 128);
    assert_int_equal(scan(), 0);                    /* valid, and empty */
    put(disk + PARTITION_SECTOR + 72, ~0ul - 1, 8); /* entries nowhere */
    put(disk + PARTITION_SECTOR + 16, 0, 4);
    put(disk + PARTITION_SECTOR + 16, crc32_slow(disk + PARTITION_SECTOR, 92), 4);
    gpt_good();
}

/* Any bytes at all, and tables with a few bytes changed (sums put right, so that the rest is looked at). */
static void random_bytes(void **state)
{
    uint32_t x = 1;
    for (unsigned round = 0; round < 3000; round++) {
        if (round % 3 == 0) {
            gpt_make(128);
        } else {
            clear(NULL);
            entry(0, 0, 0x83, 64, 36);
            entry(0, 1, 0x05, 100, 1000);
            entry(100, 0, 0x83, 2, 50);
            entry(100, 1, 0x05, 200, 100);
            entry(300, 0, 0x83, 2, 60);
        }
        for (unsigned k = 0; k < 1 + round % 8; k++) {
            x = x * 1664525 + 1013904223;
            static const unsigned where[] = {446, 512, 1024, 100 * 512 + 446, 300 * 512 + 446};
            disk[where[(x >> 28) % 5] + (x >> 8) % 92] = (uint8_t)(x >> 16);
        }
        if (round % 3 == 0) {
            uint32_t n = disk[PARTITION_SECTOR + 80] | disk[PARTITION_SECTOR + 81] << 8;
            if (n <= 1024) {
                put(disk + PARTITION_SECTOR + 88, crc32_slow(disk + 1024, (size_t)n * 128), 4);
            }
            put(disk + PARTITION_SECTOR + 12, 92, 4);
            put(disk + PARTITION_SECTOR + 16, 0, 4);
            put(disk + PARTITION_SECTOR + 16, crc32_slow(disk + PARTITION_SECTOR, 92), 4);
        }
        put(disk + 510, 0xaa55, 2);
        scan();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing, clear),      cmocka_unit_test_setup(primary, clear),
        cmocka_unit_test_setup(logical, clear),      cmocka_unit_test_setup(many_logical, clear),
        cmocka_unit_test_setup(gpt, clear),          cmocka_unit_test_setup(gpt_odd, clear),
        cmocka_unit_test_setup(random_bytes, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
