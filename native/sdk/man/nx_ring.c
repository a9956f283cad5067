/* One ring, both of its sides here. */
#include <nexus/cap.h>
#include <nexus/cell.h>
#include <nx/ring.h>
#include <nx/sys.h>
#include <string.h>

static void check(bool good, const char *what)
{
    if (!good) {
        cell_panic("%s", what);
    }
}

int cell_main(const struct nx_cellinfo *info)
{
    struct nx_ring producer, consumer;
    struct nx_slot m;
    size_t size;
    memset(&m, 0, sizeof(m)); /* all of it is the other side's to read */
    const int slot = cap_take(1);
    check(slot >= 0 && nx_make_ring(slot, 4, 1) == 0,
          "no ring"); /* 4 slots, a page for bulk data */
    void *at = cell_map(slot, NX_PROT_R | NX_PROT_W, &size, NULL);
    check(at != NULL && size >= nx_ring_region_size(4, NX_PAGE_SIZE), "no ring");
    check(nx_ring_attach(&producer, NX_RING_PRODUCER, at, size) == 0, "attach");
    check(nx_ring_attach(&consumer, NX_RING_CONSUMER, at, size) == 0, "attach");

    /* A message by copy. */
    m.word[0] = 42;
    check(nx_ring_push(&producer, &m) == 0, "push");
    check(nx_ring_pop(&consumer, &m) == 0 && m.word[0] == 42, "pop");
    check(nx_ring_pop(&consumer, &m) == -NX_EEMPTY, "empty");

    /* Two in place, made visible together. */
    check(nx_ring_space(&producer, 2) >= 2, "space");
    nx_ring_slot(&producer, 0)->word[0] = 1;
    nx_ring_write(&producer, 1, &m);
    nx_ring_commit(&producer, 2);
    check(nx_ring_pending(&consumer, 2) == 2, "pending");
    check(nx_ring_pending_now(&consumer) == 2, "pending now");
    nx_ring_read(&consumer, 1, &m);
    check(nx_ring_slot(&consumer, 0)->word[0] == 1 && m.word[0] == 42, "in place");
    nx_ring_release(&consumer, 2);

    /* A consumer that has announced its sleep is rung for, once. */
    check(nx_ring_sleep_prepare(&consumer) == 0, "nothing is there");
    check(nx_ring_push(&producer, &m) == 0 && nx_ring_needs_bell(&producer), "a bell is due");
    check(!nx_ring_needs_bell(&producer), "and only one"); /* nx_send_bell(slot) would ring it */
    nx_ring_sleep_cancel(&consumer);

    /* Bulk data lies in the shared buffer, at offsets the other side has checked. */
    check(nx_ring_buf(&producer, 0, NX_PAGE_SIZE) != NULL, "buffer");
    check(nx_ring_buf(&producer, 1, NX_PAGE_SIZE) == NULL, "behind the buffer");

    /* Nobody was restarted; and damage to the shared words is put right. */
    check(!nx_ring_peer_changed(&producer), "generation");
    nx_ring_set_generation(at, NX_RING_CONSUMER,
                           7); /* the nucleus does this when a cell has died */
    check(nx_ring_peer_changed(&producer), "generation");
    nx_ring_format(at, 4, NX_PAGE_SIZE); /* the nucleus did this when it made the ring */
    nx_ring_mend(&producer, true);
    check(nx_ring_space(&producer, 4) == 4, "empty again");
    cell_log("ok");
    return 0;
}
