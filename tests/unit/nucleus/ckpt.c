/* Warm-restart states: what one life saves the next one loads; damage is noticed. */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "audit.h"

#include "ckpt.h"

#define HEAP (NX_FREE + 16 * PAGE)

static struct cell *cell;

/* Let the one cell of this name live as `generation` on hart 0. */
static void live(const char *name, uint32_t generation)
{
    int e = 0;
    host.current = 0;
    struct nx_manifest m = test_manifest(name);
    lock();
    cell = cell_make(&m, generation, &e);
    assert_non_null(cell);
    cell->entry = NX_IMAGE;
    assert_int_equal(space_anon(&cell->window, NX_FREE, 64 * PAGE, RW), 0);
    assert_int_equal(cell_start(cell, 0), 0);
    unlock();
    assert_ptr_equal(run(0)->cell, cell);
}

static void die(void)
{
    test_end(cell);
    cell = NULL;
}

static void fill(uint64_t va, uint64_t len, unsigned salt)
{
    for (uint64_t i = 0; i < len; i++) {
        *(uint8_t *)host_access(va + i, NX_PROT_W) = (uint8_t)(i * 13 + i / 256 + salt);
    }
}

static void check(uint64_t va, uint64_t len, unsigned salt)
{
    for (uint64_t i = 0; i < len; i++) {
        assert_int_equal(*(uint8_t *)host_access(va + i, NX_PROT_R),
                         (uint8_t)(i * 13 + i / 256 + salt));
    }
}

static void the_next_life_loads_what_this_one_saved(void **state)
{
    static const uint64_t sizes[] = {1, 100, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE + 7, CKPT_MAX};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        live("a", 1);
        assert_int_equal(nx_checkpoint_load(HEAP, CKPT_MAX), -NX_ENOENT);
        fill(HEAP + 5, sizes[i], i);
        assert_int_equal(nx_checkpoint_save(HEAP + 5, sizes[i]), 0);
        fill(HEAP + 5, sizes[i], 99);
        die();
        live("a", 2);
        assert_int_equal(nx_checkpoint_load(HEAP + 77, CKPT_MAX), sizes[i]);
        check(HEAP + 77, sizes[i], i);
        if (sizes[i] > 1) {
            assert_int_equal(nx_checkpoint_load(HEAP, sizes[i] - 1), sizes[i] - 1); /* a part */
        }
        assert_int_equal(nx_checkpoint_load(HEAP, 0), 0);
        assert_int_equal(nx_checkpoint_drop(), 0);
        assert_int_equal(nx_checkpoint_load(HEAP, CKPT_MAX), -NX_ENOENT);
        assert_int_equal(nx_checkpoint_drop(), 0);
        die();
    }
}

static void others_do_not_see_it(void **state)
{
    live("a", 1);
    fill(HEAP, 50, 1);
    assert_int_equal(nx_checkpoint_save(HEAP, 50), 0);
    die();
    live("aa", 1);
    assert_int_equal(nx_checkpoint_load(HEAP, 50), -NX_ENOENT);
    assert_int_equal(nx_checkpoint_drop(), 0);
    die();
    live("a", 2);
    assert_int_equal(nx_checkpoint_load(HEAP, 50), 50);
    assert_int_equal(nx_checkpoint_drop(), 0);
    die();
}

static void it_is_stale_after_four_lives(void **state)
{
    live("a", 1);
    assert_int_equal(nx_checkpoint_save(HEAP, 10), 0);
    die();
    for (uint32_t g = 2; g <= 5; g++) {
        live("a", g);
        assert_int_equal(nx_checkpoint_load(HEAP, 10), 10);
        die();
    }
    live("a", 6);
    assert_int_equal(nx_checkpoint_load(HEAP, 10), -NX_ENOENT);
    die();
}

static void wild_arguments_keep_the_old_state(void **state)
{
    live("a", 1);
    fill(HEAP, 500, 3);
    assert_int_equal(nx_checkpoint_save(HEAP, 500), 0);
    assert_int_equal(nx_checkpoint_save(HEAP, 0), -NX_EINVAL);
    assert_int_equal(nx_checkpoint_save(HEAP, CKPT_MAX + 1), -NX_EINVAL);
    assert_int_equal(nx_checkpoint_save(HEAP, ~0ul), -NX_EINVAL);
    assert_int_equal(nx_checkpoint_load(HEAP, 500), 500);
    assert_int_equal(nx_checkpoint_save(0, 10), -NX_EFAULT);
    assert_int_equal(nx_checkpoint_save(NX_WINDOW + GIB - 5, 10), -NX_EFAULT);
    assert_int_equal(nx_checkpoint_save(NX_FREE + 63 * PAGE, 2 * PAGE), -NX_EFAULT);
    assert_int_equal(nx_checkpoint_save(~0ul - 3, 10), -NX_EFAULT);
    uint64_t limit = nucleus_quota->limit;
    nucleus_quota->limit = nucleus_quota->used + PAGE;
    assert_int_equal(nx_checkpoint_save(HEAP, 10), -NX_ENOMEM);
    nucleus_quota->limit = limit;
    assert_int_equal(nx_checkpoint_load(0, 500), -NX_EFAULT);
    assert_int_equal(nx_checkpoint_load(NX_SYSTABLE, 500), -NX_EFAULT);
    assert_int_equal(nx_checkpoint_load(HEAP + PAGE, 1000), 500);
    check(HEAP + PAGE, 500, 3);
    assert_int_equal(nx_checkpoint_drop(), 0);
    die();
}

/* The pages of the copies: those with the text that was saved. */
static unsigned copies(const char *text, char **at)
{
    unsigned n = 0;
    for (uint64_t pa = machine.memory_base; pa < machine.memory_end; pa += PAGE) {
        if (page_known(pa) && page_refs(pa) == 1 &&
            memcmp(arch_phys(pa), text, strlen(text)) == 0) {
            at[n++] = arch_phys(pa);
        }
    }
    return n;
}

static void a_damaged_copy_is_passed_over(void **state)
{
    static const char text[] = "a text that occurs nowhere else in memory: 5d1f0c77";
    char *at[4];
    for (unsigned damage = 0; damage < 4; damage++) {
        live("a", 1);
        lock();
        assert_int_equal(space_copy_out(&cell->window, HEAP, text, sizeof(text)), 0);
        unlock();
        assert_int_equal(nx_checkpoint_save(HEAP, PAGE + 100), 0);
        die();
        unsigned n = copies(text, at);
        unsigned mine = n; /* the dead cell's page is free again: only the copies have references */
        assert_int_equal(mine, 2);
        for (unsigned k = 0; k < 2; k++) {
            if ((damage >> k & 1) != 0) {
                at[k][3000] ^= 0x10;
            }
        }
        live("a", 2);
        if (damage == 3) {
            assert_int_equal(nx_checkpoint_load(HEAP, 2 * PAGE), -NX_ENOENT);
        } else {
            assert_int_equal(nx_checkpoint_load(HEAP, 2 * PAGE), PAGE + 100);
            assert_memory_equal(host_access(HEAP, NX_PROT_R), text, sizeof(text));
            assert_int_equal(*(uint8_t *)host_access(HEAP + 3000, NX_PROT_R), 0);
        }
        assert_int_equal(nx_checkpoint_drop(), 0);
        die();
    }
}

static void there_is_room_for_sixteen_names(void **state)
{
    char name[8] = "n??";
    for (unsigned i = 0; i < 17; i++) {
        name[1] = (char)('a' + i);
        live(name, 1);
        assert_int_equal(nx_checkpoint_save(HEAP, 1), i < 16 ? 0 : -NX_ENOMEM);
        assert_int_equal(nx_checkpoint_save(HEAP, 2), i < 16 ? 0 : -NX_ENOMEM); /* in its place */
        die();
    }
    for (unsigned i = 0; i < 16; i++) {
        name[1] = (char)('a' + i);
        live(name, 2);
        assert_int_equal(nx_checkpoint_load(HEAP, 5), 2);
        assert_int_equal(nx_checkpoint_drop(), 0);
        die();
    }
}

int main(void)
{
    test_boot(1, 8 * MIB);
    const struct CMUnitTest tests[] = {
        TEST(the_next_life_loads_what_this_one_saved),
        TEST(others_do_not_see_it),
        TEST(it_is_stale_after_four_lives),
        TEST(wild_arguments_keep_the_old_state),
        TEST(a_damaged_copy_is_passed_over),
        TEST(there_is_room_for_sixteen_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
