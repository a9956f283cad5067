/*
 * policy.c - what the supervisor decides without asking anybody: the order of start, the restart of cells
 * that die, and which device of the tree a manifest means.
 *
 * test-sources: native/supervisor/order.c native/supervisor/restart.c native/supervisor/tree.c
 * test-sources: native/supervisor/plan.c native/supervisor/place.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../native/supervisor/order.h"
#include "../../../native/supervisor/plan.h"
#include "../../../native/supervisor/place.h"
#include "../../../native/supervisor/restart.h"
#include "../../../native/supervisor/tree.h"

#include <libfdt.h>
#include <nx_base.h>

/* ---- order ---- */

#define USE(x)                         \
    {                                  \
        .kind = NX_WANT_USE, .what = x \
    }
#define SERVE(x)                         \
    {                                    \
        .kind = NX_WANT_SERVE, .what = x \
    }

static unsigned place(const unsigned *order, unsigned n, unsigned cell)
{
    unsigned at = n;
    for (unsigned i = 0; i < n; i++) {
        if (order[i] == cell) {
            assert_int_equal(at, n); /* once */
            at = i;
        }
    }
    assert_int_not_equal(at, n);
    return at;
}

static void servers_come_first(void **state)
{
    static const struct nx_manifest posix = {.want = {USE("console"), USE("fs")}},
                                    fs = {.want = {SERVE("fs"), USE("block")}},
                                    uart = {.want = {SERVE("console")}},
                                    disk = {.want = {SERVE("block")}},
                                    odd = {.want = {USE("nobody has it")}};
    const struct nx_manifest *cells[] = {&posix, &fs, &uart, &disk, &odd};
    unsigned order[5];
    order_cells(cells, 5, order);
    assert_true(place(order, 5, 0) > place(order, 5, 1));
    assert_true(place(order, 5, 0) > place(order, 5, 2));
    assert_true(place(order, 5, 1) > place(order, 5, 3));
    place(order, 5, 4);
}

static void circles_are_started_all_the_same(void **state)
{
    static const struct nx_manifest a = {.want = {SERVE("a"), USE("b")}},
                                    b = {.want = {SERVE("b"), USE("a")}},
                                    c = {.want = {SERVE("c"), USE("c")}};
    const struct nx_manifest *cells[] = {&a, &b, &c};
    unsigned order[3];
    order_cells(cells, 3, order);
    for (unsigned i = 0; i < 3; i++) {
        place(order, 3, i);
    }
    order_cells(cells, 0, order);
}

/* ---- restart ---- */

static void one_death_is_forgiven_at_once(void **state)
{
    struct restart r = {0};
    uint64_t now = 0;
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t born = now;
        now += 3000; /* four in twelve seconds */
        assert_int_equal(restart_after(&r, born, now, 50), 0);
    }
}

static void quick_deaths_are_held_back_longer_and_longer(void **state)
{
    struct restart r = {0};
    uint64_t now = 0, expect = 50, waits = 0, wait = 0;
    for (unsigned i = 0; wait != RESTART_NEVER; i++) {
        assert_true(i < 1000);
        uint64_t born = now;
        now += 5;
        wait = restart_after(&r, born, now, 50);
        if (wait != 0 && wait != RESTART_NEVER) {
            assert_int_equal(wait, expect);
            expect *= 2;
            waits++;
            now += wait;
        }
    }
    assert_int_equal(waits, RESTART_ROUNDS);
}

static void a_long_life_clears_the_record(void **state)
{
    struct restart r = {0};
    uint64_t now = 0;
    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 1; i < RESTART_QUICK; i++) {
            assert_int_equal(restart_after(&r, now, now + 1, 0), 0);
        }
        assert_int_equal(restart_after(&r, now, now + 1, 0), RESTART_BACKOFF_MS);
        now += 1000;
        assert_int_equal(restart_after(&r, now, now + RESTART_SPAN_MS + 1, 0), 0);
        now += RESTART_SPAN_MS + 1;
        r = (struct restart){.rounds = r.rounds};
        assert_int_equal(r.rounds, 0);
    }
}

static void the_wait_has_a_limit(void **state)
{
    struct restart r = {0};
    uint64_t longest = 0, wait;
    while ((wait = restart_after(&r, 0, 1, 50000)) != RESTART_NEVER) {
        longest = wait > longest ? wait : longest;
    }
    assert_int_equal(longest, RESTART_BACKOFF_MAX_MS);
}

/* ---- the tree ---- */

static uint8_t tree[4096];

static void add_device(const char *name, const char *compatible, size_t n, uint64_t base,
                       const char *status)
{
    fdt64_t reg[2] = {cpu_to_fdt64(base), cpu_to_fdt64(0x100)};
    assert_int_equal(fdt_begin_node(tree, name), 0);
    assert_int_equal(fdt_property(tree, "compatible", compatible, (int)n), 0);
    assert_int_equal(fdt_property(tree, "reg", reg, sizeof(reg)), 0);
    if (status != NULL) {
        assert_int_equal(fdt_property_string(tree, "status", status), 0);
    }
    assert_int_equal(fdt_property_u32(tree, "interrupts", 10), 0);
    assert_int_equal(fdt_property_u32(tree, "reg-shift", 2), 0);
    assert_int_equal(fdt_end_node(tree), 0);
}

static void begin_bus(const char *name, const void *ranges, int len)
{
    assert_int_equal(fdt_begin_node(tree, name), 0);
    assert_int_equal(fdt_property_u32(tree, "#address-cells", 2), 0);
    assert_int_equal(fdt_property_u32(tree, "#size-cells", 2), 0);
    if (len >= 0) {
        assert_int_equal(fdt_property(tree, "ranges", ranges, len), 0);
    }
}

static void devices_are_found_by_compatible(void **state)
{
    static const char both[] = "maker,new\0maker,old";
    struct tree_device d;
    assert_int_equal(fdt_create(tree, sizeof(tree)), 0);
    assert_int_equal(fdt_finish_reservemap(tree), 0);
    begin_bus("", NULL, -1);
    add_device("off@0", both, sizeof(both), 0x1000, "disabled");
    begin_bus("far", "0123456789abcdef01234567", 24); /* other addresses than the processors' */
    add_device("dev@1", both, sizeof(both), 0x2000, NULL);
    assert_int_equal(fdt_end_node(tree), 0);
    begin_bus("closed", NULL, -1); /* not reachable at all */
    add_device("dev@2", both, sizeof(both), 0x3000, NULL);
    assert_int_equal(fdt_end_node(tree), 0);
    begin_bus("soc", "", 0);
    add_device("dev@3", both, sizeof(both), 0x4000, "okay");
    add_device("dev@4", "wrapped", 8, ~0ul - 0x10, NULL);
    assert_int_equal(fdt_end_node(tree), 0);
    add_device("top@5", "top", 4, 0x5000, NULL);
    assert_int_equal(fdt_end_node(tree), 0);
    assert_int_equal(fdt_finish(tree), 0);

    assert_true(tree_device(tree, "maker,old", &d));
    assert_int_equal(d.base, 0x4000);
    assert_int_equal(d.size, 0x100);
    assert_int_equal(d.irq, 10);
    assert_int_equal(d.shift, 2);
    assert_int_equal(d.width, 1);
    assert_true(tree_device(tree, "top", &d));
    assert_int_equal(d.base, 0x5000);
    assert_false(tree_device(tree, "wrapped", &d));
    assert_false(tree_device(tree, "maker", &d));

    int at = -1;
    assert_true(tree_next(tree, "maker,new", &at, &d));
    assert_int_equal(d.base, 0x4000);
    assert_false(tree_next(tree, "maker,new", &at, &d));
}

/* ---- the plan ---- */

static void instances_have_numbers(void **state)
{
    const struct nx_manifest m = {.name = "disk",
                                  .want = {SERVE("block"), USE("clock"), SERVE("trim")}};
    struct nx_manifest out;
    assert_true(plan_instance(&m, 0, &out));
    assert_string_equal(out.name, "disk0");
    assert_string_equal(out.want[0].what, "block.0");
    assert_string_equal(out.want[1].what, "clock");
    assert_string_equal(out.want[2].what, "trim.0");
    assert_true(plan_instance(&m, 12, &out));
    assert_string_equal(out.name, "disk12");
    assert_string_equal(out.want[0].what, "block.12");
}

static void long_names_have_no_instances(void **state)
{
    struct nx_manifest m = {.want = {SERVE("block")}}, out;
    memset(m.name, 'n', sizeof(m.name) - 2);
    assert_true(plan_instance(&m, 9, &out));
    assert_false(plan_instance(&m, 10, &out));
    strcpy(m.name, "n");
    memset(m.want[0].what, 'w', sizeof(m.want[0].what) - 2);
    assert_false(plan_instance(&m, 0, &out));
    m.want[0].what[sizeof(m.want[0].what) - 3] = 0;
    assert_true(plan_instance(&m, 9, &out));
    assert_false(plan_instance(&m, 10, &out));
}

static void the_first_register_window_is_the_device(void **state)
{
    const struct nx_manifest none = {.want = {SERVE("x")}};
    const struct nx_manifest m = {.want = {SERVE("x"),
                                           {.kind = NX_WANT_IRQ, .what = "no"},
                                           {.kind = NX_WANT_DEVMEM, .what = "a"},
                                           {.kind = NX_WANT_DEVMEM, .what = "b"}}};
    assert_null(plan_device(&none));
    assert_string_equal(plan_device(&m)->what, "a");
}

static void absence_spreads_to_those_who_cannot_do_without(void **state)
{
    static const struct nx_manifest cell[] = {
        {.want = {USE("b")}},
        {.want = {USE("a"), SERVE("b")}},
        {.want = {SERVE("a")}},
        {.want = {{.kind = NX_WANT_USE, .flags = NX_WANT_OPTIONAL, .what = "b"}, SERVE("c")}},
        {.want = {USE("c"), USE("d")}},
        {.want = {USE("c"), SERVE("d")}},
        {.want = {USE("nobody")}},
    };
    const struct nx_manifest *cells[7];
    bool absent[7] = {[2] = true};
    for (unsigned i = 0; i < 7; i++) {
        cells[i] = &cell[i];
    }
    plan_absent(cells, 7, absent);
    static const bool want[7] = {true, true, true, false, false, false, true};
    for (unsigned i = 0; i < 7; i++) {
        assert_int_equal(absent[i], want[i]);
    }
}

static void who_is_served_twice_lacks_nothing_with_one(void **state)
{
    static const struct nx_manifest cell[] = {
        {.want = {SERVE("a")}}, {.want = {SERVE("a")}}, {.want = {USE("a")}}};
    const struct nx_manifest *cells[] = {&cell[0], &cell[1], &cell[2]};
    bool absent[3] = {true, false, false};
    plan_absent(cells, 3, absent);
    assert_true(absent[0] && !absent[1] && !absent[2]);
}

static void users_need_not_be_exact(void **state)
{
    assert_true(plan_meant("virtio_blk0", "virtio_blk0"));
    assert_true(plan_meant("virtio-blk0", "virtio_blk0"));
    assert_true(plan_meant("virtio-blk", "virtio_blk0"));
    assert_true(plan_meant("uart", "uart16550"));
    assert_false(plan_meant("virtio", "virtio_blk0"));
    assert_false(plan_meant("virtio-blk1", "virtio_blk0"));
    assert_false(plan_meant("virtio-blk00", "virtio_blk0"));
    assert_false(plan_meant("posix", "posi"));
}

/* ---- placements ---- */
static void the_manifest_says_where_unless_the_boot_arguments_do(void **state)
{
    static const struct {
        const char *args;
        uint32_t manifest, place;
    } cases[] = {
        {"", NX_PLACE_ISOLATED, NX_PLACE_ISOLATED},
        {"", NX_PLACE_FUSED, NX_PLACE_FUSED},
        {"", 7, NX_PLACE_ISOLATED},
        {"nexus.place=posix:fused", NX_PLACE_ISOLATED, NX_PLACE_FUSED},
        {"nexus.place=posix:isolated", NX_PLACE_FUSED, NX_PLACE_ISOLATED},
        {"nexus.place=uart:fused", NX_PLACE_ISOLATED, NX_PLACE_ISOLATED},
        {"a=b nexus.place=uart:fused,posix:fused c", NX_PLACE_ISOLATED, NX_PLACE_FUSED},
        {"nexus.place=all:fused,posix:isolated", NX_PLACE_FUSED, NX_PLACE_ISOLATED},
        {"nexus.place=posix:isolated,all:fused", NX_PLACE_ISOLATED, NX_PLACE_FUSED},
        {"nexus.place=uart:fused nexus.place=posix:fused", NX_PLACE_ISOLATED, NX_PLACE_FUSED},
        {"nexus.place=posix", NX_PLACE_FUSED, NX_PLACE_FUSED},
        {"nexus.place=posix:", NX_PLACE_FUSED, NX_PLACE_FUSED},
        {"nexus.place=posix:fuse", NX_PLACE_ISOLATED, NX_PLACE_ISOLATED},
        {"nexus.place=posix:fused2", NX_PLACE_ISOLATED, NX_PLACE_ISOLATED},
        {"nexus.place=posi:fused,posix2:fused", NX_PLACE_ISOLATED, NX_PLACE_ISOLATED},
        {"nexus.place=,,:,all", NX_PLACE_ISOLATED, NX_PLACE_ISOLATED},
        {"nexus.place=", NX_PLACE_FUSED, NX_PLACE_FUSED},
        {"nexus.place", NX_PLACE_FUSED, NX_PLACE_FUSED},
        {"xnexus.place=posix:fused", NX_PLACE_ISOLATED, NX_PLACE_ISOLATED},
        {"nexus.place= posix:fused", NX_PLACE_ISOLATED, NX_PLACE_ISOLATED},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct nx_manifest m = {.name = "posix", .placement = cases[i].manifest};
        char *args = strdup(cases[i].args); /* the sanitizer sees a step behind it */
        assert_int_equal(place_of(args, &m), cases[i].place);
        free(args);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_come_first),
        cmocka_unit_test(circles_are_started_all_the_same),
        cmocka_unit_test(one_death_is_forgiven_at_once),
        cmocka_unit_test(quick_deaths_are_held_back_longer_and_longer),
        cmocka_unit_test(a_long_life_clears_the_record),
        cmocka_unit_test(the_wait_has_a_limit),
        cmocka_unit_test(devices_are_found_by_compatible),
        cmocka_unit_test(instances_have_numbers),
        cmocka_unit_test(long_names_have_no_instances),
        cmocka_unit_test(the_first_register_window_is_the_device),
        cmocka_unit_test(absence_spreads_to_those_who_cannot_do_without),
        cmocka_unit_test(who_is_served_twice_lacks_nothing_with_one),
        cmocka_unit_test(users_need_not_be_exact),
        cmocka_unit_test(the_manifest_says_where_unless_the_boot_arguments_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
