/* What strands cost: two of them and nobody else. */
#include "ringclient.h"

#include "../figure.h"

#include <nexus/strand.h>
#include <nx/ring.h>
#include <nx/sys.h>

#define ROUNDS 1000u

/* What each of the two has of the two rings. */
struct both {
    struct nx_ring out, in;
};

static void yields(void *arg)
{
    for (uint32_t i = 0; i < ROUNDS; i++) {
        strand_yield();
    }
}

static void one_ring(unsigned slot, struct nx_ring *out, struct nx_ring *in)
{
    size_t size;
    void *at =
        nx_make_ring(slot, 8, 0) == 0 ? cell_map(slot, NX_PROT_R | NX_PROT_W, &size, NULL) : NULL;
    if (at == NULL || nx_ring_attach(out, NX_RING_PRODUCER, at, size) != 0 ||
        nx_ring_attach(in, NX_RING_CONSUMER, at, size) != 0) {
        cell_panic("no ring for strands");
    }
}

static inline __attribute__((always_inline)) void put(struct nx_ring *r, uint64_t word)
{
    if (nx_ring_space(r, 1) <= 0) {
        cell_panic("strand: ring full");
    }
    nx_ring_slot(r, 0)->word[0] = word;
    nx_ring_commit(r, 1);
}

static inline __attribute__((always_inline)) uint64_t take(struct nx_ring *r)
{
    if (nx_ring_pending(r, 1) <= 0) {
        cell_panic("strand: ring empty");
    }
    const uint64_t word = nx_ring_slot(r, 0)->word[0];
    nx_ring_release(r, 1);
    return word;
}

/* Each word comes back as the next one. */
static void echoes(void *arg)
{
    struct both *rings = arg;
    for (;;) {
        const uint64_t word = take(&rings->in) + 1;
        put(&rings->out, word);
        if (word == ROUNDS) {
            return;
        }
        strand_yield();
    }
}

static void asks(struct both *rings)
{
    uint64_t word = 0;
    while (word != ROUNDS) {
        put(&rings->out, word);
        strand_yield();
        word = take(&rings->in);
    }
}

/* A switch; and a message there and one back: push, switch, pop, both ways. */
void strands(void)
{
    struct strand other;
    static struct both here, there;
    if (strand_start(&other, yields, NULL, NULL, 0) != 0) {
        cell_panic("no strand");
    }
    uint64_t start = instructions();
    yields(NULL);
    figure("strand-switch", instructions() - start, 2 * ROUNDS);
    strand_join(&other);
    one_ring(11, &here.out, &there.in);
    one_ring(12, &there.out, &here.in);
    if (strand_start(&other, echoes, &there, NULL, 0) != 0) {
        cell_panic("no strand");
    }
    start = instructions();
    asks(&here);
    figure("strand-round-trip", instructions() - start, ROUNDS);
    strand_join(&other);
}
