/* mremap: shrink, grow in place, or move with all pages. */
#include "mem/mm_int.h"

#include "sys.h"
#include "task.h"

#include <asm/errno.h>
#include <linux/mman.h>

struct move {
    uint64_t old, old_len, new_len, flags, new;
};

/* May the area at m->old become new_len long?  The whole old range must lie in it. */
static int check_area(const struct mm *mm, const struct move *m)
{
    const struct vma *v = vma_at(mm, m->old);
    if (!v || (v->flags & VMA_VDSO)) {
        return -EFAULT;
    }
    if (m->old_len == 0) { /* an old way to map shared memory a second time */
        return v->flags & VMA_SHARED ? 0 : -EINVAL;
    }
    if (m->old_len > v->end - m->old) {
        return -EFAULT;
    }
    if (m->new_len > m->old_len) {
        bool data = (v->prot & PROT_WRITE) && !(v->flags & VMA_SHARED);
        if ((v->flags & VMA_LOCKED) && mm_may_lock(mm, (m->new_len - m->old_len) / MB_PAGE) < 0) {
            return -EAGAIN;
        }
        return mm_may_grow(mm, m->new_len - m->old_len, data, data && !(v->flags & VMA_NORESERVE));
    }
    return 0;
}

/* Map [start, start + len) as the continuation of v at distance `from` of its start. */
static int map_piece(struct mm *mm, const struct vma *v, uint64_t from, uint64_t start,
                     uint64_t len)
{
    struct vma piece = *v;
    piece.start = start;
    piece.end = start + len;
    piece.off = v->kind == VMA_ANON ? 0 : v->off + from;
    piece.around = 0;
    return mm_map(mm, &piece);
}

static bool grow_in_place(struct mm *mm, const struct move *m)
{
    const struct vma *v = vma_at(mm, m->old);
    uint64_t end = m->old + m->old_len, more = m->new_len - m->old_len;
    if (m->old_len == 0 || v->end != end || more > MM_TASK_END - end ||
        !vma_range_free(mm, end, end + more)) {
        return false;
    }
    struct vma copy = *v; /* the list moves while we map */
    return map_piece(mm, &copy, end - copy.start, end, more) == 0;
}

/* The pages move; the list follows. */
static int move_to(struct mm *mm, const struct move *m, uint64_t to)
{
    struct vma v = *vma_at(mm, m->old);
    uint64_t moved = m->old_len < m->new_len ? m->old_len : m->new_len;
    int err = vma_reserve(mm, 4);
    if (err < 0) {
        return err;
    }
    if (m->new_len > moved) {
        err = map_piece(mm, &v, m->old - v.start + moved, to + moved, m->new_len - moved);
        if (err < 0) {
            return err;
        }
        err = vma_reserve(mm, 4);
    }
    if (err == 0 && moved) {
        err = mb_move(mm->space, m->old, moved, to);
    }
    if (err < 0) {
        mm_unmap(mm, to, to + m->new_len);
        return err;
    }
    if (moved) {
        struct vma piece = v;
        piece.start = to;
        piece.end = to + moved;
        piece.off = v.kind == VMA_ANON ? 0 : v.off + (m->old - v.start);
        piece.around = v.around ? ~0ull : 0;
        vma_object_ref(&v); /* it may lose its last area before it has the new one */
        vma_cut(mm, m->old, m->old + moved);
        vma_insert(mm, &piece);
        vma_object_unref(&v);
    }
    if (m->flags & MREMAP_DONTUNMAP) {
        return map_piece(mm, &v, m->old - v.start, m->old, m->old_len);
    }
    return 0;
}

static int check(const struct move *m)
{
    if (m->flags & ~(uint64_t)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)) {
        return -EINVAL;
    }
    if ((m->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(m->flags & MREMAP_MAYMOVE)) {
        return -EINVAL;
    }
    if ((m->flags & MREMAP_DONTUNMAP) && m->old_len != m->new_len) {
        return -EINVAL;
    }
    if (m->old % MB_PAGE || m->new_len == 0 || m->new_len > MM_TASK_END ||
        m->old_len > MM_TASK_END) {
        return -EINVAL;
    }
    if ((m->flags & MREMAP_FIXED) &&
        (m->new % MB_PAGE || m->new > MM_TASK_END - m->new_len || m->new < MM_MIN_ADDR ||
         (m->new < m->old + m->old_len && m->old < m->new + m->new_len))) {
        return -EINVAL;
    }
    return 0;
}

static long remap_fixed(struct mm *mm, struct move *m)
{
    int err = mm_unmap(mm, m->new, m->new + m->new_len);
    if (err == 0 && m->old_len > m->new_len) {
        err = mm_unmap(mm, m->old + m->new_len, m->old + m->old_len);
        m->old_len = m->new_len;
    }
    if (err == 0) {
        err = check_area(mm, m);
    }
    if (err == 0) {
        err = move_to(mm, m, m->new);
    }
    return err < 0 ? err : (long)m->new;
}

long sys_mremap(const uint64_t a[6])
{
    struct mm *mm = current->mm;
    struct move m = {.old = a[0], .flags = a[3], .new = a[4]};
    m.old_len = a[1] <= MM_TASK_END ? page_up(a[1]) : a[1];
    m.new_len = a[2] <= MM_TASK_END ? page_up(a[2]) : a[2];
    int err = check(&m);
    if (err < 0) {
        return err;
    }
    if (mm->count + 4 > MM_VMAS_MAX) {
        return -ENOMEM;
    }
    if (m.flags & MREMAP_FIXED) {
        return remap_fixed(mm, &m);
    }
    err = check_area(mm, &m);
    if (err < 0) {
        return err;
    }
    if (!(m.flags & MREMAP_DONTUNMAP) && m.old_len >= m.new_len) {
        err = m.old_len > m.new_len ? mm_unmap(mm, m.old + m.new_len, m.old + m.old_len) : 0;
        return err < 0 ? err : (long)m.old;
    }
    if (!(m.flags & MREMAP_DONTUNMAP) && grow_in_place(mm, &m)) {
        return (long)m.old;
    }
    if (!(m.flags & MREMAP_MAYMOVE)) {
        return -ENOMEM;
    }
    uint64_t to = vma_find_gap(mm, m.flags & MREMAP_DONTUNMAP ? m.new : 0, m.new_len);
    if (to == 0) {
        return -ENOMEM;
    }
    err = move_to(mm, &m, to);
    return err < 0 ? err : (long)to;
}
