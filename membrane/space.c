/* Foreign mode and foreign address spaces: the nucleus' calls with Linux error codes. */
#include "mb_int.h"

#include <tax.h>

long mb_enter(void)
{
    return nx_enter_run();
}

void mb_fp_save(void)
{
    nx_enter_fpsave();
}

long mb_space_make(void)
{
    long s = nx_make_space();
    return s >= 0 ? s : mb_errno(s);
}

void mb_space_destroy(mb_space s)
{
    long e = nx_revoke_space(s);
    if (e < 0) {
        cell_panic("space %lx does not go: %ld", (unsigned long)s, e);
    }
}

int mb_space_bind(mb_space s)
{
    struct mb_fiber *f = mb_self();
    if (f->space == s) {
        return 0;
    }
    int e = mb_errno(nx_enter_bind(s, s ? (uint64_t)f->state : 0));
    if (e == 0) {
        bool was_free = f->space == 0;
        f->space = s;
        if (was_free) {
            tax_start(); /* the nucleus has set the fiber's clocks anew */
        }
    }
    return e;
}

int mb_space_clone(mb_space dst, mb_space src)
{
    return mb_errno(nx_map_clone(dst, src));
}

int mb_map_anon(mb_space s, uint64_t va, uint64_t len, unsigned prot)
{
    return mb_errno(nx_map_anon(s, va, len, prot));
}

int mb_map_share(mb_space s, uint64_t va, uint64_t len, unsigned prot, bool private_,
                 const void *src)
{
    /* A page a program may still see is never handed out again as it is (pages.c). */
    mb_pages_mark_shared(src, len);
    return mb_errno(
        nx_map_share(s, va, len, prot | (private_ ? NX_MAP_PRIVATE : 0), (uint64_t)src));
}

int mb_unmap(mb_space s, uint64_t va, uint64_t len)
{
    return mb_errno(nx_map_unmap(s, va, len));
}

int mb_protect(mb_space s, uint64_t va, uint64_t len, unsigned prot)
{
    return mb_errno(nx_map_protect(s, va, len, prot));
}

int mb_move(mb_space s, uint64_t from, uint64_t len, uint64_t to)
{
    return mb_errno(nx_map_move(s, from, len, to));
}

int mb_touch(mb_space s, uint64_t va, bool write)
{
    return mb_errno(nx_map_fault(s, va & ~(MB_PAGE - 1), write));
}

uint64_t mb_resident(mb_space s)
{
    long n = nx_meta_space(s, NX_SPACE_RESIDENT);
    return n > 0 ? (uint64_t)n : 0;
}
