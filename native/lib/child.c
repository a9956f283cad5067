/* Cells that a cell makes.  See nexus/child.h. */
#include <nexus/cap.h>
#include <nexus/cell.h>
#include <nexus/child.h>
#include <nx/sys.h>
#include <nx_base.h>
#include <string.h>

/* The rights of a ring's two ends: who has the right of an end hears of it. */
#define CONSUMER (NX_R_READ | NX_R_WRITE | NX_R_RECV)
#define PRODUCER (NX_R_READ | NX_R_WRITE | NX_R_SEND)

int child_load(const void *image, size_t size)
{
    size_t mapped = 0;
    const int slot = cap_take(1);
    int e = slot;
    if (slot >= 0) {
        e = (int)nx_make_mem((uint64_t)slot, ALIGN_UP(size, NX_PAGE_SIZE) / NX_PAGE_SIZE, 0);
    }
    void *at = e == 0 ? cell_map((unsigned)slot, NX_PROT_R | NX_PROT_W, &mapped, &e) : NULL;
    if (at != NULL) {
        memcpy(at, image, size);
        cell_unmap(at, mapped);
        return slot;
    }
    if (slot >= 0) {
        cap_give((unsigned)slot);
    }
    return e;
}

int child_make_from(struct child *c, unsigned memory, uint64_t offset, size_t size)
{
    const int slot = cap_take(1);
    int e = slot;
    *c = (struct child){0};
    if (slot >= 0) {
        c->slot = (uint8_t)slot;
        e = (int)nx_spawn_cell(memory, offset, size, (uint64_t)slot, 1);
        if (e != 0) {
            cap_give((unsigned)slot);
        }
    }
    return e;
}

int child_make(struct child *c, const void *image, size_t size)
{
    const int memory = child_load(image, size);
    if (memory < 0) {
        *c = (struct child){0};
        return memory;
    }
    const int e = child_make_from(c, (unsigned)memory, 0, size);
    cap_give((unsigned)memory); /* the cell has its copy */
    return e;
}

/* A ring between us and the child, each with the rights of one end: who was given those last hears of it. */
static long ring_between(const struct child *c, unsigned ours, uint64_t our_rights, unsigned theirs,
                         uint64_t their_rights, unsigned ring_slots)
{
    const int made = cap_take(1);
    if (made < 0) {
        return made;
    }
    long e = nx_make_ring((uint64_t)made, ring_slots, 0);
    e = e == 0 ? nx_grant_copy(c->slot, (uint64_t)made, theirs, their_rights) : e;
    e = e == 0 ? nx_grant_copy(NX_SELF, (uint64_t)made, ours, our_rights) : e;
    cap_give((unsigned)made);
    return e;
}

int child_channel(struct child *c, unsigned slot, unsigned ring_slots, unsigned pool_pages)
{
    const int ours = cap_take(3);
    if (ours < 0) {
        return ours;
    }
    c->channel = (uint8_t)ours;
    c->has_channel = true;
    long e = ring_between(c, c->channel, CONSUMER, slot, PRODUCER, ring_slots);
    e = e == 0 ? ring_between(c, c->channel + 1u, PRODUCER, slot + 1, CONSUMER, ring_slots) : e;
    if (e == 0 && pool_pages != 0) {
        e = nx_make_mem(c->channel + 2u, pool_pages, 0);
        e = e == 0 ? nx_grant_copy(c->slot, c->channel + 2u, slot + 2, NX_R_READ | NX_R_WRITE) : e;
    }
    return (int)e;
}

int child_start(struct child *c, uint64_t arg)
{
    return (int)nx_spawn_start(c->slot, arg);
}

bool child_ended(const struct child *c, struct child_end *end)
{
    const long state = nx_meta_cell(c->slot, NX_CELL_STATE);
    if (state != NX_CS_DEAD) {
        return false;
    }
    if (end != NULL) {
        end->why = (unsigned)nx_meta_cell(c->slot, NX_CELL_EXIT_WHY);
        end->code = (uint64_t)nx_meta_cell(c->slot, NX_CELL_EXIT_CODE);
        end->addr = (uint64_t)nx_meta_cell(c->slot, NX_CELL_EXIT_ADDR);
    }
    return true;
}

void child_free(struct child *c)
{
    for (unsigned i = 0; c->has_channel && i < 3; i++) {
        cap_give(c->channel + i);
    }
    cap_give(c->slot); /* the last capability to it ends it */
    *c = (struct child){0};
}
