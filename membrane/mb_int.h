/* Private to membrane/: what its files share.
 *
 * What depends on the instruction set is in arch/<isa>/, the same files in each:
 *   mb_arch.h  inline functions, specified here
 *   copy.S     user copy with recovery (copy.h)          fiber.S  first instructions of a fiber
 *
 *   uint64_t mb_arch_time(void)           the time counter
 *   uint64_t mb_arch_instret(void)        instructions retired on this hart
 *   void mb_arch_fiber_clocks(state, &ticks, &instructions)   the calling fiber's own running time
 *   void mb_arch_relax(void)              inside spin loops
 *   void mb_arch_set_self(struct mb_fiber *)   the calling fiber is this one (mb_self)
 *   bool mb_arch_lock_try(volatile uint64_t *word, uint64_t me)       0 -> me, acquire; false: it was not 0
 *   bool mb_arch_lock_release(volatile uint64_t *word, uint64_t me)   release, me -> 0; false: it was not me
 */
#ifndef MEMBRANE_INT_H
#define MEMBRANE_INT_H

#include <mb_arch.h>
#include <manifest/posix.h>
#include <membrane.h>
#include <nexus/cell.h>
#include <nx/sys.h>

#include <linux/errno.h>

/* The window of the personality's cell, from NX_FREE on:
 *     + 0        what cell_map maps: console rings, boot bundle
 *     + 1 GiB    page descriptors of the arena (pages.c)
 *     + 2 GiB    the page arena, to the window's end */
#ifdef NX_HOST
extern uintptr_t mb_host_base; /* tests reserve address space and say where */
#define MB_DESCRIPTORS mb_host_base
#define MB_ARENA (mb_host_base + (64ul << 20))
#define MB_ARENA_END (MB_ARENA + (512ul << 20))
#else
#define MB_DESCRIPTORS (NX_FREE + (1ul << 30))
#define MB_ARENA (NX_FREE + (2ul << 30))
#define MB_ARENA_END (NX_WINDOW + ((uint64_t)MB_WINDOW_GB << 30))
#endif
#define MB_WINDOW_GB MANIFEST_WINDOW_GB

/* Slots of the capability space: manifest.kdl. */
#define MB_SLOT_CONSOLE_TX SLOT_CONSOLE_TX
#define MB_SLOT_CONSOLE_RX SLOT_CONSOLE_RX
#define MB_SLOT_BUNDLE SLOT_BUNDLE
#define MB_SLOT_CONTROL SLOT_CONTROL
#define MB_SLOT_RANDOM SLOT_RANDOM
#define MB_SLOT_LOG SLOT_LOG
#define MB_SLOT_BLOCK SLOT_BLOCK0 /* 4 channels */
#define MB_SLOT_ENTROPY SLOT_ENTROPY
#define MB_SLOT_HVC SLOT_HVC
#define MB_SLOT_DISPLAY SLOT_DISPLAY
#define MB_SLOT_INPUT SLOT_INPUT0 /* 4 channels */
#define MB_SLOT_RINGS SLOT_RING0  /* 4 channels */

/* The nucleus' error codes are Linux' where both have one; the rest is converted here, at the edge. */
static inline int mb_errno(long result)
{
    if (__builtin_expect(result >= 0, 1)) {
        return 0;
    }
    switch (-result) {
    case NX_ETIME:
        return -ETIMEDOUT;
    case NX_EIMAGE:
        return -ENOEXEC;
    case NX_EPEER:
        return -EIO;
    case NX_EFULL:
    case NX_EEMPTY:
        return -EAGAIN;
    default:
        return (int)result;
    }
}

/* lock.c: is the lock the calling fiber's? */
bool mb_lock_is_mine(void);

/* time.c, random.c, stl.c */
void mb_time_init(uint64_t timebase);
void mb_random_init(const struct nx_cellinfo *info); /* waits for the seed, when one is to come */
void mb_stl_init(void);

/* fiber.c */
extern struct mb_fiber mb_main_fiber;
void mb_fiber_init(void);
void mb_fiber_main(struct mb_fiber *self); /* from fiber.S */
void mb_fiber_entry(void);
void mb_fiber_trim(void); /* end idle fibers, free the memory of ended ones */

/* pages.c: the arena, in pages.  Zeroed, present, contiguous. */
void *mb_run_alloc(size_t pages);
void mb_run_free(void *run);
size_t mb_run_pages(const void *run);
void mb_pages_trim(void);
void mb_pages_mark_shared(const void *at, size_t len); /* mapped into a program from now on */

/* console.c, device.c, serve.c, control.c, archive.c */
void mb_console_init(void);
void mb_devices_init(void);
_Noreturn void mb_serve(void); /* the main fiber, for the rest of the cell's life */
void mb_control_init(void);
void mb_rings_init(void); /* rings.c */
void mb_archive_init(void);

/* Fault injection for tests: answers true when the next allocation is to fail. */
extern bool (*mb_alloc_fails_hook)(void);

#endif
