/* The page arena: all memory of the personality but its image and main stack.
 *
 *   frontier --grow--> [free blocks, by order] --> single pages, runs
 *                             ^                         |
 *                             +---- drop (a batch) -----+--> [cache of present single pages]
 *
 * A buddy allocator over window addresses.  Pages of free blocks have no memory behind them: they are
 * demand-zero mappings that were never touched, or were given back to the nucleus by mapping anew.
 * Rule: a page is made present before it is handed out.  A demand-zero fault of the personality with no
 * page left would end the cell; here it is a NULL.
 * A page a program may still map is never used again as it is: dropped, the program keeps its copy.
 */
#include "pages.h"

#include <string.h>

#define ORDER_MAX 16 /* 256 MiB */
#define GROW_ORDER 8 /* 1 MiB: what one page of descriptors covers */
#define CACHE_MAX 256
#define BATCH 64

bool (*mb_alloc_fails_hook)(void);
bool (*mb_reclaim_hook)(void);

static uint32_t frontier; /* pages below it belong to the arena */
static uint32_t free_head[ORDER_MAX + 1] = {[0 ... ORDER_MAX] = PAGE_NONE};
static uint32_t cache_head = PAGE_NONE;
static unsigned cache_count;
static uint32_t batch[BATCH]; /* freed pages to give back together */
static unsigned batch_count;

uint32_t page_index(const void *p)
{
    uint64_t index = ((uint64_t)p - MB_ARENA) / MB_PAGE;
    if ((uint64_t)p < MB_ARENA || index >= frontier) {
        cell_panic("%p is no memory of the arena", p);
    }
    return (uint32_t)index;
}

/* ---- free blocks ---- */

static void block_link(uint32_t i, unsigned order)
{
    struct page *p = page_of(i);
    *p = (struct page){.next = free_head[order], .prev = PAGE_NONE, .kind = PAGE_FREE};
    p->order = (uint8_t)order;
    if (p->next != PAGE_NONE) {
        page_of(p->next)->prev = i;
    }
    free_head[order] = i;
}

static void block_unlink(uint32_t i)
{
    struct page *p = page_of(i);
    if (p->prev != PAGE_NONE) {
        page_of(p->prev)->next = p->next;
    } else {
        free_head[p->order] = p->next;
    }
    if (p->next != PAGE_NONE) {
        page_of(p->next)->prev = p->prev;
    }
    p->kind = PAGE_INSIDE;
}

static void block_free(uint32_t i, unsigned order)
{
    for (; order < ORDER_MAX; order++) {
        uint32_t buddy = i ^ 1u << order;
        if (buddy >= frontier || page_of(buddy)->kind != PAGE_FREE ||
            page_of(buddy)->order != order) {
            break;
        }
        block_unlink(buddy);
        page_of(i)->kind = PAGE_INSIDE;
        i &= ~(1u << order);
    }
    block_link(i, order);
}

/* The next 1 << order pages of the window join the arena; the frontier is aligned to that. */
static bool extend(unsigned order)
{
    uint64_t pages = 1ul << order, at = (uint64_t)page_address(frontier);
    if (at + pages * MB_PAGE > MB_ARENA_END) {
        return false;
    }
    uint64_t desc = (uint64_t)page_of(frontier), desc_len = pages * sizeof(struct page);
    if (nx_map_anon(0, desc, desc_len, NX_PROT_R | NX_PROT_W) < 0) {
        return false;
    }
    for (uint64_t d = 0; d < desc_len; d += MB_PAGE) {
        if (nx_map_fault(0, desc + d, 1) < 0) {
            return false;
        }
    }
    if (nx_map_anon(0, at, pages * MB_PAGE, NX_PROT_R | NX_PROT_W) < 0) {
        return false;
    }
    uint32_t first = frontier;
    frontier += (uint32_t)pages;
    block_free(first, order);
    return true;
}

static bool grow(unsigned order)
{
    order = order > GROW_ORDER ? order : GROW_ORDER;
    while ((frontier & ((1u << order) - 1)) != 0) {
        unsigned o = GROW_ORDER;
        while ((frontier & 1u << o) == 0) {
            o++;
        }
        if (!extend(o)) {
            return false;
        }
    }
    return extend(order);
}

/* First page of a block of 1 << order pages, or PAGE_NONE.  Low halves go first, so pages asked for
 * one after the other lie side by side and can be mapped into programs together. */
static uint32_t block_take(unsigned order)
{
    unsigned o = order;
    while (o <= ORDER_MAX && free_head[o] == PAGE_NONE) {
        o++;
    }
    if (o > ORDER_MAX) {
        if (!grow(order)) {
            return PAGE_NONE;
        }
        return block_take(order);
    }
    uint32_t i = free_head[o];
    block_unlink(i);
    while (o > order) {
        o--;
        block_link(i + (1u << o), o);
    }
    return i;
}

/* ---- giving memory back ---- */

static void drop_range(uint32_t i, uint32_t pages)
{
    long e =
        nx_map_anon(0, (uint64_t)page_address(i), (uint64_t)pages * MB_PAGE, NX_PROT_R | NX_PROT_W);
    if (e < 0) {
        cell_panic("memory cannot be given back: %ld", e);
    }
}

static void batch_sort(void)
{
    for (unsigned i = 1; i < batch_count; i++) {
        uint32_t v = batch[i];
        unsigned j = i;
        for (; j > 0 && batch[j - 1] > v; j--) {
            batch[j] = batch[j - 1];
        }
        batch[j] = v;
    }
}

static void batch_flush(void)
{
    batch_sort();
    for (unsigned i = 0; i < batch_count;) {
        unsigned n = 1;
        while (i + n < batch_count && batch[i + n] == batch[i] + n) {
            n++;
        }
        drop_range(batch[i], n);
        i += n;
    }
    for (unsigned i = 0; i < batch_count; i++) {
        block_free(batch[i], 0);
    }
    batch_count = 0;
}

static void page_drop(uint32_t i)
{
    if (batch_count == BATCH) {
        batch_flush();
    }
    page_of(i)->kind = PAGE_INSIDE;
    batch[batch_count++] = i;
}

static uint32_t cache_pop(void)
{
    uint32_t i = cache_head;
    if (i != PAGE_NONE) {
        cache_head = page_of(i)->next;
        cache_count--;
    }
    return i;
}

void mb_pages_trim(void)
{
    for (uint32_t i; (i = cache_pop()) != PAGE_NONE;) {
        page_drop(i);
    }
    batch_flush();
}

/* ---- single pages ---- */

/* Make a page present; when the machine has none left, with one of those that are only kept in case. */
static bool page_fill(uint32_t i)
{
    while (nx_map_fault(0, (uint64_t)page_address(i), 1) < 0) {
        if (!mb_reclaim_hook || !mb_reclaim_hook()) {
            return false;
        }
        mb_pages_trim();
    }
    return true;
}

/* Make the pages of a block present; they are then zeroed. */
static bool block_fill(uint32_t i, unsigned order, uint32_t pages)
{
    for (uint32_t k = 0; k < pages; k++) {
        if (!page_fill(i + k)) {
            if (k > 0) {
                drop_range(i, k);
            }
            block_free(i, order);
            return false;
        }
    }
    return true;
}

static uint32_t single_take(bool *zeroed)
{
    if (mb_alloc_fails_hook && mb_alloc_fails_hook()) {
        return PAGE_NONE;
    }
    uint32_t i = cache_pop();
    *zeroed = i == PAGE_NONE;
    if (i == PAGE_NONE) {
        i = block_take(0);
        if (i == PAGE_NONE || !block_fill(i, 0, 1)) {
            return PAGE_NONE;
        }
    }
    *page_of(i) = (struct page){.kind = PAGE_SINGLE};
    return i;
}

static void single_give(uint32_t i)
{
    struct page *p = page_of(i);
    if (p->shared) {
        page_drop(i);
        return;
    }
    p->kind = PAGE_CACHED;
    p->next = cache_head;
    cache_head = i;
    if (++cache_count > CACHE_MAX) {
        for (unsigned k = 0; k < CACHE_MAX / 2; k++) {
            page_drop(cache_pop());
        }
        batch_flush();
    }
}

void *page_take(void)
{
    bool zeroed;
    uint32_t i = single_take(&zeroed);
    return i == PAGE_NONE ? NULL : page_address(i);
}

void page_give(void *page)
{
    single_give(page_index(page));
}

void *mb_page(void)
{
    bool zeroed;
    uint32_t i = single_take(&zeroed);
    if (i == PAGE_NONE) {
        return NULL;
    }
    void *page = page_address(i);
    return zeroed ? page : memset(page, 0, MB_PAGE);
}

void mb_page_free(void *page)
{
    if (!page) {
        return;
    }
    uint32_t i = page_index(page);
    if (page_of(i)->kind != PAGE_SINGLE || (uint64_t)page % MB_PAGE != 0) {
        cell_panic("%p is not a page in use", page);
    }
    single_give(i);
}

void mb_pages_mark_shared(const void *at, size_t len)
{
    if ((uint64_t)at < MB_ARENA || (uint64_t)at >= MB_ARENA_END) {
        return; /* memory shared with a driver: it is never freed */
    }
    uint32_t first = page_index(at);
    for (uint32_t k = 0; k < len / MB_PAGE; k++) {
        page_of(first + k)->shared = 1;
    }
}

/* ---- runs ---- */

void *mb_run_alloc(size_t pages)
{
    unsigned order = 0;
    if ((mb_alloc_fails_hook && mb_alloc_fails_hook()) || pages > 1ul << ORDER_MAX) {
        return NULL;
    }
    while (1ul << order < pages) {
        order++;
    }
    uint32_t i = block_take(order);
    if (i == PAGE_NONE || !block_fill(i, order, (uint32_t)pages)) {
        return NULL;
    }
    *page_of(i) = (struct page){.kind = PAGE_RUN, .order = (uint8_t)order};
    page_of(i)->pages = (uint32_t)pages;
    return page_address(i);
}

void mb_run_free(void *run)
{
    uint32_t i = page_index(run);
    if (page_of(i)->kind != PAGE_RUN) {
        cell_panic("%p is not a run in use", run);
    }
    unsigned order = page_of(i)->order;
    drop_range(i, page_of(i)->pages);
    page_of(i)->kind = PAGE_INSIDE;
    block_free(i, order);
}

size_t mb_run_pages(const void *run)
{
    return page_of(page_index(run))->pages;
}

uint64_t mb_pages_total(void)
{
    return mb_stat(NX_STAT_PAGES_TOTAL);
}

uint64_t mb_pages_free(void)
{
    return mb_stat(NX_STAT_PAGES_FREE) + cache_count + batch_count;
}
