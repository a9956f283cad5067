/* Quotas of objects, quotas that are part of another cell's, and whose checkpoint is whose. */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "audit.h"

#include "ckpt.h"
#include "energy.h"

static struct cell *maker;

static int begin(void **state)
{
    (void)counts_before(state);
    struct nx_manifest m = test_manifest("maker");
    m.quota_objects = 3;
    m.quota_fibers = 4;
    m.energy = 5000;
    maker = test_cell_with(&m);
    assert_ptr_equal(run(0)->cell, maker);
    return 0;
}

static int end(void **state)
{
    audit();
    test_end(maker);
    return counts_after(state);
}
#define QUOTA_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void objects_are_counted_until_they_end(void **state)
{
    const struct quota *q = maker->quota;
    assert_int_equal(nx_make_event(1), 0);
    assert_int_equal(nx_make_ring(2, 4, 1), 0); /* its memory is part of it */
    assert_int_equal(nx_make_mem(3, 1, 0), 0);
    assert_int_equal(q->objects, 3);
    assert_int_equal(nx_make_event(4), -NX_ENOMEM);
    assert_int_equal(nx_make_ring(4, 4, 1), -NX_ENOMEM);
    assert_int_equal(nx_make_mem(4, 1, NX_MEM_CONTIG), -NX_ENOMEM);
    assert_true(nx_make_space() > 0); /* has a quota of its own */
    assert_int_equal(nx_grant_copy(NX_SELF, 1, 5, NX_R_ALL), 0);
    assert_int_equal(nx_grant_drop(1), 0);
    assert_int_equal(q->objects, 3);
    assert_int_equal(nx_grant_drop(5), 0);
    assert_int_equal(q->objects, 2);
    assert_int_equal(nx_grant_drop(2), 0);
    assert_int_equal(nx_grant_drop(3), 0);
    assert_int_equal(q->objects, 0);
    /* What cannot be made is not counted. */
    assert_int_equal(nx_make_mem(3, 1000, 0), -NX_ENOMEM);
    assert_int_equal(nx_make_ring(3, 256, 1024), -NX_ENOMEM);
    assert_int_equal(q->objects, 0);
}

static void an_object_counts_for_its_maker_wherever_it_is(void **state)
{
    struct cell *other = test_cell("other");
    assert_int_equal(nx_make_event(1), 0);
    lock();
    assert_int_equal(cap_put(other, 7, maker->caps[1].obj, NX_R_ALL), 0);
    unlock();
    assert_int_equal(nx_grant_drop(1), 0);
    assert_int_equal(maker->quota->objects, 1);
    assert_int_equal(other->quota->objects, 0);
    test_end(other);
    assert_int_equal(maker->quota->objects, 0);
}

static struct cell *child(uint64_t pages, int *e)
{
    struct nx_manifest m = test_manifest("child");
    m.quota_pages = pages;
    m.quota_fibers = 2;
    lock();
    struct cell *c = cell_make_by(maker, &m, 1, e);
    unlock();
    return c;
}

static void a_child_lives_on_its_makers_quota(void **state)
{
    int e = 0;
    struct quota *q = maker->quota;
    uint64_t before = q->used;
    struct cell *c = child(100, &e);
    assert_non_null(c);
    assert_int_equal(q->used, before + 100 * PAGE);
    assert_int_equal(c->quota->limit, 100 * PAGE);
    assert_int_equal(c->quota->fibers_max, 2);
    assert_int_equal(c->quota->spaces_max, 16);
    assert_int_equal(c->quota->objects_max, 3);
    assert_int_equal(c->energy.rate, 5000);
    assert_null(child(500, &e));
    assert_int_equal(e, -NX_ENOMEM);
    struct cell *half = child(0, &e);
    assert_int_equal(half->quota->limit / PAGE, (q->limit - before - 100 * PAGE) / PAGE / 2);
    test_end(half);
    test_end(c);
    assert_int_equal(q->used, before);
}

/* The maker's quota stays taken as long as a part of it is. */
static void a_child_outlives_its_maker(void **state)
{
    int e = 0;
    struct cell *c = child(100, &e);
    struct quota *q = maker->quota;
    test_end(maker);
    assert_true(q->taken && q->orphan);
    test_end(c);
    assert_false(q->taken);
    struct nx_manifest m = test_manifest("maker");
    maker = test_cell_with(&m);
    run(0);
}

static void a_name_is_no_claim_to_a_checkpoint(void **state)
{
    int e = 0;
    struct nx_manifest m = test_manifest("service");
    struct cell *service = test_cell_with(&m);
    lock();
    assert_int_equal(ckpt_save(service, NX_FREE, 100), 0);
    m.quota_pages = 100;
    struct cell *thief = cell_make_by(maker, &m, 1, &e);
    assert_int_equal(space_anon(&thief->window, NX_FREE, PAGE, RW), 0);
    assert_int_equal(ckpt_load(thief, NX_FREE, 100), -NX_ENOENT);
    ckpt_drop(thief);
    assert_int_equal(ckpt_load(service, NX_FREE, 100), 100);
    /* It may have one of its own. */
    assert_int_equal(ckpt_save(thief, NX_FREE, 50), 0);
    assert_int_equal(ckpt_load(thief, NX_FREE, 100), 50);
    assert_int_equal(ckpt_load(service, NX_FREE, 100), 100);
    ckpt_drop(thief);
    ckpt_drop(service);
    unlock();
    test_end(thief);
    test_end(service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUOTA_TEST(objects_are_counted_until_they_end),
        QUOTA_TEST(an_object_counts_for_its_maker_wherever_it_is),
        QUOTA_TEST(a_child_lives_on_its_makers_quota),
        QUOTA_TEST(a_child_outlives_its_maker),
        QUOTA_TEST(a_name_is_no_claim_to_a_checkpoint),
    };
    test_boot(1, 32 * MIB);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
