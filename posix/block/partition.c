/* See partition.h. */
#include "block/partition.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* MBR: 4 entries of 16 bytes at 446, signature at 510. */
#define MBR_TABLE 446u
#define MBR_ENTRY 16u
#define MBR_PRIMARY 4u
#define MBR_TYPE_GPT 0xeeu
#define MBR_LINKS_MAX 64u

/* GPT header, at sector 1 and at the disk's last. */
#define GPT_HEADER_MIN 92u
#define GPT_ENTRY_MIN 128u
#define GPT_ENTRIES_MAX 1024u

struct scan {
    uint64_t disk; /* sectors */
    partition_reader *read;
    void *ctx;
    struct partition *out;
    unsigned count;
    uint8_t sector[PARTITION_SECTOR];
};

static uint64_t get(const uint8_t *p, unsigned bytes)
{
    uint64_t v = 0;
    while (bytes-- > 0) {
        v = v << 8 | p[bytes];
    }
    return v;
}

static bool add(struct scan *s, unsigned number, uint64_t start, uint64_t sectors)
{
    if (number < 1 || number > PARTITIONS_MAX || s->count == PARTITIONS_MAX) {
        return false;
    }
    if (start == 0 || start >= s->disk || sectors == 0) {
        return false;
    }
    if (sectors > s->disk - start) {
        sectors = s->disk - start; /* the disk was larger once; Linux cuts, too */
    }
    s->out[s->count++] = (struct partition){.start = start, .sectors = sectors, .number = number};
    return true;
}

/* ---- GPT ---- */

/* CRC-32 as of Ethernet and zip, four bits at a time. */
static uint32_t crc32_more(uint32_t crc, const uint8_t *p, size_t n)
{
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                       0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    for (; n > 0; n--, p++) {
        crc = crc >> 4 ^ table[(crc ^ *p) & 15];
        crc = crc >> 4 ^ table[(crc ^ *p >> 4) & 15];
    }
    return crc;
}

struct gpt {
    uint64_t first, last; /* sectors partitions may have */
    uint64_t entries_at;
    uint32_t entries, entry_size, entries_crc;
};

static bool gpt_header(struct scan *s, uint64_t at, struct gpt *g)
{
    uint8_t *h = s->sector;
    static const uint8_t zero[4];
    if (s->read(s->ctx, at, h) < 0 || memcmp(h, "EFI PART", 8) != 0) {
        return false;
    }
    uint32_t size = (uint32_t)get(h + 12, 4), crc = (uint32_t)get(h + 16, 4);
    if (size < GPT_HEADER_MIN || size > PARTITION_SECTOR || get(h + 24, 8) != at) {
        return false;
    }
    uint32_t sum = crc32_more(~0u, h, 16);
    sum = crc32_more(sum, zero, 4);
    sum = crc32_more(sum, h + 20, size - 20);
    *g = (struct gpt){.first = get(h + 40, 8),
                      .last = get(h + 48, 8),
                      .entries_at = get(h + 72, 8),
                      .entries = (uint32_t)get(h + 80, 4),
                      .entry_size = (uint32_t)get(h + 84, 4),
                      .entries_crc = (uint32_t)get(h + 88, 4)};
    if (~sum != crc || g->first > g->last || g->last >= s->disk || g->entries > GPT_ENTRIES_MAX) {
        return false;
    }
    if (g->entry_size != GPT_ENTRY_MIN && g->entry_size != 256 && g->entry_size != 512) {
        return false;
    }
    uint64_t sectors =
        ((uint64_t)g->entries * g->entry_size + PARTITION_SECTOR - 1) / PARTITION_SECTOR;
    return g->entries_at > 0 && g->entries_at < s->disk && sectors <= s->disk - g->entries_at;
}

static void gpt_entry(struct scan *s, const struct gpt *g, unsigned number, const uint8_t *e)
{
    static const uint8_t unused[16];
    uint64_t start = get(e + 32, 8), end = get(e + 40, 8);
    if (memcmp(e, unused, sizeof(unused)) != 0 && start >= g->first && start <= end &&
        end <= g->last) {
        add(s, number, start, end - start + 1);
    }
}

/* All entries count for the sum, the first PARTITIONS_MAX are for us. */
static bool gpt_entries(struct scan *s, const struct gpt *g)
{
    uint32_t crc = ~0u, per = PARTITION_SECTOR / g->entry_size;
    for (uint32_t i = 0; i < g->entries; i++) {
        if (i % per == 0 && s->read(s->ctx, g->entries_at + i / per, s->sector) < 0) {
            return false;
        }
        const uint8_t *e = s->sector + i % per * g->entry_size;
        crc = crc32_more(crc, e, g->entry_size);
        if (i < PARTITIONS_MAX) {
            gpt_entry(s, g, i + 1, e);
        }
    }
    return ~crc == g->entries_crc;
}

static bool gpt_at(struct scan *s, uint64_t at)
{
    struct gpt g;
    s->count = 0;
    if (gpt_header(s, at, &g) && gpt_entries(s, &g)) {
        return true;
    }
    s->count = 0;
    return false;
}

/* ---- MBR ---- */

static bool extended(uint8_t type)
{
    return type == 0x05 || type == 0x0f || type == 0x85;
}

/* Logical partitions: a chain of sectors like the first, each with one partition (relative to itself)
 * and the next link (relative to the whole). */
static void logical(struct scan *s, uint64_t base, uint64_t size)
{
    uint64_t at = base;
    unsigned number = MBR_PRIMARY + 1;
    for (unsigned links_left = MBR_LINKS_MAX; links_left > 0; links_left--) {
        if (at >= s->disk || s->read(s->ctx, at, s->sector) < 0 ||
            get(s->sector + 510, 2) != 0xaa55) {
            return;
        }
        const uint8_t *e = s->sector + MBR_TABLE, *link = e + MBR_ENTRY;
        uint64_t next = get(link + 8, 4), links = get(link + 12, 4);
        bool more = extended(link[4]) && next != 0 && links != 0 && next < size;
        if (e[4] != 0 && !extended(e[4]) && add(s, number, at + get(e + 8, 4), get(e + 12, 4))) {
            number++; /* a link without a partition takes none */
        }
        if (!more || base + next <= at) { /* a chain goes forward: no circle */
            return;
        }
        at = base + next;
    }
}

/* A boot sector of a file system has the signature, too: then this is no table. */
static bool mbr_plausible(const uint8_t *sector)
{
    for (unsigned i = 0; i < MBR_PRIMARY; i++) {
        if ((sector[MBR_TABLE + i * MBR_ENTRY] & 0x7f) != 0) {
            return false;
        }
    }
    return get(sector + 510, 2) == 0xaa55;
}

unsigned partition_scan(uint64_t disk_sectors, partition_reader *read, void *ctx,
                        struct partition out[PARTITIONS_MAX])
{
    struct scan s = {.disk = disk_sectors, .read = read, .ctx = ctx, .out = out};
    uint8_t table[MBR_PRIMARY * MBR_ENTRY];
    if (disk_sectors < 2 || read(ctx, 0, s.sector) < 0 || !mbr_plausible(s.sector)) {
        return 0;
    }
    memcpy(table, s.sector + MBR_TABLE, sizeof(table));
    for (unsigned i = 0; i < MBR_PRIMARY; i++) {
        if (table[i * MBR_ENTRY + 4] == MBR_TYPE_GPT) {
            return gpt_at(&s, 1) || gpt_at(&s, disk_sectors - 1) ? s.count : 0;
        }
    }
    uint64_t base = 0, size = 0;
    for (unsigned i = 0; i < MBR_PRIMARY; i++) {
        const uint8_t *e = table + i * MBR_ENTRY;
        if (extended(e[4])) {
            base = base == 0 ? get(e + 8, 4) : base;
            size = size == 0 ? get(e + 12, 4) : size;
        } else if (e[4] != 0) {
            add(&s, i + 1, get(e + 8, 4), get(e + 12, 4));
        }
    }
    if (base != 0) {
        logical(&s, base, size);
    }
    return s.count;
}
