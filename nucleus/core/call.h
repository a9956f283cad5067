/* The twelve calls and meta: one handler each, called by the trap entry with the registers' values.
 *
 * A handler checks everything first and changes state afterwards; it takes the nucleus lock itself;
 * it answers a result, or goes on to another fiber and never returns (then its result is put into the
 * fiber's saved a0).
 */
#ifndef CALL_H
#define CALL_H

#include "fiber.h"
#include "hart.h"

#include <nx/callnr.h>

typedef long call_handler(uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                          uint64_t a5);

#define DECLARE_CALL(name, nr) call_handler call_##name;
/* Written out, because NX_CALLS is one long line of X(name, nr). */
NX_CALLS(DECLARE_CALL)
#undef DECLARE_CALL

/* recv of fused cells, but WAIT: there SERVE opens the door (visit.h), and is a wait elsewhere. */
call_handler call_serve;

extern call_handler *const call_table[NX_CALL_COUNT];

/* Take the nucleus lock: the calling fiber.  NULL, a record and no lock when its cell's pledge does not
 * cover the class.  Does not return when the cell is being ended. */
struct fiber *call_attend(struct fiber *f, uint32_t pledge);
/* The same with the lock. */
static inline struct fiber *call_begun(uint32_t pledge)
{
    struct fiber *f = this_hart()->fiber;
    return (f->cell->pledge & pledge) == pledge && f->cell->attend == 0 ? f
                                                                        : call_attend(f, pledge);
}
static inline struct fiber *call_begin(uint32_t pledge)
{
    lock();
    return call_begun(pledge);
}

/* What call_send and call_recv, which are the short ways (handover.c), do not see to. `locked`: with the lock. */
long call_send_long(uint64_t op, uint64_t a1, bool locked);
long call_recv_long(uint64_t op, uint64_t mask, uint64_t deadline, bool locked);

#endif
