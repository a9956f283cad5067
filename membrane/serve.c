/* The main fiber's work after the start: serve all channels.
 *
 * A slot that fires is latched by the nucleus, and every channel has announced that it sleeps before the
 * fiber does; so only the channel whose slot fired is looked at, however many there are.
 *
 * There are timers, too; the fiber sleeps until the first is due.  One that is set to an earlier time than
 * that by another fiber kicks this one; one that is put off costs nothing but a look at its old time.
 */
#include "devices.h"

#include <nx_base.h>

#define PORTS 24u
#define SLOTS 64u
#define ROUNDS 8u /* ring fulls of one client taken in one go */

static struct port ports[PORTS];
static unsigned port_count;

void port_add(uint64_t watch, void *ctx, void (*work)(void *ctx))
{
    if (port_count == PORTS) {
        cell_panic("more channels than the manifest has wants");
    }
    ports[port_count++] = (struct port){.watch = watch, .ctx = ctx, .work = work};
}

#define AGAIN_NS 1000000u

static struct serve_timer *timers;
static uint64_t asleep_until; /* [lock] 0: awake, and going to look at the timers */
static bool again;

void serve_timer_add(struct serve_timer *t,
                     void (*fire)(struct serve_timer *t, uint64_t now, uint64_t late))
{
    t->due = MB_NEVER;
    t->fire = fire;
    t->next = timers;
    timers = t;
}

void serve_timer_set(struct serve_timer *t, uint64_t due)
{
    t->due = due;
    if (due < asleep_until) {
        asleep_until = due;
        mb_wake(&mb_main_fiber);
    }
}

/* [lock] Let those fire that are due; when is the next one? */
static uint64_t work_timers(void)
{
    const uint64_t now = mb_arch_time();
    uint64_t next = MB_NEVER;
    asleep_until = 0;
    for (struct serve_timer *t = timers; t != NULL; t = t->next) {
        if (t->due <= now) {
            const uint64_t late = now - t->due;
            t->due = MB_NEVER;
            t->fire(t, now, late);
        }
    }
    for (const struct serve_timer *t = timers; t != NULL; t = t->next) {
        next = t->due < next ? t->due : next;
    }
    if (again && now + mb_ns_to_ticks(AGAIN_NS) < next) {
        next = now + mb_ns_to_ticks(AGAIN_NS);
    }
    asleep_until = next;
    return next;
}

void serve_again(void)
{
    again = true;
}

int serve_client(struct nexus_client *c)
{
    int e = 0, more = 1;
    client_awake(c);
    for (unsigned round = 0; e == 0 && more > 0; round++) {
        if (round == ROUNDS) {
            serve_again();
            return 0;
        }
        e = client_poll(c);
        more = e == 0 ? client_sleep_prepare(c) : e;
    }
    return NX_MIN(more, 0);
}

/* [lock] */
static uint64_t work_all(void)
{
    uint64_t watch = 0;
    for (unsigned i = 0; i < port_count; i++) {
        ports[i].work(ports[i].ctx);
        watch |= ports[i].watch;
    }
    return watch;
}

/* [lock] */
static void work_slot(unsigned slot)
{
    for (unsigned i = 0; i < port_count; i++) {
        if ((ports[i].watch >> slot & 1) != 0) {
            ports[i].work(ports[i].ctx);
            return;
        }
    }
}

void mb_serve(void)
{
    uint64_t watch = 0;
    long slot = NX_KICKED;
    again = true; /* all are looked at first */
    for (;;) {
        mb_lock();
        if (again) {
            again = false;
            watch = work_all();
        } else if (slot >= 0 && slot < (long)SLOTS) {
            work_slot((unsigned)slot);
        }
        const uint64_t until = work_timers();
        mb_unlock();
        slot = nx_recv_wait(watch, until);
        mb_main_fiber.woken = mb_arch_time();
        if (slot < 0 && slot != -NX_ETIME) { /* no channels: the main fiber must not spin */
            nx_tick_sleep(mb_arch_time() + mb_ns_to_ticks(1000000000));
        }
    }
}
