/* Requests to a disk's driver, and who has which part of its pool.  See block.h. */
#include "block/block.h"

#include <asm/errno.h>
#include <nx_base.h>

#define OLD 24u /* windows made since: the reader of this one has gone elsewhere */

int blk_init(struct disk *d)
{
    size_t size = 0;
    d->pool = mb_block_pool(d->index, &size);
    d->unit_bytes = (uint32_t)(size / BLK_UNITS / MB_PAGE * MB_PAGE);
    d->request_max = d->c.max_request / MB_PAGE * MB_PAGE;
    if (d->pool == NULL || d->unit_bytes == 0 || d->request_max == 0 || d->c.sectors == 0 ||
        d->c.sectors > INT64_MAX / 512) {
        return -EINVAL;
    }
    if (d->request_max / d->unit_bytes > BLK_UNITS / 4) { /* one must not take all */
        d->request_max = BLK_UNITS / 4 * d->unit_bytes;
    }
    d->bytes = d->c.sectors * 512;
    d->free_units = ~0ul;
    waitq_init(&d->room);
    for (unsigned i = 0; i < BLK_IOS; i++) {
        d->io[i] = (struct blk_io){.disk = d};
        waitq_init(&d->io[i].done);
    }
    return 0;
}

/* n units side by side: the first, or -1. */
static int units_find(uint64_t free_units, unsigned n)
{
    uint64_t m = free_units;
    for (unsigned i = 1; i < n && m != 0; i++) {
        m &= free_units >> i;
    }
    return m != 0 ? (int)nx_ctz64(m) : -1;
}

static uint64_t units_mask(unsigned unit, unsigned units)
{
    return (units == 0 ? 0 : ~0ul >> (BLK_UNITS - units)) << unit;
}

/* The oldest window that was answered and not consumed goes. */
static bool make_way(struct disk *d, bool urgent)
{
    struct blk_io *oldest = NULL;
    for (unsigned i = 0; i < BLK_IOS; i++) {
        struct blk_io *io = &d->io[i];
        if (io->kind == BLK_WINDOW && !io->flying &&
            (oldest == NULL || d->stamp - io->stamp > d->stamp - oldest->stamp)) {
            oldest = io;
        }
    }
    if (oldest == NULL || (!urgent && d->stamp - oldest->stamp < OLD)) {
        return false;
    }
    blk_give(oldest);
    return true;
}

struct blk_io *blk_take(struct disk *d, enum blk_kind kind, uint64_t bytes, bool urgent)
{
    unsigned units = (unsigned)((bytes + d->unit_bytes - 1) / d->unit_bytes);
    for (;;) {
        struct blk_io *io = NULL;
        for (unsigned i = 0; i < BLK_IOS && io == NULL; i++) {
            io = d->io[i].kind == BLK_FREE ? &d->io[i] : NULL;
        }
        int unit = units == 0 ? 0 : units_find(d->free_units, units);
        if (io != NULL && unit >= 0) {
            io->kind = (uint8_t)kind;
            io->unit = (uint8_t)unit;
            io->units = (uint8_t)units;
            io->flying = io->stale = io->keep = false;
            io->err = 0;
            io->page = io->pages = io->bytes = 0;
            io->stamp = kind == BLK_WINDOW ? d->stamp++ : 0;
            d->free_units &= ~units_mask(io->unit, units);
            return io;
        }
        if (!make_way(d, urgent)) {
            return NULL;
        }
    }
}

void blk_give(struct blk_io *io)
{
    struct disk *d = io->disk;
    d->free_units |= units_mask(io->unit, io->units);
    io->kind = BLK_FREE;
    wait_wake(&io->done); /* who wanted just this one looks again */
    wait_wake(&d->room);
}

static void answered(struct mb_block_request *rq, int err)
{
    struct blk_io *io = (struct blk_io *)rq;
    io->flying = false;
    io->err = err;
    if (io->stale) {
        blk_give(io);
    } else {
        wait_wake(&io->done);
    }
}

void blk_start(struct blk_io *io, enum mb_block_op op, uint64_t sector, uint32_t at, uint32_t len)
{
    io->rq = (struct mb_block_request){.op = op,
                                       .off = io->unit * io->disk->unit_bytes + at,
                                       .len = len,
                                       .sector = sector,
                                       .done = answered};
    io->flying = true;
    io->disk->did[op].requests++;
    io->disk->did[op].sectors += len / 512;
    int err = mb_block_submit(io->disk->index, &io->rq);
    if (err < 0) {
        answered(&io->rq, err);
    }
}

void blk_wait(struct blk_io *io)
{
    while (io->flying) {
        wait_on_device(&io->done);
    }
}

static bool covers(const struct blk_io *io, enum blk_kind kind, uint64_t first, uint64_t last)
{
    return io->kind == kind && io->page <= last && first < io->page + io->pages;
}

struct blk_io *blk_window(struct disk *d, uint64_t page)
{
    for (unsigned i = 0; i < BLK_IOS; i++) {
        struct blk_io *io = &d->io[i];
        if (page - io->page < io->pages && io->kind == BLK_WINDOW && !io->stale) {
            return io;
        }
    }
    return NULL;
}

uint64_t blk_window_after(const struct disk *d, uint64_t page, uint64_t last)
{
    uint64_t first = last + 1;
    for (unsigned i = 0; i < BLK_IOS; i++) {
        const struct blk_io *io = &d->io[i];
        if (io->kind == BLK_WINDOW && !io->stale && io->page > page && io->page < first) {
            first = io->page;
        }
    }
    return first;
}

void blk_windows_drop(struct disk *d, uint64_t first, uint64_t last)
{
    for (unsigned i = 0; i < BLK_IOS; i++) {
        struct blk_io *io = &d->io[i];
        if (!covers(io, BLK_WINDOW, first, last)) {
            continue;
        }
        if (io->flying) {
            io->stale = true;
        } else {
            blk_give(io);
        }
    }
}

struct blk_io *blk_write_over(struct disk *d, uint64_t first, uint64_t last)
{
    for (unsigned i = 0; i < BLK_IOS; i++) {
        if (covers(&d->io[i], BLK_WRITE, first, last)) {
            return &d->io[i];
        }
    }
    return NULL;
}
