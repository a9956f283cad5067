/* The areas of an address space: a sorted array without gaps in it.
 *
 * Found by binary search; inserting moves what is behind.  Programs have ten to a hundred areas, so the
 * moving is short; the limit of 65530 keeps the worst case bounded.
 */
#include "mem/mm_int.h"

#include <asm/errno.h>
#include <string.h>

#define ROOM_FIRST 16u
#define ALL_WINDOWS (~0ull)

/* Counts of file areas by hash of the inode, so that truncating a file nobody maps costs nothing. */
#define INODE_HASH 256u
static uint32_t inode_areas[INODE_HASH];

static uint32_t *inode_count_of(const struct inode *ino)
{
    return &inode_areas[((uintptr_t)ino >> 5) % INODE_HASH];
}

unsigned mm_inode_mapped(const struct inode *ino)
{
    return *inode_count_of(ino);
}

bool mm_inode_writable(const struct inode *ino)
{
    for (const struct mm *mm = mm_all; mm; mm = mm->next) {
        for (uint32_t i = 0; i < mm->count; i++) {
            const struct vma *v = &mm->vma[i];
            if (v->kind == VMA_FILE && v->file->inode == ino && (v->flags & VMA_SHARED) &&
                (v->flags & VMA_MAYWRITE)) {
                return true;
            }
        }
    }
    return false;
}

bool mm_ops_mapped(const struct file_ops *ops)
{
    for (const struct mm *mm = mm_all; mm; mm = mm->next) {
        for (uint32_t i = 0; i < mm->count; i++) {
            if (mm->vma[i].kind == VMA_FILE && mm->vma[i].file->ops == ops) {
                return true;
            }
        }
    }
    return false;
}

void vma_object_ref(const struct vma *v)
{
    if (v->kind == VMA_FILE) {
        file_ref(v->file);
        ++*inode_count_of(v->file->inode);
    } else if (v->kind == VMA_VEC) {
        pagevec_ref(v->vec);
    }
}

void vma_object_unref(const struct vma *v)
{
    if (v->kind == VMA_FILE) {
        --*inode_count_of(v->file->inode);
        if (v->file->ops->unmapped) {
            v->file->ops->unmapped(v->file);
        } else {
            file_unref(v->file);
        }
    } else if (v->kind == VMA_VEC) {
        pagevec_unref(v->vec);
    }
}

uint32_t vma_index(const struct mm *mm, uint64_t addr)
{
    uint32_t low = 0, high = mm->count;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (mm->vma[mid].end > addr) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return low;
}

struct vma *vma_at(const struct mm *mm, uint64_t addr)
{
    uint32_t i = vma_index(mm, addr);
    return i < mm->count && mm->vma[i].start <= addr ? &mm->vma[i] : NULL;
}

bool vma_range_free(const struct mm *mm, uint64_t start, uint64_t end)
{
    uint32_t i = vma_index(mm, start);
    return i == mm->count || mm->vma[i].start >= end;
}

long mm_areas_max = 65530;

#define VMAS_HARD (1u << 26)

int vma_reserve(struct mm *mm, uint32_t n)
{
    uint32_t want = mm->count + n;
    if (want <= mm->room) {
        return 0;
    }
    if (want > VMAS_HARD) { /* the limit itself is the system calls' */
        return -ENOMEM;
    }
    uint32_t room = mm->room ? mm->room : ROOM_FIRST;
    while (room < want) {
        room *= 2;
    }
    struct vma *more = mb_alloc(room * sizeof(*more));
    if (!more) {
        return -ENOMEM;
    }
    if (mm->count) {
        memcpy(more, mm->vma, mm->count * sizeof(*more));
    }
    mb_free(mm->vma);
    mm->vma = more;
    mm->room = room;
    return 0;
}

/* n empty places at index i / n fewer. */
static void open_at(struct mm *mm, uint32_t i, uint32_t n)
{
    memmove(&mm->vma[i + n], &mm->vma[i], (mm->count - i) * sizeof(mm->vma[0]));
    mm->count += n;
}

static void close_at(struct mm *mm, uint32_t i, uint32_t n)
{
    memmove(&mm->vma[i], &mm->vma[i + n], (mm->count - i - n) * sizeof(mm->vma[0]));
    mm->count -= n;
}

static bool joinable(const struct vma *a, const struct vma *b)
{
    if (a->end != b->start || a->kind != b->kind || a->prot != b->prot || a->flags != b->flags ||
        (a->flags & VMA_VDSO)) {
        return false;
    }
    return a->kind == VMA_ANON || (a->file == b->file && a->off + (a->end - a->start) == b->off);
}

/* Areas i and i + 1 become one. */
static void join_at(struct mm *mm, uint32_t i)
{
    struct vma *a = &mm->vma[i], *b = a + 1;
    a->around = a->around || b->around ? ALL_WINDOWS : 0;
    a->end = b->end;
    vma_object_unref(b);
    close_at(mm, i + 1, 1);
}

void vma_insert(struct mm *mm, const struct vma *v)
{
    uint32_t i = vma_index(mm, v->start);
    open_at(mm, i, 1);
    mm->vma[i] = *v;
    vma_object_ref(v);
    mm->pages += (v->end - v->start) / MB_PAGE;
    vma_join(mm, v->start, v->end);
}

/* v loses its first / last bytes. */
static void trim_front(struct vma *v, uint64_t start)
{
    v->off += v->kind == VMA_ANON ? 0 : start - v->start;
    v->start = start;
    v->around = v->around ? ALL_WINDOWS : 0; /* windows count from the start and by the size */
}

static void trim_back(struct vma *v, uint64_t end)
{
    v->end = end;
    v->around = v->around ? ALL_WINDOWS : 0;
}

static void split_at(struct mm *mm, uint64_t addr)
{
    uint32_t i = vma_index(mm, addr);
    if (i == mm->count || mm->vma[i].start >= addr) {
        return;
    }
    open_at(mm, i, 1);
    mm->vma[i] = mm->vma[i + 1];
    vma_object_ref(&mm->vma[i]);
    trim_back(&mm->vma[i], addr);
    trim_front(&mm->vma[i + 1], addr);
}

void vma_split(struct mm *mm, uint64_t start, uint64_t end)
{
    split_at(mm, start);
    split_at(mm, end);
}

void vma_join(struct mm *mm, uint64_t start, uint64_t end)
{
    uint32_t i = vma_index(mm, start);
    i -= i > 0;
    while (i + 1 < mm->count && mm->vma[i].start <= end) {
        if (joinable(&mm->vma[i], &mm->vma[i + 1])) {
            join_at(mm, i);
        } else {
            i++;
        }
    }
}

void vma_cut(struct mm *mm, uint64_t start, uint64_t end)
{
    uint32_t i = vma_index(mm, start);
    if (i < mm->count && mm->vma[i].start < start && mm->vma[i].end > end) {
        split_at(mm, start); /* a hole inside one area: the only case that needs a new one */
        i++;
    }
    if (i < mm->count && mm->vma[i].start < start) {
        mm->pages -= (mm->vma[i].end - start) / MB_PAGE;
        trim_back(&mm->vma[i], start);
        i++;
    }
    uint32_t last = i;
    for (; last < mm->count && mm->vma[last].end <= end; last++) {
        mm->pages -= (mm->vma[last].end - mm->vma[last].start) / MB_PAGE;
        vma_object_unref(&mm->vma[last]);
    }
    if (last > i) {
        close_at(mm, i, last - i);
    }
    if (i < mm->count && mm->vma[i].start < end) {
        mm->pages -= (end - mm->vma[i].start) / MB_PAGE;
        trim_front(&mm->vma[i], end);
    }
}

/* Where the area at index i begins for its neighbours: stacks want room to grow. */
static uint64_t start_with_gap(const struct mm *mm, uint32_t i)
{
    uint64_t start = i < mm->count ? mm->vma[i].start : MM_TASK_END;
    if (i < mm->count && (mm->vma[i].flags & VMA_GROWSDOWN)) {
        start = start > MM_STACK_GAP ? start - MM_STACK_GAP : 0;
    }
    return start;
}

/* The highest gap that ends at or below top. */
static uint64_t gap_below(const struct mm *mm, uint64_t top, uint64_t len)
{
    for (uint32_t i = vma_index(mm, top);; i--) {
        uint64_t high = start_with_gap(mm, i);
        uint64_t low = i > 0 ? mm->vma[i - 1].end : 0;
        high = high < top ? high : top;
        low = low > MM_MIN_ADDR ? low : MM_MIN_ADDR;
        if (high > low && high - low >= len) {
            return high - len;
        }
        if (i == 0) {
            return 0;
        }
    }
}

uint64_t vma_find_gap(const struct mm *mm, uint64_t hint, uint64_t len)
{
    if (len > MM_TASK_END - MM_MIN_ADDR) {
        return 0;
    }
    hint = page_down(hint);
    if (hint >= MM_MIN_ADDR && hint <= MM_TASK_END - len) {
        uint32_t i = vma_index(mm, hint);
        if (start_with_gap(mm, i) >= hint + len) {
            return hint;
        }
    }
    uint64_t at = gap_below(mm, mm->mmap_base, len);
    return at ? at : gap_below(mm, MM_TASK_END, len);
}

void vma_free_all(struct mm *mm)
{
    for (uint32_t i = 0; i < mm->count; i++) {
        vma_object_unref(&mm->vma[i]);
    }
    mb_free(mm->vma);
    mm->vma = NULL;
    mm->count = mm->room = 0;
    mm->pages = 0;
}

int vma_copy_all(struct mm *to, const struct mm *from)
{
    if (vma_reserve(to, from->count) < 0) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < from->count; i++) {
        const struct vma *v = &from->vma[i];
        if (v->flags & VMA_DONTFORK) {
            continue;
        }
        vma_object_ref(v);
        to->vma[to->count] = *v;
        to->vma[to->count++].flags &= (uint16_t)~VMA_LOCKED;
        to->pages += (v->end - v->start) / MB_PAGE;
    }
    return 0;
}
