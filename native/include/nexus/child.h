/* Cells that a cell makes: with an image's own manifest, and with nothing but what their maker gives them.
 *
 * The maker needs the pledges spawn, make, map and grant, and the quota: a child's whole quota of pages is charged to it until the
 * child is gone.  A child gets no class of calls and no better tier than its maker has, and at most its energy.
 * The supervisor knows nothing of children: their ends are the maker's to hear, and so is what then follows.
 *
 *     child_make(&c, image, size)   the cell; nothing runs yet.  Often: child_load(), child_make_from()
 *     child_channel(&c, slot, ...)  a channel between us, its end at the slot its manifest says
 *     nx_grant_copy(c.slot, ...)    anything else, with fewer rights (nx_grant(2))
 *     child_start(&c, arg)
 *     child_ended(&c)               watch 1 << c.slot with recv
 *     child_free(&c)
 *
 * One fiber at a time.
 */
#ifndef NEXUS_CHILD_H
#define NEXUS_CHILD_H

#include <nx/types.h>
#include <stdbool.h>
#include <stddef.h>

struct child {
    uint8_t slot;    /* the capability to the cell */
    uint8_t channel; /* ours of child_channel(): ring from it, + 1 ring to it, + 2 pool */
    bool has_channel;
};

struct child_end {
    unsigned why;  /* NX_WHY_EXIT: by its own exit; NX_WHY_FAULT, _KILLED, _NOMEM */
    uint64_t code; /* of the exit, or the fault's cause */
    uint64_t addr; /* of a fault */
};

/* Make a cell from the `size` bytes of an image (NAME.cell; its copy is charged to us and kept as long as the cell).
 * 0; -NX_EIMAGE: no image, or a manifest that makes no sense; -NX_EPERM: it wants a pledge or tier that we lack;
 * -NX_ENOMEM: quota, machine or slots are used up; -NX_EBUSY: our energy is. */
int child_make(struct child *c, const void *image, size_t size);

/* A copy of an image in memory of its own, for cells that are made of it again and again: the slot of its capability, for
 * child_make_from(); cap_give() it when no more are to be made.  -NX_ENOMEM: quota, machine or slots are used up. */
int child_load(const void *image, size_t size);

/* child_make() of an image that lies, `size` bytes from byte `offset` on (a multiple of 4096), in the memory whose capability is in
 * slot `memory`, with the rights to read and execute: what child_load() answers, offset 0.  Also -NX_EBADF: there is no memory
 * in that slot; -NX_EPERM: it lacks a right. */
int child_make_from(struct child *c, unsigned memory, uint64_t offset, size_t size);

/* A channel to it, of `ring_slots` (power of two, 2 to 256) a ring and `pool_pages` of shared memory (0: none): we are its
 * server, at c->channel (server_open()); it is the client, with the three slots of the USE want `slot` of its manifest.
 * Once, before child_start().  0 or -NX_E*. */
int child_channel(struct child *c, unsigned slot, unsigned ring_slots, unsigned pool_pages);

/* Let it run; `arg` arrives in its info page.  0 or -NX_E*. */
int child_start(struct child *c, uint64_t arg);

/* Has it ended?  How, in *end when not NULL. */
bool child_ended(const struct child *c, struct child_end *end);

/* End it if it runs, and give back its slots and the channel's. */
void child_free(struct child *c);

#endif
