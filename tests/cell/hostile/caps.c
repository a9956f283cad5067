/* Slots, handles, rights and pledges that are not ours.  See hostile.h. */
#include "hostile.h"

#include <nx_base.h>

#define SLOT_A 20
#define SLOT_B 21
#define SLOT_C 22

/* ---- guessing ---- */

static const uint64_t no_slots[] = {64,        65,   127,   128,       254,       255,
                                    256,       4096, 65536, 1ul << 31, 1ul << 32, (1ul << 32) + 1,
                                    1ul << 63, ~0ul};

/* Everything that can be done with a slot that holds nothing. */
static void use_nothing(uint64_t slot)
{
    static const char *const what = "slot";
    const long bad = -NX_EBADF;
    expect_values(nx_send_bell(slot), bad, what, slot, 0);
    expect_values(nx_meta_size(slot), bad, what, slot, 1);
    expect_values(nx_meta_phys(slot, 0), bad, what, slot, 2);
    expect_values(nx_mask_rights(slot, NX_R_ALL), bad, what, slot, 3);
    expect_values(nx_mask_ack(slot), bad, what, slot, 4);
    expect_values(nx_mask_irqoff(slot), bad, what, slot, 5);
    expect_values(nx_revoke_object(slot), bad, what, slot, 6);
    expect_values(nx_grant_drop(slot), bad, what, slot, 7);
    expect_values(nx_grant_copy(NX_SELF, slot, SLOT_A, NX_R_ALL), bad, what, slot, 8);
    expect_values(nx_grant_move(NX_SELF, slot, SLOT_A, 0), bad, what, slot, 9);
    expect_values(nx_make_devmem(SLOT_A, slot, 0x10000000, PAGE), bad, what, slot, 10);
    expect_values(nx_make_irq(SLOT_A, slot, 10), bad, what, slot, 11);
    if (slot != NX_SELF) {
        expect_values(nx_meta_cell(slot, NX_CELL_STATE), bad, what, slot, 12);
        expect_values(nx_grant_copy(slot, SLOT_OUT, 3, NX_R_SEND), bad, what, slot, 13);
    }
    if (slot < 256) {
        expect_values(nx_map_mem(0, ROOM, PAGE, slot | NX_PROT_R << 8, 0), bad, what, slot, 14);
    }
    /* Of the pledge for these there is nothing, whatever is in the slot. */
    expect_values(nx_exit_kill(slot, 0), -NX_EPERM, what, slot, 15);
    expect_values(nx_spawn_start(slot, 0), -NX_EPERM, what, slot, 16);
    expect_values(nx_spawn_cell(slot, 0, PAGE, SLOT_A, 1), -NX_EPERM, what, slot, 17);
}

static void guess_slots(void)
{
    for (uint64_t slot = 0; slot < NX_SLOTS; slot++) {
        if (slot != SLOT_OUT && slot != SLOT_IN) {
            use_nothing(slot);
        }
    }
    for (unsigned i = 0; i < ARRAY_LEN(no_slots); i++) {
        use_nothing(no_slots[i]);
        expect_values(nx_make_event(no_slots[i]), -NX_EBADF, "event at", no_slots[i], 0);
        expect_values(nx_make_mem(no_slots[i], 1, 0), -NX_EBADF, "memory at", no_slots[i], 0);
        expect_values(nx_make_ring(no_slots[i], 16, 0), -NX_EBADF, "ring at", no_slots[i], 0);
    }
    EXPECT(nx_make_event(SLOT_OUT), -NX_EBUSY);
    EXPECT(nx_make_mem(SLOT_IN, 1, 0), -NX_EBUSY);
    EXPECT(nx_grant_copy(NX_SELF, SLOT_OUT, SLOT_IN, 0), -NX_EBUSY);
}

/* Our rings are rings, and nothing more than the manifest wants. */
static void wrong_types(void)
{
    for (uint64_t slot = SLOT_OUT; slot <= SLOT_IN; slot++) {
        expect_values(nx_mask_ack(slot), -NX_EBADF, "ack", slot, 0);
        expect_values(nx_meta_phys(slot, 0), -NX_EBADF, "phys", slot, 0);
        expect_values(nx_meta_cell(slot, NX_CELL_STATE), -NX_EBADF, "cell", slot, 0);
        expect_values(nx_grant_copy(slot, slot, SLOT_A, 0), -NX_EBADF, "cell to grant to", slot, 0);
        expect_values(nx_make_devmem(SLOT_A, slot, 0x10000000, PAGE), -NX_EBADF, "machine", slot,
                      0);
        expect_values(nx_revoke_object(slot), -NX_EPERM, "revoke", slot, 0);
        expect_values(nx_map_mem(0, ROOM, PAGE, slot | (NX_PROT_R | NX_PROT_X) << 8, 0), -NX_EPERM,
                      "execute", slot, 0);
        expect_values(nx_grant_copy(NX_SELF, slot, SLOT_A, NX_R_REVOKE), -NX_EPERM, "more rights",
                      slot, NX_R_REVOKE);
        expect_values(nx_grant_copy(NX_SELF, slot, SLOT_A, ~0ul), -NX_EPERM, "more rights", slot,
                      ~0ul);
        expect_values(nx_grant_copy(NX_SELF, slot, SLOT_A, 1ul << 32), -NX_EPERM, "more rights",
                      slot, 1ul << 32);
    }
}

static void guess_fibers(void)
{
    unsigned hits = 0;
    for (uint64_t generation = 0; generation < 40; generation++) {
        for (uint64_t index = 0; index < 1024; index++) {
            uint64_t handle = generation << 16 | index;
            if (handle != 0 && nx_send_kick(handle) != -NX_EBADF) {
                hits++;
                nx_recv_wait(0, 0); /* it was this fiber */
                CHECK(nx_meta_fiber(handle, NX_FIBER_TIER) >= 0);
            }
        }
    }
    CHECK(hits <= 1); /* its own */
    for (unsigned i = 0; i < wild_count; i++) {
        uint64_t handle = wild[i] | 0x8000;
        expect_values(nx_send_kick(handle), -NX_EBADF, "fiber", handle, 0);
        expect_values(nx_tick_tier(handle, NX_TIER_VOID), -NX_EBADF, "fiber", handle, 1);
        expect_values(nx_tick_period(handle, 100, 10, 0), -NX_EBADF, "fiber", handle, 2);
        expect_values(nx_meta_fiber(handle, NX_FIBER_RUNTIME), -NX_EBADF, "fiber", handle, 3);
    }
}

static void guess_spaces(void)
{
    for (uint64_t generation = 0; generation < 40; generation++) {
        for (uint64_t index = 1; index < 256; index++) {
            uint64_t handle = generation << 16 | index;
            expect_values(nx_meta_space(handle, NX_SPACE_RESIDENT), -NX_EBADF, "space", handle, 0);
        }
    }
    static uint64_t state[256] __attribute__((aligned(1024)));
    for (uint64_t handle = 1; handle < 300; handle++) {
        expect_values(nx_map_anon(handle, 0x10000, PAGE, NX_PROT_R), -NX_EBADF, "space", handle, 1);
        expect_values(nx_map_unmap(handle, 0x10000, PAGE), -NX_EBADF, "space", handle, 2);
        expect_values(nx_map_fault(handle, 0x10000, 1), -NX_EBADF, "space", handle, 3);
        expect_values(nx_map_clone(handle, handle + 1), -NX_EBADF, "space", handle, 4);
        expect_values(nx_revoke_space(handle), -NX_EBADF, "space", handle, 5);
        expect_values(nx_enter_bind(handle, (uint64_t)state), -NX_EBADF, "space", handle, 6);
    }
    EXPECT(nx_revoke_space(0), -NX_EBADF);
    EXPECT(nx_map_clone(0, 0), -NX_EBADF);
    long mine = nx_make_space();
    CHECK(mine > 0);
    EXPECT(nx_map_clone((uint64_t)mine, 0), -NX_EBADF);
    EXPECT(nx_map_clone(0, (uint64_t)mine), -NX_EBADF);
    EXPECT(nx_map_clone((uint64_t)mine, (uint64_t)mine), -NX_EINVAL);
    EXPECT(nx_revoke_space((uint64_t)mine + (1ul << 16)), -NX_EBADF);
    EXPECT(nx_revoke_space((uint64_t)mine + (1ul << 48)), -NX_EBADF);
    EXPECT(nx_revoke_space((uint64_t)mine), 0);
    EXPECT(nx_revoke_space((uint64_t)mine), -NX_EBADF); /* a handle does not come back to life */
    long next = nx_make_space();
    CHECK(next > 0 && next != mine);
    EXPECT(nx_meta_space((uint64_t)mine, NX_SPACE_RESIDENT), -NX_EBADF);
    EXPECT(nx_revoke_space((uint64_t)next), 0);
}

/* ---- revoked ---- */

static void revoked(void)
{
    EXPECT(nx_make_event(SLOT_A), 0);
    EXPECT(nx_grant_copy(NX_SELF, SLOT_A, SLOT_B, NX_R_SEND), 0);
    EXPECT(nx_send_bell(SLOT_B), 0);
    EXPECT(nx_revoke_object(SLOT_B), -NX_EPERM);
    EXPECT(nx_revoke_object(SLOT_A), 0);
    for (uint64_t slot = SLOT_A; slot <= SLOT_B; slot++) {
        EXPECT(nx_send_bell(slot), -NX_EBADF);
        EXPECT(nx_grant_copy(NX_SELF, slot, SLOT_C, 0), -NX_EBADF);
        EXPECT(nx_mask_rights(slot, 0), -NX_EBADF);
        EXPECT(nx_revoke_object(slot), -NX_EBADF);
        EXPECT(nx_make_event(slot), -NX_EBUSY); /* dead, but there */
    }
    EXPECT(nx_recv_wait(1ul << SLOT_B, after_ms(1)), -NX_ETIME);
    EXPECT(nx_grant_drop(SLOT_A), 0);
    EXPECT(nx_grant_drop(SLOT_B), 0);
    EXPECT(nx_grant_drop(SLOT_A), -NX_EBADF);

    EXPECT(nx_make_mem(SLOT_A, 1, 0), 0);
    EXPECT(nx_revoke_object(SLOT_A), 0);
    EXPECT(nx_map_mem(0, ROOM, PAGE, SLOT_A | NX_PROT_R << 8, 0), -NX_EBADF);
    EXPECT(nx_meta_size(SLOT_A), -NX_EBADF);
    EXPECT(nx_meta_phys(SLOT_A, 0), -NX_EBADF);
    EXPECT(nx_grant_drop(SLOT_A), 0);

    EXPECT(nx_make_ring(SLOT_A, 4, 0), 0);
    EXPECT(nx_grant_copy(NX_SELF, SLOT_A, SLOT_B, NX_R_READ | NX_R_WRITE | NX_R_SEND), 0);
    EXPECT(nx_revoke_object(SLOT_A), 0);
    EXPECT(nx_send_bell(SLOT_A), -NX_EBADF);
    EXPECT(nx_send_bell(SLOT_B), -NX_EBADF);
    EXPECT(nx_map_mem(0, ROOM, PAGE, SLOT_B | NX_PROT_R << 8, 0), -NX_EBADF);
    EXPECT(nx_grant_drop(SLOT_A), 0);
    EXPECT(nx_grant_drop(SLOT_B), 0);
}

/* ---- rights ---- */

/* Rights that were given up do not come back, neither in the slot nor in a mapping. */
static void rights(void)
{
    const uint64_t rw = NX_PROT_R | NX_PROT_W;
    EXPECT(nx_make_mem(SLOT_A, 1, 0), 0);
    EXPECT(nx_grant_copy(NX_SELF, SLOT_A, SLOT_B, NX_R_READ), 0);
    EXPECT(nx_mask_rights(SLOT_B, NX_R_ALL), 0);
    EXPECT(nx_grant_copy(NX_SELF, SLOT_B, SLOT_C, NX_R_READ | NX_R_WRITE), -NX_EPERM);
    EXPECT(nx_map_mem(0, ROOM, PAGE, SLOT_B | rw << 8, 0), -NX_EPERM);
    EXPECT(nx_meta_phys(SLOT_B, 0), -NX_EPERM);
    EXPECT(nx_map_mem(0, ROOM, PAGE, SLOT_B | NX_PROT_R << 8, 0), 0);
    EXPECT(nx_map_protect(0, ROOM, PAGE, rw), -NX_EPERM);
    EXPECT(nx_map_move(0, ROOM, PAGE, ROOM + PAGE), 0);
    EXPECT(nx_map_protect(0, ROOM + PAGE, PAGE, rw), -NX_EPERM);
    EXPECT(nx_map_protect(0, ROOM + PAGE, PAGE, 0), 0);
    EXPECT(nx_map_protect(0, ROOM + PAGE, PAGE, NX_PROT_W), -NX_EPERM);
    EXPECT(nx_map_protect(0, ROOM + PAGE, PAGE, NX_PROT_R), 0);
    EXPECT(nx_map_fault(0, ROOM + PAGE, 1), -NX_ENOENT);

    /* By way of a foreign space and its clone. */
    uint64_t s = (uint64_t)nx_make_space(), t = (uint64_t)nx_make_space();
    EXPECT(nx_map_share(s, 0x10000, PAGE, rw, ROOM + PAGE),
           0); /* nothing there that may be written */
    EXPECT(nx_map_share(s, 0x10000, PAGE, NX_PROT_R, ROOM + PAGE), 1);
    EXPECT(nx_map_protect(s, 0x10000, PAGE, rw), -NX_EPERM);
    EXPECT(nx_map_clone(t, s), 0);
    EXPECT(nx_map_protect(t, 0x10000, PAGE, rw), -NX_EPERM);
    EXPECT(nx_map_mem(s, 0x20000, PAGE, SLOT_B | NX_PROT_R << 8, 0), 0);
    EXPECT(nx_map_protect(s, 0x20000, PAGE, rw), -NX_EPERM);
    EXPECT(nx_revoke_space(s), 0);
    EXPECT(nx_revoke_space(t), 0);

    /* A private copy may be written, and leaves the original as it is. */
    EXPECT(nx_map_share(0, ROOM + 2 * PAGE, PAGE, rw | NX_MAP_PRIVATE, ROOM + PAGE), 1);
    *(volatile uint64_t *)(ROOM + 2 * PAGE) = 4711;
    CHECK(*(volatile uint64_t *)(ROOM + PAGE) == 0);

    /* What every cell has in its window is nobody's to change. */
    EXPECT(nx_map_protect(0, NX_SYSTABLE, PAGE, rw), -NX_EPERM);
    EXPECT(nx_map_protect(0, NX_SYSTABLE, PAGE, rw | NX_PROT_X), -NX_EPERM);
    EXPECT(nx_map_protect(0, NX_CELLINFO, PAGE, rw), -NX_EPERM);
    EXPECT(nx_map_share(0, ROOM + 3 * PAGE, PAGE, rw, NX_SYSTABLE), 0);
    EXPECT(nx_map_share(0, ROOM + 3 * PAGE, PAGE, NX_PROT_R, NX_CELLINFO), 1);
    EXPECT(nx_map_protect(0, ROOM + 3 * PAGE, PAGE, rw), -NX_EPERM);
    EXPECT(nx_map_unmap(0, ROOM, 4 * PAGE), 0);

    /* Right to send, right to hear. */
    EXPECT(nx_make_event(SLOT_C), 0);
    EXPECT(nx_mask_rights(SLOT_C, NX_R_RECV), 0);
    EXPECT(nx_send_bell(SLOT_C), -NX_EPERM);
    EXPECT(nx_mask_rights(SLOT_C, ~0ul), 0);
    EXPECT(nx_send_bell(SLOT_C), -NX_EPERM);
    EXPECT(nx_revoke_object(SLOT_C), -NX_EPERM);
    drop_all();
}

/* A fiber that keeps only some capabilities has only these, for good. */
static long without[4];

static void masked_fiber(uint64_t arg)
{
    nx_mask_caps(1ul << SLOT_B);
    without[0] = nx_send_bell(SLOT_A);
    nx_mask_caps(~0ul);
    without[1] = nx_send_bell(SLOT_A);
    without[2] = nx_grant_copy(NX_SELF, SLOT_A, SLOT_C, NX_R_SEND);
    without[3] = nx_send_bell(SLOT_B);
    nx_exit_fiber(0);
}

static void masked_capabilities(void)
{
    EXPECT(nx_make_event(SLOT_A), 0);
    EXPECT(nx_make_event(SLOT_B), 0);
    CHECK(start_fiber(0, masked_fiber, 0) > 0);
    CHECK(wait_for_fibers(1));
    EXPECT(without[0], -NX_EBADF);
    EXPECT(without[1], -NX_EBADF);
    EXPECT(without[2], -NX_EBADF);
    EXPECT(without[3], 0);
    EXPECT(nx_send_bell(SLOT_A), 0);
    drop_all();
}

/* ---- pledges ---- */

static void try_class(uint32_t class)
{
    switch (class) {
    case NX_PLEDGE_MAKE:
        EXPECT(nx_make_mem(SLOT_A, 1, 0), -NX_EPERM);
        EXPECT(nx_make_event(SLOT_A), -NX_EPERM);
        EXPECT(nx_make_ring(SLOT_A, 4, 0), -NX_EPERM);
        EXPECT(nx_make_devmem(SLOT_A, 2, 0x10000000, PAGE), -NX_EPERM);
        EXPECT(nx_make_irq(SLOT_A, 2, 10), -NX_EPERM);
        break;
    case NX_PLEDGE_MAP:
        EXPECT(nx_map_anon(0, ROOM, PAGE, NX_PROT_R), -NX_EPERM);
        EXPECT(nx_map_mem(0, ROOM, PAGE, SLOT_OUT | NX_PROT_R << 8, 0), -NX_EPERM);
        EXPECT(nx_map_unmap(0, ROOM, PAGE), -NX_EPERM);
        EXPECT(nx_map_fault(0, ROOM, 0), -NX_EPERM);
        break;
    case NX_PLEDGE_GRANT:
        EXPECT(nx_grant_copy(NX_SELF, SLOT_OUT, SLOT_A, 0), -NX_EPERM);
        EXPECT(nx_grant_move(NX_SELF, SLOT_OUT, SLOT_A, 0), -NX_EPERM);
        EXPECT(nx_revoke_object(SLOT_OUT), -NX_EPERM);
        break;
    case NX_PLEDGE_IPC:
        EXPECT(nx_send_bell(SLOT_OUT), -NX_EPERM);
        EXPECT(nx_send_kick(0), -NX_EPERM);
        EXPECT(nx_recv_wait(0, 0), -NX_EPERM);
        break;
    case NX_PLEDGE_TIME:
        EXPECT(nx_tick_sleep(0), -NX_EPERM);
        EXPECT(nx_tick_yield(), -NX_EPERM);
        EXPECT(nx_tick_tier(0, NX_TIER_VOID), -NX_EPERM);
        CHECK(nx_tick_now() > 0); /* the clock is everybody's */
        break;
    case NX_PLEDGE_FOREIGN:
        EXPECT(nx_make_space(), -NX_EPERM);
        EXPECT(nx_enter_run(), -NX_EPERM);
        EXPECT(nx_enter_bind(0, 0), -NX_EPERM);
        EXPECT(nx_enter_fpsave(), -NX_EPERM);
        EXPECT(nx_revoke_space(1), -NX_EPERM);
        break;
    default:
        break;
    }
}

/* Gives up one class after the other; the last one is the voice, so the exit code tells. */
static void narrow_pledge(void)
{
    static const uint32_t classes[] = {NX_PLEDGE_MAKE, NX_PLEDGE_GRANT,   NX_PLEDGE_IPC,
                                       NX_PLEDGE_TIME, NX_PLEDGE_FOREIGN, NX_PLEDGE_MAP};
    uint32_t kept = NX_PLEDGE_ALL;
    for (unsigned i = 0; i < ARRAY_LEN(classes); i++) {
        kept &= ~classes[i];
        EXPECT(nx_mask_pledge(kept), 0);
        try_class(classes[i]);
        EXPECT(nx_mask_pledge(NX_PLEDGE_ALL), 0); /* gives nothing back */
        EXPECT(nx_mask_pledge(~0ul), 0);
        try_class(classes[i]);
    }
    EXPECT(nx_spawn_cell(SLOT_OUT, 0, PAGE, SLOT_A, 1), -NX_EPERM);
    EXPECT(nx_meta_stat(NX_STAT_PAGES_FREE), -NX_EPERM);
    CHECK(nx_meta_version() == NX_ABI_VERSION);
    nx_mask_pledge(0);
    bool mute = nx_meta_log((uint64_t) "not ok", 6, NX_LOG_INFO) == -NX_EPERM &&
                nx_meta_version() == -NX_EPERM && nx_meta_machine(0) == -NX_EPERM &&
                nx_meta_size(SLOT_OUT) == -NX_EPERM;
    cell_exit(mute ? 0x600d : 0xbad);
}

/* In foreign mode the pledge is not asked for every time: it cannot be given up meanwhile. */
static void pledge_while_bound(void)
{
    static uint64_t state[128] __attribute__((aligned(1024)));
    long s = nx_make_space();
    CHECK(s > 0);
    EXPECT(nx_enter_bind((uint64_t)s, (uint64_t)state), 0);
    EXPECT(nx_mask_pledge(NX_PLEDGE_ALL & ~NX_PLEDGE_FOREIGN), -NX_EBUSY);
    EXPECT(nx_revoke_space((uint64_t)s), -NX_EBUSY);
    EXPECT(nx_enter_bind(0, 0), 0);
    EXPECT(nx_revoke_space((uint64_t)s), 0);
}

const struct step cap_steps[] = {
    {.name = "guess-slots", .run = guess_slots},
    {.name = "wrong-types", .run = wrong_types},
    {.name = "guess-fibers", .run = guess_fibers},
    {.name = "guess-spaces", .run = guess_spaces},
    {.name = "revoked", .run = revoked},
    {.name = "rights", .run = rights},
    {.name = "masked-capabilities", .run = masked_capabilities},
    {.name = "pledge-while-bound", .run = pledge_while_bound},
    {.name = "narrow-pledge", .run = narrow_pledge, .why = NX_WHY_EXIT, .code = 0x600d},
    {.name = NULL},
};
