/* The nucleus' own audit of capabilities: what is damaged here on purpose is found. */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "audit.h"

#include "../../../nucleus/core/audit.h"
#include "shelf.h"
#include "watchdog.h"

static struct cell *a, *b;

/* Cell a holds one of each; b has some of it too. */
static int begin(void **state)
{
    (void)counts_before(state);
    a = test_cell("a");
    assert_ptr_equal(run(0)->cell, a);
    b = test_cell("b");
    assert_int_equal(nx_make_event(1), 0);
    assert_int_equal(nx_make_mem(2, 3, 0), 0);
    assert_int_equal(nx_make_ring(3, 4, 1), 0);
    assert_int_equal(nx_make_irq(9, 8, 5), -NX_EBADF);
    lock();
    assert_int_equal(cap_put(a, 4, &b->obj, NX_R_ALL), 0);
    assert_int_equal(cap_put(a, 5, &machine.obj, NX_R_ALL), 0);
    unlock();
    assert_int_equal(nx_make_irq(6, 5, 7), 0);
    assert_int_equal(nx_make_devmem(7, 5, 0x10000000, PAGE), 0);
    assert_int_equal(nx_grant_copy(4, 1, 11, NX_R_SEND), 0);
    assert_int_equal(nx_grant_copy(4, 2, 12, NX_R_READ), 0);
    assert_int_equal(nx_grant_copy(4, 3, 13, NX_R_READ | NX_R_RECV), 0);
    assert_int_equal(nx_make_shelf(8), 0);
    assert_int_equal(nx_grant_copy(NX_SELF, 8, 9, NX_R_ALL), 0); /* the same once more */
    assert_int_equal(nx_grant_copy(NX_SELF, 2, 10, NX_R_READ), 0);
    assert_int_equal(nx_grant_shelve(8, 3, 10), 0);
    assert_int_equal(nx_grant_drop(10), 0);
    assert_int_equal(nx_meta_audit(), 0);
    return 0;
}

static int end(void **state)
{
    assert_int_equal(nx_meta_audit(), 0);
    audit();
    test_end(a);
    test_end(b);
    watchdog_due = watchdog_due_idle = NX_NEVER;
    return counts_after(state);
}
#define AUDIT_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* With one thing different, so much is found; with it back, nothing. */
#define DAMAGE(where, value, number)                 \
    do {                                             \
        __typeof__(where) was_ = (where);            \
        (where) = (value);                           \
        assert_int_equal(nx_meta_audit(), (number)); \
        (where) = was_;                              \
        assert_int_equal(nx_meta_audit(), 0);        \
    } while (0)

static void slots(void **state)
{
    DAMAGE(a->caps[1].rights, NX_R_ALL + 1, 1);
    DAMAGE(a->caps[1].epoch, 1, 1);
    DAMAGE(a->caps[30].rights, 1, 1);
    DAMAGE(a->caps[30].epoch, 1, 1);
    /* A forged one: one more than counted, and more than there are references. */
    struct object *o = a->caps[2].obj;
    assert_int_equal(o->refs, 3);
    DAMAGE(a->caps[30].obj, o, 2);
    DAMAGE(cap_count, cap_count + 1, 1);
    DAMAGE(cap_count, 0u, 1);
}

static void objects(void **state)
{
    struct object *o = a->caps[2].obj;
    DAMAGE(o->refs, 1, 1);
    DAMAGE(o->type, NX_T_NONE, 3); /* in both cells, and on the shelf */
    DAMAGE(o->type, NX_TYPES, 3);
    DAMAGE(o->quota, NULL, 3);
    DAMAGE(o->quota, quotas + QUOTAS, 3);
    DAMAGE(o->quota, quotas + QUOTAS - 1, 3); /* nobody's */
    DAMAGE(o->quota, (struct quota *)((char *)o->quota + 8), 3);
    DAMAGE(a->caps[1].obj->epoch, 1, 0); /* revoked: no damage */
}

static void addresses(void **state)
{
    char *free = arch_phys(HOST_MEMORY_BASE + 8 * MIB);
    struct object *bad[] = {
        (struct object *)((char *)a->caps[2].obj + 8),
        (struct object *)free, /* a page nobody has */
        (struct object *)(host_memory - 64),
        (struct object *)(host_memory + host_memory_size),
        (struct object *)16ul,
        (struct object *)~15ul,
    };
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        struct object *was = a->caps[2].obj;
        a->caps[2].obj = bad[i];
        assert_true(nx_meta_audit() >= 1);
        a->caps[2].obj = was;
        assert_int_equal(nx_meta_audit(), 0);
    }
}

static void listeners(void **state)
{
    struct event *e = (struct event *)a->caps[1].obj;
    struct ring *r = (struct ring *)a->caps[3].obj;
    assert_ptr_equal(e->to.cell, a);
    DAMAGE(e->to.slot, 2, 2);
    DAMAGE(e->to.slot, NX_SLOTS, 2);
    DAMAGE(e->to.cell, (struct cell *)host_memory, 2);
    assert_ptr_equal(r->end[1].cell, b);
    DAMAGE(r->end[1].slot, 12, 2);
    DAMAGE(r->end[1].cell, a, 2);
    DAMAGE(b->death.slot, 5, 1);
    DAMAGE(b->death.cell, b, 1);
}

static void shelves(void **state)
{
    struct shelf *s = (struct shelf *)a->caps[8].obj;
    struct object *o = a->caps[2].obj;
    assert_ptr_equal(s->cap[3].obj, o);
    assert_ptr_equal(a->caps[9].obj, &s->obj);
    DAMAGE(s->cap[3].rights, NX_R_ALL + 1, 1);
    DAMAGE(s->cap[3].epoch, 1, 1);
    DAMAGE(s->cap[4].rights, 1, 1);
    DAMAGE(s->cap[3].obj, (struct object *)host_memory - 1, 1);
    DAMAGE(s->cap[3].obj, a->caps[1].obj, 2); /* an event, which has a reference too few, too */
    DAMAGE(s->cap[NX_SHELF_PLACES - 1].obj, o, 2); /* not counted, nor referred to */
    DAMAGE(o->refs, 2, 1);
    DAMAGE(s->obj.refs, 1, 1);
}

static void fibers(void **state)
{
    DAMAGE(a->fiber_count, 7, 1);
    DAMAGE(b->fiber_count, 0, 1);
}

static void who_may_ask(void **state)
{
    a->pledge &= ~NX_PLEDGE_DEBUG;
    assert_int_equal(nx_meta_audit(), -NX_EPERM);
    a->pledge |= NX_PLEDGE_DEBUG;
}

/* L0 asks after three deaths, when the last of them is over. */
static void after_a_systemic_event(void **state)
{
    struct nx_beb last;
    host.time += TIMEBASE;
    supervisor = a;
    a->caps[30].rights = 1;
    uint64_t before = beb_end();
    lock();
    for (unsigned i = 0; i < 3; i++) {
        watchdog_fault(b);
    }
    unlock();
    assert_int_equal(beb_end(), before + 1);
    hart(0);
    host.hart[0].deadline = 0;
    host_interrupt();
    assert_true(beb_end() >= before + 2);
    assert_true(beb_read(before + 1, &last));
    assert_int_equal(last.kind, NX_BEB_AUDIT);
    assert_int_equal(last.arg0, 1);
    a->caps[30].rights = 0;
    supervisor = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AUDIT_TEST(slots),       AUDIT_TEST(objects),
        AUDIT_TEST(addresses),   AUDIT_TEST(listeners),
        AUDIT_TEST(shelves),     AUDIT_TEST(fibers),
        AUDIT_TEST(who_may_ask), AUDIT_TEST(after_a_systemic_event),
    };
    test_boot(1, 32 * MIB);
    machine.plic_irqs = 64;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
