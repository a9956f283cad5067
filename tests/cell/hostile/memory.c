/* The quota: what is taken when there is no more, and that all of it comes back.  See hostile.h. */
#include "hostile.h"

#include <nx_base.h>

/* How many calls succeed until one says there is no memory. */
#define TAKE(count, most, call)                               \
    do {                                                      \
        long taken_ = 0, e_ = 0;                              \
        for (uint64_t n = 0; n < (most); n++) {               \
            e_ = (call);                                      \
            if (e_ < 0) {                                     \
                break;                                        \
            }                                                 \
            taken_++;                                         \
        }                                                     \
        expect_at(e_, -NX_ENOMEM, #call, __FILE__, __LINE__); \
        (count) = taken_;                                     \
    } while (0)

static void take_memory(void)
{
    long before = pages_used(), count = 0;
    for (unsigned round = 0; round < 3; round++) {
        TAKE(count, NX_SLOTS - SLOT_FREE, nx_make_mem(SLOT_FREE + n, 8, 0));
        CHECK(count >= 10 && count * 8 <= QUOTA_PAGES);
        CHECK(pages_used() <= QUOTA_PAGES);
        EXPECT(nx_make_mem(NX_SLOTS - 1, 9, 0), -NX_ENOMEM);
        drop_all();
        EXPECT(pages_used(), before);
    }
    EXPECT(nx_make_mem(SLOT_FREE, 0, 0), -NX_EINVAL);
    EXPECT(nx_make_mem(SLOT_FREE, 1, 2), -NX_EINVAL);
    EXPECT(nx_make_mem(SLOT_FREE, 1, ~0ul), -NX_EINVAL);
    static const uint64_t sizes[] = {QUOTA_PAGES, 4096,      4097,      1ul << 20,
                                     1ul << 51,   1ul << 52, 1ul << 63, ~0ul};
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        expect_values(nx_make_mem(SLOT_FREE, sizes[i], 0), -NX_ENOMEM, "pages", sizes[i], 0);
        expect_values(nx_make_mem(SLOT_FREE, sizes[i], NX_MEM_CONTIG), -NX_ENOMEM, "contig",
                      sizes[i], 0);
    }
    EXPECT(nx_make_mem(SLOT_FREE, 4, NX_MEM_CONTIG), 0);
    drop_all();
    EXPECT(pages_used(), before);
}

static void take_rings(void)
{
    long before = pages_used(), count = 0;
    TAKE(count, NX_SLOTS - SLOT_FREE, nx_make_ring(SLOT_FREE + n, 256, 4));
    CHECK(count > 10);
    drop_all();
    EXPECT(pages_used(), before);
    static const struct {
        uint64_t slots, pages;
    } wrong[] = {{0, 0},    {1, 0},         {3, 0},         {257, 0},
                 {512, 0},  {~0ul, 0},      {1ul << 32, 0}, {1ul << 63, 0},
                 {4, 1025}, {4, 1ul << 20}, {4, 1ul << 52}, {4, ~0ul}};
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        expect_values(nx_make_ring(SLOT_FREE, wrong[i].slots, wrong[i].pages), -NX_EINVAL, "ring",
                      wrong[i].slots, wrong[i].pages);
    }
    EXPECT(nx_make_ring(SLOT_FREE, 4, 1024), -NX_ENOMEM);
    EXPECT(pages_used(), before);
}

static void take_slots(void)
{
    for (uint64_t slot = SLOT_FREE; slot < NX_SLOTS; slot++) {
        EXPECT(nx_make_event(slot), 0);
        EXPECT(nx_make_event(slot), -NX_EBUSY);
    }
    EXPECT(nx_grant_copy(NX_SELF, SLOT_FREE, SLOT_FREE, 0), -NX_EBUSY);
    EXPECT(nx_grant_move(NX_SELF, SLOT_FREE, SLOT_FREE, 0), -NX_EBUSY);
    drop_all();
}

/* Demand-zero pages of the window.  Its page tables stay: the second round must cost nothing more. */
static void take_window(void)
{
    const uint64_t room = 512 * PAGE;
    long first = 0;
    for (unsigned round = 0; round < 3; round++) {
        long count = 0;
        EXPECT(nx_map_anon(0, ROOM, room, NX_PROT_R | NX_PROT_W), 0);
        TAKE(count, 512, nx_map_fault(0, ROOM + n * PAGE, 1));
        CHECK(count > 100 && count < QUOTA_PAGES);
        CHECK(pages_used() <= QUOTA_PAGES);
        /* Nothing of it harms what is there already. */
        *(volatile uint64_t *)ROOM = 1;
        EXPECT(nx_meta_log(ROOM + room - 16, 16, NX_LOG_INFO), -NX_EFAULT);
        EXPECT(nx_map_unmap(0, ROOM, room), 0);
        if (round == 0) {
            first = pages_used();
        }
        EXPECT(pages_used(), first);
    }
}

/* Many tables, no pages. */
static void take_tables(void)
{
    long before = pages_used(), count = 0;
    uint64_t s = (uint64_t)nx_make_space();
    TAKE(count, 1024, nx_map_anon(s, PAGE + (n << 30), PAGE, NX_PROT_R));
    CHECK(count > 20 && pages_used() <= QUOTA_PAGES);
    EXPECT(nx_revoke_space(s), 0);
    EXPECT(pages_used(), before);
}

static void take_spaces(void)
{
    uint64_t space[QUOTA_SPACES + 1] = {0};
    long before = pages_used(), count = 0;
    for (unsigned round = 0; round < 3; round++) {
        TAKE(count, QUOTA_SPACES + 1, (long)(space[n] = (uint64_t)nx_make_space()));
        EXPECT(count, QUOTA_SPACES);
        for (unsigned i = 0; i < QUOTA_SPACES; i++) {
            EXPECT(nx_revoke_space(space[i]), 0);
        }
        EXPECT(pages_used(), before);
    }
    /* A full one, and its clone for which nothing is left. */
    space[0] = (uint64_t)nx_make_space();
    space[1] = (uint64_t)nx_make_space();
    EXPECT(nx_map_anon(space[0], PAGE, 1ul << 30, NX_PROT_R | NX_PROT_W), 0);
    TAKE(count, 1024, nx_map_fault(space[0], (n + 1) * 8 * PAGE, 1));
    EXPECT(nx_map_clone(space[1], space[0]), -NX_ENOMEM);
    EXPECT(nx_revoke_space(space[0]), 0);
    EXPECT(nx_revoke_space(space[1]), 0);
    EXPECT(pages_used(), before);
}

static void sleeper(uint64_t arg)
{
    nx_recv_wait(0, NX_NEVER);
    nx_exit_fiber(0);
}

static void take_fibers(void)
{
    long fiber[QUOTA_FIBERS] = {0};
    long before = pages_used(), count = 0;
    for (unsigned round = 0; round < 3; round++) {
        TAKE(count, QUOTA_FIBERS,
             fiber[n] = start_fiber((unsigned)(n % (QUOTA_FIBERS - 1)), sleeper, 0));
        EXPECT(count, QUOTA_FIBERS - 1);
        for (unsigned i = 0; i < QUOTA_FIBERS - 1; i++) {
            EXPECT(nx_send_kick((uint64_t)fiber[i]), 0);
        }
        CHECK(wait_for_fibers(1));
        for (unsigned i = 0; i < QUOTA_FIBERS - 1; i++) {
            EXPECT(nx_send_kick((uint64_t)fiber[i]), -NX_EBADF);
        }
    }
    CHECK(pages_used() - before <= QUOTA_FIBERS); /* their stacks, once */
}

/* A cell's own code and tables: what may be taken away and what cannot be given. */
static void own_window(void)
{
    /* Code becomes writable only as a copy of our own. */
    static const uint32_t code[PAGE / 4] __attribute__((aligned(4096))) = {0x00008067};
    const uint32_t before = code[0];
    EXPECT(nx_map_protect(0, (uint64_t)code, PAGE, NX_PROT_R | NX_PROT_W), 0);
    *(volatile uint32_t *)(uintptr_t)code = before + 1;
    CHECK(*(const volatile uint32_t *)code == before + 1);
    EXPECT(nx_map_protect(0, (uint64_t)code, PAGE, NX_PROT_R), 0);
    /* The SysTable may be hidden, and only from ourselves. */
    EXPECT(raw_call(NX_CALL_MAP, NX_MAP_MOVE, 0, NX_SYSTABLE, PAGE, ROOM, 0), 0);
    EXPECT(raw_call(NX_CALL_MAP, NX_MAP_MOVE, 0, ROOM, PAGE, NX_SYSTABLE, 0), 0);
    CHECK(((const volatile struct nx_systable *)NX_SYSTABLE)->magic == NX_SYSTABLE_MAGIC);
    EXPECT(nx_meta_version(), NX_ABI_VERSION);
}

const struct step memory_steps[] = {
    {.name = "take-memory", .run = take_memory},
    {.name = "take-rings", .run = take_rings},
    {.name = "take-slots", .run = take_slots},
    {.name = "take-window", .run = take_window},
    {.name = "take-tables", .run = take_tables},
    {.name = "take-spaces", .run = take_spaces},
    {.name = "take-fibers", .run = take_fibers},
    {.name = "own-window", .run = own_window},
    {.name = NULL},
};
