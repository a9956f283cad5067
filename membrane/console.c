/* The client side of the console: rings to and from its driver (nexus/console.h).
 *
 * The main fiber serves it: it sleeps on both rings, hands on what was typed and says when there is room
 * for output again.  Output is put into the ring by whichever fiber writes, under the personality lock;
 * so is everything that touches the two handles.
 * When the driver restarts, the rings live on; what it had not released is seen again by the next one.
 */
#include "mb_int.h"

#include <nexus/console.h>
#include <nx/ring.h>
#include <string.h>

void (*mb_console_input_hook)(const void *buf, size_t n);
void (*mb_console_writable_hook)(void);

static struct nx_ring tx, rx;
static bool tx_wanted; /* a writer found the ring full */

/* Map the ring of a slot at `at`; where the next one goes. */
static uint64_t attach(struct nx_ring *r, enum nx_ring_side side, unsigned slot, uint64_t at)
{
    long size = nx_meta_size(slot);
    long e = size;
    if (size > 0) {
        size = (size + (long)MB_PAGE - 1) & -(long)MB_PAGE;
        e = nx_map_mem(0, at, (uint64_t)size, slot | (NX_PROT_R | NX_PROT_W) << 8, 0);
    }
    if (e >= 0) {
        e = nx_ring_attach(r, side, (void *)at, (size_t)size);
    }
    if (e < 0) {
        mb_log("no console ring in slot %u: %ld", slot, e);
        return at;
    }
    return at + (uint64_t)size + MB_PAGE;
}

void mb_console_init(void)
{
    uint64_t at = attach(&tx, NX_RING_PRODUCER, MB_SLOT_CONSOLE_TX, MB_RINGS);
    attach(&rx, NX_RING_CONSUMER, MB_SLOT_CONSOLE_RX, at);
}

static uint32_t fill(const uint8_t *from, size_t n, uint32_t slots)
{
    uint32_t i = 0;
    for (; i < slots && n > 0; i++) {
        struct nx_slot slot = {.type = NEXUS_CONSOLE_OUTPUT, .flags = NX_SLOT_INLINE};
        slot.buf_len = n < NX_RING_PAYLOAD ? (uint32_t)n : NX_RING_PAYLOAD;
        memcpy(slot.payload, from, slot.buf_len);
        nx_ring_write(&tx, i, &slot);
        from += slot.buf_len;
        n -= slot.buf_len;
    }
    return i;
}

/* How many slots are free; when none, the driver is asked to ring when one is. */
static int tx_space(uint32_t want)
{
    int space = nx_ring_space(&tx, want);
    if (space == 0) {
        space = nx_ring_sleep_prepare(&tx);
        tx_wanted = space == 0;
    }
    return space;
}

size_t mb_console_write(const void *buf, size_t n)
{
    if (n == 0) {
        return 0;
    }
    uint32_t want = n < NX_RING_PAYLOAD * NX_RING_SLOTS_MAX
                        ? (uint32_t)((n + NX_RING_PAYLOAD - 1) / NX_RING_PAYLOAD)
                        : NX_RING_SLOTS_MAX;
    int space = tx_space(want);
    if (space < 0) {
        return n; /* no console, or its driver broke the protocol: nobody will ever read this */
    }
    if (space == 0) {
        return 0;
    }
    uint32_t slots = fill(buf, n, (uint32_t)space);
    nx_ring_commit(&tx, slots);
    if (nx_ring_needs_bell(&tx)) {
        nx_send_bell(MB_SLOT_CONSOLE_TX);
    }
    size_t done = (size_t)slots * NX_RING_PAYLOAD;
    if (done >= n) {
        return n;
    }
    tx_space(1); /* a rest stays with the caller: tell it when there is room */
    return done;
}

/* Hand on what was typed. */
static void input(void)
{
    struct nx_slot slot;
    bool bell = false;
    while (nx_ring_pop(&rx, &slot) == 0) {
        bell |= nx_ring_needs_bell(&rx);
        if (slot.type == NEXUS_CONSOLE_INPUT && slot.buf_len <= NX_RING_PAYLOAD &&
            mb_console_input_hook) {
            mb_console_input_hook(slot.payload, slot.buf_len);
        }
    }
    if (bell) {
        nx_send_bell(MB_SLOT_CONSOLE_RX);
    }
}

static void output(void)
{
    if (!tx_wanted || tx_space(1) == 0) {
        return;
    }
    tx_wanted = false;
    nx_ring_sleep_cancel(&tx);
    if (mb_console_writable_hook) {
        mb_console_writable_hook();
    }
}

void mb_console_serve(void)
{
    const uint64_t slots = 1ul << MB_SLOT_CONSOLE_TX | 1ul << MB_SLOT_CONSOLE_RX;
    for (;;) {
        mb_lock();
        nx_ring_sleep_cancel(&rx);
        do {
            input();
            output();
        } while (nx_ring_sleep_prepare(&rx) > 0);
        mb_unlock();
        long e = nx_recv_wait(slots, NX_NEVER);
        if (e < 0) { /* no rings: nothing to serve, but the main fiber must not spin */
            nx_tick_sleep(mb_arch_time() + mb_ns_to_ticks(1000000000));
        }
    }
}
