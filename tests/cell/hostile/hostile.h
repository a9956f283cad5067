/* Test cell "hostile": does everything a cell should not get away with, one step after the other.
 *
 *     main.c     the steps and what is told of them      calls.c   wild arguments, unknown calls, a fuzzer
 *     caps.c     slots, rights, pledges                  memory.c  what maps where, quotas
 *     foreign.c  foreign mode with garbage               time.c    deadlines, kicks, floods, races
 *     rings.c    a peer whose rings are forged           deaths.c  what must be the end of the cell
 *
 * A step that is survived logs `ok NAME` or `not ok NAME: ...`.  One that must end this life logs
 * `try NAME why W code C` before it; the next life goes on with the next step, whose number is in the
 * cell's checkpoint.  tests/system/hostile_cell.py reads the log.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <manifest/hostile.h>
#include <nexus/cell.h>
#include <nx/sys.h>
#include <stdbool.h>

#define SLOT_OUT SLOT_VICTIM_TX /* the ring to the victim */
#define SLOT_IN SLOT_VICTIM_RX  /* the ring from it */
#define SLOT_FREE 8             /* from here on nothing is in the slots */
#define QUOTA_PAGES MANIFEST_QUOTA_PAGES
#define QUOTA_FIBERS MANIFEST_QUOTA_FIBERS
#define QUOTA_SPACES MANIFEST_QUOTA_SPACES

struct step {
    const char *name;
    void (*run)(void);
    unsigned why; /* enum nx_why: how this life ends; NONE: it does not */
    unsigned long code;
};
extern const struct step call_steps[], cap_steps[], memory_steps[], foreign_steps[], time_steps[],
    ring_steps[], death_steps[];

/* ---- checks: the step is not ok when one fails ---- */
void expect_at(long got, long want, const char *what, const char *file, int line);
#define EXPECT(call, want) expect_at((long)(call), (long)(want), #call, __FILE__, __LINE__)
#define CHECK(good) expect_at((good) != 0, 1, #good, __FILE__, __LINE__)
void expect_values(long got, long want, const char *what, unsigned long a, unsigned long b);

/* ---- addresses ---- */

/* Nothing of this cell is there: holes, the lower half, other windows, the nucleus, no addresses. */
extern const uint64_t wild[];
extern const unsigned wild_count;

/* Window addresses the steps may map at; nothing is there. */
#define ROOM (NX_FREE + 0x10000000ul)
#define PAGE NX_PAGE_SIZE

/* ---- calls ---- */

/* A call by number, past the SysTable. */
long raw_call(uint64_t nr, uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
              uint64_t a5);
#define CALL(nr, op, ...) CALL_(nr, op, __VA_ARGS__, 0, 0, 0, 0, 0)
#define CALL_(nr, op, a1, a2, a3, a4, a5, ...) raw_call(nr, op, a1, a2, a3, a4, a5)

long pages_used(void);
void drop_all(void); /* all slots but the rings */

/* Another fiber of this cell, at number n (0..6); body must end with nx_exit_fiber(). */
long start_fiber(unsigned n, void (*body)(uint64_t), uint64_t arg);
bool wait_for_fibers(long count); /* until so many are left */
uint64_t after_ms(uint64_t ms);

uint64_t chance(void); /* a random number, the same ones in every run */

#endif
