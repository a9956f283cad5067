/*
 * Terminals' output: who is told that there is no room is told when there is some, whatever the driver does
 * meanwhile. The driver does it where the personality rings it or looks the other way.
 */
// test-sources: membrane/console.c native/lib/map.c native/lib/wait.c native/lib/channel.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>

#include "../../../membrane/devices.h"

#include <nexus/console.h>
#include <nx_base.h>

#define SLOTS 4u
#define FULL (SLOTS * NX_RING_PAYLOAD)

uint64_t mb_host_time, mb_host_instret;
uintptr_t cell_host_window;

static uint8_t rings[2][NX_RING_PAGE] __attribute__((aligned(NX_RING_PAGE)));
static struct channel driver;
static void (*work)(void *ctx);
static void *work_ctx;
static unsigned bells, hooks;
static void (*at_bell)(void);
static uint8_t sent[4096];
static size_t sent_n;

/* ---- what console.c stands on ---- */

void port_add(uint64_t watch, void *ctx, void (*fn)(void *ctx))
{
    work = fn;
    work_ctx = ctx;
}

void serve_again(void)
{
}

void serve_timer_add(struct serve_timer *t,
                     void (*fire)(struct serve_timer *t, uint64_t now, uint64_t late))
{
    t->due = MB_NEVER;
}

void serve_timer_set(struct serve_timer *t, uint64_t due)
{
    t->due = due;
}

uint64_t mb_ns_to_ticks(uint64_t ns)
{
    return ns / 100;
}

void mb_log(const char *fmt, ...)
{
}

void mb_log_at(unsigned level, const char *fmt, ...)
{
}

void cell_log_at(unsigned level, const char *fmt, ...)
{
}

static long call_map(uint64_t op, uint64_t space, uint64_t va, uint64_t len, uint64_t slot_prot,
                     uint64_t off)
{
    const unsigned ring = (slot_prot & 0xff) == MB_SLOT_CONSOLE_TX ? 0 : 1;
    void *at = mremap(rings[ring], 0, len, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)va);
    return at == (void *)va ? 0 : -NX_ENOMEM;
}

static long call_meta(uint64_t op, uint64_t slot, uint64_t a2, uint64_t a3, uint64_t a4,
                      uint64_t a5)
{
    return slot == MB_SLOT_CONSOLE_TX || slot == MB_SLOT_CONSOLE_RX ? (long)NX_RING_PAGE
                                                                    : -NX_EBADF;
}

static long call_send(uint64_t op, uint64_t slot, uint64_t a2, uint64_t a3, uint64_t a4,
                      uint64_t a5)
{
    bells++;
    if (at_bell != NULL) {
        at_bell();
    }
    return 0;
}

static const struct nx_systable table = {
    .call = {[NX_CALL_MAP] = call_map, [NX_CALL_META] = call_meta, [NX_CALL_SEND] = call_send}};
const struct nx_systable *nx_host_table = &table;

/* ---- the driver ---- */

static void driver_takes(unsigned n)
{
    struct nx_slot slot;
    while (n-- > 0 && nx_ring_pop(&driver.in, &slot) == 0) {
        memcpy(sent + sent_n, slot.payload, slot.buf_len);
        sent_n += slot.buf_len;
    }
}

static void driver_takes_all(void)
{
    driver_takes(SLOTS);
}

static void driver_takes_one(void)
{
    driver_takes(1);
    assert_int_equal(nx_ring_sleep_prepare(&driver.in) < 0, false);
}

/* It rings when it was asked to, and the main fiber does its work. */
static void driver_rings(void)
{
    if (nx_ring_needs_bell(&driver.in)) {
        work(work_ctx);
    }
}

/* ---- the terminal ---- */

static uint8_t text[2000];
static size_t at, end;

static void push(void)
{
    at += mb_console_write(text + at, end - at);
}

static void writable(void)
{
    hooks++;
    push();
}

static int setup(void **state)
{
    static bool made;
    if (!made) {
        for (unsigned i = 0; i < 2; i++) {
            void *r = mmap(rings[i], NX_RING_PAGE, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
            assert_ptr_equal(r, rings[i]);
            nx_ring_format(rings[i], SLOTS, 0);
        }
        cell_host_window = (uintptr_t)mmap(NULL, 1ul << 24, PROT_NONE,
                                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        mb_console_init();
        assert_int_equal(nx_ring_attach(&driver.in, NX_RING_CONSUMER, rings[0], NX_RING_PAGE), 0);
        mb_console_writable_hook = writable;
        for (size_t i = 0; i < sizeof(text); i++) {
            text[i] = (uint8_t)(i * 7);
        }
    }
    made = true;
    at = end = sent_n = 0;
    hooks = bells = 0;
    at_bell = NULL;
    return 0;
}

/* From now on it only sends, and rings where it owes it. */
static void all_arrives(void)
{
    at_bell = NULL;
    for (unsigned i = 0; i < 100; i++) {
        driver_takes_one();
        nx_ring_sleep_cancel(&driver.in);
        driver_rings();
    }
    assert_int_equal(at, end);
    assert_int_equal(sent_n, end);
    assert_memory_equal(sent, text, end);
}

static void a_full_ring(void **state)
{
    end = 1000;
    push();
    assert_int_equal(at, FULL);
    assert_int_equal(mb_console_write("x", 1), 0);
    all_arrives();
    assert_true(hooks > 0);
}

/* While the ring is filled the driver makes room again: that is used, or asked for. */
static void room_while_it_is_filled(void **state)
{
    for (unsigned n = 1; n < sizeof(text); n += 37) {
        setup(state);
        end = n;
        assert_int_equal(nx_ring_sleep_prepare(&driver.in),
                         0); /* asleep: the first bell wakes it */
        at_bell = driver_takes_all;
        push();
        nx_ring_sleep_cancel(&driver.in);
        all_arrives();
        setup(state);
        end = n;
        assert_int_equal(nx_ring_sleep_prepare(&driver.in), 0);
        at_bell = driver_takes_one;
        push();
        nx_ring_sleep_cancel(&driver.in);
        all_arrives();
    }
}

/* One has been told that there is no room; another finds some before the driver has rung for the first. */
static void room_for_another_one(void **state)
{
    end = FULL;
    push();
    end = 2 * FULL;
    push();
    assert_int_equal(at, FULL);
    driver_takes_all();
    assert_int_equal(mb_console_write(text + at, 10), 10);
    at += 10;
    assert_int_equal(hooks, 0);
    all_arrives();
    assert_int_equal(hooks > 0, true);
}

/* The same, but it finds the ring full again first. */
static void no_room_for_another_one(void **state)
{
    end = 3 * FULL;
    push();
    assert_int_equal(mb_console_write("x", 1), 0);
    driver_takes(1);
    assert_int_equal(mb_console_write(text + at, NX_RING_PAYLOAD), NX_RING_PAYLOAD);
    at += NX_RING_PAYLOAD;
    assert_int_equal(mb_console_write("x", 1), 0);
    all_arrives();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_full_ring, setup),
        cmocka_unit_test_setup(room_while_it_is_filled, setup),
        cmocka_unit_test_setup(room_for_another_one, setup),
        cmocka_unit_test_setup(no_room_for_another_one, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
