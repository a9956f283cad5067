/* Which disks there are: their nodes in /dev, their partitions, /proc/partitions. */
#include "block/block.h"

#include <stdio.h>
#include <string.h>

#include "fs/inode.h"

#define RECLAIM_PAGES 64u

static struct disk *disks[MB_BLOCKS];

struct disk *disk_get(unsigned index)
{
    return index < MB_BLOCKS && disks[index] != NULL && disks[index]->present ? disks[index] : NULL;
}

static void name_of(char *buf, size_t n, unsigned disk, unsigned part)
{
    if (part == 0) {
        snprintf(buf, n, "vd%c", 'a' + (int)disk);
    } else {
        snprintf(buf, n, "vd%c%u", 'a' + (int)disk, part);
    }
}

/* ---- partitions ---- */

static int read_sector(void *ctx, uint64_t sector, void *buf)
{
    struct disk *d = ctx;
    struct blk_file bf = {.disk = d, .part = &d->part[0], .next = ~0ul};
    struct iobuf b = iobuf_kernel(buf, PARTITION_SECTOR);
    if (sector >= d->c.sectors) {
        return -EIO;
    }
    long n = blk_read(&bf, &b, sector * PARTITION_SECTOR, PARTITION_SECTOR, false);
    return n == PARTITION_SECTOR ? 0 : -EIO;
}

static void node(struct disk *d, unsigned part, bool there)
{
    char name[16];
    uint32_t minor = d->index * BLK_MINORS + part;
    name_of(name, sizeof(name), d->index, part);
    if (!there) {
        devfs_remove(name, S_IFBLK, BLK_MAJOR, minor);
    } else if (devfs_register(name, S_IFBLK | 0660, BLK_MAJOR, minor, blk_open) < 0) {
        mb_log("%s: no memory for its node", name);
    }
}

int disk_scan(struct disk *d)
{
    struct partition found[PARTITIONS_MAX];
    unsigned n = partition_scan(d->c.sectors, read_sector, d, found);
    for (unsigned i = 1; i < BLK_MINORS; i++) {
        if (d->part[i].present) {
            node(d, i, false);
            d->part[i].present = false;
        }
    }
    for (unsigned i = 0; i < n; i++) {
        d->part[found[i].number] = (struct disk_part){
            .present = true, .start = found[i].start * 512, .bytes = found[i].sectors * 512};
        node(d, found[i].number, true);
    }
    return (int)n;
}

/* ---- what the file layer asks about disks ---- */

static size_t partitions_text(char *buf, size_t n)
{
    size_t at = 0;
    for (unsigned i = 0; i < MB_BLOCKS; i++) {
        const struct disk *d = disk_get(i);
        for (unsigned k = 0; d != NULL && k < BLK_MINORS; k++) {
            char name[16];
            if (!d->part[k].present) {
                continue;
            }
            name_of(name, sizeof(name), i, k);
            at += (size_t)snprintf(at < n ? buf + at : NULL, at < n ? n - at : 0,
                                   "%4u  %7u %10lu %s\n", BLK_MAJOR, i * BLK_MINORS + k,
                                   (unsigned long)(d->part[k].bytes / 1024), name);
        }
    }
    return at;
}

/* Requests that went to the device; times and merges are not counted. */
static size_t stats_line(const struct disk *d, char *buf, size_t n)
{
    unsigned flying = 0;
    for (unsigned i = 0; i < BLK_IOS; i++) {
        flying += d->io[i].flying;
    }
    return (size_t)snprintf(buf, n, "%lu 0 %lu 0 %lu 0 %lu 0 %u 0 0 0 0 0 0 %lu 0\n",
                            (unsigned long)d->did[MB_BLOCK_READ].requests,
                            (unsigned long)d->did[MB_BLOCK_READ].sectors,
                            (unsigned long)d->did[MB_BLOCK_WRITE].requests,
                            (unsigned long)d->did[MB_BLOCK_WRITE].sectors, flying,
                            (unsigned long)d->did[MB_BLOCK_FLUSH].requests);
}

static size_t diskstats_text(char *buf, size_t n)
{
    size_t at = 0;
    for (unsigned i = 0; i < MB_BLOCKS; i++) {
        const struct disk *d = disk_get(i);
        if (d == NULL) {
            continue;
        }
        at += (size_t)snprintf(at < n ? buf + at : NULL, at < n ? n - at : 0, "%4u %7u vd%c ",
                               BLK_MAJOR, i * BLK_MINORS, 'a' + (int)i);
        at += stats_line(d, at < n ? buf + at : NULL, at < n ? n - at : 0);
    }
    return at;
}

static int sync_all(void)
{
    int err = 0;
    for (unsigned i = 0; i < MB_BLOCKS; i++) {
        struct disk *d = disk_get(i);
        int e = d != NULL ? blk_flush(d) : 0;
        err = err == 0 ? e : err;
    }
    return err;
}

static bool reclaim(void)
{
    return cache_shrink(RECLAIM_PAGES) > 0;
}

static uint64_t bytes_of(uint64_t dev)
{
    uint32_t minor = dev_minor(dev);
    const struct disk *d = disk_get(minor / BLK_MINORS);
    const struct disk_part *part = d != NULL ? &d->part[minor % BLK_MINORS] : NULL;
    return part != NULL && part->present ? part->bytes : 0;
}

static const struct vfs_block hooks = {
    .bytes = bytes_of,
    .partitions = partitions_text,
    .diskstats = diskstats_text,
    .sync = sync_all,
    .cached = cache_count,
    .shrink = cache_shrink,
};

/* ---- a disk comes ---- */

static void disk_log(const struct disk *d)
{
    mb_log("vd%c: %lu sectors of 512 bytes%s%s", 'a' + (int)d->index, (unsigned long)d->c.sectors,
           d->c.readonly ? ", read-only" : "", d->c.cached ? ", with a cache" : "");
}

void disk_attach(unsigned index)
{
    struct disk *d = mb_zalloc(sizeof(*d));
    if (d == NULL) {
        mb_log("disk %u: no memory", index);
        return;
    }
    d->index = index;
    if (mb_block_config(index, &d->c) < 0 || blk_init(d) < 0) {
        mb_log("disk %u: not one we can use", index);
        mb_free(d);
        return;
    }
    if (cache_init() < 0) {
        mb_log("disks: no memory for a cache");
    }
    vfs_block = &hooks;
    mb_reclaim_hook = reclaim;
    disks[index] = d;
    d->present = true;
    d->part[0] = (struct disk_part){.present = true, .start = 0, .bytes = d->bytes};
    disk_log(d);
    node(d, 0, true);
    disk_scan(d);
}
