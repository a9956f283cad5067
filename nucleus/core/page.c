/* Page frames: one table entry a frame, a free list through the entries.  See page.h. */
#include "page.h"

#include <arch.h>
#include <nx_base.h>

struct frame {
    uint32_t refs; /* 0: free; FRAME_NONE: not the allocator's */
    uint32_t link; /* free: next free frame; else index of the quota that pays */
};
#define FRAME_NONE UINT32_MAX
#define LIST_END UINT32_MAX

static struct frame *frames;
static uint64_t frames_base, frame_count;
static uint32_t free_head = LIST_END;
static uint64_t free_pages, total_pages;

static struct frame *frame_of(uint64_t pa)
{
    uint64_t i = (pa - frames_base) / NX_PAGE_SIZE;
    return pa >= frames_base && i < frame_count ? &frames[i] : NULL;
}

uint64_t page_frames_size(uint64_t base, uint64_t end)
{
    return ALIGN_UP((end - base) / NX_PAGE_SIZE * sizeof(struct frame), NX_PAGE_SIZE);
}

void page_init(uint64_t base, uint64_t end, void *table)
{
    frames = table;
    frames_base = base;
    frame_count = (end - base) / NX_PAGE_SIZE;
    for (uint64_t i = 0; i < frame_count; i++) {
        frames[i] = (struct frame){.refs = FRAME_NONE};
    }
    free_head = LIST_END;
    free_pages = total_pages = 0;
}

void page_give(uint64_t from, uint64_t to)
{
    from = ALIGN_UP(from, NX_PAGE_SIZE);
    to = ALIGN_DOWN(to, NX_PAGE_SIZE);
    for (uint64_t pa = to; pa > from; pa -= NX_PAGE_SIZE) {
        struct frame *f = frame_of(pa - NX_PAGE_SIZE);
        if (f == NULL || f->refs != FRAME_NONE) {
            continue;
        }
        *f = (struct frame){.refs = 0, .link = free_head};
        free_head = (uint32_t)(f - frames);
        free_pages++;
        total_pages++;
    }
}

void page_keep(struct quota *q, uint64_t from, uint64_t to)
{
    for (uint64_t pa = ALIGN_UP(from, NX_PAGE_SIZE); pa + NX_PAGE_SIZE <= to; pa += NX_PAGE_SIZE) {
        struct frame *f = frame_of(pa);
        if (f == NULL || f->refs != FRAME_NONE) {
            continue;
        }
        *f = (struct frame){.refs = 1, .link = quota_index(q)};
        q->used += NX_PAGE_SIZE;
        total_pages++;
    }
}

uint64_t page_alloc(struct quota *q, uint64_t reserve)
{
    if (free_head == LIST_END || !quota_charge(q, NX_PAGE_SIZE, reserve)) {
        return 0;
    }
    struct frame *f = &frames[free_head];
    uint64_t pa = frames_base + (uint64_t)free_head * NX_PAGE_SIZE;
    free_head = f->link;
    *f = (struct frame){.refs = 1, .link = quota_index(q)};
    free_pages--;
    return pa;
}

uint64_t page_alloc_zero(struct quota *q, uint64_t reserve)
{
    uint64_t pa = page_alloc(q, reserve);
    if (pa != 0) {
        arch_page_zero(arch_phys(pa));
    }
    return pa;
}

/* Take frame i out of the free list; the list is singly linked, so this walks it once for the run. */
static void unlink_run(uint64_t first, uint64_t pages)
{
    uint32_t *link = &free_head;
    uint64_t found = 0;
    while (*link != LIST_END && found < pages) {
        uint32_t i = *link;
        if (i >= first && i < first + pages) {
            *link = frames[i].link;
            found++;
        } else {
            link = &frames[i].link;
        }
    }
}

uint64_t page_alloc_contig(struct quota *q, uint64_t pages)
{
    uint64_t run = 0, bytes;
    if (pages == 0 || nx_mul_overflow(pages, NX_PAGE_SIZE, &bytes)) {
        return 0;
    }
    for (uint64_t i = frame_count; i-- > 0;) {
        run = frames[i].refs == 0 ? run + 1 : 0;
        if (run < pages) {
            continue;
        }
        if (!quota_charge(q, bytes, 0)) {
            return 0;
        }
        unlink_run(i, pages);
        for (uint64_t k = i; k < i + pages; k++) {
            frames[k] = (struct frame){.refs = 1, .link = quota_index(q)};
            arch_page_zero(arch_phys(frames_base + k * NX_PAGE_SIZE));
        }
        free_pages -= pages;
        return frames_base + i * NX_PAGE_SIZE;
    }
    return 0;
}

void page_ref(uint64_t pa)
{
    struct frame *f = frame_of(pa);
    if (f != NULL && f->refs != FRAME_NONE) {
        f->refs++;
    }
}

void page_unref(uint64_t pa)
{
    struct frame *f = frame_of(pa);
    if (f == NULL || f->refs == FRAME_NONE || --f->refs != 0) {
        return;
    }
    quota_credit(&quotas[f->link], NX_PAGE_SIZE);
    f->link = free_head;
    free_head = (uint32_t)(f - frames);
    free_pages++;
}

uint32_t page_refs(uint64_t pa)
{
    struct frame *f = frame_of(pa);
    return f == NULL ? FRAME_NONE : f->refs;
}

bool page_known(uint64_t pa)
{
    return page_refs(pa) != FRAME_NONE;
}

uint64_t page_free_count(void)
{
    return free_pages;
}

uint64_t page_total(void)
{
    return total_pages;
}
