/* Disks inside: what the files of posix/block share.
 *
 *   file.c    /dev/vda as a file: positions, ioctls
 *   data.c    reading and writing ranges of bytes          disk.c  which disks there are, partitions, nodes
 *      |  \
 *   cache.c  io.c --- mb_block_submit --> driver           partition.c  tables
 *
 * A read comes from the cache, or from a window: a request with its part of the pool, under way or
 * answered and not yet consumed.  Sequential readers have several windows ahead of them.  What is read at
 * random or at the beginning of a sequence moves from its window to the cache; a long sequence goes from
 * window to program with one copy and past the cache.
 *
 * Writes go through: a write has returned when the device has it, a flush makes it safe.  Cache pages
 * are changed and windows dropped when the device has answered; overlapping writes take turns.
 *
 * Everything wants the personality lock.  A thread that waits for the device sleeps uninterruptibly
 * (state D): the driver answers or is restarted and answers then.
 */
#ifndef POSIX_BLOCK_BLOCK_H
#define POSIX_BLOCK_BLOCK_H

#include <devices.h>

#include "block/partition.h"
#include "vfs.h"

#define BLK_MAJOR 254u
#define BLK_MINORS 16u /* of a disk */
#define BLK_IOS 48u    /* requests of a disk at a time; below MB_BLOCK_REQUESTS */
#define BLK_UNITS 64u  /* parts of the pool */

enum blk_kind { BLK_FREE, BLK_WINDOW, BLK_WRITE, BLK_FLUSH };

struct blk_io {
    struct mb_block_request rq; /* first: done() gets it back */
    struct disk *disk;
    uint64_t page;  /* of the disk: the first it covers */
    uint32_t pages; /* how many, the last one perhaps in part */
    uint32_t bytes; /* WINDOW: from the start of page */
    uint8_t kind;   /* enum blk_kind */
    uint8_t unit, units;
    bool flying; /* the driver has it */
    bool stale;  /* WINDOW: written to meanwhile; goes when it is answered */
    bool keep;   /* WINDOW: its pages go to the cache */
    int err;
    uint32_t stamp;    /* WINDOW: of its making */
    struct waitq done; /* never made anew: late sleepers take themselves off */
};

struct disk_part {
    bool present;
    unsigned opens;
    uint64_t start, bytes; /* in bytes of the disk */
};

struct disk {
    bool present;
    unsigned index;
    struct mb_block_config c;
    uint64_t bytes;
    uint8_t *pool;
    uint32_t unit_bytes, request_max; /* multiples of a page */
    uint64_t free_units;              /* bit set: free */
    uint32_t stamp;
    unsigned opens;
    struct waitq room; /* an io or units came free */
    struct {
        uint64_t requests, sectors;
    } did[3]; /* by enum mb_block_op, for /proc/diskstats */
    struct blk_io io[BLK_IOS];
    struct disk_part part[BLK_MINORS]; /* 0: all of it */
};

/* An open disk or partition: what its reader has done lately. */
struct blk_file {
    struct disk *disk;
    struct disk_part *part;
    uint64_t next;   /* where a sequential reader goes on; offset in the disk, as all here */
    uint64_t run;    /* bytes read in sequence before it */
    uint64_t ahead;  /* asked for up to here */
    uint32_t window; /* bytes of the next window */
};

/* ---- disk.c ---- */
struct disk *disk_get(unsigned index); /* NULL: not there */
void disk_attach(unsigned index);      /* it has come: nodes, partitions; blocks */
int disk_scan(struct disk *d);         /* read the partition table, make and remove nodes; blocks */

/* ---- io.c ---- */
int blk_init(struct disk *d);
/* An io with room for `bytes` of pool (0: none), kind set; NULL: none is free now.  Windows that were
 * answered give way: old ones, or with `urgent` any. */
struct blk_io *blk_take(struct disk *d, enum blk_kind kind, uint64_t bytes, bool urgent);
void blk_give(struct blk_io *io);
/* Ask the driver; io->flying until it has answered, io->err then. */
void blk_start(struct blk_io *io, enum mb_block_op op, uint64_t sector, uint32_t at, uint32_t len);
void blk_wait(struct blk_io *io);
struct blk_io *blk_window(struct disk *d, uint64_t page);
/* The first page above `page` that a window covers, at most `last` + 1. */
uint64_t blk_window_after(const struct disk *d, uint64_t page, uint64_t last);
/* Windows over these pages are no longer true. */
void blk_windows_drop(struct disk *d, uint64_t first, uint64_t last);
struct blk_io *blk_write_over(struct disk *d, uint64_t first,
                              uint64_t last); /* under way, or NULL */
static inline uint8_t *blk_data(const struct blk_io *io)
{
    return io->disk->pool + (uint64_t)io->unit * io->disk->unit_bytes;
}

/* ---- data.c: off and len are inside the disk; bytes moved, or an error when none was ---- */
long blk_read(struct blk_file *bf, struct iobuf *b, uint64_t off, size_t len, bool direct);
long blk_write(struct disk *d, struct iobuf *b, uint64_t off, size_t len);
int blk_flush(struct disk *d);

/* ---- cache.c: pages by disk and number ---- */
int cache_init(void);                                 /* -ENOMEM: there is none */
const void *cache_find(unsigned disk, uint64_t page); /* or NULL */
/* This page stays where it is until another one, or NULL, is named: copying to a program may want memory,
 * and the cache gives it.  Never across a sleep. */
void cache_hold(const void *page);
bool cache_has(unsigned disk, uint64_t page);
/* Keep n bytes (the rest of the page is zero): false when there is no memory for it. */
bool cache_put(unsigned disk, uint64_t page, const void *data, size_t n);
/* Change what is kept of these bytes of the disk. */
void cache_update(unsigned disk, uint64_t off, const uint8_t *data, size_t n);
void cache_drop(unsigned disk, uint64_t first, uint64_t last);
uint64_t cache_shrink(uint64_t pages); /* how many went */
uint64_t cache_count(void);
uint64_t cache_limit(void); /* pages at most */

/* ---- file.c ---- */
int blk_open(struct file *f); /* for devfs_register */

#endif
