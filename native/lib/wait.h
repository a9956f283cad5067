/* Private to the library: how it sleeps.  Every function of it that waits does so by wait_recv(), so that strands
 * (nexus/strand.h), which put theirs in, let others run meanwhile; cells without strands have no code of them. */
#ifndef NATIVE_WAIT_H
#define NATIVE_WAIT_H

#include <nx/sys.h>
#include <stddef.h>

struct waiting {
    long (*recv)(uint64_t mask, uint64_t deadline);
    void (*again)(uint64_t mask);
};
extern const struct waiting *waiting; /* NULL: the nucleus' recv */

/* As nx_recv_wait(). */
static inline long wait_recv(uint64_t mask, uint64_t deadline)
{
    return waiting != NULL ? waiting->recv(mask, deadline) : nx_recv_wait(mask, deadline);
}

/* An announcement of sleep was taken back without a sleep: who else in this fiber waits for these slots has to announce
 * its own again. */
static inline void wait_again(uint64_t mask)
{
    if (waiting != NULL) {
        waiting->again(mask);
    }
}

#endif
