/* The client side of the console: rings to and from its driver (nexus/console.h).
 *
 * The main fiber serves it: it sleeps on both rings, hands on what was typed and says when there is room
 * for output again.  Output is put into the ring by whichever fiber writes, under the personality lock;
 * so is everything that touches the two handles.
 * When the driver restarts, the rings live on; what it had not released is seen again by the next one.
 */
#include "mb_int.h"

#include <nexus/channel.h>
#include <nexus/console.h>
#include <nexus/exit.h>
#include <string.h>

void (*mb_console_input_hook)(const void *buf, size_t n);
void (*mb_console_writable_hook)(void);

static struct channel console;
static bool room_wanted; /* a writer found the ring full */

void mb_console_init(void)
{
    int e = channel_open(&console, MB_SLOT_CONSOLE_RX, MB_SLOT_CONSOLE_TX);
    if (e < 0) {
        mb_log("no console: %d", e);
    }
}

/* The driver did what no driver does.  The supervisor makes the channel anew. */
static void check_peer(int result, unsigned slot)
{
    if (result == -NX_EPEER) {
        mb_log("the console driver broke the protocol of its ring");
        cell_exit(NEXUS_EXIT_PEER | slot);
    }
}

static uint32_t fill(const uint8_t *from, size_t n, uint32_t slots)
{
    uint32_t i = 0;
    for (; i < slots && n > 0; i++) {
        struct nx_slot slot = {.type = NEXUS_CONSOLE_OUTPUT, .flags = NX_SLOT_INLINE};
        slot.buf_len = n < NX_RING_PAYLOAD ? (uint32_t)n : NX_RING_PAYLOAD;
        memcpy(slot.payload, from, slot.buf_len);
        nx_ring_write(&console.out, i, &slot);
        from += slot.buf_len;
        n -= slot.buf_len;
    }
    return i;
}

/* How many slots are free; when none, the driver is asked to ring when one is. */
static int out_space(uint32_t want)
{
    int space = nx_ring_space(&console.out, want);
    if (space == 0) {
        space = nx_ring_sleep_prepare(&console.out);
        room_wanted = space == 0;
    }
    check_peer(space, MB_SLOT_CONSOLE_TX);
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
    int space = out_space(want);
    if (space < 0) {
        return n; /* no console: nobody will ever read this */
    }
    if (space == 0) {
        return 0;
    }
    uint32_t slots = fill(buf, n, (uint32_t)space);
    nx_ring_commit(&console.out, slots);
    channel_bell_out(&console);
    size_t done = (size_t)slots * NX_RING_PAYLOAD;
    if (done >= n) {
        return n;
    }
    out_space(1); /* a rest stays with the caller: tell it when there is room */
    return done;
}

/* Hand on what was typed. */
static void input(void)
{
    struct nx_slot slot;
    int e;
    while ((e = nx_ring_pop(&console.in, &slot)) == 0) {
        channel_bell_in(&console);
        if (slot.type == NEXUS_CONSOLE_INPUT && slot.buf_len <= NX_RING_PAYLOAD &&
            mb_console_input_hook) {
            mb_console_input_hook(slot.payload, slot.buf_len);
        }
    }
    check_peer(e, MB_SLOT_CONSOLE_RX);
}

static void output(void)
{
    if (!room_wanted || out_space(1) == 0) {
        return;
    }
    room_wanted = false;
    nx_ring_sleep_cancel(&console.out);
    if (mb_console_writable_hook) {
        mb_console_writable_hook();
    }
}

void mb_console_serve(void)
{
    const uint64_t slots = 1ul << MB_SLOT_CONSOLE_TX | 1ul << MB_SLOT_CONSOLE_RX;
    for (;;) {
        mb_lock();
        nx_ring_sleep_cancel(&console.in);
        do {
            input();
            output();
        } while (nx_ring_sleep_prepare(&console.in) > 0);
        mb_unlock();
        long e = nx_recv_wait(slots, NX_NEVER);
        mb_main_fiber.woken = mb_arch_time();
        if (e < 0) { /* no rings: nothing to serve, but the main fiber must not spin */
            nx_tick_sleep(mb_arch_time() + mb_ns_to_ticks(1000000000));
        }
    }
}
