/* Serial terminals: rings to and from their drivers (nexus/console.h): the console, and a virtio console
 * when there is one.
 *
 * The main fiber serves them (serve.c): it hands on what was typed and says when there is room for output
 * again.  Output is put into the ring by whichever fiber writes, under the personality lock; so is
 * everything that touches the handles.
 * A driver that has taken nothing for STALL_MS while somebody waits for room is told of in the log, once, and
 * not complained of: a serial line may be held by flow control for as long as its other end likes.
 * When a driver restarts, the rings live on; what it had not released is seen again by the next one.
 */
#include "devices.h"

#include <nexus/channel.h>
#include <nexus/console.h>
#include <nexus/exit.h>
#include <nx_base.h>
#include <string.h>

void (*mb_console_input_hook)(const void *buf, size_t n);
void (*mb_console_writable_hook)(void);
void (*mb_hvc_input_hook)(const void *buf, size_t n);
void (*mb_hvc_writable_hook)(void);

#define STALL_MS 5000u
#define FLOOD 1024u /* messages in one go: nobody types like that */

struct line {
    struct serve_timer timer; /* first */
    const char *name;
    uint32_t taken; /* slots the driver had released when the timer was set */
    bool stalled;   /* and that was told */
    struct channel ch;
    bool open;
    bool room_wanted; /* a writer found the ring full, and the driver has been asked to ring */
    void (**input_hook)(const void *buf, size_t n);
    void (**writable_hook)(void);
};

static struct line console = {.name = "console",
                              .input_hook = &mb_console_input_hook,
                              .writable_hook = &mb_console_writable_hook};
static struct line hvc = {
    .name = "hvc", .input_hook = &mb_hvc_input_hook, .writable_hook = &mb_hvc_writable_hook};

/* A damaged driver may leave impossible indices: true as long as it is worth looking again. */
static bool mend(struct line *l, int result)
{
    return result == -NX_EPEER && channel_mend(&l->ch);
}

static uint32_t fill(struct line *l, const uint8_t *from, size_t n, uint32_t slots)
{
    uint32_t i = 0;
    for (; i < slots && n > 0; i++) {
        struct nx_slot slot;
        const uint32_t part = n < NX_RING_PAYLOAD ? (uint32_t)n : NX_RING_PAYLOAD;
        nexus_console_output_put(&slot, from, part);
        nx_ring_write(&l->ch.out, i, &slot);
        from += part;
        n -= part;
    }
    return i;
}

static uint32_t taken(const struct line *l)
{
    return l->ch.out.peer_end->index;
}

static void wait_for_driver(struct line *l)
{
    l->taken = taken(l);
    serve_timer_set(&l->timer, mb_arch_time() + mb_ns_to_ticks(STALL_MS * 1000000ul));
}

static void look(struct serve_timer *t, uint64_t now, uint64_t late)
{
    struct line *l = (struct line *)t;
    const bool moves = taken(l) != l->taken;
    if (moves || !l->room_wanted) {
        l->stalled = false;
    } else if (!l->stalled) {
        l->stalled = true;
        mb_log_at(NX_LOG_WARNING, "the driver of the %s has taken no output for %u ms", l->name,
                  STALL_MS);
    }
    if (moves && l->room_wanted) {
        wait_for_driver(l);
    }
}

/* How many slots are free; when none, the driver is asked to ring when one is.  That is a promise to whoever was
 * told that there is no room: it stays until output() has kept it, even if room is found before that. */
static int out_space(struct line *l, uint32_t want)
{
    int space;
    do {
        space = nx_ring_space(&l->ch.out, want);
        if (space == 0 && !l->room_wanted) {
            space = nx_ring_sleep_prepare(&l->ch.out);
            l->room_wanted = space == 0;
            if (l->room_wanted && l->timer.due == MB_NEVER) {
                wait_for_driver(l);
            }
        }
    } while (mend(l, space));
    if (space > 0) {
        channel_well(&l->ch);
    }
    return space;
}

/* How many bytes were taken; fewer than n only when the driver was asked to ring: the ring is full then, and not
 * just was when we looked first. */
static size_t line_write(struct line *l, const void *buf, size_t n)
{
    size_t done = 0;
    while (done < n) {
        const size_t rest = n - done;
        uint32_t want = rest < NX_RING_PAYLOAD * NX_RING_SLOTS_MAX
                            ? (uint32_t)((rest + NX_RING_PAYLOAD - 1) / NX_RING_PAYLOAD)
                            : NX_RING_SLOTS_MAX;
        int space = out_space(l, want);
        if (space < 0) {
            return n; /* no console: nobody will ever read this */
        }
        if (space == 0) {
            break;
        }
        uint32_t slots = fill(l, (const uint8_t *)buf + done, rest, (uint32_t)space);
        nx_ring_commit(&l->ch.out, slots);
        channel_bell_out(&l->ch);
        done += NX_MIN((size_t)slots * NX_RING_PAYLOAD, rest);
    }
    return done;
}

/* Hand on what was typed; false: there is more than anybody types. */
static bool input(struct line *l)
{
    struct nx_slot slot;
    int e;
    unsigned n = 0;
    while ((e = nx_ring_pop(&l->ch.in, &slot)) == 0 || mend(l, e)) {
        if (e != 0) {
            continue;
        }
        channel_well(&l->ch);
        channel_bell_in(&l->ch);
        if (++n == FLOOD) {
            serve_again();
            return false;
        }
        const uint32_t bytes = nexus_console_input_told(&slot);
        if (bytes != 0 && *l->input_hook) {
            (*l->input_hook)(slot.payload, bytes);
        }
    }
    return true;
}

static void output(struct line *l)
{
    if (!l->room_wanted) {
        return;
    }
    l->room_wanted = false;
    nx_ring_sleep_cancel(&l->ch.out);
    if (out_space(l, 1) != 0 && *l->writable_hook) {
        (*l->writable_hook)();
    }
}

static void work(void *ctx)
{
    struct line *l = ctx;
    int n;
    nx_ring_sleep_cancel(&l->ch.in);
    channel_greet(&l->ch);
    do {
        if (!input(l)) {
            return;
        }
        output(l);
        n = nx_ring_sleep_prepare(&l->ch.in);
    } while (n > 0 || mend(l, n));
}

static int line_open(struct line *l, unsigned slot)
{
    int e = channel_open(&l->ch, slot + 1, slot);
    l->open = e == 0;
    if (l->open) {
        serve_timer_add(&l->timer, look);
        port_add(1ul << slot | 1ul << (slot + 1), l, work);
    }
    return e;
}

size_t mb_console_write(const void *buf, size_t n)
{
    return line_write(&console, buf, n);
}

bool mb_hvc_present(void)
{
    return hvc.open;
}

size_t mb_hvc_write(const void *buf, size_t n)
{
    return hvc.open ? line_write(&hvc, buf, n) : n;
}

void mb_console_init(void)
{
    int e = line_open(&console, MB_SLOT_CONSOLE_TX);
    if (e < 0) {
        mb_log("no console: %d", e);
    }
    if (nx_meta_size(MB_SLOT_HVC) > 0) {
        line_open(&hvc, MB_SLOT_HVC);
    }
}
