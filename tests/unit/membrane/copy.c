/*
 * Copies of program memory: address checks, recovery through the fault hook, and giving up.
 * The raw routines are faked: they stop at pages that are not "present".
 * test-sources: membrane/copy.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../membrane/copy.h"
#include "../../../membrane/mb_int.h"

uint64_t mb_host_time, mb_host_instret;

#define BASE 0x10000ul
#define PAGES 8
static char memory[PAGES * MB_PAGE];
static bool present[PAGES], resolvable[PAGES], vanishes;
static unsigned hook_calls;
static bool hook_write, locked, hook_locked;
static struct nx_state state_area;
static struct mb_fiber fiber = {.state = &state_area};

struct mb_fiber *mb_self(void)
{
    return &fiber;
}
bool mb_lock_is_mine(void)
{
    return locked;
}
void mb_lock(void)
{
    assert_false(locked);
    locked = true;
}
void mb_unlock(void)
{
    assert_true(locked);
    locked = false;
}

/* Program addresses are below 16 MiB, some of them memory; everything else is the test's own. */
static char *at(const void *p)
{
    uint64_t a = (uint64_t)p;
    return a >= BASE && a - BASE < sizeof(memory) ? memory + (a - BASE) : (char *)(uintptr_t)p;
}

static bool faults(const void *p)
{
    uint64_t a = (uint64_t)p;
    if (a >= 1ul << 24) {
        return false;
    }
    bool there = a >= BASE && a < BASE + sizeof(memory) && present[(a - BASE) / MB_PAGE];
    if (!there) {
        state_area.fixaddr = a;
    }
    return !there;
}

size_t mb_raw_copy(void *dst, const void *src, size_t n, struct nx_state *state)
{
    char *d = dst;
    const char *s = src;
    for (; n > 0; n--, d++, s++) {
        if (faults(s) || faults(d)) {
            break;
        }
        *at(d) = *at(s);
    }
    return n;
}

size_t mb_raw_zero(void *dst, size_t n, struct nx_state *state)
{
    static const char zero;
    char *d = dst;
    while (n > 0 && mb_raw_copy(d, &zero, 1, state) == 0) {
        d++;
        n--;
    }
    return n;
}

size_t mb_raw_strnlen(const char *src, size_t n, struct nx_state *state, uint64_t *faulted)
{
    for (size_t i = 0; i < n; i++) {
        if (faults(src + i)) {
            *faulted = 1;
            return i;
        }
        if (*at(src + i) == 0) {
            return i;
        }
    }
    return n;
}

int mb_raw_load32(uint32_t *val, const uint32_t *addr, struct nx_state *state)
{
    return mb_raw_copy(val, addr, 4, state) != 0;
}

int mb_raw_cas32(uint32_t *addr, uint32_t expect, uint32_t want, uint32_t *old,
                 struct nx_state *state)
{
    if (mb_raw_copy(old, addr, 4, state) != 0) {
        return 1;
    }
    if (*old == expect) {
        mb_raw_copy(addr, &want, 4, state);
    }
    return 0;
}

static int hook(uint64_t addr, bool write)
{
    hook_calls++;
    hook_write = write;
    hook_locked = locked;
    uint64_t page = (addr - BASE) / MB_PAGE;
    if (addr < BASE || page >= PAGES || !resolvable[page]) {
        return -EFAULT;
    }
    present[page] = !vanishes;
    return 0;
}

static int set_up(void **state)
{
    mb_fault_hook = hook;
    memset(memory, 'm', sizeof(memory));
    memset(present, 0, sizeof(present));
    memset(resolvable, 1, sizeof(resolvable));
    vanishes = locked = false;
    hook_calls = 0;
    return 0;
}

static void ranges(void **state)
{
    char buf[16];
    static const uint64_t bad[] = {NX_LOWER_END, NX_LOWER_END - 8, ~0ul,
                                   ~0ul - 4,     NX_WINDOW,        1ul << 63};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint32_t old;
        assert_int_equal(mb_copy_in(buf, bad[i], 16), -EFAULT);
        assert_int_equal(mb_copy_out(bad[i], buf, 16), -EFAULT);
        assert_int_equal(mb_zero_out(bad[i], 16), -EFAULT);
        assert_int_equal(mb_load32(&old, bad[i] | 1), -EFAULT);
        assert_int_equal(mb_cas32(bad[i] | 1, 0, 0, &old), -EFAULT);
    }
    assert_int_equal(mb_copy_in(buf, BASE, ~0ul), -EFAULT);
    assert_int_equal(mb_str_in(buf, NX_LOWER_END, 16), -EFAULT);
    assert_int_equal(mb_str_in(buf, NX_WINDOW, 16), -EFAULT);
    assert_int_equal(hook_calls, 0); /* none of that got near the memory */
    assert_int_equal(mb_copy_in(buf, NX_LOWER_END, 0), 0);
}

static void resolves(void **state)
{
    static char buf[4 * MB_PAGE];
    assert_int_equal(mb_copy_in(buf, BASE + 100, 3 * MB_PAGE), 0);
    assert_int_equal(hook_calls, 4);
    assert_false(hook_write);
    assert_true(hook_locked); /* taken for it, and given back */
    assert_false(locked);
    assert_int_equal(buf[3 * MB_PAGE - 1], 'm');
    memset(buf, 'x', sizeof(buf));
    locked = true;
    assert_int_equal(mb_copy_out(BASE + 4 * MB_PAGE + 1, buf, 2 * MB_PAGE), 0);
    assert_true(locked);
    assert_true(hook_write);
    assert_int_equal(memory[4 * MB_PAGE], 'm');
    assert_int_equal(memory[4 * MB_PAGE + 1], 'x');
    assert_int_equal(memory[6 * MB_PAGE], 'x');
    assert_int_equal(memory[6 * MB_PAGE + 1], 'm');
    memset(present, 0, sizeof(present));
    assert_int_equal(mb_zero_out(BASE + MB_PAGE - 2, 4), 0);
    assert_memory_equal(memory + MB_PAGE - 3, "m\0\0\0\0m", 6);
}

static void gives_up(void **state)
{
    static char buf[4 * MB_PAGE];
    resolvable[2] = false;
    assert_int_equal(mb_copy_in(buf, BASE, 3 * MB_PAGE), -EFAULT);
    assert_int_equal(mb_copy_out(BASE + MB_PAGE, buf, 2 * MB_PAGE), -EFAULT);
    assert_int_equal(mb_zero_out(BASE + MB_PAGE, 2 * MB_PAGE), -EFAULT);
    vanishes = true; /* another thread unmaps it faster than we look */
    memset(present, 0, sizeof(present));
    assert_int_equal(mb_copy_in(buf, BASE, 8), -EFAULT);
    assert_int_equal(mb_zero_out(BASE, 8), -EFAULT);
    assert_int_equal(mb_str_in(buf, BASE, 8), -EFAULT);
    uint32_t v;
    assert_int_equal(mb_load32(&v, BASE), -EFAULT);
    assert_int_equal(mb_cas32(BASE, 0, 1, &v), -EFAULT);
    mb_fault_hook = NULL;
    assert_int_equal(mb_copy_in(buf, BASE, 8), -EFAULT);
}

static void strings(void **state)
{
    char buf[32];
    memcpy(memory + MB_PAGE - 4, "abcdefg", 8); /* across pages */
    assert_int_equal(mb_str_in(buf, BASE + MB_PAGE - 4, sizeof(buf)), 7);
    assert_string_equal(buf, "abcdefg");
    assert_int_equal(mb_str_in(buf, BASE + MB_PAGE - 4, 8), 7);
    assert_int_equal(mb_str_in(buf, BASE + MB_PAGE - 4, 7), -ENAMETOOLONG);
    assert_int_equal(mb_str_in(buf, BASE + MB_PAGE - 4, 0), -ENAMETOOLONG);
    assert_int_equal(mb_str_in(buf, BASE + MB_PAGE + 3, sizeof(buf)), 0);
    memory[2 * MB_PAGE - 1] = 0; /* ends with its page: the next one is not looked at */
    resolvable[2] = present[2] = false;
    assert_int_equal(mb_str_in(buf, BASE + 2 * MB_PAGE - 5, sizeof(buf)), 4);
    memory[2 * MB_PAGE - 1] = 'm';
    assert_int_equal(mb_str_in(buf, BASE + 2 * MB_PAGE - 5, sizeof(buf)), -EFAULT);
}

static void words(void **state)
{
    uint32_t v = 7, old;
    assert_int_equal(mb_copy_out(BASE + 8, &v, 4), 0);
    assert_int_equal(mb_load32(&old, BASE + 8), 0);
    assert_int_equal(old, 7);
    assert_int_equal(mb_cas32(BASE + 8, 6, 9, &old), 0);
    assert_int_equal(old, 7);
    assert_int_equal(mb_cas32(BASE + 8, 7, 9, &old), 0);
    assert_int_equal(mb_load32(&old, BASE + 8), 0);
    assert_int_equal(old, 9);
    assert_int_equal(mb_load32(&old, BASE + 6), -EFAULT); /* misaligned: the caller says EINVAL */
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ranges), TEST(resolves), TEST(gives_up), TEST(strings), TEST(words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
