/* Fences on other harts: every hart that runs a program of the space passes through one before the call
 * returns.
 *
 * The nucleus does that when it changes the protection of executable pages, also for threads that are
 * on no hart now and come to another one later; so we "change" the page with the sigreturn code to
 * what it is.
 */
#include "mem/mm_int.h"

int mm_fence(const struct mm *mm)
{
    uint64_t page = page_down(mm_sigreturn_addr(mm));
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return mb_protect(mm->space, page, MB_PAGE, NX_PROT_R | NX_PROT_X);
}

int mm_fence_all(uint32_t barriers)
{
    for (const struct mm *mm = mm_all; mm; mm = mm->next) {
        int err = (mm->barriers & barriers) == barriers ? mm_fence(mm) : 0;
        if (err < 0) {
            return err;
        }
    }
    return 0;
}

uint32_t *mm_barriers(struct mm *mm)
{
    return &mm->barriers;
}
