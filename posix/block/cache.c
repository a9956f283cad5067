/* The cache of disk pages: a hash table by disk and page number, a clock for who has to go.
 *
 * Never the only place of anything: writes go through.  So pages are given back whenever memory is
 * short, at once and as many as wanted.  At most an eighth of the memory, and it does not grow while
 * less than a sixteenth is free: then a new page takes the place of an old one.
 */
#include "block/block.h"

#include <asm/errno.h>
#include <string.h>

#define SHARE 8u
#define SCARCE 16u
#define LIMIT_MAX (1u << 16) /* 256 MiB */
#define LOOK_EVERY 64u       /* insertions between looks at the free memory */
#define NONE 0xffffffffu

struct entry {
    uint64_t key; /* page << 3 | disk */
    void *page;   /* NULL: the entry is free */
    uint32_t next;
    uint32_t used; /* since the hand last passed */
};

static struct entry *entries;
static uint32_t *buckets;
static uint32_t limit, bucket_mask, count, hand, free_head = NONE, looks;
static bool scarce;
static const void *held; /* being copied from: stays */

_Static_assert(MB_BLOCKS <= 8, "the key has three bits for the disk");

static uint64_t key_of(unsigned disk, uint64_t page)
{
    return page << 3 | disk;
}

static uint32_t *bucket_of(uint64_t key)
{
    return &buckets[(key * 0x9e3779b97f4a7c15ul >> 32) & bucket_mask];
}

int cache_init(void)
{
    if (limit != 0) {
        return 0;
    }
    uint64_t pages = mb_pages_total() / SHARE;
    uint32_t want = pages < LIMIT_MAX ? (uint32_t)pages : LIMIT_MAX, size = 16;
    while (size < want) {
        size *= 2;
    }
    entries = mb_alloc(want * sizeof(*entries));
    buckets = mb_alloc(size * sizeof(*buckets));
    if (want == 0 || entries == NULL || buckets == NULL) {
        mb_free(entries);
        mb_free(buckets);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < size; i++) {
        buckets[i] = NONE;
    }
    for (uint32_t i = want; i-- > 0;) {
        entries[i] = (struct entry){.next = free_head};
        free_head = i;
    }
    bucket_mask = size - 1;
    limit = want;
    return 0;
}

uint64_t cache_count(void)
{
    return count;
}

uint64_t cache_limit(void)
{
    return limit;
}

static struct entry *find(unsigned disk, uint64_t page)
{
    if (count == 0) {
        return NULL;
    }
    uint64_t key = key_of(disk, page);
    for (uint32_t i = *bucket_of(key); i != NONE; i = entries[i].next) {
        if (entries[i].key == key) {
            return &entries[i];
        }
    }
    return NULL;
}

const void *cache_find(unsigned disk, uint64_t page)
{
    struct entry *e = find(disk, page);
    if (e == NULL) {
        return NULL;
    }
    e->used = 1;
    return e->page;
}

void cache_hold(const void *page)
{
    held = page;
}

bool cache_has(unsigned disk, uint64_t page)
{
    return find(disk, page) != NULL;
}

/* Take the entry out; its page is the caller's. */
static void *take_out(uint32_t i)
{
    uint32_t *link = bucket_of(entries[i].key);
    while (*link != i) {
        link = &entries[*link].next;
    }
    *link = entries[i].next;
    void *page = entries[i].page;
    entries[i] = (struct entry){.next = free_head};
    free_head = i;
    count--;
    return page;
}

/* The page that has waited longest for somebody to use it, or NULL. */
static void *evict(void)
{
    if (count <= (held != NULL)) {
        return NULL;
    }
    for (;;) {
        struct entry *e = &entries[hand];
        uint32_t i = hand;
        hand = hand + 1 < limit ? hand + 1 : 0;
        if (e->page != NULL && e->used == 0 && e->page != held) {
            return take_out(i);
        }
        e->used = 0;
    }
}

static void *page_get(void)
{
    if (looks++ % LOOK_EVERY == 0) {
        scarce = mb_pages_free() < mb_pages_total() / SCARCE;
    }
    void *page = count < limit && !scarce ? mb_page() : NULL;
    return page == NULL ? evict() : page;
}

bool cache_put(unsigned disk, uint64_t page, const void *data, size_t n)
{
    struct entry *e = find(disk, page);
    if (e == NULL) {
        void *memory = limit != 0 ? page_get() : NULL;
        if (memory == NULL) {
            return false;
        }
        uint32_t i = free_head;
        uint64_t key = key_of(disk, page);
        uint32_t *bucket = bucket_of(key);
        e = &entries[i];
        free_head = e->next;
        *e = (struct entry){.key = key, .page = memory, .next = *bucket, .used = 1};
        *bucket = i;
        count++;
    }
    memcpy(e->page, data, n);
    if (n < MB_PAGE) {
        memset((char *)e->page + n, 0, MB_PAGE - n);
    }
    return true;
}

void cache_update(unsigned disk, uint64_t off, const uint8_t *data, size_t n)
{
    while (n > 0) {
        size_t in = off % MB_PAGE, part = MB_PAGE - in < n ? MB_PAGE - in : n;
        const struct entry *e = find(disk, off / MB_PAGE);
        if (e != NULL) {
            memcpy((char *)e->page + in, data, part);
        }
        off += part;
        data += part;
        n -= part;
    }
}

void cache_drop(unsigned disk, uint64_t first, uint64_t last)
{
    for (uint32_t i = 0; i < limit && count > 0; i++) {
        uint64_t page = entries[i].key >> 3;
        if (entries[i].page != NULL && (entries[i].key & 7) == disk && page >= first &&
            page <= last) {
            mb_page_free(take_out(i));
        }
    }
}

uint64_t cache_shrink(uint64_t pages)
{
    uint64_t n = 0;
    for (void *page; n < pages && (page = evict()) != NULL; n++) {
        mb_page_free(page);
    }
    return n;
}
