/* Deadlines at the edges, kicks, floods, and fibers that work against each other.  See hostile.h. */
#include "../victim/victim.h"
#include "hostile.h"

#include <nx_base.h>

#define SLOT_A 20
#define SLOT_B 21

static void deadlines(void)
{
    static const uint64_t past[] = {0, 1, 1000};
    for (unsigned i = 0; i < ARRAY_LEN(past); i++) {
        EXPECT(nx_recv_wait(0, past[i]), -NX_ETIME);
        EXPECT(nx_recv_wait(~0ul, past[i]), -NX_ETIME);
        EXPECT(nx_recv_wait(1ul << 63, past[i]), -NX_ETIME);
        EXPECT(nx_tick_sleep(past[i]), 0);
    }
    EXPECT(nx_recv_wait(0, cell_now()), -NX_ETIME);
    uint64_t end = after_ms(3);
    EXPECT(nx_recv_wait(0, end), -NX_ETIME);
    CHECK(cell_now() >= end);
    end = after_ms(3);
    EXPECT(nx_recv_wait(~0ul, end), -NX_ETIME);
    CHECK(cell_now() >= end);
    end = after_ms(3);
    EXPECT(nx_tick_sleep(end), 0);
    CHECK(cell_now() >= end);
    for (unsigned i = 0; i < 1000; i++) {
        EXPECT(nx_tick_sleep(cell_now() + i % 8), 0); /* over before it begins, or nearly */
    }
}

static volatile uint64_t slept;

static void sleep_until(uint64_t deadline)
{
    slept = (uint64_t)nx_recv_wait(~0ul, deadline);
    nx_exit_fiber(0);
}

/* Deadlines that never come: the sleeper is still there, and can be woken. */
static void far_deadlines(void)
{
    static const uint64_t far[] = {NX_NEVER, NX_NEVER - 1, 1ul << 63, (1ul << 63) - 1, 1ul << 62};
    for (unsigned i = 0; i < ARRAY_LEN(far); i++) {
        slept = 0;
        long fiber = start_fiber(0, sleep_until, far[i]);
        CHECK(fiber > 0);
        nx_tick_sleep(after_ms(3));
        EXPECT(slept, 0);
        EXPECT(nx_send_kick((uint64_t)fiber), 0);
        CHECK(wait_for_fibers(1));
        EXPECT(slept, NX_KICKED);
    }
}

static void kicks(void)
{
    for (unsigned i = 0; i < 100; i++) { /* they coalesce */
        EXPECT(nx_send_kick(0), 0);
    }
    EXPECT(nx_recv_wait(0, NX_NEVER), NX_KICKED);
    EXPECT(nx_recv_wait(0, 0), -NX_ETIME);
}

/* ---- floods ---- */

/* Bells for nothing: the victim is there afterwards (rings.c asks it), and so is the shell. */
static void flood_bells(void)
{
    for (unsigned i = 0; i < 100000; i++) {
        if (nx_send_bell(i % 2 == 0 ? SLOT_OUT : SLOT_IN) != 0) {
            EXPECT(nx_send_bell(SLOT_OUT), 0);
        }
    }
}

static void flood_denials(void)
{
    for (unsigned i = 0; i < 20000; i++) {
        EXPECT(nx_send_bell(SLOT_A), -NX_EBADF);
        EXPECT(nx_meta_stat(0), -NX_EPERM);
    }
}

static void spin(uint64_t ms)
{
    uint64_t end = after_ms(ms);
    while (cell_now() < end) {
    }
    nx_exit_fiber(0);
}

/* All fibers there may be, all busy. */
static void flood_fibers(void)
{
    for (unsigned i = 0; i < QUOTA_FIBERS - 1; i++) {
        CHECK(start_fiber(i, spin, 300) > 0);
    }
    CHECK(wait_for_fibers(1));
}

/* ---- races: on several harts they are real ---- */

#define RACE_MS 200

static uint64_t race_end;

static void make_and_drop(uint64_t slot)
{
    while (cell_now() < race_end) {
        nx_make_event(slot);
        nx_send_bell(slot);
        nx_grant_copy(NX_SELF, slot, slot ^ 1, NX_R_ALL);
        nx_revoke_object(slot);
        nx_grant_drop(slot);
        nx_grant_drop(slot ^ 1);
        nx_make_mem(slot, 2, 0);
        nx_grant_drop(slot);
    }
    nx_exit_fiber(0);
}

static void map_and_unmap(uint64_t at)
{
    while (cell_now() < race_end) {
        nx_map_anon(0, at, 4 * PAGE, NX_PROT_R | NX_PROT_W);
        nx_map_fault(0, at + PAGE, 1);
        nx_map_protect(0, at, 4 * PAGE, NX_PROT_R);
        nx_map_share(0, at + 8 * PAGE, 4 * PAGE, NX_PROT_R | NX_PROT_W | NX_MAP_PRIVATE, at);
        nx_map_fault(0, at + 9 * PAGE, 1);
        nx_map_unmap(0, at, 16 * PAGE);
    }
    nx_exit_fiber(0);
}

static void make_and_end_spaces(uint64_t arg)
{
    while (cell_now() < race_end) {
        long s = nx_make_space();
        if (s > 0) {
            nx_map_anon((uint64_t)s, 0x10000, 64 * PAGE, NX_PROT_R | NX_PROT_W);
            nx_map_fault((uint64_t)s, 0x12000, 1);
            nx_revoke_space((uint64_t)s);
        }
    }
    nx_exit_fiber(0);
}

static void races(void)
{
    long before = 0;
    for (unsigned round = 0; round < 2; round++) {
        race_end = after_ms(RACE_MS);
        /* Two of each, on the same things. */
        CHECK(start_fiber(0, make_and_drop, SLOT_A) > 0);
        CHECK(start_fiber(1, make_and_drop, SLOT_A) > 0);
        CHECK(start_fiber(2, map_and_unmap, ROOM) > 0);
        CHECK(start_fiber(3, map_and_unmap, ROOM) > 0);
        CHECK(start_fiber(4, make_and_end_spaces, 0) > 0);
        CHECK(start_fiber(5, make_and_end_spaces, 0) > 0);
        CHECK(wait_for_fibers(1));
        drop_all();
        EXPECT(nx_map_unmap(0, ROOM, 16 * PAGE), 0);
        if (round == 0) {
            before = pages_used();
        }
        EXPECT(pages_used(), before);
    }
}

const struct step time_steps[] = {
    {.name = "deadlines", .run = deadlines},
    {.name = "far-deadlines", .run = far_deadlines},
    {.name = "kicks", .run = kicks},
    {.name = "flood-bells", .run = flood_bells},
    {.name = "flood-denials", .run = flood_denials},
    {.name = "flood-fibers", .run = flood_fibers},
    {.name = "races", .run = races},
    {.name = NULL},
};
