/* The personality lock: one word, free or the address of the fiber that holds it.
 *
 * It is held for the length of a system call's work, never across a block and never while foreign code
 * runs, so a waiter spins a little, then lets others of its tier run, and then sleeps in short steps:
 * the holder may be in a lower tier and preempted, and only a sleep lets that one run.
 * Not recursive, and not fair: the hold times do not ask for more.
 */
#include "mb_int.h"

#define SPINS 100
#define YIELDS 4
#define SLEEP_MIN_NS 10000ul
#define SLEEP_MAX_NS 200000ul

static volatile uint64_t lock_word __attribute__((aligned(64)));

static void __attribute__((noinline)) lock_slow(uint64_t me)
{
    uint64_t sleep_ns = SLEEP_MIN_NS;
    if (lock_word == me) {
        cell_panic("personality lock taken twice");
    }
    for (unsigned round = 0;; round++) {
        for (unsigned i = 0; i < SPINS; i++) {
            if (lock_word == 0 && mb_arch_lock_try(&lock_word, me)) {
                return;
            }
            mb_arch_relax();
        }
        if (round < YIELDS) {
            nx_tick_yield();
        } else {
            nx_tick_sleep(mb_arch_time() + mb_ns_to_ticks(sleep_ns));
            sleep_ns = sleep_ns < SLEEP_MAX_NS ? sleep_ns * 2 : SLEEP_MAX_NS;
        }
    }
}

void mb_lock(void)
{
    uint64_t me = (uint64_t)mb_self();
    if (__builtin_expect(!mb_arch_lock_try(&lock_word, me), 0)) {
        lock_slow(me);
    }
}

void mb_unlock(void)
{
    mb_arch_lock_release(&lock_word);
}

bool mb_lock_is_mine(void)
{
    return lock_word == (uint64_t)mb_self();
}
