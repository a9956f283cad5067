/* Reading and writing bytes of a disk.  See block.h for the plan. */
#include "block/block.h"

#include <asm/errno.h>
#include <string.h>

#define SECTOR 512u
#define WINDOW_FIRST (16u << 10) /* a sequence begins with windows of this size */
#define WINDOW_MAX (128u << 10)
#define AHEAD_MAX (512u << 10) /* so much is asked for before its reader */
#define KEEP_RUN (4ul << 20)   /* what a longer sequence reads is not kept */
#define SMALL_READ (64u << 10) /* what is read at random is kept up to this size */

static uint64_t min64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What a longer sequence reads is not kept: it would only push out all else. */
static uint64_t keep_run(void)
{
    return min64(KEEP_RUN, cache_limit() * MB_PAGE / 4);
}

static uint64_t pages_of(uint64_t bytes)
{
    return (bytes + MB_PAGE - 1) / MB_PAGE;
}

/* ---- windows ---- */

/* Ask for up to `pages` from `page` on, as far as nobody else has: false when there is no room now. */
static bool window_ask(struct disk *d, uint64_t page, uint64_t pages, bool keep, bool urgent)
{
    uint64_t last = min64(page + pages, pages_of(d->bytes)) - 1;
    uint64_t end = blk_window_after(d, page, last);
    for (uint64_t p = page + 1; p < end; p++) {
        if (cache_has(d->index, p)) {
            end = p;
        }
    }
    uint64_t bytes = min64(end * MB_PAGE, d->bytes) - page * MB_PAGE;
    struct blk_io *io = blk_take(d, BLK_WINDOW, bytes, urgent);
    if (io == NULL) {
        return false;
    }
    io->page = page;
    io->pages = (uint32_t)(end - page);
    io->bytes = (uint32_t)bytes;
    io->keep = keep;
    blk_start(io, MB_BLOCK_READ, page * (MB_PAGE / SECTOR), 0, io->bytes);
    return true;
}

/* The answered pages move to the cache; false when it has no room: then they are read from here. */
static bool window_keep(struct blk_io *io)
{
    const struct disk *d = io->disk;
    const uint8_t *data = blk_data(io);
    io->keep = false;
    for (uint32_t i = 0; i < io->pages; i++) {
        size_t n = (size_t)min64(io->bytes - i * MB_PAGE, MB_PAGE);
        if (!cache_put(d->index, io->page + i, data + i * MB_PAGE, n)) {
            return false;
        }
    }
    blk_give(io);
    return true;
}

/* What the reader at off will want next is asked for while it works on what it has. */
static void read_ahead(struct blk_file *bf, uint64_t off)
{
    struct disk *d = bf->disk;
    uint64_t end = bf->part->start + bf->part->bytes;
    uint64_t most = min64(AHEAD_MAX, (uint64_t)BLK_UNITS / 2 * d->unit_bytes);
    uint64_t target = min64(off + min64(most, 2 * bf->run), end);
    bf->ahead = bf->ahead > off ? bf->ahead : off;
    while (bf->ahead < target && (target - bf->ahead >= bf->window || target == end)) {
        uint64_t page = bf->ahead / MB_PAGE;
        const struct blk_io *io;
        if (cache_has(d->index, page)) {
            bf->ahead = (page + 1) * MB_PAGE;
        } else if ((io = blk_window(d, page)) != NULL) {
            bf->ahead = (io->page + io->pages) * MB_PAGE;
        } else if (window_ask(d, page, pages_of(bf->window), bf->run < keep_run(), false)) {
            bf->window = (uint32_t)min64(min64(2 * bf->window, WINDOW_MAX), d->request_max);
        } else {
            return;
        }
    }
}

/* Nobody has the page at off: ask for what this read wants, or more when its reader deserves it. */
static void read_miss(struct blk_file *bf, uint64_t off, size_t len, bool direct, bool careful)
{
    struct disk *d = bf->disk;
    uint64_t page = off / MB_PAGE, most = d->request_max / MB_PAGE;
    uint64_t want = min64(pages_of(off % MB_PAGE + len), AHEAD_MAX / MB_PAGE);
    bool keep = !direct && bf->run < keep_run() && (bf->run > 0 || len <= SMALL_READ);
    if (careful) {
        want = most = 1;
    } else if (!direct && (bf->run > 0 || off == bf->part->start)) {
        want = want > bf->window / MB_PAGE ? want : bf->window / MB_PAGE;
    }
    if (!window_ask(d, page, min64(want, most), keep, true)) {
        wait_on_device(&d->room);
        return;
    }
    for (uint64_t p = page + most; p < page + want && p < pages_of(d->bytes); p += most) {
        if (!cache_has(d->index, p) && blk_window(d, p) == NULL) {
            window_ask(d, p, min64(page + want - p, most), keep, false);
        }
    }
}

/* Where reading goes on after the data at off was (not) moved. */
struct progress {
    uint64_t off;
    size_t left;
    bool careful; /* a window failed: page by page from now on, to find which one is bad */
};

/* One step with the window over p->off: 0, or an error. */
static int read_window(struct blk_io *io, struct iobuf *b, struct progress *p)
{
    if (io->flying) {
        wait_on_device(&io->done);
        return 0;
    }
    if (io->err < 0) {
        int err = io->pages > 1 ? 0 : io->err;
        p->careful = true;
        blk_give(io);
        return err;
    }
    if (io->keep && window_keep(io)) {
        return 0;
    }
    uint64_t in = p->off - io->page * MB_PAGE;
    size_t n = (size_t)min64(io->bytes - in, p->left), before = b->len;
    int err = iobuf_put(b, blk_data(io) + in, n);
    size_t moved = before - b->len;
    if (in + moved == io->bytes) {
        blk_give(io);
    }
    p->off += moved;
    p->left -= moved;
    return err;
}

static int read_cached(const char *page, struct iobuf *b, struct progress *p)
{
    size_t in = p->off % MB_PAGE;
    size_t n = (size_t)min64(MB_PAGE - in, p->left), before = b->len;
    cache_hold(page);
    int err = iobuf_put(b, page + in, n);
    cache_hold(NULL);
    p->off += before - b->len;
    p->left -= before - b->len;
    return err;
}

long blk_read(struct blk_file *bf, struct iobuf *b, uint64_t off, size_t len, bool direct)
{
    struct disk *d = bf->disk;
    struct progress p = {.off = off, .left = len};
    int err = 0;
    if (direct || off != bf->next) {
        bf->run = 0;
        bf->ahead = off;
        bf->window = (uint32_t)min64(WINDOW_FIRST, d->request_max);
    }
    while (p.left > 0 && err == 0) {
        uint64_t at = p.off;
        const char *page = cache_find(d->index, p.off / MB_PAGE);
        struct blk_io *io = page == NULL ? blk_window(d, p.off / MB_PAGE) : NULL;
        if (page != NULL) {
            err = read_cached(page, b, &p);
        } else if (io != NULL) {
            err = read_window(io, b, &p);
        } else {
            read_miss(bf, p.off, p.left, direct, p.careful);
        }
        if (err == 0 && p.left > 0 && signal_fatal()) {
            err = -EINTR;
        }
        if (p.off > at && !direct && !p.careful && (bf->run > 0 || bf->next == off)) {
            bf->run += p.off - at;
            read_ahead(bf, p.off);
        }
    }
    bf->next = p.off;
    return p.left < len ? (long)(len - p.left) : err;
}

/* ---- writing ---- */

/* The turn to write pages first..last, with memory for `bytes`. */
static struct blk_io *write_turn(struct disk *d, uint64_t first, uint64_t last, uint64_t bytes)
{
    for (;;) {
        struct blk_io *other = blk_write_over(d, first, last);
        struct blk_io *io = other == NULL ? blk_take(d, BLK_WRITE, bytes, true) : NULL;
        if (io != NULL) {
            io->page = first;
            io->pages = (uint32_t)(last - first + 1);
            return io;
        }
        wait_on_device(other != NULL ? &other->done : &d->room);
    }
}

/* What the disk has of a page that is written in part, into the io's memory: from the cache, or read and
 * then kept there, since the next write is likely to be to the same page. */
static int write_edge(struct blk_io *io, uint64_t page)
{
    const struct disk *d = io->disk;
    uint32_t at = (uint32_t)((page - io->page) * MB_PAGE);
    size_t n = (size_t)min64(d->bytes - page * MB_PAGE, MB_PAGE);
    const void *cached = cache_find(d->index, page);
    if (cached != NULL) {
        memcpy(blk_data(io) + at, cached, n);
        return 0;
    }
    blk_start(io, MB_BLOCK_READ, page * (MB_PAGE / SECTOR), at, (uint32_t)n);
    blk_wait(io);
    if (io->err == 0) {
        cache_put(d->index, page, blk_data(io) + at, n);
    }
    return io->err;
}

/* Sectors are written as a whole: those at the edges that change in part must be known. */
static int write_edges(struct blk_io *io, uint64_t off, uint64_t end)
{
    uint64_t first = off / MB_PAGE, last = (end - 1) / MB_PAGE;
    bool head = off % SECTOR != 0, tail = end % SECTOR != 0;
    int err = head ? write_edge(io, first) : 0;
    if (err == 0 && tail && (!head || last != first)) {
        err = write_edge(io, last);
    }
    return err;
}

/* Hand the io's memory from byte `at` of the disk to the device, and say so to who keeps copies. */
static int write_out(struct blk_io *io, uint64_t at, uint64_t bytes)
{
    struct disk *d = io->disk;
    uint32_t in = (uint32_t)(at - io->page * MB_PAGE);
    uint64_t last = io->page + io->pages - 1;
    blk_start(io, MB_BLOCK_WRITE, at / SECTOR, in, (uint32_t)bytes);
    blk_wait(io);
    /* Reads that were under way have seen the disk before, after, or between. */
    blk_windows_drop(d, io->page, last);
    if (io->err == 0) {
        cache_update(d->index, at, blk_data(io) + in, bytes);
    } else {
        cache_drop(d->index, io->page, last);
    }
    return io->err;
}

/* One request's worth: bytes written, or an error. */
static long write_part(struct disk *d, struct iobuf *b, uint64_t off, size_t len)
{
    uint64_t end = off + len, first = off / MB_PAGE, last = (end - 1) / MB_PAGE;
    struct blk_io *io = write_turn(d, first, last, (last - first + 1) * MB_PAGE);
    int err = write_edges(io, off, end);
    if (err == 0) {
        size_t before = b->len;
        if (iobuf_get(b, blk_data(io) + (off - first * MB_PAGE), len) < 0) {
            /* Some of it is not there: up to the sector it was found in. */
            end = (off + (before - b->len)) / SECTOR * SECTOR;
            err = end <= off ? -EFAULT : 0;
        }
    }
    if (err == 0) {
        uint64_t at = off / SECTOR * SECTOR;
        err = write_out(io, at, (end + SECTOR - 1) / SECTOR * SECTOR - at);
    }
    blk_give(io);
    return err < 0 ? err : (long)(end - off);
}

long blk_write(struct disk *d, struct iobuf *b, uint64_t off, size_t len)
{
    size_t done = 0;
    while (done < len) {
        /* Requests end at page borders, so that the next one need not read anything. */
        size_t part = (size_t)min64(d->request_max - (off + done) % MB_PAGE, len - done);
        long n = write_part(d, b, off + done, part);
        if (n < 0) {
            return done > 0 ? (long)done : n;
        }
        done += (size_t)n;
        if ((size_t)n < part || (done < len && signal_fatal())) {
            break;
        }
    }
    return (long)done;
}

int blk_flush(struct disk *d)
{
    struct blk_io *io;
    if (!d->c.cached) {
        return 0;
    }
    while ((io = blk_take(d, BLK_FLUSH, 0, true)) == NULL) {
        wait_on_device(&d->room);
    }
    blk_start(io, MB_BLOCK_FLUSH, 0, 0, 0);
    blk_wait(io);
    int err = io->err;
    blk_give(io);
    return err;
}
