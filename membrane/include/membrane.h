/* The membrane: what the personality's code (posix/) may ask of the system below it.
 *
 * posix/ never calls the nucleus directly; everything goes through this header, so that the same
 * posix code runs in its cell and, against another implementation of these functions, in host tests.
 * Rules:
 *  - One lock, the personality lock.  All functions here marked [lock] want it held; it is never held
 *    while foreign code runs and never across a block (mb_park gives it up).
 *  - Errors are negated Linux errno codes.
 */
#ifndef MEMBRANE_H
#define MEMBRANE_H

#include <nx/layout.h>
#include <nx/state.h>
#include <nx/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MB_PAGE 4096ul
#define MB_NEVER (~0ul)

/* ---- the personality lock ----
 * Waiting for it may consume a wake-up (mb_wake) that was meant for something else: after taking it, look
 * at everything such a wake-up may have been about, before the next sleep or mb_enter. */
void mb_lock(void);
void mb_unlock(void);
/* [lock] In the middle of something long: let those have it who wait.  What it guards may have changed. */
void mb_lock_break(void);

/* ---- fibers: one runs each Linux thread; also service fibers ---- */
struct mb_fiber {
    uint64_t handle;        /* the nucleus' fiber handle */
    struct nx_state *state; /* state area for foreign mode, owned by the fiber */
    void *task;             /* the Linux thread it runs, or NULL; see `current` in posix */
    void (*fn)(void *);
    void *arg;
    struct mb_fiber *next; /* in the pool of idle fibers */
    void *run;             /* of pages: fiber.c */
    uint64_t space;        /* the foreign space it is bound to */
    uint64_t stamp_ticks;  /* tax.h: where the last lap of its own clocks ended */
    uint64_t stamp_instructions;
    uint64_t
        woken; /* ticks: its last sleep's end, and later by what it waited for the lock since */
};
/* [lock] Take an idle fiber (or make one) and let it run fn(arg); when fn returns it goes back to the
 * pool.  fn starts without the lock.  NULL: no memory or quota. */
struct mb_fiber *mb_fiber_start(void (*fn)(void *), void *arg);
#ifdef NX_HOST
struct mb_fiber *mb_self(void);
#else
/* The thread pointer register is the fiber's for good: set by its first instructions. */
static inline struct mb_fiber *mb_self(void)
{
    return (struct mb_fiber *)__builtin_thread_pointer();
}
#endif
/* [lock] Give up the lock, sleep until mb_wake(self) or the deadline (ticks, MB_NEVER), take the lock.
 * A wake-up before the sleep is not lost; spurious returns happen.  0, or -ETIMEDOUT. */
int mb_park(uint64_t deadline);
/* Wake a parked fiber, or make it leave foreign mode (mb_enter answers NX_LEAVE_KICK). */
void mb_wake(struct mb_fiber *f);
/* Ticks f has run up to its last switch, on the clock of stamp_ticks (tax.h); 0 when it has ended. */
uint64_t mb_fiber_ticks(const struct mb_fiber *f);
/* Let others run (sched_yield); without the lock. */
void mb_yield(void);

/* ---- time ---- */
uint64_t mb_ticks(void);       /* the time counter */
uint64_t mb_ns_per_tick(void); /* 0: no whole number */
uint64_t mb_ticks_to_ns(uint64_t ticks);
uint64_t mb_ns_to_ticks(uint64_t ns); /* rounds up, saturates at MB_NEVER - 1 */

/* ---- foreign mode ---- */
/* Run the fiber's foreign program until it traps: NX_LEAVE_*.  Without the lock. */
long mb_enter(void);
void mb_fp_save(void); /* write live FP registers to the state area */

/* ---- foreign address spaces; addresses and lengths page aligned; prot NX_PROT_* ---- */
typedef uint64_t mb_space;         /* 0: none */
long mb_space_make(void);          /* handle > 0, or -ENOMEM */
void mb_space_destroy(mb_space s); /* no fiber may be bound to it */
int mb_space_bind(mb_space s);     /* the calling fiber's foreign space from now on (0: none) */
int mb_space_clone(mb_space dst, mb_space src);                        /* copy-on-write */
int mb_map_anon(mb_space s, uint64_t va, uint64_t len, unsigned prot); /* demand-zero */
/* Map pages of the personality's own memory at src: pages shared with the program, or copy-on-write. */
int mb_map_share(mb_space s, uint64_t va, uint64_t len, unsigned prot, bool private_,
                 const void *src);
int mb_unmap(mb_space s, uint64_t va, uint64_t len);
int mb_protect(mb_space s, uint64_t va, uint64_t len, unsigned prot);
int mb_move(mb_space s, uint64_t from, uint64_t len, uint64_t to);
uint64_t mb_resident(mb_space s); /* pages */
/* Resolve a demand-zero or copy-on-write page now, as an access would: 0, -ENOMEM, or -ENOENT when
 * nothing is there that could be resolved (the page is absent or forbids the access). */
int mb_touch(mb_space s, uint64_t va, bool write);

/* ---- program memory of the bound space ----
 * They touch program memory directly; a page that is not there is first tried with mb_fault_hook
 * (posix/mem: file pages), then the copy fails with -EFAULT.  Addresses outside the lower half: -EFAULT. */
int mb_copy_in(void *dst, uint64_t src, size_t n);
int mb_copy_out(uint64_t dst, const void *src, size_t n);
int mb_zero_out(uint64_t dst, size_t n);
/* Could a program have n bytes at this address?  Nothing is looked at. */
static inline bool mb_range_ok(uint64_t at, uint64_t n)
{
#ifdef NX_HOST
    return true; /* a test's programs have their memory anywhere */
#else
    return n <= NX_LOWER_END && at <= NX_LOWER_END - n;
#endif
}
/* Copy a NUL-terminated string of less than n bytes: its length, -EFAULT or -ENAMETOOLONG. */
long mb_str_in(char *dst, uint64_t src, size_t n);
/* Atomically read / compare-and-swap an aligned 32-bit word of program memory (futex): 0 or -EFAULT.
 * cas stores into *old what was there. */
int mb_load32(uint32_t *val, uint64_t addr);
int mb_cas32(uint64_t addr, uint32_t expect, uint32_t want, uint32_t *old);
/* Set by posix/mem: make the page at addr present (write: for writing); 0, or -EFAULT/-ENOMEM. */
extern int (*mb_fault_hook)(uint64_t addr, bool write);

/* ---- memory of the personality; all [lock] ---- */
void *mb_alloc(size_t n);  /* 16-byte aligned, not zeroed; NULL when exhausted */
void *mb_zalloc(size_t n); /* zeroed */
void mb_free(void *p);     /* NULL is fine */
void *mb_page(void); /* a zeroed page of its own, mappable into programs; NULL when exhausted */
void mb_page_free(void *page);
uint64_t mb_pages_total(void);  /* of the machine */
uint64_t mb_pages_free(void);   /* of the machine */
uint64_t mb_heap_objects(void); /* live mb_alloc blocks, for the leak check */
void mb_trim(void);             /* give cached free memory back to the nucleus */
/* Set by posix/: memory is out.  Free pages that are only kept in case: false when there are none. */
extern bool (*mb_reclaim_hook)(void);

/* ---- log, console, machine ---- */
void mb_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void mb_log_at(unsigned level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The nucleus' log: line *number, or the oldest kept one after it, and its number. */
bool mb_log_read(uint64_t *number, struct nx_log *out);
/* Bytes to the console driver: how many were taken (0: its ring is full; membrane calls
 * mb_console_writable_hook when there is room again).  [lock] */
size_t mb_console_write(const void *buf, size_t n);
/* Called with bytes from the console, [lock] held. */
extern void (*mb_console_input_hook)(const void *buf, size_t n);
extern void (*mb_console_writable_hook)(void);
/* Ends the machine: power off with an exit status, or reset.  Does not return. */
_Noreturn void mb_power_off(int status);
_Noreturn void mb_reset(void);
/* A wild access, which ends the cell: for trying out its restart. */
_Noreturn void mb_crash(void);
/* The supervisor carries out commands (native/include/nexus/control.h), one at a time.  [lock]
 * The room for a command with its data, and for its answer; NULL: there is no way to it. */
void *mb_control_room(size_t *size);
/* Have the n bytes in the room carried out: 0, and done is called later, [lock] held, with the length of
 * the answer that is in the room then, or -EIO; or -EIO, -EBUSY, -EFBIG at once. */
int mb_control_run(size_t n, void (*done)(long n));
/* [lock] Random numbers: good ones once mb_random_seeded(), and then nobody can guess them; before that
 * only as different as one start is from the next.  Never waits.  docs/random.md. */
void mb_random(void *buf, size_t n);
bool mb_random_seeded(void);
/* [lock] Mix something in; it counts for nothing. */
void mb_random_mix(const void *bytes, size_t n);
/* Set by posix/; called [lock] whenever a seed came. */
extern void (*mb_random_hook)(void);
/* ---- the System Truth Ledger, all [lock]; records are struct nexus_stl (nexus/stl.h) ---- */
bool mb_stl_present(void); /* there is a logd; else the calls below answer -ENODEV */
/* Ask for records from number `from` on.  done, once, [lock], from another fiber: n bytes of whole
 * records, well-formed and valid during the call, the number to go on with, the number the next record
 * will have; or err.  One at a time: -EBUSY. */
typedef void mb_stl_done(const uint8_t *records, size_t n, uint64_t next, uint64_t end, int err);
int mb_stl_ask(uint64_t from, mb_stl_done *done);
/* Have mb_stl_hook called, once, when there is a record of this number (or at once, when the number is
 * not the end).  Nothing new happens when one is asked for already. */
void mb_stl_follow(uint64_t from);
/* Set by posix/; end 0: not known. */
extern void (*mb_stl_hook)(uint64_t end);

/* ---- rings for programs: channels of cells that serve interface "ring.<n>" (nexus/bus.h), all [lock] ---- */
#define MB_RINGS 4u
struct mb_ring {
    uint8_t *out, *in,
        *pool; /* whole pages; may be mapped into programs.  pool NULL: there is none */
    size_t out_size, in_size, pool_size;
};
/* False when nobody serves it. */
bool mb_ring_get(unsigned n, struct mb_ring *out);
/* Wake the server: there is more in `out`, or room in the ring from it. */
void mb_ring_bell(unsigned n, bool out);
/* Set by posix/: the server rings, or another life of it has begun. */
extern void (*mb_ring_hook)(unsigned n);

/* ---- the boot bundle, the machine ---- */
/* The root archives of the boot bundle, in order: NULL when index is past the last. */
const void *mb_archive(unsigned index, size_t *size);
const char *mb_bootargs(void);
unsigned mb_harts(void);
unsigned mb_hart(void);             /* the one the calling fiber runs on, or ran just now */
uint64_t mb_stat(unsigned nx_stat); /* NX_STAT_* counters of the nucleus */
uint64_t mb_cell_value(unsigned nx_cell_value); /* NX_CELL_* of this cell */
/* The Boot Error Buffer's entry *number, or the oldest kept one after it, and its number. */
bool mb_beb_read(uint64_t *number, struct nx_beb *out);

/* Provided by posix/: runs on the main fiber, builds the root, starts pid 1, then returns. */
int posix_start(void);

#endif
