/* mb_alloc: objects up to half a page from slabs of one size each, larger ones as runs of pages.
 *
 * A slab is one page; what there is to know about it is in the page's descriptor, the chain of free
 * objects in the objects themselves.  A slab with free objects is on the list of its class.
 * A run's address is always page aligned and a slab object's descriptor says so: mb_free needs no size.
 */
#include "pages.h"

#include <string.h>

#define SLAB_MAX 2048
#define NO_OBJECT 0xffffu

static const uint16_t class_size[] = {16,  32,  48,  64,  96,   128,     192,
                                      256, 384, 512, 768, 1024, SLAB_MAX};
#define CLASSES (sizeof(class_size) / sizeof(class_size[0]))

static uint32_t partial[CLASSES] = {[0 ... CLASSES - 1] = PAGE_NONE};
static uint8_t class_of[SLAB_MAX / 16 + 1]; /* by size in units of 16 bytes, rounded up */
static uint64_t objects;

static void classes_init(void)
{
    unsigned c = 0;
    for (unsigned unit = 0; unit <= SLAB_MAX / 16; unit++) {
        c += unit * 16 > class_size[c];
        class_of[unit] = (uint8_t)c;
    }
}

static void partial_add(uint32_t i, unsigned class)
{
    struct page *p = page_of(i);
    p->next = partial[class];
    p->prev = PAGE_NONE;
    if (p->next != PAGE_NONE) {
        page_of(p->next)->prev = i;
    }
    partial[class] = i;
}

static void partial_remove(uint32_t i, unsigned class)
{
    struct page *p = page_of(i);
    if (p->prev != PAGE_NONE) {
        page_of(p->prev)->next = p->next;
    } else {
        partial[class] = p->next;
    }
    if (p->next != PAGE_NONE) {
        page_of(p->next)->prev = p->prev;
    }
}

static bool slab_make(unsigned class)
{
    char *page = page_take();
    if (!page) {
        return false;
    }
    uint32_t i = page_index(page);
    struct page *p = page_of(i);
    p->kind = PAGE_SLAB;
    p->order = (uint8_t) class;
    p->used = 0;
    p->free = 0;
    unsigned step = class_size[class], at = 0;
    for (; at + 2 * step <= MB_PAGE; at += step) {
        *(uint16_t *)(page + at) = (uint16_t)((at + step) / 16);
    }
    *(uint16_t *)(page + at) = NO_OBJECT;
    partial_add(i, class);
    return true;
}

static void slab_free(uint32_t i, unsigned class)
{
    partial_remove(i, class);
    page_of(i)->kind = PAGE_SINGLE;
    page_give(page_address(i));
}

void *mb_alloc(size_t n)
{
    if (n > SLAB_MAX) {
        if (n > MB_ARENA_END - MB_ARENA) {
            return NULL;
        }
        void *run = mb_run_alloc((n + MB_PAGE - 1) / MB_PAGE);
        objects += run != NULL;
        return run;
    }
    if (class_of[SLAB_MAX / 16] == 0) {
        classes_init();
    }
    if (mb_alloc_fails_hook && mb_alloc_fails_hook()) {
        return NULL;
    }
    unsigned class = class_of[(n + 15) / 16];
    uint32_t i = partial[class];
    if (i == PAGE_NONE) {
        if (!slab_make(class)) {
            return NULL;
        }
        i = partial[class];
    }
    struct page *p = page_of(i);
    char *object = (char *)page_address(i) + p->free * 16;
    p->free = *(uint16_t *)object;
    p->used++;
    if (p->free == NO_OBJECT) {
        partial_remove(i, class);
    }
    objects++;
    return object;
}

void *mb_zalloc(size_t n)
{
    void *p = mb_alloc(n);
    if (p && n <= SLAB_MAX) { /* runs come from the nucleus, zeroed */
        memset(p, 0, n);
    }
    return p;
}

void mb_free(void *object)
{
    if (!object) {
        return;
    }
    uint32_t i = page_index(object);
    struct page *p = page_of(i);
    if (p->kind == PAGE_RUN) {
        mb_run_free(object);
        objects--;
        return;
    }
    unsigned class = p->order, at = (uint64_t)object % MB_PAGE;
    if (p->kind != PAGE_SLAB || at % 16 != 0 || p->used == 0) {
        cell_panic("%p is no object in use", object);
    }
    if (p->free == NO_OBJECT) {
        partial_add(i, class);
    }
    *(uint16_t *)object = p->free;
    p->free = (uint16_t)(at / 16);
    objects--;
    /* One empty slab of a class is kept, so that a single object going to and fro costs nothing. */
    if (--p->used == 0 && (p->next != PAGE_NONE || p->prev != PAGE_NONE)) {
        slab_free(i, class);
    }
}

uint64_t mb_heap_objects(void)
{
    return objects;
}

void mb_trim(void)
{
    mb_fiber_trim();
    for (unsigned c = 0; c < CLASSES; c++) {
        for (uint32_t i = partial[c], next; i != PAGE_NONE; i = next) {
            next = page_of(i)->next;
            if (page_of(i)->used == 0) {
                slab_free(i, c);
            }
        }
    }
    mb_pages_trim();
}
