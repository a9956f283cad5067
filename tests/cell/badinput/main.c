/* Test cell: input no cell should give, and the error it is to get for it: more capabilities than there are slots, and a ring
 * that is revoked while both of its sides are at work.  Says "ok", or what was otherwise. */
#include <nexus/cap.h>
#include <nexus/cell.h>
#include <nexus/channel.h>
#include <nexus/child.h>
#include <nexus/fiber.h>

#define EXPECT(what, wanted)                                                                \
    do {                                                                                    \
        const long got_ = (what);                                                           \
        if (got_ != (wanted)) {                                                             \
            cell_panic("line %d: %s: %ld, not %ld", __LINE__, #what, got_, (long)(wanted)); \
        }                                                                                   \
    } while (0)

/* ---- 65 capabilities ---- */

static void more_than_there_are_slots(void)
{
    uint64_t taken = 0;
    unsigned count = 0;
    int slot;
    EXPECT(cap_take(NX_SLOTS), -NX_ENOMEM);
    EXPECT(cap_take(NX_SLOTS + 1), -NX_ENOMEM);
    while ((slot = cap_take(1)) >= 0) {
        EXPECT(nx_make_event((uint64_t)slot), 0);
        EXPECT(nx_make_event((uint64_t)slot), -NX_EBUSY);
        taken |= 1ul << slot;
        count++;
    }
    EXPECT(slot, -NX_ENOMEM);
    EXPECT(count, NX_SLOTS - 2); /* two are the supervisor's (nexus/beat.h, nexus/complaint.h) */
    for (uint64_t reserved = 0; reserved < NX_SLOTS; reserved++) {
        if ((taken >> reserved & 1) == 0) {
            EXPECT(nx_make_event(reserved), 0);
        }
    }
    EXPECT(nx_make_event(NX_SLOTS), -NX_EBADF); /* the 65th */
    EXPECT(nx_grant_copy(NX_SELF, 0, NX_SLOTS, NX_R_SEND), -NX_EBADF);
    EXPECT(child_load("x", 1), -NX_ENOMEM);
    for (uint64_t all = 0; all < NX_SLOTS; all++) {
        if ((taken >> all & 1) != 0) {
            cap_give((unsigned)all);
        } else {
            EXPECT(nx_grant_drop(all), 0);
        }
    }
    EXPECT(cap_take(1), 0);
    cap_give(0);
}

/* ---- a ring torn down while both use it ---- */

#define RING 10u
#define PRODUCER_END 11u
#define CONSUMER_END 12u
#define BACK 13u

static struct channel to,
    from; /* of the producer's side, and of the consumer's; only one ring of each is used */
static long pushed_end, popped_end;
static uint32_t popped;

static void pushes(void *arg)
{
    const struct nx_slot m = {.type = 1};
    while ((pushed_end = channel_send(&to, &m, NX_NEVER)) == 0) {
    }
}

static void pops(void *arg)
{
    struct nx_slot m;
    while ((popped_end = channel_receive(&from, &m, NX_NEVER)) == 0) {
        __atomic_add_fetch(&popped, 1, __ATOMIC_RELAXED);
    }
}

static void make_ring(void)
{
    EXPECT(nx_make_ring(RING, 2, 0), 0);
    EXPECT(nx_grant_copy(NX_SELF, RING, PRODUCER_END, NX_R_READ | NX_R_WRITE | NX_R_SEND), 0);
    EXPECT(nx_grant_copy(NX_SELF, RING, CONSUMER_END, NX_R_READ | NX_R_WRITE | NX_R_RECV), 0);
    EXPECT(channel_open(&to, BACK, PRODUCER_END), 0);
    EXPECT(channel_open(&from, CONSUMER_END, BACK), 0);
}

static void drop_ring(void)
{
    EXPECT(nx_grant_drop(RING), 0);
    EXPECT(nx_grant_drop(PRODUCER_END), 0);
    EXPECT(nx_grant_drop(CONSUMER_END), 0);
}

/* Both sides hear of it, the one that sleeps for room and the one that sleeps for a message, and nothing else happens to
 * them: what they have mapped stays. */
static void a_ring_torn_down(void)
{
    struct fiber a, b;
    EXPECT(nx_make_ring(BACK, 2, 0), 0);
    for (unsigned round = 0; round < 8; round++) {
        make_ring();
        popped = 0;
        EXPECT(fiber_start(&a, pushes, NULL, 0, NX_TIER_MATTER), 0);
        if (round % 4 != 0) { /* else it sleeps: the ring is full */
            EXPECT(fiber_start(&b, pops, NULL, 0, NX_TIER_MATTER), 0);
            while (__atomic_load_n(&popped, __ATOMIC_RELAXED) < 100) {
                cell_sleep_ms(1);
            }
        } else {
            cell_sleep_ms(10);
        }
        EXPECT(nx_revoke_object(RING), 0);
        EXPECT(nx_send_bell(PRODUCER_END), -NX_EBADF);
        fiber_join(&a);
        EXPECT(pushed_end, -NX_EBADF);
        if (round % 4 != 0) {
            fiber_join(&b);
            EXPECT(popped_end, -NX_EBADF);
        }
        drop_ring();
    }
    make_ring();
    EXPECT(fiber_start(&b, pops, NULL, 0, NX_TIER_MATTER), 0); /* it sleeps: the ring is empty */
    cell_sleep_ms(10);
    EXPECT(nx_revoke_object(RING), 0);
    fiber_join(&b);
    EXPECT(popped_end, -NX_EBADF);
    drop_ring();
}

int cell_main(const struct nx_cellinfo *info)
{
    more_than_there_are_slots();
    a_ring_torn_down();
    cell_log("ok");
    return 0;
}
