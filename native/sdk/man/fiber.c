/* Two fibers count up a number together, a third sleeps until it is woken. */
#include <nexus/cell.h>
#include <nexus/fiber.h>

#define ROUNDS 1000

static struct fiber_lock lock;
static unsigned count;
static unsigned woken;

static void counter(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        fiber_lock(&lock);
        count++;
        fiber_unlock(&lock);
    }
}

static void sleeper(void *arg)
{
    uint64_t *self = arg;
    __atomic_store_n(self, fiber_self(), __ATOMIC_RELEASE);
    while (__atomic_load_n(&woken, __ATOMIC_ACQUIRE) == 0) {
        fiber_wait(NX_NEVER);
    }
}

int cell_main(const struct nx_cellinfo *info)
{
    struct fiber a, b, c;
    uint64_t handle = 0;
    if (fiber_start(&a, counter, NULL, 0, NX_TIER_MATTER) != 0 ||
        fiber_start(&b, counter, NULL, 16384, NX_TIER_GRAVITY) != 0 ||
        fiber_start(&c, sleeper, &handle, 0, NX_TIER_MATTER) != 0) {
        cell_panic("no fibers");
    }
    fiber_join(&a);
    fiber_join(&b);
    while (__atomic_load_n(&handle, __ATOMIC_ACQUIRE) == 0) {
        cell_sleep_ms(1);
    }
    __atomic_store_n(&woken, 1, __ATOMIC_RELEASE);
    fiber_wake(handle);
    fiber_join(&c);
    if (count != 2 * ROUNDS) {
        cell_panic("%u rounds", count);
    }
    cell_log("ok");
    return 0;
}
