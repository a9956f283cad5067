/* Strands of one fiber: a producer and a consumer that hand over to each other, and two that sleep together. */
#include <nexus/cell.h>
#include <nexus/strand.h>

#define ITEMS 100

static struct strand *consumer;
static int item; /* no lock: they take turns */
static int sum;

static void consume(void *arg)
{
    consumer = strand_self();
    while (sum < ITEMS * (ITEMS + 1) / 2) {
        (void)strand_recv(0, NX_NEVER); /* until there is something */
        sum += item;
        item = 0;
    }
}

static void produce(void *arg)
{
    for (int i = 1; i <= ITEMS; i++) {
        item = i;
        strand_wake(consumer);
        if (strand_switch(consumer) != 0) {
            cell_panic("it does not run");
        }
        while (item != 0) {
            strand_yield();
        }
    }
    strand_exit(); /* as a return would */
}

static void sleeper(void *arg)
{
    const unsigned *ms = arg;
    cell_sleep_ms(*ms); /* the others go on */
}

int cell_main(const struct nx_cellinfo *info)
{
    static uint8_t stack[8192];
    const unsigned long_ms = 60, short_ms = 50;
    struct strand a, b, c, d;
    int e = strand_start(&a, consume, NULL, NULL, 0);
    e = e == 0 ? strand_start(&b, produce, NULL, stack, sizeof(stack)) : e;
    e = e == 0 ? strand_start(&c, sleeper, (void *)&long_ms, NULL, 0) : e;
    e = e == 0 ? strand_start(&d, sleeper, (void *)&short_ms, NULL, 0) : e;
    if (e != 0) {
        cell_panic("no strand: error %d", -e);
    }
    const uint64_t start = cell_now();
    strand_join(&a);
    strand_join(&b);
    strand_join(&c);
    strand_join(&d);
    if (sum != ITEMS * (ITEMS + 1) / 2 || cell_now() - start < cell_ticks_of_ms(60)) {
        cell_panic("sum %d", sum);
    }
    cell_log("ok");
    return 0;
}
