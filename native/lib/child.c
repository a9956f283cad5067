/* Cells that a cell makes.  See nexus/child.h. */
#include <nexus/cap.h>
#include <nexus/cell.h>
#include <nexus/child.h>
#include <nx/sys.h>
#include <nx_base.h>
#include <string.h>

#define ENDS (NX_R_READ | NX_R_WRITE | NX_R_SEND | NX_R_RECV)

/* The image in memory of ours that is an object of the nucleus': its slot, or an error. */
static int image_memory(const void *image, size_t size)
{
    size_t mapped = 0;
    const int slot = cap_take();
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

int child_make(struct child *c, const void *image, size_t size)
{
    const int memory = image_memory(image, size);
    const int slot = memory >= 0 ? cap_take() : memory;
    int e = slot;
    *c = (struct child){0};
    if (slot >= 0) {
        c->slot = (uint8_t)slot;
        e = (int)nx_spawn_cell((uint64_t)memory, 0, size, (uint64_t)slot, 1);
        if (e != 0) {
            cap_give((unsigned)slot);
        }
    }
    if (memory >= 0) {
        cap_give((unsigned)memory); /* the cell has its copy */
    }
    return e;
}

/* Where the child's end of each goes: its USE want is ring to the server, ring from it, pool. */
static int hand_over(const struct child *c, unsigned slot, bool pool)
{
    long e = nx_grant_copy(c->slot, c->channel[0], slot, ENDS);
    e = e == 0 ? nx_grant_copy(c->slot, c->channel[1], slot + 1, ENDS) : e;
    if (e == 0 && pool) {
        e = nx_grant_copy(c->slot, c->channel[2], slot + 2, NX_R_READ | NX_R_WRITE);
    }
    return (int)e;
}

int child_channel(struct child *c, unsigned slot, unsigned ring_slots, unsigned pool_pages)
{
    int got[3] = {0};
    for (unsigned i = 0; i < 3; i++) {
        got[i] = cap_take();
    }
    if (got[0] < 0 || got[1] < 0 || got[2] < 0) {
        for (unsigned i = 0; i < 3; i++) {
            if (got[i] >= 0) {
                cap_give((unsigned)got[i]);
            }
        }
        return -NX_ENOMEM;
    }
    for (unsigned i = 0; i < 3; i++) {
        c->channel[i] = (uint8_t)got[i];
    }
    c->has_channel = true;
    long e = nx_make_ring(c->channel[0], ring_slots, 0);
    e = e == 0 ? nx_make_ring(c->channel[1], ring_slots, 0) : e;
    if (e == 0 && pool_pages != 0) {
        e = nx_make_mem(c->channel[2], pool_pages, 0);
    }
    return e == 0 ? hand_over(c, slot, pool_pages != 0) : (int)e;
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
        cap_give(c->channel[i]);
    }
    cap_give(c->slot); /* the last capability to it ends it */
    *c = (struct child){0};
}
