/*
 * The Entropy Tax's counters, and time conversion.
 * test-sources: membrane/tax.c membrane/time.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../membrane/mb_int.h"
#include <tax.h>

uint64_t mb_host_time, mb_host_instret;
static struct nx_state state_area;
static struct mb_fiber fiber = {.state = &state_area};
static bool no_memory;

struct mb_fiber *mb_self(void)
{
    return &fiber;
}
bool mb_lock_is_mine(void)
{
    return false;
}
void mb_lock(void)
{
}
void mb_unlock(void)
{
}
void *mb_zalloc(size_t n)
{
    return no_memory ? NULL : calloc(1, n);
}
void mb_free(void *p)
{
    free(p);
}
void cell_panic(const char *fmt, ...)
{
    fail_msg("cell_panic: %s", fmt);
    abort();
}

static void run(uint64_t ticks, uint64_t instructions)
{
    mb_host_time += ticks;
    mb_host_instret += instructions;
}

/* One upcall: the program ran, then the membrane. */
static void upcall(struct tax *t, unsigned nr, uint64_t own, uint64_t price)
{
    run(own, own * 10);
    tax_begin(t);
    run(price, price * 10);
    tax_end(t, nr);
}

static const char *name(unsigned nr)
{
    return nr == 64 ? "write" : nr == 172 ? "getpid" : NULL;
}

static char text[4096];
static const char *report(const struct tax *t)
{
    text[tax_text(t, name, text, sizeof(text) - 1)] = '\0';
    return text;
}

static void counts(void **state)
{
    struct tax *t = tax_make();
    mb_time_init(10000000);
    run(77, 77);
    tax_start();
    upcall(t, 172, 5, 2);
    upcall(t, 64, 3, 4);
    upcall(t, 172, 1, 2);
    run(2, 20);
    tax_begin(t);
    run(9, 90);
    tax_fault(t);
    assert_string_equal(report(t), "tax 3 1700 170\n"
                                   "own 1100 110\n"
                                   "faults 1\n"
                                   "call 64 write 1 400 40\n"
                                   "call 172 getpid 2 400 40\n");
    tax_free(t);
}

/* The nucleus moves the offsets when others ran: their time is not counted. */
static void others_do_not_count(void **state)
{
    struct tax *t = tax_make();
    tax_start();
    run(1, 10);
    run(1000, 10000);
    state_area.time_off += 1000;
    state_area.instr_off += 10000;
    tax_begin(t);
    tax_end(t, 1);
    assert_int_equal(t->sum.own_ticks, 1);
    assert_int_equal(t->sum.own_instructions, 10);
    tax_free(t);
}

static void unknown_calls(void **state)
{
    struct tax *t = tax_make();
    assert_true(tax_enosys(t, 400));
    assert_false(tax_enosys(t, 400));
    assert_true(tax_enosys(t, 100000)); /* counted together, as the last number */
    assert_false(tax_enosys(t, 99999));
    tax_start();
    upcall(t, 100000, 0, 1);
    assert_non_null(strstr(report(t), "call 469 unknown 1 100 10\nenosys 469 unknown 2\n"));
    assert_non_null(strstr(report(t), "enosys 400 unknown 2\n"));
    tax_exec(t);
    assert_null(strstr(report(t), "enosys"));
    assert_true(tax_enosys(t, 400));
    tax_free(t);
    assert_false(tax_enosys(NULL, 1));
}

static void every_call(void **state)
{
    struct tax *t = tax_make();
    for (int round = 0; round < 2; round++) {
        for (unsigned nr = TAX_CALLS; nr-- > 0;) {
            upcall(t, nr, 1, nr);
        }
    }
    for (unsigned nr = 0; nr < TAX_CALLS; nr++) {
        const struct tax_call *c = tax_call_at(t, t->slot[nr]);
        assert_int_equal(c->nr, nr);
        assert_int_equal(c->calls, 2);
        assert_int_equal(c->ticks, 2 * nr);
    }
    tax_free(t);
}

static void children(void **state)
{
    struct tax *parent = tax_make(), *child = tax_make(), *grandchild = tax_make();
    tax_start();
    upcall(grandchild, 64, 1, 1);
    upcall(child, 64, 2, 2);
    upcall(parent, 172, 4, 4);
    tax_merge(child, grandchild);
    tax_merge(parent, child);
    assert_int_equal(parent->sum.own_ticks, 4); /* its own time stays its own */
    assert_int_equal(parent->kids.own_ticks, 3);
    assert_string_equal(report(parent), "tax 3 700 70\nown 700 70\nfaults 0\n"
                                        "call 64 write 2 300 30\ncall 172 getpid 1 400 40\n");
    tax_merge(NULL, child);
    tax_merge(parent, NULL);
    tax_free(parent);
    tax_free(child);
    tax_free(grandchild);
    tax_free(NULL);
}

static void without_memory(void **state)
{
    struct tax *t = tax_make();
    tax_start();
    no_memory = true;
    for (unsigned nr = 0; nr < TAX_FIRST + 1; nr++) {
        upcall(t, nr, 1, 1);
    }
    no_memory = false;
    assert_int_equal(t->sum.calls, TAX_FIRST + 1);
    assert_int_equal(t->used, TAX_FIRST); /* counters for so many are there */
    upcall(t, TAX_FIRST, 1, 1);
    assert_int_equal(t->used, TAX_FIRST + 1);
    tax_free(t);
    upcall(NULL, 5, 1, 1);
}

static void short_buffers(void **state)
{
    struct tax *t = tax_make();
    tax_start();
    upcall(t, 64, 1, 1);
    size_t full = tax_text(t, name, text, sizeof(text));
    char *small = malloc(full + 1);
    for (size_t n = 0; n <= full + 1; n++) {
        size_t len = tax_text(t, name, small, n);
        assert_true(len <= n && (len == 0 || small[len - 1] == '\n'));
    }
    free(small);
    tax_free(t);
}

static void time_conversion(void **state)
{
    static const uint64_t bases[] = {10000000, 1000000000, 24000000, 32768, 1000003, 3579545};
    for (size_t b = 0; b < sizeof(bases) / sizeof(bases[0]); b++) {
        mb_time_init(bases[b]);
        assert_int_equal(mb_ticks_to_ns(bases[b]), 1000000000);
        assert_int_equal(mb_ns_to_ticks(1000000000), bases[b]);
        assert_int_equal(mb_ns_to_ticks(0), 0);
        assert_true(mb_ns_to_ticks(1) >= 1);
        assert_true(mb_ns_to_ticks(~0ul) < MB_NEVER);
        for (uint64_t ns = 1; ns < 1ul << 60; ns = ns * 3 + 1) {
            uint64_t ticks = mb_ns_to_ticks(ns);
            assert_true(mb_ticks_to_ns(ticks) >= ns); /* rounds up: a sleep is never too short */
            assert_true(ticks == 0 || mb_ticks_to_ns(ticks - 1) <= ns);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),        cmocka_unit_test(others_do_not_count),
        cmocka_unit_test(unknown_calls), cmocka_unit_test(every_call),
        cmocka_unit_test(children),      cmocka_unit_test(without_memory),
        cmocka_unit_test(short_buffers), cmocka_unit_test(time_conversion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
