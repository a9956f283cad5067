/*
 * The page arena and the heap on it, over a nucleus whose memory ends.
 *
 * Window pages are real pages of this process: what was not made present by map FAULT cannot be touched,
 * so a page handed out too early is a crash here as it would be there.
 * test-sources: membrane/pages.c membrane/heap.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "../../../membrane/mb_int.h"

#define RESERVED (640ul << 20)
#define PAGES (RESERVED / MB_PAGE)

uintptr_t mb_host_base;
uint64_t mb_host_time, mb_host_instret;
const struct nx_systable *nx_host_table;

static uint8_t mapped[PAGES], present[PAGES];
static uint64_t memory_left, calls;

void mb_fiber_trim(void)
{
}

void cell_panic(const char *fmt, ...)
{
    fail_msg("cell_panic: %s", fmt);
    abort();
}

uint64_t mb_stat(unsigned what)
{
    return what == NX_STAT_PAGES_FREE ? memory_left : PAGES;
}

static uint64_t page_number(uint64_t va)
{
    assert_true(va >= mb_host_base && va < mb_host_base + RESERVED && va % MB_PAGE == 0);
    return (va - mb_host_base) / MB_PAGE;
}

static void drop(uint64_t first, uint64_t n)
{
    for (uint64_t i = first; i < first + n; i++) {
        memory_left += present[i];
        present[i] = 0;
    }
    char *at = (char *)mb_host_base + first * MB_PAGE;
    madvise(at, n * MB_PAGE, MADV_DONTNEED);
    mprotect(at, n * MB_PAGE, PROT_NONE);
}

static long fault(uint64_t i)
{
    if (!mapped[i]) {
        return -NX_ENOENT;
    }
    if (present[i]) {
        return 0;
    }
    if (memory_left == 0) {
        return -NX_ENOMEM;
    }
    memory_left--;
    present[i] = 1;
    mprotect((char *)mb_host_base + i * MB_PAGE, MB_PAGE, PROT_READ | PROT_WRITE);
    return 0;
}

static long call_map(uint64_t op, uint64_t space, uint64_t va, uint64_t a3, uint64_t a4,
                     uint64_t a5)
{
    calls++;
    assert_int_equal(space, 0);
    uint64_t first = page_number(va);
    switch (op) {
    case NX_MAP_ANON:
        drop(first, a3 / MB_PAGE);
        memset(mapped + first, 1, a3 / MB_PAGE);
        return 0;
    case NX_MAP_FAULT:
        return fault(first);
    default:
        fail_msg("map op %lu", op);
        return -NX_ENOSYS;
    }
}

static const struct nx_systable table = {.call = {[NX_CALL_MAP] = call_map}};

static int set_up(void **state)
{
    nx_host_table = &table;
    mb_host_base = (uintptr_t)mmap(NULL, RESERVED, PROT_NONE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    memory_left = 4000;
    return mb_host_base == (uintptr_t)MAP_FAILED;
}

static uint64_t seed = 88172645463325252ul;
static uint64_t random_below(uint64_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
}

static void pages_are_zero_and_alone(void **state)
{
    enum { N = 600 };
    static char *page[N];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N; i++) {
            page[i] = mb_page();
            assert_non_null(page[i]);
            assert_int_equal((uintptr_t)page[i] % MB_PAGE, 0);
            for (int k = 0; k < (int)MB_PAGE; k++) {
                if (page[i][k] != 0) {
                    fail_msg("page is not zeroed");
                }
            }
            memset(page[i], i + 1, MB_PAGE);
        }
        for (int i = 0; i < N; i++) {
            assert_int_equal(page[i][0], (char)(i + 1));
            assert_int_equal(page[i][MB_PAGE - 1], (char)(i + 1));
            mb_page_free(page[i]);
        }
    }
    mb_page_free(NULL);
}

/* A program may still map it: the page itself must leave us. */
static void shared_pages_are_dropped(void **state)
{
    mb_trim();
    uint64_t before = memory_left;
    char *page = mb_page();
    mb_pages_mark_shared(page, MB_PAGE);
    uint64_t i = page_number((uint64_t)page);
    mb_page_free(page);
    for (int k = 0; k < 200; k++) { /* neither cached nor handed out while it is present */
        char *other = mb_page();
        if (other == page) {
            assert_int_equal(other[0], 0);
        }
        mb_pages_mark_shared(other, MB_PAGE);
        mb_page_free(other);
    }
    mb_trim();
    assert_int_equal(present[i], 0);
    assert_int_equal(memory_left, before);
}

static void neighbours(void **state)
{
    mb_trim();
    char *a = mb_page(), *b = mb_page(), *c = mb_page();
    assert_ptr_equal(b, a + MB_PAGE); /* so that they can be mapped together */
    assert_ptr_equal(c, b + MB_PAGE);
    mb_page_free(a);
    mb_page_free(b);
    mb_page_free(c);
}

static void sizes(void **state)
{
    static const size_t size[] = {0,    1,    15,   16,   17,   100,   1024,   1025,
                                  2047, 2048, 2049, 4096, 4097, 70000, 1 << 20};
    uint64_t before = mb_heap_objects();
    for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
        char *p = mb_zalloc(size[i]);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t k = 0; k < size[i]; k++) {
            assert_int_equal(p[k], 0);
        }
        memset(p, 0xff, size[i]);
        mb_free(p);
        p = mb_zalloc(size[i]); /* the same memory again: zeroed again */
        for (size_t k = 0; k < size[i]; k++) {
            assert_int_equal(p[k], 0);
        }
        mb_free(p);
    }
    mb_free(NULL);
    assert_int_equal(mb_heap_objects(), before);
    char *state_area = mb_alloc(1024);
    assert_int_equal((uintptr_t)state_area % 1024, 0); /* struct nx_state relies on it */
    mb_free(state_area);
    assert_null(mb_alloc(~0ul));
    assert_null(mb_alloc(1ul << 40));
}

struct object {
    unsigned char *p;
    size_t n;
    unsigned char tag;
};

static void check(const struct object *o)
{
    for (size_t i = 0; i < o->n; i += 1 + o->n / 64) {
        assert_int_equal(o->p[i], o->tag);
    }
}

static void random_use(uint64_t rounds, size_t largest)
{
    enum { N = 700 };
    static struct object object[N];
    for (uint64_t r = 0; r < rounds; r++) {
        struct object *o = &object[random_below(N)];
        if (o->p) {
            check(o);
            mb_free(o->p);
            o->p = NULL;
            continue;
        }
        o->n = random_below(8) == 0 ? random_below(largest) : random_below(600);
        o->tag = (unsigned char)r;
        o->p = mb_alloc(o->n);
        if (o->p) {
            memset(o->p, o->tag, o->n);
        }
    }
    for (int i = 0; i < N; i++) {
        if (object[i].p) {
            check(&object[i]);
            mb_free(object[i].p);
            object[i].p = NULL;
        }
    }
}

static void churn(void **state)
{
    uint64_t before = mb_heap_objects();
    random_use(60000, 20000);
    assert_int_equal(mb_heap_objects(), before);
}

/* Everything comes back to the nucleus but the descriptors. */
static void nothing_is_lost(void **state)
{
    mb_trim();
    uint64_t before = memory_left;
    random_use(20000, 100000);
    mb_trim();
    /* The arena may have grown: one page of descriptors for each MiB. */
    assert_true(before - memory_left <= 8);
    uint64_t second = memory_left;
    random_use(20000, 100000);
    mb_trim();
    assert_true(second - memory_left <= 2);
}

/* The end of memory is a NULL and nothing else; what there is stays usable. */
static void memory_ends(void **state)
{
    mb_trim();
    uint64_t keep = memory_left;
    memory_left = 50;
    void *first = NULL;
    unsigned n = 0;
    for (void **p; (p = mb_page()) != NULL; n++) {
        *p = first;
        first = p;
    }
    assert_true(n >= 40);
    assert_null(mb_alloc(5000));
    assert_null(mb_alloc(2000));
    while (first) {
        void *next = *(void **)first;
        mb_page_free(first);
        first = next;
    }
    void *again = mb_alloc(5000);
    assert_true(again != NULL || mb_pages_free() > 0);
    mb_free(again);
    random_use(20000, 200000);
    mb_trim();
    assert_true(memory_left >= 45);
    memory_left += keep - 50;
}

static unsigned countdown;
static bool fails(void)
{
    return countdown > 0 && --countdown == 0;
}

static void injected_failures(void **state)
{
    uint64_t before = mb_heap_objects();
    mb_alloc_fails_hook = fails;
    for (unsigned at = 1; at < 60; at++) {
        countdown = at;
        random_use(500, 9000);
    }
    mb_alloc_fails_hook = NULL;
    assert_int_equal(mb_heap_objects(), before);
}

static void cheap_when_warm(void **state)
{
    mb_free(mb_alloc(100));
    mb_page_free(mb_page());
    calls = 0;
    for (int i = 0; i < 1000; i++) {
        mb_free(mb_alloc(100));
        mb_page_free(mb_page());
    }
    assert_int_equal(calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_zero_and_alone),
        cmocka_unit_test(shared_pages_are_dropped),
        cmocka_unit_test(neighbours),
        cmocka_unit_test(sizes),
        cmocka_unit_test(churn),
        cmocka_unit_test(nothing_is_lost),
        cmocka_unit_test(memory_ends),
        cmocka_unit_test(injected_failures),
        cmocka_unit_test(cheap_when_warm),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
