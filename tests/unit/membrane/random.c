/*
 * The personality's random generator: what seeds it, and whether it says so.
 */
// test-sources: lib/rng.c lib/chacha20.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

/* Its state is private: the file is taken in whole. */
#include "../../../membrane/random.c" // NOLINT(bugprone-suspicious-include)

uint64_t mb_host_time = 1, mb_host_instret = 2;

/* ---- rngd, played by the test ---- */

static int open_result, poll_result;
static bool answer_at_once, hello_at_once, hello_source;
static unsigned submitted, slept, added;
static struct nexus_request *pending;
static uint8_t pool[4096], fill_with;
static char said[300];

void mb_log(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(said, sizeof(said), fmt, ap);
    va_end(ap);
}

void mb_log_at(unsigned level, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(said, sizeof(said), fmt, ap);
    va_end(ap);
}

uint64_t mb_ns_to_ticks(uint64_t ns)
{
    return ns / 100;
}

void mb_service_add(struct nexus_client *c, void (*gone)(struct nexus_client *c))
{
    added++;
}

int client_open(struct nexus_client *c, unsigned slot)
{
    c->pool = pool;
    c->pool_size = sizeof(pool);
    return open_result;
}

int client_submit(struct nexus_client *c, struct nexus_request *r)
{
    submitted++;
    pending = r;
    return 0;
}

static void answer(int result, uint32_t n)
{
    struct nexus_request *r = pending;
    struct nx_slot reply = {.word32 = {(uint32_t)result, n}};
    pending = NULL;
    memset(pool, fill_with, SEED);
    r->done(r, result, &reply);
}

int client_poll(struct nexus_client *c)
{
    const struct nx_slot hello = {.word32 = {hello_source ? NEXUS_RANDOM_SOURCE : 0}};
    if (hello_at_once) {
        c->hello(c, &hello);
    }
    if (answer_at_once && pending != NULL) {
        answer(0, SEED);
    }
    return poll_result;
}

int client_sleep_prepare(struct nexus_client *c)
{
    return 0;
}

void client_awake(struct nexus_client *c)
{
}

uint64_t client_watch(const struct nexus_client *c)
{
    return 6;
}

static long wait(uint64_t op, uint64_t mask, uint64_t deadline, uint64_t a3, uint64_t a4,
                 uint64_t a5)
{
    slept++;
    mb_host_time = deadline;
    return -NX_ETIME;
}
static const struct nx_systable table = {.call = {[NX_CALL_RECV] = wait}};
const struct nx_systable *nx_host_table = &table;

static struct nx_cellinfo info;

static int begin(void **state)
{
    open_result = poll_result = 0;
    answer_at_once = hello_at_once = hello_source = false;
    submitted = slept = added = 0;
    have_rngd = asked = seeded = false;
    source = true;
    mb_random_hook = NULL;
    given = 0;
    fill_with = 0x11;
    memset(&info, 0, sizeof(info));
    return 0;
}

static void no_rngd(void **state)
{
    open_result = -NX_EBADF;
    mb_random_init(&info);
    assert_false(mb_random_seeded());
    assert_int_equal(submitted, 0);
    assert_int_equal(added, 0);
    assert_non_null(strstr(said, "no hardware source"));
}

static void rngd_seeds(void **state)
{
    answer_at_once = true;
    mb_random_init(&info);
    assert_true(mb_random_seeded());
    assert_int_equal(slept, 0);
    assert_int_equal(added, 1);
    for (unsigned i = 0; i < SEED; i++) {
        assert_int_equal(pool[i], 0); /* nobody else is to see the seed */
    }
}

/* rngd says that there is no source: nobody waits for it. */
static void no_source(void **state)
{
    hello_at_once = true;
    mb_random_init(&info);
    assert_int_equal(slept, 0);
    assert_false(mb_random_seeded());
}

static unsigned hooks;
static void hook(void)
{
    hooks++;
}

/* It takes too long: the start goes on, and the seed is told of when it comes. */
static void a_late_seed(void **state)
{
    uint8_t before[32], after[32];
    hello_at_once = hello_source = true;
    mb_random_init(&info);
    assert_int_equal(slept, 1);
    assert_false(mb_random_seeded());
    mb_random_hook = hook;
    hooks = 0;
    mb_random(before, sizeof(before));
    answer(0, SEED);
    assert_true(mb_random_seeded());
    assert_int_equal(hooks, 1);
    mb_random(after, sizeof(after));
    assert_memory_not_equal(before, after, sizeof(before));
}

static void broken_answers(void **state)
{
    mb_random_init(&info);
    answer(-NX_EIO, 0);
    assert_false(mb_random_seeded());
    for (uint32_t n = 0; n < 2 * SEED; n++) {
        if (n != SEED) {
            ask_rngd();
            answer(0, n);
            assert_false(mb_random_seeded());
        }
    }
    ask_rngd();
    answer(0, UINT32_MAX);
    assert_false(mb_random_seeded());
}

static void a_broken_ring(void **state)
{
    poll_result = -NX_EPEER;
    mb_random_init(&info);
    assert_false(mb_random_seeded());
    assert_int_equal(added, 0);
}

static void boot_arguments(void **state)
{
    open_result = -NX_EBADF;
    (void)snprintf(info.bootargs, sizeof(info.bootargs), "%s", "quiet nexus.seed=0123");
    mb_random_init(&info);
    assert_true(mb_random_seeded());
    begin(state);
    open_result = -NX_EBADF;
    (void)snprintf(info.bootargs, sizeof(info.bootargs), "%s", "nexus.rng=jitter");
    mb_random_init(&info);
    assert_true(mb_random_seeded());
}

/* The seed of the boot argument makes a difference, and the same one is the same. */
static void seeds_differ(void **state)
{
    uint8_t out[3][32];
    static const char *const args[] = {"nexus.seed=1", "nexus.seed=2", "nexus.seed=1"};
    for (unsigned i = 0; i < 3; i++) {
        begin(state);
        open_result = -NX_EBADF;
        mb_host_time = 1;
        (void)snprintf(info.bootargs, sizeof(info.bootargs), "%s", args[i]);
        mb_random_init(&info);
        mb_random(out[i], sizeof(out[i]));
    }
    assert_memory_not_equal(out[0], out[1], sizeof(out[0]));
    assert_memory_equal(out[0], out[2], sizeof(out[0]));
}

static void reseeds(void **state)
{
    static uint8_t buf[65536];
    answer_at_once = true;
    mb_random_init(&info);
    assert_int_equal(submitted, 1);
    for (unsigned i = 0; i < RESEED_BYTES / sizeof(buf); i++) {
        assert_int_equal(submitted, 1);
        mb_random(buf, sizeof(buf));
    }
    assert_int_equal(submitted, 2);
    mb_random(buf, sizeof(buf)); /* one request at a time */
    assert_int_equal(submitted, 2);
    answer(0, SEED);
    mb_random(buf, 1);
    assert_int_equal(submitted, 2);
    mb_host_time += RESEED_NS / 100;
    mb_random(buf, 1);
    assert_int_equal(submitted, 3);
}

static void mixing_in_counts_for_nothing(void **state)
{
    uint8_t a[16], b[16];
    struct nx_rng same;
    open_result = -NX_EBADF;
    mb_random_init(&info);
    same = rng;
    mb_random(a, sizeof(a));
    rng = same;
    mb_random_mix("something", 9);
    mb_random(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_false(mb_random_seeded());
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, begin)
    const struct CMUnitTest tests[] = {
        T(no_rngd),        T(rngd_seeds),
        T(no_source),      T(a_late_seed),
        T(broken_answers), T(a_broken_ring),
        T(boot_arguments), T(seeds_differ),
        T(reseeds),        T(mixing_in_counts_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
